"""Where the data do not allow an answer: what is missing, and what would make it answerable.

Four things keep an area from being judged by draws:

* nobody has recorded a meter in it;
* the transformer or the lines of a real area are a guess, by the mark in its tables, or its lines are made up where the
  planner wants surveyed ones;
* the phase of so many meters is unknown that the answer turns on it: the heater fits with them on some phases and not
  with them on others;
* after the last draw the interval still holds the accepted risk, and the planner wants that told and not taken for a
  refusal.

An application that gets no answer promises nothing and takes nothing from those behind it. What the 10 kV level refuses
is refused, whatever is known below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from gridcheck.arrays import IntArray
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskOutlook, RiskRules
from gridcheck.connection.decision import Decision, Verdict
from gridcheck.connection.low_voltage_verdict import LvVerdict
from gridcheck.errors import InputError
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid

NEEDS_METERS = "needs_meters"
NEEDS_TRANSFORMER = "needs_transformer_record"
NEEDS_LINES = "needs_line_record"
NEEDS_SURVEY = "needs_line_survey"
NEEDS_PHASES = "needs_meter_phases"
NEEDS_DRAWS = "needs_more_draws"

TRANSFORMER_MARK, LINE_MARK = "type_confidence", "lv_type_confidence"
"""Further columns of ``areas.csv`` that say how firm the transformer and the lines of an area are; empty is firm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRules:
    """When data are too thin for an answer; all of it estimates of the planner's (E).

    Attributes
    ----------
    unknown_phase_share : float
        Share of an area's meters whose phase nobody knows, above which is looked whether the answer turns on them. [1]
        (E, range 0.3 to 0.8; made-up areas have 0.15)
    guess_marks : tuple of str
        Marks of transformer or lines of a real area with which it gets no answer.
    needs_survey : bool
        Whether a real area with made-up lines gets no answer.
    tells_undecided : bool
        Whether an interval that still holds the accepted risk after the last draw is told as such; otherwise the
        application is deferred.
    """

    unknown_phase_share: float = 0.5
    guess_marks: tuple[str, ...] = ("C",)
    needs_survey: bool = False
    tells_undecided: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.unknown_phase_share <= 1.0:
            raise InputError(f"unknown_phase_share must be from 0 to 1. Got {self.unknown_phase_share:g}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRecord:
    """What the county's tables say of how an area is known.

    Attributes
    ----------
    is_synthetic : bool
        Whether the area is invented: then nothing about it is a guess.
    transformer_mark, line_mark : str
        Marks of transformer and lines; empty where the tables have none.
    """

    is_synthetic: bool = True
    transformer_mark: str = ""
    line_mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataChecks:
    """What a county's queue knows about its data.

    Attributes
    ----------
    rules : DataRules
        When data are too thin.
    records : mapping of str to AreaRecord
        By area; those that are not named count as invented.
    """

    rules: DataRules = field(default_factory=DataRules)
    records: Mapping[str, AreaRecord] = field(default_factory=dict)


def area_records(areas: pd.DataFrame, *, is_synthetic: bool) -> dict[str, AreaRecord]:
    """Return how every area of a county is known.

    Parameters
    ----------
    areas : DataFrame
        Its table: ``area_id``, and ``type_confidence`` and ``lv_type_confidence`` where it has them.
    is_synthetic : bool
        Whether the county is invented.
    """
    nothing = pd.Series("", index=areas.index)
    marks = [areas.get(name, nothing).fillna("").astype(str).str.strip() for name in (TRANSFORMER_MARK, LINE_MARK)]
    return {
        str(area_id): AreaRecord(is_synthetic=is_synthetic, transformer_mark=transformer, line_mark=line)
        for area_id, transformer, line in zip(areas["area_id"], *marks, strict=True)
    }


def lacking_records(grid: LowVoltageGrid, checks: DataChecks) -> tuple[str, ...]:
    """Return what has to be recorded before anything can be said in an area; nothing for an ordinary one.

    Parameters
    ----------
    grid : LowVoltageGrid
        Its lines and meters.
    checks : DataChecks
        What is known, and the rules.
    """
    rules, record = checks.rules, checks.records.get(grid.area_id, AreaRecord())
    codes = [] if grid.n_home else [NEEDS_METERS]
    if not record.is_synthetic:
        codes += [NEEDS_TRANSFORMER] if record.transformer_mark in rules.guess_marks else []
        # Surveyed lines are no guess, whatever stands in the table of areas.
        codes += [NEEDS_LINES] if grid.is_synthetic and record.line_mark in rules.guess_marks else []
        codes += [NEEDS_SURVEY] if grid.is_synthetic and rules.needs_survey else []
    return tuple(codes)


def phases_in_the_way(risk: AreaRisk, heater: LvHeater, rules: DataRules) -> tuple[str, ...]:
    """Return that meters need their phases, with the share that lacks them, where the answer turns on them.

    The heater is looked at with the unknown meters spread evenly and with all of them on one phase: if it fits in some
    of these and not in others, the answer is a matter of what nobody knows.

    Parameters
    ----------
    risk : AreaRisk
        The area with its promises.
    heater : LvHeater
        What is asked for.
    rules : DataRules
        The share from which is looked.
    """
    known = _known_phases(risk, heater)
    share = float((known == PHASE_UNKNOWN).mean()) if len(known) else 0.0
    if share <= rules.unknown_phase_share or share == 0.0:
        return ()
    first: bool | None = None
    for phases in _placements(known, risk.expected_kw()):
        net = replace(risk.net, grid=replace(risk.net.grid, home_phase=phases))
        fits = risk.moved(net).with_heater(heater).fits
        if first is not None and fits != first:
            return (f"{NEEDS_PHASES}:{100.0 * share:.0f}",)
        first = fits
    return ()


def _known_phases(risk: AreaRisk, heater: LvHeater) -> IntArray:
    """Return the phases of meters, with what applicants have stated about theirs."""
    known = risk.net.grid.home_phase.copy()
    for one in (*risk.promised, heater):
        if 0 <= one.phase < THREE_PHASE and known[one.home] == PHASE_UNKNOWN:
            known[one.home] = one.phase
    return known


def _placements(known: IntArray, home_kw: np.ndarray) -> Iterator[IntArray]:
    """Yield phases for all meters: unknown ones spread over the phases by load, then all on one, the heaviest first."""
    single = (known != PHASE_UNKNOWN) & (known != THREE_PHASE)
    loaded = np.bincount(known[single], weights=home_kw[single], minlength=THREE_PHASE)[:THREE_PHASE]
    unknown = np.flatnonzero(known == PHASE_UNKNOWN)
    even, total = known.copy(), loaded.copy()
    for home in unknown[np.argsort(-home_kw[unknown], kind="stable")].tolist():
        even[home] = int(np.argmin(total))
        total[even[home]] += home_kw[home]
    yield even
    for phase in np.argsort(-loaded, kind="stable").tolist():
        worst = known.copy()
        worst[unknown] = phase
        yield worst


def still_open(answer: LvVerdict, rules: RiskRules, checks: DataChecks) -> tuple[str, ...]:
    """Return that more draws are needed where a refusal rests on an interval that holds the accepted risk."""
    if answer.fits or not checks.rules.tells_undecided or not _is_open(answer.plain, rules):
        return ()
    return (f"{NEEDS_DRAWS}:{answer.plain.draws}",)


def _is_open(outlook: RiskOutlook, rules: RiskRules) -> bool:
    """Tell whether every check that counts against a heater was taken for broken because no draws were left."""
    if outlook.draws < rules.draws[-1] or not outlook.charged.any():
        return False
    return bool((outlook.low[outlook.charged] <= rules.risk).all())


def without_answer(decision: Decision, codes: tuple[str, ...]) -> Decision:
    """Return the answer that there is none, with what would make it one; no limit is named, because none was shown.

    Parameters
    ----------
    decision : Decision
        What the 10 kV level says.
    codes : tuple of str
        What is needed.
    """
    nan = float("nan")
    return replace(
        decision,
        verdict=Verdict.INSUFFICIENT_DATA,
        conditions=codes,
        kind=None,
        check=-1,
        element=decision.application.area_id,
        value=nan,
        value_before=nan,
        limit=nan,
        case=-1,
        margin_kw=nan,
        blocked_by=None,
    )


def undecided(decision: Decision, codes: tuple[str, ...]) -> Decision:
    """Return a refusal as what it is, undecided: the limit that is in question stays named, with its interval."""
    return replace(decision, verdict=Verdict.INSUFFICIENT_DATA, conditions=codes, blocked_by=None)
