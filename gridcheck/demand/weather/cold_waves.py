"""Templates of cold waves, laid over other weather because a typical winter holds no design event."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.demand.clock import local_hour, local_midnight_utc
from gridcheck.demand.tables import PACKAGE
from gridcheck.demand.weather.record import Weather
from gridcheck.demand.weather.return_periods import return_period_years
from gridcheck.demand.weather.typical_winter import (
    county_offset_k,
    diurnal_shape,
    monthly_course,
    solar_course,
    winter_statistics,
)
from gridcheck.errors import ConfigError, InputError

# Hours over which the random course passes into the wave and out of it. [h]
_PASSAGE_H = 36.0
# Within a wave, the weather it is laid over stays this much above the wave's minimum. [K]
_MINIMUM_GAP_K = 0.5

_WAVES = TableSchema(
    key=("wave",),
    columns=(
        Column(name="wave"),
        Column(name="label_zh"),
        Column(name="label_en"),
        Column(name="minimum_c", kind="float", low=-40, high=10, optional=True),
        Column(name="drop_k", kind="float", low=0, high=30),
        *(Column(name=name, kind="float", low=1, high=2000) for name in ("fall_h", "hold_h", "recover_h")),
        Column(name="sag_k", kind="float", low=0, high=5),
        Column(name="diurnal_range_k", kind="float", low=0, high=25),
        Column(name="humidity_percent", kind="float", low=0, high=100),
        Column(name="solar_factor", kind="float", low=0, high=1.5),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdWave:
    """One template.

    Attributes
    ----------
    wave, label_zh, label_en : str
        Name and labels.
    minimum_c : float
        Lowest temperature at the basin station; NaN for a wave that is set against the season's course. [degC]
    drop_k : float
        Fall of the daily mean, from before the wave to its floor. [K]
    fall_h, hold_h, recover_h : float
        Length of the fall, of the floor and of the recovery. [h]
    sag_k : float
        How much the ends of the floor lie above its middle. [K]
    diurnal_range_k : float
        Daily range during the wave. [K]
    humidity_percent : float
        Relative humidity during the wave. [%]
    solar_factor : float
        Irradiance over that of a mean day. [1]
    """

    wave: str
    label_zh: str
    label_en: str
    minimum_c: float
    drop_k: float
    fall_h: float
    hold_h: float
    recover_h: float
    sag_k: float
    diurnal_range_k: float
    humidity_percent: float
    solar_factor: float

    @property
    def return_period_years(self) -> float:
        """Mean time between winters at least as cold, in any county; NaN for a wave without a minimum. [a]"""
        return float(return_period_years(self.minimum_c))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedCourse:
    """A course of temperature into which a wave was mixed.

    Attributes
    ----------
    temperature_c : ndarray, shape (n,)
        Temperature with the wave. [degC]
    weight : ndarray, shape (n,)
        How much of it is the wave's: 1 from the start of its fall to the end of its recovery, 0 far away. [1]
    """

    temperature_c: FloatArray
    weight: FloatArray


def cold_waves() -> tuple[ColdWave, ...]:
    """Return the templates of ``cold_waves.csv`` in the order of the file."""
    table = packaged_table(PACKAGE, "weather/cold_waves.csv", _WAVES).drop(columns=["source", "confidence", "note"])
    return tuple(ColdWave(**{str(name): value for name, value in row.items()}) for row in table.to_dict("records"))


def cold_wave(wave: str) -> ColdWave:
    """Return one template.

    Raises
    ------
    ConfigError
        If there is no such template.
    """
    templates = {template.wave: template for template in cold_waves()}
    if wave not in templates:
        raise ConfigError(f"wave {wave!r} is not known. Allowed are none, {', '.join(templates)}.")
    return templates[wave]


def wave_course(
    hours: FloatArray, shape: FloatArray, template: ColdWave, *, normal_c: float
) -> tuple[FloatArray, FloatArray]:
    """Return the course of a wave at the basin station and how much of the weather it makes up.

    Parameters
    ----------
    hours : ndarray, shape (n,)
        Time since the minimum. [h]
    shape : ndarray, shape (n,)
        Course of the day, -0.5 at the minimum.
    template : ColdWave
        Template.
    normal_c : float
        Course of the season at the time of the minimum; used by templates without a minimum of their own. [degC]

    Returns
    -------
    temperature_c : ndarray, shape (n,)
        Lowest exactly at hour 0. [degC]
    weight : ndarray, shape (n,)
        1 from the start of the fall to the end of the recovery, 0 far away.

    Notes
    -----
    The daily mean falls from the level before the wave by ``drop_k`` along a half cosine, stays for ``hold_h`` centred
    on the minimum, sagging by ``sag_k``, and recovers. A template with a minimum fixes the level before the wave so
    that the coldest hour meets it; the others start from the season's course.
    """
    half_hold = template.hold_h / 2.0
    before = np.clip((-half_hold - hours) / template.fall_h, 0.0, 1.0)
    after = np.clip((hours - half_hold) / template.recover_h, 0.0, 1.0)
    depth = 0.5 + 0.5 * np.cos(np.pi * np.maximum(before, after))
    sag = template.sag_k * np.minimum((hours / half_hold) ** 2, 1.0)
    half_range = template.diurnal_range_k / 2.0
    level_c = normal_c if math.isnan(template.minimum_c) else template.minimum_c + template.drop_k + half_range
    temperature_c = level_c - template.drop_k * depth + sag + template.diurnal_range_k * shape
    outside_h = np.maximum(-half_hold - template.fall_h - hours, hours - half_hold - template.recover_h)
    return temperature_c, np.clip(1.0 - outside_h / _PASSAGE_H, 0.0, 1.0)


def mixed_with_wave(
    time_utc: TimeArray, temperature_c: FloatArray, template: ColdWave, *, coldest_day: np.datetime64
) -> MixedCourse:
    """Replace a course at the basin station by that of a wave, with a smooth passage on either side.

    Parameters
    ----------
    time_utc : ndarray of datetime64[ns], shape (n,)
        Times.
    temperature_c : ndarray, shape (n,)
        Course without the wave. [degC]
    template : ColdWave
        Template.
    coldest_day : datetime64
        UTC time at which the local day of the minimum begins.

    Returns
    -------
    MixedCourse
        Its lowest value within the wave lies at the station's coldest hour of that day.
    """
    statistics = winter_statistics()
    shape = diurnal_shape(local_hour(time_utc), statistics)
    at_minimum = coldest_day + np.timedelta64(round(statistics.coldest_hour * 60), "m")
    hours = (time_utc - at_minimum) / np.timedelta64(1, "h")
    normal_c = float(monthly_course(np.array([at_minimum]), statistics.monthly_mean_c)[0])
    path_c, weight = wave_course(hours, shape, template, normal_c=normal_c)
    floor_c = float(path_c.min()) + _MINIMUM_GAP_K
    blended = weight * path_c + (1.0 - weight) * np.maximum(temperature_c, floor_c)
    return MixedCourse(temperature_c=blended, weight=weight)


def overlay_wave(weather: Weather, wave: str, coldest_day: date, *, offset_k: FloatArray | None = None) -> Weather:
    """Lay a template over any weather, drawn or measured.

    Parameters
    ----------
    weather : Weather
        Weather of a county.
    wave : str
        Name of a template.
    coldest_day : date
        Local day of the minimum.
    offset_k : ndarray of shape (12,), optional
        By how much the place of this weather is warmer than the basin station, January first; by default that of the
        seat of its county. [K]

    Returns
    -------
    Weather
        The same times and study window, labelled synthetic. Before the wave and after it everything is as it was.

    Raises
    ------
    ConfigError
        If there is no such wave.
    InputError
        If the day of the minimum does not lie inside the weather, or its county is not known and no offset is given.

    Notes
    -----
    The wave replaces what was measured during its hours; it is not added to it, so that a cold night below it does not
    make the event rarer than it says. Sun is mixed in the same way from that of mean days times the factor of the
    template; weather without any sun stays without. A village is moved to its height after the wave has been laid
    (`at_height`), because a template belongs to the height of the county's seat.
    """
    template = cold_wave(wave)
    coldest = local_midnight_utc(coldest_day)
    if not weather.time_utc[0] <= coldest <= weather.time_utc[-1]:
        raise InputError(
            f"coldest_day {coldest_day} lies outside the weather {weather.label!r}, which holds {weather.time_utc[0]} "
            f"to {weather.time_utc[-1]} UTC. Choose a day inside."
        )
    offset = monthly_course(weather.time_utc, county_offset_k(weather.county_code) if offset_k is None else offset_k)
    mixed = mixed_with_wave(weather.time_utc, weather.temperature_c - offset, template, coldest_day=coldest)
    weight = mixed.weight
    sun = template.solar_factor * solar_course(weather.time_utc, winter_statistics())
    if not weather.solar_w_per_m2.any():
        sun = weather.solar_w_per_m2
    humidity = weather.humidity_percent
    return replace(
        weather,
        temperature_c=np.where(weight > 0.0, mixed.temperature_c + offset, weather.temperature_c),
        solar_w_per_m2=(1.0 - weight) * weather.solar_w_per_m2 + weight * sun,
        humidity_percent=humidity + weight * (template.humidity_percent - humidity),
        label=f"{weather.label}, with {template.label_en} ({template.wave}) on {coldest_day}, synthetic",
        synthetic=True,
    )
