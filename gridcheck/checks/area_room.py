"""How much more of one class of heaters each area's own equipment carries, from a small step in all areas at once."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.checks.assessment import Assessment, Course, assess, check_courses
from gridcheck.checks.supply_tree import CheckKind, SupplyTree
from gridcheck.demand.profiles import ClassCounts
from gridcheck.errors import NotConvergedError
from gridcheck.limits import LimitSet

COUNTED_DEVICE = "air_air_heat_pump"
"""Class of heaters in whose rated input room is counted where nothing else is said."""

# So much rated input is added to every area to see how far each limit still is. [kW]
_PROBE_KW = 1.0
# A limit that the step moves by less than this share of itself has no bearing on how much fits.
_NEGLIGIBLE = 1e-6


def area_room_kw(
    tree: SupplyTree, course: Course, counts: ClassCounts, limits: LimitSet, *, now: Assessment
) -> FloatArray:
    """Estimate how much more rated input of the counted class each area's own transformer and lines carry.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Profiles of the county.
    counts : ClassCounts
        Homes and heaters of the tree's areas.
    limits : LimitSet
        Limits.
    now : Assessment
        Of `counts` with the same course.

    Returns
    -------
    ndarray, shape (n_area,)
        Negative: what is too much. NaN, not known, where not even the step can be supplied, or a limit is broken that
        the step does not make worse; infinite where the loading is kept and the step does not raise it. [kW]
    """
    try:
        then = assess(tree, course, _one_step_more(course, counts, COUNTED_DEVICE), limits, start=now)
    except NotConvergedError:
        return np.full(len(tree.area), np.nan)
    checks = tree.checks
    per_kw = checks.sign * (then.value - now.value) / _PROBE_KW
    room = checks.sign * (checks.limit - now.value)
    n = len(tree.area)
    kinds = (CheckKind.AREA_LOADING, CheckKind.END_VOLTAGE)
    felt = per_kw > _NEGLIGIBLE * checks.limit
    fits = np.where(felt, room / np.where(felt, per_kw, 1.0), np.where(checks.beyond_limit(now.value), np.nan, np.inf))
    loading, voltage = (fits[checks.kind == kind].reshape(n) for kind in kinds)
    # What the voltage leaves is no room of a transformer of which it is not known.
    least: FloatArray = np.where(np.isinf(loading) & (voltage > 0.0), np.inf, np.minimum(loading, voltage))
    return least


def area_room_by_case_kw(
    tree: SupplyTree,
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    *,
    now: tuple[Assessment, FloatArray],
    device: str,
) -> FloatArray:
    """Estimate the room for a class that may run at other hours than those which are the worst without it.

    Every case has its own line, and the first of them at its limit decides: storage heaters leave the evening as it is,
    and fill the night. A loading counts where it lasts, so of a window the case with the most room.

    Parameters
    ----------
    tree, course, counts, limits
        As in `area_room_kw`.
    now : tuple of Assessment and ndarray
        Of `counts`, and its `check_courses`.
    device : str
        Class of the heaters.

    Returns
    -------
    ndarray, shape (n_area,)
        Negative infinite where a limit is broken that the step does not move, infinite where no limit is moved, NaN
        where the step cannot be supplied. [kW]
    """
    n, (solved, courses) = len(tree.area), now
    more = _one_step_more(course, counts, device)
    try:
        then = check_courses(tree, course, more, assess(tree, course, more, limits, start=solved))
    except NotConvergedError:
        return np.full(n, np.nan)
    checks = tree.checks
    rooms = []
    for kind in (CheckKind.AREA_LOADING, CheckKind.END_VOLTAGE):
        own = checks.kind == kind
        sign, limit = checks.sign[own][:, None], checks.limit[own][:, None]
        per_kw, room = sign * (then[own] - courses[own]) / _PROBE_KW, sign * (limit - courses[own])
        felt = per_kw > _NEGLIGIBLE * limit
        rooms.append(np.where(felt, room / np.where(felt, per_kw, 1.0), np.where(room < 0.0, -np.inf, np.inf)))
    loading, voltage = rooms
    least: FloatArray = np.minimum(loading[:, course.windows].max(axis=2).min(axis=1), voltage.min(axis=1))
    return least


def _one_step_more(course: Course, counts: ClassCounts, device: str) -> ClassCounts:
    """Return homes and heaters with a small step of a class in every area."""
    rated_kw = counts.rated_kw.copy()
    rated_kw[:, course.profiles.classes.index(device)] += _PROBE_KW
    return ClassCounts(rated_kw=rated_kw, count=np.maximum(counts.count, (rated_kw > 0.0).astype(float)))
