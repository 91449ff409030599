"""What a project looks like before and after: its grid with the changed lines, as the drawings of reports want it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gridcheck.network.county import CountyGrid, read_county
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.network.low_voltage_tables import read_low_voltage
from gridcheck.network.records import BranchKind
from gridcheck.network.tables import read_tables
from gridcheck.reinforcement.changes import area_row
from gridcheck.reinforcement.low_voltage_changes import replaced_km, service_drops, split_lines, thinner_lines
from gridcheck.reports.diagram import bent_way, diagram_places
from gridcheck.reports.letters_words import printable
from gridcheck.reports.project_drawing import Drawing, DrawnLine, DrawnSymbol, LineState, Panel, SymbolState
from gridcheck.reports.project_facts import BillRow, ProjectFacts
from gridcheck.synthesis.low_voltage import low_voltage_of

Place = tuple[float, float]

_M_PER_DEGREE = 111_320.0
# Below this two lengths are the same. [km]
_SAME_KM = 0.0001
# Service drops up to this length are drawn as a box at their pole; a survey may have meters at the end of a real line.
_DROP_M = 50.0
_SWAP, _NEW_AREA = "transformer_swap_", "new_area_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnCounty:
    """A county whose projects are drawn.

    Attributes
    ----------
    grid : CountyGrid
        The county before the plan.
    surveyed : mapping of str to LowVoltageGrid
        Low-voltage lines that its folder holds, by area.
    place_m : mapping of int to (float, float)
        Places of buses by their id, on a plane, y upwards; only those that are known. [m]
    seed : int
        Seed of the study, from which the other low-voltage lines are made up.
    """

    grid: CountyGrid
    surveyed: Mapping[str, LowVoltageGrid]
    place_m: Mapping[int, Place]
    seed: int


def drawn_county(folder: Path, seed: int) -> DrawnCounty:
    """Read a county folder for drawings.

    Parameters
    ----------
    folder : Path
        The county folder that the run has read.
    seed : int
        Seed of the study.

    Raises
    ------
    NetworkError
        If the folder cannot be read.
    """
    grid = read_county(folder)
    bus = read_tables(folder / "network.json")[0]["bus"]
    geo = bus["geo"].tolist() if "geo" in bus else [None] * len(bus)
    known = {i: place for i, at in zip(bus.index.tolist(), geo, strict=True) if (place := _lon_lat(at))}
    shrink = float(np.cos(np.deg2rad(np.mean([lat for _, lat in known.values()])))) if known else 1.0
    return DrawnCounty(
        grid=grid,
        surveyed=read_low_voltage(folder, grid.areas).grids,
        place_m={i: (lon * _M_PER_DEGREE * shrink, lat * _M_PER_DEGREE) for i, (lon, lat) in known.items()},
        seed=seed,
    )


def _lon_lat(geo: Any) -> Place | None:
    """Return the place of a bus from the point that pandapower keeps; None where there is none."""
    try:
        lon, lat = (float(part) for part in json.loads(geo)["coordinates"][:2])
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    return (lon, lat) if np.isfinite([lon, lat]).all() else None


def project_drawing(county: DrawnCounty, facts: ProjectFacts) -> Drawing:
    """Draw one project before and after.

    Parameters
    ----------
    county : DrawnCounty
        Its county.
    facts : ProjectFacts
        The project; its bill says what is changed.

    Raises
    ------
    PlanError
        If its area is not in the county.
    """
    if facts.area_id:
        return _area_drawing(county, facts)
    return _feeder_drawing(county, facts)


def _area_drawing(county: DrawnCounty, facts: ProjectFacts) -> Drawing:
    row = area_row(county.grid, facts.area_id)
    area = county.grid.areas.iloc[[row]]
    grid = low_voltage_of(area, county.seed, imported=county.surveyed)[facts.area_id]
    by_item = {bill.item: bill for bill in facts.bill}
    lines, balanced = by_item.get("lv_reconductor"), "phase_balancing" in by_item
    changed = np.zeros(grid.n_node, dtype=bool) if lines is None else thinner_lines(grid, lines.type_name)
    swap = next((bill for item, bill in by_item.items() if item.startswith((_SWAP, "tap_change"))), None)
    new_area = next((bill for item, bill in by_item.items() if item.startswith(_NEW_AREA)), None)
    kva = f"{float(area['kva'].iloc[0]):g} kVA"
    old_label, new_label = kva, kva
    if swap is not None and swap.type_name:
        old_label, new_label = str(area["type_name"].iloc[0]), swap.type_name
    marks: dict[str, SymbolState] = (
        {"old": "old", "replaced": "replaced"} if swap else {"old": "kept", "replaced": "kept"}
    )
    boxes: SymbolState = "replaced" if balanced else "kept"
    if new_area is not None:
        return _split_drawing(facts, grid, (kva, new_area.type_name))
    before = _tree(grid, {i: "old" for i in np.flatnonzero(changed).tolist()}, (old_label, marks["old"]), "kept")
    after = _tree(
        grid, {i: "replaced" for i in np.flatnonzero(changed).tolist()}, (new_label, marks["replaced"]), boxes
    )
    differs = lines is not None and abs(replaced_km(grid, lines.type_name) - lines.quantity) > _SAME_KM
    notes = (*(["balanced"] if balanced else []), *(["approximate"] if differs else []))
    return Drawing(before=before, after=after, is_map=False, is_synthetic=grid.is_synthetic, notes=notes)


def _split_drawing(facts: ProjectFacts, grid: LowVoltageGrid, labels: tuple[str, str]) -> Drawing:
    """Draw an area that gives half of its homes to a new transformer on a spur."""
    by_item = {bill.item: bill for bill in facts.bill}
    link, spur = by_item["lv_line_120"], by_item["mv_line_120"]
    stays, moved = split_lines(grid, f"{grid.area_id}N", link.quantity)
    # Where all homes stand at one place either half keeps all lines, and nothing is cut.
    is_cut = moved.n_node < grid.n_node or stays.n_node < grid.n_node
    far = set(moved.node_name[1:]) if is_cut else set[str]()
    name = grid.node_name
    cut = [i for i in range(1, grid.n_node) if name[i] in far and name[grid.parent[i]] not in far]
    before = _tree(grid, {i: "old" for i in cut}, (labels[0], "kept"), "kept")
    first = _tree(stays, {}, (labels[0], "kept"), "kept")
    lowest = min(y for line in first.lines for _, y in line.way_m) if first.lines else 0.0
    linked: dict[int, LineState] = {i: "new" for i in range(1, moved.n_node) if moved.parent[i] == 0} if is_cut else {}
    second = _tree(moved, linked, (labels[1], "new"), "kept", roots_at=lowest - 2.0)
    foot = DrawnLine(
        name=f"{spur.type_name} {spur.quantity:g} km",
        way_m=((0.0, 0.0), (-0.03 * _reach(before), 0.0), (-0.03 * _reach(before), lowest - 2.0), (0.0, lowest - 2.0)),
        state="new",
    )
    after = Panel(lines=(*first.lines, *second.lines, foot), symbols=(*first.symbols, *second.symbols))
    return Drawing(before=before, after=after, is_map=False, is_synthetic=grid.is_synthetic, notes=("spur",))


def _reach(panel: Panel) -> float:
    return max((x for line in panel.lines for x, _ in line.way_m), default=1.0)


def _tree(
    grid: LowVoltageGrid,
    changed: Mapping[int, LineState],
    transformer: tuple[str, SymbolState],
    boxes: SymbolState,
    *,
    roots_at: float = 0.0,
) -> Panel:
    """Return the lines of an area as a diagram; service drops are drawn as boxes at their pole."""
    drop = service_drops(grid) & (grid.length_m <= _DROP_M) & (grid.parent != 0)
    kept = np.flatnonzero(~drop)
    place = np.full(grid.n_node, -1)
    place[kept] = np.arange(len(kept))
    parent = [int(place[grid.parent[i]]) if i else -1 for i in kept]
    places = diagram_places(parent, grid.length_m[kept].tolist(), roots_at=roots_at)
    lines = tuple(
        DrawnLine(
            name=printable(f"{grid.node_name[i]} · {grid.type_name[i]} · {grid.length_m[i]:g} m"),
            way_m=bent_way(places[parent[k]], places[k]),
            state=changed.get(int(i), "kept"),
        )
        for k, i in enumerate(kept)
        if i
    )
    meters = np.bincount(grid.home_node, minlength=grid.n_node)
    at_pole: dict[int, list[int]] = {}
    for node in np.flatnonzero(meters).tolist():
        at_pole.setdefault(int(place[grid.parent[node] if drop[node] else node]), []).append(node)
    symbols = [
        DrawnSymbol(
            name=printable(" · ".join(f"{grid.node_name[i]}: {meters[i]}" for i in nodes)),
            at_m=places[pole],
            kind="box",
            state=boxes,
        )
        for pole, nodes in sorted(at_pole.items())
    ]
    label, state = transformer
    root = DrawnSymbol(
        name=printable(grid.area_id), at_m=places[0], kind="transformer", state=state, label=printable(label)
    )
    return Panel(lines=lines, symbols=(*symbols, root))


def _feeder_drawing(county: DrawnCounty, facts: ProjectFacts) -> Drawing:
    grid, network = county.grid, county.grid.network
    branches = network.branches
    at = {int(bus_id): i for i, bus_id in enumerate(network.bus_id.tolist())}
    new_types = {
        int(e.partition(":")[2]): bill.type_name for bill in facts.bill for e in bill.elements if _is(e, "line")
    }
    ties = [pair for bill in facts.bill if bill.unit == "km" for pair in _pairs(bill)]
    is_line = branches.kind == BranchKind.LINE
    restrung = is_line & np.isin(branches.branch_id, list(new_types))
    feeders = {int(row) for row in np.flatnonzero((grid.feeders["feeder_id"] == facts.feeder_id).to_numpy())}
    feeders |= {int(grid.bus_feeder[at[bus]]) for pair in ties for bus in pair if bus in at}
    feeders |= {int(grid.bus_feeder[bus]) for bus in branches.to_bus[restrung].tolist()}
    feeders.discard(-1)
    own = np.isin(grid.bus_feeder, sorted(feeders))
    shown = np.flatnonzero(is_line & (own[branches.from_bus] | own[branches.to_bus]))
    buses = np.unique(np.concatenate([branches.from_bus[shown], branches.to_bus[shown]]))
    ids = network.bus_id[buses].tolist()
    is_map = all(bus_id in county.place_m for bus_id in ids)
    places = county.place_m if is_map else _diagram(grid, buses.tolist())
    before, after, symbols = [], [], _feeder_symbols(county, buses.tolist(), places)
    for k in shown.tolist():
        ends = [int(network.bus_id[bus]) for bus in (branches.from_bus[k], branches.to_bus[k])]
        is_open = not (branches.from_closed[k] and branches.to_closed[k])
        way = (places[ends[0]], places[ends[1]]) if is_map or is_open else bent_way(places[ends[0]], places[ends[1]])
        name = printable(f"{branches.name[k]} · {branches.type_name[k]} · {branches.length_km[k]:g} km")
        new_name = printable(f"{branches.name[k]} · {new_types.get(int(branches.branch_id[k]), '')}")
        plain: LineState = "tie" if is_open else "kept"
        before.append(DrawnLine(name=name, way_m=way, state="old" if restrung[k] else plain))
        after.append(DrawnLine(name=new_name, way_m=way, state="replaced") if restrung[k] else before[-1])
        if is_open:
            end = ends[0] if not branches.from_closed[k] else ends[1]
            symbols.append(DrawnSymbol(name=printable(branches.name[k]), at_m=places[end], kind="open"))
    new = [pair for pair in ties if set(pair) <= places.keys()]
    after += [DrawnLine(name=f"bus:{a} – bus:{b}", way_m=(places[a], places[b]), state="new") for a, b in new]
    switches = [DrawnSymbol(name=f"bus:{b}", at_m=places[b], kind="open", state="new") for _, b in new]
    return Drawing(
        before=Panel(lines=tuple(before), symbols=tuple(symbols)),
        after=Panel(lines=tuple(after), symbols=(*symbols, *switches)),
        is_map=is_map,
        is_synthetic=grid.synthetic,
    )


def _is(element: str, kind: str) -> bool:
    word, _, number = element.partition(":")
    return word == kind and number.isdecimal()


def _pairs(bill: BillRow) -> list[tuple[int, int]]:
    """Return the ends of new lines, pair by pair."""
    ends = [int(element.partition(":")[2]) for element in bill.elements if _is(element, "bus")]
    return list(zip(ends[::2], ends[1::2], strict=False))


def _diagram(grid: CountyGrid, buses: list[int]) -> dict[int, Place]:
    """Return places of buses nobody knows the places of: by length of line from the busbar, in rows."""
    wanted, tree, branches = set(buses), grid.tree, grid.network.branches
    order = [int(bus) for bus in tree.order if int(bus) in wanted]
    row = {bus: k for k, bus in enumerate(order)}
    parent = [row.get(int(tree.parent[bus]), -1) for bus in order]
    length_m = [
        float(branches.length_km[tree.parent_branch[bus]]) * 1000.0 if above >= 0 else 0.0
        for bus, above in zip(order, parent, strict=True)
    ]
    return {
        int(grid.network.bus_id[bus]): place for bus, place in zip(order, diagram_places(parent, length_m), strict=True)
    }


def _feeder_symbols(county: DrawnCounty, buses: list[int], places: Mapping[int, Place]) -> list[DrawnSymbol]:
    """Return busbars with their feeders' names, and the poles at which areas stand."""
    grid, network = county.grid, county.grid.network
    poles = set(network.branches.from_bus[grid.area_branch].tolist())
    busbars = set(grid.feeders["busbar_bus"].astype(int))
    result = []
    for bus in buses:
        bus_id, name = int(network.bus_id[bus]), printable(network.buses.name[bus])
        if bus_id in busbars:
            result.append(DrawnSymbol(name=name, at_m=places[bus_id], kind="source", label=name))
        elif bus in poles:
            result.append(DrawnSymbol(name=name, at_m=places[bus_id], kind="pole"))
    return result
