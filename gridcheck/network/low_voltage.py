r"""The 0.4 kV network of one area (台区): transformer, poles, service points, meters and their phases.

Sequence data of its lines come from the catalogue by hand formula. Four parallel wires of one conductor, with the
same mean distance D between any two of them and g the geometric mean radius, have without an earth path

.. math::
    z = r + j\omega\frac{\mu_0}{2\pi}\ln\frac{D}{g}, \qquad
    z_0 = z + 3 (z_m - 2 z_{pn} + z_n) = 4 z

because in :math:`z_m - 2 z_{pn} + z_n` the return through the earth cancels and leaves the z of one wire. A load
between one phase and the neutral then feels :math:`(2 z + z_0) / 3 = 2 z` at three times the current: six times the
drop of the same load on three phases. Which wire hangs beside the neutral is not known; between wires in a row at
equal distances it moves the reactance of the zero sequence by up to 12 percent either way, its resistance not at all.

References
----------
.. [1] W. H. Kersting, *Distribution System Modeling and Analysis*, 4th edition, 2017, chapter 4.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.catalogue import conductors
from gridcheck.errors import InputError
from gridcheck.network.area_transformers import (
    SN_MVA,
    VN_LV_KV,
    VN_MV_KV,
    AreaTransformer,
    area_transformer,
    transformer_alone,
)
from gridcheck.network.four_wire import FourWireNetwork
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
    "area_transformer",
    "four_wire_of",
    "line_ohm_per_km",
]

LV_BUSBAR = "lv"
"""Name of node 0."""
PHASE_UNKNOWN, PHASE_A, PHASE_B, PHASE_C, THREE_PHASE = -1, 0, 1, 2, 3
# Loaded overhead conductors in winter; r20 is corrected to this temperature. [degC] (E, range 20 to 40)
CONDUCTOR_TEMPERATURE_C = 30.0
# Temperature coefficients of resistance at 20 degC. [1/K] Aluminium: IEC 60889; copper: IEC 60028.
ALUMINIUM_PER_K = 0.00403
COPPER_PER_K = 0.00393
# z0 of a line of four equal wires over its z; see the head of this module.
ZERO_OVER_POSITIVE = 4.0
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
    known = _conductor_ohm_per_km()
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


def line_ohm_per_km(type_name: str) -> complex:
    """Return the impedance of the positive sequence of a conductor, its resistance at `CONDUCTOR_TEMPERATURE_C`.

    The zero sequence is four times as much; see the head of this module. [ohm/km]

    Raises
    ------
    KeyError
        If the catalogue has no such conductor; a `LowVoltageGrid` holds known ones only.
    """
    return _conductor_ohm_per_km()[type_name]


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
    n_line = grid.n_node - 1
    unit = transformer_alone(transformer)
    zero = np.zeros(n_line)
    r, x = _line_pu(grid)
    balanced = _balanced(grid, unit.balanced, r, x)

    def with_unit(lines: FloatArray, field: str) -> FloatArray:
        return np.append(lines, getattr(unit, field))

    n_bus = grid.n_node + 1
    has_neutral = np.ones(n_bus, dtype=bool)
    has_neutral[0] = False
    return FourWireNetwork(
        balanced=balanced,
        r0_pu=with_unit(ZERO_OVER_POSITIVE * r, "r0_pu"),
        x0_pu=with_unit(ZERO_OVER_POSITIVE * x, "x0_pu"),
        g0_from_pu=with_unit(zero, "g0_from_pu"),
        b0_from_pu=with_unit(zero, "b0_from_pu"),
        g0_to_pu=with_unit(zero, "g0_to_pu"),
        b0_to_pu=with_unit(zero, "b0_to_pu"),
        zero_ratio=with_unit(np.ones(n_line), "zero_ratio"),
        r_neutral_pu=with_unit((ZERO_OVER_POSITIVE - 1.0) / 3.0 * r, "r_neutral_pu"),
        x_neutral_pu=with_unit((ZERO_OVER_POSITIVE - 1.0) / 3.0 * x, "x_neutral_pu"),
        r_phase_neutral_pu=with_unit(zero, "r_phase_neutral_pu"),
        x_phase_neutral_pu=with_unit(zero, "x_phase_neutral_pu"),
        has_neutral=has_neutral,
        neutral_earth_ohm=np.full(n_bus, np.inf),
        g0_pu=np.zeros(n_bus),
        b0_pu=np.zeros(n_bus),
        r2_source_pu=np.zeros(1),
        x2_source_pu=np.zeros(1),
        r0_source_pu=np.zeros(1),
        x0_source_pu=np.zeros(1),
    )


def _line_pu(grid: LowVoltageGrid) -> tuple[FloatArray, FloatArray]:
    """Return the series impedance of the lines above nodes 1, 2, ... [pu]"""
    known = _conductor_ohm_per_km()
    per_km = np.array([known[name] for name in grid.type_name[1:]], dtype=np.complex128)
    z = per_km * (grid.length_m[1:] / 1000.0 * SN_MVA / VN_LV_KV**2)
    return z.real, z.imag


def _balanced(grid: LowVoltageGrid, unit: Network, r_pu: FloatArray, x_pu: FloatArray) -> Network:
    """Lines first, then the transformer."""
    n_line, n_bus = grid.n_node - 1, grid.n_node + 1
    trafo, zero = unit.branches, np.zeros(n_line)
    rating = _conductor_ka()
    rating_ka = np.array([rating[name] for name in grid.type_name[1:]], dtype=np.float64)
    closed = np.ones(n_line + 1, dtype=bool)
    branches = Branches(
        branch_id=np.append(np.arange(n_line), 0),
        kind=np.append(np.full(n_line, int(BranchKind.LINE)), trafo.kind),
        from_bus=np.append(grid.parent[1:] + 1, 0),
        to_bus=np.append(np.arange(2, n_bus), 1),
        r_pu=np.append(r_pu, trafo.r_pu),
        x_pu=np.append(x_pu, trafo.x_pu),
        g_from_pu=np.append(zero, trafo.g_from_pu),
        b_from_pu=np.append(zero, trafo.b_from_pu),
        g_to_pu=np.append(zero, trafo.g_to_pu),
        b_to_pu=np.append(zero, trafo.b_to_pu),
        tap_ratio=np.append(np.ones(n_line), trafo.tap_ratio),
        shift_degree=np.append(zero, trafo.shift_degree),
        rating_from_ka=np.append(rating_ka, trafo.rating_from_ka),
        rating_to_ka=np.append(rating_ka, trafo.rating_to_ka),
        length_km=np.append(grid.length_m[1:] / 1000.0, np.nan),
        from_closed=closed,
        to_closed=closed,
        in_service=closed,
        type_name=(*grid.type_name[1:], *trafo.type_name),
        name=(*grid.node_name[1:], *trafo.name),
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
        slack_bus=unit.slack_bus,
        slack_vm_pu=unit.slack_vm_pu,
        slack_va_degree=unit.slack_va_degree,
    )


@functools.cache
def _no_switches() -> Switches:
    none = np.zeros(0, dtype=np.int64)
    return Switches(switch_id=none, branch=none, at_to_end=none, closed=none, breaker=none, remote=none, name=())


@functools.cache
def _conductor_ohm_per_km() -> dict[str, complex]:
    """Impedance of the positive sequence by type, warm. [ohm/km]"""
    frame = conductors()
    per_k = np.where(frame["material"] == "Cu", COPPER_PER_K, ALUMINIUM_PER_K)
    r = frame["r_ohm_per_km"].to_numpy(float) * (1.0 + per_k * (CONDUCTOR_TEMPERATURE_C - 20.0))
    z = r + 1j * frame["x_ohm_per_km"].to_numpy(float)
    return dict(zip(frame.index, z.tolist(), strict=True))


@functools.cache
def _conductor_ka() -> dict[str, float]:
    frame = conductors()
    return dict(zip(frame.index, frame["max_i_ka"].tolist(), strict=True))
