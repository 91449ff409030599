"""What a budget is spent on, whatever it was read from: costs and benefits in whole numbers, and the conditions.

Projects of a study count money in fen, hours in hundredths and energy in kWh; packages of a plain table count in the
last decimal that stands in it. Both become one `Menu`, and every choice is made from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from gridcheck.errors import InputError, OutOfTimeError, PlanError
from gridcheck.reinforcement.aims import Aim
from gridcheck.reinforcement.patience import Patience, share
from gridcheck.reinforcement.problem import ChoiceProblem, Chosen, Floor, Limit, closure
from gridcheck.reinforcement.programme import best_choice

HOUSEHOLDS = "households"
_MOST_DECIMALS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One thing that projects bring, in whole parts of its unit.

    Attributes
    ----------
    name : str
        Code: households, risk_hours, unsupplied_mwh.
    values : tuple of int, shape (n_project + n_shared,)
        What each project brings, then each shared household.
    parts : int
        Parts per unit.
    """

    name: str
    values: tuple[int, ...]
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Projects to choose from, in the order of their ids.

    Attributes
    ----------
    ids : tuple of str
        Ascending.
    county_code, measure : tuple of str
        Where each project is, and what it is; empty where not told.
    cost : tuple of int
        In parts of a yuan.
    parts_per_yuan : int
        Their number.
    benefits : tuple of Benefit
        In order of rank; households first.
    groups, requires, conflicts, shared : tuple
        As in `ChoiceProblem`.
    """

    ids: tuple[str, ...]
    county_code: tuple[str, ...]
    measure: tuple[str, ...]
    cost: tuple[int, ...]
    parts_per_yuan: int
    benefits: tuple[Benefit, ...]
    groups: tuple[tuple[int, ...], ...] = ()
    requires: tuple[tuple[int, int], ...] = ()
    conflicts: tuple[tuple[int, int], ...] = ()
    shared: tuple[tuple[int, ...], ...] = ()

    def positions(self, ids: Iterable[str]) -> tuple[int, ...]:
        """Return the positions of ids, ascending; those that are not there are an InputError."""
        where = {project_id: i for i, project_id in enumerate(self.ids)}
        wanted = sorted(set(ids))
        unknown = [project_id for project_id in wanted if project_id not in where]
        if unknown:
            raise InputError(
                "There are no such projects among the candidates; write their ids as they stand in the table.",
                [f"project {project_id!r} is unknown" for project_id in unknown],
            )
        return tuple(where[project_id] for project_id in wanted)

    def budget_parts(self, budget_yuan: Fraction) -> int:
        """Return a budget in whole parts of a yuan, rounded down."""
        return int(budget_yuan * self.parts_per_yuan // 1)

    def alone(self, rank: int) -> tuple[int, ...]:
        """Return what each project brings of a benefit if it is the only one: with all shared households it unlocks."""
        values = self.benefits[rank].values
        found = list(values[: len(self.ids)])
        for value, unlocking in zip(values[len(self.ids) :], self.shared, strict=True):
            for i in unlocking:
                found[i] += value
        return tuple(found)

    def in_county(self, code: str) -> tuple[int, ...]:
        """Return the positions of a county's projects."""
        return tuple(i for i, county in enumerate(self.county_code) if county == code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a choice has to meet beside the budget.

    Attributes
    ----------
    forced, forbidden : tuple of str
        Ids of projects that are built, and not built, in any case.
    county_minimum : mapping of str to int
        Households that a county gets at least.
    """

    forced: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    county_minimum: Mapping[str, int] = field(default_factory=dict)


NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is built, and what it brings.

    Attributes
    ----------
    ids : tuple of str
        Chosen projects, ascending.
    cost_yuan, budget_yuan : Fraction
        What they cost, and what there is; exact. [yuan]
    values : mapping of str to Fraction
        What they bring of each benefit, by its name; exact.
    gap : float
        Relative distance to the proved bound: 0 where no other brings more, NaN where no best one was sought.
    is_least_cost : bool
        False where it is not proved that no other choice brings the same for less.
    unproved : str
        The first objective that is not proved, because the time ran out; empty where what it brings is the best.
    bound : Fraction or None
        What no choice exceeds in that objective, all before it being as good.
    """

    ids: tuple[str, ...]
    cost_yuan: Fraction
    budget_yuan: Fraction
    values: Mapping[str, Fraction]
    gap: float
    is_least_cost: bool = False
    unproved: str = ""
    bound: Fraction | None = None

    @property
    def households(self) -> Fraction:
        """Households that are unlocked."""
        return self.values[HOUSEHOLDS]


def shared_households(groups: Sequence[str], unlocks: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Return the households that projects of several groups unlock, each with the projects that do; they count once.

    Parameters
    ----------
    groups : sequence of str, length n_project
        Group of each project.
    unlocks : sequence of sequence of str, length n_project
        Ids of the households that it unlocks.
    """
    unlocking: dict[str, list[int]] = {}
    for i, ids in enumerate(unlocks):
        for one in sorted(set(ids)):
            unlocking.setdefault(one, []).append(i)
    return {one: tuple(members) for one, members in unlocking.items() if len({groups[i] for i in members}) > 1}


def choice_problem(menu: Menu, budget: int | None, conditions: Conditions = NO_CONDITIONS) -> ChoiceProblem:
    """Return the programme of a choice.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    budget : int, optional
        Money in parts of a yuan; without limit where not given.
    conditions : Conditions
        What is to be met.

    Returns
    -------
    ChoiceProblem
        Aims: the benefits in order of rank, then the least cost.

    Raises
    ------
    InputError
        If conditions name unknown projects or counties, or contradict each other.
    """
    forced, forbidden = (menu.positions(ids) for ids in (conditions.forced, conditions.forbidden))
    _require_possible(menu, forced, forbidden)
    unknown = sorted(set(conditions.county_minimum) - set(menu.county_code))
    if unknown:
        raise InputError(
            "A minimum is asked for counties that no candidate is in.",
            [f"county {code!r} is unknown" for code in unknown],
        )
    none = (0,) * len(menu.shared)
    aims = [Aim(name=benefit.name, rows=(benefit.values,)) for benefit in menu.benefits]
    return ChoiceProblem(
        n_project=len(menu.ids),
        aims=(*aims, Aim(name="cost", rows=(tuple(-cost for cost in menu.cost) + none,), is_tie_break=True)),
        limits=() if budget is None else (Limit(cost=menu.cost, most=budget),),
        floors=tuple(_county_floor(menu, code, least) for code, least in sorted(conditions.county_minimum.items())),
        groups=menu.groups,
        requires=menu.requires,
        conflicts=menu.conflicts,
        shared=menu.shared,
        forced=forced,
        forbidden=forbidden,
    )


def choose(
    menu: Menu, budget_yuan: Fraction, conditions: Conditions = NO_CONDITIONS, patience: Patience | None = None
) -> Choice:
    """Choose what serves best within a budget: most households, then the other benefits in turn, then least cost.

    Parameters
    ----------
    menu : Menu
        What is chosen from.
    budget_yuan : Fraction
        Money. [yuan]
    conditions : Conditions
        What is to be met beside.
    patience : Patience, optional
        How long to search for a proof; without end where not given.

    Returns
    -------
    Choice

    Raises
    ------
    InputError
        If conditions name what is not there, or contradict each other.
    PlanError
        If the budget is negative or does not reach for the conditions: by how much, and the smallest that would.
    OutOfTimeError
        If no choice that meets the conditions was found in time.
    """
    budget = menu.budget_parts(required_budget(budget_yuan))
    problem = choice_problem(menu, budget, conditions)
    _require_enough(menu, problem, budget_yuan, share(patience, 2))
    return best_of(menu, problem, budget_yuan, patience)


def best_of(menu: Menu, problem: ChoiceProblem, budget_yuan: Fraction, patience: Patience | None = None) -> Choice:
    """Return the best choice of a programme, with what it brings and how firmly it is proved."""
    found = best_choice(problem, patience) if menu.ids else Chosen(built=(), gap=0.0)
    parts = {benefit.name: benefit.parts for benefit in menu.benefits}.get(found.unproved, 1)
    return replace(
        choice_of(menu, found.built, budget_yuan),
        gap=found.gap,
        is_least_cost=found.is_settled,
        unproved=found.unproved,
        bound=None if found.bound is None else Fraction(found.bound, parts),
    )


def choice_of(menu: Menu, built: Sequence[int], budget_yuan: Fraction) -> Choice:
    """Return what given projects bring, without looking for better ones."""
    chosen = set(built)
    shared = [len(menu.ids) + a for a, unlocking in enumerate(menu.shared) if chosen.intersection(unlocking)]
    columns = [*sorted(chosen), *shared]
    return Choice(
        ids=tuple(menu.ids[i] for i in sorted(chosen)),
        cost_yuan=Fraction(sum(menu.cost[i] for i in chosen), menu.parts_per_yuan),
        budget_yuan=budget_yuan,
        values={
            benefit.name: Fraction(sum(benefit.values[i] for i in columns), benefit.parts) for benefit in menu.benefits
        },
        gap=float("nan"),
    )


def required_budget(budget_yuan: Fraction) -> Fraction:
    """Return a budget that is not negative; a PlanError otherwise."""
    if budget_yuan < 0:
        raise PlanError(f"budget_yuan must be a finite number of at least 0. Got {exact(budget_yuan)}.")
    return budget_yuan


def least_budget(menu: Menu, problem: ChoiceProblem, patience: Patience | None = None) -> Choice:
    """Return the cheapest choice that meets what is forced and what counties are to get.

    Raises
    ------
    PlanError
        If none does.
    OutOfTimeError
        If none was found in time.
    """
    if problem.floors:
        return best_of(menu, least_cost(problem), Fraction(0), patience)
    # Without floors, what is forced needs just what it requires.
    return replace(choice_of(menu, closure(problem.forced, problem.requires), Fraction(0)), gap=0.0)


def least_cost(problem: ChoiceProblem) -> ChoiceProblem:
    """Return the programme that asks for nothing but the least cost, without a budget."""
    (cost,) = (aim for aim in problem.aims if aim.name == "cost")
    return replace(problem, limits=(), aims=(replace(cost, is_tie_break=False),))


def _county_floor(menu: Menu, code: str, least: int) -> Floor:
    households = menu.benefits[0]
    own = set(menu.in_county(code))
    shared = [
        value if own.intersection(unlocking) else 0
        for value, unlocking in zip(households.values[len(menu.ids) :], menu.shared, strict=True)
    ]
    values = [value if i in own else 0 for i, value in enumerate(households.values[: len(menu.ids)])]
    return Floor(values=(*values, *shared), least=least * households.parts)


def _require_possible(menu: Menu, forced: tuple[int, ...], forbidden: tuple[int, ...]) -> None:
    """Refuse forced projects that forbid each other, with all that they require."""
    needed = closure(forced, menu.requires)
    findings = [
        f"project {menu.ids[i]!r} is forced or required by a forced one, and forbidden"
        for i in sorted(set(needed) & set(forbidden))
    ]
    for group in menu.groups:
        both = [menu.ids[i] for i in group if i in set(needed)]
        if len(both) > 1:
            findings.append(f"projects {', '.join(both)} are alternatives of one group, of which at most one is built")
    if findings:
        raise InputError("The forced projects cannot all be built; take some of them back.", findings)


def _require_enough(menu: Menu, problem: ChoiceProblem, budget_yuan: Fraction, patience: Patience | None) -> None:
    """Say by how much a budget is too small for what is forced, and for the least that counties are to get."""
    if not (problem.forced or problem.floors):
        return
    try:
        least = least_budget(menu, problem, patience)
    except OutOfTimeError:
        return  # nothing is known yet
    except PlanError:
        raise PlanError("No budget is enough: the counties cannot all get what is asked for them at least.") from None
    if least.cost_yuan > budget_yuan and not least.unproved:
        forced = ", ".join(menu.ids[i] for i in problem.forced)
        asked = [f"the forced projects ({forced}) with what they require"] if problem.forced else []
        asked += ["the least that counties are to get"] if problem.floors else []
        raise PlanError(
            f"The budget of {exact(budget_yuan)} yuan is {exact(least.cost_yuan - budget_yuan)} yuan too small for "
            f"{' and '.join(asked)}. The smallest budget that could is {exact(least.cost_yuan)} yuan."
        )


def exact(amount: Fraction) -> str:
    """Return a decimal fraction with every decimal that it has.

    Examples
    --------
    >>> exact(Fraction(12345678, 100)), exact(Fraction(5)), exact(Fraction(-1, 8))
    ('123456.78', '5', '-0.125')
    """
    decimals = next((k for k in range(_MOST_DECIMALS) if 10**k % amount.denominator == 0), _MOST_DECIMALS)
    digits = f"{abs(round(amount * 10**decimals)):0{decimals + 1}d}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[: len(digits) - decimals]}{'.' if decimals else ''}{digits[len(digits) - decimals :]}"
