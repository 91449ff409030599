"""What the commands about applications of the ledger do: list them, show one, take it one step on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.ledger import Approved, KeptApplication, KeptAssessment, Ledger

_ROWS_ON_SCREEN = 50
_HOW: Mapping[str, str] = {
    "assess": "gridcheck decide FILE",
    "approve": "--approve",
    "defer": "--defer",
    "mark_insufficient_data": "--no-data",
    "renew": "--renew DAYS",
    "lapse": "--lapse",
    "build": "--build",
    "fail_inspection": "--accept CHECKLIST",
    "accept": "--accept CHECKLIST",
    "entitle": "--entitle SEASON",
    "end_subsidy": "--end-subsidy SEASON",
    "withdraw": "--withdraw",
}


def take_step(
    database: str, application_id: str, step: str | None, given: Path | int | None, by: tuple[str, str]
) -> None:
    """Take one step with an application; nothing where there is none.

    Parameters
    ----------
    database : str
        The ledger.
    application_id : str
        The application.
    step : str or None
        Name of the option without its dashes: approve, defer, no-data, renew, lapse, build, accept or
        withdraw; None only looks.
    given : Path or int or None
        The checklist that was filled in for accept, the days for renew.
    by : tuple of str
        Who decides it, and why.

    Raises
    ------
    InputError
        If the checklist has faults, or nobody says who and why.
    IllegalStepError, LedgerError
        If the step cannot be taken.
    """
    from gridcheck.ledger import Level, checklist_items, open_ledger, read_checklist

    if step is None:
        return
    who, reason = by
    with open_ledger(database) as ledger:
        if step == "accept":
            assert isinstance(given, Path)
            found = read_checklist(given, checklist_items(), approved=_approved(ledger, application_id))
            ledger.accept(application_id, found, who=who, reason=reason)
        elif step == "renew":
            assert isinstance(given, int)
            ledger.renew(application_id, days=given, who=who, reason=reason)
        elif step == "lapse":
            ledger.lapse(application_id, who=who, reason=reason)
        elif step == "approve":
            # What the conditions cap is not reserved for anybody.
            kw = _approved(ledger, application_id).rated_kw
            ledger.approve(application_id, who=who, reason=reason, reserve_kw=dict.fromkeys(Level, kw))
        else:
            plain = {
                "defer": ledger.defer, "no-data": ledger.mark_insufficient_data, "build": ledger.build,
                "withdraw": ledger.withdraw,
            }  # fmt: skip
            plain[step](application_id, who=who, reason=reason)


def _approved(ledger: Ledger, application_id: str) -> Approved:
    from gridcheck.ledger import approved_by

    asked, last = ledger.application(application_id).asked, ledger.answer(application_id)
    found = None if last is None else approved_by(asked, last.answer.verdict, last.answer.conditions)
    if found is None:
        what = "has no answer yet" if last is None else f"was answered with {last.answer.verdict}"
        raise InputError(f"Application {application_id} {what}: nothing is approved that could be looked at.")
    return found


def write_blank_checklist(database: str, application_id: str, file: Path) -> None:
    """Write the checklist of an approved application to be filled in; never over a file that is there.

    Raises
    ------
    InputError
        If there is a file of that name, or nothing is approved.
    """
    from gridcheck.ledger import blank_checklist, checklist_items, open_ledger

    with open_ledger(database) as ledger:
        content = blank_checklist(checklist_items(), _approved(ledger, application_id))
    try:
        # With a mark at its start, so that spreadsheets read the Chinese names.
        with file.open("x", encoding="utf-8-sig", newline="") as out:
            out.write(content)
    except FileExistsError:
        raise InputError(f"{file} is there already; name another file, or remove it first.") from None


def show_application(database: str, application_id: str, *, as_json: bool) -> bool:
    """Show where an application stands, its answer, what was promised, its history; return False after a failed check.

    Parameters
    ----------
    database, application_id : str
        The ledger and the application.
    as_json : bool
        Whether a program reads it.

    Returns
    -------
    bool
        False where the last inspection has failed.
    """
    from gridcheck import journal_lines
    from gridcheck.ledger import open_ledger, steps_from
    from gridcheck.ledger.life import State

    with open_ledger(database) as ledger:
        kept, last = ledger.application(application_id), ledger.answer(application_id)
        lines, promises = ledger.history(application_id), ledger.promises(application_id)
        inspections = ledger.inspections(application_id)
        entitlement = ledger.entitlement(application_id)
    steps = [step.value for step in steps_from(State(kept.state))]
    if as_json:
        terminal.print_json(
            {"application": _facts(kept), "answer": None if last is None else _answer(kept, last), "allowed": steps,
             "how": {step: _HOW[step] for step in steps},
             "entitlement": None if entitlement is None else asdict(entitlement),
             "history": [journal_lines.plain(line) for line in lines],
             "promises": [{name: getattr(one, name) for name in one.__dataclass_fields__} for one in promises]}
        )  # fmt: skip
    else:
        rows: list[list[object]] = [[name, value] for name, value in _facts(kept).items()]
        how = "\n".join(f"{step}: {_HOW[step]}" for step in steps)
        rows += [["状态 state", journal_lines.STATES[kept.state]], ["可办事项 allowed", how]]
        terminal.print_table(f"报装申请 application {application_id}", terminal.ITEMS, rows)
        if last is not None:
            terminal.print_table("答复 answer", terminal.ITEMS, _answer_rows(kept, last))
        if entitlement is not None:
            told = {**asdict(entitlement), "reasons": ", ".join(entitlement.reasons)}
            terminal.print_table("认定 entitlement", terminal.ITEMS, [[name, told[name]] for name in list(told)[1:]])
        if promises:
            headings = ("层级 level", "设备 element", "预留 reserved [kW]", "状态 state", "有效期至 until")
            terminal.print_table("容量预留 reservations", headings, [
                [one.level.value, one.element_id, one.reserved_kw, one.state, journal_lines.local_time(one.expires_at)]
                for one in promises
            ])  # fmt: skip
        terminal.print_table("过程 history", journal_lines.HEADINGS, [journal_lines.row(line) for line in lines])
    return kept.state != State.BUILT or not _failed(inspections)


def _facts(kept: KeptApplication) -> dict[str, Any]:
    asked = {name: getattr(kept.asked, name) for name in kept.asked.__dataclass_fields__}
    return {**asked, "state": kept.state, "version": kept.version}


def _answer(kept: KeptApplication, last: KeptAssessment) -> dict[str, Any]:
    """Return the last answer with what it grants; probabilities are shares of draws that break the limit."""
    from gridcheck.ledger import approved_by

    answer = last.answer
    granted = approved_by(kept.asked, answer.verdict, answer.conditions)
    names = [name for name in answer.__dataclass_fields__ if name not in ("application_id", "row")]
    return {
        "assessment_id": last.assessment_id,
        "at": last.at,
        "batch_id": last.batch.batch_id,
        **{name: getattr(answer, name) for name in names},
        "granted_kw": None if granted is None else granted.rated_kw,
        "granted_phase": None if granted is None else granted.phase,
    }


def _answer_rows(kept: KeptApplication, last: KeptAssessment) -> list[list[object]]:
    from gridcheck.journal_lines import local_time
    from gridcheck.reports import labels
    from gridcheck.reports.texts import LANGUAGES, label

    answer, told = last.answer, _answer(kept, last)

    def both(section: str, code: object) -> str:
        return " ".join(label(section, code, language) for language in LANGUAGES)

    conditions = ";".join(answer.conditions)
    rows: list[list[object]] = [["结论 verdict", both("verdict", answer.verdict)]]
    if told["granted_kw"] is not None:
        rows += [["批准容量 granted [kW]", told["granted_kw"]],
                 ["批准相别 granted phase", both("phase", told["granted_phase"])]]  # fmt: skip
    if conditions:
        words = [labels.conditions_text(conditions, language, answer.verdict) for language in LANGUAGES]
        rows.append(["条件 conditions", "\n".join(words)])
    if answer.binding_quantity:
        limit = labels.limit_value(answer.binding_quantity, answer.binding_limit)
        value = labels.quantity_value(answer.binding_quantity, answer.binding_value, answer.binding_limit)
        rows += [["制约 binding", f"{answer.binding_element or ''} {both('quantity', answer.binding_quantity)}"],
                 ["数值与限值 value and limit", f"{value} / {limit}"]]  # fmt: skip
    if answer.draws:
        rows.append(["抽样次数 draws", answer.draws])
    if answer.broken_before is None:
        rows.append(["接入前越限 beyond a limit before", "台账未记录 not kept"])
    elif answer.broken_before:
        rows.append(["接入前越限 beyond a limit before", "\n".join(both("quantity", k) for k in answer.broken_before)])
    return [
        *rows,
        ["答复时间 answered", local_time(last.at)],
        ["编号 run", f"A{last.assessment_id} {told['batch_id']}"],
    ]


def _failed(inspections: Sequence[Mapping[str, object]]) -> bool:
    """Return whether the last inspection has failed."""
    return bool(inspections) and not inspections[-1]["passed"]


def list_applications(
    database: str,
    states: Sequence[str],
    county_codes: Sequence[str],
    area_id: str | None,
    *,
    out: Path | None,
    as_json: bool,
) -> None:
    """List the applications of a ledger: on the screen, as JSON, or as a CSV file.

    Parameters
    ----------
    database : str
        The ledger.
    states, county_codes : sequence of str
        Those that are wanted; all where empty.
    area_id : str or None
        Only those of an area.
    out : Path or None
        CSV file to write.
    as_json : bool
        Whether a program reads what is printed.

    Raises
    ------
    InputError
        If there is no such state.
    """
    from gridcheck.ledger import State, open_ledger
    from gridcheck.reports.ledger_list import LISTED, applications_table
    from gridcheck.reports.tables import csv_bytes, write_bytes

    unknown = [state for state in states if state not in tuple(State)]
    if unknown:
        raise InputError(f"--state: no such state {', '.join(unknown)}. Allowed: {', '.join(State)}.")
    with open_ledger(database) as ledger:
        lines = ledger.listed(states=[State(state) for state in states], county_codes=county_codes, area_id=area_id)
        shown = ledger.shown
    table = applications_table(lines)
    if out is not None:
        write_bytes(out, csv_bytes(table, LISTED))
    if as_json:
        kept = table.astype(object).where(table.notna(), None)
        terminal.print_json(
            [{str(name): _as_plain(cell) for name, cell in row.items()} for row in kept.to_dict("records")]
        )
        return
    headings = ("报装 application", "状态 state", "县 county", "台区 area", "功率 [kW]", "批准 granted [kW]",
                "结论 verdict", "预留至 held until", "最近变动 last change", "事项 action")  # fmt: skip
    terminal.print_table(f"报装台账 applications {shown}", headings, [_row(line) for line in lines[:_ROWS_ON_SCREEN]])
    file = "" if out is None else f" {out}"
    terminal.print_line(f"{min(len(lines), _ROWS_ON_SCREEN)} / {len(lines)}{file}")


def _as_plain(cell: object) -> object:
    from datetime import datetime

    return cell.isoformat() if isinstance(cell, datetime) else cell


def _row(line: Any) -> list[object]:
    from gridcheck.journal_lines import STATES, local_time

    asked = line.kept.asked
    return [
        asked.application_id, STATES[line.kept.state], asked.county_code, asked.area_id, asked.rated_kw,
        None if line.approved is None else line.approved.rated_kw, line.verdict,
        None if line.held_until is None else local_time(line.held_until)[:10], local_time(line.changed_at), line.action,
    ]  # fmt: skip
