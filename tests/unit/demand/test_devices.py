"""Devices: efficiency and saturation, by hand and by brute force."""

from dataclasses import replace

import numpy as np
import pytest

from gridcheck.demand import tables
from gridcheck.demand.devices import field_cop, limited_mean
from gridcheck.demand.parameters import default_parameters
from gridcheck.errors import CatalogueError, ConfigError, InputError

PARAMETERS = default_parameters()
HOUSE = PARAMETERS.house
DEVICES = {device.device: device for device in PARAMETERS.devices}


@pytest.mark.parametrize(
    ("device", "temperature_c", "cop"),
    [
        ("air_air_heat_pump", 8.3, 3.7),
        ("air_air_heat_pump", -8.3, 2.6),
        ("air_air_heat_pump", -15.0, 2.2),
        ("air_air_heat_pump", -25.0, 1.8),
        ("air_water_heat_pump", 7.0, 3.85),
        ("air_water_heat_pump", -7.0, 2.45),
        ("air_water_heat_pump", -15.0, 2.03),
        ("air_water_heat_pump", -22.0, 1.60),
    ],
)
def test_full_speed_cop_meets_the_published_anchors_within_a_tenth(device, temperature_c, cop):
    found = DEVICES[device]
    assert np.interp(temperature_c, found.temperature_c, found.cop) == pytest.approx(cop, rel=0.10)


def test_field_cop_with_defrost_by_hand():
    # 23 degF: 0.134 - 0.069 = 0.065 of the time, halved in dry air; heat x (1 - 1.8 f), power x (1 - 0.3 f).
    time_share = 0.065 * 0.5
    cop = np.interp(-5.0, [-8.3, 0.0], [2.6, 3.15])
    expected = 0.88 * cop * (1 - 1.8 * time_share) / (1 - 0.3 * time_share)
    found = field_cop(DEVICES["air_air_heat_pump"], np.array([-5.0]), np.array([58.0]), HOUSE)
    assert found[0] == pytest.approx(expected)
    wet = field_cop(DEVICES["air_air_heat_pump"], np.array([-5.0]), np.array([90.0]), HOUSE)
    assert wet[0] == pytest.approx(0.88 * cop * (1 - 1.8 * 0.065) / (1 - 0.3 * 0.065))


def test_devices_without_outdoor_coil_do_not_defrost():
    temperature_c, humidity = np.array([-20.0, 0.0]), np.array([95.0, 95.0])
    assert field_cop(DEVICES["resistive_heater"], temperature_c, humidity, HOUSE).tolist() == [1.0, 1.0]
    assert field_cop(DEVICES["ground_source_heat_pump"], temperature_c, humidity, HOUSE).tolist() == [3.9, 3.9]


@pytest.mark.parametrize("mean_need", [0.2, 0.6, 1.0, 2.5])
def test_mean_of_saturated_need_against_brute_force(mean_need):
    sigma, ceiling = 0.4, 1.27
    noise = np.random.default_rng(7).standard_normal(400_000)
    brute = np.minimum(mean_need * np.exp(sigma * noise - sigma**2 / 2), ceiling).mean()
    found = limited_mean(np.array([mean_need]), np.array([ceiling]), sigma)
    assert found[0] == pytest.approx(brute, rel=2e-3)


def test_overrides_replace_single_rows_and_refuse_unknown_ones():
    changed = PARAMETERS.with_overrides({"heated_area_house_m2": 80.0, "annual_kwh": 2000.0})
    assert changed.devices[1].heated_area_m2 == 80.0
    assert changed.base["annual_kwh"] == 2000.0
    assert PARAMETERS.base["annual_kwh"] == 1500.0
    with pytest.raises(ConfigError, match="no such parameter") as caught:
        PARAMETERS.with_overrides({"heated_aera": 1.0, "thrift_factor": float("nan")})
    assert len(caught.value.findings) == 2


def test_values_outside_their_own_range_are_refused(monkeypatch):
    table = tables.packaged_table(tables.PACKAGE, "model.csv", tables._NAMED)
    monkeypatch.setattr(tables, "packaged_table", lambda *_: table.assign(value=table["max"] + 1.0))
    with pytest.raises(CatalogueError, match="value must lie between min and max") as caught:
        tables.named_values("model.csv")
    assert len(caught.value.findings) == len(table)
    assert "row thrift_factor: 2 is not in [0.4, 1]" in caught.value.findings


@pytest.mark.parametrize("value", [-58.0, 0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["heated_area_m2", "rated_kw", "units", "max_input_ratio"])
def test_a_heater_of_no_area_or_power_is_refused_by_name_and_value(name, value):
    with pytest.raises(InputError) as caught:
        replace(PARAMETERS.devices[0], **{name: value})
    assert caught.value.findings == (f"{name} must be a number above 0. Got {value:g}",)


@pytest.mark.parametrize("name", ["heated_area_house_m2", "mass_capacity_kj_per_k_m2", "annual_kwh", "oversize_room"])
def test_a_negative_area_is_refused_by_name(name):
    with pytest.raises(ConfigError) as caught:
        PARAMETERS.with_overrides({name: -1.0})
    assert caught.value.findings == (f"{name}: must not be negative. Got -1.0",)


def test_temperatures_may_be_negative():
    assert PARAMETERS.with_overrides({"all_day_t0_c": -20.0}).house["all_day_t0_c"] == -20.0
