"""The loads that a pandapower net carries itself, as one load case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.cases import LoadCases
from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network.columns import ids, numbers, rows_in_service
from gridcheck.network.records import Network
from gridcheck.network.table_rules import LOAD_TABLES, check_cells
from gridcheck.network.tables import Tables, check_ids

LOAD_SIGNS = {
    "load": 1.0, "sgen": -1.0, "storage": 1.0, "asymmetric_load": 1.0, "asymmetric_sgen": -1.0, "motor": 1.0,
    "ward": 1.0,
}  # fmt: skip
_SHARE_KINDS = ("z", "i")
# What is left of loads that cancel each other is rounding below this part of them.
_CANCELLED = 1e-9
_SHARES = tuple(f"const_{kind}{part}_percent" for kind in "zi" for part in ("", "_p", "_q"))


def loads_from_tables(tables: Tables, network: Network, *, source: str = "network") -> LoadCases:
    """Return the loads, generators, motors and storages of the tables as one case.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables; in service and scaled as pandapower does it. Of wards the constant power counts; their
        constant impedance is part of the network.
    network : Network
        Gives the order of the buses.
    source : str
        What error messages call the file.

    Returns
    -------
    LoadCases
        One case, consumption positive, at nominal voltage; with the shares that depend on it. [MW], [Mvar]

    Raises
    ------
    UnsupportedElementError
        Buses whose loads depend on voltage and cancel each other at nominal voltage (see `load_shares`).
    NetworkError
        Loads that are not numbers or sit at unknown buses, shares that do not fit each other.
    """
    total, *shared = _power_by_bus(tables, network, source)
    if not np.any(shared):
        return LoadCases(p_mw=total[:1], q_mvar=total[1:])
    return LoadCases(p_mw=total[:1], q_mvar=total[1:], **load_shares(tables, network, source=source))


def load_shares(tables: Tables, network: Network, *, source: str = "network") -> dict[str, FloatArray]:
    r"""Return which part of each bus's load draws as a constant impedance and as a constant current.

    Loads of a bus are added up by what they draw, so shares are weighted by power:

    .. math:: s_z = \sum_i s_{z,i} P_i \Big/ \sum_i P_i

    pandapower takes the plain mean of the loads of a bus instead, and applies it to everything that draws or
    feeds there; both agree where all that is at a bus has the same shares.

    Parameters
    ----------
    tables, network, source
        As in `loads_from_tables`.

    Returns
    -------
    dict of str to ndarray, shape (n_bus,)
        ``z_share``, ``i_share`` of the active and ``z_share_q``, ``i_share_q`` of the reactive power; below 0 or
        above 1 where generation at the same bus takes part of the load. [1]

    Raises
    ------
    UnsupportedElementError
        Buses where loads cancel each other at nominal voltage but not at another: no share can say that.
    NetworkError
        As in `loads_from_tables`.
    """
    total, *shared = _power_by_bus(tables, network, source)
    gross = _power_by_bus(tables, network, source, add=np.abs)[0]
    is_cancelled = np.abs(total) <= _CANCELLED * gross
    lost = is_cancelled & np.any([np.abs(part) > _CANCELLED * gross for part in shared], axis=0)
    if lost.any():
        findings = [
            f"bus {network.bus_id[k]}: {name} adds up to 0 at nominal voltage"
            for name, at in zip(("active power", "reactive power"), lost, strict=True)
            for k in np.flatnonzero(at)[:20]
        ]
        raise UnsupportedElementError(
            f"{source}: loads that depend on voltage cancel each other; place them at buses of their own.", findings
        )
    by_kind = [np.divide(part, total, out=np.zeros_like(total), where=~is_cancelled) for part in shared]
    return {
        f"{kind}_share{suffix}": share[k]
        for kind, share in zip(_SHARE_KINDS, by_kind, strict=True)
        for k, suffix in enumerate(("", "_q"))
    }


def _power_by_bus(tables: Tables, network: Network, source: str, *, add: np.ufunc = np.positive) -> FloatArray:
    """Return the power drawn at nominal voltage, shape (3, 2, n_bus): all, its Z and its I part; active, reactive."""
    loads = {name: tables[name] for name in LOAD_TABLES if name in tables}
    check_ids(loads, source=source)
    check_cells(loads, LOAD_TABLES, bus_id=pd.Index(network.bus_id), source=source)
    _check_shares(loads, source)
    result = np.zeros((network.n_bus, 3, 2))
    position = pd.Series(np.arange(network.n_bus), index=network.bus_id)
    for table, sign in LOAD_SIGNS.items():
        frame = rows_in_service(loads.get(table))
        if frame.empty:
            continue
        bus = position.reindex(ids(frame, "bus")).to_numpy()
        power = add(sign * power_of(table, frame) * numbers(frame, "scaling", default=1.0))
        parts = np.stack([power, *(power * _share(table, frame, kind) for kind in _SHARE_KINDS)])
        np.add.at(result, bus, np.moveaxis(parts, -1, 0))
    return np.moveaxis(result, 0, -1)


def power_of(table: str, frame: pd.DataFrame) -> FloatArray:
    """Return active and reactive power before scaling, shape (2, n). [MW], [Mvar]"""
    if table == "motor":
        drawn = numbers(frame, "pn_mech_mw") / numbers(frame, "efficiency_percent") * numbers(frame, "loading_percent")
        # A motor draws reactive power even while it drives its network.
        return np.stack([drawn, np.abs(drawn) * np.sqrt(numbers(frame, "cos_phi") ** -2.0 - 1.0)])
    phases = {"ward": ("s",), "asymmetric_load": ("_a", "_b", "_c"), "asymmetric_sgen": ("_a", "_b", "_c")}
    return np.stack(
        [
            np.sum([numbers(frame, f"{kind}{phase}_{unit}") for phase in phases.get(table, ("",))], axis=0)
            for kind, unit in (("p", "mw"), ("q", "mvar"))
        ]
    )


def _share(table: str, frame: pd.DataFrame, kind: str) -> FloatArray:
    """Return the share of active and reactive power that is of one kind, shape (2, n)."""
    if table != "load":
        return np.zeros((2, len(frame)))
    return np.stack([numbers(frame, _share_column(frame, kind, part), default=0.0) / 100.0 for part in "pq"])


def _share_column(frame: pd.DataFrame, kind: str, part: str) -> str:
    """Return the column of a share; before pandapower 3 one column stood for active and reactive power."""
    own = f"const_{kind}_{part}_percent"
    return own if own in frame else f"const_{kind}_percent"


def _check_shares(tables: Tables, source: str) -> None:
    """Refuse shares above 100 %, columns that contradict each other, and shares of what is no load."""
    findings = []
    load = rows_in_service(tables.get("load"))
    for part in "pq":
        z, i = (numbers(load, _share_column(load, kind, part), default=0.0) for kind in _SHARE_KINDS)
        findings += [f"load {k}: const_z and const_i of {part} exceed 100 %" for k in load.index[z + i > 100.0][:20]]
        for kind in _SHARE_KINDS:
            old = numbers(load, f"const_{kind}_percent", default=0.0)
            new = numbers(load, _share_column(load, kind, part), default=0.0)
            contradicts = load.index[(old != 0.0) & (old != new)][:20]
            findings += [
                f"load {k}: const_{kind}_percent differs from const_{kind}_{part}_percent" for k in contradicts
            ]
    for table in (name for name in tables if name != "load"):
        frame = rows_in_service(tables[table])
        for column in (c for c in frame.columns if c.startswith("const_") and c.endswith("_percent")):
            odd = frame.index[numbers(frame, column, default=0.0) != 0.0][:20]
            findings += [f"{table} {k}: {column} is for loads only" for k in odd]
    if findings:
        raise NetworkError(f"{source}: shares of voltage-dependent loads do not fit.", findings)


def refuse_shares(frame: pd.DataFrame, table: str, source: str) -> None:
    """Refuse loads with constant-current or constant-impedance shares.

    Raises
    ------
    UnsupportedElementError
        Naming the loads.
    """
    findings = [
        f"{table} {i}: {column}"
        for column in _SHARES
        for i in frame.index[numbers(frame, column, default=0.0) != 0.0][:20]
    ]
    if findings:
        raise UnsupportedElementError(f"{source}: loads that depend on voltage are not modelled by phase.", findings)
