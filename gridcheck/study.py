"""Join the counties of one scenario: study them side by side, choose the plan, prove it, write the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.checks.normal_rules import remarks
from gridcheck.connection.intake import Intake, rejected_bytes
from gridcheck.county_study import CountyOutcome, CountyTask, study_county
from gridcheck.errors import ConfigError
from gridcheck.parallel import WorkerPool, tell
from gridcheck.planning import CountyPlanInput, StudyPlan, make_plan, plan_input
from gridcheck.policy import plan_2025
from gridcheck.reports.applications_rejected import APPLICATIONS_REJECTED, RETURNED_FILES
from gridcheck.reports.area_outages import AREA_OUTAGES
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.curves import CURVES_FILE, CurveTime, CurveWriter
from gridcheck.reports.folder import read_results, write_results
from gridcheck.reports.html import write_report_html
from gridcheck.reports.place import SHEETS_FILE, HeldPlace
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.switching_sheets import SWITCHING_SHEETS
from gridcheck.reports.tables import csv_bytes, write_bytes
from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language
from gridcheck.reports.workbook import write_workbook
from gridcheck.scenario import Scenario, read_scenario
from gridcheck.study_inputs import applications_statement, read_inputs, sorted_applications, today_here
from gridcheck.study_tables import study_summary, study_tables

StudyProgress = Callable[[str, str, int, int], None]
"""Called with a county code ('' for the city), the name of a stage, steps done and steps in all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyResult:
    """Everything a study found.

    Attributes
    ----------
    scenario : Scenario
        Its assumptions.
    outcomes : tuple of CountyOutcome
        One per county, in code order.
    plan : StudyPlan
        The chosen and proved reinforcement plan.
    tables : dict of str to DataFrame
        One entry per results file.
    summary : dict
        Totals and provenance, as written to summary.json; under ``remarks``, by county, what the studies of outages
        leave out.
    intake : Intake or None
        The application file, sorted; None for the synthetic queue.
    """

    scenario: Scenario
    outcomes: tuple[CountyOutcome, ...]
    plan: StudyPlan
    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]
    intake: Intake | None = None

    @property
    def has_violations(self) -> bool:
        """True where some limit is broken with all approved applications connected."""
        return len(self.tables["violations"]) > 0

    @property
    def is_whole(self) -> bool:
        """False where applications were rejected: the queue that was studied is not the whole one."""
        return self.intake is None or not len(self.intake.row)


def run_study(
    scenario: Scenario | str | Path,
    *,
    county_codes: Sequence[str] = (),
    networks: Path | None = None,
    workers: int | None = None,
    progress: StudyProgress | None = None,
) -> StudyResult:
    """Run the whole walk for the counties of a scenario.

    Parameters
    ----------
    scenario : Scenario, str or Path
        Assumptions, or the file that holds them.
    county_codes : sequence of str
        Counties to study instead of the scenario's.
    networks : Path, optional
        Folder with one folder per county; the one that comes with gridcheck where not given.
    workers : int, optional
        Processes; as many as the machine has processors where not given. The result does not depend on it.
    progress : callable, optional
        Told how far each stage of each county is.

    Returns
    -------
    StudyResult

    Raises
    ------
    InputError
        If the scenario, a network, or a file that the scenario names is faulty. Nothing is written by this function.
    """
    started = time.perf_counter()
    chosen = scenario if isinstance(scenario, Scenario) else read_scenario(Path(scenario))
    today = today_here()
    tasks, intake = sorted_tasks(chosen, county_codes, networks, today)
    with WorkerPool(workers, n_task=len(tasks), progress=progress) as pool:
        found = pool.map(_study_one, tasks, weight=_expected_work)
        outcomes = tuple(outcome for outcome, _, _ in found)
        plan = make_plan(
            [county for _, county, _ in found],
            chosen.reinforcement,
            seed=chosen.study.seed,
            run=pool.run,
            progress=None if progress is None else partial(progress, "", "proof"),
        )
    tables = study_tables(outcomes, plan, intake)
    summary = study_summary(
        chosen,
        tasks,
        outcomes,
        plan,
        tables,
        applications=applications_statement(intake, today),
        seconds=time.perf_counter() - started,
    )
    summary["remarks"] = {
        outcome.county_code: list(said) for outcome, (*_, said) in zip(outcomes, found, strict=True) if said
    }
    return StudyResult(scenario=chosen, outcomes=outcomes, plan=plan, tables=tables, summary=summary, intake=intake)


def _study_one(task: CountyTask) -> tuple[CountyOutcome, CountyPlanInput, tuple[str, ...]]:
    """Study one county in a worker process; return also what its study of outages leaves out."""

    def progress(stage: str, done: int, total: int) -> None:
        tell(task.county_code, stage, done, total)

    walk = study_county(task, progress=progress)
    progress("candidates", 0, 1)
    found = plan_input(walk)
    progress("candidates", 1, 1)
    return walk.outcome, found, remarks(walk.case.grid.network)


def _expected_work(task: CountyTask) -> float:
    """Applications decide how long a county takes, so the longest queues start first."""
    target = plan_2025().counties.set_index("county_code")["self_retrofit"]
    return float(target.get(task.county_code, 0)) + task.folder.joinpath("areas.csv").stat().st_size / 1e6


def county_tasks(
    scenario: Scenario,
    *,
    county_codes: Sequence[str] = (),
    networks: Path | None = None,
    today: date | None = None,
) -> tuple[CountyTask, ...]:
    """Collect what the study of each county needs.

    Parameters
    ----------
    scenario : Scenario
        Assumptions.
    county_codes : sequence of str
        Counties to study instead of the scenario's.
    networks : Path, optional
        Folder with one folder per county; the one that comes with gridcheck where not given.
    today : date, optional
        Day from which dates of applications are in the future; today where not given.

    Raises
    ------
    ConfigError
        Unknown county, or no folder for it.
    InputError
        If a file that the scenario names cannot be read, or no row of the application file can be studied.
    """
    return sorted_tasks(scenario, county_codes, networks, today if today is not None else today_here())[0]


def sorted_tasks(
    scenario: Scenario,
    county_codes: Sequence[str],
    networks: Path | None,
    today: date,
    *,
    done: Collection[str] = (),
) -> tuple[tuple[CountyTask, ...], Intake | None]:
    """Return the tasks of a study, and its application file sorted; None for the synthetic queue.

    Parameters and errors as in `county_tasks`; `done` are applications that are approved or connected already.
    """
    if county_codes:
        scenario = scenario.model_copy(
            update={"study": scenario.study.model_copy(update={"counties": tuple(county_codes)})}
        )
    codes = scenario.county_codes()
    folder = networks if networks is not None else shipped_folder("networks")
    inputs = read_inputs(scenario)
    folders = [county_folder(folder, code) for code in codes]
    intake = sorted_applications(inputs, folders, today=today, done=done)
    table = None if intake is None else intake.table()
    tasks = tuple(
        CountyTask(
            county_code=code,
            folder=county,
            scenario=scenario,
            applications=None if table is None else table[table["county_code"] == code],
            applications_source=inputs.applications_source,
            weather=inputs.weather,
            devices=inputs.devices,
            sha256=inputs.sha256,
        )
        for code, county in zip(codes, folders, strict=True)
    )
    return tasks, intake


def shipped_folder(name: str) -> Path:
    """Find a folder of the checkout: below the working directory, or beside the package.

    Raises
    ------
    ConfigError
        If it is nowhere.
    """
    places = (Path.cwd() / name, Path(__file__).resolve().parent.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(
        f"There is no folder {name!r} here. Start gridcheck in its checkout, or name the folder on the command line."
    )


def county_folder(networks: Path, code: str) -> Path:
    """Return the folder of a county.

    Raises
    ------
    ConfigError
        If there is none, or more than one.
    """
    found = sorted(networks.glob(f"{code}-*"))
    if len(found) != 1:
        raise ConfigError(f"{networks} must hold exactly one folder {code}-<name>. Found {len(found)}.")
    return found[0]


def write_study(result: StudyResult, place: HeldPlace, language: Language = DEFAULT_LANGUAGE) -> None:
    """Write all results files; they appear in their place whole or not at all.

    Parameters
    ----------
    result : StudyResult
        What to write.
    place : HeldPlace
        From `gridcheck.reports.place.held_place`; older results are replaced when the new ones are complete.
    language : {"zh", "en"}
        Language of the workbook, and of the report when it is opened.

    Raises
    ------
    GridcheckError
        If the file system refuses.
    """
    with place.unfinished() as folder:
        write_results(result.tables, result.summary, folder)
        _write_curves(result, folder / CURVES_FILE)
        sheets = pd.concat([outcome.switching_sheets for outcome in result.outcomes], ignore_index=True)
        write_bytes(folder / SHEETS_FILE, csv_bytes(sheets, SWITCHING_SHEETS))
        for spec in (AREA_OUTAGES, CANDIDATES, PLAN_ITEMS, APPLICATIONS_REJECTED):
            write_bytes(folder / spec.file_name, csv_bytes(result.tables[spec.name], spec))
        if result.intake is not None and not result.is_whole:
            write_bytes(folder / RETURNED_FILES[result.intake.file.kind], rejected_bytes(result.intake))
        results = read_results(folder)
        write_workbook(results, folder / "report.xlsx", language)
        write_report_html(results, folder / "report.html", language)
        place.put(folder)


def _write_curves(result: StudyResult, path: Path) -> None:
    times = result.outcomes[0].time_utc
    minutes = int((times[1] - times[0]) / np.timedelta64(1, "m")) if len(times) > 1 else 15
    when = CurveTime(
        start_utc=pd.Timestamp(times[0], tz="UTC"),
        n_step=len(times),
        step_minutes=minutes,
        synthetic=bool(result.summary["synthetic"]),
    )
    with CurveWriter(path, when) as writer:
        for outcome in result.outcomes:
            writer.write(outcome.county_code, list(outcome.area_id), outcome.p_kw, outcome.loading_percent)


__all__ = [
    "CountyPlanInput", "StudyResult", "county_folder", "county_tasks", "run_study", "shipped_folder", "sorted_tasks",
    "write_study",
]  # fmt: skip
