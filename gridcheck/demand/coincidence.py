r"""The classical method: a coincidence factor that falls with the number of homes, from a table for use on paper.

.. math:: P(N) = N\, p_1(T)\, k(N, T), \qquad k(N, T) = k_\infty(T) + \left(1 - k_\infty(T)\right) N^{-\alpha}

with :math:`p_1` the peak of one home per rated input on a day of mean temperature T, and :math:`k_\infty` what is left
of it in a crowd. A single factor for all temperatures is wrong where it matters: in a long cold :math:`k_\infty` rises
towards 1. The table is fitted from simulated homes (`fit_coincidence`) and lies beside this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.demand.clock import local_day
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.tables import PACKAGE
from gridcheck.demand.weather import Weather, steady_days

TEMPERATURES_C = (5.0, 0.0, -5.0, -10.0, -15.0, -20.0)
"""Daily means for which the table has rows. [degC]"""

GROUP_SIZES = (1, 2, 5, 10, 20, 50, 100, 300)
"""Numbers of homes whose peaks are looked at."""

_FITTED_HOMES = 3000
# A smaller exponent would leave the asymptote to homes that nobody has simulated.
_LEAST_ALPHA, _MOST_ALPHA = 0.3, 1.0

_TABLE = TableSchema(
    key=("device", "temperature_c"),
    columns=(
        Column(name="device", allowed=DEVICE_CLASSES),
        Column(name="temperature_c", kind="float", low=-40, high=20),
        Column(name="one_home", kind="float", low=0, high=3),
        Column(name="k_infinity", kind="float", low=0, high=1),
        Column(name="alpha", kind="float", low=0, high=3),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coincidence:
    """How the peak of homes of one class falls with their number, on days of one mean temperature.

    Attributes
    ----------
    device : str
        Class.
    temperature_c : float
        Mean temperature of the day. [degC]
    one_home : float
        Mean peak of one home over its rated input. [1]
    k_infinity, alpha : float
        Asymptote and exponent. [1]
    worst_error : float
        Largest difference between the formula and the simulated factor at any number of homes. [1]
    """

    device: str
    temperature_c: float
    one_home: float
    k_infinity: float
    alpha: float
    worst_error: float

    def factor(self, n: FloatArray | float) -> FloatArray:
        """Return k(N). [1]"""
        return np.asarray(self.k_infinity + (1.0 - self.k_infinity) * np.asarray(n, dtype=np.float64) ** -self.alpha)


def simulated_peaks(power_kw: FloatArray, sizes: tuple[int, ...] = GROUP_SIZES) -> FloatArray:
    """Return the mean peak per home of groups of each size, shape (n_size,). [kW]

    Parameters
    ----------
    power_kw : ndarray, shape (n_home, n_step)
        Courses of homes; homes that follow each other make a group.
    sizes : tuple of int
        Homes in a group.
    """
    peaks = []
    for n in sizes:
        groups = len(power_kw) // n
        group_kw = power_kw[: groups * n].reshape(groups, n, -1).sum(axis=1)
        peaks.append(float(group_kw.max(axis=1).mean()) / n)
    return np.array(peaks)


def fit_coincidence(
    parameters: DemandParameters,
    *,
    seed: int,
    n_home: int = _FITTED_HOMES,
    temperatures_c: tuple[float, ...] = TEMPERATURES_C,
) -> tuple[Coincidence, ...]:
    """Simulate homes of every class on steady days and fit k(N) for every temperature.

    Parameters
    ----------
    parameters : DemandParameters
        Parameters of the model.
    seed : int
        Seed of the homes.
    n_home : int
        Homes of each class.
    temperatures_c : tuple of float
        Mean temperatures of the days. [degC]
    """
    result = []
    for position, device in enumerate(DEVICE_CLASSES):
        homes = draw_homes(np.arange(position * n_home, (position + 1) * n_home), np.full(n_home, position), seed=seed)
        zones = heated_zones(homes, parameters, seed=seed, step_s=900.0)
        for temperature_c in temperatures_c:
            power = simulate(zones, steady_days(temperature_c), parameters, n_group=n_home).power_kw
            peaks = simulated_peaks(power.astype(np.float64))
            k_infinity, alpha, error = _fitted(np.array(GROUP_SIZES, dtype=np.float64), peaks / peaks[0])
            result.append(
                Coincidence(
                    device=device,
                    temperature_c=temperature_c,
                    one_home=float(peaks[0] / homes.rated_kw.mean()),
                    k_infinity=k_infinity,
                    alpha=alpha,
                    worst_error=error,
                )
            )
    return tuple(result)


def _fitted(n: FloatArray, factor: FloatArray) -> tuple[float, float, float]:
    """Return k_infinity, alpha and the largest error of the least-squares fit."""

    def error(x: FloatArray) -> FloatArray:
        return np.asarray(x[0] + (1.0 - x[0]) * n ** -x[1] - factor)

    fit = least_squares(error, x0=[min(float(factor[-1]), 1.0), 0.6], bounds=([0.0, _LEAST_ALPHA], [1.0, _MOST_ALPHA]))
    return float(fit.x[0]), float(fit.x[1]), float(np.abs(fit.fun).max())


def coincidence_table(fitted: tuple[Coincidence, ...]) -> pd.DataFrame:
    """Return the fit as the rows of ``coincidence.csv``."""
    rows = [
        {
            "device": row.device,
            "temperature_c": row.temperature_c,
            "one_home": round(row.one_home, 3),
            "k_infinity": round(row.k_infinity, 3),
            "alpha": round(row.alpha, 2),
            "source": "simulated",
            "confidence": "C",
            "note": f"largest error of the fit {row.worst_error:.3f}",
        }
        for row in fitted
    ]
    return pd.DataFrame(rows)


@cache
def _table() -> pd.DataFrame:
    return packaged_table(PACKAGE, "coincidence.csv", _TABLE)


def coincidence_pairs(weather: Weather) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Return the classes of heaters by the table: the peak of the day at all of its hours.

    Parameters
    ----------
    weather : Weather
        Daily means in its study window count.

    Returns
    -------
    pair : tuple of ndarray, each of shape (n_step, n_device)
        Mean of a crowd and peak of one home, over the rated input. [1]
    alpha : ndarray, shape (n_device,)
        Exponents at the coldest day.
    """
    time, temperature_c = weather.time_utc[weather.study], weather.temperature_c[weather.study]
    day: IntArray = local_day(time).astype(np.int64)
    day = day - day[0]
    mean_c = (np.bincount(day, weights=temperature_c) / np.bincount(day))[day]
    mean, single, alpha = [], [], []
    for device in DEVICE_CLASSES:
        rows = _table()
        rows = rows[rows["device"] == device].sort_values("temperature_c")
        at_c = rows["temperature_c"].to_numpy(np.float64)
        one = np.interp(mean_c, at_c, rows["one_home"].to_numpy(np.float64))
        single.append(one)
        mean.append(one * np.interp(mean_c, at_c, rows["k_infinity"].to_numpy(np.float64)))
        alpha.append(float(np.interp(mean_c.min(), at_c, rows["alpha"].to_numpy(np.float64))))
    return (np.column_stack(mean), np.column_stack(single)), np.array(alpha)
