"""The least measure of a feeder: by hand on a small county, and shown by the N-1 check of the county with it built."""

import math

import numpy as np
import pytest

from gridcheck.checks.county_n_minus_1 import county_n_minus_1
from gridcheck.county_outages import whole_feeder_loads
from gridcheck.demand.profiles import class_counts
from gridcheck.limits import DEFAULT_LIMITS, with_overrides
from gridcheck.reinforcement.changes import build
from gridcheck.reinforcement.least_measures import OutageStudy, least_measures
from gridcheck.reinforcement.terms import default_terms
from tests.support import planned_county as county
from tests.support.planned_county import F1, F2

TERMS = default_terms()


def untied(folder):
    elements = county.tables()
    elements["line"] = elements["line"].iloc[:4]
    elements["switch"] = elements["switch"].iloc[:3]
    return county.grid(folder, elements=elements)


def studied(grid, **overrides):
    """The study of a county and its outages, with limits of the test's own."""
    limits = with_overrides(DEFAULT_LIMITS, {name: (value, "test") for name, value in overrides.items()})
    profiles = county.profiles()
    counts = class_counts(grid.areas, grid.heating, classes=profiles.classes)
    study = OutageStudy(
        loads=whole_feeder_loads(grid, counts, profiles), loads_after=None, limits=limits, warmest_c=None
    )
    return study, outages(grid, study)


def outages(grid, study):
    return county_n_minus_1(grid, study.loads, limits=study.limits)


def statuses(rows, feeder_id):
    return {row.outage_id: str(row.status) for row in rows if row.feeder_id == feeder_id}


def test_a_feeder_without_a_tie_gets_the_tie_to_its_neighbour(tmp_path):
    grid = untied(tmp_path)
    study, rows = studied(grid)
    assert "UNSUPPLIED" in statuses(rows, F1).values()

    found = {one.feeder_id: one for one in least_measures(grid, study, rows, TERMS)}

    one = found[F1]
    assert (one.reason, one.outage_id, one.is_found) == ("no_tie", f"{F1}-K1", True)
    (option,) = one.options
    (tie,) = option.changes
    # Areas 3 and 4 are neighbours, 0.02 degrees of longitude at 35 degrees north apart.
    assert (tie.from_bus_id, tie.to_bus_id) == (4, 5)
    assert one.cost_yuan == option.cost_yuan == pytest.approx(60_000 + 280_000 * 0.02 * 111.32 * 0.81915 * 1.3, abs=500)
    built = statuses(outages(build(grid, option.changes), study), F1)
    assert set(built.values()) == {"SECURE"}


def test_a_feeder_that_no_switch_parts_has_no_measure(tmp_path):
    grid = untied(tmp_path)
    study, rows = studied(grid)

    one = next(one for one in least_measures(grid, study, rows, TERMS) if one.feeder_id == F2)

    assert (one.reason, one.outage_id, one.is_found, one.has_more) == ("no_switch", f"{F2}-K1", False, False)
    assert math.isnan(one.cost_yuan)
    assert one.measures == ()


def test_a_weak_tie_is_helped_by_what_is_cheapest_and_by_nothing_cheaper(tmp_path):
    grid = county.grid(tmp_path, homes=(600, 900, 900, 40))
    # The tie brings all back, but too low: 3 and 4 km of 70 mm2 stand in the way.
    study, rows = studied(grid, n_minus_1_vm_min_pu=0.985, n_minus_1_loading_percent=500.0)
    assert "VIOLATED" in statuses(rows, F1).values()

    one = next(one for one in least_measures(grid, study, rows, TERMS) if one.feeder_id == F1)

    assert (one.reason, one.is_found) == ("low_voltage", True)
    assert set(one.measures) == {"mv_reconductor"}
    built = build(grid, [change for option in one.options for change in option.changes])
    assert set(statuses(outages(built, study), F1).values()) == {"SECURE"}
    for left_out in range(len(one.options)):
        fewer = [c for i, option in enumerate(one.options) if i != left_out for c in option.changes]
        assert set(statuses(outages(build(grid, fewer), study), F1).values()) != {"SECURE"}


def test_what_passes_is_not_listed(tmp_path):
    grid = county.grid(tmp_path)
    study, rows = studied(grid)
    assert set(statuses(rows, F1).values()) == {"SECURE"}
    assert F1 not in {one.feeder_id for one in least_measures(grid, study, rows, TERMS)}


def test_with_few_tries_the_answer_says_that_there_are_more(tmp_path):
    grid = county.grid(tmp_path, homes=(600, 900, 900, 40))
    study, rows = studied(grid, n_minus_1_vm_min_pu=0.985, n_minus_1_loading_percent=500.0)

    one = next(one for one in least_measures(grid, study, rows, TERMS, most=0) if one.feeder_id == F1)

    assert (one.is_found, one.has_more) == (False, True)
    assert np.isnan(one.cost_yuan)
