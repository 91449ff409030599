"""What stands around the plan in words and tables: other budgets, simple rules, counties, other prices and winters.

Everything is read from the part ``around`` of summary.json; a folder without it has none of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from gridcheck.errors import LedgerError
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import YUAN_PER_MILLION, county_name, number, percent, wan
from gridcheck.reports.place import SUMMARY_FILE
from gridcheck.reports.texts import Language, label, text

_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """A table of texts.

    Attributes
    ----------
    name : str
        Code; the caption is ``caption.<name>``.
    headings : tuple of str
        In the language asked for; the first column holds names, the others numbers.
    rows : tuple of tuple of str
        Cells as they are shown.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Brought(TypedDict):
    """What one choice costs and brings."""

    budget_yuan: float
    cost_yuan: float
    projects: int
    households: float
    risk_hours: float


class Rule(Brought):
    """What a way to spend the money brings."""

    rule: str


class Share(TypedDict):
    """What one county gets."""

    county_code: str
    candidates: int
    chosen: int
    cost_yuan: float
    cost_percent: float | None
    households: float
    risk_hours: float


class More(TypedDict):
    """What more money brings."""

    more_yuan: float
    households: float
    risk_hours: float
    added: list[str]


class Draw(TypedDict):
    """Prices, uptake and weather that may come, and what can be unlocked then."""

    scenario: str
    price_factor: dict[str, float]
    households_factor: float
    risk_factor: float
    best_households: float
    households: float


class Robust(Brought):
    """The plan of least regret."""

    also_in_plan: int
    largest_regret_households: float
    scenarios: list[Draw]


class Around(TypedDict):
    """The part ``around`` of summary.json."""

    pareto: list[Brought]
    rules: list[Rule]
    county_split: list[Share]
    marginal_value: More
    next_on_the_list: More | None
    robust: Robust


_AROUND = TypeAdapter(Around)


def around_of(results: Results) -> Around | None:
    """Return what a run says around its plan; None where there is nothing, as in older folders and without projects.

    Raises
    ------
    LedgerError
        If it is not what gridcheck writes.
    """
    if "around" not in results.summary or not len(results.plan):
        return None
    try:
        return _AROUND.validate_python(results.summary["around"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LedgerError(
            f"{results.folder / SUMMARY_FILE}: around.{where}: {first['msg']}. Run `gridcheck run` again."
        ) from error


def around_sentences(around: Around, language: Language) -> list[str]:
    """Say what more money would bring, what comes next, and how the plan stands in other years."""
    margin, following, robust = around["marginal_value"], around["next_on_the_list"], around["robust"]
    exact = around["rules"][0]
    sentences = [
        text(
            "around.margin",
            language,
            more=wan(margin["more_yuan"]),
            more_million=number(margin["more_yuan"] / YUAN_PER_MILLION, 2),
            households=number(margin["households"]),
            hours=number(margin["risk_hours"]),
        )
    ]
    if following is None:
        sentences.append(text("around.nothing_left", language))
    else:
        sentences.append(
            text(
                "around.following",
                language,
                more=wan(following["more_yuan"], 2),
                more_million=number(following["more_yuan"] / YUAN_PER_MILLION, 3),
                households=number(following["households"]),
                added=_named(following["added"]),
            )
        )
    sentences.append(
        text(
            "around.robust",
            language,
            draws=number(len(robust["scenarios"])),
            shared=number(robust["also_in_plan"]),
            projects=number(exact["projects"]),
            households=number(robust["households"]),
            regret=number(robust["largest_regret_households"], 1),
        )
    )
    return sentences


def around_tables(around: Around, language: Language) -> list[WordTable]:
    """Return the comparison with simple rules, the counties, the curve over the budget, and the draws."""
    return [
        _rules(around, language),
        _counties(around, language),
        _budgets(around, language),
        _draws(around["robust"], language),
    ]


def _headings(language: Language, *names: str) -> tuple[str, ...]:
    return tuple(text(f"around.h_{name}", language) for name in names)


def _rules(around: Around, language: Language) -> WordTable:
    best = around["rules"][0]
    rows = [
        (
            label("plan_rule", rule["rule"], language),
            wan(rule["cost_yuan"]),
            number(rule["projects"]),
            number(rule["households"]),
            number(rule["households"] - best["households"]),
            number(rule["risk_hours"]),
            number(_per_million(rule["households"], rule["cost_yuan"]), 1),
            number(_per_million(rule["risk_hours"], rule["cost_yuan"]), 1),
        )
        for rule in around["rules"]
    ]
    names = ("rule", "cost", "projects", "households", "less", "hours", "households_per_million", "hours_per_million")
    return WordTable(name="plan_rules", headings=_headings(language, *names), rows=tuple(rows))


def _counties(around: Around, language: Language) -> WordTable:
    rows = [
        (
            county_name(share["county_code"], language),
            number(share["candidates"]),
            number(share["chosen"]),
            wan(share["cost_yuan"]),
            percent(share["cost_percent"]),
            number(share["households"]),
            number(share["risk_hours"]),
        )
        for share in around["county_split"]
    ]
    names = ("county", "candidates", "projects", "cost", "share", "households", "hours")
    return WordTable(name="county_split", headings=_headings(language, *names), rows=tuple(rows))


def _budgets(around: Around, language: Language) -> WordTable:
    rows = [
        (
            wan(point["budget_yuan"], 0),
            wan(point["cost_yuan"]),
            number(point["projects"]),
            number(point["households"]),
            number(point["risk_hours"]),
        )
        for point in around["pareto"]
    ]
    names = ("budget", "cost", "projects", "households", "hours")
    return WordTable(name="pareto", headings=_headings(language, *names), rows=tuple(rows))


def _draws(robust: Robust, language: Language) -> WordTable:
    rows = [
        (
            str(draw["scenario"]),
            number(draw["price_factor"].get(""), 2),
            number(draw["households_factor"], 2),
            number(draw["risk_factor"], 2),
            number(draw["best_households"], 1),
            number(draw["households"], 1),
        )
        for draw in robust["scenarios"]
    ]
    names = ("draw", "price", "uptake", "weather", "best", "robust")
    return WordTable(name="robust", headings=_headings(language, *names), rows=tuple(rows))


def _per_million(value: float, cost_yuan: float) -> float | None:
    return value / (cost_yuan / YUAN_PER_MILLION) if cost_yuan else None


def _named(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (" …" if len(ids) > _NAMED else "")
