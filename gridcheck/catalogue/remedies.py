"""What brings supply back to an area whose transformer is lost: mobile generators and spare transformers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, check_table, packaged_table, source_columns, text_table
from gridcheck.errors import CatalogueError, InputError

GENERATOR, SPARE_TRANSFORMER = "generator", "spare_transformer"
"""Kinds of remedy."""

_FILE = "area_remedies.csv"
_RATING = {GENERATOR: "rated_kw", SPARE_TRANSFORMER: "rated_kva"}
_REMEDIES = TableSchema(
    key=("remedy",),
    columns=(
        Column(name="remedy"),
        Column(name="kind", allowed=tuple(_RATING)),
        Column(name="rated_kw", kind="float", low=5, high=3000, optional=True),
        Column(name="rated_kva", kind="float", low=10, high=2500, optional=True),
        Column(name="bring_minutes", kind="float", low=0, high=2880),
        Column(name="connect_minutes", kind="float", low=1, high=2880),
        *source_columns(),
    ),
)


def area_remedies(path: Path | None = None) -> pd.DataFrame:
    """Return mobile generators and spare transformers, indexed by ``remedy``.

    Parameters
    ----------
    path : Path, optional
        Another table with the same columns; the one of the package where not given.

    Returns
    -------
    DataFrame
        ``kind`` (``generator`` or ``spare_transformer``), ``rated_kw`` of generators and ``rated_kva`` of transformers
        (NaN in rows of the other kind), ``bring_minutes`` from the fault until it stands there, ``connect_minutes``
        from then until it supplies, source columns.

    Raises
    ------
    SchemaError, CatalogueError
        If the table is faulty: names file, row and column.
    InputError
        If it cannot be read.

    Examples
    --------
    >>> float(area_remedies().loc["generator_200", "rated_kw"])
    200.0
    """
    if path is None:
        table, where = packaged_table("gridcheck.catalogue", _FILE, _REMEDIES), _FILE
    else:
        try:
            raw = text_table(path)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}. Name a CSV file with the remedies.") from error
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path} is not a readable CSV file: {error}.") from error
        table, where = check_table(raw, _REMEDIES, where=str(path)), str(path)
    _require_ratings(table, where)
    return table.set_index("remedy")


def _require_ratings(table: pd.DataFrame, where: str) -> None:
    """Require of every row the rating of its kind and no other, and of every kind each rating once."""
    findings = []
    for kind, column in _RATING.items():
        seen: set[float] = set()
        for row, (found, value) in enumerate(zip(table["kind"], table[column], strict=True), start=2):
            fault = ""
            if found == kind and pd.isna(value):
                fault = f"empty; a {kind} needs it"
            elif found == kind and value in seen:
                fault = f"{value:g} repeats an earlier {kind}; keep one of them"
            elif found == kind:
                seen.add(value)
            elif not pd.isna(value):
                fault = f"found {value:g}; leave it empty, only a {kind} has it"
            if fault:
                findings.append(f"row {row}, {column}: {fault}")
    if findings:
        raise CatalogueError(f"{where} breaks its rules; correct the rows named below.", findings)
