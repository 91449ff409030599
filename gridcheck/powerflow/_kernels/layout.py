"""What all kernels share: the width of a block, and what counts as solved."""

from __future__ import annotations

from gridcheck.powerflow._kernels.freshness import forget_stale_code
from gridcheck.powerflow._kernels.vectors import use_full_width

# Every kernel imports this module before it is compiled or its compiled code is looked for.
forget_stale_code()
use_full_width()

# Cases that are treated side by side, the lanes of a block. A loop over fewer would be unrolled before the compiler
# looks for vectors in it.
BLOCK = 64
CONVERGED = 0
NOT_CONVERGED = 1
# A switch state that is not a tree.
LOOP = 2
# Below this voltage a constant-power load is past its collapse; going on would only lead to overflow. [pu]
COLLAPSE_VM_PU = 0.2
# A change smaller than this is left to double precision. [pu]
ROUGH_PU = 1e-5
# So many sweeps single precision gets at most.
ROUGH_SWEEPS = 12
# Least ratio of the first changes from a start that was given.
STARTED_RHO = 0.75
# A step larger than this (or NaN) cannot come back. [pu]
DIVERGED_PU = 1e3
# What stands above a node of the four-wire sweep: a line, or a line whose neutral is earthed below, a transformer,
# a source.
LINE = 0
EARTHED = 1
TRAFO = 2
SOURCE = 3
