"""From a calibration to parameters of the demand model: only what the readings tell, and what was done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq

from gridcheck.catalogue import base_load
from gridcheck.demand.calibration.calibrate import Calibration, heating_name
from gridcheck.demand.calibration.panel import HOURS
from gridcheck.demand.calibration.verdicts import Reason
from gridcheck.demand.clock import local_hour
from gridcheck.demand.parameters import DemandParameters, default_parameters
from gridcheck.demand.simulated import mean_power_kw
from gridcheck.demand.tables import named_ranges
from gridcheck.demand.weather import steady_days

BASE_TABLE, MODEL_TABLE = "gridcheck/catalogue/base_load.csv", "gridcheck/demand/model.csv"
"""Where the rows stand that a calibration replaces."""

_HOURS_PER_YEAR = 8760.0
_LEAST_THRIFT, _MOST_THRIFT = 0.1, 3.0
# The sun is not in the readings, so model and readings are compared in the dark.
_DARK = (np.arange(HOURS) >= 17) | (np.arange(HOURS) <= 7)
# Homes of a class that stand for all in the search for the level.
_MODEL_HOMES = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overrides:
    """Rows for `DemandParameters.with_overrides`, and in words what they replace.

    Attributes
    ----------
    values : mapping of str to float
        New values by row name, in the unit of the row.
    notes : tuple of Reason
        What was replaced, or left and why.
    """

    values: Mapping[str, float]
    notes: tuple[Reason, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))


def overrides(calibration: Calibration, parameters: DemandParameters | None = None) -> Overrides:
    """Return the parameters that a calibration replaces: level and shape of the base load, thrift, memory of the walls.

    Parameters
    ----------
    calibration : Calibration
        Result.
    parameters : DemandParameters, optional
        What it replaces; the catalogue's by default.

    Returns
    -------
    Overrides
        Of parameters that are told and that their rows allow; everything else stays. The notes name table and row.
    """
    chosen = default_parameters() if parameters is None else parameters
    values: dict[str, float] = {}
    notes: list[Reason] = []
    base = calibration.estimate("base_kw")
    if base.verdict == "told":
        annual_kwh = base.value * _HOURS_PER_YEAR / chosen.base["winter_factor"]
        shape = np.maximum(calibration.response.base_kw, 0.0) / base.value
        change = f"{BASE_TABLE}: annual_kwh {chosen.base['annual_kwh']:.0f} -> {annual_kwh:.0f} kWh"
        if _fits({"annual_kwh": annual_kwh}, values, notes):
            notes.append(Reason(zh=f"{change}；winter_factor 不变", en=f"{change}; winter_factor is kept"))
        # The shape is one thing: with some of its hours it is none.
        if _fits({f"shape_hour_{hour:02d}": float(part) for hour, part in enumerate(shape)}, values, notes):
            change = f"{BASE_TABLE}: shape_hour_00 … shape_hour_23"
            notes.append(Reason(zh=f"替换 {change}", en=f"replaced are {change}"))
    else:
        notes.append(_kept("annual_kwh, shape_hour", base.reason))
    _memory(calibration, chosen, values, notes)
    _thrift(calibration, chosen, values, notes)
    return Overrides(values=values, notes=tuple(notes))


def _fits(wanted: Mapping[str, float], values: dict[str, float], notes: list[Reason]) -> bool:
    """Take values that their rows allow, all or none; a note says which are refused."""
    ranges = _row_ranges()
    outside = [
        f"{name} = {value:.3g} [{ranges[name][0]:g}, {ranges[name][1]:g}]"
        for name, value in wanted.items()
        if not ranges[name][0] <= value <= ranges[name][1]
    ]
    if outside:
        rows = ", ".join(outside)
        notes.append(
            Reason(
                zh=f"不替换，超出该行 [min, max]，请核对输入：{rows}",
                en=f"not replaced, outside [min, max] of the row, check the input: {rows}",
            )
        )
        return False
    values.update(wanted)
    return True


def _row_ranges() -> dict[str, tuple[float, float]]:
    table = base_load()
    rows = zip(table.index, table["min"], table["max"], strict=True)
    return {str(name): (float(low), float(high)) for name, low, high in rows} | named_ranges("model.csv")


def _kept(name: str, reason: Reason) -> Reason:
    return Reason(zh=f"{name} 保持不变：{reason.zh}", en=f"{name} is kept: {reason.en}")


def _memory(
    calibration: Calibration, parameters: DemandParameters, values: dict[str, float], notes: list[Reason]
) -> None:
    memory = calibration.estimate("outdoor_smoothing_h")
    if memory.verdict != "told":
        notes.append(_kept("outdoor_smoothing_h", memory.reason))
        return
    if _fits({"outdoor_smoothing_h": memory.value}, values, notes):
        before_h = parameters.house["outdoor_smoothing_h"]
        change = f"{MODEL_TABLE}: outdoor_smoothing_h {before_h:.0f} -> {memory.value:.0f} h"
        notes.append(Reason(zh=change, en=change))


def _thrift(
    calibration: Calibration, parameters: DemandParameters, values: dict[str, float], notes: list[Reason]
) -> None:
    """Let thrift carry the level of all heating: the model then draws at the reference what was measured."""
    at_c = -5.0 if calibration.coldest_c <= -5.0 else 0.0
    for device in calibration.classes:
        level = calibration.estimate(heating_name(device, at_c))
        if level.verdict != "told":
            notes.append(_kept("thrift_factor", level.reason))
            return
    homes = calibration.class_homes
    counts = np.array([homes.get(name, 0.0) for name in calibration.classes])
    if calibration.classes == ("mix",):
        counts = np.array([sum(homes.values())])
    measured_kw = float(counts @ calibration.response.heating_kw(at_c)[:, _DARK].mean(axis=1))

    def excess_kw(thrift: float) -> float:
        return _model_kw(parameters.with_overrides({"thrift_factor": thrift}), homes, at_c) - measured_kw

    if excess_kw(_LEAST_THRIFT) > 0.0 or excess_kw(_MOST_THRIFT) < 0.0:
        reason = Reason(zh="没有合理的取值能再现实测水平", en="no sensible value gives the measured level")
        notes.append(_kept("thrift_factor", reason))
        return
    thrift = float(brentq(excess_kw, _LEAST_THRIFT, _MOST_THRIFT, xtol=1e-4))
    if not _fits({"thrift_factor": thrift}, values, notes):
        return
    change = f"{MODEL_TABLE}: thrift_factor {parameters.house['thrift_factor']:.2f} -> {thrift:.2f}"
    notes.append(
        Reason(
            zh=f"{change}：使模型在 {at_c:g} °C 夜间等于实测；承担室温、热损失、面积与能效比的全部偏差",
            en=f"{change}: the model then draws what was measured at {at_c:g} degC in the dark; it carries all that "
            "set-point, heat loss, floor area and COP are off",
        )
    )


def _model_kw(parameters: DemandParameters, homes: Mapping[str, float], at_c: float) -> float:
    """Return what the model draws for these homes in the dark hours of a steady day. [kW]"""
    weather = steady_days(at_c, range_k=0.0)
    dark = _DARK[local_hour(weather.time_utc[weather.study]).astype(np.int64)]
    total = 0.0
    for position, device in enumerate(parameters.devices):
        count = homes.get(device.device, 0.0)
        if count > 0.0:
            mean_kw = mean_power_kw(position, weather, parameters, seed=0, n_home=_MODEL_HOMES)
            total += count * float(mean_kw[dark].mean())
    return total
