"""Which bus hangs on which: the tree below the sources, loops and islands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gridcheck.arrays import BoolArray, IntArray, frozen
from gridcheck.errors import TopologyError
from gridcheck.network.records import Network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """A spanning tree below the sources of a network.

    Attributes
    ----------
    order : ndarray of int, shape (n_supplied,)
        Positions of the supplied buses, depth first, so that a parent always precedes its children.
    parent : ndarray of int, shape (n_bus,)
        Position of the bus towards the source; -1 at sources and at unsupplied buses.
    parent_branch : ndarray of int, shape (n_bus,)
        Position of the branch towards the source; -1 likewise.
    supplied : ndarray of bool, shape (n_bus,)
        True where a source reaches the bus.
    loop_branch : ndarray of int
        Positions of connected branches that close a loop, empty in a radial network.
    """

    order: IntArray
    parent: IntArray
    parent_branch: IntArray
    supplied: BoolArray
    loop_branch: IntArray

    def __post_init__(self) -> None:
        for field in ("order", "parent", "parent_branch", "loop_branch"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))
        object.__setattr__(self, "supplied", frozen(self.supplied, np.bool_, (None,), name="supplied"))


def spanning_tree(network: Network, *, connected: BoolArray | None = None) -> Tree:
    """Find the tree below the sources.

    Parameters
    ----------
    network : Network
        The network.
    connected : ndarray of bool, shape (n_branch,), optional
        Which branches carry power; the network's own state where not given.

    Returns
    -------
    Tree
        Two sources that are connected to each other count as a loop.
    """
    branches, n_bus = network.branches, network.n_bus
    usable = branches.connected if connected is None else connected
    alive = network.buses.in_service
    usable = usable & alive[branches.from_bus] & alive[branches.to_bus]
    k = np.flatnonzero(usable)
    roots = np.unique(network.slack_bus[alive[network.slack_bus]])
    # A virtual bus above all sources makes one tree of many.
    rows = np.concatenate([branches.from_bus[k], np.full(len(roots), n_bus)])
    cols = np.concatenate([branches.to_bus[k], roots])
    graph = sparse.coo_matrix((np.ones(len(rows)), (rows, cols)), shape=(n_bus + 1, n_bus + 1)).tocsr()
    order, found = csgraph.depth_first_order(graph, n_bus, directed=False, return_predecessors=True)
    supplied = np.zeros(n_bus + 1, dtype=bool)
    supplied[order] = True
    parent: IntArray = np.where((found >= 0) & (found < n_bus), found, -1)[:n_bus].astype(np.int64)
    # A source that the search reached from another source stays a source; the branch between them closes a loop.
    parent[roots] = -1
    parent_branch, loop = _branches_of_tree(branches.from_bus[k], branches.to_bus[k], k, parent, supplied)
    return Tree(
        order=order[1:].astype(np.int64),
        parent=parent,
        parent_branch=parent_branch,
        supplied=supplied[:n_bus],
        loop_branch=loop,
    )


def _branches_of_tree(
    from_bus: IntArray, to_bus: IntArray, branch: IntArray, parent: IntArray, supplied: BoolArray
) -> tuple[IntArray, IntArray]:
    """Match tree edges to branches; of parallel branches the first is in the tree, the others are loops."""
    down = parent[to_bus] == from_bus
    child = np.where(down, to_bus, from_bus)
    is_tree = down | (parent[from_bus] == to_bus)
    parent_branch = np.full(len(parent), -1, dtype=np.int64)
    # Assigned from the last to the first, so that the lowest position stays.
    parent_branch[child[is_tree][::-1]] = branch[is_tree][::-1]
    loop = branch[supplied[:-1][from_bus] & ~(is_tree & (parent_branch[child] == branch))]
    return parent_branch, loop


def require_radial(network: Network, *, source: str) -> Tree:
    """Return the tree of a radial, fully supplied network.

    Raises
    ------
    TopologyError
        Naming every branch that closes a loop and every unsupplied bus.
    """
    tree = spanning_tree(network)
    branches, buses = network.branches, network.buses
    findings = [
        f"branch {branches.name[k] or branches.branch_id[k]} closes a loop between buses "
        f"{buses.bus_id[branches.from_bus[k]]} and {buses.bus_id[branches.to_bus[k]]}"
        for k in tree.loop_branch[:20]
    ]
    dark = np.flatnonzero(~tree.supplied & buses.in_service)
    findings += [f"bus {buses.name[i] or buses.bus_id[i]} is not connected to any source" for i in dark[:20]]
    if findings:
        raise TopologyError(
            f"{source} must be radial as switched, with every bus supplied: "
            f"{len(tree.loop_branch)} loops, {len(dark)} unsupplied buses.",
            findings,
        )
    return tree
