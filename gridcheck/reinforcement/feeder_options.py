"""What can be done on a feeder whose 10 kV lines are overloaded or too long: stronger conductors, a regulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, IntArray
from gridcheck.catalogue import conductors
from gridcheck.checks.assessment import assess_upper
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.network.records import Branches
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.reinforcement.measures import FeederReconductoring, FeederRegulator
from gridcheck.reinforcement.options import Option, Part, item_of, option_of
from gridcheck.reinforcement.situation import Situation, TreeSituation, counts_of_tree
from gridcheck.reinforcement.terms import Terms
from gridcheck.units import SQRT3

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
        In the order of the feeders: the overloaded lines only, then half of the way to the worst places, then all;
        last a regulator before the low voltages, with the overloaded lines replaced.
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
    branches = situation.county.grid.network.branches
    own = tree.model.branch[overloaded]
    carrying = reconductoring_parts(situation.county.terms, feeder_id, stronger_lines(branches, own, own))
    regulator = _regulator(situation, place, feeder_id, low) if len(low) else ()
    result += [
        option_of((*carrying, part), feeder_id=feeder_id, area_id="", group=f"feeder:{feeder_id}") for part in regulator
    ]
    return result


def _regulator(situation: Situation, place: TreeSituation, feeder_id: str, low: IntArray) -> tuple[Part, ...]:
    """Return a regulator in the last line through which all low voltages are supplied.

    There is none where the line cannot carry one, where it carries more than the regulator can, or where the lowest
    voltage at the end of the queue would stay below its limit. It is set for what it finds at the end of the queue, so
    that the voltage behind it stays within its set point, and by one step at least.
    """
    tree, terms = place.tree, situation.county.terms
    node = _common_line(tree, low)
    if node < 0 or tree.model.ratio[node] != 1.0:
        return ()
    counts = counts_of_tree(tree, situation.counts)
    state = assess_upper(tree, situation.course, counts).state
    vm_pu = node_voltages(state).min(axis=1)
    step = terms.mv_regulator_step
    most = min(terms.mv_regulator_range, terms.mv_regulator_setpoint_pu / float(vm_pu[tree.model.parent[node]]) - 1.0)
    boost = round(int(most / step + 1e-9) * step, 6)
    branches, k = situation.county.grid.network.branches, int(tree.model.branch[node])
    vn_kv = float(situation.county.grid.network.buses.vn_kv[branches.from_bus[k]])
    carried_ka = float(node_loading_percent(tree.model, state)[node].max()) / 100.0 * float(branches.rating_from_ka[k])
    too_much = carried_ka * SQRT3 * vn_kv > terms.mv_regulator_mva
    too_low = float(vm_pu[low].min()) * (1.0 + boost) < situation.county.limits.mv_vm_min_pu.value
    if boost < step or too_much or too_low:
        return ()
    change = FeederRegulator(
        feeder_id=feeder_id, line_id=int(branches.branch_id[k]), boost=boost, rated_mva=terms.mv_regulator_mva
    )
    text = f"+ {terms.mv_regulator_mva:g} MVA, +{100.0 * boost:g} %, {branches.name[k] or f'line:{change.line_id}'}"
    item = item_of(terms, "mv_regulator", elements=(f"line:{change.line_id}",))
    return (Part(measure="mv_regulator", change=change, description=text, items=(item,)),)


def _common_line(tree: SupplyTree, low: IntArray) -> int:
    """Return the node below the last line that supplies all of some nodes, -1 where there is none.

    The first lines of a feeder stand before it, because what is before it has no low voltage.
    """
    ways = [set(_way(tree, low[k : k + 1]).tolist()) for k in range(len(low))]
    return max(set.intersection(*ways), default=-1)


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
