"""After an outage: what homes draw when the supply comes back, what spreads it out, and how fast rooms cool until then.

There is no model of its own for it. The homes are those of every other study; for some hours they have no supply, and
when it returns rooms are cold, heaters run at full speed together, and diversity comes back as rooms warm up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draws, simulate
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError

ABOVE = 1.1
"""A load this many times the one without an outage still counts as picked up. [1]"""

_MINUTES = 60
_QUARTER = 15
_LOOK_AHEAD_H = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PickUp:
    """Load after an outage, beside the same hours without one.

    Attributes
    ----------
    ratio : float
        Mean of a quarter of an hour over that of the same quarter without an outage, where it is highest. [1]
    peak_kw, without_kw : float
        Both, in kilowatts. Loads rise towards the night anyway, so another quarter is not compared. [kW]
    above_h : float
        Hours from the return of supply until the hourly load stays below `ABOVE` times that without an outage. [h]
    not_served_kwh, repaid_kwh : float
        Energy missed during the outage, and drawn additionally in the twelve hours after it. [kWh]
    course_kw, normal_kw : ndarray, shape (n_quarter,)
        Load by quarters of an hour from the return of supply, with and without the outage. [kW]
    """

    ratio: float
    peak_kw: float
    without_kw: float
    above_h: float
    not_served_kwh: float
    repaid_kwh: float
    course_kw: FloatArray
    normal_kw: FloatArray


def outage(weather: Weather, *, restored_hour: float, outage_h: float) -> BoolArray:
    """Return where supply is on, with one outage that ends at a local hour of the first study day, shape (n_step,)."""
    back = _step_at(weather, restored_hour)
    n = round(outage_h / weather.step_h)
    if not 0 < n <= back:
        raise InputError(f"outage_h must be longer than a step and begin within the weather. Got {outage_h}.")
    supply = np.ones(len(weather.time_utc), dtype=bool)
    supply[back - n : back] = False
    return supply


def _step_at(weather: Weather, hour: float) -> int:
    """Return the first step of the study window at or after a local hour of a day."""
    hours = local_hour(weather.time_utc)
    first, last, _ = weather.study.indices(len(hours))
    at = np.flatnonzero(hours[first:last] >= hour - 1e-9)
    if not len(at):
        raise InputError(f"weather {weather.label!r}: the study window holds no {hour:g} h local time.")
    return first + int(at[0])


def pick_up(
    zones: ZoneArray, weather: Weather, parameters: DemandParameters, *, restored_hour: float = 18.5, outage_h: float
) -> PickUp:
    """Simulate an outage of homes and compare with the same homes without one.

    Parameters
    ----------
    zones : ndarray of ZONE, shape (n_zone,)
        Homes of the part that goes dark, drawn for steps of one minute.
    weather : Weather
        Steps of one minute; the study window must reach half a day beyond the return of supply.
    parameters : DemandParameters
        Parameters of devices and houses.
    restored_hour : float
        Local hour of the first study day at which supply returns. [h]
    outage_h : float
        Length of the outage. [h]

    Raises
    ------
    InputError
        If the steps are longer than a minute, or the window is too short.
    """
    if weather.step_h > 1.01 / _MINUTES:
        raise InputError("pick_up needs steps of one minute: restart delays are shorter than a quarter of an hour.")
    supply = outage(weather, restored_hour=restored_hour, outage_h=outage_h)
    first, last, _ = weather.study.indices(len(supply))
    back = int(np.flatnonzero(~supply)[-1]) + 1 - first
    n = _LOOK_AHEAD_H * _MINUTES
    if back + n > last - first:
        raise InputError(f"the study window must reach {_LOOK_AHEAD_H} h beyond the return of supply.")
    single = zones.copy()
    single["group"] = 0
    normal, course = (
        simulate(single, weather, parameters, n_group=1, supply=given).power_kw[0].astype(np.float64)
        for given in (None, supply)
    )
    off = slice(max(back - round(outage_h * _MINUTES), 0), back)
    after, without = course[back : back + n], normal[back : back + n]
    by_quarter, without_quarter = (value.reshape(-1, _QUARTER).mean(axis=1) for value in (after, without))
    hourly, without_hourly = (value.reshape(-1, _MINUTES).mean(axis=1) for value in (after, without))
    above = np.flatnonzero(hourly > ABOVE * without_hourly)
    highest = int(np.argmax(by_quarter / without_quarter))
    peak_kw, without_kw = float(by_quarter[highest]), float(without_quarter[highest])
    return PickUp(
        ratio=peak_kw / without_kw,
        peak_kw=peak_kw,
        without_kw=without_kw,
        above_h=float(above[-1] + 1) if len(above) else 0.0,
        not_served_kwh=float((normal[off] - course[off]).sum()) / _MINUTES,
        repaid_kwh=float((after - without).sum()) / _MINUTES,
        course_kw=by_quarter,
        normal_kw=without_quarter,
    )


def managed_restart(
    zones: ZoneArray,
    *,
    stagger_min: float = 0.0,
    lowered_k: float = 0.0,
    lowered_h: float = 0.0,
    release_spread_h: float = 0.0,
) -> ZoneArray:
    """Return the zones with a restart that is spread out, or with lower set-points for some hours after it.

    Parameters
    ----------
    zones : ndarray of ZONE, shape (n_zone,)
        Zones.
    stagger_min : float
        Each zone waits up to so long beyond its own delay. [min]
    lowered_k, lowered_h : float
        Lowering of the set-point after supply returns, and for how long. [K], [h]
    release_spread_h : float
        Each zone goes on with it for up to so long: released together, rooms would make a second peak. [h]
    """
    managed = zones.copy()
    managed["restart_s"] += 60.0 * stagger_min * draws.uniform(zones["key"], "stagger")
    managed["lowered_k"] = lowered_k
    managed["lowered_s"] = 3600.0 * (lowered_h + release_spread_h * draws.uniform(zones["key"], "release"))
    return managed


def hours_until_cold(
    zones: ZoneArray,
    weather: Weather,
    parameters: DemandParameters,
    *,
    begin_hour: float = 18.0,
    thresholds_c: tuple[float, ...] = (12.0, 5.0),
) -> FloatArray:
    """Return how long homes stay warmer than some temperatures when the supply does not come back.

    Parameters
    ----------
    zones : ndarray of ZONE, shape (n_zone,)
        Zones, drawn for the steps of the weather.
    weather : Weather
        As long as anybody wants to know.
    parameters : DemandParameters
        Parameters of devices and houses.
    begin_hour : float
        Local hour of the first study day at which supply goes. [h]
    thresholds_c : tuple of float
        Room temperatures. [degC]

    Returns
    -------
    ndarray, shape (n_home, n_threshold)
        Hours until the warmest zone of each home is colder, NaN where it is not within the study window. [h]
    """
    supply = np.ones(len(weather.time_utc), dtype=bool)
    supply[_step_at(weather, begin_hour) :] = False
    single = zones.copy()
    single["group"] = 0
    below = simulate(single, weather, parameters, n_group=1, supply=supply, thresholds_c=thresholds_c).below_h
    warmest = np.full((int(zones["home"].max()) + 1, len(thresholds_c)), -np.inf)
    np.maximum.at(warmest, zones["home"], np.where(np.isnan(below), np.inf, below))
    return np.where(np.isinf(warmest), np.nan, warmest)
