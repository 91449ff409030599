"""What `gridcheck plan` does: read a plain table of packages, choose, write the answer whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import __version__, terminal
from gridcheck.errors import InputError, LedgerError, PlanError

if TYPE_CHECKING:
    from gridcheck.reinforcement.around import Margin
    from gridcheck.reinforcement.menu import Choice, Conditions, Menu
    from gridcheck.reinforcement.packages import Package
    from gridcheck.reinforcement.robust import PlanScenario, RobustChoice, Rule

PLAN, STATUS, PARETO = "plan.csv", "status.json", "pareto.csv"
SPLIT, RULES, SCENARIOS, FREQUENCY = "county_split.csv", "rules.csv", "scenarios.csv", "frequency.csv"
_FILES = (PLAN, STATUS, PARETO, SPLIT, RULES, SCENARIOS, FREQUENCY)
_PER_YUAN = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be planned.

    Attributes
    ----------
    candidates : Path
        The table.
    budget : str
        Money as it was typed. [yuan]
    forced, forbidden : tuple of str
        Ids that are built, and not built, in any case.
    county_minimum : tuple of str
        ``CODE=HOUSEHOLDS`` each.
    fair_share : float or None
        Share of an even split that each county gets at least. [1]
    has_pareto, has_around : bool
        Whether the curve over the budget, and figures around the choice, are wanted.
    robust : {"regret", "cvar"} or None
        Rule of a robust choice.
    draws, seed : int
        Scenarios of it.
    """

    candidates: Path
    budget: str
    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    county_minimum: tuple[str, ...] = ()
    fair_share: float | None = None
    has_pareto: bool = False
    has_around: bool = False
    robust: Rule | None = None
    draws: int = 20
    seed: int = 1


def plan(asked: Asked, out: Path) -> dict[str, Any]:
    """Choose among the packages of a table and write the folder; return what status.json says.

    Raises
    ------
    InputError
        If the table, the budget or a condition is not usable: every finding with its row.
    PlanError
        If the budget does not reach for what is forced.
    LedgerError
        If the folder holds something else.
    """
    from gridcheck.reinforcement.menu import choose
    from gridcheck.reinforcement.packages import menu_of_packages, never_buildable, read_packages

    budget = _budget(asked.budget)
    _require_place(out)
    if asked.candidates.resolve().parent == out.resolve() and asked.candidates.name in _FILES:
        raise InputError(f"{asked.candidates} would be replaced by what is written to {out}. Take another --out.")
    packages = read_packages(asked.candidates)
    menu = menu_of_packages(packages)
    conditions = _conditions(asked, menu, budget)
    try:
        choice = choose(menu, budget, conditions)
    except PlanError as error:
        raise PlanError(f"{asked.candidates}: {error}{_rows_of(packages, asked.forced)}") from None
    notes = never_buildable(packages)
    status = _status(asked, menu, choice, notes)
    files = {PLAN: _plan_csv(packages, choice, asked, notes)}
    if asked.has_pareto:
        files[PARETO] = _pareto_csv(menu, conditions)
    if asked.has_around:
        status |= _around(menu, choice, conditions)
        files |= {SPLIT: _split_csv(menu, choice), RULES: _rules_csv(menu, choice, conditions)}
    if asked.robust is not None:
        scenarios, found = _robust(asked, menu, budget, conditions)
        files |= {SCENARIOS: _scenarios_csv(scenarios, found), FREQUENCY: _frequency_csv(menu, choice, found)}
        status["robust"] = _robust_status(found)
    files[STATUS] = (json.dumps(status, ensure_ascii=False, indent=2) + "\n").encode()
    _write_together(out, files)
    return status


def show_plan(status: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """Print the status line, or all of status.json."""
    terminal.print_remarks(str(out / PLAN), status["notes"])
    if as_json:
        terminal.print_json(status)
        return
    terminal.print_line(status["line"])
    for name in ("marginal_100000_yuan", "next_on_the_list"):
        if status.get(name):
            terminal.print_line(f"{name}: {json.dumps(status[name], ensure_ascii=False)}")
    if "robust" in status:
        terminal.print_line(f"robust: {json.dumps(status['robust'], ensure_ascii=False)}")


def _budget(text: str) -> Fraction:
    from gridcheck.reinforcement.packages import exact_number

    budget = exact_number(text.strip())
    if budget is None or budget < 0:
        raise InputError(f"--budget {text!r} must be a finite number of yuan of at least 0, such as 18000000.")
    return budget


def _conditions(asked: Asked, menu: Menu, budget: Fraction) -> Conditions:
    from gridcheck.reinforcement.around import fair_minimum
    from gridcheck.reinforcement.menu import Conditions

    both = sorted(set(asked.forced) & set(asked.forbidden))
    if both:
        raise InputError("Projects are both forced and forbidden; name them once.", [f"project {one}" for one in both])
    minimum: dict[str, int] = {}
    if asked.fair_share is not None:
        minimum |= fair_minimum(menu, budget, Fraction(str(asked.fair_share)))
    for text in asked.county_minimum:
        code, _, number = text.partition("=")
        if not (number.isascii() and number.isdigit()):
            raise InputError(f"--county-minimum {text!r} must be CODE=HOUSEHOLDS, such as 140827=500.")
        minimum[code] = max(minimum.get(code, 0), int(number))
    return Conditions(forced=asked.forced, forbidden=asked.forbidden, county_minimum=minimum)


def _rows_of(packages: Sequence[Package], forced: Iterable[str]) -> str:
    wanted = set(forced)
    rows = [f"row {package.row} ({package.project_id})" for package in packages if package.project_id in wanted]
    return f" Forced: {', '.join(rows)}." if rows else ""


def _status(asked: Asked, menu: Menu, choice: Choice, notes: Sequence[str]) -> dict[str, Any]:
    from gridcheck.reinforcement.menu import exact

    hours, cost = exact(choice.values["risk_hours"]), exact(choice.cost_yuan)
    budget, households = exact(choice.budget_yuan), int(choice.households)
    return {
        "line": f"状态 status: optimal; 户数 households: {households}; 风险小时 risk_hours: {hours}; "
        f"费用 cost_yuan: {cost}; 资金 budget_yuan: {budget}; 项目 projects: {len(choice.ids)}/{len(menu.ids)}; "
        f"差距 gap: {choice.gap:g}",
        "status": "optimal",
        "objective": "most households, then most risk_hours, then least cost_yuan, then fewest projects, then ids",
        "gap": choice.gap,
        "is_least_cost": choice.is_least_cost,
        "households": households,
        "risk_hours": float(choice.values["risk_hours"]),
        "cost_yuan": float(choice.cost_yuan),
        "budget_yuan": float(choice.budget_yuan),
        "exact": {"risk_hours": hours, "cost_yuan": cost, "budget_yuan": budget},
        "chosen": len(choice.ids),
        "candidates": len(menu.ids),
        "forced": sorted(set(asked.forced)),
        "forbidden": sorted(set(asked.forbidden)),
        "notes": list(notes),
        "candidates_sha256": hashlib.sha256(asked.candidates.read_bytes()).hexdigest(),
        "gridcheck_version": __version__,
    }


def _plan_csv(packages: Sequence[Package], choice: Choice, asked: Asked, notes: Sequence[str]) -> bytes:
    from gridcheck.reinforcement.menu import exact

    chosen, forbidden = set(choice.ids), set(asked.forbidden)
    taken = {package.group for package in packages if package.group and package.project_id in chosen}
    # A note begins with the row of its package.
    never = {note.split(" ")[1] for note in notes}

    def outcome(package: Package) -> str:
        if package.project_id in chosen:
            return "chosen"
        if package.project_id in forbidden:
            return "forbidden"
        if str(package.row) in never:
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


def _pareto_csv(menu: Menu, conditions: Conditions) -> bytes:
    from gridcheck.reinforcement.around import pareto

    with terminal.steps("帕累托 Pareto curve") as step:
        points = pareto(menu, conditions, progress=step)
    heading = ("budget_yuan", "cost_yuan", "projects", "households", "risk_hours", "gap")
    rows = [(*_money(one), len(one.ids), *_brought(one), f"{one.gap:g}") for one in points]
    return _csv(heading, rows)


def _money(choice: Choice) -> tuple[str, str]:
    from gridcheck.reinforcement.menu import exact

    return exact(choice.budget_yuan), exact(choice.cost_yuan)


def _brought(choice: Choice) -> tuple[str, str]:
    from gridcheck.reinforcement.menu import exact

    return exact(choice.households), exact(choice.values["risk_hours"])


def _around(menu: Menu, choice: Choice, conditions: Conditions) -> dict[str, Any]:
    from gridcheck.reinforcement.around import marginal_value, next_on_the_list

    following = next_on_the_list(menu, choice, conditions)
    return {
        "marginal_100000_yuan": _margin(marginal_value(menu, choice, conditions)),
        "next_on_the_list": None if following is None else _margin(following),
    }


def _margin(margin: Margin) -> dict[str, Any]:
    return {
        "more_yuan": float(margin.more_yuan),
        "households": int(margin.households),
        "risk_hours": float(margin.risk_hours),
        "added": list(margin.added),
        "dropped": list(margin.dropped),
    }


def _split_csv(menu: Menu, choice: Choice) -> bytes:
    from gridcheck.reinforcement.around import county_split
    from gridcheck.reinforcement.menu import exact

    heading = ("county_code", "candidates", "chosen", "cost_yuan", "cost_percent", "households", "risk_hours")
    rows = [
        (one.county_code, one.candidates, one.chosen, exact(one.cost_yuan),
         "" if math.isnan(one.cost_percent) else f"{one.cost_percent:.3f}", exact(one.households),
         exact(one.risk_hours))
        for one in county_split(menu, choice)
    ]  # fmt: skip
    return _csv(heading, rows)


def _rules_csv(menu: Menu, choice: Choice, conditions: Conditions) -> bytes:
    from gridcheck.reinforcement.around import by_benefit_per_cost, by_even_split, by_heaviest_risk
    from gridcheck.reinforcement.menu import NO_CONDITIONS, choose

    budget = choice.budget_yuan
    found = {
        "exact": choice,
        # The rules of thumb know no conditions, so with some the best without them is what they are to be held against.
        **({} if conditions == NO_CONDITIONS else {"exact_without_conditions": choose(menu, budget)}),
        "benefit_per_cost": by_benefit_per_cost(menu, budget),
        "heaviest_risk": by_heaviest_risk(menu, budget),
        "even_split": by_even_split(menu, budget),
    }
    heading = ("rule", "cost_yuan", "projects", "households", "risk_hours", "households_per_million_yuan",
               "risk_hours_per_million_yuan")  # fmt: skip
    rows = [
        (name, _money(one)[1], len(one.ids), *_brought(one), *(_per_million(one, value) for value in
         (one.households, one.values["risk_hours"])))
        for name, one in found.items()
    ]  # fmt: skip
    return _csv(heading, rows)


def _per_million(choice: Choice, value: Fraction) -> str:
    return f"{float(_PER_YUAN * value / choice.cost_yuan):.3f}" if choice.cost_yuan else ""


def _robust(
    asked: Asked, menu: Menu, budget: Fraction, conditions: Conditions
) -> tuple[tuple[PlanScenario, ...], RobustChoice]:
    import numpy as np

    from gridcheck.reinforcement.robust import catalogue_ranges, choose_robustly, drawn_scenarios

    scenarios = drawn_scenarios(catalogue_ranges(menu.measure), asked.draws, np.random.default_rng(asked.seed))
    rule = asked.robust or "regret"
    return scenarios, choose_robustly(menu, budget, scenarios, conditions, rule=rule)


def _robust_status(found: RobustChoice) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "scenarios": len(found.scenarios),
        "households": int(found.choice.households),
        "risk_hours": float(found.choice.values["risk_hours"]),
        "cost_yuan": float(found.choice.cost_yuan),
        "largest_regret_households": float(max(found.regret)),
        "least_households": float(min(found.households)),
        "confidence": "E",
    }


def _scenarios_csv(scenarios: Sequence[PlanScenario], found: RobustChoice) -> bytes:
    from gridcheck.reinforcement.menu import exact

    heading = (
        "scenario",
        "price_factors",
        "households_factor",
        "risk_factor",
        "best_households",
        "households",
        "regret",
    )
    rows = [
        (one.name, ";".join(f"{measure or '*'}={factor:.6f}" for measure, factor in one.price_factor.items()),
         f"{one.households_factor:.6f}", f"{one.risk_factor:.6f}", exact(best), exact(own), exact(regret))
        for one, best, own, regret in zip(
            scenarios, found.best_households, found.households, found.regret, strict=True
        )
    ]  # fmt: skip
    return _csv(heading, rows)


def _frequency_csv(menu: Menu, choice: Choice, found: RobustChoice) -> bytes:
    nominal, robust = set(choice.ids), set(found.choice.ids)
    rows = [(one, int(one in nominal), int(one in robust), f"{found.frequency_percent[one]:.3f}") for one in menu.ids]
    return _csv(("project_id", "chosen", "chosen_robust", "frequency_percent"), rows)


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    from gridcheck.csv_tables import escape_text

    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heading)
    # Numbers of ours may begin with a minus; texts of others may not begin like a formula.
    texts = ("project_id", "group", "county_code", "price_factors")
    is_text = [name in texts for name in heading]
    for row in rows:
        writer.writerow([escape_text(str(cell)) if text else cell for text, cell in zip(is_text, row, strict=True)])
    return buffer.getvalue().encode()


def _require_place(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise LedgerError(f"{out} is a file, not a folder. Name another one with --out.")
    if (out / "summary.json").exists():
        raise LedgerError(f"{out} holds the results of `gridcheck run`; they are left alone. Name another --out.")


def _write_together(out: Path, files: Mapping[str, bytes]) -> None:
    """Write all files, and let them take their places when the last one is complete; older ones of ours go."""
    from gridcheck.atomic import written_in_one_step
    from gridcheck.interrupts import interrupts_held_back
    from gridcheck.reports.place import made_folder

    with made_folder(out), interrupts_held_back(too_late=True):
        with ExitStack() as stack:
            for name, content in files.items():
                file = stack.enter_context(written_in_one_step(out / name))
                file.write(content)
                file.flush()
        for name in set(_FILES) - set(files):
            (out / name).unlink(missing_ok=True)
