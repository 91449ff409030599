"""Calibration to readings: what 96-point curves of areas tell about homes, and what they cannot tell.

Readings of areas with known converted homes (`AreaReadings`) lead to estimates with intervals and verdicts
(`calibrate`), and those that are told to parameters of the demand model (`overrides`).
"""

from __future__ import annotations

from gridcheck.demand.calibration.calibrate import REFERENCE_C, Calibration, calibrate, heating_name
from gridcheck.demand.calibration.overrides import Overrides, overrides
from gridcheck.demand.calibration.readings import AreaReadings
from gridcheck.demand.calibration.response import Response
from gridcheck.demand.calibration.verdicts import VERDICT_TEXTS, Estimate, NeverTold, Reason

__all__ = [
    "REFERENCE_C",
    "VERDICT_TEXTS",
    "AreaReadings",
    "Calibration",
    "Estimate",
    "NeverTold",
    "Overrides",
    "Reason",
    "Response",
    "calibrate",
    "heating_name",
    "overrides",
]
