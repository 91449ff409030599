"""Application files as clerks hand them in, for the areas of a small made-up county."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from gridcheck.connection.intake import Intake, KnownPlaces, known_places, read_application_file, sort_rows

YUANQU = "140827"
TODAY = dt.date(2025, 11, 1)
# Two real villages with areas, and a name that stands for two invented ones.
VILLAGES = {
    "140827100200": ("上王村委会", 2), "140827100205": ("清南村委会", 1),
    "140827999901": ("双名庄村委会", 1), "140827999902": ("双名庄村委会", 1),
}  # fmt: skip
GOOD: Mapping[str, Any] = {
    "申请编号": "P1", "县": "垣曲县", "村": "上王村", "台区": "140827-A0001", "申请日期": "2025-10-01",
    "设备": "热风机", "额定功率(kW)": "1.5", "相别": "A", "户类": "普通",
}  # fmt: skip


def areas() -> pd.DataFrame:
    """Return the areas of the county, and one of another county."""
    rows = []
    for code, (name, n_area) in VILLAGES.items():
        for _ in range(n_area):
            number = len(rows) + 1
            rows.append((f"140827-A{number:04d}", f"{name[:2]}{number}号台区", YUANQU, code, name))
    rows.append(("140881-A0001", "永济台区", "140881", "140881100200", "某村委会"))
    return pd.DataFrame(rows, columns=["area_id", "name", "county_code", "village_code", "village"])


PLACES: KnownPlaces = known_places(areas())


def wish(number: int = 1, **cells: Any) -> dict[str, Any]:
    """Return a good row with some cells changed."""
    return {**GOOD, "申请编号": f"P{number}", **cells}


def csv_of(rows: Sequence[Mapping[str, Any]], *, encoding: str = "utf-8-sig", above: Sequence[str] = ()) -> bytes:
    """Return rows as CSV; the heading is that of the first row."""
    buffer = io.StringIO(newline="")
    buffer.writelines(f"{line}\r\n" for line in above)
    writer = csv.writer(buffer)
    writer.writerow(rows[0])
    writer.writerows([row.get(name, "") for name in rows[0]] for row in rows)
    return buffer.getvalue().encode(encoding)


def workbook_of(rows: Sequence[Mapping[str, Any]], *, above: Sequence[str] = (), first_column: int = 0) -> bytes:
    """Return rows as a workbook; days are days, numbers numbers, and texts that begin with "=" formulas."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    day = book.add_format({"num_format": "yyyy/m/d"})
    sheet = book.add_worksheet()
    for place, line in enumerate(above):
        sheet.write_string(place, first_column, line)
    for place, row in enumerate([{name: name for name in rows[0]}, *rows], start=len(above)):
        for column, name in enumerate(rows[0], start=first_column):
            cell = row.get(name, "")
            if isinstance(cell, dt.date):
                sheet.write_datetime(place, column, dt.datetime.combine(cell, dt.time()), day)
            elif isinstance(cell, str) and cell.startswith("="):
                sheet.write_formula(place, column, cell, None, 1)
            else:
                sheet.write(place, column, cell)
    book.close()
    return buffer.getvalue()


def take_in(folder: Path, content: bytes, **options: Any) -> Intake:
    """Write a file and sort it."""
    path = folder / ("wishes.xlsx" if content.startswith(b"PK") else "wishes.csv")
    path.write_bytes(content)
    return sort_rows(read_application_file(path), PLACES, **{"today": TODAY, **options})


def codes(intake: Intake) -> list[list[str]]:
    """Return the codes of the faults of every rejected row."""
    return [[fault.code for fault in faults] for faults in intake.faults]
