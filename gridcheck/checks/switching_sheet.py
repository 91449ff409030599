"""Switching sheets: a restoration as steps that a dispatcher can carry out one after the other.

The order keeps three promises at every moment: no loop is closed, no two sources are joined, and the faulted section
is dead once its breaker has tripped. So the fault is isolated before anything is closed again, dark sections are
parted before the first tie is closed, and a tie is closed when one of its ends has supply and the other has none:
of those that could be next, one that is operated from the control room goes first. A tie with a switch at either end
is closed at the live end first, so that its line is energised before load is put on it.

What is closed so far is at any moment a part of the trees that the restoration ends in; where loads only consume, no
limit that the end keeps is broken on the way. After hours without supply homes draw more at first than later, so some
restorations are closed in stages: a stage is closed as above, then the load of what it supplies has to fall back before
the next one. Switches between sections of different stages are opened with the others and closed again in the later
stage.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.judgement import NormalState
from gridcheck.checks.outages import CutOff
from gridcheck.checks.records import StepKind, SwitchingStep
from gridcheck.checks.trees import Switching
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError, TopologyError
from gridcheck.network.records import BranchKind

Unit = tuple[int, ...]
"""Edges that are operated together: one switch, or a whole line where the network has no switches."""

# Supply returns by these, or is waited for.
_IN_STAGES = (StepKind.RECLOSE, StepKind.TIE, StepKind.JOIN, StepKind.WAIT)

_TIMES = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        *(Column(name=name, kind="float", low=0.0) for name in ("value", "min", "max")),
        Column(name="unit", allowed=("min",)),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchingTimes:
    """How long operations take.

    Attributes
    ----------
    remote_minutes : float
        One switch from the control room. [min]
    first_manual_minutes, further_manual_minutes : float
        The first switch by hand, and each after it. [min]
    calm_down_minutes : float
        From the return of supply until the load has fallen back to what it is without an outage. [min]
    """

    remote_minutes: float
    first_manual_minutes: float
    further_manual_minutes: float
    calm_down_minutes: float


@functools.cache
def switching_times() -> SwitchingTimes:
    """Return the estimates of ``switching_times.csv``.

    Raises
    ------
    CatalogueError
        If a value lies outside its own bounds.
    """
    table = packaged_table("gridcheck.checks", "switching_times.csv", _TIMES)
    outside = table.loc[~table["value"].between(table["min"], table["max"]), "name"]
    if len(outside):
        raise CatalogueError("switching_times.csv: value must lie between min and max.", list(outside))
    return SwitchingTimes(**dict(zip(table["name"], table["value"].astype(float), strict=True)))


def switching_steps(
    state: NormalState,
    cut: CutOff,
    done: Switching,
    *,
    load_kw: FloatArray,
    households: IntArray,
    times: SwitchingTimes | None = None,
) -> tuple[SwitchingStep, ...]:
    """Put the operations of a restoration in order.

    Parameters
    ----------
    state : NormalState
        The network in normal operation.
    cut : CutOff
        What trips and is isolated.
    done : Switching
        The restoration.
    load_kw : ndarray, shape (n_section,)
        Load of each section. [kW]
    households : ndarray of int, shape (n_section,)
        Households of each section.
    times : SwitchingTimes, optional
        How long operations take; `switching_times` by default.

    Returns
    -------
    tuple of SwitchingStep
        Carried out one after the other from the normal state they end in ``done.closed``. The last one is no
        operation: it says what waits for the repair. Nor are the waits between stages.

    Raises
    ------
    TopologyError
        If the restoration closes a loop, or a tie that no supply reaches.
    """
    sheet = _Sheet(state, cut, load_kw, households, switching_times() if times is None else times)
    sheet.live[cut.interrupted] = False
    for unit in _units(state, cut.tripped) or [()]:
        sheet.add(StepKind.TRIP, unit, closes=False)
    for unit in _units(state, cut.opened[~np.isin(cut.opened, cut.tripped)]):
        sheet.add(StepKind.ISOLATE, unit, closes=False)
    upstream = np.setdiff1d(cut.interrupted, np.concatenate([[cut.faulted], *cut.islands]))
    if len(upstream):
        sheet.live[upstream] = True
        for unit in _units(state, cut.tripped) or [()]:
            sheet.add(StepKind.RECLOSE, unit, closes=True)
    for unit in _units(state, (*done.opened, *done.parted)):
        sheet.add(StepKind.PART, unit, closes=False)
    sheet.close_in_stages(done)
    sheet.add(StepKind.REPAIR, (), closes=None)
    return tuple(sheet.steps)


def restore_minutes(steps: Sequence[SwitchingStep]) -> float:
    """Return when the last load that is restored is back, 0 where none is. [min]"""
    result = 0.0
    for before, step in itertools.pairwise(steps):
        if (step.served_kw, step.served_households) > (before.served_kw, before.served_households):
            result = step.elapsed_minutes
    return result


def edge_name(state: NormalState, edge: int) -> str:
    """Return the name of the switch of an edge; of its branch where the switch has none, and its id at last."""
    branches, switches = state.network.branches, state.network.switches
    k = int(state.sections.edge_branch[edge])
    names = [switches.name[i] for i in np.flatnonzero(state.sections.switch_edge == edge)]
    return next((name for name in [*names, branches.name[k]] if name), _branch(state, k))


def _branch(state: NormalState, k: int) -> str:
    branches = state.network.branches
    return f"{BranchKind(branches.kind[k]).name.lower()}:{branches.branch_id[k]}"


def _units(state: NormalState, edges: IntArray | Sequence[int]) -> list[Unit]:
    """Return what is operated as one, from the control room first, else in the given order."""
    sections = state.sections
    together: dict[int, list[int]] = {}
    for edge in (int(edge) for edge in edges):
        together.setdefault(int(sections.edge_branch[edge]) if sections.by_line else edge, []).append(edge)
    return sorted((tuple(unit) for unit in together.values()), key=lambda unit: not _is_remote(state, unit))


def _is_remote(state: NormalState, unit: Sequence[int]) -> bool:
    return bool(state.sections.edge_remote[list(unit)].all())


@dataclass(frozen=True, slots=True)
class _Closing:
    """A tie, or a switch between two stages, and the sections that it connects."""

    kind: StepKind
    edges: Unit
    a: int
    b: int


class _Sheet:
    """The steps so far, the switches as they stand, and the sections that have supply."""

    def __init__(
        self, state: NormalState, cut: CutOff, load_kw: FloatArray, households: IntArray, times: SwitchingTimes
    ) -> None:
        self.state, self.cut, self.times = state, cut, times
        self.load_kw, self.households = load_kw[cut.feeder], households[cut.feeder]
        self.closed: BoolArray = state.sections.edge_closed.copy()
        self.live: BoolArray = state.tree.supplied.copy()
        self.steps: list[SwitchingStep] = []
        self.elapsed_minutes, self.is_crew_out, self.stage = 0.0, False, 1

    def add(self, kind: StepKind, unit: Unit, *, closes: bool | None) -> None:
        """Carry out one operation, whose effect on the supply is known already, and write it down."""
        if closes is not None:
            self.closed[list(unit)] = closes
        by_remote = kind == StepKind.TRIP or _is_remote(self.state, unit)
        minutes = self._minutes(kind, by_remote=by_remote)
        self.elapsed_minutes += minutes
        is_on = self.live[self.cut.feeder]
        self.steps.append(
            SwitchingStep(
                kind=kind,
                **self._names(unit),  # type: ignore[arg-type]
                closes=closes,
                stage=self.stage if kind in _IN_STAGES else 0,
                by_remote=by_remote,
                minutes=minutes,
                elapsed_minutes=self.elapsed_minutes,
                served_kw=float(self.load_kw[is_on].sum()),
                served_households=int(self.households[is_on].sum()),
            )
        )

    def close_in_stages(self, done: Switching) -> None:
        """Close ties, and switches between stages, from supply outwards; wait between stages."""
        waiting = self._closings(done)
        stage_of = {section: number for number, stage in enumerate(done.stages, start=1) for section in stage}
        neighbours = self._neighbours() if waiting else {}
        for stage in range(1, max(len(done.stages), 1) + 1):
            if stage > 1:
                self.add(StepKind.WAIT, (), closes=None)
            self.stage = stage
            while ready := [c for c in waiting if self._is_ready(c, stage_of)]:
                closing = min(ready, key=lambda c: not _is_remote(self.state, c.edges))
                waiting.remove(closing)
                for unit in self._from_live_end(closing.edges):
                    self.closed[list(unit)] = True
                    self._spread(unit, neighbours)
                    self.add(closing.kind, unit, closes=True)
        if waiting:
            raise TopologyError(
                "A restoration cannot be put in order: these close a loop, or no supply reaches them.",
                [edge_name(self.state, closing.edges[0]) for closing in waiting],
            )

    def _closings(self, done: Switching) -> list[_Closing]:
        ties, sections = self.state.ties, self.state.sections
        found = [
            _Closing(StepKind.TIE, tuple(ties.edges(t)), int(ties.section_a[t]), int(ties.section_b[t]))
            for t in done.ties
        ]
        for unit in _units(self.state, done.parted):
            # A whole line has a bus at either end, a switch has one and the body of its line.
            a, b = (int(sections.edge_bus_section[edge]) for edge in (unit[0], unit[-1]))
            b = b if sections.by_line else int(sections.edge_body_section[unit[0]])
            found.append(_Closing(StepKind.JOIN, unit, a, b))
        return found

    def _is_ready(self, closing: _Closing, stage_of: dict[int, int]) -> bool:
        """Whether one end has supply, and the other has none and may get it now."""
        if self.live[closing.a] == self.live[closing.b]:
            return False
        return stage_of.get(closing.b if self.live[closing.a] else closing.a, 1) <= self.stage

    def _from_live_end(self, edges: Sequence[int]) -> list[Unit]:
        if self.state.sections.by_line:
            return [tuple(edges)]
        return [(edge,) for edge in sorted(edges, key=lambda e: not self.live[self._sides(e)].any())]

    def _sides(self, edge: int) -> list[int]:
        sections = self.state.sections
        return [int(sections.edge_bus_section[edge]), int(sections.edge_body_section[edge])]

    def _neighbours(self) -> dict[int, list[tuple[int, int]]]:
        """Return the edges at each section, and what lies behind them, as far as one side has no supply."""
        sections, result = self.state.sections, {}  # type: ignore[var-annotated]
        dark = ~self.live
        for edge in np.flatnonzero(dark[sections.edge_bus_section] | dark[sections.edge_body_section]).tolist():
            a, b = self._sides(edge)
            result.setdefault(a, []).append((edge, b))
            result.setdefault(b, []).append((edge, a))
        return result

    def _spread(self, unit: Unit, neighbours: dict[int, list[tuple[int, int]]]) -> None:
        """Let supply flow through closed switches from where it is already."""
        todo = [s for edge in unit for s in self._sides(edge) if self.live[s]]
        while todo:
            for edge, there in neighbours.get(todo.pop(), []):
                if self.closed[edge] and not self.live[there] and there != self.cut.faulted:
                    self.live[there] = True
                    todo.append(there)

    def _minutes(self, kind: StepKind, *, by_remote: bool) -> float:
        if kind in (StepKind.TRIP, StepKind.REPAIR):
            return 0.0
        if kind == StepKind.WAIT:
            return self.times.calm_down_minutes
        if by_remote:
            return self.times.remote_minutes
        is_first, self.is_crew_out = not self.is_crew_out, True
        return self.times.first_manual_minutes if is_first else self.times.further_manual_minutes

    def _names(self, unit: Unit) -> dict[str, object]:
        """Say what is operated, in the ids of the user."""
        if not unit:
            return {"switch": "", "branch": "", "bus": "", "switch_ids": (), "line_ids": ()}
        network, sections, edge = self.state.network, self.state.sections, unit[0]
        branches, k = network.branches, int(sections.edge_branch[edge])
        kind, own_id = BranchKind(branches.kind[k]), int(branches.branch_id[k])
        at = int(branches.to_bus[k] if sections.edge_at_to_end[edge] else branches.from_bus[k])
        of_table = network.switches.switch_id[np.flatnonzero(np.isin(sections.switch_edge, unit))]
        return {
            "switch": edge_name(self.state, edge),
            "branch": _branch(self.state, k),
            "bus": "" if sections.by_line else network.buses.name[at] or f"bus:{network.bus_id[at]}",
            "switch_ids": (own_id,) if kind == BranchKind.SWITCH else tuple(int(i) for i in of_table),
            "line_ids": (own_id,) if sections.by_line and kind == BranchKind.LINE else (),
        }
