"""Hypothesis strategy for radial networks of two voltage levels, with loads that they can carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

from gridcheck.cases import LoadCases
from gridcheck.network import Network, network_from_tables

# The same examples on every machine.
law = settings(max_examples=40, deadline=None, derandomize=True)
slow_law = settings(law, max_examples=8)


@dataclass(frozen=True)
class Example:
    """Element tables of a radial network, and loads for its buses in the order of the table bus."""

    tables: dict[str, pd.DataFrame]
    p_mw: npt.NDArray[np.float64]
    q_mvar: npt.NDArray[np.float64]

    @property
    def network(self) -> Network:
        return network_from_tables(self.tables, name="random")

    @property
    def loads(self) -> LoadCases:
        return LoadCases(p_mw=self.p_mw, q_mvar=self.q_mvar)


@st.composite
def radial_networks(draw: st.DrawFn, *, max_bus: int = 25, n_case: int = 3, passive: bool = False) -> Example:
    """Draw a tree of lines and transformers; `passive` leaves out charging, shunts and generation.

    The shape is drawn by hypothesis, so that failures shrink to small trees; the numbers come from a seed.
    """
    n_bus = draw(st.integers(2, max_bus))
    parents = [draw(st.integers(0, i - 1)) for i in range(1, n_bus)]
    steps_down = [draw(st.booleans()) for _ in parents]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vn_kv, lines, trafos = [10.0], [], []
    for i, (parent, is_trafo) in enumerate(zip(parents, steps_down, strict=True), start=1):
        if is_trafo and vn_kv[parent] == 10.0:
            vn_kv.append(0.4)
            trafos.append(_trafo(rng, parent, i))
        else:
            vn_kv.append(vn_kv[parent])
            lines.append(_line(rng, parent, i, vn_kv[parent], passive=passive))
    bus = pd.DataFrame({"vn_kv": vn_kv, "in_service": True, "name": [f"b{i}" for i in range(n_bus)]})
    tables = {
        "bus": bus,
        "line": pd.DataFrame(lines),
        "trafo": pd.DataFrame(trafos),
        "ext_grid": pd.DataFrame({"bus": [0], "vm_pu": [rng.uniform(0.98, 1.06)], "va_degree": [rng.uniform(-30, 30)]}),
    }
    if not passive:
        shunts = [{"bus": i, "p_mw": 0.0, "q_mvar": -0.02, "step": 1} for i in range(1, n_bus) if rng.random() < 0.1]
        tables["shunt"] = pd.DataFrame(shunts, columns=["bus", "p_mw", "q_mvar", "step"])
    size_mw = np.where(np.array(vn_kv) < 1.0, 0.008, 0.08) * (rng.random(n_bus) < 0.7)
    p_mw = size_mw * rng.uniform(0.0 if passive else -0.5, 1.0, (n_case, n_bus))
    q_mvar = size_mw * rng.uniform(0.0 if passive else -0.2, 0.4, (n_case, n_bus))
    return Example(tables, p_mw, q_mvar)


def _line(rng: np.random.Generator, parent: int, child: int, vn_kv: float, *, passive: bool) -> dict[str, object]:
    ends = (parent, child) if rng.random() < 0.5 else (child, parent)
    is_low = vn_kv < 1.0
    return {
        "name": f"line to {child}", "std_type": "", "from_bus": ends[0], "to_bus": ends[1],
        "length_km": rng.uniform(0.01, 0.1) if is_low else rng.uniform(0.1, 3.0),
        "r_ohm_per_km": rng.uniform(0.1, 0.7), "x_ohm_per_km": rng.uniform(0.0, 0.4),
        "c_nf_per_km": 0.0 if passive else rng.uniform(0.0, 300.0), "max_i_ka": rng.uniform(0.1, 0.5),
        "df": 1.0, "parallel": int(rng.integers(1, 3)), "in_service": True,
    }  # fmt: skip


def _trafo(rng: np.random.Generator, parent: int, child: int) -> dict[str, object]:
    vk_percent = rng.uniform(3.0, 6.0)
    return {
        "name": f"trafo to {child}", "std_type": "", "hv_bus": parent, "lv_bus": child, "sn_mva": rng.uniform(0.1, 0.6),
        "vn_hv_kv": 10.0, "vn_lv_kv": rng.choice([0.4, 0.41]), "vk_percent": vk_percent,
        "vkr_percent": vk_percent * rng.uniform(0.1, 0.5), "pfe_kw": rng.uniform(0.0, 0.6),
        "i0_percent": rng.uniform(0.2, 1.0), "shift_degree": rng.choice([0.0, 330.0]),
        "tap_side": rng.choice(["hv", "lv"]), "tap_neutral": 0.0, "tap_pos": float(rng.integers(-2, 3)),
        "tap_step_percent": 2.5, "tap_step_degree": 0.0, "tap_changer_type": "Ratio", "parallel": 1, "df": 1.0,
        "in_service": True,
    }  # fmt: skip
