"""Adam and SGD with torch's fused kernels and little overhead for short runs, and TensorFlow's RMSProp.

Adam and SGD call the functions behind `torch.optim.Adam` and `torch.optim.SGD` and give bitwise identical results.
Creating one of torch's classes imports torch._dynamo, which takes two seconds and 70 MB in every worker of a sweep.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd


class Optimizer(ABC):
    """After `loss.backward()`, `step()` updates the weights and deletes their gradients; no `zero_grad` is needed."""

    def __init__(self, weights: Iterable[nn.Parameter], lr: float):
        self.weights = [weight for weight in weights if weight.requires_grad]
        self.lr = lr
        self._drop_gradients()

    @torch.no_grad()
    def step(self) -> None:
        self._update([torch.zeros_like(w) if w.grad is None else _laid_out(w.grad, w) for w in self.weights])
        self._drop_gradients()

    @property
    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The state of the optimizer, for `load`."""

    @abstractmethod
    def load(self, tensors: dict[str, Tensor]) -> None:
        """Load the state of another optimizer of the same weights."""

    @torch.no_grad()
    def forget(self, weight: Tensor) -> None:
        """Set the running averages of one weight's gradients to 0; the number of steps is not changed."""
        i = next(i for i, other in enumerate(self.weights) if other is weight)
        for memory in self._memories(i):
            memory.zero_()

    @abstractmethod
    def _memories(self, i: int) -> list[Tensor]:
        """Running averages of the gradients of the i-th weight."""

    def _drop_gradients(self) -> None:
        for weight in self.weights:
            weight.grad = None

    @abstractmethod
    def _update(self, gradients: list[Tensor]) -> None:
        """Apply one step to the weights."""


def _laid_out(gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient in the memory layout of its weight, which the fused kernels assume."""
    return gradient if gradient.stride() == weight.stride() else torch.empty_like(weight).copy_(gradient)


class Adam(Optimizer):
    """Adam with step `lr`: Kingma & Ba 2015, Algorithm 1, default decay rates; `lr` may change between steps.

    `weight_decay` times each weight is added to its gradient first, as in `torch.optim.Adam` (not AdamW).
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, eps: float = 1e-8, weight_decay: float = 0.0):
        super().__init__(weights, lr)
        self.eps = eps
        self.weight_decay = weight_decay
        self._means = [torch.zeros_like(weight) for weight in self.weights]
        self._squares = [torch.zeros_like(weight) for weight in self.weights]
        self._steps = [torch.zeros((), device=weight.device) for weight in self.weights]

    def _memories(self, i: int) -> list[Tensor]:
        return [self._means[i], self._squares[i]]

    @property
    def tensors(self) -> dict[str, Tensor]:
        kinds = {"mean": self._means, "square": self._squares, "step": self._steps}
        return {f"{kind} {i}": tensor for kind, those in kinds.items() for i, tensor in enumerate(those)}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])

    def _update(self, gradients: list[Tensor]) -> None:
        adam(
            self.weights,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=self.eps,
            maximize=False,
        )


class SGD(Optimizer):
    """Stochastic gradient descent with step `lr` and heavy-ball `momentum` in [0, 1); `lr` may change between steps.

    `buffers` are the velocities, None before the first step. `weight_decay` times each weight is added to its gradient,
    which is 0 for a weight that the loss does not depend on. Such a weight decays too, unlike in `torch.optim.SGD`.
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__(weights, lr)
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.buffers: list[Tensor | None] = [None] * len(self.weights)

    def _memories(self, i: int) -> list[Tensor]:
        return [] if self.buffers[i] is None else [self.buffers[i]]

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {str(i): buffer for i, buffer in enumerate(self.buffers) if buffer is not None}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        found = [(weight, tensors.get(str(i))) for i, weight in enumerate(self.weights)]
        self.buffers = [None if t is None else torch.empty_like(weight).copy_(t) for weight, t in found]

    def _update(self, gradients: list[Tensor]) -> None:
        sgd(
            self.weights,
            gradients,
            self.buffers,
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=self.lr,
            dampening=0,
            nesterov=False,
            maximize=False,
        )


class RMSProp(Optimizer):
    """RMSProp with step `lr` and TensorFlow 1's defaults: s ← 0.9 s + 0.1 g², w ← w - lr g / sqrt(s + eps).

    Unlike in torch, the running squares s start at 1, and eps is inside the root. With `keras`, s starts at 0 and
    w ← w - lr g / (sqrt(s) + eps), as in Keras and, with `decay` for alpha, in torch.
    """

    def __init__(
        self, weights: Iterable[nn.Parameter], lr: float, decay: float = 0.9, eps: float = 1e-10, keras: bool = False
    ):
        super().__init__(weights, lr)
        self.decay = decay
        self.eps = eps
        self.keras = keras
        self._squares = [torch.full_like(weight, 0.0 if keras else 1.0) for weight in self.weights]

    def _memories(self, i: int) -> list[Tensor]:
        return [self._squares[i]]

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {str(i): square for i, square in enumerate(self._squares)}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor]) -> None:
        for name, tensor in self.tensors.items():
            tensor.copy_(tensors[name])

    def _update(self, gradients: list[Tensor]) -> None:
        torch._foreach_mul_(self._squares, self.decay)
        torch._foreach_addcmul_(self._squares, gradients, gradients, 1 - self.decay)
        if self.keras:
            roots = torch._foreach_sqrt(self._squares)
            torch._foreach_add_(roots, self.eps)
        else:
            roots = torch._foreach_add(self._squares, self.eps)
            torch._foreach_sqrt_(roots)
        torch._foreach_addcdiv_(self.weights, gradients, roots, -self.lr)
