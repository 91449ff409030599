"""What one thread keeps of the blocks it has solved, and how the threads' keepings are joined.

Sums are kept in whole numbers (milliseconds, milliwatt-hours), so that they do not depend on who solved which block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.errors import InputError
from gridcheck.network.records import Network
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.prepare import Prepared
from gridcheck.powerflow.readings import Scales, percent_scales, write_currents
from gridcheck.powerflow.sweep import Block

VM_BIN_PU, _VM_LOW_PU, _VM_BINS = 0.0005, 0.2, 2600
LOADING_BIN_PERCENT, _LOADING_BINS = 0.25, 2000
_MS_PER_H = 3.6e6
_PER_MWH = 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """What is kept beside the extremes.

    Attributes
    ----------
    vm_min_pu, vm_max_pu, loading_max_percent : float, optional
        Limits whose hours are counted. [pu], [pu], [%]
    energy : bool
        Whether the energy through each branch is summed.
    quantiles : tuple of float
        Shares of time between 0 and 1.
    bus, branch : tuple of int
        Positions of the buses and branches that are kept in every case.
    """

    vm_min_pu: float | None = None
    vm_max_pu: float | None = None
    loading_max_percent: float | None = None
    energy: bool = False
    quantiles: tuple[float, ...] = ()
    bus: tuple[int, ...] = ()
    branch: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        odd = [q for q in self.quantiles if not 0.0 <= q <= 1.0]
        if odd:
            raise InputError(f"Quantiles are shares of time from 0 to 1. Got {odd}.")

    def require_places(self, network: Network) -> None:
        """Refuse positions that the network does not have.

        Raises
        ------
        InputError
            Naming them.
        """
        for name, places, size in (("bus", self.bus, network.n_bus), ("branch", self.branch, network.n_branch)):
            odd = [place for place in places if not 0 <= place < size]
            if odd:
                raise InputError(f"{name} holds positions from 0 to {size - 1}. Got {odd[:20]}.")

    @property
    def tables(self) -> bool:
        """Whether every value has to be looked at, not the extremes alone."""
        limits = (self.vm_min_pu, self.vm_max_pu, self.loading_max_percent)
        return any(limit is not None for limit in limits) or bool(self.quantiles) or bool(self.bus or self.branch)


@dataclass(slots=True, eq=False)
class Tally:
    """What one thread has seen. Rows are nodes of the tree, behind them, for loading, the branches that were cut."""

    network: Network
    prepared: Prepared
    wanted: Wanted
    duration_h: FloatArray
    kept_vm: FloatArray
    kept_loading: FloatArray
    best: FloatArray = field(init=False)
    case: IntArray = field(init=False)
    loading: FloatArray = field(init=False)
    beyond: IntArray = field(init=False)
    energy: IntArray = field(init=False)
    vm_bins: IntArray = field(init=False)
    loading_bins: IntArray = field(init=False)
    _bus_row: IntArray = field(init=False)
    _branch_row: IntArray = field(init=False)
    _scales: Scales = field(init=False)
    _tracked: tuple[FloatArray, FloatArray] = field(init=False)

    def __post_init__(self) -> None:
        n_node, n_cut = self.prepared.model.n_node, len(self.prepared.loops.branch)
        n_row = n_node + n_cut
        self.best, self.case = np.full((3, n_row), -np.inf), np.full((3, n_row), -1, dtype=np.int64)
        self.loading = np.full(n_row, np.nan)
        self.beyond = np.zeros((3, n_row), dtype=np.int64)
        self.energy = np.zeros(n_node, dtype=np.int64)
        n_bins = (_VM_BINS, _LOADING_BINS) if self.wanted.quantiles else (0, 0)
        self.vm_bins = np.zeros((n_node, n_bins[0]), dtype=np.int64)
        self.loading_bins = np.zeros((n_row, n_bins[1]), dtype=np.int64)
        model, loops = self.prepared.model, self.prepared.loops
        self._bus_row = _find(model.bus, self.wanted.bus)
        self._branch_row = _find(np.concatenate([model.branch, loops.branch]), self.wanted.branch)
        self._scales = percent_scales(self.network, self.prepared)
        near, far = self._scales.near.copy(), self._scales.far.copy()
        near[self.prepared.taps.node], far[self.prepared.taps.node] = np.nan, np.nan
        self._tracked = near, far

    def __call__(self, block: Block) -> None:
        """Look at one block."""
        model, lanes = self.prepared.model, min(block.width, len(self.duration_h) - block.first)
        for part in range(4):
            # Lanes behind the last case do not count.
            block.state[0, :-1, part * block.width + lanes : (part + 1) * block.width] = np.nan
        n_node = model.n_node
        _kernels.track(
            model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
            *self._tracked, block.state[0], np.empty(3 * block.width), block.first,
            self.best[:, :n_node], self.case[:, :n_node], self.loading[:n_node],
        )  # fmt: skip
        if not self.prepared.is_plain:
            self._look_at_others(block, lanes)
        if self.wanted.energy:
            weight = np.zeros(block.width)
            weight[:lanes] = self.duration_h[block.first : block.first + lanes] * model.sn_mva * _PER_MWH
            _kernels.add_energy(model.far_g_pu, block.state[0], weight, self.energy)
        if self.wanted.tables:
            self._look_at_all(block, lanes)

    def _look_at_others(self, block: Block, lanes: int) -> None:
        """Track branches with tap changers and cut branches, which the kernel passes over."""
        n_node, n_cut = self.prepared.model.n_node, len(self.prepared.loops.branch)
        node = self.prepared.taps.node
        row = np.concatenate([node, n_node + np.arange(n_cut)])
        of_node = np.full(n_node, -1, dtype=np.int64)
        of_node[node] = np.arange(len(node))
        values = np.full((len(row), lanes), np.nan)
        write_currents(self.prepared, self._scales, block, (of_node, len(node) + np.arange(n_cut)), 0, values)
        best, case = self.best[2, row], self.case[2, row]
        _kernels.extremes(values, 1.0, block.first, best, case)
        self.best[2, row], self.case[2, row], self.loading[row] = best, case, np.where(case >= 0, best, np.nan)

    def _look_at_all(self, block: Block, lanes: int) -> None:
        """Count hours and bins, and write down what is kept in full."""
        wanted, n_node, n_cut = self.wanted, self.prepared.model.n_node, len(self.prepared.loops.branch)
        weight = np.rint(self.duration_h[block.first : block.first + lanes] * _MS_PER_H).astype(np.int64)
        vm, loading = np.empty((n_node, lanes)), np.full((n_node + n_cut, lanes), np.nan)
        nodes = np.arange(n_node)
        _kernels.magnitudes(block.state, nodes, 0, vm)
        write_currents(self.prepared, self._scales, block, (nodes, n_node + np.arange(n_cut)), 0, loading)
        limits = ((vm, wanted.vm_min_pu, -1.0), (vm, wanted.vm_max_pu, 1.0), (loading, wanted.loading_max_percent, 1.0))
        for total, (values, limit, sign) in zip(self.beyond, limits, strict=True):
            if limit is not None:
                _kernels.count_beyond(values, limit, sign, weight, total)
        if wanted.quantiles:
            _kernels.count_bins(vm, _VM_LOW_PU, VM_BIN_PU, weight, self.vm_bins)
            _kernels.count_bins(loading, 0.0, LOADING_BIN_PERCENT, weight, self.loading_bins)
        cases = slice(block.first, block.first + lanes)
        for values, rows, target in ((vm, self._bus_row, self.kept_vm), (loading, self._branch_row, self.kept_loading)):
            known = np.flatnonzero(rows >= 0)
            target[cases, known] = values[rows[known]].T


def _find(places: IntArray, wanted: Sequence[int]) -> IntArray:
    """Return where each wanted position stands among `places`, -1 where it does not."""
    row = {int(place): i for i, place in enumerate(places)}
    return np.array([row.get(position, -1) for position in wanted], dtype=np.int64)


def joined(tallies: Sequence[Tally]) -> Tally:
    """Join what several threads have seen into the first; of equal values that of the lowest case counts."""
    into = tallies[0]
    for other in tallies[1:]:
        better = (other.best > into.best) | ((other.best == into.best) & (other.case >= 0) & (other.case < into.case))
        into.loading = np.where(better[2], other.loading, into.loading)
        into.best, into.case = np.where(better, other.best, into.best), np.where(better, other.case, into.case)
        into.beyond += other.beyond
        into.energy += other.energy
        into.vm_bins += other.vm_bins
        into.loading_bins += other.loading_bins
    return into


def hours(total_ms: IntArray) -> FloatArray:
    """Turn milliseconds into hours."""
    return total_ms / _MS_PER_H


def energy_mwh(total: IntArray) -> FloatArray:
    """Turn what `Tally.energy` counts into MWh."""
    return total / _PER_MWH


def vm_quantiles(tally: Tally) -> FloatArray:
    """Return the wanted quantiles of the voltages, shape (n_quantile, n_node). [pu]"""
    return _quantiles(tally.vm_bins, tally.wanted.quantiles, _VM_LOW_PU, VM_BIN_PU)


def loading_quantiles(tally: Tally) -> FloatArray:
    """Return the wanted quantiles of the loadings, shape (n_quantile, n_row). [%]"""
    return _quantiles(tally.loading_bins, tally.wanted.quantiles, 0.0, LOADING_BIN_PERCENT)


def _quantiles(bins: IntArray, shares: Sequence[float], low: float, width: float) -> FloatArray:
    result = np.full((len(shares), len(bins)), np.nan)
    if not len(shares):
        return result
    below = bins.cumsum(axis=1)
    total = below[:, -1]
    for k, share in enumerate(shares):
        # The first bin at whose upper edge that share of the time is reached.
        place = (below < np.maximum(share * total, 1)[:, None]).sum(axis=1)
        result[k] = np.where(total > 0, low + (place + 0.5) * width, np.nan)
    return result
