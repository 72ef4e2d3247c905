"""Probes with few labels, and methods of all kinds on one trunk: by hand, beside slow twins, on tiny images."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from dcbook.book.protocol import IMAGES
from dcbook.chapters.ssl import grids, pictures, tables
from dcbook.chapters.ssl.claims.probes import serves_better
from dcbook.chapters.ssl.watches.probes import CODES, LABELED, TRUNK, FewLabels, trunk_of
from dcbook.data import load
from dcbook.evaluation import few_label_probe, split
from dcbook.experiments import Record, summarize
from dcbook.experiments.contrast import NoPairs
from dcbook.methods import DEC, IDEC, AEKMeans, DeepCluster, SimCLR, Start, TrunkPretraining
from dcbook.models import BottleneckConvNet
from dcbook.training.inputs import derived_seed, seeded

CPU = {"random_state": 3, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def digits():
    return load("digits", subset=120)


def test_split_draws_by_class_and_leaves_the_rest():
    labels = np.repeat([0, 1], [60, 40])
    pool, test = split(labels, 10, seed=0)
    assert np.bincount(labels[pool]).tolist() == [12, 8]
    assert sorted([*pool, *test]) == list(range(100))
    with pytest.raises(ValueError, match="leave none of 100"):
        split(labels, 50, seed=0)


def test_probe_is_logistic_regression_on_standardized_features():
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    features = random.normal(size=(300, 5)) * [1, 10, 1, 1, 0] + np.eye(3)[labels] @ random.normal(size=(3, 5))
    found = few_label_probe(features, labels, (4, 50), draws=3, seed=1)
    pool, test = split(labels, 50, seed=1)
    x = StandardScaler().fit_transform(features)
    twin = LogisticRegression(max_iter=1000, tol=1e-3).fit(x[pool], labels[pool])
    assert found[50] == pytest.approx(twin.score(x[test], labels[test]))
    assert 1 / 3 < found[4] < found[50]
    assert few_label_probe(features, labels, (4, 50), seed=1) == found
    assert few_label_probe(features.tolist(), labels.tolist(), (4, 50), seed=1) == found
    for wrong in ((), (0,)):
        with pytest.raises(ValueError, match="per_class"):
            few_label_probe(features, labels, wrong)
    with pytest.raises(ValueError, match="finite"):
        few_label_probe(features * np.nan, labels, (4,))


def test_all_methods_start_from_one_trunk(digits):
    recipe = TrunkPretraining(width=0.25, latent_dim=4, epochs=0, batch_size=20)
    bottleneck = AEKMeans(10, start=recipe, **CPU).fit(digits.images)
    shared = {"architecture": "alexnet-small", "width": 0.25, "batch_size": 20, "epochs": 0}
    deepcluster = DeepCluster(5, sobel=False, dropout=0.0, pca_dim=4, **shared, **CPU).fit(digits.images)
    simclr = SimCLR(5, projection_dim=4, **shared, **CPU).fit(digits.images)
    expected = trunk_of(bottleneck.autoencoder_).state_dict()
    for model in (deepcluster, simclr):
        found = trunk_of(model.autoencoder_).state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_autoencoder_on_the_trunk_learns_is_kept_and_is_a_start(digits, tmp_path):
    recipe = TrunkPretraining(width=0.25, latent_dim=4, epochs=4, batch_size=20)
    model = AEKMeans(10, start=recipe, **CPU).fit(digits.images)
    assert model.history_[-1]["reconstruction"] < 0.9 * model.history_[0]["reconstruction"]
    assert model.transform(digits.images).shape == (120, 4)
    model.start_.save(tmp_path)
    kept = Start.load(tmp_path)
    assert kept.digest == model.start_.digest
    for method in (DEC, IDEC):
        schedule = {"max_updates": 12, "update_interval": 6, "tol": 0.0, "batch_size": 20}
        later = method(10, start=kept, **schedule, **CPU).fit(digits.images)
        assert later.history_[-1]["updates"] == 12
        before, after = (trunk_of(each).state_dict()["fc7.weight"] for each in (kept.autoencoder, later.autoencoder_))
        assert not torch.equal(before, after), f"{method.__name__} trains the trunk"
    with seeded(derived_seed(3, "network")):
        twin = BottleneckConvNet((1, 8, 8), width=0.25, latent_dim=4)
    fresh = recipe.build((1, 8, 8), 3)
    assert all(torch.equal(a, b) for a, b in zip(twin.parameters(), fresh.parameters(), strict=True))


def test_portrait_has_each_space_and_changes_nothing(digits):
    model = AEKMeans(10, start=TrunkPretraining(width=0.25, latent_dim=4, epochs=0, batch_size=20), **CPU)
    model.fit(digits.images)
    before = {name: each.clone() for name, each in model.autoencoder_.state_dict().items()}
    probes = FewLabels((2, 6), supervised=20).portrait(model, digits)["probes"]
    assert set(probes) == {TRUNK, CODES, LABELED} and set(probes[TRUNK]) == {"2", "6"}
    after = model.autoencoder_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert probes[LABELED]["6"] > probes[CODES]["6"], "labels train the trunk"
    codes = few_label_probe(model.transform(digits.images), digits.labels, (2, 6), seed=model.seed_)
    assert probes[CODES]["6"] == codes[6]
    alone = FewLabels((2, 6)).portrait(model, digits)["probes"]
    assert set(alone) == {TRUNK, CODES} and alone[TRUNK] == probes[TRUNK]


@pytest.mark.parametrize("scale", ["quick", "laptop", "paper"])
def test_runs_share_trunk_batches_and_passes(scale):
    runs = grids.probes(scale, [0])
    lengths = {dataset: views.length for views in grids.VIEWS[scale] for dataset in views.datasets}
    assert list(lengths) == list(grids.PROBES[scale].datasets) and len(lengths) * 6 == len(runs)
    for run in runs:
        recipe = run.params.get("start") or (run.start and run.start.params["start"])
        width = recipe.width if recipe else run.params["width"]
        batch = recipe.batch_size if recipe else run.params["batch_size"]
        length = lengths[run.dataset]
        assert (width, batch) == (length.width, length.batch_size)
        if run.method == "DeepCluster":
            assert run.params["epochs"] * run.params["reassign"] == length.passes
        if run.method == "DEC":
            images = run.sampling.get("subset") or IMAGES[run.dataset][0]
            assert run.params["max_updates"] == length.passes * -(-images // batch)


def test_more_images_at_laptop_mean_as_many_updates():
    dec = [run for run in grids.probes("laptop", [0]) if run.method in ("DEC", "IDEC")]
    assert {run.params["max_updates"] for run in dec} == {376}
    clusterings = {run.params["epochs"] for run in grids.probes("laptop", [0]) if run.method == "DeepCluster"}
    assert clusterings == {2}


def record(method, seed, trunk, codes=None, labeled=None, dataset="usps", most=100):
    spaces = {TRUNK: trunk, CODES: codes, LABELED: labeled}
    probes = {space: {"10": value, str(most): value + 0.1} for space, value in spaces.items() if value}
    run = {"method": method, "dataset": dataset, "seed": seed, "params": {}, "sampling": {}}
    return Record(run, {"acc": 0.5, "nmi": 0.5}, [], {}, {"probes": probes})


def everything():
    """Three seeds of four methods."""
    found = []
    for seed in range(3):
        e = seed / 1000
        found += [
            record("untrained", seed, 0.5, 0.3, 0.8 + e),
            record("AE", seed, 0.6, 0.6),
            record("DEC", seed, 0.6 + e, 0.4 + e),
            record("DeepCluster", seed, 0.7 + e),
        ]
    return found


def test_judges():
    found = everything()
    answer = serves_better("DeepCluster", "untrained")(found)
    assert answer.verdict == "supported"
    assert [q.about for q in answer.questions] == [f"accuracy with {n} labels a class" for n in (10, 100)]
    assert answer.questions[0].estimate.mean == pytest.approx(20.1)
    assert serves_better("AE", "DeepCluster")(found).verdict == "contradicted"
    assert serves_better("DEC", "AE")(found).verdict == "no effect"
    assert serves_better("DEC", "AE", CODES)(found).verdict == "contradicted"
    for wrong in (("nobody", "no one"), ("DeepCluster", "AE", CODES)):
        with pytest.raises(NoPairs):
            serves_better(*wrong)(found)


def test_a_number_of_labels_is_judged_on_the_sets_that_have_it():
    more = [
        record(method, seed, value + seed / 1000, dataset="mnist", most=1000)
        for method, value in (("untrained", 0.5), ("DeepCluster", 0.6))
        for seed in range(2)
    ]
    found = everything() + more
    questions = serves_better("DeepCluster", "untrained")(found).questions
    told = {q.about.split(" with ")[1].split()[0]: q.estimate for q in questions}
    assert list(told) == ["10", "100", "1,000"]
    assert {n: list(each.gains) for n, each in told.items()} == {
        "10": ["usps", "mnist"],
        "100": ["usps"],
        "1,000": ["mnist"],
    }
    assert told["10"].n == 5 and told["10"].mean == pytest.approx((20.1 + 10) / 2)
    alone = [q.estimate for q in serves_better("DeepCluster", "untrained")(more).questions]
    assert told["1,000"] == alone[1]


def test_a_table_has_a_row_for_each_number_that_a_set_has_and_a_dash_for_each_run_to_come():
    found = [*everything(), record("untrained", 0, 0.5, dataset="mnist", most=1000)]
    table = tables.probe_table(summarize(tables.probe_numbers(found))).set_index("%")
    usps, mnist = (
        [f"{name}, {n} labels a class" for n in ns]
        for name, ns in (("USPS", ("10", "100")), ("MNIST", ("10", "1,000")))
    )
    assert table.index.tolist() == [*usps, *mnist]
    assert table.loc["MNIST, 1,000 labels a class"].tolist() == ["60.0", "–", "–", "–", "–"]
    panels = pictures.gains(tables.gains([*found, record("AE", 0, 0.6, dataset="mnist", most=1000)])).axes
    assert [[t.get_text() for t in axis.get_xticklabels()] for axis in panels] == [["10", "100"], ["10", "1,000"]]


def test_tables_and_picture():
    found = everything()
    frame = summarize(tables.probe_numbers(found))
    trunk, codes = tables.probe_table(frame), tables.probe_table(frame, CODES)
    assert trunk.columns.tolist() == ["%", "untrained", "AE", "DEC", "DeepCluster", LABELED]
    assert trunk.loc[0].tolist()[::5] == ["USPS, 10 labels a class", "80.1 ± 0.1"]
    assert codes.columns.tolist() == ["%", "untrained", "AE", "DEC"]
    assert codes.loc[2].tolist()[:2] == ["USPS, ACC of the clusters", "50.0 ± 0.0"]
    gained = tables.gains(found)
    assert "untrained" not in set(gained["method"])
    mean = gained.groupby(["method", "labels"])["gain"].mean()
    assert mean["DeepCluster", 10] == pytest.approx(20.1) and mean[LABELED, 100] == pytest.approx(30.1)
    assert len(pictures.gains(gained).axes[0].lines) == 5, "a line a method, and zero"
