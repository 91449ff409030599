"""A file of readings as a stream of text columns, whatever it was: what CSV files and workbooks have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gridcheck.monitoring.formats import Layout

FORMULA_MARK = "=formula"
"""Text that stands for a formula cell of a workbook: its stored result may be old or missing, so it is not used."""

MISSING_WORDS = (
    "",
    "-",
    "--",
    "---",
    "—",
    "/",
    "\\",
    "null",
    "NULL",
    "None",
    "nan",
    "NaN",
    "NAN",
    "NA",
    "N/A",
    "#N/A",
    "无",
)
"""Cells that mean "not measured"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextChunk:
    """Some rows of a file as text.

    Attributes
    ----------
    row : ndarray of int64, shape (n_row,)
        Row numbers in the file, counted from 1 with the header.
    columns : mapping of int to pyarrow string array, each of length n_row
        Cells of the columns in use by position; null where the file says "not measured" or nothing.
    """

    row: npt.NDArray[np.int64]
    columns: Mapping[int, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaggedRow:
    """A row with another number of cells than the header: number, cells found, its beginning."""

    row: int
    n_cell: int
    text: str


class ReadingsFile(Protocol):
    """What `ingest` needs from a file."""

    @property
    def sha256(self) -> str:
        """Hash of the bytes of the file."""

    @property
    def encoding(self) -> str:
        """Encoding of a text file, or ``xlsx``."""

    @property
    def layout(self) -> Layout:
        """What stands where."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know, e.g. sheets that are not read."""

    @property
    def ragged(self) -> list[RaggedRow]:
        """Rows left out of the chunks because their number of cells is wrong; complete after the last chunk."""

    def chunks(self) -> Iterator[TextChunk]:
        """Yield the rows below the header in order."""
