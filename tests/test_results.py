"""What is told of the committed results is what the records say, and every gap to the paper has its cause."""

import re
from pathlib import Path

import pandas as pd
import pytest

from dcbook.book import dcss
from dcbook.book.verdicts import recorded
from dcbook.experiments import compare, gaps, read_all, render, runs
from dcbook.experiments.records import key, place
from dcbook.experiments.settings import GRIDS, SCALES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "figures" / "laptop" / "dcss"
TABLES = ["dcss_table1", "dcss_table2"]


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(FOLDER / "table1_benchmark.csv")


def test_every_run_of_the_laptop_scale_has_a_record_from_a_known_commit():
    records = {key(r.run): r for r in read_all(FOLDER / "records")}
    grids = {name: {key(run.identity) for run in runs(grid["laptop"], name="laptop")} for name, grid in GRIDS.items()}
    begun = {name for name, wanted in grids.items() if wanted & records.keys()}
    assert set(records) == set().union(*(grids[name] for name in begun)), "whole grids, and nothing else"
    assert begun >= {"table1", "table2", "table4", "phase2"}
    assert all(r.provenance["commit"] and not r.provenance["dirty"] for r in records.values())


def test_methods_of_a_seed_share_their_start():
    starts = {}
    for record in read_all(FOLDER / "records"):
        if record.run["method"] in ("AE+k-means", "DEC", "IDEC", "DCSS_u", "DCSS_agg"):
            starts.setdefault((place(record.run), record.run["seed"]), set()).add(record.provenance["start"]["digest"])
    assert starts and all(len(digests) == 1 for digests in starts.values())


def test_the_committed_table_is_drawn_from_the_committed_records(table):
    drawn = compare(recorded({"table1": SCALES}, "laptop", FOLDER / "records"), TABLES)
    places = ["method", "dataset", "metric"]
    pd.testing.assert_frame_equal(
        drawn.set_index(places).sort_index()[["mean", "std", "n", "reported"]].round(2),
        table.set_index(places).sort_index()[["mean", "std", "n", "reported"]],
        atol=0.006,
    )


@pytest.mark.parametrize("name", ["table1_benchmark", "table2_aggregated", "table4_mnet_on_top"])
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


def test_the_chapter_readme_is_what_the_records_say():
    assert (ROOT / "notebooks" / "dcss" / "README.md").read_text() == dcss.readme(FOLDER / "records")
