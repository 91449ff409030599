"""Intake of application files: what is understood, what comes back and why, and how it comes back."""

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter

from gridcheck.catalogue import DeviceCatalogue, class_devices
from gridcheck.connection.applications import COLUMNS, parse_applications
from gridcheck.connection.intake import known_places, read_application_file, rejected_bytes, write_rejected
from gridcheck.connection.intake.places import NearNames
from gridcheck.connection.intake.words import bounds, read_day
from gridcheck.errors import InputError, SchemaError
from gridcheck.network import read_county
from gridcheck.reports import labels
from gridcheck.reports.texts import LANGUAGES, text
from tests.support.application_files import GOOD, YUANQU, codes, csv_of, take_in, wish, workbook_of
from tests.support.command_line import county_folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_headings_and_words_are_understood_in_every_encoding(tmp_path, encoding):
    found = take_in(
        tmp_path, csv_of([wish(), wish(2, 设备="蓄热式电暖器", 相别="三相", 户类="困难")], encoding=encoding)
    )

    first, second = found.accepted
    assert (first.application_id, first.county_code, first.village_code) == ("P1", YUANQU, "140827100200")
    assert (first.area_id, first.applied_on, first.rated_kw) == ("140827-A0001", dt.date(2025, 10, 1), 1.5)
    assert (first.device, first.phase, first.household_group) == ("air_air_heat_pump", "A", "ordinary")
    assert (second.device, second.phase, second.household_group) == ("storage_heater", "ABC", "hardship")
    assert found.file.encoding == encoding
    assert len(found.rejected) == 0


def test_english_headings_are_understood_and_further_columns_left_alone(tmp_path):
    row = dict(zip(COLUMNS, ("W1", YUANQU, "140827100200", "140827-A0002", "2025-08-01", "resistive_heater", "2.0", "B",
                             "hardship", "7"), strict=True))  # fmt: skip
    found = take_in(tmp_path, csv_of([row | {"remark": "north gate"}]))

    (application,) = found.accepted
    assert application.queue_position == 7
    assert found.order == "queue_position"


def test_what_is_accepted_passes_the_strict_door_unchanged(tmp_path):
    found = take_in(tmp_path, csv_of([wish(3), wish(1, 设备="地源热泵", **{"额定功率(kW)": "2.123456789"})]))

    again = parse_applications(
        found.table(), area_ids=["140827-A0001"], county_code=YUANQU, source="table of the accepted"
    )
    assert again == found.accepted


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-10-01", dt.date(2025, 10, 1)), ("2025/10/1", dt.date(2025, 10, 1)), ("20251001", dt.date(2025, 10, 1)),
        ("2025年10月1日", dt.date(2025, 10, 1)), ("2025.10.1", dt.date(2025, 10, 1)), ("45931", dt.date(2025, 10, 1)),
        ("2025/10/1 8:30", dt.date(2025, 10, 1)), ("２０２５-10-01", dt.date(2025, 10, 1)),
        ("2025-02-29", None), ("1/10/2025", None), ("25-10-01", None), ("2025-10", None), ("2025-10/01", None),
        ("", None), ("yesterday", None), ("202510011", None), ("2025-10-0108:30", None),
    ],
)  # fmt: skip
def test_days_in_the_usual_forms(written, day):
    # 45931: 1 October 2025 as a spreadsheet counts (1 January 2025 is 45658 there, 273 days before).
    assert read_day(written) == day


def test_a_workbook_holds_days_numbers_a_title_and_begins_where_it_likes(tmp_path):
    rows = [wish(1, 申请日期=dt.date(2025, 9, 30), **{"额定功率(kW)": 2}), wish(2, 县=140827, 申请日期="2025年9月1日")]
    found = take_in(tmp_path, workbook_of(rows, above=["2025 年报装明细", ""], first_column=2))

    assert [(a.application_id, a.applied_on.isoformat(), a.rated_kw) for a in found.accepted] == [
        ("P2", "2025-09-01", 1.5), ("P1", "2025-09-30", 2.0),
    ]  # fmt: skip


def test_a_workbook_that_counts_from_1904_is_read_by_its_dates_not_by_numbers(tmp_path):
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "date_1904": True})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for column, (name, cell) in enumerate(GOOD.items()):
        sheet.write(0, column, name)
        for row in (1, 2):
            sheet.write(row, column, f"P{row}" if name == "申请编号" else cell)
    place = list(GOOD).index("申请日期")
    sheet.write_datetime(1, place, dt.datetime.combine(dt.date(2025, 9, 30), dt.time()), day)
    sheet.write(2, place, 45930)
    book.close()
    found = take_in(tmp_path, buffer.getvalue())

    assert [a.applied_on for a in found.accepted] == [dt.date(2025, 9, 30)]
    assert codes(found) == [["bad_date"]]


FAULTS = [
    ({"申请编号": ""}, "empty"),
    ({"申请编号": "../etc"}, "bad_id"),
    ({"申请编号": "=1+1"}, "bad_id"),
    ({"县": "垣曲县城"}, "unknown_county"),
    ({"县": "永济市", "台区": "140827-A0001"}, "area_of_other_county unknown_village"),
    ({"县": "平陆县"}, "county_not_studied"),
    ({"村": "上土村"}, "unknown_village"),
    ({"村": "清南村"}, "area_of_other_village"),
    ({"村": "双名庄村", "台区": ""}, "empty ambiguous_village"),
    ({"村": "140881100200"}, "village_of_other_county"),
    ({"台区": ""}, "area_missing"),
    ({"台区": "140827-A0O01"}, "unknown_area"),
    ({"台区": "140881-A0001"}, "area_of_other_county"),
    ({"申请日期": "2025-13-01"}, "bad_date"),
    ({"申请日期": "2014-12-31"}, "date_too_early"),
    ({"申请日期": "2025-11-09"}, "date_in_future"),
    ({"设备": "煤炉"}, "unknown_device"),
    ({"设备": "空气源热泵"}, "ambiguous_device"),
    ({"额定功率(kW)": "0"}, "bad_power"),
    ({"额定功率(kW)": "-1.5"}, "bad_power"),
    ({"额定功率(kW)": "nan"}, "bad_power"),
    ({"额定功率(kW)": "40.1"}, "bad_power"),
    ({"额定功率(kW)": "1500W"}, "bad_power"),
    ({"额定功率(kW)": "1,5"}, "bad_power"),
    ({"额定功率(kW)": "0.3"}, "power_of_class"),
    ({"额定功率(kW)": "12.1"}, "power_of_class"),
    ({"设备": "蓄热式电暖器", "额定功率(kW)": "13.3"}, "one_phase_power"),
    ({"相别": "D"}, "unknown_phase"),
    ({"相别": ""}, "empty"),
    ({"户类": "富裕"}, "unknown_group"),
    ({"供暖方式": "集中供热"}, "district_heating"),
    (
        {"额定功率(kW)": "x", "相别": "D", "户类": "?", "申请日期": "?"},
        "bad_date bad_power unknown_phase unknown_group",
    ),
]


@pytest.mark.parametrize(
    ("cells", "expected"), FAULTS, ids=[f"{number} {said}" for number, (_, said) in enumerate(FAULTS)]
)
def test_every_fault_of_a_row_is_told_and_the_other_rows_go_through(tmp_path, cells, expected):
    bad = {**wish(2), "供暖方式": "", **cells}
    found = take_in(tmp_path, csv_of([wish(1, 供暖方式="燃煤"), bad]))

    assert codes(found) == [expected.split()]
    assert [application.application_id for application in found.accepted] == ["P1"]
    assert found.rejected["source_row"].tolist() == [3]
    assert all(found.rejected[["reason_zh", "reason_en"]].iloc[0].str.len() > 5)


@pytest.mark.parametrize(
    "cells",
    [
        {"额定功率(kW)": "13.2", "设备": "蓄热式电暖器"},
        {"额定功率(kW)": "13.3", "设备": "蓄热式电暖器", "相别": "三相"},
        {"额定功率(kW)": "1.5kW"}, {"额定功率(kW)": "１.５"}, {"额定功率(kW)": "0.4"}, {"额定功率(kW)": "12"},
        {"申请日期": "2025-11-08"}, {"申请日期": "2015-01-01"}, {"村": ""}, {"台区": "上王1号台区"}, {"县": "140827"},
        {"县": "Yuanqu"}, {"村": "上王村委会"}, {"村": "140827100200"}, {"村": "双名庄村", "台区": "140827-A0005"},
        {"供暖方式": "分散燃煤"},
        # As letters, room lists and reports print the village.
        {"村": "新城镇上王村委会"}, {"村": "新城镇上王村"}, {"村": "垣曲县新城镇上王村委会"},
        {"村": "Yuanqu, 新城镇上王村委会"},
    ],
    ids=str,
)  # fmt: skip
def test_what_lies_at_the_edge_of_the_rules_goes_through(tmp_path, cells):
    found = take_in(tmp_path, csv_of([{**wish(), "供暖方式": "", **cells}]))

    assert codes(found) == []


def test_reasons_name_what_the_village_has_where_an_area_belongs_and_what_looks_alike(tmp_path):
    rows = [wish(1, 台区=""), wish(2, 村="清南村"), wish(3, 台区="140827-A0O01"), wish(4, 村="上土村")]
    with_reasons = take_in(tmp_path, csv_of([*rows, wish(5)])).rejected

    missing, other, near_area, near_village = with_reasons["reason_zh"]
    assert "上王村委会 的台区有：140827-A0001, 140827-A0002" in missing
    assert "属于 上王村委会 140827100200" in other
    assert "该村的台区有：140827-A0003" in other
    assert "相近的有：140827-A0001" in near_area
    assert "上王" in near_village
    assert "areas of 上王村委会: 140827-A0001, 140827-A0002" in with_reasons["reason_en"].iloc[0]


def test_every_village_is_found_by_the_name_that_letters_print():
    grid = read_county(county_folder("140827"))
    places = known_places(grid.areas.assign(county_code="140827"))
    villages = sorted(set(grid.areas["village_code"]))
    assert len(villages) > 50
    for code in villages:
        area_id = grid.areas.loc[grid.areas["village_code"] == code, "area_id"].iloc[0]
        for language in LANGUAGES:
            county = labels.county_name("140827", language)
            printed = text("letter_value.place", language, county=county, village=labels.village_name(code))
            for village in (labels.village_name(code), printed):
                found = places.place("140827", village, area_id)
                assert (found.village_code, found.faults) == (code, ()), village
                # No area is needed to tell it from others.
                assert places._villages_called("140827", village) == (code,)


def test_near_names_are_one_slip_away_or_share_what_is_rare():
    names = NearNames([f"140827-A{number:04d}" for number in range(400)] + ["清南村"])

    assert names.near("140827-A00399")[0] == "140827-A0039"
    assert names.near("140872-A0311")[0] == "140827-A0311"
    assert names.near("清南") == ("清南村",)
    assert names.near("zzz") == ()


def test_an_id_stands_once_unless_a_row_says_all_the_same_again(tmp_path):
    same = take_in(tmp_path, csv_of([wish(1), wish(1), wish(2)]))
    other = take_in(tmp_path, csv_of([wish(1), wish(1, 相别="B"), wish(2)]))
    corrected = take_in(tmp_path, csv_of([wish(1, 相别="X"), wish(1, 相别="B"), wish(2)]))

    assert codes(same) == [["repeated_row"]]
    assert same.rejected["source_row"].tolist() == [3]
    # Nobody can tell which of two rows holds, unless one of them cannot be.
    assert codes(other) == [["id_twice"], ["id_twice"]]
    assert [a.application_id for a in other.accepted] == ["P2"]
    assert codes(corrected) == [["unknown_phase", "id_twice"]]
    assert [a.phase for a in corrected.accepted] == ["B", "A"]


@pytest.mark.parametrize("column", ["户号", "表号", "户主"])
def test_a_home_asks_once_and_the_first_in_the_queue_is_kept(tmp_path, column):
    rows = [
        wish(1, 申请日期="2025-10-03", **{column: "7001"}),
        wish(2, 申请日期="2025-10-02", **{column: "7001"}),
        wish(3, **{column: "7002"}),
    ]
    found = take_in(tmp_path, csv_of(rows))

    assert codes(found) == [["same_home"]]
    assert found.application_id == ("P1",)
    assert "第 3 行" in found.rejected["reason_zh"].iloc[0]


def test_two_devices_in_one_home_are_both_asked_back(tmp_path):
    found = take_in(tmp_path, csv_of([wish(1, 户号="7"), wish(2, 户号="7", 设备="地源热泵"), wish(3, 户号="")]))

    assert codes(found) == [["two_devices"], ["two_devices"]]


def test_two_people_of_one_name_are_two_homes_where_their_meters_differ(tmp_path):
    rows = [wish(1, 户主="张伟", 表号="1"), wish(2, 户主="张伟", 表号="2"), wish(3, 户主="张伟", 表号="3", 村="清南村",
            台区="140827-A0003")]  # fmt: skip

    assert codes(take_in(tmp_path, csv_of(rows))) == []


def test_who_is_connected_or_on_district_heating_by_the_callers_lists_comes_back(tmp_path):
    rows = [wish(1), wish(2, 户号="H2"), wish(3, 村="清南村", 台区="140827-A0003"), wish(4)]
    rows[0]["户号"] = "H1"
    found = take_in(tmp_path, csv_of(rows), done={"P1", "H2"}, district_heated={"140827100205"})

    assert codes(found) == [["already_done"], ["already_done"], ["district_heating"]]


def test_without_places_the_queue_follows_day_and_id_in_each_county(tmp_path):
    rows = [
        wish("b", 申请日期="2025-10-02"), wish("a", 申请日期="2025-10-02"), wish("z", 申请日期="2025/9/1"),
        wish("k", 县="永济市", 村="", 台区="140881-A0001", 申请日期="2025-12-31"),
        wish("m", 县="永济市", 村="", 台区="140881-A0001"),
    ]  # fmt: skip
    found = take_in(tmp_path, csv_of(rows))

    assert [(a.application_id, a.queue_position) for a in found.accepted] == [
        ("Pz", 1), ("Pa", 2), ("Pb", 3), ("Pm", 1),
    ]  # fmt: skip
    assert found.order == "applied_on"
    # An empty column is none.
    assert take_in(tmp_path, csv_of([{**row, "排队序号": ""} for row in rows])).accepted == found.accepted


def test_a_place_in_the_queue_is_a_number_given_once_in_a_county(tmp_path):
    places = ["2", "1", "1.0", "x", ""]
    found = take_in(tmp_path, csv_of([wish(number, 排队序号=place) for number, place in enumerate(places)]))

    assert codes(found) == [["position_twice"], ["position_twice"], ["bad_position"], ["bad_position"]]
    assert [a.queue_position for a in found.accepted] == [2]


def test_rows_that_do_not_fit_come_back_and_are_not_shifted(tmp_path):
    line = csv_of([wish()]).decode("utf-8-sig").splitlines()
    content = "\n".join([line[0], line[1], line[1].replace("P1", "P2") + ",extra", "P3,垣曲县", ""]).encode()
    found = take_in(tmp_path, content)

    assert codes(found)[0] == ["ragged_row"]
    assert codes(found)[1][0] == "short_row"
    # Given back, the cell without a heading is still one too many.
    again = take_in(tmp_path, rejected_bytes(found))
    assert codes(again)[0] == ["ragged_row"]


def like(model: str, **values: object):
    return replace(class_devices()["resistive_heater"], model=model, **values)


def test_models_of_the_planner_are_held_against_their_sheets(tmp_path):
    devices = DeviceCatalogue(
        origin="own.csv",
        devices=(like("Fan 72", max_input_kw=2.7, units=1.0, phases=1), like("Boiler", max_input_kw=7.0, phases=3)),
    )
    asked = [("Fan 72", "10.8", "三相"), ("Fan 72", "11", "三相"), ("Fan 72", "9", "A"), ("Boiler", "5", "B"),
             ("Fan 27", "2", "A")]  # fmt: skip
    rows = [
        wish(number, 设备=model, 相别=phase, **{"额定功率(kW)": power})
        for number, (model, power, phase) in enumerate(asked)
    ]
    found = take_in(tmp_path, csv_of(rows), devices=devices)

    assert [a.device for a in found.accepted] == ["Fan 72"]
    assert codes(found) == [["over_sheet"], ["one_phase_of_sheet"], ["three_phase_sheet"], ["unknown_model"]]


def test_a_formula_is_no_value_and_does_not_go_back_as_one(tmp_path):
    rows = [wish(1, 额外="=HYPERLINK(1)"), wish(2, **{"额定功率(kW)": "=1+1"}), wish(3, 额外="=2+2", 相别="D")]
    found = take_in(tmp_path, workbook_of([{**row, "额外": row.get("额外", "")} for row in rows]))

    assert codes(found) == [["formula"], ["unknown_phase"]]
    sheet = openpyxl.load_workbook(io.BytesIO(rejected_bytes(found))).active
    assert [cell.data_type for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []


@pytest.mark.parametrize("hostile", ["=cmd|'/c calc'!A1", "+1+1", "@SUM(A1)", "-1+2", "\t=1", "＝1+1"])
def test_hostile_cells_go_back_as_text_and_mean_the_same_when_they_return(tmp_path, hostile):
    found = take_in(tmp_path, csv_of([wish(1, 户号=""), wish(3, 户号=hostile, 相别="D")]))
    content = rejected_bytes(found)

    cells = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    assert cells["户号"].iloc[0] == f"'{hostile}"
    again = take_in(tmp_path, content)
    assert again.file.texts("home_id") == [hostile.strip()]


def test_negative_numbers_go_back_as_they_were(tmp_path):
    found = take_in(tmp_path, csv_of([wish(1), wish(2, **{"额定功率(kW)": "-2.5"})]))

    assert b",-2.5," in rejected_bytes(found)


def test_rejected_rows_go_back_in_the_encoding_and_with_the_cells_of_their_file(tmp_path):
    rows = [{**wish(1), "电话": "0359"}, {**wish(2, 相别="D", 申请日期="2025年10月1日"), "电话": " 0011 "}]
    found = take_in(tmp_path, csv_of(rows, encoding="gb18030", above=["2025年报装明细,,"]))
    path = write_rejected(found, tmp_path / "back")

    assert path.name == "wishes.rejected.csv"
    lines = path.read_bytes().decode("gb18030").split("\r\n")
    assert lines[0].startswith("2025年报装明细")
    assert lines[1] == ",".join([*rows[0], "source_row", "reason_zh", "reason_en"])
    assert lines[2].startswith("P2,垣曲县,上王村,140827-A0001,2025年10月1日,热风机,1.5,D,普通, 0011 ,4,")
    assert write_rejected(take_in(tmp_path, csv_of([wish()])), tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_workbook_goes_back_as_a_workbook_with_its_days_and_numbers(tmp_path):
    rows = [wish(1), wish(2, 相别="D", 申请日期=dt.date(2025, 9, 30), **{"额定功率(kW)": 2.5}, 备注="007")]
    found = take_in(tmp_path, workbook_of([{**row, "备注": row.get("备注", "")} for row in rows], above=["明细"]))
    path = write_rejected(found, tmp_path / "back")

    assert path.name == "wishes.rejected.xlsx"
    title, heading, row = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    assert title[0] == "明细"
    cells = dict(zip(heading, row, strict=True))
    assert cells["申请日期"].date() == dt.date(2025, 9, 30)
    assert (cells["额定功率(kW)"], cells["备注"], cells["source_row"]) == (2.5, "007", 4)
    assert "相别 'D'" in cells["reason_zh"]
    assert rejected_bytes(found) == path.read_bytes()


@pytest.mark.parametrize("make", [csv_of, workbook_of])
def test_corrected_rows_are_taken_and_old_reasons_read_over(tmp_path, make):
    found = take_in(tmp_path, make([wish(1), wish(2, 相别="D"), wish(3, 台区="")]))
    again = take_in(tmp_path, rejected_bytes(found))
    assert codes(again) == codes(found)
    assert again.rejected.columns.tolist().count("reason_zh") == 1

    table = again.rejected.drop(columns=["source_row", "reason_zh", "reason_en"])
    table.loc[table["申请编号"] == "P2", "相别"] = "B"
    table.loc[table["申请编号"] == "P3", "台区"] = "140827-A0002"
    last = take_in(tmp_path, make(table.assign(source_row=9, reason_zh="旧", reason_en="old").to_dict("records")))

    assert [a.application_id for a in last.accepted] == ["P2", "P3"]


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path, monkeypatch):
    found = take_in(tmp_path, csv_of([wish(1, 相别="D")]))
    monkeypatch.setattr("gridcheck.atomic.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))

    with pytest.raises(OSError, match="No space"):
        write_rejected(found, tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"\xd0\xcf\x11\xe0old", "workbook or an archive"),
        (csv_of([{k: v for k, v in GOOD.items() if k != "相别"}]), r"column phase \(相别\); expected application_id"),
        (csv_of([{("额定功率(W)" if k == "额定功率(kW)" else k): v for k, v in GOOD.items()}]), "column rated_kw"),
        (csv_of([{**GOOD, "报装号": "1"}]), "mean the same, application_id"),
        (csv_of([GOOD]).replace("户类".encode(), "县".encode()), "'县' stands more than once"),
        (b"PK\x03\x04 not a workbook", "not a readable .xlsx"),
        (csv_of([GOOD])[:-3] + b',"open', "cannot be read as a table of applications"),
    ],
)
def test_a_file_that_is_no_table_of_applications_is_refused_whole(tmp_path, content, said):
    with pytest.raises((InputError, SchemaError), match=said):
        take_in(tmp_path, content)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv cannot be read as a table of applications"):
        read_application_file(tmp_path / "absent.csv")


def test_a_file_without_a_sound_row_is_told_with_the_first_rows(tmp_path):
    found = take_in(tmp_path, csv_of([wish(number, 相别="D") for number in range(30)]))

    with pytest.raises(InputError, match="none of 30 applications can be studied") as caught:
        found.require_some()
    assert caught.value.findings[0] == "row 2 (P0): phase 'D' must be one of A, B, C, ABC"
    assert caught.value.findings[-1] == "and 10 more"
    with pytest.raises(InputError, match="holds no application"):
        take_in(tmp_path, csv_of([GOOD]).splitlines(keepends=True)[0]).require_some()


def test_reasons_are_counted_by_row_not_by_cell(tmp_path):
    rows = [wish(1, 相别="", 户类=""), wish(2, 相别=""), wish(3, 设备="煤炉"), wish(4)]

    assert take_in(tmp_path, csv_of(rows)).counts == {"empty": 2, "unknown_device": 1}


def test_the_same_file_gives_the_same_bytes(tmp_path):
    rows = [wish(number, 台区=f"140827-B{number:04d}", 村=f"第{number}村") for number in range(50)]
    first, second = (rejected_bytes(take_in(tmp_path, make(rows))) for make in (csv_of, csv_of))

    assert first == second
    assert rejected_bytes(take_in(tmp_path, workbook_of(rows))) == rejected_bytes(take_in(tmp_path, workbook_of(rows)))


def test_bounds_hold_every_class_and_the_ratings_that_the_catalogue_knows():
    from gridcheck.catalogue import heater_ratings  # the range of a class must hold what is sold

    for device, sizes in heater_ratings().groupby("device"):
        low, high = bounds()[str(device)]
        assert (low <= sizes["rated_kw"]).all()
        assert (sizes["max_input_kw"] * 2.0 <= high + 10.0).all()
        assert np.isfinite([low, high]).all()
