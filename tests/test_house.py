"""The house: a chapter is two folders and no other line, and the directions between rooms are held by `make lint`."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from tests.conftest import notebook

ROOT = Path(__file__).parents[1]
GRIDS = """
from dcbook.experiments import Method, Scale, grid
from dcbook.experiments.runs import SCALES
from dcbook.methods import KMeans

METHODS = {f"k-means, {n} starts": Method(KMeans, {"n_init": n, "max_iter": 3}) for n in (1, 20)}
TABLE = {name: Scale({"digits": {"subset": 200}}, (0, 1, 2), METHODS, name=name) for name in SCALES}
GRIDS = {"table": grid(TABLE)}
"""
CLAIMS = """
from dcbook.book.comparisons import gains
from dcbook.book.verdicts import Claim
from dcbook.chapters.tiny.grids import GRIDS, METHODS

TITLE, INTRODUCTION = "Tiny: what holds", "A chapter made up by a test."
CLAIMS = [Claim("Table 1", "more starts gain accuracy", "starts", gains(*reversed(METHODS)), GRIDS["table"])]
"""
PICTURES = """
from dcbook import plots


def starts(scores):
    return plots.dots({"ACC": {name: list(rows["value"]) for name, rows in scores.groupby("method")}}, "ACC")
"""
REPORTED = 'method,dataset,metric,value,status\n"k-means, 20 starts",mnist,acc,53.2,checked\n'
OPEN = """
from dcbook.book import Book, reported
from dcbook.chapters.tiny import grids, pictures
from dcbook.experiments import compare, to_frame

book = Book.open("tiny/starts", scales=grids.TABLE, scale=scale)
book.sweep(progress=False)
"""
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
SHOW = """
frame = compare(book.records(), reported("tiny/table1"), metrics=["acc"])
book.save_table(frame)
book.save_figure(pictures.starts(to_frame(book.records())), "starts.svg")
book.provenance()
"""


@pytest.fixture
def copy(tmp_path):
    """The package and what makes it a checkout, without any notebook; and how to run Python there."""
    shutil.copytree(ROOT / "dcbook", tmp_path / "dcbook", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()

    def run(*command):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        environment.pop("DCBOOK_OUTPUT", None)
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return tmp_path, run


def test_a_chapter_is_two_folders(copy):
    folder, run = copy
    chapter = folder / "dcbook" / "chapters" / "tiny"
    for name, text in {"__init__": '"""Made up."""\n', "grids": GRIDS, "claims": CLAIMS, "pictures": PICTURES}.items():
        (chapter / "reported").mkdir(parents=True, exist_ok=True)
        (chapter / f"{name}.py").write_text(text)
    (chapter / "reported" / "table1.csv").write_text(REPORTED)
    (folder / "notebooks" / "tiny").mkdir()
    nbformat.write(notebook(OPEN, SHOW), folder / "notebooks" / "tiny" / "starts.ipynb")
    calls = "main(['--scale', 'laptop', '--chapter', 'tiny']) or main(['--verdicts', '--chapter', 'tiny'])"
    code, said = run("-c", f"import sys; from dcbook.book.__main__ import main; sys.exit({calls})")
    assert code == 0, said
    figures = folder / "figures" / "laptop" / "tiny"
    table = pd.read_csv(figures / "starts.csv").set_index("method")
    assert table.loc["k-means, 20 starts", "n"] == 3 and table.loc["k-means, 20 starts", "reported"] == 53.2
    assert "<svg" in (figures / "starts_starts.svg").read_text()
    assert len(list((figures / "records").glob("digits/*.json"))) == 6
    page = (folder / "notebooks" / "tiny" / "README.md").read_text()
    assert page.startswith("# Tiny: what holds\n\nA chapter made up by a test.\n\nOf 1 claims: 1 undecided.")
    assert "| [starts](starts.ipynb) |" in page and "points over 3 pairs<br>" in page


def test_a_step_in_the_wrong_direction_is_caught(copy):
    folder, run = copy
    code, said = run("-c", LINT)
    assert code == 0 and "0 broken" in said, said
    for file, line in {
        "experiments/sweep": "from dcbook.chapters import dcss",
        "training/inputs": "from dcbook.experiments import runs",
        "book/paths": "import dcbook.chapters.rdc.grids",
        "chapters/rdc/tables": "from dcbook.chapters.dcss import tables",
        "methods/kmeans": "from dcbook.evaluation import accuracy",
        "training/checkpoint": "from dcbook.data.dataset import Dataset",
    }.items():
        path = folder / "dcbook" / f"{file}.py"
        path.write_text(f"{path.read_text()}\n{line}\n")
    code, said = run("-c", LINT)
    assert code == 1 and "0 kept, 3 broken" in said, said
    for step in (
        "dcbook.experiments.sweep -> dcbook.chapters.dcss",
        "dcbook.training.inputs -> dcbook.experiments",
        "dcbook.book.paths -> dcbook.chapters.rdc.grids",
        "dcbook.chapters.rdc.tables -> dcbook.chapters.dcss",
        "dcbook.methods.kmeans -> dcbook.evaluation",
        "dcbook.training.checkpoint -> dcbook.data.dataset",
    ):
        assert step in said, f"{step} is not named in {said}"


def test_the_guide_names_all_that_a_method_and_a_chapter_need():
    guide = (ROOT / "notebooks" / "CONTRIBUTING.md").read_text()
    of_a_method = ("@dataclass(kw_only=True, repr=False, eq=False)", "start: Any = None", "_optimize", "_cluster")
    of_a_method += ("__all__", "METHODS", "ESTIMATORS", "FITS", "RELEASED", "OURS")
    of_a_chapter = ("__init__.py", "GRIDS", "PAPER", "TITLE", "INTRODUCTION", "FINDING", "CLAIMS", "protocol")
    assert [name for name in (*of_a_method, *of_a_chapter) if f"`{name}`" not in guide] == []
    assert "INDEX.md" in guide.partition("A **notebook**")[2].partition("##")[0]


def test_links_between_our_own_pages_and_files_lead_somewhere():
    pages = {path: path.read_text() for path in (ROOT / "README.md", *ROOT.glob("notebooks/**/*.md"))}
    for path in ROOT.glob("notebooks/**/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        pages[path] = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = [(path, link) for path, text in pages.items() for link in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text)]
    links = [(path, link) for path, link in links if "://" not in link and '"' not in link]  # a quotation mark: code
    assert len(links) > 100
    assert [(path.name, link) for path, link in links if not (path.parent / link).exists()] == []
