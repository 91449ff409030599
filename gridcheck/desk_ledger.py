"""Answers of the desk into the ledger, and the same answers again out of it, byte by byte."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck import __version__
from gridcheck.connection.asked_area import Promised
from gridcheck.connection.pre_approval import PreApproval
from gridcheck.connection.published import Granted
from gridcheck.county_study import CountyTask
from gridcheck.desk import DeskOutcome, DeskTask, Standing
from gridcheck.errors import LedgerError, NoRoomError
from gridcheck.ledger import Answer, Batch, Capacity, Ledger, Level, NewApplication, State, catalogue_sha256
from gridcheck.network.county import read_county
from gridcheck.reports.schemas import DECISIONS
from gridcheck.reports.tables import csv_bytes
from gridcheck.scenario import QueueSection, Scenario
from gridcheck.study_inputs import read_inputs
from gridcheck.study_tables import folder_hash

# States in which power is promised or used.
_PROMISED = (State.APPROVED, State.BUILT, State.ACCEPTED, State.ENTITLED)
_SCENARIO, _APPLICATIONS, _PROMISES = "scenario.json", "applications.csv", "promised.json"
# Only where a list was published.
_FAST = "pre_approval.json"


def standing_of(ledger: Ledger) -> Standing:
    """Return what the ledger has promised, by county in the order of answers, and whose applications are settled."""
    promised: dict[str, list[tuple[int, Promised]]] = {}
    done, granted = [], []
    for state in _PROMISED:
        for kept in ledger.applications(state=state):
            asked = kept.asked
            held = [one for one in ledger.promises(asked.application_id) if one.level == Level.AREA]
            kw = held[-1].reserved_kw if held else asked.rated_kw
            number = kept.assessment_id
            conditions = () if number is None else ledger.assessment(number).answer.conditions
            one = Promised(
                area_id=asked.area_id, device=asked.device, rated_kw=kw, phase=asked.phase, conditions=conditions
            )
            promised.setdefault(asked.county_code, []).append((number or 0, one))
            at = held[-1].held_at if held else kept.received_at
            granted.append(
                Granted(at=at, area_id=asked.area_id, device=asked.device, rated_kw=kw, conditions=conditions)
            )
            done.append(asked.application_id)
    by_county = {
        code: tuple(one for _, one in sorted(some, key=lambda pair: (pair[0], repr(pair[1]))))
        for code, some in promised.items()
    }
    return Standing(promised=by_county, done=tuple(sorted(done)), granted=tuple(granted))


def answer_row(decisions: pd.DataFrame, application_id: str) -> bytes:
    """Return the line of ``decisions.csv`` of one application, without the heading."""
    row = decisions[decisions["application_id"] == application_id]
    return csv_bytes(row, DECISIONS).split(b"\n", 1)[1]


def inputs_of(task: DeskTask) -> dict[str, bytes]:
    """Return everything that a county's answers were made from and that is small enough to be kept, by name."""
    county = task.county
    scenario = {
        "scenario": county.scenario.model_dump(mode="json"),
        "risk": task.risk,
        "source": county.applications_source,
    }
    promised = [asdict(one) for one in task.promised]
    files = {
        _SCENARIO: json.dumps(scenario, sort_keys=True, ensure_ascii=False).encode(),
        _PROMISES: json.dumps(promised, sort_keys=True).encode(),
    }
    if task.fast:
        files[_FAST] = json.dumps([asdict(one) for one in task.fast], sort_keys=True).encode()
    if county.applications is not None:
        files[_APPLICATIONS] = county.applications.to_csv(index=False).encode()
    return files


def batch_of(task: DeskTask, files: Mapping[str, bytes], as_of: datetime) -> Batch:
    """Return the name card of a county's answers: same inputs and moment, same name."""
    county = task.county
    inputs = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    inputs[f"grid {county.folder.name}"] = folder_hash(county.folder)
    inputs |= _files_of(county.sha256)
    limits = {
        limit.name: {"value": limit.value, "unit": limit.unit, "clause": limit.clause, "confidence": limit.confidence}
        for limit in county.scenario.limit_set().all()
    }
    digest = hashlib.sha256(json.dumps([inputs, __version__, as_of.isoformat()], sort_keys=True).encode()).hexdigest()
    return Batch(
        batch_id=f"{county.county_code}-{digest[:12]}",
        as_of=as_of,
        code_version=__version__,
        catalogue_sha256=catalogue_sha256(),
        seed=county.scenario.study.seed,
        limits=limits,
        inputs=inputs,
    )


def record(
    ledger: Ledger, task: DeskTask, outcome: DeskOutcome, as_of: datetime, *, who: str, reason: str
) -> list[str]:
    """Record a county's answers, and promise the power of its approvals.

    Every answer is recorded whole or not at all; an approval and its promise are one transaction. Where somebody else
    has promised the same power meanwhile, the answer stays recorded and nothing is promised: decide it again.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    task, outcome
        What was decided, and how.
    as_of : datetime
        Moment at which `standing_of` was read. [UTC]
    who, reason : str
        For the journal.

    Returns
    -------
    list of str
        Applications whose power was gone.
    """
    files = inputs_of(task)
    run = batch_of(task, files, as_of)
    table = outcome.decisions
    ledger.receive(_asked(task.county, table), who=who, reason=reason)
    ledger.assess(run, _answers(outcome), files=files, who=who, reason=reason)
    ledger.set_capacity(run, _rooms(task, outcome), who=who, reason=reason)
    gone = []
    for application_id, verdict in zip(table["application_id"], table["verdict"], strict=True):
        if application_id not in outcome.granted_kw:
            step = ledger.mark_insufficient_data if verdict == "insufficient_data" else ledger.defer
            step(application_id, who=who, reason=reason)
            continue
        kw = outcome.granted_kw[application_id]
        try:
            ledger.approve(application_id, who=who, reason=reason, reserve_kw=dict.fromkeys(Level, kw))
        except NoRoomError:
            gone.append(str(application_id))
    return gone


def _asked(county: CountyTask, decisions: pd.DataFrame) -> list[NewApplication]:
    above = _above(county)
    return [
        NewApplication(
            application_id=row["application_id"],
            county_code=county.county_code,
            village_code=row["village_code"],
            area_id=row["area_id"],
            feeder_id=above[row["area_id"]][Level.FEEDER],
            main_transformer_id=above[row["area_id"]][Level.MAIN_TRANSFORMER],
            device=row["device"],
            rated_kw=float(row["rated_kw"]),
            phase=row["phase"],
            household_group=row["household_group"],
            applied_on=date.fromisoformat(row["applied_on"]),
        )
        for row in _records(_application_rows(county, decisions))
    ]


def _above(county: CountyTask) -> dict[str, dict[Level, str]]:
    """Return the elements on which each area draws, itself among them."""
    return {
        row["area_id"]: {
            Level.AREA: row["area_id"],
            Level.FEEDER: row["feeder_id"],
            Level.MAIN_TRANSFORMER: row["main_transformer_id"],
        }
        for row in _records(read_county(county.folder).areas)
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _application_rows(county: CountyTask, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the applications that were decided, in the order of the answers."""
    if county.applications is None:
        raise LedgerError("The synthetic queue is invented: only applications of a file go into the ledger.")
    table = county.applications.set_index("application_id", drop=False)
    return table.loc[decisions["application_id"]]


def _answers(outcome: DeskOutcome) -> list[Answer]:
    table, interval = outcome.decisions, outcome.intervals.set_index("application_id")
    result = []
    for row in _records(table):
        drawn = interval.loc[row["application_id"]]
        has_draws = bool(drawn["draws"])
        result.append(
            Answer(
                application_id=row["application_id"],
                verdict=row["verdict"],
                row=answer_row(table, row["application_id"]),
                conditions=tuple(row["conditions"].split(";")) if isinstance(row["conditions"], str) else (),
                binding_level=_text(row["binding_level"]),
                binding_element=_text(row["binding_element"]),
                binding_quantity=_text(row["binding_quantity"]),
                binding_value=_number(row["binding_value"]),
                binding_limit=_number(row["binding_limit"]),
                limit_clause=_text(row["limit_clause"]),
                # The ledger keeps the share of draws that break the limit.
                probability=1.0 - float(row["probability"]) if has_draws else None,
                probability_low=1.0 - float(drawn["probability_high"]) if has_draws else None,
                probability_high=1.0 - float(drawn["probability_low"]) if has_draws else None,
                draws=int(drawn["draws"]) if has_draws else None,
                broken_before=tuple(code for code in str(drawn["broken_before"]).split(";") if code),
            )
        )
    return result


def _rooms(task: DeskTask, outcome: DeskOutcome) -> list[Capacity]:
    """Return the room of every element on which something is granted, before the promises of the ledger.

    In an area it is what is promised there already and what this run has granted: its low voltage was looked at with
    just that, so whoever comes in between makes the run void there. Feeders and main transformers add what their
    loading leaves.
    """
    above = _above(task.county)
    room: dict[tuple[Level, str], float] = {}
    granted = [
        (row["area_id"], outcome.granted_kw.get(row["application_id"], 0.0)) for row in _records(outcome.decisions)
    ]
    for area_id, kw in (*granted, *((one.area_id, one.rated_kw) for one in task.promised)):
        for level, element in above[area_id].items():
            room[level, element] = room.get((level, element), 0.0) + kw
    left = {(Level(row["level"]), row["element_id"]): row["left_kw"] for row in _records(outcome.rooms)}
    return [Capacity(level=k[0], element_id=k[1], room_kw=kw + left.get(k, 0.0)) for k, kw in room.items()]


def task_of_answer(ledger: Ledger, assessment_id: int, networks: Path) -> tuple[DeskTask, str, bytes]:
    """Return the task that an answer came from, the application, and the row as it was written.

    Raises
    ------
    LedgerError
        If the grid, the program or its catalogues are not those of the answer.
    """
    kept = ledger.assessment(assessment_id)
    run = kept.batch
    county_code = run.batch_id.partition("-")[0]
    folder = _grid_folder(run, networks)
    changed = [
        f"{name}: was {before}, is {now}"
        for name, before, now in (
            ("gridcheck", run.code_version, __version__),
            ("catalogues", run.catalogue_sha256, catalogue_sha256()),
            (f"grid {folder.name}", run.inputs.get(f"grid {folder.name}"), folder_hash(folder)),
        )
        if before != now
    ]
    if changed:
        raise LedgerError(
            f"Answer {assessment_id} was made with something else: {'; '.join(changed)}. "
            "Take the version and the grid of that day."
        )
    stored = json.loads(ledger.file(run.inputs[_SCENARIO]))
    scenario = Scenario.model_validate_json(json.dumps(stored["scenario"]))
    # The applications come out of the ledger; weather and heaters out of the files that the scenario names.
    read = read_inputs(scenario.model_copy(update={"queue": QueueSection(rule=scenario.queue.rule)}))
    other = [name for name, digest in _files_of(read.sha256).items() if run.inputs.get(name) != digest]
    if other:
        raise LedgerError(f"Answer {assessment_id} was made with other files: {', '.join(other)}. Put them back.")
    promised = tuple(
        Promised(**{**one, "conditions": tuple(one["conditions"])})
        for one in json.loads(ledger.file(run.inputs[_PROMISES]))
    )
    county = CountyTask(
        county_code=county_code,
        folder=folder,
        scenario=scenario,
        applications=_table_of(ledger.file(run.inputs[_APPLICATIONS])),
        applications_source=stored["source"],
        weather=read.weather,
        devices=read.devices,
        sha256=read.sha256,
    )
    fast = json.loads(ledger.file(run.inputs[_FAST])) if _FAST in run.inputs else []
    limits = tuple(PreApproval(**one) for one in fast)
    task = DeskTask(county=county, promised=promised, risk=float(stored["risk"]), fast=limits)
    return task, kept.answer.application_id, kept.answer.row


def recorded_beside(answer: Answer, draws: int) -> dict[str, Any]:
    """Return what was recorded of an answer, to be said beside evidence that was made by draws again.

    The draws of an area are looked at for every answer that gets so far; the recorded answer counts them only where the
    check that binds is theirs.

    Parameters
    ----------
    answer : Answer
        As it was recorded.
    draws : int
        Number of draws of the evidence.
    """
    if answer.draws is None:
        note = (
            f"台账所记最紧约束 {answer.binding_quantity} 不按抽样判定；"
            f"所示 {draws} 次抽样是同一答复对台区低压网的校核。 "
            f"The recorded answer binds at {answer.binding_quantity}, which is no matter of draws; the {draws} draws "
            "shown are those of the area's low-voltage network, which the same answer was held against."
        )
    elif answer.draws == draws:
        note = f"与台账所记抽样次数相同。 The same {draws} draws as recorded."
    else:
        note = (
            f"台账所记为 {answer.draws} 次抽样，此处为 {draws} 次。 "
            f"{answer.draws} draws were recorded, {draws} were made here."
        )
    return {
        "recorded_quantity": answer.binding_quantity,
        "recorded_value": answer.binding_value,
        "recorded_limit": answer.binding_limit,
        "recorded_draws": answer.draws,
        "draws_note": note,
    }


def _files_of(sha256: Mapping[str, str]) -> dict[str, str]:
    """Return the checksums of the files that a scenario names, by the names of inputs."""
    return {f"file {name}": digest for name, digest in sorted(sha256.items())}


def _grid_folder(run: Batch, networks: Path) -> Path:
    names = [name.removeprefix("grid ") for name in run.inputs if name.startswith("grid ")]
    folder = networks / names[0] if names else networks
    if not names or not folder.is_dir():
        raise LedgerError(f"Run {run.batch_id} needs the grid {', '.join(names) or 'of its county'} in {networks}.")
    return folder


def _table_of(content: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def _text(cell: Any) -> str | None:
    return cell if isinstance(cell, str) else None


def _number(cell: Any) -> float | None:
    return None if pd.isna(cell) else float(cell)
