"""Published room as GeoJSON (RFC 7946): a point for each area, codes in English with words in both languages."""

from __future__ import annotations

import json
import math
from typing import Any

from gridcheck.reports.capacity import Capacity
from gridcheck.reports.capacity_workbook import notes_of
from gridcheck.reports.folder import Results
from gridcheck.reports.labels import county_name, is_missing
from gridcheck.reports.texts import LANGUAGES, label

_DECIMALS_OF_A_DEGREE = 5
_PLACES = ("area_id", "county_code", "feeder_id", "village_code", "town", "village")


def capacity_geojson(found: Capacity, results: Results) -> str:
    """Return the areas of a run as one collection of points in WGS 84; an area without a place has no geometry.

    Parameters
    ----------
    found : Capacity
        Published room.
    results : Results
        The run that it comes from.
    """
    counted = [
        "more_heat_pumps",
        *(size.column for size in found.sizes[1:]),
        *(f"more_{name}" for name in found.devices),
    ]
    features = [_feature(row, counted, synthetic=found.synthetic) for row in found.areas.to_dict("records")]
    content: dict[str, Any] = {
        "type": "FeatureCollection",
        **_box(features),
        "published_on": found.published_on.isoformat(),
        "synthetic": found.synthetic,
        **{f"notes_{language}": notes_of(found, results, language) for language in LANGUAGES},
        "features": features,
    }
    # A text from a file cannot end a script element that somebody puts the map into.
    return (
        json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c") + "\n"
    )


def _feature(row: Any, counted: list[str], *, synthetic: bool) -> dict[str, Any]:
    is_placed = not (is_missing(row["lon"]) or is_missing(row["lat"]))
    place = [round(float(row[name]), _DECIMALS_OF_A_DEGREE) for name in ("lon", "lat")] if is_placed else []
    grade = str(row["grade"])
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": place} if is_placed else None,
        "properties": {
            **{name: None if is_missing(row[name]) else str(row[name]) for name in _PLACES},
            **{f"county_{language}": county_name(row["county_code"], language) for language in LANGUAGES},
            "kva": _number(row["kva"]),
            "households": _number(row["households"]),
            "not_yet_electric": _number(row["not_yet_electric"]),
            "grade": grade,
            **{f"grade_{language}": label("grade", grade, language) for language in LANGUAGES},
            "blocked_above": bool(row["blocked_above"]),
            **{name: _number(row[name]) for name in ("c1_kw", "c2_kw")},
            **{name: _number(row[name]) for name in counted},
            "synthetic": synthetic,
        },
    }


def _number(value: Any) -> float | int | None:
    """Return a number to two decimals, whole ones without any; None, null in the file, where there is none."""
    if is_missing(value) or not math.isfinite(value):
        return None
    shown = round(float(value), 2)
    return int(shown) if shown.is_integer() else shown


def _box(features: list[dict[str, Any]]) -> dict[str, list[float]]:
    places = [feature["geometry"]["coordinates"] for feature in features if feature["geometry"] is not None]
    if not places:
        return {}
    lon, lat = zip(*places, strict=True)
    return {"bbox": [min(lon), min(lat), max(lon), max(lat)]}
