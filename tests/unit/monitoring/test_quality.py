from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gridcheck.monitoring.quality import Doubt, doubtful_points, judge_values, run_length, runs_of
from gridcheck.monitoring.rejections import REMEDIES, Rejections

P, Q, UA = 0, 1, 2


def judged(
    cells: list[str | None], quantity: int, *, allow_negative_power: bool = False
) -> tuple[list[float], dict[str, list[int]]]:
    result = judge_values(pa.array(cells, type=pa.string()), quantity, allow_negative_power=allow_negative_power)
    return list(result.value), {rule: list(at) for rule, at in result.broken}


def test_plain_numbers_and_missing_cells() -> None:
    value, broken = judged(["1", "0", None, " 2.5 ", "1e2", "  "], P)

    np.testing.assert_array_equal(value, [1, 0, np.nan, 2.5, 100, np.nan])
    assert broken == {}


def test_a_missing_value_is_not_zero() -> None:
    value, _ = judged([None], P)

    assert np.isnan(value[0])


@pytest.mark.parametrize(
    ("cell", "quantity", "rule"),
    [
        ("abc", P, "not_a_number"),
        ("1,234.5", P, "not_a_number"),
        ("12kW", P, "not_a_number"),
        ("１２", P, "not_a_number"),
        ("0x10", P, "not_a_number"),
        ("inf", P, "not_a_number"),
        ("1e999", P, "not_a_number"),
        ("=1+1", P, "formula"),
        ("-0.01", P, "negative_power"),
        ("10001", P, "out_of_range"),
        ("-10001", Q, "out_of_range"),
        ("-0.1", UA, "out_of_range"),
        ("286.1", UA, "out_of_range"),
        ("10000", UA, "out_of_range"),
    ],
)
def test_broken_cells_name_their_rule_and_are_not_measured(cell: str, quantity: int, rule: str) -> None:
    value, broken = judged(["5", cell, "6"], quantity)

    np.testing.assert_array_equal(value, [5, np.nan, 6])
    assert broken == {rule: [1]}


@pytest.mark.parametrize(
    ("cell", "quantity"),
    [("0", P), ("10000", P), ("-50", Q), ("0", UA), ("286", UA)],
    ids=["0 kW", "top", "Q<0", "0 V", "286 V"],
)
def test_cells_on_the_edge_are_taken(cell: str, quantity: int) -> None:
    value, broken = judged([cell], quantity)

    assert value == [float(cell)]
    assert broken == {}


def test_feeding_back_can_be_allowed() -> None:
    value, broken = judged(["-5", "-10001"], P, allow_negative_power=True)

    np.testing.assert_array_equal(value, [-5, np.nan])
    assert broken == {"out_of_range": [1]}


def test_runs() -> None:
    holds = np.array([[1, 1, 1, 0, 1, 1, 0, 1]], dtype=bool)

    assert run_length(holds).tolist() == [[1, 2, 3, 0, 1, 2, 0, 1]]
    assert runs_of(holds, 3).astype(int).tolist() == [[1, 1, 1, 0, 0, 0, 0, 0]]
    assert runs_of(holds, 2).astype(int).tolist() == [[1, 1, 1, 0, 1, 1, 0, 0]]
    assert not runs_of(holds, 4).any()


def doubts(p_kw: list[float], voltage_v: list[float], *, kva: float = 100.0) -> list[int]:
    power, voltage = np.array([p_kw]), np.array([voltage_v])[:, :, None]
    return [int(bits) for bits in doubtful_points(power, np.abs(power), voltage, np.array([kva]))[0]]


def test_stuck_power_needs_four_equal_values() -> None:
    assert doubts([5, 5, 5, 6, 7], [np.nan] * 5) == [0] * 5
    assert doubts([4, 5, 5, 5, 5, 6], [np.nan] * 6) == [0, *[Doubt.POWER_STUCK] * 4, 0]


def test_a_gap_ends_a_stuck_stretch() -> None:
    assert doubts([5, 5, np.nan, 5, 5], [np.nan] * 5) == [0] * 5


def test_stuck_voltage_needs_twelve() -> None:
    assert doubts([np.nan] * 11, [220.0] * 11) == [0] * 11
    assert doubts([np.nan] * 12, [220.0] * 12) == [Doubt.VOLTAGE_STUCK] * 12


def test_zero_load_is_doubtful_only_under_voltage() -> None:
    assert doubts([0, 0], [220.0, np.nan]) == [Doubt.POWER_ZERO, 0]


def test_physical_range() -> None:
    assert doubts([250.0, 251.0], [110.0, 109.9]) == [0, Doubt.POWER_IMPLAUSIBLE | Doubt.VOLTAGE_IMPLAUSIBLE]


def test_rejections_are_sorted_counted_and_harmless_in_a_spreadsheet(tmp_path: Path) -> None:
    rejections = Rejections()
    rejections.add("not_a_number", [7, 3], "p_kw", ["=HYPERLINK(1)", "@x"], whole_row=False)
    rejections.add("negative_power", [5], "+p", ["-5.5"], whole_row=False)

    rejections.write(tmp_path / "r.csv")

    text = (tmp_path / "r.csv").read_bytes()
    rows = list(csv.DictReader(text.decode("utf-8-sig").splitlines()))
    assert text.startswith(b"\xef\xbb\xbf")
    assert [(row["row"], row["column"], row["value"]) for row in rows] == [
        ("3", "p_kw", "'@x"),
        ("5", "'+p", "-5.5"),
        ("7", "p_kw", "'=HYPERLINK(1)"),
    ]
    assert rows[1]["remedy"] == REMEDIES["negative_power"]
    assert rejections.counts == (("not_a_number", 2), ("negative_power", 1))
    assert rejections.findings(limit=1)[1] == "and 2 more"
