"""Everything that is not heating: light, cooking, water, and who is at home at the Spring Festival."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray
from gridcheck.demand.clock import local_day, local_hour
from gridcheck.demand.festival import days_from_new_year, festival_presence
from gridcheck.demand.households import draws
from gridcheck.demand.households.absence import days_at_home
from gridcheck.demand.households.kernel import follow_base
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather

_HOURS_PER_YEAR = 8760.0
_QUARTER = np.timedelta64(15, "m").astype("timedelta64[ns]").astype(np.int64)


def mean_base_kw(weather: Weather, parameters: DemandParameters, *, factor: str = "festival_factor") -> FloatArray:
    """Return the power of the mean home on a mean hour of each step's day, festival included, shape (n_step,). [kW]

    Parameters
    ----------
    weather : Weather
        Its times count.
    parameters : DemandParameters
        Rows of ``base_load.csv`` and ``model.csv``.
    factor : str
        Row with the load at the festival over that of other days: of all that comes, or of homes lived in anyway.
    """
    base, time = parameters.base, weather.time_utc[weather.study]
    presence = festival_presence(local_day(time), parameters.house)
    level_kw = base["annual_kwh"] / _HOURS_PER_YEAR * base["winter_factor"]
    return np.asarray(level_kw * (1.0 + (base[factor] - 1.0) * presence))


def simulate_base(
    home: IntArray,
    weather: Weather,
    parameters: DemandParameters,
    *,
    seed: int,
    group: IntArray,
    n_group: int,
    is_away: BoolArray | None = None,
) -> tuple[Float32Array, Float32Array]:
    """Simulate the base load of homes in the study window.

    Parameters
    ----------
    home : ndarray of int, shape (n_home,)
        Numbers that tell homes apart.
    weather : Weather
        Its times count, not its temperatures.
    parameters : DemandParameters
        Rows of ``base_load.csv`` and ``model.csv``.
    seed : int
        Seed.
    group : ndarray of int, shape (n_home,)
        Row of the result for each home.
    n_group : int
        Rows of the result.
    is_away : ndarray of bool, shape (n_home,), optional
        Homes of migrants. Where they are given, they make the festival's extra load themselves, and the others draw
        only what more guests need; where not, it is spread over all homes.

    Returns
    -------
    power_kw, reactive_kvar : ndarray of float32, shape (n_group, n_step)
    """
    time, base = weather.time_utc[weather.study], parameters.base
    key = draws.keys(seed, home)
    away = np.zeros(len(home), dtype=bool) if is_away is None else np.asarray(is_away)
    back_day, gone_day = days_at_home(key, away, parameters)
    mean_kw = mean_base_kw(
        weather, parameters, factor="festival_factor" if is_away is None else "festival_occupied_factor"
    )
    sigma = base["annual_sigma_ln"]
    level = np.exp(sigma * draws.normal(key, "base level") - sigma**2 / 2.0)
    shift_h = parameters.house["base_shift_sigma_h"] * draws.normal(key, "base shift")
    shape = np.array([base[f"shape_hour_{hour:02d}"] for hour in range(24)])
    power, reactive = (np.zeros((n_group, len(time)), dtype=np.float32) for _ in range(2))
    follow_base(
        key, level, shift_h, back_day, gone_day, np.asarray(group, dtype=np.int64), 0, len(home),
        time.astype(np.int64) // _QUARTER, local_hour(time) + 0.5 * weather.step_h, days_from_new_year(local_day(time)),
        shape / shape.mean(), mean_kw, parameters.house["base_appliance_kw"], parameters.house["empty_home_kw"],
        np.sqrt(1.0 - base["cos_phi"] ** 2) / base["cos_phi"], power, reactive,
    )  # fmt: skip
    return power, reactive
