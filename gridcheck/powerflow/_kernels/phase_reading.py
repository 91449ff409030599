"""Read solved blocks of phase voltages and currents into tables of whole blocks. No gridcheck types.

Tables are (n, 3, n_column) or (n, n_column), with columns for all lanes of all blocks, so that every loop has a fixed
length; lanes behind the last case are cut off by who owns the table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import KERNEL, MAKER, PART

B = BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B
_HALF_SQRT3 = 0.75**0.5
_DEGREE = 180.0 / np.pi


@njit(**PART)
def _length(v: Any, i: int, offset: int, distance: int, scale: float, out: Any, first: int, width: int) -> None:
    """Write the scaled magnitudes of one phase of row i; the imaginary parts stand `distance` behind the real ones.

    The compiler does not know `width`: it would unroll a short loop of square roots before it looks for vectors.
    """
    for t in range(width):
        real, imaginary = v[i, offset + t], v[i, offset + distance + t]
        out[first + t] = scale * np.sqrt(real * real + imaginary * imaginary)


@njit(**KERNEL)
def phase_magnitudes(v: Any, row: Any, first: int, out: Any) -> None:
    """Write the magnitudes of one block of voltages.

    Parameters
    ----------
    v : (n_node, 6 BLOCK) float64
    row : (n_node,) int64
        Row of `out` for each node, -1 for none.
    first : int
        Column of `out` for the first lane; a whole block is written.
    out : (n, 3, n_column) float64, written
    """
    width = v.shape[1] // 6
    for i in range(v.shape[0]):
        if row[i] >= 0:
            for p in range(3):
                _length(v, i, p * width, 3 * width, 1.0, out[row[i], p], first, width)


@njit(**PART)
def _angle(v: Any, offset: int, out: Any, first: int) -> None:
    u = v[offset:]
    target = out[first:]
    for t in range(B):
        real, imaginary = u[t], u[B3 + t]
        x = abs(real)
        y = abs(imaginary)
        low = y if y < x else x
        high = x if y < x else y
        # tan(pi/8): beyond it the angle is pi/4 plus that of the turned phasor, so one division serves both.
        far = low > 0.41421356237309503 * high
        top = low - high if far else low
        bottom = low + high if far else high
        a = top / bottom
        z = a * a
        numerator = (((-8.750608600031904122785e-1 * z - 1.615753718733365076637e1) * z - 7.500855792314704667340e1)
                     * z - 1.228866684490136173410e2) * z - 6.485021904942025371773e1  # fmt: skip
        denominator = ((((z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2) * z
                        + 4.328810604912902668951e2) * z + 4.853903996359136964868e2) * z \
            + 1.945506571482613964425e2  # fmt: skip
        value = a + a * z * numerator / denominator
        value = value + 0.25 * np.pi if far else value
        value = value if y < x else 0.5 * np.pi - value
        value = value if real >= 0.0 else np.pi - value
        target[t] = (value if imaginary >= 0.0 else -value) * _DEGREE


@njit(**KERNEL)
def phase_angles(v: Any, row: Any, first: int, out: Any) -> None:
    """Write the angles of one block of voltages in [-180, 180]; arguments as in `phase_magnitudes`. [degree]

    The arcus tangent is Cephes' rational approximation (S. L. Moshier, atan.c), right to the last bit or two; unlike
    the library's it has no branches, so that many are computed at once.
    """
    for i in range(v.shape[0]):
        if row[i] >= 0:
            for p in range(3):
                _angle(v[i], p * B, out[row[i], p], first)


@njit(**PART)
def _unbalance(u: Any, out: Any, first: int) -> None:
    target = out[first:]
    for t in range(B):
        # U_a - (U_b + U_c) / 2 is shared by both; the turned difference U_b - U_c has opposite signs.
        mr = u[t] - 0.5 * (u[B + t] + u[B2 + t])
        mi = u[B3 + t] - 0.5 * (u[B4 + t] + u[B5 + t])
        dr = -_HALF_SQRT3 * (u[B4 + t] - u[B5 + t])
        di = _HALF_SQRT3 * (u[B + t] - u[B2 + t])
        positive = (mr + dr) * (mr + dr) + (mi + di) * (mi + di)
        negative = (mr - dr) * (mr - dr) + (mi - di) * (mi - di)
        target[t] = 100.0 * np.sqrt(negative / positive)


@njit(**KERNEL)
def unbalance(v: Any, row: Any, first: int, out: Any) -> None:
    """Write negative over positive sequence voltage, `out` (n, n_column); arguments as in `phase_magnitudes`. [%]"""
    for i in range(v.shape[0]):
        if row[i] >= 0:
            _unbalance(v[i], out[row[i]], first)


@njit(**KERNEL)
def neutral_shift(vn: Any, row: Any, scale: Any, first: int, out: Any) -> None:
    """Write the magnitudes of neutral voltages times `scale` (n_node,), `out` (n, n_column)."""
    width = vn.shape[1] // 2
    for i in range(vn.shape[0]):
        if row[i] >= 0:
            _length(vn, i, 0, width, scale[i], out[row[i]], first, width)


@njit(**KERNEL)
def _end_current(v: Any, y: Any, sign: float, out: Any) -> None:
    """Add sign (y U + y^h sum(U)), sign -1 at the far end; `y` (4,) as in the shunts of the sweep."""
    g, b, gh, bh = sign * y[0], sign * y[1], sign * y[2], sign * y[3]
    for t in range(B):
        sr = v[t] + v[B + t] + v[B2 + t]
        si = v[B3 + t] + v[B4 + t] + v[B5 + t]
        hr = gh * sr - bh * si
        hi = gh * si + bh * sr
        for p in range(3):
            o = p * B
            out[o + t] += hr + g * v[o + t] - b * v[B3 + o + t]
            out[B3 + o + t] += hi + g * v[B3 + o + t] + b * v[o + t]


@njit(**KERNEL)
def _turn_back(j: Any, turn: Any, out: Any) -> None:
    """Write T transposed times J, the current at the parent's side of a transformer."""
    for part in range(2):
        x = j[part * B3 :]
        y = out[part * B3 :]
        for t in range(B):
            y[t] = turn[0] * x[t] + turn[2] * x[B + t] + turn[1] * x[B2 + t]
            y[B + t] = turn[1] * x[t] + turn[0] * x[B + t] + turn[2] * x[B2 + t]
            y[B2 + t] = turn[2] * x[t] + turn[1] * x[B + t] + turn[0] * x[B2 + t]


@njit(**PART)
def _neutral_length(j: Any, k: Any, scale: float, out: Any, first: int) -> None:
    """Write the scaled magnitude of the sum of the phases less what flows through the earth."""
    target = out[first:]
    for t in range(B):
        real = j[t] + j[B + t] + j[B2 + t] - k[t]
        imaginary = j[B3 + t] + j[B4 + t] + j[B5 + t] - k[B + t]
        target[t] = scale * np.sqrt(real * real + imaginary * imaginary)


@njit(**KERNEL)
def _both_ends(
    i: int, target_row: int, near: Any, far: Any, scale: Any, neutral_scale: Any, k: Any, first: int, tables: Any,
    neutral_out: Any,
) -> None:  # fmt: skip
    """Write the larger of the scaled currents at both ends of one branch."""
    for m in range(tables.shape[0]):
        for p in range(3):
            for t in range(B):
                x, y = near[p * B + t], near[B3 + p * B + t]
                a = scale[m, i, 0] * np.sqrt(x * x + y * y)
                x, y = far[p * B + t], far[B3 + p * B + t]
                b = scale[m, i, 1] * np.sqrt(x * x + y * y)
                tables[m, target_row, p, first + t] = b if b > a else a
    for t in range(B):
        x = near[t] + near[B + t] + near[B2 + t] - k[i, t]
        y = near[B3 + t] + near[B4 + t] + near[B5 + t] - k[i, B + t]
        a = neutral_scale[i, 0] * np.sqrt(x * x + y * y)
        x = far[t] + far[B + t] + far[B2 + t] - k[i, t]
        y = far[B3 + t] + far[B4 + t] + far[B5 + t] - k[i, B + t]
        b = neutral_scale[i, 1] * np.sqrt(x * x + y * y)
        neutral_out[target_row, first + t] = b if b > a else a


@njit(**KERNEL)
def _uneven_branch(
    i: int, up: int, target_row: int, turn_row: int, turn: Any, end_row: int, near_y: Any, far_y: Any, scale: Any,
    neutral_scale: Any, v: Any, j: Any, k: Any, first: int, tables: Any, neutral_out: Any, near: Any, far: Any,
) -> None:  # fmt: skip
    """Write the currents of a branch whose ends differ: a transformer, or one with shunts."""
    if turn_row >= 0:
        _turn_back(j[i], turn[turn_row], near)
    else:
        for t in range(6 * B):
            near[t] = j[i, t]
    for t in range(6 * B):
        far[t] = j[i, t]
    if end_row >= 0:
        _end_current(v[up], near_y[end_row], 1.0, near)
        _end_current(v[i], far_y[end_row], -1.0, far)
    _both_ends(i, target_row, near, far, scale, neutral_scale, k, first, tables, neutral_out)


@njit(**PART)
def _lengths(j: Any, offset: int, one: float, other: float, out: Any, other_out: Any, first: int) -> None:
    """Write the magnitudes of one phase in two scales."""
    u = j[offset:]
    target = out[first:]
    other_target = other_out[first:]
    for t in range(B):
        real, imaginary = u[t], u[B3 + t]
        length = np.sqrt(real * real + imaginary * imaginary)
        target[t] = one * length
        other_target[t] = other * length


@njit(**KERNEL)
def _even_branches(
    parent: Any, turn_row: Any, end_row: Any, scale: Any, j: Any, row: Any, first: int, tables: Any,
) -> None:  # fmt: skip
    """Write the phase currents of branches that carry the same from end to end."""
    last = tables.shape[0] - 1
    for i in range(parent.shape[0]):
        if row[i] >= 0 and parent[i] >= 0 and turn_row[i] < 0 and end_row[i] < 0:
            # The first and the last table are all there are.
            one = max(scale[0, i, 0], scale[0, i, 1])
            other = max(scale[last, i, 0], scale[last, i, 1])
            for p in range(3):
                _lengths(j[i], p * B, one, other, tables[0, row[i], p], tables[last, row[i], p], first)


@njit(**KERNEL)
def _even_neutrals(
    parent: Any, turn_row: Any, end_row: Any, neutral_scale: Any, j: Any, k: Any, row: Any, first: int, out: Any,
) -> None:  # fmt: skip
    """Write the neutral currents of branches that carry the same from end to end."""
    for i in range(parent.shape[0]):
        if row[i] >= 0 and parent[i] >= 0 and turn_row[i] < 0 and end_row[i] < 0:
            _neutral_length(j[i], k[i], neutral_scale[i, 1], out[row[i]], first)


@njit(**MAKER)
def phase_currents(
    parent: Any, turn_row: Any, turn: Any, end_row: Any, near_y: Any, far_y: Any, scale: Any, neutral_scale: Any,
    v: Any, j: Any, k: Any, row: Any, first: int, tables: Any, neutral_out: Any,
) -> None:  # fmt: skip
    """Write the larger of the scaled currents at both ends of the branch above each node, by phase and in the neutral.

    Parameters
    ----------
    parent : (n_node,) int64
    turn_row : (n_node,) int64, turn : (n_trafo, 3)
        Transformer above each node, -1 for none, and its T.
    end_row : (n_node,) int64, near_y, far_y : (n_end, 4)
        Shunts at the ends of the branch above each node, -1 for none. [pu]
    scale : (1 or 2, n_node, 2)
        Near and far factor for each table, from pu into kA or percent.
    neutral_scale : (n_node, 2)
        The same for the neutral.
    v, j, k : as in the sweep
    row : (n_node,) int64
        Row of each branch, -1 for none.
    tables : (1 or 2, n, 3, n_column), neutral_out : (n, n_column), written
        A whole block from column `first` on; 0 in the rows of sources.
    """
    near = np.empty(6 * B)
    far = np.empty(6 * B)
    for i in range(parent.shape[0]):
        if row[i] < 0:
            continue
        if parent[i] < 0:
            tables[:, row[i], :, first : first + B] = 0.0
            neutral_out[row[i], first : first + B] = 0.0
        elif turn_row[i] >= 0 or end_row[i] >= 0:
            _uneven_branch(
                i, parent[i], row[i], turn_row[i], turn, end_row[i], near_y, far_y, scale, neutral_scale, v, j, k,
                first, tables, neutral_out, near, far,
            )  # fmt: skip
    _even_branches(parent, turn_row, end_row, scale, j, row, first, tables)
    _even_neutrals(parent, turn_row, end_row, neutral_scale, j, k, row, first, neutral_out)


@njit(**PART)
def _series_loss(
    c: Any, e: Any, n: Any, r: float, rh: float, re: float, rn: float, earth: float, total: Any,
) -> None:  # fmt: skip
    """Add the losses of one branch, its neutral, and the earthing below it."""
    for t in range(B):
        ar, br, cr, ai, bi, ci = c[t], c[B + t], c[B2 + t], c[B3 + t], c[B4 + t], c[B5 + t]
        er, ei, nr, ni, before = e[t], e[B + t], n[t], n[B + t], total[t]
        sr = ar + br + cr
        si = ai + bi + ci
        lost = r * (ar * ar + ai * ai + br * br + bi * bi + cr * cr + ci * ci) + rh * (sr * sr + si * si)
        lost += rn * (er * er + ei * ei) + earth * (nr * nr + ni * ni) - 2.0 * re * (sr * er + si * ei)
        total[t] = before + lost


@njit(**PART)
def _shunt_loss(u: Any, g: float, gh: float, total: Any) -> None:
    """Add the losses of the shunts of one node."""
    for t in range(B):
        ar, br, cr, ai, bi, ci = u[t], u[B + t], u[B2 + t], u[B3 + t], u[B4 + t], u[B5 + t]
        sr = ar + br + cr
        si = ai + bi + ci
        own = ar * ar + ai * ai + br * br + bi * bi + cr * cr + ci * ci
        total[t] += g * own + gh * (sr * sr + si * si)


@njit(**MAKER)
def phase_losses(
    r: Any, rh: Any, re: Any, rn: Any, earth: Any, shunt: Any, shunt_row: Any, v: Any, j: Any, k: Any, vn: Any,
    first: int, out: Any,
) -> None:  # fmt: skip
    r"""Write the losses of one block, `out` (n_column,). [pu of one phase]

    .. math:: \sum r \sum_p |J_p|^2 + r^h |S|^2 + r^n |K|^2 - 2 r^e \Re(S^* K) + g_E |V^n|^2
        + g \sum_p |U_p|^2 + g^h |\sum_p U_p|^2

    `r`, `rh`, `re`, `rn`, `earth` (n_node,) stand for r, r^h, r^e, r^n and g_E; the other arguments as in the sweep.
    """
    total = np.zeros(B)
    for i in range(r.shape[0]):
        _series_loss(j[i], k[i], vn[i], r[i], rh[i], re[i], rn[i], earth[i], total)
    for i in range(r.shape[0]):
        if shunt_row[i] >= 0:
            _shunt_loss(v[i], shunt[shunt_row[i], 0], shunt[shunt_row[i], 2], total)
    out[first : first + B] = total
