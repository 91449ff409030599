"""The 0.4 kV side of a county's queue: each area's lines, meters and draws, made when somebody asks there.

The voltage at an area's 10 kV terminals comes from the county's load flow: in the steps of heavy load with everybody
connected who asks, so that no later approval elsewhere breaks what was shown here; in light steps, where the highest
voltage counts, with nobody. It is rounded to the side that is worse, so that a change far away, which moves it by less,
changes no answer and answers given before hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.area_loads import AS_HOME, AreaLoads, expected_kw, homes_without_heater, spread_over_homes
from gridcheck.checks.draw_extremes import AreaNet
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.checks.terminal_voltage import terminal_voltage_pu, voltage_of_steps
from gridcheck.connection.applications import Application
from gridcheck.connection.asked_area import Answers, AskedArea, Promised, digest_of, lines_digest, loads_digest
from gridcheck.connection.busbar_control import BusbarControl, held_sources
from gridcheck.connection.data_confidence import (
    DataChecks,
    lacking_records,
    phases_in_the_way,
    still_open,
    undecided,
    without_answer,
)
from gridcheck.connection.decision import Decision
from gridcheck.connection.joint_answer import joint_answer
from gridcheck.connection.low_voltage_verdict import REPHASE, TAP_DOWN, TAP_UP, AreaQueue, LvOptions, LvVerdict
from gridcheck.connection.phase_balance import balanced_phases, evened_phases
from gridcheck.connection.pre_approval import FastPath, PreApproval, PreApprovalRules, certain_heaters
from gridcheck.demand.draw_pool import DrawPool
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.errors import InputError, NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.network.area_transformers import AreaTransformer, area_transformer
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid, four_wire_of

Joined = Callable[[Decision], Decision]
# Terminals are rounded to 0.1 V of a home's voltage; a millionth of a step is a slip of binary fractions.
_STEP_PU = 0.0005
_SLIP = 1e-6
# Areas whose draws are kept, some MB each; all of a county's took 2 GB.
_OPEN_AREAS = 24
_PHASES = {"A": 0, "B": 1, "C": 2, "ABC": THREE_PHASE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskInput:
    """What the low-voltage side of a county's queue is made from.

    Attributes
    ----------
    area_ids : tuple of str
        All areas of the county, in the order of its counts.
    lines : mapping of str to LowVoltageGrid
        Lines and meters of the areas in which somebody asks.
    transformers : mapping of str to AreaTransformer
        Their transformers.
    pool : DrawPool
        Homes of the county to draw from.
    rules : RiskRules
        When a limit counts as kept.
    seed : int
        Seed of the draws.
    main_tap_follows : bool
        Whether main transformers keep their busbars from rising in light steps.
    rebalanced : frozenset of str
        Areas in which all homes are put on phases anew before the queue.
    switched : mapping of str to int
        Areas in which so many homes can change their phase again during the queue, by switches that do it themselves.
    held_busbars : mapping of str to BusbarControl
        Areas whose transformer has on-load taps.
    promised : mapping of str to tuple of Promised
        By area: what of its counts was promised before, in that order; it stands where it was granted, and what had to
        be done for it is done.
    known : dict of bytes to LvVerdict
        Answers that were given before; new ones are added.
    told : callable, optional
        Called with each application, the queue of its area after it, and the answer of the area.
    data : DataChecks
        Where data are too thin for an answer.
    fast : mapping of str to PreApproval
        By area: what is left of the published limit of small heaters, which are approved at once.
    homes_for : mapping of str to tuple of Application
        By area: who is given a home first, in this order, whenever it is asked for.
    """

    area_ids: tuple[str, ...]
    lines: Mapping[str, LowVoltageGrid]
    transformers: Mapping[str, AreaTransformer]
    pool: DrawPool
    rules: RiskRules
    seed: int
    main_tap_follows: bool = True
    rebalanced: frozenset[str] = frozenset()
    switched: Mapping[str, int] = field(default_factory=dict)
    held_busbars: Mapping[str, BusbarControl] = field(default_factory=dict)
    promised: Mapping[str, tuple[Promised, ...]] = field(default_factory=dict)
    known: Answers = field(default_factory=dict, repr=False)
    told: Callable[[Application, AreaQueue, LvVerdict], None] | None = None
    data: DataChecks = field(default_factory=DataChecks)
    fast: Mapping[str, PreApproval] = field(default_factory=dict)
    homes_for: Mapping[str, tuple[Application, ...]] = field(default_factory=dict)


class LowVoltageDesk:
    """Answers applications from the draws of their areas.

    Parameters
    ----------
    given : DeskInput
        The county.
    trees : sequence of SupplyTree
        Its supply trees.
    profiles : ClassProfiles
        Its profiles.
    limits : LimitSet
        Limits.
    base, crowd : sequence of ClassCounts
        By tree: homes and heaters before the queue, and with everybody connected who asks.
    """

    def __init__(
        self,
        given: DeskInput,
        trees: Sequence[SupplyTree],
        profiles: ClassProfiles,
        limits: LimitSet,
        *,
        base: Sequence[ClassCounts],
        crowd: Sequence[ClassCounts],
    ) -> None:
        self.given, self.trees, self.profiles, self.limits = given, trees, profiles, limits
        self.base, self.crowd = base, crowd
        self._areas: dict[str, AskedArea] = {}
        self._open: list[AskedArea] = []
        self._voltages: dict[int, FloatArray] = {}
        self._fast = FastPath(given.fast)

    def answer(self, number: int, row: int, application: Application) -> tuple[float, Joined]:
        """Ask the low-voltage network of an area about an application, and keep what it grants.

        Parameters
        ----------
        number : int
            The tree.
        row : int
            Row of the area in it.
        application : Application
            What the 10 kV level has approved.

        Returns
        -------
        float
            Rated power that it grants; where it refuses, what was asked. [kW]
        callable
            Joins the answer of the 10 kV level at that power with the area's own.
        """
        data = self.given.data
        needed = lacking_records(self.given.lines[application.area_id], data)
        if needed:
            return application.rated_kw, partial(without_answer, codes=needed)
        area = self._area(number, row, application.area_id)
        phase = _PHASES.get(application.phase, AS_HOME)
        heater = LvHeater(
            home=area.home_of(application.application_id, phase),
            column=self.given.pool.classes.index(application.device),
            rated_kw=application.rated_kw,
            phase=phase,
        )
        if self._fast.takes(application):
            area.take(heater.home)
            area.promise(heater)
            return heater.rated_kw, partial(replace, pre_approved=True)
        needed = self._hidden_by_phases(area, heater)
        if needed:
            return application.rated_kw, partial(without_answer, codes=needed)
        area.take(heater.home)
        if self.given.told is None:
            answer = area.ask(heater, self.given.known)
        else:
            answer = area.decide(heater)
            self.given.told(application, area.now(), answer)
        self._let_go(area)
        if answer.fits:
            self._fast.close(application.area_id)
        return answer.outlook.heater.rated_kw, partial(self._joined, answer=answer)

    def _let_go(self, latest: AskedArea) -> None:
        """Keep the draws of the areas that were asked last, and let those of the others go."""
        if latest.queue is None:
            return
        if latest in self._open:
            self._open.remove(latest)
        self._open.append(latest)
        if len(self._open) > _OPEN_AREAS:
            self._open.pop(0).queue = None

    def _joined(self, decision: Decision, *, answer: LvVerdict) -> Decision:
        """Return the answer of both levels."""
        joint = joint_answer(decision, answer, self.given.pool.case)
        needed = still_open(answer, self.given.rules, self.given.data)
        return undecided(joint, needed) if needed else joint

    def _hidden_by_phases(self, area: AskedArea, heater: LvHeater) -> tuple[str, ...]:
        """Return what is needed where so many phases are unknown that the answer may turn on them."""
        rules = self.given.data.rules
        known = area.grid.home_phase != PHASE_UNKNOWN
        if not len(known) or (~known).mean() <= rules.unknown_phase_share:
            return ()
        return phases_in_the_way(area.now().risk, heater, rules)

    def area_before(self, number: int, row: int, area_id: str) -> tuple[AreaQueue, tuple[int, ...]]:
        """Return an area as it is before its queue, and its homes for applicants whose meter is not known, in order.

        Parameters
        ----------
        number : int
            The tree.
        row : int
            Row of the area in it.
        area_id : str
            The area.
        """
        area = self._opened(number, row, area_id)
        return area.make(), tuple(area.free)

    def small_heaters(self, number: int, row: int, area_id: str, rules: PreApprovalRules, most: int) -> int:
        """Return how many small heaters certainly fit in an area as its queue has left it, `most` at most.

        Parameters
        ----------
        number, row : int
            The tree, and the area's row in it.
        area_id : str
            The area. One without records or with too many unknown phases has no fast path.
        rules : PreApprovalRules
            What is small.
        most : int
            What the 10 kV level allows.
        """
        grid, data = self.given.lines[area_id], self.given.data
        unknown = float((grid.home_phase == PHASE_UNKNOWN).mean()) if grid.n_home else 0.0
        if most < 1 or lacking_records(grid, data) or unknown > data.rules.unknown_phase_share:
            return 0
        area = self._area(number, row, area_id)
        return certain_heaters(area.now().risk, area.free, rules, most)

    def _area(self, number: int, row: int, area_id: str) -> AskedArea:
        """Return an area with its queue, made when it is asked for first."""
        if area_id not in self._areas:
            self._areas[area_id] = self._opened(number, row, area_id)
        return self._areas[area_id]

    def _opened(self, number: int, row: int, area_id: str) -> AskedArea:
        """Make an area as it is before its queue."""
        given, promised = self.given, self.given.promised.get(area_id, ())
        grid, transformer, vm_pu = given.lines[area_id], given.transformers[area_id], self._terminals(number)[row]
        if area_id in given.held_busbars:
            busbar_pu = self._voltages_of_steps(number, at_busbar=True)[row]
            vm_pu = held_sources(given.held_busbars[area_id], vm_pu, busbar_pu, given.pool.is_light)
        loads = self._standing(number, row, grid, promised)
        if area_id in given.rebalanced:
            grid = _rebalanced(grid, loads, given.pool)
        measures = max((one.measures for one in promised), key=len, default=())
        area = AskedArea(
            grid=grid,
            make=lambda: self._queue(grid, transformer, vm_pu, loads, measures),
            key=digest_of(lines_digest(grid), transformer, vm_pu.tobytes(), measures, loads_digest(loads)),
            free=homes_without_heater(grid, loads, given.pool.classes, seed=given.seed).tolist(),
        )
        for one in promised:
            heater = self._granted(area, one, is_rephased=REPHASE in measures)
            area.take(heater.home)
            area.promise(heater)
        for asked in given.homes_for.get(area_id, ()):
            area.keep(asked.application_id, _PHASES.get(asked.phase, AS_HOME))
        return area

    def _standing(self, number: int, row: int, grid: LowVoltageGrid, promised: Sequence[Promised]) -> AreaLoads:
        """Return what stands in an area besides what was promised."""
        given, base = self.given, self.base[number]
        rated_kw, count = base.rated_kw[row].copy(), base.count[row].copy()
        for one in promised:
            column = given.pool.classes.index(one.device)
            rated_kw[column] -= one.rated_kw
            count[column] -= 1.0
        # Sums of binary fractions may miss zero.
        rated_kw, count = np.maximum(rated_kw, 0.0), np.maximum(count, 0.0)
        return spread_over_homes(grid, given.pool.classes, rated_kw, count, seed=given.seed)

    def _granted(self, area: AskedArea, one: Promised, *, is_rephased: bool) -> LvHeater:
        """Return the heater of a promise where it was granted; who is held back is not counted on to be."""
        phase = _PHASES.get(one.phase, AS_HOME)
        home, own = area.home_for(phase), _PHASES.get(one.granted_phase, AS_HOME)
        moves = own != AS_HOME and not is_rephased
        if is_rephased and phase != THREE_PHASE:
            phase = AS_HOME
        return LvHeater(
            home=home,
            column=self.given.pool.classes.index(one.device),
            rated_kw=one.rated_kw,
            phase=own if moves else phase,
            moves_home=moves,
        )

    def _queue(
        self,
        grid: LowVoltageGrid,
        transformer: AreaTransformer,
        vm_pu: FloatArray,
        loads: AreaLoads,
        measures: tuple[str, ...],
    ) -> AreaQueue:
        """Return the queue of an area with some measures done and nothing promised."""
        given = self.given
        if REPHASE in measures:
            kw = expected_kw(loads, given.pool, grid.n_home)
            grid = replace(grid, home_phase=balanced_phases(grid, kw))
        steps = measures.count(TAP_UP) - measures.count(TAP_DOWN)
        network = _with_tap(grid, transformer, steps) or four_wire_of(grid, transformer)
        net = AreaNet(grid=grid, network=network, pool=given.pool, vm_pu=vm_pu, limits=self.limits)
        is_held = grid.area_id in given.held_busbars
        options = LvOptions(
            # On-load taps leave nothing to be set by hand.
            network_of=lambda lines, steps: None if steps and is_held else _with_tap(lines, transformer, steps),
            switched_homes=given.switched.get(grid.area_id, 0),
        )
        queue = AreaQueue(AreaRisk(net, loads, given.rules, seed=given.seed), options)
        queue.measures = measures
        return queue

    def _terminals(self, number: int) -> FloatArray:
        """Return the voltages at the 10 kV terminals of all areas of a tree at the steps of the pool."""
        if number not in self._voltages:
            self._voltages[number] = _rounded(self._voltages_of_steps(number), self.given.pool.is_light)
        return self._voltages[number]

    def _voltages_of_steps(self, number: int, *, at_busbar: bool = False) -> FloatArray:
        """Return voltages at the terminals or busbars of all areas of a tree, before they are rounded."""
        tree, pool = self.trees[number], self.given.pool
        held = pool.is_light if self.given.main_tap_follows else None

        def voltages(counts: ClassCounts) -> FloatArray:
            return terminal_voltage_pu(
                tree, self.profiles, counts, pool.case, held=held, light=pool.is_light, at_busbar=at_busbar
            )

        light = voltages(self.base[number])
        try:
            heavy = voltages(self.crowd[number])
        except NotConvergedError:
            # So many cannot be supplied at once: the area sees the others as they are before the queue.
            heavy = light
        return voltage_of_steps(heavy, light, pool.is_light)


def _rounded(vm_pu: FloatArray, is_light: BoolArray) -> FloatArray:
    """Return voltages in whole steps: lower ones where the load is heavy, higher ones where it is light."""
    steps: FloatArray = np.where(is_light, np.ceil(vm_pu / _STEP_PU - _SLIP), np.floor(vm_pu / _STEP_PU + _SLIP))
    return steps * _STEP_PU


def _rebalanced(grid: LowVoltageGrid, loads: AreaLoads, pool: DrawPool) -> LowVoltageGrid:
    """Return an area whose homes were all visited and put on phases anew, by what they draw before the queue."""
    return replace(grid, home_phase=evened_phases(grid, expected_kw(loads, pool, grid.n_home)))


def with_tap(transformer: AreaTransformer, steps: int) -> AreaTransformer | None:
    """Return a transformer with its tap moved so that the low voltage rises by some steps; None without such a tap."""
    if not steps:
        return transformer
    core = transformer.core_z0_pu
    try:
        listed = area_transformer(transformer.type_name, tap_pos=transformer.tap_pos, core_z0_pu=core)
        moved = area_transformer(transformer.type_name, tap_pos=transformer.tap_pos - steps, core_z0_pu=core)
    except InputError:
        return None
    return moved if listed == transformer else None


def _with_tap(grid: LowVoltageGrid, transformer: AreaTransformer, steps: int) -> FourWireNetwork | None:
    """Return the area's network with its tap moved; None without such a tap."""
    moved = with_tap(transformer, steps)
    return None if moved is None else four_wire_of(grid, moved)
