"""Hand-made files of readings, and programs that run beside a test."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

DAY = dt.date(2025, 12, 3)
MIDNIGHT_UTC = np.datetime64("2025-12-02T16:00", "ns")
"""Start of DAY in Asia/Shanghai."""
LONG_HEADER = "area_id,time,p_kw,q_kvar,ua_v,ub_v,uc_v"
REPOSITORY = Path(__file__).resolve().parents[2]


def clock(point: int) -> str:
    """Return the start of a point of the day, 0 to 95, as HH:MM."""
    return f"{point // 4:02d}:{point % 4 * 15:02d}"


def write_lines(path: Path, lines: Sequence[str], *, encoding: str = "utf-8") -> Path:
    """Write a text file with these lines."""
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def long_day(
    path: Path,
    p_kw: Mapping[str, Mapping[int, float]],
    *,
    q_kvar: float | None = 0.0,
    voltage_v: tuple[float | None, float | None, float | None] = (220.0, 220.0, 220.0),
    day: dt.date = DAY,
) -> Path:
    """Write a long file: for each area the power of some points of a day, everything else constant."""
    tail = ",".join("" if cell is None else str(cell) for cell in (q_kvar, *voltage_v))
    rows = [
        f"{area_id},{day} {clock(point)},{power},{tail}"
        for area_id, points in p_kw.items()
        for point, power in points.items()
    ]
    return write_lines(path, [LONG_HEADER, *rows])


def run_program(text: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a Python program that can import gridcheck."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-c", text, *arguments], env=environment, stderr=subprocess.PIPE)
