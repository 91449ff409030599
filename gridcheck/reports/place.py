"""The place of a results folder: found and checked before anything is computed, held by one run, filled in one step."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from gridcheck.errors import GridcheckError, LedgerError
from gridcheck.interrupts import interrupts_held_back
from gridcheck.locks import locked
from gridcheck.reports.applications_rejected import APPLICATIONS_REJECTED, RETURNED_FILES
from gridcheck.reports.area_outages import AREA_OUTAGES
from gridcheck.reports.candidates import CANDIDATES
from gridcheck.reports.curves import CURVES_FILE
from gridcheck.reports.plan_items import PLAN_ITEMS
from gridcheck.reports.schemas import TABLES

SUMMARY_FILE = "summary.json"
SHEETS_FILE = "switching_sheets.csv"
EVIDENCE_FOLDER = "evidence"
"""Folder inside a results folder in which `gridcheck explain` writes."""

_FILES = frozenset(
    (
        SUMMARY_FILE,
        CURVES_FILE,
        SHEETS_FILE,
        AREA_OUTAGES.file_name,
        CANDIDATES.file_name,
        PLAN_ITEMS.file_name,
        APPLICATIONS_REJECTED.file_name,
        *RETURNED_FILES.values(),
        "report.html",
        "report.xlsx",
        *(spec.file_name for spec in TABLES.values()),
    )
)
# Left in any folder by the windows of an operating system.
_OF_THE_DESKTOP = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
# What may not stand in the name of a folder somewhere, and how long a name may be with four bytes a character.
_NOT_IN_A_NAME, _LONGEST_NAME = re.compile(r"[^\w.()#\uff08\uff09\u3014\u3015-]"), 60
_AT_MOST_NAMED = 5
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class HeldPlace:
    """The place of a results folder while one run holds it; made by `held_place`.

    Attributes
    ----------
    folder : Path
        Where the results will stand, links resolved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """Give an empty folder beside the place; it is removed again unless it was put there.

        Raises
        ------
        GridcheckError
            If the file system refuses.
        """
        folder = _unfinished_name(self.folder)
        try:
            folder.mkdir()
            yield folder
        except OSError as error:
            raise GridcheckError(
                f"The results cannot be written to {self.folder}: {error.strerror or error}. "
                "Make room or name another folder with --out."
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, finished: Path) -> None:
        """Move a complete folder to the place; the former one goes, but for what `gridcheck explain` wrote into it.

        Readers find the former folder or the new one, also when the process is killed in between. Ctrl-C waits.

        Parameters
        ----------
        finished : Path
            A folder beside the place.
        """
        with interrupts_held_back(too_late=True):
            evidence = self.folder / EVIDENCE_FOLDER
            if evidence.is_dir():
                shutil.copytree(evidence, finished / EVIDENCE_FOLDER, symlinks=True)
            if not self.folder.exists():
                finished.rename(self.folder)
            elif not exchange(finished, self.folder):
                _replace(self.folder, finished)
            for former in (finished, former_folder(self.folder)):
                shutil.rmtree(former, ignore_errors=True)


def _replace(folder: Path, finished: Path) -> None:
    """Put `finished` at `folder` in two steps, where the system has none that does both."""
    former = former_folder(folder)
    shutil.rmtree(former, ignore_errors=True)  # of a run that was killed when the new one stood already
    folder.rename(former)
    try:
        finished.rename(folder)
    except BaseException:
        former.rename(folder)
        raise


def exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the system or its file system has no such step.

    Raises
    ------
    OSError
        If it has one, and refuses.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))


def former_folder(folder: Path) -> Path:
    """Return where the former results wait while a system that cannot exchange puts new ones in their place."""
    return folder.with_name(f".{folder.name}.former")


def _unfinished_prefix(folder: Path) -> str:
    return f".{folder.name}.unfinished"


def _unfinished_name(folder: Path) -> Path:
    return folder.with_name(f"{_unfinished_prefix(folder)}-{uuid.uuid4().hex[:12]}")


def current_folder(folder: Path) -> Path:
    """Return where the results of `folder` stand now: there, or beside it while new ones are being put in place."""
    with suppress(OSError, RuntimeError):
        if not folder.exists():
            former = former_folder(folder.resolve())
            if former.is_dir():
                return former
    return folder


def evidence_folder(results: Path, identifier: str) -> Path:
    """Return where the evidence of one application or outage goes: always inside the results folder.

    Examples
    --------
    >>> evidence_folder(Path("out"), "140827-P00001").as_posix()
    'out/evidence/140827-P00001'
    >>> evidence_folder(Path("out"), "../../etc").as_posix()
    'out/evidence/_.._etc-74ccf3c5'
    """
    return results / EVIDENCE_FOLDER / safe_name(identifier)


def safe_name(identifier: str) -> str:
    """Return a name of a file or folder for an id: itself where every system allows it, else one of its own.

    Examples
    --------
    >>> safe_name("140827-P00001"), safe_name("a/b")
    ('140827-P00001', 'a_b-c14cddc0')
    """
    name = _NOT_IN_A_NAME.sub("_", identifier[:_LONGEST_NAME]).lstrip(".")
    return (
        name if name == identifier else f"{name}-{hashlib.sha256(identifier.encode(errors='replace')).hexdigest()[:8]}"
    )


@contextmanager
def held_place(out: Path) -> Iterator[HeldPlace]:
    """Check the place of results and hold it, so that no other run writes there meanwhile.

    Parameters
    ----------
    out : Path
        As the user named it: missing, empty, or a results folder. Missing folders above it are made, and removed again
        unless results come to stand there. What killed runs left beside it is put right.

    Yields
    ------
    HeldPlace

    Raises
    ------
    LedgerError
        If the place holds something else, cannot be written, or is held by another run.
    """
    with ExitStack() as stack:
        try:
            folder = _resolved(out)
            stack.enter_context(made_folder(folder.parent))
            lock = locked(folder.with_name(f".{folder.name}.lock"), timeout_s=0.0, temporary=True)
            try:
                stack.enter_context(lock)
            except LedgerError:
                raise LedgerError(
                    f"Another run is writing to {out}. Wait until it has ended, or name another folder with --out."
                ) from None
            put_right(folder)
            _require_free(folder, out)
            probe = _unfinished_name(folder)
            probe.mkdir()
            probe.rmdir()
        except OSError as error:
            raise _unusable(out, error.strerror or str(error)) from error
        yield HeldPlace(folder)


def _resolved(out: Path) -> Path:
    try:
        folder = out.resolve()
    except (RuntimeError, ValueError) as error:  # links in a circle; a character that no name may hold
        raise _unusable(out, str(error)) from error
    if out.is_symlink() and not folder.exists():
        raise _unusable(out, f"it is a link to {folder}, which is not there")
    above = next((path for path in folder.parents if path.exists()), folder)
    if not above.is_dir():
        raise _unusable(out, f"{above} is a file, not a folder")
    if folder.exists() and not folder.is_dir():
        raise LedgerError(f"{out} exists and is no results folder; it is left alone. Name another one with --out.")
    if folder.is_dir() and os.path.ismount(folder):
        raise _unusable(out, "a file system is mounted there, so it cannot be replaced as a whole. Name a folder in it")
    if Path.cwd().is_relative_to(folder):
        raise _unusable(out, "it is the working directory or holds it, and results replace their folder as a whole")
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(out, "it may not be written")
    return folder


def _unusable(out: Path, reason: str) -> LedgerError:
    return LedgerError(f"{out} cannot be the results folder: {reason}. Name another one with --out.")


def put_right(folder: Path) -> None:
    """Undo what killed runs left: a folder taken away before the new one came, half-written ones."""
    former = former_folder(folder)
    if former.is_dir() and not folder.exists():
        former.rename(folder)
    for path in list(folder.parent.iterdir()):
        if path.name.startswith(_unfinished_prefix(folder)):
            shutil.rmtree(path, ignore_errors=True)


def _require_free(folder: Path, out: Path) -> None:
    """Refuse a folder that holds anything but the results of a run.

    Raises
    ------
    LedgerError
        Naming what is foreign.
    """
    entries = [] if not folder.exists() else sorted(folder.iterdir())
    entries = [entry for entry in entries if entry.name not in _OF_THE_DESKTOP]
    if not entries:
        return
    files = _files_of_run(folder / SUMMARY_FILE)
    if files is None:
        raise LedgerError(f"{out} exists and is no results folder; it is left alone. Name another one with --out.")
    foreign = [entry.name for entry in entries if not _is_ours(entry, files)]
    if foreign:
        more = f" and {len(foreign) - _AT_MOST_NAMED} more" if len(foreign) > _AT_MOST_NAMED else ""
        raise LedgerError(
            f"{out} holds what gridcheck did not write: {', '.join(foreign[:_AT_MOST_NAMED])}{more}; it is left alone. "
            "Move that elsewhere, or name another folder with --out."
        )


def _files_of_run(path: Path) -> frozenset[str] | None:
    """Return the names that files of a run may have; None where this is not the summary of a run."""
    try:
        summary: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    files = summary.get("files") if isinstance(summary, dict) and "gridcheck_version" in summary else None
    # Another version may have had other tables.
    return _FILES | {name for name in files if name.endswith(".csv")} if isinstance(files, dict) else None


def _is_ours(entry: Path, files: frozenset[str]) -> bool:
    if entry.is_symlink():
        return False
    return entry.is_dir() if entry.name == EVIDENCE_FOLDER else entry.is_file() and entry.name in files


@contextmanager
def made_folder(folder: Path) -> Iterator[Path]:
    """Make a folder and those above it; what was made and stays empty is removed again.

    Parameters
    ----------
    folder : Path
        Folder to be written into.

    Yields
    ------
    Path
        The same.
    """
    missing: list[Path] = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    finally:
        for path in missing:
            with suppress(OSError):
                path.rmdir()
