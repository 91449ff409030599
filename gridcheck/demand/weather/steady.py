"""Weather made for a question: days that are all alike, and the same weather minute by minute."""

from __future__ import annotations

from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.demand.clock import local_hour, local_midnight_utc
from gridcheck.demand.weather.record import STEP_MINUTES, WARM_UP_DAYS, Weather
from gridcheck.demand.weather.typical_winter import diurnal_shape, solar_course, winter_statistics
from gridcheck.errors import InputError

_SOME_DAY = date(2025, 12, 10)


def steady_days(daily_mean_c: float, *, days: int = 1, range_k: float | None = None, day: date = _SOME_DAY) -> Weather:
    """Return equal days of a mean temperature: those of the warm-up, and the study window.

    Parameters
    ----------
    daily_mean_c : float
        Mean of each day. [degC]
    days : int
        Days of the study window.
    range_k : float, optional
        Daily range; the mean one of the basin station where not given. [K]
    day : date
        First day of the window, which decides the sun; none of the Spring Festival by default.
    """
    statistics = winter_statistics()
    per_day = 24 * 60 // STEP_MINUTES
    steps = np.arange((WARM_UP_DAYS + days) * per_day)
    first = local_midnight_utc(day) - np.timedelta64(WARM_UP_DAYS, "D")
    time_utc = first + steps * np.timedelta64(STEP_MINUTES, "m")
    swing_k = (statistics.diurnal_range_k if range_k is None else range_k) * diurnal_shape(
        local_hour(time_utc), statistics
    )
    return Weather(
        county_code="140802",
        time_utc=time_utc,
        temperature_c=daily_mean_c + swing_k,
        label=f"synthetic: steady days of {daily_mean_c:g} degC",
        synthetic=True,
        study=slice(WARM_UP_DAYS * per_day, len(steps)),
        solar_w_per_m2=solar_course(time_utc, statistics),
    )


def in_minutes(weather: Weather) -> Weather:
    """Return the same weather in steps of one minute, each value in the middle of its old step.

    Raises
    ------
    InputError
        If the steps are no whole minutes.
    """
    per_step = round(weather.step_h * 60.0)
    if abs(per_step - weather.step_h * 60.0) > 1e-9 or per_step < 1:
        raise InputError(f"weather {weather.label!r}: steps must be whole minutes. Got {weather.step_h * 60.0:g} min.")
    n = len(weather.time_utc)
    minute = np.arange(n * per_step)
    at = (minute + 0.5) / per_step - 0.5

    def finer(value: FloatArray) -> FloatArray:
        return np.asarray(np.interp(at, np.arange(n), value))

    first, last, _ = weather.study.indices(n)
    return Weather(
        county_code=weather.county_code,
        time_utc=weather.time_utc[0] + minute * np.timedelta64(1, "m"),
        temperature_c=finer(weather.temperature_c),
        label=weather.label,
        synthetic=weather.synthetic,
        study=slice(first * per_step, last * per_step),
        solar_w_per_m2=finer(weather.solar_w_per_m2),
        humidity_percent=finer(weather.humidity_percent),
    )
