"""DCN, DKM and VaDE against slow twins, and what is particular to each."""

import math
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
import torch

from dcbook.methods import DCN, DEC, DKM, IDEC, AEKMeans, DKM_a, Pretraining, TrunkPretraining, VaDE, load_model
from dcbook.methods.dkm import annealed_alphas
from dcbook.models import ConvolutionalAutoencoder, VariationalAutoencoder
from dcbook.training.inputs import batches, stream

RECIPE = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
K, N, EPOCHS = 3, 50, 4
PLAIN = {"epochs": EPOCHS, "batch_size": 20, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    x = (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)
    return x / x.max()


@pytest.fixture(scope="module")
def start(x):
    return AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(x).start_


def twin_batches(x):
    order = stream(0, "batches")
    for epoch in range(EPOCHS):
        for batch in batches(N, 20, order, torch.device("cpu")):
            yield epoch, batch, torch.as_tensor(x)[batch]


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def assert_close(model, x, network, centers):
    np.testing.assert_allclose(model.cluster_centers_, centers.detach().numpy(), rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(
            model.transform(x), network.encoder(torch.as_tensor(x)).numpy(), rtol=1e-2, atol=1e-3
        )


def test_dcn_slow_twin(x, start):
    model = DCN(K, start=start, lam=0.7, initial_count=5, **PLAIN).fit(x)
    network, centers, counts = deepcopy(start.autoencoder), start.centers.clone(), [5] * K
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def nearest(u):
        return [min(range(K), key=lambda k: float((z - centers[k]).square().sum())) for z in u]

    with torch.no_grad():
        assigned = nearest(network.encoder(torch.as_tensor(x)))
    for _, batch, x_batch in twin_batches(x):
        u, x_hat = network(x_batch)
        loss = 0.0
        for i, n in enumerate(batch.tolist()):
            loss = loss + (x_hat[i] - x_batch[i]).square().sum()
            loss = loss + 0.7 / 2 * (u[i] - centers[assigned[n]].clone()).square().sum()
        descend(optimizer, loss / len(batch))
        with torch.no_grad():
            u = network.encoder(x_batch)
            for n, k in zip(batch.tolist(), nearest(u), strict=True):
                assigned[n] = k
            for i, n in enumerate(batch.tolist()):
                counts[assigned[n]] += 1
                centers[assigned[n]] += (u[i] - centers[assigned[n]]) / counts[assigned[n]]
    assert_close(model, x, network, centers)
    assert np.abs(model.cluster_centers_ - start.centers.numpy()).max() > 1e-3


def test_dcn_centers_that_never_move(x, start, tmp_path):
    model = DCN(K, start=start, initial_count=math.inf, **PLAIN).fit(x)
    np.testing.assert_array_equal(model.cluster_centers_, start.centers.numpy())
    model.save(tmp_path / "model")
    assert load_model(tmp_path / "model").initial_count == math.inf


def softmax_kmeans(u, centers, alpha):
    distances = torch.stack([(u - center).square().sum(1) for center in centers], 1)
    weights = torch.exp(-alpha * (distances - distances.min(1, keepdim=True).values))
    return (weights / weights.sum(1, keepdim=True) * distances).sum(1).mean()


@pytest.mark.parametrize("annealing", [False, True])
def test_dkm_slow_twin(annealing, x, start):
    model = DKM(K, start=start, lam=0.5, alpha=30.0, annealing=annealing, **PLAIN).fit(x)
    network, centers = deepcopy(start.autoencoder), start.centers.clone()
    alphas = [30.0] * EPOCHS
    if annealing:
        centers = 2 * torch.rand(K, 3, generator=stream(0, "centers")) - 1
        alphas = annealed_alphas()[::10]
    centers.requires_grad_()
    optimizer = torch.optim.Adam([*network.parameters(), centers], lr=1e-3)
    for epoch, _, x_batch in twin_batches(x):
        u, x_hat = network(x_batch)
        reconstruction = (x_hat - x_batch).square().sum(1).mean()
        descend(optimizer, reconstruction + 0.5 * softmax_kmeans(u, centers, alphas[epoch]))
    assert_close(model, x, network, centers)
    assert [entry["alpha"] for entry in model.history_] == pytest.approx(alphas)


def test_annealing_begins_as_released():
    alphas = annealed_alphas()
    assert len(alphas) == 40 and alphas[0] == 0.1
    assert alphas[1:3] == pytest.approx([0.1 * 2 ** (1 / 0.480453), 0.1 * 2 ** (1 / 0.480453 + 1 / 1.206949)], rel=1e-5)
    assert all(a < b for a, b in pairwise(alphas))


def test_dkm_a_needs_no_pretraining_and_no_centers(x, start):
    model = DKM_a(K, **PLAIN).fit(x)
    assert {entry["phase"] for entry in model.history_} == {"clustering"}
    new = DKM_a(K, **(PLAIN | {"epochs": 0})).fit(x)
    assert 0.5 < np.abs(new.cluster_centers_).max() <= 1 and new.cluster_centers_.min() < 0
    given = DKM_a(K, start=start, **(PLAIN | {"epochs": 0})).fit(x)
    np.testing.assert_array_equal(given.transform(x), AEKMeans(K, start=start).fit(x).transform(x))
    assert not np.allclose(given.cluster_centers_, start.centers.numpy())


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_vade_slow_twin(likelihood, x, start):
    options = PLAIN | {"likelihood": likelihood, "lr": 0.01, "min_lr": 0.006, "decay": 0.7, "decay_every": 1}
    model = VaDE(K, start=start, **options).fit(x)
    begin = VaDE(K, start=start, **(options | {"epochs": 0})).fit(x)
    network, prior = begin.autoencoder_.double(), begin.prior_.double()  # products of densities leave float32
    optimizer = torch.optim.Adam([*network.parameters(), *prior.parameters()], eps=1e-4)
    noise = stream(0, "noise")
    for epoch, _, x_batch in twin_batches(x):
        optimizer.param_groups[0]["lr"] = [0.01, 0.007, 0.006, 0.006][epoch]
        x_batch = x_batch.double()
        h = network.encoder[:-1](x_batch)
        mean, log_variance = network.encoder[-1](h), network.log_variance(h)
        z = mean + log_variance.exp().sqrt() * torch.randn(mean.shape, generator=noise)
        x_hat = network.decoder(z)
        pi, m, s = prior.logits.softmax(0), prior.means, prior.log_variances.exp()
        loss = 0.0
        for i in range(len(z)):
            gamma = torch.stack(
                [pi[c] * (-((z[i] - m[c]) ** 2) / (2 * s[c])).exp().div(s[c].sqrt()).prod() for c in range(K)]
            )
            gamma = gamma / gamma.sum()
            if likelihood == "bernoulli":
                loss = loss - (x_batch[i] * x_hat[i].log() + (1 - x_batch[i]) * (1 - x_hat[i]).log()).sum()
            else:
                loss = loss + (x_batch[i] - x_hat[i]).square().sum()
            for c in range(K):
                spread = s[c].log() + log_variance[i].exp() / s[c] + (mean[i] - m[c]) ** 2 / s[c]
                loss = loss + gamma[c] * (spread.sum() / 2 - pi[c].log() + gamma[c].clamp_min(1e-300).log())
            loss = loss - (1 + log_variance[i]).sum() / 2
        descend(optimizer, loss / len(z))
    assert_close(model, x, network.float(), prior.float().means)
    torch.testing.assert_close(model.prior_.log_variances, prior.log_variances, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(model.prior_.logits.softmax(0), prior.logits.softmax(0), rtol=1e-3, atol=1e-3)
    assert np.abs(model.cluster_centers_ - begin.cluster_centers_).max() > 1e-2


def test_vade_begins_with_a_mixture_that_one_more_step_of_em_leaves_as_it_is(x, start):
    model = VaDE(K, start=start, **(PLAIN | {"epochs": 0})).fit(x)
    u, gamma = model.transform(x), model.predict_proba(x)
    np.testing.assert_allclose(u, AEKMeans(K, start=start).fit(x).transform(x), rtol=1e-5, atol=1e-6)
    for k in range(K):
        weight = gamma[:, k].sum()
        mean = (gamma[:, k, None] * u).sum(0) / weight
        variance = (gamma[:, k, None] * (u - mean) ** 2).sum(0) / weight
        assert model.prior_.logits.softmax(0)[k].item() == pytest.approx(weight / N, abs=0.02)
        np.testing.assert_allclose(model.cluster_centers_[k], mean, atol=0.05)
        np.testing.assert_allclose(model.prior_.log_variances[k].exp().detach(), variance, rtol=0.2, atol=1e-3)


def test_vade_takes_pixels_or_is_told(x, start):
    for bad in (x - 0.5, x * 2):
        with pytest.raises(ValueError, match=r"needs samples in \[0, 1\].*gaussian"):
            VaDE(K, start=start, **PLAIN).fit(bad)
    model = VaDE(K, start=start, likelihood="gaussian", **PLAIN).fit(x * 2)
    assert np.isfinite(model.cluster_centers_).all()


def test_vade_network_is_a_start_for_others_and_for_itself(x, start, tmp_path):
    model = VaDE(K, start=start, **PLAIN).fit(x)
    model.start_.save(tmp_path / "start")
    went_on = IDEC(K, start=model.start_.load(tmp_path / "start"), batch_size=20, max_updates=3, random_state=0).fit(x)
    assert isinstance(went_on.autoencoder_, VariationalAutoencoder)
    again = VaDE(K, start=model.start_, **(PLAIN | {"epochs": 0})).fit(x)
    np.testing.assert_array_equal(again.transform(x), model.transform(x))
    with pytest.raises(ValueError, match="was not trained with likelihood='gaussian'"):
        VaDE(K, start=model.start_, likelihood="gaussian", **PLAIN).fit(x)


def test_vade_checks_new_samples_as_in_fit(x, start):
    model = VaDE(K, start=start, **PLAIN).fit(x)
    for answer in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(ValueError, match=r"VaDE's Bernoulli likelihood needs samples in \[0, 1\], not in"):
            answer(255 * x)
    gaussian = VaDE(K, start=start, likelihood="gaussian", **PLAIN).fit(x)
    assert gaussian.predict(255 * x).shape == (len(x),)


def test_variational_autoencoder_begins_as_the_autoencoder():
    for shape in ((1, 12, 12), (3, 16, 16)):
        images, base = torch.rand(4, *shape), ConvolutionalAutoencoder(shape, latent_dim=5).eval()
        with torch.no_grad():
            u, x_hat = base(images)
            network = VariationalAutoencoder.of(base).eval()
            mean, _ = network.posterior(images)
            torch.testing.assert_close(mean, u)
            torch.testing.assert_close(network.decode(u), 4 * (x_hat - 0.5), rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(network(images)[1], network.decode(u).sigmoid())
            torch.testing.assert_close(VariationalAutoencoder.of(base, bernoulli=False).eval().decode(u), x_hat)
    with pytest.raises(TypeError, match="not from a Linear"):
        VariationalAutoencoder.of(torch.nn.Linear(2, 2))


def test_batch_statistics_follow_dec_from_a_start_too():
    """A look at all samples, such as the one for the target, leaves the network in training mode."""
    x = np.random.default_rng(0).random((40, 1, 16, 16), dtype=np.float32)
    recipe = Pretraining("convolutional", epochs=1, batch_size=20, restarts=1)
    start = AEKMeans(2, start=recipe, random_state=0, device="cpu").fit(x).start_
    model = DEC(2, start=start, max_updates=4, update_interval=1, batch_size=20, tol=0, random_state=0).fit(x)
    before, after = (each.encoder.state_dict() for each in (start.autoencoder, model.autoencoder_))
    moved = [name for name in before if "running_mean" in name and not torch.equal(before[name], after[name])]
    assert moved and len(moved) == sum("running_mean" in name for name in before)


def test_vade_refuses_a_pretraining_of_another_network_before_it_is_trained(x):
    recipe = TrunkPretraining(width=0.1, latent_dim=3, epochs=2, batch_size=20)
    images = np.tile(x[:, :8].reshape(N, 1, 2, 4), (1, 1, 4, 2))
    with pytest.raises(TypeError, match="not from a BottleneckConvNet"):
        VaDE(K, start=recipe, **PLAIN).fit(images, monitor=pytest.fail)
