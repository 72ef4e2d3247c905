"""What a run may keep beside its scores: numbers of every epoch, and a portrait of the trained model.

A `Watch` only looks: the same run without it gives the same model. Its numbers join the history of the record, its
portrait is the record's own part, so that figures are drawn from records alone.
"""

from typing import Any, Protocol

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from dcbook.data import Dataset, load
from dcbook.evaluation import (
    activations,
    label_picked,
    learned_alike,
    linear_probe,
    mlp_probe,
    pairs,
    pool_to,
    resemblance,
    residuals,
    train_with_labels,
    tsne,
)
from dcbook.experiments.twins import networks
from dcbook.methods import Pretraining

BINS = 40
PATCHED = 1000  # images that the covariance of patches is taken from
ANOTHER = 1000  # added to a seed, it is one that no run has


class Watch(Protocol):
    """What `Method.watch` takes: a class or an instance whose name stands for what it records."""

    name: str

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Numbers for the history, after an epoch."""

    def portrait(self, model: Any, data: Dataset) -> dict:
        """What JSON can hold, of the fitted model."""


class SelfSupervision:
    """DCSS's second phase from within: pairs that take part, samples without a neighbor, q vectors, the three spaces.

    The portrait has `residuals` (counts of ||q - onehot(q)||_2 in `BINS` bins of [0, 1]), `q` (10 samples of every
    cluster, (n, K)), and `maps`: t-SNE of u as phase 2 found it, u at the end, and q, in whole numbers from 0 to 999,
    for `shown` samples, drawn at random, with their `labels`.
    """

    def __init__(self, shown: int = 1000):
        self.shown = shown
        self.name = "self-supervision" if shown == 1000 else f"self-supervision, {shown} shown"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Shares of similar and dissimilar pairs and of lonely samples, once MNet is there."""
        if not hasattr(model, "mnet_"):
            return {}
        found = pairs(model.predict_proba(data.images), model.zeta, model.gamma)
        return {"similar": found.similar, "dissimilar": found.dissimilar, "lonely": found.lonely}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch; the space before phase 2 is that of its start."""
        q = model.predict_proba(data.images)
        counts, _ = np.histogram(residuals(q), bins=BINS, range=(0, 1))
        shown = np.random.default_rng(0).permutation(len(q))
        few = np.concatenate([shown[q[shown].argmax(1) == k][:10] for k in range(q.shape[1])])
        shown = np.sort(shown[: self.shown])
        before = clone(model).set_params(phase1_epochs=0, phase2_epochs=0).fit(data.images)
        spaces = {
            "u after phase 1": before.transform(data.images[shown]),
            "u after phase 2": model.transform(data.images[shown]),
            "q": q[shown],
        }
        return {
            "residuals": counts.tolist(),
            "q": np.round(q[few], 3).tolist(),
            "maps": {title: tsne(space).tolist() for title, space in spaces.items()},
            "labels": data.labels[shown].tolist(),
        }


class FirstLayer:
    """The filters of the first convolutional layer, beside those of supervised twins (DCSS section 4.9, Fig. 13).

    `recipe` is the pretraining that the model's start comes from. A twin is the same encoder, trained with the labels
    by the same recipe: step, batches and epochs, with a linear head and the cross-entropy in place of the decoder and
    its error. The portrait has

    - `filters`: "untrained", "autoencoder" (pretrained), "DCSS" and "supervised", which all begin from the same
      weights, and "supervised, another start", a twin that begins from others; each (n, C, k, k);
    - `covariance` (C k k, C k k) of the patches that a filter sees, over at most `PATCHED` images drawn at random;
    - `accuracy`: of both twins on the images that they were trained on.
    """

    name = "first layer"

    def __init__(self, recipe: Pretraining):
        self.recipe = recipe

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Nothing: the filters are looked at once."""
        return {}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch; the pretrained filters are those of its start."""
        pretrained = clone(model).set_params(phase1_epochs=0, phase2_epochs=0).fit(data.images)
        encoders = {
            "untrained": self._untrained(model, model.seed_),
            "autoencoder": pretrained.autoencoder_.encoder,
            "DCSS": model.autoencoder_.encoder,
            "supervised": self._untrained(model, model.seed_),
            "supervised, another start": self._untrained(model, model.seed_ + ANOTHER),
        }
        schedule = {"epochs": self.recipe.epochs, "batch_size": self.recipe.batch_size, "lr": self.recipe.lr}
        accuracy = {
            name: train_with_labels(encoders[name], data.images, data.labels, seed=seed, **schedule)
            for name, seed in (("supervised", model.seed_), ("supervised, another start", model.seed_ + ANOTHER))
        }
        return {
            "filters": {name: encoder[0].weight.detach().cpu().numpy().tolist() for name, encoder in encoders.items()},
            "covariance": _patch_covariance(encoders["untrained"][0], data.images).tolist(),
            "accuracy": accuracy,
        }

    @staticmethod
    def measures(portrait: dict) -> dict[str, dict[str, float]]:
        """Measure to network to how much its filters are like supervised ones.

        "filters" and "outputs" are resemblances (`dcbook.evaluation.resemblance`) to the twin from another start, of
        weights and of what they make of the images; "filters, same start" is that of weights to the twin from the same
        start; "learned, same start" compares the changes since then (`dcbook.evaluation.learned_alike`).
        """
        filters, covariance = portrait["filters"], portrait["covariance"]
        untrained, twin, other = (filters[name] for name in ("untrained", "supervised", "supervised, another start"))
        ours = {name: filters[name] for name in ("untrained", "autoencoder", "DCSS")}
        moved = {name: ours[name] for name in ("autoencoder", "DCSS")}
        beside = ours | {"supervised": twin}
        return {
            "filters": {name: resemblance(each, other) for name, each in beside.items()},
            "outputs": {name: resemblance(each, other, covariance) for name, each in beside.items()},
            "filters, same start": {name: resemblance(each, twin) for name, each in ours.items()},
            "learned, same start": {name: learned_alike(untrained, each, twin) for name, each in moved.items()},
        }

    def _untrained(self, model: Any, seed: int) -> nn.Module:
        return self.recipe.build(model.input_shape_, seed).encoder.to(model.autoencoder_.encoder[0].weight.device)


def halves(data: Dataset) -> list[np.ndarray]:
    """Rows of two halves of the images, drawn at random: one to train a probe, one to test it."""
    return np.array_split(np.random.default_rng(0).permutation(len(data)), 2)


def _patch_covariance(layer: nn.Conv2d, images: np.ndarray) -> np.ndarray:
    """Of the patches (C k k numbers each) that `layer` sees in at most `PATCHED` images, pixels in [0, 1]."""
    few = np.random.default_rng(0).permutation(len(images))[:PATCHED]
    x = torch.tensor(images[few], dtype=torch.float32) / (255 if images.dtype == np.uint8 else 1)
    patches = nn.functional.unfold(x, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    return np.cov(patches.transpose(0, 1).flatten(1).numpy())


class LayerProbes:
    """Linear probes of a network's layers: untrained, trained, and trained with labels (DeepCluster, Table 1).

    Probes learn from the labels of one half of the images, drawn at random, and are tested on the other half. The
    network saw all images and no label. Maps are pooled to at most `dim` numbers, features standardized. The portrait
    has `probes`: network ("untrained", "trained") to layer ("conv1", …, "fc7") to accuracy. On demand there are more:

    - `supervised`, a number of epochs: the network "supervised", trained so long with the labels of that half (Adam,
      no views), from the same weights; and "mlp" beside the layers, a hidden layer of 512 units on conv5 in place of a
      linear probe.
    - `elsewhere`, name and sampling of another data set with images of the same shape: `elsewhere` beside `probes`, the
      same networks probed there.
    """

    def __init__(
        self, dim: int = 1024, epochs: int = 30, supervised: int = 0, elsewhere: tuple[str, dict] | None = None
    ):
        self.dim, self.epochs, self.supervised, self.elsewhere = dim, epochs, supervised, elsewhere
        beside = f", {supervised} supervised epochs" if supervised else ""
        there = f", also on {elsewhere[0]} {sorted(elsewhere[1].items())}" if elsewhere else ""
        self.name = f"probes of at most {dim} numbers, {epochs} epochs{beside}{there}"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Nothing: the layers are probed once."""
        return {}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The model after its last epoch."""
        half = halves(data)[0]
        compared = networks(model, data.images[half], data.labels[half], self.supervised)
        found = {"probes": {name: self._probed(network, data) for name, network in compared.items()}}
        if self.elsewhere:
            name, sampling = self.elsewhere
            other = load(name, **sampling)
            found["elsewhere"] = {name: self._probed(network, other) for name, network in compared.items()}
        return found

    def _probed(self, network: nn.Module, data: Dataset) -> dict[str, float]:
        layers, parts = network.layers | {"fc7": network.encoder.fc7}, halves(data)
        found, test = (activations(network, layers, data.images[half], reduce=self._pooled) for half in parts)
        labels, test_labels = (data.labels[half] for half in parts)
        options = {"epochs": self.epochs, "standardize": True}
        accuracies = {
            layer: linear_probe(found[layer], labels, test[layer], test_labels, **options).accuracy for layer in layers
        }
        if self.supervised:
            sets = (found["conv5"], labels, test["conv5"], test_labels)
            accuracies["mlp"] = mlp_probe(*sets, n_hidden=512, **options).accuracy
        return accuracies

    def _pooled(self, maps: torch.Tensor) -> torch.Tensor:
        return pool_to(maps, self.dim) if maps.ndim == 4 else maps


class LabelPickedProtocol:
    """Beside the result, what the released code's protocol would have reported, see `dcbook.evaluation.label_picked`.

    For a DCSS that pretrains itself: its `start` is a `Pretraining`. The portrait has, for "pretraining", "phase 1"
    and "phase 2", the scores of the `last` epoch and of the `best` one, where each phase goes on from the best epoch of
    the phase before; all else is as in the run itself.
    """

    name = "label-picked protocol"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float]:
        """Nothing: the history has the scores of the label-free protocol already."""
        return {}

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The same three phases again, one estimator each."""
        skipped = (
            {"phase1_epochs": 0, "phase2_epochs": 0},
            {"phase2_epochs": 0},
            {"phase1_epochs": 0},
        )
        steps = [clone(model).set_params(**phases) for phases in skipped]
        return label_picked(steps, data.images, data.labels)
