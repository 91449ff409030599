"""Application files: what is read, and that every fault in them is told at once, by row."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from gridcheck.catalogue import class_devices
from gridcheck.connection.applications import COLUMNS, parse_applications, read_applications, sheet_conflicts
from gridcheck.errors import InputError, SchemaError
from gridcheck.geography import counties
from gridcheck.synthesis.applications import synthetic_applications
from tests.support.county_folder import CODE, areas, heating

AREA_IDS = (f"{CODE}-A0001", f"{CODE}-A0002")
ROW = {
    "application_id": "P1", "county_code": CODE, "village_code": f"{CODE}100200", "area_id": AREA_IDS[0],
    "applied_on": "2025-06-01", "device": "air_air_heat_pump", "rated_kw": "1.5", "phase": "A",
    "household_group": "ordinary", "queue_position": "1",
}  # fmt: skip
SECOND = ROW | {"application_id": "P2", "area_id": AREA_IDS[1], "queue_position": "2", "phase": "ABC"}


def parse(*rows: dict[str, str]):
    return parse_applications(pd.DataFrame(rows), area_ids=AREA_IDS, county_code=CODE, source="wishes.csv")


def findings(*rows: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SchemaError) as caught:
        parse(*rows)
    assert "wishes.csv" in caught.value.message
    assert CODE in caught.value.message
    return caught.value.findings


def test_applications_come_in_queue_order():
    second, first = parse(ROW | {"queue_position": "10"}, SECOND)

    assert (second.application_id, first.application_id) == ("P2", "P1")
    assert first.queue_position == 10
    assert first.applied_on == date(2025, 6, 1)
    assert first.rated_kw == 1.5
    assert second.phase == "ABC"


MODELS = {"Fan 72": False, "Panel 2": True}


def test_a_model_of_the_planner_stands_where_a_class_may():
    rows = [
        ROW,
        SECOND | {"device": "Panel 2"},
        SECOND | {"application_id": "P3", "queue_position": "3", "device": "Fan 72"},
    ]
    found = parse_applications(
        pd.DataFrame(rows), area_ids=AREA_IDS, county_code=CODE, source="wishes.csv", models=MODELS
    )

    assert [(a.device, a.is_discouraged) for a in found] == [
        ("air_air_heat_pump", None), ("Panel 2", True), ("Fan 72", False),
    ]  # fmt: skip


def test_an_unknown_model_is_told_by_row_with_what_is_allowed():
    rows = pd.DataFrame([ROW, SECOND | {"device": "Fan 27"}])
    with pytest.raises(SchemaError) as caught:
        parse_applications(rows, area_ids=AREA_IDS, county_code=CODE, source="wishes.csv", models=MODELS)
    (finding,) = caught.value.findings
    assert finding.startswith("row 3 (P2): device 'Fan 27' must be one of air_air_heat_pump, ")
    assert finding.endswith("storage_heater, Fan 72, Panel 2")


def test_a_model_without_a_table_of_heaters_names_the_key_that_is_missing():
    (finding,) = findings(ROW, SECOND | {"device": "Fan 72"})
    assert finding.startswith("row 3 (P2): device 'Fan 72' must be one of air_air_heat_pump, ")
    assert finding.endswith("a model of your own needs the table of your heaters, demand.devices of the scenario")


@pytest.mark.parametrize(
    ("model", "rated_kw", "phase", "said"),
    [
        # The Fan draws 2.7 kW at most, the two Panels of a home 4 kW, the Boiler 7 kW through three phases.
        ("Fan 72", 10.8, "ABC", {}),
        ("Fan 72", 11.0, "ABC", {"over_sheet": "11 4 1 2.7"}),
        ("Panel 2", 8.0, "A", {}),
        ("Panel 2", 8.1, "A", {"one_phase_of_sheet": "8.1 8"}),
        ("Panel 2", 20.0, "A", {"over_sheet": "20 5 2 4"}),
        ("Boiler 18", 5.1, "ABC", {}),
        ("Boiler 18", 5.1, "B", {"three_phase_sheet": ""}),
        ("Boiler 18", 9.0, "B", {"one_phase_of_sheet": "9 8", "three_phase_sheet": ""}),
        ("Fan 72", None, "A", {}),
    ],
)
def test_an_application_goes_with_the_sheet_of_its_model(model, rated_kw, phase, said):
    max_kw, units, phases = {"Fan 72": (2.7, 1.0, 1), "Panel 2": (4.0, 2.0, 1), "Boiler 18": (7.0, 1.0, 3)}[model]
    sheet = replace(class_devices()["resistive_heater"], model=model, max_input_kw=max_kw, units=units, phases=phases)
    names = ("found", "times_found", "units", "most", "allowed")
    found = {
        code: " ".join(values[name] for name in names if name in values)
        for code, values in sheet_conflicts(sheet, rated_kw, phase)
    }

    assert found == said


def test_rows_of_other_counties_are_left_to_them():
    assert [a.application_id for a in parse(ROW, SECOND | {"county_code": "140899"})] == ["P1"]


def test_no_rows_no_applications():
    assert parse_applications(pd.DataFrame(columns=COLUMNS), area_ids=AREA_IDS, county_code=CODE, source="x") == ()


@pytest.mark.parametrize(
    ("column", "found", "said"),
    [
        ("area_id", "140800-A9999", "area_id '140800-A9999' is not an area of the county (see areas.csv)"),
        ("rated_kw", "-2.5", "rated_kw '-2.5' must be a number above 0 and up to 40"),
        ("rated_kw", "0", "rated_kw '0' must be a number above 0 and up to 40"),
        ("rated_kw", "4000", "rated_kw '4000' must be a number above 0 and up to 40"),
        ("rated_kw", "nan", "rated_kw 'nan' must be a number above 0 and up to 40"),
        ("rated_kw", "inf", "rated_kw 'inf' must be a number above 0 and up to 40"),
        ("rated_kw", "2,5", "rated_kw '2,5' must be a number above 0 and up to 40"),
        ("rated_kw", "", "rated_kw '' must be a number above 0 and up to 40"),
        ("device", "candle", "device 'candle' must be one of air_air_heat_pump, air_water_heat_pump, "
         "ground_source_heat_pump, resistive_heater, storage_heater; a model of your own needs the table of your "
         "heaters, demand.devices of the scenario"),
        ("phase", "D", "phase 'D' must be one of A, B, C, ABC"),
        ("household_group", "", "household_group '' must be one of ordinary, hardship"),
        ("queue_position", "0", "queue_position '0' must be a whole number from 1 to 10000000"),
        ("queue_position", "1.5", "queue_position '1.5' must be a whole number from 1 to 10000000"),
        ("queue_position", "1e300", "queue_position '1e300' must be a whole number from 1 to 10000000"),
        ("queue_position", "10000001", "queue_position '10000001' must be a whole number from 1 to 10000000"),
        ("queue_position", "１０", "queue_position '１０' must be a whole number from 1 to 10000000"),
        ("rated_kw", "1_0", "rated_kw '1_0' must be a number above 0 and up to 40"),
        ("rated_kw", "１０", "rated_kw '１０' must be a number above 0 and up to 40"),
        ("queue_position", "first", "queue_position 'first' must be a whole number from 1 to 10000000"),
        ("applied_on", "2025-02-30", "applied_on '2025-02-30' must be a date like 2025-09-30"),
        ("applied_on", "1/6/2025", "applied_on '1/6/2025' must be a date like 2025-09-30"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_row_with_what_was_found_and_what_is_allowed(column, found, said):
    assert findings(ROW, SECOND | {column: found}) == (f"row 3 (P2): {said}",)


@pytest.mark.parametrize(
    "given",
    ["", " ", "../../etc/passwd", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\x01b", "a\nb", "x" * 65, "x" * 40_000],
)
def test_an_application_needs_an_id_that_leads_nowhere(given):
    (found,) = findings(ROW | {"application_id": given})

    assert found.startswith("row 2 (")
    assert found.endswith(
        "application_id must have 1 to 64 letters, digits and _ . # - ( ), beginning with a letter or digit"
    )
    assert found.isprintable()
    assert len(found) < 200


@pytest.mark.parametrize("given", ["140827-P00001", "报装-7", "运电〔2025〕12", "a.b#c(1)", "x" * 64])
def test_ids_of_the_users_own_are_kept(given):
    assert parse(ROW | {"application_id": given})[0].application_id == given


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("P1,140827,v,a,2025-06-01,air_air_heat_pump,1.5,A,ordinary,1,extra", "row 3: 11 cells, the heading has 10"),
        ("P1,140827,v,a,2025-06-01,air_air_heat_pump,1,5,A,ordinary,1", "row 3: 11 cells, the heading has 10"),
        ("P1,140827", "row 3: 2 cells, the heading has 10"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_not_shifted(tmp_path, line, said):
    path = tmp_path / "wishes.csv"
    path.write_text("\n".join([",".join(COLUMNS), ",".join(ROW.values()), line, ""]), encoding="utf-8")

    with pytest.raises(SchemaError) as caught:
        read_applications(path)

    assert str(path) in caught.value.message
    assert caught.value.findings[0].startswith(said)


def test_all_faults_are_told_at_once():
    found = findings(ROW | {"device": "candle", "rated_kw": "-1"}, SECOND | {"phase": "X"})

    assert [line.split(":")[0] for line in found] == ["row 2 (P1)", "row 2 (P1)", "row 3 (P2)"]


def test_an_id_stands_once():
    assert findings(ROW, SECOND | {"application_id": "P1"}) == ("row 3: application_id 'P1' stands more than once",)


@pytest.mark.parametrize("again", ["1", "1.0", "01"])
def test_a_place_in_the_queue_is_given_once_however_it_is_written(again):
    assert findings(ROW, SECOND | {"queue_position": again}) == (
        f"row 3: queue_position {again!r} stands more than once",
    )


def test_places_that_are_no_numbers_are_not_also_doubles():
    found = findings(ROW | {"queue_position": "x"}, SECOND | {"queue_position": "x"})

    assert [line for line in found if "more than once" in line] == []
    assert len(found) == 2


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named_with_all_that_are_expected(column):
    with pytest.raises(SchemaError) as caught:
        parse_applications(
            pd.DataFrame([ROW]).drop(columns=column), area_ids=AREA_IDS, county_code=CODE, source="w.csv"
        )

    assert caught.value.findings == (f"column {column}; expected {', '.join(COLUMNS)}",)
    assert "w.csv" in caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_reading_a_file_keeps_texts(tmp_path, encoding):
    path = tmp_path / "wishes.csv"
    rows = [ROW | {"application_id": "0001"}, SECOND | {"application_id": "东街2"}]
    pd.DataFrame(rows).to_csv(path, index=False, encoding=encoding)

    table = read_applications(path)

    assert table["application_id"].tolist() == ["0001", "东街2"]
    assert [one.application_id for one in parse(*table.to_dict("records"))] == ["0001", "东街2"]


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00broken"], ids=["absent", "empty", "not_text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "wishes.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError, match=r"wishes\.csv cannot be read as a table of applications"):
        read_applications(path)


def test_the_synthetic_queue_is_a_valid_file(tmp_path):
    """What the generator writes passes the same door as a file of the user's."""
    code = "140827"
    assert code in set(counties()["county_code"])
    many = areas().iloc[:1].drop(columns="county_code").assign(
        county_code=code, households=400, occupied_households=300, key_area=False
    )  # fmt: skip
    heated = heating().iloc[:1].astype({"households": int, "rated_kw": float})
    table = synthetic_applications(code, many, heated, seed=3)
    table.to_csv(tmp_path / "queue.csv", index=False)

    found = parse_applications(
        read_applications(tmp_path / "queue.csv"), area_ids=list(many["area_id"]), county_code=code, source="queue.csv"
    )

    assert len(found) == len(table) == 100
    assert [a.queue_position for a in found] == list(range(1, 101))


def test_the_same_id_in_two_counties_is_found_when_the_file_is_read(tmp_path):
    path = tmp_path / "wishes.csv"
    pd.DataFrame([ROW, SECOND, ROW | {"county_code": "140802"}]).to_csv(path, index=False)

    with pytest.raises(SchemaError) as caught:
        read_applications(path)

    assert caught.value.findings == ("row 4: application_id 'P1' stands more than once",)
    assert "wishes.csv" in caught.value.message
