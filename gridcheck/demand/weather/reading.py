"""Weather from a file of the user, with a list of what was taken as what and of what was repaired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from gridcheck.demand.clock import local_day, local_midnight_utc
from gridcheck.demand.weather.credible import require_credible
from gridcheck.demand.weather.energyplus_file import energyplus_series, is_energyplus
from gridcheck.demand.weather.even_steps import on_quarters, without_gaps
from gridcheck.demand.weather.instruments import require_sound
from gridcheck.demand.weather.record import WARM_UP_DAYS, Weather
from gridcheck.demand.weather.series import RawSeries
from gridcheck.demand.weather.table_file import table_series
from gridcheck.demand.weather.text_files import decoded_text
from gridcheck.demand.weather.times import LOCAL_ZONE, laid_in_winter, require_order
from gridcheck.errors import InputError

_DAY_STEPS = 96
_LONGEST_MONTH = np.timedelta64(31, "D")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherReading:
    """Weather of a file, and how it came about.

    Attributes
    ----------
    weather : Weather
        Steps of 15 min.
    notes : tuple of str
        What was taken as what: columns, units, time zone, what the file does not have.
    repairs : tuple of str
        What was changed or filled, with counts; empty where nothing was.
    first_day, last_day : date
        First and last local day of the whole file, once a typical year is laid into its winter.
    height_m : float or None
        Height of the place, where the file says it, as an EPW file does. [m]
    """

    weather: Weather
    notes: tuple[str, ...]
    repairs: tuple[str, ...]
    first_day: date
    last_day: date
    height_m: float | None


def read_weather(
    path: str | Path,
    *,
    county_code: str,
    start: date | None = None,
    days: int | None = None,
    time_zone: str = LOCAL_ZONE,
    longest_gap_h: float = 3.0,
    typical: bool | None = None,
) -> WeatherReading:
    """Read an EPW or CSV file of hourly, 30-, 15- or 10-minute values.

    Parameters
    ----------
    path : str or Path
        File; an EPW file is known by its first line. A CSV file has one heading row in Chinese or English, for example
        ``时间,气温(℃),相对湿度(%),总辐射(W/m2)``.
    county_code : str
        County that the weather stands for.
    start : date, optional
        First local day of the study window; by default the whole file is the window.
    days : int, optional
        Length of the window; by default to the end of the file. [d]
    time_zone : str
        Zone of times without an offset.
    longest_gap_h : float
        Longest gap that is filled by straight lines; a longer one is an error. [h]
    typical : bool, optional
        Whether the file is a typical year, to be laid into the winter of `start`; by default an EPW file is one if its
        years are mixed, and a CSV file is none.

    Returns
    -------
    WeatherReading
        The weather from at most `WARM_UP_DAYS` before the window to its end.

    Raises
    ------
    InputError
        If the file cannot be read, does not hold the window, or shows by its months, its sun or its humidity that a
        unit or the zone of its times is not what was taken.
    SchemaError
        If columns, units, times or values are not clear, the temperature jumps, the file holds several winters, or a
        gap is too long.
    """
    file = Path(path)
    text, encoding = decoded_text(file)
    epw = is_energyplus(text)
    where = str(file)
    series = energyplus_series(text, where=where) if epw else table_series(text, where=where, time_zone=time_zone)
    if encoding != "utf-8-sig":
        series = replace(series, notes=(*series.notes, f"the file is written in {encoding}"))
    series = require_credible(require_sound(series, epw=epw), epw=epw)
    lay = (epw and _mixed_years(series)) if typical is None else typical
    if lay:
        series = _laid(series, start)
    require_order(series.time_utc, series.row, where=where)
    series = on_quarters(without_gaps(series, longest_gap_h=longest_gap_h))
    series = _within_bounds(series)
    kept, study, notes = _window(series, start, days)
    for quantity, meaning in (
        ("solar_w_per_m2", "irradiance is not in the file and is taken as zero, which is on the safe side"),
        ("humidity_percent", "humidity is not in the file and is taken as the normal one of the season"),
    ):
        if quantity not in series.values:
            notes.append(meaning)
    weather = Weather(
        county_code=county_code,
        time_utc=series.time_utc[kept],
        label=f"{file.name}, typical year" if lay else file.name,
        synthetic=False,
        study=study,
        **{name: value[kept] for name, value in series.values.items()},
    )
    first_day, last_day = local_day(series.time_utc[[0, -1]]).tolist()
    return WeatherReading(
        weather=weather,
        notes=(*series.notes, *notes),
        repairs=series.repairs,
        first_day=first_day,
        last_day=last_day,
        height_m=series.height_m,
    )


def _mixed_years(series: RawSeries) -> bool:
    """Return whether the months follow each other as in a calendar and the years do not."""
    step = np.diff(series.time_utc)
    return bool(((step <= np.timedelta64(0, "ns")) | (step > _LONGEST_MONTH)).any())


def _laid(series: RawSeries, start: date | None) -> RawSeries:
    """Lay a typical year into the winter of the study."""
    if start is None:
        raise InputError(
            f"{series.where} is a typical year, its months from different years. Give the first day of the study "
            "window (start), so that it can be laid into that winter."
        )
    time_utc, position, leap_day = laid_in_winter(series.time_utc, start)
    first = start.year if start.month >= 7 else start.year - 1
    notes = [*series.notes, f"a typical year, laid into July {first} to June {first + 1}"]
    if leap_day:
        notes.append("29 February was left out, or 28 February repeated for it, to fit that winter")
    values = {name: value[position] for name, value in series.values.items()}
    return replace(series, time_utc=time_utc, row=series.row[position], notes=tuple(notes), values=values)


def _within_bounds(series: RawSeries) -> RawSeries:
    """Cut what instruments show beyond the possible: sun below zero at night, humidity above 100 %."""
    repairs, values = list(series.repairs), dict(series.values)
    for quantity, name, low, high in (
        ("solar_w_per_m2", "irradiance", 0.0, np.inf),
        ("humidity_percent", "humidity", 0.0, 100.0),
    ):
        value = values.get(quantity)
        if value is not None and ((value < low) | (value > high)).any():
            count = int(((value < low) | (value > high)).sum())
            repairs.append(
                f"{name}: {count} quarters of an hour outside [{low:g}, {high:g}] were set to the nearest bound"
            )
            values[quantity] = np.clip(value, low, high)
    return replace(series, values=values, repairs=tuple(repairs))


def _window(series: RawSeries, start: date | None, days: int | None) -> tuple[slice, slice, list[str]]:
    """Return what is kept of the series, the study window within it, and notes."""
    time_utc = series.time_utc
    if start is None:
        if days is not None:
            raise InputError(f"{series.where}: days without start does not say which. Give the first day (start) too.")
        return slice(0, len(time_utc)), slice(0, len(time_utc)), ["the whole file is the study window, without warm-up"]
    first = int(np.searchsorted(time_utc, local_midnight_utc(start)))
    length = len(time_utc) - first if days is None else days * _DAY_STEPS
    begins = first < len(time_utc) and time_utc[first] == local_midnight_utc(start)
    if not begins or length < 1 or first + length > len(time_utc):
        held = local_day(time_utc[[0, -1]])
        asked = f"{days} days from {start}" if days is not None else f"{start}"
        raise InputError(
            f"{series.where} holds {held[0]} to {held[1]}, the study asks for {asked}. Move the study window."
        )
    before = min(first, WARM_UP_DAYS * _DAY_STEPS)
    notes = []
    if before < WARM_UP_DAYS * _DAY_STEPS:
        notes.append(f"only {before / _DAY_STEPS:.1f} of {WARM_UP_DAYS} days of warm-up lie before the study window")
    return slice(first - before, first + length), slice(before, before + length), notes
