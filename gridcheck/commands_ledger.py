"""What the commands for the ledger do: open it, call one function, print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gridcheck import terminal
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.ledger import Ledger

_FAULTS: Mapping[str, str] = {
    "gap": "此处缺少记录 a line is missing here",
    "previous": "与上一条不相连 not bound to the line before",
    "hash": "内容被改动 its content was changed",
    "tail": "末尾记录被删除 the last lines were removed",
    "exported_head": "与外部留存的链尾不符 not the end that was noted down outside",
}


def init(database: str, who: str, *, as_json: bool) -> None:
    """Make the ledger, or bring it to the shape of this version."""
    from gridcheck.ledger import init_ledger, open_ledger

    before, after = init_ledger(database, who=who)
    with open_ledger(database) as ledger:
        shown, head = ledger.shown, str(ledger.head())
    if as_json:
        terminal.print_json({"ledger": shown, "before": before, "after": after, "head": head})
        return
    done = (
        "新建 made"
        if before is None
        else "无需改动 nothing to do"
        if before == after
        else f"升级自 upgraded from {before}"
    )
    rows = [["位置 where", shown], ["版本 shape", after], ["结果 done", done], ["链尾 head", head]]
    terminal.print_table("台账 ledger", terminal.ITEMS, rows)


def show_journal(
    database: str, application_id: str | None, head: str | None, last: int, *, verify: bool, as_json: bool
) -> bool:
    """Show the journal, or verify its chain; return False where it does not hold."""
    from gridcheck import journal_lines
    from gridcheck.ledger import open_ledger

    with open_ledger(database) as ledger:
        if verify or head is not None:
            return _verify(ledger, head, as_json=as_json)
        lines = ledger.journal(last=last) if application_id is None else ledger.history(application_id)
    if application_id is not None and not lines:
        raise InputError(f"The journal of {ledger.shown} holds nothing about {application_id!r}.")
    if as_json:
        terminal.print_json([journal_lines.plain(line) for line in lines])
    else:
        terminal.print_table(
            f"台账日志 journal: {ledger.shown}", journal_lines.HEADINGS, [journal_lines.row(line) for line in lines]
        )
    return True


def _verify(ledger: Ledger, head: str | None, *, as_json: bool) -> bool:
    from gridcheck.ledger import read_head

    check = ledger.verify_journal(None if head is None else read_head(head))
    if as_json:
        terminal.print_json(
            {"whole": check.is_whole, "lines": check.entries, "head": str(check.head), "broken_at": check.broken_at,
             "fault": check.fault, "changed": list(check.changed)}
        )  # fmt: skip
        return check.is_whole
    rows: list[list[object]] = [["完整 whole", check.is_whole], ["已核对 lines", check.entries]]
    if check.fault:
        rows += [["首个断点 first fault at", check.broken_at], ["问题 what", _FAULTS[check.fault]]]
    else:
        rows.append(["链尾（请另处留存） head, to be noted down elsewhere", str(check.head)])
    rows += [["与日志不符 not as the journal says", name] for name in check.changed]
    terminal.print_table(f"日志核对 verification: {ledger.shown}", terminal.ITEMS, rows)
    return check.is_whole
