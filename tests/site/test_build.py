"""How the site is built: what breaks it, what buttons it has, and that it is the same each time."""

import filecmp
import json
import os
import shutil
import subprocess
import sys
import tarfile

import nbformat
import pytest

from tests.conftest import notebook
from tests.site.conftest import ROOT

FORGE = "https://github.com/owner/book"
INDEX = """
# Home

[The chapter](notebooks/dcss/README.md), [code](dcbook/losses/dec.py), {cite:t}`dec`

```{toctree}
bibliography
notebooks/dcss/README
README
```
"""
BIBLIOGRAPHY = "# Papers\n\n```{bibliography}\n```\n"
README = """
# DCSS: what holds

Of 1 claims: 1 supported.

| # | claim |
|---|---|
| 1 | told elsewhere |
"""
TEXT = """# DCSS: a notebook

![A picture](../../figures/laptop/dcss/one_a.svg)

*See* [records](../../figures/laptop/dcss/records) and $x^2$.

## Try it

1. Look.
"""
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.fixture
def checkout(tmp_path):
    """A small checkout with one chapter, one notebook, one claim and one record."""
    root = tmp_path / "checkout"
    claims = json.loads((ROOT / "notebooks/claims.json").read_text())["claims"]
    claim = next(each for each in claims if each["id"] == "dcss-4")
    claim["notebook"], claim["files"]["picture"] = "one", "figures/laptop/dcss/one_a.svg"
    made = notebook("1")
    made.cells.insert(0, nbformat.v4.new_markdown_cell(TEXT))
    for name, text in {
        "README.md": "# The book\n\n[Start](notebooks/dcss/one.ipynb)\n",
        "notebooks/claims.json": json.dumps({"claims": [claim]}),
        "notebooks/dcss/README.md": README,
        "notebooks/dcss/one.ipynb": nbformat.writes(made),
        "figures/laptop/dcss/one_a.svg": PICTURE,
        "figures/laptop/dcss/records/digits/one.json": "{}",
        "dcbook/losses/dec.py": "",
        "dcbook/book/site/pages/index.md": INDEX,
        "dcbook/book/site/pages/bibliography.md": BIBLIOGRAPHY,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


BUILD = """
import sys
from pathlib import Path
from dcbook.book.site.__main__ import build
root, out, work, repository = sys.argv[1:]
pages = Path(root) / "dcbook/book/site/pages"
sys.exit(build(Path(root), Path(out), Path(work), repository, pages=pages, api=False))
"""


@pytest.fixture
def build(checkout, tmp_path):
    """Build the small checkout, in a process of its own: exit code and what was said."""

    def built(repository=""):
        command = [sys.executable, "-c", BUILD, checkout, tmp_path / "out", tmp_path / "work", repository]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        return done.returncode, done.stderr

    return built


def test_a_checkout_becomes_a_site_without_a_warning(build, tmp_path):
    assert build() == (0, "")
    page = (tmp_path / "out/notebooks/dcss/README.html").read_text()
    assert 'id="dcss-4"' in page and "told elsewhere" not in page
    with tarfile.open(tmp_path / "out/records/dcss-laptop.tar.gz") as archive:
        assert all(name.startswith("dcss-laptop/") and name.endswith(".json") for name in archive.getnames())
    assert {path.suffix for path in (tmp_path / "out/_sources").rglob("*.*")} == {".ipynb"}
    assert "download-source-button" not in page
    for path in (tmp_path / "out").rglob("*.html"):
        text = path.read_text()
        assert FORGE not in text and "mybinder" not in text and "colab" not in text, path
    assert (
        '<span class="outside"><span class="xref myst">code</span></span>' in (tmp_path / "out/index.html").read_text()
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("pages/index.md", "dec.py", "dek.py", "dek.py"),
        ("pages/index.md", "[The chapter](notebooks/dcss/README.md)", "[x](notebooks/dcss/none.ipynb)", "none.ipynb"),
        ("pages/index.md", "README.md)", "README.md#nowhere)", "nowhere"),
        ("pages/index.md", "`dec`", "`nobody`", "nobody"),
        ("notebooks/dcss/one.ipynb", "one_a.svg", "one_b.svg", "one_b.svg"),
        ("notebooks/dcss/one.ipynb", "dcss/records", "dcss/recods", "recods"),
    ],
    ids=["file", "page", "anchor", "citation", "picture", "folder"],
)
def test_what_leads_nowhere_breaks_the_build(build, checkout, file, old, new, told):
    path = checkout / file if file.startswith("notebooks") else checkout / "dcbook/book/site" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    code, said = build()
    assert code == 1 and told in said


@pytest.mark.parametrize("names", [["thesis.txt"], [".nojekyll", "index.html"]])
def test_a_folder_of_other_things_is_refused(build, tmp_path, names):
    (tmp_path / "out").mkdir()
    for name in names:
        (tmp_path / "out" / name).write_text("years of work")
    code, said = build()
    assert code == 1 and "holds something other than a site" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names


def test_a_file_is_refused(build, tmp_path):
    (tmp_path / "out").write_text("years of work")
    code, said = build()
    assert code == 1 and "FileExistsError" in said and (tmp_path / "out").read_text() == "years of work"


def test_a_site_that_is_a_git_checkout_is_refused(build, tmp_path):
    assert build() == (0, "")
    (tmp_path / "out/.git").mkdir()
    assert build()[0] == 1 and (tmp_path / "out/.git").is_dir()


def test_a_build_that_fails_leaves_the_old_site(build, checkout, tmp_path):
    assert build() == (0, "")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    index = checkout / "dcbook/book/site/pages/index.md"
    whole = index.read_text()
    index.write_text(whole.replace("# Home", "# Away").replace("`dec`", "`nobody`"))
    assert build()[0] == 1
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    index.write_text(whole.replace("# Home", "# Away"))
    assert build() == (0, "") and "Away" in (tmp_path / "out/index.html").read_text()


def test_an_address_gives_buttons_and_links(build, tmp_path):
    assert build(FORGE) == (0, "")
    home = (tmp_path / "out/index.html").read_text()
    assert f'href="{FORGE}/blob/main/dcbook/losses/dec.py"' in home
    assert f"{FORGE}/edit/main/dcbook/book/site/pages/index.md" in home
    page = (tmp_path / "out/notebooks/dcss/one.html").read_text()
    for address in (
        f"{FORGE}/edit/main/notebooks/dcss/one.ipynb",
        f"{FORGE}/tree/main/figures/laptop/dcss/records",
        "https://mybinder.org/v2/gh/owner/book/main?urlpath=lab/tree/notebooks/dcss/one.ipynb",
        "https://colab.research.google.com/github/owner/book/blob/main/notebooks/dcss/one.ipynb",
        "_sources/notebooks/dcss/one.ipynb",
    ):
        assert address in page, address


def test_an_unchanged_page_is_not_read_again(build, checkout, tmp_path):
    build()
    pages = tmp_path / "work" / "pages"
    before = {path: path.stat().st_mtime_ns for path in pages.rglob("*.md")}
    (checkout / "README.md").write_text("# The book\n\nChanged.\n")
    (checkout / "notebooks/dcss/more.md").write_text("# More\n")
    build()
    after = {path: path.stat().st_mtime_ns for path in pages.rglob("*.md")}
    changed = {path.relative_to(pages).as_posix() for path in after if after[path] != before.get(path)}
    assert changed == {"README.md", "notebooks/dcss/README.md", "notebooks/dcss/more.md"}


def test_two_builds_of_the_whole_site_are_the_same(site, tmp_path):
    """The first one was made under a hash seed of chance."""
    other = tmp_path / "other"
    checkout = tmp_path / "checkout"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, checkout / name)
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "dcbook.book.site", "--out", str(other)]
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    names = {path.relative_to(folder) for folder in (site, other) for path in folder.rglob("*") if path.is_file()}
    assert len(names) > 100
    assert filecmp.cmpfiles(site, other, names, shallow=False)[1:] == ([], [])
