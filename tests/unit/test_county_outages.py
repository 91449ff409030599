"""Outages of a county as a scenario sees them: whose mix of heaters decides how soon homes are cold."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gridcheck.catalogue import DEVICE_CLASSES, area_remedies
from gridcheck.county_outages import (
    OutageDemand,
    cold_hours,
    lose_areas,
    outage_demand,
    remedies_at_hand,
    unchanged,
)
from gridcheck.demand.cooling import Cooling
from gridcheck.demand.parameters import CLASSES, default_parameters
from gridcheck.demand.profiles import ClassCounts, class_profiles
from gridcheck.demand.weather import steady_days
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.reports.area_outages import area_outage_rows
from gridcheck.reports.rows import n_minus_1_rows
from gridcheck.scenario import Scenario
from tests.support.hand_drawn_county import FEEDERS, HEAT_PUMP, RESISTIVE, hand_drawn_county, hand_drawn_net, profiles

PUMP_H, DIRECT_H = 6.0, 2.0


@pytest.fixture(name="grid")
def county_of_two_feeders(tmp_path):
    return hand_drawn_county(tmp_path, hand_drawn_net(mains=2))


def heaters(pumps, direct):
    """Homes with heat pumps and with direct heaters by area; everybody has a base load."""
    count = np.zeros((5, len(CLASSES)))
    count[:, 0], count[:, HEAT_PUMP], count[:, RESISTIVE] = 40.0, pumps, direct
    return ClassCounts(rated_kw=count, count=count)


def known():
    """Every home with a heat pump is cold after six hours, with a direct heater after two."""
    return Cooling(
        begin_utc=np.datetime64("2026-01-23T00:00", "ns"),
        class_device=np.array([-1, *range(len(DEVICE_CLASSES))]),
        device=np.array([HEAT_PUMP - 1, RESISTIVE - 1]),
        is_warm=np.ones(2, dtype=bool),
        hours=np.array([[PUMP_H, 10 * PUMP_H], [DIRECT_H, 10 * DIRECT_H]]),
    )


def demand(cooling=None):
    own = profiles()
    return OutageDemand(profiles=own, after=own, warmest_c=None, cooling=cooling)


def row(feeder_id="", *, off=10, trafos=()) -> Any:
    return SimpleNamespace(feeder_id=feeder_id, unsupplied_households=off, faulted_trafos=trafos)


def test_the_mix_of_the_feeder_decides(grid):
    # The first feeder has three areas, the second two.
    counts = heaters([9, 0, 0, 1, 0], [0, 1, 1, 4, 4])

    found = cold_hours(grid, counts, demand(known()), [row(FEEDERS[0]), row(FEEDERS[1])])

    assert found.tolist() == [[PUMP_H, 10 * PUMP_H], [DIRECT_H, 10 * DIRECT_H]]


def test_below_a_main_transformer_its_own_areas_decide_and_elsewhere_the_county(grid):
    counts = heaters([9, 0, 0, 0, 0], [0, 0, 0, 4, 4])
    mains = [int(grid.network.branches.branch_id[k]) for k in np.unique(grid.bus_main[grid.area_bus])]

    found = cold_hours(grid, counts, demand(known()), [row(trafos=(mains[0],)), row(trafos=(mains[1],)), row()])

    assert found[:, 0].tolist() == [PUMP_H, DIRECT_H, PUMP_H]


def test_nobody_off_nobody_heated_and_nothing_known_are_no_numbers(grid):
    counts = heaters([9, 9, 9, 0, 0], [0, 0, 0, 0, 0])
    rows = [row(FEEDERS[0], off=0), row(FEEDERS[1])]

    assert np.isnan(cold_hours(grid, counts, demand(known()), rows)).all()
    assert np.isnan(cold_hours(grid, counts, demand(), [row(FEEDERS[0])])).all()
    assert np.isnan(cold_hours(grid, counts, unchanged(profiles()), [row(FEEDERS[0])])).all()
    assert cold_hours(grid, counts, demand(known()), []).shape == (0, 2)


@pytest.mark.parametrize(("method", "is_known"), [("fixed", False), ("coincidence", True)])
def test_of_a_fixed_share_nothing_is_known(method, is_known):
    scenario = Scenario.model_validate({"demand": {"method": method}, "outages": {"hours_without_supply": 0.0}})
    weather, parameters = steady_days(-5.0), default_parameters()
    own = class_profiles(weather, parameters=parameters, method=method)

    found = outage_demand(scenario, own, weather, parameters, rated_kw=np.ones(len(own.classes)))

    assert (found.cooling is not None) == is_known
    assert found.after is own


def test_a_table_without_known_homes_has_no_such_columns():
    assert "hours_until_12c" not in n_minus_1_rows([])
    assert n_minus_1_rows([], cold_h=np.zeros((0, 2))).columns[-2:].tolist() == ["hours_until_12c", "hours_until_5c"]


def test_every_area_loses_its_transformer_once(grid):
    # Without diversity an area draws 40 kW for its homes and 1 kW for each heater: 49, 41, 41, 145 and 440 kW.
    counts = heaters([9, 0, 0, 1, 200], [0, 1, 1, 104, 200])

    outages, cold_h = lose_areas(grid, counts, demand(known()), DEFAULT_LIMITS)
    table = area_outage_rows(grid, outages, cold_h, profiles().time_utc)

    assert table["area_id"].tolist() == grid.areas["area_id"].tolist()
    assert table["load_after_kw"].tolist() == [49, 41, 41, 145, 440]
    # At 80 %: 80 kW, 160 kW, and 320 kW for 43 of 60 homes. 440 kW are too much for 200 kVA at 130 % too.
    assert table["remedy_size"].tolist() == ["100 kW", "100 kW", "100 kW", "200 kW", "400 kW"]
    assert table["restore_minutes"].tolist() == [120, 120, 120, 135, 150]
    assert table["unsupplied_households_after"].tolist() == [0, 0, 0, 0, 17]
    assert table["unsupplied_household_hours"].tolist() == [120, 120, 120, 135, 150 + 17 * 4]
    assert table["hours_until_12c"].tolist() == [PUMP_H, DIRECT_H, DIRECT_H, DIRECT_H, DIRECT_H]


def test_of_a_fixed_share_the_load_is_known_and_the_cold_is_not(grid):
    outages, cold_h = lose_areas(grid, heaters([9] * 5, [0] * 5), demand(), DEFAULT_LIMITS)

    assert outages.load_kw.tolist() == [49.0] * 5
    assert np.isnan(cold_h).all()


def test_the_catalogue_is_put_in_order_and_times_add_up():
    shuffled = remedies_at_hand(area_remedies().iloc[::-1])

    assert shuffled.generator_kw.tolist() == [50, 100, 200, 320, 400]
    assert shuffled.generator_minutes.tolist() == [120, 120, 135, 150, 150]
    assert shuffled.spare_kva.tolist() == [50, 100, 200, 400, 630]
    assert shuffled.spare_minutes.tolist() == [330, 330, 330, 330, 450]
