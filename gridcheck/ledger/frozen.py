"""Answers with what they were made from: files by their content, runs, and the rows exactly as written."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger.canonical import answer_digest, canonical_json, sha256_of
from gridcheck.ledger.life import State, Step, entry_of, locked_all, move_to_assessed, next_state
from gridcheck.ledger.records import Answer, Batch, Entry, KeptApplication, KeptAssessment
from gridcheck.ledger.tables import assessment, batch, blob

VERDICTS = ("approve", "approve_with_conditions", "defer", "insufficient_data")
"""Answers that a run can give, as in `gridcheck.connection.Verdict`."""

# Folders and not modules: nothing of them is imported.
_CATALOGUES = ("catalogue", "checks", "demand", "policy", "reinforcement")
_PLAIN_COLUMNS = tuple(
    name for name in Answer.__dataclass_fields__ if name not in ("conditions", "row", "broken_before")
)


def catalogue_sha256() -> str:
    """Return one checksum of every table that ships with the package and enters an answer."""
    digest = hashlib.sha256()
    for room in _CATALOGUES:
        files = [file for file in resources.files("gridcheck").joinpath(room).iterdir() if file.name.endswith(".csv")]
        for file in sorted(files, key=lambda one: one.name):
            digest.update(f"{room}/{file.name}:{sha256_of(file.read_bytes())}\n".encode())
    return digest.hexdigest()


def keep_blob(connection: Connection, content: bytes) -> str:
    """Keep a file by its content, once, and return its SHA-256."""
    name = sha256_of(content)
    if connection.execute(select(blob.c.sha256).where(blob.c.sha256 == name)).first() is None:
        row = {"sha256": name, "size_bytes": len(content), "zlib": zlib.compress(content, 9)}
        _add_once(connection, blob, row)
    return name


def read_blob(connection: Connection, name: str) -> bytes:
    """Return a file that was kept.

    Raises
    ------
    LedgerError
        If there is none of that checksum, or it is damaged.
    """
    row = connection.execute(select(blob).where(blob.c.sha256 == name)).mappings().one_or_none()
    if row is None:
        raise LedgerError(f"The ledger holds no file with the SHA-256 {name}.")
    try:
        # Never more than was put in, whatever the bytes claim.
        content = zlib.decompressobj().decompress(row["zlib"], int(row["size_bytes"]) + 1)
    except zlib.error:
        content = b""
    if sha256_of(content) != name:
        raise LedgerError(f"The file {name} of the ledger is damaged: put back the last copy of the ledger.")
    return content


def _add_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Add a row that another writer may add at the same moment."""
    if connection.dialect.name == "postgresql":
        connection.execute(postgresql_insert(table).values(**row).on_conflict_do_nothing())
    else:
        connection.execute(insert(table).values(**row))


def keep_batch(connection: Connection, run: Batch, files: Mapping[str, bytes], *, who: str, reason: str) -> list[Entry]:
    """Keep what a run was made from; return the line of the journal where it is new.

    Raises
    ------
    LedgerError
        If a run of that name was kept with something else, or a file is not the one the run names.
    """
    wrong = [f"{name}" for name, content in sorted(files.items()) if run.inputs.get(name) != sha256_of(content)]
    if wrong:
        raise LedgerError(
            f"These files are not those that run {run.batch_id} names by their SHA-256: {', '.join(wrong)}. Hand in "
            "the files of the run itself."
        )
    for _, content in sorted(files.items()):
        keep_blob(connection, content)
    row = _batch_row(run)
    kept = _batch_or_none(connection, run.batch_id)
    if kept is None:
        _add_once(connection, batch, row)
        kept = _batch_or_none(connection, run.batch_id)
        after = {name: row[name] for name in ("as_of", "code_version", "catalogue_sha256", "seed", "inputs_sha256")}
        told = [Entry(action="freeze", object=f"batch {run.batch_id}", who=who, reason=reason,
                      after={**after, "limits_sha256": sha256_of(row["limits_json"])})]  # fmt: skip
    else:
        told = []
    if kept is None or {name: kept[name] for name in row} != row:
        raise LedgerError(
            f"Run {run.batch_id} is in the ledger already, with other inputs. Give the new run a new name."
        )
    return told


def _batch_row(run: Batch) -> dict[str, Any]:
    inputs = canonical_json(run.inputs)
    return {
        "id": run.batch_id,
        "as_of": run.as_of,
        "code_version": run.code_version,
        "catalogue_sha256": run.catalogue_sha256,
        "seed": run.seed,
        "limits_json": canonical_json(run.limits),
        "inputs_json": inputs,
        "inputs_sha256": sha256_of(inputs),
    }


def _batch_or_none(connection: Connection, batch_id: str) -> RowMapping | None:
    return connection.execute(select(batch).where(batch.c.id == batch_id)).mappings().one_or_none()


def assess(
    connection: Connection, run: Batch, answers: Sequence[Answer], *, at: datetime, who: str, reason: str
) -> list[Entry]:
    """Record the answers of one run.

    Returns
    -------
    list of Entry
        Lines for the journal.

    Raises
    ------
    InputError
        If a verdict is none, or an application has two answers.
    LedgerError
        If an application is not in the ledger.
    IllegalStepError
        If one cannot be assessed where it stands.
    """
    names = Counter(answer.application_id for answer in answers)
    findings = [f"{one.application_id}: verdict {one.verdict!r}, allowed are {', '.join(VERDICTS)}"
                for one in answers if one.verdict not in VERDICTS]  # fmt: skip
    findings += [f"{name}: more than one answer" for name in sorted(names) if names[name] > 1]
    if findings:
        raise InputError(f"{len(findings)} answers of run {run.batch_id} cannot be recorded.", findings)
    kept = locked_all(connection, list(names))
    ordered = sorted(answers, key=lambda one: one.application_id)
    for name in sorted(kept):
        next_state(State(kept[name].state), Step.ASSESS, application_id=name)
    rows = [_answer_row(answer, run, at) for answer in ordered]
    if not rows:
        return []
    numbered = insert(assessment).returning(assessment.c.id, sort_by_parameter_order=True)
    numbers = [int(number) for number in connection.execute(numbered, rows).scalars()]
    move_to_assessed(connection, [kept[answer.application_id] for answer in ordered], numbers)
    return [
        _told(kept[row["application_id"]], row, number, who=who, reason=reason)
        for row, number in zip(rows, numbers, strict=True)
    ]


def _told(kept: KeptApplication, row: Mapping[str, Any], number: int, *, who: str, reason: str) -> Entry:
    """Return the line of the journal for one answer."""
    after = {
        "state": State.ASSESSED.value,
        "version": kept.version + 1,
        "assessment_id": number,
        "batch_id": row["batch_id"],
        "verdict": row["verdict"],
        "row_sha256": row["row_sha256"],
        "answer_sha256": answer_digest(row),
    }
    change = ({"state": kept.state, "version": kept.version}, after)
    return entry_of(Step.ASSESS, kept.asked.application_id, change, who=who, reason=reason)


def _answer_row(answer: Answer, run: Batch, at: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(answer, name) for name in _PLAIN_COLUMNS},
        "batch_id": run.batch_id,
        "at": at,
        "conditions_json": canonical_json(answer.conditions),
        "row_bytes": answer.row,
        "row_sha256": sha256_of(answer.row),
        "broken_before_json": None if answer.broken_before is None else canonical_json(answer.broken_before),
    }


def _codes_or_none(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(json.loads(text))


def read_assessment(connection: Connection, assessment_id: int) -> KeptAssessment:
    """Return an answer with what it was made from.

    Raises
    ------
    LedgerError
        If there is none, or its row is not the one that was written.
    """
    row = connection.execute(select(assessment).where(assessment.c.id == assessment_id)).mappings().one_or_none()
    if row is None:
        raise LedgerError(f"The ledger holds no answer with the number {assessment_id}.")
    run = _batch_or_none(connection, row["batch_id"])
    if run is None or sha256_of(row["row_bytes"]) != row["row_sha256"]:
        raise LedgerError(f"Answer {assessment_id} is damaged: put back the last copy of the ledger.")
    return KeptAssessment(
        assessment_id=assessment_id,
        answer=Answer(
            **{name: row[name] for name in _PLAIN_COLUMNS},
            conditions=tuple(json.loads(row["conditions_json"])),
            row=bytes(row["row_bytes"]),
            broken_before=_codes_or_none(row["broken_before_json"]),
        ),
        batch=Batch(
            batch_id=run["id"],
            as_of=run["as_of"],
            code_version=run["code_version"],
            catalogue_sha256=run["catalogue_sha256"],
            seed=run["seed"],
            limits=json.loads(run["limits_json"]),
            inputs=json.loads(run["inputs_json"]),
        ),
        at=row["at"],
        inputs_sha256=run["inputs_sha256"],
        row_sha256=row["row_sha256"],
    )
