"""Whether the weather of a file can be that of the basin: unit of its temperatures, zone of its times.

A wrong unit or zone gives numbers that are all possible and all wrong, whatever the heading says. Both show against the
normals of the basin station: the months in degrees Fahrenheit are too warm, and the sun of a wrong zone stands in the
south at night.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.weather.series import RawSeries
from gridcheck.demand.weather.typical_winter import monthly_course, winter_statistics
from gridcheck.errors import InputError

# Bounds that no winter on record reaches. A month: January 2008 lay 5 K below the normal course (W3 of
# cold_waves.csv) and a station at 1500 m lies 7.4 K below that of the basin (6.5 K/km): 12.4 K. Single days: the record
# wave of -19 degC (W4) has a coldest day of -14 degC, 13.4 K below the normal January of -0.6 degC; 20.8 K at the same
# height. On the warm side days stray by 9.6 K at most (4 sigma of 2.4 K). Fahrenheit is 31 K too warm in January and
# more in every other month.
_MONTH_K = 15.0
_DAYS_K = 25.0
_FULL_MONTH_DAYS = 20.0
# Solar noon by Beijing time at 111 degrees east: 12:36; the equation of time moves it by a quarter of an hour. Within
# 3 h lies all of China, which has one clock. [h]
_SOLAR_NOON_H = 12.6
_CLOCK_BOUND_H = 3.0
_CHINA_H = 8.0
# A mean day of sun has 0.7 or more, an even one 0: below this it has no noon. [1]
_LEAST_CONCENTRATION = 0.5
# A mean day of temperature below this range has no hour of its own. [K]
_LEAST_RANGE_K = 2.0


def require_credible(series: RawSeries, *, epw: bool) -> RawSeries:
    """Refuse temperatures in another unit and times in another zone than was taken.

    Parameters
    ----------
    series : RawSeries
        As read, before anything is laid, filled or cut.
    epw : bool
        Whether it is an EPW file, which is mended in another place.

    Returns
    -------
    RawSeries
        The same, with a note where the hours of the temperature make the zone doubtful.

    Raises
    ------
    InputError
        Says what was taken as what, what shows that it is wrong, and how to mend it.
    """
    _require_basin(series, epw=epw)
    noon = None if "solar_w_per_m2" not in series.values else _noon_h(series)
    if noon is not None:
        _require_noon(series, noon, epw=epw)
        return series
    doubt = _doubtful_hours(series)
    return replace(series, notes=(*series.notes, doubt)) if doubt else series


def _require_basin(series: RawSeries, *, epw: bool) -> None:
    value = series.values["temperature_c"]
    known = np.isfinite(value)
    time_utc, value = series.time_utc[known], value[known]
    normal = monthly_course(time_utc, winter_statistics().monthly_mean_c)
    months, month = np.unique(local_day(time_utc).astype("datetime64[M]"), return_inverse=True)
    days = np.bincount(month) * _step_h(series.time_utc) / 24.0
    bound = np.where(days >= _FULL_MONTH_DAYS, _MONTH_K, _DAYS_K)
    # Less than a day is no mean: its night may be all of it.
    bound[days < 1.0 - 1e-9] = np.inf
    away = _mean(value - normal, month)
    if not (np.abs(away) > bound).any():
        return
    worst = int(np.argmax(np.abs(away) - bound))
    guess = ""
    for read_c, meant in (
        ((value - 32.0) / 1.8, "degF"),
        (value * 1.8 + 32.0, "degC that were converted as if they were degF"),
    ):
        if not guess and (np.abs(_mean(read_c - normal, month)) <= bound).all():
            guess = f" They look like {meant}: read so, every month fits."
    mend = (
        "An EPW file holds degC in field 7: convert that field, or load the file of this place again."
        if epw
        else "Write the unit of the values into the heading: 'temperature [degC]', 'temperature [degF]' or "
        "'temperature [K]'; if it is right, take the weather of a place nearer by."
    )
    raise InputError(
        f"{series.where}: the temperatures of {months[worst]} have a mean of {_mean(value, month)[worst]:.1f} degC, "
        f"{abs(away[worst]):.0f} K {'above' if away[worst] > 0 else 'below'} the normal "
        f"{_mean(normal, month)[worst]:.1f} degC of the basin; no winter on record strays by more than "
        f"{bound[worst]:g} K.{guess} {mend}"
    )


def _require_noon(series: RawSeries, noon_h: float, *, epw: bool) -> None:
    if abs(_hours_between(noon_h, _SOLAR_NOON_H)) <= _CLOCK_BOUND_H:
        return
    guess = ""
    for shift_h, meant in ((_CHINA_H, "UTC"), (-_CHINA_H, "Beijing time (UTC+8)")):
        if abs(_hours_between(noon_h + shift_h, _SOLAR_NOON_H)) <= _CLOCK_BOUND_H / 2.0:
            guess = f" The times look like {meant}."
    mend = (
        "Write the hours that its times are ahead of UTC into field 9 of line 1 (8 for Beijing time)."
        if epw
        else "Name the zone in the heading, 'time (UTC)' or 'time (Asia/Shanghai)', or write the offset behind every "
        "time, '2021-01-05T08:00+08:00'."
    )
    raise InputError(
        f"{series.where}: the zone of the times is wrong. Taken was: {series.notes[0]}. So the middle of the sun comes "
        f"at {_clock(noon_h)} Beijing time; in Yuncheng it is at {_clock(_SOLAR_NOON_H)}.{guess} {mend}"
    )


def _noon_h(series: RawSeries) -> float | None:
    r"""Return the centre of the mean day's sun by local clock, or None where it has none.

    Notes
    -----
    The day is a circle, so that a sun that shines over midnight has a centre too:

    .. math:: h = \tfrac{24}{2\pi} \arg \sum_k G_k e^{2\pi i h_k / 24}
    """
    day = _mean_day(series, "solar_w_per_m2")
    if day is None or not day.any():
        return None
    middle = np.sum(np.maximum(day, 0.0) * np.exp(2j * np.pi * (np.arange(24) + 0.5) / 24.0))
    if abs(middle) < _LEAST_CONCENTRATION * np.maximum(day, 0.0).sum():
        return None
    return float(np.angle(middle) * 24.0 / (2.0 * np.pi) % 24.0)


def _doubtful_hours(series: RawSeries) -> str:
    day = _mean_day(series, "temperature_c")
    if day is None or np.ptp(day) < _LEAST_RANGE_K:
        return ""
    statistics = winter_statistics()
    coldest, warmest = float(day.argmin()), float(day.argmax())
    off = (
        _hours_between(coldest, statistics.coldest_hour),
        _hours_between(warmest, statistics.warmest_hour),
    )
    if min(abs(off[0]), abs(off[1])) <= _CLOCK_BOUND_H:
        return ""
    return (
        f"CHECK THE ZONE OF THE TIMES: the mean day is coldest at {_clock(coldest)} and warmest at {_clock(warmest)} "
        f"Beijing time, in Yuncheng at {_clock(statistics.coldest_hour)} and {_clock(statistics.warmest_hour)}"
    )


def _mean_day(series: RawSeries, quantity: str) -> FloatArray | None:
    """Return the mean of each local hour, shape (24,); None where some hour has no value or no day is whole."""
    value = series.values[quantity]
    known = np.isfinite(value)
    hour = local_hour(series.time_utc[known]).astype(np.int64)
    count = np.bincount(hour, minlength=24)
    if not count.all():
        return None
    return np.asarray(np.bincount(hour, weights=value[known], minlength=24) / count)


def _mean(value: FloatArray, group: IntArray) -> FloatArray:
    return np.asarray(np.bincount(group, weights=value) / np.bincount(group))


def _step_h(time_utc: TimeArray) -> float:
    return float(np.median(np.abs(np.diff(time_utc) / np.timedelta64(1, "h")))) if len(time_utc) > 1 else 1.0


def _hours_between(first_h: float, second_h: float) -> float:
    """Return the way from the second to the first hour of a clock, in [-12, 12). [h]"""
    return (first_h - second_h + 12.0) % 24.0 - 12.0


def _clock(hour: float) -> str:
    minutes = round(hour * 60.0) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
