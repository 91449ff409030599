"""A radial network made ready for the sweep: nodes in tree order, every branch seen from its parent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray, frozen
from gridcheck.errors import TopologyError
from gridcheck.network.records import Network
from gridcheck.network.topology import Tree, spanning_tree
from gridcheck.powerflow import _kernels
from gridcheck.units import SQRT3

Array = TypeVar("Array", FloatArray, IntArray)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepArrays:
    """A tree as `_kernels.sweep` takes it, in double precision and roughly.

    Attributes
    ----------
    parent : ndarray of int, shape (n_node,)
        Node of the parent; n_node, which stands at 1 pu, at sources.
    branch, branch_rough : ndarray, shape (n_node, 5)
        Ratio, r, x, and the shunt g and b of the node; at sources their voltage as the ratio.
    start_rough : ndarray, shape (n_node,)
        Voltages without load. [pu]
    """

    parent: IntArray
    branch: FloatArray
    branch_rough: Float32Array
    start_rough: Float32Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadialModel:
    """What the kernel needs of a radial network; node i is the i-th supplied bus, depth first.

    Attributes
    ----------
    bus : ndarray of int, shape (n_node,)
        Bus position of each node.
    branch : ndarray of int, shape (n_node,)
        Branch position towards the parent, -1 at sources.
    parent : ndarray of int, shape (n_node,)
        Node of the parent, -1 at sources.
    ratio, r_pu, x_pu : ndarray, shape (n_node,)
        Equation (3) of the kernel.
    g_pu, b_pu : ndarray, shape (n_node,)
        Shunt admittance gathered at the node.
    near_g_pu, near_b_pu, far_g_pu, far_b_pu : ndarray, shape (n_node,)
        Shunts of the branch itself at the parent's end and at the node's end.
    near_rating_ka, far_rating_ka : ndarray, shape (n_node,)
        Ratings at either end, NaN where there is none. [kA]
    near_base_ka, far_base_ka : ndarray, shape (n_node,)
        Current of 1 pu at either end. [kA]
    source_vm_pu : ndarray, shape (n_node,)
        Voltage of the source above each node times all ratios on the way: the no-load voltage.
    angle_degree : ndarray, shape (n_node,)
        Angle of the node's reference frame.
    n_bus, n_branch : int
        Sizes of the whole network.
    sn_mva : float
        Power base. [MVA]
    arrays : SweepArrays
        The same in the layout of the kernel.
    """

    bus: IntArray
    branch: IntArray
    parent: IntArray
    ratio: FloatArray
    r_pu: FloatArray
    x_pu: FloatArray
    g_pu: FloatArray
    b_pu: FloatArray
    near_g_pu: FloatArray
    near_b_pu: FloatArray
    far_g_pu: FloatArray
    far_b_pu: FloatArray
    near_rating_ka: FloatArray
    far_rating_ka: FloatArray
    near_base_ka: FloatArray
    far_base_ka: FloatArray
    source_vm_pu: FloatArray
    angle_degree: FloatArray
    n_bus: int
    n_branch: int
    sn_mva: float
    arrays: SweepArrays = field(init=False)

    def __post_init__(self) -> None:
        n_node = len(self.bus)
        for name in ("bus", "branch", "parent"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64, (n_node,), name=name))
        for name in [
            "ratio",
            "r_pu",
            "x_pu",
            "g_pu",
            "b_pu",
            "near_g_pu",
            "near_b_pu",
            "far_g_pu",
            "far_b_pu",
            "near_rating_ka",
            "far_rating_ka",
            "near_base_ka",
            "far_base_ka",
            "source_vm_pu",
            "angle_degree",
        ]:
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n_node,), name=name))
        object.__setattr__(self, "arrays", self._sweep_arrays())

    def _sweep_arrays(self) -> SweepArrays:
        is_source = self.parent < 0
        ratio = np.where(is_source, self.source_vm_pu, self.ratio)
        branch = np.stack([ratio, self.r_pu, self.x_pu, self.g_pu, self.b_pu], axis=1)
        return SweepArrays(
            parent=np.where(is_source, self.n_node, self.parent),
            branch=branch,
            branch_rough=branch.astype(np.float32),
            start_rough=self.source_vm_pu.astype(np.float32),
        )

    @property
    def n_node(self) -> int:
        """Number of supplied buses."""
        return len(self.bus)


def radial_model(
    network: Network, *, connected: BoolArray | None = None, within: BoolArray | None = None
) -> RadialModel:
    """Prepare a radial network for the sweep.

    Parameters
    ----------
    network : Network
        The network.
    connected : ndarray of bool, shape (n_branch,), optional
        Which branches carry power; the network's own state where not given.
    within : ndarray of bool, shape (n_bus,), optional
        Restrict to these buses; every bus between them and their source must be among them.

    Returns
    -------
    RadialModel

    Raises
    ------
    TopologyError
        If a loop is closed.
    """
    tree = spanning_tree(network, connected=connected)
    if len(tree.loop_branch):
        names = [network.branches.name[k] or str(network.branches.branch_id[k]) for k in tree.loop_branch[:20]]
        raise TopologyError(f"{network.name} is not radial: {len(tree.loop_branch)} branches close loops.", names)
    return model_of_tree(network, tree, within=within)


def model_of_tree(network: Network, tree: Tree, *, within: BoolArray | None = None) -> RadialModel:
    """Prepare the buses of a given tree, or those of them that are `within`, for the sweep."""
    bus = tree.order if within is None else tree.order[within[tree.order]]
    node_of = np.full(network.n_bus, -1, dtype=np.int64)
    node_of[bus] = np.arange(len(bus))
    parent_bus, branch = tree.parent[bus], tree.parent_branch[bus]
    parent = np.where(parent_bus >= 0, node_of[parent_bus], -1)
    b = network.branches
    has = branch >= 0
    k = np.where(has, branch, 0)

    def at(values: Array) -> Array:
        """Values of the branch above each node; anything at sources, also where there is no branch at all."""
        return values[k] if len(values) else np.ones(len(k), dtype=values.dtype)

    down = at(b.from_bus) == parent_bus  # the parent is at the branch's from end
    n = at(b.tap_ratio)
    z_scale = np.where(down, 1.0, n**2)
    from_scale = 1.0 / n**2  # shunts at the from end lie behind the ratio
    near_g, far_g = _near_far(down, at(b.g_from_pu) * from_scale, at(b.g_to_pu), has)
    near_b, far_b = _near_far(down, at(b.b_from_pu) * from_scale, at(b.b_to_pu), has)
    with np.errstate(divide="ignore"):  # a bus out of service may have any voltage
        base_ka = network.sn_mva / (SQRT3 * network.buses.vn_kv)
    near_rating, far_rating = _near_far(down, at(b.rating_from_ka), at(b.rating_to_ka), has)
    g_pu, b_pu = network.buses.g_pu[bus] + far_g, network.buses.b_pu[bus] + far_b
    np.add.at(g_pu, parent[has], near_g[has])
    np.add.at(b_pu, parent[has], near_b[has])
    ratio = np.where(has, np.where(down, 1.0 / n, n), 1.0)
    shift = np.where(has, np.where(down, -at(b.shift_degree), at(b.shift_degree)), 0.0)
    vm, angle = _no_load(network, bus, parent, ratio, shift)
    return RadialModel(
        bus=bus,
        branch=np.where(has, branch, -1),
        parent=parent,
        ratio=ratio,
        r_pu=np.where(has, at(b.r_pu) * z_scale, 0.0),
        x_pu=np.where(has, at(b.x_pu) * z_scale, 0.0),
        g_pu=g_pu,
        b_pu=b_pu,
        near_g_pu=near_g,
        near_b_pu=near_b,
        far_g_pu=far_g,
        far_b_pu=far_b,
        near_rating_ka=near_rating,
        far_rating_ka=far_rating,
        near_base_ka=np.where(has, base_ka[parent_bus], base_ka[bus]),
        far_base_ka=base_ka[bus],
        source_vm_pu=vm,
        angle_degree=angle,
        n_bus=network.n_bus,
        n_branch=network.n_branch,
        sn_mva=network.sn_mva,
    )


def _near_far(down: BoolArray, at_from: FloatArray, at_to: FloatArray, has: BoolArray) -> tuple[FloatArray, FloatArray]:
    near = np.where(has, np.where(down, at_from, at_to), 0.0)
    far = np.where(has, np.where(down, at_to, at_from), 0.0)
    return near, far


def _no_load(
    network: Network, bus: IntArray, parent: IntArray, ratio: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Pass source voltage and reference angle down the tree."""
    place = np.full(network.n_bus, -1, dtype=np.int64)
    place[network.slack_bus] = np.arange(len(network.slack_bus))
    vm, angle = np.ones(len(bus)), np.zeros(len(bus))
    root = parent < 0
    vm[root], angle[root] = network.slack_vm_pu[place[bus[root]]], network.slack_va_degree[place[bus[root]]]
    _kernels.pass_down(parent, ratio, shift, vm, angle)
    return vm, angle
