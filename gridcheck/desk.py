"""The connection desk: this week's applications of some counties, each counted after everything promised before it.

Below the transformers applications are judged by draws (`county_desk`), above them by the load flow of the county. What
the ledger has promised already is connected before the first application is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.checks.supply_tree import CheckKind
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.asked_area import Promised
from gridcheck.connection.decide import QueueResult, decide_queue_by_draws
from gridcheck.connection.decision import clause_of
from gridcheck.connection.intake import Intake
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvVerdict
from gridcheck.connection.monthly_limits import CountyNow, monthly_limits
from gridcheck.connection.pre_approval import PreApproval, PreApprovalRules
from gridcheck.connection.promises import with_heaters
from gridcheck.connection.published import Granted, Published, left_of
from gridcheck.county_desk import NOT_DRAWN, with_lines_of
from gridcheck.county_study import CountyCase, CountyTask, prepare_county
from gridcheck.errors import ConfigError
from gridcheck.ledger import granted
from gridcheck.parallel import WorkerPool, tell
from gridcheck.reports.rows import decision_rows
from gridcheck.scenario import Scenario
from gridcheck.study import sorted_tasks
from gridcheck.study_inputs import today_here
from gridcheck.units import KW_PER_MW, SQRT3

# Active over apparent power of homes in the cold; only to turn what a transformer has left into kW. (E, 0.93 to 0.98)
_COS_PHI = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """What stands in the ledger before the applications are looked at.

    Attributes
    ----------
    promised : mapping of str to tuple of Promised
        By county.
    done : tuple of str
        Applications that are approved or connected already; rows with them come back.
    granted : tuple of Granted
        The approvals among them with their moments, which take from published limits.
    """

    promised: Mapping[str, tuple[Promised, ...]] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    granted: tuple[Granted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskTask:
    """One county's applications; can be sent to another process.

    Attributes
    ----------
    county : CountyTask
        Grid, assumptions, applications.
    promised : tuple of Promised
        What is promised there already.
    risk : float
        Probability of a broken limit that is accepted. [1]
    fast : tuple of PreApproval
        What is left of the published limits of its areas; applications within them are approved at once.
    """

    county: CountyTask
    promised: tuple[Promised, ...]
    risk: float
    fast: tuple[PreApproval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskOutcome:
    """The answers of one county.

    Attributes
    ----------
    county_code : str
        The county.
    decisions : DataFrame
        Rows of ``decisions.csv``.
    intervals : DataFrame
        By ``application_id``: ``probability_low``, ``probability_high`` that the limit is kept, ``draws``,
        ``broken_before``, what the area breaks without it, and ``pre_approved``, whether it was approved at once.
    granted_kw : mapping of str to float
        Rated power of each approval. [kW]
    rooms : DataFrame
        ``level``, ``element_id``, ``left_kw``: what is left on feeders and main transformers after all approvals.
    synthetic : bool
        Whether the grid, the low-voltage lines of an area in which somebody asks, or the weather are invented.
    """

    county_code: str
    decisions: pd.DataFrame
    intervals: pd.DataFrame
    granted_kw: Mapping[str, float]
    rooms: pd.DataFrame
    synthetic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOptions:
    """How applications are decided.

    Attributes
    ----------
    county_codes : tuple of str
        Counties instead of the scenario's.
    networks : Path, optional
        Folder with one folder per county; the one that comes with gridcheck where not given.
    risk : float, optional
        Probability of a broken limit that is accepted instead of the scenario's. [1]
    workers : int, optional
        Processes; one per processor where not given.
    published : Published, optional
        Limits of areas within which small heaters are approved at once.
    publishes : bool
        Whether such limits are made first, for the areas in which somebody asks.
    """

    county_codes: tuple[str, ...] = ()
    networks: Path | None = None
    risk: float | None = None
    workers: int | None = None
    published: Published | None = None
    publishes: bool = False


def decide_applications(
    scenario: Scenario,
    options: DeskOptions,
    *,
    standing: Standing | None = None,
    progress: Callable[[str, str, int, int], None] | None = None,
) -> tuple[tuple[DeskTask, ...], tuple[DeskOutcome, ...], Intake | None]:
    """Decide the applications of a scenario county by county.

    Parameters
    ----------
    scenario : Scenario
        Assumptions; names the application file.
    options : DeskOptions
        How they are decided.
    standing : Standing, optional
        What is promised before, besides what the grid's own files say; nothing where not given.
    progress : callable, optional
        Told how far each county is.

    Returns
    -------
    tuple of DeskTask
        What was decided; `decide_county_queue` gives the same answers again.
    tuple of DeskOutcome
        By county.
    Intake or None
        The application file, sorted; None for the synthetic queue.

    Raises
    ------
    InputError
        If a file is faulty, or published limits are for another accepted probability.
    """
    before = Standing() if standing is None else standing
    tasks, intake = sorted_tasks(scenario, options.county_codes, options.networks, today_here(), done=before.done)
    asked = [task for task in tasks if task.applications is None or len(task.applications)]
    risk = scenario.low_voltage.risk if options.risk is None else options.risk
    fast = {} if options.published is None else left_of(options.published, before.granted, risk=risk)
    desks = tuple(
        DeskTask(county=t, promised=before.promised.get(t.county_code, ()), risk=risk, fast=_of_asked(fast, t))
        for t in asked
    )
    with WorkerPool(options.workers, n_task=len(desks), progress=progress) as pool:
        if options.publishes:
            made = pool.map(_limits_of_asked, desks, weight=_expected_work)
            desks = tuple(replace(desk, fast=limits) for desk, limits in zip(desks, made, strict=True))
        outcomes = tuple(pool.map(decide_county_queue, desks, weight=_expected_work))
    return desks, outcomes, intake


def _of_asked(limits: Mapping[str, PreApproval], task: CountyTask) -> tuple[PreApproval, ...]:
    """Return the limits of areas in which somebody asks, in the order of their ids."""
    asked = set() if task.applications is None else set(task.applications["area_id"])
    return tuple(limits[area_id] for area_id in sorted(asked & set(limits)))


def _limits_of_asked(task: DeskTask) -> tuple[PreApproval, ...]:
    """Make the limits of the areas in which somebody asks."""
    table = task.county.applications
    if table is None:
        return ()
    found = county_pre_approvals(task, set(table["area_id"]))
    return tuple(found[area_id] for area_id in sorted(found))


def _expected_work(task: DeskTask) -> float:
    table = task.county.applications
    return float("inf") if table is None else float(len(table))


Told = Callable[[Application, AreaQueue, LvVerdict], None]
"""Called with each application, the queue of its area after it, and the answer of the area."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyAnswers:
    """A county as it was decided.

    Attributes
    ----------
    case : CountyCase
        The county with everything that was promised before.
    queue : QueueResult
        Its decided queue.
    made_up_lines : bool
        Whether the low-voltage lines of an area in which somebody asks are invented.
    """

    case: CountyCase
    queue: QueueResult
    made_up_lines: bool

    def outcome(self) -> DeskOutcome:
        """Return the answers as they are written."""
        return _outcome(self.case, self.queue, self.case.grid.county_code, is_made_up=self.made_up_lines)


def decide_county_queue(task: DeskTask, told: Told | None = None) -> DeskOutcome:
    """Decide one county's applications.

    Parameters
    ----------
    task : DeskTask
        The county.
    told : callable, optional
        Told every answer by draws.

    Returns
    -------
    DeskOutcome

    Raises
    ------
    InputError
        If a file of the county is faulty.
    ConfigError
        If the scenario draws nothing.
    """
    return decided_county(task, told).outcome()


def decided_county(task: DeskTask, told: Told | None = None) -> CountyAnswers:
    """Decide one county's applications and keep what the answers rest on; see `decide_county_queue`."""
    county = task.county
    case = with_promises(prepare_county(county), task.promised)
    total, count = len(case.applications), 0

    def report(n: int) -> None:
        nonlocal count
        count += n
        if count % 10 == 0 or count == total:
            tell(county.county_code, "queue", count, total)

    desk = replace(_low_voltage(task, case), told=told)
    queue = decide_queue_by_draws(
        case.trees, case.course, case.counts, case.applications, case.limits, desk, progress=report
    )
    made_up = any(lines.is_synthetic for lines in desk.lines.values())
    return CountyAnswers(case=case, queue=queue, made_up_lines=made_up)


def county_pre_approvals(task: DeskTask, area_ids: Collection[str] = ()) -> dict[str, PreApproval]:
    """Return the pre-approval limits of a county's areas for the monthly list.

    Parameters
    ----------
    task : DeskTask
        The county, what is promised there, and who has asked and waits.
    area_ids : collection of str
        Areas that are wanted; all where empty.

    Raises
    ------
    InputError
        As `decide_county_queue`.
    """
    case = with_promises(prepare_county(task.county), task.promised)
    now = CountyNow(trees=case.trees, course=case.course, counts=case.counts, limits=case.limits)
    rules = PreApprovalRules(largest_kw=task.county.scenario.desk.pre_approval_kw)
    desk = _low_voltage(task, case)
    wanted = set(area_ids) or set(desk.area_ids)
    return monthly_limits(
        with_lines_of(desk, case.grid, wanted), now, rules, pending=case.applications, area_ids=wanted
    )


def _low_voltage(task: DeskTask, case: CountyCase) -> DeskInput:
    """Return the low-voltage side of a county with the task's risk and published limits."""
    if case.desk is None:
        raise ConfigError(NOT_DRAWN)
    rules = replace(case.desk.rules, risk=task.risk)
    promised = {one.area_id: tuple(p for p in task.promised if p.area_id == one.area_id) for one in task.promised}
    return replace(case.desk, rules=rules, fast={one.area_id: one for one in task.fast}, promised=promised)


def with_promises(case: CountyCase, promised: Sequence[Promised]) -> CountyCase:
    """Return a county with what is promised already connected before its queue."""
    place = {area_id: row for row, area_id in enumerate(case.grid.areas["area_id"])}
    column = {name: k for k, name in enumerate(case.profiles.classes)}
    here = [(place[one.area_id], column[one.device], one.rated_kw) for one in promised if one.area_id in place]
    return replace(case, counts=with_heaters(case.counts, here)) if here else case


def _outcome(case: CountyCase, queue: QueueResult, county_code: str, *, is_made_up: bool) -> DeskOutcome:
    areas, decisions = case.grid.areas, queue.decisions
    clauses = [clause_of(decision, case.limits) for decision in decisions]
    feeder_of = dict(zip(areas["area_id"], areas["feeder_id"], strict=True))
    intervals = pd.DataFrame(
        {
            "application_id": [one.application.application_id for one in decisions],
            "probability_low": [one.probability_low for one in decisions],
            "probability_high": [one.probability_high for one in decisions],
            "draws": [one.draws for one in decisions],
            "broken_before": [";".join(one.broken_before) for one in decisions],
            "pre_approved": [one.pre_approved for one in decisions],
        }
    )
    return DeskOutcome(
        county_code=county_code,
        decisions=decision_rows(decisions, case.profiles.time_utc, clauses, feeder_of),
        intervals=intervals,
        granted_kw={one.application.application_id: granted_kw(one.application, one.conditions)
                    for one in decisions if one.connected},
        rooms=_rooms(case, queue),
        synthetic=case.grid.synthetic or case.has_synthetic_weather or is_made_up,
    )  # fmt: skip


def granted_kw(application: Application, conditions: Sequence[str]) -> float:
    """Return the rated power that an approval grants: what was asked, or its cap. [kW]

    Examples
    --------
    >>> from datetime import date
    >>> asked = Application(application_id="1", county_code="140827", village_code="", area_id="A", device="x",
    ...     applied_on=date(2025, 9, 1), rated_kw=3.0, phase="A", household_group="ordinary", queue_position=1)
    >>> granted_kw(asked, ("phase:B", "limit_kw:2.4"))
    2.4
    """
    return granted.granted_kw(application.rated_kw, conditions)


def _rooms(case: CountyCase, queue: QueueResult) -> pd.DataFrame:
    """Return what the loading of feeders and main transformers leaves after all approvals, never below 0. [kW]

    Homes do not run at full power all at once, so that many kW of rated heaters fit at least.
    """
    limit_ka = case.grid.feeders["limit_ka"].to_numpy(dtype=float)
    feeder_ids = case.grid.feeders["feeder_id"].astype(str).to_numpy()
    branches, vn_kv = case.grid.network.branches, case.grid.network.buses.vn_kv
    rows = []
    for tree, final in zip(case.trees, queue.final, strict=True):
        checks = tree.checks
        left = np.fmax(checks.limit - final.value, 0.0) / 100.0 * _COS_PHI * KW_PER_MW
        low_kv = float(vn_kv[branches.to_bus[tree.main_branch]])
        outlet_mva: FloatArray = SQRT3 * low_kv * limit_ka[tree.feeder]
        main_mva = SQRT3 * low_kv * float(branches.rating_to_ka[tree.main_branch])
        outlets = np.flatnonzero(checks.kind == CheckKind.FEEDER_LOADING)
        for place, row, mva in zip(outlets.tolist(), tree.feeder.tolist(), outlet_mva.tolist(), strict=True):
            rows.append(("feeder", feeder_ids[row], float(left[place]) * mva))
        main = int(np.flatnonzero(checks.kind == CheckKind.MAIN_LOADING)[0])
        rows.append(("main_transformer", tree.name, float(left[main]) * main_mva))
    return pd.DataFrame(rows, columns=["level", "element_id", "left_kw"])
