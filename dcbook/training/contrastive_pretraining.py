"""Pretraining of an encoder by instance-level contrastive learning: the second pretraining of R-DC's Fig. 1.

R-DC's caption says no more than "instance-level contrastive learning". Chosen here: SimCLR's loss, with the encoder
and the optimizer of the reconstruction that it is compared with, so that the pretext task is what differs.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Encoder
from dcbook.training.augment import Augmentation, ShiftRotation
from dcbook.training.inputs import check_images, derived_seed, seeded, stream
from dcbook.training.optimizers import Adam
from dcbook.training.pretraining import Recipe


@dataclass(frozen=True, repr=False)
class ContrastivePretraining(Recipe):
    """A recipe: train the encoder alone to tell the views of one image from those of others (NT-Xent), then k-means.

    Parameters
    ----------
    Beside those of `Recipe`:

    temperature : tau in NT-Xent, above 0 (0.5).
    projection_dim : widths of the head d → ReLU → projection_dim on top of the codes, which is thrown away (64).
    crop, flip, jitter, grayscale : of the views, see `Augmentation`; milder than SimCLR's, and unmirrored, for digits.
    shift, rotation : each view is first moved and turned, see `ShiftRotation`.

    The encoder starts from the same weights as that of `Pretraining`, seed by seed. Its start has no decoder: it is for
    DEC, AE+k-means and DCSS without phase 1, and other methods refuse it. Samples are images (N, C, H, W) in [0, 1]; a
    ValueError refuses vectors, volumes, other ranges, and settings out of range.
    """

    temperature: float = 0.5
    projection_dim: int = 64
    crop: float = 0.5
    flip: bool = False
    jitter: float = 0.5
    grayscale: float = 0.2
    shift: float = 0.1
    rotation: float = 10.0

    reconstructs: ClassVar[bool] = False

    def __post_init__(self):
        super().__post_init__()
        self._views()
        if min(self.temperature, self.projection_dim) <= 0 or self.batch_size == 1:
            raise ValueError(
                f"temperature and projection_dim must be above 0 and batch_size at least 2 (an image alone has no "
                f"negatives), not {self.temperature}, {self.projection_dim}, {self.batch_size}"
            )

    def build(self, input_shape, seed):
        """A freshly initialised `Encoder` for samples of `input_shape`; leaves torch's global stream alone."""
        return Encoder.of(super().build(input_shape, seed))

    def _views(self) -> tuple[ShiftRotation, Augmentation]:
        return (
            ShiftRotation(self.shift, self.rotation),
            Augmentation(self.crop, self.flip, self.jitter, self.grayscale),
        )

    def _updates(self, encoder, x, seed):
        check_images(type(self).__name__, x)
        head = self._head(seed).to(x.device)
        optimizer = Adam([*encoder.parameters(), *head.parameters()], self.lr)
        move, crop = self._views()
        noise = stream(seed, "pretraining views")

        def update(x: Tensor) -> dict[str, Tensor]:
            views = torch.cat([crop(move(x, noise), noise) for _ in range(2)])
            loss = losses.nt_xent(*head(encoder(views)).chunk(2), self.temperature)
            loss.backward()
            optimizer.step()
            return {"contrastive": loss}

        return update, {"head": head, "optimizer": optimizer, "noise": noise}

    def _head(self, seed: int) -> nn.Module:
        with seeded(derived_seed(seed, "projection head")):
            widths = self.latent_dim, self.projection_dim
            return nn.Sequential(nn.Linear(*widths), nn.ReLU(), nn.Linear(self.projection_dim, self.projection_dim))
