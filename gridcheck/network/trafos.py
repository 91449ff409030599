r"""Two-winding transformers: nameplates, taps and the T circuit become branches.

Transformers follow pandapower's default model: a T circuit with half the leakage on either side of the
magnetising branch, turned into a pi circuit.

References
----------
.. [1] L. Thurner et al., "pandapower: An Open-Source Python Tool for Convenient Modeling, Analysis, and
   Optimization of Electric Power Systems", IEEE Transactions on Power Systems 33(6), 2018, section III.
   DOI 10.1109/TPWRS.2018.2829021
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray, IntArray
from gridcheck.errors import UnsupportedElementError
from gridcheck.network.columns import flags, numbers, texts
from gridcheck.network.records import BranchKind
from gridcheck.units import SQRT3

ComplexArray = npt.NDArray[np.complex128]

_TAPS = ("tap", "tap2")
# Both change the voltage along an angle ('Tabular' needs a model of its own); 'Ideal' only turns it.
_COMPLEX_TAPS = ("Ratio", "Symmetrical")
_IDEAL_TAP = "Ideal"


@np.errstate(all="ignore")  # transformers out of service may hold anything
def trafo_columns(
    trafo: pd.DataFrame, hv_bus: IntArray, lv_bus: IntArray, *, vn_kv: FloatArray, sn_mva: float
) -> dict[str, Any]:
    """Return the columns of `Branches` for two-winding transformers.

    Parameters
    ----------
    trafo : DataFrame
        The element table.
    hv_bus, lv_bus : ndarray of int, shape (n_trafo,)
        Positions of their buses.
    vn_kv : ndarray, shape (n_bus,)
        Nominal voltages. [kV]
    sn_mva : float
        Power base. [MVA]

    Returns
    -------
    dict of str to array
        From is the high-voltage side; the columns that a transformer does not have are left out.
    """
    vn_hv, vn_lv, shift = tapped_voltages(trafo)
    rated_mva, parallel = numbers(trafo, "sn_mva"), numbers(trafo, "parallel", default=1.0)
    to_base = (vn_lv / vn_kv[lv_bus]) ** 2 / parallel
    z_series, y_from, y_to = _t_to_pi(*_t_circuit(trafo, rated_mva, to_base=to_base, sn_mva=sn_mva))
    rated = rated_mva * numbers(trafo, "df", default=1.0) * parallel / SQRT3
    return {
        "branch_id": trafo.index.to_numpy(dtype=np.int64),
        "kind": np.full(len(trafo), BranchKind.TRAFO),
        "from_bus": hv_bus,
        "to_bus": lv_bus,
        "r_pu": z_series.real,
        "x_pu": z_series.imag,
        "g_from_pu": y_from.real,
        "b_from_pu": y_from.imag,
        "g_to_pu": y_to.real,
        "b_to_pu": y_to.imag,
        "tap_ratio": (vn_hv / vn_lv) / (vn_kv[hv_bus] / vn_kv[lv_bus]),
        "shift_degree": shift,
        "rating_from_ka": rated / numbers(trafo, "vn_hv_kv"),
        "rating_to_ka": rated / numbers(trafo, "vn_lv_kv"),
        "in_service": flags(trafo, "in_service", default=True),
        "type_name": texts(trafo, "std_type"),
        "name": texts(trafo, "name"),
    }


def refuse_unmodelled_trafos(trafo: pd.DataFrame, *, source: str) -> None:
    """Refuse transformers in service with settings that pandapower knows and `trafo_columns` does not.

    Raises
    ------
    UnsupportedElementError
        Tap changers of unknown kind off neutral, ideal ones whose step is not clear, tables of tap positions,
        impedances that depend on the position, leakage that is not halved between the sides.
    """
    findings = []
    for tap in _TAPS:
        ideal = _moved(trafo, tap) & (_tap_kind(trafo, tap) == _IDEAL_TAP)
        findings += [
            f"trafo {i}: {tap}_changer_type {_IDEAL_TAP} needs either {tap}_step_degree or a {tap}_step_percent "
            "that turns by less than a half turn"
            for i in trafo.index[ideal & np.isnan(_ideal_angle_degree(trafo, tap))]
        ]
        odd = _moved(trafo, tap) & ~np.isin(_tap_kind(trafo, tap), ("", _IDEAL_TAP, *_COMPLEX_TAPS))
        column = f"{tap}_changer_type" if f"{tap}_changer_type" in trafo else f"{tap}_phase_shifter"
        findings += [f"trafo {i}: {column} {trafo[column][i]}" for i in trafo.index[odd]]
        by_table = flags(trafo, f"{tap}_dependency_table", default=False)
        findings += [f"trafo {i}: {tap}_dependency_table" for i in trafo.index[by_table]]
    if "tap_dependency_table" not in trafo:  # pandapower before 3.0
        by_position = flags(trafo, "tap_dependent_impedance", default=False)
        findings += [f"trafo {i}: tap_dependent_impedance" for i in trafo.index[by_position]]
    for column in ("leakage_resistance_ratio_hv", "leakage_reactance_ratio_hv"):
        uneven = numbers(trafo, column, default=0.5) != 0.5
        findings += [f"trafo {i}: {column} {trafo[column][i]} instead of 0.5" for i in trafo.index[uneven]]
    if findings:
        raise UnsupportedElementError(f"{source}: transformers with settings that are not modelled.", findings[:20])


def _steps(trafo: pd.DataFrame, tap: str) -> FloatArray:
    """Return the steps off the neutral position; 0 where either cell is empty, as in pandapower."""
    neutral = numbers(trafo, f"{tap}_neutral") if f"{tap}_neutral" in trafo else np.zeros(len(trafo))
    steps = numbers(trafo, f"{tap}_pos") - neutral
    return np.where(np.isnan(steps), 0.0, steps)


def _moved(trafo: pd.DataFrame, tap: str) -> BoolArray:
    """Tell where a tap changer stands off its neutral position."""
    result: BoolArray = (_steps(trafo, tap) != 0) & np.isin(texts(trafo, f"{tap}_side"), ["hv", "lv"])
    return result


def _ideal_angle_degree(trafo: pd.DataFrame, tap: str) -> FloatArray:
    """Return the angle by which an ideal phase shifter turns; NaN where its columns do not say it clearly."""
    steps, degree = _steps(trafo, tap), numbers(trafo, f"{tap}_step_degree", default=0.0)
    percent = numbers(trafo, f"{tap}_step_percent", default=0.0)
    # The chord between two voltages of equal length: percent of the voltage.
    with np.errstate(invalid="ignore"):
        by_chord = 2.0 * np.rad2deg(np.arcsin(steps * percent / 100.0 / 2.0))
    return np.where(degree == 0, by_chord, np.where(percent == 0, steps * degree, np.nan))


def _tap_kind(trafo: pd.DataFrame, tap: str) -> npt.NDArray[np.str_]:
    """Return the kind of each tap changer; pandapower does not move a tap without one."""
    if f"{tap}_changer_type" in trafo or f"{tap}_phase_shifter" not in trafo:
        return np.array(texts(trafo, f"{tap}_changer_type"), dtype=np.str_)
    # pandapower before 3.0; what it took for an ideal phase shifter, later ones read as something else.
    return np.where(flags(trafo, f"{tap}_phase_shifter", default=False), "of pandapower 2", "Ratio")


def tapped_voltages(trafo: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the rated voltages and the phase shift at the present tap position. [kV], [kV], [degree]"""
    vn = {"hv": numbers(trafo, "vn_hv_kv"), "lv": numbers(trafo, "vn_lv_kv")}
    shift = numbers(trafo, "shift_degree", default=0.0)
    for tap in _TAPS:
        kind = _tap_kind(trafo, tap)
        moved, turned = (_moved(trafo, tap) & np.isin(kind, kinds) for kinds in (_COMPLEX_TAPS, _IDEAL_TAP))
        delta = _steps(trafo, tap) * numbers(trafo, f"{tap}_step_percent", default=0.0) / 100.0
        angle = np.deg2rad(numbers(trafo, f"{tap}_step_degree", default=0.0))
        side = np.array(texts(trafo, f"{tap}_side"))
        for end, direction in (("hv", 1.0), ("lv", -1.0)):
            here = moved & (side == end)
            along, across = vn[end] * (1.0 + delta * np.cos(angle)), vn[end] * delta * np.sin(angle)
            shift = np.where(here, shift + np.rad2deg(np.arctan2(direction * across, along)), shift)
            vn[end] = np.where(here, np.hypot(along, across), vn[end])
            ideal = turned & (side == end)
            shift = np.where(ideal, shift + direction * _ideal_angle_degree(trafo, tap), shift)
    return vn["hv"], vn["lv"], shift


def _t_circuit(
    trafo: pd.DataFrame, rated_mva: FloatArray, *, to_base: FloatArray, sn_mva: float
) -> tuple[ComplexArray, ComplexArray]:
    """Return leakage impedance and magnetising admittance; `to_base` turns own into network impedances at 1 MVA."""
    z_pu = numbers(trafo, "vk_percent") / 100.0 * to_base * sn_mva / rated_mva
    r_pu = numbers(trafo, "vkr_percent") / 100.0 * to_base * sn_mva / rated_mva
    x_pu = np.sqrt(np.maximum(z_pu**2 - r_pu**2, 0.0))
    pfe_mw = numbers(trafo, "pfe_kw") / 1000.0
    no_load_mva = numbers(trafo, "i0_percent") / 100.0 * rated_mva
    y_mag = (pfe_mw - 1j * np.sqrt(np.maximum(no_load_mva**2 - pfe_mw**2, 0.0))) / (to_base * sn_mva)
    return r_pu + 1j * x_pu, y_mag


def _t_to_pi(z: ComplexArray, y_mag: ComplexArray) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
    """Turn a T circuit with equal halves of `z` around `y_mag` into series impedance and two shunts."""
    half = z / 2.0
    # Star to triangle with z_c = 1 / y_mag: z_ab = z_a + z_b + z_a z_b y_mag, y_ac = y_mag z_b / z_ab.
    series = z + half * half * y_mag
    shunt = y_mag * half / series
    return series, shunt, shunt
