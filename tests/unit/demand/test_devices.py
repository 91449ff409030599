"""Devices: efficiency, ceilings, saturation and charging, by hand and by brute force."""

import numpy as np
import pytest

from gridcheck.demand import tables
from gridcheck.demand.devices import field_cop, full_speed_input, heating_profile, limited_mean
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.profiles import outdoor_course
from gridcheck.errors import CatalogueError, ConfigError
from tests.support.steady_weather import steady_weather

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


def test_full_speed_input_never_falls_towards_the_cold_and_keeps_to_the_nameplate():
    temperature_c = np.linspace(15.0, -30.0, 200)
    for device in PARAMETERS.devices:
        course = full_speed_input(device, temperature_c, HOUSE)
        assert (np.diff(course) >= -1e-12).all(), device.device
        assert course.max() <= device.max_input_ratio + device.backup_ratio + 1e-12
    # Room heat pumps: 1.27 of the rated input in the cold, whatever the cold.
    assert full_speed_input(DEVICES["air_air_heat_pump"], np.array([-15.0, -25.0]), HOUSE) == pytest.approx(1.27)


def test_backup_elements_come_in_between_minus_10_and_minus_15():
    device = DEVICES["air_water_heat_pump"]
    # A quarter of the homes has 3 kW, over a mean rating of 3.38 kW.
    assert device.backup_ratio == pytest.approx(0.25 * 3.0 / 3.38)
    course = full_speed_input(device, np.array([-10.0, -12.5, -15.0]), HOUSE)
    assert np.diff(course) == pytest.approx(0.5 * device.backup_ratio)


@pytest.mark.parametrize("mean_need", [0.2, 0.6, 1.0, 2.5])
def test_mean_of_saturated_need_against_brute_force(mean_need):
    sigma, ceiling = 0.4, 1.27
    noise = np.random.default_rng(7).standard_normal(400_000)
    brute = np.minimum(mean_need * np.exp(sigma * noise - sigma**2 / 2), ceiling).mean()
    found = limited_mean(np.array([mean_need]), np.array([ceiling]), sigma)
    assert found[0] == pytest.approx(brute, rel=2e-3)


def test_resistive_house_without_spread_by_hand():
    """A steady frost without swing or sun, full-time homes only: need over rating, nothing else."""
    parameters = PARAMETERS.with_overrides(
        {
            "need_sigma_ln": 1e-3,
            "share_whole_house": 1.0,
            "share_part_space": 0.0,
            "share_part_time": 0.0,
            "use_full_a": 50.0,
        }
    )
    device = next(device for device in parameters.devices if device.device == "resistive_heater")
    weather = steady_weather(-5.0, range_k=0.0, sun=False)
    mean, single = heating_profile(device, outdoor_course(weather, parameters), parameters.house)
    target_c = 0.6 * 18.5 + 0.4 * 17.5
    expected = (2.95 * (target_c + 5.0) - 4.0) * device.heated_area_m2 / 1000.0 / 3.85
    assert mean == pytest.approx(expected, rel=1e-3)
    assert single == pytest.approx(1.0)


def test_storage_heaters_start_with_the_valley_spread_over_half_an_hour():
    weather = steady_weather(-5.0)
    outdoor = outdoor_course(weather, PARAMETERS)
    mean, single = (value[weather.study] for value in heating_profile(DEVICES["storage_heater"], outdoor, HOUSE))
    hour = outdoor.hour[weather.study]
    at = {clock: float(mean[hour == clock][0]) for clock in (21.75, 22.0, 22.25, 22.5, 7.75, 8.0)}
    assert at[21.75] == pytest.approx(DEVICES["storage_heater"].standby_ratio)
    # Nine starts spread evenly over 30 min: none or the first at 22:00, half of them at 22:15.
    assert at[22.0] < 0.12
    assert 0.4 < at[22.25] < 0.6
    assert at[22.5] > 0.98
    assert at[8.0] == pytest.approx(at[21.75])
    assert single[hour == 3.0] == pytest.approx(1.0)
    assert single[hour == 12.0] == pytest.approx(DEVICES["storage_heater"].standby_ratio)


def test_storage_heaters_charge_longer_in_the_cold():
    mild, cold = (
        heating_profile(DEVICES["storage_heater"], outdoor_course(steady_weather(mean_c), PARAMETERS), HOUSE)[0].sum()
        for mean_c in (2.0, -8.0)
    )
    assert cold > 1.2 * mild


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
