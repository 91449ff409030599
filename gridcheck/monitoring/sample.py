"""Write a synthetic file of readings as a meter system would deliver it, from known true curves.

Meters are modelled with a constant ratio error, noise, rounding and an offset per phase; readings get lost singly, in
stretches and for whole days, and some meters repeat their last value. What was done is returned, so a test can hold
the monitoring against the truth. Every row of the file carries the mark ``synthetic``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from gridcheck.arrays import BoolArray, FloatArray, TimeArray, frozen
from gridcheck.atomic import written_in_one_step
from gridcheck.errors import InputError
from gridcheck.monitoring.readings import LOCAL_UTC_OFFSET, interval_start_utc, local_day_and_slot
from gridcheck.units import POINTS_PER_DAY

LONG_HEADER = ("area_id", "time", "p_kw", "q_kvar", "ua_v", "ub_v", "uc_v", "synthetic")
WIDE_HEADER = ("area_id", "date", "quantity", *(f"P{point}" for point in range(1, POINTS_PER_DAY + 1)), "synthetic")
_WIDE_QUANTITIES = LONG_HEADER[2:7]
_AREAS_AT_ONCE = 500
_DECIMALS = np.array([2, 2, 1, 1, 1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueCurves:
    """What the meters measure. Row i is the same time and column j the same area in every array.

    Attributes
    ----------
    area_ids : tuple of str, length n_area
        Ids.
    kva : ndarray, shape (n_area,)
        Rating of the transformers. [kVA]
    time_utc : ndarray of datetime64[ns], shape (n_time,)
        Starts of quarter hours, in order and without gaps, UTC.
    p_kw, voltage_v : ndarray, shape (n_time, n_area)
        Power of the area [kW] and phase-to-neutral voltage at its meter, mean of the phases [V].
    q_kvar : ndarray, shape (n_time, n_area), or None
        Reactive power [kvar]; None for a power factor of `MeterModel.power_factor`.
    """

    area_ids: tuple[str, ...]
    kva: FloatArray
    time_utc: TimeArray
    p_kw: FloatArray
    voltage_v: FloatArray
    q_kvar: FloatArray | None = None

    def __post_init__(self) -> None:
        time_utc = frozen(self.time_utc, "datetime64[ns]", (None,), name="time_utc")
        shape = (len(time_utc), len(self.area_ids))
        object.__setattr__(self, "time_utc", time_utc)
        object.__setattr__(self, "kva", frozen(self.kva, np.float64, shape[1:], name="kva"))
        for name in ("p_kw", "voltage_v", "q_kvar"):
            if getattr(self, name) is not None:
                value = frozen(getattr(self, name), np.float64, shape, name=name)
                if not np.isfinite(value).all():
                    raise InputError(f"{name} must be finite everywhere; the model decides which readings are missing.")
                object.__setattr__(self, name, value)
        day, slot = local_day_and_slot(time_utc)
        if (
            not np.array_equal(interval_start_utc(day, slot), time_utc)
            or (np.diff(day * POINTS_PER_DAY + slot) != 1).any()
        ):
            raise InputError("time_utc must be quarter hours in order without gaps.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterModel:
    """How the synthetic meters err. Every value is an estimate and free to change. [E]

    Attributes
    ----------
    ratio_error_percent : float
        Constant error of each meter and its current transformers, uniform within plus or minus this. [percent]
    noise_percent : float
        Standard deviation of the noise of power. [percent of reading]
    floor_percent : float
        Standard deviation of noise that does not shrink with the load. [percent of kVA]
    phase_spread_v, voltage_noise_v : float
        Standard deviation of the constant offset of each phase, and of the noise of each voltage. [V]
    power_factor : float
        Where no reactive power is given.
    lost_point_percent, lost_stretch_percent, lost_day_percent : float
        Chance of a single reading to be lost; of an area and day to lose a stretch of 1 to 6 h; of an area and day
        to be lost whole. [percent]
    stuck_percent : float
        Chance of an area and day to repeat one value for 1 to 3 h. [percent]
    """

    ratio_error_percent: float = 0.5
    noise_percent: float = 0.5
    floor_percent: float = 0.02
    phase_spread_v: float = 1.5
    voltage_noise_v: float = 0.3
    power_factor: float = 0.97
    lost_point_percent: float = 0.5
    lost_stretch_percent: float = 2.0
    lost_day_percent: float = 0.3
    stuck_percent: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WrittenSample:
    """What was written.

    Attributes
    ----------
    n_row : int
        Rows below the header.
    lost, stuck : ndarray of bool, shape (n_time, n_area)
        Readings that are not in the file, and readings that repeat an earlier value.
    """

    n_row: int
    lost: BoolArray
    stuck: BoolArray


def write_sample_week(
    path: Path | str,
    curves: TrueCurves,
    *,
    seed: int,
    layout: Literal["long", "wide"] = "long",
    meters: MeterModel | None = None,
) -> WrittenSample:
    """Write readings of synthetic meters for the given true curves, a week or any other stretch of time.

    Parameters
    ----------
    path : Path or str
        CSV file to write, UTF-8. Times are Asia/Shanghai and label the start of the interval.
    curves : TrueCurves
        The truth.
    seed : int
        Same curves, model and seed give the same bytes in either layout from the same readings.
    layout : {"long", "wide"}
        One row per area and time, or one per area, day and quantity with 96 points.
    meters : MeterModel, optional
        How the meters err.

    Returns
    -------
    WrittenSample
        What is lost and stuck in the file.
    """
    model = MeterModel() if meters is None else meters
    lost, stuck = _faults(curves, model, np.random.default_rng([seed, 1]))
    reading = _readings(curves, model, np.random.default_rng([seed, 2]), stuck)
    reading[lost] = np.nan
    pieces = _long_tables(curves, reading, lost) if layout == "long" else _wide_tables(curves, reading)
    n_row = 0
    with written_in_one_step(Path(path)) as file:
        file.write(",".join(LONG_HEADER if layout == "long" else WIDE_HEADER).encode() + b"\n")
        options = pacsv.WriteOptions(include_header=False, quoting_style="none")
        for piece in pieces:
            pacsv.write_csv(piece, file, options)
            n_row += piece.num_rows
    return WrittenSample(
        n_row=n_row,
        lost=frozen(lost, np.bool_),
        stuck=frozen(stuck & ~lost, np.bool_),
    )


def _faults(curves: TrueCurves, model: MeterModel, generator: np.random.Generator) -> tuple[BoolArray, BoolArray]:
    """Draw which readings are lost and which repeat an earlier value."""
    shape = curves.p_kw.shape
    lost = generator.random(shape) < model.lost_point_percent / 100
    stuck = np.zeros(shape, dtype=np.bool_)
    day, _ = local_day_and_slot(curves.time_utc)
    for number in np.unique(day):
        rows = np.flatnonzero(day == number)
        chance = generator.random((3, shape[1])) * 100
        begin = generator.integers(0, len(rows), size=(2, shape[1]))
        length = generator.integers([[4], [4]], [[25], [13]], size=(2, shape[1]))
        within = np.arange(len(rows))[:, None]
        stretch = (within >= begin[0]) & (within < begin[0] + length[0])
        repeat = (within > begin[1]) & (within < begin[1] + length[1])
        lost[rows] |= stretch & (chance[0] < model.lost_stretch_percent)
        lost[rows] |= chance[1] < model.lost_day_percent
        stuck[rows] = repeat & (chance[2] < model.stuck_percent)
    return lost, stuck


def _readings(curves: TrueCurves, model: MeterModel, generator: np.random.Generator, stuck: BoolArray) -> FloatArray:
    """Return p, q, ua, ub, uc as the meters give them, shape (n_time, n_area, 5), none lost yet."""
    p_kw, shape = curves.p_kw, curves.p_kw.shape
    tan_phi = np.tan(np.arccos(model.power_factor))
    q_kvar = p_kw * tan_phi if curves.q_kvar is None else curves.q_kvar
    ratio = 1 + generator.uniform(-1, 1, shape[1]) * model.ratio_error_percent / 100
    offset_v = generator.normal(0, model.phase_spread_v, (shape[1], 3))
    offset_v -= offset_v.mean(axis=1, keepdims=True)
    reading = np.empty((*shape, 5))
    for place, true in enumerate((p_kw, q_kvar)):
        noise = generator.standard_normal(shape) * model.noise_percent / 100
        floor = generator.standard_normal(shape) * model.floor_percent / 100 * curves.kva
        reading[:, :, place] = true * ratio * (1 + noise) + floor
    reading[:, :, 0] = np.maximum(reading[:, :, 0], 0.0)
    noise_v = generator.standard_normal((*shape, 3)) * model.voltage_noise_v
    reading[:, :, 2:] = np.maximum(curves.voltage_v[:, :, None] + offset_v + noise_v, 0.0)
    for place, decimals in enumerate(_DECIMALS):
        reading[:, :, place] = np.round(reading[:, :, place], decimals) + 0.0  # No "-0".
    for row in range(1, shape[0]):
        reading[row, stuck[row]] = reading[row - 1, stuck[row]]
    return reading


def _long_tables(curves: TrueCurves, reading: FloatArray, lost: BoolArray) -> Iterator[Any]:
    """Yield tables of rows; a lost reading has no row."""
    times = np.datetime_as_string(curves.time_utc + LOCAL_UTC_OFFSET, unit="m")
    words = pa.array([time.replace("T", " ") for time in times])
    for first in range(0, len(curves.area_ids), _AREAS_AT_ONCE):
        ids = curves.area_ids[first : first + _AREAS_AT_ONCE]
        area, time = np.nonzero(~lost[:, first : first + len(ids)].T)
        values = reading[time, first + area]
        columns = [pa.array(ids).take(pa.array(area)), words.take(pa.array(time))]
        yield _marked([*columns, *(_numbers(values[:, place]) for place in range(5))], LONG_HEADER)


def _wide_tables(curves: TrueCurves, reading: FloatArray) -> Iterator[Any]:
    """Yield tables of rows; a lost reading is an empty cell, a day that is lost whole has no rows."""
    day, slot = local_day_and_slot(curves.time_utc)
    numbers = np.unique(day)
    for first in range(0, len(curves.area_ids), _AREAS_AT_ONCE):
        ids = curves.area_ids[first : first + _AREAS_AT_ONCE]
        chosen = slice(first, first + len(ids))
        cube = np.full((len(ids), len(numbers), 5, POINTS_PER_DAY), np.nan)
        cube[:, day - numbers[0], :, slot] = reading[:, chosen].transpose(0, 1, 2)
        area, date = np.nonzero(np.isfinite(cube[:, :, 0]).any(axis=2))
        flat = cube[area, date].reshape(-1, POINTS_PER_DAY)
        dates = np.datetime_as_string(numbers.astype("datetime64[D]"))
        keys = [
            pa.array(np.repeat(np.array(ids, dtype=np.str_)[area], 5)),
            pa.array(np.repeat(dates[date], 5)),
            pa.array(np.tile(np.array(_WIDE_QUANTITIES), len(area))),
        ]
        yield _marked([*keys, *(_numbers(flat[:, point]) for point in range(POINTS_PER_DAY))], WIDE_HEADER)


def _numbers(value: npt.NDArray[np.float64]) -> Any:
    """Write numbers in their shortest form, NaN as an empty cell."""
    return pc.fill_null(pc.cast(pa.array(value, mask=np.isnan(value)), pa.string()), "")


def _marked(columns: list[Any], header: tuple[str, ...]) -> Any:
    return pa.table([*columns, pa.repeat("synthetic", len(columns[0]))], names=list(header))
