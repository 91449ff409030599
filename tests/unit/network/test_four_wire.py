"""Four-wire networks from element tables: what is refused, and what the values mean."""

import numpy as np
import pytest

from gridcheck.errors import InputError, NetworkError, UnsupportedElementError
from gridcheck.network import (
    ConductorImpedances,
    four_wire_from_pandapower,
    phase_loads_from_pandapower,
    with_conductors,
    with_neutral_earthing,
)
from tests.support.four_wire_nets import lv_feeder


@pytest.mark.parametrize("column", ["r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km"])
def test_missing_columns_of_lines_are_named_with_a_remedy(column):
    feeder = lv_feeder(8)
    feeder.tables["line"] = feeder.tables["line"].drop(columns=column)
    with pytest.raises(NetworkError, match=f"line: column {column} is missing; (take it|write 0)"):
        _ = feeder.network


@pytest.mark.parametrize("value", [np.nan, -0.1, np.inf])
def test_impossible_zero_sequence_of_a_line_is_named(value):
    feeder = lv_feeder(8)
    feeder.tables["line"].loc[3, "r0_ohm_per_km"] = value
    with pytest.raises(NetworkError, match="line 3: r0_ohm_per_km"):
        _ = feeder.network


def test_a_zero_sequence_without_impedance_is_named():
    feeder = lv_feeder(8)
    feeder.tables["line"].loc[[2, 4], ["r0_ohm_per_km", "x0_ohm_per_km"]] = 0.0
    with pytest.raises(NetworkError, match=r"line 2: .* both 0[\s\S]*line 4: .* both 0"):
        _ = feeder.network


def test_lines_out_of_service_may_hold_anything():
    feeder = lv_feeder(8)
    feeder.tables["line"].loc[3, ["r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km", "in_service"]] = [
        np.nan, -1.0, np.nan, False,
    ]  # fmt: skip
    assert feeder.network.n_branch == 7


@pytest.mark.parametrize("length_km", [-1.0, 0.0])
def test_impossible_lengths_are_refused(length_km):
    feeder = lv_feeder(8)
    feeder.tables["line"].loc[3, "length_km"] = length_km
    with pytest.raises(NetworkError, match="line 3: length_km"):
        _ = feeder.network


@pytest.mark.parametrize("group", ["Dd", "Yd", "YNd", "Dyn1", "", "banana", None])
def test_other_vector_groups_are_refused(group):
    feeder = lv_feeder(8)
    feeder.tables["trafo"]["vector_group"] = group
    with pytest.raises(UnsupportedElementError, match="trafo 0: vector_group"):
        _ = feeder.network


@pytest.mark.parametrize(("group", "shift"), [("Dyn11", 330.0), ("Dyn11", -30.0), ("dyn5", 150.0), ("Yyn0", 0.0)])
def test_clock_numbers_may_stand_in_the_group(group, shift):
    feeder = lv_feeder(8)
    feeder.tables["trafo"]["vector_group"], feeder.tables["trafo"]["shift_degree"] = group, shift
    assert feeder.network.zero_ratio.tolist() == [1.0] * 6 + [0.0]


def test_a_missing_vector_group_is_named():
    feeder = lv_feeder(8)
    feeder.tables["trafo"] = feeder.tables["trafo"].drop(columns="vector_group")
    with pytest.raises(UnsupportedElementError, match="vector_group is missing"):
        _ = feeder.network


@pytest.mark.parametrize("column", ["vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial"])
def test_missing_values_of_transformers_are_named(column):
    feeder = lv_feeder(8)
    feeder.tables["trafo"][column] = np.nan
    with pytest.raises(NetworkError, match=f"trafo 0: {column}"):
        _ = feeder.network


@pytest.mark.parametrize("column", ["s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max"])
def test_missing_values_of_sources_are_named(column):
    feeder = lv_feeder(8)
    feeder.tables["ext_grid"] = feeder.tables["ext_grid"].drop(columns=column)
    with pytest.raises(NetworkError, match=f"ext_grid: column {column}"):
        _ = feeder.network


def test_all_findings_come_at_once():
    feeder = lv_feeder(8)
    feeder.tables["line"].loc[3, "r0_ohm_per_km"] = np.nan
    feeder.tables["trafo"]["vk0_percent"] = np.nan
    feeder.tables["ext_grid"]["rx_max"] = -1.0
    with pytest.raises(NetworkError) as raised:
        _ = feeder.network
    assert len(raised.value.findings) == 3


def test_a_source_out_of_service_leaves_no_network():
    feeder = lv_feeder(8)
    feeder.tables["ext_grid"]["in_service"] = False
    with pytest.raises(NetworkError, match="no source in service"):
        _ = feeder.network


def test_the_core_of_yyn_has_a_default_that_the_caller_can_change():
    feeder = lv_feeder(8, group="Yyn")
    feeder.tables["trafo"][["mag0_percent", "mag0_rx"]] = np.nan
    net = feeder.net()

    default, other = four_wire_from_pandapower(net), four_wire_from_pandapower(net, core_z0_pu=1.2)

    to_network = net.sn_mva / 0.4
    leak = (3.8**2 - 1.1**2) ** 0.5 / 200
    np.testing.assert_allclose(default.x0_pu[-1], (leak + 0.7) * to_network, rtol=1e-12)
    np.testing.assert_allclose(other.x0_pu[-1], (leak + 1.2) * to_network, rtol=1e-12)


def test_the_net_is_not_written_to():
    net = lv_feeder(8).net()
    kept = {name: net[name].copy() for name in ("bus", "line", "trafo", "ext_grid", "asymmetric_load")}

    network = four_wire_from_pandapower(net)
    phase_loads_from_pandapower(net, network)

    for name, frame in kept.items():
        assert frame.equals(net[name]), name


@pytest.mark.parametrize("table", ["load", "asymmetric_load"])
def test_loads_in_delta_are_refused(table):
    import pandapower as pp

    net = lv_feeder(8).net()
    pp.create_load(net, 5, p_mw=0.001)
    net[table]["type"] = "delta"
    with pytest.raises(UnsupportedElementError, match=f"{table} 0: type delta"):
        phase_loads_from_pandapower(net, four_wire_from_pandapower(net))


def test_records_refuse_writing():
    network = lv_feeder(8).network
    for field in ("r0_pu", "zero_ratio", "has_neutral", "neutral_earth_ohm", "g0_pu", "r0_source_pu"):
        assert not getattr(network, field).flags.writeable


def test_the_neutral_is_earthed_where_there_is_one():
    network = lv_feeder(8).network
    assert with_neutral_earthing(network, [3, 5], 10.0).neutral_earth_ohm[[3, 4, 5]].tolist() == [10.0, np.inf, 10.0]
    with pytest.raises(NetworkError, match="bus 0: has no neutral"):
        with_neutral_earthing(network, 0, 10.0)
    with pytest.raises(NetworkError, match="bus 99: is not in the network"):
        with_neutral_earthing(network, 99, 10.0)
    for ohm in (0.0, -1.0, np.nan):
        with pytest.raises(NetworkError, match="bus 3"):
            with_neutral_earthing(network, 3, ohm)


def test_star_points_are_earthed_through_a_resistance():
    feeder = lv_feeder(8)
    feeder.tables["trafo"]["rn_ohm"] = 4.0
    assert feeder.network.neutral_earth_ohm[2] == 4.0
    feeder.tables["trafo"]["xn_ohm"] = 1.0
    with pytest.raises(UnsupportedElementError, match="trafo 0: xn_ohm"):
        _ = feeder.network


def test_impossible_conductors_are_refused():
    network = lv_feeder(8).network

    def conductors(line, z=0.4 + 0.7j):
        return ConductorImpedances(
            line_id=[line], phase_self=[z], phase_mutual=[0.1 + 0.3j], neutral_self=[0.5 + 0.7j], phase_neutral=[0.3j]
        )

    assert with_conductors(network, conductors(3)).balanced.branches.r_pu[3] > 0
    with pytest.raises(NetworkError, match="line 77: is not in the network"):
        with_conductors(network, conductors(77))
    with pytest.raises(NetworkError, match="line 0: has no neutral"):
        with_conductors(network, conductors(0))
    with pytest.raises(NetworkError, match="line 3: impedances of no passive line"):
        with_conductors(network, conductors(3, 0.0))
    with pytest.raises(InputError, match="phase_self must have shape"):
        ConductorImpedances(line_id=[1], phase_self=[], phase_mutual=[0], neutral_self=[0], phase_neutral=[0])
