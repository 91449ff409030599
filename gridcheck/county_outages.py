"""Outages of one county as a scenario sees them: what homes draw afterwards, and what lines may carry in the cold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.cases import FactoredLoads
from gridcheck.catalogue import GENERATOR, SPARE_TRANSFORMER, area_remedies
from gridcheck.checks.area_outages import AreaOutages, Remedies, area_loads, restore_areas
from gridcheck.checks.county_n_minus_1 import AfterOutage, county_n_minus_1
from gridcheck.checks.hourly_n_minus_1 import hourly_n_minus_1
from gridcheck.checks.records import FeederHours, NMinus1Row
from gridcheck.demand import ClassCounts, ClassProfiles, DemandParameters, Weather, factored_loads
from gridcheck.demand.after_outage import after_outage, calm_down_minutes
from gridcheck.demand.cooling import THRESHOLDS_C, Cooling, cooling, hours_until
from gridcheck.limits import LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.reinforcement.least_measures import LeastMeasure, OutageStudy, least_measures
from gridcheck.reinforcement.terms import default_terms
from gridcheck.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutageDemand:
    """What an outage changes in a study.

    Attributes
    ----------
    profiles, after : ClassProfiles
        Classes as usual, and when their supply has just come back; the same where no outage is assumed to last.
    warmest_c : float, optional
        Warmest air of the study, by which lines and main transformers may carry more; ratings hold where None. [degC]
    cooling : Cooling, optional
        Homes that lose their supply at the worst moment; None where no home is simulated.
    calm_down_minutes : float, optional
        Time from the return of supply until homes draw as usual; None where nothing is simulated. [min]
    """

    profiles: ClassProfiles
    after: ClassProfiles
    warmest_c: float | None
    cooling: Cooling | None = None
    calm_down_minutes: float | None = None


def outage_demand(
    scenario: Scenario,
    profiles: ClassProfiles,
    weather: Weather,
    parameters: DemandParameters,
    *,
    rated_kw: FloatArray,
) -> OutageDemand:
    """Make the demand after outages for a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its section ``outages`` and its method of demand.
    profiles : ClassProfiles
        Profiles of the study.
    weather : Weather
        Weather they were made from.
    parameters : DemandParameters
        Parameters they were made with.
    rated_kw : ndarray, shape (n_class,)
        What is connected of each class, whose load has to fall back. [kW]
    """
    # A fixed share stands for the nameplate already, and for homes of which nothing else is known.
    fixed, seed = scenario.demand.method == "fixed", scenario.study.seed
    hours = 0.0 if fixed else scenario.outages.hours_without_supply
    after = after_outage(profiles, weather, parameters, outage_h=hours, seed=seed)
    calm = None
    if after is not profiles:
        calm = calm_down_minutes(profiles, after, weather, parameters, rated_kw=rated_kw, outage=(hours, seed))
    return OutageDemand(
        profiles=profiles,
        after=after,
        warmest_c=float(profiles.temperature_c.max()) if scenario.outages.winter_ratings else None,
        cooling=None if fixed else cooling(weather, parameters, classes=profiles.classes, seed=seed),
        calm_down_minutes=calm,
    )


def unchanged(profiles: ClassProfiles) -> OutageDemand:
    """Return the demand of outages that change nothing."""
    return OutageDemand(profiles=profiles, after=profiles, warmest_c=None)


def study_outages(
    grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet, *, feeder_id: str = ""
) -> tuple[NMinus1Row, ...]:
    """Lose every section and outlet of a county, or of one feeder.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    counts : ClassCounts
        What is connected.
    demand : OutageDemand
        From `outage_demand`.
    limits : LimitSet
        Limits.
    feeder_id : str
        Only the outages of this feeder; of all where empty.
    """
    return county_n_minus_1(
        grid,
        whole_feeder_loads(grid, counts, demand.profiles),
        limits=limits,
        after=_after(grid, counts, demand),
        warmest_c=demand.warmest_c,
        feeder_id=feeder_id,
    )


def _after(grid: CountyGrid, counts: ClassCounts, demand: OutageDemand) -> AfterOutage | None:
    """Return what is known of the load when supply comes back, None where nothing is."""
    if demand.after is demand.profiles:
        return None
    loads = whole_feeder_loads(grid, counts, demand.after)
    return AfterOutage(loads=loads, calm_down_minutes=demand.calm_down_minutes)


def hours_of(grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet) -> tuple[FeederHours, ...]:
    """Lose every section and outlet of a county in every step, with usual loads; arguments as in `study_outages`."""
    loads = whole_feeder_loads(grid, counts, demand.profiles)
    return hourly_n_minus_1(grid, loads, limits=limits, warmest_c=demand.warmest_c)


def measures_of(
    grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet, rows: Sequence[NMinus1Row]
) -> tuple[LeastMeasure, ...]:
    """Find the least measure of every feeder that does not pass; arguments as in `study_outages`, `rows` from it."""
    after = _after(grid, counts, demand)
    study = OutageStudy(
        loads=whole_feeder_loads(grid, counts, demand.profiles),
        loads_after=None if after is None else after.loads,
        limits=limits,
        warmest_c=demand.warmest_c,
    )
    return least_measures(grid, study, rows, default_terms())


def cold_hours(grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, rows: Sequence[NMinus1Row]) -> FloatArray:
    """Return how soon homes that an outage leaves off are cold.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    counts : ClassCounts
        What is connected.
    demand : OutageDemand
        From `outage_demand`.
    rows : sequence of NMinus1Row
        Outages of the county. The mix of heaters is that of the feeder, below a main transformer that of its areas,
        and that of the county where an outage belongs to neither.

    Returns
    -------
    ndarray, shape (n_row, n_threshold)
        Hours from the loss of supply until homes are colder than `THRESHOLDS_C`, as `hours_until` counts them; NaN
        where nobody is left off, or nothing is known. [h]
    """
    result = np.full((len(rows), len(THRESHOLDS_C)), np.nan)
    if demand.cooling is None:
        return result
    by_feeder = np.zeros((len(grid.feeders), counts.count.shape[1]))
    np.add.at(by_feeder, grid.area_feeder, counts.count)
    feeder_of = {str(name): place for place, name in enumerate(grid.feeders["feeder_id"])}
    above = np.where(
        grid.bus_main[grid.area_bus] >= 0, grid.network.branches.branch_id[grid.bus_main[grid.area_bus]], -1
    )
    mixes = []
    for row in rows:
        place = feeder_of.get(row.feeder_id)
        below = np.isin(above, row.faulted_trafos)
        if place is not None:
            mixes.append(by_feeder[place])
        else:
            mixes.append(counts.count[below].sum(axis=0) if below.any() else counts.count.sum(axis=0))
    off = np.array([row.unsupplied_households > 0 for row in rows], dtype=bool)
    if off.any():
        result[off] = hours_until(demand.cooling, np.array(mixes)[off])
    return result


def lose_areas(
    grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet
) -> tuple[AreaOutages, FloatArray]:
    """Lose the transformer of every area of a county; arguments as in `study_outages`.

    Returns
    -------
    outages : AreaOutages
        With the generators and spare transformers of the catalogue.
    cold_h : ndarray, shape (n_area, n_threshold)
        Hours until homes of the area are colder than `THRESHOLDS_C`; NaN where nothing is known. [h]
    """
    households = grid.areas["households"].to_numpy(dtype=np.int64)
    loads = area_loads(demand.after, counts, households)
    kva = grid.areas["kva"].to_numpy(dtype=np.float64)
    if demand.cooling is None:
        cold_h = np.full((len(households), len(THRESHOLDS_C)), np.nan)
    else:
        cold_h = np.where((households > 0)[:, None], hours_until(demand.cooling, counts.count), np.nan)
    return restore_areas(loads, kva, remedies_at_hand(area_remedies()), limits), cold_h


def remedies_at_hand(table: pd.DataFrame) -> Remedies:
    """Return the rows of a table of remedies as arrays, the smallest first.

    Parameters
    ----------
    table : DataFrame
        From `gridcheck.catalogue.area_remedies`.
    """
    minutes = table["bring_minutes"] + table["connect_minutes"]
    columns = {}
    for kind, size, time in (
        (GENERATOR, "rated_kw", "generator_minutes"),
        (SPARE_TRANSFORMER, "rated_kva", "spare_minutes"),
    ):
        own = table[table["kind"] == kind].sort_values(size)
        columns[size], columns[time] = own[size].to_numpy(np.float64), minutes[own.index].to_numpy(np.float64)
    return Remedies(
        generator_kw=columns["rated_kw"],
        generator_minutes=columns["generator_minutes"],
        spare_kva=columns["rated_kva"],
        spare_minutes=columns["spare_minutes"],
    )


def whole_feeder_loads(grid: CountyGrid, counts: ClassCounts, profiles: ClassProfiles) -> FactoredLoads:
    """Return the loads of all buses with the diversity of whole feeders, for checks at 10 kV."""
    return factored_loads(profiles, counts, area_bus=grid.area_bus, n_bus=grid.network.n_bus, group=grid.area_feeder)
