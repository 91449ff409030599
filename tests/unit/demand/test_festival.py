"""Spring Festival: dates held against the moon, presence by hand."""

import math

import numpy as np
import pytest

from gridcheck.demand.festival import FIRST_YEAR, LAST_YEAR, festival_presence, new_year_days
from gridcheck.demand.parameters import default_parameters
from gridcheck.errors import InputError

# Published calendars; 2033 and 2034 lie on either side of the leap month that older programmes get wrong.
PUBLISHED = {
    *("2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06"),
    *("2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11", "2033-01-31", "2034-02-19", "2035-02-08"),
}


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


def test_every_new_year_begins_with_a_new_moon_in_china():
    local = [new_moon_utc(lunation) + np.timedelta64(8, "h") for lunation in range(-620, 1128)]
    new_moons = {moment.astype("datetime64[D]") for moment in local}
    assert [str(day) for day in new_year_days() if day not in new_moons] == []


def test_every_new_year_lies_between_21_january_and_20_february():
    days = new_year_days()
    after_new_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
    assert (after_new_year.min(), after_new_year.max()) == (20, 50)


def test_published_dates_are_met():
    assert set(new_year_days().astype(str)) >= PUBLISHED


def test_one_day_a_year():
    years = new_year_days().astype("datetime64[Y]").astype(int) + 1970
    assert years.tolist() == list(range(FIRST_YEAR, LAST_YEAR + 1))


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


def test_presence_is_found_for_days_in_any_order_and_repeated():
    days = np.array(["2026-02-14", "2026-01-20", "2026-02-14"], dtype="datetime64[D]")
    assert festival_presence(days, default_parameters().house).tolist() == [1.0, 0.0, 1.0]


def test_a_winter_outside_the_calendar_is_refused_and_summer_is_not():
    with pytest.raises(InputError, match="Spring Festival of 2099 is not known, only 1950 to 2090"):
        festival_presence(np.array(["2099-02-01"], dtype="datetime64[D]"), default_parameters().house)
    assert festival_presence(np.array(["2099-07-01"], dtype="datetime64[D]"), default_parameters().house)[0] == 0.0
