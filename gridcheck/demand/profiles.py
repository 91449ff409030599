r"""Demand of classes over time, and the loads of buses made from it.

The power of :math:`N` alike units with a rated input of :math:`R` in total is

.. math:: P(N, t) = R \left[ m(t) + \left( s(t) - m(t) \right) \max(N / n_0, 1)^{-\alpha} \right]

with :math:`m` the mean over many homes and :math:`s` the power for which one home is planned, both per rated input, and
:math:`n_0` the homes that peak together every day: 1 except in the table for use on paper. It is linear in two
profiles, :math:`m` and :math:`s - m`, so loads stay in the factored form that power flow streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, TimeArray, frozen
from gridcheck.cases import FactoredLoads
from gridcheck.demand.clock import local_hour
from gridcheck.demand.coincidence import coincidence_pairs
from gridcheck.demand.households import mean_base_kw, pv_power_kw
from gridcheck.demand.houses import OutdoorCourse, smooth, trailing_mean
from gridcheck.demand.parameters import BASE, CLASSES, ROOFTOP_PV, DemandParameters, default_parameters
from gridcheck.demand.simulated import SIMULATED_HOMES, simulated_pairs
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError, SchemaError
from gridcheck.units import KW_PER_MW

DemandMethod = Literal["simulated", "coincidence", "fixed"]

_DAY_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassProfiles:
    """Course of every class of demand; row i is the case that starts at ``time_utc[i]``.

    Attributes
    ----------
    classes : tuple of str, length n_class
        ``base``, the device classes, models of a planner's own, and ``rooftop_pv`` where there is any.
    time_utc : ndarray of datetime64[ns], shape (n_case,)
        Start of each case.
    temperature_c : ndarray, shape (n_case,)
        Outdoor temperature. [degC]
    duration_h : float
        Length of each case. [h]
    mean : ndarray, shape (n_case, n_class)
        Mean power of many units: per rated input for heaters, per home lived in for base load, per rated power and
        negative for roofs. [1], [kW]
    single : ndarray, shape (n_case, n_class)
        Power for which one unit is planned, in the unit of `mean`, never below it: what one home in twenty exceeds
        where homes are simulated, its own peak otherwise.
    alpha, tan_phi : ndarray, shape (n_class,)
        Exponent of diversity; reactive over active power. [1]
    together : ndarray, shape (n_class,)
        Homes that peak together every day, at least 1; 1 where not given. [1]
    """

    classes: tuple[str, ...]
    time_utc: TimeArray
    temperature_c: FloatArray
    duration_h: float
    mean: FloatArray
    single: FloatArray
    alpha: FloatArray
    tan_phi: FloatArray
    together: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n_case, n_class = len(self.time_utc), len(self.classes)
        object.__setattr__(self, "time_utc", frozen(self.time_utc, "datetime64[ns]", (n_case,), name="time_utc"))
        object.__setattr__(
            self, "temperature_c", frozen(self.temperature_c, np.float64, (n_case,), name="temperature_c")
        )
        for name, shape in (
            ("mean", (n_case, n_class)),
            ("single", (n_case, n_class)),
            ("alpha", (n_class,)),
            ("tan_phi", (n_class,)),
            ("together", (n_class,)),
        ):
            given = getattr(self, name)
            value = np.ones(shape) if name == "together" and given is None else given
            object.__setattr__(self, name, frozen(value, np.float64, shape, name=name))
        draws = np.array([name != ROOFTOP_PV for name in self.classes], dtype=bool)
        if (self.single < self.mean).any() or (self.mean[:, draws] < 0.0).any():
            raise InputError("profiles must have 0 <= mean <= single in every case and class; only roofs feed in.")
        if not (self.together >= 1.0).all():
            raise InputError("together must be at least one home in every class.")

    @property
    def n_case(self) -> int:
        """Number of cases."""
        return len(self.time_utc)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCounts:
    """What stands in each area; row i is the area at position i.

    Attributes
    ----------
    rated_kw : ndarray, shape (n_area, n_class)
        Sum of the rated input of all heaters; for base load the homes lived in times the area's level; of roofs the
        sum of their rated power. [kW], [1]
    count : ndarray, shape (n_area, n_class)
        Number of homes with the class.
    """

    rated_kw: FloatArray
    count: FloatArray

    def __post_init__(self) -> None:
        shape = (len(self.rated_kw), max(np.shape(self.rated_kw)[-1], len(CLASSES)))
        for name in ("rated_kw", "count"):
            value = frozen(getattr(self, name), np.float64, shape, name=name)
            if not np.isfinite(value).all() or (value < 0.0).any():
                raise InputError(f"{name} must be finite and not negative in every area and class.")
            object.__setattr__(self, name, value)
        rows = np.flatnonzero(((self.rated_kw > 0.0) & (self.count <= 0.0)).any(axis=1))
        if len(rows):
            raise InputError(
                "rated_kw needs a count of homes where it is not zero.",
                [f"area at position {row}" for row in rows[:20]],
            )


def class_profiles(
    weather: Weather,
    *,
    parameters: DemandParameters | None = None,
    method: DemandMethod = "simulated",
    seed: int = 0,
    n_home: int = SIMULATED_HOMES,
    fixed_share: float = 1.0,
    rooftop_pv: bool = False,
) -> ClassProfiles:
    """Return the course of every class of demand in the study window of a weather.

    Parameters
    ----------
    weather : Weather
        Weather with its days before the window.
    parameters : DemandParameters, optional
        Parameters of the model; the catalogue's by default.
    method : {"simulated", "coincidence", "fixed"}
        Homes simulated one by one; the table of coincidence factors that planners use on paper; or the same share
        of the rated input at all hours, without diversity, for audits.
    seed : int
        Seed of the simulated homes.
    n_home : int
        Simulated homes of each class.
    fixed_share : float
        Power over rated input of the method ``"fixed"``. [1]
    rooftop_pv : bool
        Whether to add the class of roofs. All of them see the same sun, so they have no diversity; they feed in
        around noon and nothing at the peaks of heating in the evening and the morning.

    Returns
    -------
    ClassProfiles
        Study window only.

    Raises
    ------
    InputError
        If the method is not known, or the window touches a Spring Festival that the calendar does not have.
    """
    chosen = default_parameters() if parameters is None else parameters
    window = weather.study
    together = np.ones(len(chosen.classes))
    if method == "simulated":
        mean, single = simulated_pairs(weather, chosen, seed=seed, n_home=n_home)
        alpha = np.full(len(chosen.classes), 0.5)
    elif method in ("coincidence", "fixed"):
        base = _base_profile(weather, chosen)
        if method == "coincidence":
            heating, alpha, heaters_together = coincidence_pairs(weather)
        else:
            level = np.full((len(base[0]), len(chosen.devices)), fixed_share)
            heating, alpha, heaters_together = (level, level), *np.ones((2, len(chosen.devices)))
        mean, single = (np.column_stack([own, heat]) for own, heat in zip(base, heating, strict=True))
        alpha = np.concatenate([[chosen.base["alpha"]], alpha])
        # On paper a model is one of its class.
        column = [CLASSES.index(name) for name in (*CLASSES, *(model.device for model in chosen.models))]
        together = np.concatenate([[1.0], heaters_together])[column]
        mean, single, alpha = mean[:, column], single[:, column], alpha[column]
    else:
        raise InputError(f"method must be simulated, coincidence or fixed. Got {method!r}.")
    heaters = [device.cos_phi for device in chosen.devices] + [model.cos_phi for model in chosen.models]
    cos_phi = np.array([chosen.base["cos_phi"], *heaters])
    classes = chosen.classes
    if rooftop_pv:
        classes, together = (*classes, ROOFTOP_PV), np.append(together, 1.0)
        alpha, cos_phi = np.append(alpha, 1.0), np.append(cos_phi, 1.0)
        fed_in = -pv_power_kw(weather, 1.0, chosen)
        mean, single = (np.column_stack([course, fed_in]) for course in (mean, single))
    return ClassProfiles(
        classes=classes,
        time_utc=weather.time_utc[window],
        temperature_c=weather.temperature_c[window],
        duration_h=weather.step_h,
        mean=mean,
        single=single,
        alpha=alpha,
        tan_phi=np.sqrt(1.0 - cos_phi**2) / cos_phi,
        together=together,
    )


def outdoor_course(weather: Weather, parameters: DemandParameters) -> OutdoorCourse:
    """Return what houses see of a weather, warm-up included."""
    step_h, tau_h = weather.step_h, parameters.house["outdoor_smoothing_h"]
    solar = weather.solar_w_per_m2
    return OutdoorCourse(
        hour=local_hour(weather.time_utc),
        temperature_c=weather.temperature_c,
        daily_mean_c=trailing_mean(weather.temperature_c, step_h=step_h),
        smoothed_c=smooth(weather.temperature_c, step_h=step_h, time_constant_h=tau_h),
        # Half of the sun warms the air at once, half goes into the walls.
        solar_w_per_m2=0.5 * (solar + smooth(solar, step_h=step_h, time_constant_h=tau_h)),
        humidity_percent=weather.humidity_percent,
    )


def class_counts(
    areas: pd.DataFrame, heating: pd.DataFrame, *, classes: tuple[str, ...] = CLASSES, pv_kwp_per_home: float = 0.0
) -> ClassCounts:
    """Count homes and rated input of every class in every area.

    Parameters
    ----------
    areas : DataFrame
        ``area_id``, ``occupied_households``, ``base_kw_factor``.
    heating : DataFrame
        ``area_id``, ``device``, ``households``, ``rated_kw``; several rows of an area and device add up. Choose
        layers by leaving rows out.
    classes : tuple of str
        Classes of the profiles that the counts go with.
    pv_kwp_per_home : float
        Rated power on roofs per home lived in, homes without any included; counts where `classes` have roofs. [kW]

    Returns
    -------
    ClassCounts
        In the order of `areas`.

    Raises
    ------
    SchemaError
        If a column is missing, an area stands twice, or `heating` names an unknown area or device.
    """
    missing = [
        f"areas: column {name}" for name in ("area_id", "occupied_households", "base_kw_factor") if name not in areas
    ]
    missing += [
        f"heating: column {name}" for name in ("area_id", "device", "households", "rated_kw") if name not in heating
    ]
    if missing:
        raise SchemaError("Columns are missing that class counts need.", missing)
    ids = pd.Index(areas["area_id"])
    findings = [f"areas: area_id {name} stands more than once" for name in ids[ids.duplicated()]]
    area = ids.get_indexer(pd.Index(heating["area_id"])) if ids.is_unique else np.zeros(len(heating), dtype=np.int64)
    heaters = [name for name in classes if name not in (BASE, ROOFTOP_PV)]
    column = pd.Index(heaters).get_indexer(pd.Index(heating["device"])) + 1
    findings += [f"heating: area_id {name} is not in areas" for name in heating["area_id"].to_numpy()[area < 0]]
    findings += [
        f"heating: device {name} is not one of {', '.join(heaters)}"
        for name in heating["device"].to_numpy()[column < 1]
    ]
    if findings:
        raise SchemaError("Areas and heating do not fit together.", findings)
    rated_kw, count = np.zeros((len(areas), len(classes))), np.zeros((len(areas), len(classes)))
    count[:, 0] = areas["occupied_households"].to_numpy(np.float64)
    rated_kw[:, 0] = count[:, 0] * areas["base_kw_factor"].to_numpy(np.float64)
    if ROOFTOP_PV in classes:
        count[:, -1], rated_kw[:, -1] = count[:, 0], pv_kwp_per_home * count[:, 0]
    np.add.at(rated_kw, (area, column), heating["rated_kw"].to_numpy(np.float64))
    np.add.at(count, (area, column), heating["households"].to_numpy(np.float64))
    return ClassCounts(rated_kw=rated_kw, count=count)


def factored_loads(
    profiles: ClassProfiles, counts: ClassCounts, *, area_bus: IntArray, n_bus: int, group: IntArray | None = None
) -> FactoredLoads:
    """Return the loads of all buses, with the diversity of each area or of each group of areas.

    Parameters
    ----------
    profiles : ClassProfiles
        Course of the classes.
    counts : ClassCounts
        What stands in each area.
    area_bus : ndarray of int, shape (n_area,)
        Position of the bus that an area loads.
    n_bus : int
        Number of buses.
    group : ndarray of int, shape (n_area,), optional
        Group of each area, for example the position of its feeder: the homes of a whole group then share one
        diversity, as a feeder sees it. Without it every area has its own, as its transformer sees it.

    Returns
    -------
    FactoredLoads
        Columns: the means of all classes, then their spreads (single less mean). [MW]

    Raises
    ------
    InputError
        If positions are out of range or lengths differ.

    Notes
    -----
    The formula holds for units of one size. Where sizes differ much, a unit of less than ``2**alpha - 1`` (0.4 to 0.7)
    of the mean rating lowers the spread of an area of very few homes by more than it adds.
    """
    n_area = len(counts.rated_kw)
    bus = frozen(area_bus, np.int64, (n_area,), name="area_bus")
    if n_area and (bus.min() < 0 or bus.max() >= n_bus):
        raise InputError(f"area_bus must lie in [0, {n_bus}). Got {bus.min()} to {bus.max()}.")
    if counts.rated_kw.shape[1] != len(profiles.classes):
        raise InputError(f"counts must have the classes {', '.join(profiles.classes)} of the profiles.")
    spread_kw = counts.rated_kw * diversity(counts.count, profiles, group=group)
    weight = np.zeros((n_bus, 2 * len(profiles.classes)))
    np.add.at(weight, bus, np.concatenate([counts.rated_kw, spread_kw], axis=1) / KW_PER_MW)
    return FactoredLoads(
        p_weight_mw=weight,
        q_weight_mvar=weight * np.tile(profiles.tan_phi, 2),
        profile=np.concatenate([profiles.mean, profiles.single - profiles.mean], axis=1),
        duration_h=np.full(profiles.n_case, profiles.duration_h),
    )


def diversity(count: FloatArray, profiles: ClassProfiles, *, group: IntArray | None = None) -> FloatArray:
    """Return the share of the spread that remains, ``max(N / n0, 1)**-alpha``, shape (n_area, n_class). [1]

    It is 0 without units.

    Parameters
    ----------
    count : ndarray, shape (n_area, n_class)
        Homes per area and class.
    profiles : ClassProfiles
        Exponents, and homes that peak together.
    group : ndarray of int, shape (n_area,), optional
        Group whose homes share one diversity; each area alone by default.
    """
    homes = count
    if group is not None:
        position = frozen(group, np.int64, (len(count),), name="group")
        if len(position) and position.min() < 0:
            raise InputError("group must not be negative: every area belongs to a group.")
        total = np.zeros((int(position.max(initial=-1)) + 1, count.shape[1]))
        np.add.at(total, position, count)
        homes = total[position]
    # Part of a home counts as one: nothing draws more than its own peak.
    return np.where(count > 0.0, np.maximum(homes / profiles.together, 1.0) ** -profiles.alpha, 0.0)


def _base_profile(weather: Weather, parameters: DemandParameters) -> tuple[FloatArray, FloatArray]:
    """Return mean and single base load per home lived in, shape (n,). [kW]

    One home's own peak follows the shape of the day; it is not raised at the festival, when more homes cook at once.
    """
    base = parameters.base
    by_hour = np.array([base[f"shape_hour_{number:02d}"] for number in range(_DAY_HOURS)])
    by_hour = by_hour / by_hour.mean()
    # Hourly values are means over the hour, so they stand at its middle; the day is closed on both sides.
    middle = np.arange(-1, _DAY_HOURS + 1) + 0.5
    hour = local_hour(weather.time_utc[weather.study])
    shape = np.interp(hour, middle, by_hour[np.arange(-1, _DAY_HOURS + 1) % _DAY_HOURS])
    mean = mean_base_kw(weather, parameters) * shape
    single = np.maximum(base["single_peak_kw"] * shape / by_hour.max(), mean)
    return mean, single
