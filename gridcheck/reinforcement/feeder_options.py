"""What can be done on a feeder whose 10 kV lines are overloaded or too long: stronger conductors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.catalogue import conductors
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.reinforcement.measures import FeederReconductoring
from gridcheck.reinforcement.options import Option, Part, option_of
from gridcheck.reinforcement.situation import Situation, TreeSituation

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
        parts = _parts(situation, feeder_id, _stronger(situation, tree, stretch, overloaded))
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
class _Line:
    """A line that is replaced: its id, new type, measure, and length. [km]"""

    line_id: int
    type_name: str
    measure: str
    length_km: float


def _stronger(situation: Situation, tree: SupplyTree, nodes: IntArray, overloaded: IntArray) -> list[_Line]:
    """Return what to replace: overloaded lines that can carry more, and overhead lines that can lose less."""
    branches, table = situation.county.grid.network.branches, conductors()
    result = []
    for node in nodes.tolist():
        k = int(tree.model.branch[node])
        old = branches.type_name[k]
        is_cable = str(table["kind"].get(old, "")) == _CABLE_KIND
        measure, new = _CABLE if is_cable else _OVERHEAD
        carries_more = float(table["max_i_ka"][new]) > float(branches.rating_from_ka[k])
        loses_less = old in table.index and float(table["r_ohm_per_km"][new]) < float(table["r_ohm_per_km"][old])
        if carries_more if node in overloaded else loses_less and not is_cable:
            length_km = float(branches.length_km[k])
            result.append(
                _Line(line_id=int(branches.branch_id[k]), type_name=new, measure=measure, length_km=length_km)
            )
    return sorted(result, key=lambda line: line.line_id)


def _parts(situation: Situation, feeder_id: str, lines: list[_Line]) -> tuple[Part, ...]:
    prices = situation.county.terms.price_yuan
    result = []
    for measure, type_name in (_OVERHEAD, _CABLE):
        chosen = [line for line in lines if line.measure == measure]
        length_km = sum(line.length_km for line in chosen)
        if chosen:
            change = FeederReconductoring(
                feeder_id=feeder_id, line_types=tuple((line.line_id, line.type_name) for line in chosen)
            )
            text = f"→ {type_name}, {length_km:.2f} km"
            cost_yuan = prices[measure] * length_km
            result.append(Part(measure=measure, change=change, description=text, cost_yuan=cost_yuan))
    return tuple(result)
