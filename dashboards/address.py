"""The address of a page: its path, the language and the selection it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from gridcheck.reports.texts import LANGUAGES, Language

# Longest value that is taken from an address; ids are much shorter.
_MAX_LENGTH = 64
_MAX_FIELDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What an address says.

    Attributes
    ----------
    path : str
        Path such as ``/verdicts``.
    language : {"zh", "en"}
        Language of the page.
    selection : mapping of str to str
        Everything else behind the question mark.
    """

    path: str
    language: Language
    selection: Mapping[str, str]

    def link(self, path: str, **values: str) -> str:
        """Return the address of another page in the same language."""
        return f"{path}?{urlencode({'lang': self.language, **values})}"

    def in_language(self, language: Language) -> str:
        """Return the address of this page in another language."""
        return f"{self.path}?{urlencode({'lang': language, **self.selection})}"


def parse_address(path: str | None, search: str | None, default: Language) -> Address:
    """Read an address; an unknown language means `default`."""
    # What stands behind the first fields is left out of account.
    first = (search or "").removeprefix("?").split("&", _MAX_FIELDS)[:_MAX_FIELDS]
    given = dict(parse_qsl("&".join(first)))
    wanted = given.pop("lang", "")
    language = next((known for known in LANGUAGES if known == wanted), default)
    values = {key[:_MAX_LENGTH]: value[:_MAX_LENGTH] for key, value in given.items()}
    return Address(path=path or "/", language=language, selection=values)
