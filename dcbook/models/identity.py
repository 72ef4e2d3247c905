"""The encoder of samples that are features already, made by another network or by hand."""

from torch import nn


class IdentityEncoder(nn.Module):
    """u = x: the latent space is the input, flattened. There is nothing to train and no decoder.

    As `start` of a method that needs none: `DCSS(K, start=IdentityEncoder(), phase1_epochs=0)` is MNet on top of
    features (N, d) of any origin, and `AEKMeans(K, start=IdentityEncoder())` k-means on them.
    """

    def __init__(self):
        super().__init__()
        self.config = {}
        self.encoder = nn.Flatten()
