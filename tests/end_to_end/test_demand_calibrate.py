"""`gridcheck demand calibrate` on a store filled with the readings of drawn villages."""

import json

import numpy as np
import pandas as pd
import pytest

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


def calibrate(place, *more, weather="weather.csv"):
    files = (place / "areas.csv", "--weather", place / weather, "--store", place / "store")
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


def test_weather_that_is_too_short_is_refused(place):
    short = pd.read_csv(place / "weather.csv").head(100)
    short.to_csv(place / "short.csv", index=False)

    result = calibrate(place, weather="short.csv")

    assert result.exit_code == 2
    assert "must reach from" in result.output
