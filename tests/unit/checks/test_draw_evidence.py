"""The course of a check and the moment behind an answer, against the worst of every draw."""

import dataclasses

import numpy as np
import pytest

from gridcheck.checks.draw_courses import check_course
from gridcheck.checks.draw_evidence import draw_evidence
from gridcheck.checks.draw_extremes import SIGN, LvCheck, joined, worst_of_draws
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.errors import InputError
from tests.support.risk_areas import area, lived_in, pool, street

RULES = RiskRules(draws=(40, 80), refusal_draws=0, risk=0.05)
PER_STEP = (LvCheck.LOW_VOLTAGE, LvCheck.HIGH_VOLTAGE, LvCheck.LINE_LOADING, LvCheck.NEUTRAL_LOADING)


@pytest.fixture(scope="module")
def seen():
    net = area(street(18, n_line=2, poles=4), pool(width=3, roof=0.8), type_name="S13-30-Dyn11")
    vm_pu = 1.0 + 0.01 * np.arange(net.pool.n_step) / net.pool.n_step
    return outlook_of(dataclasses.replace(net, vm_pu=vm_pu), kw=2.0)


def outlook_of(net, *, kw):
    risk = AreaRisk(net, lived_in(18), RULES, seed=4)
    outlook = risk.with_heater(LvHeater(home=3, column=1, rated_kw=kw))
    meters = tuple(risk.meters(batch.phase, batch.more_meters) for batch in outlook.batches)
    return net, outlook, meters


# The course is solved on the whole tree, the worst of the draws on the tree without idle nodes, each to 1e-6 pu.
SOLVED = 1e-7


def as_now(net, outlook, meters):
    """The worst of the loads as they are; an outlook keeps what earlier states have shown as well."""
    return joined([worst_of_draws(net, b.p_kw, b.q_kvar, m) for b, m in zip(outlook.batches, meters, strict=True)])


@pytest.mark.parametrize("check", PER_STEP)
def test_the_worst_step_of_a_course_is_the_worst_of_its_draw(seen, check):
    net, outlook, meters = seen
    course = check_course(net, outlook, meters, check)
    worst = as_now(net, outlook, meters).value[check]
    assert course.shape == (outlook.draws, net.pool.n_step)
    np.testing.assert_allclose((SIGN[check] * course).max(axis=1), SIGN[check] * worst, rtol=SOLVED)


def test_a_transformer_lasts_through_a_window_and_its_course_may_pass_that(seen):
    net, outlook, meters = seen
    course = check_course(net, outlook, meters, LvCheck.TRANSFORMER_LOADING)
    worst = as_now(net, outlook, meters).value[LvCheck.TRANSFORMER_LOADING]
    windows = [net.pool.window == k for k in np.unique(net.pool.window[net.pool.window >= 0])]
    # The highest phase of each step lasts at least as high as any one phase.
    lasting = np.max([course[:, steps].min(axis=1) for steps in windows], axis=0)
    assert (lasting >= worst * (1.0 - SOLVED)).all()
    assert (course.max(axis=1) > worst).any()


def test_a_check_that_is_only_shown_has_no_course(seen):
    with pytest.raises(InputError, match="unbalance"):
        check_course(*seen, LvCheck.UNBALANCE)


@pytest.mark.parametrize("check", PER_STEP)
def test_the_moment_has_the_value_at_the_accepted_risk(seen, check):
    net, outlook, meters = seen
    moment = draw_evidence(net, outlook, meters, check)
    assert moment.solved
    assert moment.value == pytest.approx(outlook.value[check], rel=1e-9)
    assert moment.element == outlook.element[check]
    assert check_course(net, outlook, meters, check)[moment.draw, moment.step] == pytest.approx(
        moment.value, rel=SOLVED
    )


def test_a_moment_without_a_solution_is_a_state():
    """More than the lines carry at any voltage: the draw has no value, and the step shown is one that has none."""
    net, outlook, meters = outlook_of(area(street(18, n_line=2, poles=4), pool(width=3)), kw=900.0)
    assert outlook.unsolved > RULES.risk * outlook.draws
    moment = draw_evidence(net, outlook, meters, LvCheck.LOW_VOLTAGE)
    assert not moment.solved
    assert moment.element == ""
    course = check_course(net, outlook, meters, LvCheck.LOW_VOLTAGE)
    assert np.isnan(course[moment.draw, moment.step])
    assert np.isfinite(course).any()
