"""Build measures into the low-voltage side of a county's queue, as `changes` builds them into its grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.connection.applications import Application
from gridcheck.connection.area_desk import DeskInput
from gridcheck.connection.busbar_control import BusbarControl
from gridcheck.connection.decide import QueueResult, QueueSetting, decide_in
from gridcheck.errors import PlanError
from gridcheck.network.area_transformers import VN_LV_KV, transformers_of
from gridcheck.network.county import CountyGrid
from gridcheck.network.line_regulators import LineRegulator
from gridcheck.network.low_voltage import LowVoltageGrid, area_mm2
from gridcheck.reinforcement.changes import area_row
from gridcheck.reinforcement.measures import (
    Change,
    LineRegulators,
    LowVoltageReconductoring,
    NewArea,
    OnLoadTransformer,
    PhaseBalancing,
    PhaseSwitching,
    TapChange,
    TransformerSwap,
)
from gridcheck.units import SQRT3

# Conductor of the lines from a new transformer to the poles that are cut off; it is priced as such.
_LINK_TYPE = "JKLYJ-1-120"


def decide_again(setting: QueueSetting, decided: Sequence[tuple[Application, bool]]) -> QueueResult:
    """Decide applications in a changed county: by draws where it has a low-voltage side.

    Who is connected has the older right and is asked first; the others follow in their order, each in the home that it
    was counted in. So nobody loses a connection to somebody who had to wait before, but only to what is built.

    Parameters
    ----------
    setting : QueueSetting
        The changed county; its low-voltage side from `desk_with`.
    decided : sequence of (Application, bool)
        Applications in queue order, and whether they are connected.
    """
    in_turn = [one for one, connected in decided if connected] + [one for one, connected in decided if not connected]
    if setting.low_voltage is not None:
        homes: dict[str, tuple[Application, ...]] = {}
        for application, _ in decided:
            homes[application.area_id] = (*homes.get(application.area_id, ()), application)
        setting = replace(setting, low_voltage=replace(setting.low_voltage, homes_for=homes))
    return decide_in(setting, in_turn)


def desk_with(desk: DeskInput | None, grid: CountyGrid, changes: Iterable[Change]) -> DeskInput | None:
    """Return the low-voltage side of a county with changes built.

    Parameters
    ----------
    desk : DeskInput or None
        Before them; None where the county has none.
    grid : CountyGrid
        The county with the changes.
    changes : iterable of Change
        What is built; areas in which nobody asks stay as they are.

    Returns
    -------
    DeskInput or None
    """
    if desk is None:
        return None
    lines, units, rebalanced = dict(desk.lines), dict(desk.transformers), set(desk.rebalanced)
    switched, held = dict(desk.switched), dict(desk.held_busbars)

    def unit_of(area_id: str) -> None:
        units[area_id] = transformers_of(grid, np.array([area_row(grid, area_id)]))[0]

    for change in changes:
        if not isinstance(change, _OF_AREAS) or change.area_id not in lines:
            continue
        match change:
            case PhaseBalancing(area_id=area_id):
                rebalanced.add(area_id)
            case PhaseSwitching(area_id=area_id, homes=homes):
                switched[area_id] = homes
            case LowVoltageReconductoring(area_id=area_id, type_name=type_name):
                lines[area_id] = reconductored(lines[area_id], type_name)
            case LineRegulators():
                lines[change.area_id] = regulated(lines[change.area_id], change)
            case TapChange(area_id=area_id) | TransformerSwap(area_id=area_id):
                unit_of(area_id)
                held.pop(area_id, None)
            case OnLoadTransformer(area_id=area_id):
                unit_of(area_id)
                held[area_id] = _control_of(change)
            case NewArea(area_id=area_id, new_area_id=new_area_id, split_line_km=link_km):
                lines[area_id], lines[new_area_id] = split_lines(lines[area_id], new_area_id, link_km)
                unit_of(new_area_id)
    return replace(
        desk,
        area_ids=tuple(grid.areas["area_id"]),
        lines=lines,
        transformers=units,
        rebalanced=frozenset(rebalanced),
        switched=switched,
        held_busbars=held,
    )


def _control_of(change: OnLoadTransformer) -> BusbarControl:
    return BusbarControl(
        setpoint_pu=change.setpoint_pu,
        band_pu=change.band_pu,
        step=change.step,
        range=change.range,
        ratio=change.tap_ratio,
    )


_OF_AREAS = (
    PhaseBalancing,
    PhaseSwitching,
    LowVoltageReconductoring,
    TapChange,
    TransformerSwap,
    OnLoadTransformer,
    LineRegulators,
    NewArea,
)


def regulated(grid: LowVoltageGrid, change: LineRegulators) -> LowVoltageGrid:
    """Return an area with regulators at the beginning of lines; where none is named, of all that leave the busbar.

    Raises
    ------
    PlanError
        If a node is not there.
    """
    place = {name: node for node, name in enumerate(grid.node_name)}
    unknown = [name for name in change.nodes if place.get(name, 0) < 1]
    if unknown:
        raise PlanError(f"area {grid.area_id} has no line above {', '.join(unknown)} for a regulator.")
    nodes = [place[name] for name in change.nodes] or np.flatnonzero(grid.parent == 0).tolist()
    rated_ka = change.rated_kva / 1000.0 / SQRT3 / VN_LV_KV
    more = tuple(LineRegulator(node=node, boost=change.boost, rated_ka=rated_ka) for node in nodes)
    return replace(grid, regulators=(*grid.regulators, *more))


def thinner_lines(grid: LowVoltageGrid, type_name: str) -> BoolArray:
    """Tell which lines would be replaced by a thicker conductor, shape (n_node,): all but the drops to meter boxes."""
    new_mm2 = area_mm2(type_name) or 0.0
    own = np.array([area_mm2(name) or np.inf for name in grid.type_name])
    replaced: BoolArray = (own < new_mm2) & ~service_drops(grid)
    replaced[0] = False
    return replaced


def reconductored(grid: LowVoltageGrid, type_name: str) -> LowVoltageGrid:
    """Return an area with another conductor on all its thinner lines.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area.
    type_name : str
        New conductor, of the catalogue.
    """
    replaced = thinner_lines(grid, type_name).tolist()
    names = tuple(type_name if new else old for new, old in zip(replaced, grid.type_name, strict=True))
    return replace(grid, type_name=names)


def split_lines(grid: LowVoltageGrid, new_area_id: str, link_km: float) -> tuple[LowVoltageGrid, LowVoltageGrid]:
    """Give the far half of an area's homes to a new transformer.

    Trunks and lanes are cut where half of the homes lie beyond, counted by the length of line to their pole. What is
    cut off hangs on the new busbar by a line of its own each.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area.
    new_area_id : str
        Id of the new one.
    link_km : float
        New line in all, shared alike by the pieces that are cut off. [km]

    Returns
    -------
    LowVoltageGrid, LowVoltageGrid
        What stays, and the new area. Meters keep their ids, and so their habits. Where all homes stand at one place,
        either half has all the lines.
    """
    far = _far_nodes(grid)
    moved = far[grid.home_node]
    if not moved.any():
        half = np.arange(grid.n_home) >= grid.n_home - grid.n_home // 2
        return _with_homes(grid, ~half), replace(_with_homes(grid, half), area_id=new_area_id)
    return _part(grid, ~far, ~moved, grid.area_id, 0.0), _part(grid, far, moved, new_area_id, link_km)


def _far_nodes(grid: LowVoltageGrid) -> BoolArray:
    """Mark the nodes beyond which the far half of the homes lies, shape (n_node,); never the busbar."""
    along = np.zeros(grid.n_node)
    for node in range(1, grid.n_node):
        along[node] = along[grid.parent[node]] + grid.length_m[node]
    # A meter box goes with its pole.
    drop = service_drops(grid)
    along[drop] = along[grid.parent[drop]]
    by_home: FloatArray = np.sort(along[grid.home_node])[::-1]
    # Homes strictly beyond this one are half of them at most.
    far: BoolArray = along > by_home[min(grid.n_home // 2, grid.n_home - 1)] if grid.n_home else along < 0.0
    return far


def service_drops(grid: LowVoltageGrid) -> BoolArray:
    """Mark the ends of service drops, boolean, shape (n_node,): nodes with meters that supply nothing further."""
    has_home = np.zeros(grid.n_node, dtype=bool)
    has_home[grid.home_node] = True
    is_end = np.ones(grid.n_node, dtype=bool)
    is_end[grid.parent[1:]] = False
    drop: BoolArray = has_home & is_end
    drop[0] = False
    return drop


def _with_homes(grid: LowVoltageGrid, kept: BoolArray) -> LowVoltageGrid:
    return replace(
        grid,
        home_id=tuple(name for name, keep in zip(grid.home_id, kept.tolist(), strict=True) if keep),
        home_node=grid.home_node[kept],
        home_phase=grid.home_phase[kept],
    )


def _part(grid: LowVoltageGrid, nodes: BoolArray, homes: BoolArray, area_id: str, link_km: float) -> LowVoltageGrid:
    """Return some nodes as an area of their own; those whose parent is left out hang on its busbar by a new line."""
    chosen: IntArray = np.flatnonzero(nodes | (np.arange(grid.n_node) == 0))
    place = np.full(grid.n_node, 0)
    place[chosen] = np.arange(len(chosen))
    parent = place[grid.parent[chosen]]
    parent[0] = -1
    is_cut = ~nodes[grid.parent[chosen]]
    is_cut[0] = False
    kept = _with_homes(grid, homes)
    return replace(
        kept,
        area_id=area_id,
        node_name=tuple(grid.node_name[node] for node in chosen.tolist()),
        parent=parent,
        length_m=np.where(is_cut, link_km * 1000.0 / max(1, int(np.count_nonzero(is_cut))), grid.length_m[chosen]),
        type_name=tuple(
            _LINK_TYPE if cut else grid.type_name[node]
            for node, cut in zip(chosen.tolist(), is_cut.tolist(), strict=True)
        ),
        home_node=place[kept.home_node],
        regulators=tuple(replace(one, node=int(place[one.node])) for one in grid.regulators if nodes[one.node]),
    )


def replaced_km(grid: LowVoltageGrid, type_name: str) -> float:
    """Return the length of the lines that a new conductor replaces. [km]"""
    return float(grid.length_m[thinner_lines(grid, type_name)].sum()) / 1000.0
