"""IMSAT, information maximizing self-augmented training: Hu, Miyato, Tokui, Matsumoto & Sugiyama, ICML 2017.

arXiv 1702.08720.

| symbol | name in code | shape  | meaning                                                                  |
|--------|--------------|--------|--------------------------------------------------------------------------|
| p(x)   | p            | (B, K) | assignments by a perceptron d-1200-1200-K with batch normalization       |
| H(p)   |              | (B,)   | entropy of an assignment: low for a confident assignment                 |
| ε_i    | self._radii  | (N,)   | distance of x_i to its 10th neighbor                                     |
| r_i    | r            | (B, …) | 0.25 ε_i in the direction in which p changes most, the virtual adversary |
| R      | "adversary"  |        | mean KL divergence of p(x + r) from p(x), p(x) without gradient          |

L = R + λ (mean H(p) - μ H(mean p)), λ = 0.1, μ = 4: each sample should have a confident assignment, and all clusters
should be used. The direction of r comes from a random one d of length 1 by one power step: it is the gradient of
KL(p(x) || p(x + 10 d)) in d. The other symbols: `dcbook.training.head_clusterer`.

Source: the released code (weihua916/imsat, imsat_cluster.py and calculate_distance.py), read; the paper's text was not
at hand. As released, passes with perturbed samples use the statistics of their batch and do not change the running
statistics. Not followed: pixels enter as x/128 - 1 there, here the values of all samples are scaled to [-1, 1]; the
file of distances that comes with the code holds distances to the 11th neighbor (a sample's distance to itself is set to
1,000 and the list is read at index 10); `n_neighbors=11` gives these. The last batch of an epoch is used. As released,
weights start normal with deviations of sqrt(0.1 / d) for the d inputs of a layer, and 0.01 / sqrt(d) in the last layer:
Chainer 1.21, which the release names, takes the root of `wscale`, which is 0.1 and 0.0001.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from dcbook import losses
from dcbook.clustering.neighbors import nearest_others
from dcbook.models import Classifier, NormalizedPerceptron
from dcbook.training.head_clusterer import HeadClusterer, statistics_kept

PROBE = 10.0  # length of the perturbation of the power step


@dataclass(kw_only=True, repr=False, eq=False)
class IMSAT(HeadClusterer):
    """Information maximization with virtual adversarial training, for vectors and small images.

    Parameters
    ----------
    In addition to those of `HeadClusterer`, except `view`, which is not used; samples may have any shape:

    start : None for a new perceptron; or a start whose encoder replaces it, a variant.
    width : of both layers of the perceptron, at least 1 (1200).
    epochs, lr : of Adam (50 epochs, 0.002); batch_size None is 250.
    lam, mu : λ and μ, weight of the information, and of H(mean p) within it, at least 0 (0.1, 4).
    n_neighbors : the neighbor whose distance is ε, at least 1 (10).
    radius : length of r as a share of ε, at least 0 (0.25); 0 removes R.
    """

    width: int = 1200
    epochs: int = 50
    lr: float = 2e-3
    lam: float = 0.1
    mu: float = 4.0
    n_neighbors: int = 10
    radius: float = 0.25

    IMAGES = False
    SIZES: ClassVar = {"batch_size": 250}
    _during_fit = (*HeadClusterer._during_fit, "_radii")

    def _losses(self, rows: Tensor, noise: torch.Generator) -> dict[str, Tensor]:
        x = self._samples(rows)
        p = self._p(x)
        parts = {}
        if self.radius:
            with statistics_kept(self.autoencoder_):
                r = self._adversary(x, p.detach(), self.radius * self._radii[rows], noise)
                parts["adversary"] = losses.kl_divergence(p.detach(), self._p(x + r))
        if self.lam:
            parts["information"] = self.lam * losses.negative_information(p, self.mu)
        return parts

    def _p(self, x: Tensor) -> Tensor:
        return self.head_(self.autoencoder_.encoder(x))

    def _adversary(self, x: Tensor, p: Tensor, lengths: Tensor, noise: torch.Generator) -> Tensor:
        """The perturbation r (B, …) of `lengths` (B,) in the direction that changes assignments most from p (B, K)."""
        scale = self._scale
        d = unit(torch.randn(x.shape, generator=noise).to(x)).requires_grad_()
        divergence = losses.kl_divergence(p, self._p(x + PROBE * scale * d))
        (gradient,) = torch.autograd.grad(divergence, d)
        return (lengths.view(-1, *[1] * (x.ndim - 1)) * unit(gradient)).detach()

    @property
    def _scale(self) -> Tensor | float:
        """The size of one unit of the network's input, in the units of the samples."""
        network = self.autoencoder_
        return network.rescaled.scale if isinstance(network, NormalizedPerceptron) else 1.0

    def _initialize(self, recipe, start) -> None:
        super()._initialize(recipe, start)
        if isinstance(self.autoencoder_, NormalizedPerceptron) and not start:
            self.autoencoder_.rescaled.to_unit_range(self._x)
        distances = nearest_others(self._x.flatten(1), self.n_neighbors)[0]
        self._radii = distances[:, -1].sqrt()

    def _fresh_network(self) -> nn.Module:
        return NormalizedPerceptron(self.input_shape_, (self.width, self.width))

    def _fresh_head(self, d: int) -> nn.Module:
        head = Classifier(d, self.n_clusters, ())
        nn.init.normal_(head.layers[0].weight, std=0.01 * d**-0.5)
        nn.init.zeros_(head.layers[0].bias)
        return head

    def _resolve_start(self, input_shape: tuple[int, ...]):
        return (None, None) if self.start is None else super()._resolve_start(input_shape)

    def _check_hyperparameters(self) -> None:
        super()._check_hyperparameters()
        if min(self.width, self.n_neighbors) < 1 or min(self.lam, self.mu, self.radius) < 0:
            raise ValueError(
                f"width and n_neighbors must be at least 1, lam, mu and radius at least 0, not {self.width}, "
                f"{self.n_neighbors}, {self.lam}, {self.mu}, {self.radius}"
            )
        if not (self.lam or self.radius):
            raise ValueError("one of lam and radius must be above 0: otherwise there is nothing to learn")


def unit(d: Tensor) -> Tensor:
    """Directions (B, …) scaled to length 1 for each sample; 0 stays 0."""
    return functional.normalize(d.flatten(1), dim=1).view_as(d)
