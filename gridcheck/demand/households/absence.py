"""Migrants: homes that are empty except around the Spring Festival."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, UnsignedArray
from gridcheck.demand.households import draws
from gridcheck.demand.parameters import DemandParameters


def days_at_home(key: UnsignedArray, is_away: BoolArray, parameters: DemandParameters) -> tuple[FloatArray, FloatArray]:
    """Return the first day at home and the first day away again, counted from New Year's Day, shape (n,). [d]

    Both are spread evenly over the days of return and of leaving, so that the share of migrants at home is
    `festival_presence`. Who is no migrant is always at home.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Keys of the homes.
    is_away : ndarray of bool, shape (n,)
        Homes of migrants.
    parameters : DemandParameters
        The ``festival_..._days`` of ``model.csv``.
    """
    model = parameters.house
    rise, full = model["festival_rise_days"], model["festival_full_before_days"]
    stay, end = model["festival_full_after_days"], model["festival_end_days"]
    back = -rise + (rise - full) * draws.uniform(key, "back")
    gone = stay + (end - stay) * draws.uniform(key, "gone")
    return np.where(is_away, back, -np.inf), np.where(is_away, gone, np.inf)
