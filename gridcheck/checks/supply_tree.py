"""What is checked below one main transformer: the tree, its checks and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.catalogue import distribution_transformers
from gridcheck.checks.low_voltage import LowVoltageLines, low_voltage_lines
from gridcheck.errors import NetworkError
from gridcheck.limits import Limit, LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import BranchKind
from gridcheck.powerflow.radial import RadialModel, model_of_tree


class CheckKind(IntEnum):
    """What a check holds against which limit."""

    AREA_LOADING = 0
    HOT_SPOT = 1
    END_VOLTAGE = 2
    SECTION_VOLTAGE = 3
    SECTION_LOADING = 4
    FEEDER_LOADING = 5
    MAIN_LOADING = 6
    # Seen in the draws of an area's low-voltage network, never in the check list of a tree.
    METER_LOW = 7
    METER_HIGH = 8
    LV_LINE = 9
    LV_NEUTRAL = 10
    TRAFO_PHASE = 11


AREA_KINDS = (CheckKind.AREA_LOADING, CheckKind.HOT_SPOT, CheckKind.END_VOLTAGE)
"""Checks whose element is an area; they stand first in the list of a tree, kind by kind."""
DRAWN_KINDS = (
    CheckKind.METER_LOW, CheckKind.METER_HIGH, CheckKind.LV_LINE, CheckKind.LV_NEUTRAL, CheckKind.TRAFO_PHASE,
)  # fmt: skip
"""Checks that are seen in draws of an area's low-voltage network only."""
LEVEL = {
    CheckKind.AREA_LOADING: "area",
    CheckKind.HOT_SPOT: "area",
    CheckKind.END_VOLTAGE: "low_voltage",
    CheckKind.SECTION_VOLTAGE: "section",
    CheckKind.SECTION_LOADING: "section",
    CheckKind.FEEDER_LOADING: "feeder",
    CheckKind.MAIN_LOADING: "main_transformer",
    CheckKind.METER_LOW: "service_point",
    CheckKind.METER_HIGH: "service_point",
    CheckKind.LV_LINE: "low_voltage",
    CheckKind.LV_NEUTRAL: "low_voltage",
    CheckKind.TRAFO_PHASE: "area",
}
QUANTITY = {
    CheckKind.AREA_LOADING: "area_loading_percent",
    CheckKind.HOT_SPOT: "hot_spot_c",
    CheckKind.END_VOLTAGE: "voltage_v",
    CheckKind.SECTION_VOLTAGE: "vm_pu",
    CheckKind.SECTION_LOADING: "section_loading_percent",
    CheckKind.FEEDER_LOADING: "feeder_loading_percent",
    CheckKind.MAIN_LOADING: "main_transformer_loading_percent",
    CheckKind.METER_LOW: "meter_voltage_v",
    CheckKind.METER_HIGH: "meter_voltage_max_v",
    CheckKind.LV_LINE: "lv_loading_percent",
    CheckKind.LV_NEUTRAL: "lv_neutral_loading_percent",
    CheckKind.TRAFO_PHASE: "phase_loading_percent",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckList:
    """Every check of one supply tree; position i is the same check in every array.

    Attributes
    ----------
    kind : ndarray of int, shape (n_check,)
        A `CheckKind`.
    node : ndarray of int, shape (n_check,)
        Node of the tree's model to which the check belongs.
    sign : ndarray, shape (n_check,)
        1 where the limit is an upper one, -1 where it is a lower one.
    limit, design : ndarray, shape (n_check,)
        The limit, and the planning value whose crossing makes an approval conditional (NaN where none).
    element : tuple of str, length n_check
        Id of the element.
    """

    kind: IntArray
    node: IntArray
    sign: FloatArray
    limit: FloatArray
    design: FloatArray
    element: tuple[str, ...]

    def __post_init__(self) -> None:
        n_check = len(self.element)
        for field, dtype in (
            ("kind", np.int64),
            ("node", np.int64),
            ("sign", np.float64),
            ("limit", np.float64),
            ("design", np.float64),
        ):
            object.__setattr__(self, field, frozen(getattr(self, field), dtype, (n_check,), name=field))

    def at(self, position: IntArray) -> CheckList:
        """Return some of the checks."""
        return CheckList(
            kind=self.kind[position],
            node=self.node[position],
            sign=self.sign[position],
            limit=self.limit[position],
            design=self.design[position],
            element=tuple(self.element[i] for i in position),
        )

    def beyond_limit(self, value: FloatArray) -> BoolArray:
        """Tell which values break their limit, shape (n_check,)."""
        return self.sign * (value - self.limit) > 1e-9 * self.limit

    def beyond_design(self, value: FloatArray) -> BoolArray:
        """Tell which values cross their planning value, shape (n_check,)."""
        return self.sign * (value - self.design) > 1e-9 * self.limit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SupplyTree:
    """Everything below one main transformer, ready to be assessed again and again.

    Attributes
    ----------
    main_branch : int
        Branch position of the main transformer.
    model : RadialModel
        Its buses and branches in the order of the sweep.
    checks : CheckList
        What is checked.
    area : ndarray of int, shape (n_area,)
        Positions in the county of the areas below it.
    area_node : ndarray of int, shape (n_area,)
        Nodes of their 0.4 kV busbars.
    area_feeder : ndarray of int, shape (n_area,)
        Feeder of each area, numbered within the tree.
    feeder : ndarray of int, shape (n_feeder,)
        Rows of the tree's feeders in the county's table.
    feeder_of_node : ndarray of int, shape (n_node,)
        Feeder of each node, numbered within the tree; -1 at the busbar and above.
    lines : LowVoltageLines
        Drop of their low-voltage lines.
    loss_ratio : ndarray, shape (n_area,)
        Load loss over no-load loss of their transformers. [1]
    section_node, line_node, outlet_node : ndarray of int
        Nodes of the 10 kV buses, of the 10 kV lines and of the feeder outlets that are checked.
    outlet_factor : ndarray
        Rating of each outlet line over the limit current of its feeder. [1]
    main_node : int
        Node below the main transformer.
    """

    main_branch: int
    model: RadialModel
    checks: CheckList
    area: IntArray
    area_node: IntArray
    area_feeder: IntArray
    feeder: IntArray
    feeder_of_node: IntArray
    lines: LowVoltageLines
    loss_ratio: FloatArray
    section_node: IntArray
    line_node: IntArray
    outlet_node: IntArray
    outlet_factor: FloatArray
    main_node: int

    @property
    def name(self) -> str:
        """Name of the main transformer."""
        return self.checks.element[-1]

    @property
    def regulator_node(self) -> IntArray:
        """Nodes below 10 kV lines with a voltage regulator."""
        nodes: IntArray = self.line_node[self.model.ratio[self.line_node] != 1.0]
        return nodes

    def on_path(self, area: int) -> BoolArray:
        """Mark the checks of every element that supplies an area (position within the tree), shape (n_check,)."""
        nodes = np.zeros(self.model.n_node, dtype=bool)
        node = int(self.area_node[area])
        while node >= 0:
            nodes[node] = True
            node = int(self.model.parent[node])
        return nodes[self.checks.node]

    def on_feeder_of(self, area: int) -> BoolArray:
        """Mark the checks of the whole feeder of an area (position within the tree), shape (n_check,)."""
        own: BoolArray = self.feeder_of_node[self.checks.node] == self.area_feeder[area]
        return own


def supply_trees(grid: CountyGrid, limits: LimitSet) -> tuple[SupplyTree, ...]:
    """Cut a county into its supply trees, one per main transformer, in the order of their branches.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    limits : LimitSet
        Limits that the checks carry.

    Returns
    -------
    tuple of SupplyTree
        Trees are independent of each other as long as no tie is closed.
    """
    mains = sorted({int(m) for m in grid.bus_main if m >= 0})
    return tuple(_supply_tree(grid, limits, main) for main in mains)


def require_checkable(grid: CountyGrid) -> None:
    """Refuse areas that would be lost between the supply trees.

    Raises
    ------
    NetworkError
        If an area has no main transformer above it, stands on another tree than its feeder, or is of a type
        that the catalogue does not have.
    """
    main = grid.bus_main[grid.area_bus]
    outlet = grid.network.branches.to_bus[_outlet_branches(grid)]
    area_ids = grid.areas["area_id"].to_numpy()
    unknown = ~grid.areas["type_name"].isin(distribution_transformers().index).to_numpy()
    findings = [
        f"area {area_ids[i]}: type_name {grid.areas['type_name'].iloc[i]!r} is not in the catalogue"
        for i in np.flatnonzero(unknown)[:20]
    ]
    findings += [
        f"area {area_ids[i]}: no main transformer (trafo with the role 'main') supplies it"
        for i in np.flatnonzero(main < 0)[:20]
    ]
    elsewhere = (main >= 0) & (grid.bus_main[outlet][grid.area_feeder] != main)
    findings += [
        f"area {area_ids[i]}: its feeder {grid.areas['feeder_id'].iloc[i]} begins at another main transformer"
        for i in np.flatnonzero(elsewhere)[:20]
    ]
    if findings:
        raise NetworkError(f"{grid.folder}: areas do not fit the grid.", findings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Checked:
    """Nodes of a tree at which something is checked, and the rows of its feeders."""

    area: IntArray
    section: IntArray
    line: IntArray
    outlet: IntArray
    main: int
    feeder: IntArray


def _supply_tree(grid: CountyGrid, limits: LimitSet, main: int) -> SupplyTree:
    network, branches = grid.network, grid.network.branches
    within = grid.bus_main == main
    within[branches.from_bus[main]] = True
    model = model_of_tree(network, grid.tree, within=within)
    area = np.flatnonzero(within[grid.area_bus])
    at = _checked_nodes(grid, model, area, main)
    outlet_branch = model.branch[at.outlet]
    limit_ka = grid.feeders["limit_ka"].to_numpy(dtype=float)[at.feeder]
    nameplate = distribution_transformers().loc[grid.areas["type_name"].iloc[area]]
    return SupplyTree(
        main_branch=main,
        model=model,
        checks=_check_list(grid, limits, model, at),
        area=area,
        area_node=at.area,
        area_feeder=_within_tree(at.feeder, grid.area_feeder[area]),
        feeder=at.feeder,
        feeder_of_node=_within_tree(at.feeder, grid.bus_feeder[model.bus]),
        lines=low_voltage_lines(grid.areas.iloc[area]),
        loss_ratio=nameplate["pk_kw"].to_numpy() / nameplate["p0_kw"].to_numpy(),
        section_node=at.section,
        line_node=at.line,
        outlet_node=at.outlet,
        outlet_factor=branches.rating_from_ka[outlet_branch] / limit_ka,
        main_node=at.main,
    )


def _within_tree(feeder: IntArray, row: IntArray) -> IntArray:
    """Return the places of feeders (rows of the county's table) among the feeders of a tree; -1 where not in it."""
    place = np.searchsorted(feeder, row).clip(max=max(len(feeder) - 1, 0))
    found = feeder[place] == row if len(feeder) else np.zeros(len(row), dtype=bool)
    return np.where(found, place, -1)


def _checked_nodes(grid: CountyGrid, model: RadialModel, area: IntArray, main: int) -> _Checked:
    network, branches = grid.network, grid.network.branches
    node_of_bus = np.full(network.n_bus, -1, dtype=np.int64)
    node_of_bus[model.bus] = np.arange(model.n_node)
    node_of_branch = np.full(network.n_branch, -1, dtype=np.int64)
    node_of_branch[model.branch[model.branch >= 0]] = np.flatnonzero(model.branch >= 0)
    main_node = int(node_of_branch[main])
    vn_kv = network.buses.vn_kv[model.bus]
    is_section = (vn_kv == vn_kv[main_node]) & (np.arange(model.n_node) != main_node)
    is_line = (model.branch >= 0) & (branches.kind[np.maximum(model.branch, 0)] == BranchKind.LINE)
    outlet = node_of_branch[_outlet_branches(grid)]
    feeder = np.flatnonzero(outlet >= 0)
    return _Checked(
        area=node_of_bus[grid.area_bus[area]],
        section=np.flatnonzero(is_section),
        line=np.flatnonzero(is_line),
        outlet=outlet[feeder],
        main=main_node,
        feeder=feeder,
    )


def _outlet_branches(grid: CountyGrid) -> IntArray:
    """Return the branch position of the first line of each feeder, shape (n_feeder,)."""
    branches = grid.network.branches
    lines = np.flatnonzero(branches.kind == BranchKind.LINE)
    place = np.searchsorted(branches.branch_id[lines], grid.feeders["outlet_line"].to_numpy(dtype=np.int64))
    return lines[place]


_Part = tuple[CheckKind, IntArray, list[str], Limit, Limit | None]


def _check_list(grid: CountyGrid, limits: LimitSet, model: RadialModel, at: _Checked) -> CheckList:
    parts = _parts(grid, limits, model, at)
    lower = (CheckKind.END_VOLTAGE, CheckKind.SECTION_VOLTAGE)
    return CheckList(
        kind=np.concatenate([np.full(len(node), kind) for kind, node, *_ in parts]),
        node=np.concatenate([node for _, node, *_ in parts]),
        sign=np.concatenate([np.full(len(node), -1.0 if kind in lower else 1.0) for kind, node, *_ in parts]),
        limit=np.concatenate([np.full(len(node), limit.value) for _, node, _, limit, _ in parts]),
        design=np.concatenate(
            [np.full(len(node), np.nan if plan is None else plan.value) for _, node, _, _, plan in parts]
        ),
        element=tuple(name for _, _, names, *_ in parts for name in names),
    )


def _parts(grid: CountyGrid, limits: LimitSet, model: RadialModel, at: _Checked) -> tuple[_Part, ...]:
    """Return kind, nodes, names, limit and planning value of each kind of check, in the order of the check list."""
    branches, buses = grid.network.branches, grid.network.buses
    area_of_bus = dict(zip(grid.area_bus.tolist(), grid.areas["area_id"], strict=True))
    areas = [str(area_of_bus[int(model.bus[node])]) for node in at.area]
    poles = [buses.name[i] or f"bus:{buses.bus_id[i]}" for i in model.bus[at.section]]
    lines = [
        grid.branch_section[k] or branches.name[k] or f"line:{branches.branch_id[k]}" for k in model.branch[at.line]
    ]
    feeders = [str(i) for i in grid.feeders["feeder_id"].iloc[at.feeder]]
    main = model.branch[at.main]
    mains = [branches.name[main] or f"trafo:{branches.branch_id[main]}"]
    section, section_design = limits.section_loading_percent, limits.section_loading_design_percent
    main_limit, main_design = (
        limits.main_transformer_loading_percent,
        limits.main_transformer_loading_design_percent,
    )
    return (
        (CheckKind.AREA_LOADING, at.area, areas, limits.area_loading_percent, limits.area_loading_design_percent),
        (CheckKind.HOT_SPOT, at.area, areas, limits.hot_spot_c, None),
        (CheckKind.END_VOLTAGE, at.area, areas, limits.lv_voltage_min_v, limits.lv_voltage_design_v),
        (CheckKind.SECTION_VOLTAGE, at.section, poles, limits.mv_vm_min_pu, None),
        (CheckKind.SECTION_LOADING, at.line, lines, section, section_design),
        (CheckKind.FEEDER_LOADING, at.outlet, feeders, section, section_design),
        (CheckKind.MAIN_LOADING, np.array([at.main]), mains, main_limit, main_design),
    )


def limit_of(kind: CheckKind, limits: LimitSet) -> Limit:
    """Return the limit that a check of this kind is held against."""
    return {
        CheckKind.AREA_LOADING: limits.area_loading_percent,
        CheckKind.HOT_SPOT: limits.hot_spot_c,
        CheckKind.END_VOLTAGE: limits.lv_voltage_min_v,
        CheckKind.SECTION_VOLTAGE: limits.mv_vm_min_pu,
        CheckKind.SECTION_LOADING: limits.section_loading_percent,
        CheckKind.FEEDER_LOADING: limits.section_loading_percent,
        CheckKind.MAIN_LOADING: limits.main_transformer_loading_percent,
        CheckKind.METER_LOW: limits.low_voltage_v,
        CheckKind.METER_HIGH: limits.lv_voltage_max_v,
        CheckKind.LV_LINE: limits.section_loading_percent,
        CheckKind.LV_NEUTRAL: limits.section_loading_percent,
        CheckKind.TRAFO_PHASE: limits.area_loading_percent,
    }[kind]
