"""On-load taps: positions by hand, and a scaled source against a network with the tap itself."""

import dataclasses

import numpy as np
import pytest

from gridcheck.cases import PhaseLoadCases
from gridcheck.connection.busbar_control import BusbarControl, held_sources
from gridcheck.network.low_voltage import area_transformer, four_wire_of
from gridcheck.powerflow import solve_unbalanced
from tests.support.risk_areas import one_box

CONTROL = BusbarControl(setpoint_pu=1.0, band_pu=0.015, step=0.025, range=0.1, ratio=1.0)


@pytest.mark.parametrize(
    ("busbar_pu", "is_light", "ratio"),
    [
        # 0.93 / 0.925 = 1.005 is in the band, 0.93 / 0.95 = 0.979 is not.
        (0.93, False, 0.925),
        # 0.96 / 0.975 = 0.985 is just in it, and the lower of two.
        (0.9605, False, 0.975),
        (0.9605, True, 0.95),
        # 1.04 / 1.025 = 1.0146 is in it, 1.04 is not.
        (1.04, True, 1.025),
        # Four steps and no more.
        (0.80, False, 0.9),
        (1.20, True, 1.1),
    ],
)
def test_positions_by_hand(busbar_pu, is_light, ratio):
    found = held_sources(CONTROL, np.array([0.95]), np.array([busbar_pu]), np.array([is_light]))
    assert found == pytest.approx([0.95 / ratio], rel=1e-12)


@pytest.mark.parametrize("ratio", [0.95, 1.025])
def test_the_position_of_the_model_does_not_matter(ratio):
    """A unit that stands at another ratio in the network has another busbar there, and the same source in the end."""
    at_one = held_sources(CONTROL, np.array([0.95]), np.array([0.93]), np.array([False]))
    moved = dataclasses.replace(CONTROL, ratio=ratio)
    found = held_sources(moved, np.array([0.95]), np.array([0.93 / ratio]), np.array([False]))
    assert found / ratio == pytest.approx(at_one, rel=1e-12)


@pytest.mark.parametrize("type_name", ["S13-200-Dyn11", "S11-200-Yyn0"])
def test_a_scaled_source_is_the_tap_itself(type_name):
    grid, p_mw = one_box((0, 1, 2)), np.zeros((1, 3, 3))
    p_mw[0, 2] = 0.006, 0.001, 0.003
    loads = PhaseLoadCases(p_mw=p_mw, q_mvar=0.3 * p_mw)

    def end(tap_pos, vm_pu):
        network = four_wire_of(grid, area_transformer(type_name, tap_pos=tap_pos))
        source = dataclasses.replace(network.balanced, slack_vm_pu=np.array([vm_pu]))
        solved = solve_unbalanced(dataclasses.replace(network, balanced=source), loads, tolerance_pu=1e-11)
        return solved.vm_pu[0, 1:]

    np.testing.assert_allclose(end(-2, 0.93), end(0, 0.93 / 0.95), rtol=0, atol=1e-9)
    assert np.abs(end(-2, 0.93) - end(0, 0.93)).min() > 0.04
