"""Which parameters the readings tell, and in words why they do not tell the others.

A parameter is told where its interval is short against the range in which it was expected anyway (smallest and largest
value of its row in ``base_load.csv``, ``model.csv`` or ``calibration.csv``). Some can never be told from sums of
areas, whatever the winter: they are listed in `NEVER_TOLD`.
Where the whole interval lies outside that range, the input is to be checked first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from gridcheck.arrays import FloatArray

Verdict = Literal["told", "weakly_told", "not_told", "outside"]

VERDICT_TEXTS: dict[Verdict, tuple[str, str]] = {
    "told": ("数据可以确定", "told by the data"),
    "weakly_told": ("数据只能粗略确定", "weakly told by the data"),
    "not_told": ("数据无法确定", "not told by the data"),
    "outside": ("超出预期范围：请核对输入", "outside the expected range: check the input"),
}
"""Words for a verdict, Chinese and English."""

TOLD_WIDTH, WEAKLY_TOLD_WIDTH = 1.0 / 3.0, 1.0
"""Width of the interval over the width of the expected range up to which a parameter is told, or weakly told. [E]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason in both languages.

    Attributes
    ----------
    zh, en : str
        Chinese and English.
    """

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number with its interval and what it is worth.

    Attributes
    ----------
    name : str
        Parameter.
    value, low, high : float
        Estimate and interval, NaN or infinite where there is none.
    unit : str
        Unit of the three.
    verdict : {"told", "weakly_told", "not_told", "outside"}
        Whether the readings tell it; ``outside`` where the whole interval lies outside the expected range.
    reason : Reason
        Why.
    confidence : str
        Mark; ``C``, calculated from readings.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    verdict: Verdict
    reason: Reason
    confidence: str = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeverTold:
    """Parameters that sums of areas cannot tell one by one.

    Attributes
    ----------
    names : tuple of str
        Rows of the parameter tables.
    reason : Reason
        Why, and what would tell them.
    """

    names: tuple[str, ...]
    reason: Reason


NEVER_TOLD = (
    NeverTold(
        names=(
            "target_living_c", "target_bedroom_c", "internal_gain_w_per_m2", "heat_loss_insulated_w_per_k_m2",
            "heat_loss_uninsulated_w_per_k_m2", "insulated_share", "heated_area_room_heat_pump_m2",
            "heated_area_house_m2", "thrift_factor",
        ),
        reason=Reason(
            zh="室温设定、热损失、面积与节省程度只以乘积出现；thrift_factor 可作为整体比例修正。需要室温或入户调查",
            en="set-point, heat loss, floor area and thrift appear as a product only; thrift_factor may carry the "
            "level of all. Indoor temperatures or a survey would tell",
        ),
    ),
    NeverTold(
        names=("field_factor_mean", "cop"),
        reason=Reason(
            zh="只测得电量：能效比与需热量不可分。需要热量表", en="electricity alone is measured: COP and heat need go "
            "together. Heat meters would tell",
        ),
    ),
    NeverTold(
        names=("annual_kwh", "winter_factor"),
        reason=Reason(
            zh="一个冬季只给出两者的乘积；winter_factor 保持不变。需要全年电量",
            en="one winter gives their product only; winter_factor is kept. A year of energy would tell",
        ),
    ),
    NeverTold(
        names=("k_inf", "single_peak_kw"),
        reason=Reason(
            zh="台区总和看不到单户：小于最小台区的户数只能外推。需要单户 15 分钟曲线",
            en="no single home is seen in a sum: below the smallest area all is extrapolation. Curves of single homes "
            "would tell",
        ),
    ),
)  # fmt: skip
"""What no winter of area readings can tell."""


def judged(
    name: str,
    value: float,
    draws: FloatArray,
    *,
    unit: str,
    expected: tuple[float, float],
    possible: tuple[float, float] | None = None,
    stretch: float = 1.0,
) -> Estimate:
    """Return an estimate judged by the width of its 90 % interval against the expected range.

    Parameters
    ----------
    name : str
        Parameter.
    value : float
        Estimate.
    draws : ndarray, shape (n_draw,)
        The same from resampled readings; infinite where a bend was not seen.
    unit : str
        Unit.
    expected : tuple of float
        Smallest and largest value expected before there were readings.
    possible : tuple of float, optional
        Range outside which the input is to be checked; the expected one by default.
    stretch : float
        Factor of `small_sample_stretch`. [1]

    Returns
    -------
    Estimate
    """
    low, high = interval(draws, about=value, stretch=stretch)
    width = (high - low) / (expected[1] - expected[0])
    least, most = expected if possible is None else possible
    if not math.isfinite(width) or not math.isfinite(value):
        verdict: Verdict = "not_told"
        reason = Reason(zh="数据没有给出区间", en="the readings give no interval")
    elif low > most or high < least:
        verdict = "outside"
        reason = Reason(
            zh=f"整个区间 {low:.3g}～{high:.3g} 在预期范围 {least:.3g}～{most:.3g} {unit} 之外："
            "核对户数、单位、时区与气温",
            en=f"the whole interval, {low:.3g} to {high:.3g}, lies outside the expected range, {least:.3g} to "
            f"{most:.3g} {unit}: check homes, units, time zone and temperatures",
        )
    else:
        verdict = "told" if width <= TOLD_WIDTH else "weakly_told" if width <= WEAKLY_TOLD_WIDTH else "not_told"
        reason = Reason(
            zh=f"区间宽度为预期范围（{expected[0]:g}～{expected[1]:g}）的 {100 * width:.0f} %",
            en=f"the interval is {100 * width:.0f} % of the expected range ({expected[0]:g} to {expected[1]:g})",
        )
    return Estimate(name=name, value=value, low=low, high=high, unit=unit, verdict=verdict, reason=reason)


def interval(draws: FloatArray, *, about: float, stretch: float = 1.0) -> tuple[float, float]:
    """Return the 5 and 95 % points of draws, stretched about the estimate; NaN draws are left out, infinite ones count.

    Examples
    --------
    >>> interval(np.array([-np.inf, 1.0, 2.0, 3.0]), about=2.0, stretch=1.5)
    (-inf, 3.5)
    """
    good = np.sort(draws[~np.isnan(draws)])
    if not len(good):
        return math.nan, math.nan
    # Order statistics without interpolation, so that infinite draws give no NaN.
    rank = max(math.floor(0.05 * (len(good) + 1)) - 1, 0)
    ends = float(good[rank]), float(good[-1 - rank])
    if not math.isfinite(about):
        return ends
    return about + stretch * (ends[0] - about), about + stretch * (ends[1] - about)


def small_sample_stretch(n_area: int, n_column: int) -> float:
    """Return the factor by which resampling few areas makes intervals too short: Student's t over the normal. [1]

    Examples
    --------
    >>> round(small_sample_stretch(20, 2), 2)
    1.11
    """
    freedom = max(n_area - n_column, 1)
    return float(stats.t.ppf(0.95, freedom) / stats.norm.ppf(0.95) * math.sqrt(n_area / freedom))
