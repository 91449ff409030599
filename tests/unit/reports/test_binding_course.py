"""The chart of a binding check: what it shows are the numbers that it was given."""

import dataclasses

import numpy as np
import pytest

from gridcheck.errors import InputError
from gridcheck.reports.binding_course import BindingCourse, binding_figure, binding_html

N_DRAW = 101
# Two windows of four quarters, and one step alone.
_HOURS = ("2026-01-22T22", "2026-01-23T11")
TIME = np.array(
    ["2026-01-20T18:30", *(f"{hour}:{quarter:02d}" for hour in _HOURS for quarter in (0, 15, 30, 45))],
    dtype="datetime64[ns]",
)


def course(**changes):
    # Draw k stands at 190 + k / 10 volts at every step, so every quantile is known.
    value = np.repeat(190.0 + np.arange(N_DRAW)[:, None] / 10.0, len(TIME), axis=1)
    given = BindingCourse(
        application_id="P<1>", verdict="defer", quantity="low_voltage", unit="V", limit=198.0, limit_clause="Rule [G]",
        low_is_worse=True, accepted_risk=0.05, synthetic=True, time_utc=TIME, value=value, worst=value.min(axis=1),
    )  # fmt: skip
    return dataclasses.replace(given, **changes)


def test_quantiles_and_counts():
    given = course()
    np.testing.assert_allclose(given.quantiles[:, 0], [190.5, 195.0, 199.5])
    # 190.0 to 197.9 are below 198.
    assert (given.beyond, given.worst_draw) == (80, 0)
    assert course(low_is_worse=False).beyond == 20


def test_a_draw_without_a_solution_is_beyond_and_has_no_value():
    given = course()
    value, worst = given.value.copy(), given.worst.copy()
    value[0, 2], worst[0] = np.nan, -np.inf
    lost = dataclasses.replace(given, value=value, worst=worst)
    assert (lost.beyond, lost.worst_draw) == (80, 1)
    figure = binding_figure(lost)
    assert "1 次抽样" in figure.layout.title.text
    bars = next(trace for trace in figure.data if trace.type == "bar")
    assert sum(bars.y) == N_DRAW - 1


def test_bars_on_either_side_of_the_limit_are_the_draws_on_either_side():
    given = course()
    bars = next(trace for trace in binding_figure(given).data if trace.type == "bar")
    beyond = sum(y for x, y in zip(bars.x, bars.y, strict=True) if x < given.limit)
    assert (beyond, sum(bars.y)) == (given.beyond, N_DRAW)


def test_lines_are_broken_where_nothing_was_looked_at():
    lines = [trace for trace in binding_figure(course()).data if trace.legendgroup == "median"]
    assert [len(trace.x) for trace in lines] == [1, 4, 4]
    # Times are those of China.
    assert lines[0].x[0] == "01-21 02:30"
    assert lines[1].y[0] == 195.0


def test_names_from_files_are_escaped_and_the_page_stands_alone():
    page = binding_html(course())
    assert "P<1>" not in page
    assert "P&lt;1&gt;" in page or "P\\u0026lt;1\\u0026gt;" in page
    assert "cdn.plot.ly" not in page.split("plotly.js v", maxsplit=1)[0]
    assert page == binding_html(course())


def test_a_chart_of_nothing_is_refused():
    with pytest.raises(InputError, match="some draws"):
        course(value=np.zeros((0, len(TIME))), worst=np.zeros(0))
