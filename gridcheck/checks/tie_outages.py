"""Normally open ties lost: nobody's supply is interrupted, a reserve is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.checks.judgement import NormalState, judge
from gridcheck.checks.n_minus_1 import worst_values
from gridcheck.checks.outages import TIE
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.network.records import BranchKind


def tie_rows(state: NormalState, lines: BoolArray | None = None) -> tuple[NMinus1Row, ...]:
    """Return a row for each normally open line, by the ids of the network.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    lines : ndarray of bool, shape (n_branch,), optional
        Branches to look at; all where not given.

    Returns
    -------
    tuple of NMinus1Row
        ``line:<id>`` in the order of the ids. Nobody is off, so demand and supply are 0; the status and the worst
        values are those of the feeders on both sides as normally switched.
    """
    sections, branches = state.sections, state.network.branches
    sides: dict[int, tuple[int, int]] = {}
    for ties in (state.ties, state.unused_ties):
        for edge, *both in zip(ties.edge.tolist(), ties.section_a.tolist(), ties.section_b.tolist(), strict=True):
            k = int(sections.edge_branch[edge])
            if branches.kind[k] == BranchKind.LINE and (lines is None or lines[k]):
                sides[int(branches.branch_id[k])] = (min(both), max(both))
    by_pair = {pair: _without_outage(state, np.array(pair)) for pair in sorted(set(sides.values()))}
    return tuple(
        replace(by_pair[pair], outage_id=f"line:{i}", line_states=((i, False),), faulted_lines=(i,))
        for i, pair in sorted(sides.items())
    )


def _without_outage(state: NormalState, both: IntArray) -> NMinus1Row:
    """Return the row of an outage that changes nothing, seen from the feeders of two sections."""
    at = np.flatnonzero(np.isin(state.sections.bus_section, both))
    within = np.isin(state.source_branch, state.source_branch[at])
    normal = judge(state, state.sections.edge_closed, within, np.unique(state.tree.outlet_edge[both]))
    status = NMinus1Status.SECURE if normal.is_within_limits else NMinus1Status.VIOLATED
    worst = worst_values(state, normal)
    kinds = NMinus1Row.__annotations__
    empty: dict[str, Any] = {name: () if kind.startswith("tuple") else 0 for name, kind in kinds.items()}
    empty |= dict.fromkeys(("outage_id", "county_code", "feeder_id", "supply_class", "tripped_by"), "")
    empty |= {"outage_kind": TIE, "by_remote": True, "method": "none", "is_proved": True, "partial": None}
    empty |= {"status": status if normal.is_solved else NMinus1Status.NOT_CONVERGED, "transfer_ratio": 1.0}
    return NMinus1Row(**empty | {"worst": worst, "tried": worst})
