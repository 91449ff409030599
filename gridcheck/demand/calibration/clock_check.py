"""Time stamps that are hours off, seen as a day whose shape fits better elsewhere."""

from __future__ import annotations

import numpy as np

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.demand.calibration.panel import HOURS, Panel
from gridcheck.demand.calibration.response import Response
from gridcheck.demand.calibration.verdicts import Reason
from gridcheck.demand.parameters import default_parameters

LEAST_SLIP_H = 3
"""Shift from which a day's shape is not just another way of life: 8 h is UTC taken for local time. [E]"""

_LEAST_GAIN = 0.25


def clock_warnings(panel: Panel, response: Response, kept: BoolArray) -> list[Reason]:
    """Return a warning where the evening peak stands at the wrong hour, of all areas or of single ones.

    Parameters
    ----------
    panel : Panel
        Readings.
    response : Response
        Fitted to them; the shape of its base load stands for all areas.
    kept : ndarray of bool, shape (n_area, n_day, 24)
        Readings that count.
    """
    base = default_parameters().base
    usual = np.array([base[f"shape_hour_{hour:02d}"] for hour in range(HOURS)])
    slip = _slip_h(response.base_kw, usual)
    if slip:
        peak = int(np.argmax(response.base_kw))
        return [
            Reason(
                zh=f"基本负荷的晚高峰在 {peak} 时，整体约偏 {slip:+d} h；请检查时区和区间起止标记",
                en=f"the evening peak of the base load stands at {peak} h, about {slip:+d} h off; check the time "
                "zone of the readings",
            )
        ]
    course = np.where(kept, response.area_kw(panel), 0.0).sum(axis=1)
    measured = np.where(kept, panel.hour_kw, 0.0).sum(axis=1)
    count = np.maximum(kept.sum(axis=1), 1)
    found = [
        (name, own) for name, shape, mean in zip(panel.area_ids, measured / count, course / count, strict=True)
        if (own := _slip_h(shape, mean))
    ]  # fmt: skip
    return [
        Reason(
            zh=f"台区 {name} 的日曲线约偏 {own:+d} h；请检查其时钟",
            en=f"area {name}: its day is about {own:+d} h off; check its clock",
        )
        for name, own in found
    ]  # fmt: skip


def _slip_h(shape: FloatArray, usual: FloatArray) -> int:
    """Return by how many hours a day is late against the usual one, 0 where it is not clear."""
    if not (np.ptp(shape) > 0.0 and np.ptp(usual) > 0.0):
        return 0
    fits = np.array([np.corrcoef(shape, np.roll(usual, shift))[0, 1] for shift in range(HOURS)])
    best = int(np.argmax(fits))
    slip = best if best <= HOURS // 2 else best - HOURS
    return slip if abs(slip) >= LEAST_SLIP_H and fits[best] - fits[0] >= _LEAST_GAIN else 0
