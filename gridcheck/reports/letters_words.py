"""The facts of one letter in plain words: a title, a verdict, and numbered sections of rows and sentences.

The same sections become a Word document or a page. Every string that leaves this module has lost the characters
that steer a printer or turn text around, because ids come from files by other hands.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from gridcheck.reports import labels
from gridcheck.reports import letters_drawn as drawn
from gridcheck.reports.letters_facts import LetterFacts, letter_code
from gridcheck.reports.letters_projects import project_line
from gridcheck.reports.letters_settings import LetterSettings
from gridcheck.reports.palette import VERDICT_COLOURS, VERDICT_SIGNS
from gridcheck.reports.tables import LOCAL_TIME
from gridcheck.reports.texts import Language, is_known, label, text

# Control characters, marks that change the direction of writing, zero-width ones, and what XML cannot hold.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_REPLACEMENT = "\ufffd"
_QUOTED_MARK = "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One numbered part of a letter.

    Attributes
    ----------
    heading : str
        With its number.
    rows : tuple of (str, str)
        Name and value, for a table.
    lines : tuple of str
        Sentences behind it.
    """

    heading: str
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterText:
    """One letter in one language, ready to be set.

    Attributes
    ----------
    language : {"zh", "en"}
        Its language.
    title, number, dated : str
        Head of the letter.
    specimen : str
        Warning of a synthetic run; empty otherwise.
    verdict, colour : str
        Sign and word of the verdict, and the colour of its frame.
    reply : str
        The verdict as one sentence.
    sections : tuple of Section
        The rest.
    signature : tuple of str
        Lines to be signed.
    notes : tuple of str
        Small print.
    code : str
        Verification code.
    """

    language: Language
    title: str
    number: str
    dated: str
    specimen: str
    verdict: str
    colour: str
    reply: str
    sections: tuple[Section, ...]
    signature: tuple[str, ...]
    notes: tuple[str, ...]
    code: str


def printable(words: str) -> str:
    """Return a text without characters that cannot be printed or that turn the direction of writing.

    Examples
    --------
    >>> printable(f"a{chr(7)}b{chr(0x202E)}c") == "a{0}b{0}c".format(chr(0xFFFD))
    True
    """
    return _UNPRINTABLE.sub(_REPLACEMENT, words)


def letter_text(facts: LetterFacts, settings: LetterSettings, language: Language) -> LetterText:
    """Put the facts of one letter in words.

    Parameters
    ----------
    facts : LetterFacts
        What it is about.
    settings : LetterSettings
        What all letters of the day have in common.
    language : {"zh", "en"}
        Its language.
    """
    parts = [_application(facts, language), _reason(facts, language), _conditions(facts, language)]
    parts += [_scheme(facts, settings, language), _validity(facts, settings, language)]
    code = letter_code(facts, settings)
    parts += [_check(facts, settings, code, language)]
    ordinals = text("letter.ordinals", language).split()
    return LetterText(
        language=language,
        title=text("letter.title", language),
        number=printable(text("letter.number", language, number=facts.number)),
        dated=text("letter.dated", language, date=_date(settings.issued_on, language)),
        specimen=text("letter.specimen", language) if facts.synthetic else "",
        verdict=f"{VERDICT_SIGNS.get(facts.verdict, '○')} {_worded('verdict', facts.verdict, language)}",
        colour=VERDICT_COLOURS.get(facts.verdict, VERDICT_COLOURS["insufficient_data"]),
        reply=_reply(facts, language),
        sections=tuple(
            _numbered(section, ordinal, language) for section, ordinal in zip(_filled(parts), ordinals, strict=False)
        ),
        signature=(
            _named("issuer", _or_blank(settings.issuer.of(language), language), language),
            _named("signature", "", language),
            _date(settings.issued_on, language),
        ),
        notes=(text("letter_check.note" if facts.source == "run" else "letter_check.note_desk", language),),
        code=code,
    )


def _named(row: str, value: str, language: Language) -> str:
    return text("letter.colon", language, name=text(f"letter_row.{row}", language), value=value)


def _filled(parts: Sequence[Section]) -> list[Section]:
    return [part for part in parts if part.rows or part.lines]


def _numbered(section: Section, ordinal: str, language: Language) -> Section:
    return Section(
        heading=text("letter.heading", language, number=ordinal, words=section.heading),
        rows=tuple((name, printable(value)) for name, value in section.rows),
        lines=tuple(printable(line) for line in section.lines),
    )


def _worded(section: str, code: str, language: Language) -> str:
    """Return the word for a code; where there is none, words that say so: a letter shows no code."""
    return label(section, code, language) if is_known(section, code) else text("letter.unknown_code", language)


def _or_blank(words: str, language: Language) -> str:
    return printable(words) or text("letter.fill_in", language)


def _date(day: date, language: Language) -> str:
    return text("letter.date", language, year=day.year, month=f"{day.month:02d}", day=f"{day.day:02d}")


def _kw(value: float | None, language: Language) -> str:
    shown = labels.MISSING if value is None else f"{labels.rounded(value, 2):,.10g}"
    return text("letter_value.kw", language, kw=shown)


def _application(facts: LetterFacts, language: Language) -> Section:
    county = labels.county_name(facts.county_code, language)
    village = facts.village or (
        text("letter_value.village_code", language, code=facts.village_code)
        if facts.village_code
        else text("letter_value.village_unknown", language)
    )
    rows = {
        "application_id": facts.application_id,
        "place": text("letter_value.place", language, county=county, village=village),
        "use": text("letter_value.use", language),
        # A model of the planner's own has no word and is a name, not a code.
        "device": label("device", facts.device, language),
        "requested": text("letter.comma", language).join(
            (_kw(facts.rated_kw, language), _worded("phase", facts.phase, language))
        ),
        "queue": text("letter_value.queue", language, county=county, position=f"{facts.queue_position:,}"),
        "supply_point": _supply_point(facts, language),
    }
    return Section(heading=text("letter_heading.application", language), rows=_rows(rows, language))


def _rows(rows: dict[str, str], language: Language) -> tuple[tuple[str, str], ...]:
    return tuple((text(f"letter_row.{name}", language), value) for name, value in rows.items())


def _supply_point(facts: LetterFacts, language: Language) -> str:
    feeder = facts.feeder_id
    if facts.feeder_name:
        feeder = text("letter_value.named", language, name=facts.feeder_name, id=facts.feeder_id)
    return text(
        "letter_value.supply_point",
        language,
        substation=facts.substation_id or text("letter.not_known", language),
        feeder=feeder,
        area=facts.area_id,
    )


def _only_a_remark(facts: LetterFacts) -> bool:
    return facts.verdict == "approve_with_conditions" and set(facts.conditions) == {labels.DISCOURAGED}


def _reply(facts: LetterFacts, language: Language) -> str:
    if _only_a_remark(facts):
        return text("letter_reply.remark_only", language)
    code = facts.verdict if is_known("letter_reply", facts.verdict) else "other"
    return text(f"letter_reply.{code}", language)


def _reason(facts: LetterFacts, language: Language) -> Section:
    heading = text("letter_heading.reason", language)
    if facts.verdict == "insufficient_data":
        return Section(heading=heading, lines=(text("letter_reason.no_data", language),))
    if not facts.quantity:
        return Section(heading=heading, lines=(text("letter_reason.no_binding", language),))
    lines = [_binding(facts, language), drawn.probability(facts, language), _when(facts, language)]
    lines += [_margin(facts, language), drawn.broken_before(facts, language)]
    if facts.blocked_by:
        lines.append(_worded("letter_blocked_by", facts.blocked_by, language))
    lines.append(_basis(facts, language) if facts.limit is not None else "")
    return Section(heading=heading, lines=tuple(line for line in lines if line))


def _binding(facts: LetterFacts, language: Language) -> str:
    words = {
        "element": drawn.element(facts.element, language) or text("letter.not_known", language),
        "value": labels.quantity_value(facts.quantity, facts.value, facts.limit),
        "limit": labels.limit_value(facts.quantity, facts.limit),
    }
    level = _worded("level", facts.level, language)
    if facts.verdict == "defer":
        if facts.source != "run" and facts.value is None:
            return text("letter_reason.not_converged", language)
        if is_known("letter_reason", facts.quantity):
            return text(f"letter_reason.{facts.quantity}", language, **words)
        return text("letter_reason.other", language, level=level, **words)
    known = facts.value is not None and facts.limit is not None
    above = known and labels.relation(facts.value or 0.0, facts.limit or 0.0, facts.quantity) != "within"
    within = "tightest_drawn" if facts.source != "run" else "tightest"
    return text(
        f"letter_reason.{'tightest_above' if above else within}",
        language,
        level=level,
        quantity=_worded("quantity", facts.quantity, language),
        **words,
    )


def _when(facts: LetterFacts, language: Language) -> str:
    if not facts.time_utc:
        return ""
    moment = pd.Timestamp(facts.time_utc).tz_convert(LOCAL_TIME).strftime("%Y-%m-%d %H:%M")
    if facts.value_before is None:
        return text("letter_reason.when_only", language, time=moment)
    before = labels.quantity_value(facts.quantity, facts.value_before, facts.limit)
    return text("letter_reason.when", language, time=moment, before=before)


def _margin(facts: LetterFacts, language: Language) -> str:
    if facts.margin_kw is None or facts.limit is None:
        return ""
    if facts.verdict == "defer":
        # A limit that is broken without the heater too: no smaller one would keep it, so the power says nothing.
        if facts.source != "run" and -facts.margin_kw >= (facts.rated_kw or 0.0):
            return ""
        return (
            text("letter_reason.short", language, kw=labels.number(-facts.margin_kw, 2)) if facts.margin_kw < 0 else ""
        )
    return text("letter_reason.left", language, kw=labels.number(max(facts.margin_kw, 0.0), 1))


def _basis(facts: LetterFacts, language: Language) -> str:
    """Return the clause; one whose mark is not S was never read in the standard and is not quoted."""
    if not facts.clause:
        return text("letter_reason.basis_none", language)
    words, bracket, mark = facts.clause.rpartition(" [")
    if not bracket or not mark.endswith("]"):
        return text("letter_reason.basis_unmarked", language, clause=labels.clause_text(facts.clause, language))
    clause, code = labels.clause_text(words, language), mark.removesuffix("]")
    if code.lower() == _QUOTED_MARK:
        return text("letter_reason.basis_quoted", language, clause=clause)
    section = "letter_mark" if is_known("letter_mark", code) else "confidence"
    return text("letter_reason.basis_working", language, clause=clause, mark=_worded(section, code, language))


def _conditions(facts: LetterFacts, language: Language) -> Section:
    if facts.verdict == "insufficient_data":
        return Section(
            heading=text("letter_heading.missing", language), lines=(text("letter_alternative.missing", language),)
        )
    if facts.verdict == "defer":
        lines = tuple(_condition(part, "letter_alternative", language) for part in facts.conditions)
        return Section(
            heading=text("letter_heading.alternative", language),
            lines=lines or (text("letter_alternative.none", language),),
        )
    lines = tuple(_condition(part, "letter_condition", language) for part in facts.conditions)
    return Section(heading=text("letter_heading.conditions", language), lines=lines)


def _condition(part: str, section: str, language: Language) -> str:
    code, _, value = part.replace("=", ":", 1).partition(":")
    found = next((known for known in (section, "condition") if is_known(known, code)), None)
    if found is None:
        return text("letter.unknown_code", language)
    words = label(found, code, language).replace("{value}", label("device", value.strip(), language))
    stop = text("sentence.stop", language)
    return words if words.endswith(stop) else words + stop


def _scheme(facts: LetterFacts, settings: LetterSettings, language: Language) -> Section:
    if facts.verdict == "defer":
        lines = [project_line(project, language) for project in facts.projects]
        none = "none" if facts.source == "run" else "not_planned"
        lines += [text(f"letter_project.{'note' if lines else none}", language)]
        return Section(heading=text("letter_heading.unblock", language), lines=tuple(lines))
    if facts.approved_kw is None:
        return Section(heading=text("letter_heading.scheme", language))
    phase = drawn.phase(facts)
    voltage = (
        text("letter_value.three_phase", language)
        if phase.upper() == "ABC"
        else text("letter_value.single_phase", language, phase=_worded("phase", phase, language))
    )
    rows = {
        "approved": _kw(facts.approved_kw, language),
        "voltage": voltage,
        "boundary": _or_blank(settings.property_boundary.of(language), language),
        "metering": _or_blank(settings.metering.of(language), language),
        "pays": _or_blank(settings.builds_and_pays.of(language), language),
        "energised": text("letter_value.energised", language),
    }
    return Section(heading=text("letter_heading.scheme", language), rows=_rows(rows, language))


def _validity(facts: LetterFacts, settings: LetterSettings, language: Language) -> Section:
    holds = text("letter_value.holds_as_is", language)
    if facts.approved_kw is not None and facts.source == "ledger":
        until = _date(date.fromisoformat(facts.held_until), language) if facts.held_until else ""
        holds = text(f"letter_value.{'held_until' if until else 'not_held'}", language, date=until)
    elif facts.approved_kw is not None:
        until = _date(settings.valid_until, language)
        holds = text("letter_value.valid_until", language, months=settings.validity_months, date=until)
    reach = {
        "contact": settings.contact.of(language),
        "telephone": settings.telephone,
        "address": settings.address.of(language),
    }
    named = [_named(name, _or_blank(words, language), language) for name, words in reach.items()]
    # One line for all of it, so that a letter stays on one page.
    rows = {"validity": holds, "reach": text("sentence.joiner", language).join(named)}
    return Section(heading=text("letter_heading.validity", language), rows=_rows(rows, language))


def _check(facts: LetterFacts, settings: LetterSettings, code: str, language: Language) -> Section:
    rows = [(text("letter_check.code", language), code)]
    run = facts.run or text("letter.not_known", language)
    ending = "_ledger" if facts.source == "ledger" else ""
    value = text(f"letter_check.run_value{ending}", language, run=run, batch=facts.batch)
    rows += [(text("letter_check.run", language), value)]
    how = text(
        f"letter_check.how{ending}",
        language,
        # People paste this line into a terminal, so an id from a file is quoted for it.
        application=shlex.quote(printable(facts.application_id)),
        date=settings.issued_on.isoformat(),
        code=code,
    )
    return Section(heading=text("letter_heading.check", language), rows=tuple(rows), lines=(how,))
