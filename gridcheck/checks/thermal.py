r"""Hot-spot temperature and ageing of oil-filled distribution transformers with natural cooling (ONAN).

The differential equations of the standard, with the ambient temperature under the same lag as the oil:

.. math::
    \text{(1)}\quad & k_{11}\tau_o\,\dot\theta_o = \theta_a + \Delta\theta_{or}
        \left(\frac{1 + R K^2}{1 + R}\right)^x - \theta_o \\
    \text{(2)}\quad & k_{22}\tau_w\,\dot\Delta_1 = k_{21}\,\Delta\theta_{hr} K^y - \Delta_1 \\
    \text{(3)}\quad & (\tau_o / k_{22})\,\dot\Delta_2 = (k_{21} - 1)\,\Delta\theta_{hr} K^y - \Delta_2 \\
    \text{(4)}\quad & \theta_h = \theta_o + \Delta_1 - \Delta_2

K is the load current over the rated current, R the load loss over the no-load loss. Load and ambient are constant
inside a case, so each equation is solved exactly by

.. math:: \text{(5)}\quad y_{n} = u_n + (y_{n-1} - u_n)\, e^{-\Delta t / \tau}

where u is the value the quantity would settle at. No step is too long for it; the explicit difference form of the
standard asks for steps of at most half the winding's time constant.

Take the current of the heaviest phase, not the average of the three. Units in a closed kiosk run about 10 K hotter.
The age of paper and oil, cold oil's viscosity, joints and the low-voltage switch are not part of the model.

References
----------
.. [1] IEC 60076-7:2018, *Power transformers - Part 7: Loading guide for mineral-oil-immersed power transformers*,
   clause 8.2 (difference equations) and 6.3 (ageing); GB/T 1094.7-2024 is its Chinese edition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.errors import InputError
from gridcheck.limits import LimitSet

_DAY_H = 24.0
_MIN_PER_H = 60.0
_QUARTER_H = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """Constants of the equations by their symbols; temperatures in kelvin or degC, times in hours."""

    x: float
    y: float
    k11: float
    k21: float
    k22: float
    tau_oil_h: float
    tau_winding_h: float
    top_oil_rise_k: float
    gradient_k: float

    def oil_settled_c(
        self, loading_pu: FloatArray, ambient_c: FloatArray | float, loss_ratio: FloatArray
    ) -> FloatArray:
        """Equation (1) at rest."""
        share = (1.0 + loss_ratio * loading_pu**2) / (1.0 + loss_ratio)
        result: FloatArray = ambient_c + self.top_oil_rise_k * share**self.x
        return result

    def gradient_settled_k(self, loading_pu: FloatArray) -> FloatArray:
        """Hot spot over top oil at rest, before k21 shares it between (2) and (3)."""
        result: FloatArray = self.gradient_k * loading_pu**self.y
        return result


def _model(limits: LimitSet) -> _Model:
    return _Model(
        x=limits.thermal_oil_exponent.value,
        y=limits.thermal_winding_exponent.value,
        k11=limits.thermal_k11.value,
        k21=limits.thermal_k21.value,
        k22=limits.thermal_k22.value,
        tau_oil_h=limits.thermal_oil_time_constant_min.value / _MIN_PER_H,
        tau_winding_h=limits.thermal_winding_time_constant_min.value / _MIN_PER_H,
        top_oil_rise_k=limits.thermal_top_oil_rise_k.value,
        gradient_k=limits.thermal_gradient_k.value,
    )


def hot_spot_c(
    loading_pu: FloatArray,
    ambient_c: FloatArray,
    loss_ratio: FloatArray,
    limits: LimitSet,
    *,
    duration_h: float = _QUARTER_H,
) -> FloatArray:
    """Follow the hot-spot temperature of many transformers through all cases.

    Before the first case each transformer is at rest at the mean of the first day: at the oil temperature and
    the gradient that the loads and temperatures of that day would settle at on average, which is also the daily
    mean of a course that repeats itself.

    Parameters
    ----------
    loading_pu : ndarray, shape (n_case, n)
        Load current over rated current, cases in order of time. A NaN (a case without a solution) makes this and
        all later values of the transformer NaN. [pu]
    ambient_c : ndarray, shape (n_case,)
        Outdoor temperature. [degC]
    loss_ratio : ndarray, shape (n,)
        Load loss over no-load loss of the nameplate. [1]
    limits : LimitSet
        Constants of the model.
    duration_h : float
        Length of a case. [h]

    Returns
    -------
    ndarray, shape (n_case, n)
        Hot-spot temperature at the end of each case. [degC]

    Raises
    ------
    InputError
        If shapes do not fit, an ambient temperature is missing, or a loading is negative.
    """
    _check(loading_pu, ambient_c, loss_ratio, duration_h)
    model = _model(limits)
    oil_to = model.oil_settled_c(loading_pu, ambient_c[:, None], loss_ratio[None, :])
    gradient_to = model.gradient_settled_k(loading_pu)
    keep_oil = np.exp(-duration_h / (model.k11 * model.tau_oil_h))
    keep_winding = np.exp(-duration_h / (model.k22 * model.tau_winding_h))
    keep_flow = np.exp(-duration_h / (model.tau_oil_h / model.k22))
    first_day = slice(0, max(1, round(_DAY_H / duration_h)))
    oil = oil_to[first_day].mean(axis=0)
    gradient = gradient_to[first_day].mean(axis=0)
    winding, flow = model.k21 * gradient, (model.k21 - 1.0) * gradient
    result = np.empty_like(oil_to)
    for n in range(len(loading_pu)):
        oil = oil_to[n] + (oil - oil_to[n]) * keep_oil
        winding = model.k21 * gradient_to[n] + (winding - model.k21 * gradient_to[n]) * keep_winding
        flow = (model.k21 - 1.0) * gradient_to[n] + (flow - (model.k21 - 1.0) * gradient_to[n]) * keep_flow
        result[n] = oil + winding - flow
    return result


def steady_hot_spot_c(loading_pu: FloatArray, ambient_c: float, loss_ratio: FloatArray, limits: LimitSet) -> FloatArray:
    """Return the hot-spot temperature that constant loads settle at.

    With the highest load and the warmest hour this is an upper bound of `hot_spot_c` over any course (for
    k21 = 1, as in distribution transformers; beyond that the winding may overshoot for some minutes).

    Parameters
    ----------
    loading_pu : ndarray, shape (n,)
        Load current over rated current. [pu]
    ambient_c : float
        Outdoor temperature. [degC]
    loss_ratio : ndarray, shape (n,)
        Load loss over no-load loss. [1]
    limits : LimitSet
        Constants of the model.

    Returns
    -------
    ndarray, shape (n,)
        Hot-spot temperature at rest. [degC]

    Examples
    --------
    >>> from gridcheck.limits import DEFAULT_LIMITS
    >>> steady_hot_spot_c(np.array([1.0]), 20.0, np.array([10.0]), DEFAULT_LIMITS)
    array([98.])
    """
    model = _model(limits)
    return model.oil_settled_c(loading_pu, ambient_c, loss_ratio) + model.gradient_settled_k(loading_pu)


def ageing_factor(hot_spot: FloatArray, limits: LimitSet) -> FloatArray:
    r"""Return how much faster than normal the insulation ages: :math:`V = 2^{(\theta_h - 98)/6}`.

    Its mean over a day is that day's use of life in days.

    Parameters
    ----------
    hot_spot : ndarray
        Hot-spot temperature, any shape. [degC]
    limits : LimitSet
        Reference temperature and the step that doubles ageing (paper that is not thermally upgraded).

    Returns
    -------
    ndarray
        Ageing over normal ageing, same shape. [1]

    Examples
    --------
    >>> from gridcheck.limits import DEFAULT_LIMITS
    >>> ageing_factor(np.array([92.0, 98.0, 110.0]), DEFAULT_LIMITS)
    array([0.5, 1. , 4. ])
    """
    result: FloatArray = 2.0 ** ((hot_spot - limits.thermal_reference_c.value) / limits.thermal_ageing_doubling_k.value)
    return result


def _check(loading_pu: FloatArray, ambient_c: FloatArray, loss_ratio: FloatArray, duration_h: float) -> None:
    findings = []
    if loading_pu.ndim != 2 or ambient_c.shape != loading_pu.shape[:1] or loss_ratio.shape != loading_pu.shape[1:]:
        findings.append(
            "loading_pu, ambient_c and loss_ratio must have the shapes (n_case, n), (n_case,) and (n,). "
            f"Got {loading_pu.shape}, {ambient_c.shape} and {loss_ratio.shape}"
        )
    if not np.isfinite(ambient_c).all():
        findings.append(f"ambient_c must be finite. {np.count_nonzero(~np.isfinite(ambient_c))} values are not")
    if (loading_pu < 0).any():
        findings.append(
            f"loading_pu is a ratio of currents and must not be negative. Lowest value {np.nanmin(loading_pu)}"
        )
    if not (loss_ratio > 0).all():
        findings.append("loss_ratio must be greater than 0 everywhere")
    if not duration_h > 0:
        findings.append(f"duration_h must be greater than 0. Got {duration_h}")
    if findings:
        raise InputError("The hot spot cannot be followed with these inputs.", findings)
