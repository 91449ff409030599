"""Security of supply by group load, against amounts and times worked out by hand."""

import math
from types import SimpleNamespace

import pytest

from gridcheck.checks.supply_security import supply_security
from gridcheck.limits import DEFAULT_LIMITS, with_overrides


def outage(*, demand, faulted, dark=0.0, supply_class="D", course=()):
    """An outage with a faulted and a healthy dark part; `course` holds (minutes, what is supplied) of its steps."""
    lost = dark + 500.0
    return SimpleNamespace(
        demand_kw=demand, unsupplied_kw=faulted + dark, lost_kw=lost, restored_kw=lost - dark,
        served_kw=demand - faulted - dark, interrupted_kw=demand, supply_class=supply_class,
        steps=[SimpleNamespace(elapsed_minutes=minutes, served_kw=kw) for minutes, kw in course],
    )  # fmt: skip


def test_a_small_group_may_wait_for_the_repair():
    found = supply_security(outage(demand=2000.0, faulted=800.0, dark=1200.0))
    assert (found.level, found.must_serve_kw, found.is_met, found.is_required) == (1, 0.0, True, False)
    assert math.isinf(found.within_minutes)


@pytest.mark.parametrize(
    ("faulted", "dark", "course", "is_met"),
    [
        (800.0, 0.0, [(0, 0.0), (40, 3000.0), (179, 4200.0)], True),
        (800.0, 0.0, [(0, 0.0), (40, 3000.0), (181, 4200.0)], False),  # too late
        (800.0, 1.0, [(0, 0.0), (40, 4199.0)], False),  # a healthy part stays dark
        (2500.0, 0.0, [(0, 0.0), (40, 2500.0)], False),  # the faulted section holds more than 2 MW: 3 MW are due
    ],
)
def test_of_a_middle_group_the_healthy_part_and_all_but_two_megawatts_come_back(faulted, dark, course, is_met):
    found = supply_security(outage(demand=5000.0, faulted=faulted, dark=dark, course=course, supply_class="C"))
    assert found.level == 2
    assert found.must_serve_kw == max(5000.0 - faulted, 3000.0)
    assert (found.is_met, found.is_required, found.within_minutes) == (is_met, True, 180.0)
    assert "3 h" in found.clause


def test_in_class_a_it_is_five_minutes():
    late = outage(demand=5000.0, faulted=0.0, course=[(0, 0.0), (6, 5000.0)], supply_class="A")
    found = supply_security(late)
    assert (found.is_met, found.within_minutes, found.served_in_time_kw) == (False, 5.0, 0.0)


@pytest.mark.parametrize(
    ("course", "is_met", "must", "within"),
    [
        # 30 MW: two thirds are 20 MW, 12 less are 18 MW.
        ([(0, 0.0), (14, 20_000.0), (170, 30_000.0)], True, 30_000.0, 180.0),
        ([(0, 0.0), (14, 19_999.0), (170, 30_000.0)], False, 20_000.0, 15.0),
        ([(0, 0.0), (14, 20_000.0), (170, 29_000.0)], False, 30_000.0, 180.0),
    ],
)
def test_most_of_a_large_group_is_back_in_a_quarter_of_an_hour(course, is_met, must, within):
    found = supply_security(outage(demand=30_000.0, faulted=0.0, course=course))
    assert (found.level, found.is_met, found.within_minutes) == (3, is_met, within)
    assert found.must_serve_kw == pytest.approx(must, rel=1e-12)


def test_what_is_not_interrupted_counts_before_the_first_step():
    row = outage(demand=5000.0, faulted=0.0, course=[(200, 5000.0)])
    row.interrupted_kw = 1000.0
    assert supply_security(row).served_in_time_kw == 4000.0


def test_the_bounds_are_the_users_own():
    limits = with_overrides(DEFAULT_LIMITS, {"security_small_group_mw": (6.0, "my rule")})
    assert supply_security(outage(demand=5000.0, faulted=5000.0), limits).level == 1
