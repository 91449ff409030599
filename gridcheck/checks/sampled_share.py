r"""Is a share below a bound? A sample that grows until its confidence interval lies on one side.

Of n draws k broke a limit. The interval of Clopper and Pearson holds the true share with at least the confidence asked
for, whatever n and k; as it is looked at several times, each look gets its part of the error (Bonferroni), so that the
answer holds at the confidence as a whole.

References
----------
.. [1] C. J. Clopper, E. S. Pearson, Biometrika 26(4), 1934. DOI 10.1093/biomet/26.4.404
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from scipy.stats import beta

from gridcheck.errors import InputError


class Side(IntEnum):
    """On which side of a bound a share lies."""

    BELOW = 0
    ABOVE = 1
    OPEN = 2


@lru_cache(maxsize=65536)
def share_interval(broken: int, draws: int, *, confidence: float) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson of a share.

    Parameters
    ----------
    broken, draws : int
        How often it happened, and in how many draws.
    confidence : float
        Confidence of the interval, between 0 and 1.

    Raises
    ------
    InputError
        If there are no draws, or `broken` is not among them.

    Examples
    --------
    >>> low, high = share_interval(0, 100, confidence=0.95)
    >>> low, round(high, 5), round(1.0 - 0.025 ** 0.01, 5)
    (0.0, 0.03622, 0.03622)
    """
    if not 0 <= broken <= draws or draws < 1 or not 0.0 < confidence < 1.0:
        raise InputError(f"a share needs 0 <= broken <= draws and draws. Got {broken} of {draws} at {confidence:g}.")
    tail = (1.0 - confidence) / 2.0
    low = float(beta.ppf(tail, broken, draws - broken + 1)) if broken else 0.0
    high = float(beta.ppf(1.0 - tail, broken + 1, draws - broken)) if broken < draws else 1.0
    return low, high


def side_of(broken: int, draws: int, *, bound: float, confidence: float) -> Side:
    """Tell on which side of a bound the share lies with that confidence."""
    low, high = share_interval(broken, draws, confidence=confidence)
    if high <= bound:
        return Side.BELOW
    return Side.ABOVE if low > bound else Side.OPEN


@lru_cache(maxsize=4096)
def most_below(draws: int, *, bound: float, confidence: float) -> int:
    """Return in how many draws it may happen at most for the share to be shown below a bound; 0 where never.

    Examples
    --------
    >>> most = most_below(800, bound=0.05, confidence=0.9875)
    >>> [side_of(k, 800, bound=0.05, confidence=0.9875).name for k in (most, most + 1)]
    ['BELOW', 'OPEN']
    """
    below = [k for k in range(int(bound * draws) + 1)
             if side_of(k, draws, bound=bound, confidence=confidence) == Side.BELOW]  # fmt: skip
    return below[-1] if below else 0
