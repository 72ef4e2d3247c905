"""Feature randomness (FR) and feature drift (FD): agreement of the losses' gradients with respect to the encoder.

Both are cosines, from -1 to 1, of two gradients with respect to the weights of the encoder alone, in one flat vector.
HIGHER is better: less randomness and less drift. The two gradients differ from paper to paper:

| variant | FR                      | FD                                   | source                                    |
|---------|-------------------------|--------------------------------------|-------------------------------------------|
| "dynae" | supervised, total       | self, pseudo                         | nairouz/DynAE, DynAE.py:145-159, 445-458  |
| "adec"  | pseudo, supervised      | pseudo, self                         | ADEC, arXiv 1909.11832, from memory       |
| "rgae"  | predicted, supervised   | reconstruction, class reconstruction | R-GAE, from memory: an analog, see below  |
| "rdc"   | supervised, total       | reconstruction, total                | ours, for methods without pseudo-labels   |

| gradient               | of the loss                                                                                 |
|------------------------|---------------------------------------------------------------------------------------------|
| "self", "pseudo"       | the parts of the model's own loss, see `DeepClusterer.objectives`                           |
| "total"                | their sum                                                                                   |
| "supervised"           | MSE(z, mu_h(y)), h the Hungarian map of classes onto the current clusters, mu their centers |
| "predicted"            | MSE(z, mu_c), c the current cluster: R-GAE's embedded k-means                               |
| "reconstruction"       | MSE(g(z), x), with the current decoder g                                                    |
| "class reconstruction" | MSE(g(z), g(mu_h(y)))                                                                       |

A method that trains no self-supervised loss (DEC, phase 2 of DCSS) still has the decoder of its start. There "self" is
"reconstruction", and FD measures whether the method forgets its pretraining. While no sample of DynAE has a
pseudo-label, its "pseudo" is 0, FD has no value, and FR says nothing of pseudo-labels. R-GAE reconstructs either the
graph of the input or one constructed from the classes. An image has no graph, so here the decoded center of the true
class is the analog of the latter. DynAE's released code computes the cosines, now commented out, on the full data set;
here they are computed on a sample.
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
    """d loss / d parameters as one flat vector, 0 where the loss does not depend on them; `.grad` is not changed.

    The computation graph is kept for other losses that share it.
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
    """FR and FD of a deep method during `fit`: `fr_dynae`, `fd_dynae`, …, each from -1 to 1.

    Parameters
    ----------
    model : the model between two epochs of `fit`, as a monitor gets it; not in pretraining
    rows : (B,) int64, indices of the training samples whose gradients are taken
    predicted : (B,) current clusters of these samples, from 0 to K - 1
    matched : (B,) h(y), the clusters that their classes are mapped to, -1 for none: `match(clusters, classes)`,
        preferably for all samples, as two classes may be nearly tied. With None (no labels), cosines that need h are
        left out
    variants : some of `VARIANTS`
    chunk : largest number of samples at once. Chunks do not change losses that are means over samples; a loss of pairs
        (phase 2 of DCSS) is restricted to pairs within a chunk, as it is to pairs within a batch in training

    A cosine is left out if the model lacks one of its losses; the result is {} if the model has no `objectives`.
    Networks are evaluated in evaluation mode and restored afterwards.

    Sampling error in the first 6 epochs of IDEC on USPS (standard deviation over draws, and bias): with 1,024 of 9,298
    samples, "dynae" has FR ± 0.04 and FD ± 0.08 with a bias of -0.03 or less, where FD is 0.05 and 0.7; with 512
    samples, FR ± 0.05 and FD ± 0.04 with a bias of -0.05 to -0.08. Other variants are similar. If h is also computed
    from the small sample, the error of FR can reach 0.2.

    Raises ValueError for an unknown variant, and unless `predicted` and `matched` have one entry for each row.
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
    """The gradients, as flat vectors, of the `wanted` losses of the table above that the model has: name → gradient.

    A gradient is the mean over chunks of equal size; samples that do not fill the last chunk are left out. Raises
    ValueError unless `predicted` and `matched` have one entry for each row.
    """
    own = torch.as_tensor(predicted, device=rows.device)
    true = None if matched is None else torch.as_tensor(matched, device=rows.device)
    for name, each in {"predicted": own, "matched": true}.items():
        if each is not None and each.shape != rows.shape:
            raise ValueError(f"{name} must have one entry for each of the {len(rows)} rows, not shape {(*each.shape,)}")
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
    """Put all networks of a model into evaluation mode, and restore their modes at the end."""
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
    """The wanted losses that the model does not have to train itself; samples of unmatched classes have weight 0."""
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
