"""The load flow by phase beside OpenDSS with explicit four-wire lines, the neutral earthed once and often."""

import numpy as np
import pytest

from gridcheck.network import ConductorImpedances, with_conductors, with_neutral_earthing
from gridcheck.powerflow import solve_unbalanced
from tests.support import open_dss
from tests.support.four_wire_nets import lv_feeder

PU = 1e-8
N_BUS = 120


def stiff(feeder):
    """Make the source ideal in all sequences, and the core of a Dyn transformer as well."""
    feeder.tables["ext_grid"]["s_sc_max_mva"] = 1e12
    if feeder.tables["trafo"].loc[0, "vector_group"] == "Dyn":
        feeder.tables["trafo"]["vk0_percent"] = feeder.tables["trafo"]["vk_percent"]
        feeder.tables["trafo"]["vkr0_percent"] = feeder.tables["trafo"]["vkr_percent"]
        feeder.tables["trafo"]["mag0_percent"] = 1e12
    return feeder


def conductors_of(feeder, *, seed=3):
    """Carson-like impedances of overhead lines: strong coupling through the earth."""
    n = len(feeder.tables["line"])
    rng = np.random.default_rng(seed)
    r = feeder.tables["line"]["r_ohm_per_km"].to_numpy()
    earth = 0.05 + 1j * rng.uniform(0.3, 0.5, n)
    return open_dss.Conductors(
        phase_self=r + earth + 0.35j,
        phase_mutual=earth,
        neutral_self=1.3 * r + earth + 0.36j,
        phase_neutral=earth - 0.02j,
    )


def both(group, earth_ohm, *, n_bus=N_BUS):
    feeder = stiff(lv_feeder(n_bus, group=group, mv_line=True, seed=4))
    given = conductors_of(feeder)
    network = with_conductors(
        feeder.network,
        ConductorImpedances(
            line_id=np.arange(1, len(given.phase_self)),
            phase_self=given.phase_self[1:],
            phase_mutual=given.phase_mutual[1:],
            neutral_self=given.neutral_self[1:],
            phase_neutral=given.phase_neutral[1:],
        ),
    )
    network = with_neutral_earthing(network, list(earth_ohm), list(earth_ohm.values()))
    result = solve_unbalanced(network, feeder.loads, tolerance_pu=1e-13)
    open_dss.build(feeder, given, earth_ohm)
    open_dss.add_loads(feeder.p_mw[0], feeder.q_mvar[0])
    open_dss.solve()
    return network, result, feeder


def assert_equal(network, result, feeder):
    n_bus, n_line = network.n_bus, len(feeder.tables["line"])
    volts = open_dss.bus_voltages(n_bus)
    base_v = network.balanced.buses.vn_kv[:, None] * 1000 / 3**0.5
    expected = (volts[:, :3] - volts[:, 3:]) / base_v
    found = result.vm_pu[0] * np.exp(1j * np.deg2rad(result.va_degree[0]))
    # An unearthed star at 10 kV floats; there voltages to earth are compared.
    np.testing.assert_allclose(found, expected, rtol=0, atol=PU)
    shift = np.abs(volts[2:, 3])
    np.testing.assert_allclose(result.neutral_shift_v[0, 2:], shift, rtol=0, atol=PU * base_v[-1, 0])
    amperes = np.abs(open_dss.line_currents(n_line))
    np.testing.assert_allclose(result.i_ka[0, 1:n_line] * 1000, amperes[1:, :3], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(result.neutral_i_ka[0, 1:n_line] * 1000, amperes[1:, 3], rtol=1e-5, atol=1e-4)
    # OpenDSS leaves reactors to earth out of its losses.
    in_earth = (shift**2 / network.neutral_earth_ohm[2:]).sum() / 1e6
    np.testing.assert_allclose(result.loss_mw[0], open_dss.losses_mw() + in_earth, rtol=1e-6)
    assert shift.max() > 1.0
    assert np.nanmin(result.vm_pu) < 0.97


@pytest.mark.parametrize("group", ["Dyn", "Yyn"])
def test_neutral_earthed_at_the_transformer_only(group):
    network, result, feeder = both(group, {2: 1e-3})

    assert_equal(network, result, feeder)
    sums = np.abs(open_dss.line_currents(len(feeder.tables["line"])).sum(axis=1))
    assert sums.max() < 1e-3  # nothing flows through the earth


@pytest.mark.parametrize("group", ["Dyn", "Yyn"])
@pytest.mark.parametrize("ohm", [0.05, 10.0])
def test_neutral_earthed_at_many_buses(group, ohm):
    earth_ohm = {2: 0.5} | {bus: ohm * (1 + bus % 3) for bus in range(5, N_BUS, 4)}

    network, result, feeder = both(group, earth_ohm)

    assert_equal(network, result, feeder)
    sums = np.abs(open_dss.line_currents(len(feeder.tables["line"])).sum(axis=1))
    assert sums.max() > 0.5  # part of the return flows through the earth
