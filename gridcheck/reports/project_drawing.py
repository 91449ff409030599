"""Drawings of a project before and after: lines and symbols in metres become SVG, every change by colour and by stroke.

Nothing here knows networks: who draws gives places, in metres on a plane with y upwards, and what has become of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from gridcheck.reports import palette
from gridcheck.reports.markup import Html, element
from gridcheck.reports.texts import Language, text

LineState = Literal["kept", "tie", "old", "replaced", "new"]
SymbolKind = Literal["source", "transformer", "pole", "box", "open"]
SymbolState = Literal["kept", "old", "replaced", "new"]

# Colour, width and dashes of each state: what changes is told without colour, on a grey printout too.
_STROKES: Mapping[str, tuple[str, float, str]] = {
    "kept": (palette.MUTED, 1.4, ""),
    "tie": (palette.MUTED, 1.4, "2 4"),
    "old": (palette.AMBER, 3.4, "9 5"),
    "replaced": (palette.BRICK, 4.2, "14 4 3 4"),
    "new": (palette.ACCENT, 4.2, "3 3"),
}
_WIDTH, _MOST_HEIGHT, _LEAST_HEIGHT, _EDGE = 640.0, 640.0, 150.0, 46.0
# Longest label in signs, and the width of a Chinese one.
_LABEL, _SIGN_WIDTH = 20, 15.0
_LEGEND_WIDTH, _LEGEND_HEIGHT = 56.0, 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLine:
    """One line.

    Attributes
    ----------
    name : str
        Its id, shown when one points at it.
    way_m : tuple of (float, float)
        Its two ends, with the corners between them where it has some. [m]
    state : {"kept", "tie", "old", "replaced", "new"}
        Whether it stays, stands open, goes, has another conductor, or is added.
    """

    name: str
    way_m: tuple[tuple[float, float], ...]
    state: LineState = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnSymbol:
    """One place with a symbol.

    Attributes
    ----------
    name : str
        What it is, shown when one points at it.
    at_m : tuple of float, (x, y)
        Where. [m]
    kind : {"source", "transformer", "pole", "box", "open"}
        What stands there; ``open`` is the open switch of a tie.
    state : {"kept", "old", "replaced", "new"}
        What becomes of it.
    label : str
        Written beside it; empty for nothing.
    """

    name: str
    at_m: tuple[float, float]
    kind: SymbolKind
    state: SymbolState = "kept"
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One state of a place.

    Attributes
    ----------
    lines : tuple of DrawnLine
        Lines.
    symbols : tuple of DrawnSymbol
        Symbols, drawn above the lines.
    """

    lines: tuple[DrawnLine, ...]
    symbols: tuple[DrawnSymbol, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A place before and after.

    Attributes
    ----------
    before, after : Panel
        Both states; they share one frame and one scale.
    is_map : bool
        True where places are those of the map, False for a diagram in which only lengths along lines are true.
    is_synthetic : bool
        True where the lines are made up.
    notes : tuple of str
        Codes of what is said below it.
    """

    before: Panel
    after: Panel
    is_map: bool
    is_synthetic: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Frame:
    """What turns metres into the units of a picture; a diagram may stretch its rows, a map may not."""

    left_m: float
    top_m: float
    scale_x: float
    scale_y: float
    height: float

    def at(self, x_m: float, y_m: float) -> tuple[str, str]:
        x, y = _EDGE + (x_m - self.left_m) * self.scale_x, _EDGE + (self.top_m - y_m) * self.scale_y
        return f"{x:.1f}", f"{y:.1f}"


def panel_svg(drawing: Drawing, which: Literal["before", "after"], language: Language) -> Html:
    """Return one state of a drawing as an SVG element.

    Parameters
    ----------
    drawing : Drawing
        What is drawn.
    which : {"before", "after"}
        Which state.
    language : {"zh", "en"}
        Language of its title and scale.

    Returns
    -------
    Html
        Well-formed XML; each line is a ``polyline`` with the class ``line-<state>``.
    """
    panel = drawing.before if which == "before" else drawing.after
    frame = _frame(drawing)
    shapes = [_line(line, frame) for line in sorted(panel.lines, key=lambda line: line.state != "kept")]
    shapes += [_symbol(symbol, frame) for symbol in panel.symbols]
    title = text(f"sheet_drawing.{which}", language)
    return element(
        "svg",
        element("title", title),
        shapes,
        _scale_bar(frame, language),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:.0f} {frame.height:.0f}",
        role="img",
        class_=f"panel-{which}",
    )


def states_of(drawing: Drawing) -> tuple[LineState, ...]:
    """Return the states that occur among the lines of a drawing, in the order of the legend."""
    found = {line.state for panel in (drawing.before, drawing.after) for line in panel.lines}
    return tuple(state for state in get_args(LineState) if state in found)


def legend(drawing: Drawing, language: Language) -> Html:
    """Return what the strokes and frames of a drawing mean, those that occur in it."""
    entries = [
        element(
            "li",
            _sample(element("polyline", points="2,8 54,8", fill="none", **_stroke(state))),
            text(f"sheet_line.{state}", language),
        )
        for state in states_of(drawing)
    ]
    symbols = [*drawing.before.symbols, *drawing.after.symbols]
    kinds = {symbol.kind for symbol in symbols}
    shown = [(kind, "kept", f"sheet_symbol.{kind}") for kind in get_args(SymbolKind) if kind in kinds]
    if any(symbol.state != "kept" for symbol in symbols):
        shown.append(("pole", "replaced", "sheet_symbol.changed"))
    entries += [
        element("li", _sample(_shape(kind, state, "28", "8")), text(key, language)) for kind, state, key in shown
    ]
    return element("ul", entries, class_="legend")


def _sample(shape: Html) -> Html:
    return element(
        "svg",
        shape,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_LEGEND_WIDTH:.0f} {_LEGEND_HEIGHT:.0f}",
        aria_hidden="true",
    )


def _frame(drawing: Drawing) -> _Frame:
    """Return the frame that both states share, so that a reader can lay one on the other."""
    panels = (drawing.before, drawing.after)
    places = [place for panel in panels for line in panel.lines for place in line.way_m]
    places += [symbol.at_m for panel in panels for symbol in panel.symbols]
    left, right = (pick((x for x, _ in places), default=0.0) for pick in (min, max))
    bottom, top = (pick((y for _, y in places), default=0.0) for pick in (min, max))
    wide, high = max(right - left, 1.0), max(top - bottom, 1.0)
    room = _WIDTH - 2.0 * _EDGE
    scale = min(room / wide, (_MOST_HEIGHT - 2.0 * _EDGE) / high) if drawing.is_map else room / wide
    # Rows of a diagram are no lengths.
    scale_y = scale if drawing.is_map else min(24.0, (_MOST_HEIGHT - 2.0 * _EDGE) / high)
    height = max(high * scale_y + 2.0 * _EDGE, _LEAST_HEIGHT)
    return _Frame(left, top, scale, scale_y, height)


def _stroke(state: str) -> dict[str, str]:
    colour, width, dashes = _STROKES[state]
    dashed = {"stroke_dasharray": dashes} if dashes else {}
    return {"stroke": colour, "stroke_width": f"{width:g}", **dashed, "class_": f"line-{state}"}


def _line(line: DrawnLine, frame: _Frame) -> Html:
    points = " ".join(",".join(frame.at(*place)) for place in line.way_m)
    return element("polyline", element("title", line.name), points=points, fill="none", **_stroke(line.state))


def _symbol(symbol: DrawnSymbol, frame: _Frame) -> Html:
    x, y = frame.at(*symbol.at_m)
    shape = _shape(symbol.kind, symbol.state, x, y)
    words: list[Html] = []
    if symbol.label:
        # The whole name is shown when one points at the symbol.
        shown = symbol.label if len(symbol.label) <= _LABEL else f"{symbol.label[: _LABEL - 1]}…"
        is_right = float(x) + 11 + len(shown) * _SIGN_WIDTH > _WIDTH
        words = [
            element(
                "text",
                shown,
                x=f"{float(x) + (-11 if is_right else 11):.1f}",
                y=f"{float(y) - 10:.1f}",
                text_anchor="end" if is_right else "start",
                class_="label" if symbol.state == "kept" else "label changed",
            )
        ]
    return element("g", element("title", symbol.name), shape, words, class_=f"symbol-{symbol.state}")


def _shape(kind: str, state: str, x: str, y: str) -> Html:
    """Return a symbol: filled while it stays, with a thick dashed rim in the colour of its state where it changes."""
    rim, fill = (_STROKES[state][0], palette.SURFACE) if state != "kept" else (palette.INK, palette.INK)
    drawn = {"stroke": rim, "stroke_width": "1" if state == "kept" else "3", "fill": fill}
    drawn |= {} if state == "kept" else {"stroke_dasharray": "4 2"}
    if kind == "source":
        return element("rect", x=f"{float(x) - 7:.1f}", y=f"{float(y) - 7:.1f}", width="14", height="14", **drawn)
    if kind == "transformer":
        size = 1.0 if state == "kept" else 1.4
        points = [(0.0, -8.0 * size), (8.0 * size, 6.0 * size), (-8.0 * size, 6.0 * size)]
        shown = " ".join(f"{float(x) + dx:.1f},{float(y) + dy:.1f}" for dx, dy in points)
        return element("polygon", points=shown, **drawn)
    if kind == "open":
        return element("circle", cx=x, cy=y, r="5", **drawn | {"fill": palette.SURFACE})
    if state != "kept":
        return element("circle", cx=x, cy=y, r="4.5", **drawn | {"stroke_width": "2", "stroke_dasharray": "2 2"})
    return element("circle", cx=x, cy=y, r="2.6" if kind == "box" else "1.8", **drawn)


def _scale_bar(frame: _Frame, language: Language) -> Html:
    """Return a bar of a round length, at most a third of the picture."""
    most_m = (_WIDTH - 2.0 * _EDGE) / 3.0 / frame.scale_x
    steps = [digit * 10.0**power for power in range(7) for digit in (1, 2, 5)]
    length_m = max((step for step in steps if step <= most_m), default=1.0)
    wide, y = length_m * frame.scale_x, frame.height - 12.0
    in_km = length_m >= 1000.0
    key, length = ("sheet_drawing.km", length_m / 1000.0) if in_km else ("sheet_drawing.m", length_m)
    shown = text(key, language, length=f"{length:g}")
    right, left = _WIDTH - _EDGE, _WIDTH - _EDGE - wide
    bar = f"M{left:.1f} {y - 4:.1f} V{y:.1f} H{right:.1f} V{y - 4:.1f}"
    return element(
        "g",
        element("path", d=bar, fill="none", stroke=palette.INK, stroke_width="1"),
        element("text", shown, x=f"{left - 6:.1f}", y=f"{y:.1f}", text_anchor="end", class_="scale"),
    )
