"""k-means beside scikit-learn and faiss: seconds per iteration, a whole fit, seeding."""

import warnings
from collections.abc import Callable
from functools import partial

import faiss
import numpy as np
import sklearn.cluster
import torch
from sklearn.exceptions import ConvergenceWarning

from dcbook.clustering import assign, kmeans, kmeans_plusplus
from tests.bench._table import Row, extra_seconds, interleave, medians


def run(quick: bool) -> list[Row]:
    """Return the rows of all k-means benchmarks."""
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    n, repeats = (5_000, 1) if quick else (70_000, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is meant to be reached
        return [
            *_iterations(n, 256, 100, last=12, repeats=repeats),
            *_iterations(n, 256, 1000, last=6, repeats=min(3, repeats)),
            _fit(n, 10, 10, spread=3.0, what="clusters apart", repeats=repeats),
            _fit(n, 10, 10, spread=1.0, what="clusters that overlap", repeats=repeats),
            _fit(n, 10, 10, spread=0.0, what="no clusters", repeats=min(3, repeats)),
            _seeding(n, 10, 10, starts=40, repeats=2 * repeats + 1),
            _seeding(n, 256, 100, starts=6, repeats=min(3, repeats)),
        ]


def mixture(n: int, d: int, n_clusters: int, spread: float) -> np.ndarray:
    """Return n points (n, d) around Gaussian centers of standard deviation `spread`, in float32."""
    rng = np.random.default_rng(0)
    centers = spread * rng.normal(size=(n_clusters, d))
    return (centers[rng.integers(n_clusters, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def inertia(x: np.ndarray, centers: np.ndarray | torch.Tensor) -> float:
    """Return the sum of squared distances to the nearest of `centers`, the same way for all libraries."""
    return float(assign(x, centers)[1].sum(dtype=torch.float64))


def _iterations(n: int, d: int, n_clusters: int, last: int, repeats: int) -> list[Row]:
    """Seconds per iteration: those of `last` iterations less those of one, from equal starts."""
    x = mixture(n, d, n_clusters, spread=0.15)
    start = x[np.random.default_rng(1).choice(n, n_clusters, replace=False)]
    found = {}

    def ours(steps: int) -> None:
        result = kmeans(x, n_clusters, init=start, max_iter=steps, tol=0)
        found["ours"] = result.n_iter, result.centers

    def scikit(steps: int) -> None:
        model = sklearn.cluster.KMeans(n_clusters, init=start, n_init=1, max_iter=steps, tol=0).fit(x)
        found["scikit-learn"] = model.n_iter_, model.cluster_centers_

    def with_faiss(steps: int) -> None:
        model = faiss.Kmeans(d, n_clusters, niter=steps, min_points_per_centroid=1, max_points_per_centroid=n)
        model.train(x, init_centroids=start)
        found["faiss"] = steps, model.centroids

    def per_iteration(fit: Callable[[int], None]) -> float:
        return extra_seconds(fit, 1, last) / (last - 1)

    fits = {"ours": ours, "scikit-learn": scikit, "faiss": with_faiss}
    seconds = medians(interleave({name: partial(per_iteration, fit) for name, fit in fits.items()}, repeats))
    if len({steps for steps, _ in found.values()}) != 1:
        raise RuntimeError(f"a run ended early: iterations {[steps for steps, _ in found.values()]}")
    reached = {name: inertia(x, centers) for name, (_, centers) in found.items()}
    fastest = min(("scikit-learn", "faiss"), key=seconds.get)
    rows = []
    for name in ("scikit-learn", "faiss"):
        note = f"inertia after {last}: {reached['ours'] / reached[name]:.6f} × theirs"
        gflops = 2e-9 * n * d * n_clusters / seconds["ours"]
        rows.append(
            Row(
                f"k-means iteration, {n:,} × {d}, K = {n_clusters:,}, {name}",
                seconds["ours"],
                seconds[name],
                seconds[name] / seconds["ours"],
                0.9 if name == fastest else None,
                f"{note}; ours {gflops:.0f} GFLOP/s",
            )
        )
    return rows


def _fit(n: int, d: int, n_clusters: int, spread: float, what: str, repeats: int) -> Row:
    """A whole fit with 10 restarts."""
    x = mixture(n, d, n_clusters, spread)
    seeds = iter(range(10**6))
    reached = {"ours": [], "theirs": []}

    def ours() -> None:
        reached["ours"].append(kmeans(x, n_clusters, n_init=10, random_state=next(seeds)).centers)

    def theirs() -> None:
        model = sklearn.cluster.KMeans(n_clusters, n_init=10, random_state=next(seeds)).fit(x)
        reached["theirs"].append(model.cluster_centers_)

    seconds = medians(interleave({"ours": ours, "theirs": theirs}, repeats))
    mean = {name: np.mean([inertia(x, centers) for centers in values]) for name, values in reached.items()}
    return Row(
        f"k-means fit, {n:,} × {d}, K = {n_clusters}, 10 restarts, {what}, scikit-learn",
        seconds["ours"],
        seconds["theirs"],
        seconds["theirs"] / seconds["ours"],
        3.0,
        f"mean inertia {mean['ours'] / mean['theirs']:.6f} × theirs",
    )


def _seeding(n: int, d: int, n_clusters: int, starts: int, repeats: int) -> Row:
    """One start by k-means++, and the mean potential over several."""
    x = mixture(n, d, n_clusters, spread=1.0)
    generator = torch.Generator().manual_seed(0)

    def ours() -> None:
        kmeans_plusplus(x, n_clusters, generator=generator)

    def theirs() -> None:
        sklearn.cluster.kmeans_plusplus(x, n_clusters)

    seconds = medians(interleave({"ours": ours, "theirs": theirs}, repeats))
    potentials = [inertia(x, c) for c in kmeans_plusplus(x, n_clusters, starts, generator)]
    reference = [inertia(x, sklearn.cluster.kmeans_plusplus(x, n_clusters, random_state=s)[0]) for s in range(starts)]
    error = np.hypot(np.std(potentials), np.std(reference)) / np.sqrt(starts) / np.mean(reference)
    return Row(
        f"k-means++ seeding, {n:,} × {d}, K = {n_clusters}, scikit-learn",
        seconds["ours"],
        seconds["theirs"],
        seconds["theirs"] / seconds["ours"],
        3.0,
        f"mean potential {np.mean(potentials) / np.mean(reference):.4f} ± {error:.4f} × theirs, {starts} starts",
    )
