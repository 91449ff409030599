"""Solve many cases of a radial model: allocate, share the cases among threads, call the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.radial import RadialModel

# Below this many node-cases a second thread costs more than it brings.
_NODE_CASES_PER_THREAD = 20_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NodeLoads:
    """Loads by node, in the layout of the kernel.

    Attributes
    ----------
    n_case : int
        Cases.
    row : ndarray of int, shape (n_node,)
        Row of each node's load, -1 where it has none.
    written : ndarray, shape (n_block, n_load, 2 BLOCK), optional
        Loads written out: P of all lanes, then Q. [pu]
    p_weight, q_weight : ndarray, shape (n_load, n_class), optional
        Or weights ... [pu]
    profile : ndarray, shape (n_block, n_class, BLOCK), optional
        ... and profiles, multiplied block by block.
    """

    n_case: int
    row: IntArray
    written: FloatArray | None = None
    p_weight: FloatArray | None = None
    q_weight: FloatArray | None = None
    profile: FloatArray | None = None

    def block(self, block: int) -> FloatArray:
        """Return P and Q of one block, shape (n_load, 2 BLOCK). [pu]"""
        if self.written is not None:
            written: FloatArray = self.written[block]
            return written
        assert self.p_weight is not None
        assert self.profile is not None
        pq = np.empty((self.p_weight.shape[0], 2 * _kernels.BLOCK))
        _kernels.factored_power(self.p_weight, self.q_weight, self.profile[block], pq)
        return pq


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepState:
    """Solution of many cases in the layout of the kernel: block, node, lane.

    Attributes
    ----------
    n_case : int
        Cases; the lanes behind the last one are not used.
    v, j : ndarray, shape (n_block, n_node, 2 BLOCK)
        Voltage of the node and series current towards it, in the node's frame: real parts of all lanes,
        then imaginary parts. [pu]
    status, iterations : ndarray of int, shape (n_case,)
        Outcome per case.
    """

    n_case: int

    v: FloatArray
    j: FloatArray
    status: IntArray
    iterations: IntArray


def solve_model(
    model: RadialModel,
    loads: LoadCases | FactoredLoads,
    *,
    tolerance_pu: float,
    max_iterations: int,
    threads: int | None,
    start: SweepState | None = None,
) -> SweepState:
    """Solve all cases of a radial model.

    Parameters
    ----------
    model : RadialModel
        The prepared network.
    loads : LoadCases or FactoredLoads
        Bus axis in the order of the whole network.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    threads : int, optional
        Number of threads; by default as many as the machine has, fewer for small problems.
    start : SweepState, optional
        Voltages to start from, for example of a nearly equal load; the no-load voltages where not given.

    Returns
    -------
    SweepState
    """
    if loads.n_bus != model.n_bus:
        raise InputError(f"The loads have {loads.n_bus} buses, the network has {model.n_bus}.")
    return solve_nodes(
        model,
        loads_of_nodes(model, loads),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
        threads=_thread_count(threads, model.n_node * loads.n_case),
        start=start,
    )


def solve_nodes(
    model: RadialModel,
    loads: NodeLoads,
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 100,
    threads: int = 1,
    start: SweepState | None = None,
) -> SweepState:
    """Solve all cases for loads that already stand by node; parameters as in `solve_model`."""
    n_case, lanes = loads.n_case, _kernels.BLOCK
    n_block = -(-n_case // lanes)
    shape = (n_block, model.n_node, 2 * lanes)
    if start is None:
        v = np.zeros(shape)
        v[:, :, :lanes] = model.source_vm_pu[None, :, None]
    else:
        v = start.v.copy()
    j = np.empty(shape)
    status, iterations = np.zeros((n_block, lanes), dtype=np.int64), np.zeros((n_block, lanes), dtype=np.int64)

    def work(block: int) -> None:
        _kernels.sweep(
            model.parent, model.ratio, model.r_pu, model.x_pu, model.g_pu, model.b_pu, loads.row, loads.block(block),
            v[block], j[block], status[block], iterations[block], tolerance_pu, max_iterations,
        )  # fmt: skip

    _in_threads(work, n_block, threads)
    return SweepState(
        n_case=n_case, v=v, j=j,
        status=status.reshape(-1)[:n_case], iterations=iterations.reshape(-1)[:n_case],
    )  # fmt: skip


def _in_threads(work: Callable[[int], None], n_block: int, threads: int) -> None:
    if threads == 1 or n_block == 1:
        for block in range(n_block):
            work(block)
        return
    with ThreadPoolExecutor(min(threads, n_block)) as pool:
        list(pool.map(work, range(n_block)))


def _thread_count(threads: int | None, node_cases: int) -> int:
    if threads is not None:
        if threads < 1:
            raise InputError(f"threads must be at least 1. Got {threads}.")
        return threads
    return max(1, min(os.cpu_count() or 1, node_cases // _NODE_CASES_PER_THREAD))


def loads_of_nodes(model: RadialModel, loads: LoadCases | FactoredLoads) -> NodeLoads:
    """Give each loaded node a row of its own."""
    bus, row = model.bus, np.full(model.n_node, -1, dtype=np.int64)
    if isinstance(loads, LoadCases):
        loaded = np.flatnonzero((loads.p_mw[:, bus] != 0).any(axis=0) | (loads.q_mvar[:, bus] != 0).any(axis=0))
        row[loaded] = np.arange(len(loaded))
        parts = [in_blocks(power[:, bus[loaded]] / model.sn_mva) for power in (loads.p_mw, loads.q_mvar)]
        return NodeLoads(n_case=loads.n_case, row=row, written=np.concatenate(parts, axis=2))
    wp, wq = loads.p_weight_mw[bus], loads.q_weight_mvar[bus]
    loaded = np.flatnonzero((wp != 0).any(axis=1) | (wq != 0).any(axis=1))
    row[loaded] = np.arange(len(loaded))
    p_weight, q_weight = (np.ascontiguousarray(weight[loaded]) / model.sn_mva for weight in (wp, wq))
    return NodeLoads(
        n_case=loads.n_case, row=row, p_weight=p_weight, q_weight=q_weight, profile=in_blocks(loads.profile)
    )


def in_blocks(values: FloatArray) -> FloatArray:
    """Cut (n_case, n) into (n_block, n, BLOCK); lanes behind the last case hold 0."""
    n_case, n = values.shape
    n_block = -(-n_case // _kernels.BLOCK)
    padded = np.zeros((n_block * _kernels.BLOCK, n))
    padded[:n_case] = values
    return np.ascontiguousarray(padded.reshape(n_block, _kernels.BLOCK, n).transpose(0, 2, 1))


def node_power_mw(model: RadialModel, state: SweepState, node: IntArray) -> FloatArray:
    """Return the active power that flows into the branch above some nodes, at its lower end, shape (n, n_case). [MW]"""
    lanes = state.v.shape[2] // 2
    v, j = state.v[:, node], state.j[:, node]
    power = (v[:, :, :lanes] * j[:, :, :lanes] + v[:, :, lanes:] * j[:, :, lanes:]) * model.sn_mva
    by_node: FloatArray = power.transpose(1, 0, 2).reshape(len(node), -1)[:, : state.n_case]
    return by_node
