"""Charts of a run as plotly figures; the report and the dashboards show the same ones.

A figure function takes tables and a language and knows nothing of pages or callbacks. Every name that
came from a file is escaped before it reaches a hover text, because plotly reads a small HTML subset.
Maps are drawn as plain polygons: no tile, no font file and no other request leaves the computer.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gridcheck.reports import palette
from gridcheck.reports.labels import YUAN_PER_MILLION, county_name, measure_name, money, number
from gridcheck.reports.texts import Language, codes, label, text
from gridcheck.reports.totals import reason_counts, reason_name, taking_supply
from gridcheck.units import YUAN_PER_WAN

GRAPH_CONFIG: Mapping[str, Any] = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["sendChartToCloud"],
    # Only two buttons: save as a picture, and back to the whole chart after zooming.
    "modeBarButtons": [["toImage", "resetScale2d"]],
    "toImageButtonOptions": {"format": "png", "scale": 2, "filename": "gridcheck"},
    "responsive": True,
}
PLOTLY_LOCALE: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}

TIME_FORMAT = "%m-%d %H:%M"
_MAX_REASONS = 8
_BAR_GAP = 0.35
_BAR_SHARE = 0.055
# Longer names of bars go over several lines, so that a phone still has room for the bars.
_NAME_WIDTH = 28
_NO_LEGEND_MARGIN = {"l": 12, "r": 16, "t": 14, "b": 12}


def graph_config(language: Language) -> dict[str, Any]:
    """Return the configuration of every chart: local, no logo, no upload button, words of `language`."""
    return {**GRAPH_CONFIG, "locale": PLOTLY_LOCALE[language]}


def safe(value: object) -> str:
    """Return a name that may stand in a hover text or a chart label.

    Examples
    --------
    >>> safe("<b>x</b>")
    '&lt;b&gt;x&lt;/b&gt;'
    """
    return escape(str(value), quote=False)


def base_layout(**changes: Any) -> dict[str, Any]:
    """Return the layout that all charts share, with `changes` on top."""
    axis = {
        "gridcolor": "#e1e5e9",
        "linecolor": palette.LINE,
        "zerolinecolor": palette.LINE,
        "ticks": "outside",
        "tickcolor": palette.LINE,
        "automargin": True,
        "title": {"standoff": 8},
    }
    layout: dict[str, Any] = {
        "template": {"layout": {"xaxis": axis, "yaxis": axis}},
        "font": {"family": palette.FONT_FAMILY, "size": 13, "color": palette.INK},
        "paper_bgcolor": palette.SURFACE,
        "plot_bgcolor": palette.SURFACE,
        "margin": {"l": 12, "r": 16, "t": 44, "b": 12},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "yref": "container",
            "y": 0.99,
            "yanchor": "top",
            "traceorder": "normal",
        },
        "hoverlabel": {"bgcolor": palette.SURFACE, "font": {"family": palette.FONT_FAMILY, "color": palette.INK}},
        "colorway": list(palette.CATEGORIES),
        # Upright at the right edge, so that the buttons never lie over the legend.
        "modebar": {
            "orientation": "v",
            "bgcolor": "rgba(0,0,0,0)",
            "color": palette.GREY,
            "activecolor": palette.ACCENT,
        },
    }
    return layout | changes


def bar_name(words: str) -> str:
    """Return the name of a bar for an axis: escaped, a long one over several lines."""
    return "<br>".join(safe(line) for line in textwrap.wrap(words, _NAME_WIDTH))


def county_verdicts(counties: pd.DataFrame, decisions: pd.DataFrame, language: Language) -> go.Figure:
    """Stack the applications of each county by verdict.

    Parameters
    ----------
    counties : DataFrame
        ``county_code`` of the counties to show, in their order.
    decisions : DataFrame
        ``county_code`` and ``verdict`` of each application.
    """
    counted = decisions.groupby(["county_code", "verdict"]).size()
    order = [str(code) for code in counties["county_code"]][::-1]
    names = [safe(county_name(code, language)) for code in order]
    figure = go.Figure()
    for verdict in codes("verdict"):
        households = [int(counted.get((code, verdict), 0)) for code in order]
        if verdict == "insufficient_data" and not any(households):
            continue
        word = label("verdict", verdict, language)
        figure.add_bar(
            y=names,
            x=households,
            orientation="h",
            name=f"{palette.VERDICT_SIGNS[verdict]} {word}",
            marker=_bar_marker(palette.VERDICT_COLOURS[verdict], hatched=verdict == "insufficient_data"),
            hovertemplate=f"%{{y}}<br>{word} %{{x:,}} {text('unit.household', language)}<extra></extra>",
        )
    figure.update_layout(
        base_layout(
            barmode="stack",
            bargap=_bar_gap(len(order)),
            height=460,
            xaxis={"title": {"text": text("axis.households", language)}, "tickformat": ",d", "rangemode": "tozero"},
        )
    )
    return figure


def _bar_gap(count: int) -> float:
    """Keep bars of a chart of fixed height slim where there are few of them."""
    return max(_BAR_GAP, 1.0 - _BAR_SHARE * count)


def _bar_marker(colour: str, *, hatched: bool) -> dict[str, Any]:
    marker: dict[str, Any] = {"color": colour, "line": {"color": palette.SURFACE, "width": 1}}
    if hatched:
        marker["pattern"] = {"shape": "/", "fgcolor": palette.MUTED, "bgcolor": "#e3e7ea", "size": 6}
    return marker


def waiting_reasons(decisions: pd.DataFrame, language: Language) -> go.Figure:
    """Show what stands in the way of the applications that cannot be connected as asked, most frequent first."""
    counted = reason_counts(decisions)
    counted["reason"] = [
        reason_name(level, quantity, language)
        for level, quantity in zip(counted["binding_level"], counted["binding_quantity"], strict=True)
    ]
    order = list(dict.fromkeys(counted["reason"]))
    kept, rest = order[:_MAX_REASONS], order[_MAX_REASONS:]
    counted["reason"] = counted["reason"].where(counted["reason"].isin(kept), text("word.other", language))
    shown = ([*kept, text("word.other", language)] if rest else kept)[::-1]
    table = counted.groupby(["reason", "verdict"])["households"].sum()
    figure = go.Figure()
    for verdict in [code for code in codes("verdict") if code != "approve"]:
        households = [int(table.get((reason, verdict), 0)) for reason in shown]
        if not any(households):
            continue
        word = label("verdict", verdict, language)
        figure.add_bar(
            y=[bar_name(reason) for reason in shown],
            x=households,
            orientation="h",
            name=f"{palette.VERDICT_SIGNS[verdict]} {word}",
            marker=_bar_marker(palette.VERDICT_COLOURS[verdict], hatched=verdict == "insufficient_data"),
            hovertemplate=f"%{{y}}<br>{word} %{{x:,}} {text('unit.household', language)}<extra></extra>",
        )
    figure.update_layout(
        base_layout(
            barmode="stack",
            bargap=_BAR_GAP,
            height=90 + 50 * max(len(shown), 3),
            xaxis={"title": {"text": text("axis.households", language)}, "tickformat": ",d", "rangemode": "tozero"},
        )
    )
    return figure


def n_minus_1_by_county(outages: pd.DataFrame, language: Language) -> go.Figure:
    """Stack the outages of each county by what is left of supply after restoration."""
    outages = taking_supply(outages)
    status = outages["status"].str.lower()
    counted = outages.assign(status=status).groupby(["county_code", "status"]).size()
    order = sorted(outages["county_code"].unique())[::-1]
    present = [code for code in codes("n_minus_1_status") if (status == code).any()]
    present += sorted(set(status.dropna()) - set(present))
    figure = go.Figure()
    for code in present:
        sign = palette.N_MINUS_1_SIGNS.get(code, "○")
        word = label("n_minus_1_status", code, language)
        figure.add_bar(
            y=[safe(county_name(county, language)) for county in order],
            x=[int(counted.get((county, code), 0)) for county in order],
            orientation="h",
            name=f"{sign} {safe(word)}",
            marker=_bar_marker(palette.SIGN_COLOURS[sign], hatched=sign in "○◇"),
            hovertemplate=f"%{{y}}<br>{safe(word)} %{{x:,}}<extra></extra>",
        )
    figure.update_layout(
        base_layout(
            barmode="stack",
            bargap=_BAR_GAP,
            height=110 + 28 * max(len(order), 4),
            xaxis={"title": {"text": text("axis.outages", language)}, "tickformat": ",d", "rangemode": "tozero"},
        )
    )
    return figure


def plan_curve(plan: pd.DataFrame, budget_yuan: float, language: Language) -> go.Figure:
    """Draw what the chosen projects unlock against what they cost, up to the line of the budget.

    Parameters
    ----------
    plan : DataFrame
        Candidates with ``rank``, ``cost_yuan``, ``chosen``, ``households_unlocked``, ``measure``, ``county_code``.
    budget_yuan : float
        Money of the plan. [yuan]
    """
    ranked = plan.sort_values(["rank", "project_id"], kind="stable")
    chosen = ranked[ranked["chosen"]]
    cost_wan = chosen["cost_yuan"].cumsum() / YUAN_PER_WAN
    unlocked = chosen["households_unlocked"].astype("float64").cumsum()
    names = [
        f"{safe(county_name(code, language))} · {safe(measure_name(measure, language))}"
        for code, measure in zip(chosen["county_code"], chosen["measure"], strict=True)
    ]
    wan_word, household = text("unit.wan", language), text("unit.household", language)
    figure = go.Figure(
        go.Scatter(
            x=np.concatenate([[0.0], cost_wan]),
            y=np.concatenate([[0.0], unlocked]),
            customdata=["", *names],
            mode="lines+markers",
            line={"color": palette.ACCENT, "width": 2.5, "shape": "hv"},
            marker={"size": 5, "color": palette.ACCENT},
            name=text("figure.plan_curve", language),
            hovertemplate=f"%{{customdata}}<br>%{{x:,.1f}} {wan_word}<br>%{{y:,d}} {household}<extra></extra>",
        )
    )
    limit = budget_yuan / YUAN_PER_WAN
    figure.add_vline(
        x=limit,
        line={"color": palette.BRICK, "width": 2, "dash": "dash"},
        annotation={
            "text": text("figure.budget_line", language, **money(budget_yuan)),
            "font": {"color": palette.BRICK},
            "xanchor": "right",
            "yanchor": "bottom",
            "y": 0.02,
            "xshift": -6,
        },
    )
    figure.update_layout(
        base_layout(
            height=360,
            showlegend=False,
            margin=_NO_LEGEND_MARGIN,
            xaxis={
                "title": {"text": text("axis.cost", language)},
                "range": [0, max(limit, float(cost_wan.max() if len(cost_wan) else 0)) * 1.04],
                "tickformat": ",d",
            },
            yaxis={"title": {"text": text("axis.unlocked", language)}, "rangemode": "tozero", "tickformat": ",d"},
        )
    )
    return figure


def plan_by_measure(plan: pd.DataFrame, language: Language) -> go.Figure:
    """Show how the money of the plan is shared among the measures, and which problems it solves."""
    chosen = plan[plan["chosen"]].assign(reason=lambda table: table["reason"].fillna(""))
    spent = chosen.groupby("measure")["cost_yuan"].sum() / YUAN_PER_WAN
    ordered = list(spent.reset_index().sort_values(["cost_yuan", "measure"], kind="stable")["measure"])
    by_reason = chosen.groupby(["measure", "reason"])["cost_yuan"].sum() / YUAN_PER_WAN
    count = chosen.groupby("measure").size()
    names = [
        f"{bar_name(measure_name(code, language))}<br><i>{_bar_words(spent[code], count[code], language)}</i>"
        for code in ordered
    ]
    figure = go.Figure()
    for reason, colour in zip(
        _in_order(chosen["reason"], codes("plan_reason")), cycle(palette.CATEGORIES), strict=False
    ):
        word = safe(label("plan_reason", reason, language))
        figure.add_bar(
            y=names,
            x=[float(by_reason.get((code, reason), 0.0)) for code in ordered],
            orientation="h",
            name=word,
            marker=_bar_marker(colour, hatched=False),
            hovertemplate=f"%{{y}}<br>{word} %{{x:,.1f}} {text('unit.wan', language)}<extra></extra>",
        )
    figure.update_layout(
        base_layout(
            barmode="stack",
            height=120 + 62 * max(len(ordered), 3),
            bargap=_BAR_GAP,
            xaxis={
                "title": {"text": text("axis.cost_of_measure", language)},
                "tickformat": ",d",
                "rangemode": "tozero",
            },
        )
    )
    return figure


def _bar_words(cost_wan: float, projects: int, language: Language) -> str:
    return text(
        "figure.measure_bar",
        language,
        cost=number(cost_wan, 1),
        cost_million=number(cost_wan * YUAN_PER_WAN / YUAN_PER_MILLION, 2),
        projects=number(projects),
    )


def _in_order(given: pd.Series, known: Sequence[str]) -> list[str]:
    """Return the codes that occur, known ones in their usual order, others behind by the alphabet."""
    present = set(given)
    return [*(code for code in known if code in present), *sorted(present - set(known))]
