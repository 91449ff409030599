"""The evidence of an answer by draws: one moment of one draw as an OpenDSS script."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridcheck.checks.draw_evidence import DrawEvidence, draw_evidence
from gridcheck.checks.draw_extremes import LvCheck, lv_limits
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import with_tap
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvVerdict
from gridcheck.desk import DeskOutcome, DeskTask, decide_county_queue
from gridcheck.errors import InputError
from gridcheck.network.area_transformers import AreaTransformer, transformers_of
from gridcheck.network.county import read_county
from gridcheck.network.opendss import opendss_script


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerEvidence:
    """What an answer rests on.

    Attributes
    ----------
    statement : dict
        Answer, check, draws, and where to look in the solved script.
    script : str
        The moment for OpenDSS.
    draws : tuple of float
        Worst value of the check in every draw.
    moment : DrawEvidence
        The moment itself.
    transformer : AreaTransformer
        The transformer as it was judged, tap included.
    """

    statement: dict[str, Any]
    script: str
    draws: tuple[float, ...]
    moment: DrawEvidence
    transformer: AreaTransformer


def explain_answers(task: DeskTask, wanted: Collection[str]) -> dict[str, AnswerEvidence]:
    """Decide a county's queue again and gather what some answers rest on.

    Parameters
    ----------
    task : DeskTask
        The county as it was decided.
    wanted : collection of str
        Applications.

    Returns
    -------
    dict of str to AnswerEvidence
        Those whose low-voltage network was asked; the 10 kV level refused the others before.

    Raises
    ------
    InputError
        If there is no such application.
    """
    grid = read_county(task.county.folder)
    unit_of = dict(zip(grid.areas["area_id"], transformers_of(grid), strict=True))
    found: dict[str, tuple[LvVerdict, DrawEvidence, AreaTransformer]] = {}

    def told(application: Application, queue: AreaQueue, answer: LvVerdict) -> None:
        # At once: the area moves on with the next answer.
        if application.application_id in wanted:
            outlook, risk = answer.outlook, queue.risk
            meters = tuple(risk.meters(batch.phase, batch.more_meters) for batch in outlook.batches)
            moment = draw_evidence(risk.net, outlook, meters, outlook.binding, risk=task.risk)
            unit = with_tap(unit_of[application.area_id], queue.steps_up())
            assert unit is not None  # it was judged with this tap
            found[application.application_id] = (answer, moment, unit)

    outcome = decide_county_queue(task, told)
    rows = {name: _row(outcome, name) for name in wanted}
    return {
        name: AnswerEvidence(
            statement=_statement(task, rows[name], answer, moment),
            script=opendss_script(moment.grid, unit, moment.p_kw, moment.q_kvar, source_pu=moment.source_pu),
            draws=_draws(answer),
            moment=moment,
            transformer=unit,
        )
        for name, (answer, moment, unit) in found.items()
    }


def _draws(answer: LvVerdict) -> tuple[float, ...]:
    """Return the worst value of the binding check in every draw."""
    check = answer.outlook.binding
    values = np.concatenate([batch.worst.value[check] for batch in answer.outlook.batches])
    return tuple(float(value) for value in values)


def _row(outcome: DeskOutcome, application_id: str) -> dict[str, Any]:
    table = outcome.decisions
    found = table[table["application_id"] == application_id]
    if not len(found):
        raise InputError(f"The queue of county {outcome.county_code} has no application {application_id}.")
    return json.loads(found.to_json(orient="records"))[0]  # type: ignore[no-any-return]


def _statement(task: DeskTask, row: dict[str, Any], answer: LvVerdict, moment: DrawEvidence) -> dict[str, Any]:
    outlook, check = answer.outlook, answer.outlook.binding
    limit = lv_limits(task.county.scenario.limit_set())[check]
    node, _, wire = moment.element.rpartition(":")
    place = moment.grid.node_name.index(node)
    is_line = check in (LvCheck.LINE_LOADING, LvCheck.NEUTRAL_LOADING)
    is_transformer = check == LvCheck.TRANSFORMER_LOADING
    return {
        "application_id": row["application_id"],
        "verdict": row["verdict"],
        "conditions": row["conditions"],
        "blocked_by": row["blocked_by"],
        "area_id": moment.grid.area_id,
        "synthetic_lines": moment.grid.is_synthetic,
        "check": check.name.lower(),
        "limit": limit.value,
        "unit": limit.unit,
        "limit_clause": f"{limit.clause} [{limit.confidence}]",
        "draws": outlook.draws,
        "draws_broken": int(outlook.broken[check]),
        "draws_broken_before": int(outlook.broken_before[check]),
        "accepted_risk": task.risk,
        "draw": moment.draw,
        "value": moment.value,
        "element": moment.element,
        "look_at": f"line.l{place}" if is_line else "transformer.t" if is_transformer else f"bus n{place}",
        "wire": wire,
        "source_pu": moment.source_pu,
    }
