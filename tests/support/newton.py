"""pandapower's Newton-Raphson as the second opinion on every load flow."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd

from gridcheck.network import BranchKind, Network, from_pandapower, loads_from_pandapower
from gridcheck.powerflow import PowerFlowResult, solve

Array = npt.NDArray[np.float64]

VM_ATOL_PU = 1e-8
VA_ATOL_DEGREE = 1e-6
RTOL = 1e-6
# Below these a current is rounding noise of the comparison itself.
I_ATOL_KA = 1e-9
LOADING_ATOL_PERCENT = 1e-6
LOSS_ATOL_MW = 1e-8


def newton(net: pp.pandapowerNet, *, tolerance_mva: float = 1e-10) -> pp.pandapowerNet:
    """Return a solved copy of `net`."""
    solved = copy.deepcopy(net)
    pp.runpp(solved, tolerance_mva=tolerance_mva, calculate_voltage_angles=True, numba=False, max_iteration=40)
    return solved


def assert_solve_equals_newton(net: pp.pandapowerNet, *, tolerance_mva: float = 1e-10) -> PowerFlowResult:
    """Solve `net` both ways, compare everything that both know, and return the result of gridcheck."""
    network = from_pandapower(net)
    result = solve(network, loads_from_pandapower(net, network), tolerance_pu=1e-10)
    result.raise_for_status()
    assert_equals_solved(network, result, newton(net, tolerance_mva=tolerance_mva))
    return result


def assert_equals_solved(network: Network, result: PowerFlowResult, solved: pp.pandapowerNet, *, case: int = 0) -> None:
    """Compare one case with the result tables of a solved net."""
    bus = solved.res_bus.loc[network.bus_id]
    np.testing.assert_array_equal(np.isnan(bus["vm_pu"]), ~result.supplied, err_msg="which buses are supplied")
    np.testing.assert_allclose(result.vm_pu[case], bus["vm_pu"], rtol=0, atol=VM_ATOL_PU)
    turned = (result.va_degree[case] - bus["va_degree"].to_numpy() + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose(turned[result.supplied], 0.0, rtol=0, atol=VA_ATOL_DEGREE)
    _assert_branches(network, result, solved, case)
    losses = sum(solved[f"res_{table}"]["pl_mw"].sum() for table in ("line", "trafo", "impedance"))
    losses += solved.res_shunt["p_mw"].sum()
    ward = solved.ward[solved.ward["in_service"].astype(bool)]
    if len(ward):  # its constant impedance is part of the network
        vm_pu = solved.res_bus["vm_pu"].reindex(ward["bus"]).fillna(0.0).to_numpy()
        losses += (ward["pz_mw"].to_numpy() * vm_pu**2).sum()
    if not (network.branches.kind == BranchKind.SWITCH).any():  # losses of switches stand in no table of the net
        np.testing.assert_allclose(result.loss_mw[case], losses, rtol=RTOL, atol=LOSS_ATOL_MW)


def _assert_branches(network: Network, result: PowerFlowResult, solved: pp.pandapowerNet, case: int) -> None:
    branches = network.branches
    flowing = branches.connected & result.supplied[branches.from_bus] & result.supplied[branches.to_bus]
    for kind, table, current in (
        (BranchKind.LINE, solved.res_line, "i_ka"),
        (BranchKind.TRAFO, solved.res_trafo, "i_hv_ka"),
    ):
        k = np.flatnonzero((branches.kind == kind) & flowing)
        rows: pd.DataFrame = table.loc[branches.branch_id[k]]
        np.testing.assert_allclose(result.i_ka[case, k], rows[current], rtol=RTOL, atol=I_ATOL_KA)
        loading = rows["loading_percent"]
        np.testing.assert_allclose(result.loading_percent[case, k], loading, rtol=RTOL, atol=LOADING_ATOL_PERCENT)
    k = np.flatnonzero((branches.kind == BranchKind.IMPEDANCE) & flowing)
    if len(k):
        ends = solved.res_impedance.loc[branches.branch_id[k], ["i_from_ka", "i_to_ka"]]
        np.testing.assert_allclose(result.i_ka[case, k], ends.max(axis=1), rtol=RTOL, atol=I_ATOL_KA)
    assert np.isnan(result.i_ka[case, ~flowing]).all(), "a branch that carries nothing through has no current"
