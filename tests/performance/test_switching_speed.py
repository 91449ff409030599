"""Speed of many switch states of one feeder beside power-grid-model: every line lost in turn, and ties that take over.

``make bench`` runs it at full size and prints the tables, in which a load flow is one switch state with one case.
Otherwise each entry is a smoke test: small, and both sides must agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from power_grid_model import CalculationMethod, ComponentType, DatasetType, PowerGridModel, initialize_array

from gridcheck.network.topology import spanning_tree
from gridcheck.powerflow import solve_extremes
from gridcheck.powerflow.topologies import SwitchStates, solve_topologies, switchable
from tests.performance.contest import TOLERANCE_PU, Feeder, best_seconds, random_feeder, table
from tests.support.power_grid_model_net import model_input
from tests.support.switch_states import everything, with_ends

Ends = npt.NDArray[np.uint8]

N_BUS, N_TIE = 141, 5


@dataclass(frozen=True)
class Size:
    is_timed: bool
    n_bus: int
    repeats: int


@pytest.fixture(scope="module")
def size(request):
    if request.config.getoption("--timing", default=False):
        return Size(is_timed=True, n_bus=N_BUS, repeats=15)
    return Size(is_timed=False, n_bus=30, repeats=1)


def feeder_with_ties(n_bus: int, n_tie: int) -> Feeder:
    """Return a random feeder with some more lines, out of service, between any of its buses."""
    feeder = random_feeder(n_bus, 1)
    rng = np.random.default_rng(2)
    ends = np.array([rng.choice(np.arange(1, n_bus), 2, replace=False) for _ in range(n_tie)]).reshape(-1, 2)
    ties = pd.concat([feeder.tables["line"].iloc[:1]] * n_tie, ignore_index=True) if n_tie else None
    if ties is not None:
        ties["from_bus"], ties["to_bus"], ties["length_km"], ties["in_service"] = ends[:, 0], ends[:, 1], 0.5, False
    line = pd.concat([feeder.tables["line"], ties], ignore_index=True)
    return replace(feeder, tables={**feeder.tables, "line": line})


def states_of(feeder: Feeder) -> tuple[Ends, npt.NDArray[np.int64]]:
    """Return every outage of a line, alone and with each tie that can take over, and the (line, tie) of each state."""
    network = feeder.network
    normal = switchable(network).normal_ends
    ties = np.flatnonzero(normal == 0)
    lost_and_closed = []
    for k in np.flatnonzero(normal == 3):
        lost_and_closed.append((k, -1))
        connected = normal == 3
        connected[k] = False
        on = spanning_tree(network, connected=connected).supplied
        crosses = on[network.branches.from_bus[ties]] != on[network.branches.to_bus[ties]]
        lost_and_closed += [(k, tie) for tie in ties[crosses]]
    pairs = np.array(lost_and_closed, dtype=np.int64)
    ends = np.tile(normal, (len(pairs), 1))
    ends[np.arange(len(pairs)), pairs[:, 0]] = 0
    closes = np.flatnonzero(pairs[:, 1] >= 0)
    ends[closes, pairs[closes, 1]] = 3
    return ends, pairs


def peer_batch(feeder: Feeder, pairs: npt.NDArray[np.int64], threads: int):
    """Return a function that solves all states with power-grid-model; a batch of changes of the state of lines."""
    model = PowerGridModel(model_input(feeder.tables))
    has_ties = (pairs[:, 1] >= 0).any()
    update = initialize_array(DatasetType.update, ComponentType.line, (len(pairs), 2 if has_ties else 1))
    update["id"][:, 0] = 10_000 + pairs[:, 0]
    update["from_status"][:, 0] = update["to_status"][:, 0] = 0
    if has_ties:
        update["id"][:, 1] = 10_000 + np.where(pairs[:, 1] >= 0, pairs[:, 1], pairs[:, 1].max())
        for side in ("from_status", "to_status"):
            update[side][:, 1] = pairs[:, 1] >= 0

    def run():
        return model.calculate_power_flow(
            update_data={ComponentType.line: update},
            calculation_method=CalculationMethod.iterative_current,
            error_tolerance=TOLERANCE_PU,
            threading=threads if threads > 1 else -1,
            output_component_types=["node"],
        )

    return run


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("n_tie", "least"), [(0, 5), (N_TIE, 2)], ids=["outages", "restoration"])
def test_outages_of_every_line(size, threads, n_tie, least):
    feeder = feeder_with_ties(size.n_bus, n_tie)
    network, loads = feeder.network, feeder.loads
    ends, pairs = states_of(feeder)
    prepared, states, judged = switchable(network), SwitchStates(ends=ends), everything(network)
    peer = peer_batch(feeder, pairs, threads)

    def together():
        return solve_topologies(prepared, loads, states, judged=judged, tolerance_pu=TOLERANCE_PU, threads=threads)

    def one_by_one():
        return [solve_extremes(with_ends(network, state), loads, tolerance_pu=TOLERANCE_PU) for state in ends]

    vm, found = peer()["node"]["u_pu"], together()
    np.testing.assert_array_equal(found.n_supplied, (vm > 0).sum(axis=1))
    np.testing.assert_allclose(found.vm_pu, np.where(vm > 0, vm, 9.0).min(axis=1), rtol=0, atol=10 * TOLERANCE_PU)
    # More than the outages alone.
    assert n_tie == 0 or len(ends) > network.n_branch
    if not size.is_timed:
        return
    contestants = {"power-grid-model, iterative current, voltages": peer, "gridcheck solve_topologies": together}
    seconds = best_seconds(contestants, repeats=size.repeats)
    seconds |= best_seconds({"gridcheck solve_extremes, one by one": one_by_one}, repeats=1)
    print(
        table(
            f"{len(ends)} switch states of {size.n_bus} buses, {n_tie} ties, 1 case each, {threads} thread(s)",
            seconds,
            n_case=len(ends),
            n_bus=size.n_bus,
        )
    )
    first = next(iter(seconds.values()))
    assert first / seconds["gridcheck solve_topologies"] >= least
