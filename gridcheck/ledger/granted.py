"""What the conditions of an approval grant: which rated power, on which phase."""

from __future__ import annotations

from collections.abc import Sequence

from gridcheck.ledger.records import Approved, NewApplication

APPROVALS = ("approve", "approve_with_conditions")
"""Answers on which a promise can stand."""

_PHASE, _CAP = "phase:", "limit_kw:"


def granted_kw(rated_kw: float, conditions: Sequence[str]) -> float:
    """Return the rated power that an approval grants: what was asked, or its cap. [kW]

    Examples
    --------
    >>> granted_kw(3.0, ("phase:B", "limit_kw:2.4")), granted_kw(3.0, ("managed_start",))
    (2.4, 3.0)
    """
    caps = [float(code.removeprefix(_CAP)) for code in conditions if code.startswith(_CAP)]
    return min([rated_kw, *caps])


def granted_phase(asked: str, conditions: Sequence[str]) -> str:
    """Return the phase that an approval grants: the one that its condition names, else the one that was asked for.

    Examples
    --------
    >>> granted_phase("A", ("phase:B", "limit_kw:2.4")), granted_phase("A", ("managed_start",))
    ('B', 'A')
    """
    named = [code.removeprefix(_PHASE) for code in conditions if code.startswith(_PHASE)]
    return named[-1] if named else asked


def approved_by(asked: NewApplication, verdict: str | None, conditions: Sequence[str]) -> Approved | None:
    """Return what an answer grants; None where there is no answer, or it is no approval."""
    if verdict not in APPROVALS:
        return None
    return Approved(
        application_id=asked.application_id,
        rated_kw=granted_kw(asked.rated_kw, conditions),
        phase=granted_phase(asked.phase, conditions),
    )
