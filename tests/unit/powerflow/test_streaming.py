"""What is kept of a stream of cases equals what the full results say."""

import numpy as np
import pytest

from gridcheck.cases import FactoredLoads
from gridcheck.errors import InputError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.powerflow import Wanted, solve, solve_extremes
from gridcheck.powerflow.prepare import prepare
from gridcheck.powerflow.tallies import LOADING_BIN_PERCENT, VM_BIN_PU
from tests.support.radial_nets import village_net

N_CASE = 101


@pytest.fixture(scope="module")
def example():
    net = village_net()
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    rng = np.random.default_rng(4)
    profile = np.stack([rng.uniform(0.2, 1.6, N_CASE), rng.uniform(0.0, 0.5, N_CASE)], axis=1)
    profile[40] = 1e4  # no solution
    weight = np.stack([own.p_mw[0], 0.3 * own.p_mw[0]], axis=1)
    duration_h = rng.choice([0.25, 1.0], N_CASE)
    loads = FactoredLoads(p_weight_mw=weight, q_weight_mvar=0.3 * weight, profile=profile, duration_h=duration_h)
    return network, loads, solve(network, loads)


def solved(result):
    return result.status == 0


def test_hours_beyond_limits(example):
    network, loads, result = example
    low, high, top = (float(np.nanmedian(v)) for v in (result.vm_pu, result.vm_pu[:, :3], result.loading_percent))

    kept = solve_extremes(network, loads, wanted=Wanted(vm_min_pu=low, vm_max_pu=high, loading_max_percent=top))

    ok, hours = solved(result), loads.duration_h[:, None]
    np.testing.assert_allclose(kept.hours_below, ((result.vm_pu < low) * hours)[ok].sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(kept.hours_above, ((result.vm_pu > high) * hours)[ok].sum(axis=0), rtol=1e-12)
    expected = ((result.loading_percent > top) * hours)[ok].sum(axis=0)
    flowing = ~np.isnan(result.loading_percent[ok]).all(axis=0)
    np.testing.assert_allclose(kept.hours_overloaded[flowing], expected[flowing], rtol=1e-12)
    assert np.isnan(kept.hours_overloaded[~flowing]).all()


def test_hours_nobody_asked_for_are_not_zero(example):
    network, loads, _ = example

    kept = solve_extremes(network, loads)

    assert np.isnan(kept.hours_below).all()
    assert np.isnan(kept.hours_overloaded).all()
    assert np.isnan(kept.energy_mwh).all()
    assert kept.kept_vm_pu.shape == (N_CASE, 0)


def test_energy_through_a_branch_is_what_is_drawn_behind_it_and_lost(example):
    network, loads, result = example

    kept = solve_extremes(network, loads, wanted=Wanted(energy=True))

    ok = solved(result)
    drawn = (loads.cases().p_mw * loads.duration_h[:, None])[ok].sum()
    lost = (result.loss_mw * loads.duration_h)[ok].sum()
    assert kept.loss_mwh == pytest.approx(lost, rel=1e-12)
    # Behind the first line stands everything; what leaves it is drawn or lost further down.
    first = kept.energy_mwh[0]
    assert drawn < first < drawn + lost
    # The branch above the last bus of the tree hands over exactly what that bus draws.
    model = prepare(network).model
    bus, branch = model.bus[-1], model.branch[-1]
    drawn_there = (loads.cases().p_mw[:, bus] * loads.duration_h)[ok].sum()
    assert kept.energy_mwh[branch] == pytest.approx(drawn_there, rel=1e-7)


def test_quantiles_to_half_a_bin(example):
    network, loads, result = example
    shares = (0.0, 0.05, 0.5, 0.95, 1.0)

    kept = solve_extremes(network, loads, wanted=Wanted(quantiles=shares))

    weight = np.round(loads.duration_h[solved(result)] * 4).astype(int)
    for found, values, width in (
        (kept.vm_quantile_pu, result.vm_pu, VM_BIN_PU),
        (kept.loading_quantile_percent, result.loading_percent, LOADING_BIN_PERCENT),
    ):
        long = np.repeat(values[solved(result)], weight, axis=0)
        known = ~np.isnan(long).all(axis=0)
        expected = np.quantile(long[:, known], shares, axis=0, method="inverted_cdf")
        np.testing.assert_allclose(found[:, known], expected, rtol=0, atol=0.5001 * width)
        assert np.isnan(found[:, ~known]).all()


def test_chosen_elements_in_full(example):
    network, loads, result = example

    kept = solve_extremes(network, loads, wanted=Wanted(bus=(3, 0), branch=(1, 2)))

    np.testing.assert_array_equal(kept.kept_vm_pu, result.vm_pu[:, [3, 0]])
    np.testing.assert_array_equal(kept.kept_loading_percent, result.loading_percent[:, [1, 2]])


@pytest.mark.parametrize("threads", [2, 3])
def test_nothing_depends_on_the_number_of_threads(example, threads):
    network, loads, _ = example
    wanted = Wanted(vm_min_pu=1.0, loading_max_percent=20.0, energy=True, quantiles=(0.5,), bus=(1,), branch=(1,))

    one, other = (solve_extremes(network, loads, wanted=wanted, threads=n) for n in (1, threads))

    for name in one.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_a_share_of_time_beyond_one_is_refused():
    with pytest.raises(InputError, match=r"\[95\]"):
        Wanted(quantiles=(95,))


@pytest.mark.parametrize("wanted", [Wanted(bus=(0, 7)), Wanted(branch=(-1,))])
def test_elements_that_do_not_exist_are_refused(example, wanted):
    network, loads, _ = example

    with pytest.raises(InputError, match=r"positions from 0 to \d+\. Got \[(7|-1)\]"):
        solve_extremes(network, loads, wanted=wanted)
