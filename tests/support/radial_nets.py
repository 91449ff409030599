"""Small pandapower nets for tests; every call gives a net of its own. Drawn in the docstrings."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import ParamSpec

import pandapower as pp

P = ParamSpec("P")

LINE = {"r_ohm_per_km": 0.306, "x_ohm_per_km": 0.35, "c_nf_per_km": 10.0, "max_i_ka": 0.3}


def built_once(build: Callable[P, pp.pandapowerNet]) -> Callable[P, pp.pandapowerNet]:
    """Build a net once and hand out copies: pandapower takes a third of a second to make an empty net."""
    cached = functools.cache(build)

    @functools.wraps(build)
    def copied(*args: P.args, **kwargs: P.kwargs) -> pp.pandapowerNet:
        return copy.deepcopy(cached(*args, **kwargs))

    return copied


@built_once
def empty_net(*, name: str = "", sn_mva: float = 1.0) -> pp.pandapowerNet:
    """A net without anything in it."""
    return pp.create_empty_network(name=name, sn_mva=sn_mva)


def add_line(net: pp.pandapowerNet, from_bus: int, to_bus: int, length_km: float = 1.0, **values: float) -> int:
    """Add an overhead line; `values` override the constants of `LINE`."""
    return int(pp.create_line_from_parameters(net, from_bus, to_bus, length_km=length_km, **{**LINE, **values}))


def add_trafo(net: pp.pandapowerNet, hv_bus: int, lv_bus: int, **values: object) -> int:
    """Add a 400 kVA transformer 10/0.4 kV with losses, Dyn11; `values` override."""
    nameplate: dict[str, object] = {
        "sn_mva": 0.4,
        "vn_hv_kv": 10.0,
        "vn_lv_kv": 0.4,
        "vkr_percent": 1.075,
        "vk_percent": 4.0,
        "pfe_kw": 0.41,
        "i0_percent": 0.6,
        "shift_degree": 330.0,
        "tap_side": "hv",
        "tap_neutral": 0,
        "tap_min": -2,
        "tap_max": 2,
        "tap_pos": 0,
        "tap_step_percent": 2.5,
        "tap_step_degree": 0.0,
        "tap_changer_type": "Ratio",
    }
    return int(pp.create_transformer_from_parameters(net, hv_bus, lv_bus, **{**nameplate, **values}))


@built_once
def two_bus_net(*, p_mw: float = 2.0, q_mvar: float = 0.5, vm_pu: float = 1.0) -> pp.pandapowerNet:
    """Source -- line of 5 km without charging -- load."""
    net = empty_net(name="two buses")
    source, end = pp.create_bus(net, 10.0), pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, source, vm_pu=vm_pu)
    add_line(net, source, end, 5.0, c_nf_per_km=0.0)
    pp.create_load(net, end, p_mw, q_mvar)
    return net


@built_once
def feeder_net(n_bus: int = 6, *, p_mw: float = 0.2) -> pp.pandapowerNet:
    """Source -- bus 1 -- bus 2 -- ... with a load at every bus but the source; ids 0, 1, 2, ..."""
    net = empty_net(name="feeder")
    for _ in range(n_bus):
        pp.create_bus(net, 10.0)
    pp.create_ext_grid(net, 0, vm_pu=1.03)
    for i in range(1, n_bus):
        add_line(net, i - 1, i, 0.5 + 0.1 * i)
        pp.create_load(net, i, p_mw * (1 + 0.1 * i), 0.3 * p_mw)
    return net


@built_once
def village_net() -> pp.pandapowerNet:
    """A 10 kV line to two villages with a transformer each, and an open tie::

    110 kV        10 kV
    bus 0 -T0- bus 1 -L0- bus 2 -L1- bus 3 -T2- bus 5 (0.4 kV, load)
                            |                    |
                           T1                   L3 - bus 6 (0.4 kV, load)
                            |
                          bus 4 (0.4 kV, load)
               bus 1 -L2 / (open at bus 3)
    """
    net = empty_net(name="villages")
    for vn_kv in (110.0, 10.0, 10.0, 10.0, 0.4, 0.4, 0.4):
        pp.create_bus(net, vn_kv)
    pp.create_ext_grid(net, 0, vm_pu=1.01, va_degree=5.0)
    add_trafo(
        net,
        0,
        1,
        sn_mva=10.0,
        vn_hv_kv=110.0,
        vn_lv_kv=10.5,
        vkr_percent=0.5,
        vk_percent=10.5,
        pfe_kw=12.0,
        i0_percent=0.3,
        shift_degree=30.0,
        tap_min=-8,
        tap_max=8,
        tap_pos=-2,
        tap_step_percent=1.25,
    )
    add_line(net, 1, 2, 4.0)
    add_line(net, 3, 2, 3.0)
    tie = add_line(net, 1, 3, 6.0)
    pp.create_switch(net, 3, tie, "l", closed=False, type="LBS", name="tie")
    add_trafo(net, 2, 4, tap_pos=1)
    add_trafo(net, 3, 5, tap_pos=-1, sn_mva=0.2, pfe_kw=0.24)
    add_line(net, 5, 6, 0.25, r_ohm_per_km=0.32, x_ohm_per_km=0.083, c_nf_per_km=300.0)
    for bus, p_mw in ((4, 0.21), (5, 0.06), (6, 0.05)):
        pp.create_load(net, bus, p_mw, 0.2 * p_mw)
    return net
