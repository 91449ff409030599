"""One heater as a product sheet describes it: the classes of the catalogue, and models that a planner adds."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridcheck.arrays import FloatArray, frozen
from gridcheck.catalogue.heating import DEVICE_CLASSES, heater_curves, heater_ratings, heaters
from gridcheck.errors import CatalogueError

AIR_SOURCE = ("air_air_heat_pump", "air_water_heat_pump")
"""Classes whose output follows the outdoor air."""

CLASS_BEHAVIOUR = ("no_load_share", "defrost_heat_factor", "defrost_power_factor", "field_factor")
"""What no product sheet says: a model takes it from its class."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Device:
    """What one home installs of one model; powers are sums over its units.

    Attributes
    ----------
    model : str
        Name; that of the class for the mean installation of a class.
    device : str
        Class, one of ``DEVICE_CLASSES``.
    rated_heat_kw, rated_kw, max_input_kw : float
        Rated heat, rated electric input and nameplate maximum of the input. [kW]
    units : float
        Units of one home. [1]
    phases : int
        1 or 3.
    cos_phi : float
        Power factor. [1]
    control : str
        inverter, on_off or storage.
    no_load_share : float
        Input at vanishing part load over input in proportion to the load; 1 for on-off units. [1]
    defrost_heat_factor, defrost_power_factor : float
        Loss of heat and of input per share of time spent on defrost. [1]
    field_factor : float
        COP in use over COP of the product sheet. [1]
    standby_kw, backup_kw : float
        Standby input; backup element, spread over all homes where only some have one. [kW]
    min_outdoor_c : float
        Outdoor temperature below which it stops and gives no heat; minus infinity where there is none. [degC]
    temperature_c, cop, heat_ratio, input_ratio : ndarray, shape (n_anchor,)
        Full-speed COP, heat over rated heat and input over rated input against rising outdoor temperature.
    source, confidence : str
        Where the values come from; mark, U for a device of the user's own.
    """

    model: str
    device: str
    rated_heat_kw: float
    rated_kw: float
    max_input_kw: float
    units: float
    phases: int
    cos_phi: float
    control: str
    no_load_share: float
    defrost_heat_factor: float
    defrost_power_factor: float
    field_factor: float
    standby_kw: float
    backup_kw: float
    min_outdoor_c: float
    temperature_c: FloatArray
    cop: FloatArray
    heat_ratio: FloatArray
    input_ratio: FloatArray
    source: str
    confidence: str

    def __post_init__(self) -> None:
        n_anchor = len(self.temperature_c)
        for name in ("temperature_c", "cop", "heat_ratio", "input_ratio"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64, (n_anchor,), name=name))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeviceCatalogue:
    """Devices by model, in the order of their file.

    Attributes
    ----------
    origin : str
        File they were read from.
    devices : tuple of Device
        No two of the same model.
    """

    origin: str
    devices: tuple[Device, ...]

    def __iter__(self) -> Iterator[Device]:
        return iter(self.devices)

    def __len__(self) -> int:
        return len(self.devices)

    def __getitem__(self, model: str) -> Device:
        for device in self.devices:
            if device.model == model:
                return device
        names = [device.model for device in self.devices]
        near = difflib.get_close_matches(model, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names[:10])}"
        raise CatalogueError(f"{self.origin} has no model {model!r}; {hint}")


@functools.cache
def class_devices() -> DeviceCatalogue:
    """Return the mean installation of every class of the catalogue, under the name of its class.

    Examples
    --------
    >>> round(class_devices()["resistive_heater"].rated_kw, 2)
    3.85
    """
    return DeviceCatalogue(
        origin="the catalogue of classes", devices=tuple(_class_device(device) for device in DEVICE_CLASSES)
    )


def _class_device(device: str) -> Device:
    row: dict[Any, Any] = heaters().loc[device].to_dict()
    sizes = heater_ratings().query("device == @device")
    curve = heater_curves().query("device == @device")
    share = sizes["share"].to_numpy() / sizes["share"].sum()
    means = {name: float(share @ sizes[name].to_numpy()) for name in ("rated_kw", "rated_heat_kw", "max_input_kw")}
    behaviour = {name: float(row[name]) for name in ("cos_phi", *CLASS_BEHAVIOUR)}
    courses = {name: curve[name].to_numpy(np.float64) for name in ("temperature_c", "cop", "heat_ratio", "input_ratio")}
    values: dict[str, Any] = {**means, **behaviour, **courses}
    return Device(
        model=device,
        device=device,
        units=float(share @ sizes["units"].to_numpy()),
        phases=3 if share @ (sizes["phases"].to_numpy() == 3) > 0.5 else 1,  # as most homes of the class have it
        control=str(row["control"]),
        standby_kw=float(row["standby_w"]) / 1000.0,
        backup_kw=float(row["backup_share"]) * float(row["backup_kw"]),
        min_outdoor_c=float(courses["temperature_c"][0]) if device in AIR_SOURCE else -math.inf,
        source=str(row["source"]),
        confidence=str(row["confidence"]),
        **values,
    )
