"""The weather of one place: temperature, sun and humidity over even steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray, frozen
from gridcheck.errors import InputError

STEP_MINUTES = 15
WARM_UP_DAYS = 10
"""Days before the study window: the walls of a house remember about three of them."""

# Normal humidity of the heating season, for weather that comes without it. [%]
_NORMAL_HUMIDITY_PERCENT = 58.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weather:
    """Weather of one county, study window and the days before it.

    Attributes
    ----------
    county_code : str
        County.
    time_utc : ndarray of datetime64[ns], shape (n,)
        Start of each interval, evenly spaced.
    temperature_c : ndarray, shape (n,)
        Outdoor air temperature. [degC]
    label : str
        What this weather is, for reports.
    synthetic : bool
        True where it was not measured.
    study : slice
        Positions of the study window; what lies before is warm-up of the houses.
    solar_w_per_m2 : ndarray, shape (n,)
        Global horizontal irradiance; zero where not given, which is on the safe side. [W/m2]
    humidity_percent : ndarray, shape (n,)
        Relative humidity; the normal value of the season where not given. [%]
    """

    county_code: str
    time_utc: TimeArray
    temperature_c: FloatArray
    label: str
    synthetic: bool
    study: slice
    solar_w_per_m2: FloatArray = None  # type: ignore[assignment]
    humidity_percent: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n = len(self.time_utc)
        object.__setattr__(self, "time_utc", frozen(self.time_utc, "datetime64[ns]", (n,), name="time_utc"))
        for name, normal in (
            ("temperature_c", np.nan),
            ("solar_w_per_m2", 0.0),
            ("humidity_percent", _NORMAL_HUMIDITY_PERCENT),
        ):
            given = getattr(self, name)
            value = frozen(np.full(n, normal) if given is None else given, np.float64, (n,), name=name)
            if not np.isfinite(value).all():
                raise InputError(
                    f"weather {self.label!r}: {name} must be finite at all {n} times. Fill the gaps first."
                )
            object.__setattr__(self, name, value)
        steps = np.diff(self.time_utc)
        if n < 2 or (steps != steps[0]).any() or steps[0] <= np.timedelta64(0, "ns"):
            raise InputError(f"weather {self.label!r}: time_utc must rise in even steps and have at least two of them.")
        first, last, stride = self.study.indices(n)
        if stride != 1 or first >= last:
            raise InputError(f"weather {self.label!r}: study must be a window of at least one step. Got {self.study}.")

    @property
    def step_h(self) -> float:
        """Length of one interval. [h]"""
        return float((self.time_utc[1] - self.time_utc[0]) / np.timedelta64(1, "s")) / 3600.0
