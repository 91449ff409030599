"""Answers of the connection desk in the shape that letters are written from: a folder of answers, or the ledger."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gridcheck.csv_tables import unescape_text
from gridcheck.errors import InputError, LedgerError
from gridcheck.ledger import KeptApplication, KeptAssessment, Ledger, Level, State
from gridcheck.network.county import CountyGrid, read_county
from gridcheck.network.low_voltage_tables import read_low_voltage
from gridcheck.reports.export_folder import MANIFEST_FILE
from gridcheck.reports.folder import Results
from gridcheck.reports.letters_facts import DeskFact
from gridcheck.reports.place import SUMMARY_FILE
from gridcheck.reports.schemas import DECISIONS, PLAN
from gridcheck.reports.tables import LOCAL_TIME, normalised, read_table

INTERVALS_FILE = "probabilities.csv"
_EXPORT = "decisions"
_SCENARIO = "scenario.json"
_DIGITS = 12
_MARK_DIGITS = 6
_ROW = (*(column.name for column in DECISIONS.columns), "value_before", "village_code")
_USED = (State.APPROVED, State.BUILT, State.ACCEPTED, State.ENTITLED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeskAnswers:
    """Answers of the desk.

    Attributes
    ----------
    results : Results
        The answers and the places they are about; tables of a study are empty.
    desk : mapping of str to DeskFact
        What the desk says besides, by application.
    """

    results: Results
    desk: Mapping[str, DeskFact]


def is_answers_folder(folder: Path) -> bool:
    """Tell whether a folder holds the answers of the desk, and not the results of a study."""
    return (folder / INTERVALS_FILE).is_file() and not (folder / SUMMARY_FILE).is_file()


def read_answers(folder: Path, networks: Path) -> DeskAnswers:
    """Read the folder that `gridcheck decide` wrote.

    Parameters
    ----------
    folder : Path
        The folder.
    networks : Path
        Folder with one folder per county, for names of places.

    Raises
    ------
    LedgerError
        If a file is missing, was edited, or is not what its name says.
    """
    sha256, synthetic = _manifest(folder)
    decisions = read_table(folder / DECISIONS.file_name, DECISIONS)
    intervals = _intervals(folder / INTERVALS_FILE)
    run = sha256[DECISIONS.file_name][:_DIGITS]
    desk = {}
    for application_id in decisions["application_id"]:
        if application_id not in intervals:
            raise LedgerError(f"{folder / INTERVALS_FILE} has no row of {application_id}. Decide the file again.")
        row = intervals[application_id]
        has_draws = bool(row["draws"])
        desk[application_id] = DeskFact(
            source="desk",
            mark=hashlib.sha256(f"{run} {application_id}".encode()).hexdigest()[:_MARK_DIGITS],
            probability_low=float(row["probability_low"]) if has_draws else None,
            probability_high=float(row["probability_high"]) if has_draws else None,
            draws=int(row["draws"]),
            broken_before=_codes(row["broken_before"]),
            synthetic=synthetic,
        )
    grids = _grids(decisions["county_code"], networks)
    return DeskAnswers(
        results=_results(folder, decisions, grids, sha256[DECISIONS.file_name], synthetic=synthetic), desk=desk
    )


def _manifest(folder: Path) -> tuple[Mapping[str, str], bool]:
    """Return the checksums of a folder of answers, and whether anything in it is synthetic."""
    remedy = "Decide the application file again; `gridcheck decide` writes the folder whole."
    try:
        content: Any = json.loads((folder / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise LedgerError(f"{folder / MANIFEST_FILE} cannot be read: {error}. {remedy}") from error
    if not isinstance(content, dict) or content.get("gridcheck_export") != _EXPORT:
        raise LedgerError(f"{folder} was not written by `gridcheck decide`. {remedy}")
    files = content.get("files", {})
    for name in (DECISIONS.file_name, INTERVALS_FILE):
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != files.get(name):
            raise LedgerError(f"{path} is missing or was edited: it has not the SHA-256 of {MANIFEST_FILE}. {remedy}")
    return files, bool(content.get("synthetic", True))


def _intervals(path: Path) -> dict[str, dict[str, Any]]:
    table = pd.read_csv(path, dtype={"application_id": str, "broken_before": str}, keep_default_na=True)
    table["broken_before"] = table["broken_before"].fillna("")
    return {str(row["application_id"]): {str(k): v for k, v in row.items()} for row in table.to_dict("records")}


def _codes(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)


def _grids(county_codes: Sequence[str] | pd.Series, networks: Path) -> dict[str, CountyGrid]:
    """Read the counties in which somebody asks; names of places come from there."""
    grids = {}
    for code in sorted(set(county_codes)):
        found = sorted(networks.glob(f"{code}-*"))
        if len(found) != 1:
            raise InputError(f"Letters need the names of places of county {code}: {networks} must hold {code}-<name>.")
        grids[code] = read_county(found[0])
    return grids


def _results(
    folder: Path, decisions: pd.DataFrame, grids: Mapping[str, CountyGrid], sha256: str, *, synthetic: bool
) -> Results:
    areas = pd.concat([grid.areas for grid in grids.values()], ignore_index=True)
    feeders = pd.concat([grid.feeders for grid in grids.values()], ignore_index=True)
    nothing = pd.DataFrame()
    return Results(
        folder=folder,
        decisions=decisions,
        plan=pd.DataFrame({name: [] for name in PLAN.column_names}),
        n_minus_1=nothing,
        areas=areas,
        feeders=feeders,
        counties=nothing,
        violations=nothing,
        summary={"synthetic": synthetic, "files": {DECISIONS.file_name: {"sha256": sha256}}},
    )


def answers_of_ledger(
    ledger: Ledger, networks: Path, application_ids: Sequence[str] = (), county_code: str = ""
) -> DeskAnswers:
    """Return the last recorded answers of a ledger.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    networks : Path
        Folder with one folder per county, for names of places.
    application_ids : sequence of str
        Applications; all that were answered where none is named.
    county_code : str
        Only those of a county.

    Raises
    ------
    InputError
        If an application is unknown or was not answered, or nothing is left.
    """
    if application_ids:
        asked = [ledger.application(name) for name in dict.fromkeys(application_ids)]
        waiting = [one.asked.application_id for one in asked if one.assessment_id is None]
        if waiting:
            raise InputError("Applications that were received and not answered yet have no letter.", waiting)
    else:
        asked = [one for one in ledger.applications(county_code=county_code or None) if one.assessment_id is not None]
    if not asked:
        raise InputError("The ledger holds no answer that fits what is named; decide an application file first.")
    kept = {one.asked.application_id: ledger.assessment(one.assessment_id or 0) for one in asked}
    decisions = _decisions([one.answer.row for one in kept.values()])
    grids = _grids([one.asked.county_code for one in asked], networks)
    synthetic = _SyntheticPlaces(ledger, grids, networks)
    desk = {
        name: _desk_fact(ledger, one, kept[name], is_synthetic=synthetic.of(one, kept[name]))
        for one in asked
        for name in (one.asked.application_id,)
    }
    results = _results(Path("ledger"), decisions, grids, "", synthetic=any(fact.synthetic for fact in desk.values()))
    return DeskAnswers(results=results, desk=desk)


def _decisions(rows: Sequence[bytes]) -> pd.DataFrame:
    """Return recorded rows as the table they were part of."""
    heading = ",".join(_ROW).encode() + b"\n"
    raw = pd.read_csv(io.BytesIO(heading + b"".join(rows)), dtype=str, keep_default_na=False)
    cells = raw.map(lambda cell: unescape_text(cell) if cell else None)
    return normalised(cells, DECISIONS, "rows of the ledger")


def _desk_fact(ledger: Ledger, one: KeptApplication, kept: KeptAssessment, *, is_synthetic: bool) -> DeskFact:
    answer = kept.answer
    # The ledger keeps the share of draws that break the limit, a letter says how many keep it.
    low, high = answer.probability_high, answer.probability_low
    held = [promise for promise in ledger.promises(one.asked.application_id) if promise.level == Level.AREA]
    is_held = one.state in _USED and bool(held)
    return DeskFact(
        source="ledger",
        mark=f"A{kept.assessment_id}",
        probability_low=None if low is None else 1.0 - low,
        probability_high=None if high is None else 1.0 - high,
        draws=answer.draws or 0,
        broken_before=answer.broken_before,
        held_until=held[-1].expires_at.astimezone(LOCAL_TIME).date() if is_held else None,
        batch=kept.batch.batch_id,
        run=kept.row_sha256[:_DIGITS],
        synthetic=is_synthetic,
    )


class _SyntheticPlaces:
    """Tells what is synthetic behind an answer: grid, low-voltage lines, or weather."""

    def __init__(self, ledger: Ledger, grids: Mapping[str, CountyGrid], networks: Path) -> None:
        self._ledger, self._grids, self._networks = ledger, grids, networks
        self._weather: dict[str, bool] = {}
        self._lines: dict[str, frozenset[str]] = {}

    def of(self, one: KeptApplication, kept: KeptAssessment) -> bool:
        """Return whether anything behind an answer is synthetic."""
        code, batch = one.asked.county_code, kept.batch
        grid = self._grids[code]
        if grid.synthetic:
            return True
        if batch.batch_id not in self._weather:
            stored = json.loads(self._ledger.file(batch.inputs[_SCENARIO]))
            self._weather[batch.batch_id] = not stored["scenario"]["weather"].get("file")
        if code not in self._lines:
            folder = next(self._networks.glob(f"{code}-*"))
            self._lines[code] = frozenset(read_low_voltage(folder, grid.areas).grids)
        return self._weather[batch.batch_id] or one.asked.area_id not in self._lines[code]
