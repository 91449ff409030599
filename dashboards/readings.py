"""The measured load of one area, from the readings store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.errors import LedgerError
from gridcheck.monitoring.store import ReadingsStore
from gridcheck.reports.schemas import STEP_MINUTES
from gridcheck.reports.tables import LOCAL_TIME

DAYS_SHOWN = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """The latest readings of one area.

    Attributes
    ----------
    table : DataFrame
        ``time`` (local, without offset, start of the interval), ``day``, ``p_kw``, ``loading_percent``; one row per
        quarter hour from the first reading to the last, NaN where nothing was measured.
    synthetic : bool
        Whether any of it says that it is synthetic.
    """

    table: pd.DataFrame
    synthetic: bool


def measured_load(folder: Path, area_id: str, kva: float) -> Measured | None:
    """Return the last days of readings of an area; None where the store has none.

    Parameters
    ----------
    folder : Path
        Readings store.
    area_id : str
        The area.
    kva : float
        Rating of its transformer, to which the apparent power is referred. [kVA]

    Raises
    ------
    LedgerError
        If the folder is no readings store.
    """
    store = _opened(folder)
    days = store.days()
    if not days:
        return None
    read = store.read(days[-1] - timedelta(days=DAYS_SHOWN - 1), days[-1], area_ids=[area_id])
    known = read.dropna(subset=["p_kw"])
    if known.empty:
        return None
    local = pd.DatetimeIndex(pd.to_datetime(known["time_utc"], utc=True)).tz_convert(LOCAL_TIME).tz_localize(None)
    # Where reactive power was not measured, active power alone stands for the load: a lower bound.
    apparent_kva = np.hypot(known["p_kw"].to_numpy(), np.nan_to_num(known["q_kvar"].to_numpy()))
    table = pd.DataFrame({"p_kw": known["p_kw"].to_numpy(), "loading_percent": 100.0 * apparent_kva / kva}, index=local)
    # A time without a reading becomes a gap in the line, not a straight stroke across it.
    table = table.reindex(pd.date_range(local.min(), local.max(), freq=f"{STEP_MINUTES}min", name="time")).reset_index()
    return Measured(
        table=table.assign(day=table["time"].dt.strftime("%Y-%m-%d")), synthetic=bool(known["synthetic"].any())
    )


def store_facts(folder: Path) -> Mapping[str, str]:
    """Return the number of days that a readings store holds and its last day, ready to be shown."""
    days = _opened(folder).days()
    return {"days": str(len(days)), "newest": days[-1].isoformat() if days else "—"}


def _opened(folder: Path) -> ReadingsStore:
    # The store itself takes a missing folder for an empty store; on a page that would hide a mistyped name.
    if not folder.is_dir():
        raise LedgerError(f"There is no readings store {folder}. Fill one with `gridcheck ingest`.")
    return ReadingsStore(folder)
