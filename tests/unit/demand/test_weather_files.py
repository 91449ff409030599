"""Readers of weather files, against files written by hand."""

import calendar
from datetime import date, timedelta

import numpy as np
import pytest

from gridcheck.demand.clock import local_day, local_hour, local_midnight_utc
from gridcheck.demand.weather import read_weather
from gridcheck.demand.weather.headings import recognised_columns
from gridcheck.errors import ConfigError, InputError, SchemaError
from tests.support.weather_files import EPW_HEADING, epw_line, write_epw, write_table

BASIN = "140802"
YUNCHENG_MEAN = (-0.6, 3.6, 9.7, 15.4, 20.8, 25.7, 26.2, 26.1, 21.0, 15.0, 6.7, 1.0)


def read(path, **arguments):
    return read_weather(path, county_code=BASIN, **arguments)


def hours(n: int, *, first: str = "2026-01-20 00:00", step_min: int = 60) -> list[str]:
    times = np.datetime64(first) + np.arange(n) * np.timedelta64(step_min, "m")
    return [str(moment).replace("T", " ") for moment in times.astype("datetime64[m]")]


def table(tmp_path, heading: str, values: list[str], times: list[str] | None = None):
    times = hours(len(values)) if times is None else times
    return write_table(tmp_path / "own.csv", heading, [f"{t},{v}" for t, v in zip(times, values, strict=True)])


def quarter(weather, local: str) -> int:
    moment = np.datetime64(local, "ns") - np.timedelta64(8, "h")
    return int(np.flatnonzero(weather.time_utc == moment)[0])


# --------------------------------------------------------------------------------------------------------------- EPW


def typical_epw(tmp_path):
    """A typical year, each month from another year, with its mean, and the day of the month as hundredths."""
    lines = [
        epw_line(
            2000 + month, month, day, hour, dry_bulb=YUNCHENG_MEAN[month - 1] + day / 100 + hour / 1000, ghi=10 * hour
        )
        for month in range(1, 13)
        for day in range(1, calendar.monthrange(2001, month)[1] + 1)
        for hour in range(1, 25)
    ]
    return write_epw(tmp_path / "typical.epw", lines)


def test_typical_year_is_laid_into_the_winter_of_the_study(tmp_path):
    reading = read(typical_epw(tmp_path), start=date(2025, 12, 30), days=4)
    weather = reading.weather
    assert weather.time_utc[weather.study][0] == local_midnight_utc(date(2025, 12, 30))
    assert len(weather.time_utc[weather.study]) == 4 * 96
    # Hour 13 of 31 December is 12:00 to 13:00; its centre is 12:30, between the second and the third quarter.
    at = quarter(weather, "2025-12-31T12:15")
    assert (weather.temperature_c[at] + weather.temperature_c[at + 1]) / 2 == pytest.approx(1.0 + 0.31 + 0.013)
    # January comes from the year 2001 of the file and follows December of 2012.
    at = quarter(weather, "2026-01-01T12:15")
    assert (weather.temperature_c[at] + weather.temperature_c[at + 1]) / 2 == pytest.approx(-0.6 + 0.01 + 0.013)
    assert weather.solar_w_per_m2[quarter(weather, "2026-01-01T12:00")] == 130.0
    assert "a typical year, laid into July 2025 to June 2026" in reading.notes
    assert any("place at 365 m" in note for note in reading.notes)
    assert reading.repairs == ()
    assert not weather.synthetic


def test_leap_winter_of_a_typical_year_repeats_28_february(tmp_path):
    reading = read(typical_epw(tmp_path), start=date(2028, 2, 27), days=4)
    weather = reading.weather
    noon = [quarter(weather, f"2028-02-{day}T12:00") for day in (27, 28, 29)]
    assert weather.temperature_c[noon] - 3.6 - 0.0125 == pytest.approx([0.27, 0.28, 0.28], abs=2e-3)
    assert any("28 February repeated" in note for note in reading.notes)


def test_typical_year_needs_to_know_its_winter(tmp_path):
    with pytest.raises(InputError, match="Give the first day of the study window"):
        read(typical_epw(tmp_path))


def real_epw(tmp_path, change=None, heading=EPW_HEADING, n_days=3):
    lines = []
    for index in range(24 * n_days):
        day = date(2021, 1, 6) + timedelta(days=index // 24)
        values = {"dry_bulb": -10.0 + index / 10, "rh": 40, "ghi": 100} | ((change or {}).get(index, {}))
        lines.append(epw_line(day.year, day.month, day.day, index % 24 + 1, **values))
    return write_epw(tmp_path / "real.epw", lines, heading)


def test_epw_of_one_year_keeps_its_dates_and_its_time_zone(tmp_path):
    weather = read(real_epw(tmp_path)).weather
    assert weather.time_utc[0] == np.datetime64("2021-01-05T16:00", "ns")
    assert weather.study == slice(0, 3 * 96)
    seven = real_epw(tmp_path, heading=EPW_HEADING.replace("111.05,8.0", "111.05,7.0"))
    assert read(seven).weather.time_utc[0] == np.datetime64("2021-01-05T17:00", "ns")


def test_epw_markers_are_missing_values_and_are_filled_and_reported(tmp_path):
    change = {10: {"dry_bulb": 99.9}, 11: {"dry_bulb": 99.9}, 20: {"rh": 999}, 30: {"ghi": 9999}}
    reading = read(real_epw(tmp_path, change))
    plain = read(real_epw(tmp_path)).weather
    assert reading.weather.temperature_c == pytest.approx(plain.temperature_c)
    assert reading.weather.humidity_percent == pytest.approx(40.0)
    assert reading.weather.solar_w_per_m2 == pytest.approx(100.0)
    assert "temperature: 2 values are missing by the marker 99.9" in reading.repairs
    assert (
        "temperature: 2 of 72 values were missing in 1 gaps, the longest 2 h from 2021-01-06 10:00 (Asia/Shanghai); "
        "filled by straight lines"
    ) in reading.repairs


def test_epw_without_sun_says_so(tmp_path):
    reading = read(real_epw(tmp_path, {index: {"ghi": 9999} for index in range(72)}))
    assert not reading.weather.solar_w_per_m2.any()
    assert any("irradiance is not in the file" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("heading", "lines", "message"),
    [
        (EPW_HEADING.replace("8.0,365.0", "east,365.0"), None, "time zone and height"),
        (EPW_HEADING.replace("DATA PERIODS,1,1", "DATA PERIODS,1,7"), None, "records an hour"),
        (EPW_HEADING, ["2021,1,6"], "35 fields"),
        (EPW_HEADING, [epw_line(2021, 1, 6, hour, dry_bulb=0.0) for hour in (0, 1)], "row 9: 2021,1,6,0"),
        (EPW_HEADING, [epw_line(2021, 2, 30, hour, dry_bulb=0.0) for hour in (1, 2)], "row 9: 2021,2,30"),
        (EPW_HEADING, [epw_line(2021, 1, 6, 1, dry_bulb="warm"), epw_line(2021, 1, 6, 2, dry_bulb=0)], "row 9: 'warm'"),
        (EPW_HEADING, [epw_line(2021, 1, 6, 1, dry_bulb=75.0), epw_line(2021, 1, 6, 2, dry_bulb=0)], "row 9: 75 degC"),
    ],
)
def test_broken_epw_is_refused_by_line(tmp_path, heading, lines, message):
    lines = [epw_line(2021, 1, 6, hour, dry_bulb=0.0) for hour in (1, 2)] if lines is None else lines
    with pytest.raises(SchemaError, match=message):
        read(write_epw(tmp_path / "broken.epw", lines, heading))


# ----------------------------------------------------------------------------------------------- headings and units


@pytest.mark.parametrize(
    ("heading", "quantity", "unit"),
    [
        ("时间", "time", ""),
        ("北京时间", "time", "Asia/Shanghai"),
        ("time (UTC)", "time", "UTC"),
        ("datetime", "time", ""),
        ("日期", "date", ""),
        ("气温(℃)", "temperature_c", "degC"),
        ("温度（摄氏度）", "temperature_c", "degC"),
        ("气温/℃", "temperature_c", "degC"),
        ("temperature_c", "temperature_c", "degC"),
        ("Dry Bulb [degC]", "temperature_c", "degC"),
        ("temperature_2m (°C)", "temperature_c", "degC"),
        ("Temperature (°F)", "temperature_c", "degF"),
        ("temp [K]", "temperature_c", "K"),
        ("相对湿度(%)", "humidity_percent", "%"),
        ("RH", "humidity_percent", ""),
        ("rh [fraction]", "humidity_percent", "fraction"),
        ("总辐射(W/㎡)", "solar_w_per_m2", "W/m2"),
        ("ghi_w_per_m2", "solar_w_per_m2", "W/m2"),
        ("shortwave_radiation (W/m²)", "solar_w_per_m2", "W/m2"),
        ("辐射量(MJ/m²)", "solar_w_per_m2", "MJ/m2"),
        ("GHI [kJ/m^2]", "solar_w_per_m2", "kJ/m2"),
    ],
)
def test_headings_are_recognised_with_their_units(heading, quantity, unit):
    others = [name for name, other in (("time", "time"), ("气温", "temperature_c")) if other != quantity]
    found = recognised_columns([*others, heading], where="own.csv")
    assert (found[quantity].heading, found[quantity].unit) == (heading, unit)


def test_columns_of_other_things_are_left_aside():
    names = [
        "time",
        "气温",
        "露点温度(℃)",
        "temperature_max",
        "风速(m/s)",
        "radiation_longwave",
        "time_zone",
        "温度等级",
    ]
    assert set(recognised_columns(names, where="own.csv")) == {"time", "temperature_c"}


@pytest.mark.parametrize(
    ("headings", "message"),
    [
        (["time", "风速"], "no column of temperature_c"),
        (["气温", "风速"], "no column of time"),
        (["time", "气温(℃)", "temperature [K]"], "both hold temperature_c: keep one"),
        (["time", "气温(列氏)"], "unit '列氏' is not known; allowed are K, degC, degF"),
        (["time", "温度(度)"], "unit '度' is not known"),
        (["time (JST)", "气温"], "unit 'jst' is not known"),
    ],
)
def test_headings_that_are_not_clear_are_refused(headings, message):
    with pytest.raises(SchemaError, match=message):
        recognised_columns(headings, where="own.csv")


@pytest.mark.parametrize(
    ("heading", "value", "expected_c"),
    [
        ("气温(℃)", "-10", -10.0),
        ("temp (F)", "14", -10.0),
        ("temperature [K]", "263.15", -10.0),
        ("温度", "-10", -10.0),
    ],
)
def test_temperature_is_converted_as_its_heading_says(tmp_path, heading, value, expected_c):
    reading = read(table(tmp_path, f"time,{heading}", [value] * 24))
    assert reading.weather.temperature_c == pytest.approx(expected_c)
    assert any(repr(heading) in note and ("converted" in note) == (heading[0] == "t") for note in reading.notes)


@pytest.mark.parametrize(
    ("offset_c", "convert"),
    [(0.0, lambda c: c * 1.8 + 32.0), (0.0, lambda c: c + 273.15), (8.0, lambda c: c * 1.8 + 32)],
)
@pytest.mark.parametrize("month", range(1, 13))
def test_fahrenheit_and_kelvin_without_a_unit_are_never_taken_for_celsius(tmp_path, month, offset_c, convert):
    values = [f"{convert(YUNCHENG_MEAN[month - 1] - offset_c + 5 * np.sin(h / 4)):.2f}" for h in range(48)]
    times = hours(48, first=f"2026-{month:02d}-12 00:00")
    with pytest.raises(SchemaError, match=r"own.csv: column 'temperature' names no unit.*Write the unit"):
        read(table(tmp_path, "time,temperature", values, times))


@pytest.mark.parametrize("offset_c", [-10.0, 0.0, 8.0])
@pytest.mark.parametrize("month", range(1, 13))
def test_celsius_without_a_unit_is_taken_in_every_season_and_said(tmp_path, month, offset_c):
    values = [f"{YUNCHENG_MEAN[month - 1] + offset_c + 5 * np.sin(h / 4):.2f}" for h in range(48)]
    reading = read(table(tmp_path, "time,temperature", values, hours(48, first=f"2026-{month:02d}-12 00:00")))
    assert any("in degC, because every month lies within 15 K" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("heading", "value", "expected"),
    [("RH (%)", "58", 58.0), ("rh [fraction]", "0.58", 58.0), ("湿度", "0.58", 58.0), ("湿度", "58", 58.0)],
)
def test_humidity_in_percent_and_as_a_fraction(tmp_path, heading, value, expected):
    reading = read(table(tmp_path, f"time,气温(℃),{heading}", [f"0,{value}"] * 24))
    assert reading.weather.humidity_percent == pytest.approx(expected)


def test_humidity_that_could_be_either_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"'rh' names no unit.*'rh \[%\]'"):
        read(table(tmp_path, "time,气温(℃),rh", ["0,1.5"] * 24))


@pytest.mark.parametrize(
    ("unit", "step_min", "value"),
    # 360 W/m2 for an hour are 360 Wh, 1296 kJ, 1.296 MJ; a quarter of it in a quarter of an hour.
    [("W/m2", 60, 360), ("Wh/m2", 60, 360), ("kJ/m2", 60, 1296), ("MJ/m2", 60, 1.296), ("kJ/m2", 15, 324)],
)
def test_irradiance_as_power_and_as_energy_of_a_step(tmp_path, unit, step_min, value):
    path = table(tmp_path, f"time,气温(℃),ghi [{unit}]", [f"0,{value}"] * 24, hours(24, step_min=step_min))
    assert read(path).weather.solar_w_per_m2 == pytest.approx(360.0)


def sunny_day(factor: float) -> list[str]:
    return [f"0,{max(0.0, 450 * np.sin(np.pi * (h % 24 - 7) / 11)) * factor:.3f}" for h in range(48)]


def test_irradiance_without_a_unit_is_taken_as_power_where_it_can_be(tmp_path):
    reading = read(table(tmp_path, "time,气温(℃),辐射", sunny_day(1.0)))
    assert any("'辐射' is irradiance in W/m2, because" in note for note in reading.notes)


@pytest.mark.parametrize("factor", [1.8, 3.6, 3.6e-3, 1e-3])
def test_energies_without_a_unit_are_not_taken_for_power(tmp_path, factor):
    with pytest.raises(SchemaError, match="times the normal sun"):
        read(table(tmp_path, "time,气温(℃),辐射", sunny_day(factor)))


def test_values_that_cannot_be_are_refused_by_row(tmp_path):
    with pytest.raises(SchemaError, match="row 4: 71 degC") as caught:
        read(table(tmp_path, "time,气温(℃)", ["0", "0", "71", "0"]))
    assert "column '气温(℃)'" in str(caught.value)


# -------------------------------------------------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-01-20 00:00", "2026-01-20 01:00"),
        ("2026/1/20 0:00", "2026/1/20 1:00:00"),
        ("2026年1月20日0时", "2026年1月20日1时"),
        ("2026-01-20T00:00:00+08:00", "2026-01-20T01:00:00+08:00"),
        ("2026-01-19T16:00Z", "2026-01-19T17:00Z"),
        ("2026012000", "2026012001"),
        ("202601200000", "202601200100"),
    ],
)
def test_times_in_many_forms_are_the_same_moment(tmp_path, first, second):
    weather = read(table(tmp_path, "time,气温(℃)", ["0", "0"], [first, second])).weather
    assert weather.time_utc[0] == np.datetime64("2026-01-19T16:00", "ns")
    assert len(weather.time_utc) == 8


def test_date_and_hour_in_two_columns(tmp_path):
    path = write_table(tmp_path / "own.csv", "日期,小时,气温(℃)", lambda h: f"2026-01-20,{h},0", n=24)
    assert read(path).weather.time_utc[0] == local_midnight_utc(date(2026, 1, 20))


def test_hours_from_1_to_24_name_the_end_of_their_interval(tmp_path):
    def celsius(h: int) -> float:
        return -3.0 - 5.0 * float(np.cos(2.0 * np.pi * (h - 4) / 24.0))

    start = write_table(tmp_path / "start.csv", "日期,小时,气温(℃)", lambda h: f"2026-01-20,{h},{celsius(h)}", n=24)
    end = write_table(tmp_path / "end.csv", "日期,小时,气温(℃)", lambda h: f"2026-01-20,{h + 1},{celsius(h)}", n=24)
    one_cell = write_table(tmp_path / "cell.csv", "时间,气温(℃)", lambda h: f"2026-01-20 {h + 1}:00,{celsius(h)}", n=24)
    expected = read(start)

    for path in (end, one_cell):
        found = read(path)
        assert found.weather.time_utc[0] == local_midnight_utc(date(2026, 1, 20))
        np.testing.assert_array_equal(found.weather.temperature_c, expected.weather.temperature_c)
        assert any("each names the end of its interval, because there is 24:00 and no 00:00" in n for n in found.notes)
    assert any("each names the start of its interval" in note for note in expected.notes)


def test_quarters_from_0015_to_2400_name_the_end_of_their_interval(tmp_path):
    times = hours(96, first="2026-01-20 00:15", step_min=15)
    times[-1] = "2026-01-20 24:00"
    weather = read(table(tmp_path, "time,气温(℃)", [str(n) for n in np.linspace(-5, 5, 96)], times)).weather
    assert weather.time_utc[0] == local_midnight_utc(date(2026, 1, 20))


def test_midnight_may_be_written_as_the_end_of_the_day_before(tmp_path):
    """With 00:00 in the same file, 24:00 is but another way to write it."""
    times = ["2026-01-19 24:00", *hours(47, first="2026-01-20 01:00")]
    reading = read(table(tmp_path, "time,气温(℃)", ["0"] * 48, times))
    assert reading.weather.time_utc[0] == local_midnight_utc(date(2026, 1, 20))
    assert any("each names the start of its interval" in note for note in reading.notes)


def test_naive_times_are_shanghai_unless_said_and_the_reading_says_so(tmp_path):
    path = table(tmp_path, "time,气温(℃)", ["0"] * 2)
    assert any("read as Asia/Shanghai" in note for note in read(path).notes)
    assert read(path, time_zone="UTC").weather.time_utc[0] == np.datetime64("2026-01-20T00:00", "ns")
    with pytest.raises(ConfigError, match="Shanxi' is not known"):
        read(path, time_zone="Asia/Shanxi")
    path = table(tmp_path, "time (UTC),气温(℃)", ["0"] * 2)
    assert read(path).weather.time_utc[0] == np.datetime64("2026-01-20T00:00", "ns")


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2026-01-20 00:00", "2026-01-20 01:00", "2026-01-20 00:00"], "row 4: goes back from row 3"),
        (
            ["2026-01-20 00:00", "2026-01-20 01:00", "2026-01-20 01:00"],
            r"1 time stands twice, first in row 4(.|\n)*row 4: repeats row 3, 2026-01-20 01:00",
        ),
        (
            ["2026-01-20 00:00+08:00", "2026-01-20 01:00+08:00", "2026-01-20 02:00+07:00"],
            "offsets are mixed(.|\n)*row 4",
        ),
        (["2026-01-20 00:00+08:00", "2026-01-20 01:00", "2026-01-20 02:00"], "offsets are mixed(.|\n)*row 3"),
        (["01/02/2026 00:00", "01/02/2026 01:00", "01/02/2026 02:00"], "year first(.|\n)*row 2"),
        (["2026-02-29 00:00", "2026-03-01 01:00", "2026-03-01 02:00"], "row 2: '2026-02-29 00:00'"),
        (["2026-01-20 00:00", "2026-01-20 25:00", "2026-01-21 02:00"], "row 3: '2026-01-20 25:00'"),
        (["2026-01-20 00:00", "2026-01-20 01:00", "2026-01-20 02:20"], "row 4: 2026-01-20 02:20"),
        (["2026-01-20 00:00", "2026-01-20 03:00", "2026-01-20 06:00"], "180 min apart"),
    ],
)
def test_times_that_are_wrong_name_file_and_row(tmp_path, times, message):
    with pytest.raises(SchemaError, match=message) as caught:
        read(table(tmp_path, "time,气温(℃)", ["0"] * len(times), times))
    assert "own.csv" in str(caught.value)


# ---------------------------------------------------------------------------------------------------- gaps and steps


def test_hours_become_quarters_by_hand(tmp_path):
    weather = read(table(tmp_path, "time,气温(℃),ghi [W/m2]", ["0,100", "4,300"])).weather
    # Centres of the hours lie at 30 and 90 min, those of the quarters at 7.5, 22.5, ... min: 4 K in 60 min.
    assert weather.temperature_c == pytest.approx([0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4])
    assert weather.solar_w_per_m2.tolist() == [100.0] * 4 + [300.0] * 4


def test_ten_minutes_become_quarters_by_hand_and_keep_their_energy(tmp_path):
    values = [f"0,{ghi}" for ghi in (0, 60, 120, 180, 240, 300)]
    weather = read(table(tmp_path, "time,气温(℃),ghi [W/m2]", values, hours(6, step_min=10))).weather
    # 15 min hold 10 min of 0 and 5 of 60: 20; then 5 of 60 and 10 of 120: 100; and so on.
    assert weather.solar_w_per_m2 == pytest.approx([20.0, 100.0, 200.0, 280.0])
    assert weather.solar_w_per_m2.sum() * 15 == pytest.approx(900 * 10)


def test_quarters_are_taken_as_they_are(tmp_path):
    values = [str(value) for value in (0.1, -0.2, 3.3, 1.7)]
    weather = read(table(tmp_path, "time,气温(℃)", values, hours(4, step_min=15))).weather
    assert weather.temperature_c.tolist() == [0.1, -0.2, 3.3, 1.7]


def test_short_gaps_are_filled_and_counted(tmp_path):
    times, values = hours(24), [str(float(h)) for h in range(24)]
    # Three hours without rows, and two empty or marked cells elsewhere.
    values[3], values[20] = "", "-9999"
    times, values = times[:10] + times[13:], values[:10] + values[13:]
    reading = read(table(tmp_path, "time,气温(℃)", values, times))
    whole = read(table(tmp_path, "time,气温(℃)", [str(float(h)) for h in range(24)]))
    assert reading.weather.temperature_c == pytest.approx(whole.weather.temperature_c)
    assert reading.repairs == (
        "temperature: 1 values are missing by the marker of the weather service",
        "temperature: 5 of 24 values were missing in 3 gaps, the longest 3 h from 2026-01-20 10:00 (Asia/Shanghai); "
        "filled by straight lines",
    )
    assert whole.repairs == ()


def test_a_long_gap_is_refused_with_its_first_missing_time_unless_allowed(tmp_path):
    times = hours(72)
    times = times[:30] + times[54:]
    path = table(tmp_path, "time,气温(℃)", ["-5"] * len(times), times)
    with pytest.raises(
        SchemaError,
        match=r"missing for longer than 3 h\. Fill the gaps in the file(.|\n)*from 2026-01-21 06:00 .*: 24 h",
    ):
        read(path)
    assert "24 of 72 values" in read(path, longest_gap_h=24).repairs[0]


def winters(*firsts: str) -> list[str]:
    return [moment for first in firsts for moment in hours(48, first=f"{first} 00:00")]


@pytest.mark.parametrize(
    ("firsts", "message"),
    [
        (
            ("2025-01-08", "2026-01-08"),
            r"own.csv holds two periods with months between them(.|\n)*"
            r"2025-01-08 to 2025-01-09, rows 2 to 49\n(.|\n)*2026-01-08 to 2026-01-09, rows 50 to 97",
        ),
        (("2024-01-08", "2025-01-08", "2026-01-08"), "holds 3 periods"),
        (("2026-01-08", "2026-02-06"), "everything is missing for longer than 3 h"),
        (("2026-01-08", "2026-02-08"), "holds two periods"),
    ],
)
def test_winters_with_months_between_them_are_told_as_periods(tmp_path, firsts, message):
    times = winters(*firsts)
    with pytest.raises(SchemaError, match=message):
        read(table(tmp_path, "time,气温(℃)", ["-1"] * len(times), times))


def test_what_instruments_show_beyond_the_possible_is_cut_and_counted(tmp_path):
    path = table(tmp_path, "time,气温(℃),ghi [W/m2],rh [%]", ["0,-3,102", "0,10,100"])
    reading = read(path)
    assert (reading.weather.solar_w_per_m2.min(), reading.weather.humidity_percent.max()) == (0.0, 100.0)
    assert reading.repairs[0] == "irradiance: 4 quarters of an hour outside [0, inf] were set to the nearest bound"
    assert reading.repairs[1].startswith("humidity: ")


def test_study_window_has_its_warm_up_before_it(tmp_path):
    path = table(tmp_path, "time,气温(℃)", ["0"] * 24 * 20)
    weather = read(path, start=date(2026, 2, 1), days=3).weather
    assert (weather.study, len(weather.time_utc)) == (slice(960, 960 + 288), 960 + 288)
    assert str(local_day(weather.time_utc[weather.study])[0]) == "2026-02-01"
    assert local_hour(weather.time_utc[weather.study])[0] == 0.0
    short = read(path, start=date(2026, 1, 22))
    assert any("only 2.0 of 10 days of warm-up" in note for note in short.notes)
    with pytest.raises(InputError, match="holds 2026-01-20 to 2026-02-08, the study asks for 3 days from 2026-02-07"):
        read(path, start=date(2026, 2, 7), days=3)
    with pytest.raises(InputError, match="days without start"):
        read(path, days=3)


def test_typical_year_in_a_table_is_laid_when_told(tmp_path):
    times = [f"{year}-{month:02d}-{day:02d} {hour:02d}:00" for year, month, day in
             [(2009, 1, 1), (2009, 1, 2), (2003, 12, 30), (2003, 12, 31)] for hour in range(24)]  # fmt: skip
    path = table(tmp_path, "time,气温(℃)", [str(row // 24) for row in range(96)], times)
    with pytest.raises(SchemaError, match="read as an EPW file; in a table write one winter's years"):
        read(path)
    weather = read(path, typical=True, start=date(2025, 12, 30)).weather
    assert weather.temperature_c[48::96].tolist() == [2.0, 3.0, 0.0, 1.0]


# ------------------------------------------------------------------------------------------------------ hostile files


def test_a_table_of_a_chinese_spreadsheet(tmp_path):
    rows = [f"{moment},-8.5,55,0" for moment in hours(24)]
    path = write_table(tmp_path / "own.csv", "时间,气温(℃),相对湿度(%),总辐射(W/m2)", rows, encoding="gb18030")
    reading = read(path)
    assert reading.weather.temperature_c == pytest.approx(-8.5)
    assert "the file is written in gb18030" in reading.notes


def test_marks_semicolons_and_tabs(tmp_path):
    for encoding, sign in (("utf-8-sig", ","), ("utf-8", ";"), ("utf-8", "\t")):
        rows = [f"{moment}{sign}-8.5" for moment in hours(24)]
        path = write_table(tmp_path / "own.csv", f"时间{sign}气温(℃)", rows, encoding=encoding)
        assert read(path).weather.temperature_c == pytest.approx(-8.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \r\n \n", "is empty"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "web page"),
        (b"\xef\xbb\xbf\n<html>", "web page"),
        (b"PK\x03\x04abc", "workbook"),
        ("time,气温\n2026-01-20,0\n".encode("utf-16"), "not text"),
        (b"time,\xff\xff\xff\n", "not text"),
        (b"time,temperature\n", "0 rows"),
        (b'time,temperature\n"2026-01-20 00:00,0\n', "not a table"),
        (b"time,temperature [degC]\n2026-01-20 00:00,0\n2026-01-20 01:00,0,7\n", "row 3: 3 cells"),
        (b"time,temperature [degC]\n2026-01-20 00:00,0\n2026-01-20 01:00,warm\n", "row 3: 'warm'"),
        (b"time,temperature [degC]\n2026-01-20 00:00,0\n2026-01-20 01:00,inf\n", "row 3: 'inf'"),
        (b"time,temperature [degC]\n2026-01-20 00:00,\n2026-01-20 01:00,\n", "is empty"),
        (b"time,time,temperature\n1,2,3\n4,5,6\n", "more than once"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path, content, message):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert "own.csv" in str(caught.value)


def test_missing_files_folders_and_huge_files(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path)
    monkeypatch.setattr("gridcheck.demand.weather.text_files._LARGEST", 10)
    with pytest.raises(InputError, match="Cut it to the winters"):
        read(table(tmp_path, "time,气温(℃)", ["0"] * 24))
