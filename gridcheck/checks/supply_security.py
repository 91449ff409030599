"""Security of supply by group load: how much of a group must be back, and how soon, after an outage.

A group is what one feeder, or one main transformer, supplies at its peak. The larger it is, the more of it must be
supplied again by switching, without waiting for the repair:

1. up to 2 MW: all of it may wait for the repair;
2. up to 12 MW: the healthy part, and at least the group less 2 MW, within some hours, in towns sooner;
3. above: at least the group less 12 MW, and two thirds of it, within a quarter of an hour; the healthy part within
   the hours of 2.

Supply areas of class C and better shall meet it; for D and E it is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridcheck.checks.records import NMinus1Row, SwitchingStep
from gridcheck.limits import DEFAULT_LIMITS, Limit, LimitSet
from gridcheck.units import KW_PER_MW

REQUIRED_CLASSES = ("A+", "A", "B", "C")
"""Supply classes that shall pass N-1 by transfer and keep their security level; D and E are reported only."""

# Loads are equal within this. [kW]
_SAME_KW = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplySecurity:
    """What the rule asks of one outage, and whether it is met.

    Attributes
    ----------
    level : int
        1, 2 or 3, by the group load.
    must_serve_kw : float
        Load that must be supplied without the repair. [kW]
    within_minutes : float
        How soon; infinite in level 1. [min]
    served_in_time_kw : float
        Load that is supplied by then. [kW]
    is_met : bool
        Whether the rule is met, in classes that it does not bind too.
    is_required : bool
        Whether it binds the supply class.
    clause : str
        Where the rule is from, with its confidence.
    """

    level: int
    must_serve_kw: float
    within_minutes: float
    served_in_time_kw: float
    is_met: bool
    is_required: bool
    clause: str


def supply_security(row: NMinus1Row, limits: LimitSet = DEFAULT_LIMITS) -> SupplySecurity:
    """Hold one outage against the rule.

    Parameters
    ----------
    row : NMinus1Row
        The outage, with its switching sheet.
    limits : LimitSet
        ``security_*`` are used.

    Returns
    -------
    SupplySecurity
    """
    group_kw, healthy_kw = row.demand_kw, row.demand_kw - (row.unsupplied_kw - (row.lost_kw - row.restored_kw))
    transfer = _transfer_minutes(row.supply_class, limits)
    small_kw = limits.security_small_group_mw.value * KW_PER_MW
    large_kw = limits.security_large_group_mw.value * KW_PER_MW
    small = SupplySecurity(
        level=1, must_serve_kw=0.0, within_minutes=float("inf"), served_in_time_kw=row.served_kw, is_met=True,
        is_required=row.supply_class in REQUIRED_CLASSES, clause=_clause(limits.security_small_group_mw),
    )  # fmt: skip
    if group_kw <= small_kw + _SAME_KW:
        return small
    # The healthy part of a group of level 2 or 3, and never less than the group without a small one.
    must_kw = max(healthy_kw, group_kw - small_kw) if group_kw <= large_kw + _SAME_KW else healthy_kw
    served_kw = _served_within(row.steps, transfer.value, row)
    is_met = served_kw >= must_kw - _SAME_KW
    level = 2
    if group_kw > large_kw + _SAME_KW:
        share, soon = limits.security_large_group_percent.value / 100.0, limits.security_large_group_min
        soon_kw = max(group_kw - large_kw, share * group_kw)
        soon_served_kw = _served_within(row.steps, soon.value, row)
        is_soon = soon_served_kw >= soon_kw - _SAME_KW
        level, is_met = 3, is_met and is_soon
        if not is_soon:
            must_kw, served_kw, transfer = soon_kw, soon_served_kw, soon
    return SupplySecurity(
        level=level, must_serve_kw=must_kw, within_minutes=transfer.value, served_in_time_kw=served_kw, is_met=is_met,
        is_required=small.is_required, clause=_clause(transfer),
    )  # fmt: skip


def _transfer_minutes(supply_class: str, limits: LimitSet) -> Limit:
    return limits.security_transfer_a_min if supply_class in ("A+", "A") else limits.security_transfer_min


def _served_within(steps: Sequence[SwitchingStep], minutes: float, row: NMinus1Row) -> float:
    """Return what is supplied so many minutes after the fault; nobody's supply is touched without a sheet. [kW]"""
    done = [step for step in steps if step.elapsed_minutes <= minutes]
    if done:
        return done[-1].served_kw
    return row.demand_kw - row.interrupted_kw if steps else row.served_kw


def _clause(limit: Limit) -> str:
    return f"{limit.clause} [{limit.confidence}]"
