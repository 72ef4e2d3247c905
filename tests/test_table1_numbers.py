"""Numbers in the texts on Table 1 and on the gain of phase 1, computed from the committed table and records."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dcbook.book import paths
from dcbook.book.verdicts import recorded
from dcbook.chapters.dcss.grids import GRIDS

ROOT = Path(__file__).parents[1]
SETS = ("usps", "mnist-test", "fashion-mnist-test")


@pytest.fixture(scope="module")
def page():
    return (ROOT / "notebooks" / "dcss" / "table1_benchmark.ipynb").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def table():
    frame = pd.read_csv(paths.table("dcss/table1_benchmark", "laptop", ROOT))
    return frame.set_index(["method", "dataset", "metric"])


@pytest.fixture(scope="module")
def records():
    return recorded(GRIDS["table1"]("laptop"), ROOT / "figures" / "laptop" / "dcss" / "records")


def told(table, metric, method="GANMM"):
    rows = [table.loc[(method, name, metric)] for name in SETS]
    return [f"{row['mean']:.1f} ± {row['std']:.1f} %" for row in rows]


def test_purity_and_accuracy_of_ganmm(page, table):
    usps, mnist, fashion = told(table, "purity")
    assert f"{usps} on USPS, {mnist} on MNIST and {fashion} on Fashion-MNIST" in page
    usps, mnist, fashion = told(table, "acc")
    assert f"where ACC is {usps}, {mnist} and {fashion}" in page
    of_paper = [table.loc[("GANMM", name, "acc"), "reported"] for name in SETS]
    ours = [table.loc[("GANMM", name, "acc"), "mean"] for name in SETS]
    assert ours[0] > of_paper[0] and ours[1] < of_paper[1] and ours[2] > of_paper[2]
    assert f"USPS ({of_paper[0]:.1f} %) and Fashion-MNIST ({of_paper[2]:.1f} %)" in page
    assert f"higher on MNIST ({of_paper[1]:.1f} %)" in page
    usps, mnist, fashion = (abs(table.loc[("GANMM", name, "acc"), "difference"]) for name in SETS)
    causes = (ROOT / "notebooks" / "dcss" / "DEVIATIONS.md").read_text(encoding="utf-8")
    assert f"USPS (by {usps:.0f} points of ACC) and on Fashion-MNIST (by {fashion:.0f})" in causes
    assert f"below on MNIST (by {mnist:.0f})" in causes


def test_ganmm_ends_below_kmeans_on_its_codes(page, records):
    behind, late = {name: [] for name in SETS}, []
    for record in records:
        if record.run["method"] == "GANMM":
            looks = [entry for entry in record.history if "acc" in entry]
            codes = [entry["acc"] for entry in looks if entry["phase"] == "GAN pretraining"][-1]
            behind[record.run["dataset"]].append(100 * (codes - record.scores["acc"]))
            last = [
                100 * entry["acc"] for entry in looks if entry["epoch"] >= 70 and entry["phase"] != "GAN pretraining"
            ]
            late.append(max(last) - min(last))
    least, most = ({name: f"{f(each):.0f}" for name, each in behind.items()} for f in (min, max))
    assert all(float(each) > 0 for each in least.values()) and {len(each) for each in behind.values()} == {3}
    sentence = "by {} to {} points of ACC on USPS, {} to {} on MNIST and {} to {} on Fashion-MNIST"
    assert sentence.format(*(ends[name] for name in SETS for ends in (least, most))) in page
    assert f"changes by at most {max(late):.1f} points over the last 3,000 rounds" in page


def test_what_labels_would_choose_of_edesc(page, table):
    gains = [
        table.loc[("EDESC", name, f"{metric}, best epoch by labels"), "mean"]
        - table.loc[("EDESC", name, metric), "mean"]
        for name in SETS
        for metric in ("acc", "nmi")
    ]
    assert f"this choice gains {min(gains):.1f} to {max(gains):.1f} points" in page
    scatter = [table.loc[("EDESC", name, metric), "std"] for name in SETS for metric in ("acc", "nmi")]
    assert all(gain < each for gain, each in zip(gains, scatter, strict=True))
    behind = [-table.loc[("EDESC", name, "acc"), "difference"] for name in SETS[1:]]
    assert f"ends {behind[0]:.0f} points of ACC below the paper's value on MNIST and {behind[1]:.0f} on Fashion" in page


def test_phase_1_gains_from_the_convolutional_start_on_two_sets_of_three():
    found = recorded(GRIDS["convolutional"]("laptop"), ROOT / "figures" / "laptop" / "dcss" / "records")
    places = {(record.run["method"], record.run["dataset"], record.run["seed"]): record.scores for record in found}

    def gains(score, *datasets, over="AE+k-means"):
        pairs = [(places["DCSS_u", name, seed], places[over, name, seed]) for name in datasets for seed in range(3)]
        return np.array([100 * (ours[score] - start[score]) for ours, start in pairs])

    rises, falls = gains("nmi", *SETS[:2]), -gains("nmi", SETS[2])
    assert rises.min() > 0 and falls.min() > 0 and (gains("acc", SETS[2]) < 0).sum() == 2
    assert (gains("nmi", SETS[2], over="DCSS_u, alpha 0") < 0).all()
    connected = pd.read_csv(paths.table("dcss/latent_scale", "laptop", ROOT)).query("method.str.contains('connected')")
    means = connected[connected["metric"].str.startswith("gain")]["mean"]
    assert len(means) == 6 and means.abs().max() < 1, "the README says so, and Table 1's page"
    page = (ROOT / "notebooks" / "dcss" / "latent_scale.ipynb").read_text(encoding="utf-8")
    assert f"by {rises.min():.1f} to {rises.max():.1f} points, and falls with every seed on Fashion-MNIST, " in page
    assert f"by {falls.min():.1f} to {falls.max():.1f}; ACC falls there with two of three seeds" in page


def test_the_best_means_on_each_set(page, table):
    means = table["mean"].unstack("metric")[["acc", "nmi"]]
    for name in SETS[:2]:
        for metric in ("acc", "nmi"):
            order = means.xs(name, level="dataset")[metric].sort_values(ascending=False)
            assert list(order.index[:2]) == ["DCSS", "DCSS_u"]
    fashion = means.xs(SETS[2], level="dataset")
    above = [name for name in fashion.index if (fashion.loc[name] > fashion.loc[["DCSS", "DCSS_u"]].max()).all()]
    assert set(above) == {"DEC", "IDEC", "VaDE", "LSSC", "LPMF"}
    mnist = means.xs("mnist-test", level="dataset")["acc"]
    others = mnist.drop(["DCSS", "DCSS_u", "AE+k-means"]).max()
    told = (
        f"already has {mnist['AE+k-means']:.1f} % ACC on MNIST, where methods that start elsewhere reach {others:.1f} %"
    )
    assert told in page
    first, second = (
        [means.loc[(ours, name), "nmi"] - means.loc[(start, name), "nmi"] for name in SETS]
        for ours, start in (("DCSS_u", "AE+k-means"), ("DCSS", "DCSS_u"))
    )
    assert "on average {:.1f} points on USPS, {:.1f} on MNIST and {:.1f} on Fashion-MNIST".format(*second) in page
    assert "Phase 1 adds {:.1f} and {:.1f} points on USPS and MNIST, and takes".format(*first) in page
    assert f"takes {-first[2]:.1f} on Fashion-MNIST" in page
