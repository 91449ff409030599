"""High power, low efficiency: the heaters that the 2025 plan discourages, told by their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridcheck.catalogue.devices import Device
from gridcheck.catalogue.parameters import device_rules
from gridcheck.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyFlag:
    """Whether a device is one of high power and low efficiency, and why.

    Attributes
    ----------
    model, device : str
        Model and class.
    rated_kw, seasonal_cop : float
        Rated input of one home's installation; heat over electricity of a heating season. [kW], [1]
    is_discouraged : bool
        True where both hold: little heat for its electricity, and much power.
    reason_zh, reason_en : str
        The two numbers beside their limits.
    """

    model: str
    device: str
    rated_kw: float
    seasonal_cop: float
    is_discouraged: bool
    reason_zh: str
    reason_en: str


def efficiency_flag(device: Device, seasonal_cop: float, *, rules: Mapping[str, float] | None = None) -> EfficiencyFlag:
    """Hold a device against the two limits of `device_rules`.

    Parameters
    ----------
    device : Device
        Device.
    seasonal_cop : float
        Its seasonal COP, as `gridcheck.demand.seasonal_cop` gives it, above 0. [1]
    rules : mapping of str to float, optional
        ``low_efficiency_cop`` [1] and ``high_power_kw`` [kW]; those of `device_rules` by default.

    Returns
    -------
    EfficiencyFlag
        Discouraged if the seasonal COP lies below its limit and the rated input reaches its limit.

    Raises
    ------
    InputError
        If `seasonal_cop` is not above 0.

    Examples
    --------
    >>> from gridcheck.catalogue import class_devices
    >>> efficiency_flag(class_devices()["resistive_heater"], 1.0).reason_en
    'seasonal COP 1.00 below 2; rated input 3.85 kW reaches 2 kW: high power, low efficiency'
    """
    if not seasonal_cop > 0.0:
        raise InputError(f"seasonal_cop must be above 0. Got {seasonal_cop}.")
    values = device_rules()["value"] if rules is None else rules
    low_cop, high_kw = float(values["low_efficiency_cop"]), float(values["high_power_kw"])
    is_low, is_high = seasonal_cop < low_cop, device.rated_kw >= high_kw
    is_discouraged = is_low and is_high
    return EfficiencyFlag(
        model=device.model,
        device=device.device,
        rated_kw=device.rated_kw,
        seasonal_cop=seasonal_cop,
        is_discouraged=is_discouraged,
        reason_zh=(
            f"采暖季能效比 {seasonal_cop:.2f} {'低于' if is_low else '不低于'} {low_cop:g}；"
            f"额定功率 {device.rated_kw:.2f} kW {'达到' if is_high else '低于'} {high_kw:g} kW"
            f"{'：高功率、低能效' if is_discouraged else ''}"
        ),
        reason_en=(
            f"seasonal COP {seasonal_cop:.2f} {'below' if is_low else 'not below'} {low_cop:g}; "
            f"rated input {device.rated_kw:.2f} kW {'reaches' if is_high else 'below'} {high_kw:g} kW"
            f"{': high power, low efficiency' if is_discouraged else ''}"
        ),
    )
