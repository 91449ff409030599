"""A planner's own devices: what is read from a file, and that every slip is named by row and column."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.catalogue import Device, class_devices, read_devices
from gridcheck.catalogue.device_columns import column_of
from gridcheck.errors import CatalogueError, InputError, SchemaError

EXAMPLE = Path(__file__).parents[3] / "scenarios/devices-example.csv"
SHEET = {
    "model": "KFR-35", "class": "air_air_heat_pump", "rated_heat_kw": "3.5", "rated_input_kw": "0.95",
    "max_input_kw": "1.35", "phases": "1", "source": "product sheet 2024", "units": "", "cos_phi": "", "control": "",
    "standby_w": "", "backup_kw": "", "min_outdoor_c": "", "note": "", "cop_7": "3.68", "heat_kw_7": "3.5",
    "cop_-7": "2.75", "heat_kw_-7": "3.1", "cop_-12": "2.4", "heat_kw_-12": "2.8", "cop_-20": "1.95",
    "heat_kw_-20": "2.2",
}  # fmt: skip
CHINESE = {
    "model": "型号", "class": "设备类别", "rated_heat_kw": "额定制热量（kW）", "rated_input_kw": "额定输入功率 (kW)",
    "max_input_kw": "最大输入功率kW", "phases": "相数", "source": "来源", "units": "每户台数", "cos_phi": "功率因数",
    "control": "控制方式", "standby_w": "待机功率（W）", "backup_kw": "电辅热功率kW", "min_outdoor_c": "最低运行温度℃",
    "note": "备注", "cop_7": "能效比 7℃", "heat_kw_7": "制热量（kW）7℃", "cop_-7": "COP −7℃",
    "heat_kw_-7": "制热量－7℃",
    "cop_-12": "COP_-12", "heat_kw_-12": "制热量 −12 ℃ (kW)", "cop_-20": "能效比 –20℃", "heat_kw_-20": "制热量_-20",
}  # fmt: skip
NO_ANCHORS = {name: "" for name in SHEET if name.startswith(("cop", "heat"))}
HEATER = {"class": "resistive_heater", "rated_heat_kw": "2", "rated_input_kw": "2", "max_input_kw": "2", **NO_ANCHORS}


def write(folder, *rows, headings=None):
    path = folder / "devices.csv"
    names = list(rows[0])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names if headings is None else [headings[name] for name in names])
        writer.writerows([[row[name] for name in names] for row in rows])
    return path


def only(folder, **changes) -> Device:
    (device,) = read_devices(write(folder, SHEET | changes))
    return device


def faults(folder, *rows) -> str:
    with pytest.raises(SchemaError) as caught:
        read_devices(write(folder, *rows))
    assert caught.value.findings
    return "\n".join(caught.value.findings)


def same(one: Device, other: Device) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Device.__slots__)


def test_a_sheet_by_hand(tmp_path):
    device = only(tmp_path, units="2", backup_kw="0.8", standby_w="6", cos_phi="0.96")
    assert (device.rated_heat_kw, device.rated_kw, device.max_input_kw) == (7.0, 1.9, 2.7)
    assert (device.units, device.phases, device.cos_phi, device.control) == (2, 1, 0.96, "inverter")
    assert (device.backup_kw, device.standby_kw) == (1.6, 0.012)
    assert device.temperature_c.tolist() == [-20, -12, -7, 7]
    assert device.cop.tolist() == [1.95, 2.4, 2.75, 3.68]
    # 2.2 kW of heat at -20 degC with a COP of 1.95: 1.128 kW of the rated 0.95.
    assert device.input_ratio[0] == pytest.approx(2.2 / 1.95 / 0.95)
    assert device.heat_ratio[0] == pytest.approx(2.2 / 3.5)
    assert (device.source, device.confidence) == ("product sheet 2024", "U")


def test_what_a_sheet_leaves_open_comes_from_the_class(tmp_path):
    device, like = only(tmp_path), class_devices()["air_air_heat_pump"]
    for name in ("cos_phi", "control", "no_load_share", "defrost_heat_factor", "field_factor", "standby_kw"):
        assert getattr(device, name) == getattr(like, name)
    assert (device.units, device.backup_kw) == (1, 0)


def test_a_heat_pump_stops_below_its_coldest_cop_unless_the_sheet_says_more(tmp_path):
    assert only(tmp_path).min_outdoor_c == -20
    assert only(tmp_path, min_outdoor_c="-30").min_outdoor_c == -30
    assert only(tmp_path, **HEATER).min_outdoor_c == -np.inf


def test_fixed_speed_units_have_no_gain_at_part_load_and_a_lower_power_factor(tmp_path):
    device = only(tmp_path, control="定频")
    assert (device.control, device.no_load_share, device.cos_phi) == ("on_off", 1.0, 0.85)
    assert only(tmp_path, control="on_off", cos_phi="0.9").cos_phi == 0.9


def test_direct_heaters_need_no_cop_and_ground_source_units_one(tmp_path):
    assert only(tmp_path, **HEATER).cop.tolist() == [1.0]
    ground = SHEET | NO_ANCHORS | {"class": "ground_source_heat_pump"}
    assert read_devices(write(tmp_path, ground | {"cop_7": "3.7"}))["KFR-35"].cop.tolist() == [3.7]
    assert "no COP is given" in faults(tmp_path, ground)


def test_chinese_headings_and_words_mean_the_same(tmp_path):
    english = only(tmp_path, control="inverter", min_outdoor_c="-25")
    words = SHEET | {"class": "热风机", "phases": "单相", "control": "变频", "min_outdoor_c": "-25"}
    (chinese,) = read_devices(write(tmp_path, words, headings=CHINESE))
    assert same(english, chinese)


def test_order_of_columns_is_free(tmp_path):
    backwards = dict(reversed(SHEET.items()))
    assert same(only(tmp_path), read_devices(write(tmp_path, backwards))["KFR-35"])


def test_a_file_with_the_mark_of_spreadsheets_and_empty_columns_behind_is_read(tmp_path):
    path = write(tmp_path, SHEET)
    text = path.read_text(encoding="utf-8").replace("product sheet 2024", "样本")
    path.write_text("\ufeff" + "".join(f"{line},,\n" for line in text.splitlines()), encoding="utf-8")
    assert read_devices(path)["KFR-35"].source == "样本"


def test_the_example_for_planners_is_read():
    catalogue = read_devices(EXAMPLE)
    assert {device.device for device in catalogue} == {device.model for device in class_devices()}
    assert all(device.model.startswith("示例") and "非真实产品" in device.source for device in catalogue)
    assert {device.phases for device in catalogue} == {1, 3}
    assert {device.control for device in catalogue} == {"inverter", "on_off", "storage"}
    with pytest.raises(
        CatalogueError, match=r"devices-example\.csv has no model '示例热风机3'; did you mean 示例热风机35"
    ):
        catalogue["示例热风机3"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": ""}, "column model: found ''; it must be filled in"),
        ({"source": " "}, "column source: found ''; it must be filled in, for example: product sheet"),
        ({"class": "stove"}, "column class: found 'stove'; allowed are air_air_heat_pump"),
        ({"phases": "2"}, "column phases: found '2'; allowed are 1, 3"),
        ({"control": "storage"}, "column control: storage does not go with a air_air_heat_pump"),
        ({"control": "magic"}, "column control: found 'magic'; allowed are inverter"),
        ({"rated_heat_kw": "3500"}, "probably in W: write 3.5"),
        ({"rated_heat_kw": ""}, "column rated_heat_kw: found ''; allowed is a plain number"),
        ({"rated_heat_kw": "3,5"}, "allowed is a plain number"),
        ({"rated_heat_kw": "nan"}, "allowed is a plain number"),
        ({"rated_heat_kw": "1e9"}, "allowed is a plain number"),
        ({"rated_heat_kw": "３.５"}, "allowed is a plain number"),
        ({"rated_heat_kw": "0.95", "rated_input_kw": "3.5"}, "are heat and input exchanged?"),
        ({"max_input_kw": "0.9"}, "column max_input_kw: 0.9 kW is less than the rated input of 0.95 kW"),
        ({"units": "1.5"}, "a home has a whole number of units"),
        ({"units": "8"}, "column phases: one home would draw 10.8 kW through one phase, allowed are 8 kW: write 3"),
        ({"cos_phi": "95"}, "probably in percent: write 0.95"),
        ({"cop_7": "368%"}, "column cop_7: found '368%'; this is probably in percent: write 3.68"),
        ({"cop_-7": "275"}, "column cop_-7: found '275'; this is probably in percent: write 2.75"),
        ({"cop_7": "9"}, "column cop_7: found '9'; allowed is a plain number from 0.9 to 8"),
        ({"cop_-20": "0.8"}, "column cop_-20: found '0.8'"),
        ({"cop_-20": "2.5"}, "column cop_-20: 2.5 is not below the 2.4 at -12 degC, but a COP falls with the cold"),
        ({"cop_-20": "2.4"}, "column cop_-20: 2.4 is not below the 2.4 at -12 degC"),
        ({"cop_-20": "", "heat_kw_-20": ""}, "column cop_-20: no COP at -20 degC or colder"),
        ({"cop_7": "", "heat_kw_7": ""}, "column cop_7: no COP at 2 degC or warmer"),
        ({"heat_kw_-12": ""}, "column heat_kw_-12: is empty, while cop_-12 is given"),
        ({"cop_-12": ""}, "column cop_-12: is empty, while heat_kw_-12 is given"),
        ({"heat_kw_-20": "3.5"}, "column heat_kw_-20: 3.5 kW would need 1.79 kW of input"),
        ({"min_outdoor_c": "-15"}, "column min_outdoor_c: it stops at -15 degC, but has a COP at -20 degC"),
        ({"min_outdoor_c": "-80"}, "column min_outdoor_c: found '-80'"),
        (HEATER | {"rated_heat_kw": "7"}, "a COP of 3.50; a resistive_heater has 0.9 to 1"),
        (HEATER | {"cop_7": "2"}, "2 is more heat than a resistive_heater can give"),
    ],
)
def test_a_slip_is_named_with_row_column_and_remedy(tmp_path, changes, said):
    text = faults(tmp_path, SHEET | {"model": "sound"}, SHEET | changes)
    assert said in text
    assert all(line.startswith("row 3 (") for line in text.splitlines())


def test_a_fault_names_the_heading_as_the_file_writes_it(tmp_path):
    path = write(tmp_path, SHEET | {"class": "热风机", "cop_-20": "250%", "max_input_kw": "0.9"}, headings=CHINESE)
    with pytest.raises(SchemaError, match=r"column 能效比 –20℃: found '250%'; this is probably in percent: write 2\.5"):
        read_devices(path)


def test_all_faults_of_a_file_come_at_once(tmp_path):
    text = faults(tmp_path, SHEET | {"phases": "2", "cop_7": "368"}, SHEET | {"model": "B", "max_input_kw": "99"})
    assert len(text.splitlines()) == 3


def test_a_model_stands_once(tmp_path):
    assert "stands in row 2 too" in faults(tmp_path, SHEET, SHEET | {"model": "ｋｆｒ-35"})


@pytest.mark.parametrize(
    "name",
    [
        "storage_heater",
        "Storage_Heater",
        "空气源热泵热水机",
        "热风机",
        "热风机（空气源热泵）",
        "电锅炉",
        "direct resistive heater",
    ],
)
def test_a_model_with_the_name_of_a_class_is_refused_by_row_in_either_language(tmp_path, name):
    text = faults(tmp_path, SHEET | {"model": "sound"}, SHEET | {"model": name})
    assert text == (
        f"row 3 ({name!r}), column model: model {name!r}: that is a class; write the name on the product sheet"
    )


@pytest.mark.parametrize("name", ["nan", "inf", "35", "1e308", "热风机35", "KFR 空气源热泵热水机"])
def test_other_names_of_models_are_taken(tmp_path, name):
    assert only(tmp_path, model=name).model == name


@pytest.mark.parametrize(
    "text", ["=1+1", "+SUM(A1)", "-cmd", "@x", "＝HYPERLINK(1)", "a\tb", "a\nb", "a\x00b", "a\u202eb", "x" * 400]
)
@pytest.mark.parametrize("column", ["model", "source", "note"])
def test_hostile_texts_are_refused(tmp_path, text, column):
    path = write(tmp_path, SHEET | {column: text})
    with pytest.raises(InputError) as caught:
        read_devices(path)
    shown = "\n".join(caught.value.findings) + caught.value.message
    assert len(shown) < 1000
    assert shown.replace("\n", "").isprintable()


def test_headings_that_are_missing_unknown_or_doubled_are_named(tmp_path):
    row = {name: cell for name, cell in SHEET.items() if name != "phases"} | {
        "rated_heatt_kw": "1",
        "型号": "x",
        "x;y": "",
    }
    text = faults(tmp_path, row)
    assert "column phases (相数) is missing: add it" in text
    assert "column 'rated_heatt_kw' is not known; did you mean rated_heat_kw?" in text
    assert "column '型号' says the same as column 'model': keep one" in text
    assert "column 'x;y' is not known; take it out" in text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_file_of_a_chinese_spreadsheet_is_read(tmp_path, encoding):
    path = write(tmp_path, SHEET | {"model": "热风机-35", "source": "产品说明书 2024"}, headings=CHINESE)
    path.write_bytes(path.read_text(encoding="utf-8").replace("－", "-").replace("−", "-").encode(encoding))

    (device,) = read_devices(path)

    assert device.model == "热风机-35"


def test_a_file_without_devices_is_refused(tmp_path):
    path = tmp_path / "devices.csv"
    path.write_text(",".join(SHEET) + "\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="there is no device; write one row per model"):
        read_devices(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (
            b"model,class\n\xff,1\n",
            "row 2 is text in neither UTF-8 nor GB18030; save it in the spreadsheet as CSV UTF-8",
        ),
        (b'a,"b\n', "not CSV"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    path = tmp_path / "devices.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_devices(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_devices(tmp_path)


@settings(max_examples=150, deadline=None)
@given(column=st.sampled_from(list(SHEET)), cell=st.text(max_size=30))
def test_any_cell_gives_a_device_that_can_be_or_a_finding(tmp_path_factory, column, cell):
    path = tmp_path_factory.mktemp("any") / "devices.csv"
    buffer = io.StringIO()
    csv.writer(buffer).writerows([list(SHEET), list((SHEET | {column: cell}).values())])
    path.write_text(buffer.getvalue(), encoding="utf-8", errors="surrogatepass", newline="")
    try:
        (device,) = read_devices(path)
    except InputError:
        return
    assert device.rated_kw <= device.max_input_kw
    assert device.cop.min() >= 0.9
    assert device.cop.max() <= 8
    assert (np.diff(device.cop) > 0).all()
    assert device.temperature_c[0] <= -20


@settings(max_examples=60, deadline=None)
@given(rated=st.floats(1.0, 6.0), cops=st.lists(st.floats(0.95, 5.0), min_size=4, max_size=4, unique=True))
def test_heat_input_and_cop_of_any_sheet_fit_together(tmp_path_factory, rated, cops):
    low_to_high = sorted(round(cop, 3) for cop in cops)
    row = SHEET | {
        "rated_input_kw": f"{rated:.3f}",
        "rated_heat_kw": f"{3 * rated:.3f}",
        "max_input_kw": f"{2 * rated:.3f}",
    }
    row |= {"phases": "3"}
    for name, cop in zip(("-20", "-12", "-7", "7"), low_to_high, strict=True):
        row |= {f"cop_{name}": f"{cop:.3f}", f"heat_kw_{name}": f"{min(1.5 * rated * cop, 5.9 * rated):.3f}"}
    path = write(tmp_path_factory.mktemp("any"), row)
    if len(set(low_to_high)) < 4:
        with pytest.raises(SchemaError, match="a COP falls"):
            read_devices(path)
        return
    (device,) = read_devices(path)
    rated_cop = device.rated_heat_kw / device.rated_kw
    assert device.heat_ratio == pytest.approx(device.input_ratio * device.cop / rated_cop)
    assert device.input_ratio.max() * device.rated_kw <= device.max_input_kw * 1.05


def test_the_columns_that_are_explained_are_those_that_are_read():
    text = (EXAMPLE.parent / "README.md").read_text(encoding="utf-8").split("## Your own heaters")[1]
    text = text.split("\n## ")[0]
    first_cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    explained = {column_of(name) for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    assert None not in explained
    assert explained == {column_of(name) for name in SHEET} - {
        (kind, at) for kind in ("cop", "heat") for at in (-7.0, -20.0)
    }
