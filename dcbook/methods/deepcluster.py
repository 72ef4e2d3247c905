"""DeepCluster: Caron, Bojanowski, Joulin & Douze, ECCV 2018, arXiv 1807.05520.

| symbol    | name in code      | shape        | meaning                                                          |
|-----------|-------------------|--------------|------------------------------------------------------------------|
| f_theta   | network.encoder   |              | convolutional network up to fc7, before its ReLU                 |
| f_theta(x)| `transform`       | (N, hidden)  | features                                                         |
|           | codes             | (n, pca_dim) | features after PCA-whitening and scaling to length 1, which are  |
|           |                   |              | clustered; each of several processes holds n of the N rows       |
| C         | self._centers     | (K, pca_dim) | centers of the codes; they are not used in training              |
| y_n       | pseudo-labels     | (N,)         | the cluster of image n                                           |
| g_W       | network.head      |              | classifier of the clusters, new in each epoch                    |

Written after the released code (facebookresearch/deepcluster at 2d1927e) and the paper from memory.
"""

import math
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook.clustering.assignment import assign
from dcbook.clustering.mini_batch import refine_in_batches
from dcbook.clustering.pic import power_iteration_clustering
from dcbook.clustering.refine import Refined, means, random_points, refine
from dcbook.data.stored import StoredImages
from dcbook.distributed import Group, joint_batch_norm
from dcbook.models import ConvNet
from dcbook.training.augment import Augmentation
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.head_clusterer import statistics_kept
from dcbook.training.inputs import check_images, derived_seed, in_batches, seeded, stream
from dcbook.training.optimizers import SGD
from dcbook.training.passing_targets import PassingTargets, stability
from dcbook.training.samplers import SAMPLERS
from dcbook.training.start import Start
from dcbook.training.whitened_codes import WhitenedCodes

CLUSTERINGS = ("k-means", "pic")


@dataclass(kw_only=True, repr=False, eq=False)
class DeepCluster(PassingTargets, WhitenedCodes, DeepClusterer):
    """DeepCluster: alternate between clustering the features and training the network to classify the clusters.

    Parameters
    ----------
    In addition to n_clusters, batch_size, random_state, device and progress of `DeepClusterer`:

    n_clusters : K, usually many times the number of classes (10,000 for ImageNet's 1,000).
    architecture, sobel, hidden, width, dropout : parameters of the `dcbook.models.ConvNet`.
    epochs, lr, sgd_momentum, weight_decay : SGD with a constant step; the head has no momentum, as released.
    reassign : passes over the images between two clusterings, which form an epoch (released, --reassign: 1). The new
        head of each epoch needs many updates, so use several passes for few images.
    pca_dim : dimension of the codes, at most `hidden`.
    clustering : "k-means", or "pic", power iteration clustering, which determines the number of clusters and ignores K.
    passes, tol : maximum number of k-means iterations in an epoch; k-means ends when an iteration lowers the inertia by
        less than the share `tol` (released: always 20 iterations).
    kmeans_batch : codes in a batch of mini-batch k-means (`dcbook.clustering.mini_batch`), at least 1; its last pass
        assigns all codes at once. None: Lloyd's algorithm, as released.
    warm_start : whether k-means starts from the last epoch's clusters (their means in the new codes); otherwise it
        starts from K random images, as released.
    repair : whether empty clusters are filled (the paper's section on trivial solutions). Otherwise they stay empty
        forever with a warm start.
    sampling : images of an epoch. "clusters": equally many from each cluster (same section); "released": as in the
        released code, see `dcbook.training.samplers`; "images": each image once.
    crop, flip, jitter, grayscale : strengths of the views, see `Augmentation`; by default colors do not change, as
        released.

    x is an array (N, C, H, W) in [0, 1] or uint8, or an `ImageFolder` or `ImageFile`, which is read when images are
    needed. Under torchrun (see `dcbook.train`) the processes share the work, and none holds all images; with the same
    seed and without dropout they get the same result as a single process.

    Attributes
    ----------
    After `fit`, in addition to those of `DeepClusterer`:

    labels_ : clusters of the trained network's codes; in a monitor, the clusters of the epoch.
    history_ : one entry per epoch: loss; clusters, the number of non-empty clusters; largest, the share of the largest
        cluster; stability, the NMI (geometric mean) with the previous epoch; passes, the iterations of k-means.
    whitening_mean_, whitening_projection_ : map from features to codes. autoencoder_ : the network, without a decoder.
    """

    n_clusters: int = field(default=100, kw_only=False)
    architecture: str = "alexnet-small"
    sobel: bool = True
    hidden: int | None = None
    width: float = 1.0
    dropout: float = 0.5
    epochs: int = 200
    lr: float = 0.05
    sgd_momentum: float = 0.9
    weight_decay: float = 1e-5
    reassign: int = 1
    pca_dim: int = 256
    clustering: str = "k-means"
    passes: int = 20
    warm_start: bool = True
    tol: float = 5e-3
    kmeans_batch: int | None = None
    repair: bool = True
    sampling: str = "clusters"
    crop: float = 0.08
    flip: bool = True
    jitter: float = 0.0
    grayscale: float = 0.0
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 256}
    _decoder_for = None
    _state = (*DeepClusterer._state, "_pseudo_labels", *PassingTargets._seconds)
    _may_change = (*DeepClusterer._may_change, "epochs")  # the step is constant, so training may be extended

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """{"pseudo": cross-entropy with the epoch's clusters} for the training images `rows` (B,), not augmented."""
        with statistics_kept(self.autoencoder_), seeded(derived_seed(self.seed_, "objectives")):  # of dropout
            _, scores = self.autoencoder_(self._samples(rows))
        return {"pseudo": nn.functional.cross_entropy(scores, self._pseudo_labels.to(scores.device)[rows])}

    @property
    def targets(self) -> Tensor:
        """The clusters (N,) of the epoch."""
        return self._pseudo_labels

    def _optimize(self) -> None:
        body = SGD(self.autoencoder_.encoder.parameters(), self.lr, self.sgd_momentum, self.weight_decay)
        for epoch, log in self._epochs("clustering and training", self.epochs, velocity=body):
            generator = stream(self.seed_, f"k-means of epoch {epoch}")
            with self._making_targets():
                codes = self._codes(generator)
                with self._clustering():
                    found = self._cluster(codes, generator)
            with ExitStack() as drawing:
                drawing.enter_context(seeded(derived_seed(self.seed_, f"epoch {epoch}")))
                self.autoencoder_.renew_head(len(self._centers))
                if not self.dropout:
                    drawing.close()  # so that other threads need not wait for the whole epoch
                loss = self._classify(self._pseudo_labels, body, epoch)
            log(loss=loss, **found)

    def _cluster(self, codes: Tensor, generator: torch.Generator) -> dict[str, float]:
        """Cluster the codes of all images into new pseudo-labels; return numbers for the history."""
        before, found = self._pseudo_labels, self._clusters_of(codes, generator)
        self._pseudo_labels = self._group.join(found.labels, len(self._x)).cpu()
        self._centers = found.centers
        return {
            "clusters": int((found.sizes > 0).sum()),
            "largest": float(found.sizes.max() / found.sizes.sum()),
            **({} if before is None else {"stability": stability(before, self._pseudo_labels)}),
            "passes": found.passes,
        }

    def _clusters_of(self, codes: Tensor, generator: torch.Generator) -> Refined:
        if self.clustering == "pic":
            labels = power_iteration_clustering(codes, device=codes.device)
            centers, sizes = means(codes, labels, int(labels.max()) + 1)
            return Refined(centers, labels, sizes, inertia=math.nan, passes=0)
        share = self._group.share(len(self._x))
        if self.warm_start and self._pseudo_labels is not None:
            labels = self._pseudo_labels[share.start : share.stop].to(codes.device)
            centers, sizes = means(codes, labels, len(self._centers), self._group)
            centers = centers[sizes > 0]
        else:
            centers = random_points(codes, self.n_clusters, len(self._x), generator, self._group)
        how = {"max_passes": self.passes, "tol": self.tol, "repair": self.repair}
        how |= {"generator": generator, "group": self._group}
        if self.kmeans_batch is None:
            return refine(codes, centers, **how)
        return refine_in_batches(codes, centers, self.kmeans_batch, len(self._x), **how)

    def _classify(self, labels: Tensor, body: SGD, epoch: int) -> float:
        """Train the network for an epoch to classify the clusters; return the mean loss."""
        network, group = self.autoencoder_.train(), self._group
        top = SGD(network.head.parameters(), self.lr, weight_decay=self.weight_decay)
        view = Augmentation(self.crop, self.flip, self.jitter, self.grayscale)
        noise = stream(self.seed_, f"views of epoch {epoch}")
        drawn = stream(self.seed_, f"images of epoch {epoch}")
        rows, targets = SAMPLERS[self.sampling](labels, drawn, self.reassign)
        wholes = in_batches(torch.arange(len(rows)), self.batch_size_)
        shares = [group.share(len(whole)) for whole in wholes]
        mine = [rows[whole[share.start : share.stop]] for whole, share in zip(wholes, shares, strict=True)]
        total = torch.zeros((), device=self._device)
        for whole, share, x in zip(wholes, shares, self._images(mine), strict=True):
            y = targets[whole[share.start : share.stop]].to(x.device)
            _, scores = network(view(x, noise, share, len(whole)))
            loss = nn.functional.cross_entropy(scores, y, reduction="sum") / len(whole)
            loss.backward()
            group.sum_gradients([*body.weights, *top.weights])
            body.step()
            top.step()
            total += len(whole) * loss.detach()
        return group.sum(total).item() / len(rows)

    def _complete(self) -> None:
        """Cluster the codes of the trained network, for `predict` and, consistently, `labels_`."""
        generator = stream(self.seed_, "k-means at the end")
        codes = self._codes(generator)
        self._cluster(codes, generator)
        nearest, _ = assign(codes, self._centers, device=codes.device)
        self._labels = self._group.join(nearest, len(self._x)).cpu().numpy()
        self.autoencoder_.eval()
        for name in (*self._during_fit, "_pseudo_labels", "_group"):
            delattr(self, name)

    def _prepare_for(self, held: dict[str, Any]) -> None:
        with seeded(self.seed_):  # the drawn weights are overwritten
            self.autoencoder_.renew_head(len(held["_centers"]))

    @property
    def _k_is_asked_for(self) -> bool:
        return self.clustering == "k-means"

    @property
    def _writes(self) -> bool:
        return self._group.rank == 0

    # --- before the training ---------------------------------------------------------------------------------------

    def _read(self, x):
        if not isinstance(x, StoredImages):
            return super()._read(x)
        self.n_features_in_ = math.prod(x.shape[1:])
        return x

    def _placed(self, x):
        return x if isinstance(x, StoredImages) else super()._placed(x)

    def _resolve_start(self, input_shape: tuple[int, ...]) -> tuple[None, None]:
        return None, None

    def _initialize(self, recipe, start) -> None:
        self._group = Group()
        own = torch.tensor(self.seed_ if self._group.rank == 0 else 0, device=self._device)
        self.seed_ = int(self._group.sum(own))
        self.autoencoder_ = joint_batch_norm(self.untrained(), self._group).to(self._device)
        self._pseudo_labels = None

    def untrained(self) -> ConvNet:
        """The network before the first epoch."""
        with seeded(derived_seed(self.seed_, "network")):
            return self._network(self.input_shape_)

    def _network(self, input_shape: tuple[int, ...]) -> ConvNet:
        shape = (self.architecture, self.n_clusters, self.sobel, self.hidden, self.width, self.dropout)
        return ConvNet(input_shape, *shape)

    def _check_hyperparameters(self) -> None:
        Augmentation(self.crop, self.flip, self.jitter, self.grayscale)
        if self.epochs < 0 or not self.lr > 0 or not 0 <= self.sgd_momentum < 1 or self.weight_decay < 0:
            raise ValueError(
                f"epochs must be at least 0, lr above 0, sgd_momentum in [0, 1) and weight_decay at least 0, not "
                f"{self.epochs}, {self.lr}, {self.sgd_momentum}, {self.weight_decay}"
            )
        if self.clustering not in CLUSTERINGS or self.sampling not in SAMPLERS:
            raise ValueError(
                f"clustering must be one of {list(CLUSTERINGS)} and sampling one of {list(SAMPLERS)}, not "
                f"{self.clustering!r} and {self.sampling!r}"
            )
        if min(self.reassign, self.pca_dim, self.passes) < 1 or not self.tol >= 0:
            raise ValueError(
                f"reassign, pca_dim and passes must be at least 1 and tol at least 0, not {self.reassign}, "
                f"{self.pca_dim}, {self.passes} and {self.tol}"
            )
        if self.kmeans_batch is not None and self.kmeans_batch < 1:
            raise ValueError(f"kmeans_batch must be at least 1, or None, not {self.kmeans_batch}")
        if self.clustering == "pic" and Group().size > 1:
            raise ValueError('clustering="pic" needs all codes in one process; use "k-means" with torchrun')
        if self.batch_size == 1:
            raise ValueError("batch_size must be at least 2: batch normalization needs two images")

    def _check_samples(self, x) -> None:
        with torch.device("meta"):
            network = self._network(tuple(x.shape[1:]))
        if self.pca_dim > network.hidden:
            raise ValueError(f"pca_dim must be at most {network.hidden}, the number of features, not {self.pca_dim}")
        if not isinstance(x, StoredImages):
            check_images(type(self).__name__, x)

    @property
    def _n_features_out(self) -> int:
        return self.autoencoder_.hidden

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags

    def _training_labels(self) -> Tensor:
        return self._pseudo_labels

    @property
    def start_(self) -> Start:
        """The network as the start of another method; without centers, which are in the space of whitened codes."""
        return Start(self.autoencoder_)
