"""`gridcheck n-1` with files that are wrong or unusual: refused with file and element, or taken and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from tests.support.command_line import gridcheck
from tests.support.radial_nets import add_line, add_trafo, empty_net, feeder_net, village_net
from tests.support.two_feeders import two_feeders_net


def loop() -> pp.pandapowerNet:
    net = village_net()
    net.switch.loc[0, "closed"] = True
    return net


def two_sources() -> pp.pandapowerNet:
    net = two_feeders_net()
    net.switch.loc[6, "closed"] = True
    return net


def two_sources_without_switches() -> pp.pandapowerNet:
    net = feeder_net(4)
    pp.create_ext_grid(net, 3)
    return net


def with_idle_line(**values: float) -> pp.pandapowerNet:
    net = feeder_net(5)
    line = add_line(net, 1, 4, 2.0)
    net.line.loc[line, ["in_service", *values]] = [False, *values.values()]
    return net


def between_levels() -> pp.pandapowerNet:
    net = with_idle_line()
    low = pp.create_bus(net, 0.4)
    add_trafo(net, 3, low)
    net.line.loc[4, "to_bus"] = low
    return net


def switched_between_levels() -> pp.pandapowerNet:
    net = two_feeders_net()
    net.line.loc[6, "from_bus"] = 10
    return net


def without_load() -> pp.pandapowerNet:
    net = two_feeders_net()
    net.load["scaling"] = 0.0
    return net


def no_load_table() -> pp.pandapowerNet:
    net = two_feeders_net()
    net.load = net.load.iloc[:0]
    return net


def one_bus() -> pp.pandapowerNet:
    net = empty_net()
    pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0)
    pp.create_load(net, 0, 1.0)
    return net


def no_source() -> pp.pandapowerNet:
    net = two_feeders_net()
    net.ext_grid["in_service"] = False
    return net


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (loop, ["is not radial", "line 0, line 1, line 2 make a loop; open one of these"]),
        (two_sources, ["is not radial", "the sources at buses 0 and 5 are joined by line 0", "open one of these"]),
        (two_sources_without_switches, ["the sources at buses 0 and 3 are joined by line 0, line 1, line 2"]),
        (lambda: with_idle_line(r_ohm_per_km=np.nan), ["has no switch", "line 4: no impedance above 0", "Correct or"]),
        (lambda: with_idle_line(max_i_ka=0.0), ["line 4: no rating above 0 follows from max_i_ka"]),
        (between_levels, ["line 4: from_bus and to_bus have different vn_kv, 10 and 0.4"]),
        (switched_between_levels, ["line 6: from_bus and to_bus have different vn_kv; use a transformer instead"]),
        (without_load, ["no load in service draws anything", "Check the table load"]),
        (no_load_table, ["no load in service draws anything"]),
        (empty_net, ["the table 'bus' is missing or empty"]),
        (one_bus, ["no line and no transformer in service has supply", "Check the tables line, trafo"]),
        (no_source, ["no source in service", "ext_grid"]),
    ],
    ids=["loop", "two sources", "two sources by line", "tie without impedance", "tie without rating", "tie of levels",
         "switched tie of levels", "loads at nought", "no loads", "empty", "nothing to lose", "no source"],
)  # fmt: skip
def test_bad_files_are_refused_with_file_and_element(
    tmp_path: Path, build: Callable[[], pp.pandapowerNet], said: list[str]
) -> None:
    path = tmp_path / "net.json"
    pp.to_json(build(), str(path))

    result = gridcheck("n-1", path, "--out", tmp_path / "out", "--write-networks")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("错误 Error:") == 1
    assert [words for words in [str(path), *said] if words not in result.stderr] == []
    assert not (tmp_path / "out").exists()


def studied(tmp_path: Path, net: pp.pandapowerNet) -> tuple[pd.DataFrame, str]:
    """Return the rows by outage, and what is said on standard error."""
    path = tmp_path / "net.json"
    pp.to_json(net, str(path))
    result = gridcheck("n-1", path, "--out", tmp_path / "out", "--json")
    assert result.exit_code in (0, 1), result.stderr
    shown = json.loads(result.stdout)
    table = pd.read_csv(tmp_path / "out" / "n_minus_1.csv", keep_default_na=False).set_index("outage_id")
    assert [row["outage_id"] for row in shown] == list(table.index)
    return table, result.stderr


def test_without_any_switch_lines_are_switched_as_a_whole_and_idle_ones_are_ties(tmp_path: Path) -> None:
    table, said = studied(tmp_path, with_idle_line())

    # Bus 1 to bus 4 draw 220, 240, 260 and 280 kW. Behind a lost line the tie from bus 1 to bus 4 takes over.
    assert table["outage_kind"].to_dict() == {
        "line:0": "section", "line:1": "section", "line:2": "section", "line:3": "section", "line:4": "tie",
    }  # fmt: skip
    assert table["status"].to_list() == ["unsupplied", "secure", "secure", "secure", "secure"]
    assert table["restored_by"].to_list() == ["", "line:4", "line:4", "line:4", ""]
    assert table["unsupplied_kw"].to_list() == [1000.0, 0.0, 0.0, 0.0, 0.0]
    assert table["restored_kw"].to_list() == [0.0, 780.0, 540.0, 280.0, 0.0]
    assert said == ""


def test_a_tie_between_vector_groups_is_never_closed_and_said(tmp_path: Path) -> None:
    net = two_feeders_net()
    net.trafo.loc[1, "shift_degree"] = 0.0  # Yy0 beside Dyn11

    table, said = studied(tmp_path, net)

    assert (table["restored_by"] == "").all()
    assert (table["tried"] == "").all()
    assert table.loc[["line:1", "line:4"], "status"].to_list() == ["unsupplied", "unsupplied"]
    assert str(tmp_path / "net.json") in said
    assert "line 6 is never closed as a tie" in said
    assert said.count("  - ") == 1


def test_load_and_lines_that_are_left_out_are_said(tmp_path: Path) -> None:
    net = two_feeders_net(has_tie=False)
    net.switch.loc[3, "closed"] = False

    _, said = studied(tmp_path, net)

    assert "3 buses with load have no supply in normal operation and count nowhere: 7, 8, 9" in said
    net.switch.loc[3, "closed"] = True
    assert "line 6 is out of service and is not used as a tie" in studied(tmp_path, net)[1]


def test_load_that_is_dark_already_does_not_end_as_if_nothing_were_wrong(tmp_path: Path) -> None:
    ring, path = with_idle_line(), tmp_path / "net.json"
    ring.line.loc[4, "from_bus"] = 0  # from the end of the feeder back to its source: everything can be restored
    pp.to_json(ring, str(path))
    assert gridcheck("n-1", path).exit_code == 0

    apart = pp.create_bus(ring, 10.0)
    pp.create_load(ring, apart, 0.1)
    pp.to_json(ring, str(path))
    result = gridcheck("n-1", path)

    assert result.exit_code == 1
    assert f"1 buses with load have no supply in normal operation and count nowhere: {apart}" in result.stderr
    ring.load.loc[ring.load["bus"] == apart, "in_service"] = False
    pp.to_json(ring, str(path))
    assert gridcheck("n-1", path).exit_code == 0


def test_a_section_without_load_leaves_nobody_off(tmp_path: Path) -> None:
    net = two_feeders_net()
    net.load.loc[net.load["bus"].isin([4, 10]), ["p_mw", "q_mvar"]] = 0.0

    table, said = studied(tmp_path, net)

    assert table.loc["line:1", ["status", "unsupplied_kw", "restored_by"]].to_list() == ["secure", 0.0, ""]
    assert table.loc["line:3", ["status", "restored_kw", "restored_by"]].to_list() == ["secure", 1200.0, "line:6"]
    assert said == ""


def test_validate_says_which_ties_are_never_closed(tmp_path: Path) -> None:
    net = two_feeders_net()
    net.trafo.loc[1, "shift_degree"] = 0.0
    pp.to_json(net, str(tmp_path / "net.json"))

    result = gridcheck("networks", "validate", tmp_path / "net.json", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["valid"]
    assert "line 6 is never closed as a tie" in result.stderr
