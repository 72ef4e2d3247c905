"""The book's diagnostics during training: the shape of the latent space, and the gradients that change it."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dcbook.clustering import kmeans
from dcbook.data.stored import StoredImages
from dcbook.evaluation.geometry import cluster_dimensions, effective_rank, latent_variance, spectral_gap
from dcbook.evaluation.gradients import VARIANTS, cosines, evaluating
from dcbook.evaluation.scores import as_labels, match


class Diagnose:
    """Monitor of a deep method: `fit(x, monitor=Diagnose(y))` adds diagnostics to the history; training is unchanged.

    In the first epoch of each phase except pretraining, and in each `every`-th epoch after it, the history gets

    - `id`, `lid`, `curvature_gap` of the clusters, see `dcbook.evaluation.cluster_dimensions`;
    - `latent_variance`, `effective_rank` of all codes;
    - `spectral_gap`, if there are labels;
    - `fr_dynae`, `fd_dynae`: feature randomness, if there are labels, and feature drift, see
      `dcbook.evaluation.gradients`; and the same for other `variants`.

    Undefined quantities are left out, such as the drift of a method with one loss or the dimension of a single point.

    Parameters
    ----------
    labels : (N,) true labels in the order of x, numbers or strings, in any container; or None
    every : number of epochs between measurements, at least 1; None takes `looks_every`, with which the measurements
        cost less than a tenth of a training that is long enough for several of them (measured in `make bench`)
    variants : definitions of FR and FD, some of "dynae", "adec", "rgae" and "rdc"
    n_codes, n_gradients : numbers of samples for the shape of the space and for gradients, at least 1; the same samples
        in every epoch, drawn at random with `seed`

    Raises ValueError for settings out of range, missing labels and a wrong number of labels, TypeError for a method
    without a network and for images on disk.
    """

    def __init__(
        self,
        labels: ArrayLike | None = None,
        *,
        every: int | None = None,
        variants: Iterable[str] = ("dynae",),
        n_codes: int = 10_000,
        n_gradients: int = 1024,
        seed: int = 0,
    ):
        self.labels = None if labels is None else as_labels(labels)
        self.every, self.variants, self.seed = every, tuple(variants), seed
        self.n_codes, self.n_gradients = n_codes, n_gradients
        if min(1 if every is None else every, n_codes, n_gradients) < 1:
            raise ValueError(
                f"every, n_codes and n_gradients must be at least 1, not {every}, {n_codes}, {n_gradients}"
            )
        if unknown := set(self.variants) - set(VARIANTS):
            raise ValueError(f"variants must be some of {sorted(VARIANTS)}, not {sorted(unknown)}")

    def __call__(self, model: Any) -> dict[str, float]:
        """The diagnostics of this epoch; {} if no measurement is due."""
        if not hasattr(model, "_embed"):
            raise TypeError(f"Diagnose needs a method that trains a network; {type(model).__name__} has none")
        if isinstance(model._x, StoredImages):
            raise TypeError(f"Diagnose needs samples in memory: give fit an array, not {type(model._x).__name__}")
        n, phase = len(model._x), model.history_[-1]["phase"]
        recent = model.history_[-(self.every or looks_every(n, self.n_gradients)) : -1]
        if phase == "pretraining" or any(entry["phase"] == phase and "effective_rank" in entry for entry in recent):
            return {}
        if self.labels is not None and self.labels.shape != (n,):
            raise ValueError(
                f"there must be one label for each of the {n} samples; labels have shape {self.labels.shape}"
            )
        rows = sample(n, self.n_codes, self.seed)
        classes = None if self.labels is None else self.labels[rows]
        rows = torch.as_tensor(rows, device=model._x.device)
        u = model._embed(model._samples(rows))
        clusters = self._clusters(model, u).cpu().numpy()
        few = slice(self.n_gradients)
        matched = None if classes is None else match(clusters, classes)[few]
        found = shape(u, clusters, classes, model.n_clusters)
        found |= cosines(model, rows[few], clusters[few], matched, self.variants)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _clusters(self, model: Any, u: Tensor) -> Tensor:
        if not model._has_clusters:
            return kmeans(u, model.n_clusters, n_init=1, random_state=self.seed, device=u.device).labels
        with evaluating(model):
            return model._assign(u)


def looks_every(n: int, n_gradients: int) -> int:
    """Number of epochs between measurements such that they cost less than a tenth of a training on n samples.

    A measurement takes up to seven times as long as an epoch of DEC on `n_gradients` samples.
    """
    return math.ceil(100 * min(n_gradients, n) / n)


def shape(u: ArrayLike | Tensor, clusters: ArrayLike, classes: ArrayLike | None, n_clusters: int) -> dict[str, float]:
    """Shape diagnostics of codes u (N, d) in `clusters` (N,); `spectral_gap` only with true `classes` (N,)."""
    dimensions = cluster_dimensions(u, clusters)
    found = {
        "id": dimensions.id,
        "lid": dimensions.lid,
        "curvature_gap": dimensions.gap,
        "latent_variance": latent_variance(u),
        "effective_rank": effective_rank(u),
    }
    return found if classes is None else found | {"spectral_gap": spectral_gap(u, classes, n_clusters)}


def sample(n: int, size: int, seed: int = 0) -> np.ndarray:
    """Indices of at most `size` of n rows, drawn at random without replacement."""
    return np.random.default_rng(seed).permutation(n)[:size]
