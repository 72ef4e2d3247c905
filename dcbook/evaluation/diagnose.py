"""The diagnostics of this book along a training: what it does to the shape of the latent space, and why."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dcbook.clustering import kmeans
from dcbook.evaluation.geometry import cluster_dimensions, effective_rank, latent_variance, spectral_gap
from dcbook.evaluation.gradients import VARIANTS, cosines, evaluating
from dcbook.evaluation.scores import as_labels, match


class Diagnose:
    """Monitor of a deep method: `fit(x, monitor=Diagnose(y))` follows it from within, and changes nothing.

    Of the first epoch of each phase but pretraining, and of each `every`-th after it, the history gets

    - `id`, `lid`, `curvature_gap`: of the clusters, see `dcbook.evaluation.cluster_dimensions`;
    - `latent_variance`, `effective_rank`: of all codes;
    - `spectral_gap`: if there are labels;
    - `fr_dynae`, `fd_dynae`: feature randomness, if there are labels, and feature drift, see
      `dcbook.evaluation.gradients`; and those of other `variants`.

    What can't be said is left out: drift of a method that has one loss, dimensions of clusters that are points.

    Parameters
    ----------
    labels : (N,) true labels in the order of x, numbers or strings, in any container; or None
    every : epochs from one look to the next; None: so many that the looks cost less than a tenth of a training that is
        long enough for several, `looks_every` (measured in `make bench`)
    variants : of FR and FD, some of "dynae", "adec", "rgae" and "rdc"
    n_codes, n_gradients : samples that the space is measured on, and that gradients are taken of: the same in every
        epoch, drawn at random by `seed`
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
        """The numbers of this epoch; {} where it is not due."""
        if not hasattr(model, "_embed"):
            raise TypeError(f"Diagnose follows a network while it trains, and {type(model).__name__} has none")
        n, phase = len(model._x), model.history_[-1]["phase"]
        recent = model.history_[-(self.every or looks_every(n, self.n_gradients)) : -1]
        if phase == "pretraining" or any(entry["phase"] == phase and "effective_rank" in entry for entry in recent):
            return {}
        if self.labels is not None and self.labels.shape != (n,):
            raise ValueError(f"the labels must be one for each of the {n} samples, not of shape {self.labels.shape}")
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
    """Epochs from one look to the next by which looks cost less than a tenth of a training on n samples.

    A look costs up to seven times what an epoch of DEC does on as many samples as gradients are taken of.
    """
    return math.ceil(100 * min(n_gradients, n) / n)


def shape(u: ArrayLike | Tensor, clusters: ArrayLike, classes: ArrayLike | None, n_clusters: int) -> dict[str, float]:
    """What `Diagnose` says of codes u (N, d) in `clusters` (N,), with or without true `classes` (N,)."""
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
    """At most `size` of n rows, drawn at random."""
    return np.random.default_rng(seed).permutation(n)[:size]
