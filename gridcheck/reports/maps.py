"""The county map: plain polygons from the packaged outlines, one sequential colour, the number written in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.geography import counties, county_outlines
from gridcheck.reports import palette
from gridcheck.reports.figures import base_layout, safe
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import YUAN_PER_MILLION, county_name, is_missing, number, wan
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import Totals, totals_by_county
from gridcheck.units import YUAN_PER_WAN

# One degree of longitude is shorter than one of latitude by this factor at the latitude of Yuncheng (35.1 degrees).
_LATITUDE_DEGREE = 35.1
_LABEL_SIZE = 12
_LABEL_GRID = 40
_NAME_WIDTH_TO_HEIGHT = 1.4

Ring = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapMeasure:
    """What a map can show.

    Attributes
    ----------
    code : str
        Entry of the section ``map`` in the wording.
    decimals : int
        Decimals of the number written into each county.
    unit : str
        Sign behind that number.
    """

    code: str
    decimals: int
    unit: str = ""


MAP_MEASURES: tuple[MapMeasure, ...] = (
    MapMeasure(code="deferred_percent", decimals=1, unit=" %"),
    MapMeasure(code="deferred", decimals=0),
    MapMeasure(code="overloaded_percent", decimals=1, unit=" %"),
    MapMeasure(code="gap", decimals=0),
    MapMeasure(code="budget_wan", decimals=1),
)


@cache
def _outlines() -> dict[str, tuple[Ring, ...]]:
    rings: dict[str, tuple[Ring, ...]] = {}
    for feature in county_outlines()["features"]:
        shape = feature["geometry"]
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        rings[str(feature["properties"]["code"])] = tuple(
            ([float(p[0]) for p in polygon[0]], [float(p[1]) for p in polygon[0]]) for polygon in polygons
        )
    return rings


@cache
def _outside_plan() -> frozenset[str]:
    table = counties()
    return frozenset(str(code) for code in table.loc[~table["in_plan"], "county_code"])


@cache
def _label_place(code: str) -> tuple[float, float]:
    """Point of a county that lies farthest from its border, so that its name fits inside."""
    rings = _outlines()[code]
    lon, lat = (np.asarray(part, dtype=np.float64) for part in max(rings, key=lambda ring: len(ring[0])))
    squeeze = math.cos(math.radians(_LATITUDE_DEGREE))
    grid = np.stack(
        np.meshgrid(*(np.linspace(part.min(), part.max(), _LABEL_GRID) for part in (lon, lat))), axis=-1
    ).reshape(-1, 2)
    inside = grid[_inside(grid, lon, lat)]
    # A name is wider than high: distance east-west counts for less than distance north-south.
    scale = np.array([squeeze / _NAME_WIDTH_TO_HEIGHT, 1.0])
    border = np.stack([lon, lat], axis=-1) * scale
    away = np.linalg.norm(inside[:, None, :] * scale - border[None, :, :], axis=2).min(axis=1)
    best = inside[int(np.argmax(away))]
    return float(best[0]), float(best[1])


def _inside(points: FloatArray, lon: FloatArray, lat: FloatArray) -> BoolArray:
    """Even-odd rule: a point is inside when a ray to the east crosses the ring an odd number of times."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0, x1, y1 = lon[:-1], lat[:-1], lon[1:], lat[1:]
    spans = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
    odd: BoolArray = (spans & (x < crossing)).sum(axis=1) % 2 == 1
    return odd


def map_values(by_county: Mapping[str, Totals], measure: str) -> dict[str, float]:
    """Return the value of each county of the run; NaN where the measure does not apply."""
    values: dict[str, float] = {}
    for code, found in by_county.items():
        no_applications = found.applications == 0
        values[code] = {
            "deferred_percent": math.nan if no_applications else 100.0 * found.deferred / found.applications,
            "deferred": math.nan if no_applications else float(found.deferred),
            "overloaded_percent": 100.0 * found.overloaded / found.areas if found.areas else math.nan,
            "gap": float(found.left_after_plan) if found.target else math.nan,
            "budget_wan": found.budget_yuan / YUAN_PER_WAN,
        }[measure]
    return values


def county_map(results: Results, language: Language, measure: MapMeasure = MAP_MEASURES[0]) -> go.Figure:
    """Draw the counties coloured by `measure`, each labelled with its name and number.

    Counties without a value, and the one outside the plan, are hatched grey: grey means not known, not zero.
    """
    by_county = totals_by_county(results)
    values = map_values(by_county, measure.code)
    known = [value for value in values.values() if not is_missing(value)]
    top = max([*known, 1e-9])
    figure = go.Figure()
    for code, rings in _outlines().items():
        figure.add_traces(_county_shape(code, rings, values, top))
    figure.add_trace(_county_labels(by_county, values, measure, top, language))
    figure.add_trace(_scale(top, measure, language))
    figure.update_layout(
        base_layout(
            height=460,
            showlegend=False,
            margin={"l": 4, "r": 4, "t": 8, "b": 4},
            hovermode="closest",
            dragmode=False,
            xaxis={"visible": False, "fixedrange": True},
            yaxis={
                "visible": False,
                "fixedrange": True,
                "scaleanchor": "x",
                "scaleratio": 1.0 / math.cos(math.radians(_LATITUDE_DEGREE)),
            },
        )
    )
    return figure


def _county_shape(code: str, rings: Sequence[Ring], values: Mapping[str, float], top: float) -> list[go.Scatter]:
    value = values.get(code, math.nan)
    style: dict[str, Any] = (
        {"fillcolor": palette.sequential(value / top)}
        if not is_missing(value)
        else {
            "fillcolor": "#e6e9ec",
            "fillpattern": {"shape": "/", "fgcolor": palette.GREY, "bgcolor": "#eef0f2", "size": 7, "solidity": 0.15},
        }
    )
    return [
        go.Scatter(
            x=lon,
            y=lat,
            mode="lines",
            fill="toself",
            line={"color": palette.SURFACE, "width": 1.6},
            hoverinfo="skip",
            **style,
        )
        for lon, lat in rings
    ]


def _county_labels(
    by_county: Mapping[str, Totals], values: Mapping[str, float], measure: MapMeasure, top: float, language: Language
) -> go.Scatter:
    lon, lat, words, hover, colours, known_codes = [], [], [], [], [], []
    for code in _outlines():
        x, y = _label_place(code)
        value = values.get(code, math.nan)
        name = safe(county_name(code, language))
        missing = is_missing(value)
        lon.append(x)
        lat.append(y)
        words.append(name if missing else f"{name}<br><b>{number(value, measure.decimals)}{measure.unit}</b>")
        colours.append(palette.MUTED if missing else palette.readable_on(palette.sequential(value / top)))
        hover.append(_hover(by_county, code, language))
        known_codes.append(code)
    return go.Scatter(
        x=lon,
        y=lat,
        mode="markers+text",
        text=words,
        textfont={"size": _LABEL_SIZE, "color": colours},
        marker={"size": 44, "color": "rgba(0,0,0,0)"},
        customdata=known_codes,
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )


def _hover(by_county: Mapping[str, Totals], code: str, language: Language) -> str:
    name = safe(county_name(code, language))
    if code in _outside_plan():
        return f"<b>{name}</b><br>{text('word.not_in_plan', language)}"
    if code not in by_county:
        return f"<b>{name}</b><br>{text('word.not_studied', language)}"
    found = by_county[code]
    if found.applications == 0:
        return f"<b>{name}</b><br>{text('word.no_applications', language)}"
    return text(
        "map.hover",
        language,
        county=name,
        applications=number(found.applications),
        connectable=number(found.connectable),
        deferred=number(found.deferred),
        cost=wan(found.budget_yuan),
        cost_million=number(found.budget_yuan / YUAN_PER_MILLION, 2),
        unlocked=number(found.unlocked),
    )


def _scale(top: float, measure: MapMeasure, language: Language) -> go.Scatter:
    colours = [[i / (len(palette.SEQUENTIAL) - 1), colour] for i, colour in enumerate(palette.SEQUENTIAL)]
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [0.0],
            "cmin": 0.0,
            "cmax": top,
            "colorscale": colours,
            "showscale": True,
            "colorbar": {
                "orientation": "h",
                "x": 0.99,
                "xanchor": "right",
                "y": 0.02,
                "yanchor": "bottom",
                "len": 0.36,
                "thickness": 10,
                "outlinewidth": 0,
                "tickfont": {"size": 11},
                "nticks": 4,
                "title": {"text": text(f"map.{measure.code}", language), "side": "top", "font": {"size": 12}},
            },
        },
    )
