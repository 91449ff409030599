"""N-1 in every step against brute force: every switching of small networks, solved step by step."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks import hourly_n_minus_1 as hourly
from gridcheck.checks.county_n_minus_1 import county_n_minus_1
from gridcheck.checks.full_ways import full_ways, whole_island_ways
from gridcheck.checks.hourly_n_minus_1 import hourly_n_minus_1, run_hourly_n_minus_1
from gridcheck.checks.islands import LIVE, DarkGraph, Link
from gridcheck.checks.judgement import normal_state
from gridcheck.checks.n_minus_1_hosting import heating_tan_phi, usual_heat_pump_kw
from gridcheck.checks.outages import contingencies_of
from gridcheck.checks.records import FeederHours, NMinus1Status
from gridcheck.errors import InputError, UnsupportedElementError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet
from gridcheck.network import Network, from_pandapower, loads_from_pandapower, read_county
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from tests.support.hand_drawn_county import FEEDERS, SECTIONS, hand_drawn_county, hand_drawn_net
from tests.support.radial_nets import add_line
from tests.support.two_feeders import HOUSEHOLDS, example_of, two_feeders_net

YUANQU = Path(__file__).parents[3] / "networks" / "140827-yuanqu"
COURSE = (0.3, 1.0, 1.4, 1.8, 2.2, 2.6, 3.2, 1.2)
DURATION_H = np.array([1.0, 0.5, 0.25, 2.0, 1.0, 0.5, 0.25, 4.0])


def limits(loading_percent: float = 100.0, vm_min_pu: float = 0.93) -> LimitSet:
    chosen = DEFAULT_LIMITS
    return replace(
        chosen,
        n_minus_1_loading_percent=replace(chosen.n_minus_1_loading_percent, value=loading_percent),
        n_minus_1_vm_min_pu=replace(chosen.n_minus_1_vm_min_pu, value=vm_min_pu),
    )


@dataclass(frozen=True)
class Fault:
    """An outage drawn by hand: switches that isolate, buses that stay dead, and switches that may move."""

    feeder: int
    opened: tuple[int, ...]
    dead: tuple[int, ...]
    free: tuple[int, ...]


def faults_of_two_feeders(ties: tuple[int, ...]) -> dict[str, Fault]:
    return {
        "feeder:0-outlet": Fault(0, (0,), (), (1, 2, *ties)),
        "line:0": Fault(0, (0, 1), (2,), (2, *ties)),
        "line:1": Fault(0, (1, 2), (3, 10), ties),
        "line:2": Fault(0, (2,), (4,), ()),
        "feeder:3-outlet": Fault(1, (3,), (), (4, 5, *ties)),
        "line:3": Fault(1, (3, 4), (7,), (5, *ties)),
        "line:4": Fault(1, (4, 5), (8,), ties),
        "line:5": Fault(1, (5,), (9,), ()),
    }


FAULTS_OF_COUNTY = {
    f"{FEEDERS[0]}-outlet": Fault(0, (0,), (), (1, 4)),
    SECTIONS[0]: Fault(0, (0, 1), (2, 6), (4,)),
    SECTIONS[1]: Fault(0, (1,), (3, 7, 8), ()),
    f"{FEEDERS[1]}-outlet": Fault(1, (2,), (), (3, 4)),
    SECTIONS[2]: Fault(1, (2, 3), (4, 9), (4,)),
    SECTIONS[3]: Fault(1, (3,), (5, 10), ()),
}


def second_tie_net() -> pp.pandapowerNet:
    """The two feeders with another tie, between buses 3 and 8, so that an island can be split."""
    net = two_feeders_net(tie_max_i_ka=0.12)
    add_line(net, 3, 8, 1.0)
    pp.create_switch(net, 8, 7, "l", closed=False, type="LBS", name="tie A-B 2")
    net.switch["remote"] = net.switch["type"] == "CB"
    net.name = "two feeders and two ties"
    return net


Switched = tuple[pp.pandapowerNet, Network]
_KNOWN: dict[tuple[str, Fault], list[Switched]] = {}


def switchings(net: pp.pandapowerNet, fault: Fault) -> list[Switched]:
    """Return every state of the free switches that supplies all healthy loads without a loop; nets go by name."""
    key = net.name, fault
    if key not in _KNOWN:
        _KNOWN[key] = list(_switchings(net, fault))
    return _KNOWN[key]


def _switchings(net: pp.pandapowerNet, fault: Fault) -> Iterator[Switched]:
    healthy = ~net.load["bus"].isin(fault.dead)
    for states in product((False, True), repeat=len(fault.free)):
        switched = copy.deepcopy(net)
        switched.switch.loc[list(fault.opened), "closed"] = False
        for switch, closed in zip(fault.free, states, strict=True):
            switched.switch.loc[switch, "closed"] = closed
        network = from_pandapower(switched)
        tree = spanning_tree(network)
        if len(tree.loop_branch) or not tree.supplied[net.load.loc[healthy, "bus"]].all():
            continue
        if not tree.supplied[list(fault.dead)].any():
            yield switched, network


def holds_in(
    switched: Switched, fault: Fault, loads: LoadCases, limit: LimitSet, *, busbar: int | None = None
) -> BoolArray:
    """Tell in which cases one switching keeps the limits in the trees it touches, or in that of one busbar only."""
    net, network = switched
    is_tie_used = bool(net.switch.loc[list(ties_of(net)), "closed"].any())
    touched = touched_buses(net, fault, is_tie_used=is_tie_used)
    # Other trees may have no solution of their own.
    found = solve(network, replace(loads, p_mw=loads.p_mw * touched, q_mvar=loads.q_mvar * touched), tolerance_pu=1e-11)
    at = touched & spanning_tree(network).supplied
    if busbar is not None:
        at &= below(network, busbar)
    bus = at & (network.buses.vn_kv == 10.0)
    kinds = network.branches
    ends = kinds.to_bus
    main = (network.buses.vn_kv[kinds.from_bus] == 110.0) & at[ends]
    line = (network.buses.vn_kv[kinds.from_bus] == 10.0) & (network.buses.vn_kv[ends] == 10.0) & at[ends]
    # Without a solution there is no voltage; lines that are off have no loading.
    vm = np.nan_to_num(found.vm_pu[:, bus], nan=0.0).min(axis=1)
    loading = np.nan_to_num(found.loading_percent[:, main | line], nan=0.0).max(axis=1)
    return (vm >= limit.n_minus_1_vm_min_pu.value) & (loading <= limit.n_minus_1_loading_percent.value)


def below(network: Network, busbar: int) -> BoolArray:
    """Return the buses that are supplied through one."""
    tree = spanning_tree(network)
    result = np.arange(network.n_bus) == busbar
    for bus in tree.order.tolist():
        result[bus] |= tree.parent[bus] >= 0 and result[tree.parent[bus]]
    return result


def ties_of(net: pp.pandapowerNet) -> tuple[int, ...]:
    """Switches that are open as drawn."""
    return (4,) if len(net.trafo) > 3 else tuple(i for i in (6, 7) if i in net.switch.index)


def touched_buses(net: pp.pandapowerNet, fault: Fault, *, is_tie_used: bool) -> BoolArray:
    own = {
        False: ({1, 2, 3, 4, 10, 11}, {6, 7, 8, 9}),
        True: ({1, 2, 3, 6, 7, 8}, {11, 4, 5, 9, 10}),
    }[len(net.trafo) > 3]
    mine = own[0] | own[1] if is_tie_used else own[fault.feeder]
    return np.isin(np.arange(len(net.bus)), list(mine))


def brute_force(
    net: pp.pandapowerNet, faults: dict[str, Fault], loads: LoadCases, limit: LimitSet
) -> dict[str, BoolArray]:
    """Return in which cases each outage fails."""
    return {
        name: ~np.any([holds_in(s, fault, loads, limit) for s in switchings(net, fault)], axis=0)
        for name, fault in faults.items()
    }


@lru_cache
def studied(
    *, has_second_tie: bool = False, vm_min_pu: float = 0.93
) -> tuple[pp.pandapowerNet, LoadCases, tuple[FeederHours, ...]]:
    net = second_tie_net() if has_second_tie else two_feeders_net()
    example = example_of(net, COURSE)
    loads = replace(example.loads, duration_h=DURATION_H)
    feeders = run_hourly_n_minus_1(
        example.network, loads, households=example.households, limits=limits(vm_min_pu=vm_min_pu)
    )
    return net, loads, feeders


@pytest.mark.parametrize("has_second_tie", [False, True])
@pytest.mark.parametrize("vm_min_pu", [0.9, 0.95])
def test_failing_hours_are_those_of_every_switching_solved_by_itself(*, has_second_tie: bool, vm_min_pu: float) -> None:
    net, loads, feeders = studied(has_second_tie=has_second_tie, vm_min_pu=vm_min_pu)
    faults = faults_of_two_feeders((6, 7) if has_second_tie else (6,))
    fails = brute_force(net, faults, loads, limits(vm_min_pu=vm_min_pu))

    assert 0 < sum(some.sum() for some in fails.values()) < len(faults) * len(COURSE)
    for number, feeder in enumerate(feeders):
        own = {name: fails[name] for name, fault in faults.items() if fault.feeder == number}
        assert {o.outage_id for o in feeder.by_outage} == set(own)
        for outage in feeder.by_outage:
            assert outage.failing_hours == pytest.approx(own[outage.outage_id] @ DURATION_H)
            assert outage.failing_share == pytest.approx(own[outage.outage_id].mean())
        either = np.any(list(own.values()), axis=0)
        assert feeder.failing_hours == pytest.approx(either @ DURATION_H)
        assert feeder.failing_share == pytest.approx(either.mean())
        assert feeder.hours == pytest.approx(DURATION_H.sum())


def test_the_same_in_plain_pandapower() -> None:
    net, _, feeders = studied()
    faults = faults_of_two_feeders((6,))
    by_id = {o.outage_id: o for feeder in feeders for o in feeder.by_outage}
    for name in ("feeder:0-outlet", "line:1", "line:3"):
        hours = 0.0
        ((drawn, _),) = switchings(net, faults[name])
        switched = copy.deepcopy(drawn)
        for scale, duration_h in zip(COURSE, DURATION_H, strict=True):
            switched.load["scaling"] = scale
            try:
                pp.runpp(switched, tolerance_mva=1e-10, calculate_voltage_angles=True, numba=False, max_iteration=40)
            except pp.LoadflowNotConverged:
                hours += duration_h
                continue
            mains = switched.trafo["vn_lv_kv"] > 1.0
            loading = max(
                np.nanmax(switched.res_line["loading_percent"]), switched.res_trafo.loc[mains, "loading_percent"].max()
            )
            is_held = loading <= 100.0 and switched.res_bus.loc[switched.bus["vn_kv"] == 10.0, "vm_pu"].min() >= 0.93
            hours += 0.0 if is_held else duration_h
        assert by_id[name].failing_hours == pytest.approx(hours)


def test_transfer_is_all_or_nothing_where_an_island_has_one_tie() -> None:
    """The tree that takes over decides; what is left of the feeder below its own source does not matter here."""
    net, loads, feeders = studied()
    faults = faults_of_two_feeders((6,))
    seen = set()
    for outage in (o for feeder in feeders for o in feeder.by_outage):
        fault = faults[outage.outage_id]
        (switched,) = switchings(net, fault)
        taken = np.ones(len(COURSE), dtype=bool)
        if outage.outage_id not in {"line:2", "line:5"}:
            taken = holds_in(switched, fault, loads, limits(), busbar=(6, 1)[fault.feeder])
        assert outage.transfer_ratio_mean == pytest.approx(taken @ DURATION_H / DURATION_H.sum())
        assert outage.transfer_ratio_min == float(taken.all())
        seen.add(bool(taken.all()))
    assert seen == {True, False}


def with_added(loads: LoadCases, buses: tuple[int, ...], add_kw: float) -> LoadCases:
    total = sum(HOUSEHOLDS[bus] for bus in buses)
    add_mw = np.zeros(loads.n_bus)
    for bus in buses:
        add_mw[bus] = add_kw / 1000.0 * HOUSEHOLDS[bus] / total
    return replace(loads, p_mw=loads.p_mw + add_mw, q_mvar=loads.q_mvar + heating_tan_phi() * add_mw)


@pytest.mark.parametrize("has_second_tie", [False, True])
@pytest.mark.parametrize("number", [0, 1])
def test_hosting_capacity_holds_and_a_little_more_fails(*, has_second_tie: bool, number: int) -> None:
    net = second_tie_net() if has_second_tie else two_feeders_net()
    example = example_of(net, (0.5, 0.9, 0.7))
    limit = limits(vm_min_pu=0.9)
    feeder = run_hourly_n_minus_1(example.network, example.loads, households=example.households, limits=limit)[number]
    own = {k: f for k, f in faults_of_two_feeders((6, 7) if has_second_tie else (6,)).items() if f.feeder == number}
    buses = ((2, 10, 4), (7, 8, 9))[number]

    assert feeder.hosting_kw > 100.0
    at, beyond = (
        brute_force(net, own, with_added(example.loads, buses, factor * feeder.hosting_kw), limit)
        for factor in (1.0, 1.01)
    )
    assert not any(fails.any() for fails in at.values())
    assert beyond[feeder.hosting_outage_id].any()
    assert feeder.hosting_households == int(feeder.hosting_kw / usual_heat_pump_kw())


def test_no_room_where_n_minus_1_fails_already() -> None:
    for feeder in studied(vm_min_pu=0.95)[2]:
        assert feeder.failing_hours > 0
        assert feeder.hosting_kw == feeder.hosting_households == 0
        assert feeder.hosting_outage_id


def lateral_net() -> pp.pandapowerNet:
    """The two feeders with a lateral of its own switch at bus 2, which nothing supplies when bus 2 is faulted."""
    net = two_feeders_net()
    line = add_line(net, 2, pp.create_bus(net, 10.0), 1.0)
    pp.create_switch(net, 2, line, "l", closed=True, type="LBS", name="lateral")
    net.switch["remote"] = net.switch["type"] == "CB"
    pp.create_load(net, 11, 0.3, 0.075)
    net.name = "two feeders and a lateral"
    return net


FAULTS_WITH_LATERAL = {
    "feeder:0-outlet": Fault(0, (0,), (), (1, 2, 6, 7)),
    "line:0": Fault(0, (0, 1, 7), (2,), (2, 6)),
    "line:1": Fault(0, (1, 2), (3, 10), (6,)),
    "line:2": Fault(0, (2,), (4,), ()),
    "line:7": Fault(0, (7,), (11,), ()),
}


def test_the_capacity_of_outages_that_have_a_way_against_brute_force() -> None:
    net, limit = lateral_net(), limits(vm_min_pu=0.9)
    example = example_of(net, (0.5, 0.9, 0.7))
    homes = example.households.copy()
    homes[11] = 20
    given = {"households": homes, "limits": limit}
    feeder, other = run_hourly_n_minus_1(example.network, example.loads, **given)

    # Nothing supplies the lateral while bus 2 is faulted, so there is no room over all outages.
    assert switchings(net, FAULTS_WITH_LATERAL["line:0"]) == []
    assert (feeder.hosting_kw, feeder.hosting_outage_id, feeder.outages_without_way) == (0.0, "line:0", 1)
    assert feeder.hosting_with_way_kw > 100.0
    assert feeder.hosting_with_way_households == int(feeder.hosting_with_way_kw / usual_heat_pump_kw())
    own = {name: fault for name, fault in FAULTS_WITH_LATERAL.items() if name != "line:0"}
    share = np.where(np.isin(np.arange(len(homes)), (2, 10, 4, 11)), homes, 0) / 170.0
    at, beyond = (
        brute_force(
            net,
            own,
            replace(
                example.loads,
                p_mw=example.loads.p_mw + share * factor * feeder.hosting_with_way_kw / 1000.0,
                q_mvar=example.loads.q_mvar + heating_tan_phi() * share * factor * feeder.hosting_with_way_kw / 1000.0,
            ),
            limit,
        )
        for factor in (1.0, 1.01)
    )
    assert not any(fails.any() for fails in at.values())
    assert beyond[feeder.hosting_with_way_outage_id].any()
    # All outages of the other feeder have a way: both capacities are one.
    assert other.outages_without_way == 0
    assert other.hosting_kw > 0.0
    assert (other.hosting_with_way_kw, other.hosting_with_way_outage_id) == (other.hosting_kw, other.hosting_outage_id)


def test_outages_without_a_way_may_as_well_not_have_been_named() -> None:
    example = example_of(lateral_net(), (0.5, 0.9, 0.7))
    given = {"households": example.households, "limits": limits(vm_min_pu=0.9)}
    state = normal_state(example.network, example.loads, limits(vm_min_pu=0.9))
    named = contingencies_of(example.network, state.sections, state.tree)

    whole = run_hourly_n_minus_1(example.network, example.loads, contingencies=named, **given)[0]
    some = tuple(c for c in named if c.outage_id != "line:0")
    without = run_hourly_n_minus_1(example.network, example.loads, contingencies=some, **given)[0]
    lost = tuple(c for c in named if c.outage_id == "line:0")
    only = run_hourly_n_minus_1(example.network, example.loads, contingencies=lost, **given)[0]

    assert whole.hosting_with_way_kw == without.hosting_kw == without.hosting_with_way_kw > 0.0
    assert whole.hosting_with_way_outage_id == without.hosting_outage_id
    assert (without.outages_without_way, only.outages_without_way) == (0, 1)
    assert (only.hosting_with_way_kw, only.hosting_with_way_households, only.hosting_with_way_outage_id) == (0.0, 0, "")


def test_the_capacity_with_a_way_is_never_less(tmp_path: Path) -> None:
    net = hand_drawn_net(mains=2, ideal=False, max_i_ka=dict.fromkeys(range(5), 0.14), kva=(400.0,) * 5)
    grid = hand_drawn_county(tmp_path, net)
    for scale in (0.5, 1.0, 2.0):
        loads = county_loads(len(net.bus), scale)
        for feeder in hourly_n_minus_1(grid, loads, limits=limits(vm_min_pu=0.9)):
            assert feeder.hosting_with_way_kw >= feeder.hosting_kw
            if all(outage.failing_hours == 0 for outage in feeder.by_outage if outage.ways):
                assert feeder.hosting_with_way_kw > 0.0
            else:
                assert feeder.hosting_with_way_kw == 0.0


def county_loads(n_bus: int, scale: float = 1.0) -> FactoredLoads:
    weight = np.zeros((n_bus, 2))
    weight[6:11, 0] = np.array([0.5, 0.9, 0.4, 0.8, 0.6]) * scale
    weight[6:11, 1] = np.array([0.3, 0.1, 0.2, 0.9, 0.2]) * scale
    rng = np.random.default_rng(7)
    return FactoredLoads(
        p_weight_mw=weight, q_weight_mvar=0.25 * weight, profile=rng.uniform(0.2, 1.0, (20, 2)),
        duration_h=rng.uniform(0.25, 1.0, 20),
    )  # fmt: skip


def test_a_hand_drawn_county_against_brute_force(tmp_path: Path) -> None:
    ratings = {line: 0.14 for line in range(5)}
    net = hand_drawn_net(mains=2, ideal=False, max_i_ka=ratings, kva=(400.0,) * 5)
    net.ext_grid["vm_pu"] = 1.05
    grid = hand_drawn_county(tmp_path, net)
    loads, limit = county_loads(len(net.bus)), limits(vm_min_pu=0.9)
    feeders = hourly_n_minus_1(grid, loads, limits=limit, household_kw=2.0)
    net.load["p_mw"] = 1.0  # says where loads stand
    fails = brute_force(net, FAULTS_OF_COUNTY, loads.cases(), limit)

    assert 0 < sum(some.sum() for some in fails.values()) < 6 * 20
    assert [feeder.feeder_id for feeder in feeders] == list(FEEDERS)
    for feeder in feeders:
        assert not feeder.is_required
        for outage in feeder.by_outage:
            assert outage.failing_hours == pytest.approx(fails[outage.outage_id] @ loads.duration_h)
    small = county_loads(len(net.bus), 0.5)
    for number, feeder in enumerate(hourly_n_minus_1(grid, small, limits=limit, household_kw=2.0)):
        own = {name: fault for name, fault in FAULTS_OF_COUNTY.items() if fault.feeder == number}
        assert feeder.hosting_kw > 10.0
        assert feeder.hosting_households == int(feeder.hosting_kw / 2.0)
        for factor, expected in ((1.0, False), (1.01, True)):
            add_mw: FloatArray = np.zeros(len(net.bus))
            add_mw[[[6, 7, 8], [9, 10]][number]] = factor * feeder.hosting_kw / 1000.0 / (3, 2)[number]
            cases = small.cases()
            more = replace(cases, p_mw=cases.p_mw + add_mw, q_mvar=cases.q_mvar + heating_tan_phi() * add_mw)
            assert any(some.any() for some in brute_force(net, own, more, limit).values()) == expected


def test_more_load_never_lowers_the_failing_hours(tmp_path: Path) -> None:
    net = hand_drawn_net(mains=2, ideal=False, kva=(400.0,) * 5)
    grid = hand_drawn_county(tmp_path, net)
    before: list[float] = []
    for scale in (0.3, 0.6, 1.0, 1.5, 2.5):
        feeders = hourly_n_minus_1(grid, county_loads(len(net.bus), scale), limits=limits(vm_min_pu=0.9))
        now = [outage.failing_hours for feeder in feeders for outage in feeder.by_outage]
        assert not before or all(a <= b for a, b in zip(before, now, strict=True))
        before = now
    assert max(before) > 0


@pytest.mark.parametrize("has_tie", [True, False])
def test_without_limits_only_outages_without_a_tie_fail(*, has_tie: bool) -> None:
    example = example_of(two_feeders_net(has_tie=has_tie), (0.5, 1.0))
    feeders = run_hourly_n_minus_1(
        example.network, example.loads, households=example.households, limits=limits(1e12, 1e-9)
    )
    for outage in (o for feeder in feeders for o in feeder.by_outage):
        has_dark = outage.outage_id not in {"line:2", "line:5"}
        expected = 0.0 if has_tie or not has_dark else 2.0
        assert outage.failing_hours == expected
        assert (outage.ways == 0) == (expected > 0)
        assert outage.transfer_ratio_min == (0.0 if expected else 1.0)


def test_blocks_of_steps_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    example = example_of(two_feeders_net(), COURSE)
    whole = run_hourly_n_minus_1(example.network, example.loads, households=example.households, limits=limits())
    monkeypatch.setattr(hourly, "STEPS_AT_A_TIME", 3)
    parts = run_hourly_n_minus_1(
        example.network, example.loads, households=example.households, limits=limits(), settings=(None, 12, 2)
    )
    assert parts == whole


def chain() -> DarkGraph:
    """Three dark sections in a row with ties to supply at both ends."""
    links = [
        Link(a=a, b=b, edges=(i,), tie=tie, root=root, n_operation=1, n_manual=0)
        for i, (a, b, tie, root) in enumerate([(0, 1, -1, -1), (1, 2, -1, -1), (0, LIVE, 0, 7), (2, LIVE, 1, 8)])
    ]
    return DarkGraph(
        section=np.arange(3), households=np.ones(3, dtype=np.int64), load_kw=np.ones(3), links=tuple(links)
    )


def test_single_ties_come_before_islands_that_are_split() -> None:
    graph = chain()
    found = full_ways(graph, 0b111)

    assert not found.has_more
    assert [len(way.roots) for way in found.ways] == [1, 1, 2, 2]
    assert {way.at for way in found.ways} == {(7, 7, 7), (8, 8, 8), (7, 8, 8), (7, 7, 8)}
    assert {way.at for way in whole_island_ways(graph)} == {(7, 7, 7), (8, 8, 8)}


def test_whole_islands_are_taken_alone_and_together() -> None:
    links = tuple(
        Link(a=a, b=LIVE, edges=(a,), tie=a, root=root, n_operation=1, n_manual=0) for a, root in enumerate((7, 8))
    )
    graph = DarkGraph(section=np.arange(2), households=np.ones(2, dtype=np.int64), load_kw=np.ones(2), links=links)

    assert [way.at for way in whole_island_ways(graph)] == [(7, LIVE), (LIVE, 8), (7, 8)]


def test_ways_beyond_the_number_wanted_are_told() -> None:
    found = full_ways(chain(), 0b111, most=3)

    assert found.has_more
    assert len(found.ways) == 3
    # Exactly as many as there are.
    assert not full_ways(chain(), 0b111, most=4).has_more


def test_secure_outages_of_a_county_never_fail() -> None:
    grid = read_county(YUANQU)
    loads = loads_from_pandapower(pp.from_json(str(YUANQU / "network.json")), grid.network)
    scale = np.array([[0.6], [1.3], [1.0]])
    cases = LoadCases(p_mw=scale * loads.p_mw, q_mvar=scale * loads.q_mvar)
    rows = {row.outage_id: row for row in county_n_minus_1(grid, cases) if row.outage_kind in ("section", "outlet")}
    outages = {o.outage_id: o for feeder in hourly_n_minus_1(grid, cases) for o in feeder.by_outage}

    assert set(rows) == set(outages)
    secure = {name for name, row in rows.items() if row.status == NMinus1Status.SECURE}
    assert 0 < len(secure) < len(rows)
    for name, outage in outages.items():
        assert (outage.failing_hours == 0.0) == (name in secure) or outage.has_more_ways


def test_what_does_not_fit_is_refused() -> None:
    example = example_of(two_feeders_net(), (1.0,))
    for settings in ((0.0, 12, 1), (1.0, 0, 1)):
        with pytest.raises(InputError, match="positive"):
            run_hourly_n_minus_1(example.network, example.loads, households=example.households, settings=settings)
    with pytest.raises(InputError, match="one column per bus"):
        run_hourly_n_minus_1(example.network, example.loads, households=example.households[1:])
    with pytest.raises(UnsupportedElementError):
        run_hourly_n_minus_1(
            example.network, replace(example.loads, z_share=np.ones(example.loads.n_bus)), households=example.households
        )
