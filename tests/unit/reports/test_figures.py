"""Charts make no request, escape what came from files, and show what they are given."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

import gridcheck.reports
from gridcheck.geography import county_outlines
from gridcheck.reports import figures, maps, palette
from gridcheck.reports.folder import Results
from tests.support.results import sample_results

REPORTS = Path(gridcheck.reports.__file__ or "").parent


@pytest.fixture
def results() -> Results:
    return sample_results()


CHARTS: dict[str, Callable[[Results], go.Figure]] = {
    "map": lambda r: maps.county_map(r, "zh"),
    "verdicts": lambda r: figures.county_verdicts(r.counties, r.decisions, "zh"),
    "reasons": lambda r: figures.waiting_reasons(r.decisions, "zh"),
    "n_minus_1": lambda r: figures.n_minus_1_by_county(r.n_minus_1, "zh"),
    "plan_curve": lambda r: figures.plan_curve(r.plan, r.budget_yuan, "zh"),
    "plan_measures": lambda r: figures.plan_by_measure(r.plan, "zh"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_chart_is_made_of_traces_that_need_no_network(name: str, results: Results) -> None:
    figure = CHARTS[name](results)

    assert {trace.type for trace in figure.data} <= {"scatter", "bar"}
    assert "http" not in figure.to_json()
    assert figure.to_json() == CHARTS[name](results).to_json()


def test_no_module_uses_traces_that_fetch_outlines_or_tiles() -> None:
    forbidden = {"Choropleth", "Scattergeo", "Scattermap", "Choroplethmap", "Densitymap"}
    used = {
        node.attr
        for folder in (REPORTS, REPORTS.parents[1] / "dashboards")
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }

    assert "Scatter" in used
    assert used & forbidden == set()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_config_sends_nothing_anywhere(language: str) -> None:
    config = figures.graph_config(language)  # type: ignore[arg-type]

    assert config["showSendToCloud"] is False
    assert config["plotlyServerURL"] == ""
    assert config["displaylogo"] is False
    assert "sendChartToCloud" in config["modeBarButtonsToRemove"]
    assert config["locale"] == {"zh": "zh-CN", "en": "en"}[language]


def test_bars_add_up_to_the_applications(results: Results) -> None:
    figure = figures.county_verdicts(results.counties, results.decisions, "zh")

    assert sum(sum(trace.x) for trace in figure.data) == len(results.decisions)


def test_waiting_reasons_leave_out_plain_approvals_only(results: Results) -> None:
    figure = figures.waiting_reasons(results.decisions, "zh")

    assert sum(sum(trace.x) for trace in figure.data) == int((results.decisions["verdict"] != "approve").sum())


def test_every_outage_is_in_the_chart_whatever_its_status(results: Results) -> None:
    outages = results.n_minus_1.copy()
    outages.loc[0, "status"] = "never_heard_of"

    figure = figures.n_minus_1_by_county(outages, "zh")

    assert sum(sum(trace.x) for trace in figure.data) == len(outages)
    assert any("never_heard_of" in trace.name for trace in figure.data)


def test_plan_curve_ends_at_the_cost_of_the_chosen_projects(results: Results) -> None:
    figure = figures.plan_curve(results.plan, results.budget_yuan, "zh")
    chosen = results.plan[results.plan["chosen"]]

    assert figure.data[0].x[-1] == pytest.approx(chosen["cost_yuan"].sum() / 10_000)
    assert figure.data[0].y[-1] == chosen["households_unlocked"].sum()
    assert figure.layout.shapes[0].x0 == 1800.0


def test_money_by_measure_and_problem_adds_up_to_the_plan(results: Results) -> None:
    figure = figures.plan_by_measure(results.plan, "zh")

    bars = [trace for trace in figure.data if trace.type == "bar"]
    spent = results.plan.loc[results.plan["chosen"], "cost_yuan"].sum() / 10_000
    assert sum(sum(trace.x) for trace in bars) == pytest.approx(spent)
    assert [trace.name for trace in bars] == ["满足新增负荷", "加强网架结构"]


def test_county_of_the_plan_that_was_not_run_is_called_so(results: Results) -> None:
    results.counties.drop(index=results.counties.index[results.counties["county"] == "夏县"], inplace=True)

    labels = next(trace for trace in maps.county_map(results, "zh").data if trace.text is not None)
    hover = dict(zip(labels.customdata, labels.hovertext, strict=True))

    assert "本次未计算" in hover["140828"]
    assert "不在方案内" in hover["140882"]


def test_empty_plan_is_drawn_without_fault(results: Results) -> None:
    nothing = results.plan.iloc[:0]

    assert figures.plan_curve(nothing, results.budget_yuan, "zh").layout.xaxis.range[1] > 1800
    assert all(len(trace.x) == 0 for trace in figures.plan_by_measure(nothing, "en").data)


def test_hostile_measure_is_escaped_in_hover_texts(results: Results) -> None:
    plan = results.plan.assign(measure="<img src=x>")

    shown = json.dumps(json.loads(figures.plan_curve(plan, 1.0, "zh").to_json()), ensure_ascii=False)

    assert "<img" not in shown
    assert "&lt;img" in shown


def test_county_names_stand_inside_their_counties() -> None:
    outlines = {
        str(feature["properties"]["code"]): np.array(feature["geometry"]["coordinates"][0])
        for feature in county_outlines()["features"]
    }
    assert len(outlines) == 13

    for code, ring in outlines.items():
        x, y = maps._label_place(code)
        # Winding number by summed angles, independent of the even-odd rule that placed the label.
        angle = np.unwrap(np.arctan2(ring[:, 1] - y, ring[:, 0] - x))
        assert abs(round((angle[-1] - angle[0]) / (2 * np.pi))) == 1, code


def test_map_hatches_what_is_not_known(results: Results) -> None:
    figure = maps.county_map(results, "zh")

    hatched = [trace for trace in figure.data if trace.fillpattern.shape == "/"]
    # Hejin is outside the plan; Linyi and Pinglu have no self-retrofit applications.
    assert len(hatched) == 3
    labels = next(trace for trace in figure.data if trace.text is not None)
    assert len(labels.text) == 13
    assert sum("%" in word for word in labels.text) == 10


def test_words_on_the_map_are_readable_on_their_ground() -> None:
    def luminance(colour: str) -> float:
        linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in bytes.fromhex(colour[1:])]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for share in np.linspace(0, 1, 41):
        ground = palette.sequential(float(share))
        light, dark = sorted((luminance(ground), luminance(palette.readable_on(ground))), reverse=True)
        # WCAG AA for large text is 3; for normal text 4.5. The middle tones reach 3.6 at least.
        assert (light + 0.05) / (dark + 0.05) >= 3.6, ground


def test_sequential_scale_grows_darker() -> None:
    brightness = [sum(bytes.fromhex(palette.sequential(share)[1:])) for share in np.linspace(0, 1, 21)]

    assert brightness == sorted(brightness, reverse=True)
    assert palette.sequential(-5.0) == palette.SEQUENTIAL[0]
