"""Many cases of one four-wire network whose loads stand at few places: meters of a low-voltage area, draw by draw.

The same sweep as `solve_unbalanced`; what differs is what goes in and comes out. Loads are tables of the places alone,
and of the solution the voltages there and the currents of all branches are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.errors import InputError
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.phase_model import PhaseModel, known_phase_model
from gridcheck.powerflow.phase_sweep import PhaseBlock, PhaseRows, sweep_phase_blocks
from gridcheck.powerflow.threads import thread_count
from gridcheck.powerflow.unbalanced import neutral_scale, percent_scale
from gridcheck.units import KW_PER_MW

_PHASES = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceRows(PhaseRows):
    """Rows whose loads are read from tables of places, (3 n_place, n_case): each stands in memory as it is read."""

    def write(self, block: int, pq: FloatArray) -> None:
        """Write P and Q of one block to `pq`, shape (n_row, 2 BLOCK). [pu]"""
        assert self.written is not None
        first = block * _kernels.BLOCK
        _kernels.place_power(*self.written, self.column, self.column_row, self.per_mva, first, pq)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhasePlaces:
    """A network made ready for loads at some buses.

    Attributes
    ----------
    network : FourWireNetwork
        The network.
    model : PhaseModel
        The same, made ready for the sweep.
    bus : ndarray of int, shape (n_place,)
        Positions of the buses; place i is the i-th of them everywhere.
    rows : PlaceRows
        Rows of the sweep, without loads.
    vm_row : ndarray of int, shape (n_node,)
        Place of each node, -1 for none.
    percent : ndarray, shape (1, n_node, 2)
        From pu into percent of the rating at both ends; transformers by their low-voltage winding alone.
    neutral_ka : ndarray, shape (n_node, 2)
        The same for neutrals, into kA.
    """

    network: FourWireNetwork
    model: PhaseModel
    bus: IntArray
    rows: PlaceRows
    vm_row: IntArray
    percent: FloatArray
    neutral_ka: FloatArray

    @property
    def n_place(self) -> int:
        """Number of places."""
        return len(self.bus)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceTables:
    """Solution of all cases; NaN where a case was not solved.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`.
    vm_pu : ndarray, shape (n_place, 3, n_case)
        Voltage phase to neutral. [pu]
    loading_percent : ndarray, shape (n_branch, 3, n_case)
        Current over rating, NaN without a rating. At transformers that of the low-voltage winding: below a winding in
        delta the currents of the high-voltage terminals are sums of two windings and say less about either. [%]
    neutral_i_ka : ndarray, shape (n_branch, n_case)
        Current in the neutral; at transformers that of the star point at the low-voltage side. [kA]
    """

    status: IntArray
    vm_pu: FloatArray
    loading_percent: FloatArray
    neutral_i_ka: FloatArray


def phase_places(network: FourWireNetwork, bus: IntArray) -> PhasePlaces:
    """Make a network ready for loads at some of its buses.

    Parameters
    ----------
    network : FourWireNetwork
        Radial as switched, every bus supplied.
    bus : ndarray of int, shape (n_place,)
        Positions of buses, each once.

    Raises
    ------
    TopologyError, UnsupportedElementError
        As `solve_unbalanced`.
    InputError
        If a bus is not supplied, or is given twice.
    """
    model = known_phase_model(network)
    place_of_bus = np.full(network.n_bus, -1, dtype=np.int64)
    place_of_bus[bus] = np.arange(len(bus))
    vm_row = place_of_bus[model.radial.bus]
    if np.count_nonzero(vm_row >= 0) != len(bus):
        raise InputError(f"{network.name}: places must be supplied buses, each once.", [f"bus {i}" for i in bus[:20]])
    # The kernel wants all phases of a node with a shunt, with a load or without.
    is_row = (vm_row >= 0) | (model.shunt_row >= 0)
    node = np.repeat(np.flatnonzero(is_row), _PHASES)
    phase = np.tile(np.arange(_PHASES), int(is_row.sum()))
    loaded = np.flatnonzero(vm_row[node] >= 0)
    column = _PHASES * vm_row[node[loaded]] + phase[loaded]
    per_volt = 1.0 / model.no_load[node, phase].conj()
    scale = percent_scale(model)
    scale[model.turn_row >= 0, 0] = 0.0
    return PhasePlaces(
        network=network,
        model=model,
        bus=bus,
        rows=PlaceRows(
            n_case=0,
            row_start=np.concatenate([[0], np.cumsum(_PHASES * is_row)]).astype(np.int64),
            phase=phase.astype(np.int64),
            column=column.astype(np.uint64),
            column_row=loaded.astype(np.uint64),
            start=np.stack([per_volt.real, per_volt.imag], axis=1).astype(np.float32),
            per_mva=_PHASES / (model.radial.sn_mva * KW_PER_MW),
        ),
        vm_row=vm_row,
        percent=scale[None],
        neutral_ka=neutral_scale(model),
    )


def solve_places(
    places: PhasePlaces,
    p_kw: FloatArray,
    q_kvar: FloatArray,
    *,
    tolerance_pu: float = 1e-6,
    max_iterations: int = 400,
    threads: int | None = None,
) -> PlaceTables:
    """Solve all cases.

    Parameters
    ----------
    places : PhasePlaces
        The network.
    p_kw, q_kvar : ndarray, shape (3 n_place, n_case)
        Drawn at each phase of each place, place by place. [kW], [kvar]
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations, threads
        As in `solve_unbalanced`.

    Returns
    -------
    PlaceTables

    Raises
    ------
    InputError
        If the tables do not fit.
    """
    if p_kw.ndim != 2 or len(p_kw) != _PHASES * places.n_place or q_kvar.shape != p_kw.shape:
        raise InputError(f"loads must have {_PHASES * places.n_place} rows. Got {p_kw.shape} and {q_kvar.shape}.")
    model, n_case = places.model, p_kw.shape[1]
    columns = -(-n_case // _kernels.BLOCK) * _kernels.BLOCK
    m, r = model, model.radial
    vm = np.empty((places.n_place, _PHASES, columns))
    loading = np.empty((1, places.network.n_branch, _PHASES, columns))
    neutral = np.empty((places.network.n_branch, columns))
    dark = np.ones(places.network.n_branch, dtype=bool)
    dark[r.branch[r.branch >= 0]] = False
    loading[:, dark], neutral[dark] = np.nan, np.nan

    def read(block: PhaseBlock) -> None:
        _kernels.phase_magnitudes(block.v, places.vm_row, block.first, vm)
        _kernels.phase_currents(
            r.parent, m.turn_row, m.turn, m.end_row, m.near_y, m.far_y, places.percent, places.neutral_ka,
            block.v, block.j, block.k, r.branch, block.first, loading, neutral,
        )  # fmt: skip

    status, _ = sweep_phase_blocks(
        model,
        replace(places.rows, n_case=n_case, written=(p_kw, q_kvar)),
        [read] * thread_count(threads, _PHASES * model.n_node * n_case),
        tolerance_pu=tolerance_pu,
        max_iterations=max_iterations,
    )
    return PlaceTables(
        status=status,
        vm_pu=vm[:, :, :n_case],
        loading_percent=loading[0, :, :, :n_case],
        neutral_i_ka=neutral[:, :n_case],
    )
