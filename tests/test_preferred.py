"""What filters respond to: hand-worked cases, slow twins, and nothing left behind in the network."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import class_share, flatness, gradient_ascent, most_activating, responses
from dcbook.evaluation.preferred import GRAY, NOISE, _blurred
from dcbook.models import ConvNet

SHAPE = (2, 9, 8)
PLAIN = {"decay": 0, "blur": 0}


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = ConvNet((2, 12, 12), n_clusters=5, sobel=False, hidden=10, width=0.2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
    return network.train()


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(23, 2, 12, 12)).astype(np.float32)


def linear(weights):
    """One filter as large as the image: its response is their product."""
    layer = nn.Conv2d(*(len(weights), 1), weights.shape[1:], bias=False)
    layer.weight.data = weights[None]
    return nn.Sequential(layer)


# --- images of a set -------------------------------------------------------------------------------------------------


def test_responses_are_the_largest_values_before_the_relu(network, images):
    block = network.layers["conv2"]
    network.eval()
    with torch.no_grad():
        x = network.layers["conv1"](torch.from_numpy(images))
        x = network.encoder.convolutions.pool1(x)
        maps = block[1](block[0](x)).numpy()
    slow = [[max(value for row in each for value in row) for each in image] for image in maps.tolist()]
    np.testing.assert_allclose(responses(network, block, images, batch_size=7), slow, atol=1e-5)
    assert np.min(slow) < 0  # a ReLU would have made it 0


def test_most_activating_against_a_loop(network, images):
    layer = network.layers["conv3"]
    found = responses(network, layer, images)
    index, values = most_activating(network, layer, images, [4, 1], n=5)
    for line, filter_ in enumerate([4, 1]):
        left = list(range(len(images)))
        for place in range(5):
            best = left[0]
            for image in left:
                best = image if found[image, filter_] > found[best, filter_] else best
            left.remove(best)
            assert index[line, place] == best and values[line, place] == found[best, filter_]
    everything, _ = most_activating(network, layer, images, n=5)
    assert len(everything) == found.shape[1] and (everything[[4, 1]] == index).all()


def test_of_equal_images_the_first_comes_first():
    images = np.zeros((6, 1, 4, 4), np.uint8)
    images[[1, 4, 5], 0, 2, 3] = 255
    network = linear(torch.ones(1, 1, 1))
    index, values = most_activating(network, network[0], images, n=5)
    assert index.tolist() == [[1, 4, 5, 0, 2]] and values.tolist() == [[1, 1, 1, 0, 0]]


def test_units_without_a_map_are_filters_too(network, images):
    with torch.no_grad():
        expected = network.eval().encoder(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(responses(network, network.encoder.fc7, images), expected, atol=1e-6)


# --- images made for a filter ----------------------------------------------------------------------------------------


def test_the_image_that_a_linear_filter_prefers():
    """In [0, 1], that is 1 where the weight is positive and 0 where it is negative; its response is their sum."""
    weights = torch.from_numpy(np.random.default_rng(0).choice([-2.0, -1.0, 1.0, 2.0], SHAPE)).float()
    network = linear(weights)
    (image,) = gradient_ascent(network, network[0], [0], SHAPE, steps=60, **PLAIN)
    np.testing.assert_array_equal(image, (weights > 0).float())
    response = responses(network, network[0], image[None])
    assert response.item() == pytest.approx(weights.clamp_min(0).sum().item())


def test_where_the_pattern_is_in_the_image():
    """A filter of one bright pixel beside a dark one makes such a pair, once; decay takes the rest to gray."""
    pair = nn.Sequential(nn.Conv2d(1, 1, (1, 2), bias=False), nn.ReLU(inplace=True))
    pair[0].weight.data = torch.tensor([[[[-1.0, 1.0]]]])
    network = nn.Sequential(pair)
    (image,) = gradient_ascent(network, pair, [0], (1, 6, 7), steps=80, decay=0.3, blur=0)
    row, column = np.argwhere(image[0] == 0)[0]
    assert image[0, row, column + 1] == 1
    rest = np.delete(image[0].ravel(), [7 * row + column, 7 * row + column + 1])
    np.testing.assert_allclose(rest, GRAY, atol=1e-3)


def test_every_step_against_a_slow_twin():
    """A linear filter has one gradient: a start and its steps can be followed by hand, decay and blur fading."""
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=SHAPE)).float()
    steps, lr, decay, blur, seed = 6, 0.02, 0.2, 0.8, 3
    noise = torch.randn((2, *SHAPE), generator=torch.Generator().manual_seed(seed)).numpy()
    ends = []
    for start in noise:
        x = np.clip(GRAY + NOISE * start, 0, 1)
        for step in range(1, steps + 1):
            held = (steps - step) / steps
            x = x + lr * weights.numpy() / np.sqrt(np.mean(weights.numpy() ** 2))
            x = x - decay * held * (x - GRAY)
            if step == 4:
                x = _blurred(torch.from_numpy(x)[None].float(), blur * held)[0].numpy()
            x = np.clip(x, 0, 1)
        ends.append(x)
    best = max(ends, key=lambda x: (x * weights.numpy()).sum())
    network = linear(weights)
    options = {"steps": steps, "lr": lr, "decay": decay, "blur": blur, "seed": seed, "starts": 2}
    (image,) = gradient_ascent(network, network[0], [0], SHAPE, **options)
    np.testing.assert_allclose(image, best, atol=1e-5)


def test_blur_by_hand():
    """A Gaussian around a point, and no change of what is flat, up to the border."""
    point = torch.zeros(1, 2, 9, 9)
    point[0, 1, 4, 4] = 1
    weights = np.exp(-(np.arange(-3, 4) ** 2) / 2)
    weights /= weights.sum()
    blurred = _blurred(point, 1.0)[0].numpy()
    assert not blurred[0].any()
    np.testing.assert_allclose(blurred[1, 1:8, 1:8], np.outer(weights, weights), atol=1e-6)
    np.testing.assert_allclose(_blurred(torch.full((1, 1, 4, 5), 0.3), 2.0), 0.3, atol=1e-6)


def test_an_ascent_beats_images_of_noise_and_each_filter_is_on_its_own(network, images):
    layer = network.layers["conv5"]
    made = gradient_ascent(network, layer, [3, 0, 7], (2, 12, 12), steps=60)
    assert made.dtype == np.float32 and made.shape == (3, 2, 12, 12) and made.min() >= 0 and made.max() <= 1
    found = responses(network, layer, made)[[0, 1, 2], [3, 0, 7]]
    assert (found > responses(network, layer, images)[:, [3, 0, 7]].max(0)).all()
    (alone,) = gradient_ascent(network, layer, [0], (2, 12, 12), steps=3)
    np.testing.assert_allclose(alone, gradient_ascent(network, layer, [3, 0], (2, 12, 12), steps=3)[1], atol=1e-4)


def test_more_starts_are_no_worse(network):
    layer = network.layers["conv4"]
    ends = [gradient_ascent(network, layer, [1, 2], (2, 12, 12), steps=20, starts=n) for n in (1, 4)]
    one, four = (responses(network, layer, end)[[0, 1], [1, 2]] for end in ends)
    assert (four >= one - 1e-5).all() and (four > one + 1e-3).any()


def test_a_dead_relu_does_not_stop_it():
    """The filter is silent on all gray images, and its ReLU has no gradient there."""
    block = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU())
    block[0].weight.data.fill_(1.0)
    block[0].bias.data.fill_(-8.5)
    network = nn.Sequential(block)
    (image,) = gradient_ascent(network, block, [0], (1, 3, 3), steps=30, **PLAIN)
    assert responses(network, block, image[None]).item() == pytest.approx(0.5)


def test_nothing_is_left_behind(network, images):
    network.layers["conv1"].eval()
    modes = [module.training for module in network.modules()]
    state, layer = copy.deepcopy(network.state_dict()), network.layers["conv5"]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    ends = [gradient_ascent(network, layer, [0, 1], (2, 12, 12), steps=4, seed=seed) for seed in (1, 1, 2)]
    most_activating(network, layer, images)
    with pytest.raises(ValueError):
        gradient_ascent(network, layer, [99], (2, 12, 12))
    assert torch.rand(1) == expected
    assert (ends[0] == ends[1]).all() and (ends[0] != ends[2]).any()
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(before, network.state_dict()[name]) for name, before in state.items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": [99]}, "some of 0 to 12"),
        ({"filters": [-1]}, "some of 0 to 12"),
        ({"filters": []}, "some of 0 to 12"),
        ({"steps": 0}, "at least 1"),
        ({"starts": 0}, "at least 1"),
        ({"lr": 0.0}, "lr above 0"),
        ({"decay": 1.0}, r"decay in \[0, 1\)"),
        ({"blur": -1.0}, "blur at least 0"),
        ({"layer": nn.ReLU()}, "modules of the network"),
    ],
)
def test_what_cannot_be_made(network, options, message):
    given = {"layer": network.layers["conv5"], "filters": [0], "shape": (2, 12, 12), "steps": 1} | options
    with pytest.raises(ValueError, match=message):
        gradient_ascent(network, **given)


@pytest.mark.parametrize(("n", "filters"), [(0, [0]), (24, [0]), (3, [13]), (3, [])])
def test_what_cannot_be_ranked(network, images, n, filters):
    with pytest.raises(ValueError, match="must be"):
        most_activating(network, network.layers["conv5"], images, filters, n)


# --- numbers ---------------------------------------------------------------------------------------------------------


def test_class_share_by_hand():
    assert class_share([[3, 3, 3], [0, 1, 0], [2, 1, 0]]).tolist() == pytest.approx([1, 2 / 3, 1 / 3])


def test_flatness_by_hand():
    color, edge, corner = np.ones((2, 3, 3)), np.zeros((2, 3, 3)), np.zeros((2, 3, 3))
    color[1] = -0.5
    edge[:, :, 0], edge[:, :, 2] = 1, -1
    corner[0, 0, 0] = 7
    found = flatness([color, edge, corner, np.zeros((2, 3, 3))])
    assert found.tolist() == pytest.approx([1, 0, 1 / 9, 0])


@pytest.mark.parametrize(("sobel", "side"), [(False, 3), (True, 5)])
def test_pixel_filters_do_what_the_first_convolution_does(sobel, side):
    network = ConvNet((3, 12, 12), sobel=sobel, hidden=8, width=0.2)
    x = torch.rand(4, 3, 12, 12)
    assert network.pixel_filters.shape == (5, 3, side, side)
    with torch.no_grad():
        expected = network.layers["conv1"][0](network.encoder.convolutions.sobel(x) if sobel else x)
        found = nn.functional.conv2d(x, network.pixel_filters)
    inner = slice(side // 2, -(side // 2))
    torch.testing.assert_close(found, expected[:, :, inner, inner], atol=1e-5, rtol=1e-5)
    if sobel:
        assert flatness(network.pixel_filters.numpy()).max() < 1e-10
