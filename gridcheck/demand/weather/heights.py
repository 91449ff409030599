"""Temperature at the height of a village."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import FloatArray
from gridcheck.demand.weather.record import Weather
from gridcheck.demand.weather.typical_winter import winter_statistics
from gridcheck.errors import InputError

# Nothing is lived in outside; a height beyond is a slip of the unit.
_LOWEST_M, _HIGHEST_M = -200.0, 5500.0


def height_offset_k(
    *,
    from_height_m: npt.ArrayLike,
    to_height_m: npt.ArrayLike,
    lapse_rate_k_per_km: float | None = None,
    warmer_below: bool = False,
) -> FloatArray:
    r"""Return by how much villages are warmer than the place where the weather was taken.

    Parameters
    ----------
    from_height_m : array_like
        Height of the weather; for a county's weather, that of its seat. [m]
    to_height_m : array_like, shape (n,)
        Heights of the villages. [m]
    lapse_rate_k_per_km : float, optional
        Fall of temperature with height; by default that of ``weather_statistics.csv``. [K/km]
    warmer_below : bool
        Whether villages below the place are taken to be warmer. For energy of a season they are; for the coldest night
        nobody can be sure, so it is off.

    Returns
    -------
    ndarray, shape (n,)
        Negative above the place. [K]

    Raises
    ------
    InputError
        If a height is not a height.

    Notes
    -----
    .. math:: \Delta = -\gamma\, (z_{village} - z_{place})

    with 6.5 K/km (G+) as a mean over days and weathers. In the clear, calm nights that follow a cold front the basin
    fills with cold air and the air above it is *warmer* (inversion). The lapse rate then overstates the cold of high
    villages, which is on the safe side and is kept; and it promises low villages a warmth that they do not have, which
    is not, so that they get none unless asked for. How far inversions reach in Yuncheng has not been measured for this
    package: the offset of one village in one night is an estimate (E).
    """
    place_m, village_m = np.asarray(from_height_m, dtype=np.float64), np.asarray(to_height_m, dtype=np.float64)
    for name, height_m in (("from_height_m", place_m), ("to_height_m", village_m)):
        if not ((height_m >= _LOWEST_M) & (height_m <= _HIGHEST_M)).all():
            raise InputError(f"{name} must be heights in [{_LOWEST_M:g}, {_HIGHEST_M:g}] m. Got {height_m}.")
    lapse = winter_statistics().lapse_rate_k_per_km if lapse_rate_k_per_km is None else lapse_rate_k_per_km
    offset = -lapse * (village_m - place_m) / 1000.0
    return np.asarray(offset if warmer_below else np.minimum(offset, 0.0))


def at_height(weather: Weather, *, from_height_m: float, to_height_m: float, warmer_below: bool = False) -> Weather:
    """Move weather to the height of a village; sun and humidity stay.

    Parameters
    ----------
    weather : Weather
        Weather of a place.
    from_height_m, to_height_m : float
        Height of that place and of the village. [m]
    warmer_below : bool
        See `height_offset_k`, as for what inversions mean for it.

    Returns
    -------
    Weather
        The label says so where the temperature changed.

    Raises
    ------
    InputError
        If a height is not a height.
    """
    offset_k = float(height_offset_k(from_height_m=from_height_m, to_height_m=to_height_m, warmer_below=warmer_below))
    if offset_k == 0.0:
        return weather
    return replace(
        weather,
        temperature_c=weather.temperature_c + offset_k,
        label=f"{weather.label}, moved from {from_height_m:.0f} to {to_height_m:.0f} m ({offset_k:+.1f} K)",
    )
