"""What the commands for meter readings do: read, call one function, print."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gridcheck import terminal
from gridcheck.csv_tables import text_table
from gridcheck.errors import InputError, LedgerError, SchemaError
from gridcheck.units import POINTS_PER_DAY

if TYPE_CHECKING:
    from gridcheck.demand.calibration import AreaReadings, Calibration, Overrides

_SAMPLE_DAYS = 7
# Weather before the first reading that the walls still remember, and the longest gap in it that is bridged.
_MEMORY = pd.Timedelta(days=10)
_LONGEST_GAP = pd.Timedelta(hours=6)
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


def calibrate(areas: Path, weather: Path, store: Path, n_draw: int, seed: int, *, as_json: bool) -> None:
    """Calibrate to the readings of the areas in a table, and print what they tell and what not."""
    from gridcheck.demand.calibration import calibrate as calibrated
    from gridcheck.demand.calibration import overrides

    result = calibrated(_area_readings(areas, weather, store), np.random.default_rng(seed), n_draw=n_draw)
    _show_calibration(result, overrides(result), as_json=as_json)


def _area_readings(areas: Path, weather: Path, store: Path) -> list[AreaReadings]:
    from gridcheck.catalogue import DEVICE_CLASSES
    from gridcheck.demand.calibration import AreaReadings
    from gridcheck.monitoring import ReadingsStore

    table = _numbers(areas, ("area_id", "occupied_households"))
    classes = [name for name in DEVICE_CLASSES if name in table]
    if not classes:
        raise SchemaError(f"{areas} needs a column for a class of heaters: one of {', '.join(DEVICE_CLASSES)}.")
    opened = ReadingsStore(store)
    days = opened.days()
    if not days:
        raise LedgerError(f"{store} holds no readings. Fill it with `gridcheck ingest FILE --store {store}`.")
    power = opened.read(days[0], days[-1], area_ids=set(table["area_id"])).set_index(["area_id", "time_utc"])["p_kw"]
    silent = sorted(set(table["area_id"]) - set(power.index.get_level_values(0)))
    if silent:
        raise InputError(f"{store} holds no readings of areas that stand in {areas}; take them out.", silent)
    temperature = _temperature(weather, power.index.get_level_values(1))
    return [
        AreaReadings(
            area_id=str(row["area_id"]),
            time_utc=temperature.index.to_numpy(),
            power_kw=power.loc[row["area_id"]].reindex(temperature.index).to_numpy(dtype=np.float64),
            temperature_c=temperature.to_numpy(dtype=np.float64),
            homes=row["occupied_households"],
            converted={name: row[name] for name in classes},
        )
        for row in table.to_dict("records")
    ]


def _numbers(file: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    """Read a table whose columns but the first are numbers."""
    try:
        text = text_table(file)
        missing = [name for name in needed if name not in text]
        if missing:
            raise SchemaError(f"{file} lacks columns.", missing)
        from gridcheck.catalogue import DEVICE_CLASSES

        numbers = [name for name in text.columns if name in (*needed[1:], *DEVICE_CLASSES)]
        return text[[needed[0], *numbers]].astype(dict.fromkeys(numbers, float))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a table: {error}") from error


def _temperature(file: Path, read_utc: pd.Index[Any]) -> pd.Series[Any]:
    """Return temperatures by quarter hour, from some days before the first reading to the last one."""
    table = _numbers(file, ("time", "temperature_c"))
    try:
        time = pd.to_datetime(table["time"], format="ISO8601")
    except (ValueError, TypeError) as error:
        raise InputError(f"{file}: times must be written like 2026-01-20 08:00. {error}") from error
    local = time.dt.tz_localize("Asia/Shanghai") if time.dt.tz is None else time
    utc = local.dt.tz_convert("UTC").dt.tz_localize(None)
    course = pd.Series(table["temperature_c"].to_numpy(), index=pd.DatetimeIndex(utc)).dropna().sort_index()
    if not course.index.is_unique:
        raise InputError(f"{file}: a time stands more than once.")
    first, last = read_utc.min(), read_utc.max()
    if course.empty or course.index[0] > first or course.index[-1] < last - _LONGEST_GAP:
        raise InputError(f"{file} must reach from {first} to {last} UTC, the time of the readings.")
    gap = course.index.to_series().diff()
    if (gap[course.index > first] > _LONGEST_GAP).any():
        raise InputError(f"{file}: a gap longer than 6 h ends at {gap.idxmax()} UTC. Fill it first.")
    grid = pd.date_range(max(course.index[0].ceil("15min"), first - _MEMORY), last, freq="15min")
    values = np.interp(
        grid.to_numpy().astype("datetime64[ns]").astype(np.int64),
        course.index.to_numpy().astype("datetime64[ns]").astype(np.int64),
        course.to_numpy(),
    )
    return pd.Series(values, index=grid)


def _show_calibration(result: Calibration, change: Overrides, *, as_json: bool) -> None:
    from gridcheck.demand.calibration import VERDICT_TEXTS

    if as_json:
        terminal.print_json(
            {
                "estimates": [asdict(one) for one in result.estimates],
                "base_kw_by_hour": result.response.base_kw.tolist(),
                "never_told": [asdict(one) for one in result.never_told],
                "warnings": [asdict(one) for one in result.warnings],
                "overrides": dict(change.values),
                "notes": [asdict(one) for one in change.notes],
                "areas": result.n_area, "days": result.n_day, "hours": result.n_hour,
                "hours_set_aside": result.n_set_aside, "coldest_felt_c": result.coldest_c,
            }
        )  # fmt: skip
        return
    rows = [
        [one.name, *(f"{number:.3g}" for number in (one.value, one.low, one.high)), one.unit,
         " ".join(VERDICT_TEXTS[one.verdict]), f"{one.reason.zh}\n{one.reason.en}"]
        for one in result.estimates
    ]  # fmt: skip
    headings = ["参数 parameter", "估计 value", "5 %", "95 %", "单位 unit", "判断 verdict", "理由 reason"]
    title = f"{result.n_area} 台区 areas, {result.n_day} 天 days, 最冷体感 coldest felt {result.coldest_c:.1f} °C"
    terminal.print_table(title, headings, rows)
    never = [[", ".join(one.names), f"{one.reason.zh}\n{one.reason.en}"] for one in result.never_told]
    terminal.print_table("台区总和永远无法确定 never told by sums of areas", ["参数 parameter", "理由 reason"], never)
    for heading, reasons in (("替换 overrides", change.notes), ("注意 warnings", result.warnings)):
        if reasons:
            terminal.print_table(heading, ["中文", "English"], [[one.zh, one.en] for one in reasons])
