"""Every page in a real browser: both languages, three sizes, no request elsewhere, no error, nothing cut off."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboards import Settings
from gridcheck.policy import plan_2025
from gridcheck.reports.folder import read_results
from gridcheck.reports.texts import text
from tests.browser.conftest import served
from tests.support.desk_folder import write_desk_folder

pytestmark = pytest.mark.browser

SIZES = {"notebook": (1366, 768), "desk": (1920, 1080), "phone": (390, 844)}
# Path of each page, and what stands on it once it is complete.
PAGES = {
    "overview": ("/", "#overview-map .main-svg"),
    "desk": ("/desk", '.ag-center-cols-container [row-index="0"]'),
    "verdicts": ("/verdicts", '.ag-center-cols-container [row-index="0"]'),
    "n_minus_1": ("/n-1", '.ag-center-cols-container [row-index="0"]'),
    "plan": ("/plan", '.ag-center-cols-container [row-index="0"]'),
    "area": ("/area", "#area-curve .main-svg"),
    "origin": ("/data", "main table"),
}
Open = Callable[..., Page]


def overlaps(page: Page) -> list[str]:
    """Texts of headings, figures and controls that lie on top of each other."""
    found: list[str] = page.evaluate(
        """() => {
          const things = [...document.querySelectorAll("h1, h2, .kpi, .control, figcaption, .answer, .count")]
            .filter(e => e.offsetParent !== null && e.getBoundingClientRect().height > 0);
          const bad = [];
          for (let i = 0; i < things.length; i++) for (let j = i + 1; j < things.length; j++) {
            if (things[i].contains(things[j]) || things[j].contains(things[i])) continue;
            const a = things[i].getBoundingClientRect(), b = things[j].getBoundingClientRect();
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            const words = [things[i], things[j]].map(e => e.innerText.slice(0, 30));
            if (wide > 2 && high > 2) bad.push(words.join(" / "));
          }
          return bad;
        }"""
    )
    return found


def cut_off(page: Page) -> list[str]:
    """Texts of charts and entries of the navigation that reach out of what is shown of them."""
    found: list[str] = page.evaluate(
        """() => {
          const bad = [];
          const out = (inner, outer) => inner.left < outer.left - 2 || inner.right > outer.right + 2;
          for (const chart of document.querySelectorAll(".js-plotly-plot")) {
            const frame = chart.parentElement.closest("figure, section").getBoundingClientRect();
            for (const words of chart.querySelectorAll(".main-svg text")) {
              const box = words.getBoundingClientRect();
              const seen = !out(box, chart.getBoundingClientRect()) && !out(box, frame);
              if (box.width && !seen) bad.push(words.textContent);
            }
          }
          for (const link of document.querySelectorAll("header nav a")) {
            if (link.getBoundingClientRect().right > innerWidth + 1) bad.push(link.textContent);
          }
          return bad;
        }"""
    )
    return found


def too_wide(page: Page) -> list[str]:
    """Headings of the cards in which a chart is wider than the card."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("figure")].filter(e => e.scrollWidth > e.clientWidth)
          .map(e => e.innerText.slice(0, 40))"""
    )
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page(language: str, size: str, open_page: Open, address: str, tmp_path: Path) -> None:
    page = open_page(f"{address}/?lang={language}", SIZES[size])
    for name, (path, complete) in PAGES.items():
        page.goto(f"{address}{path}?lang={language}")
        page.wait_for_selector(complete)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=tmp_path / f"{name}-{language}-{size}.png", full_page=True)

        assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[language]
        expect(page.locator("h1")).to_have_text(text(f"nav.{name}", language))  # type: ignore[arg-type]
        expect(page.locator(".banner")).to_contain_text({"zh": "合成数据", "en": "Synthetic data"}[language])
        # The page never scrolls sideways: wide things scroll inside their own frames.
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], name
        assert overlaps(page) == [], name
        assert cut_off(page) == [], name
        assert too_wide(page) == [], name


def test_overview_names_the_twelve_counties(open_page: Open, address: str) -> None:
    page = open_page(address)
    page.wait_for_selector("#overview-map .main-svg")

    names = list(plan_2025().counties["county"])
    assert len(names) == 12
    for name in names:
        expect(page.locator("main table").get_by_role("link", name=name, exact=True)).to_be_visible()
        expect(page.locator("#overview-map").get_by_text(name, exact=True)).to_be_attached()


def test_map_shows_another_measure(open_page: Open, address: str) -> None:
    page = open_page(address)
    page.wait_for_selector("#overview-map .main-svg")

    page.get_by_text(text("map_short.budget_wan", "zh"), exact=True).click()

    expect(page.locator("#overview-map-caption")).to_have_text(text("map_caption.budget_wan", "zh"))
    expect(page.locator("#overview-map")).to_contain_text(text("map.budget_wan", "zh"))


def test_county_link_filters_the_verdicts(open_page: Open, address: str) -> None:
    page = open_page(address)
    page.locator("main table").get_by_role("link", name="夏县", exact=True).click()

    page.wait_for_selector('.ag-center-cols-container [row-index="0"]')
    expect(page.locator(".count")).to_have_text(re.compile(r"^100 / "))
    assert set(page.locator('.ag-center-cols-container [col-id="county"]').all_inner_texts()) == {"夏县"}


def test_verdict_card_opens_and_leads_to_the_area(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/verdicts")
    first = page.locator('.ag-center-cols-container [row-index="0"] [col-id="verdict"]')
    expect(first).not_to_be_empty()
    page.get_by_role("group", name="结论").get_by_role("button").click()
    page.get_by_role("option", name="暂缓接入").click()
    expect(page.locator(".count")).to_have_text(re.compile(r"^\d{3} / 1,549"))
    expect(first).to_contain_text("暂缓接入")

    first.click()

    card = page.locator(".card")
    expect(card.locator("strong")).to_have_text("暂缓接入")
    expect(card).to_contain_text("红色")
    expect(card).to_contain_text("限值")
    expect(card).to_contain_text(re.compile(r"-?[\d,.]+\u00a0kW"))
    card.get_by_role("link", name=text("card.open_area", "zh")).click()
    page.wait_for_selector("#area-curve .main-svg")
    assert "/area?" in page.url


def test_an_answer_of_the_desk_shows_its_interval_against_the_accepted_risk(
    open_page: Open, results_folder: Path, tmp_path: Path
) -> None:
    folder = write_desk_folder(tmp_path / "decisions", read_results(results_folder).decisions.head(30))
    with served(Settings(results=results_folder, decisions=folder)) as base:
        page = open_page(f"{base}/desk", SIZES["phone"])
        expect(page.locator(".kpi").nth(4)).to_contain_text("15")
        first = page.locator('.ag-center-cols-container [row-index="0"] [col-id="verdict"]')
        # A row is empty until its page of rows has come.
        expect(first).not_to_be_empty()
        first.click()

        bar = page.locator(".desk-why .bar")
        expect(bar).to_have_attribute("aria-label", re.compile("越限概率 6.0.%，区间 4.0.% 至 9.0.%，可接受 5.%"))
        box, interval, accepted = (
            part.bounding_box() for part in (bar, bar.locator(".bar-interval"), bar.locator(".bar-accepted"))
        )
        assert box is not None
        assert interval is not None
        assert accepted is not None
        # 4 to 9 of 15 %, and the accepted 5 % within.
        assert (interval["x"] - box["x"]) / box["width"] == pytest.approx(4 / 15, abs=0.01)
        assert interval["width"] / box["width"] == pytest.approx(5 / 15, abs=0.01)
        assert (accepted["x"] - box["x"]) / box["width"] == pytest.approx(5 / 15, abs=0.01)
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]


def test_grid_sorts_on_the_server(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/verdicts")
    page.wait_for_selector('.ag-center-cols-container [row-index="0"]')

    page.locator('.ag-header-cell[col-id="margin_kw"] .ag-header-cell-text').click()

    first = page.locator('.ag-center-cols-container [row-index="0"] [col-id="margin_kw"]')
    expect(first).to_contain_text(re.compile(r"^[−-]\d"))


def test_day_of_an_area_can_be_chosen_and_its_points_are_a_table(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/area")
    page.wait_for_selector("#area-curve .main-svg")

    page.get_by_text("01-16", exact=True).first.click()
    page.get_by_text(text("page.show_points", "zh")).click()

    rows = page.locator("details tbody tr")
    expect(rows).to_have_count(96)
    expect(rows.first).to_contain_text("01-16 00:00")
    expect(page.locator("#area-curve")).to_contain_text("重载线 80 %")


def test_another_county_offers_its_own_areas(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/area")
    page.wait_for_selector("#area-curve .main-svg")

    page.locator("#area-county").click()
    page.get_by_role("option", name="芮城县").click()

    expect(page.locator("#area-area")).to_contain_text("140830-A")
    expect(page.locator("h2").first).to_contain_text("140830-A")


def test_language_switch_keeps_the_page(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/plan")
    page.wait_for_selector("h1")

    page.get_by_role("link", name="English").click()

    expect(page.locator("h1")).to_have_text("Plan")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("h1")).to_have_text("Overview")


def test_keyboard_reaches_navigation_filters_and_table(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/verdicts")
    page.wait_for_selector('.ag-center-cols-container [row-index="0"]')

    reached = []
    for _ in range(17):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.className.toString() + ' ' + document.activeElement.innerText")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none" or "ag-" in reached[-1]

    assert reached[0].startswith("skip")
    assert any("改造方案" in stop for stop in reached)
    assert sum("dropdown" in stop for stop in reached) == 4
    assert any("ag-header-cell" in stop for stop in reached)


def test_missing_results_show_a_friendly_page(open_page: Open, tmp_path: Path) -> None:
    with served(Settings(results=tmp_path / "none")) as base:
        page = open_page(f"{base}/plan")
        expect(page.locator("pre code").first).to_have_text(f"gridcheck run --out {tmp_path / 'none'}")
        page.screenshot(path=tmp_path / "missing.png")
