"""Random views: their range, repeatability, and that each strength does what it says and no more."""

import math

import pytest
import torch
from torch.nn import functional

from dcbook.training.augment import Augmentation, ShiftRotation

NONE = {"crop": 1, "flip": False, "jitter": 0, "grayscale": 0}


@pytest.fixture(scope="module")
def images():
    return torch.rand(20, 3, 10, 10, generator=torch.Generator().manual_seed(0))


def view(x, seed=0, **strengths):
    return Augmentation(**NONE | strengths)(x, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_views_have_the_shape_and_range_and_repeat(channels):
    x = torch.rand(30, channels, 7, 9, generator=torch.Generator().manual_seed(1))
    strong = {"crop": 0.2, "flip": True, "jitter": 1, "grayscale": 0.3}
    state, before = torch.random.get_rng_state(), x.clone()
    first, again, other = (view(x, seed, **strong) for seed in (0, 0, 1))
    assert first.shape == x.shape and first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and torch.equal(x, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (first != other).flatten(1).any(1).all() and (first != x).flatten(1).any(1).all()


@pytest.mark.parametrize("part", [range(0, 5), range(5, 20), range(7, 7)])
def test_a_part_of_a_batch_has_the_views_that_it_has_in_the_batch(part, images):
    """The share of one of several processes; it is empty where a batch has fewer images than there are processes."""
    of_batch, of_part = (torch.Generator().manual_seed(0) for _ in range(2))
    whole = Augmentation()(images, of_batch)
    share = Augmentation()(images[part.start : part.stop], of_part, part, 20)
    torch.testing.assert_close(share, whole[part.start : part.stop])


def test_no_strength_no_change(images):
    assert torch.equal(view(images), images)
    assert torch.equal(view(images[:, :1], grayscale=1), images[:, :1]), "one channel has no color to lose"


def test_each_parameter_changes_what_it_says(images):
    flipped = view(images, flip=True)
    mirrored = torch.isclose(flipped, images.flip(3), atol=1e-5).all(3).all(2).all(1)
    kept = torch.isclose(flipped, images, atol=1e-5).all(3).all(2).all(1)
    assert (mirrored ^ kept).all() and 4 < mirrored.sum() < 16
    gray = view(images, grayscale=1)
    assert torch.equal(gray[:, 0], gray[:, 1]) and torch.equal(gray[:, 1], gray[:, 2])
    luma = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    torch.testing.assert_close(gray[:, 0], luma)
    some = view(images.repeat(50, 1, 1, 1), grayscale=0.2)
    share = (some[:, 0] == some[:, 1]).flatten(1).all(1).float().mean().item()
    assert share == pytest.approx(0.2, abs=0.04)


def test_jitter_of_gray_levels_is_brightness_and_contrast():
    x = 0.4 + 0.1 * torch.rand(1000, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    jittered = view(x, jitter=0.5)
    mean, new_mean = x.mean((1, 2, 3)), jittered.mean((1, 2, 3))
    brightness = new_mean / mean
    contrast = (jittered.std((1, 2, 3)) / x.std((1, 2, 3))) / brightness
    for factor in (brightness, contrast):
        assert 0.6 - 1e-3 < factor.min() < 0.65 and 1.35 < factor.max() < 1.4 + 1e-3
    assert ((brightness - 1).abs() < 1e-5).float().mean().item() == pytest.approx(0.2, abs=0.04)
    restored = (jittered / brightness.view(-1, 1, 1, 1) - mean.view(-1, 1, 1, 1)) / contrast.view(-1, 1, 1, 1)
    torch.testing.assert_close(restored + mean.view(-1, 1, 1, 1), x, rtol=1e-3, atol=1e-3)


def test_jitter_of_colors_keeps_grays_gray_and_turns_hues():
    gray = view(torch.full((200, 3, 4, 4), 0.5), jitter=1)
    torch.testing.assert_close(gray[:, 0], gray[:, 2], rtol=1e-5, atol=1e-6)
    red = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1).expand(2000, 3, 2, 2)
    chroma = view(red, jitter=0.5)[:, :, 0, 0] @ torch.tensor([[0.596, 0.211], [-0.274, -0.523], [-0.322, 0.312]])
    hue = (torch.atan2(chroma[:, 1], chroma[:, 0]) - math.atan2(0.211, 0.596)).rad2deg()
    assert -36.01 < hue.min() < -35 and 35 < hue.max() < 36.01, "a tenth of a turn"
    assert (hue.abs() < 1e-2).float().mean().item() == pytest.approx(0.2, abs=0.03)


def test_crops_have_every_area_ratio_and_place_that_fits():
    windows = Augmentation(crop=0.2, flip=True).windows(20_000, torch.Generator().manual_seed(0))
    width, height, x, y = windows[:, 0, 0].abs(), windows[:, 1, 1], windows[:, 0, 2], windows[:, 1, 2]
    assert (windows[:, 0, 1] == 0).all() and (windows[:, 1, 0] == 0).all()
    area = (width * height).sort().values
    assert torch.allclose(area, torch.linspace(0.2, 1, 20_000), atol=0.02), "uniform"
    ratio = width / height
    assert 3 / 4 - 1e-4 < ratio.min() < 0.76 and 1.32 < ratio.max() < 4 / 3 + 1e-4
    for size, center in ((width, x), (height, y)):
        assert size.max() <= 1 and (center.abs() + size).max() <= 1 + 1e-6
        place = center[size < 0.9] / (1 - size[size < 0.9])
        assert torch.allclose(place.sort().values, torch.linspace(-1, 1, len(place)), atol=0.03)
    assert (windows[:, 0, 0] < 0).float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_crop_shows_its_part_of_the_image():
    down, across = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    ramps = torch.stack([across, down]).expand(50, 2, 32, 32) / 31
    crops = view(ramps, crop=0.3, flip=True)
    windows = Augmentation(**NONE | {"crop": 0.3, "flip": True}).windows(50, torch.Generator().manual_seed(0))
    middle = crops[:, :, 15:17, 15:17].mean((2, 3))
    torch.testing.assert_close(middle, (windows[:, :, 2] * 16 + 15.5) / 31, rtol=1e-3, atol=1e-3)
    slope = (crops[:, 0, 16, 20] - crops[:, 0, 16, 12]) / (8 / 31)
    torch.testing.assert_close(slope, windows[:, 0, 0], rtol=0.05, atol=0.02)


@pytest.mark.parametrize("bad", [{"crop": 0}, {"crop": 1.1}, {"jitter": -0.1}, {"jitter": 2}, {"grayscale": 1.5}])
def test_strengths_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=r"crop must lie in \(0, 1\], jitter and grayscale in \[0, 1\]"):
        Augmentation(**bad)


def moved(x, seed=0, **strengths):
    return ShiftRotation(**{"shift": 0, "rotation": 0} | strengths)(x, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 9, 9), (3, 8, 12), (2, 6, 7, 8)])
def test_moved_samples_have_the_shape_and_range_and_repeat(shape):
    x = torch.rand(20, *shape, generator=torch.Generator().manual_seed(1))
    state, before = torch.random.get_rng_state(), x.clone()
    first, again, other = (moved(x, seed, shift=0.2, rotation=20) for seed in (0, 0, 1))
    assert first.shape == x.shape and first.min() >= 0 and first.max() <= 1 + 1e-6
    assert torch.equal(first, again) and torch.equal(x, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (first != other).flatten(1).any(1).all() and (first != x).flatten(1).any(1).all()


def test_vectors_and_strengths_of_zero_change_nothing(images):
    assert moved(images) is images
    vectors = images.flatten(1)
    assert moved(vectors, shift=0.1, rotation=10) is vectors


def test_shifts_are_uniform_up_to_the_share_of_the_side_and_repeat_the_border():
    ramps = torch.arange(20.0).expand(2000, 1, 10, 20)
    shifted = moved(ramps, shift=0.2)
    assert torch.allclose((shifted[:, 0, 5, 10] - 10).sort().values, torch.linspace(-4, 4, 2000), atol=0.4)
    outside = (shifted[:, 0, 5, 0] < 1e-4).float().mean().item()
    assert outside == pytest.approx(0.5, abs=0.05), "it looks like the border"
    down = moved(ramps.transpose(2, 3), shift=0.2)[:, 0, 10, 5]
    assert torch.allclose((down - 10).sort().values, torch.linspace(-4, 4, 2000), atol=0.4)


@pytest.mark.parametrize("sides", [(21, 21), (21, 41)])
def test_turns_keep_lengths_in_pixels(sides):
    """A point off the center is found again, as far off, at the angle drawn, on images that are no square too."""
    down, across = torch.meshgrid(*(torch.arange(float(side)) - side // 2 for side in sides), indexing="ij")
    x = torch.exp(-((across - 7) ** 2 + down**2) / 2).expand(400, 1, *sides)
    turned = moved(x, rotation=30)[:, 0]
    mass = turned.sum((1, 2))
    v, h = (turned * down).sum((1, 2)) / mass, (turned * across).sum((1, 2)) / mass
    torch.testing.assert_close((v**2 + h**2).sqrt(), torch.full((400,), 7.0), rtol=0.03, atol=0)
    angle = torch.atan2(v, h).rad2deg().sort().values
    assert torch.allclose(angle, torch.linspace(-30, 30, 400), atol=3)


def test_volumes_move_along_all_axes_and_turn_in_the_last_two():
    x = torch.zeros(200, 1, 9, 9, 9)
    x[:, 0, 4, 4, 7] = 1
    turned = moved(x, rotation=40)
    assert turned[:, 0, [0, 1, 2, 3, 5, 6, 7, 8]].abs().max() < 1e-4, "a plane stays a plane"
    assert (turned[:, 0, 4, 4, 7] < 0.9).any()
    x = torch.zeros(500, 1, 9, 9, 9)
    x[:, 0, 4, 4, 4] = 1
    shifted, places = moved(x, shift=0.2), torch.arange(9.0) - 4
    for axis in (2, 3, 4):
        mass = shifted.sum([a for a in (1, 2, 3, 4) if a != axis])
        assert ((mass @ places) / mass.sum(1)).std().item() == pytest.approx(3.6 / 12**0.5, rel=0.1), axis


def test_volumes_are_what_a_sampler_of_volumes_sees():
    """The slow twin: each place of a view is interpolated among the eight around it in its sample."""
    x, shift, rotation = torch.rand(6, 2, 5, 7, 8, generator=torch.Generator().manual_seed(1)), 0.3, 25.0
    angle, across, down, along = 2 * torch.rand(4, 6, generator=torch.Generator().manual_seed(0)) - 1
    cos, sin = (rotation * angle).deg2rad().cos(), (rotation * angle).deg2rad().sin()
    turn = torch.eye(3).repeat(6, 1, 1)
    turn[:, 0, 0], turn[:, 0, 1], turn[:, 1, 0], turn[:, 1, 1] = cos, -sin * 7 / 8, sin * 8 / 7, cos
    maps = torch.cat([turn, turn @ (2 * shift * torch.stack([across, down, along], 1)).unsqueeze(2)], 2)
    grid = functional.affine_grid(maps, x.shape, align_corners=False)
    expected = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    torch.testing.assert_close(moved(x, shift=shift, rotation=rotation), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("bad", [{"shift": -0.1}, {"shift": 1}, {"rotation": -1}, {"rotation": 181}])
def test_moves_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match=r"shift must lie in \[0, 1\) and rotation in \[0, 180\] degrees"):
        ShiftRotation(**bad)
