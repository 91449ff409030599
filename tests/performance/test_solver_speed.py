"""Speed of the load flow beside its peers, in one run on one machine: ratios, never seconds.

Run with ``make bench`` to see the table; without ``-s`` each entry is a smoke test that both sides agree.
"""

import time
from dataclasses import dataclass

import numpy as np
import pandapower as pp
import pytest

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network import from_pandapower
from gridcheck.powerflow import solve, solve_extremes

pgm = pytest.importorskip("power_grid_model")

N_BUS = 1000
N_CASE = 2000
TOLERANCE = 1e-8
REPEATS = 3


@dataclass(frozen=True)
class Feeder:
    net: object
    from_bus: np.ndarray
    length_km: np.ndarray
    p_mw: np.ndarray
    q_mvar: np.ndarray


@pytest.fixture(scope="module")
def feeder():
    """A 10 kV tree of 1,000 buses: a trunk with random branches, loads of a few kW, 2,000 random operating points."""
    rng = np.random.default_rng(1)
    parent = np.array([0] + [int(rng.integers(max(0, i - 12), i)) for i in range(1, N_BUS)])
    length = rng.uniform(0.02, 0.08, N_BUS)
    net = pp.create_empty_network(add_stdtypes=False)
    for _ in range(N_BUS):
        pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0, vm_pu=1.03)
    for i in range(1, N_BUS):
        pp.create_line_from_parameters(
            net,
            int(parent[i]),
            i,
            float(length[i]),
            r_ohm_per_km=0.253,
            x_ohm_per_km=0.332,
            c_nf_per_km=10.0,
            max_i_ka=0.352,
        )
    base = rng.uniform(0.001, 0.005, N_BUS)
    base[0] = 0.0
    p = base * rng.uniform(0.3, 1.5, (N_CASE, N_BUS))
    return Feeder(net=net, from_bus=parent, length_km=length, p_mw=p, q_mvar=0.3 * p)


def seconds(work) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def pgm_model(feeder: Feeder):
    """The same feeder for power-grid-model: ids 0.. are nodes, then lines, loads, and a stiff source."""
    node = pgm.initialize_array("input", "node", N_BUS)
    node["id"], node["u_rated"] = np.arange(N_BUS), 10e3
    line = pgm.initialize_array("input", "line", N_BUS - 1)
    line["id"] = N_BUS + np.arange(N_BUS - 1)
    line["from_node"], line["to_node"] = feeder.from_bus[1:], np.arange(1, N_BUS)
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"] = 0.253 * feeder.length_km[1:], 0.332 * feeder.length_km[1:]
    line["c1"], line["tan1"], line["i_n"] = 10e-9 * feeder.length_km[1:], 0.0, 352.0
    load = pgm.initialize_array("input", "sym_load", N_BUS - 1)
    load["id"] = 3 * N_BUS + np.arange(N_BUS - 1)
    load["node"], load["status"], load["type"] = np.arange(1, N_BUS), 1, pgm.LoadGenType.const_power
    load["p_specified"], load["q_specified"] = 1e6 * feeder.p_mw[0, 1:], 1e6 * feeder.q_mvar[0, 1:]
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 9 * N_BUS, 0, 1, 1.03
    # pandapower's slack has no impedance inside; so must this one have none.
    source["sk"], source["rx_ratio"] = 1e20, 0.1
    update = pgm.initialize_array("update", "sym_load", (N_CASE, N_BUS - 1))
    update["id"] = load["id"]
    update["p_specified"], update["q_specified"] = 1e6 * feeder.p_mw[:, 1:], 1e6 * feeder.q_mvar[:, 1:]
    model = pgm.PowerGridModel({"node": node, "line": line, "sym_load": load, "source": source})
    return model, {"sym_load": update}


def pgm_solve(model, update, threads):
    return model.calculate_power_flow(
        update_data=update,
        calculation_method=pgm.CalculationMethod.iterative_current,
        error_tolerance=TOLERANCE,
        threading=0 if threads > 1 else -1,
        output_component_types=["node"],
    )


def report(title: str, rows: list[tuple[str, float, float]]) -> None:
    print(f"\n{title}")
    for name, microseconds, ratio in rows:
        print(f"  {name:<46} {microseconds:12.2f} us per load flow {ratio:10.1f} x")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_batch_beside_power_grid_model(feeder, threads):
    network = from_pandapower(feeder.net)
    loads = LoadCases(p_mw=feeder.p_mw, q_mvar=feeder.q_mvar)
    weights = np.zeros((N_BUS, 8))
    rng = np.random.default_rng(2)
    weights[1:] = rng.uniform(0.0, 0.001, (N_BUS - 1, 8))
    factored = FactoredLoads(
        p_weight_mw=weights, q_weight_mvar=0.3 * weights, profile=rng.uniform(0.2, 1.0, (N_CASE, 8))
    )
    model, update = pgm_model(feeder)

    ours = solve(network, loads, tolerance_pu=TOLERANCE, threads=threads)
    theirs = pgm_solve(model, update, threads)
    assert np.abs(ours.vm_pu - theirs["node"]["u_pu"]).max() < 10 * TOLERANCE

    t_peer = seconds(lambda: pgm_solve(model, update, threads))
    t_full = seconds(lambda: solve(network, loads, tolerance_pu=TOLERANCE, threads=threads))
    t_extremes = seconds(lambda: solve_extremes(network, factored, tolerance_pu=TOLERANCE, threads=threads))
    report(
        f"{N_BUS} buses, {N_CASE} cases, {threads} thread(s), tolerance {TOLERANCE:g}",
        [
            ("power-grid-model, iterative current, batch", t_peer / N_CASE * 1e6, 1.0),
            ("gridcheck, all voltages and currents", t_full / N_CASE * 1e6, t_peer / t_full),
            ("gridcheck, factored loads, extremes only", t_extremes / N_CASE * 1e6, t_peer / t_extremes),
        ],
    )


@pytest.mark.slow
def test_one_case_beside_pandapower(feeder):
    network = from_pandapower(feeder.net)
    loads = LoadCases(p_mw=feeder.p_mw[:1], q_mvar=feeder.q_mvar[:1])
    net = pp.from_json_string(pp.to_json(feeder.net))
    for bus in range(1, N_BUS):
        pp.create_load(net, bus, p_mw=feeder.p_mw[0, bus], q_mvar=feeder.q_mvar[0, bus])
    pp.runpp(net, tolerance_mva=1e-8, numba=True)
    ours = solve(network, loads, tolerance_pu=TOLERANCE, threads=1)
    assert np.abs(ours.vm_pu[0] - net.res_bus["vm_pu"].to_numpy()).max() < 10 * TOLERANCE

    t_peer = seconds(lambda: pp.runpp(net, tolerance_mva=1e-8, numba=True))
    t_ours = seconds(lambda: solve(network, loads, tolerance_pu=TOLERANCE, threads=1))
    report(
        f"{N_BUS} buses, one case",
        [("pandapower runpp (numba)", t_peer * 1e6, 1.0), ("gridcheck solve", t_ours * 1e6, t_peer / t_ours)],
    )
