"""Laws of the loss of a transformer, for any areas and any stock of generators and spares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.checks.area_outages import AreaLoads, AreaOutages, Remedies, households_that_fit, restore_areas
from gridcheck.limits import DEFAULT_LIMITS
from tests.support.random_radial import law

SEEDS = st.integers(0, 10**6)
N_AREA, N_CLASS = 12, 4
SIZES_KVA = np.array([50.0, 100.0, 160.0, 200.0, 400.0])


def any_areas(rng: np.random.Generator) -> AreaLoads:
    count = rng.integers(0, 60, (N_AREA, N_CLASS)) * rng.integers(0, 2, (N_AREA, N_CLASS))
    mean = count * rng.uniform(0.0, 3.0, (N_AREA, N_CLASS))
    return AreaLoads(
        households=rng.integers(0, 150, N_AREA),
        peak_case=np.zeros(N_AREA, dtype=np.int64),
        mean_kw=mean,
        spread_kw=mean * rng.uniform(0.0, 3.0, (N_AREA, N_CLASS)),
        count=count.astype(float),
        alpha=rng.uniform(0.0, 1.0, N_CLASS),
        together=rng.uniform(1.0, 5.0, N_CLASS),
        tan_phi=rng.uniform(0.0, 0.6, N_CLASS),
    )


def any_stock(rng: np.random.Generator) -> Remedies:
    generators, spares = rng.integers(0, 4, 2)
    return Remedies(
        generator_kw=np.sort(rng.choice(np.arange(5.0, 500.0, 5.0), generators, replace=False)),
        generator_minutes=rng.integers(30, 400, generators).astype(float),
        spare_kva=np.sort(rng.choice(np.arange(30.0, 640.0, 10.0), spares, replace=False)),
        spare_minutes=rng.integers(30, 400, spares).astype(float),
    )


def restored(seed: int) -> tuple[AreaLoads, np.ndarray, Remedies, AreaOutages]:
    rng = np.random.default_rng(seed)
    loads, kva, stock = any_areas(rng), rng.choice(SIZES_KVA, N_AREA), any_stock(rng)
    return loads, kva, stock, restore_areas(loads, kva, stock, DEFAULT_LIMITS)


def rank(found: AreaOutages) -> list[tuple[float, float, float]]:
    """What is wanted of each area, the better the smaller."""
    minutes = np.nan_to_num(found.restore_minutes, nan=np.inf)
    served = -found.served_households.astype(float)
    return list(zip(served.tolist(), minutes.tolist(), np.round(found.household_hours, 6).tolist(), strict=True))


def is_never_worse(better: AreaOutages, than: AreaOutages) -> bool:
    return all(a <= b for a, b in zip(rank(better), rank(than), strict=True))


@law
@given(seed=SEEDS)
def test_served_and_unserved_households_are_all_and_no_rating_is_passed(seed: int) -> None:
    loads, kva, _, found = restored(seed)

    assert (found.served_households + found.unsupplied_households == loads.households).all()
    assert (found.served_households >= 0).all()
    assert (found.unsupplied_households >= 0).all()
    on_generator = np.nan_to_num(found.generator_households).astype(np.int64)
    assert (loads.power(on_generator)[0] <= np.nan_to_num(0.8 * found.generator_kw) + 1e-9).all()
    with_spare = ~np.isnan(found.spare_kva)
    assert (loads.power(found.served_households)[1][with_spare] <= 1.3 * found.spare_kva[with_spare] + 1e-9).all()
    assert (np.isnan(found.restore_minutes) == (found.served_households == 0)).all()
    assert (np.isnan(found.restore_minutes) == (found.remedy == "none")).all()
    assert kva.shape == found.load_kw.shape


@law
@given(seed=SEEDS, kw=st.floats(0.0, 400.0))
def test_as_many_households_fit_as_by_trying_all_numbers(seed: int, kw: float) -> None:
    loads = any_areas(np.random.default_rng(seed))

    found = households_that_fit(loads, most_kw=kw, most_kva=1.2 * kw)

    for n in range(int(loads.households.max()) + 1):
        p_kw, s_kva = loads.power(np.minimum(n, loads.households))
        fits = (p_kw <= kw) & (s_kva <= 1.2 * kw)
        assert (fits == (found >= np.minimum(n, loads.households))).all()


@law
@given(seed=SEEDS, which=st.integers(0, 3), factor=st.floats(1.0, 3.0))
def test_a_bigger_generator_is_never_worse(seed: int, which: int, factor: float) -> None:
    loads, kva, stock, found = restored(seed)
    if not len(stock.generator_kw):
        return
    sizes, minutes = stock.generator_kw.copy(), stock.generator_minutes
    sizes[which % len(sizes)] *= factor
    order = np.argsort(sizes)
    if (np.diff(sizes[order]) <= 0.0).any():
        return

    bigger = restore_areas(
        loads, kva, replace(stock, generator_kw=sizes[order], generator_minutes=minutes[order]), DEFAULT_LIMITS
    )

    assert is_never_worse(bigger, found)
    assert (bigger.unsupplied_households <= found.unsupplied_households).all()


@law
@given(seed=SEEDS, size=st.floats(5.0, 600.0), minutes=st.floats(10.0, 500.0))
def test_one_more_generator_is_never_worse(seed: int, size: float, minutes: float) -> None:
    loads, kva, stock, found = restored(seed)
    if size in stock.generator_kw:
        return
    sizes, times = np.append(stock.generator_kw, size), np.append(stock.generator_minutes, minutes)
    order = np.argsort(sizes)

    more = restore_areas(
        loads, kva, replace(stock, generator_kw=sizes[order], generator_minutes=times[order]), DEFAULT_LIMITS
    )

    assert is_never_worse(more, found)


@law
@given(seed=SEEDS)
def test_areas_do_not_know_each_other(seed: int) -> None:
    loads, kva, stock, found = restored(seed)
    one = slice(3, 4)
    alone = replace(
        loads,
        **{name: getattr(loads, name)[one] for name in ("households", "peak_case", "mean_kw", "spread_kw", "count")},
    )

    again = restore_areas(alone, kva[one], stock, DEFAULT_LIMITS)

    assert rank(again) == [pytest.approx(value) for value in rank(found)[one]]
    assert again.remedy.tolist() == found.remedy[one].tolist()
