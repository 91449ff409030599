"""Restorations closed in stages: by hand, and step by step in plain pandapower with the load that comes back."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.islands import DarkGraph, Link
from gridcheck.checks.judgement import NormalState, normal_state
from gridcheck.checks.n_minus_1 import lose_each
from gridcheck.checks.outages import Contingency, contingencies_of, cut_off
from gridcheck.checks.records import NMinus1Row, StepKind, SwitchingStep
from gridcheck.checks.restoration import Switching
from gridcheck.checks.search import Way
from gridcheck.checks.stages import staged
from gridcheck.checks.switching_sheet import switching_steps, switching_times
from gridcheck.errors import GridcheckError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.reports.rows import n_minus_1_rows
from gridcheck.reports.switching_sheets import switching_sheet_rows
from tests.support.newton import newton
from tests.support.radial_nets import add_line, empty_net
from tests.support.two_feeders import example_of, medium_voltage_extremes, two_feeders_net

CALM_MINUTES = 75.0
LIMITS = with_overrides(DEFAULT_LIMITS, {"n_minus_1_vm_min_pu": (0.93, "test")})


def state_of(net: pp.pandapowerNet, more: float) -> tuple[NormalState, LoadCases, np.ndarray]:
    """Prepare a net whose loads are `more` times as large right after an outage."""
    example = example_of(net, (0.5, 1.0))
    later = LoadCases(p_mw=more * example.loads.p_mw, q_mvar=more * example.loads.q_mvar)
    return normal_state(example.network, example.loads, LIMITS, loads_after=later), example.loads, example.households


def rows_of(net: pp.pandapowerNet, more: float) -> dict[str, NMinus1Row]:
    state, loads, households = state_of(net, more)
    lost = contingencies_of(state.network, state.sections, state.tree)
    times = replace(switching_times(), calm_down_minutes=CALM_MINUTES)
    return {row.outage_id: row for row in lose_each(state, loads, households, lost, times=times)}


def told(step: SwitchingStep) -> tuple[object, ...]:
    return str(step.kind), step.stage, step.switch, step.closes, step.elapsed_minutes, round(step.served_kw, 6)


def test_the_stages_of_the_drawn_feeders_by_hand() -> None:
    # Line 0 is lost with bus 2. Bus 4 draws 0.5 MW and the section of bus 3 0.9 MW, 1.6 times that at first; the tie
    # carries 2.4 MVA at nominal voltage: not 1.6 * 1.4 * 1.03 = 2.31 MVA at the voltage of the far end, but
    # 0.5 + 1.6 * 0.9 MW. So the farther section waits behind Q2, which is opened before and closed again.
    row = rows_of(two_feeders_net(tie_max_i_ka=0.14), 1.6)["line:0"]

    assert (str(row.status), row.stages, row.unsupplied_kw, row.after_buses) == ("SECURE", 2, 600.0, ())
    assert [told(step) for step in row.steps] == [
        ("trip", 0, "Q0", False, 0.0, 0.0),
        ("isolate", 0, "Q1", False, 45.0, 0.0),
        ("part", 0, "Q2", False, 65.0, 0.0),
        ("tie", 1, "tie A-B", True, 85.0, 500.0),
        ("wait", 1, "", None, 160.0, 500.0),
        ("join", 2, "Q2", True, 180.0, 1400.0),
        ("repair", 0, "", None, 180.0, 1400.0),
    ]
    assert row.restore_minutes == 180.0
    assert dict(row.switch_states) == {0: False, 1: False, 6: True}
    assert not row.by_remote


def test_waiting_counts_in_the_hours_of_households() -> None:
    row = rows_of(two_feeders_net(tie_max_i_ka=0.14), 1.6)["line:0"]

    (told_row,) = n_minus_1_rows([row], limits=with_overrides(DEFAULT_LIMITS, {"repair_h": (5.0, "test")})).to_dict(
        "records"
    )

    # Households: bus 2 60 (faulted), bus 10 40, bus 4 50. Off for 85 min, 180 min and until the repair after 5 h.
    assert told_row["restore_minutes"] == 180.0
    assert told_row["unsupplied_household_hours"] == pytest.approx(50 * 85 / 60 + 40 * 180 / 60 + 60 * 5.0)


def test_the_sheet_says_the_stages_and_the_wait_in_both_languages() -> None:
    row = rows_of(two_feeders_net(tie_max_i_ka=0.14), 1.6)["line:0"]

    sheet = switching_sheet_rows([row])

    assert sheet["closing_stage"].fillna(0).astype(int).to_list() == [0, 0, 0, 1, 1, 2, 0]
    assert sheet["minutes"].to_list() == [0.0, 45.0, 20.0, 20.0, CALM_MINUTES, 20.0, 0.0]
    wait = sheet.iloc[4]
    assert (wait["stage"], wait["action"], wait["element"], wait["off_kw"]) == ("wait", None, None, 1500.0)
    assert wait["instruction_zh"] == "等待约 75 分钟，待第 1 批负荷回落到平时水平，再送第 2 批"
    assert wait["instruction_en"] == (
        "Wait about 75 minutes until the load of stage 1 has fallen back, then go on with stage 2"
    )
    assert sheet["instruction_en"].iloc[3] == (
        "Stage 1: Close switch tie A-B (line:6 at bus:9) by hand: supply flows through a tie"
    )
    assert sheet["instruction_zh"].iloc[5] == "第 2 批：现场合上开关 Q2（line:2，bus:3 侧），再送一段停电的健全段"


def test_one_stage_is_told_without_stages() -> None:
    row = rows_of(two_feeders_net(), 1.0)["line:0"]

    assert row.stages == 1
    assert "wait" not in {str(step.kind) for step in row.steps}
    assert "Stage" not in " ".join(switching_sheet_rows([row])["instruction_en"])


def test_waits_without_demand_after_the_outage_take_the_editable_estimate() -> None:
    state, loads, households = state_of(two_feeders_net(tie_max_i_ka=0.14), 1.6)
    lost = [c for c in contingencies_of(state.network, state.sections, state.tree) if c.outage_id == "line:0"]

    (row,) = lose_each(state, loads, households, lost)

    assert [s.minutes for s in row.steps if s.kind == StepKind.WAIT] == [switching_times().calm_down_minutes] == [90.0]


def without_switches(net: pp.pandapowerNet) -> pp.pandapowerNet:
    """Return the net without switches: open lines are out of service."""
    bare = copy.deepcopy(net)
    bare.line.loc[net.switch.loc[~net.switch["closed"], "element"], "in_service"] = False
    bare.switch = bare.switch.iloc[:0]
    return bare


def replayed(net: pp.pandapowerNet, row: NMinus1Row, more: float) -> int:
    """Carry out a sheet in plain pandapower and hold every moment against the limits; return how many there were.

    A load is `more` times as large from the moment its bus gets supply back until the next wait is over.
    """
    now = copy.deepcopy(net)
    usual = newton(now).res_bus["vm_pu"].notna()
    load_bus, feeder_kw = now.load["bus"], row.demand_kw
    warm = ~usual & usual
    lit_before, blocked, moments = usual, False, 0
    for step in row.steps:
        for i in step.switch_ids:
            now.switch.loc[i, "closed"] = step.closes
        for i in step.line_ids:
            now.line.loc[i, "in_service"] = step.closes
        if not step.branch and step.closes is not None:  # the protection at the source
            blocked = not step.closes
            now.ext_grid.loc[0, "in_service"] = step.closes
        if step.kind == StepKind.WAIT:
            warm[:] = False
        now.load["scaling"] = 1.0
        lit = newton(now).res_bus["vm_pu"].notna()
        warm |= lit & ~lit_before
        lit_before = lit
        now.load["scaling"] = np.where(warm.loc[load_bus], more, 1.0)
        loading, vm = medium_voltage_extremes(newton(now))
        assert loading <= 100.0, step
        assert vm >= 0.93, step
        off_kw = 1000.0 * now.load.loc[usual.loc[load_bus].to_numpy() & ~lit.loc[load_bus].to_numpy(), "p_mw"].sum()
        if not blocked:
            assert step.served_kw == pytest.approx(feeder_kw - off_kw, abs=1e-6)
        moments += 1
    return moments


@pytest.mark.parametrize(
    ("tie_ka", "more", "outage_id", "bare"),
    [(0.14, 1.6, "line:0", False), (0.14, 2.0, "line:3", False), (0.16, 2.5, "line:3", False),
     (0.14, 1.3, "feeder:3-outlet", False), (0.16, 1.3, "feeder:0-outlet", False), (0.14, 1.3, "line:3", True),
     (0.16, 1.3, "line:0", True)],
)  # fmt: skip
def test_every_moment_of_the_stages_keeps_the_limits_in_pandapower(
    tie_ka: float, more: float, outage_id: str, *, bare: bool
) -> None:
    net = two_feeders_net(tie_max_i_ka=tie_ka)
    net = without_switches(net) if bare else net
    row = rows_of(net, more)[outage_id]
    assert row.stages == 2

    assert replayed(net, row, more) == len(row.steps)

    # All at once, a limit would be broken: the stages are needed.
    ended = copy.deepcopy(net)
    for i, closed in row.switch_states:
        ended.switch.loc[i, "closed"] = closed
    for i, on in row.line_states:
        ended.line.loc[i, "in_service"] = on
    back = {2, 3, 4, 10} if "0" in outage_id else {7, 8, 9}
    ended.load["scaling"] = np.where(ended.load["bus"].isin(back), more, 1.0)
    loading, vm = medium_voltage_extremes(newton(ended))
    assert loading > 100.0 or vm < 0.93


def own_tie_net(rating_ka: float) -> pp.pandapowerNet:
    """A feeder whose tie leads back to itself (switch ids in brackets, * circuit breaker)::

    bus 0 -[0*]-L0- bus 1 -[1]-L1-[2]- bus 2
                      +-------L2-[3]-----+    open
    """
    net = empty_net(name="own tie")
    for _ in range(3):
        pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0, vm_pu=1.03)
    add_line(net, 0, 1, 0.5, max_i_ka=rating_ka)
    add_line(net, 1, 2, 0.5)
    add_line(net, 1, 2, 0.8)
    for bus, line, closed, kind in ((0, 0, True, "CB"), (1, 1, True, "LBS"), (2, 1, True, "LBS"), (2, 2, False, "LBS")):
        pp.create_switch(net, bus, line, "l", closed=closed, type=kind, name=f"S{len(net.switch)}")
    net.switch["remote"] = True
    for bus in (1, 2):
        pp.create_load(net, bus, 1.0)
    return net


def test_what_stands_before_the_fault_may_have_to_calm_down_first() -> None:
    # Twice the load at first: 2 MW alone, 2 + 2 MW together, 1 + 2 MW one after the other. The first line carries
    # 3.45 MVA: 0.19336 kA at 10.3 kV.
    row = rows_of(own_tie_net(3.45 / (np.sqrt(3.0) * 10.3)), 2.0)["line:1"]

    assert (str(row.status), row.stages) == ("SECURE", 2)
    assert [told(step) for step in row.steps] == [
        ("trip", 0, "S0", False, 0.0, 0.0),
        ("isolate", 0, "S1", False, 5.0, 0.0),
        ("isolate", 0, "S2", False, 10.0, 0.0),
        ("reclose", 1, "S0", True, 15.0, 1000.0),
        ("wait", 1, "", None, 15.0 + CALM_MINUTES, 1000.0),
        ("tie", 2, "S3", True, 20.0 + CALM_MINUTES, 2000.0),
        ("repair", 0, "", None, 20.0 + CALM_MINUTES, 2000.0),
    ]


def test_more_than_the_first_line_carries_is_one_stage_and_less_than_it_carries_is_none() -> None:
    at_once = rows_of(own_tie_net(4.6 / (np.sqrt(3.0) * 10.3)), 2.0)["line:1"]
    never = rows_of(own_tie_net(2.5 / (np.sqrt(3.0) * 10.3)), 2.0)["line:1"]

    assert (at_once.stages, at_once.restored_kw) == (1, pytest.approx(1000.0))
    assert (never.restored_kw, str(never.status)) == (0.0, "VIOLATED")


def test_what_stands_before_the_fault_and_breaks_a_limit_by_itself_is_not_hidden_by_stages() -> None:
    # 2 MW of the section before the fault alone are beyond 1.9 MVA, 1 + 0 MW later are not.
    net = own_tie_net(1.9 / (np.sqrt(3.0) * 10.3))
    net.load.loc[1, "p_mw"] = 0.1

    row = rows_of(net, 2.0)["line:1"]

    assert str(row.status) == "VIOLATED"
    assert "wait" not in {str(step.kind) for step in row.steps}


def test_a_restoration_that_holds_a_loop_is_refused_by_name() -> None:
    net = two_feeders_net()
    line = add_line(net, 3, 8, 1.0)
    pp.create_switch(net, 8, line, "l", closed=False, type="LBS", name="second tie")
    net.switch["remote"] = False
    network = from_pandapower(net)
    state = normal_state(network, loads_from_pandapower(net, network), DEFAULT_LIMITS)
    lost = Contingency(outage_id="K1", outage_kind="section", section=int(state.sections.branch_section[0]))
    cut = cut_off(lost, state.sections, state.tree)
    closed = state.sections.edge_closed.copy()
    closed[cut.opened] = False
    both = [edge for tie in range(state.ties.n_tie) for edge in state.ties.edges(tie)]
    closed[both] = True
    done = Switching(closed=closed, source_branch=state.source_branch, ties=(0, 1))

    with pytest.raises(GridcheckError, match="close a loop, or no supply reaches them") as caught:
        switching_steps(
            state, cut, done, load_kw=np.ones(state.sections.n_section),
            households=np.ones(state.sections.n_section, dtype=np.int64),
        )  # fmt: skip
    assert "second tie" in str(caught.value)


def chain(*load: float) -> tuple[DarkGraph, Way]:
    """Return dark sections one behind the other below a tie, and the way that supplies them all."""
    n = len(load)
    links = [Link(a=i, b=i + 1, edges=(i,), tie=-1, root=-1, n_operation=1, n_manual=1) for i in range(n - 1)]
    links.append(Link(a=0, b=-1, edges=(n,), tie=0, root=5, n_operation=1, n_manual=1))
    graph = DarkGraph(
        section=np.arange(n), households=np.ones(n, dtype=np.int64), load_kw=np.array(load), links=tuple(links)
    )
    return graph, Way((1 << n) - 1, 0, (1 << n) - 1, ((5, (1 << n) - 1),), (5,) * n)


@pytest.mark.parametrize(
    ("load", "before", "room", "stages"),
    [
        ((1.0, 1.0, 1.0), 0.0, 6.0, ((0, 1, 2),)),
        ((1.0, 1.0, 1.0), 0.0, 5.0, ((0, 1), (2,))),
        ((1.0, 1.0, 1.0), 0.0, 4.0, ((0, 1), (2,))),
        ((1.0, 1.0, 1.0), 0.0, 3.9, ()),
        ((1.0, 1.0, 1.0), 2.0, 7.0, ((0,), (1, 2))),
        ((1.0, 1.0, 1.0), 3.0, 7.0, ((), (0, 1), (2,))),
        ((1.0, 1.0, 1.0), 2.0, 5.9, ()),
        ((1.0, 1.0, 1.0), 2.0, 3.9, ()),
    ],
)
def test_sections_are_shared_out_by_what_there_is_room_for(load, before, room, stages) -> None:
    # Every load is twice as large at first; `before` stands before the fault and comes back in the first stage.
    graph, way = chain(*load)

    def judge(growing: Way, new: tuple[int, ...], /, *, is_first: bool) -> bool:
        served = [place for place in range(len(load)) if growing.served >> place & 1]
        drawn = sum(load[place] * (2.0 if place in new else 1.0) for place in served)
        return drawn + before * (2.0 if is_first else 1.0) <= room

    assert staged(graph, way, judge) == stages
