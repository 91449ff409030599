"""Write a file so that others see either the old one or the complete new one."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_in_one_step(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary neighbour of `path` for writing; it takes the place of `path` when the block ends well.

    Parameters
    ----------
    path : Path
        File to write; its folder is created where it is missing.

    Yields
    ------
    binary file
        Written to disk (fsync) before it is renamed, so that a power cut cannot leave an empty file either.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with neighbour.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    finally:
        neighbour.unlink(missing_ok=True)
