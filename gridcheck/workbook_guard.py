"""Refuse a hostile workbook before any reader opens it.

A small .xlsx can unpack to gigabytes, lie about its size, declare XML entities, or hold two cells so far apart that a
reader which keeps a full grid asks for half a terabyte and ends the process. Here every member is unpacked by this
module under a budget, and every XML part is walked for the extent of its cells and for formulas.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax import SAXException

import defusedxml
from defusedxml.expatreader import DefusedExpatParser

from gridcheck.errors import InputError

MAX_FILE_BYTES = 100 * 2**20
MAX_UNPACKED_BYTES = 300 * 2**20
MAX_RATIO = 200
MAX_MEMBERS = 500
MAX_GRID_CELLS = 5_000_000
"""Largest rows x columns of one sheet; a week of 2000 areas in wide form has 6.9 million, so give that as CSV."""

_RATIO_FREE_BYTES = 2**20  # Small members of blanks compress well; the ratio counts from here.
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 0x1
_COLUMN = re.compile(r"[A-Za-z]{1,3}")
_MAX_ROW_DIGITS = 7
_PIECE_BYTES = 1 << 16
_RELATIONS = "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookFacts:
    """What the guard learnt of a workbook.

    Attributes
    ----------
    unpacked_bytes : int
        Size of all members unpacked.
    formulas : frozenset of (int, int)
        Row and column, counted from 0, of every formula cell of the first sheet.
    """

    unpacked_bytes: int
    formulas: frozenset[tuple[int, int]]


def check_workbook(content: bytes, *, where: str) -> WorkbookFacts:
    """Walk through a workbook without trusting it.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        Name of the file for messages.

    Returns
    -------
    WorkbookFacts
        Size and formula cells.

    Raises
    ------
    InputError
        If the file is not a plain .xlsx within the limits of this module.
    """
    try:
        return _walk(content)
    except _RefusedError as error:
        raise InputError(f"{where} is refused: {error}. Save it anew as a plain .xlsx or as CSV UTF-8.") from error
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError) as error:
        raise InputError(f"{where} is not a readable .xlsx ({error}). Save it anew.") from error
    except (SAXException, defusedxml.DefusedXmlException, ValueError) as error:
        raise InputError(f"{where} holds XML that is not accepted ({error}). Save it anew.") from error


class _RefusedError(Exception):
    """A limit of this module is passed."""


def _walk(content: bytes) -> WorkbookFacts:
    if len(content) > MAX_FILE_BYTES:
        raise _RefusedError(f"{len(content) / 2**20:.0f} MiB, allowed are {MAX_FILE_BYTES // 2**20}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    _check_members(members)
    unpacked = 0
    sheets: dict[str, _Part] = {}
    for member in members:
        part = _Part()
        is_xml = member.filename.endswith((".xml", ".rels"))
        n_bytes = 0
        for piece in _unpacked(content, member):
            n_bytes += len(piece)
            if unpacked + n_bytes > MAX_UNPACKED_BYTES:
                raise _RefusedError(f"it unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB")
            if n_bytes > _RATIO_FREE_BYTES and n_bytes > MAX_RATIO * member.compress_size:
                raise _RefusedError(f"{member.filename} unpacks to more than {MAX_RATIO} times its size")
            if is_xml:
                part.feed(piece)
        if is_xml:
            part.close()
            sheets[member.filename] = part
        unpacked += n_bytes
    first = _first_sheet(sheets)
    return WorkbookFacts(unpacked_bytes=unpacked, formulas=frozenset(sheets[first].formulas))


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS:
        raise _RefusedError(f"{len(members)} members, allowed are {MAX_MEMBERS}")
    if len(set(names)) != len(names):
        raise _RefusedError("two members have the same name")
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names or _RELATIONS not in names:
        raise _RefusedError("it is an archive but not an .xlsx workbook")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _RefusedError("it holds macros")


def _unpacked(content: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked bytes of a member as the compressed stream has them, whatever the directory says."""
    if member.flag_bits & _ENCRYPTED or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _RefusedError(f"{member.filename} is encrypted or packed in an unusual way")
    header = _LOCAL_HEADER.unpack_from(content, member.header_offset)
    start = member.header_offset + _LOCAL_HEADER.size + header[-2] + header[-1]
    packed = memoryview(content)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        for place in range(0, len(packed), _PIECE_BYTES):
            yield bytes(packed[place : place + _PIECE_BYTES])
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    rest: bytes | memoryview = packed
    while not inflate.eof and len(rest):
        yield inflate.decompress(rest, _PIECE_BYTES)
        rest = inflate.unconsumed_tail
    if not inflate.eof:
        yield inflate.flush()


class _Part(DefusedExpatParser):  # type: ignore[misc]  # defusedxml has no types
    """Walks one XML part, whichever kind it is, and measures the extent of its cells.

    Hooks into the parser below SAX, because a sheet has millions of cells and only the starts of elements matter.
    """

    def __init__(self) -> None:
        super().__init__(forbid_dtd=True)
        self.formulas: set[tuple[int, int]] = set()
        self.sheet_relation = ""
        self.targets: dict[str, str] = {}
        self._row = self._column = -1
        self._last_row = self._last_column = 0
        self._columns: dict[str, int] = {}

    def reset(self) -> None:
        """Prepare the parser; texts and ends of elements are passed over."""
        super().reset()
        self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = None

    def start_element(self, name: str, attrs: dict[str, str]) -> None:
        """Take note of rows, cells, formulas, sheets and relations."""
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._place_cell(attrs.get("r"))
        elif tag == "f":
            self.formulas.add((self._row, self._column))
        elif tag == "row":
            number = attrs.get("r")
            self._row = int(number) - 1 if number is not None else self._row + 1
            self._column = -1
        elif tag == "sheet" and not self.sheet_relation:
            self.sheet_relation = next((attrs[key] for key in attrs if key.endswith(":id")), "")
        elif tag == "Relationship":
            self.targets[attrs.get("Id", "")] = attrs.get("Target", "")

    def _place_cell(self, reference: str | None) -> None:
        if reference is None:
            self._column += 1
        else:
            letters = reference.rstrip("0123456789")
            column = self._columns.get(letters)
            self._column = self._column_of(letters) if column is None else column
            self._row = _row_of(reference[len(letters) :])
        if self._row < self._last_row and self._column < self._last_column:
            return
        self._last_row = max(self._last_row, self._row + 1)
        self._last_column = max(self._last_column, self._column + 1)
        if self._last_row * self._last_column > MAX_GRID_CELLS:
            raise _RefusedError(
                f"its cells span {self._last_row} rows x {self._last_column} columns, "
                f"allowed are {MAX_GRID_CELLS} cells"
            )

    def _column_of(self, letters: str) -> int:
        if not _COLUMN.fullmatch(letters):
            raise _RefusedError(f"a cell stands in column {letters[:20]!r}")
        column = 0
        for letter in letters.upper():
            column = column * 26 + ord(letter) - ord("A") + 1
        self._columns[letters] = column - 1
        return column - 1


def _row_of(digits: str) -> int:
    if not 0 < len(digits) <= _MAX_ROW_DIGITS:
        raise _RefusedError(f"a cell stands in row {digits[:20]!r}")
    return int(digits) - 1


def _first_sheet(parts: dict[str, _Part]) -> str:
    """Return the name of the part that holds the first sheet; every part a reader may open must have been walked."""
    targets = parts[_RELATIONS].targets
    names = {key: target.lstrip("/") if target.startswith("/") else f"xl/{target}" for key, target in targets.items()}
    unseen = [name for name in names.values() if name not in parts]
    first = names.get(parts["xl/workbook.xml"].sheet_relation, "")
    if unseen or not first:
        raise _RefusedError(f"its relations name a part that is not XML: {unseen[:3]}" if unseen else "it has no sheet")
    return first
