r"""The sweep over a radial network, many cases at a time. Arrays in, arrays out, no gridcheck types.

Buses are numbered depth first (`node`), so that a parent precedes its children and its row is still in
the cache when they are treated. Cases are cut into blocks of `BLOCK` lanes; working arrays have the shape
(n_block, n_node, 2 BLOCK): first the real parts of all lanes, then the imaginary parts. So one block is
contiguous, every inner loop has a fixed length, and few enough pointers meet in it that the compiler can
prove them apart and use vector instructions. Lanes behind the last case carry no load and are never read.

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

from gridcheck.powerflow._kernels.layout import BLOCK, COLLAPSE_VM_PU, CONVERGED, DIVERGED_PU, NOT_CONVERGED


@njit(cache=True, nogil=True, error_model="numpy")
def factored_power(p_weight: Any, q_weight: Any, profile: Any, pq: Any) -> None:
    """Write the loads of one block as weights times profiles.

    Parameters
    ----------
    p_weight, q_weight : (n_load, n_class) float64 [pu]
    profile : (n_class, BLOCK) float64
    pq : (n_load, 2 BLOCK) float64, written [pu]
    """
    for i in range(p_weight.shape[0]):
        row = pq[i]
        for t in range(2 * BLOCK):
            row[t] = 0.0
        for k in range(p_weight.shape[1]):
            wp = p_weight[i, k]
            wq = q_weight[i, k]
            course = profile[k]
            if wp != 0.0 or wq != 0.0:
                for t in range(BLOCK):
                    row[t] += wp * course[t]
                    row[BLOCK + t] += wq * course[t]


@njit(cache=True, nogil=True)
def written_power(p_mw: Any, q_mvar: Any, bus: Any, per_mva: float, first: int, pq: Any) -> None:
    """Write the loads of the block that starts with case `first` from tables of cases.

    Parameters
    ----------
    p_mw, q_mvar : (n_case, n_bus) float64 [MW], [Mvar]
    bus : (n_load,) int64
        Column of each load.
    per_mva : float
        One over the power base. [1/MVA]
    pq : (n_load, 2 BLOCK) float64, written [pu]
    """
    lanes = min(BLOCK, p_mw.shape[0] - first)
    for i in range(bus.shape[0]):
        for t in range(lanes):
            pq[i, t] = p_mw[first + t, bus[i]] * per_mva
            pq[i, BLOCK + t] = q_mvar[first + t, bus[i]] * per_mva
        for t in range(lanes, BLOCK):
            pq[i, t] = 0.0
            pq[i, BLOCK + t] = 0.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _own_current(w: Any, s: Any, g: float, b: float, width: int) -> None:
    """Equation (1) for one node: a node without load has a load of zero, so that all are rounded alike."""
    for t in range(width):
        inverse = 1.0 / (w[t] * w[t] + w[width + t] * w[width + t])
        real = s[t] * w[t] + s[BLOCK + t] * w[width + t]
        imaginary = s[t] * w[width + t] - s[BLOCK + t] * w[t]
        w[2 * width + t] = real * inverse + (g * w[t] - b * w[width + t])
        w[3 * width + t] = imaginary * inverse + (g * w[width + t] + b * w[t])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _gather(g: Any, b: Any, load: Any, pq: Any, v: Any, work: Any, width: int) -> None:
    """Bring the voltages of one block into `work`, and write equation (1) for every node."""
    for i in range(v.shape[0]):
        w = work[i]
        vi = v[i]
        for t in range(width):
            w[t] = vi[t]
        for t in range(width):
            w[width + t] = vi[BLOCK + t]
        _own_current(w, pq[load[i]], g[i], b[i], width)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _add_up(a: float, w: Any, w_up: Any, lane: Any, width: int) -> None:
    """Equation (2) for one branch; by way of `lane`, so that no loop reads and writes rows that might be the same."""
    for t in range(2 * width):
        lane[t] = w_up[2 * width + t] + a * w[2 * width + t]
    for t in range(2 * width):
        w_up[2 * width + t] = lane[t]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _backward(parent: Any, ratio: Any, work: Any, lane: Any, width: int) -> None:
    """Equation (2) for one block."""
    for i in range(parent.shape[0] - 1, -1, -1):
        _add_up(ratio[i], work[i], work[parent[i]], lane, width)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _forward(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, work: Any, lane: Any, width: int
) -> None:  # fmt: skip
    """Equations (3) and (1) for one block; notes the largest squared change of a voltage in `lane`."""
    for t in range(width):
        lane[2 * width + t] = 0.0
    for i in range(parent.shape[0]):
        w = work[i]
        w_up = work[parent[i]]
        a = ratio[i]
        ri = r[i]
        xi = x[i]
        for t in range(width):
            lane[t] = a * w_up[t] - ri * w[2 * width + t] + xi * w[3 * width + t]
            lane[width + t] = a * w_up[width + t] - ri * w[3 * width + t] - xi * w[2 * width + t]
        for t in range(width):
            real = lane[t] - w[t]
            imaginary = lane[width + t] - w[width + t]
            step = real * real + imaginary * imaginary
            lane[2 * width + t] = step if step > lane[2 * width + t] else lane[2 * width + t]
            w[t] = lane[t] if lane[3 * width + t] > 0.5 else w[t]
            w[width + t] = lane[width + t] if lane[3 * width + t] > 0.5 else w[width + t]
        _own_current(w, pq[load[i]], g[i], b[i], width)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _hand_over(parent: Any, ratio: Any, work: Any, lane: Any, v: Any, j: Any, width: int) -> None:
    """Equation (2) once more, and the solution to `v` and `j`; a lane with a collapsed voltage is given up."""
    for i in range(parent.shape[0] - 1, -1, -1):
        w = work[i]
        vi = v[i]
        ji = j[i]
        _add_up(ratio[i], w, work[parent[i]], lane, width)
        for t in range(width):
            vi[t] = w[t]
            vi[BLOCK + t] = w[width + t]
        for t in range(width):
            ji[t] = w[2 * width + t]
            ji[BLOCK + t] = w[3 * width + t]
        for t in range(width):
            square = w[t] * w[t] + w[width + t] * w[width + t]
            lane[3 * width + t] = lane[3 * width + t] if square >= COLLAPSE_VM_PU * COLLAPSE_VM_PU else -1.0


@njit(cache=True, nogil=True)
def judge(active: Any, change: Any, previous: Any, tolerance: float, iteration: int, iterations: Any) -> int:
    """Freeze the lanes whose estimated error (4) is below `tolerance`; return how many go on."""
    going = 0
    for t in range(active.shape[0]):
        if active[t] < 0.5:  # arrived (0), or given up (-1)
            continue
        iterations[t] = iteration
        d = np.sqrt(change[t])
        before = previous[t]
        rho = d / before if before > 0.0 else 1.0
        previous[t] = d
        if not d < DIVERGED_PU:
            active[t] = -1.0
        elif d == 0.0 or (iteration > 1 and rho < 0.9 and d * rho / (1.0 - rho) < tolerance):
            active[t] = 0.0
        else:
            going += 1
    return going


@njit(cache=True, nogil=True)
def _finish(active: Any, v: Any, j: Any, status: Any) -> None:
    """Set the status of each lane of one block, and NaN everywhere in the lanes that were not solved."""
    limit = COLLAPSE_VM_PU * COLLAPSE_VM_PU
    solved = np.ones(BLOCK)
    for i in range(v.shape[0]):
        vi = v[i]
        for t in range(BLOCK):
            solved[t] = solved[t] if vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t] >= limit else 0.0
    for t in range(BLOCK):
        failed = active[t] != 0.0 or solved[t] == 0.0
        status[t] = NOT_CONVERGED if failed else CONVERGED
        if failed:
            for i in range(v.shape[0]):
                v[i, t] = np.nan
                v[i, BLOCK + t] = np.nan
                j[i, t] = np.nan
                j[i, BLOCK + t] = np.nan


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _solve(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, v: Any, j: Any,
    iterations: Any, tolerance: float, max_iterations: int, work: Any, lane: Any, width: int,
) -> None:  # fmt: skip
    previous = np.zeros(width)
    _gather(g, b, load, pq, v, work, width)
    going = width
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _backward(parent, ratio, work, lane, width)
        _forward(parent, ratio, r, x, g, b, load, pq, work, lane, width)
        going = judge(lane[3 * width :], lane[2 * width : 3 * width], previous, tolerance, iteration, iterations)
    _hand_over(parent, ratio, work, lane, v, j, width)


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, v: Any, j: Any,
    status: Any, iterations: Any, tolerance: float, max_iterations: int, work: Any,
) -> None:  # fmt: skip
    """Solve one block of a radial network in place.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, which precedes its children; n_node at sources.
    ratio, r, x : (n_node,) float64
        a, and z of equation (3); at sources their voltage and 0. [1], [pu]
    g, b : (n_node,) float64
        Shunt admittance at the node. [pu]
    load : (n_node,) int64
        Row of the node's load in `pq`, -1 where it has none.
    pq : (n_load, 2 BLOCK) float64
        Constant power, consumption positive: P of all lanes, then Q. [pu]
    v : (n_node, 2 BLOCK) float64
        Enters as the starting voltages, leaves as the solution (NaN where not solved). [pu]
    j : (n_node, 2 BLOCK) float64
        Leaves as the series current towards the node at the solution. [pu]
    status, iterations : (BLOCK,) int64, written
    tolerance : float
        Largest error allowed in any voltage. [pu]
    work : (n_node + 1, 4 width) float64
        Scratch: V and J of the first `width` lanes, which are solved; the last row stands above the sources.
    """
    n_node = parent.shape[0]
    width = work.shape[1] // 4
    # New voltages, largest change, and what goes on (1), has arrived (0) or is given up (-1).
    lane = np.ones(4 * width)
    work[n_node, :width] = 1.0
    work[n_node, width:] = 0.0
    # The same again: a width that the compiler knows makes loops of vectors without remainder, or no loops at all.
    if width == BLOCK:
        _solve(
            parent, ratio, r, x, g, b, load, pq, v, j, iterations, tolerance, max_iterations, work, lane, BLOCK
        )  # fmt: skip
    elif width == 1:
        _solve(
            parent, ratio, r, x, g, b, load, pq, v, j, iterations, tolerance, max_iterations, work, lane, 1
        )  # fmt: skip
    else:
        _solve(
            parent, ratio, r, x, g, b, load, pq, v, j, iterations, tolerance, max_iterations, work, lane, width
        )  # fmt: skip
    for t in range(width):
        failed = lane[3 * width + t] != 0.0
        status[t] = NOT_CONVERGED if failed else CONVERGED
        if failed:
            for i in range(n_node):
                v[i, t] = np.nan
                v[i, BLOCK + t] = np.nan
                j[i, t] = np.nan
                j[i, BLOCK + t] = np.nan
