"""The check that an answer by draws rests on, as a chart: over the steps that are looked at, and over the draws."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gridcheck.arrays import FloatArray, IntArray, TimeArray, frozen
from gridcheck.errors import InputError
from gridcheck.reports import palette
from gridcheck.reports.figures import TIME_FORMAT, base_layout, graph_config, safe
from gridcheck.reports.labels import clause_text, number
from gridcheck.reports.tables import LOCAL_TIME
from gridcheck.reports.texts import LANGUAGES, text

_BAND = (0.05, 0.5, 0.95)
_BINS = 30
_HEIGHT_PX = 900


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BindingCourse:
    """The binding check of one answer in every draw.

    Attributes
    ----------
    application_id, verdict : str
        Whose answer, and what it is.
    quantity : str
        Name of the check, such as ``low_voltage``.
    unit, limit_clause : str
        Unit of the values; where the limit comes from, with its confidence mark.
    limit, accepted_risk : float
        The limit, and the probability of breaking it that is accepted. [unit], [1]
    low_is_worse : bool
        True for the lower voltage.
    synthetic : bool
        Whether the lines are made up.
    time_utc : ndarray of datetime64, shape (n_step,)
        Steps that are looked at, rising. [UTC]
    value : ndarray, shape (n_draw, n_step)
        Worst of all places; NaN where there is no solution. [unit]
    worst : ndarray, shape (n_draw,)
        What counts of each draw; infinite where a step has no solution. [unit]
    """

    application_id: str
    verdict: str
    quantity: str
    unit: str
    limit: float
    limit_clause: str
    low_is_worse: bool
    accepted_risk: float
    synthetic: bool
    time_utc: TimeArray
    value: FloatArray
    worst: FloatArray

    def __post_init__(self) -> None:
        n_step = len(self.time_utc)
        worst = frozen(self.worst, np.float64, (None,), name="worst")
        if not n_step or not len(worst):
            raise InputError(f"{self.application_id}: a chart of draws needs some draws and some steps.")
        object.__setattr__(self, "time_utc", frozen(self.time_utc, "datetime64[ns]", (n_step,), name="time_utc"))
        object.__setattr__(self, "value", frozen(self.value, np.float64, (len(worst), n_step), name="value"))
        object.__setattr__(self, "worst", worst)

    @property
    def beyond(self) -> int:
        """Number of draws that break the limit; those without a solution do."""
        return int((self.worst < self.limit).sum() if self.low_is_worse else (self.worst > self.limit).sum())

    @property
    def worst_draw(self) -> int:
        """Position of the worst draw that has a solution at every step; of the first draw where none has."""
        bad = np.where(np.isfinite(self.worst), -self.worst if self.low_is_worse else self.worst, -np.inf)
        return int(bad.argmax())

    @property
    def quantiles(self) -> FloatArray:
        """5, 50 and 95 percent of the draws at each step, shape (3, n_step); NaN where no draw has a solution."""
        found = np.full((len(_BAND), self.value.shape[1]), np.nan)
        some = np.isfinite(self.value).any(axis=0)
        found[:, some] = np.nanquantile(self.value[:, some], _BAND, axis=0)
        return found


def binding_figure(course: BindingCourse) -> go.Figure:
    """Draw a check over the steps with the limit, and below it how the draws are spread.

    Parameters
    ----------
    course : BindingCourse
        The check.

    Returns
    -------
    Figure
        Words Chinese first.
    """
    figure = make_subplots(
        rows=2,
        row_heights=[0.6, 0.4],
        vertical_spacing=0.27,
        subplot_titles=(
            _words("course", n=len(course.worst)),
            _words("spread", beyond=course.beyond, n=len(course.worst), accepted=f"{100 * course.accepted_risk:g}"),
        ),
    )
    _add_course(figure, course)
    _add_spread(figure, course)
    line = {"color": palette.BRICK, "width": 1.8}
    name = _words("limit", value=number(course.limit, 1), unit=_unit(course))
    figure.add_scatter(x=_labels(course), y=np.full(len(course.time_utc), course.limit), mode="lines", line=line,
                       name=name, hoverinfo="skip", row=1, col=1)  # fmt: skip
    figure.add_vline(x=course.limit, line=line, row=2, col=1)
    axis: dict[str, Any] = {"automargin": True, "gridcolor": "#e1e5e9", "linecolor": palette.LINE, "ticks": "outside"}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    figure.update_xaxes(type="category", title_text=_words("time"), tickangle=-60, row=1, col=1)
    figure.update_yaxes(title_text=_unit(course), row=1, col=1)
    figure.update_xaxes(title_text=f"{_quantity(course)} [{_unit(course)}]", row=2, col=1)
    figure.update_yaxes(title_text=_words("draws"), row=2, col=1)
    title = {"text": _title(course), "x": 0.0, "xref": "paper", "y": 0.97, "yanchor": "top"}
    legend = {"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "traceorder": "normal"}
    layout = base_layout(height=_HEIGHT_PX, title=title, legend=legend, margin={"l": 12, "r": 16, "t": 150, "b": 12})
    figure.update_layout(layout)
    return figure


def binding_html(course: BindingCourse) -> str:
    """Return the chart as one HTML document that asks nothing of any network. Same course, same bytes."""
    page: str = binding_figure(course).to_html(
        config=graph_config("zh"), include_plotlyjs=True, full_html=True, div_id="binding", validate=True
    )
    return page


def _words(key: str, **values: object) -> str:
    return " / ".join(text(f"binding_course.{key}", language, **values) for language in LANGUAGES)


def _unit(course: BindingCourse) -> str:
    return "%" if course.unit == "percent" else course.unit


def _quantity(course: BindingCourse) -> str:
    return " / ".join(text(f"binding_quantity.{course.quantity}", language) for language in LANGUAGES)


def _title(course: BindingCourse) -> str:
    """Return the title with what must be known beside the chart."""
    title = text("binding_course.title", "zh", application=safe(course.application_id), quantity=_quantity(course))
    notes = [
        text("binding_course.basis", language, clause=safe(clause_text(course.limit_clause, language)))
        for language in LANGUAGES
    ]
    unsolved = int((~np.isfinite(course.worst)).sum())
    notes += [_words("unsolved", n=unsolved)] if unsolved else []
    notes += [_words("lasting")] if course.quantity == "transformer_loading" else []
    notes += [_words("synthetic")] if course.synthetic else []
    return "<br>".join([title, *(f"<span style='font-size:12px'>{note}</span>" for note in notes)])


def _labels(course: BindingCourse) -> list[str]:
    local = pd.DatetimeIndex(course.time_utc).tz_localize("UTC").tz_convert(LOCAL_TIME)
    return [str(moment) for moment in local.strftime(TIME_FORMAT)]


def _stretches(course: BindingCourse) -> Iterator[IntArray]:
    """Yield the positions of steps that follow each other: no line is drawn where nothing was looked at."""
    apart = np.diff(course.time_utc)
    edges = [0, *(np.flatnonzero(apart > apart.min()) + 1 if len(apart) else []), len(course.time_utc)]
    for begin, end in itertools.pairwise(edges):
        yield np.arange(begin, end)


def _add_course(figure: go.Figure, course: BindingCourse) -> None:
    labels, (low, median, high), worst = _labels(course), course.quantiles, course.value[course.worst_draw]
    for number_of, steps in enumerate(_stretches(course)):
        x = [labels[k] for k in steps]
        shared: dict[str, Any] = {"x": x, "row": 1, "col": 1, "showlegend": number_of == 0}
        figure.add_scatter(y=low[steps], mode="lines", line={"width": 0}, hoverinfo="skip",
                           **{**shared, "showlegend": False})  # fmt: skip
        figure.add_scatter(y=high[steps], mode="lines", line={"width": 0}, fill="tonexty", hoverinfo="skip",
                           fillcolor="rgba(63,124,168,0.25)", name=_words("band"), legendgroup="band",
                           **shared)  # fmt: skip
        # A stretch of one step has no line and no band: a mark and a bar show it.
        is_alone = len(steps) == 1
        bars = {"array": (high - median)[steps], "arrayminus": (median - low)[steps], "color": palette.BLUE}
        for key, values, colour, dash in (("median", median, palette.ACCENT, "solid"),
                                          ("worst", worst, palette.AMBER, "dot")):  # fmt: skip
            figure.add_scatter(y=values[steps], mode="lines+markers" if is_alone else "lines", name=_words(key),
                               line={"color": colour, "width": 2.2, "dash": dash}, legendgroup=key,
                               hovertemplate="%{x}<br>%{y:.1f}<extra></extra>",
                               error_y=bars if is_alone and key == "median" else None, **shared)  # fmt: skip


def _add_spread(figure: go.Figure, course: BindingCourse) -> None:
    """Add bars of draws; counted here, so that the limit is an edge of two bars and no bar holds both sides of it."""
    finite = course.worst[np.isfinite(course.worst)]
    if not len(finite):
        return
    low, high = min(finite.min(), course.limit), max(finite.max(), course.limit)
    width = max((high - low) / _BINS, 1e-9)
    below, above = np.ceil((course.limit - low) / width), np.ceil((high - course.limit) / width)
    edges = course.limit + width * np.arange(-below, above + 1.0)
    # A value at the limit keeps it: it belongs to the side that is allowed.
    side = "left" if course.low_is_worse else "right"
    place = np.searchsorted(edges, finite, side="right" if side == "left" else "left") - 1
    count = np.bincount(np.clip(place, 0, len(edges) - 2), minlength=len(edges) - 1)
    middle = (edges[:-1] + edges[1:]) / 2.0
    beyond = middle < course.limit if course.low_is_worse else middle > course.limit
    figure.add_bar(
        x=middle, y=count, width=width, row=2, col=1, showlegend=False, hovertemplate="%{x:.1f}: %{y}<extra></extra>",
        marker={"color": [palette.BRICK if flag else palette.BLUE for flag in beyond]},
    )  # fmt: skip
