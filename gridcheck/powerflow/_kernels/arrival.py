"""When a case has arrived: shared by all sweeps. No gridcheck types."""

from __future__ import annotations

from typing import Any

from numba import njit

from gridcheck.powerflow._kernels.layout import DIVERGED_PU, ROUGH_PU, ROUGH_SWEEPS
from gridcheck.powerflow._kernels.options import KERNEL

# The estimate may use up so much of the tolerance: rho grows a little until the end.
_SHARE = 0.8


@njit(**KERNEL)
def judge(
    active: Any, change: Any, previous: Any, least_rho: Any, tolerance: float, iterations: Any, max_iterations: int
) -> int:
    """Freeze the lanes whose error, estimated by equation (4) of `balanced`, is small; return how many go on.

    Parameters
    ----------
    active : (width,) float, updated
        What goes on (1), has arrived (0) or is given up (-1).
    change : (width,) float
        The last change d, or a bound of the next one. [pu]
    previous : (width,) float64, updated
        The change before; 0 where there was none.
    least_rho : (width,) float64, updated
        What the change has been seen to shrink by before, 0 where unknown. It stands for the first ratio, and is the
        least the second may be: what is left of the rounding of single precision shrinks faster than an error of the
        solution.
    tolerance : float
        Largest error allowed. [pu]
    iterations : (width,) int64, updated
        Sweeps made.
    max_iterations : int
        Sweeps after which a lane is given up.
    """
    going = 0
    for t in range(active.shape[0]):
        if active[t] < 0.5:
            continue
        iterations[t] += 1
        d = change[t]
        before = previous[t]
        rho = least_rho[t] if least_rho[t] > 0.0 else 1.0
        if before > 0.0:
            rho = max(d / before, least_rho[t])
            least_rho[t] = 0.0
        previous[t] = d
        if d == 0.0 or (rho < 0.9 and d * rho / (1.0 - rho) < _SHARE * tolerance):
            active[t] = 0.0
        elif not d < DIVERGED_PU or iterations[t] >= max_iterations:
            active[t] = -1.0
        else:
            going += 1
    return going


@njit(**KERNEL)
def judge_roughly(active: Any, change: Any, previous: Any, least_rho: Any, iterations: Any, max_iterations: int) -> int:
    """Freeze the lanes for which single precision has done what it can; return how many go on.

    Arguments as in `judge`; `least_rho` is written, and is 0 where single precision did not come near a solution.
    """
    going = 0
    for t in range(active.shape[0]):
        if active[t] < 0.5:
            continue
        iterations[t] += 1
        d = change[t]
        least_rho[t] = d / previous[t] if previous[t] > 0.0 else 0.0
        previous[t] = d
        # The last sweep is left to double precision.
        is_last = iterations[t] >= min(ROUGH_SWEEPS, max_iterations - 1)
        if not d < DIVERGED_PU:
            active[t] = -1.0
        elif d < ROUGH_PU or is_last:
            active[t] = 0.0
        else:
            going += 1
        if not d < ROUGH_PU:
            least_rho[t] = 0.0
    return going
