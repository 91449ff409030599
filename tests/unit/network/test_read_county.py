"""A county folder: what it becomes, and that every fault in it is named by file and row."""

import json

import numpy as np
import pandas as pd
import pytest

from gridcheck.errors import InputError, NetworkError, TopologyError
from gridcheck.network import read_county
from tests.support.county_folder import CODE, areas, county_net, feeders, heating, write_county
from tests.support.radial_nets import add_line


def changed(table: pd.DataFrame, row: int, column: str, value: str) -> pd.DataFrame:
    table.loc[row, column] = value
    return table


def error_of(folder) -> str:
    with pytest.raises(InputError) as caught:
        read_county(folder)
    return str(caught.value)


def test_positions_of_areas_feeders_and_main_transformers(tmp_path):
    grid = read_county(write_county(tmp_path))

    assert (grid.county_code, grid.county, grid.county_en, grid.synthetic) == (CODE, "试验县", "Trial", True)
    assert grid.network.n_bus == 6
    # Lines come first, then transformers.
    assert grid.branch_role == ("trunk", "trunk", "tie", "main", "distribution", "distribution")
    assert grid.branch_section[1] == f"{CODE}-F002-K1"
    assert grid.area_bus.tolist() == [4, 5]
    assert grid.area_branch.tolist() == [4, 5]
    assert grid.area_feeder.tolist() == [0, 1]
    assert grid.bus_feeder.tolist() == [-1, -1, 0, 1, 0, 1]
    assert grid.bus_main.tolist() == [-1, 3, 3, 3, 3, 3]
    assert grid.households.tolist() == [0, 0, 0, 0, 60, 110]


def test_cells_become_typed_columns(tmp_path):
    grid = read_county(write_county(tmp_path))

    assert grid.areas["kva"].tolist() == [200.0, 400.0]
    assert grid.areas["village_code"].tolist() == [f"{CODE}100200"] * 2
    assert grid.areas["key_area"].tolist() == [False, False]
    assert grid.areas["elevation_m"].isna().all()
    assert grid.heating["rated_kw"].tolist() == [10.8, 12.0, 60.0]
    assert grid.feeders["limit_ka"].tolist() == [0.3, 0.3]


def test_further_columns_are_kept(tmp_path):
    table = areas()
    table["remark"] = ["a", "b"]

    grid = read_county(write_county(tmp_path, areas=table))

    assert grid.areas["remark"].tolist() == ["a", "b"]


def test_a_bus_bus_switch_has_neither_role_nor_section(tmp_path):
    import pandapower as pp

    net = county_net()
    bus = pp.create_bus(net, 10.0)
    net.bus["feeder_id"] = net.bus["feeder_id"].fillna("")
    pp.create_switch(net, 1, bus, "b")

    grid = read_county(write_county(tmp_path, net))

    assert len(grid.branch_role) == len(grid.branch_section) == grid.network.n_branch == 7
    assert (grid.branch_role[6], grid.branch_section[6]) == ("", "")


@pytest.mark.parametrize("name", ["network.json", "areas.csv", "feeders.csv", "heating.csv", "origin.toml"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_county(tmp_path)
    (folder / name).unlink()

    assert name in error_of(folder)


@pytest.mark.parametrize("name", ["areas.csv", "feeders.csv", "heating.csv", "origin.toml", "network.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00broken"], ids=["empty", "not_text"])
def test_an_unreadable_file_is_named(tmp_path, name, content):
    folder = write_county(tmp_path)
    (folder / name).write_bytes(content)

    assert name in error_of(folder)


@pytest.mark.parametrize("key", ["county_code", "county", "county_en", "synthetic"])
def test_origin_without_a_key(tmp_path, key):
    folder = write_county(tmp_path)
    lines = (folder / "origin.toml").read_text(encoding="utf-8").splitlines()
    (folder / "origin.toml").write_text("\n".join(line for line in lines if not line.startswith(f"{key} ")), "utf-8")

    message = error_of(folder)

    assert "origin.toml" in message
    assert key in message


@pytest.mark.parametrize("value", ['"no"', "0", "[]"])
def test_origin_says_plainly_whether_it_is_synthetic(tmp_path, value):
    folder = write_county(tmp_path)
    text = (folder / "origin.toml").read_text(encoding="utf-8")
    (folder / "origin.toml").write_text(text.replace("synthetic = true", f"synthetic = {value}"), encoding="utf-8")

    assert "synthetic" in error_of(folder)


@pytest.mark.parametrize(
    ("table", "column"), [("areas", "kva"), ("areas", "area_id"), ("heating", "device"), ("feeders", "limit_ka")]
)
def test_a_missing_column_is_named(tmp_path, table, column):
    frame = {"areas": areas, "heating": heating, "feeders": feeders}[table]()

    message = error_of(write_county(tmp_path, **{table: frame.drop(columns=column)}))

    assert f"{table}.csv" in message
    assert column in message


def breaking_cells() -> list[tuple[str, int, str, str]]:
    return [
        ("areas", 1, "kva", "many"),
        ("areas", 1, "kva", ""),
        ("areas", 1, "kva", "-400"),
        ("areas", 0, "kva", "nan"),
        ("areas", 0, "kva", "inf"),
        ("areas", 1, "households", "-1"),
        ("areas", 1, "households", "1.5"),
        ("areas", 1, "occupied_households", "few"),
        ("areas", 1, "lv_bus", "five"),
        ("areas", 1, "lv_bus", "99"),
        ("areas", 1, "trafo", "99"),
        ("areas", 1, "trafo", ""),
        ("areas", 1, "feeder_id", "F999"),
        ("areas", 0, "lv_unbalance_factor", "0.5"),
        ("areas", 0, "key_area", "perhaps"),
        ("areas", 0, "lat", "135"),
        ("areas", 0, "area_id", ""),
        ("heating", 2, "area_id", f"{CODE}-A9999"),
        ("heating", 2, "rated_kw", "-3"),
        ("heating", 2, "rated_kw", "nan"),
        ("heating", 2, "households", "x"),
        ("heating", 2, "device", ""),
        ("feeders", 1, "limit_ka", "0"),
        ("feeders", 1, "busbar_bus", "99"),
        ("feeders", 1, "outlet_line", "99"),
        ("feeders", 1, "outlet_switch", "99"),
    ]


@pytest.mark.parametrize(("table", "row", "column", "value"), breaking_cells())
def test_a_wrong_cell_is_named_by_file_row_and_column(tmp_path, table, row, column, value):
    frame = {"areas": areas, "heating": heating, "feeders": feeders}[table]()

    message = error_of(write_county(tmp_path, **{table: changed(frame, row, column, value)}))

    assert f"{table}.csv" in message
    assert f"row {row + 2}" in message  # the header is row 1
    assert column in message


@pytest.mark.parametrize("table", ["areas", "feeders"])
def test_an_id_that_stands_twice(tmp_path, table):
    frame = {"areas": areas, "feeders": feeders}[table]()
    key = f"{table[:-1]}_id"
    frame.loc[1, key] = frame.loc[0, key]

    message = error_of(write_county(tmp_path, **{table: frame}))

    assert f"{table}.csv" in message
    assert "row 3" in message


def test_two_areas_cannot_share_a_transformer(tmp_path):
    table = changed(changed(changed(areas(), 1, "trafo", "1"), 1, "lv_bus", "4"), 1, "kva", "200")

    message = error_of(write_county(tmp_path, areas=table))

    assert "areas.csv" in message
    assert "row 3" in message


def test_kva_must_be_that_of_the_transformer(tmp_path):
    message = error_of(write_county(tmp_path, areas=changed(areas(), 1, "kva", "315")))

    assert "areas.csv" in message
    assert "row 3" in message
    assert "315" in message
    assert "400" in message


def test_lv_bus_must_be_the_low_side_of_the_transformer(tmp_path):
    message = error_of(write_county(tmp_path, areas=changed(areas(), 0, "lv_bus", "5")))

    assert "areas.csv" in message
    assert "row 2" in message


@pytest.mark.parametrize(("table", "words"), [("switch", "1 loops"), ("trafo", "not connected"), ("line", "switch 0")])
def test_a_network_without_a_table(tmp_path, table, words):
    folder = write_county(tmp_path)
    content = json.loads((folder / "network.json").read_text(encoding="utf-8"))
    del content["_object"][table]
    (folder / "network.json").write_text(json.dumps(content), encoding="utf-8")

    assert words in error_of(folder)


def test_several_heaters_of_one_class_add_up_but_no_row_stands_twice(tmp_path):
    more = pd.concat([heating(), changed(heating().iloc[:1], 0, "rated_kw", "5.4")], ignore_index=True)

    assert len(read_county(write_county(tmp_path, heating=more)).heating) == 4

    twice = pd.concat([heating(), heating().iloc[:1]], ignore_index=True)
    assert "row 5" in error_of(write_county(tmp_path, heating=twice))


def test_all_faults_of_a_table_are_told_at_once(tmp_path):
    table = changed(changed(areas(), 0, "kva", "x"), 1, "households", "y")

    message = error_of(write_county(tmp_path, areas=table))

    assert "row 2" in message
    assert "row 3" in message


def test_a_loop_is_refused(tmp_path):
    net = county_net()
    net.switch["closed"] = True

    with pytest.raises(TopologyError, match=r"network\.json must be radial.* 1 loops"):
        read_county(write_county(tmp_path, net))


def test_an_island_is_refused_and_its_buses_are_named(tmp_path):
    net = county_net()
    net.line.loc[1, "in_service"] = False

    with pytest.raises(TopologyError, match=r"network\.json must be radial.* 2 unsupplied") as caught:
        read_county(write_county(tmp_path, net))

    assert any("bus 3 " in line for line in caught.value.findings)
    assert any("bus 5 " in line for line in caught.value.findings)


def test_substations_joined_by_a_line_are_a_loop(tmp_path):
    import pandapower as pp

    net = county_net()
    pp.create_bus(net, 110.0)
    net.bus["feeder_id"] = net.bus["feeder_id"].fillna("")
    pp.create_ext_grid(net, 6)
    add_line(net, 0, 6)

    with pytest.raises(TopologyError, match="1 loops"):
        read_county(write_county(tmp_path, net))


def test_numbers_are_read_exactly(tmp_path):
    grid = read_county(write_county(tmp_path, heating=changed(heating(), 0, "rated_kw", "0.1")))

    assert grid.heating["rated_kw"][0] == 0.1


def test_reading_twice_gives_equal_arrays(tmp_path):
    folder = write_county(tmp_path)

    first, second = read_county(folder), read_county(folder)

    pd.testing.assert_frame_equal(first.areas, second.areas)
    np.testing.assert_array_equal(first.network.branches.r_pu, second.network.branches.r_pu)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(NetworkError, match="origin"):
        read_county(tmp_path / "nowhere")
