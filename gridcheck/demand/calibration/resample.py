"""Which areas and days a resampled fit counts how often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.demand.calibration.panel import Panel
from gridcheck.demand.calibration.readings import LEAST_SHARE_SPREAD
from gridcheck.errors import InputError

_TRIES = 200


def resampled(panel: Panel, rng: np.random.Generator, n_draw: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Draw areas and blocks of days with replacement.

    Areas are drawn because each has its own people; whole days in blocks of a few, because what a day's weather and
    calendar did to all areas is not new in every area, nor all forgotten the next day.

    Parameters
    ----------
    panel : Panel
        Readings.
    rng : Generator
        Random numbers.
    n_draw : int
        Number of draws.

    Yields
    ------
    area_weight : ndarray of int, shape (n_area,)
        How often an area counts.
    day_weight : ndarray of int, shape (n_day,)
        How often a day counts.

    Raises
    ------
    InputError
        If hardly any draw of areas keeps base load and heating apart.
    """
    read = np.flatnonzero(np.isfinite(panel.hour_kw).any(axis=(0, 2)))
    length = max(1, round(len(read) ** (1.0 / 3.0)))
    for _ in range(n_draw):
        area_weight = _areas(panel, rng)
        starts = rng.integers(0, len(read), size=-(-len(read) // length))
        # Days follow each other in a ring, so that the first and last count like the others.
        chosen = (starts[:, None] + np.arange(length)).ravel()[: len(read)] % len(read)
        yield area_weight, np.bincount(read[chosen], minlength=panel.n_day)


def _areas(panel: Panel, rng: np.random.Generator) -> IntArray:
    n_area = len(panel.homes)
    share = panel.converted.sum(axis=1) / panel.homes
    for _ in range(_TRIES):
        weight = np.bincount(rng.integers(0, n_area, size=n_area), minlength=n_area)
        homes = weight * panel.homes
        mean = np.average(share, weights=homes)
        apart = np.sqrt(np.average((share - mean) ** 2, weights=homes)) >= LEAST_SHARE_SPREAD
        if apart and (weight @ panel.converted > 0.0).all() and (weight > 0).sum() > panel.converted.shape[1]:
            return np.asarray(weight, dtype=np.int64)
    raise InputError(
        "There are too few areas with another converted share or class of heater to say how sure the estimate is. "
        "Add areas."
    )
