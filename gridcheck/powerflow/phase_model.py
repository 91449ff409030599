"""A radial four-wire network made ready for the sweep: impedances, turns, the neutral eliminated, weights."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, Float32Array, FloatArray, IntArray
from gridcheck.errors import UnsupportedElementError
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.records import BranchKind
from gridcheck.powerflow import _kernels
from gridcheck.powerflow.radial import RadialModel, radial_model

ComplexArray = npt.NDArray[np.complex128]

_A = np.exp(2j * np.pi / 3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseModel:
    """What the kernel `sweep_phases` needs of a radial network; node i is the i-th supplied bus, depth first.

    Attributes
    ----------
    radial : RadialModel
        Tree and positive sequence.
    depth, n_child, kind, special, turn, source, z, shunt, shunt_row, neutral_node, neutral_up, neutral, weight
        As the kernel takes them. [pu]
    no_load : ndarray of complex, shape (n_node, 3)
        Voltages without load. [pu]
    turn_row : ndarray of int, shape (n_node,)
        Transformer above each node, -1 for none.
    end_row : ndarray of int, shape (n_node,)
        Row of `near_y` and `far_y` for the branch above each node, -1 where it has no shunts.
    near_y, far_y : ndarray, shape (n_end, 4)
        Shunts of the branch at its ends: y real and imaginary, then y^h. [pu]
    earth_g_pu : ndarray, shape (n_node,)
        Conductance from the neutral to earth. [pu]
    has_neutral : ndarray of bool, shape (n_node,)
        Four-wire nodes.
    """

    radial: RadialModel
    depth: IntArray
    n_child: IntArray
    kind: IntArray
    special: IntArray
    turn: FloatArray
    source: FloatArray
    z: FloatArray
    shunt: FloatArray
    shunt_row: IntArray
    neutral_node: IntArray
    neutral_up: IntArray
    neutral: FloatArray
    weight: FloatArray
    no_load: ComplexArray
    turn_row: IntArray
    end_row: IntArray
    near_y: FloatArray
    far_y: FloatArray
    earth_g_pu: FloatArray
    has_neutral: BoolArray

    @property
    def n_node(self) -> int:
        """Number of supplied buses."""
        return self.radial.n_node

    @property
    def fine(self) -> tuple[FloatArray, ...]:
        """What the kernel computes with in double precision."""
        return self.turn, self.source, self.z, self.neutral, self.weight, self.shunt

    @property
    def rough(self) -> tuple[Float32Array, ...]:
        """The same in single precision."""
        return tuple(value.astype(np.float32) for value in self.fine)


# A network never changes, so what follows from it alone is kept for as long as it lives.
_KNOWN: WeakKeyDictionary[FourWireNetwork, PhaseModel] = WeakKeyDictionary()


def known_phase_model(network: FourWireNetwork) -> PhaseModel:
    """Return `phase_model`, made once for each network."""
    found = _KNOWN.get(network)
    if found is None:
        found = _KNOWN[network] = phase_model(network)
    return found


def phase_model(network: FourWireNetwork) -> PhaseModel:
    """Prepare a radial four-wire network for the sweep.

    Raises
    ------
    TopologyError
        If a loop is closed.
    UnsupportedElementError
        If a transformer is fed from its low-voltage side.
    """
    radial = radial_model(network.balanced)
    parent = radial.parent
    kind = _kinds(network, radial)
    is_trafo, is_source = kind == _kernels.TRAFO, kind == _kernels.SOURCE
    above = _Above(network, radial)
    special = np.full(radial.n_node, -1, dtype=np.int64)
    special[is_trafo], special[is_source] = np.arange(is_trafo.sum()), np.arange(is_source.sum())
    turn = _turns(network, radial, np.flatnonzero(is_trafo))
    source = _sources(network, radial.bus[is_source])
    z1: ComplexArray = np.where(is_source, 0.0, radial.r_pu + 1j * radial.x_pu)
    z0: ComplexArray = np.where(is_source, 0.0, above.series(network.r0_pu, network.x0_pu))
    zh: ComplexArray = (z0 - z1) / 3.0
    near1, far1 = radial.near_g_pu + 1j * radial.near_b_pu, radial.far_g_pu + 1j * radial.far_b_pu
    near0, far0 = above.ends(network)
    y1, y0 = radial.g_pu + 1j * radial.b_pu, (network.g0_pu + 1j * network.b0_pu)[radial.bus] + far0
    np.add.at(y0, parent[~is_source], near0[~is_source])
    shunt_row, (shunt,) = _rows_of((y1, y0))
    end_row, (near_y, far_y) = _rows_of((near1, near0), (far1, far0))
    weight = _weights(parent, kind, special, turn, source, z1, zh)
    neutral_up, neutral, earth_g = _neutral(network, radial, above, kind)
    has_neutral = network.has_neutral[radial.bus]
    # The earth current changes phase voltages only where there is one.
    couples = (neutral_up >= 0) & ((neutral[:, 0] != 0) | (neutral[:, 1] != 0)) & ((neutral[:, 4:6] != 0).any(axis=1))
    kind[couples] = _kernels.EARTHED
    return PhaseModel(
        radial=radial, depth=_depths(parent),
        n_child=np.bincount(parent[parent >= 0], minlength=len(parent)).astype(np.int64), kind=kind,
        special=special, turn=turn,
        source=source, z=np.stack([z1.real, z1.imag, zh.real, zh.imag], axis=1), shunt=shunt,
        shunt_row=shunt_row, neutral_node=np.flatnonzero(has_neutral), neutral_up=neutral_up, neutral=neutral,
        weight=weight, no_load=_no_load(parent, kind, special, turn, source),
        turn_row=np.where(is_trafo, special, -1), end_row=end_row, near_y=near_y, far_y=far_y,
        earth_g_pu=earth_g, has_neutral=has_neutral,
    )  # fmt: skip


class _Above:
    """Values of the branch above each node, seen from the parent; 0 at sources."""

    def __init__(self, network: FourWireNetwork, radial: RadialModel) -> None:
        branches = network.balanced.branches
        self.has = radial.branch >= 0
        self.k = np.where(self.has, radial.branch, 0)
        parent_bus = np.where(self.has, radial.bus[np.maximum(radial.parent, 0)], -1)
        self.down = self.has & (branches.from_bus[self.k] == parent_bus) if len(branches.from_bus) else self.has
        self.ratio = branches.tap_ratio[self.k] if len(branches.from_bus) else np.ones(len(self.k))

    def series(self, r_pu: FloatArray, x_pu: FloatArray) -> ComplexArray:
        """Series impedances in the frame of the node."""
        if not len(r_pu):
            return np.zeros(len(self.k), dtype=np.complex128)
        result: ComplexArray = np.where(self.has, r_pu[self.k] + 1j * x_pu[self.k], 0.0)
        return result

    def ends(self, network: FourWireNetwork) -> tuple[ComplexArray, ComplexArray]:
        """Zero-sequence shunts at the parent's and at the node's end."""
        if not network.n_branch:
            return np.zeros(len(self.k), dtype=np.complex128), np.zeros(len(self.k), dtype=np.complex128)
        at_from = (network.g0_from_pu + 1j * network.b0_from_pu)[self.k] / self.ratio**2
        at_to = (network.g0_to_pu + 1j * network.b0_to_pu)[self.k]
        near, far = np.where(self.down, at_from, at_to), np.where(self.down, at_to, at_from)
        return np.where(self.has, near, 0.0), np.where(self.has, far, 0.0)


def _kinds(network: FourWireNetwork, radial: RadialModel) -> IntArray:
    branches = network.balanced.branches
    kind = np.full(radial.n_node, _kernels.LINE, dtype=np.int64)
    kind[radial.parent < 0] = _kernels.SOURCE
    node = np.flatnonzero(radial.branch >= 0)
    node = node[branches.kind[radial.branch[node]] == BranchKind.TRAFO]
    kind[node] = _kernels.TRAFO
    k = radial.branch[node]
    backwards = k[branches.from_bus[k] != radial.bus[radial.parent[node]]]
    if len(backwards):
        raise UnsupportedElementError(
            f"{network.name}: transformers fed from their low-voltage side are not modelled by phase.",
            [f"trafo {branches.name[i] or branches.branch_id[i]}" for i in backwards[:20]],
        )
    return kind


def _turns(network: FourWireNetwork, radial: RadialModel, node: IntArray) -> FloatArray:
    """First rows of a T: e^{-j shift} for the positive, its conjugate for the negative, and the zero ratio."""
    k = radial.branch[node]
    shift = np.deg2rad(network.balanced.branches.shift_degree[k])
    zero = network.zero_ratio[k]
    rows = [(zero + 2.0 * np.cos(angle - shift)) / 3.0 for angle in np.deg2rad([0.0, 120.0, 240.0])]
    result: FloatArray = np.stack(rows, axis=1) * radial.ratio[node][:, None]
    return result


def _sources(network: FourWireNetwork, bus: IntArray) -> FloatArray:
    """E and the first row of the circulant Z of the source at each bus; several at one bus act in parallel."""
    given = network.balanced
    rows = np.zeros((len(bus), 12))
    for n, place in enumerate(bus):
        at = np.flatnonzero(given.slack_bus == place)
        e = given.slack_vm_pu[at[0]] * np.exp(1j * np.deg2rad(given.slack_va_degree[at[0]]))
        z2 = _parallel(network.r2_source_pu[at] + 1j * network.x2_source_pu[at])
        z0 = _parallel(network.r0_source_pu[at] + 1j * network.x0_source_pu[at])
        phases = e * np.array([1.0, _A**2, _A])
        first = np.array([z0 + z2, z0 + _A**2 * z2, z0 + _A * z2]) / 3.0
        rows[n] = np.concatenate([phases.real, phases.imag, first.real, first.imag])
    return rows


def _parallel(z: ComplexArray) -> complex:
    return 0j if (z == 0).any() else complex(1.0 / (1.0 / z).sum())


def _rows_of(*pairs: tuple[ComplexArray, ComplexArray]) -> tuple[IntArray, list[FloatArray]]:
    """Return row numbers of the nodes at which some admittance is not zero, and their y and y^h."""
    used = np.any([(y1 != 0) | (y0 != 0) for y1, y0 in pairs], axis=0)
    row = np.where(used, np.cumsum(used) - 1, -1)
    tables = []
    for y1, y0 in pairs:
        yh = (y0 - y1) / 3.0
        tables.append(np.ascontiguousarray(np.stack([y1.real, y1.imag, yh.real, yh.imag], axis=1)[used]))
    return row.astype(np.int64), tables


def _weights(
    parent: IntArray, kind: IntArray, special: IntArray, turn: FloatArray, source: FloatArray, z1: ComplexArray,
    zh: ComplexArray,
) -> FloatArray:  # fmt: skip
    """Return zeta of equation (7), passed from parent to child."""
    weight = np.zeros(len(parent))
    for i, up in enumerate(parent.tolist()):
        if kind[i] == _kernels.SOURCE:
            weight[i] = np.hypot(source[special[i], 6:9], source[special[i], 9:12]).sum()
            continue
        weight[i] = weight[up]
        if kind[i] == _kernels.TRAFO:
            weight[i] *= np.abs(turn[special[i]]).sum() ** 2
        weight[i] += abs(z1[i]) + abs(zh[i])
    return weight


def _no_load(parent: IntArray, kind: IntArray, special: IntArray, turn: FloatArray, source: FloatArray) -> ComplexArray:
    """Pass the voltages of the sources down the tree, shape (n_node, 3)."""
    v = np.zeros((len(parent), 3), dtype=np.complex128)
    for i, up in enumerate(parent.tolist()):
        if kind[i] == _kernels.SOURCE:
            v[i] = source[special[i], :3] + 1j * source[special[i], 3:6]
        elif kind[i] == _kernels.TRAFO:
            m0, m1, m2 = turn[special[i]]
            v[i] = np.array([[m0, m1, m2], [m2, m0, m1], [m1, m2, m0]]) @ v[up]
        else:
            v[i] = v[up]
    return v


def _depths(parent: IntArray) -> IntArray:
    """Count the branches between each node and its source."""
    depth = np.zeros(len(parent), dtype=np.int64)
    for i, up in enumerate(parent.tolist()):
        if up >= 0:
            depth[i] = depth[up] + 1
    return depth


def _neutral(
    network: FourWireNetwork, radial: RadialModel, above: _Above, kind: IntArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Eliminate the neutral from its ends to the star points: equation (6) of the kernel."""
    balanced, bus, parent = network.balanced, radial.bus, radial.parent
    has_neutral = network.has_neutral[bus]
    joined = has_neutral & (kind == _kernels.LINE)
    up = np.where(joined, parent, -1)
    z_n = above.series(network.r_neutral_pu, network.x_neutral_pu)
    z_e = z_n - above.series(network.r_phase_neutral_pu, network.x_phase_neutral_pu)
    with np.errstate(divide="ignore"):
        earth_g = np.where(
            has_neutral, balanced.buses.vn_kv[bus] ** 2 / balanced.sn_mva / network.neutral_earth_ohm[bus], 0.0
        )
    y = earth_g.astype(np.complex128)
    table = np.zeros((len(bus), 4), dtype=np.complex128)
    # An earthing at the star point alone carries no current: nothing is earthed below.
    for i in range(len(bus) - 1, -1, -1):
        if up[i] >= 0:
            beta = 1.0 / (1.0 + z_n[i] * y[i])
            table[i] = y[i] * beta, beta, z_e[i], z_n[i]
            y[up[i]] += y[i] * beta
        elif has_neutral[i]:
            table[i, 1] = -1.0 / y[i] if y[i] != 0 else 0.0
    columns = np.stack([table.real, table.imag], axis=2).reshape(len(bus), 8)
    return up.astype(np.int64), np.ascontiguousarray(columns), earth_g
