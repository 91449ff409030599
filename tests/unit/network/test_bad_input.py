"""Bad input is refused before anything runs, by table and id; one case per kind of mistake."""

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.cases import LoadCases
from gridcheck.errors import InputError, NetworkError, UnsupportedElementError
from gridcheck.network import from_pandapower, loads_from_pandapower, network_from_tables
from gridcheck.powerflow import solve
from tests.support.radial_nets import add_line, add_trafo, empty_net, feeder_net, two_bus_net, village_net


def full_net():
    """The village with every kind of element that is read."""
    net = village_net()
    pp.create_switch(net, 2, pp.create_bus(net, 10.0), "b")
    pp.create_impedance(net, 3, pp.create_bus(net, 10.0), 0.1, 0.1, 1.0)
    pp.create_shunt(net, 2, 0.1)
    pp.create_ward(net, 2, 0.1, 0.0, 0.1, 0.0)
    pp.create_motor(net, 4, 0.01, 0.9)
    pp.create_sgen(net, 4, 0.01)
    pp.create_storage(net, 4, 0.01, 1.0)
    pp.create_asymmetric_load(net, 4, p_a_mw=0.01)
    pp.create_asymmetric_sgen(net, 4, p_a_mw=0.01)
    pp.create_gen(net, 0, 0.0, vm_pu=1.01, slack=True)
    net.ext_grid["va_degree"] = 0.0
    return net


def read(net):
    network = from_pandapower(net)
    return network, loads_from_pandapower(net, network)


def findings_of(net, error=NetworkError):
    with pytest.raises(error) as caught:
        read(net)
    return caught.value.findings


def test_the_net_of_these_tests_is_fine():
    assert solve(*read(full_net())).status.tolist() == [0]


BUS_COLUMNS = [
    ("line", "from_bus"), ("line", "to_bus"), ("trafo", "hv_bus"), ("trafo", "lv_bus"), ("impedance", "from_bus"),
    ("impedance", "to_bus"), ("switch", "bus"), ("shunt", "bus"), ("ward", "bus"), ("ext_grid", "bus"), ("gen", "bus"),
    ("load", "bus"), ("sgen", "bus"), ("storage", "bus"), ("motor", "bus"), ("asymmetric_load", "bus"),
    ("asymmetric_sgen", "bus"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column"), BUS_COLUMNS, ids=".".join)
def test_a_bus_that_does_not_exist(table, column):
    net = full_net()
    first = net[table].index[0]
    net[table].loc[first, column] = 4711

    assert f"{table} {first}: {column} must be the id of a bus. Got 4711" in str(findings_of(net))


NUMBERS = [
    ("bus", "vn_kv"), ("line", "length_km"), ("line", "r_ohm_per_km"), ("line", "x_ohm_per_km"),
    ("line", "c_nf_per_km"), ("line", "max_i_ka"), ("trafo", "sn_mva"), ("trafo", "vk_percent"),
    ("trafo", "vkr_percent"),
    ("trafo", "vn_hv_kv"), ("trafo", "pfe_kw"), ("trafo", "i0_percent"), ("impedance", "rft_pu"),
    ("impedance", "xtf_pu"), ("impedance", "sn_mva"), ("shunt", "q_mvar"), ("ward", "ps_mw"), ("ward", "qz_mvar"),
    ("ext_grid", "vm_pu"), ("gen", "vm_pu"), ("load", "p_mw"), ("load", "q_mvar"), ("load", "scaling"),
    ("sgen", "p_mw"), ("storage", "p_mw"), ("motor", "pn_mech_mw"), ("asymmetric_load", "p_b_mw"),
    ("asymmetric_sgen", "q_c_mvar"),
]  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("table", "column"), NUMBERS, ids=".".join)
def test_a_value_that_is_no_finite_number(table, column, value):
    net = full_net()
    last = net[table].index[-1]
    net[table].loc[last, column] = value

    findings = findings_of(net)

    assert findings
    assert all(finding.startswith(f"{table} {last}: {column} must be a finite number") for finding in findings)


@pytest.mark.parametrize("table", ["bus", "line", "trafo", "switch", "load", "sgen", "ext_grid", "ward", "motor"])
def test_an_id_that_stands_twice(table):
    net = full_net()
    first = net[table].index[0]
    net[table] = pd.concat([net[table], net[table].iloc[[0]]])

    assert findings_of(net) == (f"{table} {first}: 2 elements have this id",)


@pytest.mark.parametrize("odd", ["seven", 1.5, None])
@pytest.mark.parametrize("table", ["bus", "line", "load"])
def test_an_id_that_is_no_whole_number(table, odd):
    net = full_net()
    net[table].index = pd.Index([odd, *net[table].index[1:]], dtype=object)

    assert findings_of(net)[0].startswith(f"{table} ")
    assert findings_of(net)[0].endswith("an id must be a whole number")


def test_an_id_that_stands_twice_among_loads_only_is_found_there_too():
    net = full_net()
    network = from_pandapower(net)
    net.load = pd.concat([net.load, net.load.iloc[[0]]])

    with pytest.raises(NetworkError, match="load 0: 2 elements have this id"):
        loads_from_pandapower(net, network)


@pytest.mark.parametrize("length_km", [0.0, -0.3])
def test_a_length_that_is_not_positive(length_km):
    net = full_net()
    net.line.loc[1, "length_km"] = length_km

    expected = f"line 1: length_km must be a finite number greater than 0. Got {length_km}"
    assert findings_of(net) == (expected,)


def test_a_line_without_impedance():
    net = full_net()
    net.line.loc[[0, 2], ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0

    fault = "zero impedance; use a switch instead"
    assert findings_of(net) == (f"line 0: {fault}", f"line 2: {fault}")


def test_a_line_between_two_levels():
    net = full_net()
    line = add_line(net, 2, 6)

    fault = "from_bus and to_bus have different vn_kv; use a transformer instead"
    assert findings_of(net) == (f"line {line}: {fault}",)


def test_a_transformer_between_levels_that_are_not_its_own():
    net = full_net()
    trafo = add_trafo(net, 0, 6)

    assert findings_of(net) == (f"trafo {trafo}: vn_hv_kv 10.0 does not match hv_bus, which has vn_kv 110",)


@pytest.mark.parametrize("et", ["l", "t", "b"])
def test_a_switch_of_an_element_that_does_not_exist(et):
    net = full_net()
    net.switch.loc[0, ["et", "element"]] = [et, 4711]

    kind = {"l": "line", "t": "trafo", "b": "bus"}[et]
    assert findings_of(net) == (f"switch 0: element is not the id of a {kind}",)


@pytest.mark.parametrize("cause", ["source", "bus"])
def test_no_source_in_service(cause):
    net = two_bus_net()
    (net.ext_grid if cause == "source" else net.bus).loc[0, "in_service"] = False

    with pytest.raises(NetworkError, match="no source in service") as caught:
        from_pandapower(net)

    assert caught.value.findings == (() if cause == "source" else ("ext_grid 0: its bus 0 is out of service",))


def test_a_net_without_anything():
    with pytest.raises(NetworkError):
        from_pandapower(empty_net())


def test_tables_that_are_handed_over_directly_are_looked_at_too():
    net = feeder_net()
    pp.create_xward(net, 2, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1, 1.0)
    tables = {name: net[name] for name in ("bus", "line", "ext_grid", "xward")}

    with pytest.raises(UnsupportedElementError, match="xward: ids 0"):
        network_from_tables(tables, name="handed over")


# --------------------------------------------------------------------------------------------------- load cases


@pytest.mark.parametrize("name", ["p_mw", "q_mvar"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_load_cases_that_are_no_finite_numbers(name, value):
    power = {"p_mw": np.ones((2, 3)), "q_mvar": np.ones((2, 3))}
    power[name][1, 2] = value

    with pytest.raises(InputError, match=rf"{name} at \(case, column\) \(1, 2\) is {value}"):
        LoadCases(**power)


@pytest.mark.parametrize("shape", [(3,), (2, 2), (1, 3), (2, 3, 3)])
def test_load_cases_of_different_shapes(shape):
    with pytest.raises(InputError, match=r"q_mvar must have shape \(2, 3\)"):
        LoadCases(p_mw=np.ones((2, 3)), q_mvar=np.ones(shape))


def test_load_cases_of_another_network():
    network = from_pandapower(feeder_net())
    p_mw = np.ones((4, 5))

    with pytest.raises(InputError, match="The loads have 5 buses, the network has 6"):
        solve(network, LoadCases(p_mw=p_mw, q_mvar=p_mw))


def test_loads_of_another_net():
    with pytest.raises(NetworkError, match=r"load 1: bus must be the id of a bus\. Got 2"):
        loads_from_pandapower(feeder_net(), from_pandapower(two_bus_net()))
