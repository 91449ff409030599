"""report.html: the whole answer of a run in one file that opens without a network.

Everything is inside: the chart library, the charts, the words in both languages. A content security
policy in the file forbids every request, so it can be mailed, archived and opened on an isolated computer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from gridcheck.reports import html_sections as sections
from gridcheck.reports.around_figures import budget_curve, county_shares
from gridcheck.reports.figures import (
    county_verdicts,
    graph_config,
    n_minus_1_by_county,
    plan_by_measure,
    plan_curve,
    waiting_reasons,
)
from gridcheck.reports.folder import Results
from gridcheck.reports.maps import county_map
from gridcheck.reports.markup import Html, both, element, joined
from gridcheck.reports.plan_around import around_of
from gridcheck.reports.tables import write_bytes
from gridcheck.reports.texts import DEFAULT_LANGUAGE, HTML_LANG, LANGUAGES, Language, text

REPORT_FILE = "report.html"

# No source at all may be fetched; scripts and styles are those written into the file.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
)


def _figures(results: Results) -> dict[str, Callable[[Language], go.Figure]]:
    around = around_of(results)
    makers: dict[str, Callable[[Language], go.Figure]] = {
        "map": lambda language: county_map(results, language),
        "verdicts": lambda language: county_verdicts(results.counties, results.decisions, language),
        "reasons": lambda language: waiting_reasons(results.decisions, language),
        "n-minus-1": lambda language: n_minus_1_by_county(results.n_minus_1, language),
        "plan-curve": lambda language: plan_curve(results.plan, results.budget_yuan, language),
        "plan-measures": lambda language: plan_by_measure(results.plan, language),
    }
    if around is not None:
        makers["budget-curve"] = lambda language: budget_curve(around, results.budget_yuan, language)
        makers["county-shares"] = lambda language: county_shares(around, language)
    return makers


def _resource(name: str) -> str:
    return resources.files("gridcheck.reports").joinpath(name).read_text(encoding="utf-8")


def _script(content: str) -> Html:
    return Html(f"<script>{content}</script>")


def _as_script_data(content: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    text_of = json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return text_of.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _charts(results: Results) -> dict[str, Any]:
    makers = _figures(results)
    return {
        "config": {language: graph_config(language) for language in LANGUAGES},
        "figures": {
            language: {name: json.loads(make(language).to_json()) for name, make in makers.items()}
            for language in LANGUAGES
        },
        "locale": {
            "moduleType": "locale",
            "name": "zh-CN",
            "dictionary": {
                "Download plot as a PNG": text("modebar.download", "zh"),
                "Download plot": text("modebar.download", "zh"),
                "Reset axes": text("modebar.reset", "zh"),
            },
        },
        "lang": dict(HTML_LANG),
        "title": {language: text("report.title", language) for language in LANGUAGES},
    }


def report_html(results: Results, language: Language = DEFAULT_LANGUAGE) -> str:
    """Return the report of a run as one HTML document in both languages, which opens in `language`."""
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", text("report.title", language)),
        Html(f"<style>{_resource('report.css')}</style>"),
    )
    main = element("main", sections.all_sections(results))
    body = element(
        "body",
        sections.page_header(results),
        main,
        element("footer", both(lambda language: sections.footer_text(results, language))),
        # The library ends no script element inside itself; it is the file that plotly ships for inlining.
        _script(get_plotlyjs()),
        _script(f"window.gridcheckReport = {_as_script_data(_charts(results))};"),
        _script(_resource("report.js")),
    )
    document = element("html", joined([head, body]), lang=HTML_LANG[language], data_language=language)
    return f"<!DOCTYPE html>\n{document}\n"


def write_report_html(results: Results, path: Path, language: Language = DEFAULT_LANGUAGE) -> None:
    """Write the report of a run to `path` in one step; it opens in `language`. Same results, same bytes."""
    write_bytes(path, report_html(results, language).encode("utf-8"))
