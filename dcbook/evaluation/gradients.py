"""Feature randomness (FR) and feature drift (FD): do the losses pull the encoder the same way?

Both are cosines, from -1 to 1, of two gradients with respect to the weights of the encoder alone, in one flat vector;
HIGHER is better, less randomness and less drift. Which two, differs from paper to paper:

| variant | FR                      | FD                                   | source                                    |
|---------|-------------------------|--------------------------------------|-------------------------------------------|
| "dynae" | supervised, total       | self, pseudo                         | nairouz/DynAE, DynAE.py:145-159, 445-458  |
| "adec"  | pseudo, supervised      | pseudo, self                         | ADEC, arXiv 1909.11832, as recalled       |
| "rgae"  | predicted, supervised   | reconstruction, class reconstruction | R-GAE, as recalled: an analog, see below  |
| "rdc"   | supervised, total       | reconstruction, total                | ours, for methods without pseudo-labels   |

| gradient               | of the loss                                                                                 |
|------------------------|---------------------------------------------------------------------------------------------|
| "self", "pseudo"       | the parts of the model's own loss, see `DeepClusterer.objectives`                           |
| "total"                | their sum                                                                                   |
| "supervised"           | MSE(z, mu_h(y)), h the Hungarian map of classes onto the current clusters, mu their centers |
| "predicted"            | MSE(z, mu_c), c the current cluster: k-means as R-GAE embeds it                             |
| "reconstruction"       | MSE(g(z), x), with the decoder as it is                                                     |
| "class reconstruction" | MSE(g(z), g(mu_h(y)))                                                                       |

A method that trains no self-supervised loss (DEC, phase 2 of DCSS) still has the decoder of its start: there "self" is
"reconstruction", and FD says whether it forgets what it was pretrained for. R-GAE reconstructs a graph, that of the
input or one drawn from the classes; an image has no graph, so here the analog of the second is the decoded center of
the true class. DynAE's released code has its cosines commented out, and takes the full data set; here a sample of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from dcbook.evaluation.scores import UNMATCHED
from dcbook.losses import mean_squared_error

VARIANTS = {
    "dynae": (("supervised", "total"), ("self", "pseudo")),
    "adec": (("pseudo", "supervised"), ("pseudo", "self")),
    "rgae": (("predicted", "supervised"), ("reconstruction", "class reconstruction")),
    "rdc": (("supervised", "total"), ("reconstruction", "total")),
}


def gradient(loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """d loss / d parameters in one flat vector, 0 where the loss doesn't depend on them; `.grad` stays as it is.

    The graph of the loss is kept, for the next loss that shares it.
    """
    parts = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def cosine(a: Tensor, b: Tensor) -> float:
    """Cosine of two vectors (n,), from -1 to 1; NaN if one is zero."""
    a, b = a.double(), b.double()
    return float((a @ b) / (a.norm() * b.norm()))


def cosines(
    model: Any,
    rows: Tensor,
    predicted: ArrayLike,
    matched: ArrayLike | None = None,
    variants: Iterable[str] = ("dynae",),
    chunk: int = 512,
) -> dict[str, float]:
    """FR and FD of a deep method that is being fitted: `fr_dynae`, `fd_dynae`, …, each from -1 to 1.

    Parameters
    ----------
    model : between two epochs of its `fit`, not of its pretraining: what a monitor gets
    rows : (B,) int64, the training samples whose gradients are taken
    predicted : (B,) clusters that they are in now, from 0 to K - 1
    matched : (B,) h(y), the clusters that their classes are mapped to, -1 for none: `match(clusters, classes)`, best of
        all samples, as two classes may be near a tie; None without labels: what needs them is left out
    variants : some of `VARIANTS`
    chunk : at most so many samples at once. Losses that are means over samples give the same as all at once; one of
        pairs of samples (phase 2 of DCSS) knows the pairs within a chunk, as it knows those within a batch in training

    A cosine is left out if the model has no such loss. {} if it doesn't tell its `objectives`. Networks are in
    evaluation mode meanwhile and left as they were.

    The sampling error, in the first 6 epochs of IDEC on USPS (standard deviations over draws, and bias): with 1,024 of
    9,298 samples "dynae" has FR ± 0.04 and FD ± 0.08, at most 0.03 low, where FD is 0.05 and 0.7; with 512, FR ± 0.05
    and FD ± 0.04, but 0.05 to 0.08 low; other variants likewise. With h from the few samples too, FR may be off by 0.2.

    Raises ValueError for an unknown variant.
    """
    variants = tuple(variants)
    if unknown := set(variants) - set(VARIANTS):
        raise ValueError(f"variants must be some of {sorted(VARIANTS)}, not {sorted(unknown)}")
    pairs = {f"{name}_{v}": pair for v in variants for name, pair in zip(("fr", "fd"), VARIANTS[v], strict=True)}
    wanted = {name for pair in pairs.values() for name in pair}
    found = encoder_gradients(model, rows, predicted, matched, wanted, chunk)
    return {name: cosine(found[a], found[b]) for name, (a, b) in pairs.items() if a in found and b in found}


def encoder_gradients(
    model: Any,
    rows: Tensor,
    predicted: ArrayLike,
    matched: ArrayLike | None = None,
    wanted: Iterable[str] = ("self", "pseudo", "total", "supervised"),
    chunk: int = 512,
) -> dict[str, Tensor]:
    """Name to gradient, a flat vector, of those losses of the table above that are `wanted` and that there are.

    The mean over chunks of equal size: of B samples, the last few that don't fill one are left out.
    """
    own = torch.as_tensor(predicted, device=rows.device)
    true = None if matched is None else torch.as_tensor(matched, device=rows.device)
    wanted, parameters = set(wanted), list(model.autoencoder_.encoder.parameters())
    count = -(-len(rows) // chunk)
    sums: dict[str, Tensor] = {}
    with evaluating(model), torch.enable_grad():
        for part in torch.arange(len(rows), device=rows.device)[: len(rows) // count * count].chunk(count):
            trained = model.objectives(rows[part])
            if not trained:
                return {}
            others = _others(model, rows[part], own[part], None if true is None else true[part], wanted - set(trained))
            for name, loss in (trained | others).items():
                sums[name] = sums.get(name, 0) + gradient(loss, parameters) / count
    sums["total"] = sum(sums[name] for name in trained)
    if "self" not in trained and "reconstruction" in sums:
        sums["self"] = sums["reconstruction"]
    return {name: each for name, each in sums.items() if name in wanted}


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """All networks of a model in evaluation mode, and back."""
    networks = [network for network in vars(model).values() if isinstance(network, nn.Module)]
    modes = [(module, module.training) for network in networks for module in network.modules()]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, training in modes:
            module.training = training


def _others(model: Any, rows: Tensor, own: Tensor, true: Tensor | None, wanted: set[str]) -> dict[str, Tensor]:
    """Losses that the model may not train, of those wanted; a class without a cluster counts for nothing."""
    if wanted <= {"pseudo", "total"}:
        return {}
    x, centers = model._samples(rows), model._latent_centers
    encoder, decoder = model.autoencoder_.encoder, getattr(model.autoencoder_, "decoder", None)
    z = encoder(x)
    found = {"predicted": mean_squared_error(centers[own], z)} if "predicted" in wanted else {}
    if true is not None:
        target = torch.where((true == UNMATCHED).unsqueeze(1), z.detach(), centers[true])
        if "supervised" in wanted:
            found["supervised"] = mean_squared_error(target, z)
    if decoder is not None and wanted & {"self", "reconstruction", "class reconstruction"}:
        x_hat = decoder(z)
        found["reconstruction"] = mean_squared_error(x, x_hat)
        if true is not None and "class reconstruction" in wanted:
            found["class reconstruction"] = mean_squared_error(decoder(target).detach(), x_hat)
    return found
