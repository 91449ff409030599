"""Homes of a district in a given mix of heaters, and the memory that their season takes in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from datetime import date
from pathlib import Path

import numpy as np

from gridcheck.demand.households import draw_homes, heated_zones, simulate
from gridcheck.demand.parameters import default_parameters
from gridcheck.demand.weather import scenario_weather

MIX_PERCENT = (45, 35, 5, 12, 3)
"""Air to air, air to water, ground source, resistive, storage."""

SEED = 7


def mixed_zones(n_home, n_area, *, step_s=900.0):
    """Return the zones of homes in the mix, in areas of equal size."""
    home = np.arange(n_home)
    device = np.random.default_rng(SEED).permutation(np.repeat(np.arange(5), MIX_PERCENT))[home % 100]
    homes = draw_homes(home, device, seed=SEED)
    return heated_zones(homes, default_parameters(), seed=SEED, step_s=step_s, group=home * n_area // n_home)


def winter(days):
    """Return a window from the middle of November with the days before it that warm the houses up."""
    return scenario_weather("140802", start=date(2025, 11, 15), days=days, seed=SEED)


def peak_memory_mb(n_home, n_area, days):
    """Return the peak of a fresh process over the interpreter: resident set, and what Python and NumPy asked for."""
    root = Path(__file__).parents[2]
    program = f"from {__name__} import tell_memory; tell_memory({n_home}, {n_area}, {days})"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout.splitlines()[-1])


def tell_memory(n_home, n_area, days):
    simulate(mixed_zones(100, 1), winter(1), default_parameters(), n_group=1)  # imports and the compiled kernel
    before = _status_mb("VmRSS")
    tracemalloc.start()
    simulate(mixed_zones(n_home, n_area), winter(days), default_parameters(), n_group=n_area, threads=2)
    asked = tracemalloc.get_traced_memory()[1] / 2**20
    sys.stdout.write(json.dumps({"resident set": _status_mb("VmHWM") - before, "Python and NumPy": asked}))


def _status_mb(name):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) / 1024
