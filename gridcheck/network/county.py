"""One county's grid: its network with the areas, feeders and main transformers that the planner speaks of."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import IntArray, frozen
from gridcheck.errors import NetworkError
from gridcheck.network.convert import network_from_tables
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.tables import read_tables
from gridcheck.network.topology import Tree, require_radial

AREA_COLUMNS = (
    "area_id", "name", "county_code", "town_code", "town", "village_code", "village", "feeder_id", "section_id",
    "substation_id", "main_transformer_id", "kva", "type_name", "vector_group", "series", "built_year", "households",
    "occupied_households", "base_kw_factor", "lv_circuits", "lv_radius_m", "lv_type_name", "lv_unbalance_factor",
    "key_area", "elevation_m", "lon", "lat", "coordinate_source", "lv_bus", "trafo",
)  # fmt: skip
HEATING_COLUMNS = ("area_id", "layer", "device", "households", "rated_kw")
FEEDER_COLUMNS = (
    "feeder_id", "name", "county_code", "substation_id", "main_transformer_id", "busbar_bus", "outlet_line",
    "outlet_switch", "supply_class", "limit_ka", "length_km",
)  # fmt: skip
_TEXT = {
    "county_code": str, "town_code": str, "village_code": str, "area_id": str, "feeder_id": str, "section_id": str,
    "substation_id": str, "main_transformer_id": str,
}  # fmt: skip


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
        A file or column is missing, or tables do not fit each other.
    TopologyError
        The network is not radial as switched, or a bus is not supplied.
    """
    folder = Path(folder)
    origin = _read_origin(folder / "origin.toml")
    tables, header = read_tables(folder / "network.json")
    source = str(folder / "network.json")
    network = network_from_tables(
        tables, name=str(header["name"]), f_hz=float(header["f_hz"]), sn_mva=float(header["sn_mva"]), source=source
    )
    tree = require_radial(network, source=source)
    areas = _read_csv(folder / "areas.csv", AREA_COLUMNS)
    feeders = _read_csv(folder / "feeders.csv", FEEDER_COLUMNS)
    heating = _read_csv(folder / "heating.csv", HEATING_COLUMNS)
    bus_of = pd.Series(np.arange(network.n_bus), index=network.bus_id)
    area_branch = _trafo_positions(network, areas["trafo"], folder)
    _check_areas(network, areas, area_branch, bus_of, folder)
    _require_known(heating["area_id"], areas["area_id"], folder / "heating.csv", "area_id")
    _require_known(areas["feeder_id"], feeders["feeder_id"], folder / "areas.csv", "feeder_id")
    feeder_row = pd.Series(np.arange(len(feeders)), index=feeders["feeder_id"])
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
        area_bus=frozen(bus_of.loc[areas["lv_bus"]], np.int64),
        area_branch=frozen(area_branch, np.int64),
        area_feeder=frozen(feeder_row.loc[areas["feeder_id"]], np.int64),
        bus_feeder=_bus_feeders(tables["bus"].sort_index(), feeder_row),
        bus_main=_below_main_transformers(network, tree, tables["trafo"].sort_index()),
        branch_section=_column(tables, "section_id"),
        branch_role=_column(tables, "role"),
        origin=origin,
    )


def _read_origin(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NetworkError(f"{path} is missing. A county folder says in origin.toml where its grid comes from.")
    try:
        origin = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NetworkError(f"{path} is not readable TOML: {error}") from error
    missing = [key for key in ("county_code", "county", "county_en", "synthetic") if key not in origin]
    if missing:
        raise NetworkError(f"{path}: keys missing.", missing)
    return origin


def _read_csv(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise NetworkError(f"{path} is missing.")
    try:
        frame = pd.read_csv(path, dtype=_TEXT, keep_default_na=False, na_values={"elevation_m": [""]}, encoding="utf-8")
    except (ValueError, UnicodeDecodeError) as error:
        raise NetworkError(f"{path} is not a readable table: {error}") from error
    missing = [column for column in columns if column not in frame]
    if missing:
        raise NetworkError(f"{path}: columns missing.", missing)
    return frame


def _trafo_positions(network: Network, trafo: pd.Series, folder: Path) -> IntArray:  # type: ignore[type-arg]
    branches = network.branches
    k = np.flatnonzero(branches.kind == BranchKind.TRAFO)
    place = pd.Series(k, index=branches.branch_id[k])
    _require_known(trafo, place.index.to_series(), folder / "areas.csv", "trafo")
    return place.loc[trafo].to_numpy(dtype=np.int64)


def _check_areas(network: Network, areas: pd.DataFrame, branch: IntArray, bus_of: pd.Series, folder: Path) -> None:  # type: ignore[type-arg]
    _require_known(areas["lv_bus"], bus_of.index.to_series(), folder / "areas.csv", "lv_bus")
    lv_bus = network.branches.to_bus[branch]
    mismatch = bus_of.loc[areas["lv_bus"]].to_numpy() != lv_bus
    findings = [f"area {i}: lv_bus is not the low-voltage side of its transformer" for i in areas["area_id"][mismatch][:20]]
    rated_kva = network.branches.rating_to_ka[branch] * 3.0**0.5 * 0.4 * 1000.0
    wrong = ~np.isclose(rated_kva, areas["kva"].to_numpy(dtype=float), rtol=0.02)
    findings += [f"area {i}: kva differs from the transformer in network.json" for i in areas["area_id"][wrong][:20]]
    doubled = areas["area_id"][areas["area_id"].duplicated()]
    findings += [f"area {i}: the id stands twice" for i in doubled[:20]]
    bad = ~(areas["households"].to_numpy(dtype=float) >= 0)
    findings += [f"area {i}: households must be >= 0" for i in areas["area_id"][bad][:20]]
    if findings:
        raise NetworkError(f"{folder / 'areas.csv'} does not fit network.json.", findings)


def _require_known(values: pd.Series, known: pd.Series, path: Path, column: str) -> None:  # type: ignore[type-arg]
    unknown = values[~values.isin(known)]
    if len(unknown):
        rows = [f"row {int(i) + 2}: {column} {value!r} is unknown" for i, value in unknown.head(20).items()]
        raise NetworkError(f"{path}: unknown {column}.", rows)


def _bus_feeders(bus: pd.DataFrame, feeder_row: pd.Series) -> IntArray:  # type: ignore[type-arg]
    ids = bus["feeder_id"].fillna("") if "feeder_id" in bus else pd.Series([""] * len(bus))
    return frozen(feeder_row.reindex(ids).fillna(-1).to_numpy(), np.int64)


def _below_main_transformers(network: Network, tree: Tree, trafo: pd.DataFrame) -> IntArray:
    branches = network.branches
    is_main = np.zeros(network.n_branch, dtype=bool)
    k = np.flatnonzero(branches.kind == BranchKind.TRAFO)
    is_main[k] = (trafo["role"] == "main").to_numpy() if "role" in trafo else False
    result = np.full(network.n_bus, -1, dtype=np.int64)
    for bus in tree.order:
        branch = tree.parent_branch[bus]
        if branch >= 0:
            result[bus] = branch if is_main[branch] else result[tree.parent[bus]]
    return frozen(result, np.int64)


def _column(tables: dict[str, pd.DataFrame], column: str) -> tuple[str, ...]:
    parts = [tables[name].sort_index() for name in ("line", "trafo")]
    return tuple(str(v or "") for part in parts for v in (part[column] if column in part else [""] * len(part)))
