"""Parameters of the demand model, gathered from the catalogue into records.

Every number comes from a row of the catalogue's ``houses.csv``, ``base_load.csv`` and ``heaters*.csv`` or of this
room's ``model.csv``, with its source and confidence; `DemandParameters.with_overrides` replaces single rows, for
example by values measured on converted homes.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from gridcheck.arrays import FloatArray, frozen
from gridcheck.catalogue import (
    DEVICE_CLASSES,
    Device,
    DeviceCatalogue,
    base_load,
    class_devices,
    heater_curves,
    heater_ratings,
    heaters,
    houses,
)
from gridcheck.catalogue.device_columns import is_class_name
from gridcheck.demand.tables import named_ranges, named_values
from gridcheck.errors import CatalogueError, ConfigError, InputError

DeviceKind = Literal["room", "house", "storage"]

BASE = "base"
"""Name of the class of everything that is not heating."""

ROOFTOP_PV = "rooftop_pv"
"""Name of the class of what roofs feed in, the last one where there is any; its loads are negative."""

CLASSES = (BASE, *DEVICE_CLASSES)
"""Classes of demand, in the order of every class axis; models of a planner and roofs come behind them."""

# How a class heats: single rooms, the whole house through water, or a store filled at night; and the row with the
# floor area it serves.
_USE: Mapping[str, tuple[DeviceKind, str]] = {
    "air_air_heat_pump": ("room", "heated_area_room_heat_pump_m2"),
    "air_water_heat_pump": ("house", "heated_area_house_m2"),
    "ground_source_heat_pump": ("house", "heated_area_house_m2"),
    "resistive_heater": ("room", "heated_area_room_resistive_m2"),
    "storage_heater": ("storage", "heated_area_storage_m2"),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeviceParameters:
    """One device class, as installed by the mean household.

    Attributes
    ----------
    device : str
        Class, one of ``DEVICE_CLASSES``.
    kind : {"room", "house", "storage"}
        How it heats.
    rated_kw : float
        Mean rated electric input of one household's installation. [kW]
    units : float
        Mean number of units of one household. [1]
    heated_area_m2 : float
        Floor area it serves. [m2]
    max_input_ratio : float
        Nameplate maximum of the electric input over the rated input. [1]
    cos_phi : float
        Power factor. [1]
    no_load_share : float
        Input at vanishing part load over input in proportion to the load. [1]
    defrost_heat_factor, defrost_power_factor : float
        Loss of heat and of input per share of time spent on defrost. [1]
    field_factor : float
        COP in use over COP of the curve. [1]
    standby_ratio, backup_ratio : float
        Standby input, and backup elements spread over all units, over the rated input. [1]
    min_outdoor_c : float
        Outdoor temperature below which it stops and gives no heat; minus infinity where there is none. [degC]
    temperature_c, cop, heat_ratio, input_ratio : ndarray, shape (n_anchor,)
        Full-speed behaviour against rising outdoor temperature. [degC], [1], [1], [1]
    """

    device: str
    kind: DeviceKind
    rated_kw: float
    units: float
    heated_area_m2: float
    max_input_ratio: float
    cos_phi: float
    no_load_share: float
    defrost_heat_factor: float
    defrost_power_factor: float
    field_factor: float
    standby_ratio: float
    backup_ratio: float
    min_outdoor_c: float
    temperature_c: FloatArray
    cop: FloatArray
    heat_ratio: FloatArray
    input_ratio: FloatArray

    def __post_init__(self) -> None:
        n_anchor = len(self.temperature_c)
        for name in ("temperature_c", "cop", "heat_ratio", "input_ratio"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n_anchor,), name=name))
        findings = [
            f"{name} must be a number above 0. Got {getattr(self, name):g}"
            for name in ("rated_kw", "units", "heated_area_m2", "max_input_ratio")
            if not 0.0 < getattr(self, name) < np.inf
        ]
        if findings:
            raise InputError(f"{self.device} is no heater of a home.", findings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DemandParameters:
    """All parameters of the demand model.

    Attributes
    ----------
    house : mapping of str to float
        Rows of ``houses.csv`` and ``model.csv`` by name, each in the unit of its row.
    base : mapping of str to float
        Rows of ``base_load.csv`` by name, each in the unit of its row.
    devices : tuple of DeviceParameters
        In the order of ``DEVICE_CLASSES``.
    models : tuple of Device
        Models of a planner's own that are classes of their own, behind the others; none by default.
    """

    house: Mapping[str, float]
    base: Mapping[str, float]
    devices: tuple[DeviceParameters, ...]
    models: tuple[Device, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of demand, in the order of every class axis."""
        return (*CLASSES, *(model.model for model in self.models))

    def with_models(self, catalogue: DeviceCatalogue) -> DemandParameters:
        """Return a copy in which the models of a catalogue are classes of their own.

        Parameters
        ----------
        catalogue : DeviceCatalogue
            From `gridcheck.catalogue.read_devices`.

        Returns
        -------
        DemandParameters

        Raises
        ------
        ConfigError
            If a model has the name of a class: nobody could say which of them is meant.
        """
        taken = {name.casefold() for name in (*CLASSES, ROOFTOP_PV)}
        findings = [
            f"model {model.model!r}: that is a class"
            for model in catalogue
            if model.model.casefold() in taken or is_class_name(model.model)
        ]
        if findings:
            raise ConfigError(f"{catalogue.origin}: models need names that are not those of classes.", findings)
        return replace(self, models=catalogue.devices)

    def with_overrides(self, overrides: Mapping[str, float]) -> DemandParameters:
        """Return a copy with rows of ``houses.csv``, ``model.csv`` or ``base_load.csv`` replaced.

        Parameters
        ----------
        overrides : mapping of str to float
            New values by row name, in the unit of the row.

        Returns
        -------
        DemandParameters

        Raises
        ------
        ConfigError
            If a name is unknown, a value is not a number, or it is negative where the row allows nothing below zero: a
            floor area, a power. Other values outside the row's range are allowed: the range says what was expected,
            and a measured value outranks it.
        """
        findings = [
            f"{name}: no such parameter" for name in overrides if name not in self.house and name not in self.base
        ]
        findings += [
            f"{name}: must be finite. Got {value}" for name, value in overrides.items() if not np.isfinite(value)
        ]
        findings += [
            f"{name}: must not be negative. Got {value}"
            for name, value in overrides.items()
            if value < 0.0 and name in _never_negative()
        ]
        if findings:
            raise ConfigError("Demand parameters must be rows of houses.csv, model.csv or base_load.csv.", findings)
        house = MappingProxyType({name: float(overrides.get(name, value)) for name, value in self.house.items()})
        base = MappingProxyType({name: float(overrides.get(name, value)) for name, value in self.base.items()})
        return replace(self, house=house, base=base, devices=_devices(house))


@functools.cache
def default_parameters() -> DemandParameters:
    """Return the parameters of the catalogue and of ``model.csv``.

    Raises
    ------
    CatalogueError
        If a value of ``model.csv`` lies outside its own bounds or repeats a row of the catalogue.
    """
    model = named_values("model.csv")
    repeated = [f"{name}: stands in houses.csv too" for name in houses().index if name in model]
    if repeated:
        raise CatalogueError("gridcheck/demand/model.csv repeats rows of the catalogue.", repeated)
    house = MappingProxyType({**_values(houses()), **model})
    base = MappingProxyType(_values(base_load()))
    return DemandParameters(house=house, base=base, devices=_devices(house))


@functools.cache
def _never_negative() -> frozenset[str]:
    """Return the rows whose expected range holds nothing below zero."""
    catalogue = pd.concat([houses(), base_load()])
    named = {str(name) for name, least in catalogue["min"].items() if least >= 0.0}
    return frozenset(named | {name for name, (least, _) in named_ranges("model.csv").items() if least >= 0.0})


def _values(table: pd.DataFrame) -> dict[str, float]:
    return {str(name): float(value) for name, value in zip(table.index, table["value"], strict=True)}


def _devices(house: Mapping[str, float]) -> tuple[DeviceParameters, ...]:
    classes, ratings, curves = heaters(), heater_ratings(), heater_curves()
    result = []
    for device in DEVICE_CLASSES:
        kind, area_name = _USE[device]
        row: dict[Any, Any] = classes.loc[device].to_dict()
        sizes, curve = ratings.loc[ratings["device"] == device], curves.loc[curves["device"] == device]
        share = sizes["share"].to_numpy() / sizes["share"].sum()
        rated_kw = float(share @ sizes["rated_kw"].to_numpy())
        result.append(
            DeviceParameters(
                device=device,
                kind=kind,
                rated_kw=rated_kw,
                units=float(share @ sizes["units"].to_numpy()),
                heated_area_m2=house[area_name],
                max_input_ratio=float(share @ sizes["max_input_kw"].to_numpy()) / rated_kw,
                cos_phi=float(row["cos_phi"]),
                no_load_share=float(row["no_load_share"]),
                defrost_heat_factor=float(row["defrost_heat_factor"]),
                defrost_power_factor=float(row["defrost_power_factor"]),
                field_factor=float(row["field_factor"]),
                standby_ratio=float(row["standby_w"]) / 1000.0 / rated_kw,
                backup_ratio=float(row["backup_share"]) * float(row["backup_kw"]) / rated_kw,
                min_outdoor_c=class_devices()[device].min_outdoor_c,
                temperature_c=curve["temperature_c"].to_numpy(np.float64),
                cop=curve["cop"].to_numpy(np.float64),
                heat_ratio=curve["heat_ratio"].to_numpy(np.float64),
                input_ratio=curve["input_ratio"].to_numpy(np.float64),
            )
        )
    return tuple(result)
