"""The ledger from the command line: made, looked at, taken on, verified."""

import json
import sqlite3

import openpyxl
import pandas as pd
import pytest

from gridcheck.ledger import open_ledger
from tests.support.command_line import gridcheck
from tests.support.ledgers import BY, all_pass, filled

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
    assert (first["before"], first["after"], second["before"]) == (None, "0003", "0003")
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
    """The ledger with both applications built and accepted."""
    with open_ledger(database) as ledger:
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
