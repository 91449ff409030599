"""Turn pandapower element tables into a `FourWireNetwork`: zero sequence of lines, transformers and sources.

Buses below 1 kV have a neutral, the others have none. A source holds the voltage of the positive sequence at its
bus; negative and zero sequence stand behind its short-circuit impedance with voltage factor 1.1, as in pandapower's
``runpp_3ph``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.errors import NetworkError
from gridcheck.network.columns import numbers, rows_in_service
from gridcheck.network.convert import add_open_ends, network_from_tables
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.tables import Tables
from gridcheck.network.zero_sequence_trafos import (
    CORE_Z0_PU,
    refuse_unmodelled_groups,
    trafo_faults,
    zero_sequence_trafos,
)

FOUR_WIRE_BELOW_KV = 1.0
# Voltage factor of IEC 60909 for the largest short-circuit power, fixed in pandapower's runpp_3ph.
_C_MAX = 1.1


def four_wire_from_tables(
    tables: Tables,
    *,
    name: str,
    f_hz: float = 50.0,
    sn_mva: float = 1.0,
    source: str = "network",
    core_z0_pu: float = CORE_Z0_PU,
) -> FourWireNetwork:
    """Build a `FourWireNetwork` from pandapower element tables; parameters as in `network_from_tables`.

    Parameters
    ----------
    core_z0_pu : float
        Zero-sequence magnetising impedance of Yyn transformers for which ``mag0_percent`` is not given, on their
        own base. [pu]

    Raises
    ------
    UnsupportedElementError
        Elements, settings or vector groups that are not modelled.
    NetworkError
        Impossible or missing values, all of the zero sequence at once.
    """
    balanced = network_from_tables(tables, name=name, f_hz=f_hz, sn_mva=sn_mva, source=source)
    trafo = _rows(tables, "trafo")
    refuse_unmodelled_groups(rows_in_service(tables.get("trafo")), source=source)
    findings = [
        *_line_faults(rows_in_service(tables.get("line"))),
        *trafo_faults(rows_in_service(tables.get("trafo"))),
        *_source_faults(rows_in_service(tables.get("ext_grid"))),
    ]
    if findings:
        raise NetworkError(f"{source}: values of the zero sequence are missing or impossible.", findings)
    n_branch = balanced.n_branch
    columns = {key: np.zeros(n_branch) for key in ("r0", "x0", "g0_from", "b0_from", "g0_to", "b0_to")}
    columns["zero_ratio"] = np.ones(n_branch)
    _put_lines(columns, _rows(tables, "line"), balanced)
    kinds = balanced.branches.kind
    is_switch, is_trafo = kinds == BranchKind.SWITCH, kinds == BranchKind.TRAFO
    for key, values in (("r0", balanced.branches.r_pu), ("x0", balanced.branches.x_pu)):
        columns[key][is_switch] = values[is_switch]
    has_neutral = balanced.buses.vn_kv < FOUR_WIRE_BELOW_KV
    earth_ohm = np.full(balanced.n_bus, np.inf)
    if len(trafo):
        zero = zero_sequence_trafos(trafo, balanced, has_neutral=has_neutral, core_z0_pu=core_z0_pu)
        for key, values in zero.columns.items():
            columns[key][is_trafo] = values
        star = np.flatnonzero(zero.earth_ohm > 0)
        np.minimum.at(earth_ohm, balanced.branches.to_bus[is_trafo][star], zero.earth_ohm[star])
    g0, b0 = _zero_shunts(balanced, columns)
    z2, z0 = _source_impedances(rows_in_service(tables.get("ext_grid")), sn_mva)
    return FourWireNetwork(
        balanced=balanced,
        r0_pu=columns["r0"],
        x0_pu=columns["x0"],
        g0_from_pu=columns["g0_from"],
        b0_from_pu=columns["b0_from"],
        g0_to_pu=columns["g0_to"],
        b0_to_pu=columns["b0_to"],
        zero_ratio=columns["zero_ratio"],
        r_neutral_pu=np.where(is_trafo, 0.0, (columns["r0"] - balanced.branches.r_pu) / 3.0),
        x_neutral_pu=np.where(is_trafo, 0.0, (columns["x0"] - balanced.branches.x_pu) / 3.0),
        r_phase_neutral_pu=np.zeros(n_branch),
        x_phase_neutral_pu=np.zeros(n_branch),
        has_neutral=has_neutral,
        neutral_earth_ohm=earth_ohm,
        g0_pu=g0,
        b0_pu=b0,
        r2_source_pu=z2[0],
        x2_source_pu=z2[1],
        r0_source_pu=z0[0],
        x0_source_pu=z0[1],
    )


def _rows(tables: Tables, table: str) -> pd.DataFrame:
    """All rows of a table in the order of the branches, also those out of service."""
    frame = tables.get(table)
    return pd.DataFrame() if frame is None or frame.empty else frame.sort_index()


@np.errstate(all="ignore")  # lines out of service may hold anything
def _put_lines(columns: dict[str, FloatArray], line: pd.DataFrame, balanced: Network) -> None:
    if line.empty:
        return
    k = np.flatnonzero(balanced.branches.kind == BranchKind.LINE)
    length, parallel = numbers(line, "length_km"), numbers(line, "parallel", default=1.0)
    z_base = balanced.buses.vn_kv[balanced.branches.from_bus[k]] ** 2 / balanced.sn_mva
    columns["r0"][k] = numbers(line, "r0_ohm_per_km") * length / z_base / parallel
    columns["x0"][k] = numbers(line, "x0_ohm_per_km") * length / z_base / parallel
    charging = 2.0 * np.pi * balanced.f_hz * numbers(line, "c0_nf_per_km") * 1e-9 * z_base * length * parallel
    columns["b0_from"][k] = columns["b0_to"][k] = charging / 2.0


def _zero_shunts(balanced: Network, columns: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Shunts are stars with an earthed or connected star point, alike in both sequences; open line ends are not."""
    branches, alive = balanced.branches, balanced.buses.in_service
    g1, b1 = np.zeros(balanced.n_bus), np.zeros(balanced.n_bus)
    add_open_ends(branches, g1, b1, alive=alive)
    g0, b0 = balanced.buses.g_pu - g1, balanced.buses.b_pu - b1
    zero = dataclasses.replace(
        branches,
        r_pu=columns["r0"],
        x_pu=columns["x0"],
        g_from_pu=columns["g0_from"],
        b_from_pu=columns["b0_from"],
        g_to_pu=columns["g0_to"],
        b_to_pu=columns["b0_to"],
        in_service=branches.in_service & (columns["zero_ratio"] != 0.0),
    )
    add_open_ends(zero, g0, b0, alive=alive)
    return g0, b0


def _source_impedances(
    source: pd.DataFrame, sn_mva: float
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    rx = numbers(source, "rx_max")
    x2 = _C_MAX * sn_mva / numbers(source, "s_sc_max_mva") / np.sqrt(rx**2 + 1.0)
    x0 = numbers(source, "x0x_max") * x2
    return (rx * x2, x2), (numbers(source, "r0x0_max") * x0, x0)


def column_faults(
    table: str, frame: pd.DataFrame, columns: Sequence[str], remedy: str, *, above_0: bool = False
) -> list[str]:
    """Name the columns that are missing, and the rows in which a value is empty, negative or, if asked, zero."""
    if frame.empty:
        return []
    findings = []
    for column in columns:
        if column not in frame:
            findings.append(f"{table}: column {column} is missing; {remedy}")
            continue
        value = numbers(frame, column)
        wrong: BoolArray = ~(np.isfinite(value) & ((value > 0) if above_0 else (value >= 0)))
        findings += [
            f"{table} {i}: {column} must be a finite number {'greater than' if above_0 else 'of at least'} 0. "
            f"Got {cell!r}; {remedy}"
            for i, cell in frame.loc[wrong, column].head(20).items()
        ]
    return findings


def _line_faults(line: pd.DataFrame) -> list[str]:
    remedy = "take it from the cable's data sheet, or from conductor data (see with_conductors)"
    findings = column_faults("line", line, ("r0_ohm_per_km", "x0_ohm_per_km"), remedy)
    findings += column_faults("line", line, ("c0_nf_per_km",), "write 0 where charging does not matter")
    if not findings and not line.empty:
        is_zero = (numbers(line, "r0_ohm_per_km") == 0) & (numbers(line, "x0_ohm_per_km") == 0)
        findings = [f"line {i}: r0_ohm_per_km and x0_ohm_per_km are both 0; {remedy}" for i in line.index[is_zero][:20]]
    return findings


def _source_faults(source: pd.DataFrame) -> list[str]:
    remedy = "the grid operator states it at the connection point"
    findings = column_faults("ext_grid", source, ("s_sc_max_mva", "x0x_max"), remedy, above_0=True)
    return findings + column_faults("ext_grid", source, ("rx_max", "r0x0_max"), remedy)
