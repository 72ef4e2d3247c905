"""DeepCluster-v2: a slow twin of its training, what its history tells, an accuracy floor."""

import numpy as np
import pytest
import torch
from sklearn.metrics import normalized_mutual_info_score

from dcbook.clustering.refine import random_points
from dcbook.data import load
from dcbook.evaluation import nmi
from dcbook.methods import DeepClusterV2, load_model
from dcbook.training.inputs import stream
from tests.test_contrastive import LEARNERS, assert_same_training, cosine, twin


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


def spherical_kmeans(points, centers, passes):
    """Centers, then the nearest of them for each point; clusters that lose all points keep their center."""
    for _ in range(passes):
        nearest = [max(range(len(centers)), key=lambda k: float(point @ centers[k])) for point in points]
        for k in set(nearest):
            total = sum(point for point, own in zip(points, nearest, strict=True) if own == k)
            centers[k] = total / total.norm()
    return centers, [max(range(len(centers)), key=lambda k: float(point @ centers[k])) for point in points]


def test_slow_twin(images):
    model = LEARNERS["DeepClusterV2"](weight_decay=0.01, epochs=3, batch_size=10).fit(images)
    bank, heads, said = torch.empty(2, 20, 5), [], []

    def cluster(network, draw):
        if not said:
            noise = stream(0, "views of the first bank")
            with torch.no_grad():
                for view in range(2):
                    z = network.eval()(draw(images, noise))[1]
                    bank[view] = torch.stack([row / row.norm() for row in z])
            network.train()
        before = [labels for _, labels in heads]
        heads.clear()
        for head in range(3):
            points = bank[head % 2].clone()
            start = random_points(points, 6, 20, stream(0, f"k-means of epoch {len(said)}, head {head}"))
            heads.append(spherical_kmeans(points, list(start), passes=4))
        labels = [labels for _, labels in heads]
        said.append(
            {
                "clusters": np.mean([len(set(y)) for y in labels]),
                "largest": np.mean([max(np.bincount(y)) for y in labels]) / 20,
            }
        )
        if before:
            pairs = zip(before, labels, strict=True)
            scores = [normalized_mutual_info_score(*pair, average_method="geometric") for pair in pairs]
            said[-1]["stability_of_heads"] = np.mean(scores)

    def loss(network, a, b, rows):
        value = 0.0
        _, z = network(torch.cat([a, b]))
        for i, row in enumerate(z):
            n = int(rows[i % len(a)])
            for centers, labels in heads:
                terms = [(cosine(row, c) / model.temperature).exp() for c in centers]
                value = value - (terms[labels[n]] / sum(terms)).log() / (len(z) * 3)
            bank[i // len(a), n] = (row / row.norm()).detach()
        return value

    assert_same_training(model, images, *twin(model, images, loss, before_epoch=cluster))
    for entry, expected in zip(model.history_, said, strict=True):
        assert {name: entry[name] for name in expected} == pytest.approx(expected)
    for ours, (centers, _) in zip(model.prototypes_, heads, strict=True):
        np.testing.assert_allclose(ours, torch.stack(centers), atol=2e-3)


def test_history_and_prototypes(images, tmp_path):
    model = LEARNERS["DeepClusterV2"]().fit(images)
    names = {"phase", "epoch", "loss", "clusters", "largest"}
    assert [set(entry) for entry in model.history_] == [names, names | {"stability_of_heads"}]
    assert model.prototypes_.shape == (3, 6, 5)
    np.testing.assert_allclose(np.linalg.norm(model.prototypes_, axis=2), 1, rtol=1e-5)
    assert not np.allclose(model.prototypes_[0], model.prototypes_[2]), "the same view, other first points"
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").prototypes_, model.prototypes_)


def test_it_learns_what_the_classes_are():
    """An accuracy floor: from 0.34 NMI with a random network to above 0.5."""
    data = load("digits", subset=1200)
    views = {"flip": False, "crop": 0.5, "jitter": 0.4}
    schedule = {"epochs": 6, "lr": 0.1, "batch_size": 50, "prototypes": 40}
    model = DeepClusterV2(10, width=8, projection_dim=32, **views, **schedule, random_state=0, device="cpu")
    model.fit(data.images)
    untrained = DeepClusterV2(**model.get_params() | {"epochs": 0}).fit(data.images)
    assert nmi(data.labels, model.labels_) > max(0.46, nmi(data.labels, untrained.labels_) + 0.1)
    assert model.history_[-1]["stability_of_heads"] > model.history_[1]["stability_of_heads"]
