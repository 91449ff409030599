"""The public load flow: records in, records out, method chosen from the topology."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network.records import BranchKind, Network
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.radial import RadialModel, radial_model
from gridcheck.powerflow.results import Extremes, PowerFlowResult
from gridcheck.powerflow.sweep import SweepState, solve_model

# Cases kept at once when only extremes are wanted: bounds memory without costing speed.
_CHUNK = 2048


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
    state = solve_model(model, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations, threads=threads)
    return _full_result(network, model, state)


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
    best = {name: np.full(model.n_node, -np.inf) for name in ("low", "high", "loading")}
    place = {name: np.full(model.n_node, -1, dtype=np.int64) for name in best}
    status = np.zeros(loads.n_case, dtype=np.int64)
    for first in range(0, loads.n_case, _CHUNK):
        last = min(first + _CHUNK, loads.n_case)
        state = solve_model(
            model, _cut(loads, first, last), tolerance_pu=tolerance_pu, max_iterations=max_iterations, threads=threads
        )
        status[first:last] = state.status
        vm, loading = node_voltages(state), node_loading_percent(model, state)
        for name, sign, values in (("low", -1.0, vm), ("high", 1.0, vm), ("loading", 1.0, loading)):
            before = best[name].copy()
            local = np.full(model.n_node, -1, dtype=np.int64)
            _kernels.extremes(values, sign, best[name], local)
            place[name] = np.where(best[name] > before, local + first, place[name])
    return Extremes(
        status=status,
        vm_min_pu=_scatter(-best["low"], model.bus, model.n_bus, place["low"] >= 0),
        vm_min_case=_scatter_case(place["low"], model.bus, model.n_bus),
        vm_max_pu=_scatter(best["high"], model.bus, model.n_bus, place["high"] >= 0),
        vm_max_case=_scatter_case(place["high"], model.bus, model.n_bus),
        loading_max_percent=_scatter(
            best["loading"], model.branch, model.n_branch, (place["loading"] >= 0) & (model.branch >= 0)
        ),
        loading_max_case=_scatter_case(place["loading"], model.branch, model.n_branch),
    )


def node_voltages(state: SweepState) -> FloatArray:
    """Return voltage magnitudes, shape (n_node, n_case). [pu]"""
    vm = np.empty((state.v.shape[1], state.n_case))
    _kernels.magnitudes(state.v, vm)
    return vm


def node_loading_percent(model: RadialModel, state: SweepState) -> FloatArray:
    """Return the loading of the branch above each node, shape (n_node, n_case); NaN without a rating. [%]"""
    near, far = (
        np.where(rating > 0, 100.0 * base / np.where(rating > 0, rating, 1.0), np.nan)
        for base, rating in ((model.near_base_ka, model.near_rating_ka), (model.far_base_ka, model.far_rating_ka))
    )
    return _currents(model, state, near, far)


def _currents(model: RadialModel, state: SweepState, near_scale: FloatArray, far_scale: FloatArray) -> FloatArray:
    out = np.empty((model.n_node, state.n_case))
    _kernels.branch_currents(
        model.parent, model.ratio, model.near_g_pu, model.near_b_pu, model.far_g_pu, model.far_b_pu,
        near_scale, far_scale, state.v, state.j, out,
    )  # fmt: skip
    return out


def _angles(state: SweepState) -> FloatArray:
    """Return voltage angles in each node's frame, shape (n_node, n_case). [degree]"""
    lanes = state.v.shape[2] // 2
    angle = np.rad2deg(np.arctan2(state.v[:, :, lanes:], state.v[:, :, :lanes]))
    by_node: FloatArray = angle.transpose(1, 0, 2).reshape(angle.shape[1], -1)[:, : state.n_case]
    return by_node


def _full_result(network: Network, model: RadialModel, state: SweepState) -> PowerFlowResult:
    n_case = state.n_case
    vm, va = np.full((network.n_bus, n_case), np.nan), np.full((network.n_bus, n_case), np.nan)
    vm[model.bus] = node_voltages(state)
    angle = _angles(state) + model.angle_degree[:, None]
    va[model.bus] = (angle + 180.0) % 360.0 - 180.0
    supplied = np.zeros(network.n_bus, dtype=bool)
    supplied[model.bus] = True
    has = model.branch >= 0
    loading = _idle_branches(network, n_case)
    loading[model.branch[has]] = node_loading_percent(model, state)[has]
    i_ka = _idle_branches(network, n_case)
    i_ka[model.branch[has]] = _currents(model, state, *_ampere_scales(network, model))[has]
    return PowerFlowResult(
        status=state.status,
        supplied=supplied,
        iterations=state.iterations,
        vm_pu=vm.T,
        va_degree=va.T,
        i_ka=i_ka.T,
        loading_percent=loading.T,
        loss_mw=_losses(model, state),
    )


def _idle_branches(network: Network, n_case: int) -> FloatArray:
    """NaN for every branch that carries nothing through: out of service, open, or without supply."""
    return np.full((network.n_branch, n_case), np.nan)


def _ampere_scales(network: Network, model: RadialModel) -> tuple[FloatArray, FloatArray]:
    """Lines: the larger end counts. Transformers: the high-voltage (from) side, as planners quote it."""
    branches = network.branches
    k = np.maximum(model.branch, 0)
    trafo = branches.kind[k] == BranchKind.TRAFO
    near_is_from = branches.from_bus[k] == model.bus[np.maximum(model.parent, 0)]
    near = np.where(trafo & ~near_is_from, 0.0, model.near_base_ka)
    far = np.where(trafo & near_is_from, 0.0, model.far_base_ka)
    return near, far


def _losses(model: RadialModel, state: SweepState) -> FloatArray:
    r_pu = np.where(model.parent >= 0, model.r_pu, 0.0)
    lanes = state.v.shape[2] // 2
    both = np.einsum("n,bnt->bt", r_pu, state.j**2) + np.einsum("n,bnt->bt", model.g_pu, state.v**2)
    losses: FloatArray = ((both[:, :lanes] + both[:, lanes:]) * model.sn_mva).reshape(-1)[: state.n_case]
    return losses


def _cut(loads: LoadCases | FactoredLoads, first: int, last: int) -> LoadCases | FactoredLoads:
    if first == 0 and last == loads.n_case:
        return loads
    if isinstance(loads, LoadCases):
        return LoadCases(
            p_mw=loads.p_mw[first:last], q_mvar=loads.q_mvar[first:last], duration_h=loads.duration_h[first:last]
        )
    return FactoredLoads(
        p_weight_mw=loads.p_weight_mw,
        q_weight_mvar=loads.q_weight_mvar,
        profile=loads.profile[first:last],
        duration_h=loads.duration_h[first:last],
    )


def _scatter(values: FloatArray, place: IntArray, size: int, known: BoolArray) -> FloatArray:
    result = np.full(size, np.nan)
    result[place[known]] = values[known]
    return result


def _scatter_case(case: IntArray, place: IntArray, size: int) -> IntArray:
    result = np.full(size, -1, dtype=np.int64)
    known = place >= 0
    result[place[known]] = case[known]
    return result
