r"""What the weather does to heaters: COP and output with defrost, and the mean need of many homes under a ceiling.

A running home needs :math:`X = Q / (\eta\, COP(T_o))` and draws at most its full-speed input :math:`m(T_o)`. Need over
rating differs from home to home as a lognormal variable, so the mean over the homes bends smoothly into saturation:

.. math:: E[\min(X, m)] = \bar X\, \Phi(d - \sigma) + m\, \Phi(-d), \qquad
   d = \frac{\ln (m / \bar X)}{\sigma} + \frac{\sigma}{2}

References
----------
.. [1] BIN method with a lognormal limited expected value: Klugman, Panjer, Willmot, *Loss Models*, 4th ed., A.2.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from gridcheck.arrays import FloatArray
from gridcheck.demand.parameters import DeviceParameters

# Defrost of air-source units as composed in resdx (RESNET form): share of time 0.134 - 0.003 T[degF], between 0 and
# 0.08, below 4.4 degC; converted to degC here.
_DEFROST_AT_0_C = 0.134 - 0.003 * 32.0
_DEFROST_PER_K = 0.003 * 1.8
_DEFROST_MAX = 0.08
_DEFROST_BELOW_C = 4.4
# Humidity at which the normal and the full defrost share hold. [%]
_DRY_PERCENT, _WET_PERCENT = 60.0, 85.0


def field_cop(
    device: DeviceParameters, temperature_c: FloatArray, humidity_percent: FloatArray, house: Mapping[str, float]
) -> FloatArray:
    """Return the COP in use at full speed, with defrost and field losses, shape (n,). [1]"""
    cop, _ = cop_and_heat(device, temperature_c, humidity_percent, house)
    return device.field_factor * cop


def cop_and_heat(
    device: DeviceParameters, temperature_c: FloatArray, humidity_percent: FloatArray, house: Mapping[str, float]
) -> tuple[FloatArray, FloatArray]:
    """Return COP and heat over rated heat at full speed, with defrost, before field losses, each of shape (n,). [1]"""
    cop = np.interp(temperature_c, device.temperature_c, device.cop)
    wetness = np.clip((humidity_percent - _DRY_PERCENT) / (_WET_PERCENT - _DRY_PERCENT), 0.0, 1.0)
    dry = house["defrost_humidity_factor"]
    time_share = np.clip(_DEFROST_AT_0_C - _DEFROST_PER_K * temperature_c, 0.0, _DEFROST_MAX)
    time_share = np.where(temperature_c < _DEFROST_BELOW_C, time_share, 0.0) * (dry + (1.0 - dry) * wetness)
    heat = 1.0 - device.defrost_heat_factor * time_share
    power = 1.0 - device.defrost_power_factor * time_share
    full = np.interp(temperature_c, device.temperature_c, device.heat_ratio)
    return np.asarray(cop * heat / power), np.asarray(full * heat)


def limited_mean(mean_need: FloatArray, ceiling: FloatArray, sigma_ln: float) -> FloatArray:
    """Return E[min(X, m)] of a lognormal X, shape (n,).

    Parameters
    ----------
    mean_need : ndarray, shape (n,)
        Mean of X, not negative.
    ceiling : ndarray, shape (n,)
        m, positive.
    sigma_ln : float
        Log spread of X, positive.

    Examples
    --------
    >>> limited_mean(np.array([0.0, 1e3]), np.array([1.0, 1.0]), 0.4).tolist()
    [0.0, 1.0]
    """
    safe = np.maximum(mean_need, 1e-12)
    distance = np.log(ceiling / safe) / sigma_ln + sigma_ln / 2.0
    return np.where(mean_need > 0.0, safe * ndtr(distance - sigma_ln) + ceiling * ndtr(-distance), 0.0)
