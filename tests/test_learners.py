"""DeepCluster's settings on small images, and its relatives: grids, what is kept, how claims are judged."""

import numpy as np
import pytest

from dcbook.book.verdicts import NotTested
from dcbook.chapters.deepcluster import grids
from dcbook.chapters.deepcluster.claims import small_images
from dcbook.chapters.deepcluster.watches import Representation
from dcbook.chapters.deepcluster.watches.representation import _worth
from dcbook.data import load
from dcbook.experiments import Record, runs
from dcbook.experiments.contrast import NoPairs
from dcbook.experiments.records import path_of
from dcbook.experiments.verdict import CONTRADICTED, MIXED, SUPPORTED, UNDECIDED
from dcbook.experiments.worker import estimator
from dcbook.methods import DeepCluster, DeepClusterV2

GRIDS = [pytest.param(grid[name], name, id=name) for grid in (grids.RECIPE, grids.FAMILY) for name in grid]


@pytest.mark.parametrize(("scale", "name"), GRIDS)
def test_runs_differ_and_their_settings_are_valid(scale, name):
    found = runs(scale)
    assert len({path_of(run.identity, ".") for run in found}) == len(found)
    assert name == "quick" or len(scale.seeds) >= 3
    for run in found:
        estimator(run, "cpu", 10)._check_hyperparameters()


@pytest.mark.parametrize("name", grids.RECIPE)
def test_each_setting_that_is_put_back_changes_something(name):
    params = {method: m.params for method, m in grids.RECIPE[name].methods.items()}
    for method, changed in grids.RELEASED.items():
        assert dict(params[method]) == {**params[grids.OURS], **changed} != params[grids.OURS]
        assert changed.items() <= params[grids.ALL].items()


@pytest.mark.parametrize("name", grids.FAMILY)
def test_relatives_share_network_views_and_passes(name):
    shared = ("architecture", "width", "crop", "flip", "jitter", "grayscale", "batch_size")
    found = {}
    for method, how in grids.FAMILY[name].methods.items():
        params = how.cls(**how.params).get_params()
        assert params.get("hidden") is None and not params.get("sobel") and not params.get("dropout")
        found[method] = [params[each] for each in shared] + [params["epochs"] * params.get("reassign", 1)]
    assert len(found) == 4 and len(set(map(tuple, found.values()))) == 1


@pytest.mark.parametrize(
    "model",
    [
        DeepCluster(20, epochs=2, width=0.3, hidden=24, pca_dim=8, batch_size=50, random_state=0),
        DeepClusterV2(epochs=1, width=4, projection_dim=8, prototypes=10, batch_size=50, flip=False, random_state=0),
    ],
    ids=["DeepCluster", "DeepClusterV2"],
)
def test_a_representation_is_looked_at_and_left_alone(model):
    data = load("digits", subset=300)
    before = model.fit(data.images).transform(data.images)
    found = Representation().portrait(model, data)
    np.testing.assert_array_equal(model.transform(data.images), before)
    assert found["trained"] != found["untrained"]
    for worth in found.values():
        assert set(worth) == {"probe", "acc", "nmi"} and all(0.1 < value <= 1 for value in worth.values())


def test_a_probe_of_the_labels_themselves_is_perfect_and_one_of_noise_is_not():
    data = load("digits", subset=300)

    class Told:
        device = "cpu"

        def __init__(self, features):
            self.features = features

        def transform(self, images):
            return self.features

    told = _worth(Told(np.eye(10, dtype=np.float32)[data.labels]), data)
    assert told["probe"] > 0.8 and told["acc"] == 1 and told["nmi"] == pytest.approx(1)
    noise = _worth(Told(np.random.default_rng(0).normal(size=(300, 10)).astype(np.float32)), data)
    assert noise["probe"] < 0.3 and noise["acc"] < 0.3


def test_relatives_start_from_the_same_features():
    images = load("digits", subset=40).images
    methods = grids.FAMILY["quick"].methods
    features = [
        how.cls(**{**how.params, "epochs": 0, **({"prototypes": 10} if "prototypes" in how.params else {})})
        .set_params(n_clusters=10, random_state=3)
        .fit(images)
        .transform(images)
        for name, how in methods.items()
        if name != "DeepCluster, PIC"
    ]
    for other in features[1:]:
        np.testing.assert_allclose(other, features[0], rtol=1e-4, atol=1e-6)


def record(method, seed, probe, nmi=0.5, untrained=0.0, own=0.5):
    portrait = {
        "trained": {"probe": probe, "acc": 0.5, "nmi": nmi},
        "untrained": {"probe": untrained, "acc": 0.1, "nmi": 0.0},
    }
    run = {"method": method, "dataset": "digits", "seed": seed, "sampling": {}, "params": {}}
    return Record(run, {"nmi": own, "acc": 0.5}, [], {}, portrait)


def both(better, worse, nmi=0.6, **of_better):
    return [
        each
        for seed in range(3)
        for each in (
            record("A", seed, better + seed / 1000, nmi, **of_better),
            record("B", seed, worse + seed / 500, 0.5 + seed / 1000),
        )
    ]


def test_worth_more_in_both_measures():
    judge = small_images.worth_more("A", "B")
    assert judge(both(0.9, 0.7)).verdict == SUPPORTED
    found = judge(both(0.9, 0.7, nmi=0.4))
    assert found.verdict == MIXED
    assert "linear probe +19.9 [" in found.evidence and "NMI of k-means -10.1 [" in found.evidence
    assert judge(both(0.6, 0.7, nmi=0.4)).verdict == CONTRADICTED
    with pytest.raises(NoPairs, match="both A and B"):
        judge(both(0.9, 0.7)[::2])


def test_what_counts_is_the_end_and_not_the_gain_over_a_poor_start():
    """A gains 40 points over its own untrained network, and B, which starts where A ends, none."""
    records = both(0.6, 0.6, nmi=0.5, untrained=0.2)
    assert small_images.worth_more("A", "B")(records).verdict != SUPPORTED


def test_worth_as_much_within_some_points():
    close = both(0.69, 0.7, nmi=0.499)  # a probe that is behind by 1.0 to 1.2 points
    assert small_images.worth_more("A", "B", within=5)(close).verdict == SUPPORTED
    assert small_images.worth_more("A", "B", within=1.1)(close).verdict == UNDECIDED
    assert small_images.worth_more("A", "B", within=5)(both(0.6, 0.7, nmi=0.4)).verdict == CONTRADICTED


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((0.05, 0.06, 0.07), SUPPORTED), ((0.05, 0.09, 0.2), UNDECIDED), ((0.2, 0.21, 0.22), CONTRADICTED)],
)
def test_ends_below(values, verdict):
    found = [record("A", seed, 0.5, own=own) for seed, own in enumerate(values)]
    answer = small_images.ends_below("A", 10)(found)
    assert answer.verdict == verdict
    assert answer.evidence.endswith(f"run by run: {100 * values[0]:.1f} to {100 * values[-1]:.1f} %")
    with pytest.raises(NotTested):
        small_images.ends_below("B", 10)(found)
