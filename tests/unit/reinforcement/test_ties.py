"""Ties: where they are proposed, and that their worth is what comes back after outages."""

from dataclasses import dataclass, replace

import pytest

from gridcheck.reinforcement import find_projects
from gridcheck.reinforcement.candidates import propose
from gridcheck.reinforcement.measures import FeederReconductoring, Item
from gridcheck.reinforcement.options import Option
from gridcheck.reinforcement.situation import situation_of
from gridcheck.reinforcement.ties import unsupplied_kw
from tests.support import planned_county as county
from tests.support.planned_county import F1, F2


@dataclass(frozen=True)
class Row:
    outage_id: str
    feeder_id: str
    lost_kw: float
    restored_kw: float


BEFORE = (Row("K1", F1, 150.0, 30.0), Row("K2", F1, 80.0, 80.0), Row("K1", F2, 40.0, float("nan")))


def study(grid, counts, feeder_id):
    """Pretend that a tie brings feeder 1 back as a whole, and changes nothing for feeder 2."""
    assert len(counts.count) == len(grid.areas)
    if "tie" not in grid.branch_role:
        return [row for row in BEFORE if row.feeder_id == feeder_id]
    return {F1: [Row("K1", F1, 150.0, 150.0)], F2: [BEFORE[2]]}[feeder_id]


@pytest.fixture(scope="module")
def untied(tmp_path_factory):
    elements = county.tables()
    elements["line"] = elements["line"].iloc[:4]
    elements["switch"] = elements["switch"].iloc[:3]
    return county.grid(tmp_path_factory.mktemp("grid"), elements=elements)


def test_what_was_not_solved_counts_as_off():
    assert unsupplied_kw(BEFORE) == 120.0 + 0.0 + 40.0


def test_a_dark_feeder_gets_a_tie_to_its_neighbour(untied):
    decided = county.decided(untied, [], outages=BEFORE, outage_study=study)

    (candidate,) = propose(situation_of(decided))
    (tie,) = candidate.changes

    assert candidate.measures == ("tie_switch", "mv_line_150")
    assert (tie.feeder_id, tie.other_feeder_id) == (F1, F2)
    # Areas 3 and 4 are neighbours, 0.02 degrees of longitude at 35 degrees north apart.
    assert (tie.from_bus_id, tie.to_bus_id) == (4, 5)
    assert tie.length_km == pytest.approx(0.02 * 111.32 * 0.81915 * 1.3, abs=2e-3)
    assert candidate.cost_yuan == round(60_000 + 280_000 * tie.length_km)


def test_its_worth_is_what_comes_back_until_the_repair(untied):
    decided = county.decided(untied, [], outages=BEFORE, outage_study=study)

    (project,) = find_projects(decided)

    # 120 kW for four hours.
    assert project.unsupplied_mwh_removed == pytest.approx(0.48)
    assert (project.households_unlocked, project.reason) == (0, "stronger_grid")


def test_feeders_that_are_tied_already_get_no_second_tie(tmp_path):
    decided = county.decided(county.grid(tmp_path), [], outages=BEFORE, outage_study=study)

    assert propose(situation_of(decided)) == ()


@pytest.mark.parametrize("given", [{}, {"outages": BEFORE}, {"outage_study": study}])
def test_without_a_study_of_outages_no_tie_is_proposed(untied, given):
    assert propose(situation_of(county.decided(untied, [], **given))) == ()


def test_a_known_least_measure_takes_the_place_of_the_nearest_tie(untied):
    plain = county.decided(untied, [], outages=BEFORE, outage_study=study)
    (nearest,) = propose(situation_of(plain))
    tie = replace(nearest.changes[0], length_km=4.0)
    line = FeederReconductoring(feeder_id=F1, line_types=((1, "JKLYJ-10-240"),))
    common = {"feeder_id": F1, "area_id": "", "group": "any"}
    items = (
        Item(measure="mv_reconductor", amount=3.0, unit_yuan=180_000.0),
        Item(measure="tie_switch", amount=1.0, unit_yuan=60_000.0),
        Item(measure="mv_line_150", amount=4.0, unit_yuan=280_000.0),
    )
    known = (
        Option(measures=("mv_reconductor",), description="line", items=items[:1], changes=(line,), **common),
        Option(measures=("tie_switch",), description="tie", items=items[1:], changes=(tie,), **common),
    )
    decided = county.decided(untied, [], outages=BEFORE, outage_study=study, least_measures={F1: known})

    (candidate,) = propose(situation_of(decided))
    (project,) = find_projects(decided)

    assert candidate.changes == (line, tie)
    assert (candidate.cost_yuan, candidate.group) == (1_720_000.0, nearest.group)
    assert candidate.measures == ("tie_switch", "mv_reconductor")
    assert project.unsupplied_mwh_removed == pytest.approx(0.48)
