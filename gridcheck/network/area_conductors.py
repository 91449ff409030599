r"""Impedances of low-voltage lines of four equal wires, by conductor of the catalogue.

Sequence data of lines come from the catalogue by hand formula. Four parallel wires of one conductor, with the
same mean distance D between any two of them and g the geometric mean radius, have without an earth path

.. math::
    z = r + j\omega\frac{\mu_0}{2\pi}\ln\frac{D}{g}, \qquad
    z_0 = z + 3 (z_m - 2 z_{pn} + z_n) = 4 z

because in :math:`z_m - 2 z_{pn} + z_n` the return through the earth cancels and leaves the z of one wire. A load
between one phase and the neutral then feels :math:`(2 z + z_0) / 3 = 2 z` at three times the current: six times the
drop of the same load on three phases.

Real wires hang in a row and keep their places from pole to pole, and which of them hangs beside the neutral is not
known. The place of the neutral moves the reactance of the zero sequence by up to 12 percent either way and its
resistance not at all. Beside Carson's impedances of wires in a row, the voltage of a phase at some node differs by up
to a seventh of the largest drop in an area, and so may the lowest voltage.

References
----------
.. [1] W. H. Kersting, *Distribution System Modeling and Analysis*, 4th edition, 2017, chapter 4.
"""

from __future__ import annotations

import functools

import numpy as np

from gridcheck.catalogue import conductors

# Loaded overhead conductors in winter; r20 is corrected to this temperature. [degC] (E, range 20 to 40)
CONDUCTOR_TEMPERATURE_C = 30.0
# Temperature coefficients of resistance at 20 degC. [1/K] Aluminium: IEC 60889; copper: IEC 60028.
ALUMINIUM_PER_K = 0.00403
COPPER_PER_K = 0.00393
ZERO_OVER_POSITIVE = 4.0
"""z0 of a line of four equal wires over its z; see the head of this module. (C)"""


def line_ohm_per_km(type_name: str) -> complex:
    """Return the impedance of the positive sequence of a conductor, its resistance at `CONDUCTOR_TEMPERATURE_C`.

    Times `ZERO_OVER_POSITIVE` it is that of the zero sequence. [ohm/km]

    Raises
    ------
    KeyError
        If the catalogue has no such conductor; a `LowVoltageGrid` holds known ones only.
    """
    return conductor_ohm_per_km()[type_name]


def area_mm2(type_name: str) -> float | None:
    """Return the section of a conductor of the catalogue, None where it has no such conductor. [mm2]"""
    return _conductor_mm2().get(type_name)


@functools.cache
def conductor_ohm_per_km() -> dict[str, complex]:
    """Return the impedances of the positive sequence by conductor, for reading only. [ohm/km]"""
    frame = conductors()
    per_k = np.where(frame["material"] == "Cu", COPPER_PER_K, ALUMINIUM_PER_K)
    r = frame["r_ohm_per_km"].to_numpy(float) * (1.0 + per_k * (CONDUCTOR_TEMPERATURE_C - 20.0))
    z = r + 1j * frame["x_ohm_per_km"].to_numpy(float)
    return dict(zip(frame.index, z.tolist(), strict=True))


@functools.cache
def conductor_ka() -> dict[str, float]:
    """Return the rated currents by conductor, for reading only. [kA]"""
    frame = conductors()
    return dict(zip(frame.index, frame["max_i_ka"].tolist(), strict=True))


@functools.cache
def _conductor_mm2() -> dict[str, float]:
    frame = conductors()
    return dict(zip(frame.index, frame["area_mm2"].tolist(), strict=True))
