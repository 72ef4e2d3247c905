"""Scores that do not reward large classes, probes beside clusters, and the judges of both: by hand."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, tables
from dcbook.chapters.ssl.claims.without_labels import CLAIMS, adds, few_labels_beat_clusters, follow
from dcbook.chapters.ssl.watches.probed import Probed, explained
from dcbook.data import Dataset, load
from dcbook.evaluation import accuracy, balanced_accuracy
from dcbook.experiments import Record, summarize
from dcbook.methods import MiniBatchKMeans


def test_balanced_accuracy_beside_every_map():
    random = np.random.default_rng(0)
    for _ in range(20):
        y, c = random.choice(3, 60, p=[0.7, 0.2, 0.1]), random.choice(3, 60)
        best = max(balanced_accuracy_score(y, np.array(names)[c]) for names in permutations(range(3)))
        assert balanced_accuracy(y, c) == pytest.approx(best)


def test_balanced_accuracy_gives_nothing_for_a_large_class():
    y = [0] * 9 + [1]
    assert balanced_accuracy(y, [5] * 10) == 0.5 and accuracy(y, [5] * 10) == 0.9
    assert balanced_accuracy(y, ["a"] * 9 + ["b"]) == 1
    # the map with most samples, 8 of 10, would score (8/9 + 0) / 2
    assert balanced_accuracy(y, [0] * 8 + [1] + [0]) == pytest.approx((1 / 9 + 1) / 2)


def test_eights_are_the_digits_with_another_question():
    eights, digits = load("digits-eights"), load("digits")
    np.testing.assert_array_equal(eights.images, digits.images)
    assert eights.labels.tolist() == [int(k == 8) for k in digits.labels]
    assert eights.class_names == ("another digit", "eight") and eights.original


@pytest.fixture(scope="module")
def hidden():
    """300 samples: a wide direction that means nothing, and a narrow one that tells a class of one in five."""
    random = np.random.default_rng(0)
    y = (np.arange(300) % 5 == 0).astype(np.int64)
    wide = random.choice([-10.0, 10.0], 300)
    x = np.stack([wide + random.normal(0, 1, 300), y + random.normal(0, 0.05, 300)], 1).astype(np.float32)
    return Dataset("hidden", x, y)


def test_a_probe_finds_what_clusters_do_not(hidden):
    model = MiniBatchKMeans(2, batch_size=None, random_state=0).fit(hidden.images)
    seen = Probed(few=10).portrait(model, hidden)
    assert seen["balanced"] < 0.6 and seen["chance"] == 0.5
    assert seen["probe"]["balanced"] > 0.98 and seen["few"]["balanced"] > 0.98
    assert seen["majority"] == {"acc": pytest.approx(0.8), "f1_macro": pytest.approx(8 / 9 / 2)}
    assert seen["mean value"]["clusters"] > 0.9 > 0.1 > seen["mean value"]["classes"]
    assert Probed(few=10).name != Probed(few=3).name


def test_explained_variance_by_hand():
    assert explained(np.array([0.0, 0.0, 2.0, 2.0]), np.array([0, 0, 1, 1])) == 1
    assert explained(np.array([0.0, 2.0, 0.0, 2.0]), np.array([0, 0, 1, 1])) == 0
    assert explained(np.ones(3), np.array([0, 1, 1])) == 0


def record(method, seed, balanced, probe=0.9, few=0.8, dataset="breastmnist", nmi=0.1):
    run = {"method": method, "dataset": dataset, "seed": seed, "params": {}, "sampling": {}}
    portrait = {
        "balanced": balanced + seed / 1000,
        "chance": 0.5,
        "majority": {"acc": 0.7, "f1_macro": 0.4},
        "probe": {"balanced": probe, "f1_macro": probe},
        "few": {"balanced": few, "f1_macro": few},
        "mean value": {"clusters": 0.5, "classes": 0.1},
    }
    return Record(run, {"acc": 0.6, "nmi": nmi + seed / 1000, "f1_macro": balanced}, [], {}, portrait)


def three(k_means, ae, dec, **more):
    pairs = {"k-means": k_means, "AE+k-means": ae, "DEC": dec}
    return [record(method, seed, value, **more) for method, value in pairs.items() for seed in range(3)]


def test_judges():
    poor, good = three(0.55, 0.58, 0.6), three(0.8, 0.85, 0.86)
    deep = follow("AE+k-means", "DEC")
    assert deep(poor).verdict == "contradicted" and deep(good).verdict == "supported"
    assert "25.2" in deep(poor).evidence, "(.60 + .001 - .5) / (.9 - .5)"
    assert deep(three(0.55, 0.58, 0.6, probe=0.55)).verdict == "undecided", "no probe finds the classes either"
    assert follow("k-means", do=False)(poor).verdict == "supported" == follow("k-means")(good).verdict
    assert few_labels_beat_clusters(poor).verdict == "supported"
    assert few_labels_beat_clusters(good).verdict == "contradicted"
    assert adds("DEC", "k-means")(three(0.5, 0.6, 0.7)).verdict == "mixed", "the NMI is the same"
    with pytest.raises(NotTested, match="no record of DEC"):
        few_labels_beat_clusters([r for r in poor if r.run["method"] != "DEC"])


def test_table_and_picture():
    records = three(0.55, 0.58, 0.6)
    frame = tables.probed_table(summarize(tables.probed_numbers(records)))
    assert frame["clusters by"].tolist() == ["k-means", "AE+k-means", "DEC"]
    assert frame["balanced accuracy (majority vote), %"].tolist()[0] == "55.1 ± 0.1 (50.0)"
    assert frame["ACC (majority vote), %"].tolist() == ["60.0 (70.0)"] * 3
    assert frame["probe with few labels, balanced, %"].tolist() == pytest.approx([80] * 3)
    panels = tables.beside_probes(records)["BreastMNIST"]
    assert list(panels) == ["majority vote", "k-means", "AE+k-means", "DEC", "probe, few labels", "probe, all labels"]
    assert panels["DEC"] == pytest.approx([60, 60.1, 60.2]) and panels["majority vote"] == [50] * 3


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_every_deep_run_has_its_k_means_beside_it(scale):
    for name in ("medical", "sound"):
        found = {(r.method, r.dataset, r.seed) for r in grids.GRIDS[name](scale)}
        assert {m for m, _, _ in found} == {"k-means", "AE+k-means", "DEC"}
        assert all(("k-means", d, s) in found for _, d, s in found)
    assert {claim.runs for claim in CLAIMS} == {grids.medical, grids.sound}
