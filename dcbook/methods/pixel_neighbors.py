"""A control for pretexts: SimCLR's network, and the neighbors of the pixels in place of its own."""

from dataclasses import dataclass, replace

from torch import nn

from dcbook.clustering.neighbors import nearest_others
from dcbook.methods.simclr_pretext import SimCLRPretext


@dataclass(kw_only=True, repr=False, eq=False)
class PixelNeighbors(SimCLRPretext):
    """`SimCLRPretext` whose `start_` holds the nearest neighbors of its training images by the cosine of the pixels.

    With `epochs=0` the network is SimCLR's before its training, with the same weights at the same seed: no pretext at
    all. What starts from it, such as `SCAN`, learns from neighbors of pixels, where it is fitted to the same images.
    Parameters are those of `SimCLRPretext`.
    """

    def _complete(self) -> None:
        pixels = nn.functional.normalize(self._x.flatten(1), dim=1)
        super()._complete()
        self.codes_ = replace(self.codes_, z=pixels, neighbors=nearest_others(pixels, self.n_neighbors)[1])
