"""How much more of one class of heaters each area's own equipment carries, from a small step in all areas at once."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import FloatArray
from gridcheck.checks.assessment import Assessment, Course, assess
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
    tree: SupplyTree,
    course: Course,
    counts: ClassCounts,
    limits: LimitSet,
    *,
    now: Assessment,
    device: str = COUNTED_DEVICE,
) -> FloatArray:
    """Estimate how much more rated input of a class each area's own transformer and lines carry.

    Parameters
    ----------
    tree : SupplyTree
        The tree.
    course : Course
        Profiles of the county; `device` is one of their classes.
    counts : ClassCounts
        Homes and heaters of the tree's areas.
    limits : LimitSet
        Limits.
    now : Assessment
        Of `counts` with the same course.
    device : str
        Class of the heaters.

    Returns
    -------
    ndarray, shape (n_area,)
        Negative: what is too much. NaN, not known, where not even the step can be supplied, or a limit is broken that
        the step does not make worse; infinite where the loading is kept and the step does not raise it. [kW]
    """
    probe = course.profiles.classes.index(device)
    rated_kw = counts.rated_kw.copy()
    rated_kw[:, probe] += _PROBE_KW
    count = np.maximum(counts.count, (rated_kw > 0.0).astype(float))
    try:
        then = assess(tree, course, ClassCounts(rated_kw=rated_kw, count=count), limits, start=now)
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
