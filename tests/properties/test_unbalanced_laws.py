"""Laws of the load flow by phase that hold for every radial four-wire network."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from gridcheck.cases import PhaseFactoredLoads, PhaseLoadCases
from gridcheck.network import with_neutral_earthing
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.powerflow import solve_unbalanced, solve_unbalanced_extremes
from tests.support.four_wire_nets import SMALL_BASE_MVA, lv_feeder

VALUES = ("vm_pu", "va_degree", "i_ka", "loading_percent", "neutral_i_ka", "neutral_shift_v", "unbalance_percent",
          "loss_mw", "iterations", "status")  # fmt: skip
KINDS = [
    {"group": "Dyn"},
    {"group": "Dyn", "charging": True, "magnetising": True, "mv_line": True, "earthed": True},
    {"group": "YNyn", "charging": True, "mv_line": True},
    {"group": "Yyn", "earthed": True},
    {"group": "Yzn", "magnetising": True, "mv_line": True},
]


@pytest.fixture(params=KINDS, ids=lambda kind: "-".join(str(value) for value in kind.values()))
def example(request):
    """A network of 40 buses and 70 cases."""
    options = dict(request.param)
    earthed = options.pop("earthed", False)
    feeder = lv_feeder(40, 70, seed=5, **options)
    network = feeder.network
    if earthed:
        network = with_neutral_earthing(network, [2, 9, 17, 30, 39], [0.5, 10.0, 0.2, 30.0, 4.0])
    return feeder, network


def assert_same_bits(first, second, *, rows=slice(None)):
    for field in VALUES:
        np.testing.assert_array_equal(getattr(first, field)[rows], getattr(second, field), err_msg=field)


def phasors(result):
    return result.vm_pu * np.exp(1j * np.deg2rad(result.va_degree))


def test_power_in_minus_power_out_is_what_is_lost(example):
    feeder, network = example
    loads = feeder.loads

    result = solve_unbalanced(network, loads, tolerance_pu=1e-13)

    result.raise_for_status()
    # What the first line carries is all that enters, but for its own charging; its current and angle are not in the
    # result, so the energy balance is closed by the admittance matrix of the network without its neutral.
    if np.isinf(network.neutral_earth_ohm).all():
        entering, drawn = entering_mw(network, result), loads.p_mw.sum(axis=(1, 2))
        np.testing.assert_allclose(entering - drawn, result.loss_mw, rtol=1e-7, atol=1e-12)


def entering_mw(network, result):
    """Power that leaves the source bus, from voltages alone."""
    return injections_mva(network, result)[:, 0].sum(axis=1).real


def injections_mva(network, result):
    """Power that enters the network at each bus and phase, from voltages and impedances alone, (n_case, n_bus, 3)."""
    branches, buses = network.balanced.branches, network.balanced.buses
    u = phasors(result)
    current = np.zeros_like(u)
    a = np.exp(2j * np.pi / 3)
    to_phase = np.array([[1, 1, 1], [1, a**2, a], [1, a, a**2]])
    to_sequence = np.linalg.inv(to_phase)
    for k in np.flatnonzero(branches.connected):
        f, t = branches.from_bus[k], branches.to_bus[k]
        n = branches.tap_ratio[k]
        # Zero, positive and negative sequence on the diagonal.
        shift = np.exp(-1j * np.deg2rad(branches.shift_degree[k]))
        ratio = np.array([network.zero_ratio[k], shift, shift.conj()]) / n
        z1, z0 = complex(branches.r_pu[k], branches.x_pu[k]), complex(network.r0_pu[k], network.x0_pu[k])
        series = 1.0 / np.array([z0, z1, z1])
        y_f, y_t = (
            complex(branches.g_from_pu[k], branches.b_from_pu[k]),
            complex(branches.g_to_pu[k], branches.b_to_pu[k]),
        )
        y0_f = complex(network.g0_from_pu[k], network.b0_from_pu[k])
        y0_t = complex(network.g0_to_pu[k], network.b0_to_pu[k])
        at_from, at_to = u[:, f] @ to_sequence.T, u[:, t] @ to_sequence.T
        behind = at_from * ratio
        into = series * (behind - at_to)
        # A winding in delta or an unearthed star carries no zero sequence on the other side.
        i_from = ratio.conj() * into + np.array([y0_f, y_f, y_f]) / n**2 * at_from
        i_to = -into + np.array([y0_t, y_t, y_t]) * at_to
        current[:, f] += i_from @ to_phase.T
        current[:, t] += i_to @ to_phase.T
    y1, y0 = buses.g_pu + 1j * buses.b_pu, network.g0_pu + 1j * network.b0_pu
    zero = u.mean(axis=2, keepdims=True)
    current += y1[None, :, None] * (u - zero) + y0[None, :, None] * zero
    return u * current.conj() * network.balanced.sn_mva / 3.0


def test_power_is_balanced_at_every_bus_and_phase(example):
    feeder, network = example
    network = dataclasses.replace(network, neutral_earth_ohm=np.full(network.n_bus, np.inf))

    result = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-14)

    drawn = feeder.p_mw + 1j * feeder.q_mvar
    np.testing.assert_allclose(injections_mva(network, result)[:, 1:], -drawn[:, 1:], rtol=0, atol=1e-9)


def test_earth_currents_sum_to_zero(example):
    feeder, network = example
    result = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-13)
    # Magnitudes only: no earthing can carry more than all others together.
    through = result.neutral_shift_v[:, network.has_neutral] / network.neutral_earth_ohm[network.has_neutral]
    assert (through.max(axis=1) <= through.sum(axis=1) - through.max(axis=1) + 1e-9).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_permuted_cases_and_other_threads_give_the_same_bits(example, threads):
    feeder, network = example
    order = np.random.default_rng(3).permutation(70)

    first = solve_unbalanced(network, feeder.loads, threads=1)
    permuted = PhaseLoadCases(p_mw=feeder.p_mw[order], q_mvar=feeder.q_mvar[order])
    second = solve_unbalanced(network, permuted, threads=threads)

    assert_same_bits(first, second, rows=order)


@pytest.mark.parametrize("case", [0, 15, 16, 37, 69])
def test_a_case_alone_gives_the_same_bits_as_among_others(example, case):
    feeder, network = example
    p_mw, q_mvar = feeder.p_mw.copy(), feeder.q_mvar.copy()
    # Alone, this case has fewer loaded buses and phases than the others.
    p_mw[case, 10:30, 1], q_mvar[case, 10:30, 1] = 0.0, 0.0

    among = solve_unbalanced(network, PhaseLoadCases(p_mw=p_mw, q_mvar=q_mvar))
    alone = solve_unbalanced(network, PhaseLoadCases(p_mw=p_mw[case : case + 1], q_mvar=q_mvar[case : case + 1]))

    assert_same_bits(among, alone, rows=slice(case, case + 1))


def test_a_hopeless_case_does_not_touch_its_neighbours(example):
    feeder, network = example
    p_mw = feeder.p_mw.copy()
    p_mw[20] *= 1000.0

    first = solve_unbalanced(network, feeder.loads)
    second = solve_unbalanced(network, PhaseLoadCases(p_mw=p_mw, q_mvar=feeder.q_mvar))

    others = np.arange(70) != 20
    assert second.status[20] == 1
    assert np.isnan(second.vm_pu[20]).all()
    for field in VALUES:
        np.testing.assert_array_equal(getattr(second, field)[others], getattr(first, field)[others], err_msg=field)


@pytest.mark.parametrize("n_case", [2, 16, 33])
def test_equal_cases_give_equal_rows(example, n_case):
    feeder, network = example
    loads = PhaseLoadCases(
        p_mw=np.repeat(feeder.p_mw[:1], n_case, axis=0), q_mvar=np.repeat(feeder.q_mvar[:1], n_case, axis=0)
    )
    one = solve_unbalanced(network, PhaseLoadCases(p_mw=feeder.p_mw[:1], q_mvar=feeder.q_mvar[:1]))

    many = solve_unbalanced(network, loads)

    for case in range(n_case):
        assert_same_bits(many, one, rows=slice(case, case + 1))


def test_the_tolerance_holds(example):
    feeder, network = example
    exact = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-13)
    for tolerance in (1e-3, 1e-5, 1e-8):
        found = solve_unbalanced(network, feeder.loads, tolerance_pu=tolerance)
        assert np.abs(phasors(found) - phasors(exact)).max() < tolerance


def test_reversing_the_lines_changes_nothing(example):
    feeder, network = example
    tables = dict(feeder.tables)
    tables["line"] = tables["line"].rename(columns={"from_bus": "to_bus", "to_bus": "from_bus"})
    turned = four_wire_from_tables(tables, name="reversed", sn_mva=SMALL_BASE_MVA)
    turned = dataclasses.replace(turned, neutral_earth_ohm=network.neutral_earth_ohm)

    first, second = solve_unbalanced(network, feeder.loads), solve_unbalanced(turned, feeder.loads)

    for field in VALUES[:8]:
        np.testing.assert_allclose(getattr(second, field), getattr(first, field), rtol=1e-10, atol=1e-11, err_msg=field)


def test_renumbering_the_buses_changes_nothing(example):
    feeder, network = example
    new_id = np.random.default_rng(8).permutation(1000)[: network.n_bus]
    order = np.argsort(new_id)  # buses stand in the order of their ids
    tables = {name: frame.copy() for name, frame in feeder.tables.items()}
    tables["bus"].index = pd.Index(new_id)
    for table, column in (
        ("line", "from_bus"),
        ("line", "to_bus"),
        ("trafo", "hv_bus"),
        ("trafo", "lv_bus"),
        ("ext_grid", "bus"),
    ):
        tables[table][column] = new_id[tables[table][column]]
    renumbered = four_wire_from_tables(tables, name="renumbered", sn_mva=SMALL_BASE_MVA)
    renumbered = dataclasses.replace(renumbered, neutral_earth_ohm=network.neutral_earth_ohm[order])

    first = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-12)
    loads = PhaseLoadCases(p_mw=feeder.p_mw[:, order], q_mvar=feeder.q_mvar[:, order])
    second = solve_unbalanced(renumbered, loads, tolerance_pu=1e-12)

    np.testing.assert_allclose(phasors(second), phasors(first)[:, order], rtol=0, atol=1e-11)
    np.testing.assert_allclose(second.i_ka, first.i_ka, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(second.neutral_shift_v, first.neutral_shift_v[:, order], rtol=1e-7, atol=1e-8)


def test_turning_the_phases_turns_the_result(example):
    feeder, network = example
    first = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-13)
    loads = PhaseLoadCases(p_mw=np.roll(feeder.p_mw, 1, axis=2), q_mvar=np.roll(feeder.q_mvar, 1, axis=2))

    second = solve_unbalanced(network, loads, tolerance_pu=1e-13)

    np.testing.assert_allclose(second.vm_pu, np.roll(first.vm_pu, 1, axis=2), rtol=0, atol=1e-12)
    np.testing.assert_allclose(second.neutral_i_ka, first.neutral_i_ka, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(second.loss_mw, first.loss_mw, rtol=1e-9)


def factored(feeder):
    rng = np.random.default_rng(4)
    return PhaseFactoredLoads(
        p_weight_mw=feeder.p_mw[:4].transpose(1, 2, 0),
        q_weight_mvar=feeder.q_mvar[:4].transpose(1, 2, 0),
        profile=rng.uniform(0, 0.4, (50, 4)),
    )


def test_factored_loads_equal_written_ones(example):
    feeder, network = example
    loads = factored(feeder)

    first = solve_unbalanced(network, loads, tolerance_pu=1e-12)
    second = solve_unbalanced(network, loads.cases(), tolerance_pu=1e-12)

    for field in VALUES[:8]:
        np.testing.assert_allclose(getattr(first, field), getattr(second, field), rtol=1e-9, atol=1e-10, err_msg=field)


@pytest.mark.parametrize("threads", [1, 2])
def test_extremes_equal_the_reduced_result(example, threads):
    feeder, network = example
    result = solve_unbalanced(network, feeder.loads)

    extremes = solve_unbalanced_extremes(network, feeder.loads, threads=threads)

    np.testing.assert_array_equal(extremes.vm_min_pu, result.vm_pu.min(axis=0))
    np.testing.assert_array_equal(extremes.vm_min_case, result.vm_pu.argmin(axis=0))
    np.testing.assert_array_equal(extremes.vm_max_pu, result.vm_pu.max(axis=0))
    np.testing.assert_array_equal(extremes.vm_max_case, result.vm_pu.argmax(axis=0))
    for name, table in (
        ("loading_max_percent", result.loading_percent), ("neutral_i_max_ka", result.neutral_i_ka),
        ("neutral_shift_max_v", result.neutral_shift_v), ("unbalance_max_percent", result.unbalance_percent),
    ):  # fmt: skip
        np.testing.assert_array_equal(getattr(extremes, name), table.max(axis=0), err_msg=name)
        case = getattr(extremes, name.rsplit("_", 1)[0] + "_case")
        known = ~np.isnan(table).any(axis=0)
        np.testing.assert_array_equal(case[known], table.argmax(axis=0)[known], err_msg=name)
        assert (case[~known] == -1).all()


def test_nothing_that_is_passed_in_changes(example):
    feeder, network = example
    kept = feeder.p_mw.copy(), network.r0_pu.copy(), network.balanced.branches.r_pu.copy()
    loads = feeder.loads

    solve_unbalanced(network, loads)

    np.testing.assert_array_equal(loads.p_mw, kept[0])
    np.testing.assert_array_equal(network.r0_pu, kept[1])
    np.testing.assert_array_equal(network.balanced.branches.r_pu, kept[2])
    assert network.name == "feeder"
