"""Tap changers in the layout of the kernel: one table of positions each, seen from the parent of the branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.errors import TopologyError
from gridcheck.network.records import Network
from gridcheck.network.tap_changers import TapChangers
from gridcheck.powerflow.radial import RadialModel

# Columns of a table of positions, as the kernel has them.
RATIO, R, X, G_NEAR, B_NEAR, G_FAR, B_FAR = range(7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taps:
    """What the kernel needs of tap changers.

    Attributes
    ----------
    row : ndarray of int, shape (n_node,)
        Tap changer of the branch above each node, -1 for none.
    node, watched : ndarray of int, shape (n_tap,)
        Node below each tap changer, and the node whose voltage it watches.
    table : ndarray, shape (n_tap, n_position, 7)
        a, r, x, and the shunts at the near and at the far end, at each position.
    band : ndarray, shape (n_tap, 4)
        Lowest and highest voltage, position to begin with, number of positions.
    first_position : ndarray of int, shape (n_tap,)
        What the user calls position 0 of the table.
    """

    row: IntArray
    node: IntArray
    watched: IntArray
    table: FloatArray
    band: FloatArray
    first_position: IntArray

    def __post_init__(self) -> None:
        n = len(self.node)
        object.__setattr__(self, "row", frozen(self.row, np.int64, (None,), name="row"))
        for name in ("node", "watched", "first_position"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64, (n,), name=name))
        object.__setattr__(self, "table", frozen(self.table, np.float64, (n, None, 7), name="table"))
        object.__setattr__(self, "band", frozen(self.band, np.float64, (n, 4), name="band"))


def no_taps(model: RadialModel) -> Taps:
    """Return the record of a network whose taps stand still."""
    none = np.zeros(0, dtype=np.int64)
    return Taps(
        row=np.full(model.n_node, -1), node=none, watched=none, table=np.zeros((0, 1, 7)), band=np.zeros((0, 4)),
        first_position=none,
    )  # fmt: skip


def with_taps(network: Network, model: RadialModel, changers: TapChangers) -> tuple[RadialModel, Taps]:
    """Take the branches with tap changers out of a model's fixed shunts and into tables of positions.

    Raises
    ------
    TopologyError
        If a tap changer is not supplied, or stands so that it does not move the voltage it watches.
    """
    node_of_branch = {int(k): i for i, k in enumerate(model.branch) if k >= 0}
    node_of_bus = {int(b): i for i, b in enumerate(model.bus)}
    dark = [int(k) for k in changers.branch if int(k) not in node_of_branch]
    if dark:
        ids = [int(network.branches.branch_id[k]) for k in dark]
        raise TopologyError(f"Transformers {ids} have automatic tap changers and are not supplied.")
    node = np.array([node_of_branch[int(k)] for k in changers.branch], dtype=np.int64)
    watched = np.array([node_of_bus[int(b)] for b in changers.bus], dtype=np.int64)
    wrong = [int(network.branches.branch_id[k]) for k in changers.branch[watched != node]]
    if wrong:
        raise TopologyError(f"Transformers {wrong} are fed from the side whose voltage their tap changer watches.")
    shunt = model.g_pu + 1j * model.b_pu
    np.add.at(shunt, node, -(model.far_g_pu + 1j * model.far_b_pu)[node])
    np.add.at(shunt, model.parent[node], -(model.near_g_pu + 1j * model.near_b_pu)[node])
    row = np.full(model.n_node, -1, dtype=np.int64)
    row[node] = np.arange(len(node))
    # Watched is the to side, so the parent stands at the from side: as in `model_of_tree`, looking down.
    n = changers.tap_ratio
    columns = [
        1.0 / n, changers.r_pu, changers.x_pu, changers.g_from_pu / n**2, changers.b_from_pu / n**2,
        changers.g_to_pu, changers.b_to_pu,
    ]  # fmt: skip
    bands = [changers.vm_lower_pu, changers.vm_upper_pu, changers.start, changers.n_position]
    taps = Taps(
        row=row,
        node=node,
        watched=watched,
        table=np.stack(columns, axis=2),
        band=np.stack(bands, axis=1),
        first_position=changers.first_position,
    )
    return replace(model, g_pu=shunt.real, b_pu=shunt.imag), taps
