"""What a calibration is given, area by area, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gridcheck.arrays import FloatArray, TimeArray, frozen
from gridcheck.catalogue import DEVICE_CLASSES
from gridcheck.demand.clock import local_day
from gridcheck.errors import InputError

LEAST_DAYS = 10
"""Days with readings below which nothing is estimated. [E]"""
LEAST_SHARE_SPREAD = 0.03
"""Standard deviation over the areas of the converted share below which base load and heating stay one sum. [E]"""

_QUARTER = np.timedelta64(15, "m")
# Outside these no heating season of the plain has ever been; Fahrenheit and kelvin are.
_COLDEST_C, _WARMEST_C, _WARMEST_MEAN_C = -35.0, 42.0, 20.0
# No village draws more per home on any day; watts do.
_MOST_KW_PER_HOME = 30.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AreaReadings:
    """Measured power of one area (台区), its weather, and the homes behind its transformer.

    Attributes
    ----------
    area_id : str
        Area.
    time_utc : ndarray of datetime64[ns], shape (n,)
        Start of each quarter hour, in any order, none twice.
    power_kw : ndarray, shape (n,)
        Active power; NaN where not measured, never zero. [kW]
    temperature_c : ndarray, shape (n,)
        Outdoor air temperature at these times, finite. Days before the first reading, with NaN as power, tell what
        the walls remember. [degC]
    homes : float
        Homes lived in, converted ones included.
    converted : mapping of str to float
        Converted homes by class of heater, names of ``DEVICE_CLASSES``; a class that is left out has none.
    """

    area_id: str
    time_utc: TimeArray
    power_kw: FloatArray
    temperature_c: FloatArray
    homes: float
    converted: Mapping[str, float]

    def __post_init__(self) -> None:
        n = len(self.time_utc)
        object.__setattr__(self, "time_utc", frozen(self.time_utc, "datetime64[ns]", (n,), name="time_utc"))
        for name in ("power_kw", "temperature_c"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n,), name=name))
        object.__setattr__(self, "converted", MappingProxyType(dict(sorted(self.converted.items()))))
        findings = [*self._wrong_counts(), *self._wrong_times(), *self._wrong_values()]
        if findings:
            raise InputError(f"Readings of area {self.area_id} cannot be used; correct what is named.", findings)

    def _wrong_counts(self) -> list[str]:
        findings = [
            f"converted: {name!r} is not one of {', '.join(DEVICE_CLASSES)}"
            for name in self.converted
            if name not in DEVICE_CLASSES
        ]
        counts = {"homes": self.homes, **self.converted}
        findings += [
            f"{name}: a count is finite and not negative, got {count}"
            for name, count in counts.items()
            if not (np.isfinite(count) and count >= 0.0)
        ]
        if not findings and not 0.0 < self.homes >= self.n_converted:
            findings.append(
                f"homes: must be above 0 and not below the {self.n_converted:g} converted homes, got {self.homes:g}"
            )
        return findings

    def _wrong_times(self) -> list[str]:
        if not len(self.time_utc):
            return ["time_utc: there is no reading"]
        if np.isnat(self.time_utc).any():
            return ["time_utc: a time is missing"]
        findings = []
        repeated = len(self.time_utc) - len(np.unique(self.time_utc))
        if repeated:
            findings.append(f"time_utc: {repeated} times stand more than once; keep one reading of each")
        odd = int((self.time_utc.astype(np.int64) % _QUARTER.astype("timedelta64[ns]").astype(np.int64) != 0).sum())
        if odd:
            findings.append(f"time_utc: {odd} times are not the start of a quarter hour")
        measured = np.isfinite(self.power_kw)
        days = len(np.unique(local_day(self.time_utc[measured])))
        if days < LEAST_DAYS:
            findings.append(
                f"power_kw: readings of {days} days; at least {LEAST_DAYS} are needed, or leave the area out"
            )
        return findings

    def _wrong_values(self) -> list[str]:
        if not len(self.time_utc):
            return []
        if not np.isfinite(self.temperature_c).all():
            return ["temperature_c: must be finite at every time; fill the gaps first"]
        low, mean, high = self.temperature_c.min(), self.temperature_c.mean(), self.temperature_c.max()
        findings = []
        if low < _COLDEST_C or high > _WARMEST_C or mean > _WARMEST_MEAN_C:
            findings.append(
                f"temperature_c: {low:.0f} to {high:.0f}, mean {mean:.0f}, is no heating season in degrees Celsius; "
                "is it Fahrenheit?"
            )
        if np.isinf(self.power_kw).any():
            findings.append("power_kw: infinite; write NaN where not measured")
        elif self.homes > 0.0 and np.isfinite(self.power_kw).any():
            per_home = float(np.nanmedian(self.power_kw)) / self.homes
            if per_home > _MOST_KW_PER_HOME:
                findings.append(f"power_kw: {per_home:.0f} kW per home; is it in watts?")
        return findings

    @property
    def n_converted(self) -> float:
        """Converted homes of all classes."""
        return float(sum(self.converted.values()))


def require_contrast(areas: Sequence[AreaReadings]) -> float:
    """Return the spread of the converted share over the areas: without it base load and heating are one sum. [1]

    Raises
    ------
    InputError
        If an area stands twice, no home is converted, or the shares of all areas are nearly alike.
    """
    ids = [area.area_id for area in areas]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise InputError("Every area may stand once.", [f"area {name} stands more than once" for name in repeated])
    homes = np.array([area.homes for area in areas])
    share = np.array([area.n_converted for area in areas]) / homes
    if not share.any():
        raise InputError("No area has converted homes, so there is no heating to estimate. Add areas that have.")
    spread = float(np.sqrt(np.average((share - np.average(share, weights=homes)) ** 2, weights=homes)))
    if spread < LEAST_SHARE_SPREAD:
        raise InputError(
            f"All {len(areas)} areas have nearly the same converted share ({share.min():.0%} to {share.max():.0%}), so "
            "base load and heating cannot be told apart. Add areas with few or no converted homes."
        )
    return spread
