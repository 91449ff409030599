"""How soon homes are cold when the supply stops at the worst moment and does not come back.

The homes are those of every other study, some hundred of each class of heater with their walls, insulation and habits.
In the weather of a study they lose their supply when its coldest hours begin, and each home is followed until its
warmest room has fallen to the thresholds. Homes that nobody keeps warm at that moment lose nothing and are not
counted. Any mix of classes is answered from the same homes: each home counts as often as its class stands in the mix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.parameters import CLASSES, DemandParameters
from gridcheck.demand.pick_up import hours_until_cold
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError

THRESHOLDS_C = (12.0, 5.0)
"""Room temperatures that are watched: too cold to live in, and close to frost. [degC]"""
SHARE = 0.5
"""Share of the homes that has fallen to a threshold when it counts: half. The first quarter would be those that keep
their rooms little above the threshold anyway. [1]"""
COLDEST_H = 12.0
"""Hours whose mean outdoor temperature is lowest; the supply stops when they begin. [h]"""
FOLLOWED_H = 72.0
"""Hours for which homes are followed. [h]"""
HOMES = 500
"""Homes of each class."""

_DAY_H = 24.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cooling:
    """Homes of all classes that have lost their supply.

    Attributes
    ----------
    begin_utc : datetime64
        When the supply stops.
    class_device : ndarray of int, shape (n_class,)
        Position in ``DEVICE_CLASSES`` of each class of the study, -1 for those that heat nothing.
    device : ndarray of int, shape (n_home,)
        Position of the class of each home.
    is_warm : ndarray of bool, shape (n_home,)
        True where the home is warmer than the first threshold when the supply stops.
    hours : ndarray, shape (n_home, n_threshold)
        Hours until the warmest room of the home is colder than each threshold; infinite where it is not within
        `FOLLOWED_H`. [h]
    """

    begin_utc: np.datetime64
    class_device: IntArray
    device: IntArray
    is_warm: BoolArray
    hours: FloatArray

    def __post_init__(self) -> None:
        n = len(self.device)
        for name, kind, shape in (
            ("class_device", np.int64, (None,)),
            ("device", np.int64, (n,)),
            ("is_warm", np.bool_, (n,)),
            ("hours", np.float64, (n, None)),
        ):
            object.__setattr__(self, name, frozen(getattr(self, name), kind, shape, name=name))


def cooling(
    weather: Weather, parameters: DemandParameters, *, classes: tuple[str, ...] = CLASSES, seed: int
) -> Cooling:
    """Let homes of every class lose their supply when the coldest hours of a weather begin.

    Parameters
    ----------
    weather : Weather
        Weather of the study with its days before the window. Where it ends too early its last day is repeated.
    parameters : DemandParameters
        Parameters of houses and devices.
    classes : tuple of str
        Classes of the profiles of the study; a model of a planner's own cools down like its class, because houses do.
    seed : int
        Seed of the homes: the same homes in every study of one seed.

    Returns
    -------
    Cooling
    """
    begin = _coldest_step(weather)
    longer = _followed(weather, begin)
    device, is_warm, hours = [], [], []
    for position in range(len(DEVICE_CLASSES)):
        homes = draw_homes(np.arange(HOMES), np.full(HOMES, position), seed=seed)
        zones = heated_zones(
            homes, parameters, seed=seed, step_s=weather.step_h * 3600.0, group=np.zeros(HOMES, dtype=np.int64)
        )
        hour = float(local_hour(longer.time_utc)[begin])
        until = hours_until_cold(zones, longer, parameters, begin_hour=hour, thresholds_c=THRESHOLDS_C)
        device.append(homes.device)
        is_warm.append(_warmest_c(zones, weather, parameters, begin) >= THRESHOLDS_C[0])
        hours.append(np.where(np.isnan(until), np.inf, until))
    like = {model.model: model.device for model in parameters.models}
    own = [like.get(name, name) for name in classes]
    return Cooling(
        begin_utc=weather.time_utc[begin],
        class_device=np.array([DEVICE_CLASSES.index(name) if name in DEVICE_CLASSES else -1 for name in own]),
        device=np.concatenate(device),
        is_warm=np.concatenate(is_warm),
        hours=np.concatenate(hours),
    )


def hours_until(found: Cooling, count: FloatArray, *, share: float = SHARE) -> FloatArray:
    """Return when a share of the electrically heated homes of some mixes has fallen to each threshold.

    Parameters
    ----------
    found : Cooling
        From `cooling`.
    count : ndarray, shape (n_mix, n_class)
        Homes of each class in each mix, for example of an area or of a feeder.
    share : float
        Share of the homes that are warm when the supply stops. [1]

    Returns
    -------
    ndarray, shape (n_mix, n_threshold)
        Hours without supply; NaN where a mix has no electrically heated home that is warm, or so many are not that
        cold within `FOLLOWED_H`. [h]

    Raises
    ------
    InputError
        If the classes are not those of `found`, or the share is none.
    """
    if count.shape[1:] != found.class_device.shape:
        raise InputError(f"count must have {len(found.class_device)} classes. Got shape {count.shape}.")
    if not 0.0 < share <= 1.0:
        raise InputError(f"share must be above 0 and at most 1. Got {share}.")
    by_device = np.zeros((len(count), len(DEVICE_CLASSES)))
    heats = found.class_device >= 0
    np.add.at(by_device.T, found.class_device[heats], count[:, heats].T)
    result = np.full((len(count), found.hours.shape[1]), np.nan)
    for k, hours in enumerate(found.hours.T):
        order = np.argsort(hours, kind="stable")
        order = order[found.is_warm[order]]
        if not len(order):
            continue
        reached = np.cumsum(by_device[:, found.device[order]], axis=1)
        total = reached[:, -1:]
        # Sums in another order differ in their last digits.
        first = (reached >= share * total * (1.0 - 1e-9)).argmax(axis=1)
        found_h = hours[order][first]
        result[:, k] = np.where((total[:, 0] > 0.0) & np.isfinite(found_h), found_h, np.nan)
    return result


def _coldest_step(weather: Weather) -> int:
    """Return the position at which the coldest hours of the study window begin, the first of equals."""
    first, last, _ = weather.study.indices(len(weather.time_utc))
    n = min(round(COLDEST_H / weather.step_h), last - first)
    sums = np.cumsum(np.concatenate([[0.0], weather.temperature_c[first:last]]))
    return first + int(np.argmin(np.round(sums[n:] - sums[:-n], 9)))


def _followed(weather: Weather, begin: int) -> Weather:
    """Return the weather with a window that begins at a step, its last day repeated where it is too short."""
    n, wanted = len(weather.time_utc), begin + round(FOLLOWED_H / weather.step_h)
    a_day = min(round(_DAY_H / weather.step_h), n)
    more = np.arange(max(wanted - n, 0))
    at = np.concatenate([np.arange(n), n - a_day + more % a_day])
    step = weather.time_utc[1] - weather.time_utc[0]
    return Weather(
        county_code=weather.county_code,
        time_utc=weather.time_utc[0] + np.arange(len(at)) * step,
        temperature_c=weather.temperature_c[at],
        label=weather.label,
        synthetic=weather.synthetic,
        study=slice(begin, wanted),
        solar_w_per_m2=weather.solar_w_per_m2[at],
        humidity_percent=weather.humidity_percent[at],
    )


def _warmest_c(zones: ZoneArray, weather: Weather, parameters: DemandParameters, begin: int) -> FloatArray:
    """Return the temperature of the warmest room of each home in the step before `begin`. [degC]"""
    before = replace(weather, study=slice(begin - 1, begin))
    room_c = simulate(zones, before, parameters, n_group=1, threads=1).room_c
    warmest = np.full(int(zones["home"].max()) + 1, -np.inf)
    np.maximum.at(warmest, zones["home"], room_c)
    return warmest
