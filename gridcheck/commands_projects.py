"""What the commands about projects of a plan do: propose them from a run, list them, take one a step on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.ledger import KeptProject, Ledger, PlanMoney

_ROWS_ON_SCREEN = 50
_HEADINGS = (
    "项目 project", "县 county", "状态 state", "措施 measures", "造价 cost [元 yuan]", "已用 spent [元 yuan]",
    "解锁 households",
)  # fmt: skip


def propose(database: str, run: Path, plan_id: str, by: tuple[str, str], *, as_json: bool) -> None:
    """Put the chosen projects of a run into the ledger, with the money of its plan.

    Raises
    ------
    InputError, LedgerError
        If the folder is no run, or the plan is there with another content.
    """
    from gridcheck.ledger import ProposedProject, open_ledger
    from gridcheck.reports.folder import read_results

    results = read_results(run)
    chosen = results.plan[results.plan["chosen"]]
    if not len(chosen):
        raise InputError(f"The plan of {run} has no chosen project; there is nothing to propose.")
    texts = chosen.reindex(columns=["feeder_id", "area_id", "group", "measures", "description"]).fillna("")
    proposed = [
        ProposedProject(
            project_id=str(row["project_id"]),
            county_code=str(row["county_code"]),
            feeder_id=str(words["feeder_id"]),
            area_id=str(words["area_id"]),
            place=str(words["group"]) or str(row["project_id"]),
            measures=str(words["measures"]) or str(row["measure"]),
            description=str(words["description"]),
            cost_yuan=float(row["cost_yuan"]),
            households=int(row["households_unlocked"]),
        )
        for row, words in zip(chosen.to_dict("records"), texts.to_dict("records"), strict=True)
    ]
    source = hashlib.sha256((results.folder / "plan.csv").read_bytes()).hexdigest()
    who, reason = by
    with open_ledger(database) as ledger:
        new = ledger.propose(
            plan_id, proposed, budget_yuan=results.budget_yuan, source_sha256=source, who=who, reason=reason
        )
        _show(ledger, plan_id, (), (), as_json=as_json)
    if not as_json:
        terminal.print_line(f"新记入日志 new lines of the journal: {new}")


def list_projects(
    database: str, plan_id: str, states: Sequence[str], county_codes: Sequence[str], *, out: Path | None, as_json: bool
) -> None:
    """List the projects of a plan and its money.

    Raises
    ------
    InputError, LedgerError
        If there is no such plan or state.
    """
    from gridcheck.ledger import open_ledger
    from gridcheck.reports.tables import write_bytes

    with open_ledger(database) as ledger:
        rows = _show(ledger, plan_id, states, county_codes, as_json=as_json)
    if out is not None:
        table = pd.DataFrame(rows, columns=list(_COLUMNS))
        write_bytes(out, _csv(table))


def move(database: str, key: tuple[str, str], step: str, spent: float | None, by: tuple[str, str]) -> None:
    """Take one step with a project; `step` is review, fund, build or reject.

    Raises
    ------
    IllegalStepError, NoRoomError, InputError, LedgerError
        If it is not allowed, the money is not enough, or a name is missing.
    """
    from gridcheck.ledger import ProjectStep, open_ledger

    steps = {"review": ProjectStep.REVIEW, "fund": ProjectStep.FUND, "build": ProjectStep.BUILD,
             "reject": ProjectStep.REJECT}  # fmt: skip
    who, reason = by
    with open_ledger(database) as ledger:
        ledger.move_project(*key, steps[step], who=who, reason=reason, spent_yuan=spent)


def show_project(database: str, key: tuple[str, str], *, as_json: bool) -> None:
    """Show one project: where it stands, and who decided what."""
    from gridcheck.ledger import open_ledger
    from gridcheck.ledger.told import project_name

    with open_ledger(database) as ledger:
        kept, lines = ledger.project(*key), ledger.history(project_name(*key))
    history = [
        {"at": line.at.isoformat(), "who": line.entry.who, "action": line.entry.action, "reason": line.entry.reason}
        for line in lines
    ]
    if as_json:
        terminal.print_json({**_row(kept), "history": history})
        return
    for name, value in _row(kept).items():
        terminal.print_line(f"{name}: {'' if value is None else value}")
    for line in history:
        terminal.print_line(f"{line['at']} {line['who']} {line['action']}: {line['reason']}")


_COLUMNS = (
    "plan_id", "project_id", "county_code", "feeder_id", "area_id", "place", "measures", "description", "cost_yuan",
    "households", "state", "spent_yuan", "state_at",
)  # fmt: skip


def _show(
    ledger: Ledger, plan_id: str, states: Sequence[str], county_codes: Sequence[str], *, as_json: bool
) -> list[dict[str, Any]]:
    from gridcheck.ledger import ProjectState

    unknown = sorted(set(states) - set(ProjectState))
    if unknown:
        raise InputError(f"States of projects are {', '.join(ProjectState)}; {', '.join(unknown)} is none of them.")
    money = ledger.plan_money(plan_id)
    kept = ledger.projects(plan_id, states=[ProjectState(state) for state in states], county_codes=tuple(county_codes))
    rows = [_row(one) for one in kept]
    if as_json:
        terminal.print_json({"money": _money(money), "projects": rows})
        return rows
    shown = [
        (row["project_id"], row["county_code"], row["state"], row["measures"], f"{row['cost_yuan']:,.2f}",
         "" if row["spent_yuan"] is None else f"{row['spent_yuan']:,.2f}", str(row["households"]))
        for row in rows[:_ROWS_ON_SCREEN]
    ]  # fmt: skip
    terminal.print_table(f"方案 plan {plan_id}", _HEADINGS, shown)
    if len(rows) > _ROWS_ON_SCREEN:
        terminal.print_line(f"… {len(rows) - _ROWS_ON_SCREEN} more; --out FILE.csv writes all")
    terminal.print_line(
        f"资金 budget {money.budget_yuan:,.2f}; 已批未建 funded {money.funded_yuan:,.2f}; "
        f"已用 spent {money.spent_yuan:,.2f}; 剩余 left {money.left_yuan:,.2f} [元 yuan]"
    )
    return rows


def _money(money: PlanMoney) -> dict[str, Any]:
    return {**asdict(money), "left_yuan": money.left_yuan}


def _row(kept: KeptProject) -> dict[str, Any]:
    return {
        "plan_id": kept.plan_id,
        **asdict(kept.proposed),
        "state": kept.state,
        "spent_yuan": kept.spent_yuan,
        "state_at": kept.state_at.isoformat(),
    }


def _csv(table: pd.DataFrame) -> bytes:
    from gridcheck.csv_tables import escape_text

    texts = ["project_id", "feeder_id", "area_id", "place", "measures", "description"]
    table[texts] = table[texts].map(lambda cell: escape_text(str(cell)))
    return table.to_csv(index=False, lineterminator="\n").encode()
