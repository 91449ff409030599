"""Strict reading of CSV tables: those of the package cell by cell, those that users hand in row by row.

One small reader instead of a schema library, because these tables are read at the start of every
command: it needs pandas only, checks every cell against the declared column and reports all faults at
once. What the cells of a user's table mean is checked in the rooms that read it.
"""

from __future__ import annotations

import codecs
import csv
import functools
import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

import pandas as pd

from gridcheck.errors import SchemaError

ColumnKind = Literal["text", "float", "int", "bool"]

MARKS = ("S", "S2", "G+", "G", "G-", "E", "C")
"""Confidence marks: sourced, second-hand, general knowledge (firm, plain, shaky), estimate, calculated."""

_SAVE_AS = "save it in the spreadsheet as CSV UTF-8"

# First characters that make a spreadsheet read a text as a formula; the apostrophe itself is escaped too, so that
# taking the escape off again is exact.
_FORMULA_STARTS = tuple("=+-@\t\r\n\0'＝＋－＠")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column of a packaged table may hold.

    Attributes
    ----------
    name : str
        Header.
    kind : {"text", "float", "int", "bool"}
        Type after reading; ``bool`` is written true or false.
    low, high : float or None
        Smallest and largest value allowed, for numbers.
    allowed : tuple of str
        Words allowed, for text; empty means any.
    optional : bool
        True where a cell may be empty; numbers then become NaN, so an optional integer is a float.
    """

    name: str
    kind: ColumnKind = "text"
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """Columns of a packaged table, in the order of the file, and the columns that name a row.

    Attributes
    ----------
    columns : tuple of Column
        Every column of the file.
    key : tuple of str
        Columns that together name a row; no two rows may share them.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]


def source_columns() -> tuple[Column, ...]:
    """Return the three columns every catalogue and policy table ends with: source, confidence, note."""
    return (Column(name="source"), Column(name="confidence", allowed=MARKS), Column(name="note", optional=True))


def text_table(path: Path) -> pd.DataFrame:
    """Read a user's CSV file as text; a row whose cells do not fit under the heading is refused, never shifted.

    Parameters
    ----------
    path : Path
        UTF-8 with or without a mark at its start, or GB18030 (GBK and GB2312 are parts of it). Empty cells behind the
        last column are left out, as spreadsheets write them, and so are blank lines.

    Returns
    -------
    DataFrame of str
        One row per row of the file; row 0 is the one below the heading.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is text in neither of them, not CSV, or empty; says the row and what to do.
    SchemaError
        Naming every row that has another number of cells than the heading, and columns that stand twice.
    """
    text, _ = decoded(path.read_bytes())
    return table_of_lines(io.StringIO(text, newline=""), where=str(path))


def numbered_table(content: bytes, *, where: str) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Read the content of a user's CSV file as `text_table` does, and tell where each row stands in it.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        Its name for messages.

    Returns
    -------
    table : DataFrame of str
        One row per row of the file; row 0 is the one below the heading.
    row_number : tuple of int
        Line of the file in which each row begins: blank lines and line breaks inside cells count.

    Raises
    ------
    ValueError
        If it is text in neither UTF-8 nor GB18030, not CSV, or empty; says the row and what to do.
    SchemaError
        Naming every row that has another number of cells than the heading, and columns that stand twice.
    """
    text, _ = decoded(content)
    return _table(io.StringIO(text, newline=""), where=where, delimiter=",")


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text of a file and its encoding: UTF-8, or else GB18030, in which Chinese spreadsheets write CSV.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    text : str
        Without a mark at its start.
    encoding : {"utf-8-sig", "gb18030"}
        How it was written.

    Raises
    ------
    ValueError
        If it is text in neither; says the row and what to do.
    """
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError(f"it is a workbook or an archive; {_SAVE_AS}")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"it is UTF-16; {_SAVE_AS}")
    if b"\x00" in content:
        raise ValueError(f"row {_row_at(content, content.index(0))} holds binary data; {_SAVE_AS}")
    try:
        return content.decode("utf-8-sig"), "utf-8-sig"
    except UnicodeDecodeError as error:
        if content.startswith(codecs.BOM_UTF8):
            # Read as GB18030 it would be a table of nonsense: the mark is no Chinese character.
            row = _row_at(content, len(codecs.BOM_UTF8) + error.start)
            raise ValueError(f"row {row} is not UTF-8, though the mark at its start says so; {_SAVE_AS}") from error
    try:
        return content.decode("gb18030"), "gb18030"
    except UnicodeDecodeError as error:
        row = _row_at(content, error.start)
        raise ValueError(f"row {row} is text in neither UTF-8 nor GB18030; {_SAVE_AS}") from error


def _row_at(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def table_of_lines(lines: Iterable[str], *, where: str, delimiter: str = ",") -> pd.DataFrame:
    """Read lines of CSV as `text_table` does, for text from elsewhere or with other signs between the cells.

    Parameters
    ----------
    lines : iterable of str
        Lines with their ends.
    where : str
        Name of the file for messages.
    delimiter : str
        Sign between two cells.

    Returns
    -------
    DataFrame of str
        One row per row of the file; row 0 is the one below the heading.

    Raises
    ------
    ValueError
        If it is not CSV, or empty.
    SchemaError
        Naming every row that has another number of cells than the heading, and columns that stand twice.
    """
    return _table(lines, where=where, delimiter=delimiter)[0]


def _table(lines: Iterable[str], *, where: str, delimiter: str) -> tuple[pd.DataFrame, tuple[int, ...]]:
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    rows: list[list[str]] = []
    numbers: list[int] = []
    begins = 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                numbers.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"not CSV: row {begins}: {error}") from error
    if not rows:
        raise ValueError("it is empty; a heading is needed")
    heading = _without_empty_end(rows[0], 0)
    findings = [
        f"column {name!r} stands more than once" for name in sorted({n for n in heading if heading.count(n) > 1})
    ]
    cells = [_without_empty_end(row, len(heading)) for row in rows[1:]]
    findings += [
        f"row {number}: {len(row)} cells, the heading has {len(heading)}; a comma inside a cell needs quotation marks "
        "around the cell"
        for number, row in zip(numbers[1:], cells, strict=True)
        if len(row) != len(heading)
    ]
    if findings:
        raise SchemaError(f"{where} is not a table: its rows do not fit under its heading.", findings)
    return pd.DataFrame(cells, columns=heading, dtype=str), tuple(numbers[1:])


def _without_empty_end(row: list[str], width: int) -> list[str]:
    end = len(row)
    while end > width and not row[end - 1]:
        end -= 1
    return row[:end]


def escape_text(text: str) -> str:
    """Return `text` so that no spreadsheet runs it.

    Examples
    --------
    >>> escape_text("=1+1")
    "'=1+1"
    >>> escape_text("140881-A0123")
    '140881-A0123'
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def unescape_text(text: str) -> str:
    """Undo `escape_text`.

    Examples
    --------
    >>> unescape_text(escape_text("=1+1"))
    '=1+1'
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def packaged_table(package: str, filename: str, schema: TableSchema) -> pd.DataFrame:
    """Read a CSV file that lies inside a package and check it cell by cell.

    The file is read once per process; every call returns a new copy, so callers may edit theirs.

    Parameters
    ----------
    package : str
        Dotted name of the package that holds the file.
    filename : str
        Path of the file below the package.
    schema : TableSchema
        What the file must hold.

    Returns
    -------
    DataFrame
        Rows in the order of the file, columns as declared.

    Raises
    ------
    SchemaError
        If the file breaks the schema; the findings name every row and column at fault.
    """
    return _read_once(package, filename, schema).copy()


def check_table(raw: pd.DataFrame, schema: TableSchema, *, where: str) -> pd.DataFrame:
    """Turn a table of strings into typed columns, or raise with everything that is wrong.

    Parameters
    ----------
    raw : DataFrame of str
        Cells as written.
    schema : TableSchema
        What the table must hold.
    where : str
        Name of the file for messages.

    Returns
    -------
    DataFrame
        The same rows with typed columns.

    Raises
    ------
    SchemaError
        With one finding per fault.
    """
    expected = [column.name for column in schema.columns]
    if list(raw.columns) != expected:
        missing = [name for name in expected if name not in raw.columns]
        unknown = [name for name in raw.columns if name not in expected]
        raise SchemaError(
            f"{where} must have the columns {expected} in this order.",
            [*(f"column {name} is missing" for name in missing), *(f"column {name} is not known" for name in unknown)],
        )
    findings: list[str] = []
    typed = pd.DataFrame({column.name: _typed(raw[column.name], column, findings) for column in schema.columns})
    repeated = raw.duplicated(list(schema.key))
    findings += [
        f"row {row + 2}: {list(schema.key)} repeats an earlier row" for row in repeated.to_numpy().nonzero()[0]
    ]
    if findings:
        raise SchemaError(f"{where} breaks its schema; correct the rows named below.", findings)
    return typed


@functools.cache
def _read_once(package: str, filename: str, schema: TableSchema) -> pd.DataFrame:
    path = resources.files(package).joinpath(filename)
    with path.open(encoding="utf-8") as file:
        raw = pd.read_csv(file, dtype=str, keep_default_na=False)
    return check_table(raw, schema, where=f"{package}/{filename}")


def _typed(cells: pd.Series[str], column: Column, findings: list[str]) -> pd.Series:
    """Return one column in its own type, appending to `findings` what does not fit."""
    empty = cells.eq("")
    if not column.optional:
        findings += [f"row {row + 2}, {column.name}: empty" for row in empty.to_numpy().nonzero()[0]]
    if column.kind in ("float", "int"):
        return _numbers(cells, column, findings)
    allowed = ("true", "false") if column.kind == "bool" else column.allowed
    if allowed:
        wrong = ~empty & ~cells.isin(allowed)
        findings += [
            f"row {row + 2}, {column.name}: found {cells.iloc[row]!r}, allowed are {', '.join(allowed)}"
            for row in wrong.to_numpy().nonzero()[0]
        ]
    return cells.eq("true") if column.kind == "bool" else cells


def _numbers(cells: pd.Series[str], column: Column, findings: list[str]) -> pd.Series:
    """Return a column of numbers, appending to `findings` cells that are none or lie outside the range."""
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    low = float("-inf") if column.low is None else column.low
    high = float("inf") if column.high is None else column.high
    wrong = cells.ne("") & ~numbers.between(low, high)
    if column.kind == "int":
        wrong |= cells.ne("") & numbers.mod(1).ne(0)
    findings += [
        f"row {row + 2}, {column.name}: found {cells.iloc[row]!r}, allowed is {column.kind} in [{low:g}, {high:g}]"
        for row in wrong.to_numpy().nonzero()[0]
    ]
    if column.kind == "int" and not column.optional and not wrong.any() and not cells.eq("").any():
        return numbers.astype("int64")
    return numbers
