"""Nets become records: as values, completely, and what cannot be modelled is refused by name."""

import copy

import numpy as np
import pandapower as pp
import pytest
from pandapower.toolbox import nets_equal

from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network import BranchKind, from_pandapower, loads_from_pandapower, to_pandapower
from tests.support.radial_nets import add_line, add_trafo, empty_net, feeder_net, two_bus_net, village_net

ARRAYS = [
    "branch_id",
    "kind",
    "from_bus",
    "to_bus",
    "r_pu",
    "x_pu",
    "g_from_pu",
    "b_from_pu",
    "g_to_pu",
    "b_to_pu",
    "tap_ratio",
    "shift_degree",
    "rating_from_ka",
    "rating_to_ka",
    "length_km",
    "from_closed",
    "to_closed",
    "in_service",
]


def assert_networks_equal(first, second, *, rtol=1e-9):
    for field in ("bus_id", "vn_kv", "g_pu", "b_pu", "in_service"):
        np.testing.assert_allclose(
            getattr(second.buses, field), getattr(first.buses, field), rtol=rtol, atol=1e-13, err_msg=field
        )
    for field in ARRAYS:
        old, new = getattr(first.branches, field), getattr(second.branches, field)
        np.testing.assert_allclose(new, old, rtol=rtol, atol=1e-15, err_msg=field)
    for field in ("switch_id", "branch", "at_to_end", "closed", "breaker", "remote"):
        np.testing.assert_array_equal(getattr(second.switches, field), getattr(first.switches, field), err_msg=field)
    for field in ("slack_bus", "slack_vm_pu", "slack_va_degree"):
        np.testing.assert_array_equal(getattr(second, field), getattr(first, field), err_msg=field)
    assert (second.buses.name, second.branches.name) == (first.buses.name, first.branches.name)
    assert (second.branches.type_name, second.switches.name) == (first.branches.type_name, first.switches.name)
    assert (second.name, second.f_hz, second.sn_mva) == (first.name, first.f_hz, first.sn_mva)


def rich_net():
    """The village net with a shunt, a coupler, parallel lines and names."""
    net = village_net()
    pp.create_shunt(net, 2, q_mvar=-0.1, p_mw=0.001)
    bus = pp.create_bus(net, 10.0, name="behind the coupler")
    pp.create_switch(net, 2, bus, "b", name="coupler")
    net.line.loc[1, ["parallel", "df", "name"]] = [2, 0.9, "double"]
    net.trafo.loc[1, ["parallel", "df", "std_type"]] = [2, 0.8, "S13-400"]
    pp.create_switch(net, 1, 0, "l", type="CB", name="outlet")
    pp.create_switch(net, 4, 1, "t", type="CB", closed=False)
    net.switch["remote"] = [True, False, True, False]
    return net


@pytest.mark.parametrize("build", [two_bus_net, feeder_net, village_net, rich_net])
def test_a_network_survives_the_way_to_pandapower_and_back(build):
    network = from_pandapower(build())

    assert_networks_equal(network, from_pandapower(to_pandapower(network)))


def test_the_round_trip_keeps_elements_out_of_service():
    net = rich_net()
    net.line.loc[1, "in_service"] = False
    net.trafo.loc[2, "in_service"] = False
    net.bus.loc[5, "in_service"] = False
    network = from_pandapower(net)

    assert_networks_equal(network, from_pandapower(to_pandapower(network)))


def test_ids_may_have_gaps_and_any_order():
    net = empty_net()
    for index in (40, 7, 19):
        pp.create_bus(net, 10.0, index=index)
    pp.create_ext_grid(net, 40)
    pp.create_line_from_parameters(net, 40, 7, 1.0, 0.3, 0.3, 0.0, 0.3, index=12)
    pp.create_line_from_parameters(net, 7, 19, 1.0, 0.3, 0.3, 0.0, 0.3, index=3)

    network = from_pandapower(net)

    assert network.bus_id.tolist() == [7, 19, 40]
    assert network.branches.branch_id.tolist() == [3, 12]
    assert network.bus_id[network.branches.from_bus].tolist() == [7, 40]


def test_line_in_per_unit_by_hand():
    # 10 kV and 1 MVA: base impedance 100 ohm. 2 km in two parallel lines of 0.3 + j 0.4 ohm/km: 0.3 + j 0.4 ohm.
    net = empty_net(sn_mva=1.0)
    a, b = pp.create_bus(net, 10.0), pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, a)
    pp.create_line_from_parameters(net, a, b, 2.0, 0.3, 0.4, 100.0, 0.25, parallel=2, df=0.8, g_us_per_km=5.0)

    branches = from_pandapower(net).branches

    assert branches.kind[0] == BranchKind.LINE
    assert branches.r_pu[0] == pytest.approx(0.003)
    assert branches.x_pu[0] == pytest.approx(0.004)
    # 2 pi 50 Hz * 100 nF/km * 2 km * 2 lines = 125.66 uS, half at either end, times 100 ohm.
    assert branches.b_from_pu[0] == pytest.approx(62.83185307e-4)
    assert branches.g_to_pu[0] == pytest.approx(5e-6 * 2 * 2 / 2 * 100)
    assert branches.rating_from_ka[0] == pytest.approx(0.25 * 0.8 * 2)
    assert branches.length_km[0] == 2.0


def test_transformer_in_per_unit_by_hand():
    # 0.4 MVA, 4 %, on 1 MVA: z = 0.1; 1.2 % of it: r = 0.03; two in parallel halve both.
    net = two_bus_net()
    low = pp.create_bus(net, 0.4)
    add_trafo(net, 1, low, vk_percent=4.0, vkr_percent=1.2, pfe_kw=0.0, i0_percent=0.0, parallel=2, tap_pos=2)

    branches = from_pandapower(net).branches

    assert branches.kind[1] == BranchKind.TRAFO
    assert branches.r_pu[1] == pytest.approx(0.015)
    assert branches.x_pu[1] == pytest.approx(np.sqrt(0.05**2 - 0.015**2))
    assert branches.tap_ratio[1] == pytest.approx(1.05)  # two steps of 2.5 % on the high side
    assert branches.shift_degree[1] == 330.0
    assert branches.rating_from_ka[1] == pytest.approx(0.8 / np.sqrt(3) / 10.0)
    assert branches.rating_to_ka[1] == pytest.approx(0.8 / np.sqrt(3) / 0.4)


def test_switches_are_kept_with_end_state_and_kind():
    network = from_pandapower(rich_net())
    switches, branches = network.switches, network.branches

    # In index order: tie at the `to` end of line 2, outlet at the `from` end of line 0, low side of transformer 1.
    assert switches.switch_id.tolist() == [0, 2, 3]
    assert switches.at_to_end.tolist() == [True, False, True]
    assert switches.closed.tolist() == [False, True, False]
    assert switches.breaker.tolist() == [False, True, True]
    assert switches.remote.tolist() == [True, True, False]
    assert branches.kind[switches.branch].tolist() == [BranchKind.LINE, BranchKind.LINE, BranchKind.TRAFO]
    assert not branches.to_closed[2]
    assert branches.kind[-1] == BranchKind.SWITCH


@pytest.mark.parametrize("build", [rich_net, feeder_net])
def test_a_net_that_is_passed_in_is_not_changed(build):
    net = build()
    before = copy.deepcopy(net)

    network = from_pandapower(net)
    loads_from_pandapower(net, network)
    to_pandapower(network)

    assert nets_equal(net, before)
    for table in ("bus", "line", "trafo", "switch", "load", "ext_grid", "shunt"):
        assert net[table].equals(before[table]), table
        assert list(net[table].columns) == list(before[table].columns)
        assert net[table].dtypes.equals(before[table].dtypes), table


def test_records_are_read_only():
    network = from_pandapower(village_net())

    with pytest.raises(ValueError, match="read-only"):
        network.branches.r_pu[0] = 1.0
    with pytest.raises(AttributeError):
        network.name = "other"


# --------------------------------------------------------------------------------------------- not modelled


def add_gen(net):
    pp.create_gen(net, 2, 0.1, vm_pu=1.0)


def add_xward(net):
    pp.create_xward(net, 2, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1, 1.0)


def add_trafo3w(net):
    middle, low = pp.create_bus(net, 20.0), pp.create_bus(net, 10.0)
    pp.create_transformer3w(net, 0, middle, low, "63/25/38 MVA 110/20/10 kV")


def add_dcline(net):
    pp.create_dcline(net, 1, 2, 0.1, 0.0, 0.0, 1.0, 1.0)


def add_svc(net):
    pp.create_svc(net, 2, 1.0, -1.0, 1.0, 90.0)


def add_tcsc(net):
    pp.create_tcsc(net, 1, 2, 1.0, -1.0, 0.1, 90.0)


def add_ssc(net):
    pp.create_ssc(net, 2, 0.1, 0.1)


REFUSED = {
    "gen": add_gen, "xward": add_xward, "trafo3w": add_trafo3w, "dcline": add_dcline, "svc": add_svc,
    "tcsc": add_tcsc, "ssc": add_ssc,
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_elements_that_are_not_modelled_are_refused_with_their_ids(kind):
    net = village_net()
    REFUSED[kind](net)

    with pytest.raises(UnsupportedElementError, match=f"{kind}: ids 0"):
        from_pandapower(net)


@pytest.mark.parametrize("kind", REFUSED)
def test_elements_that_are_not_modelled_may_be_out_of_service(kind):
    net = village_net()
    REFUSED[kind](net)
    net[kind]["in_service"] = False

    assert from_pandapower(net).n_branch == from_pandapower(village_net()).n_branch


def test_all_kinds_are_named_at_once():
    net = village_net()
    add_gen(net)
    add_xward(net)
    pp.create_gen(net, 3, 0.1)

    with pytest.raises(UnsupportedElementError) as caught:
        from_pandapower(net)

    assert caught.value.findings == ("gen: ids 0, 1", "xward: ids 0")


def test_every_table_of_an_empty_net_is_known():
    # A table that a later pandapower brings must not be dropped in silence.
    import pandas as pd

    from gridcheck.network.tables import MODELLED, NOT_ELECTRIC, REFUSED

    net = pp.create_empty_network()
    names = {name for name in net if isinstance(net[name], pd.DataFrame) and not name.startswith(("_", "res_"))}
    assert names - {*MODELLED, *REFUSED, *NOT_ELECTRIC} == set()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("trafo", "tap_dependency_table", True),
        ("trafo", "leakage_resistance_ratio_hv", 0.3),
        ("trafo", "leakage_reactance_ratio_hv", 0.7),
        ("trafo", "tap_changer_type", "Tabular"),
        ("shunt", "step_dependency_table", True),
    ],
)
def test_settings_that_are_not_modelled_are_refused(table, column, value):
    net = village_net()
    pp.create_shunt(net, 2, 0.1)
    net[table][column] = value

    with pytest.raises(UnsupportedElementError, match=f"{table} 0") as caught:
        from_pandapower(net)

    assert column in str(caught.value)


def test_a_phase_shifter_of_pandapower_2_is_refused():
    net = village_net()
    net.trafo = net.trafo.drop(columns="tap_changer_type").assign(tap_phase_shifter=True)

    with pytest.raises(UnsupportedElementError, match="trafo 0: tap_phase_shifter"):
        from_pandapower(net)


def test_the_same_settings_out_of_service_do_no_harm():
    net = village_net()
    net.trafo.loc[2, ["tap_changer_type", "in_service"]] = ["Tabular", False]

    assert from_pandapower(net).n_branch == 7


def test_files_of_pandapower_2_say_ratio_by_a_flag():
    net = village_net()
    old = village_net()
    old.trafo = old.trafo.drop(columns="tap_changer_type").assign(tap_phase_shifter=False)

    assert_networks_equal(from_pandapower(net), from_pandapower(old))


# ----------------------------------------------------------------------------------------- impossible values


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("line", "length_km", -1.0),
        ("line", "length_km", np.nan),
        ("line", "max_i_ka", np.nan),
        ("line", "max_i_ka", 0.0),
        ("line", "r_ohm_per_km", np.inf),
        ("trafo", "sn_mva", 0.0),
        ("trafo", "vkr_percent", 19.0),
        ("ext_grid", "vm_pu", np.nan),
        ("bus", "vn_kv", 0.0),
    ],
)
def test_impossible_values_are_named(table, column, value):
    net = feeder_net() if table == "line" else village_net()
    net[table].loc[0, column] = value

    with pytest.raises(NetworkError, match=f"{table} 0: {column}"):
        from_pandapower(net)


@pytest.mark.parametrize(("table", "column"), [("line", "length_km"), ("trafo", "sn_mva"), ("line", "max_i_ka")])
def test_impossible_values_out_of_service_do_no_harm(table, column):
    net = village_net()
    net[table].loc[1, [column, "in_service"]] = [np.nan, False]

    network = from_pandapower(net)

    assert not network.branches.connected[1 if table == "line" else 5]
    assert from_pandapower(to_pandapower(network)).n_branch == network.n_branch


def test_all_faults_are_told_at_once():
    net = feeder_net()
    net.line.loc[0, "length_km"] = -1.0
    net.line.loc[3, "max_i_ka"] = 0.0
    net.ext_grid.loc[0, "vm_pu"] = np.nan

    with pytest.raises(NetworkError) as caught:
        from_pandapower(net)

    assert len(caught.value.findings) == 3


def test_a_line_without_any_impedance():
    net = feeder_net()
    net.line.loc[2, ["r_ohm_per_km", "x_ohm_per_km"]] = 0.0

    with pytest.raises(NetworkError, match="line 2: zero impedance"):
        from_pandapower(net)


def test_a_line_between_voltage_levels():
    net = village_net()
    add_line(net, 2, 6)

    with pytest.raises(NetworkError, match="line 4"):
        from_pandapower(net)


def test_a_bus_bus_switch_between_voltage_levels():
    net = village_net()
    pp.create_switch(net, 2, 6, "b")

    with pytest.raises(NetworkError, match="switch 1"):
        from_pandapower(net)


@pytest.mark.parametrize("vn_hv_kv", [35.0, 0.01, 1.0])
def test_a_transformer_whose_voltage_does_not_match_the_bus(vn_hv_kv):
    net = village_net()
    net.trafo.loc[1, "vn_hv_kv"] = vn_hv_kv

    with pytest.raises(NetworkError, match="trafo 1: vn_hv_kv"):
        from_pandapower(net)


def test_a_transformer_the_wrong_way_round():
    net = village_net()
    net.trafo.loc[1, ["hv_bus", "lv_bus"]] = [4, 2]

    with pytest.raises(NetworkError, match="trafo 1"):
        from_pandapower(net)


def test_a_switch_at_a_bus_where_its_line_does_not_end():
    net = village_net()
    net.switch.loc[0, "bus"] = 4

    with pytest.raises(NetworkError, match="switch 0"):
        from_pandapower(net)


def test_a_net_without_a_source():
    net = village_net()
    net.ext_grid["in_service"] = False

    with pytest.raises(NetworkError, match="ext_grid"):
        from_pandapower(net)


def test_two_sources_of_one_bus_must_agree():
    net = village_net()
    pp.create_ext_grid(net, 0, vm_pu=0.95)

    with pytest.raises(NetworkError, match="ext_grid 1"):
        from_pandapower(net)
