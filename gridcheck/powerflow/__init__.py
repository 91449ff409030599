"""Load flow: many cases of a network at once, exactly."""

from __future__ import annotations

from gridcheck.powerflow.phase_results import PhaseExtremes, PhasePowerFlowResult, PhaseVoltages
from gridcheck.powerflow.results import CONVERGED, NOT_CONVERGED, CaseStatus, Extremes, PowerFlowResult
from gridcheck.powerflow.solve import Voltages, solve, solve_voltages
from gridcheck.powerflow.streaming import solve_extremes
from gridcheck.powerflow.switch_states import Judged, Own, SwitchStates, TopologyExtremes, TopologyStatus
from gridcheck.powerflow.switchable import Switchable, switchable
from gridcheck.powerflow.tallies import Wanted
from gridcheck.powerflow.topologies import TopologySolver, solve_topologies
from gridcheck.powerflow.unbalanced import solve_unbalanced, solve_unbalanced_extremes, solve_unbalanced_voltages

__all__ = [
    "CONVERGED",
    "NOT_CONVERGED",
    "CaseStatus",
    "Extremes",
    "Judged",
    "Own",
    "PhaseExtremes",
    "PhasePowerFlowResult",
    "PhaseVoltages",
    "PowerFlowResult",
    "SwitchStates",
    "Switchable",
    "TopologyExtremes",
    "TopologySolver",
    "TopologyStatus",
    "Voltages",
    "Wanted",
    "solve",
    "solve_extremes",
    "solve_topologies",
    "solve_unbalanced",
    "solve_unbalanced_extremes",
    "solve_unbalanced_voltages",
    "solve_voltages",
    "switchable",
]
