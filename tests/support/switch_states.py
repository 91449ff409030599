"""Switch states of branches set in a network and in a pandapower net, for comparison."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandapower as pp

from gridcheck.network import BranchKind, Network
from gridcheck.network.convert import add_open_ends
from gridcheck.powerflow.topologies import Judged

Ends = npt.NDArray[np.uint8]


def with_ends(network: Network, ends: Ends) -> Network:
    """Return the network with some branch ends connected, the charging of open ends moved."""
    alive = network.buses.in_service
    branches = replace(network.branches, in_service=ends > 0, from_closed=ends & 1 > 0, to_closed=ends & 2 > 0)
    g_pu, b_pu = network.buses.g_pu.copy(), network.buses.b_pu.copy()
    for sign, some in ((-1.0, network.branches), (1.0, branches)):
        g, b = np.zeros(network.n_bus), np.zeros(network.n_bus)
        add_open_ends(some, g, b, alive=alive)
        g_pu += sign * g
        b_pu += sign * b
    return replace(network, branches=branches, buses=replace(network.buses, g_pu=g_pu, b_pu=b_pu))


def net_with_ends(net: pp.pandapowerNet, network: Network, ends: Ends) -> pp.pandapowerNet:
    """Return a copy of the net in which new switches say which ends are connected, solved by pandapower."""
    result = copy.deepcopy(net)
    result.switch = result.switch.iloc[:0]
    columns = {
        BranchKind.LINE: ("line", "l", "from_bus", "to_bus"),
        BranchKind.TRAFO: ("trafo", "t", "hv_bus", "lv_bus"),
    }
    for k in range(network.n_branch):
        table, letter, *sides = columns[BranchKind(network.branches.kind[k])]
        element = int(network.branches.branch_id[k])
        result[table].loc[element, "in_service"] = bool(ends[k])
        for bit, side in zip((1, 2), sides, strict=True):
            if ends[k] and not ends[k] & bit:
                pp.create_switch(result, result[table].loc[element, side], element, letter, closed=False)
    pp.runpp(result, tolerance_mva=1e-11, calculate_voltage_angles=True, numba=False, max_iteration=40)
    return result


def loading_in_order(solved: pp.pandapowerNet, network: Network, ends: Ends) -> npt.NDArray[np.float64]:
    """Return pandapower's loadings by branch, NaN where nothing flows through."""
    loading = np.full(network.n_branch, np.nan)
    for k in np.flatnonzero(ends == 3):
        table = solved[f"res_{BranchKind(network.branches.kind[k]).name.lower()}"]
        loading[k] = table.loc[network.branches.branch_id[k], "loading_percent"]
    return loading


def everything(network: Network, **settings: object) -> Judged:
    """Look at all buses and branches."""
    return Judged(bus=np.ones(network.n_bus, bool), branch=np.ones(network.n_branch, bool), **settings)  # type: ignore[arg-type]
