r"""Aims of a choice in whole numbers, and how they are written into a programme.

An aim is a sum over the chosen projects, or the sum of the least of several such sums (one per scenario). Numbers too
long for the arithmetic of a solver are written in digits of base :math:`2^{16}` with carries,

.. math::

    b\,k_d \le \sum_i v_{i,d-1} x_i + k_{d-1}

and sought digit by digit from the top, so that every last place of them counts.

References
----------
.. [1] R. T. Rockafellar, S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2(3), 2000, 21-41:
   the sum of the least values of several as a linear programme.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gridcheck.mixed_integer import Draft, Term

_BITS = 16
_MASK = (1 << _BITS) - 1
# A solver takes 1e-6 for nothing, also of a column: numbers above this would not be kept apart.
_LARGEST = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to be as large as possible, in whole numbers.

    Attributes
    ----------
    name : str
        Code of the quantity.
    rows : tuple of tuple of int, shape (n_row, n_column)
        Worth of each project, then of each shared household; one row per scenario.
    offsets : tuple of int, shape (n_row,)
        Added to the sum of each row.
    worst : int
        How many of the least sums are added up: 1 for the worst of all scenarios.
    is_tie_break : bool
        True where it only decides between choices that bring the same: the search for it may be cut short.
    """

    name: str
    rows: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...] = (0,)
    worst: int = 1
    is_tie_break: bool = False

    @property
    def is_idle(self) -> bool:
        """True where no choice changes it."""
        return not any(any(row) for row in self.rows)

    def value(self, columns: Sequence[int]) -> int:
        """Return what the columns that are 1 reach, exactly."""
        sums = sorted(
            offset + sum(row[i] for i in columns) for row, offset in zip(self.rows, self.offsets, strict=True)
        )
        return sum(sums[: self.worst])


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One objective: an aim, or one digit of it.

    Attributes
    ----------
    aim : Aim
        What it is a part of.
    terms : tuple of Term
        The objective as the solver sees it.
    shift : int
        Bits of the aim below this digit.
    is_top : bool
        False where digits above it are held already.
    scale : int
        What the numbers of the aim were divided by, because they have it in common.
    """

    aim: Aim
    terms: tuple[Term, ...]
    shift: int = 0
    is_top: bool = True
    scale: int = 1

    def value(self, columns: Sequence[int]) -> int:
        """Return the aim down to this digit, exactly."""
        return self.aim.value(columns) >> self.shift

    def local(self, value: int) -> int:
        """Return what the objective of the solver is at a value of the aim down to this digit."""
        return value if self.is_top else value & _MASK

    def most(self, value: int, bound: int) -> int:
        """Return what the aim can be at most, where it is `value` down to this digit and the objective at most `bound`.

        Nothing is known of the digits below yet, so they count as large as they can be.
        """
        down_to = bound if self.is_top else value - self.local(value) + min(bound, _MASK)
        return ((down_to + 1) << self.shift) - 1


def levels(aim: Aim, draft: Draft) -> Iterator[Level]:
    """Write an aim into a programme and return its objectives, the first to be sought first.

    Parameters
    ----------
    aim : Aim
        The aim.
    draft : Draft
        Its first columns are those of the aim; columns and rows for digits and scenarios are added.

    Yields
    ------
    Level
    """
    if len(aim.rows) > 1:
        yield _least_sums(aim, draft)
        return
    # Over their greatest common divisor numbers are short; an offset moves every choice alike.
    divisor = math.gcd(*aim.rows[0]) or 1
    values = tuple(value // divisor for value in aim.rows[0])
    aim = Aim(name=aim.name, rows=(values,), is_tie_break=aim.is_tie_break)
    largest = max(map(abs, values), default=0)
    digits = 0
    while (largest >> (_BITS * digits)) >= _LARGEST:
        digits += 1
    carry = {0: -1, digits + 1: -1}
    for digit in range(1, digits + 1):
        below = [(i, float(value >> (_BITS * (digit - 1)) & _MASK)) for i, value in enumerate(values)]
        carry[digit] = draft.column(0.0, float(len(values)), integral=True)
        draft.row([(carry[digit], float(_MASK + 1)), *((i, -f) for i, f in below), *_one(carry[digit - 1], -1.0)],
                  upper=0.0)  # fmt: skip
    for digit in range(digits, -1, -1):
        is_top = digit == digits
        parts = [value >> (_BITS * digit) if is_top else value >> (_BITS * digit) & _MASK for value in values]
        terms = [(i, float(part)) for i, part in enumerate(parts) if part]
        terms += [*_one(carry[digit], 1.0), *_one(carry[digit + 1], -float(_MASK + 1))]
        yield Level(aim=aim, terms=tuple(terms), shift=_BITS * digit, is_top=is_top, scale=divisor)


def _one(column: int, factor: float) -> list[Term]:
    return [] if column < 0 else [(column, factor)]


def _least_sums(aim: Aim, draft: Draft) -> Level:
    r"""Write the sum of the k least of several sums: :math:`\max_\eta k \eta - \sum_s \max(0, \eta - S_s)`."""
    lows = [o + sum(v for v in row if v < 0) for row, o in zip(aim.rows, aim.offsets, strict=True)]
    highs = [o + sum(v for v in row if v > 0) for row, o in zip(aim.rows, aim.offsets, strict=True)]
    low, high = min(lows), max(highs)
    threshold = draft.column(float(low), float(high))
    terms: list[Term] = [(threshold, float(aim.worst))]
    for row, offset in zip(aim.rows, aim.offsets, strict=True):
        inside = [(i, -float(value)) for i, value in enumerate(row) if value]
        short = draft.column(0.0, float(high - low) if aim.worst > 1 else 0.0)
        draft.row([(threshold, 1.0), (short, -1.0), *inside], upper=float(offset))
        terms.append((short, -1.0))
    return Level(aim=aim, terms=tuple(terms))
