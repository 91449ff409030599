"""What people see on the terminal: progress bars while work runs, tables at its end, one clear message on errors."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gridcheck import __version__
from gridcheck.errors import GridcheckError, InputError, OutOfTimeError, SolveError

EXIT_FINE, EXIT_VIOLATIONS, EXIT_BAD_INPUT, EXIT_INCOMPLETE, EXIT_FAULT = 0, 1, 2, 3, 70
_INTERRUPTED, _NOBODY_READS = 130, 141
_FILE_WIDTH = 200
_MOST_LINES = 30

_REJECTED_ON_SCREEN = 10
# A search that ends soon says nothing; a file gets a line a minute.
_FIRST_SHOWN_S, _LINES_EVERY_S, _RENEWED_EVERY_S = 5.0, 60.0, 0.25

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
    """Turn whatever ends a command into one message and an exit code; the only place where that is decided.

    2 for wrong input and for what the file system refuses, 3 for work that could not be finished, 70 for a fault of
    gridcheck itself, whose details go to a file; 130 for Ctrl-C, 141 where nobody reads the output any more.
    """
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except InputError as error:
        _complain(error.message, error.findings)
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except (SolveError, OutOfTimeError) as error:
        _complain(str(error), ())
        raise typer.Exit(EXIT_INCOMPLETE) from None
    except GridcheckError as error:
        _complain(str(error), ())
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except KeyboardInterrupt:
        console().print("[yellow]已中断，未写入任何结果。 Interrupted; nothing was written.[/]")
        raise typer.Exit(_INTERRUPTED) from None
    except BrokenPipeError:
        _close_output()
        raise typer.Exit(_NOBODY_READS) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(
            f"{place}{error.strerror or error}. Check that the path is right, that it may be read and written, "
            "and that there is room on the disk.",
            (),
        )
        raise typer.Exit(EXIT_BAD_INPUT) from None
    except MemoryError:
        _complain("There is not enough memory. Study fewer counties at a time, or try again with --workers 1.", ())
        raise typer.Exit(EXIT_INCOMPLETE) from None
    except Exception as error:
        _complain(
            f"A fault of gridcheck, not of your input: {type(error).__name__}. {_details(error)} "
            "Please report it to those who look after gridcheck where you work.",
            (),
        )
        raise typer.Exit(EXIT_FAULT) from None


def _details(error: Exception) -> str:
    """Write what a developer needs to a file of its own and say where it is."""
    whole = "".join(traceback.format_exception(error))
    text = f"gridcheck {__version__}, Python {sys.version}\n{' '.join(sys.argv)}\n\n{whole}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", errors="backslashreplace", prefix="gridcheck-fault-", suffix=".txt", delete=False
        ) as file:
            file.write(text)
    except OSError:
        return f"It said: {error}."
    return f"Details are in {file.name}."


def _close_output() -> None:
    """Let what is still to be printed go nowhere, so that Python does not complain when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def _complain(message: str, findings: Sequence[str]) -> None:
    screen = console()
    screen.print("[bold red]错误 Error:[/] ", end="")
    screen.print(message, markup=False, highlight=False, soft_wrap=True)
    for finding in findings[:_MOST_LINES]:
        screen.print(f"  - {finding}", markup=False, highlight=False, soft_wrap=True)
    if len(findings) > _MOST_LINES:
        screen.print(f"  ... {len(findings) - _MOST_LINES} more", markup=False, highlight=False)


def print_remarks(name: str, remarks: Sequence[str]) -> None:
    """Say on standard error what a command leaves out of an input that it accepts; nothing where there is nothing."""
    if not remarks:
        return
    screen = console()
    screen.print("[bold yellow]提示 Note:[/] ", end="")
    screen.print(name, markup=False, highlight=False, soft_wrap=True)
    for remark in remarks[:_MOST_LINES]:
        screen.print(f"  - {remark}", markup=False, highlight=False, soft_wrap=True)
    if len(remarks) > _MOST_LINES:
        screen.print(f"  ... {len(remarks) - _MOST_LINES} more", markup=False, highlight=False)


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


@contextmanager
def steps(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar for work in steps; nothing where there is no terminal."""
    screen = console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def search_progress(name: str, minutes: float) -> Iterator[Callable[[str, float], None]]:
    """Show in one line how far a search is; where there is no terminal, in lines that come seldom.

    Parameters
    ----------
    name : str
        What is searched for.
    minutes : float
        How long it may take. [min]

    Yields
    ------
    callable
        To be told what is sought, and how far the best found is from the bound, NaN where that is not known; as often
        as one likes.
    """
    screen = console()
    begun_s = time.monotonic()
    is_renewed = screen.is_terminal and not screen.is_dumb_terminal
    with screen.status("") if is_renewed else nullcontext() as line:
        next_s = begun_s + (_FIRST_SHOWN_S if line is None else 0.0)

        def tell(what: str, gap: float) -> None:
            nonlocal next_s
            now_s = time.monotonic()
            if now_s < next_s:
                return
            next_s = now_s + (_LINES_EVERY_S if line is None else _RENEWED_EVERY_S)
            distance = f", 差距 gap {gap:.3g}" if math.isfinite(gap) else ""
            text = f"求解 searching {name}: {what}{distance}, {now_s - begun_s:.0f} s / {minutes:g} min"
            if line is None:
                screen.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                line.update(escape(text))

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


def print_rejected(rejected: Sequence[Mapping[Any, Any]], n_row: int, *, file: str, recorded: bool = False) -> None:
    """Say which applications of a file were not studied: the first of them with their reasons, and where all stand.

    Parameters
    ----------
    rejected : sequence of mapping
        Rows of applications_rejected.csv.
    n_row : int
        Applications in the file.
    file : str
        Where all of them stand.
    recorded : bool
        Whether the others were recorded in a ledger, so that they are not to be sent again.
    """
    rows = [
        [str(row["source_row"]), row["application_id"], f"{row['reason_zh']}\n{row['reason_en']}"]
        for row in rejected[:_REJECTED_ON_SCREEN]
    ]
    print_table(
        f"退回的申请 applications rejected: {len(rejected):,} / {n_row:,}",
        ["行 row", "申请编号 id", "原因 reason"],
        rows,
    )
    zh, en = (
        ("改正后只需提交改正的行", "Correct them and send these rows alone: the others are recorded.")
        if recorded
        else (
            "改正后请用完整文件重新计算，其后的答复可能改变",
            "Correct them and run the whole file again: verdicts behind them in the queue may change.",
        )
    )
    console().print(
        f"退回 {len(rejected):,} 份（共 {n_row:,} 份），未参与计算；{zh}。 "
        f"{len(rejected):,} of {n_row:,} applications were rejected and not studied. {en} {file}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是 yes" if cell else "否 no"
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.7g}" if isinstance(cell, float) else str(cell)


def cell(value: object) -> str:
    """Return a value of a table as people read it."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def print_line(text: str) -> None:
    """Print one line on standard output."""
    _say(text)


def print_json(content: object) -> None:
    """Print machine-readable output, nothing else, on standard output; a number that is not one becomes null."""
    text = json.dumps(_without_nan(content), ensure_ascii=False, indent=2, default=str, allow_nan=False)
    _say(text)


def _say(text: str) -> None:
    output: TextIO | None = sys.stdout
    if output is None:  # it was closed before Python began
        raise BrokenPipeError
    output.write(f"{text}\n")
    output.flush()  # a reader that has gone is noticed here and not when Python ends


def _without_nan(content: object) -> object:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
