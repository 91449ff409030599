"""Recognise a file of readings by its headers: which column is what, long or wide, and what the times mean.

*Long*: one row per area and time, one column per quantity. *Wide*: one row per area, day and quantity with 96
point columns, headed P1...P96 (or 1...96) or by clock times. Headers are compared without case, spaces, brackets,
underscores and full-width forms, in Chinese or English. Parsing the cells is left to `parsing`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gridcheck.errors import SchemaError
from gridcheck.monitoring.readings import POINT_MINUTES, QUANTITIES, TimeLabel
from gridcheck.units import POINTS_PER_DAY

HEADER_SEARCH_ROWS = 20
"""A title or a few notes may stand above the header; it must be among this many first rows."""

_LEAST_POINT_COLUMNS = 20  # Fewer numbered columns are chance, e.g. a column "1"; more are a wide file.
_MINUTES_PER_DAY = 24 * 60

# Synonyms, written as `_normal` leaves them. A unit that is not the expected one (W, MW, kV) is not a synonym, so
# such a column is reported as not used instead of being read wrongly by a factor of 1000.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "area_id": (
        *("areaid", "area", "tgid", "tgno", "transformerid", "台区", "台区编号", "台区编码", "台区号", "台区id"),
        *("台区标识", "配变编号", "配变编码", "配变id", "公变编号", "变压器编号"),
    ),
    "time": (
        *("time", "timestamp", "datetime", "datatime", "时间", "数据时间", "采集时间", "采样时间", "日期时间", "时刻"),
    ),
    "day": ("day", "date", "datadate", "日期", "数据日期", "采集日期"),
    "quantity": ("quantity", "item", "dataitem", "datatype", "数据项", "数据类型", "数据项名称", "类型", "曲线类型"),
    "synthetic": ("synthetic", "合成数据", "合成"),
    "p_kw": (
        "pkw",
        "p",
        "activepower",
        "activepowerkw",
        "有功",
        "有功功率",
        "有功功率kw",
        "总有功功率",
        "总有功功率kw",
    ),
    "q_kvar": (
        *("qkvar", "q", "reactivepower", "reactivepowerkvar", "无功", "无功功率", "无功功率kvar", "总无功功率"),
        "总无功功率kvar",
    ),
    "voltage_a_v": ("voltageav", "uav", "ua", "a相电压", "a相电压v", "电压a", "电压av"),
    "voltage_b_v": ("voltagebv", "ubv", "ub", "b相电压", "b相电压v", "电压b", "电压bv"),
    "voltage_c_v": ("voltagecv", "ucv", "uc", "c相电压", "c相电压v", "电压c", "电压cv"),
    "voltage_v": ("voltagev", "voltage", "uv", "u", "电压", "电压v", "相电压", "相电压v"),
}
_ROLE_OF = {word: role for role, words in _SYNONYMS.items() for word in words}

# Quantities that meter systems deliver beside the ones used here: their rows are passed over, not faulted.
_OTHER_QUANTITIES = frozenset(
    [
        *("i", "ia", "ib", "ic", "i0", "in", "电流", "a相电流", "b相电流", "c相电流", "零序电流", "零线电流"),
        *(
            "pf",
            "cosphi",
            "powerfactor",
            "功率因数",
            "总功率因数",
            "s",
            "skva",
            "视在功率",
            "energy",
            "电能",
            "有功电能",
        ),
        *("pa", "pb", "pc", "qa", "qb", "qc", "a相有功功率", "b相有功功率", "c相有功功率"),
    ]
)
_ORDINAL = re.compile(r"(?:p|u|v|t|h|point|pt|点|第|数据|value|data)?(\d{1,3})点?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?|t?(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things stand in a file of readings.

    Attributes
    ----------
    kind : {"long", "wide"}
        One row per area and time, or one per area, day and quantity.
    header_row : int
        Row of the header, counted from 1; the readings begin below it.
    headers : tuple of str, length n_column
        Headers as written.
    roles : tuple of str, length n_column
        What each column holds: area_id, time, day, quantity, synthetic, a name of `QUANTITIES`, ``point``, or
        nothing for a column that is not used.
    slots : tuple of int
        Position in the day, 0 to 95, of each ``point`` column in the order of the file; empty for long files.
    label : TimeLabel or None
        What clock headers say about the labels; None where they say nothing.
    """

    kind: Literal["long", "wide"]
    header_row: int
    headers: tuple[str, ...]
    roles: tuple[str, ...]
    slots: tuple[int, ...] = ()
    label: TimeLabel | None = None

    @property
    def unused(self) -> tuple[str, ...]:
        """Headers of columns that are not read."""
        pairs = zip(self.headers, self.roles, strict=True)
        return tuple(header for header, role in pairs if not role and header.strip())

    def column(self, role: str) -> int | None:
        """Return the position of the column with this role, or None."""
        return self.roles.index(role) if role in self.roles else None

    @property
    def point_columns(self) -> tuple[int, ...]:
        """Positions of the point columns, in the order of `slots`."""
        return tuple(position for position, role in enumerate(self.roles) if role == "point")


def _normal(text: str) -> str:
    """Return a header in the form in which headers are compared."""
    folded = unicodedata.normalize("NFKC", text).strip().lower()
    return re.sub(r"[\s_()\[\]\-/\\\ufeff]", "", folded)


def quantity_of(text: str) -> int | None:
    """Return the position in `QUANTITIES` of a quantity named in a cell, -1 for one not used here, None if unknown.

    Examples
    --------
    >>> quantity_of("A相电压(V)"), quantity_of("IA"), quantity_of("humidity")
    (2, -1, None)
    """
    word = _normal(text)
    role = _ROLE_OF.get(word, "")
    if role in QUANTITIES:
        return QUANTITIES.index(role)
    return -1 if word in _OTHER_QUANTITIES else None


def find_layout(rows: Sequence[Sequence[str]], *, where: str) -> Layout:
    """Find the header among the first rows of a file and say what each column is.

    Parameters
    ----------
    rows : sequence of sequence of str
        First rows of the file, at most `HEADER_SEARCH_ROWS` are looked at.
    where : str
        Name of the file for messages.

    Returns
    -------
    Layout
        What stands where.

    Raises
    ------
    SchemaError
        If no header is found, a column is there twice, point columns are not 96 or nothing usable is left.
    """
    for number, cells in enumerate(rows[:HEADER_SEARCH_ROWS], start=1):
        roles = [_ROLE_OF.get(_normal(cell), "") for cell in cells]
        if "area_id" in roles and ("time" in roles or "day" in roles):
            return _layout_of(cells, roles, number, where=where)
    first = [cell[:30] for cell in rows[0][:8]] if rows else []
    raise SchemaError(
        f"{where} has no header of readings in its first {HEADER_SEARCH_ROWS} rows. It needs a column area_id "
        "(台区编号) and a column time (时间), or date (日期), quantity (数据项) and 96 points.",
        [f"row 1 begins with {first}"],
    )


def _layout_of(cells: Sequence[str], roles: list[str], number: int, *, where: str) -> Layout:
    doubled = sorted({role for role in roles if role and roles.count(role) > 1})
    if doubled:
        findings = [
            f"{role}: columns {[c for c, r in zip(cells, roles, strict=True) if r == role]}" for role in doubled
        ]
        raise SchemaError(f"{where}, row {number}: two columns mean the same; rename or remove one of them.", findings)
    points = _point_columns(cells, roles)
    if len(points) < _LEAST_POINT_COLUMNS:
        return _long_layout(cells, roles, number, where=where)
    if not {"day", "quantity"} <= set(roles):
        raise SchemaError(
            f"{where}, row {number}: {len(points)} point columns, so each row needs a date (日期) and a "
            f"quantity (数据项: {', '.join(QUANTITIES)}). Found {[role for role in roles if role]}."
        )
    slots, label = _slots_of([_normal(cells[position]) for position in points], where=where)
    roles = ["point" if position in points else role for position, role in enumerate(roles)]
    roles = [role if role not in QUANTITIES and role != "time" else "" for role in roles]
    return Layout(
        kind="wide", header_row=number, headers=tuple(cells), roles=tuple(roles), slots=tuple(slots), label=label
    )


def _long_layout(cells: Sequence[str], roles: list[str], number: int, *, where: str) -> Layout:
    if "time" not in roles:
        raise SchemaError(f"{where}, row {number}: no column time (时间) and no 96 point columns.")
    if not any(role in QUANTITIES for role in roles):
        raise SchemaError(
            f"{where}, row {number}: no column of a quantity. Allowed: {', '.join(QUANTITIES)} and their Chinese "
            "names, in kW, kvar and V.",
            [f"columns found: {list(cells)[:20]}"],
        )
    used = tuple("" if role == "quantity" else role for role in roles)
    return Layout(kind="long", header_row=number, headers=tuple(cells), roles=used)


def _point_columns(cells: Sequence[str], roles: Sequence[str]) -> list[int]:
    return [
        position
        for position, cell in enumerate(cells)
        if not roles[position] and (_ORDINAL.fullmatch(word := _normal(cell)) or _minute_of(word) is not None)
    ]


def _minute_of(word: str) -> int | None:
    """Return the minute of the day that a normalised header names, 1440 for 24:00, or None."""
    if word.startswith("19000101"):  # 24:00 in a cell formatted as clock time comes back as this date.
        return _MINUTES_PER_DAY
    match = _CLOCK.fullmatch(word)
    if match is None:
        return None
    hour, minute = (int(part) for part in match.groups() if part is not None)
    total = hour * 60 + minute
    return total if minute < 60 and total <= _MINUTES_PER_DAY else None


def _slots_of(words: list[str], *, where: str) -> tuple[list[int], TimeLabel | None]:
    """Return the position in the day of each point column and what clock headers say about labels."""
    if len(words) != POINTS_PER_DAY:
        raise SchemaError(
            f"{where}: {len(words)} point columns ({words[0]} ... {words[-1]}), allowed are {POINTS_PER_DAY}. Deliver "
            "the 96-point curve; with both 00:00 and 24:00 remove the one that belongs to another day."
        )
    ordinals = [int(match[1]) for word in words if (match := _ORDINAL.fullmatch(word))]
    if sorted(ordinals) == list(range(1, POINTS_PER_DAY + 1)):
        return [ordinal - 1 for ordinal in ordinals], None
    minutes = [minute for word in words if (minute := _minute_of(word)) is not None]
    if minutes[:1] == [POINT_MINUTES] and minutes[-1:] == [0]:
        minutes[-1] = _MINUTES_PER_DAY  # 00:15 ... 23:45, 00:00: the last one is the midnight that ends the day.
    expected = list(range(0, _MINUTES_PER_DAY, POINT_MINUTES))
    if sorted(minutes) == expected:
        return [minute // POINT_MINUTES for minute in minutes], TimeLabel.START
    if sorted(minutes) == [minute + POINT_MINUTES for minute in expected]:
        return [minute // POINT_MINUTES - 1 for minute in minutes], TimeLabel.END
    raise SchemaError(
        f"{where}: the point columns ({words[0]} ... {words[-1]}) are neither 1 to 96 nor every quarter hour from "
        "00:00 to 23:45 or from 00:15 to 24:00. Correct the headers."
    )
