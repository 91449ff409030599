"""What a reading is: its quantities, its place in the day, and how local labels become intervals in UTC.

A day has 96 points in Asia/Shanghai (UTC+8, no summer time). Point 1 is the interval from 00:00 to 00:15 and is
labelled by its start; its position is 0. Meter systems that label an interval by its end write 00:15 for point 1
and 24:00 (or 00:00 of the next day) for point 96; `TimeLabel` says which of the two a file means.
"""

from __future__ import annotations

import datetime as dt
from enum import IntFlag, StrEnum

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import TimeArray
from gridcheck.units import POINTS_PER_DAY

QUANTITIES = ("p_kw", "q_kvar", "voltage_a_v", "voltage_b_v", "voltage_c_v", "voltage_v")
"""Columns of a reading: power of the area [kW], [kvar], voltages phase to neutral, the last of an unnamed phase [V]."""

POINT_MINUTES = 15
LOCAL_UTC_OFFSET = np.timedelta64(8, "h")
_POINT_NS = np.timedelta64(POINT_MINUTES * 60 * 10**9, "ns")


class Measured(IntFlag):
    """Which quantities of a reading were measured; the bit of a quantity is its place in `QUANTITIES`.

    A quantity whose bit is not set was not measured. Its value is null in the store and NaN in a table, never 0.
    """

    P = 1
    Q = 2
    VOLTAGE_A = 4
    VOLTAGE_B = 8
    VOLTAGE_C = 16
    VOLTAGE = 32


class TimeLabel(StrEnum):
    """What a time in a file marks: the start or the end of its interval, or find out."""

    AUTO = "auto"
    START = "start"
    END = "end"


def day_number(day: dt.date) -> int:
    """Return the number of a local day, counted from 1970-01-01.

    Examples
    --------
    >>> day_number(dt.date(1970, 1, 2))
    1
    """
    return day.toordinal() - dt.date(1970, 1, 1).toordinal()


def day_of(number: int) -> dt.date:
    """Return the local day with this number, the inverse of `day_number`."""
    return dt.date.fromordinal(number + dt.date(1970, 1, 1).toordinal())


def interval_start_utc(day: npt.ArrayLike, slot: npt.ArrayLike) -> TimeArray:
    """Return the start of intervals, given local days and positions in the day.

    Parameters
    ----------
    day : array_like of int, shape (n,)
        Local day numbers.
    slot : array_like of int, shape (n,)
        Position in the day, 0 to 95; other numbers reach into the neighbouring days.

    Returns
    -------
    ndarray of datetime64[ns], shape (n,)
        Start of each interval in UTC.

    Examples
    --------
    >>> str(interval_start_utc([day_number(dt.date(2025, 12, 3))], [0])[0])
    '2025-12-02T16:00:00.000000000'
    """
    midnight: TimeArray = np.asarray(day, dtype=np.int64).astype("datetime64[D]").astype("datetime64[ns]")
    since_midnight = np.asarray(slot, dtype=np.int64) * _POINT_NS - LOCAL_UTC_OFFSET
    start: TimeArray = midnight + since_midnight
    return start


def local_day_and_slot(time_utc: TimeArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return local day numbers and positions in the day, the inverse of `interval_start_utc`.

    Parameters
    ----------
    time_utc : ndarray of datetime64, shape (n,)
        Times in UTC; a time inside an interval belongs to that interval.
    """
    since_1970 = time_utc.astype("datetime64[ns]").astype(np.int64) + LOCAL_UTC_OFFSET // np.timedelta64(1, "ns")
    number = since_1970 // (_POINT_NS // np.timedelta64(1, "ns"))
    return number // POINTS_PER_DAY, number % POINTS_PER_DAY
