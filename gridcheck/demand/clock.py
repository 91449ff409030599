"""Local time of Yuncheng. Inside the package time is UTC; behaviour, tariff and calendar follow the local clock."""

from __future__ import annotations

from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray

# China has one time zone and no daylight saving (Asia/Shanghai, UTC+8 since 1991).
_LOCAL_MINUS_UTC = np.timedelta64(8, "h")
_HOUR = np.timedelta64(1, "h").astype("timedelta64[ns]").astype(np.int64)


def local_midnight_utc(day: date) -> np.datetime64:
    """Return the UTC time at which a local day begins.

    Examples
    --------
    >>> local_midnight_utc(date(2026, 1, 20))
    np.datetime64('2026-01-19T16:00:00.000000000')
    """
    return np.datetime64(day, "ns") - _LOCAL_MINUS_UTC


def local_day(time_utc: TimeArray) -> TimeArray:
    """Return the local calendar day of each time, dtype datetime64[D], shape (n,)."""
    return np.asarray((time_utc + _LOCAL_MINUS_UTC).astype("datetime64[D]"))


def local_hour(time_utc: TimeArray) -> FloatArray:
    """Return the local hour of day of each time, in [0, 24), shape (n,). [h]

    Examples
    --------
    >>> local_hour(np.array(["2026-01-19T16:15"], dtype="datetime64[ns]"))
    array([0.25])
    """
    local = time_utc + _LOCAL_MINUS_UTC
    return np.asarray((local - local.astype("datetime64[D]")).astype(np.int64) / _HOUR, dtype=np.float64)
