"""Headings and words of a planner's device file, in English and Chinese, as product sheets write them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence

from gridcheck.catalogue.heating import DEVICE_CLASSES, heaters

# Column, then the Chinese headings it may have; units in brackets or behind the word are read over.
_CHINESE: Mapping[str, tuple[str, ...]] = {
    "model": ("型号", "产品型号", "设备型号"),
    "class": ("类别", "设备类别", "设备类型"),
    "rated_heat_kw": ("额定制热量", "名义制热量"),
    "rated_input_kw": ("额定输入功率", "额定制热功率", "名义制热功率"),
    "max_input_kw": ("最大输入功率",),
    "phases": ("相数",),
    "source": ("来源", "资料来源"),
    "units": ("台数", "每户台数"),
    "cos_phi": ("功率因数",),
    "control": ("控制方式", "调节方式"),
    "standby_w": ("待机功率w", "待机功率"),
    "backup_kw": ("电辅热", "电辅热功率"),
    "min_outdoor_c": ("最低运行温度", "最低室外温度"),
    "note": ("备注",),
}
REQUIRED = ("model", "class", "rated_heat_kw", "rated_input_kw", "max_input_kw", "phases", "source")
"""Columns that every device file has; the others of the list may be missing or empty."""

CLASS_WORDS: Mapping[str, str] = {
    **{device: device for device in DEVICE_CLASSES},
    "热风机": "air_air_heat_pump",
    "空气源热泵热风机": "air_air_heat_pump",
    "空气源热泵热水机": "air_water_heat_pump",
    "空气源热泵热水机组": "air_water_heat_pump",
    "地源热泵": "ground_source_heat_pump",
    "直热式电暖器": "resistive_heater",
    "电暖器": "resistive_heater",
    "电锅炉": "resistive_heater",
    "蓄热式电暖器": "storage_heater",
}
"""Words for the classes."""

CONTROL_WORDS: Mapping[str, str] = {
    **{control: control for control in ("inverter", "on_off", "storage")},
    "变频": "inverter",
    "定频": "on_off",
    "开关": "on_off",
    "蓄热": "storage",
}
"""Words for the ways of control."""

PHASE_WORDS: Mapping[str, str] = {"1": "1", "3": "3", "单相": "1", "三相": "3"}
"""Words for the number of phases."""

_UNITS_AND_SIGNS = re.compile(r"[\s_()\[\]@/:,]|kw|°c")
_ANCHOR = re.compile(r"(cop|制热cop|能效比|heat|制热量)([+-]?\d{1,2}(?:\.\d+)?)")


def plain(text: str) -> str:
    """Return a heading or a word without width, case, spaces, brackets and units.

    Examples
    --------
    >>> plain("制热量（kW）−12℃"), plain("Rated_heat_kW")
    ('制热量-12', 'ratedheat')
    """
    one_width = unicodedata.normalize("NFKC", text).lower().replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    return _UNITS_AND_SIGNS.sub("", one_width)


_COLUMN_OF = {plain(word): column for column, words in _CHINESE.items() for word in (column, *words)}


def column_of(heading: str) -> str | tuple[str, float] | None:
    """Return which column a heading means, ``("cop" or "heat", outdoor temperature)``, or None if it is not known.

    Examples
    --------
    >>> column_of("相数"), column_of("cop_-12"), column_of("COP 7℃"), column_of("colour")
    ('phases', ('cop', -12.0), ('cop', 7.0), None)
    """
    word = plain(heading)
    anchor = _ANCHOR.fullmatch(word)
    if anchor is None:
        return _COLUMN_OF.get(word)
    return "heat" if anchor[1] in ("heat", "制热量") else "cop", float(anchor[2])


def is_class_name(model: str) -> bool:
    """Return whether a model is called like a class, by its id, a word for it or its label in either language.

    Examples
    --------
    >>> is_class_name("storage_heater"), is_class_name("空气源热泵热水机"), is_class_name("KFR-35")
    (True, True, False)
    """
    labels = heaters()[["label_zh", "label_en"]].to_numpy().ravel().tolist()
    return plain(model) in {plain(str(name)) for name in (*CLASS_WORDS, *labels)}


def heading_faults(headings: Sequence[str]) -> list[str]:
    """Return what is wrong with a heading line: columns that are missing, not known, or stand twice."""
    meant = [column_of(heading) for heading in headings]
    findings = [
        f"column {column} ({_CHINESE[column][0]}) is missing: add it" for column in REQUIRED if column not in meant
    ]
    for position, (heading, column) in enumerate(zip(headings, meant, strict=True)):
        if column is None:
            near = difflib.get_close_matches(plain(heading), _COLUMN_OF, n=1)
            hint = f"did you mean {_COLUMN_OF[near[0]]}?" if near else "take it out, or write what it says under note"
            findings.append(f"column {shown(heading)} is not known; {hint}")
        elif column in meant[:position]:
            earlier = headings[meant.index(column)]
            findings.append(f"column {shown(heading)} says the same as column {shown(earlier)}: keep one")
    return findings


def shown(cell: str) -> str:
    """Return a cell as messages show it: in quotation marks, what cannot be printed escaped, not endlessly long.

    Examples
    --------
    >>> shown("3.5")
    "'3.5'"
    """
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:60]}…"
