"""Villages of every county: inside the outline, known points kept, heights plausible."""

from __future__ import annotations

import numpy as np
import pytest

from gridcheck.synthesis.assumptions import load_assumptions
from gridcheck.synthesis.facts import county_facts, plan_county_codes, random_stream
from gridcheck.synthesis.households import village_households, whole_shares
from gridcheck.synthesis.places import place_villages


def winding_number(point: np.ndarray, outline: np.ndarray) -> int:
    """Turns of the outline around the point, by summed angles: another method than the generator's."""
    to_corner = outline - point
    angle = np.arctan2(to_corner[:, 1], to_corner[:, 0])
    step = (np.diff(angle) + np.pi) % (2.0 * np.pi) - np.pi
    return round(float(step.sum()) / (2.0 * np.pi))


@pytest.mark.parametrize("county_code", plan_county_codes())
def test_villages_lie_inside_the_county_and_apart(county_code: str) -> None:
    facts = county_facts(county_code)

    places = place_villages(facts, random_stream(7, county_code, "places"))

    lonlat = places.plane.to_lonlat(places.village_xy)
    assert len(lonlat) == len(facts.villages)
    assert all(abs(winding_number(point, facts.outline)) == 1 for point in lonlat)
    assert len(np.unique(np.round(lonlat, 5), axis=0)) == len(lonlat)
    assert places.elevation_m.min() >= facts.elevation["elev_min"] - 1.0
    assert places.elevation_m.max() <= facts.elevation["elev_max"] + 1.0


def test_the_known_town_points_are_kept_exactly() -> None:
    facts = county_facts("140823")  # Wenxi: all twelve towns with rural committees are known

    places = place_villages(facts, random_stream(7, "140823", "places"))

    known = facts.towns.dropna(subset=["lon"])
    got = places.plane.to_lonlat(places.village_xy[places.is_known])
    assert len(known) == 12
    np.testing.assert_allclose(np.sort(got[:, 0]), np.sort(known["lon"]), atol=1e-9)
    np.testing.assert_allclose(np.sort(got[:, 1]), np.sort(known["lat"]), atol=1e-9)


def test_villages_on_the_plain_follow_the_countys_share() -> None:
    facts = county_facts("140881")  # Yongji: 96 % of the settled land lies below 400 m

    places = place_villages(facts, random_stream(7, "140881", "places"))

    assert (places.elevation_m < 400.0).mean() == pytest.approx(0.96, abs=0.06)


def test_whole_shares_by_hand() -> None:
    # exact parts 1.75, 1.75, 3.5: the largest remainders are those of the first two
    assert whole_shares(np.array([1.0, 1.0, 2.0]), 7).tolist() == [2, 2, 3]


@pytest.mark.parametrize("county_code", ["140824", "140881"])
def test_households_sum_to_the_rural_households_of_the_county(county_code: str) -> None:
    facts, assumptions = county_facts(county_code), load_assumptions()
    places = place_villages(facts, random_stream(7, county_code, "places"))

    villages = village_households(facts, places, assumptions, random_stream(7, county_code, "households"))

    wanted = facts.households_est * assumptions.value("rural_share", county_code)
    assert villages.households.sum() == round(wanted)
    assert villages.households.min() >= assumptions.value("village_households_min")
    assert villages.is_key_area.any() == (facts.key_households > 0)
    flagged = (villages.households * villages.occupied_share)[villages.is_key_area].sum()
    assert flagged >= facts.key_households * assumptions.value("key_households_margin")
    assert not (villages.is_strengthened & ~villages.is_key_area).any()
