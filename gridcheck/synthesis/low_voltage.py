r"""Made-up low-voltage lines of an area, from its row in ``areas.csv``: trunks, side lanes, meter boxes, phases.

A trunk runs along the village street to the supply radius, side lanes branch off it, meter boxes hang at poles. The
heaviest phase of a trunk takes so many of its meters that with equal loads its end drops by about
``lv_unbalance_factor`` times the drop of a balanced trunk. With a share s of the moment (load times distance) on the
heaviest phase, the rest halved, and the neutral a fourth equal wire,

.. math:: k = 2 \cdot 3 s - \frac{3 (1 - s)}{2} = 7.5 s - 1.5

Every number that is not in ``areas.csv`` stands in ``low_voltage_assumptions.csv``. Each area has random numbers of
its own, drawn from the seed and its id: another area more or less changes no other.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError, InputError
from gridcheck.network.county_tables import read_table
from gridcheck.network.low_voltage import (
    LV_BUSBAR,
    PHASE_UNKNOWN,
    THREE_PHASE,
    LowVoltageGrid,
    area_mm2,
)
from gridcheck.synthesis.households import whole_shares

_ASSUMPTIONS = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        *(Column(name=name, kind="float") for name in ("value", "min", "max")),
        Column(name="unit"),
        *source_columns(),
    ),
)
_OLD_BEFORE, _NEW_FROM = 2010, 2018
_SIZES_MM2 = (16, 25, 35, 50, 70, 95, 120, 150, 185, 240)
_MOST = 20


def low_voltage_assumptions(path: Path | None = None) -> Mapping[str, float]:
    """Return the estimates behind made-up low-voltage lines, by name.

    Parameters
    ----------
    path : Path, optional
        Another table with the same columns; the package's own one by default.

    Raises
    ------
    CatalogueError
        If a value lies outside its own bounds.
    SchemaError
        If a column, a source or a mark is missing.
    """
    name = "low_voltage_assumptions.csv"
    table = (
        packaged_table("gridcheck.synthesis", name, _ASSUMPTIONS) if path is None else read_table(path, _ASSUMPTIONS)
    )
    outside = table[~table["value"].between(table["min"], table["max"])]
    if len(outside):
        found = zip(*(outside[column] for column in ("name", "value", "min", "max")), strict=True)
        raise CatalogueError(
            f"{path or name}: value must lie between min and max.",
            [f"row {row}: {value:g} is not in [{least:g}, {most:g}]" for row, value, least, most in found],
        )
    return dict(zip(table["name"], table["value"].astype(float), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaLayout:
    """What is known of the low-voltage lines of an area.

    Attributes
    ----------
    area_id : str
        The area.
    households : int
        Registered households.
    circuits : int
        Number of trunks.
    radius_m : float
        Length of line to the last pole. [m]
    type_name : str
        Conductor of the trunks.
    built_year : float
        Year of the equipment, NaN where not known.
    unbalance_factor : float
        Drop of the heaviest phase over that of a balanced line. [1]
    """

    area_id: str
    households: int
    circuits: int
    radius_m: float
    type_name: str
    built_year: float
    unbalance_factor: float


def area_layouts(areas: pd.DataFrame) -> tuple[AreaLayout, ...]:
    """Read what the table of areas knows of low-voltage lines.

    Parameters
    ----------
    areas : DataFrame
        Columns area_id, households, lv_circuits, lv_radius_m, lv_type_name, built_year, lv_unbalance_factor.

    Raises
    ------
    InputError
        A radius of 0, or a conductor that the catalogue does not have; each named by its area.
    """
    columns = (
        "area_id", "households", "lv_circuits", "lv_radius_m", "lv_type_name", "built_year", "lv_unbalance_factor",
    )  # fmt: skip
    layouts = tuple(
        AreaLayout(
            area_id=str(area_id), households=int(households), circuits=int(circuits), radius_m=float(radius_m),
            type_name=str(type_name), built_year=float(year), unbalance_factor=float(factor),
        )
        for area_id, households, circuits, radius_m, type_name, year, factor in zip(
            *(areas[column] for column in columns), strict=True
        )
    )  # fmt: skip
    findings = [f"area {a.area_id}: lv_radius_m must be greater than 0" for a in layouts if not a.radius_m > 0]
    findings += [
        f"area {a.area_id}: lv_type_name {a.type_name!r} is not in the catalogue"
        for a in layouts
        if area_mm2(a.type_name) is None
    ]
    if findings:
        raise InputError("Low-voltage lines of these areas cannot be made up; correct areas.csv.", findings[:_MOST])
    return layouts


def synthetic_low_voltage(
    layout: AreaLayout, seed: int, estimates: Mapping[str, float] | None = None
) -> LowVoltageGrid:
    """Make up the low-voltage lines of one area.

    Parameters
    ----------
    layout : AreaLayout
        What is known of it.
    seed : int
        Seed of the study; the same seed and area give the same lines.
    estimates : mapping of str to float, optional
        As `low_voltage_assumptions` returns them; the package's own ones by default.

    Returns
    -------
    LowVoltageGrid
        Labelled synthetic. Trunks ``L1``, ``L2``, ...; poles ``L1-P03``; poles of side lanes ``L1-P03-1``; boxes
        ``B001``; one meter per registered household.
    """
    given = low_voltage_assumptions() if estimates is None else estimates
    digest = hashlib.sha256(f"low voltage {seed} {layout.area_id}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    draft = _Draft()
    trunks = _trunks(draft, layout, given, rng)
    lengths = np.array([len(trunk) for trunk in trunks], dtype=np.float64)
    for trunk, households in zip(trunks, whole_shares(lengths, layout.households).tolist(), strict=True):
        if households:
            boxes = _boxes(draft, trunk, households, given, rng)
            _phases(draft, boxes, layout.unbalance_factor, given, rng)
    phase = np.array(draft.home_phase, dtype=np.int64)
    phase[rng.random(len(phase)) < given["unknown_phase_share"]] = PHASE_UNKNOWN
    return LowVoltageGrid(
        area_id=layout.area_id,
        is_synthetic=True,
        node_name=tuple(draft.name),
        parent=np.array(draft.parent, dtype=np.int64),
        length_m=np.round(draft.length_m, 1),
        type_name=tuple(draft.type_name),
        home_id=tuple(f"{layout.area_id}-H{k:03d}" for k in range(1, layout.households + 1)),
        home_node=np.array(draft.home_node, dtype=np.int64),
        home_phase=phase,
    )


def low_voltage_of(
    areas: pd.DataFrame,
    seed: int,
    *,
    imported: Mapping[str, LowVoltageGrid] | None = None,
    estimates: Mapping[str, float] | None = None,
) -> dict[str, LowVoltageGrid]:
    """Return the low-voltage lines of every area: imported ones where there are, made-up ones elsewhere.

    Parameters
    ----------
    areas : DataFrame
        As for `area_layouts`.
    seed : int
        Seed of the study.
    imported : mapping of str to LowVoltageGrid, optional
        By area, as `read_low_voltage` returns them.
    estimates : mapping of str to float, optional
        Of the made-up ones.

    Returns
    -------
    dict of str to LowVoltageGrid
        By area, in the order of the table.
    """
    known = {} if imported is None else imported
    given = low_voltage_assumptions() if estimates is None else estimates
    wanted = ~areas["area_id"].isin(list(known)).to_numpy(dtype=bool)
    made = {a.area_id: synthetic_low_voltage(a, seed, given) for a in area_layouts(areas[wanted])}
    return {area_id: known[area_id] if area_id in known else made[area_id] for area_id in areas["area_id"]}


@dataclass(slots=True)
class _Draft:
    """Nodes and meters so far."""

    name: list[str] = field(default_factory=lambda: [LV_BUSBAR])
    parent: list[int] = field(default_factory=lambda: [-1])
    length_m: list[float] = field(default_factory=lambda: [0.0])
    type_name: list[str] = field(default_factory=lambda: [""])
    home_node: list[int] = field(default_factory=list)
    home_phase: list[int] = field(default_factory=list)
    n_box: int = 0

    def add(self, name: str, parent: int, length_m: float, type_name: str) -> int:
        self.name.append(name)
        self.parent.append(parent)
        self.length_m.append(length_m)
        self.type_name.append(type_name)
        return len(self.name) - 1


@dataclass(frozen=True, slots=True)
class _Pole:
    """A pole, and how far along the trunk its current flows."""

    node: int
    trunk_m: float


@dataclass(slots=True)
class _Box:
    """A meter box: its node, meters, and how far along the trunk its current flows."""

    node: int
    meters: int
    trunk_m: float


def _trunks(
    draft: _Draft, layout: AreaLayout, given: Mapping[str, float], rng: np.random.Generator
) -> list[list[_Pole]]:
    """Set the poles of trunks and side lanes; the last pole of a list is the end of its trunk."""
    n_trunk = max(1, min(layout.circuits, layout.households))
    lane_type = _lane_type(layout, given)
    trunks = []
    for number in range(1, n_trunk + 1):
        share = 1.0 if number == 1 else rng.uniform(given["trunk_reach_least"], 1.0)
        reach_m = round(layout.radius_m * share, 1)
        n_span = max(1, round(reach_m / rng.uniform(given["pole_span_least_m"], given["pole_span_most_m"])))
        # Places of the poles in tenths of a metre, so that the spans sum to the reach.
        weight = np.cumsum(rng.uniform(0.9, 1.1, n_span))
        place = np.round(weight / weight[-1] * reach_m, 1).tolist()
        has_lane = (rng.random(n_span) < given["branch_share"]).tolist()
        spans = rng.integers(1, int(given["branch_spans_most"]) + 1, n_span).tolist()
        poles, above, before_m = [], 0, 0.0
        for k, here_m in enumerate(place):
            above = draft.add(f"L{number}-P{k + 1:02d}", above, here_m - before_m, layout.type_name)
            before_m = here_m
            poles.append(_Pole(above, here_m))
            if has_lane[k]:
                span_m = round(reach_m / n_span, 1)
                end = above
                for lane in range(1, min(spans[k], int((layout.radius_m - here_m) / span_m)) + 1):
                    end = draft.add(f"{draft.name[above]}-{lane}", end, span_m, lane_type)
                    poles.insert(len(poles) - 1, _Pole(end, here_m))
        trunks.append(poles)
    return trunks


def _lane_type(layout: AreaLayout, given: Mapping[str, float]) -> str:
    """Conductor of the side lanes: by age, spaced like the trunk, never thicker than it."""
    is_old, is_new = layout.built_year < _OLD_BEFORE, layout.built_year >= _NEW_FROM
    wanted = given["branch_mm2_old" if is_old else "branch_mm2_new" if is_new else "branch_mm2"]
    trunk_mm2 = area_mm2(layout.type_name)
    if trunk_mm2 is None or trunk_mm2 <= wanted:
        return layout.type_name
    return f"JKLYJ-1-{_standard(wanted)}"


@functools.cache
def _standard(wanted_mm2: float) -> int:
    """Return the nearest standard section, the thinner of two."""
    return min(_SIZES_MM2, key=lambda size: (abs(size - wanted_mm2), size))


def _boxes(
    draft: _Draft, poles: list[_Pole], households: int, given: Mapping[str, float], rng: np.random.Generator
) -> list[_Box]:
    """Hang the boxes of a trunk at poles evenly from the first to the last, and share out its meters."""
    most = int(given["meters_per_box_most"])
    n_box = max(-(-households // most), round(households / given["meters_per_box"]), 1)
    last = len(poles) - 1
    at = [(2 * k * last + n_box - 1) // (2 * (n_box - 1)) for k in range(n_box)] if n_box > 1 else [last]
    spread = given["meters_per_box_spread"]
    meters = (1 + whole_shares(rng.uniform(1.0 - spread, 1.0 + spread, n_box), households - n_box)).tolist()
    while max(meters) > most:
        meters[meters.index(max(meters))] -= 1
        meters[meters.index(min(meters))] += 1
    drop_m = np.round(rng.uniform(given["drop_least_m"], given["drop_most_m"], n_box), 1).tolist()
    boxes = []
    for k, count, length_m in zip(at, meters, drop_m, strict=True):
        size = given["drop_mm2_large" if count >= given["large_box_from_meters"] else "drop_mm2"]
        draft.n_box += 1
        node = draft.add(f"B{draft.n_box:03d}", poles[k].node, length_m, f"BS-JKLYJ-1-4x{_standard(size)}")
        boxes.append(_Box(node, count, poles[k].trunk_m))
    return boxes


def _phases(
    draft: _Draft, boxes: list[_Box], factor: float, given: Mapping[str, float], rng: np.random.Generator
) -> None:
    """Give every meter of a trunk a phase; the moments of the phases come near their targets."""
    heavy = (factor + 1.5) / 7.5
    share = np.full(3, (1.0 - heavy) / 2.0)
    share[rng.integers(3)] = heavy
    total = sum(box.meters * box.trunk_m for box in boxes)
    missing = (share * total).tolist()
    groups: list[tuple[float, int, int]] = []  # order, box, meters
    for b, box in enumerate(boxes):
        is_split = box.meters >= given["four_wire_from_meters"]
        size, count = (1, box.meters) if is_split else (box.meters, 1)
        order = (-size * box.trunk_m * rng.uniform(0.8, 1.25, count)).tolist()
        groups += [(place, b, size) for place in order]
    phases: list[list[int]] = [[] for _ in boxes]
    for _, b, size in sorted(groups):
        phase = missing.index(max(missing))
        missing[phase] -= size * boxes[b].trunk_m
        phases[b] += [phase] * size
    for box, given_phases in zip(boxes, phases, strict=True):
        is_three = rng.random(box.meters) < given["three_phase_share"]
        draft.home_node += [box.node] * box.meters
        draft.home_phase += [
            THREE_PHASE if three and box.meters >= given["four_wire_from_meters"] else phase
            for phase, three in zip(given_phases, is_three.tolist(), strict=True)
        ]
