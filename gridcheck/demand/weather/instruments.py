"""Whether instruments and export wrote what was measured: spikes, dead sensors, sun and humidity in another unit.

Each value alone is possible; what gives them away is the value an hour before, or the highest of days.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, TimeArray
from gridcheck.demand.clock import local_day
from gridcheck.demand.weather.series import RawSeries, first_rows, local_text
from gridcheck.errors import InputError, SchemaError

# No winter of the basin comes near: the steepest cold-wave template falls by 16.3 K in 36 h, a clear morning rises by
# 4 to 5 K in an hour, and the front of a cold wave or the gust of a summer thunderstorm brings some 10, at most 15 K.
# More within an hour is known from the foehn of other mountains (27 K in two minutes, Spearfish 1943). A spike that
# changes a load visibly (-55 or +40 degC in January) stands 40 K or more above its neighbours. [K]
_JUMP_K = 20.0
# Rows of 10 min, the finest that are read.
_ROWS_OF_AN_HOUR = 6
_HOUR = np.timedelta64(1, "h")
_DAY = np.timedelta64(1, "D")
# The thickest winter cloud at 35 degrees north leaves 30 to 60 W/m2 at noon, and three such days do not follow each
# other without one that is brighter; 20 W/m2 are the sun of dusk. [W/m2]
_LEAST_SUN = 20.0
# No hour has more in MJ/m2, and less still in kW/m2: 1361 W/m2 arrive above the air.
_MOST_OF_MJ = 5.0
_DARK_DAYS = 3
# A day with no more missing than may be filled is a whole one. [h]
_WHOLE_DAY_H = 21.0
# The driest hours of the basin, on a windy day in spring, have some 5 %; here it is the most humid of all. [%]
_LEAST_HUMIDITY = 1.0
_ROUNDING = 1e-6


def require_sound(series: RawSeries, *, epw: bool) -> RawSeries:
    """Refuse jumps of the temperature that no weather makes, and sun or humidity whose size is that of another unit.

    Parameters
    ----------
    series : RawSeries
        As read, before anything is laid, filled or cut.
    epw : bool
        Whether it is an EPW file, which is mended in another place.

    Returns
    -------
    RawSeries
        The same, with a note where the temperature stands still for more than a day.

    Raises
    ------
    InputError
        If sun or humidity look like another unit, or like nothing measured.
    SchemaError
        If the temperature jumps: names rows and times.
    """
    _require_no_jump(series)
    _require_sun(series, epw=epw)
    _require_humidity(series, epw=epw)
    still = _standing_still(series)
    return replace(series, notes=(*series.notes, still)) if still else series


def _require_no_jump(series: RawSeries) -> None:
    """Compare each value with those of the hour before; across a gap the bound grows with the hours."""
    known = np.isfinite(series.values["temperature_c"])
    time_utc, row, value = series.time_utc[known], series.row[known], series.values["temperature_c"][known]
    for lag in range(1, min(_ROWS_OF_AN_HOUR + 1, len(value))):
        hours = (time_utc[lag:] - time_utc[:-lag]) / _HOUR
        change = value[lag:] - value[:-lag]
        near = (hours > 0.0) & ((hours <= 1.0) | (lag == 1))
        jumps = np.flatnonzero(near & (np.abs(change) > _JUMP_K * np.maximum(hours, 1.0) + _ROUNDING))
        if len(jumps):
            raise SchemaError(
                f"{series.where}: the temperature jumps by more than {_JUMP_K:g} K within an hour, which no weather "
                "does: a spike of the instrument or a slip of the pen. Correct the wrong cells, or leave them empty "
                "(gaps of up to 3 h are filled).",
                first_rows(
                    [
                        f"row {row[at + lag]}, {local_text(time_utc[at + lag])}: {value[at + lag]:.4g} degC, in row "
                        f"{row[at]} {value[at]:.4g} degC; {abs(change[at]):.3g} K in {hours[at]:.3g} h"
                        for at in jumps
                    ]
                ),
            )


def _require_sun(series: RawSeries, *, epw: bool) -> None:
    solar = series.values.get("solar_w_per_m2")
    if solar is None:
        return
    known = np.isfinite(solar)
    days, highest = _whole_days(series.time_utc[known], solar[known], _step_h(series.time_utc))
    first, length = _runs(highest < _LEAST_SUN, np.diff(days) != _DAY)
    long = np.flatnonzero(length >= _DARK_DAYS)
    if not len(long):
        return
    begin = int(first[long[0]])
    end = begin + int(length[long[0]]) - 1
    brightest = float(highest[begin : end + 1].max())
    if brightest <= 0.0:
        cause = "This looks like a dead instrument or an export that wrote zeros for what it does not have."
    elif float(np.nanmax(solar)) <= _MOST_OF_MJ:
        cause = "This looks like MJ/m2 per hour (1 is 278 W/m2) or kW/m2 (1 is 1000 W/m2)."
    else:
        cause = "This looks like a dead instrument, or like another unit, MJ/m2 or kW/m2."
    if epw:
        mend = "An EPW file holds Wh/m2 in field 14: convert that field, or write 9999 into all of it"
    elif brightest <= 0.0:
        mend = "Fill in what was measured, or take the column out"
    else:
        mend = (
            "Write the unit of the values into the heading: 'ghi [MJ/m2]' for energies of a step; multiply kW/m2 by "
            "1000; or take the column out"
        )
    raise InputError(
        f"{series.where}: from {days[begin]} to {days[end]} the highest irradiance is {brightest:.3g} W/m2; even under "
        f"thick cloud one of {_DARK_DAYS} days has more than {_LEAST_SUN:g} W/m2. {cause} {mend}: without irradiance "
        "the sun is left out, which is on the safe side."
    )


def _require_humidity(series: RawSeries, *, epw: bool) -> None:
    humidity = series.values.get("humidity_percent")
    if humidity is None:
        return
    highest = float(np.nanmax(humidity))
    if highest > _LEAST_HUMIDITY:
        return
    if highest <= 0.0:
        cause, mend = "This looks like an export that wrote zeros for what it does not have.", "Take the column out"
    else:
        cause = "This looks like fractions from 0 to 1."
        mend = "Write the unit into the heading: 'rh [fraction]', or take the column out"
    if epw:
        mend = "An EPW file holds % in field 9: multiply that field by 100, or write 999 into all of it"
    raise InputError(
        f"{series.where}: the highest humidity of the file is {highest:.3g} %; air is never that dry. {cause} {mend}: "
        "without humidity the normal one of the season is taken."
    )


def _standing_still(series: RawSeries) -> str:
    """Return a sentence on where the temperature is the same for more than a day, or nothing."""
    known = np.isfinite(series.values["temperature_c"])
    time_utc, value = series.time_utc[known], series.values["temperature_c"][known]
    step, ahead = np.timedelta64(round(_step_h(series.time_utc) * 60.0), "m"), np.diff(time_utc)
    follows = (ahead > np.timedelta64(0, "ns")) & (ahead <= _DAY)
    first, length = _runs(np.ones(len(value), dtype=np.bool_), (np.diff(value) != 0.0) | ~follows)
    hours = (time_utc[first + length - 1] - time_utc[first] + step) / _HOUR
    long = np.flatnonzero(hours > 24.0 + _ROUNDING)
    if not len(long):
        return ""
    longest = long[hours[long].argmax()]
    begin, others = int(first[longest]), len(long) - 1
    return (
        f"CHECK THE TEMPERATURE: it is {value[begin]:.4g} degC without any change for {hours[longest]:.4g} h from "
        f"{local_text(time_utc[begin])}"
        + (f", and stands still for more than 24 h in {others} other places" if others else "")
        + "; a dead sensor, or an export that filled what is missing, looks like this"
    )


def _whole_days(time_utc: TimeArray, value: FloatArray, step_h: float) -> tuple[TimeArray, FloatArray]:
    """Return the local days that are whole, in order, and the highest value of each."""
    days, day = np.unique(local_day(time_utc).astype("datetime64[D]"), return_inverse=True)
    highest = np.full(len(days), -np.inf)
    np.maximum.at(highest, day, value)
    whole = np.bincount(day, minlength=len(days)) * step_h >= _WHOLE_DAY_H - _ROUNDING
    return days[whole], highest[whole]


def _runs(member: BoolArray, breaks: BoolArray) -> tuple[IntArray, IntArray]:
    """Return where runs of members begin and how long they are; ``breaks[i]`` parts element i from i + 1."""
    apart = np.concatenate([[True], breaks])[: len(member)]
    starts = np.flatnonzero(member & (apart | ~np.concatenate([[False], member[:-1]])))
    stop = np.concatenate([apart[1:], [True]]) | ~np.concatenate([member[1:], [False]])
    ends = np.flatnonzero(member & stop[: len(member)])
    return starts, ends - starts + 1


def _step_h(time_utc: TimeArray) -> float:
    return float(np.median(np.abs(np.diff(time_utc) / _HOUR)))
