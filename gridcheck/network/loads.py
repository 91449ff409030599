"""The loads that a pandapower net carries itself, as one load case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridcheck.cases import LoadCases
from gridcheck.errors import UnsupportedElementError
from gridcheck.network.columns import ids, numbers, rows_in_service
from gridcheck.network.records import Network
from gridcheck.network.table_rules import LOAD_TABLES, check_cells
from gridcheck.network.tables import Tables

_SHARES = tuple(f"const_{kind}{part}_percent" for kind in "zi" for part in ("", "_p", "_q"))
LOAD_SIGNS = {"load": 1.0, "sgen": -1.0, "storage": 1.0, "asymmetric_load": 1.0, "asymmetric_sgen": -1.0}


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
    check_cells(tables, LOAD_TABLES, bus_id=pd.Index(network.bus_id), source=source)
    p_mw, q_mvar = np.zeros((1, network.n_bus)), np.zeros((1, network.n_bus))
    position = pd.Series(np.arange(network.n_bus), index=network.bus_id)
    for table, sign in LOAD_SIGNS.items():
        frame = rows_in_service(tables.get(table))
        if frame.empty:
            continue
        refuse_shares(frame, table, source)
        bus = position.reindex(ids(frame, "bus")).to_numpy()
        phases = ("_a", "_b", "_c") if table.startswith("asymmetric") else ("",)
        scaling = numbers(frame, "scaling", default=1.0)
        for power, kind, unit in ((p_mw, "p", "mw"), (q_mvar, "q", "mvar")):
            for phase in phases:
                np.add.at(power[0], bus, sign * numbers(frame, f"{kind}{phase}_{unit}") * scaling)
    return LoadCases(p_mw=p_mw, q_mvar=q_mvar)


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
        raise UnsupportedElementError(f"{source}: loads that depend on voltage are not modelled.", findings)
