"""The CSV files of a plan from a plain table: money and hours with every decimal that they have."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

from gridcheck.csv_tables import escape_text
from gridcheck.reinforcement.around import CountyShare
from gridcheck.reinforcement.menu import Choice, Menu, exact
from gridcheck.reinforcement.packages import Package
from gridcheck.reinforcement.robust import PlanScenario, RobustChoice

_PER_YUAN = 1_000_000
# Numbers of ours may begin with a minus; texts of others may not begin like a formula.
_TEXTS = ("project_id", "group", "county_code", "price_factors")


def plan_csv(
    packages: Sequence[Package], choice: Choice, forbidden: Collection[str], never: Collection[int] = ()
) -> bytes:
    """Return plan.csv: every package in the order of the table, and what became of it.

    Parameters
    ----------
    packages : sequence of Package
        The table.
    choice : Choice
        What is built.
    forbidden : collection of str
        Ids that were not to be built.
    never : collection of int
        Rows of packages that cannot be built, whatever the budget.

    Returns
    -------
    bytes
    """
    chosen = set(choice.ids)
    taken = {package.group for package in packages if package.group and package.project_id in chosen}

    def outcome(package: Package) -> str:
        if package.project_id in chosen:
            return "chosen"
        if package.project_id in forbidden:
            return "forbidden"
        if package.row in never:
            return "never_buildable"
        if package.group in taken:
            return "alternative_chosen"
        return "over_budget" if package.households > 0 or package.risk_hours > 0 else "no_benefit"

    heading = ("project_id", "chosen", "outcome", "cost_yuan", "households", "risk_hours", "group", "county_code")
    rows = [
        (p.project_id, int(p.project_id in chosen), outcome(p), exact(p.cost_yuan), p.households, exact(p.risk_hours),
         p.group, p.county_code)
        for p in packages
    ]  # fmt: skip
    return _csv(heading, rows)


def pareto_csv(points: Sequence[Choice]) -> bytes:
    """Return pareto.csv: the best choice at each budget."""
    heading = ("budget_yuan", "cost_yuan", "projects", "households", "risk_hours", "gap")
    rows = [(exact(one.budget_yuan), exact(one.cost_yuan), len(one.ids), *_brought(one), f"{one.gap:g}")
            for one in points]  # fmt: skip
    return _csv(heading, rows)


def split_csv(shares: Sequence[CountyShare]) -> bytes:
    """Return county_split.csv: what each county gets."""
    heading = ("county_code", "candidates", "chosen", "cost_yuan", "cost_percent", "households", "risk_hours")
    rows = [
        (one.county_code, one.candidates, one.chosen, exact(one.cost_yuan),
         "" if math.isnan(one.cost_percent) else f"{one.cost_percent:.3f}", exact(one.households),
         exact(one.risk_hours))
        for one in shares
    ]  # fmt: skip
    return _csv(heading, rows)


def rules_csv(found: Mapping[str, Choice]) -> bytes:
    """Return rules.csv: the exact choice, or the best found, beside what rules of thumb come to, by name."""
    heading = ("rule", "cost_yuan", "projects", "households", "risk_hours", "households_per_million_yuan",
               "risk_hours_per_million_yuan")  # fmt: skip
    rows = [
        (name, exact(one.cost_yuan), len(one.ids), *_brought(one),
         *(_per_million(one, value) for value in (one.households, one.values["risk_hours"])))
        for name, one in found.items()
    ]  # fmt: skip
    return _csv(heading, rows)


def scenarios_csv(scenarios: Sequence[PlanScenario], found: RobustChoice) -> bytes:
    """Return scenarios.csv: what was drawn, and what the robust choice loses in it."""
    heading = ("scenario", "price_factors", "households_factor", "risk_factor", "best_households", "households",
               "regret")  # fmt: skip
    rows = [
        (one.name, ";".join(f"{measure or '*'}={factor:.6f}" for measure, factor in one.price_factor.items()),
         f"{one.households_factor:.6f}", f"{one.risk_factor:.6f}", exact(best), exact(own), exact(regret))
        for one, best, own, regret in zip(
            scenarios, found.best_households, found.households, found.regret, strict=True
        )
    ]  # fmt: skip
    return _csv(heading, rows)


def frequency_csv(menu: Menu, choice: Choice, found: RobustChoice) -> bytes:
    """Return frequency.csv: in how many scenarios each project is part of the best plan."""
    nominal, robust = set(choice.ids), set(found.choice.ids)
    rows = [(one, int(one in nominal), int(one in robust), f"{found.frequency_percent[one]:.3f}") for one in menu.ids]
    return _csv(("project_id", "chosen", "chosen_robust", "frequency_percent"), rows)


def _brought(choice: Choice) -> tuple[str, str]:
    return exact(choice.households), exact(choice.values["risk_hours"])


def _per_million(choice: Choice, value: Fraction) -> str:
    return f"{float(_PER_YUAN * value / choice.cost_yuan):.3f}" if choice.cost_yuan else ""


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heading)
    is_text = [name in _TEXTS for name in heading]
    for row in rows:
        writer.writerow([escape_text(str(cell)) if text else cell for text, cell in zip(is_text, row, strict=True)])
    return buffer.getvalue().encode()
