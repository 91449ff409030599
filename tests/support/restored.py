"""Lose a line of a small random grid and restore it, with little or with all the effort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.cases import LoadCases
from gridcheck.checks.islands import DarkGraph, dark_graph
from gridcheck.checks.judgement import NormalState, normal_state
from gridcheck.checks.outages import SECTION, Contingency, CutOff, cut_off
from gridcheck.checks.restoration import Restoration, restore
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.units import KW_PER_MW
from tests.support.restoration_grids import TiedGrid, tied_grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loss:
    """A lost line, with limits that the grid keeps as normally switched.

    Attributes
    ----------
    grid, line
        Which line of which grid.
    limits : tuple of float
        Highest loading in percent and lowest voltage in pu.
    load_kw : ndarray
        By bus.
    state, cut, graph
        The same for the check.
    """

    grid: TiedGrid
    line: int
    limits: tuple[float, float]
    load_kw: FloatArray
    state: NormalState
    cut: CutOff
    graph: DarkGraph

    @property
    def n_line(self) -> int:
        """Number of lines."""
        return len(self.grid.ends)

    def restored(self, *, evaluations: int = 10**6, effort: int = 10**7) -> Restoration:
        """Restore it."""
        return restore(self.state, self.cut, self.graph, evaluations=evaluations, effort=effort)


def random_loss(seed: int, *, by_line: bool, most_dark: int = 7, after: float | None = None) -> Loss | None:
    """Draw a grid, limits a little beyond its normal state and a line; None where more than `most_dark` go dark.

    After an outage every bus draws `after` times as much, give or take a fifth.
    """
    rng = np.random.default_rng([seed, 7])
    grid = tied_grid(seed, n_load=int(rng.integers(8, 17)), by_line=by_line)
    loading, vm = grid.margins()
    if not vm > 0.8:
        return None
    limits = loading * rng.uniform(1.02, 1.6), min(vm - rng.uniform(0.001, 0.03), 0.99)
    overrides = {
        "n_minus_1_loading_percent": (limits[0], "test"),
        "n_minus_1_vm_min_pu": (limits[1], "test"),
    }
    network = grid.network()
    more = 0.0 if after is None else after * np.random.default_rng(seed).uniform(0.8, 1.2, grid.loads.n_bus)
    later = LoadCases(p_mw=more * grid.loads.p_mw, q_mvar=more * grid.loads.q_mvar)
    state = normal_state(
        network,
        grid.loads,
        with_overrides(DEFAULT_LIMITS, overrides),
        loads_after=None if after is None else later,
    )
    sections = state.sections
    load_kw = grid.loads.p_mw[int(rng.integers(0, 2))] * KW_PER_MW
    homes, load = np.zeros(sections.n_section, dtype=np.int64), np.zeros(sections.n_section)
    np.add.at(homes, sections.bus_section, grid.households)
    np.add.at(load, sections.bus_section, load_kw)
    for line in rng.permutation(grid.n_tree).tolist():
        contingency = Contingency(
            outage_id=f"line:{line}", outage_kind=SECTION, section=int(sections.branch_section[line])
        )
        cut = cut_off(contingency, sections, state.tree)
        graph = dark_graph(state, cut, homes, load)
        if 2 <= graph.n_dark <= most_dark and graph.live_links:
            return Loss(grid=grid, line=line, limits=limits, load_kw=load_kw, state=state, cut=cut, graph=graph)
    return None
