r"""Leave out cases that cannot be the worst, because another case loads every bus at least as much.

In a radial network that only consumes, current and voltage drop grow with every load: if

.. math:: P_{t,b} \ge P_{s,b} \ge 0 \quad\text{and}\quad Q_{t,b} \ge Q_{s,b} \ge 0 \quad\text{for all buses } b,

no loading is higher and no voltage lower in case s than in case t, and s has a solution where t has one. The extremes
over the cases that are left are then the extremes over all cases. The charging of lines is neglected in this argument:
it must be small against the load of the element that is the worst one, as it is on every medium-voltage feeder.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError

_AT_A_TIME = 64


def undominated_cases(loads: LoadCases | FactoredLoads) -> IntArray:
    """Return the cases among which the worst must be, ascending.

    Parameters
    ----------
    loads : LoadCases or FactoredLoads
        All cases.

    Returns
    -------
    ndarray of int
        Of cases that are equal the first one is kept. All cases, where any load is negative (generation) or
        follows the voltage: such a load draws less where others draw more.
    """
    every = np.arange(loads.n_case)
    if loads.depends_on_voltage:
        return every
    loaded = _loaded_buses(loads)
    # A case that dominates another has the larger sum, so one pass downwards finds every dominated case.
    order = np.lexsort((every, -total_load(loads)))
    kept = np.zeros(loads.n_case, dtype=bool)
    so_far = np.empty((0, 2 * len(loaded)))
    # Cases are written out some at a time, so that cases times buses is never stored.
    for first in range(0, loads.n_case, _AT_A_TIME):
        some = order[first : first + _AT_A_TIME]
        power = _power(loads, some, loaded)
        if (power < 0).any():
            return every
        for i, case in enumerate(some):
            earlier = power[:i][kept[some[:i]]]
            kept[case] = not (so_far >= power[i]).all(axis=1).any() and not (earlier >= power[i]).all(axis=1).any()
        so_far = np.concatenate([so_far, power[kept[some]]])
    return np.flatnonzero(kept)


def only_consumes(loads: LoadCases | FactoredLoads) -> bool:
    """Return whether no load feeds in at any time, and none follows the voltage."""
    if loads.depends_on_voltage:
        return False
    if isinstance(loads, LoadCases):
        return bool((loads.p_mw >= 0).all() and (loads.q_mvar >= 0).all())
    if all(bool((part >= 0).all()) for part in (loads.p_weight_mw, loads.q_weight_mvar, loads.profile)):
        return True
    loaded = _loaded_buses(loads)
    some = range(0, loads.n_case, _AT_A_TIME)
    every = np.arange(loads.n_case)
    return all(bool((_power(loads, every[first : first + _AT_A_TIME], loaded) >= 0).all()) for first in some)


def beside(loads: LoadCases | FactoredLoads, others: LoadCases | FactoredLoads) -> LoadCases | FactoredLoads:
    """Return two sets of loads of the same cases as those of twice as many buses: first all of one, then of the other.

    What is undominated among these is undominated whichever of its two loads each bus draws.
    """
    if isinstance(loads, LoadCases) and isinstance(others, LoadCases):
        return LoadCases(
            p_mw=np.concatenate([loads.p_mw, others.p_mw], axis=1),
            q_mvar=np.concatenate([loads.q_mvar, others.q_mvar], axis=1),
            duration_h=loads.duration_h,
        )
    if isinstance(loads, FactoredLoads) and isinstance(others, FactoredLoads):
        return FactoredLoads(
            p_weight_mw=block_diag(loads.p_weight_mw, others.p_weight_mw),
            q_weight_mvar=block_diag(loads.q_weight_mvar, others.q_weight_mvar),
            profile=np.concatenate([loads.profile, others.profile], axis=1),
            duration_h=loads.duration_h,
        )
    raise InputError("Loads before and after an outage must be of one kind.")


def select_cases(loads: LoadCases | FactoredLoads, cases: IntArray) -> LoadCases | FactoredLoads:
    """Return some of the cases."""
    if isinstance(loads, LoadCases):
        return replace(loads, p_mw=loads.p_mw[cases], q_mvar=loads.q_mvar[cases], duration_h=loads.duration_h[cases])
    return replace(loads, profile=loads.profile[cases], duration_h=loads.duration_h[cases])


def total_load(loads: LoadCases | FactoredLoads) -> FloatArray:
    """Return the sum of P and Q over all buses, shape (n_case,). [MW and Mvar]"""
    if isinstance(loads, LoadCases):
        by_case: FloatArray = (loads.p_mw + loads.q_mvar).sum(axis=1)
        return by_case
    total: FloatArray = loads.profile @ (loads.p_weight_mw.sum(axis=0) + loads.q_weight_mvar.sum(axis=0))
    return total


def _loaded_buses(loads: LoadCases | FactoredLoads) -> IntArray:
    if isinstance(loads, LoadCases):
        return np.flatnonzero((loads.p_mw != 0).any(axis=0) | (loads.q_mvar != 0).any(axis=0))
    return np.flatnonzero((loads.p_weight_mw != 0).any(axis=1) | (loads.q_weight_mvar != 0).any(axis=1))


def _power(loads: LoadCases | FactoredLoads, cases: IntArray, buses: IntArray) -> FloatArray:
    """Return P and Q of some cases and buses side by side, shape (len(cases), 2 len(buses))."""
    if isinstance(loads, LoadCases):
        return np.concatenate([loads.p_mw[cases][:, buses], loads.q_mvar[cases][:, buses]], axis=1)
    profile = loads.profile[cases]
    return np.concatenate([profile @ loads.p_weight_mw[buses].T, profile @ loads.q_weight_mvar[buses].T], axis=1)
