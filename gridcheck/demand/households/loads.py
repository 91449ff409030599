"""Homes one by one as loads of buses: each on the phase of its service point, added up while they are simulated.

A row of the sums is a phase of a bus, ``3 * bus + phase``, so nothing of the size homes x steps is ever stored. Sums
are in single precision, load cases in double. Homes on three phases are balanced with all that they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray, frozen
from gridcheck.cases import LoadCases, PhaseLoadCases
from gridcheck.demand.households.base_load import simulate_base
from gridcheck.demand.households.rooftop_pv import pv_power_kw
from gridcheck.demand.households.simulation import simulate
from gridcheck.demand.households.zones import Homes, ZoneArray, heated_zones
from gridcheck.demand.parameters import DemandParameters
from gridcheck.demand.weather import Weather
from gridcheck.errors import InputError
from gridcheck.units import KW_PER_MW

_PHASES = 3
_Power = tuple[Float32Array, Float32Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServicePoints:
    """Where homes meet the grid; position i is the home at position i of a `Homes`.

    Attributes
    ----------
    bus_of_home : ndarray of int, shape (n_home,)
        Position of the bus in ``network.bus_id``.
    n_bus : int
        Number of buses of the network.
    is_heated : ndarray of bool, shape (n_home,)
        Homes whose electric heating runs; all where not given. Layers (before, key area, applications) are masks over
        the same homes, so that they differ by nothing else.
    pv_kwp : ndarray, shape (n_home,)
        Rated power of the modules on the roof; none where not given. [kW]
    """

    bus_of_home: IntArray
    n_bus: int
    is_heated: BoolArray = None  # type: ignore[assignment]
    pv_kwp: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n = len(self.bus_of_home)
        for name, kind, otherwise in (
            ("bus_of_home", np.int64, 0), ("is_heated", np.bool_, True), ("pv_kwp", np.float64, 0.0),
        ):  # fmt: skip
            given = getattr(self, name)
            value = frozen(np.full(n, otherwise) if given is None else given, kind, (n,), name=name)
            object.__setattr__(self, name, value)
        outside = np.flatnonzero((self.bus_of_home < 0) | (self.bus_of_home >= self.n_bus))
        findings = [f"home at position {place}: bus {self.bus_of_home[place]}" for place in outside[:20]]
        bad = np.flatnonzero(~(np.isfinite(self.pv_kwp) & (self.pv_kwp >= 0.0)))
        findings += [f"home at position {place}: pv_kwp {self.pv_kwp[place]}" for place in bad[:20]]
        if findings:
            raise InputError(
                f"buses must be positions in [0, {self.n_bus}), and pv_kwp finite and not negative.", findings
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HouseholdLoads:
    """Loads of all buses in the study window of a weather; consumption positive.

    Attributes
    ----------
    p_kw, q_kvar : ndarray of float32, shape (n_bus, 3, n_step)
        Power of each phase of each bus. [kW], [kvar]
    heating_kwh : ndarray, shape (n_home,)
        Electricity for heating of each home, 0 where it does not run. [kWh]
    step_h : float
        Length of a step. [h]
    """

    p_kw: Float32Array
    q_kvar: Float32Array
    heating_kwh: FloatArray
    step_h: float

    def __post_init__(self) -> None:
        shape = (len(self.p_kw), _PHASES, None)
        for name in ("p_kw", "q_kvar"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32, shape, name=name))
        object.__setattr__(self, "heating_kwh", frozen(self.heating_kwh, np.float64, (None,), name="heating_kwh"))

    def with_stations(
        self, zones: ZoneArray, weather: Weather, parameters: DemandParameters, *, threads: int | None = None
    ) -> HouseholdLoads:
        """Return these loads with village stations added, balanced over the phases.

        Parameters
        ----------
        zones : ndarray of ZONE
            From `station_zones`, groups as positions of buses.
        weather : Weather
            Weather of these loads.
        parameters : DemandParameters
            Parameters of devices and houses.
        threads : int, optional
            Threads; as many as the machine has where not given.
        """
        made = simulate(zones, weather, parameters, n_group=len(self.p_kw), threads=threads)
        p_kw, q_kvar = self.p_kw.copy(), self.q_kvar.copy()
        _add_balanced(p_kw, made.power_kw)
        _add_balanced(q_kvar, made.reactive_kvar)
        return replace(self, p_kw=p_kw, q_kvar=q_kvar)


def household_loads(
    homes: Homes,
    points: ServicePoints,
    weather: Weather,
    parameters: DemandParameters,
    *,
    seed: int,
    threads: int | None = None,
) -> HouseholdLoads:
    """Simulate base load, heating and rooftop PV of homes and add them up on the phases of buses.

    Parameters
    ----------
    homes : Homes
        Homes lived in at some time of the winter, with the heaters they have or would buy.
    points : ServicePoints
        Where each is connected, and what of it runs.
    weather : Weather
        Weather with its days before the window.
    parameters : DemandParameters
        Parameters of the model.
    seed : int
        Seed of the homes, as for `draw_homes`.
    threads : int, optional
        Threads; as many as the machine has where not given. The result does not depend on it.

    Raises
    ------
    InputError
        If `points` are not those of `homes`.
    """
    if len(points.bus_of_home) != homes.n_home:
        raise InputError(f"points must have one bus for each of {homes.n_home} homes. Got {len(points.bus_of_home)}.")
    heating_kwh = np.zeros(homes.n_home)

    def heating(own: IntArray, row: IntArray, n_row: int) -> _Power:
        own, row = own[points.is_heated[own]], row[points.is_heated[own]]
        # Zones of one row stand together, so that threads can share them out.
        order = np.argsort(row, kind="stable")
        own = own[order]
        zones = heated_zones(homes.at(own), parameters, seed=seed, step_s=weather.step_h * 3600.0, group=row[order])
        made = simulate(zones, weather, parameters, n_group=n_row, threads=threads)
        heating_kwh[own] = np.bincount(zones["home"], weights=made.energy_kwh, minlength=len(own))
        return made.power_kw, made.reactive_kvar

    def base(own: IntArray, row: IntArray, n_row: int) -> _Power:
        # Migrants who are told apart make the festival's extra load themselves.
        is_away = homes.is_away[own] if homes.is_away.any() else None
        return simulate_base(homes.home[own], weather, parameters, seed=seed, group=row, n_group=n_row, is_away=is_away)

    is_balanced = homes.phases == _PHASES
    p_kw, q_kvar = _on_phases(base, homes, points, is_balanced=is_balanced)
    more_kw, more_kvar = _on_phases(heating, homes, points, is_balanced=is_balanced)
    p_kw += more_kw
    q_kvar += more_kvar
    _feed_in(p_kw, homes, points, weather=weather, parameters=parameters)
    return HouseholdLoads(p_kw=p_kw, q_kvar=q_kvar, heating_kwh=heating_kwh, step_h=weather.step_h)


def load_cases(loads: HouseholdLoads) -> LoadCases:
    """Return the loads of buses as balanced cases, one per step."""
    return LoadCases(
        p_mw=loads.p_kw.sum(axis=1, dtype=np.float64).T / KW_PER_MW,
        q_mvar=loads.q_kvar.sum(axis=1, dtype=np.float64).T / KW_PER_MW,
        duration_h=np.full(loads.p_kw.shape[2], loads.step_h),
    )


def phase_load_cases(loads: HouseholdLoads) -> PhaseLoadCases:
    """Return the loads of buses by phase, one case per step."""
    return PhaseLoadCases(
        p_mw=loads.p_kw.transpose(2, 0, 1) / np.float64(KW_PER_MW),
        q_mvar=loads.q_kvar.transpose(2, 0, 1) / np.float64(KW_PER_MW),
        duration_h=np.full(loads.p_kw.shape[2], loads.step_h),
    )


def _on_phases(
    make: Callable[[IntArray, IntArray, int], _Power], homes: Homes, points: ServicePoints, *, is_balanced: BoolArray
) -> _Power:
    """Return sums by phase of buses, shape (n_bus, 3, n_step), of what is made of homes and their rows."""
    single, balanced = np.flatnonzero(~is_balanced), np.flatnonzero(is_balanced)
    bus, n_bus = points.bus_of_home, points.n_bus
    p, q = (
        sums.reshape(n_bus, _PHASES, -1)
        for sums in make(single, _PHASES * bus[single] + homes.phase[single], _PHASES * n_bus)
    )
    if len(balanced):
        for sums, evenly in zip((p, q), make(balanced, bus[balanced], n_bus), strict=True):
            _add_balanced(sums, evenly)
    return p, q


def _add_balanced(sums: Float32Array, evenly: Float32Array) -> None:
    """Add a third of each bus to each of its phases, in place."""
    sums += evenly[:, None, :] / np.float32(_PHASES)


def _feed_in(
    p_kw: Float32Array, homes: Homes, points: ServicePoints, *, weather: Weather, parameters: DemandParameters
) -> None:
    """Take from the sums, in place, what roofs feed in: larger plants on three phases, whatever the home has."""
    kwp = np.zeros((points.n_bus, _PHASES))
    is_small = (points.pv_kwp <= parameters.house["pv_single_phase_max_kw"]) & (homes.phases < _PHASES)
    bus, small = points.bus_of_home, np.flatnonzero(is_small)
    np.add.at(kwp, (bus[small], homes.phase[small]), points.pv_kwp[small])
    np.add.at(kwp, bus[~is_small], points.pv_kwp[~is_small, None] / _PHASES)
    course = pv_power_kw(weather, 1.0, parameters).astype(np.float32)
    for row in np.flatnonzero(kwp.any(axis=1)):
        p_kw[row] -= kwp[row, :, None].astype(np.float32) * course
