"""Spring Festival: when the migrants are back and base load is at its highest of the winter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.demand.tables import PACKAGE
from gridcheck.errors import InputError

# New Year's Day lies between 21 January and 20 February; other months need no entry in the table.
_MONTHS = (1, 2, 3)

_FESTIVALS = TableSchema(
    key=("year",),
    columns=(Column(name="year", kind="int", low=1900, high=2100), Column(name="new_year_day"), *source_columns()),
)


def new_year_days() -> TimeArray:
    """Return New Year's Day of the Chinese calendar of each year in the table, dtype datetime64[D], shape (n_year,)."""
    table = packaged_table(PACKAGE, "spring_festival.csv", _FESTIVALS)
    return np.sort(table["new_year_day"].to_numpy(dtype="datetime64[D]"))


def festival_presence(day: TimeArray, model: Mapping[str, float]) -> FloatArray:
    """Return how much of the festival's extra load is there on each day: 1 around New Year, shape (n,). [1]

    Parameters
    ----------
    day : ndarray of datetime64[D], shape (n,)
        Local days.
    model : mapping of str to float
        Parameters of the model: the ``festival_..._days``.

    Raises
    ------
    InputError
        If a day of January to March lies in a year that the table does not have.
    """
    holidays = new_year_days()
    years = np.unique(
        day.astype("datetime64[Y]")[np.isin(day.astype("datetime64[M]").astype(np.int64) % 12 + 1, _MONTHS)]
    )
    missing = [str(year) for year in years if year not in holidays.astype("datetime64[Y]")]
    if missing:
        raise InputError(
            f"spring_festival.csv has no row for {', '.join(missing)}; it holds {holidays[0]} to {holidays[-1]}. "
            "Add the year."
        )
    distance = (day[:, None] - holidays[None, :]).astype(np.float64)
    nearest = distance[np.arange(len(day)), np.abs(distance).argmin(axis=1)]
    corners = (
        -model["festival_rise_days"],
        -model["festival_full_before_days"],
        model["festival_full_after_days"],
        model["festival_end_days"],
    )
    return np.asarray(np.interp(nearest, corners, (0.0, 1.0, 1.0, 0.0)), dtype=np.float64)
