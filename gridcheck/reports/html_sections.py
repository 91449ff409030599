"""The sections of report.html, each a function of the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from gridcheck.reports import labels, provenance
from gridcheck.reports.folder import Results
from gridcheck.reports.markup import Html, both, element, joined, table
from gridcheck.reports.plan_around import WordTable, around_of, around_sentences, around_tables
from gridcheck.reports.summaries import answer_sentence, area_notes, banner, budget_note, county_sentences, kpis
from gridcheck.reports.texts import LANGUAGES, Language, codes, label, text
from gridcheck.reports.totals import SECURE_CODES, most_untransferred, taking_supply, totals
from gridcheck.reports.views import VIEWS, View, formatted_rows

WORST_AREAS = 20
AROUND_CHARTS = ("budget-curve", "county-shares")
"""Charts of the section on money and alternatives, which not every run has."""
# Names that may take two lines, so that all columns of a table are seen at once.
_WRAPPED = ("measure", "description", "village")
_COLUMN_CLASS = {"text": "words", "long": "long", "integer": "number", "real": "number"}


def page_header(results: Results) -> Html:
    """Title, the word synthetic, and the buttons that choose the language."""
    buttons = [
        element("button", text(f"language.{language}", language), type="button", data_choose=language, class_="choose")
        for language in LANGUAGES
    ]
    return element(
        "header",
        element(
            "div", both(lambda language: text("report.title", language)), class_="title", role="heading", aria_level="1"
        ),
        element("nav", buttons, class_="languages", aria_label="Language"),
        element("p", both(lambda language: banner(results, language)), class_="banner"),
    )


def footer_text(results: Results, language: Language) -> str:
    """Return the last line of the report."""
    word = text("word.synthetic" if results.synthetic else "word.real", language)
    return text("report.footer", language, synthetic=word)


def all_sections(results: Results) -> Html:
    """Return the sections in the order in which a reader needs them."""
    return joined(
        [
            _section("asked", lambda language: _paragraphs(_asked(results, language))),
            _section("answer", lambda language: _answer(results, language)),
            _section("counties", lambda language: _counties(results, language), charts=("map", "verdicts")),
            _section("reasons", _reasons, charts=("reasons",)),
            _section("n_minus_1", lambda language: _n_minus_1(results, language), charts=("n-minus-1",)),
            _section("plan", lambda language: _plan(results, language), charts=("plan-curve", "plan-measures")),
            *_around(results),
            _section("areas", lambda language: _areas(results, language)),
            _section("limits", lambda language: _limits(results, language)),
            _section("provenance", lambda language: _provenance(results, language)),
            _section("definitions", _definitions),
        ]
    )


def _section(name: str, make: Callable[[Language], Html], charts: Sequence[str] = ()) -> Html:
    return element(
        "section",
        element("h2", both(lambda language: text(f"report.{name}", language))),
        element("div", [_chart(chart) for chart in charts], class_="charts") if charts else Html(""),
        both(make, "div"),
        id=name.replace("_", "-"),
    )


def _chart(name: str) -> Html:
    return element(
        "figure",
        element("figcaption", both(lambda language: text(f"caption.{name.replace('-', '_')}", language))),
        element("div", data_chart=name, class_="chart"),
    )


def _paragraphs(sentences: Sequence[str]) -> Html:
    return joined([element("p", sentence) for sentence in sentences])


def _asked(results: Results, language: Language) -> list[str]:
    found = totals(results)
    return [
        text("report.asked_plan", language, target=labels.number(found.target)),
        text("report.asked_run", language, areas=labels.number(found.areas), **labels.money(results.budget_yuan)),
        *([note] if (note := budget_note(results, language)) else []),
    ]


def _answer(results: Results, language: Language) -> Html:
    tiles = [
        element(
            "div",
            element("span", tile.name, class_="kpi-name"),
            element("strong", tile.value),
            element("span", tile.note, class_="kpi-note"),
            class_="kpi",
        )
        for tile in kpis(totals(results), language)
    ]
    sentences = [element("li", sentence) for sentence in county_sentences(results, language).values()]
    return joined(
        [
            element("p", answer_sentence(results, language), class_="answer"),
            element("div", tiles, class_="kpis"),
            element("h3", text("report.by_county", language)),
            element("ul", sentences, class_="counties"),
        ]
    )


def _table(view: View, names: Sequence[str], rows: pd.DataFrame, caption: str) -> Html:
    by_name = {column.name: column for column in view.columns}
    columns = [by_name[name] for name in names]
    return table(
        [column.heading for column in columns],
        formatted_rows(columns, rows),
        classes=["long" if column.name in _WRAPPED else _COLUMN_CLASS[column.shown] for column in columns],
        caption=caption,
    )


def _counties(results: Results, language: Language) -> Html:
    view = VIEWS["counties"](results, language)
    names = [column.name for column in view.columns]
    return _table(view, names, view.table, text("caption.county_table", language))


def _reasons(language: Language) -> Html:
    return element("p", text("report.reasons_note", language), class_="note")


def _n_minus_1(results: Results, language: Language) -> Html:
    outages = taking_supply(results.n_minus_1)
    secure = outages["status"].str.lower().isin(SECURE_CODES)
    rows = []
    for code in results.counties["county_code"]:
        own = outages["county_code"] == code
        worst = outages.loc[own, "unsupplied_households"].max()
        healthy = most_untransferred(outages[own])
        rows.append(
            [
                labels.county_name(code, language),
                labels.number(int(own.sum())),
                labels.number(int((own & secure).sum())),
                labels.number(int((own & ~secure).sum())),
                labels.number(worst),
                labels.number(healthy),
                labels.percent(100.0 * outages.loc[own, "transfer_ratio"].mean()),
            ]
        )
    headings = [
        text(f"report.{name}", language)
        for name in ("h_county", "h_studied", "h_secure", "h_open", "h_worst", "h_untransferred", "h_transfer")
    ]
    whole = table(headings, rows, classes=["words", *["number"] * 6], caption=text("caption.n_minus_1_table", language))
    parts = [whole, element("p", text("report.n_minus_1_note", language), class_="note")]
    if "n_minus_1_reason" in results.feeders:
        parts += [_least(results, language), element("p", text("report.least_note", language), class_="note")]
    return joined(parts)


def _least(results: Results, language: Language) -> Html:
    """Show by county how many feeders pass N-1, why the others fail, and what the least measures cost."""
    feeders = results.feeders
    reasons = [code for code in codes("n_minus_1_reason") if (feeders["n_minus_1_reason"] == code).any()]
    rows = []
    for code in results.counties["county_code"]:
        own = feeders[feeders["county_code"] == code]
        passing = own["n_minus_1"].str.lower().isin(SECURE_CODES)
        yuan = own["n_minus_1_measure_yuan"]
        counts = [len(own), passing.sum(), *((own["n_minus_1_reason"] == reason).sum() for reason in reasons)]
        shown = [labels.number(int(count)) for count in (*counts, yuan.notna().sum())]
        rows.append([labels.county_name(code, language), *shown, labels.wan(yuan.sum())])
    headings = [
        *(text(f"report.{name}", language) for name in ("h_county", "h_feeders", "h_passing")),
        *(label("n_minus_1_reason", reason, language) for reason in reasons),
        *(text(f"report.{name}", language) for name in ("h_with_measure", "h_measure_wan")),
    ]
    classes = ["words", *["number"] * (len(headings) - 1)]
    return table(headings, rows, classes=classes, caption=text("caption.least_table", language))


def _plan(results: Results, language: Language) -> Html:
    view = VIEWS["plan"](results, language)
    chosen = view.table[view.table["chosen_code"]]
    names = (
        "rank",
        "county",
        "measure",
        "description",
        "cost_wan",
        "cumulative_cost_wan",
        "households_unlocked",
        "benefit_per_wan",
        "overload_hours_removed",
        "undervoltage_hours_removed",
        "area_id",
    )
    found = totals(results)
    note = text(
        "report.plan_note",
        language,
        candidates=labels.number(found.projects),
        chosen=labels.number(found.chosen),
        unfunded=labels.number(found.unfunded),
    )
    return joined([element("p", note), _table(view, names, chosen, text("caption.plan_table", language))])


def _around(results: Results) -> list[Html]:
    """Return the section on other budgets, rules and years; nothing where the run does not tell."""
    around = around_of(results)
    if around is None:
        return []

    def make(language: Language) -> Html:
        rules, counties, budgets, draws = around_tables(around, language)
        notes = [text(f"around.{name}", language) for name in ("rules_note", "pareto_note")]
        return joined(
            [
                _paragraphs(around_sentences(around, language)),
                _words(rules, language),
                element("p", notes[0], class_="note"),
                *(_words(given, language) for given in (counties, budgets)),
                element("p", notes[1], class_="note"),
                _words(draws, language),
            ]
        )

    return [_section("around", make, charts=AROUND_CHARTS)]


def _words(given: WordTable, language: Language) -> Html:
    classes = ["words", *["number"] * (len(given.headings) - 1)]
    return table(given.headings, given.rows, classes=classes, caption=text(f"caption.{given.name}", language))


def _areas(results: Results, language: Language) -> Html:
    view = VIEWS["areas"](results, language)
    worst = view.table.sort_values(
        ["peak_loading_percent", "area_id"], ascending=[False, True], kind="stable", na_position="last"
    ).head(WORST_AREAS)
    names = (
        "area_id",
        "county",
        "village",
        "state",
        "grade",
        "sustained_loading_percent",
        "peak_loading_percent",
        "peak_kw",
        "kva",
        "hot_spot_c",
        "min_voltage_v",
        "c2_kw",
    )
    unknown = int((view.table["state_code"] == "no_data").sum())
    caption = text("caption.area_table", language, count=labels.number(len(worst)))
    note = text("report.areas_note", language, unknown=labels.number(unknown))
    notes = [*area_notes(language), note]
    return joined([_table(view, names, worst, caption), *(element("p", words, class_="note") for words in notes)])


def _limits(results: Results, language: Language) -> Html:
    used = provenance.limit_rows(results.summary, language)
    headings = [text(key, language) for key in ("word.item", "word.value", "word.source", "word.confidence")]
    parts = [element("ul", [element("li", line) for line in provenance.model_limits(results.summary, language)])]
    if used:
        parts.append(
            table(
                headings,
                used,
                classes=["words", "words", "long", "words"],
                caption=text("caption.limit_table", language),
            )
        )
    return joined(parts)


def _provenance(results: Results, language: Language) -> Html:
    rows = provenance.provenance_rows(results.summary, language)
    files = provenance.file_rows(results.summary)
    return joined(
        [
            table(
                [text("word.item", language), text("word.value", language)],
                rows,
                classes=["words", "long"],
                caption=text("caption.provenance_table", language),
            ),
            table(
                [text("word.file", language), text("word.rows", language), "SHA-256"],
                files,
                classes=["words", "number", "words"],
                caption=text("caption.file_table", language),
            ),
        ]
    )


def _definitions(language: Language) -> Html:
    headings = [text(f"word.{key}", language) for key in ("table", "code", "name", "unit", "meaning")]
    whole = table(
        headings,
        provenance.definition_rows(language),
        classes=["words", "words", "long", "words", "long"],
        caption=text("caption.definitions", language),
    )
    return element("details", element("summary", text("page.show_definitions", language)), whole)
