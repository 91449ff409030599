"""A county folder of two areas, written anew for each test, so that one thing at a time can be broken in it."""

from __future__ import annotations

import functools
from pathlib import Path

import pandapower as pp
import pandas as pd

from tests.support.radial_nets import add_line, add_trafo, built_once, empty_net

CODE = "140800"
ORIGIN = f'synthetic = true\ncounty_code = "{CODE}"\ncounty = "试验县"\ncounty_en = "Trial"\n'


@built_once
def county_net() -> pp.pandapowerNet:
    """Two feeders with an area each, joined by an open tie::

    110 kV       10 kV              0.4 kV
    bus 0 -T0- bus 1 -L0- bus 2 -T1- bus 4   area A0001 on feeder F001
                 |          |
                L1         L2 / open at bus 3
                 |          |
                 +------- bus 3 -T2- bus 5   area A0002 on feeder F002
    """
    net = empty_net(name="trial county (synthetic)")
    roles = (("hv", "", 110.0), ("busbar", "", 10.0), ("pole", "F001", 10.0), ("pole", "F002", 10.0),
             ("lv", "F001", 0.4), ("lv", "F002", 0.4))  # fmt: skip
    for _, _, vn_kv in roles:
        pp.create_bus(net, vn_kv)
    net.bus["role"] = [role for role, _, _ in roles]
    net.bus["feeder_id"] = [f"{CODE}-{feeder}" if feeder else "" for _, feeder, _ in roles]
    pp.create_ext_grid(net, 0, vm_pu=1.0)
    add_trafo(net, 0, 1, sn_mva=10.0, vn_hv_kv=110.0, vn_lv_kv=10.5, vk_percent=10.5, vkr_percent=0.5, pfe_kw=12.0)
    for from_bus, to_bus in ((1, 2), (1, 3), (2, 3)):
        add_line(net, from_bus, to_bus, 3.0)
    add_trafo(net, 2, 4, sn_mva=0.2)
    add_trafo(net, 3, 5, sn_mva=0.4)
    net.trafo["role"] = ["main", "distribution", "distribution"]
    net.trafo["section_id"] = ["", f"{CODE}-F001-K1", f"{CODE}-F002-K1"]
    net.line["role"] = ["trunk", "trunk", "tie"]
    net.line["section_id"] = [f"{CODE}-F001-K1", f"{CODE}-F002-K1", ""]
    for bus, element, kind, closed in ((1, 0, "CB", True), (1, 1, "CB", True), (3, 2, "LBS", False)):
        pp.create_switch(net, bus, element, "l", closed=closed, type=kind)
    pp.create_load(net, 4, 0.06, 0.015)
    pp.create_load(net, 5, 0.11, 0.03)
    return net


def areas() -> pd.DataFrame:
    """The table areas.csv of `county_net`, every cell as text."""
    common = {
        "county_code": CODE, "town_code": f"{CODE}100", "town": "镇", "village_code": f"{CODE}100200", "village": "村",
        "substation_id": f"{CODE}-S01", "main_transformer_id": f"{CODE}-S01-T1", "series": "S13", "built_year": "2018",
        "vector_group": "Dyn11", "base_kw_factor": "1.0", "lv_circuits": "2", "lv_radius_m": "300",
        "lv_type_name": "JKLYJ-1-70", "lv_unbalance_factor": "1.2", "key_area": "False", "elevation_m": "",
        "lon": "111.0", "lat": "35.0", "coordinate_source": "synthetic",
    }  # fmt: skip
    rows = [
        {"area_id": f"{CODE}-A0001", "name": "一", "feeder_id": f"{CODE}-F001", "section_id": f"{CODE}-F001-K1",
         "kva": "200", "type_name": "S13-200-Dyn11", "households": "60", "occupied_households": "40",
         "lv_bus": "4", "trafo": "1"},
        {"area_id": f"{CODE}-A0002", "name": "二", "feeder_id": f"{CODE}-F002", "section_id": f"{CODE}-F002-K1",
         "kva": "400", "type_name": "S13-400-Dyn11", "households": "110", "occupied_households": "75",
         "lv_bus": "5", "trafo": "2"},
    ]  # fmt: skip
    return pd.DataFrame([row | common for row in rows])


def feeders() -> pd.DataFrame:
    """The table feeders.csv of `county_net`, every cell as text."""
    common = {
        "county_code": CODE, "substation_id": f"{CODE}-S01", "main_transformer_id": f"{CODE}-S01-T1", "busbar_bus": "1",
        "supply_class": "D", "limit_ka": "0.3", "length_km": "3.0",
    }  # fmt: skip
    rows = [
        {"feeder_id": f"{CODE}-F001", "name": "一线", "outlet_line": "0", "outlet_switch": "0"},
        {"feeder_id": f"{CODE}-F002", "name": "二线", "outlet_line": "1", "outlet_switch": "1"},
    ]
    return pd.DataFrame([row | common for row in rows])


def heating() -> pd.DataFrame:
    """The table heating.csv of `county_net`, every cell as text."""
    columns = ["area_id", "layer", "device", "households", "rated_kw"]
    rows = [
        [f"{CODE}-A0001", "existing", "air_air_heat_pump", "7", "10.8"],
        [f"{CODE}-A0002", "existing", "resistive_heater", "3", "12.0"],
        [f"{CODE}-A0002", "key_area_2025", "air_water_heat_pump", "20", "60.0"],
    ]
    return pd.DataFrame(rows, columns=columns)


@functools.cache
def _standard_text() -> str:
    return str(pp.to_json(county_net(), None))


def write_county(folder: Path, net: pp.pandapowerNet | None = None, **tables: pd.DataFrame) -> Path:
    """Write the folder; `net` and the tables ``areas``, ``feeders``, ``heating`` replace the standard ones."""
    folder.mkdir(exist_ok=True)
    text = _standard_text() if net is None else pp.to_json(net, None)
    (folder / "network.json").write_text(text, encoding="utf-8")
    for name, standard in (("areas", areas), ("feeders", feeders), ("heating", heating)):
        tables.get(name, standard()).to_csv(folder / f"{name}.csv", index=False)
    (folder / "origin.toml").write_text(ORIGIN, encoding="utf-8")
    return folder
