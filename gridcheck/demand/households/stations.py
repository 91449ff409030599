r"""Village stations: one bank of boilers or heat pumps that heats many homes through pipes in the ground.

All homes of a station are one lumped zone. Pipes lose a share :math:`l` of the heat, pumps take :math:`p` of what the
bank draws:

.. math:: P = \frac{Q}{\eta\, COP} \cdot \frac{1 + p}{1 - l}

The bank is switched in steps that are small against the whole, so its input follows the heat. Hot water knows no
holidays: a station heats every day of the season.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gridcheck.arrays import IntArray
from gridcheck.catalogue import DEVICE_CLASSES, central_stations, heaters
from gridcheck.demand.devices import cop_and_heat
from gridcheck.demand.households import draws
from gridcheck.demand.households.kernel import ALWAYS
from gridcheck.demand.households.thermal import envelope_of
from gridcheck.demand.households.zones import (
    MINUTE_GAIN,
    SIZING_K,
    ZONE,
    ZoneArray,
    write_emitter,
    write_response,
)
from gridcheck.demand.parameters import DemandParameters
from gridcheck.errors import InputError

# Chance of a day without heating: none.
_EVERY_DAY = 1e3
_STEPS_OF_BANK = 10


def station_zones(
    station: str,
    n_home: IntArray,
    parameters: DemandParameters,
    *,
    seed: int,
    step_s: float,
    group: IntArray | None = None,
) -> ZoneArray:
    """Return one lumped zone per station, to be simulated as zones of homes are; three-phase.

    A station is sized for `heat_w_per_m2` of the catalogue at the temperature at which homes are sized, 24 K below
    their target. The homes behind it are insulated ones: a station is built where that has been done.

    Parameters
    ----------
    station : str
        Row of ``central_stations.csv``.
    n_home : ndarray of int, shape (n_station,)
        Homes that each station heats.
    parameters : DemandParameters
        Parameters of houses and devices.
    seed : int
        Seed.
    step_s : float
        Length of the steps. [s]
    group : ndarray of int, shape (n_station,), optional
        Row of the result in which a station's power is added up; its own row where not given.

    Returns
    -------
    ndarray of ZONE, shape (n_station,)

    Raises
    ------
    InputError
        If there is no such station, or it is not built for so many homes.
    """
    table, house = central_stations(), parameters.house
    if station not in table.index:
        raise InputError(f"station must be one of {', '.join(table.index)}. Got {station!r}.")
    row: dict[Any, Any] = table.loc[station].to_dict()
    least, most = int(row["homes_min"]), int(row["homes_max"])
    wrong = np.flatnonzero((n_home < least) | (n_home > most))
    findings = [f"station at position {place}: {n_home[place]} homes" for place in wrong]
    if findings:
        raise InputError(f"{station} must heat {least} to {most} homes. Split the village or take another.", findings)
    position = DEVICE_CLASSES.index(str(row["curve_of"]))
    device, classes = parameters.devices[position], heaters().iloc[position]
    zones = np.zeros(len(n_home), dtype=ZONE)
    zones["home"] = np.arange(len(n_home))
    zones["group"] = zones["home"] if group is None else group
    zones["key"], zones["device"], zones["use"] = draws.keys(seed, zones["home"]), position, ALWAYS
    area = n_home.astype(np.float64) * house["heated_area_house_m2"]
    loss = np.full(len(n_home), house["heat_loss_insulated_w_per_k_m2"])
    capacities = {name: np.full(len(n_home), house[f"{name}_capacity_kj_per_k_m2"]) for name in ("air", "mass")}
    write_response(zones, envelope_of(area, loss, **capacities, house=house), step_s=step_s)
    lag_h = np.full(len(n_home), house["emitter_lag_radiator_h"])
    write_emitter(zones, 3600.0 * lag_h, step_s=step_s)
    target_c = house["target_living_c"]
    # Where it is sized, and all along its curve, in dry air.
    outdoor_c = np.append(target_c - SIZING_K, device.temperature_c)
    cop, heat_ratio = cop_and_heat(device, outdoor_c, np.zeros(len(outdoor_c)), house)
    efficiency = (
        device.field_factor * (1.0 - row["exchange_loss_percent"] / 100.0) / (1.0 + row["pump_percent"] / 100.0)
    )
    heat_w = row["heat_w_per_m2"] * area / heat_ratio[0]
    for name, value in {
        "area_m2": area,
        "loss_w_per_k": loss * area,
        "gain_k": house["internal_gain_w_per_m2"] / loss,
        "target_c": target_c,
        "offset_k": house["target_offset_k"],
        "gain_per_k": house["proportional_gain_house_per_k"],
        "gain_minute_per_k": house["proportional_gain_house_per_k"] * MINUTE_GAIN,
        "use_a": _EVERY_DAY,
        "foresees": True,
        "is_inverter": True,
        "no_load": 1.0,
        "least_share": 1.0 / _STEPS_OF_BANK,
        "heat_w": heat_w,
        "rated_w": heat_w * heat_ratio[0] / (cop[0] * efficiency),
        "max_input_w": heat_w * (heat_ratio / cop).max() / efficiency,
        "field_factor": efficiency,
        "standby_w": row["standby_w"],
        "tan_phi": np.sqrt(1.0 - row["cos_phi"] ** 2) / row["cos_phi"],
        "restart_s": 60.0 * classes["restart_delay_min"],
        "back_day": -np.inf,
        "gone_day": np.inf,
    }.items():
        zones[name] = value
    return zones
