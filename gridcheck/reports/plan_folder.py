"""The folder of a plan from a plain table: it appears as one, or says that it does not.

A folder that holds nothing else is replaced as a whole, as the results of a run are. Where other files stand beside
ours, or the folder cannot be moved, ours are replaced one after the other; while that goes on ``status.json`` says so,
and it is the last to be written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gridcheck.errors import LedgerError
from gridcheck.interrupts import interrupts_held_back
from gridcheck.locks import locked
from gridcheck.reports.place import SUMMARY_FILE, HeldPlace, made_folder, put_right
from gridcheck.reports.tables import write_bytes
from gridcheck.reports.texts import LANGUAGES, text

PLAN, STATUS, PARETO = "plan.csv", "status.json", "pareto.csv"
SPLIT, RULES, SCENARIOS, FREQUENCY = "county_split.csv", "rules.csv", "scenarios.csv", "frequency.csv"
PLAN_FILES = frozenset((PLAN, STATUS, PARETO, SPLIT, RULES, SCENARIOS, FREQUENCY))
UNFINISHED = {
    "line": " ".join(("status: unfinished;", *(text("around.unfinished", language) for language in LANGUAGES))),
    "status": "unfinished",
}
_WAITING = ".gridcheck-plan-"
# Another plan is written within moments.
_LONGEST_WAIT_S = 20.0


def require_plan_place(out: Path, candidates: Path) -> None:
    """Refuse, before anything is computed, a place that a plan cannot be written to.

    Parameters
    ----------
    out : Path
        Folder to be written.
    candidates : Path
        The table, which is not to be replaced.

    Raises
    ------
    LedgerError
        If it is a file, holds the results of a run or the table itself, or may not be written.
    """
    try:
        folder = out.resolve()
        above = next(path for path in (folder, *folder.parents) if path.exists())
        if not above.is_dir():
            raise LedgerError(f"{out}: {above} is a file, not a folder. Name another one with --out.")
        if (folder / SUMMARY_FILE).exists():
            raise LedgerError(f"{out} holds the results of `gridcheck run`; they are left alone. Name another --out.")
        # As it is named, and where a link leads.
        places = (candidates.parent.resolve() / candidates.name, candidates.resolve())
        if any(place.parent == folder and place.name in PLAN_FILES for place in places):
            raise LedgerError(f"{candidates} would be replaced by what is written to {out}. Take another --out.")
        if not os.access(above, os.W_OK | os.X_OK):
            raise LedgerError(f"{out}: {above} may not be written. Name another folder with --out.")
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a name that no folder may have
        raise LedgerError(f"{out} cannot be the folder of a plan: {error}. Name another one with --out.") from error


def write_plan_folder(out: Path, files: Mapping[str, bytes], status: Mapping[str, Any]) -> dict[str, Any]:
    """Write the files of a plan and its status; those of a former plan go.

    Parameters
    ----------
    out : Path
        Where; missing folders are made.
    files : mapping of str to bytes
        Content by name; names of `PLAN_FILES` but the status.
    status : mapping
        What status.json says; the SHA-256 of each file is added.

    Returns
    -------
    dict
        The status as it was written.

    Raises
    ------
    GridcheckError
        If the place is held by another process for long, or the file system refuses.
    """
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    written = {**status, "files": sums}
    whole = {**files, STATUS: _json(written)}
    folder = out.resolve()
    has_neighbours = os.access(next(path for path in folder.parents if path.exists()), os.W_OK | os.X_OK)
    with ExitStack() as stack:
        stack.enter_context(made_folder(folder.parent if has_neighbours else folder))
        # Beside the folder, because a lock inside would go with it.
        lock = folder.with_name(f".{folder.name}.lock") if has_neighbours else folder / f"{_WAITING}lock"
        stack.enter_context(locked(lock, timeout_s=_LONGEST_WAIT_S, temporary=True))
        if has_neighbours:
            put_right(folder)
        if has_neighbours and _is_moved_as_one(folder):
            place = HeldPlace(folder)
            with place.unfinished() as finished:
                for name, content in whole.items():
                    write_bytes(finished / name, content)
                place.put(finished)
        else:
            _replace_one_by_one(folder, whole)
    return written


def _is_moved_as_one(folder: Path) -> bool:
    """Return whether a folder may go as a whole: nothing but files of ours is in it, and nobody stands in it."""
    if not folder.exists():
        return True
    if os.path.ismount(folder) or Path.cwd().is_relative_to(folder):
        return False
    return all(
        entry.name.startswith(_WAITING) or (entry.name in PLAN_FILES and entry.is_file() and not entry.is_symlink())
        for entry in folder.iterdir()
    )


def _replace_one_by_one(folder: Path, files: Mapping[str, bytes]) -> None:
    with made_folder(folder):
        for left in folder.glob(f"{_WAITING}*/"):  # by processes that were killed
            shutil.rmtree(left, ignore_errors=True)
        waiting = folder / f"{_WAITING}{uuid.uuid4().hex[:12]}"
        waiting.mkdir()
        try:
            for name, content in files.items():
                write_bytes(waiting / name, content)
            with interrupts_held_back(too_late=True):
                write_bytes(folder / STATUS, _json(UNFINISHED))
                for name in sorted(PLAN_FILES - set(files)):
                    (folder / name).unlink(missing_ok=True)
                for name in sorted(set(files) - {STATUS}):
                    (waiting / name).replace(folder / name)
                (waiting / STATUS).replace(folder / STATUS)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
