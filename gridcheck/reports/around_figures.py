"""Charts around the plan: what every budget would bring, and how the counties share the money."""

from __future__ import annotations

import plotly.graph_objects as go

from gridcheck.reports import palette
from gridcheck.reports.figures import base_layout, safe
from gridcheck.reports.labels import county_name, money
from gridcheck.reports.plan_around import Around
from gridcheck.reports.texts import Language, label, text
from gridcheck.units import YUAN_PER_WAN

_SIGNS = ("diamond", "square", "triangle-up")


def budget_curve(around: Around, budget_yuan: float, language: Language) -> go.Figure:
    """Draw the households that the best plan unlocks at every budget, with the simple rules at the budget of the plan.

    Parameters
    ----------
    around : mapping
        With ``pareto`` and ``rules``.
    budget_yuan : float
        Money of the plan. [yuan]
    language : {"zh", "en"}
        Of the words.
    """
    points = around["pareto"]
    wan, household = text("unit.wan", language), text("unit.household", language)
    figure = go.Figure(
        go.Scatter(
            x=[point["budget_yuan"] / YUAN_PER_WAN for point in points],
            y=[point["households"] for point in points],
            mode="lines+markers",
            # Between the points less money is enough for the lower one, no less for the upper one.
            line={"color": palette.ACCENT, "width": 2.5, "shape": "hv"},
            marker={"size": 5, "color": palette.ACCENT},
            name=label("plan_rule", "exact", language),
            hovertemplate=f"%{{x:,.0f}} {wan}<br>%{{y:,d}} {household}<extra></extra>",
        )
    )
    rules = [rule for rule in around["rules"] if rule["rule"] != "exact"]
    for rule, sign, colour in zip(rules, _SIGNS, palette.CATEGORIES[1:], strict=False):
        figure.add_scatter(
            x=[rule["budget_yuan"] / YUAN_PER_WAN],
            y=[rule["households"]],
            mode="markers",
            marker={"size": 11, "symbol": sign, "color": colour, "line": {"width": 1, "color": palette.INK}},
            name=label("plan_rule", rule["rule"], language),
            hovertemplate=f"{label('plan_rule', rule['rule'], language)}<br>%{{y:,d}} {household}<extra></extra>",
        )
    figure.add_vline(
        x=budget_yuan / YUAN_PER_WAN,
        line={"color": palette.BRICK, "width": 2, "dash": "dash"},
        annotation={
            "text": text("figure.budget_line", language, **money(budget_yuan)),
            "font": {"color": palette.BRICK},
            "xanchor": "left",
            "yanchor": "bottom",
            "y": 0.02,
            "xshift": 6,
        },
    )
    figure.update_layout(
        base_layout(
            height=400,
            xaxis={"title": {"text": text("axis.budget", language)}, "tickformat": ",d", "rangemode": "tozero"},
            yaxis={"title": {"text": text("axis.unlocked", language)}, "tickformat": ",d", "rangemode": "tozero"},
        )
    )
    return figure


def county_shares(around: Around, language: Language) -> go.Figure:
    """Draw what the plan spends in every county beside what it unlocks there.

    Parameters
    ----------
    around : mapping
        With ``county_split``.
    language : {"zh", "en"}
        Of the words.
    """
    shares = list(reversed(around["county_split"]))
    names = [safe(county_name(share["county_code"], language)) for share in shares]
    wan, household = text("unit.wan", language), text("unit.household", language)
    figure = go.Figure()
    figure.add_bar(
        y=names,
        x=[share["cost_yuan"] / YUAN_PER_WAN for share in shares],
        orientation="h",
        name=text("figure.county_money", language),
        marker={"color": palette.ACCENT},
        hovertemplate=f"%{{y}}<br>%{{x:,.1f}} {wan}<extra></extra>",
    )
    figure.add_bar(
        y=names,
        x=[share["households"] for share in shares],
        orientation="h",
        name=text("figure.county_households", language),
        marker={"color": palette.CATEGORIES[1], "pattern": {"shape": "/"}},
        xaxis="x2",
        hovertemplate=f"%{{y}}<br>%{{x:,d}} {household}<extra></extra>",
    )
    figure.update_layout(
        base_layout(
            grid={"rows": 1, "columns": 2, "pattern": "independent"},
            height=150 + 30 * max(len(names), 4),
            xaxis={
                "title": {"text": text("axis.cost_of_measure", language)},
                "domain": [0.0, 0.47],
                "rangemode": "tozero",
                "tickformat": ",d",
            },
            xaxis2={
                "title": {"text": text("axis.unlocked_here", language)},
                "domain": [0.53, 1.0],
                "rangemode": "tozero",
                "tickformat": ",d",
                "anchor": "y",
            },
        )
    )
    return figure
