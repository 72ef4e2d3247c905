"""The filters of the first convolutional layer, beside supervised twins."""

from typing import Any

import numpy as np
import torch
from sklearn.base import clone
from torch import nn

from dcbook.data import Dataset
from dcbook.evaluation import train_with_labels
from dcbook.experiments.watch import Watch
from dcbook.methods import Pretraining

PATCHED = 1000  # images that the covariance of patches is taken from
ANOTHER = 1000  # added to a seed, it is one that no run has


class FirstLayer(Watch):
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
        schedule = {"epochs": self.recipe.epochs, "lr": self.recipe.lr} | self.recipe.sizes(len(data))
        accuracy = {
            name: train_with_labels(encoders[name], data.images, data.labels, seed=seed, **schedule)
            for name, seed in (("supervised", model.seed_), ("supervised, another start", model.seed_ + ANOTHER))
        }
        return {
            "filters": {name: encoder[0].weight.detach().cpu().numpy().tolist() for name, encoder in encoders.items()},
            "covariance": _patch_covariance(encoders["untrained"][0], data.images).tolist(),
            "accuracy": accuracy,
        }

    def _untrained(self, model: Any, seed: int) -> nn.Module:
        return self.recipe.build(model.input_shape_, seed).encoder.to(model.autoencoder_.encoder[0].weight.device)


def _patch_covariance(layer: nn.Conv2d, images: np.ndarray) -> np.ndarray:
    """Of the patches (C k k numbers each) that `layer` sees in at most `PATCHED` images, pixels in [0, 1]."""
    few = np.random.default_rng(0).permutation(len(images))[:PATCHED]
    x = torch.tensor(images[few], dtype=torch.float32) / (255 if images.dtype == np.uint8 else 1)
    patches = nn.functional.unfold(x, layer.kernel_size, padding=layer.padding, stride=layer.stride)
    return np.cov(patches.transpose(0, 1).flatten(1).numpy())
