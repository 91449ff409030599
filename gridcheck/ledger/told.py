"""The tables of the ledger against its journal: what the lines tell must stand there, and nothing else.

The chain of the journal shows that its lines are as they were written. Whoever can write to the database can leave them
alone and change the tables instead: the power that is reserved, the room that was found, the rating of an application.
So each line is also held against what it has led to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from gridcheck.errors import LedgerError
from gridcheck.ledger.canonical import answer_digest, canonical_json, moment_text, sha256_of
from gridcheck.ledger.records import NewApplication
from gridcheck.ledger.tables import (
    application,
    assessment,
    batch,
    capacity,
    entitlement,
    inspection,
    money_plan,
    project,
    reservation,
)

Told = dict[tuple[str, str], Any]
"""What is told, by kind and name."""

_ROWS_AT_ONCE = 1000
_WATTS = 1000.0
_FEN = 100
_ASKED = tuple(name for name in NewApplication.__dataclass_fields__ if name != "application_id")
_ENTITLED = ("first_season", "has_tariff", "has_subsidy", "household_id", "tariff")
# How a difference is named: applications by their id alone.
_NAMES: Mapping[str, str] = {
    "room": "room of ",
    "assessment": "assessment ",
    "inspection": "inspection ",
    "batch": "batch ",
}


def project_name(plan_id: str, project_id: str) -> str:
    """Return what the journal calls a project of a plan."""
    return f"project {plan_id}/{project_id}"


def note(told: Told, row: RowMapping) -> None:
    """Take down what a line of the journal tells, in the place of what earlier ones have told.

    Parameters
    ----------
    told : dict
        By kind and name; is changed.
    row : RowMapping
        The line.
    """
    after: Mapping[str, Any] = json.loads(row["after_json"] or "{}")
    name, action = str(row["object"]), str(row["action"])
    if "version" in after:
        told["state", name] = (after["state"], after["version"])
    if "answer_sha256" in after:
        told["assessment", str(after["assessment_id"])] = after["answer_sha256"]
        told["answer of", name] = after["assessment_id"]
    if action == "freeze":
        told["batch", name.removeprefix("batch ")] = after
    elif action == "receive":
        told["asked", name] = _plain({key: after[key] for key in _ASKED if key in after})
        told["answer of", name] = None
    _note_promise(told, name, action, after)
    if action == "entitle":
        told["entitlement", name] = {key: after.get(key) for key in _ENTITLED} | {"last_season": None}
    elif action == "end_subsidy":
        told["entitlement", name] = {**told.get(("entitlement", name), {}), "last_season": after["last_season"]}
    if action == "plan":
        told["plan", name] = [round(after["budget_yuan"] * _FEN), after["source_sha256"]]
    elif action == "propose_project":
        told["project", name] = [round(after["cost_yuan"] * _FEN), after["households"], after["place"], None]
    elif action == "build_project":
        told["project", name] = [*told["project", name][:3], round(after["spent_yuan"] * _FEN)]
    if "inspection_id" in after:
        told["inspection", str(after["inspection_id"])] = [name, after["failed"]]
    for place, watts in after.get("room_w", {}).items():
        told["room", place] = [watts, after["batch_id"]]


def _note_promise(told: Told, name: str, action: str, after: Mapping[str, Any]) -> None:
    """Take down what a step does to the promise of an application."""
    before: list[list[Any]] = told.get(("promise", name), [])
    if action == "approve":
        told["promise", name] = sorted(
            [level, element, round(kw * _WATTS), after["expires_at"], "held"]
            for level, (element, kw) in after["reserved_kw"].items()
        )
    elif action == "renew":
        told["promise", name] = [[*one[:3], after["expires_at"], one[4]] for one in before]
    elif action == "build":
        told["promise", name] = [[*one[:4], "used"] for one in before]
    elif action in ("withdraw", "lapse"):
        told.pop(("promise", name), None)


def differences(connection: Connection, told: Told) -> list[str]:
    """Return what was changed in the tables past the journal, by name.

    Parameters
    ----------
    connection : Connection
        A reading transaction.
    told : dict
        What all lines of the journal tell.

    Raises
    ------
    LedgerError
        If a table holds what cannot be read.
    """
    try:
        found = _stands(connection)
    except (ValueError, TypeError, KeyError) as error:
        raise LedgerError(
            f"A table of the ledger holds what gridcheck never writes: {error}. Put back the last copy of the ledger."
        ) from None
    # Ledgers of earlier versions have not written down the room, and each line tells what it knew of its application.
    keys = told.keys() | {key for key in found if key[0] != "room"}
    wrong = {key for key in keys if not _same(found.get(key), told.get(key))}
    return sorted({f"{_NAMES.get(kind, '')}{name}" for kind, name in wrong})


def _same(stands: Any, tells: Any) -> bool:
    if isinstance(stands, dict) and isinstance(tells, dict):
        return all(stands.get(key) == value for key, value in tells.items())
    return bool(stands == tells)


def _stands(connection: Connection) -> Told:
    """Return what stands in the tables, as `note` takes it down."""
    found: Told = {}
    for row in connection.execute(select(application)).mappings():
        found["state", row["id"]] = (row["state"], row["version"])
        found["answer of", row["id"]] = row["assessment_id"]
        found["asked", row["id"]] = _plain({key: row[key] for key in _ASKED})
    with connection.execute(select(assessment).execution_options(yield_per=_ROWS_AT_ONCE)) as answers:
        for row in answers.mappings():
            found["assessment", str(row["id"])] = answer_digest(dict(row))
    for row in connection.execute(select(reservation).where(reservation.c.state.in_(("held", "used")))).mappings():
        one = [row["level"], row["element_id"], row["reserved_w"], moment_text(row["expires_at"]), row["state"]]
        found["promise", row["application_id"]] = sorted([*found.get(("promise", row["application_id"]), []), one])
    for row in connection.execute(select(batch)).mappings():
        kept = {key: row[key] for key in ("as_of", "code_version", "catalogue_sha256", "seed")}
        sums = {f"{key}_sha256": sha256_of(row[f"{key}_json"]) for key in ("inputs", "limits")}
        found["batch", row["id"]] = _plain({**kept, **sums})
    for row in connection.execute(select(capacity)).mappings():
        found["room", f"{row['level']} {row['element_id']}"] = [row["room_w"], row["batch_id"]]
    for row in connection.execute(select(money_plan)).mappings():
        found["plan", f"plan {row['id']}"] = [row["budget_fen"], row["source_sha256"]]
    for row in connection.execute(select(project)).mappings():
        name = project_name(row["plan_id"], row["id"])
        found["state", name] = (row["state"], row["version"])
        found["project", name] = [row["cost_fen"], row["households"], row["place"], row["spent_fen"]]
    for row in connection.execute(select(entitlement)).mappings():
        found["entitlement", row["application_id"]] = {key: row[key] for key in (*_ENTITLED, "last_season")}
    for row in connection.execute(select(inspection)).mappings():
        failed = [one["item"] for one in json.loads(row["items_json"]) if one["result"] == "fail"]
        shown = failed if row["passed"] is not bool(failed) else None
        found["inspection", str(row["id"])] = [row["application_id"], shown]
    return found


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what comes back from the journal: days as text."""
    plain: dict[str, Any] = json.loads(canonical_json(content))
    return plain
