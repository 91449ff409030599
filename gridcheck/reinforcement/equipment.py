"""Electrical values of what is bought, through the same conversion that reads networks."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray
from gridcheck.catalogue import conductors, distribution_transformers
from gridcheck.errors import CatalogueError
from gridcheck.network.convert import network_from_tables
from gridcheck.network.records import Branches, Network

ELECTRICAL = (
    "r_pu", "x_pu", "g_from_pu", "b_from_pu", "g_to_pu", "b_to_pu", "tap_ratio", "shift_degree", "rating_from_ka",
    "rating_to_ka",
)  # fmt: skip
"""Columns of `Branches` that a type decides, together with the length of a line and the tap of a transformer."""
_LONGITUDINAL = ("r_pu", "x_pu", "g_from_pu", "b_from_pu", "g_to_pu", "b_to_pu")
_VECTOR_GROUP_SHIFT = {"Dyn11": 330.0, "Yyn0": 0.0}


def transformer_values(type_name: str, network: Network) -> dict[str, float]:
    """Return the branch values of a distribution transformer at its neutral tap.

    Parameters
    ----------
    type_name : str
        Type, of the catalogue.
    network : Network
        Gives the bases.

    Returns
    -------
    dict of str to float
        The columns of `ELECTRICAL`.

    Raises
    ------
    CatalogueError
        If the type is not known.
    """
    return _values(_transformer(type_name, network.f_hz, network.sn_mva))


def line_values(
    type_names: tuple[str, ...], length_km: FloatArray, vn_kv: float, network: Network
) -> dict[str, FloatArray]:
    """Return the branch values of lines.

    Parameters
    ----------
    type_names : tuple of str, length n
        Conductors, of the catalogue.
    length_km : ndarray, shape (n,)
        Lengths. [km]
    vn_kv : float
        Nominal voltage. [kV]
    network : Network
        Gives the bases.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        The columns of `ELECTRICAL`.

    Raises
    ------
    CatalogueError
        If a type is not known.
    """
    per_km = [_values(_line(name, vn_kv, network.f_hz, network.sn_mva)) for name in type_names]
    return {
        column: np.array([values[column] for values in per_km]) * (length_km if column in _LONGITUDINAL else 1.0)
        for column in ELECTRICAL
    }


def _values(branches: Branches) -> dict[str, float]:
    return {column: float(getattr(branches, column)[0]) for column in ELECTRICAL}


@functools.cache
def _transformer(type_name: str, f_hz: float, sn_mva: float) -> Branches:
    row = _row(distribution_transformers(), type_name, "distribution_transformers.csv")
    nameplate = {
        "sn_mva": row["sn_kva"] / 1000.0,
        "vn_hv_kv": row["vn_hv_kv"],
        "vn_lv_kv": row["vn_lv_kv"],
        "vk_percent": row["uk_percent"],
        "vkr_percent": 100.0 * row["pk_kw"] / row["sn_kva"],
        "pfe_kw": row["p0_kw"],
        "i0_percent": row["i0_percent"],
        "shift_degree": _VECTOR_GROUP_SHIFT[row["vector_group"]],
    }
    vn_kv = (float(row["vn_hv_kv"]), float(row["vn_lv_kv"]))
    return _one_branch("trafo", {"hv_bus": 0, "lv_bus": 1, **nameplate}, vn_kv, f_hz, sn_mva)


@functools.cache
def _line(type_name: str, vn_kv: float, f_hz: float, sn_mva: float) -> Branches:
    row = _row(conductors(), type_name, "conductors.csv")
    line = {name: row[name] for name in ("r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km", "max_i_ka")}
    return _one_branch("line", {"from_bus": 0, "to_bus": 1, "length_km": 1.0, **line}, (vn_kv, vn_kv), f_hz, sn_mva)


def _row(table: pd.DataFrame, type_name: str, file: str) -> dict[str, Any]:
    if type_name not in table.index:
        raise CatalogueError(f"{file} has no type {type_name!r}. Add a row, or choose one of its types.")
    return {str(name): value for name, value in table.loc[type_name].items()}


def _one_branch(table: str, row: dict[str, Any], vn_kv: tuple[float, float], f_hz: float, sn_mva: float) -> Branches:
    """Build a network of two buses around one element, and return the element."""
    tables = {
        "bus": pd.DataFrame({"vn_kv": vn_kv}),
        "ext_grid": pd.DataFrame({"bus": [0], "vm_pu": [1.0]}),
        table: pd.DataFrame([row]),
    }
    return network_from_tables(tables, name=table, f_hz=f_hz, sn_mva=sn_mva).branches
