"""Between a stream of blocks and sorted day files: spill to disk by day, then sort, find duplicates and write.

Memory follows one day of the file, not the file. Rows of one area and time (long) or one area, day and quantity
(wide) that come twice are reported; the first one is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.monitoring.parsing import Block
from gridcheck.monitoring.readings import QUANTITIES, day_of, interval_start_utc
from gridcheck.monitoring.rejections import Rejections
from gridcheck.units import POINTS_PER_DAY

READING_SCHEMA = pa.schema(
    [
        ("area_id", pa.string()),
        ("time_utc", pa.timestamp("ns")),
        *((name, pa.float64()) for name in QUANTITIES),
        ("measured", pa.uint8()),
        ("synthetic", pa.bool_()),
    ]
)
"""Columns of a day file; a quantity that was not measured is null, and its bit of `readings.Measured` is not set."""

_ROW_GROUP_READINGS = 96 * 1280
_UNITS = {"p_kw": "kW", "q_kvar": "kvar", "voltage": "V phase to neutral", "time_utc": "start of the 15 min interval"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedPart:
    """A day file that is written but not yet part of the store.

    Attributes
    ----------
    day : str
        Local day, ISO.
    path : Path
        The file.
    n_reading : int
        Rows in it.
    """

    day: str
    path: Path
    n_reading: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spilled:
    """One block on disk, its rows sorted by day: where each day begins and ends."""

    path: Path
    days: tuple[int, ...]
    bounds: tuple[int, ...]


class Staging:
    """The rows of one file on their way into the store."""

    def __init__(self, folder: Path, kind: Literal["long", "wide"]) -> None:
        self._folder = folder
        self._wide = kind == "wide"
        self._spilled: list[_Spilled] = []
        self.n_duplicate = 0
        self.n_area = 0

    def add(self, block: Block) -> None:
        """Keep a block on disk."""
        if not len(block.row):
            return
        order = np.argsort(block.day, kind="stable")
        days, first = np.unique(block.day[order], return_index=True)
        path = self._folder / f"block-{len(self._spilled):06d}"
        columns: dict[str, npt.NDArray[Any]] = {
            "area": block.area,
            "slot": block.slot_or_quantity,
            "row": block.row,
            "value": block.value,
        }
        for name, column in columns.items():
            np.save(path.with_suffix(f".{name}.npy"), column[order], allow_pickle=False)
        spilled = _Spilled(
            path=path, days=tuple(int(day) for day in days), bounds=(*(int(place) for place in first), len(order))
        )
        self._spilled.append(spilled)

    def write_parts(
        self, area_ids: tuple[str, ...], rejections: Rejections, *, synthetic: bool, origin: dict[str, str]
    ) -> list[StagedPart]:
        """Write one sorted Parquet file per day and report duplicates.

        Parameters
        ----------
        area_ids : tuple of str
            Id of each area code of the blocks.
        rejections : Rejections
            Takes the duplicates.
        synthetic : bool
            Mark of every reading.
        origin : dict
            File name and hash, kept in the metadata of each day file.

        Returns
        -------
        list of StagedPart
            Day files in the order of days; days without any measured value have none.
        """
        order = np.argsort(np.array(area_ids, dtype=np.str_), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        sorted_ids = pa.array([area_ids[code] for code in order], type=pa.string())
        note = {"gridcheck": json.dumps({**origin, "units": _UNITS, "synthetic": synthetic}, ensure_ascii=False)}
        schema = READING_SCHEMA.with_metadata(note)
        seen = np.zeros(len(order), dtype=np.bool_)
        parts = []
        for day in sorted({day for spilled in self._spilled for day in spilled.days}):
            path = self._folder / f"day-{day}.parquet"
            n_reading = 0
            with pq.ParquetWriter(path, schema, compression="zstd") as writer:
                for ranks, slots, value in self._day_pieces(day, rank, sorted_ids, rejections):
                    seen[ranks] = True
                    n_reading += len(ranks)
                    writer.write_table(
                        _table(sorted_ids, ranks, interval_start_utc(day, slots), value, synthetic=synthetic)
                    )
            with path.open("rb+") as file:
                os.fsync(file.fileno())  # A commit must not outlive its day files in a power cut.
            parts.append(StagedPart(day=day_of(day).isoformat(), path=path, n_reading=n_reading))
        self.n_area = int(seen.sum())
        return parts

    def _day_pieces(
        self, day: int, rank: npt.NDArray[np.int64], sorted_ids: Any, rejections: Rejections
    ) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]]:
        """Yield area ranks, positions in the day and values (n, 6) of a day, sorted, in pieces of a row group."""
        area, slot, row = (self._gathered(day, name) for name in ("area", "slot", "row"))
        value: FloatArray = self._gathered(day, "value")
        n_slot = len(QUANTITIES) if self._wide else POINTS_PER_DAY
        key = rank[area] * n_slot + slot
        # Rows come in the order of the file, so a stable sort keeps the first of equal keys in front.
        order = np.argsort(key, kind="stable")
        key = key[order]
        repeats = np.concatenate([[False], key[1:] == key[:-1]])
        if repeats.any():
            first = order[np.maximum.accumulate(np.where(repeats, 0, np.arange(len(key))))]
            later, kept = order[repeats], first[repeats]
            keys = [
                f"{sorted_ids[int(code)]} {self._words(day, int(place))}"
                for code, place in zip(rank[area[later]], slot[later], strict=True)
            ]
            _report_repeats(rejections, row[later], keys, _same_values(value, later, kept))
            self.n_duplicate += len(later)
            order, key = order[~repeats], key[~repeats]
        ranks, slots = key // n_slot, key % n_slot
        pieces = _wide_pieces if self._wide else _long_pieces
        yield from pieces(ranks, slots, value, order)

    def _words(self, day: int, slot: int) -> str:
        """Name a slot in a report of duplicates."""
        if self._wide:
            return f"{day_of(day)} {QUANTITIES[slot]}"
        return f"{day_of(day)} {slot // 4:02d}:{slot % 4 * 15:02d}"

    def _gathered(self, day: int, name: str) -> npt.NDArray[Any]:
        """Return one column of all rows of a day in the order of the file."""
        pieces = []
        for spilled in self._spilled:
            if day in spilled.days:
                place = spilled.days.index(day)
                path = spilled.path.with_suffix(f".{name}.npy")
                pieces.append((path, slice(spilled.bounds[place], spilled.bounds[place + 1])))
        first = np.load(pieces[0][0], mmap_mode="r", allow_pickle=False)
        gathered = np.empty((sum(rows.stop - rows.start for _, rows in pieces), *first.shape[1:]), dtype=first.dtype)
        n_done = 0
        for path, rows in pieces:
            n_row = rows.stop - rows.start
            # Each file is mapped only while it is copied, so memory holds the day once.
            gathered[n_done : n_done + n_row] = np.load(path, mmap_mode="r", allow_pickle=False)[rows]
            n_done += n_row
        return gathered


def _same_values(value: FloatArray, left: npt.NDArray[np.intp], right: npt.NDArray[np.intp]) -> BoolArray:
    same: BoolArray = ((value[left] == value[right]) | (np.isnan(value[left]) & np.isnan(value[right]))).all(axis=1)
    return same


def _report_repeats(rejections: Rejections, rows: npt.NDArray[np.int64], keys: list[str], same: BoolArray) -> None:
    words = np.array(keys, dtype=object)
    for rule, at in (("duplicate", same), ("duplicate_conflict", ~same)):
        if at.any():
            rejections.add(rule, rows[at], "area_id, time", list(words[at]), whole_row=True)


def _long_pieces(
    ranks: npt.NDArray[np.int64], slots: npt.NDArray[np.int64], value: FloatArray, order: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]]:
    for first in range(0, len(order), _ROW_GROUP_READINGS):
        piece = slice(first, first + _ROW_GROUP_READINGS)
        yield ranks[piece], slots[piece], value[order[piece]]


def _wide_pieces(
    ranks: npt.NDArray[np.int64], quantities: npt.NDArray[np.int64], value: FloatArray, order: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]]:
    n_area = _ROW_GROUP_READINGS // POINTS_PER_DAY
    present = np.unique(ranks)
    for first in range(0, len(present), n_area):
        block = present[first : first + n_area]
        rows = slice(*np.searchsorted(ranks, [block[0], block[-1] + 1]))
        cube = np.full((len(block), POINTS_PER_DAY, len(QUANTITIES)), np.nan)
        cube[np.searchsorted(block, ranks[rows]), :, quantities[rows]] = value[order[rows]]
        flat = cube.reshape(-1, len(QUANTITIES))
        some = np.isfinite(flat).any(axis=1)
        yield np.repeat(block, POINTS_PER_DAY)[some], np.tile(np.arange(POINTS_PER_DAY), len(block))[some], flat[some]


def _table(
    sorted_ids: Any, ranks: npt.NDArray[np.int64], time_utc: npt.NDArray[Any], value: FloatArray, *, synthetic: bool
) -> Any:
    absent = np.isnan(value)
    bits = (~absent) @ (1 << np.arange(len(QUANTITIES)))
    columns = [
        sorted_ids.take(pa.array(ranks)),
        pa.array(time_utc, type=pa.timestamp("ns")),
        *(pa.array(value[:, place], mask=absent[:, place]) for place in range(len(QUANTITIES))),
        pa.array(bits.astype(np.uint8)),
        pa.repeat(pa.scalar(synthetic), len(ranks)),
    ]
    return pa.table(columns, schema=READING_SCHEMA)
