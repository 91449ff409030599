"""A folder of files for other people, letters or published room: it appears whole or not at all.

A list of its files stands in ``manifest.json``. By that list a later run knows which folder it may replace: one that
holds what gridcheck wrote there and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gridcheck import __version__
from gridcheck.errors import LedgerError
from gridcheck.interrupts import interrupts_held_back
from gridcheck.locks import locked
from gridcheck.reports.place import exchange, made_folder
from gridcheck.reports.tables import write_bytes

MANIFEST_FILE = "manifest.json"
_KEY = "gridcheck_export"
_AT_MOST_NAMED = 5


@contextmanager
def exported_folder(out: Path, kind: str, *, synthetic: bool | Callable[[], bool]) -> Iterator[Path]:
    """Give an empty folder beside `out` to be filled; it takes the place of `out` when the block ends well.

    Parameters
    ----------
    out : Path
        Missing, empty, or an earlier export of the same kind, which is replaced.
    kind : str
        What the folder holds, such as ``"letters"``.
    synthetic : bool or callable
        Whether anything in it is synthetic; stands in the list of files. Asked when the folder is filled.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    LedgerError
        If `out` holds anything else, or another run is writing there.
    """
    folder = _resolved(out)
    unfinished = folder.with_name(f".{folder.name}.unfinished-{uuid.uuid4().hex[:12]}")
    with ExitStack() as stack:
        stack.enter_context(made_folder(folder.parent))
        lock = locked(folder.with_name(f".{folder.name}.lock"), timeout_s=0.0, temporary=True)
        try:
            stack.enter_context(lock)
        except LedgerError:
            raise LedgerError(
                f"Another run is writing to {out}. Wait until it has ended, or name another --out."
            ) from None
        _require_free(folder, out, kind)
        try:
            unfinished.mkdir()
            yield unfinished
            _write_manifest(unfinished, kind, synthetic=synthetic() if callable(synthetic) else synthetic)
            with interrupts_held_back(too_late=True):
                _put(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _resolved(out: Path) -> Path:
    try:
        folder = out.resolve()
    except (RuntimeError, ValueError, OSError) as error:
        raise LedgerError(f"{out} cannot be the folder to write: {error}. Name another one with --out.") from error
    if folder.exists() and not folder.is_dir():
        raise LedgerError(f"{out} is a file; it is left alone. Name another folder with --out.")
    if Path.cwd().is_relative_to(folder):
        raise LedgerError(f"{out} is the working directory or holds it. Name a folder in it with --out.")
    return folder


def _require_free(folder: Path, out: Path, kind: str) -> None:
    entries = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    if not entries:
        return
    known = _files_of(folder / MANIFEST_FILE, kind)
    foreign = [name for name in entries if known is None or name not in known or not (folder / name).is_file()]
    if foreign:
        named = ", ".join(foreign[:_AT_MOST_NAMED]) + (" …" if len(foreign) > _AT_MOST_NAMED else "")
        raise LedgerError(
            f"{out} holds what `gridcheck {kind}` did not write: {named}; it is left alone. "
            "Name another folder with --out."
        )


def _files_of(path: Path, kind: str) -> frozenset[str] | None:
    """Return the names of the files of an earlier export; None where there was none of this kind."""
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get(_KEY) != kind or not isinstance(content.get("files"), dict):
        return None
    return frozenset((MANIFEST_FILE, *(str(name) for name in content["files"])))


def _write_manifest(folder: Path, kind: str, *, synthetic: bool) -> None:
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    content = {_KEY: kind, "gridcheck_version": __version__, "synthetic": synthetic, "files": files}
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    write_bytes(folder / MANIFEST_FILE, f"{text}\n".encode())


def _put(finished: Path, folder: Path) -> None:
    """Move the finished folder to its place; what stood there goes."""
    if not folder.exists():
        finished.rename(folder)
    elif not exchange(finished, folder):
        # No such step on this system: the former one waits beside until the new one stands.
        former = folder.with_name(f".{folder.name}.former-{uuid.uuid4().hex[:12]}")
        folder.rename(former)
        try:
            finished.rename(folder)
        except BaseException:
            former.rename(folder)
            raise
        shutil.rmtree(former, ignore_errors=True)
