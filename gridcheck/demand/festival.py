"""Spring Festival: when the migrants are back and base load is at its highest of the winter."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from borax.calendars.lunardate import LunarDate

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.errors import InputError

FIRST_YEAR, LAST_YEAR = 1950, 2090
"""Years whose New Year's Day is held against the moon in the tests."""

# New Year's Day lies between 21 January and 20 February; no festival reaches into other months.
_MONTHS = (1, 2, 3)


@functools.cache
def new_year_days() -> TimeArray:
    """Return New Year's Day of the Chinese calendar, `FIRST_YEAR` to `LAST_YEAR`, datetime64[D], shape (n_year,)."""
    days = np.array(
        [LunarDate(year, 1, 1).to_solar_date() for year in range(FIRST_YEAR, LAST_YEAR + 1)], dtype="datetime64[D]"
    )
    days.flags.writeable = False
    return days


def days_from_new_year(day: TimeArray) -> FloatArray:
    """Return the days from the nearest New Year's Day, negative before it, shape (n,). [d]

    Parameters
    ----------
    day : ndarray of datetime64[D], shape (n,)
        Local days.

    Raises
    ------
    InputError
        If a day of January to March lies in a year outside `FIRST_YEAR` to `LAST_YEAR`.
    """
    holidays = new_year_days()
    days, place = np.unique(day, return_inverse=True)
    winter = np.isin(days.astype("datetime64[M]").astype(np.int64) % 12 + 1, _MONTHS)
    years = np.unique(days[winter].astype("datetime64[Y]"))
    unknown = [str(year) for year in years if year not in holidays.astype("datetime64[Y]")]
    if unknown:
        raise InputError(
            f"Spring Festival of {', '.join(unknown)} is not known, only {FIRST_YEAR} to {LAST_YEAR}. "
            "Move the study into these years."
        )
    distance = (days[:, None] - holidays[None, :]).astype(np.float64)
    return np.asarray(distance[np.arange(len(days)), np.abs(distance).argmin(axis=1)][place])


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
        If a day of January to March lies in a year outside `FIRST_YEAR` to `LAST_YEAR`.
    """
    corners = (
        -model["festival_rise_days"],
        -model["festival_full_before_days"],
        model["festival_full_after_days"],
        model["festival_end_days"],
    )
    return np.asarray(np.interp(days_from_new_year(day), corners, (0.0, 1.0, 1.0, 0.0)), dtype=np.float64)
