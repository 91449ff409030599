"""Weather drawn by gridcheck: the typical winter of a station, or of a county with a cold wave laid over it.

No hourly series of Yuncheng may be shipped, so the winter is drawn from published statistics and says synthetic in its
label. The day-to-day course is the same for all counties of one seed, because weather is regional: counties differ
by climate and height only.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.demand.clock import local_hour, local_midnight_utc
from gridcheck.demand.weather.cold_waves import cold_wave, mixed_with_wave
from gridcheck.demand.weather.record import STEP_MINUTES, WARM_UP_DAYS, Weather
from gridcheck.demand.weather.typical_winter import (
    PLACE_OF_STATION,
    WinterStatistics,
    county_offset_k,
    diurnal_shape,
    monthly_course,
    solar_course,
    typical_days,
    winter_statistics,
)
from gridcheck.errors import InputError


def scenario_weather(county_code: str, *, start: date, days: int = 5, wave: str = "none", seed: int) -> Weather:
    """Draw the typical winter of a county around a study window and lay a cold wave over it.

    Parameters
    ----------
    county_code : str
        Six-digit code of a county.
    start : date
        First local day of the study window.
    days : int
        Length of the window, 1 to 366. [d]
    wave : str
        ``"none"`` or the name of a template: W1 fast, W2 long, W3 wet, W4 record.
    seed : int
        Seed of the day-to-day course; not negative.

    Returns
    -------
    Weather
        Steps of 15 min, `WARM_UP_DAYS` before the window, labelled synthetic.

    Raises
    ------
    InputError
        If the county is unknown, or `days` or `seed` is out of range.
    ConfigError
        If there is no such wave.

    Notes
    -----
    During a wave the random course is replaced by a fixed typical day that falls to the template, so a wave reaches its
    minimum whatever the seed, at 08:00 local time of the fourth day of a five-day window (of the first of a
    one-day window). The minimum is an absolute temperature at the basin station and moves with the county's offset; W3
    has none and lies 5 K below the course of the season. With ``"none"`` the winter is a typical one and holds no
    design event.
    """
    template = None if wave == "none" else cold_wave(wave)
    time_utc, study = _window(start, days, seed)
    offset_by_month = county_offset_k(county_code)
    temperature_c, solar, humidity = _background(time_utc, winter_statistics(), seed=seed)
    if template is not None:
        coldest = local_midnight_utc(start) + np.timedelta64(coldest_day(days), "D")
        mixed = mixed_with_wave(time_utc, temperature_c, template, coldest_day=coldest)
        temperature_c = mixed.temperature_c
        solar = solar * (1.0 - mixed.weight * (1.0 - template.solar_factor))
        humidity = humidity + mixed.weight * (template.humidity_percent - humidity)
    name = "typical winter" if template is None else f"typical winter with {template.label_en} ({template.wave})"
    return Weather(
        county_code=county_code,
        time_utc=time_utc,
        temperature_c=temperature_c + monthly_course(time_utc, offset_by_month),
        label=f"synthetic: {name}, seed {seed}",
        synthetic=True,
        study=study,
        solar_w_per_m2=solar,
        humidity_percent=humidity,
    )


def typical_weather(station: str = "yuncheng", *, start: date, days: int, seed: int) -> Weather:
    """Draw the typical winter of a station, at the station itself and without any wave.

    Parameters
    ----------
    station : str
        ``"yuncheng"``, or ``"beijing"`` for comparison with the field study there.
    start : date
        First local day of the study window.
    days : int
        Length of the window, 1 to 366. [d]
    seed : int
        Seed of the day-to-day course; not negative.

    Returns
    -------
    Weather
        Steps of 15 min, `WARM_UP_DAYS` before the window, labelled synthetic.

    Raises
    ------
    ConfigError
        If there are no statistics of the station.
    InputError
        If `days` or `seed` is out of range.
    """
    statistics = winter_statistics(station)
    time_utc, study = _window(start, days, seed)
    temperature_c, solar, humidity = _background(time_utc, statistics, seed=seed)
    return Weather(
        county_code=PLACE_OF_STATION[station],
        time_utc=time_utc,
        temperature_c=temperature_c,
        label=f"synthetic: typical winter of {station.capitalize()}, seed {seed}",
        synthetic=True,
        study=study,
        solar_w_per_m2=solar,
        humidity_percent=humidity,
    )


def coldest_day(days: int) -> int:
    """Return which day of a window holds a wave's minimum, counted from 0: its fall lies inside a five-day window."""
    return days * 3 // 5


def _window(start: date, days: int, seed: int) -> tuple[TimeArray, slice]:
    """Return the times of warm-up and study window, and where the window lies in them."""
    if not 1 <= days <= 366:
        raise InputError(f"days must be in [1, 366]. Got {days}.")
    if seed < 0:
        raise InputError(f"seed must not be negative. Got {seed}.")
    steps = np.arange((WARM_UP_DAYS + days) * 24 * 60 // STEP_MINUTES)
    first = local_midnight_utc(start) - np.timedelta64(WARM_UP_DAYS, "D")
    return first + steps * np.timedelta64(STEP_MINUTES, "m"), slice(WARM_UP_DAYS * 24 * 60 // STEP_MINUTES, len(steps))


def _background(
    time_utc: TimeArray, statistics: WinterStatistics, *, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return temperature [degC], irradiance [W/m2] and humidity [%] of the typical winter at the station."""
    anomaly_k, range_k = typical_days(time_utc, statistics, seed=seed)
    course = monthly_course(time_utc, statistics.monthly_mean_c)
    temperature_c = course + anomaly_k + range_k * diurnal_shape(local_hour(time_utc), statistics)
    return temperature_c, solar_course(time_utc, statistics), np.full(len(time_utc), statistics.humidity_percent)
