"""Units of weather columns: what the heading says, or else the one that the values leave possible.

Kilojoules of a quarter of an hour (0.9 W/m2) or of ten minutes (0.6) cannot be told from W/m2 by their size. Without a
unit they are taken as W/m2 and the sun comes out too weak, which is on the safe side; the sentence says what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.demand.clock import local_day
from gridcheck.demand.weather.headings import ColumnFound
from gridcheck.demand.weather.series import name_of
from gridcheck.demand.weather.typical_winter import monthly_course, winter_statistics
from gridcheck.errors import SchemaError

# A month of real weather stays this near to the basin's normal; Fahrenheit (32 K away at 0 degC) and kelvin do not.
_NEAR_NORMAL_K = 15.0
# A month of real sun over the normal one; per half-hour kilojoules are 1.8 times and joules far outside.
_NEAR_NORMAL_SUN = (0.3, 1.6)
_MONTH_DAYS = 30.4


def in_own_unit(
    values: FloatArray, column: ColumnFound, time_utc: TimeArray, *, step_h: float, where: str
) -> tuple[FloatArray, str]:
    """Return a column in the unit of `Weather`, and a sentence that says how it was read.

    Parameters
    ----------
    values : ndarray, shape (n,)
        As written, NaN where missing.
    column : ColumnFound
        Heading and unit; without a unit, the values have to leave only one possible.
    time_utc : ndarray of datetime64[ns], shape (n,)
        Times.
    step_h : float
        Length of an interval, for energies per step. [h]
    where : str
        Name of the file for messages.

    Returns
    -------
    values : ndarray, shape (n,)
        [degC], [%] or [W/m2]
    note : str
        How the column was read.

    Raises
    ------
    SchemaError
        If the unit stays open.
    """
    unit, why = column.unit, "as its heading says"
    if not unit:
        unit, why = _PLAUSIBLE[column.quantity](values, column, time_utc, where)
    note = f"column {column.heading!r} is {name_of(column.quantity)} in {unit}, {why}"
    own = unit in ("degC", "%", "W/m2")
    return _CONVERSION[unit](values, step_h), note if own else f"{note}; converted"


_CONVERSION: Mapping[str, Callable[[FloatArray, float], FloatArray]] = {
    "degC": lambda value, _: value,
    "degF": lambda value, _: (value - 32.0) / 1.8,
    "K": lambda value, _: value - 273.15,
    "%": lambda value, _: value,
    "fraction": lambda value, _: value * 100.0,
    "W/m2": lambda value, _: value,
    "Wh/m2": lambda value, step_h: value / step_h,
    "kJ/m2": lambda value, step_h: value / 3.6 / step_h,
    "MJ/m2": lambda value, step_h: value / 3.6e-3 / step_h,
}


def _plausible_temperature(values: FloatArray, column: ColumnFound, time_utc: TimeArray, where: str) -> tuple[str, str]:
    normal = monthly_course(time_utc, winter_statistics().monthly_mean_c)
    away = np.abs(_monthly(values - normal, time_utc))
    if (away <= _NEAR_NORMAL_K).all():
        return "degC", f"because every month lies within {_NEAR_NORMAL_K:g} K of the normal one of the basin"
    raise SchemaError(
        f"{where}: column {column.heading!r} names no unit, and as degC its months lie up to {away.max():.0f} K from "
        "the normal ones of the basin. Write the unit into the heading: 'temperature [degC]', 'temperature [degF]' or "
        "'temperature [K]'."
    )


def _plausible_humidity(values: FloatArray, column: ColumnFound, _: TimeArray, where: str) -> tuple[str, str]:
    highest = float(np.nanmax(values))
    if highest <= 1.0:
        return "fraction", "because no value is above 1"
    if highest > 10.0:
        return "%", "because values above 10 cannot be fractions"
    raise SchemaError(
        f"{where}: column {column.heading!r} names no unit and its highest value is {highest:g}. Write the unit into "
        "the heading: 'rh [%]' or 'rh [fraction]'."
    )


def _plausible_solar(values: FloatArray, column: ColumnFound, time_utc: TimeArray, where: str) -> tuple[str, str]:
    normal = monthly_course(time_utc, winter_statistics().monthly_solar_kwh_per_m2) * 1000.0 / _MONTH_DAYS / 24.0
    share = _monthly(values, time_utc) / _monthly(np.where(np.isfinite(values), normal, np.nan), time_utc)
    low, high = _NEAR_NORMAL_SUN
    if ((share >= low) & (share <= high)).all():
        return "W/m2", f"because every month has {low:g} to {high:g} times the normal sun"
    raise SchemaError(
        f"{where}: column {column.heading!r} names no unit, and as W/m2 a month would have {share.min():.2g} to "
        f"{share.max():.2g} times the normal sun. Write the unit into the heading: 'ghi [W/m2]', or per step "
        "'ghi [Wh/m2]', 'ghi [kJ/m2]' or 'ghi [MJ/m2]'."
    )


_PLAUSIBLE: Mapping[str, Callable[[FloatArray, ColumnFound, TimeArray, str], tuple[str, str]]] = {
    "temperature_c": _plausible_temperature,
    "humidity_percent": _plausible_humidity,
    "solar_w_per_m2": _plausible_solar,
}


def _monthly(values: FloatArray, time_utc: TimeArray) -> FloatArray:
    """Return the mean of every month that has values."""
    known = np.isfinite(values)
    _, month = np.unique(local_day(time_utc[known]).astype("datetime64[M]"), return_inverse=True)
    return np.asarray(np.bincount(month, weights=values[known]) / np.bincount(month))
