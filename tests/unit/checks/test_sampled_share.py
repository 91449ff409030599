"""Shares from samples, against closed forms, a published interval and the binomial law itself."""

import numpy as np
import pytest
from scipy.stats import binom

from gridcheck.checks.risk_outlook import RiskRules
from gridcheck.checks.sampled_share import Side, share_interval, side_of
from gridcheck.errors import InputError


def test_closed_forms_at_both_ends():
    low, high = share_interval(0, 60, confidence=0.9)
    assert (low, high) == (0.0, pytest.approx(1.0 - 0.05 ** (1 / 60), rel=1e-12))
    low, high = share_interval(60, 60, confidence=0.9)
    assert (low, high) == (pytest.approx(0.05 ** (1 / 60), rel=1e-12), 1.0)


def test_a_published_interval():
    # 1 of 10 at 95 %: the textbook example of the exact interval.
    assert share_interval(1, 10, confidence=0.95) == (
        pytest.approx(0.0025286, abs=1e-7),
        pytest.approx(0.4450161, abs=1e-7),
    )


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("draws", [20, 100])
def test_the_true_share_is_inside_as_often_as_promised(share, draws):
    inside = [
        low <= share <= high for low, high in (share_interval(k, draws, confidence=0.95) for k in range(draws + 1))
    ]
    assert binom.pmf(np.arange(draws + 1), draws, share)[inside].sum() >= 0.95


def wrongly_decided(share: float, rules: RiskRules) -> float:
    """Probability that a share above the risk is taken to be below it at some look: the law of the looks, exactly."""
    # State: number broken among undecided; at each look those below are counted and leave.
    law, approved, drawn = np.array([1.0]), 0.0, 0
    for n in rules.looks:
        more = binom.pmf(np.arange(n - drawn + 1), n - drawn, share)
        law, drawn = np.convolve(law, more), n
        side = [side_of(k, n, bound=rules.risk, confidence=rules.confidence_per_look) for k in range(n + 1)]
        below = [s == Side.BELOW and n in rules.draws for s in side]
        approved += law[below].sum()
        law = np.where([s != Side.ABOVE and not kept for s, kept in zip(side, below, strict=True)], law, 0.0)
    return float(approved)


def test_a_share_just_above_the_risk_is_rarely_approved():
    rules = RiskRules()
    assert wrongly_decided(0.0501, rules) <= (1.0 - rules.confidence) / 2.0
    assert wrongly_decided(0.0501, rules) > 0.001  # the measure can fail
    assert wrongly_decided(0.01, rules) > 0.95  # a share well below is approved


def test_none_of_a_hundred_is_enough_and_one_is_not():
    rules = RiskRules()
    sides = [side_of(k, 100, bound=rules.risk, confidence=rules.confidence_per_look) for k in (0, 1, 12, 13)]
    assert sides[:2] == [Side.BELOW, Side.OPEN]
    assert side_of(20, 100, bound=rules.risk, confidence=rules.confidence_per_look) == Side.ABOVE


@pytest.mark.parametrize(("broken", "draws"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_refused(broken, draws):
    with pytest.raises(InputError, match="0 <= broken <= draws"):
        share_interval(broken, draws, confidence=0.95)


@pytest.mark.parametrize("draws", [(), (100, 100), (200, 100), (0, 100)])
def test_looks_must_rise(draws):
    with pytest.raises(InputError, match="draws"):
        RiskRules(draws=draws)
