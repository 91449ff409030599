"""Load cases: what demand hands to power flow.

A *case* is one operating point. Position i on the bus axis is the bus at position i of the network's
``buses.bus_id``. Consumption is positive, generation negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray, frozen
from gridcheck.errors import InputError


def _durations(duration_h: FloatArray | None, n_case: int) -> FloatArray:
    given = np.ones(n_case) if duration_h is None else duration_h
    result: FloatArray = frozen(given, np.float64, (n_case,), name="duration_h")
    if not np.isfinite(result).all() or (result <= 0).any():
        raise InputError("duration_h must be positive and finite for every case.")
    return result


def _require_finite(value: FloatArray, name: str) -> None:
    bad = np.argwhere(~np.isfinite(value))
    if bad.size:
        places = [
            f"{name} at (case, column) {tuple(int(i) for i in place)} is {value[tuple(place)]}" for place in bad[:10]
        ]
        raise InputError(f"{name} must be finite: {len(bad)} values are not.", places)


def _drawing(p_mw: FloatArray, q_mvar: FloatArray) -> BoolArray:
    """Tell where anything is drawn in any case."""
    value: BoolArray = frozen((p_mw != 0).any(axis=0) | (q_mvar != 0).any(axis=0), np.bool_, p_mw.shape[1:])
    return value


_SHARES = ("z_share", "i_share", "z_share_q", "i_share_q")


def _set_shares(loads: LoadCases | FactoredLoads, n_bus: int) -> None:
    """Check the shares of a record and fill in those that were not given."""
    for name, otherwise in zip(_SHARES, (None, None, "z_share", "i_share"), strict=True):
        given = getattr(loads, name)
        if given is None:
            given = np.zeros(n_bus) if otherwise is None else getattr(loads, otherwise)
        value = frozen(np.broadcast_to(np.asarray(given, dtype=np.float64), (n_bus,)), np.float64, (n_bus,), name=name)
        _require_finite(value, name)
        object.__setattr__(loads, name, value)


def shares_of(loads: LoadCases | FactoredLoads) -> FloatArray:
    """Return the shares of all buses: z and i of the active, z and i of the reactive power; shape (n_bus, 4)."""
    return np.stack([getattr(loads, name) for name in _SHARES], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadCases:
    """Three-phase loads of every bus in every case.

    A load follows the voltage v (in pu of the bus) as :math:`P (s_z v^2 + s_i v + 1 - s_z - s_i)`.

    Attributes
    ----------
    p_mw, q_mvar : ndarray, shape (n_case, n_bus)
        Active and reactive power drawn at nominal voltage, consumption positive. [MW], [Mvar]
    duration_h : ndarray, shape (n_case,)
        Hours that each case stands for; 1 where not given. [h]
    z_share, i_share : ndarray, shape (n_bus,)
        Shares that draw as a constant impedance, and as a constant current; 0 where not given. [1]
    z_share_q, i_share_q : ndarray, shape (n_bus,)
        The same for the reactive power; as for the active power where not given. [1]
    is_loaded : ndarray of bool, shape (n_bus,)
        Buses that draw or feed in anything in any case; follows from the others.
    """

    p_mw: FloatArray
    q_mvar: FloatArray
    duration_h: FloatArray = None  # type: ignore[assignment]
    z_share: FloatArray = None  # type: ignore[assignment]
    i_share: FloatArray = None  # type: ignore[assignment]
    z_share_q: FloatArray = None  # type: ignore[assignment]
    i_share_q: FloatArray = None  # type: ignore[assignment]
    is_loaded: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        p_mw = frozen(self.p_mw, np.float64, (None, None), name="p_mw")
        q_mvar = frozen(self.q_mvar, np.float64, p_mw.shape, name="q_mvar")
        _require_finite(p_mw, "p_mw")
        _require_finite(q_mvar, "q_mvar")
        object.__setattr__(self, "p_mw", p_mw)
        object.__setattr__(self, "q_mvar", q_mvar)
        object.__setattr__(self, "duration_h", _durations(self.duration_h, p_mw.shape[0]))
        object.__setattr__(self, "is_loaded", _drawing(p_mw, q_mvar))
        _set_shares(self, p_mw.shape[1])

    @property
    def n_case(self) -> int:
        """Number of cases."""
        return int(self.p_mw.shape[0])

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return int(self.p_mw.shape[1])

    @property
    def depends_on_voltage(self) -> bool:
        """True where some load is not of constant power."""
        return any(np.count_nonzero(getattr(self, name)) > 0 for name in _SHARES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactoredLoads:
    r"""Loads as weights of buses times profiles of classes, so that cases x buses is never stored.

    .. math:: P_{t,b} = \sum_k w_{b,k}\, f_{t,k}, \qquad Q_{t,b} = \sum_k u_{b,k}\, f_{t,k}

    Attributes
    ----------
    p_weight_mw, q_weight_mvar : ndarray, shape (n_bus, n_class)
        Power of each class at each bus at profile value 1. [MW], [Mvar]
    profile : ndarray, shape (n_case, n_class)
        Course of each class. [1]
    duration_h : ndarray, shape (n_case,)
        Hours that each case stands for; 1 where not given. [h]
    z_share, i_share : ndarray, shape (n_bus,)
        Shares that draw as a constant impedance, and as a constant current; 0 where not given. [1]
    z_share_q, i_share_q : ndarray, shape (n_bus,)
        The same for the reactive power; as for the active power where not given. [1]
    """

    p_weight_mw: FloatArray
    q_weight_mvar: FloatArray
    profile: FloatArray
    duration_h: FloatArray = None  # type: ignore[assignment]
    z_share: FloatArray = None  # type: ignore[assignment]
    i_share: FloatArray = None  # type: ignore[assignment]
    z_share_q: FloatArray = None  # type: ignore[assignment]
    i_share_q: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        p_weight = frozen(self.p_weight_mw, np.float64, (None, None), name="p_weight_mw")
        q_weight = frozen(self.q_weight_mvar, np.float64, p_weight.shape, name="q_weight_mvar")
        profile = frozen(self.profile, np.float64, (None, p_weight.shape[1]), name="profile")
        for name, value in (("p_weight_mw", p_weight), ("q_weight_mvar", q_weight), ("profile", profile)):
            _require_finite(value, name)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "duration_h", _durations(self.duration_h, profile.shape[0]))
        _set_shares(self, p_weight.shape[0])

    @property
    def n_case(self) -> int:
        """Number of cases."""
        return int(self.profile.shape[0])

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return int(self.p_weight_mw.shape[0])

    def cases(self, first: int = 0, last: int | None = None) -> LoadCases:
        """Return the cases ``first`` to ``last`` (exclusive) written out as `LoadCases`."""
        rows = self.profile[first:last]
        return LoadCases(
            p_mw=rows @ self.p_weight_mw.T,
            q_mvar=rows @ self.q_weight_mvar.T,
            duration_h=self.duration_h[first:last],
            **{name: getattr(self, name) for name in _SHARES},
        )

    @property
    def depends_on_voltage(self) -> bool:
        """True where some load is not of constant power."""
        return any(np.count_nonzero(getattr(self, name)) > 0 for name in _SHARES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseLoadCases:
    """Loads by phase of every bus in every case.

    Attributes
    ----------
    p_mw, q_mvar : ndarray, shape (n_case, n_bus, 3)
        Active and reactive power drawn between each phase a, b, c and the neutral, consumption positive. [MW], [Mvar]
    duration_h : ndarray, shape (n_case,)
        Hours that each case stands for; 1 where not given. [h]
    is_loaded : ndarray of bool, shape (n_bus, 3)
        Phases of buses that draw or feed in anything in any case; follows from the others.
    """

    p_mw: FloatArray
    q_mvar: FloatArray
    duration_h: FloatArray = None  # type: ignore[assignment]
    is_loaded: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        p_mw = frozen(self.p_mw, np.float64, (None, None, 3), name="p_mw")
        q_mvar = frozen(self.q_mvar, np.float64, p_mw.shape, name="q_mvar")
        _require_finite(p_mw, "p_mw")
        _require_finite(q_mvar, "q_mvar")
        object.__setattr__(self, "p_mw", p_mw)
        object.__setattr__(self, "q_mvar", q_mvar)
        object.__setattr__(self, "duration_h", _durations(self.duration_h, p_mw.shape[0]))
        object.__setattr__(self, "is_loaded", _drawing(p_mw, q_mvar))

    @property
    def n_case(self) -> int:
        """Number of cases."""
        return int(self.p_mw.shape[0])

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return int(self.p_mw.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhaseFactoredLoads:
    r"""Loads by phase as weights times profiles of classes, so that cases x buses is never stored.

    .. math:: P_{t,b,p} = \sum_k w_{b,p,k}\, f_{t,k}, \qquad Q_{t,b,p} = \sum_k u_{b,p,k}\, f_{t,k}

    Attributes
    ----------
    p_weight_mw, q_weight_mvar : ndarray, shape (n_bus, 3, n_class)
        Power of each class at each bus and phase at profile value 1. [MW], [Mvar]
    profile : ndarray, shape (n_case, n_class)
        Course of each class. [1]
    duration_h : ndarray, shape (n_case,)
        Hours that each case stands for; 1 where not given. [h]
    """

    p_weight_mw: FloatArray
    q_weight_mvar: FloatArray
    profile: FloatArray
    duration_h: FloatArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        p_weight = frozen(self.p_weight_mw, np.float64, (None, 3, None), name="p_weight_mw")
        q_weight = frozen(self.q_weight_mvar, np.float64, p_weight.shape, name="q_weight_mvar")
        profile = frozen(self.profile, np.float64, (None, p_weight.shape[2]), name="profile")
        for name, value in (("p_weight_mw", p_weight), ("q_weight_mvar", q_weight), ("profile", profile)):
            _require_finite(value, name)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "duration_h", _durations(self.duration_h, profile.shape[0]))

    @property
    def n_case(self) -> int:
        """Number of cases."""
        return int(self.profile.shape[0])

    @property
    def n_bus(self) -> int:
        """Number of buses."""
        return int(self.p_weight_mw.shape[0])

    def cases(self, first: int = 0, last: int | None = None) -> PhaseLoadCases:
        """Return the cases ``first`` to ``last`` (exclusive) written out as `PhaseLoadCases`."""
        rows = self.profile[first:last]
        return PhaseLoadCases(
            p_mw=np.einsum("tk,bpk->tbp", rows, self.p_weight_mw),
            q_mvar=np.einsum("tk,bpk->tbp", rows, self.q_weight_mvar),
            duration_h=self.duration_h[first:last],
        )
