"""Loads with shares of constant impedance and constant current: equal to pandapower, and by hand."""

import numpy as np
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError
from gridcheck.network import from_pandapower
from gridcheck.powerflow import solve, solve_extremes
from tests.support.newton import newton
from tests.support.radial_nets import two_bus_net, village_net

SHARES = {
    "impedance": (1.0, 0.0, 1.0, 0.0),
    "current": (0.0, 1.0, 0.0, 1.0),
    "mixed": (0.3, 0.5, 0.3, 0.5),
    "another_for_q": (0.2, 0.3, 0.6, 0.1),
}
COLUMNS = ("const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")


def of_bus(net, network, values):
    column = np.zeros(network.n_bus)
    column[np.searchsorted(network.bus_id, net.load["bus"])] = values
    return column


def loads_of(net, network, shares, scale=1.0):
    p_mw, q_mvar = (of_bus(net, network, net.load[name])[None, :] * scale for name in ("p_mw", "q_mvar"))
    z_p, i_p, z_q, i_q = (of_bus(net, network, share) for share in shares)
    return LoadCases(p_mw=p_mw, q_mvar=q_mvar, z_share=z_p, i_share=i_p, z_share_q=z_q, i_share_q=i_q)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
def test_shares_equal_pandapowers(shares, closed):
    net = village_net()
    net.switch.loc[0, "closed"] = closed
    net.load[["p_mw", "q_mvar"]] *= 2.0
    network = from_pandapower(net)
    for column, share in zip(COLUMNS, shares, strict=True):
        net.load[column] = 100.0 * share

    result = solve(network, loads_of(net, network, shares), tolerance_pu=1e-11)

    solved = newton(net)
    np.testing.assert_allclose(result.vm_pu[0], solved.res_bus.loc[network.bus_id, "vm_pu"], rtol=0, atol=1e-8)
    assert np.abs(result.vm_pu - 1.0).max() > 0.02  # otherwise the shares would not show


def test_one_load_by_hand():
    # Source 1 pu, a resistance R = 0.1 pu and a unit load at its end: constant impedance sees 1 / 1.1, constant
    # current 1 - 0.1, constant power (1 + sqrt(1 - 0.4)) / 2.
    net = two_bus_net(p_mw=1.0, q_mvar=0.0)
    net.line["length_km"], net.line["r_ohm_per_km"], net.line["x_ohm_per_km"] = 1.0, 10.0, 1e-12
    network = from_pandapower(net)

    def end(z, i):
        return solve(network, loads_of(net, network, (z, i, z, i)), tolerance_pu=1e-12).vm_pu[0, 1]

    assert end(1.0, 0.0) == pytest.approx(1.0 / 1.1, abs=1e-10)
    assert end(0.0, 1.0) == pytest.approx(0.9, abs=1e-10)
    assert end(0.0, 0.0) == pytest.approx((1.0 + 0.6**0.5) / 2.0, abs=1e-10)


def test_a_constant_impedance_never_collapses():
    net = two_bus_net(p_mw=1.0, q_mvar=0.0)
    net.line["r_ohm_per_km"], net.line["length_km"] = 30.0, 1.0
    network = from_pandapower(net)

    result = solve(network, loads_of(net, network, (1.0, 0.0, 1.0, 0.0), scale=2.0))
    power = solve(network, loads_of(net, network, (0.0, 0.0, 0.0, 0.0), scale=2.0))

    assert result.status.tolist() == [0]
    assert power.status.tolist() == [1]


def test_factored_loads_have_shares_too():
    net = village_net()
    network = from_pandapower(net)
    own = loads_of(net, network, SHARES["mixed"])
    profile = np.linspace(0.1, 2.0, 40)[:, None]
    names = ("z_share", "i_share", "z_share_q", "i_share_q")
    loads = FactoredLoads(
        p_weight_mw=own.p_mw.T, q_weight_mvar=own.q_mvar.T, profile=profile, **{n: getattr(own, n) for n in names}
    )

    factored, written = solve(network, loads, tolerance_pu=1e-12), solve(network, loads.cases(), tolerance_pu=1e-12)
    extremes = solve_extremes(network, loads, tolerance_pu=1e-12)

    np.testing.assert_allclose(factored.vm_pu, written.vm_pu, rtol=1e-11)
    np.testing.assert_array_equal(extremes.vm_min_pu, factored.vm_pu.min(axis=0))
    for name in names:
        np.testing.assert_array_equal(getattr(loads.cases(3, 5), name), getattr(own, name))


def test_shares_that_do_not_fit_are_refused():
    p_mw = np.ones((1, 2))

    with pytest.raises(InputError, match="z_share must be finite"):
        LoadCases(p_mw=p_mw, q_mvar=p_mw, z_share=np.array([0.0, np.nan]))


def test_shares_of_the_reactive_power_follow_the_active_ones():
    p_mw = np.ones((1, 2))

    loads = LoadCases(p_mw=p_mw, q_mvar=p_mw, z_share=np.array([0.2, 0.0]))

    assert loads.z_share_q.tolist() == [0.2, 0.0]
    assert loads.i_share_q.tolist() == [0.0, 0.0]
    assert loads.depends_on_voltage
    assert not LoadCases(p_mw=p_mw, q_mvar=p_mw).depends_on_voltage
