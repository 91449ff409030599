"""The element tables of a county network, in pandapower's columns plus the planner's ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck import catalogue
from gridcheck.arrays import FloatArray
from gridcheck.synthesis.facts import CountyFacts
from gridcheck.synthesis.grid import ComplexArray, Forest
from gridcheck.synthesis.places import Places
from gridcheck.synthesis.plane import distances
from gridcheck.synthesis.sectioning import Switching
from gridcheck.synthesis.siting import Substations
from gridcheck.synthesis.sizing import Sizes

_DYN11_SHIFT_DEGREE = 330.0
_PREFIX = "合成"
_MIN_TIE_KM = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """Everything that has been decided about one county, before it becomes tables.

    Attributes
    ----------
    facts, places, substations, forest, switching, sizes
        Results of the earlier steps.
    areas : DataFrame
        Areas without the columns that depend on the grid.
    area_mva : ndarray of complex, shape (n_area,)
        Winter peak at the low-voltage side. [MVA]
    line_detour : float
        Route length over straight distance, for ties. [1]
    """

    facts: CountyFacts
    places: Places
    substations: Substations
    forest: Forest
    switching: Switching
    sizes: Sizes
    areas: pd.DataFrame
    area_mva: ComplexArray
    line_detour: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ids:
    """Ids of the grid's parts; positions follow `Forest` and `Substations`."""

    substation: tuple[str, ...]
    main: tuple[str, ...]
    feeder: tuple[str, ...]
    node_feeder: tuple[str, ...]
    node_section: tuple[str, ...]
    node_main: tuple[str, ...]
    node_substation: tuple[str, ...]
    tie: tuple[str, ...]


def name_parts(design: Design) -> Ids:
    """Give every substation, main transformer, feeder, section and tie its id."""
    code, forest = design.facts.county_code, design.forest
    substation = [f"{code}-S{k + 1:02d}" for k in range(len(design.substations.xy))]
    main, seen = [], np.zeros(len(substation), dtype=np.int64)
    for s in forest.main_substation:
        seen[s] += 1
        main.append(f"{substation[s]}-T{seen[s]}")
    feeder = [f"{code}-F{k + 1:03d}" for k in range(forest.n_feeder)]
    node_main = np.full(forest.n_node, -1, dtype=np.int64)
    node_main[forest.busbar_main] = np.arange(len(main))
    has_feeder = forest.feeder >= 0
    node_main[has_feeder] = forest.feeder_main[forest.feeder[has_feeder]]
    return Ids(
        substation=tuple(substation),
        main=tuple(main),
        feeder=tuple(feeder),
        node_feeder=tuple(feeder[f] if f >= 0 else "" for f in forest.feeder),
        node_section=tuple(
            f"{feeder[f]}-K{k}" if f >= 0 else "" for f, k in zip(forest.feeder, design.switching.section, strict=True)
        ),
        node_main=tuple(main[m] for m in node_main),
        node_substation=tuple(substation[forest.main_substation[m]] for m in node_main),
        tie=tuple(f"{code}-L{k + 1:03d}" for k in range(len(design.switching.tie_from))),
    )


def element_tables(design: Design, ids: Ids) -> dict[str, pd.DataFrame]:
    """Build the tables bus, line, trafo, switch, load and ext_grid.

    Buses are numbered high-voltage buses first, then the nodes of the forest, then one low-voltage bus
    per area; lines follow the nodes, then ties; transformers are main ones first, then areas.
    """
    first_node = len(ids.substation)
    first_lv = first_node + design.forest.n_node
    line = _line_table(design, ids, first_node)
    return {
        "bus": _bus_table(design, ids),
        "line": line,
        "trafo": pd.concat(
            [_main_table(design, ids, first_node), _distribution_table(design, ids, first_node, first_lv)],
            ignore_index=True,
        ),
        "switch": _switch_table(design, ids, line, first_node),
        "load": pd.DataFrame(
            {
                "name": design.areas["area_id"],
                "bus": first_lv + np.arange(len(design.areas)),
                "p_mw": np.round(design.area_mva.real, 6),
                "q_mvar": np.round(design.area_mva.imag, 6),
                "scaling": 1.0,
                "in_service": True,
                "area_id": design.areas["area_id"],
                "county_code": design.facts.county_code,
            }
        ),
        "ext_grid": pd.DataFrame(
            {
                "name": ids.substation,
                "bus": np.arange(len(ids.substation)),
                "vm_pu": design.sizes.hv_vm_pu,
                "va_degree": 0.0,
                "in_service": True,
                "controllable": True,
            }
        ),
    }


def _bus_table(design: Design, ids: Ids) -> pd.DataFrame:
    forest, areas = design.forest, design.areas
    n_hv, n_area = len(ids.substation), len(areas)
    to_lonlat = design.places.plane.to_lonlat
    lonlat = np.vstack([to_lonlat(design.substations.xy), to_lonlat(forest.xy), areas[["lon", "lat"]].to_numpy()])
    units = catalogue.main_transformers().loc[list(design.sizes.main_type), "vn_hv_kv"].to_numpy()
    hv_kv = [float(units[forest.main_substation == s][0]) for s in range(n_hv)]
    stations = station_names(design)
    village = np.full(forest.n_node, "", dtype=object)
    village[forest.area_node[::-1]] = areas["village_code"].to_numpy()[::-1]  # the first area of a pole names it
    is_busbar = forest.parent < 0
    pole = np.arange(forest.n_node) - np.where(is_busbar, 0, forest.feeder_exit[forest.feeder])
    names = [
        f"{stations[forest.main_substation[k]]}{main[-1]}号主变10kV母线" if is_busbar[k] else f"{feeder}-P{pole[k]:02d}"
        for k, (main, feeder) in enumerate(zip(ids.node_main, ids.node_feeder, strict=True))
    ]
    area_node = forest.area_node
    return pd.DataFrame(
        {
            "name": [*stations, *names, *areas["area_id"]],
            "vn_kv": np.concatenate([hv_kv, np.full(forest.n_node, 10.0), np.full(n_area, 0.4)]),
            "type": "b",
            "zone": design.facts.county_code,
            "in_service": True,
            "geo": [f'{{"coordinates": [{lon:.5f}, {lat:.5f}], "type": "Point"}}' for lon, lat in lonlat],
            "county_code": design.facts.county_code,
            "substation_id": [*ids.substation, *ids.node_substation, *(ids.node_substation[k] for k in area_node)],
            "feeder_id": [*[""] * n_hv, *ids.node_feeder, *(ids.node_feeder[k] for k in area_node)],
            "section_id": [*[""] * n_hv, *ids.node_section, *(ids.node_section[k] for k in area_node)],
            "area_id": [*[""] * (n_hv + forest.n_node), *areas["area_id"]],
            "village_code": [*[""] * n_hv, *village, *areas["village_code"]],
            "role": [*["hv"] * n_hv, *np.where(is_busbar, "busbar", "pole"), *["lv"] * n_area],
        }
    )


def station_names(design: Design) -> list[str]:
    """Names of the substations, each marked as synthetic."""
    stems = design.facts.towns["town"].str.removesuffix("镇").str.removesuffix("乡").str.removesuffix("街道")
    return [f"{_PREFIX}·{stems.iloc[t]}变电站" for t in design.substations.town]


def _line_table(design: Design, ids: Ids, first_node: int) -> pd.DataFrame:
    forest, switching = design.forest, design.switching
    edges = np.flatnonzero(forest.parent >= 0)
    is_exit = np.zeros(forest.n_node, dtype=bool)
    is_exit[forest.feeder_exit] = True
    gap = np.array([distances(forest.xy[[a]], forest.xy[[b]])[0, 0] for a, b in _ties(design)])
    upper = np.concatenate([forest.parent[edges], switching.tie_from])
    lower = np.concatenate([edges, switching.tie_to])
    names = [f"{ids.node_feeder[k]}-W{k - forest.feeder_exit[forest.feeder[k]]:02d}" for k in edges]
    type_name = [*(design.sizes.line_type[k] for k in edges), *_tie_types(design)]
    types = catalogue.conductors().loc[type_name]
    owner = np.concatenate([edges, switching.tie_from])
    n_tie = len(ids.tie)
    return pd.DataFrame(
        {
            "name": [*names, *ids.tie],
            "std_type": type_name,
            "from_bus": first_node + upper,
            "to_bus": first_node + lower,
            "length_km": np.round(
                np.concatenate([forest.length_km[edges], np.maximum(gap * design.line_detour, _MIN_TIE_KM)]), 4
            ),
            "r_ohm_per_km": types["r_ohm_per_km"].to_numpy(float),
            "x_ohm_per_km": types["x_ohm_per_km"].to_numpy(float),
            "c_nf_per_km": types["c_nf_per_km"].to_numpy(float),
            "g_us_per_km": 0.0,
            "max_i_ka": types["max_i_ka"].to_numpy(float),
            "df": 1.0,
            "parallel": 1,
            "type": [*np.where(is_exit[edges], "cs", "ol"), *["ol"] * n_tie],
            "in_service": True,
            "county_code": design.facts.county_code,
            "feeder_id": [ids.node_feeder[k] for k in owner],
            "section_id": [ids.node_section[k] for k in owner],
            "role": [*np.where(forest.on_trunk[edges], "trunk", "lateral"), *["tie"] * n_tie],
            "tie_id": [*[""] * len(edges), *ids.tie],
        }
    )


def _ties(design: Design) -> list[tuple[int, int]]:
    return list(zip(design.switching.tie_from.tolist(), design.switching.tie_to.tolist(), strict=True))


def _tie_types(design: Design) -> list[str]:
    """Conductor of each tie: that of the stronger of the two trunks."""
    ampacity = catalogue.conductors()["max_i_ka"]
    trunk, feeder = design.sizes.trunk_type, design.forest.feeder
    return [max((trunk[feeder[a]], trunk[feeder[b]]), key=lambda t: (float(ampacity[t]), t)) for a, b in _ties(design)]


def _main_table(design: Design, ids: Ids, first_node: int) -> pd.DataFrame:
    forest = design.forest
    types = catalogue.main_transformers().loc[list(design.sizes.main_type)].reset_index()
    frame = _trafo_columns(types, types["sn_mva"].to_numpy(float))
    frame.insert(0, "name", list(ids.main))
    frame.insert(1, "hv_bus", forest.main_substation)
    frame.insert(2, "lv_bus", first_node + forest.busbar_main)
    frame["tap_pos"] = design.sizes.main_tap
    frame["role"] = "main"
    frame["county_code"] = design.facts.county_code
    frame["substation_id"] = [ids.substation[s] for s in forest.main_substation]
    for column in ("feeder_id", "section_id", "area_id"):
        frame[column] = ""
    return frame


def _distribution_table(design: Design, ids: Ids, first_node: int, first_lv: int) -> pd.DataFrame:
    areas, node = design.areas, design.forest.area_node
    types = catalogue.distribution_transformers().loc[areas["type_name"]].reset_index()
    frame = _trafo_columns(types, types["sn_kva"].to_numpy(float) / 1000.0)
    frame.insert(0, "name", areas["area_id"].to_numpy())
    frame.insert(1, "hv_bus", first_node + node)
    frame.insert(2, "lv_bus", first_lv + np.arange(len(areas)))
    frame["tap_pos"] = design.sizes.area_tap
    frame["role"] = "distribution"
    frame["county_code"] = design.facts.county_code
    frame["substation_id"] = [ids.node_substation[k] for k in node]
    frame["feeder_id"] = [ids.node_feeder[k] for k in node]
    frame["section_id"] = [ids.node_section[k] for k in node]
    frame["area_id"] = areas["area_id"].to_numpy()
    return frame


def _trafo_columns(types: pd.DataFrame, sn_mva: FloatArray) -> pd.DataFrame:
    """Nameplate columns from catalogue rows; the copper losses give the resistive part of the impedance."""
    vector_group = types["vector_group"].to_numpy()
    return pd.DataFrame(
        {
            "std_type": types["type_name"],
            "sn_mva": sn_mva,
            "vn_hv_kv": types["vn_hv_kv"].to_numpy(float),
            "vn_lv_kv": types["vn_lv_kv"].to_numpy(float),
            "vk_percent": types["uk_percent"].to_numpy(float),
            "vkr_percent": np.round(types["pk_kw"].to_numpy(float) / (10.0 * sn_mva), 5),
            "pfe_kw": types["p0_kw"].to_numpy(float),
            "i0_percent": types["i0_percent"].to_numpy(float),
            "shift_degree": np.where(vector_group == "Yyn0", 0.0, _DYN11_SHIFT_DEGREE),
            "tap_side": "hv",
            "tap_neutral": 0.0,
            "tap_min": types["tap_min"].to_numpy(float),
            "tap_max": types["tap_max"].to_numpy(float),
            "tap_step_percent": types["tap_step_percent"].to_numpy(float),
            "tap_step_degree": 0.0,
            "tap_changer_type": "Ratio",
            "vector_group": vector_group,
            "parallel": 1,
            "df": 1.0,
            "in_service": True,
        }
    )


def _switch_table(design: Design, ids: Ids, line: pd.DataFrame, first_node: int) -> pd.DataFrame:
    forest, switching = design.forest, design.switching
    edges = np.flatnonzero(forest.parent >= 0)
    position = np.full(forest.n_node, -1, dtype=np.int64)
    position[edges] = np.arange(len(edges))
    starts = np.flatnonzero(switching.has_switch)
    is_outlet = np.isin(starts, forest.feeder_exit)
    n_tie = len(ids.tie)
    return pd.DataFrame(
        {
            "bus": np.concatenate([first_node + forest.parent[starts], first_node + switching.tie_to]),
            "element": np.concatenate([position[starts], len(line) - n_tie + np.arange(n_tie)]),
            "et": "l",
            "type": [*np.where(switching.is_breaker[starts], "CB", "LBS"), *["LBS"] * n_tie],
            "closed": np.concatenate([np.ones(len(starts), dtype=bool), np.zeros(n_tie, dtype=bool)]),
            "name": [*(ids.node_section[k] for k in starts), *ids.tie],
            "z_ohm": 0.0,
            "role": [*np.where(is_outlet, "outlet", "section"), *["tie"] * n_tie],
            "remote": np.concatenate([switching.is_remote[starts], switching.tie_is_remote]),
            "feeder_id": [*(ids.node_feeder[k] for k in starts), *(ids.node_feeder[k] for k in switching.tie_from)],
        }
    )
