"""Voltage of the 10 kV line where each area's transformer hangs: what the 0.4 kV network of the area starts from."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.assessment import Course, assess_upper
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.powerflow.readings import node_voltages
from gridcheck.powerflow.sweep import in_blocks


def terminal_voltage_pu(
    tree: SupplyTree,
    profiles: ClassProfiles,
    counts: ClassCounts,
    case: IntArray,
    *,
    held: BoolArray | None = None,
    light: BoolArray | None = None,
    at_busbar: bool = False,
) -> FloatArray:
    """Return the voltage above the transformer of every area in some cases.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    profiles : ClassProfiles
        Profiles of the county.
    counts : ClassCounts
        Of the areas of the tree, in the order of ``tree.area``; homes of a feeder share one diversity.
    case : ndarray of int, shape (n,)
        Cases of the profiles, for example ``DrawPool.case``.
    held : ndarray of bool, shape (n,), optional
        Light cases in which the on-load tap changer of the main transformer keeps its busbar from rising above what it
        is in the others; where not given its tap stays as it is.

    light : ndarray of bool, shape (n,), optional
        Light cases in which regulators of 10 kV lines fall back, as far as through, so that what is behind them is no
        higher than in the others; where not given they stay as they are.
    at_busbar : bool
        Return the voltage below the transformers instead.

    Returns
    -------
    ndarray, shape (n_area, n)
        Magnitude. [pu]

    Raises
    ------
    NotConvergedError
        If the load flow of some case has no solution.
    """
    columns = np.concatenate([profiles.mean, profiles.single - profiles.mean], axis=1)[case]
    everything = np.arange(len(case))[None, :]
    course = Course(profiles=profiles, case=case, blocks=in_blocks(columns), columns=columns, windows=everything)
    vm_pu = node_voltages(assess_upper(tree, course, counts).state)
    if held is not None:
        vm_pu = vm_pu * _fallen_back(vm_pu[tree.main_node], held, 0.0)
    if light is not None:
        # Regulators nearer to the source come first.
        for node in np.sort(tree.regulator_node).tolist():
            behind = _behind(tree, node)
            vm_pu[behind] *= _fallen_back(vm_pu[node], light, 1.0 / float(tree.model.ratio[node]))
    return vm_pu[tree.area_node if at_busbar else tree.model.parent[tree.area_node]]


def _fallen_back(vm_pu: FloatArray, light: BoolArray, least: float) -> FloatArray:
    """Return by what a regulated voltage is lowered in light cases to what it is in the others at most, shape (n,).

    A lower voltage with the same load drops a little more below it, so what is scaled is never too low.
    """
    if light.all() or not light.any():
        return np.ones(len(light))
    return np.where(light, np.clip(vm_pu[~light].max() / vm_pu, least, 1.0), 1.0)


def _behind(tree: SupplyTree, node: int) -> BoolArray:
    """Mark the nodes that are supplied through a node, and that node, shape (n_node,)."""
    within = np.zeros(tree.model.n_node, dtype=bool)
    within[node] = True
    # Parents stand before their children.
    for k in range(node + 1, tree.model.n_node):
        within[k] = tree.model.parent[k] >= 0 and within[tree.model.parent[k]]
    return within


def voltage_of_steps(crowded_pu: FloatArray, quiet_pu: FloatArray, is_light: BoolArray) -> FloatArray:
    """Return what every area is to be looked at with, shape as given: the lower voltage while the load is heavy.

    Parameters
    ----------
    crowded_pu, quiet_pu : ndarray, shape (n_area, n_step)
        Voltage with everybody connected who asks, and with nobody.
    is_light : ndarray of bool, shape (n_step,)
        Steps that stand for the highest voltage.
    """
    return np.where(is_light, np.maximum(crowded_pu, quiet_pu), np.minimum(crowded_pu, quiet_pu))
