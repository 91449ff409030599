"""A network made ready for the sweep: its tree, its loops, its tap changers. The method follows from the topology."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from gridcheck.network.records import Network
from gridcheck.network.tap_changers import TapChangers
from gridcheck.powerflow.mesh import Loops, mesh_model
from gridcheck.powerflow.radial import RadialModel
from gridcheck.powerflow.taps import Taps, no_taps, with_taps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """What is solved.

    Attributes
    ----------
    model : RadialModel
        The tree.
    loops : Loops
        Cuts through its loops.
    taps : Taps
        Tap changers that follow a voltage.
    """

    model: RadialModel
    loops: Loops
    taps: Taps

    @property
    def is_plain(self) -> bool:
        """True for a tree whose taps stand still."""
        return not len(self.loops.branch) and not len(self.taps.node)


# A network never changes, so what follows from it alone is kept for as long as it lives.
_KNOWN: WeakKeyDictionary[Network, Prepared] = WeakKeyDictionary()


def prepare(network: Network, tap_changers: TapChangers | None = None) -> Prepared:
    """Prepare any network for the sweep.

    Parameters
    ----------
    network : Network
        Radial or meshed, with one or several sources; parts without a source are left out.
    tap_changers : TapChangers, optional
        Transformers that follow a voltage; all taps stand still where not given.

    Returns
    -------
    Prepared

    Raises
    ------
    TopologyError
        As `mesh_model` and `with_taps`.
    """
    if tap_changers is None or not tap_changers.n_changer:
        found = _KNOWN.get(network)
        if found is None:
            model, loops = mesh_model(network)
            found = _KNOWN[network] = Prepared(model=model, loops=loops, taps=no_taps(model))
        return found
    model, loops = mesh_model(network, in_tree=tap_changers.branch)
    model, taps = with_taps(network, model, tap_changers)
    return Prepared(model=model, loops=loops, taps=taps)
