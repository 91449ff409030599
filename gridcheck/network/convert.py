r"""Turn pandapower element tables into a `Network`: signs, switches, taps and per unit happen here only.

Transformers follow pandapower's default model (T circuit with half the leakage on either side of the
magnetising branch, turned into a pi circuit), lines the nominal pi circuit.

References
----------
.. [1] L. Thurner et al., "pandapower: An Open-Source Python Tool for Convenient Modeling, Analysis, and
   Optimization of Electric Power Systems", IEEE Transactions on Power Systems 33(6), 2018, section III.
   DOI 10.1109/TPWRS.2018.2829021
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network.records import Branches, BranchKind, Buses, Network, Switches
from gridcheck.network.tables import Tables
from gridcheck.units import SQRT3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Base:
    """What every conversion needs: bus positions, nominal voltages and the bases."""

    position: pd.Series  # type: ignore[type-arg]
    vn_kv: FloatArray
    f_hz: float
    sn_mva: float
    source: str

    def bus(self, frame: pd.DataFrame, column: str, table: str) -> IntArray:
        wanted = frame[column].astype(np.int64)
        known = wanted.isin(self.position.index)
        if not known.all():
            rows = [f"{table} {i}: {column} {wanted[i]} is not in the table bus" for i in frame.index[~known][:20]]
            raise NetworkError(f"{self.source}: unknown buses.", rows)
        return self.position.loc[wanted].to_numpy(dtype=np.int64)


def network_from_tables(tables: Tables, *, name: str, f_hz: float = 50.0, sn_mva: float = 1.0, source: str = "network") -> Network:
    """Build a `Network` from pandapower element tables.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        At least ``bus`` and ``ext_grid``, indexed by pandapower's index.
    name, source : str
        Name of the network, and what error messages call the file.
    f_hz, sn_mva : float
        Frequency and power base. [Hz], [MVA]

    Returns
    -------
    Network
        Lines come first, then transformers, then closed bus-bus switches, each in index order.

    Raises
    ------
    NetworkError
        Missing columns, unknown buses, impossible values; all findings at once.
    UnsupportedElementError
        A tap changer type that is not modelled, off its neutral position.
    """
    bus = tables["bus"].sort_index()
    base = _Base(
        position=pd.Series(np.arange(len(bus)), index=bus.index),
        vn_kv=_numbers(bus, "vn_kv"),
        f_hz=f_hz,
        sn_mva=sn_mva,
        source=source,
    )
    _check_values(tables, source)
    parts = [part for part in (_lines(tables, base), _trafos(tables, base), _bus_switches(tables, base)) if part is not None]
    columns: dict[str, Any] = {key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]} if parts else _no_branch()
    columns["type_name"] = tuple(str(v) for v in columns["type_name"])
    columns["name"] = tuple(str(v) for v in columns["name"])
    switches = _switches(tables, columns)
    from_closed, to_closed = _end_states(switches, len(columns["branch_id"]))
    branches = Branches(**columns, from_closed=from_closed, to_closed=to_closed)
    g_pu, b_pu = _shunts(tables, base)
    add_open_ends(branches, g_pu, b_pu)
    slack = _active(tables, "ext_grid")
    if slack.empty:
        raise NetworkError(f"{source}: no external grid in service. A network needs at least one source (table ext_grid).")
    return Network(
        name=name,
        f_hz=f_hz,
        sn_mva=sn_mva,
        buses=Buses(
            bus_id=bus.index.to_numpy(dtype=np.int64),
            vn_kv=base.vn_kv,
            g_pu=g_pu,
            b_pu=b_pu,
            in_service=_flags(bus, "in_service"),
            name=_texts(bus, "name"),
        ),
        branches=branches,
        switches=switches,
        slack_bus=base.bus(slack, "bus", "ext_grid"),
        slack_vm_pu=_numbers(slack, "vm_pu"),
        slack_va_degree=_numbers(slack, "va_degree", default=0.0),
    )


def _numbers(frame: pd.DataFrame, column: str, *, default: float | None = None) -> FloatArray:
    if column not in frame:
        if default is None:
            raise NetworkError(f"The column {column} is missing.", [f"columns found: {', '.join(map(str, frame.columns))}"])
        return np.full(len(frame), default)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
    return values if default is None else np.where(np.isnan(values), default, values)


def _flags(frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if column not in frame:
        return np.ones(len(frame), dtype=bool)
    return frame[column].fillna(value=True).to_numpy(dtype=bool)


def _texts(frame: pd.DataFrame, column: str) -> tuple[str, ...]:
    if column not in frame:
        return ("",) * len(frame)
    return tuple("" if value is None or value != value else str(value) for value in frame[column])


def _active(tables: Tables, table: str) -> pd.DataFrame:
    frame = tables.get(table)
    if frame is None or frame.empty:
        return pd.DataFrame()
    return frame[_flags(frame, "in_service")].sort_index()


_POSITIVE = {
    "bus": ("vn_kv",),
    "line": ("length_km", "max_i_ka"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent"),
    "ext_grid": ("vm_pu",),
}
_FINITE = {"line": ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"), "trafo": ("vkr_percent", "pfe_kw", "i0_percent")}


def _check_values(tables: Tables, source: str) -> None:
    findings = []
    for rule, wanted in (("must be a number greater than 0", _POSITIVE), ("must be a finite number >= 0", _FINITE)):
        for table, columns in wanted.items():
            frame = _active(tables, table)
            for column in columns if len(frame) else ():
                values = _numbers(frame, column)
                bad = ~(values > 0) if wanted is _POSITIVE else ~(values >= 0)
                bad |= ~np.isfinite(values)
                findings += [f"{table} {i}: {column} {rule}. Got {frame[column][i]}" for i in frame.index[bad][:20]]
    line = _active(tables, "line")
    if len(line):
        zero = (_numbers(line, "r_ohm_per_km") == 0) & (_numbers(line, "x_ohm_per_km") == 0)
        findings += [f"line {i}: zero impedance; use a switch instead" for i in line.index[zero][:20]]
    if findings:
        raise NetworkError(f"{source}: impossible or missing values.", findings)


def _no_branch() -> dict[str, Any]:
    return {key: np.zeros(0) for key in _branch_part(0)} | {"type_name": (), "name": ()}


def _branch_part(n: int, **columns: Any) -> dict[str, Any]:
    part: dict[str, Any] = {
        "branch_id": np.zeros(n, dtype=np.int64), "kind": np.zeros(n, dtype=np.int64),
        "from_bus": np.zeros(n, dtype=np.int64), "to_bus": np.zeros(n, dtype=np.int64),
        "r_pu": np.zeros(n), "x_pu": np.zeros(n), "g_from_pu": np.zeros(n), "b_from_pu": np.zeros(n),
        "g_to_pu": np.zeros(n), "b_to_pu": np.zeros(n), "tap_ratio": np.ones(n), "shift_degree": np.zeros(n),
        "rating_from_ka": np.full(n, np.nan), "rating_to_ka": np.full(n, np.nan), "length_km": np.full(n, np.nan),
        "in_service": np.ones(n, dtype=bool), "type_name": ("",) * n, "name": ("",) * n,
    }  # fmt: skip
    return part | columns


def _lines(tables: Tables, base: _Base) -> dict[str, Any] | None:
    line = tables.get("line")
    if line is None or line.empty:
        return None
    line = line.sort_index()
    from_bus, to_bus = base.bus(line, "from_bus", "line"), base.bus(line, "to_bus", "line")
    if (base.vn_kv[from_bus] != base.vn_kv[to_bus]).any():
        bad = line.index[base.vn_kv[from_bus] != base.vn_kv[to_bus]]
        raise NetworkError(f"{base.source}: lines between different voltage levels.", [f"line {i}" for i in bad[:20]])
    length, parallel = _numbers(line, "length_km"), _numbers(line, "parallel", default=1.0)
    z_base = base.vn_kv[from_bus] ** 2 / base.sn_mva
    b_pu = 2.0 * np.pi * base.f_hz * _numbers(line, "c_nf_per_km") * 1e-9 * z_base * length * parallel
    g_pu = _numbers(line, "g_us_per_km", default=0.0) * 1e-6 * z_base * length * parallel
    rating = _numbers(line, "max_i_ka") * _numbers(line, "df", default=1.0) * parallel
    return _branch_part(
        len(line),
        branch_id=line.index.to_numpy(dtype=np.int64),
        from_bus=from_bus,
        to_bus=to_bus,
        r_pu=_numbers(line, "r_ohm_per_km") * length / z_base / parallel,
        x_pu=_numbers(line, "x_ohm_per_km") * length / z_base / parallel,
        g_from_pu=g_pu / 2,
        b_from_pu=b_pu / 2,
        g_to_pu=g_pu / 2,
        b_to_pu=b_pu / 2,
        rating_from_ka=rating,
        rating_to_ka=rating,
        length_km=length,
        in_service=_flags(line, "in_service"),
        type_name=_texts(line, "std_type"),
        name=_texts(line, "name"),
    )


def _trafos(tables: Tables, base: _Base) -> dict[str, Any] | None:
    trafo = tables.get("trafo")
    if trafo is None or trafo.empty:
        return None
    trafo = trafo.sort_index()
    hv_bus, lv_bus = base.bus(trafo, "hv_bus", "trafo"), base.bus(trafo, "lv_bus", "trafo")
    _check_trafo_voltages(trafo, base, hv_bus, lv_bus)
    vn_hv, vn_lv, shift = _tapped_voltages(trafo, base.source)
    sn_mva, parallel = _numbers(trafo, "sn_mva"), _numbers(trafo, "parallel", default=1.0)
    to_base = (vn_lv / base.vn_kv[lv_bus]) ** 2 * base.sn_mva / sn_mva
    z_pu = _numbers(trafo, "vk_percent") / 100.0 * to_base / parallel
    r_pu = _numbers(trafo, "vkr_percent") / 100.0 * to_base / parallel
    x_pu = np.sqrt(np.maximum(z_pu**2 - r_pu**2, 0.0))
    pfe_mw = _numbers(trafo, "pfe_kw") / 1000.0
    magnetising_mva = _numbers(trafo, "i0_percent") / 100.0 * sn_mva
    y_base = base.vn_kv[lv_bus] ** 2 / base.sn_mva / vn_lv**2 * parallel
    y_mag = (pfe_mw - 1j * np.sqrt(np.maximum(magnetising_mva**2 - pfe_mw**2, 0.0))) * y_base
    z_series, y_from, y_to = _t_to_pi(r_pu + 1j * x_pu, y_mag)
    rated = sn_mva * _numbers(trafo, "df", default=1.0) * parallel / SQRT3
    return _branch_part(
        len(trafo),
        branch_id=trafo.index.to_numpy(dtype=np.int64),
        kind=np.full(len(trafo), BranchKind.TRAFO),
        from_bus=hv_bus,
        to_bus=lv_bus,
        r_pu=z_series.real,
        x_pu=z_series.imag,
        g_from_pu=y_from.real,
        b_from_pu=y_from.imag,
        g_to_pu=y_to.real,
        b_to_pu=y_to.imag,
        tap_ratio=(vn_hv / vn_lv) / (base.vn_kv[hv_bus] / base.vn_kv[lv_bus]),
        shift_degree=shift,
        rating_from_ka=rated / _numbers(trafo, "vn_hv_kv"),
        rating_to_ka=rated / _numbers(trafo, "vn_lv_kv"),
        in_service=_flags(trafo, "in_service"),
        type_name=_texts(trafo, "std_type"),
        name=_texts(trafo, "name"),
    )


def _check_trafo_voltages(trafo: pd.DataFrame, base: _Base, hv_bus: IntArray, lv_bus: IntArray) -> None:
    findings = []
    for column, bus in (("vn_hv_kv", hv_bus), ("vn_lv_kv", lv_bus)):
        ratio = _numbers(trafo, column) / base.vn_kv[bus]
        # A nameplate voltage differs from the nominal one by 10 % at most; more is a wrong unit or a wrong bus.
        bad = ~((ratio > 0.8) & (ratio < 1.25))
        findings += [f"trafo {i}: {column} {trafo[column][i]} does not match the bus" for i in trafo.index[bad][:20]]
    if findings:
        raise NetworkError(f"{base.source}: transformer voltages do not match their buses.", findings)


def _tapped_voltages(trafo: pd.DataFrame, source: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    vn = {"hv": _numbers(trafo, "vn_hv_kv").copy(), "lv": _numbers(trafo, "vn_lv_kv").copy()}
    shift = _numbers(trafo, "shift_degree", default=0.0).copy()
    for tap in ("tap", "tap2"):
        if f"{tap}_pos" not in trafo:
            continue
        steps = _numbers(trafo, f"{tap}_pos", default=0.0) - _numbers(trafo, f"{tap}_neutral", default=0.0)
        side = np.asarray(_texts(trafo, f"{tap}_side"))
        moved = (steps != 0) & np.isin(side, ["hv", "lv"])
        kind = np.asarray(_texts(trafo, f"{tap}_changer_type")) if f"{tap}_changer_type" in trafo else np.full(len(trafo), "Ratio")
        table = _flags(trafo, "tap_dependency_table") if "tap_dependency_table" in trafo else np.zeros(len(trafo), dtype=bool)
        odd = moved & (~np.isin(kind, ["Ratio"]) | table) & (kind != "")
        if odd.any():
            raise UnsupportedElementError(
                f"{source}: tap changers other than 'Ratio' without a table are not modelled.",
                [f"trafo {i}: tap_changer_type {k}" for i, k in zip(trafo.index[odd], kind[odd], strict=True)],
            )
        moved &= kind != ""  # pandapower ignores the tap of a transformer without a changer type
        delta = steps * _numbers(trafo, f"{tap}_step_percent", default=0.0) / 100.0
        angle = np.deg2rad(_numbers(trafo, f"{tap}_step_degree", default=0.0))
        for end, direction in (("hv", 1.0), ("lv", -1.0)):
            here = moved & (side == end)
            along, across = vn[end] * (1.0 + delta * np.cos(angle)), vn[end] * delta * np.sin(angle)
            shift = np.where(here, shift + np.rad2deg(np.arctan2(direction * across, along)), shift)
            vn[end] = np.where(here, np.hypot(along, across), vn[end])
    return vn["hv"], vn["lv"], shift


def _t_to_pi(z: np.ndarray[Any, Any], y_mag: np.ndarray[Any, Any]) -> tuple[Any, Any, Any]:
    """Turn a T circuit with equal halves of `z` around `y_mag` into series impedance and two shunts."""
    half = z / 2.0
    # Star to triangle with z_c = 1 / y_mag: z_ab = z_a + z_b + z_a z_b y_mag, y_ac = y_mag z_b / z_ab.
    series = z + half * half * y_mag
    shunt = y_mag * half / series
    return series, shunt, shunt


def _bus_switches(tables: Tables, base: _Base) -> dict[str, Any] | None:
    switch = tables.get("switch")
    if switch is None or switch.empty:
        return None
    switch = switch[(switch["et"] == "b") & _flags(switch, "closed")].sort_index()
    if switch.empty:
        return None
    z_pu = _numbers(switch, "z_ohm", default=0.0) * base.sn_mva / base.vn_kv[base.bus(switch, "bus", "switch")] ** 2
    return _branch_part(
        len(switch),
        branch_id=switch.index.to_numpy(dtype=np.int64),
        kind=np.full(len(switch), BranchKind.SWITCH),
        from_bus=base.bus(switch, "bus", "switch"),
        to_bus=base.bus(switch, "element", "switch"),
        r_pu=z_pu,
        name=_texts(switch, "name"),
    )


def _switches(tables: Tables, columns: dict[str, Any]) -> Switches:
    switch = tables.get("switch")
    if switch is None or switch.empty:
        switch = pd.DataFrame({"bus": [], "element": [], "et": [], "closed": []})
    switch = switch[switch["et"].isin(["l", "t"])].sort_index()
    kind = np.where(switch["et"] == "l", int(BranchKind.LINE), int(BranchKind.TRAFO))
    keys = pd.MultiIndex.from_arrays([columns["kind"], columns["branch_id"]])
    place = keys.get_indexer(pd.MultiIndex.from_arrays([kind, switch["element"].astype(np.int64)]))
    if (place < 0).any():
        rows = [f"switch {i}: element {switch['element'][i]} is unknown" for i in switch.index[place < 0][:20]]
        raise NetworkError("Switches on unknown elements.", rows)
    bus_position = switch["bus"].astype(np.int64).to_numpy()
    bus_index = tables["bus"].sort_index().index
    at_to = bus_index.get_indexer(bus_position) == columns["to_bus"][place]
    return Switches(
        switch_id=switch.index.to_numpy(dtype=np.int64),
        branch=place,
        at_to_end=at_to,
        closed=_flags(switch, "closed"),
        breaker=np.asarray(_texts(switch, "type")) == "CB",
        remote=_flags(switch, "remote") if "remote" in switch else np.zeros(len(switch), dtype=bool),
        name=_texts(switch, "name"),
    )


def _end_states(switches: Switches, n_branch: int) -> tuple[Any, Any]:
    from_closed, to_closed = np.ones(n_branch, dtype=bool), np.ones(n_branch, dtype=bool)
    from_closed[switches.branch[~switches.closed & ~switches.at_to_end]] = False
    to_closed[switches.branch[~switches.closed & switches.at_to_end]] = False
    return from_closed, to_closed


def _shunts(tables: Tables, base: _Base) -> tuple[FloatArray, FloatArray]:
    g_pu, b_pu = np.zeros(len(base.vn_kv)), np.zeros(len(base.vn_kv))
    shunt = _active(tables, "shunt")
    if len(shunt):
        bus = base.bus(shunt, "bus", "shunt")
        vn_shunt = _numbers(shunt, "vn_kv", default=np.nan)
        scale = _numbers(shunt, "step", default=1.0) * (base.vn_kv[bus] / np.where(np.isnan(vn_shunt), base.vn_kv[bus], vn_shunt)) ** 2
        np.add.at(g_pu, bus, _numbers(shunt, "p_mw") * scale / base.sn_mva)
        np.add.at(b_pu, bus, -_numbers(shunt, "q_mvar") * scale / base.sn_mva)
    return g_pu, b_pu


def add_open_ends(branches: Branches, g_pu: FloatArray, b_pu: FloatArray) -> None:
    """Add to the buses the admittance that a branch open at one end shows at its other end."""
    one_open = branches.in_service & (branches.from_closed ^ branches.to_closed)
    for k in np.flatnonzero(one_open):
        y_series = 1.0 / complex(branches.r_pu[k], branches.x_pu[k])
        y_from = complex(branches.g_from_pu[k], branches.b_from_pu[k])
        y_to = complex(branches.g_to_pu[k], branches.b_to_pu[k])
        near, far = (y_from, y_to) if branches.from_closed[k] else (y_to, y_from)
        y = near + y_series * far / (y_series + far)
        at_from = bool(branches.from_closed[k])
        bus = int(branches.from_bus[k] if at_from else branches.to_bus[k])
        y /= float(branches.tap_ratio[k]) ** 2 if at_from else 1.0
        g_pu[bus] += y.real
        b_pu[bus] += y.imag
