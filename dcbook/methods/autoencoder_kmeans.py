"""AE + k-means: an autoencoder trained on the reconstruction error alone, then k-means on its latent codes."""

from dcbook.methods.base import DeepClusterer


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
