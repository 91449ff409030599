"""The worst of every draw, against a slow way: one load flow per draw and step below a source that is really moved."""

import dataclasses

import numpy as np
import pytest

from gridcheck.cases import PhaseLoadCases
from gridcheck.checks.draw_extremes import LvCheck, lv_limits, worst_of_draws
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import area_transformer, four_wire_of
from gridcheck.powerflow import solve_unbalanced
from tests.support.risk_areas import area, one_box, pool, street

N_DRAW = 3


@pytest.fixture(scope="module")
def net():
    flat = area(street(18, n_line=2, poles=4), pool(width=3, roof=0.8), type_name="S13-30-Dyn11")
    return dataclasses.replace(flat, vm_pu=np.array([0.97, 0.96, 0.955, 0.99, 0.98, 0.985, 1.03]))


def drawn(net, seed=3):
    """Loads as they are, (n_draw, n_step, n_place, 3), and which phases have meters."""
    rng = np.random.default_rng(seed)
    shape = N_DRAW, net.pool.n_step, len(net.node), 3
    has_meter = rng.random((N_DRAW, *shape[2:])) < 0.7
    p = np.where(has_meter[:, None], rng.uniform(-1.0, 6.0, shape), 0.0)
    p[:, -1] = -2.0 * has_meter
    return p, 0.25 * p, has_meter


def slowly(net, p, q, has_meter):
    """Value, element and step of every check in every draw, one load flow each."""
    rating = net.network.balanced.branches.rating_to_ka
    trafo = net.network.n_branch - 1
    rows = []
    for draw in range(N_DRAW):
        low, high, line, neutral, phases, star = ([] for _ in range(6))
        for step, u in enumerate(net.vm_pu):
            balanced = dataclasses.replace(net.network.balanced, slack_vm_pu=np.array([u]))
            moved = dataclasses.replace(net.network, balanced=balanced)
            p_mw, q_mvar = np.zeros((2, 1, moved.n_bus, 3))
            p_mw[0, net.node + 1], q_mvar[0, net.node + 1] = p[draw, step] / 1e3, q[draw, step] / 1e3
            found = solve_unbalanced(moved, PhaseLoadCases(p_mw=p_mw, q_mvar=q_mvar), tolerance_pu=1e-10)
            volts = found.vm_pu[0, net.node + 1] * 400.0 / np.sqrt(3)
            volts = np.where(has_meter[draw], volts, np.nan)
            low.append(np.nanmin(volts))
            high.append(np.nanmax(volts))
            line.append(found.loading_percent[0, :trafo].max())
            neutral.append((100.0 * found.neutral_i_ka[0, :trafo] / rating[:trafo]).max())
            # Lines out of the busbar carry what the low-voltage winding does.
            out = [k for k, parent in enumerate(net.grid.parent[1:]) if parent == 0]
            amps = np.zeros(3, dtype=complex)
            for k in out:
                z = complex(net.network.balanced.branches.r_pu[k], net.network.balanced.branches.x_pu[k])
                z_h = (complex(net.network.r0_pu[k], net.network.x0_pu[k]) - z) / 3.0
                v = found.vm_pu[0] * np.exp(1j * np.deg2rad(found.va_degree[0]))
                matrix = np.linalg.inv(z * np.eye(3) + z_h * np.ones((3, 3)))
                amps += matrix @ (v[1] - v[k + 2])
            per_pu_ka = 1.0 / (np.sqrt(3) * 0.4)  # 1 MVA at 0.4 kV
            phases.append(100.0 * np.abs(amps) * per_pu_ka / rating[trafo])
            star.append(100.0 * abs(amps.sum()) * per_pu_ka / rating[trafo])
        phases = np.array(phases)
        lasting = max(phases[net.pool.window == k, phase].min() for k in range(2) for phase in range(3))
        uneven = (phases.max(axis=1) - phases.min(axis=1)) / phases.max(axis=1) * 100.0
        counts = phases.mean(axis=1) >= net.limits.unbalance_loading_min_percent.value
        uneven = np.where(counts, uneven, -np.inf).max()
        rows.append([min(low), max(high), max(line), max(neutral), lasting, uneven, max(star)])
    return np.array(rows).T


def flattened(net, power):
    table = power.reshape(*power.shape[:2], -1).transpose(2, 0, 1)
    return np.ascontiguousarray(table / net.vm_pu**2)


def test_like_one_load_flow_per_draw_and_step(net):
    p, q, has_meter = drawn(net)
    found = worst_of_draws(net, flattened(net, p), flattened(net, q), has_meter.reshape(N_DRAW, -1).T)
    expected = slowly(net, p, q, has_meter)
    np.testing.assert_allclose(found.value, expected, rtol=1e-4, atol=2e-3)
    assert np.isfinite(expected[LvCheck.UNBALANCE]).any()


def test_an_unsolved_step_makes_its_draw_broken_in_every_check(net):
    p, q, has_meter = drawn(net)
    p[1, 2] = 500.0
    found = worst_of_draws(net, flattened(net, p), flattened(net, q), has_meter.reshape(N_DRAW, -1).T)
    assert found.unsolved.tolist() == [False, True, False]
    assert found.broken(net.limit)[:, 1].all()
    untouched = worst_of_draws(net, *(flattened(net, v) for v in drawn(net)[:2]), has_meter.reshape(N_DRAW, -1).T)
    np.testing.assert_array_equal(found.value[:, [0, 2]], untouched.value[:, [0, 2]])


def test_the_box_at_the_end_of_a_line_by_hand():
    # 5 kW between phase A and the neutral, 300 m away: the loop is twice the wire, so U (U0 - U) = P 2 r l while the
    # transformer is so large and the reactance so small that both are felt little.
    net = area(one_box((0,), metres=300.0), pool(width=1, n_window=1), type_name="S13-630-Dyn11")
    p = np.zeros((3, 1, 2))
    p[0, 0, 0] = 5.0
    found = worst_of_draws(net, p, 0.0 * p, np.array([[True], [False], [False]]))
    r = 0.443 * (1.0 + 0.00403 * 10.0) * 0.3 * 2.0
    u0 = 400.0 / np.sqrt(3)
    by_hand = 0.5 * (u0 + np.sqrt(u0**2 - 4.0 * 5000.0 * r))
    drop = u0 - by_hand
    assert u0 - found.value[LvCheck.LOW_VOLTAGE, 0] == pytest.approx(drop, rel=0.06)
    assert net.element_name(LvCheck.LOW_VOLTAGE, int(found.element[LvCheck.LOW_VOLTAGE, 0])) == "box:A"
    assert net.element_name(LvCheck.LINE_LOADING, int(found.element[LvCheck.LINE_LOADING, 0])) == "box:A"
    assert found.step[LvCheck.LOW_VOLTAGE, 0] == 0


def test_a_phase_without_a_meter_has_no_voltage_that_counts():
    net = area(one_box((0,)), pool(width=1, n_window=1))
    p = np.zeros((3, 1, 2))
    p[:, 0, 0] = 1.0, 12.0, 0.0
    only_a = worst_of_draws(net, p, 0.0 * p, np.array([[True], [False], [False]]))
    both = worst_of_draws(net, p, 0.0 * p, np.array([[True], [True], [False]]))
    assert both.value[LvCheck.LOW_VOLTAGE, 0] < only_a.value[LvCheck.LOW_VOLTAGE, 0] - 10.0


def test_the_limits_are_those_of_the_study():
    assert [limit.value for limit in lv_limits(DEFAULT_LIMITS)] == [198.0, pytest.approx(235.4), 100, 100, 100, 15, 25]


@pytest.mark.parametrize("vm_pu", [np.ones(3), np.full(7, 0.2), np.full(7, np.nan)])
def test_voltages_of_other_steps_are_refused(net, vm_pu):
    with pytest.raises(InputError, match="vm_pu"):
        dataclasses.replace(net, vm_pu=vm_pu)


def test_a_network_of_another_grid_is_refused(net):
    with pytest.raises(InputError, match="buses"):
        dataclasses.replace(net, grid=one_box((0,)))


def test_regulators_let_through_what_they_would_lift_too_high(net):
    """One load flow per draw and step, raised where no meter gets above the limit, let through elsewhere."""
    regulator = LineRegulator(node=1, boost=0.03, rated_ka=0.08)
    grid = dataclasses.replace(net.grid, regulators=(regulator,))
    unit = area_transformer("S13-30-Dyn11")
    regulated = dataclasses.replace(net, grid=grid, network=four_wire_of(grid, unit))
    p, q, has_meter = drawn(net)
    meters = has_meter.reshape(N_DRAW, -1).T

    worst = worst_of_draws(regulated, flattened(net, p), flattened(net, q), np.ascontiguousarray(meters))

    low, high, raised = np.full(N_DRAW, np.inf), np.full(N_DRAW, -np.inf), np.zeros(2, dtype=int)
    line = np.full(N_DRAW, -np.inf)
    for draw in range(N_DRAW):
        for step, u in enumerate(net.vm_pu):
            for network in (regulated.network, net.network):
                found = at_source(network, u, net.node, p[draw, step], q[draw, step])
                volts = found.vm_pu[0, net.node + 1][has_meter[draw]] * 400.0 / np.sqrt(3)
                if network is net.network or volts.max() <= DEFAULT_LIMITS.lv_voltage_max_v.value:
                    break
            raised[int(network is regulated.network)] += 1
            low[draw], high[draw] = min(low[draw], volts.min()), max(high[draw], volts.max())
            # The regulator's rating counts at its output, also where it lets the voltage through.
            amps = found.loading_percent[0, :-1].copy()
            amps[0] *= 1.0 if network is regulated.network else near_rating(net) / 0.08
            line[draw] = max(line[draw], amps.max())
    assert raised.min() > 0
    np.testing.assert_allclose(worst.value[LvCheck.LOW_VOLTAGE], low, atol=2e-3)
    np.testing.assert_allclose(worst.value[LvCheck.HIGH_VOLTAGE], high, atol=2e-3)
    np.testing.assert_allclose(worst.value[LvCheck.LINE_LOADING], line, rtol=1e-5)


def near_rating(net):
    return net.network.balanced.branches.rating_from_ka[0]


def at_source(network, u, node, p_kw, q_kvar):
    balanced = dataclasses.replace(network.balanced, slack_vm_pu=np.array([u]))
    p_mw, q_mvar = np.zeros((2, 1, network.n_bus, 3))
    p_mw[0, node + 1], q_mvar[0, node + 1] = p_kw / 1e3, q_kvar / 1e3
    moved = dataclasses.replace(network, balanced=balanced)
    return solve_unbalanced(moved, PhaseLoadCases(p_mw=p_mw, q_mvar=q_mvar), tolerance_pu=1e-10)
