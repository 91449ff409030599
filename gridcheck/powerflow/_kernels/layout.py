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
# The same for loads by phase: six values per case and node instead of two, so fewer cases fill the cache.
PHASE_BLOCK = 16
# What stands above a node of the four-wire sweep: a line, or a line whose neutral is earthed below, a transformer,
# a source.
LINE = 0
EARTHED = 1
TRAFO = 2
SOURCE = 3
