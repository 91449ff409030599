"""One moment of an area as pandapower tables, for ``runpp_3ph``: the same phase-to-neutral voltages as with four wires.

pandapower's load flow by phase knows no neutral, its phases return through a zero sequence. Where the neutral is
earthed at the transformer alone, the voltage of a phase to the neutral of the same node contains the drops of both, and
that is what pandapower gives as the voltage of the phase when the neutral is put into the zero sequence of the lines,
:math:`z_0 = z + 3 z_n`; the current in the neutral is the sum of its phase currents. Nothing is approximated.

pandapower takes no Yyn transformer. A YNyn unit whose primary star stands behind an endless zero sequence is the same:
no such current can flow there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import FloatArray, frozen
from gridcheck.network.area_transformers import VN_LV_KV, AreaTransformer
from gridcheck.network.low_voltage import THREE_PHASE, LowVoltageGrid, known_phases, line_ka
from gridcheck.network.low_voltage_tables import element_tables
from gridcheck.units import SQRT3

SOLVE_WITH = "pp.runpp_3ph(net, tolerance_mva=1e-11, max_iteration=200)"
"""How the case is solved: at a small base and tolerance pandapower is exact to some 1e-8 pu."""
CASE_BASE_MVA = 1e-3
_LETTERS = "abc"
# The strongest source that leaves pandapower's matrices solvable beside an endless zero sequence.
_STRONG_MVA, _ENDLESS = 1e7, 1e15


def low_voltage_case(
    grid: LowVoltageGrid,
    transformer: AreaTransformer,
    p_kw: npt.ArrayLike,
    q_kvar: npt.ArrayLike,
    *,
    source_pu: float = 1.0,
) -> dict[str, pd.DataFrame]:
    """Return an area with the loads of one moment as pandapower element tables.

    Parameters
    ----------
    grid : LowVoltageGrid
        Lines and meters, the phase of every meter known.
    transformer : AreaTransformer
        The transformer.
    p_kw, q_kvar : array_like, shape (n_home,)
        What each meter draws. [kW], [kvar]
    source_pu : float
        Voltage at the 10 kV side of the transformer. [pu]

    Returns
    -------
    dict of str to DataFrame
        ``bus`` (0 at 10 kV, 1 + k for node k), ``line`` (k - 1 leads to node k), ``trafo``, ``ext_grid`` and
        ``asymmetric_load``, a row for each meter. Build the net with a base of `CASE_BASE_MVA`.

    Raises
    ------
    InputError
        Loads that do not fit the meters, or a meter without a phase.
    """
    tables = element_tables(grid, transformer)
    is_star = transformer.vector_group == "Yyn0"
    tables["trafo"]["vector_group"] = "YNyn" if is_star else "Dyn"
    tables["ext_grid"]["vm_pu"] = source_pu
    if is_star:
        tables["ext_grid"] = tables["ext_grid"].assign(s_sc_max_mva=_STRONG_MVA, x0x_max=_ENDLESS)
    return {**tables, "asymmetric_load": _loads(grid, p_kw, q_kvar)}


def _loads(grid: LowVoltageGrid, p_kw: npt.ArrayLike, q_kvar: npt.ArrayLike) -> pd.DataFrame:
    phase = known_phases(grid)
    share: FloatArray = np.where(phase[:, None] == THREE_PHASE, 1.0 / 3.0, phase[:, None] == np.arange(3))
    table = pd.DataFrame({"name": grid.home_id, "bus": grid.home_node + 1, "type": "wye"})
    for name, values in (("p_{}_mw", p_kw), ("q_{}_mvar", q_kvar)):
        drawn = frozen(values, np.float64, (grid.n_home,), name=name) / 1000.0
        for k, letter in enumerate(_LETTERS):
            table[name.format(letter)] = drawn * share[:, k]
    return table


def read_voltage(node: int, phase: int) -> dict[str, Any]:
    """Say which result is the voltage of a phase to neutral at a node, and by what it is multiplied for volts.

    Returns
    -------
    dict
        ``table``, ``index``, ``column`` of a solved net, ``times``.
    """
    return _read("res_bus_3ph", node + 1, f"vm_{_LETTERS[phase]}_pu", VN_LV_KV * 1000.0 / SQRT3)


def read_line_loading(grid: LowVoltageGrid, node: int, wire: int) -> dict[str, Any]:
    """Say the same of the loading of a wire of the line that leads to a node; wire 3 is the neutral. [%]"""
    return _read("res_line_3ph", node - 1, f"i_{(*_LETTERS, 'n')[wire]}_ka", 100.0 / float(line_ka(grid)[node - 1]))


def read_transformer_loading(transformer: AreaTransformer, phase: int) -> dict[str, Any]:
    """Say the same of the loading of a phase of the transformer at its low-voltage side. [%]"""
    rated_ka = transformer.kva / 1000.0 / SQRT3 / transformer.vn_lv_kv
    return _read("res_trafo_3ph", 0, f"i_{_LETTERS[phase]}_lv_ka", 100.0 / rated_ka)


def _read(table: str, index: int, column: str, times: float) -> dict[str, Any]:
    return {"table": table, "index": index, "column": column, "times": times}


def value_read(net: Mapping[str, Any], read: Mapping[str, Any]) -> float:
    """Return the value that is read in a solved net."""
    return float(net[read["table"]].loc[read["index"], read["column"]]) * float(read["times"])
