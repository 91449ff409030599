"""Many switch states of one network, one after the other in compiled code. No gridcheck types.

An *entry* is one end of a branch as its bus sees it; the entries of a bus stand one behind the other. From the ends
that are connected the walk makes the arrays of `balanced.sweep`, depth first from the sources; the sweep solves one
block of cases, and what is asked for is read while the voltages are still in the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.balanced import sweep_softened
from gridcheck.powerflow._kernels.layout import CONVERGED, LOOP, NOT_CONVERGED
from gridcheck.powerflow._kernels.options import KERNEL, PART

# Both ends of a branch are connected.
_THROUGH = 3
# Columns of `entry`: the branch, the bus at its other end, the entry there, the bit of this end.
_BRANCH, _BUS, _TWIN, _BIT = 0, 1, 2, 3
# Columns of `value`: a, r, x seen from this end; shunt of a branch that carries, and of one that hangs open at its
# other end; what turns the current at this end into percent.
_A, _R, _X, _G, _B, _G_OPEN, _B_OPEN, _PERCENT = 0, 1, 2, 3, 4, 5, 6, 7
# Columns of `bus_pu`: shunt, and voltage where there is a source.
_G_BUS, _B_BUS, _V_SOURCE = 0, 1, 2
# Rules of judgement: nothing counts; own elements count; others too that keep their limit no more.
_OWN, _KEPT = 1, 2


@njit(**KERNEL)
def _walk(
    ends: Any, marked: Any, root: int, first: Any, entry: Any, value: Any, bus_pu: Any, source: Any, load_row: Any,
    seen: Any, stamp: int, todo: Any, node: Any, parent: Any, branch: Any, branch_rough: Any, load: Any, start: Any,
) -> int:  # fmt: skip
    """Write the tree of one switch state; return the number of its nodes, negative where a loop is closed."""
    n = 0
    is_loop = False
    for m in range(source.shape[0]):
        seen[source[m]] = stamp
    for m in range(1 if root >= 0 else source.shape[0]):
        todo[0, 0] = -1
        depth = 1
        while depth > 0:
            depth -= 1
            e = todo[depth, 0]
            i = n
            n += 1
            back = -1
            if e < 0:
                bus = entry[entry[root, _TWIN], _BUS] if root >= 0 else source[m]
                parent[i] = -1
                branch[i, 0] = bus_pu[bus, _V_SOURCE]
                branch[i, 1] = 0.0
                branch[i, 2] = 0.0
                start[i] = bus_pu[bus, _V_SOURCE]
            else:
                bus = entry[e, _BUS]
                back = entry[e, _TWIN]
                parent[i] = todo[depth, 1]
                branch[i, 0] = value[e, _A]
                branch[i, 1] = value[e, _R]
                branch[i, 2] = value[e, _X]
                start[i] = start[parent[i]] * value[e, _A]
            node[i, 0] = bus
            node[i, 1] = e
            load[i] = load_row[bus, 1] if marked[bus] else load_row[bus, 0]
            g = bus_pu[bus, _G_BUS]
            b = bus_pu[bus, _B_BUS]
            for f in range(first[bus], first[bus + 1]):
                if e < 0 and root >= 0 and f != root:
                    continue
                state = ends[entry[f, _BRANCH]]
                if state == _THROUGH:
                    g += value[f, _G]
                    b += value[f, _B]
                    if f == back:
                        continue
                    other = entry[f, _BUS]
                    if seen[other] == stamp:
                        is_loop = True
                    else:
                        seen[other] = stamp
                        todo[depth, 0] = f
                        todo[depth, 1] = i
                        depth += 1
                elif state == entry[f, _BIT]:
                    g += value[f, _G_OPEN]
                    b += value[f, _B_OPEN]
            branch[i, 3] = g
            branch[i, 4] = b
    for i in range(n):
        if parent[i] < 0:
            parent[i] = n
        for part in range(5):
            branch_rough[i, part] = branch[i, part]
    return -n if is_loop else n


@njit(**KERNEL)
def _begin(n: int, node: Any, start: Any, usual: Any, state: Any, width: int) -> None:
    """Start from the usual voltages of each bus, from those without load where there are none."""
    for i in range(n):
        w = state[i]
        v = usual[node[i, 0]]
        for t in range(width):
            is_known = v[t] == v[t]
            w[t] = v[t] if is_known else start[i]
            w[width + t] = v[width + t] if is_known else 0.0


@njit(**PART)
def _note(
    found: Any, lanes: int, bound: float, element: int, first: int, best: Any, place: Any, column: int, by_case: Any
) -> None:
    """Keep the lowest of `found` that lie below `bound`; of equal ones the lowest element, then the first case."""
    least = best[column]
    hits = 0
    for t in range(lanes):
        hits += 1 if found[t] <= least else 0
    if hits > 0:
        for t in range(lanes):
            v = found[t]
            if v < bound and (v < least or (v == least and element < place[2 * column])):
                least = v
                best[column] = v
                place[2 * column] = element
                place[2 * column + 1] = first + t
    if by_case.shape[0] > 0:
        for t in range(lanes):
            if found[t] < bound and found[t] < by_case[first + t]:
                by_case[first + t] = found[t]


@njit(**PART)
def _bound(rule: Any, mine: Any, limit: float) -> float:
    """Return below which value an element counts: any for own ones, below the limit for others that kept it."""
    if rule[1] < _OWN:
        return -np.inf
    if rule[0] < 0 or mine[rule[0]]:
        return np.inf
    return limit if rule[1] == _KEPT else -np.inf


@njit(**PART)
def _read_voltages(
    n: int, node: Any, state: Any, rule: Any, mine: Any, limit: float, lanes: int, width: int, first: int, found: Any,
    best: Any, place: Any, by_case: Any,
) -> None:  # fmt: skip
    """Keep the lowest voltage of one block."""
    for i in range(n):
        bus = node[i, 0]
        bound = _bound(rule[bus], mine, limit)
        if bound == -np.inf:
            continue
        w = state[i]
        for t in range(width):
            found[t] = np.sqrt(w[t] * w[t] + w[width + t] * w[width + t])
        _note(found, lanes, bound, bus, first, best, place, 0, by_case)


@njit(**PART)
def _read_sources(
    source: Any, bus_pu: Any, rule: Any, mine: Any, limit: float, lanes: int, first: int, found: Any, best: Any,
    place: Any, by_case: Any,
) -> None:  # fmt: skip
    """Keep the voltages of the sources, which stand whatever is switched."""
    for m in range(source.shape[0]):
        bus = source[m]
        for t in range(lanes):
            found[t] = bus_pu[bus, _V_SOURCE]
        _note(found, lanes, _bound(rule[bus], mine, limit), bus, first, best, place, 0, by_case)


@njit(**PART)
def _read_currents(
    n: int, node: Any, parent: Any, entry: Any, value: Any, state: Any, rule: Any, mine: Any, limit: float, scale: Any,
    lanes: int, width: int, first: int, found: Any, best: Any, place: Any, by_case: Any,
) -> None:  # fmt: skip
    """Keep the highest loading of one block, with its sign turned; the ends as in `reading.branch_currents`."""
    for i in range(n):
        e = node[i, 1]
        if e < 0:
            continue
        k = entry[e, _BRANCH]
        bound = _bound(rule[k], mine, -limit)
        if bound == -np.inf:
            continue
        near, far = value[e], value[entry[e, _TWIN]]
        a, g_near, b_near, near_scale = near[_A], near[_G], near[_B], near[_PERCENT]
        g_far, b_far, far_scale = far[_G], far[_B], far[_PERCENT]
        w = state[i]
        w_up = state[parent[i]]
        for t in range(width):
            nr = a * w[2 * width + t] + g_near * w_up[t] - b_near * w_up[width + t]
            ni = a * w[3 * width + t] + g_near * w_up[width + t] + b_near * w_up[t]
            fr = w[2 * width + t] - g_far * w[t] + b_far * w[width + t]
            fi = w[3 * width + t] - g_far * w[width + t] - b_far * w[t]
            at_near = near_scale * np.sqrt(nr * nr + ni * ni)
            at_far = far_scale * np.sqrt(fr * fr + fi * fi)
            found[t] = at_far if at_far > at_near else at_near
        for t in range(lanes):
            found[t] = -(found[t] * scale[first + t])
        _note(found, lanes, bound, k, first, best, place, 1, by_case)


@njit(**PART)
def _read(
    n: int, root: int, source: Any, bus_pu: Any, node: Any, parent: Any, entry: Any, value: Any, state: Any,
    bus_rule: Any, branch_rule: Any, mine: Any, limits: Any, scale: Any, lanes: int, width: int, first: int,
    found: Any, best: Any, place: Any, vm_by_case: Any, loading_by_case: Any,
) -> None:  # fmt: skip
    """Keep the worst values of one block."""
    if root >= 0:
        _read_sources(source, bus_pu, bus_rule, mine, limits[0], lanes, first, found, best, place, vm_by_case)
    _read_voltages(n, node, state, bus_rule, mine, limits[0], lanes, width, first, found, best, place, vm_by_case)
    _read_currents(
        n, node, parent, entry, value, state, branch_rule, mine, limits[1], scale, lanes, width, first, found, best,
        place, loading_by_case,
    )  # fmt: skip


@njit(**KERNEL)
def _read_one(
    n: int, root: int, source: Any, bus_pu: Any, node: Any, parent: Any, entry: Any, value: Any, state: Any,
    bus_rule: Any, branch_rule: Any, mine: Any, limits: Any, scale: Any, first: int,
    found: Any, best: Any, place: Any, vm_by_case: Any, loading_by_case: Any,
) -> None:  # fmt: skip
    """Do what `_read` does for one lane, which the compiler then makes no loops of."""
    _read(
        n, root, source, bus_pu, node, parent, entry, value, state, bus_rule, branch_rule, mine, limits, scale,
        1, 1, first, found, best, place, vm_by_case, loading_by_case,
    )  # fmt: skip


@njit(**KERNEL)
def _read_block(
    n: int, root: int, source: Any, bus_pu: Any, node: Any, parent: Any, entry: Any, value: Any, state: Any,
    bus_rule: Any, branch_rule: Any, mine: Any, limits: Any, scale: Any, lanes: int, width: int, first: int,
    found: Any, best: Any, place: Any, vm_by_case: Any, loading_by_case: Any,
) -> None:  # fmt: skip
    """Do what `_read` does for many lanes."""
    _read(
        n, root, source, bus_pu, node, parent, entry, value, state, bus_rule, branch_rule, mine, limits, scale,
        lanes, width, first, found, best, place, vm_by_case, loading_by_case,
    )  # fmt: skip


@njit(**KERNEL)
def solve_states(
    topology: int, last: int, ends: Any, marked: Any, root: Any, first: Any, entry: Any, value: Any, bus_pu: Any,
    source: Any, load_row: Any, bus_rule: Any, branch_rule: Any, mine: Any, limits: Any, scale: Any, first_case: int,
    pq: Any, pq_rough: Any, usual: Any, seen: Any, stamp: int, todo: Any, node: Any, parent: Any, branch: Any,
    branch_rough: Any, load: Any, start: Any, rough: Any, state: Any, lane: Any, lane_rough: Any, lane_int: Any,
    status: Any, n_supplied: Any, best: Any, place: Any, vm_by_case: Any, loading_by_case: Any, tolerance: float,
    max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of cases in the switch states from `topology` to `last` (exclusive).

    Parameters
    ----------
    ends : (n_topology, n_branch) uint8
        Bit 0: the from end is connected; bit 1: the to end.
    marked : (n_topology, n_bus) or (1, n_bus) bool
        Buses that draw the second of their loads.
    root : (n_topology,) int64
        Entry, at a source, through which the tree begins; -1 for all that the sources reach.
    first : (n_bus + 1,) int64
        First entry of each bus.
    entry, value : (n_entry, 4), (n_entry, 8) int64, float64
        Columns as named above. [pu], [%]
    bus_pu : (n_bus, 3) float64
        Shunt without branches, and voltage of the source. [pu]
    source : (n_source,) int64
        Buses with a source.
    load_row : (n_bus, 2) int64
        Rows of `pq` of the first and the second load.
    bus_rule, branch_rule : (n_bus, 2), (n_branch, 2) int64
        Group, -1 for one that always counts; 0 not judged, 1 judged, 2 judged, and kept its limit before.
    mine : (n_topology, n_group) or (1, n_group) bool
        Groups whose elements all count.
    limits : (2,) float64
        Of voltage [pu] and loading [%], for elements of other groups.
    scale : (n_case,) float64
        Factor of all loadings.
    pq, pq_rough : (n_row, 2 width) float64, float32
        Loads of the block; the last row is zero. [pu]
    usual : (n_bus, 2 width) float64
        Voltages to start from, NaN where there are none; without rows to start without load. [pu]
    seen, stamp : (n_bus,) int64, and a number larger than all in it
        `last - topology` stamps are used up.
    todo, node, parent, branch, branch_rough, load, start : (n_bus, ...)
        Scratch for one tree.
    rough, state, lane, lane_rough, lane_int : float32, float64, float64, float32, int64
        (n_bus + 1, 4 width) twice, (7 width,), (4 width,), (2, width);
        Scratch of the sweep.
    status, n_supplied : (n_topology,) int64, updated and written
        A state that is not CONVERGED is left alone, unless values are wanted by case.
    best, place : (n_topology, 2), (n_topology, 4) float64, int64, updated
        Lowest voltage and minus highest loading; bus and case, branch and case.
    vm_by_case, loading_by_case : (n_topology, n_case) float64, updated
        The same by case; without columns where not wanted.
    """
    width = state.shape[1] // 4
    lanes = min(width, scale.shape[0] - first_case)
    found = lane[6 * width :]
    for s in range(topology, last):
        if status[s] == LOOP or (status[s] != CONVERGED and vm_by_case.shape[1] == 0):
            continue
        n = _walk(
            ends[s], marked[s if marked.shape[0] > 1 else 0], root[s], first, entry, value, bus_pu, source, load_row,
            seen, stamp + s - topology, todo, node, parent, branch, branch_rough, load, start,
        )  # fmt: skip
        n_supplied[s] = abs(n)
        if n < 0:
            status[s] = LOOP
            continue
        if usual.shape[0] > 0:
            _begin(n, node, start, usual, state, width)
        lane_int[:] = 0
        sweep_softened(
            parent[:n], branch[:n], branch_rough[:n], load[:n], start[:n], pq, pq_rough, rough, state[: n + 1],
            lane[: 6 * width], lane_rough, lane_int[0], lane_int[1], tolerance, max_iterations,
        )  # fmt: skip
        for t in range(lanes):
            if lane_int[0, t] != CONVERGED:
                status[s] = NOT_CONVERGED
        own = mine[s if mine.shape[0] > 1 else 0]
        if width == 1:
            _read_one(
                n, root[s], source, bus_pu, node, parent, entry, value, state, bus_rule, branch_rule, own, limits,
                scale, first_case, found, best[s], place[s], vm_by_case[s], loading_by_case[s],
            )  # fmt: skip
        else:
            _read_block(
                n, root[s], source, bus_pu, node, parent, entry, value, state, bus_rule, branch_rule, own, limits,
                scale, lanes, width, first_case, found, best[s], place[s], vm_by_case[s], loading_by_case[s],
            )  # fmt: skip
