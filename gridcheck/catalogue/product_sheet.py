"""A product sheet: what must hold between its numbers, and the device that follows from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gridcheck.catalogue.devices import AIR_SOURCE, CLASS_BEHAVIOUR, Device, class_devices
from gridcheck.limits import USER_MARK

DIRECT = ("resistive_heater", "storage_heater")
"""Classes that turn electricity into as much heat."""

COP_MIN, COP_MAX = 0.9, 8.0
"""No heater of a home lies outside; 1 less the losses of a boiler, and more than any heat pump reaches."""

# The rated point of a heat pump is at 7 degC, so its sheet has a COP in mild weather.
_MILD_C = 2.0
# Rounding of a sheet: heat, input and COP are each given with two digits.
_SLACK = 1.05
# A heat pump gives up to a fifth more than its rating in mild weather; twice as much is a slip.
_MAX_HEAT_RATIO = 2.0

Fault = tuple[str, str]
"""Column at fault, and what was found, what is allowed and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSheet:
    """One row of a device file, powers of one unit, NaN where optional numbers are not given.

    Attributes
    ----------
    model, device, control, source : str
        Name, class, way of control, and where the numbers come from; an empty control is that of the class.
    phases : int
        1 or 3.
    rated_heat_kw, rated_input_kw, max_input_kw, units, cos_phi, standby_w, backup_kw, min_outdoor_c : float
        As `gridcheck.catalogue.Device` has them.
    cop, heat_kw : mapping of float to float
        COP and heat [kW] at full speed by outdoor temperature [degC].
    """

    model: str
    device: str
    control: str
    source: str
    phases: int
    rated_heat_kw: float
    rated_input_kw: float
    max_input_kw: float
    units: float
    cos_phi: float
    standby_w: float
    backup_kw: float
    min_outdoor_c: float
    cop: Mapping[float, float]
    heat_kw: Mapping[float, float]


def sheet_faults(sheet: ProductSheet, rules: Mapping[str, float]) -> list[Fault]:
    """Return where the numbers of a sheet, each possible for itself, contradict each other.

    Parameters
    ----------
    sheet : ProductSheet
        Numbers inside their bounds.
    rules : mapping of str to float
        Values of `device_rules`.

    Returns
    -------
    list of (column, fault)
        Empty where all is well.
    """
    return [*_rating_faults(sheet, rules), *_curve_faults(sheet), *_reach_faults(sheet, rules)]


def _rating_faults(sheet: ProductSheet, rules: Mapping[str, float]) -> Iterator[Fault]:
    cop = sheet.rated_heat_kw / sheet.rated_input_kw
    highest = 1.0 if sheet.device in DIRECT else COP_MAX
    if not COP_MIN <= cop <= highest * _SLACK:
        yield (
            "rated_heat_kw",
            f"{sheet.rated_heat_kw:g} kW of heat from {sheet.rated_input_kw:g} kW is a COP of {cop:.2f}; a "
            f"{sheet.device} has {COP_MIN:g} to {highest:g}: are heat and input exchanged?",
        )
    if sheet.max_input_kw < sheet.rated_input_kw:
        yield (
            "max_input_kw",
            f"{sheet.max_input_kw:g} kW is less than the rated input of {sheet.rated_input_kw:g} kW: write the "
            "greatest input of the nameplate",
        )
    if sheet.control and (sheet.control == "storage") != (sheet.device == "storage_heater"):
        yield "control", f"{sheet.control} does not go with a {sheet.device}: leave it empty for that of the class"
    drawn_kw, most_kw = sheet.max_input_kw * _units(sheet), rules["single_phase_max_kw"]
    if sheet.phases == 1 and drawn_kw > most_kw:
        yield (
            "phases",
            f"one home would draw {drawn_kw:g} kW through one phase, allowed are {most_kw:g} kW: write 3, or correct "
            "max_input_kw and units",
        )


def _curve_faults(sheet: ProductSheet) -> Iterator[Fault]:
    highest = 1.0 if sheet.device in DIRECT else COP_MAX
    for temperature_c, cop in sheet.cop.items():
        if cop > highest:
            yield f"cop_{temperature_c:g}", f"{cop:g} is more heat than a {sheet.device} can give: at most {highest:g}"
        if temperature_c not in sheet.heat_kw and sheet.device in AIR_SOURCE:
            yield (
                f"heat_kw_{temperature_c:g}",
                f"is empty, while cop_{temperature_c:g} is given: fill in the heat there",
            )
    for colder, warmer in itertools.pairwise(sorted(sheet.cop) if sheet.device in AIR_SOURCE else ()):
        if sheet.cop[colder] >= sheet.cop[warmer]:
            yield (
                f"cop_{colder:g}",
                f"{sheet.cop[colder]:g} is not below the {sheet.cop[warmer]:g} at {warmer:g} degC, but a COP falls "
                "with the cold: are two columns exchanged, or a minus sign lost?",
            )
    for temperature_c, heat_kw in sheet.heat_kw.items():
        if temperature_c not in sheet.cop:
            yield f"cop_{temperature_c:g}", f"is empty, while heat_kw_{temperature_c:g} is given: fill in the COP there"
            continue
        input_kw = heat_kw / sheet.cop[temperature_c]
        if heat_kw > _MAX_HEAT_RATIO * sheet.rated_heat_kw or input_kw > _SLACK * sheet.max_input_kw:
            yield (
                f"heat_kw_{temperature_c:g}",
                f"{heat_kw:g} kW would need {input_kw:.2f} kW of input; rated are {sheet.rated_heat_kw:g} kW of heat "
                f"and at most {sheet.max_input_kw:g} kW of input: correct heat, COP or max_input_kw",
            )


def _reach_faults(sheet: ProductSheet, rules: Mapping[str, float]) -> Iterator[Fault]:
    """Whether the curve reaches from mild weather into a cold wave; only air-source heat pumps must."""
    if sheet.device == "ground_source_heat_pump" and not sheet.cop:
        yield "cop_7", "no COP is given: write that of the sheet, pumps included, in one column"
    if sheet.device not in AIR_SOURCE:
        return
    coldest_c = rules["coldest_anchor_c"]
    if not sheet.cop or max(sheet.cop) < _MILD_C:
        yield "cop_7", f"no COP at {_MILD_C:g} degC or warmer: fill in that of the rated point"
    if not sheet.cop or min(sheet.cop) > coldest_c:
        yield (
            f"cop_{coldest_c:g}",
            f"no COP at {coldest_c:g} degC or colder, so its load in a cold wave would be a guess: ask the maker; a "
            "unit that stops before is not for this climate",
        )
    elif sheet.min_outdoor_c > min(sheet.cop):
        yield (
            "min_outdoor_c",
            f"it stops at {sheet.min_outdoor_c:g} degC, but has a COP at {min(sheet.cop):g} degC: correct one of them",
        )


def _units(sheet: ProductSheet) -> float:
    return 1.0 if math.isnan(sheet.units) else sheet.units


def device_of(sheet: ProductSheet, rules: Mapping[str, float]) -> Device:
    """Return what one home installs, its class answering for what the sheet leaves open.

    Parameters
    ----------
    sheet : ProductSheet
        Sheet without faults.
    rules : mapping of str to float
        Values of `device_rules`.

    Returns
    -------
    Device
        Powers summed over the units of a home, marked U.
    """
    like = class_devices()[sheet.device]
    control = sheet.control or like.control
    is_fixed_speed = control == "on_off" and like.control == "inverter"
    cos_phi = rules["on_off_cos_phi"] if is_fixed_speed else like.cos_phi
    behaviour = {name: getattr(like, name) for name in CLASS_BEHAVIOUR}
    if control == "on_off":
        behaviour["no_load_share"] = 1.0  # full speed or nothing: no gain at part load
    rated_cop = sheet.rated_heat_kw / sheet.rated_input_kw
    # Direct and ground-source heat does not follow the air: what is not said is as rated.
    cop_at = dict(sheet.cop) or {0.0: min(rated_cop, 1.0)}
    temperature_c = np.array(sorted(cop_at))
    cop = np.array([cop_at[at] for at in temperature_c.tolist()])
    heat_ratio = np.array([sheet.heat_kw.get(at, sheet.rated_heat_kw) for at in temperature_c.tolist()])
    heat_ratio = heat_ratio / sheet.rated_heat_kw
    units = _units(sheet)
    coldest_c = float(temperature_c[0]) if sheet.device in AIR_SOURCE else -math.inf
    return Device(
        model=sheet.model,
        device=sheet.device,
        rated_heat_kw=units * sheet.rated_heat_kw,
        rated_kw=units * sheet.rated_input_kw,
        max_input_kw=units * sheet.max_input_kw,
        units=units,
        phases=sheet.phases,
        cos_phi=cos_phi if math.isnan(sheet.cos_phi) else sheet.cos_phi,
        control=control,
        **behaviour,
        standby_kw=like.standby_kw if math.isnan(sheet.standby_w) else units * sheet.standby_w / 1000.0,
        backup_kw=0.0 if math.isnan(sheet.backup_kw) else units * sheet.backup_kw,
        min_outdoor_c=coldest_c if math.isnan(sheet.min_outdoor_c) else sheet.min_outdoor_c,
        temperature_c=temperature_c,
        cop=cop,
        heat_ratio=heat_ratio,
        input_ratio=heat_ratio * rated_cop / cop,
        source=sheet.source,
        confidence=USER_MARK,
    )
