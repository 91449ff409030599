"""A published target, the tolerance published with it, and whether a value meets both."""

from __future__ import annotations

import math
from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a value may lie from its target; without any part the target is a range to lie in.

    Attributes
    ----------
    percent : float, optional
        Share of the target, either way. [%]
    plus_minus : float, optional
        Distance from the target, either way, in the unit of the value.
    unit : str
        Unit of `plus_minus`, as it is printed.
    least, most : float, optional
        A range that is itself the tolerance, open where one of them is not given.
    """

    percent: float | None = None
    plus_minus: float | None = None
    unit: str = ""
    least: float | None = None
    most: float | None = None

    def allowed(self, target: Range | None) -> Range:
        """Return the least and the most that a value may be; infinite where the range is open."""
        if self.least is not None or self.most is not None:
            return -math.inf if self.least is None else self.least, math.inf if self.most is None else self.most
        if target is None:
            raise ValueError("without a target the tolerance must be a range")
        low, high = target
        if self.percent is not None:
            share = self.percent / 100.0
            return low - share * abs(low), high + share * abs(high)
        distance = 0.0 if self.plus_minus is None else self.plus_minus
        return low - distance, high + distance

    @property
    def text(self) -> str:
        """The tolerance as it is published."""
        if self.percent is not None:
            return f"±{shown(self.percent)} %"
        if self.plus_minus is not None:
            return f"±{shown(self.plus_minus)} {self.unit}".rstrip()
        if self.least is not None and self.most is not None:
            return range_text((self.least, self.most))
        if self.most is not None:
            return f"≤ {shown(self.most)}"
        return "区间内 inside" if self.least is None else f"≥ {shown(self.least)}"


INSIDE = Tolerance()
"""The target is a range, and the value has to lie in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of a target.

    Attributes
    ----------
    name : str
        What is looked at.
    value : float
        What the model makes of it.
    target : float or tuple of float, optional
        The number or range that is published; none where only a tolerance is.
    tolerance : Tolerance
        What is published beside it.
    counts : bool
        False for information: a target published without a tolerance.
    """

    name: str
    value: float
    target: float | Range | None
    tolerance: Tolerance
    counts: bool = True

    @property
    def allowed(self) -> Range:
        """Least and most that follow from target and tolerance."""
        both = self.target if self.target is None or isinstance(self.target, tuple) else (self.target, self.target)
        return self.tolerance.allowed(both)

    @property
    def is_met(self) -> bool:
        """Whether the value is allowed; one that is no number is not."""
        least, most = self.allowed
        return least <= self.value <= most

    @property
    def target_text(self) -> str:
        """The target as it is published."""
        if self.target is None:
            return "-"
        return range_text(self.target) if isinstance(self.target, tuple) else shown(self.target)

    @property
    def tolerance_text(self) -> str:
        """The tolerance as it is published."""
        return self.tolerance.text if self.counts else "未给出 none given"

    @property
    def mark(self) -> str:
        """Met, not met, or for information only."""
        mark = "✓" if self.is_met else "✗"
        return mark if self.counts else f"({mark}) 不计 not counted"

    def as_dict(self) -> dict[str, object]:
        """Return the part for JSON."""
        return {
            "name": self.name,
            "target": self.target,
            "tolerance": self.tolerance_text,
            "allowed": list(self.allowed),
            "value": self.value,
            "is_met": self.is_met,
            "counts": self.counts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target and what the model makes of it.

    Attributes
    ----------
    number : int
        Number in the list of targets.
    quantity_zh, quantity_en : str
        What is compared.
    checks : tuple of Check
        Its parts.
    strength_zh, strength_en : str
        How strong the evidence behind the target is.
    source : str
        Where the target comes from.
    """

    number: int
    quantity_zh: str
    quantity_en: str
    checks: tuple[Check, ...]
    strength_zh: str
    strength_en: str
    source: str

    @property
    def is_met(self) -> bool:
        """Whether every part that counts is met."""
        return all(check.is_met for check in self.checks if check.counts)

    def as_dict(self) -> dict[str, object]:
        """Return the target for JSON."""
        return {
            "number": self.number,
            "quantity_zh": self.quantity_zh,
            "quantity_en": self.quantity_en,
            "checks": [check.as_dict() for check in self.checks],
            "strength_zh": self.strength_zh,
            "strength_en": self.strength_en,
            "source": self.source,
            "is_met": self.is_met,
        }


def shown(value: float) -> str:
    """Return a number in three digits, or whole from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"


def range_text(limits: Range) -> str:
    """Return a range from its lower to its upper end."""
    return f"{shown(limits[0])} … {shown(limits[1])}"
