"""A results folder as a whole: written beside its place, put there complete or not at all, read back as one record."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.errors import LedgerError
from gridcheck.reports.curves import CURVES_FILE
from gridcheck.reports.schemas import TABLES
from gridcheck.reports.tables import csv_bytes, read_table, write_bytes

SUMMARY_FILE = "summary.json"
REQUIRED_SUMMARY_KEYS = ("synthetic", "budget_yuan")

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
    whole = {**summary, "files": files}
    text = json.dumps(whole, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    write_bytes(folder / SUMMARY_FILE, f"{text}\n".encode())


def read_results(folder: Path) -> Results:
    """Read the folder that `gridcheck run` wrote.

    Raises
    ------
    LedgerError
        If the folder or a file of it is missing, torn, or not what its name says.
    """
    if not folder.is_dir():
        raise LedgerError(f"There is no results folder {folder}. Write one with `gridcheck run --out {folder}`.")
    absent = [spec.file_name for spec in TABLES.values() if not (folder / spec.file_name).is_file()]
    absent += [SUMMARY_FILE] if not (folder / SUMMARY_FILE).is_file() else []
    if absent:
        raise LedgerError(
            f"{folder} is not a complete results folder: missing {', '.join(absent)}. "
            f"Write it whole with `gridcheck run --out {folder}`."
        )
    summary = _read_summary(folder / SUMMARY_FILE)
    tables = {name: read_table(folder / spec.file_name, spec) for name, spec in TABLES.items()}
    _require_row_counts(folder, tables, summary)
    return Results(folder=folder, summary=summary, **tables)


def _read_summary(path: Path) -> Summary:
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LedgerError(f"{path} is not JSON: {error}. Run `gridcheck run` again.") from error
    absent = [key for key in REQUIRED_SUMMARY_KEYS if key not in summary] if isinstance(summary, dict) else ["object"]
    if absent:
        raise LedgerError(f"{path} lacks {', '.join(absent)}. Run `gridcheck run` again.")
    result: Summary = summary
    return result


def _require_row_counts(folder: Path, tables: Mapping[str, pd.DataFrame], summary: Summary) -> None:
    files = summary.get("files", {})
    for name, spec in TABLES.items():
        expected = files.get(spec.file_name, {}).get("rows")
        if expected is not None and expected != len(tables[name]):
            raise LedgerError(
                f"{folder / spec.file_name} has {len(tables[name])} rows, {SUMMARY_FILE} says {expected}: "
                "the folder is torn or was edited. Run `gridcheck run` again."
            )


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
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMMARY_FILE).is_file():
        raise LedgerError(f"{folder} exists and is not a results folder; it is left alone. Name another with --out.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    former = folder.with_name(f".{folder.name}.former")
    if former.exists():
        shutil.rmtree(former)
    if folder.exists():
        folder.rename(former)
    try:
        finished.rename(folder)
    except OSError as error:
        if former.exists():
            former.rename(folder)
        raise LedgerError(f"{finished} cannot be moved to {folder}: {error}. The former folder stays.") from error
    if former.exists():
        shutil.rmtree(former)
