"""Judge one application: which limit leaves it the least room, and what follows from that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.supply_tree import CheckKind, CheckList
from gridcheck.connection.applications import Application
from gridcheck.connection.decision import Blocker, Decision, Verdict
from gridcheck.connection.promises import Outlook, Promises

# A check that a heater moves by less than this share of its limit has no bearing on it.
_NEGLIGIBLE = 1e-6
# Heaters below this size do not exist in the catalogue. [kW]
_SMALLEST_KW = 0.9
_WATCH = {
    CheckKind.AREA_LOADING: "heavy_area",
    CheckKind.END_VOLTAGE: "low_voltage_watch",
    CheckKind.SECTION_LOADING: "heavy_section",
    CheckKind.FEEDER_LOADING: "heavy_feeder",
    CheckKind.MAIN_LOADING: "heavy_main_transformer",
}


def judge(
    promises: Promises, seen: Outlook, application: Application, *, preferred: bool, is_drawn: bool = False
) -> Decision:
    """Decide one application.

    Parameters
    ----------
    promises : Promises
        What is promised without it.
    seen : Outlook
        What it does.
    application : Application
        What is asked.
    preferred : bool
        Whether the plan prefers its class of device.
    is_drawn : bool
        Whether the low-voltage network of its area is judged by draws, so that the estimate of its end voltage does not
        count.

    Returns
    -------
    Decision
        Its binding check is the one that leaves the least room: of the broken ones that count, or of the way of
        supply where none is broken.
    """
    view, checks = seen.view, seen.view.checks
    base = promises.base.value[view.check]
    seen, base = _at_worsened_moments(promises, seen, base)
    kept = ~checks.beyond_limit(seen.before)
    path = view.path & ~(is_drawn & (checks.kind == CheckKind.END_VOLTAGE))
    charged = checks.beyond_limit(seen.after) & ((view.guarded & kept) | (path & (kept | ~_no_worse(checks, seen))))
    margin = _margins(checks, seen, application.rated_kw, charged)
    relevant = charged if charged.any() else path
    binding = int(np.flatnonzero(relevant)[np.argmin(margin[relevant])])
    blocked_by = None
    if charged.any():
        verdict = Verdict.DEFER
        conditions = _what_fits(margin[charged], application.rated_kw)
        blocked_by = _blocker(seen, float(base[binding]), binding)
    else:
        conditions = _conditions(checks, seen.after, path, preferred=preferred)
        verdict = Verdict.APPROVE_WITH_CONDITIONS if conditions else Verdict.APPROVE
    return Decision(
        application=application,
        verdict=verdict,
        conditions=conditions,
        kind=CheckKind(int(checks.kind[binding])),
        check=int(view.check[binding]),
        element=checks.element[binding],
        value=float(seen.after[binding]),
        value_before=float(seen.before[binding]),
        limit=float(checks.limit[binding]),
        case=int(seen.case[binding]),
        margin_kw=float(margin[binding]),
        blocked_by=blocked_by,
        promised_before=promises.approved,
        with_crowd=bool(view.with_crowd[binding]),
    )


def _at_worsened_moments(promises: Promises, seen: Outlook, base: FloatArray) -> tuple[Outlook, FloatArray]:
    """Look past the worst moment of checks that are broken and no worse: another one may be, and be made so.

    Heating relieves what roofs feed in at noon, and may load the same transformer beyond its limit in the evening. Such
    a check gets the values of its worst moment among those that are broken and made worse, before the queue as well.
    """
    checks, hidden = seen.view.checks, hidden_moments(seen)
    if not hidden.any():
        return seen, base
    values = np.stack([base, seen.before, seen.after])
    case = seen.case.copy()
    for place in np.flatnonzero(hidden):
        sign, limit = checks.sign[place], checks.limit[place]
        at_base, before, after = promises.moments(seen, int(place))
        is_beyond = sign * (after.value - limit) > 1e-9 * limit
        worse = np.flatnonzero(is_beyond & (sign * (after.value - before.value) > _NEGLIGIBLE * limit))
        if len(worse):
            at = worse[np.argmax(sign * after.value[worse])]
            values[:, place] = at_base.value[at], before.value[at], after.value[at]
            case[place] = after.case[at]
    return replace(seen, before=values[1], after=values[2], case=case), values[0]


def hidden_moments(seen: Outlook) -> BoolArray:
    """Tell behind which checks another moment may hide: on the way of supply, broken as before, and no worse."""
    checks = seen.view.checks
    beyond = checks.beyond_limit
    return seen.view.path & beyond(seen.before) & beyond(seen.after) & _no_worse(checks, seen)


def _no_worse(checks: CheckList, seen: Outlook) -> BoolArray:
    """Tell which checks stand as before or better: heating at noon may relieve what roofs feed in.

    A hot spot that was not followed before has nothing to be compared with, and is not among them.
    """
    no_worse: BoolArray = checks.sign * (seen.after - seen.before) <= _NEGLIGIBLE * checks.limit
    return no_worse


def _margins(checks: CheckList, seen: Outlook, rated_kw: float, charged: BoolArray) -> FloatArray:
    """Estimate how many more rated kW of this heater each check allows after it; inf where it has no bearing. [kW]"""
    per_kw = checks.sign * (seen.after - seen.before) / rated_kw
    room = checks.sign * (checks.limit - seen.after)
    felt = per_kw * rated_kw > _NEGLIGIBLE * checks.limit
    margin = np.where(felt, room / np.where(felt, per_kw, 1.0), np.where(charged, -rated_kw, np.inf))
    return np.where(np.isnan(seen.after), np.inf, margin)


def _what_fits(margin_kw: FloatArray, rated_kw: float) -> tuple[str, ...]:
    fits_kw = rated_kw + float(margin_kw.min())
    # Above the rating the linear estimate contradicts itself.
    fits = _SMALLEST_KW <= fits_kw < rated_kw
    return (f"limit_kw:{np.floor(fits_kw * 10.0) / 10.0:g}",) if fits else ()


def _conditions(checks: CheckList, value: FloatArray, path: BoolArray, *, preferred: bool) -> tuple[str, ...]:
    beyond = path & checks.beyond_design(value)
    codes = [code for kind, code in _WATCH.items() if (beyond & (checks.kind == kind)).any()]
    if beyond.any():
        codes.append("staggered_start")
    if not preferred:
        codes.append("discouraged_device")
    return tuple(codes)


def _blocker(seen: Outlook, base: float, binding: int) -> Blocker:
    checks = seen.view.checks
    sign, limit = checks.sign[binding], checks.limit[binding]
    if sign * (base - limit) > 0.0:
        return Blocker.EXISTING_LOAD
    alone = base + (seen.after[binding] - seen.before[binding])
    return Blocker.OWN_LOAD if sign * (alone - limit) > 0.0 else Blocker.PROMISED_LOAD


def no_solution(application: Application, promised: int) -> Decision:
    """Defer an application that cannot be supplied at any voltage."""
    nan = float("nan")
    return Decision(
        application=application,
        verdict=Verdict.DEFER,
        conditions=(),
        kind=None,
        check=-1,
        element=application.area_id,
        value=nan,
        value_before=nan,
        limit=nan,
        case=-1,
        margin_kw=-application.rated_kw,
        blocked_by=Blocker.OWN_LOAD,
        promised_before=promised,
        with_crowd=False,
    )
