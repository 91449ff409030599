"""Load flow of many switch states of one network: the tree of each is walked, solved and judged in compiled code.

What a state costs is the sweeps over what it supplies. Loads are written once per block of cases and shared by all
states; of voltages and currents only the worst are kept.
"""

from __future__ import annotations

from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.errors import InputError
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
    before = rows_of(prepared, loads, tolerance_pu, max_iterations)
    after = None if states.loads_after is None else rows_of(prepared, states.loads_after, tolerance_pu, max_iterations)
    if after is not None and after.n_case != before.n_case:
        raise InputError(f"loads_after has {after.n_case} cases, loads have {before.n_case}.")
    request = request_of(prepared, states, judged, before.n_case)
    normal = normal_request(prepared, before.n_case)
    outcome = Outcome(states.n_topology, before.n_case if judged.by_case else 0)
    n_worker = thread_count(threads, prepared.network.n_bus * states.n_topology * before.n_case)
    n_worker = max(1, min(n_worker, -(-states.n_topology // AT_A_TIME)))
    table = LoadTable(before, after)
    workers = [Worker(request, table, tolerance_pu, max_iterations) for _ in range(n_worker)]
    for block in range(table.n_block):
        table.write(block)
        usual = workers[0].usual_voltages(block, normal)
        chunks = iter(range(0, states.n_topology, AT_A_TIME))
        run_together([worker.on(block, chunks, usual, outcome) for worker in workers])
    for worker in workers:
        worker.piece.give_back()
    return outcome.extremes()
