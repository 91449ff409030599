r"""Houses and how they are used: memory of the walls, heat need, and the share of homes that heat at an hour.

All functions give the mean over many homes, so that no single home is simulated.

.. math:: Q(t) = U \left(T_{in} - T_e(t)\right) - G(t), \qquad
   T_e = \nu\, T_o + (1 - \nu)\, \tilde T_o

with :math:`\tilde T_o` the exponentially smoothed outdoor temperature and :math:`\nu` the share of the heat loss that
by-passes the walls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from scipy.special import expit, ndtr

from gridcheck.arrays import FloatArray

_DAY_H = 24.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutdoorCourse:
    """What houses and devices see of the weather; all arrays have shape (n,).

    Attributes
    ----------
    hour : ndarray
        Local hour of day. [h]
    temperature_c : ndarray
        Outdoor temperature. [degC]
    daily_mean_c : ndarray
        Mean over the 24 hours before. [degC]
    smoothed_c : ndarray
        Exponentially smoothed outdoor temperature. [degC]
    solar_w_per_m2 : ndarray
        Irradiance, half of it smoothed. [W/m2]
    humidity_percent : ndarray
        Relative humidity. [%]
    """

    hour: FloatArray
    temperature_c: FloatArray
    daily_mean_c: FloatArray
    smoothed_c: FloatArray
    solar_w_per_m2: FloatArray
    humidity_percent: FloatArray

    def window(self, study: slice) -> OutdoorCourse:
        """Return the course of a window; its memory of the days before stays."""
        return OutdoorCourse(**{field.name: getattr(self, field.name)[study] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One heating period of the day with random start and end over the homes.

    Attributes
    ----------
    on_hour, off_hour : float
        Mean local hour of start and end; an end before the start lies on the next day. [h]
    on_sigma_h, off_sigma_h : float
        Spread over the homes. [h]
    """

    on_hour: float
    off_hour: float
    on_sigma_h: float
    off_sigma_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A part of a class's rated input that is used alike.

    Attributes
    ----------
    weight : float
        Share of the class's rated input. [1]
    periods : tuple of Period
        Heating periods of the day; empty for heating round the clock.
    full_time : bool
        Whether the lasting full-time pattern of daily use applies, or that of part-time users.
    setback_k : float
        Lowering of the target outside the periods; 0 switches off instead. [K]
    """

    weight: float
    periods: tuple[Period, ...]
    full_time: bool
    setback_k: float = 0.0


def smooth(value: FloatArray, *, step_h: float, time_constant_h: float) -> FloatArray:
    r"""Return the exponentially smoothed course, starting from the mean of the first day, shape (n,).

    .. math:: y_i = y_{i-1} + (1 - e^{-\Delta t / \tau}) (x_i - y_{i-1})
    """
    gain = -math.expm1(-step_h / time_constant_h)
    level = float(value[: max(1, round(_DAY_H / step_h))].mean())
    result = np.empty(len(value))
    for position, current in enumerate(value.tolist()):
        level += gain * (current - level)
        result[position] = level
    return result


def trailing_mean(value: FloatArray, *, step_h: float) -> FloatArray:
    """Return the mean over the last 24 hours, the current step included; shorter at the beginning, shape (n,)."""
    window = max(1, round(_DAY_H / step_h))
    total = np.concatenate([[0.0], np.cumsum(value)])
    last = np.arange(1, len(value) + 1)
    first = np.maximum(last - window, 0)
    return np.asarray((total[last] - total[first]) / (last - first))


def heat_loss_w_per_k_m2(house: Mapping[str, float]) -> float:
    """Return the mean heat loss per floor area and kelvin over insulated and other homes. [W/(K m2)]"""
    insulated = house["insulated_share"]
    return (
        insulated * house["heat_loss_insulated_w_per_k_m2"]
        + (1.0 - insulated) * house["heat_loss_uninsulated_w_per_k_m2"]
    )


def heat_need_w_per_m2(outdoor: OutdoorCourse, target_c: FloatArray | float, house: Mapping[str, float]) -> FloatArray:
    """Return the heat that holds the target, per heated floor area, never negative, shape (n,). [W/m2]"""
    loss = heat_loss_w_per_k_m2(house)
    gain = house["internal_gain_w_per_m2"] + house["aperture_share"] * outdoor.solar_w_per_m2
    need = loss * (target_c - felt_temperature_c(outdoor, house)) - gain
    return np.asarray(house["thrift_factor"] * np.maximum(need, 0.0))


def felt_temperature_c(outdoor: OutdoorCourse, house: Mapping[str, float]) -> FloatArray:
    """Return the outdoor temperature as the house feels it, part of it through the walls, shape (n,). [degC]"""
    share = house["ventilation_share"]
    return share * outdoor.temperature_c + (1.0 - share) * outdoor.smoothed_c


def mean_target_c(house: Mapping[str, float], bedroom_share: float) -> float:
    """Return the mean indoor target of living rooms and bedrooms. [degC]"""
    return (1.0 - bedroom_share) * house["target_living_c"] + bedroom_share * house["target_bedroom_c"]


def share_on(hour: FloatArray, period: Period) -> FloatArray:
    r"""Return the share of homes inside a heating period at each hour, shape (n,). [1]

    Start and end are normal variables, so the share is a difference of normal distribution functions,
    summed over the days before and after:

    .. math:: s(h) = \sum_k \Phi\!\left(\frac{h + 24k - a}{\sigma_a}\right)
       - \Phi\!\left(\frac{h + 24k - b}{\sigma_b}\right)
    """
    off_hour = period.off_hour + (_DAY_H if period.off_hour <= period.on_hour else 0.0)
    result = np.zeros(len(hour))
    for shift in (-_DAY_H, 0.0, _DAY_H):
        started = ndtr((hour + shift - period.on_hour) / period.on_sigma_h)
        result += started - ndtr((hour + shift - off_hour) / period.off_sigma_h)
    # Wide spreads of short periods may cross by a hair.
    return np.clip(result, 0.0, 1.0)


def share_warming_up(hour: FloatArray, period: Period, duration_h: FloatArray) -> FloatArray:
    """Return the share of homes that began a period less than `duration_h` ago and are still in it, shape (n,). [1]"""
    result = np.zeros(len(hour))
    for shift in (-_DAY_H, 0.0, _DAY_H):
        since = hour + shift - period.on_hour
        result += ndtr(since / period.on_sigma_h) - ndtr((since - duration_h) / period.on_sigma_h)
    return np.minimum(np.clip(result, 0.0, 1.0), share_on(hour, period))


def daily_use(daily_mean_c: FloatArray, house: Mapping[str, float], *, full_time: bool) -> FloatArray:
    r"""Return the probability that a zone is heated on a day, shape (n,). [1]

    .. math:: E_z\!\left[\sigma\!\left(a - b (\bar T_d - T_0) + c z\right)\right]
       \approx \sigma\!\left(\frac{a - b (\bar T_d - T_0)}{\sqrt{1 + \pi c^2 / 8}}\right)

    z is the lasting thrift of a home, a standard normal variable.
    """
    name = "full" if full_time else "part"
    thrift = 0.0 if full_time else house["use_part_c"]
    argument = house[f"use_{name}_a"] - house[f"use_{name}_b_per_k"] * (daily_mean_c - house[f"use_{name}_t0_c"])
    return np.asarray(expit(argument / math.sqrt(1.0 + math.pi * thrift**2 / 8.0)))


def all_day_share(daily_mean_c: FloatArray, house: Mapping[str, float]) -> FloatArray:
    """Return the share of part-time homes that heat through the gaps between their periods, shape (n,). [1]

    In a hard frost few switch off: a logistic function of the daily mean.
    """
    return np.asarray(expit(house["all_day_b_per_k"] * (house["all_day_t0_c"] - daily_mean_c)))


def room_zones(house: Mapping[str, float]) -> tuple[Zone, ...]:
    """Return the zones of homes that heat single rooms: three use patterns, living rooms and bedrooms."""
    bedroom = house["night_room_share"]
    living = 1.0 - bedroom
    whole, part_space, part_time = (house[f"share_{name}"] for name in ("whole_house", "part_space", "part_time"))
    switch = house["living_switch_sigma_h"]
    on_hour, off_hour = house["living_on_hour"], house["living_off_hour"]
    day = (Period(on_hour=on_hour, off_hour=off_hour, on_sigma_h=switch, off_sigma_h=switch),)
    hours = (
        (on_hour, house["part_time_morning_off_hour"]),
        (house["part_time_noon_on_hour"], house["part_time_noon_off_hour"]),
        (house["part_time_evening_on_hour"], off_hour),
    )
    several = tuple(Period(on_hour=on, off_hour=off, on_sigma_h=switch, off_sigma_h=switch) for on, off in hours)
    bed_on, on_sigma, off_sigma = house["bedroom_on_hour"], house["bedroom_on_sigma_h"], house["bedroom_off_sigma_h"]
    night = (Period(on_hour=bed_on, off_hour=house["bedroom_off_hour"], on_sigma_h=on_sigma, off_sigma_h=off_sigma),)
    preheat_end = bed_on + house["bedroom_preheat_hours"]
    preheat = (Period(on_hour=bed_on, off_hour=preheat_end, on_sigma_h=on_sigma, off_sigma_h=on_sigma),)
    only_preheat = house["bedroom_preheat_share"]
    return (
        Zone(weight=whole, periods=(), full_time=True),
        Zone(weight=living * part_space, periods=day, full_time=False),
        Zone(weight=living * part_time, periods=several, full_time=False),
        Zone(weight=bedroom * part_space * (1.0 - only_preheat), periods=night, full_time=False),
        Zone(weight=bedroom * (part_space * only_preheat + part_time), periods=preheat, full_time=False),
    )


def house_zones(house: Mapping[str, float]) -> tuple[Zone, ...]:
    """Return the zones of homes heated as a whole through water: with and without night setback."""
    setback = house["setback_share"]
    sigma = house["setback_sigma_h"]
    warm = Period(
        on_hour=house["setback_on_hour"], off_hour=house["setback_off_hour"], on_sigma_h=sigma, off_sigma_h=sigma
    )
    return (
        Zone(weight=1.0 - setback, periods=(), full_time=True),
        Zone(weight=setback, periods=(warm,), full_time=True, setback_k=house["setback_k"]),
    )
