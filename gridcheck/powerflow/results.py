"""What a load flow returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.errors import NotConvergedError


class CaseStatus(IntEnum):
    """State of one case."""

    CONVERGED = 0
    NOT_CONVERGED = 1


CONVERGED = CaseStatus.CONVERGED
NOT_CONVERGED = CaseStatus.NOT_CONVERGED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerFlowResult:
    """Voltages and currents of every case; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`. Where it is NOT_CONVERGED all values of the case are NaN.
    supplied : ndarray of bool, shape (n_bus,)
        False for buses that no source reaches; their values are NaN.
    iterations : ndarray of int, shape (n_case,)
        Sweeps made.
    vm_pu, va_degree : ndarray, shape (n_case, n_bus)
        Voltage magnitude and angle. [pu], [degree]
    i_ka : ndarray, shape (n_case, n_branch)
        Larger of the currents at both ends; at transformers the current at the high-voltage side. NaN where nothing
        flows through, and at a closed switch without impedance beside another one, as nothing tells how they share it.
        [kA]
    loading_percent : ndarray, shape (n_case, n_branch)
        Current over rating, the larger of both ends; NaN without a rating. [%]
    loss_mw : ndarray, shape (n_case,)
        Active power lost in all branches and shunts. [MW]
    tap_position : ndarray of int, shape (n_case, n_changer)
        Where the tap changers stand; in unsolved cases where they were left.
    """

    status: IntArray
    supplied: BoolArray
    iterations: IntArray
    vm_pu: FloatArray
    va_degree: FloatArray
    i_ka: FloatArray
    loading_percent: FloatArray
    loss_mw: FloatArray
    tap_position: IntArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            getattr(self, field).flags.writeable = False

    def raise_for_status(self) -> None:
        """Raise `NotConvergedError` if any case was not solved."""
        bad = [int(i) for i in (self.status != CONVERGED).nonzero()[0]]
        if bad:
            raise NotConvergedError(f"{len(bad)} of {len(self.status)} cases did not converge: {bad[:20]}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extremes:
    """What is kept of all solved cases, per element; NaN and case -1 where there is none; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus` per case.
    vm_min_pu, vm_max_pu : ndarray, shape (n_bus,)
        Lowest and highest voltage. [pu]
    vm_min_case, vm_max_case : ndarray of int, shape (n_bus,)
        The case in which it occurs.
    loading_max_percent : ndarray, shape (n_branch,)
        Highest loading. [%]
    loading_max_case : ndarray of int, shape (n_branch,)
        The case in which it occurs.
    loss_mwh : float
        Energy lost in all branches and shunts over all solved cases. [MWh]
    hours_below, hours_above : ndarray, shape (n_bus,)
        Hours below and above the limits of voltage that were wanted; NaN where none was. [h]
    hours_overloaded : ndarray, shape (n_branch,)
        Hours above the limit of loading that was wanted; NaN where none was. [h]
    energy_mwh : ndarray, shape (n_branch,)
        Energy that leaves each branch at its end away from the source; NaN where not wanted, and for branches that
        were cut to open a loop. [MWh]
    vm_quantile_pu, loading_quantile_percent : ndarray, shape (n_quantile, n_bus) and (n_quantile, n_branch)
        The wanted quantiles over time, to half the width of a bin (`tallies.VM_BIN_PU`, `tallies.LOADING_BIN_PERCENT`).
    kept_vm_pu, kept_loading_percent : ndarray, shape (n_case, n_kept)
        The elements that were wanted in full, in the order asked for.
    """

    status: IntArray
    vm_min_pu: FloatArray
    vm_min_case: IntArray
    vm_max_pu: FloatArray
    vm_max_case: IntArray
    loading_max_percent: FloatArray
    loading_max_case: IntArray
    loss_mwh: float
    hours_below: FloatArray
    hours_above: FloatArray
    hours_overloaded: FloatArray
    energy_mwh: FloatArray
    vm_quantile_pu: FloatArray
    loading_quantile_percent: FloatArray
    kept_vm_pu: FloatArray
    kept_loading_percent: FloatArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            value = getattr(self, field)
            if not isinstance(value, float):
                value.flags.writeable = False
