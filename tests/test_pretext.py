"""What a pretext leaves behind: codes, neighbors and fixed views are the network's, and travel with the start."""

import numpy as np
import pytest
import torch

from dcbook.data.digest import content_digest
from dcbook.methods import DCSS, SimCLR, SimCLRPretext, Start
from dcbook.training.inputs import stream
from dcbook.training.pretext import codes_of
from dcbook.training.views import Strong

SMALL = {"architecture": "resnet-9", "width": 2, "projection_dim": 4, "epochs": 1, "batch_size": 10, "device": "cpu"}


@pytest.fixture(scope="module")
def images():
    return torch.rand(30, 1, 9, 9, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def fitted(images):
    return SimCLRPretext(3, **SMALL, n_neighbors=4, fixed_views=2, random_state=0).fit(images)


def test_it_trains_as_simclr_does(fitted, images):
    plain = SimCLR(3, **SMALL, random_state=0).fit(images)
    np.testing.assert_array_equal(plain.transform(images), fitted.transform(images))
    assert plain.history_ == fitted.history_


def test_codes_are_those_of_the_network(fitted, images):
    codes = fitted.codes_
    np.testing.assert_allclose(codes.h, fitted.transform(images), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(codes.z, fitted.project(images), rtol=1e-5, atol=1e-6)
    unit = codes.z / codes.z.norm(dim=1, keepdim=True)
    cosines = (unit @ unit.T).fill_diagonal_(-2)
    assert codes.neighbors.shape == (30, 4)
    torch.testing.assert_close(cosines.gather(1, codes.neighbors), cosines.topk(4).values)
    noise = stream(0, "fixed views")
    for view in codes.views:
        np.testing.assert_allclose(view, fitted.transform(Strong()(images, noise)), rtol=1e-4, atol=1e-5)
    assert len(codes.views) == 2 and not torch.equal(*codes.views)


def test_the_start_carries_them_and_other_methods_take_it(fitted, images, tmp_path):
    start = fitted.start_
    start.save(tmp_path / "start")
    again = Start.load(tmp_path / "start")
    assert again.digest == start.digest != Start(start.autoencoder, start.centers).digest
    assert again.codes.samples == content_digest(images.numpy()) and again.codes.made_by == start.codes.made_by
    for name in ("h", "z", "neighbors", "views"):
        assert torch.equal(getattr(again.codes, name), getattr(start.codes, name)), name
    settings = {"phase1_epochs": 0, "phase2_epochs": 1, "T2": 1, "batch_size": 10, "schedule_size": None}
    model = DCSS(3, start=tmp_path / "start", **settings, random_state=0, device="cpu").fit(images)
    assert model.start_.codes is None


def test_they_say_which_view_made_them(fitted, images):
    assert fitted.codes_.made_by == "Strong(operations=4, flip=True, hole=0.5)"
    network, how = fitted.autoencoder_, {"n_neighbors": 4, "n_views": 1, "seed": 0}
    assert codes_of(network, images, "x", view=lambda x, noise: x, **how).made_by is None


def test_they_suit_their_samples_only(fitted, images):
    codes, samples = fitted.codes_, content_digest(images.numpy())
    assert codes.suits(samples, 4, 2) and codes.suits(samples, 1, 0)
    assert not codes.suits(samples, 5, 2) and not codes.suits(samples, 4, 3)
    assert not codes.suits(content_digest((images / 2).numpy()), 4, 2)


def test_a_network_without_a_head_has_its_codes_for_z(images):
    network = SimCLR(3, **SMALL, random_state=0).fit(images).autoencoder_
    bare = torch.nn.Module()
    bare.encoder = network.encoder
    codes = codes_of(bare.train(), images, "x", n_neighbors=100, n_views=0, view=Strong(), seed=0)
    assert codes.z is codes.h and codes.neighbors.shape == (30, 29) and codes.views.shape == (0, 30, 16)
    assert codes.suits("x", 100, 0) and bare.training


@pytest.mark.parametrize(
    "change", [{"n_neighbors": 0}, {"fixed_views": -1}, {"fixed_view": None}, {"fixed_view": Strong}]
)
def test_bad_settings_are_refused_before_training(change, images):
    with pytest.raises(ValueError, match="n_neighbors must be at least 1, fixed_views at least 0"):
        SimCLRPretext(3, **SMALL | change).fit(images, monitor=lambda m: pytest.fail("it was trained"))


def test_a_view_that_is_none_is_refused_before_training(images):
    with pytest.raises(ValueError, match=r"fixed_view must map images \(2, 1, 9, 9\) torch.float32 to images"):
        SimCLRPretext(3, **SMALL, fixed_view=lambda x, noise: x[:, :, 1:]).fit(images)
