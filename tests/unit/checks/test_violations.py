"""Broken limits of one load flow result, compared with pandapower; what is not solved or not supplied counts too."""

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.violations import find_violations, network_findings
from gridcheck.errors import NetworkError
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.network import from_pandapower, loads_from_pandapower
from gridcheck.powerflow import NOT_CONVERGED, solve
from tests.support.radial_nets import add_line, feeder_net, two_bus_net, village_net

NOTHING = with_overrides(
    DEFAULT_LIMITS,
    {
        "mv_vm_min_pu": (0.0, "test"),
        "mv_vm_max_pu": (9.0, "test"),
        "section_loading_percent": (1e6, "test"),
        "area_loading_percent": (1e6, "test"),
        "main_transformer_loading_percent": (1e6, "test"),
    },
)


def with_limit(**values: float):
    return with_overrides(NOTHING, {name: (value, "test") for name, value in values.items()})


def findings(net, limits, *, scales=(1.0,), duration_h=None):
    network = from_pandapower(net)
    own = loads_from_pandapower(net, network)
    scale = np.array(scales)[:, None]
    loads = LoadCases(p_mw=scale * own.p_mw, q_mvar=scale * own.q_mvar)
    return find_violations(network, solve(network, loads), limits, duration_h=duration_h)


def test_nothing_broken_nothing_found():
    assert findings(village_net(), NOTHING) == ()


def test_voltages_are_those_of_pandapower():
    net = feeder_net(6, p_mw=1.2)
    pp.runpp(net)
    low = net.res_bus.index[net.res_bus["vm_pu"] < 0.97]
    assert 0 < len(low) < 6

    found = findings(net, with_limit(mv_vm_min_pu=0.97))

    assert [(f.element_kind, f.element, f.quantity) for f in found] == [("bus", str(bus), "vm_pu") for bus in low]
    assert [f.value for f in found] == pytest.approx(net.res_bus.loc[low, "vm_pu"].tolist(), abs=1e-8)
    assert {(f.limit, f.case, f.hours) for f in found} == {(0.97, 0, 1.0)}


def test_high_voltages():
    found = findings(feeder_net(3), with_limit(mv_vm_max_pu=1.02))

    assert "0" in [f.element for f in found]
    assert {f.limit for f in found} == {1.02}


def test_low_voltage_buses_are_not_held_against_the_10_kv_band():
    net = village_net()

    found = findings(net, with_limit(mv_vm_min_pu=2.0))

    assert {f.element for f in found} == {str(i) for i in net.bus.index[net.bus["vn_kv"] > 1.0]}


@pytest.mark.parametrize(
    ("limit", "table", "rows"),
    [
        ("section_loading_percent", "line", [0, 1, 3]),
        ("main_transformer_loading_percent", "trafo", [0]),
        ("area_loading_percent", "trafo", [1, 2]),
    ],
)
def test_loadings_are_those_of_pandapower(limit, table, rows):
    net = village_net()
    pp.runpp(net)
    result = net[f"res_{table}"]["loading_percent"]

    found = findings(net, with_limit(**{limit: 1.0}))

    assert [(f.element_kind, f.element) for f in found] == [(table, str(i)) for i in rows]
    assert [f.value for f in found] == pytest.approx(result.loc[rows].tolist(), abs=1e-6)


def test_the_worst_case_and_the_hours_beyond():
    net = two_bus_net(p_mw=2.0, q_mvar=0.0)
    durations = np.array([1.0, 0.5, 0.25, 2.0])

    found = findings(net, with_limit(mv_vm_min_pu=0.96), scales=(0.2, 1.6, 1.4, 0.1), duration_h=durations)

    (low,) = found
    assert (low.element, low.case, low.hours) == ("1", 1, 0.75)


def test_an_unsolved_case_is_a_finding_and_its_values_are_left_out():
    net = two_bus_net(p_mw=2.0)
    network = from_pandapower(net)
    loads = LoadCases(p_mw=np.array([[0.0, 2.0], [0.0, 500.0]]), q_mvar=np.zeros((2, 2)))
    result = solve(network, loads)
    assert result.status.tolist() == [0, NOT_CONVERGED]

    first, *others = find_violations(network, result, with_limit(mv_vm_min_pu=0.99), duration_h=np.array([1.0, 3.0]))

    assert (first.element_kind, first.element, first.quantity, first.case) == ("case", "1", "not_converged", 1)
    assert first.hours == 3.0
    assert np.isnan(first.value)
    assert {(f.case, f.hours) for f in others} == {(0, 1.0)}


def test_a_bus_without_supply_is_a_finding_and_not_a_voltage():
    net = feeder_net(4)
    net.line.loc[2, "in_service"] = False
    idle = pp.create_bus(net, 10.0, in_service=False)

    found = findings(net, with_limit(mv_vm_min_pu=0.5), scales=(1.0, 0.5))

    (dark,) = found
    assert (dark.element_kind, dark.element, dark.quantity, dark.case) == ("bus", "3", "unsupplied", -1)
    assert dark.hours == 2.0
    assert str(idle) != dark.element


def test_names_are_used_where_there_are_any():
    net = feeder_net(3, p_mw=1.0)
    net.line["name"] = ["K1", None]
    net.bus["name"] = ["S", "A", "B"]

    found = findings(net, with_limit(section_loading_percent=1.0, mv_vm_min_pu=1.0299))

    assert [(f.element_kind, f.element) for f in found] == [("bus", "A"), ("bus", "B"), ("line", "K1"), ("line", "1")]


def write(net, path):
    pp.to_json(net, str(path))
    return path


def test_a_network_file(tmp_path):
    net = village_net()
    pp.runpp(net)

    report = network_findings(write(net, tmp_path / "net.json"), vm_min_pu=0.93, max_loading_percent=50.0)

    assert (report["network"], report["buses"], report["converged"]) == ("villages", 7, True)
    assert report["unsupplied_buses"] == 0
    assert report["vm_min_pu"] == pytest.approx(net.res_bus["vm_pu"].min(), abs=1e-8)
    assert report["vm_max_pu"] == pytest.approx(net.res_bus["vm_pu"].max(), abs=1e-8)
    loading = [*net.res_line["loading_percent"], *net.res_trafo["loading_percent"]]
    assert report["max_loading_percent"] == pytest.approx(max(loading), abs=1e-6)
    assert report["loss_mw"] == pytest.approx(net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum(), abs=1e-8)
    overloaded = [v["value"] for v in report["violations"] if v["quantity"] == "loading_percent"]
    assert sorted(overloaded) == pytest.approx(sorted(value for value in loading if value > 50.0), abs=1e-6)
    assert overloaded


def test_a_network_file_with_a_dark_part(tmp_path):
    net = feeder_net(4)
    net.line.loc[2, "in_service"] = False
    pp.create_bus(net, 10.0, in_service=False)

    report = network_findings(write(net, tmp_path / "net.json"), vm_min_pu=0.93, max_loading_percent=100.0)

    assert report["converged"]
    assert report["unsupplied_buses"] == 1
    assert [v["element"] for v in report["violations"]] == ["bus 3"]


def test_a_network_file_without_a_solution(tmp_path):
    net = two_bus_net(p_mw=500.0)

    report = network_findings(write(net, tmp_path / "net.json"), vm_min_pu=0.93, max_loading_percent=100.0)

    assert not report["converged"]
    assert report["vm_min_pu"] is None
    assert [v["quantity"] for v in report["violations"]] == ["not_converged"]


def test_a_network_file_with_a_loop_is_solved(tmp_path):
    net = feeder_net(4)
    add_line(net, 0, 3)

    report = network_findings(write(net, tmp_path / "net.json"), vm_min_pu=0.93, max_loading_percent=100.0)

    assert report["converged"]


def test_no_network_file(tmp_path):
    with pytest.raises(NetworkError, match=r"absent\.json does not exist"):
        network_findings(tmp_path / "absent.json", vm_min_pu=0.93, max_loading_percent=100.0)
