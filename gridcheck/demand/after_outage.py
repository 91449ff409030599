r"""What classes draw when the supply comes back: the profiles of a study once more, after some hours without supply.

The homes are those of every other study. For a grid of hours of the study window they lose their supply for as long as
the outage lasts, and the mean of each class in the hour that follows is set beside the mean of the same homes without
an outage. The largest ratio of a quarter of an hour multiplies the class's mean at that hour; between hours of the
grid it is interpolated. Nothing goes beyond the nameplates: in a deep cold, when nearly all units run anyway, little
is added in kilowatts.

.. math:: m'(t) = \min\left(\max_{0 \le u < 1 h} \frac{\bar p_{out}(t + u)}{\bar p(t + u)}\; m(t),\; \hat m\right)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.pick_up import ABOVE
from gridcheck.demand.profiles import ClassProfiles
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError

EVERY_H = 3.0
"""Hours between the outages that are simulated. [h]"""
HOMES = 300
"""Homes of each class."""

_MINUTES_PER_H = 60.0
_FOLLOWED_H = 1.0
# What has not fallen back by then is no longer called the load after an outage.
_CALM_WITHIN_H = 12.0
# An outage so near to the end of the window cannot be followed.
_LEFT_H = 6.0


def after_outage(
    profiles: ClassProfiles, weather: Weather, parameters: DemandParameters, *, outage_h: float, seed: int
) -> ClassProfiles:
    """Return the profiles of a study as they are when supply returns at each step.

    Parameters
    ----------
    profiles : ClassProfiles
        Of the study, made from the same weather.
    weather : Weather
        Weather with its days before the window, in steps of at most half an hour.
    parameters : DemandParameters
        Parameters of the model.
    outage_h : float
        Length of the outage; 0 returns the profiles as they are. [h]
    seed : int
        Seed of the homes.

    Returns
    -------
    ClassProfiles
        Base load and roofs as before; heaters never below what they draw anyway. A model of a planner's own follows
        its class.

    Raises
    ------
    InputError
        If the outage is negative, longer than the days before the window, or the steps are too long.
    """
    if outage_h == 0.0:
        return profiles
    first, last, _ = weather.study.indices(len(weather.time_utc))
    n_off = round(outage_h / weather.step_h)
    if not 0 < n_off <= first:
        raise InputError(f"outage_h must be at least one step and fit before the window. Got {outage_h} h.")
    if weather.step_h > _FOLLOWED_H / 2.0:
        raise InputError(f"the load after an outage needs steps of at most half an hour. Got {weather.step_h} h.")
    n_step = last - first
    at = np.unique(np.append(np.arange(0, n_step, round(EVERY_H / weather.step_h)), n_step - 1))
    mean, single = profiles.mean.copy(), profiles.single.copy()
    for position, name in enumerate(DEVICE_CLASSES):
        ratio = _ratios(position, weather, parameters, at=at, n_off=n_off, seed=seed)
        factor = np.interp(np.arange(n_step), at, ratio)
        for column, own in enumerate(profiles.classes):
            if name == _like(own, parameters):
                # What all units together can draw: nobody at home runs two heaters instead of one.
                most = np.maximum(parameters.devices[position].max_input_ratio, mean[:, column])
                raised = np.minimum(mean[:, column] * factor, most)
                single[:, column] = np.maximum(single[:, column], raised)
                mean[:, column] = raised
    return replace(profiles, mean=mean, single=single)


def calm_down_minutes(
    profiles: ClassProfiles,
    after: ClassProfiles,
    weather: Weather,
    parameters: DemandParameters,
    *,
    rated_kw: FloatArray,
    outage: tuple[float, int],
) -> float:
    r"""Return how long after an outage homes draw more than without one.

    Parameters
    ----------
    profiles, after : ClassProfiles
        Of the study, and what `after_outage` made of it.
    weather, parameters
        What they were made from.
    rated_kw : ndarray, shape (n_class,)
        What is connected of each class. [kW]
    outage : tuple of (float, int)
        Length of the outage, and seed of the homes. [h]

    Returns
    -------
    float
        From the return of supply until the load of all classes together stays below `ABOVE` times that without an
        outage, at most 12 h; after the outage that adds most. 0 where nothing is added. [min]

    Notes
    -----
    .. math:: \sum_k W_k m_k(t) \frac{\bar p_{k,out}(t)}{\bar p_k(t)} > 1.1 \sum_k W_k m_k(t)
    """
    outage_h, seed = outage
    first, last, _ = weather.study.indices(len(weather.time_utc))
    followed = last - first - round(_LEFT_H / weather.step_h)
    added_kw = (after.mean - profiles.mean) @ rated_kw
    if followed <= 0 or not (added_kw[:followed] > 0.0).any():
        return 0.0
    back = int(np.argmax(added_kw[:followed]))
    end = min(back + round(_CALM_WITHIN_H / weather.step_h), last - first)
    without = profiles.mean[back:end]
    load = without.copy()
    for position, name in enumerate(DEVICE_CLASSES):
        columns = [
            column
            for column, own in enumerate(profiles.classes)
            if rated_kw[column] > 0.0 and name == _like(own, parameters)
        ]
        if not columns:
            continue
        normal, course = _beside(position, weather, parameters, back=back, end=end, outage=(outage_h, seed))
        ratio = np.divide(course, normal, out=np.ones_like(course), where=normal > 0.0)
        most = np.maximum(parameters.devices[position].max_input_ratio, without[:, columns])
        load[:, columns] = np.minimum(without[:, columns] * ratio[:, None], most)
    above = np.flatnonzero(load @ rated_kw > ABOVE * (without @ rated_kw))
    return float((above[-1] + 1) * weather.step_h * _MINUTES_PER_H) if len(above) else 0.0


def _like(own: str, parameters: DemandParameters) -> str:
    """Return the class of the catalogue that a class behaves like."""
    return next((model.device for model in parameters.models if model.model == own), own)


def _beside(
    device: int, weather: Weather, parameters: DemandParameters, *, back: int, end: int, outage: tuple[float, int]
) -> tuple[FloatArray, FloatArray]:
    """Return the course of homes without and with an outage that ends at step `back` of the window, up to `end`."""
    first, (outage_h, seed) = weather.study.start, outage
    homes = draw_homes(np.arange(HOMES), np.full(HOMES, device), seed=seed)
    group = np.zeros(HOMES, dtype=np.int64)
    zones = heated_zones(homes, parameters, seed=seed, step_s=weather.step_h * 3600.0, group=group)
    supply = np.ones(len(weather.time_utc), dtype=bool)
    supply[first + back - round(outage_h / weather.step_h) : first + back] = False
    short = replace(weather, study=slice(first, first + end))
    normal, course = (_course(zones, short, parameters, given)[back:] for given in (None, supply))
    return normal, course


def _ratios(
    device: int, weather: Weather, parameters: DemandParameters, *, at: IntArray, n_off: int, seed: int
) -> FloatArray:
    """Return the largest ratio within the hour after supply returns at steps `at` of the window, shape (n_at,)."""
    first, last, _ = weather.study.indices(len(weather.time_utc))
    homes = draw_homes(np.arange(HOMES), np.full(HOMES, device), seed=seed)
    group = np.zeros(HOMES, dtype=np.int64)
    zones = heated_zones(homes, parameters, seed=seed, step_s=weather.step_h * 3600.0, group=group)
    normal = _course(zones, weather, parameters, None)
    n_seen, result = round(_FOLLOWED_H / weather.step_h), np.ones(len(at))
    for k, back in enumerate(at.tolist()):
        supply = np.ones(len(weather.time_utc), dtype=bool)
        supply[first + back - n_off : first + back] = False
        end = min(first + back + n_seen, last)
        seen = slice(back, end - first)
        # What comes after the hour is not wanted, so it is not simulated.
        short = replace(weather, study=slice(first, end))
        course = _course(zones, short, parameters, supply)[seen]
        without = normal[seen]
        draws = without > 0.0
        result[k] = max(float((course[draws] / without[draws]).max(initial=1.0)), 1.0)
    return result


def _course(zones: ZoneArray, weather: Weather, parameters: DemandParameters, supply: np.ndarray | None) -> FloatArray:
    made = simulate(zones, weather, parameters, n_group=1, supply=supply, threads=1)
    return np.asarray(made.power_kw[0], dtype=np.float64)
