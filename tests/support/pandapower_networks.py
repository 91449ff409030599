"""The networks that ship with pandapower, by a stable name: radial as switched, with loops, and not modelled.

`tests/unit/powerflow/test_published_networks.py` holds that no function of ``pandapower.networks`` is left out.
"""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable
from functools import partial

import pandapower as pp
import pandapower.networks as nw

Build = Callable[[], pp.pandapowerNet]

# What is refused, with the first finding that says why.
REFUSED = {
    "case11_iwamoto": "line 0: max_i_ka must be a finite number greater than 0. Got nan",
    "create_cigre_network_hv": "gen: ids 0, 1, 2",
    "example_multivoltage": "gen: ids 0",
    "example_simple": "gen: ids 0",
    **{
        name: "gen: ids 0"
        for name in (
            "GBnetwork", "GBreducednetwork", "case4gs", "case5", "case6ww", "case9", "case14", "case24_ieee_rts",
            "case30", "case39", "case57", "case89pegase", "case118", "case145", "case300", "case1354pegase",
            "case1888rte", "case2848rte", "case2869pegase", "case3120sp", "case6470rte", "case6495rte", "case6515rte",
            "case9241pegase", "case_ieee30", "case_illinois200", "iceland",
        )
    },
}  # fmt: skip

_KERBER = (
    "landnetz_freileitung_1", "landnetz_freileitung_2", "landnetz_kabel_1", "landnetz_kabel_2", "dorfnetz",
    "vorstadtnetz_kabel_1", "vorstadtnetz_kabel_2",
)  # fmt: skip
_EXTREME = (
    "landnetz_freileitung", "landnetz_kabel", "landnetz_freileitung_trafo", "landnetz_kabel_trafo", "dorfnetz",
    "dorfnetz_trafo", "vorstadtnetz_1", "vorstadtnetz_2", "vorstadtnetz_trafo_1", "vorstadtnetz_trafo_2",
)  # fmt: skip
_DICKERT = tuple(
    [("short", "cable", "single", case) for case in ("good", "average", "bad")]
    + [("short", "cable", "multiple", case) for case in ("good", "average", "bad")]
    + [
        (r, t, "multiple", c)
        for r in ("middle", "long")
        for t in ("cable", "C&OHL")
        for c in ("good", "average", "bad")
    ]
)
_VOLTAGE_CONTROL = ("rural_1", "rural_2", "village_1", "village_2", "suburb_1")
_EUROPEAN = ("off_peak_1", "on_peak_566", "off_peak_1440")
# Substations of Schutterwald, in pandapower's order; one of them is built as a ring.
_SCHUTTERWALD, _SCHUTTERWALD_RING = range(14), 7


def radial_networks() -> dict[str, Build]:
    """Networks that are radial as they are switched; every call of a builder gives a net of its own."""
    named: dict[str, Build] = {
        "case33bw": nw.case33bw,
        "cigre_mv": nw.create_cigre_network_mv,
        "cigre_mv_pv_wind": partial(nw.create_cigre_network_mv, with_der="pv_wind"),
        "cigre_mv_all": partial(nw.create_cigre_network_mv, with_der="all"),
        "cigre_lv": nw.create_cigre_network_lv,
        "oberrhein": nw.mv_oberrhein,
        "oberrhein_generation": partial(nw.mv_oberrhein, scenario="generation"),
        "oberrhein_with_substations": partial(nw.mv_oberrhein, include_substations=True),
        "simple_mv_open_ring": nw.simple_mv_open_ring_net,
        "panda_four_load_branch": nw.panda_four_load_branch,
        "four_loads_with_branches_out": nw.four_loads_with_branches_out,
        "simple_four_bus_system": nw.simple_four_bus_system,
        "example_simple_without_generator": partial(_without, nw.example_simple, "gen"),
    }
    named |= {f"kerber_{kind}": getattr(nw, f"create_kerber_{kind}") for kind in _KERBER}
    named |= {f"extrem_{kind}": getattr(nw, f"kb_extrem_{kind}") for kind in _EXTREME}
    named |= {f"dickert_{'_'.join(kind)}": partial(nw.create_dickert_lv_network, *kind) for kind in _DICKERT}
    named |= {
        f"voltage_control_{kind}": partial(nw.create_synthetic_voltage_control_lv_network, network_class=kind)
        for kind in _VOLTAGE_CONTROL
    }
    named |= {f"european_lv_{kind}": partial(nw.ieee_european_lv_asymmetric, scenario=kind) for kind in _EUROPEAN}
    for kind, pumps in (("", False), ("_heat_pumps", True)):
        named |= {
            f"schutterwald_{k}{kind}": partial(_schutterwald, k, include_heat_pumps=pumps)
            for k in _SCHUTTERWALD
            if k != _SCHUTTERWALD_RING
        }
    return {name: partial(_seeded, build) for name, build in named.items()}


def meshed_networks() -> dict[str, Build]:
    """Networks with loops: built so, or with all ties closed."""
    named: dict[str, Build] = {
        f"{name}_closed": partial(_all_closed, build)
        for name, build in radial_networks().items()
        if name.startswith(("case33bw", "cigre_mv", "oberrhein", "simple_mv_open_ring", "example_simple"))
        or name in {f"schutterwald_{k}" for k in _SCHUTTERWALD if k not in (0, 13)}  # these two have no tie
    }
    return named | {
        "schutterwald": partial(nw.lv_schutterwald, include_heat_pumps=True),
        f"schutterwald_{_SCHUTTERWALD_RING}": partial(_schutterwald, _SCHUTTERWALD_RING, include_heat_pumps=False),
        "example_multivoltage_reduced": partial(_without, nw.example_multivoltage, "gen", "trafo3w", "xward"),
    }


def refused_networks() -> dict[str, tuple[Build, str]]:
    """Networks that are not modelled, with the beginning of the first finding."""
    return {name: (getattr(nw, name), finding) for name, finding in REFUSED.items()}


def _seeded(build: Build) -> pp.pandapowerNet:
    random.seed(1)  # some of them draw the types of the house connections
    return build()


def _without(build: Build, *tables: str) -> pp.pandapowerNet:
    net = build()
    for table in tables:
        net[table]["in_service"] = False
    return net


def _all_closed(build: Build) -> pp.pandapowerNet:
    net = build()
    net.line["in_service"] = True
    net.switch["closed"] = True
    return net


@functools.cache
def _schutterwald_parts(*, include_heat_pumps: bool) -> list[pp.pandapowerNet]:
    return nw.lv_schutterwald(separation_by_sub=True, include_heat_pumps=include_heat_pumps)  # type: ignore[no-any-return]


def _schutterwald(k: int, *, include_heat_pumps: bool) -> pp.pandapowerNet:
    return copy.deepcopy(_schutterwald_parts(include_heat_pumps=include_heat_pumps)[k])
