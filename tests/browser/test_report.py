"""report.html opened from the disk, as a colleague would who got it by mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gridcheck.policy import plan_2025
from gridcheck.reports.texts import text
from tests.browser.test_dashboards import cut_off

pytestmark = pytest.mark.browser

SIZES = {"notebook": (1366, 768), "desk": (1920, 1080), "phone": (390, 844)}
CHARTS = 6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_report(language: str, size: str, open_page: Callable[..., Page], results_folder: Path, tmp_path: Path) -> None:
    page = open_page((results_folder / "report.html").as_uri(), SIZES[size])
    if language == "en":
        page.get_by_role("button", name="English").click()
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    page.screenshot(path=tmp_path / f"report-{language}-{size}.png", full_page=True)

    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[language]
    assert page.title() == text("report.title", language)  # type: ignore[arg-type]
    assert page.locator(".js-plotly-plot").count() == CHARTS
    assert cut_off(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    expect(page.locator(".banner")).to_contain_text({"zh": "合成数据", "en": "Synthetic data"}[language])
    other = {"zh": "en", "en": "zh"}[language]
    assert page.locator(f".in-{other}:visible").count() == 0


def test_report_names_the_twelve_counties_in_text_and_map(open_page: Callable[..., Page], results_folder: Path) -> None:
    page = open_page((results_folder / "report.html").as_uri())

    for name in plan_2025().counties["county"]:
        expect(page.locator("ul.counties li:visible").filter(has_text=re.compile(f"^{name}："))).to_have_count(1)
        expect(page.locator('[data-chart="map"]').get_by_text(name, exact=True)).to_be_attached()


def test_report_prints_without_buttons(open_page: Callable[..., Page], results_folder: Path, tmp_path: Path) -> None:
    page = open_page((results_folder / "report.html").as_uri())
    expect(page.locator(".chart .main-svg").first).to_be_visible()

    page.emulate_media(media="print")

    expect(page.locator(".languages")).to_be_hidden()
    printed = page.pdf(path=tmp_path / "report.pdf")
    assert printed.startswith(b"%PDF")
