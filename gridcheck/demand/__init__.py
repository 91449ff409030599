"""Demand: what households will draw in a given winter, as profiles of classes and loads of buses.

Weather (`scenario_weather`, `read_weather`) leads to the course of every class (`class_profiles`), areas and heaters
to what stands where (`class_counts`), and both to loads for power flow (`factored_loads`). Behind the profiles stand
thousands of homes that are simulated one by one (`gridcheck.demand.households`): their mean, and how far few of them
may lie above it. `validate_demand` says how far to trust them; `gridcheck.demand.calibration` fits readings.
"""

from __future__ import annotations

from gridcheck.demand.festival import new_year_days
from gridcheck.demand.models import device_parameters
from gridcheck.demand.parameters import CLASSES, DemandParameters, default_parameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_counts, class_profiles, factored_loads
from gridcheck.demand.seasonal import SeasonalPerformance, device_flags, seasonal_cop
from gridcheck.demand.targets import Target
from gridcheck.demand.validation import validate_demand
from gridcheck.demand.weather import ColdWave, Weather, cold_waves, read_weather, scenario_weather

__all__ = [
    "CLASSES",
    "ClassCounts",
    "ClassProfiles",
    "ColdWave",
    "DemandParameters",
    "SeasonalPerformance",
    "Target",
    "Weather",
    "class_counts",
    "class_profiles",
    "cold_waves",
    "default_parameters",
    "device_flags",
    "device_parameters",
    "factored_loads",
    "new_year_days",
    "read_weather",
    "scenario_weather",
    "seasonal_cop",
    "validate_demand",
]
