"""One writer at a time: the lock of a file between processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gridcheck.errors import LedgerError

_POLL_S = 0.02


@contextmanager
def locked(path: Path, *, timeout_s: float, temporary: bool = False) -> Iterator[None]:
    """Hold the exclusive lock of a file while the block runs; the system frees it when the process ends in any way.

    Parameters
    ----------
    path : Path
        Lock file; made where it is missing.
    timeout_s : float
        How long to wait for another holder. [s]
    temporary : bool
        Whether the lock file is removed when the lock is given back.

    Raises
    ------
    LedgerError
        If another process still holds the lock after that.
    """
    deadline = time.monotonic() + timeout_s
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a+b") as file:
            while not _try_lock(file):
                if time.monotonic() >= deadline:
                    raise LedgerError(f"{path} has been held by another process for {timeout_s:g} s. Try again later.")
                time.sleep(_POLL_S)
            try:
                # Whoever held it may have removed the file since it was opened here: then the lock is nobody's.
                if not temporary or _stands_at(file, path):
                    yield
                    return
            finally:
                if temporary and _stands_at(file, path):
                    with suppress(OSError):
                        path.unlink()
                _unlock(file)


def _stands_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
