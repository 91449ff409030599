"""The compiled core: arrays in, arrays out, no gridcheck types; the only place that imports numba."""

from __future__ import annotations

from gridcheck.powerflow._kernels.balanced import factored_power, sweep, written_power
from gridcheck.powerflow._kernels.general import sweep_general
from gridcheck.powerflow._kernels.layout import BLOCK, COLLAPSE_VM_PU, CONVERGED, DIVERGED_PU, NOT_CONVERGED
from gridcheck.powerflow._kernels.reading import angles, branch_currents, losses, magnitudes, pass_down
from gridcheck.powerflow._kernels.reductions import extremes, sustained_peak
from gridcheck.powerflow._kernels.tracking import add_energy, count_beyond, count_bins, track

__all__ = [
    "BLOCK",
    "COLLAPSE_VM_PU",
    "CONVERGED",
    "DIVERGED_PU",
    "NOT_CONVERGED",
    "add_energy",
    "angles",
    "branch_currents",
    "count_beyond",
    "count_bins",
    "extremes",
    "factored_power",
    "losses",
    "magnitudes",
    "pass_down",
    "sustained_peak",
    "sweep",
    "sweep_general",
    "track",
    "written_power",
]
