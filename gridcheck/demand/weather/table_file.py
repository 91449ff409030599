"""Weather from a CSV file, its columns and units recognised from the headings."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.csv_tables import table_of_lines
from gridcheck.demand.weather.column_units import in_own_unit
from gridcheck.demand.weather.even_steps import usual_step
from gridcheck.demand.weather.headings import ColumnFound, recognised_columns
from gridcheck.demand.weather.series import QUANTITIES, RawSeries, first_rows, name_of, require_possible
from gridcheck.demand.weather.times import times_of_text
from gridcheck.errors import InputError, SchemaError

_MISSING_WORDS = ("", "na", "n/a", "nan", "null", "none", "-", "--", "---", "/", "缺测", "缺失", "无")
# What weather services write instead of a value; none can be measured in any unit taken here, except irradiance of 999.
_MARKERS = (-9999.0, -999.9, -999.0, -99.9, -99.0, 9999.0, 9999.9, 32766.0, 99999.0, 999990.0, 999998.0, 999999.0)
_MARKERS_BUT_FOR_SUN = (999.0, 999.9)
_DELIMITERS = (",", ";", "\t")


def table_series(text: str, *, where: str, time_zone: str) -> RawSeries:
    """Read a CSV table of weather.

    Parameters
    ----------
    text : str
        Text of the file.
    where : str
        Its name for messages.
    time_zone : str
        Zone of times without an offset, where the heading names none.

    Returns
    -------
    RawSeries
        With notes on how each column was read.

    Raises
    ------
    SchemaError
        If columns, units, times or numbers are not clear; the findings name columns and rows.
    InputError
        If it is not a table.
    """
    heading = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    try:
        table = table_of_lines(io.StringIO(text, newline=""), where=where, delimiter=delimiter)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{where} is not a table: {error}. Save it as CSV with one heading row.") from error
    if len(table) < 2:
        raise SchemaError(f"{where} has {len(table)} rows below its heading; at least 2 are needed. Export it again.")
    found = recognised_columns(list(table.columns), where=where)
    cells = [table[found[part].heading].str.strip() for part in ("date", "time") if part in found]
    written = cells[0] if len(cells) == 1 else cells[0] + " " + cells[1]
    zone = found["time"].unit if "time" in found else ""
    time_utc, note, is_end = times_of_text(written, time_zone=zone or time_zone, where=where)
    row = np.arange(len(table)) + 2
    step = usual_step(time_utc, where=where)
    if is_end:
        time_utc = time_utc - step
    named = "end of its interval, because there is 24:00 and no 00:00" if is_end else "start of its interval"
    notes, repairs = [f"{note}; each names the {named}"], []
    values: dict[str, FloatArray] = {}
    for quantity in (name for name in QUANTITIES if name in found):
        column = found[quantity]
        numbers, markers = _numbers(table[column.heading], column, where)
        if markers:
            repairs.append(f"{name_of(quantity)}: {markers} values are missing by the marker of the weather service")
        if not np.isfinite(numbers).any():
            notes.append(f"column {column.heading!r} is empty")
            continue
        values[quantity], note = in_own_unit(
            numbers, column, time_utc, step_h=step / np.timedelta64(1, "h"), where=where
        )
        require_possible(values[quantity], row, quantity, where=where, column=column.heading)
        notes.append(note)
    if "temperature_c" not in values:
        raise SchemaError(f"{where}: column {found['temperature_c'].heading!r} is empty. Export it again.")
    return RawSeries(
        where=where,
        time_utc=time_utc,
        row=row,
        values=values,
        notes=tuple(notes),
        repairs=tuple(repairs),
    )


def _numbers(cells: pd.Series[str], column: ColumnFound, where: str) -> tuple[FloatArray, int]:
    """Return a column as numbers, NaN where missing, and how many were missing by a marker."""
    text = cells.str.strip()
    missing = text.str.lower().isin(_MISSING_WORDS)
    numbers = pd.to_numeric(text.mask(missing), errors="coerce").to_numpy(np.float64, copy=True)
    wrong = np.flatnonzero(~np.isfinite(numbers) & ~missing.to_numpy())
    if len(wrong):
        raise SchemaError(
            f"{where}: column {column.heading!r} must hold numbers. Correct these cells or leave them empty.",
            first_rows([f"row {at + 2}: {text.iloc[at][:40]!r}" for at in wrong]),
        )
    known = _MARKERS if column.quantity == "solar_w_per_m2" else (*_MARKERS, *_MARKERS_BUT_FOR_SUN)
    marked = np.isin(numbers, known)
    numbers[marked] = np.nan
    return numbers, int(marked.sum())
