"""The answer to one application."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gridcheck.checks.supply_tree import LEVEL, QUANTITY, CheckKind, limit_of
from gridcheck.connection.applications import Application
from gridcheck.limits import LimitSet

_CAP = "limit_kw:"


class Verdict(StrEnum):
    """Answer to an application."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve_with_conditions"
    DEFER = "defer"
    INSUFFICIENT_DATA = "insufficient_data"


class Blocker(StrEnum):
    """Whose load leaves no room for an application."""

    EXISTING_LOAD = "existing_load"
    PROMISED_LOAD = "promised_load"
    OWN_LOAD = "own_load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to one application, with the limit that leaves the least room.

    Attributes
    ----------
    application : Application
        What was asked.
    verdict : Verdict
        The answer.
    conditions : tuple of str
        Codes of what must be kept for an approval, what would fit instead for a deferral, or what is needed for an
        answer where the data allow none.
    kind : CheckKind or None
        The binding check; None where the load flow has no solution, or the data allow no answer.
    check : int
        Its position among the checks of the supply tree, -1 where there is none.
    element : str
        Id of the binding element.
    value, value_before, limit : float
        Worst value of the binding quantity with and without the heater, and its limit, in the limit's unit.
    case : int
        The case of `value`, -1 where there is none.
    margin_kw : float
        Rated power that still fits here after the heater; negative: what is missing. Linear estimate. [kW]
    blocked_by : Blocker or None
        For deferrals: whose load uses the room up.
    promised_before : int
        Applications of the same supply tree that were approved before this one.
    with_crowd : bool
        True where the binding check was made with every pending application of other areas connected.
    probability, probability_low, probability_high : float
        Share of the draws in which the limit is kept, and the confidence interval of that probability; NaN where the
        binding check is no matter of draws. [1]
    draws : int
        Number of draws; 0 without any.
    broken_before : tuple of str
        Quantities of its area that more draws than accepted break without it: shown, whoever answers for them.
    pre_approved : bool
        True for an approval within the published limit of its area, without draws of its own.
    """

    application: Application
    verdict: Verdict
    conditions: tuple[str, ...]
    kind: CheckKind | None
    check: int
    element: str
    value: float
    value_before: float
    limit: float
    case: int
    margin_kw: float
    blocked_by: Blocker | None
    promised_before: int
    with_crowd: bool
    probability: float = float("nan")
    probability_low: float = float("nan")
    probability_high: float = float("nan")
    draws: int = 0
    broken_before: tuple[str, ...] = ()
    pre_approved: bool = False

    @property
    def level(self) -> str:
        """Level of the grid at which the binding check stands."""
        return self._without_kind("network") if self.kind is None else LEVEL[self.kind]

    @property
    def quantity(self) -> str:
        """Name of the binding quantity."""
        return self._without_kind("not_converged") if self.kind is None else QUANTITY[self.kind]

    def _without_kind(self, code: str) -> str:
        """Return what binds where no check does: data that are missing, or a load flow without a solution."""
        return "data" if self.verdict == Verdict.INSUFFICIENT_DATA else code

    @property
    def granted(self) -> Application:
        """The application with the rated power that is granted: what was asked, or the cap among the conditions."""
        caps = [float(code.removeprefix(_CAP)) for code in self.conditions if code.startswith(_CAP)]
        own_kw = self.application.rated_kw
        if not self.connected or not caps or min(caps) >= own_kw:
            return self.application
        return replace(self.application, rated_kw=min(caps))

    @property
    def connected(self) -> bool:
        """True for approvals, with or without conditions."""
        return self.verdict in (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)


def clause_of(decision: Decision, limits: LimitSet) -> str:
    """Return the clause of the binding limit with its confidence mark."""
    if decision.kind is None:
        return ""
    limit = limit_of(decision.kind, limits)
    return f"{limit.clause} [{limit.confidence}]"
