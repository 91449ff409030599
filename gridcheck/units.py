"""Unit conversions, each in one place, and the physical constants they need."""

from __future__ import annotations

KW_PER_MW = 1000.0
YUAN_PER_WAN = 10_000.0
HOURS_PER_QUARTER = 0.25
POINTS_PER_DAY = 96

# Voltages of the low-voltage supply in China (GB/T 156): phase-to-neutral and line-to-line nominal values [V].
NOMINAL_PHASE_V = 220.0
NOMINAL_LINE_V = 380.0
SQRT3 = 3.0**0.5


def phase_voltage_v(vm_pu: float, vn_kv: float) -> float:
    """Convert a per-unit bus voltage to phase-to-neutral volts.

    Parameters
    ----------
    vm_pu : float
        Voltage magnitude on the base of the bus. [pu]
    vn_kv : float
        Nominal line-to-line voltage of the bus. [kV]

    Examples
    --------
    >>> round(phase_voltage_v(1.0, 0.4), 1)
    230.9
    """
    return vm_pu * vn_kv * 1000.0 / SQRT3
