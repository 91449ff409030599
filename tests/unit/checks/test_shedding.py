"""Areas that are switched off so that a section more is supplied: every offer carried out again, load by load."""

import numpy as np
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.checks.shedding import MOST_AREAS
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network.records import BranchKind
from gridcheck.network.section_tree import switched_network
from gridcheck.network.sections import sections_of
from gridcheck.powerflow import CaseStatus, solve
from tests.support.random_feeders import random_grid


def offers(seed):
    """Outages of a random grid under limits close to its normal state, with what is offered on top."""
    grid = random_grid(seed)
    network, n_bus = grid.network(), grid.loads.n_bus
    normal = solve(network, grid.loads)
    if (normal.status != CaseStatus.CONVERGED).any():
        return None
    rng = np.random.default_rng(seed)
    limits = (
        float(np.nanmax(normal.loading_percent) * rng.uniform(1.02, 1.3)),
        float(min(np.nanmin(normal.vm_pu) - rng.uniform(0.0005, 0.01), 0.99)),
    )
    if not (limits[1] > 0.55 and 1.0 < limits[0] < 990.0):
        return None
    overrides = {"n_minus_1_loading_percent": (limits[0], "test"), "n_minus_1_vm_min_pu": (limits[1], "test")}
    homes = np.where(grid.loads.p_mw.any(axis=0), rng.integers(1, 40, n_bus), 0)
    rows = run_n_minus_1(network, grid.loads, households=homes, limits=with_overrides(DEFAULT_LIMITS, overrides))
    return network, grid.loads, homes, limits, rows


def state_of(network, row_states):
    """The network with some switches as given, by our switch ids."""
    sections = sections_of(network)
    edge = dict(zip(network.switches.switch_id.tolist(), sections.switch_edge.tolist(), strict=True))
    couplers = {
        int(network.branches.branch_id[network_branch]): e
        for e, network_branch in enumerate(sections.edge_branch.tolist())
        if network.branches.kind[network_branch] == BranchKind.SWITCH
    }
    closed = sections.edge_closed.copy()
    for switch_id, is_closed in row_states:
        closed[edge.get(switch_id, couplers.get(switch_id))] = is_closed
    return switched_network(network, sections, closed)


def solved(network, loads, off):
    p_mw, q_mvar = loads.p_mw.copy(), loads.q_mvar.copy()
    p_mw[:, off] = q_mvar[:, off] = 0.0
    return solve(network, LoadCases(p_mw=p_mw, q_mvar=q_mvar), tolerance_pu=1e-10)


def test_what_is_offered_keeps_the_limits_and_sheds_nothing_needlessly():
    n_offer = 0
    for seed in range(150):
        found = offers(seed)
        if found is None:
            continue
        network, loads, homes, limits, rows = found
        for row in rows:
            part = row.partial
            assert part is None or str(row.status) in ("VIOLATED", "UNSUPPLIED", "NOT_CONVERGED")
            if part is None:
                continue
            n_offer += 1
            off = np.flatnonzero(np.isin(network.bus_id, part.bus_id))
            assert 1 <= len(off) <= MOST_AREAS
            before, after = (state_of(network, states) for states in (row.switch_states, part.switch_states))
            dead = np.isin(network.branches.branch_id, row.faulted_lines) & (network.branches.kind == BranchKind.LINE)
            was_on, result = solve(before, loads).supplied, solved(after, loads, off)
            sections = sections_of(network)
            faulted = (
                np.isin(sections.bus_section, sections.branch_section[dead])
                if dead.any()
                else np.zeros(len(homes), bool)
            )
            # A source in the faulted section is off in the field; here it stays, and supplies nothing but the fault.
            assert not result.supplied[faulted].any() or faulted[network.slack_bus].any()
            assert (result.status == CaseStatus.CONVERGED).all()
            # What is gained, home by home and kilowatt by kilowatt.
            gained = np.flatnonzero(result.supplied & ~was_on & ~np.isin(np.arange(len(homes)), off))
            assert part.households == homes[gained].sum() > 0
            assert part.load_kw == pytest.approx(1000.0 * loads.p_mw[row.peak_case, gained].sum())
            assert not (was_on & ~result.supplied).any()
            assert result.supplied[off].all()
            assert np.nanmin(result.vm_pu) >= limits[1] - 1e-8
            assert np.nanmax(result.loading_percent) <= limits[0] * (1.0 + 1e-8)
            # Any of them that is switched on after all breaks a limit.
            if len(off) > 1:
                for i in range(len(off)):
                    again = solved(after, loads, np.delete(off, i))
                    broken = (again.status != CaseStatus.CONVERGED).any() or not (
                        np.nanmin(again.vm_pu) >= limits[1] and np.nanmax(again.loading_percent) <= limits[0]
                    )
                    assert broken
    assert n_offer >= 10


def test_a_secure_outage_offers_nothing():
    for seed in range(20):
        found = offers(seed)
        if found is not None:
            assert all(row.partial is None for row in found[4] if str(row.status) == "SECURE")
