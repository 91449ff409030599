"""Charts of one area: its load curve against rating and heavy-load line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gridcheck.arrays import FloatArray
from gridcheck.reports import palette
from gridcheck.reports.curves import AreaCurve
from gridcheck.reports.figures import TIME_FORMAT, base_layout
from gridcheck.reports.tables import LOCAL_TIME
from gridcheck.reports.texts import Language, text
from gridcheck.reports.totals import Thresholds

# Headroom above the highest thing drawn.
_ROOM = 1.12


def curve_table(curve: AreaCurve, day: str | None = None) -> pd.DataFrame:
    """Return the points of a curve in local time, of one day or of all.

    Parameters
    ----------
    day : str or None
        Local date such as ``"2026-01-15"``; None for all days.

    Returns
    -------
    DataFrame
        ``time`` (local, without offset, start of the interval), ``day``, ``p_kw``, ``loading_percent``.
    """
    local = curve.time.index_utc().tz_convert(LOCAL_TIME).tz_localize(None)
    table = pd.DataFrame(
        {
            "time": local,
            "day": local.strftime("%Y-%m-%d"),
            "p_kw": curve.p_kw,
            "loading_percent": curve.loading_percent,
        }
    )
    return table if day is None else table[table["day"] == day].reset_index(drop=True)


def curve_days(curve: AreaCurve) -> tuple[str, ...]:
    """Return the local dates that a curve touches, in order."""
    return tuple(dict.fromkeys(curve_table(curve)["day"]))


def loading_curve(table: pd.DataFrame, limits: Thresholds, language: Language, *, height_px: int = 500) -> go.Figure:
    """Draw loading over time with the rating and the heavy-load line; load in kW in the hover text.

    A gap in the line is a time without a solution, without supply or without a reading; it is not zero.

    Parameters
    ----------
    table : DataFrame
        ``time`` (local), ``day``, ``p_kw`` and ``loading_percent``, NaN where not known. [kW], [%]
    limits : Thresholds
        Where the two lines stand.
    height_px : int
        Height of the chart. [px]
    """
    loading = table["loading_percent"].to_numpy(dtype=np.float64)
    highest = np.nanmax(loading) if np.isfinite(loading).any() else 0.0
    figure = go.Figure([*_beyond(table["time"], loading, limits.overload_percent, language)])
    figure.add_scatter(
        x=table["time"],
        y=loading,
        customdata=table["p_kw"],
        mode="lines",
        line={"color": palette.ACCENT, "width": 2.2},
        connectgaps=False,
        name=text("figure.loading", language),
        hovertemplate="%{x|%m-%d %H:%M}<br>%{y:.1f} %<br>%{customdata:,.1f} kW<extra></extra>",
    )
    for value, colour, dash, key in (
        (limits.overload_percent, palette.BRICK, "solid", "figure.rating_line"),
        (limits.heavy_percent, palette.AMBER, "dash", "figure.heavy_line"),
    ):
        figure.add_scatter(
            x=table["time"],
            y=np.full(len(table), value),
            mode="lines",
            line={"color": colour, "width": 1.8, "dash": dash},
            name=text(key, language, value=f"{value:.0f}"),
            hoverinfo="skip",
        )
    figure.update_layout(
        base_layout(
            height=height_px,
            hovermode="closest",
            xaxis=_time_axis(one_day=len(set(table["day"])) <= 1),
            yaxis={
                "title": {"text": text("axis.loading", language)},
                "range": [0, max(highest, limits.overload_percent) * _ROOM],
            },
        )
    )
    return figure


def _beyond(time: pd.Series, loading: FloatArray, rating: float, language: Language) -> list[go.Scatter]:
    """Shade what lies above the rating, between the curve and the line."""
    above = np.where(loading > rating, loading, rating)
    return [
        go.Scatter(x=time, y=above, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False),
        go.Scatter(
            x=time,
            y=np.full(len(loading), rating),
            mode="lines",
            line={"width": 0},
            fill="tonexty",
            fillcolor="rgba(156,53,38,0.22)",
            name=f"{palette.STATE_SIGNS['overload']} {text('figure.beyond_rating', language)}",
            hoverinfo="skip",
        ),
    ]


def _time_axis(*, one_day: bool) -> dict[str, Any]:
    if one_day:
        return {"tickformat": "%H:%M", "dtick": 3 * 3_600_000, "hoverformat": TIME_FORMAT}
    return {"tickformat": "%m-%d", "dtick": 86_400_000, "hoverformat": TIME_FORMAT}
