"""A network file from outside can at worst be refused: nothing that it names is imported, built or run."""

import functools
import importlib
import json
import sys

import pandapower as pp
import pytest

from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network import read_network
from gridcheck.network import tables as tables_module
from tests.support.radial_nets import village_net

TRAP = "trap_module_of_the_test"


@functools.cache
def village_text() -> str:
    content = json.loads(pp.to_json(village_net(), None))
    for value in content["_object"].values():
        if isinstance(value, dict) and isinstance(value.get("_object"), str):
            value["_object"] = json.loads(value["_object"])
    return json.dumps(content)


def plain():
    """The village net as parsed JSON, with every table as parsed JSON too."""
    return json.loads(village_text())


def written(folder, content) -> str:
    path = folder / "net.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def set_cell(content, table, row, column, value):
    frame = content["_object"][table]["_object"]
    frame["data"][row][frame["columns"].index(column)] = value
    return content


def error_of(folder, content) -> str:
    path = written(folder, content)
    with pytest.raises(NetworkError) as caught:
        read_network(path)
    return str(caught.value)


def test_the_plain_file_is_read(tmp_path):
    assert read_network(written(tmp_path, plain())).n_bus == 7


def test_tables_may_be_text_or_json(tmp_path):
    path = tmp_path / "as_written.json"
    pp.to_json(village_net(), str(path))

    assert read_network(path).n_bus == 7


# ---------------------------------------------------------------------------------------------- nothing is run


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module that leaves a file behind as soon as it is imported."""
    marker = tmp_path / "it_ran"
    (tmp_path / f"{TRAP}.py").write_text(
        f"from pathlib import Path\nPath({str(marker)!r}).touch()\nclass Thing:\n    @classmethod\n"
        "    def from_dict(cls, *args, **kwargs):\n        return cls()\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield marker
    sys.modules.pop(TRAP, None)


def thing():
    return {"_module": TRAP, "_class": "Thing", "_object": json.dumps({})}


def test_a_foreign_object_beside_the_tables_is_never_touched(tmp_path, trap):
    content = plain()
    content["_object"]["user_pf_options"] = thing()
    content["_object"]["controller"]["_object"] |= {"index": [0], "data": [[thing(), True, 0, 0, True]]}
    content["_object"]["notes"] = {
        "_class": "DataFrame",
        "_object": {"columns": ["a"], "index": [0], "data": [[thing()]]},
    }
    content["_object"]["more"] = {"_class": "DataFrame", "_object": "no table at all"}

    read_network(written(tmp_path, content))

    assert not trap.exists()
    assert TRAP not in sys.modules


@pytest.mark.parametrize("table", ["bus", "line", "load"])
def test_a_foreign_object_in_place_of_a_table_is_refused(tmp_path, trap, table):
    content = plain()
    content["_object"][table] = thing()

    assert table in error_of(tmp_path, content)
    assert not trap.exists()
    assert TRAP not in sys.modules


@pytest.mark.parametrize("column", ["name", "length_km"])
def test_a_foreign_object_in_a_cell_is_refused(tmp_path, trap, column):
    message = error_of(tmp_path, set_cell(plain(), "line", 0, column, thing()))

    assert "line" in message
    assert not trap.exists()
    assert TRAP not in sys.modules


def test_the_trap_would_spring(trap):
    importlib.import_module(TRAP)

    assert trap.exists()


# ------------------------------------------------------------------------------------------ the file as a whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '"text"',
        "1" * 5000,
        "{}",
        '{"_class": "pandapowerNet"}',
        '{"_class": "pandapowerNet", "_object": []}',
        '{"_class": "pandapowerNet", "_object": {}}',
        '{"_class": "Other", "_object": {"bus": 1}}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_other_files_are_refused(tmp_path, text):
    assert "net.json" in error_of(tmp_path, text)


def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path):
    text = json.dumps(plain())

    for end in range(0, len(text) - 1, 997):
        assert "net.json" in error_of(tmp_path, text[:end])


def test_bytes_that_are_not_text(tmp_path):
    path = tmp_path / "net.json"
    path.write_bytes(b"\xff\xfe{}")

    with pytest.raises(NetworkError, match="readable JSON"):
        read_network(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(NetworkError, match="does not exist"):
        read_network(tmp_path / "none.json")


def test_a_folder_in_place_of_a_file(tmp_path):
    with pytest.raises(NetworkError, match="does not exist"):
        read_network(tmp_path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "net.json"
    with path.open("wb") as file:
        file.truncate((tables_module.MAX_FILE_MB + 1) * 2**20)  # takes no room on the disk

    with pytest.raises(NetworkError, match="larger than"):
        read_network(path)


@pytest.mark.parametrize("value", ["many", {}, [], -50, 0, float("nan"), float("inf"), True, 10**400], ids=repr)
@pytest.mark.parametrize("key", ["f_hz", "sn_mva"])
def test_a_header_that_is_not_a_number(tmp_path, key, value):
    content = plain()
    content["_object"][key] = value

    assert key in error_of(tmp_path, content)


def test_a_header_without_frequency_and_base_takes_the_usual_ones(tmp_path):
    content = plain()
    del content["_object"]["f_hz"], content["_object"]["sn_mva"]

    network = read_network(written(tmp_path, content))

    assert (network.f_hz, network.sn_mva) == (50.0, 1.0)


# -------------------------------------------------------------------------------------------------- the tables


def changed_table(table, **parts):
    content = plain()
    content["_object"][table]["_object"].update(parts)
    return content


@pytest.mark.parametrize(
    "inner",
    [
        None,
        5,
        "text",
        "[1, 2]",
        "[" * 100_000,
        [],
        {},
        {"columns": [], "index": []},
        {"columns": 1, "index": 2, "data": 3},
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_table_that_is_none(tmp_path, inner):
    content = plain()
    content["_object"]["line"]["_object"] = inner

    assert "line" in error_of(tmp_path, content)


@pytest.mark.parametrize(
    "index",
    [
        [0, 0, 1, 2],
        [0, float("nan"), 1, 2],
        [0, 1.5, 2, 3],
        [0, "1", 2, 3],
        [0, None, 2, 3],
        [True, False, 2, 3],
        [0, [1], 2, 3],
        [0, {}, 2, 3],
        [0, 10**30, 2, 3],
        [0, 1],
        None,
        7,
        "0123",
    ],
    ids=repr,
)
def test_an_index_that_is_not_unique_whole_numbers(tmp_path, index):
    assert "line" in error_of(tmp_path, changed_table("line", index=index))


def test_an_index_may_be_negative_and_in_any_order(tmp_path):
    network = read_network(written(tmp_path, changed_table("load", index=[7, -3, 2])))

    assert network.n_bus == 7


@pytest.mark.parametrize("table", ["bus", "line", "trafo", "switch", "ext_grid"])
def test_a_column_that_stands_twice(tmp_path, table):
    content = plain()
    frame = content["_object"][table]["_object"]
    frame["columns"] = [frame["columns"][0], *frame["columns"]]
    frame["data"] = [[row[0], *row] for row in frame["data"]]

    assert table in error_of(tmp_path, content)


def test_rows_of_unequal_length(tmp_path):
    content = plain()
    content["_object"]["line"]["_object"]["data"][0] = [1]

    assert "line" in error_of(tmp_path, content)


REQUIRED = {
    "bus": ["vn_kv"],
    "line": ["from_bus", "to_bus", "length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka"],
    "trafo": [
        "hv_bus",
        "lv_bus",
        "sn_mva",
        "vn_hv_kv",
        "vn_lv_kv",
        "vk_percent",
        "vkr_percent",
        "pfe_kw",
        "i0_percent",
    ],
    "switch": ["bus", "element", "et", "closed"],
    "ext_grid": ["bus", "vm_pu"],
}


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, columns in REQUIRED.items() for c in columns])
def test_a_missing_column_is_named_with_its_table(tmp_path, table, column):
    content = plain()
    frame = content["_object"][table]["_object"]
    place = frame["columns"].index(column)
    frame["columns"].pop(place)
    for row in frame["data"]:
        row.pop(place)

    message = error_of(tmp_path, content)

    assert "net.json" in message
    assert table in message
    assert column in message


WRONG_CELLS = [
    ("bus", "vn_kv", ["ten", None, 0.0, -10.0, float("nan"), float("inf"), True]),
    ("bus", "in_service", ["false", "no", "0", "1", 2, -1.0]),
    ("line", "from_bus", ["one", None, 1.5, 99, float("nan"), 10**30]),
    ("line", "length_km", ["far", None, 0.0, -1.0, float("nan"), float("inf")]),
    ("line", "r_ohm_per_km", ["x", None, -0.1, float("inf")]),
    ("line", "c_nf_per_km", ["x", -1.0, float("inf")]),
    ("line", "g_us_per_km", ["x", -1.0, float("inf")]),
    ("line", "max_i_ka", [None, 0.0, -1.0, "x"]),
    ("line", "df", ["x", 0.0, -1.0, float("inf")]),
    ("line", "parallel", ["two", 0, -1, float("inf")]),
    ("line", "in_service", ["true", 3]),
    ("trafo", "hv_bus", [99, "x", None]),
    ("trafo", "sn_mva", [None, 0.0, -0.4, "x"]),
    ("trafo", "vn_hv_kv", [None, 35.0, "x"]),
    ("trafo", "vk_percent", [None, 0.0, "x", 0.5]),
    ("trafo", "vkr_percent", [None, -1.0, "x", 50.0]),
    ("trafo", "pfe_kw", [None, -1.0, "x"]),
    ("trafo", "i0_percent", [None, -1.0, "x"]),
    ("trafo", "shift_degree", ["x", float("inf")]),
    ("trafo", "tap_pos", ["x", float("inf")]),
    ("trafo", "tap_step_percent", ["x", float("inf"), 200.0]),
    ("trafo", "tap_changer_type", ["Other"]),
    ("trafo", "parallel", ["x", 0]),
    ("trafo", "df", ["x", 0.0]),
    ("switch", "bus", [99, None, 5, "x"]),
    ("switch", "element", [99, None, "x", 1.5]),
    ("switch", "et", ["x", None, 3]),
    ("switch", "closed", ["yes", "0", None, 2]),
    ("ext_grid", "bus", [99, None, "x"]),
    ("ext_grid", "vm_pu", [None, 0.0, "x", float("inf")]),
    ("ext_grid", "va_degree", ["x", float("inf")]),
    ("ext_grid", "in_service", ["x"]),
]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [(table, column, value) for table, column, values in WRONG_CELLS for value in values],
    ids=lambda value: repr(value)[:20],
)
def test_a_wrong_cell_is_named_by_table_row_and_column(tmp_path, table, column, value):
    # Transformer 1 is the one at bus 2; the tap of transformer 0 is off neutral.
    row = (
        0
        if table == "trafo" and column.startswith("tap")
        else min(1, len(plain()["_object"][table]["_object"]["data"]) - 1)
    )

    message = error_of(tmp_path, set_cell(plain(), table, row, column, value))

    assert "net.json" in message
    assert f"{table} {row}" in message
    assert column in message


@pytest.mark.parametrize("table", ["bus", "ext_grid"])
def test_an_empty_table_that_is_needed(tmp_path, table):
    message = error_of(tmp_path, changed_table(table, index=[], data=[]))

    assert table in message


@pytest.mark.parametrize("table", ["bus", "ext_grid"])
def test_a_table_that_is_needed_and_absent(tmp_path, table):
    content = plain()
    del content["_object"][table]

    assert table in error_of(tmp_path, content)


@pytest.mark.parametrize("table", ["line", "trafo", "switch", "load"])
def test_a_table_that_is_not_needed_may_be_absent(tmp_path, table):
    content = plain()
    del content["_object"][table]
    if table in ("line", "trafo"):
        del content["_object"]["switch"]

    assert read_network(written(tmp_path, content)).n_bus == 7


def test_switches_on_lines_that_are_absent(tmp_path):
    content = plain()
    del content["_object"]["line"]

    assert "switch 0" in error_of(tmp_path, content)


def test_an_element_that_a_later_version_may_bring_is_refused_in_service(tmp_path):
    content = plain()
    content["_object"]["flux_capacitor"] = {
        "_module": "pandas.core.frame",
        "_class": "DataFrame",
        "_object": {"columns": ["bus", "in_service"], "index": [4], "data": [[3, True]]},
    }

    with pytest.raises(UnsupportedElementError, match="flux_capacitor: ids 4"):
        read_network(written(tmp_path, content))

    content["_object"]["flux_capacitor"]["_object"]["data"] = [[3, False]]
    assert read_network(written(tmp_path, content)).n_bus == 7
