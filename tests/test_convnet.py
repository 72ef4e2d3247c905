"""DeepCluster's networks: the released layers, and small ones that fit small images."""

import pytest
import torch
from scipy.ndimage import sobel

import dcbook._torchvision  # noqa: F401
from dcbook.models import ConvNet
from dcbook.models.convnet import Sobel


def on_paper(*arguments, **options):
    """A network without memory for its weights."""
    with torch.device("meta"):
        return ConvNet(*arguments, **options)


def test_alexnet_is_the_released_one():
    """Layers of models/alexnet.py: 96-256-384-384-256, then 9216-4096-4096, behind a Sobel filter."""
    network = on_paper((3, 224, 224), "alexnet", 1000)
    convolutions = [block[0] for block in network.layers.values()]
    assert [(c.out_channels, c.kernel_size[0], c.stride[0], c.padding[0]) for c in convolutions] == [
        (96, 11, 4, 2),
        (256, 5, 1, 2),
        (384, 3, 1, 1),
        (384, 3, 1, 1),
        (256, 3, 1, 1),
    ]
    assert convolutions[0].in_channels == 2
    assert network.encoder.fc6.in_features == 9216 and network.encoder.fc7.out_features == 4096
    maps = network.encoder.convolutions(torch.empty(1, 3, 224, 224, device="meta"))
    assert maps.shape == (1, 256, 6, 6)


def test_vgg_has_the_weights_of_torchvisions():
    from torchvision.models import vgg16_bn

    with torch.device("meta"):
        theirs = vgg16_bn(num_classes=1000)
    ours = on_paper((3, 224, 224), "vgg-16", 1000, sobel=False)
    assert [tuple(w.shape) for w in ours.parameters()] == [tuple(w.shape) for w in theirs.parameters()]


def test_sobel_is_scipys_on_the_mean_of_the_channels():
    x = torch.rand(2, 3, 9, 11, dtype=torch.float64)
    gray = x.mean(1).numpy()
    across, down = Sobel().double()(x).unbind(1)
    for i in range(2):
        torch.testing.assert_close(across[i], torch.from_numpy(-sobel(gray[i], axis=1, mode="constant")))
        torch.testing.assert_close(down[i], torch.from_numpy(-sobel(gray[i], axis=0, mode="constant")))
    assert not list(Sobel().parameters()), "the filter is fixed"


@pytest.mark.parametrize("architecture", ["alexnet-small", "vgg-small"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 96, 96)])
def test_small_networks_fit_small_images(architecture, shape):
    network = on_paper(shape, architecture, 7, hidden=20, width=0.5)
    u, scores = network(torch.empty(2, *shape, device="meta"))
    assert u.shape == (2, 20) and scores.shape == (2, 7)
    maps = network.encoder.convolutions(torch.empty(2, *shape, device="meta"))
    assert 3 <= min(maps.shape[2:]) <= 12


def test_a_new_head_forgets_and_may_have_another_size():
    torch.manual_seed(0)
    network = ConvNet((1, 8, 8), n_clusters=4, width=0.2, hidden=16)
    before, body = network.head[1].weight.clone(), network.encoder.fc7.weight.clone()
    network.renew_head()
    assert not torch.equal(before, network.head[1].weight) and torch.equal(body, network.encoder.fc7.weight)
    network.renew_head(9)
    assert network(torch.rand(2, 1, 8, 8))[1].shape == (2, 9) and network.config["n_clusters"] == 9


def test_weights_start_as_released():
    torch.manual_seed(0)
    network = ConvNet((3, 64, 64), "alexnet", hidden=4096, sobel=False)
    conv2, fc7 = network.layers["conv2"][0], network.encoder.fc7
    assert conv2.weight.std().item() == pytest.approx((2 / (5 * 5 * 256)) ** 0.5, rel=0.01)
    assert fc7.weight.std().item() == pytest.approx(0.01, rel=0.01) and not fc7.bias.any()


@pytest.mark.parametrize(
    ("arguments", "options", "what"),
    [
        (((3, 224, 224), "resnet"), {}, "architecture must be one of"),
        (((64,), "alexnet-small"), {}, "takes images"),
        (((3, 20, 20), "alexnet"), {}, "too small"),
        (((3, 32, 32),), {"width": 0}, "width must be above 0"),
        (((3, 32, 32),), {"dropout": 1.0}, "dropout in"),
    ],
)
def test_bad_input_is_refused(arguments, options, what):
    with pytest.raises(ValueError, match=what):
        on_paper(*arguments, **options)
