"""Weather files written by hand for tests of the readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

EPW_HEADING = """LOCATION,Yuncheng,Shanxi,CHN,by hand,539590,35.05,111.05,8.0,365.0
DESIGN CONDITIONS,0
TYPICAL/EXTREME PERIODS,0
GROUND TEMPERATURES,0
HOLIDAYS/DAYLIGHT SAVINGS,No,0,0,0
COMMENTS 1,by hand
COMMENTS 2,
DATA PERIODS,1,1,Data,Sunday,1/1,12/31
"""


def epw_line(year: int, month: int, day: int, hour: int, *, dry_bulb: float, rh: float = 50, ghi: float = 0) -> str:
    """Return one line of 35 fields: dry bulb is field 7, humidity field 9, global horizontal radiation field 14."""
    before = [year, month, day, hour, 60, "?9?9?9", dry_bulb, -5.0, rh, 97000, 0, 0, 250, ghi]
    return ",".join(map(str, [*before, *([0] * (35 - len(before)))]))


def write_epw(path: Path, lines: Sequence[str], heading: str = EPW_HEADING) -> Path:
    """Write an EPW file as most tools do, with the line ends of DOS."""
    path.write_bytes((heading + "\n".join(lines) + "\n").replace("\n", "\r\n").encode())
    return path


def write_table(
    path: Path, heading: str, rows: Sequence[str] | Callable[[int], str], *, n: int = 0, encoding: str = "utf-8"
) -> Path:
    """Write a CSV file from rows, or from a function of the row."""
    body = rows if not callable(rows) else [rows(index) for index in range(n)]
    path.write_text("\n".join([heading, *body]) + "\n", encoding=encoding)
    return path
