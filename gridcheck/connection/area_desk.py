"""The 0.4 kV side of a county's queue: each area's lines, meters and draws, made when somebody asks there.

The voltage at an area's 10 kV terminals comes from the county's load flow: in the steps of heavy load with everybody
connected who asks, so that no later approval elsewhere breaks what was shown here; in light steps, where the highest
voltage counts, with nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gridcheck.arrays import FloatArray
from gridcheck.checks.area_loads import AS_HOME, homes_without_heater, spread_over_homes
from gridcheck.checks.draw_extremes import AreaNet
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.checks.terminal_voltage import terminal_voltage_pu, voltage_of_steps
from gridcheck.connection.applications import Application
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
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvOptions, LvVerdict
from gridcheck.connection.pre_approval import FastPath, PreApproval, PreApprovalRules, certain_heaters
from gridcheck.demand.draw_pool import DrawPool
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.errors import InputError, NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.network.area_transformers import AreaTransformer, area_transformer
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid, four_wire_of

_PHASES = {"A": 0, "B": 1, "C": 2, "ABC": THREE_PHASE}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskInput:
    """What the low-voltage side of a county's queue is made from.

    Attributes
    ----------
    lines : mapping of str to LowVoltageGrid
        Lines and meters by area, in the order of the county's table.
    transformers : mapping of str to AreaTransformer
        Transformers by area.
    pool : DrawPool
        Homes of the county to draw from.
    rules : RiskRules
        When a limit counts as kept.
    seed : int
        Seed of the draws.
    told : callable, optional
        Called with each application, the queue of its area after it, and the answer of the area.
    data : DataChecks
        Where data are too thin for an answer.
    fast : mapping of str to PreApproval
        By area: what is left of the published limit of small heaters, which are approved at once.
    """

    lines: Mapping[str, LowVoltageGrid]
    transformers: Mapping[str, AreaTransformer]
    pool: DrawPool
    rules: RiskRules
    seed: int
    told: Callable[[Application, AreaQueue, LvVerdict], None] | None = None
    data: DataChecks = field(default_factory=DataChecks)
    fast: Mapping[str, PreApproval] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class _Area:
    """One area with its queue, and the homes for applicants whose meter is not known, next one first."""

    queue: AreaQueue
    free: list[int] = field(default_factory=list)

    def home_for(self, phase: int) -> int:
        """Return the next home that may be the applicant's: on the phase that was named, if there is one."""
        known = self.queue.risk.net.grid.home_phase
        for home in self.free:
            if phase in (AS_HOME, THREE_PHASE) or known[home] in (phase, PHASE_UNKNOWN):
                break
        else:
            home = self.free[0]
        return home

    def take(self, home: int) -> None:
        """Keep a home from whoever comes next; the last one stays."""
        if len(self.free) > 1:
            self.free.remove(home)


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
        self._areas: dict[str, _Area] = {}
        self._voltages: dict[int, FloatArray] = {}
        self._fast = FastPath(given.fast)

    def answer(self, number: int, row: int, decision: Decision) -> tuple[Decision, float]:
        """Join an approval by the 10 kV level with the answer of the area, and keep what the area grants.

        Parameters
        ----------
        number : int
            The tree.
        row : int
            Row of the area in it.
        decision : Decision
            The approval.

        Returns
        -------
        Decision
            The joint answer.
        float
            Rated power that is granted. [kW]
        """
        application, data = decision.application, self.given.data
        needed = lacking_records(self.given.lines[application.area_id], data)
        if needed:
            return without_answer(decision, needed), application.rated_kw
        area = self._area(number, row, application.area_id)
        phase = _PHASES.get(application.phase, AS_HOME)
        heater = LvHeater(
            home=area.home_for(phase),
            column=self.given.pool.classes.index(application.device),
            rated_kw=application.rated_kw,
            phase=phase,
        )
        if self._fast.takes(application):
            area.take(heater.home)
            # Draws catch up with what is promised when somebody takes the full way.
            area.queue.risk.promised = (*area.queue.risk.promised, heater)
            return replace(decision, pre_approved=True), heater.rated_kw
        needed = phases_in_the_way(area.queue.risk, heater, data.rules)
        if needed:
            return without_answer(decision, needed), application.rated_kw
        area.take(heater.home)
        answer = area.queue.decide(heater)
        if answer.fits:
            self._fast.close(application.area_id)
        if self.given.told is not None:
            self.given.told(application, area.queue, answer)
        joint = joint_answer(decision, answer, self.given.pool.case)
        needed = still_open(answer, area.queue.risk.rules, data)
        return (undecided(joint, needed) if needed else joint), answer.outlook.heater.rated_kw

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
        return certain_heaters(area.queue.risk, area.free, rules, most)

    def _area(self, number: int, row: int, area_id: str) -> _Area:
        """Return an area with its queue, made when it is asked for first."""
        if area_id not in self._areas:
            self._areas[area_id] = self._opened(number, row, area_id)
        return self._areas[area_id]

    def _opened(self, number: int, row: int, area_id: str) -> _Area:
        """Make an area as it is before its queue."""
        given, grid, base = self.given, self.given.lines[area_id], self.base[number]
        classes, transformer = given.pool.classes, given.transformers[area_id]
        loads = spread_over_homes(grid, classes, base.rated_kw[row], base.count[row], seed=given.seed)
        net = AreaNet(
            grid=grid,
            network=four_wire_of(grid, transformer),
            pool=given.pool,
            vm_pu=self._terminals(number)[row],
            limits=self.limits,
        )
        options = LvOptions(network_of=lambda lines, steps: _with_tap(lines, transformer, steps))
        return _Area(
            queue=AreaQueue(AreaRisk(net, loads, given.rules, seed=given.seed), options),
            free=homes_without_heater(grid, loads, classes, seed=given.seed).tolist(),
        )

    def _terminals(self, number: int) -> FloatArray:
        """Return the voltages at the 10 kV terminals of all areas of a tree at the steps of the pool."""
        if number not in self._voltages:
            tree, pool = self.trees[number], self.given.pool
            light = terminal_voltage_pu(tree, self.profiles, self.base[number], pool.case)
            try:
                heavy = terminal_voltage_pu(tree, self.profiles, self.crowd[number], pool.case)
            except NotConvergedError:
                # So many cannot be supplied at once: the area sees the others as they are before the queue.
                heavy = light
            self._voltages[number] = voltage_of_steps(heavy, light, pool.is_light)
        return self._voltages[number]


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
