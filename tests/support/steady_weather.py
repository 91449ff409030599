"""Weather in which every day is the same, for tests of the demand model in its steady state."""

from __future__ import annotations

from datetime import date

import numpy as np

from gridcheck.demand.clock import local_hour, local_midnight_utc
from gridcheck.demand.weather import Weather
from gridcheck.demand.weather.typical_winter import diurnal_shape, solar_course, winter_statistics

STEPS_PER_DAY = 96
DAYS = 12


def steady_weather(
    daily_mean_c: float, *, range_k: float = 10.4, sun: bool = True, day: date = date(2025, 12, 10)
) -> Weather:
    """Return twelve equal days of which the last is the study window."""
    steps = np.arange(DAYS * STEPS_PER_DAY)
    time_utc = local_midnight_utc(day) + steps * np.timedelta64(15, "m")
    statistics = winter_statistics()
    solar = solar_course(time_utc, statistics) if sun else np.zeros(len(time_utc))
    return Weather(
        county_code="140802",
        time_utc=time_utc,
        temperature_c=daily_mean_c + range_k * diurnal_shape(local_hour(time_utc), statistics),
        label=f"synthetic: steady days of {daily_mean_c} degC",
        synthetic=True,
        study=slice(len(steps) - STEPS_PER_DAY, len(steps)),
        solar_w_per_m2=solar,
    )
