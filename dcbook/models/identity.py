"""The identity as encoder, for samples that are features already."""

from torch import nn


class IdentityEncoder(nn.Module):
    """u = x: the latent space is the flattened input. There are no weights and no decoder.

    Use it as `start` of a method that needs no decoder: `DCSS(K, start=IdentityEncoder(), phase1_epochs=0)` trains MNet
    on features (N, d) from any source, and `AEKMeans(K, start=IdentityEncoder())` is k-means on them.
    """

    def __init__(self):
        super().__init__()
        self.config = {}
        self.encoder = nn.Flatten()
