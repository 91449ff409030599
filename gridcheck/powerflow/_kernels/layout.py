"""What all kernels share: the width of a block, and what counts as solved."""

from __future__ import annotations

from gridcheck.powerflow._kernels.freshness import forget_stale_code

# Every kernel imports this module before it is compiled or its compiled code is looked for.
forget_stale_code()

# Cases that are treated side by side, the lanes of a block.
BLOCK = 32
CONVERGED = 0
NOT_CONVERGED = 1
# Below this voltage a constant-power load is past its collapse; going on would only lead to overflow. [pu]
COLLAPSE_VM_PU = 0.2
# A step larger than this (or NaN) cannot come back. [pu]
DIVERGED_PU = 1e3
