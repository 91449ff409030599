r"""The worst that every draw of an area shows: voltages at meters, currents of lines, neutrals and the transformer.

Loads draw constant power and everything else is linear, so the voltage u of the 10 kV terminals needs no solution of
its own. With V' and I' of a source of 1 pu and loads S / u²,

.. math:: V = u V', \quad I = u I' \quad\text{solve}\quad V = u E - Z I, \quad I = (S / V)^*

exactly, because :math:`I' = I / u = (S / (u^2 V'))^*`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cached_property

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.demand.draw_pool import DrawPool
from gridcheck.errors import InputError
from gridcheck.limits import Limit, LimitSet
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.line_regulators import let_through
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.network.records import BranchKind
from gridcheck.powerflow.phase_places import PhasePlaces, phase_places
from gridcheck.powerflow.place_extremes import ExtremePlaces, PlaceExtremes, extreme_places, solve_place_extremes
from gridcheck.units import SQRT3

PHASE_NAMES = "ABC"
_PHASES = 3


class LvCheck(IntEnum):
    """What is looked at in every draw."""

    LOW_VOLTAGE = 0
    HIGH_VOLTAGE = 1
    LINE_LOADING = 2
    NEUTRAL_LOADING = 3
    TRANSFORMER_LOADING = 4
    UNBALANCE = 5
    STAR_POINT = 6


SIGN = np.array([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
"""Which way is worse, by `LvCheck`."""


def lv_limits(limits: LimitSet) -> tuple[Limit, ...]:
    """Return the limit of each `LvCheck`, in their order.

    Lines and neutrals are held against the limit of a section; the transformer, by phase, against that of an area.
    """
    return (
        limits.low_voltage_v,
        limits.lv_voltage_max_v,
        limits.section_loading_percent,
        limits.section_loading_percent,
        limits.area_loading_percent,
        limits.unbalance_percent,
        limits.neutral_percent_yyn0,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaNet:
    """An area's network with the steps that are looked at.

    Attributes
    ----------
    grid : LowVoltageGrid
        Lines and meters.
    network : FourWireNetwork
        From `four_wire_of`: bus 0 is the source at 1 pu, bus 1 + k is node k, one branch is the transformer.
    pool : DrawPool
        Gives the steps.
    vm_pu : ndarray, shape (n_step,)
        Voltage at the 10 kV terminals in each step: where the load is heavy with everybody connected who asks
        elsewhere, in light steps with nobody. [pu]
    limits : LimitSet
        Limits.
    """

    grid: LowVoltageGrid
    network: FourWireNetwork
    pool: DrawPool
    vm_pu: FloatArray
    limits: LimitSet

    def __post_init__(self) -> None:
        if self.network.n_bus != self.grid.n_node + 1:
            raise InputError(
                f"area {self.grid.area_id}: a network of {self.grid.n_node + 1} buses is needed, the source and every "
                f"node. Got {self.network.n_bus}."
            )
        vm = np.asarray(self.vm_pu)
        if vm.shape != (self.pool.n_step,) or not ((vm > 0.5) & (vm < 1.5)).all():
            raise InputError(
                f"area {self.grid.area_id}: vm_pu needs a voltage between 0.5 and 1.5 pu for each of "
                f"{self.pool.n_step} steps. Got shape {vm.shape}, {vm.min(initial=np.inf):g} to {vm.max(initial=0):g}."
            )

    @cached_property
    def node(self) -> IntArray:
        """Nodes with meters, shape (n_place,)."""
        return np.unique(self.grid.home_node)

    @cached_property
    def home_place(self) -> IntArray:
        """Place of each home among them, shape (n_home,)."""
        return np.searchsorted(self.node, self.grid.home_node)

    @cached_property
    def places(self) -> PhasePlaces:
        """The network, ready for loads at them."""
        return phase_places(self.network, self.node + 1)

    @cached_property
    def extremes(self) -> ExtremePlaces:
        """The same without what the worst does not need."""
        return extreme_places(self.places, per_pu=self.per_pu_v, lines=self.rated_line, transformer=self.transformer)

    @cached_property
    def let_through(self) -> AreaNet | None:
        """The area with all regulators of its lines letting the voltage through; None without any."""
        regulators = self.grid.regulators
        return replace(self, network=let_through(self.network, regulators)) if regulators else None

    @cached_property
    def window_steps(self) -> IntArray:
        """Steps of each window of heavy load, shape (n_window, longest); of shorter ones the last is repeated."""
        window = self.pool.window
        steps = [np.flatnonzero(window == k) for k in np.unique(window[window >= 0]).tolist()]
        longest = max((len(some) for some in steps), default=0)
        return np.array([np.pad(some, (0, longest - len(some)), mode="edge") for some in steps], dtype=np.int64)

    @cached_property
    def transformer(self) -> int:
        """Branch of the transformer; regulators of lines have no source before them."""
        branches, source = self.network.balanced.branches, self.network.balanced.slack_bus[0]
        return int(np.flatnonzero((branches.kind == BranchKind.TRAFO) & (branches.from_bus == source))[0])

    @cached_property
    def rating_ka(self) -> FloatArray:
        """Ratings of all branches at the low-voltage side, shape (n_branch,). [kA]"""
        return np.asarray(self.network.balanced.branches.rating_to_ka)

    @cached_property
    def rated_line(self) -> IntArray:
        """Branches of lines, with a regulator or without, that have a rating, shape (n_rated,)."""
        return np.flatnonzero((np.arange(len(self.rating_ka)) != self.transformer) & (self.rating_ka > 0.0))

    @cached_property
    def per_pu_v(self) -> FloatArray:
        """Phase-to-neutral volts of 1 pu at each place, shape (n_place,). [V]"""
        return np.asarray(self.network.balanced.buses.vn_kv[self.node + 1] * 1000.0 / SQRT3)

    @cached_property
    def limit(self) -> FloatArray:
        """Values of the limits, shape (n_check,)."""
        return np.array([limit.value for limit in lv_limits(self.limits)])

    def element_name(self, check: LvCheck, element: int) -> str:
        """Return what a position in `DrawWorst.element` is called."""
        names = self.grid.node_name
        if check in (LvCheck.LOW_VOLTAGE, LvCheck.HIGH_VOLTAGE):
            return f"{names[self.node[element // _PHASES]]}:{PHASE_NAMES[element % _PHASES]}"
        if check == LvCheck.LINE_LOADING:
            return f"{names[self._end_of(element // _PHASES)]}:{PHASE_NAMES[element % _PHASES]}"
        if check == LvCheck.NEUTRAL_LOADING:
            return f"{names[self._end_of(element)]}:N"
        phase = f":{PHASE_NAMES[element]}" if check == LvCheck.TRANSFORMER_LOADING else ""
        return f"{names[0]}{phase}"

    def _end_of(self, row: int) -> int:
        """Return the node at the end of a rated line; lines are called by it."""
        return int(self.network.balanced.branches.to_bus[self.rated_line[row]]) - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawWorst:
    """The worst value of every check in every draw, over steps and elements.

    Attributes
    ----------
    value : ndarray, shape (n_check, n_draw)
        In the unit of the limit; infinitely bad where a step has no solution, infinitely good where nothing counts.
    element : ndarray of int, shape (n_check, n_draw)
        Where: see `AreaNet.element_name`.
    step : ndarray of int, shape (n_check, n_draw)
        When, a step of the pool.
    unsolved : ndarray of bool, shape (n_draw,)
        Draws with a step that has no solution: the load is more than the lines can carry at any voltage.
    """

    value: FloatArray
    element: IntArray
    step: IntArray
    unsolved: BoolArray

    def broken(self, limit: FloatArray) -> BoolArray:
        """Tell which limits are broken in which draws, shape (n_check, n_draw); an unsolved draw breaks them all."""
        beyond: BoolArray = SIGN[:, None] * (self.value - limit[:, None]) > 0.0
        return beyond | self.unsolved[None, :]

    def worse_of(self, other: DrawWorst) -> DrawWorst:
        """Return the worse of two in every check and draw; the first where they are alike."""
        takes = SIGN[:, None] * other.value > SIGN[:, None] * self.value
        return DrawWorst(
            value=np.where(takes, other.value, self.value),
            element=np.where(takes, other.element, self.element),
            step=np.where(takes, other.step, self.step),
            unsolved=self.unsolved | other.unsolved,
        )

    def at(self, rows: IntArray) -> DrawWorst:
        """Return some draws, in the order of `rows`."""
        return DrawWorst(
            value=self.value[:, rows],
            element=self.element[:, rows],
            step=self.step[:, rows],
            unsolved=self.unsolved[rows],
        )

    def with_some(self, rows: IntArray, other: DrawWorst) -> DrawWorst:
        """Return these draws with those of `rows` put in from another record."""
        value, element, step = self.value.copy(), self.element.copy(), self.step.copy()
        unsolved = self.unsolved.copy()
        value[:, rows], element[:, rows], step[:, rows] = other.value, other.element, other.step
        unsolved[rows] = other.unsolved
        return DrawWorst(value=value, element=element, step=step, unsolved=unsolved)


def joined(parts: list[DrawWorst]) -> DrawWorst:
    """Put draws side by side."""
    return DrawWorst(
        value=np.concatenate([part.value for part in parts], axis=1),
        element=np.concatenate([part.element for part in parts], axis=1),
        step=np.concatenate([part.step for part in parts], axis=1),
        unsolved=np.concatenate([part.unsolved for part in parts]),
    )


def nothing_seen(n_draw: int) -> DrawWorst:
    """Return draws of which nothing is known: infinitely good."""
    nothing = np.zeros((len(SIGN), n_draw), dtype=np.int64)
    value = np.repeat(-SIGN[:, None] * np.inf, n_draw, axis=1)
    return DrawWorst(value=value, element=nothing, step=nothing, unsolved=np.zeros(n_draw, dtype=bool))


def worst_of_draws(net: AreaNet, p_kw: FloatArray, q_kvar: FloatArray, has_meter: BoolArray) -> DrawWorst:
    """Solve every step of every draw and keep the worst.

    Parameters
    ----------
    net : AreaNet
        The area.
    p_kw, q_kvar : ndarray, shape (3 n_place, n_draw, n_step)
        Loads over the squared voltage of the step. [kW], [kvar]
    has_meter : ndarray of bool, shape (3 n_place, n_draw)
        Phases of places on which some meter hangs.

    Returns
    -------
    DrawWorst
    """
    _, n_draw, n_step = p_kw.shape
    seen = _solved(net, p_kw, q_kvar, has_meter)
    by_draw = n_draw, n_step
    low, *where_low = _highest(net, -seen.low.reshape(by_draw), seen.low_at)
    found = [
        (-low, *where_low),
        _highest(net, seen.high.reshape(by_draw), seen.high_at),
        _highest(net, seen.line.reshape(by_draw), seen.line_at),
        _highest(net, seen.neutral.reshape(by_draw), seen.neutral_at),
        *_transformer(net, seen.trafo_percent.reshape(_PHASES, *by_draw) * net.vm_pu),
        _highest(
            net,
            seen.star_ka.reshape(by_draw) * (100.0 / net.rating_ka[net.transformer]),
            np.zeros(n_draw * n_step, dtype=np.int64),
        ),
    ]
    unsolved = (seen.status.reshape(by_draw) != 0).any(axis=1)
    value = np.stack([part[0] for part in found])
    value[:, unsolved] = SIGN[:, None] * np.inf
    return DrawWorst(
        value=value,
        element=np.stack([part[1] for part in found]),
        step=np.stack([part[2] for part in found]),
        unsolved=unsolved,
    )


def _solved(net: AreaNet, p_kw: FloatArray, q_kvar: FloatArray, has_meter: BoolArray) -> PlaceExtremes:
    """Solve every step; regulators of lines let the voltage through where they would lift a meter above its limit.

    So they follow the load with two positions. Those of real ones lie between: they raise part of the way.
    """
    seen = solve_place_extremes(net.extremes, p_kw, q_kvar, has_meter)
    if net.let_through is None:
        return seen
    by_draw = p_kw.shape[1:]
    draw, step = np.nonzero(seen.high.reshape(by_draw) * net.vm_pu > net.limit[LvCheck.HIGH_VOLTAGE])
    if not len(draw):
        return seen
    p, q = (np.ascontiguousarray(kw[:, draw, step])[:, :, None] for kw in (p_kw, q_kvar))
    through = solve_place_extremes(net.let_through.extremes, p, q, np.ascontiguousarray(has_meter[:, draw]))
    columns = {}
    for field in fields(PlaceExtremes):
        values = getattr(seen, field.name).copy()
        values[..., draw * by_draw[1] + step] = getattr(through, field.name)
        columns[field.name] = values
    return PlaceExtremes(**columns)


_Part = tuple[FloatArray, IntArray, IntArray]
"""Worst values, elements and steps by draw."""


def _highest(net: AreaNet, values: FloatArray, at: IntArray) -> _Part:
    """Return the highest over steps of what is proportional to the source, from the highest of each step and where."""
    draw = np.arange(len(values))
    by_step = values * net.vm_pu
    step = by_step.argmax(axis=1)
    return by_step[draw, step], at.reshape(values.shape)[draw, step], step


def _transformer(net: AreaNet, phases: FloatArray) -> tuple[_Part, _Part]:
    """Return the loading by phase that lasts, and the unbalance, which is shown; `phases` (3, n_draw, n_step)."""
    draw = np.arange(phases.shape[1])
    nothing = np.zeros(len(draw), dtype=np.int64)
    lasting: _Part = (np.full(len(draw), -np.inf), nothing, nothing)
    if len(net.window_steps):
        within = phases[:, :, net.window_steps]
        level = within.min(axis=3)
        by_window = level.max(axis=0)
        # A draw with a step that is not solved has no value; it is shown at the end of the last window.
        which = np.where(np.isnan(by_window).any(axis=1), -1, by_window.argmax(axis=1)) % len(net.window_steps)
        phase = level[:, draw, which].argmax(axis=0)
        step = net.window_steps[which, within[phase, draw, which].argmin(axis=1)]
        lasting = by_window[draw, which], phase, step
    highest, mean = phases.max(axis=0), phases.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        uneven = 100.0 * (highest - phases.min(axis=0)) / highest
    uneven = np.where(mean >= net.limits.unbalance_loading_min_percent.value, uneven, -np.inf)
    at = uneven.argmax(axis=1)
    return lasting, (uneven[draw, at], nothing, at)
