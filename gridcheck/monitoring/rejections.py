"""What was not taken in from a file: every cell with its row, column, value, the rule it breaks and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from gridcheck.atomic import written_in_one_step
from gridcheck.monitoring.quality import MAX_POWER_KW, MAX_VOLTAGE_V, NUMBER_PATTERN
from gridcheck.monitoring.readings import QUANTITIES

MAX_LISTED = 1_000_000
"""Rejected cells written out; all are counted."""

REMEDIES = {
    "ragged_row": "give the row as many cells as the header",
    "missing_area": "fill in the area id",
    "bad_area_id": "use letters, digits and _ . / # - only, at most 64, as in the area table",
    "unknown_area": "correct the id or add the area to the area table",
    "bad_time": "write the time as 2025-12-03 00:15 (or with an offset such as +08:00), the date as 2025-12-03",
    "time_off_grid": "give quarter-hour points at 00, 15, 30 or 45 minutes",
    "time_24_00": "times by the start of the interval end at 23:45; if the file labels by the end, say so",
    "mixed_time_zone": "write every time of the file with an offset, or none",
    "unknown_quantity": f"name the quantity as one of {', '.join(QUANTITIES)} or its Chinese name",
    "not_a_number": "write a plain number, or leave the cell empty if nothing was measured",
    "formula": "paste the value in place of the formula",
    "negative_power": "check the CT direction; if the area feeds back (rooftop PV), allow negative power",
    "out_of_range": f"check unit and ratio: kW, kvar up to {MAX_POWER_KW:g}, V to neutral up to {MAX_VOLTAGE_V:g}",
    "duplicate": "remove the repeated row; the first one was taken",
    "duplicate_conflict": "remove the wrong one of the two rows; the first one was taken",
}
"""Every rule and what to do when it is broken."""

_RULES = tuple(REMEDIES)
_FORMULA_STARTS = r"^[=+\-@\t\r]"
_SCHEMA = pa.schema(
    [("row", pa.int64()), ("column", pa.string()), ("value", pa.string()), ("rule", pa.int8()), ("scope", pa.string())]
)


class Rejections:
    """Everything of one file that was not taken in."""

    def __init__(self) -> None:
        self._tables: list[Any] = []
        self._counts = dict.fromkeys(_RULES, 0)
        self._n_listed = 0

    def add(self, rule: str, rows: npt.ArrayLike, column: str, values: Any, *, whole_row: bool) -> None:
        """Report cells that break a rule.

        Parameters
        ----------
        rule : str
            Key of `REMEDIES`.
        rows : array_like of int, shape (n,)
            Row numbers in the file.
        column : str
            Header of the column.
        values : sequence of str, length n
            What was found; cut to 80 characters.
        whole_row : bool
            True where the whole row is left out, False where only this cell is.
        """
        row = np.asarray(rows, dtype=np.int64)
        self._counts[rule] += len(row)
        n = min(len(row), MAX_LISTED - self._n_listed)
        if n <= 0:
            return
        self._n_listed += n
        found = pc.utf8_slice_codeunits(pc.fill_null(pa.array(values, type=pa.string()), ""), 0, 80)
        constant = (
            pa.repeat(value, n)
            for value in (column, pa.scalar(_RULES.index(rule), pa.int8()), "row" if whole_row else "value")
        )
        column_cells, rules, scopes = constant
        self._tables.append(pa.table([pa.array(row[:n]), column_cells, found[:n], rules, scopes], schema=_SCHEMA))

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Rules that were broken and how often, in the order of `REMEDIES`."""
        return tuple((rule, count) for rule, count in self._counts.items() if count)

    def findings(self, limit: int = 20) -> tuple[str, ...]:
        """Return the first rejections by row as text, and what is not shown."""
        total = sum(self._counts.values())
        shown = self._sorted().slice(0, limit).to_pylist()
        lines = []
        for cell in shown:
            rule = _RULES[cell["rule"]]
            lines.append(f"row {cell['row']}, {cell['column']}: found {cell['value']!r} ({rule}); {REMEDIES[rule]}")
        return (*lines, *((f"and {total - len(lines)} more",) if total > len(lines) else ()))

    def write(self, path: Path) -> None:
        """Write all rejections as CSV for a spreadsheet (UTF-8 with byte order mark), in one step (atomic)."""
        cells = self._sorted()
        table = pa.table(
            {
                "row": cells["row"],
                "column": _harmless(cells["column"]),
                "value": _harmless(cells["value"]),
                "rule": pa.array(_RULES).take(cells["rule"]),
                "scope": cells["scope"],
                "remedy": pa.array(REMEDIES.values()).take(cells["rule"]),
            }
        )
        with written_in_one_step(path) as file:
            file.write(b"\xef\xbb\xbf")
            pacsv.write_csv(table, file)

    def _sorted(self) -> Any:
        table = pa.concat_tables(self._tables) if self._tables else _SCHEMA.empty_table()
        return table.sort_by([("row", "ascending"), ("column", "ascending"), ("rule", "ascending")])


def _harmless(cells: Any) -> Any:
    """Keep a spreadsheet from running text as a formula; real negative numbers stay as they are."""
    risky = pc.and_(
        pc.match_substring_regex(cells, _FORMULA_STARTS), pc.invert(pc.match_substring_regex(cells, NUMBER_PATTERN))
    )
    return pc.if_else(risky, pc.binary_join_element_wise("'", cells, ""), cells)
