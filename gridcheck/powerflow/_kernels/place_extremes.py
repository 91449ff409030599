"""Loads of places into blocks, and out of solved blocks the extreme of every lane. No gridcheck types.

Tables of all places and branches would be written only to be read once for their largest value; here it is kept while
the voltages are at hand. Lengths are compared as squares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from gridcheck.powerflow._kernels.layout import BLOCK
from gridcheck.powerflow._kernels.options import KERNEL, PART

B = BLOCK
B2, B3, B4, B5 = 2 * B, 3 * B, 4 * B, 5 * B
# Where things stand in the scratch row: as the rows of `out`, then whether a meter hangs there.
_LOW, _LOW_AT, _HIGH, _HIGH_AT, _PHASE, _PHASE_AT, _NEUTRAL, _NEUTRAL_AT, _HANGS = (k * B for k in range(9))


@njit(**KERNEL)
def place_power(p_kw: Any, q_kvar: Any, column: Any, row: Any, per_mva: float, first: int, pq: Any) -> None:
    """Write the loads of the block that starts with case `first` from tables of places.

    Parameters
    ----------
    p_kw, q_kvar : (n_column, n_case) float64 [kW], [kvar]
    column, row : (n_load,) uint64
        Column of each load and its row in `pq`; without a sign, so that none is taken to count from the end.
    per_mva : float
        One over the power base. [1/kVA]
    pq : (n_row, 2 BLOCK) float64, written [pu]
        Rows without a load get 0, and so do lanes behind the last case.
    """
    lanes = min(B, p_kw.shape[1] - first)
    for m in range(pq.shape[0]):
        for t in range(B2):
            pq[m, t] = 0.0
    for i in range(column.shape[0]):
        c = column[i]
        m = row[i]
        for t in range(lanes):
            pq[m, t] = p_kw[c, first + t] * per_mva
        for t in range(lanes):
            pq[m, B + t] = q_kvar[c, first + t] * per_mva


@njit(**PART)
def _meet_voltage(v: Any, i: int, offset: int, scale: float, place: float, work: Any) -> None:
    """Hold the voltage of one phase of node i against the lowest and the highest so far, where a meter hangs."""
    for t in range(B):
        real, imaginary = v[i, offset + t], v[i, offset + B3 + t]
        square = scale * (real * real + imaginary * imaginary)
        hangs = work[0, _HANGS + t] > 0.5
        low, low_at, high, high_at = (
            work[0, _LOW + t], work[0, _LOW_AT + t], work[0, _HIGH + t], work[0, _HIGH_AT + t]
        )  # fmt: skip
        below = square if hangs else np.inf
        above = square if hangs else -np.inf
        work[0, _LOW + t] = below if below < low else low
        work[0, _LOW_AT + t] = place if below < low else low_at
        work[0, _HIGH + t] = above if above > high else high
        work[0, _HIGH_AT + t] = place if above > high else high_at


@njit(**PART)
def _meet_current(j: Any, i: int, offset: int, scale: float, place: float, work: Any) -> None:
    """Hold the current of one phase of the line above node i against the highest so far."""
    for t in range(B):
        real, imaginary = j[i, offset + t], j[i, offset + B3 + t]
        square = scale * (real * real + imaginary * imaginary)
        high, high_at = work[0, _PHASE + t], work[0, _PHASE_AT + t]
        work[0, _PHASE + t] = square if square > high else high
        work[0, _PHASE_AT + t] = place if square > high else high_at


@njit(**PART)
def _meet_neutral(j: Any, i: int, scale: float, place: float, work: Any) -> None:
    """Hold the current of the neutral above node i against the highest so far: all of it, none is in the earth."""
    for t in range(B):
        real = j[i, t] + j[i, B + t] + j[i, B2 + t]
        imaginary = j[i, B3 + t] + j[i, B4 + t] + j[i, B5 + t]
        square = scale * (real * real + imaginary * imaginary)
        high, high_at = work[0, _NEUTRAL + t], work[0, _NEUTRAL_AT + t]
        work[0, _NEUTRAL + t] = square if square > high else high
        work[0, _NEUTRAL_AT + t] = place if square > high else high_at


@njit(**KERNEL)
def place_extremes(
    v: Any, j: Any, place_node: Any, per_pu_square: Any, has_meter: Any, draw: Any, phase_node: Any, phase_row: Any,
    phase_square: Any, neutral_node: Any, neutral_row: Any, neutral_square: Any, first: int, work: Any, out: Any,
) -> None:  # fmt: skip
    """Write the extremes of one block: of voltages where a meter hangs, of lines by phase, of their neutrals.

    Parameters
    ----------
    v, j : (n_node, 6 BLOCK) float64
        As in the sweep.
    place_node : (n_place,) int64, per_pu_square : (n_place,) float64
        Node of each place, and the square of what 1 pu is there.
    has_meter : (3 n_place, n_draw) bool
        Phases of places with a meter, by draw.
    draw : (n_column,) int64
        Draw of each lane.
    phase_node, phase_row : (n_line,) int64, phase_square : (n_line,) float64
        Node below each line that is looked at, what it is called, and the square of what 1 pu is there.
    neutral_node, neutral_row, neutral_square
        The same for neutrals.
    first : int
        Column of `out` for the first lane; a whole block is written.
    work : (1, 9 BLOCK) float64 scratch
    out : (8, n_column) float64, written
        Square of the lowest voltage and 3 place + phase of it, of the highest, of the highest line current and
        3 row + phase, of the highest neutral current and its row. Of equals the first counts. In lanes that are not
        solved nothing is found: infinite voltages, 0 of lines.
    """
    for t in range(B):
        work[0, _LOW + t] = np.inf
        work[0, _HIGH + t] = -np.inf
        work[0, _LOW_AT + t] = 0.0
        work[0, _HIGH_AT + t] = 0.0
        work[0, _PHASE + t] = 0.0
        work[0, _PHASE_AT + t] = 0.0
        work[0, _NEUTRAL + t] = 0.0
        work[0, _NEUTRAL_AT + t] = 0.0
    for n in range(place_node.shape[0]):
        i = place_node[n]
        for p in range(3):
            for t in range(B):
                work[0, _HANGS + t] = has_meter[3 * n + p, draw[first + t]]
            if p == 0:
                _meet_voltage(v, i, 0, per_pu_square[n], 3.0 * n, work)
            elif p == 1:
                _meet_voltage(v, i, B, per_pu_square[n], 3.0 * n + 1.0, work)
            else:
                _meet_voltage(v, i, B2, per_pu_square[n], 3.0 * n + 2.0, work)
    for n in range(phase_node.shape[0]):
        i = phase_node[n]
        _meet_current(j, i, 0, phase_square[n], 3.0 * phase_row[n], work)
        _meet_current(j, i, B, phase_square[n], 3.0 * phase_row[n] + 1.0, work)
        _meet_current(j, i, B2, phase_square[n], 3.0 * phase_row[n] + 2.0, work)
    for n in range(neutral_node.shape[0]):
        _meet_neutral(j, neutral_node[n], neutral_square[n], 1.0 * neutral_row[n], work)
    for k in range(out.shape[0]):
        for t in range(B):
            out[k, first + t] = work[0, k * B + t]
