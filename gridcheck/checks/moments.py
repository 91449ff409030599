"""One check at every moment: the values of which an assessment keeps the worst.

Only feed-in from roofs makes the difference: then a heater may relieve the worst moment of an element and load another
one beyond the limit as well, and the worst value alone does not show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.checks.assessment import LV_PHASE_V, Course, hot_spot_courses_c, node_loads, power_of_areas_mw
from gridcheck.checks.low_voltage import end_voltage_v
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.demand.profiles import ClassCounts
from gridcheck.limits import LimitSet
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.powerflow.sweep import SweepState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Values of one check.

    Attributes
    ----------
    value : ndarray, shape (n_moment,)
        At every case, or in every stretch that counts as sustained, in the unit of the limit.
    case : ndarray of int, shape (n_moment,)
        The case in which the element has that value.
    """

    value: FloatArray
    case: IntArray


def moments_of(
    tree: SupplyTree, course: Course, limits: LimitSet, check: int, counts: ClassCounts, state: SweepState
) -> Moments:
    """Return the values of a check.

    Parameters
    ----------
    tree, course, limits
        As in `assess`.
    check : int
        Position in the tree's check list.
    counts : ClassCounts
        Of the areas of the tree.
    state : SweepState
        The solution of the same counts, with the diversity of areas for a check of an area and with that of feeders
        for every other.

    Returns
    -------
    Moments
        Their worst value is that of the assessment: the highest where the limit is an upper one, else the lowest.
    """
    kind, node = CheckKind(int(tree.checks.kind[check])), int(tree.checks.node[check])
    if kind in (CheckKind.END_VOLTAGE, CheckKind.SECTION_VOLTAGE):
        vm_pu = node_voltages(state)[node]
        value = vm_pu if kind == CheckKind.SECTION_VOLTAGE else _end_voltages_v(tree, course, check, counts, vm_pu)
        return Moments(value=value, case=course.case)
    loading = node_loading_percent(tree.model, state)[node]
    if kind == CheckKind.AREA_LOADING:
        within = loading[course.windows]
        least = within.argmin(axis=1)
        at = np.arange(len(least))
        return Moments(value=within[at, least], case=course.case[course.windows[at, least]])
    if kind == CheckKind.HOT_SPOT:
        row = np.array([check % len(tree.area)])
        loads = node_loads(tree, course, counts, group=None)
        celsius = hot_spot_courses_c(tree, course, loads, loading[None, :], row, limits)[:, 0]
        return Moments(value=celsius, case=np.arange(len(celsius)))
    if kind == CheckKind.FEEDER_LOADING:
        loading = loading * tree.outlet_factor[check - int(np.argmax(tree.checks.kind == kind))]
    return Moments(value=loading, case=course.case)


def _end_voltages_v(tree: SupplyTree, course: Course, check: int, counts: ClassCounts, vm_pu: FloatArray) -> FloatArray:
    row = np.array([check % len(tree.area)])
    loads = node_loads(tree, course, counts, group=None)
    p_mw, q_mvar = (power[row] for power in power_of_areas_mw(tree, course, loads))
    end_v: FloatArray = end_voltage_v(vm_pu[None, :] * LV_PHASE_V, p_mw, q_mvar, tree.lines.of(row))[0]
    return end_v
