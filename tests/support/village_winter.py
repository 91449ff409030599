"""Readings of villages from homes that are drawn one by one: a yardstick that knows nothing of the fit.

Every home has its own base level, heat need and balance temperature. Noise remembers the quarter hours before; days
have moods that all areas share; meters fall silent and shout.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from gridcheck.demand.calibration import AreaReadings

BASE_KW = 0.25
SLOPE_KW_PER_K = 0.05
BALANCE_C = 15.0


def weather(rng, *, days, mean_c, start="2025-11-20"):
    """Times, local hours and temperatures of a winter."""
    time_utc = np.datetime64(start, "ns") - np.timedelta64(8, "h") + np.arange(days * 96) * np.timedelta64(15, "m")
    hour = np.arange(days * 96) % 96 / 4.0
    daily = lfilter([2.0], [1.0, -0.75], rng.normal(0.0, 1.0, days + 20))[20:]
    return time_utc, hour, mean_c + np.repeat(daily - daily.mean(), 96) + 4.0 * np.cos(2 * np.pi * (hour - 15.0) / 24)


def felt(temperature_c, memory_h):
    """What a wall of one time constant and a draught of 35 % make of it."""
    gain = 1.0 - np.exp(-0.25 / memory_h)
    level = temperature_c[:96].mean()
    walls, _ = lfilter([gain], [1.0, gain - 1.0], temperature_c, zi=[(1.0 - gain) * level])
    return 0.35 * temperature_c + 0.65 * walls


def base_shape(hour):
    return 1.0 + 0.6 * np.cos(2 * np.pi * (hour - 19.5) / 24) + 0.25 * np.cos(4 * np.pi * (hour - 19.5) / 24)


def village_winter(
    rng,
    *,
    areas=20,
    days=40,
    mean_c=0.0,
    saturation_c=None,
    memory_h=20.0,
    faults=True,
    homes=(20, 150),
    share=(0.0, 0.8),
):
    """Readings of all areas; heating is alike round the clock but for a swell in the evening."""
    time_utc, hour, temperature_c = weather(rng, days=days, mean_c=mean_c)
    outdoor = felt(temperature_c, memory_h)
    mood = np.repeat(1.0 + rng.normal(0.0, 0.02, days), 96)
    evening = 1.0 + 0.3 * np.cos(2 * np.pi * (hour - 21.0) / 24)
    # Homes are put into ten sorts by their balance temperature, which spares a loop over thousands.
    balances = BALANCE_C + 1.0 * np.array([-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645])
    cold = np.stack([np.clip(b - outdoor, 0.0, None if saturation_c is None else b - saturation_c) for b in balances])
    result = []
    for number in range(areas):
        n = int(rng.integers(*homes))
        converted = round(n * rng.uniform(*share))
        level = rng.lognormal(-0.18, 0.6, n).sum() * BASE_KW
        need = rng.lognormal(-0.08, 0.4, converted) * SLOPE_KW_PER_K
        by_sort = np.bincount(rng.integers(0, 10, converted), weights=need, minlength=10)
        chance = lfilter([0.6], [1.0, -0.8], rng.normal(0.0, 1.0, days * 96)) * np.sqrt(n) * 0.35
        power = (level * base_shape(hour) + (by_sort @ cold) * evening) * mood + chance
        if faults:
            power[rng.random(len(power)) < 0.03] = np.nan
            power[rng.random(len(power)) < 0.001] *= 12.0
        result.append(
            AreaReadings(
                area_id=f"A{number:03d}",
                time_utc=time_utc,
                power_kw=power,
                temperature_c=temperature_c,
                homes=n,
                converted={"air_air_heat_pump": converted},
            )
        )
    return result
