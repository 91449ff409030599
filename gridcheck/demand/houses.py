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
from scipy.special import expit

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
