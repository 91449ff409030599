"""Currents and voltages across one branch: equations (2) and (3) of `phases`. No gridcheck types.

Rows are named by array and number instead of being passed as arrays of their own: those would be counted as references
at every node, which costs more than the arithmetic. Every loop reads and writes few rows, by way of a scratch row where
that helps: then the compiler can prove them apart and use vector instructions. All of it works in single and in double
precision.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import PART

B = BLOCK
B2, B3, B4, B5, B6 = 2 * B, 3 * B, 4 * B, 5 * B, 6 * B


@njit(**PART)
def fill(value: Any, out: Any, n: int) -> None:
    """Write one value to a whole row."""
    for t in range(B6):
        out[n, t] = value


@njit(**PART)
def copy(given: Any, m: int, out: Any, n: int) -> None:
    """Write row m to row n."""
    for t in range(B6):
        out[n, t] = given[m, t]


@njit(**PART)
def add(given: Any, m: int, out: Any, n: int) -> None:
    """Add row m to row n."""
    for t in range(B6):
        out[n, t] += given[m, t]


@njit(**PART)
def take_over(below: Any, d: int, zero: Any, u: Any) -> None:
    """Add what was drawn from depth d to the first row of `u`, and begin anew there."""
    for t in range(B6):
        u[0, t] += below[d, t]
        below[d, t] = zero


@njit(**PART)
def add_drawn(current: Any, m: int, u: Any, offset: int) -> None:
    """Add the current of load m to the first row of `u`; `offset` leads to its phase."""
    for t in range(B):
        u[0, offset + t] += current[m, t]
        u[0, offset + B3 + t] += current[m, B + t]


@njit(**PART)
def drop(v: Any, up: int, j: Any, i: int, r: Any, x: Any, rh: Any, xh: Any, out: Any, n: int) -> None:
    """Equation (3) for a line without earth current: write the voltage of node i to row n."""
    for t in range(B):
        ar, br, cr, ai, bi, ci = j[i, t], j[i, B + t], j[i, B2 + t], j[i, B3 + t], j[i, B4 + t], j[i, B5 + t]
        sr = ar + br + cr
        si = ai + bi + ci
        hr = rh * sr - xh * si
        hi = rh * si + xh * sr
        out[n, t] = v[up, t] - hr - r * ar + x * ai
        out[n, B + t] = v[up, B + t] - hr - r * br + x * bi
        out[n, B2 + t] = v[up, B2 + t] - hr - r * cr + x * ci
        out[n, B3 + t] = v[up, B3 + t] - hi - r * ai - x * ar
        out[n, B4 + t] = v[up, B4 + t] - hi - r * bi - x * br
        out[n, B5 + t] = v[up, B5 + t] - hi - r * ci - x * cr


@njit(**PART)
def rise_beside_earth(k: Any, i: int, er: Any, ei: Any, out: Any, n: int) -> None:
    """Add what equation (3) has more where current flows through the earth."""
    for t in range(B):
        hr = er * k[i, t] - ei * k[i, B + t]
        out[n, t] += hr
        out[n, B + t] += hr
        out[n, B2 + t] += hr
    for t in range(B):
        hi = er * k[i, B + t] + ei * k[i, t]
        out[n, B3 + t] += hi
        out[n, B4 + t] += hi
        out[n, B5 + t] += hi


@njit(**PART)
def turned(given: Any, m: int, m0: Any, m1: Any, m2: Any, out: Any) -> None:
    """Write T times row m to the first row of `out`, with (m0, m1, m2) the first row of T."""
    for o in range(0, B6, B3):
        for t in range(B):
            out[0, o + t] = m0 * given[m, o + t] + m1 * given[m, o + B + t] + m2 * given[m, o + B2 + t]
        for t in range(B):
            out[0, o + B + t] = m2 * given[m, o + t] + m0 * given[m, o + B + t] + m1 * given[m, o + B2 + t]
        for t in range(B):
            out[0, o + B2 + t] = m1 * given[m, o + t] + m2 * given[m, o + B + t] + m0 * given[m, o + B2 + t]


@njit(**PART)
def below_source(j: Any, i: int, source: Any, k: int, out: Any, n: int) -> None:
    """Write E - Z J to row n; row k of `source` holds E real and imaginary by phase, then the first row of Z so."""
    for p in range(3):
        o0 = p * B
        o1 = ((p + 1) % 3) * B
        o2 = ((p + 2) % 3) * B
        for t in range(B):
            dr = source[k, 6] * j[i, o0 + t] - source[k, 9] * j[i, B3 + o0 + t]
            dr += source[k, 7] * j[i, o1 + t] - source[k, 10] * j[i, B3 + o1 + t]
            dr += source[k, 8] * j[i, o2 + t] - source[k, 11] * j[i, B3 + o2 + t]
            di = source[k, 6] * j[i, B3 + o0 + t] + source[k, 9] * j[i, o0 + t]
            di += source[k, 7] * j[i, B3 + o1 + t] + source[k, 10] * j[i, o1 + t]
            di += source[k, 8] * j[i, B3 + o2 + t] + source[k, 11] * j[i, o2 + t]
            out[n, o0 + t] = source[k, p] - dr
            out[n, B3 + o0 + t] = source[k, 3 + p] - di
