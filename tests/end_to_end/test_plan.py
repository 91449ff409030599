"""`gridcheck plan`: what it writes and says, and what it refuses with file, row and remedy."""

import csv
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gridcheck.errors import OutOfTimeError
from tests.support.command_line import ROOT, content_of, gridcheck
from tests.support.package_tables import COLUMNS, best_of_all_subsets, hard_table, random_table, row, write_table

ROWS = [
    row("P3", 50000, 5, 2.5, requires="P1"),
    row("P1", 60000, 7, 1, group="A"),
    row("P2", 50000, 5, 0, group="A"),
    row("P4", 0.29, 0, -1),
]


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path / "candidates.csv", ROWS)


def plan(table, out, *options, budget="110000"):
    return gridcheck("plan", "--candidates", table, "--budget", budget, "--out", out, *options)


def written(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def refused(result, out, *said):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    message = result.stderr.replace("\n", " ")
    assert "Traceback" not in message
    for words in said:
        assert words in message
    assert not out.exists()


def test_all_rows_in_the_order_of_the_file_and_a_status_line(table, tmp_path):
    result = plan(table, tmp_path / "out")

    assert result.exit_code == 0, result.output
    rows = written(tmp_path / "out/plan.csv")
    assert list(rows[0])[:2] == ["project_id", "chosen"]
    assert [(one["project_id"], one["chosen"], one["outcome"]) for one in rows] == [
        ("P3", "1", "chosen"), ("P1", "1", "chosen"), ("P2", "0", "alternative_chosen"), ("P4", "0", "no_benefit"),
    ]  # fmt: skip
    assert result.stdout.count("\n") == 1
    for words in ("status: optimal", "households: 12", "risk_hours: 3.5", "cost_yuan: 110000", "gap: 0"):
        assert words in result.stdout
    status = json.loads((tmp_path / "out/status.json").read_text("utf-8"))
    assert status["line"] + "\n" == result.stdout
    assert (status["households"], status["risk_hours"], status["gap"], status["chosen"]) == (12, 3.5, 0.0, 2)
    assert status["is_least_cost"] is True


def test_machine_readable(table, tmp_path):
    result = plan(table, tmp_path / "out", "--json")

    assert json.loads(result.stdout) == json.loads((tmp_path / "out/status.json").read_text("utf-8"))


def test_same_input_same_bytes_whatever_the_order_of_the_rows(tmp_path):
    rows = random_table(40, np.random.default_rng(8), has_decimals=True)
    there, back = write_table(tmp_path / "a.csv", rows), write_table(tmp_path / "b.csv", rows[::-1])
    for source, out in ((there, "1"), (there, "2"), (back, "3")):
        assert plan(source, tmp_path / out, budget="2000000").exit_code == 0

    assert content_of(tmp_path / "1") == content_of(tmp_path / "2")
    assert written(tmp_path / "1/plan.csv") == written(tmp_path / "3/plan.csv")[::-1]


def test_forced_and_forbidden(table, tmp_path):
    assert plan(table, tmp_path / "out", "--force", "P4", "--forbid", "P1", "--forbid", "P3").exit_code == 0

    chosen = {one["project_id"]: one["outcome"] for one in written(tmp_path / "out/plan.csv")}
    assert chosen == {"P1": "forbidden", "P2": "chosen", "P3": "forbidden", "P4": "chosen"}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("P1", "项目一").encode("gb18030"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(";", "；").encode(),
    ],
)
def test_files_of_spreadsheets(table, tmp_path, change):
    text = "\n".join(",".join(one) for one in csv.reader(table.read_text("utf-8").splitlines())) + "\n"
    table.write_bytes(change(text))

    assert plan(table, tmp_path / "out").exit_code == 0

    assert [one["chosen"] for one in written(tmp_path / "out/plan.csv")] == ["1", "1", "0", "0"]


def test_group_and_requires_may_be_missing(tmp_path):
    table = write_table(
        tmp_path / "t.csv",
        [{"project_id": "a", "cost_yuan": "1", "households": "1.0", "risk_hours": "1e1"}],
        ("project_id", "cost_yuan", "households", "risk_hours"),
    )

    result = plan(table, tmp_path / "out", budget="1")

    assert (result.exit_code, "risk_hours: 10;" in result.stdout) == (0, True)


def test_the_budget_is_kept_to_the_last_decimal(tmp_path):
    table = write_table(tmp_path / "t.csv", [row("a", "0.1", 1), row("b", "0.2", 1)])

    for budget, households in (("0.3", 2), ("0.29", 1), ("0.2999999999999999", 1)):
        assert f"households: {households};" in plan(table, tmp_path / "out", budget=budget).stdout


def test_what_can_never_be_built_is_said(tmp_path):
    table = write_table(tmp_path / "t.csv", [row("a", 1, 1, group="G"), row("b", 1, 9, group="G", requires="a")])

    result = plan(table, tmp_path / "out")

    assert "row 3 (b): never built" in result.stderr
    assert [one["outcome"] for one in written(tmp_path / "out/plan.csv")] == ["chosen", "never_buildable"]


FAULTS = {
    "negative cost": ([row("a", -1, 1)], ["row 2 (a): cost_yuan '-1' must be a number of at least 0"]),
    "no cost": ([row("a", "", 1)], ["row 2 (a): cost_yuan ''"]),
    "no number": ([row("a", "nan", 1), row("b", "inf", 1), row("c", "1,000", 1)],
                  ["row 2 (a): cost_yuan 'nan'", "row 3 (b): cost_yuan 'inf'", "row 4 (c): cost_yuan '1,000'"]),
    "half a household": ([row("a", 1, 1.5), row("b", 1, -1)], ["row 2 (a): households '1.5'", "row 3 (b): households"]),
    "no hours": ([row("a", 1, 1, "many")], ["row 2 (a): risk_hours 'many'"]),
    "no id": ([row("", 1, 1)], ["row 2: project_id is empty"]),
    "twice": ([row("a", 1, 1), row("a", 1, 1)], ["row 3 (a): project_id stands in row 2 already"]),
    "unknown": ([row("a", 1, 1, requires="b")], ["row 2 (a): it requires 'b', which is no project_id of the table"]),
    "itself": ([row("a", 1, 1, requires="a")], ["row 2 (a): it requires itself"]),
    "circle": ([row("x", 1, 1, requires="a"), row("a", 1, 1, requires="b"), row("b", 1, 1, requires="c;x"),
                row("c", 1, 1)],
               ["row 2 (x): requires leads in a circle: x (row 2) > a (row 3) > b (row 4) > x (row 2); take one out"]),
    "no rows": ([], ["row 2: there is none"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_table(tmp_path, name):
    rows, said = FAULTS[name]
    table = write_table(tmp_path / "t.csv", rows)

    refused(plan(table, tmp_path / "out"), tmp_path / "out", str(table), *said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"project_id,cost_yuan\na,1\n", "column households is missing"),
        (b"project_id,cost_yuan,households,risk_hours\na,1\n", "row 2: 2 cells"),
        (b"PK\x03\x04rest", "it is a workbook"),
    ],
)
def test_no_table(tmp_path, content, said):
    table = tmp_path / "t.csv"
    table.write_bytes(content)

    refused(plan(table, tmp_path / "out"), tmp_path / "out", str(table), said)


@pytest.mark.parametrize(
    ("column", "written_as"), [("requires", " requires"), ("group", "Group"), ("requires", "require")]
)
def test_a_heading_that_is_nearly_one_is_not_passed_over(tmp_path, column, written_as):
    file = write_table(tmp_path / "candidates.csv", ROWS)
    text = file.read_text(encoding="utf-8")
    heading, rest = text.split("\n", 1)
    names = [written_as if name == column else name for name in heading.strip().split(",")]
    file.write_text(",".join(names) + "\n" + rest, encoding="utf-8")

    refused(plan(file, tmp_path / "out"), tmp_path / "out", written_as.strip(), column)


def test_the_table_itself_is_never_replaced(tmp_path):
    out = tmp_path / "out"
    assert plan(write_table(tmp_path / "candidates.csv", ROWS), out).exit_code == 0
    file = write_table(out / "rules.csv", ROWS)
    before = content_of(out)

    result = plan(file, out)

    assert result.exit_code == 2
    assert "Take another --out" in result.stderr
    assert content_of(out) == before


def test_no_file(tmp_path):
    refused(plan(tmp_path / "absent.csv", tmp_path / "out"), tmp_path / "out", "absent.csv cannot be read")


@pytest.mark.parametrize("budget", ["-1", "nan", "inf", "much", "1e400", ""])
def test_an_impossible_budget(table, tmp_path, budget):
    refused(plan(table, tmp_path / "out", budget=budget), tmp_path / "out", "--budget", "of at least 0")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--force", "P3"], ["is 9999.99 yuan too small for the forced projects (P3) with what they require",
                             "smallest budget that could is 110000 yuan", "row 2 (P3)"]),
        (["--force", "P9"], ["project 'P9' is unknown"]),
        (["--forbid", "P9"], ["project 'P9' is unknown"]),
        (["--force", "P1", "--force", "P2"], ["projects P1, P2 are alternatives of one group"]),
        (["--force", "P3", "--forbid", "P1"], ["project 'P1' is forced or required by a forced one, and forbidden"]),
        (["--force", "P1", "--forbid", "P1"], ["both forced and forbidden"]),
        (["--county-minimum", "140827=1"], ["county '140827' is unknown"]),
        (["--county-minimum", "140827"], ["must be CODE=HOUSEHOLDS"]),
    ],
)  # fmt: skip
def test_impossible_conditions(table, tmp_path, options, said):
    refused(plan(table, tmp_path / "out", *options, budget="100000.01"), tmp_path / "out", *said)


def test_the_results_of_a_run_are_left_alone(table, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").write_text("{}", encoding="utf-8")
    before = content_of(out)

    result = plan(table, out)

    assert (result.exit_code, content_of(out)) == (2, before)
    assert "holds the results of `gridcheck run`" in result.stderr


def test_all_or_nothing(table, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert plan(table, out, "--around").exit_code == 0
    before = content_of(out)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gridcheck.atomic.os.fsync", full)

    assert plan(table, out, budget="60000").exit_code == 2
    assert content_of(out) == before


def test_files_of_an_older_plan_go(table, tmp_path):
    out = tmp_path / "out"
    assert plan(table, out, "--around").exit_code == 0
    assert (out / "rules.csv").exists()

    assert plan(table, out).exit_code == 0

    assert sorted(content_of(out)) == ["plan.csv", "status.json"]


def test_everything_around_the_choice(tmp_path):
    rows = random_table(14, np.random.default_rng(2), has_decimals=True)
    for number, one in enumerate(rows):
        one |= {"county_code": f"14082{number % 3}", "measure": ("tie_switch", "other")[number % 2]}
    table = write_table(tmp_path / "t.csv", rows, tuple(rows[0]))
    out = tmp_path / "out"

    result = plan(table, out, "--pareto", "--around", "--robust", "cvar", "--draws", "5", budget="700000")

    assert result.exit_code == 0, result.output
    curve = written(out / "pareto.csv")
    assert [one["budget_yuan"] for one in curve] == [str(million * 10**6) for million in range(41)]
    everything = best_of_all_subsets(rows, Fraction(10**9))
    count = {one["project_id"]: int(one["households"]) for one in rows}
    assert int(curve[-1]["households"]) == sum(count[i] for i in everything)
    status = json.loads((out / "status.json").read_text("utf-8"))
    best = best_of_all_subsets(rows, Fraction(800_000))
    assert status["households"] + status["marginal_100000_yuan"]["households"] == sum(count[i] for i in best)
    assert {one["rule"] for one in written(out / "rules.csv")} == {
        "exact", "benefit_per_cost", "heaviest_risk", "even_split",
    }  # fmt: skip
    assert all(int(one["households"]) <= status["households"] for one in written(out / "rules.csv"))
    split = written(out / "county_split.csv")
    assert sum(int(one["households"]) for one in split) == status["households"]
    scenarios = written(out / "scenarios.csv")
    assert len(scenarios) == 5
    assert all(
        Fraction(one["regret"]) == Fraction(one["best_households"]) - Fraction(one["households"]) >= 0
        for one in scenarios
    )
    assert {one["frequency_percent"] for one in written(out / "frequency.csv")} <= {
        "0.000", "20.000", "40.000", "60.000", "80.000", "100.000",
    }  # fmt: skip


def test_an_id_that_looks_like_a_formula_comes_back(tmp_path):
    table = write_table(tmp_path / "t.csv", [row("=1+1", 1, 1)])

    assert plan(table, tmp_path / "out", "--force", "=1+1").exit_code == 0
    assert (tmp_path / "out/plan.csv").read_text("utf-8").splitlines()[1].startswith("'=1+1,1,")


def test_an_id_is_written_everywhere_as_in_the_table_or_plainly(tmp_path):
    rows = [row("'=a", 1, 1), row("b", 1, 1, requires="c;'=a"), row("c", 1, 1, requires="=a"), row("''=a", 9, 1)]
    table = write_table(tmp_path / "t.csv", rows)

    assert plan(table, tmp_path / "1", "--forbid", "'=a", "--force", "''=a").exit_code == 0
    assert plan(table, tmp_path / "2", "--forbid", "=a").exit_code == 0

    chosen = [
        [one["project_id"] for one in written(tmp_path / f"{n}/plan.csv") if one["chosen"] == "1"] for n in (1, 2)
    ]
    assert chosen == [["''=a"], ["''=a"]]
    status = json.loads((tmp_path / "1/status.json").read_text("utf-8"))
    # In JSON nothing runs: the id itself.
    assert (status["forced"], status["forbidden"]) == (["'=a"], ["=a"])
    # What was written is read again as the same ids.
    assert plan(tmp_path / "1/plan.csv", tmp_path / "3", "--force", "'=a", "--force", "''=a").exit_code == 0
    assert written(tmp_path / "3/plan.csv")[0]["project_id"] == "'=a"


@pytest.mark.parametrize("project_id", ["a;b", "a；b"])
def test_an_id_that_requires_could_never_name(tmp_path, project_id):
    table = write_table(tmp_path / "t.csv", [row("c", 1, 1), row(project_id, 1, 1)])

    refused(plan(table, tmp_path / "out"), tmp_path / "out", f"row 3 ({project_id}): project_id holds a semicolon")


def test_rows_are_lines_of_the_file(tmp_path):
    heading = ",".join(COLUMNS)
    table = tmp_path / "t.csv"
    table.write_text(f'\n{heading}\n\n"a\nb",,,1,1,1\n\nc,,,-1,1,1\nd,,,1,1,1\n"e",,,1,x,1\n', encoding="utf-8")

    refused(plan(table, tmp_path / "out"), tmp_path / "out", "row 7 (c): cost_yuan", "row 9 (e): households")

    table.write_text(f'{heading}\n"a\nb",,,1,1,1\n\nc,,1,1,1\n', encoding="utf-8")
    refused(plan(table, tmp_path / "out"), tmp_path / "out", "row 5: 5 cells")

    table.write_text(f'{heading}\n\na,,,1,1,1\nb,,,1,1,"1\n', encoding="utf-8")
    refused(plan(table, tmp_path / "out"), tmp_path / "out", "row 4: unexpected end of data")

    table.write_text(f"{heading}\n\na,G,,1,1,1\nb,G,a,1,1,1\n", encoding="utf-8")
    assert "row 4 (b): never built" in plan(table, tmp_path / "out").stderr
    assert [one["outcome"] for one in written(tmp_path / "out/plan.csv")] == ["chosen", "never_buildable"]


@pytest.mark.parametrize("column", ["cost_yuan", "households", "risk_hours"])
def test_a_number_of_thousands_of_digits(tmp_path, column):
    table = write_table(tmp_path / "t.csv", [row("a", 1, 1), {**row("b", 1, 1), column: "9" * 5000}])

    refused(plan(table, tmp_path / "out"), tmp_path / "out", f"row 3 (b): {column} '9999", "… (5000 characters)")


def test_options_of_thousands_of_digits(table, tmp_path):
    out, digits = tmp_path / "out", "9" * 5000

    refused(plan(table, out, budget=digits), out, "--budget '9999", "of at least 0")
    refused(plan(table, out, "--county-minimum", f"140827={digits}"), out, "must be CODE=HOUSEHOLDS")


@pytest.mark.parametrize(
    "options", [("--minutes", "0"), ("--minutes", "nan"), ("--minutes", "-1"), ("--minutes", "inf")]
)
def test_impossible_times(table, tmp_path, options):
    refused(plan(table, tmp_path / "out", *options), tmp_path / "out", "--minutes must be above 0")


@pytest.fixture(scope="module")
def hard(tmp_path_factory):
    rows = hard_table(400, np.random.default_rng(7), largest=10**8)
    budget = str(sum(int(one["cost_yuan"]) for one in rows) // 2)
    return write_table(tmp_path_factory.mktemp("hard") / "hard.csv", rows), budget


def test_out_of_time_the_best_found_is_written_with_its_gap(hard, tmp_path):
    table, budget = hard

    result = plan(table, tmp_path / "out", "--minutes", "0.005", budget=budget)

    assert result.exit_code == 0, result.output
    status = json.loads((tmp_path / "out/status.json").read_text("utf-8"))
    assert (status["status"], status["is_least_cost"], status["cut_short"]) == ("feasible", False, ["choice"])
    assert status["gap"] > 0.0
    assert f"status: feasible; 户数 households: {status['households']};" in result.stdout
    assert f"gap: {status['gap']:g} ({status['gap_of']})" in result.stdout
    assert status["bound"] > status[status["gap_of"]]
    assert f"other plans may bring more {status['gap_of']}" in result.stderr
    chosen = [one for one in written(tmp_path / "out/plan.csv") if one["chosen"] == "1"]
    assert sum(int(one["households"]) for one in chosen) == status["households"]
    assert sum(Fraction(one["cost_yuan"]) for one in chosen) <= Fraction(budget)


def test_every_part_has_its_time_and_says_where_it_was_too_short(hard, tmp_path):
    table, budget = hard

    result = plan(table, tmp_path / "out", "--minutes", "0.002", "--around", "--pareto", "--robust", "regret",
                  "--draws", "2", budget=budget)  # fmt: skip

    assert result.exit_code == 0, result.output
    status = json.loads((tmp_path / "out/status.json").read_text("utf-8"))
    # 40 million yuan pay for a few of these only, and all of the curve may be proved.
    assert {"choice", "around", "robust"} <= set(status["cut_short"])
    assert status["robust"]["gap"] > 0.0
    assert written(tmp_path / "out/rules.csv")[0]["rule"] == "best_found"
    assert "not all is proved" in result.stderr
    assert set(status["files"]) == {path.name for path in (tmp_path / "out").iterdir()} - {"status.json"}


def test_a_minimum_for_which_nothing_was_found_in_time_is_unfinished_work(table, tmp_path, monkeypatch):
    monkeypatch.setattr("gridcheck.reinforcement.patience.Patience.left_s", 0.0)
    rows = [{**one, "county_code": "140827"} for one in ROWS]
    table = write_table(tmp_path / "t.csv", rows, tuple(rows[0]))

    result = plan(table, tmp_path / "out", "--county-minimum", "140827=1")

    assert result.exit_code == 3
    assert "Give it more with --minutes" in result.stderr.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_notes_stand_in_the_status(tmp_path):
    table = write_table(tmp_path / "t.csv", [row("a", 1, 1, group="G"), row("b", 1, 9, group="G", requires="a")])

    result = plan(table, tmp_path / "out", "--json")

    status = json.loads(result.stdout)
    assert status == json.loads((tmp_path / "out/status.json").read_text("utf-8"))
    assert [note.split(":")[0] for note in status["notes"]] == ["row 3 (b)"]


def test_a_table_that_can_be_read_once_only(table, tmp_path, monkeypatch):
    read, count = Path.read_bytes, []
    monkeypatch.setattr(
        Path, "read_bytes", lambda self: read(self) if self != table or count.append(1) is None else b""
    )

    assert plan(table, tmp_path / "out").exit_code == 0

    assert len(count) == 1


def test_nobody_reads(table, tmp_path):
    command = [sys.executable, "-m", "gridcheck.cli", "plan", "--candidates", table, "--budget", "1", "--json", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command, tmp_path / "1"], check=False, capture_output=True, env=environment
    )
    with subprocess.Popen(
        [*command, tmp_path / "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as gone:
        gone.stdout.close()
        said = gone.stderr.read()

    assert (closed.returncode, gone.returncode, closed.stderr, said) == (141, 141, b"", b"")
    assert (tmp_path / "1/plan.csv").exists()
    assert (tmp_path / "2/plan.csv").exists()


def test_a_figure_that_was_not_found_in_time_is_not_called_none(table, tmp_path, monkeypatch):
    def late(*_, **__):
        raise OutOfTimeError("The time ran out.")

    for name in ("around.next_on_the_list", "robust.choose_robustly", "around.pareto"):
        monkeypatch.setattr(f"gridcheck.reinforcement.{name}", late)

    result = plan(table, tmp_path / "out", "--around", "--pareto", "--robust", "cvar")

    assert result.exit_code == 0, result.output
    status = json.loads((tmp_path / "out/status.json").read_text("utf-8"))
    assert (status["next_on_the_list"], status["robust"]) == ("out_of_time", "out_of_time")
    assert (status["status"], status["marginal_100000_yuan"]["gap"]) == ("optimal", 0.0)
    assert status["cut_short"] == ["pareto", "around", "robust"]
    assert written(tmp_path / "out/pareto.csv") == []
    assert "scenarios.csv" not in status["files"]
