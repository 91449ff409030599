"""The folder of a season's money: two tables, a workbook of them, and where every figure comes from."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import xlsxwriter

from gridcheck import __version__
from gridcheck.ledger import season_text
from gridcheck.policy import plan_2025
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.labels import county_name
from gridcheck.reports.schemas import TableSpec
from gridcheck.reports.season import (
    SEASON_APPLICATIONS,
    SEASON_COUNTIES,
    SeasonInput,
    season_applications,
    season_counties,
)
from gridcheck.reports.tables import csv_bytes, write_bytes
from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language, label, text
from gridcheck.reports.views import View, ViewColumn
from gridcheck.reports.workbook import CREATED, WORKBOOK_OPTIONS, make_styles, write_rows, write_view

WORKBOOK_FILE, PROVENANCE_FILE = "season.xlsx", "provenance.csv"
KIND = "season"
_DECIMALS = {"yuan": 2, "kWh": 0, "kW": 1}


def write_season(
    given: SeasonInput, out: Path, *, journal_head: str, notes: dict[str, str], language: Language = DEFAULT_LANGUAGE
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write the money of a season into a folder; everything appears, or nothing.

    Parameters
    ----------
    given : SeasonInput
        What it is counted from.
    out : Path
        Missing, empty, or an earlier folder of a season, which is replaced.
    journal_head : str
        End of the ledger's journal at that moment.
    notes : dict of str to str
        More of where the figures come from: file names and checksums, by code of the section ``season_source``.
    language : {"zh", "en"}
        Language of the workbook.

    Returns
    -------
    counties, applications : DataFrame
        Columns of `SEASON_COUNTIES` and `SEASON_APPLICATIONS`.

    Raises
    ------
    LedgerError
        If `out` holds something else.
    """
    applications = season_applications(given)
    counties = season_counties(applications, given)
    is_synthetic = bool(counties["synthetic"].any())
    source = season_provenance(given.season, journal_head, notes, is_synthetic=is_synthetic)
    with exported_folder(out, KIND, synthetic=is_synthetic) as folder:
        write_bytes(folder / SEASON_COUNTIES.file_name, csv_bytes(counties, SEASON_COUNTIES))
        write_bytes(folder / SEASON_APPLICATIONS.file_name, csv_bytes(applications, SEASON_APPLICATIONS))
        rows = pd.DataFrame(source, columns=["item", "value"])
        write_bytes(folder / PROVENANCE_FILE, rows.to_csv(index=False, lineterminator="\n").encode())
        write_bytes(folder / WORKBOOK_FILE, _workbook(counties, applications, source, language))
    return counties, applications


def season_provenance(
    season: int, journal_head: str, notes: dict[str, str], *, is_synthetic: bool
) -> list[tuple[str, str]]:
    """Return item and value of where the money of a season comes from; items are codes of ``season_source``."""
    plan = plan_2025()
    return [
        ("season", season_text(season)),
        ("document", f"{plan.document} {plan.title} [S]"),
        ("rate", f"{plan.subsidy_yuan_per_kwh:g} yuan/kWh [S]"),
        ("cap", f"{plan.subsidy_cap_yuan:g} yuan [S]"),
        ("hardship", f"{plan.hardship_yuan:g} yuan [S]"),
        ("journal_head", journal_head),
        ("gridcheck", __version__),
        ("synthetic", str(is_synthetic).lower()),
        *sorted(notes.items()),
    ]


def _workbook(
    counties: pd.DataFrame, applications: pd.DataFrame, source: list[tuple[str, str]], language: Language
) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **WORKBOOK_OPTIONS})
    season = source[0][1]
    note = text("season.expected_note" if counties["synthetic"].any() else "season.metered_note", language)
    book.set_properties({"title": text("season.title", language, season=season), "comments": note, "created": CREATED})
    styles = make_styles(book)
    for key, spec, table in (
        ("season.counties", SEASON_COUNTIES, counties),
        ("season.applications", SEASON_APPLICATIONS, applications),
    ):
        view = _view(text(key, language, season=season), spec, table, language)
        write_view(book.add_worksheet(text(f"{key}_sheet", language)), view, styles, note)
    sheet = book.add_worksheet(text("season.source_sheet", language))
    rows = [(label("season_source", item, language), value) for item, value in source]
    rows += [
        (label("season_column", name, language), text(f"season_meaning.{name}", language))
        for name in ("expected_kwh", "at_most_yuan", "budget_yuan", "hardship_yuan", "left_at_least_yuan")
    ]
    headings = [text(f"season.{key}", language) for key in ("item", "value")]
    write_rows(sheet, text("season.source_title", language), headings, rows, styles, (34, 110))
    book.close()
    return buffer.getvalue()


def _view(title: str, spec: TableSpec, table: pd.DataFrame, language: Language) -> View:
    yes, no = text("word.yes", language), text("word.no", language)
    shown = table.assign(
        **{name: table[name].map({True: yes, False: no}) for name in ("synthetic", "has_subsidy") if name in table},
        county_code=[f"{code} {county_name(code, language)}" for code in table["county_code"]],
    )
    columns = tuple(
        ViewColumn(
            name=column.name,
            heading=label("season_column", column.name, language),
            shown=column.kind if column.kind in ("integer", "real") else "text",
            decimals=_DECIMALS.get(column.unit, 0),
        )
        for column in spec.columns
    )
    return View(name="season", title=title, columns=columns, table=shown)
