"""Lines and transformers that can be bought or are found in the field."""

from __future__ import annotations

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns

_PACKAGE = "gridcheck.catalogue"

_CONDUCTORS = TableSchema(
    key=("type_name",),
    columns=(
        Column(name="type_name"),
        Column(
            name="kind", allowed=("overhead_10kv", "bare_10kv", "cable_10kv", "overhead_lv", "bundled_lv", "cable_lv")
        ),
        Column(name="material", allowed=("Al", "Al/steel", "Cu")),
        Column(name="area_mm2", kind="float", low=10, high=630),
        Column(name="r_ohm_per_km", kind="float", low=0.02, high=3),
        Column(name="x_ohm_per_km", kind="float", low=0.05, high=0.5),
        Column(name="c_nf_per_km", kind="float", low=0, high=800),
        Column(name="max_i_ka", kind="float", low=0.05, high=1),
        Column(name="condition"),
        *source_columns(),
    ),
)

_LOSSES = (
    Column(name="p0_kw", kind="float", low=0.05, high=100),
    Column(name="pk_kw", kind="float", low=0.3, high=500),
    Column(name="i0_percent", kind="float", low=0.1, high=3),
)
_TAPS = (
    Column(name="tap_step_percent", kind="float", low=0.5, high=5),
    Column(name="tap_min", kind="int", low=-16, high=0),
    Column(name="tap_max", kind="int", low=0, high=16),
)
_VOLTAGES = (
    Column(name="vn_hv_kv", kind="float", low=10, high=110),
    Column(name="vn_lv_kv", kind="float", low=0.4, high=10.5),
)

_DISTRIBUTION = TableSchema(
    key=("type_name",),
    columns=(
        Column(name="type_name"),
        Column(name="series", allowed=("S11", "S13", "S20", "S22")),
        Column(name="sn_kva", kind="float", low=30, high=2500),
        Column(name="vector_group", allowed=("Dyn11", "Yyn0")),
        *_LOSSES,
        Column(name="uk_percent", kind="float", low=3, high=8),
        *_VOLTAGES,
        Column(name="grade", allowed=("old", "3", "2", "1")),
        *_TAPS,
        *source_columns(),
    ),
)

_MAIN = TableSchema(
    key=("type_name",),
    columns=(
        Column(name="type_name"),
        Column(name="sn_mva", kind="float", low=1, high=100),
        *_VOLTAGES,
        Column(name="uk_percent", kind="float", low=5, high=20),
        *_LOSSES,
        *_TAPS,
        Column(name="vector_group", allowed=("YNd11", "Yd11")),
        *source_columns(),
    ),
)


def conductors() -> pd.DataFrame:
    """Return overhead conductors and cables, indexed by ``type_name``.

    Returns
    -------
    DataFrame
        ``kind``, ``material``, ``area_mm2`` [mm2], ``r_ohm_per_km`` (direct current, 20 degC),
        ``x_ohm_per_km``, ``c_nf_per_km``, ``max_i_ka`` under ``condition``, ``source``, ``confidence``, ``note``.

    Examples
    --------
    >>> float(conductors().loc["JKLYJ-10-240", "max_i_ka"])
    0.553
    """
    return packaged_table(_PACKAGE, "conductors.csv", _CONDUCTORS).set_index("type_name")


def distribution_transformers() -> pd.DataFrame:
    """Return 10/0.4 kV transformers, indexed by ``type_name`` such as ``S13-200-Dyn11``.

    Returns
    -------
    DataFrame
        ``series``, ``sn_kva``, ``vector_group``, ``p0_kw`` (no-load loss), ``pk_kw`` (load loss), ``i0_percent``,
        ``uk_percent``, ``vn_hv_kv``, ``vn_lv_kv``, ``grade`` of energy efficiency, off-load taps, source columns.

    Examples
    --------
    >>> float(distribution_transformers().loc["S13-200-Dyn11", "pk_kw"])
    2.73
    """
    return packaged_table(_PACKAGE, "distribution_transformers.csv", _DISTRIBUTION).set_index("type_name")


def main_transformers() -> pd.DataFrame:
    """Return 35 kV and 110 kV main transformers with on-load taps, indexed by ``type_name``.

    Returns
    -------
    DataFrame
        ``sn_mva``, ``vn_hv_kv``, ``vn_lv_kv``, ``uk_percent``, ``p0_kw``, ``pk_kw``, ``i0_percent``,
        ``tap_step_percent``, ``tap_min``, ``tap_max``, ``vector_group``, source columns.

    Examples
    --------
    >>> int(main_transformers().loc["SZ11-110-40", "tap_max"])
    8
    """
    return packaged_table(_PACKAGE, "main_transformers.csv", _MAIN).set_index("type_name")
