"""Worst values of a switch state, and of several trees that do not influence each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.network.sections import NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Worst values of a switch state over all cases; positions and cases -1 and values NaN where there are none.

    Attributes
    ----------
    is_solved : bool
        False where some case has no solution.
    loading_percent, loading_branch, loading_case
        Highest loading, where and when.
    vm_pu, vm_bus, vm_case
        Lowest voltage, where and when.
    margin : float
        Distance to the nearer limit over its own range, negative where it is broken: for the loading
        ``1 - loading / limit``, for the voltage ``(vm - limit) / (1 - limit)``. [1]
    """

    is_solved: bool
    loading_percent: float = np.nan
    loading_branch: int = NONE
    loading_case: int = NONE
    vm_pu: float = np.nan
    vm_bus: int = NONE
    vm_case: int = NONE
    margin: float = -np.inf

    @property
    def is_within_limits(self) -> bool:
        """True where every case is solved and no limit is broken."""
        return self.is_solved and self.margin >= 0.0


def worst_of(outcomes: list[Outcome]) -> Outcome:
    """Join the outcomes of trees that do not influence each other."""
    if not all(outcome.is_solved for outcome in outcomes):
        return Outcome(is_solved=False)
    nothing = Outcome(is_solved=True)
    hottest = max((o for o in outcomes if o.loading_branch != NONE), key=lambda o: o.loading_percent, default=nothing)
    lowest_vm = min((o for o in outcomes if o.vm_bus != NONE), key=lambda o: o.vm_pu, default=nothing)
    return Outcome(
        is_solved=True,
        loading_percent=hottest.loading_percent,
        loading_branch=hottest.loading_branch,
        loading_case=hottest.loading_case,
        vm_pu=lowest_vm.vm_pu,
        vm_bus=lowest_vm.vm_bus,
        vm_case=lowest_vm.vm_case,
        margin=min((o.margin for o in outcomes), default=np.inf),
    )
