"""What a load flow by phase returns."""

from __future__ import annotations

from dataclasses import dataclass

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.errors import NotConvergedError
from gridcheck.powerflow.results import CONVERGED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhasePowerFlowResult:
    """Voltages and currents of every case by phase; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`. Where it is NOT_CONVERGED all values of the case are NaN.
    supplied : ndarray of bool, shape (n_bus,)
        False for buses that no source reaches; their values are NaN.
    has_neutral : ndarray of bool, shape (n_bus,)
        False for three-wire buses: their voltages are phase to earth, and their neutral shift is NaN.
    iterations : ndarray of int, shape (n_case,)
        Sweeps made.
    vm_pu, va_degree : ndarray, shape (n_case, n_bus, 3)
        Voltage phase to neutral, on the base of the bus over sqrt(3). [pu], [degree]
    i_ka : ndarray, shape (n_case, n_branch, 3)
        Larger of the currents at both ends; at transformers the current at the high-voltage side. [kA]
    loading_percent : ndarray, shape (n_case, n_branch, 3)
        Current over rating, the larger of both ends; NaN without a rating. [%]
    neutral_i_ka : ndarray, shape (n_case, n_branch)
        Current in the neutral, the larger of both ends; at transformers that of the star point at the low-voltage
        side; NaN where there is no neutral. [kA]
    neutral_shift_v : ndarray, shape (n_case, n_bus)
        Voltage between neutral and remote earth. [V]
    unbalance_percent : ndarray, shape (n_case, n_bus)
        Negative over positive sequence of the voltage. [%]
    loss_mw : ndarray, shape (n_case,)
        Active power lost in all branches, neutrals, earth resistances and shunts. [MW]
    """

    status: IntArray
    supplied: BoolArray
    has_neutral: BoolArray
    iterations: IntArray
    vm_pu: FloatArray
    va_degree: FloatArray
    i_ka: FloatArray
    loading_percent: FloatArray
    neutral_i_ka: FloatArray
    neutral_shift_v: FloatArray
    unbalance_percent: FloatArray
    loss_mw: FloatArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            getattr(self, field).flags.writeable = False

    def raise_for_status(self) -> None:
        """Raise `NotConvergedError` if any case was not solved."""
        bad = [int(i) for i in (self.status != CONVERGED).nonzero()[0]]
        if bad:
            raise NotConvergedError(f"{len(bad)} of {len(self.status)} cases did not converge: {bad[:20]}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseVoltages:
    """Voltage magnitudes of every case by phase; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus`. Where it is NOT_CONVERGED all values of the case are NaN.
    vm_pu : ndarray, shape (n_case, n_bus, 3)
        Voltage phase to neutral, on the base of the bus over sqrt(3); NaN at buses that no source reaches. [pu]
    """

    status: IntArray
    vm_pu: FloatArray

    def __post_init__(self) -> None:
        self.status.flags.writeable = self.vm_pu.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseExtremes:
    """Extreme values over all solved cases, per element and phase; NaN and case -1 where there is none; read-only.

    Attributes
    ----------
    status : ndarray of int, shape (n_case,)
        A `CaseStatus` per case.
    vm_min_pu, vm_max_pu : ndarray, shape (n_bus, 3)
        Lowest and highest voltage phase to neutral. [pu]
    vm_min_case, vm_max_case : ndarray of int, shape (n_bus, 3)
        The case in which it occurs.
    loading_max_percent, loading_max_case : ndarray, shape (n_branch, 3)
        Highest loading, and its case. [%]
    neutral_i_max_ka, neutral_i_max_case : ndarray, shape (n_branch,)
        Highest current in the neutral, and its case. [kA]
    neutral_shift_max_v, neutral_shift_max_case : ndarray, shape (n_bus,)
        Highest voltage between neutral and remote earth, and its case. [V]
    unbalance_max_percent, unbalance_max_case : ndarray, shape (n_bus,)
        Highest unbalance, and its case. [%]
    """

    status: IntArray
    vm_min_pu: FloatArray
    vm_min_case: IntArray
    vm_max_pu: FloatArray
    vm_max_case: IntArray
    loading_max_percent: FloatArray
    loading_max_case: IntArray
    neutral_i_max_ka: FloatArray
    neutral_i_max_case: IntArray
    neutral_shift_max_v: FloatArray
    neutral_shift_max_case: IntArray
    unbalance_max_percent: FloatArray
    unbalance_max_case: IntArray

    def __post_init__(self) -> None:
        for field in self.__slots__:
            getattr(self, field).flags.writeable = False
