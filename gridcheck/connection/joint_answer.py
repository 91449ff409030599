"""One answer out of two: what the 10 kV level says, and what the draws of the area's low-voltage network say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.checks.draw_extremes import SIGN, LvCheck
from gridcheck.checks.risk_outlook import RiskOutlook
from gridcheck.checks.supply_tree import QUANTITY, CheckKind
from gridcheck.connection.decision import Decision, Verdict
from gridcheck.connection.low_voltage_verdict import LvVerdict

KIND_OF_CHECK = {
    LvCheck.LOW_VOLTAGE: CheckKind.METER_LOW,
    LvCheck.HIGH_VOLTAGE: CheckKind.METER_HIGH,
    LvCheck.LINE_LOADING: CheckKind.LV_LINE,
    LvCheck.NEUTRAL_LOADING: CheckKind.LV_NEUTRAL,
    LvCheck.TRANSFORMER_LOADING: CheckKind.TRAFO_PHASE,
}
"""What a deciding check of the draws is called in the tables."""


def joint_answer(decision: Decision, low_voltage: LvVerdict, case: IntArray) -> Decision:
    """Join an approval by the 10 kV level with the answer of the low-voltage network.

    Parameters
    ----------
    decision : Decision
        An approval, with or without conditions.
    low_voltage : LvVerdict
        What the area says.
    case : ndarray of int, shape (n_step,)
        Cases of the steps that the area looks at.

    Returns
    -------
    Decision
        A deferral where the area says so. Otherwise an approval with the conditions of both; binding is what leaves
        less room.
    """
    decision = replace(
        decision, broken_before=tuple(QUANTITY[KIND_OF_CHECK[check]] for check in low_voltage.broken_before)
    )
    outlook = low_voltage.outlook
    margin_kw = _margin_kw(outlook)
    if not low_voltage.fits:
        deferred = replace(decision, verdict=Verdict.DEFER, conditions=(), blocked_by=low_voltage.blocked_by)
        # What is beyond its limit already and hardly moves with this heater lacks at least its power.
        lacking_kw = margin_kw if np.isfinite(margin_kw) and margin_kw < 0.0 else -outlook.heater.rated_kw
        return _bound_by(deferred, outlook, lacking_kw, case)
    conditions = (*low_voltage.conditions, *decision.conditions)
    verdict = Verdict.APPROVE_WITH_CONDITIONS if conditions else Verdict.APPROVE
    approved = replace(decision, verdict=verdict, conditions=conditions)
    # What is not shown to be kept without it either does not bind whoever may connect in spite of it.
    check = outlook.binding
    is_kept = SIGN[check] * (outlook.limit[check] - outlook.value[check]) >= 0.0
    is_binding = is_kept and margin_kw < decision.margin_kw and check not in low_voltage.broken_before
    return _bound_by(approved, outlook, margin_kw, case) if is_binding else approved


def _bound_by(decision: Decision, outlook: RiskOutlook, margin_kw: float, case: IntArray) -> Decision:
    """Return a decision whose binding check is that of the draws."""
    check = outlook.binding
    return replace(
        decision,
        kind=KIND_OF_CHECK[check],
        check=-1,
        element=outlook.element[check] or decision.application.area_id,
        value=float(outlook.value[check]),
        value_before=float(outlook.value_before[check]),
        limit=float(outlook.limit[check]),
        case=int(case[outlook.step[check]]),
        margin_kw=margin_kw,
        with_crowd=True,
        probability=1.0 - float(outlook.probability[check]),
        probability_low=1.0 - float(outlook.high[check]),
        probability_high=1.0 - float(outlook.low[check]),
        draws=outlook.draws,
    )


def _margin_kw(outlook: RiskOutlook) -> float:
    """Estimate how many more rated kW the binding check allows after the heater; inf where it has no bearing. [kW]"""
    check, sign = outlook.binding, SIGN[outlook.binding]
    per_kw = sign * (outlook.value[check] - outlook.value_before[check]) / outlook.heater.rated_kw
    room = sign * (outlook.limit[check] - outlook.value[check])
    return float(room / per_kw) if np.isfinite(per_kw) and per_kw > 0.0 else (np.inf if room >= 0.0 else 0.0)
