"""The public load flow by phase: records in, records out."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import PhaseFactoredLoads, PhaseLoadCases
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.records import BranchKind
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.phase_model import PhaseModel, known_phase_model
from gridcheck.powerflow.phase_results import PhaseExtremes, PhasePowerFlowResult, PhaseVoltages
from gridcheck.powerflow.phase_sweep import PhaseBlock, phase_rows, sweep_phase_blocks
from gridcheck.powerflow.sweep import check_request
from gridcheck.powerflow.threads import thread_count
from gridcheck.units import SQRT3


def solve_unbalanced(
    network: FourWireNetwork,
    loads: PhaseLoadCases | PhaseFactoredLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> PhasePowerFlowResult:
    """Solve all cases of a radial four-wire network exactly and return every voltage and current by phase.

    Parameters
    ----------
    network : FourWireNetwork
        Radial as switched; parts without a source come back unsupplied.
    loads : PhaseLoadCases or PhaseFactoredLoads
        Constant-power loads between phase and neutral, consumption positive, buses in the order of
        ``network.bus_id``.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    threads : int, optional
        Number of threads; chosen by problem size where not given. The result does not depend on it.

    Returns
    -------
    PhasePowerFlowResult

    Raises
    ------
    TopologyError
        If the network has a closed loop.
    UnsupportedElementError
        If a transformer is fed from its low-voltage side.
    InputError
        If the loads do not fit the network.

    References
    ----------
    .. [1] R. M. Ciric et al., IEEE Transactions on Power Systems 18(4), 2003. DOI 10.1109/TPWRS.2003.818597
    """
    model = known_phase_model(network)
    check_request(model.radial.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    tables = _Tables(network, model, loads.n_case)
    status, iterations = sweep_phase_blocks(
        model,
        phase_rows(model, loads),
        [tables.read] * thread_count(threads, 3 * model.n_node * loads.n_case),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
    )
    supplied = np.zeros(network.n_bus, dtype=bool)
    supplied[model.radial.bus] = True
    return PhasePowerFlowResult(
        status=status,
        supplied=supplied,
        has_neutral=network.has_neutral.copy(),
        iterations=iterations,
        vm_pu=tables.vm.transpose(2, 0, 1)[: loads.n_case],
        va_degree=tables.va.transpose(2, 0, 1)[: loads.n_case],
        i_ka=tables.currents[0].transpose(2, 0, 1)[: loads.n_case],
        loading_percent=tables.currents[1].transpose(2, 0, 1)[: loads.n_case],
        neutral_i_ka=tables.neutral.T[: loads.n_case],
        neutral_shift_v=tables.shift.T[: loads.n_case],
        unbalance_percent=tables.unbalance.T[: loads.n_case],
        loss_mw=tables.loss[: loads.n_case] * (model.radial.sn_mva / 3.0),
    )


def solve_unbalanced_voltages(
    network: FourWireNetwork,
    loads: PhaseLoadCases | PhaseFactoredLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> PhaseVoltages:
    """Solve all cases and return the voltages phase to neutral alone, which takes two thirds of the time.

    Parameters and errors as in `solve_unbalanced`.
    """
    model = known_phase_model(network)
    check_request(model.radial.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    lanes = _kernels.BLOCK
    vm = _empty((network.n_bus, 3, -(-loads.n_case // lanes) * lanes), model.radial.bus)

    def read(block: PhaseBlock) -> None:
        _kernels.phase_magnitudes(block.v, model.radial.bus, block.first, vm)

    status, _ = sweep_phase_blocks(
        model,
        phase_rows(model, loads),
        [read] * thread_count(threads, 3 * model.n_node * loads.n_case),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
        wants_neutral=False,
    )
    return PhaseVoltages(status=status, vm_pu=vm.transpose(2, 0, 1)[: loads.n_case])


class _Tables:
    """Full tables by element, phase and case, with columns for whole blocks; NaN where nothing is supplied."""

    def __init__(self, network: FourWireNetwork, model: PhaseModel, n_case: int) -> None:
        bus, branch = model.radial.bus, model.radial.branch
        n_case = -(-n_case // _kernels.BLOCK) * _kernels.BLOCK
        self.vm, self.va = (_empty((network.n_bus, 3, n_case), bus) for _ in range(2))
        self.shift, self.unbalance = (_empty((network.n_bus, n_case), bus) for _ in range(2))
        self.neutral = _empty((network.n_branch, n_case), branch[branch >= 0])
        self.currents = np.empty((2, network.n_branch, 3, n_case))
        dark = np.ones(network.n_branch, dtype=bool)
        dark[branch[branch >= 0]] = False
        self.currents[:, dark] = np.nan
        self.loss = np.empty(n_case)
        self._model = model
        self._scale = np.stack([_ampere_scale(network, model), percent_scale(model)])
        self._neutral_scale, self._volt = neutral_scale(model), _volt_scale(network, model)
        self._r = _loss_coefficients(model)

    def read(self, block: PhaseBlock) -> None:
        """Write one block into the tables."""
        m, bus, b = self._model, self._model.radial.bus, block
        _kernels.phase_magnitudes(b.v, bus, b.first, self.vm)
        _kernels.phase_angles(b.v, bus, b.first, self.va)
        _kernels.unbalance(b.v, bus, b.first, self.unbalance)
        _kernels.neutral_shift(b.vn, bus, self._volt, b.first, self.shift)
        _kernels.phase_currents(
            m.radial.parent, m.turn_row, m.turn, m.end_row, m.near_y, m.far_y, self._scale, self._neutral_scale,
            b.v, b.j, b.k, m.radial.branch, b.first, self.currents, self.neutral,
        )  # fmt: skip
        _kernels.phase_losses(*self._r, m.earth_g_pu, m.shunt, m.shunt_row, b.v, b.j, b.k, b.vn, b.first, self.loss)


def _empty(shape: tuple[int, ...], written: IntArray) -> FloatArray:
    """Return a table with NaN in the rows that will not be written."""
    table = np.empty(shape)
    rest = np.ones(shape[0], dtype=bool)
    rest[written] = False
    table[rest] = np.nan
    return table


def solve_unbalanced_extremes(
    network: FourWireNetwork,
    loads: PhaseLoadCases | PhaseFactoredLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> PhaseExtremes:
    """Solve all cases of a radial four-wire network and keep only the extreme values of each element and phase.

    Memory does not grow with the number of cases. Parameters as in `solve_unbalanced`.
    """
    model = known_phase_model(network)
    check_request(model.radial.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    count = thread_count(threads, 3 * model.n_node * loads.n_case)
    readers = [_ExtremesReader(network, model, loads.n_case) for _ in range(count)]
    status, _ = sweep_phase_blocks(
        model, phase_rows(model, loads), readers, tolerance_pu=tolerance_pu, max_iterations=max_iterations
    )
    values: dict[str, FloatArray] = {}
    cases: dict[str, IntArray] = {}
    for name, is_bus in (("low", True), ("high", True), ("loading", False), ("neutral", False), ("shift", True),
                         ("unbalance", True)):  # fmt: skip
        place, size = (model.radial.bus, network.n_bus) if is_bus else (model.radial.branch, network.n_branch)
        best, case = _first_highest([r.best[name] for r in readers], [r.case[name] for r in readers])
        shape = (size, *best.shape[1:])
        values[name], cases[name] = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
        known = place >= 0
        values[name][place[known]] = np.where(case[known] >= 0, best[known], np.nan)
        cases[name][place[known]] = case[known]
    return PhaseExtremes(
        status=status,
        vm_min_pu=-values["low"],
        vm_min_case=cases["low"],
        vm_max_pu=values["high"],
        vm_max_case=cases["high"],
        loading_max_percent=values["loading"],
        loading_max_case=cases["loading"],
        neutral_i_max_ka=values["neutral"],
        neutral_i_max_case=cases["neutral"],
        neutral_shift_max_v=values["shift"],
        neutral_shift_max_case=cases["shift"],
        unbalance_max_percent=values["unbalance"],
        unbalance_max_case=cases["unbalance"],
    )


class _ExtremesReader:
    """Keeps the extremes of the blocks that one thread has solved, and the cases in which they occur."""

    def __init__(self, network: FourWireNetwork, model: PhaseModel, n_case: int) -> None:
        by_phase, by_node = (model.n_node, 3), (model.n_node,)
        shapes = {"low": by_phase, "high": by_phase, "loading": by_phase, "neutral": by_node, "shift": by_node,
                  "unbalance": by_node}  # fmt: skip
        self.best = {name: np.full(shape, -np.inf) for name, shape in shapes.items()}
        self.case = {name: np.full(shape, -1, dtype=np.int64) for name, shape in shapes.items()}
        self._model, self._n_case = model, n_case
        self._scale = percent_scale(model)[None]
        self._neutral_scale, self._volt = neutral_scale(model), _volt_scale(network, model)
        self._rows = np.arange(model.n_node)

    def __call__(self, block: PhaseBlock) -> None:
        m, rows, b = self._model, self._rows, block
        lanes = _kernels.BLOCK
        phases, loading = np.empty((m.n_node, 3, lanes)), np.empty((1, m.n_node, 3, lanes))
        single, neutral = np.empty((m.n_node, lanes)), np.empty((m.n_node, lanes))
        _kernels.phase_magnitudes(b.v, rows, 0, phases)
        self._keep("low", phases, -1.0, b.first)
        self._keep("high", phases, 1.0, b.first)
        _kernels.phase_currents(
            m.radial.parent, m.turn_row, m.turn, m.end_row, m.near_y, m.far_y, self._scale, self._neutral_scale,
            b.v, b.j, b.k, rows, 0, loading, neutral,
        )  # fmt: skip
        self._keep("loading", loading[0], 1.0, b.first)
        self._keep("neutral", neutral, 1.0, b.first)
        _kernels.neutral_shift(b.vn, rows, self._volt, 0, single)
        self._keep("shift", single, 1.0, b.first)
        _kernels.unbalance(b.v, rows, 0, single)
        self._keep("unbalance", single, 1.0, b.first)

    def _keep(self, name: str, values: FloatArray, sign: float, first: int) -> None:
        values[..., self._n_case - first :] = np.nan  # lanes behind the last case
        flat = values.reshape(-1, values.shape[-1])
        _kernels.extremes(flat, sign, first, self.best[name].reshape(-1), self.case[name].reshape(-1))


def _first_highest(values: list[FloatArray], cases: list[IntArray]) -> tuple[FloatArray, IntArray]:
    """Merge what several threads have found; of equal values the lowest case counts, as with one thread."""
    best, case = values[0], cases[0]
    for value, at in zip(values[1:], cases[1:], strict=True):
        better = (value > best) | ((value == best) & (at >= 0) & (at < case))
        best, case = np.where(better, value, best), np.where(better, at, case)
    return best, case


def percent_scale(model: PhaseModel) -> FloatArray:
    """100 % is the rating at either end."""
    r = model.radial
    return np.stack(
        [
            np.where(rating > 0, 100.0 * base / np.where(rating > 0, rating, 1.0), np.nan)
            for base, rating in ((r.near_base_ka, r.near_rating_ka), (r.far_base_ka, r.far_rating_ka))
        ],
        axis=1,
    )


def _ampere_scale(network: FourWireNetwork, model: PhaseModel) -> FloatArray:
    """Lines: the larger end counts. Transformers: the high-voltage (near) side, as planners quote it."""
    far = model.radial.far_base_ka.copy()
    node = np.flatnonzero(model.radial.branch >= 0)
    node = node[network.balanced.branches.kind[model.radial.branch[node]] == BranchKind.TRAFO]
    far[node] = 0.0
    return np.stack([model.radial.near_base_ka, far], axis=1)


def neutral_scale(model: PhaseModel) -> FloatArray:
    """NaN without a neutral; at transformers only the low-voltage side counts."""
    far = np.where(model.has_neutral, model.radial.far_base_ka, np.nan)
    near = np.where(model.turn_row >= 0, 0.0, far)
    return np.stack([near, far], axis=1)


def _volt_scale(network: FourWireNetwork, model: PhaseModel) -> FloatArray:
    vn_kv = network.balanced.buses.vn_kv[model.radial.bus]
    return np.where(model.has_neutral, vn_kv * 1000.0 / SQRT3, np.nan)


def _loss_coefficients(model: PhaseModel) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """r, r^h, r^e and r^n of `phase_losses`; the impedance of a source is no part of the network."""
    is_line = model.neutral_up >= 0
    r_e, r_n = np.where(is_line, model.neutral[:, 4], 0.0), np.where(is_line, model.neutral[:, 6], 0.0)
    return model.z[:, 0], model.z[:, 2], r_e, r_n
