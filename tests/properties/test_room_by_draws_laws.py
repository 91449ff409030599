"""Laws of how many heaters fit an area: what the desk would see one by one, monotone, found by halving."""

import dataclasses

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridcheck.checks.area_loads import loads_of
from gridcheck.checks.draw_extremes import LvCheck
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.connection.room_by_draws import HeatersInArea, largest_that_fits
from tests.support.risk_areas import BASE, HEAT_PUMP, area, pool, street

HOUSEHOLDS = pool(width=2, n_window=2)


@st.composite
def streets(draw):
    """A street with its homes before anybody asks, and heaters of one kind for some of them."""
    n_home = draw(st.integers(4, 10))
    grid = street(
        n_home,
        n_line=draw(st.integers(1, 2)),
        poles=draw(st.sampled_from([4, 8])),
        metres=draw(st.sampled_from([40.0, 80.0, 120.0])),
        phases=tuple(draw(st.lists(st.integers(-1, 3), min_size=3, max_size=3))),
    )
    net = area(grid, HOUSEHOLDS, type_name="S13-100-Dyn11", vm_pu=draw(st.sampled_from([0.94, 0.97, 1.0, 1.05])))
    loads = loads_of(np.arange(n_home), np.full(n_home, BASE), np.full(n_home, draw(st.sampled_from([0.5, 1.5, 3.0]))))
    kind = LvHeater(
        home=-1, column=HEAT_PUMP, rated_kw=draw(st.sampled_from([1.0, 3.0, 6.0])), phase=draw(st.sampled_from([-1, 3]))
    )
    homes = draw(st.permutations(range(n_home)))
    return AreaRisk(net, loads, RiskRules(draws=(20, 40), refusal_draws=10, risk=0.1), seed=draw(st.integers(0, 99))), (
        homes, kind,
    )  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(streets())
def test_every_number_of_heaters_is_what_promises_one_by_one_show(drawn):
    risk, (homes, kind) = drawn
    row = HeatersInArea(risk, homes, kind)
    desk = risk.moved(risk.net)
    for number, home in enumerate(homes, start=1):
        seen = row.outlook(number)
        one = desk.with_heater(dataclasses.replace(kind, home=home))
        desk.promise(one)
        worst = desk.batch(0).worst
        mine = row._batches[0].worst[number]
        # The same loads added in the same order: the kernel's blocks differ, so to the tolerance of its sweeps.
        np.testing.assert_allclose(mine.value, worst.value, rtol=1e-7)
        np.testing.assert_array_equal(mine.unsolved, worst.unsolved)
        assert seen.heater.home == home


@settings(max_examples=20, deadline=None)
@given(streets())
def test_halving_finds_what_counting_up_finds(drawn):
    risk, (homes, kind) = drawn
    row = HeatersInArea(risk, homes, kind)
    fits = [row.outlook(n).fits for n in range(1, len(homes) + 1)]
    assert fits == sorted(fits, reverse=True)
    one_by_one = sum(fits)
    for first in (1, len(homes) // 2, len(homes)):
        assert HeatersInArea(risk, homes, kind).largest(first) == one_by_one
    assert HeatersInArea(risk, homes, kind).largest(2, most=2) == min(2, one_by_one)


@settings(max_examples=20, deadline=None)
@given(streets())
def test_never_more_than_the_desk_would_grant_one_by_one(drawn):
    risk, (homes, kind) = drawn
    most = HeatersInArea(risk, homes, kind).largest()
    desk, granted = risk.moved(risk.net), 0
    for home in homes:
        one = desk.with_heater(dataclasses.replace(kind, home=home))
        if not one.fits:
            break
        desk.promise(one)
        granted += 1
    assert most <= granted
    if most < granted:
        # All together push a draw that kept the upper voltage beyond it; no single one lifts it enough to be charged.
        assert HeatersInArea(risk, homes, kind).outlook(most + 1).charged[LvCheck.HIGH_VOLTAGE]


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 70))
@example(0, 0, 5)
def test_any_beginning_of_the_search_leads_to_the_same_number(most, edge, first):
    asked = []

    def fits(n):
        asked.append(n)
        return n <= edge

    assert largest_that_fits(fits, most, first) == min(edge, most)
    assert all(1 <= n <= most for n in asked)
    assert len(asked) == len(set(asked))
    assert len(asked) <= 14
