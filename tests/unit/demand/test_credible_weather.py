"""Weather whose unit or zone cannot be what was taken, and real winters that are never refused."""

import numpy as np
import pytest

from gridcheck.demand.weather import read_weather
from gridcheck.errors import InputError, SchemaError
from tests.support.weather_files import EPW_HEADING, epw_line, write_epw, write_table

FIRST = np.datetime64("2025-12-01T00:00")
DAYS = 62  # December and January
JANUARY = 31 * 24
NORMAL = (1.0, -0.6)  # published means of December and January in Yuncheng


def read(path):
    return read_weather(path, county_code="140802")


def course(offset_k: float = 0.0, *, warmest: int = 16, days: int = DAYS) -> np.ndarray:
    """Hours of a winter: the month's normal, a swing of 10 K with its highest value at an hour, an offset."""
    hour = np.arange(24 * days)
    level = np.where(hour < JANUARY, *NORMAL)
    return level + offset_k + 5.0 * np.cos(2 * np.pi * (hour % 24 - warmest) / 24)


def sun(noon: float = 12.5, *, days: int = DAYS) -> np.ndarray:
    """Half sines of ten hours about a noon: the start of an hour is half an hour before its middle."""
    away = (np.arange(24 * days) % 24 + 0.5 - noon + 12.0) % 24.0 - 12.0
    return np.maximum(400.0 * np.cos(np.pi * away / 10.0), 0.0) * (np.abs(away) < 5.0)


def table(tmp_path, temperature, solar=None, *, heading="时间,气温(℃)"):
    times = FIRST + np.arange(len(temperature)) * np.timedelta64(1, "h")
    cells = [[str(t), f"{c:.2f}"] for t, c in zip(times, temperature, strict=True)]
    if solar is not None:
        heading += ",总辐射(W/m2)"
        cells = [[*row, f"{w:.1f}"] for row, w in zip(cells, solar, strict=True)]
    return write_table(tmp_path / "own.csv", heading, [",".join(row) for row in cells])


def epw(tmp_path, temperature, solar, *, zone="8.0"):
    lines = []
    for index, (celsius, watt) in enumerate(zip(temperature, solar, strict=True)):
        day = (FIRST + np.timedelta64(index, "h")).astype("datetime64[D]").item()
        lines.append(
            epw_line(day.year, day.month, day.day, index % 24 + 1, dry_bulb=round(celsius, 2), ghi=round(watt, 1))
        )
    return write_epw(tmp_path / "own.epw", lines, EPW_HEADING.replace("111.05,8.0", f"111.05,{zone}"))


# ---------------------------------------------------------------------------------------------------------------- unit


def test_fahrenheit_under_a_heading_of_celsius_is_refused(tmp_path):
    # December: 1.0 degC are 33.8 degF, 32.8 above the normal.
    with pytest.raises(
        InputError, match=r"2025-12 have a mean of 33\.8 degC, 33 K above.*look like degF.*temperature \[degF\]"
    ):
        read(table(tmp_path, course() * 1.8 + 32.0))


def test_celsius_under_a_heading_of_fahrenheit_is_refused(tmp_path):
    with pytest.raises(InputError, match="look like degC that were converted as if they were degF"):
        read(table(tmp_path, course(), heading="时间,气温(℉)"))


def test_fahrenheit_in_an_epw_file_is_refused_with_the_field_to_mend(tmp_path):
    with pytest.raises(InputError, match=r"look like degF.*EPW file holds degC in field 7"):
        read(epw(tmp_path, course() * 1.8 + 32.0, sun()))


def test_impossible_values_of_an_epw_file_name_no_heading(tmp_path):
    with pytest.raises(SchemaError, match=r"An EPW file holds degC"):
        read(epw(tmp_path, course() * 1.8 + 62.0, sun()))


@pytest.mark.parametrize("offset_k", [-5.0, 5.0, -5.0 - 7.4])
def test_the_coldest_month_on_record_also_at_1500_m_and_a_warm_one_are_taken(tmp_path, offset_k):
    weather = read(table(tmp_path, course(offset_k))).weather
    assert weather.temperature_c.mean() == pytest.approx(0.2 + offset_k, abs=0.02)


def test_the_record_wave_is_taken_even_where_the_file_holds_nothing_else(tmp_path):
    # Two days of 14 degC below zero on the mean, 19 at their coldest, at 1500 m.
    assert read(table(tmp_path, np.full(48, -14.0 - 7.4))).weather.temperature_c.max() == pytest.approx(-21.4)


# ---------------------------------------------------------------------------------------------------------------- zone


def test_utc_without_a_zone_is_refused_where_the_sun_shows_it(tmp_path):
    # Noon of 12:36 in Beijing is 04:36 in UTC; the sun shines from before midnight.
    with pytest.raises(
        InputError, match=r"read as Asia/Shanghai.*comes at 04:3\d Beijing time.*look like UTC.*time \(U"
    ):
        read(table(tmp_path, course(), sun(4.6)))
    assert read(table(tmp_path, course(), sun(4.6), heading="time (UTC),气温(℃)")).weather.solar_w_per_m2.any()


@pytest.mark.parametrize("noon", [9.7, 12.6, 15.5])
def test_a_sun_within_three_hours_of_noon_is_taken(tmp_path, noon):
    assert read(table(tmp_path, course(), sun(noon))).weather.solar_w_per_m2.any()


def test_an_epw_file_of_another_zone_than_its_sun_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\+0 h from UTC.*comes at 20:\d\d .*look like Beijing time.*field 9"):
        read(epw(tmp_path, course(), sun(12.6), zone="0.0"))
    # Hours of UTC in a file that says so are right, wherever its place lies.
    assert read(epw(tmp_path, course(), sun(4.6), zone="0.0")).weather.solar_w_per_m2.any()


def test_a_sun_without_a_noon_says_nothing_of_the_zone(tmp_path):
    assert read(table(tmp_path, course(), np.full(24 * DAYS, 90.0))).weather.solar_w_per_m2.min() == 90.0


@pytest.mark.parametrize(("warmest", "doubtful"), [(16, False), (14, False), (8, True), (0, True)])
def test_without_a_sun_the_hours_of_the_temperature_make_the_zone_doubtful(tmp_path, warmest, doubtful):
    notes = read(table(tmp_path, course(warmest=warmest))).notes
    assert any(note.startswith("CHECK THE ZONE OF THE TIMES") for note in notes) == doubtful
