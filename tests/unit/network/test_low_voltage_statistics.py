"""Counts and lengths of an area drawn by hand."""

import numpy as np
import pytest

from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.network.low_voltage_statistics import distances_m, low_voltage_statistics

GRID = LowVoltageGrid(
    area_id="A1", is_synthetic=False, node_name=("lv", "P1", "P2", "B1", "B2"), parent=[-1, 0, 1, 1, 2],
    length_m=[0, 40, 50, 10, 20], type_name=("", *["JKLYJ-1-70"] * 4), home_id=tuple("abcdefg"),
    home_node=[3, 3, 3, 3, 4, 4, 4], home_phase=[0, 0, 0, 1, 2, 3, -1],
)  # fmt: skip


def test_counts_and_lengths_by_hand():
    row = low_voltage_statistics([GRID]).iloc[0]

    assert distances_m(GRID).tolist() == [0, 40, 90, 50, 110]
    assert row[["meters", "meters_a", "meters_b", "meters_c", "meters_three_phase"]].tolist() == [7, 3, 1, 1, 1]
    assert row[["meters_unknown_phase", "boxes", "meters_in_largest_box", "nodes"]].tolist() == [1, 2, 4, 5]
    assert row["heaviest_phase_percent"] == pytest.approx(60.0)
    assert row["line_km"] == pytest.approx(0.12)
    assert row["farthest_meter_m"] == 110


def test_an_area_without_meters_has_no_shares():
    grid = LowVoltageGrid(
        area_id="A2", is_synthetic=True, node_name=("lv",), parent=[-1], length_m=[0], type_name=("",), home_id=(),
        home_node=[], home_phase=[],
    )  # fmt: skip
    row = low_voltage_statistics([grid]).iloc[0]

    assert row["meters"] == 0
    assert np.isnan(row["heaviest_phase_percent"])
    assert np.isnan(row["farthest_meter_m"])
