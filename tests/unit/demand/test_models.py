"""Models of a planner's own as classes of demand beside the others, and roofs that feed in."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, DeviceCatalogue, heater_ratings, read_devices
from gridcheck.demand import ClassCounts, class_counts, class_profiles, default_parameters, factored_loads
from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draw_homes, heated_zones, pv_power_kw, simulate
from gridcheck.demand.parameters import CLASSES, ROOFTOP_PV
from gridcheck.demand.weather import scenario_weather
from gridcheck.errors import ConfigError, InputError
from tests.support.steady_weather import steady_weather
from tests.support.study_files import heaters_csv

PARAMETERS = default_parameters()
COLD = steady_weather(-6.0)
N_HOME = 60


def catalogue(*devices) -> DeviceCatalogue:
    return DeviceCatalogue(origin="by hand", devices=devices)


@pytest.fixture
def fan(tmp_path):
    return read_devices(heaters_csv(tmp_path / "heaters.csv"))["Fan 72"]


@pytest.fixture
def panel(tmp_path):
    return read_devices(heaters_csv(tmp_path / "heaters.csv"))["Panel 2"]


def course_of(*devices, weather=COLD, **options):
    """Mean of each model in turn, with many homes."""
    profiles = class_profiles(weather, parameters=PARAMETERS.with_models(catalogue(*devices)), n_home=N_HOME, **options)
    return profiles, profiles.mean[:, len(CLASSES) :].T


def test_a_model_of_a_size_of_its_class_draws_what_homes_of_that_size_draw(panel):
    """The catalogue's own size of a direct heater, once as a model and once as homes that were told their rating."""
    size = heater_ratings().query("device == 'resistive_heater'").iloc[0]
    model = replace(
        panel, units=float(size["units"]), phases=int(size["phases"]), rated_kw=float(size["rated_kw"]),
        rated_heat_kw=float(size["rated_heat_kw"]), max_input_kw=float(size["max_input_kw"]),
    )  # fmt: skip
    position = DEVICE_CLASSES.index("resistive_heater")
    home = np.arange((1 + position) * N_HOME, (2 + position) * N_HOME)
    homes = draw_homes(home, np.full(N_HOME, position), seed=0, rated_kw=np.full(N_HOME, model.rated_kw))
    zones = heated_zones(homes, PARAMETERS, seed=0, step_s=900.0)
    expected = simulate(zones, COLD, PARAMETERS, n_group=N_HOME, threads=1).power_kw.sum(axis=0) / homes.rated_kw.sum()

    _, (found,) = course_of(model)

    assert expected.max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_standby_input_is_that_of_the_sheet(fan):
    thirsty = replace(fan, model="thirsty", standby_kw=fan.standby_kw + 0.1)

    _, (one, other) = course_of(fan, thirsty)

    np.testing.assert_allclose(other - one, 0.1 / fan.rated_kw, rtol=1e-3)


def test_a_backup_element_draws_in_the_cold(fan):
    _, (without, with_element) = course_of(replace(fan, backup_kw=0.0), replace(fan, model="backed", backup_kw=2.0),
                                           weather=steady_weather(-22.0))  # fmt: skip

    assert with_element.mean() > 1.02 * without.mean()


def test_an_inverter_draws_less_than_a_unit_of_fixed_speed(fan):
    """Part load is where the inverter gains: input without load of 0.8 against 1."""
    _, (inverter, fixed) = course_of(fan, replace(fan, model="fixed", control="on_off", no_load_share=1.0))

    assert inverter.mean() < 0.98 * fixed.mean()


def test_models_change_nothing_for_the_classes(fan, panel):
    before = class_profiles(COLD, n_home=N_HOME)
    after, _ = course_of(fan, panel)

    assert after.classes == (*CLASSES, "Fan 72", "Panel 2")
    for name in ("mean", "single"):
        assert np.array_equal(getattr(after, name)[:, : len(CLASSES)], getattr(before, name))


@pytest.mark.parametrize("method", ["coincidence", "fixed"])
def test_on_paper_a_model_is_one_of_its_class_with_its_own_power_factor(method, fan):
    profiles, (found,) = course_of(replace(fan, cos_phi=0.8), method=method)

    np.testing.assert_array_equal(found, profiles.mean[:, CLASSES.index("air_air_heat_pump")])
    assert profiles.tan_phi[-1] == pytest.approx(0.75)
    assert profiles.alpha[-1] == profiles.alpha[CLASSES.index("air_air_heat_pump")]


@pytest.mark.parametrize("name", ["resistive_heater", "Base", "rooftop_pv", "地源热泵"])
def test_a_model_with_the_name_of_a_class_is_refused(fan, name):
    with pytest.raises(ConfigError, match="models need names") as caught:
        PARAMETERS.with_models(catalogue(replace(fan, model=name)))
    assert repr(name) in caught.value.findings[0]


AREAS = pd.DataFrame({"area_id": ["a", "b"], "occupied_households": [10, 40], "base_kw_factor": [1.0, 1.2]})
NO_HEATING = pd.DataFrame({"area_id": [], "device": [], "households": [], "rated_kw": []})
SUNNY = scenario_weather("140802", start=date(2026, 1, 20), days=2, wave="none", seed=1)


def bus_loads(profiles, counts):
    loads = factored_loads(profiles, counts, area_bus=np.array([0, 1]), n_bus=2)
    return loads.cases(0, profiles.n_case)


def test_roofs_are_taken_from_the_load_by_day_and_not_at_the_heating_peaks():
    without = class_profiles(SUNNY, n_home=N_HOME)
    with_roofs = class_profiles(SUNNY, n_home=N_HOME, rooftop_pv=True)
    assert with_roofs.classes == (*CLASSES, ROOFTOP_PV)
    counts = class_counts(AREAS, NO_HEATING, classes=with_roofs.classes, pv_kwp_per_home=0.3 * 20.0)

    before = bus_loads(without, class_counts(AREAS, NO_HEATING))
    after = bus_loads(with_roofs, counts)

    fed_in_mw = 0.006 * np.outer(pv_power_kw(SUNNY, 1.0, PARAMETERS), [10, 40])
    np.testing.assert_allclose(before.p_mw - after.p_mw, fed_in_mw, atol=1e-12)
    np.testing.assert_allclose(after.q_mvar, before.q_mvar, atol=1e-12)
    assert fed_in_mw.max() > 0.05
    assert after.p_mw.min() < 0.0
    hour = local_hour(SUNNY.time_utc[SUNNY.study])
    peak = ((hour >= 18.0) & (hour < 21.0)) | ((hour >= 5.0) & (hour < 7.0))
    np.testing.assert_array_equal(after.p_mw[peak], before.p_mw[peak])


def test_nothing_but_roofs_may_feed_in():
    profiles = class_profiles(SUNNY, method="coincidence")
    with pytest.raises(InputError, match="only roofs feed in"):
        replace(profiles, mean=-profiles.mean)


def test_counts_of_other_classes_do_not_go_with_profiles(fan):
    profiles, _ = course_of(fan)
    counts = ClassCounts(rated_kw=np.zeros((2, len(CLASSES))), count=np.zeros((2, len(CLASSES))))
    with pytest.raises(InputError, match=r"counts must have the classes base, .*Fan 72 of the profiles"):
        bus_loads(profiles, counts)
