"""A real browser for the pages: Debian's Chromium, driven by Playwright; tests that want it are skipped without it."""

import shutil

import pytest


@pytest.fixture(scope="session")
def browser():
    """Chromium, without any network of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright for Python")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("the browser tests need Debian's Chromium: apt-get install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()
