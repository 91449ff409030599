"""Many switch states at once: the same as each by itself, as pandapower, and as `judge` of the N-1 check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks import extremes, judgement, trees
from gridcheck.checks.judgement import _source_branches, judge, judge_tree
from gridcheck.checks.n_minus_1 import run_n_minus_1
from gridcheck.errors import InputError, UnsupportedElementError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network import from_pandapower, loads_from_pandapower, read_county
from gridcheck.network.section_tree import switched_ends, switched_network
from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve
from gridcheck.powerflow.topologies import Judged, Own, SwitchStates, TopologyStatus, solve_topologies, switchable
from tests.support.hand_drawn_county import hand_drawn_net
from tests.support.radial_nets import add_line, add_trafo, empty_net, village_net
from tests.support.random_feeders import random_grid
from tests.support.switch_states import everything, loading_in_order, net_with_ends, with_ends
from tests.support.two_feeders import example_of, two_feeders_net

CONVERGED, NOT_CONVERGED, LOOP = TopologyStatus
NETWORKS = Path(__file__).parents[3] / "networks"


def two_way_net():
    """Sources at both ends, so that transformers are fed from either side, and long lines with much charging::

    110 kV       10 kV                                 0.4 kV
    bus 0 -T0- bus 1 -L0- bus 2 -L1- bus 3 -L3- bus 5 -T1- bus 4 (source)
                 |----------L2---------|
    """
    net = empty_net(name="two ways")
    for vn_kv in (110.0, 10.0, 10.0, 10.0, 0.4, 10.0):
        pp.create_bus(net, vn_kv)
    pp.create_ext_grid(net, 0, vm_pu=1.02, va_degree=10.0)
    pp.create_ext_grid(net, 4, vm_pu=1.01)
    add_trafo(
        net, 0, 1, sn_mva=10.0, vn_hv_kv=110.0, vn_lv_kv=10.5, vkr_percent=0.5, vk_percent=10.5, pfe_kw=12.0,
        shift_degree=330.0, tap_pos=2, tap_step_percent=1.25,
    )  # fmt: skip
    for from_bus, to_bus, length_km in ((1, 2, 4.0), (3, 2, 5.0), (1, 3, 6.0), (3, 5, 2.0)):
        add_line(net, from_bus, to_bus, length_km, c_nf_per_km=400.0, g_us_per_km=2.0)
    add_trafo(net, 5, 4, sn_mva=0.8, tap_pos=-1)
    for bus, p_mw in ((1, 0.2), (2, 0.15), (3, 0.1), (5, 0.05)):
        pp.create_load(net, bus, p_mw, 0.3 * p_mw)
    net.switch["closed"] = net.switch["closed"].astype(bool)
    return net


def scaled(own, scale):
    scale = np.asarray(scale)[:, None]
    return LoadCases(p_mw=scale * own.p_mw, q_mvar=scale * own.q_mvar)


def random_ends(network, n, seed=3):
    """Mostly closed branches, so that many states are trees and some have loops."""
    ends = np.random.default_rng(seed).choice([3, 3, 3, 3, 0, 1, 2], (n, network.n_branch)).astype(np.uint8)
    return np.unique(ends, axis=0)


def assert_bits_equal(a, b, *, at=slice(None)):
    for field in a.__slots__:
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field)[at], err_msg=field)


@pytest.mark.parametrize("build", [village_net, two_way_net, two_feeders_net])
def test_every_state_is_as_pandapower_solves_it(build):
    net = build()
    network = from_pandapower(net)
    prepared, loads = switchable(network), loads_from_pandapower(net, network)
    ends = random_ends(network, 60)

    found = solve_topologies(prepared, loads, SwitchStates(ends=ends), judged=everything(network))

    loops = 0
    for s, state in enumerate(ends):
        switched = with_ends(network, state)
        tree = spanning_tree(switched)
        assert found.n_supplied[s] == tree.supplied.sum()
        if len(tree.loop_branch):
            loops += 1
            assert found.status[s] == LOOP
            assert np.isnan([found.vm_pu[s], found.loading_percent[s]]).all()
            continue
        assert found.status[s] == CONVERGED
        solved = net_with_ends(net, network, state)
        vm = solved.res_bus["vm_pu"].to_numpy()
        np.testing.assert_array_equal(np.isnan(vm), ~tree.supplied)
        loading = np.where(tree.supplied[network.branches.from_bus], loading_in_order(solved, network, state), np.nan)
        assert found.vm_pu[s] == pytest.approx(np.nanmin(vm), abs=1e-8)
        assert vm[found.vm_bus[s]] == pytest.approx(found.vm_pu[s], abs=1e-8)
        if np.isnan(loading).all():
            assert found.loading_branch[s] == -1
            continue
        assert found.loading_percent[s] == pytest.approx(np.nanmax(loading), rel=1e-8, abs=1e-6)
        assert loading[found.loading_branch[s]] == pytest.approx(found.loading_percent[s], rel=1e-8, abs=1e-6)
    assert 0 < loops < len(ends) or build is not two_way_net


@pytest.mark.parametrize("n_case", [1, 3, 70])
@pytest.mark.parametrize("is_factored", [False, True])
def test_every_case_is_as_solve_finds_it_and_threads_and_company_do_not_matter(n_case, is_factored):
    net = two_way_net()
    network = from_pandapower(net)
    own, course = loads_from_pandapower(net, network), np.linspace(0.1, 1.2, n_case)
    loads = scaled(own, course)
    if is_factored:
        loads = FactoredLoads(p_weight_mw=own.p_mw.T, q_weight_mvar=own.q_mvar.T, profile=course[:, None])
    prepared, ends = switchable(network), random_ends(network, 60)
    scale = np.linspace(2.0, 0.5, n_case)
    judged = everything(network, case_scale=scale, by_case=True)

    found = solve_topologies(prepared, loads, SwitchStates(ends=ends), judged=judged, threads=1)

    for s in np.flatnonzero(found.status == CONVERGED):
        alone = solve(with_ends(network, ends[s]), loads, tolerance_pu=1e-11)
        vm = np.nanmin(alone.vm_pu, axis=1)
        np.testing.assert_allclose(found.vm_by_case[s], vm, rtol=0, atol=1e-8)
        assert found.vm_pu[s] == found.vm_by_case[s].min() == found.vm_by_case[s, found.vm_case[s]]
        if np.isfinite(alone.loading_percent).any():
            loading = scale * np.nanmax(alone.loading_percent, axis=1)
            np.testing.assert_allclose(found.loading_by_case[s], loading, rtol=1e-8, atol=1e-6)
            assert (
                found.loading_percent[s]
                == found.loading_by_case[s, found.loading_case[s]]
                == max(found.loading_by_case[s])
            )
    order = np.random.default_rng(1).permutation(len(ends))
    for some, threads in ((order, 2), (order, 1), (order[:1], 3)):
        again = solve_topologies(prepared, loads, SwitchStates(ends=ends[some]), judged=judged, threads=threads)
        assert_bits_equal(again, found, at=some)


def test_a_tree_below_one_branch_of_a_source_is_solved_alone():
    net = two_way_net()
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    ends = np.full((3, 6), 3, dtype=np.uint8)
    ends[:, 1] = 0  # L1 off: bus 2 and bus 3 hang on bus 1
    ends[:, 3] = 1  # L3 hangs on bus 3, open at bus 5
    ends[2, 5] = 2

    trees = solve_topologies(
        switchable(network), loads, SwitchStates(ends=ends, root=np.array([4, 5, 5])), judged=everything(network)
    )

    whole = solve(with_ends(network, ends[0]), loads, tolerance_pu=1e-11)
    np.testing.assert_array_equal(trees.status, CONVERGED)
    np.testing.assert_array_equal(trees.n_supplied, [4, 2, 1])
    below = network.bus_id < 4
    assert trees.vm_pu[0] == pytest.approx(min(whole.vm_pu[0, below].min(), 1.01), abs=1e-8)
    assert trees.vm_pu[1] == pytest.approx(min(whole.vm_pu[0, 5], 1.01), abs=1e-8)
    assert trees.loading_percent[0] == pytest.approx(np.nanmax(whole.loading_percent[0, :5]), abs=1e-6)
    assert trees.loading_percent[1] == pytest.approx(whole.loading_percent[0, 5], abs=1e-6)
    # Nothing but the sources is left; the lower of them is bus 4.
    assert (trees.vm_bus[2], trees.vm_pu[2], trees.loading_branch[2]) == (4, 1.01, -1)


def test_a_loop_elsewhere_does_not_matter_and_two_sources_are_a_loop():
    network = from_pandapower(two_way_net())
    ends = np.array([[3, 3, 3, 0, 3, 3], [3, 3, 3, 0, 3, 3], [3, 3, 3, 0, 3, 3], [3, 0, 3, 3, 3, 3]], dtype=np.uint8)
    loads = loads_from_pandapower(two_way_net(), network)

    found = solve_topologies(
        switchable(network), loads, SwitchStates(ends=ends, root=np.array([-1, 4, 5, 5])), judged=everything(network)
    )

    np.testing.assert_array_equal(found.status, [LOOP, LOOP, CONVERGED, LOOP])
    assert np.isnan(found.vm_pu[[0, 1, 3]]).all()
    assert (found.vm_bus[[0, 1, 3]] == -1).all()


def test_parallel_lines_and_a_line_back_to_its_own_bus_are_loops():
    net = empty_net()
    for _ in range(3):
        pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0)
    for from_bus, to_bus in ((0, 1), (0, 1), (1, 2), (2, 2)):
        add_line(net, from_bus, to_bus)
    network = from_pandapower(net)
    ends = np.array([[3, 3, 3, 0], [3, 0, 3, 0], [3, 1, 3, 0], [3, 0, 3, 3]], dtype=np.uint8)
    loads = LoadCases(p_mw=np.zeros((1, 3)), q_mvar=np.zeros((1, 3)))

    found = solve_topologies(switchable(network), loads, SwitchStates(ends=ends), judged=everything(network))

    np.testing.assert_array_equal(found.status, [LOOP, CONVERGED, CONVERGED, LOOP])


def test_a_state_that_cannot_carry_its_load_says_so():
    net = village_net()
    network = from_pandapower(net)
    loads = scaled(loads_from_pandapower(net, network), [1.0, *[0.5] * 66, 40.0])
    ends = np.tile(switchable(network).normal_ends, (2, 1))
    ends[1, 0] = 0  # only the busbar is left
    judged = everything(network, by_case=True)

    found = solve_topologies(switchable(network), loads, SwitchStates(ends=ends), judged=judged)

    np.testing.assert_array_equal(found.status, [NOT_CONVERGED, CONVERGED])
    assert np.isnan(found.vm_pu[0])
    assert (found.vm_case[0], found.loading_branch[0], found.loading_case[0]) == (-1, -1, -1)
    np.testing.assert_array_equal(np.isnan(found.vm_by_case), [[*[False] * 67, True], [False] * 68])
    good = solve(network, loads, tolerance_pu=1e-11)
    np.testing.assert_allclose(found.vm_by_case[0, :67], good.vm_pu[:67].min(axis=1), rtol=0, atol=1e-8)
    plain = solve_topologies(switchable(network), loads, SwitchStates(ends=ends), judged=everything(network))
    np.testing.assert_array_equal(plain.status, found.status)
    assert plain.vm_pu[1] == found.vm_pu[1]


def test_some_buses_draw_the_load_after_an_outage():
    net = two_way_net()
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    loads, after = scaled(own, [0.3, 0.6]), scaled(own, [1.1, 0.9])
    ends = random_ends(network, 40)
    is_after = np.random.default_rng(0).random((len(ends), network.n_bus)) < 0.5
    states = SwitchStates(ends=ends, loads_after=after, is_after=is_after)

    found = solve_topologies(switchable(network), loads, states, judged=everything(network))

    for s in np.flatnonzero(found.status == CONVERGED):
        mixed = LoadCases(
            p_mw=np.where(is_after[s], after.p_mw, loads.p_mw), q_mvar=np.where(is_after[s], after.q_mvar, loads.q_mvar)
        )
        alone = solve(with_ends(network, ends[s]), mixed, tolerance_pu=1e-11)
        assert found.vm_pu[s] == pytest.approx(np.nanmin(alone.vm_pu), abs=1e-8)


def test_buses_out_of_service_are_open_ends():
    net = two_way_net()
    net.bus.loc[2, "in_service"] = False
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    ends = random_ends(network, 60)

    found = solve_topologies(switchable(network), loads, SwitchStates(ends=ends), judged=everything(network))

    for s in np.flatnonzero(found.status == CONVERGED):
        alone = solve(with_ends(network, ends[s]), loads, tolerance_pu=1e-11)
        assert found.n_supplied[s] == alone.supplied.sum()
        assert found.vm_pu[s] == pytest.approx(np.nanmin(alone.vm_pu), abs=1e-8)


def recorded_judgements(monkeypatch, network, loads, limits):
    """Run the N-1 check and keep what it asked, and what `judge` says of it."""
    calls = []

    def listening(state, closed, root, feeders, *, source_branch, is_after):
        assert is_after is None or not state.has_after
        within = source_branch == root
        calls.append((state, closed, within, feeders, judge(state, closed, within, feeders)))
        return judge_tree(state, closed, root, feeders, source_branch=source_branch, is_after=is_after)

    monkeypatch.setattr(trees, "judge_tree", listening)
    # Both iterations stop within this of the solution, so they agree far better than what is compared.
    monkeypatch.setattr(judgement, "TOLERANCE_PU", 1e-11)
    monkeypatch.setattr(extremes, "TOLERANCE_PU", 1e-11)
    run_n_minus_1(network, loads, households=np.ones(network.n_bus, dtype=np.int64), limits=limits, threads=1)
    return calls


def same_as_judge(calls):
    state = calls[0][0]
    network, groups = state.network, np.arange(state.sections.n_edge)
    closed = np.array([call[1] for call in calls])
    root = []
    for _, states, within, _, _ in calls:
        switched = switched_network(network, state.sections, states)
        root.append(int(np.unique(_source_branches(switched, spanning_tree(switched))[within])[0]))
    own = Own(
        group_bus=state.bus_feeder, group_branch=state.branch_feeder,
        mine=np.array([np.isin(groups, feeders) for _, _, _, feeders, _ in calls]).reshape(len(calls), -1),
        bus_kept=state.bus_kept, branch_kept=state.branch_kept,
        vm_min_pu=state.min_vm_pu, loading_max_percent=state.max_loading_percent,
    )  # fmt: skip
    found = solve_topologies(
        switchable(network),
        state.loads,
        SwitchStates(ends=switched_ends(network, state.sections, closed), root=np.array(root)),
        judged=Judged(bus=state.judged_bus, branch=state.judged_branch, own=own, by_case=True),
        tolerance_pu=1e-11,
    )
    for s, (*_, outcome) in enumerate(calls):
        assert (found.status[s] == CONVERGED) == outcome.is_solved
        if not outcome.is_solved:
            continue
        assert found.vm_pu[s] == pytest.approx(outcome.vm_pu, abs=1e-9, nan_ok=True)
        assert found.loading_percent[s] == pytest.approx(outcome.loading_percent, rel=1e-8, abs=1e-6, nan_ok=True)
        assert (found.vm_bus[s], found.loading_branch[s]) == (outcome.vm_bus, outcome.loading_branch)
        for values, case, expected in (
            (found.vm_by_case[s], found.vm_case[s], outcome.vm_case),
            (found.loading_by_case[s], found.loading_case[s], outcome.loading_case),
        ):
            if case < 0 or expected < 0:
                assert case == expected
                continue
            # Where nothing but charging flows, two cases differ by less than the tolerance.
            at = int(np.flatnonzero(state.case == expected)[0])
            assert at == case or values[at] == pytest.approx(values[case], rel=1e-8, abs=1e-8)
    return found


STRICT = with_overrides(
    DEFAULT_LIMITS, {"n_minus_1_vm_min_pu": (0.985, "test"), "n_minus_1_loading_percent": (30.0, "test")}
)


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, STRICT], ids=["usual", "strict"])
def test_judged_as_in_the_check_of_two_feeders(monkeypatch, limits):
    net = two_feeders_net(tie_max_i_ka=0.02)
    net.line["c_nf_per_km"] = 50.0
    example = example_of(net)
    same_as_judge(recorded_judgements(monkeypatch, example.network, example.loads, limits))


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, STRICT], ids=["usual", "strict"])
def test_judged_as_in_the_check_of_random_feeders(monkeypatch, limits):
    n_call = 0
    for seed in range(60):
        grid = random_grid(seed)
        calls = recorded_judgements(monkeypatch, grid.network(), grid.loads, limits)
        calls = [call for call in calls if call[2].any()]
        n_call += len(calls)
        if calls:
            same_as_judge(calls)
    assert n_call > 100


def test_judged_as_in_the_check_of_the_hand_drawn_county(monkeypatch):
    net = hand_drawn_net(mains=2, ideal=False)
    network = from_pandapower(net)
    p_mw = np.zeros((2, network.n_bus))
    p_mw[:, 6:11] = [[0.05], [0.08]]
    loads = LoadCases(p_mw=p_mw, q_mvar=0.2 * p_mw)
    same_as_judge(recorded_judgements(monkeypatch, network, loads, DEFAULT_LIMITS))


@pytest.mark.slow
def test_judged_as_in_the_check_of_a_county(monkeypatch):
    network = read_county(NETWORKS / "140827-yuanqu").network
    rng = np.random.default_rng(0)
    p_mw = np.where(network.buses.vn_kv < 1.0, 0.05, 0.0) * rng.uniform(0.5, 1.0, (5, network.n_bus))
    loads = LoadCases(p_mw=p_mw, q_mvar=0.2 * p_mw)
    calls = recorded_judgements(monkeypatch, network, loads, DEFAULT_LIMITS)
    found = same_as_judge(calls)
    assert len(found.status) > 100


def test_what_does_not_fit_is_refused():
    net = village_net()
    network = from_pandapower(net)
    prepared, loads = switchable(network), loads_from_pandapower(net, network)
    ends = prepared.normal_ends[None]
    judged = everything(network)

    with pytest.raises(UnsupportedElementError, match="constant power"):
        solve_topologies(prepared, replace(loads, z_share=0.5), SwitchStates(ends=ends), judged=judged)
    other = LoadCases(p_mw=np.zeros((1, 2)), q_mvar=np.zeros((1, 2)))
    with pytest.raises(InputError, match="buses"):
        solve_topologies(prepared, other, SwitchStates(ends=ends), judged=judged)
    with pytest.raises(InputError, match="root 1 of state 0"):
        solve_topologies(prepared, loads, SwitchStates(ends=ends, root=np.array([1])), judged=judged)
    with pytest.raises(InputError, match="ends has shape"):
        solve_topologies(prepared, loads, SwitchStates(ends=ends[:, 1:]), judged=judged)
    with pytest.raises(InputError, match="case_scale has shape"):
        solve_topologies(prepared, loads, SwitchStates(ends=ends), judged=replace(judged, case_scale=np.ones(2)))
    with pytest.raises(InputError, match="positive"):
        solve_topologies(prepared, loads, SwitchStates(ends=ends), judged=replace(judged, case_scale=np.zeros(1)))
    with pytest.raises(InputError, match="0, 1, 2 or 3"):
        SwitchStates(ends=ends + 4)
    with pytest.raises(InputError, match="loads_after needs is_after"):
        SwitchStates(ends=ends, loads_after=loads)
    states = SwitchStates(ends=ends, loads_after=scaled(loads, [1, 2]), is_after=np.zeros((1, network.n_bus), bool))
    with pytest.raises(InputError, match="loads_after has 2 cases"):
        solve_topologies(prepared, loads, states, judged=judged)
    with pytest.raises(InputError, match="group_bus"):
        Own(
            group_bus=np.array([2]), group_branch=np.array([0]), mine=np.ones((1, 2), bool), bus_kept=np.ones(1, bool),
            branch_kept=np.ones(1, bool), vm_min_pu=0.9, loading_max_percent=100.0,
        )  # fmt: skip
