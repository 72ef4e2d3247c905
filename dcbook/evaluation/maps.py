"""Two-dimensional maps of a space by t-SNE."""

import numpy as np
from numpy.typing import ArrayLike

GRID = 1000
SMALLEST = 1e-20  # a spread whose square float32 holds; scikit-learn would divide by 0, and crash


def tsne(space: ArrayLike, seed: int = 0) -> np.ndarray:
    """t-SNE of `space` (n, d), n >= 4: places (n, 2), whole numbers from 0 to 999, with the same scale on both axes.

    Rows that differ by less than 1e-20 count as equal; if all rows are equal, so are their places.
    """
    from sklearn.manifold import TSNE

    space = np.asarray(space)
    if np.ptp(space, axis=0).max() < SMALLEST:
        return np.zeros((len(space), 2), dtype=int)
    init = "pca" if space.shape[1] > 1 else "random"  # a space of one dimension has one principal component
    places = TSNE(init=init, perplexity=min(30, (len(space) - 1) / 3), random_state=seed).fit_transform(space)
    places = places - places.min(0)
    return np.round((GRID - 1) * places / places.max()).astype(int)


def purity(places: ArrayLike, labels: ArrayLike, n_neighbors: int = 10) -> float:
    """Mean share, in [0, 1], of the `n_neighbors` nearest neighbors of each of `places` (n, d) with the same label."""
    from sklearn.neighbors import NearestNeighbors

    places, labels = np.asarray(places), np.asarray(labels)
    if not 1 <= n_neighbors < len(places):
        raise ValueError(f"n_neighbors must be from 1 to {len(places) - 1} (all others), not {n_neighbors}")
    near = NearestNeighbors(n_neighbors=n_neighbors).fit(places).kneighbors(return_distance=False)
    return float((labels[near] == labels[:, None]).mean())
