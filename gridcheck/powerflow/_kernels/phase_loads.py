"""What loads and shunts draw by phase: equation (1) of `phases`. No gridcheck types."""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import PART

B = BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B


@njit(**PART)
def draw(
    v: Any, d: int, offset: int, pq: Any, m: int, weight: Any, one: Any, half: Any, current: Any, lane: Any
) -> None:
    """Equation (1) without shunts for load m where a lane goes on, and its part of (7); `offset` leads to its phase."""
    for t in range(B):
        ur, ui, p, q = v[d, offset + t], v[d, offset + B3 + t], pq[m, t], pq[m, B + t]
        before_r, before_i = current[m, t], current[m, B + t]
        inverse = one / (ur * ur + ui * ui)
        real = (p * ur + q * ui) * inverse
        imaginary = (p * ui - q * ur) * inverse
        lane[B + t] += weight * (abs(real - before_r) + abs(imaginary - before_i))
        current[m, t] = real if lane[t] > half else before_r
        current[m, B + t] = imaginary if lane[t] > half else before_i


@njit(**PART)
def draw_with_shunt(
    v: Any, d: int, offset: int, y: Any, n: int, pq: Any, m: int, weight: Any, one: Any, half: Any, current: Any,
    lane: Any,
) -> None:  # fmt: skip
    """Do the same at a node with a shunt: row n of `y` holds y real and imaginary, then y^h."""
    for t in range(B):
        ur, ui, p, q = v[d, offset + t], v[d, offset + B3 + t], pq[m, t], pq[m, B + t]
        before_r, before_i = current[m, t], current[m, B + t]
        sr = v[d, t] + v[d, B + t] + v[d, B2 + t]
        si = v[d, B3 + t] + v[d, B4 + t] + v[d, B5 + t]
        inverse = one / (ur * ur + ui * ui)
        real = (p * ur + q * ui) * inverse + y[n, 0] * ur - y[n, 1] * ui + y[n, 2] * sr - y[n, 3] * si
        imaginary = (p * ui - q * ur) * inverse + y[n, 0] * ui + y[n, 1] * ur + y[n, 2] * si + y[n, 3] * sr
        lane[B + t] += weight * (abs(real - before_r) + abs(imaginary - before_i))
        current[m, t] = real if lane[t] > half else before_r
        current[m, B + t] = imaginary if lane[t] > half else before_i
