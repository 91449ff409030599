"""Read the element tables of a pandapower JSON file without running anything that the file names.

pandapower's own reader builds objects of classes that are named inside the file (in older versions from any
module). This reader takes known tables only, each as plain rows of numbers and text; a file can at worst be
refused.
"""

from __future__ import annotations

import json
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network.columns import flags, rows_in_service

MAX_FILE_MB = 200
# Element tables that become part of the network.
MODELLED = (
    "bus",
    "line",
    "trafo",
    "load",
    "sgen",
    "storage",
    "shunt",
    "ext_grid",
    "switch",
    "asymmetric_load",
    "asymmetric_sgen",
    "impedance",
    "ward",
    "motor",
    "gen",  # as a source only
)
# Element tables that change a load flow and are not modelled: in service they are refused, never dropped.
REFUSED = (
    "trafo3w", "xward", "dcline", "svc", "tcsc", "ssc", "vsc", "b2b_vsc", "line_dc", "bus_dc", "source_dc", "load_dc",
    "bi_vsc", "vsc_stacked", "vsc_bipolar",
)  # fmt: skip
# Tables that no load flow reads.
NOT_ELECTRIC = ("measurement", "pwl_cost", "poly_cost", "controller", "group")
# A table with one of these columns and rows in service looks like an element of a later pandapower.
_PLACES = ("bus", "from_bus", "hv_bus")

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
    found = content.get("_object")
    if content.get("_class") != "pandapowerNet" or not isinstance(found, dict):
        raise NetworkError(f"{path} is not a pandapower network. Write it with pandapower.to_json(net, file).")
    raw: dict[str, pd.DataFrame] = {}
    for name, value in found.items():
        is_table = isinstance(value, dict) and value.get("_class") == "DataFrame"
        if name in (*MODELLED, *REFUSED) and not is_table:
            raise NetworkError(f"{path}: '{name}' is not a table.")
        if name in (*MODELLED, *REFUSED) or (is_table and _may_be_element(name, value.get("_object"))):
            raw[name] = _frame(value.get("_object"), path, name)
    if "bus" not in raw or raw["bus"].empty:
        raise NetworkError(f"{path}: the table 'bus' is missing or empty.")
    return select_modelled(raw, source=str(path)), read_header(
        found, name=path.parent.name or path.stem, source=str(path)
    )


def _may_be_element(name: str, inner: object) -> bool:
    """Tell unknown tables with the columns of an element; others may hold anything and are not looked at."""
    if is_result(name) or name in NOT_ELECTRIC:
        return False
    try:
        content = json.loads(inner) if isinstance(inner, str) else inner
    except (ValueError, RecursionError):
        return False
    columns = content.get("columns") if isinstance(content, dict) else None
    return isinstance(columns, list) and _is_element(columns)


def is_result(name: str) -> bool:
    """Tell tables that a calculation has written, and for those that pandapower keeps for itself."""
    return name.startswith(("res_", "_"))


def read_header(found: Mapping[str, Any], *, name: str, source: str) -> dict[str, float | str]:
    """Return ``name``, ``f_hz`` and ``sn_mva`` of a net; 50 Hz and 1 MVA where they are missing.

    Raises
    ------
    NetworkError
        If a value is not a positive number.
    """
    header: dict[str, float | str] = {"name": str(found.get("name") or name)}
    for key, usual in (("f_hz", 50.0), ("sn_mva", 1.0)):
        value = found.get(key)
        value = usual if value is None else value
        # The upper end keeps whole numbers out that are too long to be a float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
            raise NetworkError(f"{source}: {key} must be a number greater than 0. Got {value!r:.40}.")
        header[key] = float(value)
    return header


def select_modelled(raw: Mapping[str, pd.DataFrame], *, source: str) -> dict[str, pd.DataFrame]:
    """Keep the modelled tables and refuse in-service elements of every other kind.

    Raises
    ------
    NetworkError
        If two elements of a table have the same id, or an id is not a whole number.
    UnsupportedElementError
        Naming kinds and ids.
    """
    refuse_unmodelled(raw, source=source)
    return {name: raw[name] for name in MODELLED if name in raw}


def refuse_unmodelled(raw: Mapping[str, pd.DataFrame], *, source: str) -> None:
    """Refuse in-service elements of kinds that are not modelled; raises as `select_modelled`."""
    elements = {name: frame for name, frame in raw.items() if name in MODELLED or _is_refused(name, frame)}
    check_ids(elements, source=source)
    findings = []
    for name, frame in elements.items():
        if name in MODELLED and name != "gen":
            continue
        active = rows_in_service(frame)
        if name == "gen" and len(active):  # a generator that holds the angle as well is a source
            active = active[~flags(active, "slack", default=False)]
        if len(active):
            findings.append(f"{name}: ids {', '.join(str(i) for i in list(active.index)[:20])}")
    if findings:
        raise UnsupportedElementError(
            f"{source} holds in-service elements that gridcheck does not model; "
            "take them out of service or replace them.",
            findings,
        )


def _is_refused(name: str, frame: pd.DataFrame) -> bool:
    return name in REFUSED or (name not in (*MODELLED, *NOT_ELECTRIC) and _is_element(list(frame.columns)))


def check_ids(tables: Tables, *, source: str) -> None:
    """Check that every id of a table is a whole number that stands there once.

    Raises
    ------
    NetworkError
        Naming tables and ids.
    """
    findings = []
    for name, frame in tables.items():
        index = frame.index
        if index.dtype.kind not in "iu":
            odd = [i for i in index if isinstance(i, bool) or not isinstance(i, numbers.Real) or i != i // 1]
            findings += [f"{name} {i!r}: an id must be a whole number" for i in odd[:20]]
        twice = index[index.duplicated()].unique()
        findings += [f"{name} {i}: {(index == i).sum()} elements have this id" for i in twice[:20]]
    if findings:
        raise NetworkError(f"{source}: every element needs an id of its own.", findings)


def _is_element(columns: list[Any]) -> bool:
    return "in_service" in columns and any(place in columns for place in _PLACES)


def _load_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NetworkError(f"{path} does not exist. Give the path of a pandapower JSON file.")
    if path.stat().st_size > MAX_FILE_MB * 2**20:
        raise NetworkError(f"{path} is larger than {MAX_FILE_MB} MB.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # undecodable text and overlong numbers are ValueErrors too
        raise NetworkError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(content, dict):
        raise NetworkError(f"{path} is not a pandapower network.")
    return content


def _frame(inner: object, path: Path, table: str) -> pd.DataFrame:
    where = f"{path}: the table '{table}'"
    try:
        content = json.loads(inner) if isinstance(inner, str) else inner
    except (ValueError, RecursionError) as error:
        raise NetworkError(f"{where} is not readable JSON: {error}") from error
    parts: list[Any] = [content.get(key) for key in ("columns", "index", "data")] if isinstance(content, dict) else []
    if len(parts) != 3 or not all(isinstance(part, list) for part in parts):
        raise NetworkError(f"{where} is not a table in split form (columns, index, data).")
    columns, index, rows = parts
    if not all(isinstance(column, str) for column in columns) or len(set(columns)) != len(columns):
        raise NetworkError(f"{where} must have columns with names of their own.")
    if not all(type(i) is int and abs(i) < 2**63 for i in index) or len(set(index)) != len(index):
        raise NetworkError(f"{where} must have unique whole numbers as index.")
    if len(rows) != len(index) or not all(isinstance(row, list) and len(row) == len(columns) for row in rows):
        raise NetworkError(f"{where} must have one row per index and one cell per column.")
    if any(isinstance(cell, dict | list) for row in rows for cell in row):
        raise NetworkError(f"{where} holds nested objects; only numbers and text are accepted.")
    return pd.DataFrame(rows, columns=columns, index=pd.Index(index, dtype="int64"))
