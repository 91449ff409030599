"""Worst voltage of every bus and worst loading of every branch over all cases, in one switch state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network.records import Network
from gridcheck.network.topology import Tree, spanning_tree
from gridcheck.powerflow.radial import model_of_tree
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.powerflow.reductions import highest, lowest
from gridcheck.powerflow.results import CONVERGED
from gridcheck.powerflow.solve import solve
from gridcheck.powerflow.sweep import loads_of_nodes, solve_nodes

TOLERANCE_PU = 1e-9
"""Keeps loadings of several hundred percent within 1e-6 percent of what another program finds. [pu]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extremes:
    """Extremes over the cases, of buses and of branches; case -1 where no case has a value.

    Attributes
    ----------
    bus, branch : ndarray of int
        Positions of the supplied buses, and of the branches between them.
    vm_pu, vm_case
        Lowest voltage of each bus and its case. [pu]
    loading_percent, loading_case
        Highest loading of each branch and its case. [%]
    """

    bus: IntArray
    vm_pu: FloatArray
    vm_case: IntArray
    branch: IntArray
    loading_percent: FloatArray
    loading_case: IntArray


def extremes(
    network: Network, loads: LoadCases | FactoredLoads, within: BoolArray, *, tree: Tree | None = None
) -> Extremes | None:
    """Solve the buses `within` and the sources in all cases; None where a case has no solution.

    `tree` is the spanning tree of the network where it is known.
    """
    within = within.copy()
    within[network.slack_bus] = True
    if loads.depends_on_voltage:
        return _following_voltage(network, loads, within)
    model = model_of_tree(network, tree or spanning_tree(network), within=within)
    sweep = solve_nodes(model, loads_of_nodes(model, loads), tolerance_pu=TOLERANCE_PU)
    if sweep.status.any():
        return None
    loading, loading_case = highest(node_loading_percent(model, sweep))
    vm, vm_case = lowest(node_voltages(sweep))
    has = model.branch >= 0
    return Extremes(
        bus=model.bus,
        vm_pu=vm,
        vm_case=vm_case,
        branch=model.branch[has],
        loading_percent=loading[has],
        loading_case=loading_case[has],
    )


def _following_voltage(network: Network, loads: LoadCases | FactoredLoads, within: BoolArray) -> Extremes | None:
    """Do the same where loads follow the voltage."""
    buses = replace(network.buses, in_service=network.buses.in_service & within)
    found = solve(replace(network, buses=buses), loads, tolerance_pu=TOLERANCE_PU)
    if (found.status != CONVERGED).any():
        return None
    branches = network.branches
    bus = np.flatnonzero(found.supplied)
    on = branches.connected & found.supplied[branches.from_bus] & found.supplied[branches.to_bus]
    branch = np.flatnonzero(on)
    vm, vm_case = lowest(np.ascontiguousarray(found.vm_pu[:, bus].T))
    loading, loading_case = highest(np.ascontiguousarray(found.loading_percent[:, branch].T))
    return Extremes(
        bus=bus, vm_pu=vm, vm_case=vm_case, branch=branch, loading_percent=loading, loading_case=loading_case
    )
