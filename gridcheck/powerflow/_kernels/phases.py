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

Only the currents (1) are kept from one iteration to the next, and voltages live on a stack as deep as the tree;
so little memory is touched that the sweep is bound by arithmetic. The next change of any voltage is bounded
before it is made, with :math:`\zeta` the sum of impedance magnitudes on the way from the source,

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
    NOT_CONVERGED,
    PHASE_BLOCK,
    SOURCE,
    TRAFO,
)
from gridcheck.powerflow._kernels.phase_loads import draw, draw_with_shunt

B = PHASE_BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _turn(given: Any, turn: Any, forward: float, out: Any) -> None:
    """Write T (`forward` 1) or its transpose (0) times `given`; `turn` (3,) is the first row of T."""
    m0 = turn[0]
    m1 = turn[1] if forward > 0.5 else turn[2]
    m2 = turn[2] if forward > 0.5 else turn[1]
    for part in range(2):
        x = given[part * B3 :]
        y = out[part * B3 :]
        for t in range(B):
            y[t] = m0 * x[t] + m1 * x[B + t] + m2 * x[B2 + t]
            y[B + t] = m2 * x[t] + m0 * x[B + t] + m1 * x[B2 + t]
            y[B2 + t] = m1 * x[t] + m2 * x[B + t] + m0 * x[B2 + t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _source(j: Any, source: Any, out: Any) -> None:
    """Write E - Z J; `source` (12,) holds E real and imaginary by phase, then the first row of Z likewise."""
    for p in range(3):
        z0r = source[6]
        z0i = source[9]
        z1r = source[7]
        z1i = source[10]
        z2r = source[8]
        z2i = source[11]
        er = source[p]
        ei = source[3 + p]
        j0 = j[p * B :]
        j1 = j[((p + 1) % 3) * B :]
        j2 = j[((p + 2) % 3) * B :]
        for t in range(B):
            dr = z0r * j0[t] - z0i * j0[B3 + t] + z1r * j1[t] - z1i * j1[B3 + t] + z2r * j2[t] - z2i * j2[B3 + t]
            di = z0r * j0[B3 + t] + z0i * j0[t] + z1r * j1[B3 + t] + z1i * j1[t] + z2r * j2[B3 + t] + z2i * j2[t]
            out[p * B + t] = er - dr
            out[B3 + p * B + t] = ei - di


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _drop(above: Any, j: Any, r: float, x: float, rh: float, xh: float, out: Any) -> None:
    """Equation (3) for one node; `above` holds T U of the parent and what the earth adds."""
    for t in range(B):
        sr = j[t] + j[B + t] + j[B2 + t]
        si = j[B3 + t] + j[B4 + t] + j[B5 + t]
        hr = rh * sr - xh * si
        hi = rh * si + xh * sr
        out[t] = above[t] - hr - r * j[t] + x * j[B3 + t]
        out[B + t] = above[B + t] - hr - r * j[B + t] + x * j[B4 + t]
        out[B2 + t] = above[B2 + t] - hr - r * j[B2 + t] + x * j[B5 + t]
        out[B3 + t] = above[B3 + t] - hi - r * j[B3 + t] - x * j[t]
        out[B4 + t] = above[B4 + t] - hi - r * j[B4 + t] - x * j[B + t]
        out[B5 + t] = above[B5 + t] - hi - r * j[B5 + t] - x * j[B2 + t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _with_earth(above: Any, r: float, x: float, k: Any, out: Any) -> None:
    """Write `above` plus (r + jx) K for all phases."""
    for t in range(B):
        real = r * k[t] - x * k[B + t]
        imaginary = r * k[B + t] + x * k[t]
        out[t] = above[t] + real
        out[B + t] = above[B + t] + real
        out[B2 + t] = above[B2 + t] + real
        out[B3 + t] = above[B3 + t] + imaginary
        out[B4 + t] = above[B4 + t] + imaginary
        out[B5 + t] = above[B5 + t] + imaginary


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _sum_currents(child_start: Any, child: Any, kind: Any, special: Any, turn: Any, row_start: Any, phase: Any,
                  current: Any, j: Any, buffer: Any) -> None:  # fmt: skip
    """Equation (2): every node gathers from its children, so that no row is written before it is complete."""
    for i in range(kind.shape[0] - 1, -1, -1):
        own = j[i]
        first = child_start[i]
        last = child_start[i + 1]
        if first == last:
            for t in range(B6):
                own[t] = 0.0
        for c in range(first, last):
            below = j[child[c]]
            if kind[child[c]] == TRAFO:
                _turn(below, turn[special[child[c]]], 0.0, buffer)
                below = buffer
            if c == first:
                for t in range(B6):
                    own[t] = below[t]
            else:
                for t in range(B6):
                    own[t] += below[t]
        for m in range(row_start[i], row_start[i + 1]):
            drawn = current[m]
            part = own[phase[m] * B :]
            for t in range(B):
                part[t] += drawn[t]
                part[B3 + t] += drawn[B + t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _earth(node: Any, neutral_up: Any, neutral: Any, j: Any, k: Any, vn: Any) -> None:
    """Equations (4) and (5): write earth currents `k` and neutral voltages `vn` of all nodes with a neutral.

    Until the way down `vn` holds B. `neutral` (n_node, 8): alpha, beta, z^e, z^n, each real and imaginary; at star
    points beta is -1/Y.
    """
    for n in range(node.shape[0]):
        vn[node[n]] = 0.0
    for n in range(node.shape[0] - 1, -1, -1):
        i = node[n]
        up = neutral_up[i]
        if up < 0:
            continue
        ar, ai, br, bi, er, ei = (neutral[i, 0], neutral[i, 1], neutral[i, 2], neutral[i, 3], neutral[i, 4], neutral[i, 5])
        for t in range(B):
            sr = j[i, t] + j[i, B + t] + j[i, B2 + t]
            si = j[i, B3 + t] + j[i, B4 + t] + j[i, B5 + t]
            dr = er * sr - ei * si
            di = er * si + ei * sr
            real = ar * dr - ai * di + br * vn[i, t] - bi * vn[i, B + t]
            imaginary = ar * di + ai * dr + br * vn[i, B + t] + bi * vn[i, t]
            k[i, t] = real
            k[i, B + t] = imaginary
            vn[up, t] += real
            vn[up, B + t] += imaginary
    for n in range(node.shape[0]):
        i = node[n]
        up = neutral_up[i]
        ar, ai, br, bi, er, ei = (neutral[i, 0], neutral[i, 1], neutral[i, 2], neutral[i, 3], neutral[i, 4], neutral[i, 5])
        nr = neutral[i, 6]
        ni = neutral[i, 7]
        for t in range(B):
            if up < 0:
                real = br * vn[i, t] - bi * vn[i, B + t]
                imaginary = br * vn[i, B + t] + bi * vn[i, t]
                k[i, t] = 0.0
                k[i, B + t] = 0.0
            else:
                sr = j[i, t] + j[i, B + t] + j[i, B2 + t]
                si = j[i, B3 + t] + j[i, B4 + t] + j[i, B5 + t]
                k[i, t] += ar * vn[up, t] - ai * vn[up, B + t]
                k[i, B + t] += ar * vn[up, B + t] + ai * vn[up, t]
                real = vn[up, t] + er * sr - ei * si - nr * k[i, t] + ni * k[i, B + t]
                imaginary = vn[up, B + t] + er * si + ei * sr - nr * k[i, B + t] - ni * k[i, t]
            vn[i, t] = real
            vn[i, B + t] = imaginary


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _voltages(
    parent: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, neutral: Any, row_start: Any, phase: Any,
    weight: Any, shunt: Any, shunt_row: Any, pq: Any, slot: Any, draws: bool, current: Any, j: Any, k: Any, v: Any,
    lane: Any, buffer: Any,
) -> None:  # fmt: skip
    """Equations (3) and, where it `draws`, (1) and (7); node i finds its voltage in row ``slot[i]`` of `v`."""
    for i in range(parent.shape[0]):
        own = v[slot[i]]
        if kind[i] == SOURCE:
            _source(j[i], source[special[i]], own)
        else:
            above = v[slot[parent[i]]]
            if kind[i] == TRAFO:
                _turn(above, turn[special[i]], 1.0, buffer)
                above = buffer
            elif kind[i] == EARTHED:
                _with_earth(above, neutral[i, 4], neutral[i, 5], k[i], buffer)
                above = buffer
            _drop(above, j[i], z[i, 0], z[i, 1], z[i, 2], z[i, 3], own)
        if draws:
            for m in range(row_start[i], row_start[i + 1]):
                if shunt_row[i] < 0:
                    draw(own, phase[m] * B, weight[i], pq[m], current[m], lane)
                else:
                    draw_with_shunt(own, phase[m] * B, weight[i], pq[m], shunt[shunt_row[i]], current[m], lane)


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


@njit(cache=True, nogil=True)
def _finish(lane: Any, v: Any, j: Any, k: Any, vn: Any, status: Any) -> None:
    """Set the status of each lane of one block, and NaN everywhere in the lanes that were not solved."""
    limit = COLLAPSE_VM_PU * COLLAPSE_VM_PU
    solved = np.ones(B)
    for i in range(v.shape[0]):
        u = v[i]
        for p in range(3):
            w = u[p * B :]
            for t in range(B):
                solved[t] = solved[t] if w[t] * w[t] + w[B3 + t] * w[B3 + t] >= limit else 0.0
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
    parent: Any, depth: Any, child_start: Any, child: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any,
    no_load: Any, shunt: Any, shunt_row: Any, neutral_node: Any, neutral_up: Any, neutral: Any, row_start: Any,
    phase: Any, weight: Any, pq: Any, current: Any, j: Any, k: Any, vn: Any, v: Any, stack: Any,
    status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of a radial network.

    Parameters
    ----------
    parent, depth : (n_node,) int64
        Node of the parent, -1 at sources; a parent precedes its children. Branches between node and source.
    child_start, child : (n_node + 1,), (n_edge,) int64
        Children of node i are ``child[child_start[i]:child_start[i + 1]]``.
    kind, special : (n_node,) int64
        What stands above the node (`LINE`, `EARTHED`, `TRAFO`, `SOURCE`), and its row in `turn` or `source`.
    turn : (n_trafo, 3), source : (n_source, 12) float64
        As in `_turn` and `_source`.
    z : (n_node, 4) float64
        z and z^h of equation (3), each real and imaginary. [pu]
    no_load : (n_node, 6) float64
        Voltages to start from, as a row of one lane. [pu]
    shunt : (n_shunt, 4) float64, shunt_row : (n_node,) int64
        Admittances as in `draw_with_shunt`; their row, -1 where there is none. Nodes with a shunt have all three
        load rows. [pu]
    neutral_node : (n_neutral,) int64
        Nodes with a neutral, parents first.
    neutral_up : (n_node,) int64
        Node from which the neutral comes, -1 at star points and where there is none.
    neutral : (n_node, 8) float64
        As in `_earth`.
    row_start, phase : (n_node + 1,), (n_row,) int64
        Rows of loads of each node, and the phase of each row.
    weight : (n_node,) float64
        Zeta of equation (7). [pu]
    pq : (n_row, 2 PHASE_BLOCK) float64
        Constant power, consumption positive: P of all lanes, then Q. [pu of one phase]
    current : (n_row, 2 PHASE_BLOCK) float64
        Working memory.
    j, k, vn, v : (n_node, 6), 2, 2 and 6 times PHASE_BLOCK, written
        Series currents towards the nodes, earth currents beside them, neutral and phase voltages at the solution
        (NaN where not solved). [pu]
    stack : (1 + deepest, 6 PHASE_BLOCK) float64
        Working memory.
    status, iterations : (PHASE_BLOCK,) int64, written
    tolerance : float
        Largest error allowed in any voltage. [pu]
    """
    lane = np.zeros(B2)
    lane[:B] = 1.0
    previous = np.zeros(B)
    buffer = np.empty(B6)
    slot = np.arange(parent.shape[0])
    couples = (kind == EARTHED).any()
    current[:] = 0.0
    # The first currents are those at no load; their part of (7) is the first change.
    start = np.empty(B6)
    for i in range(parent.shape[0]):
        if row_start[i] < row_start[i + 1]:
            for p in range(6):
                start[p * B : (p + 1) * B] = no_load[i, p]
            for m in range(row_start[i], row_start[i + 1]):
                if shunt_row[i] < 0:
                    draw(start, phase[m] * B, weight[i], pq[m], current[m], lane)
                else:
                    draw_with_shunt(start, phase[m] * B, weight[i], pq[m], shunt[shunt_row[i]], current[m], lane)
    previous[:] = lane[B:]
    going = B
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _sum_currents(child_start, child, kind, special, turn, row_start, phase, current, j, buffer)
        if couples:
            _earth(neutral_node, neutral_up, neutral, j, k, vn)
        lane[B:] = 0.0
        _voltages(
            parent, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq,
            depth, True, current, j, k, stack, lane, buffer,
        )  # fmt: skip
        going = _judge(lane, previous, tolerance, iteration, iterations)
    _sum_currents(child_start, child, kind, special, turn, row_start, phase, current, j, buffer)
    _earth(neutral_node, neutral_up, neutral, j, k, vn)
    _voltages(
        parent, kind, special, turn, source, z, neutral, row_start, phase, weight, shunt, shunt_row, pq,
        slot, False, current, j, k, v, lane, buffer,
    )  # fmt: skip
    _finish(lane, v, j, k, vn, status)
