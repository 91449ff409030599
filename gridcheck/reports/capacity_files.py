"""The folder of published room: the workbook and the map appear together, or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from gridcheck.reports.capacity import Capacity, capacity_of
from gridcheck.reports.capacity_map import capacity_geojson
from gridcheck.reports.capacity_workbook import capacity_workbook
from gridcheck.reports.export_folder import exported_folder
from gridcheck.reports.folder import Results
from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language

WORKBOOK_FILE, MAP_FILE = "capacity.xlsx", "capacity.geojson"
KIND = "capacity"


def write_capacity(results: Results, out: Path, published_on: date, language: Language = DEFAULT_LANGUAGE) -> Capacity:
    """Write the workbook and the map of published room into a folder; both appear, or nothing.

    Parameters
    ----------
    results : Results
        The run.
    out : Path
        Missing, empty, or an earlier folder of published room, which is replaced.
    published_on : date
        Day of publication; same results and day, same bytes.
    language : {"zh", "en"}
        Language of the workbook; the map carries both.

    Raises
    ------
    LedgerError
        If `out` holds something else.
    """
    found = capacity_of(results, published_on)
    with exported_folder(out, KIND, synthetic=found.synthetic) as folder:
        (folder / WORKBOOK_FILE).write_bytes(capacity_workbook(found, results, language))
        (folder / MAP_FILE).write_text(capacity_geojson(found, results), encoding="utf-8", newline="\n")
    return found
