"""A results folder as a whole: written beside its place, put there complete or not at all, read back as one record."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck import __version__
from gridcheck.errors import LedgerError
from gridcheck.reports.curves import CURVES_FILE
from gridcheck.reports.place import SUMMARY_FILE, current_folder, held_place
from gridcheck.reports.schemas import TABLES
from gridcheck.reports.tables import csv_bytes, read_table, write_bytes

REQUIRED_SUMMARY_KEYS = ("synthetic", "budget_yuan")
_TRIES = 3

# What the parts of a summary are that reports and screens read.
_SUMMARY_KINDS: Mapping[str, tuple[type, ...]] = {
    "synthetic": (bool,),
    "budget_yuan": (int, float),
    "files": (dict,),
    "totals": (dict,),
    "scenario": (dict,),
    "around": (dict,),
    "inputs": (dict,),
    "applications": (dict,),
    "limits": (list,),
    "limits_of_model": (list,),
}
_KIND_NAMES: Mapping[type, str] = {bool: "true or false", int: "a number", dict: "an object", list: "a list"}
_LIMIT_KINDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "value": (int, float),
    "unit": (str,),
    "clause": (str,),
    "confidence": (str,),
}

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results:
    """All tables of one run, as read from its folder.

    Attributes
    ----------
    folder : Path
        Where they were read.
    decisions, plan, n_minus_1, areas, feeders, counties, violations : DataFrame
        One row per row of the file of the same name; times UTC, columns as in `schemas`.
    summary : mapping
        Content of ``summary.json``: totals and provenance.
    """

    folder: Path
    decisions: pd.DataFrame
    plan: pd.DataFrame
    n_minus_1: pd.DataFrame
    areas: pd.DataFrame
    feeders: pd.DataFrame
    counties: pd.DataFrame
    violations: pd.DataFrame
    summary: Summary

    @property
    def synthetic(self) -> bool:
        """Whether anything in the run is synthetic; taken as true unless the summary says otherwise."""
        return bool(self.summary.get("synthetic", True))

    @property
    def budget_yuan(self) -> float:
        """Money of the reinforcement plan. [yuan]"""
        return float(self.summary["budget_yuan"])

    @property
    def curves_path(self) -> Path:
        """The file with the load curves; it may be absent."""
        return self.folder / CURVES_FILE

    def table(self, name: str) -> pd.DataFrame:
        """Return the table of the file called `name`."""
        if name not in TABLES:
            raise LedgerError(f"A results folder has no table {name!r}. Tables: {', '.join(TABLES)}.")
        table: pd.DataFrame = getattr(self, name)
        return table


def write_results(tables: Mapping[str, pd.DataFrame], summary: Summary, folder: Path) -> None:
    """Write all tables and the summary into `folder`, which must exist.

    The summary goes last and carries the number of rows and the SHA-256 of each table, so a reader
    can tell a whole folder from a torn one. Use with `publish` for a folder that others read.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        One entry per name in `schemas.TABLES`.
    summary : mapping
        Totals and provenance; at least ``synthetic`` and ``budget_yuan``.
    folder : Path
        An existing folder.

    Raises
    ------
    LedgerError
        If a table or a key of the summary is missing.
    SchemaError
        If a table breaks a rule of its columns.
    """
    absent = [name for name in TABLES if name not in tables]
    absent += [f"summary key {key}" for key in REQUIRED_SUMMARY_KEYS if key not in summary]
    if absent:
        raise LedgerError(f"Results for {folder} are incomplete: missing {', '.join(absent)}.")
    files: dict[str, dict[str, Any]] = {}
    for name, spec in TABLES.items():
        content = csv_bytes(tables[name], spec)
        write_bytes(folder / spec.file_name, content)
        files[spec.file_name] = {"rows": len(tables[name]), "sha256": hashlib.sha256(content).hexdigest()}
    whole = {"gridcheck_version": __version__, **summary, "files": files}
    text = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    write_bytes(folder / SUMMARY_FILE, f"{text}\n".encode())


def read_results(folder: Path) -> Results:
    """Read the folder that `gridcheck run` wrote.

    Raises
    ------
    LedgerError
        If the folder or a file of it is missing, torn, edited, or not what its name says.
    """
    for _ in range(_TRIES):
        place = current_folder(folder)
        before = _identity(place)
        try:
            return _read(folder, place)
        except LedgerError:
            # Another run may have put its results there meanwhile.
            if _identity(current_folder(folder)) == before:
                raise
    return _read(folder, current_folder(folder))


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = (folder / SUMMARY_FILE).stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _read(folder: Path, place: Path) -> Results:
    if not place.is_dir():
        raise LedgerError(f"There is no results folder {folder}. Write one with `gridcheck run --out {folder}`.")
    absent = [spec.file_name for spec in TABLES.values() if not (place / spec.file_name).is_file()]
    absent += [SUMMARY_FILE] if not (place / SUMMARY_FILE).is_file() else []
    if absent:
        raise LedgerError(
            f"{folder} is not a complete results folder: missing {', '.join(absent)}. "
            f"Write it whole with `gridcheck run --out {folder}`."
        )
    try:
        summary = _read_summary(place / SUMMARY_FILE)
        tables = {name: read_table(place / spec.file_name, spec) for name, spec in TABLES.items()}
        _require_as_written(place, tables, summary)
    except OSError as error:
        raise LedgerError(f"{error.filename or place} cannot be read: {error.strerror or error}.") from error
    return Results(folder=place, summary=summary, **tables)


def _read_summary(path: Path) -> Summary:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise LedgerError(f"{path} is not JSON: {error}. Run `gridcheck run` again.") from error
    if not isinstance(summary, dict):
        raise LedgerError(f"{path} lacks {', '.join(REQUIRED_SUMMARY_KEYS)}. Run `gridcheck run` again.")
    absent = [key for key in (*REQUIRED_SUMMARY_KEYS, "files") if key not in summary]
    if absent:
        raise LedgerError(f"{path} lacks {', '.join(absent)}. Run `gridcheck run` again.")
    wrong = [f"{key} must be {kind}" for key, kind in _wrong_kinds(summary, _SUMMARY_KINDS)]
    wrong = wrong or [f"files.{name} must hold rows and sha256" for name in _torn_entries(summary["files"])]
    for number, limit in enumerate(summary.get("limits", []) if not wrong else []):
        kinds = (
            _wrong_kinds({"name": None, "value": None, **limit}, _LIMIT_KINDS)
            if isinstance(limit, dict)
            else [("it", "an object")]
        )
        wrong += [f"limits[{number}]: {key} must be {kind}" for key, kind in kinds]
    if wrong:
        raise LedgerError(f"{path} was not written by gridcheck: {'; '.join(wrong[:5])}. Run `gridcheck run` again.")
    result: Summary = summary
    return result


def _wrong_kinds(found: Mapping[str, Any], kinds: Mapping[str, tuple[type, ...]]) -> list[tuple[str, str]]:
    """Return the keys whose value is of another kind, with the kind that is allowed."""
    return [
        (key, _KIND_NAMES.get(allowed[0], "a text"))
        for key, allowed in kinds.items()
        if key in found
        # A truth value is an int to Python, and JSON as read here knows numbers that are none.
        and (
            not isinstance(found[key], allowed)
            or (isinstance(found[key], bool) and bool not in allowed)
            or (isinstance(found[key], float) and not math.isfinite(found[key]))
        )
    ]


def _torn_entries(files: Mapping[str, Any]) -> list[str]:
    entries = {**dict.fromkeys(spec.file_name for spec in TABLES.values()), **files}
    return [
        name
        for name, entry in entries.items()
        if not isinstance(entry, dict)
        or _wrong_kinds({"rows": None, "sha256": None, **entry}, {"rows": (int,), "sha256": (str,)})
    ]


def _require_as_written(folder: Path, tables: Mapping[str, pd.DataFrame], summary: Summary) -> None:
    for name, spec in TABLES.items():
        written, path = summary["files"][spec.file_name], folder / spec.file_name
        found = None
        if written["rows"] != len(tables[name]):
            found = f"has {len(tables[name])} rows, {SUMMARY_FILE} says {written['rows']}"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != written["sha256"]:
            found = f"does not have the SHA-256 that {SUMMARY_FILE} says"
        if found:
            raise LedgerError(f"{path} {found}: the folder is torn or was edited. Run `gridcheck run` again.")


def publish(finished: Path, folder: Path) -> None:
    """Put a finished folder in its place: readers see the former one or the new one, never a mixture.

    Parameters
    ----------
    finished : Path
        A complete results folder on the same file system as `folder`; it is moved.
    folder : Path
        Where readers look. An existing results folder is replaced.

    Raises
    ------
    LedgerError
        If `finished` is not complete, or `folder` exists and is not a results folder.
    """
    read_results(finished)
    with held_place(folder) as place:
        place.put(finished)
