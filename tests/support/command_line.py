"""The command line in this process, and shipped county folders with one thing changed."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from typer.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = ROOT / "networks"
YUANQU, JIANG = "140827", "140826"


def gridcheck(*arguments: str | Path) -> Result:
    """Run a command; what it prints is in ``stdout`` and ``stderr``."""
    from gridcheck.cli import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def content_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@functools.cache
def county_folder(code: str) -> Path:
    """Return the shipped folder of a county."""
    (folder,) = NETWORKS.glob(f"{code}-*")
    return folder


def changed_networks(place: Path, code: str, table: str, change: Callable[[pd.DataFrame], None]) -> Path:
    """Copy one county's folder below `place` and change a table of its network.json; return the folder of folders."""
    networks = place / "networks"
    folder = networks / county_folder(code).name
    shutil.copytree(county_folder(code), folder)
    path = folder / "network.json"
    net = json.loads(path.read_text(encoding="utf-8"))
    split = json.loads(net["_object"][table]["_object"])
    frame = pd.DataFrame(split["data"], columns=split["columns"], index=split["index"])
    change(frame)
    net["_object"][table]["_object"] = frame.to_json(orient="split")
    path.write_text(json.dumps(net), encoding="utf-8")
    return networks
