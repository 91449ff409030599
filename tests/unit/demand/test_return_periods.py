"""How rare a cold night is, against the published design conditions of Yuncheng (ASHRAE 2009)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.demand.weather import cold_waves, return_minimum_c, return_period_years
from gridcheck.demand.weather.typical_winter import county_offset_k
from gridcheck.errors import InputError

PUBLISHED_C = {5: -12.7, 10: -13.7, 20: -14.6, 50: -15.9}


def test_the_law_meets_the_four_published_return_minima():
    # 0.1 K: half a digit of the table and the rounding of mean and spread.
    assert return_minimum_c(list(PUBLISHED_C)) == pytest.approx(list(PUBLISHED_C.values()), abs=0.1)


def test_the_median_of_a_gumbel_law_by_hand():
    # Mean -11.5, spread 1.7: scale 1.32548, location -11.5 + 0.577216 * 1.32548 = -10.73491; half of all winters
    # stay above location - scale * 0.366513.
    assert float(return_minimum_c(2.0)) == pytest.approx(-10.73491 - 1.32548 * 0.366513, abs=1e-4)


@given(st.floats(1.001, 1000.0))
def test_period_and_minimum_are_each_others_inverse(years):
    assert float(return_period_years(return_minimum_c(years))) == pytest.approx(years, rel=1e-6)


def test_the_colder_the_rarer_and_a_mild_minimum_comes_every_year():
    years = return_period_years(np.arange(40.0, -30.0, -1.0))
    assert (np.diff(years) >= 0).all()
    assert (years[0], np.isnan(return_period_years(np.nan))) == (1.0, True)


def test_a_county_is_judged_by_its_own_climate():
    offset_k = county_offset_k("140826")[0]
    assert offset_k < -1.5
    assert float(return_period_years(-14.0 + offset_k, county_code="140826")) == pytest.approx(
        float(return_period_years(-14.0))
    )
    assert float(return_minimum_c(10, county_code="140826")) == pytest.approx(float(return_minimum_c(10)) + offset_k)


def test_templates_say_how_rare_they_are():
    years = {wave.wave: wave.return_period_years for wave in cold_waves()}
    # The table calls -14 degC a minimum of 10 to 20 years, and -19 one below that of 50 years.
    assert 10 < years["W1"] < 20
    assert years["W2"] == years["W1"]
    assert np.isnan(years["W3"])
    assert years["W4"] > 50


def test_a_period_of_a_year_or_less_is_refused():
    with pytest.raises(InputError, match="above 1"):
        return_minimum_c([10.0, 1.0])
