"""Headings of weather tables: which column holds what, and in which unit it says it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from gridcheck.errors import SchemaError

_NAMES: dict[str, tuple[str, ...]] = {
    quantity: tuple(names.split())
    for quantity, names in {
        "date": "日期 date",
        "time": "观测时间 资料时间 北京时间 世界时间 世界时 时间 时刻 小时 datetime timestamp time hour",
        "temperature_c": """
            环境温度 室外温度 干球温度 空气温度 气温 温度
            air_temperature outdoor_temperature dry_bulb_temperature dry_bulb drybulb
            temperature_2m temperature temp t2m tdb""",
        "humidity_percent": "相对湿度 湿度 relative_humidity_2m relative_humidity humidity rhum rh",
        "solar_w_per_m2": """
            水平面总辐射 水平总辐射 太阳总辐射 总辐射 太阳辐射 辐照度 辐射量 辐射
            global_horizontal_irradiance global_horizontal_radiation global_horizontal
            shortwave_radiation solar_radiation irradiance radiation solar ghi""",
    }.items()
}

# What may stand behind the name, without blanks, dots, carets and underlines.
_UNITS: dict[str, dict[str, str]] = {
    "date": {},
    "time": {
        **dict.fromkeys(("utc", "gmt", "z", "世界时"), "UTC"),
        **dict.fromkeys(("bjt", "asia/shanghai", "utc+8", "北京时间", "北京时"), "Asia/Shanghai"),
    },
    "temperature_c": {
        **dict.fromkeys(("c", "°c", "degc", "celsius", "摄氏度", "摄氏"), "degC"),
        **dict.fromkeys(("f", "°f", "degf", "fahrenheit", "华氏度", "华氏"), "degF"),
        **dict.fromkeys(("k", "kelvin", "开尔文", "开"), "K"),
    },
    "humidity_percent": {
        **dict.fromkeys(("%", "percent", "pct", "百分比"), "%"),
        **dict.fromkeys(("1", "-", "fraction", "小数"), "fraction"),
    },
    "solar_w_per_m2": {
        **dict.fromkeys(("w/m2", "wm-2", "wperm2", "瓦/平方米", "瓦每平方米"), "W/m2"),
        **dict.fromkeys(("wh/m2", "whm-2", "whperm2"), "Wh/m2"),
        **dict.fromkeys(("kj/m2", "kjm-2", "kjperm2", "千焦/平方米"), "kJ/m2"),
        **dict.fromkeys(("mj/m2", "mjm-2", "mjperm2", "兆焦/平方米"), "MJ/m2"),
    },
}

# Names that say a time zone themselves.
_ZONE_OF_NAME = {"北京时间": "Asia/Shanghai", "世界时间": "UTC", "世界时": "UTC"}
# A heading may begin with several names; the longest is meant.
_BY_LENGTH = sorted(
    ((name, quantity) for quantity, names in _NAMES.items() for name in names), key=lambda p: -len(p[0])
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFound:
    """A column that was recognised.

    Attributes
    ----------
    quantity : str
        What it holds: a field of `Weather`, ``"time"`` or ``"date"``.
    heading : str
        Its heading as written.
    unit : str
        Unit that the heading names, for a time its zone; empty where it names none.
    """

    quantity: str
    heading: str
    unit: str


def recognised_columns(headings: Sequence[str], *, where: str) -> dict[str, ColumnFound]:
    """Return the columns of a weather table by quantity; columns of other things are left aside.

    Parameters
    ----------
    headings : sequence of str
        As written.
    where : str
        Name of the file for messages.

    Raises
    ------
    SchemaError
        If time or temperature is missing, two columns hold the same, or a unit is not known.
    """
    findings: list[str] = []
    found: dict[str, ColumnFound] = {}
    for heading in headings:
        column = _column(heading, findings)
        if column is None:
            continue
        if column.quantity in found:
            findings.append(
                f"columns {found[column.quantity].heading!r} and {heading!r} both hold {column.quantity}: keep one"
            )
        found[column.quantity] = column
    for quantity, wanted in (("time", "时间 or time"), ("temperature_c", "气温(℃), temperature_c or dry_bulb [degC]")):
        if not findings and quantity not in found and not (quantity == "time" and "date" in found):
            findings.append(f"no column of {quantity}: name it for example {wanted}")
    if findings:
        shown = ", ".join(repr(heading) for heading in headings[:12])
        raise SchemaError(f"{where}: the columns are not clear. Found {shown}.", findings)
    return found


def _column(heading: str, findings: list[str]) -> ColumnFound | None:
    """Return what a heading names, or None for other things; an unknown unit in brackets is a finding."""
    text = re.sub(r"[\s_]+", "_", unicodedata.normalize("NFKC", heading).lower().strip())
    for name, quantity in _BY_LENGTH:
        if not text.startswith(name):
            continue
        rest = text[len(name) :].lstrip("_")
        written = re.sub(r"[\s_()\[\]{}.·*^:,]", "", rest).removeprefix("/")
        units = _UNITS[quantity]
        if not written or written in units:
            unit = units.get(written, _ZONE_OF_NAME.get(name, ""))
            return ColumnFound(quantity=quantity, heading=heading, unit=unit)
        if rest.startswith(("(", "[", "/")):
            allowed = ", ".join(sorted(set(units.values()))) or "none"
            findings.append(f"column {heading!r}: unit {written!r} is not known; allowed are {allowed}")
        return None
    return None
