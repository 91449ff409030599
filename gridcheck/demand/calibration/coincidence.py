r"""What area sums say about coincidence: between areas, and how the excess of few homes falls with their number.

The formula :math:`k(N) = k_\infty + (1 - k_\infty) N^{-\alpha}` begins at one home, and no transformer has one home.
What can be seen is how far the daily peak of an area stands above its mean course, per home, and how that falls with
the homes behind it. :math:`k_\infty` and anything below the smallest area remain assumptions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.demand.calibration.panel import HOURS, Panel
from gridcheck.demand.calibration.response import Response
from gridcheck.units import POINTS_PER_DAY

LEAST_COMPLETE = 0.9
"""Share of the points of a day, or of the areas at a time, from which a peak counts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peaks:
    """Daily peaks and scatter, area by area; NaN on days that are not complete.

    Attributes
    ----------
    area_peak_kw : ndarray, shape (n_area, n_day)
        Highest quarter hour of the day. [kW]
    sum_peak_kw : ndarray, shape (n_day,)
        The same of the sum of all areas; areas that miss at a time are stood in for by their mean course. [kW]
    excess_kw : ndarray, shape (n_area, n_day)
        Peak above the peak of the mean course, per home. [kW]
    scatter_kw2 : ndarray, shape (n_area, n_day)
        Mean square of the quarter hours about the mean course, with the area's own level. [kW2]
    """

    area_peak_kw: FloatArray
    sum_peak_kw: FloatArray
    excess_kw: FloatArray
    scatter_kw2: FloatArray


def daily_peaks(panel: Panel, response: Response, kept: BoolArray) -> Peaks:
    """Return the peaks of every area and day, against the mean course of its homes.

    Parameters
    ----------
    panel : Panel
        Readings.
    response : Response
        Fitted to them.
    kept : ndarray of bool, shape (n_area, n_day, 24)
        Hours that are no fault of the meter.

    Returns
    -------
    Peaks
    """
    measured = np.where(np.repeat(kept, POINTS_PER_DAY // HOURS, axis=2), panel.quarter_kw, np.nan)
    course = _quarter_course(response.area_kw(panel))
    there = np.isfinite(measured)
    # Every area has a level of its own; what is left is chance, and chance is what coincidence is about.
    level = np.where(there, measured, 0.0).sum(axis=(1, 2)) / np.maximum(
        np.where(there, course, 0.0).sum(axis=(1, 2)), np.finfo(float).tiny
    )
    course = level[:, None, None] * course
    complete = there.mean(axis=2) >= LEAST_COMPLETE
    peak = np.where(complete, np.where(there, measured, -np.inf).max(axis=2), np.nan)
    residual = np.where(there, measured - course, 0.0)
    scatter = (residual**2).sum(axis=2) / np.maximum(there.sum(axis=2), 1)
    together = there.mean(axis=0) >= LEAST_COMPLETE
    total = np.where(there, measured, course).sum(axis=0)
    whole = together.mean(axis=1) >= LEAST_COMPLETE
    return Peaks(
        area_peak_kw=peak,
        sum_peak_kw=np.where(whole, np.where(together, total, -np.inf).max(axis=1), np.nan),
        excess_kw=(peak - course.max(axis=2)) / panel.homes[:, None],
        scatter_kw2=np.where(complete, scatter, np.nan),
    )


def coincidence_values(panel: Panel, peaks: Peaks, area_weight: IntArray, day_weight: IntArray) -> dict[str, float]:
    """Return what the areas and days say about coincidence, NaN where they say nothing.

    Parameters
    ----------
    panel : Panel
        Readings.
    peaks : Peaks
        Their daily peaks.
    area_weight, day_weight : ndarray of int, shape (n_area,), (n_day,)
        How often areas and days count.

    Returns
    -------
    dict
        ``area_coincidence``: mean over the days of the peak of the sum over the sum of peaks [1].
        ``own_scatter_kw``: scatter of one home that is its own; of N homes it is this times the root of N [kW].
        ``common_scatter_kw``: scatter per home that all homes of an area share [kW].
        ``mix_alpha``: exponent with which the excess of the daily peak per home falls with the homes [1].
    """
    days = np.repeat(np.arange(panel.n_day), day_weight)
    areas = np.repeat(np.arange(len(panel.homes)), area_weight)
    homes = panel.homes[areas]
    with warnings.catch_warnings():
        # An area without a complete day has no mean; it is passed over below.
        warnings.simplefilter("ignore", RuntimeWarning)
        excess = np.nanmean(peaks.excess_kw[:, days], axis=1)[areas]
        scatter = np.nanmean(peaks.scatter_kw2[:, days], axis=1)[areas]
        mean_peak = np.nanmean(peaks.area_peak_kw, axis=1)
        whole = np.where(np.isfinite(peaks.area_peak_kw), peaks.area_peak_kw, mean_peak[:, None]).sum(axis=0)
        ratio = float(np.nanmean((peaks.sum_peak_kw / whole)[days]))
    own, common = _scatter_of(homes, scatter)
    return {
        "area_coincidence": ratio,
        "own_scatter_kw": own,
        "common_scatter_kw": common,
        "mix_alpha": _exponent(homes, excess),
    }


def _quarter_course(hour_kw: FloatArray) -> FloatArray:
    """Return the course by quarter hours from means over hours, each standing at its middle; days joined."""
    n_area, n_day, _ = hour_kw.shape
    line = hour_kw.reshape(n_area, -1)
    middle = np.arange(n_day * HOURS) + 0.5
    fine = (np.arange(n_day * POINTS_PER_DAY) + 0.5) * HOURS / POINTS_PER_DAY
    return np.stack([np.interp(fine, middle, row) for row in line]).reshape(n_area, n_day, POINTS_PER_DAY)


def _scatter_of(homes: FloatArray, scatter_kw2: FloatArray) -> tuple[float, float]:
    """Split the variance of areas into one that grows with the homes and one that grows with their square."""
    good = np.isfinite(scatter_kw2) & (scatter_kw2 > 0.0)
    if len(np.unique(homes[good])) < 2:
        return np.nan, np.nan
    per_home = scatter_kw2[good] / homes[good]
    design = np.column_stack([np.ones(good.sum()), homes[good]])
    # Variances scatter in proportion to themselves, so their squares count by the inverse.
    own, common = np.linalg.lstsq(design / per_home[:, None], np.ones(len(per_home)), rcond=None)[0]
    return float(np.sqrt(max(own, 0.0))), float(np.sqrt(max(common, 0.0)))


def _exponent(homes: FloatArray, excess_kw: FloatArray) -> float:
    good = np.isfinite(excess_kw) & (excess_kw > 0.0)
    if len(np.unique(homes[good])) < 3:
        return np.nan
    x, y = np.log(homes[good]), np.log(excess_kw[good])
    return float(-((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean())))
