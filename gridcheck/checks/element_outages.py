"""Every line, tie and transformer of one network lost in turn, by the ids of its file."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.judgement import normal_state
from gridcheck.checks.n_minus_1 import lose_each
from gridcheck.checks.normal_rules import require_load, require_outages
from gridcheck.checks.outages import line_contingencies, trafo_contingencies
from gridcheck.checks.records import NMinus1Row
from gridcheck.checks.tie_outages import tie_rows
from gridcheck.limits import DEFAULT_LIMITS, LimitSet
from gridcheck.network.records import BranchKind, Network


def lose_each_element(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    households: IntArray | None = None,
    limits: LimitSet = DEFAULT_LIMITS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NMinus1Row, ...]:
    """Lose every line, every tie and every transformer of a radial network.

    Parameters
    ----------
    network : Network
        Radial as normally switched. Without any switch, every line counts as switched at both ends and lines out of
        service as open ties. Ties between other vector groups are never closed; see `remarks`.
    loads : LoadCases or FactoredLoads
        All cases, buses in the order of ``network.bus_id``.
    households : ndarray of int, shape (n_bus,), optional
        Registered households at each bus; where there are none, the load counts.
    limits : LimitSet
        ``n_minus_1_loading_percent`` and ``n_minus_1_vm_min_pu`` are used.
    progress : callable, optional
        Called with outages done and outages in all.

    Returns
    -------
    tuple of NMinus1Row
        ``line:<id>`` in the order of the lines, those between the same switches with equal rows, normally open ones as
        ties; then ``trafo:<id>``. A transformer counts as switched at both ends, whatever the data say.

    Raises
    ------
    NetworkError
        As `run_n_minus_1`.
    InputError
        If nothing is drawn, or nothing can be lost.
    """
    homes = np.zeros(network.n_bus, dtype=np.int64) if households is None else households
    branches = network.branches
    require_load(network, loads)
    state = normal_state(network, loads, limits)
    trafos = np.flatnonzero((branches.kind == BranchKind.TRAFO) & branches.in_service)
    # Transformers that lines hang on part the network otherwise than those of single areas: hundreds of sections of one
    # area each would hide the few that switches really part.
    main = trafos[state.judged_branch[trafos]]
    groups = [some for some in (main, np.setdiff1d(trafos, main)) if len(some)]
    states = [normal_state(network, loads, limits, switched=some, like=state) for some in groups]
    lines = line_contingencies(network, state.sections, state.tree)
    one_of_each = {contingency.section: contingency for contingency in reversed(lines)}
    of_trafos = [trafo_contingencies(network, one.sections, one.tree) for one in states]
    n_trafo = sum(len(some) for some in of_trafos)
    require_outages(network, len(lines) + n_trafo)
    count, n_all = itertools.count(1), len(one_of_each) + n_trafo

    def done() -> None:
        if progress is not None:
            progress(next(count), n_all)

    studied = lose_each(state, loads, homes, tuple(one_of_each.values()), done=done)
    by_section = dict(zip(one_of_each, studied, strict=True))
    rows = [replace(by_section[c.section], outage_id=c.outage_id, outage_kind=c.outage_kind) for c in lines]
    listed = {row.outage_id for row in rows}
    rows += [row for row in tie_rows(state) if row.outage_id not in listed]
    found = [
        row
        for one, some in zip(states, of_trafos, strict=True)
        for row in lose_each(one, loads, homes, some, done=done)
    ]
    return (*sorted(rows, key=_number), *sorted(found, key=_number))


def _number(row: NMinus1Row) -> int:
    """Return the id of the lost element in the file."""
    return int(row.outage_id.partition(":")[2])
