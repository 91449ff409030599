"""Rules for readings: which cells are not taken in, and which taken ones are doubtful.

Two places, two purposes. While a file is read, `judge_values` finds every cell that breaks a rule; such a cell counts
as not measured, the rest of its row goes through (`rejections` reports it). Later, `doubtful_points` marks stored
points that are possible but hardly true; nothing is changed in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.units import NOMINAL_PHASE_V

MAX_POWER_KW = 10_000.0
"""Largest power taken from a file; 2.5 x the largest distribution transformer is 6250 kVA. [E]"""
MAX_VOLTAGE_V = 1.3 * NOMINAL_PHASE_V
"""Largest phase-to-neutral voltage taken from a file, 1.3 x nominal = 286 V. [E]"""
LEAST_PLAUSIBLE_VOLTAGE_V = 0.5 * NOMINAL_PHASE_V
"""Below half of nominal a phase is lost or the supply is out: that is another fault than low voltage. [E]"""
MAX_PLAUSIBLE_LOADING = 2.5
"""Apparent power over rating beyond which the unit or the transformer ratio is wrong, not the load. [E]"""
STUCK_POINTS_POWER = 4
"""Equal non-zero powers in a row from which a meter counts as stuck. [G]"""
STUCK_POINTS_VOLTAGE = 12
"""The same for voltages, which stay equal more easily. [G]"""

NUMBER_PATTERN = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
"""What counts as a number in a cell (RE2)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedValues:
    """One column of a file after its rules.

    Attributes
    ----------
    value : ndarray, shape (n_row,)
        Numbers; NaN where nothing was measured or a rule is broken.
    broken : tuple of (str, ndarray of int)
        Rule and positions of the cells that break it.
    """

    value: FloatArray
    broken: tuple[tuple[str, npt.NDArray[np.int64]], ...]


def judge_values(text: Any, quantity: npt.ArrayLike, *, allow_negative_power: bool) -> JudgedValues:
    """Turn cells into numbers and find those that break a rule.

    Parameters
    ----------
    text : pyarrow string array, length n_row
        Cells; null where nothing was measured.
    quantity : int or array_like of int, shape (n_row,)
        Position in `QUANTITIES` of each cell.
    allow_negative_power : bool
        True for areas that may feed back.

    Returns
    -------
    JudgedValues
        Numbers in the units of `QUANTITIES`, and broken rules.
    """
    value, not_number = _numbers(text)
    kind = np.broadcast_to(np.asarray(quantity), value.shape)
    is_power = kind <= 1
    highest = np.where(is_power, MAX_POWER_KW, MAX_VOLTAGE_V)
    lowest = np.where(is_power, -MAX_POWER_KW, 0.0)
    # Comparisons with NaN (not measured) are False, so only measured cells can break these rules.
    beyond = (value > highest) | (value < lowest)
    negative = (kind == 0) & (value < 0) & ~beyond & (not allow_negative_power)
    formula = not_number.copy()
    if not_number.any():
        formula &= pc.fill_null(pc.starts_with(text, "="), fill_value=False).to_numpy(zero_copy_only=False)
    rules = (
        ("not_a_number", not_number & ~formula),
        ("formula", formula),
        ("out_of_range", beyond),
        ("negative_power", negative),
    )
    value[beyond | negative] = np.nan
    return JudgedValues(value=value, broken=tuple((rule, np.flatnonzero(at)) for rule, at in rules if at.any()))


def _numbers(text: Any) -> tuple[FloatArray, BoolArray]:
    """Return numbers (NaN where empty) and where there is text that is not a finite number."""
    try:
        numbers = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(text)
        numbers = pc.cast(pc.if_else(pc.match_substring_regex(trimmed, NUMBER_PATTERN), trimmed, None), pa.float64())
        # Cells of blanks only are empty, not wrong.
        text = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    value = numbers.to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    wrong = ~np.isfinite(value) & text.is_valid().to_numpy(zero_copy_only=False)
    value[wrong] = np.nan
    return value, wrong


class Doubt(IntFlag):
    """Why a stored point is doubtful. The first two are not used in alarms, the others are used and counted."""

    POWER_IMPLAUSIBLE = 1
    VOLTAGE_IMPLAUSIBLE = 2
    POWER_STUCK = 4
    VOLTAGE_STUCK = 8
    POWER_ZERO = 16


def doubtful_points(
    p_kw: FloatArray, s_kva: FloatArray, voltage_v: FloatArray, kva: FloatArray
) -> npt.NDArray[np.uint8]:
    """Mark points that are possible but hardly true, as bits of `Doubt`.

    Parameters
    ----------
    p_kw, s_kva : ndarray, shape (n_area, n_point)
        Active and apparent power, NaN where not measured. [kW], [kVA]
    voltage_v : ndarray, shape (n_area, n_point, n_channel)
        Voltages of all channels, NaN where not measured. [V]
    kva : ndarray, shape (n_area,)
        Rating of the transformer. [kVA]

    Returns
    -------
    ndarray of uint8, shape (n_area, n_point)
        Bits; 0 where nothing is doubtful or nothing was measured.
    """
    with_voltage: BoolArray = np.logical_or.reduce(voltage_v >= LEAST_PLAUSIBLE_VOLTAGE_V, axis=2)
    channels = range(voltage_v.shape[2])
    marks: Sequence[tuple[Doubt, BoolArray]] = (
        (Doubt.POWER_IMPLAUSIBLE, s_kva > MAX_PLAUSIBLE_LOADING * kva[:, None]),
        (Doubt.VOLTAGE_IMPLAUSIBLE, np.logical_or.reduce(voltage_v < LEAST_PLAUSIBLE_VOLTAGE_V, axis=2)),
        (Doubt.POWER_STUCK, _stuck(p_kw, STUCK_POINTS_POWER)),
        (
            Doubt.VOLTAGE_STUCK,
            np.logical_or.reduce([_stuck(voltage_v[:, :, k], STUCK_POINTS_VOLTAGE) for k in channels]),
        ),
        (Doubt.POWER_ZERO, (p_kw == 0) & with_voltage),
    )
    bits = np.zeros(p_kw.shape, dtype=np.uint8)
    for mark, where in marks:
        bits[where] |= np.uint8(mark)
    return bits


def _stuck(value: FloatArray, n_point: int) -> BoolArray:
    """Return where a value stands in a run of at least `n_point` equal non-zero values."""
    same = np.zeros(value.shape, dtype=np.bool_)
    same[:, 1:] = (value[:, 1:] == value[:, :-1]) & (value[:, 1:] != 0)
    return runs_of(same, n_point - 1, with_first=True)


def runs_of(holds: BoolArray, n_point: int, *, with_first: bool = False) -> BoolArray:
    """Return where a condition stands in an unbroken run of at least `n_point` points.

    Parameters
    ----------
    holds : ndarray of bool, shape (n_area, n_point_total)
        Condition at each point; False where not measured, so a missing point ends a run.
    n_point : int
        Least length of a run.
    with_first : bool
        Count the point before each run to it too (for conditions on differences).

    Returns
    -------
    ndarray of bool, shape (n_area, n_point_total)

    Examples
    --------
    >>> runs_of(np.array([[True, True, False, True]]), 2).tolist()
    [[True, True, False, False]]
    """
    length = run_length(holds)
    result = length >= n_point
    # A point is in a long run if the run's last point, which knows the length, is reached going right.
    for column in range(holds.shape[1] - 2, -1, -1):
        result[:, column] |= holds[:, column] & holds[:, column + 1] & result[:, column + 1]
    if with_first:
        result[:, :-1] |= result[:, 1:] & holds[:, 1:] & ~holds[:, :-1]
    return result


def run_length(holds: BoolArray) -> npt.NDArray[np.int64]:
    """Return at each point how many points the unbroken run that ends there has; 0 where the condition fails.

    Examples
    --------
    >>> run_length(np.array([[True, True, False, True]])).tolist()
    [[1, 2, 0, 1]]
    """
    length = np.zeros(holds.shape, dtype=np.int64)
    for column in range(holds.shape[1]):
        before = length[:, column - 1] if column else 0
        length[:, column] = np.where(holds[:, column], before + 1, 0)
    return length
