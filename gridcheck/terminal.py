"""What people see on the terminal: progress bars while work runs, tables at its end, one clear message on errors."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gridcheck.errors import GridcheckError, InputError, SolveError

EXIT_FINE, EXIT_VIOLATIONS, EXIT_BAD_INPUT, EXIT_INCOMPLETE = 0, 1, 2, 3
_INTERRUPTED = 130
_FILE_WIDTH = 200

ITEMS = ("项目 item", "数值 value")
"""Headings of a table of names and values."""

STAGES: Mapping[str, str] = {
    "network_and_demand": "电网与负荷 grid and demand",
    "queue": "逐户答复 decisions",
    "states": "状态 states",
    "n_minus_1": "N-1 校验 outages",
    "candidates": "方案测算 candidates",
    "proof": "方案复核 proof",
}


def console() -> Console:
    """Return the console for people: standard error, so that piped output stays clean."""
    return Console(stderr=True)


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turn an error of the user's input into one message and exit code 2, a failed study into 3; Ctrl-C into 130."""
    try:
        yield
    except InputError as error:
        _complain(error.message, error.findings)
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except SolveError as error:
        _complain(str(error), ())
        raise typer.Exit(EXIT_INCOMPLETE) from None
    except GridcheckError as error:
        _complain(str(error), ())
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except KeyboardInterrupt:
        console().print("[yellow]已中断，未写入任何结果。 Interrupted; nothing was written.[/]")
        raise typer.Exit(_INTERRUPTED) from None


def _complain(message: str, findings: Sequence[str]) -> None:
    screen = console()
    screen.print("[bold red]错误 Error:[/] ", end="")
    screen.print(message, markup=False, highlight=False, soft_wrap=True)
    for finding in findings[:30]:
        screen.print(f"  - {finding}", markup=False, highlight=False, soft_wrap=True)
    if len(findings) > 30:
        screen.print(f"  ... {len(findings) - 30} more", markup=False, highlight=False)


@contextmanager
def study_progress(county_names: Mapping[str, str]) -> Iterator[Callable[[str, str, int, int], None]]:
    """Show one bar per county at work and one for all; plain lines where there is no terminal."""
    screen = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=False, disable=not screen.is_terminal) as bars:
        tasks: dict[tuple[str, str], Any] = {}

        def tell(county_code: str, stage: str, done: int, total: int) -> None:
            name = f"{county_names.get(county_code, '全市 city')} {STAGES.get(stage, stage)}"
            if not screen.is_terminal:
                if done >= total:
                    screen.print(f"{name}: {done}/{total}")
                return
            key = (county_code, stage)
            if key not in tasks:
                tasks[key] = bars.add_task(name, total=total)
            bars.update(tasks[key], completed=done, total=total)
            if done >= total and county_code:
                bars.remove_task(tasks.pop(key))

        yield tell


def print_table(
    title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], *, last_is_total: bool = False
) -> None:
    """Print a table for people; the last row is set apart where it is a total."""
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(headings):
        # What is too wide goes on in the next line: an id or a heading is never cut.
        is_first = number == 0
        table.add_column(escape(heading), justify="left" if is_first else "right", overflow="fold", no_wrap=is_first)
    for number, row in enumerate(rows):
        if last_is_total and number == len(rows) - 1:
            table.add_section()
        table.add_row(*(escape(_shown(cell)) for cell in row))
    # Nobody's screen ends at 80 columns where the output goes into a file.
    wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    Console(width=_FILE_WIDTH if wide else None).print(table)


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是 yes" if cell else "否 no"
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.7g}" if isinstance(cell, float) else str(cell)


def print_json(content: object) -> None:
    """Print machine-readable output, nothing else, on standard output; a number that is not one becomes null."""
    text = json.dumps(_without_nan(content), ensure_ascii=False, indent=2, default=str, allow_nan=False)
    sys.stdout.write(f"{text}\n")


def _without_nan(content: object) -> object:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
