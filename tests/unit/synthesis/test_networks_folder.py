"""The committed county grids: complete, radial, labelled, plausible; read without the generator's own code."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import networkx as nx
import pandapower as pp
import pandas as pd
import pytest

from gridcheck.geography import villages
from gridcheck.policy import plan_2025
from gridcheck.synthesis.build import build_county
from gridcheck.synthesis.facts import plan_county_codes
from gridcheck.synthesis.readme import networks_readme

NETWORKS = Path(__file__).parents[3] / "networks"
FOLDERS = sorted(path for path in NETWORKS.iterdir() if path.is_dir())
AREA_COLUMNS = """
    area_id name county_code town_code town village_code village feeder_id section_id substation_id main_transformer_id
    kva type_name vector_group series built_year households occupied_households base_kw_factor lv_circuits lv_radius_m
    lv_type_name lv_unbalance_factor key_area elevation_m lon lat coordinate_source lv_bus trafo
"""
FEEDER_COLUMNS = """
    feeder_id name county_code substation_id main_transformer_id busbar_bus outlet_line outlet_switch supply_class
    limit_ka length_km
"""

every_county = pytest.mark.parametrize("folder", FOLDERS, ids=[path.name for path in FOLDERS])


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    content = json.loads((folder / "network.json").read_text(encoding="utf-8"))["_object"]
    names = ("bus", "line", "trafo", "switch", "load", "ext_grid")
    raw = {name: json.loads(content[name]["_object"]) for name in names}
    return {name: pd.DataFrame(t["data"], index=t["index"], columns=t["columns"]) for name, t in raw.items()}


def read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"county_code": str, "town_code": str, "village_code": str})


def graph_as_switched(tables: dict[str, pd.DataFrame]) -> nx.MultiGraph:
    """Buses and closed branches; a multigraph, so that parallel branches count as loops."""
    switch = tables["switch"]
    opened = set(switch.loc[~switch["closed"], "element"])
    graph = nx.MultiGraph()
    graph.add_nodes_from(tables["bus"].index)
    line = tables["line"]
    graph.add_edges_from((row.from_bus, row.to_bus) for row in line.itertuples() if row.Index not in opened)
    graph.add_edges_from((row.hv_bus, row.lv_bus) for row in tables["trafo"].itertuples())
    return graph


def test_the_twelve_counties_hold_all_rural_villages_of_the_plan_once() -> None:
    areas = pd.concat([read_csv(folder / "areas.csv") for folder in FOLDERS])
    known = villages()
    rural = known.loc[(known["kind"] == "rural") & known["county_code"].isin(plan_county_codes())]

    assert len(FOLDERS) == 12
    assert len(rural) == 2039
    assert set(areas["village_code"]) == set(rural["village_code"])
    assert dict(zip(areas["village_code"], areas["village"], strict=True)) == dict(
        zip(rural["village_code"], rural["village"], strict=True)
    )
    assert areas["area_id"].is_unique
    assert areas.groupby("village_code")["county_code"].nunique().max() == 1


def test_the_whole_set_stays_small_and_in_scale() -> None:
    size_mb = sum(path.stat().st_size for path in NETWORKS.rglob("*") if path.is_file()) / 1e6
    areas = pd.concat([read_csv(folder / "areas.csv") for folder in FOLDERS])
    feeders = pd.concat([read_csv(folder / "feeders.csv") for folder in FOLDERS])

    assert size_mb < 25.0
    assert 9_000 < len(areas) < 11_500
    assert 270 < len(feeders) < 350


@every_county
def test_files_are_those_that_origin_names(folder: Path) -> None:
    origin = tomllib.loads((folder / "origin.toml").read_text(encoding="utf-8"))

    assert origin["synthetic"] is True
    assert folder.name.startswith(origin["county_code"])
    assert set(origin["sha256"]) == {"network.json", "areas.csv", "feeders.csv", "heating.csv"}
    for name, digest in origin["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
        assert b"\r" not in (folder / name).read_bytes()


@every_county
def test_every_bus_hangs_on_exactly_one_source_without_loops(folder: Path) -> None:
    tables = read_tables(folder)

    graph = graph_as_switched(tables)

    parts = list(nx.connected_components(graph))
    assert nx.is_forest(nx.Graph(graph))
    assert graph.number_of_edges() == graph.number_of_nodes() - len(tables["ext_grid"])  # no loop, no parallel branch
    assert len(parts) == len(tables["ext_grid"])
    sources = set(tables["ext_grid"]["bus"])
    assert all(len(part & sources) == 1 for part in parts)


@every_county
def test_every_feeder_hangs_on_one_main_transformer_through_its_outlet(folder: Path) -> None:
    tables, feeders = read_tables(folder), read_csv(folder / "feeders.csv")
    bus, line, switch, trafo = (tables[name] for name in ("bus", "line", "switch", "trafo"))

    mains = trafo.loc[trafo["role"] == "main"]
    assert list(feeders.columns) == FEEDER_COLUMNS.split()
    assert mains["lv_bus"].is_unique
    assert mains.groupby("substation_id").size().between(1, 2).all()
    busbar_of = dict(zip(mains["name"], mains["lv_bus"], strict=True))
    for row in feeders.itertuples():
        assert line.loc[row.outlet_line, "from_bus"] == row.busbar_bus == busbar_of[row.main_transformer_id]
        outlet = switch.loc[row.outlet_switch]
        assert (outlet["bus"], outlet["element"], outlet["type"], outlet["closed"]) == (
            row.busbar_bus,
            row.outlet_line,
            "CB",
            True,
        )
        assert outlet["role"] == "outlet"
        assert row.limit_ka <= line.loc[row.outlet_line, "max_i_ka"] + 1e-9
        own = line.loc[(line["feeder_id"] == row.feeder_id) & (line["role"] != "tie")]
        assert row.length_km == pytest.approx(own["length_km"].sum(), abs=2e-3)
    assert set(feeders["supply_class"]) <= {"C", "D", "E"}
    # what hangs behind an outlet carries its feeder's id, and nothing else does
    graph = graph_as_switched(tables)
    for row in feeders.itertuples():
        graph.remove_edge(row.busbar_bus, line.loc[row.outlet_line, "to_bus"])
        behind = nx.node_connected_component(graph, line.loc[row.outlet_line, "to_bus"])
        assert behind == set(bus.index[bus["feeder_id"] == row.feeder_id])


@every_county
def test_sections_start_with_a_switch_at_the_upstream_end(folder: Path) -> None:
    tables = read_tables(folder)
    line, switch = tables["line"], tables["switch"]
    own = line.loc[line["role"] != "tie"]
    starts = switch.loc[switch["role"] != "tie"]

    assert starts["element"].is_unique
    assert (starts["bus"].to_numpy() == line.loc[starts["element"], "from_bus"].to_numpy()).all()
    upper = own.set_index("to_bus")["section_id"]
    changes = own.loc[own["section_id"] != own["from_bus"].map(upper)]
    assert set(changes.index) == set(starts["element"])  # a section changes at its switch and only there
    assert own["section_id"].nunique() == len(starts)
    trunk = own.loc[own["role"] == "trunk"].groupby("feeder_id")["section_id"].nunique()
    assert trunk.between(3, 5).all()
    assert (own["section_id"].str.rsplit("-K", n=1).str[0] == own["feeder_id"]).all()


@every_county
def test_ties_connect_two_feeders_and_are_open_at_one_end(folder: Path) -> None:
    tables = read_tables(folder)
    bus, line, switch = tables["bus"], tables["line"], tables["switch"]
    ties, opened = line.loc[line["role"] == "tie"], switch.loc[switch["role"] == "tie"]

    assert len(ties) > 0
    assert ties["tie_id"].is_unique
    assert sorted(opened["element"]) == sorted(ties.index)
    assert not opened["closed"].any()
    assert switch.loc[switch["role"] != "tie", "closed"].all()
    assert (opened.set_index("element").loc[ties.index, "bus"].to_numpy() == ties["to_bus"].to_numpy()).all()
    ends = [bus.loc[ties[end], "feeder_id"].to_numpy() for end in ("from_bus", "to_bus")]
    assert (ends[0] != ends[1]).all()
    assert (ties["feeder_id"].to_numpy() == ends[0]).all()
    count = pd.Series([*ends[0], *ends[1]]).value_counts()
    assert count.max() <= 3


@every_county
def test_areas_point_to_their_own_transformer_bus_and_load(folder: Path) -> None:
    tables, areas = read_tables(folder), read_csv(folder / "areas.csv")
    trafo, load = tables["trafo"], tables["load"]

    assert list(areas.columns) == AREA_COLUMNS.split()
    own = trafo.loc[areas["trafo"]]
    assert own["lv_bus"].to_list() == areas["lv_bus"].to_list()
    assert (own["sn_mva"] * 1000.0).round().to_list() == areas["kva"].to_list()
    for column in ("area_id", "feeder_id", "section_id", "substation_id", "vector_group"):
        assert own[column].to_list() == areas[column].to_list(), column
    assert load["area_id"].to_list() == areas["area_id"].to_list()
    assert load["bus"].to_list() == areas["lv_bus"].to_list()
    assert (load["p_mw"] > 0.0).all()
    assert (areas["occupied_households"] <= areas["households"]).all()
    assert areas["name"].str.startswith("合成").all()
    shift = own["shift_degree"].to_numpy()
    assert ((shift == 0.0) == (areas["vector_group"] == "Yyn0").to_numpy()).all()


@every_county
def test_capacity_and_key_areas_are_in_scale(folder: Path) -> None:
    areas, heating = read_csv(folder / "areas.csv"), read_csv(folder / "heating.csv")
    plan = plan_2025().counties.astype({"county_code": str}).set_index("county_code")
    wanted = int(plan.loc[folder.name[:6], "key_area"])

    kva_per_household = areas["kva"].sum() / areas["households"].sum()
    assert 2.2 < kva_per_household < 2.9
    assert areas["key_area"].any() == (wanted > 0)
    assert heating.loc[heating["layer"] == "key_area_2025", "households"].sum() == wanted
    assert areas["households"].quantile(0.05) >= 35
    assert areas["households"].quantile(0.95) <= 115


def test_pandapower_solves_a_committed_county_within_the_limits() -> None:
    net = pp.from_json(str(NETWORKS / "140827-yuanqu" / "network.json"))

    pp.runpp(net)

    at = net.bus["role"]
    mv = net.res_bus.loc[at.isin(["pole", "busbar"]), "vm_pu"]
    assert mv.between(0.95, 1.06).all()
    assert net.res_bus.loc[at == "lv", "vm_pu"].between(0.90, 1.02).all()
    assert net.res_line["loading_percent"].max() < 70.0
    distribution = net.trafo["role"] == "distribution"
    loading = net.res_trafo.loc[distribution, "loading_percent"]
    assert 30.0 < loading.median() < 45.0
    assert (loading > 100.0).mean() < 0.01
    assert net.res_trafo.loc[~distribution, "loading_percent"].max() < 70.0


def test_the_estimate_in_the_readme_agrees_with_pandapower() -> None:
    county = build_county("140827", seed=2025)
    net = pp.from_json(str(NETWORKS / "140827-yuanqu" / "network.json"))

    pp.runpp(net)

    pole = net.bus["role"] == "pole"
    lowest = net.res_bus.loc[pole, "vm_pu"].groupby(net.bus["feeder_id"]).min()
    estimate = county.profile.set_index("feeder_id")["lowest_vm_pu"]
    assert (lowest - estimate).abs().max() < 0.003


@pytest.mark.slow
def test_the_readme_is_the_one_measured_on_the_grids() -> None:
    counties = [build_county(code, seed=2025) for code in plan_county_codes()]

    assert (NETWORKS / "README.md").read_text(encoding="utf-8") == networks_readme(counties, cos_phi=0.96)
