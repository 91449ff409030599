r"""How rare a cold night is: annual minima of the basin station, and counties beside it.

Annual minima are taken as Gumbel distributed, with the moments of published design conditions. The minimum that is met
or undercut once in :math:`T` years on average is

.. math:: \theta_T = \mu + \sigma \frac{\sqrt 6}{\pi} \left[ \gamma + \ln \ln \frac{T}{T - 1} \right]

with mean :math:`\mu`, spread :math:`\sigma` and Euler's constant :math:`\gamma`. The published return minima of 5, 10,
20 and 50 years lie within 0.1 K of it; being made with the same law, they prove the method and not the law. Beyond 50
years it is an extrapolation (confidence G-): -19 degC, quoted as the record, comes out at some 500 years.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import FloatArray
from gridcheck.demand.tables import named_values
from gridcheck.demand.weather.typical_winter import county_offset_k
from gridcheck.errors import InputError

# The coldest night of most winters falls into January, so that month's offset moves a minimum to another county. [E]
_COLDEST_MONTH = 0


def return_period_years(minimum_c: npt.ArrayLike, *, county_code: str | None = None) -> FloatArray:
    """Return the mean time between winters whose lowest temperature is at most this one.

    Parameters
    ----------
    minimum_c : array_like, shape (...)
        Lowest temperature. [degC]
    county_code : str, optional
        County in whose seat it was measured; without one, the basin station.

    Returns
    -------
    ndarray, shape (...)
        At least 1; NaN where `minimum_c` is. [a]

    Examples
    --------
    >>> float(return_period_years(-14.0).round())
    12.0
    """
    location_c, scale_k = _gumbel()
    reduced = (location_c - (np.asarray(minimum_c, dtype=np.float64) - _offset_k(county_code))) / scale_k
    # Share of winters that stay above; the bound keeps a warm minimum from overflowing.
    chance = -np.expm1(-np.exp(-np.maximum(reduced, -50.0)))
    return np.asarray(1.0 / chance)


def return_minimum_c(years: npt.ArrayLike, *, county_code: str | None = None) -> FloatArray:
    """Return the lowest temperature that is met or undercut once in so many years.

    Parameters
    ----------
    years : array_like, shape (...)
        Mean time between such winters, more than 1. [a]
    county_code : str, optional
        County; without one, the basin station.

    Returns
    -------
    ndarray, shape (...)
        Temperature. [degC]

    Raises
    ------
    InputError
        If a return period is not above one year.
    """
    period = np.asarray(years, dtype=np.float64)
    if not (period > 1.0).all():
        raise InputError(f"years must be above 1 everywhere, because one winter has one minimum. Got {period}.")
    location_c, scale_k = _gumbel()
    return np.asarray(location_c + scale_k * np.log(-np.log1p(-1.0 / period)) + _offset_k(county_code))


def _gumbel() -> tuple[float, float]:
    """Return location [degC] and scale [K] from mean and spread."""
    value = named_values("weather/annual_minima.csv")
    scale_k = value["sigma_k"] * np.sqrt(6.0) / np.pi
    return float(value["mean_c"] + np.euler_gamma * scale_k), float(scale_k)


def _offset_k(county_code: str | None) -> float:
    return 0.0 if county_code is None else float(county_offset_k(county_code)[_COLDEST_MONTH])
