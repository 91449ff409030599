"""The evidence of an answer by draws: a moment of a draw for OpenDSS and pandapower, the course of its check."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.checks.draw_courses import check_course
from gridcheck.checks.draw_evidence import DrawEvidence, draw_evidence
from gridcheck.checks.draw_extremes import PHASE_NAMES, LvCheck, lv_limits
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import with_tap
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvVerdict
from gridcheck.desk import DeskOutcome, DeskTask, decided_county
from gridcheck.errors import InputError
from gridcheck.evidence import Evidence, explain_application
from gridcheck.network.area_transformers import AreaTransformer, transformers_of
from gridcheck.network.county import read_county
from gridcheck.network.low_voltage_case import (
    CASE_BASE_MVA,
    SOLVE_WITH,
    low_voltage_case,
    read_line_loading,
    read_transformer_loading,
    read_voltage,
)
from gridcheck.network.opendss import opendss_script
from gridcheck.reports.binding_course import BindingCourse, binding_html
from gridcheck.reports.tables import write_bytes
from gridcheck.study_inputs import county_weather


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnswerEvidence:
    """What an answer rests on.

    Attributes
    ----------
    statement : dict
        Answer, check, draws, and where to look in the solved script and case; ``solved`` is false, and there is nowhere
        to look, where the moment has no solution: then no program finds one.
    script : str
        The moment for OpenDSS.
    draws : tuple of float
        Worst value of the check in every draw.
    moment : DrawEvidence
        The moment itself.
    transformer : AreaTransformer
        The transformer as it was judged, tap included.
    course : BindingCourse
        The check over the steps that were looked at, in every draw.
    """

    statement: dict[str, Any]
    script: str
    draws: tuple[float, ...]
    moment: DrawEvidence
    transformer: AreaTransformer
    course: BindingCourse

    def pandapower_json(self) -> str:
        """Return the moment as pandapower JSON; the statement says how to solve it and where to look."""
        from gridcheck.network.pandapower_net import net_from_tables, net_to_json_text

        moment = self.moment
        tables = low_voltage_case(moment.grid, self.transformer, moment.p_kw, moment.q_kvar, source_pu=moment.source_pu)
        return net_to_json_text(net_from_tables(tables, name=moment.grid.area_id, sn_mva=CASE_BASE_MVA))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskEvidence:
    """What some answers of a county rest on.

    Attributes
    ----------
    low_voltage : dict of str to AnswerEvidence
        Those whose low-voltage network was asked.
    above : dict of str to Evidence
        Those whose binding check stands at the transformer as a whole or above it: a case of the county's network.
    """

    low_voltage: dict[str, AnswerEvidence]
    above: dict[str, Evidence]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What is kept of an answer before its area moves on."""

    answer: LvVerdict
    moment: DrawEvidence
    unit: AreaTransformer
    course: FloatArray
    case: IntArray


def explain_answers(task: DeskTask, wanted: Collection[str]) -> DeskEvidence:
    """Decide a county's queue again and gather what some answers rest on.

    Parameters
    ----------
    task : DeskTask
        The county as it was decided.
    wanted : collection of str
        Applications.

    Returns
    -------
    DeskEvidence
        The 10 kV level answers first, so who is refused there has no evidence by draws; and who is approved may have
        both. An application without any solution of the load flow is in neither.

    Raises
    ------
    InputError
        If there is no such application.
    """
    grid = read_county(task.county.folder)
    row_of = {area_id: row for row, area_id in enumerate(grid.areas["area_id"])}
    found: dict[str, _Seen] = {}

    def told(application: Application, queue: AreaQueue, answer: LvVerdict) -> None:
        # At once: the area moves on with the next answer.
        if application.application_id in wanted:
            (listed,) = transformers_of(grid, np.array([row_of[application.area_id]]))
            unit = with_tap(listed, queue.steps_up())
            assert unit is not None  # it was judged with this tap
            found[application.application_id] = _seen(queue, answer, unit)

    answers = decided_county(task, told)
    outcome = answers.outcome()
    rows = {name: _row(outcome, name) for name in wanted}
    county = task.county
    weather = county_weather(county.scenario, county.weather, county.county_code)
    time_utc = weather.time_utc[weather.study]
    return DeskEvidence(
        low_voltage={name: _evidence(task, rows[name], seen, time_utc) for name, seen in found.items()},
        above={
            name: explain_application(answers.case, answers.queue, name)
            for name in (
                decision.application.application_id for decision in answers.queue.decisions if decision.check >= 0
            )
            if name in wanted
        },
    )


def _evidence(task: DeskTask, row: dict[str, Any], seen: _Seen, time_utc: TimeArray) -> AnswerEvidence:
    moment, statement = seen.moment, _statement(task, row, seen)
    return AnswerEvidence(
        statement=statement,
        script=opendss_script(moment.grid, seen.unit, moment.p_kw, moment.q_kvar, source_pu=moment.source_pu),
        draws=_draws(seen.answer),
        moment=moment,
        transformer=seen.unit,
        course=_course(statement, seen, time_utc),
    )


def _seen(queue: AreaQueue, answer: LvVerdict, unit: AreaTransformer) -> _Seen:
    outlook, area = answer.outlook, queue.risk
    meters = tuple(area.meters(batch.phase, batch.more_meters) for batch in outlook.batches)
    return _Seen(
        answer=answer,
        moment=draw_evidence(area.net, outlook, meters, outlook.binding),
        unit=unit,
        course=check_course(area.net, outlook, meters, outlook.binding),
        case=area.net.pool.case,
    )


def _course(statement: dict[str, Any], seen: _Seen, time_utc: TimeArray) -> BindingCourse:
    """Put the steps in the order of time; a step that stands in two windows is shown once."""
    case, first = np.unique(seen.case, return_index=True)
    return BindingCourse(
        application_id=str(statement["application_id"]),
        verdict=str(statement["verdict"]),
        quantity=str(statement["check"]),
        unit=str(statement["unit"]),
        limit=float(statement["limit"]),
        limit_clause=str(statement["limit_clause"]),
        low_is_worse=seen.answer.outlook.binding == LvCheck.LOW_VOLTAGE,
        accepted_risk=float(statement["accepted_risk"]),
        synthetic=bool(statement["synthetic_lines"]),
        time_utc=time_utc[case],
        value=seen.course[:, first],
        worst=np.array(_draws(seen.answer)),
    )


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


def _statement(task: DeskTask, row: dict[str, Any], seen: _Seen) -> dict[str, Any]:
    outlook, check, moment = seen.answer.outlook, seen.answer.outlook.binding, seen.moment
    limit = lv_limits(task.county.scenario.limit_set())[check]
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
        "solved": moment.solved,
        "value": moment.value if moment.solved else None,
        # Who comes later never improves anything: where this draw was worse without the heater, that value stays.
        "value_kept": row["binding_value"],
        "source_pu": moment.source_pu,
        "pandapower_solve": SOLVE_WITH,
        **(_where_to_look(seen) if moment.solved else {}),
    }


def _where_to_look(seen: _Seen) -> dict[str, Any]:
    """Say where the solved script and the solved pandapower case show the value."""
    check, moment = seen.answer.outlook.binding, seen.moment
    node, _, wire = moment.element.rpartition(":")
    place = moment.grid.node_name.index(node)
    is_line = check in (LvCheck.LINE_LOADING, LvCheck.NEUTRAL_LOADING)
    is_transformer = check == LvCheck.TRANSFORMER_LOADING
    return {
        "element": moment.element,
        "look_at": f"line.l{place}" if is_line else "transformer.t" if is_transformer else f"bus n{place}",
        # The script has the magnetising branch beside the winding, which is loaded by what goes out to the lines.
        **({"look_at_less": "reactor.iron_loss, reactor.magnetising"} if is_transformer else {}),
        "wire": wire,
        **{f"pandapower_{name}": part for name, part in _read(seen, place, wire).items()},
    }


def _read(seen: _Seen, node: int, wire: str) -> dict[str, Any]:
    """Say where a solved pandapower case shows the value."""
    check, phase = seen.answer.outlook.binding, f"{PHASE_NAMES}N".index(wire)
    if check in (LvCheck.LOW_VOLTAGE, LvCheck.HIGH_VOLTAGE):
        return read_voltage(node, phase)
    if check == LvCheck.TRANSFORMER_LOADING:
        return read_transformer_loading(seen.unit, phase)
    return read_line_loading(seen.moment.grid, node, phase)


def write_drawn(found: AnswerEvidence, folder: Path) -> None:
    """Write what an answer by draws rests on: statement, cases for OpenDSS and pandapower, chart, draws.

    Parameters
    ----------
    found : AnswerEvidence
        What to write.
    folder : Path
        A folder that is there.
    """
    statement = json.dumps(found.statement, ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes(folder / "statement.json", statement.encode())
    write_bytes(folder / "case.dss", found.script.encode())
    write_bytes(folder / "case.json", found.pandapower_json().encode())
    write_bytes(folder / "binding.html", binding_html(found.course).encode())
    value = pd.Series(found.draws)
    solved = value.abs() < float("inf")
    # A draw without a solution has no value; the other column says why.
    draws = pd.DataFrame({"value": value.where(solved), "solved": solved})
    write_bytes(folder / "draws.csv", draws.to_csv(index_label="draw").encode())
