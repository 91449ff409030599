"""What N-1 refuses, what it leaves out and says so, and what it takes as it is."""

from __future__ import annotations

import itertools

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.element_outages import lose_each_element
from gridcheck.checks.judgement import normal_state
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.normal_rules import remarks
from gridcheck.checks.records import NMinus1Row
from gridcheck.errors import InputError, NetworkError, TopologyError
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network import from_pandapower, loads_from_pandapower
from tests.support.newton import newton
from tests.support.radial_nets import add_line, add_trafo, empty_net, feeder_net, village_net
from tests.support.two_feeders import medium_voltage_extremes, replay, two_feeders_net


def rows_of(net: pp.pandapowerNet) -> dict[str, NMinus1Row]:
    network = from_pandapower(net)
    return {row.outage_id: row for row in lose_each_element(network, loads_from_pandapower(net, network))}


def remarks_of(net: pp.pandapowerNet) -> tuple[str, ...]:
    network = from_pandapower(net)
    return remarks(network, loads_from_pandapower(net, network))


def message_of(net: pp.pandapowerNet, error: type[Exception]) -> str:
    """Return what both doors say, which must be the same."""
    network = from_pandapower(net)
    loads, homes = loads_from_pandapower(net, network), np.zeros(network.n_bus, dtype=np.int64)
    said = []
    for study in (lambda: run_n_minus_1(network, loads, households=homes), lambda: lose_each_element(network, loads)):
        with pytest.raises(error) as caught:
            study()
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def test_a_loop_is_refused_with_every_element_on_it_and_none_beside_it() -> None:
    net = village_net()
    net.switch.loc[0, "closed"] = True

    message = message_of(net, TopologyError)

    # Bus 1 - line 0 - bus 2 - line 1 - bus 3 - line 2 - bus 1; the transformers hang beside it.
    assert message == (
        "villages is not radial as normally switched.\n  - line 0, line 1, line 2 make a loop; open one of these"
    )


def test_parallel_lines_are_a_loop() -> None:
    net = feeder_net(4)
    add_line(net, 1, 2)

    assert "line 1, line 3 make a loop" in message_of(net, TopologyError)


def test_two_sources_on_each_other_are_refused_with_what_joins_them() -> None:
    net = feeder_net(4)
    pp.create_ext_grid(net, 3)

    assert "the sources at buses 0 and 3 are joined by line 0, line 1, line 2; open" in message_of(net, TopologyError)


def test_two_sources_that_a_bus_bus_switch_joins_are_refused() -> None:
    net = feeder_net(4)
    pp.create_ext_grid(net, pp.create_bus(net, 10.0))
    pp.create_switch(net, 4, 2, "b", closed=True, name="coupler")

    message = message_of(net, TopologyError)

    assert "the sources at buses 0 and 4 are joined by line 0, line 1, switch 0 (coupler)" in message


def test_two_sources_at_one_bus_are_one_source() -> None:
    net = two_feeders_net()
    before = rows_of(net)
    pp.create_ext_grid(net, 0, vm_pu=1.03)

    assert rows_of(net) == before


def with_idle_line(**values: object) -> pp.pandapowerNet:
    """Return a feeder without switches and with a tie out of service from its first bus to its last."""
    net = feeder_net(5)
    line = add_line(net, 1, 4, 2.0)
    net.line["in_service"] = net.line["in_service"].astype(object)
    net.line = net.line.astype(object)
    for column, value in {"in_service": False, "name": "reserve", **values}.items():
        net.line.loc[line, column] = value
    return net


def test_without_switches_an_idle_line_is_closed_as_a_tie() -> None:
    row = rows_of(with_idle_line())["line:1"]

    # Buses 2, 3 and 4 behind the lost line come back by the tie, line 4.
    assert (str(row.status), row.unsupplied_kw) == ("SECURE", 0.0)
    assert row.line_states == ((1, False), (4, True))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"r_ohm_per_km": np.nan}, "no impedance above 0 follows from length_km, r_ohm_per_km"),
        ({"r_ohm_per_km": 0.0, "x_ohm_per_km": 0.0}, "no impedance above 0"),
        ({"r_ohm_per_km": -0.3}, "no impedance above 0"),
        ({"length_km": 0.0}, "no impedance above 0"),
        ({"length_km": -2.0}, "no impedance above 0"),
        ({"parallel": 0}, "no impedance above 0"),
        ({"x_ohm_per_km": "0,35"}, "no impedance above 0"),
        ({"c_nf_per_km": -10.0}, "c_nf_per_km or g_us_per_km is not a number of at least 0"),
        ({"max_i_ka": 0.0}, "no rating above 0 follows from max_i_ka, df and parallel"),
        ({"max_i_ka": np.nan}, "no rating above 0"),
        ({"df": -1.0}, "no rating above 0"),
    ],
)
def test_an_idle_line_that_no_load_flow_could_use_is_refused_before_it_is_closed(values: dict, said: str) -> None:
    message = message_of(with_idle_line(**values), NetworkError)

    assert message.startswith("feeder has no switch, so its lines out of service count as open ties")
    assert "line 4 (reserve): " in message
    assert said in message


def test_an_idle_line_between_two_voltage_levels_is_refused() -> None:
    net = with_idle_line()
    low = pp.create_bus(net, 0.4)
    add_trafo(net, 3, low)
    net.line.loc[4, "to_bus"] = low

    message = message_of(net, NetworkError)

    assert "line 4 (reserve): from_bus and to_bus have different vn_kv, 10 and 0.4" in message


def test_an_idle_line_to_a_dead_stretch_is_no_tie_and_may_hold_anything() -> None:
    net = with_idle_line(r_ohm_per_km=np.nan)
    net.line.loc[4, "to_bus"] = pp.create_bus(net, 10.0)

    assert rows_of(net)["line:1"].restored_by == ()


def shifted_net(shift_a: float, shift_b: float, va_a: float, va_b: float) -> pp.pandapowerNet:
    net = two_feeders_net()
    net.trafo.loc[[0, 1], "shift_degree"] = [shift_a, shift_b]
    net.ext_grid["va_degree"] = [va_a, va_b]
    return net


@pytest.mark.parametrize(
    "angles",
    [*itertools.product((330.0, 0.0, 30.0, 150.0), (330.0, -30.0, 180.0), (0.0, 10.0), (0.0, -30.0)),
     (0.0, 0.0, 0.0, 14.0), (0.0, 0.0, 0.0, 16.0), (330.0, 330.0, 0.0, 360.0)],
)  # fmt: skip
def test_ties_are_closed_where_pandapower_sees_both_ends_in_phase(angles: tuple[float, ...]) -> None:
    net = shifted_net(*angles)
    state = normal_state(
        from_pandapower(net), LoadCases(p_mw=np.ones((1, 11)), q_mvar=np.ones((1, 11))), DEFAULT_LIMITS
    )
    net.load["in_service"] = False
    va = newton(net).res_bus["va_degree"]
    between = abs((va.loc[4] - va.loc[9] + 180.0) % 360.0 - 180.0)
    # Line charging and magnetising currents turn the voltages by less than 1 degree.
    assert abs(between - 15.0) > 0.5

    assert (state.ties.n_tie, state.unused_ties.n_tie) == ((1, 0) if between < 15.0 else (0, 1))


def test_a_tie_between_vector_groups_is_never_closed_and_named() -> None:
    net = shifted_net(330.0, 0.0, 0.0, 0.0)

    pp.create_switch(net, 4, 6, "l", closed=False)
    net.switch["remote"] = False

    rows, said = rows_of(net), remarks_of(net)

    gone = two_feeders_net(has_tie=False)
    gone.trafo.loc[[0, 1], "shift_degree"] = [330.0, 0.0]
    without = rows_of(gone)
    assert set(rows) == {*without, "line:6"}
    for outage_id, row in without.items():
        assert (rows[outage_id].status, rows[outage_id].unsupplied_kw) == (row.status, row.unsupplied_kw)
        assert (rows[outage_id].restored_by, rows[outage_id].refused_by) == ((), ())
    assert rows["line:6"].outage_kind == "tie"
    assert str(rows["line:1"].status) == "UNSUPPLIED"
    assert len(said) == 1
    assert said[0].startswith("line 6 is never closed as a tie: without load bus 4 stands at 30 degree and bus 9 at 0;")
    assert "shift_degree" in said[0]


def test_a_transformer_that_is_open_at_one_end_turns_the_voltage_itself() -> None:
    def net_with(shift_degree: float) -> pp.pandapowerNet:
        net = village_net()  # bus 4 and bus 5 are two villages' low voltage, both Dyn11 below one main transformer
        net.line.loc[2, "in_service"] = False
        for bus in (2, 3):
            pp.create_switch(net, bus, 1, "l", closed=True)
        trafo = add_trafo(net, 2, 5, shift_degree=shift_degree)
        pp.create_switch(net, 5, trafo, "t", closed=False)
        return net

    assert rows_of(net_with(330.0))["line:1"].restored_by == ("trafo:3",)
    assert rows_of(net_with(0.0))["line:1"].restored_by == ()
    heads = [
        [said.partition(":")[0] for said in remarks_of(net_with(shift)) if "tie:" in said] for shift in (330.0, 0.0)
    ]
    assert heads == [[], ["trafo 3 is never closed as a tie"]]


def test_sections_without_load_need_no_supply_and_pass_it_on() -> None:
    net = two_feeders_net()
    net.load.loc[net.load["bus"] == 10, ["p_mw", "q_mvar"]] = 0.0  # section of bus 3 draws nothing

    rows = rows_of(net)

    # Line 0 is lost with bus 2 (600 kW); bus 4 (500 kW) comes back by the tie, and nothing of it depends on bus 3.
    row = rows["line:0"]
    assert (str(row.status), row.unsupplied_kw, row.restored_kw) == (
        "SECURE",
        pytest.approx(600.0),
        pytest.approx(500.0),
    )
    # Line 3 is lost: buses 8 and 9 (1200 kW) are fed through the section without load.
    row = rows["line:3"]
    assert (str(row.status), row.restored_kw) == ("SECURE", pytest.approx(1200.0))
    loading, vm = medium_voltage_extremes(replay(net, row, 1.0))
    assert row.worst.loading_percent == pytest.approx(loading, abs=1e-5)
    assert row.worst.vm_pu == pytest.approx(vm, abs=1e-7)
    # The section itself is lost: nobody is off.
    net.load.loc[net.load["bus"] == 4, ["p_mw", "q_mvar"]] = 0.0
    row = rows_of(net)["line:1"]
    assert (str(row.status), row.unsupplied_kw, row.restored_by) == ("SECURE", 0.0, ())


@pytest.mark.parametrize("change", [{"p_mw": 0.0, "q_mvar": 0.0}, {"in_service": False}, {"scaling": 0.0}])
def test_a_network_without_load_is_refused_instead_of_passed(change: dict) -> None:
    net = two_feeders_net()
    for column, value in change.items():
        net.load[column] = value

    assert message_of(net, InputError).startswith("two feeders: no load in service draws anything")


def test_a_network_in_which_nothing_can_be_lost_is_refused() -> None:
    net = empty_net()
    pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0)
    pp.create_load(net, 0, 1.0)

    assert "no line and no transformer in service has supply" in message_of(net, InputError)


def test_an_idle_line_beside_switches_is_no_tie_and_said() -> None:
    net = two_feeders_net(has_tie=False)

    assert rows_of(net)["line:1"].restored_by == ()
    (said,) = remarks_of(net)
    assert said.startswith("line 6 is out of service and is not used as a tie, because the network has switches")


@pytest.mark.parametrize("bus", [4, 9])
def test_a_tie_to_a_bus_out_of_service_is_no_tie(bus: int) -> None:
    net = two_feeders_net()
    net.bus.loc[bus, "in_service"] = False
    net.load.loc[net.load["bus"] == bus, "in_service"] = False

    assert all(row.restored_by == () for row in rows_of(net).values())


def test_a_tie_line_without_a_switch_at_its_ends_that_a_coupler_opens_is_a_tie() -> None:
    # The tie's line has no switch of its own; a bus-bus switch between it and bus 9 is open.
    net = two_feeders_net()
    net.switch = net.switch.drop(index=6)
    end = pp.create_bus(net, 10.0)
    net.line.loc[6, "to_bus"] = end
    pp.create_switch(net, 9, end, "b", closed=False, name="coupler")
    net.switch["remote"] = net.switch["remote"].astype(object).where(net.switch["remote"].notna(), False)  # noqa: FBT003

    row = rows_of(net)["line:1"]

    assert row.restored_by == ("coupler",)
    assert str(row.status) == "SECURE"


def test_load_without_supply_in_normal_operation_counts_nowhere_and_is_said() -> None:
    net = two_feeders_net()
    net.switch.loc[3, "closed"] = False

    assert max(row.demand_kw for row in rows_of(net).values()) == pytest.approx(2000.0)
    assert remarks_of(net) == ("3 buses with load have no supply in normal operation and count nowhere: 7, 8, 9",)


def test_nothing_is_said_of_a_network_that_is_used_as_it_is() -> None:
    assert remarks_of(two_feeders_net()) == ()
    assert remarks_of(with_idle_line()) == ()


def stretched_tie_net() -> pp.pandapowerNet:
    """Return the two feeders with a joint on the tie; switches 7 at bus 4 and 8 at bus 9 part it from both."""
    net = two_feeders_net()
    net.line, net.switch = net.line.drop(index=6), net.switch.drop(index=6)
    joint = pp.create_bus(net, 10.0)
    for bus, number in ((4, 7), (9, 8)):
        line = add_line(net, bus, joint, 1.0)
        pp.create_switch(net, bus, line, "l", closed=False, index=number)
    return net


def test_a_tie_with_a_joint_that_hangs_nowhere_is_said_and_can_be_mended() -> None:
    net = stretched_tie_net()
    (remark,) = remarks_of(net)
    assert "bus 11 has no supply between line 6, line 7, which are open" in remark
    assert all(row.restored_by == () for row in rows_of(net).values())

    net.switch.loc[8, "closed"] = True

    assert remarks_of(net) == ()
    row = rows_of(net)["line:1"]
    assert row.closed_branches == ("line:6",)
    assert row.restored_kw == pytest.approx(500.0)


def test_the_same_without_switches() -> None:
    net = feeder_net(5)
    joint = pp.create_bus(net, 10.0)
    for bus in (1, 4):
        line = add_line(net, bus, joint, 1.0)
        net.line.loc[line, "in_service"] = False

    (remark,) = remarks_of(net)

    assert f"bus {joint} has no supply between line 4, line 5, which are open" in remark
    net.line.loc[5, "in_service"] = True
    assert remarks_of(net) == ()
    assert rows_of(net)["line:2"].closed_branches == ("line:4",)


def test_a_dead_end_is_no_stretch_between_anything() -> None:
    net = stretched_tie_net()
    net.line = net.line.drop(index=7)
    net.switch = net.switch.drop(index=8)

    assert remarks_of(net) == ()
