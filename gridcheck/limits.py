"""Limits: every bound that a check holds a result against, with its clause and how sure we are of it.

Voltages of the low-voltage supply stand in volts, not per unit: the base of the single-phase band is 220 V, while a
0.4 kV bus has 230.9 V between phase and neutral. A scenario may override any value, and then has to say where
its own value comes from; that text appears wherever the limit is printed.

Clauses marked other than S were not read in the standard itself: show them as working values, and have them checked
before a letter quotes them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from gridcheck.errors import ConfigError

USER_MARK = "U"
"""Confidence mark of a value that a user set in a scenario."""

# What a value of the user's own may be, by unit and by name: wide enough for any grid, narrow enough for a slip of the
# pen or of the unit to be seen.
_RANGES: Mapping[str, tuple[float, float]] = {
    "percent": (1.0, 1000.0),
    "h": (0.25, 168.0),
    "degC": (20.0, 300.0),
    "V": (100.0, 300.0),
    "pu": (0.5, 1.5),
    "min": (1.0, 10_000.0),
    "K": (1.0, 200.0),
    "1": (0.1, 10.0),
    "MW": (0.1, 1000.0),
}
_OWN_RANGES: Mapping[str, tuple[float, float]] = {"thermal_loss_ratio": (0.1, 100.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One bound or one constant of a check.

    Attributes
    ----------
    name : str
        Name, ending with the unit where the value has one.
    value : float
        Value in `unit`.
    unit : str
        Unit, ``1`` for plain numbers.
    clause : str
        Document and clause, or the practice it follows; the user's own text for an override.
    confidence : str
        S, S2, G+, G, G-, E, C as in the catalogues, or U for a value set by the user.
    source : str
        Key into the list of sources.
    note : str
        What the number leaves out.
    """

    name: str
    value: float
    unit: str
    clause: str
    confidence: str
    source: str
    note: str = ""


def _limit(unit: str, value: float, source: str, clause: str, confidence: str, note: str = "") -> Limit:
    """Make a limit whose name is filled in by `LimitSet`, so that it is written once."""
    return Limit(name="", value=value, unit=unit, clause=clause, confidence=confidence, source=source, note=note)


_GB_12325_3PH = "GB/T 12325-2008 cl. 4.2: three-phase supply up to 20 kV, +-7 % of nominal"
_GB_12325_1PH = "GB/T 12325-2008 cl. 4.3: 220 V single-phase, +7 % / -10 % of nominal"
_MONITORING = "State Grid monitoring practice"
_THERMAL = "GB/T 1094.7-2024 / IEC 60076-7, constants of distribution transformers with natural cooling"
_SECURITY = "DL/T 5729-2016 security of supply by group load"
_TRANSFER = "DL/T 5729-2016 practice: loading up to which neighbours can take a feeder over"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    r"""All limits of a study; every field is a `Limit` of the same name.

    Fields that begin with ``thermal_`` are the constants of the hot-spot model of a distribution transformer,

    .. math::

        \Delta\theta_o' = \frac{1}{k_{11}\tau_o}
            \left(\Delta\theta_{or}\left(\frac{1+RK^2}{1+R}\right)^x - \Delta\theta_o\right), \qquad
        \theta_h = \theta_a + \Delta\theta_o + \Delta\theta_{hr} K^y

    with R the ratio of load loss to no-load loss of the nameplate and ageing doubling every
    ``thermal_ageing_doubling_k``.
    """

    # Areas: the distribution transformer and its low-voltage outlet.
    area_loading_percent: Limit = _limit(
        "percent",
        100.0,
        "monitoring_practice",
        f"{_MONITORING}: overload above 100 % of rating for 2 h",
        "G",
        "a record in the statistics even where the hot spot stays cool",
    )
    area_loading_design_percent: Limit = _limit(
        "percent", 80.0, "monitoring_practice", "Design target after a retrofit: 80 % of rating", "G", "not a clause"
    )
    area_winter_cap_percent: Limit = _limit(
        "percent",
        130.0,
        "dl_t_572",
        "DL/T 572 practice: at most 30 % above rating in winter",
        "S2",
        "cap of any overload credit",
    )
    heavy_percent: Limit = _limit(
        "percent", 80.0, "monitoring_practice", f"{_MONITORING}: heavy load above 80 % of rating for 2 h", "G"
    )
    overload_duration_h: Limit = _limit(
        "h",
        2.0,
        "monitoring_practice",
        f"{_MONITORING}: sustained means 2 h without a break",
        "G",
        "differs by province",
    )
    hot_spot_c: Limit = _limit(
        "degC", 120.0, "gb_t_1094_7", "GB/T 1094.7-2024, normal cyclic loading: hot-spot temperature 120 degC", "S2"
    )
    top_oil_c: Limit = _limit(
        "degC", 105.0, "gb_t_1094_7", "GB/T 1094.7-2024, normal cyclic loading: top-oil temperature 105 degC", "S2"
    )
    neutral_percent_yyn0: Limit = _limit(
        "percent",
        25.0,
        "sd_292",
        "SD 292-1988: neutral current of a Yyn0 transformer at most 25 % of its rated current",
        "S2",
        "Dyn11 units may load the neutral fully",
    )
    unbalance_percent: Limit = _limit(
        "percent", 15.0, "sd_292", "SD 292-1988: (Imax - Imin)/Imax at the transformer outlet at most 15 %", "S2"
    )
    unbalance_loading_min_percent: Limit = _limit(
        "percent",
        60.0,
        "monitoring_practice",
        f"{_MONITORING}: unbalance counts from 60 % loading",
        "G",
        "definition varies",
    )
    # Low voltage, phase to neutral, at the household.
    lv_voltage_min_v: Limit = _limit("V", 198.0, "gb_t_12325", _GB_12325_1PH, "S2")
    lv_voltage_design_v: Limit = _limit(
        "V",
        205.0,
        "practice",
        "Planning floor at the end of the line, margin over 198 V for model error",
        "E",
        "not a clause",
    )
    lv_voltage_max_v: Limit = _limit("V", 235.4, "gb_t_12325", _GB_12325_1PH, "S2")
    low_voltage_v: Limit = _limit(
        "V",
        198.0,
        "monitoring_practice",
        f"{_MONITORING}: a household below 198 V counts as low voltage",
        "G",
        "duration differs",
    )
    # 10 kV.
    mv_vm_min_pu: Limit = _limit("pu", 0.93, "gb_t_12325", _GB_12325_3PH, "S2")
    mv_vm_max_pu: Limit = _limit("pu", 1.07, "gb_t_12325", _GB_12325_3PH, "S2")
    section_loading_percent: Limit = _limit(
        "percent", 100.0, "monitoring_practice", f"{_MONITORING}: overload above 100 % of the limit current", "G"
    )
    section_loading_design_percent: Limit = _limit(
        "percent", 80.0, "monitoring_practice", f"{_MONITORING}: heavy load above 80 %", "G", "some planners use 70 %"
    )
    main_transformer_loading_percent: Limit = _limit(
        "percent", 100.0, "monitoring_practice", f"{_MONITORING}: overload above 100 % of rating", "G"
    )
    main_transformer_loading_design_percent: Limit = _limit(
        "percent", 80.0, "monitoring_practice", f"{_MONITORING}: heavy load above 80 %", "G", "some planners use 70 %"
    )
    # With one element lost.
    n_minus_1_loading_percent: Limit = _limit(
        "percent",
        100.0,
        "dl_t_5729",
        "DL/T 5729-2016: no overload after transfer",
        "G",
        "areas of class D are reported, not blocked; class E has no such duty",
    )
    n_minus_1_main_transformer_percent: Limit = _limit(
        "percent", 130.0, "dl_t_5729", "Practice: a main transformer may carry 130 % for 2 h after an outage", "G"
    )
    conductor_max_c: Limit = _limit(
        "degC",
        90.0,
        "dl_t_601",
        "DL/T 601-1996: conductor of cross-linked polyethylene",
        "G",
        "70 for plain polyethylene",
    )
    conductor_reference_c: Limit = _limit("degC", 30.0, "dl_t_601", "DL/T 601-1996: air of the ampacity tables", "G")
    emergency_hot_spot_c: Limit = _limit(
        "degC", 140.0, "gb_t_1094_7", "GB/T 1094.7-2024 / IEC 60076-7: long-time emergency loading", "S"
    )
    repair_h: Limit = _limit(
        "h", 4.0, "monitoring_practice", "Practice: a faulted section is repaired within some hours", "E", "edit it"
    )
    generator_loading_percent: Limit = _limit(
        "percent",
        80.0,
        "practice",
        "Practice: a mobile generator is loaded to 80 % of its rating",
        "E",
        "margin for steps of load and for unbalance",
    )
    n_minus_1_vm_min_pu: Limit = _limit(
        "pu",
        0.93,
        "gb_t_12325",
        _GB_12325_3PH,
        "S2",
        "the rules for abnormal operation allow 0.90 at the point of supply",
    )
    security_small_group_mw: Limit = _limit(
        "MW", 2.0, "dl_t_5729", f"{_SECURITY}: up to 2 MW may wait for the repair", "G"
    )
    security_large_group_mw: Limit = _limit("MW", 12.0, "dl_t_5729", f"{_SECURITY}: groups from 12 MW", "G")
    security_transfer_min: Limit = _limit(
        "min", 180.0, "dl_t_5729", f"{_SECURITY}: healthy part within 3 h", "G", "sooner in classes B and C: edit it"
    )
    security_transfer_a_min: Limit = _limit(
        "min", 5.0, "dl_t_5729", f"{_SECURITY}: healthy part within 5 min in classes A+ and A", "G"
    )
    security_large_group_min: Limit = _limit("min", 15.0, "dl_t_5729", f"{_SECURITY}: large groups in 15 min", "G")
    security_large_group_percent: Limit = _limit(
        "percent", 200.0 / 3.0, "dl_t_5729", f"{_SECURITY}: two thirds of a large group in 15 min", "G"
    )
    transfer_one_tie_percent: Limit = _limit("percent", 50.0, "dl_t_5729", f"{_TRANSFER}; one tie 50 %", "G+")
    transfer_two_ties_percent: Limit = _limit("percent", 67.0, "dl_t_5729", f"{_TRANSFER}; two ties 67 %", "G+")
    transfer_three_ties_percent: Limit = _limit("percent", 75.0, "dl_t_5729", f"{_TRANSFER}; three ties 75 %", "G+")
    # Constants of the hot-spot model.
    thermal_oil_exponent: Limit = _limit("1", 0.8, "gb_t_1094_7", f"{_THERMAL}: x", "S")
    thermal_winding_exponent: Limit = _limit("1", 1.6, "gb_t_1094_7", f"{_THERMAL}: y", "S")
    thermal_k11: Limit = _limit("1", 1.0, "gb_t_1094_7", f"{_THERMAL}: k11", "S")
    thermal_k21: Limit = _limit("1", 1.0, "gb_t_1094_7", f"{_THERMAL}: k21", "S")
    thermal_k22: Limit = _limit("1", 2.0, "gb_t_1094_7", f"{_THERMAL}: k22", "S")
    thermal_oil_time_constant_min: Limit = _limit("min", 180.0, "gb_t_1094_7", f"{_THERMAL}: tau_o", "S")
    thermal_winding_time_constant_min: Limit = _limit("min", 4.0, "gb_t_1094_7", f"{_THERMAL}: tau_w", "S")
    thermal_top_oil_rise_k: Limit = _limit(
        "K",
        55.0,
        "gb_t_1094_7",
        f"{_THERMAL}: rated top-oil rise",
        "S",
        "60 K is the guarantee limit; kiosks 10 K more",
    )
    thermal_gradient_k: Limit = _limit(
        "K", 23.0, "transformer_thermal_model", f"{_THERMAL}: rated hot-spot to top-oil gradient H gr", "S"
    )
    thermal_loss_ratio: Limit = _limit(
        "1",
        10.0,
        "gb_20052",
        "Load loss over no-load loss, used where the nameplate is not known",
        "C",
        "S13 and S20 about 10-11",
    )
    thermal_reference_c: Limit = _limit(
        "degC", 98.0, "gb_t_1094_7", "GB/T 1094.7: hot spot of normal ageing, paper that is not upgraded", "S"
    )
    thermal_ageing_doubling_k: Limit = _limit("K", 6.0, "gb_t_1094_7", "GB/T 1094.7: ageing doubles every 6 K", "S")

    def __post_init__(self) -> None:
        for field in fields(self):
            limit = getattr(self, field.name)
            object.__setattr__(self, field.name, replace(limit, name=field.name))

    def all(self) -> tuple[Limit, ...]:
        """Return every limit in the order of the fields."""
        return tuple(getattr(self, field.name) for field in fields(self))


DEFAULT_LIMITS = LimitSet()
"""The limits of a study that overrides nothing."""


def require_plausible(limits: LimitSet) -> None:
    """Refuse values of the user's own that no grid can mean, such as a fraction where percent are asked for.

    Raises
    ------
    ConfigError
        Naming every such limit, its value and what is allowed.

    Examples
    --------
    >>> require_plausible(DEFAULT_LIMITS)
    """
    findings = []
    for limit in limits.all():
        low, high = _OWN_RANGES.get(limit.name, _RANGES[limit.unit])
        if limit.confidence == USER_MARK and not low <= limit.value <= high:
            unit = "" if limit.unit == "1" else f" {limit.unit}"
            findings.append(f"{limit.name}: value {limit.value:g} must be from {low:g} to {high:g}{unit}")
    if findings:
        raise ConfigError("The overridden limits are not plausible.", findings)


def with_overrides(limits: LimitSet, overrides: Mapping[str, tuple[float, str]]) -> LimitSet:
    """Return a set in which some values are the user's own.

    Parameters
    ----------
    limits : LimitSet
        Set to start from; it is not changed.
    overrides : mapping of str to (float, str)
        Value in the limit's unit, and the text that says where it comes from.

    Returns
    -------
    LimitSet
        New set; an overridden limit carries the user's text as its clause and the mark U.

    Raises
    ------
    ConfigError
        If a name is not known, a value is not a finite number, or a source text is empty.

    Examples
    --------
    >>> own = with_overrides(DEFAULT_LIMITS, {"area_loading_percent": (90.0, "order of the county company")})
    >>> own.area_loading_percent.value
    90.0
    """
    known = {field.name for field in fields(limits)}
    findings = []
    for name, (value, text) in overrides.items():
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            findings.append(f"{name}: no such limit" + (f"; did you mean {near[0]}?" if near else ""))
        elif not math.isfinite(value):
            findings.append(f"{name}: value must be a finite number. Got {value}")
        if not text.strip():
            findings.append(f"{name}: a source text is needed, so that the report can say where the value comes from")
    if findings:
        raise ConfigError("The overridden limits are not usable.", findings)
    changed = {
        name: replace(
            getattr(limits, name), value=float(value), clause=text.strip(), confidence=USER_MARK, source="scenario"
        )
        for name, (value, text) in overrides.items()
    }
    return replace(limits, **changed)
