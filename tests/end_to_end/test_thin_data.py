"""The desk of a county where one area is a guess and another has a published limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gridcheck import county_study
from gridcheck.connection.data_confidence import AreaRecord, DataChecks
from gridcheck.connection.pre_approval import PreApproval
from gridcheck.county_study import CountyTask
from gridcheck.desk import DeskTask, county_pre_approvals, decide_county_queue
from gridcheck.desk_ledger import record, task_of_answer
from gridcheck.ledger import State, init_ledger, open_ledger
from gridcheck.ledger.canonical import now_utc
from gridcheck.network import read_county
from gridcheck.scenario import Scenario
from gridcheck.synthesis.applications import synthetic_applications

FOLDER = Path(__file__).parents[2] / "networks" / "140827-yuanqu"
SIGNED = {"who": "李规划", "reason": "weekly applications"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def task():
    """Four applications: one in the first area, three in the second one."""
    grid = read_county(FOLDER)
    base = synthetic_applications("140827", grid.areas, grid.heating, seed=2025).drop(columns=["synthetic"]).iloc[0]
    places = [grid.areas.iloc[k][["area_id", "village_code"]].to_dict() for k in (0, 201, 201, 201)]
    sizes = [2.0, 1.5, 2.0, 2.0]
    rows = [
        base.to_dict() | {"application_id": f"Q{k}", "device": "air_air_heat_pump", "phase": "A", "rated_kw": kw,
                          "queue_position": k} | place
        for k, (place, kw) in enumerate(zip(places, sizes, strict=True), start=1)
    ]  # fmt: skip
    county = CountyTask(
        county_code="140827", folder=FOLDER, scenario=Scenario(), applications=pd.DataFrame(rows).astype(str),
        applications_source="asked.csv",
    )  # fmt: skip
    limit = PreApproval(area_id=places[1]["area_id"], device="air_air_heat_pump", largest_kw=2.0, devices=2, kw=4.0)
    return DeskTask(county=county, promised=(), risk=0.05, fast=(limit,))


@pytest.fixture(scope="module")
def outcome(task):
    first = task.county.applications["area_id"].iloc[0]
    made = county_study.low_voltage_desk

    def thin(*args, **kwargs):
        guess = {first: AreaRecord(is_synthetic=False, transformer_mark="C")}
        return replace(made(*args, **kwargs), data=DataChecks(records=guess))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(county_study, "low_voltage_desk", thin)
        return decide_county_queue(task)


def test_a_guess_gets_no_answer_and_the_limit_answers_at_once(outcome):
    rows = outcome.decisions.set_index("application_id")
    assert rows.loc["Q1", "verdict"] == "insufficient_data"
    assert rows.loc["Q1", "conditions"] == "needs_transformer_record"
    assert (rows.loc["Q1", "binding_level"], rows.loc["Q1", "binding_quantity"]) == ("data", "data")
    draws = outcome.intervals.set_index("application_id")["draws"]
    # Two within the limit without draws of their own; the third takes the full way, after both of them.
    assert rows.loc[["Q2", "Q3"], "verdict"].str.startswith("approve").all()
    assert draws[["Q1", "Q2", "Q3"]].tolist() == [0, 0, 0]
    assert set(outcome.granted_kw) >= {"Q2", "Q3"}
    assert "Q1" not in outcome.granted_kw
    assert outcome.intervals["pre_approved"].tolist() == [False, True, True, False]


def test_nothing_is_promised_where_there_is_no_answer(task, outcome, tmp_path):
    init_ledger(tmp_path / "ledger.sqlite", who="test")
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        assert record(ledger, task, outcome, now_utc(), **SIGNED) == []
        assert ledger.application("Q1").state == State.INSUFFICIENT_DATA
        assert ledger.promises("Q1") == []
        assert ledger.application("Q2").state == State.APPROVED
        again, name, _ = task_of_answer(ledger, ledger.application("Q2").assessment_id, FOLDER.parent)
        assert (again.fast, name) == (task.fast, "Q2")
        assert ledger.verify_journal().is_whole


def test_the_list_of_a_county_leaves_the_areas_out_that_are_not_wanted(task):
    nobody = replace(task, county=replace(task.county, applications=task.county.applications.head(0)))
    wanted = tuple(task.county.applications["area_id"].unique())
    found = county_pre_approvals(nobody, wanted)
    assert set(found) == set(wanted)
    # A limit that is published here is what the full way approves, one after the other.
    limit = found[wanted[1]]
    assert limit.devices > 0
    asked = task.county.applications.iloc[[1] * limit.devices].assign(
        application_id=[f"L{k}" for k in range(limit.devices)], rated_kw=str(limit.largest_kw),
        queue_position=[str(k) for k in range(1, limit.devices + 1)],
    )  # fmt: skip
    full = decide_county_queue(replace(task, county=replace(task.county, applications=asked), fast=()))
    assert full.decisions["verdict"].str.startswith("approve").all()
    assert sum(full.granted_kw.values()) == pytest.approx(limit.kw)
