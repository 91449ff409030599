"""Files that a scenario may name, written by hand: weather of one station, heaters, applications."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tests.support.command_line import county_folder
from tests.support.weather_files import epw_line, write_epw, write_table

FIRST, DAYS = datetime(2026, 1, 5), 20  # noqa: DTZ001  (local, as the files write it)
"""Days that the weather files hold: a window from 15 January on has its warm-up."""

HEATERS_HEADING = (
    "model,class,rated_heat_kw,rated_input_kw,max_input_kw,phases,control,cop_7,heat_kw_7,cop_-25,heat_kw_-25,source"
)
HEATERS = (
    "Fan 72,air_air_heat_pump,7.2,2.0,2.7,1,inverter,3.6,7.2,1.7,3.7,by hand",
    "Panel 2,resistive_heater,2,2,2,1,,,,,,by hand",
)


def celsius(moment: datetime) -> float:
    """Return the temperature of a day that repeats itself: -8 degC at 04:00, 2 degC at 16:00."""
    return -3.0 - 5.0 * float(np.cos(2.0 * np.pi * (moment.hour - 4) / 24.0))


def hours(first: datetime = FIRST, days: int = DAYS) -> list[datetime]:
    """Return the hours of the days that a file holds."""
    return [first + timedelta(hours=number) for number in range(24 * days)]


def irradiance(moment: datetime) -> float:
    """Return a sun of 600 W/m2 at 13:00, up from 8 to 18."""
    return max(0.0, 600.0 * float(np.cos(np.pi * (moment.hour - 13) / 10.0))) if 8 <= moment.hour <= 18 else 0.0


def station_csv(
    path: Path, *, heading: str = "time,temperature (C),irradiance (W/m2)", without: date | None = None
) -> Path:
    """Write hourly weather as CSV; a day may be left out."""
    rows = [
        f"{moment:%Y-%m-%d %H:%M},{celsius(moment):.2f},{irradiance(moment):.1f}"
        for moment in hours()
        if moment.date() != without
    ]
    return write_table(path, heading, rows)


def station_epw(path: Path, *, days: int = DAYS) -> Path:
    """Write the same weather as an EPW file of a station at 365 m."""
    lines = [
        epw_line(m.year, m.month, m.day, m.hour + 1, dry_bulb=round(celsius(m), 2), ghi=round(irradiance(m), 1))
        for m in hours(days=days)
    ]
    return write_epw(path, lines)


def heaters_csv(path: Path, rows: tuple[str, ...] = HEATERS) -> Path:
    """Write a table of heaters."""
    return write_table(path, HEATERS_HEADING, rows)


def applications_csv(path: Path, code: str, devices: tuple[str, ...]) -> Path:
    """Write an application for each device, one area after the other."""
    areas = pd.read_csv(county_folder(code) / "areas.csv", dtype=str)
    rows = [
        {
            "application_id": f"W{number}", "county_code": code, "village_code": areas["village_code"][number],
            "area_id": areas["area_id"][number], "applied_on": "2025-08-01", "device": device, "rated_kw": 2.0,
            "phase": "A", "household_group": "ordinary", "queue_position": number + 1,
        }
        for number, device in enumerate(devices)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(path, index=False)
    return path
