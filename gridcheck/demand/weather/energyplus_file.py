"""Weather from an EnergyPlus file (EPW): eight lines of heading, then one line an hour or finer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.demand.weather.series import RawSeries, first_rows, name_of, require_possible
from gridcheck.errors import SchemaError

_HEADING_LINES = 8
# Position of the field, and the value from which on it is missing (EnergyPlus, Auxiliary Programs).
_FIELDS = {"temperature_c": (6, 99.9), "humidity_percent": (8, 999.0), "solar_w_per_m2": (13, 9999.0)}
_LEAST_FIELDS = 14
_MEND = (
    "An EPW file holds degC, % and W/m2: convert the field (degF by (t - 32) / 1.8, kelvin by t - 273.15), or load the "
    "file again."
)
_LARGEST_TIME_FIELD = 2200
_RECORDS_PER_HOUR = (1, 2, 4, 6)


def is_energyplus(text: str) -> bool:
    """Return whether a text begins as an EnergyPlus weather file does."""
    return text.lstrip()[:9].upper() == "LOCATION,"


def energyplus_series(text: str, *, where: str) -> RawSeries:
    """Read an EnergyPlus weather file.

    Parameters
    ----------
    text : str
        Text of the file.
    where : str
        Its name for messages.

    Returns
    -------
    RawSeries
        Times in the order of the file, which in a typical year go back from month to month.

    Raises
    ------
    SchemaError
        If heading or lines are not those of an EnergyPlus file.

    Notes
    -----
    Hour 1 is the interval from 00:00 to 01:00 in the standard time of the place, which the first line gives as hours
    ahead of UTC. Temperature at the end of the hour and mean of the hour are not told apart.
    """
    lines = text.lstrip().splitlines()
    ahead_h, height_m, per_hour = _heading(lines, where)
    rows = [(number, line) for number, line in enumerate(lines, start=1) if number > _HEADING_LINES and line.strip()]
    # The fields of the data lines are never quoted.
    cells = [line.split(",") for _, line in rows]
    row = np.array([number for number, _ in rows], dtype=np.int64)
    short = [
        f"row {number}: {len(cell)} fields"
        for number, cell in zip(row, cells, strict=True)
        if len(cell) < _LEAST_FIELDS
    ]
    if short or len(cells) < 2:
        raise SchemaError(
            f"{where}: below the {_HEADING_LINES} lines of heading an EPW file has lines of 35 fields. Load it again.",
            first_rows(short),
        )
    table = pd.DataFrame([cell[:_LEAST_FIELDS] for cell in cells], dtype=str)
    time_utc = _times(table, row, per_hour, where) - np.timedelta64(round(ahead_h * 60), "m")
    values: dict[str, FloatArray] = {}
    notes = [
        f"EPW file of a place at {height_m:g} m; hours of its standard time, {ahead_h:+g} h from UTC",
        "hour 1 is the interval from 00:00 to 01:00",
    ]
    repairs = []
    for quantity, (field, missing_from) in _FIELDS.items():
        value = _numbers(table[field], row, where, quantity)
        missing = value >= missing_from - 1e-6
        value[missing] = np.nan
        if missing.all():
            notes.append(f"{name_of(quantity)} is missing everywhere")
            continue
        if missing.any():
            repairs.append(
                f"{name_of(quantity)}: {int(missing.sum())} values are missing by the marker {missing_from:g}"
            )
        column = f"field {field + 1}, {name_of(quantity)}"
        require_possible(value, row, quantity, where=where, column=column, mend=_MEND)
        values[quantity] = value
    if "temperature_c" not in values:
        raise SchemaError(f"{where} holds no temperature. Load another file.")
    return RawSeries(
        where=where,
        time_utc=time_utc,
        row=row,
        values=values,
        notes=tuple(notes),
        repairs=tuple(repairs),
        height_m=height_m,
    )


def _heading(lines: list[str], where: str) -> tuple[float, float, int]:
    """Return hours ahead of UTC, height [m] and records per hour."""
    try:
        place = lines[0].split(",")
        ahead_h, height_m = float(place[8]), float(place[9])
        period = lines[_HEADING_LINES - 1].split(",")
        per_hour = int(period[2])
        sound = period[0].strip().upper() == "DATA PERIODS" and -12 <= ahead_h <= 14 and per_hour in _RECORDS_PER_HOUR
    except (IndexError, ValueError):
        sound = False
    if not sound:
        raise SchemaError(
            f"{where} begins as an EPW file, but line 1 must be LOCATION with time zone and height in fields 9 and "
            f"10, and line {_HEADING_LINES} DATA PERIODS with {', '.join(map(str, _RECORDS_PER_HOUR))} records an "
            "hour. Load it again."
        )
    return ahead_h, height_m, per_hour


def _times(table: pd.DataFrame, row: IntArray, per_hour: int, where: str) -> TimeArray:
    """Return the start of each interval in the standard time of the place."""
    part = table[[0, 1, 2, 3, 4]].apply(pd.to_numeric, errors="coerce")
    part.columns = pd.Index(["year", "month", "day", "hour", "minute"])
    # Out of range becomes missing, so that the calendar sees no impossible number.
    part = part.where((part >= 0) & (part <= _LARGEST_TIME_FIELD))
    dates = pd.to_datetime(part[["year", "month", "day"]], errors="coerce")
    hour, minute = part["hour"].to_numpy(np.float64), part["minute"].to_numpy(np.float64)
    sound = dates.notna().to_numpy() & (hour >= 1) & (hour <= 24) & (minute >= 0) & (minute <= 60)
    if not sound.all():
        raise SchemaError(
            f"{where}: fields 1 to 5 must be year, month, day, hour 1 to 24 and minute.",
            first_rows(
                [f"row {row[at]}: {','.join(map(str, table.iloc[int(at), :5]))}" for at in np.flatnonzero(~sound)]
            ),
        )
    # Hourly files write minute 0 or 60 and mean the same; finer ones write the end of the interval.
    end_min = hour * 60.0 if per_hour == 1 else (hour - 1.0) * 60.0 + minute
    start_min = (end_min - 60.0 / per_hour).astype(np.int64)
    return np.asarray(dates.to_numpy("datetime64[ns]") + start_min * np.timedelta64(1, "m"))


def _numbers(cells: pd.Series[str], row: IntArray, where: str, quantity: str) -> FloatArray:
    value = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, copy=True)
    wrong = np.flatnonzero(~np.isfinite(value))
    if len(wrong):
        raise SchemaError(
            f"{where}: {name_of(quantity)} must be a number in every line.",
            first_rows([f"row {row[at]}: {cells.iloc[at][:40]!r}" for at in wrong]),
        )
    return value
