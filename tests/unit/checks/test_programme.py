"""Restoration as a mixed-integer programme: the same answers as the search and as plain trial of all switch states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandapower.networks as pn
import pytest

from gridcheck.checks import restoration
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.outages import Contingency
from gridcheck.checks.programme import leaves, way_of
from gridcheck.checks.records import NMinus1Row
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from tests.support.restoration_grids import best_by_trial
from tests.support.restored import Loss, random_loss
from tests.support.two_feeders import example_of

# Grids of which some leave load dark, share it out between several ties, or have the lost line at the source.
SEEDS = (0, 1, 3, 5, 7, 9, 11, 14, 16, 17, 18, 20, 25)


def loss_of(seed: int, *, by_line: bool = False) -> Loss:
    loss = random_loss(seed, by_line=by_line)
    assert loss is not None
    return loss


@pytest.mark.parametrize("by_line", [False, True], ids=["switches", "by line"])
@pytest.mark.parametrize("seed", SEEDS)
def test_search_and_programme_find_what_trial_of_all_states_finds(seed: int, by_line: bool) -> None:  # noqa: FBT001
    loss = loss_of(seed, by_line=by_line)
    best = best_by_trial(loss.grid, loss.line, loss.load_kw, loss.limits)

    searched, programmed = loss.restored().found, loss.restored(evaluations=1).found

    assert (searched.method, programmed.method) == ("enumeration", "programme")
    for found in (searched, programmed):
        assert found.is_proved
        assert found.rank == pytest.approx(best, abs=1e-5)
        assert found.bound == found.rank[:2]
        assert found.margin >= 0.0


def test_the_drawn_grids_are_not_all_alike() -> None:
    ranks = [loss_of(seed, by_line=by_line).restored().found.rank for seed in SEEDS for by_line in (False, True)]

    assert any(rank[1] > 0.0 for rank in ranks)
    assert any(rank[:2] == (0, 0.0) and rank[2] > 1 for rank in ranks)
    assert any(rank[2] == 1 for rank in ranks)


def test_a_small_budget_leads_to_the_programme_and_the_same_answer() -> None:
    loss = loss_of(9, by_line=True)

    searched, programmed = loss.restored(), loss.restored(evaluations=5)

    assert searched.found.n_judged > 5
    assert (searched.found.method, programmed.found.method) == ("enumeration", "programme")
    assert programmed.found.rank == pytest.approx(searched.found.rank)
    assert programmed.status == searched.status
    assert programmed.worst.is_within_limits


@pytest.mark.parametrize("seed", SEEDS)
def test_without_effort_the_answer_keeps_the_limits_and_the_bound_holds(seed: int) -> None:
    loss = loss_of(seed)

    best, hurried = loss.restored().found, loss.restored(evaluations=1, effort=0)

    assert not hurried.found.is_proved
    assert hurried.found.bound <= best.rank[:2] <= hurried.found.rank[:2]
    closed = hurried.done.closed
    states = tuple(bool(closed[np.flatnonzero(loss.state.sections.edge_branch == k)].all()) for k in range(loss.n_line))
    loading, vm = replace(loss.grid, closed=states).margins()
    assert loading <= loss.limits[0]
    assert vm >= loss.limits[1]


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_more_effort_is_never_worse_and_ends_alike_every_time(seed: int) -> None:
    loss = loss_of(seed)
    best = loss.restored().found.rank

    found = [loss.restored(evaluations=1, effort=effort).found for effort in (0, 300, 300, 10**6)]

    assert found[1] == found[2]
    assert [one.bound <= best[:2] <= one.rank[:2] for one in found] == [True] * 4
    assert found[3].is_proved
    assert found[3].rank == pytest.approx(best)


@pytest.mark.parametrize("after", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("seed", SEEDS)
def test_loads_after_an_outage_are_those_of_the_programme(seed: int, after: float) -> None:
    loss = random_loss(seed, by_line=False, after=after)
    assert loss is not None

    searched, programmed = loss.restored().found, loss.restored(evaluations=1).found

    assert searched.is_proved
    assert programmed.is_proved
    assert programmed.rank == pytest.approx(searched.rank)


def _row(monkeypatch: pytest.MonkeyPatch, line: int, evaluations: int) -> NMinus1Row:
    """Lose a line of the 33 buses of Baran and Wu."""
    monkeypatch.setitem(restoration.restore.__kwdefaults__, "evaluations", evaluations)
    monkeypatch.setitem(restoration.restore.__kwdefaults__, "effort", 10**7)
    example = example_of(pn.case33bw(), (1.0, 0.6))
    limits = with_overrides(DEFAULT_LIMITS, {"n_minus_1_vm_min_pu": (0.9, "test")})
    section = 33 + line
    contingency = Contingency(outage_id=f"line:{line}", outage_kind="section", section=section)
    (row,) = run_n_minus_1(
        example.network, example.loads, households=example.households, limits=limits, contingencies=[contingency]
    )
    assert row.faulted_lines == (line,)
    return row


@pytest.mark.parametrize("line", [2, 28])
def test_a_published_network_is_restored_alike(monkeypatch: pytest.MonkeyPatch, line: int) -> None:
    searched = _row(monkeypatch, line, 10**6)
    programmed = _row(monkeypatch, line, 1)

    assert (searched.method, programmed.method) == ("enumeration", "programme")
    assert searched.is_proved
    assert programmed.is_proved
    assert programmed.untransferred_households == searched.untransferred_households
    assert programmed.unsupplied_kw == pytest.approx(searched.unsupplied_kw)
    assert len(programmed.line_states) == len(searched.line_states)


def test_where_load_feeds_in_the_best_way_of_the_search_stays() -> None:
    loss = loss_of(9, by_line=True)
    feeding = replace(loss, state=replace(loss.state, is_consuming=False))

    found = feeding.restored(evaluations=5).found

    assert (found.method, found.is_proved) == ("enumeration", False)
    assert found.bound <= found.rank[:2]
    assert found.margin >= 0.0


def test_leaves_are_what_hangs_last() -> None:
    loss = loss_of(9)  # a chain of dark sections 0 - 1 - 2 - 3 - 4 - 5 with ties at 5, 3, 2 and 2
    joined = 1 << 5 | 1 << 4 | 1 << 3 | 1 << 6

    assert [(link.a, link.b) for link in loss.graph.links[:7]] == [
        (0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, -1), (3, -1),
    ]  # fmt: skip
    assert leaves(loss.graph, joined & ~(1 << 6)) == {3: 3}
    way = way_of(loss.graph, joined & ~(1 << 6))
    assert (way.served, way.joined) == (0b111000, joined & ~(1 << 6))
    assert way.opened == (1 << len(loss.graph.links)) - 1 - way.joined
    # The second tie would close a loop.
    assert way_of(loss.graph, joined).joined.bit_count() == 3
