"""What `gridcheck plan` does: read a plain table of packages, choose, write the answer whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridcheck import __version__, terminal
from gridcheck.errors import InputError, OutOfTimeError, PlanError

if TYPE_CHECKING:
    from gridcheck.reinforcement.menu import Choice, Conditions, Menu
    from gridcheck.reinforcement.packages import Package
    from gridcheck.reinforcement.patience import Patience
    from gridcheck.reinforcement.robust import RobustChoice, Rule

_MOST_MINUTES = 100_000.0
_MOST_HOUSEHOLD_DIGITS = 12
# Stands where a figure would: null says that there is none.
_OUT_OF_TIME = "out_of_time"
_PARTS = {"choice": "方案 choice", "pareto": "帕累托 Pareto curve", "around": "边际 around the choice",
          "robust": "稳健 robust"}  # fmt: skip


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
    minutes : float
        How long each part, the choice, the curve, the figures around and the robust choice, may be searched for. [min]
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
    minutes: float = 10.0


@dataclass(frozen=True, slots=True)
class _Searches:
    """The parts of a plan, each with its own time, and those for which it was too short."""

    minutes: float
    cut_short: list[str] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[Patience]:
        """Give one part its time; what it cannot do in it is left out, but for the choice itself."""
        from gridcheck.reinforcement.patience import patience_of

        with terminal.search_progress(_PARTS[name], self.minutes) as tell:
            patience = patience_of(self.minutes, tell)
            try:
                yield patience
            except OutOfTimeError as error:
                if name == "choice":
                    raise
                patience.cut_short.append(str(error))
        if patience.cut_short:
            self.cut_short.append(name)


def plan(asked: Asked, out: Path) -> dict[str, Any]:
    """Choose among the packages of a table and write the folder; return what status.json says.

    Raises
    ------
    InputError
        If the table, the budget or a condition is not usable: every finding with its row.
    PlanError
        If the budget does not reach for what is forced, or nothing was found in time.
    LedgerError
        If the folder holds something else.
    """
    from gridcheck.reinforcement.menu import choose
    from gridcheck.reinforcement.packages import content_of_table, menu_of_packages, never_buildable, packages_of
    from gridcheck.reports import plan_files, plan_folder

    budget = _budget(asked)
    plan_folder.require_plan_place(out, asked.candidates)
    content = content_of_table(asked.candidates)
    packages = packages_of(content, file=asked.candidates)
    menu = menu_of_packages(packages)
    searches = _Searches(asked.minutes)
    with searches.part("choice") as patience:
        conditions = _conditions(asked, menu, budget, patience)
        try:
            choice = choose(menu, budget, conditions, patience)
        except OutOfTimeError as error:
            raise OutOfTimeError(f"{asked.candidates}: {error} Give it more with --minutes.") from None
        except PlanError as error:
            raise PlanError(f"{asked.candidates}: {error}{_rows_of(packages, conditions.forced)}") from None
    notes = never_buildable(packages)
    # A note begins with the row of its package.
    never = {int(note.split(" ")[1]) for note in notes}
    files = {plan_folder.PLAN: plan_files.plan_csv(packages, choice, conditions.forbidden, never)}
    status = _status(menu, choice, conditions, notes)
    status["candidates_sha256"] = hashlib.sha256(content).hexdigest()
    status["gridcheck_version"] = __version__
    if asked.has_pareto:
        files |= _pareto(menu, conditions, searches)
    if asked.has_around:
        status |= _around(menu, choice, conditions, searches)
        files |= _compared(menu, choice, conditions, searches)
    if asked.robust is not None:
        status["robust"], more = _robust(asked, menu, choice, conditions, searches)
        files |= more
    status["cut_short"] = list(dict.fromkeys(searches.cut_short))
    return plan_folder.write_plan_folder(out, files, status)


def show_plan(status: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    """Print the status line, or all of status.json."""
    from gridcheck.reports.plan_folder import PLAN

    terminal.print_remarks(str(out / PLAN), [*_remarks(status), *status["notes"]])
    if as_json:
        terminal.print_json(status)
        return
    terminal.print_line(status["line"])
    for name in ("marginal_100000_yuan", "next_on_the_list", "robust"):
        if status.get(name):
            terminal.print_line(f"{name}: {json.dumps(status[name], ensure_ascii=False)}")


def _remarks(status: Mapping[str, Any]) -> list[str]:
    """Say what is not proved."""
    found = []
    if status["status"] == "feasible":
        name, most = status["gap_of"], status["bound"]
        at_most = "" if most is None else f", but at most {most:.12g}"
        found.append(
            f"时间用完，未证明 {name} 最优，差距 {status['gap']:g}；可用 --minutes 加时。 "
            f"The time ran out: other plans may bring more {name}{at_most}; gap {status['gap']:g}. "
            "Give it more with --minutes."
        )
    elif not status["is_least_cost"]:
        found.append(
            "效益已证明最优，但未证明费用最低。 "
            "What it brings is proved to be the best; another plan may bring it for less."
        )
    parts = [_PARTS[name] for name in status["cut_short"] if name != "choice"]
    if parts:
        found.append(
            f"时间用完，未全部证明 the time ran out, not all is proved: {', '.join(parts)}; 可加时 more with --minutes"
        )
    return found


def _budget(asked: Asked) -> Fraction:
    from gridcheck.reinforcement.packages import exact_number, shown

    if not 0.0 < asked.minutes <= _MOST_MINUTES:
        raise InputError(f"--minutes must be above 0 and up to {_MOST_MINUTES:g}. Got {asked.minutes}.")
    budget = exact_number(asked.budget.strip())
    if budget is None or budget < 0:
        raise InputError(
            f"--budget {shown(asked.budget)!r} must be a finite number of yuan of at least 0, such as 18000000."
        )
    return budget


def _conditions(asked: Asked, menu: Menu, budget: Fraction, patience: Patience) -> Conditions:
    from gridcheck.reinforcement.around import with_fair_share
    from gridcheck.reinforcement.menu import Conditions
    from gridcheck.reinforcement.packages import plain_text, shown

    forced, forbidden = (_as_in_the_table(ids, menu) for ids in (asked.forced, asked.forbidden))
    both = sorted(set(forced) & set(forbidden))
    if both:
        raise InputError("Projects are both forced and forbidden; name them once.", [f"project {one}" for one in both])
    minimum: dict[str, int] = {}
    for text in asked.county_minimum:
        code, _, number = text.partition("=")
        if not (number.isascii() and number.isdigit() and len(number) <= _MOST_HOUSEHOLD_DIGITS):
            raise InputError(f"--county-minimum {shown(text)!r} must be CODE=HOUSEHOLDS, such as 140827=500.")
        minimum[plain_text(code)] = max(minimum.get(plain_text(code), 0), int(number))
    if asked.fair_share is not None and not 0.0 <= asked.fair_share <= 1.0:
        raise InputError(f"--fair-share must lie within 0 and 1. Got {asked.fair_share}.")
    own = Conditions(forced=forced, forbidden=forbidden, county_minimum=minimum)
    return with_fair_share(menu, budget, own, asked.fair_share or 0.0, patience.part(2))


def _as_in_the_table(ids: Iterable[str], menu: Menu) -> tuple[str, ...]:
    """Return ids as they were read; they may be typed as they stand in the table or in plan.csv, or plainly."""
    from gridcheck.reinforcement.packages import plain_text

    known = set(menu.ids)
    return tuple(one if one in known and plain_text(one) not in known else plain_text(one) for one in ids)


def _rows_of(packages: Sequence[Package], forced: Iterable[str]) -> str:
    wanted = set(forced)
    rows = [f"row {package.row} ({package.project_id})" for package in packages if package.project_id in wanted]
    return f" Forced: {', '.join(rows)}." if rows else ""


def _status(menu: Menu, choice: Choice, conditions: Conditions, notes: Sequence[str]) -> dict[str, Any]:
    from gridcheck.reinforcement.menu import exact

    hours, cost = exact(choice.values["risk_hours"]), exact(choice.cost_yuan)
    budget, households = exact(choice.budget_yuan), int(choice.households)
    word = "feasible" if choice.unproved else "optimal"
    of = f" ({choice.unproved})" if choice.unproved else ""
    return {
        "line": f"状态 status: {word}; 户数 households: {households}; 风险小时 risk_hours: {hours}; "
        f"费用 cost_yuan: {cost}; 资金 budget_yuan: {budget}; 项目 projects: {len(choice.ids)}/{len(menu.ids)}; "
        f"差距 gap: {choice.gap:g}{of}",
        "status": word,
        "objective": "most households, then most risk_hours, then least cost_yuan, then fewest projects, then ids",
        "gap": choice.gap,
        "gap_of": choice.unproved or None,
        "bound": float(choice.bound) if choice.bound is not None and choice.unproved in choice.values else None,
        "is_least_cost": choice.is_least_cost,
        "households": households,
        "risk_hours": float(choice.values["risk_hours"]),
        "cost_yuan": float(choice.cost_yuan),
        "budget_yuan": float(choice.budget_yuan),
        "exact": {"risk_hours": hours, "cost_yuan": cost, "budget_yuan": budget},
        "chosen": len(choice.ids),
        "candidates": len(menu.ids),
        "forced": sorted(set(conditions.forced)),
        "forbidden": sorted(set(conditions.forbidden)),
        "notes": list(notes),
    }


def _pareto(menu: Menu, conditions: Conditions, searches: _Searches) -> dict[str, bytes]:
    from gridcheck.reinforcement.around import pareto
    from gridcheck.reports.plan_files import pareto_csv
    from gridcheck.reports.plan_folder import PARETO

    points: Sequence[Choice] = ()
    with searches.part("pareto") as patience:

        def step(done: int, of: int) -> None:
            patience.tell(f"{done}/{of}", math.nan)

        points = pareto(menu, conditions, progress=step, patience=patience)
    return {PARETO: pareto_csv(points)}


def _around(menu: Menu, choice: Choice, conditions: Conditions, searches: _Searches) -> dict[str, Any]:
    from gridcheck.reinforcement.around import marginal_value, next_on_the_list
    from gridcheck.reinforcement.overview import margin_report

    found: dict[str, Any] = {"marginal_100000_yuan": _OUT_OF_TIME, "next_on_the_list": _OUT_OF_TIME}
    with searches.part("around") as patience:
        margin = marginal_value(menu, choice, conditions, patience=patience.part(3))
        found["marginal_100000_yuan"] = margin_report(margin)
        following = next_on_the_list(menu, choice, conditions, patience)
        found["next_on_the_list"] = None if following is None else margin_report(following)
    return found


def _compared(menu: Menu, choice: Choice, conditions: Conditions, searches: _Searches) -> dict[str, bytes]:
    """Return the files of --around: what counties get, and what rules of thumb would come to."""
    from gridcheck.reinforcement.around import county_split, simple_rules
    from gridcheck.reinforcement.menu import NO_CONDITIONS, choose
    from gridcheck.reports.plan_files import rules_csv, split_csv
    from gridcheck.reports.plan_folder import RULES, SPLIT

    def firmly(best: Choice) -> str:
        return "best_found" if best.unproved else "exact"

    budget, found = choice.budget_yuan, {firmly(choice): choice}
    with searches.part("around") as patience:
        # The rules of thumb know no conditions, so with some the best without them is what they are to be held against.
        if conditions != NO_CONDITIONS:
            freely = choose(menu, budget, patience=patience.part(2))
            found[f"{firmly(freely)}_without_conditions"] = freely
        found |= simple_rules(menu, budget, patience)
    return {SPLIT: split_csv(county_split(menu, choice)), RULES: rules_csv(found)}


def _robust(
    asked: Asked, menu: Menu, choice: Choice, conditions: Conditions, searches: _Searches
) -> tuple[dict[str, Any] | str, dict[str, bytes]]:
    import numpy as np

    from gridcheck.reinforcement.robust import RobustChoice, catalogue_ranges, choose_robustly, drawn_scenarios
    from gridcheck.reports.plan_files import frequency_csv, scenarios_csv
    from gridcheck.reports.plan_folder import FREQUENCY, SCENARIOS

    scenarios = drawn_scenarios(catalogue_ranges(menu.measure), asked.draws, np.random.default_rng(asked.seed))
    rule, found = asked.robust or "regret", list[RobustChoice]()
    with searches.part("robust") as patience:
        found.append(choose_robustly(menu, choice.budget_yuan, scenarios, conditions, rule=rule, patience=patience))
    if not found:
        return _OUT_OF_TIME, {}
    files = {SCENARIOS: scenarios_csv(scenarios, found[0]), FREQUENCY: frequency_csv(menu, choice, found[0])}
    return _robust_status(found[0]), files


def _robust_status(found: RobustChoice) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "scenarios": len(found.scenarios),
        "households": int(found.choice.households),
        "risk_hours": float(found.choice.values["risk_hours"]),
        "cost_yuan": float(found.choice.cost_yuan),
        "largest_regret_households": float(max(found.regret)),
        "least_households": float(min(found.households)),
        "gap": found.choice.gap,
        "confidence": "E",
    }
