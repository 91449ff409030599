"""Solve many cases of a radial model: allocate, share the cases among threads, call the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, UnsignedArray, aligned_empty
from gridcheck.cases import FactoredLoads, LoadCases, PhaseFactoredLoads, PhaseLoadCases, shares_of
from gridcheck.errors import InputError, UnsupportedElementError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.prepare import Prepared
from gridcheck.powerflow.radial import RadialModel
from gridcheck.powerflow.scratch import Scratch
from gridcheck.powerflow.threads import run_together


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block of solved cases, in working arrays that are valid while it is read only.

    Attributes
    ----------
    first : int
        Its first case.
    state : ndarray, shape (1, n_node + 1, 4 width)
        Voltages and series currents as in `SweepState`.
    loop_i : ndarray, shape (n_loop, 2 BLOCK)
        Currents through the cuts of loops. [pu]
    tap : ndarray of int, shape (n_tap, BLOCK)
        Positions of tap changers, counted from the lowest.
    """

    first: int
    state: FloatArray
    loop_i: FloatArray
    tap: IntArray

    @property
    def width(self) -> int:
        """Number of lanes."""
        return int(self.state.shape[2]) // 4


BlockReader = Callable[[Block], None]

MIN_TOLERANCE_PU = 1e-14
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
    column, column_row : ndarray of unsigned int, shape (n_load,), optional
        ... at these bus positions, ascending, for these rows ...
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
    column: UnsignedArray | None = None
    column_row: UnsignedArray | None = None
    sn_mva: float = 1.0
    shares: FloatArray | None = None

    @property
    def n_load(self) -> int:
        """Number of nodes with a load."""
        return int(self.row.max(initial=-1)) + 1

    def write(self, block: int, pq: FloatArray) -> None:
        """Write P and Q of one block to `pq`, shape (n_load, 2 width). [pu]"""
        if self.written is not None:
            first = block * pq.shape[1] // 2
            _kernels.written_power(
                self.written.p_mw, self.written.q_mvar, self.column, self.column_row, 1.0 / self.sn_mva, first, pq
            )
            return
        assert self.profile is not None
        _kernels.factored_power(self.p_weight, self.q_weight, self.profile[block], pq)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepState:
    """Solution of many cases in the layout of the kernel: block, node, lane.

    Attributes
    ----------
    n_case : int
        Cases; the lanes behind the last one are not used.
    state : ndarray, shape (n_block, n_node + 1, 4 width)
        Voltage of the node and series current towards it, in the node's frame: of each the real parts of all lanes,
        then the imaginary parts; the last row stands above the sources. [pu]
    status, iterations : ndarray of int, shape (n_case,)
        Outcome per case.
    """

    n_case: int
    state: FloatArray
    status: IntArray
    iterations: IntArray


def check_request(
    n_bus: int,
    loads: LoadCases | FactoredLoads | PhaseLoadCases | PhaseFactoredLoads,
    *,
    tolerance_pu: float,
    max_iterations: int,
) -> None:
    """Refuse loads that do not fit the network, and settings under which no case could arrive.

    Raises
    ------
    InputError
        Naming the value.
    """
    if loads.n_bus != n_bus:
        raise InputError(f"The loads have {loads.n_bus} buses, the network has {n_bus}.")
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
    max_iterations: int = 400,
    threads: int = 1,
    start: SweepState | None = None,
) -> SweepState:
    """Solve all cases of a radial model for loads that stand by node, and keep every voltage and current.

    Parameters
    ----------
    model : RadialModel
        The prepared network.
    loads : NodeLoads
        Loads by node.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    threads : int
        Number of threads.
    start : SweepState, optional
        Voltages to start from, for example of a nearly equal load; the no-load voltages where not given.

    Returns
    -------
    SweepState

    Raises
    ------
    UnsupportedElementError
        If a load follows the voltage.
    """
    if loads.shares is not None:
        raise UnsupportedElementError("solve_nodes takes loads of constant power; `solve` takes those that do not.")
    n_case, width = loads.n_case, lanes_of(loads)
    n_block = -(-n_case // width)
    shape = (n_block, model.n_node + 1, 4 * width)
    state = aligned_empty(shape) if start is None else start.state.copy()
    status, iterations = np.zeros((n_block, width), dtype=np.int64), np.zeros((n_block, width), dtype=np.int64)
    blocks = iter(range(n_block))

    pieces = [Scratch(_tree_bytes(model, loads), 5) for _ in range(min(threads, n_block))]

    def worker(piece: Scratch) -> Callable[[], None]:
        solve_block = _tree_solver(model, loads, piece, tolerance_pu, max_iterations, is_started=start is not None)

        def run() -> None:
            for block in blocks:
                solve_block(block, state[block], status[block], iterations[block])

        return run

    run_together([worker(piece) for piece in pieces])
    for piece in pieces:
        piece.give_back()
    return SweepState(
        n_case=n_case, state=state, status=status.reshape(-1)[:n_case], iterations=iterations.reshape(-1)[:n_case]
    )


def lanes_of(loads: NodeLoads) -> int:
    """Return the width of a block: few cases are not worth all lanes."""
    return max(1, loads.n_case) if loads.n_case <= _FEW else _kernels.BLOCK


def sweep_blocks(
    prepared: Prepared,
    loads: NodeLoads,
    readers: Sequence[BlockReader],
    *,
    tolerance_pu: float = 1e-8,
    max_iterations: int = 400,
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
        As in `solve_nodes`.

    Returns
    -------
    status, iterations : ndarray of int, shape (n_case,)
    """
    is_plain = prepared.is_plain and loads.shares is None
    width = lanes_of(loads) if is_plain else _kernels.BLOCK
    n_block = -(-loads.n_case // width)
    status, iterations = np.zeros((n_block, width), dtype=np.int64), np.zeros((n_block, width), dtype=np.int64)
    # Taking the next block from one iterator is atomic, and a thread that is held up takes fewer of them.
    blocks = iter(range(n_block))

    shape = 1, prepared.model.n_node + 1, 4 * width
    n_bytes = 8 * math.prod(shape) + (_tree_bytes(prepared.model, loads) if is_plain else 0)
    pieces = [Scratch(n_bytes, 6) for _ in readers[:n_block]]

    def worker(read: BlockReader, piece: Scratch) -> Callable[[], None]:
        state = piece.array(shape)
        loop_i, tap = np.empty((len(prepared.loops.branch), 2 * width)), np.empty((len(prepared.taps.node), width), int)
        solve_tree = _tree_solver(prepared.model, loads, piece, tolerance_pu, max_iterations) if is_plain else None
        solve_general = None if is_plain else _general_solver(prepared, loads, tolerance_pu, max_iterations)

        def run() -> None:
            for block in blocks:
                if solve_tree is not None:
                    solve_tree(block, state[0], status[block], iterations[block])
                elif solve_general is not None:
                    solve_general(block, state[0], loop_i, tap, status[block], iterations[block])
                read(Block(block * width, state, loop_i, tap))

        return run

    run_together([worker(read, piece) for read, piece in zip(readers, pieces, strict=False)])
    for piece in pieces:
        piece.give_back()
    return status.reshape(-1)[: loads.n_case], iterations.reshape(-1)[: loads.n_case]


def _tree_bytes(model: RadialModel, loads: NodeLoads) -> int:
    """Return what `_tree_solver` cuts from its scratch."""
    width = lanes_of(loads)
    return width * (12 * 2 * (loads.n_load + 1) + 4 * 4 * (model.n_node + 1) + 8 * 6 + 4 * 4)


def _tree_solver(
    model: RadialModel,
    loads: NodeLoads,
    piece: Scratch,
    tolerance_pu: float,
    max_iterations: int,
    *,
    is_started: bool = False,
) -> Callable[[int, FloatArray, IntArray, IntArray], None]:
    """Return what solves blocks of a tree in place (block, state, status, iterations) in one thread."""
    tree, width = model.arrays, lanes_of(loads)
    row = np.where(loads.row < 0, loads.n_load, loads.row)
    pq, pq_rough = (piece.array((loads.n_load + 1, 2 * width), dtype) for dtype in (np.float64, np.float32))
    pq[-1] = 0.0
    # A given start is better than single precision could make it.
    rough = piece.array((0 if is_started else model.n_node + 1, 4 * width), np.float32)
    lane, lane_rough = piece.array((6 * width,)), piece.array((4 * width,), np.float32)

    def solve_block(block: int, state: FloatArray, status: IntArray, iterations: IntArray) -> None:
        loads.write(block, pq[:-1])
        _kernels.sweep(
            tree.parent, tree.branch, tree.branch_rough, row, tree.start_rough, pq, pq_rough, rough, state,
            lane, lane_rough, status, iterations, tolerance_pu, max_iterations,
        )  # fmt: skip

    return solve_block


def _general_solver(
    prepared: Prepared, loads: NodeLoads, tolerance_pu: float, max_iterations: int
) -> Callable[[int, FloatArray, FloatArray, IntArray, IntArray, IntArray], None]:
    """Return what solves blocks in place (block, state, loop currents, taps, status, iterations) in one thread."""
    model, loops, taps, lanes = prepared.model, prepared.loops, prepared.taps, _kernels.BLOCK
    tree = model.parent, model.ratio, model.r_pu, model.x_pu, model.g_pu, model.b_pu, loads.row
    c, z = (np.stack([value.real, value.imag], axis=1) for value in (loops.c, loops.z))
    inverse = np.stack([loops.inverse.real, loops.inverse.imag])
    shares = np.zeros((loads.n_load, 4)) if loads.shares is None else loads.shares
    pq = np.empty((loads.n_load, 2 * lanes))

    def solve_block(
        block: int, state: FloatArray, loop_i: FloatArray, tap: IntArray, status: IntArray, iterations: IntArray
    ) -> None:
        loads.write(block, pq)
        state[:-1, :lanes], state[:-1, lanes:] = model.source_vm_pu[:, None], 0.0
        _kernels.sweep_general(
            *tree, pq, shares, taps.row, taps.node, taps.table, taps.watched, taps.band, tap, loops.node, c, z,
            inverse, loop_i, state, status, iterations, tolerance_pu, max_iterations,
        )  # fmt: skip

    return solve_block


def loads_of_nodes(model: RadialModel, loads: LoadCases | FactoredLoads) -> NodeLoads:
    """Give each loaded node a row of its own."""
    return loads_at(model.bus, loads, sn_mva=model.sn_mva)


def loads_at(bus: IntArray, loads: LoadCases | FactoredLoads, *, sn_mva: float) -> NodeLoads:
    """Give each of some buses (n_node,) that is loaded a row of its own."""
    row = np.full(len(bus), -1, dtype=np.int64)
    shares = shares_of(loads)[bus] if loads.depends_on_voltage else None
    if isinstance(loads, LoadCases):
        loaded = np.flatnonzero(loads.is_loaded[bus])
        order = np.argsort(bus[loaded])
        row[loaded] = np.arange(len(loaded))
        return NodeLoads(
            n_case=loads.n_case,
            row=row,
            written=loads,
            column=bus[loaded][order].astype(np.uint64),
            column_row=order.astype(np.uint64),
            sn_mva=sn_mva,
            shares=None if shares is None else shares[loaded],
        )
    wp, wq = loads.p_weight_mw[bus], loads.q_weight_mvar[bus]
    loaded = np.flatnonzero((wp != 0).any(axis=1) | (wq != 0).any(axis=1))
    row[loaded] = np.arange(len(loaded))
    p_weight, q_weight = (np.ascontiguousarray(weight[loaded]) / sn_mva for weight in (wp, wq))
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
    width = state.state.shape[2] // 4
    vr, vi, jr, ji = (state.state[:, node, part * width : (part + 1) * width] for part in range(4))
    by_node: FloatArray = ((vr * jr + vi * ji) * model.sn_mva).transpose(1, 0, 2).reshape(len(node), -1)
    return by_node[:, : state.n_case]
