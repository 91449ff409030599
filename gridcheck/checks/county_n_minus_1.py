"""N-1 of one county, in the planner's ids: sections, feeders and supply classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gridcheck.arrays import IntArray
from gridcheck.cases import FactoredLoads, LoadCases
from gridcheck.checks.emergency import allowed_ratios
from gridcheck.checks.judgement import NormalState, normal_state
from gridcheck.checks.n_minus_1 import lose_each
from gridcheck.checks.outages import (
    OUTLET,
    TIE,
    TRAFO,
    Contingency,
    contingencies_of,
    first_lines,
    trafo_contingencies,
)
from gridcheck.checks.records import FeederNMinus1, NMinus1Row, NMinus1Status
from gridcheck.checks.restoration import gravest
from gridcheck.checks.supply_security import REQUIRED_CLASSES
from gridcheck.checks.switching_sheet import switching_times
from gridcheck.checks.tie_outages import tie_rows
from gridcheck.limits import DEFAULT_LIMITS, LimitSet
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.section_tree import SectionTree
from gridcheck.network.sections import NONE, Sections

_CLASSES = (*REQUIRED_CLASSES, "D", "E")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AfterOutage:
    """What is known of the load when supply comes back.

    Attributes
    ----------
    loads : LoadCases or FactoredLoads
        What buses draw in the cases of the study when their supply has just come back.
    calm_down_minutes : float, optional
        Time until they draw as usual; that of ``switching_times.csv`` where not given. [min]
    """

    loads: LoadCases | FactoredLoads
    calm_down_minutes: float | None = None


def county_n_minus_1(
    grid: CountyGrid,
    loads: LoadCases | FactoredLoads,
    *,
    limits: LimitSet = DEFAULT_LIMITS,
    after: AfterOutage | None = None,
    warmest_c: float | None = None,
    feeder_id: str = "",
    threads: int = 1,
) -> tuple[NMinus1Row, ...]:
    """Study the loss of every section, outlet and tie of a county's 10 kV feeders, and of its main transformers.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    loads : LoadCases or FactoredLoads
        All cases, with the diversity that a feeder sees.
    limits : LimitSet
        ``n_minus_1_loading_percent`` and ``n_minus_1_vm_min_pu`` are used, and what `emergency` names.
    after : AfterOutage, optional
        What buses draw in the same cases when their supply has just come back; as before where not given.
    warmest_c : float, optional
        Warmest air of the study, by which lines and main transformers may carry more; ratings hold where not given.
        [degC]
    feeder_id : str
        Only the outages of this feeder; of all where empty.
    threads : int
        Outages studied at the same time.

    Returns
    -------
    tuple of NMinus1Row
        Feeder by feeder, then the ties and the main transformers. The first line of a feeder is judged by the
        feeder's limit current, where that is lower than the conductor's.
    """
    given = {"limits": limits, "loads_after": None if after is None else after.loads, "warmest_c": warmest_c}
    times = switching_times()
    if after is not None and after.calm_down_minutes is not None:
        times = replace(times, calm_down_minutes=after.calm_down_minutes)
    state = county_normal_state(grid, loads, **given)  # type: ignore[arg-type]
    contingencies = county_contingencies(grid, state.sections, state.tree)
    contingencies = tuple(c for c in contingencies if feeder_id in ("", c.feeder_id))
    rows = lose_each(state, loads, grid.households, contingencies, threads=threads, times=times)
    rows += tuple(row for row in county_ties(grid, state) if feeder_id in ("", row.feeder_id))
    mains = np.unique(grid.bus_main[grid.bus_main >= 0])
    if feeder_id or not len(mains):
        return rows
    # A second look at the county: breakers on both sides of the main transformers part the busbars from above.
    parted = county_normal_state(grid, loads, switched=mains, **given)  # type: ignore[arg-type]
    lost = main_contingencies(grid, parted.sections, parted.tree)
    return (*rows, *lose_each(parted, loads, grid.households, lost, threads=threads, times=times))


def county_ties(grid: CountyGrid, state: NormalState) -> tuple[NMinus1Row, ...]:
    """Return the loss of every tie of a county, by its name and as one of the feeder at its first end.

    Its switch cannot be closed. A fault on its line is one of the section that the line hangs on.
    """
    branches = grid.network.branches
    lines = np.flatnonzero(branches.kind == BranchKind.LINE)
    place = {f"line:{i}": k for i, k in zip(branches.branch_id[lines].tolist(), lines.tolist(), strict=True)}
    result = []
    for row in tie_rows(state):
        k = place[row.outage_id]
        feeder = int(grid.bus_feeder[branches.from_bus[k]])
        feeder_id, supply_class = (
            "" if feeder < 0 else str(grid.feeders[name].iloc[feeder]) for name in ("feeder_id", "supply_class")
        )
        result.append(
            replace(
                row,
                outage_id=branches.name[k] or row.outage_id,
                county_code=grid.county_code,
                feeder_id=feeder_id,
                supply_class=supply_class,
                line_states=(),
                faulted_lines=(),
            )
        )
    return tuple(sorted(result, key=lambda row: (row.feeder_id, row.outage_id)))


def main_contingencies(grid: CountyGrid, sections: Sections, tree: SectionTree) -> tuple[Contingency, ...]:
    """Name the loss of every main transformer of a county by its name, or ``trafo:<id>`` where it has none.

    Its supply class is the highest of the feeders below it.
    """
    branches = grid.network.branches
    below = (grid.bus_main >= 0) & (grid.bus_feeder >= 0)
    classes = grid.feeders["supply_class"].astype(str).to_numpy()[grid.bus_feeder[below]]
    order = sorted(zip(grid.bus_main[below].tolist(), classes.tolist(), strict=True), key=lambda one: _rank(one[1]))
    highest = {f"trafo:{branches.branch_id[main]}": supply_class for main, supply_class in reversed(order)}
    names = {
        f"trafo:{branches.branch_id[k]}": branches.name[k]
        for k in np.unique(grid.bus_main[grid.bus_main >= 0]).tolist()
    }
    return tuple(
        replace(
            c,
            outage_id=names[c.outage_id] or c.outage_id,
            county_code=grid.county_code,
            supply_class=highest.get(c.outage_id, ""),
        )
        for c in trafo_contingencies(grid.network, sections, tree)
        if c.outage_id in names
    )


def _rank(supply_class: str) -> int:
    """Return the place of a class from the highest on; what is not known comes last."""
    return _CLASSES.index(supply_class) if supply_class in _CLASSES else len(_CLASSES)


def county_normal_state(
    grid: CountyGrid,
    loads: LoadCases | FactoredLoads,
    *,
    limits: LimitSet,
    loads_after: LoadCases | FactoredLoads | None = None,
    warmest_c: float | None = None,
    switched: IntArray | None = None,
    like: NormalState | None = None,
) -> NormalState:
    """Prepare a county for its outages; arguments as in `county_n_minus_1` and in `normal_state`."""
    network = with_feeder_limits(grid)
    is_set = network.branches.rating_from_ka < grid.network.branches.rating_from_ka
    ratio = None if warmest_c is None else allowed_ratios(network, limits, warmest_c=warmest_c, is_set=is_set)
    return normal_state(
        network, loads, limits, switched=switched, loads_after=loads_after, allowed_ratio=ratio, like=like
    )


def with_feeder_limits(grid: CountyGrid) -> Network:
    """Return the county's network with the first line of each feeder rated at the feeder's limit current."""
    branches = grid.network.branches
    lines = np.flatnonzero(branches.kind == BranchKind.LINE)
    place = pd.Series(lines, index=branches.branch_id[lines])
    outlet = place.loc[grid.feeders["outlet_line"]].to_numpy()
    limit_ka = grid.feeders["limit_ka"].to_numpy(dtype=float)
    ratings = {}
    for name in ("rating_from_ka", "rating_to_ka"):
        rating = getattr(branches, name).copy()
        rating[outlet] = np.fmin(rating[outlet], limit_ka)
        ratings[name] = rating
    return replace(grid.network, branches=replace(branches, **ratings))


def county_contingencies(grid: CountyGrid, sections: Sections, tree: SectionTree) -> tuple[Contingency, ...]:
    """Name the outages of a county: a section by its id, an outlet by its feeder followed by ``-outlet``.

    Parameters
    ----------
    grid : CountyGrid
        The county.
    sections, tree
        Sections of its network as normally switched.

    Returns
    -------
    tuple of Contingency
        Sorted by feeder, the outlet first.
    """
    feeder_of = _feeder_of_section(grid, sections)
    ids = [str(i) for i in grid.feeders["feeder_id"]]
    classes = [str(c) for c in grid.feeders["supply_class"]]
    first_line = first_lines(grid.network, sections)
    result = []
    for contingency in contingencies_of(grid.network, sections, tree):
        row = feeder_of[contingency.section]
        feeder_id = ids[row] if row >= 0 else ""
        line = first_line[contingency.section]
        name = grid.branch_section[line] if line != NONE else ""
        is_outlet = contingency.outage_kind == OUTLET and feeder_id
        outage_id = f"{feeder_id}-outlet" if is_outlet else (name or contingency.outage_id)
        named = replace(
            contingency,
            outage_id=outage_id,
            county_code=grid.county_code,
            feeder_id=feeder_id or contingency.feeder_id,
            supply_class=classes[row] if row >= 0 else "",
        )
        result.append((named.feeder_id, named.outage_kind != OUTLET, named.outage_id, named))
    return tuple(named for *_, named in sorted(result, key=lambda item: item[:3]))


def _feeder_of_section(grid: CountyGrid, sections: Sections) -> IntArray:
    """Return the row of the feeder of each section, -1 at busbars, shape (n_section,)."""
    result = np.full(sections.n_section, NONE, dtype=np.int64)
    known = (grid.bus_feeder >= 0) & (sections.bus_section >= 0)
    result[sections.bus_section[known][::-1]] = grid.bus_feeder[known][::-1]
    return result


def summarise_feeders(rows: Sequence[NMinus1Row]) -> tuple[FeederNMinus1, ...]:
    """Take all outages of each feeder together.

    Parameters
    ----------
    rows : sequence of NMinus1Row
        Outages of any number of feeders; ties and main transformers do not count.

    Returns
    -------
    tuple of FeederNMinus1
        Sorted by county and feeder.
    """
    by_feeder: dict[tuple[str, str], list[NMinus1Row]] = {}
    for row in rows:
        if row.outage_kind in (TIE, TRAFO):
            continue
        by_feeder.setdefault((row.county_code, row.feeder_id), []).append(row)
    result = []
    for (county_code, feeder_id), own in sorted(by_feeder.items()):
        lost_kw = sum(row.lost_kw for row in own)
        worst = max(own, key=lambda row: row.unsupplied_kw)
        result.append(
            FeederNMinus1(
                county_code=county_code,
                feeder_id=feeder_id,
                supply_class=own[0].supply_class,
                status=gravest([row.status for row in own]),
                is_required=own[0].supply_class in REQUIRED_CLASSES,
                transfer_ratio=sum(row.restored_kw for row in own) / lost_kw if lost_kw > 0 else 1.0,
                outages=len(own),
                insecure_outages=sum(row.status != NMinus1Status.SECURE for row in own),
                worst_outage_id=worst.outage_id,
                worst_unsupplied_kw=worst.unsupplied_kw,
            )
        )
    return tuple(result)
