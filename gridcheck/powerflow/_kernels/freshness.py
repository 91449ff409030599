"""Compiled code is kept beside the sources; it goes when any of them has changed.

numba looks only at the file in which a function stands. What it takes from another file, a constant or a function that
was compiled into it, would stay as it was.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

_STAMP = "kernels.sha256"
_ANNOUNCED = "kernels.announced"


def forget_stale_code(folder: Path | None = None) -> None:
    """Remove compiled code that was made from other sources than those of today.

    Parameters
    ----------
    folder : Path, optional
        The folder of the kernels; this one where not given.
    """
    sources = Path(__file__).parent if folder is None else folder
    cache = sources / "__pycache__"
    # Where nothing can be written there is nothing of ours to remove either.
    with suppress(OSError):
        digest = hashlib.sha256()
        for path in sorted(sources.glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
        today = digest.hexdigest()
        stamp = cache / _STAMP
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == today:
            return
        for path in [*cache.glob("*.nbi"), *cache.glob("*.nbc"), cache / _ANNOUNCED]:
            path.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(today, encoding="utf-8")


def announce_compilation(folder: Path | None = None) -> None:
    """Say on the terminal that the kernels are being compiled: once, by whichever process comes first.

    Parameters
    ----------
    folder : Path, optional
        The folder of the kernels; this one where not given.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        return
    cache = (Path(__file__).parent if folder is None else folder) / "__pycache__"
    with suppress(OSError):
        os.close(os.open(cache / _ANNOUNCED, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        sys.stderr.write("首次使用:正在编译潮流计算,约一分钟。 / First use: compiling the load flow, about a minute.\n")
        sys.stderr.flush()
