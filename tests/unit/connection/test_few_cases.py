"""Decisions from few cases are those of the plain algorithm in all of them, word for word and figure for figure."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridcheck.checks.assessment import binding_course
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection import Decision, QueueResult, Verdict, decide, decide_queue, decide_queue_in_all_cases
from gridcheck.connection.applications import Application
from gridcheck.connection.few_cases import FewCases
from gridcheck.connection.promises import Promises
from gridcheck.demand.parameters import CLASSES
from gridcheck.demand.profiles import ClassProfiles
from gridcheck.limits import DEFAULT_LIMITS
from tests.support.hand_drawn_county import (
    AREAS,
    applications,
    base_counts,
    hand_drawn_county,
    hand_drawn_net,
    profiles,
    profiles_with_roofs,
    roofs,
)

DEVICES = ("air_air_heat_pump", "resistive_heater", "storage_heater")


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Real transformers and lines: with magnetising current, charging, and drops that differ from place to place."""
    net = hand_drawn_net(
        ideal=False,
        r_ohm={0: 6.0, 1: 14.0, 3: 9.0},
        kva=(100.0, 400.0, 100.0, 200.0, 100.0),
        max_i_ka={1: 0.012, 3: 0.011},
        main_mva=0.55,
    )
    return hand_drawn_county(tmp_path_factory.mktemp("county"), net, limit_ka=(0.02, 0.014))


def courses(rng: np.random.Generator) -> ClassProfiles:
    """Two days of hours in which classes peak at different times and coincide to different degrees."""
    hour = np.arange(48)
    plain = profiles(1.0, n_case=48, duration_h=1.0, temperature_c=rng.uniform(-15.0, 5.0, 48))
    peak, width = rng.uniform(0.0, 24.0, len(CLASSES)), rng.uniform(2.0, 6.0, len(CLASSES))
    away = np.abs((hour[:, None] - peak + 12.0) % 24.0 - 12.0)
    mean = 0.2 + 0.7 * np.exp(-((away / width) ** 2)) + rng.uniform(0.0, 0.1, (48, len(CLASSES)))
    return replace(
        plain,
        mean=mean,
        single=mean * rng.uniform(1.0, 2.5, (48, len(CLASSES))),
        alpha=rng.uniform(0.3, 1.0, len(CLASSES)),
        tan_phi=rng.uniform(0.0, 0.5, len(CLASSES)),
    )


def both(county, demand, counts, wishes) -> tuple[QueueResult, QueueResult]:
    trees, course = supply_trees(county, DEFAULT_LIMITS), binding_course(demand, DEFAULT_LIMITS)
    few, plain = (
        decide(trees, course, counts, wishes, DEFAULT_LIMITS, area_ids=AREAS)
        for decide in (decide_queue, decide_queue_in_all_cases)
    )
    return few, plain


def require_equal(few: QueueResult, plain: QueueResult) -> None:
    for one, other in zip(few.decisions, plain.decisions, strict=True):
        figures = [(d.value, d.value_before, d.margin_kw) for d in (one, other)]
        np.testing.assert_allclose(*figures, rtol=1e-9)
        same = {"value": 0.0, "value_before": 0.0, "margin_kw": 0.0, "limit": 0.0}
        assert replace(one, **same) == replace(other, **same)
        np.testing.assert_equal(one.limit, other.limit)
    np.testing.assert_array_equal(few.counts.rated_kw, plain.counts.rated_kw)
    np.testing.assert_array_equal(few.counts.count, plain.counts.count)
    for one, other in zip(few.final, plain.final, strict=True):
        np.testing.assert_array_equal(one.value, other.value)


def random_queue(rng: np.random.Generator, n: int):
    rows = zip(rng.integers(0, 5, n).tolist(), rng.uniform(1.0, 12.0, n).tolist(), strict=True)
    devices = rng.choice(DEVICES, n).tolist()
    return tuple(replace(w, device=d) for w, d in zip(applications(list(rows)), devices, strict=True))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000_000), n=st.integers(1, 45))
def test_verdicts_and_figures_are_those_of_all_cases(county, seed, n):
    rng = np.random.default_rng(seed)
    base_kw = np.array([70.0, 200.0, 70.0, 120.0, 70.0]) * rng.uniform(0.3, 1.1, 5)

    require_equal(*both(county, courses(rng), base_counts(base_kw.tolist(), n_home=20), random_queue(rng, n)))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_roofs_are_left_to_the_plain_algorithm(county, seed):
    rng = np.random.default_rng(seed)
    counts = roofs(base_counts([70.0] * 5), rng.uniform(1.0, 150.0, 5).tolist())
    demand = profiles_with_roofs(float(rng.uniform(0.0, 1.0)), float(rng.uniform(0.5, 3.0)))
    wishes = applications(list(zip(rng.integers(0, 5, 8).tolist(), rng.uniform(1.0, 12.0, 8).tolist(), strict=True)))

    require_equal(*both(county, demand, counts, wishes))


def test_few_cases_answer_by_themselves(county, monkeypatch):
    """Otherwise the comparison above would be one of the plain algorithm with itself."""
    asked, answered = [], []
    plain, few = Promises.with_heater, FewCases.with_heater
    monkeypatch.setattr(Promises, "with_heater", lambda self, heater: asked.append(heater) or plain(self, heater))
    monkeypatch.setattr(FewCases, "with_heater", lambda self, heater: answered.append(heater) or few(self, heater))
    rng = np.random.default_rng(3)

    result = [
        decide_queue(
            supply_trees(county, DEFAULT_LIMITS),
            binding_course(courses(rng), DEFAULT_LIMITS),
            base_counts([40.0, 150.0, 40.0, 80.0, 40.0], n_home=20),
            random_queue(rng, 40),
            DEFAULT_LIMITS,
            area_ids=AREAS,
        )
        for _ in range(5)
    ]

    assert len(answered) == 200
    assert len(asked) < 100
    assert {d.verdict for one in result for d in one.decisions} >= {Verdict.DEFER, Verdict.APPROVE_WITH_CONDITIONS}


class SomeAreCapped:
    """A low-voltage side that grants every third application a part of what it asked for."""

    def answer(self, _number: int, _row: int, application: Application) -> tuple[float, Callable[[Decision], Decision]]:
        is_capped = application.queue_position % 3 == 0
        return application.rated_kw * (0.6 if is_capped else 1.0), lambda decision: decision


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1_000_000), n=st.integers(3, 45))
def test_whoever_is_granted_less_counts_with_less(county, monkeypatch, seed, n):
    monkeypatch.setattr(decide.QueueSetting, "desk", lambda *_: SomeAreCapped())
    rng = np.random.default_rng(seed)
    base_kw = np.array([70.0, 200.0, 70.0, 120.0, 70.0]) * rng.uniform(0.3, 1.0, 5)
    wishes = random_queue(rng, n)

    few, plain = both(county, courses(rng), base_counts(base_kw.tolist(), n_home=20), wishes)

    require_equal(few, plain)
    connected = [d.application for d in few.decisions if d.connected]
    granted = sum(a.rated_kw * (0.6 if a.queue_position % 3 == 0 else 1.0) for a in connected)
    before = base_counts(base_kw.tolist(), n_home=20).rated_kw.sum()
    assert few.counts.rated_kw.sum() - before == pytest.approx(granted)


@pytest.mark.parametrize("seed", range(4))
def test_figures_of_a_cap_are_those_of_the_power_that_is_granted(county, monkeypatch, seed):
    """Who is capped reads as if no more had been asked for; all in one area, so that nobody else's wish is in it."""
    rng = np.random.default_rng(seed)
    course, counts = courses(rng), base_counts([20.0, 60.0, 20.0, 40.0, 20.0], n_home=20)
    wishes = applications([(seed, kw) for kw in (4.0, 3.0, 5.0)])
    less, _ = both(county, course, counts, (*wishes[:2], replace(wishes[2], rated_kw=3.0)))
    monkeypatch.setattr(decide.QueueSetting, "desk", lambda *_: SomeAreCapped())

    capped, plain = both(county, course, counts, wishes)

    require_equal(capped, plain)
    last, expected = capped.decisions[2], less.decisions[2]
    assert last.connected
    assert last.application == wishes[2]
    assert last.kind == expected.kind
    # Voltages are solved to 1e-8 pu; 5 kW instead of 3 kW would be some percent.
    figures = [(d.value, d.value_before, d.margin_kw) for d in (last, expected)]
    np.testing.assert_allclose(*figures, rtol=1e-7)
