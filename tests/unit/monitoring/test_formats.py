from __future__ import annotations

import pytest

from gridcheck.errors import SchemaError
from gridcheck.monitoring.formats import find_layout, quantity_of
from gridcheck.monitoring.readings import TimeLabel
from tests.support.readings import clock

STARTS = [clock(point) for point in range(96)]
ENDS = [*STARTS[1:], "24:00"]


def wide(points: list[str]) -> list[list[str]]:
    return [["台区编号", "日期", "数据项", *points]]


def test_long_file_with_english_headers() -> None:
    layout = find_layout([["area_id", "time", "p_kw", "q_kvar", "ua_v", "ub_v", "uc_v"]], where="f.csv")

    assert layout.kind == "long"
    assert layout.roles == ("area_id", "time", "p_kw", "q_kvar", "voltage_a_v", "voltage_b_v", "voltage_c_v")


def test_long_file_with_chinese_headers_full_width_forms_and_a_title_above() -> None:
    rows = [["台区负荷明细"], [], ["序号", "台区编号", "数据时间", "有功功率（ｋＷ）", "A相电压(V)", "备注"]]

    layout = find_layout(rows, where="f.csv")

    assert layout.header_row == 3
    assert layout.roles == ("", "area_id", "time", "p_kw", "voltage_a_v", "")
    assert layout.unused == ("序号", "备注")


@pytest.mark.parametrize(
    ("points", "label"),
    [
        pytest.param([f"P{n}" for n in range(1, 97)], None, id="P1 to P96"),
        pytest.param([str(n) for n in range(1, 97)], None, id="1 to 96"),
        pytest.param(STARTS, TimeLabel.START, id="00:00 to 23:45"),
        pytest.param([f"{word}:00" for word in STARTS], TimeLabel.START, id="with seconds"),
        pytest.param([word.replace(":", "") for word in STARTS], TimeLabel.START, id="0000 to 2345"),
        pytest.param(ENDS, TimeLabel.END, id="00:15 to 24:00"),
        pytest.param([*STARTS[1:], "00:00"], TimeLabel.END, id="00:15 to 00:00"),
    ],
)
def test_wide_file_has_point_1_first(points: list[str], label: TimeLabel | None) -> None:
    layout = find_layout(wide(points), where="f.csv")

    assert layout.kind == "wide"
    assert layout.slots == tuple(range(96))
    assert layout.label == label


def test_point_columns_in_another_order_keep_their_place() -> None:
    layout = find_layout(wide([f"P{n}" for n in range(96, 0, -1)]), where="f.csv")

    assert layout.slots == tuple(range(95, -1, -1))


@pytest.mark.parametrize(
    ("points", "words"),
    [
        pytest.param([f"P{n}" for n in range(1, 96)], "95 point columns", id="95"),
        pytest.param([*STARTS, "24:00"], "97 point columns", id="97, both midnights"),
        pytest.param([f"{hour:02d}:00" for hour in range(24)], "24 point columns", id="24 hours"),
        pytest.param([f"P{n}" for n in range(96)], "neither 1 to 96", id="0 to 95"),
        pytest.param([*STARTS[:95], "23:50"], "neither 1 to 96", id="off the grid"),
    ],
)
def test_wrong_point_columns_are_refused(points: list[str], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        find_layout(wide(points), where="f.csv")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        pytest.param(["name", "value"], "no header of readings", id="no known column"),
        pytest.param(["area_id", "time", "remark"], "no column of a quantity", id="no quantity"),
        pytest.param(["area_id", "date", "p_kw"], "no column time", id="date without time"),
        pytest.param(["area_id", "台区编号", "time", "p_kw"], "two columns mean the same", id="two area columns"),
        pytest.param(["area_id", "time", *(f"P{n}" for n in range(1, 97))], "a date", id="wide without quantity"),
        pytest.param(["area_id", "time", "有功功率(MW)"], "no column of a quantity", id="MW is not kW"),
    ],
)
def test_unusable_headers_are_refused(header: list[str], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        find_layout([header], where="f.csv")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("P", 0),
        ("有功功率", 0),
        ("Q", 1),
        ("UA", 2),
        ("B相电压", 3),
        ("u_c", 4),
        ("电压", 5),
        ("A相电流", -1),
        ("PF", -1),
        ("x", None),
    ],
)
def test_quantities_of_wide_rows(text: str, place: int | None) -> None:
    assert quantity_of(text) == place
