"""Verdicts that the width of an interval cannot give: what the weather of these readings never showed."""

from __future__ import annotations

import math
from dataclasses import replace

from gridcheck.demand.calibration.response import LEAST_COLD_HOURS, SATURATION_SEEN_C
from gridcheck.demand.calibration.verdicts import Estimate, Reason

_BEYOND_K = 0.5


def minding_cold(estimate: Estimate, coldest_c: float, n_cold_hour: int) -> Estimate:
    """Return an estimate whose verdict minds how cold it was.

    Parameters
    ----------
    estimate : Estimate
        Judged by its interval.
    coldest_c : float
        Lowest felt temperature of an hour with readings. [degC]
    n_cold_hour : int
        Hours that felt colder than `SATURATION_SEEN_C`.

    Returns
    -------
    Estimate
        The same number; the verdict never better.
    """
    if estimate.name == "saturation_c":
        return _saturation(estimate, coldest_c, n_cold_hour)
    at_c = -10.0 if estimate.name.endswith("_-10_c") or estimate.name == "slope_percent_per_k" else (
        -5.0 if estimate.name.endswith("_-5_c") else math.inf
    )  # fmt: skip
    if at_c < coldest_c - _BEYOND_K:
        return replace(
            estimate,
            verdict="not_told" if estimate.verdict == "not_told" else "weakly_told",
            reason=Reason(
                zh=f"外推：最冷体感温度为 {coldest_c:.1f} °C，区间未含饱和",
                en=f"extrapolated: no hour felt colder than {coldest_c:.1f} degC, and the interval knows no saturation",
            ),
        )
    return estimate


def _saturation(estimate: Estimate, coldest_c: float, n_cold_hour: int) -> Estimate:
    if n_cold_hour < LEAST_COLD_HOURS:
        limit = f"{SATURATION_SEEN_C:g}"
        return replace(
            estimate,
            verdict="not_told",
            reason=Reason(
                zh=f"低于 {limit} °C 的读数只有 {n_cold_hour} h，至少需要 {LEAST_COLD_HOURS} h",
                en=f"only {n_cold_hour} h of readings below {limit} degC, {LEAST_COLD_HOURS} h are needed"
                if n_cold_hour
                else f"no reading below {limit} degC",
            ),
        )
    if not math.isfinite(estimate.value):
        return replace(
            estimate,
            verdict="not_told",
            reason=Reason(
                zh=f"直至 {coldest_c:.1f} °C 未见饱和；若有则更低",
                en=f"none seen down to {coldest_c:.1f} degC; it lies below, if anywhere",
            ),
        )  # fmt: skip
    if not math.isfinite(estimate.low):
        return replace(
            estimate,
            verdict="weakly_told",
            reason=Reason(
                zh=f"约 {estimate.value:.1f} °C，但部分重抽样中未见",
                en=f"about {estimate.value:.1f} degC, not seen in every resampling",
            ),
        )  # fmt: skip
    return estimate
