"""Solve many cases of a radial model: allocate, share the cases among threads, call the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases, shares_of
from gridcheck.errors import InputError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.prepare import Prepared, prepared_tree
from gridcheck.powerflow.radial import RadialModel

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block of solved cases, in working arrays that are valid while it is read only.

    Attributes
    ----------
    first : int
        Its first case.
    v, j : ndarray, shape (1, n_node, 2 BLOCK)
        Voltages and series currents as in `SweepState`.
    loop_i : ndarray, shape (n_loop, 2 BLOCK)
        Currents through the cuts of loops. [pu]
    tap : ndarray of int, shape (n_tap, BLOCK)
        Positions of tap changers, counted from the lowest.
    """

    first: int
    v: FloatArray
    j: FloatArray
    loop_i: FloatArray
    tap: IntArray


BlockReader = Callable[[Block], None]

MIN_TOLERANCE_PU = 1e-14
# Below this many node-cases a second thread costs more than it brings.
_NODE_CASES_PER_THREAD = 20_000
# Up to so many cases only their own lanes are computed.
_FEW = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NodeLoads:
    """Loads by node, in the layout of the kernel.

    Attributes
    ----------
    n_case : int
        Cases.
    row : ndarray of int, shape (n_node,)
        Row of each node's load, -1 where it has none.
    p_weight, q_weight : ndarray, shape (n_load, n_class), optional
        Weights ... [pu]
    profile : ndarray, shape (n_block, n_class, BLOCK), optional
        ... and profiles, multiplied block by block.
    written : LoadCases, optional
        Or cases written out, read block by block ...
    bus : ndarray of int, shape (n_load,), optional
        ... at these bus positions ...
    sn_mva : float
        ... on this base. [MVA]
    shares : ndarray, shape (n_load, 4), optional
        How they follow the voltage (see `cases.shares_of`); all of constant power where not given.
    """

    n_case: int
    row: IntArray
    p_weight: FloatArray | None = None
    q_weight: FloatArray | None = None
    profile: FloatArray | None = None
    written: LoadCases | None = None
    bus: IntArray | None = None
    sn_mva: float = 1.0
    shares: FloatArray | None = None

    @property
    def n_load(self) -> int:
        """Number of nodes with a load."""
        return int(self.row.max(initial=-1)) + 1

    def block(self, block: int) -> FloatArray:
        """Return P and Q of one block, shape (n_load + 1, 2 BLOCK); the last row is zero. [pu]"""
        pq = np.empty((self.n_load + 1, 2 * _kernels.BLOCK))
        pq[-1] = 0.0
        if self.written is not None and self.bus is not None:
            first = block * _kernels.BLOCK
            _kernels.written_power(self.written.p_mw, self.written.q_mvar, self.bus, 1.0 / self.sn_mva, first, pq[:-1])
            return pq
        assert self.p_weight is not None
        assert self.profile is not None
        _kernels.factored_power(self.p_weight, self.q_weight, self.profile[block], pq[:-1])
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
    check_request(model, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    return solve_nodes(
        model,
        loads_of_nodes(model, loads),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
        threads=thread_count(threads, model.n_node * loads.n_case),
        start=start,
    )


def check_request(
    model: RadialModel, loads: LoadCases | FactoredLoads, *, tolerance_pu: float, max_iterations: int
) -> None:
    """Refuse loads that do not fit the network, and settings under which no case could arrive.

    Raises
    ------
    InputError
        Naming the value.
    """
    if loads.n_bus != model.n_bus:
        raise InputError(f"The loads have {loads.n_bus} buses, the network has {model.n_bus}.")
    # Below this the change of a voltage of 1 pu is rounding, and no case would ever arrive.
    if not MIN_TOLERANCE_PU <= tolerance_pu < 1.0:
        raise InputError(f"tolerance_pu must be at least {MIN_TOLERANCE_PU:g} and less than 1. Got {tolerance_pu}.")
    if max_iterations < 1:
        raise InputError(f"max_iterations must be at least 1. Got {max_iterations}.")


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

    blocks = iter(range(n_block))

    def work(_: int) -> None:
        solve_block = _solver(prepared_tree(model), loads, tolerance_pu, max_iterations)
        for block in blocks:
            solve_block(block, v[block], j[block], status[block], iterations[block])

    in_threads(work, range(min(threads, n_block)))
    return SweepState(
        n_case=n_case, v=v, j=j,
        status=status.reshape(-1)[:n_case], iterations=iterations.reshape(-1)[:n_case],
    )  # fmt: skip


def sweep_blocks(
    prepared: Prepared,
    loads: NodeLoads,
    readers: Sequence[BlockReader],
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 100,
) -> tuple[IntArray, IntArray]:
    """Solve all cases and show every block to a reader instead of keeping it.

    Memory for voltages and currents does not grow with the number of cases, and they are read while they are still
    in the cache.

    Parameters
    ----------
    prepared : Prepared
        The prepared network.
    loads : NodeLoads
        Loads by node.
    readers : sequence of callable
        One per thread, so that a reader may keep what it has seen without a lock.
    tolerance_pu, max_iterations
        As in `solve_model`.

    Returns
    -------
    status, iterations : ndarray of int, shape (n_case,)
    """
    lanes, model = _kernels.BLOCK, prepared.model
    n_block = -(-loads.n_case // lanes)
    status, iterations = np.zeros((n_block, lanes), dtype=np.int64), np.zeros((n_block, lanes), dtype=np.int64)
    # Taking the next block from one iterator is atomic, and a thread that is held up takes fewer of them.
    blocks = iter(range(n_block))

    def work(read: BlockReader) -> None:
        solve_block = _solver(prepared, loads, tolerance_pu, max_iterations)
        v, j = np.empty((1, model.n_node, 2 * lanes)), np.empty((1, model.n_node, 2 * lanes))
        for block in blocks:
            v[0, :, :lanes] = model.source_vm_pu[:, None]
            v[0, :, lanes:] = 0.0
            loop_i, tap = solve_block(block, v[0], j[0], status[block], iterations[block])
            read(Block(block * lanes, v, j, loop_i, tap))

    in_threads(work, readers[:n_block])
    return status.reshape(-1)[: loads.n_case], iterations.reshape(-1)[: loads.n_case]


_BlockSolver = Callable[[int, FloatArray, FloatArray, IntArray, IntArray], tuple[FloatArray, IntArray]]


def _solver(prepared: Prepared, loads: NodeLoads, tolerance_pu: float, max_iterations: int) -> _BlockSolver:
    """Return what solves blocks in place (block, v, j, status, iterations -> loop currents, taps) in one thread."""
    model, loops, taps, lanes = prepared.model, prepared.loops, prepared.taps, _kernels.BLOCK
    tree = model.parent, model.ratio, model.r_pu, model.x_pu, model.g_pu, model.b_pu, loads.row
    nothing = np.zeros((0, 2 * lanes)), np.zeros((0, lanes), dtype=np.int64)
    # A row of 1 pu above the sources and a load of zero, so that the kernel treats all nodes alike.
    is_source = model.parent < 0
    parent = np.where(is_source, model.n_node, model.parent)
    ratio = np.where(is_source, model.source_vm_pu, model.ratio)
    row = np.where(loads.row < 0, loads.n_load, loads.row)
    # Few cases are not worth all lanes.
    width = loads.n_case if loads.n_case <= _FEW else lanes
    work = np.empty((model.n_node + 1, 4 * width))

    def plain(
        block: int, v: FloatArray, j: FloatArray, status: IntArray, iterations: IntArray
    ) -> tuple[FloatArray, IntArray]:
        _kernels.sweep(
            parent,
            ratio,
            *tree[2:6],
            row,
            loads.block(block),
            v,
            j,
            status,
            iterations,
            tolerance_pu,
            max_iterations,
            work,
        )
        return nothing

    if prepared.is_plain and loads.shares is None:
        return plain
    c, z = (np.stack([value.real, value.imag], axis=1) for value in (loops.c, loops.z))
    inverse = np.stack([loops.inverse.real, loops.inverse.imag])

    def general(
        block: int, v: FloatArray, j: FloatArray, status: IntArray, iterations: IntArray
    ) -> tuple[FloatArray, IntArray]:
        pq = loads.block(block)
        shares = np.zeros((loads.n_load, 4)) if loads.shares is None else loads.shares
        loop_i, tap = np.zeros((len(c), 2 * lanes)), np.zeros((len(taps.node), lanes), dtype=np.int64)
        _kernels.sweep_general(
            *tree, pq, shares, taps.row, taps.node, taps.table, taps.watched, taps.band, tap, loops.node, c, z,
            inverse, loop_i, v, j, status, iterations, tolerance_pu, max_iterations,
        )  # fmt: skip
        return loop_i, tap

    return general


def in_threads(work: Callable[[T], None], items: Sequence[T]) -> None:
    """Call `work` for every item, each in a thread of its own if there are several."""
    if len(items) <= 1:
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(len(items)) as pool:
        list(pool.map(work, items))


def thread_count(threads: int | None, node_cases: int) -> int:
    """Return how many threads to use: as asked for, or by the size of the problem."""
    if threads is not None:
        if threads < 1:
            raise InputError(f"threads must be at least 1. Got {threads}.")
        return threads
    return max(1, min(os.cpu_count() or 1, node_cases // _NODE_CASES_PER_THREAD))


def loads_of_nodes(model: RadialModel, loads: LoadCases | FactoredLoads) -> NodeLoads:
    """Give each loaded node a row of its own."""
    bus, row = model.bus, np.full(model.n_node, -1, dtype=np.int64)
    shares = shares_of(loads)[bus] if loads.depends_on_voltage else None
    if isinstance(loads, LoadCases):
        is_loaded = (loads.p_mw != 0).any(axis=0) | (loads.q_mvar != 0).any(axis=0)
        loaded = np.flatnonzero(is_loaded[bus])
        row[loaded] = np.arange(len(loaded))
        return NodeLoads(
            n_case=loads.n_case,
            row=row,
            written=loads,
            bus=bus[loaded],
            sn_mva=model.sn_mva,
            shares=None if shares is None else shares[loaded],
        )
    wp, wq = loads.p_weight_mw[bus], loads.q_weight_mvar[bus]
    loaded = np.flatnonzero((wp != 0).any(axis=1) | (wq != 0).any(axis=1))
    row[loaded] = np.arange(len(loaded))
    p_weight, q_weight = (np.ascontiguousarray(weight[loaded]) / model.sn_mva for weight in (wp, wq))
    return NodeLoads(
        n_case=loads.n_case,
        row=row,
        p_weight=p_weight,
        q_weight=q_weight,
        profile=in_blocks(loads.profile),
        shares=None if shares is None else shares[loaded],
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
