"""Words of application files: headings and cells in Chinese and English, and what is said about rows that come back."""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from gridcheck.catalogue.device_columns import CLASS_WORDS
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns

Language = Literal["zh", "en"]

REQUIRED = (
    "application_id", "county_code", "village_code", "area_id", "applied_on", "device", "rated_kw", "phase",
    "household_group",
)  # fmt: skip
"""Columns that every file has."""

REASON_COLUMNS = ("source_row", "reason_zh", "reason_en")
"""Columns that a returned file has beside its own; they are read over when it comes again."""

_SIGNS = re.compile(r"[\s_()\[\]{}（）【】、,，:：/\\\-.\ufeff]")
_DATE = re.compile(
    r"(?:(\d{4})([-/.])(\d{1,2})\2(\d{1,2})|(\d{4})年(\d{1,2})月(\d{1,2})日?|(\d{4})(\d{2})(\d{2}))"
    r"(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?",
    flags=re.ASCII,
)
# Days since the end of 1899 as spreadsheets keep them, where a column of dates was not formatted as one.
_SERIAL = re.compile(r"[45]\d{4}(?:\.0+)?", flags=re.ASCII)
_SERIAL_ZERO = date(1899, 12, 30)
_BOUNDS = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        Column(name="low", kind="float"),
        Column(name="high", kind="float"),
        Column(name="unit"),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with one row.

    Attributes
    ----------
    code : str
        Key of the section ``reason`` of words.toml.
    values : mapping of str to str
        What stands in the places of its sentences.
    near : tuple of str
        Known names that look like the one found.
    """

    code: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    near: tuple[str, ...] = ()

    def text(self, language: Language) -> str:
        """Return the fault as a sentence in Chinese or English."""
        words = _words()
        said: str = words["reason"][self.code][language].format(**self.values)
        if not self.near:
            return said
        hint: str = words["near"][language].format(names=("、" if language == "zh" else ", ").join(self.near))
        return said + hint


@functools.cache
def _words() -> dict[str, Any]:
    with resources.files("gridcheck.connection.intake").joinpath("words.toml").open("rb") as file:
        return tomllib.load(file)


def plain(text: str) -> str:
    """Return a heading or a word as they are compared.

    Examples
    --------
    >>> plain(" 额定功率（ＫＷ）"), plain("Rated_kW")
    ('额定功率kw', 'ratedkw')
    """
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).lower())


def fold(text: str) -> str:
    """Return a text without width, case and blanks around it.

    Examples
    --------
    >>> fold(" ２.５ ＫＷ")
    '2.5 kw'
    """
    return unicodedata.normalize("NFKC", text).strip().lower()


@functools.cache
def _meanings(section: str) -> dict[str, str]:
    own = {plain(word): code for code, words in _words()[section].items() for word in words}
    return {plain(word): code for word, code in CLASS_WORDS.items()} | own if section == "device" else own


def role_of(heading: str) -> str:
    """Return which column a heading means, "" if it is none of those that are read.

    Examples
    --------
    >>> role_of("申请编号"), role_of("额定功率(kW)"), role_of("额定功率(W)"), role_of("电话")
    ('application_id', 'rated_kw', '', '')
    """
    return _meanings("headings").get(plain(heading), "")


def meaning(kind: str, text: str) -> str:
    """Return the code of a word for a device, phase, household_group or heating_source, "" if it is not known.

    Examples
    --------
    >>> meaning("device", "空气源热泵(水)"), meaning("phase", "三相"), meaning("phase", "D")
    ('air_water_heat_pump', 'ABC', '')
    """
    return _meanings(kind).get(plain(text), "")


def device_words_zh() -> tuple[str, ...]:
    """Return the usual Chinese word for each class of devices."""
    return tuple(next(word for word in words if not word.isascii()) for words in _words()["device"].values())


def column_zh(role: str) -> str:
    """Return the Chinese heading of a column."""
    return str(_words()["columns_zh"].get(role, role))


def read_day(text: str, *, serial: bool = True) -> date | None:
    """Return the day that a cell names, None where it names none.

    Parameters
    ----------
    text : str
        2025-10-01, 2025/10/1, 2025.10.1, 20251001 or 2025年10月1日, a time of day behind it or not; a serial number of
        a spreadsheet.
    serial : bool
        False where serial numbers count from another day.

    Examples
    --------
    >>> [str(read_day(text)) for text in ("2025年10月1日", "2025/10/1 08:30", "20251001", "45931", "1/10/2025")]
    ['2025-10-01', '2025-10-01', '2025-10-01', '2025-10-01', 'None']
    """
    cleaned = unicodedata.normalize("NFKC", text).strip()
    if serial and _SERIAL.fullmatch(cleaned):
        return _SERIAL_ZERO + timedelta(days=int(float(cleaned)))
    found = _DATE.fullmatch(cleaned)
    if found is None:
        return None
    year, _, month, day = found.group(1, 2, 3, 4)
    parts = next(
        parts for parts in ((year, month, day), found.group(5, 6, 7), found.group(8, 9, 10)) if parts[0] is not None
    )
    try:
        return date(*(int(part) for part in parts))
    except ValueError:
        return None


@functools.cache
def bounds() -> Mapping[str, tuple[float, float]]:
    """Return lowest and highest value by name: what is plausible in an application, each in the unit of its row."""
    table = packaged_table("gridcheck.connection", "intake/bounds.csv", _BOUNDS)
    return MappingProxyType(
        {
            str(name): (float(low), float(high))
            for name, low, high in zip(table["name"], table["low"], table["high"], strict=True)
        }
    )
