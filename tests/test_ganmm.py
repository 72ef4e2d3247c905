"""GANMM by hand, its draws by their frequencies, and what it finds on groups that k-means finds too."""

import math

import numpy as np
import pytest
import torch

from dcbook import losses
from dcbook.evaluation import accuracy
from dcbook.methods import GANMM, load_model
from dcbook.methods.ganmm import GANs, drawn_by, own_share, real_rows
from dcbook.models import IdentityEncoder, ImageClassifier, StackedPerceptrons
from dcbook.models.image_gan import SideBySide, image_critic, image_generator
from dcbook.training.optimizers import RMSProp

PLAIN = {"start": IdentityEncoder(), "device": "cpu", "batch_size": 32}


@pytest.fixture(scope="module")
def groups():
    y = np.arange(120) % 3
    return (np.eye(3)[y] + 0.1 * np.random.default_rng(0).standard_normal((120, 3))).astype(np.float32), y


def test_losses_by_hand():
    p, origins = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]), torch.tensor([0, 2])
    assert losses.origin_loss(p, origins).item() == pytest.approx(1.078838, abs=1e-6)
    assert losses.origin_loss(p, origins, softmaxes=1).item() == pytest.approx(1.329630, abs=1e-6)
    for k, bound in ((3, 0.551445), (10, 1.461150)):
        assert losses.origin_loss(torch.eye(k), torch.arange(k)).item() == pytest.approx(bound, abs=1e-6)
    fake, real = torch.tensor([0.2, -0.4, 0.5]), torch.tensor([1.0, 0.3, -0.1])
    assert losses.wasserstein_critic_loss(fake, real).item() == pytest.approx(-0.3, abs=1e-6)
    assert losses.wasserstein_generator_loss(fake).item() == pytest.approx(-0.1, abs=1e-6)
    both = losses.wasserstein_critic_loss(torch.stack([fake, real]), torch.stack([real, fake]))
    assert both.tolist() == pytest.approx([-0.3, 0.3]), "one for each GAN"


def test_draws_without_replacement_by_hand():
    """Weights .05, .15, .30; 40,000 draws: a frequency is off by .008 about once in a thousand times."""
    weights = torch.tensor([[0.05, 0.15, 0.30]]).expand(40_000, 3)
    drawn = drawn_by(weights, 2, torch.Generator().manual_seed(0))
    first = torch.bincount(drawn[:, 0], minlength=3) / 40_000
    either = torch.bincount(drawn.flatten(), minlength=3) / 40_000
    assert first.tolist() == pytest.approx([0.1, 0.3, 0.6], abs=0.01)
    assert either.tolist() == pytest.approx([0.292857, 0.783333, 0.923810], abs=0.01)
    assert (drawn[:, 0] != drawn[:, 1]).all()


def test_columns_of_weight_0_come_last():
    drawn = drawn_by(torch.tensor([[0.0, 1.0, 0.0, 1e-6]]), 3, torch.Generator().manual_seed(0))
    assert set(drawn[0, :2].tolist()) == {1, 3}


def test_epsilon_shrinks_as_released():
    assert [round(50 * own_share(i)) for i in (0, 499, 500, 999, 1000, 1999, 2000, 10**6)] == [
        *(25, 25, 40, 40, 45, 45, 48, 48)
    ]


def test_critics_learn_from_their_own_samples_and_a_few_others():
    draw = torch.Generator().manual_seed(0)
    p = torch.softmax(torch.randn(300, 4, generator=draw), 1)
    p[:, 3] = 0.1 * p[:, 3]  # cluster 3 has no sample
    labels = p.argmax(1)
    assert set(labels.tolist()) == {0, 1, 2}
    found = torch.cat([real_rows(p, 50, 40, draw) for _ in range(200)], 1).view(4, 200, 50)
    for k in range(3):
        own, others = labels[found[k, :, :40]], labels[found[k, :, 40:]]
        assert (own == k).all() and (others != k).all()
        assert set(found[k, :, :40].flatten().tolist()) == set((labels == k).nonzero().flatten().tolist())
        rest = p[labels != k, k]
        assert p[found[k, :, 40:], k].mean() > 1.2 * rest.mean(), "the likelier, the more often"
    assert p[found[3, :, :40], 3].mean() > p[:, 3].quantile(0.95), "each the best of 50"


def test_stacked_perceptrons_are_perceptrons():
    stack, x = StackedPerceptrons(3, (4, 5, 2)), torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))
    for i in range(3):
        hidden = (x[i] @ stack.weights[0][i] + stack.biases[0][i]).relu()
        torch.testing.assert_close(stack(x)[i], hidden @ stack.weights[1][i] + stack.biases[1][i])
    assert max(weight.abs().max() for weight in stack.weights) <= 0.5
    assert not torch.equal(stack.weights[0][0], stack.weights[0][1])


def test_rmsprop_by_hand():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer, squares, expected = RMSProp([weight], 0.1), [1.0, 1.0], [1.0, -2.0]
    for _ in range(3):
        (weight**2).sum().backward()
        optimizer.step()
        for j in range(2):
            gradient = 2 * expected[j]
            squares[j] = 0.9 * squares[j] + 0.1 * gradient**2
            expected[j] -= 0.1 * gradient / math.sqrt(squares[j] + 1e-10)
        assert weight.tolist() == pytest.approx(expected)


def test_weights_of_critics_are_clipped_in_em_alone(groups, monkeypatch):
    largest, step = [], GANs.critic_step

    def watched(gans, *rest):
        loss = step(gans, *rest)
        largest.append(max(weight.abs().max().item() for weight in gans.critics.parameters()))
        return loss

    monkeypatch.setattr(GANs, "critic_step", watched)
    GANMM(3, pretraining_rounds=1, rounds=1, random_state=0, clip=0.02, **PLAIN).fit(groups[0])
    assert min(largest[:5]) > 0.1 and max(largest[5:]) == pytest.approx(0.02) and len(largest) == 10


def test_centers_are_means_of_the_clusters_without_a_round_too(groups):
    model = GANMM(3, pretraining_rounds=0, rounds=0, random_state=0, **PLAIN).fit(groups[0])
    u = model.transform(groups[0])
    for k in set(model.labels_):
        np.testing.assert_allclose(model.cluster_centers_[k], u[model.labels_ == k].mean(0), rtol=1e-4, atol=1e-5)


def test_the_double_softmax_holds_the_loss_up(groups):
    short = {"pretraining_rounds": 5, "rounds": 30, "lr": 5e-3, "random_state": 0}
    twice = GANMM(3, **short, **PLAIN).fit(groups[0]).history_[-1]["classifier"]
    assert 0.551445 < twice < math.log(3) + 0.1


def test_groups_are_found_in_hundreds_of_rounds(groups):
    """After 100 and 150 rounds seed 0 had 1.00 and 0.98 of them right, seed 1 0.87 and 1.00."""
    x, y = groups
    settings = {"pretraining_rounds": 20, "rounds": 150, "epoch_rounds": 50, "lr": 2e-3}
    model = GANMM(3, random_state=0, **settings, **PLAIN).fit(x, monitor=lambda m: {"acc": accuracy(y, m.labels_)})
    assert [entry["phase"] for entry in model.history_] == ["GAN pretraining"] + ["clustering"] * 3
    reached = [entry["acc"] for entry in model.history_[1:]]
    assert max(reached[1:]) > 0.9 > reached[0], reached


def test_rounds_that_are_no_multiple_of_an_epoch_are_made_all(groups, monkeypatch):
    made, em_round = [], GANMM._em_round
    monkeypatch.setattr(GANMM, "_em_round", lambda self, *rest: made.append(rest[3]) or em_round(self, *rest))
    model = GANMM(3, pretraining_rounds=0, rounds=5, epoch_rounds=2, random_state=0, **PLAIN).fit(groups[0])
    assert made == [0, 1, 2, 3, 4] and len(model.history_) == 3


def test_networks_for_images_have_the_released_layers():
    """Weights of linear layers, (transposed) convolutions and batch normalizations."""
    generator, critic, classifier = image_generator(128, 64), image_critic(64), ImageClassifier(10)
    sizes = [sum(weight.numel() for weight in network.parameters()) for network in (generator, critic, classifier)]
    deconvolutions = 25 * (256 * 128 + 128 * 64 + 64) + 128 + 64 + 1
    convolutions = 25 * (64 + 64 * 128 + 128 * 256) + 64 + 128 + 256
    assert sizes[0] == 129 * 4096 + deconvolutions + 2 * (4096 + 128 + 64)
    assert sizes[1] == convolutions + 2 * (128 + 256) + 4097
    assert sizes[2] == 25 * (64 + 64 * 128) + 64 + 128 + 10 * (128 * 49 + 1)
    images = SideBySide([generator, generator])(torch.randn(2, 3, 128, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (2, 3, 784) and images.min() >= 0 and images.max() <= 1
    assert SideBySide([critic, critic])(images).shape == (2, 3, 1)
    torch.testing.assert_close(classifier(images[0]).sum(1), torch.ones(3))


def test_images_are_clustered_by_convolutional_gans(tmp_path):
    y = np.arange(40) % 2
    bars = np.zeros((2, 1, 28, 28), np.float32)
    bars[0, :, :, 4:12] = bars[1, :, 16:24] = 0.9
    x = bars[y] + 0.1 * np.random.default_rng(0).random((40, 1, 28, 28), np.float32)
    settings = {"networks": "images", "width": 4, "pretraining_rounds": 5, "rounds": 30, "lr": 2e-3, "batch_size": 16}
    model = GANMM(2, start=IdentityEncoder(), random_state=0, device="cpu", **settings).fit(x)
    assert accuracy(y, model.labels_) > 0.9
    model.save(tmp_path)
    np.testing.assert_allclose(load_model(tmp_path).predict_proba(x), model.predict_proba(x), rtol=1e-5)
    with pytest.raises(ValueError, match="start=IdentityEncoder"):
        GANMM(2, networks="images").fit(x)
    with pytest.raises(ValueError, match='at least 2: batch normalization of networks="images" needs two images'):
        GANMM(2, networks="images", start=IdentityEncoder(), batch_size=1).fit(x)
    with pytest.raises(ValueError, match="28×28"):
        GANMM(2, networks="images", start=IdentityEncoder()).fit(x[:, :, :20])


def test_the_last_layer_is_trained_unless_it_is_fixed(groups):
    tops = {}
    for fixed in (False, True):
        settings = {"pretraining_rounds": 0, "networks": "uci", "fixed_top": fixed, "random_state": 0}
        few, many = (GANMM(3, rounds=rounds, **settings, **PLAIN).fit(groups[0]).head_.layers for rounds in (1, 3))
        assert not torch.equal(few[0].weight, many[0].weight)
        tops[fixed] = torch.equal(few[2].weight, many[2].weight)
    assert tops == {False: False, True: True}
