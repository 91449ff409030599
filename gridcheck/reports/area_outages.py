"""``area_outages.csv``: the loss of every distribution transformer, and what brings supply back to its area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.reports.schemas import Column, TableSpec

if TYPE_CHECKING:
    from gridcheck.checks.area_outages import AreaOutages
    from gridcheck.network.county import CountyGrid


def _optional(name: str, unit: str, decimals: int) -> Column:
    return Column(name=name, kind="real", unit=unit, decimals=decimals, nullable=True)


AREA_OUTAGES = TableSpec(
    name="area_outages",
    key=("area_id",),
    columns=(
        *(Column(name=name, kind="text") for name in ("county_code", "area_id", "feeder_id")),
        Column(name="households", kind="integer"),
        Column(name="transformer_kva", kind="real", unit="kVA", decimals=1),
        Column(name="load_after_kw", kind="real", unit="kW", decimals=2),
        Column(name="remedy", kind="text"),
        Column(name="remedy_size", kind="text", nullable=True),
        _optional("restore_minutes", "min", 0),
        Column(name="unsupplied_households_after", kind="integer"),
        Column(name="unsupplied_household_hours", kind="real", unit="h", decimals=1),
        _optional("hours_until_12c", "h", 2),
    ),
    optional=(
        _optional("hours_until_5c", "h", 2),
        Column(name="peak_time", kind="time", nullable=True),
        _optional("generator_kw", "kW", 0),
        _optional("generator_minutes", "min", 0),
        Column(name="generator_households", kind="integer", nullable=True),
        _optional("spare_kva", "kVA", 0),
        Column(name="synthetic", kind="boolean"),
    ),
)
"""One row per area."""


def area_outage_rows(grid: CountyGrid, outages: AreaOutages, cold_h: FloatArray, time_utc: TimeArray) -> pd.DataFrame:
    """Return the table of lost transformers of one county, in the order of its areas.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    outages : AreaOutages
        One per area.
    cold_h : ndarray, shape (n_area, 2)
        Hours until homes are colder than 12 and 5 degC; NaN where not known. [h]
    time_utc : ndarray of datetime64, shape (n_case,)
        Start of each case.
    """
    areas = grid.areas
    return pd.DataFrame(
        {
            "county_code": areas["county_code"],
            "area_id": areas["area_id"],
            "feeder_id": areas["feeder_id"],
            "households": areas["households"],
            "transformer_kva": areas["kva"].astype(float),
            "load_after_kw": outages.load_kw,
            "remedy": outages.remedy.astype(object),
            "remedy_size": [_size(kw, kva) for kw, kva in zip(outages.generator_kw, outages.spare_kva, strict=True)],
            "restore_minutes": outages.restore_minutes,
            "unsupplied_households_after": outages.unsupplied_households,
            "unsupplied_household_hours": outages.household_hours,
            "hours_until_12c": cold_h[:, 0],
            "hours_until_5c": cold_h[:, 1],
            "peak_time": pd.DatetimeIndex(time_utc[outages.peak_case], tz="UTC"),
            "generator_kw": outages.generator_kw,
            "generator_minutes": outages.generator_minutes,
            "generator_households": outages.generator_households,
            "spare_kva": outages.spare_kva,
        }
    )


def _size(kw: float, kva: float) -> str | None:
    """Return the sizes of a remedy with their units.

    Examples
    --------
    >>> _size(50.0, 200.0)
    '50 kW + 200 kVA'
    """
    parts = [f"{value:g} {unit}" for value, unit in ((kw, "kW"), (kva, "kVA")) if not np.isnan(value)]
    return " + ".join(parts) or None
