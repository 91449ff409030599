"""An area as a pandapower case by phase beside the load flow with four wires, read back as anybody would."""

import dataclasses

import numpy as np
import pandapower as pp
import pytest

from gridcheck.errors import InputError
from gridcheck.network.area_transformers import area_transformer
from gridcheck.network.low_voltage import THREE_PHASE, four_wire_of, loads_by_phase
from gridcheck.network.low_voltage_case import (
    CASE_BASE_MVA,
    low_voltage_case,
    read_line_loading,
    read_transformer_loading,
    read_voltage,
    value_read,
)
from gridcheck.network.pandapower_net import net_from_tables, net_to_json_text
from gridcheck.powerflow import solve_unbalanced
from gridcheck.synthesis.low_voltage import synthetic_low_voltage
from tests.support.made_up_areas import known, layout, one_line, uneven_loads

SOURCE_PU = 1.03


@pytest.fixture(scope="module", params=["S13-160-Dyn11", "S11-100-Yyn0"])
def solved(request):
    """An area with every kind of meter, solved here with four wires and in pandapower from the JSON."""
    lines = synthetic_low_voltage(layout(1, households=40, circuits=3, radius_m=300.0), 5)
    phase = known(lines)
    phase[:3] = THREE_PHASE
    grid, unit = dataclasses.replace(lines, home_phase=phase), area_transformer(request.param, tap_pos=1)
    p_kw, q_kvar = uneven_loads(grid, 1, most_kw=1.5)
    tables = low_voltage_case(grid, unit, p_kw[0], q_kvar[0], source_pu=SOURCE_PU)
    text = net_to_json_text(net_from_tables(tables, name=grid.area_id, sn_mva=CASE_BASE_MVA))
    net = pp.from_json_string(text)
    pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)

    here = four_wire_of(grid, unit)
    here = dataclasses.replace(here, balanced=dataclasses.replace(here.balanced, slack_vm_pu=np.array([SOURCE_PU])))
    found = solve_unbalanced(here, loads_by_phase(grid, p_kw, q_kvar), tolerance_pu=1e-12)
    found.raise_for_status()
    return grid, unit, here, found, net


def test_voltages_are_those_of_phase_to_neutral(solved):
    grid, _, _, found, net = solved
    shown = [[value_read(net, read_voltage(node, k)) for k in range(3)] for node in range(grid.n_node)]
    expected = found.vm_pu[0, 1:] * 400.0 / 3**0.5
    np.testing.assert_allclose(shown, expected, rtol=1e-6)
    assert np.ptp(expected, axis=1).max() > 2.0  # or the neutral would not be tested


def test_loadings_of_wires_and_of_the_neutral(solved):
    grid, _, here, found, net = solved
    rating, n_line = here.balanced.branches.rating_to_ka, grid.n_node - 1
    rows = [k for k in range(n_line) if found.neutral_i_ka[0, k] > 1e-4]
    assert len(rows) > 10
    shown = [[value_read(net, read_line_loading(grid, k + 1, wire)) for wire in range(4)] for k in rows]
    neutral = 100.0 * found.neutral_i_ka[0, rows] / rating[rows]
    np.testing.assert_allclose([row[3] for row in shown], neutral, rtol=1e-5)
    np.testing.assert_allclose([row[:3] for row in shown], found.loading_percent[0, rows], rtol=1e-5, atol=1e-5)


def test_loading_of_the_transformer(solved):
    grid, unit, here, found, net = solved
    # What goes out of the busbar, with the draw of each line worked out from the voltages at its ends.
    volts = found.vm_pu[0] * np.exp(1j * np.deg2rad(found.va_degree[0])) * 400.0 / 3**0.5
    branches, out = here.balanced.branches, np.zeros(3, dtype=np.complex128)
    for k in np.flatnonzero(grid.parent[1:] == 0):
        z, z0 = (complex(r[k], x[k]) * 0.4**2 for r, x in ((branches.r_pu, branches.x_pu), (here.r0_pu, here.x0_pu)))
        matrix = z * np.eye(3) + (z0 - z) / 3.0 * np.ones((3, 3))
        out += np.linalg.solve(matrix, volts[1] - volts[k + 2])
    expected = 100.0 * np.abs(out) / (unit.kva / 3**0.5 / unit.vn_lv_kv)
    shown = [value_read(net, read_transformer_loading(unit, k)) for k in range(3)]
    np.testing.assert_allclose(shown, expected, rtol=1e-5)


def test_a_meter_without_a_phase_is_named():
    with pytest.raises(InputError, match="H001"):
        low_voltage_case(one_line(phase=-1), area_transformer("S13-200-Dyn11"), [1.0], [0.0])
