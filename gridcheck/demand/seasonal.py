r"""Seasonal COP: what a heater makes of its electricity over a heating season, and what it is in the model of homes.

The method of bins, with every step of the weather as its own bin. In each step the home wants :math:`Q`, the compressor
runs at the level :math:`\ell = E[\min(X, m)]` of its rated input (see `gridcheck.demand.devices`), the element makes up
what is missing in a frost, and

.. math:: SCOP = \frac{\sum \ell\,\eta\,COP\,P_r + B}
   {\sum \ell \left[e_0 + (1 - e_0)\,\ell / m\right] P_r + B + P_{sb}}

with :math:`\eta\,COP` the COP in use (field factor, defrost), :math:`e_0` the input without load, :math:`B` the
element, :math:`P_{sb}` the standby input, which is drawn all season. Homes hold their target; switching on and off and
the setback at night are the load model's, not the device's.

References
----------
.. [1] EN 14825, seasonal performance by bins; here with quarter hours and the field losses of when2heat and resdx.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.catalogue import Device, DeviceCatalogue, EfficiencyFlag, efficiency_flag
from gridcheck.demand.devices import field_cop, limited_mean
from gridcheck.demand.houses import daily_use, heat_need_w_per_m2, mean_target_c
from gridcheck.demand.models import device_parameters
from gridcheck.demand.parameters import DemandParameters, DeviceParameters, default_parameters
from gridcheck.demand.profiles import outdoor_course
from gridcheck.errors import InputError

if TYPE_CHECKING:
    from gridcheck.demand import Weather

COLD_C = -5.0
"""Hours below this outdoor temperature are looked at on their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalPerformance:
    """Heat and electricity of one mean home with a device over a season.

    Attributes
    ----------
    model : str
        Device.
    cop : float
        Heat delivered over electricity, standby and element included. [1]
    cold_cop : float or None
        The same of the hours below `COLD_C`; None if there are none, or no electricity is drawn in them. [1]
    heat_kwh, electricity_kwh : float
        Heat delivered and electricity drawn. [kWh]
    backup_kwh, standby_kwh : float
        Electricity of the backup element and of standby, both inside `electricity_kwh`. [kWh]
    unmet_kwh : float
        Heat that was wanted and not delivered. [kWh]
    stopped_h : float
        Hours below the outdoor temperature at which the device stops. [h]
    """

    model: str
    cop: float
    cold_cop: float | None
    heat_kwh: float
    electricity_kwh: float
    backup_kwh: float
    standby_kwh: float
    unmet_kwh: float
    stopped_h: float


def seasonal_cop(
    device: Device, weather: Weather, *, parameters: DemandParameters | None = None
) -> SeasonalPerformance:
    """Return what a device makes of its electricity in the study window of a weather.

    Parameters
    ----------
    device : Device
        A planner's own device, or a class of `class_devices`.
    weather : Weather
        A heating season: 121 days from 15 November without a cold wave.
    parameters : DemandParameters, optional
        Parameters of the model; the catalogue's by default.

    Returns
    -------
    SeasonalPerformance
        Of one mean home, whose heated area follows the size of the device.

    Raises
    ------
    InputError
        If no heat is delivered in the window, so that there is no COP.

    Notes
    -----
    Below ``device.min_outdoor_c`` the compressor stands still; the element, where there is one, goes on. Colder than
    the coldest COP, but not yet stopped, the values of the coldest hold.
    """
    chosen = default_parameters() if parameters is None else parameters
    seen, house = device_parameters(device, parameters=chosen), chosen.house
    outdoor = outdoor_course(weather, chosen).window(weather.study)
    air_c = outdoor.temperature_c
    target_c = mean_target_c(house, house["night_room_share"]) if seen.kind == "room" else house["target_living_c"]
    want_kw = heat_need_w_per_m2(outdoor, target_c, house) * seen.heated_area_m2 / 1000.0
    in_use = daily_use(outdoor.daily_mean_c, house, full_time=True)

    cop = field_cop(seen, air_c, outdoor.humidity_percent, house)
    full = np.minimum(np.interp(air_c, seen.temperature_c, seen.input_ratio), seen.max_input_ratio)
    is_stopped = air_c < device.min_outdoor_c
    need = want_kw / (cop * seen.rated_kw)
    level = np.where(is_stopped, 0.0, limited_mean(need, full, house["need_sigma_ln"]))
    drawn_kw = in_use * level * (seen.no_load_share + (1.0 - seen.no_load_share) * level / full) * seen.rated_kw
    backup_kw = in_use * _backup_kw(seen, air_c, need, np.where(is_stopped, 0.0, full), cop, chosen)

    step_h = weather.step_h
    heat_kw = in_use * level * cop * seen.rated_kw + backup_kw
    electricity_kw = drawn_kw + backup_kw + seen.standby_ratio * seen.rated_kw
    if not heat_kw.sum() > 0.0:
        raise InputError(f"{device.model}: no heat is delivered in {weather.label!r}. Choose a heating season.")
    cold = air_c < COLD_C
    has_cold = cold.any() and electricity_kw[cold].sum() > 0.0
    return SeasonalPerformance(
        model=device.model,
        cop=float(heat_kw.sum() / electricity_kw.sum()),
        cold_cop=float(heat_kw[cold].sum() / electricity_kw[cold].sum()) if has_cold else None,
        heat_kwh=float(heat_kw.sum()) * step_h,
        electricity_kwh=float(electricity_kw.sum()) * step_h,
        backup_kwh=float(backup_kw.sum()) * step_h,
        standby_kwh=seen.standby_ratio * seen.rated_kw * len(air_c) * step_h,
        unmet_kwh=float((in_use * want_kw - heat_kw).sum()) * step_h,
        stopped_h=float(is_stopped.sum()) * step_h,
    )


def device_flags(
    catalogue: DeviceCatalogue, weather: Weather, *, parameters: DemandParameters | None = None
) -> tuple[EfficiencyFlag, ...]:
    """Return for every device whether it is one of high power and low efficiency, and why.

    Parameters
    ----------
    catalogue : DeviceCatalogue
        From `read_devices`, or `class_devices`.
    weather : Weather
        A heating season.
    parameters : DemandParameters, optional
        Parameters of the model; the catalogue's by default.

    Returns
    -------
    tuple of EfficiencyFlag
        In the order of the catalogue.
    """
    return tuple(
        efficiency_flag(device, seasonal_cop(device, weather, parameters=parameters).cop) for device in catalogue
    )


def _backup_kw(
    seen: DeviceParameters,
    air_c: FloatArray,
    need: FloatArray,
    full: FloatArray,
    cop: FloatArray,
    parameters: DemandParameters,
) -> FloatArray:
    """Return the mean input of the element, which is its heat, per home in use, shape (n,). [kW]

    What homes want beyond the compressor, up to the size of the element; it comes in between two outdoor temperatures.
    """
    house = parameters.house
    start_c, full_c = house["backup_start_c"], house["backup_full_c"]
    running = np.clip((start_c - air_c) / max(start_c - full_c, 1e-6), 0.0, 1.0)
    # A ceiling of zero has no logarithm; a millionth of the rating is none in effect.
    least = np.maximum(full, 1e-6)
    beyond = limited_mean(need, least + seen.backup_ratio * running / cop, house["need_sigma_ln"])
    extra = beyond - limited_mean(need, least, house["need_sigma_ln"])
    return np.asarray(np.maximum(extra, 0.0) * cop * seen.rated_kw)
