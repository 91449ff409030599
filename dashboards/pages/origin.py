"""Where the numbers come from, what the model leaves out, and what each column means."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from dashboards.address import Address
from dashboards.components import plain_table, section
from dashboards.readings import store_facts
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports import provenance
from gridcheck.reports.texts import Language, text


def layout(store: ResultsStore, address: Address) -> list[Component]:
    """Build the page."""
    language = address.language
    summary = store.results().summary
    limits = [html.Li(line) for line in provenance.model_limits(summary, language)]
    return [
        section(text("page.model_limits", language), html.Ul(limits, className="sentences one-column")),
        section(text("page.limits_used", language), _limits(store, language)),
        html.Div(
            [
                section(text("report.provenance", language), _provenance(store, language)),
                section(text("page.files", language), _files(store, language), _readings(store, language)),
            ],
            className="columns",
        ),
        section(text("page.definitions", language), _definitions(language)),
        html.P(text("page.offline", language), className="note"),
    ]


def _words(keys: tuple[str, ...], language: Language) -> list[str]:
    return [text(f"word.{key}", language) for key in keys]


def _limits(store: ResultsStore, language: Language) -> Component:
    rows = provenance.limit_rows(store.results().summary, language)
    if not rows:
        return html.P(text("page.no_limits", language), className="note")
    headings = _words(("item", "value", "source", "confidence"), language)
    return plain_table(headings, rows, ["words", "words", "long", "words"], text("caption.limit_table", language))


def _provenance(store: ResultsStore, language: Language) -> Component:
    rows = provenance.provenance_rows(store.results().summary, language)
    return plain_table(
        _words(("item", "value"), language), rows, ["words", "long"], text("caption.provenance_table", language)
    )


def _files(store: ResultsStore, language: Language) -> Component:
    rows = provenance.file_rows(store.results().summary)
    headings = [*_words(("file", "rows"), language), "SHA-256"]
    return plain_table(headings, rows, ["words", "number", "words"], text("caption.file_table", language))


def _readings(store: ResultsStore, language: Language) -> Component:
    folder = store.settings.readings
    if folder is None:
        return html.P(text("page.no_readings", language), className="note")
    try:
        return html.P(text("page.readings", language, **store_facts(folder)), className="note")
    except LedgerError as error:
        return html.P(str(error), className="note")


def _definitions(language: Language) -> Component:
    headings = _words(("table", "code", "name", "unit", "meaning"), language)
    rows = provenance.definition_rows(language)
    whole = plain_table(
        headings, rows, ["words", "words", "words", "words", "long"], text("caption.definitions", language)
    )
    return html.Details([html.Summary(text("page.show_definitions", language)), whole])


def register(_app: Dash, _store: ResultsStore) -> None:
    """Register nothing: this page has no callbacks."""
