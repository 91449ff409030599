"""Made-up low-voltage lines: what they must hold, that they repeat, and how far the approximation is from them."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridcheck.catalogue import conductors
from gridcheck.checks.low_voltage import end_voltage_v, low_voltage_lines
from gridcheck.errors import CatalogueError, InputError
from gridcheck.network.area_transformers import area_transformer
from gridcheck.network.low_voltage import four_wire_of, line_ohm_per_km, loads_by_phase
from gridcheck.powerflow import solve_unbalanced_voltages
from gridcheck.synthesis.low_voltage import area_layouts, low_voltage_assumptions, low_voltage_of, synthetic_low_voltage
from tests.support.made_up_areas import layout

AREAS = pd.read_csv("networks/140827-yuanqu/areas.csv")
SOME = AREAS.iloc[::11].reset_index(drop=True)
KNOWN = {**low_voltage_assumptions(), "unknown_phase_share": 0.0}
BASE_V = 400.0 / 3**0.5


@pytest.fixture(scope="module")
def some():
    return low_voltage_of(SOME, 1)


def distances_m(grid):
    result = np.zeros(grid.n_node)
    for k in range(1, grid.n_node):
        result[k] = result[grid.parent[k]] + grid.length_m[k]
    return result


def is_box(grid):
    return np.array([name.startswith("B") for name in grid.node_name])


def trunk_ends(grid):
    """Position of the last pole of every trunk."""
    last = {}
    for k, name in enumerate(grid.node_name):
        if name.startswith("L") and name.count("-") == 1:
            last[name.split("-")[0]] = k
    return np.array(list(last.values()))


def test_every_registered_household_has_a_meter_in_a_box(some):
    for row in SOME.itertuples():
        grid = some[row.area_id]
        assert grid.is_synthetic
        assert grid.n_home == row.households
        assert grid.home_id[0] == f"{row.area_id}-H001"
        assert is_box(grid)[grid.home_node].all()
        meters = np.bincount(grid.home_node, minlength=grid.n_node)[is_box(grid)]
        assert meters.min() >= 1
        assert meters.max() <= 12


def test_the_longest_trunk_reaches_the_radius_and_nothing_goes_further(some):
    for row in SOME.itertuples():
        grid = some[row.area_id]
        poles = distances_m(grid)[~is_box(grid)]
        ends = distances_m(grid)[trunk_ends(grid)]
        assert len(ends) == row.lv_circuits
        assert ends.max() == pytest.approx(row.lv_radius_m, abs=1e-6)
        assert poles.max() <= row.lv_radius_m + 1e-6
        assert ends.min() >= 0.7 * row.lv_radius_m - 0.1
        has_meter = np.isin(trunk_ends(grid), grid.parent[is_box(grid)])
        assert has_meter.all()  # a user stands where the radius ends


def test_poles_stand_some_45_m_apart_and_drops_are_short(some):
    trunk_m, drop_m = [], []
    for grid in some.values():
        is_trunk = np.array([name.startswith("L") and name.count("-") == 1 for name in grid.node_name])
        trunk_m.append(grid.length_m[is_trunk])
        drop_m.append(grid.length_m[is_box(grid)])
    assert np.concatenate(trunk_m).mean() == pytest.approx(45.0, abs=1.5)
    assert np.concatenate(drop_m).min() >= 10.0
    assert np.concatenate(drop_m).max() <= 25.0


def test_side_lanes_are_no_thicker_than_their_trunk_and_thinner_where_old(some):
    mm2 = conductors()["area_mm2"]
    lanes = []
    for row in SOME.itertuples():
        grid = some[row.area_id]
        for name, kind in zip(grid.node_name, grid.type_name, strict=True):
            if name.count("-") == 1:
                assert kind == row.lv_type_name
            if name.count("-") == 2:
                assert mm2[kind] <= mm2[row.lv_type_name]
                lanes.append((row.built_year, mm2[kind]))
    year, size = np.array(lanes).T
    assert size[year < 2010].mean() < size[(year >= 2010) & (year < 2018)].mean() < size[year >= 2018].mean()


def assert_same(found, expected):
    for field in dataclasses.fields(found):
        first, second = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(first, np.ndarray):
            assert first.tobytes() == second.tobytes()
        else:
            assert first == second


def test_the_same_seed_gives_the_same_bytes_whatever_other_areas_there_are(some):
    again = low_voltage_of(SOME.iloc[::-1].iloc[:9], 1)
    for area_id, grid in again.items():
        assert_same(grid, some[area_id])


def test_another_seed_and_another_area_give_other_lines(some):
    first = synthetic_low_voltage(layout(1), 1)
    for other in (synthetic_low_voltage(layout(1), 2), synthetic_low_voltage(layout(2), 1)):
        assert first.length_m.tolist() != other.length_m.tolist()


def test_imported_lines_go_before_made_up_ones(some):
    area_id = SOME["area_id"][3]
    own = dataclasses.replace(some[area_id], is_synthetic=False)

    found = low_voltage_of(SOME.iloc[:5], 1, imported={area_id: own})

    assert list(found) == SOME["area_id"].iloc[:5].tolist()
    assert found[area_id] is own


def test_shares_of_phases(some):
    phase = np.concatenate([grid.home_phase for grid in some.values()])
    n = len(phase)
    assert (phase == -1).mean() == pytest.approx(0.15, abs=4 * np.sqrt(0.15 * 0.85 / n))
    assert 0.005 < (phase == 3).mean() < 0.03
    single = np.bincount(phase[(phase >= 0) & (phase < 3)], minlength=3)
    assert single.min() / single.max() > 0.9  # no phase is preferred in the county


def test_estimates_are_used():
    all_known = synthetic_low_voltage(layout(), 1, KNOWN)
    nobody_knows = synthetic_low_voltage(layout(), 1, {**KNOWN, "unknown_phase_share": 1.0})
    large = synthetic_low_voltage(layout(), 1, {**KNOWN, "meters_per_box": 11.0})

    assert (all_known.home_phase >= 0).all()
    assert (nobody_knows.home_phase == -1).all()
    assert is_box(large).sum() < is_box(all_known).sum()
    # Only the phases are hidden; the lines are the same.
    assert all_known.length_m.tobytes() == nobody_knows.length_m.tobytes()


def test_meters_of_a_small_box_hang_on_one_phase(some):
    for area in area_layouts(SOME):
        grid = synthetic_low_voltage(area, 1, {**KNOWN, "four_wire_from_meters": 4.0})
        for node in np.flatnonzero(is_box(grid)):
            phases = grid.home_phase[grid.home_node == node]
            if len(phases) < 4:
                assert len(set(phases.tolist())) == 1
                assert phases[0] < 3


@pytest.mark.parametrize(("households", "circuits"), [(0, 3), (1, 4), (2, 2), (13, 1), (300, 2)])
def test_small_and_large_areas(households, circuits):
    grid = synthetic_low_voltage(layout(households=households, circuits=circuits), 1)

    assert grid.n_home == households
    assert len(trunk_ends(grid)) == max(1, min(circuits, households))
    if households:
        assert np.bincount(grid.home_node).max() <= 12


def test_a_short_radius_has_one_span():
    grid = synthetic_low_voltage(layout(radius_m=20.0), 1)
    assert distances_m(grid)[~is_box(grid)].max() == pytest.approx(20.0)


@pytest.fixture(scope="module")
def drops():
    """By area: approximation, mean and largest drop at ends of trunks, drop at the worst meter; balanced loads. [V]"""
    rows = []
    for area, unit, (_, row) in zip(area_layouts(SOME), SOME["type_name"], SOME.iterrows(), strict=True):
        grid = synthetic_low_voltage(area, 1, KNOWN)
        network, p_kw = four_wire_of(grid, area_transformer(unit)), np.full((1, grid.n_home), 0.8)
        even = loads_by_phase(grid, p_kw, 0 * p_kw, home_phase=np.full(grid.n_home, 3))
        even_v = solve_unbalanced_voltages(network, even, tolerance_pu=1e-9).vm_pu[0, 1:] * BASE_V
        ends = trunk_ends(grid)
        end_drop = even_v[0, 0] - even_v[ends, 0]
        one = pd.DataFrame([row]).assign(lv_unbalance_factor=1.0)
        p_mw = np.array([[p_kw.sum() / 1000]])
        estimate = even_v[0, 0] - end_voltage_v(np.array([[even_v[0, 0]]]), p_mw, 0 * p_mw, low_voltage_lines(one))
        meter = even_v[0, 0] - even_v[grid.home_node, 0].min()
        rows.append((estimate[0, 0], end_drop.mean(), end_drop.max(), meter))
    return np.array(rows)


def moments_by_hand(grid, kw_per_meter, volts):
    """Drop at the end of every trunk by the moments of its meters, up to where their current leaves the trunk. [V]"""
    way_m, ends = distances_m(grid), trunk_ends(grid)
    result = []
    for end in ends:
        name = grid.node_name[end].split("-")[0]
        moment = 0.0
        for box in grid.home_node:
            node = box
            while not (grid.node_name[node].startswith("L") and grid.node_name[node].count("-") == 1):
                node = grid.parent[node]
            if grid.node_name[node].split("-")[0] == name:
                moment += way_m[node]
        result.append(line_ohm_per_km(grid.type_name[end]).real / 1000 * moment * kw_per_meter * 1000 / 3 / volts)
    return np.array(result)


def test_ends_of_trunks_drop_as_their_moments_say():
    for area in area_layouts(SOME.iloc[::8]):
        grid = synthetic_low_voltage(area, 1, KNOWN)
        network, p_kw = four_wire_of(grid, area_transformer("S13-400-Dyn11")), np.full((1, grid.n_home), 0.2)
        even = loads_by_phase(grid, p_kw, 0 * p_kw, home_phase=np.full(grid.n_home, 3))
        volts = solve_unbalanced_voltages(network, even, tolerance_pu=1e-10).vm_pu[0, 1:, 0] * BASE_V

        # Small loads: the currents are those of the voltage at the busbar but for the drop itself, here some 0.3 %.
        by_hand = moments_by_hand(grid, 0.2, volts[0])
        np.testing.assert_allclose(volts[0] - volts[trunk_ends(grid)], by_hand, rtol=6e-3)


def test_the_mean_end_of_evenly_spread_load_is_near_that_of_the_approximation(drops):
    estimate, mean_end = drops[:, 0], drops[:, 1]
    # Trunks share the load by the number of their poles, so that long ones have more of it and the mean end drops as
    # the approximation says; in all 440 areas it is 1.027 of it with a standard deviation of 0.094 between areas:
    # meters hang at poles, the middle one a little beyond the middle, and lanes stand where they stand.
    ratio = mean_end / estimate
    assert ratio.mean() == pytest.approx(1.027, abs=3 * 0.094 / np.sqrt(len(ratio)))
    assert ratio.std() < 0.13


def test_the_worst_trunk_drops_more_than_the_approximation_and_why(drops):
    estimate, worst, meter = drops[:, 0], drops[:, 2], drops[:, 3]
    # The longest of 4 trunks between 0.7 and 1 of the radius carries 1 / 0.89 of a fourth of the load; the rest comes
    # from side lanes, which hang more meters on some trunks than on others.
    assert 1.15 < np.median(worst / estimate) < 1.45
    assert (meter >= worst - 1e-9).all()  # side lanes and service drops come on top


def heaviest_over_balanced(grid, unit):
    """Drop of the heaviest phase over that of a balanced line, mean over the ends of trunks."""
    network, p_kw = four_wire_of(grid, area_transformer(unit)), np.full((1, grid.n_home), 0.8)
    even = loads_by_phase(grid, p_kw, 0 * p_kw, home_phase=np.full(grid.n_home, 3))
    even_v, drawn_v = (
        solve_unbalanced_voltages(network, loads, tolerance_pu=1e-9).vm_pu[0, 1:] * BASE_V
        for loads in (even, loads_by_phase(grid, p_kw, 0 * p_kw))
    )
    ends = trunk_ends(grid)
    heavy = (drawn_v[0] - drawn_v[ends]).max(axis=1)
    return (heavy / (even_v[0, 0] - even_v[ends, 0])).mean()


@pytest.mark.parametrize("factor", [1.1, 1.3, 1.5])
def test_the_heaviest_phase_drops_by_about_the_factor_of_the_area(factor):
    layouts = [dataclasses.replace(area, unbalance_factor=factor) for area in area_layouts(SOME)]

    found = [heaviest_over_balanced(synthetic_low_voltage(area, 1, KNOWN), "S13-315-Dyn11") for area in layouts]

    # Whole boxes cannot be shared out exactly, which makes small factors a little larger.
    assert np.mean(found) == pytest.approx(factor, abs=0.1)


def test_estimates_from_a_file_of_ones_own(tmp_path):
    text = Path("gridcheck/synthesis/low_voltage_assumptions.csv").read_text(encoding="utf-8")
    own = tmp_path / "own.csv"
    own.write_text(text.replace("unknown_phase_share,0.15", "unknown_phase_share,0.4"), encoding="utf-8")
    assert low_voltage_assumptions(own)["unknown_phase_share"] == 0.4

    own.write_text(text.replace("unknown_phase_share,0.15", "unknown_phase_share,1.4"), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"unknown_phase_share: 1\.4"):
        low_voltage_assumptions(own)


def test_an_area_that_cannot_be_drawn_is_named():
    bad = SOME.iloc[:2].assign(lv_radius_m=[0.0, 300.0], lv_type_name=["JKLYJ-1-70", "rope"])
    with pytest.raises(InputError) as caught:
        area_layouts(bad)

    assert caught.value.findings == (
        f"area {SOME['area_id'][0]}: lv_radius_m must be greater than 0",
        f"area {SOME['area_id'][1]}: lv_type_name 'rope' is not in the catalogue",
    )
