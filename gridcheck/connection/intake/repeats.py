"""Rows that stand against each other: the same id, the same home, the same place in the queue."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import date

from gridcheck.connection.intake.places import cut
from gridcheck.connection.intake.values import Draft
from gridcheck.connection.intake.words import Fault, fold

_SHOWN_ROWS = 8


def find_repeats(draft: Draft) -> None:
    """Add the faults of rows that repeat or contradict other rows.

    Only rows without a fault of their own can be kept: a second row that corrects a faulty first one is taken. Of rows
    that say all the same, or that ask for the same device in the same home, the first one in the queue is kept; of
    rows that contradict each other (one id with different contents, one home with different devices, one place in
    the queue given twice) none, because nobody can tell which one holds.

    Parameters
    ----------
    draft : Draft
        After the rules for single rows.
    """
    whole = [tuple(map(str, _own_cells(draft, row))) for row in range(len(draft.faults))]
    for rows in _groups(draft.texts["application_id"]):
        _judge(draft, rows, _repeated_or_contradicting(draft, whole))
    for key in (draft.texts["home_id"], draft.texts["meter_id"], _unnumbered_homes(draft)):
        for rows in _groups(key):
            _judge(draft, _once_per_id(draft, rows), _same_home(draft, key))
    if draft.gives_positions:
        keys = [
            (draft.place[row].county_code, position) if position is not None and draft.place[row].county_code else None
            for row, position in enumerate(draft.position)
        ]
        for rows in _groups(keys):
            _judge(draft, _once_per_id(draft, rows), _position_twice(draft))


_Verdict = Callable[[list[int], int], tuple[Fault, bool]]
"""Told all rows of a group and one of them: its fault, and whether another row of the group may be kept."""


def _judge(draft: Draft, rows: list[int], fault_of: _Verdict) -> None:
    """Give every row of a group its fault, but for the one that is kept."""
    if len(rows) < 2:
        return
    sound = sorted((row for row in rows if not draft.faults[row]), key=lambda row: queue_key(draft, row))
    found = {row: fault_of(rows, row) for row in rows}
    may_keep = len(sound) == 1 or all(found[row][1] for row in sound or rows)
    kept = (sound or rows)[0] if may_keep else None
    for row in rows:
        fault = found[row][0]
        # Home and meter may both say that two rows are one home; once is enough.
        known = {(one.code, one.values.get("rows")) for one in draft.faults[row]}
        if row != kept and (fault.code, fault.values["rows"]) not in known:
            draft.faults[row].append(fault)


def queue_key(draft: Draft, row: int) -> tuple[int, date, str, int]:
    """Return what rows are queued by: their place where the file gives it, then day, id and row."""
    position = draft.position[row]
    return (
        position if position is not None else 0,
        draft.applied_on[row] or date.max,
        draft.texts["application_id"][row],
        row,
    )


def _groups(keys: Iterable[Hashable]) -> list[list[int]]:
    """Return the rows that share a key, in the order of their first row; empty keys are shared by nobody."""
    found: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys):
        if key:
            found.setdefault(key, []).append(row)
    return [rows for rows in found.values() if len(rows) > 1]


def _once_per_id(draft: Draft, rows: list[int]) -> list[int]:
    """Leave out rows whose id is that of an earlier one of the group: they are judged by their id."""
    first: dict[str, int] = {}
    for row in sorted(rows, key=lambda row: bool(draft.faults[row])):
        first.setdefault(draft.texts["application_id"][row] or f"\0{row}", row)
    return sorted(first.values())


def _own_cells(draft: Draft, row: int) -> tuple[object, ...]:
    cells, width = draft.file.rows[row], len(draft.file.headings)
    own = tuple(cells[place] for place in draft.file.own_columns if place < len(cells))
    return (*own, *cells[width:])


def _rows_but(draft: Draft, rows: list[int], row: int) -> str:
    numbers = [str(int(draft.file.row_number[other])) for other in rows if other != row]
    return ", ".join(numbers[:_SHOWN_ROWS]) + (" …" if len(numbers) > _SHOWN_ROWS else "")


def _repeated_or_contradicting(draft: Draft, whole: list[tuple[str, ...]]) -> _Verdict:
    def verdict(rows: list[int], row: int) -> tuple[Fault, bool]:
        others = _rows_but(draft, rows, row)
        if len({whole[other] for other in rows}) == 1:
            return Fault(code="repeated_row", values={"rows": others}), True
        found = cut(draft.texts["application_id"][row])
        return Fault(code="id_twice", values={"found": found, "rows": others}), False

    return verdict


def _same_home(draft: Draft, key: list[str]) -> _Verdict:
    def verdict(rows: list[int], row: int) -> tuple[Fault, bool]:
        values = {"found": cut(key[row].split("\0")[-1]), "rows": _rows_but(draft, rows, row)}
        # A device that nobody can read is no other one.
        if len({draft.device[other] for other in rows} - {""}) <= 1:
            return Fault(code="same_home", values=values), True
        return Fault(code="two_devices", values=values), False

    return verdict


def _position_twice(draft: Draft) -> _Verdict:
    def verdict(rows: list[int], row: int) -> tuple[Fault, bool]:
        values = {"found": cut(draft.texts["queue_position"][row]), "rows": _rows_but(draft, rows, row)}
        return Fault(code="position_twice", values=values), False

    return verdict


def _unnumbered_homes(draft: Draft) -> list[str]:
    """Return homes by village, device and name of the applicant, where neither home nor meter has a number.

    Two people of one name in one village are common; with numbers of their own they are two homes.
    """
    return [
        "" if home or meter or not name or not place.village_code else f"{place.village_code}\0{device}\0{fold(name)}"
        for home, meter, name, place, device in zip(
            draft.texts["home_id"],
            draft.texts["meter_id"],
            draft.texts["applicant"],
            draft.place,
            draft.device,
            strict=True,
        )
    ]
