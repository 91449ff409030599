"""What the cells of pandapower element tables may hold; every breach is named by table, id and column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Literal

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray
from gridcheck.errors import NetworkError
from gridcheck.network.columns import flags, ids, numbers, rows_in_service, source_rows, texts

# Findings that one rule may add; a file in which a whole column is wrong should still be readable on a screen.
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Rule of one column.

    Attributes
    ----------
    kind : {"number", "flag", "bus", "word"}
        What a cell holds; ``bus`` is the id of a bus.
    low, high : float
        Range of a number; `is_above` leaves the lower end out.
    is_needed : bool
        False where the column may be missing.
    is_filled : bool
        False where a cell may be empty.
    """

    kind: Literal["number", "flag", "bus", "word"] = "number"
    low: float = -np.inf
    high: float = np.inf
    is_above: bool = False
    is_needed: bool = True
    is_filled: bool = True
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "number":
            least = f" {'greater than' if self.is_above else 'of at least'} {self.low:g}"
            most = f" and at most {self.high:g}"
            return f"must be a finite number{'' if np.isinf(self.low) else least}{'' if np.isinf(self.high) else most}"
        words = {"flag": "true or false", "bus": "the id of a bus", "word": f"one of {', '.join(self.words)}"}
        return f"must be {words[self.kind]}"


_BUS = _Rule(kind="bus")
_POSITIVE = _Rule(low=0.0, is_above=True)
_AT_LEAST_0 = _Rule(low=0.0)
_FACTOR = _Rule(low=0.0, is_above=True, is_needed=False, is_filled=False)
_OPTIONAL = _Rule(is_needed=False, is_filled=False)
_SHARE = _Rule(low=0.0, high=100.0, is_needed=False, is_filled=False)
_IN_SERVICE = _Rule(kind="flag", is_needed=False, is_filled=False)
_POWER = {"bus": _BUS, "in_service": _IN_SERVICE, "scaling": _Rule(is_needed=False)}

_RULES: Mapping[str, Mapping[str, _Rule]] = {
    "bus": {"vn_kv": _POSITIVE, "in_service": _IN_SERVICE},
    "line": {
        "from_bus": _BUS, "to_bus": _BUS, "length_km": _POSITIVE, "r_ohm_per_km": _AT_LEAST_0,
        "x_ohm_per_km": _AT_LEAST_0, "c_nf_per_km": _AT_LEAST_0, "max_i_ka": _POSITIVE, "df": _FACTOR,
        "g_us_per_km": _Rule(low=0.0, is_needed=False, is_filled=False), "parallel": _FACTOR, "in_service": _IN_SERVICE,
    },
    "trafo": {
        "hv_bus": _BUS, "lv_bus": _BUS, "sn_mva": _POSITIVE, "vn_hv_kv": _POSITIVE, "vn_lv_kv": _POSITIVE,
        "vk_percent": _POSITIVE, "vkr_percent": _AT_LEAST_0, "pfe_kw": _AT_LEAST_0, "i0_percent": _AT_LEAST_0,
        "shift_degree": _OPTIONAL, "parallel": _FACTOR, "df": _FACTOR, "in_service": _IN_SERVICE,
        **{
            f"{tap}_{part}": rule
            for tap in ("tap", "tap2")
            for part, rule in (
                ("pos", _OPTIONAL), ("neutral", _OPTIONAL), ("step_degree", _OPTIONAL),
                # A step is a few percent; beyond this the column holds something else.
                ("step_percent", _Rule(low=-25.0, high=25.0, is_needed=False, is_filled=False)),
            )
        },
    },
    "switch": {
        "bus": _BUS, "element": _Rule(), "et": _Rule(kind="word", words=("l", "t", "b", "t3")),
        "closed": _Rule(kind="flag"), "z_ohm": _Rule(low=0.0, is_needed=False, is_filled=False),
        "remote": _Rule(kind="flag", is_needed=False, is_filled=False),
    },
    "shunt": {
        "bus": _BUS, "p_mw": _Rule(), "q_mvar": _Rule(), "step": _Rule(low=0.0, is_needed=False, is_filled=False),
        "vn_kv": _FACTOR, "in_service": _IN_SERVICE,
    },
    "ext_grid": {"bus": _BUS, "vm_pu": _POSITIVE, "va_degree": _OPTIONAL, "in_service": _IN_SERVICE},
    "gen": {
        "bus": _BUS, "vm_pu": _POSITIVE, "in_service": _IN_SERVICE,
        "slack": _Rule(kind="flag", is_needed=False, is_filled=False),
    },
    "impedance": {
        "from_bus": _BUS, "to_bus": _BUS, "sn_mva": _POSITIVE, "in_service": _IN_SERVICE,
        **{f"{part}{way}_pu": _Rule() for part in "rx" for way in ("ft", "tf")},
        **{f"{part}{end}_pu": _OPTIONAL for part in "gb" for end in "ft"},
    },
    "ward": {
        "bus": _BUS, "in_service": _IN_SERVICE,
        "ps_mw": _Rule(), "qs_mvar": _Rule(), "pz_mw": _Rule(), "qz_mvar": _Rule(),
    },
    "motor": {
        **_POWER, "pn_mech_mw": _Rule(), "loading_percent": _Rule(), "cos_phi": _Rule(low=0.0, high=1.0, is_above=True),
        "efficiency_percent": _Rule(low=0.0, high=100.0, is_above=True),
    },
    **{table: {**_POWER, "p_mw": _Rule(), "q_mvar": _Rule()} for table in ("sgen", "storage")},
    "load": {
        **_POWER, "p_mw": _Rule(), "q_mvar": _Rule(),
        **{f"const_{kind}{part}_percent": _SHARE for kind in "zi" for part in ("", "_p", "_q")},
    },
    **{
        table: {
            **_POWER,
            **{f"{kind}_{phase}_{unit}": _Rule() for kind, unit in (("p", "mw"), ("q", "mvar")) for phase in "abc"},
        }
        for table in ("asymmetric_load", "asymmetric_sgen")
    },
}  # fmt: skip

NETWORK_TABLES = ("bus", "line", "trafo", "switch", "shunt", "ext_grid", "gen", "impedance", "ward")
LOAD_TABLES = ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen", "motor", "ward")


def check_cells(tables: Mapping[str, pd.DataFrame], names: tuple[str, ...], *, bus_id: pd.Index, source: str) -> None:
    """Check every column of some tables for itself.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Element tables.
    names : tuple of str
        Which of them to check; absent and empty ones pass.
    bus_id : Index
        Ids of the buses.
    source : str
        What messages call the file.

    Raises
    ------
    NetworkError
        With one finding per missing column and wrong cell. Numbers of elements out of service may be anything.
    """
    findings: list[str] = []
    for name in names:
        frame = tables.get(name)
        if frame is not None and not frame.empty:
            findings += _breaches(name, frame.sort_index(), bus_id)
    if findings:
        raise NetworkError(f"{source}: impossible or missing values.", findings)


def _breaches(table: str, frame: pd.DataFrame, bus_id: pd.Index) -> list[str]:
    rules = _RULES[table]
    findings = [f"{table}: column {c} is missing" for c, rule in rules.items() if rule.is_needed and c not in frame]
    is_active = np.ones(len(frame), dtype=bool)
    if "in_service" in frame:
        is_flag = ~_is_wrong(frame, "in_service", _IN_SERVICE, bus_id)
        is_active[is_flag] = flags(frame[is_flag], "in_service", default=True)
    for column, rule in rules.items():
        if column in frame:
            wrong = _is_wrong(frame, column, rule, bus_id)
            # Positions and states are needed of every element, its values only while it is in service.
            wrong &= is_active | (rule.kind != "number")
            cells = frame[column][wrong].head(_MOST)
            findings += [f"{table} {i}: {column} {rule}. Got {cell!r}" for i, cell in cells.items()]
    return findings


def _is_wrong(frame: pd.DataFrame, column: str, rule: _Rule, bus_id: pd.Index) -> BoolArray:
    cells = frame[column]
    is_empty = cells.isna().to_numpy(dtype=bool)
    if rule.kind == "word":
        return ~cells.isin(rule.words).to_numpy(dtype=bool)
    is_truth, is_text = _are(cells, bool | np.bool_), _are(cells, str)
    value = numbers(frame, column)
    if rule.kind == "flag":
        fits = ~is_text & (is_truth | (value == 0) | (value == 1))
    elif rule.kind == "bus":
        fits = ~is_truth & cells.isin(bus_id).to_numpy(dtype=bool)
    else:
        above = value > rule.low if rule.is_above else value >= rule.low
        fits = ~is_truth & np.isfinite(value) & above & (value <= rule.high)
    wrong: BoolArray = ~fits & ~(is_empty & (not rule.is_filled))
    return wrong


def _are(cells: pd.Series, kind: type | UnionType) -> BoolArray:
    """Tell where a cell is of some type; numbers of one type need no look at every cell."""
    if cells.dtype.kind in "iuf":
        return np.zeros(len(cells), dtype=bool)
    return np.array([isinstance(cell, kind) for cell in cells], dtype=bool)


def check_fit(tables: Mapping[str, pd.DataFrame], *, source: str) -> None:
    """Check what only several cells together can show; the cells have passed `check_cells`.

    Raises
    ------
    NetworkError
        Lines and impedances without impedance, resistances above the impedance, voltages that do not match,
        switches that do not sit at their element, two sources of one bus that differ.
    """
    vn_kv = pd.Series(numbers(tables["bus"], "vn_kv"), index=tables["bus"].index)
    findings = [
        *_line_faults(rows_in_service(tables.get("line")), vn_kv),
        *_trafo_faults(rows_in_service(tables.get("trafo")), vn_kv),
        *_switch_faults(tables, vn_kv),
        *_impedance_faults(rows_in_service(tables.get("impedance"))),
        *_source_faults(source_rows(tables)),
    ]
    if findings:
        raise NetworkError(f"{source}: values do not fit each other.", findings)


def _named(table: str, frame: pd.DataFrame, wrong: BoolArray, fault: str) -> list[str]:
    return [f"{table} {i}: {fault}" for i in frame.index[wrong][:_MOST]]


def _line_faults(line: pd.DataFrame, vn_kv: pd.Series[float]) -> list[str]:
    if line.empty:
        return []
    is_zero = (numbers(line, "r_ohm_per_km") == 0) & (numbers(line, "x_ohm_per_km") == 0)
    between = vn_kv.reindex(ids(line, "from_bus")).to_numpy() != vn_kv.reindex(ids(line, "to_bus")).to_numpy()
    return [
        *_named("line", line, is_zero, "zero impedance; use a switch instead"),
        *_named("line", line, between, "from_bus and to_bus have different vn_kv; use a transformer instead"),
    ]


def _trafo_faults(trafo: pd.DataFrame, vn_kv: pd.Series[float]) -> list[str]:
    if trafo.empty:
        return []
    is_above = numbers(trafo, "vkr_percent") > numbers(trafo, "vk_percent")
    findings = _named("trafo", trafo, is_above, "vkr_percent is greater than vk_percent")
    for column, bus in (("vn_hv_kv", "hv_bus"), ("vn_lv_kv", "lv_bus")):
        ratio = numbers(trafo, column) / vn_kv.reindex(ids(trafo, bus)).to_numpy()
        # A nameplate voltage differs from the nominal one by 10 % or so; more is a wrong unit or a wrong bus.
        odd = ~((ratio > 0.8) & (ratio < 1.25))
        findings += [
            f"trafo {i}: {column} {cell} does not match {bus}, which has vn_kv {vn_kv.loc[at]:g}"
            for i, cell, at in trafo.loc[odd, [column, bus]].head(_MOST).itertuples()
        ]
    return findings


def _switch_faults(tables: Mapping[str, pd.DataFrame], vn_kv: pd.Series[float]) -> list[str]:
    switch = tables.get("switch")
    if switch is None or switch.empty:
        return []
    switch = switch.sort_index()
    kind = np.array(texts(switch, "et"))
    findings = []
    for et, table, ends in (("l", "line", ("from_bus", "to_bus")), ("t", "trafo", ("hv_bus", "lv_bus"))):
        part = switch[kind == et]
        elements = tables.get(table, pd.DataFrame(columns=list(ends)))
        is_known = part["element"].isin(elements.index).to_numpy(dtype=bool)
        findings += _named("switch", part, ~is_known, f"element is not the id of a {table}")
        part = part[is_known]
        at = elements.loc[ids(part, "element"), list(ends)].to_numpy(dtype=np.int64)
        beside = ~(at == ids(part, "bus")[:, None]).any(axis=1)
        findings += _named("switch", part, beside, f"bus is not an end of the {table}")
    part = switch[kind == "b"]
    if "z_ohm" in part:
        # pandapower takes an empty cell for closed or for open, depending on whether it may use numba.
        is_unclear = flags(part, "closed", default=True) & np.isnan(numbers(part, "z_ohm"))
        findings += _named("switch", part, is_unclear, "z_ohm is empty; 0 means no impedance")
    is_known = part["element"].isin(vn_kv.index).to_numpy(dtype=bool)
    findings += _named("switch", part, ~is_known, "element is not the id of a bus")
    part = part[is_known]
    between = vn_kv.reindex(ids(part, "element")).to_numpy() != vn_kv.reindex(ids(part, "bus")).to_numpy()
    return [*findings, *_named("switch", part, between, "bus and element have different vn_kv")]


def _impedance_faults(impedance: pd.DataFrame) -> list[str]:
    if impedance.empty:
        return []
    is_zero = (numbers(impedance, "rft_pu") == 0) & (numbers(impedance, "xft_pu") == 0)
    return _named("impedance", impedance, is_zero, "zero impedance; use a switch instead")


def _source_faults(source: pd.DataFrame) -> list[str]:
    differs = source.duplicated("bus") & ~source.duplicated(["bus", "vm_pu", "va_degree"])
    return [
        f"{row.table} {row.Index}: another source of the same bus gives another voltage"
        for row in source[differs].head(_MOST).itertuples()
    ]
