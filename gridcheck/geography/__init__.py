"""Public facts about the place: counties, towns, villages, heights and monthly climate of Yuncheng.

The files in ``facts/`` are small tables derived from open data; ``facts/README.md`` names origin and
licence of each. No village has public coordinates: positions of villages are always synthetic.
"""

from __future__ import annotations

from gridcheck.geography.facts_tables import (
    climate_monthly,
    counties,
    county_elevation,
    county_outlines,
    towns,
    villages,
)

__all__ = ["climate_monthly", "counties", "county_elevation", "county_outlines", "towns", "villages"]
