"""Effects of a method's second phase on the result of the first: the watches of R-DC's Figs. 1 to 3 and its filters."""

import math
from typing import Any

import numpy as np
import torch
from sklearn.base import clone

from dcbook.data import Dataset
from dcbook.evaluation import cluster_dimensions, effective_rank, latent_variance, scores
from dcbook.experiments.watch import Watch
from dcbook.methods import AEKMeans
from dcbook.training.neighborhoods import neighborhoods


def first_phase(model: Any, data: Dataset) -> AEKMeans:
    """The start of a fitted `model`, its autoencoder and centers, as a model without further training."""
    return AEKMeans(
        model.n_clusters, start=model.start, random_state=model.random_state, device=model.device, progress=False
    ).fit(data.images)


class ClusterDimensions(Watch):
    """Mean ID and LID of the predicted clusters (`dcbook.evaluation.cluster_dimensions`) over phase 2 (R-DC, Fig. 1).

    The history has `id` and `lid`; the portrait has both before phase 2, as `start`. They are None if no cluster is
    large enough.
    """

    name = "cluster dimensions"

    def epoch(self, model: Any, data: Dataset) -> dict[str, float | None]:
        """ID and LID of the training samples in their current clusters."""
        found = cluster_dimensions(model.transform(data.images), model.labels_)
        return _finite({"id": found.id, "lid": found.lid})

    def portrait(self, model: Any, data: Dataset) -> dict:
        """ID and LID of the model's start."""
        return {"start": self.epoch(first_phase(model, data), data)}


class BothPhases(Watch):
    """Scores after phase 1, in addition to the record's final scores (R-DC, Fig. 3).

    The portrait has `phase 1`: name of each score to its value; and `majority`, the share of the largest class, which
    is the ACC of a single cluster.
    """

    name = "both phases"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """Scores of the model's start, clustered by its centers."""
        return {"phase 1": scores(data.labels, first_phase(model, data).labels_), "majority": data.majority}


class Snapshots(Watch):
    """The latent space in one plane, before phase 2 and after some of its epochs (R-DC, Fig. 2).

    The fixed plane is spanned by the two largest principal components before phase 2. A latent space of two dimensions
    is shown without projection. The method is fitted a second time to record the frames; the same seed gives the same
    model. The portrait has

    - `held`: share of the variance before phase 2 that the plane contains;
    - `labels`: true classes (n,) of the shown samples, at most `shown`, drawn at random;
    - `frames`: `epoch` (0: before phase 2), `places` (n, 2), and for all samples `id` and `lid` (means over the
      predicted clusters), `rank` (effective) and `variance`; None for undefined numbers.
    """

    def __init__(self, shown: int = 400, frames: int = 6):
        self.shown, self.frames = shown, frames
        self.name = f"{frames} snapshots of {shown}"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """Frames before phase 2 and after up to `frames` of its epochs, at increasing intervals, including the last."""
        before = first_phase(model, data)
        taken = [(0, before.transform(data.images), before.labels_)]
        last = max((entry["epoch"] for entry in model.history_ if entry["phase"] != "pretraining"), default=0)
        wanted = {max(1, round(last * (k / self.frames) ** 2)) for k in range(1, self.frames + 1)} if last else set()

        def look(model: Any) -> None:
            entry = model.history_[-1]
            if entry["phase"] != "pretraining" and entry["epoch"] in wanted:
                taken.append((entry["epoch"], model.transform(data.images), model.labels_))

        if wanted:
            clone(model).fit(data.images, monitor=look)
        rows = np.sort(np.random.default_rng(0).permutation(len(data))[: self.shown])
        plane, center, held = _plane(taken[0][1])
        return {
            "held": held,
            "labels": data.labels[rows].tolist(),
            "frames": [
                {"epoch": epoch, "places": np.round((u[rows] - center) @ plane, 4).tolist(), **_shape(u, clusters)}
                for epoch, u, clusters in taken
            ],
        }


class Filtered(Watch):
    """Effect of both filters of R-DC (reconstruction) on the neighborhoods after phase 1, before any hand-over.

    For all samples the portrait has `survived`, the share of samples with remaining neighbors; `kept`, the share of
    remaining neighbors; and `alike`, the share of neighbors of the sample's own class among "all" neighbors and those
    that pass the "distance" filter, the "agreement" filter, and "both" (None if there are none). For `shown` random
    samples it has their indices `samples` (s,), their `neighbors` (s, k), whether these are `near` and `agree` (s, k),
    and the decoded `centroids` (s, pixels) as gray values from 0 to 255.
    """

    def __init__(self, shown: int = 8):
        self.shown = shown
        self.name = f"neighborhoods, {shown} shown"

    def portrait(self, model: Any, data: Dataset) -> dict:
        """The portrait of the neighborhoods in the latent space of the model's start."""
        before = first_phase(model, data)
        u, centers = (torch.as_tensor(each) for each in (before.transform(data.images), before.cluster_centers_))
        filters = {
            "all": ("none", "none"),
            "distance": (model.distance_filter, "none"),
            "agreement": ("none", model.agreement_filter),
            "both": (model.distance_filter, model.agreement_filter),
        }
        found = {name: neighborhoods(u, model.n_neighbors, *pair, centers) for name, pair in filters.items()}
        both, indices = found["both"], found["all"].indices.numpy()
        own = data.labels[indices] == data.labels[:, None]
        alike = {name: own[each.kept.numpy()].mean() if each.kept.any() else None for name, each in found.items()}
        rows = np.sort(np.random.default_rng(0).permutation(len(data))[: self.shown])
        decoder = before.autoencoder_.decoder
        with torch.no_grad():
            device = next(decoder.parameters()).device
            images = decoder(both.centroids[rows].to(device)).flatten(1).clamp(0, 1).cpu().numpy()
        return {
            "survived": both.survived,
            "kept": both.kept.float().mean().item(),
            "alike": {name: None if share is None else float(share) for name, share in alike.items()},
            "samples": rows.tolist(),
            "neighbors": indices[rows].tolist(),
            "near": found["distance"].kept[rows].tolist(),
            "agree": found["agreement"].kept[rows].tolist(),
            "centroids": np.round(255 * images).astype(int).tolist(),
        }


def _plane(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Axes (d, 2) and center (d,) of the principal plane of codes u (N, d), and its share of their variance."""
    if u.shape[1] == 2:
        return np.eye(2), np.zeros(2), 1.0
    center = u.mean(0)
    variances, axes = np.linalg.eigh(np.cov(u.T))
    axes = axes[:, :-3:-1]
    axes *= np.sign(axes[np.abs(axes).argmax(0), [0, 1]])  # LAPACK's sign is arbitrary
    return axes, center, float(variances[-2:].sum() / variances.sum())


def _shape(u: np.ndarray, clusters: np.ndarray) -> dict[str, float | None]:
    found = cluster_dimensions(u, clusters)
    return _finite({"id": found.id, "lid": found.lid, "rank": effective_rank(u), "variance": latent_variance(u)})


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}
