"""Transformers of areas: nameplates of the catalogue, as pandapower tables and as one branch in per unit.

Zero sequence: a Dyn11 unit shows its low-voltage side the impedance of the positive sequence (r0 = r, x0 = 0.9 to
1.0 x; 1.0 is taken, G+). A Yyn0 unit adds half of its leakage to the magnetising impedance of a three-legged core,
``core_z0_pu``, see `zero_sequence_trafos`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridcheck.arrays import IntArray
from gridcheck.catalogue import distribution_transformers
from gridcheck.errors import InputError
from gridcheck.network.county import CountyGrid
from gridcheck.network.records import Network
from gridcheck.units import SQRT3

VN_MV_KV, VN_LV_KV = 10.0, 0.4
# Magnetising impedance of the zero sequence of rural Yyn0 units, on their own base: 4 to 8 times the leakage of 0.04 pu
# by the path through the tank; confidence G+. [pu]
AREA_CORE_Z0_PU = 0.24
SN_MVA = 1.0
# A source so strong that nothing drops in it, and a core of a Dyn unit so closed that nothing magnetises it.
_STIFF_MVA = _CLOSED_CORE_PERCENT = 1e12
# Catalogue and network are the same transformer when they differ by rounding alone.
_SAME = 1e-4
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

    Raises
    ------
    InputError
        A vector group that is not modelled, or an impossible nameplate.
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
    core_z0_pu: float = AREA_CORE_Z0_PU

    def __post_init__(self) -> None:
        positive = (self.kva, self.uk_percent, self.vn_hv_kv, self.vn_lv_kv, self.core_z0_pu)
        if self.vector_group not in _SHIFT_DEGREE:
            raise InputError(
                f"transformer {self.type_name!r}: vector_group must be one of {', '.join(_SHIFT_DEGREE)}. "
                f"Got {self.vector_group!r}."
            )
        if not all(math.isfinite(value) and value > 0 for value in positive):
            raise InputError(
                f"transformer {self.type_name!r}: kva, uk_percent, voltages and core_z0_pu must be greater than 0."
            )
        if not 0 <= self.pk_kw / self.kva <= self.uk_percent / 100.0 or self.p0_kw < 0 or self.i0_percent < 0:
            raise InputError(
                f"transformer {self.type_name!r}: losses must be at least 0, and pk_kw at most {self.uk_percent:g} "
                f"percent of kva. Got p0_kw {self.p0_kw:g}, pk_kw {self.pk_kw:g}, i0_percent {self.i0_percent:g}."
            )


def area_transformer(type_name: str, *, tap_pos: int = 0, core_z0_pu: float = AREA_CORE_Z0_PU) -> AreaTransformer:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerBranch:
    """A transformer as a branch from 10 kV to 0.4 kV, on the base of `SN_MVA`; fields as in `Branches`.

    Attributes
    ----------
    z_pu, z0_pu : complex
        Series impedance of positive and zero sequence behind the ratio. The zero sequence ends at its winding. [pu]
    y_pu : complex
        Shunt admittance of the positive sequence at either end, behind the ratio. [pu]
    tap_ratio : float
        Magnitude of the ideal ratio. [1]
    shift_degree : float
        Its angle. [degree]
    rating_from_ka, rating_to_ka : float
        Rated currents. [kA]
    """

    z_pu: complex
    z0_pu: complex
    y_pu: complex
    tap_ratio: float
    shift_degree: float
    rating_from_ka: float
    rating_to_ka: float


@functools.lru_cache(maxsize=4096)
def transformer_branch(transformer: AreaTransformer) -> TransformerBranch:
    r"""Return a transformer in per unit: what `four_wire_from_tables` makes of `transformer_tables`, but faster.

    With the leakage z and the magnetising admittance y of the T circuit, halves of z on either side of y,

    .. math:: z_{series} = z + z^2 y / 4, \qquad y_{end} = \frac{y z / 2}{z_{series}}

    and zero sequence :math:`z` (Dyn11) or :math:`z / 2 + j x_{core}` (Yyn0).

    Parameters
    ----------
    transformer : AreaTransformer
        The transformer.
    """
    rated_mva = transformer.kva / 1000.0
    to_base = (transformer.vn_lv_kv / VN_LV_KV) ** 2
    per_unit = to_base * SN_MVA / rated_mva
    r, size = transformer.pk_kw / transformer.kva, transformer.uk_percent / 100.0
    z = complex(r, math.sqrt(max(size**2 - r**2, 0.0))) * per_unit
    loss_mw, no_load_mva = transformer.p0_kw / 1000.0, transformer.i0_percent / 100.0 * rated_mva
    y = complex(loss_mw, -math.sqrt(max(no_load_mva**2 - loss_mw**2, 0.0))) / (to_base * SN_MVA)
    series = z + z * z * y / 4.0
    vn_hv_kv = transformer.vn_hv_kv * (1.0 + transformer.tap_pos * transformer.tap_step_percent / 100.0)
    is_yyn = transformer.vector_group == "Yyn0"
    return TransformerBranch(
        z_pu=series,
        z0_pu=z / 2.0 + 1j * transformer.core_z0_pu * per_unit if is_yyn else z,
        y_pu=y * z / 2.0 / series,
        tap_ratio=vn_hv_kv / transformer.vn_lv_kv / (VN_MV_KV / VN_LV_KV),
        shift_degree=_SHIFT_DEGREE[transformer.vector_group],
        rating_from_ka=rated_mva / SQRT3 / transformer.vn_hv_kv,
        rating_to_ka=rated_mva / SQRT3 / transformer.vn_lv_kv,
    )


def transformers_of(county: CountyGrid, rows: IntArray | None = None) -> tuple[AreaTransformer, ...]:
    """Return the transformers of areas as they stand in the county's network, tap included.

    Parameters
    ----------
    county : CountyGrid
        The grid of a county.
    rows : ndarray of int, optional
        Positions of the areas; all of them where not given.

    Returns
    -------
    tuple of AreaTransformer
        In the order of `rows`. Those whose impedance is not that of their catalogue row, or which have no
        row, get the nameplate that follows from the network, with the tap inside the rated voltage.

    Raises
    ------
    InputError
        Naming areas whose vector group is not modelled or whose transformer cannot be.
    """
    result, findings = [], []
    areas = county.areas if rows is None else county.areas.iloc[rows]
    branch = county.area_branch if rows is None else county.area_branch[rows]
    group = areas["vector_group"] if "vector_group" in areas else [""] * len(areas)
    for area_id, given, k in zip(areas["area_id"], group, branch.tolist(), strict=True):
        try:
            result.append(_as_in_network(county.network, k, str(given or "")))
        except InputError as error:
            findings.append(f"area {area_id}: {error.message}")
    if findings:
        raise InputError("Transformers of areas that are not modelled by phase.", findings[:20])
    return tuple(result)


def _as_in_network(network: Network, k: int, group: str) -> AreaTransformer:
    branches, vn_kv = network.branches, network.buses.vn_kv
    vn_from, vn_to = float(vn_kv[branches.from_bus[k]]), float(vn_kv[branches.to_bus[k]])
    base = SN_MVA / network.sn_mva * (vn_to / VN_LV_KV) ** 2
    series = complex(branches.r_pu[k], branches.x_pu[k]) * base
    shunt = complex(branches.g_to_pu[k], branches.b_to_pu[k]) / base
    ratio = float(branches.tap_ratio[k]) * vn_from / vn_to
    group = group or ("Yyn0" if branches.shift_degree[k] % 360.0 == 0.0 else "Dyn11")
    row = _nameplates().get(branches.type_name[k])
    if row is not None and row["vector_group"] == group:
        steps = (ratio / (row["vn_hv_kv"] / row["vn_lv_kv"]) - 1.0) / (row["tap_step_percent"] / 100.0)
        if row["tap_min"] <= round(steps) <= row["tap_max"] and abs(steps - round(steps)) < _SAME:
            listed = area_transformer(branches.type_name[k], tap_pos=round(steps))
            if abs(transformer_branch(listed).z_pu - series) < _SAME * abs(series):
                return listed
    # The pi circuit turned back into the T circuit of the nameplate; see `transformer_branch`.
    z = series / (1.0 + shunt * series / 2.0)
    y = 2.0 * shunt * series / z
    kva = float(branches.rating_to_ka[k]) * SQRT3 * vn_to * 1000.0
    own = kva / 1000.0 / SN_MVA * (VN_LV_KV / vn_to) ** 2
    return AreaTransformer(
        type_name=branches.type_name[k],
        kva=kva,
        vector_group=group,
        p0_kw=y.real / own * kva,
        pk_kw=z.real * own * kva,
        i0_percent=abs(y) / own * 100.0,
        uk_percent=abs(z) * own * 100.0,
        vn_hv_kv=ratio * vn_to,
        vn_lv_kv=vn_to,
    )


@functools.cache
def _nameplates() -> dict[str, dict[str, Any]]:
    frame: pd.DataFrame = distribution_transformers()
    return {str(name): {str(k): v for k, v in row.items()} for name, row in frame.to_dict("index").items()}
