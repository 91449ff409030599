"""The connection desk: answers in order, recorded, promised once, made again byte for byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import docx
import numpy as np
import openpyxl
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.connection.asked_area import Promised
from gridcheck.desk import DeskOptions, decide_applications, decide_county_queue
from gridcheck.desk_ledger import record, standing_of, task_of_answer
from gridcheck.evidence_desk import explain_answers
from gridcheck.ledger import Level, State, init_ledger, open_ledger
from gridcheck.ledger.canonical import now_utc
from gridcheck.network import read_county
from gridcheck.scenario import Scenario
from gridcheck.synthesis.applications import synthetic_applications
from tests.support.command_line import gridcheck
from tests.support.desk_replay import value_in_opendss, value_in_pandapower

FOLDER = Path(__file__).parents[2] / "networks" / "140827-yuanqu"
SIGNED = {"who": "李规划", "reason": "weekly applications"}
pytestmark = pytest.mark.slow


def applications(n: int) -> pd.DataFrame:
    grid = read_county(FOLDER)
    return synthetic_applications("140827", grid.areas, grid.heating, seed=2025).drop(columns=["synthetic"]).head(n)


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """Ten applications, one of them impossible, decided from the command line with a ledger."""
    folder = tmp_path_factory.mktemp("desk")
    table = applications(10)
    table.loc[3, "rated_kw"] = 99.0
    table.to_csv(folder / "asked.csv", index=False)
    database, out = folder / "ledger.sqlite", folder / "answers"
    assert gridcheck("init", "--database", database).exit_code == 0
    options = ("--out", out, "--database", database, "--who", SIGNED["who"], "--json")
    result = gridcheck("decide", folder / "asked.csv", *options)
    return folder, database, result, pd.read_csv(out / "decisions.csv")


def test_good_rows_are_answered_and_the_bad_one_comes_back(decided):
    folder, _, result, table = decided
    told = json.loads(result.stdout)
    assert result.exit_code == 3, result.output
    assert (told["applications"], told["rejected"], told["not_promised"]) == (9, 1, [])
    assert len(table) == 9
    back = pd.read_csv(told["rejected_file"])
    assert back["rated_kw"].tolist() == [99.0]
    assert "99.0" in back["reason_en"].iloc[0]
    drawn = pd.read_csv(folder / "answers" / "probabilities.csv").set_index("application_id")
    own = table.set_index("application_id")["probability"]
    known = own.index[own.notna()]
    assert len(known)
    assert (drawn.loc[known, "probability_low"] <= own[known] + 1e-4).all()
    assert (own[known] <= drawn.loc[known, "probability_high"] + 1e-4).all()
    assert (drawn.loc[known, "draws"] >= 30).all()
    assert drawn["broken_before"].notna().sum() == told["broken_before"]


def test_a_deferral_by_draws_breaks_its_limit_more_often_than_accepted(decided):
    *_, table = decided
    late = table[(table["verdict"] == "defer") & table["probability"].notna()]
    assert (1.0 - late["probability"] > 0.02).all()


def test_approvals_are_promised_on_every_level(decided):
    _, database, _, table = decided
    is_yes = table["verdict"].isin(["approve", "approve_with_conditions"])
    assert is_yes.any()
    with open_ledger(database) as ledger:
        for row in table[is_yes].itertuples():
            assert ledger.application(row.application_id).state == State.APPROVED
            held = {one.level: one.reserved_kw for one in ledger.promises(row.application_id)}
            assert set(held) == set(Level)
            assert max(held.values()) <= row.rated_kw
        for row in table[~is_yes].itertuples():
            assert ledger.application(row.application_id).state == State.DEFERRED
        assert ledger.verify_journal().is_whole


def test_a_recorded_answer_comes_out_again_byte_for_byte(decided):
    _, database, _, table = decided
    name = table["application_id"].iloc[-1]
    again = gridcheck("decide", "--replay", name, "--database", database)
    assert again.exit_code == 0, again.output
    assert again.stdout.startswith(f"{name},140827,")


def test_an_answer_from_a_weather_file_needs_that_file_again(decided, tmp_path):
    folder, _, _, _ = decided
    hours = pd.date_range("2026-01-10", "2026-01-26", freq="h", inclusive="left")
    cold = -8.0 + 5.0 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    weather = tmp_path / "weather.csv"
    pd.DataFrame({"time": hours, "temperature_c": cold.round(2)}).to_csv(weather, index=False)
    lines = ["[weather]", "start = 2026-01-21", "days = 2", 'wave = "none"', 'file = "weather.csv"']
    (tmp_path / "own.toml").write_text("\n".join(lines))
    pd.read_csv(folder / "asked.csv", dtype=str).head(1).to_csv(tmp_path / "one.csv", index=False)
    database = tmp_path / "ledger.sqlite"
    gridcheck("init", "--database", database)
    options = ("--scenario", tmp_path / "own.toml", "--out", tmp_path / "out", "--database", database, "--who", "x")
    made = gridcheck("decide", tmp_path / "one.csv", *options)
    assert made.exit_code == 0, made.output
    name = pd.read_csv(tmp_path / "out" / "decisions.csv")["application_id"].iloc[0]

    again = gridcheck("decide", "--replay", name, "--database", database)
    assert again.exit_code == 0, again.output
    weather.write_text(weather.read_text().replace("-8.0", "-7.0"))
    refused = gridcheck("decide", "--replay", name, "--database", database)
    assert refused.exit_code == 2
    assert "weather.csv" in refused.stderr


def test_what_is_approved_comes_back_and_what_waits_is_decided_again(decided):
    folder, database, _, table = decided
    options = ("--out", folder / "again", "--database", database, "--who", "李规划", "--json")
    result = gridcheck("decide", folder / "asked.csv", *options)
    waiting = int((table["verdict"] == "defer").sum())
    if waiting:
        told = json.loads(result.stdout)
        assert (told["applications"], told["rejected"]) == (waiting, 10 - waiting)
    else:
        assert result.exit_code == 2
        assert "none of 10 applications" in result.stderr.replace("\n", " ")


def test_every_answer_is_seen_again_in_opendss_and_pandapower(decided):
    _, database, _, table = decided
    names = set(table["application_id"])
    with open_ledger(database) as ledger:
        number = ledger.application(min(names)).assessment_id
        task, _, _ = task_of_answer(ledger, number, FOLDER.parent)
        recorded = {name: ledger.answer(name).answer.draws for name in names}
    found = explain_answers(task, names).low_voltage

    assert len(found) > 5
    for name, evidence in found.items():
        told = evidence.statement
        # An answer that binds above the lines counts no draws; the others count just these.
        assert recorded[name] in (None, told["draws"]), name
        assert value_in_opendss(evidence) == pytest.approx(told["value"], rel=5e-6), name
        assert value_in_pandapower(evidence) == pytest.approx(told["value"], rel=5e-6), name
        is_beyond = told["value"] < told["limit"] if told["check"] == "low_voltage" else told["value"] > told["limit"]
        # More draws than accepted break the limit: so does the moment that is shown.
        if told["draws_broken"] > told["accepted_risk"] * told["draws"] + 1 and told["verdict"] == "defer":
            assert is_beyond, name


def test_the_course_of_an_answer_holds_its_moment(decided):
    _, database, _, table = decided
    name = table["application_id"].iloc[0]
    with open_ledger(database) as ledger:
        task, _, _ = task_of_answer(ledger, ledger.application(name).assessment_id, FOLDER.parent)
    evidence = explain_answers(task, (name,)).low_voltage[name]
    course, moment = evidence.course, evidence.moment

    assert (np.diff(course.time_utc) > np.timedelta64(0)).all()
    own = course.value[moment.draw]
    assert np.abs(own - moment.value).min() < 1e-9 * moment.value
    assert course.beyond == evidence.statement["draws_broken"]


def test_the_evidence_of_an_answer_is_written(decided):
    folder, database, _, table = decided
    name = table["application_id"].iloc[0]
    out = folder / "evidence"
    result = gridcheck("decide", "--explain", name, "--database", database, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["application_id"], told["synthetic_lines"]) == (name, True)
    with open_ledger(database) as ledger:
        recorded = ledger.answer(name).answer
    assert (told["recorded_draws"], told["recorded_quantity"]) == (recorded.draws, recorded.binding_quantity)
    assert ("no matter of draws" in told["draws_note"]) == (recorded.draws is None)
    assert json.loads((out / "statement.json").read_text("utf-8"))["draws_note"] == told["draws_note"]
    draws = pd.read_csv(out / "draws.csv")
    assert len(draws) == told["draws"]
    assert "new transformer.t" in (out / "case.dss").read_text("utf-8")
    net = pp.from_json(str(out / "case.json"))
    assert told["pandapower_solve"] == "pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)"
    pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)
    shown = net[told["pandapower_table"]].loc[told["pandapower_index"], told["pandapower_column"]]
    assert shown * told["pandapower_times"] == pytest.approx(told["value"], rel=5e-6)
    # What binds at 10 kV or the transformer as a whole has a case of the county's network as well.
    is_above = bool(table["probability"].isna().iloc[0])
    assert {(out / file).is_file() for file in ("network.json", "evidence.json")} == {is_above}
    page = (out / "binding.html").read_text("utf-8")
    assert name in page
    assert "src=" not in page.replace("data:", "").split("<script", 1)[0]


@pytest.mark.parametrize("source", ["--results", "--database"])
def test_letters_are_written_on_the_answers_of_the_desk_and_checked(decided, source):
    folder, database, _, table = decided
    origin = (source, folder / "answers" if source == "--results" else database)
    out = folder / f"letters{source}"
    made = gridcheck("letters", "--county", "140827", *origin, "--out", out, "--date", "2026-02-01")
    assert made.exit_code == 0, made.output
    index = pd.read_csv(out / "letters.csv")
    assert sorted(index["application_id"]) == sorted(table["application_id"])
    assert index["number"].is_unique
    assert index["synthetic"].all()

    row = index[index["verdict"] == "approve_with_conditions"].iloc[0]
    document = docx.Document(str(out / row["file"]))
    said = "\n".join(cell.text for part in document.tables for line in part.rows for cell in line.cells)
    assert row["code"] in said
    # The ledger says until when the power is reserved; a folder knows the rule of the office alone.
    assert ("容量预留至" in said) == (source == "--database")

    check = ("letters", row["application_id"], *origin, "--date", "2026-02-01", "--verify")
    assert gridcheck(*check, row["code"]).exit_code == 0
    assert gridcheck(*check, "AAAA-BBBB-CCCC-DDDD").exit_code == 1


def test_the_ledger_and_its_letters_say_what_was_broken_before_as_the_folder_does(decided):
    folder, database, _, table = decided
    drawn = pd.read_csv(folder / "answers" / "probabilities.csv", dtype=str, keep_default_na=False)
    broken = drawn.set_index("application_id")["broken_before"]
    assert (broken != "").any()
    with open_ledger(database) as ledger:
        kept = {name: ledger.answer(name).answer.broken_before for name in table["application_id"]}
    assert {name: ";".join(codes) for name, codes in kept.items()} == broken.to_dict()
    said = {}
    for source, place in (("--results", folder / "answers"), ("--database", database)):
        out = folder / f"pages{source}"
        asked = ("letters", "--county", "140827", source, place, "--out", out, "--format", "html", "--together")
        assert gridcheck(*asked, "--date", "2026-02-01").exit_code == 0
        said[source] = (out / "letters.html").read_text("utf-8").count("接入前该台区已有越限的概率")
    assert said["--results"] == said["--database"] == int((broken != "").sum())


def test_the_answers_stand_in_a_workbook_too(decided):
    folder, _, _, table = decided
    book = openpyxl.load_workbook(folder / "answers" / "answers.xlsx")
    for sheet in book.worksheets:
        assert [row[0] for row in sheet.iter_rows(min_row=4, values_only=True)] == table["application_id"].tolist()
    manifest = json.loads((folder / "answers" / "manifest.json").read_text("utf-8"))
    assert "answers.xlsx" in manifest["files"]


@pytest.fixture(scope="module")
def within_limits(tmp_path_factory):
    """Two small heaters of one area, decided with limits that were made first."""
    folder = tmp_path_factory.mktemp("limits")
    place = read_county(FOLDER).areas.iloc[201][["area_id", "village_code"]].to_dict()
    base = applications(1).iloc[0].to_dict() | {"device": "air_air_heat_pump", "rated_kw": 1.5, "phase": "A"} | place
    for first, last in ((1, 2), (3, 3)):
        rows = [base | {"application_id": f"L{k}", "queue_position": k} for k in range(first, last + 1)]
        pd.DataFrame(rows).to_csv(folder / f"from-{first}.csv", index=False)
    database = folder / "ledger.sqlite"
    assert gridcheck("init", "--database", database).exit_code == 0
    options = ("--database", database, "--who", "李规划", "--json")
    made = gridcheck("decide", folder / "from-1.csv", "--pre-approve", "--out", folder / "first", *options)
    assert made.exit_code == 0, made.output
    return folder, database, json.loads(made.stdout), pd.read_csv(folder / "first" / "pre_approval.csv")


def test_small_heaters_are_approved_at_once_within_limits_that_were_made_first(within_limits):
    folder, database, told, limits = within_limits
    assert limits["devices"].iloc[0] >= 2
    assert (told["approve"] + told["approve_with_conditions"], told["pre_approved"]) == (2, 2)
    drawn = pd.read_csv(folder / "first" / "probabilities.csv")
    assert drawn["pre_approved"].all()
    assert (drawn["draws"] == 0).all()
    again = gridcheck("decide", "--replay", "L2", "--database", database)
    assert again.exit_code == 0, again.output


def test_the_next_file_is_decided_within_what_is_left_of_the_list(within_limits):
    folder, database, _, limits = within_limits
    file = folder / "first" / "pre_approval.csv"
    other = ("decide", folder / "from-3.csv", "--pre-approved", file, "--out", folder / "second")
    refused = gridcheck(*other, "--risk", "0.02")
    assert refused.exit_code == 2
    assert "accept a probability of 0.05" in refused.stderr
    made = gridcheck(*other, "--database", database, "--who", "李规划", "--json")
    assert made.exit_code in (0, 3), made.output
    assert json.loads(made.stdout)["pre_approved"] == int(limits["devices"].iloc[0] > 2)
    assert not (folder / "second" / "pre_approval.csv").exists()
    both = gridcheck(*other, "--pre-approve")
    assert both.exit_code == 2


@pytest.fixture(scope="module")
def one_area(tmp_path_factory):
    """Twelve heaters in one area, enough for its transformer to refuse the last ones."""
    grid = read_county(FOLDER)
    area = grid.areas.iloc[int(np.argmin(grid.areas["kva"]))]
    base = applications(1).iloc[0]
    rows = [
        base.to_dict()
        | {"application_id": f"Q{k:02d}", "area_id": area["area_id"], "village_code": area["village_code"]}
        | {"device": "resistive_heater", "rated_kw": 6.0, "phase": "ABC", "queue_position": k}
        for k in range(1, 13)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("area") / "asked.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    queue = Scenario().queue.model_copy(update={"applications": path.as_posix()})
    (task,), (outcome,), _ = decide_applications(
        Scenario().model_copy(update={"queue": queue}), DeskOptions(county_codes=("140827",), workers=1)
    )
    return task, outcome


def test_each_is_seen_after_everything_promised_before(one_area):
    task, outcome = one_area
    verdict = outcome.decisions["verdict"].tolist()
    assert verdict[-1] == "defer"
    granted = [kw for kw in outcome.granted_kw.values()]
    assert 0 < len(granted) < 12
    # The same area with what was granted promised before: nothing more fits.
    area_id = outcome.decisions["area_id"].iloc[0]
    promised = tuple(Promised(area_id=area_id, device="resistive_heater", rated_kw=kw) for kw in granted)
    last = task.county.applications.iloc[[-1]]
    after = decide_county_queue(replace(task, county=replace(task.county, applications=last), promised=promised))
    assert after.decisions["verdict"].tolist() == ["defer"]


def test_two_planners_cannot_sell_the_same_kilowatt(one_area, tmp_path):
    task, outcome = one_area
    init_ledger(tmp_path / "ledger.sqlite", who="test")
    mine = task.county.applications.iloc[:6]
    first = decide_county_queue(replace(task, county=replace(task.county, applications=mine)))
    theirs = task.county.applications.iloc[6:]
    second_task = replace(task, county=replace(task.county, applications=theirs))
    second = decide_county_queue(second_task)
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        looked_at = now_utc()
        assert standing_of(ledger).promised == {}
        first_task = replace(task, county=replace(task.county, applications=mine))
        assert record(ledger, first_task, first, looked_at, **SIGNED) == []
        # The second planner looked before the first one recorded: both saw the same empty area.
        gone = record(ledger, second_task, second, looked_at, **SIGNED)
        area_id = outcome.decisions["area_id"].iloc[0]
        room = ledger.room(Level.AREA, area_id)
        assert gone
        assert room.free_kw is not None
        assert room.free_kw >= 0.0
        assert ledger.verify_journal().is_whole
