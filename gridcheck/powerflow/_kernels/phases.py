r"""The sweep over a radial network with loads by phase. Arrays in, arrays out, no gridcheck types.

Voltages U are phase to neutral. Nodes are numbered depth first, and cases are cut into blocks of `BLOCK`
lanes as in `balanced`; a row of six times `BLOCK` holds the real parts of phases a, b, c and then their
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

and the error after it is estimated from the factor by which it shrinks, as in `balanced` equation (4); as there,
the first sweeps are made in single precision. A case that has arrived keeps its currents while its neighbours in the
block go on, and a phase without load is treated like one with a load of zero. So no result depends on which cases are
computed together.

Only currents are kept from sweep to sweep. As nodes are numbered depth first, a voltage is wanted only until the last
node below it has been visited, and so is the sum of currents on the way up: both have one row per depth of the tree,
which stays in the nearest cache.

References
----------
.. [1] R. M. Ciric, A. Padilha Feltrin, L. F. Ochoa, "Power flow in four-wire distribution networks - general
   approach", IEEE Transactions on Power Systems 18(4), 2003, equations 1 to 9. DOI 10.1109/TPWRS.2003.818597
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.arrival import judge, judge_roughly
from gridcheck.powerflow._kernels.layout import (
    BLOCK,
    COLLAPSE_VM_PU,
    CONVERGED,
    EARTHED,
    LINE,
    NOT_CONVERGED,
    TRAFO,
)
from gridcheck.powerflow._kernels.options import KERNEL, MAKER, PART
from gridcheck.powerflow._kernels.phase_branches import (
    add,
    add_drawn,
    below_source,
    copy,
    drop,
    fill,
    rise_beside_earth,
    take_over,
    turned,
)
from gridcheck.powerflow._kernels.phase_loads import draw, draw_with_shunt
from gridcheck.powerflow._kernels.phase_neutral import earth_currents, neutral_voltages

B = BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(**KERNEL)
def _backward(
    depth: Any, n_child: Any, kind: Any, special: Any, turn: Any, row_start: Any, phase: Any, current: Any, j: Any,
    below: Any, u: Any, buffer: Any, zero: Any,
) -> None:  # fmt: skip
    """Equation (2).

    The node visited before the parent of all but leaves is its first child, whose current is still in `u`; those of
    the other children have been summed in the row of `below` for their depth.
    """
    for d in range(below.shape[0]):
        fill(zero, below, d)
    for i in range(depth.shape[0] - 1, -1, -1):
        d = depth[i]
        if n_child[i] == 0:
            fill(zero, u, 0)
        elif n_child[i] > 1:
            take_over(below, d + 1, zero, u)
        for m in range(row_start[i], row_start[i + 1]):
            # A phase known beforehand is a fixed distance in memory.
            if phase[m] == 0:
                add_drawn(current, m, u, 0)
            elif phase[m] == 1:
                add_drawn(current, m, u, B)
            else:
                add_drawn(current, m, u, B2)
        copy(u, 0, j, i)
        if kind[i] == TRAFO:
            n = special[i]
            turned(j, i, turn[n, 0], turn[n, 2], turn[n, 1], buffer)
            copy(buffer, 0, u, 0)
        if i > 0 and depth[i - 1] >= d:
            add(u, 0, below, d)


@njit(**KERNEL)
def _voltage(
    i: int, up: int, kind: int, n: int, turn: Any, source: Any, z: Any, neutral: Any, j: Any, k: Any, v: Any, row: int,
    buffer: Any,
) -> None:  # fmt: skip
    """Equation (3) for a node below anything but a plain line: write its voltage to a row of `v`."""
    if kind == EARTHED:
        drop(v, up, j, i, z[i, 0], z[i, 1], z[i, 2], z[i, 3], v, row)
        rise_beside_earth(k, i, neutral[i, 4], neutral[i, 5], v, row)
    elif kind == TRAFO:
        turned(v, up, turn[n, 0], turn[n, 1], turn[n, 2], buffer)
        drop(buffer, 0, j, i, z[i, 0], z[i, 1], z[i, 2], z[i, 3], v, row)
    else:
        below_source(j, i, source, n, v, row)


@njit(**KERNEL)
def _forward(
    depth: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, neutral: Any, row_start: Any, phase: Any,
    weight: Any, shunt: Any, shunt_row: Any, pq: Any, current: Any, j: Any, k: Any, v: Any, buffer: Any, lane: Any,
    one: Any,
) -> None:  # fmt: skip
    """Equation (3), and (1) and (7) while the voltage is still at hand; row d of `v` is that of depth d."""
    half = one / (one + one)
    for t in range(B):
        lane[B + t] = one - one
    for i in range(depth.shape[0]):
        d = depth[i]
        if kind[i] == LINE:
            drop(v, d - 1, j, i, z[i, 0], z[i, 1], z[i, 2], z[i, 3], v, d)
        else:
            _voltage(i, d - 1, kind[i], special[i], turn, source, z, neutral, j, k, v, d, buffer)
        w = weight[i]
        for m in range(row_start[i], row_start[i + 1]):
            if shunt_row[i] >= 0:
                n = shunt_row[i]
                draw_with_shunt(v, d, phase[m] * B, shunt, n, pq, m, w, one, half, current, lane)
            elif phase[m] == 0:
                draw(v, d, 0, pq, m, w, one, half, current, lane)
            elif phase[m] == 1:
                draw(v, d, B, pq, m, w, one, half, current, lane)
            else:
                draw(v, d, B2, pq, m, w, one, half, current, lane)


@njit(**PART)
def _stands(v: Any, i: int, active: Any) -> None:
    """Give up the lanes in which a voltage of one node has collapsed."""
    for t in range(B):
        ar, br, cr, ai, bi, ci = v[i, t], v[i, B + t], v[i, B2 + t], v[i, B3 + t], v[i, B4 + t], v[i, B5 + t]
        low = min(ar * ar + ai * ai, br * br + bi * bi, cr * cr + ci * ci)
        active[t] = active[t] if low >= COLLAPSE_VM_PU * COLLAPSE_VM_PU else -1.0


@njit(**KERNEL)
def _last_forward(
    parent: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, neutral: Any, j: Any, k: Any, v: Any,
    buffer: Any, active: Any,
) -> None:  # fmt: skip
    """Equation (3) at the solution, with a row of `v` for every node."""
    for i in range(parent.shape[0]):
        if kind[i] == LINE:
            drop(v, parent[i], j, i, z[i, 0], z[i, 1], z[i, 2], z[i, 3], v, i)
        else:
            _voltage(i, parent[i], kind[i], special[i], turn, source, z, neutral, j, k, v, i, buffer)
        _stands(v, i, active)


@njit(**KERNEL)
def _finish(active: Any, v: Any, j: Any, k: Any, vn: Any, status: Any) -> None:
    """Set the status of each lane of one block, and NaN everywhere in the lanes that were not solved."""
    for t in range(B):
        failed = active[t] != 0.0
        status[t] = NOT_CONVERGED if failed else CONVERGED
        if failed:
            for i in range(v.shape[0]):
                for p in range(6):
                    v[i, p * B + t] = np.nan
                    j[i, p * B + t] = np.nan
                for p in range(2):
                    k[i, p * B + t] = np.nan
                    vn[i, p * B + t] = np.nan


@njit(**KERNEL)
def _start_roughly(pq: Any, start: Any, pq_rough: Any, current: Any) -> None:
    """Take the loads over, and equation (1) at the voltages without load."""
    for m in range(pq.shape[0]):
        for t in range(B2):
            pq_rough[m, t] = pq[m, t]
        wr = start[m, 0]
        wi = start[m, 1]
        for t in range(B):
            current[m, t] = pq_rough[m, t] * wr + pq_rough[m, B + t] * wi
            current[m, B + t] = pq_rough[m, t] * wi - pq_rough[m, B + t] * wr


@njit(**KERNEL)
def _go_on_finely(active: Any, rough: Any, current: Any) -> None:
    """Take the currents over; a lane that single precision could not solve begins again."""
    for m in range(current.shape[0]):
        for t in range(B2):
            current[m, t] = rough[m, t]
    for t in range(B):
        if active[t] < 0.0:
            for m in range(current.shape[0]):
                current[m, t] = 0.0
                current[m, B + t] = 0.0


@njit(**MAKER)
def sweep_phases(
    parent: Any, depth: Any, n_child: Any, kind: Any, special: Any, fine: Any, rough: Any, shunt_row: Any,
    neutral_node: Any, neutral_up: Any, row_start: Any, phase: Any, start: Any, pq: Any, work: Any, work_rough: Any,
    j: Any, k: Any, vn: Any, v: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
    wants_neutral: Any,
) -> None:  # fmt: skip
    """Solve one block of a radial network.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, -1 at sources; a parent precedes its children, depth first.
    depth : (n_node,) int64
        Branches between each node and its source.
    n_child : (n_node,) int64
        Number of its children.
    kind, special : (n_node,) int64
        What stands above the node (`LINE`, `EARTHED`, `TRAFO`, `SOURCE`), and its row in `turn` or `source`.
    fine, rough : tuples of turn, source, z, neutral, weight, shunt in double and single precision
        turn (n_trafo, 3): first row of T. source (n_source, 12): as in `below_source`. z (n_node, 4): z and z^h of
        equation (3), each real and imaginary. neutral (n_node, 8): as in `earth_currents`. weight (n_node,): zeta of
        equation (7). shunt (n_shunt, 4): as in `draw_with_shunt`. [pu]
    shunt_row : (n_node,) int64
        Row of `shunt`, -1 where there is none. Nodes with a shunt have all three load rows.
    neutral_node : (n_neutral,) int64
        Nodes with a neutral, parents first.
    neutral_up : (n_node,) int64
        Node from which the neutral comes, -1 at star points and where there is none.
    row_start, phase : (n_node + 1,), (n_row,) int64
        Rows of loads of node i are ``row_start[i]`` to ``row_start[i + 1]``; the phase of each row.
    start : (n_row, 2) float32
        Voltage without load over its squared magnitude, real and imaginary part. [1/pu]
    pq : (n_row, 2 BLOCK) float64
        Constant power, consumption positive: P of all lanes, then Q. [pu of one phase]
    work, work_rough : tuples of float64, float32 scratch
        current (n_row, 2 BLOCK); below (2 + deepest, 6 BLOCK), one row of 6, one of 6 and 4 times
        BLOCK; roughly also pq, j, k, vn and v with a row per depth.
    j, k, vn, v : (n_node, 6), 2, 2 and 6 times BLOCK, written
        Series currents towards the nodes, earth currents beside them, neutral and phase voltages at the solution
        (NaN where not solved). [pu]
    status, iterations : (BLOCK,) int64, written
        `iterations` enters as 0.
    tolerance : float
        Largest error allowed in any voltage. [pu]
    wants_neutral : bool
        Whether `vn` is wanted where no current flows through the earth.
    """
    turn, source, z, neutral, weight, shunt = rough
    current_r, below_r, u_r, buffer_r, lane_r, pq_r, j_r, k_r, vn_r, v_r = work_rough
    couples = (kind == EARTHED).any()
    one = np.float32(1.0)
    _start_roughly(pq, start, pq_r, current_r)
    lane_r[:B] = one
    previous = np.zeros(B)
    least_rho = np.zeros(B)
    going = B if max_iterations > 1 else 0
    while going > 0:
        _backward(
            depth, n_child, kind, special, turn, row_start, phase, current_r, j_r, below_r, u_r, buffer_r, one - one
        )  # fmt: skip
        if couples:
            earth_currents(neutral_node, neutral_up, neutral, j_r, k_r, vn_r)
        _forward(
            depth, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq_r,
            current_r, j_r, k_r, v_r, buffer_r, lane_r, one,
        )  # fmt: skip
        going = judge_roughly(lane_r[:B], lane_r[B:B2], previous, least_rho, iterations, max_iterations)
    _finely(
        parent, depth, n_child, kind, special, fine, shunt_row, neutral_node, neutral_up, row_start, phase, pq, work,
        lane_r, current_r, least_rho, couples, j, k, vn, v, status, iterations, tolerance, max_iterations,
        wants_neutral,
    )  # fmt: skip


@njit(**MAKER)
def _finely(
    parent: Any, depth: Any, n_child: Any, kind: Any, special: Any, fine: Any, shunt_row: Any, neutral_node: Any,
    neutral_up: Any,
    row_start: Any, phase: Any, pq: Any, work: Any, lane_rough: Any, current_rough: Any, least_rho: Any,
    couples: Any, j: Any, k: Any, vn: Any, v: Any, status: Any, iterations: Any, tolerance: float,
    max_iterations: int, wants_neutral: Any,
) -> None:  # fmt: skip
    """Go on in double precision to the solution."""
    turn, source, z, neutral, weight, shunt = fine
    current, below, u, buffer, lane = work
    previous = np.zeros(B)
    _go_on_finely(lane_rough, current_rough, current)
    lane[:B] = 1.0
    going = B
    while going > 0:
        _backward(depth, n_child, kind, special, turn, row_start, phase, current, j, below, u, buffer, 0.0)
        if couples:
            earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
        _forward(
            depth, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq, current,
            j, k, v, buffer, lane, 1.0,
        )  # fmt: skip
        going = judge(lane[:B], lane[B:B2], previous, least_rho, tolerance, iterations, max_iterations)
    _backward(depth, n_child, kind, special, turn, row_start, phase, current, j, below, u, buffer, 0.0)
    if couples:
        earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
    elif wants_neutral:
        neutral_voltages(neutral_node, neutral_up, neutral, j, vn)
    _last_forward(parent, kind, special, turn, source, z, neutral, j, k, v, buffer, lane[:B])
    _finish(lane[:B], v, j, k, vn, status)
