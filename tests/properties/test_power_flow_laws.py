"""Laws of the load flow that hold for every radial network."""

import dataclasses

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network import from_pandapower, network_from_tables, to_pandapower
from gridcheck.network.pandapower_net import net_from_tables
from gridcheck.powerflow import solve, solve_extremes
from tests.support.admittances import injected_mva
from tests.support.newton import assert_equals_solved, newton
from tests.support.random_radial import Example, law, radial_networks, slow_law

VALUES = ("vm_pu", "va_degree", "i_ka", "loading_percent", "loss_mw", "iterations", "status")


def assert_same_bits(first, second, *, rows=slice(None)):
    for field in VALUES:
        np.testing.assert_array_equal(getattr(first, field)[rows], getattr(second, field), err_msg=field)


@law
@given(radial_networks())
def test_power_is_balanced_at_every_bus_and_losses_are_in_minus_out(example):
    network, loads = example.network, example.loads

    result = solve(network, loads, tolerance_pu=1e-13)

    result.raise_for_status()
    for case in range(loads.n_case):
        power = injected_mva(network, result, case)
        drawn = loads.p_mw[case] + 1j * loads.q_mvar[case]
        rest = np.ones(network.n_bus, dtype=bool)
        rest[network.slack_bus] = False
        np.testing.assert_allclose(power[rest], -drawn[rest], rtol=0, atol=1e-9)
        np.testing.assert_allclose(result.loss_mw[case], power.real.sum(), rtol=1e-9, atol=1e-9)


@slow_law
@given(radial_networks(n_case=1))
def test_newton_agrees(example):
    net = net_from_tables(example.tables, name="random")
    network = from_pandapower(net)

    result = solve(network, example.loads, tolerance_pu=1e-11)

    loads = pd.DataFrame({"bus": range(network.n_bus), "p_mw": example.p_mw[0], "q_mvar": example.q_mvar[0]})
    solved = newton(net_from_tables({**example.tables, "load": loads}, name="random"))
    assert_equals_solved(network, result, solved)


@slow_law
@given(radial_networks())
def test_the_way_to_pandapower_and_back_changes_nothing(example):
    network = example.network

    again = from_pandapower(to_pandapower(network))

    first, second = solve(network, example.loads), solve(again, example.loads)
    for field in ("vm_pu", "va_degree", "i_ka", "loading_percent"):
        np.testing.assert_allclose(getattr(second, field), getattr(first, field), rtol=1e-9, atol=1e-10, err_msg=field)


@law
@given(radial_networks(), st.randoms(use_true_random=False))
def test_renumbering_the_buses_changes_nothing(example, random):
    n_bus = len(example.tables["bus"])
    new_id = random.sample(range(1000), n_bus)
    tables = {name: frame.copy() for name, frame in example.tables.items()}
    tables["bus"].index = pd.Index(new_id)
    for table, column in (
        ("line", "from_bus"), ("line", "to_bus"), ("trafo", "hv_bus"), ("trafo", "lv_bus"), ("ext_grid", "bus"),
        ("shunt", "bus"),
    ):  # fmt: skip
        if column in tables[table]:
            tables[table][column] = [new_id[i] for i in tables[table][column]]
    order = np.argsort(new_id)  # buses stand in the order of their ids

    first = solve(example.network, example.loads, tolerance_pu=1e-12)
    renumbered = network_from_tables(tables, name="renumbered")
    loads = LoadCases(p_mw=example.p_mw[:, order], q_mvar=example.q_mvar[:, order])
    second = solve(renumbered, loads, tolerance_pu=1e-12)

    np.testing.assert_allclose(second.vm_pu, first.vm_pu[:, order], rtol=0, atol=1e-12)
    np.testing.assert_allclose(second.va_degree, first.va_degree[:, order], rtol=0, atol=1e-9)
    np.testing.assert_allclose(second.i_ka, first.i_ka, rtol=1e-9, atol=1e-13)


@law
@given(radial_networks())
def test_reversing_the_lines_changes_nothing(example):
    tables = dict(example.tables)
    if not tables["line"].empty:
        tables["line"] = tables["line"].rename(columns={"from_bus": "to_bus", "to_bus": "from_bus"})

    # Not the same sums in single precision: the first sweeps differ, the solution does not.
    first = solve(example.network, example.loads, tolerance_pu=1e-14)
    second = solve(network_from_tables(tables, name="reversed"), example.loads, tolerance_pu=1e-14)

    np.testing.assert_allclose(second.vm_pu, first.vm_pu, rtol=0, atol=1e-13)
    np.testing.assert_allclose(second.i_ka, first.i_ka, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(second.loading_percent, first.loading_percent, rtol=1e-11, atol=1e-12)


@law
@given(radial_networks(n_case=70), st.randoms(use_true_random=False), st.sampled_from([1, 2, 3, 8]))
def test_permuted_cases_and_other_threads_give_the_same_bits(example, random, threads):
    order = random.sample(range(70), 70)

    first = solve(example.network, example.loads, threads=1)
    permuted = LoadCases(p_mw=example.p_mw[order], q_mvar=example.q_mvar[order])
    second = solve(example.network, permuted, threads=threads)

    assert_same_bits(first, second, rows=order)


@law
@given(radial_networks(n_case=40), st.integers(0, 39))
def test_a_case_alone_gives_the_same_bits_as_among_others(example, case):
    among = solve(example.network, example.loads)
    alone = solve(
        example.network, LoadCases(p_mw=example.p_mw[case : case + 1], q_mvar=example.q_mvar[case : case + 1])
    )

    assert_same_bits(among, alone, rows=slice(case, case + 1))


@law
@given(radial_networks(n_case=2), st.integers(0, 24))
def test_a_case_without_load_at_a_bus_does_not_feel_that_another_case_has_one(example, bus):
    p_mw, q_mvar = example.p_mw.copy(), example.q_mvar.copy()
    bus %= p_mw.shape[1]
    p_mw[0, bus] = q_mvar[0, bus] = 0.0
    p_mw[1, bus] = 0.001

    alone = solve(example.network, LoadCases(p_mw=p_mw[:1], q_mvar=q_mvar[:1]))
    among = solve(example.network, LoadCases(p_mw=p_mw, q_mvar=q_mvar))

    assert_same_bits(among, alone, rows=slice(0, 1))


@law
@given(radial_networks(n_case=1), st.integers(2, 67))
def test_equal_cases_give_equal_rows(example, n_case):
    loads = LoadCases(p_mw=np.repeat(example.p_mw, n_case, axis=0), q_mvar=np.repeat(example.q_mvar, n_case, axis=0))

    one, many = solve(example.network, example.loads), solve(example.network, loads)

    for case in range(n_case):
        assert_same_bits(many, one, rows=slice(case, case + 1))


@law
@given(radial_networks(passive=True, n_case=1), st.randoms(use_true_random=False))
def test_more_load_never_raises_a_voltage_or_lowers_the_losses(example, random):
    n_bus = example.p_mw.shape[1]
    more = np.array([random.choice([0.0, 0.5]) for _ in range(n_bus)]) * 0.01
    loads = LoadCases(
        p_mw=np.vstack([example.p_mw, example.p_mw + more]), q_mvar=np.vstack([example.q_mvar, example.q_mvar + more])
    )

    result = solve(example.network, loads, tolerance_pu=1e-12)

    result.raise_for_status()
    assert (result.vm_pu[1] <= result.vm_pu[0] + 1e-11).all()
    assert result.loss_mw[1] >= result.loss_mw[0] - 1e-11


def factored(example: Example, n_case: int = 50) -> FactoredLoads:
    rng = np.random.default_rng(len(example.tables["bus"]))
    return FactoredLoads(
        p_weight_mw=example.p_mw.T,
        q_weight_mvar=example.q_mvar.T,
        profile=rng.uniform(0, 0.5, (n_case, len(example.p_mw))),
    )


@law
@given(radial_networks())
def test_factored_loads_equal_written_ones(example):
    loads = factored(example)

    first, second = (
        solve(example.network, loads, tolerance_pu=1e-12),
        solve(example.network, loads.cases(), tolerance_pu=1e-12),
    )

    for field in ("vm_pu", "va_degree", "i_ka", "loading_percent", "loss_mw"):
        np.testing.assert_allclose(getattr(first, field), getattr(second, field), rtol=1e-9, atol=1e-11, err_msg=field)


@law
@given(radial_networks(n_case=40))
def test_extremes_equal_the_reduced_result(example):
    result, extremes = solve(example.network, example.loads), solve_extremes(example.network, example.loads)

    for values, found, case, best in (
        (result.vm_pu, extremes.vm_min_pu, extremes.vm_min_case, result.vm_pu.min(axis=0)),
        (result.vm_pu, extremes.vm_max_pu, extremes.vm_max_case, result.vm_pu.max(axis=0)),
        (
            result.loading_percent,
            extremes.loading_max_percent,
            extremes.loading_max_case,
            result.loading_percent.max(axis=0),
        ),
    ):
        # Squares are compared, so of values that differ in their last bit any may be the one that is kept.
        np.testing.assert_allclose(found, best, rtol=1e-14)
        np.testing.assert_array_equal(found, values[case, np.arange(len(case))])


@law
@given(radial_networks())
def test_nothing_that_is_passed_in_changes(example):
    network, loads = example.network, example.loads
    kept = {
        name: getattr(record, name).copy()
        for record in (network.buses, network.branches, loads)
        for name in (f.name for f in dataclasses.fields(record))
        if isinstance(getattr(record, name), np.ndarray)
    }

    solve(network, loads)
    solve_extremes(network, loads)

    for record in (network.buses, network.branches, loads):
        for field in dataclasses.fields(record):
            if field.name in kept and isinstance(getattr(record, field.name), np.ndarray):
                assert not getattr(record, field.name).flags.writeable
    np.testing.assert_array_equal(loads.p_mw, kept["p_mw"])
    np.testing.assert_array_equal(network.branches.r_pu, kept["r_pu"])
