"""Results of a pretext for the methods that start from it: codes, neighbors, and codes of a few fixed views."""

from dataclasses import dataclass, is_dataclass

import torch
from torch import Tensor, nn

from dcbook.clustering.neighbors import nearest_others
from dcbook.training.inputs import stream
from dcbook.training.views import View

PIECE = 512  # images at once


@dataclass(frozen=True, eq=False)
class Codes:
    """Outputs of a trained network for N samples.

    Attributes
    ----------
    samples : digest of the samples, `dcbook.data.digest.content_digest`.
    h, z : (N, d) codes and (N, p) outputs of its head, which equal the codes if it has no head; both of clean images.
    neighbors : (N, k) int64, the nearest other samples by the cosine of z, nearest first.
    views : (V, N, d) codes of V random views of each sample, drawn once.
    made_by : the view that drew them, see `view_name`, or None if unknown, as in older files of starts.
    """

    samples: str
    h: Tensor
    z: Tensor
    neighbors: Tensor
    views: Tensor
    made_by: str | None = None

    def suits(self, samples: str, n_neighbors: int, n_views: int) -> bool:
        """Whether these are codes of the given samples, with at least that many neighbors and views."""
        least = min(n_neighbors, len(self.h) - 1)
        return self.samples == samples and self.neighbors.shape[1] >= least and len(self.views) >= n_views


def view_name(view: View) -> str | None:
    """The text by which views are compared: class and settings of a dataclass; None for any other function."""
    return repr(view) if is_dataclass(view) else None


@torch.no_grad()
def codes_of(
    network: nn.Module, x: Tensor, samples: str, *, n_neighbors: int, n_views: int, view: View, seed: int
) -> Codes:
    """`Codes` of samples x (N, …) by a network with `encoder`, and `head` where it has one, in evaluation mode."""
    training = network.training
    network.eval()
    h = _encoded(network.encoder, x)
    z = _encoded(network.head, h) if hasattr(network, "head") else h
    noise = stream(seed, "fixed views")
    views = [torch.cat([network.encoder(view(part, noise)) for part in x.split(PIECE)]) for _ in range(n_views)]
    network.train(training)
    neighbors = nearest_others(nn.functional.normalize(z, dim=1), n_neighbors)[1]
    views = torch.stack(views) if views else h.new_empty(0, *h.shape)
    return Codes(samples, h, z, neighbors, views, view_name(view))


def _encoded(network: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([network(part) for part in x.split(PIECE)])
