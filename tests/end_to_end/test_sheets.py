"""`gridcheck sheets` on a run of the smallest county: bills add up, each chosen project gets its page, drawn."""

from __future__ import annotations

import csv
import re
import shutil
import xml.etree.ElementTree as ET
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.command_line import NETWORKS, YUANQU, changed_networks, content_of, gridcheck

SVG = "{http://www.w3.org/2000/svg}"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def sheets(yuanqu: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sheets of all chosen projects."""
    out = tmp_path_factory.mktemp("sheets") / "sheets"
    done = gridcheck("sheets", yuanqu, "--out", out)
    assert done.exit_code == 0, done.stderr
    return out


def test_bills_add_up_to_the_plan_exactly_as_written(yuanqu: Path) -> None:
    plan = {row["project_id"]: Decimal(row["cost_yuan"]) for row in rows(yuanqu / "plan.csv")}
    sums = dict.fromkeys(plan, Decimal(0))
    for item in rows(yuanqu / "plan_items.csv"):
        cost = Decimal(item["cost_yuan"])
        sums[item["project_id"]] += cost
        # Quantity times price is the cost, without any rounding.
        assert Decimal(item["quantity"]) * Decimal(item["unit_yuan"]) == cost, item
        assert Decimal(item["cost_min_yuan"]) <= cost <= Decimal(item["cost_max_yuan"])
        assert item["synthetic"] == "true"

    assert len(plan) > 10
    assert sums == plan


def test_every_chosen_project_has_its_page(yuanqu: Path, sheets: Path) -> None:
    chosen = {row["project_id"] for row in rows(yuanqu / "plan.csv") if row["chosen"] == "true"}

    assert chosen
    assert {path.name for path in sheets.glob("*.html")} == {
        "sheets.html", *(f"project-{project_id}.html" for project_id in chosen)
    }  # fmt: skip
    for project_id in chosen:
        page = (sheets / f"project-{project_id}.html").read_text("utf-8")
        assert "样张" in page
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_every_page_has_both_pictures_and_marks_what_changes(yuanqu: Path, sheets: Path) -> None:
    changed = {"line-replaced", "line-new", "symbol-replaced", "symbol-new"}
    for path in sheets.glob("project-*.html"):
        pictures = re.findall(r'<svg[^>]*class="panel-(\w+)">.*?</svg>', path.read_text("utf-8"), re.DOTALL)
        whole = re.findall(r'<svg[^>]*class="panel-\w+">.*?</svg>', path.read_text("utf-8"), re.DOTALL)
        found = [{node.get("class") for node in ET.fromstring(picture).iter()} for picture in whole]

        assert pictures == ["before", "after"], path.name
        assert not found[0] & changed
        assert found[1] & changed, path.name


def test_lines_drawn_as_replaced_are_as_long_as_the_bill_says(yuanqu: Path, sheets: Path) -> None:
    restrung = [row for row in rows(yuanqu / "plan_items.csv") if row["item"] == "lv_reconductor"]
    checked = 0
    for row in restrung:
        path = sheets / f"project-{row['project_id']}.html"
        if not path.exists() or "回路数 × 供电半径" in path.read_text("utf-8"):
            continue
        after = re.search(r'<svg[^>]*class="panel-after">.*?</svg>', path.read_text("utf-8"), re.DOTALL)
        assert after is not None
        lines = [
            line for line in ET.fromstring(after[0]).iter(f"{SVG}polyline") if line.get("class") == "line-replaced"
        ]
        lengths = [Decimal(str(line[0].text).split(" · ")[2].removesuffix(" m")) for line in lines]
        assert sum(lengths) / 1000 == Decimal(row["quantity"]), row["project_id"]
        checked += 1
    if restrung and not checked:
        pytest.skip("no chosen project of this run restrings lines that are known pole by pole")


def test_named_projects_in_english_and_the_same_bytes_again(yuanqu: Path, tmp_path: Path) -> None:
    last = rows(yuanqu / "plan.csv")[-1]["project_id"]
    asked = ("sheets", yuanqu, "--projects", last, "--language", "en", "--out", tmp_path / "sheets")

    done = gridcheck(*asked)
    first = content_of(tmp_path / "sheets")
    again = gridcheck(*asked)

    assert [done.exit_code, again.exit_code] == [0, 0], done.stderr
    assert content_of(tmp_path / "sheets") == first
    assert set(first) == {f"project-{last}.html", "sheets.html", "manifest.json"}
    assert "Bill of quantities" in (tmp_path / "sheets" / f"project-{last}.html").read_text("utf-8")


def test_what_is_no_run_is_refused(yuanqu: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    earlier = Path(shutil.copytree(yuanqu, tmp_path / "earlier"))
    (earlier / "plan_items.csv").unlink()
    out = tmp_path / "sheets"

    nowhere = gridcheck("sheets", tmp_path / "nowhere", "--out", out)
    empty = gridcheck("sheets", tmp_path / "empty", "--out", out)
    without = gridcheck("sheets", earlier, "--out", out)
    unknown = gridcheck("sheets", yuanqu, "--projects", "no-such-project", "--out", out)

    assert [done.exit_code for done in (nowhere, empty, without, unknown)] == [2, 2, 2, 2]
    assert "There is no results folder" in nowhere.stderr
    assert "is not a complete results folder" in empty.stderr
    assert "plan_items.csv" in without.stderr
    assert "no-such-project" in unknown.stderr
    assert not out.exists()


def test_another_grid_than_that_of_the_run_is_refused(yuanqu: Path, tmp_path: Path) -> None:
    def longer(line) -> None:
        line.loc[line.index[0], "length_km"] += 1.0

    networks = changed_networks(tmp_path, YUANQU, "line", longer)

    done = gridcheck("sheets", yuanqu, "--networks", networks, "--out", tmp_path / "sheets")
    fine = gridcheck("sheets", yuanqu, "--networks", NETWORKS, "--out", tmp_path / "sheets")

    assert done.exit_code == 2
    assert "--networks" in done.stderr
    assert fine.exit_code == 0
