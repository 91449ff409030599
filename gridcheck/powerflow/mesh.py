r"""Loops: a meshed network as a tree and cuts through some of its branches.

The tree holds the branches of least impedance, so that the cuts carry little and the sweep converges fast. Closed
switches without impedance come first; one that is left over joins two buses that are one anyway, and its current is not
determined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse import csgraph

from gridcheck.arrays import BoolArray, IntArray, frozen
from gridcheck.errors import TopologyError
from gridcheck.network.records import Network
from gridcheck.network.topology import Tree, spanning_tree
from gridcheck.powerflow.radial import RadialModel, model_of_tree

ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loops:
    """Cuts through the loops of a network, in the terms of equations (6) and (7) of the kernel.

    Attributes
    ----------
    branch : ndarray of int, shape (n_loop,)
        The branches that are cut.
    node : ndarray of int, shape (n_loop, 2)
        Nodes at their from and to ends.
    c, z : ndarray of complex, shape (n_loop,)
        Ratio in the frames of the nodes, and impedance. [1], [pu]
    y_from, y_to : ndarray of complex, shape (n_loop,)
        Shunts of the branch at either end, seen from the node. [pu]
    inverse : ndarray of complex, shape (n_loop, n_loop)
        The inverse of Z. [pu]
    """

    branch: IntArray
    node: IntArray
    c: ComplexArray
    z: ComplexArray
    y_from: ComplexArray
    y_to: ComplexArray
    inverse: ComplexArray

    def __post_init__(self) -> None:
        n = len(self.branch)
        object.__setattr__(self, "branch", frozen(self.branch, np.int64, (n,), name="branch"))
        object.__setattr__(self, "node", frozen(self.node, np.int64, (n, 2), name="node"))
        for name in ("c", "z", "y_from", "y_to"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.complex128, (n,), name=name))
        object.__setattr__(self, "inverse", frozen(self.inverse, np.complex128, (n, n), name="inverse"))


def mesh_model(network: Network, *, in_tree: IntArray | None = None) -> tuple[RadialModel, Loops]:
    """Prepare any network for the sweep.

    Parameters
    ----------
    network : Network
        Radial or meshed, with one or several sources.
    in_tree : ndarray of int, optional
        Branches that must not be cut.

    Returns
    -------
    RadialModel
        The tree; shunts of cut branches stand at their nodes.
    Loops
        The cuts; none in a radial network.

    Raises
    ------
    TopologyError
        If sources of different voltage are joined without any impedance, or a branch of `in_tree` would be cut.
    """
    tree = spanning_tree(network)
    if not len(tree.loop_branch):
        return model_of_tree(network, tree), no_loops()
    keep = np.zeros(network.n_branch, dtype=bool)
    keep[[] if in_tree is None else in_tree] = True
    usable = _usable(network, tree)
    chosen = _least_impedance(network, usable, keep)
    cut = np.flatnonzero(usable & ~chosen)
    lost = cut[keep[cut]]
    if len(lost):
        names = [network.branches.name[k] or f"branch {network.branches.branch_id[k]}" for k in lost]
        raise TopologyError("A transformer with an automatic tap changer closes a loop of such transformers.", names)
    tree = spanning_tree(network, connected=chosen)
    model = model_of_tree(network, tree)
    without = _impedance(network)[cut] == 0
    _require_one_voltage(network, tree, cut[without])
    return _with_cuts(network, model, cut[~without])


def no_loops() -> Loops:
    """Return the record of a radial network."""
    none = np.zeros(0, dtype=np.complex128)
    return Loops(
        branch=np.zeros(0, dtype=np.int64), node=np.zeros((0, 2), dtype=np.int64), c=none, z=none, y_from=none,
        y_to=none, inverse=np.zeros((0, 0), dtype=np.complex128),
    )  # fmt: skip


def _impedance(network: Network) -> ComplexArray:
    impedance: ComplexArray = network.branches.r_pu + 1j * network.branches.x_pu
    return impedance


def _usable(network: Network, tree: Tree) -> BoolArray:
    b = network.branches
    alive = network.buses.in_service & tree.supplied
    usable: BoolArray = b.connected & alive[b.from_bus] & alive[b.to_bus]
    return usable


def _least_impedance(network: Network, usable: BoolArray, keep: BoolArray) -> BoolArray:
    """Choose the tree of least impedance: closed switches first, then the branches to keep, then the others."""
    b, n_bus = network.branches, network.n_bus
    size = np.abs(_impedance(network))
    rank_class = np.where(size == 0.0, 0, np.where(keep, 1, 2))
    k = np.flatnonzero(usable)
    k = k[np.lexsort((k, size[k], rank_class[k]))]
    # Of parallel branches the best stays; the search tells edges apart by their buses only.
    ends = np.sort(np.stack([b.from_bus[k], b.to_bus[k]], axis=1), axis=1)
    _, first = np.unique(ends, axis=0, return_index=True)
    k = k[np.sort(first)]
    k = k[b.from_bus[k] != b.to_bus[k]]
    roots = np.unique(network.slack_bus[network.buses.in_service[network.slack_bus]])
    rows = np.concatenate([np.full(len(roots), n_bus), b.from_bus[k]])
    cols = np.concatenate([roots, b.to_bus[k]])
    rank = np.arange(1, len(rows) + 1, dtype=np.float64)
    found = csgraph.minimum_spanning_tree(sparse.csr_array((rank, (rows, cols)), shape=(n_bus + 1, n_bus + 1)))
    place = found.tocoo().data.astype(np.int64) - 1 - len(roots)
    chosen = np.zeros(network.n_branch, dtype=bool)
    chosen[k[place[place >= 0]]] = True
    return chosen


def _require_one_voltage(network: Network, tree: Tree, cut: IntArray) -> None:
    """Refuse sources of different voltage that are joined by closed switches alone."""
    given = {
        int(bus): (float(vm), float(va))
        for bus, vm, va in zip(network.slack_bus, network.slack_vm_pu, network.slack_va_degree, strict=True)
    }
    for k in cut.tolist():
        ends = [_root(tree, int(bus)) for bus in (network.branches.from_bus[k], network.branches.to_bus[k])]
        if given[ends[0]] != given[ends[1]]:
            ids = network.bus_id[ends].tolist()
            raise TopologyError(f"The sources at buses {ids} have different voltages and are joined without impedance.")


def _root(tree: Tree, bus: int) -> int:
    while tree.parent[bus] >= 0:
        bus = int(tree.parent[bus])
    return bus


def _with_cuts(network: Network, model: RadialModel, cut: IntArray) -> tuple[RadialModel, Loops]:
    b = network.branches
    node_of = np.full(network.n_bus, -1, dtype=np.int64)
    node_of[model.bus] = np.arange(model.n_node)
    f, t = node_of[b.from_bus[cut]], node_of[b.to_bus[cut]]
    n = b.tap_ratio[cut]
    turned = np.deg2rad(model.angle_degree[f] - b.shift_degree[cut] - model.angle_degree[t])
    c: ComplexArray = np.exp(1j * turned).astype(np.complex128) / n
    y_from: ComplexArray = ((b.g_from_pu + 1j * b.b_from_pu)[cut] / n**2).astype(np.complex128)
    y_to: ComplexArray = (b.g_to_pu + 1j * b.b_to_pu)[cut].astype(np.complex128)
    shunt = model.g_pu + 1j * model.b_pu
    np.add.at(shunt, f, y_from)
    np.add.at(shunt, t, y_to)
    node, z = np.stack([f, t], axis=1), _impedance(network)[cut]
    inverse: ComplexArray = np.linalg.inv(_loop_matrix(model, node, c, z)).astype(np.complex128)
    loops = Loops(branch=cut, node=node, c=c, z=z, y_from=y_from, y_to=y_to, inverse=inverse)
    return replace(model, g_pu=shunt.real, b_pu=shunt.imag), loops


def _loop_matrix(model: RadialModel, node: IntArray, c: ComplexArray, z: ComplexArray) -> ComplexArray:
    """Return Z: the mismatch that one unit of current through each cut takes from every cut."""
    n_loop = len(z)
    column = np.arange(n_loop)
    f, t = node[:, 0], node[:, 1]
    j = np.zeros((model.n_node, n_loop), dtype=np.complex128)
    np.add.at(j, (f, column), c.conj())
    np.add.at(j, (t, column), -1.0)
    v = np.zeros_like(j)
    parent, ratio = model.parent.tolist(), model.ratio
    impedance = model.r_pu + 1j * model.x_pu
    for i in range(model.n_node - 1, -1, -1):
        if parent[i] >= 0:
            j[parent[i]] += ratio[i] * j[i]
    for i in range(model.n_node):
        if parent[i] >= 0:
            v[i] = ratio[i] * v[parent[i]] - impedance[i] * j[i]
    matrix: ComplexArray = np.diag(z) - c[:, None] * v[f] + v[t]
    return matrix
