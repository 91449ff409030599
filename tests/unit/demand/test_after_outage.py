"""How long the load after an outage takes to fall back, beside the same homes simulated and compared anew."""

from __future__ import annotations

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.after_outage import HOMES, after_outage, calm_down_minutes
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.profiles import ClassProfiles
from gridcheck.demand.weather import steady_days

PARAMETERS = default_parameters()
WEATHER = steady_days(-5.0, days=2)
CLASSES = ("base", "air_air_heat_pump", "resistive_heater")
SEED = 3


@pytest.fixture(scope="module", name="profiles")
def profiles_of_two_classes() -> ClassProfiles:
    """Base load of 0.4 kW, heaters at 0.3 and 0.5 of their rated input all the time."""
    first, last, _ = WEATHER.study.indices(len(WEATHER.time_utc))
    mean = np.tile([0.4, 0.3, 0.5], (last - first, 1))
    return ClassProfiles(
        classes=CLASSES, time_utc=WEATHER.time_utc[first:last], temperature_c=WEATHER.temperature_c[first:last],
        duration_h=WEATHER.step_h, mean=mean, single=2.0 * mean, alpha=np.ones(3), tan_phi=np.zeros(3),
    )  # fmt: skip


@pytest.fixture(scope="module", name="after")
def profiles_after_two_hours(profiles: ClassProfiles) -> ClassProfiles:
    return after_outage(profiles, WEATHER, PARAMETERS, outage_h=2.0, seed=SEED)


def minutes(profiles: ClassProfiles, after: ClassProfiles, *rated_kw: float, outage_h: float = 2.0) -> float:
    return calm_down_minutes(profiles, after, WEATHER, PARAMETERS, rated_kw=np.array(rated_kw), outage=(outage_h, SEED))


def courses(name: str, back: int, outage_h: float) -> tuple[np.ndarray, np.ndarray]:
    """Simulate the homes of a class over all the weather, without and with an outage that ends at a step."""
    device = DEVICE_CLASSES.index(name)
    homes = draw_homes(np.arange(HOMES), np.full(HOMES, device), seed=SEED)
    zones = heated_zones(
        homes, PARAMETERS, seed=SEED, step_s=WEATHER.step_h * 3600.0, group=np.zeros(HOMES, dtype=np.int64)
    )
    supply = np.ones(len(WEATHER.time_utc), dtype=bool)
    first = WEATHER.study.start
    supply[first + back - round(outage_h / WEATHER.step_h) : first + back] = False
    normal, course = (
        simulate(zones, WEATHER, PARAMETERS, n_group=1, supply=given).power_kw[0].astype(float)
        for given in (None, supply)
    )
    return normal, course


def test_it_is_the_last_quarter_hour_above_a_tenth_more(profiles: ClassProfiles, after: ClassProfiles) -> None:
    rated = np.array([100.0, 40.0, 60.0])
    n_step, per_h = len(profiles.mean), round(1.0 / WEATHER.step_h)
    added = ((after.mean - profiles.mean) @ rated)[: n_step - 6 * per_h]
    back = int(np.argmax(added))
    load, usual, last_above = 0.0, 0.0, 0
    pairs = [courses(name, back, 2.0) for name in CLASSES[1:]]
    for t in range(back, min(back + 12 * per_h, n_step)):
        load = usual = rated[0] * 0.4
        for kw, mean, name, (normal, course) in zip(rated[1:], (0.3, 0.5), CLASSES[1:], pairs, strict=True):
            most = max(PARAMETERS.devices[DEVICE_CLASSES.index(name)].max_input_ratio, mean)
            load += kw * min(mean * (course[t] / normal[t] if normal[t] > 0 else 1.0), most)
            usual += kw * mean
        if load > 1.1 * usual:
            last_above = t - back + 1

    found = minutes(profiles, after, *rated)

    assert last_above > 0
    assert found == pytest.approx(last_above * WEATHER.step_h * 60.0)


def test_without_heaters_or_without_an_outage_nothing_has_to_fall_back(
    profiles: ClassProfiles, after: ClassProfiles
) -> None:
    assert minutes(profiles, after, 100.0, 0.0, 0.0) == 0.0
    assert minutes(profiles, profiles, 100.0, 40.0, 60.0) == 0.0


def test_few_heaters_among_much_base_load_are_calm_sooner(profiles: ClassProfiles, after: ClassProfiles) -> None:
    course = [minutes(profiles, after, base, 40.0, 0.0) for base in (0.0, 10.0, 30.0, 100.0, 10_000.0)]

    assert course[0] > 0.0
    assert course[-1] == 0.0
    assert course == sorted(course, reverse=True)
    assert all(value <= 12 * 60.0 for value in course)
