"""The chosen plan beside every possible one, each built into the grid and its whole queue decided again by load flow.

Two feeders below one main transformer are loaded so far that areas and lines both refuse households: what a project
unlocks depends on what else is built. ``GRIDCHECK_FULL=1`` takes a hundred random counties.
"""

import itertools
import os

import numpy as np
import pytest

from gridcheck.reinforcement import find_projects, prove_plan
from gridcheck.reinforcement.claims import is_claim
from gridcheck.reinforcement.proof import ProofTask, prove
from tests.support import planned_county as county
from tests.support.planned_county import A1, A2, A3, A4

FULL = os.environ.get("GRIDCHECK_FULL") == "1"
SEEDS = range(300, 400) if FULL else (300, 313)
pytestmark = pytest.mark.slow


def crowded(seed, folder):
    """A county near all its limits, and a queue that does not fit."""
    rng = np.random.default_rng(seed)
    elements = county.tables()
    homes = tuple(int(n) for n in (rng.integers(76, 90), *rng.integers(150, 174, 3)))
    radius_m = tuple(int(m) for m in rng.integers(150, 520, 4))
    trunk = rng.uniform(0.05, 0.075)
    share = [trunk, rng.uniform(0.055, 0.09), rng.uniform(0.05, 0.075), trunk, 1.0]
    elements["line"]["max_i_ka"] = elements["line"]["max_i_ka"] * share
    grid = county.grid(folder, homes=homes, radius_m=radius_m, elements=elements)
    n = int(rng.integers(12, 18))
    wishes = [((A1, A2, A3, A4)[int(rng.integers(4))], float(rng.choice([3.0, 5.0, 8.0, 12.0]))) for _ in range(n)]
    return county.decided(grid, wishes)


def every_plan(decided, projects):
    """Cost, gained and lost households of each set of projects, by their ids."""
    groups = {}
    for project in projects:
        groups.setdefault(project.candidate.group, []).append(project)
    found = {}
    for chosen in itertools.product(*([None, *group] for group in groups.values())):
        built = tuple(project for project in chosen if project is not None)
        proof = prove(ProofTask(county=decided, projects=built))
        lost = sum(failure.lost for failure in proof.failures)
        cost = sum(project.cost_yuan for project in built)
        found[frozenset(project.project_id for project in built)] = cost, len(proof.gained), lost
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_no_other_set_of_projects_connects_more_for_the_money(seed, tmp_path):
    decided = crowded(seed, tmp_path)
    projects = find_projects(decided)
    real = [project for project in projects if not is_claim(project)]
    if FULL and not real:
        pytest.skip("everybody connects")
    plans = every_plan(decided, real)

    assert len(plans) > 1
    for budget in sorted({cost for cost, _, _ in plans.values()}):
        proved = prove_plan([decided], projects, budget)
        built = frozenset(one.project_id for one in proved.plan.chosen if not is_claim(one))
        best = max(gained for cost, gained, lost in plans.values() if cost <= budget and not lost)
        assert plans[built][1:] == (best, 0)
        assert proved.plan.households_unlocked <= best
