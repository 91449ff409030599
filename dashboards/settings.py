"""What a dashboard server needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridcheck.reports.texts import DEFAULT_LANGUAGE, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the results are and which language comes first.

    Attributes
    ----------
    results : Path
        Folder that `gridcheck run` wrote; it may be written while the server runs.
    decisions : Path or None
        Folder that `gridcheck decide` wrote, where there is one; it may be written while the server runs.
    readings : Path or None
        Folder of the readings store, where there is one.
    language : {"zh", "en"}
        Language of a page whose address names none.
    """

    results: Path
    readings: Path | None = None
    decisions: Path | None = None
    language: Language = DEFAULT_LANGUAGE
