"""Laws of simulated homes that hold for any cold."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import WARM_UP_DAYS, steady_days

PARAMETERS = default_parameters()
NUMBER = np.arange(150)
ZONES = heated_zones(draw_homes(NUMBER, NUMBER % 5, seed=8), PARAMETERS, seed=8, step_s=900.0)
DAYS = 14


def season(mean_c: float, *, range_k: float):
    """Two weeks from one and the same state: a window that begins later would owe heat to days before it."""
    weather = replace(steady_days(mean_c, days=DAYS - WARM_UP_DAYS, range_k=range_k), study=slice(0, None))
    return simulate(ZONES, weather, PARAMETERS, n_group=len(NUMBER))


@given(mild_c=st.floats(-3.0, 14.0), fall_k=st.floats(0.5, 6.0), range_k=st.floats(0.0, 8.0))
@settings(max_examples=25, deadline=None)
def test_colder_is_never_less_energy_of_a_zone(mild_c, fall_k, range_k):
    """Above -15 degC, below which a heat pump at full speed gives less and draws less."""
    mild, cold = season(mild_c, range_k=range_k), season(mild_c - fall_k, range_k=range_k)
    # A unit that runs for whole steps may be one step ahead in the mild; a store may be full from a day without use.
    one_step_kwh = 0.25 * ZONES["max_input_w"] / 1000.0
    allowed_kwh = 1e-6 + np.where(ZONES["is_inverter"], 0.0, one_step_kwh) + ZONES["store_j"] / 3.6e6
    assert (cold.energy_kwh >= mild.energy_kwh - allowed_kwh).all()
    assert cold.energy_kwh.sum() >= mild.energy_kwh.sum()


@given(mean_c=st.floats(-30.0, 25.0), range_k=st.floats(0.0, 16.0))
@settings(max_examples=25, deadline=None)
def test_power_lies_between_nothing_and_the_nameplate(mean_c, range_k):
    made = season(mean_c, range_k=range_k)
    most_w = np.bincount(ZONES["group"], weights=ZONES["max_input_w"] + ZONES["backup_w"] + ZONES["standby_w"])
    assert (made.power_kw >= 0.0).all()
    assert (made.power_kw <= most_w[:, None] / 1000.0 * (1.0 + 1e-6)).all()
    assert (made.on_h <= DAYS * 24.0 + 1e-6).all()
    assert (made.lowest_c <= made.room_c + 1e-9).all()
