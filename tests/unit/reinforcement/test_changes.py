"""Every change, once built, behaves as plain pandapower says; the county it was built into stays as it was."""

import dataclasses
import pickle

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.cases import LoadCases
from gridcheck.checks.low_voltage import end_voltage_v, low_voltage_lines
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.demand.profiles import class_counts
from gridcheck.errors import CatalogueError, PlanError, UnsupportedElementError
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network.area_transformers import transformers_of
from gridcheck.network.pandapower_net import to_pandapower
from gridcheck.powerflow import solve
from gridcheck.reinforcement.changes import build, relocate, share_counts
from gridcheck.reinforcement.measures import (
    FeederReconductoring,
    FeederRegulator,
    LineRegulators,
    LowVoltageReconductoring,
    NewArea,
    OnLoadTransformer,
    PhaseBalancing,
    PhaseSwitching,
    TapChange,
    TieLine,
    TransformerSwap,
)
from tests.support import planned_county as county
from tests.support.planned_county import A1, A2, F1, F2

LOAD_KW = {6: 70.0, 7: 40.0, 8: 40.0, 9: 40.0}
NEW_AREA = NewArea(
    area_id=A1,
    new_area_id=f"{A1}N",
    type_name="S20-200-Dyn11",
    spur_type_name="JKLYJ-10-120",
    spur_km=0.3,
    radius_factor=0.7,
    split_line_km=0.2,
    takes=("P2",),
)
SWAP = TransformerSwap(area_id=A1, type_name="S20-200-Dyn11")
TIE = TieLine(
    tie_id="T9",
    feeder_id=F1,
    other_feeder_id=F2,
    from_bus_id=3,
    to_bus_id=5,
    type_name="JKLYJ-10-150",
    length_km=1.5,
)
STRONGER = FeederReconductoring(feeder_id=F1, line_types=((1, "JKLYJ-10-240"), (2, "JKLYJ-10-240")))
OLTC = OnLoadTransformer(
    area_id=A2, type_name="S20-400-Dyn11", tap_ratio=0.925, setpoint_pu=1.0, band_pu=0.015, step=0.025, range=0.1
)
LV_REGULATORS = LineRegulators(area_id=A2, nodes=(), boost=0.1, rated_kva=100.0)
REGULATOR = FeederRegulator(feeder_id=F1, line_id=1, boost=0.05, rated_mva=4.0)
EVERY_CHANGE = (
    PhaseBalancing(area_id=A1, unbalance_factor=1.1),
    PhaseSwitching(area_id=A2, unbalance_factor=1.05, homes=8),
    TapChange(area_id=A1, tap_ratio=0.975),
    SWAP,
    LowVoltageReconductoring(area_id=A1, type_name="JKLYJ-1-185"),
    NEW_AREA,
    STRONGER,
    REGULATOR,
    OLTC,
    LV_REGULATORS,
    TIE,
)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return county.grid(tmp_path_factory.mktemp("grid"))


def solved(grid, loads_kw=LOAD_KW):
    p_mw = np.zeros((1, grid.network.n_bus))
    for bus, kw in loads_kw.items():
        p_mw[0, bus] = kw / 1000.0
    return solve(grid.network, LoadCases(p_mw=p_mw, q_mvar=0.0 * p_mw), tolerance_pu=1e-12)


def judged(tables, loads_kw=LOAD_KW):
    """What pandapower says of the same elements, written out by hand."""
    net = county.net(tables)
    for bus, kw in loads_kw.items():
        pp.create_load(net, bus, kw / 1000.0)
    pp.runpp(net, tolerance_mva=1e-10, init="dc", calculate_voltage_angles=True, max_iteration=50)
    return net


def assert_same(grid, tables, loads_kw=LOAD_KW):
    ours, theirs = solved(grid, loads_kw), judged(tables, loads_kw)
    np.testing.assert_allclose(ours.vm_pu[0], theirs.res_bus["vm_pu"], rtol=0, atol=1e-9)
    trafos = grid.network.branches.kind == 1
    np.testing.assert_allclose(ours.loading_percent[0][trafos], theirs.res_trafo["loading_percent"], rtol=1e-7)
    lines = (grid.network.branches.kind == 0) & grid.network.branches.connected
    closed = theirs.line.index[[i in grid.network.branches.branch_id[lines] for i in theirs.line.index]]
    np.testing.assert_allclose(
        ours.loading_percent[0][lines], theirs.res_line.loc[closed, "loading_percent"], rtol=1e-7
    )


def test_the_county_itself_agrees_with_pandapower(grid):
    assert_same(grid, county.tables())


def test_a_swap_halves_the_loading_and_agrees_with_pandapower(grid):
    built = build(grid, (SWAP,))
    tables = county.tables()
    for name, value in county.nameplate("S20-200-Dyn11").items():
        tables["trafo"].loc[1, name] = value

    assert_same(built, tables)
    before, after = (solved(g).loading_percent[0, grid.area_branch[0]] for g in (grid, built))
    # The rating doubles; losses and voltage move the current by less than 2 %.
    assert after == pytest.approx(before / 2.0, rel=0.02)
    row = built.areas.iloc[0]
    assert (row["kva"], row["type_name"], row["series"]) == (200, "S20-200-Dyn11", "S20")


def test_a_swap_keeps_the_tap_position(tmp_path):
    grid = county.grid(tmp_path, elements=county.tables(tap_pos=(1, 0, 0, 0)))
    tables = county.tables(tap_pos=(1, 0, 0, 0))
    for name, value in county.nameplate("S20-200-Dyn11").items():
        tables["trafo"].loc[1, name] = value

    assert_same(build(grid, (SWAP,)), tables)


def test_on_load_taps_stand_where_they_hold_the_voltage_and_agree_with_pandapower(grid):
    built = build(grid, (OLTC,))
    tables = county.tables()
    for name, value in (county.nameplate("S20-400-Dyn11") | {"tap_min": -4, "tap_max": 4, "tap_pos": -3}).items():
        tables["trafo"].loc[2, name] = value

    assert_same(built, tables)
    assert (built.areas["kva"].iloc[1], built.areas["type_name"].iloc[1]) == (400, "S20-400-Dyn11")
    (unit,) = transformers_of(built, np.array([1]))
    # Beyond the taps of the catalogue's unit: the tap stands in the rated voltage.
    assert unit.vn_hv_kv * (1.0 + unit.tap_pos * unit.tap_step_percent / 100.0) == pytest.approx(9.25)
    assert (unit.kva, unit.pk_kw) == pytest.approx((400.0, county.nameplate("S20-400-Dyn11")["vkr_percent"] * 4.0))


def test_a_swap_brings_its_vector_group(grid):
    built = build(grid, (TransformerSwap(area_id=A1, type_name="S11-100-Yyn0"),))

    assert built.network.branches.shift_degree[grid.area_branch[0]] == 0.0
    assert built.areas["vector_group"].iloc[0] == "Yyn0"


def test_one_tap_lower_raises_the_low_voltage_by_a_fortieth(grid):
    built = build(grid, (TapChange(area_id=A1, tap_ratio=0.975),))
    tables = county.tables(tap_pos=(-1, 0, 0, 0))

    assert_same(built, tables)
    before, after = (solved(g).vm_pu[0, grid.area_bus[0]] for g in (grid, built))
    assert after / before == pytest.approx(1.0 / 0.975, rel=2e-3)


def test_low_voltage_reconductoring_changes_the_drop_by_the_resistance(grid):
    built = build(grid, (LowVoltageReconductoring(area_id=A1, type_name="JKLYJ-1-185"),))

    # Pure active power: the drop goes with r, 0.443 -> 0.164 ohm/km.
    before, after = (drop_v(g) for g in (grid, built))
    assert after == pytest.approx(before * 0.164 / 0.443, rel=1e-12)
    # By hand: k P R / (6 n V) with R = 0.443 * 1.0403 * 0.3 km, three circuits, 70 kW at 230 V.
    assert before == pytest.approx(1.3 * 70e3 * 0.443 * 1.0403 * 0.3 / (6 * 3 * 230.0), rel=1e-12)


def test_phase_balancing_changes_the_drop_by_the_factor(grid):
    built = build(grid, (PhaseBalancing(area_id=A1, unbalance_factor=1.1),))

    assert drop_v(built) == pytest.approx(drop_v(grid) * 1.1 / 1.3, rel=1e-12)


def test_a_regulator_in_every_circuit_raises_the_beginning_of_the_lines(grid):
    every = dataclasses.replace(LV_REGULATORS, area_id=A1)
    built = build(grid, (every,))

    # 230 V become 253, and the same power drops less: 23 V are won, and the drop is 1.1 times smaller.
    assert drop_v(built) == pytest.approx(drop_v(grid) / 1.1 - 23.0, rel=1e-12)
    assert built.areas["lv_regulators"].tolist() == [3, 0, 0, 0]
    # One of three circuits without a regulator is the lowest as before.
    two = build(grid, (dataclasses.replace(every, nodes=("P1", "P2")),))
    assert drop_v(two) == drop_v(grid)
    assert two.areas["lv_regulators"].tolist() == [2, 0, 0, 0]


def test_switches_after_balancing_bring_the_drop_nearer_to_an_even_line(grid):
    by_hand = PhaseBalancing(area_id=A1, unbalance_factor=1.1)
    switches = PhaseSwitching(area_id=A1, unbalance_factor=1.05, homes=8)

    assert drop_v(build(grid, (by_hand, switches))) == pytest.approx(drop_v(grid) * 1.05 / 1.3, rel=1e-12)


def drop_v(grid, p_kw=70.0):
    voltage = np.full((len(grid.areas), 1), 230.0)
    p_mw = np.full_like(voltage, p_kw / 1000.0)
    return float((voltage - end_voltage_v(voltage, p_mw, 0.0 * p_mw, low_voltage_lines(grid.areas)))[0, 0])


def test_a_new_area_agrees_with_pandapower_and_halves_the_load(grid):
    built = build(grid, (NEW_AREA,))
    tables = county.tables()
    tables["bus"].loc[10] = {"name": "pole", "vn_kv": 10.0, "type": "b", "in_service": True, "feeder_id": F1}
    tables["bus"].loc[11] = {"name": "lv", "vn_kv": 0.4, "type": "b", "in_service": True, "feeder_id": F1}
    spur = tables["line"].loc[4].to_dict() | {"name": "spur", "from_bus": 2, "to_bus": 10, "length_km": 0.3}
    tables["line"].loc[5] = spur
    unit = tables["trafo"].loc[1].to_dict() | county.nameplate("S20-200-Dyn11") | {"hv_bus": 10, "lv_bus": 11}
    tables["trafo"].loc[5] = unit
    halves = LOAD_KW | {6: 35.0, 11: 35.0}

    # Both say lines first: ours keeps old positions, so compare by name of the element.
    ours, theirs = solved(built, halves), judged(tables, halves)
    np.testing.assert_allclose(ours.vm_pu[0], theirs.res_bus["vm_pu"], rtol=0, atol=1e-9)
    old, new = built.area_branch[[0, 4]]
    np.testing.assert_allclose(ours.loading_percent[0, [old, new]], theirs.res_trafo.loc[[1, 5], "loading_percent"])
    before = solved(grid).loading_percent[0, old]
    assert ours.loading_percent[0, old] == pytest.approx(before / 2.0, rel=0.03)


def test_a_new_area_shares_homes_heaters_and_lines(grid):
    built = build(grid, (NEW_AREA,))
    old, new = built.areas.iloc[0], built.areas.iloc[4]

    assert (old["households"], new["households"]) == (35, 35)
    assert (old["occupied_households"], new["occupied_households"]) == (30, 30)
    assert (new["area_id"], new["kva"], new["feeder_id"], new["section_id"]) == (f"{A1}N", 200, F1, f"{F1}-K1")
    assert old["lv_radius_m"] == new["lv_radius_m"] == 210
    assert old["lv_circuits"] == new["lv_circuits"] == 2
    assert built.areas.dtypes.to_dict() == grid.areas.dtypes.to_dict()
    assert built.network.bus_id[built.area_bus[4]] == new["lv_bus"]
    assert built.bus_main[-1] == grid.bus_main[6]
    assert built.households.sum() == grid.households.sum()
    assert built.branch_role[-2:] == ("lateral", "distribution")
    tree = supply_trees(built, DEFAULT_LIMITS)[0]
    assert tree.area.tolist() == [0, 1, 2, 3, 4]


def test_counts_follow_the_tables_of_the_new_grid(tmp_path):
    grid = county.grid(tmp_path, homes=(61, 40, 40, 40))
    built = build(grid, (NEW_AREA,))
    shared = share_counts(grid, class_counts(grid.areas, grid.heating), (NEW_AREA,))
    again = class_counts(built.areas, built.heating)

    np.testing.assert_allclose(shared.rated_kw, again.rated_kw, rtol=1e-12)
    np.testing.assert_allclose(shared.count, again.count, rtol=1e-12)
    # 61 homes: 30 move.
    assert (shared.count[0, 0], shared.count[4, 0]) == pytest.approx((31.0, 30.0))
    assert shared.rated_kw[[0, 4], 1].sum() == pytest.approx(10.0)


def test_applications_move_with_the_new_area():
    queue = county.applications((A1, 1.0), (A1, 2.0), (A2, 3.0))

    moved = relocate(queue, (NEW_AREA,))

    assert [a.area_id for a in moved] == [A1, f"{A1}N", A2]
    assert [a.application_id for a in moved] == ["P1", "P2", "P3"]


def test_stronger_lines_agree_with_pandapower(grid):
    tables = county.tables()
    for name in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka", "std_type"):
        tables["line"].loc[[1, 2], name] = tables["line"].loc[0, name]

    built = build(grid, (STRONGER,))

    assert_same(built, tables)
    assert built.network.branches.type_name[1] == "JKLYJ-10-240"
    assert built.feeders["limit_ka"].tolist() == grid.feeders["limit_ka"].tolist()


@pytest.mark.parametrize("ends", [(2, 3), (3, 2)], ids=["before the line", "behind it"])
def test_a_regulator_agrees_with_pandapower(tmp_path, ends):
    tables = county.tables()
    tables["line"].loc[1, ["from_bus", "to_bus"]] = ends
    grid = county.grid(tmp_path, elements=tables)
    # The judge has a transformer without losses, 10.5/10, between the regulator's bus and the `from` end of the line.
    place = tables["bus"].index.max() + 1
    tables["bus"].loc[place] = tables["bus"].loc[2]
    ratio = {"vn_hv_kv": 10.0, "vn_lv_kv": 10.5}
    sides = {"hv_bus": 2, "lv_bus": place} if ends[0] == 2 else {"hv_bus": place, "lv_bus": 3}
    unit = tables["trafo"].loc[0].to_dict() | ratio | sides | {"sn_mva": 4.0, "vk_percent": 0.1, "vkr_percent": 0.0}
    tables["trafo"].loc[5] = unit | {"pfe_kw": 0.0, "i0_percent": 0.0, "shift_degree": 0.0, "tap_pos": 0}
    tables["line"].loc[1, "from_bus"] = place
    tables["switch"] = tables["switch"][tables["switch"]["name"] != "K2"]

    built = build(grid, (REGULATOR,))

    ours, theirs = solved(built), judged(tables)
    np.testing.assert_allclose(ours.vm_pu[0], theirs.res_bus["vm_pu"].drop(place), rtol=0, atol=1e-6)
    # 80 kW by 70 mm2 for 6 km: 2 % are lost, and 5 % are won.
    assert 1.045 < ours.vm_pu[0, 4] / solved(grid).vm_pu[0, 4] < 1.055
    line = built.network.branches.name.index("L1")
    # The side towards the source carries more: the regulator's own, or the line's.
    most_ka = theirs.res_trafo["i_hv_ka"][5] if ends[0] == 2 else theirs.res_line["i_to_ka"][1]
    ours_ka = ours.loading_percent[0, line] / 100.0 * built.network.branches.rating_from_ka[line]
    assert ours_ka == pytest.approx(most_ka, rel=1e-6)


def test_a_regulator_is_the_narrowest_part_of_its_line_and_stays(grid):
    branches = build(grid, (dataclasses.replace(REGULATOR, rated_mva=2.0), STRONGER)).network.branches

    # 2 MVA at 10 kV are 115 A; JKLYJ-10-240 would carry 553.
    assert branches.rating_from_ka[1] == pytest.approx(2.0 / 3**0.5 / 10.0)
    assert branches.rating_from_ka[2] == 0.553
    assert branches.tap_ratio[1] == pytest.approx(1.0 / 1.05)
    with pytest.raises(PlanError, match="already"):
        build(grid, (REGULATOR, REGULATOR))


def test_a_line_with_a_regulator_is_no_line_of_pandapower(grid):
    with pytest.raises(UnsupportedElementError, match="regulator"):
        to_pandapower(build(grid, (REGULATOR,)).network)


def test_the_limit_of_a_feeder_rises_with_the_line_that_set_it(grid):
    weaker = build(grid, (FeederReconductoring(feeder_id=F1, line_types=((0, "JKLYJ-10-120"),)),))
    stronger = build(weaker, (FeederReconductoring(feeder_id=F1, line_types=((0, "JKLYJ-10-185"),)),))

    assert weaker.feeders["limit_ka"].tolist() == [0.352, 0.553]
    assert stronger.feeders["limit_ka"].tolist() == [0.465, 0.553]


def test_an_open_tie_only_adds_its_charging(grid):
    tables = county.tables()
    row = county.conductors().loc["JKLYJ-10-150"]
    tables["line"].loc[5] = tables["line"].loc[4].to_dict() | {
        "name": "T9", "from_bus": 3, "to_bus": 5, "length_km": 1.5, "std_type": "JKLYJ-10-150",
        **{name: row[name] for name in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka")},
    }  # fmt: skip
    more = tables["switch"].iloc[[3]].assign(bus=5, element=5, name="T9")
    tables["switch"] = pd.concat([tables["switch"], more], ignore_index=True)

    built = build(grid, (TIE,))

    assert_same(built, tables)
    assert built.branch_role[-1] == "tie"
    assert not built.network.branches.connected[-1]
    assert (built.network.switches.name[-1], built.network.switches.closed[-1]) == ("T9", False)
    assert not len(built.tree.loop_branch)


@pytest.mark.parametrize("change", EVERY_CHANGE, ids=lambda change: type(change).__name__)
def test_the_given_county_stays_as_it_is(grid, change):
    before = pickle.dumps(grid)

    built = build(grid, (change,))

    assert pickle.dumps(grid) == before
    assert pickle.dumps(built) != before


def test_changes_add_up(grid):
    built = build(grid, EVERY_CHANGE)

    row = built.areas.iloc[0]
    assert (row["lv_unbalance_factor"], row["lv_type_name"], row["kva"]) == (1.1, "JKLYJ-1-185", 200)
    assert built.network.branches.tap_ratio[grid.area_branch[0]] == 0.975
    # The new area is split off after the tap was changed and has the same one.
    assert built.network.branches.tap_ratio[built.area_branch[4]] == 0.975
    assert built.network.n_branch == grid.network.n_branch + 3
    assert np.isfinite(solved(built).vm_pu).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (TransformerSwap(area_id="nowhere", type_name="S20-200-Dyn11"), PlanError, "nowhere"),
        (TransformerSwap(area_id=A1, type_name="S99-1"), CatalogueError, "S99-1"),
        (FeederReconductoring(feeder_id=F1, line_types=((77, "JKLYJ-10-240"),)), PlanError, "77"),
        (FeederReconductoring(feeder_id="F9", line_types=((1, "JKLYJ-10-240"),)), PlanError, "F9"),
        (FeederReconductoring(feeder_id=F1, line_types=((1, "rope"),)), CatalogueError, "rope"),
    ],
)
def test_what_is_not_there_is_named(grid, change, error, words):
    with pytest.raises(error, match=words):
        build(grid, (change,))


def test_a_new_area_is_built_once(grid):
    with pytest.raises(PlanError, match="already"):
        build(grid, (NEW_AREA, NEW_AREA))


def test_ends_of_a_tie_must_exist_at_one_voltage(grid):
    with pytest.raises(PlanError, match="88"):
        build(grid, (dataclasses.replace(TIE, to_bus_id=88),))
    with pytest.raises(PlanError, match="one voltage"):
        build(grid, (dataclasses.replace(TIE, to_bus_id=6),))
