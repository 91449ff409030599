"""Time and memory of N-1 in every step, for whole counties.

``make bench`` runs it at full size and prints the table. Otherwise it is a smoke test of one county and few steps.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridcheck.cases import FactoredLoads
from gridcheck.checks.hourly_n_minus_1 import STEPS_AT_A_TIME, hourly_n_minus_1
from gridcheck.county_study import CountyTask, feeder_loads, prepare_county
from gridcheck.network import CountyGrid
from gridcheck.scenario import read_scenario
from tests.performance.contest import peak_mb

ROOT = Path(__file__).parents[2]
COUNTIES = ("140827-yuanqu", "140881-yongji")
# Target for all twelve counties on two cores. [min]
MINUTES = 15.0


@pytest.fixture(scope="module")
def is_timed(request):
    return request.config.getoption("--timing", default=False)


def studied(name: str, n_step: int) -> tuple[CountyGrid, FactoredLoads]:
    """Return a county and the loads of the first steps of its cold wave, repeated where there are not as many."""
    scenario = read_scenario(ROOT / "scenarios" / "cold-wave.toml")
    case = prepare_county(
        CountyTask(
            county_code=name[:6], folder=ROOT / "networks" / name, scenario=scenario, applications=None,
            applications_source="",
        )
    )  # fmt: skip
    loads = feeder_loads(case, case.counts)
    steps = np.arange(n_step) % loads.n_case
    return case.grid, replace(loads, profile=loads.profile[steps], duration_h=loads.duration_h[steps])


def n_area(name: str) -> int:
    return len(pd.read_csv(ROOT / "networks" / name / "areas.csv"))


def test_every_section_in_every_step(is_timed):
    n_step = 480 if is_timed else 6
    rows = {}
    for name in COUNTIES if is_timed else COUNTIES[:1]:
        grid, loads = studied(name, n_step)
        start = time.perf_counter()
        feeders = hourly_n_minus_1(grid, loads, threads=2)
        rows[name] = {
            "seconds": time.perf_counter() - start,
            "areas": n_area(name),
            "outages": sum(len(feeder.by_outage) for feeder in feeders),
            "ways": sum(outage.ways for feeder in feeders for outage in feeder.by_outage),
            "with more ways": sum(outage.has_more_ways for feeder in feeders for outage in feeder.by_outage),
            "feeders that fail": sum(feeder.failing_hours > 0 for feeder in feeders),
        }
        assert len(feeders) == len(grid.feeders)
        assert all(feeder.hours == pytest.approx(loads.duration_h.sum()) for feeder in feeders)
    if is_timed:
        table = pd.DataFrame(rows)
        every = sum(n_area(folder.name) for folder in (ROOT / "networks").iterdir() if folder.is_dir())
        minutes = table.loc["seconds"].sum() / table.loc["areas"].sum() * every / 60.0
        print(f"\nN-1 of every section and outlet in {n_step} steps, with hosting capacity, 2 threads")
        print(table.map("{:,.1f}".format).to_string())
        print(f"All twelve counties, in proportion to their areas: {minutes:.1f} min")
        assert minutes < MINUTES


def test_memory_does_not_grow_with_the_steps(is_timed):
    n_short = STEPS_AT_A_TIME if is_timed else 4
    n_long = 5 * n_short if is_timed else 8
    peaks = []
    for n_step in (n_short, n_long):
        grid, loads = studied(COUNTIES[0], n_step)
        peaks.append(peak_mb(lambda grid=grid, loads=loads: hourly_n_minus_1(grid, loads, threads=2)))
    if is_timed:
        print(f"\nPeak memory of {COUNTIES[0]}: {peaks[0]:,.0f} MB in {n_short} steps, {peaks[1]:,.0f} MB in {n_long}")
        assert peaks[1] <= 1.1 * peaks[0] + 1.0
