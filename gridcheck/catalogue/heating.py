"""Heaters: classes, sizes as households buy them, and how output and input follow the outdoor temperature."""

from __future__ import annotations

import pandas as pd

from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns

_PACKAGE = "gridcheck.catalogue"

DEVICE_CLASSES = (
    "air_air_heat_pump",
    "air_water_heat_pump",
    "ground_source_heat_pump",
    "resistive_heater",
    "storage_heater",
)
"""Classes of heaters, in the order of every class axis."""

_DEVICE = Column(name="device", allowed=DEVICE_CLASSES)

_HEATERS = TableSchema(
    key=("device",),
    columns=(
        _DEVICE,
        Column(name="label_zh"),
        Column(name="label_en"),
        Column(name="preferred", kind="bool"),
        Column(name="cos_phi", kind="float", low=0.5, high=1),
        Column(name="alpha", kind="float", low=0.3, high=1),
        Column(name="control", allowed=("inverter", "on_off", "storage")),
        Column(name="min_part_load", kind="float", low=0, high=1),
        Column(name="no_load_share", kind="float", low=0, high=1),
        Column(name="defrost_heat_factor", kind="float", low=0, high=5),
        Column(name="defrost_power_factor", kind="float", low=0, high=5),
        Column(name="field_factor", kind="float", low=0.5, high=1),
        Column(name="standby_w", kind="float", low=0, high=200),
        Column(name="backup_share", kind="float", low=0, high=1),
        Column(name="backup_kw", kind="float", low=0, high=12),
        Column(name="restart_delay_min", kind="float", low=0, high=30),
        *source_columns(),
    ),
)

_RATINGS = TableSchema(
    key=("device", "rated_kw"),
    columns=(
        _DEVICE,
        Column(name="rated_kw", kind="float", low=0.3, high=30),
        Column(name="rated_heat_kw", kind="float", low=0.3, high=60),
        Column(name="max_input_kw", kind="float", low=0.3, high=40),
        Column(name="share", kind="float", low=0, high=1),
        Column(name="phases", kind="int", low=1, high=3),
        Column(name="units", kind="int", low=1, high=10),
        *source_columns(),
    ),
)

_CURVES = TableSchema(
    key=("device", "temperature_c"),
    columns=(
        _DEVICE,
        Column(name="temperature_c", kind="float", low=-40, high=40),
        Column(name="cop", kind="float", low=0.8, high=8),
        Column(name="heat_ratio", kind="float", low=0, high=2),
        Column(name="input_ratio", kind="float", low=0, high=2),
        *source_columns(),
    ),
)


def heaters() -> pd.DataFrame:
    """Return one row per device class, indexed by ``device`` in the order of `DEVICE_CLASSES`.

    Returns
    -------
    DataFrame
        ``label_zh``, ``label_en``, ``preferred`` (wanted by the 2025 plan), ``cos_phi``, ``alpha`` (exponent with which
        the peak per home falls with the number of homes), ``control``, ``min_part_load``, ``no_load_share``
        (e0 in input = e0 + (1 - e0) part load), ``defrost_heat_factor`` and ``defrost_power_factor`` (k in
        1 - k f, f the share of time spent on defrost), ``field_factor`` (COP in use over COP of the curve),
        ``standby_w``, ``backup_share``, ``backup_kw``, ``restart_delay_min``, source columns.

    Examples
    --------
    >>> list(heaters().index) == list(DEVICE_CLASSES)
    True
    """
    return packaged_table(_PACKAGE, "heaters.csv", _HEATERS).set_index("device").loc[list(DEVICE_CLASSES)]


def heater_ratings() -> pd.DataFrame:
    """Return the sizes of heating installations and how common each is.

    One row is everything that one household installs: ``rated_kw`` and ``max_input_kw`` are the sum over its
    ``units``; ``share`` sums to 1 within a device; ``phases`` is 1 or 3.

    Returns
    -------
    DataFrame
        ``device``, ``rated_kw`` (electric input), ``rated_heat_kw``, ``max_input_kw`` (nameplate maximum),
        ``share``, ``phases``, ``units``, source columns.
    """
    return packaged_table(_PACKAGE, "heater_ratings.csv", _RATINGS)


def heater_curves() -> pd.DataFrame:
    """Return anchors of full-speed behaviour against outdoor temperature, to be interpolated linearly.

    Returns
    -------
    DataFrame
        ``device``, ``temperature_c`` (rising within a device), ``cop``, ``heat_ratio`` (heat over rated heat),
        ``input_ratio`` (electric input over rated input), source columns.

    Notes
    -----
    The full-speed input of air-to-air units is nearly independent of temperature: cold changes how many units
    run at full speed, not the ceiling.
    """
    return packaged_table(_PACKAGE, "heater_curves.csv", _CURVES)
