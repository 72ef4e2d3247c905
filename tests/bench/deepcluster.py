"""DeepCluster's clustering over a whole training, beside faiss from random points with the released 20 iterations."""

import time

import faiss
import numpy as np
import torch

from dcbook.clustering.refine import Refined, means
from dcbook.evaluation import nmi
from dcbook.methods import DeepCluster
from tests.bench._table import Row
from tests.bench._usps import load_usps

ITERATIONS = 20


class Timed(DeepCluster):
    """A DeepCluster that notes the CPU seconds and the inertia of each clustering, and of faiss on the same codes."""

    def _clusters_of(self, codes: torch.Tensor, generator: torch.Generator) -> Refined:
        begin = time.process_time()
        found = super()._clusters_of(codes, generator)
        middle = time.process_time()
        x, k = codes.numpy(), self.n_clusters
        theirs = faiss.Kmeans(
            x.shape[1], k, niter=ITERATIONS, min_points_per_centroid=1, max_points_per_centroid=len(x)
        )
        theirs.seed = len(self.history_)
        theirs.train(x)
        labels = theirs.index.search(x, 1)[1].ravel()
        end = time.process_time()
        centers, _ = means(codes, torch.from_numpy(labels), k)
        inertia = float((codes - centers[labels]).square().sum())
        self.clusterings.append((middle - begin, end - middle, found.inertia / inertia))
        return found


def run(quick: bool) -> list[Row]:
    """Return the row of the whole training."""
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    data = load_usps("usps")
    n = 1500 if quick else len(data)
    x, y = data.images[:n], data.labels[:n]
    k, epochs = (50, 3) if quick else (200, 20)
    settings = {"width": 0.4, "hidden": 256, "pca_dim": 128, "sobel": False, "dropout": 0.0, "batch_size": 128}
    settings |= {"crop": 0.5, "flip": False, "epochs": epochs, "random_state": 0, "device": "cpu", "progress": False}
    ours = Timed(k, **settings)
    ours.clusterings = []
    ours.fit(x)
    cold = DeepCluster(k, warm_start=False, tol=0, **settings).fit(x)
    own, theirs, inertia = np.array(ours.clusterings).T
    note = (
        f"inertia {inertia.mean():.4f} × theirs, worst epoch {inertia.max():.4f}; in the end NMI with the classes "
        f"{nmi(y, ours.labels_):.3f}, from cold starts {nmi(y, cold.labels_):.3f}"
    )
    name = f"DeepCluster, all k-means of {epochs} epochs, {n:,} × 128, K = {k}, faiss with {ITERATIONS} iterations"
    return [Row(name, own.sum(), theirs.sum(), theirs.sum() / own.sum(), 5.0, note)]
