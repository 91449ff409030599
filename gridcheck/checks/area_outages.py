r"""The loss of one distribution transformer: its area alone is dark, and a generator or a spare transformer helps.

The fuse of the transformer parts it from the feeder, so nobody else is off and no tie can help. What has to be carried
is the load of the area at its own peak when supply has just come back. Of :math:`n` of its :math:`N` households

.. math:: P(n) = \sum_c x R_c \left[ m_c + (s_c - m_c) \max(x N_c / n_0, 1)^{-\alpha_c} \right], \qquad x = n / N

is drawn: few households draw more per household than all of them. A generator carries its rating times
``generator_loading_percent``, a spare transformer its rating times ``area_winter_cap_percent``. Of all remedies the one
is chosen that brings most households back, then the soonest, then the one with the fewest household hours without
supply, then the smallest. A generator that is too small supplies as many households as fit until the spare stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.demand.parameters import ROOFTOP_PV
from gridcheck.demand.profiles import ClassCounts, ClassProfiles, diversity
from gridcheck.errors import InputError
from gridcheck.limits import LimitSet


class AreaRemedy(StrEnum):
    """What brings supply back."""

    NONE = "none"
    """No remedy carries a single household, or there is none."""
    GENERATOR = "generator"
    SPARE_TRANSFORMER = "spare_transformer"
    GENERATOR_THEN_SPARE = "generator_then_spare"
    """A generator for some households until the spare transformer stands."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaLoads:
    """What areas draw at their own peak when their supply has just come back; row i is the area at position i.

    Attributes
    ----------
    households : ndarray of int, shape (n_area,)
        Registered households.
    peak_case : ndarray of int, shape (n_area,)
        Case of the peak.
    mean_kw, spread_kw : ndarray, shape (n_area, n_class)
        Mean of each class, and what one unit may draw beyond it. [kW]
    count : ndarray, shape (n_area, n_class)
        Homes with the class.
    alpha, together, tan_phi : ndarray, shape (n_class,)
        Exponent of diversity, homes that peak together, reactive over active power. [1]
    """

    households: IntArray
    peak_case: IntArray
    mean_kw: FloatArray
    spread_kw: FloatArray
    count: FloatArray
    alpha: FloatArray
    together: FloatArray
    tan_phi: FloatArray

    def __post_init__(self) -> None:
        n, n_class = len(self.households), len(self.alpha)
        for name in ("households", "peak_case"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64, (n,), name=name))
        for name in ("mean_kw", "spread_kw", "count"):
            value = frozen(getattr(self, name), np.float64, (n, n_class), name=name)
            if not (np.isfinite(value).all() and (value >= 0.0).all()):
                raise InputError(f"{name} must be finite and not negative in every area and class.")
            object.__setattr__(self, name, value)
        for name in ("alpha", "together", "tan_phi"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n_class,), name=name))
        if n and self.households.min() < 0:
            raise InputError("households must not be negative.")

    def power(self, households: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return what so many households of each area draw, each of shape (n_area,). [kW], [kVA]"""
        by_class = self._by_class_kw((households / np.maximum(self.households, 1))[:, None])
        p_kw = by_class.sum(axis=1)
        return p_kw, np.hypot(p_kw, by_class @ self.tan_phi)

    def whole_kw(self) -> FloatArray:
        """Return what all of each area draws, shape (n_area,); also where no household is registered. [kW]"""
        return np.asarray(self._by_class_kw(np.ones((len(self.households), 1))).sum(axis=1))

    def _by_class_kw(self, share: FloatArray) -> FloatArray:
        # A share of a home counts as one: nothing draws more than its own peak.
        left = np.maximum(share * self.count / self.together, 1.0) ** -self.alpha
        return np.asarray(share * (self.mean_kw + self.spread_kw * left))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Remedies:
    """What stands ready; smallest first.

    Attributes
    ----------
    generator_kw, generator_minutes : ndarray, shape (n_generator,)
        Ratings, and time from the fault until it supplies. [kW], [min]
    spare_kva, spare_minutes : ndarray, shape (n_spare,)
        The same of transformers. [kVA], [min]
    """

    generator_kw: FloatArray
    generator_minutes: FloatArray
    spare_kva: FloatArray
    spare_minutes: FloatArray

    def __post_init__(self) -> None:
        for size, minutes in (("generator_kw", "generator_minutes"), ("spare_kva", "spare_minutes")):
            sizes = frozen(getattr(self, size), np.float64, (None,), name=size)
            times = frozen(getattr(self, minutes), np.float64, sizes.shape, name=minutes)
            for name, value in ((size, sizes), (minutes, times)):
                if not (np.isfinite(value).all() and (value > 0.0).all()):
                    raise InputError(f"{name} must be above 0 and finite. Got {value.tolist()}.")
                object.__setattr__(self, name, value)
            if (np.diff(sizes) <= 0.0).any():
                raise InputError(f"{size} must rise: every size once, the smallest first. Got {sizes.tolist()}.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaOutages:
    """The loss of each area's transformer; row i is the area at position i.

    Attributes
    ----------
    load_kw, peak_case : ndarray, shape (n_area,)
        Load that has to be carried, and the case in which it is that high. [kW]
    remedy : ndarray of str, shape (n_area,)
        `AreaRemedy` of each.
    generator_kw, spare_kva : ndarray, shape (n_area,)
        Sizes; NaN where there is none. [kW], [kVA]
    generator_minutes, generator_households : ndarray, shape (n_area,)
        When the generator supplies and how many households; NaN where there is none. [min]
    restore_minutes : ndarray, shape (n_area,)
        Time from the fault until the last household that can be is supplied again; NaN where none is. [min]
    served_households, unsupplied_households : ndarray of int, shape (n_area,)
        Households that have supply then, and those that no remedy carries at the peak.
    household_hours : ndarray, shape (n_area,)
        Households times hours without supply: until the remedies stand, and ``repair_h`` more for what they do not
        carry. [h]
    """

    load_kw: FloatArray
    peak_case: IntArray
    remedy: npt.NDArray[np.str_]
    generator_kw: FloatArray
    spare_kva: FloatArray
    generator_minutes: FloatArray
    generator_households: FloatArray
    restore_minutes: FloatArray
    served_households: IntArray
    unsupplied_households: IntArray
    household_hours: FloatArray


def area_loads(profiles: ClassProfiles, counts: ClassCounts, households: IntArray) -> AreaLoads:
    """Return what each area draws at its own peak, with its own diversity.

    Parameters
    ----------
    profiles : ClassProfiles
        Classes when their supply has just come back.
    counts : ClassCounts
        What stands in each area.
    households : ndarray of int, shape (n_area,)
        Registered households.

    Returns
    -------
    AreaLoads
        Roofs are left out: without the grid they feed in nothing, and not at once when it returns.
    """
    draws = np.array([name != ROOFTOP_PV for name in profiles.classes], dtype=bool)
    rated_kw, count = counts.rated_kw[:, draws], counts.count[:, draws]
    mean, spread = profiles.mean[:, draws], (profiles.single - profiles.mean)[:, draws]
    remaining = diversity(counts.count, profiles)[:, draws]
    peak = np.argmax(rated_kw @ mean.T + (rated_kw * remaining) @ spread.T, axis=1)
    return AreaLoads(
        households=households,
        peak_case=peak,
        mean_kw=rated_kw * mean[peak],
        spread_kw=rated_kw * spread[peak],
        count=count,
        alpha=profiles.alpha[draws],
        together=profiles.together[draws],
        tan_phi=profiles.tan_phi[draws],
    )


def households_that_fit(loads: AreaLoads, *, most_kw: FloatArray | float, most_kva: FloatArray | float) -> IntArray:
    """Return how many households of each area may be on without drawing more than told, shape (n_area,).

    Parameters
    ----------
    loads : AreaLoads
        Areas.
    most_kw, most_kva : ndarray of shape (n_area,) or float
        What may be drawn; infinite where it does not matter. [kW], [kVA]
    """

    def fits(households: IntArray) -> BoolArray:
        p_kw, s_kva = loads.power(households)
        return np.asarray((p_kw <= most_kw) & (s_kva <= most_kva))

    # More households never draw less, so the interval is halved until it is one household wide.
    low, high = np.zeros_like(loads.households), loads.households + 1
    low = np.where(fits(loads.households), loads.households, low)
    while (high - low > 1).any():
        middle = (low + high) // 2
        good = fits(middle)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return low


def restore_areas(loads: AreaLoads, transformer_kva: FloatArray, remedies: Remedies, limits: LimitSet) -> AreaOutages:
    """Choose what brings supply back to each area whose transformer is lost.

    Parameters
    ----------
    loads : AreaLoads
        What has to be carried.
    transformer_kva : ndarray, shape (n_area,)
        Rating of the lost transformer. Its spare is of the smallest size that is not smaller, or of the size above;
        the largest there is where all are smaller. [kVA]
    remedies : Remedies
        What stands ready, for each area alone: no other outage wants it at the same time.
    limits : LimitSet
        ``generator_loading_percent``, ``area_winter_cap_percent`` and ``repair_h`` are used.

    Returns
    -------
    AreaOutages
    """
    n = len(loads.households)
    kva = frozen(transformer_kva, np.float64, (n,), name="transformer_kva")
    repair_h = limits.repair_h.value
    ways = [_nothing(loads.households, repair_h)]
    generators = [
        _Unit(
            fit=households_that_fit(
                loads, most_kw=size * limits.generator_loading_percent.value / 100.0, most_kva=np.inf
            ),
            size=np.full(n, size),
            minutes=np.full(n, minutes),
        )
        for size, minutes in zip(remedies.generator_kw, remedies.generator_minutes, strict=True)
    ]
    spares = _spares(loads, kva, remedies, limits.area_winter_cap_percent.value / 100.0)
    ways += [_one(AreaRemedy.GENERATOR, unit, loads.households, repair_h) for unit in generators]
    ways += [_one(AreaRemedy.SPARE_TRANSFORMER, unit, loads.households, repair_h) for unit in spares]
    ways += [_both(first, then, loads.households, repair_h) for then in spares for first in generators]
    chosen = _best(ways)

    def of(name: str) -> FloatArray:
        return np.stack([getattr(way, name) for way in ways])[chosen, np.arange(n)]

    served = of("served").astype(np.int64)
    return AreaOutages(
        load_kw=loads.whole_kw(),
        peak_case=loads.peak_case,
        remedy=np.array([str(way.remedy) for way in ways])[chosen],
        **{name: of(name) for name in ("generator_kw", "spare_kva", "generator_minutes", "generator_households")},
        restore_minutes=of("minutes"),
        served_households=served,
        unsupplied_households=loads.households - served,
        household_hours=of("hours"),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Unit:
    """A generator or a spare for each area: households it carries, rating, and when it supplies; shape (n_area,)."""

    fit: IntArray
    size: FloatArray
    minutes: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Way:
    """What a remedy does for each area, shape (n_area,); fewer than no households served where it is none."""

    remedy: AreaRemedy
    served: FloatArray
    minutes: FloatArray
    hours: FloatArray
    generator_kw: FloatArray
    spare_kva: FloatArray
    generator_minutes: FloatArray
    generator_households: FloatArray


def _nothing(households: IntArray, repair_h: float) -> _Way:
    unknown = np.full(len(households), np.nan)
    return _Way(
        remedy=AreaRemedy.NONE,
        served=np.zeros(len(households)),
        minutes=unknown,
        hours=np.asarray(households * repair_h, dtype=np.float64),
        generator_kw=unknown,
        spare_kva=unknown,
        generator_minutes=unknown,
        generator_households=unknown,
    )


def _one(remedy: AreaRemedy, unit: _Unit, households: IntArray, repair_h: float) -> _Way:
    """Return one generator or one spare transformer by itself."""
    unknown = np.full(len(households), np.nan)
    is_generator = remedy == AreaRemedy.GENERATOR
    return _Way(
        remedy=remedy,
        served=np.where(unit.fit > 0, unit.fit, -1).astype(np.float64),
        minutes=unit.minutes,
        hours=households * unit.minutes / 60.0 + (households - unit.fit) * repair_h,
        generator_kw=unit.size if is_generator else unknown,
        spare_kva=unknown if is_generator else unit.size,
        generator_minutes=unit.minutes if is_generator else unknown,
        generator_households=unit.fit.astype(np.float64) if is_generator else unknown,
    )


def _both(first: _Unit, then: _Unit, households: IntArray, repair_h: float) -> _Way:
    """Return a generator for some households until the spare transformer stands, where that helps anybody."""
    helps = (first.fit > 0) & (first.fit < then.fit) & (first.minutes < then.minutes)
    waiting = (households - first.fit) * (then.minutes - first.minutes) / 60.0
    return _Way(
        remedy=AreaRemedy.GENERATOR_THEN_SPARE,
        served=np.where(helps, then.fit, -1).astype(np.float64),
        minutes=then.minutes,
        hours=households * first.minutes / 60.0 + waiting + (households - then.fit) * repair_h,
        generator_kw=first.size,
        spare_kva=then.size,
        generator_minutes=first.minutes,
        generator_households=first.fit.astype(np.float64),
    )


def _spares(loads: AreaLoads, kva: FloatArray, remedies: Remedies, most: float) -> list[_Unit]:
    """Return for each area the spare of its own size and the one above; one that is not there carries nobody."""
    n_spare = len(remedies.spare_kva)
    if not n_spare:
        return []
    # Ratings are whole numbers that went through per unit.
    same = np.minimum(np.searchsorted(remedies.spare_kva, kva * (1.0 - 1e-9)), n_spare - 1)
    result = []
    for place in (same, same + 1):
        there = place < n_spare
        at = np.minimum(place, n_spare - 1)
        size = remedies.spare_kva[at]
        fit = households_that_fit(loads, most_kw=np.inf, most_kva=size * most)
        result.append(_Unit(fit=np.where(there, fit, 0), size=size, minutes=remedies.spare_minutes[at]))
    return result


def _best(ways: list[_Way]) -> IntArray:
    """Return the place of the best way of each area; of equals the first, which is the smallest, shape (n_area,)."""
    served, minutes, hours = (np.stack([getattr(way, name) for way in ways]) for name in ("served", "minutes", "hours"))
    left = served == served.max(axis=0)
    for value in (np.nan_to_num(minutes, nan=np.inf), hours):
        among = np.where(left, value, np.inf)
        left &= among == among.min(axis=0)
    return np.asarray(left.argmax(axis=0), dtype=np.int64)
