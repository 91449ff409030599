"""Heated zones in plain Python, one zone and one step after the other: what everybody would write first.

Written from the equations alone, with its own clock, its own random numbers and no compiled code; only the drawn zones
and the curves of the devices are those of the package.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd

from gridcheck.demand.devices import cop_and_heat
from gridcheck.demand.households.kernel import PERIODS, STORAGE

WORD = 2**64 - 1


def number_of(key, day, purpose):
    """Return the uniform number of a zone, a day and a purpose (SplitMix64)."""
    bits = (key + day * 0x9E3779B97F4A7C15 + purpose * 0xD1B54A32D192ED03) & WORD
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & WORD
    return (((bits ^ (bits >> 31)) >> 11) + 0.5) / 2**53


def courses(weather, parameters):
    """Return what all zones share, as lists with a value for each step."""
    step_h = weather.step_h
    local = pd.DatetimeIndex(weather.time_utc).tz_localize("UTC").tz_convert("Asia/Shanghai")
    date, house = local.normalize(), parameters.house
    daily = pd.Series(weather.temperature_c, index=date).groupby(level=0).mean()
    hour = (local - date).total_seconds().to_numpy() / 3600.0 + step_h / 2.0
    since_valley = (hour - house["valley_start_hour"]) % 24.0
    is_valley = since_valley < (house["valley_end_hour"] - house["valley_start_hour"]) % 24.0
    damped, level = [], float(weather.temperature_c[: round(24.0 / step_h)].mean())
    for outdoor in weather.temperature_c.tolist():
        level += (1.0 - math.exp(-step_h / house["curve_damping_h"])) * (outdoor - level)
        damped.append(level)
    curves = [cop_and_heat(d, weather.temperature_c, weather.humidity_percent, house) for d in parameters.devices]
    return SimpleNamespace(
        step_s=step_h * 3600.0,
        hour=hour.tolist(),
        day=((date - date[0]).days).tolist(),
        first_day=(date[0] - pd.Timestamp("1970-01-01", tz=date.tz)).round("D").days,
        daily=[*daily.tolist(), float(daily.iloc[-1])],
        outdoor=weather.temperature_c.tolist(),
        damped=damped,
        sun=weather.solar_w_per_m2.tolist(),
        valley=np.where(is_valley, since_valley, -1.0).tolist(),
        heat=[
            [
                0.0 if outdoor < d.min_outdoor_c else ratio
                for outdoor, ratio in zip(weather.temperature_c, heat, strict=True)
            ]
            for d, (_, heat) in zip(parameters.devices, curves, strict=True)
        ],
        cop=[cop.tolist() for cop, _ in curves],
    )


class Day:
    """What a zone does on one day, counted from 1970: whether it is used, when, and whether it runs through."""

    def __init__(self, zone, day, mean_c):
        radius = math.sqrt(-2.0 * math.log(number_of(zone.key, day, 2)))
        angle = 2.0 * math.pi * number_of(zone.key, day, 3)
        early, late = radius * math.cos(angle) * zone.jitter_h, radius * math.sin(angle) * zone.jitter_h
        self.periods = [(on + early, off + late) for on, off in zip(zone.on_hour, zone.off_hour, strict=True)]
        chance = 1.0 / (1.0 + math.exp(-(zone.use_a - zone.use_b_per_k * (mean_c - zone.use_t0_c))))
        frost = 1.0 / (1.0 + math.exp(-zone.through_b_per_k * (zone.through_t0_c - mean_c)))
        self.is_used, self.runs_through = number_of(zone.key, day, 1) < chance, zone.through_u < frost

    def covers(self, hour):
        return any(on <= hour < off for on, off in self.periods)

    def reaches(self, hour):
        """Whether a period of this day still lasts at an hour of the next one."""
        return any(hour + 24.0 < off for _, off in self.periods)


def zone_power_w(zone, shared, supply):  # noqa: PLR0912, PLR0915 - one plain loop is the point of it
    """Return the mean power of one zone in every step and its room temperature at the end. [W], [degC]"""
    z = SimpleNamespace(**{name: zone[name].tolist() for name in zone.dtype.names})
    dt, by_minute = shared.step_s, shared.step_s <= 60.0
    air = mass = z.target_c - 3.0
    emitted, store, debt, runs = 0.0, z.store_j / 2.0, number_of(z.key, -1, 4), False
    supplied_s = stopped_s = 1e9
    yesterday = today = Day(z, shared.first_day - 1, shared.daily[0])
    number, power, room, order, was_valley = -1, [], [], 0.0, False
    for t, hour in enumerate(shared.hour):
        if shared.day[t] != number:
            number = shared.day[t]
            yesterday, today = today, Day(z, shared.first_day + number, shared.daily[number])
        if z.use == PERIODS:
            wanted = yesterday.is_used and yesterday.reaches(hour)
            wanted = wanted or (today.is_used and (today.runs_through or today.covers(hour)))
        else:
            wanted = today.is_used
        target = z.target_c
        if z.setback_k > 0.0 and not (today.covers(hour) or yesterday.reaches(hour)):
            target -= z.setback_k
        if supply[t]:
            able = min(max((supplied_s + dt - z.restart_s) / dt, 0.0), 1.0)
            target -= z.lowered_k if wanted and supplied_s < z.lowered_s else 0.0
            supplied_s += dt
        else:
            able, supplied_s = 0.0, 0.0

        if z.foresees and not wanted:
            wanted, target = True, z.frost_c
        most_heat = z.heat_w * shared.heat[z.device][t]
        most_input = most_heat / shared.cop[z.device][t] / z.field_factor
        stands = most_heat == 0.0
        if most_input > z.max_input_w and z.use != STORAGE:
            most_heat, most_input = most_heat * z.max_input_w / most_input, z.max_input_w
        lagging = z.a_heat * (1.0 - z.emitter_share) * emitted
        free = z.aa * air + z.am * mass + z.ao * shared.outdoor[t] + z.a_sun * shared.sun[t] + z.a_gain + lagging
        ahead = 0.0
        if z.foresees and not stands:
            ahead = z.loss_w_per_k * (target - z.gain_k - shared.damped[t]) / most_heat
            ahead += 0.3 * max(target - 1.0 - air, 0.0)

        def drawn_at(share, most_input=most_input):
            return most_input * share * (z.no_load + (1.0 - z.no_load) * share)

        heat, drawn, ran, runs = 0.0, 0.0, runs, False
        if z.use == STORAGE:
            is_valley = shared.valley[t] >= 0.0
            if is_valley and not was_valley:
                coming = shared.daily[number + 1 if hour >= 12.0 else number]
                order = z.store_share * z.loss_w_per_k * max(z.target_c - coming, 0.0) * 86400.0 - store
            was_valley = is_valley
            wish = min((target - free) / z.a_heat, most_heat) if wanted else 0.0
            heat = min(max(wish, z.store_leak * store / dt), store / dt)
            store -= heat * dt
            if shared.valley[t] >= z.valley_delay_h:
                drawn = max(min(z.max_input_w * able, order / dt, (z.store_j - store) / dt), 0.0)
                store, order = store + drawn * dt, order - drawn * dt
        elif stands:
            pass
        elif wanted and able > 0.0 and by_minute:
            band = 0.5 if ran else -0.5
            runs = air < target + z.offset_k + band and (ran or stopped_s >= 180.0)
            if runs:
                share = 1.0
                if z.is_inverter:
                    share = z.gain_minute_per_k * (target + z.offset_k - air) + (ahead if z.foresees else z.least_share)
                    share = min(max(share, z.least_share), 1.0)
                heat, drawn = most_heat * able * share, drawn_at(able * share)
        elif wanted and able > 0.0:
            share = z.gain_per_k * (target + z.offset_k - free) + ahead
            share /= 1.0 + most_heat * z.gain_per_k * z.a_heat * z.emitter_share
            share = able * min(max(share, 0.0), 1.0)
            heat = most_heat * share
            if z.is_inverter:
                drawn = min(share / z.least_share, 1.0) * drawn_at(max(share, z.least_share))
            else:
                debt += share
                if debt >= 1.0:
                    debt, drawn = debt - 1.0, most_input
        stopped_s = 0.0 if ran and not runs else stopped_s + dt

        now = z.emitter_share * heat
        into = now + (1.0 - z.emitter_share) * emitted
        emitted = heat + (emitted - heat) * z.emitter_keep
        warmed = free + z.a_heat * now
        if z.backup_w > 0.0 and wanted and able > 0.0 and warmed < target - 2.0:
            backup = min(z.backup_w * able, (target - 2.0 - warmed) / z.a_heat)
            warmed, into, drawn = warmed + z.a_heat * backup, into + backup, drawn + backup
        mass = (
            z.ma * air + z.mm * mass + z.mo * shared.outdoor[t] + z.m_sun * shared.sun[t] + z.m_gain + z.m_heat * into
        )
        air = warmed
        power.append(drawn + z.standby_w if supply[t] else drawn)
        room.append(air)
    return power, room


def simulate_in_a_loop(zones, weather, parameters, *, n_group, supply=None):
    """Return the power of each group [kW] and the mean room temperature of each zone [degC] in the study window."""
    shared = courses(weather, parameters)
    supply = [True] * len(weather.time_utc) if supply is None else supply.tolist()
    power_kw, room_c = np.zeros((n_group, len(weather.time_utc[weather.study]))), np.zeros(len(zones))
    for number, zone in enumerate(zones):
        power, room = zone_power_w(zone, shared, supply)
        power_kw[zone["group"]] += np.array(power)[weather.study] / 1000.0
        room_c[number] = np.mean(room[weather.study])
    return power_kw, room_c
