"""The parts of its loss that a method tells a monitor: their sum is what the next update minimizes."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from dcbook.methods import DCN, DCSS, DEC, DKM, EDESC, IDEC, AEKMeans, DynAE, Pretraining, RDCReconstruction, VaDE

K, N = 3, 48
RECIPE = Pretraining(widths=(24,), latent_dim=3, epochs=10, batch_size=16, lr=1e-2)
WHOLE = {"batch_size": N, "random_state": 0, "device": "cpu"}  # an epoch is one update on all samples
TRAINING = {"max_updates": 2, "update_interval": 9, "tol": 0}
PHASES = {"schedule_size": None, "phase2_epochs": 0, "T1": 9}
METHODS = {
    "DEC": (lambda start: DEC(K, start=start, **TRAINING, **WHOLE), {"pseudo"}),
    "IDEC": (lambda start: IDEC(K, start=start, **TRAINING, **WHOLE), {"self", "pseudo"}),
    "DCN": (lambda start: DCN(K, start=start, lam=0.3, epochs=2, **WHOLE), {"self", "pseudo"}),
    "DKM": (lambda start: DKM(K, start=start, lam=0.3, alpha=5.0, epochs=2, **WHOLE), {"self", "pseudo"}),
    "VaDE": (lambda start: VaDE(K, start=start, epochs=2, **WHOLE), {"self", "pseudo"}),
    "EDESC": (lambda start: EDESC(K, start=start, epochs=2, **WHOLE), {"self", "pseudo"}),
    "DynAE": (lambda start: DynAE(K, start=start, **TRAINING, **WHOLE), {"self", "pseudo"}),
    "R-DC (reconstruction)": (
        lambda start: RDCReconstruction(K, start=start, epochs=2, refresh=9, hand_over=0, **WHOLE),
        {"self"},
    ),
    "DCSS, phase 1": (
        lambda start: DCSS(K, start=start, phase1_epochs=2, aggregated=True, **(WHOLE | PHASES)),
        {"self", "pseudo"},
    ),
    "DCSS, phase 2": (
        lambda start: DCSS(K, start=start, **(WHOLE | PHASES | {"phase1_epochs": 0, "phase2_epochs": 2})),
        {"pseudo"},
    ),
    "DCSS, phase 2 on q": (
        lambda start: DCSS(K, start=start, **(WHOLE | PHASES | {"phase1_epochs": 0, "phase2_epochs": 2, "T2": 0})),
        {"pseudo"},
    ),
}


@pytest.fixture(scope="module")
def x():
    random = np.random.default_rng(0)
    x = (random.random((K, 9))[random.integers(0, K, N)] + 0.4 * random.random((N, 9))).astype(np.float32)
    return x / x.max()


@pytest.fixture(scope="module")
def start(x):
    return AEKMeans(K, start=RECIPE, random_state=0, device="cpu").fit(x).start_


@pytest.mark.parametrize("name", METHODS)
def test_their_sum_is_the_loss_of_the_next_update(name, x, start):
    make, parts = METHODS[name]
    told = []

    def ask(model):
        told.append({part: value.item() for part, value in model.objectives(torch.arange(N)).items()})

    model = make(start).fit(x, monitor=ask)
    assert len(told) == len(model.history_) >= 2 and all(set(each) == parts for each in told)
    after = model.history_[1]
    names = {"loss": 1, "total": N, "pairwise": N}  # DCSS's losses are sums over the samples
    loss = next(after[name] * scale for name, scale in names.items() if name in after)
    tolerance = 0.1 if name == "VaDE" else 1e-5  # whose noise is drawn anew
    assert sum(told[0].values()) == pytest.approx(loss, rel=tolerance)
    if name == "DCSS, phase 1":
        assert told[0]["pseudo"] == pytest.approx(0.1 * N * after["centering"], rel=1e-5)
    elif name in ("DCN", "DKM"):
        weight = {"DCN": 0.3 / 2, "DKM": 0.3}[name]
        assert told[0] == pytest.approx({"self": after["reconstruction"], "pseudo": weight * after["clustering"]})


@pytest.mark.parametrize("name", METHODS)
def test_a_monitor_that_asks_changes_nothing(name, x, start):
    make, _ = METHODS[name]
    alone, asked = (
        make(start).fit(x),
        make(start).fit(x, monitor=lambda model: model.objectives(torch.arange(7)) and None),
    )
    np.testing.assert_array_equal(asked.transform(x), alone.transform(x))
    np.testing.assert_array_equal(asked.cluster_centers_, alone.cluster_centers_)
    assert asked.history_ == alone.history_
    if hasattr(alone, "predict_proba"):
        np.testing.assert_array_equal(asked.predict_proba(x), alone.predict_proba(x))
    with pytest.raises(RuntimeError, match="training samples only during fit"):
        asked.objectives(torch.arange(7))


class Normalized(nn.Module):
    """An autoencoder with batch normalization, as a user may write it."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(9, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))
        self.decoder = nn.Linear(3, 9)


@pytest.mark.parametrize("name", ["DEC", "IDEC", "DCN", "DKM", "EDESC", "DynAE"])
def test_running_statistics_are_those_of_the_training(name, x):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        start = Normalized()
    copies = []

    def ask(model):
        model.objectives(torch.arange(7))
        copies.append(deepcopy(model.autoencoder_))

    make, _ = METHODS[name]
    asked, alone = make(start).fit(x, monitor=ask), make(start).fit(x)
    for ours, theirs in zip(asked.autoencoder_.buffers(), alone.autoencoder_.buffers(), strict=True):
        assert torch.equal(ours, theirs) and int(alone.autoencoder_.encoder[1].num_batches_tracked) > 0
    assert copies[-1].encoder[1].track_running_stats  # a copy may be trained further


def test_vade_draws_the_same_noise_for_the_same_question(x, start):
    told = []

    def ask(model):
        told.extend(model.objectives(torch.arange(5))["self"].item() for _ in range(2))

    VaDE(K, start=start, epochs=1, **WHOLE).fit(x, monitor=ask)
    assert told[0] == told[1]


def test_an_autoencoder_alone_tells_its_pretraining(x):
    told = []

    def ask(model):
        told.append(sum(model.objectives(torch.arange(N)).values()).item())

    recipe = Pretraining(widths=(24,), latent_dim=3, epochs=3, batch_size=N, lr=1e-2)
    model = AEKMeans(K, start=recipe, random_state=0, device="cpu").fit(x, monitor=ask)
    assert told[:-1] == pytest.approx([entry["reconstruction"] for entry in model.history_[1:]], rel=1e-5)
