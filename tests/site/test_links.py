"""The built pages as files: every link leads somewhere, nothing is loaded from elsewhere, and the site is small."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from dcbook.book import paths
from dcbook.book.site.source import chapters
from tests.site.conftest import ROOT

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Loads(HTMLParser):
    """What a page loads by itself, and its pictures without words."""

    def __init__(self, text):
        super().__init__()
        self.found, self.silent = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in LOADS and given.get(LOADS[tag]):
            self.found.append(given[LOADS[tag]])
        if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "shortcut icon"):
            self.found.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.silent.append(given.get("src"))


def pages(site):
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


@contextmanager
def served(folder):
    """The address of a folder on a static host."""
    quiet = partial(type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None}), directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), quiet) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


def linkchecker(folder):
    """Exit code and report of LinkChecker on a static host; links to other hosts are not followed."""
    with served(folder) as address:
        command = [Path(sys.executable).with_name("linkchecker"), "--no-warnings", "--no-robots", address]
        run = subprocess.run(command, capture_output=True, text=True)
    return run.returncode, run.stdout


def test_every_link_leads_somewhere(site):
    code, report = linkchecker(site)
    assert code == 0, report[-3000:]
    assert int(re.search(r"(\d+) links? in", report)[1]) > 250


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "index.html").write_text('<title>x</title><a href="there.html">x</a><a href="none.html">x</a>')
    (tmp_path / "there.html").write_text("<title>x</title>")
    code, report = linkchecker(tmp_path)
    assert code == 1 and "none.html" in report and "1 error found" in report


def test_every_anchor_is_there(site):
    """LinkChecker does not look at what stands behind "#"."""
    ids = {path: set(re.findall(r'(?:id|name)="([^"]+)"', path.read_text())) for path in pages(site)}
    links = [(path, link) for path in ids for link in re.findall(r'href="([^":]*)#([^"]+)"', path.read_text())]
    assert len(links) > 1000
    wrong = set()
    for path, (address, anchor) in links:
        target = (path.parent / address.partition("?")[0]).resolve() if address else path
        if anchor not in ids.get(target, ()):
            wrong.add((path.name, address, anchor))
    assert not wrong


def test_nothing_is_loaded_from_elsewhere(site):
    assert len(pages(site)) > 60
    for path in pages(site):
        loads = Loads(path.read_text()).found
        assert loads and not [address for address in loads if re.match(r"(https?:)?//", address)], path


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 40e6


@pytest.mark.parametrize("name", paths.notebooks(ROOT / "notebooks"))
def test_every_notebook_is_a_page_with_its_download(site, name):
    address = Path("notebooks", *(part for part in name.split("/") if part != "start"))
    page = (site / address).with_suffix(".html").read_text()
    assert f"_sources/{address.as_posix()}.ipynb" in page
    assert "cell_output" in page
    assert not [source for source in Loads(page).silent if source and "_images/" in source and "svg" in source]


def test_every_chapter_and_every_claim_is_there(site):
    menu = (site / "index.html").read_text()
    assert all(f'href="notebooks/{name}/README.html"' in menu for name in chapters(ROOT))
    page = (site / "claims.html").read_text()
    claims = json.loads((ROOT / "notebooks/claims.json").read_text())["claims"]
    for claim in filter(lambda claim: claim["notebook"], claims):
        row = page.partition(f'id="{claim["id"]}"')[2].partition("</li>")[0]
        assert claim["verdict"] in row and f"notebooks/{claim['chapter']}/{claim['notebook']}" in row, claim["id"]
        for question in claim.get("questions", []):
            assert f"{question['mean']:+.1f}"[1:] in row or f"{question['mean']:.2f}" in row, claim["id"]
    assert page.count('class="dc-claim"') == len(claims)
    assert len(re.findall(r'class="dc-tile ', menu)) == len(claims)
