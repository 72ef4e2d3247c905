"""The networks have the sizes their papers or codes give them."""

import pytest
import torch

from dcbook.models import ConvolutionalAutoencoder, FullyConnectedAutoencoder, MNet


def n_parameters(module):
    return sum(weight.numel() for weight in module.parameters())


def test_fully_connected_autoencoder_is_500_500_2000_10():
    network = FullyConnectedAutoencoder((784,))
    widths = [layer.out_features for layer in [*network.encoder, *network.decoder] if hasattr(layer, "out_features")]
    assert widths == [500, 500, 2000, 10, 2000, 500, 500, 784]
    u, x_hat = network(torch.rand(3, 784))
    assert u.shape == (3, 10) and x_hat.shape == (3, 784)
    assert u.min() < 0, "the latent space is linear"


def test_fully_connected_autoencoder_flattens_images_and_volumes():
    for shape in ((1, 28, 28), (1, 28, 28, 28)):
        network = FullyConnectedAutoencoder(shape, (16,), 4)
        u, x_hat = network(torch.rand(2, *shape))
        assert u.shape == (2, 4) and x_hat.shape == (2, torch.Size(shape).numel())


def test_convolutional_autoencoder_has_the_released_parameter_counts():
    network = ConvolutionalAutoencoder((1, 28, 28))
    assert n_parameters(network.encoder) == 277_994
    assert n_parameters(network.decoder) == 138_209


@pytest.mark.parametrize("side", [12, 16, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_convolutional_autoencoder_restores_the_shape(side, channels):
    network = ConvolutionalAutoencoder((channels, side, side), latent_dim=6)
    u, x_hat = network(torch.rand(2, channels, side, side))
    assert u.shape == (2, 6) and x_hat.shape == (2, channels, side, side)


@pytest.mark.parametrize("shape", [(784,), (1, 28, 32), (1, 8, 8), (1, 30, 30), (1, 28, 28, 28)])
def test_convolutional_autoencoder_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="multiple of 4"):
        ConvolutionalAutoencoder(shape)


def test_convolutional_autoencoder_starts_as_released():
    network = ConvolutionalAutoencoder((1, 28, 28))
    first, last = network.encoder[0], network.decoder[-1]
    bound = (6 / (25 + 25 * 32)) ** 0.5
    assert 0.9 * bound < first.weight.abs().max() <= bound, "Xavier-uniform"
    assert not network.encoder[4].bias.any() and last.bias.any(), "biases are 0, but for transposed convolutions"


def test_mnet():
    network = MNet(10, 10)
    assert n_parameters(network) == 19_722
    q = MNet(5, 3)(torch.randn(8, 5))
    torch.testing.assert_close(q.sum(1), torch.ones(8))
