"""Whoever is approved at once is approved by the full way too, in any small area."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.connection.low_voltage_verdict import AreaQueue, LvOptions
from gridcheck.connection.pre_approval import PreApprovalRules, certain_heaters
from tests.support.risk_areas import BASE, HEAT_PUMP, area, pool, street

TYPE = "S13-100-Dyn11"
HOUSEHOLDS = pool(width=2, n_window=2)
RULES = RiskRules(refusal_draws=8, draws=(30, 60), risk=0.15)
SMALL = PreApprovalRules(device="heat_pump", largest_kw=2.0, most=5)
PLAIN = LvOptions(network_of=lambda _grid, _steps: None, phases=False, managed_start=False, least_share=1.0)


@st.composite
def areas(draw):
    """A street with its homes, 10 kV voltage and base load."""
    n_home = draw(st.integers(3, 9))
    grid = street(
        n_home,
        n_line=draw(st.integers(1, 2)),
        poles=draw(st.sampled_from([2, 4, 8])),
        metres=draw(st.sampled_from([20.0, 40.0, 60.0, 90.0, 150.0])),
        phases=tuple(draw(st.lists(st.integers(-1, 3), min_size=3, max_size=3))),
    )
    net = area(grid, HOUSEHOLDS, type_name=TYPE, vm_pu=draw(st.sampled_from([0.92, 0.95, 1.0, 1.04])))
    kw = draw(st.sampled_from([0.3, 0.8, 1.5, 2.5]))
    return net, loads_of(np.arange(n_home), np.full(n_home, BASE), np.full(n_home, kw)), draw(st.integers(0, 1000))


def full_way(net, loads, seed, heaters):
    """Ask one after the other; return who fits as asked, without a condition."""
    queue = AreaQueue(AreaRisk(net, loads, RULES, seed=seed), PLAIN)
    answers = [queue.decide(heater) for heater in heaters]
    return [answer.fits and not answer.conditions for answer in answers]


@settings(max_examples=25, deadline=None)
@given(areas(), st.data())
def test_whoever_is_approved_at_once_is_approved_by_the_full_way(given_area, data):
    net, loads, seed = given_area
    n_home = net.grid.n_home
    number = certain_heaters(AreaRisk(net, loads, RULES, seed=seed), range(n_home), SMALL)
    homes = data.draw(st.permutations(range(n_home)))[:number]
    wishes = [
        LvHeater(
            home=home,
            column=HEAT_PUMP,
            rated_kw=data.draw(st.sampled_from([0.9, 1.5, SMALL.largest_kw])),
            phase=data.draw(st.integers(-1, 3)),
        )
        for home in homes
    ]
    assert full_way(net, loads, seed, wishes) == [True] * number


@pytest.mark.parametrize(("metres", "expected"), [(150.0, 0), (60.0, 2), (20.0, 5)])
def test_the_law_says_something(metres, expected):
    """Limits of nothing, of something and at the bound, or the law would hold for an empty reason."""
    net = area(street(8, poles=8, metres=metres), HOUSEHOLDS, type_name=TYPE, vm_pu=0.95)
    loads = loads_of(np.arange(8), np.full(8, BASE), np.full(8, 0.8))
    assert certain_heaters(AreaRisk(net, loads, RULES, seed=3), range(8), SMALL) == expected


def test_the_law_can_fail():
    # Twice as many as the limit at its worst places: somebody waits.
    grid = street(8, poles=8, metres=60.0, phases=(0, 1, 2))
    net = area(grid, HOUSEHOLDS, type_name=TYPE, vm_pu=0.97)
    loads = loads_of(np.arange(8), np.full(8, BASE), np.full(8, 0.8))
    number = certain_heaters(AreaRisk(net, loads, RULES, seed=3), range(8), SMALL)
    big = [LvHeater(home=home, column=HEAT_PUMP, rated_kw=12.0, phase=0) for home in range(8)]
    assert number < 8
    assert not all(full_way(net, loads, 3, big))


@settings(max_examples=8, deadline=None)
@given(areas())
def test_smaller_heaters_never_allow_fewer(given_area):
    net, loads, seed = given_area

    def limit(size):
        rules = dataclasses.replace(SMALL, largest_kw=size)
        return certain_heaters(AreaRisk(net, loads, RULES, seed=seed), range(net.grid.n_home), rules)

    assert limit(1.0) >= limit(2.0) >= limit(4.0)
