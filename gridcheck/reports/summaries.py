"""Sentences and figures that come first on every summary: report, workbook and dashboards say the same."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gridcheck.reports import labels
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import county_name, number, wan
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import Totals, reason_counts, reason_name, totals

# English sentences count money in millions, Chinese ones in units of ten thousand.
YUAN_PER_MILLION = 1_000_000.0


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
    return text("sentence.synthetic_banner" if results.synthetic else "sentence.real_banner", language)


def kpis(found: Totals, language: Language) -> list[Kpi]:
    """Return the six figures that come first on every summary."""
    secure_percent = 100.0 * found.secure / found.outages if found.outages else None
    rows: dict[str, tuple[str, dict[str, str | float]]] = {
        "applications": (number(found.applications), {"target": found.target}),
        "connectable": (
            number(found.connectable),
            {"share": found.connectable_percent, "conditional": found.conditional},
        ),
        "deferred": (number(found.deferred), {"insufficient": found.insufficient}),
        "unlocked": (number(found.unlocked), {"cost": wan(found.spent_yuan), "chosen": found.chosen}),
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


def main_reason(decisions: pd.DataFrame, county_code: str, language: Language) -> str:
    """Return the most frequent reason of a county's deferrals; empty where nothing is deferred."""
    deferred = decisions[(decisions["county_code"] == county_code) & (decisions["verdict"] == "defer")]
    counted = reason_counts(deferred)
    return "" if counted.empty else reason_name(counted["binding_level"][0], counted["binding_quantity"][0], language)


def county_sentence(results: Results, county_code: str, language: Language) -> str:
    """Answer for one county in one sentence: how many can connect now, what the plan adds, what is left."""
    found = totals(results, county_code)
    name = county_name(county_code, language)
    if found.applications == 0:
        return text("sentence.county_none", language, county=name, overloaded=number(found.overloaded))
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
        reason = main_reason(results.decisions, county_code, language)
        parts.append(text("sentence.county_deferred", language, deferred=number(found.deferred), reason=reason))
    if found.unlocked:
        parts.append(
            text(
                "sentence.county_plan",
                language,
                cost=wan(found.spent_yuan),
                cost_million=number(found.spent_yuan / YUAN_PER_MILLION, 2),
                projects=number(found.chosen),
                unlocked=number(found.unlocked),
            )
        )
    key = "sentence.county_gap" if found.left_after_plan > 0 else "sentence.county_done"
    parts.append(text(key, language, gap=number(found.left_after_plan)))
    return "".join(parts)


def answer_sentence(results: Results, language: Language) -> str:
    """Answer for the whole run in one sentence."""
    found = totals(results)
    return text(
        "sentence.answer",
        language,
        applications=number(found.applications),
        counties=number(len(results.counties)),
        connectable=number(found.connectable),
        share=number(found.connectable_percent, 1),
        conditional=number(found.conditional),
        budget=wan(found.budget_yuan, 0),
        budget_million=number(found.budget_yuan / YUAN_PER_MILLION, 1),
        chosen=number(found.chosen),
        unlocked=number(found.unlocked),
        gap=number(found.left_after_plan),
    )
