"""A headless Chromium of the system, driven by Playwright, and a server of the dashboards on a free port.

Nothing is downloaded. Where there is no browser the tests are skipped and say why. Every page is watched: a
request that leaves the computer, an error of a script and a message on the console at level error fail the test.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from waitress.server import create_server

from dashboards import Settings, create_app
from gridcheck.reports.folder import read_results
from gridcheck.reports.html import write_report_html
from tests.support.results import Sample, write_sample_results

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
INSIDE = ("data:", "blob:", "about:")
TIMEOUT_MS = 60_000


@dataclass(slots=True)
class Watched:
    """A page and what went wrong on it."""

    page: Page
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium browser on this computer; looked for {', '.join(BROWSERS)}")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def results_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sample_results(tmp_path_factory.mktemp("browser") / "out", Sample(scale=0.1))
    write_report_html(read_results(folder), folder / "report.html")
    return folder


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve the dashboards on a free port of this computer while the block runs."""
    server = create_server(create_app(settings).server, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def address(results_folder: Path) -> Iterator[str]:
    with served(Settings(results=results_folder)) as base:
        yield base


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that are watched; the test fails at its end if one of them misbehaved."""
    watched: list[Watched] = []
    contexts = []

    def open_one(url: str, size: tuple[int, int] = (1366, 768)) -> Page:
        viewport: ViewportSize = {"width": size[0], "height": size[1]}
        context = chromium.new_context(viewport=viewport, locale="zh-CN", timezone_id="Asia/Shanghai")
        context.set_default_timeout(TIMEOUT_MS)
        contexts.append(context)
        seen = Watched(context.new_page())
        watched.append(seen)
        origin = "/".join(url.split("/")[:3]) if url.startswith("http") else url
        _watch(seen, origin)
        seen.page.goto(url)
        return seen.page

    yield open_one
    faults = [fault for seen in watched for fault in seen.faults]
    for context in contexts:
        context.close()
    assert faults == []


def _watch(seen: Watched, origin: str) -> None:
    def note(fault: str) -> None:
        seen.faults.append(fault)

    seen.page.on("request", lambda r: None if r.url.startswith((origin, *INSIDE)) else note(f"request {r.url}"))
    seen.page.on("pageerror", lambda error: note(f"page error {error}"))
    seen.page.on("console", lambda message: note(f"console {message.text}") if message.type == "error" else None)
