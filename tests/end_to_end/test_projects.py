"""Projects of a plan from the command line: proposed from a run, listed, funded, built."""

import json

import pandas as pd
import pytest

from tests.support.command_line import gridcheck
from tests.support.results import Sample, write_sample_results

BY = ("--who", "王规划", "--reason", "会议纪要 minutes")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_sample_results(tmp_path_factory.mktemp("run") / "out", Sample(scale=0.05))


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "ledger.sqlite"
    assert gridcheck("init", "--database", file).exit_code == 0
    return file


def test_a_run_is_proposed_and_one_project_is_built(run, database, tmp_path):
    made = gridcheck("projects", "--database", database, "--propose", run, *BY, "--json")
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    chosen = pd.read_csv(run / "plan.csv").query("chosen")
    assert [one["project_id"] for one in found["projects"]] == sorted(chosen["project_id"])
    assert sum(one["cost_yuan"] for one in found["projects"]) == pytest.approx(chosen["cost_yuan"].sum())
    name = found["projects"][0]["project_id"]

    for step in (("--review",), ("--fund",), ("--build", "81234.5")):
        done = gridcheck("project", name, "--database", database, *step, *BY, "--json")
        assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert (shown["state"], shown["spent_yuan"]) == ("built", 81234.5)
    assert [line["action"] for line in shown["history"]][-1] == "build_project"

    out = tmp_path / "projects.csv"
    listed = gridcheck("projects", "--database", database, "--state", "built", "--out", out)
    assert "已用 spent 81,234.50" in listed.stdout
    assert list(pd.read_csv(out)["project_id"]) == [name]


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("projects", "--plan", "2031"), 2, "holds no plan '2031'"),
        (("projects", "--state", "paid"), 2, "paid is none of them"),
        (("project", "140827-R9999"), 2, "holds no project"),
        (("project", "x", "--fund", "--review", *BY), 2, "One step at a time"),
        (("project", "x", "--fund"), 2, "needs a name and a reason"),
    ],
)
def test_what_cannot_be_done_is_said(run, database, more, code, says):
    assert gridcheck("projects", "--database", database, "--propose", run, *BY).exit_code == 0
    result = gridcheck(*more, "--database", database)

    assert says in " ".join(result.output.split())
    assert result.exit_code == code


def test_a_folder_that_is_no_run_is_refused(database, tmp_path):
    result = gridcheck("projects", "--database", database, "--propose", tmp_path, *BY)

    assert result.exit_code != 0
    assert "is not a complete results folder" in " ".join(result.output.split())
