"""What is asked of many switch states of a network, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow.switchable import THROUGH, EndArray


class TopologyStatus(IntEnum):
    """Outcome of one switch state."""

    CONVERGED = 0
    NOT_CONVERGED = 1
    LOOP = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SwitchStates:
    """Switch states of a network.

    Attributes
    ----------
    ends : ndarray of uint8, shape (n_topology, n_branch)
        Which ends of each branch are connected: bit 0 the `from` end, bit 1 the `to` end. With both it carries
        power, with one it hangs open at the other, with none it is off.
    root : ndarray of int, shape (n_topology,)
        Branch by which the tree leaves a source: only what is supplied through it is solved. -1, also where not
        given: all that the sources reach.
    loads_after : LoadCases or FactoredLoads, optional
        Loads in the same cases of buses that had no supply for a while ...
    is_after : ndarray of bool, shape (n_topology, n_bus), optional
        ... and which buses draw them.
    """

    ends: EndArray
    root: IntArray = None  # type: ignore[assignment]
    loads_after: LoadCases | FactoredLoads | None = None
    is_after: BoolArray | None = None

    def __post_init__(self) -> None:
        ends = frozen(self.ends, np.uint8, (None, None), name="ends")
        n_topology = len(ends)
        root = np.full(n_topology, -1) if self.root is None else self.root
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "root", frozen(root, np.int64, (n_topology,), name="root"))
        if self.loads_after is not None and self.is_after is None:
            raise InputError("loads_after needs is_after: which buses draw them.")
        if self.is_after is not None:
            object.__setattr__(self, "is_after", frozen(self.is_after, np.bool_, (n_topology, None), name="is_after"))
        if (ends > THROUGH).any():
            raise InputError("ends must be 0, 1, 2 or 3 at every branch.")

    @property
    def n_topology(self) -> int:
        """Number of switch states."""
        return len(self.ends)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Own:
    """Whose elements count in a switch state whatever their values, and when others do.

    Attributes
    ----------
    group_bus, group_branch : ndarray of int, shape (n_bus,) and (n_branch,)
        Group of each element, such as its feeder; those of -1 (busbars, main transformers) always count.
    mine : ndarray of bool, shape (n_topology, n_group)
        Groups that take part.
    bus_kept, branch_kept : ndarray of bool, shape (n_bus,) and (n_branch,)
        True where the limit was kept before: elements of other groups count where these break it now.
    vm_min_pu, loading_max_percent : float
        The limits. [pu], [%]
    """

    group_bus: IntArray
    group_branch: IntArray
    mine: BoolArray
    bus_kept: BoolArray
    branch_kept: BoolArray
    vm_min_pu: float
    loading_max_percent: float

    def __post_init__(self) -> None:
        mine = frozen(self.mine, np.bool_, (None, None), name="mine")
        object.__setattr__(self, "mine", mine)
        for part in ("bus", "branch"):
            group = frozen(getattr(self, f"group_{part}"), np.int64, (None,), name=f"group_{part}")
            if (group < -1).any() or (group >= mine.shape[1]).any():
                raise InputError(f"group_{part} must be -1 or a column of mine, which has {mine.shape[1]}.")
            kept = frozen(getattr(self, f"{part}_kept"), np.bool_, group.shape, name=f"{part}_kept")
            object.__setattr__(self, f"group_{part}", group)
            object.__setattr__(self, f"{part}_kept", kept)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What of a switch state is kept.

    Attributes
    ----------
    bus, branch : ndarray of bool, shape (n_bus,) and (n_branch,)
        Elements that are looked at.
    own : Own, optional
        Which of them count in which state; all where not given.
    case_scale : ndarray, shape (n_case,), optional
        Factor of all loadings in each case, for example by the ampacity of its season; 1 where not given. [1]
    by_case : bool
        Keep the worst voltage and loading of every case as well.
    """

    bus: BoolArray
    branch: BoolArray
    own: Own | None = None
    case_scale: FloatArray | None = None
    by_case: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TopologyExtremes:
    """Worst values of every switch state over all cases; positions and cases are -1 and values NaN where none counts.

    Attributes
    ----------
    status : ndarray of int, shape (n_topology,)
        A `TopologyStatus`: NOT_CONVERGED where any case has no solution, LOOP where what is solved is no tree. Only
        CONVERGED states have values.
    vm_pu, vm_bus, vm_case : ndarray, shape (n_topology,)
        Lowest voltage, its bus and its case; of equal ones the lowest bus, then the first case. [pu]
    loading_percent, loading_branch, loading_case : ndarray, shape (n_topology,)
        Highest loading, its branch and its case likewise. [%]
    n_supplied : ndarray of int, shape (n_topology,)
        Buses in the tree, with its source.
    vm_by_case, loading_by_case : ndarray, shape (n_topology, n_case)
        Lowest voltage and highest loading of each case, NaN in cases without a solution; without columns where not
        wanted. [pu], [%]
    """

    status: IntArray
    vm_pu: FloatArray
    vm_bus: IntArray
    vm_case: IntArray
    loading_percent: FloatArray
    loading_branch: IntArray
    loading_case: IntArray
    n_supplied: IntArray
    vm_by_case: FloatArray
    loading_by_case: FloatArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            getattr(self, field).flags.writeable = False
