"""The simulated homes against the ten targets, and what makes them what they are."""

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import CLASSES, default_parameters
from gridcheck.demand.profiles import class_profiles
from gridcheck.demand.validation import Target, validate_demand
from gridcheck.demand.weather import steady_days

# One house ran its room units twice as hard, for its floor, as units that hold a room do.
NOT_MET = (4,)


@pytest.fixture(scope="module", name="targets")
def ten_targets():
    return validate_demand()


def test_there_are_ten_and_nine_are_met(targets):
    assert [target.number for target in targets] == list(range(1, 11))
    assert tuple(target.number for target in targets if not target.is_met) == NOT_MET


def test_no_other_part_of_a_target_is_missed(targets):
    missed = [
        (target.number, name)
        for target in targets
        for name, value, least, most in target.checks
        if not least <= value <= most
    ]
    assert missed == [(4, "W/m²")]


def test_a_target_is_missed_by_one_of_its_parts_and_by_what_is_no_number():
    def target(*values):
        checks = tuple(("part", value, 0.0, 1.0) for value in values)
        return Target(
            number=1, quantity_zh="", quantity_en="", checks=checks, strength_zh="", strength_en="", source=""
        )

    assert target(0.0, 1.0).is_met
    assert not target(0.5, 1.1).is_met
    assert not target(float("nan")).is_met


def test_targets_notice_a_model_that_is_off():
    """Houses without walls to speak of, and heaters of half the COP in the field."""
    worse = default_parameters().with_overrides(
        {"mass_capacity_kj_per_k_m2": 30.0, "heat_loss_uninsulated_w_per_k_m2": 7.0}
    )
    met = sum(target.is_met for target in validate_demand(worse, n_home=200))
    assert met <= 6


def test_base_load_of_many_homes_and_at_spring_festival():
    from datetime import date

    winter = class_profiles(steady_days(0.0))
    festival = class_profiles(steady_days(0.0, day=date(2026, 2, 17)))
    assert 0.4 <= winter.mean[:, 0].max() <= 0.6
    assert 0.8 <= festival.mean[:, 0].max() <= 1.1
    # 1500 kWh over 8760 h, half more in winter; three thousand homes with a log spread of 0.6.
    assert winter.mean[:, 0].mean() == pytest.approx(1500 / 8760 * 1.5, rel=0.05)


def test_more_homes_of_a_class_draw_less_each_and_more_together():
    profiles = class_profiles(steady_days(-5.0), n_home=500)
    n = np.arange(1.0, 200.0)[:, None]
    for column in range(len(CLASSES)):
        mean, spread = profiles.mean[:, column], profiles.single[:, column] - profiles.mean[:, column]
        each = mean + spread * n**-0.5
        assert (np.diff(each, axis=0) <= 1e-12).all()
        assert (np.diff(n * each, axis=0) >= -1e-12).all()


def test_the_planned_quantile_is_exceeded_by_one_group_in_twenty():
    """Groups of forty homes that were not used for the profile, beside what the profile says of them."""
    parameters, weather = default_parameters(), steady_days(-5.0)
    profiles = class_profiles(weather, seed=3, n_home=2000)
    n_home, n = 8000, 40
    for position in (0, 1):
        homes = draw_homes(np.arange(10**6, 10**6 + n_home), np.full(n_home, position), seed=3)
        zones = heated_zones(homes, parameters, seed=3, step_s=900.0, group=np.arange(n_home) // n)
        power = simulate(zones, weather, parameters, n_group=n_home // n).power_kw
        rated = homes.rated_kw.reshape(-1, n).sum(axis=1)[:, None]
        column = CLASSES.index(DEVICE_CLASSES[position])
        mean, single = profiles.mean[:, column], profiles.single[:, column]
        beyond = (power > rated * (mean + (single - mean) * n**-0.5)).mean()
        assert 0.02 <= beyond <= 0.08


@pytest.mark.parametrize("method", ["coincidence", "fixed"])
def test_methods_for_paper_and_audits_need_no_simulation(method):
    profiles = class_profiles(steady_days(-10.0), method=method, fixed_share=0.7)
    assert profiles.classes == CLASSES
    heaters = profiles.mean[:, 1:]
    if method == "fixed":
        assert (heaters == 0.7).all()
        assert (profiles.single[:, 1:] == 0.7).all()
    else:
        # A crowd of room heat pumps at -10 degC: 0.78 of 1.14 of the rating, at all hours.
        assert heaters[:, 0] == pytest.approx(0.89, abs=0.06)
        assert np.ptp(heaters, axis=0) == pytest.approx(0.0)


def test_the_classical_method_lies_beside_the_simulated_one():
    for mean_c in (0.0, -10.0):
        weather = steady_days(mean_c)
        simulated, classical = class_profiles(weather, n_home=1000), class_profiles(weather, method="coincidence")
        for n in (10.0, 300.0):
            peaks = [
                (p.mean + (p.single - p.mean) * np.maximum(n / p.together, 1.0) ** -p.alpha).max(axis=0)[1:]
                for p in (simulated, classical)
            ]
            np.testing.assert_allclose(peaks[1], peaks[0], rtol=0.25)


def test_an_unknown_method_is_named():
    from gridcheck.errors import InputError

    with pytest.raises(InputError, match="simulated, coincidence or fixed"):
        class_profiles(steady_days(0.0), method="guess")
