"""Households of every village, the homes lived in during winter, and the key-area villages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.facts import CountyFacts
from gridcheck.synthesis.places import Places

# Random height added when villages are put in order for the key area, so that it is not one exact contour [m].
_KEY_ORDER_NOISE_M = 25.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VillageHouseholds:
    """Households of a county's villages; position i is the village of `CountyFacts.villages`.

    Attributes
    ----------
    households : ndarray of int, shape (n_village,)
        Registered households. [households]
    occupied_share : ndarray, shape (n_village,)
        Share of the homes lived in during winter. [1]
    is_key_area : ndarray of bool, shape (n_village,)
        True for villages converted as a whole under the 2025 plan.
    is_strengthened : ndarray of bool, shape (n_village,)
        True for key-area villages whose transformers were strengthened beforehand.
    """

    households: IntArray
    occupied_share: FloatArray
    is_key_area: BoolArray
    is_strengthened: BoolArray

    def __post_init__(self) -> None:
        shape = (len(self.households),)
        object.__setattr__(self, "households", frozen(self.households, np.int64, shape, name="households"))
        object.__setattr__(
            self, "occupied_share", frozen(self.occupied_share, np.float64, shape, name="occupied_share")
        )
        object.__setattr__(self, "is_key_area", frozen(self.is_key_area, np.bool_, shape, name="is_key_area"))
        object.__setattr__(
            self, "is_strengthened", frozen(self.is_strengthened, np.bool_, shape, name="is_strengthened")
        )


def village_households(
    facts: CountyFacts, places: Places, assumptions: Assumptions, rng: np.random.Generator
) -> VillageHouseholds:
    """Spread the county's rural households over its villages and choose the key-area villages.

    Parameters
    ----------
    facts : CountyFacts
        Public facts; rural households are its family households times the rural share.
    places : Places
        Village heights: the plan puts villages on the plain first.
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    VillageHouseholds
        The registered households sum exactly to the rounded rural households of the county.
    """
    n_village, code = len(facts.villages), facts.county_code
    total = round(facts.households_est * assumptions.value("rural_share", code))
    least = assumptions.value("village_households_min", code)
    size = rng.lognormal(0.0, assumptions.value("village_households_sigma", code), n_village)
    households = whole_shares(np.clip(size, *np.quantile(size, [0.01, 0.99])), total - round(least) * n_village)
    households = households + round(least)
    mean, sd = assumptions.value("occupied_share", code), assumptions.value("occupied_share_sd", code)
    concentration = mean * (1.0 - mean) / sd**2 - 1.0
    occupied_share = rng.beta(mean * concentration, (1.0 - mean) * concentration, n_village)
    order_height = places.elevation_m + rng.normal(0.0, _KEY_ORDER_NOISE_M, n_village)
    needed = facts.key_households * assumptions.value("key_households_margin", code)
    order = np.argsort(order_height, kind="stable")
    before = np.concatenate([[0.0], np.cumsum((households * occupied_share)[order])[:-1]])
    is_key_area = np.zeros(n_village, dtype=bool)
    is_key_area[order] = before < needed
    draws = rng.random(n_village)
    return VillageHouseholds(
        households=households,
        occupied_share=occupied_share,
        is_key_area=is_key_area,
        is_strengthened=is_key_area & (draws < assumptions.value("strengthened_share", code)),
    )


def whole_shares(weight: FloatArray, total: int) -> IntArray:
    """Split a whole number by weights so that the parts sum to it exactly (largest remainders).

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Positive weights.
    total : int
        Number to split.

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> whole_shares(np.array([1.0, 1.0, 2.0]), 7)
    array([2, 2, 3])
    """
    exact = weight / weight.sum() * total
    parts: IntArray = np.floor(exact).astype(np.int64)
    largest_first = np.argsort(-(exact - parts), kind="stable")
    parts[largest_first[: total - int(parts.sum())]] += 1
    return parts
