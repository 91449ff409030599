"""Laws of demand that hold for any cold, any number of homes and any split over areas."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridcheck.cases import LoadCases
from gridcheck.demand.devices import limited_mean
from gridcheck.demand.parameters import CLASSES, default_parameters
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, class_profiles, factored_loads
from gridcheck.demand.weather import scenario_weather, steady_days

PARAMETERS = default_parameters()
N_CLASS = len(CLASSES)
CEILING = np.array([np.inf, *(device.max_input_ratio + device.backup_ratio for device in PARAMETERS.devices)])


@pytest.fixture(scope="module", name="wave")
def wave_profiles() -> ClassProfiles:
    return class_profiles(scenario_weather("140881", start=date(2026, 1, 20), days=2, wave="W1", seed=1), n_home=200)


@st.composite
def counts_of_areas(draw: st.DrawFn) -> ClassCounts:
    n_area = draw(st.integers(1, 6))
    count = draw(arrays(np.float64, (n_area, N_CLASS), elements=st.integers(0, 300).map(float)))
    per_home = draw(arrays(np.float64, (n_area, N_CLASS), elements=st.floats(0.5, 9.0)))
    return ClassCounts(rated_kw=count * per_home, count=count)


@given(
    mild_c=st.floats(-10.0, 12.0),
    fall_k=st.floats(0.5, 10.0),
    range_k=st.floats(0.0, 16.0),
)
@settings(max_examples=10, deadline=None)
def test_a_colder_day_never_takes_less_energy(mild_c, fall_k, range_k):
    """The same homes in both; units without an inverter may carry a step of running from one day to the next."""
    mild, cold = (
        class_profiles(steady_days(mean_c, range_k=range_k), n_home=200) for mean_c in (mild_c, mild_c - fall_k)
    )
    # Storage heaters are full by then; far below -15 degC room heat pumps lose input with their output.
    assert (cold.mean.mean(axis=0) >= mild.mean.mean(axis=0) * 0.995 - 1e-4).all()


@given(daily_mean_c=st.floats(-30.0, 15.0), range_k=st.floats(0.0, 16.0))
@settings(max_examples=10, deadline=None)
def test_power_never_exceeds_the_sum_of_maximum_inputs(daily_mean_c, range_k):
    profiles = class_profiles(steady_days(daily_mean_c, range_k=range_k), n_home=200)
    assert (profiles.mean >= 0.0).all()
    assert (profiles.mean <= profiles.single).all()
    # Sizes and elements are drawn, so the mean nameplate of two hundred homes is that of the class but for a little.
    assert (profiles.single <= 1.15 * CEILING).all()


@given(counts=counts_of_areas(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_more_units_never_draw_less_and_never_more_than_singles(wave, counts, data):
    column = data.draw(st.integers(0, N_CLASS - 1))
    homes = np.arange(1.0, 60.0)
    rated_kw, count = np.zeros((len(homes), N_CLASS)), np.zeros((len(homes), N_CLASS))
    count[:, column] = homes
    rated_kw[:, column] = homes * data.draw(st.floats(0.5, 9.0))
    ladder = ClassCounts(rated_kw=rated_kw, count=count)
    power = factored_loads(wave, ladder, area_bus=np.arange(len(homes)), n_bus=len(homes)).cases().p_mw
    assert (np.diff(power, axis=1) >= -1e-12).all()
    loads = factored_loads(wave, counts, area_bus=np.arange(len(counts.count)), n_bus=len(counts.count)).cases()
    singles_mw = wave.single @ counts.rated_kw.T / 1000.0
    assert (loads.p_mw <= singles_mw + 1e-12).all()


@given(counts=counts_of_areas(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_factored_loads_are_the_formula_written_out(wave, counts, data):
    n_area, n_bus = len(counts.count), 4
    bus = data.draw(arrays(np.int64, n_area, elements=st.integers(0, n_bus - 1)))
    group = data.draw(st.none() | arrays(np.int64, n_area, elements=st.integers(0, 2)))
    found = factored_loads(wave, counts, area_bus=bus, n_bus=n_bus, group=group).cases()
    p_mw, q_mvar = np.zeros((wave.n_case, n_bus)), np.zeros((wave.n_case, n_bus))
    for area in range(n_area):
        for column in range(N_CLASS):
            homes = counts.count[area, column]
            if homes == 0:
                continue
            if group is not None:
                homes = counts.count[group == group[area], column].sum()
            mean, single = wave.mean[:, column], wave.single[:, column]
            power = counts.rated_kw[area, column] * (mean + (single - mean) * homes ** -wave.alpha[column]) / 1000.0
            p_mw[:, bus[area]] += power
            q_mvar[:, bus[area]] += power * wave.tan_phi[column]
    dense = LoadCases(p_mw=p_mw, q_mvar=q_mvar, duration_h=np.full(wave.n_case, 0.25))
    np.testing.assert_allclose(found.p_mw, dense.p_mw, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found.q_mvar, dense.q_mvar, rtol=1e-10, atol=1e-14)
    assert found.duration_h.tolist() == dense.duration_h.tolist()


@given(counts=counts_of_areas(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_feeder_is_never_more_than_its_areas_alone(wave, counts, data):
    n_area = len(counts.count)
    group = data.draw(arrays(np.int64, n_area, elements=st.integers(0, 2)))
    bus = np.arange(n_area)
    alone = factored_loads(wave, counts, area_bus=bus, n_bus=n_area).cases().p_mw
    shared = factored_loads(wave, counts, area_bus=bus, n_bus=n_area, group=group).cases().p_mw
    mean_only = wave.mean @ counts.rated_kw.T / 1000.0
    assert (shared <= alone + 1e-12).all()
    assert (shared >= mean_only - 1e-12).all()


@given(
    need=st.floats(0.0, 20.0),
    more=st.floats(0.0, 5.0),
    ceiling=st.floats(0.05, 3.0),
    sigma=st.floats(0.02, 1.0),
)
def test_saturated_mean_rises_with_the_need_and_stays_below_both_bounds(need, more, ceiling, sigma):
    low, high = (limited_mean(np.array([value]), np.array([ceiling]), sigma)[0] for value in (need, need + more))
    assert low <= high + 1e-9
    assert low <= min(need, ceiling) + 1e-9
