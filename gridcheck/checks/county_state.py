"""The state of a whole county over all cases: peaks of areas and feeders, load curves, and every broken limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.checks.area_room import COUNTED_DEVICE, area_room_by_case_kw, area_room_kw
from gridcheck.checks.assessment import Assessment, Course, area_power_mw, assess, check_courses
from gridcheck.checks.supply_tree import AREA_KINDS, LEVEL, QUANTITY, CheckKind, SupplyTree
from gridcheck.demand.profiles import ClassCounts
from gridcheck.limits import LimitSet
from gridcheck.powerflow.sweep import node_power_mw


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A limit that is broken in some case.

    Attributes
    ----------
    kind : CheckKind
        What is broken.
    element : str
        Id of the element.
    main_branch : int
        Branch position of the main transformer above it.
    feeder : int
        Row of its feeder in the county's table, -1 for the main transformer itself.
    value, limit : float
        Worst value and limit, in the unit of the limit.
    value_before : float
        Worst value in the state that it is compared with; NaN where there is none.
    case : int
        The case of the worst value.
    hours : float
        Hours beyond the limit; NaN for the hot spot, of which only the peak is followed. [h]
    newly : bool
        True where the limit is kept in the state that this one is compared with.
    """

    kind: CheckKind
    element: str
    main_branch: int
    feeder: int
    value: float
    limit: float
    case: int
    hours: float
    value_before: float = float("nan")
    newly: bool = False

    @property
    def level(self) -> str:
        """Level of the grid at which the element stands."""
        return LEVEL[self.kind]

    @property
    def quantity(self) -> str:
        """Name of the quantity."""
        return QUANTITY[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyState:
    """What the cold wave does to every area and feeder of a county.

    Attributes
    ----------
    assessments : tuple of Assessment
        Worst value of every check, one per supply tree.
    p_kw, loading_percent : ndarray, shape (n_area, n_case)
        Load and transformer loading of each area over time. [kW], [%]
    peak_loading_percent, hot_spot_c, end_voltage_v : ndarray, shape (n_area,)
        Highest loading, highest hot spot, lowest voltage at the end of the low-voltage lines. [%], [degC], [V]
    sustained_loading_percent : ndarray, shape (n_area,)
        Highest loading that is held as long as an overload has to last; what its limit is compared with. [%]
    room_kw : ndarray, shape (n_area,)
        Heat-pump input that still fits into the area's own transformer and lines; negative: what is too much. Where the
        worst hour is one in which heating helps, because roofs feed in, no step tells the room: infinite where the
        limits are kept, NaN where one is broken. [kW]
    room_by_device_kw : mapping of str to ndarray, each of shape (n_area,)
        Room in rated input of each other class of heaters, see `area_room_by_case_kw`; empty for a state that is
        compared with none. [kW]
    upper_broken : ndarray of bool, shape (n_area,)
        True where a section voltage, section, feeder or main transformer above the area is beyond its limit.
    feeder_peak_mw, feeder_loading_percent, feeder_vm_min_pu : ndarray, shape (n_feeder,)
        Highest power at the outlet, highest loading, lowest 10 kV voltage. [MW], [%], [pu]
    feeder_peak_mw_before : ndarray, shape (n_feeder,)
        Highest power at the outlet in the state that this one is compared with; NaN where there is none. [MW]
    feeder_broken, feeder_heavy : ndarray of bool, shape (n_feeder,)
        True where a 10 kV voltage, a section, the feeder or its main transformer is beyond its limit; where a
        section, the feeder or its main transformer is beyond its planning value.
    violations : tuple of Violation
        Every broken limit.
    """

    assessments: tuple[Assessment, ...]
    p_kw: FloatArray
    loading_percent: FloatArray
    peak_loading_percent: FloatArray
    sustained_loading_percent: FloatArray
    hot_spot_c: FloatArray
    end_voltage_v: FloatArray
    room_kw: FloatArray
    room_by_device_kw: Mapping[str, FloatArray]
    upper_broken: BoolArray
    feeder_peak_mw: FloatArray
    feeder_peak_mw_before: FloatArray
    feeder_loading_percent: FloatArray
    feeder_vm_min_pu: FloatArray
    feeder_broken: BoolArray
    feeder_heavy: BoolArray
    violations: tuple[Violation, ...]


def county_state(
    trees: Sequence[SupplyTree],
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    *,
    n_feeder: int,
    before: CountyState | None = None,
) -> CountyState:
    """Follow a county through all cases of a course.

    Parameters
    ----------
    trees : sequence of SupplyTree
        All supply trees of the county.
    course : Course
        All cases, as from `full_course`.
    counts : ClassCounts
        Homes and heaters per area of the county.
    limits : LimitSet
        Limits.
    n_feeder : int
        Feeders of the county.
    before : CountyState, optional
        State of the same trees that violations are compared with.

    Returns
    -------
    CountyState
    """
    n_area, n_case = len(counts.rated_kw), len(course.case)
    by_case = {name: np.full((n_area, n_case), np.nan) for name in ("p_kw", "loading_percent")}
    by_area = {
        name: np.full(n_area, np.nan)
        for name in (
            "peak_loading_percent",
            "sustained_loading_percent",
            "hot_spot_c",
            "end_voltage_v",
            "room_kw",
        )
    }
    upper = np.zeros(n_area, dtype=bool)
    by_feeder = {
        name: np.full(n_feeder, np.nan) for name in ("feeder_peak_mw", "feeder_loading_percent", "feeder_vm_min_pu")
    }
    feeder_broken, feeder_heavy = np.zeros(n_feeder, dtype=bool), np.zeros(n_feeder, dtype=bool)
    # What still fits is asked of the state that promises lead to; that takes a step of each class.
    others = [device for device in DEVICE_CLASSES if device != COUNTED_DEVICE and before is not None]
    rooms = {device: np.full(n_area, np.nan) for device in others}
    assessments, violations = [], []
    for number, tree in enumerate(trees):
        own = ClassCounts(rated_kw=counts.rated_kw[tree.area], count=counts.count[tree.area])
        now = assess(tree, course, own, limits, follow_hot_spots=True)
        assessments.append(now)
        courses = check_courses(tree, course, own, now)
        n = len(tree.area)
        by_case["p_kw"][tree.area] = area_power_mw(tree, course, own)[0] * 1000.0
        by_case["loading_percent"][tree.area] = courses[:n]
        by_area["peak_loading_percent"][tree.area] = courses[:n].max(axis=1)
        by_area["sustained_loading_percent"][tree.area] = now.value[tree.checks.kind == CheckKind.AREA_LOADING]
        by_area["hot_spot_c"][tree.area] = now.value[tree.checks.kind == CheckKind.HOT_SPOT]
        by_area["end_voltage_v"][tree.area] = now.value[tree.checks.kind == CheckKind.END_VOLTAGE]
        by_area["room_kw"][tree.area] = area_room_kw(tree, course, own, limits, now=now)
        for device, room in rooms.items():
            room[tree.area] = area_room_by_case_kw(tree, course, own, limits, now=(now, courses), device=device)
        _fill_feeders(tree, now, by_feeder)
        broken = tree.checks.beyond_limit(now.value)
        upper[tree.area] = _upper_broken(tree, broken)
        feeder_broken[tree.feeder] = _feeders_with(tree, broken)
        feeder_heavy[tree.feeder] = _feeders_with(tree, tree.checks.beyond_design(now.value))
        found = _violations(tree, now, broken, courses, course.profiles.duration_h)
        violations += found if before is None else _compared(tree, found, broken, before.assessments[number])
    return CountyState(
        assessments=tuple(assessments),
        room_by_device_kw=rooms,
        feeder_peak_mw_before=np.full(n_feeder, np.nan) if before is None else before.feeder_peak_mw,
        upper_broken=upper,
        feeder_broken=feeder_broken,
        feeder_heavy=feeder_heavy,
        violations=tuple(violations),
        **by_case,
        **by_area,
        **by_feeder,
    )


def _fill_feeders(tree: SupplyTree, now: Assessment, by_feeder: dict[str, FloatArray]) -> None:
    checks, model = tree.checks, tree.model
    loading = now.value[checks.kind == CheckKind.FEEDER_LOADING]
    by_feeder["feeder_loading_percent"][tree.feeder] = loading
    peak = node_power_mw(model, now.feeder_state, tree.outlet_node).max(axis=1)
    by_feeder["feeder_peak_mw"][tree.feeder] = peak
    is_voltage = checks.kind == CheckKind.SECTION_VOLTAGE
    feeder_of_node = tree.feeder_of_node[checks.node[is_voltage]]
    lowest = np.full(len(tree.feeder), np.inf)
    known = feeder_of_node >= 0
    np.minimum.at(lowest, feeder_of_node[known], now.value[is_voltage][known])
    by_feeder["feeder_vm_min_pu"][tree.feeder] = lowest


def _feeders_with(tree: SupplyTree, mask: BoolArray) -> BoolArray:
    """Tell which feeders of the tree hold a check of the mask at 10 kV, or hang below one, shape (n_feeder,)."""
    checks = tree.checks
    feeder = tree.feeder_of_node[checks.node[mask & ~np.isin(checks.kind, AREA_KINDS)]]
    result = np.full(len(tree.feeder), bool((feeder < 0).any()))
    result[feeder[feeder >= 0]] = True
    return result


def _upper_broken(tree: SupplyTree, broken: BoolArray) -> BoolArray:
    """Tell for each area whether something above its transformer is beyond its limit."""
    bad_node = np.zeros(tree.model.n_node, dtype=bool)
    bad_node[tree.checks.node[broken & ~np.isin(tree.checks.kind, AREA_KINDS)]] = True
    parent = tree.model.parent
    for node in range(len(parent)):
        if parent[node] >= 0:
            bad_node[node] |= bad_node[parent[node]]
    above: BoolArray = bad_node[tree.area_node]
    return above


def _feeder_row(tree: SupplyTree, node: int) -> int:
    place = int(tree.feeder_of_node[node])
    return int(tree.feeder[place]) if place >= 0 else -1


def _violations(
    tree: SupplyTree, now: Assessment, broken: BoolArray, courses: FloatArray, duration_h: float
) -> list[Violation]:
    checks = tree.checks
    result = []
    for i in np.flatnonzero(broken):
        beyond = checks.sign[i] * (courses[i] - checks.limit[i]) > 0.0
        result.append(
            Violation(
                kind=CheckKind(int(checks.kind[i])),
                element=checks.element[i],
                main_branch=tree.main_branch,
                feeder=_feeder_row(tree, int(checks.node[i])),
                value=float(now.value[i]),
                limit=float(checks.limit[i]),
                case=int(now.case[i]),
                hours=float("nan") if np.isnan(courses[i]).any() else float(np.count_nonzero(beyond) * duration_h),
            )
        )
    return result


def _compared(tree: SupplyTree, found: Sequence[Violation], broken: BoolArray, before: Assessment) -> list[Violation]:
    """Add to each violation, which stand in the order of their checks, what was there before."""
    kept = ~tree.checks.beyond_limit(before.value)
    return [
        replace(violation, value_before=float(before.value[i]), newly=bool(kept[i]))
        for violation, i in zip(found, np.flatnonzero(broken), strict=True)
    ]
