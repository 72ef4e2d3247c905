"""R-DC (reconstruction): its neighborhoods by hand, its three losses against loops, its course over the epochs."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
import torch

from dcbook.clustering.neighbors import mutual, neighbor_centroids
from dcbook.methods import AEKMeans, Pretraining, RDCReconstruction
from dcbook.training.inputs import batches, stream
from dcbook.training.neighborhoods import neighborhoods

K, N = 4, 60
PLAIN = {"batch_size": 20, "random_state": 0, "device": "cpu", "shift": 0, "rotation": 0}
LINE = torch.tensor([[0.0], [1.0], [3.0], [4.0], [10.0]])  # the two nearest: 1 2, 0 2, 3 1, 2 1, 3 2


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    x = random.random((K, 9))[random.integers(0, K, N)] + 0.3 * random.random((N, 9))
    return (x / x.max()).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    recipe = Pretraining(widths=(24,), latent_dim=3, epochs=20, batch_size=20, lr=1e-2)
    return AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x).start_


def test_mutual_neighbors_and_their_centroids_by_hand():
    indices = torch.tensor([[1, 2], [0, 2], [3, 1], [2, 1], [3, 2]])
    kept = mutual(indices)
    assert kept.tolist() == [[True, False], [True, True], [True, True], [True, False], [False, False]]
    centroids = neighbor_centroids(LINE, indices, kept)
    assert centroids.flatten().tolist() == pytest.approx([0.5, 4 / 3, 8 / 3, 3.5, 10])


def test_both_filters_by_hand():
    """Distances 1 3, 1 2, 1 2, 1 3, 6 7: mean 2.7, median 2."""
    no_centers = torch.zeros(1, 1)

    def kept(distance, agreement):
        return neighborhoods(LINE, 2, distance, agreement, no_centers).kept.int().tolist()

    assert kept("none", "none") == [[1, 1]] * 5
    assert kept("mean", "none") == [[1, 0], [1, 1], [1, 1], [1, 0], [0, 0]]
    assert kept("median", "none") == [[1, 0], [1, 1], [1, 1], [1, 0], [0, 0]]
    assert kept("none", "mutual") == [[1, 0], [1, 1], [1, 1], [1, 0], [0, 0]]
    far = torch.tensor([[0.0], [1.0], [10.0], [12.0]])  # the nearest: 1 1 2 2; mean 1.5, median 1
    one = neighborhoods(far, 1, "mean", "none", no_centers).kept, neighborhoods(far, 1, "none", "none", no_centers).kept
    assert [mask.flatten().tolist() for mask in one] == [[True, True, False, False], [True] * 4]
    found = neighborhoods(LINE, 2, "mean", "mutual", no_centers)
    assert found.indices.tolist() == [[1, 2], [0, 2], [3, 1], [2, 1], [3, 2]] and found.survived == pytest.approx(0.8)
    assert found.centroids[4] == LINE[4], "a lonely sample is its own centroid"


def test_confidence_keeps_unconflicted_neighbors():
    """Centers 0, 10, 20, 30: q of 0.5 is sure, of 5 is not; beta1 = 3/4, beta2 = 3/8."""
    u = torch.tensor([[0.0], [0.5], [5.0], [9.8], [10.0]])
    centers = torch.tensor([[0.0], [10.0], [20.0], [30.0]])
    found = neighborhoods(u, 4, "none", "confidence", centers)
    unsure = found.indices == 2
    assert (found.kept != unsure).all()


def test_samples_with_the_nearest_neighbors_are_handed_over_first():
    u = torch.tensor([[0.0], [0.1], [5.0], [5.5], [20.0], [21.0], [50.0]])
    centers = torch.zeros(1, 1)
    found = [neighborhoods(u, 1, "none", "mutual", centers, share) for share in (0, 1 / 3, 2 / 3, 1)]
    taken = [each.handed_over.int().tolist() for each in found]
    assert taken == [[0] * 7, [1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 0]]
    assert all(each.survived == pytest.approx(6 / 7) for each in found)
    everybody = neighborhoods(torch.rand(3, 2), 10, "none", "none", centers)
    assert everybody.indices.shape == (3, 2), "there are no more than N - 1 others"


def near_by_hand(u, k):
    """Neighbors of each row that are no farther than the mean of all N k distances, and mutual."""
    distances = [[float((a - b).square().sum()) ** 0.5 for b in u] for a in u]
    nearest = [sorted((j for j in range(N) if j != i), key=lambda j, i=i: distances[i][j])[:k] for i in range(N)]
    mean = sum(distances[i][j] for i in range(N) for j in nearest[i]) / (N * k)
    return [[j for j in nearest[i] if distances[i][j] <= mean and i in nearest[j]] for i in range(N)]


@pytest.mark.parametrize("loss", ["image", "latent", "neighbor"])
def test_slow_twin(loss, x, start):
    settings = {"loss": loss, "n_neighbors": 4, "gamma": 3.0, "epochs": 2, "hand_over": 0, "lr": 1e-3}
    model = RDCReconstruction(K, start=start, **settings, **PLAIN).fit(x)
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    step = torch.optim.Adam(network.parameters(), lr=1e-3)
    order, history = stream(0, "batches"), []
    for _ in range(2):
        with torch.no_grad():
            u = network.encoder(data)
        near = near_by_hand(u, 4)
        centroids = [torch.stack([u[j] for j in [i, *near[i]]]).mean(0) for i in range(N)]
        total = 0.0
        for batch in batches(N, 20, order, data.device):
            value = 0.0
            for i in batch.tolist():
                if loss == "neighbor":
                    own = [i, *near[i]]
                    x_hat = [network.decoder(network.encoder(data[j : j + 1]))[0] for j in own]
                    value = value + sum((each - data[i]).square().mean() for each in x_hat) / len(own)
                    continue
                z = network.encoder(data[i : i + 1])[0]
                with torch.no_grad():
                    image = start.autoencoder.decoder(centroids[i]) if near[i] else data[i]
                error = (network.decoder(z) - image).square().mean()
                value = value + (error if loss == "image" else 3 * error + (z - centroids[i]).square().mean())
            step.zero_grad()
            (value / len(batch)).backward()
            step.step()
            total += value.item()
        with torch.no_grad():
            moved = network.encoder(data) - torch.stack(centroids)
        share = sum(map(bool, near)) / N
        history.append((total / N, share, share, moved.norm(dim=1).mean().item()))
    assert 0.3 < history[0][1] < 1, "some are lonely"
    found = [[entry[name] for name in ("loss", "survived", "handed_over", "distance")] for entry in model.history_]
    np.testing.assert_allclose(found, history, rtol=2e-3)
    with torch.no_grad():
        np.testing.assert_allclose(model.transform(x), network.encoder(data).numpy(), rtol=1e-2, atol=2e-3)


def test_neighborhoods_take_over_smoothly(x, start):
    model = RDCReconstruction(K, start=start, epochs=8, hand_over=0.5, lr=1e-6, **PLAIN).fit(x)
    over = [entry["handed_over"] / entry["survived"] for entry in model.history_]
    np.testing.assert_allclose(over, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1], atol=0.02)
    rare = RDCReconstruction(K, start=start, epochs=6, refresh=3, hand_over=0.5, lr=1e-6, **PLAIN).fit(x)
    over = [entry["handed_over"] / entry["survived"] for entry in rare.history_]
    np.testing.assert_allclose(over, [1 / 3] * 3 + [1] * 3, atol=0.02)


@pytest.mark.parametrize(("epochs", "refresh", "hand_over"), [(40, 40, 0.5), (6, 3, 1.0), (8, 6, 1.0)])
def test_the_last_search_must_complete_the_hand_over(epochs, refresh, hand_over, x, start):
    """Samples are handed over at a search alone."""
    model = RDCReconstruction(K, start=start, epochs=epochs, refresh=refresh, hand_over=hand_over, **PLAIN)
    with pytest.raises(ValueError, match="refresh is too large"):
        model.fit(x)
    for allowed in ({"refresh": 1}, {"hand_over": 0.0}, {"epochs": 0}):
        model.set_params(epochs=epochs, refresh=refresh, hand_over=hand_over)
        model.set_params(**allowed)._check_hyperparameters()


def test_current_decoders_are_other_targets(x, start):
    fixed, current = (
        RDCReconstruction(K, start=start, epochs=3, lr=1e-2, target_decoder=which, **PLAIN).fit(x)
        for which in ("phase 1", "current")
    )
    assert fixed.history_[0]["loss"] == current.history_[0]["loss"]
    assert fixed.history_[-1]["loss"] != current.history_[-1]["loss"]


def test_no_cluster_enters_phase_2(x, start):
    """From the same network, whatever K is and wherever the centers are, it learns the same; all but "confidence"."""
    options = {"epochs": 3, "lr": 1e-3} | PLAIN
    elsewhere = type(start)(start.autoencoder, start.centers + 1)
    for loss in ("image", "latent", "neighbor"):
        settings = ((K, start), (K, elsewhere), (2, start.autoencoder))
        codes = [RDCReconstruction(k, start=s, loss=loss, **options).fit(x).transform(x) for k, s in settings]
        np.testing.assert_array_equal(codes[0], codes[1])
        np.testing.assert_array_equal(codes[0], codes[2])


def test_stops(x, start):
    def epochs(**options):
        settings = PLAIN | {"start": start, "epochs": 12, "hand_over": 0} | options
        return len(RDCReconstruction(K, **settings).fit(x).history_)

    assert epochs() == 12
    assert epochs(stop=lambda model: len(model.history_) == 3) == 3
    model = RDCReconstruction(K, start=start, epochs=200, hand_over=0, stop="distance", lr=1e-3, **PLAIN).fit(x)
    distances = [entry["distance"] for entry in model.history_]
    assert 1 < len(distances) < 200 and distances[-1] >= distances[-2]
    assert all(after < before for before, after in pairwise(distances[:-1]))
    late = RDCReconstruction(K, start=start, epochs=20, hand_over=0.5, stop="distance", lr=1e-3, **PLAIN).fit(x)
    assert len(late.history_) > 10, "not before all are handed over"
    rare = {"epochs": 40, "refresh": 15, "hand_over": 0.5, "stop": "distance", "lr": 1e-3} | PLAIN
    model = RDCReconstruction(K, start=start, **rare).fit(x)
    over = [entry["handed_over"] / entry["survived"] for entry in model.history_]
    assert over[15] < 0.9 and over[-2:] == [1, 1], "epoch 20 is half of 40, but the search after it is at 30"


def test_objectives_are_what_an_update_minimizes(x, start):
    told = []

    def ask(model):
        parts = model.objectives(torch.arange(N))
        assert set(parts) == {"self"} and parts["self"].requires_grad
        told.append(parts["self"].item())

    for loss in ("image", "latent", "neighbor"):
        told.clear()
        settings = {"loss": loss, "epochs": 4, "refresh": 9, "hand_over": 0} | PLAIN | {"batch_size": N}
        model = RDCReconstruction(K, start=start, **settings).fit(x, monitor=ask)
        np.testing.assert_allclose(told[:-1], [entry["loss"] for entry in model.history_[1:]], rtol=1e-4)


@pytest.mark.parametrize("shape", [(30,), (1, 8, 8), (3, 12, 12), (1, 6, 6, 6)])
def test_vectors_images_and_volumes(shape):
    x = np.random.default_rng(0).random((40, *shape)).astype(np.float32)
    recipe = Pretraining(widths=(16,), latent_dim=3, epochs=1, batch_size=20)
    options = {"epochs": 2, "batch_size": 20, "random_state": 0, "device": "cpu"}
    for loss in ("image", "neighbor"):
        model = RDCReconstruction(K, start=recipe, loss=loss, **options).fit(x)
        assert np.isfinite(model.transform(x)).all() and set(model.labels_) <= set(range(K))
    if shape == (3, 12, 12):
        recipe = Pretraining("convolutional", latent_dim=3, epochs=1, batch_size=20)
        assert np.isfinite(RDCReconstruction(K, start=recipe, **options).fit(x).transform(x)).all()
