"""Whitened codes of images, as many as a file holds: features, PCA-whitening, and length 1, in chunks."""

import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from dcbook.clustering.refine import means
from dcbook.clustering.whitening import Whitening
from dcbook.data.stored import StoredImages
from dcbook.losses import squared_distances
from dcbook.training.assignments import EVALUATION_BATCH
from dcbook.training.inputs import check_images, check_same_shape

PCA_ROWS = 1 << 15  # number of images whose features are used to fit the whitening


class WhitenedCodes:
    """The codes that DeepCluster clusters; each of several processes computes those of its share of the images.

    The network's `encoder` ends in a layer `fc7`; `_centers` are in the space of the codes.
    """

    def _codes(self, generator: torch.Generator) -> Tensor:
        """Codes (n, pca_dim) of this process's share of the images, with a newly fitted whitening."""
        n, share = len(self._x), self._group.share(len(self._x))
        if n <= PCA_ROWS:
            u = self._features(torch.arange(share.start, share.stop))
            self._learn_whitening(u)
            return self._whitening(u)
        sample = torch.randperm(n, generator=generator)[:PCA_ROWS].sort().values
        part = self._group.share(PCA_ROWS)
        self._learn_whitening(self._features(sample[part.start : part.stop]))
        return self._features(torch.arange(share.start, share.stop), self._whitening)

    def _features(self, rows: Tensor, code=lambda u: u) -> Tensor:
        """`code` of the features of the images `rows`, in evaluation mode, computed in chunks."""
        self.autoencoder_.eval()
        found, filled = None, 0
        with torch.no_grad():
            for x in self._images(rows.split(EVALUATION_BATCH)):
                u = code(self.autoencoder_.encoder(x))
                found = u.new_empty(len(rows), u.shape[1]) if found is None else found
                found[filled : filled + len(u)] = u
                filled += len(u)
        return found

    def _prepare(self, x) -> Tensor | StoredImages:
        if isinstance(x, StoredImages):
            check_is_fitted(self)
            check_same_shape(self, x.shape[1:])
            return x
        x = super()._prepare(x)
        check_images(type(self).__name__, x)
        return x

    def _embed(self, x: Tensor | StoredImages) -> Tensor:
        """Features (N, hidden) of x in evaluation mode; stored images are read in chunks."""
        if isinstance(x, Tensor):
            return super()._embed(x)
        parts = x.batches(torch.arange(len(x)).split(EVALUATION_BATCH))
        device = self.autoencoder_.encoder.fc7.weight.device
        return torch.cat([*map(super()._embed, (part.to(device) for part in parts))])

    def _images(self, parts: list[Tensor]):
        """The images of each part, (B, C, H, W) on the device."""
        if isinstance(self._x, Tensor):
            return (self._x.index_select(0, part.to(self._x.device)) for part in parts)
        return (x.to(self._device) for x in self._x.batches(parts))

    @property
    def _latent_centers(self) -> Tensor:
        """Means of the clusters' features; the centers of k-means are in the space of whitened codes."""
        u = self._features(torch.arange(len(self._x)))
        return means(u, self._pseudo_labels.to(u.device), len(self._centers))[0]

    def _learn_whitening(self, u: Tensor) -> None:
        whitening = Whitening.fit(u, self.pca_dim, self._group)
        self.whitening_mean_ = whitening.mean.cpu().numpy()
        self.whitening_projection_ = whitening.projection.cpu().numpy()

    @property
    def _whitening(self) -> Whitening:
        device = self.autoencoder_.encoder.fc7.weight.device
        return Whitening(*(torch.from_numpy(a).to(device) for a in (self.whitening_mean_, self.whitening_projection_)))

    def _soft_assignments(self, u: Tensor) -> Tensor:
        nearest = squared_distances(self._whitening(u), self._centers).argmin(1)
        return nn.functional.one_hot(nearest, len(self._centers)).to(u.dtype)
