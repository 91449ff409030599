"""report.xlsx: the tables of a run for people who work in a spreadsheet.

Texts are stored as texts, never as formulas or links, whatever they begin with. The file carries a fixed
creation date, so the same results give the same bytes.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from gridcheck.reports import palette, provenance
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import HOTTEST_C, is_missing, number
from gridcheck.reports.plan_around import Around, around_of, around_sentences, around_tables
from gridcheck.reports.summaries import answer_sentence, banner, county_sentences, kpis
from gridcheck.reports.tables import write_bytes
from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language, text
from gridcheck.reports.totals import totals
from gridcheck.reports.views import VIEWS, View, ViewColumn

WORKBOOK_FILE = "report.xlsx"

# strings_to_*: a text stays a text (product rule on formula injection).
WORKBOOK_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
# The date of the plan's document stands in for "now", which would make every file different.
CREATED = datetime(2025, 6, 4)  # noqa: DTZ001  (the format stores no zone)

_FONT = "Microsoft YaHei"
_TITLE_ROWS = 2
_WIDTH_TEXT, _WIDTH_NUMBER, _WIDTH_LONG = 16, 13, 46
_MAX_WIDTH_TEXT = 30
# A CJK character takes about two columns of a spreadsheet's width unit.
_WIDE_FROM = "\u2e80"
_SAMPLE_ROWS = 200

_LOADING_COLUMNS = ("sustained_loading_percent", "peak_loading_percent", "worst_loading_percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Styles:
    """Cell formats of the workbook, made once; `number` is keyed by decimals."""

    title: Format
    note: Format
    synthetic: Format
    header: Format
    words: Format
    wrapped: Format
    strong: Format
    number: Mapping[int, Format]
    capped: Format
    sign: Mapping[str, Format]
    warn: Format
    over: Format


def make_styles(book: Workbook) -> Styles:
    """Add the cell formats to a workbook."""
    base: dict[str, Any] = {"font_name": _FONT, "font_size": 10, "valign": "top"}
    signs = {"●": "#dbe8f2", "▲": "#f8e6c4", "◆": "#f0cfc8", "▽": "#e3d9ec", "◇": "#e3d9ec", "○": "#e7eaed"}

    def made(**changes: Any) -> Format:
        return book.add_format(base | changes)

    return Styles(
        title=made(bold=True, font_size=14),
        note=made(font_color=palette.MUTED),
        synthetic=made(bold=True, bg_color="#fbf5e6", font_color="#7a4a00"),
        header=made(
            bold=True,
            bg_color="#dde3e8",
            border=1,
            border_color=palette.LINE,
            text_wrap=True,
            valign="vcenter",
            align="center",
        ),
        words=made(),
        wrapped=made(text_wrap=True),
        strong=made(bold=True, font_size=12, align="left"),
        number={
            decimals: made(num_format="#,##0" if decimals == 0 else "#,##0." + "0" * decimals) for decimals in range(5)
        },
        # The number stays in the cell; what is shown ends where the thermal model does.
        capped=made(num_format=f'[>{HOTTEST_C:g}]">{HOTTEST_C:g}";#,##0.0'),
        sign={sign: book.add_format({"bg_color": colour}) for sign, colour in signs.items()},
        warn=book.add_format({"bg_color": signs["▲"]}),
        over=book.add_format({"bg_color": signs["◆"], "bold": True}),
    )


def _width(texts: Sequence[str], shortest: int) -> float:
    longest = max((sum(2 if char >= _WIDE_FROM else 1 for char in line) for line in texts), default=0)
    return float(min(max(longest + 3, shortest), _MAX_WIDTH_TEXT))


def _column_width(view: View, column: ViewColumn) -> float:
    if column.shown == "long":
        return _WIDTH_LONG
    if column.shown in ("integer", "real"):
        return _WIDTH_NUMBER
    sample = [str(cell) for cell in view.table[column.name].head(_SAMPLE_ROWS) if not is_missing(cell)]
    return _width(sample, _WIDTH_TEXT // 2)


def write_view(sheet: Worksheet, view: View, styles: Styles, note: str) -> None:
    """Write a view as one sheet: title, note, frozen headings with filters, a line per row; set for printing."""
    sheet.write_string(0, 0, view.title, styles.title)
    sheet.write_string(1, 0, note, styles.synthetic)
    first = _TITLE_ROWS + 1
    last = first + max(len(view.table), 1) - 1
    for c, column in enumerate(view.columns):
        sheet.set_column(c, c, _column_width(view, column))
        sheet.write_string(_TITLE_ROWS, c, column.heading, styles.header)
        _write_cells(sheet, first, c, list(view.table[column.name]), column, styles)
        _mark(sheet, first, last, c, column, styles)
    sheet.set_row(_TITLE_ROWS, 32)
    sheet.freeze_panes(first, 1)
    sheet.autofilter(_TITLE_ROWS, 0, last, len(view.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_TITLE_ROWS)
    sheet.set_footer(f"&L{note}&R&P / &N")


def _write_cells(
    sheet: Worksheet, first: int, c: int, cells: Sequence[Any], column: ViewColumn, styles: Styles
) -> None:
    numeric = column.shown in ("integer", "real")
    number_style = styles.capped if column.cap is not None else styles.number[column.decimals]
    words = styles.wrapped if column.shown == "long" else styles.words
    for r, cell in enumerate(cells, start=first):
        if is_missing(cell) or cell == "":
            continue
        if numeric and math.isinf(cell):
            # A spreadsheet knows no infinite number: benefit per cost of what costs nothing.
            sheet.write_string(r, c, number(cell), words)
        elif numeric:
            sheet.write_number(r, c, float(cell), number_style)
        else:
            sheet.write_string(r, c, str(cell), words)


def _mark(sheet: Worksheet, first: int, last: int, c: int, column: ViewColumn, styles: Styles) -> None:
    """Colour what stands out: signs in words, loadings above the limits, and bars for shares."""
    if column.name in ("verdict", "state", "grade", "status", "n_minus_1", "chosen"):
        for sign, style in styles.sign.items():
            sheet.conditional_format(
                first, c, last, c, {"type": "text", "criteria": "begins with", "value": sign, "format": style}
            )
    elif column.name in _LOADING_COLUMNS:
        sheet.conditional_format(
            first, c, last, c, {"type": "cell", "criteria": ">", "value": 100, "format": styles.over}
        )
        sheet.conditional_format(
            first, c, last, c, {"type": "cell", "criteria": ">=", "value": 80, "format": styles.warn}
        )
    elif column.name == "connectable_percent":
        bar = {
            "type": "data_bar",
            "bar_color": "#9dbdd4",
            "min_type": "num",
            "max_type": "num",
            "min_value": 0,
            "max_value": 100,
        }
        sheet.conditional_format(first, c, last, c, bar)
    elif column.name == "margin_kw":
        icons = {
            "type": "icon_set",
            "icon_style": "3_symbols_circled",
            "icons": [
                {"criteria": ">=", "type": "number", "value": 5},
                {"criteria": ">=", "type": "number", "value": 0},
            ],
        }
        sheet.conditional_format(first, c, last, c, icons)


def _write_overview(sheet: Worksheet, results: Results, styles: Styles, language: Language) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 2, 100)
    sheet.write_string(0, 0, text("report.title", language), styles.title)
    sheet.write_string(1, 0, banner(results, language), styles.synthetic)
    sheet.merge_range(2, 0, 2, 2, "", styles.wrapped)
    sheet.write_string(2, 0, answer_sentence(results, language), styles.wrapped)
    sheet.set_row(2, 34)
    row = 4
    for tile in kpis(totals(results), language):
        sheet.write_string(row, 0, tile.name, styles.words)
        sheet.write_string(row, 1, tile.value, styles.strong)
        sheet.write_string(row, 2, tile.note, styles.note)
        row += 1
    row += 1
    sheet.write_string(row, 0, text("report.by_county", language), styles.title)
    for sentence in county_sentences(results, language).values():
        row += 1
        sheet.write_string(row, 0, sentence, styles.words)


def write_rows(
    sheet: Worksheet,
    title: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Styles,
    widths: Sequence[float],
) -> None:
    """Write rows of texts as one sheet below a title."""
    sheet.write_string(0, 0, title, styles.title)
    for c, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.set_column(c, c, width)
        sheet.write_string(1, c, heading, styles.header)
    for r, row in enumerate(rows, start=2):
        for c, cell in enumerate(row):
            sheet.write_string(r, c, cell, styles.wrapped)
    sheet.freeze_panes(2, 0)


def _write_definitions(sheet: Worksheet, results: Results, styles: Styles, language: Language) -> None:
    words = [text(f"word.{key}", language) for key in ("table", "code", "name", "unit", "meaning")]
    write_rows(
        sheet,
        text("sheet.definitions", language),
        words,
        provenance.definition_rows(language),
        styles,
        (18, 28, 22, 10, 90),
    )
    row = len(provenance.definition_rows(language)) + 3
    sheet.write_string(row, 0, text("report.limits", language), styles.title)
    for line in provenance.model_limits(results.summary, language):
        row += 1
        sheet.write_string(row, 0, line, styles.words)


def _write_provenance(sheet: Worksheet, results: Results, styles: Styles, language: Language) -> None:
    rows: list[Sequence[str]] = [
        (item, value, "", "") for item, value in provenance.provenance_rows(results.summary, language)
    ]
    rows += provenance.limit_rows(results.summary, language)
    rows += [(name, count, f"SHA-256 {digest}", "") for name, count, digest in provenance.file_rows(results.summary)]
    words = [text(f"word.{key}", language) for key in ("item", "value", "source", "confidence")]
    write_rows(sheet, text("sheet.provenance", language), words, rows, styles, (36, 46, 70, 22))


def _write_around(sheet: Worksheet, around: Around, styles: Styles, language: Language) -> None:
    """Write the tables around the plan below each other; their cells are texts as in the report."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 8, 18)
    sheet.write_string(0, 0, text("report.around", language), styles.title)
    row = 1
    for line in around_sentences(around, language):
        sheet.write_string(row, 0, line, styles.words)
        row += 1
    for given in around_tables(around, language):
        row += 1
        sheet.write_string(row, 0, text(f"caption.{given.name}", language), styles.strong)
        for c, heading in enumerate(given.headings):
            sheet.write_string(row + 1, c, heading, styles.header)
        for r, cells in enumerate(given.rows, start=row + 2):
            for c, cell in enumerate(cells):
                sheet.write_string(r, c, cell, styles.words)
        row += 2 + len(given.rows)


def workbook_bytes(results: Results, language: Language = DEFAULT_LANGUAGE) -> bytes:
    """Return the bytes of report.xlsx."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **WORKBOOK_OPTIONS})
    book.set_properties(
        {"title": text("report.title", language), "comments": banner(results, language), "created": CREATED}
    )
    styles = make_styles(book)
    _write_overview(book.add_worksheet(text("sheet.overview", language)), results, styles, language)
    note = banner(results, language)
    for make in VIEWS.values():
        view = make(results, language)
        write_view(book.add_worksheet(view.title), view, styles, note)
    around = around_of(results)
    if around is not None:
        _write_around(book.add_worksheet(text("sheet.around", language)), around, styles, language)
    tail: Mapping[str, Callable[[Worksheet, Results, Styles, Language], None]] = {
        "sheet.definitions": _write_definitions,
        "sheet.provenance": _write_provenance,
    }
    for key, write in tail.items():
        write(book.add_worksheet(text(key, language)), results, styles, language)
    book.close()
    return buffer.getvalue()


def write_workbook(results: Results, path: Path, language: Language = DEFAULT_LANGUAGE) -> None:
    """Write the workbook of a run to `path` in one step. Same results, same bytes.

    Parameters
    ----------
    results : Results
        As `gridcheck.reports.folder.read_results` returns it.
    path : Path
        File to write.
    language : {"zh", "en"}
        Language of sheets and headings.
    """
    write_bytes(path, workbook_bytes(results, language))
