r"""Voltage at the far end of an area's low-voltage lines, by a stated approximation.

Until the four-wire network of an area is modelled, its lines count as `lv_circuits` equal lines of one
conductor with the load spread evenly along them, so that half of the impedance is felt, and a factor says
how much more the heaviest phase and the neutral drop than a balanced line would:

.. math:: V_{end} = V_{lv} - k \frac{P R + Q X}{6\, n\, V_{lv}}

with P, Q of the whole area, R and X of one line, n lines and V phase to neutral. Where every line has a voltage
regulator at its beginning, V is what stands behind it. Every result built on it
says ``approximation``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.catalogue import conductors
from gridcheck.errors import NetworkError
from gridcheck.network.area_conductors import ALUMINIUM_PER_K, CONDUCTOR_TEMPERATURE_C

_W_PER_MW = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowVoltageLines:
    """Drop of the low-voltage lines of each area.

    Attributes
    ----------
    p_drop, q_drop : ndarray, shape (n_area,)
        Voltage drop at the end per MW (Mvar) of the area, times the voltage at its beginning. [V^2/MW], [V^2/Mvar]
    boost : ndarray, shape (n_area,)
        By how much the voltage of the busbar is raised at the beginning of the lines. [1]
    """

    p_drop: FloatArray
    q_drop: FloatArray
    boost: FloatArray

    def __post_init__(self) -> None:
        for field in ("p_drop", "q_drop", "boost"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (None,), name=field))

    def of(self, rows: IntArray) -> LowVoltageLines:
        """Return the lines of some areas."""
        return LowVoltageLines(p_drop=self.p_drop[rows], q_drop=self.q_drop[rows], boost=self.boost[rows])


def low_voltage_lines(areas: pd.DataFrame) -> LowVoltageLines:
    """Gather the drop factors of all areas from their table.

    Parameters
    ----------
    areas : DataFrame
        Columns lv_type_name, lv_radius_m, lv_circuits, lv_unbalance_factor; lv_boost where lines have regulators.

    Raises
    ------
    NetworkError
        An unknown conductor, or values that are not positive.
    """
    catalogue = conductors()
    unknown = areas.loc[~areas["lv_type_name"].isin(catalogue.index)]
    findings = [
        f"area {row.area_id}: lv_type_name {row.lv_type_name!r} is not in the catalogue"
        for row in unknown.head(20).itertuples()
    ]
    for column in ("lv_radius_m", "lv_circuits", "lv_unbalance_factor"):
        bad = areas.loc[~(areas[column].astype(float) > 0), "area_id"]
        findings += [f"area {area_id}: {column} must be greater than 0" for area_id in bad.head(20)]
    if findings:
        raise NetworkError("The low-voltage lines of the areas cannot be evaluated.", findings)
    line = catalogue.loc[areas["lv_type_name"]]
    length_km = areas["lv_radius_m"].to_numpy(dtype=float) / 1000.0
    share = (
        areas["lv_unbalance_factor"].to_numpy(dtype=float)
        * length_km
        / (6.0 * areas["lv_circuits"].to_numpy(dtype=float))
    )
    warm = 1.0 + ALUMINIUM_PER_K * (CONDUCTOR_TEMPERATURE_C - 20.0)
    return LowVoltageLines(
        p_drop=_W_PER_MW * share * line["r_ohm_per_km"].to_numpy() * warm,
        q_drop=_W_PER_MW * share * line["x_ohm_per_km"].to_numpy(),
        boost=areas["lv_boost"].to_numpy(dtype=float) if "lv_boost" in areas else np.zeros(len(areas)),
    )


def end_voltage_v(voltage_v: FloatArray, p_mw: FloatArray, q_mvar: FloatArray, lines: LowVoltageLines) -> FloatArray:
    """Estimate the phase-to-neutral voltage at the end of the lines.

    Parameters
    ----------
    voltage_v : ndarray, shape (n_area, n_case)
        Phase-to-neutral voltage at the transformer. [V]
    p_mw, q_mvar : ndarray, shape (n_area, n_case)
        Load of the area. [MW], [Mvar]
    lines : LowVoltageLines
        Drop factors.

    Returns
    -------
    ndarray, shape (n_area, n_case)
        Voltage at the end. [V]
    """
    begin_v = voltage_v * (1.0 + lines.boost[:, None])
    end: FloatArray = begin_v - (p_mw * lines.p_drop[:, None] + q_mvar * lines.q_drop[:, None]) / begin_v
    return end
