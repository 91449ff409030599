r"""What lines and main transformers may carry after an outage: ampacity in the cold, hot spot over some hours.

.. math::
    \text{(1)}\quad & K = \sqrt{\frac{\theta_{max} - \theta_{air}}{\theta_{max} - \theta_{ref}}} \\
    \text{(2)}\quad & \theta_h(t; K) \le \theta_{emergency} \quad\text{for all } t \le t_{repair}

(1) turns the ampacity of a conductor at the reference temperature into that of another air temperature; the warmest
hour of the study counts, so that one value holds for all of it. (2) follows the hot spot of a main transformer that has
been at its planning load and then carries K for as long as a repair takes. A feeder's limit current below the ampacity
of its outlet is a setting of its protection or of an instrument transformer: cold does not raise it.

References
----------
.. [1] DL/T 601-1996, appendix (form of the correction for the air temperature).
.. [2] IEC 60076-7:2018, clause 8.2.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.checks.thermal import hot_spot_c
from gridcheck.limits import LimitSet, with_overrides
from gridcheck.network.records import BranchKind, Network

_STEP_H = 0.25
_MOST = 3.0
# Constants of transformers with fans, from published examples of the loading guide; those of the limits are of
# distribution transformers with natural cooling.
_WITH_FANS = {
    "thermal_winding_exponent": 1.3, "thermal_k11": 0.5, "thermal_k21": 2.0, "thermal_k22": 2.0,
    "thermal_oil_time_constant_min": 150.0, "thermal_winding_time_constant_min": 7.0, "thermal_top_oil_rise_k": 52.0,
    "thermal_gradient_k": 26.0, "thermal_loss_ratio": 6.0,
}  # fmt: skip


def winter_ampacity_ratio(air_c: float, limits: LimitSet) -> float:
    """Return the ampacity at an air temperature over that at the reference, equation (1), at least 1. [1]"""
    most_c = limits.conductor_max_c.value
    reference_c = limits.conductor_reference_c.value
    return max(float(np.sqrt((most_c - air_c) / (most_c - reference_c))), 1.0)


@functools.lru_cache(maxsize=64)
def short_time_ratio(air_c: float, limits: LimitSet) -> float:
    """Return what a main transformer may carry while something is repaired over its rating, equation (2). [1]

    Parameters
    ----------
    air_c : float
        Air temperature. [degC]
    limits : LimitSet
        ``emergency_hot_spot_c``, ``repair_h``, the planning load and the cap of main transformers are used.

    Returns
    -------
    float
        At most ``n_minus_1_main_transformer_percent``.
    """
    model = with_overrides(limits, {name: (value, "IEC 60076-7") for name, value in _WITH_FANS.items()})
    before = limits.main_transformer_loading_design_percent.value / 100.0
    n_before, n_after = round(24.0 / _STEP_H), round(limits.repair_h.value / _STEP_H)
    ratio = np.array([_WITH_FANS["thermal_loss_ratio"]])

    def beyond_c(load: float) -> float:
        course = np.concatenate([np.full(n_before, before), np.full(n_after, load)])[:, None]
        hot = hot_spot_c(course, np.full(len(course), air_c), ratio, model, duration_h=_STEP_H)
        return float(hot[n_before:].max()) - limits.emergency_hot_spot_c.value

    most = _MOST if beyond_c(_MOST) <= 0.0 else float(brentq(beyond_c, 0.0, _MOST, xtol=1e-6))
    return min(most, limits.n_minus_1_main_transformer_percent.value / 100.0)


def allowed_ratios(network: Network, limits: LimitSet, *, warmest_c: float, is_set: BoolArray) -> FloatArray:
    """Return what each branch may carry after an outage over its rating, shape (n_branch,). [1]

    Parameters
    ----------
    network : Network
        Lines and transformers.
    limits : LimitSet
        Limits.
    warmest_c : float
        Warmest air of the study. [degC]
    is_set : ndarray of bool, shape (n_branch,)
        Lines whose rating is a setting.
    """
    branches = network.branches
    result = np.ones(network.n_branch)
    result[(branches.kind == BranchKind.LINE) & ~is_set] = winter_ampacity_ratio(warmest_c, limits)
    result[branches.kind == BranchKind.TRAFO] = short_time_ratio(warmest_c, limits)
    return result


def with_raised_ratings(network: Network, ratio: FloatArray) -> Network:
    """Return the network with the ratings of its branches times `ratio`, shape (n_branch,)."""
    if (ratio == 1.0).all():
        return network
    b = network.branches
    raised = replace(b, rating_from_ka=b.rating_from_ka * ratio, rating_to_ka=b.rating_to_ka * ratio)
    return replace(network, branches=raised)
