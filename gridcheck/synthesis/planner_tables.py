"""What the planner reads beside the network: where areas hang, the feeders, and their estimated state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gridcheck.synthesis.electrical import Design, Ids, station_names
from gridcheck.synthesis.grid import path_from_root
from gridcheck.synthesis.plane import sum_by

_AREA_GRID_COLUMNS = ("feeder_id", "section_id", "substation_id", "main_transformer_id")
_URBAN_REACH_KM = 4.0  # feeders that start nearer to the county seat than this and stay short are class C
_URBAN_LENGTH_KM = 18.0
_REMOTE_M = 800.0  # feeders whose median area lies above this are class E


def complete_areas(design: Design, ids: Ids) -> pd.DataFrame:
    """Add to the areas where they hang in the grid; the rows of ``areas.csv``."""
    node, n_main = design.forest.area_node, len(ids.main)
    first_lv = len(ids.substation) + design.forest.n_node
    columns = {
        "feeder_id": [ids.node_feeder[k] for k in node],
        "section_id": [ids.node_section[k] for k in node],
        "substation_id": [ids.node_substation[k] for k in node],
        "main_transformer_id": [ids.node_main[k] for k in node],
    }
    areas = design.areas.copy()
    after = list(areas.columns).index("village") + 1
    for offset, name in enumerate(_AREA_GRID_COLUMNS):
        areas.insert(after + offset, name, columns[name])
    areas["lv_bus"] = first_lv + np.arange(len(areas))
    areas["trafo"] = n_main + np.arange(len(areas))
    return areas


def feeder_table(design: Design, ids: Ids, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Describe every feeder; the rows of ``feeders.csv``."""
    forest, first_node = design.forest, len(ids.substation)
    line, switch = tables["line"], tables["switch"]
    outlet_switch = switch.index[switch["role"] == "outlet"]
    outlets = switch.loc[outlet_switch].set_index("feeder_id")
    switch_of = dict(zip(switch.loc[outlet_switch, "feeder_id"], outlet_switch, strict=True))
    length_km = line.loc[line["role"] != "tie"].groupby("feeder_id")["length_km"].sum()
    stations = station_names(design)
    number = np.zeros(len(stations), dtype=np.int64)
    rows = []
    for f, feeder_id in enumerate(ids.feeder):
        main = forest.feeder_main[f]
        station = forest.main_substation[main]
        number[station] += 1
        rows.append(
            {
                "feeder_id": feeder_id,
                "name": f"{stations[station].removesuffix('变电站')}{number[station]}号线",
                "county_code": design.facts.county_code,
                "substation_id": ids.substation[station],
                "main_transformer_id": ids.main[main],
                "busbar_bus": first_node + forest.busbar_main[main],
                "outlet_line": outlets.loc[feeder_id, "element"],
                "outlet_switch": switch_of[feeder_id],
                "supply_class": _supply_class(design, f, float(length_km[feeder_id])),
                "limit_ka": round(float(design.sizes.limit_ka[f]), 4),
                "length_km": round(float(length_km[feeder_id]), 3),
            }
        )
    return pd.DataFrame(rows)


def feeder_profile(design: Design, ids: Ids) -> pd.DataFrame:
    """Estimate every feeder at today's winter peak with the generator's own sweep.

    Returns
    -------
    DataFrame
        feeder_id, areas, peak_mw (at the low-voltage side), lowest_vm_pu (10 kV), radius_km (farthest
        pole along the line), trunk_km, trunk_sections, ties.
    """
    forest, switching = design.forest, design.switching
    way_km = path_from_root(forest.parent, forest.length_km)
    on_feeder = forest.feeder >= 0
    f, area_feeder = forest.feeder[on_feeder], forest.feeder[forest.area_node]
    trunk_km = sum_by(f, (forest.length_km * forest.on_trunk)[on_feeder], forest.n_feeder)
    tie_feeders = forest.feeder[np.concatenate([switching.tie_from, switching.tie_to])]
    return pd.DataFrame(
        {
            "feeder_id": ids.feeder,
            "areas": np.bincount(area_feeder, minlength=forest.n_feeder),
            "peak_mw": sum_by(area_feeder, design.area_mva.real, forest.n_feeder),
            "lowest_vm_pu": pd.Series(design.sizes.vm_pu[on_feeder]).groupby(f).min().to_numpy(),
            "radius_km": pd.Series(way_km[on_feeder]).groupby(f).max().to_numpy(),
            "trunk_km": trunk_km,
            "trunk_sections": switching.n_trunk_section,
            "ties": np.bincount(tie_feeders, minlength=forest.n_feeder),
        }
    )


def _supply_class(design: Design, f: int, length_km: float) -> str:
    forest = design.forest
    members = forest.feeder[forest.area_node] == f
    height = float(np.median(design.areas.loc[members, "elevation_m"]))
    to_seat = float(np.hypot(*(forest.xy[forest.feeder_exit[f]] - design.places.seat_xy)))
    if to_seat < _URBAN_REACH_KM and length_km < _URBAN_LENGTH_KM:
        return "C"
    return "E" if height > _REMOTE_M else "D"
