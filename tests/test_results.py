"""What is told of the committed results is what the records say, and every gap to the paper has its cause."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from dcbook.book import reported
from dcbook.book.chapters import chapters, part
from dcbook.book.judging import written
from dcbook.book.pages import INTERVALS
from dcbook.book.paths import notebooks
from dcbook.book.store import with_verdicts
from dcbook.book.verdicts import recorded
from dcbook.chapters.dcss.grids import GRIDS
from dcbook.chapters.dcss.tables import apart
from dcbook.experiments import compare, gaps
from dcbook.experiments.records import path_of, place, read

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "figures" / "laptop" / "dcss"
REPORTED = reported("dcss/table1")
NOTEBOOKS = notebooks(ROOT / "notebooks")
each_chapter = pytest.mark.parametrize("chapter", chapters())


def test_there_are_chapters():
    assert {"dcss", "deepcluster", "rdc"} <= set(chapters())


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(FOLDER / "table1_benchmark.csv")


@pytest.fixture(scope="module")
def records():
    return recorded(TABLES, FOLDER / "records")


TABLES = [run for name in ("table1", "table2", "table4", "phase2") for run in GRIDS[name]("laptop")]


def paths(runs, folder=FOLDER):
    return {path_of(run.identity, folder / "records") for run in runs}


def test_every_run_of_the_tables_has_a_record(records):
    assert len(records) == len(paths(TABLES))


@each_chapter
def test_every_record_is_from_a_known_commit(chapter):
    for path in (FOLDER.parent / chapter / "records").glob("*/*.json"):
        provenance = json.loads(path.read_text())["provenance"]
        assert provenance["commit"] and not provenance["dirty"], path


@pytest.mark.parametrize("scale", sorted(path.name for path in (ROOT / "figures").iterdir() if path.name != "quick"))
@each_chapter
def test_every_record_is_that_of_a_run_and_a_grid_is_recorded_whole_or_not_at_all(chapter, scale):
    """Nothing is lost when code moves: identity, name of the file and grid of each committed record fit together.

    Runs at `paper` take hours, and so do those that `make evidence` makes: there a grid may have some of its records.
    """
    folder = ROOT / "figures" / scale / chapter
    there = set((folder / "records").glob("*/*.json"))
    runs = {name: grid(scale) for name, grid in part(chapter, "grids").GRIDS.items()}
    grids = {name: paths(each, folder) for name, each in runs.items()}
    to_come = {path for _, _, give in getattr(part(chapter, "grids"), "EVIDENCE", ()) for path in paths(give(), folder)}
    begun = [name for name, grid in grids.items() if not grid - there <= to_come and grid & there]
    assert scale == "paper" or begun == []
    stand_for = {path_of(run.identity, folder / "records"): run.identity for each in runs.values() for run in each}
    assert there <= stand_for.keys(), sorted(there - stand_for.keys())
    assert all(read(path).run == stand_for[path] for path in there)


def test_methods_of_a_seed_share_their_start(records):
    starts = {}
    for record in records:
        if record.run["method"] in ("AE+k-means", "DEC", "IDEC", "DCSS_u", "DCSS_agg"):
            recipe = json.dumps(record.run["start"]["params"])
            same = starts.setdefault((place(record.run), record.run["seed"], recipe), set())
            same.add(record.provenance["start"]["digest"])
    assert starts and all(len(digests) == 1 for digests in starts.values())


def test_the_committed_table_is_drawn_from_the_committed_records(table):
    records = recorded(GRIDS["table1"]("laptop"), FOLDER / "records")
    drawn = pd.concat([compare(records, REPORTED), apart(records)])
    places = ["method", "dataset", "metric"]
    pd.testing.assert_frame_equal(
        drawn.set_index(places).sort_index()[["mean", "std", "n", "reported"]].round(2),
        table.set_index(places).sort_index()[["mean", "std", "n", "reported"]],
        atol=0.006,
    )


LAPTOP = ("table1_benchmark", "table2_aggregated", "table3_table5_features", "table4_mnet_on_top")


def section(text, scale, name):
    """The part of DEVIATIONS.md that lists the gaps of a table at a scale, headings and all."""
    (part,) = [each for each in text.split("\n## ") if f"at `{scale}` scale" in each.partition("\n")[0]]
    (found,) = [each for each in part.split("\n### ")[1:] if f"({name}.ipynb)" in each.partition("\n")[0]]
    return found


@pytest.mark.parametrize(("scale", "name"), [*(("laptop", name) for name in LAPTOP), ("paper", "table1_benchmark")])
def test_every_gap_to_the_paper_has_its_cause(scale, name):
    text = (ROOT / "notebooks" / "dcss" / "DEVIATIONS.md").read_text()
    causes = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    there = section(text, scale, name)
    for row in gaps(pd.read_csv(ROOT / "figures" / scale / "dcss" / f"{name}.csv")).itertuples():
        begin = f"| {row.dataset} | {row.method} | {row.metric.upper()} | {row.difference:+.1f} |"
        found = re.search(rf"^{re.escape(begin)} (.+) \|$", there, re.MULTILINE)
        assert found, f"no line that begins {begin}"
        named = set(re.findall(r"\d+", found[1]))
        assert named and named <= causes


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_every_cause_is_that_of_a_gap(scale):
    text = (ROOT / "notebooks" / "dcss" / "DEVIATIONS.md").read_text()
    tables = LAPTOP if scale == "laptop" else ("table1_benchmark",)
    for there in {section(text, scale, name) for name in tables}:
        names = [name for name in tables if f"({name}.ipynb)" in there.partition("\n")[0]]
        rows = gaps(pd.concat(pd.read_csv(ROOT / "figures" / scale / "dcss" / f"{name}.csv") for name in names))
        needed = {f"{r.dataset} | {r.method} | {r.metric.upper()} | {r.difference:+.1f}" for r in rows.itertuples()}
        lines = re.findall(r"^\| (\S+ \| \S.* \| \w+ \| [+-]\S+) \| .+ \|$", there, re.MULTILINE)
        assert sorted(lines) == sorted(needed)


@pytest.fixture(scope="module")
def pages():
    return written(ROOT / "figures")


@pytest.mark.parametrize(
    "name", [*(f"{chapter}/README.md" for chapter in chapters()), "VERDICTS.md", "claims.json", "../README.md"]
)
def test_the_pages_of_verdicts_are_what_the_records_say(name, pages):
    there = (ROOT / "notebooks" / name).resolve()
    assert there.read_text() == pages[there.relative_to(ROOT.resolve()).as_posix()], "run `make verdicts`"


def test_the_pages_of_intervals_are_what_the_records_say(pages):
    made = {name: text for name, text in pages.items() if name.endswith(INTERVALS)}
    there = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob(f"notebooks/*/{INTERVALS}")}
    assert made and made == there, "run `make verdicts`"


@pytest.mark.parametrize("path", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_the_verdicts_that_notebooks_store_are_those_of_today(path):
    assert path.read_text() == with_verdicts(path), "run `make verdicts`"


def test_stored_verdicts_that_are_old_are_replaced(tmp_path):
    path = tmp_path / "fig12_wrong_k.ipynb"
    text = NOTEBOOKS["dcss/fig12_wrong_k"].read_text()
    path.write_text(text.replace("**undecided**", "**supported**"))
    assert path.read_text() != text and with_verdicts(path) == text
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        cell["outputs"] = [] if cell["cell_type"] == "code" else None
    notebook["cells"] = [{k: v for k, v in cell.items() if v is not None} for cell in notebook["cells"]]
    path.write_text(json.dumps(notebook))
    assert json.loads(with_verdicts(path))["cells"][1]["outputs"] == []


@each_chapter
def test_every_claim_is_a_row_of_its_chapters_page(chapter, pages):
    told = pages[f"notebooks/{chapter}/README.md"]
    rows = re.findall(r"^\| \d+ \|.*$", told, re.MULTILINE)
    assert len(rows) == len(part(chapter, "claims").CLAIMS)
    columns = told.partition("\n| # |")[2].partition("\n")[0].count("|") + 1
    assert {row.count("|") for row in rows} == {columns + 1}, "evidence that breaks the table"


def test_every_notebook_that_tests_claims_shows_their_verdicts_first():
    for chapter in chapters():
        for name in {claim.notebook for claim in part(chapter, "claims").CLAIMS if claim.notebook}:
            cells = json.loads((ROOT / "notebooks" / chapter / f"{name}.ipynb").read_text())["cells"]
            code = next(cell for cell in cells if cell["cell_type"] == "code")
            assert f'verdict("{chapter}/{name}")' in "".join(code["source"]), name
