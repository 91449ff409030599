"""Weather of a study: a synthetic typical winter of a county, with a cold wave laid over it.

No hourly series of Yuncheng may be shipped, so the winter is drawn from published statistics and says synthetic in its
label. The day-to-day course is the same for all counties of one seed, because weather is regional: counties differ
by climate and height only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray, frozen
from gridcheck.demand.clock import local_day, local_hour, local_midnight_utc
from gridcheck.demand.cold_waves import ColdWave, cold_wave, wave_course
from gridcheck.demand.typical_winter import (
    county_offset_k,
    diurnal_shape,
    monthly_course,
    solar_course,
    typical_days,
    winter_statistics,
)
from gridcheck.errors import InputError

STEP_MINUTES = 15
WARM_UP_DAYS = 10
"""Days before the study window: the walls of a house remember about three of them."""

# Outside a wave's own hours the background stays this much above the wave's minimum. [K]
_MINIMUM_GAP_K = 0.5
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


def scenario_weather(county_code: str, *, start: date, days: int = 5, wave: str = "none", seed: int) -> Weather:
    """Draw the typical winter of a county around a study window and lay a cold wave over it.

    Parameters
    ----------
    county_code : str
        Six-digit code of a county.
    start : date
        First local day of the study window.
    days : int
        Length of the window, 1 to 366. [d]
    wave : str
        ``"none"`` or the name of a template: W1 fast, W2 long, W3 wet, W4 record.
    seed : int
        Seed of the day-to-day course; not negative.

    Returns
    -------
    Weather
        Steps of 15 min, `WARM_UP_DAYS` before the window, labelled synthetic.

    Raises
    ------
    InputError
        If the county is unknown, or `days` or `seed` is out of range.
    ConfigError
        If there is no such wave.

    Notes
    -----
    During a wave the random course is replaced by a fixed typical day that falls to the template, so a wave reaches its
    minimum whatever the seed, at 08:00 local time of the fourth day of a five-day window (of the first of a
    one-day window). The minimum is an absolute temperature at the basin station and moves with the county's offset; W3
    has none and lies 5 K below the course of the season. With ``"none"`` the winter is a typical one and holds no
    design event.
    """
    if not 1 <= days <= 366:
        raise InputError(f"days must be in [1, 366]. Got {days}.")
    if seed < 0:
        raise InputError(f"seed must not be negative. Got {seed}.")
    template = None if wave == "none" else cold_wave(wave)
    offset_by_month = county_offset_k(county_code)
    steps = np.arange((WARM_UP_DAYS + days) * 24 * 60 // STEP_MINUTES)
    first = local_midnight_utc(start) - np.timedelta64(WARM_UP_DAYS, "D")
    time_utc = first + steps * np.timedelta64(STEP_MINUTES, "m")
    temperature_c, solar, humidity = _background(time_utc, seed=seed)
    if template is not None:
        coldest = local_midnight_utc(start) + np.timedelta64(_coldest_day(days), "D")
        temperature_c, solar, humidity = _overlay(
            time_utc, temperature_c, solar, humidity, template=template, coldest_day=coldest
        )
    name = "typical winter" if template is None else f"typical winter with {template.label_en} ({template.wave})"
    return Weather(
        county_code=county_code,
        time_utc=time_utc,
        temperature_c=temperature_c + monthly_course(time_utc, offset_by_month),
        label=f"synthetic: {name}, seed {seed}",
        synthetic=True,
        study=slice(WARM_UP_DAYS * 24 * 60 // STEP_MINUTES, len(time_utc)),
        solar_w_per_m2=solar,
        humidity_percent=humidity,
    )


def _coldest_day(days: int) -> int:
    """Return which day of the window holds the wave's minimum, so that its fall lies inside a five-day window."""
    return days * 3 // 5


def _background(time_utc: TimeArray, *, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return temperature [degC], irradiance [W/m2] and humidity [%] of the typical winter at the basin station."""
    statistics = winter_statistics()
    anomaly_k, range_k = typical_days(time_utc, statistics, seed=seed)
    course = monthly_course(time_utc, statistics.monthly_mean_c)
    temperature_c = course + anomaly_k + range_k * diurnal_shape(local_hour(time_utc), statistics)
    return temperature_c, solar_course(time_utc, statistics), np.full(len(time_utc), statistics.humidity_percent)


def _overlay(
    time_utc: TimeArray,
    temperature_c: FloatArray,
    solar: FloatArray,
    humidity: FloatArray,
    *,
    template: ColdWave,
    coldest_day: np.datetime64,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Replace the random course by the template's, with a smooth passage on either side."""
    statistics = winter_statistics()
    shape = diurnal_shape(local_hour(time_utc), statistics)
    at_minimum = coldest_day + np.timedelta64(round(statistics.coldest_hour * 60), "m")
    hours = (time_utc - at_minimum) / np.timedelta64(1, "h")
    normal_c = float(monthly_course(np.array([at_minimum]), statistics.monthly_mean_c)[0])
    path_c, weight = wave_course(hours, shape, template, normal_c=normal_c)
    floor_c = float(path_c.min()) + _MINIMUM_GAP_K
    blended = weight * path_c + (1.0 - weight) * np.maximum(temperature_c, floor_c)
    return (
        blended,
        solar * (1.0 - weight * (1.0 - template.solar_factor)),
        humidity + weight * (template.humidity_percent - humidity),
    )


__all__ = ["STEP_MINUTES", "WARM_UP_DAYS", "Weather", "local_day", "scenario_weather"]
