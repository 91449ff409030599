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

_STATIONS = TableSchema(
    key=("station",),
    columns=(
        Column(name="station"),
        Column(name="label_zh"),
        Column(name="label_en"),
        Column(name="curve_of", allowed=DEVICE_CLASSES),
        Column(name="homes_min", kind="int", low=1, high=2000),
        Column(name="homes_max", kind="int", low=1, high=2000),
        Column(name="rated_kw_min", kind="float", low=1, high=10_000),
        Column(name="rated_kw_max", kind="float", low=1, high=10_000),
        *(Column(name=f"heat{part}_w_per_m2", kind="float", low=10, high=150) for part in ("", "_min", "_max")),
        *(Column(name=f"exchange_loss{part}_percent", kind="float", low=0, high=30) for part in ("", "_min", "_max")),
        *(Column(name=f"pump{part}_percent", kind="float", low=0, high=15) for part in ("", "_min", "_max")),
        Column(name="cos_phi", kind="float", low=0.5, high=1),
        Column(name="control", allowed=("inverter", "on_off", "storage")),
        Column(name="phases", kind="int", low=1, high=3),
        Column(name="vn_hv_kv", kind="float", low=10, high=35, optional=True),
        Column(name="vn_lv_kv", kind="float", low=0.38, high=0.4),
        Column(name="standby_w", kind="float", low=0, high=5000),
        *source_columns(),
    ),
)


def heaters() -> pd.DataFrame:
    """Return one row per device class, indexed by ``device`` in the order of `DEVICE_CLASSES`.

    Returns
    -------
    DataFrame
        ``label_zh``, ``label_en``, ``preferred`` (wanted by the 2025 plan), ``cos_phi``,
        ``control``, ``min_part_load``, ``no_load_share``
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


def usual_rating_kw(device: str) -> float:
    """Return the rated input that households of a class install most often; of equally frequent ones the last. [kW]

    Examples
    --------
    >>> usual_rating_kw("air_water_heat_pump")
    3.3
    """
    ratings = heater_ratings()
    own = ratings[ratings["device"] == device].sort_values("share", kind="stable")
    return float(own["rated_kw"].iloc[-1])


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


def central_stations() -> pd.DataFrame:
    """Return village heating stations and the electric boiler of one home, indexed by ``station``.

    They stand apart from `DEVICE_CLASSES`, because a station is one large load with a transformer of its own and not
    a class of homes with a diversity.

    Returns
    -------
    DataFrame
        ``label_zh``, ``label_en``; ``curve_of``, the class whose COP curve, defrost and field factor hold;
        ``homes_min`` to ``homes_max`` served; ``rated_kw_min`` to ``rated_kw_max`` of electric input; heat per heated
        floor area ``heat_w_per_m2``; ``exchange_loss_percent`` of the heat made is lost before the homes;
        ``pump_percent`` of the station's other electric input goes to pumps, each of these three with its range;
        ``cos_phi``, ``control``, ``phases``, ``vn_hv_kv`` (empty: no transformer of its own), ``vn_lv_kv``,
        ``standby_w``, source columns.

    Examples
    --------
    >>> central_stations().loc["air_source_station", "curve_of"]
    'air_water_heat_pump'
    """
    return packaged_table(_PACKAGE, "central_stations.csv", _STATIONS).set_index("station")
