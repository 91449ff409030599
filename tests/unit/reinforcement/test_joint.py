"""A household that its area and its feeder both refuse: neither project unlocks it, the two together do."""

import numpy as np
import pytest

from gridcheck.cases import LoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow import solve
from gridcheck.reinforcement import choose_projects, find_projects, prove_plan
from gridcheck.reinforcement.proof import ProofTask, prove
from tests.support import planned_county as county
from tests.support.planned_county import A1, F1


def outlet_ka(grid, extra_kw):
    p_mw = np.zeros((1, grid.network.n_bus))
    p_mw[0, [6, 7, 8, 9]] = np.array([96.0 + extra_kw, 40.0, 40.0, 40.0]) / 1000.0
    return float(solve(grid.network, LoadCases(p_mw=p_mw, q_mvar=0.0 * p_mw)).i_ka[0, 0])


@pytest.fixture(scope="module")
def refused_twice(tmp_path_factory):
    """Area 1 has 100 kVA and 96 kW of load, and the first line carries half of the 8 kW that are asked for."""
    elements = county.tables()
    homes = (86, 40, 40, 40)
    wide = county.grid(tmp_path_factory.mktemp("wide"), homes=homes, elements=elements)
    elements["line"].loc[0, "max_i_ka"] = (outlet_ka(wide, 0.0) + outlet_ka(wide, 8.0)) / 2.0
    return county.decided(county.grid(tmp_path_factory.mktemp("narrow"), homes=homes, elements=elements), [(A1, 8.0)])


@pytest.fixture(scope="module")
def projects(refused_twice):
    return find_projects(refused_twice)


def of(projects, *, joint):
    return [project for project in projects if bool(project.candidate.requires) is joint]


def test_neither_project_unlocks_it_and_each_pair_does(refused_twice, projects):
    alone, pairs = of(projects, joint=False), of(projects, joint=True)

    assert [project.application_ids for project in alone] == [()] * len(alone)
    assert {project.candidate.area_id for project in alone} == {A1, ""}
    for project in alone:
        assert prove(ProofTask(county=refused_twice, projects=(project,))).gained == ()
    assert pairs
    by_id = {project.project_id: project for project in alone}
    for pair in pairs:
        both = tuple(by_id[i] for i in pair.candidate.requires)
        assert {project.candidate.area_id for project in both} == {A1, ""}
        assert prove(ProofTask(county=refused_twice, projects=both)).gained == pair.application_ids == ("P1",)
        assert (pair.cost_yuan, pair.candidate.changes, pair.candidate.feeder_id) == (0.0, (), F1)


def test_the_plan_builds_both_or_nothing_of_them(refused_twice, projects):
    by_id = {project.project_id: project for project in projects}
    cheapest = min(sum(by_id[i].cost_yuan for i in pair.candidate.requires) for pair in of(projects, joint=True))

    enough, short = (prove_plan([refused_twice], projects, cheapest - less) for less in (0.0, 1.0))

    assert (enough.plan.households_unlocked, enough.plan.cost_yuan, enough.rounds) == (1, cheapest, 1)
    assert enough.proofs[0].gained == ("P1",)
    assert short.plan.households_unlocked == 0
    # What they bring together stands behind what is built, and costs nothing.
    assert [bool(item.project.candidate.requires) for item in enough.plan.items if item.chosen] == [False, False, True]


def test_a_pair_without_its_parts_is_refused(projects):
    pair = of(projects, joint=True)[0]
    missing = pair.candidate.requires[0]

    with pytest.raises(InputError, match=missing):
        choose_projects([project for project in projects if project.project_id != missing], 1e9)
