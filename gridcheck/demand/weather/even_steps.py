"""Weather series on even steps: gaps filled and reported or refused, then quarters of an hour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, TimeArray
from gridcheck.demand.clock import local_day
from gridcheck.demand.weather.record import STEP_MINUTES
from gridcheck.demand.weather.series import RawSeries, first_rows, local_text, name_of
from gridcheck.errors import SchemaError

_STEPS_MIN = (10, 15, 30, 60)
_QUARTER = np.timedelta64(STEP_MINUTES, "m").astype("timedelta64[ns]")
# Months that nobody recorded part two winters; a failure of instruments is shorter.
_MONTHS = np.timedelta64(28, "D")


def usual_step(time_utc: TimeArray, *, where: str) -> np.timedelta64:
    """Return the most frequent step from row to row; rows that go back are found elsewhere.

    Raises
    ------
    SchemaError
        If it is none of 10, 15, 30 and 60 min.
    """
    steps, count = np.unique(np.diff(time_utc), return_counts=True)
    rising = steps > np.timedelta64(0, "ns")
    steps, count = steps[rising], count[rising]
    step = steps[count.argmax()] if len(steps) else np.timedelta64(0, "ns")
    minutes = float(step / np.timedelta64(1, "m"))
    if minutes not in _STEPS_MIN:
        raise SchemaError(
            f"{where}: rows are mostly {minutes:g} min apart; {', '.join(map(str, _STEPS_MIN))} min are read. Export "
            "hourly values or finer ones."
        )
    return np.timedelta64(step, "ns")


def without_gaps(series: RawSeries, *, longest_gap_h: float) -> RawSeries:
    """Put a series on even steps and fill its short gaps by straight lines.

    Parameters
    ----------
    series : RawSeries
        With rising times.
    longest_gap_h : float
        Longest gap that may be filled. [h]

    Returns
    -------
    RawSeries
        Every step from the first to the last, all values finite, each gap counted in `repairs`.

    Raises
    ------
    SchemaError
        If a row lies between the steps, or a gap is too long.
    """
    step = usual_step(series.time_utc, where=series.where)
    since = series.time_utc - series.time_utc[0]
    between = np.flatnonzero(since % step != np.timedelta64(0, "ns"))
    if len(between):
        raise SchemaError(
            f"{series.where}: rows are {step / np.timedelta64(1, 'm'):g} min apart, but some lie between. "
            "Export even steps.",
            first_rows([f"row {series.row[at]}: {local_text(series.time_utc[at])}" for at in between]),
        )
    # Before the even steps are laid out, because one slip of a year would make millions of them.
    _refuse_periods(series, longest_gap_h)
    missing_h = np.diff(series.time_utc) / np.timedelta64(1, "h") - step / np.timedelta64(1, "h")
    _refuse_long("everything", series.time_utc[:-1] + step, missing_h, longest_gap_h, series.where)
    position = (since // step).astype(np.int64)
    time_utc = series.time_utc[0] + np.arange(position[-1] + 1) * step
    changed: dict[str, FloatArray] = {}
    repairs = list(series.repairs)
    for quantity, given in series.values.items():
        value = np.full(len(time_utc), np.nan)
        value[position] = given
        missing = np.isnan(value)
        if missing.any():
            repairs.append(_gap_sentence(quantity, missing, time_utc, step, longest_gap_h, series.where))
            value[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), value[~missing])
        changed[quantity] = value
    return replace(
        series, time_utc=time_utc, row=np.zeros(len(time_utc), np.int64), repairs=tuple(repairs), values=changed
    )


def on_quarters(series: RawSeries) -> RawSeries:
    r"""Bring a series of even steps to quarters of an hour.

    Parameters
    ----------
    series : RawSeries
        Even steps without gaps.

    Returns
    -------
    RawSeries
        From the first to the last quarter that lies inside.

    Notes
    -----
    Temperature and humidity run straight from centre to centre of the given intervals. Irradiance is the increase of
    the running sum, so that its energy stays:

    .. math:: \bar G = \frac{E(t + \tau) - E(t)}{\tau}, \quad E(t) = \int_0^t G\, dt'
    """
    step = series.time_utc[1] - series.time_utc[0]
    if step == _QUARTER and (series.time_utc[0] - np.datetime64(0, "ns")) % _QUARTER == np.timedelta64(0, "ns"):
        return series
    begin, end = series.time_utc[0], series.time_utc[-1] + step
    late = (begin - np.datetime64(0, "ns")) % _QUARTER
    first = begin + (_QUARTER - late) % _QUARTER
    time_utc = first + np.arange((end - first) // _QUARTER) * _QUARTER
    at = (time_utc - begin).astype(np.float64)
    quarter, interval = float(_QUARTER.astype(np.int64)), float(step.astype("timedelta64[ns]").astype(np.int64))
    edges = np.arange(len(series.time_utc) + 1) * interval
    changed: dict[str, FloatArray] = {}
    for quantity, value in series.values.items():
        if quantity == "solar_w_per_m2":
            energy = np.concatenate([[0.0], np.cumsum(value)]) * interval
            changed[quantity] = (np.interp(at + quarter, edges, energy) - np.interp(at, edges, energy)) / quarter
        else:
            changed[quantity] = np.interp(at + quarter / 2.0, edges[:-1] + interval / 2.0, value)
    note = f"steps of {interval / 60e9:g} min were brought to {STEP_MINUTES} min"
    rows = np.zeros(len(time_utc), np.int64)
    return replace(series, time_utc=time_utc, row=rows, notes=(*series.notes, note), values=changed)


def _gap_sentence(
    quantity: str, missing: BoolArray, time_utc: TimeArray, step: np.timedelta64, longest_gap_h: float, where: str
) -> str:
    """Return the sentence about the gaps of a quantity, or raise if one is too long."""
    first, length = _runs(missing)
    step_h = float(step / np.timedelta64(1, "h"))
    _refuse_long(name_of(quantity), time_utc[first], length.astype(np.float64) * step_h, longest_gap_h, where)
    worst = int(length.argmax())
    return (
        f"{name_of(quantity)}: {int(length.sum())} of {len(missing)} values were missing in {len(first)} gaps, the "
        f"longest {length[worst] * step_h:g} h from {local_text(time_utc[first[worst]])}; filled by straight lines"
    )


def _refuse_periods(series: RawSeries, longest_gap_h: float) -> None:
    """Refuse a file of several winters, with the first and last day of each."""
    ahead = np.diff(series.time_utc)
    apart = np.flatnonzero((ahead > _MONTHS) & (ahead / np.timedelta64(1, "h") > longest_gap_h))
    if not len(apart):
        return
    begins, ends = np.concatenate([[0], apart + 1]), np.concatenate([apart, [len(series.time_utc) - 1]])
    day = local_day(series.time_utc)
    count = "two" if len(begins) == 2 else f"{len(begins)}"
    raise SchemaError(
        f"{series.where} holds {count} periods with months between them; a study reads one. Keep the rows of the "
        "winter that is wanted (the study window and the 10 days before it) and take the others out; if there should "
        "be one period only, correct the year or month of the rows named.",
        first_rows(
            [
                f"{day[begin]} to {day[end]}, rows {series.row[begin]} to {series.row[end]}"
                for begin, end in zip(begins, ends, strict=True)
            ]
        ),
    )


def _refuse_long(name: str, first: TimeArray, length_h: FloatArray, longest_gap_h: float, where: str) -> None:
    """Refuse gaps that begin at these times and are too long to be filled."""
    too_long = np.flatnonzero(length_h > longest_gap_h + 1e-9)
    if len(too_long):
        raise SchemaError(
            f"{where}: {name} is missing for longer than {longest_gap_h:g} h. Fill the gaps in the file, cut off what "
            "lies beyond them and is not needed (needed are the study window and the 10 days before it), or take "
            "another winter (in Python: read_weather with longest_gap_h).",
            first_rows([f"from {local_text(first[at])}: {length_h[at]:g} h" for at in too_long]),
        )


def _runs(missing: BoolArray) -> tuple[IntArray, IntArray]:
    """Return where each run of missing values begins and how long it is."""
    edge = np.diff(np.concatenate([[0], missing.astype(np.int64), [0]]))
    first = np.flatnonzero(edge == 1)
    return first, np.flatnonzero(edge == -1) - first
