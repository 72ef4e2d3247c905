"""What methods with a trunk and heads refuse, and how they say it."""

import math

import numpy as np
import pytest
from torch import nn

from dcbook.methods import (
    CC,
    DCSS,
    TEMI,
    ContrastivePretraining,
)
from dcbook.models import IdentityEncoder
from dcbook.training.views import Strong
from tests.head_clusterers.conftest import METHODS, SCANS, every_method


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("CC", {"projection_dim": 0}, "projection_dim must be at least 1, not 0"),
        ("PICA", {"width": 0}, "width of a resnet-9 must be a whole number of at least 1, not 0"),
        ("CC", {"width": 1.5}, "width of a resnet-9 must be a whole number"),
        ("DAC", {"architecture": "dac", "width": -5}, "width of dac must be above 0, not -5"),
        ("DAC", {"lower": "low"}, "lower of DAC must be a number, not 'low'"),
        ("CC", {"temperature": 0}, "temperatures must be above 0"),
        ("CC", {"balance": -1}, "at least 0"),
        ("CC", {"instance": 0, "cluster": 0, "balance": 0}, "one of the weights"),
        ("CC", {"architecture": "resnet-50"}, "architecture must be one of"),
        ("CC", {"epochs": -1}, "epochs must be at least 0"),
        ("CC", {"lr": 0}, "lr above 0"),
        ("CC", {"batch_size": 1}, "batch_size must be at least 2"),
        ("CC", {"view": None}, "view must be a view"),
        ("PICA", {"copies": 0}, "copies must be at least 1"),
        ("PICA", {"overclusters": -1}, "overclusters and balance at least 0"),
        ("PICA", {"original": None}, "original must be a view"),
        ("DAC", {"lower": 0.8, "meet": 0.7}, "0 <= lower <= meet <= upper <= 1"),
        ("DAC", {"meet": 0.95}, "0 <= lower <= meet <= upper <= 1"),
        ("DAC", {"pair_loss": "hinge"}, "pair_loss must be one of cross-entropy, squared"),
        ("DAC", {"pair_scale": "mean"}, "pair_scale one of pairs, batch"),
        ("DAC", {"passes": 0}, "passes must be at least 1"),
        ("DAC", {"anchor_scaled": "output"}, "anchor_scaled one of none, target, both"),
        ("DAC", {"block": 21}, "block must be a whole number from 1 to 20, the number of samples, not 21"),
        ("DAC", {"block": 1}, "block must be at least 2: batch normalization needs two images"),
        ("DAC", {"architecture": "dac"}, "images of 10×10 pixels are too small for dac"),
        ("DCCM", {"block": 1}, "block must be at least 2: batch normalization needs two images"),
        ("DCCM", {"link": 1.1}, "link and sure must lie"),
        ("DCCM", {"label": 0, "graph": 0, "local": 0}, "one of them above 0"),
        ("DCCM", {"discriminator": 0}, "discriminator must be at least 1"),
        ("DCCM", {"pairs": "all"}, 'pairs "linked" or "released"'),
        ("DCCM", {"architecture": "resnet-18"}, "needs a trunk with max-pooling"),
        ("SCAN", {"confidence": 1}, "confidence lie in"),
        ("SCAN", {"heads": 0}, "n_neighbors and heads must be at least 1"),
        ("SCAN", {"head_lr": 0}, "head_lr above 0"),
        ("SCAN", {"selflabel_batch_size": 1}, "selflabel_batch_size must be at least 2"),
        ("CC", {"start": ContrastivePretraining(latent_dim=2, widths=(4,), epochs=0)}, "has no instance head"),
    ],
)
def test_bad_hyperparameters_are_refused(name, change, message, images):
    with pytest.raises(ValueError, match=message):
        METHODS[name](**change).fit(images)


@every_method
def test_only_images_with_values_from_0_to_1(name, images):
    for bad in (images.flatten(1), images[:, None]):
        with pytest.raises(ValueError, match=r"needs images \(N, C, H, W\)"):
            METHODS[name]().fit(bad)
    with pytest.raises(ValueError, match=r"needs images in \[0, 1\]"):
        METHODS[name]().fit(images * 3)


@every_method
def test_new_images_must_have_values_from_0_to_1(name, images):
    model = METHODS[name](epochs=0).fit(images)
    for answer in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(ValueError, match=r"needs images in \[0, 1\], not in \[0\.\d+, 25\d\.\d+\]"):
            answer(255 * images)


def test_a_value_just_above_1_is_told_as_it_is(images):
    with pytest.raises(ValueError, match=r"not in \[0, 1\.0000002\d*\]; scale or clip them"):
        METHODS["CC"]().fit((images - images.min()) / (images - images.min()).max() * 1.00000024)


def test_a_head_that_is_not_finite_ends_the_fit(images, pretext):
    """All images in one batch: the loss before the only update is finite, and the trunk is frozen."""
    model = TEMI(3, start=pretext.start_, n_neighbors=5, epochs=1, lr=math.inf, device="cpu")
    with pytest.raises(FloatingPointError, match="TEMI diverged in epoch 1"):
        model.fit(images)


def test_an_encoder_without_layers_has_no_pooling(images):
    with pytest.raises(ValueError, match="DCCM needs a trunk with max-pooling"):
        METHODS["DCCM"](start=IdentityEncoder()).fit(images)


@pytest.mark.parametrize(("name", "needed"), [("CC", "no instance head"), ("DCCM", "a trunk with max-pooling")])
def test_a_pretext_without_what_is_needed_is_refused_before_it_is_trained(name, needed, images):
    model = METHODS[name]().fit(images)
    labels = model.labels_
    with pytest.raises(ValueError, match=needed):
        model.set_params(start=SCANS["start"]).fit(images, monitor=pytest.fail)
    np.testing.assert_array_equal(model.labels_, labels)


def test_an_estimator_as_start_is_told_of_its_start(images, pretext):
    with pytest.raises(TypeError, match="not SimCLRPretext: give its start_, after fit"):
        METHODS["SCAN"](start=pretext).fit(images)


VIEWS = {
    "fewer images": (lambda x, noise: x[:-1], r"not to \(1, 3, 10, 10\)"),
    "other sizes": (lambda x, noise: x[..., ::2], r"not to \(2, 3, 10, 5\)"),
    "arrays": (lambda x, noise: x.numpy(), "not to an object of ndarray"),
    "a class": (Strong, r"such as Strong\(\) from .* not <class"),
    "half the precision": (lambda x, noise: x.half(), "torch.float16"),
    "changed in place": (lambda x, noise: x.mul_(0.5), "must return new ones"),
    "brighter": (lambda x, noise: 10 * x, r"not to \[.*, 9\."),
    "NaN": (lambda x, noise: x * math.nan, "nan"),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("what", VIEWS)
def test_a_view_gives_images_like_those_it_takes(name, what, images):
    view, message = VIEWS[what]
    parameters = {"CC": "view"} | {"PICA": "original"}
    with pytest.raises(ValueError, match=f"{parameters.get(name, 'view')} .*{message}"):
        METHODS[name](**{parameters.get(name, "view"): view}).fit(images)


class Encoder(nn.Module):
    """A network given by its encoder alone, as a user may write it."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder


ENCODERS = {
    "maps": (nn.Conv2d(3, 4, 3), r"code of shape \(1, d\), float32, not shape \(1, 4, 8, 8\)"),
    "another size": (nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), r"fails on a sample of shape \(3, 10, 10\): mat1"),
    "float64": (nn.Sequential(nn.Flatten(), nn.Linear(300, 2)).double(), "fails on a sample"),
    "two outputs": (nn.LSTM(10, 2), "fails on a sample|not tuple"),
    "NaN": (nn.Sequential(nn.Flatten(), nn.Linear(300, 2)), "numbers that are not finite"),
}
nn.init.constant_(ENCODERS["NaN"][0][1].bias, math.nan)


@pytest.mark.parametrize("what", ENCODERS)
def test_an_encoder_that_gives_no_codes_is_refused(what, images):
    encoder, message = ENCODERS[what]
    for method in (CC(3, start=Encoder(encoder)), DCSS(3, start=Encoder(encoder), phase1_epochs=0)):
        with pytest.raises(ValueError, match=message):
            method.fit(images)


def test_a_decoder_that_gives_no_samples_is_refused(images):
    """One output would be compared with all pixels, with no more than a warning of torch."""
    network = Encoder(nn.Sequential(nn.Flatten(), nn.Linear(300, 2)))
    for decoder, message in (
        (nn.Linear(2, 1), r"a sample of shape \(1, 300\), .*, not shape \(1, 1\)"),
        (nn.Linear(3, 300), "the decoder given as start fails on a code of dimension 2: mat1"),
    ):
        network.decoder = decoder
        with pytest.raises(ValueError, match=message):
            DCSS(3, start=network).fit(images)
    network.decoder = nn.Sequential(nn.Linear(2, 300), nn.Unflatten(1, (3, 10, 10)))
    DCSS(3, start=network, phase1_epochs=1, phase2_epochs=0).fit(images)
