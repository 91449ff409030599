"""Synthetic applications: the plan's numbers, real villages, a queue by date."""

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings
from gridcheck.errors import InputError, SchemaError
from gridcheck.geography import villages
from gridcheck.policy import plan_2025
from gridcheck.synthesis.applications import COLUMNS, synthetic_applications

JISHAN, YANHU, LINYI, YONGJI = "140824", "140802", "140821", "140881"


def county_areas(county_code: str, *, key_villages: int = 0) -> pd.DataFrame:
    """Three areas of 70 homes, 50 of them lived in, in every village of a county; the first villages are flagged."""
    codes = villages().query("county_code == @county_code and kind == 'rural'")["village_code"].to_numpy()
    areas = pd.DataFrame({"village_code": np.repeat(codes, 3), "households": 70, "occupied_households": 50})
    areas.insert(0, "area_id", [f"{county_code}-A{number:04d}" for number in range(len(areas))])
    return areas.assign(key_area=areas["village_code"].isin(codes[:key_villages]))


def some_heating(areas: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"area_id": areas["area_id"], "households": 8})


def draw(county_code: str, *, seed: int = 1, key_villages: int = 0) -> pd.DataFrame:
    areas = county_areas(county_code, key_villages=key_villages)
    return synthetic_applications(county_code, areas, some_heating(areas), seed=seed)


@pytest.fixture(scope="module", name="jishan")
def jishan_applications() -> pd.DataFrame:
    return draw(JISHAN)


def test_all_counties_together_have_the_plans_15503():
    counties = plan_2025().counties
    found = [len(draw(county_code)) for county_code in counties["county_code"]]
    assert found == counties["self_retrofit"].tolist()
    assert sum(found) == 15_503


def test_a_county_without_self_retrofit_has_an_empty_table_with_all_columns():
    table = draw(LINYI)
    assert len(table) == 0
    assert tuple(table.columns) == COLUMNS


def test_applicants_live_outside_key_villages_in_real_ones():
    table = draw(YONGJI, key_villages=60)
    codes = villages().query("county_code == @YONGJI")["village_code"]
    assert set(table["village_code"]) <= set(codes)
    areas = county_areas(YONGJI, key_villages=60).set_index("area_id")
    assert not areas.loc[table["area_id"], "key_area"].any()
    assert (areas.loc[table["area_id"], "village_code"].to_numpy() == table["village_code"].to_numpy()).all()


def test_no_area_has_more_applicants_than_homes_without_electric_heating(jishan):
    assert jishan.groupby("area_id").size().max() <= 50 - 8


def test_uptake_is_heavy_tailed(jishan):
    # 42 of 50 homes in each of three areas could apply.
    per_village = jishan.groupby("village_code").size().reindex(county_areas(JISHAN)["village_code"].unique()).fillna(0)
    uptake = per_village / (3 * 42)
    # Fractions are cut to whole homes.
    leaders = uptake.between(0.39, 0.60)
    assert leaders.sum() >= 5
    assert uptake[leaders].sum() / uptake.sum() > 0.25
    assert uptake.max() <= 0.60
    assert uptake.median() < 0.7 * uptake.mean()


def test_queue_is_by_date_then_id(jishan):
    assert jishan["queue_position"].tolist() == list(range(1, 3286))
    ordered = jishan.sort_values(["applied_on", "application_id"], kind="stable")
    assert ordered["queue_position"].is_monotonic_increasing
    assert jishan["application_id"].iloc[[0, -1]].tolist() == ["140824-P00001", "140824-P03285"]
    assert jishan["application_id"].is_unique


def test_dates_lie_in_the_period_and_cluster_by_village(jishan):
    days = pd.to_datetime(jishan["applied_on"])
    assert days.min() >= pd.Timestamp("2025-03-01")
    assert days.max() <= pd.Timestamp("2025-10-15")
    assert jishan["applied_on"].str.fullmatch(r"2025-\d\d-\d\d").all()
    within = days.groupby(jishan["village_code"]).std().dt.days.median()
    assert within < 0.5 * days.std().days


def test_devices_sizes_and_phases_come_from_the_catalogue(jishan):
    sizes = heater_ratings()
    allowed = set(zip(sizes["device"], sizes["rated_kw"], strict=True))
    assert set(zip(jishan["device"], jishan["rated_kw"], strict=True)) <= allowed
    phases = sizes.set_index(["device", "rated_kw"])["phases"]
    wanted = phases.loc[list(zip(jishan["device"], jishan["rated_kw"], strict=True))].to_numpy()
    assert ((jishan["phase"] == "ABC").to_numpy() == (wanted == 3)).all()
    single = jishan.loc[wanted == 1, "phase"].value_counts(normalize=True)
    assert sorted(single.index) == ["A", "B", "C"]
    assert single.max() < 0.40
    mix = jishan["device"].value_counts(normalize=True)
    assert sorted(mix.index) == sorted(DEVICE_CLASSES)
    assert mix["air_air_heat_pump"] > mix["air_water_heat_pump"] > mix["resistive_heater"]


def test_about_one_in_twelve_is_a_hardship_household(jishan):
    assert (jishan["household_group"] == "hardship").mean() == pytest.approx(0.08, abs=0.02)
    assert set(jishan["household_group"]) == {"ordinary", "hardship"}
    assert jishan["synthetic"].all()


def test_another_seed_changes_the_queue_and_not_the_number():
    one, same, other = (draw(YANHU, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert len(one) == len(other) == 200
    assert (one["area_id"] != other["area_id"]).mean() > 0.5


def test_too_few_homes_are_an_error():
    areas = county_areas(JISHAN, key_villages=140)
    with pytest.raises(InputError, match="3285 self-retrofit households, but outside key-area villages only"):
        synthetic_applications(JISHAN, areas, some_heating(areas), seed=1)


def test_a_county_of_few_open_homes_is_still_filled():
    # 27 of 144 villages with 3 x 42 free homes hold 3402.
    areas = county_areas(JISHAN, key_villages=117)
    assert len(synthetic_applications(JISHAN, areas, some_heating(areas), seed=1)) == 3285


def test_heating_of_unknown_areas_is_refused():
    areas = county_areas(YANHU)
    with pytest.raises(SchemaError, match="area_id X is not in areas"):
        synthetic_applications(YANHU, areas, pd.DataFrame({"area_id": ["X"], "households": [1]}), seed=1)
    with pytest.raises(SchemaError, match="column households is missing"):
        synthetic_applications(YANHU, areas, pd.DataFrame({"area_id": ["X"]}), seed=1)
