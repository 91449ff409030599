"""Templates of cold waves, laid over a typical winter because a typical winter holds no design event."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.demand.tables import PACKAGE
from gridcheck.errors import ConfigError

# Hours over which the random course passes into the wave and out of it. [h]
_PASSAGE_H = 36.0

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


def cold_waves() -> tuple[ColdWave, ...]:
    """Return the templates of ``cold_waves.csv`` in the order of the file."""
    table = packaged_table(PACKAGE, "cold_waves.csv", _WAVES).drop(columns=["source", "confidence", "note"])
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
