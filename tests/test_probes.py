"""Probes: hand-worked pooling, data whose answer is known, and what is left of the network that was looked into."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from dcbook.evaluation import Probe, activations, linear_probe, mlp_probe, pool_to
from dcbook.training.optimizers import SGD


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(), nn.Flatten(), nn.Linear(144, 2)
    )


def quadrants(n=200, seed=0):
    """Points of four classes, one in each quadrant: separable by lines."""
    labels = np.arange(n) % 4
    x = np.random.default_rng(seed).uniform(0.5, 1.5, (n, 2))
    return (x * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])[labels]).astype(np.float32), labels


def ring(n=200, seed=0):
    """Points inside and outside of the unit circle, which no line separates."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.where(labels, 1.5, 0.5) + rng.uniform(-0.2, 0.2, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), labels


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_activations_are_those_of_a_forward_pass_in_evaluation_mode(batch_size):
    network, x = small_network(), torch.rand(7, 1, 8, 8)
    found = activations(network, {"norm": network[1], "head": network[5]}, x, batch_size)
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(found["norm"], network[:2](x))  # as it was before the next layer worked in place
        torch.testing.assert_close(found["head"], network(x))
    pixels = (255 * x).to(torch.uint8)
    bytes_, floats = (activations(network, {"head": network[5]}, each) for each in (pixels.numpy(), pixels / 255))
    torch.testing.assert_close(bytes_, floats)
    pooled = activations(network, {"norm": network[1]}, x, batch_size, lambda maps: pool_to(maps, 36))
    torch.testing.assert_close(pooled["norm"], pool_to(found["norm"], 36))


def test_the_network_is_left_as_it_was():
    network = small_network().train()
    network[1].eval()
    before = [(module.training, len(module._forward_hooks)) for module in network.modules()]
    mean = network[1].running_mean.clone()
    activations(network, {"conv": network[0]}, torch.rand(4, 1, 8, 8))
    with pytest.raises(RuntimeError):  # the last layer refuses what 9×9 pixels become
        activations(network, {"conv": network[0]}, torch.rand(4, 1, 9, 9))
    assert [(module.training, len(module._forward_hooks)) for module in network.modules()] == before
    assert torch.equal(network[1].running_mean, mean)
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def test_layers_that_cannot_be_probed_are_named():
    network, x = small_network(), torch.rand(4, 1, 8, 8)
    with pytest.raises(ValueError, match="'another'"):
        activations(network, {"conv": network[0], "another": nn.ReLU()}, x)
    twice = nn.Sequential(*[nn.Linear(3, 3)] * 2)
    with pytest.raises(ValueError, match="'shared': 2"):
        activations(twice, {"shared": twice[0]}, torch.rand(5, 3), 2)
    with pytest.raises(ValueError, match="at least 1, not 4 and 0"):
        activations(network, {"conv": network[0]}, x, 0)


@pytest.mark.parametrize(
    ("shape", "kernel", "padding", "dim"),
    [((96, 55), 6, 3, 9600), ((256, 27), 4, 0, 9216), ((384, 13), 3, 1, 9600), ((256, 13), 2, 0, 9216)],
)
def test_pooled_sizes_are_those_of_the_released_code(shape, kernel, padding, dim):
    channels, side = shape
    maps = torch.rand(2, channels, side, side)
    pooled = pool_to(maps)
    assert pooled.shape == (2, dim)
    torch.testing.assert_close(pooled, nn.AvgPool2d(kernel, kernel, padding)(maps).flatten(1))


def test_pooling_worked_by_hand():
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    assert pool_to(maps, 16).tolist() == [list(range(16))]
    assert pool_to(maps, 4).tolist() == [[2.5, 4.5, 10.5, 12.5]]
    assert pool_to(maps, 1).tolist() == [[5.0]]  # the mean of the first 3×3: 3 is the smallest kernel that fits once
    assert pool_to(maps[:, :, :3, :3], 4).tolist() == [[0.0, 0.75, 3.0, 7.5]]  # 2/2/1: zeros around count as well
    assert pool_to(torch.ones(1, 2, 3, 8), 12).shape == (1, 8)  # 2/2/0: 1×4; 2/2/1 would give 2×5
    assert pool_to(torch.ones(3, 5, 1, 9), 5).shape == (3, 5)
    with pytest.raises(ValueError, match="5 channels"):
        pool_to(torch.ones(3, 5, 2, 2), 4)
    with pytest.raises(ValueError, match=r"\(N, C, H, W\)"):
        pool_to(torch.ones(3, 5))


def test_separable_classes_are_separated():
    x, y = quadrants()
    x_test, y_test = quadrants(80, seed=1)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    assert linear_probe(x, y, x_test, y_test, epochs=30, lr=0.1, batch_size=20) == Probe(1.0, 1.0)
    assert torch.rand(1) == expected
    assert linear_probe(x, y, x_test, (y_test + 1) % 4, epochs=30, lr=0.1, batch_size=20).accuracy == 0
    unseen = linear_probe(x, y, x_test, np.where(y_test == 3, 7, y_test), epochs=30, lr=0.1, batch_size=20)
    assert unseen.accuracy == 0.75  # a class that was not in training is never found


def test_only_the_hidden_layer_finds_a_ring():
    data = (*ring(), *ring(100, seed=1))
    options = {"epochs": 40, "lr": 0.1, "batch_size": 20}
    assert linear_probe(*data, **options).accuracy < 0.75
    assert mlp_probe(*data, n_hidden=32, **options).accuracy > 0.95


def test_last_epoch_and_best_epoch():
    """With the wrong classes in the test set, the less is learned the better: the first epoch is the best."""
    x, y = quadrants()
    x_test, y_test = quadrants(80, seed=1)
    options = {"lr": 0.02, "batch_size": 50, "seed": 3}
    runs = [linear_probe(x, y, x_test, (y_test + 1) % 4, epochs=epochs, **options) for epochs in range(1, 13)]
    accuracies = [run.accuracy for run in runs]
    assert [run.best_accuracy for run in runs] == np.maximum.accumulate(accuracies).tolist()
    assert runs[-1].accuracy == 0 < runs[-1].best_accuracy
    assert runs[-1] == linear_probe(x, y, x_test, (y_test + 1) % 4, epochs=12, **options)


@pytest.mark.parametrize("probe", [linear_probe, mlp_probe])
def test_rate_of_every_update(probe, monkeypatch):
    rates, step = [], SGD.step

    def recording(self):
        rates.append((self.lr, self.momentum))
        step(self)

    monkeypatch.setattr(SGD, "step", recording)
    x, y = quadrants(10)
    probe(x, y, x, y, epochs=3, lr=0.5, weight_decay=0.1, batch_size=4)
    assert rates == [(pytest.approx(0.5 / np.sqrt(1 + 0.5 * 0.1 * t)), 0.9) for t in range(9)]  # 3 batches an epoch


def test_first_updates_worked_out_with_numpy():
    """Two updates on one batch: the accuracy flips where numpy says so."""
    x = np.array([[1.0], [-1.0]], dtype=np.float32)
    y = np.array([0, 1])
    torch.manual_seed(5)
    layer = nn.Linear(1, 2)
    w, b = (p.detach().double().numpy() for p in (layer.weight[:, 0], layer.bias))
    velocity = 0
    for t in range(2):
        logits = x * w + b
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        slope = (p - np.eye(2)) / 2
        gradient = np.stack([(slope * x).sum(0), slope.sum(0)]) + 0.01 * np.stack([w, b])
        velocity = 0.9 * velocity + gradient
        w, b = np.stack([w, b]) - 0.3 / np.sqrt(1 + 0.3 * 0.01 * t) * velocity
    grid = np.linspace(-2, 2, 4001, dtype=np.float32)[:, None]
    expected = (grid * w + b).argmax(1)
    found = linear_probe(x, y, grid, expected, epochs=2, lr=0.3, weight_decay=0.01, batch_size=2, seed=5)
    assert found.accuracy >= 1 - 2 / 4001  # the threshold between the classes to a step of the grid
    assert linear_probe(x, y, grid, expected, epochs=1, lr=0.3, batch_size=2, seed=5).accuracy < found.accuracy


def test_standardized_features_have_no_units():
    (x, y), (x_test, y_test) = quadrants(), quadrants(80, seed=1)
    scale, shift = np.array([1e3, 1e-3]), np.array([5e4, 0.2])
    options = {"epochs": 20, "lr": 0.1, "batch_size": 50, "standardize": True}
    plain = linear_probe(np.c_[x, np.ones(200)], y, np.c_[x_test, np.ones(80)], y_test, **options)
    moved = linear_probe(
        np.c_[x * scale + shift, np.zeros(200)], y, np.c_[x_test * scale + shift, np.ones(80)], y_test, **options
    )
    assert plain.accuracy == moved.accuracy == 1
    with pytest.raises(ValueError, match="diverged"):
        linear_probe(x * 1e30, y, x_test * 1e30, y_test, epochs=5)


def test_random_convolutions_tell_digits_apart():
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU())
    layers = {"conv1": network[1], "conv2": network[3]}
    found = activations(network, layers, images, 256, lambda maps: pool_to(maps, 300))
    assert [features.shape[1] for features in found.values()] == [256, 288]
    for features in found.values():
        split = features[:1000], labels[:1000], features[1000:], labels[1000:]
        assert linear_probe(*split, epochs=15, lr=0.05, standardize=True).accuracy > 0.8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "must hold, not 0"),
        ({"lr": 0.0}, "lr > 0"),
        ({"labels": np.zeros(9, int)}, r"must be \(N, d\)"),
        ({"labels": np.full(10, -1)}, "whole numbers from 0"),
        ({"labels": np.zeros(10)}, "whole numbers from 0"),
        ({"features": np.full((10, 2), np.nan)}, "finite"),
        ({"test_features": np.zeros((10, 3))}, r"must be \(N, d\)"),
    ],
)
@pytest.mark.parametrize("probe", [linear_probe, mlp_probe])
def test_bad_input_is_refused(probe, change, message):
    x, y = quadrants(10)
    with pytest.raises(ValueError, match=message):
        probe(**{"features": x, "labels": y, "test_features": x, "test_labels": y} | change)
    with pytest.raises(ValueError, match="n_hidden"):
        mlp_probe(x, y, x, y, n_hidden=0)
