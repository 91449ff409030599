"""Element tables of a file with other switch states."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gridcheck.network.tables import Tables


def restored_tables(
    tables: Tables,
    switch_states: Sequence[tuple[int, bool]],
    line_states: Sequence[tuple[int, bool]] = (),
    faulted_lines: Sequence[int] = (),
    faulted_trafos: Sequence[int] = (),
) -> dict[str, pd.DataFrame]:
    """Return tables as they stand after an outage and its restoration; the given ones stay as they are.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of the network as normally switched.
    switch_states, line_states : sequence of (int, bool)
        Switches (closed) and lines (in service) that stand differently.
    faulted_lines, faulted_trafos : sequence of int
        Elements taken out of service.
    """
    changes = [
        *(("switch", "closed", index, closed) for index, closed in switch_states),
        *(("line", "in_service", index, in_service) for index, in_service in line_states),
        *(("line", "in_service", index, False) for index in faulted_lines),
        *(("trafo", "in_service", index, False) for index in faulted_trafos),
    ]
    result = dict(tables)
    for name in {name for name, *_ in changes}:
        result[name] = tables[name].copy()
    for name, column, index, value in changes:
        result[name].loc[index, column] = value
    return result
