r"""One heated zone as two nodes, air and mass, solved exactly over a step.

.. math::
    \text{(1)}\quad & C_a \dot T_a = H_{ma} (T_m - T_a) + H_v (T_o - T_a) + Q + G + \tfrac12 A_s I \\
    \text{(2)}\quad & C_m \dot T_m = H_{ma} (T_a - T_m) + H_{em} (T_o - T_m) + \tfrac12 A_s I

With outdoor temperature, sun and heat constant over the step, :math:`x = (T_a, T_m)` moves by
:math:`x' = \Phi x + \Gamma u`, with :math:`\Phi = e^{A \Delta t}` and :math:`\Gamma = A^{-1} (\Phi - I) B`. Both
eigenvalues of A are real and negative, so all of it has a closed form.

References
----------
.. [1] ISO 13790:2008, annex C (capacities by class of construction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.errors import InputError

# How many zones a message names.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Envelope:
    """Heat balance of zones; all arrays have shape (n_zone,).

    Attributes
    ----------
    air_j_per_k, mass_j_per_k : ndarray
        Heat capacity of air (with furniture) and of walls. [J/K]
    inside_w_per_k : ndarray
        Between air and mass. [W/K]
    air_loss_w_per_k, mass_loss_w_per_k : ndarray
        From air and from mass to the outside. [W/K]
    aperture_m2 : ndarray
        Solar aperture. [m2]
    gain_w : ndarray
        People and appliances. [W]
    """

    air_j_per_k: FloatArray
    mass_j_per_k: FloatArray
    inside_w_per_k: FloatArray
    air_loss_w_per_k: FloatArray
    mass_loss_w_per_k: FloatArray
    aperture_m2: FloatArray
    gain_w: FloatArray

    def __post_init__(self) -> None:
        for name in ("air_j_per_k", "mass_j_per_k", "inside_w_per_k", "mass_loss_w_per_k"):
            if not (getattr(self, name) > 0.0).all():
                raise InputError(
                    f"{name} must be positive in every zone: without it the zone has no closed form. Least is "
                    f"{getattr(self, name).min():g}; it grows with the heated area and, for mass_loss, the heat loss."
                )

    def loss_w_per_k(self) -> FloatArray:
        """Return the steady heat loss, shape (n_zone,). [W/K]"""
        series = 1.0 / (1.0 / self.inside_w_per_k + 1.0 / self.mass_loss_w_per_k)
        return np.asarray(self.air_loss_w_per_k + series)


def envelope_of(
    area_m2: FloatArray, loss_w_per_k_m2: FloatArray, *, air: FloatArray, mass: FloatArray, house: Mapping[str, float]
) -> Envelope:
    """Return walls and air of floors.

    Parameters
    ----------
    area_m2, loss_w_per_k_m2 : ndarray, shape (n_zone,)
        Heated floor, and heat loss per floor area. [m2], [W/(K m2)]
    air, mass : ndarray, shape (n_zone,)
        Heat capacities per floor area. [kJ/(K m2)]
    house : mapping of str to float
        Parameters of houses.

    Raises
    ------
    InputError
        If a floor is no number above 0, or heat would leave through the walls faster than it gets into them.
    """
    inside, loss = house["mass_coupling_w_per_k_m2"], loss_w_per_k_m2
    through_mass = (1.0 - house["ventilation_share"]) * loss
    findings = [
        f"zone {at}: heated area {area_m2[at]:g} m2 must be a number above 0"
        for at in np.flatnonzero(~((area_m2 > 0.0) & np.isfinite(area_m2)))[:_SHOWN]
    ] + [
        f"zone {at}: heat loss {loss[at]:g} W/(K m2) must be above 0, and what of it goes through walls, "
        f"{through_mass[at]:.3g}, below mass_coupling_w_per_k_m2 = {inside:g}"
        for at in np.flatnonzero(~((through_mass > 0.0) & (through_mass < inside)))[:_SHOWN]
    ]
    if findings:
        raise InputError("These zones cannot be floors of a house.", findings)
    return Envelope(
        air_j_per_k=1000.0 * air * area_m2,
        mass_j_per_k=1000.0 * mass * area_m2,
        inside_w_per_k=inside * area_m2,
        air_loss_w_per_k=house["ventilation_share"] * loss * area_m2,
        mass_loss_w_per_k=area_m2 / (1.0 / through_mass - 1.0 / inside),
        aperture_m2=house["aperture_share"] * area_m2,
        gain_w=house["internal_gain_w_per_m2"] * area_m2,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """What a step does to air (a) and mass (m); all arrays have shape (n_zone,).

    Attributes
    ----------
    aa, am, ma, mm : ndarray
        Next temperature of the first node per kelvin of the second. [1]
    ao, mo : ndarray
        Per kelvin outdoors. [1]
    a_sun, m_sun : ndarray
        Per irradiance. [K m2/W]
    a_gain, m_gain : ndarray
        What the inner gains do. [K]
    a_heat, m_heat : ndarray
        Per watt put into the air. [K/W]
    """

    aa: FloatArray
    am: FloatArray
    ma: FloatArray
    mm: FloatArray
    ao: FloatArray
    mo: FloatArray
    a_sun: FloatArray
    m_sun: FloatArray
    a_gain: FloatArray
    m_gain: FloatArray
    a_heat: FloatArray
    m_heat: FloatArray


def response(zone: Envelope, step_s: float) -> Response:
    """Return the exact response of zones to one step.

    Parameters
    ----------
    zone : Envelope
        Zones.
    step_s : float
        Length of the step. [s]
    """
    aa, am = -(zone.inside_w_per_k + zone.air_loss_w_per_k) / zone.air_j_per_k, zone.inside_w_per_k / zone.air_j_per_k
    ma = zone.inside_w_per_k / zone.mass_j_per_k
    mm = -(zone.inside_w_per_k + zone.mass_loss_w_per_k) / zone.mass_j_per_k
    half, det = (aa + mm) / 2.0, aa * mm - am * ma
    root = np.sqrt(((aa - mm) / 2.0) ** 2 + am * ma)
    fast, slow = half - root, half + root
    # exp(A t) = c0 I + c1 A for a matrix of two rows.
    c1 = (np.exp(slow * step_s) - np.exp(fast * step_s)) / (slow - fast)
    c0 = np.exp(slow * step_s) - c1 * slow
    phi_aa, phi_am, phi_ma, phi_mm = c0 + c1 * aa, c1 * am, c1 * ma, c0 + c1 * mm
    # inv(A) (exp(A t) - I), column by column.
    g_aa, g_am = (mm * (phi_aa - 1.0) - am * phi_ma) / det, (mm * phi_am - am * (phi_mm - 1.0)) / det
    g_ma, g_mm = (aa * phi_ma - ma * (phi_aa - 1.0)) / det, (aa * (phi_mm - 1.0) - ma * phi_am) / det
    a_heat, m_heat = g_aa / zone.air_j_per_k, g_ma / zone.air_j_per_k
    a_wall, m_wall = g_am / zone.mass_j_per_k, g_mm / zone.mass_j_per_k
    half_sun = zone.aperture_m2 / 2.0
    return Response(
        aa=phi_aa,
        am=phi_am,
        ma=phi_ma,
        mm=phi_mm,
        ao=a_heat * zone.air_loss_w_per_k + a_wall * zone.mass_loss_w_per_k,
        mo=m_heat * zone.air_loss_w_per_k + m_wall * zone.mass_loss_w_per_k,
        a_sun=half_sun * (a_heat + a_wall),
        m_sun=half_sun * (m_heat + m_wall),
        a_gain=a_heat * zone.gain_w,
        m_gain=m_heat * zone.gain_w,
        a_heat=a_heat,
        m_heat=m_heat,
    )
