"""What if so many more heaters of one kind came to one area: do they fit, what binds, and how many fit at most.

A county is prepared once (`prepared_county`), which takes most of the time; each question then takes the draws of one
area and some load flows of its supply tree. Everything that is promised is connected before, as at the desk.

The voltage at the area's terminals is that with the heaters asked for connected, as the desk has it for a queue of so
many. The largest number is looked at once more with so many connected where it is above what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gridcheck.catalogue import heater_ratings
from gridcheck.checks.area_loads import AS_HOME
from gridcheck.checks.assessment import Assessment, assess
from gridcheck.checks.risk_outlook import LvHeater, RiskOutlook
from gridcheck.connection.area_desk import DeskInput, LowVoltageDesk
from gridcheck.connection.promises import Heater, with_heaters
from gridcheck.connection.room_above import AboveOutlook, HeatersAbove
from gridcheck.connection.room_by_draws import HeatersInArea
from gridcheck.county_desk import NOT_DRAWN, with_lines_of
from gridcheck.county_study import CountyCase, prepare_county
from gridcheck.demand.parameters import BASE, ROOFTOP_PV
from gridcheck.demand.profiles import ClassCounts
from gridcheck.desk import DeskTask, with_promises
from gridcheck.errors import ConfigError, InputError
from gridcheck.network.low_voltage import THREE_PHASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """So many equal heaters in one area.

    Attributes
    ----------
    area_id, device : str
        Where, and which class or model.
    rated_kw : float
        Rated input of each. [kW]
    count : int
        How many.
    three_phase : bool, optional
        Whether they hang on three phases; as the nearest rating of the class in the catalogue where not given.
    """

    area_id: str
    device: str
    rated_kw: float
    count: int
    three_phase: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedCounty:
    """A county that can be asked again and again.

    Attributes
    ----------
    case : CountyCase
        Grid and demand, with what is promised connected.
    desk : DeskInput
        Lines, meters and draws of its areas.
    place : mapping of str to tuple of int
        Tree of each area, and its row there.
    bases : dict of int to Assessment
        Trees that were asked before.
    """

    case: CountyCase
    desk: DeskInput
    place: Mapping[str, tuple[int, int]]
    bases: dict[int, Assessment] = field(default_factory=dict)

    def counts_of(self, number: int) -> ClassCounts:
        """Return homes and heaters of the areas of a tree."""
        area = self.case.trees[number].area
        return ClassCounts(rated_kw=self.case.counts.rated_kw[area], count=self.case.counts.count[area])

    def base_of(self, number: int) -> Assessment:
        """Return a tree as it is before the question."""
        if number not in self.bases:
            case = self.case
            self.bases[number] = assess(case.trees[number], case.course, self.counts_of(number), case.limits)
        return self.bases[number]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhatIf:
    """The answer.

    Attributes
    ----------
    wish : Wish
        The question.
    homes : int
        Homes of the area without a heater.
    fits : bool
        Whether so many fit, by the draws and above.
    largest, largest_by_draws, largest_above : int
        How many fit at most: in all, by the low-voltage draws, by transformer and 10 kV; none more than `homes`.
    outlook : RiskOutlook
        The heaters asked for in the draws of the area, every array by `LvCheck`.
    above : AboveOutlook
        The heaters asked for, above the low-voltage lines.
    next_outlook, next_above : RiskOutlook or None, AboveOutlook or None
        One heater more than `largest`: what stops it; None where every home would have one.
    synthetic : bool
        Whether grid, low-voltage lines or weather are invented.
    """

    wish: Wish
    homes: int
    fits: bool
    largest: int
    largest_by_draws: int
    largest_above: int
    outlook: RiskOutlook
    above: AboveOutlook
    next_outlook: RiskOutlook | None
    next_above: AboveOutlook | None
    synthetic: bool


def prepared_county(task: DeskTask) -> PreparedCounty:
    """Read a county and make its demand and its draws; the applications of the task are not looked at.

    Parameters
    ----------
    task : DeskTask
        The county, what is promised there, and the accepted risk.

    Raises
    ------
    InputError
        If a file of the county is faulty.
    ConfigError
        If the scenario draws nothing.
    """
    case = with_promises(prepare_county(task.county), task.promised)
    if case.desk is None:
        raise ConfigError(NOT_DRAWN)
    desk = with_lines_of(case.desk, case.grid, set(case.desk.area_ids))
    desk = replace(desk, rules=replace(desk.rules, risk=task.risk))
    area_ids = desk.area_ids
    place = {
        area_ids[area]: (number, row)
        for number, tree in enumerate(case.trees)
        for row, area in enumerate(tree.area.tolist())
    }
    return PreparedCounty(case=case, desk=desk, place=place)


def what_if(county: PreparedCounty, wish: Wish) -> WhatIf:
    """Answer what so many more heaters in one area do.

    Parameters
    ----------
    county : PreparedCounty
        The county.
    wish : Wish
        The question.

    Returns
    -------
    WhatIf

    Raises
    ------
    InputError
        If there is no such area or class, or not so many homes without a heater.
    """
    number, row = _place_of(county, wish)
    kind = LvHeater(
        home=-1,
        column=county.desk.pool.classes.index(wish.device),
        rated_kw=wish.rated_kw,
        phase=THREE_PHASE if _is_three_phase(wish) else AS_HOME,
    )
    heater: Heater = row, kind.column, kind.rated_kw
    tree, case = county.case.trees[number], county.case
    draws = _in_draws(county, number, heater, wish.count, kind)
    homes = len(draws.homes)
    if wish.count > homes:
        raise InputError(
            f"area {wish.area_id} has {homes} homes without a heater: {wish.count} cannot be placed. "
            f"Ask for at most {homes}."
        )
    above = HeatersAbove(
        tree, case.course, county.counts_of(number), case.limits, base=county.base_of(number), heater=heater
    )
    largest_above = above.largest(homes, wish.count)
    largest_by_draws = draws.largest(min(wish.count, max(largest_above, 1)))
    stopped_by, most = draws, min(largest_by_draws, largest_above)
    if most > wish.count:
        # More than were asked for lower the common voltage more.
        again = _in_draws(county, number, heater, most, kind)
        confirmed = max(wish.count, again.largest(most, most))
        if confirmed < most:
            largest_by_draws, stopped_by = confirmed, again
    largest = min(largest_by_draws, largest_above)
    is_whole = largest >= homes
    return WhatIf(
        wish=wish,
        homes=homes,
        fits=draws.outlook(wish.count).fits and above.outlook(wish.count).fits,
        largest=largest,
        largest_by_draws=largest_by_draws,
        largest_above=largest_above,
        outlook=draws.outlook(wish.count),
        above=above.outlook(wish.count),
        next_outlook=None if is_whole else stopped_by.outlook(largest + 1),
        next_above=None if is_whole else above.outlook(largest + 1),
        synthetic=case.grid.synthetic or case.has_synthetic_weather or county.desk.lines[wish.area_id].is_synthetic,
    )


def _place_of(county: PreparedCounty, wish: Wish) -> tuple[int, int]:
    """Return the tree and the row of the area; refuse what cannot be asked, all at once."""
    known = [name for name in county.desk.pool.classes if name not in (BASE, ROOFTOP_PV)]
    faults = []
    if wish.area_id not in county.place:
        first = next(iter(county.place), "none")
        faults.append(f"area {wish.area_id!r}: county {county.case.grid.county_code} has no such area; one is {first}")
    if wish.device not in known:
        faults.append(f"device {wish.device!r}: must be one of {', '.join(known)}")
    if wish.count < 1:
        faults.append(f"count {wish.count}: must be at least 1")
    if not (np.isfinite(wish.rated_kw) and wish.rated_kw > 0.0):
        faults.append(f"rated_kw {wish.rated_kw}: must be a number above 0")
    if faults:
        raise InputError("This cannot be asked.", faults)
    return county.place[wish.area_id]


def _is_three_phase(wish: Wish) -> bool:
    if wish.three_phase is not None:
        return wish.three_phase
    ratings = heater_ratings()
    own = ratings[ratings["device"] == wish.device]
    if own.empty:
        return False
    nearest = (own["rated_kw"] - wish.rated_kw).abs().to_numpy().argmin()
    return bool(own["phases"].iloc[nearest] == 3)


def _in_draws(county: PreparedCounty, number: int, heater: Heater, count: int, kind: LvHeater) -> HeatersInArea:
    """Return the area with so many of the heaters lowering the voltage at its terminals."""
    base = [county.counts_of(k) for k in range(len(county.case.trees))]
    crowd = list(base)
    crowd[number] = with_heaters(base[number], [heater] * count)
    desk = LowVoltageDesk(
        county.desk, county.case.trees, county.case.profiles, county.case.limits, base=base, crowd=crowd
    )
    area_id = next(name for name, place in county.place.items() if place == (number, heater[0]))
    queue, order = desk.area_before(number, heater[0], area_id)
    loads, classes = queue.risk.loads, county.desk.pool.classes
    heats = np.array([name not in (BASE, ROOFTOP_PV) for name in classes])[loads.column]
    heated = set(loads.home[heats].tolist())
    return HeatersInArea(queue.risk, [home for home in order if home not in heated], replace(kind))
