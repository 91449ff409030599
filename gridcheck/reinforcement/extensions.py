"""Add elements to a county: a second transformer on a spur, and a normally open tie."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import frozen
from gridcheck.catalogue import distribution_transformers
from gridcheck.errors import PlanError
from gridcheck.network.convert import add_open_ends
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import Branches, BranchKind, Buses, Network, Switches
from gridcheck.network.topology import spanning_tree
from gridcheck.reinforcement.equipment import line_values, transformer_values
from gridcheck.reinforcement.measures import NewArea, TieLine


def add_area(grid: CountyGrid, change: NewArea, row: int) -> CountyGrid:
    """Build a second transformer beside an area and give it half of the area's homes.

    Parameters
    ----------
    grid : CountyGrid
        The county; it is not changed.
    change : NewArea
        What is built.
    row : int
        Position of the area that is split.

    Returns
    -------
    CountyGrid
        With a pole, a low-voltage bus, a spur, a transformer and an area more, each behind what was there.

    Raises
    ------
    PlanError
        If the new id is taken already.
    """
    if (grid.areas["area_id"] == change.new_area_id).any():
        raise PlanError(f"county {grid.county_code} has an area {change.new_area_id!r} already.")
    network, branches = grid.network, grid.network.branches
    old_trafo, n_bus, n_branch = int(grid.area_branch[row]), network.n_bus, network.n_branch
    hv_bus, lv_bus = int(branches.from_bus[old_trafo]), int(branches.to_bus[old_trafo])
    pole, busbar = n_bus, n_bus + 1
    buses = _more_buses(network.buses, (f"{change.new_area_id}-P", change.new_area_id), (hv_bus, lv_bus))
    vn_kv = float(network.buses.vn_kv[hv_bus])
    spur = line_values((change.spur_type_name,), np.array([change.spur_km]), vn_kv, network)
    unit = transformer_values(change.type_name, network) | {"tap_ratio": float(branches.tap_ratio[old_trafo])}
    branches = _more_branches(
        _more_branches(
            branches, BranchKind.LINE, (hv_bus, pole), _identity(branches, BranchKind.LINE, change.spur_type_name,
            f"{change.new_area_id}-W", change.spur_km), {name: float(value[0]) for name, value in spur.items()}
        ),
        BranchKind.TRAFO, (pole, busbar),
        _identity(branches, BranchKind.TRAFO, change.type_name, change.new_area_id, float("nan")), unit,
    )  # fmt: skip
    network = replace(network, buses=buses, branches=branches)
    section = grid.branch_section[_line_above(grid, hv_bus)]
    return replace(
        grid,
        network=network,
        tree=spanning_tree(network),
        areas=_split_areas(grid, change, row, (int(buses.bus_id[-1]), int(branches.branch_id[-1]))),
        heating=_split_heating(grid, change, row),
        area_bus=frozen([*grid.area_bus, busbar], np.int64),
        area_branch=frozen([*grid.area_branch, n_branch + 1], np.int64),
        area_feeder=frozen([*grid.area_feeder, grid.area_feeder[row]], np.int64),
        bus_feeder=frozen([*grid.bus_feeder, grid.bus_feeder[hv_bus], grid.bus_feeder[lv_bus]], np.int64),
        bus_main=frozen([*grid.bus_main, grid.bus_main[hv_bus], grid.bus_main[lv_bus]], np.int64),
        branch_section=(*grid.branch_section, section, section),
        branch_role=(*grid.branch_role, "lateral", "distribution"),
    )


def add_tie(grid: CountyGrid, change: TieLine) -> CountyGrid:
    """Build a normally open line between two buses, its open switch at the second one.

    Parameters
    ----------
    grid : CountyGrid
        The county; it is not changed.
    change : TieLine
        What is built.

    Returns
    -------
    CountyGrid
        With a line and a switch more, behind what was there.

    Raises
    ------
    PlanError
        If a bus is not there, or the ends differ in voltage.
    """
    network = grid.network
    place = {bus_id: i for i, bus_id in enumerate(network.bus_id.tolist())}
    unknown = [str(i) for i in (change.from_bus_id, change.to_bus_id) if i not in place]
    if unknown:
        raise PlanError(f"tie {change.tie_id}: buses {', '.join(unknown)} are not in county {grid.county_code}.")
    ends = (place[change.from_bus_id], place[change.to_bus_id])
    vn_kv = network.buses.vn_kv[list(ends)]
    if vn_kv[0] != vn_kv[1]:
        raise PlanError(
            f"tie {change.tie_id}: its ends stand at {vn_kv[0]:g} and {vn_kv[1]:g} kV; it needs one voltage."
        )
    values = line_values((change.type_name,), np.array([change.length_km]), float(vn_kv[0]), network)
    identity = _identity(network.branches, BranchKind.LINE, change.type_name, change.tie_id, change.length_km)
    branches = _more_branches(
        network.branches, BranchKind.LINE, ends, {**identity, "to_closed": False},
        {name: float(value[0]) for name, value in values.items()},
    )  # fmt: skip
    network = replace(
        network,
        branches=branches,
        buses=_with_open_ends(network, branches),
        switches=_more_switches(network.switches, network.n_branch, change.tie_id),
    )
    return replace(
        grid,
        network=network,
        tree=spanning_tree(network),
        branch_section=(*grid.branch_section, grid.branch_section[_line_above(grid, ends[0])]),
        branch_role=(*grid.branch_role, "tie"),
    )


def moved_share(grid: CountyGrid, row: int) -> float:
    """Return the share of an area's homes lived in that a new area takes over: half, in whole homes. [1]"""
    homes = int(grid.areas["occupied_households"].iloc[row])
    return (homes // 2) / homes if homes else 0.0


def _line_above(grid: CountyGrid, bus: int) -> int:
    """Return the branch that supplies a bus: its section is that of what is joined to the bus."""
    return int(grid.tree.parent_branch[bus])


def _more_buses(buses: Buses, names: tuple[str, ...], like: tuple[int, ...]) -> Buses:
    """Return the buses with new ones, each at the voltage of one that is there."""
    n = len(names)
    return Buses(
        bus_id=np.concatenate([buses.bus_id, buses.bus_id.max() + 1 + np.arange(n)]),
        vn_kv=np.concatenate([buses.vn_kv, buses.vn_kv[list(like)]]),
        g_pu=np.concatenate([buses.g_pu, np.zeros(n)]),
        b_pu=np.concatenate([buses.b_pu, np.zeros(n)]),
        in_service=np.concatenate([buses.in_service, np.ones(n, dtype=bool)]),
        name=(*buses.name, *names),
    )


def _identity(branches: Branches, kind: BranchKind, type_name: str, name: str, length_km: float) -> dict[str, Any]:
    """Return the columns of a new branch that are not electrical, its id the next free one of its kind."""
    taken = branches.branch_id[branches.kind == kind]
    return {
        "branch_id": int(taken.max(initial=-1)) + 1, "type_name": type_name, "name": name, "length_km": length_km,
        "from_closed": True, "to_closed": True, "in_service": True,
    }  # fmt: skip


def _more_branches(
    branches: Branches, kind: BranchKind, ends: tuple[int, int], identity: dict[str, Any], values: dict[str, float]
) -> Branches:
    row = {"kind": int(kind), "from_bus": ends[0], "to_bus": ends[1], **identity, **values}
    columns: dict[str, Any] = {}
    for field in fields(branches):
        before = getattr(branches, field.name)
        more = row[field.name]
        columns[field.name] = (*before, more) if isinstance(before, tuple) else np.append(before, more)
    return Branches(**columns)


def _with_open_ends(before: Network, branches: Branches) -> Buses:
    """Return the buses with the charging of lines that are open at one end, new ones included."""
    old, new = (np.zeros((2, before.n_bus)) for _ in range(2))
    add_open_ends(before.branches, old[0], old[1])
    add_open_ends(branches, new[0], new[1])
    buses = before.buses
    return replace(buses, g_pu=buses.g_pu + new[0] - old[0], b_pu=buses.b_pu + new[1] - old[1])


def _more_switches(switches: Switches, branch: int, name: str) -> Switches:
    """Return the switches with an open, remotely operated one at the `to` end of a branch."""
    return Switches(
        switch_id=np.append(switches.switch_id, switches.switch_id.max(initial=-1) + 1),
        branch=np.append(switches.branch, branch),
        at_to_end=np.append(switches.at_to_end, np.True_),
        closed=np.append(switches.closed, np.False_),
        breaker=np.append(switches.breaker, np.False_),
        remote=np.append(switches.remote, np.True_),
        name=(*switches.name, name),
    )


def _split_areas(grid: CountyGrid, change: NewArea, row: int, ids: tuple[int, int]) -> pd.DataFrame:
    """Return the areas with one more at the end; homes are halved in whole homes, lines of either half are shorter."""
    areas = grid.areas.copy()
    old = areas.iloc[row].to_dict()
    homes = {name: int(old[name]) for name in ("households", "occupied_households")}
    shared = {
        "lv_radius_m": max(1, round(float(old["lv_radius_m"]) * change.radius_factor)),
        "lv_circuits": -(-int(old["lv_circuits"]) // 2),
    }
    nameplate = distribution_transformers().loc[change.type_name]
    new = old | shared | {
        "area_id": change.new_area_id, "name": f"{old['name']}N", "kva": nameplate["sn_kva"],
        "type_name": change.type_name, "vector_group": nameplate["vector_group"], "series": nameplate["series"],
        "lv_bus": ids[0], "trafo": ids[1], **{name: number // 2 for name, number in homes.items()},
    }  # fmt: skip
    for name, value in (shared | {name: number - number // 2 for name, number in homes.items()}).items():
        areas.at[areas.index[row], name] = value  # noqa: PD008 - one cell
    more = pd.DataFrame([new], columns=areas.columns).astype(areas.dtypes.to_dict())
    return pd.concat([areas, more], ignore_index=True)


def _split_heating(grid: CountyGrid, change: NewArea, row: int) -> pd.DataFrame:
    """Return the heaters with the share of the homes lived in that moves; parts of a home may result."""
    share = moved_share(grid, row)
    heating = grid.heating.astype({"households": np.float64, "rated_kw": np.float64})
    own = heating["area_id"] == change.area_id
    more = heating[own].assign(area_id=change.new_area_id)
    for column in ("households", "rated_kw"):
        more[column] *= share
        heating.loc[own, column] *= 1.0 - share
    return pd.concat([heating, more], ignore_index=True)
