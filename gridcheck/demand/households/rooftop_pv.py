r"""Rooftop solar power from the irradiance of the weather.

.. math:: P = P_p\, PR\, \frac{I_\beta}{1000}\, \bigl(1 - \gamma\,(T_o + r I_\beta - 25)\bigr), \qquad
   I_\beta = I_b R_b + I_d \tfrac{1 + \cos\beta}{2}

A roof faces south at the slope :math:`\beta`. The beam :math:`I_b` reaches it more steeply than the ground, :math:`R_b`
times as strong; the diffuse part :math:`I_d` follows from how clear the sky is.

References
----------
.. [1] J. A. Duffie, W. A. Beckman, *Solar Engineering of Thermal Processes*, 4th ed., chapters 1.6 (declination),
   1.8 (slope), 2.10 (diffuse part after Erbs et al. 1982) and 2.15 (isotropic sky).
"""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather

# Yuncheng; local clocks follow the meridian of 120 degrees.
_LATITUDE = np.deg2rad(35.05)
_NOON_H = 12.0 + (120.0 - 111.05) / 15.0
_SOLAR_CONSTANT_W_PER_M2 = 1361.0
_RATED_C = 25.0
# A sun lower than this would make much of little: what the weather gives then counts as diffuse.
_LEAST_SINE = 0.1


def pv_power_kw(weather: Weather, kwp: FloatArray | float, parameters: DemandParameters) -> FloatArray:
    """Return what roofs feed in during the study window, shape of `kwp` and (n_step,). [kW]

    Parameters
    ----------
    weather : Weather
        Irradiance on the ground, and temperature.
    kwp : ndarray or float
        Rated power of the modules. [kW]
    parameters : DemandParameters
        The ``pv_...`` rows of ``model.csv``.
    """
    house, outdoor_c = parameters.house, weather.temperature_c[weather.study]
    on_roof = _irradiance_on_roof(weather, slope=np.deg2rad(house["pv_slope_deg"]))
    module_c = outdoor_c + house["pv_module_rise_k_m2_per_w"] * on_roof
    warmth = 1.0 - house["pv_temperature_loss_per_k"] * (module_c - _RATED_C)
    return np.multiply.outer(kwp, house["pv_performance_ratio"] * on_roof / 1000.0 * warmth)


def _irradiance_on_roof(weather: Weather, *, slope: float) -> FloatArray:
    """Return the irradiance on a south roof, shape (n_step,). [W/m2]"""
    time, ground = weather.time_utc[weather.study], weather.solar_w_per_m2[weather.study]
    day = local_day(time)
    year_day = (day - day.astype("datetime64[Y]")).astype(np.float64) + 1.0
    declination = np.deg2rad(23.45) * np.sin(2.0 * np.pi * (284.0 + year_day) / 365.0)
    hour_angle = np.deg2rad(15.0) * (local_hour(time) + 0.5 * weather.step_h - _NOON_H)

    def sine(latitude: float) -> FloatArray:
        """Sine of the sun's height above a plane that is level at a latitude."""
        return np.asarray(
            np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
        )

    height = np.maximum(sine(_LATITUDE), _LEAST_SINE)
    clearness = np.clip(ground / (_SOLAR_CONSTANT_W_PER_M2 * height), 0.0, 1.0)
    middle = np.polyval([12.336, -16.638, 4.388, -0.1604, 0.9511], clearness)
    share = np.where(clearness <= 0.22, 1.0 - 0.09 * clearness, np.where(clearness <= 0.8, middle, 0.165))
    diffuse = ground * np.where(sine(_LATITUDE) > _LEAST_SINE, share, 1.0)
    # A roof that slopes south by an angle is level further south by that angle.
    beam = (ground - diffuse) * np.maximum(sine(_LATITUDE - slope), 0.0) / height
    return np.asarray(beam + diffuse * (1.0 + np.cos(slope)) / 2.0)
