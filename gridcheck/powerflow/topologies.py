"""Load flow of many switch states of one network: the tree of each is walked, solved and judged in compiled code.

What a state costs is the sweeps over what it supplies. Loads are written once per block of cases and shared by all
states; of voltages and currents only the worst are kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError
from gridcheck.powerflow.sweep import lanes_of
from gridcheck.powerflow.switch_states import Judged, Own, SwitchStates, TopologyExtremes, TopologyStatus
from gridcheck.powerflow.switchable import Switchable, switchable
from gridcheck.powerflow.threads import run_together, thread_count
from gridcheck.powerflow.topology_sweep import (
    AT_A_TIME,
    LoadTable,
    Outcome,
    Worker,
    normal_request,
    request_of,
    rows_of,
)

__all__ = [
    "Judged",
    "Own",
    "SwitchStates",
    "Switchable",
    "TopologyExtremes",
    "TopologySolver",
    "TopologyStatus",
    "solve_topologies",
    "switchable",
]


def solve_topologies(
    prepared: Switchable,
    loads: LoadCases | FactoredLoads,
    states: SwitchStates,
    *,
    judged: Judged,
    tolerance_pu: float = 1e-9,
    max_iterations: int = 400,
    threads: int | None = None,
) -> TopologyExtremes:
    """Solve all cases in many switch states of a network and keep the worst values of each state.

    Parameters
    ----------
    prepared : Switchable
        The network, from `switchable`.
    loads : LoadCases or FactoredLoads
        Loads of constant power, consumption positive, buses in the order of ``network.bus_id``.
    states : SwitchStates
        What is connected. Every state that is solved must be a tree; transformers keep their taps.
    judged : Judged
        Which elements count. Sources count at their own voltage in every state, also where the tree of another is
        solved.
    tolerance_pu : float
        Largest error allowed in any voltage. [pu]
    max_iterations : int
        Sweeps after which a case counts as not converged.
    threads : int, optional
        Number of threads; chosen by problem size where not given. No result depends on it, nor on the other states.

    Returns
    -------
    TopologyExtremes

    Raises
    ------
    UnsupportedElementError
        If a load follows the voltage: `solve` of a switched network takes it.
    InputError
        If something does not fit the network.
    """
    solver = TopologySolver(
        prepared, loads, loads_after=states.loads_after, tolerance_pu=tolerance_pu, max_iterations=max_iterations,
        keep=False,
    )  # fmt: skip
    return solver.solve(states, judged, threads=threads)


class TopologySolver:
    """One network and its loads, ready to be asked for switch states again and again.

    Parameters
    ----------
    prepared : Switchable
        The network, from `switchable`.
    loads : LoadCases or FactoredLoads
        As in `solve_topologies`.
    loads_after : LoadCases or FactoredLoads, optional
        Loads of buses that had no supply for a while.
    tolerance_pu, max_iterations
        As in `solve_topologies`.
    keep : bool
        Keep the loads and normal voltages of all cases instead of writing them for each question.
    """

    def __init__(
        self,
        prepared: Switchable,
        loads: LoadCases | FactoredLoads,
        *,
        loads_after: LoadCases | FactoredLoads | None = None,
        tolerance_pu: float = 1e-9,
        max_iterations: int = 400,
        keep: bool = True,
    ) -> None:
        self._prepared, self._settings, self._keep = prepared, (tolerance_pu, max_iterations), keep
        self._before = rows_of(prepared, loads, *self._settings)
        self._after = None if loads_after is None else rows_of(prepared, loads_after, *self._settings)
        if self._after is not None and self._after.n_case != self._before.n_case:
            raise InputError(f"loads_after has {self._after.n_case} cases, loads have {self._before.n_case}.")
        self._normal = normal_request(prepared, self._before.n_case)
        self._spare: list[Worker] = []
        self._lock = threading.Lock()
        self._tables = list(self._written()) if keep else []

    def solve(self, states: SwitchStates, judged: Judged, *, threads: int | None = 1) -> TopologyExtremes:
        """Solve all cases in switch states; arguments as in `solve_topologies`. May be called by several threads."""
        if states.is_after is not None and self._after is None:
            raise InputError("is_after needs loads_after: nothing is known of the load after an outage.")
        n_case = self._before.n_case
        request = request_of(self._prepared, states, judged, n_case)
        outcome = Outcome(states.n_topology, n_case if judged.by_case else 0)
        n_worker = thread_count(threads, self._prepared.network.n_bus * states.n_topology * n_case)
        workers = [self._worker() for _ in range(max(1, min(n_worker, -(-states.n_topology // AT_A_TIME))))]
        for table in self._tables or self._written():
            chunks = iter(range(0, states.n_topology, AT_A_TIME))
            run_together([worker.on(request, table, chunks, outcome) for worker in workers])
        for worker in workers:
            self._put_away(worker)
        return outcome.extremes()

    def _written(self) -> Iterator[LoadTable]:
        """Write the loads of one block of cases after the other, into one table or into one each."""
        table = LoadTable(self._before, self._after)
        worker = self._worker()
        for block in range(table.n_block):
            table = LoadTable(self._before, self._after) if self._keep and block else table
            table.write(block)
            table.usual = worker.usual_voltages(self._normal, table)
            yield table
        self._put_away(worker)

    def _worker(self) -> Worker:
        with self._lock:
            if self._spare:
                return self._spare.pop()
        width = lanes_of(self._before)
        return Worker(self._prepared.network.n_bus, width, *self._settings)

    def _put_away(self, worker: Worker) -> None:
        if self._keep:
            with self._lock:
                self._spare.append(worker)
        else:
            worker.piece.give_back()
