"""Give rejected rows back in the format of the file they came from, with the reasons beside them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import xlsxwriter

from gridcheck.atomic import written_in_one_step
from gridcheck.connection.applications import plain_number
from gridcheck.connection.intake.file import Cell
from gridcheck.connection.intake.sort import Intake
from gridcheck.connection.intake.words import REASON_COLUMNS

# First characters by which a spreadsheet takes a text for a formula.
_FORMULA_STARTS = tuple("=+-@\t\r\n\0＝＋－＠")
_TEXTS_STAY_TEXTS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}
# Stands in for "now", which would make every file different.
_CREATED = dt.datetime(2025, 6, 4)  # noqa: DTZ001  (the format stores no zone)
_REASON_WIDTH, _ROW_WIDTH = 60, 10


def rejected_name(intake: Intake) -> str:
    """Return the name of the file in which rejected rows go back."""
    return f"{intake.file.path.stem}.rejected.{intake.file.kind}"


def rejected_bytes(intake: Intake) -> bytes:
    """Return the content of the file in which rejected rows go back.

    Parameters
    ----------
    intake : Intake
        A sorted file.

    Returns
    -------
    bytes
        CSV in the encoding of the file, or a workbook: what stood above the heading, the heading, and the rejected rows
        with their cells as they were, then ``source_row``, ``reason_zh`` and ``reason_en``. A text that a spreadsheet
        would run as a formula gets an apostrophe in CSV; in a workbook it is stored as text. Reasons of an
        earlier return are replaced.
    """
    file = intake.file
    own = file.own_columns
    beyond = max((len(file.rows[row]) for row in intake.row), default=0)
    places = (*own, *range(len(file.headings), beyond))
    heading = [*(file.headings[place] if place < len(file.headings) else "" for place in places), *REASON_COLUMNS]
    reasons = intake.rejected[list(REASON_COLUMNS)].itertuples(index=False)
    rows: list[list[Cell]] = [list(row) for row in file.above]
    rows.append(list(heading))
    for row, (number, zh, en) in zip(intake.row, reasons, strict=True):
        cells = file.rows[row]
        rows.append([*(cells[place] if place < len(cells) else "" for place in places), int(number), zh, en])
    return _csv(rows, intake) if file.kind == "csv" else _workbook(rows, len(heading))


def write_rejected(intake: Intake, folder: Path) -> Path | None:
    """Write rejected rows as ``<name>.rejected.csv`` or ``.xlsx``, whole or not at all.

    Parameters
    ----------
    intake : Intake
        A sorted file.
    folder : Path
        Made where it does not exist.

    Returns
    -------
    Path or None
        The file; None where nothing was rejected, and then nothing is written.

    Raises
    ------
    OSError
        If the file system refuses.
    """
    if not len(intake.row):
        return None
    path = folder / rejected_name(intake)
    with written_in_one_step(path) as out:
        out.write(rejected_bytes(intake))
    return path


def _csv(rows: list[list[Cell]], intake: Intake) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=intake.file.delimiter, lineterminator=intake.file.line_end)
    writer.writerows([_harmless(str(cell)) for cell in row] for row in rows)
    return buffer.getvalue().encode(intake.file.encoding)


def _harmless(text: str) -> str:
    """Keep a spreadsheet from running a text; plain numbers below zero stay as they are.

    Examples
    --------
    >>> _harmless("=1+1"), _harmless("-2.5"), _harmless("P1")
    ("'=1+1", '-2.5', 'P1')
    """
    is_risky = text.lstrip(" ").startswith(_FORMULA_STARTS) and plain_number(text) is None
    return f"'{text}" if is_risky else text


def _workbook(rows: list[list[Cell]], n_column: int) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, **_TEXTS_STAY_TEXTS})
    book.set_properties({"created": _CREATED})
    sheet = book.add_worksheet()
    sheet.set_column(n_column - 3, n_column - 3, _ROW_WIDTH)
    sheet.set_column(n_column - 2, n_column - 1, _REASON_WIDTH)
    formats = {
        dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        dt.date: book.add_format({"num_format": "yyyy-mm-dd"}),
        dt.time: book.add_format({"num_format": "hh:mm:ss"}),
        dt.timedelta: book.add_format({"num_format": "[hh]:mm:ss"}),
    }
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell)
            elif isinstance(cell, bool | int | float):
                sheet.write(row, column, cell)
            else:
                sheet.write_datetime(row, column, cell, formats[type(cell)])
    book.close()
    return buffer.getvalue()
