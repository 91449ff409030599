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
    from gridcheck.demand.weather import WeatherReading

# Weather before the first reading that the walls still remember, and the longest gap in it that is bridged.
_MEMORY = pd.Timedelta(days=10)
_LONGEST_GAP = pd.Timedelta(hours=6)
_CHINA = pd.Timedelta(hours=8)
# Sentences of a reader of weather about what only a study has or needs.
_OF_A_STUDY = ("irradiance", "humidity", "the whole file is the study window")
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


def sample_readings(
    out: Path,
    county_code: str,
    scenario: Path,
    seed: int,
    networks: Path | None,
    *,
    days: int,
    for_calibration: bool,
) -> None:
    """Write a synthetic meter file of some cold-wave days, and what a calibration to it needs if wanted."""
    from gridcheck.reports.place import made_folder
    from gridcheck.sample_week import calibration_files, sample_week
    from gridcheck.scenario import read_scenario, require_counties

    chosen = read_scenario(scenario)
    require_counties((county_code,), "--county")
    if out.is_dir():
        raise InputError(f"{out} is a folder. Name a file to write.")
    with made_folder(out.parent):
        written = sample_week(
            chosen, county_code, out, seed=seed, networks=networks, days=days, for_calibration=for_calibration
        )
    beside = f", {', '.join(str(file) for file in calibration_files(out))}" if for_calibration else ""
    terminal.console().print(
        f"合成数据 synthetic: {out} ({written.n_row:,} rows, {out.stat().st_size / 2**20:.1f} MiB){beside}"
    )


def calibrate(areas: Path, weather: Path, store: Path, n_draw: int, seed: int, *, as_json: bool) -> None:
    """Calibrate to the readings of the areas in a table, and print what they tell and what not."""
    from gridcheck.demand.calibration import calibrate as calibrated
    from gridcheck.demand.calibration import overrides
    from gridcheck.demand.weather import read_weather

    homes = _homes(areas)
    reading = read_weather(weather, county_code="", longest_gap_h=_LONGEST_GAP / pd.Timedelta(hours=1))
    readings = _area_readings(homes, areas, reading, weather, store)
    result = calibrated(readings, np.random.default_rng(seed), n_draw=n_draw)
    _show_calibration(result, overrides(result), reading, as_json=as_json)


def _area_readings(
    homes: pd.DataFrame, areas: Path, reading: WeatherReading, weather: Path, store: Path
) -> list[AreaReadings]:
    from gridcheck.demand.calibration import AreaReadings
    from gridcheck.monitoring import ReadingsStore

    opened = ReadingsStore(store)
    days = opened.days()
    if not days:
        raise LedgerError(f"{store} holds no readings. Fill it with `gridcheck ingest FILE --store {store}`.")
    power = opened.read(days[0], days[-1], area_ids=set(homes["area_id"])).set_index(["area_id", "time_utc"])["p_kw"]
    silent = sorted(set(homes["area_id"]) - set(power.index.get_level_values(0)))
    if silent:
        raise InputError(f"{store} holds no readings of areas that stand in {areas}; take them out.", silent)
    temperature = _temperature(reading, weather, power.index.get_level_values(1))
    return [
        AreaReadings(
            area_id=str(row["area_id"]),
            time_utc=temperature.index.to_numpy(),
            power_kw=power.loc[row["area_id"]].reindex(temperature.index).to_numpy(dtype=np.float64),
            temperature_c=temperature.to_numpy(dtype=np.float64),
            homes=row["occupied_households"],
            converted={str(name): row[name] for name in homes.columns[2:]},
        )
        for row in homes.to_dict("records")
    ]


def _homes(file: Path) -> pd.DataFrame:
    """Read ``area_id``, ``occupied_households`` and the converted homes by class of heater."""
    from gridcheck.catalogue import DEVICE_CLASSES

    try:
        text = text_table(file)
    except SchemaError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a table of areas: {error}") from error
    missing = [name for name in ("area_id", "occupied_households") if name not in text]
    classes = [name for name in DEVICE_CLASSES if name in text]
    if not classes:
        missing.append(f"at least one class of heaters: {', '.join(DEVICE_CLASSES)}")
    if missing:
        raise SchemaError(f"{file} lacks columns that a calibration needs (see README); add them.", missing)
    names = ["occupied_households", *classes]
    numbers: pd.DataFrame = text[names].apply(pd.to_numeric, errors="coerce")
    findings = [
        f"row {row + 2}, column {name}: {text[name].iloc[row]!r} is no count of homes from 0 on"
        for name in names
        for row in np.flatnonzero(~(numbers[name] >= 0.0)).tolist()
    ]
    if findings:
        raise SchemaError(f"{file}: write the number of homes, 0 where there are none.", findings)
    numbers.insert(0, "area_id", text["area_id"])
    return numbers


def _temperature(reading: WeatherReading, file: Path, read_utc: pd.Index[Any]) -> pd.Series[Any]:
    """Return temperatures by quarter hour, from some days before the first reading to the last one."""
    course = pd.Series(reading.weather.temperature_c, index=pd.DatetimeIndex(reading.weather.time_utc))
    first, last = read_utc.min(), read_utc.max()
    if course.index[0] > first or course.index[-1] < last - _LONGEST_GAP:
        wanted, held = (
            " to ".join(f"{at + _CHINA:%Y-%m-%d %H:%M}" for at in ends)
            for ends in ((first, last), (course.index[0], course.index[-1]))
        )
        raise InputError(
            f"{file} must reach from {wanted} (Asia/Shanghai), the time of the readings; it holds {held}. Take a "
            "longer file of weather."
        )
    grid = pd.date_range(max(course.index[0], first - _MEMORY), last, freq="15min")
    return pd.Series(course.reindex(grid, method="ffill"))


def _notes(reading: WeatherReading) -> list[str]:
    """Return what was recognised in the weather file, without what a calibration does not use."""
    return [note for note in reading.notes if not note.startswith(_OF_A_STUDY)]


def _show_calibration(result: Calibration, change: Overrides, reading: WeatherReading, *, as_json: bool) -> None:
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
                "weather": {"read_as": _notes(reading), "repairs": list(reading.repairs)},
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
    sentences = [["读取 read as", note] for note in _notes(reading)] + [
        ["修补 repaired", one] for one in reading.repairs
    ]
    terminal.print_table(f"天气 weather: {reading.weather.label}", terminal.ITEMS, sentences)
    never = [["\n".join(one.names), f"{one.reason.zh}\n{one.reason.en}"] for one in result.never_told]
    terminal.print_table("台区总和永远无法确定 never told by sums of areas", ["参数 parameter", "理由 reason"], never)
    for heading, reasons in (("替换 overrides", change.notes), ("注意 warnings", result.warnings)):
        if reasons:
            terminal.print_table(heading, ["中文", "English"], [[one.zh, one.en] for one in reasons])
