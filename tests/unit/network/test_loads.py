"""The loads that a net carries itself."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.errors import NetworkError
from gridcheck.network import from_pandapower, loads_from_pandapower
from tests.support.radial_nets import feeder_net, two_bus_net, village_net


def loads_of(net):
    return loads_from_pandapower(net, from_pandapower(net))


def test_loads_generators_and_storages_add_up_by_hand():
    net = two_bus_net(p_mw=2.0, q_mvar=0.5)
    pp.create_load(net, 1, 1.0, 0.2, scaling=0.5)
    pp.create_sgen(net, 1, 0.3, 0.1, scaling=2.0)
    pp.create_storage(net, 1, 0.25, max_e_mwh=1.0, q_mvar=-0.05)
    pp.create_load(net, 1, 9.0, in_service=False)

    loads = loads_of(net)

    assert loads.p_mw.tolist() == [[0.0, pytest.approx(2.0 + 0.5 - 0.6 + 0.25)]]
    assert loads.q_mvar.tolist() == [[0.0, pytest.approx(0.5 + 0.1 - 0.2 - 0.05)]]


def test_loads_stand_in_the_order_of_the_buses_not_of_the_table():
    net = village_net()
    net.load = net.load.iloc[::-1]

    assert loads_of(net).p_mw[0].tolist() == loads_of(village_net()).p_mw[0].tolist()
    assert np.flatnonzero(loads_of(net).p_mw[0]).tolist() == [4, 5, 6]


def test_a_net_without_loads_gives_a_case_without_load():
    net = two_bus_net()
    net.load = net.load.iloc[:0]

    assert loads_of(net).p_mw.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["p_mw", "q_mvar", "scaling"])
def test_a_load_that_is_not_a_number_is_named(column, value):
    net = feeder_net()
    net.load.loc[2, column] = value

    with pytest.raises(NetworkError, match="load 2"):
        loads_of(net)


def test_a_load_at_an_unknown_bus_is_named():
    net = feeder_net()
    net.load.loc[2, "bus"] = 77

    with pytest.raises(NetworkError, match="load 2"):
        loads_of(net)


@pytest.mark.parametrize("column", ["p_mw", "q_mvar", "bus"])
def test_a_missing_column_is_named(column):
    net = feeder_net()
    network = from_pandapower(net)
    net.load = net.load.drop(columns=column)

    with pytest.raises(NetworkError, match=column):
        loads_from_pandapower(net, network)


def test_text_in_place_of_a_flag_is_refused():
    net = feeder_net()
    net.load["in_service"] = net.load["in_service"].astype(object)
    net.load.loc[0, "in_service"] = "false"

    with pytest.raises(NetworkError, match="load 0: in_service"):
        loads_of(net)
