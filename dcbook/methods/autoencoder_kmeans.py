"""AE + k-means: an autoencoder trained on the reconstruction error alone, then k-means on its latent codes."""

from torch import Tensor

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer


class AEKMeans(DeepClusterer):
    """The baseline that every autoencoder method must beat, and, fitted, the start that they share.

    `AEKMeans(start=recipe).fit(x).start_` is the trained autoencoder with the centers of the best of the recipe's
    k-means starts. Parameters and attributes: see `DeepClusterer`.
    """

    _decoder_for = None

    def __init__(self, n_clusters: int = 10, *, start=None, random_state=None, device="auto", progress="auto"):
        self.n_clusters = n_clusters
        self.start = start
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def _optimize(self) -> None:
        """Nothing more: `_initialize` has pretrained and found the centers."""

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The reconstruction error of the pretraining; {} of a start that has no decoder."""
        if getattr(self.autoencoder_, "decoder", None) is None:
            return {}
        x = self._samples(rows)
        return {"self": losses.mean_squared_error(x, self.autoencoder_(x)[1])}
