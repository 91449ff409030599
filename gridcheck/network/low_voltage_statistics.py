"""What low-voltage lines and meters of areas come to: counts by phase, lengths, meter boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid


def distances_m(grid: LowVoltageGrid) -> FloatArray:
    """Return the length of line from the transformer to every node, shape (n_node,). [m]"""
    result = grid.length_m.tolist()
    for k, up in enumerate(grid.parent.tolist()):
        if up >= 0:
            result[k] += result[up]
    return np.array(result, dtype=np.float64)


def low_voltage_statistics(grids: Iterable[LowVoltageGrid]) -> pd.DataFrame:
    """Count and measure the lines of areas.

    Parameters
    ----------
    grids : iterable of LowVoltageGrid
        The areas.

    Returns
    -------
    DataFrame
        One row per area: ``area_id``, ``is_synthetic``, ``meters``, ``meters_a``, ``meters_b``, ``meters_c``,
        ``meters_three_phase``, ``meters_unknown_phase``, ``heaviest_phase_percent`` (of the single-phase meters whose
        phase is known, NaN where there are none), ``boxes`` (nodes with meters), ``meters_in_largest_box``, ``nodes``,
        ``line_km`` (service drops included) [km], ``farthest_meter_m`` [m].
    """
    rows = []
    for grid in grids:
        a, b, c = (int((grid.home_phase == phase).sum()) for phase in range(3))
        known = a + b + c
        in_box = np.bincount(grid.home_node, minlength=grid.n_node)
        way_m = distances_m(grid)[grid.home_node]
        rows.append(
            {
                "area_id": grid.area_id,
                "is_synthetic": grid.is_synthetic,
                "meters": grid.n_home,
                "meters_a": a,
                "meters_b": b,
                "meters_c": c,
                "meters_three_phase": int((grid.home_phase == THREE_PHASE).sum()),
                "meters_unknown_phase": int((grid.home_phase == PHASE_UNKNOWN).sum()),
                "heaviest_phase_percent": 100.0 * max(a, b, c) / known if known else np.nan,
                "boxes": int((in_box > 0).sum()),
                "meters_in_largest_box": int(in_box.max()),
                "nodes": grid.n_node,
                "line_km": float(grid.length_m.sum()) / 1000.0,
                "farthest_meter_m": float(way_m.max()) if len(way_m) else np.nan,
            }
        )
    return pd.DataFrame(rows)
