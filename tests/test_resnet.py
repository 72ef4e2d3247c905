"""The ResNet against torchvision's, and that it is what a start must be."""

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.methods import Start
from dcbook.models import ResNet
from dcbook.models.resnet import BasicBlock


def copied(ours, theirs):
    """Weights and buffers of `theirs` in `ours`, in their common order."""
    ours, theirs = ours.state_dict(), [t for name, t in theirs.state_dict().items() if not name.startswith("fc.")]
    assert len(ours) == len(theirs)
    return {name: tensor for name, tensor in zip(ours, theirs, strict=True)}


@pytest.mark.parametrize("architecture", ["resnet-18", "resnet-34"])
def test_it_is_torchvisions_but_for_the_stem(architecture):
    from torchvision import models

    torch.manual_seed(0)
    theirs = getattr(models, architecture.replace("-", ""))()
    theirs.conv1, theirs.maxpool, theirs.fc = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity(), nn.Identity()
    ours = ResNet((3, 16, 16), architecture)
    ours.encoder.load_state_dict(copied(ours.encoder, theirs))
    x = torch.randn(4, 3, 16, 16)
    for network in (ours, theirs):
        network.train()
    h, z = ours(x)
    assert h.shape == (4, 512) and z.shape == (4, 128)
    torch.testing.assert_close(h, theirs(x), rtol=1e-4, atol=1e-4)
    for network in (ours, theirs):
        network.eval()
    torch.testing.assert_close(ours(x)[0], theirs(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("fan_in", "width", "stride"), [(8, 8, 1), (8, 16, 2), (8, 12, 1), (8, 8, 2)])
def test_block_by_hand(fan_in, width, stride):
    torch.manual_seed(0)
    block, x = BasicBlock(fan_in, width, stride).eval(), torch.randn(2, fan_in, 7, 7)
    conv1, norm1, _, conv2, norm2 = block.block
    inner = norm2(conv2(norm1(conv1(x)).clamp_min(0)))
    outer = x if (fan_in, stride) == (width, 1) else block.shortcut[1](block.shortcut[0](x))
    torch.testing.assert_close(block(x), (inner + outer).clamp_min(0))
    assert block(x).shape == (2, width, -(-7 // stride), -(-7 // stride))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (4, 5, 9), (1, 4, 4)])
def test_any_channels_size_and_width(shape):
    network = ResNet(shape, width=4, projection_dim=6)
    h, z = network(torch.rand(3, *shape))
    assert h.shape == (3, 32) and z.shape == (3, 6)
    assert (h >= 0).all() and z.min() < 0, "H is pooled from a ReLU, Z is linear"
    assert network.encoder[0].stride == (1, 1) and not any(isinstance(m, nn.MaxPool2d) for m in network.modules())


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (2, 5, 4)])
def test_resnet_9_by_hand(shape):
    torch.manual_seed(0)
    network, x = ResNet(shape, "resnet-9", width=2, projection_dim=3).eval(), torch.rand(4, *shape)
    convolutions = [m for m in network.encoder.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in network.encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert [m.out_channels for m in convolutions] == [2, 4, 4, 4, 8, 16, 16, 16] and len(norms) == 8
    for norm in norms:
        norm.running_mean.normal_()

    def convolved(x, i):
        return norms[i](nn.functional.conv2d(x, convolutions[i].weight, padding=1)).clamp_min(0)

    def pooled(x):
        return nn.functional.max_pool2d(nn.functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)), 2)

    x2 = pooled(convolved(convolved(x, 0), 1))
    x4 = pooled(convolved(x2 + convolved(convolved(x2, 2), 3), 4))
    x8 = pooled(convolved(x4, 5))
    h, z = network(x)
    torch.testing.assert_close(h, (x8 + convolved(convolved(x8, 6), 7)).mean((2, 3)))
    assert h.shape == (4, 16) and z.shape == (4, 3)


def test_without_a_head_z_space_is_h_space():
    network = ResNet((1, 8, 8), "resnet-9", width=2, projection_dim=None)
    h, z = network(torch.rand(3, 1, 8, 8))
    assert z is h and not list(network.head.parameters())


def test_he_initialization():
    deep = ResNet((3, 8, 8)).encoder[6][0].block[3].weight
    assert deep.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


def test_other_shapes_and_architectures_are_refused():
    for shape in ((784,), (1, 28, 28, 28)):
        with pytest.raises(ValueError, match=r"images of shape \(channels, height, width\)"):
            ResNet(shape)
    with pytest.raises(ValueError, match=r"one of \['resnet-18', 'resnet-34', 'resnet-9'\], not 'resnet-50'"):
        ResNet((3, 32, 32), "resnet-50")


def test_saved_and_loaded_with_its_running_statistics(tmp_path):
    torch.manual_seed(0)
    network = ResNet((3, 8, 8), "resnet-34", width=4, projection_dim=5)
    x = torch.rand(6, 3, 8, 8)
    network.train()(x)
    start = Start(network.eval(), torch.rand(2, 32))
    start.save(tmp_path / "start")
    again = Start.load(tmp_path / "start")
    assert again.digest == start.digest and again.autoencoder.config == network.config
    with torch.no_grad():
        for ours, theirs in zip(again.autoencoder.eval()(x), network(x), strict=True):
            np.testing.assert_array_equal(ours, theirs)
