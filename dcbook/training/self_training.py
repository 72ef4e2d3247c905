"""The training loop that DEC and IDEC share: towards a target that sharpens the model's own soft assignments.

| symbol | name in code     | shape  | equation                                            |
|--------|------------------|--------|-----------------------------------------------------|
| z_i    | u                | (B, d) | encoder output                                      |
| mu_k   | method._centers  | (K, d) | trained together with the network                   |
| q_ik   | q                | (B, K) | DEC Eq. (1), Student's t with alpha degrees of freedom |
| p_ik   | method._target   | (N, K) | DEC Eq. (3), from q over the whole data set         |
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream
from dcbook.training.optimizers import SGD, Adam, Optimizer


def self_train(method: DeepClusterer, weights: Iterable[nn.Parameter]) -> None:
    """Minimize the sum of `method.objectives(batch)` over `weights` and the centers of `method`.

    Every `update_interval` updates the target is taken anew from all samples; training ends when less than the share
    `tol` of the labels has changed since the last target, or after `max_updates` updates.
    """
    method._centers = nn.Parameter(method._centers)
    optimizer = _optimizer(method, [*weights, method._centers])
    order = stream(method.seed_, "batches")
    labels, updates, stop = None, 0, False
    n_batches = -(-len(method._x) // method.batch_size_)
    for log in method._epochs("clustering", -(-method.max_updates // n_batches)):
        total, before = torch.zeros((), device=method._x.device), updates
        for batch in method._batches(order):
            if updates % method.update_interval == 0:
                method._target, new_labels = _target(method)
                stop = labels is not None and bool((new_labels != labels).float().mean() < method.tol)
                labels = new_labels
            if stop or updates == method.max_updates:
                break
            value = sum(method.objectives(batch).values())
            value.backward()
            optimizer.step()
            total += value.detach()
            updates += 1
        if updates > before:
            log(loss=total.item() / (updates - before), updates=updates)
        if stop:
            break
    method.n_updates_ = updates


def check_schedule(method: DeepClusterer) -> None:
    """Raise ValueError for a schedule, optimiser or kernel that `self_train` cannot run."""
    if method.optimizer not in ("sgd", "adam"):
        raise ValueError(f'optimizer must be "sgd" or "adam", not {method.optimizer!r}')
    if method.max_updates < 0 or method.update_interval < 1:
        raise ValueError(
            f"max_updates must be >= 0 and update_interval >= 1, not {method.max_updates}, {method.update_interval}"
        )
    if not 0 <= method.tol <= 1 or method.lr <= 0 or method.alpha <= 0:
        raise ValueError(f"tol must lie in [0, 1], lr and alpha above 0, not {method.tol}, {method.lr}, {method.alpha}")


def _target(method: DeepClusterer) -> tuple[Tensor, Tensor]:
    q = method._soft_assignments(method._embed(method._x)).detach()
    return losses.target_distribution(q), q.argmax(1)


def _optimizer(method: DeepClusterer, weights: list[nn.Parameter]) -> Optimizer:
    if method.optimizer == "adam":
        return Adam(weights, method.lr)
    return SGD(weights, method.lr, method.momentum)
