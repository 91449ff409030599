"""Tap changers that follow a voltage: transformers and line regulators with a band, and what each position does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.errors import InputError, NetworkError
from gridcheck.network.columns import numbers, texts
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.tables import Tables
from gridcheck.network.trafos import trafo_columns

_TABULATED = ("r_pu", "x_pu", "g_from_pu", "b_from_pu", "g_to_pu", "b_to_pu", "tap_ratio")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TapChangers:
    """Transformers whose tap changer keeps a voltage within a band, in discrete steps.

    Attributes
    ----------
    branch : ndarray of int, shape (n_changer,)
        Positions in `Branches`.
    bus : ndarray of int, shape (n_changer,)
        Positions of the buses whose voltage is watched: the low-voltage side.
    vm_lower_pu, vm_upper_pu : ndarray, shape (n_changer,)
        The dead band: outside it the changer moves, one position at a time. [pu]
    first_position, n_position, start : ndarray of int, shape (n_changer,)
        Lowest position, number of positions, and the position to begin with, counted from the lowest.
    r_pu, x_pu, g_from_pu, b_from_pu, g_to_pu, b_to_pu, tap_ratio : ndarray, shape (n_changer, n_most)
        The columns of `Branches` at each position; behind the last position they repeat it.
    """

    branch: IntArray
    bus: IntArray
    vm_lower_pu: FloatArray
    vm_upper_pu: FloatArray
    first_position: IntArray
    n_position: IntArray
    start: IntArray
    r_pu: FloatArray
    x_pu: FloatArray
    g_from_pu: FloatArray
    b_from_pu: FloatArray
    g_to_pu: FloatArray
    b_to_pu: FloatArray
    tap_ratio: FloatArray

    def __post_init__(self) -> None:
        n = len(self.branch)
        for name in ("branch", "bus", "first_position", "n_position", "start"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64, (n,), name=name))
        for name in ("vm_lower_pu", "vm_upper_pu"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n,), name=name))
        for name in _TABULATED:
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n, None), name=name))

    @property
    def n_changer(self) -> int:
        """Number of tap changers."""
        return len(self.branch)


def tap_changers_from_tables(
    tables: Tables, network: Network, bands: Mapping[int, tuple[float, float]], *, source: str = "network"
) -> TapChangers:
    """Return tap changers of transformers that keep the voltage of their low-voltage bus.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables; ``trafo`` with tap_side, tap_min, tap_max, tap_neutral, tap_step_percent and tap_pos.
    network : Network
        Made from the same tables.
    bands : mapping of int to tuple of float
        By pandapower's index of the transformer: lowest and highest voltage. [pu]
    source : str
        What messages call the tables.

    Returns
    -------
    TapChangers
        In the order of `bands`.

    Raises
    ------
    InputError
        A band that is upside down or narrower than one step, so that no position would stay in it.
    NetworkError
        No such transformer, or one without a tap changer.
    """
    trafo = tables.get("trafo", pd.DataFrame())
    unknown = [i for i in bands if i not in trafo.index]
    if unknown:
        raise NetworkError(f"{source}: there is no transformer {unknown[:20]}; table trafo has {len(trafo)} rows.")
    rows = [_positions(trafo.loc[[i]], network, i, source=source) for i in bands]
    n_most = max((len(columns["tap_ratio"]) for columns, _ in rows), default=1)
    faults = [
        f"transformer {i}: {low} to {high} pu; a step moves the voltage by {step:.4f} pu"
        for (i, (low, high)), step in zip(bands.items(), (_widest_step(c) for c, _ in rows), strict=True)
        if not 0.0 < low < high or high - low < step
    ]
    if faults:
        raise InputError(f"{source}: the band of a tap changer must be wider than its step.", faults)
    place = {
        int(branch_id): k
        for k, (branch_id, kind) in enumerate(zip(network.branches.branch_id, network.branches.kind, strict=True))
        if kind == BranchKind.TRAFO
    }
    branch = np.array([place[i] for i in bands], dtype=np.int64)
    columns = {
        name: np.array([np.pad(c[name], (0, n_most - len(c[name])), mode="edge") for c, _ in rows]).reshape(-1, n_most)
        for name in _TABULATED
    }
    return TapChangers(
        branch=branch,
        bus=network.branches.to_bus[branch],
        vm_lower_pu=np.array([low for low, _ in bands.values()]),
        vm_upper_pu=np.array([high for _, high in bands.values()]),
        first_position=np.array([positions[0] for _, positions in rows], dtype=np.int64),
        n_position=np.array([len(c["tap_ratio"]) for c, _ in rows], dtype=np.int64),
        start=np.array([now - first for _, (first, now) in rows], dtype=np.int64),
        **columns,
    )


def _positions(
    trafo: pd.DataFrame, network: Network, index: int, *, source: str
) -> tuple[dict[str, FloatArray], tuple[int, int]]:
    """Return the branch columns of one transformer at each of its positions; its lowest and its present position."""
    low, high, now = (float(numbers(trafo, f"tap_{name}")[0]) for name in ("min", "max", "pos"))
    if texts(trafo, "tap_side")[0] not in ("hv", "lv") or not (low < high and low <= now <= high):
        raise NetworkError(
            f"{source}: transformer {index} has no tap changer: tap_side {trafo['tap_side'].iloc[0]!r}, positions "
            f"{low:g} to {high:g}, now at {now:g}. It needs tap_side hv or lv and tap_min <= tap_pos <= tap_max."
        )
    places = np.arange(round(low), round(high) + 1)
    every = pd.concat([trafo] * len(places), ignore_index=True).assign(tap_pos=places.astype(float))
    bus_position = {int(b): k for k, b in enumerate(network.bus_id)}
    hv, lv = (np.full(len(places), bus_position[int(trafo[side].iloc[0])]) for side in ("hv_bus", "lv_bus"))
    columns = trafo_columns(every, hv, lv, vn_kv=network.buses.vn_kv, sn_mva=network.sn_mva)
    if np.ptp(columns["shift_degree"]) > 0.0 or np.ptp(columns["tap_ratio"]) == 0.0:
        raise NetworkError(f"{source}: the tap changer of transformer {index} must move the voltage, not its angle.")
    return {name: columns[name] for name in _TABULATED}, (round(low), round(now))


def _widest_step(columns: Mapping[str, FloatArray]) -> float:
    return float(np.abs(np.diff(1.0 / columns["tap_ratio"])).max())
