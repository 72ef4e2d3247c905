"""What stands beside Table 1's scores: whose values the paper prints, purity, and the best epoch by labels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from IPython.display import Markdown

from dcbook.book import comparison, reported
from dcbook.chapters.dcss import tables
from dcbook.chapters.dcss.grids import GRIDS, TABLE1
from dcbook.chapters.dcss.watches import Purity, SelfSupervision
from dcbook.data import Dataset
from dcbook.evaluation import LabelPicked, accuracy
from dcbook.experiments import Method, Scale, runs, summarize, sweep
from dcbook.experiments.records import path_of, read
from dcbook.methods import EDESC, GANMM, AEKMeans, Pretraining

RECIPE = Pretraining(widths=(16,), latent_dim=3, epochs=10, batch_size=32, lr=1e-2)
EDESC_SETTINGS = {"start": RECIPE, "epochs": 6, "batch_size": 32, "lr": 0.02}


def groups(name="groups", n=150):
    """Three overlapping groups in 6 dimensions."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    x = np.eye(6)[labels] + rng.normal(0, 0.4, (n, 6))
    return Dataset(name, ((x - x.min()) / np.ptp(x)).astype(np.float32).reshape(n, 1, 2, 3), labels)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table1")
    scale = Scale(
        datasets={"groups": {}},
        starts={"autoencoder": Method(AEKMeans, {"start": RECIPE})},
        methods={
            "GANMM": Method(GANMM, {"pretraining_rounds": 5, "rounds": 20, "lr": 1e-3}, "autoencoder", Purity()),
            "EDESC": Method(EDESC, EDESC_SETTINGS),
        },
    )
    grid = runs(scale)
    given = {"starts_folder": folder / "starts", "load": groups, "n_jobs": 1, "device": "cpu", "progress": False}
    assert sweep(grid, folder / "records", **given).complete
    return [read(path_of(run.identity, folder / "records")) for run in grid]


def test_purity_is_kept_and_is_at_least_the_accuracy(swept):
    ganmm = swept[0]
    start = AEKMeans(3, start=RECIPE, random_state=0).fit(groups().images).start_
    settings = {"pretraining_rounds": 5, "rounds": 20, "lr": 1e-3}
    clusters = GANMM(3, start=start, random_state=0, progress=False, **settings).fit(groups().images).labels_
    found = np.mean(
        [np.bincount(groups().labels[clusters == clusters[i]]).argmax() == groups().labels[i] for i in range(150)]
    )
    assert ganmm.portrait["cluster_purity"] == pytest.approx(found, abs=1e-5)
    assert ganmm.portrait["cluster_purity"] >= ganmm.scores["acc"] - 1e-6


def test_the_best_epoch_of_edesc_is_the_one_that_labels_pick(swept):
    monitor = LabelPicked(groups().labels)
    EDESC(3, random_state=0, progress=False, **EDESC_SETTINGS).fit(groups().images, monitor=monitor)
    rows = tables.apart(swept).set_index(["method", "metric"])["mean"]
    assert rows["EDESC", "acc, best epoch by labels"] == pytest.approx(
        100 * monitor.best["clustering"]["acc"], abs=1e-3
    )
    assert rows["EDESC", "acc, best epoch by labels"] >= 100 * swept[1].scores["acc"] - 1e-3
    assert rows["GANMM", "purity"] == pytest.approx(100 * swept[0].portrait["cluster_purity"])
    assert rows["EDESC", "acc, best epoch of the best run by labels"] == rows["EDESC", "acc, best epoch by labels"]
    codes = AEKMeans(3, start=RECIPE, random_state=0).fit(groups().images)
    assert rows["GANMM", "acc, k-means on its codes"] == pytest.approx(100 * accuracy(groups().labels, codes.labels_))
    assert len(rows) == 7


def test_of_several_runs_the_best_one_stands_apart(swept):
    def with_best(acc):
        changed = [entry | {"acc": acc, "nmi": acc} if "acc" in entry else entry for entry in swept[1].history]
        return replace(swept[1], history=changed)

    rows = tables.apart([with_best(0.5), with_best(0.7)]).set_index("metric")["mean"]
    assert rows["acc, best epoch by labels"] == pytest.approx(60)
    assert rows["nmi, best epoch of the best run by labels"] == pytest.approx(70)
    told = tables.told_apart(tables.apart([with_best(0.5), with_best(0.7)]))
    assert "ACC, best epoch by labels, %" in set(told["score"])


@pytest.mark.parametrize("scale", ("quick", "laptop", "paper"))
def test_edesc_is_scored_after_every_epoch(scale):
    found = [run for run in GRIDS["table1"](scale) if run.method == "EDESC"]
    assert found and all(run.monitor_every == 1 for run in found)
    assert {run.dataset for run in found} == set(TABLE1[scale].datasets)
    assert all(run.watch.name == "purity" for run in GRIDS["table1"](scale) if run.method == "GANMM")


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_the_pages_on_phase_2_have_runs_that_are_watched(scale):
    runs = GRIDS["phase2"](scale, [0])
    assert runs and all(isinstance(run.watch, SelfSupervision) for run in runs)
    starts = {run.dataset: run.start.identity for run in GRIDS["table1"](scale, [0]) if run.method == "DCSS"}
    assert all(run.start.identity == starts[run.dataset] for run in runs), "they go on from the phase 1 of Table 1"


def test_every_row_of_the_papers_table_is_told_of():
    rows, table = tables.table1_rows().set_index("method"), reported("dcss/table1")
    assert list(rows.index) == list(dict.fromkeys(table["method"])) and not rows.isna().any().any()
    assert set(rows["known"]) == {"stated", "checked", "inferred", "-"}
    assert (rows["known"].eq("-") == rows["values"].eq("not told")).all()
    ours = {run.method for run in GRIDS["table1"]("paper")}
    assert set(rows.index[rows["row"] == "this page"]) == ours


def test_what_is_inferred_from_the_digits_is_so():
    values = reported("dcss/table1").set_index(["method", "dataset"])["value"]
    assert all(value == round(value) for value in [*values["GANMM", "mnist"], *values["GANMM", "fashion-mnist"]])
    assert all(value != round(value, 1) for value in values["GANMM", "usps"])
    assert all(value == round(value, 1) for value in values["EDESC"])
    assert values["CC", "cifar10"].tolist() == [round(77.01), round(67.78, 1)]


def test_a_comparison_takes_further_columns():
    frame = summarize([("a", "x", "acc", 50.0), ("b", "x", "acc", 60.0)])
    found = comparison(frame, ["acc"], about={"whose": {"a": "copied"}})
    assert isinstance(found, Markdown)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.data.splitlines()]
    assert lines[0] == ["%", "x ACC", "whose"] and lines[2] == ["a", "50.0", "copied"] and lines[3][2] == ""
    assert "whose" not in comparison(frame, ["acc"]).data
    pd.testing.assert_frame_equal(frame, summarize([("a", "x", "acc", 50.0), ("b", "x", "acc", 60.0)]))
