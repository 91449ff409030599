"""Synthetic heating of areas: exact totals, whole homes, never more than there are."""

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings
from gridcheck.errors import InputError, SchemaError
from gridcheck.policy import plan_2025
from gridcheck.synthesis.heating import (
    LAYERS,
    apportion,
    heating_assumptions,
    layer_mix,
    plan_households,
    synthetic_heating,
)

YUANQU, YANHU, XIA = "140827", "140802", "140828"


def village_areas(n_village: int, *, key_villages: int = 0, areas_per_village: int = 3) -> pd.DataFrame:
    """Areas of equal villages: 80 registered homes each, 58 lived in; the first villages are flagged."""
    n_area = n_village * areas_per_village
    village = np.repeat(np.arange(n_village), areas_per_village)
    return pd.DataFrame(
        {
            "area_id": [f"A{number:04d}" for number in range(n_area)],
            "village_code": [f"14080{number:07d}" for number in village],
            "households": 80,
            "occupied_households": 58,
            "key_area": village < key_villages,
        }
    )


def draw(areas: pd.DataFrame, county_code: str, *, seed: int = 1) -> pd.DataFrame:
    return synthetic_heating(areas, county_code, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_key_area_homes_add_up_to_the_plan_on_flagged_villages_only(seed):
    areas = village_areas(40, key_villages=12)
    heating = draw(areas, YANHU, seed=seed)
    converted = heating.loc[heating["layer"] == "key_area_2025"]
    assert converted["households"].sum() == 980
    flagged = set(areas.loc[areas["key_area"], "area_id"])
    assert set(converted["area_id"]) <= flagged
    # Whole villages: no flagged area is left out.
    assert set(converted["area_id"]) == flagged


def test_every_county_of_the_plan_can_be_met():
    counties = plan_2025().counties
    for county_code, target in zip(counties["county_code"], counties["key_area"], strict=True):
        areas = village_areas(60, key_villages=45 if target else 0)
        heating = draw(areas, county_code)
        assert heating.loc[heating["layer"] == "key_area_2025", "households"].sum() == target


def test_homes_lived_in_come_first_and_no_area_has_more_than_it_has():
    # 3 villages x 3 areas x 58 = 522 lived in, 720 registered; Yanhu converts 980.
    areas = village_areas(6, key_villages=4, areas_per_village=4)
    heating = draw(areas, YANHU)
    homes = heating.groupby("area_id")["households"].sum().reindex(areas["area_id"]).fillna(0)
    assert (homes.to_numpy() <= 80).all()
    assert (homes.to_numpy()[areas["key_area"].to_numpy()] >= 58).all()


def test_too_few_flagged_homes_are_an_error_with_both_numbers():
    with pytest.raises(InputError, match=r"converts 980 key-area households.*hold only \d+ .*Flag more villages"):
        draw(village_areas(10, key_villages=2), YANHU)


def test_existing_share_lies_between_8_and_15_percent_and_is_higher_in_key_villages():
    areas = village_areas(400, key_villages=150)
    heating = draw(areas, XIA)
    existing = heating.loc[heating["layer"] == "existing"].groupby("area_id")["households"].sum()
    homes = existing.reindex(areas["area_id"]).fillna(0).to_numpy()
    key = areas["key_area"].to_numpy()
    assert 0.08 <= homes[~key].sum() / (58 * (~key).sum()) <= 0.15
    assert 1.2 <= homes[key].mean() / homes[~key].mean() <= 1.8


def test_existing_share_can_be_set():
    heating = synthetic_heating(village_areas(300), YUANQU, np.random.default_rng(3), existing_share=0.30)
    assert heating["households"].sum() / (900 * 58) == pytest.approx(0.30, abs=0.03)


def test_existing_stock_is_older_and_more_resistive_than_what_the_plan_brings():
    heating = draw(village_areas(400, key_villages=150), XIA)
    share = heating.pivot_table(index="device", columns="layer", values="households", aggfunc="sum").fillna(0)
    share = share / share.sum()
    assert share.loc["resistive_heater", "existing"] > 0.15
    assert "resistive_heater" not in heating.loc[heating["layer"] == "key_area_2025", "device"].to_numpy()
    wanted = share.loc[["air_air_heat_pump", "air_water_heat_pump"], "key_area_2025"].sum()
    assert wanted > 0.85


def test_rated_power_is_a_sum_of_catalogue_sizes():
    heating = draw(village_areas(60, key_villages=12), YANHU)
    assert heating["households"].dtype == np.int64
    assert (heating["households"] > 0).all()
    single = heating.loc[heating["households"] == 1]
    sizes = set(zip(heater_ratings()["device"], heater_ratings()["rated_kw"], strict=True))
    assert len(single) > 20
    assert set(zip(single["device"], single["rated_kw"], strict=True)) <= sizes
    per_home = heating.groupby("device")["rated_kw"].sum() / heating.groupby("device")["households"].sum()
    # 0.2 x 0.95 + 0.3 x 1.35 + 0.2 x 2.0 + 0.1 x 1.9 + 0.15 x 2.7 + 0.05 x 2.85
    assert per_home["air_air_heat_pump"] == pytest.approx(1.7325, rel=0.05)


def test_rows_are_ordered_and_unique_and_the_seed_decides():
    areas = village_areas(40, key_villages=12)
    heating = draw(areas, YANHU)
    assert list(heating.columns) == ["area_id", "layer", "device", "households", "rated_kw"]
    layer, device = heating["layer"].map(LAYERS.index), heating["device"].map(DEVICE_CLASSES.index)
    keys = list(zip(heating["area_id"], layer, device, strict=True))
    assert keys == sorted(set(keys))
    pd.testing.assert_frame_equal(heating, draw(areas, YANHU))
    assert not heating.equals(draw(areas, YANHU, seed=2))


def test_areas_are_left_as_they_were():
    areas = village_areas(40, key_villages=12)
    before = areas.copy()
    draw(areas, YANHU)
    pd.testing.assert_frame_equal(areas, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda areas: areas.drop(columns="key_area"), "column key_area is missing"),
        (lambda areas: areas.assign(area_id="A"), "stands more than once"),
        (lambda areas: areas.assign(occupied_households=81), r"must be in \[0, households\]"),
    ],
)
def test_wrong_areas_are_refused(change, message):
    with pytest.raises(SchemaError, match=message):
        draw(change(village_areas(2)), YUANQU)


def test_a_county_outside_the_plan_is_refused():
    with pytest.raises(InputError, match="140882"):
        draw(village_areas(2), "140882")
    assert plan_households("140881", "self_retrofit") == 3824


@pytest.mark.parametrize(
    ("total", "weight", "capacity", "expected"),
    [
        # 6, 2, 2 wanted; the first is full at 4, the rest shares 6.
        (10, [3, 1, 1], [4, 9, 9], [4, 3, 3]),
        (7, [1, 1, 1], [9, 9, 9], [3, 2, 2]),
        (0, [1, 1], [5, 5], [0, 0]),
        (5, [0, 1], [5, 2], [3, 2]),
        (3, [0, 0], [2, 2], [2, 1]),
        (4, [1, 1, 1], [2, 0, 2], [2, 0, 2]),
    ],
)
def test_apportion_by_hand(total, weight, capacity, expected):
    assert apportion(total, weight, capacity).tolist() == expected


def test_apportion_is_exact_for_many_draws():
    rng = np.random.default_rng(5)
    for _ in range(300):
        capacity = rng.integers(0, 30, 12)
        weight = rng.lognormal(sigma=2.0, size=12) * rng.integers(0, 2, 12)
        total = int(rng.integers(0, capacity.sum() + 1))
        result = apportion(total, weight, capacity)
        assert result.sum() == total
        assert ((result >= 0) & (result <= capacity)).all()


def test_apportion_refuses_what_does_not_fit():
    with pytest.raises(InputError, match="8 households do not fit: there is room for 7"):
        apportion(8, [1, 1], [3, 4])


def test_mixes_are_shares():
    estimates = heating_assumptions()
    for prefix in ("existing", "key_area", "application"):
        assert layer_mix(estimates, prefix).sum() == pytest.approx(1.0)
