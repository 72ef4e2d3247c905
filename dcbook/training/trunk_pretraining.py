"""Pretraining of an autoencoder on DeepCluster's trunk, for comparisons of methods on one network."""

from dataclasses import dataclass

from torch import nn

from dcbook.models import BottleneckConvNet
from dcbook.training.inputs import derived_seed, seeded
from dcbook.training.pretraining import Pretraining


@dataclass(frozen=True, repr=False)
class TrunkPretraining(Pretraining):
    """A recipe: `Pretraining` of a `BottleneckConvNet`.

    Parameters
    ----------
    In addition to those of `Pretraining`, of which `architecture` and `widths` play no part:

    width : factor on the channels of "alexnet-small", above 0.

    The trunk starts from the same weights as the network of `DeepCluster`, `SimCLR` and their relatives, seed by seed.
    """

    width: float = 1.0

    def build(self, input_shape: tuple[int, ...], seed: int) -> nn.Module:
        """A newly initialized autoencoder for images of `input_shape`; torch's global generator is not changed."""
        with seeded(derived_seed(seed, "network")):
            return BottleneckConvNet(input_shape, width=self.width, latent_dim=self.latent_dim)
