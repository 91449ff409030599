"""Networks: the records, the way in from pandapower files and nets, topology, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from gridcheck.cases import LoadCases, PhaseLoadCases
from gridcheck.network.convert import network_from_tables
from gridcheck.network.county import CountyGrid, read_county
from gridcheck.network.four_wire import (
    ConductorImpedances,
    FourWireNetwork,
    with_conductors,
    with_neutral_earthing,
)
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.network.loads import loads_from_tables
from gridcheck.network.phase_loads import phase_loads_from_tables
from gridcheck.network.records import Branches, BranchKind, Buses, Network, Switches
from gridcheck.network.tables import Tables, is_result, read_header, read_tables, select_modelled
from gridcheck.network.tap_changers import TapChangers, tap_changers_from_tables
from gridcheck.network.zero_sequence_trafos import CORE_Z0_PU

if TYPE_CHECKING:
    import pandapower as pp

__all__ = [
    "BranchKind",
    "Branches",
    "Buses",
    "ConductorImpedances",
    "CountyGrid",
    "FourWireNetwork",
    "Network",
    "Switches",
    "TapChangers",
    "four_wire_from_pandapower",
    "from_pandapower",
    "loads_from_pandapower",
    "network_from_tables",
    "phase_loads_from_pandapower",
    "read_county",
    "read_network",
    "read_tables",
    "tap_changers_from_pandapower",
    "to_pandapower",
    "with_conductors",
    "with_neutral_earthing",
]


def read_network(path: str | Path) -> Network:
    """Read a pandapower JSON file.

    Parameters
    ----------
    path : str or Path
        File written by ``pandapower.to_json``; nothing that it names is imported or run.

    Returns
    -------
    Network

    Raises
    ------
    NetworkError
        If the file cannot be read or holds impossible values.
    UnsupportedElementError
        If it holds in-service elements that are not modelled.
    """
    tables, header = read_tables(Path(path))
    return network_from_tables(
        tables, name=str(header["name"]), f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=str(path)
    )


def from_pandapower(net: pp.pandapowerNet) -> Network:
    """Take a pandapower net as a value; the net is never written to.

    Raises
    ------
    UnsupportedElementError
        If it holds in-service elements that are not modelled.
    NetworkError
        If it holds impossible values.
    """
    header = read_header(net, name="network", source="network")
    name = str(header["name"])
    tables = select_modelled(_tables_of(net), source=name)
    return network_from_tables(
        tables, name=name, f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=name
    )


def loads_from_pandapower(net: pp.pandapowerNet, network: Network) -> LoadCases:
    """Return the net's own loads as one case, buses in the order of ``network.bus_id``."""
    return loads_from_tables(_tables_of(net), network, source=str(net.get("name") or "network"))


def tap_changers_from_pandapower(
    net: pp.pandapowerNet, network: Network, bands: Mapping[int, tuple[float, float]]
) -> TapChangers:
    """Return tap changers that keep the voltage of the low-voltage bus within a band.

    Parameters
    ----------
    net : pandapowerNet
        Gives tap side, range, step and present position of the transformers.
    network : Network
        Made from `net`.
    bands : mapping of int to tuple of float
        By the index of the transformer: lowest and highest voltage, further apart than one step. [pu]

    Returns
    -------
    TapChangers
        For `solve`.
    """
    return tap_changers_from_tables(_tables_of(net), network, bands, source=str(net.get("name") or "network"))


def four_wire_from_pandapower(net: pp.pandapowerNet, *, core_z0_pu: float = CORE_Z0_PU) -> FourWireNetwork:
    """Take a pandapower net with data of the zero sequence as a value; the net is never written to.

    Buses below 1 kV get a neutral, earthed at the transformer. `with_neutral_earthing` earths it elsewhere as well,
    and `with_conductors` replaces sequence data by those of conductors.

    Parameters
    ----------
    net : pandapowerNet
        With the columns that ``pandapower.runpp_3ph`` needs: ``r0_ohm_per_km``, ``x0_ohm_per_km``, ``c0_nf_per_km``
        of lines, ``vector_group``, ``vk0_percent``, ``vkr0_percent``, ``mag0_percent``, ``mag0_rx``,
        ``si0_hv_partial`` of transformers, ``s_sc_max_mva``, ``rx_max``, ``x0x_max``, ``r0x0_max`` of sources.
    core_z0_pu : float
        Zero-sequence magnetising impedance of Yyn transformers for which ``mag0_percent`` is not given, on their
        own base. [pu]

    Returns
    -------
    FourWireNetwork

    Raises
    ------
    UnsupportedElementError
        If it holds in-service elements or vector groups that are not modelled.
    NetworkError
        If it holds impossible values, or values of the zero sequence are missing.
    """
    header = read_header(net, name="network", source="network")
    name = str(header["name"])
    return four_wire_from_tables(
        select_modelled(_tables_of(net), source=name),
        name=name,
        f_hz=float(header["f_hz"]),
        sn_mva=float(header["sn_mva"]),
        source=name,
        core_z0_pu=core_z0_pu,
    )


def phase_loads_from_pandapower(net: pp.pandapowerNet, network: FourWireNetwork) -> PhaseLoadCases:
    """Return the net's own loads by phase as one case, buses in the order of ``network.bus_id``.

    Raises
    ------
    UnsupportedElementError
        Loads connected in delta, or depending on voltage.
    """
    return phase_loads_from_tables(_tables_of(net), network, source=str(net.get("name") or "network"))


def to_pandapower(network: Network) -> pp.pandapowerNet:
    """Build a new pandapower net (without loads) from a `Network`."""
    # pandapower takes seconds to import, so only who asks for a net pays for it.
    from gridcheck.network.pandapower_net import to_pandapower as build

    return build(network)


def _tables_of(net: pp.pandapowerNet) -> Tables:
    return {name: table for name, table in net.items() if isinstance(table, pd.DataFrame) and not is_result(name)}
