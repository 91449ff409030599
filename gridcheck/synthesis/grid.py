"""The 10 kV side of a county as a forest: every node knows its parent, parents come first.

Nodes are the busbars of the main transformers, one exit pole per feeder behind its exit cable, and the
poles on which transformers hang. The edge of a node is the line between it and its parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen

ComplexArray = npt.NDArray[np.complex128]
_Values = TypeVar("_Values", FloatArray, ComplexArray)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forest:
    """Busbars, exit poles and poles of a county; position i is the same node in every array.

    Attributes
    ----------
    parent : ndarray of int, shape (n_node,)
        Parent node, smaller than the node's own position; -1 at busbars.
    feeder : ndarray of int, shape (n_node,)
        Position of the feeder, -1 at busbars.
    xy : ndarray, shape (n_node, 2)
        Place. [km]
    length_km : ndarray, shape (n_node,)
        Length of the edge, 0 at busbars. [km]
    on_trunk : ndarray of bool, shape (n_node,)
        True where the edge belongs to the trunk of its feeder.
    busbar_main : ndarray of int, shape (n_main,)
        Node of each main transformer's busbar.
    main_substation : ndarray of int, shape (n_main,)
        Position of the substation of each main transformer.
    feeder_main : ndarray of int, shape (n_feeder,)
        Position of the main transformer that feeds each feeder.
    feeder_exit : ndarray of int, shape (n_feeder,)
        Exit pole of each feeder.
    area_node : ndarray of int, shape (n_area,)
        Pole on which each area's transformer hangs.
    """

    parent: IntArray
    feeder: IntArray
    xy: FloatArray
    length_km: FloatArray
    on_trunk: BoolArray
    busbar_main: IntArray
    main_substation: IntArray
    feeder_main: IntArray
    feeder_exit: IntArray
    area_node: IntArray

    def __post_init__(self) -> None:
        n_node = len(self.parent)
        for field in ("parent", "feeder"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (n_node,), name=field))
        object.__setattr__(self, "xy", frozen(self.xy, np.float64, (n_node, 2), name="xy"))
        object.__setattr__(self, "length_km", frozen(self.length_km, np.float64, (n_node,), name="length_km"))
        object.__setattr__(self, "on_trunk", frozen(self.on_trunk, np.bool_, (n_node,), name="on_trunk"))
        for field in ("busbar_main", "main_substation", "feeder_main", "feeder_exit", "area_node"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    @property
    def n_feeder(self) -> int:
        """Number of feeders."""
        return len(self.feeder_main)


def sum_downstream(parent: IntArray, value: _Values) -> _Values:
    """Add up `value` over each node and everything downstream of it.

    Parameters
    ----------
    parent : ndarray of int, shape (n_node,)
        Parent of each node, smaller than its own position; -1 at roots.
    value : ndarray, shape (n_node,)
        Real or complex value at each node.

    Returns
    -------
    ndarray, shape (n_node,)
    """
    total = value.copy()
    for node in range(len(parent) - 1, -1, -1):
        if parent[node] >= 0:
            total[parent[node]] += total[node]
    return total


def path_from_root(parent: IntArray, value: _Values) -> _Values:
    """Add up `value` along the path from the root to each node, both included; shape (n_node,)."""
    total = value.copy()
    for node in range(len(parent)):
        if parent[node] >= 0:
            total[node] += total[parent[node]]
    return total


def solve_forest(parent: IntArray, z_pu: ComplexArray, s_pu: ComplexArray, root_vm_pu: FloatArray) -> ComplexArray:
    r"""Solve the forest with constant powers by backward and forward sweeps.

    .. math:: I_k = \overline{S_k / V_k} + \sum_{c} I_c, \quad V_k = V_{p(k)} - z_k I_k

    Used for sizing only; the planner's results come from `powerflow`.

    Parameters
    ----------
    parent : ndarray of int, shape (n_node,)
        Parent of each node; -1 at roots.
    z_pu, s_pu : ndarray of complex, shape (n_node,)
        Impedance of the edge and load of the node, consumption positive. [pu]
    root_vm_pu : ndarray, shape (n_node,)
        Voltage at the roots; other entries are not used. [pu]

    Returns
    -------
    ndarray of complex, shape (n_node,)
        Voltages. [pu]
    """
    voltage = np.where(parent < 0, root_vm_pu, 1.0).astype(np.complex128)
    voltage[parent >= 0] = root_vm_pu[parent < 0].mean()
    for _ in range(12):
        drop = z_pu * sum_downstream(parent, np.conj(s_pu / voltage))
        new = np.where(parent < 0, root_vm_pu.astype(np.complex128), -drop).astype(np.complex128)
        new = path_from_root(parent, new)
        change = float(np.abs(new - voltage).max())
        voltage = new
        if change < 1e-9:
            break
    return voltage
