"""DCSS's phase 1 beside the work of its released loop: seconds per epoch on the same network and batches."""

from copy import deepcopy
from functools import partial

import torch
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

from dcbook.methods import DCSS, DCSS_u, Pretraining, Start
from tests.bench._table import PEAK_FLOP, Row, extra_seconds, flop_per_sample, interleave, matmul, medians

K, BATCH = 10, 500
STEP, MOMENTUM, ALPHA, M = 1e-7, 0.9, 0.1, 1.5


def run(quick: bool) -> list[Row]:
    """Return two rows for the fully connected and two for the convolutional autoencoder, on noise in MNIST's shape."""
    torch.set_num_threads(1)
    x = torch.rand(1500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    batches = {"fully-connected": 3, "convolutional": 1}
    return [
        row
        for architecture, count in batches.items()
        for row in _rows(Pretraining(architecture), x[: BATCH * (1 if quick else count)], 1 if quick else 3)
    ]


def _rows(recipe: Pretraining, x: Tensor, repeats: int) -> list[Row]:
    network = recipe.build(x.shape[1:], seed=0)
    with torch.no_grad():
        centers = network.encoder(x[:K]).clone()
    start = Start(network, centers)

    def theirs() -> None:
        released_epoch(deepcopy(network).to(memory_format=torch.contiguous_format), centers, x)

    seconds = medians(
        interleave(
            {
                "ours": partial(extra_seconds, partial(_fit, start, x), 0, 1),
                "theirs": theirs,
                "one": partial(extra_seconds, partial(_fit, start, x, one_update=True), 0, 1),
                "peak": matmul(),
            },
            repeats,
        )
    )
    alike = adjusted_rand_score(*(_fit(start, x, 1, one_update=form).labels_ for form in (False, True)))
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
            1.5,
            note + f"batch {BATCH}; theirs: 20 forward and 10 backward passes a batch, torch.optim.SGD",
        ),
        Row(
            f"{what}, one update beside our K in turn",
            seconds["one"],
            seconds["ours"],
            seconds["ours"] / seconds["one"],
            6,
            f"ARI of their labels {alike:.3f}; ratio to the released loop {seconds['theirs'] / seconds['one']:.1f}",
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
        random_state=0,
        device="cpu",
        progress=False,
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
