"""Loads of one bus that follow the voltage differently, as shares of the bus; equal to pandapower where it is exact."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.network.loads import load_shares
from gridcheck.powerflow import solve
from tests.support.newton import assert_solve_equals_newton
from tests.support.radial_nets import feeder_net, two_bus_net, village_net

Z_P, I_P, Z_Q, I_Q = COLUMNS = "const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent"


def net_with(*loads):
    """Two buses; each load is a dict of arguments of create_load."""
    net = two_bus_net()
    net.load = net.load.iloc[:0]
    for load in loads:
        pp.create_load(net, 1, **load)
    return net


def loads_of(net):
    return loads_from_pandapower(net, from_pandapower(net))


def shares_of(net):
    tables = {"load": net.load, "sgen": net.sgen, "motor": net.motor}
    found = load_shares(tables, from_pandapower(net))
    return [pytest.approx(found[name][1]) for name in ("z_share", "i_share", "z_share_q", "i_share_q")]


def test_shares_are_weighted_by_power():
    # 3 MW with 20 % and 1 MW with 60 % constant impedance: (0.6 + 0.6) / 4; 0.5 Mvar of the 1.5 are current.
    net = net_with(
        {"p_mw": 3.0, "q_mvar": 1.0, Z_P: 20.0, I_P: 10.0},
        {"p_mw": 1.0, "q_mvar": 0.5, Z_P: 60.0, I_Q: 100.0},
    )

    loads = loads_of(net)

    assert shares_of(net) == [0.3, 0.075, 0.0, 1.0 / 3.0]
    assert (loads.p_mw[0, 1], loads.q_mvar[0, 1]) == (4.0, 1.5)
    assert loads.z_share.tolist() == [0.0, pytest.approx(0.3)]
    assert loads.i_share_q.tolist() == [0.0, pytest.approx(1.0 / 3.0)]


def test_scaling_and_service_count():
    net = net_with(
        {"p_mw": 1.0, Z_P: 100.0, "scaling": 0.5}, {"p_mw": 1.5}, {"p_mw": 7.0, I_P: 50.0, "in_service": False}
    )

    assert shares_of(net) == [0.25, 0.0, 0.0, 0.0]


def test_generation_at_the_bus_has_constant_power():
    # 2 MW of impedance less 1 MW of generation: 2 / (2 - 1), so the rest of constant power is -1.
    net = net_with({"p_mw": 2.0, Z_P: 100.0})
    pp.create_sgen(net, 1, 1.0)

    loads = loads_of(net)

    assert shares_of(net)[0] == 2.0
    v = 0.9
    assert loads.p_mw[0, 1] * (loads.z_share[1] * v**2 + 1.0 - loads.z_share[1]) == pytest.approx(2.0 * v**2 - 1.0)


def test_loads_of_constant_power_have_no_shares():
    loads = loads_of(village_net())

    assert not loads.depends_on_voltage


def test_shares_of_nothing_are_nothing():
    net = net_with({"p_mw": 1.0, "q_mvar": 0.0, Z_Q: 80.0}, {"p_mw": 0.0, "q_mvar": 0.0, Z_P: 50.0})

    assert not loads_of(net).depends_on_voltage


def test_the_columns_before_pandapower_3_stand_for_both_powers():
    net = net_with({"p_mw": 1.0, "q_mvar": 0.4})
    net.load = net.load.drop(columns=list(COLUMNS)).assign(const_z_percent=30.0, const_i_percent=20.0)

    assert shares_of(net) == [0.3, 0.2, 0.3, 0.2]


@pytest.mark.parametrize("p_mw", [(1.0, -1.0), (0.1, 0.2, -0.3)], ids=["exactly", "but_for_rounding"])
def test_loads_that_cancel_each_other_are_refused(p_mw):
    net = net_with(*({"p_mw": p, Z_P: 100.0 * (p > 0)} for p in p_mw))

    with pytest.raises(UnsupportedElementError, match="cancel each other") as caught:
        loads_of(net)

    assert caught.value.findings == ("bus 1: active power adds up to 0 at nominal voltage",)


def test_loads_that_cancel_each_other_at_any_voltage_are_none():
    net = net_with({"p_mw": 1.0, "q_mvar": 0.2, Z_P: 40.0}, {"p_mw": -1.0, "q_mvar": 0.3, Z_P: 40.0})

    loads = loads_of(net)

    assert loads.p_mw.tolist() == [[0.0, 0.0]]
    assert not loads.depends_on_voltage


@pytest.mark.parametrize("value", [-5.0, 120.0, np.inf])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_share_that_cannot_be_is_named(column, value):
    net = feeder_net()
    network = from_pandapower(net)
    net.load.loc[3, column] = value

    with pytest.raises(NetworkError, match=f"load 3: {column} must be"):
        loads_from_pandapower(net, network)


@pytest.mark.parametrize(("first", "second", "power"), [(Z_P, I_P, "p"), (Z_Q, I_Q, "q")])
def test_shares_above_one_together_are_named(first, second, power):
    net = feeder_net()
    net.load.loc[[1, 3], [first, second]] = [[50.0, 50.0], [60.0, 50.0]]

    with pytest.raises(NetworkError) as caught:
        loads_of(net)

    assert caught.value.findings == (f"load 3: const_z and const_i of {power} exceed 100 %",)


def test_columns_that_contradict_each_other_are_named():
    net = feeder_net()
    net.load["const_z_percent"] = 0.0
    net.load.loc[3, "const_z_percent"] = 20.0

    with pytest.raises(NetworkError, match="load 3: const_z_percent differs from const_z_p_percent"):
        loads_of(net)


def test_shares_of_what_is_no_load_are_named():
    net = feeder_net()
    pp.create_sgen(net, 2, 0.1)
    net.sgen["const_i_p_percent"] = 10.0

    with pytest.raises(NetworkError, match="sgen 0: const_i_p_percent is for loads only"):
        loads_of(net)


# ------------------------------------------------------------------------------------- compared with pandapower

SHARES = {
    "impedance": (100.0, 0.0, 100.0, 0.0),
    "current": (0.0, 100.0, 0.0, 100.0),
    "mixed": (30.0, 50.0, 30.0, 50.0),
    "another_for_q": (20.0, 30.0, 60.0, 10.0),
    "of_q_only": (0.0, 0.0, 40.0, 40.0),
}


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_solve_equals_newton(shares):
    net = village_net()
    net.load[["p_mw", "q_mvar"]] *= 1.5
    net.load[list(COLUMNS)] = shares
    net.load.loc[0, list(COLUMNS)] = [10.0, 20.0, 0.0, 0.0]  # of another bus

    result = assert_solve_equals_newton(net)

    constant = solve(from_pandapower(net), loads_of(village_net()), tolerance_pu=1e-10)
    assert np.abs(result.vm_pu - constant.vm_pu).max() > 1e-3


def test_equal_shares_of_several_loads_of_a_bus_equal_newton():
    net = village_net()
    pp.create_load(net, 6, 0.02, 0.01)
    pp.create_load(net, 6, 0.3, 0.1, in_service=False, const_z_p_percent=100.0)
    net.load.loc[net.load["in_service"], list(COLUMNS)] = SHARES["another_for_q"]

    assert_solve_equals_newton(net)


def test_where_shares_differ_pandapower_takes_their_plain_mean():
    # Why the comparison above leaves such buses out: 1 MW of impedance beside 3 MW of power are 50 % to pandapower.
    net = net_with({"p_mw": 1.0, Z_P: 100.0}, {"p_mw": 3.0})
    as_pandapower = net_with({"p_mw": 4.0, Z_P: 50.0})
    exact = net_with({"p_mw": 4.0, Z_P: 25.0})
    pp.runpp(net, tolerance_mva=1e-10, numba=False)

    assert_solve_equals_newton(as_pandapower)
    ours, theirs, wanted = (
        solve(from_pandapower(n), loads_of(n), tolerance_pu=1e-12).vm_pu[0, 1] for n in (net, as_pandapower, exact)
    )
    assert net.res_bus["vm_pu"][1] == pytest.approx(theirs, abs=1e-9)
    assert ours == pytest.approx(wanted, abs=1e-12)
