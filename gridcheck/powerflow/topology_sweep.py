"""Solve switch states in blocks of cases: the loads of a block once for all, each state in one of several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray, aligned_empty
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError, UnsupportedElementError
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.scratch import Scratch
from gridcheck.powerflow.sweep import NodeLoads, check_request, lanes_of, loads_at
from gridcheck.powerflow.switch_states import Judged, SwitchStates, TopologyExtremes
from gridcheck.powerflow.switchable import EndArray, Switchable

# A thread takes so many states at a time: enough that the call does not count, few enough that none waits long.
AT_A_TIME = 16
# What a rule says of an element.
_NOT_JUDGED, _JUDGED, _KEPT = 0, 1, 2


def rows_of(
    prepared: Switchable, loads: LoadCases | FactoredLoads, tolerance_pu: float, max_iterations: int
) -> NodeLoads:
    """Give each loaded bus of the network a row.

    Raises
    ------
    UnsupportedElementError
        If a load follows the voltage.
    InputError
        If the loads or settings do not fit.
    """
    network = prepared.network
    check_request(network.n_bus, loads, tolerance_pu=tolerance_pu, max_iterations=max_iterations)
    if loads.depends_on_voltage:
        raise UnsupportedElementError(
            "Many switch states are solved for loads of constant power only, and some of these follow the voltage. "
            "Solve the switched networks one by one."
        )
    return loads_at(np.arange(network.n_bus), loads, sn_mva=network.sn_mva)


class LoadTable:
    """Loads by bus in one block of cases, the last row zero, and the voltages from which states start.

    Parameters
    ----------
    before : NodeLoads
        Loads by bus.
    after : NodeLoads, optional
        Loads of buses that had no supply for a while; the same as `before` where not given.
    """

    def __init__(self, before: NodeLoads, after: NodeLoads | None) -> None:
        self._before, self._after = before, after
        self.width = lanes_of(before)
        self.n_case = before.n_case
        self.n_block = -(-before.n_case // self.width)
        n_before, n_after = before.n_load, 0 if after is None else after.n_load
        zero = n_before + n_after
        self._end_of_before = n_before
        self.pq: FloatArray = aligned_empty((zero + 1, 2 * self.width))
        self.pq_rough: Float32Array = aligned_empty(self.pq.shape, np.float32)
        self.pq[-1] = 0.0
        row = np.where(before.row < 0, zero, before.row)
        row_after = row if after is None else np.where(after.row < 0, zero, n_before + after.row)
        self.row: IntArray = np.stack([row, row_after], axis=1)
        self.block = 0
        self.usual: FloatArray = np.empty((0, 2 * self.width))

    def write(self, block: int) -> None:
        """Write the loads of one block."""
        self.block = block
        self._before.write(block, self.pq[: self._end_of_before])
        if self._after is not None:
            self._after.write(block, self.pq[self._end_of_before : -1])
        _kernels.soften(self.pq, self.pq_rough)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What is asked, as the kernel takes it.

    Attributes
    ----------
    prepared : Switchable
        The network.
    ends : ndarray of uint8, shape (n_topology, n_branch)
        Ends as they work where buses are out of service.
    root : ndarray of int, shape (n_topology,)
        Entry through which the tree begins, -1 for all.
    is_after : ndarray of bool, shape (n_topology or 1, n_bus)
        Buses that draw their second load.
    bus_rule, branch_rule : ndarray of int, shape (n_bus, 2) and (n_branch, 2)
        Group of each element, and whether it is judged.
    mine : ndarray of bool, shape (n_topology or 1, n_group)
        Groups that take part.
    limits : ndarray, shape (2,)
        For elements of other groups. [pu], [%]
    case_scale : ndarray, shape (n_case,)
        Factor of all loadings.
    """

    prepared: Switchable
    ends: EndArray
    root: IntArray
    is_after: BoolArray
    bus_rule: IntArray
    branch_rule: IntArray
    mine: BoolArray
    limits: FloatArray
    case_scale: FloatArray


def request_of(prepared: Switchable, states: SwitchStates, judged: Judged, n_case: int) -> Request:
    """Check that everything fits the network and bring it into the layout of the kernel.

    Raises
    ------
    InputError
        With all findings.
    """
    n_bus, n_branch = prepared.network.n_bus, prepared.network.n_branch
    own = judged.own
    scale = np.ones(n_case) if judged.case_scale is None else np.array(judged.case_scale, dtype=np.float64)
    shapes = [
        ("ends", states.ends.shape, (states.n_topology, n_branch)),
        ("judged.bus", np.shape(judged.bus), (n_bus,)),
        ("judged.branch", np.shape(judged.branch), (n_branch,)),
        ("case_scale", scale.shape, (n_case,)),
    ]
    if states.is_after is not None:
        shapes.append(("is_after", states.is_after.shape, (states.n_topology, n_bus)))
    if own is not None:
        shapes += [
            ("group_bus", own.group_bus.shape, (n_bus,)),
            ("group_branch", own.group_branch.shape, (n_branch,)),
            ("mine", own.mine.shape, (states.n_topology, own.mine.shape[1])),
        ]
    findings = [f"{name} has shape {got}, expected {want}" for name, got, want in shapes if got != want]
    if findings:
        raise InputError("The switch states do not fit the network or the loads.", findings)
    if not np.isfinite(scale).all() or (scale <= 0).any():
        raise InputError("case_scale must be positive and finite in every case.")
    return Request(
        prepared=prepared,
        ends=prepared.lit_ends(states.ends),
        root=prepared.entry_at_source(states.root),
        is_after=np.zeros((1, n_bus), dtype=bool) if states.is_after is None else states.is_after,
        bus_rule=_rule(judged.bus, None if own is None else (own.group_bus, own.bus_kept)),
        branch_rule=_rule(judged.branch, None if own is None else (own.group_branch, own.branch_kept)),
        mine=np.zeros((1, 1), dtype=bool) if own is None else own.mine,
        limits=np.zeros(2) if own is None else np.array([own.vm_min_pu, own.loading_max_percent]),
        case_scale=scale,
    )


def normal_request(prepared: Switchable, n_case: int) -> Request:
    """Return the question for the network as it is normally switched, with nothing judged."""
    network = prepared.network
    return Request(
        prepared=prepared,
        ends=prepared.lit_ends(prepared.normal_ends[None]),
        root=np.full(1, -1),
        is_after=np.zeros((1, network.n_bus), dtype=bool),
        bus_rule=np.zeros((network.n_bus, 2), dtype=np.int64),
        branch_rule=np.zeros((network.n_branch, 2), dtype=np.int64),
        mine=np.zeros((1, 1), dtype=bool),
        limits=np.zeros(2),
        case_scale=np.ones(n_case),
    )


def _rule(judged: BoolArray, own: tuple[IntArray, BoolArray] | None) -> IntArray:
    """Return group and rule of each element, shape (n, 2)."""
    rule = np.empty((len(judged), 2), dtype=np.int64)
    rule[:, 0] = -1 if own is None else own[0]
    rule[:, 1] = np.where(judged, _JUDGED if own is None else np.where(own[1], _KEPT, _JUDGED), _NOT_JUDGED)
    return rule


class Outcome:
    """Running extremes of every state.

    Parameters
    ----------
    n_topology : int
        Switch states.
    n_column : int
        Cases of which the worst values are kept, 0 where not wanted.
    """

    def __init__(self, n_topology: int, n_column: int) -> None:
        self.status, self.n_supplied = np.zeros(n_topology, dtype=np.int64), np.zeros(n_topology, dtype=np.int64)
        self.best = np.full((n_topology, 2), np.inf)
        self.place = np.full((n_topology, 4), -1, dtype=np.int64)
        self.vm, self.loading = np.full((n_topology, n_column), np.inf), np.full((n_topology, n_column), np.inf)

    def extremes(self) -> TopologyExtremes:
        """Return what was found, without values where a state was not solved."""
        failed = self.status != _kernels.CONVERGED
        self.best[failed], self.place[failed] = np.nan, -1
        for values in (self.best, self.vm, self.loading):
            values[np.isinf(values)] = np.nan
        place = np.ascontiguousarray(self.place.T)
        return TopologyExtremes(
            status=self.status,
            vm_pu=self.best[:, 0].copy(),
            vm_bus=place[0],
            vm_case=place[1],
            loading_percent=-self.best[:, 1],
            loading_branch=place[2],
            loading_case=place[3],
            n_supplied=self.n_supplied,
            vm_by_case=self.vm,
            loading_by_case=-self.loading,
        )


class Worker:
    """Memory of one thread, and how it solves states.

    Parameters
    ----------
    n_bus, width : int
        Buses of the network, and lanes of a block.
    tolerance_pu, max_iterations
        As in `solve_topologies`.
    """

    def __init__(self, n_bus: int, width: int, tolerance_pu: float, max_iterations: int) -> None:
        self._settings = tolerance_pu, max_iterations
        n = n_bus
        self.piece = Scratch((n + 1) * (48 * width + 164) + 8 * 9 * width + 4 * 4 * width, 12)
        array = self.piece.array
        self._seen, self._todo = array((n,), np.int64), array((n + 1, 2), np.int64)
        self._seen[:] = 0
        self._stamp = 1
        self._node, self._parent = array((n, 2), np.int64), array((n,), np.int64)
        self._branch, self._branch_rough = array((n, 5)), array((n, 5), np.float32)
        self._load, self._start = array((n,), np.int64), array((n,), np.float32)
        self._rough, self._state = array((n + 1, 4 * width), np.float32), array((n + 1, 4 * width))
        self._lane, self._lane_rough = array((7 * width,)), array((4 * width,), np.float32)
        self._lane_int = array((2, width), np.int64)

    def on(self, request: Request, table: LoadTable, chunks: Iterator[int], outcome: Outcome) -> Callable[[], None]:
        """Return what solves one block of cases in chunks of states, until there are no more."""

        def run() -> None:
            for topology in chunks:
                last = min(topology + AT_A_TIME, len(request.ends))
                self._solve(request, table, (topology, last), outcome)

        return run

    def usual_voltages(self, normal: Request, table: LoadTable) -> FloatArray:
        """Return the voltages of each bus in the normal state, from which all states start, shape (n_bus, 2 width).

        NaN where there is no supply or no solution; without rows where the normal state is not a tree.
        """
        table.usual, outcome = np.empty((0, 2 * table.width)), Outcome(1, 0)
        self._solve(normal, table, (0, 1), outcome)
        n = int(outcome.n_supplied[0]) if outcome.status[0] != _kernels.LOOP else 0
        usual = np.full((normal.prepared.network.n_bus if n else 0, 2 * table.width), np.nan)
        usual[self._node[:n, 0]] = self._state[:n, : 2 * table.width]
        return usual

    def _solve(self, request: Request, table: LoadTable, states: tuple[int, int], outcome: Outcome) -> None:
        prepared, usual = request.prepared, table.usual
        _kernels.solve_states(
            *states, request.ends, request.is_after, request.root, prepared.first, prepared.entry, prepared.value,
            prepared.bus_pu, prepared.source, table.row, request.bus_rule, request.branch_rule, request.mine,
            request.limits, request.case_scale, table.block * table.width, table.pq, table.pq_rough, usual, self._seen,
            self._stamp, self._todo, self._node, self._parent, self._branch, self._branch_rough, self._load,
            self._start, self._rough[:0] if len(usual) else self._rough, self._state, self._lane, self._lane_rough,
            self._lane_int, outcome.status, outcome.n_supplied, outcome.best, outcome.place, outcome.vm,
            outcome.loading, *self._settings,
        )  # fmt: skip
        self._stamp += states[1] - states[0]
