"""Vectors of full width: on processors with 512-bit vectors the compiler takes half of them unless told otherwise."""

from __future__ import annotations

from typing import Any

from numba.core import config
from numba.core.codegen import get_host_cpu_features

_HALF_WIDTH = "prefer-256-bit"


def use_full_width() -> None:
    """Let numba use 512-bit vectors where the processor has them; leave alone what the user has set.

    It takes effect if nothing has been compiled yet in this process; if something has, the same bits come a
    little later.
    """
    settings: Any = config  # numba sets its attributes when it is imported
    if settings.CPU_NAME is not None or settings.CPU_FEATURES is not None or not settings.ENABLE_AVX:
        return
    features: str = get_host_cpu_features()  # type: ignore[no-untyped-call]
    if "+avx512f" in features.split(","):
        settings.CPU_FEATURES = f"{features},-{_HALF_WIDTH}"
