"""The pool of simulated homes: which hours it keeps, that its members are those of the profiles, and fair draws."""

import dataclasses
from datetime import date

import numpy as np
import pytest
from scipy.stats import chi2

from gridcheck.demand.draw_pool import PoolSize, chosen_steps, draw_pool, drawn_phases, home_keys, require_simulated
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.profiles import ClassProfiles, class_profiles
from gridcheck.demand.weather import scenario_weather
from gridcheck.errors import InputError

N_HOME = 60
SEED = 3


@pytest.fixture(scope="module")
def study():
    weather = scenario_weather("140827", start=date(2026, 1, 20), days=3, wave="W1", seed=2025)
    parameters = default_parameters()
    profiles = class_profiles(weather, parameters=parameters, seed=SEED, n_home=N_HOME, rooftop_pv=True)
    return weather, parameters, profiles


@pytest.fixture(scope="module")
def pool(study):
    weather, parameters, profiles = study
    rated_kw = np.array([1000.0, 300.0, 300.0, 0.0, 100.0, 200.0, 50.0])
    return draw_pool(profiles, weather, parameters, rated_kw=rated_kw, seed=SEED, size=PoolSize(n_home=N_HOME))


def hand_profiles(mean):
    n_case, n_class = np.shape(mean)
    return ClassProfiles(
        classes=("base", "a", "b")[:n_class],
        time_utc=np.datetime64("2025-01-01T00:00", "ns") + np.arange(n_case) * np.timedelta64(60, "m"),
        temperature_c=np.zeros(n_case),
        duration_h=1.0,
        mean=mean,
        single=mean,
        alpha=np.full(n_class, 0.5),
        tan_phi=np.zeros(n_class),
    )


def test_windows_of_heavy_load_by_hand():
    # A day of hours: an evening peak at 12 to 13, a lower one in the morning at 2; at 11 the first one is as high as at
    # 2, but it is the same peak.
    mean = np.full((24, 2), 0.1)
    mean[[11, 12, 13, 2, 3], 0] = 0.5, 1.0, 0.9, 0.6, 0.4
    mean[20, 0] = 0.01
    case, window, n_peak = chosen_steps(hand_profiles(mean), np.array([1.0, 0.0]), width=2)
    assert n_peak == 2
    assert case.tolist() == [12, 13, 2, 3, 20]
    assert window.tolist() == [0, 0, 1, 1, -1]


def test_the_same_hours_of_other_days_by_hand():
    day = np.full((24, 2), 0.1)
    day[[12, 2], 0] = 1.0, 0.6
    mean = np.concatenate([0.9 * day, day, 0.8 * day])
    case, window, n_peak = chosen_steps(hand_profiles(mean), np.array([1.0, 0.0]), width=1, days=2)
    assert n_peak == 2
    assert case[window >= 0].tolist() == [36, 26, 12, 2]
    assert window[window >= 0].tolist() == [0, 1, 2, 3]


def test_a_class_with_a_peak_of_its_own_has_its_window():
    mean = np.full((24, 3), 0.1)
    mean[[12, 2], 0] = 1.0
    mean[18, 2] = 0.9  # what charges at night is small beside the county and large in a village of its own
    own = chosen_steps(hand_profiles(mean), np.array([10.0, 0.0, 3.0]), width=1)[0]
    none = chosen_steps(hand_profiles(mean), np.array([10.0, 0.0, 0.0]), width=1)[0]
    assert own[:3].tolist() == [2, 12, 18]
    assert 18 not in none


def test_members_are_the_homes_of_the_profiles(study, pool):
    _, _, profiles = study
    assert pool.classes == profiles.classes
    heavy = ~pool.is_light
    assert (np.diff(pool.case[heavy].reshape(-1, pool.width), axis=1) == 1).all()
    np.testing.assert_allclose(pool.share[0].mean(axis=0), profiles.mean[pool.case, 0], rtol=1e-5)
    np.testing.assert_allclose(pool.share[-1], profiles.mean[None, pool.case, -1], rtol=1e-6)
    # A heater's profile weighs homes by their size, a draw does not.
    np.testing.assert_allclose(pool.share[1].mean(axis=0), profiles.mean[pool.case, 1], rtol=0.25)


def test_no_window_of_the_county_is_heavier(study, pool):
    _, _, profiles = study
    total = profiles.mean @ np.array([1000.0, 300.0, 300.0, 0.0, 100.0, 200.0, 50.0])
    level = np.convolve(total, np.full(pool.width, 1.0 / pool.width), mode="valid")
    assert total[pool.case[pool.window == 0]].mean() == pytest.approx(level.max(), rel=1e-12)
    assert total[pool.case].min() == total.min()


def test_draws_are_fair_and_belong_to_a_home():
    key = home_keys(SEED, "area", tuple(f"H{k}" for k in range(40)))
    assert len(set(key.tolist())) == 40
    assert home_keys(SEED, "other", ("H1",))[0] not in key
    assert home_keys(SEED + 1, "area", ("H1",))[0] not in key
    assert home_keys(SEED, "area", ("H1",))[0] == key[1]
    phase = drawn_phases(key, np.arange(300))
    expected = phase.size / 3
    statistic = ((np.bincount(phase.ravel(), minlength=3) - expected) ** 2 / expected).sum()
    assert statistic < chi2.ppf(0.9999, 2)


def test_members_are_drawn_evenly_and_apart_by_class(pool):
    key = home_keys(SEED, "area", tuple(f"H{k}" for k in range(40)))
    course = pool.courses(key, 0, np.arange(300))
    member = np.array(
        [np.flatnonzero((pool.share[0] == one).all(axis=1))[0] for one in course.reshape(-1, pool.n_step)]
    )
    count = np.bincount(member, minlength=N_HOME)
    expected = member.size / N_HOME
    assert ((count - expected) ** 2 / expected).sum() < chi2.ppf(0.9999, N_HOME - 1)
    base, heater = course[:, :, 0].ravel(), pool.courses(key, 1, np.arange(300))[:, :, 0].ravel()
    assert abs(np.corrcoef(base, heater)[0, 1]) < 4.0 / np.sqrt(base.size)
    first, second = course[:-1, :, 0].ravel(), course[1:, :, 0].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 4.0 / np.sqrt(first.size)


def test_weather_of_another_study_is_refused(study):
    weather, parameters, profiles = study
    short = dataclasses.replace(weather, study=slice(weather.study.start, weather.study.start + 96))
    with pytest.raises(InputError, match="weather must be that of the profiles"):
        draw_pool(profiles, short, parameters, rated_kw=np.ones(7), seed=SEED)


@pytest.mark.parametrize("method", ["coincidence", "fixed"])
def test_methods_without_homes_have_no_pool(method):
    require_simulated("simulated")
    with pytest.raises(InputError, match="no single homes"):
        require_simulated(method)
