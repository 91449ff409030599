"""What is drawn of a project: the lines of its grid, and among them just those that its bill changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gridcheck.errors import PlanError
from gridcheck.network.low_voltage_tables import write_low_voltage
from gridcheck.project_grids import DrawnCounty, drawn_county, project_drawing
from gridcheck.reinforcement.low_voltage_changes import replaced_km
from gridcheck.reinforcement.options import item_of
from gridcheck.reinforcement.terms import default_terms
from gridcheck.synthesis.low_voltage import low_voltage_of
from tests.support import planned_county as county
from tests.support.made_up_areas import one_line
from tests.support.planned_county import A1, F1, F2
from tests.support.project_sheets import candidate_of, facts_of

SEED = 5
TERMS = default_terms()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> DrawnCounty:
    """The county of four areas, whose buses have no places."""
    return drawn_county(Path(county.grid(tmp_path_factory.mktemp("grid")).folder), SEED)


def facts(*items, area_id="", feeder_id=F1):
    return facts_of(candidate_of(items, area_id=area_id, feeder_id=feeder_id))


def states(panel):
    return [line.state for line in panel.lines]


def lines_of_area(drawn, area_id):
    grid = drawn.grid
    return low_voltage_of(grid.areas[grid.areas["area_id"] == area_id], SEED)[area_id]


def test_restrung_lines_of_a_feeder_are_marked_and_no_others(drawn):
    item = item_of(TERMS, "mv_reconductor", 6.0, type_name="JKLYJ-10-240", elements=("line:1", "line:2"))

    drawing = project_drawing(drawn, facts(item))

    # Lines 0, 1, 2 are the feeder's, line 4 is its tie to the neighbour, which stands open.
    named = {line.name.split(" · ")[0]: line.state for line in drawing.before.lines}
    assert named == {"L0": "kept", "L1": "old", "L2": "old", "L4": "tie"}
    after = {line.name.split(" · ")[0]: (line.name.split(" · ")[1], line.state) for line in drawing.after.lines}
    assert after["L1"] == after["L2"] == ("JKLYJ-10-240", "replaced")
    assert after["L0"][1] == "kept"
    assert not drawing.is_map


def test_a_diagram_of_a_feeder_has_its_lengths(drawn):
    item = item_of(TERMS, "mv_reconductor", 6.0, type_name="JKLYJ-10-240", elements=("line:1", "line:2"))

    lines = {line.name.split(" · ")[0]: line.way_m for line in project_drawing(drawn, facts(item)).before.lines}

    # 2, 3 and 3 km in a row.
    assert lines["L0"] == ((0.0, 0.0), (2000.0, 0.0))
    assert lines["L2"] == ((5000.0, 0.0), (8000.0, 0.0))


def test_a_new_tie_joins_its_two_poles_and_has_its_switch_at_the_second(drawn):
    line = item_of(TERMS, "mv_line_150", 1.0, type_name="JKLYJ-10-150", elements=("bus:3", "bus:5"))
    switch = item_of(TERMS, "tie_switch", elements=("bus:5",))

    drawing = project_drawing(drawn, facts(switch, line))

    assert "new" not in states(drawing.before)
    (new,) = (one for one in drawing.after.lines if one.state == "new")
    (end,) = (one for one in drawing.after.symbols if one.state == "new")
    # Bus 3 is 5 km down feeder 1; bus 5 is the pole of feeder 2, which is drawn too.
    assert new.way_m[0] == (5000.0, 0.0)
    assert new.way_m[1] == end.at_m
    assert {one.name.split(" · ")[0] for one in drawing.before.lines} == {"L0", "L1", "L2", "L3", "L4"}
    assert set(drawn.grid.feeders["feeder_id"]) == {F1, F2}


def test_places_of_the_map_are_taken_where_all_are_known(drawn):
    known = {bus_id: (100.0 * bus_id, 50.0) for bus_id in range(6)}
    item = item_of(TERMS, "mv_reconductor", 3.0, type_name="JKLYJ-10-240", elements=("line:1",))

    drawing = project_drawing(dataclasses.replace(drawn, place_m=known), facts(item))

    (old,) = (line for line in drawing.before.lines if line.state == "old")
    assert drawing.is_map
    assert old.way_m == ((200.0, 50.0), (300.0, 50.0))


def test_the_shipped_counties_are_drawn_on_the_map(tmp_path):
    folder = Path("networks/140827-yuanqu")
    shipped = drawn_county(folder, SEED)
    (lon, lat), bus = (111.58809, 35.20499), 0

    x_m, y_m = shipped.place_m[bus]

    assert len(shipped.place_m) == shipped.grid.network.n_bus
    assert y_m == pytest.approx(lat * 111_320.0)
    assert x_m == pytest.approx(lon * 111_320.0 * np.cos(np.deg2rad(35.2)), rel=2e-3)


def test_lines_of_an_area_that_get_a_thicker_conductor_are_marked(drawn):
    grid = lines_of_area(drawn, A1)
    item = item_of(TERMS, "lv_reconductor", replaced_km(grid, "JKLYJ-1-120"), type_name="JKLYJ-1-120")

    drawing = project_drawing(drawn, facts(item, area_id=A1))

    for panel, state in ((drawing.before, "old"), (drawing.after, "replaced")):
        marked = [line for line in panel.lines if line.state == state]
        lengths_m = [float(line.name.split(" · ")[2].removesuffix(" m")) for line in marked]
        assert sum(lengths_m) == pytest.approx(1000.0 * item.amount)
        assert item.amount > 0.1
    assert drawing.is_synthetic
    assert drawing.notes == ()


def test_a_length_that_was_not_taken_from_the_lines_is_said(drawn):
    item = item_of(TERMS, "lv_reconductor", 0.9, type_name="JKLYJ-1-120")

    assert project_drawing(drawn, facts(item, area_id=A1)).notes == ("approximate",)


def test_a_swap_marks_the_transformer_and_balancing_the_meters(drawn):
    swap = item_of(TERMS, "transformer_swap_200", type_name="S20-200-Dyn11")
    balancing = item_of(TERMS, "phase_balancing")

    drawing = project_drawing(drawn, facts(swap, balancing, area_id=A1))

    (old,) = (one for one in drawing.before.symbols if one.kind == "transformer")
    (new,) = (one for one in drawing.after.symbols if one.kind == "transformer")
    assert (old.state, old.label, new.state, new.label) == ("old", "S13-100-Dyn11", "replaced", "S20-200-Dyn11")
    assert {one.state for one in drawing.before.symbols if one.kind == "box"} == {"kept"}
    assert {one.state for one in drawing.after.symbols if one.kind == "box"} == {"replaced"}
    assert set(states(drawing.after)) == {"kept"}
    assert drawing.notes == ("balanced",)


def test_a_new_area_cuts_lines_and_hangs_them_on_a_second_transformer(drawn):
    items = (
        item_of(TERMS, "new_area_200", type_name="S20-200-Dyn11"),
        item_of(TERMS, "mv_line_120", 0.3, type_name="JKLYJ-10-120"),
        item_of(TERMS, "lv_line_120", 0.2, type_name="JKLYJ-1-120"),
    )

    drawing = project_drawing(drawn, facts(*items, area_id=A1))

    units = [one for one in drawing.after.symbols if one.kind == "transformer"]
    assert [(one.state, one.label) for one in units] == [("kept", "100 kVA"), ("new", "S20-200-Dyn11")]
    cut = [line for line in drawing.before.lines if line.state == "old"]
    new = [line for line in drawing.after.lines if line.state == "new"]
    # Every line that is cut is joined to the new transformer by a new one; one more is the spur.
    assert len(new) == len(cut) + 1 > 1
    lengths_m = [float(line.name.split(" · ")[2].removesuffix(" m")) for line in new if "·" in line.name]
    assert sum(lengths_m) == pytest.approx(200.0, abs=0.01)
    # Nothing is lost: what stays, what moves, and in place of each cut line the new one.
    assert len(drawing.after.lines) == len(drawing.before.lines) + 1


def test_surveyed_lines_are_drawn_as_they_were_surveyed(tmp_path):
    folder = Path(county.grid(tmp_path).folder)
    surveyed = dataclasses.replace(one_line(length_m=230.0), area_id=A1, home_id=(f"{A1}-H001",), is_synthetic=False)
    write_low_voltage(folder, [surveyed])

    drawing = project_drawing(drawn_county(folder, SEED), facts(item_of(TERMS, "phase_balancing"), area_id=A1))

    (line,) = drawing.before.lines
    assert line.way_m == ((0.0, 0.0), (230.0, 0.0))
    assert not drawing.is_synthetic


def test_an_area_that_is_not_there_is_refused(drawn):
    with pytest.raises(PlanError, match="no area 'nowhere'"):
        project_drawing(drawn, facts(item_of(TERMS, "phase_balancing"), area_id="nowhere"))
