"""The calibration as a whole: fit, resample, judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gridcheck.arrays import FloatArray, frozen
from gridcheck.catalogue import base_load
from gridcheck.demand.calibration.clock_check import clock_warnings
from gridcheck.demand.calibration.coincidence import coincidence_values, daily_peaks
from gridcheck.demand.calibration.coldness import minding_cold
from gridcheck.demand.calibration.panel import HOURS, Panel, make_panel
from gridcheck.demand.calibration.readings import AreaReadings, require_contrast
from gridcheck.demand.calibration.resample import resampled
from gridcheck.demand.calibration.response import (
    Response,
    cold_hours,
    coldest_c,
    fit,
    robust_fit,
)
from gridcheck.demand.calibration.verdicts import (
    NEVER_TOLD,
    Estimate,
    NeverTold,
    Reason,
    interval,
    judged,
    small_sample_stretch,
)
from gridcheck.demand.tables import named_ranges
from gridcheck.errors import InputError

REFERENCE_C = (0.0, -5.0, -10.0)
"""Felt outdoor temperatures at which heating is stated. [degC]"""
LEAST_DRAWS = 20
FEW_AREAS = 10
"""Number of areas below which resampling them promises too much. [G]"""
_WEAK_SHARE_SPREAD = 0.1
# Temperature at which the rows of calibration.csv state the power of a class. [degC]
_RANGES_AT_C = -5.0
_HOURS_PER_YEAR = 8760.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What the readings say, how surely, and what they do not say.

    Attributes
    ----------
    estimates : tuple of Estimate
        With 90 % intervals; see `calibrate` for the names.
    never_told : tuple of NeverTold
        What sums of areas can never tell.
    warnings : tuple of Reason
        Doubts about the input.
    classes : tuple of str
        Classes of heaters, or ``mix`` where they cannot be told apart.
    class_homes : mapping of str to float
        Converted homes of each class in all areas.
    response : Response
        Fitted curves.
    base_kw_low, base_kw_high : ndarray, shape (24,)
        Interval of the base load per home by local hour. [kW]
    coldest_c : float
        Lowest felt temperature of an hour with readings. [degC]
    n_area, n_day, n_hour, n_set_aside : int
        Areas; days with readings outside the Spring Festival; hourly readings used, and set aside as faults.
    """

    estimates: tuple[Estimate, ...]
    never_told: tuple[NeverTold, ...]
    warnings: tuple[Reason, ...]
    classes: tuple[str, ...]
    class_homes: Mapping[str, float]
    response: Response
    base_kw_low: FloatArray
    base_kw_high: FloatArray
    coldest_c: float
    n_area: int
    n_day: int
    n_hour: int
    n_set_aside: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_homes", MappingProxyType(dict(self.class_homes)))
        for name in ("base_kw_low", "base_kw_high"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (HOURS,), name=name))

    def estimate(self, name: str) -> Estimate:
        """Return the estimate of this name.

        Raises
        ------
        InputError
            If there is none.
        """
        for one in self.estimates:
            if one.name == name:
                return one
        raise InputError(f"There is no estimate {name!r}.", [one.name for one in self.estimates])


def heating_name(device: str, temperature_c: float) -> str:
    """Return the name of the heating per converted home at a temperature.

    Examples
    --------
    >>> heating_name("air_air_heat_pump", -5.0)
    'air_air_heat_pump_kw_at_-5_c'
    """
    return f"{device}_kw_at_{temperature_c:g}_c"


def calibrate(areas: Sequence[AreaReadings], rng: np.random.Generator, *, n_draw: int = 200) -> Calibration:
    """Estimate temperature response and coincidence from readings of areas, and say what they can tell.

    Parameters
    ----------
    areas : sequence of AreaReadings
        In any order.
    rng : Generator
        Random numbers of the resampling.
    n_draw : int
        Times that areas and days are resampled for the intervals.

    Returns
    -------
    Calibration
        Estimates: ``base_kw`` mean base load per home lived in [kW]; ``<class>_kw_at_<temperature>_c`` mean over the
        day per converted home, at a felt temperature of 0, -5 and -10 degC [kW]; ``balance_c``,
        ``saturation_c`` [degC]; ``slope_percent_per_k`` over the power at -10 degC [%/K];
        ``outdoor_smoothing_h`` [h]; and those of `coincidence_values`.

    Raises
    ------
    InputError
        If areas stand twice, no home is converted, converted shares are all alike, too few days are left, or `n_draw`
        is below 20.

    Notes
    -----
    The common bends stand for homes that differ, so the response is rounder in truth than in the fit near them. Sun,
    wind and the season's drift of the base load are not in the model: they widen the intervals through the days.
    """
    if n_draw < LEAST_DRAWS:
        raise InputError(f"n_draw must be at least {LEAST_DRAWS}, for intervals of 90 %. Got {n_draw}.")
    spread = require_contrast(areas)
    panel = make_panel(areas)
    n_day = int(np.isfinite(panel.hour_kw).any(axis=(0, 2)).sum())
    if n_day < 7:
        raise InputError(
            f"Only {n_day} days are left without the Spring Festival, when base load is another. "
            "Add days before or after."
        )
    response, kept = robust_fit(panel)
    peaks = daily_peaks(panel, response, kept)
    every = np.ones(len(areas), dtype=np.int64), np.ones(panel.n_day, dtype=np.int64)
    value = {**_values(panel, response), **coincidence_values(panel, peaks, *every)}
    draws, base = [], []
    for area_weight, day_weight in resampled(panel, rng, n_draw):
        again = fit(panel, kept, area_weight, day_weight)
        found = coincidence_values(panel, peaks, area_weight, day_weight)
        draws.append({**_values(panel, again), **found})
        base.append(again.base_kw)
    by_name = {name: np.array([draw[name] for draw in draws]) for name in value}
    stretch = small_sample_stretch(len(areas), 1 + len(panel.classes))
    bands = np.array(
        [
            interval(column, about=hour, stretch=stretch)
            for column, hour in zip(np.array(base).T, response.base_kw, strict=True)
        ]
    )
    return Calibration(
        estimates=_estimates(panel, value, by_name, stretch),
        never_told=NEVER_TOLD,
        warnings=(*_doubts(panel, spread), *clock_warnings(panel, response, kept)),
        classes=panel.classes,
        class_homes={
            name: sum(area.converted.get(name, 0.0) for area in areas)
            for name in sorted({name for area in areas for name in area.converted})
        },
        response=response,
        base_kw_low=bands[:, 0],
        base_kw_high=bands[:, 1],
        coldest_c=coldest_c(panel),
        n_area=len(areas),
        n_day=n_day,
        n_hour=int(kept.sum()),
        n_set_aside=int((np.isfinite(panel.hour_kw) & ~kept).sum()),
    )


def _estimates(
    panel: Panel, value: Mapping[str, float], by_name: Mapping[str, FloatArray], stretch: float
) -> tuple[Estimate, ...]:
    """Judge every number by its draws and by the cold of the readings."""
    expected, possible = _expected(panel), _possible(panel)
    return tuple(
        minding_cold(
            judged(
                name,
                number,
                by_name[name],
                unit=unit,
                expected=limits,
                possible=possible.get(name, limits),
                stretch=stretch,
            ),
            coldest_c(panel),
            cold_hours(panel),
        )
        for name, number in value.items()
        for unit, limits in (expected[name],)
    )


def _values(panel: Panel, response: Response) -> dict[str, float]:
    """Return the numbers of a response that are stated, by name."""
    result = {"base_kw": float(response.base_kw.mean())}
    for temperature_c in REFERENCE_C:
        mean_kw = response.heating_kw(temperature_c).mean(axis=1)
        result |= {
            heating_name(device, temperature_c): float(power)
            for device, power in zip(panel.classes, mean_kw, strict=True)
        }
    return result | {
        "balance_c": response.balance_c,
        "saturation_c": response.saturation_c,
        "slope_percent_per_k": response.slope_percent_per_k(),
        "outdoor_smoothing_h": response.memory_h,
    }


def _expected(panel: Panel) -> dict[str, tuple[str, tuple[float, float]]]:
    """Return unit and expected range of every number stated, by name."""
    rows, model = named_ranges("calibration.csv"), named_ranges("model.csv")
    ends = base_load().loc[["annual_kwh", "winter_factor"], ["min", "max"]].to_numpy(np.float64)
    low, high = (ends.prod(axis=0) / _HOURS_PER_YEAR).tolist()
    heating = {
        heating_name(device, temperature_c): ("kW", rows[f"{device}_kw"])
        for device in panel.classes
        for temperature_c in REFERENCE_C
    }
    return {
        "base_kw": ("kW", (low, high)),
        **heating,
        "balance_c": ("degC", rows["balance_c"]),
        "saturation_c": ("degC", rows["saturation_c"]),
        "slope_percent_per_k": ("%/K", rows["slope_percent_per_k"]),
        "outdoor_smoothing_h": ("h", model["outdoor_smoothing_h"]),
        "area_coincidence": ("1", rows["area_coincidence"]),
        "own_scatter_kw": ("kW", rows["own_scatter_kw"]),
        "common_scatter_kw": ("kW", rows["common_scatter_kw"]),
        "mix_alpha": ("1", rows["mix_alpha"]),
    }


def _possible(panel: Panel) -> dict[str, tuple[float, float]]:
    """Return the range of heating at each temperature, by name.

    The rows hold for -5 degC. Elsewhere one end moves as far as a home with the lowest balance point would.
    """
    rows = named_ranges("calibration.csv")
    balance_c, _ = rows["balance_c"]
    result = {}
    for device in panel.classes:
        low, high = rows[f"{device}_kw"]
        for temperature_c in REFERENCE_C:
            factor = (balance_c - temperature_c) / (balance_c - _RANGES_AT_C)
            result[heating_name(device, temperature_c)] = low * min(factor, 1.0), high * max(factor, 1.0)
    return result


def _doubts(panel: Panel, spread: float) -> list[Reason]:
    doubts = []
    if len(panel.homes) < FEW_AREAS:
        doubts.append(
            Reason(
                zh=f"只有 {len(panel.homes)} 个台区：区间偏窄",
                en=f"only {len(panel.homes)} areas: the intervals are too short",
            )
        )
    if spread < _WEAK_SHARE_SPREAD:
        doubts.append(
            Reason(
                zh=f"各台区改造比例相近（标准差 {spread:.0%}）：基本负荷与采暖难以分开",
                en=f"converted shares are much alike (standard deviation {spread:.0%}): base load and heating are "
                "hard to tell apart",
            )
        )
    if panel.n_festival_day:
        doubts.append(
            Reason(
                zh=f"春节前后 {panel.n_festival_day} 天未采用",
                en=f"{panel.n_festival_day} days around the Spring Festival are left out",
            )
        )
    if panel.n_zero:
        doubts.append(
            Reason(
                zh=f"{panel.n_zero} 个读数恰为零（停电或表计故障），未采用",
                en=f"{panel.n_zero} readings of exactly zero (outage or dead meter) are left out",
            )
        )
    if panel.classes == ("mix",):
        doubts.append(
            Reason(
                zh="各类采暖设备在台区间同比例出现，只能合并估计",
                en="classes of heaters go together over the areas; only their mix is estimated",
            )
        )
    return doubts
