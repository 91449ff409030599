"""Models of a planner's own in the model of homes: a device in the place of its class, and the homes that have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gridcheck.arrays import FloatArray, IntArray
from gridcheck.catalogue import DEVICE_CLASSES, Device, class_devices, heaters
from gridcheck.demand.households import Homes, draw_homes
from gridcheck.demand.households.zones import ZoneArray
from gridcheck.demand.parameters import DemandParameters, DeviceParameters, default_parameters

# Whose least part load an inverter has in a class that is usually switched on and off.
_USUAL_INVERTER = "air_water_heat_pump"


def device_parameters(device: Device, *, parameters: DemandParameters | None = None) -> DeviceParameters:
    """Return a device as the model of homes sees it, in the place of its class.

    Parameters
    ----------
    device : Device
        A planner's own device, or a class.
    parameters : DemandParameters, optional
        Parameters of the model; the catalogue's by default.

    Returns
    -------
    DeviceParameters
        The kind of use is that of the class; the heated area is that of the class times the device's
        rated heat over that of the class, because homes buy the size that fits. Below ``min_outdoor_c`` the
        compressor of every simulated home stands still, as it does in `seasonal_cop`: rooms cool down, and only standby
        and the backup element, where a home has one, are drawn.
    """
    chosen = default_parameters() if parameters is None else parameters
    like = next(entry for entry in chosen.devices if entry.device == device.device)
    size = device.rated_heat_kw / class_devices()[device.device].rated_heat_kw
    return replace(
        like,
        rated_kw=device.rated_kw,
        units=device.units,
        heated_area_m2=like.heated_area_m2 * size,
        max_input_ratio=device.max_input_kw / device.rated_kw,
        cos_phi=device.cos_phi,
        no_load_share=device.no_load_share,
        defrost_heat_factor=device.defrost_heat_factor,
        defrost_power_factor=device.defrost_power_factor,
        field_factor=device.field_factor,
        standby_ratio=device.standby_kw / device.rated_kw,
        backup_ratio=device.backup_kw / device.rated_kw,
        min_outdoor_c=device.min_outdoor_c,
        temperature_c=device.temperature_c,
        cop=device.cop,
        heat_ratio=device.heat_ratio,
        input_ratio=device.input_ratio,
    )


def parameters_of_model(model: Device, parameters: DemandParameters) -> DemandParameters:
    """Return the parameters with a model in the place of its class.

    Parameters
    ----------
    model : Device
        Model.
    parameters : DemandParameters
        Parameters of the model of homes.
    """
    own = device_parameters(model, parameters=parameters)
    devices = tuple(own if entry.device == model.device else entry for entry in parameters.devices)
    return replace(parameters, devices=devices, models=())


def homes_of_model(home: IntArray, model: Device, *, seed: int) -> Homes:
    """Give homes a model: the homes of its class, so that the two differ by nothing but the heater.

    Parameters
    ----------
    home : ndarray of int, shape (n_home,)
        Numbers that tell homes apart.
    model : Device
        What each of them installs.
    seed : int
        Seed.
    """
    n = len(home)
    drawn = draw_homes(home, np.full(n, DEVICE_CLASSES.index(model.device)), seed=seed)

    def everywhere(value: float) -> FloatArray:
        return np.full(n, value)

    return replace(
        drawn,
        rated_kw=everywhere(model.rated_kw),
        heat_kw=everywhere(model.rated_heat_kw),
        max_input_kw=everywhere(model.max_input_kw),
        units=np.full(n, round(model.units)),
        phases=np.full(n, model.phases),
    )


def write_model(zones: ZoneArray, homes: Homes, model: Device) -> None:
    """Write into the zones of `homes_of_model`, in place, what the sheet says and the class does not know.

    That is the control, the standby input and the backup element, shared out over the zones of a home.
    """
    n_zone = np.bincount(zones["home"], minlength=homes.n_home)[zones["home"]]
    table = heaters()
    zones["is_inverter"] = model.control == "inverter"
    like = model.device if table.loc[model.device, "control"] == "inverter" else _USUAL_INVERTER
    zones["least_share"] = table.loc[like, "min_part_load"] if model.control == "inverter" else 1.0
    zones["standby_w"] = 1000.0 * model.standby_kw / n_zone
    zones["backup_w"] = 1000.0 * model.backup_kw / n_zone
