"""What stands around the plan in the report, the workbook and on the screen."""

import dataclasses
import io

import openpyxl
import pytest

from dashboards.address import Address
from dashboards.pages import plan as plan_page
from gridcheck.errors import LedgerError
from gridcheck.reports.around_figures import budget_curve, county_shares
from gridcheck.reports.html import report_html
from gridcheck.reports.plan_around import around_of, around_sentences, around_tables
from gridcheck.reports.texts import text
from gridcheck.reports.workbook import workbook_bytes
from tests.support.results import sample_results


def brought(households, cost=900_000.0, budget=1_000_000.0, **more):
    return {
        "budget_yuan": budget,
        "cost_yuan": cost,
        "projects": 3,
        "households": households,
        "risk_hours": 12.5,
        "unsupplied_mwh": 0,
        **more,
    }


def around():
    draw = {"scenario": "S1", "price_factor": {"": 1.1}, "households_factor": 0.9, "risk_factor": 1.2}
    more = {"more_yuan": 100_000.0, "households": 4, "risk_hours": -1.5, "added": ["140827-R0002"], "dropped": []}
    return {
        "pareto": [brought(0, 0.0, 0.0), brought(60)],
        "rules": [brought(60, rule="exact"), brought(48, rule="benefit_per_cost"), brought(10, rule="heaviest_risk"),
                  brought(0, 0.0, rule="even_split")],
        "county_split": [{"county_code": "140827", "candidates": 9, "chosen": 3, "cost_yuan": 900_000.0,
                          "cost_percent": 100.0, "households": 60, "risk_hours": 12.5}],
        "marginal_value": more,
        "next_on_the_list": more,
        "robust": brought(
            57, also_in_plan=2, largest_regret_households=6.5,
            scenarios=[{**draw, "best_households": 58.0, "households": 51.5}],
        ),
    }  # fmt: skip


@pytest.fixture
def results():
    sample = sample_results()
    return dataclasses.replace(sample, summary={**sample.summary, "around": around()})


def test_the_comparison_shows_what_each_rule_falls_short(results):
    rules, counties, budgets, draws = around_tables(around_of(results), "en")

    less = rules.headings.index(text("around.h_less", "en"))
    assert [row[less] for row in rules.rows] == ["0", "-12", "-50", "-60"]
    # 48 households for 0.9 million are 53.3 a million; nothing bought has no rate, not a zero.
    per_million = rules.headings.index(text("around.h_households_per_million", "en"))
    assert [row[per_million] for row in rules.rows] == ["66.7", "53.3", "11.1", "—"]
    assert [len(one.rows) for one in (counties, budgets, draws)] == [1, 2, 1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sentences_name_the_figures(results, language):
    margin, following, robust = around_sentences(around_of(results), language)

    assert " 4 " in margin
    assert "140827-R0002" in following
    assert "6.5" in robust
    assert " 2 " in robust


def test_where_no_money_unlocks_more_it_is_said(results):
    given = {**around_of(results), "next_on_the_list": None}

    assert text("around.nothing_left", "zh") in around_sentences(given, "zh")


def test_the_report_and_the_workbook_show_it(results):
    page = report_html(results)
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(results)))

    assert 'id="around"' in page
    assert 'data-chart="budget-curve"' in page
    sheet = book[text("sheet.around", "zh")]
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {text("plan_rule.exact", "zh"), "-12"} <= cells


def test_an_older_folder_has_none_of_it():
    older = sample_results()

    assert around_of(older) is None
    assert 'id="around"' not in report_html(older)


@pytest.mark.parametrize(
    ("where", "what"), [("pareto", [1]), ("rules", "none"), ("robust", {}), ("county_split", [{"county_code": 5}])]
)
def test_what_gridcheck_does_not_write_is_refused(results, where, what):
    changed = dataclasses.replace(results, summary={**results.summary, "around": {**around(), where: what}})

    with pytest.raises(LedgerError, match=f"around.{where}"):
        around_of(changed)


def test_charts_hold_every_point_and_escape_names(results):
    given = around_of(results)
    curve = budget_curve(given, results.budget_yuan, "en")
    shares = county_shares({**given, "county_split": [{**given["county_split"][0], "county_code": "<b>"}]}, "en")

    assert list(curve.data[0].y) == [0, 60]
    assert [trace.y[0] for trace in curve.data[1:]] == [48, 10, 0]
    assert "<b>" not in shares.to_json()


def test_the_screen_shows_it(results):
    class Store:
        def results(self):
            return results

        def view(self, name, language):
            from gridcheck.reports.views import VIEWS

            return VIEWS[name](results, language)

    shown = str(plan_page.layout(Store(), Address(path="/plan", language="zh", selection={})))

    assert plan_page.BUDGETS in shown
    assert text("report.around", "zh") in shown
