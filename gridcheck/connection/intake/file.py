"""Read an application file as it was handed in: every cell kept as it is, the heading found and understood."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import itertools
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import python_calamine

from gridcheck.arrays import IntArray, frozen
from gridcheck.connection.intake.words import REASON_COLUMNS, REQUIRED, column_zh, role_of
from gridcheck.csv_tables import decoded, unescape_text
from gridcheck.errors import InputError, SchemaError
from gridcheck.workbook_guard import MAX_FILE_BYTES, check_workbook

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

HEADING_SEARCH_ROWS = 20
"""A title or a few notes may stand above the heading; it must be among this many first rows."""

_DELIMITERS = (",", "\t", ";")
_EXPECTED = (*REQUIRED, "queue_position")
_COUNTS_FROM_1904 = re.compile(rb"""date1904\s*=\s*["'](?:1|true)["']""")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ApplicationFile:
    """An application file, nothing in it judged yet.

    Attributes
    ----------
    path : Path
        Where it was read from.
    kind : {"csv", "xlsx"}
        Its format; of a workbook the first sheet.
    encoding, delimiter, line_end : str
        How a CSV file was written.
    above : tuple of tuple
        Rows above the heading: a title, notes.
    headings : tuple of str, length n_column
        As written; "" for columns without one.
    roles : tuple of str, length n_column
        What each column means, "" where it is not read.
    rows : tuple of tuple
        Cells below the heading as written; blank rows are left out. A row of a CSV file may be longer or shorter.
    row_number : ndarray of int, shape (n_row,)
        Line, or row of the sheet, at which each row begins; the first is 1.
    formulas : frozenset of (int, int)
        Position in `rows` and column of cells of a workbook that hold a formula.
    has_serial_days : bool
        Whether a plain number in the column of dates counts days from the end of 1899.
    """

    path: Path
    kind: Literal["csv", "xlsx"]
    encoding: str
    delimiter: str
    line_end: str
    above: tuple[tuple[Cell, ...], ...]
    headings: tuple[str, ...]
    roles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_number: IntArray
    formulas: frozenset[tuple[int, int]]
    has_serial_days: bool = True

    def texts(self, role: str) -> list[str] | None:
        """Return the cells of a column as text without blanks around it; None where the file has no such column."""
        if role not in self.roles:
            return None
        place = self.roles.index(role)
        return [text_of(row[place]) if place < len(row) else "" for row in self.rows]

    @property
    def own_columns(self) -> tuple[int, ...]:
        """Places of the columns that are the user's own: not the reasons of an earlier return."""
        return tuple(place for place, role in enumerate(self.roles) if role not in REASON_COLUMNS)

    def table(self) -> pd.DataFrame:
        """Return the user's own columns as text, one row per row; columns without a heading are called by number."""
        columns = {
            self.headings[place] or f"#{place + 1}": [
                text_of(row[place], strip=False) if place < len(row) else "" for row in self.rows
            ]
            for place in self.own_columns
        }
        return pd.DataFrame(columns, index=range(len(self.rows)), dtype=object)


def read_application_file(path: Path) -> ApplicationFile:
    """Read an application file: CSV in UTF-8 or GB18030, or the first sheet of a workbook (.xlsx).

    Parameters
    ----------
    path : Path
        Headings in Chinese or English (``words.toml`` lists them); further columns are kept and not read.

    Returns
    -------
    ApplicationFile

    Raises
    ------
    InputError
        If the file cannot be read, or the guard of workbooks refuses it.
    SchemaError
        If columns are missing, or two mean the same.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path} is over {MAX_FILE_BYTES // 2**20} MiB: it is no file of applications.")
        content = path.read_bytes()
        return _workbook(path, content) if content.startswith(b"PK\x03\x04") else _csv(path, content)
    except InputError:
        raise
    except (OSError, ValueError, csv.Error, python_calamine.CalamineError) as error:
        raise InputError(f"{path} cannot be read as a table of applications: {error}") from error


def text_of(cell: Cell, *, strip: bool = True) -> str:
    """Return a cell as text: whole numbers without a point, days as 2025-09-30.

    Examples
    --------
    >>> text_of(140827.0), text_of(" P1 "), text_of(dt.date(2025, 9, 30)), text_of(2.5)
    ('140827', 'P1', '2025-09-30', '2.5')
    """
    if isinstance(cell, str):
        return unescape_text(cell.strip()).strip() if strip else cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _csv(path: Path, content: bytes) -> ApplicationFile:
    text, encoding = decoded(content)
    if encoding == "utf-8-sig" and not content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8"
    delimiter = max(_DELIMITERS, key=lambda sign: _most_roles(text, sign))
    numbered = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    line = 1
    for row in reader:
        numbered.append((line, tuple(row)))
        line = reader.line_num + 1
    return _file(
        path,
        numbered,
        kind="csv",
        how=(encoding, delimiter, "\r\n" if "\r\n" in text else "\n"),
        formulas=frozenset(),
        has_serial_days=True,
    )


def _most_roles(text: str, delimiter: str) -> int:
    """Return how many headings are known in the best of the first rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return max((_n_role(row) for row in itertools.islice(reader, HEADING_SEARCH_ROWS)), default=0)
    except csv.Error:
        return 0


def _n_role(row: Sequence[Cell]) -> int:
    return len({role_of(cell) for cell in row if isinstance(cell, str)} - {""})


def _workbook(path: Path, content: bytes) -> ApplicationFile:
    facts = check_workbook(content, where=str(path))
    sheet = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0)
    first = 0 if sheet.start is None else sheet.start[1]
    # Rows begin with the first row of the sheet, columns with the first one that is used.
    numbered = [(number, tuple(row)) for number, row in enumerate(sheet.iter_rows(), start=1)] if sheet.start else []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        from_1904 = _COUNTS_FROM_1904.search(archive.read("xl/workbook.xml")) is not None
    return _file(
        path,
        numbered,
        kind="xlsx",
        how=("", "", ""),
        formulas=frozenset((row + 1, column - first) for row, column in facts.formulas),
        has_serial_days=not from_1904,
    )


def _file(
    path: Path,
    numbered: Sequence[tuple[int, tuple[Cell, ...]]],
    *,
    kind: Literal["csv", "xlsx"],
    how: tuple[str, str, str],
    formulas: frozenset[tuple[int, int]],
    has_serial_days: bool,
) -> ApplicationFile:
    filled = [(number, row) for number, row in numbered if any(text_of(cell) for cell in row)]
    if not filled:
        raise InputError(f"{path} cannot be read as a table of applications: it is empty; a heading is needed")
    at = _heading_place([row for _, row in filled[:HEADING_SEARCH_ROWS]])
    headings = [text_of(cell) for cell in filled[at][1]]
    while headings and not headings[-1]:
        headings.pop()
    roles = [role_of(heading) for heading in headings]
    _require_headings(headings, roles, where=str(path))
    below = filled[at + 1 :]
    position = {number: place for place, (number, _) in enumerate(below)}
    return ApplicationFile(
        path=path,
        kind=kind,
        encoding=how[0],
        delimiter=how[1],
        line_end=how[2],
        above=tuple(row for _, row in filled[:at]),
        headings=tuple(headings),
        roles=tuple(roles),
        rows=tuple(row for _, row in below),
        row_number=frozen(np.array([number for number, _ in below], dtype=np.int64), np.int64),
        formulas=frozenset((position[number], column) for number, column in formulas if number in position),
        has_serial_days=has_serial_days,
    )


def _heading_place(rows: Sequence[tuple[Cell, ...]]) -> int:
    """Return the first of the rows in which most headings are known."""
    counts = [_n_role(row) for row in rows]
    return counts.index(max(counts))


def _require_headings(headings: Sequence[str], roles: Sequence[str], *, where: str) -> None:
    twice = sorted({name for name in headings if name and headings.count(name) > 1})
    findings = [f"column {name!r} stands more than once" for name in twice]
    for role in dict.fromkeys(role for role in roles if role):
        meant = [name for name, found in zip(headings, roles, strict=True) if found == role and name not in twice]
        if len(meant) > 1:
            findings.append(f"columns {', '.join(meant)} mean the same, {role}: keep one")
    if findings:
        raise SchemaError(f"{where} is not a table of applications: its heading is not clear.", findings)
    missing = [role for role in REQUIRED if role not in roles]
    if missing:
        expected = ", ".join(f"{role} ({column_zh(role)})" for role in _EXPECTED)
        found = ", ".join(name for name in headings if name)
        raise SchemaError(
            f"{where}: columns are missing. 缺少列。",
            [f"column {role} ({column_zh(role)}); expected {expected}; found {found}" for role in missing],
        )
