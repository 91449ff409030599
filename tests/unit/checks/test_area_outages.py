"""The loss of a transformer, worked out by hand: what fits, what is chosen, how long households wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from gridcheck.checks.area_outages import (
    AreaLoads,
    AreaRemedy,
    Remedies,
    area_loads,
    households_that_fit,
    restore_areas,
)
from gridcheck.demand.profiles import factored_loads
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from tests.support.hand_drawn_county import base_counts, profiles, profiles_with_roofs, roofs


def hundred_homes(scale: float = 1.0, *, tan_phi: float = 0.0, households: int = 100) -> AreaLoads:
    """One area whose n homes draw n + sqrt(n) kilowatts, times `scale`: all of them 110."""
    kw = np.array([[100.0 * scale]])
    return AreaLoads(
        households=np.array([households]), peak_case=np.array([0]), mean_kw=kw, spread_kw=kw, count=np.array([[100.0]]),
        alpha=np.array([0.5]), together=np.array([1.0]), tan_phi=np.array([tan_phi]),
    )  # fmt: skip


Stock = Sequence[tuple[float, float]]


def stock(generators: Stock = (), spares: Stock = ()) -> Remedies:
    """Sizes with their minutes."""
    return Remedies(
        generator_kw=np.array([size for size, _ in generators]),
        generator_minutes=np.array([minutes for _, minutes in generators]),
        spare_kva=np.array([size for size, _ in spares]),
        spare_minutes=np.array([minutes for _, minutes in spares]),
    )


def restored(loads: AreaLoads, remedies: Remedies, *, kva: float = 100.0):
    """What is chosen for one area, as plain numbers."""
    found = restore_areas(loads, np.array([kva]), remedies, DEFAULT_LIMITS)
    names = ("generator_kw", "generator_households", "spare_kva", "restore_minutes", "unsupplied_households")
    return (AreaRemedy(found.remedy[0]), *(float(getattr(found, name)[0]) for name in names), found.household_hours[0])


NAN = float("nan")


@pytest.mark.parametrize(
    ("generators", "spares", "expected"),
    [
        # 40 kW carry 34 homes (34 + 5.83), not 35; the others wait for the spare: 100 x 2 h + 66 x 3.5 h.
        ([(50, 120)], [(100, 330)], (AreaRemedy.GENERATOR_THEN_SPARE, 50, 34, 100, 330, 0, 431)),
        # 160 kW carry all of them.
        ([(50, 120), (200, 135)], [(100, 330)], (AreaRemedy.GENERATOR, 200, 100, NAN, 135, 0, 225)),
        # Of two that carry all, the one that is there sooner; of two as soon, the smaller.
        ([(200, 200), (300, 150), (400, 150)], [], (AreaRemedy.GENERATOR, 300, 100, NAN, 150, 0, 250)),
        ([], [(100, 330)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 100, 330, 0, 550)),
        # A spare that stands before the generator does not wait for it.
        ([(50, 400)], [(100, 330)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 100, 330, 0, 550)),
        # 66 homes have to wait for the repair, for 4 h more.
        ([(50, 120)], [], (AreaRemedy.GENERATOR, 50, 34, NAN, 120, 66, 464)),
        # 0.8 kW is not enough for one home, and without anything all wait for the repair.
        ([(1, 120)], [], (AreaRemedy.NONE, NAN, NAN, NAN, NAN, 100, 400)),
        ([], [], (AreaRemedy.NONE, NAN, NAN, NAN, NAN, 100, 400)),
    ],
)
def test_most_households_then_soonest(generators, spares, expected):
    assert restored(hundred_homes(), stock(generators, spares)) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("kva", "spares", "expected"),
    [
        # 130 kVA carry 57 of the homes that draw twice as much (114 + 15.1), 260 kVA all of them.
        (100.0, [(50, 300), (100, 330), (200, 360)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 200, 360, 0, 600)),
        (100.0, [(100, 330)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 100, 330, 43, 722)),
        # No size of 63 kVA: the next is the same. Two sizes above are too far.
        (63.0, [(50, 300), (100, 330), (200, 360)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 200, 360, 0, 600)),
        (30.0, [(50, 300), (100, 330), (200, 360)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 100, 330, 43, 722)),
        # The largest there is where all are smaller.
        (400.0, [(50, 300), (100, 330)], (AreaRemedy.SPARE_TRANSFORMER, NAN, NAN, 100, 330, 43, 722)),
    ],
)
def test_the_spare_is_of_the_same_or_of_the_next_size(kva, spares, expected):
    assert restored(hundred_homes(2.0), stock([], spares), kva=kva) == pytest.approx(expected, nan_ok=True)


def test_the_same_size_is_taken_where_both_carry_all():
    found = restored(hundred_homes(), stock([], [(100, 330), (200, 330)]))

    assert found[3] == 100


def test_reactive_power_counts_for_the_transformer_and_not_for_the_generator():
    # At 0.8 the transformer carries 104 kW: 94 homes (94 + 9.70).
    inductive = hundred_homes(tan_phi=0.75)

    assert restored(inductive, stock([], [(100, 330)]))[5] == 6
    assert restored(inductive, stock([(150, 120)]))[5] == 0
    assert inductive.power(np.array([100])) == (pytest.approx(110.0), pytest.approx(137.5))


def test_limits_of_one_s_own_are_kept():
    own = with_overrides(
        DEFAULT_LIMITS,
        {
            "generator_loading_percent": (100.0, "ours"),
            "area_winter_cap_percent": (100.0, "ours"),
            "repair_h": (8.0, "x"),
        },
    )

    found = restore_areas(hundred_homes(), np.array([100.0]), stock([(50, 120)], [(100, 330)]), own)

    # 50 kW carry 43 homes, 100 kVA 90 of them: 2 h for all, 3.5 h for 57, 8 h for the last ten.
    assert (found.generator_households[0], found.served_households[0]) == (43, 90)
    assert found.household_hours[0] == pytest.approx(200 + 57 * 3.5 + 10 * 8)


def test_an_area_without_households_has_a_load_and_needs_no_remedy():
    found = restore_areas(hundred_homes(households=0), np.array([100.0]), stock([(200, 120)]), DEFAULT_LIMITS)

    assert found.load_kw[0] == pytest.approx(110.0)
    assert (found.remedy[0], found.unsupplied_households[0], found.household_hours[0]) == ("none", 0, 0.0)
    assert np.isnan(found.restore_minutes[0])


def test_what_fits_is_one_household_less_than_too_many():
    loads = hundred_homes()

    for kw in (0.0, 1.9, 2.0, 39.9, 109.9, 110.0, 1e6):
        n = np.arange(101)
        by_hand = n[n + np.sqrt(n) <= kw].max()
        assert households_that_fit(loads, most_kw=kw, most_kva=np.inf).tolist() == [by_hand]


def test_the_load_is_that_of_power_flow_with_the_diversity_of_each_area():
    """Against the loads of buses, which are made in another way."""
    rng = np.random.default_rng(3)
    mean = rng.uniform(0.2, 1.0, 16)
    own = profiles(mean, single=mean + rng.uniform(0.1, 2.0, 16))
    counts = base_counts([30.0, 60.0, 5.0, 80.0, 1.0], n_home=9)

    found = area_loads(own, counts, np.full(5, 60))

    flow = factored_loads(own, counts, area_bus=np.arange(5), n_bus=5)
    by_case_kw = 1000.0 * flow.profile @ flow.p_weight_mw.T
    assert found.peak_case.tolist() == by_case_kw.argmax(axis=0).tolist()
    assert found.whole_kw() == pytest.approx(by_case_kw.max(axis=0))
    assert found.power(np.full(5, 60))[0] == pytest.approx(found.whole_kw())


def test_roofs_feed_in_nothing():
    counts = roofs(base_counts([10.0] * 5), [50.0] * 5)
    own = profiles_with_roofs()

    found = area_loads(own, counts, np.full(5, 60))

    # At noon homes draw nothing and roofs would feed in; in the evening homes draw a fifth.
    assert found.whole_kw() == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"generator_kw": np.array([0.0])}, "generator_kw must be above 0"),
        ({"generator_minutes": np.array([np.nan])}, "generator_minutes must be above 0 and finite"),
        ({"spare_kva": np.array([200.0, 100.0])}, "spare_kva must rise"),
        ({"spare_minutes": np.array([60.0])}, "spare_minutes"),
    ],
)
def test_a_stock_that_makes_no_sense_is_refused(change, words):
    good = stock([(50, 120)], [(100, 330), (200, 330)])

    with pytest.raises(InputError, match=words):
        replace(good, **change)


def test_loads_that_make_no_sense_are_refused():
    good = hundred_homes()

    with pytest.raises(InputError, match="mean_kw must be finite and not negative"):
        replace(good, mean_kw=np.array([[np.nan]]))
    with pytest.raises(InputError, match="households must not be negative"):
        replace(good, households=np.array([-1]))
    with pytest.raises(InputError, match="transformer_kva"):
        restore_areas(good, np.array([100.0, 100.0]), stock(), DEFAULT_LIMITS)
