"""Homes and their heated zones, drawn one by one: floor, walls, heater, habits.

A zone is a room with a heater of its own, or a whole house that is heated through water or from a store. What a home is
like depends on its key alone (`draws`), so the same home behaves alike in every study of one seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from gridcheck.arrays import BoolArray, FloatArray, IntArray, UnsignedArray, frozen
from gridcheck.catalogue import DEVICE_CLASSES, heater_ratings, heaters
from gridcheck.demand.households import draws
from gridcheck.demand.households.absence import days_at_home
from gridcheck.demand.households.kernel import ALWAYS, PERIODS, STORAGE
from gridcheck.demand.households.thermal import Envelope, envelope_of, response
from gridcheck.demand.parameters import DemandParameters
from gridcheck.errors import InputError

SIZING_K = 24.0
"""Between target and outdoors where heaters are sized. [K]"""
MINUTE_GAIN = 0.55 / 0.45
"""Gain of a controller in steps of a minute over that in long steps."""
# Mean of the heating season at the basin station, against which homes that save buy less heat. [degC]
_MEAN_WINTER_C = 2.7
# Targets of homes lie within the first, those of homes that save or waste within the second. [degC]
_TARGETS_C, _CHANGED_TARGETS_C = (13.0, 23.0), (8.0, 26.0)
# COP in use over COP of the curve lies within. [1]
_FIELD_FACTORS = (0.6, 1.0)
_NEVER_H = 1e9

ZONE = np.dtype(
    [
        ("key", "u8"),
        *((name, "i8") for name in ("home", "group", "device", "use")),
        ("is_inverter", "?"),
        ("foresees", "?"),
        *((name, "f8") for name in ("aa", "am", "ma", "mm", "ao", "mo", "a_sun", "m_sun", "a_gain", "m_gain")),
        *((name, "f8") for name in ("a_heat", "m_heat", "area_m2", "loss_w_per_k", "gain_k")),
        *((name, "f8") for name in ("target_c", "offset_k", "gain_per_k", "gain_minute_per_k", "setback_k")),
        *((name, "f8") for name in ("use_a", "use_b_per_k", "use_t0_c")),
        *((name, "f8") for name in ("through_u", "through_b_per_k", "through_t0_c", "jitter_h")),
        ("on_hour", "f8", (3,)),
        ("off_hour", "f8", (3,)),
        *((name, "f8") for name in ("heat_w", "rated_w", "max_input_w", "field_factor", "no_load", "least_share")),
        *((name, "f8") for name in ("backup_w", "standby_w", "tan_phi", "emitter_share", "emitter_keep")),
        *((name, "f8") for name in ("store_j", "store_share", "store_leak", "valley_delay_h")),
        *((name, "f8") for name in ("restart_s", "lowered_s", "lowered_k")),
        *((name, "f8") for name in ("back_day", "gone_day", "frost_c")),
    ],
    align=True,
)
"""One zone as the kernel sees it; the fields of `thermal.Response` first."""

ZoneArray = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Homes:
    """Homes with electric heating.

    Attributes
    ----------
    home : ndarray of int, shape (n_home,)
        Numbers that tell homes apart: the same number is the same home in every study of one seed.
    device : ndarray of int, shape (n_home,)
        Position in ``DEVICE_CLASSES``.
    rated_kw : ndarray, shape (n_home,)
        Rated electric input of all heaters of the home. [kW]
    heat_kw, max_input_kw, units, phases : ndarray, shape (n_home,)
        Rated heat and nameplate maximum of all heaters, their number, and on how many phases they run.
    phase : ndarray of int, shape (n_home,)
        Phase on which a single-phase home hangs: 0, 1 or 2.
    is_away : ndarray of bool, shape (n_home,)
        Homes of migrants, empty except around the Spring Festival; none where not given.
    """

    home: IntArray
    device: IntArray
    rated_kw: FloatArray
    heat_kw: FloatArray
    max_input_kw: FloatArray
    units: IntArray
    phases: IntArray
    phase: IntArray
    is_away: BoolArray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n = len(self.home)
        for name, kind in (
            ("home", np.int64), ("device", np.int64), ("rated_kw", np.float64), ("heat_kw", np.float64),
            ("max_input_kw", np.float64), ("units", np.int64), ("phases", np.int64), ("phase", np.int64),
            ("is_away", np.bool_),
        ):  # fmt: skip
            given = getattr(self, name)
            object.__setattr__(self, name, frozen(np.zeros(n) if given is None else given, kind, (n,), name=name))

    @property
    def n_home(self) -> int:
        """Number of homes."""
        return len(self.home)

    def at(self, position: IntArray) -> Homes:
        """Return the homes at some positions, in the order of these."""
        return Homes(**{field.name: getattr(self, field.name)[position] for field in fields(self)})


def draw_homes(
    home: IntArray,
    device: IntArray,
    *,
    seed: int,
    rated_kw: FloatArray | None = None,
    phase: IntArray | None = None,
    is_away: BoolArray | None = None,
) -> Homes:
    """Give each home the heaters it would have bought.

    Parameters
    ----------
    home : ndarray of int, shape (n_home,)
        Numbers that tell homes apart.
    device : ndarray of int, shape (n_home,)
        Position in ``DEVICE_CLASSES``.
    seed : int
        Seed.
    rated_kw : ndarray, shape (n_home,), optional
        Rated input where it is known, NaN elsewhere; the size with the nearest rating is then scaled to it. [kW]
    phase : ndarray of int, shape (n_home,), optional
        Phase where it is known, -1 elsewhere.
    is_away : ndarray of bool, shape (n_home,), optional
        Homes of migrants, empty except around the Spring Festival; none where not given.

    Raises
    ------
    InputError
        If two homes have one number, or a device is no position in ``DEVICE_CLASSES``.
    """
    if len(np.unique(home)) != len(home):
        raise InputError("home must have every number once: two homes of one number would be the same home twice.")
    if len(device) and not 0 <= device.min() <= device.max() < len(DEVICE_CLASSES):
        raise InputError(
            f"device must be a position in {', '.join(DEVICE_CLASSES)}. Got {device.min()} to {device.max()}."
        )
    key = draws.keys(seed, home)
    chance = draws.uniform(key, "size")
    known = np.full(len(home), np.nan) if rated_kw is None else np.asarray(rated_kw, dtype=np.float64)
    columns = {name: np.zeros(len(home)) for name in ("rated_kw", "rated_heat_kw", "max_input_kw", "units", "phases")}
    sizes = heater_ratings()
    for position, name in enumerate(DEVICE_CLASSES):
        own = np.flatnonzero(device == position)
        rows = sizes[sizes["device"] == name]
        chosen = np.searchsorted(np.cumsum(rows["share"].to_numpy()) / rows["share"].sum(), chance[own])
        chosen = np.minimum(chosen, len(rows) - 1)
        told = ~np.isnan(known[own])
        distance = np.abs(np.log(rows["rated_kw"].to_numpy()[None] / known[own][told][:, None]))
        chosen[told] = distance.argmin(axis=1)
        for column, values in columns.items():
            values[own] = rows[column].to_numpy(np.float64)[chosen]
    scale = np.where(np.isnan(known), 1.0, known / columns["rated_kw"])
    drawn_phase = np.minimum((draws.uniform(key, "phase") * 3.0).astype(np.int64), 2)
    return Homes(
        home=home,
        device=device,
        rated_kw=columns["rated_kw"] * scale,
        heat_kw=columns["rated_heat_kw"] * scale,
        max_input_kw=columns["max_input_kw"] * scale,
        units=columns["units"].astype(np.int64),
        phases=columns["phases"].astype(np.int64),
        phase=drawn_phase if phase is None else np.where(phase < 0, drawn_phase, phase),
        is_away=is_away,  # type: ignore[arg-type]
    )


def heated_zones(
    homes: Homes, parameters: DemandParameters, *, seed: int, step_s: float, group: IntArray | None = None
) -> ZoneArray:
    """Draw the zones of homes.

    Parameters
    ----------
    homes : Homes
        Homes.
    parameters : DemandParameters
        Parameters of houses and devices.
    seed : int
        Seed.
    step_s : float
        Length of the steps. [s]
    group : ndarray of int, shape (n_home,), optional
        Row of the result in which a home's power is added up; its own row where not given.

    Returns
    -------
    ndarray of ZONE, shape (n_zone,)
        Zones of the same home stand together, homes in their order.
    """
    is_room = np.array([device.kind == "room" for device in parameters.devices])
    zone_count = np.where(is_room[homes.device], homes.units, 1)
    home = np.repeat(np.arange(homes.n_home), zone_count)
    number = np.arange(len(home)) - np.repeat(np.cumsum(zone_count) - zone_count, zone_count)
    zones = np.zeros(len(home), dtype=ZONE)
    zones["home"], zones["device"] = home, homes.device[home]
    zones["group"] = home if group is None else np.asarray(group)[home]
    home_key = draws.keys(seed, homes.home)[home]
    with np.errstate(over="ignore"):
        zones["key"] = draws.mixed(home_key + number.astype(np.uint64))
    for name in ("rated_kw", "heat_kw", "max_input_kw"):
        zones[_WATTS[name]] = getattr(homes, name)[home] * 1000.0 / zone_count[home]
    _write_device(zones, parameters)
    _write_envelope(zones, home_key, parameters, step_s=step_s)
    _write_habits(zones, home_key, number, zone_count[home], parameters)
    zones["back_day"], zones["gone_day"] = days_at_home(home_key, homes.is_away[home], parameters)
    zones["frost_c"] = parameters.house["frost_protection_c"]
    return zones


# Row with the margin by which each class is sized; a store follows from its own capacity.
_OVERSIZE = {
    "air_air_heat_pump": "oversize_room",
    "air_water_heat_pump": "oversize_house",
    "ground_source_heat_pump": "oversize_house",
    "resistive_heater": "oversize_resistive",
    "storage_heater": "oversize_house",
}
_WATTS = {"rated_kw": "rated_w", "heat_kw": "heat_w", "max_input_kw": "max_input_w"}


def _write_device(zones: ZoneArray, parameters: DemandParameters) -> None:
    """Write what belongs to the class of the heater."""
    table = heaters()
    key, house = zones["key"], parameters.house
    factor = np.array([device.field_factor for device in parameters.devices])[zones["device"]]
    spread = house["field_factor_sigma"] * draws.normal(key, "field factor")
    zones["field_factor"] = np.where(factor < 1.0, np.clip(factor + spread, *_FIELD_FACTORS), 1.0)
    control = table["control"].to_numpy()[zones["device"]]
    kind = np.array([device.kind for device in parameters.devices])[zones["device"]]
    share = np.where(kind == "house", house["inverter_share_house"], 1.0)
    zones["is_inverter"] = (control == "inverter") & (draws.uniform(key, "inverter") < share)
    zones["no_load"] = np.array([device.no_load_share for device in parameters.devices])[zones["device"]]
    for name, column in (("least_share", "min_part_load"), ("standby_w", "standby_w")):
        zones[name] = table[column].to_numpy(np.float64)[zones["device"]]
    backup = table["backup_share"].to_numpy(np.float64)[zones["device"]]
    zones["backup_w"] = np.where(
        draws.uniform(key, "backup") < backup, 1000.0 * table["backup_kw"].to_numpy(np.float64)[zones["device"]], 0.0
    )
    cos_phi = np.array([device.cos_phi for device in parameters.devices])[zones["device"]]
    zones["tan_phi"] = np.sqrt(1.0 - cos_phi**2) / cos_phi
    zones["restart_s"] = 60.0 * table["restart_delay_min"].to_numpy(np.float64)[zones["device"]]


def _write_envelope(zones: ZoneArray, home_key: UnsignedArray, parameters: DemandParameters, *, step_s: float) -> None:
    """Draw walls and floor, and write how the zone answers to a step."""
    key, house = zones["key"], parameters.house
    use = np.array([device.kind for device in parameters.devices])[zones["device"]]
    is_insulated = draws.uniform(home_key, "insulated") < house["insulated_share"]
    loss = np.where(is_insulated, house["heat_loss_insulated_w_per_k_m2"], house["heat_loss_uninsulated_w_per_k_m2"])
    loss = loss * np.exp(house["heat_loss_sigma_ln"] * draws.normal(home_key, "heat loss"))
    # The installer sizes a heat pump by the loss; it comes in few sizes, and the next larger one is bought.
    margin = np.array([house[_OVERSIZE[name]] for name in DEVICE_CLASSES])[zones["device"]]
    margin = margin * np.exp(house["oversize_sigma_ln"] * draws.normal(key, "oversize"))
    area = zones["heat_w"] / (margin * loss * SIZING_K)
    is_store = use == "storage"
    hours = house["storage_charge_hours"] / house["storage_charge_margin"]
    store_j = zones["rated_w"] * hours * 3600.0
    stored_area = store_j / (house["storage_hours"] * house["storage_fill"] * 3600.0 * loss * SIZING_K)
    area = np.where(is_store, stored_area, area)
    air = house["air_capacity_kj_per_k_m2"] * np.exp(house["air_capacity_sigma_ln"] * draws.normal(home_key, "air"))
    mass = house["mass_capacity_kj_per_k_m2"] * np.exp(house["mass_capacity_sigma_ln"] * draws.normal(home_key, "mass"))
    write_response(zones, envelope_of(area, loss, air=air, mass=mass, house=house), step_s=step_s)
    zones["area_m2"], zones["loss_w_per_k"] = area, loss * area
    zones["gain_k"] = house["internal_gain_w_per_m2"] / loss
    zones["foresees"] = use == "house"
    zones["heat_w"] = np.where(is_store, loss * area * 2.0 * SIZING_K, zones["heat_w"])
    zones["store_j"], zones["store_share"] = np.where(is_store, store_j, 0.0), house["storage_heat_share"]
    zones["store_leak"] = 1.0 - np.exp(-house["storage_loss_percent_per_h"] / 100.0 * step_s / 3600.0)
    zones["valley_delay_h"] = house["storage_start_spread_h"] * draws.uniform(home_key, "valley")
    has_floor = draws.uniform(home_key, "floor heating") < house["floor_heating_share"]
    lag_s = 3600.0 * np.where(has_floor, house["emitter_lag_floor_h"], house["emitter_lag_radiator_h"])
    write_emitter(zones, np.where(use == "house", lag_s, 0.0), step_s=step_s)


def write_response(zones: ZoneArray, envelope: Envelope, *, step_s: float) -> None:
    """Write into zones how an envelope answers to a step."""
    step = response(envelope, step_s)
    for field in fields(step):
        zones[field.name] = getattr(step, field.name)


def write_emitter(zones: ZoneArray, lag_s: FloatArray, *, step_s: float) -> None:
    """Write into zones how radiators and floors follow the heat put into them; a lag of zero: at once."""
    zones["emitter_keep"] = np.where(lag_s > 0.0, np.exp(-step_s / np.maximum(lag_s, 1.0)), 0.0)
    zones["emitter_share"] = 1.0 - lag_s / step_s * (1.0 - zones["emitter_keep"])


def _write_habits(
    zones: ZoneArray, home_key: UnsignedArray, number: IntArray, units: IntArray, parameters: DemandParameters
) -> None:
    """Draw targets and hours of use."""
    key, house = zones["key"], parameters.house
    use = np.array([device.kind for device in parameters.devices])[zones["device"]]
    pattern = draws.uniform(home_key, "pattern")
    shares = np.array([house[f"share_{name}"] for name in ("whole_house", "part_space", "part_time")])
    whole, part_space, _ = shares / shares.sum()
    is_whole = (pattern < whole) | (use != "room")
    is_part_time = (pattern >= whole + part_space) & ~is_whole
    # In a home of one unit the room may be the one where people sleep; of several the first is the living room.
    is_bedroom = (use == "room") & (
        (number > 0) | ((units == 1) & (draws.uniform(home_key, "one room") < house["one_room_bedroom_share"]))
    )
    living, bedroom = house["target_living_c"], house["target_bedroom_c"]
    spread = np.where(is_bedroom, house["target_bedroom_sigma_k"], house["target_living_sigma_k"])
    target = np.where(is_bedroom, bedroom, living) + spread * draws.normal(home_key, "target")
    target = np.clip(target, *_TARGETS_C)
    # Homes that save buy that part of the heat of a mean winter day.
    saved_k = (1.0 - house["thrift_factor"]) * (target - _MEAN_WINTER_C)
    zones["target_c"] = np.clip(target - saved_k, *_CHANGED_TARGETS_C)
    zones["offset_k"] = house["target_offset_k"]
    zones["gain_per_k"] = np.where(
        use == "house", house["proportional_gain_house_per_k"], house["proportional_gain_per_k"]
    )
    zones["gain_minute_per_k"] = zones["gain_per_k"] * MINUTE_GAIN
    has_setback = (use == "house") & (draws.uniform(home_key, "setback") < house["setback_share"])
    zones["setback_k"] = np.where(has_setback, house["setback_k"], 0.0)
    zones["use"] = np.where(use == "storage", STORAGE, np.where(is_whole, ALWAYS, PERIODS))
    thrift = house["use_part_c"] * draws.normal(home_key, "thrift")
    for field, name in (("use_b_per_k", "b_per_k"), ("use_t0_c", "t0_c")):
        zones[field] = np.where(is_whole, house[f"use_full_{name}"], house[f"use_part_{name}"])
    zones["use_a"] = np.where(is_whole, house["use_full_a"], house["use_part_a"] + thrift)
    zones["through_u"] = draws.uniform(home_key, "through")
    zones["through_b_per_k"], zones["through_t0_c"] = house["all_day_b_per_k"], house["all_day_t0_c"]
    # The only heater of a home is not one that merely warms a room before sleep.
    may_preheat = is_bedroom & (units > 1)
    warms_before_sleep = may_preheat & (
        is_part_time | (draws.uniform(key, "before sleep") < house["bedroom_preheat_share"])
    )
    several = is_part_time & ~is_bedroom
    _write_periods(zones, key, (is_bedroom, warms_before_sleep, several, has_setback), house)


def _write_periods(
    zones: ZoneArray,
    key: UnsignedArray,
    kinds: tuple[BoolArray, BoolArray, BoolArray, BoolArray],
    house: Mapping[str, float],
) -> None:
    """Write up to three heating periods of the day; one that is not used ends long before it begins."""
    is_bedroom, warms_before_sleep, several, has_setback = kinds
    living_on, living_off = house["living_on_hour"], house["living_off_hour"]
    night_on = house["bedroom_on_hour"]
    night_off = np.where(
        warms_before_sleep, night_on + house["bedroom_preheat_hours"], house["bedroom_off_hour"] + 24.0
    )
    on, off = zones["on_hour"], zones["off_hour"]
    on[:], off[:] = _NEVER_H, -_NEVER_H
    on[:, 0], off[:, 0] = living_on, living_off
    off[several, 0] = house["part_time_morning_off_hour"]
    on[several, 1], off[several, 1] = house["part_time_noon_on_hour"], house["part_time_noon_off_hour"]
    on[several, 2], off[several, 2] = house["part_time_evening_on_hour"], living_off
    on[is_bedroom, 0], off[is_bedroom, 0] = night_on, night_off[is_bedroom]
    on[has_setback, 0], off[has_setback, 0] = house["setback_on_hour"], house["setback_off_hour"]
    sigma_on = np.where(is_bedroom, house["bedroom_on_sigma_h"], house["living_switch_sigma_h"])
    sigma_off = np.where(is_bedroom, house["bedroom_off_sigma_h"], house["living_switch_sigma_h"])
    # A home keeps its hours; a third of their variance is of the day.
    zones["jitter_h"] = np.sqrt(1.0 / 3.0) * np.where(is_bedroom, sigma_off, sigma_on)
    lasting = np.sqrt(2.0 / 3.0)
    used = on < _NEVER_H
    on += np.where(used, (lasting * sigma_on * draws.normal(key, "on"))[:, None], 0.0)
    off += np.where(used, (lasting * sigma_off * draws.normal(key, "off"))[:, None], 0.0)
