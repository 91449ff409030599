"""Load flow: many cases of a radial network at once, exactly."""

from __future__ import annotations

from gridcheck.powerflow.phase_results import PhaseExtremes, PhasePowerFlowResult
from gridcheck.powerflow.results import CONVERGED, NOT_CONVERGED, CaseStatus, Extremes, PowerFlowResult
from gridcheck.powerflow.solve import solve, solve_extremes
from gridcheck.powerflow.unbalanced import solve_unbalanced, solve_unbalanced_extremes

__all__ = [
    "CONVERGED",
    "NOT_CONVERGED",
    "CaseStatus",
    "Extremes",
    "PhaseExtremes",
    "PhasePowerFlowResult",
    "PowerFlowResult",
    "solve",
    "solve_extremes",
    "solve_unbalanced",
    "solve_unbalanced_extremes",
]
