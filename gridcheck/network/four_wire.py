r"""The four-wire network record: a balanced network, its zero sequence, its neutral and where that is earthed.

Voltages are phase to neutral, so a line needs three impedances besides its positive sequence z: with self and
mutual impedances of the phases (s, m), of the neutral (n), and between a phase and the neutral (pn), all with
return through the earth,

.. math::
    z = z_s - z_m, \qquad z_0 = z + 3 (z_m - 2 z_{pn} + z_n), \qquad z_n, \qquad z_{pn}

where :math:`z_0` is the impedance of the loop of three phases and the neutral. Data in sequence components know no
more than z and :math:`z_0`; with :math:`z_m = z_{pn} = 0` and :math:`z_n = (z_0 - z) / 3` they give exact
phase-to-neutral voltages as long as the neutral is earthed at one point, its transformer.

References
----------
.. [1] W. H. Kersting, *Distribution System Modeling and Analysis*, 4th edition, 2017, chapter 4.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.errors import NetworkError
from gridcheck.network.records import BranchKind, Network

ComplexArray = npt.NDArray[np.complex128]

_BY_BRANCH = (
    "r0_pu", "x0_pu", "g0_from_pu", "b0_from_pu", "g0_to_pu", "b0_to_pu", "zero_ratio", "r_neutral_pu",
    "x_neutral_pu", "r_phase_neutral_pu", "x_phase_neutral_pu",
)  # fmt: skip
_BY_BUS = ("g0_pu", "b0_pu", "neutral_earth_ohm")
_BY_SOURCE = ("r2_source_pu", "x2_source_pu", "r0_source_pu", "x0_source_pu")


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class FourWireNetwork:
    """A network with a load flow by phase.

    Attributes
    ----------
    balanced : Network
        Buses, branches, sources, and all that concerns the positive sequence. The negative sequence has the same
        impedances.
    r0_pu, x0_pu : ndarray, shape (n_branch,)
        Series impedance of the zero sequence: of lines that of the loop of three phases and neutral (or earth,
        where there is none), of transformers behind the ratio. [pu]
    g0_from_pu, b0_from_pu, g0_to_pu, b0_to_pu : ndarray, shape (n_branch,)
        Shunt admittance of the zero sequence at either end, as in `Branches`. [pu]
    zero_ratio : ndarray, shape (n_branch,)
        1 where the zero sequence passes, 0 where it ends at the winding of the `to` side, -1 where it passes turned.
    r_neutral_pu, x_neutral_pu : ndarray, shape (n_branch,)
        Self impedance of the neutral with return through the earth. [pu]
    r_phase_neutral_pu, x_phase_neutral_pu : ndarray, shape (n_branch,)
        Mutual impedance between a phase and the neutral. [pu]
    has_neutral : ndarray of bool, shape (n_bus,)
        True at four-wire buses. At the others the voltages are phase to earth, and zero-sequence currents flow back
        through the earth.
    neutral_earth_ohm : ndarray, shape (n_bus,)
        Resistance between neutral and remote earth, infinite where it is not earthed. Where it is earthed nowhere,
        the star point is the reference. [ohm]
    g0_pu, b0_pu : ndarray, shape (n_bus,)
        Shunt admittance of the zero sequence at the bus, as in `Buses`. [pu]
    r2_source_pu, x2_source_pu, r0_source_pu, x0_source_pu : ndarray, shape (n_slack,)
        Impedances of the negative and zero sequence behind which the sources stand. [pu]
    """

    balanced: Network
    r0_pu: FloatArray
    x0_pu: FloatArray
    g0_from_pu: FloatArray
    b0_from_pu: FloatArray
    g0_to_pu: FloatArray
    b0_to_pu: FloatArray
    zero_ratio: FloatArray
    r_neutral_pu: FloatArray
    x_neutral_pu: FloatArray
    r_phase_neutral_pu: FloatArray
    x_phase_neutral_pu: FloatArray
    has_neutral: BoolArray
    neutral_earth_ohm: FloatArray
    g0_pu: FloatArray
    b0_pu: FloatArray
    r2_source_pu: FloatArray
    x2_source_pu: FloatArray
    r0_source_pu: FloatArray
    x0_source_pu: FloatArray

    def __post_init__(self) -> None:
        sizes = ((_BY_BRANCH, self.n_branch), (_BY_BUS, self.n_bus), (_BY_SOURCE, len(self.balanced.slack_bus)))
        for fields, size in sizes:
            for field in fields:
                object.__setattr__(self, field, frozen(getattr(self, field), np.float64, (size,), name=field))
        has_neutral = frozen(self.has_neutral, np.bool_, (self.n_bus,), name="has_neutral")
        object.__setattr__(self, "has_neutral", has_neutral)
        wrong = np.flatnonzero(~(self.neutral_earth_ohm > 0))
        if len(wrong):
            raise NetworkError(
                "neutral_earth_ohm must be greater than 0, and infinite where the neutral is not earthed.",
                [f"bus {self.bus_id[i]}: {self.neutral_earth_ohm[i]}" for i in wrong[:20]],
            )

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.balanced.name

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return self.balanced.n_bus

    @property
    def n_branch(self) -> int:
        """Number of branches."""
        return self.balanced.n_branch

    @property
    def bus_id(self) -> IntArray:
        """The user's bus ids in the order of every bus axis."""
        return self.balanced.bus_id


def with_neutral_earthing(
    network: FourWireNetwork, bus_id: npt.ArrayLike, resistance_ohm: npt.ArrayLike
) -> FourWireNetwork:
    """Return a network whose neutral is earthed at some buses, for example at poles and service entrances.

    Parameters
    ----------
    network : FourWireNetwork
        The network; earthing at other buses stays as it is.
    bus_id : array_like of int, shape (n,)
        Four-wire buses.
    resistance_ohm : array_like, shape (n,) or scalar
        Resistance to remote earth, greater than 0; infinite takes an earthing away. [ohm]

    Returns
    -------
    FourWireNetwork

    Raises
    ------
    NetworkError
        Unknown buses, buses without a neutral, impossible resistances.
    """
    ids = np.atleast_1d(np.asarray(bus_id, dtype=np.int64))
    place = {int(i): k for k, i in enumerate(network.bus_id)}
    findings = [f"bus {i}: is not in the network" for i in ids if int(i) not in place]
    findings += [f"bus {i}: has no neutral" for i in ids if int(i) in place and not network.has_neutral[place[int(i)]]]
    if findings:
        raise NetworkError(f"{network.name}: the neutral cannot be earthed there.", findings[:20])
    resistance = network.neutral_earth_ohm.copy()
    resistance[[place[int(i)] for i in ids]] = resistance_ohm
    return dataclasses.replace(network, neutral_earth_ohm=resistance)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConductorImpedances:
    """Impedances of four-wire lines with return through the earth, phases transposed.

    Attributes
    ----------
    line_id : ndarray of int, shape (n,)
        The lines, parallel systems taken together.
    phase_self, phase_mutual, neutral_self, phase_neutral : ndarray of complex, shape (n,)
        Self impedance of a phase, mutual between two phases, self of the neutral, mutual between a phase and the
        neutral. [ohm/km]
    """

    line_id: IntArray
    phase_self: ComplexArray
    phase_mutual: ComplexArray
    neutral_self: ComplexArray
    phase_neutral: ComplexArray

    def __post_init__(self) -> None:
        n = len(self.line_id)
        object.__setattr__(self, "line_id", frozen(self.line_id, np.int64, (n,), name="line_id"))
        for field in ("phase_self", "phase_mutual", "neutral_self", "phase_neutral"):
            object.__setattr__(self, field, frozen(getattr(self, field), np.complex128, (n,), name=field))


def with_conductors(network: FourWireNetwork, conductors: ConductorImpedances) -> FourWireNetwork:
    """Return a network in which some lines have impedances from conductor data instead of sequence data.

    Parameters
    ----------
    network : FourWireNetwork
        The network; other lines stay as they are.
    conductors : ConductorImpedances
        Impedances by line.

    Returns
    -------
    FourWireNetwork

    Raises
    ------
    NetworkError
        Unknown lines, lines without a neutral, impedances that are not finite or of no passive line.
    """
    branches = network.balanced.branches
    is_line = branches.kind == BranchKind.LINE
    place = {int(branches.branch_id[k]): int(k) for k in np.flatnonzero(is_line)}
    findings = [f"line {i}: is not in the network" for i in conductors.line_id if int(i) not in place]
    if findings:
        raise NetworkError(f"{network.name}: conductors of unknown lines.", findings[:20])
    k = np.array([place[int(i)] for i in conductors.line_id], dtype=np.int64)
    z = conductors.phase_self - conductors.phase_mutual
    loop = z + 3.0 * (conductors.phase_mutual - 2.0 * conductors.phase_neutral + conductors.neutral_self)
    alone = ~network.has_neutral[branches.to_bus[k]]
    odd = ~(np.isfinite(z) & np.isfinite(loop) & (z.real >= 0) & (loop.real >= 0) & (conductors.neutral_self.real >= 0))
    odd |= (z == 0) | (loop == 0)
    findings = [f"line {branches.branch_id[i]}: has no neutral" for i in k[alone]]
    findings += [f"line {branches.branch_id[i]}: impedances of no passive line" for i in k[odd]]
    if findings:
        raise NetworkError(f"{network.name}: impossible conductors.", findings[:20])
    length, vn_kv = branches.length_km[k], network.balanced.buses.vn_kv[branches.from_bus[k]]
    per_km = length * network.balanced.sn_mva / vn_kv**2

    def placed(values: FloatArray, old: FloatArray) -> FloatArray:
        new = old.copy()
        new[k] = values * per_km
        return new

    lines = dataclasses.replace(branches, r_pu=placed(z.real, branches.r_pu), x_pu=placed(z.imag, branches.x_pu))
    mutual, own = conductors.phase_neutral, conductors.neutral_self
    return dataclasses.replace(
        network,
        balanced=dataclasses.replace(network.balanced, branches=lines),
        r0_pu=placed(loop.real, network.r0_pu),
        x0_pu=placed(loop.imag, network.x0_pu),
        r_neutral_pu=placed(own.real, network.r_neutral_pu),
        x_neutral_pu=placed(own.imag, network.x_neutral_pu),
        r_phase_neutral_pu=placed(mutual.real, network.r_phase_neutral_pu),
        x_phase_neutral_pu=placed(mutual.imag, network.x_phase_neutral_pu),
    )
