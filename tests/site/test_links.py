"""The built pages as files: every link leads somewhere, nothing is loaded from elsewhere, and the site is small."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from dcbook.book import paths
from dcbook.book.site.source import chapters
from tests.site.conftest import ROOT

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Page(HTMLParser):
    """What a page loads by itself, where it leads, the names of its places, and its pictures without words."""

    def __init__(self, path):
        super().__init__()
        self.path, self.loads, self.links, self.places, self.silent = path, [], [], {"", "top"}, []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        self.links += [given[name] for name in ("href", "src", "poster") if given.get(name)]
        if tag in LOADS and given.get(LOADS[tag]):
            self.loads.append(given[LOADS[tag]])
        if tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "shortcut icon"):
            self.loads.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.silent.append(given.get("src"))


def pages(site):
    """The pages of a built site by their paths; those of the theme are left out."""
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}


def broken(site, found):
    """Links of pages to files and places that the site does not have; links to other hosts are not followed."""
    wrong = []
    for page in found.values():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            path, place = unquote(address.path), unquote(address.fragment)
            target = site / path[1:] if path.startswith("/") else page.path.parent / path
            target = target.resolve() if path else page.path
            target = target / "index.html" if target.is_dir() else target
            no_file = not target.is_file() or not target.is_relative_to(site)
            if no_file or (target in found and place not in found[target].places):
                wrong.append((page.path.relative_to(site).as_posix(), link))
    return wrong


@pytest.fixture(scope="session")
def found(site):
    return pages(site)


def test_every_link_leads_somewhere(site, found):
    assert sum(len(page.links) for page in found.values()) > 10_000
    assert not broken(site, found)


@pytest.mark.parametrize("link", ["none.html", "there.html#none", "#none", "none.svg", "../outside.html", "none/"])
def test_a_broken_link_is_found(link, tmp_path):
    site = tmp_path / "site"
    (site / "folder").mkdir(parents=True)
    (site / "folder/index.html").write_text('<a href="../there.html#place">x</a><a href="/there.html?x=1">x</a>')
    (site / "there.html").write_text('<h1 id="place">x</h1><a href="folder/">x</a><a href="https://x.org/none">x</a>')
    (tmp_path / "outside.html").write_text("x")
    assert not broken(site, pages(site))
    (site / "index.html").write_text(f'<a href="there.html"><img src="{link}" alt="x"></a>')
    assert broken(site, pages(site)) == [("index.html", link)]


def test_nothing_is_loaded_from_elsewhere(found):
    assert len(found) > 60
    for path, page in found.items():
        assert page.loads and not [address for address in page.loads if re.match(r"(https?:)?//", address)], path


def test_the_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 40e6


@pytest.mark.parametrize("name", paths.notebooks(ROOT / "notebooks"))
def test_every_notebook_is_a_page_with_its_download(site, found, name):
    address = Path("notebooks", *(part for part in name.split("/") if part != "start"))
    path = (site / address).with_suffix(".html")
    page = path.read_text()
    assert f"_sources/{address.as_posix()}.ipynb" in page
    assert "cell_output" in page
    assert not [source for source in found[path].silent if source and "_images/" in source and "svg" in source]


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
