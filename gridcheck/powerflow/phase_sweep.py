"""Solve many cases of a four-wire model: allocate, share the blocks among threads, call the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray, UnsignedArray
from gridcheck.cases import PhaseFactoredLoads, PhaseLoadCases
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.phase_model import PhaseModel
from gridcheck.powerflow.scratch import Scratch
from gridcheck.powerflow.sweep import in_blocks
from gridcheck.powerflow.threads import run_together


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseBlock:
    """One solved block: valid only while its reader is called.

    Attributes
    ----------
    first : int
        Case of the first lane.
    v, j : ndarray, shape (n_node, 6 BLOCK)
        Voltages of the nodes and series currents towards them. [pu]
    k, vn : ndarray, shape (n_node, 2 BLOCK)
        Earth currents beside the branches and neutral voltages. [pu]
    """

    first: int
    v: FloatArray
    j: FloatArray
    k: FloatArray
    vn: FloatArray


class PhaseReader(Protocol):
    """Takes what it needs from a solved block."""

    def __call__(self, block: PhaseBlock) -> None:
        """Read one block."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseRows:
    """Loads in rows of one node and phase, in the layout of the kernel.

    Attributes
    ----------
    n_case : int
        Cases.
    row_start : ndarray of int, shape (n_node + 1,)
        Rows of node i are ``row_start[i]`` to ``row_start[i + 1]``.
    phase : ndarray of int, shape (n_row,)
        Phase of each row.
    column, column_row : ndarray of unsigned int, shape (n_row,)
        Places with a load among all phases of all buses, ascending, and their rows.
    start : ndarray of float32, shape (n_row, 2)
        Voltage without load over its squared magnitude, real and imaginary part. [1/pu]
    per_mva : float
        One over the power base of one phase. [1/MVA]
    written : tuple of ndarray, shape (n_case, 3 n_bus), optional
        P and Q of cases that are written out. [MW], [Mvar]
    p_weight, q_weight : ndarray, shape (n_row, n_class), optional
        Or weights of factored loads ... [pu]
    profile : ndarray, shape (n_block, n_class, BLOCK), optional
        ... and their profiles.
    """

    n_case: int
    row_start: IntArray
    phase: IntArray
    column: UnsignedArray
    column_row: UnsignedArray
    start: Float32Array
    per_mva: float
    written: tuple[FloatArray, FloatArray] | None = None
    p_weight: FloatArray | None = None
    q_weight: FloatArray | None = None
    profile: FloatArray | None = None

    def write(self, block: int, pq: FloatArray) -> None:
        """Write P and Q of one block to `pq`, shape (n_row, 2 BLOCK). [pu]"""
        if self.written is not None:
            first = block * _kernels.BLOCK
            _kernels.written_power(*self.written, self.column, self.column_row, self.per_mva, first, pq)
            return
        assert self.profile is not None
        _kernels.factored_power(self.p_weight, self.q_weight, self.profile[block], pq)


def phase_rows(model: PhaseModel, loads: PhaseLoadCases | PhaseFactoredLoads) -> PhaseRows:
    """Give each node and phase with a load, and all phases of nodes with a shunt, a row of its own."""
    used = _is_loaded(loads)[model.radial.bus] | (model.shunt_row >= 0)[:, None]
    node, phase = np.nonzero(used)
    row_start = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64)
    bus, per_mva = model.radial.bus[node], 3.0 / model.radial.sn_mva
    place = 3 * bus + phase
    order = np.argsort(place)
    column, column_row = place[order].astype(np.uint64), order.astype(np.uint64)
    per_volt = 1.0 / model.no_load[node, phase].conj()
    start = np.stack([per_volt.real, per_volt.imag], axis=1).astype(np.float32)
    rows = PhaseRows(
        n_case=loads.n_case,
        row_start=row_start,
        phase=phase,
        column=column,
        column_row=column_row,
        start=start,
        per_mva=per_mva,
    )
    if isinstance(loads, PhaseLoadCases):
        return replace(rows, written=(loads.p_mw.reshape(loads.n_case, -1), loads.q_mvar.reshape(loads.n_case, -1)))
    return replace(
        rows,
        p_weight=loads.p_weight_mw[bus, phase] * per_mva,
        q_weight=loads.q_weight_mvar[bus, phase] * per_mva,
        profile=in_blocks(loads.profile),
    )


def _is_loaded(loads: PhaseLoadCases | PhaseFactoredLoads) -> BoolArray:
    """Tell which phases of which buses draw anything in any case, shape (n_bus, 3)."""
    if isinstance(loads, PhaseLoadCases):
        return loads.is_loaded
    return np.asarray((loads.p_weight_mw != 0).any(axis=2) | (loads.q_weight_mvar != 0).any(axis=2))


def sweep_phase_blocks(
    model: PhaseModel,
    rows: PhaseRows,
    readers: Sequence[PhaseReader],
    *,
    tolerance_pu: float,
    max_iterations: int,
    wants_neutral: bool = True,
) -> tuple[IntArray, IntArray]:
    """Solve all cases and show every block to a reader, so that memory does not grow with the number of cases.

    Parameters
    ----------
    model : PhaseModel
        The prepared network.
    rows : PhaseRows
        Loads.
    readers : sequence of callable
        One per thread, so that a reader may keep what it has seen without a lock.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    wants_neutral : bool
        Whether the readers look at the neutral.

    Returns
    -------
    status, iterations : ndarray of int, shape (n_case,)
    """
    lanes, n_case = _kernels.BLOCK, rows.n_case
    n_block = -(-n_case // lanes)
    status, iterations = np.zeros((n_block, lanes), dtype=np.int64), np.zeros((n_block, lanes), dtype=np.int64)
    # Taking the next block from one iterator is atomic, and a thread that is held up takes fewer of them.
    blocks = iter(range(n_block))
    m, n_node, n_row = model, model.n_node, len(rows.phase)
    deepest, tree, tree_rough = int(m.depth.max(initial=0)), m.fine, m.rough

    fine_shapes = (
        (n_row, 2), (n_row, 2), (deepest + 2, 6), (1, 6), (1, 6), (1, 4),
        (n_node, 6), (max(n_node, deepest + 1 + n_row), 6), (n_node, 2), (n_node, 2),
    )  # fmt: skip
    rough_shapes = (deepest + 2, 6), (1, 6), (1, 6), (1, 4), (n_node, 2), (n_node, 2), (deepest + 1, 6)
    n_bytes = lanes * sum(
        size * count * cells for size, shapes in ((8, fine_shapes), (4, rough_shapes)) for count, cells in shapes
    )
    pieces = [Scratch(n_bytes, len(fine_shapes) + len(rough_shapes)) for _ in readers[:n_block]]

    def worker(read: PhaseReader, piece: Scratch) -> Callable[[], None]:
        pq, current, below, u, buffer, lane, j, v, k, vn = (
            piece.array((count, cells * lanes)) for count, cells in fine_shapes
        )
        below_r, u_r, buffer_r, lane_r, k_r, vn_r, v_r = (
            piece.array((count, cells * lanes), np.float32) for count, cells in rough_shapes
        )
        # Currents and loads in single precision lie where double precision will need the cache next.
        j_r = j.view(np.float32).reshape(-1)[: 6 * n_node * lanes].reshape(n_node, 6 * lanes)
        behind = v[deepest + 1 :].view(np.float32).reshape(-1)[: 4 * n_row * lanes].reshape(2, n_row, 2 * lanes)
        fine = current, below, u, buffer, lane[0]
        rough = behind[0], below_r, u_r, buffer_r, lane_r[0], behind[1], j_r, k_r, vn_r, v_r
        v = v[:n_node]
        if wants_neutral:
            k[:], vn[:] = 0.0, 0.0

        def run() -> None:
            for block in blocks:
                rows.write(block, pq)
                _kernels.sweep_phases(
                    m.radial.parent, m.depth, m.n_child, m.kind, m.special, tree, tree_rough, m.shunt_row,
                    m.neutral_node, m.neutral_up, rows.row_start, rows.phase, rows.start, pq, fine, rough, j, k, vn, v,
                    status[block], iterations[block], tolerance_pu, max_iterations, wants_neutral,
                )  # fmt: skip
                read(PhaseBlock(first=block * lanes, v=v, j=j, k=k, vn=vn))
                if wants_neutral and status[block].any():
                    # Nodes without a neutral are not written by the sweep, but a failed case has left NaN there.
                    k[:], vn[:] = 0.0, 0.0

        return run

    run_together([worker(read, piece) for read, piece in zip(readers, pieces, strict=False)])
    for piece in pieces:
        piece.give_back()
    return status.reshape(-1)[:n_case], iterations.reshape(-1)[:n_case]
