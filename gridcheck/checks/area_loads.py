"""What is connected in an area: homes lived in, heaters, roofs; which home, how large, on which phase."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.sparse import csr_array

from gridcheck.arrays import FloatArray, IntArray, UnsignedArray, frozen
from gridcheck.demand.draw_pool import DrawPool, drawn_phases, home_keys
from gridcheck.demand.households import draws
from gridcheck.demand.parameters import BASE, ROOFTOP_PV
from gridcheck.errors import InputError
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid

AS_HOME = -1
"""Phase of a load that hangs where its meter hangs."""
NOT_HELD = -1
"""A load that runs when it wants to."""
_PHASES = 3
# Roofs above this feed in on three phases. [kW] (G, as ``pv_single_phase_max_kw`` of the demand model)
_ROOF_SINGLE_PHASE_KW = 8.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaLoads:
    """Loads of an area, one row each.

    Attributes
    ----------
    home : ndarray of int, shape (n_load,)
        Position of the home in the area's `LowVoltageGrid`.
    column : ndarray of int, shape (n_load,)
        Class, a position in ``DrawPool.classes``.
    rated_kw : ndarray, shape (n_load,)
        Rated input; of base load the level of the home over the mean. [kW], [1]
    phase : ndarray of int, shape (n_load,)
        0, 1, 2, or 3 for three phases; -1 where the meter hangs.
    held : ndarray of int, shape (n_load,)
        Window of the pool in which the load is held out; -1 for none.
    """

    home: IntArray
    column: IntArray
    rated_kw: FloatArray
    phase: IntArray
    held: IntArray

    def __post_init__(self) -> None:
        n = len(self.home)
        for field in fields(self):
            kind = np.float64 if field.name == "rated_kw" else np.int64
            object.__setattr__(self, field.name, frozen(getattr(self, field.name), kind, (n,), name=field.name))
        wrong = np.flatnonzero(~(np.isfinite(self.rated_kw) & (self.rated_kw >= 0.0)))
        wrong = np.union1d(wrong, np.flatnonzero((self.phase < AS_HOME) | (self.phase > THREE_PHASE)))
        if len(wrong):
            raise InputError(
                "rated_kw must be finite and not negative, phase one of 0, 1, 2, 3 or -1.",
                [f"load {k}: {self.rated_kw[k]} kW, phase {self.phase[k]}" for k in wrong[:20]],
            )

    @property
    def n_load(self) -> int:
        """Number of loads."""
        return len(self.home)

    def at(self, rows: IntArray) -> AreaLoads:
        """Return some loads, in the order of `rows`."""
        return AreaLoads(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def and_then(self, more: AreaLoads) -> AreaLoads:
        """Return these loads and others behind them."""
        pairs = ((field.name, getattr(self, field.name), getattr(more, field.name)) for field in fields(self))
        return AreaLoads(**{name: np.concatenate([own, other]) for name, own, other in pairs})


def loads_of(
    home: IntArray,
    column: IntArray,
    rated_kw: FloatArray,
    *,
    phase: IntArray | None = None,
    held: IntArray | None = None,
) -> AreaLoads:
    """Return loads that hang where their meters hang and run when they want to, unless told otherwise."""
    free = np.full(len(home), -1)
    return AreaLoads(
        home=home,
        column=column,
        rated_kw=rated_kw,
        phase=free if phase is None else phase,
        held=free if held is None else held,
    )


def spread_over_homes(
    grid: LowVoltageGrid, classes: tuple[str, ...], rated_kw: FloatArray, count: FloatArray, *, seed: int
) -> AreaLoads:
    """Give what stands in an area to its homes, where only the totals are known.

    Who is lived in and who heats is drawn by a hash of seed, area and home; an estimate (E) to be replaced by a
    register of meters. Each home gets the mean size of its class; a home gets a second heater only when all others
    that are lived in have one.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area.
    classes : tuple of str, length n_class
        Classes of demand.
    rated_kw, count : ndarray, shape (n_class,)
        The area's row of `ClassCounts`.
    seed : int
        Seed.

    Raises
    ------
    InputError
        If something stands in an area without a meter.
    """
    if not grid.n_home:
        if count.any():
            raise InputError(f"area {grid.area_id} has load and no meter: give it meters, or no load.")
        return loads_of(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    lived_in = homes_in_order(grid, seed=seed)[: max(1, min(round(float(count[0])), grid.n_home))]
    parts = []
    next_home = 0
    for column, name in enumerate(classes):
        if not count[column] > 0.0:
            continue
        number = len(lived_in) if name == BASE else max(1, round(float(count[column])))
        size = rated_kw[column] / number
        place = np.arange(number) + (0 if name in (BASE, ROOFTOP_PV) else next_home)
        next_home += 0 if name in (BASE, ROOFTOP_PV) else number
        # A large roof feeds in on three phases, whatever its meter was.
        spread = THREE_PHASE if name == ROOFTOP_PV and size > _ROOF_SINGLE_PHASE_KW else AS_HOME
        parts.append(
            loads_of(
                lived_in[place % len(lived_in)],
                np.full(number, column),
                np.full(number, size),
                phase=np.full(number, spread),
            )
        )
    if not parts:
        return loads_of(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    result = parts[0]
    for part in parts[1:]:
        result = result.and_then(part)
    return result


def expected_kw(loads: AreaLoads, pool: DrawPool, n_home: int) -> FloatArray:
    """Return what each home draws in the mean over the steps of heavy load, shape (n_home,). [kW]"""
    heavy = ~pool.is_light
    mean = np.array([share[:, heavy].mean() for share in pool.share])
    kw = np.zeros(n_home)
    np.add.at(kw, loads.home, loads.rated_kw * mean[loads.column])
    return kw


def homes_in_order(grid: LowVoltageGrid, *, seed: int) -> IntArray:
    """Return the homes of an area in the order in which they count as lived in, shape (n_home,).

    Drawn by the hash, one of each phase in turn: who connects heaters spreads them over the phases.
    """
    chance = draws.uniform(home_keys(seed, grid.area_id, grid.home_id), "lived in")
    drawn = np.argsort(chance, kind="stable")
    phase = grid.home_phase[drawn]
    turn = np.zeros(grid.n_home, dtype=np.int64)
    for one in np.unique(phase):
        turn[phase == one] = np.arange(np.count_nonzero(phase == one))
    in_turn: IntArray = drawn[np.argsort(turn, kind="stable")].astype(np.int64)
    return in_turn


def homes_without_heater(grid: LowVoltageGrid, loads: AreaLoads, classes: tuple[str, ...], *, seed: int) -> IntArray:
    """Return homes for applicants whose meter is not known, those lived in first, by the same hash, shape (n_free,).

    Homes with a heater come last, so that there are always as many as the area has.
    """
    order = homes_in_order(grid, seed=seed)
    is_heater = np.array([name not in (BASE, ROOFTOP_PV) for name in classes])
    heated = np.zeros(grid.n_home, dtype=bool)
    heated[loads.home[is_heater[loads.column]]] = True
    lived_in = np.zeros(grid.n_home, dtype=bool)
    lived_in[loads.home[loads.column == 0]] = True
    rank = np.where(heated, 2, np.where(lived_in, 0, 1))[order]
    return order[np.argsort(rank, kind="stable")]


def with_home_phases(grid: LowVoltageGrid, home: IntArray, phase: IntArray) -> LowVoltageGrid:
    """Return an area in which the phases of some meters are known, for example from what applicants state."""
    known = grid.home_phase.copy()
    known[home] = phase
    return replace(grid, home_phase=known)


def phases_in_draws(key: UnsignedArray, home_phase: IntArray, draw: IntArray) -> IntArray:
    """Return the phase of each home in each draw, 3 for three phases, shape (n_home, n_draw).

    A phase that nobody knows is drawn, each of the three alike likely: a distribution, not a guess.
    """
    known = np.repeat(home_phase[:, None], len(draw), axis=1)
    return np.where(known == PHASE_UNKNOWN, drawn_phases(key, draw), known)


def summed(
    rated_kw: FloatArray, phase: IntArray, place: tuple[IntArray, int], member: IntArray, table: FloatArray
) -> FloatArray:
    """Sum loads by place and phase: a sparse matrix of rated powers times the courses of the members.

    Parameters
    ----------
    rated_kw : ndarray, shape (n_load,)
        Rated powers. [kW]
    phase : ndarray of int, shape (n_load, n_draw)
        Phase of each load in each draw, 3 for three phases.
    place : tuple of ndarray of int, shape (n_load,), and int
        Place of each load, and the number of places.
    member : ndarray of int, shape (n_load, n_draw)
        Row of `table` by load and draw.
    table : ndarray, shape (n_member, n_step)
        Power per rated power. [1]

    Returns
    -------
    ndarray, shape (3 n_place, n_draw, n_step)
        Sums. [kW]
    """
    n_draw, (own, n_place) = phase.shape[1], place
    load, at = np.nonzero(phase < THREE_PHASE)
    row = (_PHASES * own[load] + phase[load, at]) * n_draw + at
    # A load on three phases has an entry at each.
    spread, spread_at = (np.repeat(part, _PHASES) for part in np.nonzero(phase == THREE_PHASE))
    each = np.tile(np.arange(_PHASES), len(spread) // _PHASES)
    row = np.concatenate([row, (_PHASES * own[spread] + each) * n_draw + spread_at])
    kw = np.concatenate([rated_kw[load], rated_kw[spread] / _PHASES])
    column = np.concatenate([member[load, at], member[spread, spread_at]])
    order = np.argsort(row, kind="stable")
    n_row = _PHASES * n_place * n_draw
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_row))])
    matrix = csr_array((kw[order], column[order], start), shape=(n_row, len(table)))
    return np.asarray(matrix @ table).reshape(-1, n_draw, table.shape[1])
