"""Seconds and memory of the stages of a study."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

_MB = 1024.0 * 1024.0


@dataclass(slots=True)
class StageClock:
    """Seconds of each stage and the highest memory of the process at its end."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def stage(self, name: str) -> None:
        """Close the stage that has just run."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self.peak_mb[name] = peak_memory_mb()
        self._since = now


def peak_memory_mb() -> float:
    """Return the highest memory this process has used so far; NaN where the system does not tell. [MiB]"""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MB if sys.platform == "darwin" else peak / 1024.0
