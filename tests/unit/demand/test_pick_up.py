"""After an outage: what comes back, what spreads it, and how long rooms stay warm."""

import numpy as np
import pytest

from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.pick_up import hours_until_cold, managed_restart, outage, pick_up
from gridcheck.demand.weather import in_minutes, steady_days
from gridcheck.errors import InputError

PARAMETERS = default_parameters()
MILD = in_minutes(steady_days(0.0, days=2))


def rooms(step_s, n_home=150):
    homes = draw_homes(np.arange(n_home), np.zeros(n_home, dtype=int), seed=4)
    return heated_zones(homes, PARAMETERS, seed=4, step_s=step_s)


@pytest.fixture(scope="module", name="zones")
def zones_of_a_village():
    return rooms(60.0)


@pytest.fixture(scope="module", name="event")
def two_hours_without_supply(zones):
    return pick_up(zones, MILD, PARAMETERS, outage_h=2.0)


def test_the_outage_ends_at_its_hour():
    supply = outage(MILD, restored_hour=18.5, outage_h=2.0)

    first = MILD.study.start
    off = np.flatnonzero(~supply)
    assert (off[0] - first, off[-1] - first) == (16.5 * 60, 18.5 * 60 - 1)


def test_the_ratio_is_that_of_the_courses(event, zones):
    """The same quantities once more from two simulations."""
    one = zones.copy()
    one["group"] = 0
    supply = outage(MILD, restored_hour=18.5, outage_h=2.0)
    course, normal = (
        simulate(one, MILD, PARAMETERS, n_group=1, supply=given).power_kw[0].astype(float) for given in (supply, None)
    )
    back = round(18.5 * 60)
    with_it, without = (some[back : back + 720].reshape(-1, 15).mean(axis=1) for some in (course, normal))
    assert event.ratio == pytest.approx((with_it / without).max())
    assert event.peak_kw == pytest.approx(event.ratio * event.without_kw)
    assert event.without_kw in [pytest.approx(value) for value in without]
    assert event.ratio > 1.5
    assert event.not_served_kwh == pytest.approx(normal[back - 120 : back].sum() / 60.0)
    assert 0.0 < event.repaid_kwh < event.not_served_kwh
    assert 0.0 < event.above_h <= 6.0


def test_no_outage_to_speak_of_is_no_pick_up(zones):
    short = pick_up(zones, MILD, PARAMETERS, outage_h=1.0 / 60.0)
    assert short.ratio < 1.3
    assert short.above_h <= 1.0


def test_a_staggered_restart_is_lower_at_first_and_waits_no_longer_than_asked(zones, event):
    waiting = managed_restart(zones, stagger_min=60.0)
    extra_s = waiting["restart_s"] - zones["restart_s"]
    assert (extra_s >= 0.0).all()
    assert (extra_s <= 3600.0).all()
    spread = pick_up(waiting, MILD, PARAMETERS, outage_h=2.0)
    assert spread.course_kw[1] < 0.8 * event.course_kw[1]


def test_lower_set_points_released_together_make_a_second_peak(zones, event):
    together = pick_up(managed_restart(zones, lowered_k=2.0, lowered_h=2.0), MILD, PARAMETERS, outage_h=2.0)
    one_by_one = pick_up(
        managed_restart(zones, lowered_k=2.0, lowered_h=1.0, release_spread_h=4.0), MILD, PARAMETERS, outage_h=2.0
    )
    second = slice(8, 12)  # the third hour after supply returned
    assert together.course_kw[:7].max() < event.course_kw[:7].max()
    assert together.course_kw[second].max() > 1.2 * one_by_one.course_kw[second].max()


def test_the_zones_given_are_not_touched(zones):
    before = zones.copy()
    managed_restart(zones, stagger_min=30.0, lowered_k=1.0, lowered_h=1.0)
    pick_up(zones, MILD, PARAMETERS, outage_h=0.5)
    assert (zones == before).all()


def test_homes_cool_down_sooner_in_the_cold_and_reach_5_degrees_later_than_12():
    zones = rooms(900.0)
    cold, mild = (hours_until_cold(zones, steady_days(t, days=4), PARAMETERS) for t in (-10.0, 0.0))
    assert cold.shape == (150, 2)
    in_time = np.isfinite(cold[:, 1])
    assert in_time.mean() > 0.9
    assert (cold[in_time, 0] <= cold[in_time, 1]).all()
    assert np.nanmedian(cold[:, 0]) < np.median(np.nan_to_num(mild[:, 0], nan=np.inf))


def test_a_home_counts_by_its_warmest_room():
    zones = rooms(900.0)
    below = hours_until_cold(zones, steady_days(-10.0, days=3), PARAMETERS, thresholds_c=(12.0,))[:, 0]
    alone = [
        hours_until_cold(zones[[place]], steady_days(-10.0, days=3), PARAMETERS, thresholds_c=(12.0,))[-1, 0]
        for place in np.flatnonzero(zones["home"] == zones["home"][-1])
    ]
    assert below[-1] == max(alone)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: pick_up(z, steady_days(0.0, days=2), PARAMETERS, outage_h=2.0), "steps of one minute"),
        (lambda z: pick_up(z, in_minutes(steady_days(0.0)), PARAMETERS, outage_h=2.0), "12 h beyond"),
        (lambda z: pick_up(z, MILD, PARAMETERS, outage_h=0.0), "outage_h"),
        (lambda z: pick_up(z, MILD, PARAMETERS, outage_h=1e4), "outage_h"),
        (lambda z: pick_up(z, MILD, PARAMETERS, outage_h=2.0, restored_hour=24.5), "holds no 24.5 h"),
    ],
)
def test_what_cannot_be_answered_is_refused(zones, call, words):
    with pytest.raises(InputError, match=words):
        call(zones)
