"""DCSS's phase 1 beside the work of its released loop, and one update a batch beside K: seconds per epoch, and labels.

Seconds are taken on noise in MNIST's shape. Whether one update and K find the same clusters is asked on digits, from a
pretrained start and at the paper's step for their number, so that the labels can change and the forms can part.
"""

import warnings
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from dcbook.data import load
from dcbook.methods import DCSS, AEKMeans, DCSS_u, Pretraining, Start
from dcbook.methods.dcss import PAPER_SIZE
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, flop_per_sample, interleave, matmul, medians

K, BATCH = 10, 500
STEP, MOMENTUM, ALPHA, M = 1e-7, 0.9, 0.1, 1.5
QUIET = {"random_state": 0, "device": "cpu", "progress": False}
RELEASED_TARGET, FORMS_TARGET = 1.5, 6  # least ratios of the released loop to ours, and of K updates to one
DIGITS, EPOCHS = None, 2  # of the agreement; None: all 1,797
LEAST_ARI = 0.9  # of the labels of the two forms
STARTS = {  # of the agreement: short, but far enough that the loss has left its steep fall
    "fully-connected": Pretraining("fully-connected", epochs=50),
    "convolutional": Pretraining("convolutional", epochs=15, batch_size=64),
}


@dataclass(frozen=True)
class Agreement:
    """Labels of K updates and of one from the same start: ARI of the two, of each with the start's, clusters in use."""

    forms: float
    in_turn_to_start: float
    one_to_start: float
    clusters: int  # of the form that uses fewer

    @property
    def holds(self) -> bool:
        """Whether the forms agree, in 2 clusters or more, and lie less than half as far apart as either from the start.

        The distance is 1 - ARI. Labels that never changed thus say nothing about the forms.
        """
        changed = 1 - max(self.in_turn_to_start, self.one_to_start)
        return self.clusters >= 2 and self.forms >= LEAST_ARI and 1 - self.forms < changed / 2

    def __str__(self) -> str:
        return (
            f"ARI of their labels {self.forms:.3f} (at least {LEAST_ARI:g} wanted), with the start's: "
            f"K updates {self.in_turn_to_start:.3f}, one {self.one_to_start:.3f}; {self.clusters} clusters in use"
        )


def run(quick: bool) -> list[Row]:
    """Return two rows for the fully connected and two for the convolutional autoencoder."""
    torch.set_num_threads(1)
    x = torch.rand(3 * BATCH, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    batches = {"fully-connected": 3, "convolutional": 1}
    return [
        row
        for architecture, count in batches.items()
        for row in _rows(
            Pretraining(architecture),
            x[: BATCH * (1 if quick else count)],
            1 if quick else 3,
            agreement(STARTS[architecture]),
        )
    ]


def agreement(recipe: Pretraining) -> Agreement:
    """Run both forms on digits from one trained start, with as many updates an epoch as the paper makes, as large."""
    x = load("digits", padding=4, subset=DIGITS).images
    trained = AEKMeans(K, start=recipe, **QUIET).fit(x)
    in_turn, one = (
        DCSS_u(K, start=trained.start_, phase1_epochs=EPOCHS, one_update=form, schedule_size=PAPER_SIZE, **QUIET)
        .fit(x)
        .labels_
        for form in (False, True)
    )
    aris = (adjusted_rand_score(*pair) for pair in combinations((in_turn, one, trained.labels_), 2))
    return Agreement(*aris, min(len(np.unique(labels)) for labels in (in_turn, one)))


def _rows(recipe: Pretraining, x: Tensor, repeats: int, agreed: Agreement) -> list[Row]:
    network = recipe.build(x.shape[1:], seed=0)
    with torch.no_grad():
        centers = network.encoder(x[:K]).clone()
    start = Start(network, centers)

    def theirs() -> None:
        released_epoch(deepcopy(network).to(memory_format=torch.contiguous_format), centers, x)

    sides = {
        "ours": partial(extra_seconds, partial(_fit, start, x), 0, 1),
        "theirs": theirs,
        "one": partial(extra_seconds, partial(_fit, start, x, one_update=True), 0, 1),
        "peak": matmul(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # noise has no clusters
        seconds = medians(interleave(sides, repeats))
    note = ""
    if recipe.architecture == "fully-connected":
        best = PEAK_FLOP / seconds["peak"] / 1e9
        speed = K * len(x) * flop_per_sample((x[0].numel(), *recipe.widths, recipe.latent_dim)) / seconds["ours"] / 1e9
        note = f"ours {speed:.0f} of {best:.0f} GFLOP/s, {speed / best:.0%} of peak; "
    what = f"DCSS phase 1, an epoch, {len(x):,} images of 28×28, K = {K}, {recipe.architecture}"
    return [
        Row(
            f"{what}, released loop",
            seconds["ours"],
            seconds["theirs"],
            seconds["theirs"] / seconds["ours"],
            RELEASED_TARGET,
            note + f"batch {BATCH}; theirs: 20 forward and 10 backward passes a batch, torch.optim.SGD",
        ),
        Row(
            f"{what}, one update beside our K in turn",
            seconds["one"],
            seconds["ours"],
            seconds["ours"] / seconds["one"],
            FORMS_TARGET,
            f"on digits: {agreed}; ratio to the released loop {seconds['theirs'] / seconds['one']:.1f}",
            agreed.holds,
        ),
    ]


def _fit(start: Start, x: Tensor, epochs: int, one_update: bool = False) -> DCSS:
    return DCSS_u(
        K,
        start=start,
        phase1_epochs=epochs,
        one_update=one_update,
        phase1_lr=STEP,
        batch_size=BATCH,
        schedule_size=None,
        **QUIET,
    ).fit(x)


def released_epoch(network: torch.nn.Module, centers: Tensor, x: Tensor) -> None:
    """The work of DCSS.py:180-198 in an epoch: for every batch and cluster a pass for p, one for the loss, a step."""
    optimizer = torch.optim.SGD(network.parameters(), lr=STEP, momentum=MOMENTUM)
    network.train()
    for batch in torch.randperm(len(x)).split(BATCH):
        for k in range(K):
            images = x[batch]
            u, _ = network(images)
            similarity = torch.stack([(u - center).square().sum(1) ** (1 / (1 - M)) for center in centers], dim=1)
            p = (similarity / similarity.sum(1, keepdim=True)).detach() ** M
            u, restored = network(images)
            error = (images.flatten(1) - restored.flatten(1)).square().sum(1)
            loss = (p[:, k] * (error + ALPHA * (u - centers[k]).square().sum(1))).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
