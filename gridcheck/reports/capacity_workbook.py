"""Published room as a workbook: a summary, the feeders, a sheet for each county, and what every figure means."""

from __future__ import annotations

import io
import re

import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from gridcheck.reports.capacity import Capacity
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import county_name, village_name
from gridcheck.reports.palette import GRADE_SIGNS
from gridcheck.reports.summaries import banner
from gridcheck.reports.texts import Language, column_label, is_known, label, text
from gridcheck.reports.view_layouts import Layout
from gridcheck.reports.views import View, ViewColumn
from gridcheck.reports.workbook import CREATED, WORKBOOK_OPTIONS, Styles, make_styles, write_rows, write_view

_NOT_IN_A_SHEET_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_LONGEST_SHEET_NAME = 31
# Headings take up to three lines here; notes are wrapped over the width of the table of counties.
_HEADING_ROW, _HEADING_POINTS = 2, 46
_LINE_POINTS, _NOTE_WIDTH, _WIDE_FROM = 14, 150, "\u2e80"

_COUNTIES: Layout = (
    ("county", "text", 0, ""),
    ("grade", "text", 0, ""),
    ("more_heat_pumps_at_most", "integer", 0, ""),
    ("c2_kw", "real", 0, "kW"),
    ("c1_kw", "real", 0, "kW"),
    ("areas_green", "integer", 0, ""),
    ("areas_yellow", "integer", 0, ""),
    ("areas_red", "integer", 0, ""),
    ("areas_grey", "integer", 0, ""),
    ("feeders_red", "integer", 0, ""),
    ("not_yet_electric", "integer", 0, ""),
    ("deferred", "integer", 0, ""),
)
_FEEDERS: Layout = (
    ("feeder_id", "text", 0, ""),
    ("name", "text", 0, ""),
    ("county", "text", 0, ""),
    ("grade", "text", 0, ""),
    ("more_heat_pumps_at_most", "integer", 0, ""),
    ("c2_kw", "real", 0, "kW"),
    ("c1_kw", "real", 0, "kW"),
    ("outlet_room_kw", "real", 0, "kW"),
    ("n_minus_1_room_kw", "real", 0, "kW"),
    ("areas_green", "integer", 0, ""),
    ("areas_yellow", "integer", 0, ""),
    ("areas_red", "integer", 0, ""),
    ("areas_grey", "integer", 0, ""),
)
_AREAS: Layout = (
    ("area_id", "text", 0, ""),
    ("village", "text", 0, ""),
    ("feeder_id", "text", 0, ""),
    ("grade", "text", 0, ""),
    ("blocked_above", "text", 0, ""),
    ("kva", "real", 0, "kVA"),
    ("c2_kw", "real", 1, "kW"),
    ("c1_kw", "real", 1, "kW"),
    ("more_heat_pumps", "integer", 0, ""),
    ("not_yet_electric", "integer", 0, ""),
)
_MEANINGS = (
    "grade",
    "c1_kw",
    "c2_kw",
    "more_heat_pumps",
    "more_of_size",
    "blocked_above",
    "outlet_room_kw",
    "n_minus_1_room_kw",
)
_NAMES_OF_MEANINGS = {"more_of_size": "more_heat_pumps"}


def capacity_workbook(found: Capacity, results: Results, language: Language) -> bytes:
    """Return the bytes of the workbook; same room, same bytes.

    Parameters
    ----------
    found : Capacity
        Published room.
    results : Results
        The run that it comes from.
    language : {"zh", "en"}
        Language of sheets and headings.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **WORKBOOK_OPTIONS})
    title = text("capacity.title", language, date=found.published_on.isoformat())
    note = banner(results, language)
    book.set_properties({"title": title, "comments": note, "created": CREATED})
    styles = make_styles(book)
    county = "county" if language == "zh" else "county_en"
    counties = found.counties.assign(county=found.counties[county])
    summary = _view(text("capacity.summary", language), _COUNTIES, counties, language)
    sheet = book.add_worksheet(summary.title)
    _write_table(sheet, _titled(summary, title), styles, note)
    _write_notes(sheet, len(summary.table) + 4, notes_of(found, results, language), styles)
    names = found.feeders["county_code"].map(lambda code: county_name(code, language))
    feeders = _view(text("capacity.feeders", language), _FEEDERS, found.feeders.assign(county=names), language)
    _write_table(book.add_worksheet(feeders.title), feeders, styles, note)
    taken = {summary.title.lower(), feeders.title.lower(), text("capacity.definitions", language).lower()}
    for code, own in found.areas.groupby("county_code", sort=True):
        name = text("capacity.areas_of", language, county=county_name(code, language))
        view = _areas_view(name, own.reset_index(drop=True), found, language)
        _write_table(book.add_worksheet(_sheet_name(name, taken)), view, styles, note)
    definitions = book.add_worksheet(text("capacity.definitions", language))
    words = [text(f"capacity.{key}", language) for key in ("item", "meaning")]
    title = text("capacity.definitions", language)
    write_rows(definitions, title, words, _definitions(found, results, language), styles, (30, 120))
    book.close()
    return buffer.getvalue()


def notes_of(found: Capacity, results: Results, language: Language) -> list[str]:
    """Return what has to be said beside published room: source, colours, sums, what is missing, no promise."""
    run = found.run or text("capacity.run_unknown", language)
    missing = text("sentence.joiner", language).join(_missing(code, language) for code in found.missing)
    return [
        banner(results, language),
        text("capacity.published_on", language, date=found.published_on.isoformat(), run=run),
        text("capacity.legend", language),
        text("capacity.sums_note", language),
        text("capacity.missing_note", language, columns=missing),
        text("capacity.application_note", language),
        text("capacity.analogue_note", language),
    ]


def _missing(code: str, language: Language) -> str:
    kind, _, device = code.partition(":")
    values = {"device": device, "name": label("device", device, language)} if device else {}
    return text(f"capacity_missing.{kind}", language, **values)


def _definitions(found: Capacity, results: Results, language: Language) -> list[tuple[str, str]]:
    usual = found.sizes[0]
    values = {"rated_kw": f"{usual.rated_kw:g}", "max_kw": f"{usual.max_input_kw:g}"}
    rows = [
        (
            _heading(_NAMES_OF_MEANINGS.get(name, name), language)
            if name != "more_of_size"
            else text("sentence.joiner", language).join(
                _size_heading(size.rated_kw, language) for size in found.sizes[1:]
            ),
            text(f"capacity_meaning.{name}", language, **values),
        )
        for name in _MEANINGS
    ]
    return rows + [("", line) for line in notes_of(found, results, language)]


def _areas_view(name: str, own: pd.DataFrame, found: Capacity, language: Language) -> View:
    villages = [
        village_name(code) or "".join(str(part) for part in (town, village) if isinstance(part, str))
        for code, town, village in zip(own["village_code"], own["town"], own["village"], strict=True)
    ]
    yes = text("word.yes", language)
    table = own.assign(village=villages, blocked_above=own["blocked_above"].map({True: yes, False: ""}))
    view = _view(name, _AREAS, table, language)
    sizes = [
        ViewColumn(name=size.column, heading=_size_heading(size.rated_kw, language), shown="integer")
        for size in found.sizes[1:]
    ]
    devices = [
        ViewColumn(
            name=f"more_{device}",
            heading=text("capacity.device_heading", language, device=label("device", device, language)),
            shown="integer",
        )
        for device in found.devices
    ]
    return View(name=view.name, title=view.title, columns=(*view.columns, *sizes, *devices), table=view.table)


def _view(title: str, layout: Layout, table: pd.DataFrame, language: Language) -> View:
    grades = table["grade"].map(lambda code: f"{GRADE_SIGNS.get(code, '○')} {label('grade', code, language)}")
    columns = tuple(
        ViewColumn(
            name=name, heading=_with_unit(_heading(name, language), unit, language), shown=shown, decimals=decimals
        )
        for name, shown, decimals, unit in layout
    )
    return View(name="capacity", title=title, columns=columns, table=table.assign(grade=grades))


def _titled(view: View, title: str) -> View:
    return View(name=view.name, title=title, columns=view.columns, table=view.table)


def _heading(name: str, language: Language) -> str:
    return (
        label("capacity_column", name, language)
        if is_known("capacity_column", name)
        else column_label("", name, language)
    )


def _with_unit(heading: str, unit: str, language: Language) -> str:
    return text("sentence.heading_with_unit", language, heading=heading, unit=unit) if unit else heading


def _size_heading(rated_kw: float, language: Language) -> str:
    return text("capacity.heat_pump_heading", language, kw=f"{rated_kw:g}")


def _write_table(sheet: Worksheet, view: View, styles: Styles, note: str) -> None:
    write_view(sheet, view, styles, note)
    sheet.set_row(_HEADING_ROW, _HEADING_POINTS)


def _write_notes(sheet: Worksheet, row: int, notes: list[str], styles: Styles) -> None:
    """Write sentences below a table, each over its whole width and as high as it needs."""
    for k, note in enumerate(notes, start=row):
        sheet.merge_range(k, 0, k, len(_COUNTIES) - 1, "", styles.wrapped)
        sheet.write_string(k, 0, note, styles.wrapped)
        sheet.set_row(k, _LINE_POINTS * (1 + _width(note) // _NOTE_WIDTH))


def _width(words: str) -> int:
    return sum(2 if char >= _WIDE_FROM else 1 for char in words)


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that a workbook takes, and that no other sheet has.

    Examples
    --------
    >>> _sheet_name("a/b", {"a_b"})
    'a_b 2'
    """
    plain = _NOT_IN_A_SHEET_NAME.sub("_", name)[: _LONGEST_SHEET_NAME - 4] or "_"
    candidate, k = plain, 1
    while candidate.lower() in taken:
        k += 1
        candidate = f"{plain} {k}"
    taken.add(candidate.lower())
    return candidate
