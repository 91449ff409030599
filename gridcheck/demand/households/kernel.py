r"""The simulation of heated zones, step by step. Arrays in, arrays out.

A zone is followed through all steps before the next one is looked at, so its state stays in registers; what all zones
share, the weather and what it does to each class of device, has been written to tables beforehand. Equations (1) and
(2) are those of `thermal`; the rest is

.. math::
    \text{(3)}\quad & Q = Q_{max}\, \mathrm{clip}\!\left(
        \frac{k_p (T^* + \delta - T_a^0)}{1 + Q_{max} k_p g_a}, 0, 1\right) \\
    \text{(4)}\quad & P = \frac{Q}{\eta\, COP} \left(e_0 + (1 - e_0) \frac{Q}{Q_{max}}\right) \\
    \text{(5)}\quad & \tau\, \dot Q_e = Q - Q_e

(3) is the room's controller, implicit in the temperature at the end of the step: :math:`T_a^0` is what it would be
without heat. (4) is the input at part load, (5) the lag of radiators and floors. Steps of a quarter of an hour follow
(3); steps of a minute have a thermostat with hysteresis and a lock-out instead. What runs below its least part load
goes on and off: of an inverter the mean counts, a unit without one is on for whole steps, as many as its mean asks for.

A store buys once a night: when the valley tariff begins, what the coming day wants is weighed against what is left, and
so much is charged before the valley ends. It gives heat as fast as its fan allows, whatever its elements draw; what it
loses standing warms the room, wanted or not.

Nothing is added for an outage: supply is off for some steps, rooms cool, and everything that follows is the same
equations.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

MAKER: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# What is handed in outlives a call: counting references to it would take longer than the physics.
KERNEL: dict[str, Any] = {**MAKER, "_nrt": False}

ALWAYS, PERIODS, STORAGE = 0, 1, 2
"""Use of a zone: round the clock, in periods of the day, round the clock from a store."""

ENERGY_KWH, HEAT_KWH, ON_H, ROOM_C, LOWEST_C, FULL_H = range(6)
"""Columns of what is kept of each zone."""
N_KEPT = 6

_PERIODS = 3
# Estimates of practice. Backup elements help where the room is so much too cold. [K]
_BACKUP_BELOW_K = 2.0
# Half the hysteresis of a thermostat. [K]
_BAND_K = 0.5
# From so much below its target on, a thermostat asks a hydronic system for more, [K]
# by so much of its full output. [1/K]
_FAR_TOO_COLD_K = 1.0
_BOOST_PER_K = 0.3
# A compressor that has stopped stands still for so long. [s]
_LOCK_OUT_S = 180.0
_LONG_AGO_S = 1e9


@njit(**KERNEL)
def _unit(key: Any, day: int, number: int) -> Any:
    """Return a number in (0, 1) that belongs to a zone, a day and a purpose: `draws.mixed`, once more."""
    bits = key + np.uint64(day) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(number) * np.uint64(0xD1B54A32D192ED03)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits = bits ^ (bits >> np.uint64(31))
    return (float(bits >> np.uint64(11)) + 0.5) * 2.0**-53


@njit(**KERNEL)
def _is_used(zone: Any, day: int, mean_c: float) -> Any:
    """Whether somebody heats the zone on a day: more often in the cold."""
    argument = zone.use_a - zone.use_b_per_k * (mean_c - zone.use_t0_c)
    return _unit(zone.key, day, 1) * (1.0 + math.exp(-argument)) < 1.0


@njit(**KERNEL)
def _plan_day(zone: Any, day: int, begin: Any, end: Any) -> None:
    """Write begin and end of the heating periods of a day; an end on the next day is beyond 24. [h]"""
    radius = math.sqrt(-2.0 * math.log(_unit(zone.key, day, 2)))
    angle = 2.0 * math.pi * _unit(zone.key, day, 3)
    early, late = radius * math.cos(angle) * zone.jitter_h, radius * math.sin(angle) * zone.jitter_h
    for k in range(_PERIODS):
        begin[k] = zone.on_hour[k] + early
        end[k] = zone.off_hour[k] + late


@njit(**KERNEL)
def _is_within(hour: float, begin: Any, end: Any, ended: Any, was_used: Any, is_used: Any) -> Any:
    """Whether an hour lies in a period of its day, or in one that began on the day before."""
    for k in range(_PERIODS):
        if is_used and begin[k] <= hour < end[k]:
            return True
        if was_used and hour + 24.0 < ended[k]:
            return True
    return False


@njit(**KERNEL)
def _is_wanted(zone: Any, hour: float, begin: Any, end: Any, ended: Any, was_used: Any, used: Any, through: Any) -> Any:
    """Whether the zone is to be warm at an hour."""
    if zone.use != PERIODS or not used:
        return used or (was_used and zone.use == PERIODS and _is_within(hour, begin, end, ended, True, False))
    return through or _is_within(hour, begin, end, ended, was_used, True)


@njit(**KERNEL)
def _foreseen(zone: Any, target_c: float, air_c: float, damped_c: float, full_heat_w: float) -> Any:
    """Share of the full output that a hydronic system gives before the room trims it.

    The water follows the damped outdoor temperature; in a room that is far too cold a thermostat asks for all there is.
    """
    if not zone.foresees:
        return 0.0
    cold_k = max(target_c - _FAR_TOO_COLD_K - air_c, 0.0)
    return zone.loss_w_per_k * (target_c - zone.gain_k - damped_c) / full_heat_w + _BOOST_PER_K * cold_k


@njit(**KERNEL)
def _mean_share(zone: Any, target_c: float, free_c: float, foreseen: float, full_heat_w: float) -> Any:
    """Equation (3): share of the full output in a long step."""
    ask = zone.gain_per_k * (target_c + zone.offset_k - free_c) + foreseen
    share = ask / (1.0 + full_heat_w * zone.gain_per_k * zone.a_heat * zone.emitter_share)
    return min(max(share, 0.0), 1.0)


@njit(**KERNEL)
def _starts(zone: Any, target_c: float, air_c: float, runs: Any, since_stop_s: float) -> Any:
    """Thermostat of a short step: whether the heater runs."""
    if runs:
        return air_c < target_c + zone.offset_k + _BAND_K
    return air_c < target_c + zone.offset_k - _BAND_K and since_stop_s >= _LOCK_OUT_S


@njit(**KERNEL)
def _minute_share(zone: Any, target_c: float, air_c: float, foreseen: float) -> Any:
    """Share of the full output at which a heater that runs does so."""
    if not zone.is_inverter:
        return 1.0
    ask = zone.gain_minute_per_k * (target_c + zone.offset_k - air_c)
    ask += foreseen if zone.foresees else zone.least_share
    return min(max(ask, zone.least_share), 1.0)


@njit(**KERNEL)
def _input(zone: Any, share: float, full_w: float) -> Any:
    """Equation (4): electric input at a share of the full output. [W]"""
    return full_w * share * (zone.no_load + (1.0 - zone.no_load) * share)


@njit(**KERNEL)
def _to_charge(zone: Any, stored_j: float, coming_c: float) -> Any:
    """Energy a store buys in one valley: what it is to give on the coming day, less what it still holds. [J]"""
    need_w = zone.loss_w_per_k * max(zone.target_c - coming_c, 0.0)
    return max(zone.store_share * need_w * 86400.0 - stored_j, 0.0)


@njit(**KERNEL)
def _keep(
    kept: Any, drawn_w: float, into_w: float, on_share: float, full_w: float, air_c: float, step_h: float
) -> None:
    """Add a step to what is kept of a zone."""
    kept[ENERGY_KWH] += 1e-3 * drawn_w * step_h
    kept[HEAT_KWH] += 1e-3 * into_w * step_h
    kept[ON_H] += on_share * step_h
    kept[FULL_H] += drawn_w / full_w * step_h
    kept[ROOM_C] += air_c * step_h
    kept[LOWEST_C] = min(kept[LOWEST_C], air_c)


@njit(**KERNEL)
def _follow(
    zone: Any, hour: Any, day: Any, festival_day: Any, daily_mean_c: Any, outdoor_c: Any, damped_c: Any, sun: Any,
    heat_ratio: Any, inverse_cop: Any, valley: Any, supply: Any, begin_step: int, step_s: float, thresholds_c: Any,
    outage_step: int, power_kw: Any, reactive_kvar: Any, kept: Any, below_h: Any, begin: Any, end: Any, ended: Any,
) -> None:  # fmt: skip
    """Follow one zone through all steps; arguments as in `follow_zones`, rows of this zone."""
    by_minute = step_s <= 60.0
    air_c, mass_c, emitted_w = zone.target_c - 3.0, zone.target_c - 3.0, 0.0
    stored_j, to_charge_j, debt = 0.5 * zone.store_j, 0.0, _unit(zone.key, -1, 4)
    since_supply_s, since_stop_s = _LONG_AGO_S, _LONG_AGO_S
    # The evening before has periods that reach into the first day; its weather is taken to be that of the first day.
    today, through, runs = day[0] - 1, False, False
    used = was_used = _is_used(zone, today, daily_mean_c[0])
    _plan_day(zone, today, begin, end)
    for t in range(hour.shape[0]):
        if day[t] != today:
            today, was_used = day[t], used
            for k in range(_PERIODS):
                ended[k] = end[k]
            _plan_day(zone, today, begin, end)
            mean_c, coming_mean_c = daily_mean_c[today - day[0]], daily_mean_c[today - day[0] + 1]
            used = _is_used(zone, today, mean_c)
            # In a hard frost few switch off between their periods.
            frost_k = zone.through_t0_c - mean_c
            through = zone.through_u * (1.0 + math.exp(-zone.through_b_per_k * frost_k)) < 1.0
        wanted = _is_wanted(zone, hour[t], begin, end, ended, was_used, used, through)
        target_c = zone.target_c
        if zone.setback_k > 0.0 and not _is_within(hour[t], begin, end, ended, True, True):
            target_c -= zone.setback_k
        available = 0.0
        if supply[t]:
            available = min(max((since_supply_s + step_s - zone.restart_s) / step_s, 0.0), 1.0)
            if since_supply_s < zone.lowered_s:
                target_c -= zone.lowered_k
            since_supply_s += step_s
        else:
            since_supply_s = 0.0
        is_home = zone.back_day <= festival_day[t] < zone.gone_day
        if not (is_home and wanted):
            # Rooms grow cold; water must not freeze.
            wanted, target_c = zone.foresees, zone.frost_c
        full_heat_w = zone.heat_w * heat_ratio[zone.device, t]
        full_w = full_heat_w * inverse_cop[zone.device, t] / zone.field_factor
        if zone.use == STORAGE or full_heat_w == 0.0:
            # Not tied to the heat of the step: a store gives what it took before, a unit in too hard a frost stops.
            full_w = zone.max_input_w
        elif full_w > zone.max_input_w:
            full_heat_w, full_w = full_heat_w * zone.max_input_w / full_w, zone.max_input_w
        share_now = zone.emitter_share
        # The room as it would be without the heat of this step.
        free_c = (
            zone.aa * air_c + zone.am * mass_c + zone.ao * outdoor_c[t] + zone.a_sun * sun[t] + zone.a_gain
            + zone.a_heat * (1.0 - share_now) * emitted_w
        )  # fmt: skip
        drawn_w, heat_w, on_share, was_running = 0.0, 0.0, 0.0, runs
        runs = False
        if zone.use == STORAGE:
            if valley[t] >= 0.0 and (t == 0 or valley[t - 1] < 0.0):
                to_charge_j = _to_charge(zone, stored_j, coming_mean_c if hour[t] >= 12.0 else mean_c)
            heat_w = zone.store_leak * stored_j / step_s
            if wanted:
                heat_w = max(min((target_c - free_c) / zone.a_heat, full_heat_w, stored_j / step_s), heat_w)
            stored_j -= heat_w * step_s
            if is_home and valley[t] >= zone.valley_delay_h:
                drawn_w = min(zone.max_input_w * available, min(to_charge_j, zone.store_j - stored_j) / step_s)
                to_charge_j -= drawn_w * step_s
                stored_j += drawn_w * step_s
                on_share = drawn_w / zone.max_input_w
        elif not (wanted and available > 0.0 and full_heat_w > 0.0):
            pass
        elif by_minute:
            runs = _starts(zone, target_c, air_c, was_running, since_stop_s)
            if runs:
                foreseen = _foreseen(zone, target_c, air_c, damped_c[t], full_heat_w)
                share = available * _minute_share(zone, target_c, air_c, foreseen)
                heat_w, drawn_w, on_share = full_heat_w * share, _input(zone, share, full_w), available
        else:
            foreseen = _foreseen(zone, target_c, air_c, damped_c[t], full_heat_w)
            share = available * _mean_share(zone, target_c, free_c, foreseen, full_heat_w)
            heat_w = full_heat_w * share
            if zone.is_inverter:
                level = max(share, zone.least_share)
                on_share = share / level
                drawn_w = on_share * _input(zone, level, full_w)
            else:
                debt += share
                if debt >= 1.0:
                    debt -= 1.0
                    drawn_w, on_share = full_w, 1.0
        since_stop_s = 0.0 if was_running and not runs else since_stop_s + step_s
        into_w = share_now * heat_w + (1.0 - share_now) * emitted_w
        emitted_w = heat_w + (emitted_w - heat_w) * zone.emitter_keep
        warmed_c = free_c + zone.a_heat * share_now * heat_w
        if zone.backup_w > 0.0 and wanted and available > 0.0 and warmed_c < target_c - _BACKUP_BELOW_K:
            backup_w = min(zone.backup_w * available, (target_c - _BACKUP_BELOW_K - warmed_c) / zone.a_heat)
            warmed_c += zone.a_heat * backup_w
            into_w += backup_w
            drawn_w += backup_w
        mass_c = (
            zone.ma * air_c + zone.mm * mass_c + zone.mo * outdoor_c[t] + zone.m_sun * sun[t] + zone.m_gain
            + zone.m_heat * into_w
        )  # fmt: skip
        air_c = warmed_c
        if supply[t]:
            drawn_w += zone.standby_w
        if outage_step >= 0 and t >= outage_step:
            for k in range(thresholds_c.shape[0]):
                if np.isnan(below_h[k]) and air_c < thresholds_c[k]:
                    below_h[k] = (t + 1 - outage_step) * step_s / 3600.0
        if t >= begin_step:
            power_kw[t - begin_step] += 1e-3 * drawn_w
            reactive_kvar[t - begin_step] += 1e-3 * drawn_w * zone.tan_phi
            _keep(kept, drawn_w, into_w, on_share, full_w, air_c, step_s / 3600.0)


@njit(**MAKER)
def follow_zones(
    zones: Any, first: int, last: int, hour: Any, day: Any, festival_day: Any, daily_mean_c: Any, outdoor_c: Any,
    damped_c: Any, sun: Any, heat_ratio: Any, inverse_cop: Any, valley: Any, supply: Any, begin_step: int,
    step_s: float, thresholds_c: Any, outage_step: int, power_kw: Any, reactive_kvar: Any, kept: Any, below_h: Any,
) -> None:  # fmt: skip
    """Follow zones `first` to `last` through all steps.

    Parameters
    ----------
    zones : (n_zone,) records of `zones.ZONE`
    first, last : int
        Zones to follow.
    hour : (n_step,) float64
        Local hour in the middle of each step.
    day : (n_step,) int64
        Local calendar day of each step, counted from 1970: a day has its luck whenever a weather begins.
    festival_day : (n_step,) float64
        Days from New Year's Day of the Chinese calendar. [d]
    daily_mean_c : (n_day + 1,) float64
        Mean outdoor temperature of each day and of the one behind the last. [degC]
    outdoor_c, damped_c, sun : (n_step,) float64
        Outdoor temperature, as the controller of a hydronic system sees it, irradiance. [degC], [W/m2]
    heat_ratio, inverse_cop : (n_device, n_step) float64
        Full output over rated output, zero where the device stops; input over output there. [1]
    valley : (n_step,) float64
        Hours since the valley tariff began, negative outside it. [h]
    supply : (n_step,) bool
    begin_step : int
        First step that counts; what lies before it warms the houses up.
    step_s : float
        Length of a step; of a minute or less: thermostats instead of means. [s]
    thresholds_c : (n_threshold,) float64
        Room temperatures whose first undercutting after `outage_step` is kept. [degC]
    power_kw, reactive_kvar : (n_group, n_step - begin_step) float32, added to
    kept : (n_zone, N_KEPT) float64, written
    below_h : (n_zone, n_threshold) float64, written: hours after `outage_step`, NaN where never
    """
    begin, end, ended = np.zeros(_PERIODS), np.zeros(_PERIODS), np.zeros(_PERIODS)
    hours = (hour.shape[0] - begin_step) * step_s / 3600.0
    for z in range(first, last):
        kept[z, :] = 0.0
        kept[z, LOWEST_C] = np.inf
        below_h[z, :] = np.nan
        group = zones[z].group
        _follow(
            zones[z], hour, day, festival_day, daily_mean_c, outdoor_c, damped_c, sun, heat_ratio, inverse_cop, valley,
            supply, begin_step, step_s, thresholds_c, outage_step, power_kw[group], reactive_kvar[group], kept[z],
            below_h[z], begin, end, ended,
        )  # fmt: skip
        kept[z, ROOM_C] /= hours


@njit(**KERNEL)
def follow_base(
    key: Any, level: Any, shift_h: Any, back_day: Any, gone_day: Any, group: Any, first: int, last: int, quarter: Any,
    hour: Any, festival_day: Any, shape: Any, factor_kw: Any, appliance_kw: float, empty_kw: float, tan_phi: float,
    power_kw: Any, reactive_kvar: Any,
) -> None:  # fmt: skip
    """Add the base load of homes `first` to `last`: what never stops, and two appliances that run.

    Parameters
    ----------
    key : (n_home,) uint64
    level, shift_h : (n_home,) float64
        Consumption over that of the mean home; how much later than the mean home it lives. [1], [h]
    back_day, gone_day : (n_home,) float64
        First day at home and first day away again, counted as `festival_day`. [d]
    group : (n_home,) int64
    quarter : (n_step,) int64
        Number of the quarter of an hour of each step.
    hour : (n_step,) float64
        Local hour in the middle of each step.
    festival_day : (n_step,) float64
        Days from New Year's Day of the Chinese calendar. [d]
    shape : (24,) float64
        Course of a mean day, mean 1.
    factor_kw : (n_step,) float64
        Power of the mean home on a mean hour of that day. [kW]
    appliance_kw : float
        Mean power of an appliance while it runs; it lies between half of it and one and a half times it. [kW]
    empty_kw : float
        Power of a home while nobody is there. [kW]
    power_kw, reactive_kvar : (n_group, n_step) float32, added to
    """
    lowest = shape[0]
    for k in range(24):
        lowest = min(lowest, shape[k])
    for h in range(first, last):
        for t in range(hour.shape[0]):
            if not back_day[h] <= festival_day[t] < gone_day[h]:
                power_kw[group[h], t] += empty_kw
                reactive_kvar[group[h], t] += empty_kw * tan_phi
                continue
            at = (hour[t] - shift_h[h] - 0.5) % 24.0
            k = int(at)
            part = at - k
            course = shape[k] + part * (shape[(k + 1) % 24] - shape[k])
            mean_kw = level[h] * course * factor_kw[t]
            drawn_kw = level[h] * lowest * factor_kw[t]
            chance = min(0.5 * (mean_kw - drawn_kw) / appliance_kw, 1.0)
            for number in range(2):
                draw = _unit(key[h], quarter[t], 10 + number)
                if draw < chance:
                    # What is left of the draw is uniform again.
                    drawn_kw += appliance_kw * (0.5 + draw / chance)
            power_kw[group[h], t] += drawn_kw
            reactive_kvar[group[h], t] += drawn_kw * tan_phi
