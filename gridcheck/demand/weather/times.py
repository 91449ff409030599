"""Times of weather files: written with the year first, with an offset or without, in UTC inside."""

from __future__ import annotations

import calendar
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, IntArray, TimeArray
from gridcheck.demand.weather.series import first_rows, local_text
from gridcheck.errors import ConfigError, SchemaError

LOCAL_ZONE = "Asia/Shanghai"

_CHINA = np.timedelta64(8, "h")

# Year first, because 01/02/2026 has two readings. 24:00 is the end of its day.
_WRITTEN = (
    r"^\s*(?P<year>\d{4})(?:[-/.年]\s?(?P<month>\d{1,2})[-/.月]\s?(?P<day>\d{1,2})日?|(?P<compact>\d{4}))"
    r"(?:[T\s]*(?P<hour>\d{1,2})(?:[:时点]?(?P<minute>\d{2})(?:[:分](?P<second>\d{2})(?:\.0*)?秒?)?分?|[时点])?)?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?\s*$"
)


def times_of_text(cells: pd.Series[str], *, time_zone: str, where: str) -> tuple[TimeArray, str, bool]:
    """Return the UTC times of a column of text, and how they were read.

    Parameters
    ----------
    cells : Series of str
        Times as written, for example ``2026-01-20 08:00``, ``2026/1/20 8:00``, ``2026年1月20日8时``,
        ``2026-01-20T08:00+08:00`` or ``2026012008``.
    time_zone : str
        Zone of times without an offset.
    where : str
        Name of the file for messages.

    Returns
    -------
    time_utc : ndarray of datetime64[ns], shape (n,)
        In the order of the file.
    note : str
        How they were read.
    is_end : bool
        Whether each names the end of its interval: hours run from 1 to 24, so 24:00 occurs and 00:00 does not.

    Raises
    ------
    ConfigError
        If there is no such time zone.
    SchemaError
        If a cell is no time, offsets are mixed, or a local time does not exist.
    """
    part = cells.str.extract(_WRITTEN).astype(object)
    compact = part["compact"].astype("string")
    year = part["year"].astype("float64")
    month = part["month"].where(compact.isna(), compact.str[:2]).astype("float64")
    day = part["day"].where(compact.isna(), compact.str[2:]).astype("float64")
    clock = [part[name].astype("float64").fillna(0.0).to_numpy() for name in ("hour", "minute", "second")]
    dates = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": day}), errors="coerce")
    seconds = clock[0] * 3600.0 + clock[1] * 60.0 + clock[2]
    wrong = dates.isna().to_numpy() | (seconds > 86400.0) | (clock[1] > 59.0) | (clock[2] > 59.0)
    _refuse(cells, wrong, f"{where}: these are no times; write the year first, for example 2026-01-20 08:00.")
    local = dates.to_numpy("datetime64[ns]") + seconds.astype(np.int64) * np.timedelta64(1, "s")
    offset = part["offset"].fillna("").str.replace("Z", "+00:00").str.replace(":", "")
    other = offset.ne(offset.iloc[0]).to_numpy()
    _refuse(cells, other, f"{where}: offsets are mixed; row 2 has {offset.iloc[0] or 'none'}. Write one for all rows.")
    is_end = bool((seconds == 86400.0).any() and not (seconds == 0.0).any())
    if offset.iloc[0]:
        note = f"times carry the offset {offset.iloc[0]} and were converted to UTC"
        return local - _offset(offset.iloc[0]), note, is_end
    return _from_zone(local, time_zone, where), f"times carry no offset and were read as {time_zone}", is_end


def require_order(time_utc: TimeArray, row: IntArray, *, where: str) -> None:
    """Refuse times that go back or repeat.

    Raises
    ------
    SchemaError
        Naming the rows.
    """
    step = np.diff(time_utc)
    back = np.flatnonzero(step <= np.timedelta64(0, "ns"))
    findings = [
        f"row {row[at + 1]}: {'repeats' if step[at] == np.timedelta64(0, 'ns') else 'goes back from'} row {row[at]}, "
        f"{local_text(time_utc[at])}"
        for at in back
    ]
    if findings and not step[back].any():
        raise SchemaError(
            f"{where}: {len(findings)} {'time stands' if len(findings) == 1 else 'times stand'} twice, first in row "
            f"{row[back[0] + 1]}. Keep one row of each time, the right one where their values differ.",
            first_rows(findings),
        )
    if findings:
        raise SchemaError(
            f"{where}: times must rise from row to row. Sort the rows and take out what stands twice. A "
            "typical year of mixed years is read as an EPW file; in a table write one winter's years, from July to "
            "June (in Python: read_weather with typical=True).",
            first_rows(findings),
        )


def laid_in_winter(time_utc: TimeArray, start: date) -> tuple[TimeArray, IntArray, bool]:
    """Lay a typical year into the twelve months from July around a study, so that its winter is in one piece.

    Parameters
    ----------
    time_utc : ndarray of datetime64[ns], shape (n,)
        Times of a typical year, its months from different years.
    start : date
        First day of the study.

    Returns
    -------
    time_utc : ndarray of datetime64[ns], shape (m,)
        New times, rising unless something stands twice in the file.
    position : ndarray of int, shape (m,)
        Where each lies in the given times.
    leap_day_changed : bool
        Whether 28 February was repeated for a 29th, or a 29th left out.
    """
    local = time_utc + _CHINA
    month_start = local.astype("datetime64[M]")
    month = month_start.astype(np.int64) % 12
    first_year = start.year if start.month >= 7 else start.year - 1
    target = np.datetime64(f"{first_year}-01", "M") + np.where(month >= 6, month, month + 12)
    new = target.astype("datetime64[ns]") + (local - month_start.astype("datetime64[ns]"))
    position = np.arange(len(new))
    day = (local.astype("datetime64[D]") - month_start.astype("datetime64[D]")).astype(np.int64) + 1
    leap_day = (month == 1) & (day == 29)
    has_leap_day = calendar.isleap(first_year + 1)
    changed = False
    if leap_day.any() and not has_leap_day:
        new, position, changed = new[~leap_day], position[~leap_day], True
    elif has_leap_day and not leap_day.any():
        eve = position[(month == 1) & (day == 28)]
        new = np.concatenate([new, new[eve] + np.timedelta64(1, "D")])
        position, changed = np.concatenate([position, eve]), len(eve) > 0
    order = np.argsort(new, kind="stable")
    return new[order] - _CHINA, position[order], changed


def _from_zone(local: TimeArray, time_zone: str, where: str) -> TimeArray:
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"time_zone {time_zone!r} is not known. Write it like Asia/Shanghai or UTC.") from error
    try:
        aware = pd.DatetimeIndex(local).tz_localize(zone, ambiguous="raise", nonexistent="raise")
    except Exception as error:  # pandas raises those of pytz, which is not ours to import
        raise SchemaError(
            f"{where}: a time does not exist or stands for two moments in {time_zone}, because clocks were changed: "
            f"{error}. Write the offset behind every time, or give a zone without summer time."
        ) from error
    return np.asarray(aware.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[ns]"))


def _offset(text: str) -> np.timedelta64:
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return np.timedelta64(minutes if text[0] == "+" else -minutes, "m")


def _refuse(cells: pd.Series[str], wrong: BoolArray, message: str) -> None:
    if wrong.any():
        raise SchemaError(
            message, first_rows([f"row {at + 2}: {cells.iloc[at][:40]!r}" for at in np.flatnonzero(wrong)])
        )
