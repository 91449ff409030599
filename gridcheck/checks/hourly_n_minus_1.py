"""N-1 in every step of the winter: hours in which it fails, what ties can take over, and room for more load.

An outage holds in a step if any of its ways to supply all healthy loaded sections again keeps the limits in that step;
the way may be another one in every step, so that 0 failing hours are a weaker statement than SECURE, which asks for one
way that holds in all, also right after the outage; here loads have calmed down again. At most `MOST_WAYS` ways are
looked at, those with the fewest operations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.county_n_minus_1 import county_contingencies, county_normal_state
from gridcheck.checks.full_ways import MOST_WAYS
from gridcheck.checks.judgement import NormalState, normal_state
from gridcheck.checks.n_minus_1_hosting import Hosting, hosting_with_way, n_minus_1_hosting, usual_heat_pump_kw
from gridcheck.checks.outage_trees import OutageTrees, outage_trees
from gridcheck.checks.outages import Contingency, contingencies_of
from gridcheck.checks.records import FeederHours, OutageHours
from gridcheck.checks.supply_security import REQUIRED_CLASSES
from gridcheck.checks.worst_cases import select_cases
from gridcheck.errors import InputError
from gridcheck.limits import DEFAULT_LIMITS, LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import Network
from gridcheck.network.sections import NONE
from gridcheck.units import KW_PER_MW

STEPS_AT_A_TIME = 256
"""Steps that are solved together; memory does not grow beyond them."""


def hourly_n_minus_1(
    grid: CountyGrid,
    loads: LoadCases | FactoredLoads,
    *,
    limits: LimitSet = DEFAULT_LIMITS,
    warmest_c: float | None = None,
    household_kw: float | None = None,
    most_ways: int = MOST_WAYS,
    threads: int | None = 1,
) -> tuple[FeederHours, ...]:
    """Study the loss of every section and every outlet of a county's 10 kV feeders in every step.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    loads : LoadCases or FactoredLoads
        All steps, with the diversity that a feeder sees. Of constant power.
    limits : LimitSet
        ``n_minus_1_loading_percent`` and ``n_minus_1_vm_min_pu`` are used.
    warmest_c : float, optional
        As in `county_n_minus_1`. [degC]
    household_kw : float, optional
        Rated input of one household more, for the capacity in households; that of the most frequent air-to-air heat
        pump where not given. [kW]
    most_ways : int
        Ways to supply everything again that are looked at for each outage.
    threads : int, optional
        Threads of the solver; the result does not depend on it.

    Returns
    -------
    tuple of FeederHours
        Sorted by feeder. The first line of a feeder is judged by the feeder's limit current, as in
        `county_n_minus_1`.
    """
    state = county_normal_state(grid, loads, limits=limits, warmest_c=warmest_c)
    contingencies = county_contingencies(grid, state.sections, state.tree)
    settings = household_kw, most_ways, threads
    return _hours_of(state, loads, grid.households, contingencies, settings)


def run_hourly_n_minus_1(
    network: Network,
    loads: LoadCases | FactoredLoads,
    *,
    households: IntArray,
    limits: LimitSet = DEFAULT_LIMITS,
    contingencies: Sequence[Contingency] | None = None,
    settings: tuple[float | None, int, int | None] = (None, MOST_WAYS, 1),
) -> tuple[FeederHours, ...]:
    """Study outages of a radial network in every step.

    Parameters
    ----------
    network, loads, limits
        As in `run_n_minus_1`; loads of constant power.
    households : ndarray of int, shape (n_bus,)
        Registered households at each bus; load is added in proportion to them.
    contingencies : sequence of Contingency, optional
        What is lost; every section that holds a line and every outlet where not given.
    settings : tuple
        ``household_kw``, ``most_ways`` and ``threads`` as in `hourly_n_minus_1`.

    Returns
    -------
    tuple of FeederHours
        Sorted by county and feeder.

    Raises
    ------
    UnsupportedElementError
        If a load follows the voltage.
    InputError
        If loads or households do not fit the network, or a setting is not positive.
    """
    if loads.n_bus != network.n_bus or np.shape(households) != (network.n_bus,):
        raise InputError(
            f"loads and households must have one column per bus, {network.n_bus}. "
            f"Got {loads.n_bus} and the shape {np.shape(households)}."
        )
    state = normal_state(network, loads, limits)
    chosen = contingencies_of(network, state.sections, state.tree) if contingencies is None else tuple(contingencies)
    return _hours_of(state, loads, households, chosen, settings)


def _hours_of(
    state: NormalState,
    loads: LoadCases | FactoredLoads,
    households: IntArray,
    chosen: Sequence[Contingency],
    settings: tuple[float | None, int, int | None],
) -> tuple[FeederHours, ...]:
    household_kw, most_ways, threads = settings
    household_kw = usual_heat_pump_kw() if household_kw is None else household_kw
    if not household_kw > 0 or most_ways < 1:
        raise InputError(f"household_kw and most_ways must be positive. Got {household_kw} and {most_ways}.")
    census = _Census(state, loads)
    homes = _sum_by_section(state, np.asarray(households, dtype=np.int64)[:, None])[:, 0].astype(np.int64)
    trees = outage_trees(state, chosen, homes, census.highest_kw(loads), most_ways=most_ways)
    names = sorted({(c.county_code, c.feeder_id) for c in chosen})
    feeder = np.array([names.index((c.county_code, c.feeder_id)) for c in chosen], dtype=np.int64)
    of_bus, homes_at = _bus_feeder(state, chosen, feeder), np.asarray(households)
    hosting = n_minus_1_hosting(trees, feeder, of_bus, homes_at, threads=threads)
    with_way = hosting_with_way(trees, feeder, of_bus, homes_at, of_all=hosting, threads=threads)
    tally = _Tally(trees, feeder, len(names))
    for first in range(0, loads.n_case, STEPS_AT_A_TIME):
        some = select_cases(loads, np.arange(first, min(first + STEPS_AT_A_TIME, loads.n_case)))
        tally.add(trees.margins(some, threads=threads), census.load_kw(some), some.duration_h)
    return tuple(_feeder_hours(tally, chosen, f, (hosting, with_way), household_kw) for f in range(len(names)))


def _bus_feeder(state: NormalState, contingencies: Sequence[Contingency], feeder: IntArray) -> IntArray:
    """Return the feeder of each bus as outages name it, -1 at busbars and above, shape (n_bus,)."""
    of_edge = np.full(state.sections.n_edge + 1, NONE, dtype=np.int64)
    for contingency, number in zip(contingencies, feeder.tolist(), strict=True):
        edge = int(state.tree.outlet_edge[contingency.section])
        if edge != NONE:
            of_edge[edge] = number
    result: IntArray = of_edge[state.bus_feeder]  # the last element stands for -1
    return result


def _sum_by_section(state: NormalState, values: FloatArray | IntArray) -> FloatArray:
    """Sum columns over the buses of each section; what has no supply in normal operation does not count."""
    section = state.sections.bus_section
    counts = np.flatnonzero((section >= 0) & state.tree.supplied[section])
    result = np.zeros((state.sections.n_section, values.shape[1]))
    np.add.at(result, section[counts], values[counts])
    return result


class _Census:
    """Load of each section in some cases."""

    def __init__(self, state: NormalState, loads: LoadCases | FactoredLoads) -> None:
        self._state = state
        self._weight = None if isinstance(loads, LoadCases) else _sum_by_section(state, loads.p_weight_mw)

    def load_kw(self, some: LoadCases | FactoredLoads) -> FloatArray:
        """Return the load of each section, shape (n_section, n_case). [kW]"""
        if isinstance(some, LoadCases):
            return KW_PER_MW * _sum_by_section(self._state, some.p_mw.T)
        assert self._weight is not None
        result: FloatArray = KW_PER_MW * (self._weight @ some.profile.T)
        return result

    def highest_kw(self, loads: LoadCases | FactoredLoads) -> FloatArray:
        """Return the highest magnitude of the load of each section in any case, shape (n_section,). [kW]"""
        highest = np.zeros(self._state.sections.n_section)
        for first in range(0, loads.n_case, STEPS_AT_A_TIME):
            some = select_cases(loads, np.arange(first, min(first + STEPS_AT_A_TIME, loads.n_case)))
            highest = np.maximum(highest, np.abs(self.load_kw(some)).max(axis=1))
        return highest


class _Tally:
    """What adds up over the steps, for outages and for feeders; `missing` is what the transfer ratio lacks of 1.

    Parameters
    ----------
    trees : OutageTrees
        The outages.
    feeder : ndarray of int, shape (n_outage,)
        Feeder of each.
    n_feeder : int
        Number of feeders.
    """

    def __init__(self, trees: OutageTrees, feeder: IntArray, n_feeder: int) -> None:
        n_section = trees.state.sections.n_section
        self.trees, self.feeder = trees, feeder
        self._members = [np.flatnonzero(feeder == f) for f in range(n_feeder)]
        self._served = _incidence(trees.part_sections, n_section)
        self._lost = _incidence(trees.lost_sections, n_section)
        n = len(feeder)
        self.hours, self.n_step = 0.0, 0
        self.outage_hours, self.outage_steps = np.zeros(n), np.zeros(n, dtype=np.int64)
        self.outage_least, self.outage_missing, self.binding_hours = np.ones(n), np.zeros(n), np.zeros(n)
        self.feeder_hours, self.feeder_steps = np.zeros(n_feeder), np.zeros(n_feeder, dtype=np.int64)
        self.feeder_least, self.feeder_missing = np.ones(n_feeder), np.zeros(n_feeder)

    def add(self, margin: FloatArray, load_kw: FloatArray, duration_h: FloatArray) -> None:
        """Add some steps: margins of the trees, load of the sections, and hours of each."""
        self.hours += float(duration_h.sum())
        self.n_step += len(duration_h)
        by_outage = self.trees.outage_margins(margin)
        fails = by_outage < 0.0
        self.outage_hours += fails @ duration_h
        self.outage_steps += fails.sum(axis=1)
        lost = self._lost @ load_kw
        way_holds = self.trees.part_trees.lowest(margin) >= 0.0
        taken = self.trees.part_ways.highest(np.where(way_holds, self._served @ load_kw, 0.0))
        ratio = _ratio(taken, lost)
        self.outage_least = np.minimum(self.outage_least, ratio.min(axis=1))
        self.outage_missing += (1.0 - ratio) @ duration_h
        for f, own in enumerate(self._members):
            any_fails = fails[own].any(axis=0)
            self.feeder_hours[f] += float(any_fails @ duration_h)
            self.feeder_steps[f] += int(any_fails.sum())
            both = _ratio(taken[own].sum(axis=0), lost[own].sum(axis=0))
            self.feeder_least[f] = min(self.feeder_least[f], float(both.min()))
            self.feeder_missing[f] += float((1.0 - both) @ duration_h)
            np.add.at(self.binding_hours, own[np.argmin(by_outage[own], axis=0)], duration_h)


def _incidence(sections: tuple[IntArray, ...], n_section: int) -> csr_array:
    """Return the matrix that sums over the sections of each entry, shape (n, n_section)."""
    ends = np.cumsum([0, *(len(some) for some in sections)])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *sections])
    return csr_array((np.ones(len(columns)), columns, ends), shape=(len(sections), n_section))


def _ratio(taken: FloatArray, lost: FloatArray) -> FloatArray:
    """Return what is taken over of what is lost, 1 where nothing is lost."""
    result: FloatArray = np.divide(taken, lost, out=np.ones_like(lost), where=lost > 0.0)
    return np.clip(result, 0.0, 1.0)


def _feeder_hours(
    tally: _Tally,
    contingencies: Sequence[Contingency],
    feeder: int,
    hosting: tuple[Hosting, Hosting],
    household_kw: float,
) -> FeederHours:
    own = np.flatnonzero(tally.feeder == feeder)
    first, trees = contingencies[own[0]], tally.trees
    binding = int(own[np.argmax(tally.binding_hours[own])])
    hosting_kw, with_way_kw = (float(some.kw[feeder]) for some in hosting)
    hosting_id, with_way_id = (
        "" if some.outage[feeder] == NONE else contingencies[int(some.outage[feeder])].outage_id for some in hosting
    )
    return FeederHours(
        county_code=first.county_code,
        feeder_id=first.feeder_id,
        supply_class=first.supply_class,
        is_required=first.supply_class in REQUIRED_CLASSES,
        hours=tally.hours,
        failing_hours=float(tally.feeder_hours[feeder]),
        failing_share=float(tally.feeder_steps[feeder] / tally.n_step),
        transfer_ratio_min=float(tally.feeder_least[feeder]),
        transfer_ratio_mean=float(1.0 - tally.feeder_missing[feeder] / tally.hours),
        binding_outage_id=contingencies[binding].outage_id,
        binding_hours=float(tally.binding_hours[binding]),
        hosting_kw=hosting_kw,
        hosting_households=int(hosting_kw / household_kw),
        hosting_outage_id=hosting_id,
        outages_without_way=int((trees.n_way[own] == 0).sum()),
        hosting_with_way_kw=with_way_kw,
        hosting_with_way_households=int(with_way_kw / household_kw),
        hosting_with_way_outage_id=with_way_id,
        by_outage=tuple(
            OutageHours(
                outage_id=contingencies[i].outage_id,
                outage_kind=contingencies[i].outage_kind,
                ways=int(trees.n_way[i]),
                has_more_ways=bool(trees.has_more[i]),
                failing_hours=float(tally.outage_hours[i]),
                failing_share=float(tally.outage_steps[i] / tally.n_step),
                transfer_ratio_min=float(tally.outage_least[i]),
                transfer_ratio_mean=float(1.0 - tally.outage_missing[i] / tally.hours),
            )
            for i in own.tolist()
        ),
    )
