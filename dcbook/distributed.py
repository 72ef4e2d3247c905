"""Distributed training of one model by the processes that `torchrun` starts, or by a single process."""

import os
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn


class Group:
    """The group of processes that train together: this process is `rank` of `size` in the default process group."""

    def __init__(self):
        together = distributed.is_available() and distributed.is_initialized()
        self.rank = distributed.get_rank() if together else 0
        self.size = distributed.get_world_size() if together else 1

    def sum(self, value: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value

    def share(self, n: int) -> range:
        """This process's part of 0..n-1, a contiguous range; the sizes of the parts differ by at most 1."""
        return range(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def join(self, part: Tensor, n: int) -> Tensor:
        """The n rows of all processes, concatenated, on every process; `part` holds this process's rows."""
        whole = part.new_zeros(n, *part.shape[1:])
        share = self.share(n)
        whole[share.start : share.stop] = part
        return self.sum(whole)

    def sum_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Sum the gradients over all processes, in one message."""
        if self.size == 1:
            return
        weights = [weight for weight in weights if weight.requires_grad]
        gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        flat = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
        parts = flat.split([weight.numel() for weight in weights])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)


class _Sum(torch.autograd.Function):
    """The sum over all processes as a differentiable function, which depends on the parts of all processes."""

    @staticmethod
    def forward(context, part: Tensor) -> Tensor:
        return Group().sum(part.clone())

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        return Group().sum(gradient.clone())


class JointBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization with the statistics of a batch that is distributed over processes, on any device.

    Training on parts of a batch is then equivalent to training on the batch (torch's SyncBatchNorm needs CUDA).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and Group().size > 1):
            return super().forward(x)
        count = x.new_full((1,), x.numel() / x.shape[1])
        total, n = _Sum.apply(torch.cat([x.sum((0, 2, 3)), count])).split([x.shape[1], 1])
        mean = total / n
        x = x - mean.view(-1, 1, 1)
        variance = _Sum.apply(x.square().sum((0, 2, 3))) / n  # E[x²] - E[x]² would lose its digits far from 0
        if self.track_running_stats:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * n / (n - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / (variance + self.eps).sqrt()
        return x * scale.view(-1, 1, 1) + self.bias.view(-1, 1, 1)


def joint_batch_norm(network: nn.Module, group: Group) -> nn.Module:
    """The network, with joint batch normalization if there are several processes; names and weights do not change."""
    for module in network.modules():
        if group.size > 1 and type(module) is nn.BatchNorm2d:
            module.__class__ = JointBatchNorm2d
    return network


def start_processes() -> Group:
    """Join the processes that `torchrun` started: NCCL if each has a GPU, else gloo; one process without torchrun."""
    if "RANK" in os.environ and not distributed.is_initialized():
        on_gpus = torch.cuda.device_count() >= int(os.environ["LOCAL_WORLD_SIZE"])
        if on_gpus:
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group("nccl" if on_gpus else "gloo")
    return Group()
