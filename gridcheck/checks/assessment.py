"""All checks of one supply tree at once: every element below one main transformer against its limits.

A tree is assessed twice for the same state, because households coincide differently at each level:
transformers and low-voltage lines see the diversity of their own area's households, 10 kV sections and
the main transformer that of the whole feeder. Each check keeps its worst value and the case of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.checks.low_voltage import end_voltage_v
from gridcheck.checks.supply_tree import SupplyTree
from gridcheck.checks.thermal import hot_spot_c, steady_hot_spot_c
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, diversity
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet
from gridcheck.powerflow.readings import node_loading_percent, node_voltages
from gridcheck.powerflow.reductions import highest, lowest, sliding_windows, sustained_highest
from gridcheck.powerflow.sweep import NodeLoads, SweepState, in_blocks, solve_nodes
from gridcheck.units import KW_PER_MW, SQRT3

# Areas stand on 0.4 kV busbars: phase-to-neutral volts of 1 pu.
LV_PHASE_V = 400.0 / SQRT3

_Part = tuple[FloatArray, IntArray]
"""Worst values of some checks, and the positions of their cases in the course."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """Cases of a county that are assessed, in the layout of the kernel.

    Attributes
    ----------
    profiles : ClassProfiles
        Profiles of all classes in all cases.
    case : ndarray of int, shape (n_kept,)
        The cases that are assessed, in their order.
    blocks : ndarray, shape (n_block, 2 n_class, BLOCK)
        Their means, then spreads.
    columns : ndarray, shape (n_kept, 2 n_class)
        The same by case.
    windows : ndarray of int, shape (n_window, width)
        Stretches that count as sustained, as positions in `case`.
    """

    profiles: ClassProfiles
    case: IntArray
    blocks: FloatArray
    columns: FloatArray
    windows: IntArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Assessment:
    """Worst value of every check of a tree in one state of its loads.

    Attributes
    ----------
    value : ndarray, shape (n_check,)
        Worst value in the unit of the limit.
    case : ndarray of int, shape (n_check,)
        The case in which the element has that value.
    area_state, feeder_state : SweepState
        Solutions with the diversity of areas and of feeders; the next assessment may start from them.
    """

    value: FloatArray
    case: IntArray
    area_state: SweepState
    feeder_state: SweepState


def full_course(profiles: ClassProfiles, limits: LimitSet) -> Course:
    """Take all cases of a county."""
    width = round(limits.overload_duration_h.value / profiles.duration_h)
    everything = np.arange(profiles.n_case)
    return _course(profiles, everything, sliding_windows(profiles.n_case, width))


def binding_course(profiles: ClassProfiles, limits: LimitSet) -> Course:
    """Take only the cases that can be the worst of any element, whatever heaters are connected.

    A case in which every class, alone or in a crowd, draws no more than in another case can be left out:
    on a radial network without generation more load anywhere never lowers a current nor raises a voltage.
    A window can be left out if for every case of another window it holds one that draws no more, because
    its minimum cannot be the higher one. The worst values stay exactly the same. A case in which roofs feed in is
    compared with no other: there less load may mean more current.
    """
    full = full_course(profiles, limits)
    level = np.concatenate([profiles.mean, profiles.single], axis=1)
    not_above: BoolArray = np.all(level[:, None, :] <= level[None, :, :], axis=2)
    feeds_in: BoolArray = np.any(profiles.mean < 0.0, axis=1)
    not_above &= ~(feeds_in[:, None] | feeds_in[None, :]) | np.eye(len(level), dtype=bool)
    cases = _not_dominated(not_above)
    # weaker[a, t]: window a holds a case that draws no more than case t.
    weaker = np.stack([not_above[window].any(axis=0) for window in full.windows])
    dominated = np.stack([weaker[:, window].all(axis=1) for window in full.windows], axis=1)
    windows = full.windows[_not_dominated(dominated)]
    kept = np.union1d(cases, windows)
    return _course(profiles, kept, np.searchsorted(kept, windows))


def _not_dominated(below: BoolArray) -> IntArray:
    """Return the rows that are below no other row; of equal ones the first stays. `below` (n, n), transitive."""
    n = len(below)
    equal = below & below.T
    later = np.arange(n)[:, None] > np.arange(n)[None, :]
    beaten = (below & ~equal) | (equal & later)
    return np.flatnonzero(~beaten.any(axis=1))


def _course(profiles: ClassProfiles, case: IntArray, windows: IntArray) -> Course:
    columns = np.concatenate([profiles.mean, profiles.single - profiles.mean], axis=1)[case]
    return Course(profiles=profiles, case=case, blocks=in_blocks(columns), columns=columns, windows=windows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelAssessment:
    """Worst value of the checks of one level of a tree.

    Attributes
    ----------
    value : ndarray, shape (n_check_of_level,)
        Worst value in the unit of the limit, in the order of the tree's check list.
    case : ndarray of int, shape (n_check_of_level,)
        The case in which the element has that value.
    state : SweepState
        The solution.
    """

    value: FloatArray
    case: IntArray
    state: SweepState


def assess(
    tree: SupplyTree,
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    *,
    start: Assessment | None = None,
    follow_hot_spots: bool = False,
) -> Assessment:
    """Check every element of a tree with the given heaters and homes in its areas.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Profiles of the county.
    counts : ClassCounts
        Of the areas of the tree, in the order of ``tree.area``.
    limits : LimitSet
        Constants of the hot-spot model.
    start : Assessment, optional
        Of a nearly equal state: its voltages save sweeps.
    follow_hot_spots : bool
        Follow the hot spot of every transformer. Otherwise it is followed only where it can decide something:
        where it could reach its limit while the loading keeps its own. Elsewhere it is NaN, not followed.

    Returns
    -------
    Assessment

    Raises
    ------
    NotConvergedError
        If the load flow of some case has no solution: the state cannot be supplied at all.
    """
    areas = assess_areas(
        tree, course, counts, limits, start=start.area_state if start else None, follow_hot_spots=follow_hot_spots
    )
    upper = assess_upper(tree, course, counts, start=start.feeder_state if start else None)
    return Assessment(
        value=np.concatenate([areas.value, upper.value]),
        case=np.concatenate([areas.case, upper.case]),
        area_state=areas.state,
        feeder_state=upper.state,
    )


def assess_areas(
    tree: SupplyTree,
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    *,
    rows: IntArray | None = None,
    start: SweepState | None = None,
    follow_hot_spots: bool = False,
) -> LevelAssessment:
    """Check transformers and low-voltage lines, every area with the diversity of its own households.

    Parameters as in `assess`; `rows` names the areas whose checks are wanted, all where not given. The values
    stand area by area within each kind: loading, hot spot, end voltage.

    Raises
    ------
    NotConvergedError
        If the load flow of some case has no solution.
    """
    loads = node_loads(tree, course, counts, group=None)
    state = _solved(tree, loads, start)
    wanted = np.arange(len(tree.area)) if rows is None else rows
    parts = _area_checks(tree, course, loads, state, limits, wanted, follow_hot_spots=follow_hot_spots)
    return _level(parts, state)


def assess_loads(
    tree: SupplyTree, course: Course, loads: NodeLoads, limits: LimitSet, rows: IntArray, start: SweepState
) -> LevelAssessment:
    """Do what `assess_areas` does for loads that are given."""
    state = _solved(tree, loads, start)
    return _level(_area_checks(tree, course, loads, state, limits, rows, follow_hot_spots=False), state)


def assess_upper(
    tree: SupplyTree, course: Course, counts: ClassCounts, *, start: SweepState | None = None
) -> LevelAssessment:
    """Check 10 kV voltages, lines, feeders and the main transformer, with the diversity of whole feeders.

    Raises
    ------
    NotConvergedError
        If the load flow of some case has no solution.
    """
    state = _solved(tree, node_loads(tree, course, counts, group=tree.area_feeder), start)
    return _level(_upper_checks(tree, course, state), state)


def _solved(tree: SupplyTree, loads: NodeLoads, start: SweepState | None) -> SweepState:
    state = solve_nodes(tree.model, loads, start=start)
    failed = np.count_nonzero(state.status)
    if failed:
        raise NotConvergedError(
            f"Below main transformer {tree.name}, {failed} of {state.n_case} cases have no load flow solution: "
            "the load is more than the lines can carry at any voltage."
        )
    return state


def _level(parts: tuple[_Part, ...], state: SweepState) -> LevelAssessment:
    return LevelAssessment(
        value=np.concatenate([value for value, _ in parts]),
        case=np.concatenate([case for _, case in parts]),
        state=state,
    )


def node_loads(tree: SupplyTree, course: Course, counts: ClassCounts, *, group: IntArray | None) -> NodeLoads:
    """Return the loads of a tree with the diversity of each area, or of each group of areas."""
    row = np.full(tree.model.n_node, -1, dtype=np.int64)
    row[tree.area_node] = np.arange(len(tree.area_node))
    p_weight, q_weight = load_weights(tree, course, counts.rated_kw, counts.count, group=group)
    return NodeLoads(n_case=len(course.case), row=row, p_weight=p_weight, q_weight=q_weight, profile=course.blocks)


def load_weights(
    tree: SupplyTree, course: Course, rated_kw: FloatArray, count: FloatArray, *, group: IntArray | None
) -> tuple[FloatArray, FloatArray]:
    """Return the weights of active and reactive loads of some areas, shape (n_area, 2 n_class). [pu]"""
    profiles = course.profiles
    spread = rated_kw * diversity(count, profiles, group=group)
    weight = np.concatenate([rated_kw, spread], axis=1) / (KW_PER_MW * tree.model.sn_mva)
    return weight, weight * np.tile(profiles.tan_phi, 2)


def power_of_areas_mw(tree: SupplyTree, course: Course, loads: NodeLoads) -> tuple[FloatArray, FloatArray]:
    """Return active and reactive power of each area, shape (n_area, n_kept). [MW], [Mvar]"""
    assert loads.p_weight is not None
    assert loads.q_weight is not None
    sn_mva = tree.model.sn_mva
    return loads.p_weight @ course.columns.T * sn_mva, loads.q_weight @ course.columns.T * sn_mva


def area_power_mw(tree: SupplyTree, course: Course, counts: ClassCounts) -> tuple[FloatArray, FloatArray]:
    """Return active and reactive power of each area with its own diversity, shape (n_area, n_kept). [MW], [Mvar]"""
    return power_of_areas_mw(tree, course, node_loads(tree, course, counts, group=None))


def area_voltage_v(tree: SupplyTree, solved: Assessment) -> FloatArray:
    """Return the phase-to-neutral voltage at each area's 0.4 kV busbar, shape (n_area, n_kept). [V]"""
    voltage: FloatArray = node_voltages(solved.area_state)[tree.area_node] * LV_PHASE_V
    return voltage


def check_courses(tree: SupplyTree, course: Course, counts: ClassCounts, solved: Assessment) -> FloatArray:
    """Return the value of every check in every case, shape (n_check, n_kept); NaN for hot spots.

    `solved` is the assessment of the same counts with the same course.
    """
    model = tree.model
    p_mw, q_mvar = area_power_mw(tree, course, counts)
    voltage_v = area_voltage_v(tree, solved)
    upper = node_loading_percent(model, solved.feeder_state)
    return np.concatenate(
        [
            node_loading_percent(model, solved.area_state)[tree.area_node],
            np.full(voltage_v.shape, np.nan),
            end_voltage_v(voltage_v, p_mw, q_mvar, tree.lines),
            node_voltages(solved.feeder_state)[tree.section_node],
            upper[tree.line_node],
            upper[tree.outlet_node] * tree.outlet_factor[:, None],
            upper[tree.main_node : tree.main_node + 1],
        ]
    )


def _area_checks(
    tree: SupplyTree,
    course: Course,
    loads: NodeLoads,
    state: SweepState,
    limits: LimitSet,
    rows: IntArray,
    *,
    follow_hot_spots: bool,
) -> tuple[_Part, ...]:
    node = tree.area_node[rows]
    loading = node_loading_percent(tree.model, state)[node]
    voltage_v = node_voltages(state)[node] * LV_PHASE_V
    p_mw, q_mvar = (power[rows] for power in power_of_areas_mw(tree, course, loads))
    end_v = end_voltage_v(voltage_v, p_mw, q_mvar, tree.lines.of(rows))
    peak, peak_place = highest(loading)
    sustained = sustained_highest(loading, course.windows)
    followed = np.ones(len(rows), dtype=bool)
    if not follow_hot_spots:
        # Steady heat at the highest load and the warmest hour is an upper bound of the course of the hot spot.
        warmest_c = float(course.profiles.temperature_c.max())
        bound = steady_hot_spot_c(peak / 100.0, warmest_c, tree.loss_ratio[rows], limits)
        followed = (sustained[0] <= limits.area_loading_percent.value) & (bound > limits.hot_spot_c.value)
    hot_spot = _hottest(tree, course, loads, loading, rows, followed, limits) if followed.any() else None
    unknown = np.full(len(rows), np.nan), course.case[peak_place]
    return _in_time(course, sustained), hot_spot or unknown, _in_time(course, lowest(end_v))


def _in_time(course: Course, found: _Part) -> _Part:
    """Turn positions in a course into cases."""
    value, place = found
    return value, course.case[place]


def _hottest(
    tree: SupplyTree,
    course: Course,
    loads: NodeLoads,
    loading: FloatArray,
    rows: IntArray,
    followed: BoolArray,
    limits: LimitSet,
) -> _Part:
    """Return the highest hot spot of the `followed` areas and its case; NaN elsewhere."""
    value, case = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=np.int64)
    celsius = hot_spot_courses_c(tree, course, loads, loading[followed], rows[followed], limits)
    at = celsius.argmax(axis=0)
    value[followed], case[followed] = celsius[at, np.arange(len(at))], at
    return value, case


def hot_spot_courses_c(
    tree: SupplyTree, course: Course, loads: NodeLoads, loading: FloatArray, rows: IntArray, limits: LimitSet
) -> FloatArray:
    """Return the hot spots of some areas in every case, shape (n_case, n_rows); `loading` (n_rows, n_kept). [degC]"""
    outdoors = course.profiles
    full = _loading_in_all_cases(tree, course, loads, loading, rows)
    ratio = tree.loss_ratio[rows]
    return hot_spot_c(full.T / 100.0, outdoors.temperature_c, ratio, limits, duration_h=outdoors.duration_h)


def _loading_in_all_cases(
    tree: SupplyTree, course: Course, loads: NodeLoads, loading: FloatArray, rows: IntArray
) -> FloatArray:
    """Return the loading of some areas' transformers in every case, shape (n_rows, n_case). [%]"""
    n_case = course.profiles.n_case
    if len(course.case) == n_case:
        return loading
    everything = _course(course.profiles, np.arange(n_case), course.windows)
    state = solve_nodes(tree.model, replace(loads, n_case=n_case, profile=everything.blocks))
    return node_loading_percent(tree.model, state)[tree.area_node[rows]]


def _upper_checks(tree: SupplyTree, course: Course, state: SweepState) -> tuple[_Part, ...]:
    loading = node_loading_percent(tree.model, state)
    outlet, outlet_place = highest(loading[tree.outlet_node])
    found = (
        lowest(node_voltages(state)[tree.section_node]),
        highest(loading[tree.line_node]),
        (outlet * tree.outlet_factor, outlet_place),
        highest(loading[tree.main_node : tree.main_node + 1]),
    )
    return tuple(_in_time(course, part) for part in found)
