"""The CSV files of a results folder: written so that same inputs give the same bytes, read back whole.

Texts come from asset ledgers and are not trusted: a cell that a spreadsheet would take for a formula
gets a leading apostrophe (OWASP ASVS 5.0, 1.2.10), which `read_table` takes off again. Numbers are
written with the decimals of `schemas`; times in local time with their offset.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from gridcheck.csv_tables import escape_text, unescape_text
from gridcheck.errors import LedgerError, SchemaError
from gridcheck.reports.schemas import Column, TableSpec, checked

LOCAL_TIME = ZoneInfo("Asia/Shanghai")

_TRUE, _FALSE = "true", "false"
# Limits are compared with nine digits; a difference beyond them is none.
_MAX_DECIMALS = 7


def normalised(table: pd.DataFrame, spec: TableSpec, where: str) -> pd.DataFrame:
    """Return a new table with the columns of `spec` in their order and dtypes, further columns behind.

    Raises
    ------
    SchemaError
        If a column is absent or a cell is not what its column holds.
    """
    absent = [name for name in spec.column_names if name not in table.columns]
    if absent:
        raise SchemaError(
            f"{where} lacks {len(absent)} column(s). Allowed and needed: {', '.join(spec.column_names)}.",
            [f"column {name} is missing" for name in absent],
        )
    known = spec.present(table)
    names = {column.name for column in known}
    further = [str(name) for name in table.columns if name not in names]
    columns = {column.name: _converted(table[column.name], column, where) for column in known}
    columns |= {name: _as_text(table[name]) for name in further}
    return checked(pd.DataFrame(columns).reset_index(drop=True), spec, where)


def _as_text(cells: pd.Series) -> pd.Series:
    given = cells.astype(object)
    return given.where(given.isna(), given.map(str)).where(given.notna(), None)


def _converted(cells: pd.Series, column: Column, where: str) -> pd.Series:
    try:
        if column.kind == "integer":
            return pd.to_numeric(cells).astype("Int64")
        if column.kind == "real":
            return pd.to_numeric(cells).astype("float64")
        if column.kind == "boolean":
            return _as_flag(cells)
        if column.kind == "time":
            return pd.to_datetime(cells, utc=True, format="ISO8601" if cells.dtype == object else None).astype(
                "datetime64[ns, UTC]"
            )
    except (ValueError, TypeError) as error:
        raise SchemaError(f"{where}, column {column.name}: {error}. Allowed: {column.kind}.") from error
    return _as_text(cells)


def _as_flag(cells: pd.Series) -> pd.Series:
    if cells.dtype == bool:
        return cells
    known = cells.map({_TRUE: True, _FALSE: False, True: True, False: False})
    if known.isna().any():
        raise ValueError(f"found {cells[known.isna()].iloc[0]!r}, expected {_TRUE} or {_FALSE}")
    return known.astype(bool)


def _formatted(table: pd.DataFrame, name: str, column: Column | None) -> list[str]:
    cells = table[name]
    kind = "text" if column is None else column.kind
    if column is not None and kind == "real":
        bounds = table[column.apart_from] if column.apart_from else cells
        return [
            _formatted_number(value, bound, column.decimals)
            for value, bound in zip(cells.to_numpy(dtype=np.float64), bounds.to_numpy(dtype=np.float64), strict=True)
        ]
    if kind == "integer":
        return ["" if value is pd.NA else str(int(value)) for value in cells.astype(object)]
    if kind == "boolean":
        return [_TRUE if value else _FALSE for value in cells]
    if kind == "time":
        return [_formatted_time(value) for value in cells]
    return ["" if value is None else escape_text(value) for value in cells]


def _formatted_number(value: float, bound: float, decimals: int) -> str:
    if np.isnan(value):
        return ""
    shown = decimals_apart(value, bound, decimals)
    # Adding zero after rounding turns -0.0 into 0.0.
    return f"{np.round(value, shown) + 0.0:.{shown}f}"


def decimals_apart(value: float, bound: float, decimals: int) -> int:
    """Return the decimals with which a value that differs from a bound also looks different.

    Examples
    --------
    >>> decimals_apart(197.9998, 198.0, 3), decimals_apart(197.2, 198.0, 3), decimals_apart(198.0, 198.0, 3)
    (4, 3, 3)
    """
    needed = decimals
    while value != bound and needed < _MAX_DECIMALS and np.round(value, needed) == np.round(bound, needed):
        needed += 1
    differs: bool = np.round(value, needed) != np.round(bound, needed)
    return needed if differs else decimals


def _formatted_time(value: pd.Timestamp) -> str:
    return "" if pd.isna(value) else value.tz_convert(LOCAL_TIME).isoformat(timespec="seconds")


def csv_bytes(table: pd.DataFrame, spec: TableSpec) -> bytes:
    """Return the bytes of the CSV file of `table`: UTF-8, comma, LF, one header row."""
    ready = normalised(table, spec, spec.file_name)
    known = {column.name: column for column in spec.present(ready)}
    columns = [_formatted(ready, str(name), known.get(str(name))) for name in ready.columns]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(ready.columns)
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue().encode("utf-8")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a file beside `path`, then put it in place in one step.

    Nobody ever sees half a file, and a failed write leaves the former file alone.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        write(unfinished)
        # os.replace and Path.replace are the same call; the directory entry changes in one step.
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step (see `write_atomically`)."""

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    write_atomically(path, write)


def write_csv(table: pd.DataFrame, spec: TableSpec, path: Path) -> None:
    """Write one table of a results folder.

    Parameters
    ----------
    table : DataFrame
        At least the columns of `spec`; further columns are kept as text.
    spec : TableSpec
        Columns, kinds and decimals.
    path : Path
        File to write; replaced in one step.

    Raises
    ------
    SchemaError
        If the table breaks a rule of its columns; nothing is written then.
    """
    write_bytes(path, csv_bytes(table, spec))


def read_table(path: Path, spec: TableSpec) -> pd.DataFrame:
    """Read one table of a results folder.

    Raises
    ------
    LedgerError
        If the file is missing, is not a CSV file, or breaks a rule of its columns.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        cells = {name: _read_cells(raw[name]) for name in raw.columns}
        return normalised(pd.DataFrame(cells, index=raw.index), spec, path.name)
    except FileNotFoundError as error:
        raise LedgerError(f"{path} is missing. Run `gridcheck run` again; it writes the folder whole.") from error
    except (SchemaError, ValueError) as error:
        raise LedgerError(f"{path} cannot be read as {spec.file_name}: {error}") from error


def _read_cells(cells: pd.Series) -> pd.Series:
    return pd.Series([None if cell == "" else unescape_text(cell) for cell in cells], index=cells.index, dtype=object)
