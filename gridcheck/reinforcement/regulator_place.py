"""Where a voltage regulator in the low-voltage lines of an area helps most, and by how much it can raise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.network.low_voltage import THREE_PHASE, LowVoltageGrid, line_ohm_per_km

_PHASES = 3
_ANGLES = np.exp(-2j * np.pi / 3 * np.arange(_PHASES))
# Drops are below a fifth, so every round leaves less than a fifth of the error.
_ROUNDS = 8
# A regulator that raises the lowest voltage by less is left out. [1]
_WORTH = 0.01

ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulatorKind:
    """What can be bought.

    Attributes
    ----------
    range, step : float
        By how much it raises the voltage at most, and in what steps. [1]
    setpoint_v : float
        Highest voltage at any meter behind it, phase to neutral. [V]
    rated_ka : float
        Rated current at its output. [kA]
    """

    range: float
    step: float
    setpoint_v: float
    rated_ka: float

    def boost(self, highest_v: float) -> float:
        """Return by how much it raises what is so high without it, in whole steps; 0 where it cannot. [1]"""
        most = min(self.range, self.setpoint_v / highest_v - 1.0)
        return max(0.0, round(int(most / self.step + 1e-9) * self.step, 6)) if most > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulatorPlace:
    """A place for a regulator.

    Attributes
    ----------
    node : int
        Node below the line at whose beginning it stands.
    boost : float
        By how much it raises. [1]
    low_before_v, low_after_v : float
        Lowest voltage at any meter of the area without and with it. [V]
    """

    node: int
    boost: float
    low_before_v: float
    low_after_v: float


def best_place(
    grid: LowVoltageGrid, home_kw: FloatArray, tan_phi: float, busbar_v: float, kind: RegulatorKind
) -> RegulatorPlace | None:
    """Find the line on the way to the lowest voltage in which a regulator raises the lowest voltage most.

    Parameters
    ----------
    grid : LowVoltageGrid
        The area. Homes on unknown phases count as on one phase after the other.
    home_kw : ndarray, shape (n_home,)
        What each home draws under heavy load. [kW]
    tan_phi : float
        Reactive over active power. [1]
    busbar_v : float
        Voltage of the busbar, phase to neutral, alike in all phases. [V]
    kind : RegulatorKind
        What can be bought.

    Returns
    -------
    RegulatorPlace or None
        None where the lowest voltage would rise by less than 1 %: lines carry more than a regulator can, meters behind
        them are too high already, or other lines are as low. Of places alike the first from the busbar.
    """
    power, somebody = _power_w(grid, home_kw, tan_phi)
    if not somebody.any() or grid.n_node < 2:
        return None
    volts, amps = _solved(grid, power, busbar_v)
    size = np.abs(volts)
    at_meters = np.where(somebody, size, np.inf)
    lowest_v = float(at_meters.min())
    best = None
    for node in reversed(_way(grid, int(at_meters.min(axis=1).argmin()))):
        behind = _behind(grid, node)[:, None]
        # A phase on which nobody hangs may be as high as it wants.
        boost = kind.boost(float(np.where(behind & somebody, size, 0.0).max()))
        if boost < kind.step or np.abs(amps[node]).max() / 1000.0 > kind.rated_ka:
            continue
        after_v = float(np.where(behind, at_meters * (1.0 + boost), at_meters).min())
        if after_v > (lowest_v * (1.0 + _WORTH) if best is None else best.low_after_v):
            best = RegulatorPlace(node=node, boost=boost, low_before_v=lowest_v, low_after_v=after_v)
    return best


def _power_w(grid: LowVoltageGrid, home_kw: FloatArray, tan_phi: float) -> tuple[ComplexArray, BoolArray]:
    """Return what is drawn from each phase of each node, and where meters hang, shape (n_node, 3) each. [W]"""
    unknown = grid.home_phase < 0
    phase = np.where(unknown, np.arange(grid.n_home) % _PHASES, grid.home_phase)
    share = (phase[:, None] == np.arange(_PHASES)) + (phase[:, None] == THREE_PHASE) / _PHASES
    power = np.zeros((grid.n_node, _PHASES))
    np.add.at(power, grid.home_node, share * home_kw[:, None] * 1000.0)
    somebody: BoolArray = np.zeros((grid.n_node, _PHASES), dtype=bool)
    np.logical_or.at(somebody, grid.home_node, share > 0.0)
    drawn: ComplexArray = np.asarray(power * complex(1.0, tan_phi), dtype=np.complex128)
    return drawn, somebody


def _solved(grid: LowVoltageGrid, power_w: ComplexArray, busbar_v: float) -> tuple[ComplexArray, ComplexArray]:
    """Return voltages phase to neutral of all nodes, and currents of the lines above them. [V], [A]"""
    z = np.array([0j, *(line_ohm_per_km(name) for name in grid.type_name[1:])]) * grid.length_m / 1000.0
    volts = np.broadcast_to(busbar_v * _ANGLES, power_w.shape).copy()
    amps = np.zeros_like(power_w)
    for _ in range(_ROUNDS):
        amps = np.conj(power_w / volts)
        for node in range(grid.n_node - 1, 0, -1):
            amps[grid.parent[node]] += amps[node]
        for node in range(1, grid.n_node):
            # Four equal wires: the sum of the phases flows back through the neutral.
            volts[node] = volts[grid.parent[node]] - z[node] * (amps[node] + amps[node].sum())
    return volts, amps


def _way(grid: LowVoltageGrid, node: int) -> list[int]:
    """Return the nodes from one up to the one below the busbar."""
    way = []
    while node > 0:
        way.append(node)
        node = int(grid.parent[node])
    return way


def _behind(grid: LowVoltageGrid, node: int) -> BoolArray:
    """Mark a node and what is supplied through it, shape (n_node,)."""
    behind = np.zeros(grid.n_node, dtype=bool)
    behind[node] = True
    for k in range(node + 1, grid.n_node):
        behind[k] = behind[grid.parent[k]]
    return behind
