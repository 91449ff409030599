"""What the command for sheets of projects does: read a run, draw, write, print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gridcheck import terminal
from gridcheck.errors import LedgerError

if TYPE_CHECKING:
    from gridcheck.reports.folder import Results
    from gridcheck.reports.project_drawing import Drawing
    from gridcheck.reports.project_facts import ProjectFacts
    from gridcheck.reports.texts import Language

_ROWS_ON_SCREEN = 20


def sheets(run: Path, out: Path, project_ids: tuple[str, ...], networks: Path | None, language: Language) -> None:
    """Write the sheets of a run's projects and print which."""
    from gridcheck.reports.folder import read_results
    from gridcheck.reports.project_facts import project_facts
    from gridcheck.reports.project_sheets import ALL_FILE, run_words, write_sheets
    from gridcheck.reports.project_words import money_state, place_of

    results = read_results(run)
    facts = project_facts(results, project_ids)
    drawings = _drawings(results, facts, networks)
    files = write_sheets(facts, drawings, out, language, run_words(results, language))
    rows = [[one.project_id, place_of(one, language), money_state(one, language)] for one in facts[:_ROWS_ON_SCREEN]]
    terminal.print_table(f"{len(rows)} / {len(facts)}", ["项目 project", "地点 place", "资金 money"], rows)
    _say(f"完成 done: {len(facts)} 份项目单 sheets, {len(files)} 个文件 files: {out}/ ({ALL_FILE})")
    if any(one.synthetic for one in facts):
        _say("合成数据：均为样张，不得据以施工。 Synthetic data: specimens, nothing may be built by them.")


def _drawings(results: Results, facts: Sequence[ProjectFacts], networks: Path | None) -> Mapping[str, Drawing]:
    """Draw the projects in the grids that the run has read; other grids are refused."""
    from gridcheck.project_grids import drawn_county, project_drawing
    from gridcheck.study import county_folder, shipped_folder
    from gridcheck.study_tables import folder_hash

    place = networks if networks is not None else shipped_folder("networks")
    seed = int(results.summary.get("seed", 0))
    drawings: dict[str, Drawing] = {}
    for code in dict.fromkeys(one.county_code for one in facts):
        folder = county_folder(place, code)
        if results.summary.get("inputs", {}).get(folder.name) != folder_hash(folder):
            raise LedgerError(
                f"{folder} is not the grid that {results.folder} was computed with. Name the folder of networks with "
                "--networks, or run `gridcheck run` again."
            )
        county = drawn_county(folder, seed)
        drawings |= {one.project_id: project_drawing(county, one) for one in facts if one.county_code == code}
    return drawings


def _say(words: str) -> None:
    terminal.console().print(words, highlight=False, markup=False, soft_wrap=True)
