"""Two answers in one: the tighter of both levels binds, and what was broken before binds nobody who may connect."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.draw_extremes import LvCheck
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.checks.supply_tree import CheckKind
from gridcheck.connection.applications import Application
from gridcheck.connection.decision import Decision, Verdict
from gridcheck.connection.joint_answer import joint_answer
from gridcheck.connection.low_voltage_verdict import LvOptions, decide_area
from tests.support.risk_areas import BASE, HEAT_PUMP, area, one_box, steady_pool

ASKED = Application(
    application_id="P1", county_code="140827", village_code="", area_id="A1", device="heat_pump",
    applied_on=date(2025, 9, 1), rated_kw=2.0, phase="A", household_group="ordinary", queue_position=1,
)  # fmt: skip
ABOVE = Decision(
    application=ASKED, verdict=Verdict.APPROVE, conditions=(), kind=CheckKind.AREA_LOADING, check=3, element="A1",
    value=50.0, value_before=48.0, limit=80.0, case=7, margin_kw=30.0, blocked_by=None, promised_before=0,
    with_crowd=True,
)  # fmt: skip
ALONE = LvOptions(network_of=lambda _grid, _steps: None, phases=False, managed_start=False, least_share=1.0)


def answered(kw_before, kw, *, above=ABOVE):
    """One home with what it draws all evening asks for more; the joint answer."""
    net = area(one_box((0, 0), metres=450.0), steady_pool(), vm_pu=0.93, type_name="S13-200-Dyn11")
    loads = loads_of(np.zeros(1, dtype=int), np.array([BASE]), np.array([kw_before]))
    risk = AreaRisk(net, loads, RiskRules(refusal_draws=0, draws=(100,)), seed=1)
    (verdict,), _ = decide_area(risk, [LvHeater(home=1, column=HEAT_PUMP, rated_kw=kw)], ALONE)
    return verdict, joint_answer(above, verdict, net.pool.case)


def test_the_tighter_level_binds():
    verdict, joint = answered(1.0, 2.0)
    assert verdict.fits
    assert (joint.kind, joint.verdict) == (CheckKind.METER_LOW, Verdict.APPROVE)
    assert 0.0 < joint.margin_kw < ABOVE.margin_kw
    assert joint.probability == 1.0

    _, joint = answered(1.0, 2.0, above=replace(ABOVE, margin_kw=0.1))
    assert (joint.kind, joint.margin_kw) == (CheckKind.AREA_LOADING, 0.1)


def test_what_was_broken_before_binds_nobody_who_may_connect():
    verdict, joint = answered(9.0, 0.01)
    assert verdict.fits
    assert verdict.broken_before == (LvCheck.LOW_VOLTAGE,)
    assert (joint.verdict, joint.kind) == (Verdict.APPROVE, CheckKind.AREA_LOADING)
    assert joint.margin_kw == ABOVE.margin_kw  # and not the thousands of kW that are missing at the meter
    assert joint.broken_before == ("meter_voltage_v",)


def test_who_makes_it_worse_is_deferred_by_it():
    verdict, joint = answered(9.0, 2.0)
    assert not verdict.fits
    assert (joint.verdict, joint.kind) == (Verdict.DEFER, CheckKind.METER_LOW)
    assert joint.value < joint.limit == pytest.approx(198.0)
    assert joint.margin_kw <= 0.0
