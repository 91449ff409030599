"""Load flow: many cases of a radial network at once, exactly."""

from __future__ import annotations

from gridcheck.powerflow.results import CONVERGED, NOT_CONVERGED, CaseStatus, Extremes, PowerFlowResult
from gridcheck.powerflow.solve import solve, solve_extremes

__all__ = ["CONVERGED", "NOT_CONVERGED", "CaseStatus", "Extremes", "PowerFlowResult", "solve", "solve_extremes"]
