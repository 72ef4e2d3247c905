"""The recipes beside `Pretraining`: ACAI against a slow twin, contrastive pretraining, and their place in the book."""

import numpy as np
import pytest
import torch

from dcbook.experiments.records import plain
from dcbook.methods import DEC, IDEC, ACAIPretraining, AEKMeans, ContrastivePretraining, Pretraining, Start, load_model
from dcbook.training.augment import ShiftRotation
from dcbook.training.inputs import batches, derived_seed, stream
from dcbook.training.tensor_files import read_tensors, write_tensors

SMALL = {"widths": (16,), "latent_dim": 3, "batch_size": 20, "lr": 1e-2}
ACAI = ACAIPretraining(**SMALL, epochs=2, lam=0.7)
FROZEN = ACAI.changed(critic="frozen")
CONTRASTIVE = ContrastivePretraining(**SMALL, epochs=3, projection_dim=8)


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 50)
    x = random.random((3, 1, 8, 8))[y] + 0.1 * random.standard_normal((50, 1, 8, 8))
    return x.clip(0, 1).astype(np.float32), y


def fitted(recipe, x, **changes):
    return AEKMeans(3, **({"start": recipe, "random_state": 0, "device": "cpu"} | changes)).fit(x)


def acai_twin(x, critic_learns=True):
    """Every update of ACAI by plain torch, sample by sample; returns the autoencoder and the epochs' losses."""
    x = torch.as_tensor(x)
    network = ACAI.build(x.shape[1:], 0)
    critic = ACAI.build(x.shape[1:], derived_seed(0, "critic")).encoder
    for layer in critic[1::2] if not critic_learns else ():
        layer.bias.data.zero_()
    step, critic_step = (torch.optim.Adam(module.parameters(), 1e-2) for module in (network, critic))
    order, noise, view = stream(0, "pretraining batches"), stream(0, "pretraining views"), ShiftRotation()
    history = []
    for _ in range(ACAI.epochs):
        sums = np.zeros(3)
        for batch in batches(50, 20, order, x.device):
            x_batch, n = view(x[batch], noise), len(batch)
            a, u = torch.rand(n, 1, generator=noise), torch.rand((), generator=noise)
            b = float(u) if u < 0.5 else 1 - float(u)
            z = network.encoder(x_batch)
            x_hat = network.decoder(z)
            between = torch.stack([network.decoder(a[i] * z[i] + (1 - a[i]) * z[n - 1 - i]) for i in range(n)])
            error = sum((x_hat[i] - x_batch[i].flatten()).square().mean() for i in range(n)) / n
            realism = sum(critic(between[i : i + 1]).mean() ** 2 for i in range(n)) / n
            step.zero_grad()
            (error + 0.7 * realism).backward()
            step.step()
            told = 0.0
            for i in range(n):
                blend = b * x_batch[i].flatten() + (1 - b) * x_hat[i].detach()
                told = told + (critic(between[i : i + 1].detach()).mean() - a[i, 0]) ** 2
                told = told + critic(blend.unsqueeze(0)).mean() ** 2
            critic_step.zero_grad()
            (told / n).backward()
            if critic_learns:
                critic_step.step()
            sums += [n * float(value.detach()) for value in (error, realism, told / n)]
        history.append(sums / 50)
    return network, np.array(history)


@pytest.mark.parametrize("recipe", [ACAI, FROZEN], ids=lambda recipe: recipe.critic)
def test_acai_is_its_slow_twin(recipe, images):
    x, _ = images
    learns = recipe.critic == "trained"
    model = fitted(recipe, x)
    names = ("reconstruction", "interpolation", "critic")
    found = np.array([[entry[name] for name in names] for entry in model.history_])
    network, expected = acai_twin(x, learns)
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    with torch.no_grad():
        torch.testing.assert_close(
            torch.as_tensor(model.transform(x)), network.encoder(torch.as_tensor(x)), rtol=0.02, atol=2e-3
        )
    _, other = acai_twin(x, not learns)
    assert np.abs(other - expected)[-1].max() > 0.05, "a frozen critic is another method"


@pytest.mark.parametrize("recipe", [ACAI, FROZEN], ids=lambda recipe: recipe.critic)
def test_a_frozen_critic_keeps_its_weights_and_a_trained_one_learns(recipe, images):
    x = torch.as_tensor(images[0])
    network, first = recipe.build(x.shape[1:], 0), recipe.build(x.shape[1:], derived_seed(0, "critic")).encoder
    kept = {}
    recipe.train(network, x, 0, lambda phase, n, **parts: kept.update(parts) or ((e, lambda **_: None) for e in (1, 2)))
    assert not torch.equal(network.encoder[1].weight, recipe.build(x.shape[1:], 0).encoder[1].weight)
    for now, begun in zip(kept["critic"][1::2], first[1::2], strict=True):
        assert torch.equal(now.weight, begun.weight) == (recipe.critic == "frozen")
        assert (now.bias == 0).all() == (recipe.critic == "frozen")


@pytest.mark.parametrize("lam", [0.5, 0])
def test_the_term_of_a_frozen_critic_by_hand(lam):
    """Two equal samples: x_int is their reconstruction (0.4, 0.4), whatever a; the critic 2 x_1 - x_2 gives it 0.4.

    The autoencoder's loss (0.6 - g_1 c)^2 / 2 + (0.2 - g_2 c)^2 / 2 + lam (2 g_1 c - g_2 c)^2 at the code c = 0.8 has
    the slopes -0.16 + 1.28 lam in g_1 and 0.16 - 0.64 lam in g_2; Adam's first step is lr against their sign.
    """
    x = torch.tensor([[0.6, 0.2], [0.6, 0.2]])
    recipe = ACAIPretraining(widths=(), latent_dim=1, batch_size=2, lr=0.01, lam=lam, critic="frozen")
    network = recipe.build((2,), 0)
    update, kept = recipe._updates(network, x, 0)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
        network.encoder[1].weight.fill_(1)
        network.decoder[0].weight.fill_(0.5)
        kept["critic"][1].weight.copy_(torch.tensor([[2.0, -1.0]]))
    noise = stream(0, "pretraining views")
    a, u = torch.rand(2, 1, generator=noise), torch.rand((), generator=noise)
    found = {name: loss.item() for name, loss in update(x).items()}
    assert found["reconstruction"] == pytest.approx(0.04) and found["interpolation"] == pytest.approx(0.16)
    blended = 0.4 + 0.6 * (0.5 - abs(u.item() - 0.5))
    assert found["critic"] == pytest.approx(float((0.4 - a).square().mean()) + blended**2)
    signs = (0.16 - 1.28 * lam, -0.16 + 0.64 * lam)
    moved = network.decoder[0].weight.flatten().tolist()
    assert moved == pytest.approx([0.5 + 0.01 * np.sign(sign) for sign in signs], abs=1e-6)
    assert kept["critic"][1].weight.tolist() == [[2, -1]]


def test_the_critic_is_named_in_what_a_run_is_known_by():
    assert plain(ACAI)["ACAIPretraining"]["critic"] == "trained" != plain(FROZEN)["ACAIPretraining"]["critic"]
    assert repr(FROZEN).endswith("critic='frozen')") and "critic" not in repr(ACAI)


def test_critic_tells_interpolations_from_reconstructions(images):
    """Better than the best constant, 1/4, whose loss is 1/12 + 1/8."""
    x, _ = images
    recipe = ACAIPretraining(**SMALL, epochs=150, lam=0, shift=0, rotation=0)
    told = [entry["critic"] for entry in fitted(recipe, x).history_]
    assert np.mean(told[-30:]) < 0.19 < 1 / 12 + 1 / 8 < told[0]


def test_lambda_weighs_the_critic(images):
    x, _ = images
    without, with_it = (
        fitted(ACAIPretraining(**SMALL, epochs=20, lam=lam), x).history_[-1]["interpolation"] for lam in (0, 5)
    )
    assert with_it < 0.7 * without


def test_contrastive_learns_with_the_encoder_of_pretraining(images, tmp_path):
    x, _ = images
    untrained = [
        fitted(kind(**(SMALL | {"epochs": 0})), x).transform(x) for kind in (Pretraining, ContrastivePretraining)
    ]
    np.testing.assert_array_equal(*untrained)
    model = fitted(ContrastivePretraining(**SMALL, epochs=15, jitter=0), x)
    assert model.history_[-1]["contrastive"] < model.history_[0]["contrastive"] - 0.3
    assert not hasattr(model.autoencoder_, "decoder")
    model.start_.save(tmp_path / "start")
    start = Start.load(tmp_path / "start")
    assert start.digest == model.start_.digest
    dec = DEC(3, start=start, max_updates=3, batch_size=20, random_state=0, device="cpu").fit(x)
    dec.save(tmp_path / "model")
    np.testing.assert_array_equal(load_model(tmp_path / "model").predict(x), dec.labels_)


def test_contrastive_is_refused_where_a_decoder_or_images_are_needed(images):
    x, _ = images
    with pytest.raises(ValueError, match="ContrastivePretraining trains no decoder, which is needed for the reconstr"):
        IDEC(3, start=CONTRASTIVE, batch_size=20).fit(x)
    with pytest.raises(ValueError, match="has no decoder"):
        IDEC(3, start=fitted(CONTRASTIVE, x).start_, batch_size=20).fit(x)
    with pytest.raises(ValueError, match=r"needs images \(N, C, H, W\)"):
        fitted(CONTRASTIVE, x.reshape(50, 64))
    model = fitted(CONTRASTIVE, x)
    labels = model.labels_
    with pytest.raises(ValueError, match=r"needs images in \[0, 1\]"):
        model.fit(2 * x + 0.1)
    np.testing.assert_array_equal(model.predict(x), labels, "a refused fit leaves the model as it was")


@pytest.mark.parametrize("recipe", [ACAI, FROZEN, CONTRASTIVE])
def test_recipes_repeat_and_are_kept(recipe, images, tmp_path):
    x, _ = images
    state = torch.random.get_rng_state()
    model = fitted(recipe, x)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(model.transform(x), fitted(recipe, x).transform(x))
    assert (model.transform(x) != fitted(recipe, x, random_state=1).transform(x)).any()
    assert [entry["phase"] for entry in model.history_] == ["pretraining"] * recipe.epochs
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.start == recipe and again.start_.digest == model.start_.digest
    assert list(plain(recipe)) == [type(recipe).__name__] and plain(recipe) != plain(Pretraining(**SMALL, epochs=3))


@pytest.mark.parametrize("of", ["recipe", "estimator"])
def test_a_model_made_of_unknown_parts_is_refused(of, images, tmp_path):
    x, _ = images
    fitted(Pretraining(**SMALL, epochs=1), x).save(tmp_path)
    path = tmp_path / "model.safetensors"
    tensors, described = read_tensors(path, "model", "")
    if of == "recipe":
        described["parameters"]["start"]["recipe"] = "KMeans"
    else:
        described["class"] = "Pretraining"
    write_tensors(path, tensors, described)
    with pytest.raises(ValueError, match=f"model.safetensors holds no dcbook model .* no {of}"):
        load_model(tmp_path)


@pytest.mark.parametrize("shape", [(30,), (3, 12, 12), (1, 6, 6, 6)])
def test_acai_takes_vectors_images_and_volumes(shape):
    x = np.random.default_rng(0).random((40, *shape)).astype(np.float32)
    recipe = ACAIPretraining(**SMALL, epochs=2)
    assert np.isfinite(fitted(recipe, x).transform(x)).all()
    if shape == (3, 12, 12):
        convolutional = ACAIPretraining("convolutional", latent_dim=3, batch_size=20, epochs=1)
        assert np.isfinite(fitted(convolutional, x).transform(x)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ACAIPretraining(lam=-1), "lam must be at least 0"),
        (lambda: ACAIPretraining(shift=1), "shift must lie"),
        (lambda: Pretraining(widths=8), r"widths must be whole numbers, such as \(500, 500, 2000\), not 8"),
        (lambda: Pretraining(widths=(8.5,)), r"widths must be whole numbers, .* not \(8.5,\)"),
        (lambda: ACAIPretraining(widths="8"), "widths must be whole numbers, .* not '8'"),
        (lambda: ACAIPretraining("transformer"), "architecture must be one of"),
        (lambda: ACAIPretraining(critic="released"), r"critic must be one of \['trained', 'frozen'\], not 'released'"),
        (lambda: ContrastivePretraining(temperature=0), "temperature"),
        (lambda: ContrastivePretraining(batch_size=1), "at least 2"),
        (lambda: ContrastivePretraining(crop=0), "crop must lie"),
        (lambda: ContrastivePretraining(rotation=200), "rotation in"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
