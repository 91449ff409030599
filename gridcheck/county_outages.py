"""Outages of one county as a scenario sees them: what homes draw afterwards, and what lines may carry in the cold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridcheck.cases import FactoredLoads
from gridcheck.checks.county_n_minus_1 import county_n_minus_1
from gridcheck.checks.hourly_n_minus_1 import hourly_n_minus_1
from gridcheck.checks.records import FeederHours, NMinus1Row
from gridcheck.demand import ClassCounts, ClassProfiles, DemandParameters, Weather, factored_loads
from gridcheck.demand.after_outage import after_outage
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
    """

    profiles: ClassProfiles
    after: ClassProfiles
    warmest_c: float | None


def outage_demand(
    scenario: Scenario, profiles: ClassProfiles, weather: Weather, parameters: DemandParameters
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
    """
    # A fixed share stands for the nameplate already.
    hours = 0.0 if scenario.demand.method == "fixed" else scenario.outages.hours_without_supply
    return OutageDemand(
        profiles=profiles,
        after=after_outage(profiles, weather, parameters, outage_h=hours, seed=scenario.study.seed),
        warmest_c=float(profiles.temperature_c.max()) if scenario.outages.winter_ratings else None,
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
        loads_after=None if demand.after is demand.profiles else whole_feeder_loads(grid, counts, demand.after),
        warmest_c=demand.warmest_c,
        feeder_id=feeder_id,
    )


def hours_of(grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet) -> tuple[FeederHours, ...]:
    """Lose every section and outlet of a county in every step, with usual loads; arguments as in `study_outages`."""
    loads = whole_feeder_loads(grid, counts, demand.profiles)
    return hourly_n_minus_1(grid, loads, limits=limits, warmest_c=demand.warmest_c)


def measures_of(
    grid: CountyGrid, counts: ClassCounts, demand: OutageDemand, limits: LimitSet, rows: Sequence[NMinus1Row]
) -> tuple[LeastMeasure, ...]:
    """Find the least measure of every feeder that does not pass; arguments as in `study_outages`, `rows` from it."""
    study = OutageStudy(
        loads=whole_feeder_loads(grid, counts, demand.profiles),
        loads_after=None if demand.after is demand.profiles else whole_feeder_loads(grid, counts, demand.after),
        limits=limits,
        warmest_c=demand.warmest_c,
    )
    return least_measures(grid, study, rows, default_terms())


def whole_feeder_loads(grid: CountyGrid, counts: ClassCounts, profiles: ClassProfiles) -> FactoredLoads:
    """Return the loads of all buses with the diversity of whole feeders, for checks at 10 kV."""
    return factored_loads(profiles, counts, area_bus=grid.area_bus, n_bus=grid.network.n_bus, group=grid.area_feeder)
