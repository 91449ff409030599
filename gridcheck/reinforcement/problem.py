"""What a choice is made from, as the programme of whole numbers sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gridcheck.reinforcement.aims import Aim


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A sum that the chosen projects may not exceed.

    Attributes
    ----------
    cost : tuple of int, shape (n_project,)
        Part of each project, at least 0.
    most : int
        What they may come to.
    """

    cost: tuple[int, ...]
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A sum that the chosen projects must reach.

    Attributes
    ----------
    values : tuple of int, shape (n_column,)
        Part of each project, then of each shared household.
    least : int
        What they must come to.
    """

    values: tuple[int, ...]
    least: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceProblem:
    """What is chosen from, in whole numbers; projects stand in the order of their ids.

    Attributes
    ----------
    n_project : int
        Number of projects; positions below refer to them.
    aims : tuple of Aim
        In order of rank.
    limits, floors : tuple of Limit, tuple of Floor
        Budgets, and least sums.
    groups : tuple of tuple of int
        Alternatives, of which at most one is built.
    requires : tuple of (int, int)
        The first needs the second.
    conflicts : tuple of (int, int)
        The two are not built together.
    shared : tuple of tuple of int
        For each household that several groups unlock: the projects that do.
    forced, forbidden : tuple of int
        Built, and not built, whatever they bring.
    """

    n_project: int
    aims: tuple[Aim, ...]
    limits: tuple[Limit, ...]
    floors: tuple[Floor, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    requires: tuple[tuple[int, int], ...] = ()
    conflicts: tuple[tuple[int, int], ...] = ()
    shared: tuple[tuple[int, ...], ...] = ()
    forced: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()

    def columns(self, built: Iterable[int]) -> tuple[int, ...]:
        """Return the positions of the projects that are built, and of the shared households that are reached."""
        chosen = set(built)
        reached = [self.n_project + a for a, unlocking in enumerate(self.shared) if chosen.intersection(unlocking)]
        return (*sorted(chosen), *reached)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The best choice, or the best that was found in time.

    Attributes
    ----------
    built : tuple of int
        Positions of the chosen projects, ascending.
    gap : float
        Relative distance of the aim that is not proved to its bound; 0 where what is brought is proved to be the best.
    is_settled : bool
        False where the search was cut short, be it only among choices that bring the same: another may cost less.
    unproved : str
        Name of the first aim that is not proved; empty where only choices that bring the same are not told apart.
    bound : int or None
        What no choice can exceed in that aim.
    """

    built: tuple[int, ...]
    gap: float
    is_settled: bool = True
    unproved: str = ""
    bound: int | None = None


def closure(forced: Iterable[int], requires: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return projects with all that they require, ascending."""
    return reached(forced, needs(requires))


def needs(requires: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return what each project requires itself."""
    needed: dict[int, list[int]] = {}
    for i, other in requires:
        needed.setdefault(i, []).append(other)
    return needed


def reached(starts: Iterable[int], needed: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """Return projects with all that they require, step by step, ascending."""
    found: set[int] = set()
    waiting = list(starts)
    while waiting:
        i = waiting.pop()
        if i not in found:
            found.add(i)
            waiting += needed.get(i, ())
    return tuple(sorted(found))


def plain_start(problem: ChoiceProblem) -> tuple[int, ...] | None:
    """Return a choice that meets everything, where one is plain to see: what is forced, and nothing else."""
    built = closure(problem.forced, problem.requires)
    inside = set(built)
    is_fine = (
        not problem.floors
        and not inside.intersection(problem.forbidden)
        and all(sum(limit.cost[i] for i in built) <= limit.most for limit in problem.limits)
        and all(len(inside.intersection(group)) <= 1 for group in (*problem.groups, *problem.conflicts))
    )
    return built if is_fine else None


def twins(problem: ChoiceProblem) -> tuple[tuple[int, int], ...]:
    """Return pairs of projects that differ in nothing but their ids: each with the next one like it."""
    special = {*problem.forced, *problem.forbidden}
    for positions in (*problem.groups, *problem.requires, *problem.conflicts, *problem.shared):
        special.update(positions)
    columns = [limit.cost for limit in problem.limits] + [floor.values for floor in problem.floors]
    columns += [row for aim in problem.aims for row in aim.rows]
    last: dict[tuple[int, ...], int] = {}
    pairs: list[tuple[int, int]] = []
    for i in range(problem.n_project):
        if i not in special:
            like = tuple(column[i] for column in columns)
            if like in last:
                pairs.append((last[like], i))
            last[like] = i
    return tuple(pairs)
