"""An area as an OpenDSS script that a person can read, change and run, and that gives the same voltages.

Every line has four conductors, the neutral among them, and every meter is a load between its phase and the neutral.
Names are plain ASCII, ``n12`` for node 12 and ``h7`` for meter 7; comments say what they stand for, in Chinese and
English. The magnetising branch stands as a reactor in delta at the low-voltage busbar, so that it acts in the positive
and the negative sequence alone, and a core of a Yyn0 unit without return path for the flux of the zero sequence as a
third winding in delta.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import FloatArray, IntArray, frozen
from gridcheck.errors import InputError
from gridcheck.network.area_transformers import SN_MVA, VN_LV_KV, VN_MV_KV, AreaTransformer, transformer_branch
from gridcheck.network.low_voltage import THREE_PHASE, LowVoltageGrid, known_phases, line_ohm_per_km
from gridcheck.units import SQRT3

# Between these OpenDSS keeps the power of a load constant, as the load flow here does everywhere.
_LIMITS = "vminpu=0.1 vmaxpu=3"


def opendss_script(
    grid: LowVoltageGrid,
    transformer: AreaTransformer,
    p_kw: npt.ArrayLike,
    q_kvar: npt.ArrayLike,
    *,
    home_phase: IntArray | None = None,
    source_pu: float = 1.0,
) -> str:
    """Return a script that builds an area with the loads of one moment and solves it.

    Parameters
    ----------
    grid : LowVoltageGrid
        Lines and meters.
    transformer : AreaTransformer
        The transformer.
    p_kw, q_kvar : array_like, shape (n_home,)
        What each meter draws. [kW], [kvar]
    home_phase : ndarray of int, shape (n_home,), optional
        Phases as assumed for this moment; those of `grid` by default.
    source_pu : float
        Voltage at the 10 kV side of the transformer. [pu]

    Returns
    -------
    str
        Lines ended by a line feed. Bus ``mv`` is the 10 kV side, ``n0`` the busbar; node 4 of a bus is its neutral.

    Raises
    ------
    InputError
        Loads that do not fit the meters, a meter without a phase, a source voltage that is not positive, a
        voltage regulator in a line.
    """
    if grid.regulators:
        raise InputError(f"area {grid.area_id}: regulators in its lines are not written for OpenDSS.")
    p = frozen(p_kw, np.float64, (grid.n_home,), name="p_kw")
    q = frozen(q_kvar, np.float64, (grid.n_home,), name="q_kvar")
    if not (np.isfinite(p).all() and np.isfinite(q).all() and np.isfinite(source_pu) and source_pu > 0):
        raise InputError(f"area {grid.area_id}: loads must be numbers, and source_pu greater than 0.")
    phase = known_phases(grid, home_phase)
    lines = [
        *_head(grid, source_pu),
        *_transformer(transformer),
        *_conductors(grid),
        *_lines(grid),
        *_loads(grid, p, q, phase),
        *_tail(),
    ]
    return "\n".join(lines) + "\n"


def _head(grid: LowVoltageGrid, source_pu: float) -> Iterator[str]:
    origin = (
        "合成线路，非实际资产 / synthetic lines, no built assets" if grid.is_synthetic else "录入线路 / recorded lines"
    )
    yield f"! 台区 {_comment(grid.area_id)}：{origin}"
    yield "! 节点 n0 为低压母线；每条母线的第4个端子为中性线 / n0 is the low-voltage busbar; terminal 4 is the neutral"
    yield "clear"
    # Before there is a circuit, or its source stays at 60 Hz.
    yield "set defaultbasefrequency=50"
    yield (
        f"new circuit.area bus1=mv basekv={VN_MV_KV:g} pu={source_pu:.17g} angle=0 phases=3 r1=1e-9 x1=1e-9 r0=1e-9 "
        "x0=1e-9"
    )


def _transformer(transformer: AreaTransformer) -> Iterator[str]:
    unit = transformer_branch(transformer)
    per_cent = transformer.kva / 1000.0 / SN_MVA * (VN_LV_KV / transformer.vn_lv_kv) ** 2 * 100.0
    z = unit.z_pu * per_cent
    kva, tap = transformer.kva, 1.0 + transformer.tap_pos * transformer.tap_step_percent / 100.0
    kv = (transformer.vn_hv_kv, transformer.vn_lv_kv)
    yield ""
    yield (
        f"! 变压器 {_comment(transformer.type_name)}，{kva:g} kVA，{transformer.vector_group}，分接头 "
        f"{transformer.tap_pos:+d} / transformer, vector group, tap"
    )
    if transformer.vector_group == "Dyn11":
        yield (
            f"new transformer.t phases=3 windings=2 buses=(mv.1.2.3, n0.1.2.3.4) conns=(delta, wye) "
            f"kvs=({kv[0]:.17g}, {kv[1]:.17g}) kvas=({kva:.17g}, {kva:.17g}) taps=({tap:.17g}, 1) "
            f"%rs=({z.real / 2:.17g}, {z.real / 2:.17g}) xhl={z.imag:.17g} leadlag=lead %imag=0 %noloadloss=0 "
            "ppm_antifloat=0"
        )
    else:
        # What the star of the low-voltage side sees in the zero sequence is its leakage to the delta.
        seen = unit.z0_pu * per_cent
        yield (
            f"new transformer.t phases=3 windings=3 buses=(mv.1.2.3.4, n0.1.2.3.4, core.1.2.3) "
            f"conns=(wye, wye, delta) kvs=({kv[0]:.17g}, {kv[1]:.17g}, 1) kvas=({kva:.17g}, {kva:.17g}, {kva:.17g}) "
            f"taps=({tap:.17g}, 1, 1) %rs=({z.real / 2:.17g}, {z.real / 2:.17g}, {seen.real - z.real / 2:.17g}) "
            f"xhl={z.imag:.17g} xht={seen.imag:.17g} xlt={seen.imag:.17g} %imag=0 %noloadloss=0 ppm_antifloat=0.01"
        )
    siemens = unit.y_pu * SN_MVA / VN_LV_KV**2
    place = f"phases=3 conn=delta bus1=n0.1.2.3 kv={VN_LV_KV:g}"
    if siemens.real > 0:
        yield f"new reactor.iron_loss {place} r={3.0 / siemens.real:.17g} x=0"
    if siemens.imag < 0:
        yield f"new reactor.magnetising {place} r=0 x={-3.0 / siemens.imag:.17g}"
    yield "! 中性点接地（仅此一处，无电流）/ the neutral is earthed here alone, so that no current flows to earth"
    yield "new reactor.earth phases=1 bus1=n0.4 bus2=n0.0 r=0.001 x=0"


def _conductors(grid: LowVoltageGrid) -> Iterator[str]:
    yield ""
    yield "! 导线：四线同型，欧姆每公里 / conductors, four equal wires, ohm per km"
    for number, name in enumerate(_types(grid), start=1):
        z = line_ohm_per_km(name)
        yield (
            f"new linecode.c{number} nphases=4 units=km rmatrix={_diagonal(z.real)} xmatrix={_diagonal(z.imag)} "
            f"cmatrix={_diagonal(0.0)} ! {_comment(name)}"
        )


def _lines(grid: LowVoltageGrid) -> Iterator[str]:
    code = {name: number for number, name in enumerate(_types(grid), start=1)}
    yield ""
    yield "! 线路 / lines"
    for k in range(1, grid.n_node):
        yield (
            f"new line.l{k} phases=4 bus1=n{grid.parent[k]}.1.2.3.4 bus2=n{k}.1.2.3.4 "
            f"linecode=c{code[grid.type_name[k]]} length={grid.length_m[k] / 1000.0:.17g} units=km "
            f"! {_comment(grid.node_name[k])}"
        )


def _loads(grid: LowVoltageGrid, p_kw: FloatArray, q_kvar: FloatArray, phase: IntArray) -> Iterator[str]:
    yield ""
    yield "! 用户 / meters"
    for k, home in enumerate(grid.home_id):
        bus = f"n{grid.home_node[k]}"
        if phase[k] == THREE_PHASE:
            where = f"phases=3 conn=wye bus1={bus}.1.2.3.4 kv={VN_LV_KV:g}"
        else:
            where = f"phases=1 bus1={bus}.{phase[k] + 1}.4 kv={VN_LV_KV / SQRT3:.17g}"
        yield f"new load.h{k} {where} model=1 {_LIMITS} kw={p_kw[k]:.17g} kvar={q_kvar[k]:.17g} ! {_comment(home)}"


def _tail() -> Iterator[str]:
    yield ""
    yield f"set voltagebases=[{VN_MV_KV:g}, {VN_LV_KV:g}, 1]"
    yield "calcvoltagebases"
    yield "set controlmode=off"
    yield "set maxiterations=1000"
    yield "set tolerance=1e-12"
    yield "solve mode=snapshot"
    yield "! 查看各相对中性线电压：去掉下一行的感叹号 / take the mark away to see the voltages"
    yield "! show voltages LN nodes"


def _types(grid: LowVoltageGrid) -> list[str]:
    return list(dict.fromkeys(grid.type_name[1:]))


def _diagonal(value: float) -> str:
    rows = [" ".join(["0"] * k + [f"{value:.17g}"]) for k in range(4)]
    return "[" + " | ".join(rows) + "]"


def _comment(text: str) -> str:
    """Keep a name from ending its comment: it comes from a file of somebody else."""
    return " ".join(text.split())
