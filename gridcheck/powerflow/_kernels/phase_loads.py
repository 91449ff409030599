"""What loads and shunts draw by phase: equation (1) of `phases`. No gridcheck types."""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import PHASE_BLOCK

B = PHASE_BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B


@njit(cache=True, nogil=True)
def written_phase_power(p_mw: Any, q_mvar: Any, bus: Any, phase: Any, per_mva: float, first: int, pq: Any) -> None:
    """Write the loads of the block that starts with case `first` from tables of cases.

    Parameters
    ----------
    p_mw, q_mvar : (n_case, n_bus, 3) float64 [MW], [Mvar]
    bus, phase : (n_row,) int64
        Place of each row.
    per_mva : float
        One over the power base of one phase. [1/MVA]
    pq : (n_row, 2 PHASE_BLOCK) float64, written [pu]
    """
    lanes = min(B, p_mw.shape[0] - first)
    for i in range(bus.shape[0]):
        for t in range(lanes):
            pq[i, t] = p_mw[first + t, bus[i], phase[i]] * per_mva
            pq[i, B + t] = q_mvar[first + t, bus[i], phase[i]] * per_mva
        for t in range(lanes, B):
            pq[i, t] = 0.0
            pq[i, B + t] = 0.0


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"}, error_model="numpy")
def factored_phase_power(p_weight: Any, q_weight: Any, profile: Any, pq: Any) -> None:
    """Write the loads of one block as weights (n_row, n_class) [pu] times profiles (n_class, PHASE_BLOCK)."""
    for i in range(p_weight.shape[0]):
        row = pq[i]
        for t in range(B2):
            row[t] = 0.0
        for k in range(p_weight.shape[1]):
            wp = p_weight[i, k]
            wq = q_weight[i, k]
            course = profile[k]
            if wp != 0.0 or wq != 0.0:
                for t in range(B):
                    row[t] += wp * course[t]
                    row[B + t] += wq * course[t]


@njit(inline="always")
def draw(v: Any, i: int, offset: int, weight: float, pq: Any, m: int, current: Any, lane: Any) -> None:
    """Equation (1) without shunts for row m at node i, and its part of (7); `offset` leads to the phase in `v`."""
    for t in range(B):
        ur, ui, p, q = v[i, offset + t], v[i, offset + B3 + t], pq[m, t], pq[m, B + t]
        old_real, old_imaginary, on, change = current[m, t], current[m, B + t], lane[t] > 0.5, lane[B + t]
        inverse = 1.0 / (ur * ur + ui * ui)
        real = (p * ur + q * ui) * inverse
        imaginary = (p * ui - q * ur) * inverse
        lane[B + t] = change + weight * (abs(real - old_real) + abs(imaginary - old_imaginary))
        current[m, t] = real if on else old_real
        current[m, B + t] = imaginary if on else old_imaginary


@njit(inline="always")
def draw_with_shunt(
    v: Any, offset: int, weight: float, s: Any, y: Any, current: Any, lane: Any,
) -> None:  # fmt: skip
    """Equation (1) for one row of a node with a shunt `y` (4,): y real and imaginary, then y^h."""
    g = y[0]
    b = y[1]
    gh = y[2]
    bh = y[3]
    u = v[offset:]
    for t in range(B):
        ur, ui, p, q, old_real, old_imaginary = u[t], u[B3 + t], s[t], s[B + t], current[t], current[B + t]
        inverse = 1.0 / (ur * ur + ui * ui)
        real = (p * ur + q * ui) * inverse
        imaginary = (p * ui - q * ur) * inverse
        sr = v[t] + v[B + t] + v[B2 + t]
        si = v[B3 + t] + v[B4 + t] + v[B5 + t]
        real += g * ur - b * ui + gh * sr - bh * si
        imaginary += g * ui + b * ur + gh * si + bh * sr
        lane[B + t] += weight * (abs(real - old_real) + abs(imaginary - old_imaginary))
        on = lane[t] > 0.5
        current[t] = real if on else old_real
        current[B + t] = imaginary if on else old_imaginary
