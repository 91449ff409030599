"""Cold-wave classes and warning colours that a course of temperature would meet, day by day.

The thresholds stand in ``cold_wave_levels.csv`` with their confidence: they say what the duty desk has to expect, and
are no quotation of GB/T 21987-2017 or of CMA order no. 16. Warnings are issued on forecasts, by stations and with wind;
here temperature alone is looked at, which leaves out no warning but may show one that the wind would not have allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, TimeArray, frozen
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.demand.clock import local_day
from gridcheck.demand.tables import PACKAGE
from gridcheck.demand.weather.record import Weather
from gridcheck.errors import InputError

TextArray = npt.NDArray[np.str_]

WINDOWS_DAYS = (1, 2, 3)
"""Windows of a fall: 24, 48 and 72 h. [d]"""

_FALLS = ("fall_24h_k", "fall_48h_k", "fall_72h_k")
_LEVELS = TableSchema(
    key=("level",),
    columns=(
        Column(name="kind", allowed=("class", "signal")),
        *(Column(name=name) for name in ("level", "label_zh", "label_en")),
        *(Column(name=name, kind="float", low=1, high=40, optional=True) for name in _FALLS),
        Column(name="minimum_c", kind="float", low=-30, high=15),
        Column(name="wind_force", kind="float", low=1, high=12, optional=True),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdWaveLevel:
    """A class of cold waves, or a warning colour.

    Attributes
    ----------
    kind : {"class", "signal"}
        Which of the two.
    level, label_zh, label_en : str
        Name and labels.
    fall_24h_k, fall_48h_k, fall_72h_k : float
        Fall of the daily minimum in that time, any of which is enough; NaN where the level has none. [K]
    minimum_c : float
        The minimum must be at most this. [degC]
    wind_force : float
        Mean wind that a warning asks for beside it, not looked at; NaN where none. [Beaufort]
    confidence : str
        How firm the thresholds are.
    """

    kind: Literal["class", "signal"]
    level: str
    label_zh: str
    label_en: str
    fall_24h_k: float
    fall_48h_k: float
    fall_72h_k: float
    minimum_c: float
    wind_force: float
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColdWaveDays:
    """What each whole local day of a weather meets.

    Attributes
    ----------
    day : ndarray of datetime64[D], shape (n,)
        Local days, without those that the weather covers in part.
    minimum_c : ndarray, shape (n,)
        Lowest temperature of the day. [degC]
    fall_24h_k, fall_48h_k, fall_72h_k : ndarray, shape (n,)
        Fall of the minimum within 1, 2 and 3 days, negative where it rose; NaN on the first day, which has none before
        it. [K]
    wave_class, signal : ndarray of str, shape (n,)
        Highest class and colour met; empty where none.
    """

    day: TimeArray
    minimum_c: FloatArray
    fall_24h_k: FloatArray
    fall_48h_k: FloatArray
    fall_72h_k: FloatArray
    wave_class: TextArray
    signal: TextArray

    def __post_init__(self) -> None:
        shape = (len(self.day),)
        object.__setattr__(self, "day", frozen(self.day, "datetime64[D]", shape, name="day"))
        for name in ("minimum_c", *_FALLS):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, shape, name=name))
        for name in ("wave_class", "signal"):
            object.__setattr__(self, name, frozen(getattr(self, name), getattr(self, name).dtype, shape, name=name))


def cold_wave_levels() -> tuple[ColdWaveLevel, ...]:
    """Return the levels of ``cold_wave_levels.csv``, of each kind from mild to severe."""
    table = packaged_table(PACKAGE, "weather/cold_wave_levels.csv", _LEVELS).drop(columns=["source", "note"])
    return tuple(ColdWaveLevel(**{str(name): value for name, value in row.items()}) for row in table.to_dict("records"))


def cold_wave_days(weather: Weather, *, levels: Sequence[ColdWaveLevel] | None = None) -> ColdWaveDays:
    r"""Return falls, class and warning colour of every whole local day, warm-up included.

    Parameters
    ----------
    weather : Weather
        Weather, drawn or measured.
    levels : sequence of ColdWaveLevel, optional
        Levels of each kind from mild to severe; by default those of ``cold_wave_levels.csv``.

    Returns
    -------
    ColdWaveDays
        One row a day.

    Raises
    ------
    InputError
        If the weather covers no whole local day.

    Notes
    -----
    A fall within so many days is counted from the highest minimum of these days:

    .. math:: f_k(d) = \max_{1 \le j \le k} m_{d-j} - m_d

    The standard is remembered to ask that minima fall day after day within 48 and 72 h (G); that is not asked here, so
    that a class is named rather too early. Days are calendar days, while observers count theirs from 20:00.
    """
    day, minimum_c = _daily_minima(weather)
    before = np.full((len(WINDOWS_DAYS), len(day)), np.nan)
    for row, lag in enumerate(WINDOWS_DAYS):
        before[row, lag:] = minimum_c[:-lag]
    falls = np.fmax.accumulate(before, axis=0) - minimum_c
    chosen = cold_wave_levels() if levels is None else tuple(levels)
    return ColdWaveDays(
        day=day,
        minimum_c=minimum_c,
        fall_24h_k=falls[0],
        fall_48h_k=falls[1],
        fall_72h_k=falls[2],
        wave_class=_highest([level for level in chosen if level.kind == "class"], falls, minimum_c),
        signal=_highest([level for level in chosen if level.kind == "signal"], falls, minimum_c),
    )


def _daily_minima(weather: Weather) -> tuple[TimeArray, FloatArray]:
    """Return the days that are covered from midnight to midnight, and their lowest temperatures."""
    days, first, count = np.unique(local_day(weather.time_utc), return_index=True, return_counts=True)
    whole = count * weather.step_h >= 24.0 - 1e-9
    if not whole.any():
        raise InputError(
            f"weather {weather.label!r} covers no whole local day, so no daily minimum. Give longer weather."
        )
    return days[whole], np.minimum.reduceat(weather.temperature_c, first)[whole]


def _highest(levels: Sequence[ColdWaveLevel], falls: FloatArray, minimum_c: FloatArray) -> TextArray:
    """Return the name of the last level that each day meets."""
    width = max((len(level.level) for level in levels), default=1)
    name = np.full(len(minimum_c), "", dtype=f"U{width}")
    for level in levels:
        name[_met(level, falls, minimum_c)] = level.level
    return name


def _met(level: ColdWaveLevel, falls: FloatArray, minimum_c: FloatArray) -> BoolArray:
    # A comparison with NaN is false: a level without that window, and the first day.
    asked = np.array([level.fall_24h_k, level.fall_48h_k, level.fall_72h_k])[:, None]
    return np.asarray((falls >= asked - 1e-9).any(axis=0) & (minimum_c <= level.minimum_c + 1e-9))
