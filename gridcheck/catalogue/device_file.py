"""A planner's own devices: one row of a CSV file per model, copied from its product sheet.

What a sheet does not say (defrost, field losses, gain at part load) is taken from the class. A file is read whole or
not at all, and every fault is named by row and column.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gridcheck.catalogue.device_columns import (
    CLASS_WORDS,
    CONTROL_WORDS,
    PHASE_WORDS,
    column_of,
    heading_faults,
    is_class_name,
    shown,
)
from gridcheck.catalogue.devices import DeviceCatalogue
from gridcheck.catalogue.parameters import device_rules
from gridcheck.catalogue.product_sheet import COP_MAX, COP_MIN, ProductSheet, device_of, sheet_faults
from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, SchemaError

# Columns of numbers with their bounds: outside is no heater of a home but a slip of the pen or of the unit.
_NEEDED: Mapping[str, tuple[float, float]] = {
    "rated_heat_kw": (0.3, 60.0),
    "rated_input_kw": (0.3, 30.0),
    "max_input_kw": (0.3, 40.0),
}
_OPTIONAL: Mapping[str, tuple[float, float]] = {
    "units": (1.0, 10.0),
    "cos_phi": (0.5, 1.0),
    "standby_w": (0.0, 200.0),
    "backup_kw": (0.0, 12.0),
    "min_outdoor_c": (-45.0, 5.0),
}
_ANCHOR_BOUNDS = {"cop": (COP_MIN, COP_MAX), "heat": (0.1, 60.0)}
# Units that are taken for another one: how many of them make one.
_PERCENT, _WATT = (100.0, "percent"), (1000.0, "W")
_ANCHOR_TEMPERATURE_C = (-45.0, 25.0)
_MODEL_CHARACTERS, _TEXT_CHARACTERS = 60, 300
# A spreadsheet runs text that begins like this as a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@")
# A number as every program reads it: Python would take 1_0 and nan as well.
_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", flags=re.ASCII)


def read_devices(path: Path) -> DeviceCatalogue:
    """Read a planner's own devices.

    Parameters
    ----------
    path : Path
        CSV, one row per model, powers of one unit. Columns ``model``, ``class``, ``rated_heat_kw``,
        ``rated_input_kw``, ``max_input_kw``, ``phases``, ``source``; pairs ``cop_-12``, ``heat_kw_-12`` at full speed
        for any outdoor temperatures; if wanted ``units`` of one home, ``cos_phi``, ``control``, ``standby_w``,
        ``backup_kw``, ``min_outdoor_c``, ``note``. Chinese headings and words are understood.

    Returns
    -------
    DeviceCatalogue
        Powers summed over the units of one home, marked U. Direct and storage heaters need no COP. Below
        ``min_outdoor_c`` (where empty, below its coldest COP) an air-source heat pump gives no heat.

    Raises
    ------
    InputError
        If the file cannot be read.
    SchemaError
        Naming every fault with row, column, what was found and what to do. A heat pump without a COP at -20 degC or
        colder is refused: its load in a cold wave would be a guess.
    """
    try:
        table = text_table(path)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table of devices: {error}") from error
    headings = [str(heading) for heading in table.columns]
    findings = heading_faults(headings)
    if not findings and table.empty:
        findings = ["row 2: there is no device; write one row per model"]
    if findings:
        raise SchemaError(f"{path} is not usable as a table of devices.", findings)
    rules = {str(name): float(value) for name, value in device_rules()["value"].items()}
    sheets: list[ProductSheet] = []
    first_row: dict[str, int] = {}
    for number, cells in enumerate(table.to_numpy().tolist(), start=2):
        row = _Row(headings, cells)
        sheet = row.sheet()
        if sheet is not None:
            row.findings += [f"column {row.heading(column)}: {fault}" for column, fault in sheet_faults(sheet, rules)]
            sheets.append(sheet)
        name = unicodedata.normalize("NFKC", row.text("model")).casefold()
        if first_row.setdefault(name, number) != number:
            row.findings.append(f"column {row.heading('model')}: stands in row {first_row[name]} too; keep one row")
        if is_class_name(row.text("model")):
            row.findings.append(
                f"column {row.heading('model')}: model {shown(row.text('model'))}: that is a class; write the name on "
                "the product sheet"
            )
        findings += [f"row {number} ({shown(row.text('model'))}), {finding}" for finding in row.findings]
    if findings:
        raise SchemaError(f"{path}: {len(findings)} faults in the devices; none was taken over.", findings)
    return DeviceCatalogue(origin=str(path), devices=tuple(device_of(sheet, rules) for sheet in sheets))


class _Row:
    """The cells of one row by column; `findings` collects what cannot be read."""

    def __init__(self, headings: Sequence[str], cells: Sequence[str]) -> None:
        columns = [column_of(heading) for heading in headings]
        self._heading = dict(zip(columns, headings, strict=True))
        self._cell = {column: cell.strip() for column, cell in zip(columns, cells, strict=True)}
        self.findings: list[str] = []

    def heading(self, column: str) -> str:
        """Return a column under the name it has in the file."""
        return str(self._heading.get(column_of(column), column))

    def text(self, column: str) -> str:
        """Return a cell, empty where the column is missing."""
        return self._cell.get(column, "")

    def sheet(self) -> ProductSheet | None:
        """Return what the row says, or None after adding to `findings`."""
        self._check_text("model", _MODEL_CHARACTERS, needed=True)
        self._check_text("source", _TEXT_CHARACTERS, needed=True)
        self._check_text("note", _TEXT_CHARACTERS, needed=False)
        number: dict[str, Any] = {name: self._number(name, bounds) for name, bounds in _NEEDED.items()}
        number |= {name: self._number(name, bounds, needed=False) for name, bounds in _OPTIONAL.items()}
        if number["units"] % 1.0 > 0.0:
            self._fault("units", "a home has a whole number of units")
        device = self._word("class", CLASS_WORDS)
        phases = self._word("phases", PHASE_WORDS)
        control = self._word("control", CONTROL_WORDS) if self.text("control") else ""
        cop, heat_kw = self._anchors("cop"), self._anchors("heat")
        if self.findings:
            return None
        return ProductSheet(
            model=self.text("model"), device=device, control=control, source=self.text("source"), phases=int(phases),
            cop=cop, heat_kw=heat_kw, **number,
        )  # fmt: skip

    def _fault(self, column: str, what: str) -> None:
        self.findings.append(f"column {self.heading(column)}: found {shown(self.text(column))}; {what}")

    def _check_text(self, column: str, most: int, *, needed: bool) -> None:
        text = self.text(column)
        if needed and not text:
            self._fault(
                column, "it must be filled in" + ("" if column == "model" else ", for example: product sheet, page")
            )
        if unicodedata.normalize("NFKC", text[:1]).startswith(_FORMULA_SIGNS):
            self._fault(column, "a spreadsheet would run it as a formula; begin with a letter or digit")
        if len(text) > most or not text.isprintable():
            self._fault(column, f"allowed are up to {most} printable characters in one line; shorten or retype it")

    def _word(self, column: str, words: Mapping[str, str]) -> str:
        found = words.get(unicodedata.normalize("NFKC", self.text(column)).lower())
        if found is None:
            self._fault(column, f"allowed are {', '.join(words)}")
        return found or ""

    def _number(self, column: str, bounds: tuple[float, float], *, needed: bool = True) -> float:
        text = self.text(column)
        if not text and not needed:
            return math.nan
        slip = _WATT if column.endswith("_kw") else _PERCENT if column == "cos_phi" else None
        value, hint = _read_number(text, bounds, slip)
        if hint:
            self._fault(column, hint)
        return value

    def _anchors(self, kind: str) -> dict[float, float]:
        """Return the filled cells of all columns ``cop_<degC>`` or ``heat_kw_<degC>`` by temperature."""
        result = {}
        low_c, high_c = _ANCHOR_TEMPERATURE_C
        for column, text in self._cell.items():
            if not isinstance(column, tuple) or column[0] != kind or not text:
                continue
            value, hint = _read_number(text, _ANCHOR_BOUNDS[kind], _PERCENT if kind == "cop" else _WATT)
            if not low_c <= column[1] <= high_c:
                hint = f"the outdoor temperature of the heading must be {low_c:g} to {high_c:g} degC"
            if hint:
                self.findings.append(f"column {self._heading[column]}: found {shown(text)}; {hint}")
            result[column[1]] = value
        return result


def _read_number(text: str, bounds: tuple[float, float], slip: tuple[float, str] | None) -> tuple[float, str]:
    """Return a number and, if it is none or lies outside its bounds, what to do."""
    low, high = bounds
    allowed = f"allowed is a plain number from {low:g} to {high:g}"
    bare = text[:-1] if text.endswith(("%", "％")) else text
    value = float(bare) if _NUMBER.fullmatch(bare) else math.nan
    if bare == text and low <= value <= high:
        return value, ""
    if slip is not None and low <= value / slip[0] <= high:
        return value, f"this is probably in {slip[1]}: write {value / slip[0]:g}; {allowed}"
    return value, allowed
