"""Transformers of areas: nameplates of the catalogue, and a network of one transformer alone.

Zero sequence: a Dyn11 unit shows its low-voltage side the impedance of the positive sequence (r0 = r, x0 = 0.9 to
1.0 x; 1.0 is taken, G+). A Yyn0 unit adds half of its leakage to the magnetising impedance of a three-legged core,
``core_z0_pu``, see `zero_sequence_trafos`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridcheck.catalogue import distribution_transformers
from gridcheck.errors import InputError
from gridcheck.network.four_wire import FourWireNetwork
from gridcheck.network.four_wire_tables import four_wire_from_tables
from gridcheck.network.zero_sequence_trafos import CORE_Z0_PU

VN_MV_KV, VN_LV_KV = 10.0, 0.4
SN_MVA = 1.0
# A source so strong that nothing drops in it, and a core of a Dyn unit so closed that nothing magnetises it.
_STIFF_MVA = _CLOSED_CORE_PERCENT = 1e12
_SHIFT_DEGREE = {"Dyn11": 330.0, "Yyn0": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaTransformer:
    """Nameplate of the transformer of an area, with the position of its off-load tap.

    Attributes
    ----------
    type_name : str
        Key of the catalogue, such as ``S13-200-Dyn11``.
    kva : float
        Rated power. [kVA]
    vector_group : str
        ``Dyn11`` or ``Yyn0``.
    p0_kw, pk_kw : float
        No-load and load loss. [kW]
    i0_percent, uk_percent : float
        No-load current and short-circuit voltage. [%]
    vn_hv_kv, vn_lv_kv : float
        Rated voltages at neutral tap. [kV]
    tap_step_percent : float
        Step of the tap at the high-voltage side. [%]
    tap_pos : int
        Position; each step up lowers the low voltage.
    core_z0_pu : float
        Magnetising impedance of the zero sequence of a Yyn0 unit on its own base; Dyn11 does not use it. [pu]
    """

    type_name: str
    kva: float
    vector_group: str
    p0_kw: float
    pk_kw: float
    i0_percent: float
    uk_percent: float
    vn_hv_kv: float = VN_MV_KV
    vn_lv_kv: float = VN_LV_KV
    tap_step_percent: float = 2.5
    tap_pos: int = 0
    core_z0_pu: float = CORE_Z0_PU


def area_transformer(type_name: str, *, tap_pos: int = 0, core_z0_pu: float = CORE_Z0_PU) -> AreaTransformer:
    """Return a transformer of the catalogue at a tap.

    Parameters
    ----------
    type_name : str
        Key of the catalogue.
    tap_pos : int
        Position of the off-load tap.
    core_z0_pu : float
        Magnetising impedance of the zero sequence, for Yyn0. [pu]

    Raises
    ------
    InputError
        If the catalogue has no such transformer, or the transformer no such tap.
    """
    row = _nameplates().get(type_name)
    if row is None:
        raise InputError(f"transformer {type_name!r} is not in the catalogue; add it to distribution_transformers.csv.")
    if not row["tap_min"] <= tap_pos <= row["tap_max"]:
        raise InputError(
            f"transformer {type_name!r}: tap_pos must be in [{row['tap_min']}, {row['tap_max']}]. Got {tap_pos}."
        )
    return AreaTransformer(
        type_name=type_name,
        kva=float(row["sn_kva"]),
        vector_group=str(row["vector_group"]),
        tap_pos=int(tap_pos),
        core_z0_pu=core_z0_pu,
        **{
            key: float(row[key])
            for key in ("p0_kw", "pk_kw", "i0_percent", "uk_percent", "vn_hv_kv", "vn_lv_kv", "tap_step_percent")
        },
    )


def transformer_tables(transformer: AreaTransformer) -> dict[str, pd.DataFrame]:
    """Return pandapower element tables of a stiff source at bus 0 and the transformer down to bus 1.

    Parameters
    ----------
    transformer : AreaTransformer
        The transformer.

    Returns
    -------
    dict of str to DataFrame
        ``bus``, ``trafo`` and ``ext_grid`` at 1.0 pu, with the columns that ``runpp_3ph`` needs.
    """
    is_yyn = transformer.vector_group == "Yyn0"
    resistive = transformer.pk_kw / transformer.kva * 100.0
    trafo: dict[str, Any] = {
        "name": transformer.type_name, "std_type": transformer.type_name, "hv_bus": 0, "lv_bus": 1,
        "sn_mva": transformer.kva / 1000.0, "vn_hv_kv": transformer.vn_hv_kv, "vn_lv_kv": transformer.vn_lv_kv,
        "vk_percent": transformer.uk_percent, "vkr_percent": resistive, "pfe_kw": transformer.p0_kw,
        "i0_percent": transformer.i0_percent, "shift_degree": _SHIFT_DEGREE[transformer.vector_group],
        "vector_group": transformer.vector_group, "vk0_percent": transformer.uk_percent, "vkr0_percent": resistive,
        "mag0_percent": 1e4 * transformer.core_z0_pu / transformer.uk_percent if is_yyn else _CLOSED_CORE_PERCENT,
        "mag0_rx": 0.0, "si0_hv_partial": 0.5, "tap_side": "hv", "tap_neutral": 0.0,
        "tap_pos": float(transformer.tap_pos), "tap_step_percent": transformer.tap_step_percent,
        "tap_step_degree": 0.0, "tap_changer_type": "Ratio", "parallel": 1, "df": 1.0, "in_service": True,
    }  # fmt: skip
    source = {
        "bus": 0, "vm_pu": 1.0, "va_degree": 0.0, "in_service": True, "s_sc_max_mva": _STIFF_MVA, "rx_max": 0.1,
        "x0x_max": 1.0, "r0x0_max": 0.1,
    }  # fmt: skip
    bus = pd.DataFrame({"vn_kv": [VN_MV_KV, VN_LV_KV], "in_service": True, "name": ["mv", "lv"]})
    return {"bus": bus, "trafo": pd.DataFrame([trafo]), "ext_grid": pd.DataFrame([source])}


@functools.lru_cache(maxsize=4096)
def transformer_alone(transformer: AreaTransformer) -> FourWireNetwork:
    """Return a network of the source and the transformer alone, made once for each kind of transformer.

    Parameters
    ----------
    transformer : AreaTransformer
        The transformer.

    Returns
    -------
    FourWireNetwork
        Bus 0 at 10 kV, bus 1 at 0.4 kV, one branch; made by `four_wire_from_tables`.
    """
    return four_wire_from_tables(transformer_tables(transformer), name=transformer.type_name, sn_mva=SN_MVA)


@functools.cache
def _nameplates() -> dict[str, dict[str, Any]]:
    frame: pd.DataFrame = distribution_transformers()
    return {str(name): {str(k): v for k, v in row.items()} for name, row in frame.to_dict("index").items()}
