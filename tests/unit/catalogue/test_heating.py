import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, base_load, heater_curves, heater_ratings, heaters, houses, measures


def test_classes_stand_in_their_order():
    assert tuple(heaters().index) == DEVICE_CLASSES
    assert heaters()["preferred"].tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_shares_of_sizes_add_up(device):
    sizes = heater_ratings().query("device == @device")
    assert sizes["share"].sum() == pytest.approx(1.0, abs=1e-12)
    assert set(sizes["phases"]) <= {1, 3}
    assert (sizes["max_input_kw"] >= sizes["rated_kw"]).all()


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_heat_over_input_is_a_possible_cop(device):
    sizes = heater_ratings().query("device == @device")
    cop = sizes["rated_heat_kw"] / sizes["rated_kw"]
    expected = (3.5, 4.0) if device.endswith("heat_pump") else (1.0, 1.0)
    assert cop.between(*expected).all()


def test_single_phase_installations_stay_below_the_single_phase_limit():
    single = heater_ratings().query("phases == 1")
    # 12 kW is the ceiling of single-phase supply in the rules of 2024.
    assert single["max_input_kw"].max() < 12


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_curves_reach_from_deep_cold_to_mild_weather(device):
    temperature = heater_curves().query("device == @device")["temperature_c"].to_numpy()
    assert (np.diff(temperature) > 0).all()
    assert (temperature[0], temperature[-1]) == (-25, 15)


# COP at rated conditions, to which the input ratio refers.
@pytest.mark.parametrize(
    ("device", "rated_cop"),
    [
        ("air_air_heat_pump", 3.9),
        ("air_water_heat_pump", 3.85),
        ("ground_source_heat_pump", 3.9),
        ("resistive_heater", 1.0),
        ("storage_heater", 1.0),
    ],
)
def test_input_is_heat_over_cop(device, rated_cop):
    curve = heater_curves().query("device == @device")
    assert np.allclose(curve["input_ratio"], curve["heat_ratio"] / curve["cop"] * rated_cop, rtol=0.03)


# Published points of heat pumps, tolerance 10 %.
@pytest.mark.parametrize(
    ("device", "temperature_c", "cop"),
    [
        ("air_air_heat_pump", 8.3, 3.7),
        ("air_air_heat_pump", -8.3, 2.6),
        ("air_air_heat_pump", -15, 2.2),
        ("air_air_heat_pump", -25, 1.8),
        ("air_water_heat_pump", 7, 3.85),
        ("air_water_heat_pump", -7, 2.45),
        ("air_water_heat_pump", -12, 2.1),
        ("air_water_heat_pump", -15, 2.03),
        ("air_water_heat_pump", -22, 1.60),
    ],
)
def test_cop_meets_published_points(device, temperature_c, cop):
    curve = heater_curves().query("device == @device")
    assert np.interp(temperature_c, curve["temperature_c"], curve["cop"]) == pytest.approx(cop, rel=0.10)


def test_cold_takes_heat_away_but_hardly_input():
    curve = heater_curves().query("device == 'air_air_heat_pump'")
    assert (curve["heat_ratio"].diff().dropna() > 0).all()
    assert curve["input_ratio"].between(1.05, 1.30).all()


def test_the_day_shape_has_a_mean_of_one_and_an_evening_peak():
    shape = base_load()["value"].filter(like="shape_hour_")
    assert len(shape) == 24
    assert shape.mean() == pytest.approx(1.0, abs=0.02)
    assert shape.idxmax() == "shape_hour_19"
    assert shape.idxmin() in ("shape_hour_02", "shape_hour_03")


def test_base_load_meets_the_peak_per_home_it_names():
    value = base_load()["value"]
    mean_kw = value["annual_kwh"] / 8760
    peak_kw = mean_kw * value["winter_factor"] * value.filter(like="shape_hour_").max()
    assert base_load().loc["admd_kw", "min"] <= peak_kw <= base_load().loc["admd_kw", "max"]
    festival = base_load().loc["admd_festival_kw"]
    assert festival["min"] <= peak_kw * value["festival_factor"] <= festival["max"]


def test_use_patterns_add_up():
    value = houses()["value"]
    assert value[["share_whole_house", "share_part_space", "share_part_time"]].sum() == pytest.approx(1.0)
    assert 0 < value["heat_loss_insulated_w_per_k_m2"] < value["heat_loss_uninsulated_w_per_k_m2"]


def test_prices_meet_a_published_scheme_within_their_accuracy():
    price = measures()["cost_wan"]
    # Nanpi 2017: 3.14 km of 10 kV, 5.4 km of low voltage and four areas of 200 kVA for 147.43 (10 000 yuan).
    nanpi = 3.14 * price["mv_line_120"] + 5.4 * price["lv_reconductor"] + 4 * price["new_area_200"]
    assert 0.6 < 147.43 / nanpi < 1.4


def test_prices_rise_with_size():
    price = measures()["cost_wan"]
    for family in (
        ["transformer_swap_100", "transformer_swap_200", "transformer_swap_400", "transformer_swap_630"],
        ["transformer_swap_200", "new_area_200"],
        ["new_area_200", "new_area_400"],
        ["mv_reconductor", "mv_line_120", "mv_line_150", "mv_line_240", "mv_cable_300"],
        ["lv_reconductor", "lv_line_70", "lv_line_120"],
        ["tap_change", "phase_balancing", "phase_switches"],
    ):
        assert price[family].is_monotonic_increasing, family


def test_default_prices():
    table = measures()
    assert table.loc["transformer_swap_400", ["cost_wan", "cost_min_wan", "cost_max_wan"]].tolist() == [11, 8, 15]
    assert table.loc["tie_switch", "cost_wan"] == 6
    assert set(table["unit"]) == {"each", "km", "household", "day"}
