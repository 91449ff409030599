"""What the commands for meter readings do: read, call one function, print."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck import terminal
from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, LedgerError, SchemaError
from gridcheck.units import POINTS_PER_DAY

_SAMPLE_DAYS = 7
_ROWS_ON_SCREEN = 50
_ALARM_COLUMNS = {
    "area_id": "台区 area", "alarm": "alarm", "hours": "当日 that day [h]", "run_hours": "最长连续 longest run [h]",
    "peak_value": "最不利值 worst value", "unit": "单位 unit", "peak_time": "时刻 time",
    "completeness_percent": "完整率 complete [%]",
}  # fmt: skip
_SILENT = ("area_id", "alarm", "quantity", "completeness_percent")
_ALARM_NOTE = (
    "过载、重载须连续 2 h，跨零点时前一日的时段计入最长连续；一个台区的负荷与电压各占一行。 Overloaded and heavy last "
    "2 h on end; the longest run may begin the day before. An area has one row for loading and one for voltage."
)


def _areas(networks: Path | None, county_codes: tuple[str, ...]) -> pd.DataFrame:
    from gridcheck.scenario import require_counties
    from gridcheck.study import shipped_folder

    codes = require_counties(county_codes, "--county")
    folder = networks if networks is not None else shipped_folder("networks")
    files = [path / "areas.csv" for code in codes for path in sorted(folder.glob(f"{code}-*"))]
    if not files:
        raise InputError(f"{folder} holds no folder of {', '.join(codes)}.")
    return pd.concat([_read_areas(file) for file in files], ignore_index=True)


def _read_areas(file: Path) -> pd.DataFrame:
    try:
        return text_table(file)[["area_id", "county_code", "kva"]].astype({"kva": float})
    except SchemaError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{file} cannot be read as a table of areas: {error}") from error


def ingest(file: Path, store: Path, time_label: str, networks: Path | None, *, as_json: bool) -> bool:
    """Take a file of readings into the store; return False where more rows were rejected than taken."""
    from gridcheck.monitoring import ReadingsStore, ingest_file

    areas = _areas(networks, ())
    report = ingest_file(file, ReadingsStore(store), area_ids=set(areas["area_id"]), time_label=time_label)
    content = {name: getattr(report, name) for name in report.__dataclass_fields__}
    # Of every quarter hour of the days and areas in the file; values_missing counts empty cells of its rows only.
    content["points_without_reading"] = report.areas * len(report.days) * POINTS_PER_DAY - report.readings
    if as_json:
        terminal.print_json(content)
    else:
        terminal.print_table(str(file), terminal.ITEMS, [[key, value] for key, value in content.items()])
    if report.rows_rejected <= report.rows_accepted:
        return True
    terminal.console().print(
        f"多数行未采用 Most rows were rejected: {report.rows_rejected:,} of {report.rows_read:,}. "
        f"原因见 Reasons: {report.rejected_path}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return False


def alarms(day: date, store: Path, county_codes: tuple[str, ...], networks: Path | None, *, as_json: bool) -> int:
    """List the alarms of a day; return how many areas are heavy, overloaded or low in voltage."""
    from gridcheck.limits import DEFAULT_LIMITS
    from gridcheck.monitoring import ReadingsStore, find_alarms

    if not store.is_dir():
        raise LedgerError(f"There is no readings store {store}. Fill one with `gridcheck ingest FILE --store {store}`.")
    opened = ReadingsStore(store)
    days = opened.days()
    if day not in days:
        held = f"{days[0]} to {days[-1]}, {len(days)} days" if days else "none"
        raise LedgerError(f"{store} holds no readings of {day}. Days that it holds: {held}.")
    areas = _areas(networks, county_codes)
    silent: list[str] = []
    if not county_codes:
        # Counties that deliver readings are judged whole, so that a silent meter there is seen.
        heard = areas.loc[areas["area_id"].isin(opened.read(day, day)["area_id"].unique()), "county_code"]
        silent = sorted(set(areas["county_code"]) - set(heard))
        areas = areas[areas["county_code"].isin(heard)]
    table = find_alarms(opened, areas, day, DEFAULT_LIMITS)
    real = table[table["alarm"] != "insufficient_data"]
    if as_json:
        terminal.print_json(json.loads(table.to_json(orient="records", date_format="iso")))
    else:
        silent_names = {name: _ALARM_COLUMNS.get(name, name) for name in _SILENT}
        for rows, names in ((real, _ALARM_COLUMNS), (table[table["alarm"] == "insufficient_data"], silent_names)):
            shown = rows.assign(peak_time=_local_time(rows["peak_time_utc"]))[list(names)].head(_ROWS_ON_SCREEN)
            cells = [[terminal.cell(v) for v in row] for row in shown.itertuples(index=False)]
            terminal.print_table(f"{day}: {len(shown)} / {len(rows)}", list(names.values()), cells)
        counts = table.groupby("alarm", sort=False)["area_id"].agg(["nunique", "size"])
        totals = [[name, int(areas), int(rows)] for name, areas, rows in counts.itertuples()]
        terminal.print_table("合计 totals", ["alarm", "台区 areas", "行 rows"], totals)
        terminal.console().print(_ALARM_NOTE)
        if silent:
            terminal.console().print(f"当日无读数的县 counties without any reading that day: {', '.join(silent)}")
    return len(real)


def _local_time(time_utc: pd.Series[Any]) -> pd.Series[Any]:
    utc = pd.to_datetime(time_utc).dt.tz_localize("UTC")
    return utc.dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M")


def sample_readings(out: Path, county_code: str, scenario: Path, seed: int, networks: Path | None) -> None:
    """Write a synthetic meter file of one cold-wave week."""
    from gridcheck.reports.place import made_folder
    from gridcheck.sample_week import sample_week
    from gridcheck.scenario import read_scenario, require_counties

    chosen = read_scenario(scenario)
    require_counties((county_code,), "--county")
    if out.is_dir():
        raise InputError(f"{out} is a folder. Name a file to write.")
    with made_folder(out.parent):
        written = sample_week(chosen, county_code, out, seed=seed, networks=networks, days=_SAMPLE_DAYS)
    terminal.console().print(
        f"合成数据 synthetic: {out} ({written.n_row:,} rows, {out.stat().st_size / 2**20:.1f} MiB)"
    )
