"""The same feeder in OpenDSS: explicit four-wire lines, a neutral node, reactors to earth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from dss import DSS

from tests.support.four_wire_nets import LvFeeder

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Conductors:
    """Impedances of the low-voltage lines by table row. [ohm/km]"""

    phase_self: npt.NDArray[np.complex128]
    phase_mutual: npt.NDArray[np.complex128]
    neutral_self: npt.NDArray[np.complex128]
    phase_neutral: npt.NDArray[np.complex128]


def run(*commands: str) -> None:
    for command in commands:
        DSS.Text.Command = command


def _triangle(diagonal: list[float], mutual: float, to_neutral: float) -> str:
    rows = [[diagonal[0]], [mutual, diagonal[1]], [mutual, mutual, diagonal[2]], [to_neutral] * 3 + [diagonal[3]]]
    return "[" + " | ".join(" ".join(f"{cell:.17g}" for cell in row) for row in rows) + "]"


def build(feeder: LvFeeder, conductors: Conductors, earth_ohm: Mapping[int, float]) -> None:
    """Build the circuit; the transformer is Dyn11 or Yyn0 by its vector group, `earth_ohm` by bus."""
    source, line, trafo = feeder.tables["ext_grid"].iloc[0], feeder.tables["line"], feeder.tables["trafo"].iloc[0]
    run(
        "clear",
        "set defaultbasefrequency=50",  # before there is a circuit, or its source stays at 60 Hz
        f"new circuit.feeder bus1=b0 basekv=10 pu={source.vm_pu:.17g} angle={source.va_degree:.17g} phases=3 "
        "r1=1e-9 x1=1e-9 r0=1e-9 x0=1e-9",
    )
    first = line.iloc[0]
    r, x, r0, x0 = (float(first[f"{kind}_ohm_per_km"] * first["length_km"]) for kind in ("r", "x", "r0", "x0"))
    run(f"new line.l0 bus1=b0 bus2=b1 phases=3 r1={r:.17g} x1={x:.17g} r0={r0:.17g} x0={x0:.17g} c1=0 c0=0 length=1")
    _trafo(trafo)
    _lines(line, conductors)
    for bus, ohm in earth_ohm.items():
        run(f"new reactor.earth{bus} phases=1 bus1=b{bus}.4 bus2=b{bus}.0 r={ohm:.17g} x=0")


def _trafo(trafo: pd.Series) -> None:
    kva, r, z = trafo.sn_mva * 1e3, trafo.vkr_percent, trafo.vk_percent
    x = (z**2 - r**2) ** 0.5
    tap = 1 + trafo.tap_step_percent / 100 * trafo.tap_pos
    if trafo.vector_group == "Dyn":
        run(
            f"new transformer.t phases=3 windings=2 buses=(b1.1.2.3, b2.1.2.3.4) conns=(delta, wye) kvs=(10, 0.4) "
            f"kvas=({kva:.17g}, {kva:.17g}) taps=({tap:.17g}, 1) %rs=({r / 2:.17g}, {r / 2:.17g}) xhl={x:.17g} "
            "leadlag=lead %imag=0 %noloadloss=0 ppm_antifloat=0"
        )
        return
    # A core without return path for the zero-sequence flux acts like a third winding in delta: what the star of the
    # low-voltage side sees is the leakage between it and the delta.
    r0, z0 = trafo.vkr0_percent, trafo.vk0_percent
    half = (1 - trafo.si0_hv_partial) * (r0 + 1j * (z0**2 - r0**2) ** 0.5)
    core = trafo.mag0_percent / 100 * z0 * (trafo.mag0_rx + 1j) / (trafo.mag0_rx**2 + 1) ** 0.5
    seen = half + core
    run(
        f"new transformer.t phases=3 windings=3 buses=(b1.1.2.3.4, b2.1.2.3.4, t.1.2.3) conns=(wye, wye, delta) "
        f"kvs=(10, 0.4, 1) kvas=({kva:.17g}, {kva:.17g}, {kva:.17g}) taps=({tap:.17g}, 1, 1) "
        f"%rs=({r / 2:.17g}, {r / 2:.17g}, {seen.real - r / 2:.17g}) xhl={x:.17g} xht={seen.imag:.17g} "
        f"xlt={seen.imag:.17g} %imag=0 %noloadloss=0 ppm_antifloat=0.01"
    )


def _lines(line: pd.DataFrame, given: Conductors) -> None:
    for k in range(1, len(line)):
        row = line.iloc[k]
        parts = []
        for name, part in (("rmatrix", np.real), ("xmatrix", np.imag)):
            own, neutral = float(part(given.phase_self[k])), float(part(given.neutral_self[k]))
            mutual, to_neutral = float(part(given.phase_mutual[k])), float(part(given.phase_neutral[k]))
            parts.append(f"{name}={_triangle([own] * 3 + [neutral], mutual, to_neutral)}")
        zero = _triangle([0.0] * 4, 0.0, 0.0)
        run(
            f"new line.l{k} bus1=b{row.from_bus:.0f}.1.2.3.4 bus2=b{row.to_bus:.0f}.1.2.3.4 phases=4 "
            f"{' '.join(parts)} cmatrix={zero} length={row.length_km:.17g} units=km"
        )


def add_loads(p_mw: Array, q_mvar: Array) -> list[tuple[int, int]]:
    """Add a single-phase load for each loaded bus and phase, (n_bus, 3); return their places."""
    places = [(int(b), int(p)) for b, p in np.argwhere((p_mw != 0) | (q_mvar != 0))]
    for bus, phase in places:
        # Beyond its voltage limits OpenDSS turns a load into an impedance.
        run(
            f"new load.d{bus}_{phase} phases=1 bus1=b{bus}.{phase + 1}.4 kv={0.4 / 3**0.5:.17g} model=1 vminpu=0.1 "
            f"vmaxpu=3 kw={p_mw[bus, phase] * 1e3:.17g} kvar={q_mvar[bus, phase] * 1e3:.17g}"
        )
    return places


def solve(tolerance: float = 1e-13) -> None:
    run("set voltagebases=[10, 0.4, 1]", "calcvoltagebases", "set controlmode=off", "set maxiterations=1000",
        f"set tolerance={tolerance:g}", "solve mode=snapshot")  # fmt: skip
    assert DSS.ActiveCircuit.Solution.Converged


def bus_voltages(n_bus: int) -> npt.NDArray[np.complex128]:
    """Voltages to earth of phases and neutral by bus, (n_bus, 4), 0 where there is no neutral. [V]"""
    result = np.zeros((n_bus, 4), dtype=np.complex128)
    for bus in range(n_bus):
        DSS.ActiveCircuit.SetActiveBus(f"b{bus}")
        active = DSS.ActiveCircuit.ActiveBus
        values = np.asarray(active.Voltages, dtype=np.float64).view(np.complex128)
        for node, value in zip(active.Nodes, values, strict=True):
            if node <= 4 and (node <= 3 or bus >= 2):
                result[bus, node - 1] = value
    return result


def line_currents(n_line: int) -> npt.NDArray[np.complex128]:
    """Currents at the first end of the low-voltage lines, (n_line, 4); the first row, a line of 10 kV, stays 0. [A]"""
    result = np.zeros((n_line, 4), dtype=np.complex128)
    for k in range(1, n_line):
        DSS.ActiveCircuit.SetActiveElement(f"line.l{k}")
        values = np.asarray(DSS.ActiveCircuit.ActiveCktElement.Currents, dtype=np.float64).view(np.complex128)
        result[k] = values[:4]
    return result


def losses_mw() -> float:
    return float(DSS.ActiveCircuit.Losses[0]) / 1e6


def add_load_courses(p_mw: Array, q_mvar: Array) -> None:
    """Add single-phase loads that follow a shape of their own over all cases, (n_case, n_bus, 3)."""
    n_case = len(p_mw)
    for bus, phase in np.argwhere(p_mw.any(axis=0)):
        name = f"{bus}_{phase}"
        kw, kvar = p_mw[:, bus, phase] * 1e3, q_mvar[:, bus, phase] * 1e3
        run(
            f"new loadshape.s{name} npts={n_case} interval=1 useactual=yes "
            f"mult=({' '.join(map(repr, kw.tolist()))}) qmult=({' '.join(map(repr, kvar.tolist()))})",
            f"new load.d{name} phases=1 bus1=b{bus}.{phase + 1}.4 kv={0.4 / 3**0.5:.17g} model=1 "
            f"vminpu=0.1 vmaxpu=3 kw=1 kvar=1 daily=s{name}",
        )


def solve_courses(n_case: int, tolerance: float) -> None:
    """Solve all cases one after the other inside OpenDSS."""
    run(
        "set voltagebases=[10, 0.4, 1]",
        "calcvoltagebases",
        "set controlmode=off",
        "set maxiterations=1000",
        f"set tolerance={tolerance:g}",
        f"set mode=daily stepsize=1h number={n_case} hour=0 sec=0",
        "solve",
    )
    assert DSS.ActiveCircuit.Solution.Converged
