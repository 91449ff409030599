"""Sheets of projects say what the tables say, escape what files bring, and refuse what is no run."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from gridcheck.errors import InputError, LedgerError
from gridcheck.reinforcement.measures import Item
from gridcheck.reports.folder import Results, read_results
from gridcheck.reports.plan_items import PLAN_ITEMS, read_plan_items
from gridcheck.reports.project_drawing import Drawing, DrawnLine, Panel
from gridcheck.reports.project_facts import project_facts
from gridcheck.reports.project_sheets import ALL_FILE, RunWords, run_words, sheets_html, write_sheets
from gridcheck.reports.project_words import yuan
from gridcheck.reports.texts import LANGUAGES
from tests.support.project_sheets import candidate_of, facts_of, write_bills
from tests.support.results import HOSTILE_NAME, write_sample_results

NEW_AREA = (
    Item(measure="new_area_200", amount=1.0, unit_yuan=170_000.0, type_name="S20-200-Dyn11"),
    Item(measure="mv_line_120", amount=0.3, unit_yuan=240_000.0, type_name="JKLYJ-10-120"),
    Item(measure="lv_line_120", amount=0.2, unit_yuan=160_000.0, type_name="JKLYJ-1-120"),
)
LINE = Panel(lines=(DrawnLine(name="L", way_m=((0.0, 0.0), (50.0, 0.0))),))
DRAWING = Drawing(before=LINE, after=LINE, is_map=False, is_synthetic=True)


class Page(HTMLParser):
    """Text, tables and elements of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.names.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data


@pytest.fixture
def results(tmp_path) -> Results:
    found = read_results(write_sample_results(tmp_path / "out"))
    write_bills(found)
    return found


def test_a_sheet_says_everything_that_is_known_of_the_project() -> None:
    facts = facts_of(candidate_of(NEW_AREA, project_id="140800-R0001", area_id="140800-A0001", feeder_id="140800-F001"))

    page = Page(sheets_html([facts], {"140800-R0001": DRAWING}, "en"))
    words = " ".join(page.text)

    for said in (
        "140800-R0001", "village", "140800-A0001", "line 1 (140800-F001)", "111.00000° E, 35.00000° N",
        "chosen · 274,000 yuan", "New area with 200 kVA: S20-200-Dyn11, 1 each", "new load",
        "212,000–360,000 yuan", "Unit prices of 2025-26", "engineering estimate, editable", "3 households", "12.3 h",
        "1.5 h more (from the load of the new households)", "4 applications in this area are deferred",
        "12.3 h of overload and 0.0 h of low voltage", "A: end voltage 190", "Rule 1 (engineering estimate, editable)",
        "no. 1 of the plan", "274,000 yuan up to and with this project, of 1,000,000 yuan", "Synthetic data",
    ):  # fmt: skip
        assert said.lower() in words.lower(), said


def test_the_bill_of_a_project_worked_out_by_hand() -> None:
    facts = facts_of(candidate_of(NEW_AREA, area_id="A", feeder_id="F"))

    rows = Page(sheets_html([facts], {}, "en")).rows
    start = next(k for k, row in enumerate(rows) if row[0] == "Item")

    assert rows[start + 1 : start + 5] == [
        ["New area with 200 kVA", "S20-200-Dyn11", "each", "1", "170,000", "170,000", "130,000", "220,000"],
        ["New 10 kV line JKLYJ-10-120", "JKLYJ-10-120", "km", "0.3000", "240,000", "72,000", "60,000", "96,000"],
        [
            "New low-voltage line 120 mm2, four-wire",
            "JKLYJ-1-120",
            "km",
            "0.2000",
            "160,000",
            "32,000",
            "22,000",
            "44,000",
        ],
        ["Total", "", "", "", "", "274,000", "212,000", "360,000"],
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_code_of_the_files_is_left_as_a_word(language) -> None:
    area = facts_of(candidate_of(NEW_AREA, area_id="A", feeder_id="F"))
    feeder = facts_of(candidate_of((Item(measure="tie_switch", amount=1.0, unit_yuan=60_000.0),), feeder_id="F"),
                      reason="stronger_grid", outcome="over_budget", cumulative_cost_yuan=float("nan"),
                      unsupplied_mwh_removed=0.48)  # fmt: skip

    page = Page(sheets_html([area, feeder], {}, language, with_table=True))
    style = next(words for words in page.text if ":root" in words)
    words = " ".join(words for words in page.text if words != style)

    assert re.findall(r"\b[a-z]+_[a-z_]+\b", words) == []
    assert "{" not in words
    assert "nan" not in words.lower().replace("finan", "")


def test_a_project_over_the_budget_says_so() -> None:
    facts = facts_of(candidate_of(NEW_AREA, area_id="A"), outcome="over_budget", cumulative_cost_yuan=float("nan"))

    words = " ".join(Page(sheets_html([facts], {}, "en")).text)

    assert "beyond the budget · 274,000 yuan" in words
    assert "not part of the plan's 1,000,000 yuan" in words


def test_facts_come_from_the_tables(results) -> None:
    chosen = results.plan[results.plan["chosen"]]

    found = project_facts(results)

    assert [one.project_id for one in found] == chosen.sort_values("rank")["project_id"].tolist()
    assert sum(one.cost_yuan for one in found) == chosen["cost_yuan"].sum()
    decisions, areas = results.decisions, results.areas.set_index("area_id")
    of_areas = [one for one in found if one.area_id]
    assert of_areas
    for one in of_areas:
        here = decisions[(decisions["area_id"] == one.area_id) & (decisions["verdict"] == "defer")]
        assert one.deferred == len(here)
        assert one.grade == areas["grade"][one.area_id]
        violations = results.violations[results.violations["area_id"] == one.area_id]
        assert len(one.broken) == len(violations)
        assert set(one.clauses) == {*here["limit_clause"].dropna(), *violations["clause"]}
    assert any(one.deferred for one in of_areas)
    assert any(one.broken for one in of_areas)


def test_deferrals_of_a_feeder_are_those_for_a_limit_of_the_feeder(results) -> None:
    decisions = results.decisions
    of_feeders = [one for one in project_facts(results) if not one.area_id]

    assert of_feeders
    for one in of_feeders:
        own = decisions[(decisions["feeder_id"] == one.feeder_id) & (decisions["verdict"] == "defer")]
        assert one.deferred == own["binding_level"].isin(["section", "feeder"]).sum()


def test_named_projects_are_taken_whether_chosen_or_not(results) -> None:
    left = results.plan.loc[~results.plan["chosen"], "project_id"].iloc[0]

    (one,) = project_facts(results, [left])

    assert (one.project_id, one.outcome) == (left, "over_budget")


def test_unknown_projects_are_refused_with_their_ids(results) -> None:
    with pytest.raises(InputError, match="no such projects") as raised:
        project_facts(results, ["nowhere-R1"])

    assert raised.value.findings == ("project 'nowhere-R1' is unknown",)


def test_a_run_without_bills_is_refused(tmp_path) -> None:
    earlier = read_results(write_sample_results(tmp_path / "out"))

    with pytest.raises(LedgerError, match=r"no plan_items\.csv.*Run `gridcheck run` again"):
        project_facts(earlier)


def test_bills_that_do_not_add_up_to_the_plan_are_refused(results) -> None:
    path = results.folder / PLAN_ITEMS.file_name
    first = results.plan["project_id"].iloc[0]
    table = pd.read_csv(path, dtype=str)
    table.loc[table["project_id"] == first, "cost_yuan"] = "1.00"
    table.to_csv(path, index=False)

    with pytest.raises(LedgerError, match=f"project {first}: its items add up to 1.00 yuan, plan.csv says"):
        read_plan_items(results)


def test_bills_of_other_projects_are_refused(results) -> None:
    path = results.folder / PLAN_ITEMS.file_name
    path.write_text(path.read_text().replace(results.plan["project_id"].iloc[3], "other-R1"))

    with pytest.raises(LedgerError, match=r"project other-R1 is not in plan\.csv"):
        read_plan_items(results)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_stay_text(results, language) -> None:
    hostile = results.plan.loc[results.plan["description"] == HOSTILE_NAME, "project_id"].iloc[0]
    (facts,) = project_facts(results, [hostile])
    drawing = Drawing(
        before=Panel(lines=(DrawnLine(name=HOSTILE_NAME, way_m=((0.0, 0.0), (1.0, 0.0))),)),
        after=LINE, is_map=False, is_synthetic=True,
    )  # fmt: skip

    content = sheets_html([facts], {hostile: drawing}, language)
    page = Page(content)

    assert facts.description == HOSTILE_NAME
    assert "<b>" not in content
    assert "b" not in page.names
    assert HOSTILE_NAME in page.text


def test_files_are_written_one_for_each_project_and_one_for_print(results, tmp_path) -> None:
    facts = project_facts(results)[:3]
    out = tmp_path / "sheets"

    files = write_sheets(facts, {}, out, "zh", RunWords(digest="abc"))
    again = {name: (out / name).read_bytes() for name in files}
    write_sheets(facts, {}, out, "zh", RunWords(digest="abc"))

    assert files == (*(f"project-{one.project_id}.html" for one in facts), ALL_FILE)
    assert {path.name for path in out.iterdir()} == {*files, "manifest.json"}
    assert {name: (out / name).read_bytes() for name in files} == again
    whole = again[ALL_FILE].decode()
    assert whole.count("<article") == 4
    assert all(one.project_id in whole for one in facts)


def test_a_budget_that_other_counties_share_is_said(results) -> None:
    shared = dataclasses.replace(results, summary={**results.summary, "whole_plan_budget_for_some_counties": True})
    facts = project_facts(results)[:1]

    pages = [sheets_html(facts, {}, "en", run_words(one, "en")) for one in (results, shared)]

    assert ["that all of them share" in page for page in pages] == [False, True]
    assert results.summary["files"]["plan.csv"]["sha256"][:12] in pages[0]


def test_a_folder_of_something_else_is_left_alone(results, tmp_path) -> None:
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "mine.txt").write_text("mine")

    with pytest.raises(LedgerError, match="did not write"):
        write_sheets(project_facts(results)[:1], {}, tmp_path / "sheets", "zh")

    assert (tmp_path / "sheets" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(("amount", "shown"), [(0.0, "0"), (1234.0, "1,234"), (1234.5, "1,234.50"), (0.004, "0")])
def test_money_has_its_cents_where_there_are_some(amount, shown) -> None:
    assert yuan(amount) == shown
