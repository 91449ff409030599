"""On what terms a plan is made: unit prices, and the estimates that measures need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from gridcheck.catalogue import measures
from gridcheck.csv_tables import Column, TableSchema, packaged_table, source_columns
from gridcheck.errors import CatalogueError
from gridcheck.units import YUAN_PER_WAN

_ASSUMPTIONS = TableSchema(
    key=("name",),
    columns=(
        Column(name="name"),
        Column(name="value", kind="float"),
        Column(name="min", kind="float"),
        Column(name="max", kind="float"),
        Column(name="unit"),
        *source_columns(),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Prices and estimates of a plan; every field but the prices is a row of ``assumptions.csv``.

    Attributes
    ----------
    price_yuan : mapping of str to float
        Price of each measure per its unit. [yuan]
    balanced_unbalance_factor : float
        Voltage drop of the heaviest phase over that of a balanced line, after phases are re-allocated. [1]
    switched_unbalance_factor : float
        The same where switches put homes on other phases by themselves. [1]
    phase_switch_homes : float
        Homes with a switch in an area that gets them. [1]
    lv_regulator_range, lv_regulator_step, lv_regulator_setpoint_pu, lv_regulator_kva : float
        By how much a regulator in a low-voltage line raises the voltage at most, and in what steps; highest voltage
        behind it under heavy load, over 0.4 kV; its rating. [1], [1], [pu], [kVA]
    oltc_setpoint_pu, oltc_band_pu, oltc_step, oltc_range : float
        Voltage of the busbar that on-load taps hold, over 0.4 kV; how far off it may be; step of the ratio; how far it
        goes either way. [pu], [pu], [1], [1]
    split_radius_factor : float
        Low-voltage radius after an area is split over the radius before. [1]
    spur_km_per_radius_km, spur_min_km : float
        Length of the 10 kV spur to a new transformer over the low-voltage radius, and its least. [1], [km]
    split_lv_line_km : float
        New low-voltage line that a new area needs. [km]
    mv_regulator_range, mv_regulator_step, mv_regulator_setpoint_pu, mv_regulator_mva : float
        By how much a 10 kV regulator raises the voltage at most; the step of its tap changer; the highest voltage
        behind it that it is set for; its rating. [1], [1], [pu], [MVA]
    tie_detour_factor, tie_min_km, tie_max_km : float
        Route of a tie over the straight distance; shortest that is priced; longest that is proposed. [1], [km]
    repair_h : float
        Time until a faulted section is repaired. [h]
    """

    price_yuan: Mapping[str, float]
    balanced_unbalance_factor: float
    switched_unbalance_factor: float
    phase_switch_homes: float
    lv_regulator_range: float
    lv_regulator_step: float
    lv_regulator_setpoint_pu: float
    lv_regulator_kva: float
    oltc_setpoint_pu: float
    oltc_band_pu: float
    oltc_step: float
    oltc_range: float
    split_radius_factor: float
    spur_km_per_radius_km: float
    spur_min_km: float
    split_lv_line_km: float
    mv_regulator_range: float
    mv_regulator_step: float
    mv_regulator_setpoint_pu: float
    mv_regulator_mva: float
    tie_detour_factor: float
    tie_min_km: float
    tie_max_km: float
    repair_h: float


def default_terms() -> Terms:
    """Return the catalogue's prices and the package's estimates.

    Returns
    -------
    Terms
        ``dataclasses.replace`` makes a plan's own terms of it.

    Raises
    ------
    CatalogueError
        If ``assumptions.csv`` misses a row, or a value lies outside its own bounds.

    Examples
    --------
    >>> default_terms().price_yuan["new_area_400"]
    220000.0
    """
    table = packaged_table("gridcheck.reinforcement", "assumptions.csv", _ASSUMPTIONS).set_index("name")
    wanted = [field.name for field in fields(Terms) if field.name != "price_yuan"]
    findings = [f"row {name} is missing" for name in wanted if name not in table.index]
    outside = table[~((table["min"] <= table["value"]) & (table["value"] <= table["max"]))]
    findings += [
        f"row {name}: value must lie between min and max: {value:g} is not in [{least:g}, {most:g}]"
        for name, value, least, most in zip(
            outside.index, *(outside[column] for column in ("value", "min", "max")), strict=True
        )
    ]
    if findings:
        raise CatalogueError("reinforcement/assumptions.csv is not usable.", findings)
    prices = measures()["cost_wan"] * YUAN_PER_WAN
    return Terms(
        price_yuan={str(name): float(price) for name, price in prices.items()},
        **{name: float(table["value"][name]) for name in wanted},
    )
