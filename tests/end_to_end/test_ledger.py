"""The ledger from the command line: made, looked at, taken on, verified."""

import json
import sqlite3
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pytest

from gridcheck.ledger import open_ledger
from tests.support.command_line import gridcheck
from tests.support.ledgers import BY, Clock, all_pass, answer, asked, batch, filled

BY_HAND = ("--who", "王验收", "--reason", "现场验收 on site")


@pytest.fixture
def database(tmp_path):
    """A ledger with two approved applications, as a file."""
    file = tmp_path / "data" / "ledger.sqlite"
    made = gridcheck("init", "--database", file)
    assert made.exit_code == 0, made.output
    ledger = filled(open_ledger(file), 2)
    for name in ("R001", "R002"):
        ledger.approve(name, **BY)
    ledger.close()
    return file


def stands(database, name="R001") -> dict:
    shown = gridcheck("application", name, "--database", database, "--json")
    return json.loads(shown.stdout)


def test_init_says_what_it_did_and_is_harmless_the_second_time(tmp_path):
    file = tmp_path / "ledger.sqlite"
    first, second = (json.loads(gridcheck("init", "--database", file, "--json").stdout) for _ in range(2))
    assert (first["before"], first["after"], second["before"]) == (None, "0004", "0004")
    assert first["head"] == second["head"]
    assert "无需改动 nothing to do" in gridcheck("init", "--database", file).stdout


def test_the_environment_names_the_ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("GRIDCHECK_DATABASE", str(tmp_path / "named.sqlite"))
    assert gridcheck("init").exit_code == 0
    assert (tmp_path / "named.sqlite").is_file()
    assert gridcheck("journal").exit_code == 0


def test_without_a_ledger_there_is_one_message(tmp_path):
    result = gridcheck("journal", "--database", tmp_path / "none.sqlite")
    assert result.exit_code == 2
    assert "There is no ledger" in result.stderr
    assert "gridcheck init --database" in result.stderr


def test_a_password_is_never_shown():
    result = gridcheck("journal", "--database", "postgresql://me:pa55word@127.0.0.1:1/x?connect_timeout=2")
    assert result.exit_code == 2
    assert "me:***@127.0.0.1" in result.stderr
    assert "pa55word" not in result.output


def test_an_application_is_built_inspected_and_accepted(database, tmp_path):
    assert (stands(database)["application"]["state"], stands(database)["allowed"]) == (
        "approved", ["renew", "lapse", "build", "withdraw"],
    )  # fmt: skip
    built = gridcheck("application", "R001", "--database", database, "--build", *BY_HAND)
    assert built.exit_code == 0, built.output
    assert "已接入 built" in built.stdout

    sheet = tmp_path / "验收.csv"
    assert gridcheck("application", "R001", "--database", database, "--blank-checklist", sheet).exit_code == 0
    measured = {"insulation_mohm": "2", "rcd_ma": "30", "rated_kw": "2.8", "no_load_voltage_v": "230",
                "loaded_voltage_v": "199"}  # fmt: skip
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    names = [line.split(",")[0] for line in lines[1:] if not line.startswith("new_transformer")]

    def filled_in(earthing):
        rows = [f"{name},{earthing if name == 'earthing' else 'pass'},{measured.get(name, '')}," for name in names]
        sheet.write_text("\n".join(["item,result,value,note", *rows]), encoding="gb18030")
        return gridcheck("application", "R001", "--database", database, "--accept", sheet, *BY_HAND)

    assert filled_in("fail").exit_code == 1
    assert stands(database)["application"]["state"] == "built"
    assert filled_in("pass").exit_code == 0
    history = stands(database)["history"]
    assert [line["action"] for line in history[-3:]] == ["build", "fail_inspection", "accept"]
    assert (history[-1]["who"], history[-1]["reason"]) == BY_HAND[1::2]

    refused = gridcheck("application", "R001", "--database", database, "--withdraw", *BY_HAND)
    assert refused.exit_code == 2
    assert "R001 is accepted: withdraw is not allowed from there. Allowed: entitle." in refused.stderr


@pytest.fixture
def capped(tmp_path):
    """A ledger in which 2.4 kW on phase C are approved for R001, who asked for 3 kW on A; R002 is deferred."""
    file = tmp_path / "ledger.sqlite"
    assert gridcheck("init", "--database", file).exit_code == 0
    with filled(open_ledger(file), 0) as ledger:
        ledger.receive([asked(1), asked(2)], **BY)
        conditions = ("phase:C", "limit_kw:2.4", "managed_start")
        yes = answer(1, "approve_with_conditions", conditions=conditions, broken_before=("meter_voltage_v",))
        ledger.assess(batch(), [yes, answer(2, "defer")], **BY)
        ledger.defer("R002", **BY)
    return file


def test_an_application_shows_what_was_approved_under_which_conditions(capped, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # so that no word is folded
    approved = gridcheck("application", "R001", "--database", capped, "--approve", *BY_HAND, "--json")
    assert approved.exit_code == 0, approved.output
    told = json.loads(approved.stdout)
    assert told["application"]["state"] == "approved"
    # The cap is what is reserved, on every level.
    assert {one["reserved_kw"] for one in told["promises"]} == {2.4}
    answered = told["answer"]
    assert (answered["granted_kw"], answered["granted_phase"]) == (2.4, "C")
    assert answered["conditions"] == ["phase:C", "limit_kw:2.4", "managed_start"]
    assert answered["broken_before"] == ["meter_voltage_v"]
    shown = gridcheck("application", "R001", "--database", capped).stdout
    for part in (
        "附条件接入",
        "批准容量 granted [kW]",
        "2.4",
        "C 相 phase C",
        "用电功率不超过 2.4 kW",
        "connect to phase C",
    ):
        assert part in shown, part
    refused = json.loads(gridcheck("application", "R002", "--database", capped, "--json").stdout)["answer"]
    assert (refused["verdict"], refused["granted_kw"], refused["granted_phase"]) == ("defer", None, None)


def test_the_checklist_bears_what_was_approved_and_holds_the_nameplate_against_it(capped, tmp_path):
    gridcheck("application", "R001", "--database", capped, "--approve", *BY_HAND)
    gridcheck("application", "R001", "--database", capped, "--build", *BY_HAND)
    sheet = tmp_path / "sheet.csv"
    assert gridcheck("application", "R001", "--database", capped, "--blank-checklist", sheet).exit_code == 0
    table = pd.read_csv(sheet, dtype=str, keep_default_na=False).set_index("item")
    assert table.loc["application_id", "value"] == "R001"
    assert table.loc["phase_as_approved", "note"].endswith(": C")
    assert ": 2.4 kW" in table.loc["rated_kw", "note"]

    measured = {"insulation_mohm": "2", "rcd_ma": "30", "no_load_voltage_v": "230", "loaded_voltage_v": "210"}
    for nameplate, code, words in (("2.8", 2, "2.8 is not up to 2.4 kW"), ("2.4", 0, "已验收 accepted")):
        filled_in = table.assign(
            result=["" if item == "application_id" else "pass" for item in table.index],
            value=[{**measured, "rated_kw": nameplate, "application_id": "R001"}.get(item, "") for item in table.index],
        )
        filled_in[~table.index.str.startswith("new_transformer")].to_csv(sheet)
        done = gridcheck("application", "R001", "--database", capped, "--accept", sheet, *BY_HAND)
        assert (done.exit_code, words in done.output) == (code, True), done.output

    nothing = gridcheck("application", "R002", "--database", capped, "--blank-checklist", tmp_path / "none.csv")
    assert nothing.exit_code == 2
    assert "R002 was answered with defer" in nothing.stderr
    assert not (tmp_path / "none.csv").exists()


def test_every_step_that_is_offered_says_how_and_can_be_taken(capped):
    def step(name, *more):
        done = gridcheck("application", name, "--database", capped, *more, *BY_HAND, "--json")
        return done.exit_code, json.loads(done.stdout) if done.exit_code == 0 else done.stderr

    found = stands(capped)
    assert found["how"]["approve"] == "--approve"
    assert set(found["how"]) == set(found["allowed"]) >= {"approve", "defer", "mark_insufficient_data"}
    help_text = gridcheck("application", "--help").stdout
    for how in (found["how"], step("R001", "--approve")[1]["how"]):
        assert [
            option for option in how.values() if option.startswith("--") and option.split()[0] not in help_text
        ] == []

    code, renewed = step("R001", "--renew", "200")
    assert code == 0
    assert renewed["history"][-1]["action"] == "renew"
    early = step("R001", "--lapse")
    assert early[0] == 2
    assert "still holds" in early[1]
    with open_ledger(capped) as ledger:
        ends = max(one.expires_at for one in ledger.promises("R001"))
    assert 199 < (ends - datetime.now(UTC)).days + 1 <= 200

    with open_ledger(capped, clock=Clock(datetime(2020, 1, 1, tzinfo=UTC))) as ledger:
        ledger.renew("R001", days=1, **BY)
    assert step("R001", "--lapse")[1]["application"]["state"] == "lapsed"
    assert step("R002", "--approve")[0] == 2
    with open_ledger(capped) as ledger:
        ledger.assess(batch("again"), [answer(1, "insufficient_data"), answer(2, "defer")], **BY)
    assert step("R001", "--no-data")[1]["application"]["state"] == "insufficient_data"
    assert step("R002", "--defer")[1]["application"]["state"] == "deferred"
    assert gridcheck("journal", "--database", capped, "--verify").exit_code == 0


def test_applications_are_listed_by_state_and_county(capped, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    gridcheck("application", "R001", "--database", capped, "--approve", *BY_HAND)
    told = json.loads(gridcheck("applications", "--database", capped, "--state", "approved", "--json").stdout)
    (one,) = told
    assert (one["application_id"], one["state"], one["verdict"]) == ("R001", "approved", "approve_with_conditions")
    assert (one["rated_kw"], one["granted_kw"], one["granted_phase"], one["action"]) == (3.0, 2.4, "C", "approve")
    assert one["changed_at"] == stands(capped)["history"][-1]["at"]
    assert json.loads(gridcheck("applications", "--database", capped, "--county", "140826", "--json").stdout) == []

    shown = gridcheck("applications", "--database", capped, "--county", "140827", "--out", tmp_path / "list.csv")
    assert shown.exit_code == 0, shown.output
    assert "暂缓 deferred" in shown.stdout
    table = pd.read_csv(tmp_path / "list.csv", dtype=str).set_index("application_id")
    assert table["state"].to_dict() == {"R001": "approved", "R002": "deferred"}
    assert table.loc["R002", ["granted_kw", "held_until"]].isna().all()
    assert table.loc["R001", "held_until"].endswith("+08:00")
    wrong = gridcheck("applications", "--database", capped, "--state", "granted")
    assert wrong.exit_code == 2
    assert "no such state granted. Allowed: received, assessed, approved" in wrong.stderr


def test_a_checklist_is_not_written_over(database, tmp_path):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("mine")
    result = gridcheck("application", "R001", "--database", database, "--blank-checklist", sheet)
    assert (result.exit_code, sheet.read_text()) == (2, "mine")


def test_a_withdrawal_needs_a_name_and_a_reason(database):
    refused = gridcheck("application", "R002", "--database", database, "--withdraw", "--who", "李")
    assert refused.exit_code == 2
    assert "reason is missing" in refused.stderr
    done = gridcheck("application", "R002", "--database", database, "--withdraw", *BY_HAND)
    assert done.exit_code == 0
    assert {one["state"] for one in stands(database, "R002")["promises"]} == {"released"}


def test_one_step_at_a_time(database):
    result = gridcheck("application", "R001", "--database", database, "--build", "--withdraw", *BY_HAND)
    assert result.exit_code == 2
    assert stands(database)["application"]["state"] == "approved"


def test_the_journal_is_shown_in_local_time(database, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # a narrow table breaks times in two
    shown = gridcheck("journal", "--database", database, "--application", "R001")
    lines = json.loads(gridcheck("journal", "--database", database, "--application", "R001", "--json").stdout)
    assert [line["action"] for line in lines] == ["receive", "assess", "approve"]
    hour = (int(lines[-1]["at"][11:13]) + 8) % 24
    assert f" {hour:02d}:{lines[-1]['at'][14:19]}" in shown.stdout
    assert len(json.loads(gridcheck("journal", "--database", database, "--last", "2", "--json").stdout)) == 2
    assert gridcheck("journal", "--database", database, "--application", "nobody").exit_code == 2


def test_a_journal_that_was_changed_is_found(database):
    whole = json.loads(gridcheck("journal", "--database", database, "--verify", "--json").stdout)
    assert whole["whole"] is True
    noted = whole["head"]
    assert gridcheck("journal", "--database", database, "--head", noted).exit_code == 0

    with sqlite3.connect(database) as connection:
        connection.execute("drop trigger journal_no_update")
        connection.execute("update journal set reason = 'another' where seq = 3")
    connection.close()

    result = gridcheck("journal", "--database", database, "--verify")
    assert result.exit_code == 1
    assert "内容被改动 its content was changed" in result.stdout
    broken = json.loads(gridcheck("journal", "--database", database, "--head", noted, "--json").stdout)
    assert (broken["whole"], broken["broken_at"], broken["fault"]) == (False, 3, "hash")


@pytest.fixture
def accepted(database):
    """The ledger with both applications built and accepted before the season of 2025 has ended."""
    with open_ledger(database, clock=Clock()) as ledger:
        for name in ("R001", "R002"):
            ledger.build(name, **BY)
            ledger.accept(name, all_pass(), **BY)
    return database


def entitle(database, name, *more):
    return gridcheck("application", name, "--database", database, "--entitle", "2025-26", *more, *BY_HAND)


NO_EXCLUSION = ("--no-district", "--no-allowance")


def test_an_entitlement_needs_acceptance_and_answers_and_is_one_for_a_household(accepted):
    not_asked = entitle(accepted, "R001", "--household", "3301", "--no-district")
    assert not_asked.exit_code == 2
    assert "public_heating_allowance_not_known" in not_asked.stderr
    done = entitle(accepted, "R001", "--household", "3301", "--tariff", "peak_valley", *NO_EXCLUSION, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["application"]["state"], told["entitlement"]["cap_yuan"]) == ("entitled", 1040.0)
    assert told["history"][-1]["after"]["tariff"] == "peak_valley"
    second = entitle(accepted, "R002", "--household", "3301", *NO_EXCLUSION)
    assert second.exit_code == 2
    assert "household 3301 is entitled by application R001" in second.stderr
    assert entitle(accepted, "R002", *NO_EXCLUSION).exit_code == 2  # no account
    assert gridcheck("journal", "--database", accepted, "--verify").exit_code == 0


def test_before_acceptance_an_entitlement_is_refused(database):
    refused = entitle(database, "R001", "--household", "3301", *NO_EXCLUSION)
    assert refused.exit_code == 2
    assert "R001 is approved: entitle is not allowed from there" in refused.stderr


def test_a_season_that_was_over_before_acceptance_is_refused_with_the_first_one_that_counts(database):
    with open_ledger(database, clock=Clock(datetime(2026, 4, 2, 2, 0, tzinfo=UTC))) as ledger:
        ledger.build("R001", **BY)
        ledger.accept("R001", all_pass(), **BY)
    refused = entitle(database, "R001", "--household", "3301", *NO_EXCLUSION)
    assert refused.exit_code == 2
    assert "accepted on 2026-04-02, and season 2025-26 ended on 2026-03-15" in refused.stderr
    assert "The first season is 2026-27." in refused.stderr
    assert stands(database)["application"]["state"] == "accepted"


def test_the_season_of_a_county_with_readings_and_without(accepted, tmp_path):
    for name, account in (("R001", "3301"), ("R002", "3302")):
        assert entitle(accepted, name, "--household", account, *NO_EXCLUSION).exit_code == 0
    readings, budgets = tmp_path / "kwh.csv", tmp_path / "budgets.csv"
    readings.write_text("application_id,kwh\nR001,12000\n")
    budgets.write_text("county_code,budget_yuan,source\n140827,5000,县财政 county\n", encoding="gb18030")
    options = ("--database", accepted, "--readings", readings, "--budgets", budgets)
    unsigned = gridcheck("season", *options)
    assert unsigned.exit_code == 2
    assert "who is missing" in unsigned.stderr

    told = gridcheck("season", *options, "--who", "王", "--county", "140827", "--out", tmp_path / "out", "--json")
    assert told.exit_code == 0, told.output
    (own,) = json.loads(told.stdout)["counties"]
    assert (own["homes"], own["metered_homes"], own["expected_homes"]) == (2, 1, 1)
    assert (own["metered_yuan"], own["budget_yuan"], own["synthetic"]) == (1040.0, 5000.0, True)
    # 3 kW of an air-to-air heat pump run some hundred full hours in a season: less than the cap.
    assert 1000.0 < own["expected_kwh"] < 6000.0
    assert own["left_yuan"] == pytest.approx(5000.0 - 1040.0 - own["expected_kwh"] * 0.1)
    assert own["left_at_least_yuan"] == pytest.approx(5000.0 - 2 * 1040.0)

    folder = tmp_path / "out"
    files = {path.name for path in folder.iterdir()}
    assert files == {"season_counties.csv", "season_applications.csv", "season.xlsx", "provenance.csv", "manifest.json"}
    source = pd.read_csv(folder / "provenance.csv").set_index("item")["value"]
    assert source["synthetic"] == "true"
    assert source["readings"].startswith("kwh.csv ")
    book = openpyxl.load_workbook(folder / "season.xlsx")
    assert book.sheetnames == ["分县", "分户", "来源与口径"]
    assert "估算" in book["分户"]["A2"].value
    both = pd.read_csv(folder / "season_applications.csv").set_index("application_id")
    assert both["energy_source"].to_dict() == {"R001": "meter", "R002": "expected"}
    with open_ledger(accepted) as ledger:
        assert ledger.journal(last=1)[0].entry.action == "record_energy"


def test_a_season_says_what_is_wrong_with_its_files(accepted, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("application_id,kwh\nR001,much\nR009,1\n")
    told = gridcheck("season", "--database", accepted, "--readings", bad, "--who", "王")
    assert (told.exit_code, "row 2 (R001): kwh 'much'" in told.stderr) == (2, True)
    bad.write_text("county_code,budget_yuan,source\n999999,-1,\n")
    told = gridcheck("season", "--database", accepted, "--budgets", bad)
    assert told.exit_code == 2
    assert all(words in told.stderr for words in ("999999", "'-1'", "source is missing"))
    assert gridcheck("season", "--database", accepted, "--season", "2025-27").exit_code == 2
    assert gridcheck("season", "--database", accepted, "--county", "110000").exit_code == 2
