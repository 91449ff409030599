"""Every word that a person reads in reports and dashboards, in Chinese and English.

The words stand in ``texts.toml`` beside this module, those of letters, of published room and of the desk in files
of their own: a section per kind of code, an entry per code with ``zh`` and ``en``. Nothing else in
`gridcheck.reports` or `dashboards` holds a Chinese literal, but for ``letters_settings.toml``, which an office
replaces by its own.
`text` is for fixed wording and fails on an unknown key; `label` is for codes found in result files
and shows the code itself where no word is known, so a new code is never hidden.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "zh"

HTML_LANG: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}


TEXT_FILES = (
    "texts.toml", "letters_texts.toml", "capacity_texts.toml", "desk_texts.toml", "season_texts.toml",
    "project_sheets_texts.toml",
)  # fmt: skip
"""Files of words; no section stands in two of them."""


@cache
def _catalogue() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in TEXT_FILES:
        source = resources.files("gridcheck.reports").joinpath(name)
        found |= tomllib.loads(source.read_text(encoding="utf-8"))
    return found


@cache
def _entries() -> dict[str, Mapping[str, str]]:
    """Every entry by its full key, such as ``"nav.overview"``."""
    found: dict[str, Mapping[str, str]] = {}

    def collect(node: Mapping[str, Any], path: str) -> None:
        for name, value in node.items():
            key = f"{path}.{name}" if path else name
            if set(LANGUAGES) <= set(value) and all(isinstance(value[language], str) for language in LANGUAGES):
                found[key] = value
            else:
                collect(value, key)

    collect(_catalogue(), "")
    return found


def _entry(key: str) -> Mapping[str, str] | None:
    return _entries().get(key)


def text(key: str, language: Language, **values: object) -> str:
    """Return the wording called `key`, with `values` filled in.

    Parameters
    ----------
    key : str
        Section and entry, such as ``"nav.overview"``.
    language : {"zh", "en"}
        Language of the result.
    **values
        Replacements of the ``{placeholders}``.

    Raises
    ------
    KeyError
        If there is no such wording: a mistake in the program, not in the user's files.

    Examples
    --------
    >>> text("nav.overview", "en")
    'Overview'
    """
    entry = _entry(key)
    if entry is None:
        raise KeyError(f"{', '.join(TEXT_FILES)} have no entry {key}")
    return entry[language].format(**values) if values else entry[language]


def label(section: str, code: object, language: Language) -> str:
    """Return the word for a code of a results file; the code itself where none is known.

    Examples
    --------
    >>> label("verdict", "defer", "en")
    'Defer'
    >>> label("verdict", "brand_new_code", "en")
    'brand_new_code'
    """
    if code is None or code != code or code == "":  # noqa: PLR0124  (NaN is not equal to itself)
        return ""
    entry = _entry(f"{section}.{str(code).lower()}")
    return str(code) if entry is None else entry[language]


def is_known(section: str, code: str) -> bool:
    """Tell whether there is a word for `code`."""
    return _entry(f"{section}.{code.lower()}") is not None


def codes(section: str) -> tuple[str, ...]:
    """Return the codes of a section in the order of the catalogue."""
    node: Any = _catalogue()
    for part in section.split("."):
        node = node[part]
    return tuple(node)


def column_label(table: str, column: str, language: Language) -> str:
    """Return the heading of a column: the wording of its table, else the general one, else its code."""
    for key in (f"column.{table}.{column}", f"column.{column}"):
        entry = _entry(key)
        if entry is not None:
            return entry[language]
    return column


def column_meaning(table: str, column: str, language: Language) -> str:
    """Return what a column means; empty where its heading says it all."""
    for key in (f"meaning.{table}.{column}", f"meaning.{column}"):
        entry = _entry(key)
        if entry is not None:
            return entry[language]
    return ""
