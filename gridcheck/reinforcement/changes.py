"""Build measures into a county: every function takes a grid and returns a new one, the given one stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import distribution_transformers
from gridcheck.connection.applications import Application
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import PlanError
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import Branches, BranchKind
from gridcheck.reinforcement.equipment import line_values, transformer_values
from gridcheck.reinforcement.extensions import add_area, add_tie, moved_share
from gridcheck.reinforcement.measures import (
    Change,
    FeederReconductoring,
    FeederRegulator,
    LineRegulators,
    LowVoltageReconductoring,
    NewArea,
    OnLoadTransformer,
    PhaseBalancing,
    PhaseSwitching,
    TapChange,
    TieLine,
    TransformerSwap,
)
from gridcheck.units import SQRT3


def build(grid: CountyGrid, changes: Iterable[Change]) -> CountyGrid:
    """Build changes into a county, one after the other.

    Parameters
    ----------
    grid : CountyGrid
        The county as it stands; it is not changed.
    changes : iterable of Change
        What is built.

    Returns
    -------
    CountyGrid
        New county. Positions of what was there stay; new elements come last, and new areas after all others.

    Raises
    ------
    PlanError
        If a change names something that the county does not have.
    """
    for change in changes:
        grid = _built(grid, change)
    return grid


def _built(grid: CountyGrid, change: Change) -> CountyGrid:
    match change:
        case PhaseBalancing(area_id=area_id, unbalance_factor=factor):
            return _with_area(grid, area_id, lv_unbalance_factor=factor)
        case PhaseSwitching(area_id=area_id, unbalance_factor=factor):
            return _with_area(grid, area_id, lv_unbalance_factor=factor)
        case LowVoltageReconductoring(area_id=area_id, type_name=type_name):
            return _with_area(grid, area_id, lv_type_name=type_name)
        case LineRegulators():
            return _with_line_regulators(grid, change)
        case TapChange(area_id=area_id, tap_ratio=tap_ratio):
            return _with_tap(grid, area_id, tap_ratio)
        case TransformerSwap(area_id=area_id, type_name=type_name):
            return _swapped(grid, area_id, type_name)
        case OnLoadTransformer(area_id=area_id, type_name=type_name, tap_ratio=tap_ratio):
            return _with_tap(_swapped(grid, area_id, type_name), area_id, tap_ratio)
        case FeederReconductoring():
            return _reconductored(grid, change)
        case FeederRegulator():
            return _regulated(grid, change)
        case NewArea():
            return add_area(grid, change, area_row(grid, change.area_id))
        case TieLine():
            return add_tie(grid, change)


def area_row(grid: CountyGrid, area_id: str) -> int:
    """Return the position of an area.

    Raises
    ------
    PlanError
        If the county has no such area.
    """
    rows = np.flatnonzero((grid.areas["area_id"] == area_id).to_numpy())
    if len(rows) != 1:
        raise PlanError(f"county {grid.county_code} has no area {area_id!r} (see areas.csv).")
    return int(rows[0])


def share_counts(grid: CountyGrid, counts: ClassCounts, changes: Iterable[Change]) -> ClassCounts:
    """Return homes and heaters of every area after areas were split.

    Parameters
    ----------
    grid : CountyGrid
        The county before the changes.
    counts : ClassCounts
        Of its areas.
    changes : iterable of Change
        In the order in which they are built.

    Returns
    -------
    ClassCounts
        One more row for each new area, which takes the share of the homes lived in that it has in the new grid.
    """
    rated_kw, count = list(counts.rated_kw), list(counts.count)
    for change in changes:
        if isinstance(change, NewArea):
            row = area_row(grid, change.area_id)
            share = moved_share(grid, row)
            rated_kw, rated_new = _split(rated_kw, row, share)
            count, count_new = _split(count, row, share)
            rated_kw.append(rated_new)
            count.append(count_new)
    return ClassCounts(rated_kw=np.array(rated_kw), count=np.array(count))


def _split(rows: list[FloatArray], row: int, share: float) -> tuple[list[FloatArray], FloatArray]:
    return [*rows[:row], rows[row] * (1.0 - share), *rows[row + 1 :]], rows[row] * share


def relocate(applications: Sequence[Application], changes: Iterable[Change]) -> tuple[Application, ...]:
    """Return the applications with those that a new area takes moved to it; order and everything else stay."""
    place = {i: change.new_area_id for change in changes if isinstance(change, NewArea) for i in change.takes}
    return tuple(
        replace(application, area_id=place[application.application_id])
        if application.application_id in place
        else application
        for application in applications
    )


def with_columns(frame: pd.DataFrame, row: int, **values: Any) -> pd.DataFrame:
    """Return a copy of a table with some cells of one row written anew."""
    result = frame.copy()
    for column, value in values.items():
        result.at[result.index[row], column] = value  # noqa: PD008 - one cell
    return result


def _with_area(grid: CountyGrid, area_id: str, **values: Any) -> CountyGrid:
    return replace(grid, areas=with_columns(grid.areas, area_row(grid, area_id), **values))


def _with_line_regulators(grid: CountyGrid, change: LineRegulators) -> CountyGrid:
    """Write down regulators of an area's lines: the estimate of its end voltage sees them where every circuit has one.

    Its circuits are alike, so as long as one has none the lowest end stays where it is; draws of drawn lines see more.
    """
    row = area_row(grid, change.area_id)
    circuits = int(grid.areas["lv_circuits"].iloc[row])
    number = len(change.nodes) or circuits
    columns = {"lv_regulators": 0, "lv_boost": 0.0}
    areas = grid.areas.assign(**{name: value for name, value in columns.items() if name not in grid.areas})
    boost = change.boost if number >= circuits else 0.0
    return replace(grid, areas=with_columns(areas, row, lv_regulators=number, lv_boost=boost))


def _with_tap(grid: CountyGrid, area_id: str, tap_ratio: float) -> CountyGrid:
    at = np.array([grid.area_branch[area_row(grid, area_id)]])
    return _with_branches(grid, at, {"tap_ratio": np.array([tap_ratio])}, ())


def _swapped(grid: CountyGrid, area_id: str, type_name: str) -> CountyGrid:
    row = area_row(grid, area_id)
    values = transformer_values(type_name, grid.network)
    at = np.array([grid.area_branch[row]])
    # The tap position stays, and every type has the same steps, so the ratio stays too.
    values["tap_ratio"] = float(grid.network.branches.tap_ratio[at[0]])
    nameplate = distribution_transformers().loc[type_name]
    built = _with_branches(grid, at, {name: np.array([value]) for name, value in values.items()}, (type_name,))
    return _with_area(
        built,
        area_id,
        kva=nameplate["sn_kva"],
        type_name=type_name,
        vector_group=nameplate["vector_group"],
        series=nameplate["series"],
    )


def _feeder_lines(grid: CountyGrid, feeder_id: str, line_ids: Iterable[int]) -> tuple[int, dict[int, int]]:
    """Return the row of a feeder, and the positions of all lines by their ids; both must be there."""
    branches = grid.network.branches
    lines = np.flatnonzero(branches.kind == BranchKind.LINE)
    place = dict(zip(branches.branch_id[lines].tolist(), lines.tolist(), strict=True))
    unknown = [str(line_id) for line_id in line_ids if line_id not in place]
    rows = np.flatnonzero((grid.feeders["feeder_id"] == feeder_id).to_numpy())
    if unknown or len(rows) != 1:
        raise PlanError(f"county {grid.county_code}: feeder {feeder_id!r} or lines {', '.join(unknown)} are not there.")
    return int(rows[0]), place


def _regulated(grid: CountyGrid, change: FeederRegulator) -> CountyGrid:
    """Put a ratio at the `from` end of a line, before it or behind it as seen from the source.

    It is that of heavy load; `terminal_voltage_pu` lets it fall back in light hours. When ties feed the line from its
    other end, it lowers the voltage as much: a regulator that is bypassed then would do better.
    """
    branches = grid.network.branches
    _, place = _feeder_lines(grid, change.feeder_id, (change.line_id,))
    k = place[change.line_id]
    if branches.tap_ratio[k] != 1.0:
        raise PlanError(f"county {grid.county_code}: line {change.line_id} has a regulator already.")
    is_down = bool(grid.tree.parent_branch[branches.to_bus[k]] == k)
    vn_kv = float(grid.network.buses.vn_kv[branches.from_bus[k]])
    own_ka = change.rated_mva / SQRT3 / vn_kv
    at = np.array([k])
    values = {
        "tap_ratio": np.array([1.0 / (1.0 + change.boost) if is_down else 1.0 + change.boost]),
        **{name: np.fmin(getattr(branches, name)[at], own_ka) for name in ("rating_from_ka", "rating_to_ka")},
    }
    return _with_branches(grid, at, values, ())


def _reconductored(grid: CountyGrid, change: FeederReconductoring) -> CountyGrid:
    branches = grid.network.branches
    row, place = _feeder_lines(grid, change.feeder_id, (line_id for line_id, _ in change.line_types))
    at = np.array([place[line_id] for line_id, _ in change.line_types], dtype=np.int64)
    types = tuple(type_name for _, type_name in change.line_types)
    vn_kv = float(grid.network.buses.vn_kv[branches.from_bus[at[0]]])
    values = line_values(types, branches.length_km[at], vn_kv, grid.network)
    # A regulator in a line stays, and so does what it can carry.
    regulated = branches.tap_ratio[at] != 1.0
    values["tap_ratio"] = branches.tap_ratio[at]
    for name in ("rating_from_ka", "rating_to_ka"):
        values[name] = np.where(regulated, np.fmin(values[name], getattr(branches, name)[at]), values[name])
    built = _with_branches(grid, at, values, types)
    return _with_feeder_limit(grid, built, row, place)


def _with_feeder_limit(before: CountyGrid, after: CountyGrid, row: int, place: dict[int, int]) -> CountyGrid:
    """Raise the limit of a feeder with its outlet line, where that line was what set it."""
    outlet = place[int(before.feeders["outlet_line"].iloc[row])]
    old, new = (float(grid.network.branches.rating_from_ka[outlet]) for grid in (before, after))
    if old == new or not np.isclose(float(before.feeders["limit_ka"].iloc[row]), old):
        return after
    return replace(after, feeders=with_columns(after.feeders, row, limit_ka=new))


def _with_branches(grid: CountyGrid, at: IntArray, values: dict[str, FloatArray], types: tuple[str, ...]) -> CountyGrid:
    """Return the county with other values of some branches, and other types where given."""
    branches: Branches = grid.network.branches
    columns: dict[str, Any] = {}
    for name, value in values.items():
        column = getattr(branches, name).copy()
        column[at] = value
        columns[name] = column
    if types:
        names = list(branches.type_name)
        for k, type_name in zip(at.tolist(), types, strict=True):
            names[k] = type_name
        columns["type_name"] = tuple(names)
    return replace(grid, network=replace(grid.network, branches=replace(branches, **columns)))
