"""The loads that a pandapower net carries itself, as one load case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridcheck.cases import LoadCases
from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network.records import Network
from gridcheck.network.tables import Tables

_SHARES = ("const_z_percent", "const_i_percent", "const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")


def loads_from_tables(tables: Tables, network: Network, *, source: str = "network") -> LoadCases:
    """Return the loads, generators and storages of the tables as one case.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables; in service and scaled as pandapower does it.
    network : Network
        Gives the order of the buses.
    source : str
        What error messages call the file.

    Returns
    -------
    LoadCases
        One case, consumption positive. [MW], [Mvar]

    Raises
    ------
    UnsupportedElementError
        Loads with constant-current or constant-impedance shares.
    NetworkError
        Loads that are not numbers or sit at unknown buses.
    """
    p_mw, q_mvar = np.zeros((1, network.n_bus)), np.zeros((1, network.n_bus))
    position = pd.Series(np.arange(network.n_bus), index=network.bus_id)
    for table, sign in (("load", 1.0), ("sgen", -1.0), ("storage", 1.0), ("asymmetric_load", 1.0), ("asymmetric_sgen", -1.0)):
        frame = tables.get(table)
        if frame is None or frame.empty:
            continue
        frame = frame[frame["in_service"].astype(bool)] if "in_service" in frame else frame
        _refuse_shares(frame, table, source)
        if not frame["bus"].isin(position.index).all():
            raise NetworkError(f"{source}: the table {table} names buses that do not exist.")
        bus = position.loc[frame["bus"].astype(np.int64)].to_numpy()
        p, q = _power(frame, table, source)
        np.add.at(p_mw[0], bus, sign * p)
        np.add.at(q_mvar[0], bus, sign * q)
    return LoadCases(p_mw=p_mw, q_mvar=q_mvar)


def _power(frame: pd.DataFrame, table: str, source: str) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    phases = ("_a", "_b", "_c") if table.startswith("asymmetric") else ("",)
    scaling = frame["scaling"].to_numpy(dtype=float) if "scaling" in frame else np.ones(len(frame))
    p = sum(frame[f"p{f}_mw"].to_numpy(dtype=float) for f in phases) * scaling
    q = sum(frame[f"q{f}_mvar"].to_numpy(dtype=float) for f in phases) * scaling
    bad = ~(np.isfinite(p) & np.isfinite(q))
    if bad.any():
        raise NetworkError(f"{source}: loads must be finite numbers.", [f"{table} {i}" for i in frame.index[bad][:20]])
    return p, q


def _refuse_shares(frame: pd.DataFrame, table: str, source: str) -> None:
    for column in _SHARES:
        if column not in frame:
            continue
        bad = frame.index[frame[column].fillna(0.0).to_numpy(dtype=float) != 0.0]
        if len(bad):
            raise UnsupportedElementError(
                f"{source}: loads that depend on voltage are not modelled yet.", [f"{table} {i}: {column}" for i in bad[:20]]
            )
