"""Every element table that pandapower knows, with one element in service: the same answer, or a refusal by name.

Nothing may be dropped in silence, so the test starts from the tables of an empty net, not from a list of its own.
"""

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.errors import UnsupportedElementError
from gridcheck.network import from_pandapower
from tests.support.newton import assert_solve_equals_newton, newton
from tests.support.radial_nets import add_line, add_trafo, village_net

LINE_DC = "2400-CU"


def bus(net, vn_kv=10.0):
    """A new bus behind bus 3, so that what hangs on it draws power through the network."""
    new = pp.create_bus(net, vn_kv)
    add_line(net, 3, new, 2.0)
    return new


def two_dc_buses(net):
    return pp.create_bus_dc(net, 10.0), pp.create_bus_dc(net, 10.0)


def add_line_dc(net):
    pp.create_line_dc(net, *two_dc_buses(net), length_km=1.0, std_type=LINE_DC)


def add_vsc(net, table="vsc"):
    first, second = two_dc_buses(net)
    ac = {"bus": 2, "r_ohm": 0.1, "x_ohm": 1.0, "r_dc_ohm": 0.1}
    if table == "vsc":
        pp.create_vsc(net, bus_dc=first, **ac)
    elif table == "vsc_stacked":
        pp.create_vsc_stacked(net, bus_dc_plus=first, bus_dc_minus=second, **ac)
    else:
        row = {"name": "", "bus_dc_plus": first, "bus_dc_minus": second, "in_service": True, **ac}
        net[table] = pd.DataFrame([row])


def add_loaded_trafo(net):
    low = pp.create_bus(net, 0.4)
    add_trafo(net, 2, low)
    pp.create_load(net, low, 0.1)


def add_trafo3w(net):
    middle, low = pp.create_bus(net, 20.0), pp.create_bus(net, 10.0)
    pp.create_transformer3w(net, 0, middle, low, "63/25/38 MVA 110/20/10 kV")


def add_impedance(net):
    new = pp.create_bus(net, 10.0)
    pp.create_impedance(
        net, 3, new, rft_pu=0.05, xft_pu=0.2, sn_mva=0.5, gf_pu=0.01, bf_pu=0.02, gt_pu=0.03, bt_pu=0.04
    )
    pp.create_load(net, new, 0.1, 0.02)


def add_source(net):
    pp.create_ext_grid(net, pp.create_bus(net, 10.0), vm_pu=0.97)


def add_coupler(net):
    new = pp.create_bus(net, 10.0)
    pp.create_switch(net, 3, new, "b")
    pp.create_load(net, new, 0.3)


def add_phases(net, create):
    create(net, 6, p_a_mw=0.01, p_b_mw=0.02, p_c_mw=0.03, q_a_mvar=0.004, q_b_mvar=0.005, q_c_mvar=0.006, scaling=0.8)


# Each adds one element in service which changes the load flow of the village.
AGREES = {
    "bus": lambda net: pp.create_load(net, bus(net), 0.2),
    "line": lambda net: pp.create_load(net, bus(net), 0.2),
    "trafo": add_loaded_trafo,
    "ext_grid": add_source,
    "switch": add_coupler,
    "load": lambda net: pp.create_load(net, 6, 0.03, 0.01),
    "sgen": lambda net: pp.create_sgen(net, 6, 0.03, 0.01),
    "storage": lambda net: pp.create_storage(net, 6, 0.03, max_e_mwh=1.0, q_mvar=0.01),
    "asymmetric_load": lambda net: add_phases(net, pp.create_asymmetric_load),
    "asymmetric_sgen": lambda net: add_phases(net, pp.create_asymmetric_sgen),
    "motor": lambda net: pp.create_motor(
        net, 4, 0.05, 0.86, efficiency_percent=91.0, loading_percent=80.0, scaling=1.1
    ),
    "shunt": lambda net: pp.create_shunt(net, 3, q_mvar=-0.3, p_mw=0.01, step=2, vn_kv=10.5, max_step=3),
    "ward": lambda net: pp.create_ward(net, 3, ps_mw=0.1, qs_mvar=0.02, pz_mw=0.2, qz_mvar=-0.1),
    "impedance": add_impedance,
}
REFUSED = {
    "gen": lambda net: pp.create_gen(net, 3, 0.1, vm_pu=1.0),
    "xward": lambda net: pp.create_xward(net, 2, 0.1, 0.0, 0.0, 0.0, 0.1, 0.1, 1.0),
    "trafo3w": add_trafo3w,
    "dcline": lambda net: pp.create_dcline(net, 1, 2, 0.1, 0.0, 0.0, 1.0, 1.0),
    "svc": lambda net: pp.create_svc(net, 2, 1.0, -1.0, 1.0, 90.0),
    "tcsc": lambda net: pp.create_tcsc(net, 1, 2, 1.0, -1.0, 0.1, 90.0),
    "ssc": lambda net: pp.create_ssc(net, 2, 0.1, 0.1),
    "vsc": add_vsc,
    "vsc_stacked": lambda net: add_vsc(net, "vsc_stacked"),
    "vsc_bipolar": lambda net: add_vsc(net, "vsc_bipolar"),
    "bus_dc": lambda net: pp.create_bus_dc(net, 10.0),
    "line_dc": add_line_dc,
    "source_dc": lambda net: pp.create_source_dc(net, pp.create_bus_dc(net, 10.0)),
    "load_dc": lambda net: pp.create_load_dc(net, pp.create_bus_dc(net, 10.0), 0.1),
}
# Tables without electrical elements: they leave the answer as it is, also pandapower's.
NOT_ELECTRIC = {
    "measurement": lambda net: pp.create_measurement(net, "v", "bus", 1.0, 0.01, 2),
    "pwl_cost": lambda net: pp.create_pwl_cost(net, 0, "ext_grid", [[0, 1, 1]]),
    "poly_cost": lambda net: pp.create_poly_cost(net, 0, "ext_grid", 1.0),
    "controller": lambda net: pp.control.DiscreteTapControl(net, 1, 0.9, 0.95),
    "group": lambda net: pp.create_group(net, "load", [[0]]),
}
TABLES = [
    name
    for name, table in pp.create_empty_network().items()
    if isinstance(table, pd.DataFrame) and not name.startswith(("_", "res_"))
]


def test_every_table_has_its_expectation():
    assert sorted(TABLES) == sorted([*AGREES, *REFUSED, *NOT_ELECTRIC])


@pytest.mark.parametrize("table", TABLES)
def test_the_element_counts_or_is_refused(table):
    net = village_net()
    before = len(net[table])
    {**AGREES, **REFUSED, **NOT_ELECTRIC}[table](net)
    assert len(net[table]) > before

    if table in REFUSED:
        with pytest.raises(UnsupportedElementError, match=rf"{table}: ids {net[table].index[0]}"):
            from_pandapower(net)
        return
    assert_solve_equals_newton(net)


@pytest.mark.parametrize("table", [name for name in AGREES if name not in ("bus", "ext_grid", "switch")])
def test_the_element_out_of_service_counts_for_nothing(table):
    net = village_net()
    AGREES[table](net)
    net[table].loc[net[table].index[-1], "in_service"] = False

    assert_solve_equals_newton(net)


@pytest.mark.parametrize("table", AGREES)
def test_the_expectation_is_not_met_without_the_element(table):
    # Otherwise the agreement above would show nothing.
    net = village_net()
    AGREES[table](net)

    with_it, without = newton(net), newton(village_net())

    same_buses = without.res_bus["vm_pu"].index
    differs = np.abs(with_it.res_bus["vm_pu"][same_buses] - without.res_bus["vm_pu"]).max() > 1e-6
    assert differs or len(with_it.bus) > len(without.bus)
