"""Speed of the simulated homes beside a plain loop: ratios from one run on one machine, never seconds.

With ``--timing`` a district of 50,000 homes over a whole season; otherwise a smoke test in which both must agree.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import in_minutes, steady_days
from tests.performance.contest import best_seconds
from tests.support.household_loop import simulate_in_a_loop
from tests.support.mixed_homes import SEED, mixed_zones, peak_memory_mb, winter

SEASON_DAYS = 121
# How many times faster than the loop one thread has to be per zone and step, at least.
LEAST_RATIO = 80.0
GIB_MB = 1024.0


@dataclass(frozen=True)
class Size:
    is_timed: bool
    n_home: int
    n_area: int
    days: int
    n_home_growth: int
    n_home_loop: int
    repeats: int


@pytest.fixture(scope="module")
def size(request):
    if request.config.getoption("--timing", default=False):
        return Size(
            is_timed=True, n_home=50_000, n_area=500, days=SEASON_DAYS, n_home_growth=4000, n_home_loop=100, repeats=4
        )
    return Size(is_timed=False, n_home=300, n_area=3, days=2, n_home_growth=100, n_home_loop=20, repeats=1)


def an_outage(weather):
    """Supply that fails from 16:30 to 18:30 on the first day of the window."""
    supply, begin = np.ones(len(weather.time_utc), dtype=bool), weather.study.start
    supply[begin + round(16.5 / weather.step_h) : begin + round(18.5 / weather.step_h)] = False
    return supply


@pytest.mark.parametrize(
    ("weather", "homes_per_class"),
    [(winter(5), 8), (steady_days(-8.0), 8), (in_minutes(steady_days(-3.0)), 2)],
    ids=["winter", "hard frost", "by the minute"],
)
def test_homes_agree_with_a_plain_loop(weather, homes_per_class):
    n_home, parameters, supply = homes_per_class * len(DEVICE_CLASSES), default_parameters(), an_outage(weather)
    homes = draw_homes(np.arange(n_home), np.arange(n_home) % len(DEVICE_CLASSES), seed=SEED)
    zones = heated_zones(homes, parameters, seed=SEED, step_s=weather.step_h * 3600.0)
    zones["lowered_s"], zones["lowered_k"] = 1800.0, 2.0

    own = simulate(zones, weather, parameters, n_group=n_home, supply=supply)
    power_kw, room_c = simulate_in_a_loop(zones, weather, parameters, n_group=n_home, supply=supply)

    np.testing.assert_allclose(own.power_kw, power_kw, rtol=3e-7, atol=1e-6)  # kept in single precision
    np.testing.assert_allclose(own.room_c, room_c, rtol=0, atol=1e-9)


def seconds_of(run):
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def test_a_district_over_a_season(size):
    parameters, weather, short = default_parameters(), winter(size.days), winter(1)
    zones, few = mixed_zones(size.n_home, size.n_area), mixed_zones(size.n_home_loop, 1)
    simulate(few, short, parameters, n_group=1)

    loop_s, _ = seconds_of(lambda: simulate_in_a_loop(few, short, parameters, n_group=1))
    one_s, one = seconds_of(lambda: simulate(zones, weather, parameters, n_group=size.n_area, threads=1))
    two_s, two = seconds_of(lambda: simulate(zones, weather, parameters, n_group=size.n_area, threads=2))

    np.testing.assert_array_equal(one.power_kw, two.power_kw)
    if size.is_timed:
        n_step, n_study = len(weather.time_utc), one.power_kw.shape[1]
        work, loop_work = len(zones) * n_step, len(few) * len(short.time_utc)
        print(
            f"\nA season of {size.n_home:,} homes ({len(zones):,} zones) in {size.n_area} areas: {n_study:,} steps of"
            f" 15 min, {n_step - n_study} before them to warm up\n"
            f"  {'':<52} {'seconds':>9} {'ns/zone and step':>17} {'ratio':>8}"
        )
        rows = {
            f"plain Python loop, scaled from {len(few)} zones, {len(short.time_utc)} steps": loop_s / loop_work * work,
            "gridcheck simulate, 1 thread": one_s,
            "gridcheck simulate, 2 threads": two_s,
        }
        first = next(iter(rows.values()))
        for name, spent_s in rows.items():
            print(f"  {name:<52} {spent_s:>9,.1f} {spent_s / work * 1e9:>17,.1f} {first / spent_s:>7,.1f}x")
        assert first / one_s >= LEAST_RATIO


def test_time_grows_with_homes_and_steps_and_shrinks_with_threads(size):
    parameters, once, twice = default_parameters(), winter(20), winter(50)
    assert len(twice.time_utc) == 2 * len(once.time_utc)  # ten days of each warm the houses up
    zones, more = mixed_zones(size.n_home_growth, 40), mixed_zones(2 * size.n_home_growth, 80)

    def run(zones, weather, threads=1):
        return lambda: simulate(zones, weather, parameters, n_group=80, threads=threads)

    runs = {
        "once": run(zones, once),
        "twice the homes": run(more, once),
        "twice the steps": run(zones, twice),
        "two threads": run(zones, once, threads=2),
    }
    seconds = pd.Series(best_seconds(runs, repeats=size.repeats))
    if size.is_timed:
        growth = seconds / seconds["once"]
        print(f"\nTimes as long as {size.n_home_growth:,} homes, {len(once.time_utc):,} steps, one thread")
        print(growth.map("{:.2f}".format).to_string())
        assert growth["twice the homes"] <= 2.2
        assert growth["twice the steps"] <= 2.2
        assert growth["two threads"] <= 1 / 1.5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the resident set is read from Linux's /proc")
def test_memory_of_a_district(size):
    peak_mb = peak_memory_mb(size.n_home, size.n_area, size.days)

    assert max(peak_mb.values()) < 2 * GIB_MB
    if size.is_timed:
        print(f"\nPeak memory over the interpreter: {size.n_home:,} homes, {size.days} days, 2 threads")
        print(pd.Series(peak_mb).map("{:,.0f} MB".format).to_string())
