"""The checklist: what ships, and every way in which one that was filled in can be wrong."""

import pytest

from gridcheck.errors import InputError, SchemaError
from gridcheck.ledger import Approved, blank_checklist, checklist_items, read_checklist

GOOD = {
    "wire_section": ("pass", ""), "insulation_mohm": ("pass", "0.5"), "rcd_ma": ("pass", "30"),
    "mcb_meter": ("pass", ""), "earthing": ("pass", ""), "phase_as_approved": ("pass", ""),
    "rated_kw": ("pass", "3.0"), "meter_seal": ("pass", ""), "meter_link": ("pass", ""),
    "no_load_voltage_v": ("pass", "228"), "loaded_voltage_v": ("pass", "206.5"), "photo_record": ("pass", ""),
}  # fmt: skip

APPROVED = Approved(application_id="R001", rated_kw=3.0, phase="B")


def checklist(path, *, encoding="utf-8", **changes):
    """Write a good checklist with some rows changed; None leaves a row out."""
    rows = {name: row for name, row in (GOOD | changes).items() if row is not None}
    lines = ["item,result,value,note", *(f"{name},{result},{value},备注" for name, (result, value) in rows.items())]
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


@pytest.fixture
def read(tmp_path):
    def of(encoding="utf-8", **changes):
        path = checklist(tmp_path / "checklist.csv", encoding=encoding, **changes)
        return read_checklist(path, checklist_items(), approved=APPROVED)

    return of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_good_one(read, encoding):
    found = {one.item: one for one in read(encoding)}
    assert {name: one.result for name, one in found.items() if name in GOOD} == dict.fromkeys(GOOD, "pass")
    assert found["loaded_voltage_v"].value == 206.5
    assert found["rcd_ma"].note == "备注"
    # Items of a new transformer were left out: they do not apply.
    assert {one.result for name, one in found.items() if name not in GOOD} == {"not_applicable"}


@pytest.mark.parametrize(
    ("item", "value", "bounds"),
    [
        ("insulation_mohm", "0.49", "from 0.5 MOhm"),
        ("rcd_ma", "31", "up to 30 mA"),
        ("no_load_voltage_v", "235.5", "from 198 and up to 235.4 V"),
        ("loaded_voltage_v", "197.9", "from 198 and up to 235.4 V"),
        ("rated_kw", "3.01", "up to 3 kW"),
        ("new_transformer_earthing_ohm", "4.1", "up to 4 Ohm"),
    ],
)
def test_a_value_beyond_its_bound_cannot_pass_and_can_fail(read, item, value, bounds):
    with pytest.raises(SchemaError) as caught:
        read(**{item: ("pass", value)})
    assert len(caught.value.findings) == 1
    assert bounds in caught.value.findings[0]
    assert item in caught.value.findings[0]
    assert next(one for one in read(**{item: ("fail", value)}) if one.item == item).result == "fail"


def test_all_faults_are_named_at_once(read):
    with pytest.raises(SchemaError) as caught:
        read(earthing=("good", ""), rcd_ma=("pass", ""), meter_seal=("not_applicable", ""), photo_record=None,
             roof=("pass", ""), loaded_voltage_v=("pass", "210 V"))  # fmt: skip
    findings = "\n".join(caught.value.findings)
    for part in ("result 'good', allowed are pass, fail, not_applicable", "(rcd_ma): a value is needed [mA]",
                 "(meter_seal): applies to every home", "photo_record (留存影像资料) is missing", "'roof' is no item",
                 "value '210 V' is no number"):  # fmt: skip
        assert part in findings


def test_an_item_twice_is_a_fault(tmp_path):
    path = checklist(tmp_path / "checklist.csv")
    path.write_text(path.read_text(encoding="utf-8") + "earthing,fail,,\n", encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        read_checklist(path, checklist_items(), approved=APPROVED)
    assert caught.value.findings == ("row 14: 'earthing' stands more than once",)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_checklist(tmp_path / "none.csv", checklist_items(), approved=APPROVED)
    path = tmp_path / "short.csv"
    path.write_text("item,result\nearthing,pass\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="lacks columns"):
        read_checklist(path, checklist_items(), approved=APPROVED)


def test_a_blank_one_can_be_read_back_and_nothing_in_it_is_decided(tmp_path):
    path = tmp_path / "blank.csv"
    path.write_text(blank_checklist(checklist_items(), APPROVED), encoding="utf-8-sig")
    with pytest.raises(SchemaError) as caught:
        read_checklist(path, checklist_items(), approved=APPROVED)
    assert sum("result ''" in finding for finding in caught.value.findings) == len(checklist_items())


def test_a_checklist_says_for_whom_it_is_and_what_was_approved(tmp_path):
    sheet = blank_checklist(checklist_items(), Approved(application_id="R001", rated_kw=2.4, phase="B"))
    lines = sheet.splitlines()
    assert lines[1].startswith("application_id,,R001,")
    assert next(line for line in lines if line.startswith("phase_as_approved,")).endswith("Phase as approved: B")
    assert ": 2.4 kW" in next(line for line in lines if line.startswith("rated_kw,"))


def test_the_checklist_of_another_application_is_refused(tmp_path):
    path = checklist(tmp_path / "checklist.csv")
    lines = path.read_text(encoding="utf-8").splitlines()

    def of(name):
        path.write_text("\n".join([lines[0], f"application_id,,{name},", *lines[1:]]), encoding="utf-8")
        return read_checklist(path, checklist_items(), approved=APPROVED)

    assert of("R001") == read_checklist(checklist(tmp_path / "plain.csv"), checklist_items(), approved=APPROVED)
    with pytest.raises(SchemaError) as caught:
        of("R002")
    assert caught.value.findings == ("row 2: this is the checklist of 'R002', not of 'R001'",)


def test_items_of_ones_own_take_the_place_of_those_that_ship(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text(
        "item,label_zh,label_en,kind,low,high,unit,needed,source,confidence,note\n"
        "rcd_ma,漏保,RCD,measured,,10,mA,true,own,E,\n",
        encoding="utf-8",
    )
    (item,) = checklist_items(path)
    assert (item.high, item.needed, item.confidence) == (10.0, True, "E")
    filled_in = tmp_path / "checklist.csv"
    filled_in.write_text("item,result,value,note\nrcd_ma,pass,30,\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="1 faults"):
        read_checklist(filled_in, (item,), approved=APPROVED)
