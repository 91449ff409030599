"""The 0.4 kV network of one area (台区): transformer, poles, service points, meters and their phases.

Impedances of its lines stand in `area_conductors`, its transformer in `area_transformers`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.cases import PhaseLoadCases
from gridcheck.errors import InputError
from gridcheck.network.area_conductors import (
    ALUMINIUM_PER_K,
    CONDUCTOR_TEMPERATURE_C,
    COPPER_PER_K,
    ZERO_OVER_POSITIVE,
    area_mm2,
    conductor_ka,
    conductor_ohm_per_km,
    line_ohm_per_km,
)
from gridcheck.network.area_transformers import (
    SN_MVA,
    VN_LV_KV,
    VN_MV_KV,
    AreaTransformer,
    area_transformer,
    transformer_branch,
)
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.line_regulators import LineRegulator, with_regulators
from gridcheck.network.records import Branches, BranchKind, Buses, Network, Switches

__all__ = [
    "ALUMINIUM_PER_K",
    "CONDUCTOR_TEMPERATURE_C",
    "COPPER_PER_K",
    "LV_BUSBAR",
    "PHASE_A",
    "PHASE_B",
    "PHASE_C",
    "PHASE_UNKNOWN",
    "THREE_PHASE",
    "ZERO_OVER_POSITIVE",
    "AreaTransformer",
    "LowVoltageGrid",
    "area_mm2",
    "area_transformer",
    "four_wire_of",
    "known_phases",
    "line_ka",
    "line_ohm_per_km",
    "loads_by_phase",
]

LV_BUSBAR = "lv"
"""Name of node 0."""
PHASE_UNKNOWN, PHASE_A, PHASE_B, PHASE_C, THREE_PHASE = -1, 0, 1, 2, 3
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LowVoltageGrid:
    """The low-voltage lines of one area, a tree, and its meters.

    Attributes
    ----------
    area_id : str
        The area.
    is_synthetic : bool
        True where the lines are made up.
    node_name : tuple of str, length n_node
        Node 0 is the low-voltage busbar of the transformer, ``lv``; poles and service points (meter boxes) follow.
    parent : ndarray of int, shape (n_node,)
        Position of the node towards the transformer, smaller than the own one; -1 at node 0.
    length_m : ndarray, shape (n_node,)
        Length of the line from the parent, 0 at node 0. [m]
    type_name : tuple of str, length n_node
        Conductor of that line, a key of the catalogue; empty at node 0.
    home_id : tuple of str, length n_home
        Registered meters, such as ``<area_id>-H001``.
    home_node : ndarray of int, shape (n_home,)
        Service point of each.
    home_phase : ndarray of int, shape (n_home,)
        0, 1, 2 for A, B, C; 3 for a three-phase meter; -1 where nobody knows.
    regulators : tuple of LineRegulator
        Voltage regulators in its lines.
    """

    area_id: str
    is_synthetic: bool
    node_name: tuple[str, ...]
    parent: IntArray
    length_m: FloatArray
    type_name: tuple[str, ...]
    home_id: tuple[str, ...]
    home_node: IntArray
    home_phase: IntArray
    regulators: tuple[LineRegulator, ...] = ()

    def __post_init__(self) -> None:
        n_node, n_home = len(self.node_name), len(self.home_id)
        for field, dtype, size in (
            ("parent", np.int64, n_node), ("length_m", np.float64, n_node), ("home_node", np.int64, n_home),
            ("home_phase", np.int64, n_home),
        ):  # fmt: skip
            value = frozen(getattr(self, field), dtype, (size,), name=f"area {self.area_id}: {field}")
            object.__setattr__(self, field, value)
        findings = [*_node_faults(self), *_home_faults(self)]
        if findings:
            raise InputError(f"area {self.area_id}: low-voltage lines that cannot be.", findings)

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return len(self.node_name)

    @property
    def n_home(self) -> int:
        """Number of registered meters."""
        return len(self.home_id)


def _node_faults(grid: LowVoltageGrid) -> list[str]:
    """Return what is wrong with nodes and lines, each named by its node."""
    names, n_node = grid.node_name, len(grid.node_name)
    if n_node == 0 or names[0] != LV_BUSBAR:
        return [f"node 0 must be the low-voltage busbar {LV_BUSBAR!r}. Got {names[0] if names else 'no node'!r}"]
    if len(grid.type_name) != n_node:
        return [f"type_name must have one entry per node, {n_node}. Got {len(grid.type_name)}"]
    findings = []
    if len(set(names)) != n_node:
        findings += [
            f"node {name!r}: stands more than once" for name in sorted({n for n in names if names.count(n) > 1})
        ]
    if grid.parent[0] != -1 or grid.length_m[0] != 0.0 or grid.type_name[0] != "":
        findings.append(f"node {LV_BUSBAR!r}: the busbar has no line above it: parent -1, length 0, no conductor")
    place = np.arange(1, n_node)
    parent, length = grid.parent[1:], grid.length_m[1:]
    findings += [
        f"node {names[k]!r}: its parent must stand before it. Got position {grid.parent[k]}"
        for k in place[(parent < 0) | (parent >= place)]
    ]
    findings += [
        f"node {names[k]!r}: length_m must be a finite number greater than 0. Got {grid.length_m[k]:g}"
        for k in place[~(np.isfinite(length) & (length > 0))]
    ]
    findings += [
        f"regulator: there is no line above node {one.node}" for one in grid.regulators if not 0 < one.node < n_node
    ]
    known = conductor_ohm_per_km()
    if not known.keys() >= set(grid.type_name[1:]):
        findings += [
            f"node {names[k]!r}: conductor {grid.type_name[k]!r} is not in the catalogue"
            for k in place
            if grid.type_name[k] not in known
        ]
    return findings[:_MOST]


def _home_faults(grid: LowVoltageGrid) -> list[str]:
    homes = grid.home_id
    findings = []
    if len(set(homes)) != len(homes):
        twice = sorted({home for home in homes if homes.count(home) > 1})
        findings += [f"meter {home!r}: stands more than once" for home in twice]
    wrong = np.flatnonzero((grid.home_node < 0) | (grid.home_node >= len(grid.node_name)))
    findings += [f"meter {homes[k]!r}: there is no node {grid.home_node[k]}" for k in wrong]
    wrong = np.flatnonzero((grid.home_phase < PHASE_UNKNOWN) | (grid.home_phase > THREE_PHASE))
    findings += [
        f"meter {homes[k]!r}: phase must be 0, 1, 2 for A, B, C, 3 for three phases or -1. Got {grid.home_phase[k]}"
        for k in wrong
    ]
    return findings[:_MOST]


def known_phases(grid: LowVoltageGrid, home_phase: IntArray | None = None) -> IntArray:
    """Return the phases of all meters, or say which are not known.

    Parameters
    ----------
    grid : LowVoltageGrid
        Gives the phases where `home_phase` is not given.
    home_phase : ndarray of int, shape (n_home,), optional
        Phases as assumed for a case, 0 to 3.

    Raises
    ------
    InputError
        Naming meters without a phase.
    """
    given = grid.home_phase if home_phase is None else home_phase
    phase: IntArray = frozen(given, np.int64, (grid.n_home,), name=f"area {grid.area_id}: home_phase")
    wrong = np.flatnonzero((phase < PHASE_A) | (phase > THREE_PHASE))
    if len(wrong):
        raise InputError(
            f"area {grid.area_id}: a load flow by phase needs the phase of every meter; give home_phase.",
            [f"meter {grid.home_id[k]}: phase {phase[k]}" for k in wrong[:_MOST]],
        )
    return phase


def loads_by_phase(
    grid: LowVoltageGrid, p_kw: npt.ArrayLike, q_kvar: npt.ArrayLike, *, home_phase: IntArray | None = None
) -> PhaseLoadCases:
    """Return what meters draw as load cases for `four_wire_of`.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area.
    p_kw, q_kvar : array_like, shape (n_case, n_home)
        Power of each meter, consumption positive. [kW], [kvar]
    home_phase : ndarray of int, shape (n_home,), optional
        Phases as assumed; those of `grid` by default.

    Returns
    -------
    PhaseLoadCases
        Shape (n_case, n_node + 1, 3); a three-phase meter draws a third from each phase.

    Raises
    ------
    InputError
        Shapes that do not fit, or meters without a phase.
    """
    phase, n_bus = known_phases(grid, home_phase), grid.n_node + 1
    share = np.zeros((grid.n_home, 3 * n_bus))
    meter = np.arange(grid.n_home)
    single = phase < THREE_PHASE
    share[meter[single], 3 * (grid.home_node[single] + 1) + phase[single]] = 1.0
    for k in range(3):
        share[meter[~single], 3 * (grid.home_node[~single] + 1) + k] = 1.0 / 3.0
    p = frozen(p_kw, np.float64, (None, grid.n_home), name="p_kw")
    q = frozen(q_kvar, np.float64, (len(p), grid.n_home), name="q_kvar")
    shape = (len(p), n_bus, 3)
    return PhaseLoadCases(p_mw=(p @ share / 1e3).reshape(shape), q_mvar=(q @ share / 1e3).reshape(shape))


def four_wire_of(grid: LowVoltageGrid, transformer: AreaTransformer) -> FourWireNetwork:
    """Return the network of an area for the load flow by phase.

    Parameters
    ----------
    grid : LowVoltageGrid
        Lines below the transformer.
    transformer : AreaTransformer
        The transformer.

    Returns
    -------
    FourWireNetwork
        Bus 0 is the 10 kV side of the transformer, a stiff source at 1.0 pu; bus 1 + k is node k, at 0.4 kV nominal,
        so that 1 pu phase to neutral is 230.94 V. Branch k - 1 is the line from the parent to node k, the last
        branch is the transformer. The neutral is earthed at the transformer alone.

    Notes
    -----
    The same as `four_wire_from_tables` makes of the element tables, without the tables: thousands of areas are built
    in a run. The negative sequence of the 10 kV network is left out; it is some 0.4 percent of the load's imbalance
    at 50 MVA of short-circuit power.
    """
    n_line, n_bus = grid.n_node - 1, grid.n_node + 1
    unit = transformer_branch(transformer)
    nothing = np.zeros(n_line + 1)
    r, x = _line_pu(grid)
    has_neutral = np.ones(n_bus, dtype=bool)
    has_neutral[0] = False
    passes = np.ones(n_line + 1)
    passes[-1] = 0.0
    own = (ZERO_OVER_POSITIVE - 1.0) / 3.0
    network = FourWireNetwork(
        balanced=_balanced(grid, transformer, r, x),
        r0_pu=np.append(ZERO_OVER_POSITIVE * r, unit.z0_pu.real),
        x0_pu=np.append(ZERO_OVER_POSITIVE * x, unit.z0_pu.imag),
        g0_from_pu=nothing,
        b0_from_pu=nothing,
        g0_to_pu=nothing,
        b0_to_pu=nothing,
        zero_ratio=passes,
        r_neutral_pu=np.append(own * r, 0.0),
        x_neutral_pu=np.append(own * x, 0.0),
        r_phase_neutral_pu=nothing,
        x_phase_neutral_pu=nothing,
        has_neutral=has_neutral,
        neutral_earth_ohm=np.full(n_bus, np.inf),
        g0_pu=np.zeros(n_bus),
        b0_pu=np.zeros(n_bus),
        r2_source_pu=np.zeros(1),
        x2_source_pu=np.zeros(1),
        r0_source_pu=np.zeros(1),
        x0_source_pu=np.zeros(1),
    )
    return with_regulators(network, grid.regulators) if grid.regulators else network


def line_ka(grid: LowVoltageGrid) -> FloatArray:
    """Return the rated currents of the lines above nodes 1, 2, ..., shape (n_node - 1,). [kA]"""
    rating = conductor_ka()
    return np.array([rating[name] for name in grid.type_name[1:]], dtype=np.float64)


def _line_pu(grid: LowVoltageGrid) -> tuple[FloatArray, FloatArray]:
    """Return the series impedance of the lines above nodes 1, 2, ... [pu]"""
    known = conductor_ohm_per_km()
    per_km = np.array([known[name] for name in grid.type_name[1:]], dtype=np.complex128)
    z = per_km * (grid.length_m[1:] / 1000.0 * SN_MVA / VN_LV_KV**2)
    return z.real, z.imag


def _balanced(grid: LowVoltageGrid, transformer: AreaTransformer, r_pu: FloatArray, x_pu: FloatArray) -> Network:
    """Lines first, then the transformer."""
    n_line, n_bus, type_name = grid.n_node - 1, grid.n_node + 1, transformer.type_name
    unit, rating_ka = transformer_branch(transformer), line_ka(grid)
    closed, zero = np.ones(n_line + 1, dtype=bool), np.zeros(n_line)
    kind = np.full(n_line + 1, int(BranchKind.LINE))
    kind[-1] = int(BranchKind.TRAFO)
    branches = Branches(
        branch_id=np.append(np.arange(n_line), 0),
        kind=kind,
        from_bus=np.append(grid.parent[1:] + 1, 0),
        to_bus=np.append(np.arange(2, n_bus), 1),
        r_pu=np.append(r_pu, unit.z_pu.real),
        x_pu=np.append(x_pu, unit.z_pu.imag),
        g_from_pu=np.append(zero, unit.y_pu.real),
        b_from_pu=np.append(zero, unit.y_pu.imag),
        g_to_pu=np.append(zero, unit.y_pu.real),
        b_to_pu=np.append(zero, unit.y_pu.imag),
        tap_ratio=np.append(np.ones(n_line), unit.tap_ratio),
        shift_degree=np.append(zero, unit.shift_degree),
        rating_from_ka=np.append(rating_ka, unit.rating_from_ka),
        rating_to_ka=np.append(rating_ka, unit.rating_to_ka),
        length_km=np.append(grid.length_m[1:] / 1000.0, np.nan),
        from_closed=closed,
        to_closed=closed,
        in_service=closed,
        type_name=(*grid.type_name[1:], type_name),
        name=(*grid.node_name[1:], type_name),
    )
    vn_kv = np.full(n_bus, VN_LV_KV)
    vn_kv[0] = VN_MV_KV
    buses = Buses(
        bus_id=np.arange(n_bus),
        vn_kv=vn_kv,
        g_pu=np.zeros(n_bus),
        b_pu=np.zeros(n_bus),
        in_service=np.ones(n_bus, dtype=bool),
        name=("mv", *grid.node_name),
    )
    return Network(
        name=grid.area_id,
        f_hz=50.0,
        sn_mva=SN_MVA,
        buses=buses,
        branches=branches,
        switches=_no_switches(),
        slack_bus=np.zeros(1, dtype=np.int64),
        slack_vm_pu=np.ones(1),
        slack_va_degree=np.zeros(1),
    )


@functools.cache
def _no_switches() -> Switches:
    none, no_flag = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    return Switches(
        switch_id=none, branch=none, at_to_end=no_flag, closed=no_flag, breaker=no_flag, remote=no_flag, name=()
    )
