r"""A transformer with on-load taps: at which position it stands in each step, and what an area sees of that.

The ratio n of a transformer with a stiff source u gives its low-voltage side the no-load voltage u / n behind an
impedance that does not depend on the tap. So another position n' of a transformer that is modelled at n is the same as
another source voltage,

.. math:: u' = u \, n / n'

exactly, and no network has to be made anew for any step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class BusbarControl:
    """How the tap changer of an area's transformer holds its busbar.

    Attributes
    ----------
    setpoint_pu, band_pu : float
        Voltage that is held, and how far it may be off before the changer moves, at least half a step. [pu of 0.4 kV]
    step, range : float
        Step of the ratio, and how far it goes from 1 either way. [1]
    ratio : float
        Ratio at which the transformer stands in the network. [1]
    """

    setpoint_pu: float
    band_pu: float
    step: float
    range: float
    ratio: float


def held_sources(control: BusbarControl, vm_pu: FloatArray, busbar_pu: FloatArray, is_light: BoolArray) -> FloatArray:
    """Return the source voltages that stand for the positions of a tap changer, shape (n_step,). [pu]

    Parameters
    ----------
    control : BusbarControl
        The tap changer.
    vm_pu : ndarray, shape (n_step,)
        Voltage at the 10 kV terminals. [pu]
    busbar_pu : ndarray, shape (n_step,)
        Voltage of the busbar with the expected load, the transformer at ``control.ratio``. [pu]
    is_light : ndarray of bool, shape (n_step,)
        Steps that stand for the highest voltage. There the changer rests at the position within its band that gives
        the highest busbar, in the others at the one that gives the lowest: it may rest anywhere in the band.
    """
    scale = control.ratio / _positions(control, busbar_pu, is_light)
    held: FloatArray = vm_pu * scale
    return held


def _positions(control: BusbarControl, busbar_pu: FloatArray, is_light: BoolArray) -> FloatArray:
    """Return the ratio in each step; at an end of the range where the band is out of reach."""
    no_load = busbar_pu * control.ratio
    # A higher ratio is a lower voltage: the first ratio that is low enough, and the last one that is high enough.
    least = no_load / (control.setpoint_pu + control.band_pu)
    most = no_load / (control.setpoint_pu - control.band_pu)
    steps = np.where(
        is_light,
        np.ceil((least - 1.0) / control.step - _ROUNDING),
        np.floor((most - 1.0) / control.step + _ROUNDING),
    )
    end = int(control.range / control.step + _ROUNDING)
    ratios: FloatArray = 1.0 + control.step * np.clip(steps, -end, end)
    return ratios
