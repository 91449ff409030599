"""Loads at few places: the same answers as the load flow of whole networks, and as pandapower below a moved source."""

import dataclasses

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import PhaseLoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow import solve_unbalanced
from gridcheck.powerflow.phase_places import phase_places, solve_places
from tests.support.four_wire_nets import lv_feeder

BUS = np.arange(3, 20, 2)


def tables_of(n_bus: int, p_kw, q_kvar):
    """Loads of places as cases of the whole network."""
    p, q = (np.zeros((values.shape[1], n_bus, 3)) for values in (p_kw, q_kvar))
    p[:, BUS], q[:, BUS] = (values.T.reshape(-1, len(BUS), 3) / 1e3 for values in (p_kw, q_kvar))
    return PhaseLoadCases(p_mw=p, q_mvar=q)


def loads(n_case: int = 70, seed: int = 5):
    rng = np.random.default_rng(seed)
    p = rng.uniform(-0.5, 3.0, (3 * len(BUS), n_case))
    return p, 0.3 * p


@pytest.mark.parametrize("group", ["Dyn", "YNyn"])
@pytest.mark.parametrize("charging", [False, True])
def test_like_the_load_flow_of_whole_networks(group, charging):
    network = lv_feeder(20, group=group, charging=charging, magnetising=charging).network
    p, q = loads()
    found = solve_places(phase_places(network, BUS), p, q, tolerance_pu=1e-10)
    whole = solve_unbalanced(network, tables_of(20, p, q), tolerance_pu=1e-10)
    lines = slice(0, network.n_branch - 1)
    assert not found.status.any()
    np.testing.assert_allclose(found.vm_pu, whole.vm_pu[:, BUS].transpose(1, 2, 0), atol=2e-10)
    np.testing.assert_allclose(
        found.loading_percent[lines], whole.loading_percent[:, lines].transpose(1, 2, 0), rtol=1e-7, atol=1e-6
    )
    np.testing.assert_allclose(found.neutral_i_ka[1:], whole.neutral_i_ka.T[1:], rtol=1e-6, atol=1e-10)


def test_the_transformer_is_seen_by_its_low_voltage_winding():
    # A load between one phase and the neutral alone: that winding carries S / U, the others nothing.
    network = lv_feeder(20).network
    p = np.zeros((3 * len(BUS), 1))
    p[0, 0] = 20.0
    found = solve_places(phase_places(network, BUS), p, 0.0 * p, tolerance_pu=1e-10)
    volts = found.vm_pu[0, 0, 0] * 400.0 / np.sqrt(3)
    rated = 400.0 / np.sqrt(3) / 0.4
    np.testing.assert_allclose(found.loading_percent[-1, :, 0], [100.0 * 20e3 / volts / rated, 0.0, 0.0], atol=1e-6)
    assert found.neutral_i_ka[-1, 0] == pytest.approx(20.0 / volts, rel=1e-8)


@pytest.mark.parametrize("u", [0.93, 1.05])
def test_a_moved_source_is_an_exact_scaling_held_against_pandapower(u):
    feeder = lv_feeder(20)
    p, q = loads(n_case=1)
    source = feeder.tables["ext_grid"].assign(vm_pu=1.0)
    flat = dataclasses.replace(feeder, tables={**feeder.tables, "ext_grid": source})
    found = solve_places(phase_places(flat.network, BUS), p / u**2, q / u**2, tolerance_pu=1e-12)

    cases = tables_of(20, p, q)
    moved = dataclasses.replace(
        feeder,
        tables={**feeder.tables, "ext_grid": source.assign(vm_pu=u)},
        p_mw=cases.p_mw,
        q_mvar=cases.q_mvar,
    )
    net = moved.net()
    pp.runpp_3ph(net, tolerance_mva=1e-11)
    by_phase = net.res_bus_3ph[["vm_a_pu", "vm_b_pu", "vm_c_pu"]].to_numpy()[BUS]
    np.testing.assert_allclose(u * found.vm_pu[:, :, 0], by_phase, rtol=0, atol=1e-9)
    lines = net.res_line_3ph[["i_a_ka", "i_b_ka", "i_c_ka"]].to_numpy()[1:]
    rating = net.line["max_i_ka"].to_numpy()[1:, None]
    np.testing.assert_allclose(u * found.loading_percent[1:-1, :, 0], 100.0 * lines / rating, atol=1e-4)


def test_loads_that_do_not_fit_are_refused():
    places = phase_places(lv_feeder(20).network, BUS)
    p, q = loads(n_case=2)
    with pytest.raises(InputError, match="rows"):
        solve_places(places, p[1:], q[1:])
    with pytest.raises(InputError, match="rows"):
        solve_places(places, p, q[:, 1:])


def test_a_place_must_be_a_bus_and_only_once():
    with pytest.raises(InputError, match="each once"):
        phase_places(lv_feeder(20).network, np.array([3, 3]))
