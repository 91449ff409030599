"""Laws of sections, outages and restoration on random radial networks, against flood fill and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network.section_tree import section_tree, switched_network
from gridcheck.network.sections import has_switches, sections_of
from gridcheck.powerflow import solve
from tests.support.random_feeders import Node, RandomGrid, random_grid

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=40, deadline=None)
MAX_LOADING_PERCENT = DEFAULT_LIMITS.n_minus_1_loading_percent.value
MIN_VM_PU = DEFAULT_LIMITS.n_minus_1_vm_min_pu.value


def switched_grid(seed: int, *, lines_at_source: int | None = None) -> RandomGrid:
    grid = random_grid(seed, lines_at_source=lines_at_source)
    assume(len(grid.switch_bus) > 0)
    return grid


def rows_of(grid: RandomGrid) -> tuple[NMinus1Row, ...]:
    households = np.arange(grid.n_bus, dtype=np.int64)
    assume(grid.can_be_studied)
    return run_n_minus_1(grid.network(), grid.loads, households=households)


def faulted_nodes(grid: RandomGrid, row: NMinus1Row) -> frozenset[Node]:
    """Return the faulted section by flood fill from its first line."""
    if not row.faulted_lines:
        return frozenset()
    return frozenset(grid.flood([("line", row.faulted_lines[0])], through_closed=False))


def isolated_grid(grid: RandomGrid, row: NMinus1Row) -> RandomGrid:
    """Open every switch between the faulted section and the rest, or the outlet, by looking at the ends."""
    dead = faulted_nodes(grid, row)
    ends = enumerate(zip(grid.switch_bus, grid.switch_line, strict=True))
    if dead:
        return grid.with_switches({i: False for i, (bus, k) in ends if (("bus", bus) in dead) != (("line", k) in dead)})
    names = [f"feeder:{grid.switch_line[i]}-outlet" for i, closed in row.switch_states if not closed]
    outlet = [i for i, closed in row.switch_states if not closed][names.index(row.outage_id)]
    return grid.with_switches({outlet: False})


@FEW
@given(SEEDS)
def test_sections_are_what_a_flood_across_unswitched_ends_finds(seed: int) -> None:
    grid = switched_grid(seed)
    network = grid.network()
    sections = sections_of(network)

    for bus in range(grid.n_bus):
        together = grid.flood([("bus", bus)], through_closed=False)
        found = {("bus", int(i)) for i in np.flatnonzero(sections.bus_section == sections.bus_section[bus])}
        found |= {("line", int(k)) for k in np.flatnonzero(sections.branch_section == sections.bus_section[bus])}
        assert found == together
    assert has_switches(network)


@FEW
@given(SEEDS)
def test_each_switch_is_one_edge_and_the_tree_reaches_what_closed_switches_reach(seed: int) -> None:
    grid = switched_grid(seed)
    sections = sections_of(grid.network())
    tree = section_tree(sections)

    assert sorted(sections.switch_edge.tolist()) == list(range(len(grid.switch_bus)))
    for i, edge in enumerate(sections.switch_edge.tolist()):
        assert sections.edge_branch[edge] == grid.switch_line[i]
        assert sections.edge_bus_section[edge] == sections.bus_section[grid.switch_bus[i]]
        assert sections.edge_closed[edge] == grid.switch_closed[i]
    supplied = grid.supplied()
    for bus in range(grid.n_bus):
        assert tree.supplied[sections.bus_section[bus]] == (("bus", bus) in supplied)
    for s in tree.order.tolist():
        below = set(tree.subtree(s).tolist())
        assert below == {s} | {d for c in np.flatnonzero(tree.parent == s) for d in tree.subtree(int(c)).tolist()}


@FEW
@given(SEEDS, st.integers(0, 2**16 - 1))
def test_switching_a_network_equals_building_it_anew(seed: int, bits: int) -> None:
    grid = switched_grid(seed)
    network = grid.network()
    sections = sections_of(network)
    # Opening only: the network stays radial.
    states = {i: closed and bool(bits >> (i % 16) & 1) for i, closed in enumerate(grid.switch_closed)}
    closed = sections.edge_closed.copy()
    for i, state in states.items():
        closed[sections.switch_edge[i]] = state

    ours = solve(switched_network(network, sections, closed), grid.loads)
    anew = solve(grid.with_switches(states).network(), grid.loads)

    assert (ours.supplied == anew.supplied).all()
    np.testing.assert_allclose(ours.vm_pu, anew.vm_pu, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.loading_percent, anew.loading_percent, rtol=1e-9, atol=1e-9)


@FEW
@given(SEEDS)
def test_served_and_unserved_load_are_the_demand(seed: int) -> None:
    grid = switched_grid(seed)
    households = np.arange(grid.n_bus)
    for row in rows_of(grid):
        dead = faulted_nodes(grid, row)
        after = grid.with_switches(dict(row.switch_states)).supplied(dead=dead)
        off = np.array([("bus", i) not in after and ("bus", i) in grid.supplied() for i in range(grid.n_bus)])
        load_kw = 1000.0 * grid.loads.p_mw[row.peak_case]

        assert row.served_kw + row.unsupplied_kw == pytest.approx(row.demand_kw)
        assert row.unsupplied_kw == pytest.approx(load_kw[off].sum())
        assert row.unsupplied_households == households[off].sum()
        assert row.lost_kw - row.restored_kw <= row.unsupplied_kw + 1e-9
        assert 0.0 <= row.transfer_ratio <= 1.0
        if row.status == NMinus1Status.SECURE:
            faulted_kw = sum(load_kw[i] for kind, i in dead if kind == "bus")
            assert row.unsupplied_kw == pytest.approx(faulted_kw)
            assert row.refused_by == ()


@FEW
@given(SEEDS)
def test_after_restoration_no_loop_is_closed_and_nothing_touches_the_fault(seed: int) -> None:
    grid = switched_grid(seed)
    for row in rows_of(grid):
        after = grid.with_switches(dict(row.tried_switch_states))
        dead = faulted_nodes(grid, row)
        supplied = after.supplied()
        assert not dead & supplied or any(("bus", i) in dead for i in range(grid.n_source))
        lines = [k for kind, k in supplied if kind == "line"]
        at_ends = {k: [after.switch_at(k, bus) for bus in (grid.from_bus[k], grid.to_bus[k])] for k in lines}
        through = [k for k in lines if all(i is None or after.switch_closed[i] for i in at_ends[k])]
        n_bus = sum(kind == "bus" for kind, _ in supplied)
        assert len(through) == n_bus - grid.n_source


@FEW
@given(SEEDS)
def test_outage_then_restore_is_the_original(seed: int) -> None:
    grid = switched_grid(seed)
    network = grid.network()
    before = solve(network, grid.loads)
    sections = sections_of(network)
    for row in rows_of(grid):
        states = dict(row.switch_states)
        back = grid.with_switches(states).with_switches({i: grid.switch_closed[i] for i in states})
        closed = sections.edge_closed.copy()
        for i, state in states.items():
            closed[sections.switch_edge[i]] = state
        switched = switched_network(network, sections, closed)
        again = switched_network(switched, sections_of(switched), sections.edge_closed)

        assert back.switch_closed == grid.switch_closed
        result = solve(again, grid.loads)
        np.testing.assert_allclose(result.vm_pu, before.vm_pu, rtol=0, atol=1e-12)


def _value(grid: RandomGrid, island: set[Node]) -> float:
    """Return the margin of all that is connected to an island, in the worst of all cases."""
    result = solve(grid.network(), grid.loads, tolerance_pu=1e-10)
    together = grid.flood(sorted(island), through_closed=True)
    buses, lines = ([i for kind, i in sorted(together) if kind == wanted] for wanted in ("bus", "line"))
    if np.isnan(result.vm_pu[:, buses]).any():
        return -math.inf
    loading = np.nanmax(result.loading_percent[:, lines], initial=-math.inf)
    vm = result.vm_pu[:, buses].min()
    return float(min(1.0 - loading / MAX_LOADING_PERCENT, (vm - MIN_VM_PU) / (1.0 - MIN_VM_PU)))


def _islands(grid: RandomGrid, isolated: RandomGrid, dead: frozenset[Node]) -> list[set[Node]]:
    """Return the healthy parts that were supplied and are not any more, as far as they hold a bus."""
    lost = grid.supplied() - isolated.supplied(dead=dead) - dead
    result = []
    while lost:
        part = isolated.flood([min(lost)], through_closed=True, closed_to=dead)
        lost -= part
        if any(kind == "bus" for kind, _ in part):
            result.append(part)
    return result


def _ways(grid: RandomGrid, island: set[Node], live: set[Node], dead: frozenset[Node]) -> list[dict[int, bool]]:
    """Return the operations by which one normally open line connects an island to what is live."""
    result = []
    for k, ends in enumerate(zip(grid.from_bus, grid.to_bus, strict=True)):
        a, b = (("bus", bus) for bus in ends)
        at = [i for bus in ends if (i := grid.switch_at(k, bus)) is not None and not grid.switch_closed[i]]
        if at and ("line", k) not in dead and ((a in island and b in live) or (b in island and a in live)):
            result.append(dict.fromkeys(at, True))
    return result


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_tie_chosen_is_the_best_of_all_ties(seed: int) -> None:
    # One line per source: then everything that is supplied together takes part, and is judged.
    grid = switched_grid(seed, lines_at_source=1)
    for row in rows_of(grid):
        dead = faulted_nodes(grid, row)
        if any(("bus", s) in dead for s in range(grid.n_source)):
            continue
        isolated = isolated_grid(grid, row)
        islands = _islands(grid, isolated, dead)
        if len(islands) != 1:
            continue
        ways = _ways(grid, islands[0], isolated.supplied(dead=dead), dead)
        margins = [_value(isolated.with_switches(way), islands[0]) for way in ways]
        if not ways:
            assert row.status == NMinus1Status.UNSUPPLIED
        elif max(margins) == -math.inf:
            # Where one section of it alone has a load flow, the limit that it breaks is told.
            assert row.status in {NMinus1Status.NOT_CONVERGED, NMinus1Status.VIOLATED}
            is_beyond = row.tried.loading_percent > MAX_LOADING_PERCENT or row.tried.vm_pu < MIN_VM_PU
            assert is_beyond == (row.status == NMinus1Status.VIOLATED)
        elif max(margins) >= 0.0:
            # Of the ties that keep the limits those with the fewest operations, of these the one with most margin.
            assert row.restored_by
            assert row.unsupplied_kw == pytest.approx(row.demand_kw - row.served_kw)
            fewest = min(len(way) for way, margin in zip(ways, margins, strict=True) if margin >= 0.0)
            best = max(margin for way, margin in zip(ways, margins, strict=True) if len(way) == fewest)
            closed = {i: True for i, state in row.switch_states if state}
            assert margins[ways.index(closed)] == pytest.approx(best, abs=1e-7)
        elif row.refused_by:
            closed = {i: True for i, state in row.tried_switch_states if state}
            assert margins[ways.index(closed)] == pytest.approx(max(margins), abs=1e-7)


@FEW
@given(SEEDS)
def test_worst_values_are_those_of_all_cases_solved_one_by_one(seed: int) -> None:
    grid = switched_grid(seed)
    for row in rows_of(grid):
        if row.status == NMinus1Status.NOT_CONVERGED or row.tried.loading_case < 0:
            continue
        result = solve(grid.with_switches(dict(row.tried_switch_states)).network(), grid.loads, tolerance_pu=1e-10)
        by_case = result.loading_percent[:, row.tried.loading_id]
        assert row.tried.loading_percent == pytest.approx(by_case.max(), abs=1e-6)
        assert row.tried.loading_percent == pytest.approx(by_case[row.tried.loading_case], abs=1e-6)
        assert row.tried.vm_pu == pytest.approx(result.vm_pu[:, row.tried.vm_bus_id].min(), abs=1e-7)
