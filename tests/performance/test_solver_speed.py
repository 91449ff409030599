"""Speed of the load flow beside its peers: ratios from one run on one machine, never seconds.

``make bench`` runs it at full size and prints the tables. Otherwise each entry is a smoke test: small, and both
sides must agree.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridcheck.network import from_pandapower, loads_from_pandapower, read_tables
from gridcheck.network.pandapower_net import net_from_tables
from gridcheck.powerflow import solve, solve_extremes, solve_voltages
from tests.performance.contest import (
    TOLERANCE_PU,
    best_seconds,
    newton_with_numba,
    peak_mb,
    peer_batch,
    random_feeder,
    table,
)

NETWORKS = Path(__file__).parents[2] / "networks"


TEN_THOUSAND = tuple(sorted(folder.name for folder in NETWORKS.iterdir() if folder.is_dir())[:7])


@dataclass(frozen=True)
class Size:
    is_timed: bool
    n_bus: int
    n_case: int
    repeats: int
    n_case_year: int
    counties: tuple[str, ...]


@pytest.fixture(scope="module")
def size(request):
    if request.config.getoption("--timing", default=False):
        return Size(is_timed=True, n_bus=1000, n_case=2000, repeats=7, n_case_year=35_040, counties=TEN_THOUSAND)
    return Size(
        is_timed=False, n_bus=60, n_case=70, repeats=1, n_case_year=4000, counties=("140827-yuanqu", "140822-wanrong")
    )


def compare(size, title, contestants, *, n_case, n_bus, least):
    """Print how much faster everybody is than the first, and hold one of them to the ratio `least` (name, ratio)."""
    seconds = best_seconds(contestants, repeats=size.repeats)
    if size.is_timed:
        print(table(title, seconds, n_case=n_case, n_bus=n_bus))
        name, ratio = least
        assert next(iter(seconds.values())) / seconds[name] >= ratio


@pytest.mark.parametrize("threads", [1, 2])
def test_all_voltages_of_many_cases(size, threads):
    feeder = random_feeder(size.n_bus, size.n_case)
    network, loads = feeder.network, feeder.loads
    peer = peer_batch(feeder, threads, loads.p_mw, loads.q_mvar)

    def voltages():
        return solve_voltages(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    def everything():
        return solve(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    expected = peer()["node"]["u_pu"]
    np.testing.assert_allclose(everything().vm_pu, expected, rtol=0, atol=10 * TOLERANCE_PU)
    np.testing.assert_array_equal(voltages().vm_pu, everything().vm_pu)
    compare(
        size,
        f"Full voltages: {size.n_bus} buses, {size.n_case} cases, tolerance {TOLERANCE_PU:g}, {threads} thread(s)",
        {
            "power-grid-model, iterative current, node results": peer,
            "gridcheck solve_voltages": voltages,
            "gridcheck solve (voltages, currents, losses)": everything,
        },
        n_case=size.n_case,
        n_bus=size.n_bus,
        least=("gridcheck solve_voltages", 10),
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_extremes_of_factored_loads(size, threads):
    feeder = random_feeder(size.n_bus, size.n_case)
    network, loads = feeder.network, feeder.factored
    written = loads.cases()
    peer = peer_batch(feeder, threads, written.p_mw, written.q_mvar, ("node", "line"))

    def peer_extremes():
        result = peer()
        node, line = result["node"]["u_pu"], result["line"]["loading"]
        return node.min(axis=0), node.argmin(axis=0), node.max(axis=0), node.argmax(axis=0), line.max(axis=0)

    def extremes():
        return solve_extremes(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    low, _, high, _, loading = peer_extremes()
    np.testing.assert_allclose(extremes().vm_min_pu, low, rtol=0, atol=10 * TOLERANCE_PU)
    np.testing.assert_allclose(extremes().vm_max_pu, high, rtol=0, atol=10 * TOLERANCE_PU)
    np.testing.assert_allclose(extremes().loading_max_percent, 100 * loading, rtol=1e-5, atol=1e-4)
    compare(
        size,
        f"Extremes of factored loads: {size.n_bus} buses, {size.n_case} cases, {threads} thread(s)",
        {
            "power-grid-model, loads written out before, numpy": peer_extremes,
            "gridcheck solve_extremes, factored loads": extremes,
            "gridcheck solve_extremes, loads written out before": lambda: solve_extremes(
                network, written, tolerance_pu=TOLERANCE_PU, threads=threads
            ),
        },
        n_case=size.n_case,
        n_bus=size.n_bus,
        least=("gridcheck solve_extremes, factored loads", 15),
    )


def test_one_case_of_a_feeder(size):
    feeder = random_feeder(size.n_bus, 1)
    network, loads = feeder.network, feeder.loads
    net = net_from_tables(feeder.tables, name="feeder")

    np.testing.assert_allclose(solve(network, loads).vm_pu[0], newton_with_numba(net), rtol=0, atol=10 * TOLERANCE_PU)
    compare(
        size,
        f"One case: feeder of {size.n_bus} buses",
        {"pandapower runpp (numba)": lambda: newton_with_numba(net), "gridcheck solve": lambda: solve(network, loads)},
        n_case=1,
        n_bus=size.n_bus,
        least=("gridcheck solve", 30),
    )


def joined_counties(codes):
    """Put the tables of county grids into one net without any connection between them."""
    parts, first = {}, {}
    for code in codes:
        tables, header = read_tables(NETWORKS / code / "network.json")
        moved = {name: first.get(name, 0) for name in ("bus", "line", "trafo", "switch", "ext_grid", "load")}
        for name, start in moved.items():
            table = tables[name].copy()
            table.index = table.index + start
            for column in ("bus", "from_bus", "to_bus", "hv_bus", "lv_bus"):
                if column in table:
                    table[column] = table[column] + moved["bus"]
            if name == "switch":
                of = table["et"].map({"l": "line", "t": "trafo", "b": "bus"}).map(moved)
                table["element"] = table["element"] + of
            parts.setdefault(name, []).append(table)
            first[name] = int(table.index.max()) + 1 if len(table) else start
    tables = {name: pd.concat(frames) for name, frames in parts.items()}
    return net_from_tables(tables, name="counties", f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]))


def test_one_case_of_counties(size):
    net = joined_counties(size.counties)
    network = from_pandapower(net)
    loads = loads_from_pandapower(net, network)

    def anew():
        """A net of which nothing is known yet, as runpp meets it every time."""
        return solve(dataclasses.replace(network), loads)

    np.testing.assert_allclose(solve(network, loads).vm_pu[0], newton_with_numba(net), rtol=0, atol=1e-7)
    compare(
        size,
        f"One case: county grids of {network.n_bus} buses (synthetic)",
        {
            "pandapower runpp (numba)": lambda: newton_with_numba(net),
            "gridcheck solve, a network met for the first time": anew,
            "gridcheck solve, the next case": lambda: solve(network, loads),
        },
        n_case=1,
        n_bus=network.n_bus,
        least=("gridcheck solve, the next case", 50),
    )


def test_time_grows_with_buses_and_cases_and_shrinks_with_threads(size):
    def extremes(feeder, threads=1):
        network, loads = feeder.network, feeder.factored
        return lambda: solve_extremes(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    n_bus, n_case = size.n_bus, size.n_case
    once, longer = random_feeder(n_bus, n_case, seed=5), random_feeder(n_bus, 2 * n_case, seed=5)
    # Twice as deep, but with the same drop and so with the same number of sweeps.
    larger = random_feeder(2 * n_bus, n_case, seed=5)
    larger.tables["line"]["length_km"] *= 0.5
    runs = {
        "once": extremes(once),
        "twice the buses": extremes(larger),
        "twice the cases": extremes(longer),
        "two threads": extremes(once, threads=2),
    }

    np.testing.assert_array_equal(runs["once"]().vm_min_pu, runs["two threads"]().vm_min_pu)
    seconds = pd.Series(best_seconds(runs, repeats=size.repeats))
    if size.is_timed:
        growth = seconds / seconds["once"]
        print(f"\nTimes as long as {n_bus} buses, {n_case} cases, one thread")
        print(growth.map("{:.2f}".format).to_string())
        assert growth["twice the buses"] <= 2.2
        assert growth["twice the cases"] <= 2.2
        assert growth["two threads"] <= 1 / 1.7


def test_memory_does_not_grow_with_the_cases(size):
    short, long = (random_feeder(size.n_bus, 2, seed=3), random_feeder(size.n_bus, 2, seed=3))
    rng = np.random.default_rng(4)
    n_short, n_long = size.n_case_year // 8, size.n_case_year
    peaks = []
    for feeder, n_case in ((short, n_short), (long, n_long)):
        weight = feeder.factored.p_weight_mw
        profile = rng.uniform(0.2, 1.0, (n_case, weight.shape[1]))
        loads = type(feeder.factored)(p_weight_mw=weight, q_weight_mvar=0.3 * weight, profile=profile)
        network = feeder.network
        solve_extremes(network, loads)  # what numba and the imports take, once
        peaks.append(peak_mb(lambda network=network, loads=loads: solve_extremes(network, loads, threads=2)))

    grown = (peaks[1] - peaks[0]) * 2**20 / (n_long - n_short)
    # Profile of six classes in blocks, its padding, outcome and iterations: no trace of buses.
    assert grown < 160
    if size.is_timed:
        written = 2 * n_long * size.n_bus * 8 / 2**20
        rows = {"gridcheck solve_extremes, factored loads": peaks[1], "the loads alone, written out": written}
        print(f"\nPeak memory: {size.n_bus} buses, {n_long:,} cases, 2 threads")
        print(pd.Series(rows).map("{:,.0f} MB".format).to_string())
