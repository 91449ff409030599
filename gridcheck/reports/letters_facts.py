"""What one letter is about, taken from the tables of a run, and the code by which it can be checked later.

Nothing here is worded: the facts and their code are the same in both languages.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal

import pandas as pd

from gridcheck.ledger.granted import granted_kw
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import is_missing, village_name
from gridcheck.reports.letters_settings import LetterSettings

Row = Mapping[Hashable, Any]

_APPROVALS = ("approve", "approve_with_conditions")
# Levels whose remedy stands on the feeder, not in the area.
_ABOVE_AREA = ("section", "feeder", "main_transformer", "network")
_MOST_PROJECTS = 3
_CODE_BYTES, _GROUP = 10, 4
_SHORT_HASH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFact:
    """A project of the plan at the place of an application.

    Attributes
    ----------
    project_id, measure, description, outcome : str
        As in plan.csv; empty where the cell is.
    cost_yuan : float
        Estimated cost. [yuan]
    of_area : bool
        True for a project of the area itself, False for one of its feeder.
    """

    project_id: str
    measure: str
    description: str
    outcome: str
    cost_yuan: float
    of_area: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskFact:
    """What the connection desk says of an answer beside its row of decisions.csv.

    Attributes
    ----------
    source : {"desk", "ledger"}
        Where the answer stands: in a folder of answers, or in the ledger.
    mark : str
        Ends the number of the letter: places in the queue begin anew with every application file.
    probability_low, probability_high : float or None
        Confidence interval of the probability that the binding limit is kept. [1]
    draws : int
        Number of draws; 0 where the binding limit is no matter of draws.
    broken_before : tuple of str or None
        Quantities that the area breaks without the heater; None where the ledger has not kept it.
    held_until : date or None
        Last day of the reserved power; None where nothing is reserved.
    batch, run : str
        Of the ledger: the run, and the first digits of the SHA-256 of the row; empty for a folder.
    synthetic : bool
        Whether anything behind the answer is synthetic.
    """

    source: Literal["desk", "ledger"]
    mark: str
    probability_low: float | None = None
    probability_high: float | None = None
    draws: int = 0
    broken_before: tuple[str, ...] | None = ()
    held_until: date | None = None
    batch: str = ""
    run: str = ""
    synthetic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """The facts of one letter; an empty text or None stands for a cell without a value.

    Attributes
    ----------
    number : str
        Number of the letter.
    application_id, county_code, village_code, village, area_id, feeder_id, feeder_name, substation_id : str
        Who and where.
    device, phase : str
        What was applied for.
    rated_kw, approved_kw : float or None
        Requested rating, and the rating that is approved: None where nothing is. [kW]
    queue_position : int
        Place in the county's queue.
    verdict, blocked_by : str
        Codes of decisions.csv.
    conditions : tuple of str
        Codes of decisions.csv, one by one.
    level, element, quantity, clause, time_utc : str
        The binding check.
    value, value_before, limit, margin_kw : float or None
        Its worst value with and without the heater, its limit, and the rated power that is left. [kW]
    projects : tuple of ProjectFact
        For deferrals: what the plan holds there.
    synthetic : bool
        Whether anything behind it is synthetic.
    run : str
        First digits of the SHA-256 of decisions.csv; empty for results that were never written.
    source : {"run", "desk", "ledger"}
        Where the answer comes from: a results folder, or the connection desk.
    probability, probability_low, probability_high : float or None
        Probability that the binding limit is kept, and its interval, where it is judged by draws. [1]
    draws : int
        Number of draws.
    broken_before : tuple of str or None
        Quantities that the area breaks without the heater; None where the ledger has not kept it.
    held_until, batch : str
        Of the ledger: last day of the reserved power, and the run.
    """

    number: str
    application_id: str
    county_code: str
    village_code: str
    village: str
    area_id: str
    feeder_id: str
    feeder_name: str
    substation_id: str
    device: str
    phase: str
    rated_kw: float | None
    approved_kw: float | None
    queue_position: int
    verdict: str
    blocked_by: str
    conditions: tuple[str, ...]
    level: str
    element: str
    quantity: str
    clause: str
    time_utc: str
    value: float | None
    value_before: float | None
    limit: float | None
    margin_kw: float | None
    projects: tuple[ProjectFact, ...]
    synthetic: bool
    run: str
    source: str = "run"
    probability: float | None = None
    probability_low: float | None = None
    probability_high: float | None = None
    draws: int = 0
    broken_before: tuple[str, ...] | None = ()
    held_until: str = ""
    batch: str = ""


class LetterSource:
    """The tables of a run, looked up once for many letters.

    Parameters
    ----------
    results : Results
        As `gridcheck.reports.folder.read_results` returns them, or the answers of the desk in their shape.
    desk : mapping of str to DeskFact, optional
        By application, for answers of the desk.
    """

    def __init__(self, results: Results, desk: Mapping[str, DeskFact] | None = None) -> None:
        self._desk = {} if desk is None else desk
        self._synthetic = results.synthetic
        files = results.summary.get("files", {})
        self._run = str(files.get("decisions.csv", {}).get("sha256", ""))[:_SHORT_HASH]
        self._areas = _rows_by(results.areas, "area_id", ("village_code", "village", "town", "substation_id"))
        self._feeders = _rows_by(results.feeders, "feeder_id", ("name", "substation_id"))
        self._of_area, self._of_feeder = _projects(results.plan)
        places = zip(results.decisions["county_code"], results.decisions["queue_position"], strict=True)
        # A queue has each place once; a file by another hand may not, and two letters never share a number.
        self._shared = {place for place, count in Counter(places).items() if count > 1}

    def facts(self, row: Row, settings: LetterSettings) -> LetterFacts:
        """Return the facts of the letter on one row of decisions.csv."""
        area = self._areas.get(row["area_id"], {})
        feeder = self._feeders.get(row["feeder_id"], {})
        village_code = _text(row.get("village_code")) or _text(area.get("village_code"))
        verdict, level = _text(row["verdict"]), _text(row["binding_level"])
        rated_kw, desk = _number(row["rated_kw"]), self._desk.get(_text(row["application_id"]))
        conditions = tuple(part.strip() for part in _text(row["conditions"]).split(";") if part.strip())
        when = row["binding_time"]
        facts = LetterFacts(
            number=self._number(row, settings),
            application_id=_text(row["application_id"]),
            county_code=_text(row["county_code"]),
            village_code=village_code,
            village=village_name(village_code) or f"{_text(area.get('town'))}{_text(area.get('village'))}",
            area_id=_text(row["area_id"]),
            feeder_id=_text(row["feeder_id"]),
            feeder_name=_text(feeder.get("name")),
            # Not a column of today's files; printed as soon as a run writes it.
            substation_id=_text(area.get("substation_id")) or _text(feeder.get("substation_id")),
            device=_text(row["device"]),
            phase=_text(row["phase"]),
            rated_kw=rated_kw,
            approved_kw=granted_kw(rated_kw, conditions) if rated_kw is not None and verdict in _APPROVALS else None,
            queue_position=int(row["queue_position"]),
            verdict=verdict,
            blocked_by=_text(row["blocked_by"]),
            conditions=conditions,
            level=level,
            element=_text(row["binding_element"]),
            quantity=_text(row["binding_quantity"]),
            clause=_text(row["limit_clause"]),
            time_utc="" if is_missing(when) else pd.Timestamp(when).isoformat(),
            value=_number(row["binding_value"]),
            value_before=_number(row.get("value_before")),
            limit=_number(row["binding_limit"]),
            margin_kw=_number(row["margin_kw"]),
            projects=() if verdict != "defer" else self._projects_for(row, level),
            synthetic=self._synthetic or bool(row.get("synthetic", False)),
            run=self._run,
        )
        return facts if desk is None else _of_desk(facts, desk, _number(row["probability"]))

    def _number(self, row: Row, settings: LetterSettings) -> str:
        number = settings.number_of(_text(row["county_code"]), int(row["queue_position"]))
        if (row["county_code"], row["queue_position"]) not in self._shared:
            return number
        return f"{number}-{hashlib.sha256(_text(row['application_id']).encode()).hexdigest()[:6]}"

    def _projects_for(self, row: Row, level: str) -> tuple[ProjectFact, ...]:
        """Return the projects that may lift a deferral: those at the level of the limit, chosen ones before others."""
        found = self._of_area.get(row["area_id"], ())
        if level in _ABOVE_AREA:
            found = (*self._of_feeder.get(row["feeder_id"], ()), *found)
        chosen = tuple(project for project in found if project.outcome == "chosen")
        return (chosen or found)[:_MOST_PROJECTS]


def _of_desk(facts: LetterFacts, desk: DeskFact, probability: float | None) -> LetterFacts:
    """Return the facts with what the desk says besides."""
    return replace(
        facts,
        number=f"{facts.number}-{desk.mark}",
        synthetic=desk.synthetic,
        run=desk.run or facts.run,
        source=desk.source,
        probability=probability if desk.draws else None,
        probability_low=desk.probability_low if desk.draws else None,
        probability_high=desk.probability_high if desk.draws else None,
        draws=desk.draws,
        broken_before=desk.broken_before,
        held_until="" if desk.held_until is None else desk.held_until.isoformat(),
        batch=desk.batch,
    )


def _rows_by(table: pd.DataFrame, key: str, columns: Sequence[str]) -> dict[str, Row]:
    """Return the columns that a letter needs, those that the table has, by id."""
    kept = table[[key, *(name for name in columns if name in table)]]
    return {str(row[key]): row for row in kept.to_dict("records")}


def _projects(plan: pd.DataFrame) -> tuple[dict[str, tuple[ProjectFact, ...]], dict[str, tuple[ProjectFact, ...]]]:
    """Return the projects by area and, those without an area, by feeder; in the order of their rank."""
    of_area: dict[str, list[ProjectFact]] = {}
    of_feeder: dict[str, list[ProjectFact]] = {}
    for row in plan.sort_values(["rank", "project_id"], kind="stable").to_dict("records"):
        area, feeder = _text(row["area_id"]), _text(row["feeder_id"])
        outcome = "chosen" if row["chosen"] else _text(row.get("outcome"))
        fact = ProjectFact(
            project_id=_text(row["project_id"]),
            measure=_text(row["measure"]),
            description=_text(row["description"]),
            outcome="other" if outcome == "chosen" and not row["chosen"] else outcome,
            cost_yuan=float(row["cost_yuan"]),
            of_area=bool(area),
        )
        if area or feeder:
            (of_area if area else of_feeder).setdefault(area or feeder, []).append(fact)
    area_tuples, feeder_tuples = ({key: tuple(facts) for key, facts in found.items()} for found in (of_area, of_feeder))
    return area_tuples, feeder_tuples


def _text(cell: Any) -> str:
    return "" if is_missing(cell) else str(cell)


def _number(cell: Any) -> float | None:
    return None if is_missing(cell) else float(cell)


def letter_code(facts: LetterFacts, settings: LetterSettings) -> str:
    """Return the code that stands for everything a letter says: 80 bits of a SHA-256 in four groups.

    It holds no secret: it shows that a letter says what was computed, not who sent it.

    Parameters
    ----------
    facts : LetterFacts
        Facts of the letter.
    settings : LetterSettings
        What the letters of the day have in common, the date included.
    """
    # What only the desk knows counts where it is known, so that codes of results folders, and of answers that older
    # ledgers hold, stay what they were.
    unsaid = {field.name for field in fields(facts)
              if field.default is not MISSING and getattr(facts, field.name) in (field.default, None)}  # fmt: skip
    said = {name: value for name, value in asdict(facts).items() if name not in unsaid}
    content = {"facts": said, "settings": asdict(settings)}
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, allow_nan=True, default=_as_text)
    digest = hashlib.sha256(canonical.encode("ascii")).digest()
    letters = base64.b32encode(digest[:_CODE_BYTES]).decode("ascii")
    return "-".join(letters[i : i + _GROUP] for i in range(0, len(letters), _GROUP))


def _as_text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the content of a letter")


def same_code(first: str, second: str) -> bool:
    """Tell whether two codes are the same, however they are typed.

    Examples
    --------
    >>> same_code("abcd efgh-IJKL-mnop", "ABCD-EFGH-IJKL-MNOP"), same_code("", "")
    (True, False)
    """
    shown = [_plain(code) for code in (first, second)]
    return bool(shown[0]) and shown[0] == shown[1]


def _plain(code: str) -> str:
    return "".join(char for char in code.upper() if char.isalnum())


def one_by_one(table: pd.DataFrame) -> Sequence[Row]:
    """Return the rows of a table of decisions in the order of the queue of each county."""
    ordered = table.sort_values(["county_code", "queue_position", "application_id"], kind="stable")
    rows: Sequence[Row] = ordered.to_dict("records")
    return rows
