"""Speed of the load flow by phase beside its peers: ratios from one run on one machine, never seconds.

A four-wire feeder with single-phase loads; 300 buses and 1,000 cases with ``--timing``, otherwise a smoke test in
which all must agree. OpenDSS runs its own loop over the cases from load shapes, without handing anything out.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gridcheck.powerflow import solve_unbalanced, solve_unbalanced_extremes, solve_unbalanced_voltages
from tests.performance.contest import TOLERANCE_PU, best_seconds, table
from tests.support import open_dss
from tests.support.four_wire_nets import lv_feeder
from tests.support.power_grid_model_phases import phase_batch, without_core

# How many times faster than each peer the voltages have to be with one thread on both sides, at least; two are printed.
LEAST_RATIO = 25.0


VOLTAGES = "gridcheck solve_unbalanced_voltages"


@dataclass(frozen=True)
class Size:
    is_timed: bool
    n_bus: int
    n_case: int
    repeats: int


@pytest.fixture(scope="module")
def size(request):
    if request.config.getoption("--timing", default=False):
        return Size(is_timed=True, n_bus=300, n_case=1000, repeats=9)
    return Size(is_timed=False, n_bus=40, n_case=20, repeats=1)


@pytest.fixture(scope="module")
def feeder(size):
    return without_core(lv_feeder(size.n_bus, size.n_case))


def contest(size, title, contestants, *, threads):
    seconds = best_seconds(contestants, repeats=size.repeats)
    if size.is_timed:
        print(table(title, seconds, n_case=size.n_case, n_bus=size.n_bus))
        assert threads > 1 or seconds[next(iter(contestants))] / seconds[VOLTAGES] >= LEAST_RATIO


@pytest.mark.parametrize("threads", [1, 2])
def test_beside_power_grid_model(size, feeder, threads):
    network, loads = feeder.network, feeder.loads
    peer = phase_batch(feeder, tolerance_pu=TOLERANCE_PU, threads=threads)

    def voltages():
        return solve_unbalanced_voltages(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    def everything():
        return solve_unbalanced(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    def extremes():
        return solve_unbalanced_extremes(network, loads, tolerance_pu=TOLERANCE_PU, threads=threads)

    np.testing.assert_allclose(everything().vm_pu, peer()["node"]["u_pu"], rtol=0, atol=10 * TOLERANCE_PU)
    np.testing.assert_array_equal(voltages().vm_pu, everything().vm_pu)
    contest(
        size,
        f"By phase: {size.n_bus} buses, {size.n_case} cases, tolerance {TOLERANCE_PU:g}, {threads} thread(s)",
        {
            "power-grid-model, iterative current, node results": peer,
            VOLTAGES: voltages,
            "gridcheck solve_unbalanced, 15 values": everything,
            "gridcheck solve_unbalanced_extremes": extremes,
        },
        threads=threads,
    )


def test_beside_opendss(size, feeder):
    network, loads = feeder.network, feeder.loads
    line = feeder.tables["line"]
    z1 = (line["r_ohm_per_km"] + 1j * line["x_ohm_per_km"]).to_numpy()
    z0 = (line["r0_ohm_per_km"] + 1j * line["x0_ohm_per_km"]).to_numpy()
    conductors = open_dss.Conductors(
        phase_self=z1, phase_mutual=0 * z1, neutral_self=(z0 - z1) / 3, phase_neutral=0 * z1
    )
    open_dss.build(feeder, conductors, {2: 1e-3})
    open_dss.add_load_courses(feeder.p_mw, feeder.q_mvar)

    def peer():
        open_dss.solve_courses(size.n_case, TOLERANCE_PU)

    def voltages():
        return solve_unbalanced_voltages(network, loads, tolerance_pu=TOLERANCE_PU, threads=1)

    def everything():
        return solve_unbalanced(network, loads, tolerance_pu=TOLERANCE_PU, threads=1)

    peer()
    volts = open_dss.bus_voltages(size.n_bus)
    last = np.abs(volts[:, :3] - volts[:, 3:]) / (network.balanced.buses.vn_kv[:, None] * 1000 / 3**0.5)
    np.testing.assert_allclose(everything().vm_pu[-1], last, rtol=0, atol=1e-6)
    contest(
        size,
        f"Four wires: {size.n_bus} buses, {size.n_case} cases, tolerance {TOLERANCE_PU:g}, 1 thread",
        {
            "OpenDSS, daily mode, nothing handed out": peer,
            VOLTAGES: voltages,
            "gridcheck solve_unbalanced, 15 values": everything,
        },
        threads=1,
    )
