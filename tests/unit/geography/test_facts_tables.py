import math

import numpy as np
import pytest

from gridcheck import geography

LOADERS = [
    geography.counties,
    geography.villages,
    geography.towns,
    geography.county_elevation,
    geography.climate_monthly,
]


def contains(ring: list[list[float]], lon: float, lat: float) -> bool:
    """Even-odd rule."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def spherical_area_km2(ring: list[list[float]]) -> float:
    lon, lat = np.radians(np.array([*ring, ring[0]])).T
    return abs(np.sum(np.diff(lon) * (np.sin(lat[1:]) + np.sin(lat[:-1])))) / 2 * 6371.0088**2


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_a_table_may_be_edited_without_harm_to_others(load):
    first = load()
    first.loc[:, "county"] = "edited"
    assert "edited" not in load()["county"].tolist()


def test_thirteen_counties_of_which_twelve_are_in_the_plan():
    counties = geography.counties()
    assert len(counties) == 13
    assert counties.loc[~counties["in_plan"], "county"].tolist() == ["河津市"]
    assert counties["slug"].is_unique
    assert counties["county_code"].is_monotonic_increasing
    # Census communique 4 774 508; rounded county values add 109.
    assert counties["pop_2020"].sum() == 4_774_508 + 109


def test_households_follow_from_population():
    counties = geography.counties()
    expected = counties["pop_2020"] * 0.939 / 2.84
    assert np.abs(counties["households_est"] / expected - 1).max() < 0.001


def test_committees_without_households_are_left_out():
    villages = geography.villages()
    assert villages["kind"].value_counts().to_dict() == {"rural": 2164, "urban": 231 - 9}
    assert not villages["village"].str.contains("虚拟社区").any()
    assert (villages["village_code"].str.len() == 12).all()
    assert (villages["village_code"].str[:6] == villages["county_code"]).all()


def test_communities_of_a_seat_stand_under_its_town():
    villages = geography.villages()
    assert not villages["town"].str.contains("县社区").any()
    moved = villages[villages["village_code"].str[:9] != villages["town_code"]]
    assert moved.groupby("town").size().to_dict() == {
        "桐城镇": 15,
        "稷峰镇": 6,
        "龙兴镇": 10,
        "新城镇": 15,
        "圣人涧镇": 5,
    }


def test_towns_and_villages_agree():
    towns, villages = geography.towns(), geography.villages()
    assert len(towns) == 161 - 5 - 9
    assert set(villages["town_code"]) == set(towns["town_code"])
    counted = villages.groupby(["town_code", "kind"]).size().unstack(fill_value=0).loc[towns["town_code"]]
    assert counted["rural"].tolist() == towns["n_rural"].tolist()
    assert counted["urban"].tolist() == towns["n_urban"].tolist()


def test_only_measured_coordinates_of_towns_are_given():
    towns = geography.towns()
    known = towns["lon"].notna()
    assert known.sum() == 29
    assert towns.loc[known, "coordinate_source"].str.startswith("geonames:").all()
    assert (towns.loc[~known, "coordinate_source"] == "").all()
    assert (known == towns["elevation_m"].notna()).all()


def test_counties_count_their_committees():
    counties, villages = geography.counties().set_index("county_code"), geography.villages()
    counted = villages.groupby(["county_code", "kind"]).size().unstack()
    assert counted["rural"].equals(counties["n_rural_committees"].rename("rural"))
    assert counted["urban"].equals(counties["n_urban_committees"].rename("urban"))


def test_outlines_hold_the_seat_and_the_area():
    counties = geography.counties().set_index("county_code")
    outlines = geography.county_outlines()
    assert [feature["id"] for feature in outlines["features"]] == counties.index.tolist()
    for feature in outlines["features"]:
        county = counties.loc[feature["id"]]
        assert feature["geometry"]["type"] == "Polygon"
        ring = feature["geometry"]["coordinates"][0]
        assert contains(ring, county["seat_lon"], county["seat_lat"]), county["county"]
        assert spherical_area_km2(ring) == pytest.approx(county["area_km2_polygon"], rel=0.005)


def test_outlines_may_be_edited_without_harm_to_others():
    geography.county_outlines()["features"].clear()
    assert len(geography.county_outlines()["features"]) == 13


def test_quantiles_of_height_rise_and_bands_add_up():
    heights = geography.county_elevation()
    quantiles = heights[["elev_min", "elev_p05", "elev_p25", "elev_p50", "elev_p75", "elev_p95", "elev_max"]]
    assert (np.diff(quantiles.to_numpy(), axis=1) >= 0).all()
    bands = heights[["area_share_lt400", "area_share_400_600", "area_share_600_1000", "area_share_ge1000"]]
    assert np.allclose(bands.sum(axis=1), 1.0, atol=0.002)
    assert (heights["settlement_weighted_share_lt600"] >= heights["settlement_weighted_share_lt400"]).all()


def test_months_average_to_the_year():
    climate = geography.climate_monthly()
    months = climate[[f"t{month:02d}_degC" for month in range(1, 13)]]
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    mean = (months.to_numpy() * days).sum(axis=1) / days.sum()
    assert np.abs(mean - climate["annual"]).max() < 0.15
    assert (months.idxmin(axis=1) == "t01_degC").all()
    yanhu = climate.set_index("county_code").loc["140802"]
    # Corrected with 6.5 K/km from the cell to the seat (354 m) it meets the basin station's January of -0.6.
    assert math.isclose(yanhu["t01_degC"] + 6.5e-3 * (yanhu["cell_mean_elev_m"] - 354), -0.6, abs_tol=0.3)
