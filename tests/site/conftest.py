"""Fixtures for tests of the built site, whose folder DCBOOK_SITE names; without it these tests are not collected."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = os.environ.get("DCBOOK_SITE")
collect_ignore_glob = [] if SITE else ["test_*.py"]  # `make test-site` sets it, a plain `make test` does not
WIDE, NARROW = 1300, 390


@pytest.fixture(scope="session")
def site():
    """The folder of the built site."""
    folder = (ROOT / SITE).resolve()
    assert (folder / "index.html").is_file(), f"{folder} holds no site: run `make site`"
    return folder


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: run `make test-site`")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("Chromium is missing: the site is not opened in a browser (Debian: apt install chromium)")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser, site):
    """Open a page of the site: `open_page("claims.html", width=390, dark=True)`.

    The page has `troubles`: what it asked of anything but the disk, and errors of its scripts. Whatever else
    is given goes to Playwright's `new_context`.
    """
    contexts = []

    def opened(address, width=WIDE, dark=False, **options):
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.troubles = []
        page.on("request", lambda r: r.url.startswith(("file:", "data:", "blob:")) or page.troubles.append(r.url))
        page.on("requestfailed", lambda r: page.troubles.append(f"failed: {r.url}"))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("console", lambda said: said.type == "error" and page.troubles.append(said.text))
        page.goto(f"{site.as_uri()}/{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
