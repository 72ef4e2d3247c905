"""The lean optimizers against torch.optim's own classes: the same numbers, without what those import."""

import pytest
import torch
from torch import nn

from dcbook.training.optimizers import SGD, Adam, RMSProp


def network():
    torch.manual_seed(0)
    unused = nn.Linear(2, 2)
    return nn.ModuleList([nn.Conv2d(1, 3, 3), nn.Sequential(nn.Flatten(), nn.Linear(48, 4)), unused])


def trained(optimizer_of, clear) -> list[torch.Tensor]:
    modules = network()
    modules[1][1].bias.requires_grad_(False)
    optimizer = optimizer_of(modules.parameters())
    x = torch.rand(8, 1, 6, 6)
    for _ in range(5):
        loss = modules[1](modules[0](x)).square().mean()
        clear(optimizer)
        loss.backward()
        optimizer.step()
    return [weight.detach() for weight in modules.parameters()]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda w: Adam(w, 1e-2), lambda w: torch.optim.Adam(w, lr=1e-2, fused=True)),
        (lambda w: Adam(w, 1e-2, eps=1e-4), lambda w: torch.optim.Adam(w, lr=1e-2, eps=1e-4, fused=True)),
        (lambda w: SGD(w, 1e-1, 0.9), lambda w: torch.optim.SGD(w, lr=1e-1, momentum=0.9, fused=True)),
        (lambda w: SGD(w, 1e-1), lambda w: torch.optim.SGD(w, lr=1e-1, fused=True)),
    ],
    ids=["adam", "adam eps", "momentum", "sgd"],
)
def test_same_as_torch(ours, theirs):
    """Five updates of a network with a frozen bias and a layer that the loss never sees."""
    lean, full = trained(ours, lambda _: None), trained(theirs, lambda optimizer: optimizer.zero_grad())
    assert not torch.equal(lean[0], network()[0].weight)
    for a, b in zip(lean, full, strict=True):
        assert torch.equal(a, b)


def test_weight_decay_is_torchs_with_gradients_of_zero_for_what_the_loss_never_sees():
    def zeroed(optimizer):
        for weight in optimizer.param_groups[0]["params"]:
            weight.grad = torch.zeros_like(weight) if weight.requires_grad else None

    lean = trained(lambda w: SGD(w, 1e-1, 0.9, 1e-2), lambda _: None)
    full = trained(lambda w: torch.optim.SGD(w, lr=1e-1, momentum=0.9, weight_decay=1e-2, fused=True), zeroed)
    plain = trained(lambda w: SGD(w, 1e-1, 0.9), lambda _: None)
    assert all(torch.equal(a, b) for a, b in zip(lean, full, strict=True))
    assert lean[-2].norm() < plain[-2].norm() and torch.equal(plain[-2], network()[2].weight)


def test_adam_with_weight_decay_is_torchs():
    def one(optimizer_of):
        torch.manual_seed(1)
        layer, x = nn.Linear(5, 3), torch.rand(8, 5)
        optimizer = optimizer_of(layer.parameters())
        for _ in range(5):
            layer(x).square().mean().backward()
            optimizer.step()
            layer.zero_grad()
        return layer.weight.detach()

    ours = one(lambda w: Adam(w, 1e-2, weight_decay=0.1))
    assert torch.equal(ours, one(lambda w: torch.optim.Adam(w, lr=1e-2, weight_decay=0.1, fused=True)))
    assert not torch.equal(ours, one(lambda w: Adam(w, 1e-2)))


def test_rmsprop_of_keras_is_torchs():
    lean = trained(lambda w: RMSProp(w, 1e-2, 0.9, 1e-8, keras=True), lambda _: None)
    full = trained(
        lambda w: torch.optim.RMSprop(w, lr=1e-2, alpha=0.9, eps=1e-8), lambda optimizer: optimizer.zero_grad()
    )
    for a, b in zip(lean, full, strict=True):
        torch.testing.assert_close(a, b)


def test_step_drops_gradients_and_stale_ones_never_count():
    weight = nn.Parameter(torch.ones(3))
    weight.grad = torch.full((3,), 100.0)
    optimizer = SGD([weight], 0.5)
    weight.sum().backward()
    optimizer.step()
    assert weight.grad is None
    assert torch.equal(weight.detach(), torch.full((3,), 0.5))
