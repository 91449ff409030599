"""`gridcheck demand calibrate` on a store filled with the readings of drawn villages."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridcheck.demand.profiles import class_profiles
from gridcheck.demand.weather import scenario_weather
from tests.support.command_line import YUANQU, county_folder, gridcheck
from tests.support.village_winter import BASE_KW, village_winter


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with areas, weather and a store; areas have the ids of a shipped county."""
    folder = tmp_path_factory.mktemp("calibrate")
    villages = village_winter(np.random.default_rng(2), areas=12, days=16, faults=False)
    ids = pd.read_csv(county_folder(YUANQU) / "areas.csv")["area_id"].head(len(villages)).tolist()
    local = pd.DatetimeIndex(villages[0].time_utc) + pd.Timedelta(hours=8)
    time = local.strftime("%Y-%m-%d %H:%M")
    readings = [
        pd.DataFrame({"area_id": name, "time": time, "p_kw": np.maximum(one.power_kw, 0.01).round(3)})
        for name, one in zip(ids, villages, strict=True)
    ]
    pd.concat(readings).to_csv(folder / "readings.csv", index=False)
    weather = pd.DataFrame({"time": time, "temperature_c": villages[0].temperature_c})
    weather.iloc[::4].to_csv(folder / "weather.csv", index=False)
    converted = [one.n_converted for one in villages]
    areas = {"area_id": ids, "occupied_households": [one.homes for one in villages], "air_air_heat_pump": converted}
    pd.DataFrame(areas).to_csv(folder / "areas.csv", index=False)
    taken = gridcheck("ingest", folder / "readings.csv", "--store", folder / "store", "--time-label", "start")
    assert taken.exit_code == 0, taken.output
    return folder


def calibrate(place, *more, areas="areas.csv", weather="weather.csv"):
    files = (place / areas, "--weather", place / weather, "--store", place / "store")
    return gridcheck("demand", "calibrate", *files, "--draws", "20", *more)


def test_numbers_for_machines(place):
    result = calibrate(place, "--json")

    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    found = {one["name"]: one for one in content["estimates"]}
    assert found["base_kw"]["value"] == pytest.approx(BASE_KW, rel=0.15)
    assert (content["areas"], content["days"]) == (12, 16)
    assert content["never_told"]


def test_words_for_people_in_both_languages(place, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")  # so that no word is folded
    result = calibrate(place)

    assert result.exit_code == 0, result.output
    for words in ("数据可以确定", "told by the data", "winter_factor", "替换 overrides"):
        assert words in result.stdout


def test_weather_and_areas_are_read_like_the_files_of_a_scenario(place):
    """Chinese headings, GB18030, and hours from 1 to 24 that name the end of their interval."""
    weather = pd.read_csv(place / "weather.csv", parse_dates=["time"])
    ends = [f"{at:%Y-%m-%d},{at.hour + 1},{value}" for at, value in weather.itertuples(index=False)]
    (place / "zh.csv").write_text("\n".join(["日期,小时,气温(℃)", *ends]) + "\n", encoding="gb18030")
    areas = pd.read_csv(place / "areas.csv").assign(备注="东街")
    areas.to_csv(place / "areas-zh.csv", index=False, encoding="gb18030")

    own = json.loads(calibrate(place, "--json", areas="areas-zh.csv", weather="zh.csv").stdout)
    plain = json.loads(calibrate(place, "--json").stdout)

    values = [{one["name"]: one["value"] for one in each["estimates"] if one["value"]} for each in (own, plain)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    assert any("each names the end of its interval" in note for note in own["weather"]["read_as"])
    assert any("the file is written in gb18030" in note for note in own["weather"]["read_as"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="air_air_heat_pump"), ["at least one class of heaters: air_air_heat_pump, "]),
        (lambda t: t.drop(columns="occupied_households"), ["lacks columns", "occupied_households"]),
        (lambda t: t.assign(air_air_heat_pump="many"),
         ["row 2, column air_air_heat_pump: 'many' is no count of homes from 0 on"]),
        (lambda t: t.assign(occupied_households=""), ["row 13, column occupied_households: ''"]),
    ],
)  # fmt: skip
def test_faults_in_the_table_of_areas_are_named(place, change, said):
    change(pd.read_csv(place / "areas.csv")).to_csv(place / "faulty.csv", index=False)

    result = calibrate(place, areas="faulty.csv")

    assert result.exit_code == 2
    for words in said:
        assert words in " ".join(result.output.split())


def test_the_documented_sequence_ends_in_estimates(tmp_path):
    """`sample-readings --calibration` writes all that the two commands after it need."""
    made = gridcheck("sample-readings", tmp_path / "trial.csv", "--county", YUANQU, "--days", "14", "--calibration")
    assert made.exit_code == 0, made.output
    taken = gridcheck("ingest", tmp_path / "trial.csv", "--store", tmp_path / "store")
    assert taken.exit_code == 0, taken.output

    files = (tmp_path / "trial-areas.csv", "--weather", tmp_path / "trial-weather.csv", "--store", tmp_path / "store")
    result = gridcheck("demand", "calibrate", *files, "--draws", "20", "--json")

    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    areas = pd.read_csv(county_folder(YUANQU) / "areas.csv")
    assert (content["areas"], content["days"]) == ((areas["occupied_households"] > 0).sum(), 14)
    written = pd.read_csv(tmp_path / "trial-areas.csv")
    heating = pd.read_csv(county_folder(YUANQU) / "heating.csv").query("layer in ['existing', 'key_area_2025']")
    homes = heating.groupby("device")["households"].sum()
    assert written[homes.index].sum().to_dict() == homes.to_dict()
    # The areas draw the means of their homes, so the answer is known from the simulation itself.
    weather = scenario_weather(YUANQU, start=date(2026, 1, 20), days=14, wave="W1", seed=2025)
    mean = class_profiles(weather, seed=2025).mean[:, 0].mean()
    found = {one["name"]: one for one in content["estimates"]}
    assert found["base_kw"]["low"] < mean < found["base_kw"]["high"]
    assert found["base_kw"]["value"] == pytest.approx(mean, rel=0.05)


def test_weather_that_is_too_short_is_refused(place):
    short = pd.read_csv(place / "weather.csv").head(100)
    short.to_csv(place / "short.csv", index=False)

    result = calibrate(place, weather="short.csv")

    assert result.exit_code == 2
    assert "must reach from" in result.output
