"""The lines of an area: what cannot be, a line by hand, and the way through element tables."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import conductors, distribution_transformers
from gridcheck.errors import InputError
from gridcheck.network import read_county
from gridcheck.network.area_transformers import AreaTransformer, area_transformer, transformer_tables, transformers_of
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.network.low_voltage import (
    LowVoltageGrid,
    four_wire_of,
    known_phases,
    line_ohm_per_km,
    loads_by_phase,
)
from gridcheck.network.low_voltage_tables import element_tables
from gridcheck.powerflow import solve_unbalanced
from gridcheck.synthesis.low_voltage import synthetic_low_voltage
from tests.support.made_up_areas import layout, one_line, uneven_loads

BASE_V = 400.0 / 3**0.5
# Nothing drops in it: a hundredth of a percent of a thousand times the load.
STIFF = AreaTransformer(
    type_name="stiff", kva=1e6, vector_group="Dyn11", p0_kw=0.0, pk_kw=1.0, i0_percent=0.0, uk_percent=0.0001
)
THREE = {
    "area_id": "A1", "is_synthetic": False, "node_name": ("lv", "P1", "B1"), "parent": [-1, 0, 1],
    "length_m": [0.0, 50.0, 20.0], "type_name": ("", "JKLYJ-1-70", "JKLYJ-1-25"), "home_id": ("A1-H1", "A1-H2"),
    "home_node": [2, 2], "home_phase": [0, -1],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"node_name": ("bus", "P1", "B1")}, "busbar 'lv'"),
        ({"node_name": ("lv", "P1", "P1")}, "node 'P1': stands more than once"),
        ({"parent": [-1, 2, 0]}, "node 'P1': its parent must stand before it. Got position 2"),
        ({"parent": [-1, 0, 2]}, "node 'B1': its parent must stand before it. Got position 2"),
        ({"parent": [-1, -1, 0]}, "node 'P1': its parent"),
        ({"parent": [0, 0, 1]}, "the busbar has no line above it"),
        ({"length_m": [0.0, 50.0, 0.0]}, "node 'B1': length_m must be a finite number greater than 0. Got 0"),
        ({"length_m": [0.0, np.nan, 5.0]}, "node 'P1': length_m"),
        ({"type_name": ("", "JKLYJ-1-70", "rope")}, "node 'B1': conductor 'rope' is not in the catalogue"),
        ({"type_name": ("", "JKLYJ-1-70")}, "type_name must have one entry per node, 3. Got 2"),
        ({"home_id": ("A1-H1", "A1-H1")}, "meter 'A1-H1': stands more than once"),
        ({"home_node": [2, 3]}, "meter 'A1-H2': there is no node 3"),
        ({"home_phase": [0, 4]}, "meter 'A1-H2': phase must be"),
    ],
)
def test_faults_are_named_by_area_and_node(changes, finding):
    with pytest.raises(InputError, match="area A1") as caught:
        LowVoltageGrid(**{**THREE, **changes})

    assert any(finding in line for line in caught.value.findings)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        LowVoltageGrid(**{**THREE, "length_m": [0.0, -1.0, 5.0], "home_phase": [7, 0]})

    assert len(caught.value.findings) == 2


def test_an_array_of_another_length_is_named_with_its_area():
    with pytest.raises(InputError, match="area A1: parent must have shape"):
        LowVoltageGrid(**{**THREE, "parent": [-1, 0]})


def test_order_of_buses_and_branches():
    grid = LowVoltageGrid(**THREE)

    network = four_wire_of(grid, area_transformer("S13-200-Dyn11"))

    assert network.bus_id.tolist() == [0, 1, 2, 3]
    assert network.balanced.buses.name == ("mv", "lv", "P1", "B1")
    assert network.balanced.branches.name == ("P1", "B1", "S13-200-Dyn11")
    assert network.balanced.branches.from_bus.tolist() == [1, 2, 0]
    assert network.balanced.branches.to_bus.tolist() == [2, 3, 1]
    assert network.has_neutral.tolist() == [False, True, True, True]


def test_warm_aluminium_by_hand():
    # 0.443 ohm/km at 20 degC, 10 K warmer: 0.443 * 1.0403
    assert line_ohm_per_km("JKLYJ-1-70") == pytest.approx(0.4608529 + 0.291j, rel=1e-12)


def drop_v(phase, p_kw, q_kvar=0.0):
    grid = one_line(phase=phase)
    result = solve_unbalanced(four_wire_of(grid, STIFF), loads_by_phase(grid, [[p_kw]], [[q_kvar]]), tolerance_pu=1e-12)
    volts = result.vm_pu[0] * BASE_V
    return (volts[1] - volts[2])[0]


def test_a_kilowatt_on_one_phase_drops_six_times_as_much():
    # 200 m of JKLYJ-1-70. One phase: phase and neutral, 2 * 0.2 km * 0.4608529 ohm/km, 1 W / 230.94 V. As small as
    # this, the drop is linear in the load.
    by_hand_v = 2 * 0.2 * 0.4608529 * 1.0 / BASE_V

    assert drop_v(0, 0.001) == pytest.approx(by_hand_v, rel=1e-5)
    assert drop_v(0, 0.001) / drop_v(3, 0.001) == pytest.approx(6.0, rel=1e-5)


def test_end_voltage_of_one_phase_by_the_equation_of_two_buses():
    # |V|^2 solves V^4 + (2 (R P + X Q) - E^2) V^2 + |Z|^2 |S|^2 = 0 with the loop impedance 2 z.
    p_w, q_var, z = 6000.0, 2000.0, 2 * 0.2 * line_ohm_per_km("JKLYJ-1-70")
    b = 2 * (z.real * p_w + z.imag * q_var) - BASE_V**2
    end_v = np.sqrt((-b + np.sqrt(b**2 - 4 * abs(z) ** 2 * (p_w**2 + q_var**2))) / 2)

    assert drop_v(0, 6.0, 2.0) == pytest.approx(BASE_V - end_v, rel=2e-4)  # the stiff transformer drops 4e-5 of it


def test_the_zero_sequence_of_four_equal_wires_from_conductors():
    """Carson's impedances of wires at equal distances give four times the positive sequence, whatever the earth."""
    omega_mu, gmr_m, distance_m = 2 * np.pi * 50 * 2e-4, 0.0039, 0.4
    for depth_m in (400.0, 930.0, 3000.0):
        earth = np.pi**2 * 50 * 1e-4
        own = 0.443 + earth + 1j * omega_mu * np.log(depth_m / gmr_m)
        mutual = earth + 1j * omega_mu * np.log(depth_m / distance_m)
        z = own - mutual
        assert z + 3 * (mutual - 2 * mutual + own) == pytest.approx(4 * z, rel=1e-12)
    assert z.imag == pytest.approx(conductors().loc["JKLYJ-1-70", "x_ohm_per_km"], rel=0.01)


@pytest.mark.parametrize("order", [("n", 0, 1, 2), (0, "n", 1, 2), (0, 1, "n", 2)])
def test_the_place_of_the_neutral_moves_the_reactance_of_the_zero_sequence_by_at_most_an_eighth(order):
    at = {wire: 0.4 * k for k, wire in enumerate(order)}
    between = np.exp(np.mean([np.log(abs(at[a] - at[b])) for a, b in ((0, 1), (1, 2), (0, 2))]))
    to_neutral = np.exp(np.mean([np.log(abs(at[a] - at["n"])) for a in range(3)]))
    k, gmr_m = 2 * np.pi * 50 * 2e-4, 0.0039
    x = k * np.log(between / gmr_m)
    x0 = x + 3 * k * np.log(to_neutral**2 / (between * gmr_m))

    assert abs(x0 / (4 * x) - 1) < 0.125


@pytest.mark.parametrize("group", ["Dyn11", "Yyn0"])
@pytest.mark.parametrize("tap", [-2, 0, 1])
def test_every_transformer_equals_the_way_through_element_tables(group, tap):
    names = [name for name in distribution_transformers().index if name.endswith(group)]
    grid = LowVoltageGrid(**THREE)
    for name in names[::6]:
        unit = area_transformer(name, tap_pos=tap)
        assert_same_network(four_wire_of(grid, unit), tables_network(grid, unit))


def test_a_made_up_area_equals_the_way_through_element_tables():
    grid, unit = synthetic_low_voltage(layout(), 3), area_transformer("S11-160-Yyn0", tap_pos=2)

    assert_same_network(four_wire_of(grid, unit), tables_network(grid, unit))


def tables_network(grid, unit):
    return four_wire_from_tables(element_tables(grid, unit), name=grid.area_id)


def assert_same_network(found, expected):
    for part, whole in ((found, expected), (found.balanced.branches, expected.balanced.branches)):
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(
                    value, getattr(whole, field.name), rtol=1e-10, atol=1e-11, err_msg=field.name
                )
    assert found.balanced.branches.name == expected.balanced.branches.name
    assert found.balanced.buses.name[1:] == expected.balanced.buses.name[1:]
    np.testing.assert_array_equal(found.balanced.buses.vn_kv, expected.balanced.buses.vn_kv)
    np.testing.assert_array_equal(found.balanced.slack_vm_pu, expected.balanced.slack_vm_pu)


def test_an_area_without_lines_is_a_transformer():
    grid = LowVoltageGrid(
        area_id="A1", is_synthetic=False, node_name=("lv",), parent=[-1], length_m=[0.0], type_name=("",), home_id=(),
        home_node=[], home_phase=[],
    )  # fmt: skip
    network = four_wire_of(grid, area_transformer("S13-200-Dyn11"))

    result = solve_unbalanced(network, loads_by_phase(grid, np.zeros((1, 0)), np.zeros((1, 0))))

    assert network.n_branch == 1
    assert result.vm_pu[0, 1] == pytest.approx(1.0, abs=2e-4)  # half of the magnetising current in the leakage


def test_what_a_transformer_cannot_be():
    with pytest.raises(InputError, match="'S13-201-Dyn11' is not in the catalogue"):
        area_transformer("S13-201-Dyn11")
    with pytest.raises(InputError, match=r"tap_pos must be in \[-2, 2\]. Got 3"):
        area_transformer("S13-200-Dyn11", tap_pos=3)
    for changes in ({"vector_group": "Yzn11"}, {"kva": 0.0}, {"pk_kw": 9.0}, {"p0_kw": -1.0}, {"core_z0_pu": np.nan}):
        with pytest.raises(InputError, match="S13-200-Dyn11"):
            dataclasses.replace(area_transformer("S13-200-Dyn11"), **changes)


def test_transformers_of_a_county_are_those_of_its_network():
    county = read_county("networks/140827-yuanqu")
    units = transformers_of(county)
    tables = pd.read_csv("networks/140827-yuanqu/areas.csv")

    assert [unit.type_name for unit in units] == tables["type_name"].tolist()
    assert [unit.vector_group for unit in units] == tables["vector_group"].tolist()
    ratio = county.network.branches.tap_ratio[county.area_branch]
    np.testing.assert_allclose([1 + 0.025 * unit.tap_pos for unit in units], ratio, rtol=1e-12)


def test_a_transformer_that_the_catalogue_does_not_have_gets_its_nameplate_from_the_network(monkeypatch):
    county = read_county("networks/140827-yuanqu")
    expected = transformers_of(county)[:30]
    monkeypatch.setattr("gridcheck.network.area_transformers._nameplates", dict)
    found = transformers_of(county)[:30]

    for field in ("kva", "p0_kw", "pk_kw", "i0_percent", "uk_percent"):
        np.testing.assert_allclose(
            [getattr(unit, field) for unit in found], [getattr(unit, field) for unit in expected], rtol=2e-5
        )
    tapped = [unit.vn_hv_kv * (1 + 0.025 * unit.tap_pos) for unit in expected]
    np.testing.assert_allclose([unit.vn_hv_kv for unit in found], tapped, rtol=1e-12)


def test_the_tables_of_a_transformer_hold_the_nameplate():
    trafo = transformer_tables(area_transformer("S13-200-Dyn11"))["trafo"].iloc[0]

    assert trafo["vkr_percent"] == pytest.approx(100 * 2.73 / 200)
    assert (trafo["vk_percent"], trafo["shift_degree"]) == (4.0, 330.0)


def test_loads_by_phase_by_hand():
    grid = LowVoltageGrid(**{**THREE, "home_node": [2, 1]})

    loads = loads_by_phase(grid, [[3.0, 6.0]], [[1.0, 0.3]], home_phase=np.array([1, 3]))

    expected = np.zeros((1, 4, 3))
    expected[0, 3, 1], expected[0, 2] = 0.003, 0.002
    np.testing.assert_allclose(loads.p_mw, expected, rtol=1e-14)
    np.testing.assert_allclose(loads.q_mvar[0, 2], 0.0001, rtol=1e-14)


def test_two_meters_in_one_box_add_up():
    grid = LowVoltageGrid(**{**THREE, "home_phase": [0, 0]})

    assert loads_by_phase(grid, [[1.0, 2.0]], [[0.0, 0.0]]).p_mw[0, 3, 0] == pytest.approx(0.003)


def test_a_meter_without_a_phase_is_named():
    with pytest.raises(InputError, match="give home_phase") as caught:
        known_phases(LowVoltageGrid(**THREE))

    assert caught.value.findings == ("meter A1-H2: phase -1",)


def test_loads_must_fit_the_meters():
    grid = one_line()
    with pytest.raises(InputError, match="p_kw"):
        loads_by_phase(grid, np.zeros((1, 2)), np.zeros((1, 2)))
    p_kw, _ = uneven_loads(grid)
    with pytest.raises(InputError, match="q_kvar"):
        loads_by_phase(grid, p_kw, np.zeros((2, 1)))
