"""What can be done on a feeder whose 10 kV lines are overloaded or too long: stronger conductors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.catalogue import conductors
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.network.records import Branches
from gridcheck.reinforcement.measures import FeederReconductoring
from gridcheck.reinforcement.options import Option, Part, item_of, option_of
from gridcheck.reinforcement.situation import Situation, TreeSituation
from gridcheck.reinforcement.terms import Terms

_OVERHEAD = ("mv_reconductor", "JKLYJ-10-240")
_CABLE = ("mv_cable_300", "YJV22-8.7/15-3x300")
_CABLE_KIND = "cable_10kv"
_LOADING_KINDS = (CheckKind.SECTION_LOADING, CheckKind.FEEDER_LOADING)
FEEDER_KINDS = (*_LOADING_KINDS, CheckKind.SECTION_VOLTAGE)
"""Checks whose element belongs to a feeder."""


def feeder_options(situation: Situation) -> list[Option]:
    """Return the ways to strengthen every feeder with lines or voltages beyond their limits.

    Parameters
    ----------
    situation : Situation
        The county.

    Returns
    -------
    list of Option
        In the order of the feeders: the overloaded lines only, then half of the way to the worst places, then all.
    """
    by_feeder: dict[int, list[Option]] = {}
    for place in situation.trees:
        broken = place.broken | place.broken_if_all
        for number, feeder in enumerate(place.tree.feeder.tolist()):
            by_feeder[feeder] = _options(situation, place, number, broken)
    return [option for feeder in sorted(by_feeder) for option in by_feeder[feeder]]


def _options(situation: Situation, place: TreeSituation, feeder: int, broken: BoolArray) -> list[Option]:
    tree, checks = place.tree, place.tree.checks
    mine = broken & (tree.feeder_of_node[checks.node] == feeder)
    overloaded = np.unique(checks.node[mine & np.isin(checks.kind, _LOADING_KINDS)])
    low = checks.node[mine & (checks.kind == CheckKind.SECTION_VOLTAGE)]
    if not len(overloaded) and not len(low):
        return []
    way = _way(tree, low) if len(low) else np.empty(0, dtype=np.int64)
    half = way[: -(-len(way) // 2)]
    stretches = [np.union1d(overloaded, stretch) for stretch in (way[:0], half, way)]
    result, seen = [], set()
    feeder_id = str(situation.county.grid.feeders["feeder_id"].iloc[int(tree.feeder[feeder])])
    for stretch in stretches:
        branches = situation.county.grid.network.branches
        stronger = stronger_lines(branches, tree.model.branch[stretch], tree.model.branch[overloaded])
        parts = reconductoring_parts(situation.county.terms, feeder_id, stronger)
        lines = tuple(part.change for part in parts)
        if parts and lines not in seen:
            seen.add(lines)
            result.append(option_of(parts, feeder_id=feeder_id, area_id="", group=f"feeder:{feeder_id}"))
    return result


def _way(tree: SupplyTree, low: IntArray) -> IntArray:
    """Return the nodes of the lines between the outlet and the low voltages, from the source outwards."""
    is_line = np.zeros(tree.model.n_node, dtype=bool)
    is_line[tree.line_node] = True
    found: set[int] = set()
    for start in low.tolist():
        node = start
        while node >= 0 and is_line[node]:
            found.add(node)
            node = int(tree.model.parent[node])
    # Parents stand before their children.
    return np.array(sorted(found), dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongerLine:
    """A line that is replaced: its id, new type, measure, and length. [km]"""

    line_id: int
    type_name: str
    measure: str
    length_km: float


def stronger_lines(branches: Branches, lines: IntArray, overloaded: IntArray) -> list[StrongerLine]:
    """Return what to replace: overloaded lines that can carry more, and overhead lines that can lose less.

    Parameters
    ----------
    branches : Branches
        All branches.
    lines, overloaded : ndarray of int
        Positions of the lines that could be replaced, and of those that carry too much.
    """
    table = conductors()
    result = []
    for k in lines.tolist():
        old = branches.type_name[k]
        is_cable = str(table["kind"].get(old, "")) == _CABLE_KIND
        measure, new = _CABLE if is_cable else _OVERHEAD
        carries_more = float(table["max_i_ka"][new]) > float(branches.rating_from_ka[k])
        loses_less = old in table.index and float(table["r_ohm_per_km"][new]) < float(table["r_ohm_per_km"][old])
        if carries_more if k in overloaded else loses_less and not is_cable:
            length_km = float(branches.length_km[k])
            result.append(
                StrongerLine(line_id=int(branches.branch_id[k]), type_name=new, measure=measure, length_km=length_km)
            )
    return sorted(result, key=lambda line: line.line_id)


def reconductoring_parts(terms: Terms, feeder_id: str, lines: list[StrongerLine]) -> tuple[Part, ...]:
    """Return the replaced lines of a feeder as measures with their costs, overhead lines and cables apart."""
    result = []
    for measure, type_name in (_OVERHEAD, _CABLE):
        chosen = [line for line in lines if line.measure == measure]
        length_km = sum(line.length_km for line in chosen)
        if chosen:
            change = FeederReconductoring(
                feeder_id=feeder_id, line_types=tuple((line.line_id, line.type_name) for line in chosen)
            )
            text = f"→ {type_name}, {length_km:.2f} km"
            elements = tuple(f"line:{line.line_id}" for line in chosen)
            item = item_of(terms, measure, length_km, type_name=type_name, elements=elements)
            result.append(Part(measure=measure, change=change, description=text, items=(item,)))
    return tuple(result)
