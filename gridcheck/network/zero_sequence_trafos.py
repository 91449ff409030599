r"""Zero sequence of two-winding transformers, by vector group.

The T circuit of pandapower's ``runpp_3ph``: leakage ``vk0_percent``, of which ``si0_hv_partial`` stands at the
high-voltage side, around a magnetising impedance of ``mag0_percent`` percent of the leakage. With
:math:`z_1, z_2` the leakage of either side and :math:`z_3` the magnetising impedance, the low-voltage side sees

.. math::
    \text{Dyn:}\quad & z_2 + \frac{z_1 z_3}{z_1 + z_3} \\
    \text{Yyn:}\quad & z_2 + z_3 \\
    \text{Yzn:}\quad & (z_2 + z_3) / 1.1547

and YNyn lets the zero sequence pass through the whole circuit. The factor of the zigzag is pandapower's and makes
the same tables give the same result in both; there it also multiplies by ``sn_mva``, which is right at 1 MVA only.
In a Yyn transformer the zero sequence has no partner in the primary, so that z_3 is small where the core has three
legs and the flux closes through the tank, and large in cores with five.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.errors import UnsupportedElementError
from gridcheck.network.columns import flags, numbers, texts
from gridcheck.network.records import BranchKind, Network
from gridcheck.network.trafos import ComplexArray, tapped_voltages

# Zero-sequence magnetising impedance of a three-legged core on its own base: 0.4 to 1.5 pu; confidence G-.
CORE_Z0_PU = 0.7
_ZIGZAG_FACTOR = 1.1547  # pandapower's 2 / sqrt(3), to its number of digits
_GROUP = re.compile(r"(dyn|yyn|ynyn|yzn)(\d{1,2})?", flags=re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZeroSequenceTrafos:
    """Zero sequence of the rows of a transformer table.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (n_trafo,)
        ``r0``, ``x0``, ``g0_from``, ``b0_from``, ``g0_to``, ``b0_to`` and ``zero_ratio`` of `FourWireNetwork`.
    earth_ohm : ndarray, shape (n_trafo,)
        Earthing resistance of the star point where it is given and there is a neutral, else 0. [ohm]
    """

    columns: dict[str, FloatArray]
    earth_ohm: FloatArray


def refuse_unmodelled_groups(trafo: pd.DataFrame, *, source: str) -> None:
    """Refuse transformers in service whose vector group is missing or not modelled.

    Raises
    ------
    UnsupportedElementError
        Naming the transformers; modelled are Dyn, Yyn, YNyn and Yzn, with or without clock number.
    """
    findings = []
    if trafo.empty:
        return
    shift, tapped = numbers(trafo, "shift_degree", default=0.0), tapped_voltages(trafo)[2]
    for i, group, degree, turned in zip(trafo.index, texts(trafo, "vector_group"), shift, tapped, strict=True):
        match = _GROUP.fullmatch(group)
        if match is None:
            findings.append(f"trafo {i}: vector_group {group or 'is missing'}; modelled are Dyn, Yyn, YNyn and Yzn")
        elif match[2] is not None and abs((float(degree) - 30.0 * int(match[2]) + 180.0) % 360.0 - 180.0) > 1e-6:
            findings.append(f"trafo {i}: vector_group {group} does not go with shift_degree {degree:g}")
        elif match[1].lower() == "ynyn" and turned % 60.0 != 0.0:
            findings.append(f"trafo {i}: vector_group {group} with a phase shift of {turned:g}, no multiple of 60")
    if findings:
        raise UnsupportedElementError(f"{source}: transformers that are not modelled by phase.", findings[:20])


def trafo_faults(trafo: pd.DataFrame) -> list[str]:
    """Return what is missing or impossible in the zero sequence of transformers in service."""
    if trafo.empty:
        return []
    group = _groups(trafo)
    is_given = {"mag0_percent": np.isfinite(numbers(trafo, "mag0_percent"))}
    needs_core = (group != "yyn") | is_given["mag0_percent"]
    everywhere = np.ones(len(trafo), dtype=bool)
    rules: tuple[tuple[str, BoolArray, float, float, str], ...] = (
        ("vk0_percent", everywhere, 1e-9, np.inf, "usually near vk_percent"),
        ("vkr0_percent", everywhere, 0.0, np.inf, "usually near vkr_percent"),
        ("mag0_percent", needs_core, 1e-9, np.inf, "magnetising over leakage impedance of the zero sequence"),
        ("mag0_rx", needs_core, 0.0, np.inf, "0 for a magnetising reactance"),
        ("si0_hv_partial", everywhere, 0.0, 1.0, "0.5 for halves"),
    )
    findings = []
    for column, needed, low, high, hint in rules:
        value = numbers(trafo, column)
        wrong = needed & ~(np.isfinite(value) & (value >= low) & (value <= high))
        findings += [
            f"trafo {i}: {column} is missing or impossible ({value[k]:g}); {hint}"
            for i, k in zip(trafo.index[wrong], np.flatnonzero(wrong), strict=True)
        ]
    above = numbers(trafo, "vkr0_percent") > numbers(trafo, "vk0_percent")
    findings += [f"trafo {i}: vkr0_percent is greater than vk0_percent" for i in trafo.index[above]]
    for column in ("xn_ohm", "rn_ohm"):
        odd = ~(numbers(trafo, column, default=0.0) >= 0.0)
        findings += [f"trafo {i}: {column} must be at least 0" for i in trafo.index[odd]]
    return findings


def _groups(trafo: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    matches = [_GROUP.fullmatch(group) for group in texts(trafo, "vector_group")] or [None] * len(trafo)
    return np.array(["" if match is None else match[1].lower() for match in matches], dtype=np.str_)


@np.errstate(all="ignore")  # transformers out of service may hold anything
def zero_sequence_trafos(
    trafo: pd.DataFrame, balanced: Network, *, has_neutral: BoolArray, core_z0_pu: float
) -> ZeroSequenceTrafos:
    """Return the zero sequence of all rows of a transformer table, in its order.

    Parameters
    ----------
    trafo : DataFrame
        The element table; rows in service have passed `trafo_faults`.
    balanced : Network
        The network that was made of it.
    has_neutral : ndarray of bool, shape (n_bus,)
        Four-wire buses.
    core_z0_pu : float
        Magnetising impedance of Yyn transformers without ``mag0_percent``, on their own base. [pu]

    Raises
    ------
    UnsupportedElementError
        Star points earthed through a reactance where there is a neutral, or through anything at YNyn.
    """
    k = np.flatnonzero(balanced.branches.kind == BranchKind.TRAFO)
    to_bus = balanced.branches.to_bus[k]
    group, four_wire = _groups(trafo), has_neutral[to_bus]
    _, vn_lv, _ = tapped_voltages(trafo)
    own_base = numbers(trafo, "sn_mva") * numbers(trafo, "parallel", default=1.0)
    per_percent = (vn_lv / balanced.buses.vn_kv[to_bus]) ** 2 * balanced.sn_mva / own_base / 100.0
    leak, core = _t_circuit(trafo, per_percent, core_percent=100.0 * core_z0_pu)
    z_n: ComplexArray = 3.0 * (
        numbers(trafo, "rn_ohm", default=0.0) + np.complex128(1j) * numbers(trafo, "xn_ohm", default=0.0)
    )
    _refuse_earthing(trafo, group, four_wire, z_n)
    high = numbers(trafo, "si0_hv_partial") * leak
    low = (1.0 - numbers(trafo, "si0_hv_partial")) * leak
    seen = np.select(
        [group == "dyn", group == "yyn", group == "yzn"],
        [low + high * core / (high + core), low + core, (low + core) / _ZIGZAG_FACTOR],
        default=leak,
    )
    z_base = balanced.buses.vn_kv[to_bus] ** 2 / balanced.sn_mva
    seen += np.where(four_wire, 0.0, z_n / z_base)
    passes = group == "ynyn"
    star = high * low + low * core + high * core
    z0 = np.where(passes, star / core, seen)
    y_from, y_to = np.where(passes, low / star, 0.0), np.where(passes, high / star, 0.0)
    odd_turn = np.round(numbers(trafo, "shift_degree", default=0.0) / 60.0) % 2 == 1
    columns = {
        "r0": z0.real,
        "x0": z0.imag,
        "g0_from": y_from.real,
        "b0_from": y_from.imag,
        "g0_to": y_to.real,
        "b0_to": y_to.imag,
        "zero_ratio": np.where(passes, np.where(odd_turn, -1.0, 1.0), 0.0),
    }
    return ZeroSequenceTrafos(columns=columns, earth_ohm=np.where(four_wire, z_n.real / 3.0, 0.0))


def _t_circuit(
    trafo: pd.DataFrame, per_percent: FloatArray, *, core_percent: float
) -> tuple[ComplexArray, ComplexArray]:
    """Return leakage and magnetising impedance of the zero sequence. [pu]"""
    vk0, vkr0 = numbers(trafo, "vk0_percent"), numbers(trafo, "vkr0_percent")
    leak = per_percent * (vkr0 + 1j * np.sqrt(np.maximum(vk0**2 - vkr0**2, 0.0)))
    ratio = numbers(trafo, "mag0_percent") / 100.0
    magnitude = per_percent * np.where(np.isfinite(ratio), ratio * vk0, core_percent)
    rx = np.where(np.isfinite(ratio), numbers(trafo, "mag0_rx"), 0.0)
    return leak, magnitude * (rx + 1j) / np.sqrt(rx**2 + 1.0)


def _refuse_earthing(trafo: pd.DataFrame, group: object, four_wire: BoolArray, z_n: ComplexArray) -> None:
    active = flags(trafo, "in_service", default=True)
    odd = active & (four_wire & (z_n.imag != 0.0))
    odd |= active & (np.asarray(group) == "ynyn") & (z_n != 0.0)
    if odd.any():
        raise UnsupportedElementError(
            "Star points earthed through a reactance below 1 kV, or through an impedance at YNyn, are not modelled.",
            [f"trafo {i}: xn_ohm, rn_ohm" for i in trafo.index[odd][:20]],
        )
