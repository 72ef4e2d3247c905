"""What is told of the committed results is what the records say, and every gap to the paper has its cause."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from dcbook.book import dcss, deepcluster, rdc
from dcbook.book.verdicts import recorded
from dcbook.experiments import compare, gaps, render, runs
from dcbook.experiments.protocols import PROTOCOLS
from dcbook.experiments.records import path_of, place
from dcbook.experiments.settings import SCALES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "figures" / "laptop" / "dcss"
TABLES = ["dcss_table1", "dcss_table2"]


def name_of(chapter):
    return chapter.__name__.rpartition(".")[2]


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(FOLDER / "table1_benchmark.csv")


@pytest.fixture(scope="module")
def records():
    return recorded(dcss.TABLES("laptop"), FOLDER / "records")


def paths(runs, folder=FOLDER):
    return {path_of(run.identity, folder / "records") for run in runs}


def test_every_run_of_the_tables_has_a_record(records):
    assert len(records) == len(paths(dcss.TABLES("laptop")))


@pytest.mark.parametrize("chapter", [dcss, deepcluster, rdc])
def test_every_record_is_from_a_known_commit(chapter):
    for path in (FOLDER.parent / name_of(chapter) / "records").glob("*/*.json"):
        provenance = json.loads(path.read_text())["provenance"]
        assert provenance["commit"] and not provenance["dirty"], path


@pytest.mark.parametrize("chapter", [dcss, deepcluster, rdc])
def test_a_sweep_is_recorded_whole_or_not_at_all_and_nothing_else_is_there(chapter):
    folder = FOLDER.parent / name_of(chapter)
    there = set((folder / "records").glob("*/*.json"))
    lists = [claim.runs("laptop") for claim in chapter.CLAIMS if claim.runs]
    if chapter is dcss:
        lists += [runs(PROTOCOLS["laptop"], name="laptop"), dcss.TABLES("laptop")]
    sweeps = [paths(each, folder) for each in lists]
    assert all(sweep <= there or not sweep & there for sweep in sweeps)
    assert there <= set().union(*sweeps)


def test_methods_of_a_seed_share_their_start(records):
    starts = {}
    for record in records:
        if record.run["method"] in ("AE+k-means", "DEC", "IDEC", "DCSS_u", "DCSS_agg"):
            starts.setdefault((place(record.run), record.run["seed"]), set()).add(record.provenance["start"]["digest"])
    assert starts and all(len(digests) == 1 for digests in starts.values())


def test_the_committed_table_is_drawn_from_the_committed_records(table, records):
    drawn = compare([record for record in records if record.run["method"] in SCALES["laptop"].methods], TABLES)
    places = ["method", "dataset", "metric"]
    pd.testing.assert_frame_equal(
        drawn.set_index(places).sort_index()[["mean", "std", "n", "reported"]].round(2),
        table.set_index(places).sort_index()[["mean", "std", "n", "reported"]],
        atol=0.006,
    )


@pytest.mark.parametrize(
    "name", ["table1_benchmark", "table2_aggregated", "table3_table5_features", "table4_mnet_on_top"]
)
def test_every_gap_to_the_paper_has_its_cause(name):
    text = (ROOT / "notebooks" / "dcss" / "DEVIATIONS.md").read_text()
    causes = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    for row in gaps(pd.read_csv(FOLDER / f"{name}.csv")).itertuples():
        begin = f"| {row.dataset} | {row.method} | {row.metric.upper()} | {row.difference:+.1f} |"
        found = re.search(rf"^{re.escape(begin)} (.+) \|$", text, re.MULTILINE)
        assert found, f"no line that begins {begin}"
        named = set(re.findall(r"\d+", found[1]))
        assert named and named <= causes


def test_the_readme_tells_the_committed_table(table):
    told = re.search(r"<!-- table1:.*?-->\n(.*?)<!-- /table1 -->", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert told == render(table[table["metric"] == "acc"])


@pytest.mark.parametrize("chapter", [dcss, deepcluster, rdc])
def test_a_chapters_readme_is_what_the_records_say(chapter):
    name = name_of(chapter)
    told = (ROOT / "notebooks" / name / "README.md").read_text()
    assert told == chapter.readme(FOLDER.parent / name / "records")
    rows = re.findall(r"^\| \d+ \|.*$", told, re.MULTILINE)
    assert len(rows) == len(chapter.CLAIMS)
    columns = told.partition("\n| # |")[2].partition("\n")[0].count("|") + 1
    assert {row.count("|") for row in rows} == {columns + 1}, "evidence that breaks the table"
