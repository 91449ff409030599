"""Read solved blocks of phase voltages and currents into tables (n, 3, n_case) or (n, n_case). No gridcheck types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import PHASE_BLOCK

B = PHASE_BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B
_HALF_SQRT3 = 0.75**0.5
_DEGREE = 180.0 / np.pi


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def phase_magnitudes(v: Any, row: Any, first: int, out: Any) -> None:
    """Write the magnitudes of one block of voltages.

    Parameters
    ----------
    v : (n_node, 6 PHASE_BLOCK) float64
    row : (n_node,) int64
        Row of `out` for each node, -1 for none.
    first : int
        Column of `out` for the first lane.
    out : (n, 3, n_case) float64, written
        Lanes behind its last column are left out.
    """
    lanes = min(B, out.shape[2] - first)
    for i in range(v.shape[0]):
        if row[i] < 0:
            continue
        for p in range(3):
            u = v[i, p * B :]
            target = out[row[i], p, first:]
            for t in range(lanes):
                target[t] = np.sqrt(u[t] * u[t] + u[B3 + t] * u[B3 + t])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def phase_angles(v: Any, row: Any, first: int, out: Any) -> None:
    """Write the angles of one block of voltages in [-180, 180]; arguments as in `phase_magnitudes`. [degree]

    The arcus tangent is Cephes' rational approximation (S. L. Moshier, atan.c), right to the last bit or two; unlike
    the library's it has no branches, so that many are computed at once.
    """
    lanes = min(B, out.shape[2] - first)
    angle = np.empty(B)
    for i in range(v.shape[0]):
        if row[i] < 0:
            continue
        for p in range(3):
            u = v[i, p * B :]
            for t in range(B):
                x = abs(u[t])
                y = abs(u[B3 + t])
                low = y if y < x else x
                high = x if y < x else y
                # tan(pi/8): beyond it the angle is pi/4 plus that of the turned phasor, so one division serves both.
                far = low > 0.41421356237309503 * high
                top = low - high if far else low
                bottom = low + high if far else high
                a = top / bottom
                z = a * a
                numerator = (((-8.750608600031904122785e-1 * z - 1.615753718733365076637e1) * z
                              - 7.500855792314704667340e1) * z - 1.228866684490136173410e2) * z \
                    - 6.485021904942025371773e1  # fmt: skip
                denominator = ((((z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2) * z
                                + 4.328810604912902668951e2) * z + 4.853903996359136964868e2) * z \
                    + 1.945506571482613964425e2  # fmt: skip
                value = a + a * z * numerator / denominator
                value = value + 0.25 * np.pi if far else value
                value = value if y < x else 0.5 * np.pi - value
                value = value if u[t] >= 0.0 else np.pi - value
                angle[t] = (value if u[B3 + t] >= 0.0 else -value) * _DEGREE
            target = out[row[i], p, first:]
            for t in range(lanes):
                target[t] = angle[t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def unbalance(v: Any, row: Any, first: int, out: Any) -> None:
    """Write negative over positive sequence voltage, `out` (n, n_case); arguments as in `phase_magnitudes`. [%]"""
    lanes = min(B, out.shape[1] - first)
    for i in range(v.shape[0]):
        if row[i] < 0:
            continue
        u = v[i]
        target = out[row[i], first:]
        for t in range(lanes):
            # U_a - (U_b + U_c) / 2 is shared by both; the turned difference U_b - U_c has opposite signs.
            mr = u[t] - 0.5 * (u[B + t] + u[B2 + t])
            mi = u[B3 + t] - 0.5 * (u[B4 + t] + u[B5 + t])
            dr = -_HALF_SQRT3 * (u[B4 + t] - u[B5 + t])
            di = _HALF_SQRT3 * (u[B + t] - u[B2 + t])
            positive = (mr + dr) * (mr + dr) + (mi + di) * (mi + di)
            negative = (mr - dr) * (mr - dr) + (mi - di) * (mi - di)
            target[t] = 100.0 * np.sqrt(negative / positive)


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def neutral_shift(vn: Any, row: Any, scale: Any, first: int, out: Any) -> None:
    """Write the magnitudes of neutral voltages times `scale` (n_node,), `out` (n, n_case)."""
    lanes = min(B, out.shape[1] - first)
    for i in range(vn.shape[0]):
        if row[i] < 0:
            continue
        u = vn[i]
        target = out[row[i], first:]
        for t in range(lanes):
            target[t] = scale[i] * np.sqrt(u[t] * u[t] + u[B + t] * u[B + t])


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _end_current(j: Any, v: Any, y: Any, sign: float, out: Any) -> None:
    """Write J + sign (y U + y^h sum(U)), sign -1 at the far end; `y` (4,) as in the shunts of the sweep."""
    g, b, gh, bh = sign * y[0], sign * y[1], sign * y[2], sign * y[3]
    for t in range(B):
        sr = v[t] + v[B + t] + v[B2 + t]
        si = v[B3 + t] + v[B4 + t] + v[B5 + t]
        hr = gh * sr - bh * si
        hi = gh * si + bh * sr
        for p in range(3):
            o = p * B
            out[o + t] = j[o + t] + hr + g * v[o + t] - b * v[B3 + o + t]
            out[B3 + o + t] = j[B3 + o + t] + hi + g * v[B3 + o + t] + b * v[o + t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def _turn_back(j: Any, turn: Any, out: Any) -> None:
    """Write T transposed times J, the current at the parent's side of a transformer."""
    for part in range(2):
        x = j[part * B3 :]
        y = out[part * B3 :]
        for t in range(B):
            y[t] = turn[0] * x[t] + turn[2] * x[B + t] + turn[1] * x[B2 + t]
            y[B + t] = turn[1] * x[t] + turn[0] * x[B + t] + turn[2] * x[B2 + t]
            y[B2 + t] = turn[2] * x[t] + turn[1] * x[B + t] + turn[0] * x[B2 + t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
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
    scale : (n_table, n_node, 2)
        Near and far factor for each table, from pu into kA or percent.
    neutral_scale : (n_node, 2)
        The same for the neutral.
    v, j, k : as in the sweep
    row : (n_node,) int64
        Row of each branch, -1 for none.
    tables : (n_table, n, 3, n_case), neutral_out : (n, n_case), written
        0 in the rows of sources.
    """
    lanes = min(B, neutral_out.shape[1] - first)
    near = np.empty(6 * B)
    far = np.empty(6 * B)
    for i in range(parent.shape[0]):
        if row[i] < 0:
            continue
        is_source = parent[i] < 0
        upper = j[i]
        lower = j[i]
        if turn_row[i] >= 0:
            _turn_back(j[i], turn[turn_row[i]], near)
            upper = near
        if end_row[i] >= 0 and not is_source:
            _end_current(upper, v[parent[i]], near_y[end_row[i]], 1.0, near)
            _end_current(lower, v[i], far_y[end_row[i]], -1.0, far)
            upper = near
            lower = far
        for m in range(tables.shape[0]):
            up = 0.0 if is_source else scale[m, i, 0]
            down = 0.0 if is_source else scale[m, i, 1]
            for p in range(3):
                x = upper[p * B :]
                y = lower[p * B :]
                target = tables[m, row[i], p, first:]
                for t in range(lanes):
                    a = up * np.sqrt(x[t] * x[t] + x[B3 + t] * x[B3 + t])
                    b = down * np.sqrt(y[t] * y[t] + y[B3 + t] * y[B3 + t])
                    target[t] = b if b > a else a
        up = 0.0 if is_source else neutral_scale[i, 0]
        down = 0.0 if is_source else neutral_scale[i, 1]
        target = neutral_out[row[i], first:]
        for t in range(lanes):
            xr = upper[t] + upper[B + t] + upper[B2 + t] - k[i, t]
            xi = upper[B3 + t] + upper[B4 + t] + upper[B5 + t] - k[i, B + t]
            yr = lower[t] + lower[B + t] + lower[B2 + t] - k[i, t]
            yi = lower[B3 + t] + lower[B4 + t] + lower[B5 + t] - k[i, B + t]
            a = up * np.sqrt(xr * xr + xi * xi)
            b = down * np.sqrt(yr * yr + yi * yi)
            target[t] = b if b > a else a


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def phase_losses(
    r: Any, rh: Any, re: Any, rn: Any, earth: Any, shunt: Any, shunt_row: Any, v: Any, j: Any, k: Any, vn: Any,
    first: int, out: Any,
) -> None:  # fmt: skip
    r"""Write the losses of one block, shape (n_case,). [pu of one phase]

    .. math:: \sum r \sum_p |J_p|^2 + r^h |S|^2 + r^n |K|^2 - 2 r^e \Re(S^* K) + g_E |V^n|^2
        + g \sum_p |U_p|^2 + g^h |\sum_p U_p|^2

    `r`, `rh`, `re`, `rn`, `earth` (n_node,) stand for r, r^h, r^e, r^n and g_E; the other arguments as in the sweep.
    """
    lanes = min(B, out.shape[0] - first)
    total = np.zeros(B)
    for i in range(r.shape[0]):
        c = j[i]
        e = k[i]
        n = vn[i]
        for t in range(B):
            sr = c[t] + c[B + t] + c[B2 + t]
            si = c[B3 + t] + c[B4 + t] + c[B5 + t]
            own = c[t] * c[t] + c[B + t] * c[B + t] + c[B2 + t] * c[B2 + t]
            own += c[B3 + t] * c[B3 + t] + c[B4 + t] * c[B4 + t] + c[B5 + t] * c[B5 + t]
            lost = r[i] * own + rh[i] * (sr * sr + si * si) + rn[i] * (e[t] * e[t] + e[B + t] * e[B + t])
            lost += earth[i] * (n[t] * n[t] + n[B + t] * n[B + t]) - 2.0 * re[i] * (sr * e[t] + si * e[B + t])
            total[t] += lost
        if shunt_row[i] >= 0:
            g = shunt[shunt_row[i], 0]
            gh = shunt[shunt_row[i], 2]
            u = v[i]
            for t in range(B):
                sr = u[t] + u[B + t] + u[B2 + t]
                si = u[B3 + t] + u[B4 + t] + u[B5 + t]
                own = u[t] * u[t] + u[B + t] * u[B + t] + u[B2 + t] * u[B2 + t]
                own += u[B3 + t] * u[B3 + t] + u[B4 + t] * u[B4 + t] + u[B5 + t] * u[B5 + t]
                total[t] += g * own + gh * (sr * sr + si * si)
    for t in range(lanes):
        out[first + t] = total[t]
