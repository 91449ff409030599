"""Sizes of the 10 kV equipment: conductors, exit cables, main transformers, taps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck import catalogue
from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.synthesis.assumptions import Assumptions
from gridcheck.synthesis.grid import ComplexArray, Forest, solve_forest, sum_downstream
from gridcheck.synthesis.plane import sum_by
from gridcheck.units import SQRT3

TRUNK_INSULATED = ("JKLYJ-10-120", "JKLYJ-10-150", "JKLYJ-10-185", "JKLYJ-10-240")
TRUNK_BARE = ("LGJ-120/20", "LGJ-150/25", "LGJ-185/30", "LGJ-240/30")
_LATERAL_INSULATED = ("JKLYJ-10-50", "JKLYJ-10-70", "JKLYJ-10-95", "JKLYJ-10-120")
_LATERAL_BARE = ("LGJ-50/8", "LGJ-70/10", "LGJ-95/20", "LGJ-120/20")
_EXIT_CABLES = ("YJLV22-8.7/15-3x240", "YJLV22-8.7/15-3x300", "YJV22-8.7/15-3x240", "YJV22-8.7/15-3x300")
_CT_PRIMARY_KA = (0.3, 0.4, 0.4, 0.6)  # by the same step as trunk and exit cable
_VN_KV = 10.0
_GROWTH = 3.0  # trunks and laterals were built for this multiple of today's peak: growth, and a tied feeder
_GROWTH_LEFT = 1.7  # of feeders left behind in the last building programmes
_NEWER_TRUNK = 0.35  # trunks built one size larger, as the standard sizes of later years ask for
_LATERAL_USE = 0.3  # laterals may use this share of their ampacity for it: voltage and strength choose them
_DESIGN_DROP_PU = 0.05  # at today's peak; a trunk above it was replaced by the next size
_TOLERATED_DROP_PU = 0.085  # some feeders were left with more, but none above this if a larger size helps
_LEFT_BEHIND = 0.2
_BARE_SHARE_HILL, _BARE_SHARE_PLAIN = 0.6, 0.15
_HILL_M = 650.0
_HV_VM_PU = (1.0, 1.02)
# Above this wanted rating per unit the station is 110/10 kV. Its units look lightly loaded here, because the
# town's own feeders are not part of the model.
_MAX_35KV_UNIT_MVA = 16.5
_LIGHT_UNIT = 0.36
_UNIT_COLUMNS = ("sn_mva", "vn_lv_kv", "uk_percent", "pk_kw", "tap_step_percent", "tap_min", "tap_max")
_LIGHT_LOAD_SHARE = 0.4  # drop of a light-load hour over that of the peak
_LV_CEILING_PU = 1.008  # 232.8 V on the 0.4 kV base at light load: uneven phases lift some meters by 2 to 3 V more
_WRONG_TAPS = 0.12  # areas left one step too low in voltage after the network changed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sizes:
    """Chosen equipment; positions follow `Forest`.

    Attributes
    ----------
    line_type : tuple of str, length n_node
        Catalogue type of each edge, empty at busbars.
    trunk_type : tuple of str, length n_feeder
        Conductor of each trunk.
    limit_ka : ndarray, shape (n_feeder,)
        Smallest of exit cable, current transformer and trunk. [kA]
    main_type : tuple of str, length n_main
        Catalogue type of each main transformer.
    main_tap : ndarray of int, shape (n_main,)
        Position of its on-load tap changer.
    hv_vm_pu : ndarray, shape (n_substation,)
        Voltage of the high-voltage bus. [pu]
    vm_pu : ndarray, shape (n_node,)
        Estimated voltage at the winter peak. [pu]
    area_tap : ndarray of int, shape (n_area,)
        Off-load tap of each distribution transformer.
    """

    line_type: tuple[str, ...]
    trunk_type: tuple[str, ...]
    limit_ka: FloatArray
    main_type: tuple[str, ...]
    main_tap: IntArray
    hv_vm_pu: FloatArray
    vm_pu: FloatArray
    area_tap: IntArray

    def __post_init__(self) -> None:
        for field in ("limit_ka", "hv_vm_pu", "vm_pu"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (None,), name=field))
        for field in ("main_tap", "area_tap"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.int64, (None,), name=field))


def size_equipment(
    forest: Forest, areas: pd.DataFrame, area_mva: ComplexArray, assumptions: Assumptions, rng: np.random.Generator
) -> Sizes:
    """Choose all 10 kV equipment and the tap positions.

    Parameters
    ----------
    forest : Forest
        The 10 kV forest.
    areas : DataFrame
        Areas with type_name and elevation_m.
    area_mva : ndarray of complex, shape (n_area,)
        Winter peak at the low-voltage side. [MVA]
    assumptions : Assumptions
        Estimates.
    rng : Generator
        Random stream.

    Returns
    -------
    Sizes
    """
    node_mva = _loads_with_losses(forest, areas, area_mva)
    height = (
        pd.Series(areas["elevation_m"].to_numpy(float)).groupby(forest.feeder[forest.area_node]).median().to_numpy()
    )
    is_bare = rng.random(forest.n_feeder) < np.where(height > _HILL_M, _BARE_SHARE_HILL, _BARE_SHARE_PLAIN)
    is_left = rng.random(forest.n_feeder) < _LEFT_BEHIND
    is_newer = ~is_left & (rng.random(forest.n_feeder) < _NEWER_TRUNK)
    target_vm = assumptions.value("busbar_vm_pu")
    step = _trunk_steps(forest, node_mva, is_bare, np.where(is_left, _GROWTH_LEFT, _GROWTH)) + is_newer
    step = np.minimum(step, len(TRUNK_INSULATED) - 1)
    drop_limit = np.where(is_left, _TOLERATED_DROP_PU, _DESIGN_DROP_PU)
    line_type = _line_types(forest, node_mva, step, is_bare)
    roots = np.full(forest.n_node, target_vm)
    for _ in range(len(TRUNK_INSULATED)):
        vm_pu = np.abs(solve_forest(forest.parent, _edge_impedance(forest, line_type), node_mva, roots))
        lowest = pd.Series(vm_pu[forest.feeder >= 0]).groupby(forest.feeder[forest.feeder >= 0]).min().to_numpy()
        is_weak = (target_vm - lowest > drop_limit) & (step < len(TRUNK_INSULATED) - 1)
        if not is_weak.any():
            break
        step = step + is_weak
        line_type = _line_types(forest, node_mva, step, is_bare)
    hv_vm_pu = np.round(rng.uniform(*_HV_VM_PU, int(forest.main_substation.max()) + 1), 3)
    main_type, main_tap, busbar_vm = _main_transformers(forest, node_mva, hv_vm_pu, assumptions)
    roots[forest.busbar_main] = busbar_vm
    vm_pu = np.abs(solve_forest(forest.parent, _edge_impedance(forest, line_type), node_mva, roots))
    trunk_type = tuple((TRUNK_BARE if bare else TRUNK_INSULATED)[s] for s, bare in zip(step, is_bare, strict=True))
    return Sizes(
        line_type=line_type,
        trunk_type=trunk_type,
        limit_ka=_limits(step, trunk_type),
        main_type=main_type,
        main_tap=main_tap,
        hv_vm_pu=hv_vm_pu,
        vm_pu=vm_pu,
        area_tap=_area_taps(forest, vm_pu, rng),
    )


def _loads_with_losses(forest: Forest, areas: pd.DataFrame, area_mva: ComplexArray) -> ComplexArray:
    """Add up the loads at the poles, including the losses of the distribution transformers."""
    units = catalogue.distribution_transformers().loc[areas["type_name"]]
    sn_mva = units["sn_kva"].to_numpy(float) / 1000.0
    use = np.abs(area_mva) / sn_mva
    p_mw = (units["p0_kw"].to_numpy() + units["pk_kw"].to_numpy() * use**2) / 1000.0
    q_mvar = (units["i0_percent"].to_numpy() + units["uk_percent"].to_numpy() * use**2) / 100.0 * sn_mva
    s_mva = area_mva + p_mw + 1j * q_mvar
    real = sum_by(forest.area_node, s_mva.real, forest.n_node)
    imaginary = sum_by(forest.area_node, s_mva.imag, forest.n_node)
    result: ComplexArray = real + 1j * imaginary
    return result


def _edge_impedance(forest: Forest, line_type: tuple[str, ...]) -> ComplexArray:
    conductors = catalogue.conductors()
    names = np.array(line_type)
    edges = np.flatnonzero(forest.parent >= 0)
    types = conductors.loc[names[edges]]
    z_pu = np.zeros(forest.n_node, dtype=np.complex128)
    ohm_per_km = types["r_ohm_per_km"].to_numpy() + 1j * types["x_ohm_per_km"].to_numpy()
    z_pu[edges] = ohm_per_km * forest.length_km[edges] / _VN_KV**2
    return z_pu


def _trunk_steps(forest: Forest, node_mva: ComplexArray, is_bare: BoolArray, growth: FloatArray) -> IntArray:
    beyond = np.abs(sum_downstream(forest.parent, node_mva))[forest.feeder_exit]
    needed_ka = growth * beyond / (SQRT3 * _VN_KV)
    ampacity = catalogue.conductors()["max_i_ka"]
    steps = [
        next((k for k, name in enumerate(TRUNK_BARE if bare else TRUNK_INSULATED) if ampacity[name] >= ka), 3)
        for ka, bare in zip(needed_ka, is_bare, strict=True)
    ]
    return np.array(steps, dtype=np.int64)


def _line_types(forest: Forest, node_mva: ComplexArray, step: IntArray, is_bare: BoolArray) -> tuple[str, ...]:
    ampacity = catalogue.conductors()["max_i_ka"]
    beyond_ka = np.abs(sum_downstream(forest.parent, node_mva)) / (SQRT3 * _VN_KV)
    is_exit = np.zeros(forest.n_node, dtype=bool)
    is_exit[forest.feeder_exit] = True
    names = []
    for node in range(forest.n_node):
        f = forest.feeder[node]
        if f < 0:
            names.append("")
        elif is_exit[node]:
            names.append(_EXIT_CABLES[step[f]])
        elif forest.on_trunk[node]:
            names.append((TRUNK_BARE if is_bare[f] else TRUNK_INSULATED)[step[f]])
        else:
            choices = _LATERAL_BARE if is_bare[f] else _LATERAL_INSULATED
            needed_ka = _GROWTH * beyond_ka[node]
            names.append(next((t for t in choices if _LATERAL_USE * ampacity[t] >= needed_ka), choices[-1]))
    return tuple(names)


def _limits(step: IntArray, trunk_type: tuple[str, ...]) -> FloatArray:
    ampacity = catalogue.conductors()["max_i_ka"]
    return np.array(
        [min(ampacity[_EXIT_CABLES[s]], _CT_PRIMARY_KA[s], ampacity[t]) for s, t in zip(step, trunk_type, strict=True)]
    )


def _main_transformers(
    forest: Forest, node_mva: ComplexArray, hv_vm_pu: FloatArray, assumptions: Assumptions
) -> tuple[tuple[str, ...], IntArray, FloatArray]:
    """Choose type and tap of every main transformer; returns types, taps and busbar voltages."""
    units = catalogue.main_transformers()
    total = sum_downstream(forest.parent, node_mva)[forest.busbar_main]
    total = total * (1.0 + assumptions.value("distribution_loss_share"))
    target = assumptions.value("main_transformer_target_percent") / 100.0
    types, taps, vm_pu = [], [], []
    for main, s_mva in enumerate(total):
        same = forest.main_substation == forest.main_substation[main]
        is_110 = np.abs(total[same]).max() / target > _MAX_35KV_UNIT_MVA
        allowed = units.loc[(units["vn_hv_kv"] > 100.0) == is_110]
        # Units of one substation are alike, unless the lighter one would idle.
        name = _unit_for(allowed["sn_mva"], float(np.abs(total[same]).max()), target)
        if abs(s_mva) / float(allowed["sn_mva"][name]) < _LIGHT_UNIT:
            name = _unit_for(allowed["sn_mva"], abs(s_mva), target)
        unit = {column: float(units[column][name]) for column in _UNIT_COLUMNS}
        tap, vm = _on_load_tap(unit, complex(s_mva), hv_vm_pu[forest.main_substation[main]], assumptions)
        types.append(name)
        taps.append(tap)
        vm_pu.append(vm)
    return tuple(types), np.array(taps, dtype=np.int64), np.array(vm_pu)


def _unit_for(sn_mva: pd.Series, s_mva: float, target: float) -> str:
    return str(np.log(s_mva / sn_mva / target).abs().idxmin())


def _on_load_tap(
    unit: Mapping[str, float], s_mva: complex, hv_vm_pu: float, assumptions: Assumptions
) -> tuple[int, float]:
    """Tap that brings the busbar nearest to its target, and the voltage reached."""
    z_base = (unit["vn_lv_kv"] / _VN_KV) ** 2 / unit["sn_mva"]
    r_pu = unit["pk_kw"] / 1000.0 / unit["sn_mva"]
    z_pu = z_base * (r_pu + 1j * np.sqrt((unit["uk_percent"] / 100.0) ** 2 - r_pu**2))
    reached = []
    for tap in range(int(unit["tap_min"]), int(unit["tap_max"]) + 1):
        no_load = hv_vm_pu / (1.0 + tap * unit["tap_step_percent"] / 100.0) * unit["vn_lv_kv"] / _VN_KV
        voltage: complex = complex(no_load)
        for _ in range(20):
            voltage = no_load - z_pu * np.conj(s_mva / voltage)
        reached.append((tap, abs(voltage)))
    target = assumptions.value("busbar_vm_pu")
    return min(reached, key=lambda pair: (abs(pair[1] - target), pair[0]))


def _area_taps(forest: Forest, vm_pu: FloatArray, rng: np.random.Generator) -> IntArray:
    """Off-load taps: highest low voltage that stays below the ceiling at light load, a few left too low."""
    root = np.arange(forest.n_node)
    for node in range(forest.n_node):
        if forest.parent[node] >= 0:
            root[node] = root[forest.parent[node]]
    light = vm_pu[root] - _LIGHT_LOAD_SHARE * (vm_pu[root] - vm_pu)
    light = light[forest.area_node]
    choices = np.array([-1, 0, 1, 2])
    fits = light[:, None] / (1.0 + 0.025 * choices[None, :]) <= _LV_CEILING_PU
    tap = choices[np.where(fits.any(axis=1), fits.argmax(axis=1), len(choices) - 1)]
    result: IntArray = np.minimum(tap + (rng.random(len(tap)) < _WRONG_TAPS), 2).astype(np.int64)
    return result
