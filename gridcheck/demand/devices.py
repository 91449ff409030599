r"""Heaters as the grid sees them: mean electric input of many homes per kilowatt of rated input.

A running home needs :math:`X = Q / (\eta\, COP(T_o))` and draws at most its full-speed input :math:`m(T_o)`. Need over
rating differs from home to home as a lognormal variable, so the mean over the homes bends smoothly into saturation:

.. math:: E[\min(X, m)] = \bar X\, \Phi(d - \sigma) + m\, \Phi(-d), \qquad
   d = \frac{\ln (m / \bar X)}{\sigma} + \frac{\sigma}{2}

Homes that have just switched on run at full speed until the room is warm. In long cold the walls are cold, more homes
heat and more of them run at full speed: the mean approaches :math:`m` and coincidence rises to 1, without any
factor for it. What a saturated home does not get is not made up later.

References
----------
.. [1] BIN method with a lognormal limited expected value: Klugman, Panjer, Willmot, *Loss Models*, 4th ed., A.2.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from gridcheck.arrays import FloatArray
from gridcheck.demand.houses import (
    OutdoorCourse,
    Zone,
    all_day_share,
    daily_use,
    felt_temperature_c,
    heat_need_w_per_m2,
    house_zones,
    mean_target_c,
    room_zones,
    share_on,
    share_warming_up,
)
from gridcheck.demand.parameters import DeviceParameters

# Reheat times in the catalogue hold for this difference between indoors and outdoors. [K]
_REHEAT_DIFFERENCE_K = 24.0
_DAY_H = 24.0
# Points of the start spread of storage heaters at which the charging course is averaged.
_START_POINTS = 9

# Defrost of air-source units as composed in resdx (RESNET form): share of time 0.134 - 0.003 T[degF], between 0 and
# 0.08, below 4.4 degC; converted to degC here.
_DEFROST_AT_0_C = 0.134 - 0.003 * 32.0
_DEFROST_PER_K = 0.003 * 1.8
_DEFROST_MAX = 0.08
_DEFROST_BELOW_C = 4.4
# Humidity at which the normal and the full defrost share hold. [%]
_DRY_PERCENT, _WET_PERCENT = 60.0, 85.0


def heating_profile(
    device: DeviceParameters, outdoor: OutdoorCourse, house: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """Return the mean input of many homes and the input of one home at its own peak, per rated input.

    Parameters
    ----------
    device : DeviceParameters
        Device class.
    outdoor : OutdoorCourse
        Weather as houses see it.
    house : mapping of str to float
        Parameters of houses.

    Returns
    -------
    mean, single : ndarray, shape (n,)
        Electric input over rated input, ``0 <= mean <= single``. [1]

    Notes
    -----
    One home may be warming up at any hour, so `single` is the full-speed input with its share of backup elements; for
    storage heaters it is the charging power inside the valley window and the standby input outside.
    """
    ceiling = full_speed_input(device, outdoor.temperature_c, house)
    if device.kind == "storage":
        return _storage_profile(device, outdoor, house, ceiling=ceiling)
    if device.kind == "room":
        zones, target_c = room_zones(house), mean_target_c(house, house["night_room_share"])
    else:
        zones, target_c = house_zones(house), house["target_living_c"]
    reheat_h = house[f"reheat_hours_{device.kind}"]
    difference_k = np.maximum(target_c - felt_temperature_c(outdoor, house), 0.0)
    warm_up_h = reheat_h * difference_k / _REHEAT_DIFFERENCE_K
    running = _running_input(device, outdoor, house, target_c=target_c, ceiling=ceiling)
    mean = np.full(len(outdoor.hour), device.standby_ratio)
    for zone in zones:
        use = daily_use(outdoor.daily_mean_c, house, full_time=zone.full_time)
        warming, holding = _zone_states(zone, outdoor, house, warm_up_h=warm_up_h)
        drawn = warming * ceiling + holding * running
        if zone.setback_k > 0.0:
            lowered = _running_input(device, outdoor, house, target_c=target_c - zone.setback_k, ceiling=ceiling)
            drawn += (1.0 - warming - holding) * lowered
        mean += zone.weight * use * drawn
    return np.minimum(mean, ceiling), ceiling


def full_speed_input(device: DeviceParameters, temperature_c: FloatArray, house: Mapping[str, float]) -> FloatArray:
    """Return the electric input at full speed over the rated input, backup elements included, shape (n,). [1]

    The curve is made to rise towards the cold (its fall by a tenth below -15 degC is ignored, on the safe side) and cut
    off at the nameplate maximum. Backup elements come in between two outdoor temperatures.
    """
    rising = np.maximum.accumulate(device.input_ratio[::-1])[::-1]
    compressor = np.minimum(np.interp(temperature_c, device.temperature_c, rising), device.max_input_ratio)
    start_c, full_c = house["backup_start_c"], house["backup_full_c"]
    running = np.clip((start_c - temperature_c) / max(start_c - full_c, 1e-6), 0.0, 1.0)
    return np.asarray(compressor + device.backup_ratio * running)


def field_cop(
    device: DeviceParameters, temperature_c: FloatArray, humidity_percent: FloatArray, house: Mapping[str, float]
) -> FloatArray:
    """Return the COP in use at full speed, with defrost and field losses, shape (n,). [1]"""
    cop = np.interp(temperature_c, device.temperature_c, device.cop)
    wetness = np.clip((humidity_percent - _DRY_PERCENT) / (_WET_PERCENT - _DRY_PERCENT), 0.0, 1.0)
    dry = house["defrost_humidity_factor"]
    time_share = np.clip(_DEFROST_AT_0_C - _DEFROST_PER_K * temperature_c, 0.0, _DEFROST_MAX)
    time_share = np.where(temperature_c < _DEFROST_BELOW_C, time_share, 0.0) * (dry + (1.0 - dry) * wetness)
    heat = 1.0 - device.defrost_heat_factor * time_share
    power = 1.0 - device.defrost_power_factor * time_share
    return np.asarray(device.field_factor * cop * heat / power)


def limited_mean(mean_need: FloatArray, ceiling: FloatArray, sigma_ln: float) -> FloatArray:
    """Return E[min(X, m)] of a lognormal X, shape (n,).

    Parameters
    ----------
    mean_need : ndarray, shape (n,)
        Mean of X, not negative.
    ceiling : ndarray, shape (n,)
        m, positive.
    sigma_ln : float
        Log spread of X, positive.

    Examples
    --------
    >>> limited_mean(np.array([0.0, 1e3]), np.array([1.0, 1.0]), 0.4).tolist()
    [0.0, 1.0]
    """
    safe = np.maximum(mean_need, 1e-12)
    distance = np.log(ceiling / safe) / sigma_ln + sigma_ln / 2.0
    return np.where(mean_need > 0.0, safe * ndtr(distance - sigma_ln) + ceiling * ndtr(-distance), 0.0)


def _zone_states(
    zone: Zone, outdoor: OutdoorCourse, house: Mapping[str, float], *, warm_up_h: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the shares of homes in use that warm up at full speed and that hold their target, shape (n,). [1]"""
    if not zone.periods:
        return np.zeros(len(outdoor.hour)), np.ones(len(outdoor.hour))
    inside, warming = np.zeros(len(outdoor.hour)), np.zeros(len(outdoor.hour))
    for period in zone.periods:
        inside += share_on(outdoor.hour, period)
        warming += share_warming_up(outdoor.hour, period, warm_up_h)
    inside = np.minimum(inside, 1.0)
    if not zone.full_time:
        inside += (1.0 - inside) * all_day_share(outdoor.daily_mean_c, house)
    warming = np.minimum(warming, inside)
    return warming, inside - warming


def _running_input(
    device: DeviceParameters,
    outdoor: OutdoorCourse,
    house: Mapping[str, float],
    *,
    target_c: float,
    ceiling: FloatArray,
) -> FloatArray:
    """Return the mean input of homes that hold their target, over the rated input, shape (n,)."""
    need_kw = heat_need_w_per_m2(outdoor, target_c, house) * device.heated_area_m2 / 1000.0
    cop = field_cop(device, outdoor.temperature_c, outdoor.humidity_percent, house)
    level = limited_mean(need_kw / (cop * device.rated_kw), ceiling, house["need_sigma_ln"])
    # A slow compressor works with a better COP than at full speed.
    return np.asarray(level * (device.no_load_share + (1.0 - device.no_load_share) * level / ceiling))


def _storage_profile(
    device: DeviceParameters, outdoor: OutdoorCourse, house: Mapping[str, float], *, ceiling: FloatArray
) -> tuple[FloatArray, FloatArray]:
    r"""Return mean and single input of storage heaters: full power from a random start until the store is full.

    A home charges for :math:`D = 24\,Q / P_r` hours, a lognormal variable over the homes, and starts up to
    ``storage_start_spread_h`` after the valley begins; what is not full when the valley ends stays empty.
    """
    daily = OutdoorCourse(
        hour=outdoor.hour,
        temperature_c=outdoor.daily_mean_c,
        daily_mean_c=outdoor.daily_mean_c,
        smoothed_c=outdoor.smoothed_c,
        solar_w_per_m2=np.zeros(len(outdoor.hour)),
        humidity_percent=outdoor.humidity_percent,
    )
    need_kw = heat_need_w_per_m2(daily, house["target_living_c"], house) * device.heated_area_m2 / 1000.0
    charge_h = house["storage_heat_share"] * _DAY_H * need_kw / device.rated_kw
    length_h = (house["valley_end_hour"] - house["valley_start_hour"]) % _DAY_H
    since_h = np.mod(outdoor.hour - house["valley_start_hour"], _DAY_H)
    in_valley = since_h < length_h
    sigma = house["need_sigma_ln"]
    middle = np.log(np.maximum(charge_h, 1e-9)) - sigma**2 / 2.0
    charging = np.zeros(len(outdoor.hour))
    for delay_h in house["storage_start_spread_h"] * (np.arange(_START_POINTS) + 0.5) / _START_POINTS:
        elapsed = np.maximum(since_h - delay_h, 1e-9)
        unfinished = ndtr((middle - np.log(elapsed)) / sigma)
        charging += np.where(since_h >= delay_h, unfinished, 0.0) / _START_POINTS
    use = daily_use(outdoor.daily_mean_c, house, full_time=True)
    mean = np.where(in_valley, use * charging * ceiling, 0.0) + device.standby_ratio
    single = np.where(in_valley, ceiling, device.standby_ratio)
    return np.minimum(mean, single), single
