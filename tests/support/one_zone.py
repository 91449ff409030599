"""One heated zone in plain Python, from the equations in the docstrings, for comparison with the kernel."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
from scipy.linalg import expm

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.devices import cop_and_heat
from gridcheck.demand.festival import days_from_new_year
from gridcheck.demand.households import Homes, heated_zones, zones
from gridcheck.demand.households.thermal import Envelope, response
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.houses import smooth
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather

ALL_BITS = 2**64 - 1
ALWAYS, PERIODS, STORAGE = 0, 1, 2


def zones_and_envelope(
    homes: Homes, parameters: DemandParameters, *, seed: int, step_s: float
) -> tuple[ZoneArray, Envelope]:
    """Return zones, each in a group of its own, and the envelope that their response was made from."""
    seen: list[Envelope] = []

    def watched(envelope: Envelope, step_s: float) -> Any:
        seen.append(envelope)
        return response(envelope, step_s)

    with mock.patch.object(zones, "response", watched):
        drawn = heated_zones(homes, parameters, seed=seed, step_s=step_s)
    drawn["group"] = np.arange(len(drawn))
    return drawn, seen[0]


@dataclass
class Course:
    """What one zone does: per step of the weather, warm-up included."""

    power_w: FloatArray
    heat_w: FloatArray
    air_c: FloatArray
    mass_c: FloatArray
    stored_j: FloatArray
    mean_air_c: FloatArray
    mean_mass_c: FloatArray
    on_share: FloatArray
    full_w: FloatArray


def chance(key: int, day: int, number: int) -> float:
    """SplitMix64, once more, in whole numbers without an end."""
    bits = (key + day * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & ALL_BITS
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & ALL_BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & ALL_BITS
    bits ^= bits >> 31
    return ((bits >> 11) + 0.5) / 2.0**53


class OneZone:
    """Equations (1) to (5), with the exponential of a matrix instead of a closed form."""

    def __init__(
        self, zone: Any, envelope: Envelope, position: int, weather: Weather, parameters: DemandParameters
    ) -> None:
        # Plain numbers: numpy's own would warn of overflow where the hash wants it.
        self.z = SimpleNamespace(**{name: zone[name].tolist() for name in zone.dtype.names})
        self.e = SimpleNamespace(
            **{name: float(getattr(envelope, name)[position]) for name in envelope.__dataclass_fields__}
        )
        self.step_s = weather.step_h * 3600.0
        self.weather = weather
        house, time = parameters.house, weather.time_utc
        self.hour = local_hour(time) + weather.step_h / 2.0
        day = local_day(time)
        self.date = [moment.toordinal() - date(1970, 1, 1).toordinal() for moment in day.tolist()]
        self.festival_day = days_from_new_year(day)
        by_date: dict[int, list[float]] = defaultdict(list)
        for number, outdoor_c in zip(self.date, weather.temperature_c.tolist(), strict=True):
            by_date[number].append(outdoor_c)
        self.daily_c = {number: sum(values) / len(values) for number, values in by_date.items()}
        # Nobody knows the days before and behind the weather: they are as the one next to them.
        self.daily_c[self.date[0] - 1] = self.daily_c[self.date[0]]
        self.daily_c[self.date[-1] + 1] = self.daily_c[self.date[-1]]
        device = parameters.devices[self.z.device]
        self.cop, self.heat_ratio = cop_and_heat(device, weather.temperature_c, weather.humidity_percent, house)
        self.damped_c = smooth(weather.temperature_c, step_h=weather.step_h, time_constant_h=house["curve_damping_h"])
        stands = weather.temperature_c < device.min_outdoor_c
        self.heat_ratio = np.where(stands, 0.0, self.heat_ratio)
        self.leak_per_h = -math.log(1.0 - self.z.store_leak) * 3600.0 / self.step_s
        self.valley_start, self.valley_end = house["valley_start_hour"], house["valley_end_hour"]
        self._matrices()

    def _matrices(self) -> None:
        """State air, mass, their integrals, and inputs outdoors, sun, heat, gain in one exponential."""
        e = self.e
        a = np.zeros((8, 8))
        a[0, 0], a[0, 1] = -(e.inside_w_per_k + e.air_loss_w_per_k), e.inside_w_per_k
        a[0, 4:] = e.air_loss_w_per_k, e.aperture_m2 / 2.0, 1.0, e.gain_w
        a[0] /= e.air_j_per_k
        a[1, 0], a[1, 1] = e.inside_w_per_k, -(e.inside_w_per_k + e.mass_loss_w_per_k)
        a[1, 4:6] = e.mass_loss_w_per_k, e.aperture_m2 / 2.0
        a[1] /= e.mass_j_per_k
        a[2, 0] = a[3, 1] = 1.0
        self.transition = expm(a * self.step_s)

    def moved(self, air_c: float, mass_c: float, t: int, heat_w: float) -> FloatArray:
        """Air and mass at the end of a step, and their means over it."""
        w = self.weather
        state = np.array([air_c, mass_c, 0.0, 0.0, w.temperature_c[t], w.solar_w_per_m2[t], heat_w, 1.0])
        after = (self.transition @ state)[:4]
        after[2:] /= self.step_s
        return after

    def periods(self, day: int) -> list[tuple[float, float]]:
        z = self.z
        radius = math.sqrt(-2.0 * math.log(chance(z.key, day, 2)))
        angle = 2.0 * math.pi * chance(z.key, day, 3)
        early, late = z.jitter_h * radius * math.cos(angle), z.jitter_h * radius * math.sin(angle)
        return [(on + early, off + late) for on, off in zip(z.on_hour, z.off_hour, strict=True)]

    def is_used(self, day: int) -> bool:
        z = self.z
        argument = z.use_a - z.use_b_per_k * (self.daily_c[day] - z.use_t0_c)
        return chance(z.key, day, 1) < 1.0 / (1.0 + math.exp(-argument))

    def is_in_period(self, t: int, *, today: bool, yesterday: bool) -> bool:
        day, hour = self.date[t], self.hour[t]
        if today and any(on <= hour < off for on, off in self.periods(day)):
            return True
        return yesterday and any(hour + 24.0 < off for _, off in self.periods(day - 1))

    def is_somebody_home(self, t: int) -> bool:
        return bool(self.z.back_day <= self.festival_day[t] < self.z.gone_day)

    def wish(self, t: int) -> tuple[bool, float]:
        """Whether the zone is to be warm, and how warm."""
        z, day = self.z, self.date[t]
        used, was_used = self.is_used(day), self.is_used(day - 1)
        wanted = used
        if z.use == PERIODS:
            through = z.through_u < 1.0 / (1.0 + math.exp(-z.through_b_per_k * (z.through_t0_c - self.daily_c[day])))
            wanted = (used and through) or self.is_in_period(t, today=used, yesterday=was_used)
        if not wanted or not self.is_somebody_home(t):
            # Pipes with water in them are kept from freezing, whoever is away or saves.
            return z.foresees, z.frost_c
        lowered = z.setback_k > 0.0 and not self.is_in_period(t, today=True, yesterday=True)
        return wanted, z.target_c - (z.setback_k if lowered else 0.0)

    def foreseen(self, target_c: float, air_c: float, t: int, full_heat_w: float) -> float:
        z = self.z
        if not z.foresees or not full_heat_w:
            return 0.0
        steady_w = z.loss_w_per_k * (target_c - z.gain_k - self.damped_c[t])
        return steady_w / full_heat_w + 0.3 * max(target_c - 1.0 - air_c, 0.0)

    def hours_of_valley(self, t: int) -> float | None:
        """Hours since the valley tariff began, if it is valley."""
        since_h = float((self.hour[t] - self.valley_start) % 24.0)
        return since_h if since_h < (self.valley_end - self.valley_start) % 24.0 else None

    def order(self, t: int, stored_j: float) -> float:
        """What is bought in the valley that begins: a share of the loss of 24 hours of the day that it serves."""
        z = self.z
        served = self.date[t] + (1 if self.hour[t] >= 12.0 else 0)
        loss_j = 24.0 * 3600.0 * z.loss_w_per_k * (z.target_c - self.daily_c[served])
        return max(z.store_share * max(loss_j, 0.0) - stored_j, 0.0)

    def storage(
        self, t: int, stored_j: float, ordered_j: float, asked_w: float, available: float
    ) -> tuple[float, float, float, float]:
        """Heat given, power drawn, what is stored and still to be bought afterwards."""
        z, step_s = self.z, self.step_s
        since_h = self.hours_of_valley(t)
        if since_h is None:
            ordered_j = 0.0
        elif t == 0 or self.hours_of_valley(t - 1) is None:
            ordered_j = self.order(t, stored_j)
        lost_j = stored_j * (1.0 - math.exp(-self.leak_per_h * step_s / 3600.0))
        given_j = min(max(asked_w * step_s, lost_j), stored_j)
        left_j = stored_j - given_j
        drawn_j = 0.0
        if since_h is not None and since_h >= z.valley_delay_h and self.is_somebody_home(t):
            drawn_j = min(z.max_input_w * available * step_s, ordered_j, z.store_j - left_j)
        return given_j / step_s, drawn_j / step_s, left_j + drawn_j, ordered_j - drawn_j

    def full_speed(self, t: int) -> tuple[float, float]:
        """Heat and input at full speed, both cut where the input of a compressor would be beyond the nameplate.

        What gives no heat now, or heat that it took before, has its nameplate as full input.
        """
        z, heat_w = self.z, self.z.heat_w * self.heat_ratio[t]
        if z.use == STORAGE or not heat_w:
            return heat_w, z.max_input_w
        input_w = heat_w / (self.cop[t] * z.field_factor)
        cut = min(z.max_input_w / input_w, 1.0)
        return heat_w * cut, input_w * cut

    def thermostat(self, target_c: float, air_c: float, since_stop_s: float, *, was_running: bool) -> bool:
        middle_c = target_c + self.z.offset_k
        if was_running:
            return air_c < middle_c + 0.5
        return since_stop_s >= 180.0 and air_c < middle_c - 0.5

    def minute_share(self, target_c: float, air_c: float, ahead: float) -> float:
        z = self.z
        if not z.is_inverter:
            return 1.0
        ask = z.gain_minute_per_k * (target_c + z.offset_k - air_c) + (ahead if z.foresees else z.least_share)
        return min(max(ask, z.least_share), 1.0)

    def follow(self, supply: BoolArray) -> Course:  # noqa: PLR0915
        z, step_s, by_minute = self.z, self.step_s, self.step_s <= 60.0
        air_c = mass_c = z.target_c - 3.0
        emitted_w, stored_j, ordered_j, debt = 0.0, z.store_j / 2.0, 0.0, chance(z.key, -1, 4)
        runs, since_stop_s, since_supply_s = False, 1e9, 1e9
        rows = []
        for t in range(len(supply)):
            wanted, target_c = self.wish(t)
            available = 0.0
            if supply[t]:
                available = min(max(since_supply_s + step_s - z.restart_s, 0.0) / step_s, 1.0)
                since_supply_s += step_s
            else:
                since_supply_s = 0.0
            full_heat_w, full_w = self.full_speed(t)
            # Equation (5) over the step: what the heater makes reaches the room in part, the rest comes from before.
            at_once = z.emitter_share
            before_w = (1.0 - at_once) * emitted_w
            free_c = self.moved(air_c, mass_c, t, before_w)[0]
            per_w = self.transition[0, 6]
            ahead = self.foreseen(target_c, air_c, t, full_heat_w)
            heat_w, drawn_w, on_share, was_running, runs = 0.0, 0.0, 0.0, runs, False
            if z.use == STORAGE:
                asked_w = min((target_c - free_c) / per_w, full_heat_w) if wanted else 0.0
                heat_w, drawn_w, stored_j, ordered_j = self.storage(t, stored_j, ordered_j, asked_w, available)
                on_share = drawn_w / z.max_input_w
            elif wanted and available > 0.0 and full_heat_w > 0.0 and by_minute:
                runs = self.thermostat(target_c, air_c, since_stop_s, was_running=was_running)
                if runs:
                    share = available * self.minute_share(target_c, air_c, ahead)
                    heat_w, on_share = share * full_heat_w, available
                    drawn_w = full_w * share * (z.no_load + (1.0 - z.no_load) * share)
            elif wanted and available > 0.0 and full_heat_w > 0.0:
                ask = z.gain_per_k * (target_c + z.offset_k - free_c) + ahead
                share = available * min(max(ask / (1.0 + full_heat_w * z.gain_per_k * per_w * at_once), 0.0), 1.0)
                heat_w = share * full_heat_w
                if z.is_inverter:
                    level = max(share, z.least_share)
                    on_share = share / level
                    drawn_w = share * full_w * (z.no_load + (1.0 - z.no_load) * level)
                else:
                    debt += share
                    if debt >= 1.0:
                        debt, drawn_w, on_share = debt - 1.0, full_w, 1.0
            since_stop_s = 0.0 if was_running and not runs else since_stop_s + step_s
            into_w = at_once * heat_w + before_w
            emitted_w = heat_w + (emitted_w - heat_w) * z.emitter_keep
            cold_k = target_c - 2.0 - self.moved(air_c, mass_c, t, into_w)[0]
            if z.backup_w > 0.0 and wanted and available > 0.0 and cold_k > 0.0:
                backup_w = min(z.backup_w * available, cold_k / per_w)
                into_w, drawn_w = into_w + backup_w, drawn_w + backup_w
            air_c, mass_c, mean_air_c, mean_mass_c = self.moved(air_c, mass_c, t, into_w)
            drawn_w += z.standby_w if supply[t] else 0.0
            rows.append((drawn_w, into_w, air_c, mass_c, stored_j, mean_air_c, mean_mass_c, on_share, full_w))
        return Course(*np.array(rows).T)
