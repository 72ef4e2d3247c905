"""The views of single methods: Pillow's operations, range, repeatability, and that each part does what it says."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from dcbook.training import views
from dcbook.training.augment import Augmentation, ShiftRotation
from dcbook.training.views import OPERATIONS, Distortion, Strong

STILL = {"rotation": 0, "shift": 0, "zoom": 0, "flip": False, "channels": 0, "gain": 1}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(channels=3, n=40, height=12, width=12, seed=1):
    """Images of 8-bit levels, smooth enough that histograms and borders matter."""
    x = torch.rand(n, channels, height, width, generator=generator(seed)) ** 2
    return (255 * x).round() / 255


def pillow(x):
    levels = (255 * x).round().byte().numpy()
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))


def tensor(image):
    array = np.asarray(image, np.float32) / 255
    return torch.tensor(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))


@pytest.mark.parametrize("view", [Strong(), Distortion(), Distortion.mild(flip=False), Strong(operations=9, hole=1)])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_views_have_the_shape_and_range_and_repeat(view, channels):
    x = batch(channels, height=9, width=7)
    state, before = torch.random.get_rng_state(), x.clone()
    first, again, other = (view(x, generator(seed)) for seed in (0, 0, 1))
    assert first.shape == x.shape and first.min() >= 0 and first.max() <= 1 and first.isfinite().all()
    assert torch.equal(first, again) and torch.equal(x, before)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (first != other).flatten(1).any(1).float().mean() > 0.9


def test_no_strength_no_change():
    x = batch()
    torch.testing.assert_close(Distortion(**STILL)(x, generator()), x)
    assert torch.equal(Strong(operations=0, flip=False, hole=0)(x, generator()), x)


# --- V-strong ------------------------------------------------------------------------------------------------------

ENHANCERS = {
    "color": ImageEnhance.Color,
    "contrast": ImageEnhance.Contrast,
    "brightness": ImageEnhance.Brightness,
    "sharpness": ImageEnhance.Sharpness,
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ENHANCERS)
def test_enhancements_are_pillows(name, channels):
    x, t = batch(channels), torch.linspace(0, 1, 40)
    ours = OPERATIONS[name](x, t)
    for image, magnitude, changed in zip(x, t.tolist(), ours, strict=True):
        theirs = tensor(ENHANCERS[name](pillow(image)).enhance(0.05 + 0.9 * magnitude))
        torch.testing.assert_close(changed, theirs, atol=2.5 / 255, rtol=0)  # which rounds on the way


@pytest.mark.parametrize("channels", [1, 3])
def test_histograms_are_pillows(channels):
    x, t = batch(channels, n=20, height=40, width=40), torch.rand(20, generator=generator())
    x[3], x[4, 0], x[5, :, 3:] = 0.2, 0.4, 0.0
    for name, theirs in (("autocontrast", ImageOps.autocontrast), ("equalize", ImageOps.equalize)):
        for image, changed in zip(x, OPERATIONS[name](x, t), strict=True):
            torch.testing.assert_close(changed, tensor(theirs(pillow(image))), atol=1.01 / 255, rtol=0, msg=name)
    assert not torch.allclose(OPERATIONS["equalize"](x, t)[0], x[0], atol=0.1)


def test_solarize_and_posterize_are_pillows():
    x, t = batch(), torch.linspace(0, 0.999, 40)
    bits = [4] * 8 + [5] * 8 + [6] * 8 + [7] * 8 + [8] * 8  # equally often; released: 4 to 7
    solarized, posterized = OPERATIONS["solarize"](x, t), OPERATIONS["posterize"](x, t)
    for i, magnitude in enumerate(t.tolist()):
        theirs = tensor(ImageOps.solarize(pillow(x[i]), 255 * magnitude))
        torch.testing.assert_close(solarized[i], theirs)
        theirs = tensor(ImageOps.posterize(pillow(x[i]), bits[i]))
        torch.testing.assert_close(posterized[i], theirs)


def test_shifts_and_shears_move_so_many_pixels():
    x = batch(n=2, height=20, width=10)
    ends = torch.tensor([0.0, 1.0])
    right, left = OPERATIONS["translate x"](x, ends)
    torch.testing.assert_close(right[:, :, 1:], x[0, :, :, :-1])
    torch.testing.assert_close(left[:, :, :-1], x[1, :, :, 1:])
    assert not right[:, :, 0].any() and not left[:, :, -1].any(), "what comes in is black"
    down, up = OPERATIONS["translate y"](x, ends)
    torch.testing.assert_close(down[:, 2:], x[0, :, :-2])
    torch.testing.assert_close(up[:, :-2], x[1, :, 2:])
    ramp = torch.arange(30.0).view(1, 1, 1, 30).expand(1, 1, 30, 30) / 30
    sheared = OPERATIONS["shear x"](ramp, torch.tensor([1.0]))
    moved = 30 * (sheared - ramp)[0, 0, :, 15]
    torch.testing.assert_close(moved, 0.1 * (torch.arange(30.0) - 14.5), atol=1e-3, rtol=0)
    sheared = OPERATIONS["shear y"](ramp.transpose(2, 3), torch.tensor([0.0]))
    torch.testing.assert_close(30 * (sheared - ramp.transpose(2, 3))[0, 0, 15], 0.1 * (14.5 - torch.arange(30.0)))


def test_rotation_turns_by_up_to_thirty_degrees():
    x = torch.zeros(3, 1, 41, 41)
    x[:, :, 20, 30] = 1  # ten pixels right of the center
    turned = OPERATIONS["rotate"](x, torch.tensor([0.0, 0.5, 1.0]))
    for image, angle in zip(turned, (30, 0, -30), strict=True):
        weights = image[0] / image.sum()
        down, across = (weights.sum(1) @ torch.arange(41.0) - 20), (weights.sum(0) @ torch.arange(41.0) - 20)
        assert torch.rad2deg(torch.atan2(down, across)).item() == pytest.approx(angle, abs=1.5)


def test_holes_have_sides_from_one_pixel_on_and_the_mean_of_the_batch():
    x = torch.rand(2000, 1, 16, 16, generator=generator()) + torch.linspace(0, 1, 2000).view(-1, 1, 1, 1)
    view = Strong(operations=0, flip=False, hole=0.5)(x / 2, generator(2))
    changed = view != x / 2
    torch.testing.assert_close(view[changed], (x / 2).mean().expand(int(changed.sum())))
    height, width = changed.any(3).sum(2).flatten(), changed.any(2).sum(2).flatten()
    assert height.max() == width.max() == 8 and height.min() >= 0
    whole = (changed[:, 0, 8].any(1)) & (changed[:, 0, :, 8].any(1))  # with a center that is away from the border
    assert set(height[whole].tolist()) >= {1, 2, 3, 4, 5, 6, 7, 8}


def test_each_operation_is_drawn_equally_often(monkeypatch):
    counts = dict.fromkeys(OPERATIONS, 0)

    def counting(name):
        def operation(x, t):
            counts[name] += len(x)
            return x

        return operation

    monkeypatch.setattr(views, "OPERATIONS", {name: counting(name) for name in OPERATIONS})
    Strong()(torch.rand(7000, 1, 2, 2, generator=generator()), generator())
    assert sum(counts.values()) == 4 * 7000 and len(counts) == 14
    assert all(abs(count - 2000) < 200 for count in counts.values())


# --- V-DAC ---------------------------------------------------------------------------------------------------------


def test_each_part_of_a_distortion_does_what_it_says():
    x = batch(n=600, height=21, width=21)

    def view(**part):
        return Distortion(**STILL | part)(x, generator())

    mirrored = torch.isclose(view(flip=True), x.flip(3), atol=1e-5).flatten(1).all(1)
    assert 0.4 < mirrored.float().mean() < 0.6
    torch.testing.assert_close(view(gain=0.9), 0.9 * x)
    shifted = view(channels=0.1)
    inside = (shifted > x.amin((1, 2, 3), keepdim=True)) & (shifted < x.amax((1, 2, 3), keepdim=True))
    levels = (shifted - x)[inside]
    assert 0.095 < levels.max() <= 0.1001 and -0.1001 <= levels.min() < -0.095
    middle = (shifted - x)[:, :, 10, 10]
    assert (middle[:, 0] != middle[:, 1]).any(), "each channel has its own"
    ramp = torch.linspace(0, 1, 21).expand(600, 1, 21, 21)
    moved = 20 * (Distortion(**STILL | {"shift": 0.2})(ramp, generator()) - ramp)[:, 0, 10, 10]
    assert 4 < moved.max() <= 4.201 and -4.201 <= moved.min() < -4, "a fifth of 21 pixels"
    zoomed = Distortion(**STILL | {"zoom": 0.2})(ramp, generator())[:, 0, 10]
    scale = (zoomed[:, 12] - zoomed[:, 8]) / (4 / 20)
    assert 1.19 < scale.max() < 1.201 and 0.799 < scale.min() < 0.81
    spot = torch.zeros(600, 1, 41, 41)
    spot[:, :, 20, 30:32] = spot[:, :, 19:22, 30] = 1
    turned = Distortion(**STILL | {"rotation": 20})(spot, generator())[:, 0]
    down = (turned.sum(2) @ torch.arange(41.0) - 20 * turned.sum((1, 2))) / turned.sum((1, 2))
    across = (turned.sum(1) @ torch.arange(41.0) - 20 * turned.sum((1, 2))) / turned.sum((1, 2))
    angles = torch.rad2deg(torch.atan2(down, across))
    assert 18 < angles.max() < 22 and -22 < angles.min() < -18


@pytest.mark.parametrize(
    ("view", "settings", "message"),
    [
        (Distortion, {"rotation": 181}, "rotation must lie"),
        (Distortion, {"zoom": 1}, "zoom in"),
        (Distortion, {"gain": 0}, "gain in"),
        (Strong, {"operations": -1}, "operations must be at least 0"),
        (Strong, {"hole": 1.1}, "hole lie in"),
        (Augmentation, {"hue": 0.6}, "hue must lie"),
        (Augmentation, {"jittered": 1.1}, "jittered in"),
        (Augmentation, {"flip": "no"}, "flip of Augmentation must be True or False, not 'no'"),
        (Distortion, {"flip": 2}, "flip of Distortion must be True or False, not 2"),
        (Strong, {"operations": float("nan")}, "operations of Strong must be a whole number, not nan"),
        (Strong, {"operations": 2.5}, "operations of Strong must be a whole number, not 2.5"),
        (ShiftRotation, {"shift": "far"}, "shift of ShiftRotation must be a number, not 'far'"),
    ],
)
def test_strengths_out_of_range_are_refused(view, settings, message):
    with pytest.raises(ValueError, match=message):
        view(**settings)


# --- settings of Augmentation --------------------------------------------------------------------------------------


def test_hue_and_share_of_jittered_images():
    x = batch(n=500)
    none = {"crop": 1, "flip": False, "grayscale": 0}
    some = Augmentation(**none, jitter=0.5, jittered=0.3)(x, generator())
    assert ((some - x).abs() > 1e-3).flatten(1).any(1).float().mean().item() == pytest.approx(0.3, abs=0.06)
    every = Augmentation(**none, jitter=0.5, jittered=1)(x, generator())
    assert ((every - x).abs() > 1e-3).flatten(1).any(1).all()
    usual = Augmentation(**none, jitter=0.5)
    assert torch.equal(usual(x, generator()), Augmentation(**none, jitter=0.5, hue=0.1, jittered=0.8)(x, generator()))
    middling = 0.4 + 0.2 * x  # which no turn of the hue takes out of the range
    turned = Augmentation(**none, jitter=0, hue=0.5, jittered=1)(middling, generator())
    luma = torch.tensor(views.LUMA)
    torch.testing.assert_close(
        torch.einsum("c,bchw->bhw", luma, turned), torch.einsum("c,bchw->bhw", luma, middling), atol=2e-3, rtol=0
    )
    assert (turned - middling).abs().max() > 0.05
