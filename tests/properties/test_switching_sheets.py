"""Switching sheets of random networks, carried out step by step and looked at by flood fill after every step."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridcheck.checks.islands import LIVE, DarkGraph, Link
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.programme import way_of
from gridcheck.checks.records import NMinus1Row, StepKind
from gridcheck.checks.switching_sheet import switching_times
from gridcheck.network import network_from_tables
from tests.support.random_feeders import Node, RandomGrid, random_grid

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=40, deadline=None)


def rows_of(grid: RandomGrid) -> tuple[NMinus1Row, ...]:
    assume(grid.can_be_studied)
    return run_n_minus_1(grid.network(), grid.loads, households=np.arange(grid.n_bus, dtype=np.int64))


def faulted_nodes(grid: RandomGrid, row: NMinus1Row) -> frozenset[Node]:
    if not row.faulted_lines:
        return frozenset()
    return frozenset(grid.flood([("line", row.faulted_lines[0])], through_closed=False))


def assert_one_source_and_no_loop(grid: RandomGrid, sources: list[int]) -> set[Node]:
    """Look at what each source reaches; return all of it."""
    reached: set[Node] = set()
    for source in sources:
        nodes = grid.flood([("bus", source)], through_closed=True)
        assert [i for kind, i in nodes if kind == "bus" and i < grid.n_source] == [source]
        # A tree has one link less than nodes; links are the ends of lines that are firmly joined or closed.
        ends = 0
        for k in (i for kind, i in nodes if kind == "line"):
            for bus in (grid.from_bus[k], grid.to_bus[k]):
                switch = grid.switch_at(k, bus)
                ends += switch is None or grid.switch_closed[switch]
        assert ends == len(nodes) - 1
        reached |= nodes
    return reached


@FEW
@given(SEEDS)
def test_every_step_keeps_apart_what_must_be_apart_and_the_last_is_the_restoration(seed: int) -> None:
    grid = random_grid(seed)
    assume(len(grid.switch_bus) > 0)
    normal = grid.supplied()
    for row in rows_of(grid):
        dead, now, load_kw = faulted_nodes(grid, row), grid, 1000.0 * grid.loads.p_mw[row.peak_case]
        total_kw, blocked = row.demand_kw, set()
        feeder_on = row.served_kw
        for step in row.steps:
            states = dict.fromkeys(step.switch_ids, step.closes)
            if step.closes is not None:
                assert all(now.switch_closed[i] != state for i, state in states.items())
                now = now.with_switches(states)
            if step.kind in {StepKind.TRIP, StepKind.RECLOSE} and not step.switch_ids:
                # The protection of the source in whose tree the fault is.
                own = row.faulted_lines[0] if row.faulted_lines else _outlet_line(row)
                blocked = {_source_of(grid, own)} if step.kind == StepKind.TRIP else set()
            live = assert_one_source_and_no_loop(now, [s for s in range(grid.n_source) if s not in blocked])
            assert not dead & live
            off_kw = sum(load_kw[i] for kind, i in normal - live if kind == "bus")
            if not blocked:
                assert step.served_kw == pytest.approx(total_kw - off_kw, abs=1e-6)
            feeder_on = step.served_kw
        assert {i: s for i, s in enumerate(now.switch_closed) if s != grid.switch_closed[i]} == dict(row.switch_states)
        assert feeder_on == pytest.approx(row.served_kw, abs=1e-9)
        assert row.steps[-1].served_kw == row.served_kw
        if row.interrupted_kw <= row.demand_kw:
            assert row.steps[0].served_kw == pytest.approx(row.demand_kw - row.interrupted_kw, abs=1e-6)


def _outlet_line(row: NMinus1Row) -> int:
    return int(row.feeder_id.partition(":")[2])


def _source_of(grid: RandomGrid, line: int) -> int:
    return next(
        i for kind, i in grid.flood([("line", line)], through_closed=True) if kind == "bus" and i < grid.n_source
    )


@FEW
@given(SEEDS)
def test_steps_stand_in_their_order_and_their_times_add_up(seed: int) -> None:
    grid = random_grid(seed)
    assume(len(grid.switch_bus) > 0)
    order, times = list(StepKind), switching_times()
    for row in rows_of(grid):
        kinds = [order.index(step.kind) for step in row.steps]
        assert kinds == sorted(kinds)
        assert (row.steps[0].kind, row.steps[-1].kind) == (StepKind.TRIP, StepKind.REPAIR)
        assert Counter(step.kind for step in row.steps)[StepKind.TRIP] == 1
        for kind in (StepKind.ISOLATE, StepKind.PART):
            by_remote = [step.by_remote for step in row.steps if step.kind == kind]
            assert by_remote == sorted(by_remote, reverse=True)
        moved = [step for step in row.steps if step.kind not in {StepKind.TRIP, StepKind.REPAIR}]
        by_hand = sum(not step.by_remote for step in moved)
        expected = times.remote_minutes * (len(moved) - by_hand)
        if by_hand:
            expected += times.first_manual_minutes + times.further_manual_minutes * (by_hand - 1)
        assert row.steps[-1].elapsed_minutes == pytest.approx(expected)
        gains = [
            b.elapsed_minutes for a, b in itertools.pairwise(row.steps) if b.served_households > a.served_households
        ]
        assert row.restore_minutes >= max(gains, default=0.0)
        assert row.restore_minutes <= expected


@FEW
@given(SEEDS)
def test_networks_without_switches_are_operated_line_by_line(seed: int) -> None:
    grid = random_grid(seed)
    normally_on = [
        all(s is None or grid.switch_closed[s] for s in (grid.switch_at(k, a), grid.switch_at(k, b)))
        for k, (a, b) in enumerate(zip(grid.from_bus, grid.to_bus, strict=True))
    ]
    network = without_switches(grid, normally_on)
    assume(grid.can_be_studied)
    for row in run_n_minus_1(network, grid.loads, households=np.arange(grid.n_bus, dtype=np.int64)):
        now, is_blocked = list(normally_on), False
        for step in row.steps:
            assert step.switch_ids == ()
            for k in step.line_ids:
                assert now[k] != step.closes
                now[k] = bool(step.closes)
            if not step.line_ids and step.closes is not None:
                is_blocked = not step.closes
            assert is_forest_of_one_source_each(grid, now)
            # The faulted line is dead: the protection at the source is out until the line is.
            assert is_blocked or not any(now[k] for k in row.faulted_lines)
        assert {k: s for k, s in enumerate(now) if s != normally_on[k]} == dict(row.line_states)
        assert row.steps[-1].served_kw == pytest.approx(row.served_kw, abs=1e-9)


def without_switches(grid: RandomGrid, on: list[bool]):
    tables = {
        "bus": pd.DataFrame({"vn_kv": [10.0] * grid.n_bus}),
        "line": pd.DataFrame(
            {
                "from_bus": grid.from_bus, "to_bus": grid.to_bus, "length_km": grid.length_km, "r_ohm_per_km": 0.3,
                "x_ohm_per_km": 0.35, "c_nf_per_km": 10.0, "max_i_ka": grid.max_i_ka, "in_service": on,
            }
        ),
        "ext_grid": pd.DataFrame({"bus": range(grid.n_source), "vm_pu": [1.03] * grid.n_source}),
    }  # fmt: skip
    return network_from_tables(tables, name="random")


def is_forest_of_one_source_each(grid: RandomGrid, on: list[bool]) -> bool:
    """Say whether no line that is on joins what is joined already; sources count as joined to each other."""
    group = [0 if bus < grid.n_source else bus for bus in range(grid.n_bus)]
    for k in np.flatnonzero(on):
        a, b = group[grid.from_bus[k]], group[grid.to_bus[k]]
        if a == b:
            return False
        group = [a if g == b else g for g in group]
    return True


def test_a_way_that_is_built_from_links_leaves_no_closed_link_between_two_supplied_sections() -> None:
    # Two dark sections with a switch between them, and a tie to each: with both ties closed the switch is open.
    closed = Link(a=0, b=1, edges=(0,), tie=-1, root=-1, n_operation=1, n_manual=1)
    ties = [Link(a=i, b=LIVE, edges=(1 + i,), tie=i, root=5, n_operation=1, n_manual=1) for i in (0, 1)]
    graph = DarkGraph(section=np.array([3, 4]), households=np.array([1, 1]), load_kw=np.ones(2), links=(closed, *ties))

    for is_complete in (True, False):
        way = way_of(graph, 0b110, is_complete=is_complete)
        assert way.served == 0b11
        assert way.opened & 0b001
