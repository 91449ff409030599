"""Surveyed lines in files: the way out and in again, and every fault named by file, row and remedy."""

import numpy as np
import pandas as pd
import pytest

from gridcheck.errors import InputError, NetworkError, SchemaError
from gridcheck.network.area_transformers import area_transformer
from gridcheck.network.low_voltage import LowVoltageGrid
from gridcheck.network.low_voltage_tables import (
    HOMES_FILE,
    NODES_FILE,
    element_tables,
    read_low_voltage,
    write_low_voltage,
)
from gridcheck.synthesis.low_voltage import synthetic_low_voltage
from tests.support.made_up_areas import layout

AREAS = pd.DataFrame({"area_id": ["A1", "A2", "A3"], "households": [3, 1, 9]})
NODES = """area_id,node,parent,length_m,type_name
A1,P2,P1,45,JKLYJ-1-50
A1,P1,lv,40,JKLYJ-1-70
A1,甲巷1号箱,P2,12.5,BS-JKLYJ-1-4x16
A2,P1,lv,30,JKLYJ-1-35
"""
HOMES = """area_id,home_id,node,phase
A1,H1,甲巷1号箱,A
A1,H2,甲巷1号箱,ABC
A1,H3,lv,
A2,H4,P1,C
"""


def folder_of(tmp_path, nodes=NODES, homes=HOMES, *, encoding="utf-8"):
    for name, text in ((NODES_FILE, nodes), (HOMES_FILE, homes)):
        if text is not None:
            (tmp_path / name).write_bytes(text.encode(encoding))
    return tmp_path


def findings_of(tmp_path, nodes=NODES, homes=HOMES):
    with pytest.raises(InputError) as caught:
        read_low_voltage(folder_of(tmp_path, nodes, homes), AREAS)
    assert NODES_FILE in caught.value.message
    return caught.value.findings


def assert_same(found: LowVoltageGrid, expected: LowVoltageGrid) -> None:
    for field in ("area_id", "is_synthetic", "node_name", "type_name", "home_id"):
        assert getattr(found, field) == getattr(expected, field)
    for field in ("parent", "length_m", "home_node", "home_phase"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_by_hand(tmp_path, encoding):
    files = read_low_voltage(folder_of(tmp_path, encoding=encoding), AREAS)

    assert list(files.grids) == ["A1", "A2"]
    assert files.warnings == ()
    assert_same(
        files.grids["A1"],
        LowVoltageGrid(
            area_id="A1", is_synthetic=False, node_name=("lv", "P1", "P2", "甲巷1号箱"), parent=[-1, 0, 1, 2],
            length_m=[0, 40, 45, 12.5], type_name=("", "JKLYJ-1-70", "JKLYJ-1-50", "BS-JKLYJ-1-4x16"),
            home_id=("H1", "H2", "H3"), home_node=[3, 3, 0], home_phase=[0, 3, -1],
        ),
    )  # fmt: skip


def test_a_folder_without_the_files_has_no_lines(tmp_path):
    assert read_low_voltage(tmp_path, AREAS).grids == {}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_there_and_back(tmp_path, encoding):
    grids = [synthetic_low_voltage(layout(number, households=20 * number), 7) for number in (1, 2, 3)]
    write_low_voltage(tmp_path, grids)
    for name in (NODES_FILE, HOMES_FILE):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().decode("utf-8").encode(encoding))
    areas = pd.DataFrame({"area_id": [grid.area_id for grid in grids], "households": [20, 40, 60]})

    files = read_low_voltage(tmp_path, areas, is_synthetic=True)

    assert files.warnings == ()
    for grid in grids:
        assert_same(files.grids[grid.area_id], grid)


def test_the_order_of_rows_does_not_matter(tmp_path):
    grid = synthetic_low_voltage(layout(), 7)
    write_low_voltage(tmp_path, [grid])
    nodes = pd.read_csv(tmp_path / NODES_FILE, dtype=str).iloc[::-1]
    nodes.to_csv(tmp_path / NODES_FILE, index=False)
    found = read_low_voltage(tmp_path, pd.DataFrame({"area_id": [grid.area_id], "households": [70]}))

    again = found.grids[grid.area_id]
    above = {name: grid.node_name[up] for name, up in zip(grid.node_name[1:], grid.parent[1:], strict=True)}
    assert {name: again.node_name[up] for name, up in zip(again.node_name[1:], again.parent[1:], strict=True)} == above
    assert [again.node_name[k] for k in again.home_node] == [grid.node_name[k] for k in grid.home_node]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("A1,P1,lv", "A9,P1,lv", "row 3: area A9, node P1: areas.csv has no such area"),
        ("A1,P2,P1,45", "A1,P2,P9,45", "row 2: area A1, node P2: parent 'P9' is no node of the area; add its row"),
        ("A1,P1,lv,40", "A1,P1,P2,40", "row 2: area A1, node P2: no way leads from here to the busbar lv"),
        ("A1,P1,lv,40", "A1,P1,P1,40", "row 3: area A1, node P1: no way leads from here"),
        ("P2,P1,45", "lv,P1,45", "row 2: area A1, node lv: the busbar has no line above it; take the row away"),
        ("JKLYJ-1-35", "JKLYJ-1-36", "row 5: area A2, node P1: conductor 'JKLYJ-1-36' is not in the catalogue; use"),
        ("A1,P2,P1,45,", "A1,P1,lv,45,", "row 3: ['area_id', 'node'] repeats an earlier row"),
        ("lv,30,", "lv,-30,", "row 5, length_m: found '-30'"),
        ("lv,30,", "lv,,", "row 5, length_m: empty"),
        ("lv,30,", "lv,thirty,", "row 5, length_m: found 'thirty'"),
        ("A1,P1,lv", "A1,P1,", "row 3, parent: empty"),
    ],
)
def test_faulty_rows_of_nodes_are_named(tmp_path, old, new, finding):
    assert NODES.count(old) == 1
    found = findings_of(tmp_path, nodes=NODES.replace(old, new))

    assert any(line.startswith(f"{NODES_FILE} {finding}") for line in found), found


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("H4,P1,C", "H4,P7,C", "row 5: meter H4: area A2 has no node 'P7'; add it to low_voltage_nodes.csv"),
        ("A2,H4,P1", "A3,H4,lv", "row 5: meter H4: area A3 has no node 'lv'"),
        ("H4,", "H3,", "row 5: ['home_id'] repeats an earlier row"),
        ("P1,C", "P1,D", "row 5, phase: found 'D', allowed are A, B, C, ABC"),
        ("A2,H4", "A2,", "row 5, home_id: empty"),
    ],
)
def test_faulty_rows_of_meters_are_named(tmp_path, old, new, finding):
    assert HOMES.count(old) == 1
    found = findings_of(tmp_path, homes=HOMES.replace(old, new))

    assert any(line.startswith(f"{HOMES_FILE} {finding}") for line in found), found


def test_faults_of_both_files_are_told_at_once(tmp_path):
    found = findings_of(tmp_path, nodes=NODES.replace(",30,", ",x,"), homes=HOMES.replace("P1,C", "P1,D"))

    assert [line.split(" ")[0] for line in found] == [NODES_FILE, HOMES_FILE]


def test_a_long_loop_is_found(tmp_path):
    ring = "".join(f"A2,N{k},N{(k + 1) % 700},10,JKLYJ-1-35\n" for k in range(700))
    found = findings_of(tmp_path, nodes=NODES + ring)

    assert len(found) == 20  # the first of them
    assert all("loop" in line for line in found)


@pytest.mark.parametrize(("nodes", "homes", "missing"), [(NODES, None, HOMES_FILE), (None, HOMES, NODES_FILE)])
def test_one_file_without_the_other(tmp_path, nodes, homes, missing):
    with pytest.raises(NetworkError, match=f"{missing} is missing"):
        read_low_voltage(folder_of(tmp_path, nodes, homes), AREAS)


def test_a_column_that_is_missing(tmp_path):
    assert f"{HOMES_FILE} column phase is missing" in findings_of(tmp_path, homes="area_id,home_id,node\nA1,H1,P1\n")


def test_what_is_odd_is_told_and_read(tmp_path):
    homes = HOMES + "".join(f"A2,X{k},P1,\n" for k in range(12))
    files = read_low_voltage(folder_of(tmp_path, homes=homes), AREAS)

    assert files.grids["A2"].n_home == 13
    assert files.warnings == (
        f"{HOMES_FILE}: area A2, node P1: 13 meters in one box, more than 12; perhaps several boxes stand there",
        f"{HOMES_FILE}: area A2: 13 meters, areas.csv has 1 registered households",
    )


def test_a_meter_in_two_areas_is_not_written(tmp_path):
    grid = synthetic_low_voltage(layout(), 7)
    with pytest.raises(InputError, match="more than one area"):
        write_low_voltage(tmp_path, [grid, grid])


def test_a_file_that_is_no_text(tmp_path):
    folder_of(tmp_path)
    (tmp_path / NODES_FILE).write_bytes(b"PK\x03\x04")
    with pytest.raises((NetworkError, SchemaError), match="workbook"):
        read_low_voltage(tmp_path, AREAS)


def test_element_tables_name_lines_after_their_nodes():
    grid = synthetic_low_voltage(layout(), 7)
    line = element_tables(grid, area_transformer("S13-200-Dyn11"))["line"]

    assert tuple(line["name"]) == grid.node_name[1:]
    np.testing.assert_allclose(line["r0_ohm_per_km"], 4 * line["r_ohm_per_km"])
    assert line["length_km"].sum() * 1000 == pytest.approx(grid.length_m.sum())
