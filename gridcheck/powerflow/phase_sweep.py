"""Solve many cases of a four-wire model: allocate, share the blocks among threads, call the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import PhaseFactoredLoads, PhaseLoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.phase_model import PhaseModel
from gridcheck.powerflow.sweep import MIN_TOLERANCE_PU, in_threads


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseBlock:
    """One solved block: valid only while its reader is called.

    Attributes
    ----------
    first : int
        Case of the first lane.
    v, j : ndarray, shape (n_node, 6 PHASE_BLOCK)
        Voltages of the nodes and series currents towards them. [pu]
    k, vn : ndarray, shape (n_node, 2 PHASE_BLOCK)
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
    loads : PhaseLoadCases or PhaseFactoredLoads
        What is drawn.
    row_start : ndarray of int, shape (n_node + 1,)
        Rows of node i are ``row_start[i]`` to ``row_start[i + 1]``.
    bus, phase : ndarray of int, shape (n_row,)
        Place of each row.
    per_mva : float
        One over the power base of one phase. [1/MVA]
    p_weight, q_weight : ndarray, shape (n_row, n_class), optional
        Weights of factored loads ... [pu]
    profile : ndarray, shape (n_block, n_class, PHASE_BLOCK), optional
        ... and their profiles.
    """

    loads: PhaseLoadCases | PhaseFactoredLoads
    row_start: IntArray
    bus: IntArray
    phase: IntArray
    per_mva: float
    p_weight: FloatArray | None = None
    q_weight: FloatArray | None = None
    profile: FloatArray | None = None

    def write(self, block: int, pq: FloatArray) -> None:
        """Write P and Q of one block to `pq`, shape (n_row, 2 PHASE_BLOCK). [pu]"""
        if isinstance(self.loads, PhaseLoadCases):
            given, first = self.loads, block * _kernels.PHASE_BLOCK
            _kernels.written_phase_power(given.p_mw, given.q_mvar, self.bus, self.phase, self.per_mva, first, pq)
            return
        assert self.profile is not None
        _kernels.factored_phase_power(self.p_weight, self.q_weight, self.profile[block], pq)


def check_phase_request(
    model: PhaseModel, loads: PhaseLoadCases | PhaseFactoredLoads, *, tolerance_pu: float, max_iterations: int
) -> None:
    """Refuse loads that do not fit the network, and settings under which no case could arrive.

    Raises
    ------
    InputError
        Naming the value.
    """
    if loads.n_bus != model.radial.n_bus:
        raise InputError(f"The loads have {loads.n_bus} buses, the network has {model.radial.n_bus}.")
    if not MIN_TOLERANCE_PU <= tolerance_pu < 1.0:
        raise InputError(f"tolerance_pu must be at least {MIN_TOLERANCE_PU:g} and less than 1. Got {tolerance_pu}.")
    if max_iterations < 1:
        raise InputError(f"max_iterations must be at least 1. Got {max_iterations}.")


def phase_rows(model: PhaseModel, loads: PhaseLoadCases | PhaseFactoredLoads) -> PhaseRows:
    """Give each node and phase with a load, and all phases of nodes with a shunt, a row of its own."""
    used = _is_loaded(loads)[model.radial.bus] | (model.shunt_row >= 0)[:, None]
    node, phase = np.nonzero(used)
    row_start = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int64)
    bus, per_mva = model.radial.bus[node], 3.0 / model.radial.sn_mva
    if isinstance(loads, PhaseLoadCases):
        return PhaseRows(loads=loads, row_start=row_start, bus=bus, phase=phase, per_mva=per_mva)
    return PhaseRows(
        loads=loads,
        row_start=row_start,
        bus=bus,
        phase=phase,
        per_mva=per_mva,
        p_weight=loads.p_weight_mw[bus, phase] * per_mva,
        q_weight=loads.q_weight_mvar[bus, phase] * per_mva,
        profile=_in_blocks(loads.profile),
    )


def _is_loaded(loads: PhaseLoadCases | PhaseFactoredLoads) -> BoolArray:
    """Tell which phases of which buses draw anything in any case, shape (n_bus, 3)."""
    if isinstance(loads, PhaseLoadCases):
        return np.asarray((loads.p_mw != 0).any(axis=0) | (loads.q_mvar != 0).any(axis=0))
    return np.asarray((loads.p_weight_mw != 0).any(axis=2) | (loads.q_weight_mvar != 0).any(axis=2))


def _in_blocks(values: FloatArray) -> FloatArray:
    """Cut (n_case, n) into (n_block, n, PHASE_BLOCK); lanes behind the last case hold 0."""
    lanes, (n_case, n) = _kernels.PHASE_BLOCK, values.shape
    padded = np.zeros((-(-n_case // lanes) * lanes, n))
    padded[:n_case] = values
    return np.ascontiguousarray(padded.reshape(-1, lanes, n).transpose(0, 2, 1))


def sweep_phase_blocks(
    model: PhaseModel,
    rows: PhaseRows,
    readers: Sequence[PhaseReader],
    *,
    tolerance_pu: float,
    max_iterations: int,
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

    Returns
    -------
    status, iterations : ndarray of int, shape (n_case,)
    """
    lanes, n_case = _kernels.PHASE_BLOCK, rows.loads.n_case
    n_block = -(-n_case // lanes)
    status, iterations = np.zeros((n_block, lanes), dtype=np.int64), np.zeros((n_block, lanes), dtype=np.int64)
    # Taking the next block from one iterator is atomic, and a thread that is held up takes fewer of them.
    blocks = iter(range(n_block))
    m, r = model, model.radial

    def work(read: PhaseReader) -> None:
        pq, current = np.empty((len(rows.bus), 2 * lanes)), np.empty((len(rows.bus), 2 * lanes))
        j, v = np.zeros((m.n_node, 6 * lanes)), np.empty((m.n_node, 6 * lanes))
        k, vn = np.zeros((m.n_node, 2 * lanes)), np.zeros((m.n_node, 2 * lanes))
        for block in blocks:
            rows.write(block, pq)
            # Nodes without a neutral are not written by the sweep, but a case that failed has left NaN there.
            k[:], vn[:] = 0.0, 0.0
            _kernels.sweep_phases(
                r.parent, m.child_start, m.child, m.kind, m.special, m.turn, m.source, m.z,
                m.shunt, m.shunt_row, m.neutral_node, m.neutral_up, m.neutral, rows.row_start, rows.phase, m.weight,
                pq, current, j, k, vn, v, status[block], iterations[block], tolerance_pu, max_iterations,
            )  # fmt: skip
            read(PhaseBlock(first=block * lanes, v=v, j=j, k=k, vn=vn))

    in_threads(work, readers[:n_block])
    return status.reshape(-1)[:n_case], iterations.reshape(-1)[:n_case]
