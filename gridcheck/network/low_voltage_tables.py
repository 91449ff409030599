"""The low-voltage lines of an area in files and as element tables: what comes in from a survey, what goes out.

Two CSV files beside ``areas.csv``, in UTF-8 or GB18030; either all lines of an area are given, or none:

``low_voltage_nodes.csv``
    ``area_id, node, parent, length_m, type_name``: one row per pole or meter box with the line that leads to it. The
    busbar of the transformer is called ``lv`` and has no row.
``low_voltage_homes.csv``
    ``area_id, home_id, node, phase``: one row per meter; phase A, B, C, ABC for three, empty where nobody knows.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.csv_tables import Column, TableSchema
from gridcheck.errors import InputError, NetworkError, SchemaError
from gridcheck.network.area_transformers import AreaTransformer, transformer_tables
from gridcheck.network.county_tables import read_table
from gridcheck.network.low_voltage import (
    LV_BUSBAR,
    PHASE_UNKNOWN,
    THREE_PHASE,
    ZERO_OVER_POSITIVE,
    LowVoltageGrid,
    area_mm2,
    line_ka,
    line_ohm_per_km,
)

NODES_FILE, HOMES_FILE = "low_voltage_nodes.csv", "low_voltage_homes.csv"
LARGEST_BOX = 12
"""Meters in the largest box that is made; more in one is told, not refused. (G)"""
_PHASES = {"A": 0, "B": 1, "C": 2, "ABC": THREE_PHASE, "": PHASE_UNKNOWN}
_LETTERS = {value: key for key, value in _PHASES.items()}
_MOST = 20

_NODES = TableSchema(
    key=("area_id", "node"),
    columns=(
        Column(name="area_id"),
        Column(name="node"),
        Column(name="parent"),
        Column(name="length_m", kind="float", low=0.1, high=100_000),
        Column(name="type_name"),
    ),
)
_HOMES = TableSchema(
    key=("home_id",),
    columns=(
        Column(name="area_id"),
        Column(name="home_id"),
        Column(name="node"),
        Column(name="phase", allowed=tuple(filter(None, _PHASES)), optional=True),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowVoltageFiles:
    """What the files of a folder say.

    Attributes
    ----------
    grids : mapping of str to LowVoltageGrid
        By area, in the order of the table of areas; only areas that the files hold.
    warnings : tuple of str
        What is odd but can be: large boxes, meters that do not fit the registered households.
    """

    grids: Mapping[str, LowVoltageGrid]
    warnings: tuple[str, ...]


def read_low_voltage(folder: Path, areas: pd.DataFrame, *, is_synthetic: bool = False) -> LowVoltageFiles:
    """Read surveyed low-voltage lines, where the folder has them.

    Parameters
    ----------
    folder : Path
        A county folder.
    areas : DataFrame
        Its table of areas: area_id, households.
    is_synthetic : bool
        True where the folder itself is made up.

    Returns
    -------
    LowVoltageFiles
        Empty where neither file is there.

    Raises
    ------
    InputError
        One file without the other, wrong cells, unknown areas, parents, conductors and nodes, loops, names that stand
        twice: every faulty row with file, row and remedy.
    """
    nodes_path, homes_path = folder / NODES_FILE, folder / HOMES_FILE
    if not nodes_path.exists() and not homes_path.exists():
        return LowVoltageFiles(grids={}, warnings=())
    for path, other in ((nodes_path, homes_path), (homes_path, nodes_path)):
        if not path.exists():
            raise NetworkError(f"{path} is missing; {other.name} needs it. Add it, or take {other.name} away.")
    nodes, homes = _both(nodes_path, homes_path)
    known = set(areas["area_id"])
    findings = [*_node_faults(nodes, known), *_home_faults(homes, nodes)]
    if findings:
        raise SchemaError(f"{nodes_path} and {homes_path.name}: correct the rows named below.", findings)
    grids = {}
    homes_of = dict(list(homes.groupby("area_id", sort=False)))
    nodes_of = dict(list(nodes.groupby("area_id", sort=False)))
    for area_id in areas["area_id"]:
        if area_id in nodes_of:
            grids[area_id] = _grid(
                area_id, nodes_of[area_id], homes_of.get(area_id, homes.iloc[:0]), is_synthetic=is_synthetic
            )
    return LowVoltageFiles(grids=grids, warnings=tuple(_warnings(grids, areas)))


def _both(nodes_path: Path, homes_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read both files; faults of either are told together."""
    tables, findings = [], []
    for path, schema in ((nodes_path, _NODES), (homes_path, _HOMES)):
        try:
            tables.append(read_table(path, schema))
        except SchemaError as error:
            findings += [f"{path.name} {finding}" for finding in error.findings]
    if findings:
        raise SchemaError(f"{nodes_path} and {homes_path.name}: correct the rows named below.", findings)
    return tables[0], tables[1]


def _node_faults(nodes: pd.DataFrame, known: set[str]) -> list[str]:
    """Return what no single cell shows: each finding names file and row."""
    findings: list[str] = []

    def tell(wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], text: str) -> None:
        for row in np.flatnonzero(wrong)[:_MOST]:
            cells = nodes.iloc[row]
            findings.append(
                f"{NODES_FILE} row {row + 2}: area {cells.area_id}, node {cells.node}: " + text.format(cells)
            )

    tell(~nodes["area_id"].isin(known).to_numpy(), "areas.csv has no such area; correct area_id")
    tell((nodes["node"] == LV_BUSBAR).to_numpy(), "the busbar has no line above it; take the row away")
    has_type = np.array([area_mm2(name) is not None for name in nodes["type_name"]], dtype=bool)
    tell(~has_type, "conductor {0.type_name!r} is not in the catalogue; use a name of it, or add the conductor there")
    here = pd.MultiIndex.from_frame(nodes[["area_id", "node"]])
    above = pd.MultiIndex.from_frame(nodes[["area_id", "parent"]])
    is_lost = ~above.isin(here) & (nodes["parent"] != LV_BUSBAR).to_numpy()
    tell(is_lost, "parent {0.parent!r} is no node of the area; add its row, or correct the name (the busbar is lv)")
    if not findings:
        tell(_in_loop(here, above), "no way leads from here to the busbar lv: the parents form a loop; correct one")
    return findings


def _in_loop(here: pd.MultiIndex, above: pd.MultiIndex) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell which rows do not come to the busbar, by jumps that double in length."""
    up = here.get_indexer(above)  # -1 at rows below the busbar
    for _ in range(max(1, len(up)).bit_length() + 1):
        up = np.where(up >= 0, up[up], -1)
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = up >= 0
    return result


def _home_faults(homes: pd.DataFrame, nodes: pd.DataFrame) -> list[str]:
    here = pd.MultiIndex.from_frame(nodes[["area_id", "node"]])
    wanted = pd.MultiIndex.from_frame(homes[["area_id", "node"]])
    is_busbar = (homes["node"] == LV_BUSBAR).to_numpy() & homes["area_id"].isin(set(nodes["area_id"])).to_numpy()
    return [
        f"{HOMES_FILE} row {row + 2}: meter {homes['home_id'].iloc[row]}: area {homes['area_id'].iloc[row]} has no "
        f"node {homes['node'].iloc[row]!r}; add it to {NODES_FILE}, or correct the name"
        for row in np.flatnonzero(~(wanted.isin(here) | is_busbar))[:_MOST]
    ]


def _grid(area_id: str, nodes: pd.DataFrame, homes: pd.DataFrame, *, is_synthetic: bool) -> LowVoltageGrid:
    names, parents = nodes["node"].tolist(), nodes["parent"].tolist()
    order = _parents_first(names, parents)
    place = {LV_BUSBAR: 0} | {names[row]: k for k, row in enumerate(order, start=1)}
    types, lengths = nodes["type_name"].tolist(), nodes["length_m"].tolist()
    return LowVoltageGrid(
        area_id=area_id,
        is_synthetic=is_synthetic,
        node_name=(LV_BUSBAR, *(names[row] for row in order)),
        parent=np.array([-1, *(place[parents[row]] for row in order)], dtype=np.int64),
        length_m=np.array([0.0, *(lengths[row] for row in order)], dtype=np.float64),
        type_name=("", *(types[row] for row in order)),
        home_id=tuple(homes["home_id"]),
        home_node=np.array([place[node] for node in homes["node"]], dtype=np.int64),
        home_phase=np.array([_PHASES[phase] for phase in homes["phase"]], dtype=np.int64),
    )


def _parents_first(names: list[str], parents: list[str]) -> list[int]:
    """Order rows so that parents stand before children, otherwise as in the file."""
    children: dict[str, list[int]] = {}
    for row, parent in enumerate(parents):
        children.setdefault(parent, []).append(row)
    ready, order = list(children.get(LV_BUSBAR, ())), []
    while ready:
        row = heapq.heappop(ready)
        order.append(row)
        for child in children.get(names[row], ()):
            heapq.heappush(ready, child)
    return order


def _warnings(grids: Mapping[str, LowVoltageGrid], areas: pd.DataFrame) -> Iterable[str]:
    registered = dict(zip(areas["area_id"], areas["households"].tolist(), strict=True))
    for area_id, grid in grids.items():
        count = np.bincount(grid.home_node, minlength=grid.n_node)
        for node in np.flatnonzero(count > LARGEST_BOX):
            yield (
                f"{HOMES_FILE}: area {area_id}, node {grid.node_name[node]}: {count[node]} meters in one box, more "
                f"than {LARGEST_BOX}; perhaps several boxes stand there"
            )
        if grid.n_home != registered[area_id]:
            yield (
                f"{HOMES_FILE}: area {area_id}: {grid.n_home} meters, areas.csv has {registered[area_id]} registered "
                "households"
            )


def write_low_voltage(folder: Path, grids: Iterable[LowVoltageGrid]) -> None:
    """Write the two files; `read_low_voltage` gives the same grids again.

    Parameters
    ----------
    folder : Path
        Where to write; files that are there are replaced.
    grids : iterable of LowVoltageGrid
        The areas.

    Raises
    ------
    InputError
        If a meter stands in two areas.
    """
    nodes, homes = [], []
    for grid in grids:
        for k in range(1, grid.n_node):
            up = grid.node_name[grid.parent[k]]
            nodes.append((grid.area_id, grid.node_name[k], up, float(grid.length_m[k]), grid.type_name[k]))
        for home, node, phase in zip(grid.home_id, grid.home_node.tolist(), grid.home_phase.tolist(), strict=True):
            homes.append((grid.area_id, home, grid.node_name[node], _LETTERS[phase]))
    frame = pd.DataFrame(homes, columns=[column.name for column in _HOMES.columns])
    twice = frame.loc[frame["home_id"].duplicated(), "home_id"].tolist()
    if twice:
        raise InputError("Meters that stand in more than one area.", [f"meter {home}" for home in twice[:_MOST]])
    table = pd.DataFrame(nodes, columns=[column.name for column in _NODES.columns])
    table.to_csv(folder / NODES_FILE, index=False, lineterminator="\n", encoding="utf-8")
    frame.to_csv(folder / HOMES_FILE, index=False, lineterminator="\n", encoding="utf-8")


def element_tables(grid: LowVoltageGrid, transformer: AreaTransformer) -> dict[str, pd.DataFrame]:
    """Return pandapower element tables of an area, with the columns that ``runpp_3ph`` needs and without loads.

    Parameters
    ----------
    grid : LowVoltageGrid
        Lines below the transformer.
    transformer : AreaTransformer
        The transformer.

    Returns
    -------
    dict of str to DataFrame
        ``bus`` (0 at 10 kV, 1 + k for node k), ``line`` (k - 1 leads to node k), ``trafo``, ``ext_grid``.
    """
    tables = transformer_tables(transformer)
    node = np.arange(1, grid.n_node)
    z = np.array([line_ohm_per_km(name) for name in grid.type_name[1:]], dtype=np.complex128)
    bus = pd.DataFrame({"vn_kv": 0.4, "in_service": True, "name": grid.node_name})
    return {
        **tables,
        "bus": pd.concat([tables["bus"].iloc[:1], bus], ignore_index=True),
        "line": pd.DataFrame(
            {
                "name": grid.node_name[1:], "std_type": grid.type_name[1:], "from_bus": grid.parent[1:] + 1,
                "to_bus": node + 1, "length_km": grid.length_m[1:] / 1000.0, "r_ohm_per_km": z.real,
                "x_ohm_per_km": z.imag, "c_nf_per_km": 0.0, "r0_ohm_per_km": ZERO_OVER_POSITIVE * z.real,
                "x0_ohm_per_km": ZERO_OVER_POSITIVE * z.imag, "c0_nf_per_km": 0.0, "max_i_ka": line_ka(grid),
                "parallel": 1, "df": 1.0, "in_service": True,
            }
        ),
    }  # fmt: skip
