"""What every reply of an office has in common: number, validity, who signs, who builds and pays. Read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.errors import ConfigError
from gridcheck.reports.texts import LANGUAGES, Language

_DEFAULTS = "letters_settings.toml"
_PLACEHOLDERS = ("{year}", "{county}", "{position}")
_MOST_MONTHS, _MOST_CHARACTERS = 60, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The same words in both languages; empty where they are to be filled in by hand."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        """Return the words in `language`; those of the other one where only that is given."""
        other = self.en if language == "zh" else self.zh
        return (self.zh if language == "zh" else self.en) or other


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSettings:
    """What the letters of one day have in common.

    Attributes
    ----------
    issued_on : date
        Date of the letters.
    number : str
        Pattern of their numbers with ``{year}``, ``{county}`` and ``{position}``.
    validity_months : int
        How long an approval holds.
    telephone : str
        Number to call; empty is printed as a place to be filled in.
    issuer, contact, address : Words
        Who sends the letter; empty likewise.
    property_boundary, metering, builds_and_pays : Words
        General practice that the office may replace.
    """

    issued_on: date
    number: str
    validity_months: int
    telephone: str
    issuer: Words
    contact: Words
    address: Words
    property_boundary: Words
    metering: Words
    builds_and_pays: Words

    @property
    def valid_until(self) -> date:
        """Last day of an approval: the same day of a later month, or the last of that month where it has no such day.

        Examples
        --------
        >>> default_settings(date(2025, 11, 30)).valid_until
        datetime.date(2026, 2, 28)
        """
        until: date = (pd.Timestamp(self.issued_on) + pd.DateOffset(months=self.validity_months)).date()
        return until

    def number_of(self, county_code: str, position: int) -> str:
        """Return the number of one letter.

        Examples
        --------
        >>> default_settings(date(2026, 1, 20)).number_of("140827", 123)[-13:]
        '140827-000123'
        """
        shown = self.number.replace("{year}", str(self.issued_on.year)).replace("{position}", f"{position:06d}")
        # The code is from a file: it goes in last, so that nothing in it is taken for a placeholder.
        return shown.replace("{county}", county_code)


def default_settings(issued_on: date) -> LetterSettings:
    """Return the settings that come with the package: nothing about the office is made up."""
    return LetterSettings(issued_on=issued_on, **_settings_fields(_packaged()))


def read_letter_settings(path: Path | None, issued_on: date) -> LetterSettings:
    """Read the settings of an office; keys that its file leaves out keep the package's values.

    Parameters
    ----------
    path : Path or None
        A TOML file like ``letters_settings.toml`` beside this module; None for the defaults.
    issued_on : date
        Date of the letters.

    Raises
    ------
    ConfigError
        If the file cannot be read, or holds an unknown key or a value that is not allowed.
    """
    if path is None:
        return default_settings(issued_on)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"The settings of letters {path} cannot be read as TOML: {reason}.") from error
    known = _packaged()
    findings = [f"key {key}: unknown. Allowed: {', '.join(known)}" for key in given if key not in known]
    findings += [fault for key, value in given.items() if key in known for fault in _faults(key, value, known[key])]
    if findings:
        raise ConfigError(f"{path} holds what letters cannot use; compare with {_DEFAULTS} of gridcheck.", findings)
    return LetterSettings(issued_on=issued_on, **_settings_fields(known | given))


def _packaged() -> dict[str, Any]:
    source = resources.files("gridcheck.reports").joinpath(_DEFAULTS)
    return tomllib.loads(source.read_text(encoding="utf-8"))


def _settings_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: Words(zh=str(value.get("zh", "")), en=str(value.get("en", ""))) if isinstance(value, dict) else value
        for key, value in values.items()
    }


def _faults(key: str, value: Any, default: Any) -> list[str]:
    if isinstance(default, dict):
        return _faults_of_words(key, value)
    if isinstance(default, int):
        allowed = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_MONTHS
        return [] if allowed else [f"key {key}: {value!r}. Allowed: whole months from 1 to {_MOST_MONTHS}"]
    if not isinstance(value, str) or len(value) > _MOST_CHARACTERS:
        return [f"key {key}: allowed is a text of at most {_MOST_CHARACTERS} characters"]
    missing = [name for name in _PLACEHOLDERS if name not in value] if key == "number" else []
    # Without its county and place two letters would have the same number.
    return [f"key {key}: {value!r} lacks {', '.join(missing)}"] if missing else []


def _faults_of_words(key: str, value: Any) -> list[str]:
    if not isinstance(value, dict) or not value or set(value) - set(LANGUAGES):
        return [f"key {key}: allowed is a table with {' and '.join(LANGUAGES)}"]
    return [
        f"key {key}.{language}: allowed is a text of at most {_MOST_CHARACTERS} characters"
        for language, words in value.items()
        if not isinstance(words, str) or len(words) > _MOST_CHARACTERS
    ]
