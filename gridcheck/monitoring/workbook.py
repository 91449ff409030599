"""Workbooks (.xlsx) of readings as a stream of text chunks; the first sheet is read."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import python_calamine

from gridcheck.errors import InputError
from gridcheck.monitoring.formats import HEADER_SEARCH_ROWS, Layout, find_layout
from gridcheck.monitoring.sources import FORMULA_MARK, MISSING_WORDS, RaggedRow, TextChunk
from gridcheck.workbook_guard import MAX_FILE_BYTES, check_workbook

_CHUNK_ROWS = 5_000

_Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookFile:
    """A workbook that has passed the guard; see `sources.ReadingsFile` for the meaning of the members."""

    sha256: str
    layout: Layout
    sheet: python_calamine.CalamineSheet
    formulas: frozenset[tuple[int, int]]
    notes: tuple[str, ...] = ()
    encoding: str = "xlsx"
    ragged: list[RaggedRow] = field(default_factory=list)

    def chunks(self) -> Iterator[TextChunk]:
        """Yield the rows below the header in order; rows of a sheet are never ragged."""
        used = [position for position, role in enumerate(self.layout.roles) if role]
        rows = enumerate(_text_rows(self.sheet, self.formulas), start=1)
        below = itertools.islice(rows, self.layout.header_row, None)
        while batch := list(itertools.islice(below, _CHUNK_ROWS)):
            columns = {
                position: pa.array([_or_missing(cells[position]) for _, cells in batch], type=pa.string())
                for position in used
            }
            yield TextChunk(row=np.array([number for number, _ in batch], dtype=np.int64), columns=columns)


def open_workbook(path: Path) -> WorkbookFile:
    """Check a workbook, read its first sheet and find the header.

    Parameters
    ----------
    path : Path
        Plain .xlsx file without macros.

    Raises
    ------
    InputError
        If the guard refuses the file, it cannot be read, or it has no header of readings.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"{path.name} is over {MAX_FILE_BYTES // 2**20} MiB. Give it as CSV UTF-8.")
    content = path.read_bytes()
    facts = check_workbook(content, where=path.name)
    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        names = book.sheet_names
        sheet = book.get_sheet_by_index(0)
        head = list(itertools.islice(_text_rows(sheet, facts.formulas), HEADER_SEARCH_ROWS))
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise InputError(f"{path.name} is not a readable .xlsx ({error}). Save it anew.") from error
    notes = (f"only the first sheet {names[0]!r} is read, not {names[1:]}",) if len(names) > 1 else ()
    return WorkbookFile(
        sha256=hashlib.sha256(content).hexdigest(),
        layout=find_layout(head, where=path.name),
        sheet=sheet,
        formulas=facts.formulas,
        notes=notes,
    )


def _text_rows(sheet: python_calamine.CalamineSheet, formulas: frozenset[tuple[int, int]]) -> Iterator[Sequence[str]]:
    """Yield the rows of a sheet from its first row on as text, formula cells as a mark."""
    if sheet.start is None:
        return
    first_column = sheet.start[1]
    formula_rows = {row for row, _ in formulas}
    for row, cells in enumerate(sheet.iter_rows()):
        texts = [_text(cell) for cell in cells]
        if row in formula_rows:
            places = range(first_column, first_column + len(texts))
            texts = [
                FORMULA_MARK if (row, place) in formulas else text for place, text in zip(places, texts, strict=True)
            ]
        yield texts


def _text(cell: _Cell) -> str:
    """Write a cell as a CSV file would hold it."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        # Excel keeps days as floats; half a second is far more than their rounding.
        return (cell + dt.timedelta(milliseconds=500)).replace(microsecond=0).isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        minutes = round(cell / dt.timedelta(minutes=1))
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    if isinstance(cell, dt.time):
        return cell.strftime("%H:%M")
    # A time at midnight comes as a plain date.
    return cell.isoformat() + " 00:00:00"


def _or_missing(text: str) -> str | None:
    return None if text in MISSING_WORDS else text
