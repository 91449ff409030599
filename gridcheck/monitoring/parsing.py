"""From text chunks to blocks of numbers: keys first (area, time), then the values, every fault reported.

A row whose area or time is bad is left out whole. A bad value is left out alone. A row in which nothing remains is
counted as rejected if a bad value was the reason, and is accepted but empty if nothing was measured.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.monitoring.formats import Layout, quantity_of
from gridcheck.monitoring.quality import judge_values
from gridcheck.monitoring.readings import POINT_MINUTES, QUANTITIES, TimeLabel, day_number
from gridcheck.monitoring.rejections import Rejections
from gridcheck.monitoring.sources import RaggedRow, TextChunk
from gridcheck.units import POINTS_PER_DAY

_AREA_ID = re.compile(r"\w[\w.#/\-]{0,63}")
_DATE = r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_CLOCK = r"(\d{1,2})[:时](\d{2})分?(?::(\d{2})(?:\.0+)?)?"
_TIME = re.compile(rf"{_DATE}[ T]+{_CLOCK}\s*(Z|[+-]\d{{2}}:?\d{{2}})?", re.ASCII)
_COMPACT_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})[ T]?(\d{2})(\d{2})(\d{2})?", re.ASCII)
_DAY = re.compile(rf"{_DATE}(?:[ T]+0{{1,2}}:00(?::00)?)?|(\d{{4}})(\d{{2}})(\d{{2}})", re.ASCII)
_DAY_WORD = re.compile(r"[ T]")
_CLOCK_ONLY = re.compile(_CLOCK, re.ASCII)
_YEARS = range(2000, 2101)
_LOCAL = dt.timezone(dt.timedelta(hours=8))
_CACHE_SIZE = 200_000
_JOINT = "\x1f"  # Between a date and a time that stand in two columns.
_FALSE_WORDS = ("", "0", "false", "FALSE", "False", "no", "否")


class PointTime(NamedTuple):
    """A point in local time: day number, position in the day, and whether the text carried an offset from UTC."""

    day: int
    slot: int
    has_offset: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Parsed rows of one chunk in which at least one value was measured.

    Position i is the same row in every array. In a long file `value` has one column per quantity and `slot` is
    given; in a wide file `value` has one column per point of the day and `quantity` is given.

    Attributes
    ----------
    area, day : ndarray of int32, shape (n_row,)
        Code of the area in `RowParser.area_ids`, local day number.
    slot_or_quantity : ndarray of int16, shape (n_row,)
        Position in the day (long) or position in `QUANTITIES` (wide).
    row : ndarray of int64, shape (n_row,)
        Row number in the file.
    value : ndarray, shape (n_row, 6) or (n_row, 96)
        NaN where not measured.
    """

    area: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    slot_or_quantity: npt.NDArray[np.int16]
    row: npt.NDArray[np.int64]
    value: FloatArray


class RowCounts:
    """What became of the rows of a file."""

    def __init__(self) -> None:
        self.read = self.rejected = self.ignored = self.values_rejected = self.values_missing = 0


def parse_time(text: str, label: TimeLabel, day_text: str = "") -> PointTime | str:
    """Read a time and return the point of the day it labels, or the rule it breaks.

    Parameters
    ----------
    text : str
        Date and clock time, or clock time alone with `day_text`; without an offset it is Asia/Shanghai.
    label : TimeLabel
        START or END.
    day_text : str
        Date, for files that keep it in a column of its own.

    Examples
    --------
    >>> parse_time("2000-01-01 00:15", TimeLabel.START), parse_time("2000-01-01 24:00", TimeLabel.END)
    (PointTime(day=10957, slot=1, has_offset=False), PointTime(day=10957, slot=95, has_offset=False))
    """
    if day_text and _CLOCK_ONLY.fullmatch(text):
        text = f"{_DAY_WORD.split(day_text, maxsplit=1)[0]} {text}"
    match = _TIME.fullmatch(text) or _COMPACT_TIME.fullmatch(text)
    if match is None:
        return "bad_time"
    year, month, day, hour, minute, second = (int(part) if part else 0 for part in match.groups()[:6])
    offset = match[7] if match.re is _TIME else None
    is_end_of_day = (hour, minute, second) == (24, 0, 0)
    if is_end_of_day and label is not TimeLabel.END:
        return "time_24_00"
    try:
        local = dt.datetime(year, month, day, 0 if is_end_of_day else hour, minute, second, tzinfo=_LOCAL)
        if offset:
            sign = -1 if offset.startswith("-") else 1
            digits = offset[1:].replace(":", "")
            shift = (
                dt.timedelta() if offset == "Z" else sign * dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            )
            local = local.replace(tzinfo=dt.timezone(shift)).astimezone(_LOCAL)
    except (ValueError, OverflowError):
        return "bad_time"
    if local.year not in _YEARS:
        return "bad_time"
    if local.second or local.minute % POINT_MINUTES:
        return "time_off_grid"
    point = day_number(local.date()) * POINTS_PER_DAY + (local.hour * 60 + local.minute) // POINT_MINUTES
    point += (POINTS_PER_DAY if is_end_of_day else 0) - (1 if label is TimeLabel.END else 0)
    return PointTime(point // POINTS_PER_DAY, point % POINTS_PER_DAY, offset is not None)


def parse_day(text: str) -> PointTime | str:
    """Read a date and return its local day as a point with position 0, or the rule it breaks."""
    match = _DAY.fullmatch(text)
    if match is None:
        return "bad_time"
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return "bad_time"
    return PointTime(day_number(date), 0, has_offset=False) if year in _YEARS else "bad_time"


def parse_time_cell(cell: str, label: TimeLabel) -> PointTime | str:
    """Read a time as `distinct_times` gives it: the time, or the date and the time where they stand in two columns."""
    day_text, _, text = cell.rpartition(_JOINT)
    return parse_time(text.strip(), label, day_text.strip())


def distinct_times(layout: Layout, chunk: TextChunk) -> list[str]:
    """Return the distinct times of a chunk of a long file as text for `parse_time_cell`."""
    return [cell for cell in _time_cells(layout, chunk).unique().to_pylist() if cell is not None]


def _time_position(layout: Layout) -> int:
    position = layout.column("time")
    if position is None:
        position = layout.column("day")
    assert position is not None, layout.roles  # `find_layout` does not let a file through without it.
    return position


def _time_cells(layout: Layout, chunk: TextChunk) -> Any:
    text = chunk.columns[_time_position(layout)]
    day_column = layout.column("day")
    if layout.kind == "wide" or day_column is None:
        return text
    return pc.binary_join_element_wise(pc.fill_null(chunk.columns[day_column], ""), pc.fill_null(text, ""), _JOINT)


class RowParser:
    """Parses the chunks of one file, remembering areas and the kind of times seen so far."""

    def __init__(
        self,
        layout: Layout,
        *,
        label: TimeLabel,
        known_areas: Collection[str] | None,
        allow_negative_power: bool,
    ) -> None:
        self.layout = layout
        self.rejections = Rejections()
        self.counts = RowCounts()
        self.is_synthetic = False
        self._label = label
        self._known = None if known_areas is None else frozenset(known_areas)
        self._allow_negative_power = allow_negative_power
        self._codes: dict[str, int] = {}
        self._times: dict[Hashable, PointTime | str] = {}
        self._has_offset: bool | None = None

    @property
    def area_ids(self) -> tuple[str, ...]:
        """Ids of the areas taken in; the position is the code used in blocks."""
        return tuple(self._codes)

    def take_ragged(self, ragged: list[RaggedRow]) -> None:
        """Report rows whose number of cells is not that of the header."""
        n_cell = len(self.layout.headers)
        for line in ragged:
            found = f"{line.n_cell} cells, header has {n_cell}: {line.text}"
            self.rejections.add("ragged_row", [line.row], "", [found], whole_row=True)
        self.counts.read += len(ragged)
        self.counts.rejected += len(ragged)

    def parse(self, chunk: TextChunk) -> Block:
        """Parse a chunk; see `Block` for what comes back."""
        cells = chunk.columns
        blank = np.logical_and.reduce([~_valid(column) for column in cells.values()])
        area = self._areas(chunk, ~blank)
        day, slot = self._point_times(chunk, ~blank & (area >= 0))
        keep = ~blank & (area >= 0) & (day >= 0)
        self.counts.read += int((~blank).sum())
        self.counts.rejected += int((~blank & ~keep).sum())
        self._look_for_synthetic(cells)
        if self.layout.kind == "wide":
            quantity = self._quantities(chunk, keep)
            self.counts.ignored += int((keep & (quantity == -1)).sum())
            self.counts.rejected += int((keep & (quantity == -2)).sum())
            keep &= quantity >= 0
            slot = quantity
        chosen = np.flatnonzero(keep)
        key = slot[chosen].astype(np.int16)
        value, n_broken = self._values(chunk, chosen, key)
        holds_some = np.isfinite(value).any(axis=1)
        self.counts.rejected += int(((n_broken > 0) & ~holds_some).sum())
        return Block(
            area=area[chosen].astype(np.int32)[holds_some],
            day=day[chosen].astype(np.int32)[holds_some],
            slot_or_quantity=key[holds_some],
            row=chunk.row[chosen][holds_some],
            value=value[holds_some],
        )

    def _areas(self, chunk: TextChunk, present: BoolArray) -> npt.NDArray[np.int64]:
        """Return area codes, -1 where the id is not usable (reported)."""
        position = self._required("area_id")
        return self._keyed(chunk, position, present, self._area_code)

    def _area_code(self, text: str | None) -> int | str:
        if text is None or not text.strip():
            return "missing_area"
        area_id = text.strip()
        if area_id not in self._codes:
            if not _AREA_ID.fullmatch(area_id):
                return "bad_area_id"
            if self._known is not None and area_id not in self._known:
                return "unknown_area"
            self._codes[area_id] = len(self._codes)
        return self._codes[area_id]

    def _point_times(self, chunk: TextChunk, present: BoolArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return local days and positions in the day; the day is -1 where the time is not usable (reported)."""
        position = _time_position(self.layout)
        text = _time_cells(self.layout, chunk)
        points: list[PointTime] = []

        def code(cell: str | None) -> int | str:
            point = self._cached_time(cell or "")
            if isinstance(point, str):
                return point
            if self._has_offset is None:
                self._has_offset = point.has_offset  # The first good time of the file decides.
            if point.has_offset != self._has_offset:
                return "mixed_time_zone"
            points.append(point)
            return len(points) - 1

        codes = self._keyed(TextChunk(row=chunk.row, columns={position: text}), position, present, code)
        table = np.array([(point.day, point.slot) for point in points] or [(-1, -1)], dtype=np.int64)
        days, slots = np.where(codes[:, None] >= 0, table[np.maximum(codes, 0)], -1).T
        return days, slots

    def _cached_time(self, cell: str) -> PointTime | str:
        if cell not in self._times:
            if len(self._times) >= _CACHE_SIZE:
                self._times.clear()
            self._times[cell] = self._parsed_time(cell)
        return self._times[cell]

    def _parsed_time(self, cell: str) -> PointTime | str:
        if self.layout.kind == "wide":
            return parse_day(cell.strip())
        return parse_time_cell(cell, self._label)

    def _quantities(self, chunk: TextChunk, present: BoolArray) -> npt.NDArray[np.int64]:
        """Return positions in `QUANTITIES`, -1 for quantities not used, -2 for unknown ones (reported)."""

        def code(cell: str | None) -> int | str:
            quantity = quantity_of(cell or "")
            # Shifted by one, because `_keyed` gives -1 to what it reports.
            return "unknown_quantity" if quantity is None else quantity + 1

        return self._keyed(chunk, self._required("quantity"), present, code) - 1

    def _keyed(
        self, chunk: TextChunk, position: int, present: BoolArray, code_of: Callable[[str | None], int | str]
    ) -> npt.NDArray[np.int64]:
        """Look each distinct cell of a column up once; return its code per row, -1 where it breaks a rule (reported).

        Only rows where `present` holds are looked at, in order of first appearance; the others get -1.
        """
        result = np.full(len(chunk.row), -1, dtype=np.int64)
        places = np.flatnonzero(present)
        encoded = chunk.columns[position].take(pa.array(places)).dictionary_encode(null_encoding="encode")
        words = encoded.dictionary.to_pylist()
        codes = [code_of(word) for word in words]
        word_at = encoded.indices.to_numpy(zero_copy_only=False)
        numbers = np.array([code if isinstance(code, int) else -1 for code in codes] or [-1], dtype=np.int64)
        result[places] = numbers[word_at]
        for rule in sorted({code for code in codes if isinstance(code, str)}):
            broken = np.flatnonzero(np.array([code == rule for code in codes])[word_at])
            found = [(words[word_at[place]] or "").replace(_JOINT, " ").strip() for place in broken]
            header = self.layout.headers[position]
            self.rejections.add(rule, chunk.row[places[broken]], header, found, whole_row=True)
        return result

    def _values(
        self, chunk: TextChunk, chosen: npt.NDArray[np.intp], quantity: npt.NDArray[np.int16]
    ) -> tuple[FloatArray, npt.NDArray[np.int64]]:
        """Return the values of the chosen rows and how many cells of each row break a rule (reported)."""
        layout = self.layout
        take = None if len(chosen) == len(chunk.row) else pa.array(chosen)
        n_broken = np.zeros(len(chosen), dtype=np.int64)
        wide = layout.kind == "wide"
        value = np.full((len(chosen), POINTS_PER_DAY if wide else len(QUANTITIES)), np.nan)
        columns = (
            layout.point_columns if wide else [layout.roles.index(name) for name in QUANTITIES if name in layout.roles]
        )
        for place, position in enumerate(columns):
            target = layout.slots[place] if wide else QUANTITIES.index(layout.roles[position])
            text = chunk.columns[position] if take is None else chunk.columns[position].take(take)
            kind = quantity if wide else target
            judged = judge_values(text, kind, allow_negative_power=self._allow_negative_power)
            value[:, target] = judged.value
            self.counts.values_missing += int(np.isnan(judged.value).sum()) - sum(len(at) for _, at in judged.broken)
            for rule, at in judged.broken:
                found = text.take(pa.array(at))
                self.rejections.add(rule, chunk.row[chosen[at]], layout.headers[position], found, whole_row=False)
                n_broken[at] += 1
                self.counts.values_rejected += len(at)
        return value, n_broken

    def _look_for_synthetic(self, cells: Any) -> None:
        position = self.layout.column("synthetic")
        if position is not None and not self.is_synthetic:
            words = [word for word in cells[position].unique().to_pylist() if word is not None]
            self.is_synthetic = any(word.strip() not in _FALSE_WORDS for word in words)

    def _required(self, role: str) -> int:
        position = self.layout.column(role)
        assert position is not None, role  # `find_layout` does not let a file through without it.
        return position


def _valid(column: Any) -> BoolArray:
    valid: BoolArray = column.is_valid().to_numpy(zero_copy_only=False)
    return valid
