"""The generator's estimates: one editable table, a confidence mark and a source per row."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from gridcheck.errors import CatalogueError

_CONFIDENCE = ("S", "S2", "G+", "G", "G-", "E", "C")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assumptions:
    """Estimates by name, with values for single counties where the table has them.

    Attributes
    ----------
    values : mapping of (name, county_code) to float
        The estimate in the unit of its row; an empty county code stands for all counties.
    """

    values: Mapping[tuple[str, str], float]

    def value(self, name: str, county_code: str = "") -> float:
        """Return the estimate `name`, the county's own one if there is one.

        Raises
        ------
        CatalogueError
            If the table has no such row.
        """
        for key in ((name, county_code), (name, "")):
            if key in self.values:
                return self.values[key]
        raise CatalogueError(f"assumptions.csv has no row {name!r}. Add one with value, unit, confidence and source.")


def load_assumptions(path: Path | None = None) -> Assumptions:
    """Read the table of estimates.

    Parameters
    ----------
    path : Path, optional
        Another table with the same columns; the package's own one by default.

    Returns
    -------
    Assumptions

    Raises
    ------
    CatalogueError
        If a row has no source, an unknown confidence mark, or a value outside its own bounds.
    """
    source = path if path is not None else resources.files("gridcheck.synthesis").joinpath("assumptions.csv")
    text = source.read_text(encoding="utf-8")
    values: dict[tuple[str, str], float] = {}
    findings = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        value, low, high = float(row["value"]), float(row["min"]), float(row["max"])
        if not low <= value <= high:
            findings.append(f"line {number}, {row['name']}: value must be in [{low:g}, {high:g}]. Got {value:g}.")
        if row["confidence"] not in _CONFIDENCE:
            findings.append(f"line {number}, {row['name']}: confidence must be one of {', '.join(_CONFIDENCE)}.")
        if not row["source"]:
            findings.append(f"line {number}, {row['name']}: the source is empty.")
        values[(row["name"], row["county_code"])] = value
    if findings:
        raise CatalogueError(f"{source}: the table of estimates has faults.", findings)
    return Assumptions(values=values)
