r"""The sweep over a radial network, many cases at a time. Arrays in, arrays out, no gridcheck types.

Buses are numbered depth first (`node`), so that a parent precedes its children and its row is still in
the cache when they are treated. Cases are cut into blocks of lanes, `BLOCK` of them or a few. The working
array of a block has one row per node: the real parts of its voltage in all lanes, the imaginary parts, and
the same of the current towards it; the last row stands above the sources. So one block is contiguous, every
inner loop has a fixed length, and few enough pointers meet in it that the compiler can prove them apart and
use vector instructions. Lanes behind the last case carry no load and are never read.

Every branch between a parent p and a child c is brought to one form, with all phase shifts moved into the
reference frame of the child, so that the ratio :math:`a` is real:

.. math::
    \text{(1)}\quad & I^{load}_c = \left(\frac{P_c + jQ_c}{V_c}\right)^* + (g_c + j b_c) V_c \\
    \text{(2)}\quad & J_c = I^{load}_c + \sum_{k \in children(c)} a_k J_k \\
    \text{(3)}\quad & V_c = a_c V_p - z_c J_c

(2) runs from the last node to the first; (3) and then (1) from the first to the last, so that a voltage is
still at hand when its load current is wanted and every row is read once per direction. The change of the
voltages shrinks by a nearly constant factor :math:`\rho` per iteration, so the remaining error is estimated as

.. math:: \text{(4)}\quad e_k = d_k \frac{\rho}{1 - \rho}, \qquad \rho = d_k / d_{k-1}

The first sweeps are made in single precision, which halves the memory that goes through the cache, until the
change falls below `ROUGH_PU`, but no more than `ROUGH_SWEEPS`; the last are made in double precision, and only their
changes count in (4). The factor of the first of them is the last one seen in single precision, and the next is taken
to be no smaller. What single precision cannot solve begins again in double precision without any of that. A start that
is given differs from the solution in one place perhaps, and then the first changes shrink faster than the error that is
left: the first two ratios are taken to be `STARTED_RHO` at least.

A case that has arrived is frozen: its voltages do not change while its neighbours in the block go on, and a
node without load is treated like one with a load of zero. So no result depends on which cases are computed
together.

References
----------
.. [1] D. Shirmohammadi et al., "A compensation-based power flow method for weakly meshed distribution and
   transmission networks", IEEE Transactions on Power Systems 3(2), 1988, equations 1 to 3.
   DOI 10.1109/59.192932
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.arrival import judge, judge_roughly
from gridcheck.powerflow._kernels.layout import BLOCK, COLLAPSE_VM_PU, CONVERGED, NOT_CONVERGED, STARTED_RHO
from gridcheck.powerflow._kernels.options import KERNEL, PART


@njit(**PART)
def _own_current(w: Any, s: Any, g: Any, b: Any, one: Any, width: int) -> None:
    """Equation (1) for one node: a node without load has a load of zero, so that all are rounded alike."""
    for t in range(width):
        inverse = one / (w[t] * w[t] + w[width + t] * w[width + t])
        real = s[t] * w[t] + s[width + t] * w[width + t]
        imaginary = s[t] * w[width + t] - s[width + t] * w[t]
        w[2 * width + t] = real * inverse + (g * w[t] - b * w[width + t])
        w[3 * width + t] = imaginary * inverse + (g * w[width + t] + b * w[t])


@njit(**PART)
def _gather(branch: Any, load: Any, pq: Any, state: Any, one: Any, width: int) -> None:
    """Equation (1) for every node of one block, at the voltages that stand in `state`."""
    for i in range(branch.shape[0]):
        _own_current(state[i], pq[load[i]], branch[i, 3], branch[i, 4], one, width)


@njit(**PART)
def _add_up(a: Any, w: Any, w_up: Any, lane: Any, width: int) -> None:
    """Equation (2) for one branch; by way of `lane`, so that no loop reads and writes rows that might be the same."""
    for t in range(2 * width):
        lane[t] = w_up[2 * width + t] + a * w[2 * width + t]
    for t in range(2 * width):
        w_up[2 * width + t] = lane[t]


@njit(**PART)
def _backward(parent: Any, branch: Any, state: Any, lane: Any, width: int) -> None:
    """Equation (2) for one block."""
    for i in range(parent.shape[0] - 1, -1, -1):
        _add_up(branch[i, 0], state[i], state[parent[i]], lane, width)


@njit(**PART)
def _forward(parent: Any, branch: Any, load: Any, pq: Any, state: Any, lane: Any, one: Any, width: int) -> None:
    """Equations (3) and (1) for one block; notes the largest change of a voltage in `lane`."""
    half = one / (one + one)
    for t in range(width):
        lane[2 * width + t] = one - one
    for i in range(parent.shape[0]):
        w = state[i]
        w_up = state[parent[i]]
        a = branch[i, 0]
        r = branch[i, 1]
        x = branch[i, 2]
        for t in range(width):
            lane[t] = a * w_up[t] - r * w[2 * width + t] + x * w[3 * width + t]
            lane[width + t] = a * w_up[width + t] - r * w[3 * width + t] - x * w[2 * width + t]
        for t in range(width):
            real = lane[t] - w[t]
            imaginary = lane[width + t] - w[width + t]
            step = real * real + imaginary * imaginary
            lane[2 * width + t] = step if step > lane[2 * width + t] else lane[2 * width + t]
            w[t] = lane[t] if lane[3 * width + t] > half else w[t]
            w[width + t] = lane[width + t] if lane[3 * width + t] > half else w[width + t]
        _own_current(w, pq[load[i]], branch[i, 3], branch[i, 4], one, width)
    for t in range(width):
        lane[2 * width + t] = np.sqrt(lane[2 * width + t])


@njit(**PART)
def _last_backward(parent: Any, branch: Any, state: Any, lane: Any, width: int) -> None:
    """Equation (2) once more, at the solution; a lane with a collapsed voltage is given up."""
    for i in range(parent.shape[0] - 1, -1, -1):
        w = state[i]
        _add_up(branch[i, 0], w, state[parent[i]], lane, width)
        for t in range(width):
            square = w[t] * w[t] + w[width + t] * w[width + t]
            lane[3 * width + t] = lane[3 * width + t] if square >= COLLAPSE_VM_PU * COLLAPSE_VM_PU else -1.0


@njit(**PART)
def _roughly(
    parent: Any, branch: Any, load: Any, pq_rough: Any, start: Any, rough: Any, state: Any, lane: Any, previous: Any,
    least_rho: Any, iterations: Any, max_iterations: int, width: int,
) -> None:  # fmt: skip
    """Bring the voltages of `state` near the solution in single precision."""
    one = np.float32(1.0)
    n_node = parent.shape[0]
    for t in range(4 * width):
        lane[t] = one
    rough[n_node, :width] = one
    rough[n_node, width:] = np.float32(0.0)
    for i in range(n_node):
        w = rough[i]
        for t in range(width):
            w[t] = start[i]
            w[width + t] = np.float32(0.0)
        _own_current(w, pq_rough[load[i]], branch[i, 3], branch[i, 4], one, width)
    # The last sweep is made in double precision.
    going = width if max_iterations > 1 else 0
    while going > 0:
        _backward(parent, branch, rough, lane, width)
        _forward(parent, branch, load, pq_rough, rough, lane, one, width)
        active, change = lane[3 * width : 4 * width], lane[2 * width : 3 * width]
        going = judge_roughly(active, change, previous, least_rho, iterations, max_iterations)
    for t in range(width):
        if lane[3 * width + t] < 0.0:
            for i in range(n_node):
                rough[i, t] = start[i]
                rough[i, width + t] = np.float32(0.0)
    for i in range(n_node):
        w = state[i]
        w_rough = rough[i]
        for t in range(2 * width):
            w[t] = w_rough[t]


@njit(**PART)
def _solve(
    parent: Any, branch: Any, branch_rough: Any, load: Any, start: Any, pq: Any, pq_rough: Any, rough: Any, state: Any,
    lane: Any, lane_rough: Any, iterations: Any, tolerance: float, max_iterations: int, width: int,
) -> None:  # fmt: skip
    previous, least_rho = lane[4 * width : 5 * width], lane[5 * width :]
    for t in range(width):
        previous[t] = 0.0
        least_rho[t] = 0.0 if rough.shape[0] > 0 else STARTED_RHO
    if rough.shape[0] > 0:
        _roughly(
            parent, branch_rough, load, pq_rough, start, rough, state, lane_rough, previous, least_rho, iterations,
            max_iterations, width,
        )  # fmt: skip
        for t in range(width):
            previous[t] = 0.0
    _gather(branch, load, pq, state, 1.0, width)
    going = width
    while going > 0:
        _backward(parent, branch, state, lane, width)
        _forward(parent, branch, load, pq, state, lane, 1.0, width)
        active, change = lane[3 * width : 4 * width], lane[2 * width : 3 * width]
        going = judge(active, change, previous, least_rho, tolerance, iterations, max_iterations)
    _last_backward(parent, branch, state, lane, width)


@njit(**KERNEL)
def sweep(
    parent: Any, branch: Any, branch_rough: Any, load: Any, start: Any, pq: Any, pq_rough: Any, rough: Any, state: Any,
    lane: Any, lane_rough: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of a radial network in place.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, which precedes its children; n_node at sources.
    branch, branch_rough : (n_node, 5) float64, float32
        a, r and x of equation (3), and the shunt g and b at the node; at sources their voltage, 0 and 0. [1], [pu]
    load : (n_node,) int64
        Row of the node's load in `pq`; the last row, which is zero, where it has none.
    start : (n_node,) float32
        Voltages without load. [pu]
    pq : (n_load + 1, 2 width) float64
        Constant power, consumption positive: P of all lanes, then Q. [pu]
    pq_rough, rough : (n_load + 1, 2 width), (n_node + 1, 4 width) float32
        Scratch for single precision; `rough` without rows where `state` holds a start that is better than that.
    state : (n_node + 1, 4 width) float64
        Leaves as V of the nodes and J towards them at the solution (NaN where not solved). [pu]
    lane, lane_rough : (6 width,), (4 width,) float64, float32
        Scratch: new voltages, largest change, what goes on (1), has arrived (0) or is given up (-1); in double
        precision also the change before and what it has been seen to shrink by.
    status, iterations : (width,) int64, written
        `iterations` enters as 0.
    tolerance : float
        Largest error allowed in any voltage. [pu]
    """
    if rough.shape[0] > 0:
        soften(pq, pq_rough)
    sweep_softened(
        parent, branch, branch_rough, load, start, pq, pq_rough, rough, state, lane, lane_rough, status, iterations,
        tolerance, max_iterations,
    )  # fmt: skip


@njit(**KERNEL)
def soften(pq: Any, pq_rough: Any) -> None:
    """Write loads in single precision as well."""
    for i in range(pq.shape[0]):
        row = pq[i]
        row_rough = pq_rough[i]
        for t in range(pq.shape[1]):
            row_rough[t] = row[t]


@njit(**KERNEL)
def sweep_softened(
    parent: Any, branch: Any, branch_rough: Any, load: Any, start: Any, pq: Any, pq_rough: Any, rough: Any, state: Any,
    lane: Any, lane_rough: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Do what `sweep` does where `pq_rough` holds the loads already, as it may for many networks."""
    n_node = parent.shape[0]
    width = state.shape[1] // 4
    lane[:] = 1.0
    state[n_node, :width] = 1.0
    state[n_node, width:] = 0.0
    # The same again: a width that the compiler knows makes loops of vectors without remainder, or no loops at all.
    if width == BLOCK:
        _solve(
            parent, branch, branch_rough, load, start, pq, pq_rough, rough, state, lane, lane_rough, iterations,
            tolerance, max_iterations, BLOCK,
        )  # fmt: skip
    elif width == 1:
        _solve(
            parent, branch, branch_rough, load, start, pq, pq_rough, rough, state, lane, lane_rough, iterations,
            tolerance, max_iterations, 1,
        )  # fmt: skip
    else:
        _solve(
            parent, branch, branch_rough, load, start, pq, pq_rough, rough, state, lane, lane_rough, iterations,
            tolerance, max_iterations, width,
        )  # fmt: skip
    finish(lane[3 * width : 4 * width], state, status)


@njit(**KERNEL)
def finish(active: Any, state: Any, status: Any) -> None:
    """Set the status of each lane of one block, and NaN everywhere in the lanes that were not solved."""
    width = state.shape[1] // 4
    for t in range(width):
        failed = active[t] != 0.0
        status[t] = NOT_CONVERGED if failed else CONVERGED
        if failed:
            for i in range(state.shape[0] - 1):
                for part in range(4):
                    state[i, part * width + t] = np.nan
