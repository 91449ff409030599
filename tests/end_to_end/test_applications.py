"""A run with an application file of real life: good rows are decided, bad ones come back, both can be explained."""

import json

import pandas as pd
import pytest

from gridcheck.connection.intake import read_application_file
from gridcheck.network import read_county
from gridcheck.synthesis.applications import synthetic_applications
from tests.support.application_files import workbook_of
from tests.support.command_line import YUANQU, county_folder, gridcheck

TEXT = '[weather]\ndays = 1\n[queue]\napplications = "wishes.csv"\n'
# Row of the table (the heading is line 1, so row 4 is line 6), column, what stands there, and the rule it breaks.
FAULTS = [
    (4, "area_id", "140827-A9999", "unknown_area"),
    (7, "rated_kw", "-2.0", "bad_power"),
    (9, "application_id", "140827-P00001", "id_twice"),
    (12, "county_code", "140826", "county_not_studied"),
    (20, "applied_on", "2199-01-01", "date_in_future"),
]


def good_rows() -> pd.DataFrame:
    grid = read_county(county_folder(YUANQU))
    return (
        synthetic_applications(YUANQU, grid.areas, grid.heating, seed=1).head(30).drop(columns="synthetic").astype(str)
    )


def with_faults() -> pd.DataFrame:
    table = good_rows()
    for row, column, value, _ in FAULTS:
        table.loc[row, column] = value
    table["户主"] = [f"张某{number}" for number in range(len(table))]
    return table


def run_of(folder, table: pd.DataFrame):
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "wishes.csv", index=False, encoding="gb18030", lineterminator="\r\n")
    (folder / "own.toml").write_text(TEXT, encoding="utf-8")
    return gridcheck("run", folder / "own.toml", "--county", YUANQU, "--out", folder / "out", "--workers", "1")


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The folder of a run with faulty rows, and what it printed."""
    folder = tmp_path_factory.mktemp("taken")
    return folder, run_of(folder, with_faults())


def test_good_rows_are_decided_and_the_exit_code_says_that_some_are_missing(taken):
    folder, result = taken
    decisions = pd.read_csv(folder / "out" / "decisions.csv")
    bad = {row for row, *_ in FAULTS} | {0}  # the first one has the id that row 9 repeats

    assert result.exit_code == 3, result.output
    assert len(decisions) == 30 - len(bad)
    assert set(decisions["application_id"]) == set(good_rows().drop(index=list(bad))["application_id"])
    assert "退回 6 份（共 30 份）" in result.stderr
    assert "6 of 30 applications were rejected" in result.stderr


def test_every_bad_row_stands_in_the_results_without_what_is_private(taken):
    folder, _ = taken
    rejected = pd.read_csv(folder / "out" / "applications_rejected.csv", dtype=str, keep_default_na=False)

    expected = {row + 2: rule for row, _, _, rule in FAULTS} | {2: "id_twice"}
    assert dict(zip(rejected["source_row"].astype(int), rejected["reasons"], strict=True)) == dict(
        sorted(expected.items())
    )
    assert "张某" not in (folder / "out" / "applications_rejected.csv").read_text(encoding="utf-8")
    assert rejected["county_code"].tolist() == [YUANQU] * 4 + ["140826", YUANQU]
    assert rejected["reason_zh"].str.len().min() > 5


def test_bad_rows_can_be_corrected_in_the_format_of_their_file(taken):
    folder, _ = taken
    path = folder / "out" / "applications_returned.csv"
    file = read_application_file(path)

    assert file.encoding == "gb18030"
    assert len(file.rows) == 6
    assert [cells[-4] for cells in file.rows] == [f"张某{number}" for number in (0, 4, 7, 9, 12, 20)]
    assert file.headings[-3:] == ("source_row", "reason_zh", "reason_en")


def test_the_summary_counts_what_came_back(taken):
    folder, _ = taken
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    found = summary["applications"]

    assert (summary["totals"]["applications"], summary["totals"]["rejected"]) == (24, 6)
    assert (found["rows"], found["rejected"], found["order"]) == (30, 6, "queue_position")
    assert found["rejected_by_reason"]["id_twice"] == 2
    assert "rejected by reason" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_a_verdict_is_explained_with_the_same_queue(taken, tmp_path):
    folder, _ = taken
    identifier = pd.read_csv(folder / "out" / "decisions.csv")["application_id"].iloc[-1]

    result = gridcheck("explain", identifier, "--results", folder / "out", "--out", tmp_path / "evidence", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["application_id"] == identifier


def test_a_workbook_comes_back_as_one_and_a_good_file_leaves_no_trace_of_it(tmp_path):
    """A second run replaces the folder of the first; the table of rejected rows stays, empty."""
    content = workbook_of(
        good_rows().assign(phase=lambda table: table["phase"].mask(table.index == 3, "D")).to_dict("records")
    )
    (tmp_path / "wishes.csv").write_bytes(content)  # what it is counts, not what it is called
    (tmp_path / "own.toml").write_text(TEXT, encoding="utf-8")
    first = gridcheck("run", tmp_path / "own.toml", "--county", YUANQU, "--out", tmp_path / "out", "--workers", "1")

    assert first.exit_code == 3, first.output
    back = read_application_file(tmp_path / "out" / "applications_returned.xlsx")
    assert (back.kind, back.texts("application_id"), back.texts("source_row")) == ("xlsx", ["140827-P00004"], ["5"])

    second = run_of(tmp_path, good_rows().drop(columns="queue_position"))

    assert second.exit_code in (0, 1), second.output
    assert not list((tmp_path / "out").glob("applications_returned.*"))
    assert len(pd.read_csv(tmp_path / "out" / "applications_rejected.csv")) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["applications"]["rejected"], summary["applications"]["order"]) == (0, "applied_on")
    order = pd.read_csv(tmp_path / "out" / "decisions.csv").sort_values("queue_position")["application_id"]
    assert order.tolist() == good_rows().sort_values(["applied_on", "application_id"])["application_id"].tolist()


def test_a_file_in_which_every_row_is_bad_is_refused_and_nothing_written(tmp_path):
    result = run_of(tmp_path / "bad", good_rows().assign(phase="D"))

    assert result.exit_code == 2
    assert "none of 30 applications can be studied" in result.stderr
    assert "row 2 (140827-P00001): phase 'D' must be one of A, B, C, ABC" in result.stderr
    assert not (tmp_path / "bad" / "out").exists()
