"""The walk of one county: network, demand, queue, states, N-1. Runs in a process of its own.

A `CountyTask` goes in and a `CountyOutcome` comes out; both can be sent between processes, and nothing else
is shared, so counties may run in any order and number at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.cases import FactoredLoads
from gridcheck.catalogue import DeviceCatalogue
from gridcheck.checks.assessment import Course, binding_course, full_course
from gridcheck.checks.county_n_minus_1 import summarise_feeders
from gridcheck.checks.county_state import CountyState, county_state
from gridcheck.checks.n_minus_1_hosting import usual_heat_pump_kw
from gridcheck.checks.records import NMinus1Row
from gridcheck.checks.supply_tree import SupplyTree, limit_of, require_checkable, supply_trees
from gridcheck.connection.applications import Application, parse_applications
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.decide import QueueResult, decide_queue, decide_queue_by_draws
from gridcheck.connection.decision import clause_of
from gridcheck.county_desk import low_voltage_desk
from gridcheck.county_outages import (
    OutageDemand,
    cold_hours,
    hours_of,
    lose_areas,
    measures_of,
    outage_demand,
    study_outages,
    unchanged,
    whole_feeder_loads,
)
from gridcheck.county_season import season_subsidy
from gridcheck.demand.parameters import BASE, ROOFTOP_PV, DemandParameters, default_parameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_counts, class_profiles
from gridcheck.demand.weather import WeatherReading
from gridcheck.limits import LimitSet
from gridcheck.network.county import CountyGrid, read_county
from gridcheck.reinforcement.least_measures import LeastMeasure
from gridcheck.reports.area_outages import area_outage_rows
from gridcheck.reports.rows import (
    area_rows,
    decision_rows,
    feeder_rows,
    n_minus_1_rows,
    violation_rows,
)
from gridcheck.reports.switching_sheets import switching_sheet_rows
from gridcheck.scenario import Scenario
from gridcheck.stage_clock import StageClock
from gridcheck.study_inputs import county_weather, demand_parameters, discouraged_models, queue_order
from gridcheck.synthesis.applications import synthetic_applications

Progress = Callable[[str, int, int], None]
"""Called with the name of a stage, steps done and steps in all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyTask:
    """What one county's study needs.

    Attributes
    ----------
    county_code : str
        The county.
    folder : Path
        Its grid.
    scenario : Scenario
        Assumptions.
    applications : DataFrame or None
        Rows of an application file; None for the synthetic queue.
    applications_source : str
        What messages call that file.
    weather : WeatherReading or None
        Weather of a file; None for the synthetic winter.
    devices : DeviceCatalogue or None
        Heaters of the planner's own.
    sha256 : mapping of str to str
        Checksums of the files that the scenario names.
    """

    county_code: str
    folder: Path
    scenario: Scenario
    applications: pd.DataFrame | None
    applications_source: str
    weather: WeatherReading | None = None
    devices: DeviceCatalogue | None = None
    sha256: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyCase:
    """A county with its demand, ready for decisions.

    Attributes
    ----------
    grid : CountyGrid
        The grid.
    profiles : ClassProfiles
        Demand over the study window.
    course : Course
        The cases that decisions look at.
    trees : tuple of SupplyTree
        One per main transformer.
    counts : ClassCounts
        Homes and heaters before the queue.
    applications : tuple of Application
        The queue.
    limits : LimitSet
        Limits of the scenario.
    parameters : DemandParameters or None
        Of the demand model; None for those of the catalogue.
    has_synthetic_weather : bool
        Whether any of the weather is drawn: the winter, or a cold wave laid over a file.
    outage_demand : OutageDemand or None
        What an outage changes; None for load and ratings as before.
    desk : DeskInput or None
        Low-voltage side of the queue, judged by draws; None for the estimate of the voltage at the end of the lines.
    """

    grid: CountyGrid
    profiles: ClassProfiles
    course: Course
    trees: tuple[SupplyTree, ...]
    counts: ClassCounts
    applications: tuple[Application, ...]
    limits: LimitSet
    parameters: DemandParameters | None = None
    has_synthetic_weather: bool = True
    outage_demand: OutageDemand | None = None
    desk: DeskInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyOutcome:
    """What one county's study hands back: tables for people, and the decided state for the plan.

    Attributes
    ----------
    county_code : str
        The county.
    decisions, n_minus_1, area_outages, areas, feeders, violations, switching_sheets : DataFrame
        Rows of the results files.
    area_id : tuple of str
        Areas in the order of the curves.
    p_kw, loading_percent : ndarray of float32, shape (n_area, n_case)
        Load curves with all approved applications connected.
    time_utc : ndarray of datetime64, shape (n_case,)
        Start of each case.
    subsidy_yuan : float
        Running subsidy of one season for the approved households.
    weather : str
        What the weather is.
    synthetic_grid, synthetic_queue, synthetic_weather : bool
        Whether the grid, the applications, or any of the weather are invented.
    clock : StageClock
        Time and memory of the stages.
    """

    county_code: str
    decisions: pd.DataFrame
    n_minus_1: pd.DataFrame
    area_outages: pd.DataFrame
    areas: pd.DataFrame
    feeders: pd.DataFrame
    violations: pd.DataFrame
    switching_sheets: pd.DataFrame
    area_id: tuple[str, ...]
    p_kw: FloatArray
    loading_percent: FloatArray
    time_utc: TimeArray
    subsidy_yuan: float
    weather: str
    synthetic_grid: bool
    synthetic_queue: bool
    synthetic_weather: bool
    clock: StageClock


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyWalk:
    """One county after its walk: what people read, and what the plan starts from.

    Attributes
    ----------
    outcome : CountyOutcome
        Tables and curves.
    case : CountyCase
        The prepared county.
    queue : QueueResult
        The decided queue.
    outages : tuple of NMinus1Row
        Every outage studied.
    least : tuple of LeastMeasure
        What feeders lack that do not pass N-1.
    """

    outcome: CountyOutcome
    case: CountyCase
    queue: QueueResult
    outages: tuple[NMinus1Row, ...]
    least: tuple[LeastMeasure, ...]


def prepare_county(task: CountyTask) -> CountyCase:
    """Read a county's grid and make its demand and its queue.

    Raises
    ------
    InputError
        If a file of the county, or the application file, is faulty.
    """
    scenario = task.scenario
    limits = scenario.limit_set()
    grid = read_county(task.folder)
    require_checkable(grid)
    weather = county_weather(scenario, task.weather, task.county_code)
    table = task.applications
    if table is None:
        table = synthetic_applications(task.county_code, grid.areas, grid.heating, seed=scenario.study.seed)
    applications = parse_applications(
        table,
        area_ids=list(grid.areas["area_id"]),
        county_code=task.county_code,
        source=task.applications_source,
        models=discouraged_models(task.devices, task.county_code, scenario.study.seed),
    )
    applications = queue_order(applications, scenario, grid.areas)
    parameters = demand_parameters(task.devices, applications)
    profiles = class_profiles(
        weather,
        parameters=parameters,
        method=scenario.demand.method,
        seed=scenario.study.seed,
        fixed_share=scenario.demand.fixed_share,
        rooftop_pv=scenario.demand.pv_kwp_per_home > 0.0,
    )
    counts = _connected_before(grid, scenario, profiles.classes)
    desk = None
    if scenario.is_drawn:
        desk = low_voltage_desk(
            grid,
            counts,
            profiles,
            weather,
            scenario=scenario,
            parameters=parameters or default_parameters(),
            asked={application.area_id for application in applications},
        )
    return CountyCase(
        grid=grid,
        profiles=profiles,
        course=binding_course(profiles, limits),
        trees=supply_trees(grid, limits),
        counts=counts,
        applications=applications,
        limits=limits,
        parameters=parameters,
        has_synthetic_weather=weather.synthetic,
        outage_demand=outage_demand(scenario, profiles, weather, parameters, rated_kw=counts.rated_kw.sum(axis=0)),
        desk=desk,
    )


def _connected_before(grid: CountyGrid, scenario: Scenario, classes: tuple[str, ...]) -> ClassCounts:
    layers = [
        name for name, on in (("existing", scenario.demand.existing), ("key_area_2025", scenario.demand.key_area)) if on
    ]
    counts = class_counts(
        grid.areas,
        grid.heating[grid.heating["layer"].isin(layers)],
        classes=classes,
        pv_kwp_per_home=scenario.demand.pv_kwp_per_home,
    )
    rated_kw = counts.rated_kw.copy()
    rated_kw[:, 0] *= 1.0 + scenario.demand.base_growth_percent / 100.0
    return ClassCounts(rated_kw=rated_kw, count=counts.count)


def decide_county(case: CountyCase, *, progress: Progress | None = None) -> QueueResult:
    """Decide the whole queue of a prepared county."""
    total, done = len(case.applications), 0

    def report(n: int) -> None:
        nonlocal done
        done += n
        if progress is not None and (done % 25 == 0 or done == total):
            progress("queue", done, total)

    county = case.trees, case.course, case.counts, case.applications, case.limits
    if case.desk is not None:
        return decide_queue_by_draws(*county, case.desk, progress=report)
    return decide_queue(*county, area_ids=list(case.grid.areas["area_id"]), progress=report)


def study_county(task: CountyTask, *, progress: Progress | None = None) -> CountyWalk:
    """Walk one county from its files to verdicts, states and N-1.

    Parameters
    ----------
    task : CountyTask
        The county and the assumptions.
    progress : callable, optional
        Told how far each stage is.

    Returns
    -------
    CountyWalk
    """
    clock = StageClock()
    case = prepare_county(task)
    clock.stage("network_and_demand")
    queue = decide_county(case, progress=progress)
    clock.stage("queue")
    everything = full_course(case.profiles, case.limits)
    n_feeder = len(case.grid.feeders)
    before = county_state(case.trees, everything, case.counts, case.limits, n_feeder=n_feeder)
    after = county_state(case.trees, everything, queue.counts, case.limits, n_feeder=n_feeder, before=before)
    clock.stage("states")
    rows = outages_of(case, queue.counts)
    feeders = summarise_feeders(rows)
    demand = _outage_demand(case)
    hours = hours_of(case.grid, queue.counts, demand, case.limits)
    cold_h = cold_hours(case.grid, queue.counts, demand, rows)
    lost_areas = lose_areas(case.grid, queue.counts, demand, case.limits)
    clock.stage("n_minus_1")
    least = measures_of(case.grid, queue.counts, demand, case.limits, rows)
    clock.stage("least_measures")
    outcome = CountyOutcome(
        county_code=task.county_code,
        decisions=_decisions(case, queue),
        n_minus_1=n_minus_1_rows(rows, limits=case.limits, cold_h=cold_h),
        area_outages=area_outage_rows(case.grid, *lost_areas, case.profiles.time_utc),
        areas=area_rows(case.grid, before, after, _heated(case, queue.counts), heat_pump_kw=usual_heat_pump_kw()),
        feeders=feeder_rows(case.grid, after, feeders, hours, least),
        violations=_violations(case, after),
        switching_sheets=switching_sheet_rows(rows),
        area_id=tuple(case.grid.areas["area_id"]),
        p_kw=after.p_kw.astype(np.float32),
        loading_percent=after.loading_percent.astype(np.float32),
        time_utc=case.profiles.time_utc,
        subsidy_yuan=season_subsidy(task.county_code, case.parameters, _connected(queue), task.scenario.study.seed),
        weather=task.scenario.weather.wave,
        synthetic_grid=case.grid.synthetic,
        synthetic_queue=task.applications is None,
        synthetic_weather=case.has_synthetic_weather,
        clock=clock,
    )
    clock.stage("tables")
    return CountyWalk(outcome=outcome, case=case, queue=queue, outages=rows, least=least)


def feeder_loads(case: CountyCase, counts: ClassCounts) -> FactoredLoads:
    """Return `whole_feeder_loads` of a prepared county."""
    return whole_feeder_loads(case.grid, counts, case.profiles)


def outages_of(case: CountyCase, counts: ClassCounts) -> tuple[NMinus1Row, ...]:
    """Lose every section and outlet of a prepared county."""
    return study_outages(case.grid, counts, _outage_demand(case), case.limits)


def _outage_demand(case: CountyCase) -> OutageDemand:
    return case.outage_demand or unchanged(case.profiles)


def _decisions(case: CountyCase, queue: QueueResult) -> pd.DataFrame:
    areas = case.grid.areas
    return decision_rows(
        queue.decisions,
        case.profiles.time_utc,
        [clause_of(decision, case.limits) for decision in queue.decisions],
        dict(zip(areas["area_id"], areas["feeder_id"], strict=True)),
    )


def _violations(case: CountyCase, state: CountyState) -> pd.DataFrame:
    limits = [limit_of(violation.kind, case.limits) for violation in state.violations]
    return violation_rows(case.grid, state, limits, case.profiles.time_utc)


def _heated(case: CountyCase, counts: ClassCounts) -> IntArray:
    is_heater = [name not in (BASE, ROOFTOP_PV) for name in case.profiles.classes]
    homes: IntArray = np.rint(counts.count[:, is_heater].sum(axis=1)).astype(np.int64)
    return homes


def _connected(queue: QueueResult) -> list[Application]:
    return [decision.application for decision in queue.decisions if decision.connected]
