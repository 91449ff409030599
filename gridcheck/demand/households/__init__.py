"""Homes one by one: how they are drawn, what walls and heaters do with the weather, and what the grid sees of it."""

from __future__ import annotations

from gridcheck.demand.households.base_load import mean_base_kw, simulate_base
from gridcheck.demand.households.loads import (
    HouseholdLoads,
    ServicePoints,
    household_loads,
    load_cases,
    phase_load_cases,
)
from gridcheck.demand.households.rooftop_pv import pv_power_kw
from gridcheck.demand.households.simulation import SimulatedHeating, simulate
from gridcheck.demand.households.stations import station_zones
from gridcheck.demand.households.zones import Homes, draw_homes, heated_zones

__all__ = [
    "Homes",
    "HouseholdLoads",
    "ServicePoints",
    "SimulatedHeating",
    "draw_homes",
    "heated_zones",
    "household_loads",
    "load_cases",
    "mean_base_kw",
    "phase_load_cases",
    "pv_power_kw",
    "simulate",
    "simulate_base",
    "station_zones",
]
