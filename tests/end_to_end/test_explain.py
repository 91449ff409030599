"""`gridcheck explain` on the results of a run: the files, what is printed, and answers that the run did not give."""

import hashlib
import json

import pandapower as pp
import pandas as pd
import pytest

from gridcheck.network.low_voltage_case import value_read
from tests.support.command_line import JIANG, YUANQU, changed_networks, county_folder, gridcheck


def replayed(folder) -> tuple[float, dict]:
    statement = json.loads((folder / "evidence.json").read_text(encoding="utf-8"))
    net = pp.from_json(str(folder / "network.json"))
    pp.runpp(net, tolerance_mva=1e-8, numba=False)
    read = statement["read"]
    value = net[read["table"]].loc[read["index"], read["column"]] * read.get("times", 1.0)
    return float(value), statement


def test_an_application(yuanqu, tmp_path):
    shown = pd.read_csv(yuanqu / "decisions.csv").dropna(subset=["binding_value"])
    row = shown.query("binding_quantity == 'area_loading_percent'").iloc[0]

    result = gridcheck("explain", row["application_id"], "--results", yuanqu, "--out", tmp_path / "evidence")

    assert result.exit_code == 0, result.output
    assert row["application_id"] in result.stdout
    value, statement = replayed(tmp_path / "evidence")
    assert (statement["verdict"], statement["binding_element"]) == (row["verdict"], row["binding_element"])
    assert value == pytest.approx(row["binding_value"], abs=0.0005)
    assert (value > statement["binding_limit"]) == (row["verdict"] == "defer")
    assert statement["time"] == row["binding_time"]


def test_an_outage(yuanqu, tmp_path):
    row = pd.read_csv(yuanqu / "n_minus_1.csv").query("status == 'violated'").iloc[0]

    result = gridcheck("explain", row["outage_id"], "--results", yuanqu, "--out", tmp_path / "evidence", "--json")

    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    value, statement = replayed(tmp_path / "evidence")
    assert printed == statement | {"folder": str(tmp_path / "evidence")}
    # Some healthy sections stay off; the evidence shows what one more of them would do.
    column = f"tried_{statement['binding_quantity']}"
    assert value == pytest.approx(row[column], abs=0.005 if column == "tried_loading_percent" else 0.000005)
    assert value > statement["binding_limit"] if "loading" in column else value < statement["binding_limit"]


def test_evidence_goes_into_the_results_folder_by_default(results_copy):
    result = gridcheck("explain", f"{YUANQU}-P00003", "--results", results_copy)

    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (results_copy / "evidence" / f"{YUANQU}-P00003").iterdir())
    assert names == ["evidence.json", "network.json"]


@pytest.mark.parametrize("identifier", ["140827-P09999", "140827-F099-K1", "nonsense", "140881-P00001"])
def test_an_id_that_the_run_does_not_know(yuanqu, identifier):
    result = gridcheck("explain", identifier, "--results", yuanqu)

    assert result.exit_code == 2
    assert f"'{identifier}' is neither an application_id of" in result.stderr
    assert not (yuanqu / "evidence").exists()


def test_results_that_are_not_there(tmp_path):
    result = gridcheck("explain", "140827-P00001", "--results", tmp_path / "absent")

    assert result.exit_code == 2
    assert "There is no results folder" in result.stderr


def test_a_grid_that_has_changed_since(yuanqu, tmp_path):
    def longer(line: pd.DataFrame) -> None:
        line.loc[3, "length_km"] *= 1.001

    networks = changed_networks(tmp_path, YUANQU, "line", longer)

    result = gridcheck("explain", f"{YUANQU}-P00003", "--results", yuanqu, "--networks", networks)

    assert result.exit_code == 2
    assert "has changed since" in result.stderr


def test_an_answer_that_the_run_did_not_give(results_copy):
    """As after a change of the application file, or of the program itself."""
    path = results_copy / "decisions.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[2, "binding_value"] = "12.345"
    table.to_csv(path, index=False, lineterminator="\n")
    summary = json.loads((results_copy / "summary.json").read_text(encoding="utf-8"))
    summary["files"]["decisions.csv"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (results_copy / "summary.json").write_text(json.dumps(summary), encoding="utf-8")

    result = gridcheck("explain", table["application_id"][2], "--results", results_copy)

    assert result.exit_code == 2
    assert "decisions.csv says approve" in result.stderr
    assert "12.345" in result.stderr
    assert not (results_copy / "evidence").exists()


def test_a_summary_of_another_version(results_copy):
    path = results_copy / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    summary["scenario"]["magic"] = True
    path.write_text(json.dumps(summary), encoding="utf-8")

    result = gridcheck("explain", f"{YUANQU}-P00003", "--results", results_copy)

    assert result.exit_code == 2
    assert "was not written by this version" in result.stderr
    assert "magic: unknown key" in result.stderr


def test_ids_of_the_users_own_in_a_file_of_two_counties(tmp_path):
    """Ids need not begin with a county code, and the file may hold more counties than the one that is explained."""
    common = {"applied_on": "2025-08-01", "device": "air_air_heat_pump", "rated_kw": 2.0, "phase": "A",
              "household_group": "ordinary"}  # fmt: skip
    rows = []
    for code in (JIANG, YUANQU):
        first = pd.read_csv(county_folder(code) / "areas.csv", dtype=str).iloc[0]
        place = {"county_code": code, "village_code": first["village_code"], "area_id": first["area_id"]}
        rows += [
            common | place | {"application_id": f"报装-{code[-1]}{number}", "queue_position": number}
            for number in (1, 2)
        ]
    pd.DataFrame(rows).to_csv(tmp_path / "wishes.csv", index=False)
    text = f'[queue]\napplications = "{(tmp_path / "wishes.csv").as_posix()}"\n[weather]\ndays = 1\n'
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    counties = ("--county", JIANG, "--county", YUANQU)
    ran = gridcheck("run", tmp_path / "own.toml", *counties, "--out", tmp_path / "out")
    assert ran.exit_code in (0, 1), ran.output

    result = gridcheck("explain", "报装-72", "--results", tmp_path / "out", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["area_id"] == f"{YUANQU}-A0001"


def test_a_verdict_that_binds_in_the_draws(yuanqu, tmp_path):
    shown = pd.read_csv(yuanqu / "decisions.csv")
    row = shown[shown["probability"].notna() & (shown["verdict"] == "defer")].iloc[0]

    result = gridcheck("explain", row["application_id"], "--results", yuanqu, "--out", tmp_path / "evidence")

    assert result.exit_code == 0, result.output
    statement = json.loads((tmp_path / "evidence" / "evidence.json").read_text(encoding="utf-8"))
    assert (statement["verdict"], statement["binding_quantity"]) == ("defer", row["binding_quantity"])
    assert statement["binding_value"] == pytest.approx(row["binding_value"], abs=0.0005)
    net = pp.from_json(str(tmp_path / "evidence" / "network.json"))
    pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)
    assert value_read(net, statement["read"]) == pytest.approx(statement["value"], rel=5e-6)
    names = {file.name for file in (tmp_path / "evidence").iterdir()}
    assert {"case.dss", "case.json", "binding.html", "draws.csv", "statement.json"} <= names
