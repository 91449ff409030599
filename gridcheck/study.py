"""Join the counties of one scenario: study them side by side, choose the plan, prove it, write the results."""

from __future__ import annotations

import hashlib
import math
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck import __version__
from gridcheck.connection.applications import read_applications
from gridcheck.county_study import CountyOutcome, CountyTask, peak_memory_mb, study_county
from gridcheck.errors import ConfigError, GridcheckError, InputError
from gridcheck.geography import counties
from gridcheck.parallel import WorkerPool, tell
from gridcheck.planning import CountyPlanInput, StudyPlan, make_plan, plan_input
from gridcheck.policy import plan_2025
from gridcheck.reports.curves import CURVES_FILE, CurveTime, CurveWriter
from gridcheck.reports.folder import SUMMARY_FILE, publish, read_results, write_results
from gridcheck.reports.html import write_report_html
from gridcheck.reports.workbook import write_workbook
from gridcheck.scenario import Scenario, read_scenario

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
        Totals and provenance, as written to summary.json.
    """

    scenario: Scenario
    outcomes: tuple[CountyOutcome, ...]
    plan: StudyPlan
    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]

    @property
    def has_violations(self) -> bool:
        """True where some limit is broken with all approved applications connected."""
        return len(self.tables["violations"]) > 0


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
        If the scenario, a network, or the application file is faulty. Nothing is written by this function.
    """
    started = time.perf_counter()
    chosen = scenario if isinstance(scenario, Scenario) else read_scenario(Path(scenario))
    tasks = county_tasks(chosen, county_codes=county_codes, networks=networks)
    with WorkerPool(workers, n_task=len(tasks), progress=progress) as pool:
        pairs = pool.map(_study_one, tasks, weight=_expected_work)
        outcomes = tuple(outcome for outcome, _ in pairs)
        plan = make_plan([county for _, county in pairs], chosen.reinforcement.budget_yuan, run=pool.run)
    tables = _tables(outcomes, plan)
    summary = _summary(chosen, tasks, outcomes, plan, tables, seconds=time.perf_counter() - started)
    return StudyResult(scenario=chosen, outcomes=outcomes, plan=plan, tables=tables, summary=summary)


def _study_one(task: CountyTask) -> tuple[CountyOutcome, CountyPlanInput]:
    """Study one county in a worker process."""

    def progress(stage: str, done: int, total: int) -> None:
        tell(task.county_code, stage, done, total)

    walk = study_county(task, progress=progress)
    progress("candidates", 0, 1)
    found = plan_input(walk)
    progress("candidates", 1, 1)
    return walk.outcome, found


def _expected_work(task: CountyTask) -> float:
    """Applications decide how long a county takes, so the longest queues start first."""
    target = plan_2025().counties.set_index("county_code")["self_retrofit"]
    return float(target.get(task.county_code, 0)) + task.folder.joinpath("areas.csv").stat().st_size / 1e6


def county_tasks(
    scenario: Scenario, *, county_codes: Sequence[str] = (), networks: Path | None = None
) -> tuple[CountyTask, ...]:
    """Collect what the study of each county needs.

    Raises
    ------
    ConfigError
        Unknown county, or no folder for it.
    InputError
        If the application file cannot be read, or names counties that are not studied.
    """
    if county_codes:
        scenario = scenario.model_copy(
            update={"study": scenario.study.model_copy(update={"counties": tuple(county_codes)})}
        )
    codes = scenario.county_codes()
    folder = networks if networks is not None else shipped_folder("networks")
    applications, source = None, "synthetic queue"
    if scenario.queue.applications != "synthetic":
        path = Path(scenario.queue.applications)
        applications, source = read_applications(path), str(path)
        _require_counties(applications, codes, source)
    return tuple(
        CountyTask(
            county_code=code,
            folder=_county_folder(folder, code),
            scenario=scenario,
            applications=applications,
            applications_source=source,
        )
        for code in codes
    )


def _require_counties(applications: pd.DataFrame, codes: Sequence[str], source: str) -> None:
    if "county_code" not in applications:
        raise InputError(f"{source}: the column county_code is missing.")
    other = applications[~applications["county_code"].isin(codes)]
    if len(other):
        first = other["county_code"].head(20)
        rows = [
            f"row {i + 2}: county_code {code!r}; studied: {', '.join(codes)}"
            for i, code in zip(first.index.tolist(), first.tolist(), strict=True)
        ]
        raise InputError(f"{source}: {len(other)} applications are outside the counties of this study.", rows)


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


def _county_folder(networks: Path, code: str) -> Path:
    found = sorted(networks.glob(f"{code}-*"))
    if len(found) != 1:
        raise ConfigError(f"{networks} must hold exactly one folder {code}-<name>. Found {len(found)}.")
    return found[0]


def _tables(outcomes: Sequence[CountyOutcome], plan: StudyPlan) -> dict[str, pd.DataFrame]:
    tables = {
        name: _joined([getattr(o, name) for o in outcomes])
        for name in ("decisions", "n_minus_1", "areas", "feeders", "violations")
    }
    tables["plan"] = plan.table
    tables["counties"] = _county_table(outcomes, tables["decisions"], plan.table)
    return tables


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of all counties below each other; counties without rows say nothing about column types."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _county_table(outcomes: Sequence[CountyOutcome], decisions: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    names = counties().set_index("county_code")["county"]
    target = plan_2025().counties.set_index("county_code")["self_retrofit"]
    rows = []
    for outcome in outcomes:
        code = outcome.county_code
        own = decisions.loc[decisions["county_code"] == code, "verdict"].value_counts()
        chosen = plan[(plan["county_code"] == code) & plan["chosen"]]
        approved, conditional = int(own.get("approve", 0)), int(own.get("approve_with_conditions", 0))
        rows.append(
            {
                "county_code": code,
                "county": names[code],
                "target_self_retrofit": int(target[code]),
                "applications": int(own.sum()),
                "approved": approved,
                "conditional": conditional,
                "deferred": int(own.get("defer", 0)),
                "gap_to_target": max(int(target[code]) - approved - conditional, 0),
                "budget_yuan": float(chosen["cost_yuan"].sum()),
                "households_unlocked": int(chosen["households_unlocked"].sum()),
                "subsidy_yuan": outcome.subsidy_yuan,
            }
        )
    return pd.DataFrame(rows)


def _summary(
    scenario: Scenario,
    tasks: Sequence[CountyTask],
    outcomes: Sequence[CountyOutcome],
    plan: StudyPlan,
    tables: dict[str, pd.DataFrame],
    *,
    seconds: float,
) -> dict[str, Any]:
    by_verdict = tables["decisions"]["verdict"].value_counts()
    chosen = tables["plan"][tables["plan"]["chosen"]]
    queue_file = None if scenario.queue.applications == "synthetic" else Path(scenario.queue.applications)
    return {
        "synthetic": True,  # the cold wave always is
        "budget_yuan": scenario.reinforcement.budget_yuan,
        "gridcheck_version": __version__,
        "scenario": scenario.model_dump(mode="json"),
        "seed": scenario.study.seed,
        "totals": {
            "counties": len(outcomes),
            "areas": len(tables["areas"]),
            "feeders": len(tables["feeders"]),
            "applications": len(tables["decisions"]),
            **{verdict: int(by_verdict.get(verdict, 0)) for verdict in ("approve", "approve_with_conditions", "defer")},
            "violations": len(tables["violations"]),
            "outages": len(tables["n_minus_1"]),
            "projects_chosen": len(chosen),
            "plan_cost_yuan": float(chosen["cost_yuan"].sum()),
            "households_unlocked": int(chosen["households_unlocked"].sum()),
        },
        "plan": plan.report,
        "limits": [
            {
                "name": limit.name,
                "value": limit.value,
                "unit": limit.unit,
                "clause": limit.clause,
                "confidence": limit.confidence,
            }
            for limit in scenario.limit_set().all()
        ],
        "limits_of_model": [
            *(["synthetic_grids"] if any(outcome.synthetic_grid for outcome in outcomes) else []),
            *(["synthetic_queue"] if queue_file is None else []),
            *_LIMITS_OF_MODEL,
        ],
        "inputs": {
            **{task.folder.name: folder_hash(task.folder) for task in tasks},
            **({queue_file.name: hashlib.sha256(queue_file.read_bytes()).hexdigest()} if queue_file else {}),
        },
        "versions": {
            name: version(name) for name in ("numpy", "scipy", "numba", "pandas", "pandapower", "highspy", "plotly")
        },
        "performance": _performance(outcomes, plan, seconds),
    }


_LIMITS_OF_MODEL = (
    "low_voltage_approximation",
    "balanced_load_flow",
    "one_cold_wave",
    "n_minus_1_single_tie",
)


def _performance(outcomes: Sequence[CountyOutcome], plan: StudyPlan, seconds: float) -> dict[str, Any]:
    stages: dict[str, dict[str, float]] = {}
    for outcome in outcomes:
        for name, value in outcome.clock.seconds.items():
            stage = stages.setdefault(name, {"cpu_process_seconds": 0.0, "peak_memory_mb": 0.0})
            stage["cpu_process_seconds"] += value
            stage["peak_memory_mb"] = max(stage["peak_memory_mb"], outcome.clock.peak_mb[name])
    stages |= plan.stages

    def rounded(value: float, digits: int) -> float | None:
        # Windows does not tell the memory, and JSON has no NaN.
        return None if math.isnan(value) else round(value, digits)

    return {
        "wall_seconds": round(seconds, 2),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "main_process_peak_memory_mb": rounded(peak_memory_mb(), 1),
        "stages": {name: {key: rounded(value, 2) for key, value in stage.items()} for name, stage in stages.items()},
    }


def folder_hash(folder: Path) -> str:
    """Return one SHA-256 over the names and contents of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def require_results_place(out: Path) -> None:
    """Refuse early what `publish` would refuse at the end: a place that holds something else.

    Raises
    ------
    ConfigError
        If `out` is a file, or a folder that is no results folder.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / SUMMARY_FILE).is_file()):
        raise ConfigError(f"{out} exists and is no results folder; it is left alone. Name another one with --out.")


def write_study(result: StudyResult, out: Path) -> None:
    """Write all results files; they appear in `out` whole or not at all.

    Parameters
    ----------
    result : StudyResult
        What to write.
    out : Path
        Results folder; an older one is replaced when the new one is complete.

    Raises
    ------
    LedgerError
        If `out` is something else than a results folder.
    """
    with _unfinished(out) as folder:
        write_results(result.tables, result.summary, folder)
        _write_curves(result, folder / CURVES_FILE)
        results = read_results(folder)
        write_workbook(results, folder / "report.xlsx")
        write_report_html(results, folder / "report.html")
        publish(folder, out)


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that is removed again unless it was moved into place."""
    folder = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    except OSError as error:
        raise GridcheckError(f"The results cannot be written to {out}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_curves(result: StudyResult, path: Path) -> None:
    times = result.outcomes[0].time_utc
    minutes = int((times[1] - times[0]) / np.timedelta64(1, "m")) if len(times) > 1 else 15
    when = CurveTime(start_utc=pd.Timestamp(times[0], tz="UTC"), n_step=len(times), step_minutes=minutes)
    with CurveWriter(path, when) as writer:
        for outcome in result.outcomes:
            writer.write(outcome.county_code, list(outcome.area_id), outcome.p_kw, outcome.loading_percent)


__all__ = ["CountyPlanInput", "StudyResult", "county_tasks", "run_study", "shipped_folder", "write_study"]
