"""The load flow as a whole: outcomes, absence, limits of what it takes."""

import dataclasses

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError, NotConvergedError
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.powerflow import CONVERGED, NOT_CONVERGED, CaseStatus, solve, solve_extremes
from gridcheck.powerflow.prepare import prepare
from gridcheck.powerflow.sweep import loads_of_nodes, sweep_blocks
from gridcheck.powerflow.tallies import Tally, Wanted, joined
from tests.support.radial_nets import add_line, feeder_net, two_bus_net, village_net

VALUES = ("vm_pu", "va_degree", "i_ka", "loading_percent")


def village(scale):
    """The village network and its loads, times each of `scale`."""
    net = village_net()
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    factor = np.asarray(scale, dtype=float)[:, None]
    return network, LoadCases(p_mw=factor * own.p_mw, q_mvar=factor * own.q_mvar)


# ------------------------------------------------------------------------------------------------- collapse


@pytest.mark.parametrize("place", [0, 13, 31, 32, 39])
def test_a_case_beyond_collapse_is_not_solved_and_does_not_touch_its_neighbours(place):
    scale = np.linspace(0.1, 1.2, 40)
    network, healthy = village(scale)
    _, sick = village(np.where(np.arange(40) == place, 100.0, scale))

    expected, result = solve(network, healthy), solve(network, sick)

    others = np.arange(40) != place
    assert result.status[place] == NOT_CONVERGED
    assert (result.status[others] == CONVERGED).all()
    for field in VALUES:
        assert np.isnan(getattr(result, field)[place]).all(), field
        np.testing.assert_array_equal(getattr(result, field)[others], getattr(expected, field)[others], err_msg=field)
    assert np.isnan(result.loss_mw[place])
    np.testing.assert_array_equal(result.loss_mw[others], expected.loss_mw[others])
    np.testing.assert_array_equal(result.iterations[others], expected.iterations[others])


def test_buses_above_the_collapse_are_not_solved_either():
    # A case is solved as a whole or not at all: the voltage of the busbar would depend on the load that failed.
    network, loads = village([50.0])

    result = solve(network, loads)

    assert np.isnan(result.vm_pu[0]).all()
    assert result.supplied.all()  # supply is a matter of switches, not of the case


def test_too_few_iterations_are_not_converged():
    network, loads = village([1.0])

    assert solve(network, loads, max_iterations=2).status.tolist() == [NOT_CONVERGED]
    assert solve(network, loads, max_iterations=2).iterations.tolist() == [2]


def test_raise_for_status_names_the_cases():
    network, loads = village([1.0, 100.0, 0.5, 100.0])
    result = solve(network, loads)

    assert result.status.tolist() == [CaseStatus.CONVERGED, CaseStatus.NOT_CONVERGED] * 2
    with pytest.raises(NotConvergedError, match=r"2 of 4 cases did not converge: \[1, 3\]"):
        result.raise_for_status()


def test_extremes_leave_unsolved_cases_out_and_say_so():
    network, loads = village([0.5, 100.0, 1.0])

    extremes, solved = solve_extremes(network, loads), solve(network, loads)

    assert extremes.status.tolist() == [CONVERGED, NOT_CONVERGED, CONVERGED]
    np.testing.assert_array_equal(extremes.vm_min_pu, np.nanmin(solved.vm_pu, axis=0))
    assert not (extremes.vm_min_case == 1).any()


def test_extremes_of_nothing_solved_are_absent():
    network, loads = village([100.0, 200.0])

    extremes = solve_extremes(network, loads)

    assert np.isnan(extremes.vm_min_pu).all()
    assert np.isnan(extremes.vm_max_pu).all()
    assert np.isnan(extremes.loading_max_percent).all()
    for case in (extremes.vm_min_case, extremes.vm_max_case, extremes.loading_max_case):
        assert (case == -1).all()


# -------------------------------------------------------------------------------------------------- absence


def dark_village():
    net = village_net()
    net.line.loc[1, "in_service"] = False  # buses 3, 5 and 6 lose their supply
    network = from_pandapower(net)
    return network, loads_from_pandapower(net, network)


def test_unsupplied_buses_have_no_values_and_say_so():
    network, loads = dark_village()

    result = solve(network, loads)

    assert result.supplied.tolist() == [True, True, True, False, True, False, False]
    for field in ("vm_pu", "va_degree"):
        np.testing.assert_array_equal(np.isnan(getattr(result, field)[0]), ~result.supplied)
    # Line 1 out of service, tie open, and what hangs behind: transformer 2 (branch 6) and line 3.
    assert np.flatnonzero(np.isnan(result.i_ka[0])).tolist() == [1, 2, 3, 6]
    assert np.flatnonzero(np.isnan(result.loading_percent[0])).tolist() == [1, 2, 3, 6]


def test_extremes_of_unsupplied_buses_are_absent():
    network, loads = dark_village()

    extremes = solve_extremes(network, loads)

    np.testing.assert_array_equal(np.isnan(extremes.vm_min_pu), [False] * 3 + [True, False, True, True])
    np.testing.assert_array_equal(extremes.vm_min_case == -1, np.isnan(extremes.vm_min_pu))
    assert np.flatnonzero(extremes.loading_max_case == -1).tolist() == [1, 2, 3, 6]


def test_load_without_supply_does_not_load_the_rest():
    network, loads = dark_village()
    without = loads.p_mw.copy()
    without[:, [3, 5, 6]] = 0.0

    first = solve(network, loads)
    second = solve(network, LoadCases(p_mw=without, q_mvar=loads.q_mvar))

    np.testing.assert_array_equal(first.vm_pu, second.vm_pu)


def test_a_network_without_any_supply():
    net = two_bus_net()
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)
    dark = dataclasses.replace(network.buses, in_service=np.array([False, True]))
    network = dataclasses.replace(network, buses=dark)

    result, extremes = solve(network, loads), solve_extremes(network, loads)

    assert not result.supplied.any()
    assert np.isnan(result.vm_pu).all()
    assert np.isnan(extremes.vm_min_pu).all()


def test_a_source_alone():
    net = pp.create_empty_network()
    pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0, vm_pu=1.03, va_degree=15.0)
    network = from_pandapower(net)

    result = solve(network, LoadCases(p_mw=[[5.0]], q_mvar=[[1.0]]))

    assert (result.vm_pu[0, 0], result.va_degree[0, 0]) == (1.03, pytest.approx(15.0))
    assert result.i_ka.shape == (1, 0)
    assert result.loss_mw.tolist() == [0.0]


def test_no_load_gives_the_no_load_voltage():
    network, loads = village([0.0])

    result = solve(network, loads)

    assert result.status.tolist() == [CONVERGED]
    assert result.loss_mw[0] > 0.0  # iron losses remain


def test_no_case_at_all():
    network, _ = village([1.0])
    loads = LoadCases(p_mw=np.zeros((0, 7)), q_mvar=np.zeros((0, 7)))

    result, extremes = solve(network, loads), solve_extremes(network, loads)

    assert result.vm_pu.shape == (0, 7)
    assert len(result.status) == len(extremes.status) == 0
    assert np.isnan(extremes.vm_min_pu).all()


# ------------------------------------------------------------------------------------------- what is refused


def test_loads_of_another_network():
    network, _ = village([1.0])
    wrong = LoadCases(p_mw=np.zeros((1, 6)), q_mvar=np.zeros((1, 6)))

    for run in (solve, solve_extremes):
        with pytest.raises(InputError, match="The loads have 6 buses, the network has 7"):
            run(network, wrong)


@pytest.mark.parametrize(
    "setting",
    [
        {"threads": 0},
        {"threads": -1},
        {"tolerance_pu": 0.0},
        {"tolerance_pu": -1e-8},
        {"tolerance_pu": np.nan},
        {"tolerance_pu": 1e-20},
        {"tolerance_pu": 1.0},
        {"max_iterations": 0},
        {"max_iterations": -3},
    ],
    ids=str,
)
def test_settings_under_which_nothing_could_be_solved(setting):
    network, loads = village([1.0])

    for run in (solve, solve_extremes):
        with pytest.raises(InputError, match=next(iter(setting))):
            run(network, loads, **setting)


def test_the_smallest_tolerance_can_be_met():
    network, loads = village(np.linspace(0.1, 1.5, 33))

    solve(network, loads, tolerance_pu=1e-14).raise_for_status()


# --------------------------------------------------------------------------------------------- one by one


@pytest.mark.parametrize("n_case", [1, 31, 32, 33, 64, 65])
@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_blocks_and_threads_do_not_show(n_case, threads):
    scale = np.linspace(0.0, 1.4, 65)
    network, all_loads = village(scale)
    _, loads = village(scale[:n_case])

    whole, part = solve(network, all_loads, threads=1), solve(network, loads, threads=threads)

    for field in (*VALUES, "loss_mw", "status", "iterations"):
        np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[:n_case], err_msg=field)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_extremes_do_not_depend_on_threads_and_take_the_first_of_equal_cases(threads):
    # Every case occurs three times, in other blocks.
    scale = np.tile(np.linspace(0.2, 1.4, 50), 3)
    network, loads = village(scale)

    extremes, result = solve_extremes(network, loads, threads=threads), solve(network, loads)

    np.testing.assert_array_equal(extremes.vm_min_pu, result.vm_pu.min(axis=0))
    np.testing.assert_array_equal(extremes.vm_min_case, result.vm_pu.argmin(axis=0))
    np.testing.assert_array_equal(extremes.vm_max_case, result.vm_pu.argmax(axis=0))
    flowing = ~np.isnan(result.loading_percent[0])
    np.testing.assert_array_equal(extremes.loading_max_case[flowing], result.loading_percent[:, flowing].argmax(axis=0))


@pytest.mark.parametrize("swapped", [False, True])
def test_of_equal_extremes_of_two_threads_the_earlier_case_counts(swapped):
    network, loads = village([0.5, 1.0])
    prepared = prepare(network)
    tallies = [Tally(network, prepared, Wanted(), loads.duration_h, *np.zeros((2, 2, 0))) for _ in range(2)]
    inf = np.inf
    best = np.array([[2.0, 1.0, 3.0, 3.0, -inf, -inf], [1.0, 2.0, 3.0, 3.0, 5.0, -inf]])
    case = np.array([[40, 41, 7, 90, -1, -1], [0, 1, 8, 33, 2, -1]])
    for tally, values, at in zip(tallies, best, case, strict=True):
        tally.best[:, :6], tally.case[:, :6], tally.loading[:6] = values, at, values

    into = joined(tallies[::-1] if swapped else tallies)

    assert into.best[0, :6].tolist() == into.best[2, :6].tolist() == [2.0, 2.0, 3.0, 3.0, 5.0, -inf]
    assert into.case[1, :6].tolist() == [40, 1, 7, 33, 2, -1]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_block_is_shown_to_one_reader_once(threads):
    network, loads = village(np.linspace(0.2, 1.0, 150))
    prepared = prepare(network)
    seen = []

    sweep_blocks(prepared, loads_of_nodes(prepared.model, loads), [lambda block: seen.append(block.first)] * threads)

    assert sorted(seen) == [0, 64, 128]


def test_factored_loads_in_many_blocks_equal_written_ones():
    network, own = village([1.0])
    profile = np.column_stack([np.linspace(0.1, 1.3, 70), np.linspace(0.4, 0.0, 70)])
    weight = np.column_stack([own.p_mw[0], 0.5 * own.p_mw[0]])
    loads = FactoredLoads(p_weight_mw=weight, q_weight_mvar=0.2 * weight, profile=profile)

    factored, written = solve(network, loads, tolerance_pu=1e-12), solve(network, loads.cases(), tolerance_pu=1e-12)
    extremes = solve_extremes(network, loads, tolerance_pu=1e-12)

    for field in VALUES:
        np.testing.assert_allclose(getattr(factored, field), getattr(written, field), rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(extremes.vm_min_pu, factored.vm_pu.min(axis=0))


def test_results_are_read_only():
    network, loads = village([1.0])
    result, extremes = solve(network, loads), solve_extremes(network, loads)

    for record in (result, extremes):
        for field in dataclasses.fields(record):
            if isinstance(getattr(record, field.name), np.ndarray):
                with pytest.raises(ValueError, match="read-only"):
                    getattr(record, field.name)[...] = 0


def test_a_long_feeder_does_not_need_recursion():
    net = feeder_net(3)
    for _ in range(300):
        bus = pp.create_bus(net, 10.0)
        add_line(net, bus - 1, bus, 0.001)
    network = from_pandapower(net)
    p_mw = np.zeros((1, network.n_bus))
    p_mw[0, -1] = 0.5

    result = solve(network, LoadCases(p_mw=p_mw, q_mvar=0 * p_mw))

    result.raise_for_status()
    assert (np.diff(result.vm_pu[0, 2:]) < 0).all()
