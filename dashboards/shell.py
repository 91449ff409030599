"""What surrounds every page: title, navigation, language switch, the word synthetic, the footer."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.address import Address
from dashboards.components import Children, aria, notice
from dashboards.pages import Page
from dashboards.store import ResultsStore
from gridcheck.errors import LedgerError
from gridcheck.reports.summaries import banner
from gridcheck.reports.texts import HTML_LANG, LANGUAGES, Language, text

TICK = "tick"
NEWS = "news"
VERSION = "version"
MAIN = "main"
# How often a page asks whether another run has been published. [ms]
_TICK_MS = 30_000


def frame(language: Language) -> Component:
    """Return what is loaded once: the address, the clock and the place where pages appear."""
    return html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Interval(id=TICK, interval=_TICK_MS),
            dcc.Store(id=VERSION),
            html.Div(html.P(text("shell.loading", language), className="loading"), id="shell"),
        ]
    )


def shell(store: ResultsStore, pages: Sequence[Page], address: Address) -> Component:
    """Return a whole screen for `address`."""
    page = next((known for known in pages if known.path == address.path), None)
    return html.Div(
        [
            html.A(text("shell.skip", address.language), href=f"#{MAIN}", className="skip"),
            _header(pages, address),
            _banner(store, address),
            html.Div(id=NEWS, role="status", className="news"),
            html.Main(_content(store, page, address), id=MAIN, tabIndex="-1"),
            html.Footer(text("shell.footer", address.language)),
        ],
        lang=HTML_LANG[address.language],
    )


def _header(pages: Sequence[Page], address: Address) -> Component:
    items = [
        html.Li(
            dcc.Link(
                text(f"nav.{page.code}", address.language),
                href=address.link(page.path),
                className="current" if page.path == address.path else "",
            ),
            **(aria(current="page") if page.path == address.path else {}),
        )
        for page in pages
    ]
    others = [
        html.A(
            text(f"language.{language}", language),
            href=address.in_language(language),
            className="language",
            lang=HTML_LANG[language],
        )
        for language in LANGUAGES
        if language != address.language
    ]
    return html.Header(
        [
            html.Div(
                [html.Strong("gridcheck"), html.Span(text("shell.subtitle", address.language))], className="brand"
            ),
            html.Nav(html.Ul(items), **aria(label=text("shell.navigation", address.language))),
            html.Div(others),
        ]
    )


def _banner(store: ResultsStore, address: Address) -> Component:
    try:
        results = store.results()
    except LedgerError:
        return html.Div()
    return html.P(banner(results, address.language), className="banner" if results.synthetic else "banner banner-real")


def _content(store: ResultsStore, page: Page | None, address: Address) -> list[Children]:
    language = address.language
    if page is None:
        return [
            notice(text("shell.no_page", language), dcc.Link(text("nav.overview", language), href=address.link("/")))
        ]
    try:
        body = page.layout(store, address)
    except LedgerError as error:
        return [missing_results(store, address, str(error))]
    return [html.H1(text(f"nav.{page.code}", language)), *body]


def missing_results(store: ResultsStore, address: Address, reason: str) -> Component:
    """Return the page that says how to make results."""
    language = address.language
    return notice(
        text("shell.no_results", language),
        html.P(text("shell.no_results_hint", language)),
        html.Pre(html.Code(f"gridcheck run --out {store.settings.results}")),
        html.P(text("shell.no_results_then", language)),
        html.Details([html.Summary(text("shell.details", language)), html.Pre(reason)]),
    )
