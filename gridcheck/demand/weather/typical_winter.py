"""The typical winter of a station: monthly course, diurnal swing and day-to-day noise.

The temperature is the sum of three parts: a course through the monthly means; a daily swing with its lowest
value at 08:00 and its highest at 16:00; and a deviation of the daily mean that has a memory of some days and falls
faster than it rises, as fronts make it. The statistics of the basin station stand in ``weather_statistics.csv``, those
of other stations beside it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.linalg import solveh_banded

from gridcheck import geography
from gridcheck.arrays import FloatArray, IntArray, TimeArray, frozen
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.tables import named_values
from gridcheck.errors import ConfigError, InputError

# County in which the basin station stands; its climate cell ties the counties to the station.
_STATION_COUNTY = "140802"

PLACE_OF_STATION: Mapping[str, str] = MappingProxyType({"yuncheng": _STATION_COUNTY, "beijing": "110000"})
"""Stations with statistics of their own, and the administrative code of the place where each stands."""

_TABLE_OF_STATION = {
    "yuncheng": "weather/weather_statistics.csv",
    "beijing": "weather/weather_statistics_beijing.csv",
}
# Keeps this stream of random numbers apart from others with the same seed.
_PURPOSE = 0x57454154
_MID_MONTH_DAY = 15
_WINTER_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WinterStatistics:
    """Statistics of a station.

    Attributes
    ----------
    monthly_mean_c : ndarray, shape (12,)
        Mean temperature, January first. [degC]
    monthly_solar_kwh_per_m2 : ndarray, shape (12,)
        Global horizontal irradiation of the month. [kWh/m2]
    sunrise_hour, sunset_hour, coldest_hour, warmest_hour : float
        Local hours of the day. [h]
    humidity_percent : float
        Mean relative humidity. [%]
    diurnal_range_k, diurnal_range_sigma_k, diurnal_range_min_k, diurnal_range_max_k : float
        Mean, spread and bounds of the daily range. [K]
    day_to_day_lag_1 : float
        Autocorrelation of daily deviations. [1]
    day_to_day_skewness : float
        Skewness of what is new in the deviation of a day: the larger, the faster falls are beside rises. [1]
    day_to_day_sigma_k, day_to_day_max_sigma : float
        Spread of daily deviations and where they are cut off. [K], [1]
    station_elevation_m : float
        Height of the station. [m]
    lapse_rate_k_per_km : float
        Fall of temperature with height. [K/km]
    """

    monthly_mean_c: FloatArray
    monthly_solar_kwh_per_m2: FloatArray
    sunrise_hour: float
    sunset_hour: float
    coldest_hour: float
    warmest_hour: float
    humidity_percent: float
    diurnal_range_k: float
    diurnal_range_sigma_k: float
    diurnal_range_min_k: float
    diurnal_range_max_k: float
    day_to_day_lag_1: float
    day_to_day_skewness: float
    day_to_day_sigma_k: float
    day_to_day_max_sigma: float
    station_elevation_m: float
    lapse_rate_k_per_km: float

    def __post_init__(self) -> None:
        for name in ("monthly_mean_c", "monthly_solar_kwh_per_m2"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (12,), name=name))


@functools.cache
def winter_statistics(station: str = "yuncheng") -> WinterStatistics:
    """Return the statistics of a station, by default of the basin station in Yuncheng.

    Raises
    ------
    ConfigError
        If there are no statistics of the station.
    CatalogueError
        If a value lies outside its own bounds.
    """
    if station not in _TABLE_OF_STATION:
        raise ConfigError(f"station {station!r} is not known. Allowed are {', '.join(_TABLE_OF_STATION)}.")
    value = named_values(_TABLE_OF_STATION[station])
    months = range(1, 13)
    return WinterStatistics(
        monthly_mean_c=np.array([value.pop(f"mean_month_{month:02d}") for month in months]),
        monthly_solar_kwh_per_m2=np.array([value.pop(f"solar_month_{month:02d}") for month in months]),
        **value,
    )


def county_offset_k(county_code: str) -> FloatArray:
    r"""Return by how much a county's seat is warmer than the basin station, month by month.

    Parameters
    ----------
    county_code : str
        Six-digit code.

    Returns
    -------
    ndarray, shape (12,)
        January first. [K]

    Raises
    ------
    InputError
        If there is no such county.

    Notes
    -----
    .. math:: \Delta_m = \left[T_m + \gamma (z_{cell} - z_{seat})\right]
       - \left[T_{m,0} + \gamma (z_{cell,0} - z_{station})\right]

    with T the climate cells of ITU-R P.1510 and index 0 the county of the station.
    """
    climate = geography.climate_monthly().set_index("county_code")
    if county_code not in climate.index:
        raise InputError(f"county_code {county_code!r} is not known. Allowed are {', '.join(climate.index)}.")
    statistics = winter_statistics()
    heights = geography.county_elevation().set_index("county_code")["seat_elev_dem"].to_dict()
    cells = dict(zip(climate.index, climate["cell_mean_elev_m"].to_numpy(np.float64), strict=True))
    monthly = climate[[f"t{month:02d}_degC" for month in range(1, 13)]].to_numpy(np.float64)
    courses = dict(zip(climate.index, monthly, strict=True))

    def at_height(code: str, height_m: float) -> FloatArray:
        return np.asarray(courses[code] + statistics.lapse_rate_k_per_km * (cells[code] - height_m) / 1000.0)

    seat_m = float(heights[county_code])
    return at_height(county_code, seat_m) - at_height(_STATION_COUNTY, statistics.station_elevation_m)


def monthly_course(time_utc: TimeArray, monthly: FloatArray) -> FloatArray:
    r"""Join months by straight lines from middle to middle, so that the mean of every month is kept.

    Parameters
    ----------
    time_utc : ndarray of datetime64[ns], shape (n,)
        Times.
    monthly : ndarray, shape (12,)
        Value of each month, January first.

    Returns
    -------
    ndarray, shape (n,)
        In the unit of `monthly`.

    Notes
    -----
    The values :math:`y_m` at mid-month follow from the monthly means :math:`\bar y_m` (months of equal length):

    .. math:: \tfrac{1}{8}\, y_{m-1} + \tfrac{6}{8}\, y_m + \tfrac{1}{8}\, y_{m+1} = \bar y_m
    """
    weights = 0.75 * np.eye(12) + 0.125 * (np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1))
    middle = np.linalg.solve(weights, monthly)
    day = local_day(time_utc)
    first, last = day.min().astype("datetime64[M]") - 1, day.max().astype("datetime64[M]") + 1
    months = np.arange(first, last + 1)
    # Half of a month of 30 days has passed when its day 16 begins.
    nodes = months.astype("datetime64[D]").astype(np.float64) + _MID_MONTH_DAY
    values = middle[months.astype(np.int64) % 12]
    return np.asarray(np.interp(day.astype(np.float64) + local_hour(time_utc) / 24.0, nodes, values), dtype=np.float64)


def diurnal_shape(hour: FloatArray, statistics: WinterStatistics) -> FloatArray:
    """Return the course of a day from -0.5 at the coldest hour to +0.5 at the warmest, with mean 0, shape (n,).

    Two half cosines: the morning rise is shorter than the fall through the night.
    """
    rise_h = statistics.warmest_hour - statistics.coldest_hour
    fall_h = 24.0 - rise_h
    since_coldest = np.mod(hour - statistics.coldest_hour, 24.0)
    rising = -0.5 * np.cos(np.pi * since_coldest / rise_h)
    falling = 0.5 * np.cos(np.pi * (since_coldest - rise_h) / fall_h)
    return np.where(since_coldest <= rise_h, rising, falling)


def solar_course(time_utc: TimeArray, statistics: WinterStatistics) -> FloatArray:
    """Return the irradiance of mean days as half sines with the month's irradiation, shape (n,). [W/m2]"""
    month_days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    daily = monthly_course(time_utc, statistics.monthly_solar_kwh_per_m2 / month_days)
    day_h = statistics.sunset_hour - statistics.sunrise_hour
    angle = np.pi * (local_hour(time_utc) - statistics.sunrise_hour) / day_h
    height = np.where((angle > 0) & (angle < np.pi), np.sin(angle), 0.0)
    return daily * 1000.0 * np.pi / (2.0 * day_h) * height


def typical_days(time_utc: TimeArray, statistics: WinterStatistics, *, seed: int) -> tuple[FloatArray, FloatArray]:
    r"""Return the deviation of the daily mean and the daily range, joined from noon to noon.

    Parameters
    ----------
    time_utc : ndarray of datetime64[ns], shape (n,)
        Times.
    statistics : WinterStatistics
        Spread, autocorrelation, skewness and bounds.
    seed : int
        Seed. A day has the same values in every window and county of one seed.

    Returns
    -------
    anomaly_k, range_k : ndarray, shape (n,)
        Deviation from the monthly course and daily range. [K]

    Notes
    -----
    The deviation of a day depends on the day after it, and what is new is skewed towards warmth (gamma):

    .. math:: a_d = \rho\, a_{d+1} + \sigma \sqrt{1 - \rho^2}\, z_d

    Read forwards in time, warmth builds up over days and breaks down within one: the same spread and the same
    autocorrelation as with any :math:`z_d`, but a front falls faster than the air warms up again, and the cold side
    has no long tail. Days are joined through values at noon such that the mean of every day is kept; lines through
    the means themselves would take a third off every fall.
    """
    local = local_day(time_utc).astype(np.float64) + local_hour(time_utc) / 24.0
    days = np.arange(int(np.floor(local.min())) - 1, int(np.floor(local.max())) + 2)
    anomaly, day_range = _daily_values(days, statistics, seed=seed)
    return np.interp(local, days + 0.5, anomaly), np.interp(local, days + 0.5, day_range)


def _daily_values(days: IntArray, statistics: WinterStatistics, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return deviation and range of each day (days since 1970); every winter from September has its own stream."""
    day = days.astype("datetime64[D]")
    winter = (day.astype("datetime64[M]") - 8).astype("datetime64[Y]")
    anomaly, day_range = np.empty(len(days)), np.empty(len(days))
    for year in np.unique(winter):
        first = (year.astype("datetime64[M]") + 8).astype("datetime64[D]")
        rows = winter == year
        index = (day[rows] - first).astype(np.int64)
        stream = np.random.default_rng(np.random.SeedSequence([seed, int(year.astype(np.int64)) + 1970, _PURPOSE]))
        anomaly[rows] = _through_means(_deviation(stream, statistics))[index]
        drawn = statistics.diurnal_range_k + statistics.diurnal_range_sigma_k * stream.standard_normal(_WINTER_DAYS)
        day_range[rows] = np.clip(drawn[index], statistics.diurnal_range_min_k, statistics.diurnal_range_max_k)
    return anomaly, day_range


def _deviation(stream: np.random.Generator, statistics: WinterStatistics) -> FloatArray:
    """Draw the deviation of the daily means of one winter, last day first, shape (n,). [K]"""
    shape = 4.0 / statistics.day_to_day_skewness**2
    new = (stream.standard_gamma(shape, _WINTER_DAYS) - shape) / np.sqrt(shape)
    lag, value = statistics.day_to_day_lag_1, float(new[-1])
    result = np.empty(_WINTER_DAYS)
    result[-1] = value
    for position in range(_WINTER_DAYS - 2, -1, -1):
        value = lag * value + np.sqrt(1.0 - lag**2) * float(new[position])
        result[position] = value
    bound = statistics.day_to_day_max_sigma
    return np.asarray(statistics.day_to_day_sigma_k * np.clip(result, -bound, bound))


def _through_means(daily: FloatArray) -> FloatArray:
    """Return values at noon such that straight lines between them have the given daily means, shape (n,)."""
    bands = np.full((2, len(daily)), 0.125)
    bands[1] = 0.75
    bands[1, [0, -1]] = 0.875
    return np.asarray(solveh_banded(bands, daily))
