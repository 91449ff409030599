"""Measured statistics of the generated grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridcheck.units import SQRT3

if TYPE_CHECKING:
    from gridcheck.synthesis.build import CountyTables


def county_statistics(county: CountyTables, *, cos_phi: float) -> dict[str, float]:
    """Measure one county's grid.

    Parameters
    ----------
    county : CountyTables
        A generated county.
    cos_phi : float
        Power factor of the peak, for loadings. [1]

    Returns
    -------
    dict of str to float
        Numbers by name; units in the names, plain names are counts.
    """
    areas, profile, line = county.areas, county.profile, county.tables["line"]
    own = line.loc[line["role"] != "tie"]
    ties = line.loc[line["role"] == "tie"]
    key = areas.loc[areas["key_area"]]
    return {
        "villages": areas["village_code"].nunique(),
        "areas": len(areas),
        "households": int(areas["households"].sum()),
        "kva": float(areas["kva"].sum()),
        "key_areas": len(key),
        "key_households": int(key["households"].sum()),
        "key_kva": float(key["kva"].sum()),
        "substations": len(county.tables["ext_grid"]),
        "feeders": len(profile),
        "mv_km": float(own["length_km"].sum()),
        "ties": len(ties),
        "without_tie": int((profile["ties"] == 0).sum()),
        "buses": len(county.tables["bus"]),
        "lowest_vm_pu": float(profile["lowest_vm_pu"].min()),
        **_loadings(county, cos_phi),
    }


def _loadings(county: CountyTables, cos_phi: float) -> dict[str, float]:
    """Measure loadings at the winter peak, losses left out."""
    areas, p_mw = county.areas, county.tables["load"]["p_mw"].to_numpy()
    trafo = county.tables["trafo"]
    mains = trafo.loc[trafo["role"] == "main"]
    main_mw = pd.Series(p_mw).groupby(areas["main_transformer_id"].to_numpy()).sum().reindex(mains["name"]).to_numpy()
    main_percent = 100.0 * main_mw / cos_phi / mains["sn_mva"].to_numpy()
    area_percent = 1e5 * p_mw / cos_phi / areas["kva"].to_numpy()
    feeder_ka = county.profile["peak_mw"].to_numpy() / cos_phi / (SQRT3 * 10.0)
    return {
        "mains": len(mains),
        "main_mva": float(mains["sn_mva"].sum()),
        "peak_mw": float(p_mw.sum()),
        "main_loading_percent": float(np.median(main_percent)),
        "feeder_loading_percent": float(np.max(100.0 * feeder_ka / county.feeders["limit_ka"].to_numpy())),
        "area_loading_percent": float(np.median(area_percent)),
        "area_loading_p95_percent": float(np.quantile(area_percent, 0.95)),
        "areas_over_80_percent": int((area_percent > 80.0).sum()),
        "areas_over_100_percent": int((area_percent > 100.0).sum()),
    }


def measured_figures(counties: Sequence[CountyTables], table: pd.DataFrame) -> dict[str, str]:
    """Return the measured figures in words, by the quantities of ``published_figures.csv``.

    Parameters
    ----------
    counties : sequence of CountyTables
        The generated counties.
    table : DataFrame
        One row of `county_statistics` per county.
    """
    size = pd.concat([county.areas["households"] for county in counties])
    profile = pd.concat([county.profile for county in counties])
    total = table.sum(numeric_only=True)
    sections, ties, areas = profile["trunk_sections"], profile["ties"], profile["areas"]
    low, high = size.quantile(0.05), size.quantile(0.95)
    return {
        "households_per_area": f"mean {size.mean():.0f}; 5 to 95 %: {low:.0f} to {high:.0f}",
        "kva_per_household": f"{total['kva'] / total['households']:.2f}",
        "kva_per_household_key": f"{total['key_kva'] / total['key_households']:.2f}",
        "kva_per_area": f"{total['kva'] / total['areas']:.0f}",
        "mv_m_per_household": f"{1000.0 * total['mv_km'] / total['households']:.1f}",
        "radius_km": f"{profile['radius_km'].median():.1f}, {profile['radius_km'].max():.1f}",
        "sections": f"{sections.min()} to {sections.max()}, mean {sections.mean():.1f}",
        "ties": f"{ties.min()} to {ties.max()}, mean {ties.mean():.1f}",
        "areas_per_feeder": f"{areas.min()} to {areas.max()}, median {areas.median():.0f}",
        "lowest_vm_pu": f"{profile['lowest_vm_pu'].min():.3f}",
        "main_loading_percent": f"{table['main_loading_percent'].median():.0f}",
        "area_loading_percent": (
            f"{table['area_loading_percent'].median():.0f}, {table['area_loading_p95_percent'].median():.0f}"
        ),
    }
