"""Tables of packages drawn at random, and all subsets of them: the answer that a choice must equal."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

COLUMNS = ("project_id", "group", "requires", "cost_yuan", "households", "risk_hours")
Row = Mapping[str, str]


def row(project_id: str, cost: object, households: object, hours: object = 0, *, group: str = "", requires: str = ""):
    return dict(zip(COLUMNS, (project_id, group, requires, str(cost), str(households), str(hours)), strict=True))


def write_table(path: Path, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def best_of_all_subsets(
    rows: Sequence[Row], budget: Fraction, forced: Sequence[str] = (), forbidden: Sequence[str] = ()
) -> set[str] | None:
    """Try every subset: most households, most hours, least cost, fewest, earliest ids; None where none is allowed."""
    ordered = sorted(rows, key=lambda one: one["project_id"])
    n = len(ordered)
    place = {one["project_id"]: i for i, one in enumerate(ordered)}
    inside = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1
    allowed = np.ones(1 << n, dtype=bool)
    for project_id in forced:
        allowed &= inside[:, place[project_id]] == 1
    for project_id in forbidden:
        allowed &= inside[:, place[project_id]] == 0
    for group in {one["group"] for one in ordered} - {""}:
        allowed &= inside[:, [i for i, one in enumerate(ordered) if one["group"] == group]].sum(axis=1) <= 1
    for i, one in enumerate(ordered):
        for needed in filter(None, one["requires"].split(";")):
            allowed &= inside[:, i] <= inside[:, place[needed]]
    households = inside @ np.array([int(one["households"]) for one in ordered])
    # From the most households down, because exact sums of all subsets take long.
    for most in sorted(set(households[allowed].tolist()), reverse=True):
        found = []
        for subset in np.flatnonzero(allowed & (households == most)).tolist():
            own = [one for i, one in enumerate(ordered) if subset >> i & 1]
            cost = sum((Fraction(one["cost_yuan"]) for one in own), Fraction(0))
            if cost <= budget:
                hours = sum((Fraction(one["risk_hours"]) for one in own), Fraction(0))
                found.append((hours, -cost, -len(own), tuple(subset >> i & 1 for i in range(n)), own))
        if found:
            return {one["project_id"] for one in max(found, key=lambda item: item[:4])[4]}
    return None


def hard_table(n: int, rng: np.random.Generator, *, largest: int) -> list[dict[str, str]]:
    """Draw a knapsack that is hard to prove: households rise with the cost, plus the same number each."""
    weight = rng.integers(largest // 100, largest, n).tolist()
    return [
        row(f"P{i:04d}", w * 1000, w + largest // 10, int(hours))
        for i, (w, hours) in enumerate(zip(weight, rng.integers(0, 300, n), strict=True))
    ]


def random_table(n: int, rng: np.random.Generator, *, has_decimals: bool) -> list[dict[str, str]]:
    """Draw a table with alternatives and requirements, in thousands of rows if wanted."""
    cost = rng.lognormal(11.5, 0.9, n)
    hours = rng.normal(80.0, 120.0, n)
    decimals = (2, 1) if has_decimals else (-3, 0)
    return [
        row(
            f"P{i:05d}",
            repr(float(round(cost[i], decimals[0]))),
            int(rng.poisson(rng.gamma(1.0, 12.0))),
            repr(float(round(hours[i], decimals[1]))),
            group=f"G{rng.integers(n // 3 + 1)}" if rng.random() < 0.7 else "",
            requires=f"P{rng.integers(i):05d}" if i and rng.random() < 0.15 else "",
        )
        for i in range(n)
    ]
