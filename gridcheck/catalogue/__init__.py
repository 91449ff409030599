"""Catalogues: conductors, transformers, heaters, houses, base load, measures and the sources behind them.

Every table is a CSV file next to this module, every row names its source (a key of ``sources.csv``) and carries a
confidence mark. A new piece of equipment is a new row, not new code.
"""

from __future__ import annotations

from gridcheck.catalogue.equipment import conductors, distribution_transformers, main_transformers
from gridcheck.catalogue.heating import DEVICE_CLASSES, heater_curves, heater_ratings, heaters
from gridcheck.catalogue.parameters import base_load, houses, measures, sources

__all__ = [
    "DEVICE_CLASSES",
    "base_load",
    "conductors",
    "distribution_transformers",
    "heater_curves",
    "heater_ratings",
    "heaters",
    "houses",
    "main_transformers",
    "measures",
    "sources",
]
