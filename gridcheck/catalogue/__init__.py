"""Catalogues: conductors, transformers, heaters, houses, base load, measures and the sources behind them.

Every table is a CSV file next to this module, every row names its source (a key of ``sources.csv``) and carries a
confidence mark. A new piece of equipment is a new row, not new code.
"""

from __future__ import annotations

from gridcheck.catalogue.device_file import read_devices
from gridcheck.catalogue.devices import Device, DeviceCatalogue, class_devices
from gridcheck.catalogue.efficiency import EfficiencyFlag, efficiency_flag
from gridcheck.catalogue.equipment import conductors, distribution_transformers, main_transformers
from gridcheck.catalogue.heating import (
    DEVICE_CLASSES,
    central_stations,
    heater_curves,
    heater_ratings,
    heaters,
    usual_rating_kw,
)
from gridcheck.catalogue.parameters import base_load, device_rules, houses, measures, sources
from gridcheck.catalogue.remedies import GENERATOR, SPARE_TRANSFORMER, area_remedies

__all__ = [
    "DEVICE_CLASSES",
    "GENERATOR",
    "SPARE_TRANSFORMER",
    "Device",
    "DeviceCatalogue",
    "EfficiencyFlag",
    "area_remedies",
    "base_load",
    "central_stations",
    "class_devices",
    "conductors",
    "device_rules",
    "distribution_transformers",
    "efficiency_flag",
    "heater_curves",
    "heater_ratings",
    "heaters",
    "houses",
    "main_transformers",
    "measures",
    "read_devices",
    "sources",
    "usual_rating_kw",
]
