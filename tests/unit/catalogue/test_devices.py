"""Stations, rules and the flag; devices of a planner stand in test_device_file.py."""

import dataclasses

import numpy as np
import pytest

from gridcheck.catalogue import (
    DEVICE_CLASSES,
    central_stations,
    class_devices,
    device_rules,
    efficiency_flag,
    heater_curves,
    heater_ratings,
    heaters,
)
from gridcheck.errors import CatalogueError, InputError

# Anchors of the domain notes: outdoor temperature, heat over rated heat, input over rated input, COP [low, high].
AIR_AIR = [
    (8.3, 1.10, 1.17, (3.57, 3.76)),
    (-8.3, 0.84, 1.26, (2.54, 2.67)),
    (-15.0, 0.73, 1.27, (2.18, 2.29)),
    (-20.6, 0.58, 1.16, (1.90, 2.00)),
    (-25.0, 0.50, 1.10, (1.70, 1.80)),
]
# COP at 45 degC flow, certified; and the heat ratio between those certified for 35 and 55 degC.
AIR_WATER = [
    (7.0, 3.85, (1.0, 1.0)),
    (-7.0, 2.45, (0.85, 0.88)),
    (-10.0, 2.25, (0.79, 0.89)),
    (-15.0, 2.03, (0.65, 0.77)),
    (-22.0, 1.60, (0.35, 0.56)),
]


def anchor(device, temperature_c):
    curve = heater_curves().set_index(["device", "temperature_c"])
    return curve.loc[(device, temperature_c), ["cop", "heat_ratio", "input_ratio"]]


@pytest.mark.parametrize(("temperature_c", "heat_ratio", "input_ratio", "cop"), AIR_AIR)
def test_anchors_of_air_to_air_units_are_those_of_their_source(temperature_c, heat_ratio, input_ratio, cop):
    row = anchor("air_air_heat_pump", temperature_c)
    assert row["heat_ratio"] == heat_ratio
    assert row["input_ratio"] == input_ratio
    assert cop[0] <= row["cop"] <= cop[1]


@pytest.mark.parametrize(("temperature_c", "cop", "heat_ratio"), AIR_WATER)
def test_anchors_of_air_to_water_units_are_those_of_their_source(temperature_c, cop, heat_ratio):
    row = anchor("air_water_heat_pump", temperature_c)
    assert row["cop"] == cop
    assert heat_ratio[0] <= row["heat_ratio"] <= heat_ratio[1]


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_heat_is_input_times_cop_at_every_anchor(device):
    """With the rated COP of the device's own sizes; 3 % for a curve of two digits."""
    sizes, curve = heater_ratings().query("device == @device"), heater_curves().query("device == @device")
    curve_cop = {"air_air_heat_pump": 3.9, "air_water_heat_pump": 3.85, "ground_source_heat_pump": 3.9}.get(device, 1.0)
    assert np.allclose(curve["heat_ratio"], curve["input_ratio"] * curve["cop"] / curve_cop, rtol=0.03)
    # The rating to which the curve refers is not that of the sizes to the last digit.
    mean_cop = (sizes["share"] * sizes["rated_heat_kw"]).sum() / (sizes["share"] * sizes["rated_kw"]).sum()
    assert mean_cop == pytest.approx(curve_cop, rel=0.08)


@pytest.mark.parametrize("device", DEVICE_CLASSES)
def test_every_class_says_how_it_meets_the_grid(device):
    row = heaters().loc[device]
    assert 0.85 <= row["cos_phi"] <= 1.0
    is_heat_pump = device.endswith("heat_pump")
    assert (row["cos_phi"] == 1.0) != is_heat_pump
    assert (row["restart_delay_min"] >= 3) == is_heat_pump
    assert (row["defrost_heat_factor"] > 0) == device.startswith("air_")
    assert (row["no_load_share"] < 1.0) == (row["control"] == "inverter")
    assert row["standby_w"] <= 40


def test_stations_keep_the_ranges_of_the_domain_notes():
    table = central_stations()
    assert set(table["curve_of"]) <= set(DEVICE_CLASSES)
    for name in ("heat{}_w_per_m2", "exchange_loss{}_percent", "pump{}_percent"):
        low, value, high = (table[name.format(part)] for part in ("_min", "", "_max"))
        assert ((low <= value) & (value <= high)).all(), name
    assert (table["homes_min"] <= table["homes_max"]).all()
    assert (table["rated_kw_min"] < table["rated_kw_max"]).all()
    village = table[table["vn_hv_kv"].notna()]
    assert village.index.tolist() == ["electric_boiler_station", "air_source_station"]
    assert (village[["exchange_loss_min_percent", "exchange_loss_max_percent"]] == [5, 10]).all(axis=None)
    assert (village[["pump_min_percent", "pump_max_percent"]] == [2, 4]).all(axis=None)
    assert (village[["phases", "vn_hv_kv", "vn_lv_kv"]] == [3, 10, 0.4]).all(axis=None)
    assert village.loc["electric_boiler_station", "cos_phi"] == 1.0
    assert 0.88 <= village.loc["air_source_station", "cos_phi"] <= 0.95


@pytest.mark.parametrize("station", ["electric_boiler_station", "air_source_station"])
def test_the_power_of_a_station_carries_its_homes(station):
    """Smallest and largest: homes of 85 m2, heat with its losses over the COP of a design day, pumps on top."""
    row = central_stations().loc[station]
    cop = {"electric_boiler_station": 1.0, "air_source_station": 2.45 * 0.88}[station]
    for homes, rated_kw in (("homes_min", "rated_kw_min"), ("homes_max", "rated_kw_max")):
        heat_kw = row[homes] * 85 * row["heat_w_per_m2"] / 1000 / (1 - row["exchange_loss_percent"] / 100)
        needed_kw = heat_kw / cop * (1 + row["pump_percent"] / 100)
        assert 0.4 < row[rated_kw] / needed_kw < 2.0


def test_a_class_is_its_mean_installation():
    device = class_devices()["air_air_heat_pump"]
    sizes = heater_ratings().query("device == 'air_air_heat_pump'")
    assert device.rated_kw == pytest.approx((sizes["share"] * sizes["rated_kw"]).sum())
    assert (device.phases, device.min_outdoor_c, device.control) == (1, -25, "inverter")
    assert class_devices()["air_water_heat_pump"].backup_kw == 0.25 * 3.0
    assert [entry.model for entry in class_devices()] == list(DEVICE_CLASSES)
    assert len(class_devices()) == len(DEVICE_CLASSES)
    assert not device.cop.flags.writeable


def test_a_model_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(CatalogueError, match="did you mean resistive_heater"):
        class_devices()["resistiv_heater"]
    with pytest.raises(CatalogueError, match="it has air_air_heat_pump"):
        class_devices()["coal stove"]


@pytest.mark.parametrize(
    ("rated_kw", "seasonal_cop", "expected"),
    [(2.0, 1.99, True), (2.0, 2.0, False), (1.99, 1.0, False), (40.0, 3.0, False)],
)
def test_the_flag_needs_both_much_power_and_little_heat(rated_kw, seasonal_cop, expected):
    device = dataclasses.replace(class_devices()["resistive_heater"], rated_kw=rated_kw)
    flag = efficiency_flag(device, seasonal_cop)
    assert flag.is_discouraged is expected
    assert ("high power, low efficiency" in flag.reason_en) is expected
    assert ("高功率、低能效" in flag.reason_zh) is expected
    assert f"{seasonal_cop:.2f}" in flag.reason_zh
    assert f"{rated_kw:.2f} kW" in flag.reason_zh


def test_limits_of_the_flag_can_be_replaced():
    device = class_devices()["air_air_heat_pump"]
    assert not efficiency_flag(device, 3.0).is_discouraged
    assert efficiency_flag(device, 3.0, rules={"low_efficiency_cop": 3.5, "high_power_kw": 1.0}).is_discouraged


@pytest.mark.parametrize("seasonal_cop", [0.0, -1.0, float("nan")])
def test_a_flag_needs_a_seasonal_cop(seasonal_cop):
    with pytest.raises(InputError, match="seasonal_cop must be above 0"):
        efficiency_flag(class_devices()["resistive_heater"], seasonal_cop)


def test_every_size_of_the_catalogue_is_flagged_as_its_class():
    """Agreement with the mark on the application: all sizes of unwanted classes, none of the wanted ones."""
    laboratory_cop = {
        device: float(anchor_curve["cop"].min()) for device, anchor_curve in heater_curves().groupby("device")
    }
    for size in heater_ratings().itertuples():
        device = dataclasses.replace(class_devices()[size.device], rated_kw=size.rated_kw)
        # A season is warmer than the coldest anchor, so a heat pump is taken at its published worst season.
        season = 2.5 if size.device.endswith("heat_pump") else laboratory_cop[size.device]
        flag = efficiency_flag(device, season)
        assert flag.is_discouraged is not bool(heaters().loc[size.device, "preferred"]), size


def test_rules_say_how_firm_they_are():
    table = device_rules()
    assert set(table["confidence"]) <= {"E", "G"}
    assert table.loc["low_efficiency_cop", ["min", "max"]].between(1.0, 2.5).all()
