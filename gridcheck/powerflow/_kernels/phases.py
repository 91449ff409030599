r"""The sweep over a radial network with loads by phase. Arrays in, arrays out, no gridcheck types.

Voltages U are phase to neutral. Nodes are numbered depth first, and cases are cut into blocks of `PHASE_BLOCK`
lanes as in `balanced`; a row of six times `PHASE_BLOCK` holds the real parts of phases a, b, c and then their
imaginary parts. With S the sum of the three phase currents J of a branch and K what flows back through the earth
beside its neutral (the neutral carries K - S),

.. math::
    \text{(1)}\quad & I_{c,p} = \left(\frac{P_{c,p} + jQ_{c,p}}{U_{c,p}}\right)^*
        + y_c U_{c,p} + y^h_c \sum_q U_{c,q} \\
    \text{(2)}\quad & J_c = I_c + \sum_{k \in children(c)} T_k^T J_k \\
    \text{(3)}\quad & U_c = T_c U_p - z_c J_c - z^h_c S_c + z^e_c K_c

T is the identity at lines and a real circulant matrix at transformers. At sources :math:`U = E - Z J` with a
circulant Z, whose impedances of positive and negative sequence may differ. The neutral is a linear tree, so its
part is eliminated exactly, upwards and downwards, in every sweep; a fixed point would diverge at low resistances:

.. math::
    \text{(4)}\quad & B_c = \sum_{k} K^B_k, \quad K^B_c = \alpha_c z^e_c S_c + \beta_c B_c \\
    \text{(5)}\quad & K_c = \alpha_c V^n_p + K^B_c, \quad V^n_c = V^n_p + z^e_c S_c - z^n_c K_c \\
    \text{(6)}\quad & Y_c = g_c + \sum_k \alpha_k, \quad \beta_c = (1 + z^n_c Y_c)^{-1}, \quad \alpha_c = Y_c \beta_c

with g the earthing at the node; at a star point no earth current enters, so :math:`V^n = -B / Y`.

Voltages need not be compared with those before: the next change of any
voltage is bounded before it is made, with :math:`\zeta` the sum of impedance magnitudes on the way from the source,

.. math:: \text{(7)}\quad d_{k+1} = \sum_{c,p} \zeta_c \left( |\Delta \Re I_{c,p}| + |\Delta \Im I_{c,p}| \right)

and the error after it is estimated from the factor by which it shrinks, as in `balanced` equation (4). A case
that has arrived keeps its currents while its neighbours in the block go on, and a phase without load is treated
like one with a load of zero. So no result depends on which cases are computed together.

References
----------
.. [1] R. M. Ciric, A. Padilha Feltrin, L. F. Ochoa, "Power flow in four-wire distribution networks - general
   approach", IEEE Transactions on Power Systems 18(4), 2003, equations 1 to 9. DOI 10.1109/TPWRS.2003.818597
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import (
    COLLAPSE_VM_PU,
    CONVERGED,
    DIVERGED_PU,
    EARTHED,
    LINE,
    NOT_CONVERGED,
    PHASE_BLOCK,
    TRAFO,
)
from gridcheck.powerflow._kernels.phase_branches import (
    above_trafo,
    add_child,
    add_drawn,
    below_source,
    below_trafo,
    clear,
    copy_child,
    drop,
    drop_beside_earth,
)
from gridcheck.powerflow._kernels.phase_loads import draw, draw_with_shunt
from gridcheck.powerflow._kernels.phase_neutral import earth_currents, neutral_voltages

B = PHASE_BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _backward(
    child_start: Any, child: Any, kind: Any, special: Any, turn: Any, row_start: Any, phase: Any, current: Any, j: Any,
    buffer: Any,
) -> None:  # fmt: skip
    """Equation (2): every node gathers from its children and loads, so each row is written while it is at hand."""
    for i in range(kind.shape[0] - 1, -1, -1):
        first = child_start[i]
        last = child_start[i + 1]
        if first == last:
            clear(j, i)
        for c in range(first, last):
            below = child[c]
            if kind[below] == TRAFO:
                above_trafo(i, below, turn, special[below], 0.0 if c == first else 1.0, j, buffer)
            elif c == first:
                copy_child(j, i, below)
            else:
                add_child(j, i, below)
        for m in range(row_start[i], row_start[i + 1]):
            # A phase known beforehand is a fixed distance in memory.
            if phase[m] == 0:
                add_drawn(j, i, 0, current, m)
            elif phase[m] == 1:
                add_drawn(j, i, B, current, m)
            else:
                add_drawn(j, i, B2, current, m)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _plain_nodes(
    first: int, last: int, parent: Any, z: Any, row_start: Any, phase: Any, weight: Any, pq: Any, current: Any, j: Any,
    v: Any, lane: Any,
) -> None:  # fmt: skip
    """Equations (3), (1) and (7) for the nodes `first` to `last` (exclusive), below lines and without shunts."""
    for i in range(first, last):
        drop(v, parent[i], i, j, z[i, 0], z[i, 1], z[i, 2], z[i, 3])
        for m in range(row_start[i], row_start[i + 1]):
            # A phase known beforehand is a fixed distance in memory.
            if phase[m] == 0:
                draw(v, i, 0, weight[i], pq, m, current, lane)
            elif phase[m] == 1:
                draw(v, i, B, weight[i], pq, m, current, lane)
            else:
                draw(v, i, B2, weight[i], pq, m, current, lane)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _other_node(
    i: int, up: int, kind: int, n: int, turn: Any, source: Any, z: Any, neutral: Any, row_start: Any, phase: Any,
    weight: float, y: Any, pq: Any, current: Any, j: Any, k: Any, v: Any, lane: Any, buffer: Any,
) -> None:  # fmt: skip
    """Equations (3), (1) and (7) for a node below whatever stands there, with shunt `y`."""
    if kind == LINE:
        drop(v, up, i, j, z[i, 0], z[i, 1], z[i, 2], z[i, 3])
    elif kind == EARTHED:
        drop_beside_earth(i, up, z, neutral, k, j, v)
    elif kind == TRAFO:
        below_trafo(i, up, turn, n, z, j, v, buffer)
    else:
        below_source(i, source, n, j, v)
    for m in range(row_start[i], row_start[i + 1]):
        draw_with_shunt(v[i], phase[m] * B, weight, pq[m], y, current[m], lane)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _forward(
    parent: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, neutral: Any, row_start: Any, phase: Any,
    weight: Any, shunt: Any, shunt_row: Any, pq: Any, current: Any, j: Any, k: Any, v: Any, lane: Any, buffer: Any,
) -> None:  # fmt: skip
    """Equation (3), and (1) and (7) while the voltage is still at hand."""
    first = 0
    while first < parent.shape[0]:
        last = first
        while last < parent.shape[0] and kind[last] == LINE and shunt_row[last] < 0:
            last += 1
        _plain_nodes(first, last, parent, z, row_start, phase, weight, pq, current, j, v, lane)
        if last < parent.shape[0]:
            # Row 0 of `shunt` is none at all.
            _other_node(
                last, parent[last], kind[last], special[last], turn, source, z, neutral, row_start, phase,
                weight[last], shunt[shunt_row[last] + 1], pq, current, j, k, v, lane, buffer,
            )  # fmt: skip
        first = last + 1


@njit(cache=True, nogil=True)
def _judge(lane: Any, previous: Any, tolerance: float, iteration: int, iterations: Any) -> int:
    """Freeze the lanes whose next voltages will be right within `tolerance`; return how many go on."""
    going = 0
    for t in range(B):
        if lane[t] < 0.5:  # arrived (0), or given up (-1)
            continue
        iterations[t] = iteration
        d = lane[B + t]
        before = previous[t]
        rho = d / before if before > 0.0 else 1.0
        previous[t] = d
        if not d < DIVERGED_PU:
            lane[t] = -1.0
        elif d == 0.0 or (rho < 0.9 and d * rho / (1.0 - rho) < tolerance):
            lane[t] = 0.0
        else:
            going += 1
    return going


@njit(inline="always")
def _stands(u: Any, solved: Any) -> None:
    """Take away the lanes in which a voltage of one node has collapsed."""
    for t in range(B):
        ar, br, cr, ai, bi, ci, before = u[t], u[B + t], u[B2 + t], u[B3 + t], u[B4 + t], u[B5 + t], solved[t]
        low = min(ar * ar + ai * ai, br * br + bi * bi, cr * cr + ci * ci)
        solved[t] = before if low >= COLLAPSE_VM_PU * COLLAPSE_VM_PU else 0.0


@njit(cache=True, nogil=True)
def _finish(lane: Any, v: Any, j: Any, k: Any, vn: Any, status: Any) -> None:
    """Set the status of each lane of one block, and NaN everywhere in the lanes that were not solved."""
    solved = np.ones(B)
    for i in range(v.shape[0]):
        _stands(v[i], solved)
    for t in range(B):
        failed = lane[t] != 0.0 or solved[t] == 0.0
        status[t] = NOT_CONVERGED if failed else CONVERGED
        if failed:
            for i in range(v.shape[0]):
                for p in range(6):
                    v[i, p * B + t] = np.nan
                    j[i, p * B + t] = np.nan
                for p in range(2):
                    k[i, p * B + t] = np.nan
                    vn[i, p * B + t] = np.nan


@njit(cache=True, nogil=True)
def sweep_phases(
    parent: Any, child_start: Any, child: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, shunt: Any,
    shunt_row: Any,
    neutral_node: Any, neutral_up: Any, neutral: Any, row_start: Any, phase: Any, weight: Any, pq: Any, current: Any,
    j: Any, k: Any, vn: Any, v: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of a radial network.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, -1 at sources; a parent precedes its children.
    child_start, child : (n_node + 1,), (n_edge,) int64
        Children of node i are ``child[child_start[i]:child_start[i + 1]]``.
    kind, special : (n_node,) int64
        What stands above the node (`LINE`, `EARTHED`, `TRAFO`, `SOURCE`), and its row in `turn` or `source`.
    turn : (n_trafo, 3), source : (n_source, 12) float64
        As in `below_trafo` and `below_source`.
    z : (n_node, 4) float64
        z and z^h of equation (3), each real and imaginary. [pu]
    shunt : (1 + n_shunt, 4) float64, shunt_row : (n_node,) int64
        Admittances as in `draw_with_shunt`, the first row 0; their row less 1, -1 where there is none. Nodes with a
        shunt have all three load rows. [pu]
    neutral_node : (n_neutral,) int64
        Nodes with a neutral, parents first.
    neutral_up : (n_node,) int64
        Node from which the neutral comes, -1 at star points and where there is none.
    neutral : (n_node, 8) float64
        As in `earth_currents`.
    row_start, phase : (n_node + 1,), (n_row,) int64
        Rows of loads of node i are ``row_start[i]`` to ``row_start[i + 1]``; the phase of each row.
    weight : (n_node,) float64
        Zeta of equation (7). [pu]
    pq : (n_row, 2 PHASE_BLOCK) float64
        Constant power, consumption positive: P of all lanes, then Q. [pu of one phase]
    current : (n_row, 2 PHASE_BLOCK) float64
        Working memory.
    j, k, vn, v : (n_node, 6), 2, 2 and 6 times PHASE_BLOCK, written
        Series currents towards the nodes, earth currents beside them, neutral and phase voltages at the solution
        (NaN where not solved). [pu]
    status, iterations : (PHASE_BLOCK,) int64, written
    tolerance : float
        Largest error allowed in any voltage. [pu]
    """
    lane = np.zeros(B2)
    lane[:B] = 1.0
    previous = np.zeros(B)
    buffer = np.empty(B6)
    no_row = np.zeros(parent.shape[0] + 1, dtype=np.int64)
    couples = (kind == EARTHED).any()
    current[:] = 0.0
    j[:] = 0.0
    # The first currents are those at no load; their part of (7) is the first change.
    _forward(
        parent, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq, current, j,
        k, v, lane, buffer,
    )  # fmt: skip
    previous[:] = lane[B:]
    going = B
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _backward(child_start, child, kind, special, turn, row_start, phase, current, j, buffer)
        if couples:
            earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
        lane[B:] = 0.0
        _forward(
            parent, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq, current,
            j, k, v, lane, buffer,
        )  # fmt: skip
        going = _judge(lane, previous, tolerance, iteration, iterations)
    _backward(child_start, child, kind, special, turn, row_start, phase, current, j, buffer)
    if couples:
        earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
    else:
        neutral_voltages(neutral_node, neutral_up, neutral, j, vn)
    _forward(
        parent, kind, special, turn, source, z, neutral, no_row, phase, weight, shunt, shunt_row, pq, current, j, k,
        v, lane, buffer,
    )  # fmt: skip
    _finish(lane, v, j, k, vn, status)
