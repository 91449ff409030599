"""Simulate homes over a weather: their load by group and time, their energy, and how fast they cool down."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.devices import cop_and_heat
from gridcheck.demand.festival import days_from_new_year
from gridcheck.demand.households.kernel import (
    ENERGY_KWH,
    FULL_H,
    HEAT_KWH,
    LOWEST_C,
    N_KEPT,
    ON_H,
    ROOM_C,
    follow_zones,
)  # fmt: skip
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.houses import smooth
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError

_NO_SUPPLY = "supply must be true or false at each of the {} steps of the weather. Got shape {}."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedHeating:
    """Heating of homes in the study window of a weather.

    Attributes
    ----------
    power_kw, reactive_kvar : ndarray of float32, shape (n_group, n_step)
        Mean power of each group in each step. [kW], [kvar]
    energy_kwh, heat_kwh, on_h, full_load_h, room_c, lowest_c : ndarray, shape (n_zone,)
        Electricity and heat of each zone, hours its heater ran, hours at full input with the same energy, mean
        and lowest room temperature. [kWh], [h], [degC]
    below_h : ndarray, shape (n_zone, n_threshold)
        Hours from the beginning of the outage until the room is colder than each threshold, NaN where it never is. [h]
    """

    power_kw: Float32Array
    reactive_kvar: Float32Array
    energy_kwh: FloatArray
    heat_kwh: FloatArray
    on_h: FloatArray
    full_load_h: FloatArray
    room_c: FloatArray
    lowest_c: FloatArray
    below_h: FloatArray


def simulate(
    zones: ZoneArray,
    weather: Weather,
    parameters: DemandParameters,
    *,
    n_group: int,
    supply: BoolArray | None = None,
    thresholds_c: tuple[float, ...] = (),
    threads: int | None = None,
) -> SimulatedHeating:
    """Simulate heated zones over a weather, its days before the study window included.

    Parameters
    ----------
    zones : ndarray of ZONE, shape (n_zone,)
        From `heated_zones`, for the step of the weather.
    weather : Weather
        Steps of 15 min, or of 1 min for events: a step of a minute or less has thermostats, a longer one their mean.
    parameters : DemandParameters
        Parameters of devices and houses.
    n_group : int
        Rows of the result.
    supply : ndarray of bool, shape (n_step,), optional
        False where the supply is off; always on where not given.
    thresholds_c : tuple of float
        Room temperatures whose undercutting after the first step without supply is wanted. [degC]
    threads : int, optional
        Threads; as many as the machine has where not given. The result does not depend on it.

    Returns
    -------
    SimulatedHeating

    Raises
    ------
    InputError
        If `supply` does not fit the weather, a group lies outside `n_group`, or a floor is no number above 0.
    """
    n_step = len(weather.time_utc)
    is_supplied = np.ones(n_step, dtype=bool) if supply is None else np.asarray(supply)
    if is_supplied.shape != (n_step,) or is_supplied.dtype != np.bool_:
        raise InputError(_NO_SUPPLY.format(n_step, is_supplied.shape))
    floors = zones["area_m2"]
    if not ((floors > 0.0) & np.isfinite(floors)).all():
        raise InputError(f"zones: area_m2 must be a number above 0 in every zone. Least is {floors.min():g} m2.")
    if len(zones) and not 0 <= zones["group"].min() <= zones["group"].max() < n_group:
        raise InputError(f"groups of zones must lie in [0, {n_group}).")
    begin, end, _ = weather.study.indices(n_step)
    hour, *tables = _tables(weather, parameters)
    kept, below = np.empty((len(zones), N_KEPT)), np.empty((len(zones), len(thresholds_c)))
    power, reactive = (np.zeros((n_group, end - begin), dtype=np.float32) for _ in range(2))
    outage = int(np.argmin(is_supplied)) if not is_supplied.all() else -1

    def follow(first: int, last: int) -> None:
        # As many steps as there are hours: what comes after the window is not followed.
        follow_zones(
            zones, first, last, hour[:end], *tables, is_supplied, begin, weather.step_h * 3600.0,
            np.array(thresholds_c, dtype=np.float64), outage, power, reactive, kept, below,
        )  # fmt: skip

    _share_out(follow, zones["group"], os.cpu_count() or 1 if threads is None else threads)
    return SimulatedHeating(
        power_kw=power,
        reactive_kvar=reactive,
        energy_kwh=kept[:, ENERGY_KWH],
        heat_kwh=kept[:, HEAT_KWH],
        on_h=kept[:, ON_H],
        full_load_h=kept[:, FULL_H],
        room_c=kept[:, ROOM_C],
        lowest_c=kept[:, LOWEST_C],
        below_h=below,
    )


def _share_out(follow: Callable[[int, int], None], group: IntArray, threads: int) -> None:
    """Give each thread whole groups, so that no two add to one row and sums keep their order."""
    n_zone = len(group)
    if threads <= 1 or n_zone < 2 or (np.diff(group) < 0).any():
        follow(0, n_zone)
        return
    starts = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1, [n_zone]])
    # Some more pieces than threads: one that is held up does fewer.
    wanted = np.linspace(0, n_zone, 4 * threads + 1)
    cuts = np.unique(starts[np.searchsorted(starts, wanted)])
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(follow, int(a), int(b)) for a, b in pairwise(cuts)]:
            done.result()


def _tables(weather: Weather, parameters: DemandParameters) -> tuple[FloatArray | IntArray, ...]:
    """Return what all zones share: times, daily means, weather, full output and inverse COP by class, valley."""
    time = weather.time_utc
    hour = local_hour(time) + 0.5 * weather.step_h
    festival_day = days_from_new_year(local_day(time))
    day = local_day(time).astype(np.int64)
    number = day - day[0]
    total, count = np.bincount(number, weights=weather.temperature_c), np.bincount(number)
    mean_c = total / count
    daily_mean_c = np.append(mean_c, mean_c[-1])
    pairs = [
        cop_and_heat(device, weather.temperature_c, weather.humidity_percent, parameters.house)
        for device in parameters.devices
    ]
    heat_ratio, inverse_cop = np.stack([heat for _, heat in pairs]), 1.0 / np.stack([cop for cop, _ in pairs])
    least_c = np.array([device.min_outdoor_c for device in parameters.devices])
    heat_ratio[weather.temperature_c < least_c[:, None]] = 0.0
    length_h = (parameters.house["valley_end_hour"] - parameters.house["valley_start_hour"]) % 24.0
    since_h = np.mod(hour - parameters.house["valley_start_hour"], 24.0)
    valley = np.where(since_h < length_h, since_h, -1.0)
    damped_c = smooth(weather.temperature_c, step_h=weather.step_h, time_constant_h=parameters.house["curve_damping_h"])
    return (
        hour, day, festival_day, daily_mean_c, weather.temperature_c, damped_c, weather.solar_w_per_m2, heat_ratio,
        inverse_cop, valley,
    )  # fmt: skip
