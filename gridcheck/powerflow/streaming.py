"""Load flow of any number of cases in memory that does not grow with them: extremes, hours, energy, chosen elements."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network.records import Network
from gridcheck.network.tap_changers import TapChangers
from gridcheck.powerflow.prepare import Prepared, prepare
from gridcheck.powerflow.readings import write_losses
from gridcheck.powerflow.results import CONVERGED, Extremes
from gridcheck.powerflow.sweep import Block, BlockReader, check_request, loads_of_nodes, sweep_blocks
from gridcheck.powerflow.tallies import Tally, Wanted, energy_mwh, hours, joined, loading_quantiles, vm_quantiles
from gridcheck.powerflow.threads import thread_count

Array = TypeVar("Array", FloatArray, IntArray)


def solve_extremes(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    wanted: Wanted | None = None,
    tap_changers: TapChangers | None = None,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
    threads: int | None = None,
) -> Extremes:
    """Solve all cases of a network and keep, for each element, its extreme values and what else is wanted.

    Nothing of the size cases x elements is built; only the status, the loss and the elements that are wanted in full
    are kept of every case.

    Parameters
    ----------
    network : Network
        Radial or weakly meshed, with one or several sources; parts without a source have no values.
    loads : LoadCases or FactoredLoads
        Consumption positive, buses in the order of ``network.bus_id``. Factored loads are never written out.
    wanted : Wanted, optional
        Limits whose hours are counted, energy, quantiles, elements to keep in full; extremes alone where not given.
    tap_changers, tolerance_pu, max_iterations, threads
        As in `solve`.

    Returns
    -------
    Extremes
        The same for any number of threads.

    Raises
    ------
    TopologyError, InputError
        As `solve`.
    """
    chosen = Wanted() if wanted is None else wanted
    chosen.require_places(network)
    prepared = prepare(network, tap_changers)
    model, n_case = prepared.model, loads.n_case
    check_request(model.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    kept_vm, kept_loading = np.full((n_case, len(chosen.bus)), np.nan), np.full((n_case, len(chosen.branch)), np.nan)
    loss_pu = np.zeros(n_case)
    tallies = [
        Tally(network, prepared, chosen, loads.duration_h, kept_vm, kept_loading)
        for _ in range(thread_count(threads, model.n_node * n_case))
    ]
    status, _ = sweep_blocks(
        prepared,
        loads_of_nodes(model, loads),
        [_reader(prepared, tally, loss_pu) for tally in tallies],
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
    )
    solved = status == CONVERGED
    lost_mwh = float((loss_pu[solved] * loads.duration_h[solved]).sum() * model.sn_mva)
    return _extremes(prepared, joined(tallies), status, lost_mwh)


def _reader(prepared: Prepared, tally: Tally, loss_pu: FloatArray) -> BlockReader:
    def read(block: Block) -> None:
        write_losses(prepared, block, block.first, loss_pu)
        tally(block)

    return read


def _extremes(prepared: Prepared, tally: Tally, status: IntArray, lost_mwh: float) -> Extremes:
    model, wanted, n_node = prepared.model, tally.wanted, prepared.model.n_node
    branch = np.concatenate([model.branch, prepared.loops.branch])
    of_bus, of_branch = (model.bus, model.n_bus), (branch, model.n_branch)
    seen = tally.case[1, :n_node] >= 0

    def unless_none(limit: float | None, total: IntArray) -> FloatArray:
        return np.full(len(total), np.nan) if limit is None else hours(total)

    low, high = (np.where(seen, np.sqrt(np.abs(tally.best[k, :n_node])), np.nan) for k in (0, 1))
    return Extremes(
        status=status,
        vm_min_pu=_placed(low, np.nan, *of_bus),
        vm_min_case=_placed(tally.case[0, :n_node], -1, *of_bus),
        vm_max_pu=_placed(high, np.nan, *of_bus),
        vm_max_case=_placed(tally.case[1, :n_node], -1, *of_bus),
        loading_max_percent=_placed(np.where(tally.case[2] >= 0, tally.loading, np.nan), np.nan, *of_branch),
        loading_max_case=_placed(tally.case[2], -1, *of_branch),
        loss_mwh=lost_mwh,
        hours_below=_placed(unless_none(wanted.vm_min_pu, tally.beyond[0, :n_node]), np.nan, *of_bus),
        hours_above=_placed(unless_none(wanted.vm_max_pu, tally.beyond[1, :n_node]), np.nan, *of_bus),
        hours_overloaded=_placed(unless_none(wanted.loading_max_percent, tally.beyond[2]), np.nan, *of_branch),
        energy_mwh=_placed(
            energy_mwh(tally.energy) if wanted.energy else np.full(n_node, np.nan), np.nan, model.branch, model.n_branch
        ),
        vm_quantile_pu=_rows_placed(vm_quantiles(tally), *of_bus),
        loading_quantile_percent=_rows_placed(loading_quantiles(tally), *of_branch),
        kept_vm_pu=tally.kept_vm,
        kept_loading_percent=tally.kept_loading,
    )


def _placed(values: Array, missing: float, place: IntArray, size: int) -> Array:
    """Put values of rows at the places of their elements."""
    result = np.full(size, missing, dtype=values.dtype)
    known = place >= 0
    result[place[known]] = values[known]
    return result


def _rows_placed(values: FloatArray, place: IntArray, size: int) -> FloatArray:
    result = np.full((len(values), size), np.nan)
    known = place >= 0
    result[:, place[known]] = values[:, known]
    return result
