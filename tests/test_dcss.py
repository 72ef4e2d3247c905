"""DCSS against a slow twin that follows the released loop line by line, and row by row where paper and code differ."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from dcbook import losses
from dcbook.evaluation import LabelPicked, accuracy
from dcbook.methods import DCSS, AEKMeans, DCSS_agg, DCSS_u, Pretraining, Start
from dcbook.methods.dcss import RELEASED_ROWS
from dcbook.training.inputs import batches, stream

RECIPE = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=20, lr=1e-2)
K, N = 3, 60
PLAIN = {"batch_size": 20, "schedule_size": None, "random_state": 0, "device": "cpu"}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    return (random.random((K, 9))[random.integers(0, K, N)] + 0.1 * random.random((N, 9))).astype(np.float32)


@pytest.fixture(scope="module")
def start(x):
    return AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(x).start_


def memberships(u, centers):
    """DCSS.py:98-106, with m = 1.5."""
    similarity = torch.stack([((u - center) ** 2).sum(1) ** -2 for center in centers], 1)
    return similarity / similarity.sum(1, keepdim=True)


def new_centers(network, centers, x):
    """DCSS.py:112-132."""
    with torch.no_grad():
        u = network.encoder(x)
        p = memberships(u, centers) ** 1.5
    return torch.stack([(p[:, k : k + 1] * u).sum(0) / p[:, k].sum() for k in range(len(centers))])


def slow_phase_1(start, x, epochs, lr, due):
    """DCSS.py:167-191: memberships from forward passes of their own, then K forward and backward passes a batch."""
    network, centers = deepcopy(start.autoencoder), start.centers.clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9)
    order = stream(0, "phase-1 batches")
    for epoch in range(epochs):
        if due(epoch):
            centers = new_centers(network, centers, x)
        for batch in batches(N, 20, order, x.device):
            with torch.no_grad():
                p = memberships(network.encoder(x[batch]), centers) ** 1.5
            for k in range(K):
                u, x_hat = network(x[batch])
                reconstruction, centering = ((x_hat - x[batch]) ** 2).sum(1), ((u - centers[k]) ** 2).sum(1)
                loss = sum(p[i, k] * (reconstruction[i] + 0.1 * centering[i]) for i in range(len(batch)))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return network, centers


@pytest.mark.parametrize(
    ("variant", "due"),
    [("paper", lambda epoch: epoch in (2, 4)), ("released", lambda epoch: epoch in (1, 3, 5))],
)
def test_phase_1_is_the_released_loop_without_its_redundant_passes(x, start, variant, due):
    model = DCSS_u(K, start=start, variant=variant, phase1_epochs=6, phase1_lr=1e-3, **PLAIN).fit(x)
    network, centers = slow_phase_1(start, torch.as_tensor(x), 6, 1e-3, due)
    for ours, theirs in zip(model.autoencoder_.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(model.cluster_centers_, centers.numpy(), rtol=1e-3, atol=1e-5)
    assert (model.autoencoder_.encoder[1].weight - start.autoencoder.encoder[1].weight).abs().max() > 1e-3


def test_phase_1_needs_k_forward_passes_a_batch(x, start):
    passes = []
    start = deepcopy(start)
    start.autoencoder.decoder.register_forward_hook(lambda decoder, *_: passes.append(decoder.training))
    DCSS_u(K, start=start, phase1_epochs=2, **PLAIN).fit(x)
    assert sum(passes) == 2 * (N // 20) * K


@pytest.mark.parametrize(
    ("make", "epochs"), [(DCSS_agg, 2 * K), (partial(DCSS_u, one_update=True), 2)], ids=["aggregated", "one update"]
)
def test_one_update_on_the_sum_and_aggregated_the_same_for_k_times_the_epochs(x, start, make, epochs):
    model = make(K, start=start, phase1_epochs=2, T1=100, phase1_lr=1e-3, **PLAIN).fit(x)
    assert [entry["epoch"] for entry in model.history_] == list(range(1, epochs + 1))
    network, data = deepcopy(start.autoencoder), torch.as_tensor(x)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    order = stream(0, "phase-1 batches")
    for _ in range(epochs):
        for batch in batches(N, 20, order, data.device):
            u, x_hat = network(data[batch])
            p = memberships(u.detach(), start.centers) ** 1.5
            each = ((x_hat - data[batch]) ** 2).sum(1, keepdim=True) + 0.1 * torch.cdist(u, start.centers) ** 2
            optimizer.zero_grad()
            (p * each).sum().backward()
            optimizer.step()
    for ours, theirs in zip(model.autoencoder_.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_one_update_is_the_k_updates_to_first_order_in_the_step(x, start):
    """The share of the way by which their ends lie apart falls with the step; with momentum, with the epochs too."""

    def apart(**settings):
        ways = []
        for one_update in (False, True):
            model = DCSS_u(K, start=start, T1=2, one_update=one_update, **PLAIN, **settings).fit(x)
            pairs = zip(model.autoencoder_.parameters(), start.autoencoder.parameters(), strict=True)
            ways.append(torch.cat([(a - b).detach().flatten() for a, b in pairs]))
        return float((ways[0] - ways[1]).norm() / ways[0].norm())

    plain = {"phase1_momentum": 0.0, "phase1_epochs": 3}
    assert apart(phase1_lr=1e-5, **plain) < min(0.01, 0.2 * apart(phase1_lr=1e-4, **plain))
    few, many = (apart(phase1_lr=1e-6, phase1_momentum=0.9, phase1_epochs=epochs) for epochs in (3, 30))
    assert many < min(0.1, 0.25 * few)


@pytest.mark.parametrize("variant", ["paper", "released", *RELEASED_ROWS[:4], "rounding+self-pairs"])
def test_phase_2_is_algorithm_1(x, start, variant):
    """DCSS.py:208-260 with the switches of the table in `dcbook.methods.dcss`."""
    rows = {"paper": [], "released": RELEASED_ROWS}.get(variant, variant.split("+"))
    model = DCSS(K, start=start, variant=variant, phase1_epochs=0, phase2_epochs=4, T2=2, encoder_lr=1e-3, **PLAIN)
    model.fit(x)
    network, centers, data = deepcopy(start.autoencoder), start.centers.clone(), torch.as_tensor(x)
    model_again = DCSS(K, start=start, phase1_epochs=0, phase2_epochs=0, **PLAIN).fit(x)
    mnet = model_again._new_mnet().train()
    encoder_step = torch.optim.Adam(network.encoder.parameters(), lr=1e-3)
    mnet_step = torch.optim.Adam(mnet.parameters(), lr=1e-3)
    order = stream(0, "phase-2 batches")
    for epoch in range(4):
        for batch in batches(N, 20, order, data.device):
            u = network.encoder(data[batch])
            q = mnet(u)
            judge = memberships(u, centers).detach() if epoch < 2 else q.detach()
            if "rounding" in rows:
                q = torch.where(q > 0.99, 1.0, torch.where(q < 0.01, 0.0, q))
            loss = 0
            for i in range(len(batch)):
                for j in range(len(batch)):
                    if i == j and "self-pairs" not in rows:
                        continue
                    similarity, agreement = judge[i] @ judge[j], q[i] @ q[j]
                    loss += (1 - agreement) * (similarity >= 0.8) + agreement * (similarity <= 0.2)
            encoder_step.zero_grad()
            mnet_step.zero_grad()
            (1e-3 * loss if "scale" in rows else loss).backward()
            encoder_step.step()
            mnet_step.step()
        if "centers" not in rows or epoch < 2:
            centers = new_centers(network, centers, data)
    # MNet begins with batch normalisation, which takes any shift of u away: Adam moves it by rounding errors alone
    ours, theirs = (c - c.mean(0) for c in (model.cluster_centers_, centers.numpy()))
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)
    mnet.eval()
    with torch.no_grad():
        np.testing.assert_allclose(model.predict_proba(x), mnet(network.encoder(data)).numpy(), atol=2e-2)


def test_all_rows_together_are_the_released_code_and_others_are_refused(x, start):
    options = {"start": start, "phase1_epochs": 3, "phase2_epochs": 3, "T2": 1, "phase1_lr": 1e-3} | PLAIN
    released, rows = (DCSS(K, variant=v, **options).fit(x) for v in ("released", "+".join(RELEASED_ROWS)))
    np.testing.assert_array_equal(released.predict_proba(x), rows.predict_proba(x))
    np.testing.assert_array_equal(released.labels_, rows.labels_)
    for wrong in ("ours", "", "rounding+clamping"):
        with pytest.raises(ValueError, match='variant must be "paper", "released" or rows of rounding, self-pairs'):
            DCSS(K, variant=wrong, **options).fit(x)


def test_schedule_follows_the_size_of_the_data(x, start):
    options = PLAIN | {"schedule_size": 3 * N}
    model = DCSS(K, start=start, phase1_epochs=2, phase2_epochs=4, T2=1, **options).fit(x)
    phases = [entry["phase"] for entry in model.history_]
    assert phases.count("phase 1") == 2 and phases.count("phase 2") == 12
    judged = [entry["judged_by_q"] for entry in model.history_ if entry["phase"] == "phase 2"]
    assert judged == [0.0] * 3 + [1.0] * 9
    literal = PLAIN | {"batch_size": 5, "phase1_lr": 4e-4}
    plain = DCSS_u(K, start=start, phase1_epochs=3, **literal).fit(x)
    stretched = DCSS_u(K, start=start, phase1_epochs=3, phase1_lr=1e-4, **PLAIN | {"schedule_size": 4 * N}).fit(x)
    assert plain.history_ == stretched.history_
    np.testing.assert_array_equal(plain.cluster_centers_, stretched.cluster_centers_)
    assert np.abs(plain.cluster_centers_ - start.centers.numpy()).max() > 1e-4
    tiny = DCSS_u(K, start=start, phase1_epochs=1, **PLAIN | {"schedule_size": 70_000}).fit(x)
    assert np.isfinite(tiny.history_[-1]["total"])
    short = DCSS(K, start=start, phase1_epochs=0, phase2_epochs=20, T2=5, **PLAIN | {"schedule_size": 1}).fit(x)
    judged = [entry["judged_by_q"] for entry in short.history_ if entry["phase"] == "phase 2"]
    assert judged == [0.0], "phase 2 and its first part keep an epoch"


@pytest.mark.parametrize(
    "wrong", [{"phase1_momentum": 1.0}, {"phase1_momentum": -0.1}, {"m": np.inf}, {"alpha": np.inf}]
)
def test_settings_that_cannot_train_are_refused(x, wrong):
    with pytest.raises(
        ValueError, match=r"must lie in \[0, 1\)" if "phase1_momentum" in wrong else "m > 1, alpha >= 0"
    ):
        DCSS(K, **PLAIN | wrong).fit(x)


def test_a_batch_of_one_is_for_phase_1_alone(x, start):
    settings = PLAIN | {"start": start, "phase1_epochs": 1, "batch_size": 1}
    with pytest.raises(ValueError, match="batch_size must be at least 2: phase 2 compares the samples of a batch"):
        DCSS(K, **settings).fit(x)
    one, half = DCSS_u(K, **settings).fit(x), DCSS_u(K, **settings | {"batch_size": 2, "phase1_lr": 5e-7}).fit(x)
    assert one.batch_size_ == 1 and one.history_ != half.history_, "not batches of two at half the step"


def test_a_center_that_no_sample_is_near_is_kept(x, start):
    far = start.centers.clone()
    far[2] = 1e6
    settings = PLAIN | {"m": 1.05, "phase1_epochs": 2, "T1": 1, "phase2_epochs": 0}
    model = DCSS(K, start=Start(start.autoencoder, far), **settings)
    with pytest.warns(ConvergenceWarning, match="only 2 of 3 clusters hold samples"):
        model.fit(x)
    assert np.isfinite(model.cluster_centers_).all() and (model.cluster_centers_[2] == 1e6).all()


def test_released_labels_come_from_batch_statistics_and_looking_changes_nothing(x, start):
    looks = []

    def look(model):
        before = {name: tensor.clone() for name, tensor in model.mnet_.state_dict().items()}
        looks.append(model.labels_)
        for name, tensor in model.mnet_.state_dict().items():
            torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)

    options = PLAIN | {"phase1_epochs": 0, "phase2_epochs": 3}
    watched = DCSS(K, start=start, variant="released", **options).fit(x, monitor=look)
    unwatched = DCSS(K, start=start, variant="released", **options).fit(x)
    assert len(looks) == 3
    np.testing.assert_array_equal(watched.labels_, unwatched.labels_)
    np.testing.assert_array_equal(watched.predict_proba(x), unwatched.predict_proba(x))


def test_frozen_batch_norm_in_pretraining_as_released(x):
    images = np.random.default_rng(0).random((24, 1, 12, 12), dtype=np.float32)
    recipe = {"architecture": "convolutional", "latent_dim": 3, "batch_size": 12}

    def running_mean(epochs, released):
        model = AEKMeans(2, start=Pretraining(epochs=epochs, released=released, **recipe), random_state=0, device="cpu")
        return model.fit(images).autoencoder_.encoder[1].running_mean.numpy()

    np.testing.assert_array_equal(running_mean(1, True), running_mean(1, False))
    np.testing.assert_array_equal(running_mean(3, True), running_mean(1, True))
    assert np.abs(running_mean(3, False) - running_mean(1, False)).max() > 1e-4


def test_rounding_is_what_the_release_does_to_q():
    q = torch.tensor([[0.991, 0.009], [0.5, 0.5]])
    assert losses.rounded(q).tolist() == [[1, 0], [0.5, 0.5]]


def test_label_picked_checkpoints_are_shown_and_change_nothing(x, start):
    labels = np.random.default_rng(1).integers(0, K, N)
    watch = LabelPicked(labels)
    options = PLAIN | {"phase1_epochs": 4, "phase1_lr": 1e-2, "phase2_epochs": 4, "T2": 2}
    watched = DCSS(K, start=start, **options).fit(x, monitor=watch)
    np.testing.assert_array_equal(watched.labels_, DCSS(K, start=start, **options).fit(x).labels_)
    for phase in ("phase 1", "phase 2"):
        epochs = [entry for entry in watched.history_ if entry["phase"] == phase]
        best = max(epochs, key=lambda entry: entry["acc"])
        assert (watch.best[phase]["epoch"], watch.best[phase]["acc"]) == (best["epoch"], best["acc"])
    picked = DCSS_u(K, start=watch.best["phase 1"]["start"], phase1_epochs=0, **PLAIN).fit(x)
    assert accuracy(labels, picked.labels_) == watch.best["phase 1"]["acc"]
