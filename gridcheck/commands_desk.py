"""What ``gridcheck decide`` does: decide an application file, record the answers, or make one of them again."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.connection.intake import Intake
    from gridcheck.desk import DeskOptions, DeskOutcome, DeskTask, Standing
    from gridcheck.ledger import Ledger
    from gridcheck.scenario import Scenario

_VERDICTS: Mapping[str, str] = {
    "approve": "同意 approve",
    "approve_with_conditions": "附条件同意 approve with conditions",
    "defer": "暂缓 defer",
    "insufficient_data": "资料不足 insufficient data",
}


def decide(
    applications: Path,
    scenario: Path,
    out: Path,
    options: DeskOptions,
    *,
    signed: tuple[str, str, str],
) -> tuple[dict[str, Any], Sequence[Mapping[str, Any]]]:
    """Decide an application file and write the answers; record them where a ledger is named.

    Parameters
    ----------
    applications, scenario, out : Path
        The file, the assumptions, the folder to write.
    options : DeskOptions
        How applications are decided.
    signed : tuple of str
        Address of the ledger, empty for none; who decides; why.

    Returns
    -------
    dict
        Counts, what came back, what could not be promised.
    sequence of mapping
        Rows that came back, with their reasons.
    """
    from gridcheck.connection.intake import rejected_name
    from gridcheck.desk import Standing, decide_applications
    from gridcheck.ledger import open_ledger
    from gridcheck.ledger.canonical import now_utc
    from gridcheck.reports.export_folder import exported_folder

    database, who, reason = signed
    ledger = open_ledger(database) if database else None
    try:
        as_of = now_utc()
        standing = Standing() if ledger is None else _standing(ledger, who, reason)
        chosen = _with_file(scenario, applications)
        outcomes: tuple[DeskOutcome, ...] = ()
        with exported_folder(out, "decisions", synthetic=lambda: any(one.synthetic for one in outcomes)) as folder:
            with terminal.study_progress({}) as progress:
                tasks, outcomes, intake = decide_applications(chosen, options, standing=standing, progress=progress)
            assert intake is not None  # a file was named
            _write(folder, outcomes, intake, tasks[0].risk)
            if options.publishes:
                _write_published(folder, tasks, as_of)
        gone = _recorded(ledger, tasks, outcomes, as_of, who, reason)
    finally:
        if ledger is not None:
            ledger.close()
    verdicts = pd.concat([one.decisions["verdict"] for one in outcomes]).value_counts()
    return {
        "out": str(out),
        "applications": int(verdicts.sum()),
        **{name: int(verdicts.get(name, 0)) for name in _VERDICTS},
        "rejected": len(intake.row),
        "rejected_file": str(out / rejected_name(intake)),
        "rows": len(intake.file.rows),
        "pre_approved": int(sum(one.intervals["pre_approved"].sum() for one in outcomes)),
        "broken_before": int(sum((one.intervals["broken_before"] != "").sum() for one in outcomes)),
        "recorded": ledger is not None,
        "not_promised": gone,
    }, _reasons(intake)


def _reasons(intake: Intake) -> list[dict[str, Any]]:
    table = intake.rejected[["source_row", "reason_zh", "reason_en"]].assign(application_id=intake.application_id)
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _standing(ledger: Ledger, who: str, reason: str) -> Standing:
    from gridcheck.desk_ledger import standing_of

    # A promise that has expired is none: whoever had it is decided anew.
    ledger.lapse(who=who, reason=reason)
    return standing_of(ledger)


def _with_file(scenario: Path, applications: Path) -> Scenario:
    from gridcheck.scenario import read_scenario

    chosen = read_scenario(scenario)
    if not applications.is_file():
        raise InputError(f"There is no application file {applications}.")
    queue = chosen.queue.model_copy(update={"applications": applications.as_posix()})
    return chosen.model_copy(update={"queue": queue})


def _write(folder: Path, outcomes: Sequence[DeskOutcome], intake: Intake, risk: float) -> None:
    from gridcheck.connection.intake import write_rejected
    from gridcheck.reports.desk_answers import PROBABILITIES_FILE, answers_of_desk
    from gridcheck.reports.desk_workbook import WORKBOOK_FILE, answers_workbook
    from gridcheck.reports.schemas import DECISIONS
    from gridcheck.reports.tables import csv_bytes, write_bytes

    table = pd.concat([one.decisions.assign(synthetic=one.synthetic) for one in outcomes], ignore_index=True)
    write_bytes(folder / DECISIONS.file_name, csv_bytes(table, DECISIONS))
    intervals = pd.concat([one.intervals for one in outcomes], ignore_index=True)
    intervals["accepted_risk"] = risk
    write_bytes(folder / PROBABILITIES_FILE, intervals.round(4).to_csv(index=False).encode())
    answers = answers_of_desk(table, intervals, synthetic=any(one.synthetic for one in outcomes))
    write_bytes(folder / WORKBOOK_FILE, answers_workbook(answers))
    write_rejected(intake, folder)


def _write_published(folder: Path, tasks: Sequence[DeskTask], as_of: datetime) -> None:
    """Write the limits that were made, as they were before this file was decided."""
    from gridcheck.connection.published import PUBLISHED_FILE, published_csv
    from gridcheck.reports.tables import write_bytes

    limits = [one for task in tasks for one in task.fast]
    write_bytes(folder / PUBLISHED_FILE, published_csv(limits, risk=tasks[0].risk, as_of=as_of))


def _recorded(
    ledger: Ledger | None,
    tasks: Sequence[DeskTask],
    outcomes: Sequence[DeskOutcome],
    as_of: datetime,
    who: str,
    reason: str,
) -> list[str]:
    from gridcheck.desk_ledger import record

    if ledger is None:
        return []
    gone: list[str] = []
    for task, outcome in zip(tasks, outcomes, strict=True):
        gone += record(ledger, task, outcome, as_of, who=who, reason=reason)
    return gone


def sample_applications(file: Path, county_code: str, count: int, seed: int, networks: Path) -> None:
    """Write the head of a county's synthetic queue as an application file."""
    from gridcheck.connection.applications import COLUMNS
    from gridcheck.network.county import read_county
    from gridcheck.reports.tables import write_bytes
    from gridcheck.study import county_folder
    from gridcheck.synthesis.applications import synthetic_applications

    grid = read_county(county_folder(networks, county_code))
    table = synthetic_applications(county_code, grid.areas, grid.heating, seed=seed).head(count)
    if not len(table):
        raise InputError(
            f"The plan has no self-retrofit households in county {county_code}: there is nothing to sample."
        )
    write_bytes(file, table[list(COLUMNS)].to_csv(index=False).encode("utf-8-sig"))
    terminal.console().print(f"合成报装 synthetic applications: {len(table)} → {file}")


def replay(database: str, application_id: str, networks: Path) -> tuple[bytes, bytes]:
    """Make the last answer to an application again; return the row as it was recorded, and as it comes out now."""
    from gridcheck.desk import decide_county_queue
    from gridcheck.desk_ledger import answer_row, task_of_answer
    from gridcheck.ledger import open_ledger

    with open_ledger(database) as ledger:
        task, name, written = task_of_answer(ledger, _assessment(ledger, application_id), networks)
    outcome = decide_county_queue(task)
    return written, answer_row(outcome.decisions, name)


def explain(database: str, application_id: str, networks: Path, out: Path) -> dict[str, Any]:
    """Write what the last answer to an application rests on into a folder; return the statement."""
    from gridcheck.desk_ledger import recorded_beside, task_of_answer
    from gridcheck.evidence import write_evidence
    from gridcheck.evidence_desk import explain_answers, write_drawn
    from gridcheck.ledger import open_ledger
    from gridcheck.reports.export_folder import exported_folder

    with open_ledger(database) as ledger:
        number = _assessment(ledger, application_id)
        task, name, _ = task_of_answer(ledger, number, networks)
        recorded = ledger.assessment(number).answer
    found = explain_answers(task, (name,))
    drawn, above = found.low_voltage.get(name), found.above.get(name)
    if drawn is not None:
        told = {**drawn.statement, **recorded_beside(recorded, int(drawn.statement["draws"]))}
        drawn = replace(drawn, statement=told)
        statement, synthetic = drawn.statement, bool(drawn.statement["synthetic_lines"])
    elif above is not None:
        statement, synthetic = above.statement, bool(above.statement["synthetic"])
    else:
        raise InputError(f"The load flow with {name} has no solution: there is no case to show.")
    with exported_folder(out, "evidence", synthetic=synthetic) as folder:
        if drawn is not None:
            write_drawn(drawn, folder)
        if above is not None:
            write_evidence(above, task.county.folder, folder)
    return statement


def _assessment(ledger: Ledger, application_id: str) -> int:
    number = ledger.application(application_id).assessment_id
    if number is None:
        raise InputError(f"{application_id} was received and not assessed yet: there is no answer.")
    return number


def show(found: Mapping[str, Any], rejected: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print how the applications were answered, and which rows came back."""
    if as_json:
        terminal.print_json(dict(found))
        return
    rows: list[list[object]] = [[words, found[name]] for name, words in _VERDICTS.items()]
    if found["pre_approved"]:
        rows.append(["其中在公布额度内即时批准 of these at once within published limits", found["pre_approved"]])
    rows.append(["其中台区已有越限 of these in areas beyond a limit before", found["broken_before"]])
    rows.append(["退回 came back", found["rejected"]])
    if found["recorded"]:
        rows.append(["已记入台账 recorded", "是 yes"])
    terminal.print_table("答复 answers", ("答复 answer", "户数 households"), rows)
    if rejected:
        terminal.print_rejected(
            rejected, int(found["rows"]), file=str(found["rejected_file"]), recorded=bool(found["recorded"])
        )
    if found["not_promised"]:
        sys.stderr.write(
            "容量已被他人预留，请重新测算 somebody else has promised this power meanwhile; decide these again: "
            f"{', '.join(found['not_promised'])}\n"
        )


def show_statement(statement: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """Print what an answer rests on and where its case stands."""
    if as_json:
        terminal.print_json({**statement, "out": str(out)})
        return
    rows: list[list[object]] = [[name, terminal.cell(value)] for name, value in statement.items() if value is not None]
    terminal.print_table(f"依据 evidence: {out}/", terminal.ITEMS, rows)
