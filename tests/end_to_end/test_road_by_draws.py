"""The queue of the road is decided by draws, and answers that were given before are not worked out again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridcheck.checks.supply_tree import DRAWN_KINDS
from gridcheck.connection import area_desk, decide_queue
from gridcheck.county_study import CountyTask, decide_county, prepare_county
from gridcheck.scenario import LowVoltageSection, Scenario

YUANQU = Path(__file__).parents[2] / "networks" / "140827-yuanqu"


def prepared(scenario):
    case = prepare_county(
        CountyTask(
            county_code="140827", folder=YUANQU, scenario=scenario, applications=None, applications_source="synthetic"
        )
    )
    return replace(case, applications=case.applications[:40])


@pytest.fixture(scope="module")
def case():
    return prepared(Scenario())


@pytest.fixture(scope="module")
def decided(case):
    return decide_county(case)


def shown(queue):
    return [repr(decision) for decision in queue.decisions]


def test_some_answers_come_from_draws(decided):
    by_draws = [decision for decision in decided.decisions if decision.kind in DRAWN_KINDS]
    assert by_draws
    for decision in by_draws:
        assert 0.0 <= decision.probability_low <= decision.probability <= decision.probability_high <= 1.0
        assert decision.draws > 0
    assert all(np.isnan(d.probability) for d in decided.decisions if d.kind not in DRAWN_KINDS)


def test_known_answers_need_no_load_flow(case, decided, monkeypatch):
    def never(*_args):
        raise AssertionError("an area was made although all its answers are known")

    monkeypatch.setattr(area_desk, "four_wire_of", never)
    assert shown(decide_county(case)) == shown(decided)


def test_an_area_goes_on_behind_answers_that_are_known(case, decided):
    first = replace(case, applications=case.applications[:17], desk=replace(case.desk, known={}))
    decide_county(first)
    n_known = len(first.desk.known)
    assert 0 < n_known < len(case.desk.known)
    # The crowd below a main transformer is that of all who ask, so only terminals that it moves are seen anew.
    assert shown(decide_county(replace(case, desk=first.desk))) == shown(decided)


def test_without_draws_the_estimate_of_the_end_voltage_decides():
    case = prepared(Scenario(low_voltage=LowVoltageSection(by_draws=False)))
    assert case.desk is None
    plain = decide_queue(
        case.trees, case.course, case.counts, case.applications, case.limits, area_ids=list(case.grid.areas["area_id"])
    )
    assert shown(decide_county(case)) == shown(plain)


def test_areas_whose_draws_were_let_go_answer_alike(case, decided, monkeypatch):
    monkeypatch.setattr(area_desk, "_OPEN_AREAS", 1)
    again = decide_county(replace(case, desk=replace(case.desk, known={})))
    assert shown(again) == shown(decided)
