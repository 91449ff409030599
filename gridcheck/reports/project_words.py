"""The facts of a project in the words of its sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from gridcheck.catalogue import sources
from gridcheck.reports import labels
from gridcheck.reports.project_facts import BillRow, BrokenLimit, ProjectFacts
from gridcheck.reports.texts import Language, is_known, label, text

Rows = list[tuple[str, str]]

# Lengths are written to the tenth of a metre, as they are priced. [decimals of a km]
_KM_DECIMALS = 4
_YUAN_DECIMALS = 2


def yuan(amount_yuan: float) -> str:
    """Return money with its cents where it has some.

    Examples
    --------
    >>> yuan(274000.0), yuan(1234.5)
    ('274,000', '1,234.50')
    """
    is_whole = round(amount_yuan, _YUAN_DECIMALS) == round(amount_yuan)
    return labels.number(amount_yuan, 0 if is_whole else _YUAN_DECIMALS)


def quantity_text(bill: BillRow) -> str:
    """Return a quantity with the decimals that its cost takes: tenths of a metre for lengths, none for pieces."""
    return labels.number(bill.quantity, _KM_DECIMALS if bill.unit == "km" else 0)


def _short_quantity(bill: BillRow) -> str:
    """Return a quantity for a sentence, without zeros behind its last decimal."""
    shown = quantity_text(bill)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def bill_rows(facts: ProjectFacts, language: Language) -> list[tuple[str, ...]]:
    """Return the rows of the bill of quantities.

    Parameters
    ----------
    facts : ProjectFacts
        The project.
    language : {"zh", "en"}
        Language of its words.

    Returns
    -------
    list of tuple of str
        Item, type, unit, quantity, unit price, cost, cost at least, cost at most.
    """
    return [
        (
            labels.measure_name(bill.item, language),
            bill.type_name or labels.MISSING,
            label("project_sheet_unit", bill.unit, language),
            quantity_text(bill),
            yuan(bill.unit_yuan),
            yuan(bill.cost_yuan),
            yuan(bill.cost_min_yuan),
            yuan(bill.cost_max_yuan),
        )
        for bill in facts.bill
    ]


def place_of(facts: ProjectFacts, language: Language) -> str:
    """Return where a project is, in one phrase."""
    where = facts.area_id or facts.feeder_id
    parts = (labels.county_name(facts.county_code, language), facts.village, where)
    return " · ".join(part for part in parts if part)


def outcome_words(facts: ProjectFacts, language: Language) -> str:
    """Return whether a project is chosen, or why not."""
    if is_known("plan_outcome", facts.outcome):
        return label("plan_outcome", facts.outcome, language)
    return text("word.not_chosen", language)


def money_state(facts: ProjectFacts, language: Language) -> str:
    """Return whether a project is chosen, or why not, with its cost."""
    cost = text("project_sheet.yuan", language, amount=yuan(facts.cost_yuan))
    return f"{outcome_words(facts, language)} · {cost}"


def rows_of(facts: ProjectFacts, section: Literal["place", "work", "benefit", "money"], language: Language) -> Rows:
    """Return the rows of a section: name and value.

    Parameters
    ----------
    facts : ProjectFacts
        The project.
    section : {"place", "work", "benefit", "money"}
        Which section.
    language : {"zh", "en"}
        Language of its words.
    """
    rows = _ROWS[section](facts, language)
    return [(text(f"project_sheet_row.{name}", language), value) for name, value in rows]


def lines_of(facts: ProjectFacts, section: Literal["range", "risk", "clause"], language: Language) -> list[str]:
    """Return the sentences of a section.

    Parameters
    ----------
    facts : ProjectFacts
        The project.
    section : {"range", "risk", "clause"}
        Which section.
    language : {"zh", "en"}
        Language of its words.
    """
    return _LINES[section](facts, language)


def _named(name: str, identifier: str, language: Language) -> str:
    if not identifier or not name or name == identifier:
        return identifier or name or labels.MISSING
    return text("project_sheet.named", language, name=name, id=identifier)


def _place(facts: ProjectFacts, language: Language) -> Rows:
    county = labels.county_name(facts.county_code, language)
    if facts.lon is None or facts.lat is None:
        coordinates = text("project_sheet.no_coordinates", language)
    else:
        coordinates = text("project_sheet.coordinates", language, lon=f"{facts.lon:.5f}", lat=f"{facts.lat:.5f}")
    rows = [
        ("county", text("project_sheet.county", language, county=county, code=facts.county_code)),
        ("substation", facts.substation_id or labels.MISSING),
        ("feeder", _named(facts.feeder_name, facts.feeder_id, language)),
    ]
    if not facts.area_id:
        return [*rows, ("area", text("project_sheet.no_area", language))]
    village = facts.village or text("project_sheet.no_village", language)
    return [rows[0], ("village", village), *rows[1:], ("area", facts.area_id), ("coordinates", coordinates)]


def _work(facts: ProjectFacts, language: Language) -> Rows:
    joiner = text("sentence.joiner", language)
    measures = joiner.join(
        text(
            "project_sheet.measure" if bill.type_name else "project_sheet.measure_no_type",
            language,
            measure=labels.measure_name(bill.item, language),
            quantity=_short_quantity(bill),
            unit=label("project_sheet_unit", bill.unit, language),
            **({"type": bill.type_name} if bill.type_name else {}),
        )
        for bill in facts.bill
    )
    return [
        ("measures", measures),
        ("work", labels.work_text(facts.description, language) or labels.MISSING),
        ("reason", label("plan_reason", facts.reason, language) or labels.MISSING),
    ]


def _hours(hours: float, language: Language) -> str:
    key = "project_sheet.hours" if hours >= 0.0 else "project_sheet.hours_more"
    return text(key, language, hours=labels.number(abs(hours), 1))


def _benefit(facts: ProjectFacts, language: Language) -> Rows:
    rows = [
        ("households", text("project_sheet.households", language, count=labels.number(facts.households_unlocked))),
        ("overload", _hours(facts.overload_hours_removed, language)),
        ("undervoltage", _hours(facts.undervoltage_hours_removed, language)),
    ]
    if facts.unsupplied_mwh_removed != 0.0:
        mwh = labels.number(facts.unsupplied_mwh_removed, 2)
        rows.append(("energy", text("project_sheet.energy", language, mwh=mwh)))
    if facts.households_unlocked:
        per_wan = labels.number(facts.benefit_per_wan, 2)
        rows.append(("per_wan", text("project_sheet.per_wan", language, count=per_wan)))
    return rows


def _money(facts: ProjectFacts, language: Language) -> Rows:
    budget = yuan(facts.budget_yuan)
    if math.isnan(facts.cumulative_cost_yuan):
        spent = text("project_sheet.not_in_sum", language, budget=budget)
    else:
        spent = text("project_sheet.cumulative", language, cumulative=yuan(facts.cumulative_cost_yuan), budget=budget)
    return [
        ("state", money_state(facts, language)),
        ("rank", text("project_sheet.rank", language, rank=labels.number(facts.rank))),
        ("cumulative", spent),
    ]


def _range(facts: ProjectFacts, language: Language) -> list[str]:
    least, most = facts.cost_range_yuan
    table = sources()
    # Measures whose prices come from one document share a line.
    by_basis: dict[tuple[str, str], list[str]] = {}
    for bill in facts.bill:
        source = str(table["citation"][bill.source]) if bill.source in table.index else bill.source
        mark = label("confidence", bill.confidence, language)
        by_basis.setdefault((source, mark), []).append(labels.measure_name(bill.item, language))
    joiner = text("sentence.joiner", language)
    basis = [
        text("project_sheet.price_basis", language, measure=joiner.join(names), source=source, confidence=mark)
        for (source, mark), names in by_basis.items()
    ]
    whole = text("project_sheet.range", language, least=yuan(least), most=yuan(most))
    return [whole, *basis, text("project_sheet.static", language)]


def _risk(facts: ProjectFacts, language: Language) -> list[str]:
    key = "deferred_area" if facts.area_id else "deferred_feeder"
    lines = [
        text(f"project_sheet.{key}", language, count=labels.number(facts.deferred))
        if facts.deferred
        else text("project_sheet.no_deferred", language)
    ]
    overload, low = facts.overload_hours_removed, facts.undervoltage_hours_removed
    if overload > 0.0 or low > 0.0:
        shown = [labels.number(max(hours, 0.0), 1) for hours in (overload, low)]
        lines.append(text("project_sheet.hours_stay", language, overload=shown[0], undervoltage=shown[1]))
    if facts.unsupplied_mwh_removed > 0.0:
        mwh = labels.number(facts.unsupplied_mwh_removed, 2)
        lines.append(text("project_sheet.energy_stays", language, mwh=mwh))
    lines += [_broken(one, language) for one in facts.broken]
    if not facts.broken:
        lines.append(text("project_sheet.no_broken", language))
    if facts.grade:
        lines.append(text("project_sheet.grade", language, grade=label(_grades(facts), facts.grade, language)))
    return [*lines, *_outages(facts, language)]


def _grades(facts: ProjectFacts) -> str:
    return "grade" if facts.area_id else "feeder_grade"


def _broken(one: BrokenLimit, language: Language) -> str:
    short = "quantity_short" if is_known("quantity_short", one.quantity) else "quantity"
    return text(
        "project_sheet.broken",
        language,
        element=one.element,
        quantity=label(short, one.quantity, language),
        value=labels.quantity_value(one.quantity, one.value, one.limit),
        limit=labels.limit_value(one.quantity, one.limit),
        hours=labels.number(one.hours, 2),
    )


def _outages(facts: ProjectFacts, language: Language) -> list[str]:
    """Return what outages of the feeder do; nothing for an area, which no tie of a feeder helps by itself."""
    if facts.area_id or not facts.n_minus_1:
        return []
    status = labels.n_minus_1_text(facts.n_minus_1, language)
    if facts.insecure_outages is None or facts.worst_unsupplied_kw is None:
        return [text("project_sheet.n_minus_1_short", language, status=status)]
    kw = labels.number(facts.worst_unsupplied_kw, 1)
    count = labels.number(facts.insecure_outages)
    return [text("project_sheet.n_minus_1", language, status=status, count=count, kw=kw)]


def _clause(facts: ProjectFacts, language: Language) -> list[str]:
    return [labels.clause_text(clause, language) for clause in facts.clauses] or [
        text("project_sheet.no_clause", language)
    ]


_ROWS: Mapping[str, Callable[[ProjectFacts, Language], Rows]] = {
    "place": _place, "work": _work, "benefit": _benefit, "money": _money,
}  # fmt: skip
_LINES: Mapping[str, Callable[[ProjectFacts, Language], list[str]]] = {
    "range": _range, "risk": _risk, "clause": _clause,
}  # fmt: skip
