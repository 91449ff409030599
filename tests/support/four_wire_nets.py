"""Low-voltage feeders with data of the zero sequence, as element tables, and loads by phase for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.cases import PhaseLoadCases
from gridcheck.network import FourWireNetwork
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.network.pandapower_net import net_from_tables

Array = npt.NDArray[np.float64]

# On this base pandapower's fixed tolerance of 3e-8 pu is 3e-11 MVA.
SMALL_BASE_MVA = 1e-3
SHIFT = {"Dyn": 330.0, "Yzn": 330.0, "YNyn": 0.0, "Yyn": 0.0}


@dataclass(frozen=True)
class LvFeeder:
    """Element tables of a source, a transformer and a low-voltage tree, and loads by phase."""

    tables: dict[str, pd.DataFrame]
    p_mw: Array
    q_mvar: Array

    @property
    def network(self) -> FourWireNetwork:
        return four_wire_from_tables(self.tables, name="feeder", sn_mva=SMALL_BASE_MVA)

    @property
    def loads(self) -> PhaseLoadCases:
        return PhaseLoadCases(p_mw=self.p_mw, q_mvar=self.q_mvar)

    def net(self, case: int = 0):
        """The feeder as a pandapower net with the loads of one case."""
        load = asymmetric_loads(self.p_mw[case], self.q_mvar[case])
        return net_from_tables({**self.tables, "asymmetric_load": load}, name="feeder", sn_mva=SMALL_BASE_MVA)


def asymmetric_loads(p_mw: Array, q_mvar: Array) -> pd.DataFrame:
    """Return the table of loads for one case, (n_bus, 3), with a row for each loaded bus."""
    bus = np.flatnonzero(p_mw.any(axis=1) | q_mvar.any(axis=1))
    frame = pd.DataFrame({"bus": bus, "scaling": 1.0, "in_service": True, "type": "wye"})
    for k, phase in enumerate("abc"):
        frame[f"p_{phase}_mw"], frame[f"q_{phase}_mvar"] = p_mw[bus, k], q_mvar[bus, k]
    return frame


def lv_feeder(
    n_bus: int = 120,
    n_case: int = 1,
    *,
    seed: int = 1,
    group: str = "Dyn",
    charging: bool = False,
    magnetising: bool = False,
    mv_line: bool = False,
) -> LvFeeder:
    """Return a 10/0.4 kV transformer with a random tree below it: single-phase loads, and some of three phases.

    ::

        0 (10 kV) --line, if asked for-- 1 (10 kV) --trafo-- 2 (0.4 kV) -- tree of the other buses
    """
    rng = np.random.default_rng(seed)
    parent = [2, *(int(rng.integers(max(2, i - 10), i)) for i in range(4, n_bus))]
    n_line = len(parent)
    line = pd.DataFrame({"from_bus": parent, "to_bus": range(3, n_bus), "length_km": rng.uniform(0.005, 0.02, n_line)})
    line = line.assign(
        r_ohm_per_km=rng.uniform(0.2, 0.6, n_line), x_ohm_per_km=rng.uniform(0.07, 0.1, n_line), c_nf_per_km=0.0,
        c0_nf_per_km=0.0, max_i_ka=rng.uniform(0.1, 0.3, n_line), parallel=1, df=1.0, in_service=True,
    )  # fmt: skip
    line["r0_ohm_per_km"], line["x0_ohm_per_km"] = 4.0 * line["r_ohm_per_km"], 3.5 * line["x_ohm_per_km"]
    first = pd.DataFrame([{**line.iloc[0], "from_bus": 0, "to_bus": 1, "length_km": 4.0 if mv_line else 0.1}])
    line = pd.concat([first, line], ignore_index=True).astype({"from_bus": int, "to_bus": int, "parallel": int})
    if charging:
        line["c_nf_per_km"], line["c0_nf_per_km"] = 300.0, 150.0
    line["in_service"] = line["in_service"].astype(bool)
    tables = {
        "bus": pd.DataFrame({"vn_kv": [10.0, 10.0] + [0.4] * (n_bus - 2), "in_service": True}),
        "line": line,
        "trafo": pd.DataFrame([trafo(group, magnetising=magnetising)]),
        "ext_grid": pd.DataFrame([source()]),
    }
    size = np.where(rng.random((n_bus, 3)) < 0.35, rng.uniform(0.2e-3, 1.5e-3, (n_bus, 3)), 0.0) * 120 / n_bus
    size[:3] = 0.0
    p_mw = size * rng.uniform(-0.2, 1.2, (n_case, n_bus, 3))
    return LvFeeder(tables=tables, p_mw=p_mw, q_mvar=p_mw * rng.uniform(0.0, 0.4, (n_bus, 3)))


def trafo(group: str, *, magnetising: bool = False) -> dict[str, object]:
    """A transformer of 400 kVA from bus 1 to bus 2 with halved leakage, without clock number in its group."""
    return {
        "name": "trafo", "std_type": "", "hv_bus": 1, "lv_bus": 2, "sn_mva": 0.4, "vn_hv_kv": 10.0, "vn_lv_kv": 0.4,
        "vk_percent": 4.0, "vkr_percent": 1.0, "pfe_kw": 0.5 if magnetising else 0.0,
        "i0_percent": 0.4 if magnetising else 0.0, "shift_degree": SHIFT[group], "vector_group": group,
        "vk0_percent": 3.8, "vkr0_percent": 1.1, "mag0_percent": 900.0, "mag0_rx": 0.2, "si0_hv_partial": 0.5,
        "tap_side": "hv", "tap_neutral": 0.0, "tap_pos": 1.0, "tap_step_percent": 2.5, "tap_step_degree": 0.0,
        "tap_changer_type": "Ratio", "parallel": 1, "df": 1.0, "in_service": True,
    }  # fmt: skip


def source() -> dict[str, object]:
    return {
        "bus": 0, "vm_pu": 1.02, "va_degree": 10.0, "in_service": True, "s_sc_max_mva": 200.0, "rx_max": 0.2,
        "x0x_max": 1.5, "r0x0_max": 0.3,
    }  # fmt: skip
