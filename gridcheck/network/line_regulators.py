r"""Voltage regulators in low-voltage lines of an area: autotransformers that carry the neutral through.

With the boost b the phases behind a regulator have 1 + b times the voltage before it, and before it 1 + b times the
current flows, phase by phase and in the neutral,

.. math:: V_2 = (1 + b) V_1, \qquad I_1 = (1 + b) I_2

It stands at the beginning of a line, whose impedance lies behind it; its own is left out: 1 to 2 percent of its rating,
a tenth of what the line drops (G). Losses of the regulator are left out as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.records import BranchKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRegulator:
    """A regulator at the beginning of the line above a node.

    Attributes
    ----------
    node : int
        Position of the node in the `LowVoltageGrid`, not the busbar.
    boost : float
        By how much it raises the voltage, where it does not let it through. [1]
    rated_ka : float
        Rated current at its output. [kA]
    """

    node: int
    boost: float
    rated_ka: float


def with_regulators(network: FourWireNetwork, regulators: Sequence[LineRegulator]) -> FourWireNetwork:
    """Return the network of an area with regulators that raise the voltage.

    Parameters
    ----------
    network : FourWireNetwork
        From `four_wire_of`: branch k - 1 is the line above node k.
    regulators : sequence of LineRegulator
        The regulators.
    """
    branches = network.balanced.branches
    at: IntArray = np.array([one.node - 1 for one in regulators], dtype=np.int64)
    kind, ratio = branches.kind.copy(), branches.tap_ratio.copy()
    rating_ka, passes = branches.rating_to_ka.copy(), network.zero_ratio.copy()
    # A ratio without a shift through which the zero sequence passes is the same ratio in every phase.
    kind[at], passes[at] = int(BranchKind.TRAFO), 1.0
    ratio[at] = [1.0 / (1.0 + one.boost) for one in regulators]
    rating_ka[at] = np.fmin(rating_ka[at], [one.rated_ka for one in regulators])
    changed = replace(branches, kind=kind, tap_ratio=ratio, rating_to_ka=rating_ka)
    return replace(network, balanced=replace(network.balanced, branches=changed), zero_ratio=passes)


def let_through(network: FourWireNetwork, regulators: Sequence[LineRegulator]) -> FourWireNetwork:
    """Return a network of `with_regulators` in which they let the voltage through."""
    branches = network.balanced.branches
    ratio = branches.tap_ratio.copy()
    ratio[[one.node - 1 for one in regulators]] = 1.0
    return replace(network, balanced=replace(network.balanced, branches=replace(branches, tap_ratio=ratio)))
