"""What the benchmarks need: a random feeder for every program, fair timing, and one table for all."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd
from power_grid_model import CalculationMethod, PowerGridModel

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.network import Network, network_from_tables
from tests.support.power_grid_model_net import batch_update, model_input

Array = npt.NDArray[np.float64]

TOLERANCE_PU = 1e-8
N_CLASS = 6


@dataclass(frozen=True)
class Feeder:
    """A 10 kV tree with a load at every second bus: element tables, random cases, and the same kind factored."""

    tables: dict[str, pd.DataFrame]
    loads: LoadCases
    factored: FactoredLoads

    @property
    def network(self) -> Network:
        return network_from_tables(self.tables, name="feeder")


def random_feeder(n_bus: int, n_case: int, *, seed: int = 1) -> Feeder:
    """Return a trunk with random side branches that drops to 0.95 to 1.0 pu."""
    rng = np.random.default_rng(seed)
    parent = [0, *(int(rng.integers(max(0, i - 12), i)) for i in range(2, n_bus))]
    line = pd.DataFrame({"from_bus": parent, "to_bus": range(1, n_bus), "length_km": rng.uniform(0.02, 0.1, n_bus - 1)})
    line = line.assign(
        r_ohm_per_km=0.25, x_ohm_per_km=0.33, c_nf_per_km=10.0, max_i_ka=0.35, parallel=1, in_service=True
    )
    base_mw = np.where(np.arange(n_bus) % 2 == 1, rng.uniform(0.004, 0.012, n_bus), 0.0) * 1000 / n_bus
    p_mw = base_mw * rng.uniform(0.3, 1.2, (n_case, n_bus))
    weight_mw = base_mw[:, None] * rng.uniform(0.0, 0.3, (n_bus, N_CLASS))
    tables = {
        "bus": pd.DataFrame({"vn_kv": np.full(n_bus, 10.0), "in_service": True}),
        "line": line,
        "load": pd.DataFrame({"bus": np.flatnonzero(base_mw), "p_mw": p_mw[0, base_mw > 0]}),
        "ext_grid": pd.DataFrame({"bus": [0], "vm_pu": [1.03], "va_degree": [0.0], "in_service": True}),
    }
    tables["load"]["q_mvar"] = 0.3 * tables["load"]["p_mw"]
    return Feeder(
        tables=tables,
        loads=LoadCases(p_mw=p_mw, q_mvar=0.3 * p_mw),
        factored=FactoredLoads(
            p_weight_mw=weight_mw, q_weight_mvar=0.3 * weight_mw, profile=rng.uniform(0.2, 1.0, (n_case, N_CLASS))
        ),
    )


def peer_batch(feeder: Feeder, threads: int, p_mw, q_mvar, components=("node",)):
    """Return a function that solves all cases with power-grid-model's fastest method for constant power."""
    given = model_input(feeder.tables)
    model = PowerGridModel(given)
    update = batch_update(feeder.tables["load"]["bus"].to_numpy(), given["sym_load"]["id"], p_mw, q_mvar)

    def run():
        return model.calculate_power_flow(
            update_data=update,
            calculation_method=CalculationMethod.iterative_current,
            error_tolerance=TOLERANCE_PU,
            threading=threads if threads > 1 else -1,
            output_component_types=list(components),
        )

    return run


def newton_with_numba(net):
    """Solve a net with pandapower as fast as it can; its voltages."""
    pp.runpp(net, tolerance_mva=TOLERANCE_PU, calculate_voltage_angles=True, numba=True)
    return net.res_bus["vm_pu"].to_numpy()


def best_seconds(contestants: dict[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Run all in turn, several times over, and keep the best time of each: other work disturbs all alike.

    Each runs twice in a row, so that nobody pays for the caches as another one has left them.
    """
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(repeats):
        for name, run in contestants.items():
            for _ in range(2):
                start = time.perf_counter()
                run()
                best[name] = min(best[name], time.perf_counter() - start)
    return best


def peak_mb(run: Callable[[], object]) -> float:
    """Return the largest memory that Python and NumPy held at once beyond what they held before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def table(title: str, seconds: dict[str, float], *, n_case: int, n_bus: int) -> str:
    """Return lines with microseconds per load flow and how many times faster each is than the first."""
    first = next(iter(seconds.values()))
    lines = [f"\n{title}", f"  {'':<52} {'us/load flow':>13} {'ns/bus':>9} {'ratio':>8}"]
    for name, time_s in seconds.items():
        each = time_s / n_case
        lines.append(f"  {name:<52} {each * 1e6:>13,.1f} {each / n_bus * 1e9:>9,.1f} {first / time_s:>7,.1f}x")
    return "\n".join(lines)
