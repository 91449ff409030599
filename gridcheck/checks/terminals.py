"""Voltages at the 10 kV terminals of areas, from which their low-voltage networks are seen."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.checks.assessment import Course, node_loads
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.errors import NotConvergedError
from gridcheck.powerflow.readings import node_voltages
from gridcheck.powerflow.sweep import in_blocks, solve_nodes


def terminal_vm_pu(tree: SupplyTree, profiles: ClassProfiles, counts: ClassCounts, case: IntArray) -> FloatArray:
    """Return the voltage at the 10 kV terminals of each area's transformer in some cases, shape (n_area, n_kept). [pu]

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    profiles : ClassProfiles
        Profiles of the county.
    counts : ClassCounts
        Of the areas of the tree.
    case : ndarray of int, shape (n_kept,)
        Cases. Loads have the diversity of whole feeders, as the 10 kV level sees them.

    Raises
    ------
    NotConvergedError
        If the load flow of some case has no solution.
    """
    columns = np.concatenate([profiles.mean, profiles.single - profiles.mean], axis=1)[case]
    no_windows = np.zeros((0, 1), dtype=np.int64)
    course = Course(profiles=profiles, case=case, blocks=in_blocks(columns), columns=columns, windows=no_windows)
    state = solve_nodes(tree.model, node_loads(tree, course, counts, group=tree.area_feeder))
    if np.count_nonzero(state.status):
        raise NotConvergedError(f"Below main transformer {tree.name} the load is more than the lines can carry.")
    voltages: FloatArray = node_voltages(state)[tree.model.parent[tree.area_node]]
    return voltages
