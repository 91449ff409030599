"""Weather of a study: drawn from statistics or read from a file, with cold waves, heights and what warnings it meets.

A record (`Weather`) comes from `scenario_weather` or `typical_weather`, which draw it, or from `read_weather`, which
reads a file. `overlay_wave` and `at_height` change it; `return_period_years` and `cold_wave_days` judge it.
"""

from __future__ import annotations

from gridcheck.demand.weather.cold_waves import ColdWave, cold_waves, overlay_wave
from gridcheck.demand.weather.heights import at_height, height_offset_k
from gridcheck.demand.weather.reading import WeatherReading, read_weather
from gridcheck.demand.weather.record import STEP_MINUTES, WARM_UP_DAYS, Weather
from gridcheck.demand.weather.return_periods import return_minimum_c, return_period_years
from gridcheck.demand.weather.signals import ColdWaveDays, ColdWaveLevel, cold_wave_days, cold_wave_levels
from gridcheck.demand.weather.steady import in_minutes, steady_days
from gridcheck.demand.weather.synthetic import scenario_weather, typical_weather

__all__ = [
    "STEP_MINUTES",
    "WARM_UP_DAYS",
    "ColdWave",
    "ColdWaveDays",
    "ColdWaveLevel",
    "Weather",
    "WeatherReading",
    "at_height",
    "cold_wave_days",
    "cold_wave_levels",
    "cold_waves",
    "height_offset_k",
    "in_minutes",
    "overlay_wave",
    "read_weather",
    "return_minimum_c",
    "return_period_years",
    "scenario_weather",
    "steady_days",
    "typical_weather",
]
