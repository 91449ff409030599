"""The public load flow: records in, records out, method chosen from the topology."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network.records import BranchKind, Network
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.radial import RadialModel, radial_model
from gridcheck.powerflow.results import Extremes, PowerFlowResult
from gridcheck.powerflow.sweep import SweepState, check_request, loads_of_nodes, sweep_blocks, thread_count

Array = TypeVar("Array", FloatArray, IntArray)


def solve(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 100,
    threads: int | None = None,
) -> PowerFlowResult:
    """Solve all cases of a radial network exactly and return every voltage and current.

    Parameters
    ----------
    network : Network
        Radial as switched; parts without a source come back unsupplied.
    loads : LoadCases or FactoredLoads
        Constant-power loads, consumption positive, buses in the order of ``network.bus_id``.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    threads : int, optional
        Number of threads; chosen by problem size where not given. The result does not depend on it.

    Returns
    -------
    PowerFlowResult

    Raises
    ------
    TopologyError
        If the network has a closed loop.
    InputError
        If the loads do not fit the network.

    References
    ----------
    .. [1] D. Shirmohammadi et al., IEEE Transactions on Power Systems 3(2), 1988. DOI 10.1109/59.192932
    """
    model = radial_model(network)
    check_request(model, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    n_case = loads.n_case
    vm, va = np.full((network.n_bus, n_case), np.nan), np.full((network.n_bus, n_case), np.nan)
    i_ka, loading = np.full((network.n_branch, n_case), np.nan), np.full((network.n_branch, n_case), np.nan)
    loss_pu = np.empty(n_case)
    ampere_scales, percent_scales = _ampere_scales(network, model), _percent_scales(model)
    series_r = np.where(model.parent < 0, 0.0, model.r_pu)

    def read(first: int, v: FloatArray, j: FloatArray) -> None:
        _kernels.magnitudes(v, model.bus, first, vm)
        _kernels.angles(v, model.bus, model.angle_degree, first, va)
        _write_currents(model, ampere_scales, (v, j), (model.branch, first, i_ka))
        _write_currents(model, percent_scales, (v, j), (model.branch, first, loading))
        _kernels.losses(series_r, model.g_pu, v, j, first, loss_pu)

    status, iterations = sweep_blocks(
        model,
        loads_of_nodes(model, loads),
        [read] * thread_count(threads, model.n_node * n_case),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
    )
    supplied = np.zeros(network.n_bus, dtype=bool)
    supplied[model.bus] = True
    return PowerFlowResult(
        status=status,
        supplied=supplied,
        iterations=iterations,
        vm_pu=vm.T,
        va_degree=va.T,
        i_ka=i_ka.T,
        loading_percent=loading.T,
        loss_mw=loss_pu * model.sn_mva,
    )


def solve_extremes(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 100,
    threads: int | None = None,
    model: RadialModel | None = None,
) -> Extremes:
    """Solve all cases of a radial network and keep only the extreme values of each element.

    Memory does not grow with the number of cases. Parameters as in `solve`; `model` reuses a prepared
    network, for example one with other switch states.
    """
    model = radial_model(network) if model is None else model
    check_request(model, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    readers = [_ExtremesReader(model, loads.n_case) for _ in range(thread_count(threads, model.n_node * loads.n_case))]
    status, _ = sweep_blocks(
        model, loads_of_nodes(model, loads), readers, tolerance_pu=tolerance_pu, max_iterations=max_iterations
    )
    low, high, loading = (
        _first_highest([reader.best[name] for reader in readers], [reader.case[name] for reader in readers])
        for name in ("low", "high", "loading")
    )
    return Extremes(
        status=status,
        vm_min_pu=_scatter(-low[0], np.nan, model.bus, low[1], model.n_bus),
        vm_min_case=_scatter(low[1], -1, model.bus, low[1], model.n_bus),
        vm_max_pu=_scatter(high[0], np.nan, model.bus, high[1], model.n_bus),
        vm_max_case=_scatter(high[1], -1, model.bus, high[1], model.n_bus),
        loading_max_percent=_scatter(loading[0], np.nan, model.branch, loading[1], model.n_branch),
        loading_max_case=_scatter(loading[1], -1, model.branch, loading[1], model.n_branch),
    )


class _ExtremesReader:
    """Keeps the extremes of the blocks that one thread has solved, and the cases in which they occur."""

    def __init__(self, model: RadialModel, n_case: int) -> None:
        self.best = {name: np.full(model.n_node, -np.inf) for name in ("low", "high", "loading")}
        self.case = {name: np.full(model.n_node, -1, dtype=np.int64) for name in self.best}
        self._model, self._n_case = model, n_case
        self._scales = _percent_scales(model)
        self._rows = np.arange(model.n_node)

    def __call__(self, first: int, v: FloatArray, j: FloatArray) -> None:
        values = np.empty((self._model.n_node, min(_kernels.BLOCK, self._n_case - first)))
        _kernels.magnitudes(v, self._rows, 0, values)
        _kernels.extremes(values, -1.0, first, self.best["low"], self.case["low"])
        _kernels.extremes(values, 1.0, first, self.best["high"], self.case["high"])
        _write_currents(self._model, self._scales, (v, j), (self._rows, 0, values))
        _kernels.extremes(values, 1.0, first, self.best["loading"], self.case["loading"])


def _first_highest(values: list[FloatArray], cases: list[IntArray]) -> tuple[FloatArray, IntArray]:
    """Merge what several threads have found; of equal values the lowest case counts, as with one thread."""
    best, case = values[0], cases[0]
    for value, at in zip(values[1:], cases[1:], strict=True):
        better = (value > best) | ((value == best) & (at >= 0) & (at < case))
        best, case = np.where(better, value, best), np.where(better, at, case)
    return best, case


def node_voltages(state: SweepState) -> FloatArray:
    """Return voltage magnitudes, shape (n_node, n_case). [pu]"""
    n_node = state.v.shape[1]
    vm = np.empty((n_node, state.n_case))
    _kernels.magnitudes(state.v, np.arange(n_node), 0, vm)
    return vm


def node_loading_percent(model: RadialModel, state: SweepState) -> FloatArray:
    """Return the loading of the branch above each node, shape (n_node, n_case); NaN without a rating. [%]"""
    out = np.empty((model.n_node, state.n_case))
    _write_currents(model, _percent_scales(model), (state.v, state.j), (np.arange(model.n_node), 0, out))
    return out


def _write_currents(
    model: RadialModel,
    scales: tuple[FloatArray, FloatArray],
    solved: tuple[FloatArray, FloatArray],
    target: tuple[IntArray, int, FloatArray],
) -> None:
    """Write currents by near and far scale, from v and j, to rows, first column and table."""
    near_scale, far_scale = scales
    v, j = solved
    row, first, out = target
    _kernels.branch_currents(
        model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
        near_scale, far_scale, v, j, row, first, out,
    )  # fmt: skip


def _percent_scales(model: RadialModel) -> tuple[FloatArray, FloatArray]:
    """100 % is the rating at either end."""
    near, far = (
        np.where(rating > 0, 100.0 * base / np.where(rating > 0, rating, 1.0), np.nan)
        for base, rating in ((model.near_base_ka, model.near_rating_ka), (model.far_base_ka, model.far_rating_ka))
    )
    return near, far


def _ampere_scales(network: Network, model: RadialModel) -> tuple[FloatArray, FloatArray]:
    """Lines: the larger end counts. Transformers: the high-voltage (from) side, as planners quote it."""
    branches = network.branches
    near, far = model.near_base_ka.copy(), model.far_base_ka.copy()
    node = np.flatnonzero(model.branch >= 0)
    node = node[branches.kind[model.branch[node]] == BranchKind.TRAFO]
    near_is_from = branches.from_bus[model.branch[node]] == model.bus[model.parent[node]]
    near[node[~near_is_from]] = 0.0
    far[node[near_is_from]] = 0.0
    return near, far


def _scatter(values: Array, missing: float, place: IntArray, case: IntArray, size: int) -> Array:
    """Put values of nodes at the places of their elements; `missing` where there is no case."""
    result = np.full(size, missing, dtype=values.dtype)
    known = (place >= 0) & (case >= 0)
    result[place[known]] = values[known]
    return result
