r"""The classical method: a coincidence factor that falls with the number of homes, from a table for use on paper.

.. math:: P(N) = N\, p_1(T)\, k(N, T), \qquad
   k(N, T) = k_\infty(T) + \left(1 - k_\infty(T)\right) \max\left(\frac{N}{n_0(T)}, 1\right)^{-\alpha(T)}

with :math:`p_1` the peak of one home per rated input on a day of mean temperature T, :math:`k_\infty` what a crowd has
left of it, and :math:`n_0` the homes that all run together in some quarter of an hour of every day. With
:math:`n_0 = 1` it is the usual formula. Heaters that only switch on and off need more: nothing draws more than its
rating, a day has 96 quarters of an hour, and of a few homes that run half of the time, all meet in one of them; only
beyond :math:`n_0` do peaks begin to spread. A single factor for all temperatures is wrong where it matters: in a long
cold :math:`k_\infty` and :math:`n_0` rise. Peaks are means over groups of N homes, not what the unluckiest group draws.
The table is fitted from simulated homes (`fit_coincidence`) and lies beside this module.
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

GROUP_SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 300)
"""Numbers of homes whose peaks are looked at."""

_FITTED_HOMES = 3000
_LEAST_ALPHA, _MOST_ALPHA = 0.3, 1.0
_MOST_TOGETHER = 50.0
# A factor that is too low lets a transformer burn, one that is too high buys a larger one.
_WEIGHT_TOO_LOW = 3.0
# Where a crowd draws this share of what its homes do one by one, there is nothing to fit.
_ALL_AT_ONCE = 0.999

_TABLE = TableSchema(
    key=("device", "temperature_c"),
    columns=(
        Column(name="device", allowed=DEVICE_CLASSES),
        Column(name="temperature_c", kind="float", low=-40, high=20),
        Column(name="one_home", kind="float", low=0, high=3),
        Column(name="k_infinity", kind="float", low=0, high=1),
        Column(name="together", kind="float", low=1, high=1000),
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
    k_infinity, together, alpha : float
        Asymptote, homes that run together every day, and exponent beyond them. [1]
    worst_error, too_low : float
        Largest difference between the formula and the simulated factor at any number of homes, either way and where
        the formula is lower. [1]
    """

    device: str
    temperature_c: float
    one_home: float
    k_infinity: float
    together: float
    alpha: float
    worst_error: float
    too_low: float

    def factor(self, n: FloatArray | float) -> FloatArray:
        """Return k(N). [1]"""
        return _factor(np.asarray(n, dtype=np.float64), self.k_infinity, self.together, self.alpha)


def _factor(n: FloatArray, k_infinity: float, together: float, alpha: float) -> FloatArray:
    return np.asarray(k_infinity + (1.0 - k_infinity) * np.maximum(n / together, 1.0) ** -alpha)


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
            sizes = (*(n for n in GROUP_SIZES if n < n_home), n_home)
            peaks = simulated_peaks(power.astype(np.float64), sizes)
            n, factor = np.array(sizes, dtype=np.float64), peaks / peaks[0]
            k_infinity, together, alpha = _fitted(n, factor)
            above = _factor(n, k_infinity, together, alpha) - factor
            result.append(
                Coincidence(
                    device=device,
                    temperature_c=temperature_c,
                    one_home=float(peaks[0] / homes.rated_kw.mean()),
                    k_infinity=k_infinity,
                    together=together,
                    alpha=alpha,
                    worst_error=float(np.abs(above).max()),
                    too_low=float(np.maximum(-above, 0.0).max()),
                )
            )
    return tuple(result)


def _fitted(n: FloatArray, factor: FloatArray) -> tuple[float, float, float]:
    """Return k_infinity, together and alpha: the first is that of all homes, the others fit the sizes below.

    In the least squares a formula that is too low counts more.
    """
    crowd = float(factor[-1])
    if crowd >= _ALL_AT_ONCE:
        return 1.0, 1.0, 1.0

    def error(x: FloatArray) -> FloatArray:
        above = _factor(n, crowd, *x) - factor
        return np.asarray(np.where(above < 0.0, _WEIGHT_TOO_LOW, 1.0) * above)

    # The formula has an edge at `together`, so the way down is looked for from several sides.
    fits = [
        least_squares(error, x0=[start, 0.5], bounds=([1.0, _LEAST_ALPHA], [_MOST_TOGETHER, _MOST_ALPHA]))
        for start in (1.1, 2.0, 4.0, 8.0, 16.0, 32.0)
    ]
    together, alpha = min(fits, key=lambda fit: float(fit.cost)).x
    return crowd, float(together), float(alpha)


def coincidence_table(fitted: tuple[Coincidence, ...]) -> pd.DataFrame:
    """Return the fit as the rows of ``coincidence.csv``."""
    rows = [
        {
            "device": row.device,
            "temperature_c": row.temperature_c,
            "one_home": round(row.one_home, 3),
            "k_infinity": round(row.k_infinity, 3),
            "together": round(row.together, 1),
            "alpha": round(row.alpha, 2),
            "source": "simulated",
            "confidence": "C",
            "note": f"largest error of the fit {row.worst_error:.3f}; at most {row.too_low:.3f} lower than simulated",
        }
        for row in fitted
    ]
    return pd.DataFrame(rows)


@cache
def _table() -> pd.DataFrame:
    return packaged_table(PACKAGE, "coincidence.csv", _TABLE)


def coincidence_pairs(weather: Weather) -> tuple[tuple[FloatArray, FloatArray], FloatArray, FloatArray]:
    """Return the classes of heaters by the table: the peak of the day at all of its hours.

    Parameters
    ----------
    weather : Weather
        Daily means in its study window count.

    Returns
    -------
    pair : tuple of ndarray, each of shape (n_step, n_device)
        Mean of a crowd and peak of one home, over the rated input. [1]
    alpha, together : ndarray, shape (n_device,)
        Exponents at the coldest day, and homes that then run together. [1]
    """
    time, temperature_c = weather.time_utc[weather.study], weather.temperature_c[weather.study]
    day: IntArray = local_day(time).astype(np.int64)
    day = day - day[0]
    mean_c = (np.bincount(day, weights=temperature_c) / np.bincount(day))[day]
    mean, single, alpha, together = [], [], [], []
    for device in DEVICE_CLASSES:
        rows = _table()
        rows = rows[rows["device"] == device].sort_values("temperature_c")
        at_c = rows["temperature_c"].to_numpy(np.float64)
        one = np.interp(mean_c, at_c, rows["one_home"].to_numpy(np.float64))
        single.append(one)
        mean.append(one * np.interp(mean_c, at_c, rows["k_infinity"].to_numpy(np.float64)))
        alpha.append(float(np.interp(mean_c.min(), at_c, rows["alpha"].to_numpy(np.float64))))
        together.append(float(np.interp(mean_c.min(), at_c, rows["together"].to_numpy(np.float64))))
    return (np.column_stack(mean), np.column_stack(single)), np.array(alpha), np.array(together)
