r"""The choice of projects as a 0/1 programme, solved by HiGHS to a gap of zero.

With :math:`x_i` for building project i, groups G of alternatives, and :math:`y_a` for connecting an application a that
projects of several groups would unlock,

.. math::

    \sum_i c_i x_i \le B, \qquad \sum_{i \in G} x_i \le 1, \qquad y_a \le \sum_{i \,\mathrm{unlocks}\, a} x_i, \qquad
    x_i, y_a \in \{0, 1\}

the aims are taken one after the other, each held while the next is sought: most households unlocked, most hours of
broken limits removed, most unsupplied energy removed, least cost. No weight mixes households with hours or yuan.

References
----------
.. [1] H. P. Williams, *Model Building in Mathematical Programming*, 5th ed., 2013, chapters 3.2 (goals in order of
   rank) and 9 (0/1 programmes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.errors import PlanError
from gridcheck.mixed_integer import INFINITY, Programme, maximise
from gridcheck.reinforcement.measures import Project

# Whole numbers keep the arithmetic of the aims exact: money counts in fen, hours in hundredths, energy in kWh.
_FEN_PER_YUAN = 100
_PARTS_PER_HOUR = 100
_KWH_PER_MWH = 1000
# A solution that a rounding tolerance let through the budget is cut off; more than a few never occur.
_MAX_CUTS = 100


def best_choice(projects: Sequence[Project], budget_yuan: float) -> tuple[tuple[int, ...], float]:
    """Choose among projects, aim after aim.

    Parameters
    ----------
    projects : sequence of Project
        At least one; their numbers are finite and not negative where they must not be.
    budget_yuan : float
        Money. [yuan]

    Returns
    -------
    built : tuple of int
        Positions of the chosen projects, ascending.
    gap : float
        Relative distance to the proved bound, the largest over the aims; always 0.

    Raises
    ------
    PlanError
        If HiGHS does not prove the optimum.
    """
    programme = _choice(projects, budget_yuan)
    held: list[tuple[FloatArray, int]] = []
    built: tuple[int, ...] = ()
    gap = 0.0
    for aim in programme.aims:
        if aim.any():
            built, aim_gap = _best(programme, aim, held)
            gap = max(gap, aim_gap)
            held.append((aim, programme.value(aim, built)))
    if gap > 0.0:
        raise PlanError(f"HiGHS left a gap of {gap:.2e} between the best plan found and the proved bound.")
    return built, gap


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Choice:
    """The 0/1 programme; columns are projects first, then applications that several groups unlock.

    Attributes
    ----------
    matrix : csr_array, shape (n_row, n_column)
        Left-hand sides; the budget is the first row.
    upper : ndarray, shape (n_row,)
        Right-hand sides.
    aims : tuple of ndarray, shape (n_column,)
        Whole numbers to be maximised, in order of rank.
    shared : tuple of tuple of int
        Projects that unlock each shared application.
    cost : ndarray of int, shape (n_project,)
        Costs, in the largest unit in which they are all whole.
    budget : int
        Budget in the same unit.
    """

    matrix: sparse.csr_array
    upper: FloatArray
    aims: tuple[FloatArray, ...]
    shared: tuple[tuple[int, ...], ...]
    cost: IntArray
    budget: int

    @property
    def n_project(self) -> int:
        return len(self.cost)

    def value(self, aim: FloatArray, built: tuple[int, ...]) -> int:
        """Return what a choice reaches of an aim, exactly."""
        direct = sum(int(aim[i]) for i in built)
        chosen = set(built)
        reached = [bool(chosen.intersection(unlocking)) for unlocking in self.shared]
        return direct + sum(int(aim[self.n_project + a]) for a, is_in in enumerate(reached) if is_in)


def _choice(projects: Sequence[Project], budget_yuan: float) -> _Choice:
    """Write the programme down in whole numbers."""
    n = len(projects)
    groups: dict[str, list[int]] = {}
    unlocking: dict[str, list[int]] = {}
    for i, project in enumerate(projects):
        groups.setdefault(project.candidate.group, []).append(i)
        for application_id in sorted(set(project.application_ids)):
            unlocking.setdefault(application_id, []).append(i)
    shared = {
        application_id: tuple(members)
        for application_id, members in unlocking.items()
        if len({projects[i].candidate.group for i in members}) > 1
    }
    own = [project.households_unlocked - len(set(project.application_ids) & shared.keys()) for project in projects]
    cost, money = _smallest([round(project.cost_yuan * _FEN_PER_YUAN) for project in projects])
    # A hair is added so that 0.29 yuan are 29 fen.
    budget = math.floor(budget_yuan * _FEN_PER_YUAN + 1e-6) // money
    rows: list[tuple[list[int], list[float], float]] = [(list(range(n)), cost.tolist(), float(budget))]
    rows += [(members, [1.0] * len(members), 1.0) for members in groups.values() if len(members) > 1]
    rows += [([n + a, *members], [1.0] + [-1.0] * len(members), 0.0) for a, members in enumerate(shared.values())]
    padding = [0.0] * len(shared)
    return _Choice(
        matrix=_matrix(rows, n + len(shared)),
        upper=np.array([upper for _, _, upper in rows]),
        aims=(
            np.array([*own, *([1.0] * len(shared))], dtype=np.float64),
            np.concatenate([_smallest([round(p.hours_removed * _PARTS_PER_HOUR) for p in projects])[0], padding]),
            np.concatenate([_smallest([round(p.unsupplied_mwh_removed * _KWH_PER_MWH) for p in projects])[0], padding]),
            np.concatenate([-cost, padding]),
        ),
        shared=tuple(shared.values()),
        cost=cost,
        budget=budget,
    )


def _smallest(values: list[int]) -> tuple[IntArray, int]:
    """Return whole numbers over their greatest common divisor, and the divisor: small numbers are solved exactly."""
    divisor = math.gcd(*values) or 1
    return np.array(values, dtype=np.int64) // divisor, divisor


def _matrix(rows: list[tuple[list[int], list[float], float]], n_column: int) -> sparse.csr_array:
    place = [(i, column) for i, (columns, _, _) in enumerate(rows) for column in columns]
    values = [value for _, row, _ in rows for value in row]
    coordinates = np.array(place, dtype=np.int64).T
    return sparse.csr_array((np.array(values), (coordinates[0], coordinates[1])), shape=(len(rows), n_column))


def _best(programme: _Choice, aim: FloatArray, held: list[tuple[FloatArray, int]]) -> tuple[tuple[int, ...], float]:
    """Maximise one aim while those of higher rank keep their value; return the projects built and the gap."""
    n = programme.matrix.shape[1]
    # All values are whole numbers, so half a unit below is the same as not below.
    rows = [(before, value - 0.5, INFINITY) for before, value in held]
    for _ in range(_MAX_CUTS):
        extra = [sparse.csr_array(row[None, :]) for row, _, _ in rows]
        found = maximise(
            Programme(
                objective=aim,
                matrix=sparse.vstack([programme.matrix, *extra], format="csr"),
                row_lower=np.array([-INFINITY] * len(programme.upper) + [lower for _, lower, _ in rows]),
                row_upper=np.concatenate([programme.upper, [upper for _, _, upper in rows]]),
                lower=np.zeros(n),
                upper=np.ones(n),
                integral=np.ones(n, dtype=bool),
            )
        )
        if not found.is_proved:
            raise PlanError(f"HiGHS found no optimal choice of projects: {found.status}.")
        built = tuple(np.flatnonzero(found.x[: programme.n_project] > 0.5).tolist())
        if int(programme.cost[list(built)].sum()) <= programme.budget and all(
            programme.value(before, built) >= value for before, value in held
        ):
            # Whole numbers again: a bound less than one away is met.
            value = programme.value(aim, built)
            return built, max(0, math.floor(found.bound + 1e-3) - value) / max(1, abs(value))
        # Solvers keep constraints to a tolerance: forbid this very choice and go on.
        cut = np.zeros(n)
        cut[list(built)] = 1.0
        others = np.setdiff1d(np.arange(programme.n_project), built)
        cut[others] = -1.0
        rows.append((cut, -INFINITY, len(built) - 1.0))
    raise PlanError(f"HiGHS did not keep the budget exactly in {_MAX_CUTS} trials.")
