r"""The sweep with loops, voltage-dependent loads and tap changers; equations (1) to (4) are those of `balanced`.

A load follows the voltage with shares of constant impedance :math:`s_z` and of constant current :math:`s_i`, for P and
for Q apart. In equation (1) it draws

.. math::
    \text{(5)}\quad P_c(V) = P_c\,(s_z |V_c|^2 + s_i |V_c| + 1 - s_z - s_i)

A loop is cut at one of its branches, between the nodes f and t, with the ratio c (complex where phase shifts do not add
up to zero around the loop) and the impedance z. The current i through the cut is a load at f and a feed at t:

.. math::
    \text{(6)}\quad & I_f \mathrel{+}= \bar c\, i, \qquad I_t \mathrel{-}= i \\
    \text{(7)}\quad & e = c V_f - V_t - z i, \qquad i \leftarrow i + Z^{-1} e

Z holds what one unit of current through each cut does to the mismatch of every cut, with no load in the tree; sources
that are connected to each other are loops too.

A tap changer has one set of ratio, impedance and shunts for each position. A lane that has arrived with a watched
voltage outside its band moves that tap changer by one position, as its mechanism does, and goes on.

References
----------
.. [1] D. Shirmohammadi et al., IEEE Transactions on Power Systems 3(2), 1988, equations 4 to 11 (breakpoints).
   DOI 10.1109/59.192932
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.arrival import judge
from gridcheck.powerflow._kernels.balanced import finish
from gridcheck.powerflow._kernels.layout import BLOCK, COLLAPSE_VM_PU
from gridcheck.powerflow._kernels.options import KERNEL, MAKER

# Where the imaginary parts of V and both parts of J begin in a row.
_VI, _JR, _JI = BLOCK, 2 * BLOCK, 3 * BLOCK

# Columns of a table of tap positions: equation (3) of the branch, its shunts at the parent's and at the node's end.
_A, _R, _X, _G_NEAR, _B_NEAR, _G_FAR, _B_FAR = range(7)


@njit(**KERNEL)
def _own_current(w: Any, gi: float, bi: float, load: int, pq: Any, shares: Any) -> None:
    """Equations (1) and (5) for one node: write its own current."""
    for t in range(2 * BLOCK):
        w[_JR + t] = 0.0
    if load >= 0:
        s = pq[load]
        pz = shares[load, 0]
        pi = shares[load, 1]
        qz = shares[load, 2]
        qi = shares[load, 3]
        for t in range(BLOCK):
            inverse = 1.0 / (w[t] * w[t] + w[_VI + t] * w[_VI + t])
            root = np.sqrt(inverse)
            p = s[t] * (pz + pi * root + (1.0 - pz - pi) * inverse)
            q = s[BLOCK + t] * (qz + qi * root + (1.0 - qz - qi) * inverse)
            w[_JR + t] = p * w[t] + q * w[_VI + t]
            w[_JI + t] = p * w[_VI + t] - q * w[t]
    if gi != 0.0 or bi != 0.0:
        for t in range(BLOCK):
            w[_JR + t] += gi * w[t] - bi * w[_VI + t]
            w[_JI + t] += gi * w[_VI + t] + bi * w[t]


@njit(**KERNEL)
def _tap_shunts(tap_node: Any, parent: Any, table: Any, position: Any, state: Any) -> None:
    """Add the currents into the shunts of branches with tap changers."""
    for k in range(tap_node.shape[0]):
        i = tap_node[k]
        up = parent[i]
        for t in range(BLOCK):
            row = table[k, position[k, t]]
            state[i, _JR + t] += row[_G_FAR] * state[i, t] - row[_B_FAR] * state[i, _VI + t]
            state[i, _JI + t] += row[_G_FAR] * state[i, _VI + t] + row[_B_FAR] * state[i, t]
            state[up, _JR + t] += row[_G_NEAR] * state[up, t] - row[_B_NEAR] * state[up, _VI + t]
            state[up, _JI + t] += row[_G_NEAR] * state[up, _VI + t] + row[_B_NEAR] * state[up, t]


@njit(**KERNEL)
def _loop_currents(loop_node: Any, loop_c: Any, loop_i: Any, state: Any) -> None:
    """Equation (6)."""
    for k in range(loop_node.shape[0]):
        f = loop_node[k, 0]
        to = loop_node[k, 1]
        cr = loop_c[k, 0]
        ci = loop_c[k, 1]
        for t in range(BLOCK):
            ir = loop_i[k, t]
            ii = loop_i[k, BLOCK + t]
            state[f, _JR + t] += cr * ir + ci * ii
            state[f, _JI + t] += cr * ii - ci * ir
            state[to, _JR + t] -= ir
            state[to, _JI + t] -= ii


@njit(**KERNEL)
def _close_loops(
    loop_node: Any, loop_c: Any, loop_z: Any, inverse: Any, loop_i: Any, e: Any, state: Any, active: Any
) -> None:
    """Equation (7) in the lanes that go on; `e` is scratch."""
    n = loop_node.shape[0]
    for k in range(n):
        f = loop_node[k, 0]
        to = loop_node[k, 1]
        for t in range(BLOCK):
            cr = loop_c[k, 0]
            ci = loop_c[k, 1]
            ir = loop_i[k, t]
            ii = loop_i[k, BLOCK + t]
            e[k, t] = cr * state[f, t] - ci * state[f, _VI + t] - state[to, t] - loop_z[k, 0] * ir + loop_z[k, 1] * ii
            e[k, BLOCK + t] = (
                cr * state[f, _VI + t] + ci * state[f, t] - state[to, _VI + t] - loop_z[k, 0] * ii - loop_z[k, 1] * ir
            )
    for k in range(n):
        for m in range(n):
            yr = inverse[0, k, m]
            yi = inverse[1, k, m]
            for t in range(BLOCK):
                if active[t] > 0.5:
                    loop_i[k, t] += yr * e[m, t] - yi * e[m, BLOCK + t]
                    loop_i[k, BLOCK + t] += yr * e[m, BLOCK + t] + yi * e[m, t]


@njit(**KERNEL)
def _backward(parent: Any, ratio: Any, tap: Any, table: Any, position: Any, state: Any) -> None:
    """Equation (2)."""
    for i in range(parent.shape[0] - 1, -1, -1):
        up = parent[i]
        if up < 0:
            continue
        k = tap[i]
        w = state[i]
        w_up = state[up]
        if k < 0:
            a = ratio[i]
            for t in range(2 * BLOCK):
                w_up[_JR + t] += a * w[_JR + t]
        else:
            for t in range(BLOCK):
                a = table[k, position[k, t], _A]
                w_up[_JR + t] += a * w[_JR + t]
                w_up[_JI + t] += a * w[_JI + t]


@njit(**MAKER)
def _forward(
    parent: Any, ratio: Any, r: Any, x: Any, tap: Any, table: Any, position: Any, state: Any,
    active: Any, change: Any,
) -> None:  # fmt: skip
    """Equation (3), and the largest change of a voltage per lane."""
    change[:] = 0.0
    a = np.empty(BLOCK)
    ri = np.empty(BLOCK)
    xi = np.empty(BLOCK)
    for i in range(parent.shape[0]):
        up = parent[i]
        if up < 0:
            continue
        a[:] = ratio[i]
        ri[:] = r[i]
        xi[:] = x[i]
        k = tap[i]
        if k >= 0:
            for t in range(BLOCK):
                row = table[k, position[k, t]]
                a[t] = row[_A]
                ri[t] = row[_R]
                xi[t] = row[_X]
        w = state[i]
        w_up = state[up]
        for t in range(BLOCK):
            new_r = a[t] * w_up[t] - ri[t] * w[_JR + t] + xi[t] * w[_JI + t]
            new_i = a[t] * w_up[_VI + t] - ri[t] * w[_JI + t] - xi[t] * w[_JR + t]
            real = new_r - w[t]
            imaginary = new_i - w[_VI + t]
            step = real * real + imaginary * imaginary
            change[t] = step if step > change[t] else change[t]
            w[t] = new_r if active[t] > 0.5 else w[t]
            w[_VI + t] = new_i if active[t] > 0.5 else w[_VI + t]
    for t in range(BLOCK):
        change[t] = np.sqrt(change[t])


@njit(**KERNEL)
def _move_taps(watched: Any, band: Any, table: Any, position: Any, state: Any, active: Any, previous: Any) -> int:
    """Move by one position where a watched voltage of an arrived lane is outside its band; return lanes that go on."""
    going = 0
    for t in range(BLOCK):
        if active[t] != 0.0:
            continue
        moved = False
        for k in range(watched.shape[0]):
            i = watched[k]
            vm = np.sqrt(state[i, t] * state[i, t] + state[i, _VI + t] * state[i, _VI + t])
            last = int(band[k, 3]) - 1
            raising = 1 if table[k, last, _A] > table[k, 0, _A] else -1
            want = 0
            if vm < band[k, 0]:
                want = raising
            elif vm > band[k, 1]:
                want = -raising
            place = position[k, t] + want
            if want != 0 and 0 <= place <= last:
                position[k, t] = place
                moved = True
        if moved:
            active[t] = 1.0
            previous[t] = 0.0
            going += 1
    return going


@njit(**KERNEL)
def _currents(
    parent: Any, g: Any, b: Any, load: Any, pq: Any, shares: Any, tap_node: Any, table: Any, position: Any,
    loop_node: Any, loop_c: Any, loop_i: Any, state: Any,
) -> None:  # fmt: skip
    """Write what every node draws: loads, shunts, cut loops."""
    for i in range(parent.shape[0]):
        _own_current(state[i], g[i], b[i], load[i], pq, shares)
    _tap_shunts(tap_node, parent, table, position, state)
    _loop_currents(loop_node, loop_c, loop_i, state)


@njit(**KERNEL)
def _give_up_collapsed(state: Any, active: Any) -> None:
    """Give up the lanes in which a voltage has collapsed."""
    for i in range(state.shape[0] - 1):
        for t in range(BLOCK):
            square = state[i, t] * state[i, t] + state[i, _VI + t] * state[i, _VI + t]
            active[t] = active[t] if square >= COLLAPSE_VM_PU * COLLAPSE_VM_PU else -1.0


@njit(**MAKER)
def sweep_general(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, shares: Any,
    tap: Any, tap_node: Any, table: Any, watched: Any, band: Any, position: Any,
    loop_node: Any, loop_c: Any, loop_z: Any, inverse: Any, loop_i: Any,
    state: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
) -> None:  # fmt: skip
    """Solve one block in place; arguments that are not named here as in `balanced.sweep`.

    Parameters
    ----------
    shares : (n_load, 4) float64
        z and i of P, z and i of Q.
    tap : (n_node,) int64
        Tap changer of the branch above each node, -1 for none; its shunts are not in `g` and `b`.
    tap_node : (n_tap,) int64
        The nodes below tap changers.
    table : (n_tap, n_position, 7) float64
        a, r, x, and g and b of the shunts at the near and at the far end, for each position.
    watched : (n_tap,) int64
        Node whose voltage each of them watches.
    band : (n_tap, 4) float64
        Lowest and highest voltage, position to begin with, number of positions.
    position : (n_tap, BLOCK) int64, written
    loop_node : (n_loop, 2) int64
        f and t of each cut.
    loop_c, loop_z : (n_loop, 2) float64
        c and z, real and imaginary part.
    inverse : (2, n_loop, n_loop) float64
        The inverse of Z, real and imaginary part.
    loop_i : (n_loop, 2 BLOCK) float64, written
        Current through each cut, in the frame of t. [pu]
    """
    active = np.ones(BLOCK)
    change = np.zeros(BLOCK)
    previous = np.zeros(BLOCK)
    no_rho = np.zeros(BLOCK)
    e = np.empty_like(loop_i)
    loop_i[:] = 0.0
    for k in range(position.shape[0]):
        position[k, :] = int(band[k, 2])
    going = BLOCK
    while going > 0:
        _currents(parent, g, b, load, pq, shares, tap_node, table, position, loop_node, loop_c, loop_i, state)
        _backward(parent, ratio, tap, table, position, state)
        _forward(parent, ratio, r, x, tap, table, position, state, active, change)
        going = judge(active, change, previous, no_rho, tolerance, iterations, max_iterations)
        _close_loops(loop_node, loop_c, loop_z, inverse, loop_i, e, state, active)
        going += _move_taps(watched, band, table, position, state, active, previous)
    _currents(parent, g, b, load, pq, shares, tap_node, table, position, loop_node, loop_c, loop_i, state)
    _backward(parent, ratio, tap, table, position, state)
    _give_up_collapsed(state, active)
    finish(active, state, status)
