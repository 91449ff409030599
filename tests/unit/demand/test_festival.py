"""Spring Festival: dates held against the moon, presence by hand."""

import math

import numpy as np
import pytest

from gridcheck.demand.festival import festival_presence, new_year_days
from gridcheck.demand.parameters import default_parameters
from gridcheck.errors import InputError


def new_moon_utc(lunation: int) -> np.datetime64:
    """New moon number `lunation` since January 2000, within some minutes (Meeus, Astronomical Algorithms, ch. 49)."""
    century = lunation / 1236.85
    julian_day = 2451550.09766 + 29.530588861 * lunation + 0.00015437 * century**2
    sun = math.radians(2.5534 + 29.10535670 * lunation)
    moon = math.radians(201.5643 + 385.81693528 * lunation)
    latitude = math.radians(160.7108 + 390.67050284 * lunation)
    eccentric = 1.0 - 0.002516 * century
    julian_day += (
        -0.40720 * math.sin(moon)
        + 0.17241 * eccentric * math.sin(sun)
        + 0.01608 * math.sin(2 * moon)
        + 0.01039 * math.sin(2 * latitude)
        + 0.00739 * eccentric * math.sin(moon - sun)
        - 0.00514 * eccentric * math.sin(moon + sun)
        + 0.00208 * eccentric**2 * math.sin(2 * sun)
    )
    # Terrestrial time is about 70 s ahead of universal time.
    seconds = (julian_day - 2440587.5) * 86400.0 - 70.0
    return np.datetime64("1970-01-01", "s") + np.timedelta64(round(seconds), "s")


def test_every_new_year_is_a_new_moon_in_china_between_21_january_and_20_february():
    local = [new_moon_utc(lunation) + np.timedelta64(8, "h") for lunation in range(290, 440)]
    new_moons = {moment.astype("datetime64[D]") for moment in local}
    for day in new_year_days():
        assert day in new_moons
        year = day.astype("datetime64[Y]")
        after_new_year = (day - year.astype("datetime64[D]")).astype(int)
        assert 20 <= after_new_year <= 50


def test_table_holds_one_day_a_year_from_2024_to_2035():
    assert new_year_days().astype("datetime64[Y]").astype(int).tolist() == list(range(54, 66))
    assert np.datetime64("2026-02-17") in new_year_days()


@pytest.mark.parametrize(
    ("day", "presence"),
    [
        ("2026-01-20", 0.0),
        ("2026-02-03", 0.0),
        # 14 days before until 3 before: 14 - 8 = 6 of 11 days.
        ("2026-02-09", 6 / 11),
        ("2026-02-14", 1.0),
        ("2026-02-17", 1.0),
        ("2026-02-23", 1.0),
        ("2026-03-04", 0.0),
        ("2025-11-20", 0.0),
    ],
)
def test_presence_rises_before_and_falls_after(day, presence):
    found = festival_presence(np.array([day], dtype="datetime64[D]"), default_parameters().house)
    assert found[0] == pytest.approx(presence)


def test_a_winter_without_an_entry_is_refused_and_summer_is_not():
    with pytest.raises(InputError, match="no row for 2040"):
        festival_presence(np.array(["2040-02-01"], dtype="datetime64[D]"), default_parameters().house)
    assert festival_presence(np.array(["2040-07-01"], dtype="datetime64[D]"), default_parameters().house)[0] == 0.0
