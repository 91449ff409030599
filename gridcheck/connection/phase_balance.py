"""Put the homes of an area on phases anew, so that every line is as even as it can be made by a greedy hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.network.low_voltage import PHASE_UNKNOWN, THREE_PHASE, LowVoltageGrid

_PHASES = 3


def balanced_phases(grid: LowVoltageGrid, home_kw: FloatArray, *, most: int | None = None) -> IntArray:
    """Return phases of all homes after known single-phase homes were put on phases anew.

    The largest home chooses first. Each goes where it adds least to the sum of length times squared load over the
    phases of the lines on its way, which is what it adds to losses if all conductors were one; of phases alike, the
    first. Homes on unknown phases stay unknown and count as a third on each, as do homes on three phases.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area.
    home_kw : ndarray, shape (n_home,)
        What each home draws in the mean of heavy hours. [kW]
    most : int, optional
        Only so many homes choose, those that draw most; the others stay where they are.

    Returns
    -------
    ndarray of int, shape (n_home,)
        As ``home_phase``.
    """
    phase = grid.home_phase.copy()
    # The busbar counts as a line of its own: the transformer is to be even as well.
    weight = np.append(grid.length_m[1:].mean() if grid.n_node > 1 else 1.0, grid.length_m[1:])
    load = np.zeros((grid.n_node, _PHASES))
    ways = {int(node): _way(grid, int(node)) for node in np.unique(grid.home_node)}
    fixed = (phase == PHASE_UNKNOWN) | (phase == THREE_PHASE)
    for home in np.flatnonzero(fixed).tolist():
        load[ways[int(grid.home_node[home])]] += home_kw[home] / _PHASES
    order = sorted(np.flatnonzero(~fixed).tolist(), key=lambda h: (-home_kw[h], h))
    for home in () if most is None else order[most:]:
        load[ways[int(grid.home_node[home])], phase[home]] += home_kw[home]
    for home in order if most is None else order[:most]:
        way = ways[int(grid.home_node[home])]
        added = weight[way] @ ((load[way] + home_kw[home]) ** 2 - load[way] ** 2)
        chosen = int(np.argmin(added))
        phase[home] = chosen
        load[way, chosen] += home_kw[home]
    return phase


def evened_phases(grid: LowVoltageGrid, home_kw: FloatArray) -> IntArray:
    """Return `balanced_phases` after every meter was visited: whoever changes a phase knows it from then on."""
    known = np.where(grid.home_phase == PHASE_UNKNOWN, 0, grid.home_phase)
    return balanced_phases(replace(grid, home_phase=known), home_kw)


def _way(grid: LowVoltageGrid, node: int) -> IntArray:
    """Return the nodes from one up to the busbar."""
    way = []
    while node >= 0:
        way.append(node)
        node = int(grid.parent[node])
    return np.array(way)
