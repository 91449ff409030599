"""One moment of one draw behind an answer, so that anybody can solve it again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.draw_extremes import SIGN, AreaNet, LvCheck, joined, worst_of_draws
from gridcheck.checks.risk_outlook import Draws, RiskOutlook
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.powerflow.phase_places import solve_places

_PHASES = 3
_PHASE_LETTERS = "ABC"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawEvidence:
    """The moment of the draw that has the value at the accepted risk.

    Attributes
    ----------
    grid : LowVoltageGrid
        The lines, with one meter for each phase of each service point that draws.
    p_kw, q_kvar : ndarray, shape (n_home,)
        What each of them draws. [kW], [kvar]
    source_pu : float
        Voltage at the 10 kV terminals. [pu]
    draw, step : int
        Number of the draw, and step of the pool.
    value : float
        Value of the check at this moment, in the unit of the limit; infinite where the moment has no solution.
    element : str
        Where; empty where the moment has no solution.
    """

    grid: LowVoltageGrid
    p_kw: FloatArray
    q_kvar: FloatArray
    source_pu: float
    draw: int
    step: int
    value: float
    element: str

    @property
    def solved(self) -> bool:
        """Whether the moment has a solution: lines can be asked for more than they carry at any voltage."""
        return bool(np.isfinite(self.value))


def draw_evidence(net: AreaNet, outlook: RiskOutlook, has_meter: tuple[BoolArray, ...], check: LvCheck) -> DrawEvidence:
    """Pick the draw whose worst moment has the value of the answer.

    Parameters
    ----------
    net : AreaNet
        The area as it was judged.
    outlook : RiskOutlook
        The answer.
    has_meter : tuple of ndarray of bool, each of shape (3 n_place, n_draw)
        Phases of places with a meter, for each batch of draws.
    check : LvCheck
        The check.

    Returns
    -------
    DrawEvidence
        Its value is that of the loads as they are now. It can be better than the value of the answer, which keeps the
        worst that any earlier promise has shown.
    """
    batches = outlook.batches
    now = [worst_of_draws(net, b.p_kw, b.q_kvar, meters) for b, meters in zip(batches, has_meter, strict=True)]
    seen = joined(now)
    order = np.argsort(-SIGN[check] * seen.value[check], kind="stable")
    place = int(order[outlook.rank])
    sizes = np.array([len(batch.draw) for batch in batches])
    which = int(np.searchsorted(np.cumsum(sizes), place, side="right"))
    within = place - int(sizes[:which].sum())
    is_solved = not seen.unsolved[place]
    step = int(seen.step[check, place]) if is_solved else _step_without_solution(net, batches[which], within)
    scale = float(net.vm_pu[step]) ** 2
    p, q = (table[:, within, step] * scale for table in (batches[which].p_kw, batches[which].q_kvar))
    grid, rows = _by_phase(net, p, q)
    return DrawEvidence(
        grid=grid,
        p_kw=p[rows],
        q_kvar=q[rows],
        source_pu=float(net.vm_pu[step]),
        draw=int(batches[which].draw[within]),
        step=step,
        value=float(seen.value[check, place]),
        element=net.element_name(check, int(seen.element[check, place])) if is_solved else "",
    )


def _step_without_solution(net: AreaNet, batch: Draws, within: int) -> int:
    """Return the first step of a draw that has no solution."""
    p, q = batch.p_kw[:, within], batch.q_kvar[:, within]
    return int(np.flatnonzero(solve_places(net.places, p, q, threads=1).status != 0)[0])


def _by_phase(net: AreaNet, p_kw: FloatArray, q_kvar: FloatArray) -> tuple[LowVoltageGrid, IntArray]:
    """Return the lines with a meter for each phase of each place that draws, and the rows of those phases."""
    n_row = _PHASES * net.places.n_place
    rows = np.flatnonzero((p_kw[:n_row] != 0.0) | (q_kvar[:n_row] != 0.0))
    node, phase = net.node[rows // _PHASES], rows % _PHASES
    names = tuple(
        f"{net.grid.node_name[n]}-{_PHASE_LETTERS[k]}" for n, k in zip(node.tolist(), phase.tolist(), strict=True)
    )
    return replace(net.grid, home_id=names, home_node=node, home_phase=phase.astype(np.int64)), rows
