"""How long a search may go on, and who hears how far it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

Tell = Callable[[str, float], None]
"""Hears what is sought, and the relative distance between the best found and the bound; NaN while there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """A time by which searches end, proved or not.

    What is found by then depends on the machine; what is proved before does not.

    Attributes
    ----------
    until_s : float
        On the clock of `time.monotonic`. [s]
    tell : callable
        Hears how far the search is, many times a second.
    cut_short : list of str
        What was being sought when the time ran out; empty where everything was proved. Shared by all parts.
    """

    until_s: float
    tell: Tell = lambda _name, _gap: None
    cut_short: list[str] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """What is left; at least 0. [s]"""
        return max(0.0, self.until_s - time.monotonic())

    def part(self, n_search: int) -> Patience:
        """Return the even share of one of several searches that are still to come; what it spares is theirs."""
        return replace(self, until_s=self.until_s - self.left_s * (1.0 - 1.0 / max(1, n_search)))


def patience_of(minutes: float, tell: Tell) -> Patience:
    """Return the patience that begins now.

    Parameters
    ----------
    minutes : float
        How long. [min]
    tell : callable
        Hears how far the search is.

    Returns
    -------
    Patience
    """
    return Patience(until_s=time.monotonic() + 60.0 * minutes, tell=tell)


def share(patience: Patience | None, n_search: int) -> Patience | None:
    """Return the even share of one of several searches that are still to come; None stays without an end."""
    return None if patience is None else patience.part(n_search)


def relative_gap(value: float, bound: float) -> float:
    """Return how far a value is below a bound, relative to the value; NaN where one of them is missing.

    Examples
    --------
    >>> relative_gap(200.0, 210.0), relative_gap(0.0, 3.0), relative_gap(float("-inf"), 3.0)
    (0.05, 3.0, nan)
    """
    return (bound - value) / max(1.0, abs(value)) if math.isfinite(value) and math.isfinite(bound) else math.nan
