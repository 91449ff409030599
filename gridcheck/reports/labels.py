"""Codes, numbers and times as people read them: one place for every format on screen and paper."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import Any

import pandas as pd

from gridcheck.catalogue import measures
from gridcheck.geography import counties, villages
from gridcheck.reports.palette import N_MINUS_1_SIGNS
from gridcheck.reports.tables import LOCAL_TIME, decimals_apart
from gridcheck.reports.texts import LANGUAGES, Language, codes, is_known, label, text
from gridcheck.units import YUAN_PER_WAN

Row = Mapping[Hashable, Any]

MISSING = "—"
# The remark on a heater that the plan does not encourage; it stands among the conditions and asks nothing.
DISCOURAGED = "discouraged_device"
# Says how to behave, not what the grid lacks.
_STAGGERED = "staggered_start"
# Above this the thermal model of a transformer says no more than 'far too hot'. [degC]
HOTTEST_C = 180.0
INFINITE = "∞"
# A number and its unit stay on one line.
NO_BREAK = "\u00a0"
# English sentences count money in millions, Chinese ones in units of ten thousand.
YUAN_PER_MILLION = 1_000_000.0

# Unit and decimals on screen by the ending of a quantity's name; the house rule puts the unit there.
_UNITS: tuple[tuple[str, str, int], ...] = (
    ("_percent_yyn0", "%", 1),
    ("_percent", "%", 1),
    ("_pu", "pu", 3),
    ("_kw", "kW", 1),
    ("_c", "°C", 1),
    ("_v", "V", 1),
    ("_ratio", "", 2),
)


def is_missing(value: Any) -> bool:
    """Tell whether a cell is empty, whatever stands for empty there."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def number(value: Any, decimals: int = 0) -> str:
    """Return a number with thousands separators; a dash where there is none.

    Examples
    --------
    >>> number(15503)
    '15,503'
    >>> number(float("nan"))
    '—'
    """
    if is_missing(value):
        return MISSING
    if math.isinf(value):
        return INFINITE if value > 0 else f"-{INFINITE}"
    shown = f"{_half_up(value, decimals):,}"
    return shown.removeprefix("-") if float(shown.replace(",", "")) == 0 else shown


def number_to(value: Any, decimals: int, cap: float | None) -> str:
    """Return a number, or that it is above `cap`.

    Examples
    --------
    >>> number_to(272.4, 1, 180.0)
    '>180'
    """
    return f">{number(cap)}" if cap is not None and not is_missing(value) and value > cap else number(value, decimals)


def rounded(value: float, decimals: int) -> float:
    """Return a number rounded as screens show it: a half goes up, 10.25 to 10.3 as 7.75 to 7.8."""
    return float(_half_up(value, decimals))


def _half_up(value: float, decimals: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def percent(value: Any, decimals: int = 1) -> str:
    """Return a value that is already in percent with its sign."""
    return MISSING if is_missing(value) else f"{number(value, decimals)}{NO_BREAK}%"


def wan(cost_yuan: Any, decimals: int = 1) -> str:
    """Return money in units of ten thousand yuan, without the unit.

    Examples
    --------
    >>> wan(18_000_000)
    '1,800.0'
    """
    return MISSING if is_missing(cost_yuan) else number(float(cost_yuan) / YUAN_PER_WAN, decimals)


def money(cost_yuan: float) -> dict[str, str]:
    """Return a budget for a sentence: Chinese ones count in ten thousands, English ones in millions.

    Examples
    --------
    >>> money(18_000_000.0)
    {'budget': '1,800', 'budget_million': '18.0'}
    """
    return {"budget": wan(cost_yuan, 0), "budget_million": number(cost_yuan / YUAN_PER_MILLION, 1)}


def local_time(moment: Any) -> str:
    """Return a moment as month-day hour:minute in local time.

    Examples
    --------
    >>> local_time(pd.Timestamp("2026-01-15T11:45:00Z"))
    '01-15 19:45'
    """
    return MISSING if is_missing(moment) else _local_time(pd.Timestamp(moment))


# A run has a few hundred moments and tens of thousands of cells that show one of them.
@lru_cache(maxsize=4096)
def _local_time(moment: pd.Timestamp) -> str:
    return moment.tz_convert(LOCAL_TIME).strftime("%m-%d %H:%M")


def quantity_unit(quantity: str) -> str:
    """Return the unit that the name of a quantity ends with.

    Examples
    --------
    >>> quantity_unit("lv_voltage_min_v")
    'V'
    """
    return _unit_and_decimals(quantity)[0]


def _unit_and_decimals(quantity: str) -> tuple[str, int]:
    name = quantity.removesuffix("_min").removesuffix("_max")
    for ending, unit, decimals in _UNITS:
        if name.endswith(ending):
            return unit, decimals
    return "", 2


def quantity_value(quantity: Any, value: Any, limit: Any = None) -> str:
    """Return a value with the unit of its quantity, and with the decimals it takes to tell it from its limit.

    Examples
    --------
    >>> quantity_value("voltage_v", 197.97, 198.0).split()
    ['197.97', 'V']
    """
    if is_missing(value):
        return MISSING
    name = "" if is_missing(quantity) else str(quantity)
    unit, decimals = _unit_and_decimals(name)
    if name == "hot_spot_c" and value > HOTTEST_C:
        return f">{number(HOTTEST_C)}{NO_BREAK}{unit}"
    if not is_missing(limit):
        decimals = decimals_apart(float(value), float(limit), decimals)
    return f"{number(value, decimals)}{NO_BREAK}{unit}".rstrip(NO_BREAK)


def limit_value(quantity: Any, limit: Any) -> str:
    """Return a limit with the unit of its quantity, without decimals that say nothing.

    Examples
    --------
    >>> limit_value("voltage_v", 198.0).split()
    ['198', 'V']
    """
    if is_missing(limit):
        return MISSING
    return f"{float(limit):,.6g}{NO_BREAK}{quantity_unit(str(quantity))}".rstrip(NO_BREAK)


@cache
def _county_words() -> dict[str, dict[Language, str]]:
    table = counties()
    return {
        str(code): {"zh": str(zh), "en": str(en)}
        for code, zh, en in zip(table["county_code"], table["county"], table["county_en"], strict=True)
    }


def county_name(county_code: Any, language: Language) -> str:
    """Return the name of a county; the code itself for one outside Yuncheng."""
    if is_missing(county_code):
        return ""
    words = _county_words().get(str(county_code))
    return str(county_code) if words is None else words[language]


@cache
def _village_words() -> dict[str, str]:
    table = villages()
    return {
        str(code): f"{town}{village}"
        for code, town, village in zip(table["village_code"], table["town"], table["village"], strict=True)
    }


def village_name(village_code: Any) -> str:
    """Return town and village as one name; empty where the code is not known."""
    return "" if is_missing(village_code) else _village_words().get(str(village_code), "")


@cache
def _measure_words() -> dict[str, dict[Language, str]]:
    table = measures()
    return {
        str(code): {"zh": str(zh), "en": str(en)[:1].upper() + str(en)[1:]}
        for code, zh, en in zip(table.index, table["label_zh"], table["label_en"], strict=True)
    }


def measure_name(measure: Any, language: Language) -> str:
    """Return the name of a measure: the catalogue's, else the wording's, else the code."""
    if is_missing(measure):
        return ""
    words = _measure_words().get(str(measure))
    return label("measure", measure, language) if words is None else words[language]


def work_text(description: Any, language: Language) -> str:
    """Return what a project does; the few words in it are translated, types and names stay.

    Examples
    --------
    >>> work_text("S13-100-Dyn11 → S20-200-Dyn11; tap 1.050 → 1.000", "en")
    'S13-100-Dyn11 → S20-200-Dyn11; tap 1.050 → 1.000'
    """
    if is_missing(description):
        return ""
    parts = [_work(part, language) for part in str(description).split("; ")]
    return text("sentence.joiner", language).join(parts)


def _work(part: str, language: Language) -> str:
    word, blank, values = part.partition(" ")
    return text(f"work.{word}", language, change=values) if blank and is_known("work", word) else part


def clause_text(clause: Any, language: Language) -> str:
    """Return a clause in `language`, where its wording is known, with its confidence mark in words.

    Parameters
    ----------
    clause : str or None
        As `gridcheck.limits` words it, with the mark in brackets behind it where there is one.

    Examples
    --------
    >>> clause_text("My own rule [E]", "en")
    'My own rule (engineering estimate, editable)'
    """
    if is_missing(clause):
        return ""
    words, bracket, mark = str(clause).rpartition(" [")
    found, confidence = (words, mark.removesuffix("]")) if bracket and mark.endswith("]") else (str(clause), "")
    shown = _clause_words().get(found, {}).get(language, found)
    if not confidence:
        return shown
    return text("sentence.with_remark", language, words=shown, remark=label("confidence", confidence, language))


@cache
def _clause_words() -> dict[str, dict[Language, str]]:
    return {
        text(f"clause.{code}", "en"): {language: text(f"clause.{code}", language) for language in LANGUAGES}
        for code in codes("clause")
    }


def conditions_text(conditions: Any, language: Language, verdict: Any = None) -> str:
    """Return the conditions of a verdict, spelt out; for a deferral what would fit instead.

    Parameters
    ----------
    conditions : str or None
        Codes separated by ``;``, each with a value behind a colon or equals sign where it has one.
    verdict : str or None
        The verdict that they belong to.

    Examples
    --------
    >>> conditions_text("phase:B;staggered_start", "en")
    'connect to phase B; staggered start'
    """
    if is_missing(conditions):
        return ""
    parts = [part.strip() for part in str(conditions).split(";") if part.strip()]
    sections = ("alternative", "condition") if verdict == "defer" else ("condition",)
    return text("sentence.joiner", language).join(_condition(part, sections, language) for part in parts)


def first_condition(conditions: Any) -> str:
    """Return the code of the first condition that says what the grid lacks, else of the remark on the heater.

    Examples
    --------
    >>> first_condition("heavy_area;staggered_start;discouraged_device")
    'heavy_area'
    """
    codes_given = [] if is_missing(conditions) else [part.strip() for part in str(conditions).split(";")]
    found = [code for code in codes_given if code not in ("", _STAGGERED, DISCOURAGED)]
    return found[0].partition(":")[0] if found else DISCOURAGED if DISCOURAGED in codes_given else "other"


def _condition(part: str, sections: tuple[str, ...], language: Language) -> str:
    code, _, value = part.replace("=", ":", 1).partition(":")
    section = next((known for known in sections if is_known(known, code)), None)
    if section is None:
        return part
    return label(section, code, language).replace("{value}", label("device", value.strip(), language))


def relation(value: float, limit: float, quantity: str) -> str:
    """Return how a value stands to its limit: "above", "below" or "within".

    Voltages have a floor unless their name says that the limit is the upper one; all else has a ceiling.
    """
    lower_is_bad = ("_v" in quantity or "vm_pu" in quantity or quantity.endswith("ratio")) and "max" not in quantity
    if lower_is_bad:
        return "below" if value < limit else "within"
    return "above" if value > limit else "within"


def binding_text(row: Row, language: Language) -> str:
    """Return the binding constraint of one decision as one phrase; empty where there is none.

    Parameters
    ----------
    row : mapping
        ``binding_level``, ``binding_element``, ``binding_quantity``, ``binding_value``, ``binding_limit``,
        ``limit_clause`` and ``binding_time`` of the decision.
    """
    quantity = row["binding_quantity"]
    if is_missing(quantity):
        return ""
    place = " ".join(
        word for word in (label("level", row["binding_level"], language), _element(row["binding_element"])) if word
    )
    # Behind the element's name the short word says enough.
    what = label("quantity_short" if is_known("quantity_short", str(quantity)) else "quantity", quantity, language)
    value, limit = row["binding_value"], row["binding_limit"]
    if is_missing(value) or is_missing(limit):
        return text("sentence.binding_plain", language, place=place, quantity=what)
    how = relation(float(value), float(limit), str(quantity))
    phrase = text(
        "sentence.binding",
        language,
        place=place,
        quantity=what,
        value=quantity_value(quantity, value, limit),
        relation=label("binding_relation", how, language),
        limit=limit_value(quantity, limit),
    )
    when = row["binding_time"]
    return phrase if is_missing(when) else phrase + text("sentence.at_time", language, time=local_time(when))


def _element(element: Any) -> str:
    return "" if is_missing(element) else str(element)


def reason_text(row: Row, language: Language) -> str:
    """Return why an application got its verdict, in one readable sentence."""
    parts = [
        binding_text(row, language),
        label("blocked_by", row["blocked_by"], language),
        conditions_text(row["conditions"], language, row["verdict"]),
    ]
    if row["verdict"] == "approve_with_conditions":
        # What has to be kept comes first; the nearest limit is not broken.
        parts = [parts[2], parts[0]]
    shown = [part for part in parts if part]
    return text("sentence.joiner", language).join(shown) if shown else text("sentence.no_binding", language)


def n_minus_1_text(status: Any, language: Language) -> str:
    """Return sign and word of an N-1 status."""
    if is_missing(status):
        return f"○ {text('state.no_data', language)}"
    sign = N_MINUS_1_SIGNS.get(str(status).lower(), "○")
    return f"{sign} {label('n_minus_1_status', status, language)}"
