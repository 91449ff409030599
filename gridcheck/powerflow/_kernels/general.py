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

from gridcheck.powerflow._kernels.balanced import _finish
from gridcheck.powerflow._kernels.balanced import judge as _judge
from gridcheck.powerflow._kernels.layout import BLOCK

# Columns of a table of tap positions: equation (3) of the branch, its shunts at the parent's and at the node's end.
_A, _R, _X, _G_NEAR, _B_NEAR, _G_FAR, _B_FAR = range(7)


@njit(cache=True, nogil=True, error_model="numpy")
def _own_current(vi: Any, ji: Any, gi: float, bi: float, load: int, pq: Any, shares: Any) -> None:
    """Equations (1) and (5) for one node: write its own current to `ji`."""
    for t in range(2 * BLOCK):
        ji[t] = 0.0
    if load >= 0:
        s = pq[load]
        pz = shares[load, 0]
        pi = shares[load, 1]
        qz = shares[load, 2]
        qi = shares[load, 3]
        for t in range(BLOCK):
            inverse = 1.0 / (vi[t] * vi[t] + vi[BLOCK + t] * vi[BLOCK + t])
            root = np.sqrt(inverse)
            p = s[t] * (pz + pi * root + (1.0 - pz - pi) * inverse)
            q = s[BLOCK + t] * (qz + qi * root + (1.0 - qz - qi) * inverse)
            ji[t] = p * vi[t] + q * vi[BLOCK + t]
            ji[BLOCK + t] = p * vi[BLOCK + t] - q * vi[t]
    if gi != 0.0 or bi != 0.0:
        for t in range(BLOCK):
            ji[t] += gi * vi[t] - bi * vi[BLOCK + t]
            ji[BLOCK + t] += gi * vi[BLOCK + t] + bi * vi[t]


@njit(cache=True, nogil=True)
def _tap_shunts(tap_node: Any, parent: Any, table: Any, position: Any, v: Any, j: Any) -> None:
    """Add the currents into the shunts of branches with tap changers."""
    for k in range(tap_node.shape[0]):
        i = tap_node[k]
        up = parent[i]
        for t in range(BLOCK):
            row = table[k, position[k, t]]
            j[i, t] += row[_G_FAR] * v[i, t] - row[_B_FAR] * v[i, BLOCK + t]
            j[i, BLOCK + t] += row[_G_FAR] * v[i, BLOCK + t] + row[_B_FAR] * v[i, t]
            j[up, t] += row[_G_NEAR] * v[up, t] - row[_B_NEAR] * v[up, BLOCK + t]
            j[up, BLOCK + t] += row[_G_NEAR] * v[up, BLOCK + t] + row[_B_NEAR] * v[up, t]


@njit(cache=True, nogil=True)
def _loop_currents(loop_node: Any, loop_c: Any, loop_i: Any, j: Any) -> None:
    """Equation (6)."""
    for k in range(loop_node.shape[0]):
        f = loop_node[k, 0]
        to = loop_node[k, 1]
        cr = loop_c[k, 0]
        ci = loop_c[k, 1]
        for t in range(BLOCK):
            ir = loop_i[k, t]
            ii = loop_i[k, BLOCK + t]
            j[f, t] += cr * ir + ci * ii
            j[f, BLOCK + t] += cr * ii - ci * ir
            j[to, t] -= ir
            j[to, BLOCK + t] -= ii


@njit(cache=True, nogil=True)
def _close_loops(
    loop_node: Any, loop_c: Any, loop_z: Any, inverse: Any, loop_i: Any, e: Any, v: Any, active: Any
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
            e[k, t] = cr * v[f, t] - ci * v[f, BLOCK + t] - v[to, t] - loop_z[k, 0] * ir + loop_z[k, 1] * ii
            e[k, BLOCK + t] = (
                cr * v[f, BLOCK + t] + ci * v[f, t] - v[to, BLOCK + t] - loop_z[k, 0] * ii - loop_z[k, 1] * ir
            )
    for k in range(n):
        for m in range(n):
            yr = inverse[0, k, m]
            yi = inverse[1, k, m]
            for t in range(BLOCK):
                if active[t] > 0.5:
                    loop_i[k, t] += yr * e[m, t] - yi * e[m, BLOCK + t]
                    loop_i[k, BLOCK + t] += yr * e[m, BLOCK + t] + yi * e[m, t]


@njit(cache=True, nogil=True, error_model="numpy")
def _backward(parent: Any, ratio: Any, tap: Any, table: Any, position: Any, j: Any) -> None:
    """Equation (2)."""
    for i in range(parent.shape[0] - 1, -1, -1):
        up = parent[i]
        if up < 0:
            continue
        k = tap[i]
        ji = j[i]
        j_up = j[up]
        if k < 0:
            a = ratio[i]
            for t in range(2 * BLOCK):
                j_up[t] += a * ji[t]
        else:
            for t in range(BLOCK):
                a = table[k, position[k, t], _A]
                j_up[t] += a * ji[t]
                j_up[BLOCK + t] += a * ji[BLOCK + t]


@njit(cache=True, nogil=True, error_model="numpy")
def _forward(
    parent: Any, ratio: Any, r: Any, x: Any, tap: Any, table: Any, position: Any, v: Any, j: Any,
    active: Any, change: Any,
) -> None:  # fmt: skip
    """Equation (3), and the largest squared change of a voltage per lane."""
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
        vi = v[i]
        ji = j[i]
        v_up = v[up]
        for t in range(BLOCK):
            new_r = a[t] * v_up[t] - ri[t] * ji[t] + xi[t] * ji[BLOCK + t]
            new_i = a[t] * v_up[BLOCK + t] - ri[t] * ji[BLOCK + t] - xi[t] * ji[t]
            real = new_r - vi[t]
            imaginary = new_i - vi[BLOCK + t]
            step = real * real + imaginary * imaginary
            change[t] = step if step > change[t] else change[t]
            vi[t] = new_r if active[t] > 0.5 else vi[t]
            vi[BLOCK + t] = new_i if active[t] > 0.5 else vi[BLOCK + t]


@njit(cache=True, nogil=True)
def _move_taps(watched: Any, band: Any, table: Any, position: Any, v: Any, active: Any, previous: Any) -> int:
    """Move by one position where a watched voltage of an arrived lane is outside its band; return lanes that go on."""
    going = 0
    for t in range(BLOCK):
        if active[t] != 0.0:
            continue
        moved = False
        for k in range(watched.shape[0]):
            i = watched[k]
            vm = np.sqrt(v[i, t] * v[i, t] + v[i, BLOCK + t] * v[i, BLOCK + t])
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


@njit(cache=True, nogil=True)
def _currents(
    parent: Any, g: Any, b: Any, load: Any, pq: Any, shares: Any, tap_node: Any, table: Any, position: Any,
    loop_node: Any, loop_c: Any, loop_i: Any, v: Any, j: Any,
) -> None:  # fmt: skip
    """Write what every node draws: loads, shunts, cut loops."""
    for i in range(parent.shape[0]):
        _own_current(v[i], j[i], g[i], b[i], load[i], pq, shares)
    _tap_shunts(tap_node, parent, table, position, v, j)
    _loop_currents(loop_node, loop_c, loop_i, j)


@njit(cache=True, nogil=True)
def sweep_general(
    parent: Any, ratio: Any, r: Any, x: Any, g: Any, b: Any, load: Any, pq: Any, shares: Any,
    tap: Any, tap_node: Any, table: Any, watched: Any, band: Any, position: Any,
    loop_node: Any, loop_c: Any, loop_z: Any, inverse: Any, loop_i: Any,
    v: Any, j: Any, status: Any, iterations: Any, tolerance: float, max_iterations: int,
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
    e = np.empty_like(loop_i)
    loop_i[:] = 0.0
    for k in range(position.shape[0]):
        position[k, :] = int(band[k, 2])
    going = BLOCK
    iteration = 0
    while going > 0 and iteration < max_iterations:
        iteration += 1
        _currents(parent, g, b, load, pq, shares, tap_node, table, position, loop_node, loop_c, loop_i, v, j)
        _backward(parent, ratio, tap, table, position, j)
        _forward(parent, ratio, r, x, tap, table, position, v, j, active, change)
        going = _judge(active, change, previous, tolerance, iteration, iterations)
        _close_loops(loop_node, loop_c, loop_z, inverse, loop_i, e, v, active)
        going += _move_taps(watched, band, table, position, v, active, previous)
    _currents(parent, g, b, load, pq, shares, tap_node, table, position, loop_node, loop_c, loop_i, v, j)
    _backward(parent, ratio, tap, table, position, j)
    _finish(active, v, j, status)
