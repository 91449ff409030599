"""What is known of electric heating elsewhere, and what the simulated homes make of it: ten targets.

No metered set of converted villages is open, so the targets come from laboratory statistics, field studies of other
places and simulations of others. Each is held with the tolerance that was published with it, and says how strong the
evidence is. One month of 15-minute readings of converted areas outranks all of them (`gridcheck.demand.calibration`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.catalogue import DEVICE_CLASSES, class_devices
from gridcheck.demand.devices import cop_and_heat
from gridcheck.demand.households import SimulatedHeating, draw_homes, heated_zones, simulate, simulate_base
from gridcheck.demand.households.kernel import STORAGE
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.parameters import DemandParameters, default_parameters
from gridcheck.demand.pick_up import pick_up
from gridcheck.demand.seasonal import seasonal_cop
from gridcheck.demand.targets import INSIDE, Check, Range, Target, Tolerance
from gridcheck.demand.weather import Weather, in_minutes, scenario_weather, steady_days, typical_weather

AIR_AIR, AIR_WATER = DEVICE_CLASSES.index("air_air_heat_pump"), DEVICE_CLASSES.index("air_water_heat_pump")
DESIGN_C = -5.0
"""Mean temperature of the design day of the basin. [degC]"""

MIX = (0.45, 0.35, 0.05, 0.12, 0.03)
"""Shares of the classes in a village of mixed heating, in the order of ``DEVICE_CLASSES``."""

_SEASON = date(2025, 11, 15)
_SEASON_DAYS = 121
_QUARTER_S, _MINUTE_S = 900.0, 60.0
_WINTERS = 10
_RESTORED_HOUR = 18.5
_TEN_PERCENT, _AT_MOST_ALL = Tolerance(percent=10.0), Tolerance(most=1.0)

_SOLID, _ONE_HOUSE, _ABROAD, _SIMULATED, _SOFT = (
    ("可靠", "solid"), ("仅一户实测", "one house"), ("欧洲数据", "European"), ("据实测行为模拟", "simulated elsewhere"),
    ("较弱", "soft"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crowd:
    """Homes of one class in one weather."""

    zones: ZoneArray
    result: SimulatedHeating
    area_m2: FloatArray

    @property
    def power_kw(self) -> FloatArray:
        return self.result.power_kw.astype(np.float64)

    def home_kwh(self) -> float:
        """Return the mean energy of a home. [kWh]"""
        return float(self.result.energy_kwh.sum() / len(self.result.power_kw))


def _crowd(device: int, weather: Weather, parameters: DemandParameters, *, seed: int, n_home: int) -> _Crowd:
    homes = draw_homes(np.arange(device * n_home, (device + 1) * n_home), np.full(n_home, device), seed=seed)
    zones = heated_zones(homes, parameters, seed=seed, step_s=_QUARTER_S)
    result = simulate(zones, weather, parameters, n_group=n_home)
    return _Crowd(zones=zones, result=result, area_m2=zones["area_m2"])


def validate_demand(
    parameters: DemandParameters | None = None,
    *,
    seed: int = 2025,
    n_home: int = 1500,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Target, ...]:
    """Hold the simulated homes against the ten targets.

    Parameters
    ----------
    parameters : DemandParameters, optional
        Parameters of the model; the catalogue's by default.
    seed : int
        Seed of homes and weather.
    n_home : int
        Homes of each class.
    progress : callable, optional
        Called with targets done and targets in all.
    """
    chosen = default_parameters() if parameters is None else parameters
    season = scenario_weather("140802", start=_SEASON, days=_SEASON_DAYS, wave="none", seed=seed)
    in_season = {device: _crowd(device, season, chosen, seed=seed, n_home=n_home) for device in (AIR_AIR, AIR_WATER)}
    on_design_day = {
        device: _crowd(device, steady_days(DESIGN_C), chosen, seed=seed, n_home=n_home)
        for device in (AIR_AIR, AIR_WATER)
    }
    beijing = typical_weather("beijing", start=date(2026, 1, 12), days=75, seed=seed)
    in_beijing = _crowd(AIR_AIR, beijing, chosen, seed=seed, n_home=n_home)
    tasks: list[Callable[[], Target]] = [
        lambda: _cop_air_air(chosen),
        lambda: _cop_air_water(chosen, in_season[AIR_WATER], season),
        lambda: _zone_energy(in_beijing),
        lambda: _zone_use(in_beijing, beijing),
        lambda: _temperature_response(in_season, season),
        lambda: _diversity(in_season, on_design_day[AIR_AIR]),
        lambda: _hydronic_day(on_design_day[AIR_WATER]),
        lambda: _village_day(on_design_day[AIR_AIR], chosen, seed=seed),
        lambda: _restoration(chosen, seed=seed, n_home=n_home),
        lambda: _season(in_season),
    ]
    targets = []
    for done, task in enumerate(tasks):
        targets.append(task())
        if progress is not None:
            progress(done + 1, len(tasks))
    return tuple(targets)


def _cop_air_air(parameters: DemandParameters) -> Target:
    device = parameters.devices[AIR_AIR]
    checks = [
        _check(f"COP {at_c:g} °C", float(np.interp(at_c, device.temperature_c, device.cop)), cop, _TEN_PERCENT)
        for at_c, cop in ((8.3, 3.7), (-8.3, 2.6), (-15.0, 2.2), (-25.0, 1.8))
    ]
    return _target(
        1, "热风机满速 COP", "full-speed COP, air-to-air", checks, _SOLID, "NEEP via resdx; Shanxi field test"
    )


def _cop_air_water(parameters: DemandParameters, crowd: _Crowd, season: Weather) -> Target:
    device = parameters.devices[AIR_WATER]
    checks = [
        _check(f"COP {at_c:g} °C", float(np.interp(at_c, device.temperature_c, device.cop)), cop, _TEN_PERCENT)
        for at_c, cop in ((7.0, 3.85), (-7.0, 2.45), (-15.0, 2.03), (-22.0, 1.60))
    ]
    seasonal = float(crowd.result.heat_kwh.sum() / crowd.result.energy_kwh.sum())
    cold = seasonal_cop(class_devices()[DEVICE_CLASSES[AIR_WATER]], season, parameters=parameters).cold_cop
    checks += [
        _check("季 season", seasonal, 2.8, _between(2.5, 3.3)),
        _check("T < −5 °C，型录 curve", np.nan if cold is None else cold, 2.3, _between(2.0, 2.5)),
    ]
    return _target(2, "空气源热水机 COP", "COP, air-to-water", checks, _SOLID, "Keymark; UK and Shanxi field tests")


def _zone_energy(crowd: _Crowd) -> Target:
    low, high = np.quantile(crowd.result.energy_kwh / crowd.area_m2, [0.05, 0.95])
    checks = [
        _check("p5 kWh/m²", float(low), 6.7, _between(4.0, 10.0)),
        _check("p95 kWh/m²", float(high), 37.3, _between(30.0, 45.0)),
    ]
    return _target(
        3, "北京典型年热风机单室用电", "energy of a room, Beijing 12 Jan to 27 Mar", checks, _ONE_HOUSE, "Ma 2020"
    )


def _zone_use(crowd: _Crowd, weather: Weather) -> Target:
    hours = len(weather.time_utc[weather.study]) * weather.step_h
    on_h = np.maximum(crowd.result.on_h, 1e-9)
    ran = crowd.result.on_h > 0.0
    per_area = 1000.0 * crowd.result.energy_kwh / on_h / crowd.area_m2
    checks = [
        _check("运行率 share on", float(np.median(crowd.result.on_h / hours)), (0.06, 0.59), _between(0.25, 0.45)),
        _check("W/m²", float(np.median(per_area[ran])), (34.0, 97.0), _between(45.0, 75.0)),
    ]
    return _target(4, "热风机运行率与运行功率", "how long and how hard a room unit runs", checks, _ONE_HOUSE, "Ma 2020")


def _daily_mean(value: FloatArray) -> FloatArray:
    return np.asarray(value.reshape(-1, 96).mean(axis=1))


def _temperature_response(crowds: dict[int, _Crowd], season: Weather) -> Target:
    mean_c = _daily_mean(season.temperature_c[season.study])
    checks = []
    for name, device in (("热风机 air-air", AIR_AIR), ("热水机 air-water", AIR_WATER)):
        power = _daily_mean(crowds[device].power_kw.mean(axis=0))
        cold = mean_c < 8.0
        slope, level = np.polyfit(mean_c[cold], power[cold], 1)
        percent_per_k = float(100.0 * slope / (level - 10.0 * slope))
        checks.append(_check(f"{name} %/K", percent_per_k, -3.4, _between(-5.0, -3.0)))
    return _target(
        5, "日均负荷随日均气温", "diversified demand against daily mean temperature", checks, _SOLID, "BDEW profile"
    )


def _diversity(crowds: dict[int, _Crowd], design: _Crowd) -> Target:
    def ratio(device: int) -> float:
        power = crowds[device].power_kw
        return float(power.mean(axis=0).max() / power.max(axis=1).mean())

    power = design.power_kw
    n = len(power) // 40 * 40
    forty = power[:n].reshape(-1, 40, power.shape[1]).mean(axis=1).max(axis=1).mean()
    checks = [
        _check("热风机 N=∞/N=1", ratio(AIR_AIR), 0.43, _between(0.40, 0.65)),
        # The published number lies in the range of intermittent heating; for continuous heating there is a range only.
        _check("热水机 N=∞/N=1", ratio(AIR_WATER), None, _between(0.65, 0.85)),
        _check("热风机 N=40 kW", float(forty), 1.2, _between(0.9, 1.7)),
    ]
    return _target(6, "最大负荷的同时性", "peak of many homes over that of one", checks, _ABROAD, "Love 2017; Flanders")


def _hydronic_day(crowd: _Crowd) -> Target:
    lowered = np.zeros(len(crowd.result.power_kw), dtype=bool)
    lowered[crowd.zones["home"][crowd.zones["setback_k"] > 0.0]] = True
    day = crowd.power_kw[~lowered].mean(axis=0)
    by_hour = day.reshape(24, -1).mean(axis=1)
    # The times are published without a tolerance, so they are shown and not counted. An hour stands at its middle.
    checks = [
        _check("最大/平均 max/mean", float(day.max() / day.mean()), 1.06, Tolerance(most=1.25)),
        _check("最小/平均 min/mean", float(day.min() / day.mean()), 0.92, Tolerance(least=0.75)),
        _check("最小时刻 time of min h", float(by_hour.argmin() + 0.5), (13.0, 16.0), INSIDE, counts=False),
        _check("最大时刻 time of max h", float(by_hour.argmax() + 0.5), (3.0, 8.0), INSIDE, counts=False),
    ]
    return _target(
        7, "连续运行热水系统的设计日", "design day of continuous hydronic heating", checks, _ABROAD,
        "BDEW; Beijing simulation",
    )  # fmt: skip


def _village_day(crowd: _Crowd, parameters: DemandParameters, *, seed: int) -> Target:
    """As a meter sees it: heating and everything else."""
    n = len(crowd.result.power_kw)
    base, _ = simulate_base(np.arange(n), steady_days(DESIGN_C), parameters, seed=seed, group=np.arange(n), n_group=n)
    home = crowd.power_kw + base
    village = home.sum(axis=0)
    checks = [
        _check("户负荷率 load rate", float(np.median(home.mean(axis=1) / home.max(axis=1))), (0.21, 0.39), INSIDE),
        _check(
            "户峰谷差率 peak-valley", float(np.median(1.0 - home.min(axis=1) / home.max(axis=1))), (0.89, 0.95), INSIDE
        ),
        _check("村峰谷差率 village", float(1.0 - village.min() / village.max()), (0.41, 0.60), INSIDE),
    ]
    return _target(8, "热风机户与村的设计日", "design day of homes and village", checks, _SIMULATED, "Chen 2024")


def _restoration(parameters: DemandParameters, *, seed: int, n_home: int) -> Target:
    counts = np.round(np.array(MIX) * n_home).astype(np.int64)
    device = np.repeat(np.arange(len(MIX)), counts)
    homes = draw_homes(np.arange(len(device)), device, seed=seed)
    zones = heated_zones(homes, parameters, seed=seed, step_s=_MINUTE_S)
    checks: list[Check] = []
    for mean_c, target in ((0.0, (2.0, 3.0)), (-5.0, (1.6, 2.2)), (-10.0, (1.3, 1.7))):
        # The mean of the day; around it the temperature swings as on a mean day, and the sun shines.
        weather = steady_days(mean_c, days=2)
        event = pick_up(zones, in_minutes(weather), parameters, restored_hour=_RESTORED_HOUR, outage_h=2.0)
        full_kw = _full_speed_kw(zones, weather, parameters)[: len(event.course_kw)]
        checks += [
            _check(f"{mean_c:g} °C", event.ratio, target, Tolerance(percent=20.0)),
            _check(f"{mean_c:g} °C h", event.above_h, (1.0, 6.0), INSIDE),
            _check(f"{mean_c:g} °C 满速 of full speed", float((event.course_kw / full_kw).max()), None, _AT_MOST_ALL),
            _check(f"{mean_c:g} °C 补回 repaid", event.repaid_kwh / event.not_served_kwh, None, _AT_MOST_ALL),
        ]
    return _target(9, "停电2小时后的恢复负荷", "load after an outage of 2 h", checks, _SOFT, "2-3 x rule; Hachmann")


def _full_speed_kw(zones: ZoneArray, weather: Weather, parameters: DemandParameters) -> FloatArray:
    """Return what all heaters together draw at full speed, by quarters of an hour from the return of supply. [kW]"""
    first = weather.study.start + round(_RESTORED_HOUR / weather.step_h)
    after = slice(first, weather.study.stop)
    total_w = np.zeros(after.stop - after.start)
    for position, device in enumerate(parameters.devices):
        own = zones[zones["device"] == position]
        cop, heat = cop_and_heat(
            device, weather.temperature_c[after], weather.humidity_percent[after], parameters.house
        )
        full_w = (own["heat_w"] / own["field_factor"])[:, None] * heat / cop
        # A store draws what its elements are rated at, whatever the weather.
        full_w = np.where((own["use"] == STORAGE)[:, None], np.inf, full_w)
        total_w += np.minimum(full_w, own["max_input_w"][:, None]).sum(axis=0)
    return (total_w + float((zones["backup_w"] + zones["standby_w"]).sum())) / 1000.0


def _season(crowds: dict[int, _Crowd]) -> Target:
    winters = [
        scenario_weather("140802", start=_SEASON, days=_SEASON_DAYS, wave="none", seed=seed) for seed in range(_WINTERS)
    ]
    courses = [winter.temperature_c[winter.study] for winter in winters]
    degree_days = [np.maximum(18.0 - _daily_mean(course), 0.0).sum() for course in courses]
    cold_c = float(np.mean([np.quantile(course, 0.01) for course in courses]))
    checks = [
        _check("热风机 kWh", crowds[AIR_AIR].home_kwh(), (800.0, 1600.0), Tolerance(percent=25.0)),
        _check("热水机 kWh", crowds[AIR_WATER].home_kwh(), (2500.0, 4500.0), Tolerance(percent=25.0)),
        _check("季均温 mean °C", float(np.mean(courses)), 2.7, Tolerance(plus_minus=0.3, unit="K")),
        _check("HDD18", float(np.mean(degree_days)), 1846.0, Tolerance(percent=4.0)),
        _check("p1 °C", cold_c, -8.0, Tolerance(plus_minus=0.7, unit="K")),
    ]
    return _target(
        10, "采暖季用电与天气", "electricity of a season, and its weather", checks, _SOFT,
        "typical-year statistics (weather: solid); practice",
    )  # fmt: skip


def _between(least: float, most: float) -> Tolerance:
    return Tolerance(least=least, most=most)


def _check(
    name: str, value: float, target: float | Range | None, tolerance: Tolerance, *, counts: bool = True
) -> Check:
    return Check(name=name, value=value, target=target, tolerance=tolerance, counts=counts)


def _target(
    number: int, quantity_zh: str, quantity_en: str, checks: list[Check], strength: tuple[str, str], source: str
) -> Target:
    return Target(
        number=number,
        quantity_zh=quantity_zh,
        quantity_en=quantity_en,
        checks=tuple(checks),
        strength_zh=strength[0],
        strength_en=strength[1],
        source=source,
    )
