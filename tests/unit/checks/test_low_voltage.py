"""Voltage at the end of the low-voltage lines: by hand, and against a line of a thousand small loads."""

import numpy as np
import pytest

from gridcheck.checks.low_voltage import LowVoltageLines, end_voltage_v, low_voltage_lines
from gridcheck.errors import NetworkError
from tests.support.hand_drawn_county import AREAS, area_table

# JKLYJ-1-70: 0.443 and 0.291 ohm/km at 20 degC; 0.3 km, 2 lines, factor 1.2; resistance 30 degC warm.
P_DROP = 1e6 * 1.2 * 0.3 * 0.443 * (1 + 0.00403 * 10) / (6 * 2)
Q_DROP = 1e6 * 1.2 * 0.3 * 0.291 / (6 * 2)


def test_drop_factors_by_hand():
    lines = low_voltage_lines(area_table().iloc[:1])

    assert lines.p_drop == pytest.approx([P_DROP], rel=1e-12)
    assert lines.q_drop == pytest.approx([Q_DROP], rel=1e-12)
    assert pytest.approx(13_825.587) == P_DROP


def test_end_voltage_by_hand():
    lines = low_voltage_lines(area_table().iloc[:1])

    end_v = end_voltage_v(np.array([[230.0]]), np.array([[0.05]]), np.array([[0.02]]), lines)

    # (0.05 MW * 13825.587 + 0.02 Mvar * 8730) / 230 V = 3.7647 V
    assert end_v[0, 0] == pytest.approx(230.0 - 3.76469, abs=1e-4)


def test_half_of_the_impedance_is_felt_by_a_load_that_is_spread_along_the_line():
    """A thousand equal current taps on one of the lines, summed up piece by piece."""
    table = area_table().iloc[:1].assign(lv_unbalance_factor=1.0)
    power_w, voltage_v, taps = 60_000.0, 228.0, 1000
    tap_a = power_w / 3.0 / voltage_v / 2 / taps
    piece_ohm = 0.3 * 0.443 * (1 + 0.00403 * 10) / taps
    drop_v = sum(piece_ohm * tap_a * (taps - i) for i in range(taps))

    end_v = end_voltage_v(
        np.array([[voltage_v]]), np.array([[power_w / 1e6]]), np.array([[0.0]]), low_voltage_lines(table)
    )

    assert voltage_v - end_v[0, 0] == pytest.approx(drop_v, rel=2e-3)  # 1/1000 of the line remains in the sum


def test_no_load_no_drop():
    lines = low_voltage_lines(area_table())
    voltage_v = np.full((5, 3), 231.0)

    assert (end_voltage_v(voltage_v, np.zeros((5, 3)), np.zeros((5, 3)), lines) == 231.0).all()


def test_more_lines_and_shorter_ones_drop_less():
    table = area_table()
    table["lv_circuits"], table["lv_radius_m"] = [2, 4, 2, 2, 2], [300, 300, 150, 300, 300]
    table["lv_type_name"] = ["JKLYJ-1-70"] * 3 + ["JKLYJ-1-120", "JKLYJ-1-70"]

    drop = low_voltage_lines(table).p_drop

    assert drop[1] == pytest.approx(drop[0] / 2)
    assert drop[2] == pytest.approx(drop[0] / 2)
    assert drop[3] == pytest.approx(drop[0] * 0.253 / 0.443)


def test_lines_of_some_areas():
    lines = LowVoltageLines(
        p_drop=np.array([1.0, 2.0, 3.0]), q_drop=np.array([4.0, 5.0, 6.0]), boost=np.array([0.0, 0.1, 0.0])
    )

    some = lines.of(np.array([2, 0]))

    assert some.p_drop.tolist() == [3.0, 1.0]
    assert some.q_drop.tolist() == [6.0, 4.0]


def test_every_fault_is_named():
    table = area_table()
    table["lv_type_name"] = ["JKLYJ-1-70", "straw", "JKLYJ-1-70", "JKLYJ-1-70", "JKLYJ-1-70"]
    table["lv_radius_m"] = [0, 300, 300, 300, 300]
    table["lv_circuits"] = [2, 2, -1, 2, 2]

    with pytest.raises(NetworkError) as caught:
        low_voltage_lines(table)

    assert caught.value.findings == (
        f"area {AREAS[1]}: lv_type_name 'straw' is not in the catalogue",
        f"area {AREAS[0]}: lv_radius_m must be greater than 0",
        f"area {AREAS[2]}: lv_circuits must be greater than 0",
    )
