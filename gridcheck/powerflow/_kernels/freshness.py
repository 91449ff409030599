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
from typing import Any

from numba.core import config
from numba.core.caching import UserProvidedCacheLocator

_STAMP = "kernels.sha256"
_ANNOUNCED = "kernels.announced"


def _cache_of(sources: Path) -> Path:
    """Return where numba keeps what it compiles from these sources: beside them, or where the user wants it."""
    settings: Any = config  # numba sets its attributes when it is imported
    if settings.CACHE_DIR:
        locator: Any = UserProvidedCacheLocator
        return Path(settings.CACHE_DIR, locator.get_suitable_cache_subpath(str(sources / "_")))
    return sources / "__pycache__"


def forget_stale_code(folder: Path | None = None) -> None:
    """Remove compiled code that was made from other sources than those of today.

    Parameters
    ----------
    folder : Path, optional
        The folder of the kernels; this one where not given.
    """
    sources = Path(__file__).parent if folder is None else folder
    cache = _cache_of(sources)
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
        cache.mkdir(parents=True, exist_ok=True)
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
    cache = _cache_of(Path(__file__).parent if folder is None else folder)
    with suppress(OSError):
        os.close(os.open(cache / _ANNOUNCED, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        sys.stderr.write(
            "首次使用:正在编译潮流计算,约半分钟。 / First use: compiling the load flow for half a minute.\n"
        )
        sys.stderr.flush()
