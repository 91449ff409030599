"""The compiled core: arrays in, arrays out, no gridcheck types; the only place that imports numba."""

from __future__ import annotations

from gridcheck.powerflow._kernels.balanced import soften, sweep
from gridcheck.powerflow._kernels.freshness import announce_compilation
from gridcheck.powerflow._kernels.general import sweep_general
from gridcheck.powerflow._kernels.layout import (
    BLOCK,
    COLLAPSE_VM_PU,
    CONVERGED,
    DIVERGED_PU,
    EARTHED,
    LINE,
    LOOP,
    NOT_CONVERGED,
    SOURCE,
    TRAFO,
)
from gridcheck.powerflow._kernels.loads import factored_power, written_power
from gridcheck.powerflow._kernels.phase_reading import (
    neutral_shift,
    phase_angles,
    phase_currents,
    phase_losses,
    phase_magnitudes,
    unbalance,
)
from gridcheck.powerflow._kernels.phases import sweep_phases
from gridcheck.powerflow._kernels.place_extremes import place_extremes, place_power
from gridcheck.powerflow._kernels.reading import angles, branch_currents, losses, magnitudes, pass_down
from gridcheck.powerflow._kernels.reductions import extremes, sustained_peak
from gridcheck.powerflow._kernels.switching import solve_states
from gridcheck.powerflow._kernels.tracking import add_energy, count_beyond, count_bins, track

__all__ = [
    "BLOCK",
    "COLLAPSE_VM_PU",
    "CONVERGED",
    "DIVERGED_PU",
    "EARTHED",
    "LINE",
    "LOOP",
    "NOT_CONVERGED",
    "SOURCE",
    "TRAFO",
    "add_energy",
    "angles",
    "announce_compilation",
    "branch_currents",
    "count_beyond",
    "count_bins",
    "extremes",
    "factored_power",
    "losses",
    "magnitudes",
    "neutral_shift",
    "pass_down",
    "phase_angles",
    "phase_currents",
    "phase_losses",
    "phase_magnitudes",
    "place_extremes",
    "place_power",
    "soften",
    "solve_states",
    "sustained_peak",
    "sweep",
    "sweep_general",
    "sweep_phases",
    "track",
    "unbalance",
    "written_power",
]
