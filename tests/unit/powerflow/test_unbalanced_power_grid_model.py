"""The load flow by phase beside power-grid-model, which like pandapower has no neutral conductor."""

import numpy as np

from gridcheck.powerflow import solve_unbalanced
from tests.support.four_wire_nets import lv_feeder
from tests.support.power_grid_model_phases import phase_batch, without_core


def test_random_feeder_of_150_buses_with_charging():
    feeder = without_core(lv_feeder(150, 20, charging=True, mv_line=True, seed=7))

    result = solve_unbalanced(feeder.network, feeder.loads, tolerance_pu=1e-13)
    expected = phase_batch(feeder, tolerance_pu=1e-12, components=("node", "line"))()

    result.raise_for_status()
    node, line = expected["node"], expected["line"]
    np.testing.assert_allclose(result.vm_pu, node["u_pu"], rtol=0, atol=1e-9)
    turned = (result.va_degree - np.rad2deg(node["u_angle"]) + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose(turned, 0.0, rtol=0, atol=1e-7)
    i_ka = np.maximum(line["i_from"], line["i_to"]) / 1e3
    np.testing.assert_allclose(result.i_ka[:, : i_ka.shape[1]], i_ka, rtol=1e-6, atol=1e-9)
    assert result.vm_pu.min() < 0.97
