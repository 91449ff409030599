"""Columns of pandapower element tables as arrays; `table_rules` has checked the cells before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray


def numbers(frame: pd.DataFrame, column: str, *, default: float = np.nan) -> FloatArray:
    """Return a column as numbers; `default` where the column or a cell is missing."""
    if column not in frame:
        return np.full(len(frame), default)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), default, values)


def flags(frame: pd.DataFrame, column: str, *, default: bool) -> BoolArray:
    """Return a column as truth values; `default` where the column or a cell is missing."""
    if column not in frame:
        return np.full(len(frame), default)
    cells = frame[column]
    if cells.dtype == np.bool_:
        return cells.to_numpy()
    return np.where(cells.isna(), default, np.array([cell is not pd.NA and bool(cell) for cell in cells], dtype=bool))


def texts(frame: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Return a column as text; empty where the column or a cell is missing."""
    if column not in frame:
        return ("",) * len(frame)
    is_empty = frame[column].isna()
    return tuple("" if empty else str(cell) for cell, empty in zip(frame[column], is_empty, strict=True))


def ids(frame: pd.DataFrame, column: str) -> IntArray:
    """Return a column as ids of other elements."""
    return frame[column].to_numpy(dtype=np.int64)


def rows_in_service(frame: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows in service, in the order of the index."""
    if frame is None or frame.empty:
        return pd.DataFrame()
    return frame[flags(frame, "in_service", default=True)].sort_index()


def source_rows(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the sources in service: external grids, then generators that hold the angle too (at 0 degrees).

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables; ``ext_grid`` and ``gen`` are read, either may be missing.

    Returns
    -------
    DataFrame
        Columns ``table``, ``bus``, ``vm_pu`` [pu] and ``va_degree`` [degree], indexed by the ids within each table.
    """
    parts = []
    for table in ("ext_grid", "gen"):
        frame = rows_in_service(tables.get(table))
        if table == "gen" and len(frame):
            frame = frame[flags(frame, "slack", default=False)]
        if len(frame):
            values = {
                "table": table,
                "bus": ids(frame, "bus"),
                "vm_pu": numbers(frame, "vm_pu"),
                "va_degree": numbers(frame, "va_degree", default=0.0),
            }
            parts.append(pd.DataFrame(values, index=frame.index))
    return pd.concat(parts) if parts else pd.DataFrame(columns=["table", "bus", "vm_pu", "va_degree"])
