"""MNet on top of any encoder (DCSS section 4.8.3, Table 4): those of other methods, features of any kind, your own."""

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.evaluation import accuracy
from dcbook.methods import DCSS, DEC, IDEC, AEKMeans, DCSS_u, Pretraining, Start, load_model
from dcbook.models import IdentityEncoder
from dcbook.training.inputs import batches, stream
from tests.test_dcss import memberships

K, N = 3, 90
RECIPE = Pretraining(widths=(24,), latent_dim=3, epochs=20, batch_size=30, lr=1e-2)
PHASE_2 = {"phase1_epochs": 0, "phase2_epochs": 8, "T2": 4, "batch_size": 30, "schedule_size": None}
MNET = PHASE_2 | {"random_state": 0, "device": "cpu"}
SHORT = {"max_updates": 9, "update_interval": 3, "batch_size": 30}


@pytest.fixture(scope="module")
def data():
    """Features (N, 5) in three groups, not in [0, 1], and their labels."""
    random = np.random.default_rng(0)
    y = np.arange(N) % K
    return (4 * random.standard_normal((K, 5))[y] + 0.5 * random.standard_normal((N, 5))).astype(np.float32), y


@pytest.mark.parametrize("other", [AEKMeans, DEC, IDEC])
def test_on_top_of_another_method(other, data, tmp_path):
    x, y = data
    settings = {} if other is AEKMeans else SHORT
    fitted = other(K, start=RECIPE, random_state=0, device="cpu", **settings).fit(x)
    codes, centers = fitted.transform(x), fitted.cluster_centers_
    model = DCSS(K, start=fitted.start_, **MNET).fit(x)
    assert {entry["phase"] for entry in model.history_} == {"phase 2"} and len(model.history_) == 8
    assert accuracy(y, model.labels_) > 0.9
    assert 0 < np.abs(model.transform(x) - codes).max() < 0.1, "the encoder is trained along, at 1e-5 a step"
    np.testing.assert_array_equal(fitted.transform(x), codes)
    np.testing.assert_array_equal(fitted.cluster_centers_, centers)
    fitted.start_.save(tmp_path / "start")
    again = DCSS(K, start=Start.load(tmp_path / "start"), **MNET).fit(x)
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_on_features_end_to_end(data, tmp_path):
    x, y = data
    train, new = x[:60], x[60:]
    model = DCSS(K, start=IdentityEncoder(), **MNET).fit(train)
    assert accuracy(y[:60], model.labels_) > 0.9 and accuracy(y[60:], model.predict(new)) > 0.9
    np.testing.assert_array_equal(model.predict(train), model.labels_)
    np.testing.assert_array_equal(model.transform(new), new)
    np.testing.assert_allclose(model.predict_proba(new).sum(1), 1, rtol=1e-5)
    model.save(tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(new), model.predict_proba(new))
    np.testing.assert_array_equal(again.labels_, model.labels_)
    torch.manual_seed(1)
    np.testing.assert_array_equal(DCSS(K, start=IdentityEncoder(), **MNET).fit(train, y[:60]).labels_, model.labels_)


def test_on_features_it_is_phase_2_with_mnet_alone(data):
    """A slow twin: centers from k-means, u = x, nothing but MNet to train."""
    x = torch.as_tensor(data[0])
    start = AEKMeans(K, start=IdentityEncoder(), random_state=0, device="cpu").fit(x).start_
    begun = DCSS(K, start=start, **MNET | {"phase2_epochs": 0}).fit(x)
    mnet, centers = begun._new_mnet().train(), start.centers
    step, order = torch.optim.Adam(mnet.parameters(), lr=1e-3), stream(0, "phase-2 batches")
    for epoch in range(2):
        for batch in batches(N, 15, order, x.device):
            q = mnet(x[batch])
            judge = memberships(x[batch], centers) if epoch < 1 else q.detach()
            loss = sum(
                (1 - q[i] @ q[j]) * (judge[i] @ judge[j] >= 0.8) + (q[i] @ q[j]) * (judge[i] @ judge[j] <= 0.2)
                for i in range(15)
                for j in range(15)
                if i != j
            )
            step.zero_grad()
            loss.backward()
            step.step()
        p = memberships(x, centers) ** 1.5
        centers = (p.T @ x) / p.sum(0).unsqueeze(1)
    model = DCSS(K, start=start, **MNET | {"phase2_epochs": 2, "T2": 1, "batch_size": 15}).fit(x)
    np.testing.assert_allclose(model.cluster_centers_, centers, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(model.predict_proba(x), mnet.eval()(x), rtol=1e-2, atol=1e-3)


def test_the_start_of_features_is_a_start_like_others(data, tmp_path):
    x, _ = data
    start = AEKMeans(K, start=IdentityEncoder(), random_state=0, device="cpu").fit(x).start_
    assert start.centers.shape == (K, 5)
    start.save(tmp_path / "start")
    kept = Start.load(tmp_path / "start")
    assert kept.digest == start.digest
    models = [DCSS(K, start=s, **MNET).fit(x) for s in (start, kept)]
    np.testing.assert_array_equal(*(model.predict_proba(x) for model in models))
    goes_on = DCSS(K, start=models[0].start_, **MNET).fit(x)
    np.testing.assert_array_equal(goes_on.transform(x), x)


def test_released_variant_and_images_as_features(data):
    x, y = data
    images = np.pad(x, ((0, 0), (0, 1))).reshape(N, 1, 2, 3)
    model = DCSS(K, start=IdentityEncoder(), variant="released", **MNET | {"phase2_epochs": 20}).fit(images)
    assert model.transform(images).shape == (N, 6)
    assert accuracy(y, model.predict(images)) > 0.9


def test_an_encoder_of_your_own(data):
    x, y = data

    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Linear(5, 4)

    torch.manual_seed(0)
    mine = Mine()
    before = mine.encoder.weight.clone()
    model = DCSS(K, start=mine, **MNET).fit(x)
    assert torch.equal(mine.encoder.weight, before)
    assert not torch.equal(model.autoencoder_.encoder.weight, before)
    assert accuracy(y, model.labels_) > 0.9


def test_a_decoder_is_asked_for_before_training(data):
    x, _ = data

    def no_monitor(model):
        raise AssertionError("training began")

    phase_1 = r"no decoder, which is needed for phase 1 of DCSS \(phase1_epochs=0 leaves it out\)"
    for model in (DCSS(K, start=IdentityEncoder(), batch_size=30), DCSS_u(K, start=IdentityEncoder(), batch_size=30)):
        with pytest.raises(ValueError, match=phase_1):
            model.fit(x, monitor=no_monitor)
    with pytest.raises(ValueError, match="no decoder, which is needed for the reconstruction error in IDEC"):
        IDEC(K, start=IdentityEncoder(), batch_size=30).fit(x, monitor=no_monitor)
    with pytest.raises(TypeError, match="needs an attribute encoder"):
        DCSS(K, start=nn.Linear(5, 4), **MNET).fit(x)
    assert DEC(K, start=IdentityEncoder(), random_state=0, **SHORT).fit(x).transform(x).shape == (N, 5)
