"""Published pre-approval limits as a file: written when they are made, read again by those who decide within them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from gridcheck.connection.pre_approval import PreApproval, remaining
from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, SchemaError

PUBLISHED_FILE = "pre_approval.csv"
COLUMNS = ("area_id", "device", "largest_kw", "devices", "kw", "accepted_risk", "as_of")
"""Columns of the file: area, class and largest size [kW], what may be approved at once [heaters, kW], for which
probability of a broken limit, and the moment at which the area was looked at, with its offset from UTC."""

# Conditions that put a home or its heater where the limit has not looked, or change the area.
_CHANGES = frozenset(("phase", "limit_kw", "managed_start", "tap", "rephase"))
_MOST_DEVICES = 1000
# Two ways to write the same probability. [1]
_SAME_RISK = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Published:
    """A list of limits.

    Attributes
    ----------
    limits : mapping of str to PreApproval
        By area.
    risk : float
        Probability of a broken limit that was accepted. [1]
    as_of : datetime
        Approvals after this moment take from the limits. [UTC]
    """

    limits: Mapping[str, PreApproval]
    risk: float
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """An approval of the ledger.

    Attributes
    ----------
    at : datetime
        When it was given. [UTC]
    area_id, device : str
        Where, and which class or model.
    rated_kw : float
        Rated input that was granted. [kW]
    conditions : tuple of str
        Codes of its conditions.
    """

    at: datetime
    area_id: str
    device: str
    rated_kw: float
    conditions: tuple[str, ...] = ()

    @property
    def changes_area(self) -> bool:
        """Whether its conditions do more than add a heater where its home is."""
        return any(code.partition(":")[0] in _CHANGES for code in self.conditions)


def left_of(published: Published, granted: Iterable[Granted], *, risk: float) -> dict[str, PreApproval]:
    """Return what is left of a list after what was approved since it was made.

    An approval that is no small one, or that changed its area, leaves nothing there: what was shown beside it is not
    known.

    Parameters
    ----------
    published : Published
        The list.
    granted : iterable of Granted
        Approvals that stand; those that the list has seen already are left out.
    risk : float
        Probability of a broken limit that is accepted by whoever decides within it. [1]

    Raises
    ------
    InputError
        If the list accepts another probability.
    """
    if abs(published.risk - risk) > _SAME_RISK:
        raise InputError(
            f"The published limits accept a probability of {published.risk:g} of a broken limit, this run {risk:g}. "
            "Make them again, or decide with the same --risk."
        )
    since = sorted((one for one in granted if one.at > published.as_of), key=lambda one: (one.at, one.area_id))
    # No class has an empty name, so such an approval is within no limit.
    return remaining(published.limits, [(one.area_id, "" if one.changes_area else one.device, one.rated_kw)
                                        for one in since])  # fmt: skip


def published_csv(limits: Iterable[PreApproval], *, risk: float, as_of: datetime) -> bytes:
    """Return a list of limits as the bytes of its file.

    Parameters
    ----------
    limits : iterable of PreApproval
        In the order of the file.
    risk : float
        Probability of a broken limit that was accepted. [1]
    as_of : datetime
        When the areas were looked at. [UTC]
    """
    moment = as_of.astimezone(UTC).isoformat()
    rows = [(one.area_id, one.device, one.largest_kw, one.devices, round(one.kw, 3), risk, moment) for one in limits]
    return pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n").encode()


def read_published(path: Path) -> Published:
    """Read a list of limits.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 or GB18030 with the columns of `COLUMNS`.

    Raises
    ------
    InputError
        If the file cannot be read or is empty.
    SchemaError
        Naming every row that is no limit, or says another risk or moment than the first.
    """
    try:
        table = text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a list of pre-approval limits: {error}") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise SchemaError(f"{path} lacks columns; a list of limits has {', '.join(COLUMNS)}.", missing)
    if table.empty:
        raise InputError(f"{path} holds no limit: leave the option out, or make the list again.")
    faults: list[str] = []
    limits: dict[str, PreApproval] = {}
    first = table.iloc[0]
    for number, row in enumerate(table.to_dict("records"), start=2):
        cells = {str(name): str(cell).strip() for name, cell in row.items()}
        faults += [f"row {number} ({cells['area_id']}): {fault}" for fault in _faults(cells, first)]
        if cells["area_id"] in limits:
            faults.append(f"row {number}: area {cells['area_id']!r} stands more than once")
        if not faults:
            limits[cells["area_id"]] = PreApproval(
                area_id=cells["area_id"],
                device=cells["device"],
                largest_kw=float(cells["largest_kw"]),
                devices=int(cells["devices"]),
                kw=float(cells["kw"]),
            )
    if faults:
        raise SchemaError(f"{path}: {len(faults)} faults in the list of limits; nothing is decided by it.", faults)
    as_of = _moment(str(first["as_of"]))
    assert as_of is not None  # its row has no fault
    return Published(limits=limits, risk=float(first["accepted_risk"]), as_of=as_of)


def _faults(cells: Mapping[str, str], first: pd.Series) -> list[str]:
    faults = [f"{name} is empty" for name in ("area_id", "device") if not cells[name]]
    faults += [f"{name} {cells[name]!r} must be a number from 0" for name in ("largest_kw", "kw", "accepted_risk")
               if _number(cells[name]) is None]  # fmt: skip
    if not (cells["devices"].isascii() and cells["devices"].isdigit() and int(cells["devices"]) <= _MOST_DEVICES):
        faults.append(f"devices {cells['devices']!r} must be a whole number from 0 to {_MOST_DEVICES}")
    if _moment(cells["as_of"]) is None:
        faults.append(f"as_of {cells['as_of']!r} must be a moment with its offset, such as 2026-01-05T08:00:00+08:00")
    faults += [f"{name} {cells[name]!r} is not that of the first row, {first[name]!r}; one list is made at once"
               for name in ("accepted_risk", "as_of") if cells[name] != str(first[name]).strip()]  # fmt: skip
    return faults


def _number(cell: str) -> float | None:
    try:
        number = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0.0 else None


def _moment(cell: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)
