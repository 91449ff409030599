"""CSV files of readings: encoding, delimiter, hostile shapes, and a stream of text chunks.

One pass over the bytes hashes the file and refuses what no row can be read from (binary data, lines without end,
quotes that run over lines); a second pass parses in blocks, so memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from gridcheck.errors import InputError, SchemaError
from gridcheck.monitoring.formats import HEADER_SEARCH_ROWS, Layout, find_layout
from gridcheck.monitoring.sources import MISSING_WORDS, RaggedRow, TextChunk

MAX_LINE_BYTES = 65_536
"""Longest line accepted; 96 points need about 1000 bytes."""

_SCAN_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 21
_DELIMITERS = (",", "\t", ";")
_OTHER_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """A CSV file that has passed the first look; see `sources.ReadingsFile` for the meaning of the members."""

    path: Path
    sha256: str
    encoding: str
    layout: Layout
    delimiter: str
    quoted: bool
    stamp: tuple[int, int]
    notes: tuple[str, ...] = ()
    ragged: list[RaggedRow] = field(default_factory=list)

    def chunks(self) -> Iterator[TextChunk]:
        """Yield the rows below the header in order.

        Raises
        ------
        InputError
            If the file cannot be parsed, or was changed since it was hashed.
        """
        try:
            yield from self._parsed()
        except pa.ArrowInvalid as error:
            raise InputError(f"{self.path.name} cannot be read as CSV: {error}. Export it again.") from error
        if _stamp(self.path) != self.stamp:
            raise InputError(f"{self.path.name} was changed while it was read. Ingest it again when it is complete.")

    def _parsed(self) -> Iterator[TextChunk]:
        layout = self.layout
        names = [str(position) for position in range(len(layout.headers))]
        used = [name for name, role in zip(names, layout.roles, strict=True) if role]
        with pacsv.open_csv(
            self.path,
            # Without threads the parser knows the number of a faulty line.
            pacsv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                skip_rows=layout.header_row,
                column_names=names,
                encoding=self.encoding,
            ),
            pacsv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if self.quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=self._on_ragged,
            ),
            pacsv.ConvertOptions(
                include_columns=used,
                column_types={name: pa.string() for name in used},
                null_values=list(MISSING_WORDS),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        ) as reader:
            cursor = layout.header_row + 1
            for batch in reader:
                row = self._row_numbers(cursor, batch.num_rows)
                cursor = int(row[-1]) + 1 if len(row) else cursor
                columns = {int(name): batch.column(place) for place, name in enumerate(used)}
                yield TextChunk(row=row, columns=columns)

    def _on_ragged(self, invalid: Any) -> str:
        self.ragged.append(
            RaggedRow(row=int(invalid.number), n_cell=int(invalid.actual_columns), text=invalid.text[:80])
        )
        return "skip"

    def _row_numbers(self, first: int, n_row: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the next `n_row` lines that are not ragged."""
        # The parser reads ahead, so the list may already hold lines beyond this chunk.
        ragged = np.array([line.row for line in self.ragged if line.row >= first], dtype=np.int64)
        numbers = np.arange(first, first + n_row + len(ragged), dtype=np.int64)
        return numbers[~np.isin(numbers, ragged)][:n_row]


def open_csv(path: Path) -> CsvFile:
    """Look at a CSV file once: hash, encoding, delimiter, header.

    Parameters
    ----------
    path : Path
        File in UTF-8 (with or without byte order mark) or GB18030 (which includes GBK and GB2312).

    Returns
    -------
    CsvFile
        Ready to be streamed.

    Raises
    ------
    InputError
        If the file is empty, binary, in another encoding, or has a line that cannot be one of readings.
    """
    stamp = _stamp(path)
    scan = _Scan(path.name)
    with path.open("rb") as file:
        while block := file.read(_SCAN_BYTES):
            scan.take(block)
    scan.finish()
    encoding = "utf-8" if scan.is_utf8 else _require_gb18030(path)
    layout, delimiter = _find_header(path, encoding)
    return CsvFile(
        path=path,
        sha256=scan.hash.hexdigest(),
        encoding=encoding,
        layout=layout,
        delimiter=delimiter,
        quoted=scan.n_quote > 0,
        stamp=stamp,
    )


class _Scan:
    """The first pass over the bytes of a file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hash = hashlib.sha256()
        self.is_utf8 = True
        self.n_quote = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._n_line = 0
        self._open_bytes = 0  # Length of the line that the last block left open.
        self._after_return = False

    def take(self, block: bytes) -> None:
        """Look at the next block."""
        if self._n_line == 0 and self._open_bytes == 0 and block[:2] in _OTHER_BOMS:
            raise InputError(f"{self.name} is in {_OTHER_BOMS[block[:2]]}. Save it as CSV UTF-8.")
        self.hash.update(block)
        if b"\x00" in block:
            raise InputError(f"{self.name} holds binary data, not text. Give a .csv in UTF-8 or GB18030, or an .xlsx.")
        if self.is_utf8:
            try:
                self._decoder.decode(block)
            except UnicodeDecodeError:
                self.is_utf8 = False
        self._lines(np.frombuffer(block, dtype=np.uint8))

    def _lines(self, octets: npt.NDArray[np.uint8]) -> None:
        ends = np.flatnonzero(octets == _NEWLINE)
        lengths = np.diff(ends, prepend=-1 - self._open_bytes)
        self._open_bytes = len(octets) - 1 - int(ends[-1]) if len(ends) else self._open_bytes + len(octets)
        longest = max(int(lengths.max(initial=0)), self._open_bytes)
        if longest > MAX_LINE_BYTES:
            line = self._n_line + 1 + (int(lengths.argmax()) if lengths.max(initial=0) == longest else len(ends))
            raise InputError(
                f"{self.name}, line {line} is over {MAX_LINE_BYTES} bytes long; a day of 96 points needs about 1000. "
                "Export the file again."
            )
        self._quotes(octets, ends)
        returns = np.flatnonzero(octets == _RETURN)
        followed = np.append(octets[1:], _NEWLINE)[returns] == _NEWLINE
        if not followed.all() or (self._after_return and octets[0] != _NEWLINE):
            raise InputError(f"{self.name} has line ends of carriage return alone. Save it with LF or CR LF.")
        self._after_return = bool(octets[-1] == _RETURN)
        self._n_line += len(ends)

    def _quotes(self, octets: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp]) -> None:
        quotes = np.flatnonzero(octets == _QUOTE)
        if len(quotes):
            odd = (self.n_quote + np.searchsorted(quotes, ends)) % 2 == 1
            if odd.any():
                line = self._n_line + 1 + int(odd.argmax())
                raise InputError(f"{self.name}, line {line}: a quoted value does not end on its line. Close the quote.")
            self.n_quote += len(quotes)

    def finish(self) -> None:
        """Judge the file as a whole."""
        if self._n_line == 0 and self._open_bytes == 0:
            raise InputError(f"{self.name} is empty. Export it again.")
        if self.n_quote % 2:
            raise InputError(f"{self.name}: the last line opens a quoted value and does not close it. Close the quote.")
        if self.is_utf8:
            try:
                self._decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self.is_utf8 = False


def _require_gb18030(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("gb18030")()
    position = 0
    with path.open("rb") as file:
        try:
            while block := file.read(_SCAN_BYTES):
                decoder.decode(block)
                position += len(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path.name} is neither UTF-8 nor GB18030 (near byte {position + error.start}). Save it as CSV UTF-8."
            ) from error
    return "gb18030"


def _find_header(path: Path, encoding: str) -> tuple[Layout, str]:
    with path.open("rb") as file:
        lines = [file.readline(MAX_LINE_BYTES) for _ in range(HEADER_SEARCH_ROWS)]
    text = b"".join(lines).decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    faults = []
    for delimiter in _DELIMITERS:
        rows = [row[:MAX_LINE_BYTES] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
        try:
            return find_layout(rows, where=path.name), delimiter
        except SchemaError as error:
            faults.append((max((len(row) for row in rows), default=0), error))
    # The delimiter that splits the lines into most cells is the one meant; its fault is the one to show.
    raise max(faults, key=lambda fault: fault[0])[1]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
