"""Files of a scenario: where they are looked for, what is made of them, and how they are known again."""

from datetime import date

import numpy as np
import pytest

from gridcheck.demand.weather import scenario_weather
from gridcheck.errors import ConfigError, InputError, LedgerError, SchemaError
from gridcheck.geography import county_elevation
from gridcheck.scenario import Scenario, read_scenario
from gridcheck.study_inputs import county_weather, read_inputs, require_unchanged, warmer_with_wave, weather_statement
from tests.support.study_files import heaters_csv, station_csv, station_epw

YUANQU, YONGJI = "140827", "140881"
WINDOW = "[weather]\nstart = 2026-01-15\ndays = 5\n"


def scenario(tmp_path, text: str) -> Scenario:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    return read_scenario(tmp_path / "own.toml")


def test_the_default_scenario_names_no_file():
    inputs = read_inputs(Scenario())

    assert (inputs.applications, inputs.weather, inputs.devices, dict(inputs.sha256)) == (None, None, None, {})
    assert weather_statement(Scenario(), None, []) == {"file": "", "synthetic": True}


def test_without_a_file_the_winter_is_drawn_as_before():
    drawn = county_weather(Scenario(), None, YUANQU)
    expected = scenario_weather(YUANQU, start=date(2026, 1, 20), days=5, wave="W1", seed=2025)

    np.testing.assert_array_equal(drawn.temperature_c, expected.temperature_c)


def test_a_file_is_looked_for_beside_the_scenario_first(tmp_path, monkeypatch):
    started = tmp_path / "started"
    (started / "own").mkdir(parents=True)
    monkeypatch.chdir(started)
    for folder in (started, started / "own"):
        station_csv(folder / "station.csv")
    station_csv(started / "other.csv")

    beside = scenario(started / "own", f'{WINDOW}file = "station.csv"\n')
    elsewhere = scenario(started / "own", f'{WINDOW}file = "other.csv"\n')

    assert beside.weather.file == (started / "own" / "station.csv").as_posix()
    assert elsewhere.weather.file == "other.csv"


@pytest.mark.parametrize(("section", "key"), [("weather", "file"), ("demand", "devices")])
def test_a_file_that_is_nowhere_is_told_with_the_places(tmp_path, section, key):
    with pytest.raises(ConfigError, match=r"own\.toml names files that are not there") as caught:
        scenario(tmp_path, f'[{section}]\n{key} = "absent.csv"\n')
    (finding,) = caught.value.findings
    assert finding.startswith(f"{section}.{key} = 'absent.csv': no such file, neither {tmp_path / 'absent.csv'} nor ")


def test_a_station_of_known_height_is_moved_to_the_seat_of_the_county(tmp_path):
    station_epw(tmp_path / "station.epw")
    chosen = scenario(tmp_path, f'{WINDOW}wave = "none"\nfile = "station.epw"\n')
    reading = read_inputs(chosen).weather
    seat_m = county_elevation().set_index("county_code")["seat_elev_dem"]
    assert seat_m[YUANQU] > 365.0 > seat_m[YONGJI]

    high, low = (county_weather(chosen, reading, code) for code in (YUANQU, YONGJI))

    cooler_k = 0.0065 * (float(seat_m[YUANQU]) - 365.0)
    np.testing.assert_allclose(reading.weather.temperature_c - high.temperature_c, cooler_k, atol=1e-9)
    np.testing.assert_array_equal(low.temperature_c, reading.weather.temperature_c)
    assert (high.county_code, high.synthetic) == (YUANQU, False)
    assert "temperatures are moved from 365 m" in " ".join(weather_statement(chosen, reading, [YUANQU])["read_as"])


def test_a_wave_over_a_file_is_as_deep_as_over_the_drawn_winter(tmp_path):
    station_csv(tmp_path / "station.csv")
    chosen = scenario(tmp_path, f'{WINDOW}wave = "W1"\nfile = "station.csv"\n')
    reading = read_inputs(chosen).weather

    laid = county_weather(chosen, reading, YUANQU)
    drawn = scenario_weather(YUANQU, start=date(2026, 1, 15), days=5, wave="W1", seed=2025)

    window = laid.study
    assert laid.temperature_c[window].min() == pytest.approx(drawn.temperature_c[drawn.study].min(), abs=0.02)
    assert laid.temperature_c[window].argmin() == drawn.temperature_c[drawn.study].argmin()
    assert laid.synthetic
    statement = weather_statement(chosen, reading, [YUANQU])
    assert statement["synthetic"]
    assert "W1 is laid over the file" in statement["read_as"][-1]


def colder_csv(path, by_k: float):
    """The station with every temperature lowered."""
    station_csv(path)
    heading, *rows = path.read_text(encoding="utf-8").splitlines()
    cold = [f"{t},{float(c) - by_k:.2f},{sun}" for t, c, sun in (row.split(",") for row in rows)]
    path.write_text("\n".join([heading, *cold]) + "\n", encoding="utf-8")
    return path


def test_a_wave_that_makes_the_file_warmer_is_told_with_both_values(tmp_path):
    colder_csv(tmp_path / "cold.csv", 10.0)  # -18 to -8 degC every day; the lowest of W1 is -14 degC
    chosen = scenario(tmp_path, f'{WINDOW}wave = "W1"\nfile = "cold.csv"\n')
    reading = read_inputs(chosen).weather

    (one,) = warmer_with_wave(chosen, reading, [YUANQU])

    laid = county_weather(chosen, reading, YUANQU)
    lowest = float(laid.temperature_c[laid.study].min())
    assert one.county_code == YUANQU
    # Quarters run between the centres of hours, so the lowest of the file is that of the hour.
    assert (one.lowest_file_c, one.lowest_c) == (pytest.approx(-18.0, abs=0.05), pytest.approx(lowest))
    # The mean of the five days is that of the day, which repeats itself.
    assert one.mean_file_c == pytest.approx(-13.0, abs=0.05)
    assert one.mean_c == pytest.approx(float(laid.temperature_c[laid.study].mean()))
    statement = weather_statement(chosen, reading, [YUANQU, YONGJI])
    assert statement["warmer_with_wave"]["counties"] == [YUANQU, YONGJI]
    assert statement["warmer_with_wave"]["lowest_file_c"] == pytest.approx(-18.0, abs=0.05)


@pytest.mark.parametrize(("wave", "file"), [("W1", 'file = "station.csv"'), ("none", 'file = "cold.csv"'), ("W1", "")])
def test_no_warning_where_the_wave_is_colder_or_there_is_none(tmp_path, wave, file):
    station_csv(tmp_path / "station.csv")
    colder_csv(tmp_path / "cold.csv", 10.0)
    chosen = scenario(tmp_path, f'{WINDOW}wave = "{wave}"\n{file}\n')
    reading = read_inputs(chosen).weather

    assert warmer_with_wave(chosen, reading, [YUANQU, YONGJI]) == ()
    assert not weather_statement(chosen, reading, [YUANQU]).get("warmer_with_wave")


def test_fahrenheit_comes_out_as_celsius_and_is_told(tmp_path):
    station_csv(tmp_path / "celsius.csv")
    rows = (tmp_path / "celsius.csv").read_text(encoding="utf-8").splitlines()[1:]
    hot = [f"{t},{float(c) * 1.8 + 32.0:.3f},{sun}" for t, c, sun in (row.split(",") for row in rows)]
    (tmp_path / "f.csv").write_text(
        "\n".join(["time,temperature (F),irradiance (W/m2)", *hot]) + "\n", encoding="utf-8"
    )
    pair = [scenario(tmp_path, f'{WINDOW}wave = "none"\nfile = "{name}"\n') for name in ("celsius.csv", "f.csv")]
    one, other = (read_inputs(chosen).weather for chosen in pair)

    np.testing.assert_allclose(other.weather.temperature_c, one.weather.temperature_c, atol=0.001)
    assert any("degF" in sentence for sentence in weather_statement(pair[1], other, [YUANQU])["read_as"])


def test_a_time_zone_in_the_heading_shifts_the_day(tmp_path):
    # The third column is none that is read: its sun would show that the zone of one of the two is wrong.
    station_csv(tmp_path / "local.csv", heading="time,temperature (C),other")
    station_csv(tmp_path / "utc.csv", heading="time (UTC),temperature (C),other")
    local, utc = (
        read_inputs(scenario(tmp_path, f'[weather]\nstart = 2026-01-16\ndays = 2\nfile = "{name}.csv"\n')).weather
        for name in ("local", "utc")
    )

    # Eight hours later in local time.
    np.testing.assert_allclose(utc.weather.temperature_c[96:], local.weather.temperature_c[64:-32])


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("start = 2026-01-14\ndays = 2\n",
         ["holds 2026-01-05 to 2026-01-24", "10 days before them", "2026-01-04 to 2026-01-15", "weather.start"]),
        ("start = 2026-01-20\ndays = 10\n", ["holds 2026-01-05 to 2026-01-24", "10 days from 2026-01-20"]),
        ("start = 2025-01-20\ndays = 2\n", ["holds 2026-01-05 to 2026-01-24", "2 days from 2025-01-20"]),
    ],
)  # fmt: skip
def test_a_window_and_its_warm_up_have_to_be_in_the_file(tmp_path, window, said):
    station_csv(tmp_path / "station.csv")
    chosen = scenario(tmp_path, f'[weather]\n{window}file = "station.csv"\n')

    with pytest.raises(InputError) as caught:
        read_inputs(chosen)
    for part in ("station.csv", *said):
        assert part in str(caught.value)


def test_a_day_that_is_missing_is_refused_by_name(tmp_path):
    station_csv(tmp_path / "station.csv", without=date(2026, 1, 8))
    with pytest.raises(SchemaError) as caught:
        read_inputs(scenario(tmp_path, f'{WINDOW}file = "station.csv"\n'))
    assert "station.csv" in str(caught.value)
    assert "2026-01-08 00:00" in str(caught.value)


def test_roofs_need_a_file_with_sun(tmp_path):
    station_csv(tmp_path / "station.csv", heading="time,temperature (C),wind")
    text = f'{WINDOW}file = "station.csv"\n[demand]\npv_share = '
    with pytest.raises(InputError, match=r"station\.csv holds no irradiance .* demand\.pv_share = 0\.2"):
        read_inputs(scenario(tmp_path, f"{text}0.2\n"))
    assert read_inputs(scenario(tmp_path, f"{text}0.0\n")).weather is not None


def test_files_are_known_again_by_their_content(tmp_path):
    station_csv(tmp_path / "station.csv")
    heaters_csv(tmp_path / "heaters.csv")
    chosen = scenario(tmp_path, f'{WINDOW}file = "station.csv"\n[demand]\ndevices = "heaters.csv"\n')
    written = read_inputs(chosen).sha256
    assert set(written) == {"station.csv", "heaters.csv"}
    require_unchanged(chosen, written, "out")

    heaters_csv(tmp_path / "heaters.csv", ("Panel 2,resistive_heater,2,2,2,1,,,,,,by foot",))
    with pytest.raises(LedgerError, match=r"^heaters\.csv has changed since out was written"):
        require_unchanged(chosen, written, "out")
    (tmp_path / "station.csv").unlink()
    with pytest.raises(LedgerError, match=r"weather\.file = .*station\.csv': the file is gone since out was written"):
        require_unchanged(chosen, written, "out")


def test_two_files_of_one_name_have_two_checksums(tmp_path):
    (tmp_path / "other").mkdir()
    station_csv(tmp_path / "table.csv")
    heaters_csv(tmp_path / "other" / "table.csv")
    chosen = scenario(tmp_path, f'{WINDOW}file = "table.csv"\n[demand]\ndevices = "other/table.csv"\n')

    found = read_inputs(chosen).sha256

    assert set(found) == {(tmp_path / "table.csv").as_posix(), (tmp_path / "other" / "table.csv").as_posix()}
