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

Each pass over the nodes does one thing, on whole rows: then the compiler keeps no count of references to them and
uses vector instructions throughout. Voltages need not be compared with those before: the next change of any
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
    SOURCE,
    TRAFO,
)
from gridcheck.powerflow._kernels.phase_loads import draw, draw_with_shunt
from gridcheck.powerflow._kernels.phase_neutral import earth_currents, neutral_voltages

B = PHASE_BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(inline="always")
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


@njit(inline="always")
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


@njit(inline="always")
def _drop(above: Any, j: Any, r: float, x: float, rh: float, xh: float, out: Any) -> None:
    """Equation (3) for one node; `above` holds T U of the parent and what the earth adds."""
    for t in range(B):
        # All is read before anything is written: only then does the compiler use vector instructions.
        ar, br, cr, ai, bi, ci = j[t], j[B + t], j[B2 + t], j[B3 + t], j[B4 + t], j[B5 + t]
        uar, ubr, ucr = above[t], above[B + t], above[B2 + t]
        uai, ubi, uci = above[B3 + t], above[B4 + t], above[B5 + t]
        sr = ar + br + cr
        si = ai + bi + ci
        hr = rh * sr - xh * si
        hi = rh * si + xh * sr
        out[t] = uar - hr - r * ar + x * ai
        out[B + t] = ubr - hr - r * br + x * bi
        out[B2 + t] = ucr - hr - r * cr + x * ci
        out[B3 + t] = uai - hi - r * ai - x * ar
        out[B4 + t] = ubi - hi - r * bi - x * br
        out[B5 + t] = uci - hi - r * ci - x * cr


@njit(inline="always")
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


@njit(inline="always")
def _add(own: Any, below: Any) -> None:
    """Add the current of a child to that of its parent."""
    for t in range(B6):
        own[t] += below[t]


@njit(inline="always")
def _add_drawn(own: Any, offset: int, drawn: Any) -> None:
    """Add the current of one load row to its phase."""
    u = own[offset:]
    for t in range(B):
        real, imaginary, old_real, old_imaginary = drawn[t], drawn[B + t], u[t], u[B3 + t]
        u[t] = old_real + real
        u[B3 + t] = old_imaginary + imaginary


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _drawn_currents(row_node: Any, phase: Any, current: Any, j: Any) -> None:
    """Write to `j` what each node draws itself."""
    j[:] = 0.0
    for m in range(row_node.shape[0]):
        _add_drawn(j[row_node[m]], phase[m] * B, current[m])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _add_lines(first: int, last: int, parent: Any, j: Any) -> None:
    """Equation (2) for nodes below lines, from `last` (exclusive) up to `first`."""
    for i in range(last - 1, first - 1, -1):
        _add(j[parent[i]], j[i])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _turned_current(i: int, up: int, turn: Any, j: Any, buffer: Any) -> None:
    """Equation (2) for a transformer: add the turned current of node i to that of its parent."""
    _turn(j[i], turn, 0.0, buffer)
    for t in range(B6):
        j[up, t] += buffer[t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _backward(parent: Any, kind: Any, special: Any, turn: Any, j: Any, buffer: Any) -> None:
    """Equation (2) for one block: `j` enters as the nodes' own currents."""
    last = parent.shape[0]
    while last > 0:
        first = last
        while first > 0 and (kind[first - 1] == LINE or kind[first - 1] == EARTHED):
            first -= 1
        _add_lines(first, last, parent, j)
        if first > 0 and kind[first - 1] == TRAFO:
            _turned_current(first - 1, parent[first - 1], turn[special[first - 1]], j, buffer)
        last = first - 1


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _drop_lines(first: int, last: int, parent: Any, z: Any, j: Any, v: Any) -> None:
    """Equation (3) for the nodes `first` to `last` (exclusive), all below lines without earthed neutral."""
    for i in range(first, last):
        _drop(v[parent[i]], j[i], z[i, 0], z[i, 1], z[i, 2], z[i, 3], v[i])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _beyond(
    i: int, up: int, kind: int, special: int, turn: Any, source: Any, z: Any, neutral: Any, j: Any, k: Any, v: Any,
    buffer: Any,
) -> None:  # fmt: skip
    """Equation (3) below a source, a transformer or an earthed neutral: rare, so kept out of the loop over lines."""
    if kind == SOURCE:
        _source(j[i], source[special], v[i])
        return
    if kind == TRAFO:
        _turn(v[up], turn[special], 1.0, buffer)
    else:
        _with_earth(v[up], neutral[i, 4], neutral[i, 5], k[i], buffer)
    _drop(buffer, j[i], z[i, 0], z[i, 1], z[i, 2], z[i, 3], v[i])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _forward(
    parent: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, neutral: Any, j: Any, k: Any, v: Any,
    buffer: Any,
) -> None:  # fmt: skip
    """Equation (3) for one block."""
    first = 0
    while first < parent.shape[0]:
        last = first
        while last < parent.shape[0] and kind[last] == LINE:
            last += 1
        _drop_lines(first, last, parent, z, j, v)
        if last < parent.shape[0]:
            _beyond(last, parent[last], kind[last], special[last], turn, source, z, neutral, j, k, v, buffer)
        first = last + 1


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _draw_shunts(
    row_node: Any, phase: Any, weight: Any, shunt: Any, shunt_row: Any, pq: Any, v: Any, current: Any, lane: Any,
) -> None:  # fmt: skip
    """Equations (1) and (7) for the rows of nodes with shunts."""
    for m in range(row_node.shape[0]):
        i = row_node[m]
        if shunt_row[i] >= 0:
            draw_with_shunt(v[i], phase[m] * B, weight[i], pq[m], shunt[shunt_row[i]], current[m], lane)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _draw_loads(
    row_node: Any, phase: Any, weight: Any, shunt_row: Any, pq: Any, v: Any, current: Any, lane: Any,
) -> None:  # fmt: skip
    """Equations (1) and (7) for the rows of nodes without shunts."""
    for m in range(row_node.shape[0]):
        i = row_node[m]
        if shunt_row[i] < 0:
            draw(v[i], phase[m] * B, weight[i], pq[m], current[m], lane)


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
    parent: Any, kind: Any, special: Any, turn: Any, source: Any, z: Any, no_load: Any, shunt: Any, shunt_row: Any,
    neutral_node: Any, neutral_up: Any, neutral: Any, row_node: Any, phase: Any, weight: Any, pq: Any, current: Any,
    j: Any, k: Any, vn: Any, v: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block of a radial network.

    Parameters
    ----------
    parent : (n_node,) int64
        Node of the parent, -1 at sources; a parent precedes its children.
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
        As in `earth_currents`.
    row_node, phase : (n_row,) int64
        Node and phase of each row of loads, in ascending order.
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
    couples = (kind == EARTHED).any()
    current[:] = 0.0
    for i in range(parent.shape[0]):
        for p in range(6):
            v[i, p * B : (p + 1) * B] = no_load[i, p]
    # The first currents are those at no load; their part of (7) is the first change.
    _draw_loads(row_node, phase, weight, shunt_row, pq, v, current, lane)
    _draw_shunts(row_node, phase, weight, shunt, shunt_row, pq, v, current, lane)
    previous[:] = lane[B:]
    going = B
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _drawn_currents(row_node, phase, current, j)
        _backward(parent, kind, special, turn, j, buffer)
        if couples:
            earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
        _forward(parent, kind, special, turn, source, z, neutral, j, k, v, buffer)
        lane[B:] = 0.0
        _draw_loads(row_node, phase, weight, shunt_row, pq, v, current, lane)
        if shunt.shape[0]:
            _draw_shunts(row_node, phase, weight, shunt, shunt_row, pq, v, current, lane)
        going = _judge(lane, previous, tolerance, iteration, iterations)
    _drawn_currents(row_node, phase, current, j)
    _backward(parent, kind, special, turn, j, buffer)
    if couples:
        earth_currents(neutral_node, neutral_up, neutral, j, k, vn)
    else:
        neutral_voltages(neutral_node, neutral_up, neutral, j, vn)
    _forward(parent, kind, special, turn, source, z, neutral, j, k, v, buffer)
    _finish(lane, v, j, k, vn, status)
