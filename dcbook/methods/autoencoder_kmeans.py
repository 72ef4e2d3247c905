"""AE + k-means: an autoencoder trained on the reconstruction error alone, then k-means on its latent codes."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer


@dataclass(kw_only=True, repr=False, eq=False)
class AEKMeans(DeepClusterer):
    """The baseline of all autoencoder methods, and, after `fit`, the start that they share.

    `AEKMeans(start=recipe).fit(x).start_` is the trained autoencoder with the centers of the best k-means run of the
    recipe. For parameters and attributes see `DeepClusterer`.
    """

    start: Any = None

    _decoder_for = None

    def _optimize(self) -> None:
        """Nothing is left to do: `_initialize` has pretrained the autoencoder and found the centers."""

    def objectives(self, rows: Tensor) -> dict[str, Tensor]:
        """The reconstruction error, as in pretraining; {} for a start without a decoder."""
        if getattr(self.autoencoder_, "decoder", None) is None:
            return {}
        x = self._samples(rows)
        return {"self": losses.mean_squared_error(x, self._reconstructed(x)[1])}
