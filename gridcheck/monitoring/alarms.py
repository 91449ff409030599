"""Alarms of a day from measured readings: heavy load, overload, low voltage, and where nothing can be said.

Loading is apparent power over the rating of the transformer. A run is a stretch of consecutive measured quarter hours
on which a condition holds; a missing or implausible point ends it, because nobody knows what happened there. So a
silent meter can hide an alarm, and an area with too few points is listed as insufficient data, never as healthy.

Voltages are those at the meter of the transformer; households at the end of the line have less.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, TimeArray
from gridcheck.errors import SchemaError
from gridcheck.limits import Limit, LimitSet
from gridcheck.monitoring.quality import LEAST_PLAUSIBLE_VOLTAGE_V, Doubt, doubtful_points, run_length, runs_of
from gridcheck.monitoring.readings import QUANTITIES, day_number, interval_start_utc
from gridcheck.monitoring.store import ReadingsStore
from gridcheck.units import HOURS_PER_QUARTER, POINTS_PER_DAY

ASSUMED_POWER_FACTOR = 0.95
"""Power factor where reactive power was not measured. [E]"""
MIN_COMPLETENESS_PERCENT = 90.0
"""Share of the 96 points below which a day without an alarm is insufficient data. [G]"""

ALARM_COLUMNS = (
    "area_id",
    "day",
    "alarm",
    "quantity",
    "hours",
    "run_hours",
    "peak_value",
    "unit",
    "limit_value",
    "limit_clause",
    "phase",
    "peak_time_utc",
    "first_time_utc",
    "last_time_utc",
    "points_measured",
    "completeness_percent",
    "points_doubtful",
    "points_assumed_pf",
    "synthetic",
)
ALARMS = ("overloaded", "heavy", "low_voltage", "insufficient_data")
"""Kinds of alarm in the order of the list."""

_T = TypeVar("_T", bound=np.generic)
_AREAS_AT_ONCE = 4000
_CHANNELS = QUANTITIES[2:]
_PHASES = np.array(["a", "b", "c", ""])
_ROUNDING = 1e-9  # So that 100 kVA on a 100 kVA transformer is 100 %, whatever the last bit of the division says.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measurements:
    """Two local days of some areas: the day before, whose end tells how long a run already lasts, and the day.

    Arrays over points have 192 columns. Implausible values are NaN here.
    """

    area_ids: npt.NDArray[np.object_]
    time_utc: TimeArray
    loading_percent: FloatArray
    voltage_v: FloatArray
    assumed_pf: BoolArray
    doubtful: BoolArray
    synthetic: BoolArray


def find_alarms(
    store: ReadingsStore,
    areas: pd.DataFrame,
    day: dt.date,
    limits: LimitSet,
    *,
    assumed_power_factor: float = ASSUMED_POWER_FACTOR,
    min_completeness_percent: float = MIN_COMPLETENESS_PERCENT,
) -> pd.DataFrame:
    r"""Find the areas that were heavy, overloaded or low in voltage on a local day, and those that cannot be judged.

    Parameters
    ----------
    store : ReadingsStore
        Readings.
    areas : DataFrame
        area_id, kva: the areas to judge, each once; areas without readings are insufficient data.
    day : date
        Day in Asia/Shanghai.
    limits : LimitSet
        heavy_percent, area_loading_percent, overload_duration_h and low_voltage_v are used.
    assumed_power_factor : float
        Used where reactive power was not measured; such points are counted in ``points_assumed_pf``.
    min_completeness_percent : float
        Share of the 96 points that is needed to call an area healthy. [percent]

    Returns
    -------
    DataFrame
        Columns `ALARM_COLUMNS`, at most one row for loading and one for voltage per area, ordered by `ALARMS`, then by
        severity, then by area. ``hours`` is the time within the day for which the condition held (for loading: in
        runs of at least the duration limit), ``run_hours`` the longest run, of which a part may lie in the day before.
        ``peak_value`` is the highest loading [percent] or the lowest voltage [V] of the day. First and last time are
        starts of intervals of that day. Insufficient data: ``quantity`` says of what.

    Raises
    ------
    SchemaError
        If `areas` lacks a column, repeats an area or has a rating that is not positive.

    Notes
    -----
    .. math:: \beta = 100\,\frac{\sqrt{P^2 + Q^2}}{S_n}, \qquad
        \beta = 100\,\frac{|P|}{0.95\,S_n}\ \text{where Q was not measured}

    *Overloaded*: loading above area_loading_percent for overload_duration_h without a break. *Heavy*: loading at or
    above heavy_percent for that time, and not overloaded. *Low voltage*: any phase below low_voltage_v, however short.
    A run that began the day before counts with its whole length; what comes after the day does not, so the alarms of
    a day do not change when the next day's readings arrive.

    A point counts as measured for voltage if all three phases were measured, or the voltage of an unnamed phase.
    Voltages below half of nominal are a lost phase or an outage and loadings above 250 % a wrong unit or ratio: they
    count as not measured and as doubtful. Stuck values and zero load under voltage are used and counted as doubtful.
    """
    rated = _checked_areas(areas)
    pieces = []
    for first in range(0, len(rated), _AREAS_AT_ONCE):
        part = rated.iloc[first : first + _AREAS_AT_ONCE]
        measured = _measurements(store, part, day, assumed_power_factor)
        for rows in (_loading_rows, _voltage_rows):
            pieces.append(rows(measured, limits, min_completeness_percent))
    found = pd.concat(pieces, ignore_index=True)
    found["day"] = day.isoformat()
    severity = found["peak_value"].where(found["alarm"] == "low_voltage", -found["peak_value"])
    found["order"], found["severity"] = found["alarm"].map(ALARMS.index), severity
    found = found.sort_values(["order", "severity", "area_id", "quantity"], kind="stable", ignore_index=True)
    return found[list(ALARM_COLUMNS)]


def _checked_areas(areas: pd.DataFrame) -> pd.DataFrame:
    lacking = [name for name in ("area_id", "kva") if name not in areas.columns]
    if lacking:
        raise SchemaError(f"The area table lacks {lacking}; it needs area_id and kva.")
    rated = pd.DataFrame({"area_id": areas["area_id"].astype(str), "kva": areas["kva"].astype("float64")})
    wrong = rated[~(np.isfinite(rated["kva"]) & (rated["kva"] > 0)) | rated["area_id"].duplicated()]
    if len(wrong):
        findings = [f"{row.area_id}: kva {row.kva:g}" for row in wrong.head(20).itertuples()]
        raise SchemaError("Each area must stand once in the area table, with a rating above zero.", findings)
    return rated.sort_values("area_id", kind="stable", ignore_index=True)


def _measurements(store: ReadingsStore, rated: pd.DataFrame, day: dt.date, power_factor: float) -> _Measurements:
    """Read two days of some areas as matrices."""
    ids = rated["area_id"].to_numpy(dtype=object)
    kva = rated["kva"].to_numpy(dtype=np.float64)
    before = day - dt.timedelta(days=1)
    readings = store.read(before, day, area_ids=list(ids))
    start = interval_start_utc(day_number(before), np.arange(2 * POINTS_PER_DAY))
    area = pd.Index(ids).get_indexer(readings["area_id"])
    point = np.searchsorted(start, readings["time_utc"].to_numpy())
    cube = np.full((len(ids), len(start), len(QUANTITIES)), np.nan)
    cube[area, point] = readings[list(QUANTITIES)].to_numpy(dtype=np.float64)
    synthetic = np.zeros(len(ids), dtype=np.bool_)
    np.logical_or.at(synthetic, area, readings["synthetic"].to_numpy(dtype=np.bool_))
    p_kw, q_kvar, voltage_v = cube[:, :, 0], cube[:, :, 1], cube[:, :, 2:]
    assumed = np.isfinite(p_kw) & np.isnan(q_kvar)
    s_kva = np.where(assumed, np.abs(p_kw) / power_factor, np.hypot(p_kw, q_kvar))
    doubt = doubtful_points(p_kw, s_kva, voltage_v, kva)
    s_kva[(doubt & Doubt.POWER_IMPLAUSIBLE) != 0] = np.nan
    return _Measurements(
        area_ids=ids,
        time_utc=start,
        loading_percent=100.0 * s_kva / kva[:, None],
        voltage_v=np.where(voltage_v < LEAST_PLAUSIBLE_VOLTAGE_V, np.nan, voltage_v),
        assumed_pf=assumed,
        doubtful=doubt != 0,
        synthetic=synthetic,
    )


def _loading_rows(measured: _Measurements, limits: LimitSet, min_completeness_percent: float) -> pd.DataFrame:
    loading = measured.loading_percent
    n_point = math.ceil(limits.overload_duration_h.value / HOURS_PER_QUARTER - _ROUNDING)
    over: BoolArray = loading > limits.area_loading_percent.value * (1 + _ROUNDING)
    heavy: BoolArray = loading >= limits.heavy_percent.value * (1 - _ROUNDING)
    over_runs, heavy_runs = runs_of(over, n_point), runs_of(heavy, n_point)
    is_over, is_heavy = _ever(over_runs), _ever(heavy_runs)
    few = _percent(_today(np.isfinite(loading))) < min_completeness_percent
    return pd.concat(
        [
            _rows(measured, is_over, "overloaded", limits.area_loading_percent, over_runs, loading),
            _rows(measured, is_heavy & ~is_over, "heavy", limits.heavy_percent, heavy_runs, loading),
            _rows(measured, few & ~is_over & ~is_heavy, "insufficient_data", None, np.zeros_like(over), loading),
        ],
        ignore_index=True,
    )


def _voltage_rows(measured: _Measurements, limits: LimitSet, min_completeness_percent: float) -> pd.DataFrame:
    voltage = measured.voltage_v
    lowest = np.fmin.reduce(voltage, axis=2)
    low: BoolArray = lowest < limits.low_voltage_v.value * (1 - _ROUNDING)
    is_low = _ever(low)
    known = np.isfinite(voltage)
    judged = known[:, :, :3].all(axis=2) | known[:, :, 3]
    few = _percent(_today(judged)) < min_completeness_percent
    frames = []
    for chosen, alarm, limit, runs in (
        (is_low, "low_voltage", limits.low_voltage_v, low),
        (few & ~is_low, "insufficient_data", None, np.zeros_like(low)),
    ):
        rows = _rows(measured, chosen, alarm, limit, runs, -lowest)
        peak = np.where(np.isnan(rows["peak_value"]), np.nan, -rows["peak_value"])
        points = _today(judged)[chosen].sum(axis=1)
        channel = np.where(np.isnan(voltage), np.inf, voltage)[:, POINTS_PER_DAY:].min(axis=1).argmin(axis=1)
        phase = np.where(np.isnan(peak), "", _PHASES[channel[chosen]])
        frames.append(
            rows.assign(
                quantity="voltage",
                unit="V",
                peak_value=peak,
                phase=phase,
                points_measured=points,
                completeness_percent=100.0 * points / POINTS_PER_DAY,
                points_assumed_pf=0,
            )
        )
    return pd.concat(frames, ignore_index=True)


def _rows(
    measured: _Measurements, chosen: BoolArray, alarm: str, limit: Limit | None, runs: BoolArray, value: FloatArray
) -> pd.DataFrame:
    """Return one row per chosen area; the peak is the greatest of `value` on the day."""
    today = _today(value)[chosen]
    held = _today(runs)[chosen]
    times = measured.time_utc[POINTS_PER_DAY:]
    n_known = np.isfinite(today).sum(axis=1)
    where = np.where(np.isnan(today), -np.inf, today).argmax(axis=1)
    peak = np.where(n_known > 0, today[np.arange(len(today)), where], np.nan)
    some = held.any(axis=1)
    missing = np.datetime64("NaT", "ns")
    return pd.DataFrame(
        {
            "area_id": measured.area_ids[chosen],
            "alarm": alarm,
            "quantity": "loading",
            "hours": held.sum(axis=1) * HOURS_PER_QUARTER,
            "run_hours": _today(run_length(runs))[chosen].max(axis=1, initial=0) * HOURS_PER_QUARTER,
            "peak_value": peak,
            "unit": "percent",
            "limit_value": np.nan if limit is None else limit.value,
            "limit_clause": "" if limit is None else limit.clause,
            "phase": "",
            "peak_time_utc": np.where(n_known > 0, times[where], missing),
            "first_time_utc": np.where(some, times[held.argmax(axis=1)], missing),
            "last_time_utc": np.where(some, times[POINTS_PER_DAY - 1 - held[:, ::-1].argmax(axis=1)], missing),
            "points_measured": n_known,
            "completeness_percent": 100.0 * n_known / POINTS_PER_DAY,
            "points_doubtful": _today(measured.doubtful)[chosen].sum(axis=1),
            "points_assumed_pf": _today(measured.assumed_pf)[chosen].sum(axis=1),
            "synthetic": measured.synthetic[chosen],
        }
    )


def _today(value: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return the second of the two days."""
    return value[:, POINTS_PER_DAY:]


def _ever(holds: BoolArray) -> BoolArray:
    """Return for each area whether a condition holds at any point of the day."""
    found: BoolArray = np.logical_or.reduce(_today(holds), axis=1)
    return found


def _percent(held: BoolArray) -> FloatArray:
    share: FloatArray = 100.0 * held.mean(axis=1)
    return share
