"""The network record: read-only arrays, positive sequence, per unit inside.

Position i in every array of a table is the same element; ids are the user's (pandapower's index).
Derived things (order of the tree, admittances) are computed by functions and passed, not cached here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen


class BranchKind(IntEnum):
    """What a branch is."""

    LINE = 0
    TRAFO = 1
    SWITCH = 2
    IMPEDANCE = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buses:
    """Buses of a network.

    Attributes
    ----------
    bus_id : ndarray of int, shape (n_bus,)
        The user's id.
    vn_kv : ndarray, shape (n_bus,)
        Nominal line-to-line voltage. [kV]
    g_pu, b_pu : ndarray, shape (n_bus,)
        Shunt admittance at the bus on the base of the network, consumption positive; holds shunt
        elements, the constant impedance of wards and the charging of lines that are open at one end. [pu]
    in_service : ndarray of bool, shape (n_bus,)
        False for a bus that is switched off.
    name : tuple of str, length n_bus
        Name, empty where there is none.
    """

    bus_id: IntArray
    vn_kv: FloatArray
    g_pu: FloatArray
    b_pu: FloatArray
    in_service: BoolArray
    name: tuple[str, ...]

    def __post_init__(self) -> None:
        n_bus = len(self.bus_id)
        object.__setattr__(self, "bus_id", frozen(self.bus_id, np.int64, (n_bus,), name="bus_id"))
        for field in ("vn_kv", "g_pu", "b_pu"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (n_bus,), name=field))
        object.__setattr__(self, "in_service", frozen(self.in_service, np.bool_, (n_bus,), name="in_service"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branches:
    r"""Lines, two-winding transformers, impedances and bus-bus switches in one table.

    Every branch is a pi circuit behind an ideal ratio at its `from` end:

    .. math:: V_t = V_f / n - z I_t', \quad n = \mathrm{tap\_ratio}\, e^{j\,\mathrm{shift}}

    Attributes
    ----------
    branch_id : ndarray of int, shape (n_branch,)
        The user's id within its kind.
    kind : ndarray of int, shape (n_branch,)
        A `BranchKind`.
    from_bus, to_bus : ndarray of int, shape (n_branch,)
        Positions in `Buses`; for transformers `from` is the high-voltage side.
    r_pu, x_pu : ndarray, shape (n_branch,)
        Series impedance seen behind the ratio. [pu]
    g_from_pu, b_from_pu, g_to_pu, b_to_pu : ndarray, shape (n_branch,)
        Shunt admittance of the pi circuit at either end (from: behind the ratio). [pu]
    tap_ratio : ndarray, shape (n_branch,)
        Magnitude of the ideal ratio, 1 for lines without a regulator. [1]
    shift_degree : ndarray, shape (n_branch,)
        Angle of the ideal ratio. [degree]
    rating_from_ka, rating_to_ka : ndarray, shape (n_branch,)
        Current at which the loading is 100 %, at either end; NaN where there is none. [kA]
    length_km : ndarray, shape (n_branch,)
        Length, NaN for all but lines. [km]
    from_closed, to_closed : ndarray of bool, shape (n_branch,)
        False where a switch at that end is open; an open bus-bus switch is open at its `from` end.
    in_service : ndarray of bool, shape (n_branch,)
        False for an element that is switched off as a whole.
    type_name, name : tuple of str, length n_branch
        Key into the catalogue, and name.
    """

    branch_id: IntArray
    kind: IntArray
    from_bus: IntArray
    to_bus: IntArray
    r_pu: FloatArray
    x_pu: FloatArray
    g_from_pu: FloatArray
    b_from_pu: FloatArray
    g_to_pu: FloatArray
    b_to_pu: FloatArray
    tap_ratio: FloatArray
    shift_degree: FloatArray
    rating_from_ka: FloatArray
    rating_to_ka: FloatArray
    length_km: FloatArray
    from_closed: BoolArray
    to_closed: BoolArray
    in_service: BoolArray
    type_name: tuple[str, ...]
    name: tuple[str, ...]

    def __post_init__(self) -> None:
        n_branch = len(self.branch_id)
        for field in ("branch_id", "kind", "from_bus", "to_bus"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (n_branch,), name=field))
        for field in ("from_closed", "to_closed", "in_service"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.bool_, (n_branch,), name=field))
        for field in [
            "r_pu",
            "x_pu",
            "g_from_pu",
            "b_from_pu",
            "g_to_pu",
            "b_to_pu",
            "tap_ratio",
            "shift_degree",
            "rating_from_ka",
            "rating_to_ka",
            "length_km",
        ]:
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (n_branch,), name=field))

    @property
    def connected(self) -> BoolArray:
        """True where the branch carries power through: in service and closed at both ends."""
        result: BoolArray = self.in_service & self.from_closed & self.to_closed
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Switches:
    """Switches at the ends of branches.

    Attributes
    ----------
    switch_id : ndarray of int, shape (n_switch,)
        The user's id.
    branch : ndarray of int, shape (n_switch,)
        Position of the branch whose end it opens.
    at_to_end : ndarray of bool, shape (n_switch,)
        True at the `to` end, False at the `from` end.
    closed : ndarray of bool, shape (n_switch,)
        Normal state.
    breaker : ndarray of bool, shape (n_switch,)
        True for a circuit breaker, which trips by itself on a fault.
    remote : ndarray of bool, shape (n_switch,)
        True where it is operated from the control room.
    name : tuple of str, length n_switch
        Name.
    """

    switch_id: IntArray
    branch: IntArray
    at_to_end: BoolArray
    closed: BoolArray
    breaker: BoolArray
    remote: BoolArray
    name: tuple[str, ...]

    def __post_init__(self) -> None:
        n_switch = len(self.switch_id)
        for field in ("switch_id", "branch"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (n_switch,), name=field))
        for field in ("at_to_end", "closed", "breaker", "remote"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.bool_, (n_switch,), name=field))


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class Network:
    """A balanced network in positive sequence.

    Attributes
    ----------
    name : str
        Name of the network.
    f_hz, sn_mva : float
        Frequency and power base. [Hz], [MVA]
    buses, branches, switches
        The tables.
    slack_bus : ndarray of int, shape (n_slack,)
        Positions of the buses whose voltage is given.
    slack_vm_pu, slack_va_degree : ndarray, shape (n_slack,)
        Their voltages. [pu], [degree]
    """

    name: str
    f_hz: float
    sn_mva: float
    buses: Buses
    branches: Branches
    switches: Switches
    slack_bus: IntArray
    slack_vm_pu: FloatArray
    slack_va_degree: FloatArray

    def __post_init__(self) -> None:
        n_slack = len(self.slack_bus)
        object.__setattr__(self, "slack_bus", frozen(self.slack_bus, np.int64, (n_slack,), name="slack_bus"))
        for field in ("slack_vm_pu", "slack_va_degree"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (n_slack,), name=field))

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return len(self.buses.bus_id)

    @property
    def n_branch(self) -> int:
        """Number of branches."""
        return len(self.branches.branch_id)

    @property
    def bus_id(self) -> IntArray:
        """The user's bus ids in the order of every bus axis."""
        return self.buses.bus_id
