r"""Base load per home and heating per converted home, fitted to all areas at once.

.. math:: P_a(t) = N_a\, b_h + \sum_c M_{ac}\, s_{ch}\, \min\left(\max(T_b - T_e(t), 0),\; T_b - T_s\right)

with homes lived in :math:`N_a`, converted homes :math:`M_{ac}`, the felt outdoor temperature :math:`T_e`, the balance
temperature :math:`T_b` and the saturation :math:`T_s`, below which the heaters run at full speed. Given the two bends
and the memory of the walls, the rest is linear and falls apart by hour of day; so the search is over three numbers.
An area's variance grows with its homes, so its squares count with :math:`1 / N_a`.
"""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.demand.calibration.panel import HOURS, MEMORY_H, Panel

BALANCE_SEARCH_C = (6.0, 24.0)
"""Where the balance temperature is looked for. [degC]"""
WARMEST_SATURATION_C = -3.0
"""Saturation is looked for from here down to the coldest hour. [degC]"""
SATURATION_SEEN_C = -6.0
"""Felt temperature that must be undercut for `LEAST_COLD_HOURS` before saturation is looked for at all. [degC]"""
LEAST_COLD_HOURS = 48

_USUAL_MEMORY = int(np.searchsorted(MEMORY_H, 20.0))
_HALVINGS = 6
# Distance from the coldest hour within which a bend is none: nothing lies beyond it. [K]
_AT_THE_END_K = 0.5
_RIDGE = 1e-9
# Scaled median deviations from the median of the area and hour beyond which a reading is the meter's fault: demand is
# skewed, so its own peaks stay. The first look is at the readings alone, which follow the weather.
_FAULT_FIRST, _FAULT_AFTER = 15.0, 8.0
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """Base load and heating as functions of the hour and of the felt outdoor temperature.

    Attributes
    ----------
    base_kw : ndarray, shape (24,)
        Base load per home lived in, by local hour. [kW]
    slope_kw_per_k : ndarray, shape (n_class, 24)
        Heating per converted home and kelvin below the balance temperature, by class and local hour. [kW/K]
    memory_h : float
        Time constant of the walls. [h]
    balance_c : float
        Felt temperature above which nobody heats. [degC]
    saturation_c : float
        Felt temperature below which heating rises no more; minus infinity where the readings show none. [degC]
    """

    base_kw: FloatArray
    slope_kw_per_k: FloatArray
    memory_h: float
    balance_c: float
    saturation_c: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_kw", frozen(self.base_kw, np.float64, (HOURS,), name="base_kw"))
        object.__setattr__(
            self, "slope_kw_per_k", frozen(self.slope_kw_per_k, np.float64, (None, HOURS), name="slope_kw_per_k")
        )

    def cold_k(self, felt_c: FloatArray | float) -> FloatArray:
        """Return the kelvins of cold that heating answers to, in the shape of `felt_c`. [K]"""
        return np.asarray(np.clip(self.balance_c - np.asarray(felt_c), 0.0, self.balance_c - self.saturation_c))

    def heating_kw(self, felt_c: float) -> FloatArray:
        """Return heating per converted home at a felt temperature, shape (n_class, 24). [kW]"""
        return self.slope_kw_per_k * self.cold_k(felt_c)

    def slope_percent_per_k(self) -> float:
        """Return the rise per kelvin of cold over the power at -10 degC, the same for all classes. [%/K]"""
        return 100.0 / float(self.cold_k(-10.0))

    def area_kw(self, panel: Panel) -> FloatArray:
        """Return the power of every area in every hour of a panel, shape (n_area, n_day, 24). [kW]"""
        place = float(np.interp(self.memory_h, MEMORY_H, np.arange(len(MEMORY_H))))
        cold = self.cold_k(_felt_at(panel.felt_c, np.array([place]))[0])[panel.group]
        slope = panel.converted @ self.slope_kw_per_k
        return panel.homes[:, None, None] * self.base_kw + slope[:, None, :] * cold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Weighted products of counts and readings, summed over the areas of a weather; all later work is on these.

    Attributes
    ----------
    products : ndarray, shape (24, n_column, n_column, n_group * n_day)
        Of homes and converted homes with each other.
    readings : ndarray, shape (24, n_column, n_group * n_day)
        Of homes and converted homes with the power.
    """

    products: FloatArray
    readings: FloatArray


def cold_hours(panel: Panel) -> int:
    """Return how many hours with readings felt colder than `SATURATION_SEEN_C` with the usual memory of walls."""
    return int((_felt_read(panel) < SATURATION_SEEN_C).sum())


def coldest_c(panel: Panel) -> float:
    """Return the lowest felt temperature of an hour with readings, with the usual memory of the walls. [degC]"""
    return float(_felt_read(panel).min())


def _felt_read(panel: Panel) -> FloatArray:
    """Return felt temperatures of the hours in which any area has a reading, mean over the weathers."""
    return np.asarray(panel.felt_c[_USUAL_MEMORY].mean(axis=0)[np.isfinite(panel.hour_kw).any(axis=0)])


def robust_fit(panel: Panel) -> tuple[Response, BoolArray]:
    """Fit the response and set aside what only a faulty meter can have said.

    Parameters
    ----------
    panel : Panel
        Readings.

    Returns
    -------
    Response
        Fitted to the readings that are kept.
    ndarray of bool, shape (n_area, n_day, 24)
        Which readings are kept.
    """
    everybody, every_day = np.ones(len(panel.homes), dtype=np.int64), np.ones(panel.n_day, dtype=np.int64)
    kept = _not_faulty(panel.hour_kw, np.isfinite(panel.hour_kw), _FAULT_FIRST)
    response = fit(panel, kept, everybody, every_day)
    for _ in range(2):
        kept = _not_faulty(panel.hour_kw - response.area_kw(panel), np.isfinite(panel.hour_kw), _FAULT_AFTER)
        response = fit(panel, kept, everybody, every_day)
    return response, kept


def _not_faulty(residual_kw: FloatArray, there: BoolArray, limit: float) -> BoolArray:
    masked = np.where(there, residual_kw, np.nan)
    with warnings.catch_warnings():
        # An hour that an area never has read has no median, and nothing to set aside.
        warnings.simplefilter("ignore", RuntimeWarning)
        distance = np.abs(masked - np.nanmedian(masked, axis=1, keepdims=True))
        usual = _MAD_TO_SIGMA * np.nanmedian(distance, axis=(1, 2), keepdims=True)
    return np.asarray(there & (np.nan_to_num(distance) <= limit * np.nan_to_num(usual)))


def fit(panel: Panel, kept: BoolArray, area_weight: IntArray, day_weight: IntArray) -> Response:
    """Fit the response by weighted least squares.

    Parameters
    ----------
    panel : Panel
        Readings.
    kept : ndarray of bool, shape (n_area, n_day, 24)
        Which of them count.
    area_weight : ndarray of int, shape (n_area,)
        How often an area counts.
    day_weight : ndarray of int, shape (n_day,)
        How often a day counts.

    Returns
    -------
    Response
    """
    sums = _sums(panel, kept, area_weight, day_weight)
    coldest = coldest_c(panel)
    look_for_bend = cold_hours(panel) >= LEAST_COLD_HOURS
    if look_for_bend:
        # A bend needs hours beyond it, or one cold day's mood would pass for one.
        coldest = float(np.partition(_felt_read(panel), LEAST_COLD_HOURS)[LEAST_COLD_HOURS])
    axes = [
        np.linspace(0.0, len(MEMORY_H) - 1.0, 4),
        np.linspace(*BALANCE_SEARCH_C, 5),
        np.linspace(coldest, WARMEST_SATURATION_C, 4) if look_for_bend else np.array([coldest]),
    ]
    low, high = np.array([axis[0] for axis in axes]), np.array([axis[-1] for axis in axes])
    step = np.array([axis[1] - axis[0] if len(axis) > 1 else 0.0 for axis in axes])
    best = _best_of(panel, sums, np.array(list(itertools.product(*axes))))
    for _ in range(_HALVINGS):
        step = step / 2.0
        around = [(-1.0, 0.0, 1.0) if width > 0.0 else (0.0,) for width in step]
        best = _best_of(panel, sums, np.clip(best + np.array(list(itertools.product(*around))) * step, low, high))
    _, coefficients = _solved(panel, sums, best[None, :])
    return Response(
        base_kw=coefficients[:, 0, 0],
        slope_kw_per_k=coefficients[:, 0, 1:].T,
        memory_h=float(np.interp(best[0], np.arange(len(MEMORY_H)), MEMORY_H)),
        balance_c=float(best[1]),
        saturation_c=float(best[2]) if best[2] > coldest + _AT_THE_END_K else -np.inf,
    )


def _sums(panel: Panel, kept: BoolArray, area_weight: IntArray, day_weight: IntArray) -> Sums:
    counts = np.column_stack([panel.homes, panel.converted])
    weight = area_weight / panel.homes
    kept_kw = np.where(kept, panel.hour_kw, 0.0)
    products: list[FloatArray] = []
    readings: list[FloatArray] = []
    for group in range(panel.felt_c.shape[1]):
        own = np.flatnonzero((panel.group == group) & (area_weight > 0))
        weighted = weight[own, None] * counts[own]
        pairs = weighted[:, :, None] * counts[own][:, None, :]
        products.append(np.tensordot(pairs, kept[own].astype(np.float64), axes=(0, 0)))
        readings.append(np.tensordot(weighted, kept_kw[own], axes=(0, 0)))
    # Axes: columns, groups by days, hours; then hours first, so that every hour is one block of its own.
    product: FloatArray = np.concatenate(products, axis=2) * np.tile(day_weight, len(products))[:, None]
    reading: FloatArray = np.concatenate(readings, axis=1) * np.tile(day_weight, len(readings))[:, None]
    return Sums(products=np.moveaxis(product, -1, 0), readings=np.moveaxis(reading, -1, 0))


def _felt_at(felt_c: FloatArray, place: FloatArray) -> FloatArray:
    """Return felt temperatures between the time constants, ``(n_place, *felt_c.shape[1:])``."""
    lower = np.minimum(place.astype(np.int64), len(felt_c) - 2)
    part = (place - lower).reshape(-1, *([1] * (felt_c.ndim - 1)))
    return np.asarray((1.0 - part) * felt_c[lower] + part * felt_c[lower + 1])


def _solved(panel: Panel, sums: Sums, choices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the squares explained by each choice of memory, balance and saturation, and its coefficients.

    Shapes (n_choice,) and (24, n_choice, n_column).
    """
    places, which = np.unique(choices[:, 0], return_inverse=True)
    felt = _felt_at(panel.felt_c, places).reshape(len(places), -1, HOURS)[which]
    balance, saturation = choices[:, 1, None, None], choices[:, 2, None, None]
    cold = np.moveaxis(np.clip(balance - felt, 0.0, balance - saturation), -1, 0)
    n_column = sums.readings.shape[1]
    ones, squares = np.ones_like(cold[:, :1]), cold**2
    normal = np.empty((HOURS, len(choices), n_column, n_column))
    right = np.empty((HOURS, len(choices), n_column))
    for row in range(n_column):
        right[:, :, row] = ((ones if row == 0 else cold) @ sums.readings[:, row, :, None])[:, :, 0]
        for column in range(row, n_column):
            # Column 0 is the base load; the others carry the cold.
            factor = ones if column == 0 else cold if row == 0 else squares
            value = (factor @ sums.products[:, row, column, :, None])[:, :, 0]
            normal[:, :, row, column] = normal[:, :, column, row] = value
    diagonal = np.arange(n_column)
    normal[:, :, diagonal, diagonal] += _RIDGE * np.trace(normal, axis1=2, axis2=3)[:, :, None] + np.finfo(float).tiny
    coefficients = np.linalg.solve(normal, right[..., None])[..., 0]
    return np.asarray((coefficients * right).sum(axis=(0, 2))), np.asarray(coefficients)


def _best_of(panel: Panel, sums: Sums, choices: FloatArray) -> FloatArray:
    explained, _ = _solved(panel, sums, choices)
    return np.asarray(choices[int(np.argmax(explained))])
