"""Sentences and figures that come first on every summary: report, workbook and dashboards say the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from gridcheck.reports import labels
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import YUAN_PER_MILLION, county_name, number, wan
from gridcheck.reports.texts import Language, column_meaning, text
from gridcheck.reports.totals import Totals, reason_counts, reason_name, totals, totals_by_county


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One of the figures that come first.

    Attributes
    ----------
    name, value, note : str
        What it is, the number, and what stands below it; ready to be shown.
    """

    name: str
    value: str
    note: str


def banner(results: Results, language: Language) -> str:
    """Return the sentence that says whether the data are synthetic."""
    return text(banner_key(results), language)


def banner_key(results: Results) -> str:
    """Return the key of the sentence that says what of a run is synthetic."""
    if not results.synthetic:
        return "sentence.real_banner"
    weather = results.summary.get("weather")
    is_drawn = weather.get("synthetic", True) if isinstance(weather, Mapping) else True
    return "sentence.synthetic_banner" if is_drawn else "sentence.synthetic_but_weather_banner"


def kpis(found: Totals, language: Language) -> list[Kpi]:
    """Return the six figures that come first on every summary."""
    secure_percent = 100.0 * found.secure / found.outages if found.outages else None
    rows: dict[str, tuple[str, dict[str, str | float]]] = {
        "applications": (number(found.applications), {"target": found.target}),
        "connectable": (
            number(found.connectable),
            {"share": found.connectable_percent, "conditional": found.conditional, "remark": found.discouraged_only},
        ),
        "deferred": (number(found.deferred), {"insufficient": found.insufficient}),
        "unlocked": (
            number(found.unlocked),
            {
                "cost": wan(found.spent_yuan),
                "cost_million": number(found.spent_yuan / YUAN_PER_MILLION, 2),
                "projects": counted("project", found.chosen, language),
            },
        ),
        "areas": (number(found.overloaded), {"heavy": found.heavy, "low": found.low_voltage, "areas": found.areas}),
        "secure": (labels.percent(secure_percent), {"secure": found.secure, "outages": found.outages}),
    }
    return [
        Kpi(
            name=text(f"kpi.{code}", language),
            value=value,
            note=text(f"kpi.{code}_note", language, **{key: _shown(part) for key, part in parts.items()}),
        )
        for code, (value, parts) in rows.items()
    ]


def _shown(part: str | float) -> str:
    if isinstance(part, str):
        return part
    return number(part, 1 if isinstance(part, float) else 0)


def _main_reasons(decisions: pd.DataFrame, language: Language) -> dict[str, str]:
    """Return the most frequent reason of deferrals of each county that has any."""
    deferred = decisions[decisions["verdict"] == "defer"]
    reasons: dict[str, str] = {}
    for code, own in deferred.groupby("county_code", sort=False):
        first = reason_counts(own).iloc[0]
        reasons[str(code)] = reason_name(first["binding_level"], first["binding_quantity"], language)
    return reasons


def county_sentences(results: Results, language: Language) -> dict[str, str]:
    """Answer for each county in one sentence: how many can connect now, what the plan adds, what is left.

    Returns
    -------
    dict
        Sentence by county code, in the order of ``counties.csv``.
    """
    reasons = _main_reasons(results.decisions, language)
    return {
        code: _county_sentence(code, found, reasons.get(code, ""), language)
        for code, found in totals_by_county(results).items()
    }


def _county_sentence(county_code: str, found: Totals, reason: str, language: Language) -> str:
    name = county_name(county_code, language)
    if found.applications == 0:
        nothing = text("sentence.county_none", language, county=name, overloaded=number(found.overloaded))
        return f"{nothing}{_money_sentence(found, language)}{text('sentence.stop', language)}"
    parts = [
        text(
            "sentence.county_now",
            language,
            county=name,
            applications=number(found.applications),
            connectable=number(found.connectable),
            share=number(found.connectable_percent, 1),
        )
    ]
    if found.deferred:
        key = "sentence.county_deferred_one" if found.deferred == 1 else "sentence.county_deferred"
        parts.append(text(key, language, deferred=number(found.deferred), reason=reason))
    parts.append(_money_sentence(found, language))
    key = "sentence.county_gap" if found.left_after_plan > 0 else "sentence.county_done"
    parts.append(text(key, language, gap=number(found.left_after_plan)))
    return "".join(parts)


def _money_sentence(found: Totals, language: Language) -> str:
    """Return what the plan spends in a county, whatever for; nothing where it spends nothing."""
    if not found.chosen:
        return ""
    return text(
        "sentence.county_plan" if found.unlocked else "sentence.county_repair",
        language,
        cost=wan(found.spent_yuan),
        cost_million=number(found.spent_yuan / YUAN_PER_MILLION, 2),
        projects=counted("project", found.chosen, language),
        unlocked=number(found.unlocked),
    )


def counted(thing: str, count: int, language: Language) -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted("project", 1, "en"), counted("project", 2, "en")
    ('1 project', '2 projects')
    """
    return text(f"counted.{thing}_one" if count == 1 else f"counted.{thing}", language, count=number(count))


def answer_sentence(results: Results, language: Language) -> str:
    """Answer for the whole run in one sentence."""
    found = totals(results)
    now = text(
        "sentence.answer_now",
        language,
        applications=number(found.applications),
        counties=number(len(results.counties)),
        connectable=number(found.connectable),
        share=number(found.connectable_percent, 1),
        conditional=number(found.conditional),
    )
    plan = text(
        "sentence.answer_plan" if found.chosen else "sentence.answer_no_plan",
        language,
        **labels.money(found.budget_yuan),
        projects=counted("project", found.chosen, language),
        unlocked=number(found.unlocked),
    )
    key = "sentence.answer_gap" if found.left_after_plan > 0 else "sentence.answer_done"
    return now + plan + text(key, language, gap=number(found.left_after_plan)) + _unfunded_sentence(found, language)


def _unfunded_sentence(found: Totals, language: Language) -> str:
    """Return what the money does not reach: overloads that stay because their projects are beyond the budget."""
    if not found.unfunded_overload:
        return ""
    return text(
        "sentence.answer_unfunded",
        language,
        projects=counted("project", found.unfunded_overload, language),
        cost=wan(found.unfunded_overload_yuan),
        cost_million=number(found.unfunded_overload_yuan / YUAN_PER_MILLION, 1),
        overloaded=number(found.overloaded),
    )


def area_notes(language: Language) -> list[str]:
    """Return what state, grade and a hot spot that is too high mean, for below a table of areas."""
    grade = text("report.grade_note", language) + column_meaning("areas", "grade", language)
    return [text("report.state_note", language), grade, text("report.hot_spot_note", language)]


def budget_note(results: Results, language: Language) -> str:
    """Return a warning where the money is that of the whole plan, and only some of its counties are studied."""
    if not results.summary.get("whole_plan_budget_for_some_counties", False):
        return ""
    return text(
        "sentence.whole_budget",
        language,
        **labels.money(results.budget_yuan),
        counties=number(len(results.counties)),
    )
