"""What homes do on a day belongs to the calendar: a weather that begins later draws the same days."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import scenario_weather, steady_days

PARAMETERS = default_parameters()
SEED, N, DAY = 9, 400, 96
NUMBER = np.arange(N)
# Room heat pumps draw whenever they are wanted in a frost, so that their hours of use can be seen.
HOMES = draw_homes(NUMBER, np.zeros(N, dtype=np.int64), seed=SEED)
FROST = steady_days(-9.0, days=6, range_k=4.0)


def later(weather, days, *, study=None):
    """The same weather without its first days."""
    cut = days * DAY
    window = slice(weather.study.start - cut, weather.study.stop - cut) if study is None else study
    return replace(
        weather,
        time_utc=weather.time_utc[cut:],
        temperature_c=weather.temperature_c[cut:],
        humidity_percent=weather.humidity_percent[cut:],
        solar_w_per_m2=weather.solar_w_per_m2[cut:],
        study=window,
    )


def runs(weather, **more):
    zones = heated_zones(HOMES, PARAMETERS, seed=SEED, step_s=900.0)
    zones["group"] = np.arange(len(zones))
    made = simulate(zones, weather, PARAMETERS, n_group=len(zones), threads=1, **more)
    return made.power_kw > 1.5 * zones["standby_w"][:, None] / 1000.0


@pytest.mark.parametrize("days", [1, 3, 7])
def test_a_later_beginning_changes_no_habit(days):
    early, late = runs(FROST), runs(later(FROST, days))
    assert 0.2 < early.mean() < 0.9
    assert np.mean(early != late) == 0.0


def test_the_first_morning_follows_the_evening_before():
    """The window is the first day of the later weather; bedrooms run until a hour drawn on the day before."""
    first = FROST.study.start // DAY
    early = runs(replace(FROST, study=slice(first * DAY, (first + 1) * DAY)))
    late = runs(later(FROST, first, study=slice(0, DAY)))
    night = slice(0, 5 * 4)
    assert 0.05 < early[:, night].mean() < 0.95
    # Rooms begin as cold as they are at first in every weather, so nothing that is wanted stands still.
    assert np.mean(early != late) == 0.0


def test_energy_of_a_season_hardly_depends_on_its_beginning():
    winter = scenario_weather("140802", start=date(2026, 1, 5), days=14, seed=3)
    zones = heated_zones(HOMES, PARAMETERS, seed=SEED, step_s=900.0)
    early, late = (
        simulate(zones, weather, PARAMETERS, n_group=N, threads=1).energy_kwh for weather in (winter, later(winter, 3))
    )
    np.testing.assert_allclose(late, early, rtol=0.01, atol=0.3)


def test_days_are_not_alike():
    of_day = runs(FROST).reshape(-1, 6, DAY)
    for other in range(1, 6):
        assert np.mean(of_day[:, 0] != of_day[:, other]) > 0.01


def test_days_before_1970_have_their_luck_too():
    old = replace(FROST, time_utc=FROST.time_utc - np.timedelta64(60 * 365, "D"))
    assert np.mean(runs(old) != runs(later(old, 3))) == 0.0
