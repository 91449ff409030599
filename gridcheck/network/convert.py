r"""Turn pandapower element tables into a `Network`: signs, switches and per unit happen here only.

Lines follow the nominal pi circuit; transformers stand in `trafos`, the rules for cells in `table_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray, frozen
from gridcheck.errors import NetworkError, UnsupportedElementError
from gridcheck.network.columns import flags, ids, numbers, rows_in_service, source_rows, texts
from gridcheck.network.records import Branches, BranchKind, Buses, Network, Switches
from gridcheck.network.table_rules import NETWORK_TABLES, check_cells, check_fit
from gridcheck.network.tables import Tables, refuse_unmodelled
from gridcheck.network.trafos import refuse_unmodelled_trafos, trafo_columns

# pandapower gives a switch with an impedance twice as much resistance as reactance.
_SWITCH_R_PER_Z, _SWITCH_X_PER_Z = 2.0 / 5.0**0.5, 1.0 / 5.0**0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Base:
    """What every conversion needs: bus positions, nominal voltages and the bases."""

    position: pd.Series[int]
    vn_kv: FloatArray
    f_hz: float
    sn_mva: float

    def bus(self, frame: pd.DataFrame, column: str) -> IntArray:
        """Return positions of the buses that a column names."""
        return frozen(self.position.reindex(ids(frame, column)), np.int64)


def network_from_tables(
    tables: Tables, *, name: str, f_hz: float = 50.0, sn_mva: float = 1.0, source: str = "network"
) -> Network:
    """Build a `Network` from pandapower element tables.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        At least ``bus`` and a source (``ext_grid``, or ``gen`` with ``slack``), indexed by pandapower's index.
    name, source : str
        Name of the network, and what error messages call the file.
    f_hz, sn_mva : float
        Frequency and power base. [Hz], [MVA]

    Returns
    -------
    Network
        Lines come first, then transformers, impedances and bus-bus switches, each in index order.

    Raises
    ------
    NetworkError
        Missing columns, unknown buses, impossible values, ids that stand twice; all findings at once.
    UnsupportedElementError
        Elements and settings that pandapower knows and gridcheck does not model.
    """
    refuse_unmodelled(tables, source=source)
    bus = tables["bus"].sort_index()
    check_cells(tables, NETWORK_TABLES, bus_id=bus.index, source=source)
    check_fit(tables, source=source)
    _refuse_unmodelled(tables, source)
    slack = source_rows(tables)
    position = pd.Series(np.arange(len(bus)), index=bus.index)
    base = _Base(position=position, vn_kv=numbers(bus, "vn_kv"), f_hz=f_hz, sn_mva=sn_mva)
    alive = flags(bus, "in_service", default=True)
    _require_source(slack, alive[base.bus(slack, "bus")], source)
    columns = _branch_columns(tables, base)
    switches = _switches(tables, columns)
    from_closed, to_closed = _end_states(switches, len(columns["branch_id"]))
    from_closed &= ~columns.pop("is_open")
    branches = Branches(**columns, from_closed=from_closed, to_closed=to_closed)
    g_pu, b_pu = _shunts(tables, base)
    add_open_ends(branches, g_pu, b_pu, alive=alive)
    return Network(
        name=name,
        f_hz=f_hz,
        sn_mva=sn_mva,
        buses=Buses(
            bus_id=bus.index.to_numpy(dtype=np.int64),
            vn_kv=base.vn_kv,
            g_pu=g_pu,
            b_pu=b_pu,
            in_service=alive,
            name=texts(bus, "name"),
        ),
        branches=branches,
        switches=switches,
        slack_bus=base.bus(slack, "bus"),
        slack_vm_pu=numbers(slack, "vm_pu"),
        slack_va_degree=numbers(slack, "va_degree"),
    )


def _require_source(slack: pd.DataFrame, alive: BoolArray, source: str) -> None:
    if not alive.any():
        findings = [f"{row.table} {row.Index}: its bus {row.bus} is out of service" for row in slack.itertuples()]
        raise NetworkError(
            f"{source}: no source in service. A network needs at least one (table ext_grid).", findings[:20]
        )


def _refuse_unmodelled(tables: Tables, source: str) -> None:
    refuse_unmodelled_trafos(rows_in_service(tables.get("trafo")), source=source)
    shunt = rows_in_service(tables.get("shunt"))
    by_table = shunt.index[flags(shunt, "step_dependency_table", default=False)]
    if len(by_table):
        findings = [f"shunt {i}: step_dependency_table" for i in by_table[:20]]
        raise UnsupportedElementError(f"{source}: shunts with a table of steps are not modelled.", findings)
    impedance = rows_in_service(tables.get("impedance"))
    findings = [
        f"impedance {i}: {part}ft_pu and {part}tf_pu differ"
        for part in "rx"
        for i in impedance.index[numbers(impedance, f"{part}ft_pu") != numbers(impedance, f"{part}tf_pu")][:20]
    ]
    if findings:
        raise UnsupportedElementError(f"{source}: impedances that depend on the direction are not modelled.", findings)


def _branch_columns(tables: Tables, base: _Base) -> dict[str, Any]:
    """Return lines, transformers, impedances and bus-bus switches one below the other."""
    parts = [part for read in (_lines, _trafos, _impedances, _bus_switches) if (part := read(tables, base))]
    parts = parts or [_branch_part(0)]
    columns: dict[str, Any] = {key: np.concatenate([np.asarray(part[key]) for part in parts]) for key in parts[0]}
    for key in ("type_name", "name"):
        columns[key] = tuple(str(text) for part in parts for text in part[key])
    return columns


def _branch_part(n: int, **columns: Any) -> dict[str, Any]:
    part: dict[str, Any] = {
        "branch_id": np.zeros(n, dtype=np.int64), "kind": np.zeros(n, dtype=np.int64),
        "from_bus": np.zeros(n, dtype=np.int64), "to_bus": np.zeros(n, dtype=np.int64),
        "r_pu": np.zeros(n), "x_pu": np.zeros(n), "g_from_pu": np.zeros(n), "b_from_pu": np.zeros(n),
        "g_to_pu": np.zeros(n), "b_to_pu": np.zeros(n), "tap_ratio": np.ones(n), "shift_degree": np.zeros(n),
        "rating_from_ka": np.full(n, np.nan), "rating_to_ka": np.full(n, np.nan), "length_km": np.full(n, np.nan),
        "in_service": np.ones(n, dtype=bool), "is_open": np.zeros(n, dtype=bool),
        "type_name": ("",) * n, "name": ("",) * n,
    }  # fmt: skip
    return part | columns


@np.errstate(all="ignore")  # lines out of service may hold anything
def _lines(tables: Tables, base: _Base) -> dict[str, Any]:
    line = tables.get("line")
    if line is None or line.empty:
        return {}
    line = line.sort_index()
    from_bus = base.bus(line, "from_bus")
    length, parallel = numbers(line, "length_km"), numbers(line, "parallel", default=1.0)
    z_base = base.vn_kv[from_bus] ** 2 / base.sn_mva
    b_pu = 2.0 * np.pi * base.f_hz * numbers(line, "c_nf_per_km") * 1e-9 * z_base * length * parallel
    g_pu = numbers(line, "g_us_per_km", default=0.0) * 1e-6 * z_base * length * parallel
    rating = numbers(line, "max_i_ka") * numbers(line, "df", default=1.0) * parallel
    return _branch_part(
        len(line),
        branch_id=line.index.to_numpy(dtype=np.int64),
        from_bus=from_bus,
        to_bus=base.bus(line, "to_bus"),
        r_pu=numbers(line, "r_ohm_per_km") * length / z_base / parallel,
        x_pu=numbers(line, "x_ohm_per_km") * length / z_base / parallel,
        g_from_pu=g_pu / 2,
        b_from_pu=b_pu / 2,
        g_to_pu=g_pu / 2,
        b_to_pu=b_pu / 2,
        rating_from_ka=rating,
        rating_to_ka=rating,
        length_km=length,
        in_service=flags(line, "in_service", default=True),
        type_name=texts(line, "std_type"),
        name=texts(line, "name"),
    )


def _trafos(tables: Tables, base: _Base) -> dict[str, Any]:
    trafo = tables.get("trafo")
    if trafo is None or trafo.empty:
        return {}
    trafo = trafo.sort_index()
    hv_bus, lv_bus = base.bus(trafo, "hv_bus"), base.bus(trafo, "lv_bus")
    return _branch_part(len(trafo), **trafo_columns(trafo, hv_bus, lv_bus, vn_kv=base.vn_kv, sn_mva=base.sn_mva))


@np.errstate(all="ignore")  # impedances out of service may hold anything
def _impedances(tables: Tables, base: _Base) -> dict[str, Any]:
    """Return series impedances; their per unit values hold at the nominal voltage of either bus."""
    impedance = tables.get("impedance")
    if impedance is None or impedance.empty:
        return {}
    impedance = impedance.sort_index()
    to_base = base.sn_mva / numbers(impedance, "sn_mva")
    shunts = {
        f"{part}_{name}_pu": numbers(impedance, f"{part}{end}_pu", default=0.0) / to_base
        for part in "gb"
        for end, name in (("f", "from"), ("t", "to"))
    }
    return _branch_part(
        len(impedance),
        branch_id=impedance.index.to_numpy(dtype=np.int64),
        kind=np.full(len(impedance), BranchKind.IMPEDANCE),
        from_bus=base.bus(impedance, "from_bus"),
        to_bus=base.bus(impedance, "to_bus"),
        r_pu=numbers(impedance, "rft_pu") * to_base,
        x_pu=numbers(impedance, "xft_pu") * to_base,
        in_service=flags(impedance, "in_service", default=True),
        name=texts(impedance, "name"),
        **shunts,
    )


def _bus_switches(tables: Tables, base: _Base) -> dict[str, Any]:
    switch = _switch_table(tables)
    switch = switch[(switch["et"] == "b").to_numpy()]
    if switch.empty:
        return {}
    from_bus = base.bus(switch, "bus")
    z_pu = numbers(switch, "z_ohm", default=0.0) * base.sn_mva / base.vn_kv[from_bus] ** 2
    return _branch_part(
        len(switch),
        branch_id=switch.index.to_numpy(dtype=np.int64),
        kind=np.full(len(switch), BranchKind.SWITCH),
        from_bus=from_bus,
        to_bus=base.bus(switch, "element"),
        r_pu=_SWITCH_R_PER_Z * z_pu,
        x_pu=_SWITCH_X_PER_Z * z_pu,
        is_open=~flags(switch, "closed", default=True),
        name=texts(switch, "name"),
    )


def _switch_table(tables: Tables) -> pd.DataFrame:
    switch = tables.get("switch")
    if switch is None or switch.empty:
        return pd.DataFrame({"bus": [], "element": [], "et": [], "closed": []})
    return switch.sort_index()


def _switches(tables: Tables, columns: dict[str, Any]) -> Switches:
    """Return the switches at the ends of lines and transformers; bus-bus switches are branches."""
    switch = _switch_table(tables)
    switch = switch[switch["et"].isin(["l", "t"])]
    kind = np.where(switch["et"] == "l", int(BranchKind.LINE), int(BranchKind.TRAFO))
    keys = pd.MultiIndex.from_arrays([columns["kind"], columns["branch_id"]])
    place = keys.get_indexer(pd.MultiIndex.from_arrays([kind, ids(switch, "element")])).astype(np.int64)
    bus_position = tables["bus"].sort_index().index.get_indexer(pd.Index(ids(switch, "bus")))
    return Switches(
        switch_id=switch.index.to_numpy(dtype=np.int64),
        branch=place,
        at_to_end=bus_position == columns["to_bus"][place],
        closed=flags(switch, "closed", default=True),
        breaker=np.array(texts(switch, "type"), dtype=np.str_) == "CB",
        remote=flags(switch, "remote", default=False),
        name=texts(switch, "name"),
    )


def _end_states(switches: Switches, n_branch: int) -> tuple[BoolArray, BoolArray]:
    from_closed, to_closed = np.ones(n_branch, dtype=bool), np.ones(n_branch, dtype=bool)
    from_closed[switches.branch[~switches.closed & ~switches.at_to_end]] = False
    to_closed[switches.branch[~switches.closed & switches.at_to_end]] = False
    return from_closed, to_closed


def _shunts(tables: Tables, base: _Base) -> tuple[FloatArray, FloatArray]:
    """Return the admittance of shunts and of the constant-impedance part of wards at each bus."""
    g_pu, b_pu = np.zeros(len(base.vn_kv)), np.zeros(len(base.vn_kv))
    shunt = rows_in_service(tables.get("shunt"))
    if len(shunt):
        bus = base.bus(shunt, "bus")
        rated_kv = numbers(shunt, "vn_kv")
        own_kv = np.where(np.isnan(rated_kv), base.vn_kv[bus], rated_kv)
        scale = numbers(shunt, "step", default=1.0) * (base.vn_kv[bus] / own_kv) ** 2 / base.sn_mva
        np.add.at(g_pu, bus, numbers(shunt, "p_mw") * scale)
        np.add.at(b_pu, bus, -numbers(shunt, "q_mvar") * scale)
    ward = rows_in_service(tables.get("ward"))
    if len(ward):
        bus = base.bus(ward, "bus")
        np.add.at(g_pu, bus, numbers(ward, "pz_mw") / base.sn_mva)
        np.add.at(b_pu, bus, -numbers(ward, "qz_mvar") / base.sn_mva)
    return g_pu, b_pu


def add_open_ends(branches: Branches, g_pu: FloatArray, b_pu: FloatArray, *, alive: BoolArray | None = None) -> None:
    """Add to the buses the admittance that a branch open at one end shows at its other end.

    Parameters
    ----------
    branches : Branches
        The branches.
    g_pu, b_pu : ndarray, shape (n_bus,), written
        Shunt admittances of the buses. [pu]
    alive : ndarray of bool, shape (n_bus,), optional
        False for buses out of service; a line that ends there is open at that end, as in pandapower.
    """
    alive = np.ones(len(g_pu), dtype=bool) if alive is None else alive
    is_line = branches.kind == BranchKind.LINE
    from_closed = branches.from_closed & (alive[branches.from_bus] | ~is_line)
    to_closed = branches.to_closed & (alive[branches.to_bus] | ~is_line)
    has_body = branches.kind != BranchKind.SWITCH
    for k in np.flatnonzero(branches.in_service & has_body & (from_closed ^ to_closed)):
        y_series = 1.0 / complex(branches.r_pu[k], branches.x_pu[k])
        y_from = complex(branches.g_from_pu[k], branches.b_from_pu[k])
        y_to = complex(branches.g_to_pu[k], branches.b_to_pu[k])
        near, far = (y_from, y_to) if from_closed[k] else (y_to, y_from)
        y = near + y_series * far / (y_series + far)
        bus = int(branches.from_bus[k] if from_closed[k] else branches.to_bus[k])
        y /= float(branches.tap_ratio[k]) ** 2 if from_closed[k] else 1.0
        g_pu[bus] += y.real
        b_pu[bus] += y.imag
