"""GANMM, a mixture of GANs: Yu & Zhou, "Mixture of GANs for clustering", IJCAI 2018.

| symbol | name in code | shape       | meaning                                                                  |
|--------|--------------|-------------|--------------------------------------------------------------------------|
| x      | codes        | (N, d)      | codes of an autoencoder, standardized, or pixels as they are             |
| e      | noise        | (K, B, ·)   | standard normal, of 64 dimensions, or 128 for images                     |
| G_k    | generators   | → (K, B, d) | K networks; loss -mean D_k(G_k(e))                                       |
| D_k    | critics      | → (K, B)    | K networks; loss mean D_k(G_k(e)) - mean D_k(x)                          |
| p      | self.head_   | → (B, K)    | probability that G_k made the sample; loss: cross-entropy of softmax(p)  |
| 1 - ε  | own_share    |             | share of a critic's samples that p gives to its cluster                  |

First, each GAN is trained on a random part of the samples. Then, in each round of ε-EM, the classifier makes one step
on samples of each generator, each generator one step, and each critic five steps, on samples that p assigns to its
cluster k and a few samples of other clusters, drawn by p_k. The label of a real sample is the cluster with the largest
p.

Source: the released code (eyounx/GANMM at 6cfa6c2: GANMM.py, main.py, nets), from a description; the paper was not
read. Its metric is purity, which is at least as large as accuracy, so report both; which round its paper reports is
not known. The K GANs start alike and separate only by chance, so report every seed. The released code and this
implementation:

| released                                                   | here                                                   |
|------------------------------------------------------------|--------------------------------------------------------|
| two softmaxes on the classifier's output: with K = 10      | the same; `softmaxes=1` removes the second             |
| its loss cannot fall below 1.461150                        |                                                        |
| weights of critics are clipped after every step of ε-EM,   | the same                                               |
| not in the training on random parts                        |                                                        |
| UCI: a misspelled name leaves the classifier's last layer  | it is trained; `fixed_top=True` leaves it as it is     |
| as it is                                                   |                                                        |
| codes of an unspecified stacked autoencoder ("sae_mnist")  | standardized codes of `start`                          |
| one GAN after another; p recomputed for every critic step  | all GANs at once; p of all samples once per round      |
| a critic's samples in the order of a shuffled stream; from | its own drawn at random from all of its cluster; the   |
| a batch without any of its own, the one with the largest p | largest p counts only if the whole cluster is empty    |
| 60,000 of the 70,000 images of MNIST                       | all given samples                                      |
| no training on random parts (0 rounds): an error           | ε-EM from random GANs                                  |

`networks` and their computing time on one core, with 10,000 samples and K = 10:

| networks  | layers of G, D and p                     | for                                          | s per round |
|-----------|------------------------------------------|----------------------------------------------|-------------|
| codes     | 64-32-d, d-32-1, d-32-K                  | codes (released for "sae_mnist")             | 0.02        |
| uci       | 64-64-d, d-64-1, d-64-K                  | tables                                       | about 0.03  |
| pixels    | 64-128-d, d-128-1, d-128-K               | ours; images of 28×28, standardized          | 0.1         |
| images    | `dcbook.models.image_gan`, convolutional | gray images of 28×28 in [0, 1] (released for | 15          |
|           |                                          | "mnist")                                     |             |

The last two take images themselves, by `start=IdentityEncoder()`. The release makes 200,000 rounds: 34 days of one core
with the networks for images; with `width=8` a round takes 0.8 s.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.models import Classifier, IdentityEncoder, ImageClassifier, StackedPerceptrons
from dcbook.models.image_gan import SIDE, SideBySide, image_critic, image_generator
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import derived_seed, seeded, stream
from dcbook.training.optimizers import RMSProp

WIDTHS = {"codes": 32, "uci": 64, "pixels": 128, "images": 64}
CRITIC_STEPS = 5
OWN_SHARE = ((500, 0.5), (1000, 0.8), (2000, 0.9))  # (round, share before this round)
LAST_OWN_SHARE = 0.96
POOL = 4  # size of the pool for samples of other clusters, in batches


@dataclass(kw_only=True, repr=False, eq=False)
class GANMM(DeepClusterer):
    """Mixture of GANs for clustering.

    Parameters
    ----------
    In addition to those of `DeepClusterer`:

    networks : "codes", "uci", "pixels" or "images", see the table above.
    width : hidden units of "codes" (None: 32), "uci" (64) and "pixels" (128), or channels of "images" (64).
    pretraining_rounds : number of rounds on random parts (500).
    rounds : number of rounds of ε-EM (200,000).
    epoch_rounds : number of rounds in an epoch of the history, after which the monitor is called (100).
    softmaxes : 2 as released, or 1.
    fixed_top : whether the classifier's last layer keeps its first weights, as released with the networks for UCI.
    clip : bound of a critic's weights in ε-EM, above 0 (0.01).
    lr : step of RMSProp for all networks (5e-5).
    batch_size : None is 50, or all samples if there are fewer.

    Attributes
    ----------
    In addition to those of `DeepClusterer`:

    head_ : the classifier; `predict_proba` returns its p. `cluster_centers_` are the means of the clusters' codes.
    history_ : after pretraining, the phases "GAN pretraining" and "clustering" with the mean losses of each part.
    """

    start: Any = None
    networks: str = "codes"
    width: int | None = None
    pretraining_rounds: int = 500
    rounds: int = 200_000
    epoch_rounds: int = 100
    softmaxes: int = 2
    fixed_top: bool = False
    clip: float = 0.01
    lr: float = 5e-5
    batch_size: int | None = None

    SIZES: ClassVar = {"batch_size": 50}
    _decoder_for = None
    _state = (*DeepClusterer._state, "head_")

    def _optimize(self) -> None:
        u = self._embed(self._x)
        classifier, gans = self._networks(u)
        codes = classifier.standardized(u)
        self._learn_on_parts(codes, gans)
        self.head_ = classifier
        self._centers = self._cluster_means(u)
        trained = classifier.layers[:-2] if self.fixed_top else classifier.layers  # the last layer but the softmax
        optimizer, draw = RMSProp(trained.parameters(), self.lr), stream(self.seed_, "EM")
        loop = gans.state | {"of_classifier": optimizer, "draw": draw}
        epochs = -(-self.rounds // self.epoch_rounds)
        for epoch, log in self._epochs("clustering", epochs, **loop):
            first = epoch * self.epoch_rounds
            rounds = range(first, min(first + self.epoch_rounds, self.rounds))
            told = torch.stack([self._em_round(codes, gans, optimizer, i, draw) for i in rounds]).mean(0)
            self._centers = self._cluster_means(u)
            log(**dict(zip(("classifier", "generator", "critic"), told.tolist(), strict=True)))

    def _em_round(self, codes: Tensor, gans: "GANs", optimizer: RMSProp, i: int, draw: torch.Generator) -> Tensor:
        """One round of ε-EM; returns the mean losses (3,) of classifier, generators and critics."""
        size, classified = self.batch_size_, torch.zeros((), device=codes.device)
        for k, fake in enumerate(gans.samples(size, draw)):
            origin = torch.full((size,), k, device=codes.device)
            loss = losses.origin_loss(self.head_.layers(fake), origin, self.softmaxes)
            loss.backward()
            optimizer.step()
            classified += loss.detach() / self.n_clusters
        generated = gans.generator_step(size, draw)
        with torch.no_grad():
            p = self.head_.layers(codes)
        own = round(size * own_share(i))
        critics = [gans.critic_step(codes[real_rows(p, size, own, draw)], draw, self.clip) for _ in range(CRITIC_STEPS)]
        return torch.stack([classified, generated, torch.stack(critics).mean()])

    def _learn_on_parts(self, codes: Tensor, gans: "GANs") -> None:
        """The first phase: GAN k is trained on the k-th of K random parts, with batches in a fixed order."""
        draw = stream(self.seed_, "parts")
        parts = torch.randperm(len(codes), generator=draw).to(codes.device)
        parts = parts[: len(codes) // self.n_clusters * self.n_clusters].view(self.n_clusters, -1)
        size, at = self.batch_size_, torch.zeros((), dtype=torch.int64)
        epochs = -(-self.pretraining_rounds // self.epoch_rounds)
        for epoch, log in self._epochs("GAN pretraining", epochs, **gans.state, draw=draw, at=at):
            told, left = [], self.pretraining_rounds - epoch * self.epoch_rounds
            for _ in range(min(self.epoch_rounds, left)):
                generated, critics = gans.generator_step(size, draw), []
                for _ in range(CRITIC_STEPS):
                    columns = (torch.arange(size) + at) % parts.shape[1]
                    critics.append(gans.critic_step(codes[parts[:, columns.to(parts.device)]], draw))
                    at += size
                told.append(torch.stack([generated, torch.stack(critics).mean()]))
            generated, critic = torch.stack(told).mean(0).tolist()
            log(generator=generated, critic=critic)

    def _networks(self, u: Tensor) -> "tuple[Classifier | ImageClassifier, GANs]":
        """New networks for codes u (N, d), and the classifier's standardization of u."""
        d, k, width = u.shape[1], self.n_clusters, self.width or WIDTHS[self.networks]
        with seeded(derived_seed(self.seed_, "GANs")):
            if self.networks == "images":
                noise, classifier = 128, ImageClassifier(k, width)
                generators = SideBySide(image_generator(noise, width) for _ in range(k))
                critics = SideBySide(image_critic(width) for _ in range(k))
            else:
                noise, classifier = 64, Classifier(d, k, (width,))
                classifier.standardize(u.cpu())
                generators, critics = StackedPerceptrons(k, (noise, width, d)), StackedPerceptrons(k, (d, width, 1))
        gans = GANs(generators.to(self._device), critics.to(self._device), (k, noise), self.lr)
        return classifier.to(self._device), gans

    def _check_hyperparameters(self) -> None:
        if self.networks not in WIDTHS:
            raise ValueError(f"networks must be one of {', '.join(WIDTHS)}, not {self.networks!r}")
        if self.softmaxes not in (1, 2):
            raise ValueError(f"softmaxes must be 1 or 2, not {self.softmaxes}")
        if min(self.pretraining_rounds, self.rounds) < 0 or self.epoch_rounds < 1:
            raise ValueError(
                f"pretraining_rounds and rounds must be at least 0 and epoch_rounds at least 1, not "
                f"{self.pretraining_rounds}, {self.rounds}, {self.epoch_rounds}"
            )
        if min(self.clip, self.lr) <= 0:
            raise ValueError(f"clip and lr must be above 0, not {self.clip}, {self.lr}")
        if self.networks == "images" and self.batch_size == 1:
            raise ValueError('batch_size must be at least 2: batch normalization of networks="images" needs two images')
        if self.width is not None and self.width < 1:
            raise ValueError(f"width must be at least 1, or None, not {self.width}")

    def _check_samples(self, x) -> None:
        network = getattr(self.start, "autoencoder", self.start)
        if self.networks == "images" and (x[0].size != SIDE**2 or not isinstance(network, IdentityEncoder)):
            raise ValueError(
                'networks="images" needs gray images of 28×28 pixels and start=IdentityEncoder(), not samples of shape '
                f'{tuple(x.shape[1:])} with start={type(network).__name__}; networks="codes" takes codes of any start'
            )


class GANs:
    """K generators and critics with their optimizers."""

    def __init__(self, generators: nn.Module, critics: nn.Module, noise: tuple[int, int], lr: float):
        """Generators (K, B, dim) → (K, B, d) with `noise` (K, dim), critics (K, B, d) → (K, B, 1)."""
        self.generators, self.critics = generators, critics
        self._noise = noise
        self.of_generators = RMSProp(generators.parameters(), lr)
        self.of_critics = RMSProp(critics.parameters(), lr)

    @property
    def state(self) -> dict[str, nn.Module | RMSProp]:
        """What training changes, for a checkpoint."""
        return {name: part for name, part in vars(self).items() if name != "_noise"}

    def samples(self, size: int, draw: torch.Generator) -> Tensor:
        """`size` samples of each generator, (K, size, d), without gradient."""
        with torch.no_grad():
            return self._generated(size, draw)

    def generator_step(self, size: int, draw: torch.Generator) -> Tensor:
        """One step of each generator; returns the mean loss, ()."""
        loss = losses.wasserstein_generator_loss(self.critics(self._generated(size, draw)).squeeze(2))
        loss.sum().backward(inputs=self.of_generators.weights)
        self.of_generators.step()
        return loss.detach().mean()

    def critic_step(self, real: Tensor, draw: torch.Generator, clip: float = torch.inf) -> Tensor:
        """One step of each critic on its samples `real` (K, B, d), then clipping to ±clip; returns their mean loss."""
        fake = self.samples(real.shape[1], draw)
        loss = losses.wasserstein_critic_loss(self.critics(fake).squeeze(2), self.critics(real).squeeze(2))
        loss.sum().backward()
        self.of_critics.step()
        with torch.no_grad():
            for weight in self.of_critics.weights:
                weight.clamp_(-clip, clip)
        return loss.detach().mean()

    def _generated(self, size: int, draw: torch.Generator) -> Tensor:
        (k, dim), weight = self._noise, self.of_generators.weights[0]
        return self.generators(torch.randn(k, size, dim, generator=draw).to(weight))


def own_share(i: int) -> float:
    """The share 1 - ε of a critic's samples that are from its own cluster, in round i = 0, 1, … of ε-EM."""
    return next((share for end, share in OWN_SHARE if i < end), LAST_OWN_SHARE)


def real_rows(p: Tensor, size: int, own: int, draw: torch.Generator) -> Tensor:
    """The samples for the K critics, given probabilities p (N, K): rows (K, size) int64.

    The first `own` are random samples of cluster k (largest entry p_k), with replacement. If the cluster is empty, each
    is the sample with the largest p_k among `size` random samples. The remaining samples are from other clusters, drawn
    from a random pool with weights p_k (`drawn_by`).
    """
    n, k = p.shape
    labels = p.argmax(1)
    sizes = torch.bincount(labels, minlength=k)
    by_cluster, first = labels.argsort(stable=True), sizes.cumsum(0) - sizes
    place = (torch.rand(k, own, generator=draw).to(p) * sizes.unsqueeze(1)).long()
    rows = by_cluster[(first.unsqueeze(1) + place.minimum((sizes - 1).unsqueeze(1))).clamp(0, n - 1)]
    for empty in (sizes == 0).nonzero().flatten().tolist():
        candidates = torch.randint(n, (own, size), generator=draw).to(p.device)
        rows[empty] = candidates.gather(1, p[candidates, empty].argmax(1, keepdim=True)).squeeze(1)
    pool = torch.randint(n, (POOL * size,), generator=draw).to(p.device)
    others = labels[pool] != torch.arange(k, device=p.device).unsqueeze(1)
    return torch.cat([rows, pool[drawn_by(p[pool].T * others, size - own, draw)]], 1)


def drawn_by(weights: Tensor, n: int, draw: torch.Generator) -> Tensor:
    """Draw `n` columns (K, n), int64, for each row of `weights` (K, P), sequentially by weight, without replacement.

    Columns of weight 0 are drawn last.
    """
    times = torch.empty(weights.shape).exponential_(generator=draw).to(weights) / weights
    return times.topk(n, dim=1, largest=False).indices
