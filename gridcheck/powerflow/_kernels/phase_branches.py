"""Currents and voltages across one branch: equations (2) and (3) of `phases`. No gridcheck types.

Rows are named by array and number instead of being passed as arrays of their own: those would be counted as
references at every node, which costs more than the arithmetic. For the same reason everything is read before anything
is written: only then does the compiler use vector instructions.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import PHASE_BLOCK

B = PHASE_BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(inline="always")
def clear(j: Any, i: int) -> None:
    """Write 0 to a row."""
    for t in range(B6):
        j[i, t] = 0.0


@njit(inline="always")
def copy_child(j: Any, i: int, child: int) -> None:
    """Write the current of the first child."""
    for t in range(B6):
        j[i, t] = j[child, t]


@njit(inline="always")
def add_child(j: Any, i: int, child: int) -> None:
    """Add the current of another child."""
    for t in range(B6):
        own = j[i, t]
        j[i, t] = own + j[child, t]


@njit(inline="always")
def add_drawn(j: Any, i: int, offset: int, current: Any, m: int) -> None:
    """Add the current of one load row; `offset` leads to its phase."""
    for t in range(B):
        real, imaginary, a, b = current[m, t], current[m, B + t], j[i, offset + t], j[i, offset + B3 + t]
        j[i, offset + t] = a + real
        j[i, offset + B3 + t] = b + imaginary


@njit(inline="always")
def drop(v: Any, up: int, i: int, j: Any, r: float, x: float, rh: float, xh: float) -> None:
    """Equation (3) for a line without earth current."""
    for t in range(B):
        ar, br, cr, ai, bi, ci = j[i, t], j[i, B + t], j[i, B2 + t], j[i, B3 + t], j[i, B4 + t], j[i, B5 + t]
        uar, ubr, ucr = v[up, t], v[up, B + t], v[up, B2 + t]
        uai, ubi, uci = v[up, B3 + t], v[up, B4 + t], v[up, B5 + t]
        sr = ar + br + cr
        si = ai + bi + ci
        hr = rh * sr - xh * si
        hi = rh * si + xh * sr
        v[i, t] = uar - hr - r * ar + x * ai
        v[i, B + t] = ubr - hr - r * br + x * bi
        v[i, B2 + t] = ucr - hr - r * cr + x * ci
        v[i, B3 + t] = uai - hi - r * ai - x * ar
        v[i, B4 + t] = ubi - hi - r * bi - x * br
        v[i, B5 + t] = uci - hi - r * ci - x * cr


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def drop_beside_earth(i: int, up: int, z: Any, neutral: Any, k: Any, j: Any, v: Any) -> None:
    """Equation (3) for a line beside which current flows through the earth."""
    r, x, rh, xh = z[i, 0], z[i, 1], z[i, 2], z[i, 3]
    er, ei = neutral[i, 4], neutral[i, 5]
    for t in range(B):
        ar, br, cr, ai, bi, ci = j[i, t], j[i, B + t], j[i, B2 + t], j[i, B3 + t], j[i, B4 + t], j[i, B5 + t]
        uar, ubr, ucr = v[up, t], v[up, B + t], v[up, B2 + t]
        uai, ubi, uci = v[up, B3 + t], v[up, B4 + t], v[up, B5 + t]
        kr, ki = k[i, t], k[i, B + t]
        sr = ar + br + cr
        si = ai + bi + ci
        hr = rh * sr - xh * si - er * kr + ei * ki
        hi = rh * si + xh * sr - er * ki - ei * kr
        v[i, t] = uar - hr - r * ar + x * ai
        v[i, B + t] = ubr - hr - r * br + x * bi
        v[i, B2 + t] = ucr - hr - r * cr + x * ci
        v[i, B3 + t] = uai - hi - r * ai - x * ar
        v[i, B4 + t] = ubi - hi - r * bi - x * br
        v[i, B5 + t] = uci - hi - r * ci - x * cr


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


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def above_trafo(i: int, child: int, turn: Any, n: int, kept: float, j: Any, buffer: Any) -> None:
    """Add the turned current of a child below a transformer to `kept` (1, or 0 for the first child) times the row."""
    _turn(j[child], turn[n], 0.0, buffer)
    for t in range(B6):
        j[i, t] = buffer[t] if kept < 0.5 else j[i, t] + buffer[t]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def below_trafo(i: int, up: int, turn: Any, n: int, z: Any, j: Any, v: Any, buffer: Any) -> None:
    """Equation (3) for a transformer."""
    _turn(v[up], turn[n], 1.0, buffer)
    for t in range(B6):
        v[i, t] = buffer[t]
    drop(v, i, i, j, z[i, 0], z[i, 1], z[i, 2], z[i, 3])


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


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def below_source(i: int, source: Any, n: int, j: Any, v: Any) -> None:
    """E - Z J for a source."""
    _source(j[i], source[n], v[i])
