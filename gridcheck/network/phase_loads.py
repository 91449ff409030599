"""The loads that a pandapower net carries itself, by phase, as one load case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridcheck.cases import PhaseLoadCases
from gridcheck.errors import UnsupportedElementError
from gridcheck.network.columns import ids, numbers, rows_in_service, texts
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.loads import LOAD_SIGNS, power_of, refuse_shares
from gridcheck.network.table_rules import LOAD_TABLES, check_cells
from gridcheck.network.tables import Tables


def phase_loads_from_tables(tables: Tables, network: FourWireNetwork, *, source: str = "network") -> PhaseLoadCases:
    """Return the loads, generators and storages of the tables as one case by phase.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables; in service and scaled as pandapower does it. Those of three phases are spread evenly.
    network : FourWireNetwork
        Gives the order of the buses.
    source : str
        What error messages call the file.

    Returns
    -------
    PhaseLoadCases
        One case, consumption positive. [MW], [Mvar]

    Raises
    ------
    UnsupportedElementError
        Loads connected in delta, or with constant-current or constant-impedance shares.
    NetworkError
        Loads that are not numbers or sit at unknown buses.
    """
    check_cells(tables, LOAD_TABLES, bus_id=pd.Index(network.bus_id), source=source)
    power = {kind: np.zeros((1, network.n_bus, 3)) for kind in ("p", "q")}
    position = pd.Series(np.arange(network.n_bus), index=network.bus_id)
    for table, sign in LOAD_SIGNS.items():
        frame = rows_in_service(tables.get(table))
        if frame.empty:
            continue
        refuse_shares(frame, table, source)
        _refuse_delta(frame, table, source)
        bus = position.reindex(ids(frame, "bus")).to_numpy()
        scaling = sign * numbers(frame, "scaling", default=1.0)
        together = dict(zip("pq", power_of(table, frame), strict=True))
        for kind, unit in (("p", "mw"), ("q", "mvar")):
            for k, phase in enumerate("abc"):
                if table.startswith("asymmetric"):
                    drawn = numbers(frame, f"{kind}_{phase}_{unit}")
                else:
                    drawn = together[kind] / 3.0
                np.add.at(power[kind][0, :, k], bus, drawn * scaling)
    return PhaseLoadCases(p_mw=power["p"], q_mvar=power["q"])


def _refuse_delta(frame: pd.DataFrame, table: str, source: str) -> None:
    is_delta = np.array([text.lower() == "delta" for text in texts(frame, "type")], dtype=bool)
    if is_delta.any():
        raise UnsupportedElementError(
            f"{source}: loads connected in delta are not modelled; give what they draw by phase.",
            [f"{table} {i}: type delta" for i in frame.index[is_delta][:20]],
        )
