"""Probabilities of broken limits against the binomial law, and what must hold of draws whatever the area."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import binom

from gridcheck.checks.area_loads import homes_without_heater, loads_of, spread_over_homes, with_home_phases
from gridcheck.checks.draw_extremes import LvCheck
from gridcheck.checks.low_voltage_risk import AreaRisk
from gridcheck.checks.risk_outlook import LvHeater, RiskRules
from gridcheck.checks.sampled_share import Side, share_interval
from gridcheck.errors import InputError
from tests.support.risk_areas import (
    BASE,
    CLASSES,
    HEAT_PUMP,
    ROOF,
    area,
    lived_in,
    on_off_pool,
    one_box,
    pool,
    street,
)

LOW = LvCheck.LOW_VOLTAGE
MANY = RiskRules(refusal_draws=0, draws=(4000,))


def heaters_on(n: int, kw: float):
    return loads_of(np.arange(n), np.full(n, HEAT_PUMP), np.full(n, kw))


# --------------------------------------------------------------------------------------------- against the binomial law


def test_the_probability_is_that_of_the_binomial_law():
    # Seven homes on one phase at the end of a line, each of 3 kW that is on in three draws of ten. The voltage is below
    # 198 V exactly where five or more are on: found by connecting them one after the other.
    net = area(one_box((0,) * 7, metres=400.0), on_off_pool({HEAT_PUMP: 1.0}), vm_pu=0.97)
    lowest = [
        AreaRisk(net, heaters_on(n, 3.0), RiskRules(refusal_draws=0, draws=(1,)), seed=1).batch(0).worst.value[LOW, 0]
        for n in range(8)
    ]
    least = next(n for n in range(8) if lowest[n] < 198.0)
    assert 3 <= least <= 6
    on = dataclasses.replace(net, pool=on_off_pool({HEAT_PUMP: 0.3}))
    seen = AreaRisk(on, heaters_on(6, 3.0), MANY, seed=5).with_heater(LvHeater(home=6, column=HEAT_PUMP, rated_kw=3.0))
    without, with_it = binom.sf(least - 1, 6, 0.3), binom.sf(least - 1, 7, 0.3)
    four_sigma = 4.0 * np.sqrt(with_it * (1.0 - with_it) / 4000)
    assert seen.probability[LOW] == pytest.approx(with_it, abs=four_sigma)
    assert seen.probability_before[LOW] == pytest.approx(without, abs=four_sigma)
    assert seen.low[LOW] < with_it < seen.high[LOW]


def test_unknown_phases_are_a_distribution():
    # Three homes that are always on, phases unknown: all three on one phase in one draw of nine.
    net = area(one_box((-1,) * 3, metres=400.0), on_off_pool({HEAT_PUMP: 1.0}), vm_pu=0.97)
    together = AreaRisk(
        dataclasses.replace(net, grid=one_box((0,) * 3, metres=400.0)),
        heaters_on(3, 5.0),
        RiskRules(refusal_draws=0, draws=(1,)),
        seed=1,
    )
    apart = AreaRisk(
        dataclasses.replace(net, grid=one_box((0, 0, 1), metres=400.0)),
        heaters_on(3, 5.0),
        RiskRules(refusal_draws=0, draws=(1,)),
        seed=1,
    )
    assert together.batch(0).worst.value[LOW, 0] < 198.0 < apart.batch(0).worst.value[LOW, 0]
    broken = AreaRisk(net, heaters_on(3, 5.0), MANY, seed=2).batch(0).worst.broken(net.limit)[LOW]
    assert broken.mean() == pytest.approx(1 / 9, abs=4.0 * np.sqrt(8 / 81 / 4000))


def test_a_known_phase_holds_in_every_draw():
    grid = one_box((-1, 2, 3))
    risk = AreaRisk(area(grid, pool()), lived_in(3), RiskRules(refusal_draws=0, draws=(50,)), seed=2)
    phase = risk.batch(0).phase
    assert set(phase[0]) == {0, 1, 2}
    assert (phase[1] == 2).all()
    assert (phase[2] == 3).all()
    assert with_home_phases(grid, np.array([0]), np.array([1])).home_phase.tolist() == [1, 2, 3]


# ------------------------------------------------------------------------------------------------ common random numbers


def small_risk(seed=4, rules=None, **drawing):
    net = area(street(12, poles=6, phases=(0, 1, -1, 2), **drawing), pool(), vm_pu=0.95)
    return AreaRisk(net, lived_in(12), RiskRules(refusal_draws=0, draws=(60,)) if rules is None else rules, seed=seed)


HEATER = LvHeater(home=3, column=HEAT_PUMP, rated_kw=3.0, phase=0)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    once, again, other = small_risk(), small_risk(), small_risk(seed=5)
    a, b = once.with_heater(HEATER), again.with_heater(HEATER)
    assert a.batches[0].worst.value.tobytes() == b.batches[0].worst.value.tobytes()
    assert a.batches[0].p_kw.tobytes() == b.batches[0].p_kw.tobytes()
    assert other.with_heater(HEATER).batches[0].p_kw.tobytes() != a.batches[0].p_kw.tobytes()


def test_a_home_behaves_alike_whoever_else_is_connected():
    net = small_risk().net
    alone = AreaRisk(net, lived_in(12).at(np.array([3])), RiskRules(refusal_draws=0, draws=(60,)), seed=4).batch(0).p_kw
    without = (
        AreaRisk(net, lived_in(12).at(np.delete(np.arange(12), 3)), RiskRules(refusal_draws=0, draws=(60,)), seed=4)
        .batch(0)
        .p_kw
    )
    np.testing.assert_allclose(alone + without, small_risk().batch(0).p_kw, atol=1e-12)


def test_the_draws_of_a_larger_sample_begin_with_those_of_a_smaller_one():
    few, more = small_risk(), small_risk(rules=RiskRules(refusal_draws=0, draws=(60, 90)))
    assert few.batch(0).p_kw.tobytes() == more.batch(0).p_kw.tobytes()
    whole = small_risk(rules=RiskRules(refusal_draws=0, draws=(90,))).batch(0)
    assert whole.p_kw[:, 60:].tobytes() == more.batch(1).p_kw.tobytes()


def test_a_promise_is_what_connecting_it_from_the_beginning_is():
    risk = small_risk()
    risk.promise(risk.with_heater(HEATER))
    heater = loads_of(np.array([3]), np.array([HEAT_PUMP]), np.array([3.0]), phase=np.array([0]))
    fresh = AreaRisk(risk.net, lived_in(12).and_then(heater), risk.rules, seed=4).batch(0)
    np.testing.assert_allclose(risk.batch(0).p_kw, fresh.p_kw, atol=1e-12)
    np.testing.assert_allclose(risk.batch(0).q_kvar, fresh.q_kvar, atol=1e-12)


def test_an_outlook_promises_nothing():
    risk = small_risk()
    before = risk.batch(0)
    risk.with_heater(HEATER)
    assert risk.batch(0) is before
    assert risk.promised == ()


def test_a_batch_that_was_not_looked_at_catches_up():
    rules = RiskRules(refusal_draws=0, draws=(20, 40))
    risk = small_risk(rules=rules)
    risk.promise(risk.with_heater(HEATER))
    late = risk.batch(1)
    direct = small_risk(rules=rules)
    direct.batch(0), direct.batch(1)
    direct.promise(direct.with_heater(HEATER))
    assert late.p_kw.tobytes() == direct.batch(1).p_kw.tobytes()


# --------------------------------------------------------------------------------------------------------------- laws


def test_a_promise_never_improves_anything():
    # The second home hangs on another phase and lifts the voltage of the first by way of the neutral.
    net = area(one_box((0, 1), metres=400.0), on_off_pool({HEAT_PUMP: 1.0}), vm_pu=0.95)
    risk = AreaRisk(net, heaters_on(1, 6.0), RiskRules(refusal_draws=0, draws=(1,)), seed=1)
    second = LvHeater(home=1, column=HEAT_PUMP, rated_kw=6.0)
    both = (
        AreaRisk(net, heaters_on(2, 6.0), RiskRules(refusal_draws=0, draws=(1,)), seed=1).batch(0).worst.value[LOW, 0]
    )
    first = risk.batch(0).worst.value[LOW, 0]
    assert both > first + 0.1  # the load flow alone says that it got better
    seen = risk.with_heater(second)
    assert seen.value[LOW] == first


def test_what_is_unsolved_counts_as_broken_and_is_told():
    net = area(one_box((0,) * 2, metres=900.0), on_off_pool({HEAT_PUMP: 0.5}))
    seen = AreaRisk(net, heaters_on(1, 0.5), RiskRules(refusal_draws=0, draws=(200,)), seed=3).with_heater(
        LvHeater(home=1, column=HEAT_PUMP, rated_kw=40.0)
    )
    assert 60 < seen.unsolved < 140
    assert seen.broken[LOW] >= seen.unsolved
    assert np.isnan(seen.value[LOW])
    assert not seen.fits


def test_the_value_is_exceeded_as_often_as_the_draws_may_show():
    rules = RiskRules(refusal_draws=0, draws=(200,), risk=0.1)
    risk = small_risk(rules=rules)
    seen = risk.with_heater(HEATER)
    lowest = seen.batches[0].worst.value[LOW]
    beyond = np.count_nonzero(lowest < seen.value[LOW])
    # One draw more beyond it, and nobody could say that no more than a tenth is.
    shares = [share_interval(beyond + more, 200, confidence=rules.confidence_per_look)[1] for more in (0, 1)]
    assert shares[0] <= 0.1 < shares[1]
    assert beyond == seen.rank
    element = seen.batches[0].worst.element[LOW][lowest == seen.value[LOW]][0]
    assert seen.element[LOW] == risk.net.element_name(LOW, int(element))


def test_draws_grow_only_where_the_share_is_near_the_risk():
    clear = small_risk(rules=RiskRules()).with_heater(HEATER)
    assert (clear.draws, clear.fits, len(clear.batches)) == (100, True, 2)
    net = area(one_box((0,) * 2, metres=400.0), on_off_pool({HEAT_PUMP: 0.05}), vm_pu=0.95)
    near = AreaRisk(net, heaters_on(1, 0.1), RiskRules(), seed=3).with_heater(
        LvHeater(home=1, column=HEAT_PUMP, rated_kw=14.0)
    )
    assert near.draws == RiskRules().draws[-1] == 800
    assert (near.side[LOW], near.fits) == (Side.ABOVE, False)  # still open after the last look: not approved


def test_what_is_clearly_broken_is_refused_after_few_draws_and_nothing_is_approved_then():
    net = area(one_box((0,) * 2, metres=400.0), on_off_pool({HEAT_PUMP: 0.9}), vm_pu=0.95)
    seen = AreaRisk(net, heaters_on(1, 0.1), RiskRules(), seed=3).with_heater(
        LvHeater(home=1, column=HEAT_PUMP, rated_kw=14.0)
    )
    assert (seen.draws, seen.fits) == (30, False)
    # Thirty draws without a broken one are not enough, even for a rule that asks for little.
    easy = small_risk(rules=RiskRules(risk=0.5)).with_heater(HEATER)
    assert (easy.draws, easy.fits) == (100, True)


def test_what_was_broken_before_and_gets_no_worse_is_not_charged():
    # Roofs break the upper limit at noon; a heater in the evening does nothing to that.
    net = area(one_box((0, 0), metres=400.0), pool(n_window=1, width=1, roof=1.0), vm_pu=1.0)
    roofs = loads_of(np.array([0]), np.array([ROOF]), np.array([8.0]))
    risk = AreaRisk(net, roofs, RiskRules(refusal_draws=0, draws=(100,)), seed=1)
    seen = risk.with_heater(LvHeater(home=1, column=HEAT_PUMP, rated_kw=0.5))
    assert seen.broken_before[LvCheck.HIGH_VOLTAGE] == seen.broken[LvCheck.HIGH_VOLTAGE] == 100
    assert seen.fits
    more = risk.with_heater(LvHeater(home=1, column=ROOF, rated_kw=0.5))
    assert more.charged[LvCheck.HIGH_VOLTAGE]


def test_a_heater_that_is_held_out_draws_nothing_there_and_its_rating_elsewhere():
    net = area(one_box((0,)), pool(n_window=2, width=2))
    risk = AreaRisk(net, loads_of(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0)), MANY, seed=1)
    seen = risk.with_heater(LvHeater(home=0, column=HEAT_PUMP, rated_kw=3.0, held=1))
    drawn = seen.batches[0].p_kw[0]
    assert (drawn[:, 2:4] == 0.0).all()
    assert (drawn[:, :2] >= 3.0 - 1e-6).all()
    assert (drawn[:, 4] == 0.0).all()


def test_a_moved_home_takes_its_load_with_it():
    net = area(one_box((0, 0)), pool())
    risk = AreaRisk(net, lived_in(2), RiskRules(refusal_draws=0, draws=(30,)), seed=1)
    moved = risk.with_heater(LvHeater(home=1, column=HEAT_PUMP, rated_kw=3.0, phase=2, moves_home=True)).batches[0]
    other = AreaRisk(
        dataclasses.replace(net, grid=one_box((0, 2))), lived_in(2).and_then(heaters_on(2, 3.0).at(np.array([1]))),
        RiskRules(refusal_draws=0, draws=(30,)), seed=1,
    )  # fmt: skip
    np.testing.assert_allclose(moved.p_kw, other.batch(0).p_kw, atol=1e-12)


@pytest.mark.parametrize(
    ("heater", "what"),
    [
        (LvHeater(home=12, column=HEAT_PUMP, rated_kw=1.0), "home 12"),
        (LvHeater(home=0, column=9, rated_kw=1.0), "class 9"),
        (LvHeater(home=0, column=HEAT_PUMP, rated_kw=0.0), "rated_kw"),
        (LvHeater(home=0, column=HEAT_PUMP, rated_kw=1.0, phase=4), "phase 4"),
        (LvHeater(home=0, column=HEAT_PUMP, rated_kw=1.0, phase=3, moves_home=True), "phase 3"),
    ],
)
def test_impossible_heaters_are_refused(heater, what):
    with pytest.raises(InputError, match=what):
        small_risk().with_heater(heater)


# ------------------------------------------------------------------------------------------------- what is connected


def test_totals_of_an_area_are_spread_over_its_homes():
    grid = street(20)
    loads = spread_over_homes(grid, CLASSES, np.array([13.0, 24.0, 30.0]), np.array([12.0, 8.0, 12.0]), seed=1)
    of = [loads.column == k for k in range(3)]
    assert [loads.rated_kw[rows].sum() for rows in of] == pytest.approx([13.0, 24.0, 30.0])
    assert [len(set(loads.home[rows])) for rows in of] == [12, 8, 12]
    assert set(loads.home[of[HEAT_PUMP]]) <= set(loads.home[of[BASE]])
    again = spread_over_homes(grid, CLASSES, np.array([13.0, 24.0, 30.0]), np.array([12.0, 8.0, 12.0]), seed=1)
    assert again.home.tobytes() == loads.home.tobytes()
    free = homes_without_heater(grid, loads, CLASSES, seed=1)
    assert sorted(free) == list(range(20))
    assert set(free[:4]) == set(loads.home[of[BASE]]) - set(loads.home[of[HEAT_PUMP]])
    assert set(free[-8:]) == set(loads.home[of[HEAT_PUMP]])


def test_an_area_without_meters_may_have_no_load():
    grid = dataclasses.replace(street(1), home_id=(), home_node=np.zeros(0, int), home_phase=np.zeros(0, int))
    assert spread_over_homes(grid, CLASSES, np.zeros(3), np.zeros(3), seed=1).n_load == 0
    with pytest.raises(InputError, match="no meter"):
        spread_over_homes(grid, CLASSES, np.ones(3), np.ones(3), seed=1)
