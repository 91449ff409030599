"""How the kernels are compiled."""

from __future__ import annotations

from typing import Any

# Kernels that make arrays of their own.
MAKER: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# Kernels that do not. What is handed in outlives them: counting references to it, which numba does at every row that
# is named, would cost more than the arithmetic.
KERNEL: dict[str, Any] = {**MAKER, "_nrt": False}
# The same for parts of kernels.
PART: dict[str, Any] = {**KERNEL, "inline": "always"}
