"""Speed of the queue beside the plain algorithm, which takes all cases of the whole tree for every application.

``make bench`` decides the queue of a large county both ways and prints the ratio; otherwise a small one, untimed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from gridcheck.connection import decide_queue, decide_queue_in_all_cases
from gridcheck.county_study import CountyTask, prepare_county
from gridcheck.scenario import read_scenario

ROOT = Path(__file__).parents[2]
SMALL, LARGE = "140827", "140881"


@dataclass(frozen=True)
class Size:
    is_timed: bool
    county_code: str


@pytest.fixture(scope="module")
def size(request):
    is_timed = request.config.getoption("--timing", default=False)
    return Size(is_timed=is_timed, county_code=LARGE if is_timed else SMALL)


def test_the_queue_of_a_county(size):
    (folder,) = (ROOT / "networks").glob(f"{size.county_code}-*")
    scenario = read_scenario(ROOT / "scenarios" / "cold-wave.toml")
    task = CountyTask(
        county_code=size.county_code,
        folder=folder,
        scenario=scenario,
        applications=None,
        applications_source="synthetic",
    )
    case = prepare_county(task)
    area_ids = list(case.grid.areas["area_id"])

    seconds, results = [], []
    for decide in (decide_queue, decide_queue_in_all_cases):
        start = time.process_time()
        results.append(decide(case.trees, case.course, case.counts, case.applications, case.limits, area_ids=area_ids))
        seconds.append(time.process_time() - start)

    few, plain = ([(d.verdict, d.conditions, d.element, d.case, d.blocked_by) for d in r.decisions] for r in results)
    assert few == plain
    few, plain = ([(d.value, d.value_before, d.margin_kw) for d in r.decisions] for r in results)
    np.testing.assert_allclose(few, plain, rtol=1e-9)
    if size.is_timed:
        print(
            f"\n{len(few)} applications of county {size.county_code}: {seconds[0]:.1f} s from few cases, "
            f"{seconds[1]:.1f} s from all cases, ratio {seconds[1] / seconds[0]:.1f}"
        )
        assert seconds[1] > seconds[0]
