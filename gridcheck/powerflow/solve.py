"""The public load flow: records in, records out, method chosen from the topology."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network.records import Network
from gridcheck.network.tap_changers import TapChangers
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.prepare import prepare
from gridcheck.powerflow.readings import ampere_scales, percent_scales, write_currents, write_losses
from gridcheck.powerflow.results import CONVERGED, PowerFlowResult
from gridcheck.powerflow.sweep import Block, check_request, loads_of_nodes, sweep_blocks
from gridcheck.powerflow.threads import thread_count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voltages:
    """Voltage magnitudes of every case; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`. Where it is NOT_CONVERGED all values of the case are NaN.
    vm_pu : ndarray, shape (n_case, n_bus)
        Voltage magnitude; NaN at buses that no source reaches. [pu]
    """

    status: IntArray
    vm_pu: FloatArray

    def __post_init__(self) -> None:
        self.status.flags.writeable = self.vm_pu.flags.writeable = False


def solve_voltages(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    tap_changers: TapChangers | None = None,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> Voltages:
    """Solve all cases and return the voltage magnitudes alone, which takes half the time of `solve`.

    Parameters and errors as in `solve`.
    """
    prepared = prepare(network, tap_changers)
    model = prepared.model
    check_request(model.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    vm = np.full((network.n_bus, loads.n_case), np.nan)

    def read(block: Block) -> None:
        _kernels.magnitudes(block.state, model.bus, block.first, vm)

    status, _ = sweep_blocks(
        prepared,
        loads_of_nodes(model, loads),
        [read] * thread_count(threads, model.n_node * loads.n_case),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
    )
    return Voltages(status=status, vm_pu=vm.T)


def solve(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    tap_changers: TapChangers | None = None,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> PowerFlowResult:
    """Solve all cases of a network exactly and return every voltage and current.

    Parameters
    ----------
    network : Network
        Radial or weakly meshed, with one or several sources; parts without a source come back unsupplied.
    loads : LoadCases or FactoredLoads
        Consumption positive, buses in the order of ``network.bus_id``.
    tap_changers : TapChangers, optional
        Transformers that keep a voltage within a band; every case begins at the network's own positions.
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
        If sources of different voltage are joined without impedance, or a tap changer cannot work where it stands.
    InputError
        If the loads do not fit the network.

    References
    ----------
    .. [1] D. Shirmohammadi et al., IEEE Transactions on Power Systems 3(2), 1988. DOI 10.1109/59.192932
    """
    prepared = prepare(network, tap_changers)
    model, loops, taps = prepared.model, prepared.loops, prepared.taps
    check_request(model.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    n_case = loads.n_case
    vm, va = np.full((network.n_bus, n_case), np.nan), np.full((network.n_bus, n_case), np.nan)
    i_ka, loading = np.full((network.n_branch, n_case), np.nan), np.full((network.n_branch, n_case), np.nan)
    loss_pu, tap = np.empty(n_case), np.zeros((len(taps.node), n_case), dtype=np.int64)
    amperes, percent = ampere_scales(network, prepared), percent_scales(network, prepared)
    rows = model.branch, loops.branch

    def read(block: Block) -> None:
        first = block.first
        _kernels.magnitudes(block.state, model.bus, first, vm)
        _kernels.angles(block.state, model.bus, model.angle_degree, first, va)
        write_currents(prepared, amperes, block, rows, first, i_ka)
        write_currents(prepared, percent, block, rows, first, loading)
        write_losses(prepared, block, first, loss_pu)
        tap[:, first : first + block.width] = block.tap[:, : n_case - first]

    status, iterations = sweep_blocks(
        prepared,
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
        loss_mw=np.where(status == CONVERGED, loss_pu, np.nan) * model.sn_mva,
        tap_position=(tap + taps.first_position[:, None]).T,
    )
