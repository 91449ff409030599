r"""A pool of simulated homes from which the homes of an area are drawn, kept at the hours that may be the worst.

A class has one mean over time, but what breaks a limit below one transformer is who cooks and heats at the same time.
So single homes of every class are simulated in the weather of the study (`simulated_class`), and home h of area a
behaves in draw d like the member

.. math:: i = H(seed, a, h, class, d) \bmod n

with H a hash. It depends on nothing else: the same home behaves alike in every alternative that is compared (common
random numbers), whoever else is connected. All steps of a draw come from the same member, so an hour keeps its past.

Only windows of consecutive steps are kept: those in which the county, or one class with its base load, draws most, at
different times of day; the step in which it draws least; and the step of the sun, where roofs feed in. A probability
that is made of them is that of these hours, the heaviest ones, and not of the whole winter: over all steps of a cold
wave of five days more draws break a limit, because each home has many more evenings to cook. `PoolSize.days` keeps the
same hours of more than one day, at the cost of as many more solutions.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray, UnsignedArray, frozen
from gridcheck.demand.clock import local_hour
from gridcheck.demand.households import draws
from gridcheck.demand.parameters import BASE, ROOFTOP_PV, DemandParameters
from gridcheck.demand.profiles import ClassProfiles, DemandMethod
from gridcheck.demand.simulated import SIMULATED_HOMES, simulated_class
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError

POOL_HOMES = SIMULATED_HOMES
"""Homes of each class in a pool: those from which the profiles come."""
MOST_WINDOWS = 4
# Windows nearer to each other than this, by the clock, are the same peak. [h] (E, range 2 to 6)
_APART_H = 4.0
# Heater of a home in a village where all have the same kind. [kW] (E, range 2 to 7)
_VILLAGE_KW = 3.0
# Half a quarter of an hour: the same hours of another day.
_SAME_H = 0.125
_NO_WINDOW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSize:
    """How much a pool keeps.

    Attributes
    ----------
    n_home : int
        Homes of each class.
    duration_h : float
        Length of a window: as long as an overload has to last. [h]
    days : int
        Days of which each window is kept, the heaviest first.
    """

    n_home: int = POOL_HOMES
    duration_h: float = 2.0
    days: int = 1


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class DrawPool:
    """Courses of simulated homes at chosen steps.

    Attributes
    ----------
    classes : tuple of str, length n_class
        As in the profiles that the steps were chosen from.
    case : ndarray of int, shape (n_step,)
        Position of each kept step among the cases of the profiles, ascending within a window.
    window : ndarray of int, shape (n_step,)
        Number of the window of heavy load to which a step belongs, -1 for the lightest steps.
    width : int
        Steps of the windows.
    n_peak : int
        Windows of different times of day; windows k and k + n_peak are the same hours of two days.
    tan_phi : ndarray, shape (n_class,)
        Reactive over active power. [1]
    share : tuple of ndarray of float32, each of shape (n_member, n_step)
        Power per rated input, for base load per home lived in; of roofs one course, negative. [1], [kW]
    """

    classes: tuple[str, ...]
    case: IntArray
    window: IntArray
    width: int
    tan_phi: FloatArray
    share: tuple[Float32Array, ...]
    n_peak: int = MOST_WINDOWS

    def __post_init__(self) -> None:
        n_step, n_class = len(self.case), len(self.classes)
        object.__setattr__(self, "case", frozen(self.case, np.int64, (n_step,), name="case"))
        object.__setattr__(self, "window", frozen(self.window, np.int64, (n_step,), name="window"))
        object.__setattr__(self, "tan_phi", frozen(self.tan_phi, np.float64, (n_class,), name="tan_phi"))
        if len(self.share) != n_class or not n_step:
            raise InputError(f"a pool needs some steps, and members of each of {n_class} classes.")
        share = tuple(frozen(part, np.float32, (None, n_step), name="share") for part in self.share)
        object.__setattr__(self, "share", share)

    @property
    def n_step(self) -> int:
        """Number of kept steps."""
        return len(self.case)

    def peak_steps(self, window: int) -> BoolArray:
        """Tell which steps are in a window or in the same hours of another day, shape (n_step,)."""
        return np.asarray((self.window >= 0) & (self.window % self.n_peak == window % self.n_peak))

    @property
    def is_light(self) -> BoolArray:
        """True at steps that stand for the highest voltage, shape (n_step,)."""
        return np.asarray(self.window == _NO_WINDOW)

    def courses(self, key: UnsignedArray, column: int, draw: IntArray) -> FloatArray:
        """Return what homes draw per rated input in some draws, shape (n_home, n_draw, n_step). [1], [kW]

        Parameters
        ----------
        key : ndarray of uint64, shape (n_home,)
            From `home_keys`.
        column : int
            Position of the class.
        draw : ndarray of int, shape (n_draw,)
            Numbers of the draws.
        """
        member = self.members(key, np.full(len(key), column), draw)
        return self.table[member]

    def members(self, key: UnsignedArray, column: IntArray, draw: IntArray) -> IntArray:
        """Return like whom in `table` homes behave in some draws, shape (n_home, n_draw).

        Parameters
        ----------
        key : ndarray of uint64, shape (n_home,)
            From `home_keys`.
        column : ndarray of int, shape (n_home,)
            Position of the class of each.
        draw : ndarray of int, shape (n_draw,)
            Numbers of the draws.
        """
        sizes = np.array([len(part) for part in self.share], dtype=np.uint64)
        bits = _mixed_with(key, _words(self.classes)[column], draw) % sizes[column][:, None]
        before = np.cumsum(np.append(0, sizes[:-1])).astype(np.int64)
        return np.asarray(bits.astype(np.int64) + before[column][:, None])

    @property
    def table(self) -> FloatArray:
        """Courses of all members of all classes, class by class, shape (n, n_step). [1], [kW]"""
        found = _TABLES.get(self)
        if found is None:
            found = _TABLES[self] = np.concatenate(self.share).astype(np.float64)
        return found


# A pool never changes, so what follows from it alone is kept for as long as it lives.
_TABLES: WeakKeyDictionary[DrawPool, FloatArray] = WeakKeyDictionary()


def home_keys(seed: int, area_id: str, home_id: tuple[str, ...]) -> UnsignedArray:
    """Return what tells the homes of an area from all others, shape (n_home,)."""
    number = [
        int.from_bytes(hashlib.blake2b(f"{area_id}/{home}".encode(), digest_size=8).digest(), "little", signed=True)
        for home in home_id
    ]
    return draws.keys(seed, np.array(number, dtype=np.int64))


def drawn_phases(key: UnsignedArray, draw: IntArray) -> IntArray:
    """Return a phase 0, 1 or 2 for each home and draw, all alike likely, shape (n_home, n_draw)."""
    return np.asarray((_bits(key, "phase", draw) % np.uint64(3)).astype(np.int64))


def _bits(key: UnsignedArray, purpose: str, draw: IntArray) -> UnsignedArray:
    """Return well-mixed bits of each home and draw, shape (n_home, n_draw); the low ones are as good as the high."""
    return _mixed_with(key, _words_of((purpose,)), draw)


def _mixed_with(key: UnsignedArray, word: UnsignedArray, draw: IntArray) -> UnsignedArray:
    """Do so for purposes that are given by their word, shape (1,) or (n_home,)."""
    start = draws.mixed(key ^ word)
    with np.errstate(over="ignore"):
        return draws.mixed(start[:, None] + np.asarray(draw, dtype=np.int64).view(np.uint64)[None, :])


@lru_cache(maxsize=64)
def _words(classes: tuple[str, ...]) -> UnsignedArray:
    """Return the words of the purposes of members, shape (n_class,)."""
    return _words_of(tuple(f"member of {name}" for name in classes))


@lru_cache(maxsize=64)
def _words_of(purposes: tuple[str, ...]) -> UnsignedArray:
    return draws.mixed(np.array([zlib.crc32(purpose.encode()) for purpose in purposes], dtype=np.uint64))


def draw_pool(
    profiles: ClassProfiles,
    weather: Weather,
    parameters: DemandParameters,
    *,
    rated_kw: FloatArray,
    seed: int,
    size: PoolSize | None = None,
) -> DrawPool:
    """Simulate homes of every class and keep them at the hours that may be the worst below a transformer.

    Parameters
    ----------
    profiles : ClassProfiles
        Of the same weather and parameters, method ``simulated``.
    weather, parameters, seed
        As in `simulated_pairs`.
    rated_kw : ndarray, shape (n_class,)
        What the county has of each class with everything connected that may be; classes without any count for
        nothing in the choice of steps, but are simulated. [kW], [1]
    size : PoolSize, optional
        How many homes and hours are kept.

    Returns
    -------
    DrawPool

    Raises
    ------
    InputError
        If the window of the weather is not that of the profiles.
    """
    n_case = len(weather.time_utc[weather.study])
    if n_case != profiles.n_case:
        raise InputError(f"weather must be that of the profiles: {profiles.n_case} steps. Got {n_case}.")
    chosen = PoolSize() if size is None else size
    width = max(1, min(round(chosen.duration_h / profiles.duration_h), profiles.n_case))
    case, window, n_peak = chosen_steps(profiles, rated_kw, width=width, days=chosen.days)
    share = []
    for column, name in enumerate(profiles.classes):
        if name == ROOFTOP_PV:
            share.append(profiles.mean[None, case, column].astype(np.float32))
            continue
        parts = simulated_class(column, weather, parameters, seed=seed, n_home=chosen.n_home)
        share.append(
            np.concatenate([(some.power_kw[:, case] / some.rated_kw[:, None]).astype(np.float32) for some in parts])
        )
    return DrawPool(
        classes=profiles.classes,
        case=case,
        window=window,
        width=width,
        tan_phi=profiles.tan_phi,
        share=tuple(share),
        n_peak=n_peak,
    )


def require_simulated(method: DemandMethod) -> None:
    """Refuse a method of demand without homes, from which nothing can be drawn.

    Raises
    ------
    InputError
        For ``"coincidence"`` and ``"fixed"``: they know a mean and a peak, and nothing of single homes.
    """
    if method != "simulated":
        raise InputError(
            f"demand method {method!r} has no single homes to draw from, so no probability can be given; the check of "
            "mean and planned peak remains. Set the method to 'simulated' to have one."
        )


def chosen_steps(
    profiles: ClassProfiles, rated_kw: FloatArray, *, width: int, days: int = 1
) -> tuple[IntArray, IntArray, int]:
    """Choose the windows of heaviest load at different times of day, and the lightest steps.

    Parameters
    ----------
    profiles : ClassProfiles
        Profiles.
    rated_kw : ndarray, shape (n_class,)
        What the county has of each class. [kW], [1]
    width : int
        Steps of a window.
    days : int
        Days of which each window is kept.

    Returns
    -------
    case, window : ndarray of int, shape (n_step,)
        Cases, and the number of the window of each: by falling load, day by day; -1 for light steps.
    n_peak : int
        Windows of one day.
    """
    held = np.asarray(rated_kw, dtype=np.float64)
    total = profiles.mean @ held
    kernel = np.full(width, 1.0 / width)
    hour = local_hour(profiles.time_utc)

    def begins(load: FloatArray, taken: list[int], most: int) -> None:
        """Add the beginnings of the heaviest windows that are no neighbours, by the clock, of those taken."""
        level = np.convolve(load, kernel, mode="valid")
        free = np.ones(len(level), dtype=bool)
        for begin in taken:
            free &= _clock_distance_h(hour[: len(level)], hour[begin]) >= _APART_H
        while free.any() and len(taken) < most:
            begin = int(np.argmax(np.where(free, level, -np.inf)))
            taken.append(begin)
            free &= _clock_distance_h(hour[: len(level)], hour[begin]) >= _APART_H

    taken: list[int] = []
    begins(total, taken, 2)
    # A village may have one kind of heater only: its own peak counts as well, that of the most common class first.
    heaters = [c for c, name in enumerate(profiles.classes) if name not in (BASE, ROOFTOP_PV) and held[c] > 0.0]
    for column in sorted(heaters, key=lambda c: (-held[c], c)):
        village = profiles.mean[:, 0] + _VILLAGE_KW * profiles.mean[:, column]
        peak = int(np.argmax(np.convolve(village, kernel, mode="valid")))
        apart = all(_clock_distance_h(hour[peak : peak + 1], hour[begin])[0] >= _APART_H for begin in taken)
        if apart and len(taken) < MOST_WINDOWS:
            taken.append(peak)
    light = {int(np.argmin(total)), int(np.argmin(profiles.mean[:, 0]))}
    if ROOFTOP_PV in profiles.classes:
        light.add(int(np.argmin(profiles.mean[:, profiles.classes.index(ROOFTOP_PV)])))
    level = np.convolve(total, kernel, mode="valid")
    begin_of: dict[int, int] = {}
    for peak, begin in enumerate(taken):
        same_hours = np.flatnonzero(_clock_distance_h(hour[: len(level)], hour[begin]) < _SAME_H)
        others = sorted(set(same_hours.tolist()) - {begin}, key=lambda b: (-level[b], b))
        for day, first in enumerate([begin, *others[: days - 1]]):
            begin_of[day * len(taken) + peak] = first
    numbers = sorted(begin_of)
    case = np.concatenate([*(begin_of[k] + np.arange(width) for k in numbers), np.array(sorted(light))])
    window = np.concatenate([np.repeat(numbers, width), np.full(len(light), _NO_WINDOW)])
    return case.astype(np.int64), window.astype(np.int64), len(taken)


def _clock_distance_h(hour: FloatArray, other: float) -> FloatArray:
    """Return how far apart times of day are, at most 12. [h]"""
    apart = np.abs(hour - other) % 24.0
    return np.minimum(apart, 24.0 - apart)
