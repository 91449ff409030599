"""Published room: colours by hand, nothing below a red element, what is not in the files is not made up."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gridcheck.checks.n_minus_1_hosting import usual_heat_pump_kw
from gridcheck.errors import LedgerError
from gridcheck.reports.capacity import Capacity, capacity_of, room_grades, usual_heat_pump
from gridcheck.reports.capacity_files import MAP_FILE, WORKBOOK_FILE, write_capacity
from gridcheck.reports.capacity_map import capacity_geojson
from gridcheck.reports.capacity_workbook import capacity_workbook
from gridcheck.reports.folder import Results
from gridcheck.reports.schemas import AREAS, FEEDERS
from gridcheck.reports.tables import normalised
from gridcheck.reports.texts import LANGUAGES, text
from tests.support.results import HOSTILE_NAME, sample_results

DAY = date(2026, 2, 1)
NAN = float("nan")

# Two feeders of one county: F1 with an area of each colour and one without data, F2 red although its area has room.
AREA_ROWS = [
    {"area_id": "A1", "feeder_id": "F1", "grade": "green", "c1_kw": 30.0, "c2_kw": 20.5, "more_heat_pumps": 15},
    {"area_id": "A2", "feeder_id": "F1", "grade": "yellow", "c1_kw": 5.0, "c2_kw": -1.0, "more_heat_pumps": 0},
    {"area_id": "A3", "feeder_id": "F1", "grade": "red", "c1_kw": -7.0, "c2_kw": -9.0, "more_heat_pumps": 0},
    {"area_id": "A4", "feeder_id": "F1", "grade": "grey", "c1_kw": NAN, "c2_kw": NAN, "more_heat_pumps": None},
    {"area_id": "A5", "feeder_id": "F2", "grade": "red", "c1_kw": 40.0, "c2_kw": 40.0, "more_heat_pumps": 0},
]
# 2.5 MW are 80 % of the outlet's limit: 0.625 MW are left.
FEEDER_ROWS = [
    {"feeder_id": "F1", "peak_mw": 2.5, "peak_loading_percent": 80.0, "grade": "green"},
    {"feeder_id": "F2", "peak_mw": 3.3, "peak_loading_percent": 110.0, "grade": "red"},
    {"feeder_id": "F3", "peak_mw": NAN, "peak_loading_percent": NAN, "grade": "grey"},
]


def hand_made(**area: Any) -> Results:
    base = sample_results()
    common = base.areas.iloc[0].to_dict() | {
        "county_code": "140827", "village_code": None, "households": 30, "electric_households": 12,
        "lon": 111.5, "lat": 35.25, "village": "甲村", "town": "乙镇",
    }  # fmt: skip
    areas = pd.DataFrame([common | row | area for row in AREA_ROWS])
    feeder = base.feeders.iloc[0].to_dict() | {"county_code": "140827", "name": HOSTILE_NAME}
    feeders = pd.DataFrame([feeder | row for row in FEEDER_ROWS])
    return dataclasses.replace(
        base,
        areas=normalised(areas, AREAS, "areas.csv"),
        feeders=normalised(feeders, FEEDERS, "feeders.csv"),
        counties=base.counties[base.counties["county_code"] == "140827"].reset_index(drop=True),
    )


@pytest.fixture(scope="module")
def results() -> Results:
    return hand_made()


@pytest.fixture(scope="module")
def found(results: Results) -> Capacity:
    return capacity_of(results, DAY)


def test_colours_follow_the_rule() -> None:
    c1 = np.array([1.0, 1.0, 1.0, 0.0, -1.0, NAN, 5.0, NAN])
    c2 = np.array([0.5, 0.0, -1.0, -1.0, -2.0, NAN, 5.0, NAN])
    above = np.array([False] * 6 + [True] * 2)

    expected = ["green", "yellow", "yellow", "red", "red", "grey", "red", "red"]
    assert list(room_grades(c1, c2, above)) == expected


def test_the_counted_heat_pump_is_that_of_the_study() -> None:
    assert usual_heat_pump().rated_kw == usual_heat_pump_kw() == 1.35
    assert usual_heat_pump().max_input_kw == 1.8


def test_an_area_is_counted_by_hand(found: Capacity) -> None:
    areas = found.areas.set_index("area_id")

    assert [size.rated_kw for size in found.sizes] == [1.35, 0.95, 2.0]
    # 18 homes are not electric yet; 20.5 / 0.95 = 21.6 fit, 20.5 / 2 = 10.25.
    assert areas.loc["A1", ["not_yet_electric", "more_heat_pumps", "more_0.95_kw", "more_2_kw"]].tolist() == [
        18,
        15,
        18,
        10,
    ]
    assert areas.loc["A2", ["more_0.95_kw", "more_2_kw"]].tolist() == [0, 0]
    assert areas.loc["A5", ["more_0.95_kw", "more_2_kw"]].tolist() == [0, 0]
    assert areas["blocked_above"].tolist() == [False, False, False, False, True]
    assert areas.loc["A4", ["c1_kw", "c2_kw", "more_heat_pumps", "more_2_kw"]].isna().all()


def test_a_feeder_is_summed_by_hand(found: Capacity) -> None:
    feeders = found.feeders.set_index("feeder_id")

    assert feeders["grade"].tolist() == ["green", "red", "grey"]
    assert feeders.loc["F1", ["c1_kw", "c2_kw", "more_heat_pumps_at_most"]].tolist() == [35.0, 20.5, 15.0]
    assert feeders.loc["F1", "outlet_room_kw"] == pytest.approx(625.0)
    assert feeders.loc["F2", "outlet_room_kw"] == pytest.approx(-300.0)
    assert feeders.loc["F2", ["c1_kw", "c2_kw", "more_heat_pumps_at_most"]].tolist() == [0.0, 0.0, 0.0]
    assert feeders.loc["F3", ["c1_kw", "c2_kw", "more_heat_pumps_at_most", "outlet_room_kw"]].isna().all()
    assert feeders.loc["F1", [f"areas_{name}" for name in ("green", "yellow", "red", "grey")]].tolist() == [1, 1, 1, 1]


def test_a_full_outlet_limits_what_its_areas_would_take() -> None:
    given = hand_made()
    feeders = given.feeders.assign(peak_loading_percent=[99.5, 110.0, NAN])
    found = capacity_of(dataclasses.replace(given, feeders=feeders), DAY)

    # 2500 kW * (100 / 99.5 - 1) = 12.56 kW of load: six heat pumps of at most 1.8 kW.
    assert found.feeders.loc[0, "more_heat_pumps_at_most"] == 6
    full = capacity_of(dataclasses.replace(given, feeders=feeders.assign(peak_loading_percent=100.0)), DAY)
    assert full.feeders.loc[0, ["grade", "more_heat_pumps_at_most"]].tolist() == ["yellow", 0]


def test_a_county_is_summed_by_hand(found: Capacity) -> None:
    (county,) = found.counties.to_dict("records")

    assert (county["grade"], county["c1_kw"], county["c2_kw"], county["more_heat_pumps_at_most"]) == (
        "green",
        35.0,
        20.5,
        15,
    )
    assert (county["areas_green"], county["areas_red"], county["feeders_red"], county["areas"]) == (1, 2, 1, 5)


def test_a_county_of_red_feeders_is_red() -> None:
    given = hand_made()
    red = dataclasses.replace(given, feeders=given.feeders.assign(grade="red"))

    assert capacity_of(red, DAY).counties["grade"].tolist() == ["red"]


def test_what_the_files_lack_is_named_and_taken_when_it_is_there() -> None:
    without = capacity_of(sample_results(), DAY)
    assert {"peak_mw_before", "main_transformer", "lon", "more_by_device:storage_heater"} <= set(without.missing)
    assert "more_storage_heater" not in without.areas

    given = hand_made(more_storage_heater="3")
    found = capacity_of(given, DAY)
    assert found.devices == ("storage_heater",)
    assert found.areas["more_storage_heater"].tolist() == [3.0] * 5
    assert "more_by_device:storage_heater" not in found.missing
    heading = text("capacity.device_heading", "en", device="Storage heater")
    book = openpyxl.load_workbook(io.BytesIO(capacity_workbook(found, given, "en")))
    assert heading in [cell.value for cell in book["Areas of Yuanqu"][3]]


def test_map_is_geojson(found: Capacity, results: Results) -> None:
    content = json.loads(capacity_geojson(found, results), parse_constant=pytest.fail)

    assert content["type"] == "FeatureCollection"
    assert content["synthetic"] is True
    assert "crs" not in content  # RFC 7946, section 4
    assert content["bbox"] == [111.5, 35.25, 111.5, 35.25]
    assert len(content["features"]) == 5
    for feature in content["features"]:
        assert set(feature) == {"type", "geometry", "properties"}
        assert feature["geometry"] == {"type": "Point", "coordinates": [111.5, 35.25]}
    first = content["features"][0]["properties"]
    assert (first["grade"], first["grade_zh"][0], first["county_en"], first["c2_kw"]) == ("green", "绿", "Yuanqu", 20.5)
    assert content["features"][3]["properties"]["c1_kw"] is None


def test_an_area_without_a_place_has_no_geometry() -> None:
    for lon in (NAN, 181.0):
        given = hand_made(lon=lon)
        content = json.loads(capacity_geojson(capacity_of(given, DAY), given))
        assert [feature["geometry"] for feature in content["features"]] == [None] * 5
        assert "bbox" not in content


def test_hostile_names_stay_text() -> None:
    given = hand_made(village="</script><b>", town="=1+1", county_code="14[0]:*?/\\8")
    found = capacity_of(given, DAY)
    book = openpyxl.load_workbook(io.BytesIO(capacity_workbook(found, given, "zh")))

    assert "<" not in capacity_geojson(found, given)
    assert json.loads(capacity_geojson(found, given))["features"][0]["properties"]["village"] == "</script><b>"
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert "=1+1</script><b>" in [cell.value for row in book.worksheets[2].iter_rows() for cell in row]


@pytest.mark.parametrize("language", LANGUAGES)
def test_workbook_is_read_back(found: Capacity, results: Results, language: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(capacity_workbook(found, results, language)))
    areas = book.worksheets[2]
    head = [cell.value for cell in areas[3]]
    column = next(k for k, name in enumerate(head) if str(name).startswith(text("capacity_column.c2_kw", language)))

    assert len(book.sheetnames) == 4
    assert book.sheetnames[-1] == text("capacity.definitions", language)
    assert [row[column].value for row in areas.iter_rows(min_row=4)] == [20.5, -1, -9, None, 40]
    assert text("sentence.synthetic_banner", language) == areas["A2"].value
    said = [str(cell.value) for row in book.worksheets[-1].iter_rows() for cell in row]
    assert text("capacity.analogue_note", language) in said
    assert any("storage" in line or "蓄热" in line for line in said)
    assert DAY.isoformat() in str(book.worksheets[0]["A1"].value)
    if language == "en":
        assert not [name for name in head if any("\u3400" <= char <= "\u9fff" for char in str(name))]


def test_folder_is_written_whole_and_the_same_twice(results: Results, tmp_path: Path) -> None:
    for name in ("a", "b", "b"):
        write_capacity(results, tmp_path / name, DAY)
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))

    assert set(first) == {WORKBOOK_FILE, MAP_FILE, "manifest.json"}
    assert first == second
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "capacity.xlsx").write_text("mine")
    with pytest.raises(LedgerError, match="did not write"):
        write_capacity(results, tmp_path / "c", DAY)
    assert (tmp_path / "c" / "capacity.xlsx").read_text() == "mine"


def test_areas_of_a_sample_keep_grade_and_room_of_the_file() -> None:
    given = sample_results()
    found = capacity_of(given, DAY)
    known = given.areas["c1_kw"].notna()

    assert found.areas["grade"].tolist() == given.areas["grade"].tolist()
    assert found.areas["c2_kw"][known].tolist() == given.areas["c2_kw"][known].tolist()
    assert math.isnan(found.areas.loc[3, "c1_kw"])
    usable = given.areas[given.areas["grade"] != "red"]
    total = float(usable["c2_kw"].clip(lower=0).sum())
    assert found.counties["c2_kw"].sum() == pytest.approx(total)
