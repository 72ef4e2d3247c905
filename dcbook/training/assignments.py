"""What a deep method says of samples, in a monitor and after `fit`: their codes, clusters and soft assignments."""

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from dcbook.clustering import kmeans
from dcbook.clustering.refine import means
from dcbook.losses import squared_distances
from dcbook.training.divergence import check_codes
from dcbook.training.inputs import as_samples, stream
from dcbook.training.start import Start

EVALUATION_BATCH = 512


class Assignments(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """From samples to codes, from codes to clusters; a method changes `_soft_assignments` or `_assign`.

    Until a method has centers, clusters are those of k-means on the codes.
    """

    def predict(self, x) -> np.ndarray:
        """Clusters of x, shape (N,) int64."""
        u = self._embed(self._prepare(x))
        return (self._assign(u) if self._has_clusters else self._nearest(u).argmax(1)).cpu().numpy()

    def transform(self, x) -> np.ndarray:
        """Latent codes of x, shape (N, d) float32."""
        return self._embed(self._prepare(x)).cpu().numpy()

    def predict_proba(self, x) -> np.ndarray:
        """Soft assignments of x, shape (N, K), rows sum to 1."""
        u = self._embed(self._prepare(x))
        return (self._soft_assignments(u) if self._has_clusters else self._nearest(u)).detach().cpu().numpy()

    @property
    def labels_(self) -> np.ndarray:
        if getattr(self, "_labels", None) is None:
            if not hasattr(self, "_x"):
                raise AttributeError(f"{type(self).__name__} has no labels_ before fit")
            self._labels = self._training_labels().cpu().numpy()
        return self._labels

    @property
    def cluster_centers_(self) -> np.ndarray:
        check_is_fitted(self)
        centers = self._found_centers() if self._centers is None else self._centers
        return centers.detach().cpu().numpy()

    @property
    def start_(self) -> Start:
        check_is_fitted(self)
        return Start(self.autoencoder_, None if self._centers is None else self._centers.detach())

    # --- clusters from codes ----------------------------------------------------------------------------------------

    def _soft_assignments(self, u: Tensor) -> Tensor:
        """Latent codes (N, d) → soft assignments (N, K).

        By default the output of the network `head_`, or, if there is none yet, a one-hot vector for the nearest center.
        """
        return self.head_(u) if hasattr(self, "head_") else self._nearest(u)

    def _nearest(self, u: Tensor) -> Tensor:
        """Latent codes (N, d) → one-hot vectors (N, K) of the nearest centers, from k-means if there are none yet."""
        centers = self._found_centers() if self._centers is None else self._centers
        return nn.functional.one_hot(squared_distances(u, centers).argmin(1), len(centers)).to(u.dtype)

    def _assign(self, u: Tensor) -> Tensor:
        """Latent codes (N, d) → clusters (N,)."""
        with torch.inference_mode():
            return self._soft_assignments(u).argmax(1)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of `transform`."""
        return self.cluster_centers_.shape[1]

    @property
    def _latent_centers(self) -> Tensor:
        """Current centers (K, d) of the clusters in the latent space."""
        return self._centers.detach()

    def _cluster_means(self, u: Tensor | None = None) -> Tensor:
        """Means (K, d) of the training samples' codes u (N, d) in each cluster, or of all codes if it is empty."""
        u = self._embed(self._x) if u is None else u
        found, sizes = means(u, self._assign(u), self.n_clusters)
        return torch.where(sizes.unsqueeze(1) > 0, found, u.mean(0))

    @property
    def _has_clusters(self) -> bool:
        """Whether the method has clusters yet; a pretraining has none."""
        return self._centers is not None

    def _found_centers(self) -> Tensor:
        """Centers (K, d) where there are none: those of k-means on the codes as they are."""
        return self._kmeans(restarts=1)

    def _kmeans(self, restarts: int) -> Tensor:
        u = self._embed(self._x)
        found = kmeans(u, self.n_clusters, n_init=restarts, random_state=stream(self.seed_, "k-means"), device=u.device)
        return found.centers.to(u)

    def _training_labels(self) -> Tensor:
        """Clusters (N,) of the training samples by the current model, or by k-means if there are no centers yet."""
        u = self._embed(self._x)
        if not self._has_clusters:
            settings = {"random_state": stream(self.seed_, "k-means"), "device": u.device}
            return kmeans(u, self.n_clusters, n_init=1, **settings).labels
        return self._assign(u)

    def _restore(self, labels: Tensor, centers: Tensor) -> None:
        """Set the results of a fit that are read from a file."""
        self._labels, self._centers = labels.numpy(), centers

    # --- codes from samples -----------------------------------------------------------------------------------------

    def _prepare(self, x) -> Tensor:
        check_is_fitted(self)
        x = as_samples(self, x, fitting=False).reshape(-1, *self.input_shape_)
        networks = (self.autoencoder_, getattr(self, "head_", nn.Module()))  # an encoder may have no weights
        weights = (weight for network in networks for weight in network.parameters())
        return torch.as_tensor(x, device=next(weights, self._centers).device)

    def _embed(self, x: Tensor) -> Tensor:
        """Latent codes (N, d) in evaluation mode, computed in chunks."""
        encoder, training = self.autoencoder_.encoder, self.autoencoder_.training
        self.autoencoder_.eval()
        with torch.no_grad():
            u = x.new_empty(len(x), *encoder(x[:1]).shape[1:])
            for rows, part in zip(u.split(EVALUATION_BATCH), x.split(EVALUATION_BATCH), strict=True):
                rows.copy_(encoder(part))  # a list of small arrays would fragment the memory
        self.autoencoder_.train(training)
        check_codes(self, u, x)
        return u
