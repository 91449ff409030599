"""The neutral and the earth beside it: equations (4) and (5) of `phases`. No gridcheck types."""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import KERNEL, PART

B = BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B


@njit(**PART)
def _rise(j: Any, ar: float, ai: float, br: float, bi: float, er: float, ei: float, own: Any, k: Any, up: Any) -> None:
    """Equation (4): write K^B of one branch to `k` and add it to B of the parent."""
    for t in range(B):
        sr = j[t] + j[B + t] + j[B2 + t]
        si = j[B3 + t] + j[B4 + t] + j[B5 + t]
        below_r, below_i, old_r, old_i = own[t], own[B + t], up[t], up[B + t]
        dr = er * sr - ei * si
        di = er * si + ei * sr
        real = ar * dr - ai * di + br * below_r - bi * below_i
        imaginary = ar * di + ai * dr + br * below_i + bi * below_r
        k[t] = real
        k[B + t] = imaginary
        up[t] = old_r + real
        up[B + t] = old_i + imaginary


@njit(**PART)
def _fall(j: Any, ar: float, ai: float, er: float, ei: float, nr: float, ni: float, up: Any, k: Any, own: Any) -> None:
    """Equation (5) for one branch: `k` enters as K^B."""
    for t in range(B):
        sr = j[t] + j[B + t] + j[B2 + t]
        si = j[B3 + t] + j[B4 + t] + j[B5 + t]
        ur, ui, kr, ki = up[t], up[B + t], k[t], k[B + t]
        kr += ar * ur - ai * ui
        ki += ar * ui + ai * ur
        k[t] = kr
        k[B + t] = ki
        own[t] = ur + er * sr - ei * si - nr * kr + ni * ki
        own[B + t] = ui + er * si + ei * sr - nr * ki - ni * kr


@njit(**PART)
def _fall_alone(j: Any, er: float, ei: float, up: Any, own: Any) -> None:
    """Equation (5) for one branch beside which no current flows through the earth."""
    for t in range(B):
        sr = j[t] + j[B + t] + j[B2 + t]
        si = j[B3 + t] + j[B4 + t] + j[B5 + t]
        ur, ui = up[t], up[B + t]
        own[t] = ur + er * sr - ei * si
        own[B + t] = ui + er * si + ei * sr


@njit(**KERNEL)
def _star_point(i: int, br: float, bi: float, k: Any, vn: Any) -> None:
    """Write the voltage of a star point, at which no earth current enters."""
    for t in range(B):
        real = br * vn[i, t] - bi * vn[i, B + t]
        imaginary = br * vn[i, B + t] + bi * vn[i, t]
        vn[i, t] = real
        vn[i, B + t] = imaginary
        k[i, t] = 0.0
        k[i, B + t] = 0.0


@njit(**KERNEL)
def earth_currents(node: Any, neutral_up: Any, neutral: Any, j: Any, k: Any, vn: Any) -> None:
    """Write earth currents `k` and neutral voltages `vn` of all nodes with a neutral.

    Parameters
    ----------
    node : (n_neutral,) int64
        Nodes with a neutral, parents first.
    neutral_up : (n_node,) int64
        Node from which the neutral comes, -1 at star points.
    neutral : (n_node, 8) float64
        alpha, beta, z^e, z^n of equations (4) to (6), each real and imaginary; at star points beta is -1/Y. [pu]
    j : (n_node, 6 BLOCK) float64
        Phase currents. [pu]
    k, vn : (n_node, 2 BLOCK) float64, written [pu]
    """
    for n in range(node.shape[0]):
        vn[node[n]] = 0.0  # holds B until the way down
    for n in range(node.shape[0] - 1, -1, -1):
        i = node[n]
        if neutral_up[i] >= 0:
            _rise(
                j[i], neutral[i, 0], neutral[i, 1], neutral[i, 2], neutral[i, 3], neutral[i, 4], neutral[i, 5],
                vn[i], k[i], vn[neutral_up[i]],
            )  # fmt: skip
    for n in range(node.shape[0]):
        i = node[n]
        if neutral_up[i] < 0:
            _star_point(i, neutral[i, 2], neutral[i, 3], k, vn)
        else:
            _fall(
                j[i], neutral[i, 0], neutral[i, 1], neutral[i, 4], neutral[i, 5], neutral[i, 6], neutral[i, 7],
                vn[neutral_up[i]], k[i], vn[i],
            )  # fmt: skip


@njit(**KERNEL)
def neutral_voltages(node: Any, neutral_up: Any, neutral: Any, j: Any, vn: Any) -> None:
    """Write neutral voltages where no earth current flows; arguments as in `earth_currents`."""
    for n in range(node.shape[0]):
        i = node[n]
        if neutral_up[i] < 0:
            vn[i] = 0.0
        else:
            _fall_alone(j[i], neutral[i, 4], neutral[i, 5], vn[neutral_up[i]], vn[i])
