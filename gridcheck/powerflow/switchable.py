"""A network made ready to be solved in many switch states: every branch as either of its ends sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.errors import InputError
from gridcheck.network.convert import add_open_ends
from gridcheck.network.records import Branches, BranchKind, Network
from gridcheck.units import SQRT3

EndArray = npt.NDArray[np.uint8]

FROM_END, TO_END, THROUGH = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Switchable:
    """What all switch states of a network have in common; an entry is one end of a branch as its bus sees it.

    Attributes
    ----------
    network : Network
        The network.
    first : ndarray of int, shape (n_bus + 1,)
        Entries ``first[b]`` to ``first[b + 1]`` are those of bus b, in the order of their branches.
    entry : ndarray of int, shape (2 n_branch, 4)
        Branch, bus at its other end, entry there, and the bit of this end in `SwitchStates.ends`.
    value : ndarray, shape (2 n_branch, 8)
        Ratio, r and x of equation (3) of the kernel, seen from this end; g and b of the branch at this end when it
        carries power, and when it hangs open at its other end; percent of loading at this end per current of 1 pu,
        NaN without a rating. [1], [pu], [%]
    bus_pu : ndarray, shape (n_bus, 3)
        Shunt g and b of the bus without any branch, and the voltage of its source, 0 where there is none. [pu]
    source : ndarray of int, shape (n_source,)
        Buses with a source in service, ascending.
    root_entry : ndarray of int, shape (n_branch,)
        Entry at the source of branches that end at one, -1 for others.
    is_dark : ndarray of bool, shape (n_branch, 2)
        True at ends where the bus is out of service.
    """

    network: Network
    first: IntArray
    entry: IntArray
    value: FloatArray
    bus_pu: FloatArray
    source: IntArray
    root_entry: IntArray
    is_dark: BoolArray

    def __post_init__(self) -> None:
        n_bus, n_entry = self.network.n_bus, 2 * self.network.n_branch
        object.__setattr__(self, "first", frozen(self.first, np.int64, (n_bus + 1,), name="first"))
        object.__setattr__(self, "entry", frozen(self.entry, np.int64, (n_entry, 4), name="entry"))
        object.__setattr__(self, "value", frozen(self.value, np.float64, (n_entry, 8), name="value"))
        object.__setattr__(self, "bus_pu", frozen(self.bus_pu, np.float64, (n_bus, 3), name="bus_pu"))
        object.__setattr__(self, "source", frozen(self.source, np.int64, (None,), name="source"))
        object.__setattr__(self, "root_entry", frozen(self.root_entry, np.int64, (n_entry // 2,), name="root_entry"))
        object.__setattr__(self, "is_dark", frozen(self.is_dark, np.bool_, (n_entry // 2, 2), name="is_dark"))

    @property
    def normal_ends(self) -> EndArray:
        """Ends that are connected as the network is normally switched, shape (n_branch,)."""
        b = self.network.branches
        ends: EndArray = (b.in_service * (FROM_END * b.from_closed + TO_END * b.to_closed)).astype(np.uint8)
        return ends

    def entry_at_source(self, branch: IntArray) -> IntArray:
        """Return the entries by which trees leave their sources through some branches; -1 for a branch of -1.

        Raises
        ------
        InputError
            If a position is none of a branch at a source.
        """
        wrong = (branch < -1) | (branch >= self.network.n_branch)
        is_root = (branch >= 0) & ~wrong
        result: IntArray = np.full(len(branch), -1, dtype=np.int64)
        result[is_root] = self.root_entry[branch[is_root]]
        wrong |= is_root & (result < 0)
        if wrong.any():
            findings = [f"root {branch[i]} of state {i}" for i in np.flatnonzero(wrong)[:20]]
            raise InputError("A root must be the position of a branch that ends at a source, or -1.", findings)
        return result

    def lit_ends(self, ends: EndArray) -> EndArray:
        """Return `ends` (n_topology, n_branch) as they work where buses are out of service.

        A line that ends there is open at that end, anything else carries nothing, as in `add_open_ends`.
        """
        dark = np.flatnonzero(self.is_dark.any(axis=1))
        if len(dark) == 0:
            return ends
        result = ends.copy()
        is_line = self.network.branches.kind[dark] == BranchKind.LINE
        lit = (THROUGH - self.is_dark[dark] @ np.array([FROM_END, TO_END])).astype(np.uint8)
        at = ends[:, dark]
        result[:, dark] = np.where(is_line, at & lit, np.where(at == THROUGH, 0, at))
        return result


def switchable(network: Network) -> Switchable:
    """Prepare a network for `solve_topologies`.

    Parameters
    ----------
    network : Network
        Any network; its own switch state does not matter.

    Returns
    -------
    Switchable
    """
    b, n_bus = network.branches, network.n_bus
    end_bus = np.column_stack([b.from_bus, b.to_bus]).reshape(-1)
    order = np.argsort(end_bus, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    bit = np.where(order % 2 == 0, FROM_END, TO_END)
    alive = network.buses.in_service
    g_open, b_open = np.zeros(n_bus), np.zeros(n_bus)
    add_open_ends(b, g_open, b_open, alive=alive)
    bus_pu = np.stack([network.buses.g_pu - g_open, network.buses.b_pu - b_open, np.zeros(n_bus)], axis=1)
    bus_pu[network.slack_bus, 2] = network.slack_vm_pu
    source = np.unique(network.slack_bus[alive[network.slack_bus]])
    # Of a branch between two sources, a loop, either end will do.
    at_source = np.flatnonzero(np.isin(end_bus[order], source))
    root_entry = np.full(network.n_branch, -1, dtype=np.int64)
    root_entry[order[at_source] // 2] = at_source
    return Switchable(
        network=network,
        first=np.searchsorted(end_bus[order], np.arange(n_bus + 1)),
        entry=np.stack([order // 2, end_bus[order ^ 1], place[order ^ 1], bit], axis=1),
        value=_values(network).reshape(-1, 8)[order],
        bus_pu=bus_pu,
        source=source,
        root_entry=root_entry,
        is_dark=~np.column_stack([alive[b.from_bus], alive[b.to_bus]]),
    )


@np.errstate(all="ignore")  # branches and buses out of service may hold anything
def _values(network: Network) -> FloatArray:
    """Return what each end of each branch shows its bus, shape (n_branch, 2, 8), in the order of `Switchable.value`."""
    b = network.branches
    n = b.tap_ratio
    y_from, y_to = b.g_from_pu + 1j * b.b_from_pu, b.g_to_pu + 1j * b.b_to_pu
    z = b.r_pu + 1j * b.x_pu
    result = np.empty((network.n_branch, 2, 8))
    for end, (ratio, z_seen, near, far, scale) in enumerate(
        ((1.0 / n, z, y_from, y_to, 1.0 / n**2), (n, z * n**2, y_to, y_from, np.ones_like(n)))
    ):
        hanging = np.where(b.kind == BranchKind.SWITCH, 0.0, (near + far / (1.0 + z * far)) * scale)
        carrying = near * scale
        parts = ratio, z_seen.real, z_seen.imag, carrying.real, carrying.imag, hanging.real, hanging.imag
        result[:, end, :7] = np.stack(parts, axis=1)
    result[:, :, 7] = _percent_per_pu(network, b)
    return result


def _percent_per_pu(network: Network, b: Branches) -> FloatArray:
    rating_ka = np.column_stack([b.rating_from_ka, b.rating_to_ka])
    base_ka = network.sn_mva / (SQRT3 * network.buses.vn_kv[np.column_stack([b.from_bus, b.to_bus])])
    percent: FloatArray = np.where(rating_ka > 0, 100.0 * base_ka / np.where(rating_ka > 0, rating_ka, 1.0), np.nan)
    return percent
