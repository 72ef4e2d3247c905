"""BRB by hand, against slow twins, and in its four forms."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from dcbook.clustering import kmeans
from dcbook.methods import BRB_DCN, BRB_DEC, BRB_IDEC, DCN, DEC, IDEC, AEKMeans, Pretraining
from dcbook.methods.brb import interpolated, soft_reset
from dcbook.models import ConvolutionalAutoencoder, FullyConnectedAutoencoder, IdentityEncoder
from dcbook.training.inputs import batches, derived_seed, seeded, stream
from dcbook.training.optimizers import SGD, Adam

K, N = 3, 50
UPDATES = {"max_updates": 12, "update_interval": 4}  # 3 an epoch
SETTINGS = {BRB_DEC: UPDATES, BRB_IDEC: UPDATES, BRB_DCN: {"epochs": 4}}
UNDER = {BRB_DEC: DEC, BRB_IDEC: IDEC, BRB_DCN: DCN}
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu"}
every_method = pytest.mark.parametrize("method", SETTINGS)


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    return (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    recipe = Pretraining(widths=(24, 12), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
    return AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x).start_


def test_soft_reset_by_hand():
    found = interpolated(torch.tensor([1.0, -2.0]), torch.tensor([0.2, 0.4]), 0.8)
    assert found.tolist() == pytest.approx([0.84, -1.52], abs=1e-6)


@pytest.mark.parametrize("network", [FullyConnectedAutoencoder((1, 16, 16)), ConvolutionalAutoencoder((1, 16, 16))])
def test_a_reset_spares_the_embedding_and_what_is_no_layer(network):
    before = deepcopy(network.encoder.state_dict())
    with seeded(0):
        soft_reset(network.encoder, 0.8)
    after = network.encoder.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    layers = [name for name, part in network.encoder.named_modules() if hasattr(part, "reset_parameters")]
    layers = [name for name in layers if "BatchNorm" not in type(network.encoder.get_submodule(name)).__name__]
    reset = {name for name in before if name.rpartition(".")[0] in layers[:-1]}
    assert changed == reset and len(layers) > 3
    first = f"{layers[0]}.weight"
    bound = 0.2 / before[first][0].numel() ** 0.5
    moved = after[first] - 0.8 * before[first]
    assert 0.9 * bound < moved.abs().max() <= bound * 1.00001, "uniform in ±1/sqrt(fan_in), times 1 - a"


def test_a_network_of_one_layer_or_none_has_nothing_to_reset():
    for encoder in (IdentityEncoder().encoder, torch.nn.Linear(3, 2)):
        before = deepcopy(encoder.state_dict())
        soft_reset(encoder, 0.0)
        assert all(torch.equal(before[name], tensor) for name, tensor in encoder.state_dict().items())


@every_method
def test_without_both_halves_it_is_the_method(method, x, start):
    schedule = SETTINGS[method] | ({"tol": 0.0, "optimizer": "adam", "lr": 1e-3} if method is not BRB_DCN else {})
    under = UNDER[method](K, start=start, **schedule, **PLAIN).fit(x)
    none = method(K, start=start, every=99, **SETTINGS[method], **PLAIN).fit(x)
    whole = method(K, start=start, every=1, **SETTINGS[method], **PLAIN).fit(x)
    np.testing.assert_array_equal(none.transform(x), under.transform(x))
    np.testing.assert_array_equal(none.cluster_centers_, under.cluster_centers_)
    assert none.history_ == under.history_ != whole.history_


@every_method
def test_each_half_does_its_own(method, x, start):
    settings = PLAIN | SETTINGS[method] | {"every": 3, "random_state": 3}
    found = {
        (resets, reclusters): method(K, start=start, resets=resets, reclusters=reclusters, **settings).fit(x)
        for resets in (False, True)
        for reclusters in (False, True)
    }
    ends = [model.transform(x) for model in found.values()]
    assert all((a != b).any() for i, a in enumerate(ends) for b in ends[:i])
    if method is BRB_DCN:  # the others compute a new target after a reset
        kept = method(K, start=start, kept=1.0, reclusters=False, **settings).fit(x)
        np.testing.assert_array_equal(kept.transform(x), found[False, False].transform(x))


@pytest.mark.parametrize("method", [BRB_DEC, BRB_IDEC])
@pytest.mark.parametrize("update_interval", [3, 4], ids=["first of an epoch", "within an epoch"])
def test_training_that_has_converged_does_not_end_with_a_reset(method, update_interval, x, start):
    """An epoch has 3 updates, a reset follows each, and with tol 1 the second target after a reset ends training."""
    ends = []
    settings = {"every": 1, "tol": 1.0, "max_updates": 30, "update_interval": update_interval} | PLAIN
    model = method(K, start=start, **settings).fit(x, monitor=lambda m: ends.append(m.transform(x)))
    np.testing.assert_array_equal(model.transform(x), ends[-1])


def test_defaults_are_the_settings_for_fully_connected_networks():
    for method in (BRB_DEC, BRB_IDEC, BRB_DCN):
        assert (method().every, method().kept, method().lr) == (20, 0.8, 1e-3)
    assert BRB_DCN().epochs == 400 and BRB_DEC().max_updates == BRB_IDEC().max_updates == 400 * 274


def soft(u, centers):
    kernel = 1 / (1 + torch.cdist(u, centers) ** 2)
    return kernel / kernel.sum(1, keepdim=True)


def reset_by_hand(network, epoch):
    with torch.no_grad(), seeded(derived_seed(0, f"reset {epoch}")):
        for layer in (network.encoder[1], network.encoder[3]):  # of three layers, the last makes the codes
            draw = torch.nn.Linear(layer.in_features, layer.out_features)
            layer.weight.copy_(0.7 * layer.weight + 0.3 * draw.weight)
            layer.bias.copy_(0.7 * layer.bias + 0.3 * draw.bias)


def centers_by_hand(u, epoch):
    draw = stream(0, f"reclustering {epoch}")
    rows = torch.randperm(N, generator=draw)
    return kmeans(u[rows], K, n_init=20, random_state=draw).centers


@pytest.mark.parametrize("method", [BRB_DEC, BRB_IDEC])
def test_slow_twin_of_self_training(method, x, start):
    model = method(K, start=start, every=2, kept=0.7, max_updates=12, update_interval=5, **PLAIN).fit(x)
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    centers = start.centers.clone().requires_grad_()
    weights = list((network if method is BRB_IDEC else network.encoder).parameters())
    step = torch.optim.Adam([*weights, centers], lr=1e-3)
    order, updates = stream(0, "batches"), 0

    def target():
        with torch.no_grad():
            q = soft(network.encoder(data), centers)
            p = q**2 / q.sum(0)
            return p / p.sum(1, keepdim=True)

    for epoch in range(4):
        if epoch == 2:
            reset_by_hand(network, epoch)
            with torch.no_grad():
                centers.copy_(centers_by_hand(network.encoder(data), epoch))
            p = target()
            for name in ("exp_avg", "exp_avg_sq"):
                step.state[centers][name].zero_()
        for batch in batches(N, 20, order, data.device):
            if updates % 5 == 0:
                p = target()
            u, x_hat = network(data[batch])
            loss = torch.nn.functional.kl_div(soft(u, centers).log(), p[batch], reduction="batchmean")
            if method is BRB_IDEC:
                loss = ((x_hat - data[batch]) ** 2).mean() + 0.1 * loss
            step.zero_grad()
            loss.backward()
            step.step()
            updates += 1
    np.testing.assert_allclose(model.cluster_centers_, centers.detach(), rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data).numpy(), rtol=1e-2, atol=1e-3)


def test_slow_twin_of_dcn(x, start):
    model = BRB_DCN(K, start=start, every=2, kept=0.7, epochs=4, initial_count=5, **PLAIN).fit(x)
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    centers, counts = start.centers.clone(), torch.full((K,), 5.0)
    step, order = torch.optim.Adam(network.parameters(), lr=1e-3), stream(0, "batches")

    def nearest(u):
        return torch.cdist(u, centers).argmin(1)

    with torch.no_grad():
        assigned = nearest(network.encoder(data))
    for epoch in range(4):
        if epoch == 2:
            reset_by_hand(network, epoch)
            with torch.no_grad():
                centers = centers_by_hand(network.encoder(data), epoch)
                assigned, counts = nearest(network.encoder(data)), torch.full((K,), 5.0)
        for batch in batches(N, 20, order, data.device):
            u, x_hat = network(data[batch])
            loss = ((x_hat - data[batch]) ** 2).sum(1).mean() + ((u - centers[assigned[batch]]) ** 2).sum(1).mean()
            step.zero_grad()
            loss.backward()
            step.step()
            with torch.no_grad():
                u = network.encoder(data[batch])
                assigned[batch] = nearest(u)
                for code, k in zip(u, assigned[batch], strict=True):
                    counts[k] += 1
                    centers[k] += (code - centers[k]) / counts[k]
    np.testing.assert_allclose(model.cluster_centers_, centers, rtol=1e-3, atol=1e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data).numpy(), rtol=1e-2, atol=1e-3)


def test_large_data_are_reclustered_by_a_part(x, start, monkeypatch):
    seen = []

    def watched(u, *args, **kwargs):
        seen.append(len(u))
        return kmeans(u, *args, **kwargs)

    monkeypatch.setattr("dcbook.methods.brb.kmeans", watched)
    monkeypatch.setattr("dcbook.methods.brb.RECLUSTERED", 17)
    BRB_DEC(K, start=start, every=1, **UPDATES, **PLAIN).fit(x)
    assert seen == [17, 17, 17]


@pytest.mark.parametrize("make", [lambda w: Adam(w, 0.1), lambda w: SGD(w, 0.1, momentum=0.9)])
def test_an_optimizer_forgets_one_weight_alone(make):
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    optimizer = make(weights)
    sum(3 * weight.sum() for weight in weights).backward()
    optimizer.forget(weights[0])
    optimizer.step()
    before = {name: tensor.clone() for name, tensor in optimizer.tensors.items()}
    optimizer.forget(weights[1])
    after = optimizer.tensors
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == ({"mean 1", "square 1"} if isinstance(optimizer, Adam) else {"1"})
    assert all(not after[name].any() for name in changed)
