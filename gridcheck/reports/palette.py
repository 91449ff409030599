"""Colours and signs: a calm light grey ground, colour for what is not normal, and a sign beside every colour.

Blue, amber and brick differ in luminance as well as in hue, so they stay apart for colour-blind readers and
on a grey printout. The red, yellow and green of the regulator appear in the verdict card only.
"""

from __future__ import annotations

from collections.abc import Mapping

INK = "#1f2933"
MUTED = "#52606d"
LINE = "#cbd2d9"
GROUND = "#eef0f2"
SURFACE = "#ffffff"
ACCENT = "#24587e"

BLUE = "#3f7ca8"
AMBER = "#d99a2b"
BRICK = "#9c3526"
GREY = "#aab2bb"
TEAL = "#3d7f78"

FONT_FAMILY = (
    "'Noto Sans CJK SC','Noto Sans SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','Hiragino Sans GB',"
    "'Segoe UI',Arial,sans-serif"
)

VERDICT_COLOURS: Mapping[str, str] = {
    "approve": BLUE,
    "approve_with_conditions": AMBER,
    "defer": BRICK,
    "insufficient_data": GREY,
}
VERDICT_SIGNS: Mapping[str, str] = {
    "approve": "●",
    "approve_with_conditions": "▲",
    "defer": "◆",
    "insufficient_data": "○",
}

STATE_COLOURS: Mapping[str, str] = {
    "normal": BLUE,
    "heavy": AMBER,
    "overload": BRICK,
    "low_voltage": "#6b4a8a",
    "no_data": GREY,
}
STATE_SIGNS: Mapping[str, str] = {
    "normal": "●",
    "heavy": "▲",
    "overload": "◆",
    "overload_low_voltage": "◆",
    "low_voltage": "▽",
    "low_voltage_heavy": "▽",
    "no_data": "○",
}

GRADE_SIGNS: Mapping[str, str] = {"green": "●", "yellow": "▲", "red": "◆", "grey": "○"}

# Codes of an outage's status fall into three groups by what a planner must do about them.
N_MINUS_1_SIGNS: Mapping[str, str] = {
    "secure": "●",
    "pass": "●",
    "yes": "●",
    "true": "●",
    "partial": "▲",
    "violated": "▲",
    "not_required": "○",
    "not_checked": "○",
    "unsupplied": "◆",
    "no_tie": "◆",
    "fail": "◆",
    "no": "◆",
    "false": "◆",
    "not_converged": "◇",
}
SIGN_COLOURS: Mapping[str, str] = {"●": BLUE, "▲": AMBER, "◆": BRICK, "◇": "#6b4a8a", "▽": "#6b4a8a", "○": GREY}

# One hue from paper to dark; the reader sees order, not categories.
SEQUENTIAL: tuple[str, ...] = ("#f3efe9", "#ecd3b4", "#dfae78", "#c98244", "#a45a22", "#74370f")

CATEGORIES: tuple[str, ...] = (BLUE, TEAL, AMBER, "#8a6d3b", "#7a6c9d", "#5f7486", BRICK, GREY)


def sequential(fraction: float) -> str:
    """Return the colour at `fraction` (0 to 1) of the sequential scale.

    Examples
    --------
    >>> sequential(0.0)
    '#f3efe9'
    >>> sequential(1.0)
    '#74370f'
    """
    place = min(max(fraction, 0.0), 1.0) * (len(SEQUENTIAL) - 1)
    low = min(int(place), len(SEQUENTIAL) - 2)
    share = place - low
    first, second = (_rgb(SEQUENTIAL[i]) for i in (low, low + 1))
    mixed = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def readable_on(colour: str) -> str:
    """Return ink or white, whichever reads better on `colour` (relative luminance, WCAG 2.2)."""
    linear = [part / 255 for part in _rgb(colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in linear]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Contrast with white beats contrast with the ink below about this luminance.
    return SURFACE if luminance < 0.22 else INK


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
