"""The training loop of DEC and IDEC, with a target that sharpens the model's own soft assignments.

| symbol | name in code     | shape  | equation                                            |
|--------|------------------|--------|-----------------------------------------------------|
| z_i    | u                | (B, d) | encoder output                                      |
| mu_k   | method._centers  | (K, d) | trained together with the network                   |
| q_ik   | q                | (B, K) | DEC Eq. (1), Student's t with alpha degrees of freedom |
| p_ik   | method._target   | (N, K) | DEC Eq. (3), from q over the whole data set         |
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dcbook import losses
from dcbook.training.deep_clusterer import DeepClusterer
from dcbook.training.inputs import stream, updates_in
from dcbook.training.optimizers import SGD, Adam, Optimizer


@dataclass
class Progress:
    """Progress of a training: number of updates, labels (N,) at the last target, and whether it has ended."""

    updates: int = 0
    labels: Tensor | None = None
    stop: bool = False


def self_train(method: DeepClusterer, weights: Iterable[nn.Parameter]) -> None:
    """Minimize the sum of `method.objectives(batch)` over `weights` and the centers of `method`.

    Every `update_interval` updates the target is recomputed from all samples. Training ends when less than the share
    `tol` of the labels has changed since the last target, or after `max_updates` updates. `method.n_updates_` is their
    number, also after an interruption.
    """
    method._centers = nn.Parameter(method._centers)
    optimizer = _optimizer(method, [*weights, method._centers])
    order = stream(method.seed_, "batches")
    done = Progress()
    method._target = None
    epochs = -(-method.max_updates // updates_in(len(method._x), method.batch_size_))
    try:
        for _, log in method._epochs("clustering", epochs, optimizer=optimizer, order=order, done=done):
            if done.stop:
                break
            total, before = torch.zeros((), device=method._x.device), done.updates
            for batch in method._batches(order):
                if done.updates % method.update_interval == 0:
                    labels = take_target(method)
                    done.stop = done.labels is not None and bool((labels != done.labels).float().mean() < method.tol)
                    done.labels = labels
                if done.stop or done.updates == method.max_updates:
                    break
                value = sum(method.objectives(batch).values())
                value.backward()
                optimizer.step()
                total += value.detach()
                done.updates += 1
            if done.updates > before:
                log(loss=total.item() / (done.updates - before), updates=done.updates)
    finally:
        method.n_updates_ = done.updates


def take_target(method: DeepClusterer) -> Tensor:
    """Recompute the target `method._target` (N, K) from all samples; return their clusters (N,)."""
    q = method._soft_assignments(method._embed(method._x)).detach()
    method._target = losses.target_distribution(q)
    return q.argmax(1)


def check_schedule(method: DeepClusterer) -> None:
    """Raise ValueError for an invalid schedule, optimizer or kernel."""
    if method.optimizer not in ("sgd", "adam"):
        raise ValueError(f'optimizer must be "sgd" or "adam", not {method.optimizer!r}')
    if method.max_updates < 0 or method.update_interval < 1:
        raise ValueError(
            f"max_updates must be >= 0 and update_interval >= 1, not {method.max_updates}, {method.update_interval}"
        )
    if not 0 <= method.tol <= 1 or method.lr <= 0 or method.alpha <= 0:
        raise ValueError(f"tol must lie in [0, 1], lr and alpha above 0, not {method.tol}, {method.lr}, {method.alpha}")
    if not 0 <= method.momentum < 1:
        raise ValueError(f"momentum must lie in [0, 1), not {method.momentum}")


def _optimizer(method: DeepClusterer, weights: list[nn.Parameter]) -> Optimizer:
    if method.optimizer == "adam":
        return Adam(weights, method.lr)
    return SGD(weights, method.lr, method.momentum)
