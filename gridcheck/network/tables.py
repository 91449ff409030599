"""Read the element tables of a pandapower JSON file without running anything that the file names.

pandapower's own reader imports modules and builds objects that are named inside the file. This reader
takes known tables only, each as plain rows of numbers and text; a file can at worst be refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.errors import NetworkError, UnsupportedElementError

MAX_FILE_MB = 200
# Element tables that become part of the network.
MODELLED = ("bus", "line", "trafo", "load", "sgen", "storage", "shunt", "ext_grid", "switch", "asymmetric_load", "asymmetric_sgen")
# Element tables that change a load flow and are not modelled: in service they are refused, never dropped.
REFUSED = (
    "gen", "trafo3w", "impedance", "ward", "xward", "dcline", "motor", "svc", "tcsc", "ssc", "vsc", "b2b_vsc",
    "line_dc", "bus_dc", "source_dc", "load_dc", "bi_vsc", "vsc_stacked", "vsc_bipolar",
)  # fmt: skip

Tables = Mapping[str, pd.DataFrame]


def read_tables(path: Path) -> tuple[dict[str, pd.DataFrame], dict[str, float | str]]:
    """Read the tables of a pandapower JSON file.

    Parameters
    ----------
    path : Path
        File written by ``pandapower.to_json``.

    Returns
    -------
    tables : dict of str to DataFrame
        The modelled tables, indexed by pandapower's index.
    header : dict
        ``name``, ``f_hz`` and ``sn_mva`` of the net.

    Raises
    ------
    NetworkError
        If the file is missing, too large, not JSON or not a pandapower net.
    UnsupportedElementError
        If it holds in-service elements that are not modelled.
    """
    content = _load_json(path)
    if content.get("_class") != "pandapowerNet" or not isinstance(content.get("_object"), dict):
        raise NetworkError(f"{path} is not a pandapower network. Write it with pandapower.to_json(net, file).")
    found: dict[str, Any] = content["_object"]
    raw = {name: _frame(found[name], path, name) for name in (*MODELLED, *REFUSED) if _is_frame(found.get(name))}
    if "bus" not in raw or raw["bus"].empty:
        raise NetworkError(f"{path}: the table 'bus' is missing or empty.")
    header: dict[str, float | str] = {
        "name": str(found.get("name") or path.parent.name or path.stem),
        "f_hz": float(found.get("f_hz") or 50.0),
        "sn_mva": float(found.get("sn_mva") or 1.0),
    }
    return select_modelled(raw, source=str(path)), header


def select_modelled(raw: Mapping[str, pd.DataFrame], *, source: str) -> dict[str, pd.DataFrame]:
    """Keep the modelled tables and refuse in-service elements of every other kind.

    Raises
    ------
    UnsupportedElementError
        Naming kinds and ids.
    """
    findings = []
    for name in REFUSED:
        frame = raw.get(name)
        if frame is None or frame.empty:
            continue
        active = frame[frame["in_service"].astype(bool)] if "in_service" in frame else frame
        if len(active):
            findings.append(f"{name}: ids {', '.join(str(i) for i in list(active.index)[:20])}")
    if findings:
        raise UnsupportedElementError(
            f"{source} holds in-service elements that gridcheck does not model; take them out of service or replace them.",
            findings,
        )
    return {name: raw[name] for name in MODELLED if name in raw}


def _load_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NetworkError(f"{path} does not exist. Give the path of a pandapower JSON file.")
    if path.stat().st_size > MAX_FILE_MB * 2**20:
        raise NetworkError(f"{path} is larger than {MAX_FILE_MB} MB.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NetworkError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(content, dict):
        raise NetworkError(f"{path} is not a pandapower network.")
    return content


def _is_frame(value: object) -> bool:
    return isinstance(value, dict) and value.get("_class") == "DataFrame"


def _frame(value: Mapping[str, Any], path: Path, table: str) -> pd.DataFrame:
    inner = value.get("_object")
    try:
        content = json.loads(inner) if isinstance(inner, str) else inner
        columns, index, rows = content["columns"], content["index"], content["data"]
        frame = pd.DataFrame(rows, columns=[str(c) for c in columns], index=index)
    except (TypeError, KeyError, ValueError) as error:
        raise NetworkError(f"{path}: the table '{table}' is not a table in split form: {error}") from error
    if frame.map(lambda cell: isinstance(cell, (dict, list))).to_numpy().any():
        raise NetworkError(f"{path}: the table '{table}' holds nested objects; only numbers and text are accepted.")
    if not all(isinstance(i, int) and not isinstance(i, bool) for i in index) or len(set(index)) != len(index):
        raise NetworkError(f"{path}: the index of the table '{table}' must be unique whole numbers.")
    return frame
