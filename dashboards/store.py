"""The results folder as the pages see it: read once, read again when a new run has been published."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from dashboards.settings import Settings
from gridcheck.errors import LedgerError
from gridcheck.reports.curves import AreaCurve, read_curve
from gridcheck.reports.desk_answers import DESK_VIEW, DeskAnswers, answers_of_run, desk_view, read_desk_answers
from gridcheck.reports.export_folder import MANIFEST_FILE
from gridcheck.reports.folder import Results, read_results
from gridcheck.reports.place import SUMMARY_FILE, current_folder
from gridcheck.reports.texts import Language
from gridcheck.reports.views import VIEWS, View

NO_VERSION = "none"


@dataclass(slots=True, kw_only=True, eq=False)
class _Loaded:
    """One version of the results and the views made from it so far."""

    version: str
    results: Results
    views: dict[tuple[str, Language], View] = field(default_factory=dict)


class ResultsStore:
    """Reads the results folder of one server and keeps the last version in memory.

    Every method may be called from any thread of the web server. A folder that is replaced by
    `gridcheck.reports.folder.publish` is noticed at the next call.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._answers: tuple[str, DeskAnswers] | None = None

    def version(self) -> str:
        """Return a text that changes whenever another run is published; "none" where there is no run."""
        try:
            folder = current_folder(self.settings.results)
            stat = (folder / SUMMARY_FILE).stat()
        except OSError:
            return NO_VERSION
        place = "" if folder == self.settings.results else "-former"
        return f"{stat.st_mtime_ns:x}-{stat.st_ino:x}-{stat.st_size:x}{place}"

    def results(self) -> Results:
        """Return the results of the newest run.

        Raises
        ------
        LedgerError
            If there is no complete results folder.
        """
        return self._current().results

    def view(self, name: str, language: Language) -> View:
        """Return one table of the newest run as people read it.

        Raises
        ------
        LedgerError
            If there is no complete results folder, or no such table.
        """
        if name == DESK_VIEW:
            return desk_view(self.answers(), language)
        if name not in VIEWS:
            raise LedgerError(f"There is no table {name!r}. Tables: {', '.join(VIEWS)}.")
        loaded = self._current()
        with self._lock:
            if (name, language) not in loaded.views:
                loaded.views[name, language] = VIEWS[name](loaded.results, language)
            return loaded.views[name, language]

    def answers(self) -> DeskAnswers:
        """Return the answers of the desk; the verdicts of the newest run where there is no folder of answers.

        Raises
        ------
        LedgerError
            If the folder of answers cannot be read, or there is neither.
        """
        folder = self.settings.decisions
        try:
            stat = None if folder is None else (folder / MANIFEST_FILE).stat()
        except OSError:
            stat = None
        if folder is None or stat is None:
            return answers_of_run(self.results())
        version = f"{stat.st_mtime_ns:x}-{stat.st_ino:x}-{stat.st_size:x}"
        with self._lock:
            if self._answers is None or self._answers[0] != version:
                self._answers = version, read_desk_answers(folder)
            return self._answers[1]

    def curve(self, area_id: str) -> AreaCurve | None:
        """Return the load curve of an area; None where the run has none for it."""
        path = self.results().curves_path
        return read_curve(path, area_id) if path.is_file() else None

    def _current(self) -> _Loaded:
        version = self.version()
        with self._lock:
            if self._loaded is None or self._loaded.version != version:
                self._loaded = _Loaded(version=version, results=read_results(self.settings.results))
            return self._loaded
