"""Mini-batch k-means beside scikit-learn, and the judges of what it saves and loses: by hand."""

import time

import numpy as np
import pytest
import sklearn.cluster
from sklearn.decomposition import PCA

from dcbook.book.verdicts import NotTested
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims.scale import IMAGES, TEXTS, crowds, crowds_by_moving, keeps_classes, remedy
from dcbook.experiments import Contrast, Record, summarize
from dcbook.experiments.ratio import Ratio
from dcbook.methods import MiniBatchKMeans


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    return (random.random((5, 12))[np.arange(300) % 5] + random.normal(0, 0.05, (300, 12))).astype(np.float32)


def test_lloyd_and_mini_batches_are_those_of_scikit_learn(x):
    lloyd = MiniBatchKMeans(5, batch_size=None, passes=7, random_state=3).fit(x)
    theirs = sklearn.cluster.KMeans(5, n_init=1, max_iter=7, random_state=3).fit(x)
    np.testing.assert_array_equal(lloyd.labels_, theirs.labels_)
    assert lloyd.inertia_ == pytest.approx(theirs.inertia_, rel=1e-4)
    began = time.process_time()
    batched = MiniBatchKMeans(5, batch_size=32, random_state=3).fit(x)
    whole = time.process_time() - began
    theirs = sklearn.cluster.MiniBatchKMeans(5, n_init=1, batch_size=32, random_state=3, compute_labels=False).fit(x)
    np.testing.assert_allclose(batched.cluster_centers_, theirs.cluster_centers_)
    assert batched.history_[-1]["inertia"] == batched.inertia_ and 0 < batched.history_[-1]["cpu_seconds"] < whole


def test_small_clusters_keep_their_centers_or_not(x):
    """Of a far center that is given few samples, scikit-learn's own setting moves it to a random sample."""
    far = np.concatenate([x, x[:1] + 5])
    kept, moved = (
        MiniBatchKMeans(6, batch_size=64, reassignment_ratio=ratio, random_state=0).fit(far) for ratio in (0.0, 0.5)
    )
    settings = {"n_init": 1, "batch_size": 64, "random_state": 0, "compute_labels": False}
    for model, ratio in ((kept, 0.0), (moved, 0.5)):
        theirs = sklearn.cluster.MiniBatchKMeans(6, reassignment_ratio=ratio, **settings).fit(far)
        np.testing.assert_allclose(model.cluster_centers_, theirs.cluster_centers_)
    assert not np.allclose(kept.cluster_centers_, moved.cluster_centers_)


def test_principal_components_and_new_samples(x):
    model = MiniBatchKMeans(5, pca_dim=4, batch_size=None, random_state=0).fit(x)
    expected = PCA(4, svd_solver="covariance_eigh").fit_transform(x)
    np.testing.assert_allclose(model.transform(x), expected, atol=1e-4)
    assert model.cluster_centers_.shape == (5, 4)
    np.testing.assert_array_equal(model.predict(x), model.labels_)


def test_samples_with_more_numbers_than_there_are_samples():
    wide = np.random.default_rng(0).normal(size=(40, 300)).astype(np.float32)
    found = MiniBatchKMeans(3, pca_dim=5, batch_size=None, random_state=0).fit(wide).transform(wide)
    expected = PCA(5, svd_solver="full").fit_transform(wide)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)
    assert MiniBatchKMeans(3, pca_dim=40, batch_size=None, random_state=0).fit(wide).transform(wide).shape == (40, 40)


def test_sparse_samples_have_the_clusters_of_dense_ones(x):
    spread = np.zeros((300, 240), dtype=np.float32)
    spread[:, ::20] = x
    dense = MiniBatchKMeans(5, batch_size=None, random_state=0).fit(x)
    sparse = MiniBatchKMeans(5, batch_size=None, random_state=0).fit(spread)
    assert len(set(zip(dense.labels_, sparse.labels_, strict=True))) == 5
    assert sparse.inertia_ == pytest.approx(dense.inertia_, rel=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"passes": 0}, {"pca_dim": 13}, {"pca_dim": 0}]
    + [{"reassignment_ratio": ratio} for ratio in (-0.1, 2, float("inf"))],
)
def test_wrong_settings_are_refused(x, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}.* must be .*not"):
        MiniBatchKMeans(5, **wrong).fit(x)


@pytest.mark.parametrize(("scale", "shift"), [(1, 2000), (1e20, 0), (1e-30, 0)])
@pytest.mark.parametrize("settings", [{"batch_size": 50}, {"batch_size": None}, {"pca_dim": 2}])
def test_samples_whose_squared_lengths_lose_the_clusters_are_refused(x, scale, shift, settings):
    with pytest.raises(ValueError, match="k-means cannot distinguish these samples in float32: subtract their mean"):
        MiniBatchKMeans(5, **settings).fit((scale * x + shift).astype(np.float32))


def record(method, k, seed, seconds, inertia, nmi=0.5, sizes=(50, 50), where="mnist", vectors=None):
    sampling = {"vectors": vectors} if vectors else {}
    run = {"method": method, "dataset": where, "seed": seed, "params": {"n_clusters": k}, "sampling": sampling}
    history = [{"cpu_seconds": seconds, "inertia": inertia}]
    return Record(run, {"acc": 0.5, "nmi": nmi}, history, {}, {"sizes": list(sizes), "purity": 0.75})


def beside(k, seconds, inertia, nmi=0.5, **more):
    """Lloyd's algorithm with 10 seconds and an inertia of 100, and both sizes of mini-batches."""
    sizes = more.pop("sizes", (50, 50))
    runs = [record("Lloyd", k, seed, 10.0, 100.0, **more) for seed in range(3)]
    return runs + [
        record(grids.in_batches(batch), k, seed, seconds + seed / 100, inertia, nmi, sizes, **more)
        for batch in grids.BATCHES
        for seed in range(3)
    ]


def test_judges():
    good = beside(1000, 2.0, 103.0, 0.49)
    assert remedy(IMAGES, 1000)(good).verdict == "supported"
    evidence = remedy(IMAGES, 1000)(good).evidence
    assert "0.20 [0.20, 0.21] times" in evidence and "1.03 [1.03, 1.03] times" in evidence
    assert keeps_classes(IMAGES, 1000)(good).verdict == "supported"
    assert remedy(IMAGES, 1000)(beside(1000, 9.0, 103.0)).verdict == "contradicted", "it costs little, saves little"
    assert remedy(IMAGES, 1000)(beside(1000, 9.0, 110.0)).verdict == "contradicted"
    assert keeps_classes(IMAGES, 1000)(beside(1000, 2.0, 103.0, 0.3)).verdict == "contradicted"
    with pytest.raises(NotTested, match="10 clusters"):
        remedy(IMAGES, 10)(good)
    with pytest.raises(NotTested, match="sparse texts"):
        remedy(TEXTS, 1000)(good)
    texts = {"where": "stackoverflow", "vectors": "tfidf-2000"}
    both = good + beside(1000, 20.0, 103.0, **texts)
    assert remedy(IMAGES, 1000)(both).verdict == "supported", "texts do not count"
    assert remedy(TEXTS, 1000)(both).verdict == "contradicted", "twice the time"

    def crowded(lloyd, batches):
        found = beside(10, 1.0, 100.0, sizes=batches, **texts)
        for r in found[:3]:
            r.portrait["sizes"] = list(lloyd)
        return crowds(10)(found)

    assert crowded((40, 30, 30), (90, 10)).verdict == "supported" and not crowded((40, 30, 30), (90, 10)).premises
    assert crowded((90, 10), (90, 10)).verdict == "contradicted", "so does Lloyd's algorithm, a part of the claim"
    assert crowded((40, 30, 30), (40, 30, 30)).verdict == "contradicted", "neither does"
    assert crowded((90, 10), (40, 30, 30)).verdict == "contradicted"
    found = beside(10, 1.0, 100.0, **texts)
    for r, largest in zip(found, (99, 60, 70) * 3, strict=True):
        r.portrait["sizes"] = [largest, 100 - largest]
    ends = [q.estimate.interval() for q in crowds(10)(found).questions]
    assert all(0 < low < high == 100 for low, high in ends), "a share has no interval beyond 100 %"


def test_crowds_by_moving():
    """By hand: the largest cluster holds 90 % where centers are moved, and 68, 70 and 72 % where they are kept."""
    texts = {"where": "stackoverflow", "vectors": "tfidf-2000"}
    found = beside(100, 1.0, 100.0, sizes=(90, 10), **texts)
    with pytest.raises(NotTested, match="centers kept"):
        crowds_by_moving(100)(found)
    found += [
        record(grids.in_batches(batch, True), 100, seed, 1.0, 100.0, sizes=(largest, 100 - largest), **texts)
        for batch in grids.BATCHES
        for seed, largest in enumerate((68, 70, 72))
    ]
    answer = crowds_by_moving(100)(found)
    for question in answer.questions:
        assert question.estimate.samples["stackoverflow, tfidf-2000"] == pytest.approx((22, 20, 18))
    assert answer.verdict == "supported" and crowds_by_moving(100)(found[::-1]).verdict == "supported"


def test_ratios_are_compared_on_a_logarithmic_scale():
    ratio = Ratio({"a": (0.5, 2.0), "b": (1.0, 4.0)})
    assert ratio.means == pytest.approx({"a": 1, "b": 2}) and ratio.mean == pytest.approx(2**0.5)
    logs = Contrast({"a": (-np.log(2), np.log(2)), "b": (0.0, np.log(4))})
    assert ratio.interval() == pytest.approx(np.exp(logs.interval())) and ratio.interval()[0] > 0
    assert ratio.interval_on("b") == pytest.approx(np.exp(logs.interval_on("b")))
    turned = Ratio({"a": (2.0, 0.5), "b": (1.0, 0.25)})
    assert turned.interval() == pytest.approx([1 / end for end in reversed(ratio.interval())])
    assert Ratio({"a": (0.5,)}).interval() == (0, np.inf)
    assert ratio.between() is None and str(ratio).startswith("1.41 [0.")
    with pytest.raises(ValueError, match="above 0"):
        Ratio({"a": (1.0, 0.0)})


def test_ratios_of_the_settings_of_a_seed_are_one_observation():
    """By hand: of each seed, the geometric mean of its two settings."""
    found = Ratio({"k1": (2.0, 2.1, 1.8), "k2": (2.0, 1.9, 1.8)}, sets={"k1": "d", "k2": "d"}, bounds=(1.9, 3.0))
    alone = Ratio({"d": (2.0, (2.1 * 1.9) ** 0.5, 1.8)})
    assert found.n == 3 and found.n_sets == 1 and found.samples["d"] == pytest.approx(alone.gains["d"])
    assert found.mean == pytest.approx(alone.mean) and found.scatter == pytest.approx(alone.scatter)
    low, high = alone.interval()
    assert low < 1.9 and found.interval() == (1.9, pytest.approx(high))
    assert found.interval_on("k1")[0] == 1.9 and Ratio(found.gains).interval_on("k1")[0] < 1.9


def test_table_and_picture():
    records = beside(10, 1.0, 110.0, 0.4) + beside(100, 2.0, 104.0)
    frame = tables.speed_table(summarize(tables.speed_numbers(records)))
    assert frame["K"].tolist() == [10] * 3 + [100] * 3
    row = frame.iloc[1]
    assert row["algorithm"] == "mini-batch 256" and row["CPU seconds"] == "1" and row["inertia per sample"] == "1.1"
    assert row["NMI, %"] == pytest.approx(40) and row["purity, %"] == 75 and row["largest share, %"] == 50
    seeds = tables.speeds(records)
    assert seeds[seeds["method"] == "mini-batch 256"].groupby("clusters")["excess"].mean().round(6).tolist() == [10, 4]
    figure = pictures.speed(seeds)
    assert figure.axes[0].get_ylabel() == "CPU seconds" and figure.axes[0].get_title(loc="left") == "MNIST"
