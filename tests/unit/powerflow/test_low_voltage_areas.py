"""The load flow of made-up areas beside OpenDSS, as the script that is written for people, and pandapower."""

import dataclasses

import numpy as np
import pandapower as pp
import pytest
from dss import DSS

from gridcheck.errors import InputError
from gridcheck.network.area_transformers import area_transformer
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import LowVoltageGrid, four_wire_of, line_ohm_per_km, loads_by_phase
from gridcheck.network.low_voltage_tables import element_tables
from gridcheck.network.opendss import opendss_script
from gridcheck.network.pandapower_net import net_from_tables
from gridcheck.powerflow import solve_unbalanced
from gridcheck.synthesis.low_voltage import synthetic_low_voltage
from tests.support.four_wire_nets import SMALL_BASE_MVA, asymmetric_loads
from tests.support.made_up_areas import known, layout, one_line, uneven_loads
from tests.support.open_dss import run

PU = 1e-6
UNITS = ["S13-160-Dyn11", "S11-100-Yyn0", "S20-400-Dyn11", "S13-200-Yyn0"]


def area(number):
    return synthetic_low_voltage(
        layout(
            number, households=30 + 20 * number, circuits=2 + number % 3, radius_m=200.0 + 90.0 * number,
            built_year=2008.0 + 4 * number,
        ),
        5,
    )  # fmt: skip


def phasors(grid, unit, p_kw, q_kvar, phase):
    result = solve_unbalanced(
        four_wire_of(grid, unit), loads_by_phase(grid, p_kw, q_kvar, home_phase=phase), tolerance_pu=1e-12
    )
    result.raise_for_status()
    return result.vm_pu[0] * np.exp(1j * np.deg2rad(result.va_degree[0]))


def opendss_phasors(script, n_node):
    run(*(line for line in script.splitlines() if line))
    assert DSS.ActiveCircuit.Solution.Converged
    found = np.zeros((n_node, 3), dtype=np.complex128)
    for k in range(n_node):
        DSS.ActiveCircuit.SetActiveBus(f"n{k}")
        bus = DSS.ActiveCircuit.ActiveBus
        volts = dict(zip(bus.Nodes, np.asarray(bus.Voltages, dtype=np.float64).view(np.complex128), strict=True))
        found[k] = [volts[node] - volts[4] for node in (1, 2, 3)]
    return found / (400 / 3**0.5)


@pytest.mark.parametrize(("number", "name"), list(enumerate(UNITS, start=1)))
@pytest.mark.parametrize("tap", [0, 2])
def test_the_script_gives_the_same_voltages_in_opendss(number, name, tap):
    grid, unit = area(number), area_transformer(name, tap_pos=tap)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, number, most_kw=2.5)

    expected = phasors(grid, unit, p_kw, q_kvar, phase)[1:]
    found = opendss_phasors(opendss_script(grid, unit, p_kw[0], q_kvar[0], home_phase=phase), grid.n_node)

    np.testing.assert_allclose(found, expected, rtol=0, atol=PU)
    spread = np.ptp(np.abs(expected), axis=1)
    assert spread.max() > 0.01  # the phases differ, or the neutral would not be tested
    assert np.abs(expected).min() < 0.97


def with_regulator(script, node, parent, boost):
    """The script with three single-phase autotransformers before a line, their neutral in common."""
    more = [
        f"new transformer.reg{k} phases=1 windings=2 buses=(n{parent}.{k}.4, reg.{k}.4) "
        f"kvs=({400 / 3**0.5 / 1e3:.17g}, {400 / 3**0.5 / 1e3 * (1 + boost):.17g}) kvas=(1000, 1000) xhl=1e-4 "
        "%rs=(1e-6, 1e-6) %imag=0 %noloadloss=0 ppm_antifloat=0"
        for k in (1, 2, 3)
    ]
    more.append(f"new reactor.through phases=1 bus1=n{parent}.4 bus2=reg.4 r=1e-6 x=0")
    lines = script.splitlines()
    (at,) = [k for k, line in enumerate(lines) if line.startswith(f"new line.l{node} ")]
    lines[at] = lines[at].replace(f"bus1=n{parent}.", "bus1=reg.")
    return "\n".join([*lines[:at], *more, *lines[at:]])


@pytest.mark.parametrize("name", ["S13-160-Dyn11", "S11-100-Yyn0"])
def test_a_regulator_in_a_line_is_three_autotransformers_of_opendss(name):
    grid, unit = area(1), area_transformer(name)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, 1, most_kw=2.5)
    homes_behind = [np.count_nonzero(behind(grid, k)[grid.home_node]) for k in range(grid.n_node)]
    # In the middle of a trunk: half of a circuit lies behind it.
    node = min(range(1, grid.n_node), key=lambda k: (abs(homes_behind[k] - 6), k))
    regulator = LineRegulator(node=node, boost=0.1, rated_ka=0.144)
    with_one = dataclasses.replace(grid, regulators=(regulator,))

    found = phasors(with_one, unit, p_kw, q_kvar, phase)[1:]
    script = opendss_script(grid, unit, p_kw[0], q_kvar[0], home_phase=phase)
    judge = opendss_phasors(with_regulator(script, node, int(grid.parent[node]), 0.1), grid.n_node)

    np.testing.assert_allclose(found, judge, rtol=0, atol=5e-6)
    plain = np.abs(phasors(grid, unit, p_kw, q_kvar, phase)[1:])
    assert (np.abs(found) / plain)[behind(grid, node)].min() > 1.09
    assert homes_behind[node] > 0
    with pytest.raises(InputError, match="regulators"):
        opendss_script(with_one, unit, p_kw[0], q_kvar[0], home_phase=phase)


def behind(grid, node):
    result = np.arange(grid.n_node) == node
    for k in range(node + 1, grid.n_node):
        result[k] = result[grid.parent[k]]
    return result


def test_a_regulator_needs_a_line():
    with pytest.raises(InputError, match="regulator"):
        dataclasses.replace(area(1), regulators=(LineRegulator(node=0, boost=0.1, rated_ka=0.1),))


def test_the_voltage_of_the_source_in_opendss():
    # Loads of constant power at another source voltage a are those of 1/a^2 times the power at 1.
    grid, unit = area(1), dataclasses.replace(area_transformer("S13-160-Dyn11"), p0_kw=0.0, i0_percent=0.0)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid)

    found = opendss_phasors(
        opendss_script(grid, unit, p_kw[0], q_kvar[0], home_phase=phase, source_pu=1.04), grid.n_node
    )

    expected = 1.04 * phasors(grid, unit, p_kw / 1.04**2, q_kvar / 1.04**2, phase)[1:]
    np.testing.assert_allclose(found, expected, rtol=0, atol=PU)


def carson_matrix(type_name, order):
    """Impedances of four wires in a row by Carson's equations, 0.40 m apart in the mean of the phases. [ohm/km]"""
    z, k = line_ohm_per_km(type_name), 2 * np.pi * 50 * 2e-4
    place = np.array([order.index(wire) for wire in (0, 1, 2, "n")], dtype=np.float64)
    apart = np.abs(place[:, None] - place[None, :])
    apart *= 0.4 / np.exp(np.log(apart[[0, 1, 0], [1, 2, 2]]).mean())
    np.fill_diagonal(apart, 0.4 / np.exp(z.imag / k))  # the radius that gives the reactance of the catalogue
    return np.diag([z.real] * 4) + np.pi**2 * 50e-4 + 1j * k * np.log(930.0 / apart)


def with_wires_in_a_row(script, order):
    """The script with the spaced lines as they hang from pole to pole, never transposed."""

    def triangle(values):
        return "[" + " | ".join(" ".join(f"{v:.12g}" for v in row[: k + 1]) for k, row in enumerate(values)) + "]"

    lines = script.splitlines()
    for at, line in enumerate(lines):
        if line.startswith("new linecode.") and (name := line.split("! ")[1]).startswith("JKLYJ"):
            z, none = carson_matrix(name, order), triangle(np.zeros((4, 4)))
            lines[at] = (
                f"{line.split('rmatrix')[0]} rmatrix={triangle(z.real)} xmatrix={triangle(z.imag)} cmatrix={none}"
            )
    return "\n".join(lines)


@pytest.mark.parametrize("order", [("n", 0, 1, 2), (0, "n", 1, 2), (0, 1, "n", 2)])
@pytest.mark.parametrize(("number", "name"), list(enumerate(UNITS, start=1)))
def test_wires_that_are_not_transposed_move_voltages_by_up_to_a_seventh_of_the_drop(number, name, order):
    grid, unit = area(number), area_transformer(name, tap_pos=1)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, number, most_kw=2.5)
    script = opendss_script(grid, unit, p_kw[0], q_kvar[0], home_phase=phase)

    found = np.abs(phasors(grid, unit, p_kw, q_kvar, phase))[1:]
    in_a_row = np.abs(opendss_phasors(with_wires_in_a_row(script, order), grid.n_node))

    moved, drop = np.abs(in_a_row - found), found[0].max() - found.min()
    # What the head of area_conductors says of the model; no agreement to rounding is possible here.
    assert 0.01 * drop < moved.max() < drop / 7
    assert abs(in_a_row.min() - found.min()) < drop / 7


@pytest.mark.parametrize(("number", "name"), [(1, "S13-160-Dyn11"), (3, "S20-400-Dyn11"), (4, "S11-200-Dyn11")])
def test_dyn_areas_in_pandapower(number, name):
    grid, unit = area(number), area_transformer(name, tap_pos=1)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, number)
    tables = element_tables(grid, unit)
    tables["trafo"]["vector_group"] = "Dyn"

    expected = pandapower_magnitudes(grid, tables, loads_by_phase(grid, p_kw, q_kvar, home_phase=phase))

    found = np.abs(phasors(grid, unit, p_kw, q_kvar, phase))[1:]
    np.testing.assert_allclose(found, expected[1:], rtol=0, atol=PU)
    assert np.ptp(found, axis=1).max() > 0.01


def test_yyn_areas_in_pandapower_as_a_star_with_an_open_primary():
    """pandapower refuses Yyn; a YNyn unit whose primary star hangs on an endless impedance is the same."""
    grid, unit = area(2), area_transformer("S11-100-Yyn0", tap_pos=1)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, most_kw=1.5)
    tables = element_tables(grid, unit)
    tables["trafo"]["vector_group"] = "YNyn"
    tables["ext_grid"] = tables["ext_grid"].assign(s_sc_max_mva=1e7, x0x_max=1e15)

    expected = pandapower_magnitudes(grid, tables, loads_by_phase(grid, p_kw, q_kvar, home_phase=phase))

    found = np.abs(phasors(grid, unit, p_kw, q_kvar, phase))[1:]
    np.testing.assert_allclose(found, expected[1:], rtol=0, atol=PU)
    assert np.ptp(found, axis=1).max() > 0.01


def pandapower_magnitudes(grid, tables, loads):
    load = asymmetric_loads(loads.p_mw[0], loads.q_mvar[0])
    net = net_from_tables({**tables, "asymmetric_load": load}, name=grid.area_id, sn_mva=SMALL_BASE_MVA)
    pp.runpp_3ph(net, tolerance_mva=1e-11)
    return net.res_bus_3ph.sort_index()[[f"vm_{p}_pu" for p in "abc"]].to_numpy()


def test_the_neutral_of_a_yyn_unit_moves_more():
    grid = area(1)
    phase, (p_kw, q_kvar) = known(grid), uneven_loads(grid, most_kw=1.0)
    spread = {
        group: np.ptp(np.abs(phasors(grid, area_transformer(f"S11-160-{group}"), p_kw, q_kvar, phase))[1])
        for group in ("Dyn11", "Yyn0")
    }
    assert spread["Yyn0"] > 4 * spread["Dyn11"]


def test_names_of_files_do_not_leave_their_comments():
    grid = LowVoltageGrid(
        area_id="甲\nclear", is_synthetic=False, node_name=("lv", "一号杆\nclear"), parent=[-1, 0], length_m=[0, 50],
        type_name=("", "JKLYJ-1-70"), home_id=("h\r\nclear",), home_node=[1], home_phase=[2],
    )  # fmt: skip
    unit = area_transformer("S13-200-Dyn11")
    script = opendss_script(grid, unit, [2.0], [0.5])
    commands = [line.split("!")[0] for line in script.splitlines()]

    assert sum(line.strip() == "clear" for line in commands) == 1
    assert all(line.isascii() for line in commands)
    expected = phasors(grid, unit, [[2.0]], [[0.5]], None)[1:]
    np.testing.assert_allclose(opendss_phasors(script, 2), expected, rtol=0, atol=PU)


def test_a_script_says_whether_its_lines_are_made_up():
    unit = area_transformer("S13-200-Dyn11")
    assert "synthetic" in opendss_script(one_line(), unit, [1.0], [0.0]).splitlines()[0]
    recorded = dataclasses.replace(one_line(), is_synthetic=False)
    assert "recorded" in opendss_script(recorded, unit, [1.0], [0.0]).splitlines()[0]


def test_what_a_script_cannot_be_made_of():
    unit, grid = area_transformer("S13-200-Dyn11"), one_line()
    for p_kw, source_pu in (([1.0, 2.0], 1.0), ([np.nan], 1.0), ([1.0], 0.0)):
        with pytest.raises(InputError):
            opendss_script(grid, unit, p_kw, [0.0], source_pu=source_pu)
    with pytest.raises(InputError, match="H001"):
        opendss_script(one_line(phase=-1), unit, [1.0], [0.0])
