"""The least that lets a feeder pass N-1: ties and stronger lines, added until each of its outages is restored.

What stands in the way is taken one outage after the other, the deepest in the feeder first, because a tie that reaches
the smallest part that stays dark helps the larger ones too. Each obstacle offers a few measures: a tie from the dark
part to each of the nearest neighbours, or stronger conductors along the way to the value that breaks its limit. Sets
of measures are tried in the order of their cost, so that the first with which all outages are restored is the
cheapest of those that were offered. Every statement comes from a repeated N-1 check of the changed network.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.county_n_minus_1 import county_contingencies, county_normal_state
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.n_minus_1 import lose_each
from gridcheck.checks.outages import TIE, TRAFO, Contingency, cut_off
from gridcheck.checks.records import NMinus1Row, NMinus1Status
from gridcheck.checks.supply_security import REQUIRED_CLASSES
from gridcheck.limits import LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import BranchKind
from gridcheck.network.section_tree import reached, switched_network
from gridcheck.network.topology import Tree, spanning_tree
from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.feeder_options import reconductoring_parts, stronger_lines
from gridcheck.reinforcement.options import Option, Part, option_of
from gridcheck.reinforcement.terms import Terms
from gridcheck.reinforcement.ties import nearest_links, tie_option

MOST = 8
"""Sets of measures that are tried for one feeder."""

_ON_THE_WAY = ("low_voltage", "line_overload")
# Neighbours to which a tie is offered.
_NEIGHBOURS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastMeasure:
    """What a feeder lacks to pass N-1.

    Attributes
    ----------
    county_code, feeder_id, supply_class : str
        Which feeder.
    is_required : bool
        Whether its class asks for N-1.
    status : NMinus1Status
        The gravest status among its outages.
    reason : str
        What stands in the way of the deepest outage that fails: ``no_tie``, ``low_voltage``, ``line_overload``,
        ``main_transformer_overload``, ``no_switch`` (nothing parts the feeder) or ``no_solution``.
    outage_id, element : str
        That outage, and the line, transformer or bus beyond its limit, empty where there is none.
    is_found : bool
        Whether a set of measures was found with which every outage of the feeder is restored.
    has_more : bool
        Whether sets were left untried.
    measures : tuple of str
        Codes of the catalogue; empty where none was found.
    description : str
        What is built.
    cost_yuan : float
        Cost; NaN where none was found. [yuan]
    options : tuple of Option
        The measures themselves.
    """

    county_code: str
    feeder_id: str
    supply_class: str
    is_required: bool
    status: NMinus1Status
    reason: str
    outage_id: str
    element: str
    is_found: bool
    has_more: bool
    measures: tuple[str, ...]
    description: str
    cost_yuan: float
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutageStudy:
    """How outages of a county are judged; arguments of `county_n_minus_1`.

    Attributes
    ----------
    loads, loads_after : LoadCases or FactoredLoads
        All cases as usual, and right after an outage where it is known.
    limits : LimitSet
        Limits.
    warmest_c : float, optional
        Warmest air of the study. [degC]
    """

    loads: LoadCases | FactoredLoads
    loads_after: LoadCases | FactoredLoads | None
    limits: LimitSet
    warmest_c: float | None

    def state(self, grid: CountyGrid, like: NormalState | None = None) -> NormalState:
        """Prepare a county; `like` is the state of the county before something was built."""
        return county_normal_state(
            grid, self.loads, limits=self.limits, loads_after=self.loads_after, warmest_c=self.warmest_c, like=like
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Obstacle:
    """An outage that is not restored, in the network as it is built by then."""

    grid: CountyGrid
    state: NormalState
    contingency: Contingency
    row: NMinus1Row


def least_measures(
    grid: CountyGrid, study: OutageStudy, rows: Sequence[NMinus1Row], terms: Terms, *, most: int = MOST
) -> tuple[LeastMeasure, ...]:
    """Find the least measure of every feeder of a county that does not pass N-1.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    study : OutageStudy
        How its outages were judged.
    rows : sequence of NMinus1Row
        All its outages.
    terms : Terms
        Prices and estimates.
    most : int
        Sets of measures that are tried for one feeder.

    Returns
    -------
    tuple of LeastMeasure
        By feeder; those that pass are not among them.
    """
    by_feeder: dict[str, list[NMinus1Row]] = {}
    for row in rows:
        if row.outage_kind not in (TIE, TRAFO) and row.feeder_id:
            by_feeder.setdefault(row.feeder_id, []).append(row)
    failing = {f: own for f, own in by_feeder.items() if any(r.status != NMinus1Status.SECURE for r in own)}
    if not failing:
        return ()
    state = study.state(grid)
    search = _Search(grid, state, study, terms, most)
    return tuple(search.of_feeder(feeder_id, failing[feeder_id]) for feeder_id in sorted(failing))


class _Search:
    """Tries sets of measures in the order of their cost."""

    def __init__(self, grid: CountyGrid, state: NormalState, study: OutageStudy, terms: Terms, most: int) -> None:
        self.grid, self.state, self.study, self.terms, self.most = grid, state, study, terms, most

    def of_feeder(self, feeder_id: str, rows: list[NMinus1Row]) -> LeastMeasure:
        """Find the least measure of a feeder from its outages."""
        # Those that failed come first, the deepest of them before the others.
        order = sorted(rows, key=lambda row: (row.status == NMinus1Status.SECURE, row.lost_kw, row.outage_id))
        ids = [row.outage_id for row in order]
        # What stands in the way in the county as it is was studied already.
        own = self._contingencies(self.grid, self.state, feeder_id)
        first = _Obstacle(grid=self.grid, state=self.state, contingency=own[ids[0]], row=order[0])
        found, has_more = self._cheapest(first, feeder_id, ids)
        reason, element = _reason(first)
        return LeastMeasure(
            county_code=self.grid.county_code,
            feeder_id=feeder_id,
            supply_class=rows[0].supply_class,
            is_required=rows[0].supply_class in REQUIRED_CLASSES,
            status=max((row.status for row in rows), key=list(NMinus1Status).index),
            reason=reason,
            outage_id=first.contingency.outage_id,
            element=element,
            is_found=found is not None,
            has_more=has_more,
            measures=tuple(dict.fromkeys(code for option in found or () for code in option.measures)),
            description="; ".join(option.description for option in found or ()),
            cost_yuan=np.nan if found is None else sum(option.cost_yuan for option in found),
            options=found or (),
        )

    def _cheapest(self, first: _Obstacle, feeder_id: str, ids: list[str]) -> tuple[tuple[Option, ...] | None, bool]:
        count, seen = itertools.count(), {frozenset[str]()}
        heap: list[tuple[float, int, tuple[Option, ...]]] = []
        self._offer(heap, count, seen, (), first)
        for _ in range(self.most):
            if not heap:
                break
            _, _, options = heapq.heappop(heap)
            grid = build(self.grid, [change for option in options for change in option.changes])
            obstacle = self._obstacle(grid, self.study.state(grid, self.state), feeder_id, ids)
            if obstacle is None:
                return options, bool(heap)
            self._offer(heap, count, seen, options, obstacle)
        return None, bool(heap)

    def _offer(
        self,
        heap: list[tuple[float, int, tuple[Option, ...]]],
        count: itertools.count[int],
        seen: set[frozenset[str]],
        options: tuple[Option, ...],
        obstacle: _Obstacle,
    ) -> None:
        for option in _options(obstacle, self.terms):
            more = (*options, option)
            key = frozenset(repr(one.changes) for one in more)
            if key not in seen:
                seen.add(key)
                heapq.heappush(heap, (sum(one.cost_yuan for one in more), next(count), more))

    @staticmethod
    def _contingencies(grid: CountyGrid, state: NormalState, feeder_id: str) -> dict[str, Contingency]:
        """Return the outages of a feeder by their ids."""
        every = county_contingencies(grid, state.sections, state.tree)
        return {c.outage_id: c for c in every if c.feeder_id == feeder_id}

    def _obstacle(self, grid: CountyGrid, state: NormalState, feeder_id: str, ids: list[str]) -> _Obstacle | None:
        """Return the first of the outages that is not restored."""
        own = self._contingencies(grid, state, feeder_id)
        for outage_id in ids:
            contingency = own[outage_id]
            row = lose_each(state, state.loads, grid.households, (contingency,))[0]
            if row.status != NMinus1Status.SECURE:
                return _Obstacle(grid=grid, state=state, contingency=contingency, row=row)
        return None


def _reason(obstacle: _Obstacle) -> tuple[str, str]:
    """Return what stands in the way, and the element whose limit breaks where there is one."""
    row, worst = obstacle.row, obstacle.row.tried
    if row.status == NMinus1Status.UNSUPPLIED:
        return "no_switch" if row.served_kw == row.lost_kw == 0.0 < row.demand_kw else "no_tie", ""
    if row.status == NMinus1Status.NOT_CONVERGED:
        return "no_solution", ""
    if worst.vm_pu < obstacle.state.min_vm_pu:
        return "low_voltage", worst.vm_bus_name
    kind = "main_transformer_overload" if worst.loading_kind == "trafo" else "line_overload"
    return kind, worst.loading_name


def _options(obstacle: _Obstacle, terms: Terms) -> list[Option]:
    """Return what could be done next."""
    reason, _ = _reason(obstacle)
    if reason == "no_switch":
        return []
    return [*_ties(obstacle, terms), *(_conductors(obstacle, terms) if reason in _ON_THE_WAY else ())]


def _ties(obstacle: _Obstacle, terms: Terms) -> list[Option]:
    """Return a tie from the part that stays dark to each of the nearest neighbours."""
    grid, state = obstacle.grid, obstacle.state
    section = state.sections.bus_section[grid.network.branches.from_bus[grid.area_branch]]
    own = np.flatnonzero(np.isin(section, _dark_sections(obstacle)))
    if not len(own):
        return []
    feeder = int(grid.area_feeder[own[0]])
    ids = grid.feeders["feeder_id"].astype(str).to_numpy()
    result = []
    for km, ends in nearest_links(grid, feeder, own)[:_NEIGHBOURS]:
        pair = f"{ids[feeder]}-{ids[grid.area_feeder[ends[1]]].rsplit('-', 1)[-1]}N"
        number = sum(name.startswith(pair) for name in grid.network.branches.name) + 1
        option = tie_option(grid, terms, ends, km, number=number)
        result += [option] if option is not None else []
    return result


def _dark_sections(obstacle: _Obstacle) -> IntArray:
    state, contingency = obstacle.state, obstacle.contingency
    cut = cut_off(contingency, state.sections, state.tree)
    is_on = reached(state.sections, _closed(state, obstacle.row.switch_states), faulted=cut.faulted)
    healthy = np.concatenate([np.zeros(0, dtype=np.int64), *cut.islands])
    dark: IntArray = healthy[~is_on[healthy]]
    return dark


def _closed(state: NormalState, moved: Sequence[tuple[int, bool]]) -> BoolArray:
    """Return the state of every switch edge when some switches stand differently from normal."""
    edge = dict(zip(state.network.switches.switch_id.tolist(), state.sections.switch_edge.tolist(), strict=True))
    closed = state.sections.edge_closed.copy()
    for switch_id, is_closed in moved:
        if switch_id in edge:
            closed[edge[switch_id]] = is_closed
    return closed


def _conductors(obstacle: _Obstacle, terms: Terms) -> list[Option]:
    """Return stronger conductors for the overloaded line, or for all lines on the way to the lowest voltage."""
    grid, state, worst = obstacle.grid, obstacle.state, obstacle.row.tried
    branches = grid.network.branches
    is_line = branches.kind == BranchKind.LINE
    overloaded = np.zeros(0, dtype=np.int64)
    if worst.loading_percent > worst.loading_limit_percent and worst.loading_kind == "line":
        overloaded = np.flatnonzero(is_line & (branches.branch_id == worst.loading_id))
    way = overloaded
    if worst.vm_pu < state.min_vm_pu:
        closed = _closed(state, obstacle.row.tried_switch_states)
        tree = spanning_tree(switched_network(grid.network, state.sections, closed))
        bus = int(np.flatnonzero(grid.network.bus_id == worst.vm_bus_id)[0])
        way = np.union1d(way, [k for k in _way_up(tree, bus) if is_line[k]]).astype(np.int64)
    feeder_of = grid.bus_feeder[branches.to_bus[way]]
    ids, parts = grid.feeders["feeder_id"].astype(str).to_numpy(), list[Part]()
    for feeder in np.unique(feeder_of[feeder_of >= 0]).tolist():
        lines = stronger_lines(branches, way[feeder_of == feeder], overloaded)
        parts += reconductoring_parts(terms, str(ids[feeder]), lines)
    if not parts:
        return []
    feeder_id = obstacle.contingency.feeder_id
    return [option_of(tuple(parts), feeder_id=feeder_id, area_id="", group=f"n-1:{feeder_id}")]


def _way_up(tree: Tree, bus: int) -> list[int]:
    """Return the branches from a bus to its source."""
    way = []
    while tree.parent[bus] >= 0:
        way.append(int(tree.parent_branch[bus]))
        bus = int(tree.parent[bus])
    return way
