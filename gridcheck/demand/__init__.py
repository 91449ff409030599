"""Demand: what households will draw in a given winter, as profiles of classes and loads of buses.

Weather (`scenario_weather`) leads to the course of every class (`class_profiles`), areas and heaters to what stands
where (`class_counts`), and both to loads for power flow (`factored_loads`). No single home is simulated: the
profiles are means over many homes, and a diversity term adds what few homes may draw above them.
"""

from __future__ import annotations

from gridcheck.demand.cold_waves import ColdWave, cold_waves
from gridcheck.demand.festival import new_year_days
from gridcheck.demand.parameters import CLASSES, DemandParameters, default_parameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_counts, class_profiles, factored_loads
from gridcheck.demand.weather import Weather, scenario_weather

__all__ = [
    "CLASSES",
    "ClassCounts",
    "ClassProfiles",
    "ColdWave",
    "DemandParameters",
    "Weather",
    "class_counts",
    "class_profiles",
    "cold_waves",
    "default_parameters",
    "factored_loads",
    "new_year_days",
    "scenario_weather",
]
