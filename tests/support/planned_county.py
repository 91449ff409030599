"""A county small enough to plan by hand: two feeders, four areas, demand without diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from gridcheck.catalogue import conductors, distribution_transformers
from gridcheck.checks.assessment import binding_course
from gridcheck.checks.supply_tree import supply_trees
from gridcheck.connection.applications import Application
from gridcheck.connection.decide import decide_queue
from gridcheck.demand.parameters import CLASSES
from gridcheck.demand.profiles import ClassProfiles, class_counts
from gridcheck.limits import DEFAULT_LIMITS
from gridcheck.network import CountyGrid, read_county
from gridcheck.network.pandapower_net import net_from_tables
from gridcheck.reinforcement import DecidedCounty
from tests.support.county_folder import CODE, areas, feeders, write_county

A1, A2, A3, A4 = (f"{CODE}-A000{i}" for i in range(1, 5))
F1, F2 = f"{CODE}-F001", f"{CODE}-F002"
AREA_TYPES = ("S13-100-Dyn11", "S13-200-Dyn11", "S13-200-Dyn11", "S13-200-Dyn11")
LINE_TYPES = ("JKLYJ-10-240", "JKLYJ-10-70", "JKLYJ-10-70", "JKLYJ-10-240", "JKLYJ-10-120")
LINE_ENDS = ((1, 2), (2, 3), (3, 4), (1, 5), (4, 5))
LENGTHS_KM = (2.0, 3.0, 3.0, 2.0, 1.0)


def tables(*, tap_pos: Sequence[int] = (0, 0, 0, 0)) -> dict[str, pd.DataFrame]:
    """Element tables of the county::

    35 kV        10 kV                                        0.4 kV: one area at each pole
    bus 0 -T0- bus 1 -L0- bus 2 -L1- bus 3 -L2- bus 4         feeder F001, areas 1, 2, 3 on buses 6, 7, 8
                 |                             |
                L3                            L4 / open at bus 5
                 |                             |
                 +------------ bus 5 ----------+              feeder F002, area 4 on bus 9
    """
    poles = (2, 3, 4, 5)
    feeder = ("", "", F1, F1, F1, F2, F1, F1, F1, F2)
    bus = pd.DataFrame(
        {"name": [f"bus {i}" for i in range(10)], "vn_kv": [35.0] + [10.0] * 5 + [0.4] * 4, "type": "b",
         "in_service": True, "feeder_id": feeder}
    )  # fmt: skip
    sections = (f"{F1}-K1", f"{F1}-K2", f"{F1}-K2", f"{F2}-K1", f"{F1}-K2")
    line = conductors().loc[list(LINE_TYPES), ["r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka"]]
    line = line.reset_index(names="std_type").assign(
        name=[f"L{i}" for i in range(5)], from_bus=[a for a, _ in LINE_ENDS], to_bus=[b for _, b in LINE_ENDS],
        length_km=LENGTHS_KM, role=["trunk"] * 4 + ["tie"], section_id=sections,
    )  # fmt: skip
    main = {
        "name": "T1", "hv_bus": 0, "lv_bus": 1, "sn_mva": 8.0, "vn_hv_kv": 35.0, "vn_lv_kv": 10.5, "vk_percent": 7.5,
        "vkr_percent": 0.6, "pfe_kw": 6.0, "i0_percent": 0.4, "shift_degree": 330.0, "role": "main", "section_id": "",
        "std_type": "", "tap_pos": 0,
    }  # fmt: skip
    units = [
        nameplate(name) | {"name": area, "hv_bus": pole, "lv_bus": 6 + i, "role": "distribution", "tap_pos": tap_pos[i],
                           "section_id": sections[i]}
        for i, (name, area, pole) in enumerate(zip(AREA_TYPES, (A1, A2, A3, A4), poles, strict=True))
    ]  # fmt: skip
    taps = {"tap_side": "hv", "tap_neutral": 0, "tap_min": -2, "tap_max": 2, "tap_step_percent": 2.5,
            "tap_step_degree": 0.0, "tap_changer_type": "Ratio"}  # fmt: skip
    switch = pd.DataFrame(
        {"bus": [1, 2, 1, 5], "element": [0, 1, 3, 4], "et": "l", "type": ["CB", "LBS", "CB", "LBS"],
         "closed": [True, True, True, False], "name": ["out 1", "K2", "out 2", "tie"], "remote": True}
    )  # fmt: skip
    return {
        "bus": bus, "line": line, "trafo": pd.DataFrame([main, *units]).assign(**taps), "switch": switch,
        "ext_grid": pd.DataFrame({"bus": [0], "vm_pu": [1.0], "va_degree": [0.0]}),
    }  # fmt: skip


def nameplate(type_name: str) -> dict[str, Any]:
    """Columns of a pandapower transformer, written out of the catalogue by hand."""
    row = distribution_transformers().loc[type_name]
    return {
        "std_type": type_name, "sn_mva": row["sn_kva"] / 1000.0, "vn_hv_kv": 10.0, "vn_lv_kv": 0.4,
        "vk_percent": row["uk_percent"], "vkr_percent": 100.0 * row["pk_kw"] / row["sn_kva"], "pfe_kw": row["p0_kw"],
        "i0_percent": row["i0_percent"], "shift_degree": 330.0 if row["vector_group"] == "Dyn11" else 0.0,
    }  # fmt: skip


def net(elements: Mapping[str, pd.DataFrame]) -> pp.pandapowerNet:
    """The same as a pandapower net, the independent judge."""
    return net_from_tables(elements, name="planned county (synthetic)")


def area_table(homes: Sequence[int], radius_m: Sequence[int]) -> pd.DataFrame:
    """The table areas.csv; each home draws exactly 1 kW."""
    rows = []
    for i, (type_name, feeder) in enumerate(zip(AREA_TYPES, (F1, F1, F1, F2), strict=True)):
        row = areas().iloc[0].to_dict()
        rows.append(
            row
            | {
                "area_id": f"{CODE}-A000{i + 1}", "name": f"area {i + 1}", "feeder_id": feeder, "type_name": type_name,
                "kva": type_name.split("-")[1], "households": str(homes[i] + 10), "occupied_households": str(homes[i]),
                "lv_unbalance_factor": "1.3", "section_id": f"{F1}-K1" if i == 0 else f"{feeder}-K{2 if i < 3 else 1}",
                "lon": f"{111.0 + 0.02 * i:.2f}", "lv_bus": str(6 + i), "trafo": str(1 + i), "lv_circuits": "3",
                "lv_radius_m": str(radius_m[i]),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def feeder_table(elements: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The table feeders.csv; the limit current of each feeder is that of its first line."""
    table = feeders()
    table["outlet_line"], table["outlet_switch"] = ["0", "3"], ["0", "2"]
    table["limit_ka"] = [str(elements["line"]["max_i_ka"][i]) for i in (0, 3)]
    return table


def heating_table() -> pd.DataFrame:
    """The table heating.csv: 10 heat pumps in area 1."""
    columns = ["area_id", "layer", "device", "households", "rated_kw"]
    return pd.DataFrame([[A1, "existing", "air_air_heat_pump", "10", "10.0"]], columns=columns)


def grid(
    folder: Path,
    *,
    homes: Sequence[int] = (60, 40, 40, 40),
    radius_m: Sequence[int] = (300, 300, 300, 300),
    elements: Mapping[str, pd.DataFrame] | None = None,
) -> CountyGrid:
    """Write the county to a folder and read it back."""
    own = tables() if elements is None else elements
    given = {"areas": area_table(homes, radius_m), "feeders": feeder_table(own), "heating": heating_table()}
    return read_county(write_county(folder / "county", net(own), **given))


def profiles(level: Sequence[float] = (0.2,) * 8 + (1.0,) * 12 + (0.2,) * 4) -> ClassProfiles:
    """Quarter hours in which every class draws the same share of its rating, with no difference between homes."""
    mean = np.repeat(np.asarray(level, dtype=float)[:, None], len(CLASSES), axis=1)
    n_case = len(mean)
    return ClassProfiles(
        classes=CLASSES,
        time_utc=np.datetime64("2026-01-20T00:00", "ns") + np.arange(n_case) * np.timedelta64(15, "m"),
        temperature_c=np.full(n_case, -15.0),
        duration_h=0.25,
        mean=mean,
        single=mean,
        alpha=np.full(len(CLASSES), 0.5),
        tan_phi=np.zeros(len(CLASSES)),
    )


def applications(*wishes: tuple[str, float]) -> tuple[Application, ...]:
    """One application for each (area, rated kW), in queue order: P1, P2, ..."""
    return tuple(
        Application(
            application_id=f"P{number}",
            county_code=CODE,
            village_code=f"{CODE}100200",
            area_id=area_id,
            applied_on=date(2025, 5, 1),
            device="air_air_heat_pump",
            rated_kw=rated_kw,
            phase="ABC",
            household_group="ordinary",
            queue_position=number,
        )
        for number, (area_id, rated_kw) in enumerate(wishes, start=1)
    )


def decided(
    county: CountyGrid, wishes: Sequence[tuple[str, float]], cold: ClassProfiles | None = None, **given: Any
) -> DecidedCounty:
    """The county with its queue decided."""
    cold = profiles() if cold is None else cold
    counts = class_counts(county.areas, county.heating)
    queue = decide_queue(
        supply_trees(county, DEFAULT_LIMITS),
        binding_course(cold, DEFAULT_LIMITS),
        counts,
        applications(*wishes),
        DEFAULT_LIMITS,
        area_ids=tuple(county.areas["area_id"]),
    )
    return DecidedCounty(
        grid=county, profiles=cold, counts=counts, decisions=queue.decisions, limits=DEFAULT_LIMITS, **given
    )
