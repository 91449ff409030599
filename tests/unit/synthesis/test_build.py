"""A county is generated the same way twice, written at once, and refused when it is not in the plan."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gridcheck.errors import InputError
from gridcheck.synthesis.build import DATA_FILES, DEFAULT_SEED, build_all, build_county, county_files, write_county

NETWORKS = Path(__file__).parents[3] / "networks"
SMALL = "140827"  # Yuanqu, the county with the fewest villages


def test_the_committed_files_of_a_small_county_come_out_byte_for_byte() -> None:
    files = county_files(build_county(SMALL, seed=DEFAULT_SEED))

    for name, text in files.items():
        committed = (NETWORKS / "140827-yuanqu" / name).read_bytes()
        assert committed == text.encode("utf-8"), f"{name} differs: rebuild with gridcheck.synthesis.build.build_all"


def test_another_seed_gives_another_grid_with_the_same_facts() -> None:
    one, other = build_county(SMALL, seed=1), build_county(SMALL, seed=2)

    assert set(one.areas["village_code"]) == set(other.areas["village_code"])
    assert one.areas["households"].sum() == other.areas["households"].sum()
    assert not one.areas["lon"].head(50).equals(other.areas["lon"].head(50))


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib; from gridcheck.synthesis.build import build_county, county_files;"
        f"files = county_files(build_county('{SMALL}', seed=5));"
        "print(hashlib.sha256(''.join(files.values()).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=NETWORKS.parent,
        ).stdout
        for seed in ("1", "4242")
    }

    assert len(digests) == 1


def test_a_county_outside_the_plan_is_refused() -> None:
    with pytest.raises(InputError, match="140882"):
        build_county("140882", seed=1)  # Hejin has no row in the plan


def test_writing_replaces_the_whole_folder_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    county = build_county(SMALL, seed=3)
    folder = tmp_path / county.folder_name
    folder.mkdir()
    (folder / "old.txt").write_text("from an older version", encoding="utf-8")

    write_county(county, folder)

    assert sorted(path.name for path in folder.iterdir()) == sorted([*DATA_FILES, "origin.toml"])
    assert [path.name for path in tmp_path.iterdir()] == [county.folder_name]
    origin = tomllib.loads((folder / "origin.toml").read_text(encoding="utf-8"))
    assert origin["synthetic"] is True
    assert origin["seed"] == 3
    for name in DATA_FILES:
        assert origin["sha256"][name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_building_some_counties_reports_each_and_writes_no_readme(tmp_path: Path) -> None:
    seen: list[str] = []

    written = build_all(tmp_path, seed=4, progress=seen.append, codes=(SMALL,))

    assert seen == ["140827-yuanqu"]
    assert [county.county_code for county in written] == [SMALL]
    assert not (tmp_path / "README.md").exists()


def test_the_peak_of_an_area_is_base_load_plus_its_heaters() -> None:
    county = build_county(SMALL, seed=DEFAULT_SEED)
    area = county.areas.iloc[10]
    heating = county.heating.loc[
        (county.heating["area_id"] == area["area_id"]) & (county.heating["layer"] == "existing")
    ]

    # 0.6 kW per home lived in, 55 % of the rated power of the heaters, cos phi 0.96
    expected_kw = 0.6 * area["occupied_households"] * area["base_kw_factor"] + 0.55 * heating["rated_kw"].sum()

    load = county.tables["load"].iloc[10]
    assert load["p_mw"] * 1000.0 == pytest.approx(expected_kw, abs=1e-3)
    assert load["q_mvar"] / load["p_mw"] == pytest.approx(0.28 / 0.96, abs=1e-4)


def test_key_area_villages_hold_the_plans_households() -> None:
    county = build_county("140829", seed=8)  # Pinglu: 2080 in key areas

    key = county.heating.loc[county.heating["layer"] == "key_area_2025"]
    flagged = set(county.areas.loc[county.areas["key_area"], "area_id"])

    assert key["households"].sum() == 2080
    assert set(key["area_id"]) <= flagged
