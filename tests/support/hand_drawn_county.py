"""A county of two feeders and five areas whose numbers can be worked out by hand.

Impedances are as good as zero unless a test asks for others, and demand is the same in every case without any
diversity, so that a transformer of 100 kVA that feeds 80 kW stands at 80 %.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandapower as pp
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.connection.applications import Application
from gridcheck.demand.parameters import CLASSES, ROOFTOP_PV
from gridcheck.demand.profiles import ClassCounts, ClassProfiles
from gridcheck.network import CountyGrid, read_county
from tests.support.county_folder import CODE, ORIGIN
from tests.support.radial_nets import add_line, add_trafo

AREAS = tuple(f"{CODE}-A000{number}" for number in range(1, 6))
POLES = (2, 3, 3, 4, 5)
FEEDERS = (f"{CODE}-F001", f"{CODE}-F002")
FEEDER_OF = (0, 0, 0, 1, 1)
SECTIONS = (f"{CODE}-F001-K1", f"{CODE}-F001-K2", f"{CODE}-F002-K1", f"{CODE}-F002-K2")
MAINS = (f"{CODE}-S01-T1", f"{CODE}-S01-T2")
# The hot-spot model takes the losses of the nameplate from the catalogue, whatever the net says.
TYPES = {100.0: "S13-100-Dyn11", 200.0: "S13-200-Dyn11", 400.0: "S13-400-Dyn11"}
HEAT_PUMP, RESISTIVE = CLASSES.index("air_air_heat_pump"), CLASSES.index("resistive_heater")


def hand_drawn_net(
    *,
    mains: int = 1,
    ideal: bool = True,
    kva: Sequence[float] = (100.0,) * 5,
    main_mva: float = 10.0,
    r_ohm: Mapping[int, float] | None = None,
    max_i_ka: Mapping[int, float] | None = None,
) -> pp.pandapowerNet:
    """Draw the county; `r_ohm` and `max_i_ka` are resistances and ratings of some lines.

    Newton's method does not take impedances of nothing, so a net for pandapower is not `ideal`::

        110 kV       10 kV     K1          K2
        bus 0 -T0- bus 1 -L0- bus 2 -L1- bus 3      feeder F001: area 1 at bus 2, areas 2 and 3 at bus 3
                     |                     |
                     |                    L4 open at bus 5
                     |                     |
                    L2 -- bus 4 --L3-- bus 5        feeder F002: area 4 at bus 4, area 5 at bus 5
                          K1          K2

    Areas stand behind T1 to T5 on buses 6 to 10. With two main transformers, L2 begins at bus 11 below T6.
    """
    net = copy.deepcopy(_drawn(mains, ideal))
    net.trafo.loc[1:5, "sn_mva"] = np.array(kva) / 1000.0
    net.trafo.loc[net.trafo["role"] == "main", "sn_mva"] = main_mva
    for column, values in (("r_ohm_per_km", r_ohm), ("max_i_ka", max_i_ka)):
        for line, value in (values or {}).items():
            net.line.loc[line, column] = value
    return net


@functools.cache
def _drawn(mains: int, ideal: bool) -> pp.pandapowerNet:  # noqa: FBT001 - a key of the cache
    """Draw once; pandapower takes half a second for it."""
    net = pp.create_empty_network(name="hand-drawn county (synthetic)")
    feeder_of_bus = ("", "", *(FEEDERS[i] for i in (0, 0, 1, 1)), *(FEEDERS[i] for i in FEEDER_OF), "")
    for number, vn_kv in enumerate((110.0, *[10.0] * 5, *[0.4] * 5, *[10.0] * (mains - 1))):
        pp.create_bus(net, vn_kv, name=f"bus {number}")
    net.bus["feeder_id"] = feeder_of_bus[: len(net.bus)]
    pp.create_ext_grid(net, 0, vm_pu=1.0)
    nothing = {"vk_percent": 1e-6, "vkr_percent": 1e-6, "pfe_kw": 0.0, "i0_percent": 0.0} if ideal else {}
    main = {"vn_hv_kv": 110.0, "vn_lv_kv": 10.0, **nothing}
    add_trafo(net, 0, 1, name=MAINS[0], **main)
    for number, pole in enumerate(POLES):
        add_trafo(net, pole, 6 + number, name=AREAS[number], **nothing)
    if mains == 2:
        add_trafo(net, 0, 11, name=MAINS[1], **main)
    second_busbar = 1 if mains == 1 else 11
    wire = {"r_ohm_per_km": 1e-9, "x_ohm_per_km": 1e-9, "c_nf_per_km": 0.0} if ideal else {}
    for number, (from_bus, to_bus) in enumerate(((1, 2), (2, 3), (second_busbar, 4), (4, 5), (3, 5))):
        add_line(net, from_bus, to_bus, name=f"L{number}", **wire)
    net.trafo["role"] = ["main", *["distribution"] * 5, *["main"] * (mains - 1)]
    net.line["role"] = [*["trunk"] * 4, "tie"]
    net.line["section_id"] = [*SECTIONS, ""]
    switches = ((1, 0, "CB"), (2, 1, "LBS"), (second_busbar, 2, "CB"), (4, 3, "LBS"), (5, 4, "LBS"))
    for bus, line, kind in switches:
        pp.create_switch(net, bus, line, "l", closed=line != 4, type=kind, name=f"Q{line}")
    for number in range(5):
        pp.create_load(net, 6 + number, 0.0, 0.0, name=AREAS[number])
    return net


def area_table(kva: Sequence[float] = (100.0,) * 5) -> pd.DataFrame:
    """The table areas.csv that goes with the net."""
    return pd.DataFrame(
        {
            "area_id": AREAS, "name": AREAS, "county_code": CODE, "town_code": f"{CODE}100", "town": "镇",
            "village_code": f"{CODE}100200", "village": "村", "feeder_id": [FEEDERS[i] for i in FEEDER_OF],
            "section_id": [SECTIONS[i] for i in (0, 1, 1, 2, 3)], "substation_id": f"{CODE}-S01",
            "main_transformer_id": MAINS[0], "kva": kva, "type_name": [TYPES[rated] for rated in kva],
            "vector_group": "Dyn11", "series": "S13", "built_year": 2018, "households": 60, "occupied_households": 40,
            "base_kw_factor": 1.0, "lv_circuits": 2, "lv_radius_m": 300, "lv_type_name": "JKLYJ-1-70",
            "lv_unbalance_factor": 1.2, "key_area": False, "elevation_m": "", "lon": 111.0, "lat": 35.0,
            "coordinate_source": "synthetic", "lv_bus": range(6, 11), "trafo": range(1, 6),
        }
    )  # fmt: skip


def feeder_table(limit_ka: Sequence[float] = (0.3, 0.3)) -> pd.DataFrame:
    """The table feeders.csv that goes with the net."""
    return pd.DataFrame(
        {
            "feeder_id": FEEDERS, "name": FEEDERS, "county_code": CODE, "substation_id": f"{CODE}-S01",
            "main_transformer_id": MAINS[0], "busbar_bus": 1, "outlet_line": [0, 2], "outlet_switch": [0, 2],
            "supply_class": "D", "limit_ka": limit_ka, "length_km": 2.0,
        }
    )  # fmt: skip


def write_hand_drawn_county(
    folder: Path, net: pp.pandapowerNet | None = None, *, limit_ka: Sequence[float] = (0.3, 0.3)
) -> Path:
    """Write the folder of a county; areas have the sizes of the net's transformers."""
    net = hand_drawn_net() if net is None else net
    folder.mkdir(exist_ok=True)
    pp.to_json(net, str(folder / "network.json"))
    area_table((1000.0 * net.trafo.loc[1:5, "sn_mva"]).round(6).tolist()).to_csv(folder / "areas.csv", index=False)
    feeder_table(limit_ka).to_csv(folder / "feeders.csv", index=False)
    heating = pd.DataFrame(columns=["area_id", "layer", "device", "households", "rated_kw"])
    heating.to_csv(folder / "heating.csv", index=False)
    (folder / "origin.toml").write_text(ORIGIN, encoding="utf-8")
    return folder


def hand_drawn_county(
    folder: Path, net: pp.pandapowerNet | None = None, *, limit_ka: Sequence[float] = (0.3, 0.3)
) -> CountyGrid:
    """Write a county into a folder and read it back."""
    return read_county(write_hand_drawn_county(folder / "county", net, limit_ka=limit_ka))


def profiles(
    mean: npt.ArrayLike = 1.0,
    *,
    n_case: int = 16,
    single: npt.ArrayLike | None = None,
    alpha: float = 0.5,
    temperature_c: npt.ArrayLike = -10.0,
    duration_h: float = 0.25,
) -> ClassProfiles:
    """Courses of all classes, without reactive power; every class draws its rated power all the time by default.

    `mean` and `single` have one value per case (or one for all) and hold for every class.
    """
    course = np.broadcast_to(np.reshape(np.asarray(mean, dtype=float), (-1, 1)), (n_case, len(CLASSES)))
    own = course if single is None else np.broadcast_to(np.reshape(np.asarray(single, float), (-1, 1)), course.shape)
    return ClassProfiles(
        classes=CLASSES,
        time_utc=np.datetime64("2026-01-20T16:00", "ns") + np.arange(n_case) * np.timedelta64(15, "m"),
        temperature_c=np.broadcast_to(np.asarray(temperature_c, dtype=float), (n_case,)),
        duration_h=duration_h,
        mean=course,
        single=own,
        alpha=np.full(len(CLASSES), alpha),
        tan_phi=np.zeros(len(CLASSES)),
    )


def profiles_with_roofs(heater_at_noon: float = 1.0, heater_in_the_evening: float = 1.0) -> ClassProfiles:
    """Sixteen cases of noon and sixteen of evening; roofs stand in the place of the last class, see `roofs`.

    Roofs feed in their rating at noon; homes draw a fifth of theirs in the evening; heat pumps draw as told.
    """
    noon = np.arange(32) < 16
    plain = profiles(np.where(noon, 0.0, 0.2), n_case=32)
    mean = np.array(plain.mean)
    mean[:, -1] = np.where(noon, -1.0, 0.0)
    mean[:, HEAT_PUMP] = np.where(noon, heater_at_noon, heater_in_the_evening)
    return replace(plain, classes=(*CLASSES[:-1], ROOFTOP_PV), mean=mean, single=mean)


def roofs(counts: ClassCounts, roof_kw: Sequence[float]) -> ClassCounts:
    """Put roofs into each area."""
    rated_kw, count = counts.rated_kw.copy(), counts.count.copy()
    rated_kw[:, -1], count[:, -1] = roof_kw, 10.0
    return ClassCounts(rated_kw=rated_kw, count=count)


def base_counts(base_kw: Sequence[float], n_home: int = 10) -> ClassCounts:
    """Homes that draw `base_kw` in each area, and no heaters."""
    rated_kw: FloatArray = np.zeros((len(base_kw), len(CLASSES)))
    rated_kw[:, 0] = base_kw
    return ClassCounts(rated_kw=rated_kw, count=np.where(rated_kw > 0.0, float(n_home), 0.0))


def applications(
    wishes: Sequence[tuple[int, float]], *, device: str = "air_air_heat_pump", first: int = 1
) -> tuple[Application, ...]:
    """Make a queue of (area position, rated kW)."""
    return tuple(
        Application(
            application_id=f"{CODE}-P{number:05d}",
            county_code=CODE,
            village_code=f"{CODE}100200",
            area_id=AREAS[area],
            applied_on=date(2025, 6, 1),
            device=device,
            rated_kw=rated_kw,
            phase="A",
            household_group="ordinary",
            queue_position=number,
        )
        for number, (area, rated_kw) in enumerate(wishes, start=first)
    )
