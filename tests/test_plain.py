"""The released networks of DAC and DCCM, layer by layer, and what they refuse."""

import pytest
import torch
from torch import nn

from dcbook.methods import DAC, DCCM, Start
from dcbook.models import PlainConvNet


@pytest.mark.parametrize(
    ("architecture", "shape", "channels", "codes", "weights"),
    [
        ("dac", (1, 28, 28), [64, 64, 64, 128, 128, 128, 10], 10, 446_000),
        ("dac-v1", (3, 32, 32), [64, 64, 128, 128, 10], 10, 262_000),
        ("dac-96", (3, 96, 96), [64, 64, 64, 128, 128, 128, 256, 256, 256, 10], 10, 1_926_000),
        ("dccm", (3, 32, 32), [64, 64, 128, 256], 256, 408_000),
    ],
)
def test_layers(architecture, shape, channels, codes, weights):
    network = PlainConvNet(shape, architecture)
    convolutions = [layer for layer in network.encoder if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == channels
    assert network(torch.rand(2, *shape)).shape == (2, codes)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(weights, rel=0.01)
    norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in network.encoder)
    pools = sum(isinstance(layer, nn.MaxPool2d) for layer in network.encoder)
    assert norms == len(channels) + (pools if architecture != "dccm" else 0)
    assert [p for layer in convolutions for p in layer.parameters() if p.ndim == 1] == [], "no biases before a norm"


def test_first_maps_of_dccm_are_64_channels_at_half_the_size():
    x = torch.rand(2, 3, 32, 32)
    maps = PlainConvNet((3, 32, 32), "dccm").encoder[:7](x)
    assert maps.shape == (2, 64, 14, 14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((784,), "dac"), "takes images"),
        (((1, 28, 28), "dac-2"), "architecture must be one of"),
        (((1, 16, 16), "dac"), "images of 16×16 pixels are too small for dac"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PlainConvNet(*arguments)


@pytest.mark.parametrize("method", [DAC, DCCM])
def test_methods_train_on_their_released_networks(method, tmp_path):
    """The paper's settings in the small: width, number of samples and epochs."""
    x = torch.rand(24, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    small = {"discriminator": 4} if method is DCCM else {}
    model = method(3, width=4, epochs=1, passes=1, batch_size=8, random_state=0, device="cpu", **small).fit(x)
    assert isinstance(model.autoencoder_, PlainConvNet) and model.predict_proba(x).shape == (24, 3)
    model.start_.save(tmp_path / "start")
    assert Start.load(tmp_path / "start").digest == model.start_.digest
