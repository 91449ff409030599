"""Pieces that several pages are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from gridcheck.reports.figures import graph_config
from gridcheck.reports.palette import SIGN_COLOURS
from gridcheck.reports.summaries import Kpi
from gridcheck.reports.texts import Language, text

Children = Any

# A choice of more options than this gets a search field.
_SEARCHABLE_FROM = 15


def aria(**names: str) -> dict[str, Any]:
    """Return attributes for assistive technology: ``aria(label="x")`` is ``aria-label="x"``."""
    return {f"aria-{name}": value for name, value in names.items()}


def section(title: str, *children: Children, class_name: str = "") -> Component:
    """Return a titled block."""
    return html.Section([html.H2(title), *children], className=f"block {class_name}".strip())


def graph(identity: Any, figure: go.Figure, language: Language, class_name: str = "chart") -> dcc.Graph:
    """Return a chart that makes no request and speaks `language`."""
    config: Any = graph_config(language)
    return dcc.Graph(
        id=identity,
        figure=figure,
        config=config,
        className=class_name,
        style={"height": f"{figure.layout.height}px"},
    )


def figure_block(identity: Any, figure: go.Figure, caption: Children, language: Language) -> Component:
    """Return a chart with the sentence that says what it shows."""
    return html.Figure([html.Figcaption(caption), graph(identity, figure, language)])


def kpi_tiles(tiles: Sequence[Kpi]) -> Component:
    """Return the row of first figures."""
    return html.Div(
        [
            html.Div(
                [
                    html.Span(tile.name, className="kpi-name"),
                    html.Strong(tile.value),
                    html.Span(tile.note, className="kpi-note"),
                ],
                className="kpi",
            )
            for tile in tiles
        ],
        className="kpis",
    )


def plain_table(
    headings: Sequence[str], rows: Sequence[Sequence[Children]], classes: Sequence[str], caption: str
) -> Component:
    """Return a table that needs no script: few rows, readable by a screen reader, printable.

    Parameters
    ----------
    classes : sequence of str
        Class of each column: ``number``, ``words`` or ``long``.
    """
    head = html.Tr(
        [html.Th(heading, scope="col", className=kind) for heading, kind in zip(headings, classes, strict=True)]
    )
    body = [
        html.Tr([html.Td(signed(cell), className=kind) for cell, kind in zip(row, classes, strict=True)])
        for row in rows
    ]
    table = html.Table([html.Caption(caption), html.Thead(head), html.Tbody(body)])
    return html.Div(table, className="table-frame", tabIndex="0", role="region", **aria(label=caption))


def signed(cell: Children) -> Children:
    """Return a text with its leading sign in the sign's colour; anything else as it is."""
    if isinstance(cell, str) and cell[:1] in SIGN_COLOURS and cell[1:2] == " ":
        return [html.Span(cell[0], className="sign", style={"color": SIGN_COLOURS[cell[0]]}), cell[1:]]
    return cell


def facts(rows: Sequence[tuple[str, Children]]) -> Component:
    """Return names and values of one thing as a description list."""
    return html.Dl([html.Div([html.Dt(name), html.Dd(signed(value))]) for name, value in rows], className="facts")


def dropdown(
    identity: Any,
    options: Sequence[tuple[str, str]],
    value: str | None,
    name: str,
    language: Language,
    *,
    clearable: bool = True,
) -> Component:
    """Return a labelled choice.

    Parameters
    ----------
    options : sequence of (value, label)
        What can be chosen.
    name : str
        What the choice is about; shown above it.
    """
    words: Any = {
        key: text(f"dropdown.{key}", language)
        for key in ("search", "clear_search", "clear_selection", "no_options_found")
    }
    choice = dcc.Dropdown(
        id=identity,
        options=[{"value": key, "label": label} for key, label in options],
        value=value,
        clearable=clearable,
        searchable=len(options) > _SEARCHABLE_FROM,
        placeholder=text("word.all", language),
        labels=words,
        maxHeight=340,
        optionHeight=34,
        className="dropdown",
    )
    return html.Div(
        [html.Span(name, className="control-name"), choice], className="control", role="group", **aria(label=name)
    )


def choices(identity: Any, options: Sequence[tuple[str, str]], value: str, name: str) -> Component:
    """Return a labelled row of exclusive choices."""
    items = dcc.RadioItems(
        id=identity,
        options=[{"value": key, "label": label} for key, label in options],
        value=value,
        inline=True,
        className="choices",
    )
    return html.Div(
        [html.Span(name, className="control-name"), items], className="control", role="group", **aria(label=name)
    )


def notice(title: str, *children: Children) -> Component:
    """Return a friendly block in place of a page that cannot be shown."""
    return html.Section([html.H2(title), *children], className="block notice", role="status")
