"""DEC and IDEC against slow twins, and their schedule."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from dcbook.methods import DEC, IDEC, AEKMeans, DynAE, Pretraining
from dcbook.training.inputs import batches, stream

RECIPE = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
K, N = 3, 50
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu", "tol": 0}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    return (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    return AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(x).start_


def soft(u, centers):
    kernel = 1 / (1 + torch.cdist(u, centers) ** 2)
    return kernel / kernel.sum(1, keepdim=True)


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_slow_twin(method, x, start):
    optimizer = {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9}
    model = method(K, start=start, max_updates=10, update_interval=4, **optimizer, **PLAIN).fit(x)
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    centers = start.centers.clone().requires_grad_()
    weights = [*(network if method is IDEC else network.encoder).parameters(), centers]
    step = torch.optim.SGD(weights, lr=0.05, momentum=0.9)
    order, updates = stream(0, "batches"), 0
    while updates < 10:
        for batch in batches(N, 20, order, data.device):
            if updates == 10:
                break
            if updates % 4 == 0:
                with torch.no_grad():
                    q = soft(network.encoder(data), centers)
                    target = q**2 / q.sum(0)
                    target /= target.sum(1, keepdim=True)
            u, x_hat = network(data[batch])
            loss = torch.nn.functional.kl_div(soft(u, centers).log(), target[batch], reduction="batchmean")
            if method is IDEC:
                loss = ((x_hat - data[batch]) ** 2).mean() + 0.1 * loss
            step.zero_grad()
            loss.backward()
            step.step()
            updates += 1
    np.testing.assert_allclose(model.cluster_centers_, centers.detach().numpy(), rtol=1e-3, atol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data).numpy(), rtol=1e-2, atol=1e-3)
    assert np.abs(model.cluster_centers_ - start.centers.numpy()).max() > 1e-3


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_training_stops_when_labels_do(method, x, start):
    eager = method(K, start=start, max_updates=1000, update_interval=5, **(PLAIN | {"tol": 1.0})).fit(x)
    assert eager.n_updates_ == 5
    capped = method(K, start=start, max_updates=7, update_interval=5, **PLAIN).fit(x)
    assert capped.n_updates_ == 7
    assert [entry["updates"] for entry in capped.history_] == [3, 6, 7]


@pytest.mark.parametrize("method", [DEC, IDEC])
def test_all_updates_are_made_where_a_sample_is_left_over(method, x, start):
    """41 samples in batches of 20 are two batches, the last of 21."""
    model = method(K, start=start, max_updates=10, update_interval=5, **PLAIN).fit(x[:41])
    assert model.n_updates_ == 10 and [entry["updates"] for entry in model.history_] == [2, 4, 6, 8, 10]


@pytest.mark.parametrize("method", [DEC, IDEC])
@pytest.mark.parametrize("momentum", [-0.5, 1.0, 1.5])
def test_momentum_is_below_1(method, momentum, x, start):
    with pytest.raises(ValueError, match=rf"momentum must lie in \[0, 1\), not {momentum}"):
        method(K, start=start, momentum=momentum, **PLAIN).fit(x)


@pytest.mark.parametrize("method", [DEC, IDEC, DynAE])
@pytest.mark.parametrize(("phase", "updates"), [("pretraining", 0), ("clustering", 6)])
def test_an_interrupted_model_tells_its_updates(method, phase, updates, x):
    def stop(model):
        told = model.history_[-1]
        if told["phase"] == phase and told["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        model = method(K, start=RECIPE, max_updates=10, **PLAIN).fit(x, monitor=stop)
    assert model.n_updates_ == updates and not hasattr(method(K), "n_updates_")


def test_dec_drops_the_decoder_and_idec_trains_it(x, start):
    options = {"max_updates": 5, "update_interval": 5, **PLAIN}
    before = start.autoencoder.decoder[0].weight
    assert torch.equal(DEC(K, start=start, **options).fit(x).autoencoder_.decoder[0].weight, before)
    assert not torch.equal(IDEC(K, start=start, **options).fit(x).autoencoder_.decoder[0].weight, before)
