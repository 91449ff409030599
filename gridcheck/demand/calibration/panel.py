"""Readings of all areas side by side: local days and hours, the same days for all, and what is left out of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, TimeArray
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.calibration.readings import AreaReadings
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.festival import festival_presence
from gridcheck.demand.houses import smooth
from gridcheck.demand.parameters import default_parameters
from gridcheck.units import POINTS_PER_DAY

HOURS = 24
MEMORY_H: FloatArray = np.array([1.0, 4.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 36.0, 44.0, 54.0])
"""Time constants of the walls at which felt temperatures are worked out; between them they are interpolated. [h]"""

MIX = "mix"
"""Name of all converted homes together, where their classes cannot be told apart."""

_POINTS_PER_HOUR = POINTS_PER_DAY // HOURS
_LEAST_POINTS = 3
# Smallest singular value of the counts per class, each scaled to 1, from which classes count as apart.
_LEAST_SINGULAR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Readings of all areas on the same local days.

    Attributes
    ----------
    area_ids : tuple of str, length n_area
        In alphabetical order.
    days : ndarray of datetime64[D], shape (n_day,)
        Every local day from the first to the last with readings.
    classes : tuple of str, length n_class
        Classes of heaters that occur, or `MIX`.
    homes : ndarray, shape (n_area,)
        Homes lived in.
    converted : ndarray, shape (n_area, n_class)
        Converted homes.
    quarter_kw : ndarray, shape (n_area, n_day, 96)
        Power, NaN where not measured or left out. [kW]
    hour_kw : ndarray, shape (n_area, n_day, 24)
        Hourly means of at least three quarter hours. [kW]
    group : ndarray of int, shape (n_area,)
        Which of the weathers an area has.
    felt_c : ndarray, shape (n_memory, n_group, n_day, 24)
        Outdoor temperature as houses feel it, hourly, for every time constant of `MEMORY_H`. [degC]
    n_festival_day : int
        Days left out because migrants are back.
    n_zero : int
        Quarter hours left out because the meter said exactly zero: an outage or a dead meter, no demand.
    """

    area_ids: tuple[str, ...]
    days: TimeArray
    classes: tuple[str, ...]
    homes: FloatArray
    converted: FloatArray
    quarter_kw: FloatArray
    hour_kw: FloatArray
    group: IntArray
    felt_c: FloatArray
    n_festival_day: int
    n_zero: int

    @property
    def n_day(self) -> int:
        """Number of local days."""
        return len(self.days)


def make_panel(areas: Sequence[AreaReadings]) -> Panel:
    """Bring the readings of all areas onto the same local days.

    Parameters
    ----------
    areas : sequence of AreaReadings
        In any order.

    Returns
    -------
    Panel
        Days of the Spring Festival and exact zeros are left out of its powers.

    Raises
    ------
    InputError
        If the readings touch a Spring Festival that the table does not have.
    """
    ordered = sorted(areas, key=lambda area: area.area_id)
    measured = [local_day(area.time_utc[np.isfinite(area.power_kw)]) for area in ordered]
    first, last = min(day.min() for day in measured), max(day.max() for day in measured)
    days = np.arange(first, last + np.timedelta64(1, "D"))
    quarter_kw = np.stack([_on_days(area, days) for area in ordered])
    zero = quarter_kw == 0.0
    festival = festival_presence(days, default_parameters().house) > 0.0
    read = np.isfinite(quarter_kw).any(axis=(0, 2))
    quarter_kw[zero] = np.nan
    quarter_kw[:, festival] = np.nan
    felt_of: dict[bytes, int] = {}
    felt: list[FloatArray] = []
    group: list[int] = []
    for area in ordered:
        course = _hourly_temperature(area, days)
        key = course.tobytes()
        if key not in felt_of:
            felt_of[key] = len(felt)
            felt.append(_felt(course, len(days)))
        group.append(felt_of[key])
    classes, converted = _classes(ordered)
    return Panel(
        area_ids=tuple(area.area_id for area in ordered),
        days=days,
        classes=classes,
        homes=np.array([area.homes for area in ordered]),
        converted=converted,
        quarter_kw=quarter_kw,
        hour_kw=_hourly(quarter_kw),
        group=np.array(group, dtype=np.int64),
        felt_c=np.stack(felt, axis=1),
        n_festival_day=int((festival & read).sum()),
        n_zero=int(zero.sum()),
    )


def _on_days(area: AreaReadings, days: TimeArray) -> FloatArray:
    result = np.full((len(days), POINTS_PER_DAY), np.nan)
    day = (local_day(area.time_utc) - days[0]).astype(np.int64)
    point = np.rint(local_hour(area.time_utc) * _POINTS_PER_HOUR).astype(np.int64)
    inside = (day >= 0) & (day < len(days))
    result[day[inside], point[inside]] = area.power_kw[inside]
    return result


def _hourly(quarter_kw: FloatArray) -> FloatArray:
    points = quarter_kw.reshape(*quarter_kw.shape[:-1], HOURS, _POINTS_PER_HOUR)
    there = np.isfinite(points)
    total = np.where(there, points, 0.0).sum(axis=-1)
    count = there.sum(axis=-1)
    return np.where(count >= _LEAST_POINTS, total / np.maximum(count, 1), np.nan)


def _hourly_temperature(area: AreaReadings, days: TimeArray) -> FloatArray:
    """Return hourly temperatures from the first time of the area or day until the last day; gaps are bridged."""
    order = np.argsort(area.time_utc, kind="stable")
    first = min(local_day(area.time_utc[order[:1]])[0], days[0])
    hours = (local_day(area.time_utc[order]) - first).astype(np.float64) * HOURS + local_hour(area.time_utc[order])
    middle = np.arange(int((days[-1] - first).astype(np.int64) + 1) * HOURS) + 0.375
    return np.asarray(np.interp(middle, hours, area.temperature_c[order]), dtype=np.float64)


def _felt(course_c: FloatArray, n_day: int) -> FloatArray:
    """Return felt temperatures for every time constant, shape (n_memory, n_day, 24). [degC]"""
    share = default_parameters().house["ventilation_share"]
    felt = [share * course_c + (1.0 - share) * smooth(course_c, step_h=1.0, time_constant_h=tau) for tau in MEMORY_H]
    return np.asarray(np.stack(felt)[:, -n_day * HOURS :].reshape(len(MEMORY_H), n_day, HOURS), dtype=np.float64)


def _classes(areas: Sequence[AreaReadings]) -> tuple[tuple[str, ...], FloatArray]:
    """Return the classes that occur and their counts; all in one where they go together over the areas."""
    found = tuple(name for name in DEVICE_CLASSES if any(area.converted.get(name, 0.0) for area in areas))
    counts = np.array([[area.converted.get(name, 0.0) for name in found] for area in areas])
    homes = np.array([area.homes for area in areas])
    design = np.column_stack([homes, counts]) / np.sqrt(homes)[:, None]
    scaled = design / np.linalg.norm(design, axis=0)
    apart = len(areas) > len(found) and np.linalg.svd(scaled, compute_uv=False)[-1] >= _LEAST_SINGULAR
    return (found, counts) if apart or len(found) == 1 else ((MIX,), counts.sum(axis=1, keepdims=True))
