"""Sheets of projects for the energy bureau: one page each with place, work, drawing, bill, benefit, risk and money.

A file for every project and one with all of them, for print. Nothing in them asks any network for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from gridcheck import __version__
from gridcheck.reports import labels, palette
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.folder import Results
from gridcheck.reports.markup import Html, element, joined, table
from gridcheck.reports.place import safe_name
from gridcheck.reports.project_drawing import Drawing, legend, panel_svg
from gridcheck.reports.project_facts import ProjectFacts
from gridcheck.reports.project_words import (
    bill_rows,
    lines_of,
    money_state,
    outcome_words,
    place_of,
    rows_of,
    yuan,
)
from gridcheck.reports.provenance import model_limits
from gridcheck.reports.summaries import budget_note
from gridcheck.reports.texts import HTML_LANG, Language, text

KIND = "sheets"
ALL_FILE = "sheets.html"
"""All sheets behind a table of them, for print."""

# No source may be fetched and no script runs; the style is the one written into the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SHORT_HASH = 12
_STATE_COLOURS = {"chosen": palette.ACCENT, "over_budget": palette.AMBER}


@cache
def _style() -> str:
    return resources.files("gridcheck.reports").joinpath("project_sheets.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWords:
    """What sheets say of the run as a whole.

    Attributes
    ----------
    digest : str
        First digits of the checksum of its plan.
    notes : tuple of str
        Sentences that stand with the money of each project.
    limits : tuple of str
        Sentences on what the calculation leaves out, said once.
    """

    digest: str = ""
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def run_words(results: Results, language: Language) -> RunWords:
    """Return what sheets say of a run."""
    note = budget_note(results, language)
    return RunWords(
        digest=str(results.summary["files"]["plan.csv"]["sha256"])[:_SHORT_HASH],
        notes=(note,) if note else (),
        limits=tuple(model_limits(results.summary, language)),
    )


def sheets_html(
    projects: Sequence[ProjectFacts],
    drawings: Mapping[str, Drawing],
    language: Language,
    run: RunWords | None = None,
    *,
    with_table: bool = False,
) -> str:
    """Return sheets as one HTML document, each on a page of its own.

    Parameters
    ----------
    projects : sequence of ProjectFacts
        At least one.
    drawings : mapping of str to Drawing
        By project id.
    language : {"zh", "en"}
        Language of the sheets.
    run : RunWords, optional
        What is said of the run.
    with_table : bool
        Whether a table of the projects comes first.
    """
    about = RunWords() if run is None else run
    title = text("project_sheet.title_all" if with_table else "project_sheet.title", language)
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title if with_table else f"{title} {projects[0].project_id}"),
        Html(f"<style>{_style()}</style>"),
    )
    overview = [_overview(projects, language, about)] if with_table else []
    body = element("body", overview, [_sheet(one, drawings.get(one.project_id), language, about) for one in projects])
    return f"<!DOCTYPE html>\n{element('html', head, body, lang=HTML_LANG[language])}\n"


def write_sheets(
    projects: Sequence[ProjectFacts],
    drawings: Mapping[str, Drawing],
    out: Path,
    language: Language,
    run: RunWords | None = None,
) -> tuple[str, ...]:
    """Write a file for every project and one with all of them; all appear, or nothing.

    Parameters
    ----------
    projects : sequence of ProjectFacts
        At least one.
    drawings : mapping of str to Drawing
        By project id.
    out : Path
        Missing, empty, or an earlier folder of sheets, which is replaced.
    language : {"zh", "en"}
        Language of the sheets.
    run : RunWords, optional
        What is said of the run.

    Returns
    -------
    tuple of str
        Names of the files, that with all sheets last.

    Raises
    ------
    LedgerError
        If `out` holds something else.
    """
    # A project may bear any id, that of the joined file too.
    names = [f"{safe_name(f'project-{one.project_id}')}.html" for one in projects]
    with exported_folder(out, KIND, synthetic=any(one.synthetic for one in projects)) as folder:
        for name, one in zip(names, projects, strict=True):
            (folder / name).write_bytes(sheets_html([one], drawings, language, run).encode("utf-8"))
        whole = sheets_html(projects, drawings, language, run, with_table=True)
        (folder / ALL_FILE).write_bytes(whole.encode("utf-8"))
    return (*names, ALL_FILE)


def _specimen(projects: Sequence[ProjectFacts], language: Language) -> list[Html]:
    if not any(one.synthetic for one in projects):
        return []
    return [element("p", text("project_sheet.synthetic", language), class_="specimen", role="note")]


def _columns(names: Sequence[str], language: Language) -> list[str]:
    return [text(f"project_sheet_column.{name}", language) for name in names]


def _overview(projects: Sequence[ProjectFacts], language: Language, run: RunWords) -> Html:
    names = ("project", "place", "measure", "project_yuan", "households", "state")
    joiner = text("sentence.joiner", language)
    rows = [
        (
            element("a", one.project_id, href=f"#{safe_name(one.project_id)}"),
            place_of(one, language),
            joiner.join(dict.fromkeys(labels.measure_name(bill.item, language) for bill in one.bill)),
            yuan(one.cost_yuan),
            labels.number(one.households_unlocked),
            outcome_words(one, language),
        )
        for one in projects
    ]
    heading = text("project_sheet.overview", language)
    classes = ("words", "long", "long", "number", "number", "long")
    return element(
        "article",
        _specimen(projects, language),
        element("h1", text("project_sheet.title_all", language)),
        table(_columns(names, language), rows, classes=classes, caption=heading),
        [element("p", note, class_="note") for note in (*run.notes, *run.limits)],
    )


def _sheet(facts: ProjectFacts, drawing: Drawing | None, language: Language, run: RunWords) -> Html:
    def section(name: str, *content: Html) -> Html:
        heading = element("h2", text(f"project_sheet_heading.{name}", language))
        return element("section", heading, *content, class_=f"part-{name}")

    colour = _STATE_COLOURS.get(facts.outcome, palette.GREY)
    return element(
        "article",
        _specimen([facts], language),
        element("h1", f"{text('project_sheet.title', language)} {facts.project_id}"),
        element(
            "div",
            money_state(facts, language),
            element("span", place_of(facts, language)),
            class_="state",
            style=f"border-color:{colour}",
        ),
        section("place", _rows(rows_of(facts, "place", language))),
        section("work", _rows(rows_of(facts, "work", language))),
        section("drawing", _drawing(drawing, language)),
        section("bill", _bill(facts, language)),
        section("range", _lines(lines_of(facts, "range", language))),
        section("benefit", _rows(rows_of(facts, "benefit", language))),
        section("risk", _lines(lines_of(facts, "risk", language))),
        section("clause", _lines(lines_of(facts, "clause", language)), _note("project_sheet.clause_note", language)),
        section(
            "money",
            _rows(rows_of(facts, "money", language)),
            *(element("p", note, class_="note") for note in run.notes),
        ),
        element("p", text("project_sheet.footer", language, version=__version__, run=run.digest), class_="note"),
        class_="sheet",
        id=safe_name(facts.project_id),
    )


def _note(key: str, language: Language) -> Html:
    return element("p", text(key, language), class_="note")


def _rows(rows: Sequence[tuple[str, str]]) -> Html:
    cells = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows]
    return element("table", element("tbody", cells), class_="rows")


def _lines(lines: Sequence[str]) -> Html:
    return element("ul", [element("li", line) for line in lines])


def _drawing(drawing: Drawing | None, language: Language) -> Html:
    if drawing is None or not drawing.before.lines:
        return _note("sheet_drawing.none", language)
    panels = [
        element(
            "figure",
            element("figcaption", text(f"sheet_drawing.{which}", language)),
            panel_svg(drawing, which, language),
        )
        for which in ("before", "after")
    ]
    notes = ["map" if drawing.is_map else "diagram", *drawing.notes, *(["synthetic"] if drawing.is_synthetic else [])]
    said = [_note(f"sheet_drawing.{name}", language) for name in notes]
    return joined([element("div", panels, class_="panels"), legend(drawing, language), *said])


def _bill(facts: ProjectFacts, language: Language) -> Html:
    names = ("item", "type", "unit", "quantity", "unit_yuan", "cost_yuan", "least_yuan", "most_yuan")
    classes = ("long", "words", "words", *("number",) * 5)
    least, most = facts.cost_range_yuan
    head = [
        element("th", name, scope="col", class_=kind)
        for name, kind in zip(_columns(names, language), classes, strict=True)
    ]
    body = [
        element("tr", [element("td", cell, class_=kind) for cell, kind in zip(row, classes, strict=True)])
        for row in bill_rows(facts, language)
    ]
    sums = [text("project_sheet.total", language), "", "", "", "", yuan(facts.cost_yuan), yuan(least), yuan(most)]
    total = element(
        "tr", [element("td", cell, class_=kind) for cell, kind in zip(sums, classes, strict=True)], class_="total"
    )
    caption = text("project_sheet.total_note", language)
    whole = element(
        "table", element("caption", caption), element("thead", element("tr", head)), element("tbody", body, total)
    )
    return element("div", whole, class_="table-frame", tabindex="0", role="region", aria_label=caption)
