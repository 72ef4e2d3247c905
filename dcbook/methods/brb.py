"""BRB, breaking the reclustering barrier: Miklautz et al., ICLR 2025, arXiv 2411.02275; for DEC, IDEC and DCN.

| symbol | name in code         | meaning                                                                            |
|--------|----------------------|------------------------------------------------------------------------------------|
| T      | every                | epochs of clustering between two resets                                            |
| a      | kept                 | share of a weight that a reset keeps: w ← a w + (1 - a) (a new random draw)        |
|        | resets, reclusters   | the two parts, each of which can be turned off: four rows of a table               |

Deep clustering may commit early to the clusters that it found first. Therefore every T epochs all layers of the encoder
except the last, which outputs the codes, are softly reset. Then k-means recomputes the centers on at most 10,000 codes.

Source: the table and the settings of the authors' repository (config/autoencoder/baseline_comp.py and
config/brb_config.py); neither the paper nor the code of the method was read. These give a = 0.8 and T = 20 for fully
connected networks (the class defaults are 0.7 and 2), Adam with 0.001, 250 epochs of pretraining and 400 of clustering.
As there, Adam's moments of the centers are set to 0 while its step counts continue.

Our choices, where the settings say nothing: with only one of the two parts, Adam's moments are kept; weights and biases
of linear and convolutional layers are reset, with torch's default initialization (Kaiming uniform); batch normalization
and the decoder are not changed; k-means has 20 starts; DEC's and IDEC's target and DCN's assignments are recomputed at
once, and DCN's counts restart with new centers.
Not followed: 250 epochs of pretraining (the default of `start` has its own length), and the augmentation, by which a
sample and its view share a cluster.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from dcbook.clustering import kmeans
from dcbook.methods.dcn import DCN
from dcbook.methods.dec import DEC
from dcbook.methods.idec import IDEC
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.self_training import take_target

RECLUSTERED = 10_000  # largest number of codes for the k-means after a reset
RESTARTS = 20
EPOCHS = 400
MNIST_UPDATES = EPOCHS * 274  # batches of 256 out of 70,000


@dataclass(kw_only=True, repr=False, eq=False)
class Resets:
    """Adds BRB to a method whose phase "clustering" trains an encoder and `_centers`.

    Parameters
    ----------
    every : epochs between two resets, at least 1 (20).
    kept : share of each weight that a reset keeps, in [0, 1] (0.8).
    resets : whether the encoder is reset.
    reclusters : whether k-means recomputes the centers.
    """

    every: int = 20
    kept: float = 0.8
    resets: bool = True
    reclusters: bool = True

    def _epochs(self, phase: str, epochs: int, **loop: Any) -> Iterator:
        """The epochs of the method, with a reset after every `every` epochs of clustering, if training goes on."""
        for epoch, log in super()._epochs(phase, epochs, **loop):
            ended = "done" in loop and loop["done"].stop
            if phase == "clustering" and epoch and epoch % self.every == 0 and not ended:
                self._break_barrier(epoch, loop)
            yield epoch, log

    @torch.no_grad()
    def _break_barrier(self, epoch: int, loop: dict[str, Any]) -> None:
        if self.resets:
            with seeded(derived_seed(self.seed_, f"reset {epoch}")):
                soft_reset(self.autoencoder_.encoder, self.kept)
        if self.reclusters:
            draw = stream(self.seed_, f"reclustering {epoch}")
            rows = torch.randperm(len(self._x), generator=draw)[:RECLUSTERED].to(self._x.device)
            u = self._embed(self._x.index_select(0, rows))
            found = kmeans(u, self.n_clusters, n_init=RESTARTS, random_state=draw, device=u.device)
            self._centers.copy_(found.centers)  # in place: the optimizer may hold them
        self._follow(loop)

    def _follow(self, loop: dict[str, Any]) -> None:
        """Update the method's state that depends on codes and centers."""
        take_target(self)
        loop["done"].labels = None  # labels of before a reset are no sign of convergence
        if self.resets and self.reclusters:
            loop["optimizer"].forget(self._centers)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if self.every < 1 or not 0 <= self.kept <= 1:
            raise ValueError(f"every must be at least 1 and kept in [0, 1], not {self.every}, {self.kept}")


@dataclass(kw_only=True, repr=False, eq=False)
class BRB_DEC(Resets, DEC):
    """DEC with BRB: the parameters of `Resets` and `DEC`, with BRB's schedule as defaults.

    max_updates : 109,600, 400 epochs of MNIST; for 400 epochs of N samples give 400 * ceil(N / 256), such as 14,800 on
        USPS. Resets are counted in epochs of N / `batch_size` updates.
    tol : 0, so that training does not stop early.
    """

    max_updates: int = MNIST_UPDATES
    tol: float = 0.0
    optimizer: str = "adam"
    lr: float = 1e-3


@dataclass(kw_only=True, repr=False, eq=False)
class BRB_IDEC(Resets, IDEC):
    """IDEC with BRB: the parameters of `Resets` and `IDEC`, with BRB's schedule as in `BRB_DEC`."""

    max_updates: int = MNIST_UPDATES
    tol: float = 0.0


@dataclass(kw_only=True, repr=False, eq=False)
class BRB_DCN(Resets, DCN):
    """DCN with BRB: the parameters of `Resets` and `DCN`, for 400 epochs."""

    epochs: int = EPOCHS

    def _follow(self, loop: dict[str, Any]) -> None:
        self._assigned.copy_(self._assign(self._embed(self._x)))
        if self.reclusters:
            loop["counts"].fill_(float(self.initial_count))


@torch.no_grad()
def soft_reset(encoder: nn.Module, kept: float) -> None:
    """Move the weights of all linear and convolutional layers except the last towards a new random draw, in place."""
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Linear | _ConvNd)]
    for layer in layers[:-1]:
        fresh = deepcopy(layer)
        fresh.reset_parameters()
        for weight, draw in zip(layer.parameters(), fresh.parameters(), strict=True):
            weight.copy_(interpolated(weight, draw, kept))


def interpolated(weight: Tensor, draw: Tensor, kept: float) -> Tensor:
    """BRB's soft reset: a w + (1 - a) draw, with a in [0, 1]; weight and draw have the same shape."""
    return kept * weight + (1 - kept) * draw
