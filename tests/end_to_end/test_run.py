"""`gridcheck run` on small counties: every file with its columns, the plan's totals, the same bytes again."""

import json
import os
import re
import subprocess
import sys

import openpyxl
import pandas as pd
import pytest

from gridcheck.reports.folder import read_results
from gridcheck.reports.provenance import provenance_rows
from gridcheck.reports.totals import totals
from tests.support.command_line import JIANG, ROOT, YUANQU, changed_networks, content_of, gridcheck

FILES = {
    "applications_rejected.csv", "area_outages.csv", "areas.csv", "candidates.csv", "counties.csv", "curves.parquet",
    "decisions.csv", "feeders.csv", "n_minus_1.csv", "plan.csv", "plan_items.csv", "report.html", "report.xlsx",
    "summary.json",
    "switching_sheets.csv", "violations.csv",
}  # fmt: skip
# The columns that others rely on, in their order; further ones may follow.
COLUMNS = {
    "decisions": "application_id county_code area_id feeder_id queue_position device rated_kw phase verdict conditions "
    "binding_level binding_element binding_quantity binding_value binding_limit limit_clause binding_time probability "
    "margin_kw blocked_by",
    "plan": "rank project_id county_code feeder_id area_id measure description cost_yuan cumulative_cost_yuan chosen "
    "households_unlocked overload_hours_removed undervoltage_hours_removed unsupplied_mwh_removed benefit_per_wan "
    "reason",
    "area_outages": "county_code area_id feeder_id households transformer_kva load_after_kw remedy remedy_size "
    "restore_minutes unsupplied_households_after unsupplied_household_hours hours_until_12c",
    "n_minus_1": "county_code feeder_id outage_id outage_kind status restored_by unsupplied_kw unsupplied_households "
    "worst_loading_percent worst_vm_pu transfer_ratio",
    "areas": "area_id county_code feeder_id village_code kva households electric_households peak_kw "
    "peak_loading_percent hot_spot_c min_voltage_v neutral_percent unbalance_percent grade c1_kw c2_kw more_heat_pumps",
    "feeders": "feeder_id county_code length_km areas households peak_mw peak_loading_percent min_vm_pu n_minus_1 "
    "transfer_ratio grade",
    "counties": "county_code county target_self_retrofit applications approved conditional deferred gap_to_target "
    "budget_yuan households_unlocked subsidy_yuan",
}


def table(folder, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype={"county_code": str})


def summary(folder) -> dict:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_all_files_are_there_and_nothing_else(yuanqu):
    assert set(content_of(yuanqu)) == FILES
    assert [path.name for path in yuanqu.parent.iterdir()] == [yuanqu.name]


@pytest.mark.parametrize("name", COLUMNS)
def test_files_have_the_columns_that_others_rely_on(yuanqu, name):
    expected = COLUMNS[name].split()

    assert table(yuanqu, name).columns.tolist()[: len(expected)] == expected


def test_every_household_of_the_plan_gets_an_answer(yuanqu):
    decisions = table(yuanqu, "decisions")

    assert decisions["application_id"].is_unique
    assert decisions["queue_position"].tolist() == list(range(1, 101))
    assert set(decisions["verdict"]) <= {"approve", "approve_with_conditions", "defer"}
    assert set(decisions["county_code"]) == {YUANQU}
    (county,) = table(yuanqu, "counties").to_dict("records")
    assert (county["county"], county["target_self_retrofit"], county["applications"]) == ("垣曲县", 100, 100)
    counts = decisions["verdict"].value_counts()
    for verdict, column in (("approve", "approved"), ("approve_with_conditions", "conditional"), ("defer", "deferred")):
        assert county[column] == counts.get(verdict, 0)
    assert county["gap_to_target"] == county["deferred"]


def test_every_area_feeder_and_section_is_reported(yuanqu):
    assert len(table(yuanqu, "areas")) == 440
    assert len(table(yuanqu, "feeders")) == 16
    outages = table(yuanqu, "n_minus_1")
    assert outages["outage_id"].is_unique
    assert (outages["outage_kind"] == "outlet").sum() == 16
    assert set(outages["status"]) <= {"secure", "violated", "unsupplied", "not_converged"}


def test_chinese_provenance_has_no_english_keys(yuanqu):
    rows = provenance_rows(summary(yuanqu), "zh")
    names = [item for item, _ in rows if not item.startswith(("软件版本", "输入校验和"))]

    assert len(names) > 20
    assert [item for item in names if re.search(r"[a-z]+_[a-z]+|(^| / )[a-z]+($| / )", item)] == []
    assert [value for _, value in rows if value in ("optimal", "synthetic", "true", "false")] == []


def test_every_file_says_that_it_is_synthetic(yuanqu):
    assert all(table(yuanqu, name)["synthetic"].all() for name in [*COLUMNS, "violations"])


def test_a_figure_on_a_tile_is_the_count_in_the_files(yuanqu):
    found = totals(read_results(yuanqu))
    areas, violations = table(yuanqu, "areas"), table(yuanqu, "violations")
    by_quantity = violations["quantity"].value_counts().to_dict()

    assert (
        found.overloaded
        == by_quantity.get("area_loading_percent", 0)
        == (areas["sustained_loading_percent"] > 100).sum()
    )
    assert found.low_voltage == by_quantity.get("voltage_v", 0) == (areas["min_voltage_v"] < 198).sum()
    assert found.overloaded < (areas["peak_loading_percent"] > 100).sum()
    over = areas["area_id"].isin(violations.loc[violations["quantity"] == "area_loading_percent", "area_id"])
    assert set(areas.loc[over, "grade"]) <= {"red", "yellow"}
    assert (areas["more_heat_pumps"] <= areas["households"] - areas["electric_households"]).all()


def test_outages_tell_the_faulted_section_from_what_was_not_transferred(yuanqu):
    outages = table(yuanqu, "n_minus_1")
    parts = outages["faulted_households"] + outages["untransferred_households"]

    assert (parts == outages["unsupplied_households"]).all()
    assert (outages.loc[outages["status"] == "secure", "untransferred_households"] == 0).all()
    assert (outages.loc[outages["status"] == "violated", "untransferred_households"] > 0).all()


def test_homes_that_stay_off_get_cold_and_the_others_are_not_counted(yuanqu):
    outages = table(yuanqu, "n_minus_1")
    off = outages["unsupplied_households"] > 0

    assert off.any()
    assert (outages["hours_until_12c"].notna() == off).all()
    # Feeders differ by their heaters; 5 °C comes hours later.
    assert outages.loc[off, "hours_until_12c"].between(0.5, 12.0).all()
    assert len(set(outages.loc[off, "hours_until_12c"])) > 1
    assert (outages.loc[off, "hours_until_5c"] > outages.loc[off, "hours_until_12c"] + 2.0).all()


def test_every_area_has_a_remedy_for_its_transformer(yuanqu):
    lost, areas = table(yuanqu, "area_outages"), table(yuanqu, "areas")

    assert lost["area_id"].tolist() == areas["area_id"].tolist()
    assert (lost["transformer_kva"] == areas["kva"]).all()
    # After an hour without supply an area draws no less than its peak without an outage.
    assert (lost["load_after_kw"] >= areas["peak_kw"] - 0.01).all()
    assert set(lost["remedy"]) <= {"generator", "spare_transformer", "generator_then_spare"}
    by_generator = lost["remedy"] == "generator"
    assert (lost.loc[by_generator, "load_after_kw"] <= 0.8 * lost.loc[by_generator, "generator_kw"] + 0.01)[
        lost["unsupplied_households_after"] == 0
    ].all()
    both = lost["remedy"] == "generator_then_spare"
    assert (lost.loc[both, "generator_households"] < lost.loc[both, "households"]).all()
    assert (lost.loc[both, "generator_minutes"] < lost.loc[both, "restore_minutes"]).all()
    least = lost["households"] * lost["generator_minutes"].fillna(lost["restore_minutes"]) / 60.0
    assert (lost["unsupplied_household_hours"] >= least - 0.06).all()
    assert lost["hours_until_12c"].notna().eq(areas["electric_households"] > 0).all()


def test_violations_say_what_was_there_before(yuanqu):
    violations = table(yuanqu, "violations")
    upper = violations["quantity"] != "voltage_v"
    before = (violations["value_before"] > violations["limit"]).where(
        upper, violations["value_before"] < violations["limit"]
    )

    assert (before != violations["newly"]).all()


def test_one_county_with_the_whole_plan_s_money_is_warned_of_and_the_budget_can_be_named(yuanqu, tmp_path):
    assert summary(yuanqu)["whole_plan_budget_for_some_counties"] is True
    assert "--budget" in (yuanqu / "report.html").read_text(encoding="utf-8")
    (tmp_path / "day.toml").write_text("[weather]\ndays = 1\n", encoding="utf-8")

    result = gridcheck(
        "run", tmp_path / "day.toml", "--county", YUANQU, "--budget", "60000", "--language", "en", "--out",
        tmp_path / "out",
    )  # fmt: skip

    assert result.exit_code in (0, 1), result.output
    assert "--budget" not in result.stderr
    found = summary(tmp_path / "out")
    assert (found["budget_yuan"], found["whole_plan_budget_for_some_counties"]) == (60_000, False)
    assert found["scenario"]["reinforcement"]["budget_yuan"] == 60_000
    plan = table(tmp_path / "out", "plan")
    assert plan.loc[plan["chosen"], "cost_yuan"].sum() <= 60_000
    assert openpyxl.load_workbook(tmp_path / "out" / "report.xlsx", read_only=True).sheetnames[0] == "Overview"
    assert 'lang="en"' in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")[:200]


def test_a_budget_that_is_none_is_refused(tmp_path):
    result = gridcheck("run", "--county", YUANQU, "--budget", "-1", "--out", tmp_path / "out")

    assert result.exit_code == 2
    assert "--budget" in result.stderr


def test_verdicts_agree_with_their_own_numbers(yuanqu):
    decisions = table(yuanqu, "decisions")
    quantity = decisions["binding_quantity"]
    upper = quantity.str.endswith("_percent") | quantity.isin(["hot_spot_c", "meter_voltage_max_v"])
    over = decisions["binding_value"] - decisions["binding_limit"]
    beyond = (over > 0).where(upper, over < 0)
    deferred = decisions["verdict"] == "defer"

    # An approval may stand behind a limit only by rounding; a deferral names a limit that is broken.
    assert not (beyond & ~deferred).any()
    assert (beyond | (decisions["binding_value"] == decisions["binding_limit"]))[deferred].all()
    assert decisions["blocked_by"].notna().eq(deferred).all()
    assert (decisions.loc[deferred, "margin_kw"] < 0).all()


def test_the_plan_stays_within_the_money(yuanqu):
    plan = table(yuanqu, "plan")
    chosen = plan[plan["chosen"]]

    assert chosen["cost_yuan"].sum() <= 18_000_000
    assert chosen["cumulative_cost_yuan"].tolist() == pytest.approx(chosen["cost_yuan"].cumsum().tolist())


def test_the_summary_says_where_the_numbers_come_from(yuanqu):
    found = summary(yuanqu)

    assert found["synthetic"] is True
    assert found["seed"] == 2025
    assert found["totals"]["applications"] == 100
    assert set(found["inputs"]) == {"140827-yuanqu"}
    for stage in ("network_and_demand", "queue", "states", "n_minus_1"):
        assert found["performance"]["stages"][stage]["cpu_process_seconds"] > 0
        assert found["performance"]["stages"][stage]["peak_memory_mb"] < 2_000


def test_the_same_seed_gives_the_same_bytes_in_place_of_an_older_folder(yuanqu, results_copy):
    # Another process with another order of sets, as on another machine.
    (results_copy / "areas.csv").write_text("area_id\n", encoding="utf-8")
    (results_copy / "evidence").mkdir()
    (results_copy / "evidence" / "note.json").write_text("{}", encoding="utf-8")
    command = [sys.executable, "-m", "gridcheck.cli", "run", "--county", YUANQU, "--out", str(results_copy), "--json"]
    environment = os.environ | {"PYTHONHASHSEED": "77"}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)

    first, second = content_of(yuanqu), content_of(results_copy)
    # What explain wrote stays.
    assert set(second) == FILES | {"evidence/note.json"}
    assert {name for name in FILES if first[name] != second[name]} <= {"summary.json"}
    summaries = [summary(folder) for folder in (yuanqu, results_copy)]
    assert all(found.pop("performance") for found in summaries)
    assert summaries[0] == summaries[1]
    assert [path.name for path in results_copy.parent.iterdir()] == [results_copy.name]
    # The exit code says that limits are broken, and what is printed can be read by a program.
    assert len(table(yuanqu, "violations")) > 0
    assert done.returncode == 1
    printed = json.loads(done.stdout)
    assert (printed["applications"], printed["violations"]) == (100, len(table(yuanqu, "violations")))


def test_another_seed_changes_the_queue_and_no_fact(yuanqu, tmp_path):
    scenario = tmp_path / "seed.toml"
    scenario.write_text("[study]\nseed = 7\n", encoding="utf-8")

    result = gridcheck("run", scenario, "--county", YUANQU, "--out", tmp_path / "out")

    assert result.exit_code in (0, 1)
    ours, theirs = table(yuanqu, "decisions"), table(tmp_path / "out", "decisions")
    assert len(ours) == len(theirs) == 100
    assert ours["area_id"].tolist() != theirs["area_id"].tolist()
    facts = ["county_code", "county", "target_self_retrofit", "applications"]
    pd.testing.assert_frame_equal(table(yuanqu, "counties")[facts], table(tmp_path / "out", "counties")[facts])
    same = ["area_id", "feeder_id", "kva", "households"]
    pd.testing.assert_frame_equal(table(yuanqu, "areas")[same], table(tmp_path / "out", "areas")[same])
    assert summary(tmp_path / "out")["inputs"] == summary(yuanqu)["inputs"]


@pytest.mark.slow
def test_two_counties_side_by_side_are_what_each_is_alone(yuanqu, tmp_path):
    result = gridcheck("run", "--county", YUANQU, "--county", JIANG, "--out", tmp_path / "out")

    assert result.exit_code == 1, result.output
    counties = table(tmp_path / "out", "counties")
    assert counties["county_code"].tolist() == [JIANG, YUANQU]
    assert counties["applications"].tolist() == counties["target_self_retrofit"].tolist() == [1500, 100]
    for name in ("decisions", "n_minus_1", "areas", "feeders"):
        both = table(tmp_path / "out", name)
        own = both[both["county_code"] == YUANQU].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, table(yuanqu, name), check_dtype=False)
    deferred = table(tmp_path / "out", "decisions").query("verdict == 'defer'")
    assert len(deferred) > 20
    assert deferred["blocked_by"].isin(["existing_load", "promised_load", "own_load"]).all()


def test_the_closing_table_is_for_people(tmp_path):
    # A county in which no household asks for a connection is a study like any other.
    (tmp_path / "day.toml").write_text("[weather]\ndays = 1\n", encoding="utf-8")

    result = gridcheck("run", tmp_path / "day.toml", "--county", "140829", "--out", tmp_path / "out")

    assert result.exit_code in (0, 1), result.output
    assert "平陆县" in result.stdout
    assert "合成数据 synthetic data" in result.stdout
    assert "network_and_demand" in result.stdout
    assert len(table(tmp_path / "out", "decisions")) == 0


def test_ties_that_can_never_be_closed_are_said(tmp_path):
    def other_group(trafo: pd.DataFrame) -> None:
        trafo.loc[4, "shift_degree"] = 0.0  # Yy0 among Dyn11: one of the substations with ties to others

    networks, day = changed_networks(tmp_path, YUANQU, "trafo", other_group), tmp_path / "day.toml"
    day.write_text("[weather]\ndays = 1\n", encoding="utf-8")

    result = gridcheck("run", day, "--county", YUANQU, "--networks", networks, "--out", tmp_path / "out", "--json")

    assert result.exit_code in (0, 1), result.output
    said = summary(tmp_path / "out")["remarks"][YUANQU]
    assert said
    assert all("is never closed as a tie" in remark for remark in said)
    never = {remark.partition("(")[2].partition(")")[0] for remark in said}
    used = ";".join(table(tmp_path / "out", "n_minus_1")["restored_by"].dropna()).split(";")
    assert not never & set(used)
    assert "垣曲县" in result.stderr
    assert said[0] in result.stderr
