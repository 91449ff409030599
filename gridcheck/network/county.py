"""One county's grid: its network with the areas, feeders and main transformers that the planner speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import IntArray, frozen
from gridcheck.errors import NetworkError
from gridcheck.network.columns import texts
from gridcheck.network.convert import network_from_tables
from gridcheck.network.county_tables import AREAS, FEEDERS, HEATING, read_origin, read_table
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.tables import read_tables
from gridcheck.network.topology import Tree, require_radial
from gridcheck.units import SQRT3

# Findings of one fault that are told.
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyGrid:
    """The grid of one county.

    Attributes
    ----------
    county_code, county, county_en : str
        Code, Chinese and English name.
    folder : Path
        Where it was read from.
    network : Network
        All substations, feeders and areas of the county down to the 0.4 kV busbars.
    tree : Tree
        The supply tree as switched.
    areas, heating, feeders : DataFrame
        The tables of the folder; never written to. Row i of `areas` is area position i.
    area_bus, area_branch : ndarray of int, shape (n_area,)
        Position of the 0.4 kV bus and of the transformer of each area.
    area_feeder : ndarray of int, shape (n_area,)
        Row of the feeder in `feeders`.
    bus_feeder : ndarray of int, shape (n_bus,)
        Row of the feeder each bus belongs to, -1 at busbars and above.
    bus_main : ndarray of int, shape (n_bus,)
        Branch position of the main transformer that feeds each bus, -1 above them.
    branch_section, branch_role : tuple of str, length n_branch
        Section id, and role in the grid (trunk, lateral, tie, main, distribution).
    origin : dict
        Contents of origin.toml; ``origin["synthetic"]`` says whether the grid is invented.
    """

    county_code: str
    county: str
    county_en: str
    folder: Path
    network: Network
    tree: Tree
    areas: pd.DataFrame
    heating: pd.DataFrame
    feeders: pd.DataFrame
    area_bus: IntArray
    area_branch: IntArray
    area_feeder: IntArray
    bus_feeder: IntArray
    bus_main: IntArray
    branch_section: tuple[str, ...]
    branch_role: tuple[str, ...]
    origin: dict[str, Any]

    @property
    def synthetic(self) -> bool:
        """True where the grid was generated and is not a record of built assets."""
        return bool(self.origin.get("synthetic", False))

    @property
    def households(self) -> IntArray:
        """Registered households per bus, shape (n_bus,)."""
        result = np.zeros(self.network.n_bus, dtype=np.int64)
        result[self.area_bus] = self.areas["households"].to_numpy(dtype=np.int64)
        return result


def read_county(folder: str | Path) -> CountyGrid:
    """Read one county folder.

    Parameters
    ----------
    folder : str or Path
        Holds network.json, areas.csv, feeders.csv, heating.csv and origin.toml.

    Returns
    -------
    CountyGrid

    Raises
    ------
    NetworkError
        A file is missing, or tables do not fit each other.
    SchemaError
        A column is missing or a cell is wrong.
    TopologyError
        The network is not radial as switched, or a bus is not supplied.
    """
    folder = Path(folder)
    origin = read_origin(folder / "origin.toml")
    source = str(folder / "network.json")
    tables, header = read_tables(folder / "network.json")
    network = network_from_tables(
        tables, name=str(header["name"]), f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=source
    )
    tree = require_radial(network, source=source)
    areas = read_table(folder / "areas.csv", AREAS)
    feeders = read_table(folder / "feeders.csv", FEEDERS)
    heating = read_table(folder / "heating.csv", HEATING)
    feeder_row = pd.Series(np.arange(len(feeders)), index=feeders["feeder_id"])
    line, trafo, switch = (tables.get(name, pd.DataFrame()).sort_index() for name in ("line", "trafo", "switch"))
    places = {"lv_bus": network.bus_id, "trafo": trafo.index, "feeder_id": feeder_row.index}
    _require_fit(folder / "areas.csv", areas, places)
    _require_fit(folder / "heating.csv", heating, {"area_id": areas["area_id"]})
    outlets = {"busbar_bus": network.bus_id, "outlet_line": line.index, "outlet_switch": switch.index}
    _require_fit(folder / "feeders.csv", feeders, outlets)
    area_bus = pd.Index(network.bus_id).get_indexer(pd.Index(areas["lv_bus"]))
    area_branch = frozen(_trafo_positions(network)[areas["trafo"]], np.int64)
    _check_areas(network, areas, area_branch, area_bus, folder / "areas.csv")
    return CountyGrid(
        county_code=str(origin["county_code"]),
        county=str(origin["county"]),
        county_en=str(origin["county_en"]),
        folder=folder,
        network=network,
        tree=tree,
        areas=areas,
        heating=heating,
        feeders=feeders,
        area_bus=frozen(area_bus, np.int64),
        area_branch=frozen(area_branch, np.int64),
        area_feeder=frozen(feeder_row[areas["feeder_id"]], np.int64),
        bus_feeder=_bus_feeders(tables["bus"].sort_index(), feeder_row),
        bus_main=_below_main_transformers(network, tree, trafo),
        branch_section=_branch_texts((line, trafo), network, "section_id"),
        branch_role=_branch_texts((line, trafo), network, "role"),
        origin=origin,
    )


def _require_fit(path: Path, table: pd.DataFrame, known: dict[str, Any]) -> None:
    """Require that the ids in some columns are those of elements that exist."""
    findings = [
        f"row {row + 2}: {column} {table[column].iloc[row]!r} is unknown"
        for column, ids in known.items()
        for row in np.flatnonzero(~table[column].isin(ids))[:_MOST]
    ]
    if findings:
        raise NetworkError(f"{path}: unknown ids.", findings)


def _trafo_positions(network: Network) -> pd.Series[int]:
    """Branch positions of the transformers by their ids."""
    branches = network.branches
    k = np.flatnonzero(branches.kind == BranchKind.TRAFO)
    return pd.Series(k, index=branches.branch_id[k])


def _check_areas(network: Network, areas: pd.DataFrame, branch: IntArray, bus: IntArray, path: Path) -> None:
    """Require that bus, transformer and rating of every area belong together."""
    rated_kva = network.branches.rating_to_ka[branch] * SQRT3 * network.buses.vn_kv[bus] * 1000.0
    given_kva = areas["kva"].to_numpy(dtype=np.float64)
    faults = (
        (network.branches.to_bus[branch] != bus, "lv_bus is not the low-voltage side of the transformer"),
        (areas["trafo"].duplicated().to_numpy(), "trafo belongs to another area already"),
        # Nameplate and nominal voltage may differ a little, the ratings of two types differ by a fifth at least.
        (~np.isclose(rated_kva, given_kva, rtol=0.1), "kva is not that of the transformer"),
    )
    findings = [
        f"row {row + 2}: area {areas['area_id'].iloc[row]}: {fault}"
        + (f": {given_kva[row]:g} here, {rated_kva[row]:.4g} in network.json" if fault.startswith("kva") else "")
        for wrong, fault in faults
        for row in np.flatnonzero(wrong)[:_MOST]
    ]
    if findings:
        raise NetworkError(f"{path} does not fit network.json.", findings)


def _bus_feeders(bus: pd.DataFrame, feeder_row: pd.Series[int]) -> IntArray:
    result: IntArray = frozen(feeder_row.reindex(list(texts(bus, "feeder_id"))).fillna(-1).to_numpy(), np.int64)
    return result


def _below_main_transformers(network: Network, tree: Tree, trafo: pd.DataFrame) -> IntArray:
    branches = network.branches
    is_main = np.zeros(network.n_branch, dtype=bool)
    is_main[branches.kind == BranchKind.TRAFO] = np.array(texts(trafo, "role"), dtype=np.str_) == "main"
    result = np.full(network.n_bus, -1, dtype=np.int64)
    for bus in tree.order:
        branch = tree.parent_branch[bus]
        if branch >= 0:
            result[bus] = branch if is_main[branch] else result[tree.parent[bus]]
    below: IntArray = frozen(result, np.int64)
    return below


def _branch_texts(tables: tuple[pd.DataFrame, ...], network: Network, column: str) -> tuple[str, ...]:
    """Return a column of lines and transformers in branch order; bus-bus switches have none."""
    known = tuple(text for table in tables for text in texts(table, column))
    return (*known, *("",) * (network.n_branch - len(known)))
