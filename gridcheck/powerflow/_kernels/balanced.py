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


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
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


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _load_current(vi: Any, ji: Any, gi: float, bi: float, load: int, pq: Any) -> None:
    """Equation (1) for one node: write its own current to `ji`."""
    if load >= 0:
        s = pq[load]
        for t in range(BLOCK):
            inverse = 1.0 / (vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t])
            ji[t] = (s[t] * vi[t] + s[BLOCK + t] * vi[BLOCK + t]) * inverse
            ji[BLOCK + t] = (s[t] * vi[BLOCK + t] - s[BLOCK + t] * vi[t]) * inverse
    else:
        for t in range(2 * BLOCK):
            ji[t] = 0.0
    # A step of its own, so that the sum is rounded alike with and without a load.
    if gi != 0.0 or bi != 0.0:
        for t in range(BLOCK):
            ji[t] += gi * vi[t] - bi * vi[BLOCK + t]
            ji[BLOCK + t] += gi * vi[BLOCK + t] + bi * vi[t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _backward(parent: Any, ratio: Any, j: Any) -> None:
    """Equation (2) for one block: `j` enters as the nodes' own currents."""
    for i in range(parent.shape[0] - 1, -1, -1):
        up = parent[i]
        if up >= 0:
            a = ratio[i]
            ji = j[i]
            j_up = j[up]
            for t in range(2 * BLOCK):
                j_up[t] += a * ji[t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _forward(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, v: Any, j: Any,
    active: Any, change: Any,
) -> None:  # fmt: skip
    """Equations (3) and (1) for one block.

    Leaves the nodes' own currents in `j` and notes the largest squared change of a voltage per lane.
    """
    for t in range(BLOCK):
        change[t] = 0.0
    new = np.empty(2 * BLOCK)
    for i in range(parent.shape[0]):
        vi = v[i]
        ji = j[i]
        up = parent[i]
        if up >= 0:
            a = ratio[i]
            ri = r[i]
            xi = x[i]
            v_up = v[up]
            for t in range(BLOCK):
                new[t] = a * v_up[t] - ri * ji[t] + xi * ji[BLOCK + t]
                new[BLOCK + t] = a * v_up[BLOCK + t] - ri * ji[BLOCK + t] - xi * ji[t]
            for t in range(BLOCK):
                real = new[t] - vi[t]
                imaginary = new[BLOCK + t] - vi[BLOCK + t]
                step = real * real + imaginary * imaginary
                change[t] = step if step > change[t] else change[t]
            for t in range(BLOCK):
                vi[t] = new[t] if active[t] > 0.5 else vi[t]
                vi[BLOCK + t] = new[BLOCK + t] if active[t] > 0.5 else vi[BLOCK + t]
        _load_current(vi, ji, g[i], b[i], load[i], pq)


@njit(cache=True, nogil=True)
def _judge(active: Any, change: Any, previous: Any, tolerance: float, iteration: int, iterations: Any) -> int:
    """Freeze the lanes whose estimated error (4) is below `tolerance`; return how many go on."""
    going = 0
    for t in range(BLOCK):
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


@njit(cache=True, nogil=True)
def sweep(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, v: Any, j: Any,
    status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of a radial network in place.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, -1 at sources; a parent precedes its children.
    ratio, r, x : (n_node,) float64
        a, and z of equation (3). [1], [pu]
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
    """
    active = np.ones(BLOCK)
    change = np.zeros(BLOCK)
    previous = np.zeros(BLOCK)
    for i in range(parent.shape[0]):
        _load_current(v[i], j[i], g[i], b[i], load[i], pq)
    going = BLOCK
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _backward(parent, ratio, j)
        _forward(parent, ratio, r, x, g, b, load, pq, v, j, active, change)
        going = _judge(active, change, previous, tolerance, iteration, iterations)
    _backward(parent, ratio, j)
    _finish(active, v, j, status)
