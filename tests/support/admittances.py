"""Power balance from the records alone: a nodal admittance matrix, written without a look at the load flow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcheck.network import Network
from gridcheck.powerflow import PowerFlowResult

ComplexArray = npt.NDArray[np.complex128]


def admittance_matrix(network: Network) -> ComplexArray:
    """Return the nodal admittance matrix of buses and connected branches. [pu]"""
    branches, buses = network.branches, network.buses
    matrix = np.diag(buses.g_pu + 1j * buses.b_pu)
    alive = buses.in_service
    for k in np.flatnonzero(branches.connected & alive[branches.from_bus] & alive[branches.to_bus]):
        f, t = branches.from_bus[k], branches.to_bus[k]
        series = 1.0 / complex(branches.r_pu[k], branches.x_pu[k])
        from_shunt = complex(branches.g_from_pu[k], branches.b_from_pu[k])
        to_shunt = complex(branches.g_to_pu[k], branches.b_to_pu[k])
        n = branches.tap_ratio[k] * np.exp(1j * np.deg2rad(branches.shift_degree[k]))
        matrix[f, f] += (series + from_shunt) / abs(n) ** 2
        matrix[t, t] += series + to_shunt
        matrix[f, t] -= series / np.conj(n)
        matrix[t, f] -= series / n
    return matrix


def injected_mva(network: Network, result: PowerFlowResult, case: int = 0) -> ComplexArray:
    """Return the power that flows into the network at every bus, 0 where there is no supply. [MVA]"""
    matrix = admittance_matrix(network)
    v = result.vm_pu[case] * np.exp(1j * np.deg2rad(result.va_degree[case]))
    v = np.where(result.supplied, v, 0.0)
    power: ComplexArray = v * np.conj(matrix @ v) * network.sn_mva
    return power
