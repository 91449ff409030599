"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="print machine-readable output")]
Counties = Annotated[
    list[str] | None, typer.Option("--county", help="six-digit county code; may be given several times")
]
NetworksFolder = Annotated[Path | None, typer.Option("--networks", help="folder with one folder per county")]
ResultsFolder = Annotated[Path, typer.Option("--results", help="folder that `gridcheck run` wrote")]
Database = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="GRIDCHECK_DATABASE",
        metavar="URL",
        help="the ledger: an SQLite file, or postgresql://user@server/database",
    ),
]
LEDGER = "ledger.sqlite"
StoreFolder = Annotated[Path, typer.Option("--store", help="folder of the readings store")]
SCENARIO = Path("scenarios/cold-wave.toml")
