"""Outages of the hand-drawn feeders: what is restored, what stays off, and the same numbers from plain pandapower."""

from __future__ import annotations

import math

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.outages import Contingency
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.errors import InputError, TopologyError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet, with_overrides
from gridcheck.powerflow import solve
from tests.support.radial_nets import add_line
from tests.support.two_feeders import COURSE, Example, example_of, medium_voltage_extremes, replay, two_feeders_net

SECURE, VIOLATED = NMinus1Status.SECURE, NMinus1Status.VIOLATED
UNSUPPLIED, NOT_CONVERGED = NMinus1Status.UNSUPPLIED, NMinus1Status.NOT_CONVERGED


def run(example: Example, limits: LimitSet = DEFAULT_LIMITS) -> dict[str, NMinus1Row]:
    rows = run_n_minus_1(example.network, example.loads, households=example.households, limits=limits)
    return {row.outage_id: row for row in rows}


def limits_with(**values: float) -> LimitSet:
    return with_overrides(DEFAULT_LIMITS, {name: (value, "test") for name, value in values.items()})


# Outage, load and households that wait for repair, healthy load behind it: by hand from the drawing.
BY_HAND = [
    ("feeder:0-outlet", "outlet", 0.0, 0, 2000.0),
    ("line:0", "section", 600.0, 60, 1400.0),
    ("line:1", "section", 900.0, 40, 500.0),
    ("line:2", "section", 500.0, 50, 0.0),
    ("feeder:3-outlet", "outlet", 0.0, 0, 1900.0),
    ("line:3", "section", 700.0, 70, 1200.0),
    ("line:4", "section", 800.0, 80, 400.0),
    ("line:5", "section", 400.0, 40, 0.0),
]


@pytest.mark.parametrize(("outage_id", "kind", "off_kw", "off_households", "behind_kw"), BY_HAND)
def test_a_strong_tie_leaves_only_the_faulted_section_off(
    outage_id: str, kind: str, off_kw: float, off_households: int, behind_kw: float
) -> None:
    row = run(example_of(two_feeders_net()))[outage_id]

    total_kw, households = (
        (2000.0, 150) if outage_id in {"feeder:0-outlet", "line:0", "line:1", "line:2"} else (1900.0, 190)
    )
    assert (row.status, row.outage_kind) == (SECURE, kind)
    assert row.peak_case == 1
    assert row.demand_kw == pytest.approx(total_kw)
    assert row.unsupplied_kw == pytest.approx(off_kw)
    assert row.served_kw == pytest.approx(total_kw - off_kw)
    assert row.unsupplied_households == off_households
    assert (row.interrupted_kw, row.interrupted_households) == (pytest.approx(total_kw), households)
    assert row.lost_kw == row.restored_kw == pytest.approx(behind_kw)
    assert row.transfer_ratio == 1.0
    assert row.restored_by == (("tie A-B",) if behind_kw else ())
    assert row.refused_by == ()
    assert row.tripped_by == ("Q0" if total_kw == 2000.0 else "Q3")


def test_every_outage_is_listed_once_in_the_order_of_the_tree() -> None:
    assert list(run(example_of(two_feeders_net()))) == [outage_id for outage_id, *_ in BY_HAND]


def test_switch_states_isolate_and_restore() -> None:
    rows = run(example_of(two_feeders_net()))

    assert rows["line:1"].switch_states == ((1, False), (2, False), (6, True))
    assert rows["line:2"].switch_states == ((2, False),)
    assert rows["feeder:3-outlet"].switch_states == ((3, False), (6, True))
    assert rows["line:2"].faulted_lines == (2, 6)
    assert rows["line:1"].faulted_lines == (1,)
    assert rows["line:1"].by_remote is False
    assert rows["line:1"].tried_switch_states == rows["line:1"].switch_states


@pytest.mark.parametrize("weak", [False, True], ids=["secure", "violated"])
def test_rows_replay_in_plain_pandapower(weak: bool) -> None:  # noqa: FBT001
    net = two_feeders_net(tie_max_i_ka=0.02 if weak else 0.3)
    # Charging large enough that a line left hanging on a bus would show.
    net.line["c_nf_per_km"] = 50.0
    for row in run(example_of(net)).values():
        extremes = []
        for scale in COURSE:
            solved = replay(net, row, scale)
            extremes.append(medium_voltage_extremes(solved))
            if scale == COURSE[row.tried.loading_case]:
                table = solved[f"res_{row.tried.loading_kind}"]
                at_element = table.loc[row.tried.loading_id, "loading_percent"]
                assert row.tried.loading_percent == pytest.approx(at_element, rel=1e-8, abs=1e-6)
            if scale == COURSE[row.tried.vm_case]:
                assert row.tried.vm_pu == pytest.approx(solved.res_bus.loc[row.tried.vm_bus_id, "vm_pu"], abs=1e-8)
        # Both substations take part in the larger outages; then the extremes are those of the whole net.
        if row.tried_switch_states[-1] == (6, True):
            highest = max(loading for loading, _ in extremes)
            assert row.tried.loading_percent == pytest.approx(highest, rel=1e-8, abs=1e-6)
            assert row.tried.vm_pu == pytest.approx(min(vm for _, vm in extremes), abs=1e-8)


def test_an_overloaded_distribution_transformer_is_not_part_of_n_minus_1() -> None:
    net = two_feeders_net()
    row = run(example_of(net))["line:0"]

    solved = replay(net, row, 1.0)

    assert solved.res_trafo.loc[2, "loading_percent"] > 200.0
    assert row.status == SECURE


def test_a_tie_that_would_be_overloaded_leaves_the_island_off_and_shows_its_values() -> None:
    rows = run(example_of(two_feeders_net(tie_max_i_ka=0.02)))

    row = rows["line:1"]
    assert row.status == VIOLATED
    assert (row.restored_by, row.refused_by) == ((), ("tie A-B",))
    assert row.unsupplied_kw == pytest.approx(900.0 + 500.0)
    # 40 stand in the faulted section and wait for the repair; 50 could have been transferred.
    assert (row.unsupplied_households, row.untransferred_households) == (40 + 50, 50)
    assert (row.transfer_ratio, row.restored_kw) == (0.0, 0.0)
    assert (row.tried.loading_kind, row.tried.loading_id) == ("line", 6)
    # 0.5 MW and 0.125 Mvar at about 10.3 kV is 29 A on a line for 20 A.
    assert row.tried.loading_percent == pytest.approx(145.0, abs=5.0)
    assert row.switch_states == ((1, False), (2, False))
    assert row.tried_switch_states == ((1, False), (2, False), (6, True))
    assert rows["line:2"].status == SECURE


def test_load_without_a_tie_is_unsupplied_never_fine() -> None:
    rows = run(example_of(two_feeders_net(has_tie=False)))

    assert rows["line:0"].status == UNSUPPLIED
    assert rows["line:0"].unsupplied_kw == pytest.approx(2000.0)
    assert rows["line:0"].transfer_ratio == 0.0
    assert rows["feeder:0-outlet"].status == UNSUPPLIED
    assert rows["feeder:0-outlet"].unsupplied_households == 150
    assert rows["feeder:0-outlet"].untransferred_households == 150
    assert rows["line:2"].status == SECURE
    assert rows["line:2"].untransferred_households == 0 < rows["line:2"].unsupplied_households


def test_a_restoration_without_solution_is_a_result() -> None:
    rows = run(example_of(two_feeders_net(tie_r_ohm_per_km=400.0)))

    row = rows["line:1"]
    assert row.status == NOT_CONVERGED
    assert math.isnan(row.tried.loading_percent)
    assert math.isnan(row.tried.vm_pu)
    assert (row.tried.loading_id, row.tried.loading_case, row.tried.vm_bus_id, row.tried.vm_case) == (-1, -1, -1, -1)
    assert row.unsupplied_kw == pytest.approx(1400.0)
    assert row.refused_by == ("tie A-B",)
    net = two_feeders_net(tie_r_ohm_per_km=400.0)
    net.switch.loc[[1, 2, 6], "closed"] = [False, False, True]
    with pytest.raises(pp.LoadflowNotConverged):
        pp.runpp(net, numba=False)


def test_an_unsolved_tie_does_not_hide_a_good_one() -> None:
    net = two_feeders_net(tie_r_ohm_per_km=400.0)
    _add_tie(net, 4, 8, "second tie")

    row = run(example_of(net))["line:1"]

    assert (row.status, row.restored_by) == (SECURE, ("second tie",))


def test_the_tie_with_the_largest_margin_is_closed() -> None:
    # Two more ties: one that is long, and one that starts at the busbar of substation B.
    net = two_feeders_net()
    _add_tie(net, 4, 8, "long tie", length_km=12.0)
    _add_tie(net, 4, 6, "busbar tie", length_km=1.5)

    row = run(example_of(net))["line:1"]

    margins = {}
    for tie in (6, 7, 8):
        tried = two_feeders_net()
        _add_tie(tried, 4, 8, "long tie", length_km=12.0)
        _add_tie(tried, 4, 6, "busbar tie", length_km=1.5)
        tried.switch.loc[[1, 2, tie], "closed"] = [False, False, True]
        pp.runpp(tried, tolerance_mva=1e-10, calculate_voltage_angles=True, numba=False)
        loading, vm = medium_voltage_extremes(tried)
        margins[tried.switch.loc[tie, "name"]] = min(1.0 - loading / 100.0, (vm - 0.93) / 0.07)
    assert row.restored_by == (max(margins, key=lambda name: margins[name]),)
    assert max(margins.values()) > sorted(margins.values())[1] + 1e-6


def _add_tie(net: pp.pandapowerNet, from_bus: int, to_bus: int, name: str, length_km: float = 1.5) -> None:
    line = add_line(net, from_bus, to_bus, length_km)
    pp.create_switch(net, to_bus, line, "l", closed=False, type="LBS", name=name)
    net.switch["remote"] = False


def test_parts_without_a_tie_make_the_outage_unsupplied_while_others_are_restored() -> None:
    # A switched lateral with 0.3 MW on bus 2: behind a fault of K1 it has no tie, the trunk has.
    net = two_feeders_net()
    lateral = pp.create_bus(net, 10.0)
    line = add_line(net, 2, lateral, 1.0)
    pp.create_switch(net, 2, line, "l", closed=True, type="CB", name="lateral")
    net.switch["remote"] = False
    pp.create_load(net, lateral, 0.3, 0.075)

    rows = run(example_of(net))

    row = rows["line:0"]
    assert row.status == UNSUPPLIED
    assert row.restored_by == ("tie A-B",)
    assert row.unsupplied_kw == pytest.approx(600.0 + 300.0)
    assert row.lost_kw == pytest.approx(1400.0 + 300.0)
    assert row.transfer_ratio == pytest.approx(1400.0 / 1700.0)
    # A fault of the lateral trips its own breaker: the trunk is not interrupted.
    assert rows[f"line:{line}"].tripped_by == "lateral"
    assert rows[f"line:{line}"].interrupted_kw == pytest.approx(300.0)
    assert rows[f"line:{line}"].demand_kw == pytest.approx(2300.0)


def _with_neighbour(net: pp.pandapowerNet, p_mw: float, length_km: float) -> int:
    """Add a third feeder with `p_mw` at its end on the busbar of substation B; return its bus."""
    bus = pp.create_bus(net, 10.0)
    line = add_line(net, 6, bus, length_km)
    pp.create_switch(net, 6, line, "l", closed=True, type="CB", name="C")
    net.switch["remote"] = False
    pp.create_load(net, bus, p_mw, 0.25 * p_mw)
    return bus


def test_a_neighbour_beyond_its_limit_before_is_not_held_against_the_restoration() -> None:
    net = two_feeders_net()
    bus = _with_neighbour(net, 5.0, 5.0)
    net.line.loc[7, "max_i_ka"] = 0.25  # about 120 % with all in service

    row = run(example_of(net))["line:1"]

    solved = replay(net, row, 1.0)
    assert solved.res_line.loc[7, "loading_percent"] > 110.0
    assert solved.res_bus.loc[bus, "vm_pu"] < row.tried.vm_pu
    assert row.tried.loading_id != 7
    assert row.status == SECURE


def test_a_neighbour_driven_beyond_its_limit_by_the_transfer_counts() -> None:
    net = two_feeders_net()
    bus = _with_neighbour(net, 3.0, 10.0)
    before = example_of(net)
    normal = solve(before.network, before.loads).vm_pu
    # Just below the neighbour's voltage in normal operation: 1.4 MW more on its busbar undercut it.
    limit = float(normal[1, bus]) - 1e-4

    row = run(before, limits_with(n_minus_1_vm_min_pu=limit))["line:0"]

    after = replay(net, row, 1.0).res_bus["vm_pu"]
    assert after[bus] < limit
    assert after[[1, 3, 4, 6, 7, 8, 9]].min() > limit
    assert (row.status, row.tried.vm_bus_id) == (VIOLATED, bus)
    assert row.tried.vm_pu == pytest.approx(after[bus], abs=1e-8)


def test_an_overload_that_stays_in_the_own_tree_makes_the_outage_violated_without_load_off() -> None:
    net = two_feeders_net()
    net.trafo.loc[0, "sn_mva"] = 1.0

    row = run(example_of(net))["line:2"]

    assert row.status == VIOLATED
    assert (row.tried.loading_kind, row.tried.loading_id) == ("trafo", 0)
    assert row.unsupplied_kw == pytest.approx(500.0)
    assert row.refused_by == ()


def test_a_line_without_a_switch_at_the_busbar_takes_its_source_down() -> None:
    net = two_feeders_net()
    net.switch = net.switch.drop(index=0)

    rows = run(example_of(net))

    assert "feeder:0-outlet" not in rows
    row = rows["line:0"]
    assert row.tripped_by == ""
    assert row.unsupplied_kw == pytest.approx(600.0)
    assert row.restored_by == ("tie A-B",)
    assert row.served_kw == pytest.approx(1400.0)
    assert row.switch_states == ((1, False), (6, True))
    assert row.tried.loading_percent == pytest.approx(medium_voltage_extremes(replay(net, row, 1.0))[0], abs=1e-6)


def test_networks_without_switches_replay_by_lines() -> None:
    net = pn.case33bw()
    limits = limits_with(n_minus_1_vm_min_pu=0.85)
    network_example = example_of(net, (1.0,))

    rows = run(network_example, limits)

    assert len(rows) == 32
    for name in ("line:0", "line:5", "line:17", "line:21", "line:28"):
        row = rows[name]
        assert row.switch_states == ()
        assert (int(name[5:]), False) in row.tried_line_states
        solved = replay(net, row, 1.0)
        assert row.tried.vm_pu == pytest.approx(solved.res_bus["vm_pu"].min(), abs=1e-8)
        off = solved.res_bus.index[replay(net, row, 1.0, tried=False).res_bus["vm_pu"].isna()]
        assert row.unsupplied_kw == pytest.approx(1000.0 * net.load.loc[net.load["bus"].isin(off), "p_mw"].sum())
    assert rows["line:0"].status == UNSUPPLIED
    assert rows["line:0"].unsupplied_kw == pytest.approx(3715.0)


def test_factored_loads_give_the_same_rows() -> None:
    example = example_of(two_feeders_net())
    one = example.loads.p_mw[1]
    factored = FactoredLoads(
        p_weight_mw=one[:, None], q_weight_mvar=0.25 * one[:, None], profile=np.array(COURSE)[:, None]
    )

    rows = run_n_minus_1(example.network, example.loads, households=example.households)
    again = run_n_minus_1(example.network, factored, households=example.households)

    for row, same in zip(rows, again, strict=True):
        assert row.switch_states == same.switch_states
        assert row.tried.vm_pu == pytest.approx(same.worst.vm_pu, abs=1e-12)
        assert row.unsupplied_kw == pytest.approx(same.unsupplied_kw)


def test_threads_do_not_change_the_result() -> None:
    example = example_of(two_feeders_net(tie_max_i_ka=0.05))

    alone = run_n_minus_1(example.network, example.loads, households=example.households, threads=1)
    shared = run_n_minus_1(example.network, example.loads, households=example.households, threads=3)

    assert alone == shared


def test_generation_is_solved_in_all_cases() -> None:
    # In case 0 bus 4 feeds in 4 MW: its line is loaded most there, although no load is highest then.
    example = example_of(two_feeders_net())
    p_mw = example.loads.p_mw.copy()
    p_mw[0, 4] = -4.0
    loads = LoadCases(p_mw=p_mw, q_mvar=example.loads.q_mvar)

    rows = run_n_minus_1(example.network, loads, households=example.households)

    row = next(row for row in rows if row.outage_id == "line:1")
    assert row.tried.loading_case == 0


def test_wrong_inputs_are_refused_before_anything_runs() -> None:
    example = example_of(two_feeders_net())

    with pytest.raises(InputError, match="one column per bus"):
        run_n_minus_1(example.network, example.loads, households=np.zeros(3, dtype=np.int64))
    with pytest.raises(InputError, match="threads"):
        run_n_minus_1(example.network, example.loads, households=example.households, threads=0)
    with pytest.raises(InputError, match="not supplied"):
        run_n_minus_1(
            example.network,
            example.loads,
            households=example.households,
            contingencies=[Contingency(outage_id="K9", outage_kind="section", section=99)],
        )
    with pytest.raises(InputError, match="below 1"):
        run(example, limits_with(n_minus_1_vm_min_pu=1.0))


def test_a_closed_loop_is_refused() -> None:
    net = two_feeders_net()
    net.switch.loc[6, "closed"] = True

    with pytest.raises(TopologyError, match="not radial"):
        run(example_of(net))
