"""Spikes, dead sensors, and sun and humidity in another unit than their heading says."""

import numpy as np
import pytest

from gridcheck.demand.weather import read_weather, scenario_weather
from gridcheck.demand.weather.cold_waves import cold_waves
from gridcheck.errors import InputError, SchemaError
from tests.support.weather_files import epw_line, write_epw, write_table

DAYS = 6
FIRST = np.datetime64("2026-01-20T00:00")
HOURS = np.arange(24 * DAYS)
AT = 30  # 2026-01-21 06:00, row 32 of the file


def read(path):
    return read_weather(path, county_code="140802")


def night_and_day() -> np.ndarray:
    """Hours from 8 degC below zero at 6:00 to 2 above at 18:00."""
    return -3.0 - 5.0 * np.cos(2 * np.pi * (HOURS % 24 - 6) / 24)


def sun(noon: float = 400.0) -> np.ndarray:
    clock = HOURS % 24
    return np.maximum(noon * np.sin(np.pi * (clock + 0.5 - 7.6) / 10.0), 0.0) * (clock > 6) * (clock < 18)


def table(tmp_path, temperature, heading="time,temperature [degC]", *others, step_min=60):
    times = FIRST + np.arange(len(temperature)) * np.timedelta64(step_min, "m")
    rows = [
        ",".join([str(time), *("" if np.isnan(value) else f"{value:.4f}" for value in values)])
        for time, *values in zip(times, temperature, *others, strict=True)
    ]
    return write_table(tmp_path / "own.csv", heading, rows)


# -------------------------------------------------------------------------------------------------------------- spikes


@pytest.mark.parametrize("spike_c", [-55.0, 40.0, 12.01, -28.01])
@pytest.mark.parametrize("length", [1, 3])
def test_a_spike_is_refused_with_its_row_and_time(tmp_path, spike_c, length):
    temperature = night_and_day()
    temperature[AT - 1 : AT + length + 1] = -8.0
    temperature[AT : AT + length] = spike_c
    with pytest.raises(
        SchemaError,
        match=r"own.csv: the temperature jumps by more than 20 K within an hour.*Correct the wrong cells, or leave",
    ) as caught:
        read(table(tmp_path, temperature))
    begins, ends = caught.value.findings
    assert begins.startswith(f"row 32, 2026-01-21 06:00 (Asia/Shanghai): {spike_c:.4g} degC, in row 31 -8 degC; ")
    assert ends.startswith(f"row {32 + length}, 2026-01-21 {6 + length:02d}:00")


def test_a_jump_of_20_k_is_taken_without_a_word(tmp_path):
    temperature = night_and_day()
    temperature[AT - 1 : AT + 2] = -8.1, 11.9, -8.1
    reading = read(table(tmp_path, temperature))
    assert reading.weather.temperature_c.max() > 8.0
    assert reading.repairs == ()
    assert not any("CHECK" in note for note in reading.notes)


def test_a_spike_between_empty_cells_is_refused_too(tmp_path):
    temperature = night_and_day()
    temperature[[AT - 1, AT + 1]] = np.nan
    temperature[AT] = -55.0
    with pytest.raises(SchemaError, match=r"row 32, .*47.* K in 2 h"):
        read(table(tmp_path, temperature))


def test_ten_minutes_are_held_against_the_whole_hour_before(tmp_path):
    steps = np.repeat(-8.0, 300)
    steps[60:70] = [-13.0, -18.0, -23.0, -28.0, -33.0, -33.0, -28.0, -23.0, -18.0, -13.0]
    with pytest.raises(SchemaError, match=r"row 66, 2026-01-20 10:40 .*-33 degC, in row 61 -8 degC; 25 K in 0\.833 h"):
        read(table(tmp_path, steps, step_min=10))


def test_a_spike_in_an_epw_file_is_refused_by_line(tmp_path):
    temperature = night_and_day()
    temperature[AT] = -55.0
    lines = [
        epw_line(2026, 1, 20 + hour // 24, hour % 24 + 1, dry_bulb=round(celsius, 2), ghi=100)
        for hour, celsius in enumerate(temperature)
    ]
    with pytest.raises(SchemaError, match=r"row 39, 2026-01-21 06:00"):
        read(write_epw(tmp_path / "own.epw", lines))


@pytest.mark.parametrize("wave", [wave.wave for wave in cold_waves()])
def test_every_cold_wave_with_its_sun_is_read_without_a_word(tmp_path, wave):
    drawn = scenario_weather("140827", start=FIRST.astype("datetime64[D]").item(), days=10, wave=wave, seed=7)
    times = np.datetime_as_string(drawn.time_utc, unit="m")
    rows = [
        f"{time}Z,{celsius:.1f},{watt:.0f},{percent:.0f}"
        for time, celsius, watt, percent in zip(
            times, drawn.temperature_c, drawn.solar_w_per_m2, drawn.humidity_percent, strict=True
        )
    ]
    reading = read(write_table(tmp_path / "own.csv", "time,temperature [degC],ghi [W/m2],rh [%]", rows))
    assert not any("CHECK" in note for note in reading.notes)


# ---------------------------------------------------------------------------------------------------- sun and humidity


@pytest.mark.parametrize(
    ("noon", "cause"),
    [
        (1.5, r"highest irradiance is 1\.\d* W/m2;.*looks like MJ/m2 per hour .*or kW/m2"),
        (0.5, "highest.* looks like MJ/m2 per hour .*or kW/m2"),
        (19.9, "highest.* looks like a dead instrument, or like another unit, MJ/m2 or kW/m2"),
        (0.0, "highest irradiance is 0 W/m2;.*dead instrument or an export that wrote zeros.*take the column out"),
    ],
)
def test_a_sun_of_another_unit_or_of_zeros_is_refused(tmp_path, noon, cause):
    with pytest.raises(InputError, match=rf"own.csv: from 2026-01-20 to 2026-01-25 the {cause}"):
        read(table(tmp_path, night_and_day(), "time,temperature [degC],ghi [W/m2]", sun(noon)))


@pytest.mark.parametrize(("dark_days", "refused"), [(2, False), (3, True)])
def test_three_whole_days_without_sun_are_refused_wherever_they_are(tmp_path, dark_days, refused):
    solar = np.where((HOURS >= 24) & (24 * (1 + dark_days) > HOURS), 0.5, sun())
    solar[[5, 30, 60]] = np.nan
    path = table(tmp_path, night_and_day(), "time,temperature [degC],ghi [W/m2]", solar)
    if refused:
        with pytest.raises(InputError, match=r"from 2026-01-21 to 2026-01-23 .*dead instrument, or like another unit"):
            read(path)
    else:
        assert read(path).weather.solar_w_per_m2.any()


def test_the_darkest_days_of_a_winter_are_taken(tmp_path):
    path = table(tmp_path, night_and_day(), "time,temperature [degC],ghi [W/m2]", sun(30.0))
    assert read(path).weather.solar_w_per_m2.max() > 20.0


def test_the_unit_that_the_message_names_is_taken(tmp_path):
    path = table(tmp_path, night_and_day(), "time,temperature [degC],ghi [MJ/m2]", sun(1.5))
    assert 400.0 < read(path).weather.solar_w_per_m2.max() < 420.0


@pytest.mark.parametrize(
    ("highest", "cause"),
    [(0.58, r"highest humidity of the file is 0\.58 %.*fractions from 0 to 1.*'rh \[fraction\]'"),
     (1.0, "fractions from 0 to 1"), (0.0, "wrote zeros.*Take the column out")],
)  # fmt: skip
def test_fractions_of_humidity_under_a_heading_of_percent_are_refused(tmp_path, highest, cause):
    humidity = np.where(HOURS % 24 == 7, highest, highest / 2.0)
    with pytest.raises(InputError, match=f"own.csv: the .*{cause}" if "highest" in cause else cause):
        read(table(tmp_path, night_and_day(), "time,temperature [degC],rh [%]", humidity))


def test_dry_air_in_percent_is_taken(tmp_path):
    humidity = np.where(HOURS % 24 == 7, 9.0, 0.8)
    reading = read(table(tmp_path, night_and_day(), "time,temperature [degC],rh [%]", humidity))
    assert reading.weather.humidity_percent.max() == pytest.approx(9.0, abs=2.0)


def test_sun_and_humidity_of_an_epw_file_are_mended_in_their_fields(tmp_path):
    def own(**values):
        lines = [
            epw_line(2026, 1, 20 + hour // 24, hour % 24 + 1, dry_bulb=round(celsius, 2), **values)
            for hour, celsius in enumerate(night_and_day())
        ]
        return write_epw(tmp_path / "own.epw", lines)

    with pytest.raises(InputError, match="holds Wh/m2 in field 14: convert that field, or write 9999"):
        read(own(ghi=0))
    with pytest.raises(InputError, match="holds % in field 9: multiply that field by 100"):
        read(own(ghi=100, rh=0.5))


# -------------------------------------------------------------------------------------------------------- dead sensors


@pytest.mark.parametrize(("length", "noted"), [(24, False), (25, True)])
def test_a_temperature_that_stands_still_for_more_than_a_day_is_noted(tmp_path, length, noted):
    temperature = night_and_day()
    temperature[AT : AT + length] = -5.5
    notes = [note for note in read(table(tmp_path, temperature)).notes if note.startswith("CHECK THE TEMPERATURE")]
    assert bool(notes) == noted
    if noted:
        assert "is -5.5 degC without any change for 25 h from 2026-01-21 06:00 (Asia/Shanghai)" in notes[0]


def test_a_file_of_zeros_is_noted_and_so_are_other_places(tmp_path):
    (note,) = (note for note in read(table(tmp_path, np.zeros(24 * DAYS))).notes if note.startswith("CHECK"))
    assert "is 0 degC without any change for 144 h from 2026-01-20 00:00" in note
    temperature = night_and_day()
    temperature[:30], temperature[60:100] = -4.0, 1.0
    temperature[70] = np.nan
    (note,) = (note for note in read(table(tmp_path, temperature)).notes if note.startswith("CHECK"))
    assert "is 1 degC without any change for 40 h from 2026-01-22 12:00" in note
    assert "for more than 24 h in 1 other places" in note
