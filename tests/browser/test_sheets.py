"""Sheets of projects opened from the disk: nothing is cut off, no page scrolls sideways, each prints on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from gridcheck.project_grids import drawn_county, project_drawing
from gridcheck.reinforcement.options import item_of
from gridcheck.reinforcement.terms import default_terms
from gridcheck.reports.project_sheets import sheets_html
from tests.support.command_line import county_folder
from tests.support.project_sheets import candidate_of, facts_of

pytestmark = pytest.mark.browser

SIZES = {"desk": (1500, 900), "phone": (390, 844)}
# A4 without margins of 14 and 12 mm, at 96 dots per inch.
PAPER = {"width": 688, "height": 1031}
# Words of a drawing that reach out of it.
CUT_OFF = """() => [...document.querySelectorAll("figure svg text")].filter(words => {
  const box = words.getBoundingClientRect(), frame = words.ownerSVGElement.getBoundingClientRect();
  return box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
}).map(words => words.textContent)"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three projects of a shipped county, joined as for print, in both languages."""
    terms, area, feeder = default_terms(), "140827-A0001", "140827-F003"
    bills = (
        (item_of(terms, "lv_reconductor", 0.9, type_name="JKLYJ-1-120"), item_of(terms, "phase_balancing")),
        (
            item_of(terms, "new_area_200", type_name="S20-200-Dyn11"),
            item_of(terms, "mv_line_120", 0.45, type_name="JKLYJ-10-120"),
            item_of(terms, "lv_line_120", 0.2, type_name="JKLYJ-1-120"),
        ),
        (item_of(terms, "mv_reconductor", 5.0, type_name="JKLYJ-10-240", elements=("line:40", "line:41")),),
    )
    projects = [
        facts_of(candidate_of(bill, project_id=f"140827-R000{k}", area_id=area if k < 2 else "", feeder_id=feeder))
        for k, bill in enumerate(bills)
    ]
    county = drawn_county(county_folder("140827"), 2025)
    drawings = {one.project_id: project_drawing(county, one) for one in projects}
    folder = tmp_path_factory.mktemp("sheets")
    found = {}
    for language in ("zh", "en"):
        found[language] = folder / f"{language}.html"
        content = sheets_html(projects, drawings, language, with_table=True)  # type: ignore[arg-type]
        found[language].write_text(content, encoding="utf-8")
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_sheets(
    language: str, size: str, open_page: Callable[..., Page], pages: dict[str, Path], tmp_path: Path
) -> None:
    page = open_page(pages[language].as_uri(), SIZES[size])
    page.screenshot(path=tmp_path / f"sheets-{language}-{size}.png", full_page=True)

    assert page.locator("article").count() == 4
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    boxes = [page.locator(f"svg.panel-{which}").first.bounding_box() for which in ("before", "after")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    # Side by side where there is room, below each other on a telephone.
    assert (boxes[0]["y"] == boxes[1]["y"]) == (size == "desk")
    assert (boxes[0]["x"] == boxes[1]["x"]) == (size == "phone")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_project_prints_on_one_page(language: str, open_page: Callable[..., Page], pages: dict[str, Path]) -> None:
    page = open_page(pages[language].as_uri(), (PAPER["width"], PAPER["height"]))

    page.emulate_media(media="print")

    heights = page.evaluate("[...document.querySelectorAll('article')].map(one => one.getBoundingClientRect().height)")
    assert len(heights) == 4
    assert max(heights) <= PAPER["height"]
